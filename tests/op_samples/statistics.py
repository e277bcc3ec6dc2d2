"""Samples of statistics: quantiles, covariance, differences and integrals."""

from __future__ import annotations

import numpy as np

from op_samples.base import FLOATS, E, Op, S, b, c, i, t

NAN = float("nan")


def _quantile(f):
    def call(x, q, dim=None, keepdim=False, *, interpolation="linear"):
        return f(x, q, axis=dim, keepdims=keepdim, method=interpolation)

    return call


def _cov(x, correction=1, fweights=None, aweights=None):
    fweights = None if fweights is None else fweights.astype(int)
    return np.cov(x, ddof=correction, fweights=fweights, aweights=aweights)


def _diff(x, n=1, dim=-1, prepend=None, append=None):
    more = {k: v for k, v in (("prepend", prepend), ("append", append)) if v is not None}
    return np.diff(x, n, dim, **more)


def _trapezoid(y, x=None, dx=1, dim=-1):
    steps = np.diff(x, axis=dim if x.ndim > 1 else 0) if x is not None else dx
    if x is not None and x.ndim == 1 and y.ndim > 1:
        steps = steps.reshape([-1 if d == dim % y.ndim else 1 for d in range(y.ndim)])
    low = np.take(y, range(y.shape[dim] - 1), axis=dim)
    return steps * (np.diff(y, axis=dim) / 2 + low)


def _integral(*args, **kwargs):
    return _trapezoid(*args, **kwargs).sum(kwargs.get("dim", -1))


def _running(*args, **kwargs):
    return _trapezoid(*args, **kwargs).cumsum(kwargs.get("dim", -1))


def _quantiles(name, f):
    return Op(name, _quantile(f),
       [S(t(5, 4), 0.3), S(t(5, 4), 0.6, 0), S(t(5, 4), 0.25, 1, True), S(t(7), c([0.0, 0.5, 0.9, 1.0], grad=False), 0),
        S(t(3, 4, 2), c([0.2, 0.7], grad=False), -2, True), S(t(3, 4), 0.5, None, True),
        *[S(t(6), 0.4, interpolation=m) for m in ("lower", "higher", "midpoint", "nearest")],
        S(c([[1.0, NAN, 3.0], [4.0, 2.0, 6.0]]), 0.5, 1, _grad=False)],
       [E(RuntimeError, "quantile() q must be in the range [0, 1] but got 2", t(3), 2.0),
        E(RuntimeError, "quantile() input tensor must be non-empty", t(0), 0.5),
        E(RuntimeError, "quantile() input tensor must be either float or double dtype", i(3, high=4), 0.5),
        E(RuntimeError, "quantile() interpolation must be one of linear", t(3), 0.5, interpolation="cubic")],
       dtypes="fd")


OPS = [
    _quantiles("quantile", np.quantile),
    _quantiles("nanquantile", np.nanquantile),
    Op("cov", _cov, [S(t(3, 5)), S(t(6)), S(t(3, 5), correction=0), S(t(2, 3), fweights=c([1, 2, 3], "int64")),
                     S(t(2, 3), aweights=c([0.5, 1.0, 2.0], "float64", grad=False), _dtypes="d"),
                     S(t(2, 3), fweights=c([1, 0, 3], "int64"), aweights=c([0.5, 1.0, 2.0], "float64", grad=False), _dtypes="d")],
       [E(RuntimeError, "cov(): expected input to have two or fewer dimensions", t(2, 2, 2)),
        E(RuntimeError, "cov(): expected fweights to have integral dtype", t(2, 2), fweights=t(2)),
        E(RuntimeError, "cov(): fweights cannot be negative", t(2, 2), fweights=c([1, -1], "int64"))],
       dtypes=FLOATS, tol=4),
    Op("corrcoef", np.corrcoef, [S(t(3, 6)), S(t(5))],
       [E(RuntimeError, "corrcoef(): expected input to have two or fewer dimensions", t(2, 2, 2))], dtypes=FLOATS, tol=4),
    Op("diff", _diff, [S(t(5)), S(t(3, 5), 2), S(t(3, 5), 1, 0), S(t(3, 4), 1, 1, t(3, 2), t(3, 1)), S(t(3), 7)],
       [E(RuntimeError, "diff expects input to be at least one-dimensional", t()), E(RuntimeError, "order must be non-negative but got -1", t(3), -1),
        E(RuntimeError, "diff expects prepend or append to be the same dimension as input", t(3), prepend=t(2, 2))],
       dtypes="fdegl"),
    *[Op(name, _integral, [S(t(5)), S(t(3, 5), dx=0.5), S(t(3, 5), dim=0), S(t(3, 5), t(5)), S(t(3, 5), t(3, 5), dim=0)],
         [E(RuntimeError, "bool is not supported", b(3)), E(RuntimeError, "There must be one `x` value for each sample point", t(2, 3), t(2)),
          E(IndexError, "Dimension specified as -1 but tensor has no dimensions", t())], dtypes=FLOATS, tol=2)
      for name in ("trapezoid", "trapz")],
    Op("cumulative_trapezoid", _running, [S(t(5)), S(t(3, 5), dx=0.5), S(t(3, 5), dim=0), S(t(3, 5), t(5))],
       [E(RuntimeError, "There must be one `x` value for each sample point", t(2, 3), t(2))], dtypes=FLOATS, tol=2),
]  # fmt: skip
