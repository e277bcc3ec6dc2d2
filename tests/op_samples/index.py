"""Samples of reading and writing by index, masks and triangles."""

from __future__ import annotations

import numpy as np

from op_samples.base import EVERY, FLOATS, E, Op, S, b, c, i, t


def _scatter(combine):
    """Writes element by element, in order."""

    def run(x, dim, index, src, reduce=None, alpha=1):
        if x.ndim == 0:
            return _scatter(combine)(x.reshape(1), 0, index.reshape(1), np.reshape(src, -1)).reshape(())
        out = x.copy()
        for place in np.ndindex(index.shape):
            to = list(place)
            to[dim] = index[place]
            value = src[place] if isinstance(src, np.ndarray) else src
            kind = reduce or combine
            old = out[tuple(to)]
            out[tuple(to)] = {"set": value, "add": old + value, "multiply": old * value}[kind]
        return out

    return run


def _gathered(x, dim, index, src, reduce, include_self=True):
    """scatter_reduce: what is sent to each place, then reduced."""
    sent = {}
    for place in np.ndindex(index.shape):
        to = list(place)
        to[dim] = index[place]
        sent.setdefault(tuple(to), []).append(src[place])
    out = x.copy()
    f = {"sum": np.sum, "prod": np.prod, "mean": np.mean, "amax": np.max, "amin": np.min}[reduce]
    for to, values in sent.items():
        out[to] = f([x[to], *values] if include_self else values)
    return out


def _gathered_slices(x, dim, index, source, reduce, include_self=True):
    shape = [-1 if d == dim % x.ndim else 1 for d in range(x.ndim)]
    places = np.broadcast_to(index.reshape(shape), source.shape)
    return _gathered(x, dim % x.ndim, places, source, reduce, include_self)


def _slices(combine):
    """index_add, index_copy, index_fill."""

    def run(x, dim, index, source, alpha=1):
        out = np.moveaxis(np.atleast_1d(x).copy(), dim, 0)
        src = np.moveaxis(np.asarray(source), dim, 0) if np.ndim(source) else source
        for k, to in enumerate(np.atleast_1d(index)):
            value = src if np.ndim(src) == 0 else src[k]
            out[to] = out[to] + alpha * value if combine == "add" else value
        return np.moveaxis(out, 0, dim).reshape(x.shape)

    return run


def _index_put(x, indices, values, accumulate=False):
    out = x.copy()
    place = tuple(indices)
    if accumulate:
        np.add.at(out, place, values)
    else:
        out[place] = values
    return out


def _put(x, index, source, accumulate=False):
    out = x.copy().ravel()
    if accumulate:
        np.add.at(out, index.ravel(), source.ravel())
    else:
        out[index.ravel()] = source.ravel()
    return out.reshape(x.shape)


def _masked_scatter(x, mask, source):
    out, mask = x.copy(), np.broadcast_to(mask, x.shape)
    out[mask] = source.ravel()[: mask.sum()]
    return out


def _masked_select(x, mask):
    x, mask = np.broadcast_arrays(x, mask)
    return x[mask]


def _repeat(x, repeats=None, dim=None, output_size=None):
    if repeats is None:
        return np.repeat(np.arange(len(x)), x)
    return np.repeat(x, repeats, axis=dim)


def _one_hot(x, num_classes=-1):
    return np.eye(int(x.max()) + 1 if num_classes < 0 else num_classes)[x]


def _embedding(x, weight, *_, **__):
    return weight[x]


def _take_along(x, indices, dim=None):
    if dim is None:
        return x.ravel()[indices.ravel()]
    x, indices = _match(x, indices, dim), _match(indices, x, dim)
    return np.take_along_axis(x, indices, dim)


def _match(a, other, dim):
    shape = [n if d == dim else max(n, other.shape[d]) for d, n in enumerate(a.shape)]
    return np.broadcast_to(a, shape)


def _diag(x, diagonal=0):
    return np.diag(x, diagonal)


def _diag_embed(x, offset=0, dim1=-2, dim2=-1):
    n = x.shape[-1] + abs(offset)
    out = np.zeros((*x.shape[:-1], n, n))
    for k in range(x.shape[-1]):
        out[..., k + max(-offset, 0), k + max(offset, 0)] = x[..., k]
    return np.moveaxis(out, (-2, -1), (dim1, dim2))


def _indices(f):
    return lambda row, col, offset=0, **_: np.array(f(row, offset, col))


