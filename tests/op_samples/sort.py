"""Samples of sorting, selection, distinct values and searching."""

from __future__ import annotations

import numpy as np

from op_samples.base import E, Op, S, c, i, t

RANGE = E(IndexError, "Dimension out of range (expected to be in range of [-2, 1], but got 2)", t(2, 3), 2)
TIES = c([[3, 1, 3, 2, 1], [5, 5, 4, 4, 4]])


def _order(x, dim, descending):
    if x.ndim == 0:
        return np.zeros((), int)
    return np.argsort(-x if descending else x, axis=dim, kind="stable")


def _sort(x, dim=-1, descending=False, stable=None):
    at = _order(x, dim, descending)
    return (np.take_along_axis(x, at, dim) if x.ndim else x), at


def _argsort(x, dim=-1, descending=False, stable=None):
    return _order(x, dim, descending)


def _topk(x, k, dim=-1, largest=True, sorted=True):
    values, at = _sort(x, dim, largest)
    return (np.take(values, range(k), axis=dim), np.take(at, range(k), axis=dim)) if x.ndim else (values, at)


def _kth(x, k, dim=-1, keepdim=False):
    values, at = _sort(x, dim)
    if x.ndim == 0:
        return values, at
    picked = [np.take(a, [k - 1], axis=dim) for a in (values, at)]
    return tuple(p if keepdim else p.squeeze(dim) for p in picked)


