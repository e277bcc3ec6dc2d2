"""Samples of views written to (select_scatter, ...) and views copied (select_copy, ...)."""

from __future__ import annotations

import d2lcore as torch
import numpy as np

from op_samples.base import E, Op, S, t
from op_samples.view import OPS as VIEWS


def _with(place):
    def call(x, src, *args, **kwargs):
        out = np.array(x)
        out[place(out, *args, **kwargs)] = src
        return out

    return call


def _along(x, dim, key):
    return tuple(key if d == dim % x.ndim else slice(None) for d in range(x.ndim))


def _slice(x, dim=0, start=None, end=None, step=1):
    return _along(x, dim, slice(start, end, step))


def _diagonal(x, src, offset=0, dim1=0, dim2=1):
    out = np.array(x)
    places = _diagonal_places(x, offset, dim1, dim2)
    np.moveaxis(out, (dim1, dim2), (-2, -1))[(Ellipsis, *places)] = src
    return out


def _diagonal_places(x, offset, dim1, dim2):
    n, m = x.shape[dim1], x.shape[dim2]
    rows = np.arange(max(n, m))
    rows, columns = rows + max(-offset, 0), rows + max(offset, 0)
    keep = (rows < n) & (columns < m)
    return rows[keep], columns[keep]


def _strided(x, src, size, stride, storage_offset=0):
    out = np.array(x)
    places = np.full(size, storage_offset)
    for d, (n, s) in enumerate(zip(size, stride)):
        places = places + np.arange(n).reshape([-1 if k == d else 1 for k in range(len(size))]) * s
    out.reshape(-1)[places] = src
    return out


def _as_int32(x, dtype):
    return x.astype("float32").view("int32")


WRONG = "expected src to have a size equal to the slice of self. src size = [2], slice size = [3]"


def _reference(name):
    return next(op.ref for op in VIEWS if op.name == name)


def _copy(name, samples, errors=(), of=None):
    ref = (lambda x, *_, **__: x) if of == "" else _reference(of or name.removesuffix("_copy"))
    return Op(name, ref, samples, errors)


OPS = [
    Op("select_scatter", _with(lambda x, dim, index: _along(x, dim, index)), [S(t(3, 4), t(4), 0, 1), S(t(3, 4), t(3), 1, -1)],
       [E(RuntimeError, WRONG, t(3, 3), t(2), 0, 0), E(IndexError, "select(): index 7 out of range", t(4), t(), 0, 7)]),
    Op("slice_scatter", _with(_slice), [S(t(4, 3), t(2, 3), 0, 1, 3), S(t(4, 3), t(4, 2), 1, 0, 3, 2), S(t(3), t(3))],
       [E(RuntimeError, WRONG, t(3), t(2)), E(RuntimeError, "slice step must be positive", t(3), t(3), step=-1)]),
    Op("diagonal_scatter", _diagonal, [S(t(3, 4), t(3)), S(t(3, 4), t(3), 1), S(t(2, 3, 4), t(3, 2), 0, 0, 2)],
       [E(RuntimeError, WRONG, t(3, 3), t(2))]),
    Op("as_strided_scatter", _strided, [S(t(3, 4), t(2, 2), (2, 2), (4, 1), 1), S(t(6), t(3), (3,), (2,))],
       [E(RuntimeError, WRONG, t(6), t(2), (3,), (1,))], variants=False),
    _copy("alias_copy", [S(t(2, 3)), S(t())], of=""),
    Op("detach_copy", lambda x: x, [S(t(2, 3))], grad=False),
    Op("as_strided_copy", _reference("as_strided"), [S(t(3, 4), (2, 2), (4, 1), 1)], variants=False),
    _copy("diagonal_copy", [S(t(3, 4)), S(t(3, 4), 1)]),
    _copy("expand_copy", [S(t(3, 1), (3, 4))], [E(RuntimeError, "", t(3), (2, 4))]),
    _copy("permute_copy", [S(t(2, 3, 4), (2, 0, 1))]),
    _copy("select_copy", [S(t(3, 4), 1, 2)], [E(IndexError, "select(): index 7 out of range", t(4), 0, 7)]),
    Op("slice_copy", lambda x, *a, **k: x[_slice(x, *a, **k)], [S(t(4, 3), 0, 1, 3), S(t(4, 3), 1, None, None, 2)],
       [E(RuntimeError, "slice step must be positive", t(3), step=0)]),
    _copy("split_copy", [S(t(5, 2), 2), S(t(2, 4), 3, 1)]),
    Op("split_with_sizes_copy", lambda x, sizes, dim=0: np.split(x, np.cumsum(sizes)[:-1], dim), [S(t(5, 2), [2, 3]), S(t(2, 4), [1, 3], 1)]),
    _copy("squeeze_copy", [S(t(1, 3, 1)), S(t(1, 3, 1), 0), S(t(1, 3, 1), (0, 2))]),
    _copy("t_copy", [S(t(2, 3))], [E(RuntimeError, "", t(2, 2, 2))]),
    _copy("transpose_copy", [S(t(2, 3, 4), 0, 2)]),
    _copy("unbind_copy", [S(t(3, 2)), S(t(3, 2), 1)]),
    _copy("unfold_copy", [S(t(6), 0, 3, 2)]),
    _copy("unsqueeze_copy", [S(t(2, 3), 1)]),
    _copy("view_copy", [S(t(2, 6), (3, 4)), S(t(2, 6), torch.int32, _ref=_as_int32, _dtypes="f", _grad=False, _result=lambda _: "int32", _variants=False)], [E(RuntimeError, "invalid for input of size 4", t(4), (3,))]),
]  # fmt: skip
