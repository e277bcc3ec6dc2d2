"""Samples of functions of one or two numbers that are made of others."""

from __future__ import annotations

import numpy as np

from op_samples.base import FLOATS, REALS, E, Op, S, c, i, t

FLOAT_PAIRS = [S(t(3, 4), t(3, 4)), S(t(3, 4), t(4)), S(t(3, 1), t(1, 2)), S(t(), t(2, 2))]
MISFIT = "The size of tensor a (3) must match the size of tensor b (4) at non-singleton dimension 0"
APART = [E(RuntimeError, MISFIT, t(3), t(4))]
INF, NAN = float("inf"), float("nan")


def _xlogy(x, y):
    with np.errstate(all="ignore"):
        return np.where(x == 0, 0.0, x * np.log(y))


def _logit(x, eps=None):
    x = np.clip(x, eps, 1 - eps) if eps is not None else x
    return np.log(x / (1 - x))


def _repaired(x, nan=0.0, posinf=None, neginf=None):
    return np.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf)


def _power(x, e):
    return np.power(np.asarray(x, "float64"), e)


ODD = c([1.0, NAN, INF, -INF])

OPS = [
    Op("deg2rad", np.deg2rad, [S(t(3, 4)), S(t())], [E(RuntimeError, "deg2rad is not supported for complex", c([1j], "complex64"))],
       result="float", elementwise=True),
    Op("rad2deg", np.rad2deg, [S(t(3, 4)), S(t())], [E(RuntimeError, "rad2deg is not supported for complex", c([1j], "complex64"))],
       result="float", elementwise=True),
    Op("hypot", np.hypot, [*FLOAT_PAIRS, S(c([3e30, 0.0]), c([4e30, 0.0]), _dtypes="fd", _grad=False)],
       [*APART, E(NotImplementedError, "\"hypot_cpu\" not implemented for 'Long'", i(3, high=4), i(3, high=4))],
       dtypes=FLOATS, elementwise=True),
    Op("copysign", np.copysign, [*FLOAT_PAIRS, S(t(3, 4), -2.5), S(c([1.0, -2.0]), c([-0.0, 0.0]), _dtypes="fd", _grad=False)], APART,
       dtypes=REALS, result="float", elementwise=True),
    Op("xlogy", _xlogy, [S(t(3, 4), t(3, 4, lo=0.3, hi=4)), S(t(3, 4, lo=1, hi=3), t(4, lo=0.3, hi=4)), S(t(3), 2.5),
                         S(c([0.0, 0.0]), c([0.0, 3.0]), _grad=False)], APART,
       dtypes=FLOATS, result="float", elementwise=True),
    Op("logaddexp", np.logaddexp, [*FLOAT_PAIRS, S(c([INF, -INF, 1.0]), c([INF, -INF, -INF]), _grad=False)],
       [*APART, E(NotImplementedError, "\"logaddexp_cpu\" not implemented for 'Long'", i(3, high=4), i(3, high=4))],
       dtypes=FLOATS, elementwise=True),
    Op("logaddexp2", np.logaddexp2, [*FLOAT_PAIRS, S(c([INF, -INF, 1.0]), c([INF, -INF, -INF]), _grad=False)], APART,
       dtypes=FLOATS, elementwise=True),
    Op("sinc", np.sinc, [S(t(3, 4)), S(c([0.0, 1e-3, 2.0]), _dtypes="fd", _second=False)], result="float", dtypes=FLOATS, elementwise=True),
    Op("logit", _logit, [S(t(3, 4, lo=0.1, hi=0.9)), S(t(3, 4, lo=0.1, hi=0.9), 0.2, _grad=False), S(t(5, lo=0.3, hi=0.7), eps=0.2)],
       [E(NotImplementedError, "\"logit_cpu\" not implemented for 'ComplexFloat'", c([1j], "complex64"))],
       dtypes=FLOATS, result="float", elementwise=True),
    Op("nan_to_num", _repaired, [S(t(3, 4)), S(ODD, _dtypes="d", _grad=False), S(ODD, 1.5, 2.5, -3.5, _dtypes="fdeg", _grad=False)], elementwise=True),
    Op("float_power", _power, [S(t(3, 4, lo=0.2, hi=2), t(4, dtype="float64")), S(t(3, lo=0.2, hi=2), 2), S(2.0, t(3), _method=False)],
       [E(RuntimeError, MISFIT, t(3), t(4))], result=lambda _: "float64", dtypes="d", elementwise=True),
    Op("heaviside", np.heaviside, [S(c([-1.0, 0.0, 2.0]), c([0.25, 0.25, 0.25])), S(t(3, 4), t(4))],
       [*APART, E(RuntimeError, "heaviside is not yet implemented for tensors with different dtypes", t(2), i(2, high=3))],
       grad=False, elementwise=True),
    Op("ldexp", lambda x, n: x * 2.0**n, [S(t(3, 4), t(3, 4)), S(t(3, 4), i(4, low=-3, high=4), _dtypes="fdl")], APART,
       result="float", dtypes=FLOATS, elementwise=True),
]  # fmt: skip
