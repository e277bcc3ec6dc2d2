"""Samples of pooling."""

from __future__ import annotations

import itertools

import numpy as np

from op_samples.base import FLOATS, E, Op, S, aliases, c, i, t
from op_samples.conv import _many


def _windows(n, kernel, stride, padding, dilation, ceil_mode):
    """The windows of one dimension, as lists of places (outside ones too)."""
    stride = kernel if stride in (None, [], ()) else stride
    room = n + 2 * padding - dilation * (kernel - 1) - 1
    count = (room + (stride - 1 if ceil_mode else 0)) // stride + 1
    if ceil_mode and (count - 1) * stride >= n + padding:
        count -= 1
    return [[o * stride - padding + k * dilation for k in range(kernel)] for o in range(count)]


def _all_windows(x, dims, kernel, stride, padding, dilation, ceil_mode):
    kernel, padding, dilation = _many(kernel, dims), _many(padding, dims), _many(dilation, dims)
    stride = kernel if stride in (None, [], ()) else _many(stride, dims)
    return [_windows(*args, ceil_mode)
            for args in zip(x.shape[-dims:], kernel, stride, padding, dilation)]  # fmt: skip


def _adaptive_windows(x, dims, output_size):
    return [[list(range(o * n // m, -(-(o + 1) * n // m))) for o in range(m)]
            for n, m in zip(x.shape[-dims:], _many(output_size, dims))]  # fmt: skip


def _pool(x, dims, windows, reduce):
    """reduce(values, flat positions, sizes of the whole windows) for every window."""
    lead, sizes = x.shape[:-dims], x.shape[-dims:]
    flat = x.reshape(*lead, int(np.prod(sizes)))
    shape = [len(w) for w in windows]
    out = None
    for at in itertools.product(*map(range, shape)):
        places = [[p for p in w[o] if 0 <= p < n] for w, o, n in zip(windows, at, sizes)]
        index = np.array([np.ravel_multi_index(p, sizes) for p in itertools.product(*places)])
        result = reduce(flat[..., index], index, [w[o] for w, o in zip(windows, at)])
        if out is None:
            out = np.zeros((*lead, *shape), result.dtype)
        out[(..., *at)] = result
    return np.zeros((*lead, *shape)) if out is None else out


def _largest(values, index, _):
    return values.max(axis=-1)


def _where(values, index, _):
    return index[values.argmax(axis=-1)]


def max_pool(dims):
    """Maxima by the definition."""

    def call(x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False,
             return_indices=False):  # fmt: skip
        w = _all_windows(x, dims, kernel_size, stride, padding, dilation, ceil_mode)
        values = _pool(x, dims, w, _largest)
        return (values, _pool(x, dims, w, _where)) if return_indices else values

    return call


def avg_pool(dims):
    """Means by the definition."""

    def call(x, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True,
             divisor_override=None):  # fmt: skip
        w = _all_windows(x, dims, kernel_size, stride, padding, 1, ceil_mode)
        limits = [n + p for n, p in zip(x.shape[-dims:], _many(padding, dims))]

        def mean(values, index, places):
            count = len(index)
            if count_include_pad:
                count = np.prod([sum(k < n for k in p) for p, n in zip(places, limits)])
            total = values.sum(axis=-1) / (divisor_override or count)
            return total if x.dtype.kind == "f" else np.trunc(total)

        return _pool(x, dims, w, mean)

    return call


def _adaptive_avg(dims):
    return lambda x, output_size: _pool(
        x, dims, _adaptive_windows(x, dims, output_size), lambda v, *_: v.mean(axis=-1))  # fmt: skip


def _adaptive_max(dims, both=False):
    def call(x, output_size, return_indices=both):
        w = _adaptive_windows(x, dims, output_size)
        values = _pool(x, dims, w, _largest)
        return (values, _pool(x, dims, w, _where)) if return_indices else values

    return call


def _lp(dims):
    def call(x, norm_type, kernel_size, stride=None, ceil_mode=False):
        total = avg_pool(dims)(x**norm_type, kernel_size, stride, 0, ceil_mode)
        area = np.prod(_many(kernel_size, dims))
        return (np.sign(total) * np.maximum(np.abs(total), 0) * area) ** (1 / norm_type)

    return call


def _unpool(dims):
    def call(x, indices, kernel_size, stride=None, padding=0, output_size=None):
        kernel, padding = _many(kernel_size, dims), _many(padding, dims)
        stride = kernel if stride is None else _many(stride, dims)
        size = [(n - 1) * s + k - 2 * p
                for n, s, k, p in zip(x.shape[-dims:], stride, kernel, padding)]  # fmt: skip
        size = list(output_size)[-dims:] if output_size else size
        lead = x.shape[:-dims]
        out = np.zeros((*lead, int(np.prod(size))))
        np.put_along_axis(out, indices.reshape(*lead, -1), x.reshape(*lead, -1), axis=-1)
        return out.reshape(*lead, *size)

    return call


def _fractional(dims):
    def call(x, kernel_size, output_size=None, output_ratio=None, return_indices=False,
             _random_samples=None):  # fmt: skip
        kernel = _many(kernel_size, dims)
        if output_size is None:
            output_size = [int(n * r) for n, r in zip(x.shape[-dims:], output_ratio)]
        sizes = _many(output_size, dims)
        whole = x if x.ndim == dims + 2 else x[None]
        out, where = [], []
        for n, m in itertools.product(*map(range, whole.shape[:2])):
            u = _random_samples[n, m][:: -1 if dims == 2 else 1]
            windows = []
            for d in range(dims):
                room = whole.shape[2 + d] - kernel[d]
                step = room / (sizes[d] - 1) if sizes[d] > 1 else 0
                starts = [int((o + u[d]) * step) - int(u[d] * step) for o in range(sizes[d] - 1)]
                windows.append([list(range(s, s + kernel[d])) for s in [*starts, room]])
            out.append(_pool(whole[n, m], dims, windows, _largest))
            where.append(_pool(whole[n, m], dims, windows, _where))
        shape = (*x.shape[:-dims], *sizes)
        values = np.stack(out).reshape(shape)
        return (values, np.stack(where).reshape(shape)) if return_indices else values

    return call


# Distinct values: the place of a maximum, and its derivative, must not depend on rounding.
def d(*shape, **more):
    """A tensor without equal elements, whichever the dtype."""
    n = int(np.prod(shape))
    values = np.random.default_rng(n).permutation(n).reshape(shape) - n // 3
    return c(values.astype("f8"), **more)


def _sizes(dims, *n):
    return n[-dims:]


def _max(dims):
    x, y = d(2, 3, *_sizes(dims, 4, 6, 9)), d(2, *_sizes(dims, 5, 7, 12))
    return [S(x, 2), S(x, 3, 2, 1), S(y, kernel_size=2, stride=1, dilation=2, return_indices=True),
            S(y, 3, 2, padding=1, ceil_mode=True), S(y, [2] * dims, [3] * dims),
            S(d(1, 1, *_sizes(dims, 3, 4, 40)), 2, return_indices=True),
            S(t(0, 2, *[4] * dims), 2)]  # fmt: skip


def _avg(dims):
    x, y = t(2, 3, *_sizes(dims, 4, 6, 9)), t(2, *_sizes(dims, 5, 7, 12))
    more = [] if dims == 1 else [S(x, 2, divisor_override=3), S(y, 3, 2, divisor_override=-2)]
    return [S(x, 2), S(x, 3, 2, 1), S(y, 3, 2, padding=1, ceil_mode=True, count_include_pad=False),
            S(y, kernel_size=[2] * dims, stride=[3] * dims), S(y, 3, 1, 1, True), *more,
            S(t(0, 2, *[4] * dims), 2)]  # fmt: skip


def _pool_errors(dims):
    x = t(1, 1, *[4] * dims)
    pad = "pad" if dims > 1 else ""
    return [E(RuntimeError, pad, x, 2, padding=2), E(RuntimeError, pad, x, 2, padding=-1),
            E(RuntimeError, "stride", x, 2, 0), E(RuntimeError, "", x, 5),
            E(RuntimeError, "too large", x, 2, 2**40)]  # fmt: skip


def _ops(dims):
    n = f"{dims}d"
    lead = (1, 2)
    at = {
        1: [[1, 2], [0, 3]],
        2: [[[1, 6], [8, 15]]] * 2,
        3: [[[[3, 6], [9, 13]], [[20, 27], [33, 41]]]] * 2,
    }[dims]
    out = [
        Op(f"nn.max_pool{n}", max_pool(dims), _max(dims),
           [*_pool_errors(dims), E(RuntimeError, "dilation", t(1, 1, *[4] * dims), 2, dilation=0)],
           dtypes=FLOATS if dims == 1 else "fdeglB", second=True, expand=False),
        Op(f"max_pool{n}", max_pool(dims), [s for s in _max(dims) if "return_indices" not in s.kwargs],
           [E(RuntimeError, "stride", t(1, 1, *[4] * dims), 2, 0)], dtypes=FLOATS, expand=False),
        Op(f"nn.avg_pool{n}", avg_pool(dims), _avg(dims), _pool_errors(dims), tol=4),
        Op(f"nn.adaptive_avg_pool{n}", _adaptive_avg(dims),
           [S(t(2, 2, *_sizes(dims, 3, 5, 7)), 2), S(t(2, *[6] * dims), [3] * dims),
            S(t(2, 2, *[4] * dims), 6), S(t(1, 2, *[5] * dims), 1)],
           [E(RuntimeError, "must be greater than or equal to 0", t(1, 1, *[4] * dims), -1)],
           dtypes=FLOATS, tol=4),
        Op(f"nn.adaptive_max_pool{n}", _adaptive_max(dims),
           [S(d(2, 2, *_sizes(dims, 3, 5, 7)), 2), S(d(2, *[6] * dims), [3] * dims),
            S(d(1, 2, *[4] * dims), output_size=3, return_indices=True)],
           [E(RuntimeError, "negative dimension", t(1, 1, *[4] * dims), -1)],
           dtypes=FLOATS, expand=False),
        Op(f"nn.lp_pool{n}", _lp(dims), [S(t(1, 2, *[5] * dims, lo=0.2), 2, 2),
                                         S(t(2, *[6] * dims, lo=0.2), 3.0, 3, 2, True)],
           dtypes=FLOATS, tol=8),
        Op(f"nn.max_unpool{n}", _unpool(dims),
           [S(t(*lead, *[2] * dims), c([at], "int64"), 2),
            S(t(2, *[2] * dims), c(at, "int64"), 2, 2, 0, [5 if dims > 1 else 4] * dims)],
           [E(RuntimeError, "Found an invalid max index: 99", t(1, 1, *[1] * dims),
              c(np.full((1, 1, *[1] * dims), 99), "int64"), 2),
            E(RuntimeError, "Expected shape of indices", t(1, 1, *[2] * dims),
              i(1, 1, *[1] * dims, high=1), 2),
            E(ValueError, "invalid output_size", t(1, 1, *[1] * dims),
              i(1, 1, *[1] * dims, high=1), 2, output_size=[9] * dims)], dtypes=FLOATS),
    ]  # fmt: skip
    if dims > 1:
        u = c(np.array([[[0.3, 0.6, 0.125][:dims], [0.75, 0.0, 0.5][:dims]]]), grad=False)
        out.append(Op(
            f"nn.fractional_max_pool{n}", _fractional(dims),
            [S(d(1, 2, *_sizes(dims, 7, 8, 9)), 2, 4, None, True, u),
             S(d(2, *_sizes(dims, 7, 8, 9)), [3] * dims, None, [0.5] * dims, False, u)],
            [E(RuntimeError, "too large relative to input", t(1, 1, *[4] * dims), 2, 4),
             E(ValueError, "requires specifying either", t(1, 1, *[4] * dims), 2)],
            dtypes="fd", expand=False))  # fmt: skip
    return out


AVG1 = next(op for op in _ops(1) if op.name == "nn.avg_pool1d")
OPS = [
    *_ops(1), *_ops(2), *_ops(3), *aliases(AVG1, "avg_pool1d"),
    Op("max_pool1d_with_indices", lambda *a, **k: max_pool(1)(*a, **k, return_indices=True),
       [S(d(2, 2, 9), 2), S(d(2, 12), 3, [2], 1)], dtypes=FLOATS, expand=False),
    Op("adaptive_avg_pool1d", _adaptive_avg(1), [S(t(2, 2, 7), 3), S(t(2, 6), 3)], dtypes=FLOATS,
       tol=4),
    Op("adaptive_max_pool1d", _adaptive_max(1, True), [S(d(2, 2, 7), 3), S(d(2, 6), 2)],
       dtypes=FLOATS, expand=False),
]  # fmt: skip
