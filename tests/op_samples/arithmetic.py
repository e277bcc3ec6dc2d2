"""Samples of arithmetic: sums, products, quotients, remainders, powers, limits."""

from __future__ import annotations

import numpy as np

from op_samples.base import FLOATS, REALS, E, Op, S, aliases, c, t

MISFIT = "The size of tensor a (3) must match the size of tensor b (4) at non-singleton dimension 0"
PAIRS = [S(t(3, 4), t(3, 4)), S(t(3, 4), t(4)), S(t(3, 1), t(1, 2)), S(t(), t(2, 2))]
APART = [E(RuntimeError, MISFIT, t(3), t(4)), E(TypeError, "must be Tensor", t(3), "x")]
# Dividends and divisors whose quotient stays away from the integers, where rounding jumps.
DIVIDEND = c([[2.3, -2.3, 5.6], [-5.6, 7.7, 0.4]])
DIVISOR = c([[1.1, 1.2, -1.7], [-2.4, 3.3, 1.3]])
INTEGERS = S(c([7, -7, 7, -7, 0, 6]), c([3, 3, -3, -3, 5, -3]), _dtypes="lfd", _grad=False)


def _add(x, y, alpha=1):
    return x + alpha * y


def _div(x, y, rounding_mode=None):
    q = x / y
    return {None: lambda v: v, "floor": np.floor, "trunc": np.trunc}[rounding_mode](q)


def _lerp(a, e, w):
    return a + w * (e - a)


def _clamp(x, min=None, max=None):
    x = x if min is None else np.maximum(x, min)
    return x if max is None else np.minimum(x, max)


ADD = Op("add", _add, [*PAIRS, S(t(2), 3.5, alpha=2, _dtypes=FLOATS), S(t(2, 2), 3),
                       S(t(3), t(3), alpha=-2), S(2, t(2))], APART, elementwise=True)
SUB = Op("sub", lambda x, y, alpha=1: x - alpha * y,
         [*PAIRS, S(t(2), 3.5, alpha=2, _dtypes=FLOATS), S(t(3), t(3), alpha=2)],
         [*APART, E(RuntimeError, "Subtraction, the `-` operator, with two bool tensors",
                    c([True], "bool"), c([True], "bool"))], elementwise=True)
MUL = Op("mul", np.multiply, [*PAIRS, S(t(2), 3.5, _dtypes=FLOATS), S(t(2, 3), -2)], APART,
         elementwise=True)
DIV = Op("div", _div, [S(t(3, 4), t(3, 4, lo=0.4)), S(t(3, 4), t(4, lo=0.4)), S(t(2), 4.0),
                       S(DIVIDEND, DIVISOR, rounding_mode="floor", _dtypes="fd", _result="same"),
                       S(DIVIDEND, DIVISOR, rounding_mode="trunc", _dtypes="fd", _result="same"),
                       S(c([7, -7, 8]), c([2, 2, -3]), rounding_mode="floor", _dtypes="l",
                         _result="same"),
                       S(c([7, -7, 8]), c([2, 2, -3]), rounding_mode="trunc", _dtypes="l",
                         _result="same")],
         [*APART, E(RuntimeError, "div expected rounding_mode to be one of None, 'trunc', or "
                    "'floor' but found 'ceil'", t(2), t(2), rounding_mode="ceil"),
          E(RuntimeError, "ZeroDivisionError", c([1], "int64"), c([0], "int64"),
            rounding_mode="floor")],
         result="float", elementwise=True)
POW = Op("pow", np.power,
         [S(t(3, 4, lo=0.3), t(3, 4)), S(t(3, lo=0.3), t(2, 3)), S(t(4), 2), S(t(4), 3),
          S(t(4, lo=0.3), 0.5, _dtypes=FLOATS), S(t(4, lo=0.3), -1.0, _dtypes=FLOATS),
          S(t(4, lo=0.3), -2.0, _dtypes=FLOATS), S(t(3), 0), S(t(3), 1),
          S(2.0, t(4), _dtypes=FLOATS), S(c([2, -3, 1]), c([3, 2, 0]), _dtypes="l")],
         [APART[0], E(RuntimeError, "Integers to negative integer powers are not allowed",
                      c([2, 3], "int64"), -1)],
         dtypes=FLOATS, elementwise=True)