def _median(x, dim=None, keepdim=False):
    if dim is None:
        return np.sort(x.ravel())[(x.size - 1) // 2]
    return _kth(x, (x.shape[dim] + 1) // 2, dim, keepdim) if x.ndim else (x, np.zeros((), int))


def _nanmedian(x, dim=None, keepdim=False):
    if dim is None:
        return _median(x[~np.isnan(x)])
    return _median(x, dim, keepdim)


def _mode(x, dim=-1, keepdim=False):
    if x.ndim == 0:
        return x, np.zeros((), int)

    def one(row):
        values, counts = np.unique(row, return_counts=True)
        return values[counts.argmax()]

    values = np.apply_along_axis(one, dim, x)
    where = np.moveaxis(x, dim, -1) == values[..., None]
    at = where.shape[-1] - 1 - where[..., ::-1].argmax(-1)
    return tuple(np.expand_dims(p, dim) if keepdim else p for p in (values, at))


def _unique(x, sorted=True, return_inverse=False, return_counts=False, dim=None):
    out = np.unique(x, return_inverse=True, return_counts=True, axis=dim)
    inverse = out[1].reshape(x.shape) if dim is None else out[1].ravel()
    chosen = [out[0]] + [inverse] * return_inverse + [out[2]] * return_counts
    return chosen[0] if len(chosen) == 1 else tuple(chosen)


def _consecutive(x, return_inverse=False, return_counts=False, dim=None):
    flat = x.ravel() if dim is None else np.moveaxis(x, dim, 0)
    new = [k for k in range(len(flat)) if k == 0 or not np.array_equal(flat[k], flat[k - 1])]
    values = flat[new] if dim is None else np.moveaxis(flat[new], 0, dim)
    inverse = np.array([sum(n <= k for n in new) - 1 for k in range(len(flat))], int)
    counts = np.diff([*new, len(flat)])
    chosen = [values] + [inverse.reshape(x.shape if dim is None else -1)] * return_inverse + [counts] * return_counts
    return chosen[0] if len(chosen) == 1 else tuple(chosen)


def _search(edges, values, *, right=False, side=None, sorter=None, out_int32=False):
    which = side or ("right" if right else "left")
    if edges.ndim == 1:
        return np.searchsorted(edges if sorter is None else edges[sorter], values, which)
    return np.stack([np.searchsorted(e, v, which) for e, v in zip(edges, values)])


def _histc(x, bins=100, min=0, max=0):
    ends = (x.min(), x.max()) if min == max == 0 else (min, max)
    return np.histogram(x, bins, ends)[0]


EDGES = c([1.0, 2.0, 2.0, 4.0])
ASK = c([[0.0, 1.0], [2.0, 5.0]])
OPS = [
    Op("sort", _sort, [S(t(3, 4)), S(t(3, 4), 0, True), S(t(3, 4), dim=1, descending=True), S(t()), S(t(0, 3), 0),
                       S(TIES, stable=True, _grad=False), S(TIES, stable=True, descending=True, dim=1, _grad=False), S(t(2, 50), _dtypes="fd")], [RANGE],
       expand=False),
    Op("argsort", _argsort, [S(t(3, 4)), S(t(3, 4), 0, True), S(TIES, stable=True), S(TIES, stable=True, dim=-1, descending=True)],
       [RANGE], result="int64", grad=False, expand=False, dtypes="fd"),
    Op("msort", lambda x: np.sort(x, axis=0), [S(t(3, 4)), S(t(5))], expand=False),
    Op("topk", _topk, [S(t(3, 4), 2), S(t(4, 3), 3, 0, False), S(t(5), k=2, largest=True), S(t(), 1), S(t(2, 60), 5)],
       [E(RuntimeError, "selected index k out of range", t(3), 4), E(IndexError, "Dimension out of range", t(3), 1, 1)],
       expand=False, dtypes="fd"),
    Op("kthvalue", _kth, [S(t(3, 4), 2), S(t(4, 3), 1, 0, True), S(t(), 1)],
       [E(RuntimeError, "kthvalue(): selected number k out of range for dimension 0", t(3), 4)], expand=False, dtypes="fd"),
    Op("median", _median, [S(t(3, 4)), S(t(5)), S(t(3, 4), 1), S(t(3, 5), dim=0, keepdim=True)], [RANGE], expand=False, dtypes="fd"),
    Op("nanmedian", _nanmedian, [S(t(3, 4)), S(c([np.nan, 3.0, 1.0, np.nan, 2.0]), _grad=False), S(t(3, 4), 1)], [RANGE], expand=False,
       dtypes="fd"),
    Op("mode", _mode, [S(c([[1, 2, 2, 3], [3, 3, 1, 1]])), S(c([[1, 2], [1, 3], [2, 3]]), 0, True), S(t())], [RANGE], grad=False,
       dtypes="fdl", expand=False),
    Op("unique", _unique, [S(TIES), S(TIES, return_inverse=True, return_counts=True), S(TIES, return_counts=True),
                           S(c([[1, 2], [0, 3], [1, 2]]), dim=0, return_inverse=True), S(t(0))],
       [E(IndexError, "Dimension out of range", t(2), dim=1)],
       dtypes="fdl", grad=False),
    Op("unique_consecutive", _consecutive, [S(c([1, 1, 2, 2, 1])), S(c([1, 1, 2, 2, 1]), True, True), S(c([[1, 2], [1, 2], [3, 2]]), dim=0)],
       [E(IndexError, "Dimension out of range", t(2), dim=1)], dtypes="fdl", grad=False),
    Op("searchsorted", _search, [S(EDGES, ASK), S(EDGES, ASK, right=True), S(EDGES, ASK, side="right"), S(EDGES, 2), S(EDGES, ASK, out_int32=True, _result=None),
                                 S(c([[1.0, 3.0], [2.0, 5.0]]), ASK), S(c([4.0, 1.0, 2.0]), ASK, sorter=c([1, 2, 0], "int64"))],
       [E(RuntimeError, "torch.searchsorted(): side can only be 'left' or 'right' but got x", EDGES, ASK, side="x"),
        E(RuntimeError, "boundaries tensor should be 1 dimension or the first N-1 dimensions", t(2, 3), t(3, 2))],
       result="int64", grad=False, dtypes="fdl", expand=False, method=False),
    Op("bucketize", lambda v, e, right=False, out_int32=False: _search(e, v, right=right), [S(ASK, EDGES), S(ASK, EDGES, right=True), S(2.0, EDGES, _out=False)],
       [E(RuntimeError, "boundaries tensor must be 1 dimension, but got dim(2)", t(2), t(2, 2))],
       result="int64", grad=False, dtypes="fdl", expand=False),
    Op("bincount", lambda x, weights=None, minlength=0: np.bincount(x, weights, minlength),
       [S(i(9, high=5)), S(i(4, high=3), minlength=6), S(i(4, high=3), t(4, dtype="float64"), _result=None), S(i(0, high=1))],
       [E(RuntimeError, "bincount only supports 1-d non-negative integral inputs.", c([-1], "int64")),
        E(RuntimeError, "weights should be 1-d and have the same length as input", c([1, 2], "int64"), t(3)),
        E(RuntimeError, "minlength should be >= 0", c([1], "int64"), minlength=-1)], dtypes="f", result=None, grad=False),
    Op("histc", _histc, [S(t(20), bins=5), S(t(20), 4, -1, 1), S(t(3, 4), bins=3, min=-2, max=2)],
       [E(RuntimeError, "bins must be > 0", t(3), 0), E(RuntimeError, "max must be larger than min", t(3), 3, 2, 1)],
       dtypes="fd", grad=False),
    Op("isin", lambda e, s, assume_unique=False, invert=False: np.isin(e, s, invert=invert),
       [S(c([[1, 2], [3, 4]]), c([2, 4])), S(c([1, 2]), c([2]), invert=True), S(c([1, 2]), 2), S(2, c([1, 2]))], result="bool",
       grad=False, dtypes="fdl"),
]  # fmt: skip
