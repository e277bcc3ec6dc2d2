"""Samples of views and rearrangements."""

from __future__ import annotations

import d2lcore as torch
import numpy as np

from op_samples.base import EVERY, E, Op, S, aliases, c, t

RANGE = "Dimension out of range (expected to be in range of [-2, 1], but got 2)"


def _shape_args(*size):
    return size[0] if size and isinstance(size[0], (list, tuple)) else size


def _view(x, *size, **k):
    size = k.get("size", size)
    if size and isinstance(size[0], torch.dtype):
        return x
    return x.reshape(_shape_args(*size))


def _expand(x, *size, **_):
    size = list(_shape_args(*size))
    shape = [1] * (len(size) - x.ndim) + list(x.shape)
    return np.broadcast_to(x, [a if n == -1 else n for n, a in zip(size, shape)])


def _flatten(x, start_dim=0, end_dim=-1):
    if x.ndim == 0:
        return x.reshape(1)
    end = end_dim % x.ndim
    return x.reshape(x.shape[:start_dim] + (-1,) + x.shape[end + 1 :])


def _squeeze(x, dim=None):
    dims = range(x.ndim) if dim is None else dim if isinstance(dim, (tuple, list)) else [dim]
    gone = {d % x.ndim for d in dims} if x.ndim else set()
    return x.reshape([n for d, n in enumerate(x.shape) if not (d in gone and n == 1)])


def _narrow(x, dim, start, length):
    start = int(start)
    start = start + x.shape[dim] if start < 0 else start
    return np.take(x, range(start, start + length), axis=dim)


def _strided(x, size, stride, storage_offset=0):
    flat, places = x.ravel(), np.full(size, storage_offset)
    for d, (n, s) in enumerate(zip(size, stride)):
        places = places + np.arange(n).reshape([-1 if k == d else 1 for k in range(len(size))]) * s
    return flat[places]


def _unfold(x, dimension, size, step):
    return np.lib.stride_tricks.sliding_window_view(x, size, axis=dimension)[
        tuple(slice(None, None, step) if d == dimension % x.ndim else slice(None) for d in range(x.ndim))
    ]


def _split(x, size, dim=0):
    cuts = np.cumsum(size)[:-1] if isinstance(size, (list, tuple)) else range(size, max(x.shape[dim], 1), size)
    return np.split(x, list(cuts), axis=dim)