BOUNDS = "index 5 is out of bounds for dimension 0 with size 3"
COLS = c([[0, 2], [1, 0], [2, 1]], "int64")
UNIQUE = c([2, 0], "int64")
SCATTER_FLAGS = {"dtypes": "fdl", "expand": False}
apart = {"lo": 0.3, "hi": 1.9}

OPS = [
    Op("index_put", _index_put,
       [S(t(3, 4), (c([0, 2], "int64"),), t(4)), S(t(3, 4), (c([0, 2], "int64"), c([1, 3], "int64")), t(2)),
        S(t(4), (c([1, 1], "int64"),), t(2), accumulate=True), S(t(3, 4), (b(3, 4),), t()),
        S(t(3, 4), [c([-1], "int64")], t(1, 4), True)],
       [E(IndexError, BOUNDS, t(3), (c([5], "int64"),), t()),
        E(IndexError, "tensors used as indices must be long, int, byte or bool tensors", t(3),
          (c([0.0], "float32"),), t()),
        E(RuntimeError, "shape mismatch: value tensor of shape [3] cannot be broadcast to indexing "
          "result of shape [2]", t(3), (c([0, 1], "int64"),), t(3)),
        E(IndexError, "too many indices for tensor of dimension 1", t(3),
          (c([0], "int64"), c([0], "int64")), t())], dtypes="fdl"),
    Op("gather", lambda x, dim, index: np.take_along_axis(x, index, dim) if x.ndim else x,
       [S(t(3, 3), 1, COLS), S(t(4, 2), 0, COLS), S(t(), 0, c(0, "int64")), S(t(3, 2), 0, i(0, 2, high=1)),
        S(t(4, 2), -2, c([[3, 0]], "int32"))],
       [E(RuntimeError, "index 5 is out of bounds for dimension 0 with size 3", t(3), 0, c([5], "int64")),
        E(RuntimeError, "index -1 is out of bounds for dimension 0 with size 3", t(3), 0, c([-1], "int64")),
        E(RuntimeError, "gather(): Expected dtype int32/int64 for index", t(3), 0, t(3)),
        E(RuntimeError, "Index tensor must have the same number of dimensions as input tensor", t(3), 0,
          c([[0]], "int64")),
        E(RuntimeError, "Size does not match at dimension 1 expected index [1, 3] to be no larger than "
          "self [2, 2] apart from dimension 0", t(2, 2), 0, i(1, 3, high=2))], dtypes=EVERY),
    Op("scatter", _scatter("set"),
       [S(t(3, 3), 1, COLS, t(3, 3)), S(t(3, 3), 1, COLS, 2), S(t(4, 3), 0, c([[0, 3, 1]], "int64"), t(2, 3)),
        S(t(3, 3), 1, COLS, t(3, 2), reduce="add", _grad=False),
        S(t(3, 3), 1, COLS, 2, reduce="multiply", _grad=False)],
       [E(RuntimeError, "index 5 is out of bounds for dimension 0 with size 3", t(3), 0, c([5], "int64"), t(3)),
        E(RuntimeError, "scatter(): Expected dtype int", t(3), 0, t(3), t(3)),
        E(RuntimeError, "Expected index [4] to be no larger than self [5]", t(5), 0,
          i(4, high=3), t(3)),
        E(RuntimeError, "reduce argument must be either add or multiply", t(3), 0, c([0], "int64"), t(3),
          reduce="x")], **SCATTER_FLAGS),
    Op("scatter_add", _scatter("add"),
       [S(t(3, 3), 1, COLS, t(3, 3)), S(t(3), 0, c([1, 1, 1, 0], "int64"), t(4)),
        S(t(2, 3), 0, i(4, 3, high=2), t(4, 3))],
       [E(RuntimeError, "index 5 is out of bounds for dimension 0 with size 3", t(3), 0, c([5], "int64"), t(3)),
        E(RuntimeError, "scatter(): Expected self.dtype to be equal to src.dtype", t(3), 0,
          c([0], "int64"), c([1.0], "float64"))], **SCATTER_FLAGS),
    Op("index_select", lambda x, dim, index: np.take(x, np.atleast_1d(index), axis=dim),
       [S(t(3, 4), 0, UNIQUE), S(t(3, 4), 1, c([3, 3, 0], "int64")), S(t(3), 0, c(1, "int64")),
        S(t(3, 4), -1, c([0, 1], "int32")), S(t(3, 4), 0, i(0, high=1))],
       [E(IndexError, "index out of range in self", t(3), 0, c([5], "int64")),
        E(IndexError, "index_select(): Index is supposed to be a vector", t(3), 0, c([[0]], "int64")),
        E(RuntimeError, "index_select(): Expected dtype int32 or int64 for index", t(3), 0, c([0.0], "float32"))],
       dtypes=EVERY),
    Op("index_add", _slices("add"),
       [S(t(3, 4), 0, c([0, 2, 0], "int64"), t(3, 4)), S(t(3, 4), 1, UNIQUE, t(3, 2), alpha=2)],
       [E((IndexError, RuntimeError), "out of", t(3), 0, c([5], "int64"), t(1)),
        E((RuntimeError, IndexError), "Number of indices (2) should be equal to source.size(dim): (1)", t(3), 0,
          c([0, 1], "int64"), t(1)),
        E(RuntimeError, "self (Float) and source (Double) must have the same scalar type", t(3), 0,
          c([0], "int64"), c([1.0], "float64"))], dtypes="fdl"),
    Op("index_copy", _slices("set"), [S(t(3, 4), 0, UNIQUE, t(2, 4)), S(t(3, 4), 1, UNIQUE, t(3, 2))],
       [E(IndexError, "5", t(3), 0, c([5], "int64"), t(1)),
        E((RuntimeError, IndexError), "Number of indices (2) should be equal to source.size(dim) (1)", t(3), 0,
          c([0, 1], "int64"), t(1))], dtypes="fdl"),
    Op("index_fill", _slices("set"), [S(t(3, 4), 0, UNIQUE, 2), S(t(3, 4), 1, UNIQUE, t())],
       [E(IndexError, "out of", t(3), 0, c([5], "int64"), 1.0),
        E(RuntimeError, "index_fill_ only supports a 0-dimensional value tensor", t(3), 0, c([0], "int64"),
          t(2))], dtypes="fdl"),
    Op("take", lambda x, index: x.ravel()[index], [S(t(3, 4), c([0, -1, 5], "int64")), S(t(3, 4), COLS)],
       [E(IndexError, "out of range", t(3), c([5], "int64")),
        E(RuntimeError, "take(): Expected a long tensor for index, but got Float", t(3), t(1))], dtypes=EVERY),
    Op("put", _put, [S(t(3, 4), c([0, -1], "int64"), t(2)), S(t(3), c([1, 1], "int64"), t(2), accumulate=True)],
       [E(IndexError, "out of range", t(3), c([5], "int64"), t(1)),
        E(RuntimeError, "put_(): Expected a long tensor for index, but got Float", t(3), t(1), t(1))], dtypes="fdl"),
    Op("take_along_dim", _take_along, [S(t(3, 3), COLS, 1), S(t(3, 3), c([[0, 2, 1]], "int64"), dim=0),
                                       S(t(3, 3), c([4, 0], "int64"), _variants=False)],
       [E(RuntimeError, "", t(3), c([0.5], "float32"), 0)], dtypes=EVERY),
    Op("nonzero", lambda x: np.argwhere(x), [S(c([[0, 3, 0], [1, 0, 2]])), S(c(1.0)), S(c([0.0, 0.0]))],
       dtypes=EVERY, result="int64", grad=False),
    Op("argwhere", lambda x: np.argwhere(x), [S(c([[0, 3, 0], [1, 0, 2]])), S(c([0.0, 0.0]))], dtypes=EVERY,
       result="int64", grad=False),
    Op("masked_select", _masked_select, [S(t(3, 4), b(3, 4)), S(t(3, 1), b(4)), S(t(), b(2))],
       [E(RuntimeError, "masked_select: expected BoolTensor for mask", t(3), c([1, 0, 1], "int64")),
        E(RuntimeError, "must match", t(3), b(4))], dtypes=EVERY),
    Op("scatter_reduce", _gathered,
       [*[S(t(3, 4), 1, i(3, 5, high=4), t(3, 5, **apart), how, include_self=self)
          for how in ("sum", "prod", "mean", "amax", "amin") for self in (True, False)],
        S(t(4, 2), 0, i(2, 2, high=4), t(5, 3), "amax")],
       [E(RuntimeError, "reduce argument must be either sum, prod, mean, amax or amin, got add", t(3), 0, i(3, high=3), t(3), "add"),
        E(RuntimeError, "index 5 is out of bounds for dimension 0 with size 3", t(3), 0, c([5], "int64"), t(1), "sum")],
       dtypes="fd", tol=2, expand=False),
    Op("index_reduce", _gathered_slices,
       [*[S(t(3, 4), 1, i(5, high=4), t(3, 5, **apart), how, include_self=self)
          for how in ("prod", "mean", "amax", "amin") for self in (True, False)]],
       [E(RuntimeError, "Expected reduce to be one of prod, mean, amax or amin but got sum.", t(3), 0, i(3, high=3), t(3), "sum"),
        E(IndexError, "index out of range in self", t(3), 0, c([5], "int64"), t(1), "amax"),
        E(RuntimeError, "Number of indices (2) should be equal to source.size(dim): (3)", t(3), 0, i(2, high=3), t(3), "prod")],
       dtypes="fd", tol=2, expand=False),
    Op("masked_scatter", _masked_scatter, [S(t(3, 4), b(3, 4), t(12)), S(t(3, 4), b(4), t(3, 4))],
       [E(RuntimeError, "masked_scatter_ only supports boolean masks", t(3), c([1, 0, 1], "int64"), t(3)),
        E(RuntimeError, "", t(3), c([True, True, True], "bool"), t(1))], dtypes="fdl", expand=False),
    Op("repeat_interleave", _repeat,
       [S(t(3), 2), S(t(2, 3), 2, dim=1), S(t(2, 3), c([1, 2], "int64"), dim=0), S(c([2, 0, 3], "int64"), _dtypes="f", _result="int64", _method=False),
        S(t(2, 3), 0)],
       [E(RuntimeError, "epeats must be non-negative", t(3), -1),
        E(RuntimeError, "", t(3), c([1, -1, 2], "int64")),
        E(RuntimeError, "repeats must have the same size as input along dim", t(3), c([1, 2], "int64"), 0)],
       dtypes=EVERY),
    Op("nn.one_hot", _one_hot, [S(c([0, 2, 1], "int64")), S(c([[0, 1]], "int64"), 4)],
       [E(RuntimeError, "Class values must be smaller than num_classes.", c([3], "int64"), 2),
        E(RuntimeError, "Class values must be non-negative.", c([-1], "int64"), 2),
        E(RuntimeError, "one_hot is only applicable to index tensor", t(2), 2)],
       dtypes="f", result="int64", grad=False),
    Op("embedding", lambda w, x, **_: w[x], [S(t(4, 3), c([0, 2, 2], "int64")), S(t(4, 3), COLS)],
       [E(IndexError, "index out of range in self", t(4, 3), c([4], "int64")),
        E(RuntimeError, "'weight' must be 2-D", t(4), c([0], "int64"))], dtypes=FLOATS),
    Op("nn.embedding", _embedding,
       [S(c([0, 2, 2], "int64"), t(4, 3)), S(COLS, t(4, 3), scale_grad_by_freq=False)],
       [E(IndexError, "index out of range in self", c([4], "int64"), t(4, 3)),
        E((AssertionError, ValueError), "Padding_idx must be within num_embeddings", c([0], "int64"), t(4, 3), padding_idx=9)],
       dtypes=FLOATS),
    Op("tril", np.tril, [S(t(3, 4)), S(t(3, 4), 1), S(t(2, 3, 3), -1)],
       [E(RuntimeError, "tril: input tensor must have at least 2 dimensions", t(3))], dtypes=EVERY),
    Op("triu", np.triu, [S(t(3, 4)), S(t(3, 4), 1), S(t(2, 3, 3), -1)],
       [E(RuntimeError, "triu: input tensor must have at least 2 dimensions", t(3))], dtypes=EVERY),
    Op("tril_indices", _indices(np.tril_indices), [S(3, 4), S(3, 2, 1), S(3, 3, -1)],
       [E(RuntimeError, "row must be non-negative, got", -1, 2)], dtypes="f", result="int64", grad=False),
    Op("triu_indices", _indices(np.triu_indices), [S(3, 4), S(3, 2, 1), S(3, 3, -1)],
       [E(RuntimeError, "col must be non-negative, got", 1, -1)], dtypes="f", result="int64", grad=False),
    Op("diag", _diag, [S(t(3, 4)), S(t(3, 4), -1), S(t(3)), S(t(3), 1)],
       [E(RuntimeError, "1", t(2, 2, 2))], dtypes=EVERY),
    Op("diag_embed", _diag_embed, [S(t(3)), S(t(2, 3), 1), S(t(2, 3), -1, 0, 2)], dtypes=EVERY),
    Op("trace", np.trace, [S(t(3, 4)), S(t(3, 3))], [E(RuntimeError, "trace: expected a matrix", t(3))],
       result="sum", dtypes="fdl"),
]  # fmt: skip
