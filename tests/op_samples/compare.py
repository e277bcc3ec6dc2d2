"""Samples of comparisons, logic, bits, choices and tests of numbers."""

from __future__ import annotations

import d2lcore as torch
import numpy as np

from op_samples.base import EVERY, FLOATS, E, Op, S, aliases, b, c, t

MISFIT = [E(RuntimeError, "must match the size of tensor b (4)", t(3), t(4))]
SAME = c([[1.0, 2.0, -3.0], [0.0, 5.0, 2.0]])
OTHER = c([[1.0, 3.0, -4.0], [0.0, 4.0, 2.0]])
NAMES = {"eq": ((), np.equal), "ne": (("not_equal",), np.not_equal), "lt": (("less",), np.less),
         "le": (("less_equal",), np.less_equal), "gt": (("greater",), np.greater),
         "ge": (("greater_equal",), np.greater_equal)}  # fmt: skip
COMPARE: list[Op] = []
for name, (others, f) in NAMES.items():
    op = Op(name, f, [S(SAME, OTHER), S(t(3, 4), t(4)), S(SAME, 2), S(t(), t(2))], MISFIT,
            result="bool", dtypes=EVERY, grad=False, elementwise=True)  # fmt: skip
    COMPARE += [op, *aliases(op, *others)]

BITS = [S(c([5, 12, 0, 255]), c([3, 10, 7, 15])), S(c([[5], [12]]), c([3, 10])), S(c([5, 6]), 3),
        S(3, c([5, 6]), _out=False)]
NO_BITS = [E(NotImplementedError, "not implemented for 'Float'", c([1.0], "float32"),
             c([2.0], "float32"))]  # fmt: skip
ODD = c([1.0, np.nan, np.inf, -np.inf, 0.0, -2.5, -0.0])


def _odd(name, f, **more):
    return Op(name, f, [S(ODD, _dtypes=FLOATS), S(t(3, 4))], result="bool", grad=False,
              elementwise=True, **more)  # fmt: skip


def _close(x, y, rtol=1e-5, atol=1e-8, equal_nan=False):
    return np.isclose(x, y, rtol=rtol, atol=atol, equal_nan=equal_nan)


CLOSE = [S(c([1.0, 2.0, np.nan, np.inf]), c([1.0 + 1e-7, 2.1, np.nan, np.inf])),
         S(c([1.0, np.nan]), c([1.0, np.nan]), equal_nan=True),
         S(t(3), t(3), rtol=0.1, atol=0.5), S(c([3.0, 3.0]), c([3.0, 3.0]))]  # fmt: skip

OPS = [
    *COMPARE,
    Op("equal", np.array_equal, [S(SAME, SAME), S(SAME, OTHER), S(t(3), t(4)), S(t(0), t(0))],
       result=None, dtypes=EVERY, grad=False),
    *(Op(f"logical_{n}", getattr(np, f"logical_{n}"), [S(SAME, OTHER), S(b(3, 4), b(4))], MISFIT,
         result="bool", dtypes=EVERY, grad=False, elementwise=True) for n in ("and", "or", "xor")),
    Op("logical_not", np.logical_not, [S(SAME), S(b(3, 4))], result="bool", dtypes=EVERY,
       grad=False, elementwise=True),
    *(Op(f"bitwise_{n}", getattr(np, f"bitwise_{n}"), [*BITS, S(b(3), b(3), _dtypes="?")],
         NO_BITS, dtypes="lB", grad=False, raw=True) for n in ("and", "or", "xor")),
    Op("bitwise_not", np.invert, [S(c([5, 0, 255, 12])), S(b(4), _dtypes="?")],
       [E(NotImplementedError, "", c([1.0], "float32"))], dtypes="lB", grad=False, raw=True),
    Op("bitwise_left_shift", np.left_shift, [S(c([5, 1, 3]), c([1, 4, 0])), S(c([5, 1]), 2),
                                                S(3, c([5, 1]), _out=False)],
       NO_BITS, dtypes="lB", grad=False, raw=True),
    Op("bitwise_right_shift", np.right_shift, [S(c([5, 16, 3]), c([1, 3, 0])), S(c([5, 9]), 2),
                                                  S(99, c([5, 1]), _out=False)],
       NO_BITS, dtypes="lB", grad=False, raw=True),
    Op("where", np.where,
       [S(b(3, 4), t(3, 4), t(3, 4)), S(b(4), t(3, 1), t()),
        S(b(3), t(3), 2, _out=False, _dtypes=FLOATS + "l"),
        S(b(3), 1.5, t(3), _dtypes=FLOATS, _out=False), S(b(3), 1.5, 2.5, _result=None, _out=False)],
       [E(RuntimeError, "must match", b(3), t(4), t(3)),
        E(RuntimeError, "expected condition to be a boolean tensor", t(3), t(3), t(3))],
       dtypes=EVERY, method=lambda m, x, y: (x.where(m, y) if hasattr(x, "where")
                               else torch.where(m, x, y))),
    Op("masked_fill", lambda x, m, v: np.where(m, v, x),
       [S(t(3, 4), b(3, 4), 2), S(t(3, 4), b(4), t()), S(t(3, 4), b(3, 1), 0)],
       [E(RuntimeError, "masked_fill", t(3), c([1, 0, 1], "int64"), 1.0),
        E(RuntimeError, "masked_fill_ only supports a 0-dimensional value tensor", t(3), b(3), t(2)),
        E(RuntimeError, "must match", t(3), b(4), 1.0)], dtypes="fdeg"),
    _odd("isnan", np.isnan), _odd("isinf", np.isinf), _odd("isfinite", np.isfinite),
    _odd("isposinf", np.isposinf), _odd("isneginf", np.isneginf), _odd("isreal", np.isreal),
    _odd("signbit", np.signbit),
    Op("isclose", _close, CLOSE,
       [E(RuntimeError, "Float did not match Double", c([1.0], "float32"), c([1.0], "float64")),
        E(RuntimeError, "rtol must be greater than or equal to zero", t(2), t(2), rtol=-1.0)],
       result="bool", dtypes="fd", grad=False),
    Op("allclose", lambda *a, **k: bool(_close(*a, **k).all()), CLOSE,
       [E(RuntimeError, "Float did not match Double", c([1.0], "float32"), c([1.0], "float64"))],
       result=None, dtypes="fd", grad=False),
]  # fmt: skip
