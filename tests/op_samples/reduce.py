"""Samples of reductions: sums, means, products, extremes, moments, logical ones."""

from __future__ import annotations

import d2lcore as torch
import numpy as np

from op_samples.base import EVERY, FLOATS, E, Op, S, along, c, t

RANGE = E(IndexError, "Dimension out of range (expected to be in range of [-2, 1], but got 2)", t(2, 3), 2)
TWICE = E(RuntimeError, "dim 0 appears multiple times in the list of dims", t(2, 3), (0, 0))
DIMS = [S(t(3, 4)), S(t(3, 4), 1), S(t(3, 4), dim=0, keepdim=True), S(t(2, 3, 4), (0, -1)), S(t())]
# Lengths around vector widths, a long row and a long column.
LONG = [S(t(7, 33), 1, _grad=False), S(t(33, 7), 0, _grad=False), S(t(1000), _grad=False, _dtypes="fd")]
EMPTY = [S(t(0, 3), 0), S(t(0, 3), 1), S(t(0))]
NANS = c([[1.0, np.nan, 2.0], [np.nan, 3.0, -1.0]])


def _places(f, best):
    """Values and places along one dimension, or the value alone."""

    def call(x, dim=None, keepdim=False):
        if isinstance(dim, np.ndarray):
            return {"max": np.maximum, "min": np.minimum}[best](x, dim)
        if dim is None:
            return f(x)
        if x.ndim == 0:
            return x, np.zeros((), int)
        at = (np.argmax if best == "max" else np.argmin)(x, axis=dim)
        keep = np.expand_dims(at, dim)
        values = np.take_along_axis(x, keep, dim)
        return (values, keep) if keepdim else (values.squeeze(dim), at)

    return call


def _arg(f):
    def call(x, dim=None, keepdim=False):
        return f(x, axis=dim, keepdims=keepdim) if x.ndim else np.zeros((), int)

    return call


def _moment(f):
    def call(x, dim=None, unbiased=True, keepdim=False, correction=None):
        if isinstance(dim, bool):
            dim, unbiased = None, dim
        ddof = (1 if unbiased else 0) if correction is None else correction
        axis = tuple(dim) or None if isinstance(dim, (list, tuple)) else dim
        return f(x, axis=axis, ddof=ddof, keepdims=keepdim)

    return call


def _both(f):
    def call(x, *args, **kwargs):
        mean = dict(dim=kwargs.get("dim"), keepdim=kwargs.get("keepdim", False))
        if args and not isinstance(args[0], bool):
            mean["dim"] = args[0]
            mean["keepdim"] = args[2] if len(args) > 2 else mean["keepdim"]
        return _moment(f)(x, *args, **kwargs), along(np.mean)(x, **mean)

    return call


def _aminmax(x, *, dim=None, keepdim=False):
    return x.min(axis=dim, keepdims=keepdim), x.max(axis=dim, keepdims=keepdim)


def logsumexp(x, dim, keepdim=False):
    """Without overflow."""
    axis = tuple(dim) if isinstance(dim, (list, tuple)) else dim
    if x.ndim == 0:
        return x
    top = np.max(x, axis=axis, keepdims=True, initial=-1e300)
    out = np.log(np.sum(np.exp(x - top), axis=axis, keepdims=True)) + top
    return out if keepdim else np.squeeze(out, axis=axis)


MOMENTS = [S(t(3, 4)), S(t(3, 4), 1), S(t(3, 4), False), S(t(3, 4), 0, False), S(t(3, 4), dim=(0, 1), keepdim=True),
           S(t(3, 4), 1, correction=0), S(t(5), correction=2), S(t(2, 3, 4), (0, 2), True, True)]