CLAMP = Op("clamp", _clamp,
           [S(t(3, 4), min=-0.75, max=0.8, _dtypes=FLOATS), S(t(5), -1), S(t(5), max=1),
            S(t(3, 4), t(4, lo=-2, hi=-1), t(3, 1, lo=1)), S(t(3, 4), min=t(4, lo=-1, hi=-0.6)),
            S(t(3, 4), max=t(3, 4))],
           [E(RuntimeError, "At least one of 'min' or 'max' must not be None", t(2))])
ATAN2 = Op("atan2", np.arctan2, [S(t(3, 4), t(3, 4)), S(t(3, 1), t(1, 2))], APART[:1],
           dtypes=REALS, result="float", elementwise=True)
HYPOT = [S(t(3, 4), t(3, 4)), S(t(3, 1), t(4)), S(t(), t(3))]

OPS = [
    ADD, SUB, *aliases(SUB, "subtract"),
    Op("rsub", lambda x, y, alpha=1: y - alpha * x, [*PAIRS[:2], S(t(3), 2, alpha=3)],
       [E(RuntimeError, "must match", t(3), t(4))], elementwise=True),
    MUL, *aliases(MUL, "multiply"), DIV, *aliases(DIV, "divide"), *aliases(DIV, "true_divide", first=3),
    Op("floor_divide", lambda x, y: np.floor(x / y),
       [S(DIVIDEND, DIVISOR, _dtypes="fd"), INTEGERS, S(DIVIDEND, 1.7, _dtypes="fd")],
       [APART[0], E(RuntimeError, "ZeroDivisionError", c([1], "int64"), c([0], "int64"))],
       grad=False),
    Op("remainder", np.mod, [S(DIVIDEND, DIVISOR, _dtypes="fd"), INTEGERS,
                             S(DIVIDEND, 1.7, _dtypes="fd"), S(7, c([4, -5, 3]), _dtypes="l")],
       [APART[0], E(RuntimeError, "ZeroDivisionError", c([1], "int64"), 0)]),
    Op("fmod", np.fmod, [S(DIVIDEND, DIVISOR, _dtypes="fd"), INTEGERS,
                         S(DIVIDEND, -1.7, _dtypes="fd")],
       [APART[0], E(RuntimeError, "ZeroDivisionError", c([1], "int64"), c([0], "int64"))]),
    POW,
    Op("maximum", np.maximum, HYPOT, APART[:1], elementwise=True),
    Op("minimum", np.minimum, HYPOT, APART[:1], elementwise=True),
    Op("fmax", np.fmax, [*HYPOT, S(c([1.0, np.nan, 2.0]), c([np.nan, 1.5, 3.0]), _dtypes="fd")],
       APART[:1], elementwise=True),
    Op("fmin", np.fmin, [*HYPOT, S(c([1.0, np.nan, 2.0]), c([np.nan, 1.5, 3.0]), _dtypes="fd")],
       APART[:1], elementwise=True),
    ATAN2, *aliases(ATAN2, "arctan2"),
    Op("addcmul", lambda x, a, b, value=1: x + value * a * b,
       [S(t(3, 4), t(3, 4), t(3, 4)), S(t(3, 4), t(4), t(3, 1), value=2)],
       [E(RuntimeError, "must match", t(3), t(4), t(3))], elementwise=True),
    Op("addcdiv", lambda x, a, b, value=1: x + value * a / b,
       [S(t(3, 4), t(3, 4), t(3, 4, lo=0.4)), S(t(3, 4), t(4), t(3, 1, lo=0.4), value=2)],
       [E(RuntimeError, "must match", t(3), t(4), t(3))], dtypes=FLOATS, elementwise=True),
    Op("lerp", _lerp, [S(t(3, 4), t(3, 4), 0.3), S(t(3, 4), t(4), 0.8),
                       S(t(3, 4), t(3, 4), t(3, 4)), S(t(3, 1), t(4), t())],
       [E(RuntimeError, "expected dtype", c([1.0], "float32"), c([1.0], "float64"), 0.5)],
       dtypes=FLOATS),
    CLAMP, *aliases(CLAMP, "clip"),
    Op("clamp_min", np.maximum, [S(t(3, 4), t(3, 4)), S(t(3, 4), -1)], APART[:1]),
    Op("clamp_max", np.minimum, [S(t(3, 4), t(3, 4)), S(t(3, 4), 1)], APART[:1]),
    Op("positive", np.positive, [S(t(3, 4))],
       [E(RuntimeError, "The `+` operator", c([True], "bool"))], elementwise=True),
]  # fmt: skip