def _chunk(x, chunks, dim=0):
    return _split(x, max(1, -(-x.shape[dim] // chunks)), dim)


def _tensor_split(x, at, dim=0):
    if isinstance(at, np.ndarray):
        at = at.tolist()
    return np.array_split(x, at, axis=dim)


def _roll(x, shifts, dims=()):
    return np.roll(x, shifts, dims if isinstance(dims, int) or len(dims) else None)


def _sum_to(x, *size):
    size = _shape_args(*size)
    lead = x.ndim - len(size)
    out = x.sum(axis=tuple(range(lead)))
    return out.sum(axis=tuple(d for d, n in enumerate(size) if n == 1), keepdims=True)


def _movedim(x, source, destination):
    return np.moveaxis(x, source, destination)


def _atleast(f):
    return lambda *x: f(*x) if len(x) > 1 else f(x[0])


def _view_op(name, ref, samples, errors=(), **more):
    return Op(name, ref, samples, errors, **{"dtypes": EVERY, "view": True, **more})


OUT_OF_RANGE = [E(IndexError, RANGE, t(2, 3), 0, 2)]
SWAP = [S(t(3, 4), 0, 1), S(t(2, 3, 4), -1, 0), S(t(), 0, -1)]
MOVE = [S(t(2, 3, 4), 0, 2), S(t(2, 3, 4), (0, 1), (1, -1)), S(t(2, 3), -1, 0)]
SPLIT_ERRORS = [E(RuntimeError, "split_with_sizes expects split_sizes to sum exactly to 5 (input "
                    "tensor's size at dimension 0), but got split_sizes=[2, 2]", t(5), [2, 2])]
TRANSPOSE = _view_op("transpose", np.swapaxes, SWAP[:2], OUT_OF_RANGE)
TRANSPOSE_ = _view_op("transpose_", np.swapaxes, SWAP[:2], OUT_OF_RANGE, view=False, method=False,
                      variants=False)
MOVEDIM = _view_op("movedim", _movedim, MOVE,
                   [E(IndexError, "Dimension out of range", t(2), 1, 0),
                    E(RuntimeError, "repeated dim", t(2, 3), (0, 0), (0, 1))])

OPS = [
    _view_op("view", _view, [S(t(3, 4), 12), S(t(3, 4), (2, 6)), S(t(3, 4), 2, -1), S(t(), 1),
                             S(t(4), torch.float32, _dtypes="f"), S(t(0, 3), 3, 0)],
             [E(RuntimeError, "shape '[5]' is invalid for input of size 12", t(3, 4), 5),
              E(RuntimeError, "only one dimension can be inferred", t(3, 4), -1, -1)],
             variants=False),
    _view_op("view_as", lambda x, y: x.reshape(y.shape), [S(t(3, 4), c(np.zeros((2, 6)), grad=False))],
             [E(RuntimeError, "shape '[5]' is invalid for input of size 12", t(3, 4), t(5))],
             variants=False),
    Op("reshape", _view, [S(t(3, 4), (2, 6)), S(t(3, 4), (-1,)), S(t(2, 0), (0, 5)), S(t(1), ())],
       [E(RuntimeError, "shape '[5]' is invalid for input of size 12", t(3, 4), (5,)),
        E(RuntimeError, "shape '[-1, 5]' is invalid for input of size 12", t(3, 4), (-1, 5)),
        E(RuntimeError, "invalid shape dimension -2", t(3, 4), (-2,)),
        E(RuntimeError, "cannot reshape tensor of 0 elements into shape [-1, 0]", t(0), (-1, 0)),
        E(TypeError, "must be tuple of ints", t(2), (1.5,))], dtypes=EVERY),
    Op("reshape_as", lambda x, y: x.reshape(y.shape), [S(t(3, 4), c(np.zeros((2, 6)), grad=False))],
       dtypes=EVERY),
    Op("flatten", _flatten, [S(t(2, 3, 4)), S(t(2, 3, 4), 1), S(t(2, 3, 4), 0, 1), S(t())],
       [E(RuntimeError, "flatten() has invalid args: start_dim cannot come after end_dim",
          t(2, 3), 1, 0)], dtypes=EVERY),
    Op("unflatten", lambda x, dim, sizes: x.reshape(
        x.shape[:dim % x.ndim] + tuple(sizes) + x.shape[dim % x.ndim + 1:]),
       [S(t(2, 6), 1, (2, 3)), S(t(6, 2), 0, (-1, 2)), S(t(2, 6), -1, [3, 2])],
       [E(RuntimeError, "unflatten: Provided sizes [2, 2] don't multiply up to the size of dim 1 (6) "
          "in the input tensor", t(2, 6), 1, (2, 2))], dtypes=EVERY),
    Op("ravel", np.ravel, [S(t(2, 3)), S(t())], dtypes=EVERY),
    TRANSPOSE, *aliases(TRANSPOSE, "swapaxes", "swapdims"),
    TRANSPOSE_, *aliases(TRANSPOSE_, "swapaxes_", "swapdims_"),
    _view_op("t", np.transpose, [S(t(3, 4)), S(t(3)), S(t())],
             [E(RuntimeError, "t() expects a tensor with <= 2 dimensions, but self is 3D",
                t(2, 2, 2))]),
    _view_op("t_", np.transpose, [S(t(3, 4)), S(t(3))],
             [E(RuntimeError, "expects a tensor with <= 2 dimensions, but self is 3D", t(2, 2, 2))],
             view=False, method=False, variants=False),
    _view_op("adjoint", lambda x: np.swapaxes(x, -1, -2), [S(t(3, 4)), S(t(2, 3, 4))],
             [E(RuntimeError, "adjoint", t(3))]),
    _view_op("permute", lambda x, *d: np.transpose(x, _shape_args(*d)),
             [S(t(2, 3, 4), (2, 0, 1)), S(t(2, 3), (-1, 0)), S(t(), ())],
             [E(RuntimeError, "permute(sparse_coo): number of dimensions in the tensor input does not "
                "match the length of the desired ordering of dimensions i.e. input.dim() = 2 is not "
                "equal to len(dims) = 1", t(2, 3), (0,)),
              E(RuntimeError, "permute(): duplicate dims are not allowed.", t(2, 3), (0, 0)),
              E(IndexError, RANGE, t(2, 3), (0, 2))]),
    MOVEDIM, *aliases(MOVEDIM, "moveaxis"),
    _view_op("expand", _expand, [S(t(3, 1), 3, 4), S(t(3), (2, 3)), S(t(1, 3), -1, 3), S(t(), 2)],
             [E(RuntimeError, "The expanded size of the tensor (5) must match the existing size (3) "
                "at non-singleton dimension 0.  Target sizes: [5].  Tensor sizes: [3]", t(3), 5),
              E(RuntimeError, "the number of sizes provided (1) must be greater or equal to the "
                "number of dimensions in the tensor (2)", t(2, 3), 3)]),
    _view_op("expand_as", lambda x, y: np.broadcast_to(x, y.shape),
             [S(t(3, 1), c(np.zeros((3, 4)), grad=False))]),
    _view_op("broadcast_to", _expand, [S(t(3, 1), (3, 4)), S(t(), (2, 2))],
             [E(RuntimeError, "The expanded size of the tensor (5) must match", t(3), (5,))]),
    Op("sum_to_size", _sum_to, [S(t(3, 4), 1, 4), S(t(2, 3, 4), (3, 1)), S(t(3), 3)],
       [E(RuntimeError, "size {[5]} is not expandable to size {[3]}", t(3), 5)], dtypes="fdegl"),
    _view_op("squeeze", _squeeze, [S(t(1, 3, 1)), S(t(1, 3, 1), 0), S(t(1, 3, 1), 1),
                                   S(t(1, 3, 1), (0, 2)), S(t()), S(t(1, 3), dim=-2)],
             [E(IndexError, "Dimension out of range", t(2), 1)]),
    _view_op("squeeze_", _squeeze, [S(t(1, 3, 1)), S(t(1, 3, 1), 0), S(t(1, 3, 1), (0, 2))],
             view=False, method=False, variants=False),
    _view_op("unsqueeze", np.expand_dims, [S(t(3), 0), S(t(2, 3), -1), S(t(), 0)],
             [E(IndexError, "Dimension out of range (expected to be in range of [-2, 1], but got 2)",
                t(3), 2)]),
    _view_op("unsqueeze_", np.expand_dims, [S(t(3), 0), S(t(2, 3), -1)], view=False, method=False,
             variants=False),
    _view_op("narrow", _narrow, [S(t(3, 4), 0, 1, 2), S(t(3, 4), 1, -2, 2),
                                 S(t(3, 4), 1, c(1, "int64"), 2), S(t(3), 0, 3, 0)],
             [E(RuntimeError, "start (2) + length (2) exceeds dimension size (3).", t(3), 0, 2, 2),
              E(RuntimeError, "narrow(): length must be non-negative.", t(3), 0, 0, -1),
              E(IndexError, "start out of range (expected to be in range of [-3, 3], but got 4)",
                t(3), 0, 4, 0)]),
    Op("narrow_copy", _narrow, [S(t(3, 4), 0, 1, 2), S(t(3, 4), 1, -2, 2)],
       [E(RuntimeError, "exceeds dimension size (3).", t(3), 0, 2, 2)], dtypes=EVERY),
    _view_op("select", lambda x, dim, index: np.take(x, index, axis=dim),
             [S(t(3, 4), 0, 1), S(t(3, 4), -1, -2)],
             [E(IndexError, "select(): index 3 out of range for tensor of size [3, 4] at dimension 0",
                t(3, 4), 0, 3),
              E(IndexError, "select() cannot be applied to a 0-dim tensor", t(), 0, 0)]),
    _view_op("diagonal", lambda x, offset=0, dim1=0, dim2=1: np.diagonal(x, offset, dim1, dim2),
             [S(t(3, 4)), S(t(3, 4), 1), S(t(3, 4), -2), S(t(2, 3, 4), 1, 2, 0), S(t(2, 3), 5)],
             [E(RuntimeError, "diagonal dimensions cannot be identical", t(2, 3), 0, 1, 1)],
             view=False),
    _view_op("atleast_1d", _atleast(np.atleast_1d), view=False, samples=[S(t()), S(t(2, 3)), S((t(), t(2)), _ref=lambda x: np.atleast_1d(*x))]),
    _view_op("atleast_2d", _atleast(np.atleast_2d), view=False, samples=[S(t()), S(t(3)), S((t(), t(2)), _ref=lambda x: np.atleast_2d(*x))]),
    _view_op("atleast_3d", _atleast(np.atleast_3d), view=False, samples=[S(t()), S(t(3)), S(t(2, 3)),
                                                     S((t(), t(2)), _ref=lambda x: np.atleast_3d(*x))]),
    _view_op("unbind", lambda x, dim=0: list(np.moveaxis(x, dim, 0)), [S(t(3, 2)), S(t(3, 2), 1)],
             [E(IndexError, RANGE, t(2, 3), 2)]),
    _view_op("split", _split, [S(t(5, 2), 2), S(t(5, 2), [1, 4]), S(t(2, 6), 4, dim=1),
                               S(t(2, 3), [2, 1], -1)],
             [*SPLIT_ERRORS, E(RuntimeError, "split expects split_size be non-negative, but got "
                               "split_size=-1", t(5), -1)]),
    _view_op("split_with_sizes", _split, [S(t(5, 2), [1, 4]), S(t(2, 3), [2, 1], -1)], SPLIT_ERRORS),
    _view_op("chunk", _chunk, [S(t(5, 2), 2), S(t(2, 6), 4, dim=1), S(t(2), 5)],
             [E(RuntimeError, "chunk expects `chunks` to be greater than 0, got: 0", t(5), 0)]),
    _view_op("tensor_split", _tensor_split,
             [S(t(5, 2), 2), S(t(5, 2), (1, 3)), S(t(2, 5), c([1, 2], "int64"), 1), S(t(5), c(2, "int64"))],
             [E(RuntimeError, "number of sections must be larger than 0, got 0", t(5), 0)]),
    _view_op("hsplit", np.hsplit, [S(t(2, 4), 2), S(t(4), 2), S(t(2, 4), (1, 3))],
             [E(RuntimeError, "torch.hsplit requires a tensor with at least 1 dimension", t(), 1)]),
    _view_op("vsplit", np.vsplit, [S(t(4, 2), 2), S(t(4, 2), (1, 3))],
             [E(RuntimeError, "torch.vsplit requires a tensor with at least 2 dimension", t(4), 2)]),
    _view_op("dsplit", np.dsplit, [S(t(2, 2, 4), 2), S(t(2, 2, 4), (1, 3))],
             [E(RuntimeError, "torch.dsplit requires a tensor with at least 3 dimension", t(4, 4), 2)]),
    _view_op("broadcast_tensors", np.broadcast_arrays, [S(t(3, 1), t(4)), S(t(), t(2, 2))],
             [E(RuntimeError, "must match", t(3), t(4))], view=False),
    _view_op("as_strided", _strided, [S(t(12), (2, 3), (1, 2)), S(t(12), (3,), (4,), 1), S(t(4), (2, 2), (0, 1)),
                                      S(t(6), (3, 3), (1, 1), storage_offset=1)],
             [E(RuntimeError, "setStorage: sizes [3], strides [5], storage offset 0", t(8), (3,), (5,)),
              E(RuntimeError, "mismatch in length of strides and shape", t(8), (3,), (1, 1)),
              E(RuntimeError, "Tensor: invalid storage offset -1", t(8), (3,), (1,), -1),
              E(RuntimeError, "as_strided: Negative strides are not supported at the moment", t(8),
                (3,), (-1,))], variants=False),
    _view_op("as_strided_", _strided, [S(t(12), (2, 3), (1, 2)), S(t(12), (3,), (4,), 1)],
             [E(RuntimeError, "out of bounds", t(8), (3,), (5,))], view=False, grad=False, method=False,
             variants=False),
    _view_op("unfold", _unfold, [S(t(7), 0, 3, 2), S(t(3, 5), 1, 2, 1), S(t(3, 5), -1, 5, 1)],
             [E(RuntimeError, "maximum size for tensor at dimension 0 is 3 but size is 4", t(3), 0, 4, 1),
              E(RuntimeError, "step is 0 but must be > 0", t(3), 0, 1, 0)]),
    Op("flip", lambda x, dims: np.flip(x, dims), [S(t(3, 4), (0,)), S(t(3, 4), [0, 1]), S(t(3), 0), S(t(), ())],
       [E(IndexError, RANGE, t(2, 3), (2,)),
        E(RuntimeError, "dim 0 appears multiple times in the list of dims", t(2, 3), (0, 0))],
       dtypes=EVERY),
    Op("fliplr", np.fliplr, [S(t(3, 4))], [E(RuntimeError, "Input must be >= 2-d.", t(3))], dtypes=EVERY),
    Op("flipud", np.flipud, [S(t(3, 4)), S(t(3))], [E(RuntimeError, "Input must be >= 1-d.", t())],
       dtypes=EVERY),
    Op("roll", _roll, [S(t(3, 4), 1), S(t(3, 4), 2, 0), S(t(3, 4), (1, -1), (0, 1)), S(t(3, 4), -5, 1)],
       [E(RuntimeError, "shifts and dimensions must align. shifts: 2, dims:1", t(3, 4), (1, 2), (0,))],
       dtypes=EVERY),
    Op("repeat", lambda x, *n: np.tile(x, _shape_args(*n)), [S(t(3), 2), S(t(2, 3), (2, 1, 2)), S(t(2), 0)],
       [E(RuntimeError, "Number of dimensions of repeat dims can not be smaller than number of "
          "dimensions of tensor", t(2, 3), 2)], dtypes=EVERY),
    Op("tile", lambda x, *n: np.tile(x, _shape_args(*n)), [S(t(3), (2,)), S(t(2, 3), (2,)), S(t(2), (2, 2))],
       dtypes=EVERY),
]  # fmt: skip
