"""Samples of running sums, products and extremes."""

from __future__ import annotations

import d2lcore as torch
import numpy as np

from op_samples.base import FLOATS, E, Op, S, c, t

RANGE = [E(IndexError, "Dimension out of range (expected to be in range of [-1, 0], but got 1)",
           t(3), 1)]  # fmt: skip
SHAPES = [S(t(3, 4), 0), S(t(3, 4), dim=1), S(t(2, 3, 2), -2), S(t(), 0), S(t(0, 3), 1)]


def _run(f):
    return lambda x, dim, dtype=None: f(x, axis=dim) if x.ndim else x


def _extreme(better):
    def run(x, dim):
        if x.ndim == 0:
            return x, np.zeros((), int)
        x = np.moveaxis(x, dim, 0)
        values, places = x.copy(), np.zeros(x.shape, int)
        for k in range(1, len(x)):
            new = better(x[k], values[k - 1])
            values[k] = np.where(new, x[k], values[k - 1])
            places[k] = np.where(new, k, places[k - 1])
        return np.moveaxis(values, 0, dim), np.moveaxis(places, 0, dim)

    return run


OPS = [
    Op("cumsum", _run(np.cumsum), [*SHAPES, S(t(3), 0, dtype=torch.float64, _result=None, _inplace=False),
                                   S(t(200), 0, _dtypes="fd", _grad=False)], RANGE, result="sum",
       dtypes="fdegl?"),
    Op("cumprod", _run(np.cumprod), [*SHAPES, S(c([1.0, 2.0, 0.0, 3.0]), 0, _dtypes="fd")], RANGE,
       result="sum", dtypes="fdl", tol=4),
    Op("cummax", _extreme(np.greater_equal), [*SHAPES[:4], S(c([1.0, 3.0, 2.0, 3.0, 0.0]), 0, _grad=False)],
       RANGE, expand=False),
    Op("cummin", _extreme(np.less_equal), [*SHAPES[:4], S(c([1.0, 3.0, 0.0, 0.0, 2.0]), 0, _grad=False)],
       RANGE, expand=False),
    Op("logcumsumexp", lambda x, dim: np.logaddexp.accumulate(x, axis=dim) if x.ndim else x,
       [*SHAPES[:4], S(t(6, lo=-80, hi=80), 0, _dtypes="fd", _grad=False)], RANGE, dtypes=FLOATS, tol=4),
]  # fmt: skip