OPS = [
    Op("sum", along(np.sum), [*DIMS, *LONG, *EMPTY, S(t(3), dtype=torch.float64, _result=None), S(t(2, 3), axis=1, keepdims=True,
       _ref=lambda x, axis, keepdims: np.sum(x, axis=axis, keepdims=keepdims)), S(t(2, 3), ()), S(t(2, 3), None)],
       [RANGE, TWICE], result="sum", dtypes=EVERY, tol=10),
    Op("mean", along(np.mean), [*DIMS, *LONG[:2], S(t(0, 3), 1), S(t(3), dtype=torch.float64, _result=None)],
       [RANGE, TWICE, E(RuntimeError, "mean(): could not infer output dtype. Input dtype must be either a floating point or "
                        "complex dtype. Got: Long", c([1, 2], "int64"))], dtypes=FLOATS, tol=10),
    Op("nansum", along(np.nansum), [*DIMS, S(NANS, _dtypes=FLOATS, _grad=False), S(NANS, 1, _dtypes=FLOATS, _grad=False)],
       [RANGE], result="sum", dtypes="fdegl", tol=10),
    Op("nanmean", along(np.nanmean), [*DIMS, S(NANS, _grad=False), S(NANS, 1, _grad=False)], [RANGE], dtypes=FLOATS, tol=10),
    Op("prod", along(np.prod), [S(t(3, 4)), S(t(3, 4), 1), S(t(3, 4), dim=0, keepdim=True), S(t()), *EMPTY,
                                S(c([2.0, 0.0, 3.0])), S(c([[0.0, 0.0, 3.0], [1.0, 0.0, 2.0]]), 1)], [RANGE],
       result="sum", dtypes="fdl", tol=10),
    Op("any", along(np.any), [S(c([[0, 0], [1, 0]])), S(c([[0, 0], [1, 0]]), 1), S(c([[0, 0], [1, 0]]), (0, 1), True), *EMPTY],
       [RANGE], result="bool", dtypes=EVERY, grad=False),
    Op("all", along(np.all), [S(c([[2, 0], [1, 1]])), S(c([[2, 0], [1, 1]]), 1), S(c([[2, 0], [1, 1]]), (0, 1), True), *EMPTY],
       [RANGE], result="bool", dtypes=EVERY, grad=False),
    Op("count_nonzero", lambda x, dim=None: np.array(np.count_nonzero(x, axis=dim)),
       [S(c([[2, 0], [1, 1]])), S(c([[2, 0], [1, 1]]), 1), S(c([[2, 0], [1, 1]]), (0, 1))], [RANGE], result="int64",
       dtypes=EVERY, grad=False),
    Op("amax", along(np.max), [*DIMS, *LONG[:2]], [RANGE, E(IndexError, "amax(): Expected reduction dim 0 to have non-zero size.", t(0, 3), 0),
       E(RuntimeError, "amax(): Expected reduction dim to be specified for input.numel() == 0.", t(0))],
       dtypes="fdegl?"),
    Op("amin", along(np.min), [*DIMS, *LONG[:2]], [RANGE, E(IndexError, "amin(): Expected reduction dim 0 to have non-zero size.", t(0, 3), 0)],
       dtypes="fdegl?"),
    Op("max", _places(np.max, "max"), [S(t(3, 4)), S(t(3, 4), 1), S(t(3, 4), dim=0, keepdim=True), S(t(3, 4), t(4)), S(t(), 0)],
       [RANGE, E(RuntimeError, "max(): Expected reduction dim", t(0)),
        E(IndexError, "max(): Expected reduction dim 0 to have non-zero size.", t(0, 3), 0)], expand=False),
    Op("min", _places(np.min, "min"), [S(t(3, 4)), S(t(3, 4), 1), S(t(3, 4), dim=0, keepdim=True), S(t(3, 4), t(4)), S(t(), 0)],
       [RANGE, E(RuntimeError, "min(): Expected reduction dim", t(0))], expand=False),
    Op("argmax", _arg(np.argmax), [S(t(3, 4)), S(t(3, 4), 1), S(t(3, 4), 0, True), S(t(), 0), S(c([1, 3, 3, 2])), S(t(5, 40), 1, _dtypes="fd")],
       [RANGE, E(IndexError, "argmax(): Expected reduction dim", t(0))], result="int64", grad=False, dtypes="fdeg"),
    Op("argmin", _arg(np.argmin), [S(t(3, 4)), S(t(3, 4), 1), S(t(3, 4), 0, True), S(c([3, 1, 1, 2])), S(t(40, 5), 0, _dtypes="fd")],
       [RANGE, E(IndexError, "argmin(): Expected reduction dim", t(0))], result="int64", grad=False, dtypes="fdeg"),
    Op("aminmax", _aminmax, [S(t(3, 4)), S(t(3, 4), dim=1), S(t(3, 4), dim=0, keepdim=True)],
       [E(RuntimeError, "aminmax(): cannot compute aminmax over an empty dimension as the operation has no identity.", t(0))],
       dtypes="fdl"),
    Op("var", _moment(np.var), MOMENTS, [RANGE, E(RuntimeError, "std and var only support floating point and complex dtypes", c([1, 2], "int64"))],
       dtypes=FLOATS, tol=10),
    Op("std", _moment(np.std), MOMENTS, [RANGE, E(RuntimeError, "std and var only support floating point and complex dtypes", c([1, 2], "int64"))],
       dtypes=FLOATS, tol=10),
    Op("var_mean", _both(np.var), MOMENTS, [RANGE], dtypes=FLOATS, tol=10),
    Op("std_mean", _both(np.std), MOMENTS, [RANGE], dtypes=FLOATS, tol=10),
    Op("logsumexp", logsumexp, [S(t(3, 4), 1), S(t(3, 4), 0, True), S(t(3, 4), (0, 1)), S(t(5, lo=-200, hi=200), 0), S(t(), 0),
                                S(t(0, 3), 1)], [RANGE], dtypes=FLOATS, tol=10),
]  # fmt: skip
