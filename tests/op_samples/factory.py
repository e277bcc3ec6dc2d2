"""Samples of the functions that make tensors."""

from __future__ import annotations

import d2lcore as torch
import numpy as np

from op_samples.base import EVERY, E, Op, S, c, t

F64, I64 = torch.float64, torch.int64
NEGATIVE = "ative"  # "negative dimension", or "must be non-negative"


def _full(value):
    """The reference of a factory whose result is one value."""

    def make(*size, dtype=None, **_):
        shape = size[0] if size and isinstance(size[0], (list, tuple)) else size
        return np.full(shape, value, dtype=float)

    return make


def _new(value):
    return lambda x, *size, **k: _full(value)(*size)


def _shape(index=0):
    """A check of the shape alone, for memory that is not initialised."""

    def check(result, args, kwargs):
        first = args[index] if index < len(args) else kwargs["size"]
        want = first.shape if isinstance(first, torch.Tensor) else first
        want = args[index:] if isinstance(want, int) else want
        assert tuple(result.shape) == tuple(want), result.shape

    return check


def _strided(result, args, kwargs):
    assert tuple(result.shape) == tuple(args[0])
    assert tuple(result.stride()) == tuple(args[1])


def _made(name, value, **more):
    return Op(name, _full(value),
              [S((2, 3)), S(2, 3), S([0, 2], dtype=F64), S((), dtype=I64), S(4, dtype=torch.bool),
               S((2,), dtype=torch.float16, requires_grad=True)],
              [E(RuntimeError, NEGATIVE, (2, -3)), E(TypeError, "", "x"), E(TypeError, "", (2.5,)),
               E(RuntimeError, "", (1 << 40, 1 << 40)),
               E(TypeError, "dtype", (2,), dtype="float32")],
              result=None, dtypes="f", grad=False, **more)  # fmt: skip


def _like(name, ref, **more):
    return Op(name, ref, [S(t(3, 4)), S(t()), S(t(0, 2)), S(t(2, 3), dtype=F64, _result=None)],
              dtypes=EVERY, grad=False, **more)  # fmt: skip


OPS = [
    _made("zeros", 0.0), _made("ones", 1.0), _made("empty", 0.0, check=_shape()),
    Op("full", lambda size, v, **k: np.full(size, v, dtype=float),
       [S((2, 3), 7.0), S((2,), 3), S((), 2, dtype=F64), S((3,), True)],
       [E(RuntimeError, NEGATIVE, (-1,), 2.0)], result=None, dtypes="f", grad=False),
    _like("zeros_like", lambda x, **k: np.zeros_like(x)),
    _like("ones_like", lambda x, **k: np.ones_like(x)),
    _like("empty_like", None, check=_shape()),
    Op("full_like", lambda x, v, **k: np.full_like(x, v), [S(t(3, 4), 1), S(t(2), 1, dtype=F64, _result=None)],
       dtypes=EVERY, grad=False),
    Op("new_zeros", _new(0.0), [S(t(2), (2, 3)), S(t(2), 2, 3), S(t(2), (2,), dtype=F64, _result=None)],
       dtypes=EVERY, grad=False),
    Op("new_ones", _new(1.0), [S(t(2), (2, 3)), S(t(2), (2,), dtype=F64, _result=None)], dtypes=EVERY,
       grad=False),
    Op("new_empty", None, [S(t(2), (2, 3))], dtypes=EVERY, grad=False, check=_shape(1)),
    Op("new_full", lambda x, size, v, **k: np.full(size, v), [S(t(2), (2, 3), 1)], dtypes=EVERY,
       grad=False),
    Op("empty_strided", None, [S((2, 3), (1, 2)), S((2, 2), (0, 1))],
       [E(RuntimeError, "", (2, 3), (1,)), E(RuntimeError, "", (2,), (-1,))],
       result=None, dtypes="f", grad=False, check=_strided),
    Op("arange", lambda *a, dtype=None, **k: np.arange(*(list(a) + list(k.values())), dtype=float),
       [S(5), S(2, 9), S(1, 10, 3), S(0.5, 3.0, 0.25), S(5, -1, -2), S(0), S(2.5),
        S(3, dtype=F64), S(0, 1, 0.1), S(start=1, end=4)],
       [E(RuntimeError, "step must be nonzero", 0, 3, 0),
        E(RuntimeError, "upper bound and lower bound inconsistent with step sign", 3, 0),
        E(RuntimeError, "unsupported range", float("nan"))], result=None, dtypes="f", grad=False),
    Op("linspace", lambda a, b, n, **k: np.linspace(a, b, n),
       [S(0, 1, 5), S(-2.5, 3.5, 13), S(1, 1, 1), S(0, 1, 0), S(3, -3, 7, dtype=F64)],
       [E(RuntimeError, "number of steps must be non-negative", 0, 1, -1)],
       result=None, dtypes="f", grad=False),
    Op("eye", lambda n, m=None, **k: np.eye(n, m), [S(3), S(2, 4), S(4, 2, dtype=I64), S(0)],
       [E(RuntimeError, "n must be greater or equal to 0, got -1", -1)], result=None, dtypes="f",
       grad=False),
    Op("scalar_tensor", lambda v, **k: np.array(v, dtype=float), [S(2.5), S(3, dtype=I64)],
       result=None, dtypes="f", grad=False),
    Op("fill", lambda x, v: np.full_like(x, v), [S(t(3, 4), 2), S(t(), 1), S(t(2), c(1.0, grad=False))],
       [E((RuntimeError, TypeError), "", t(2), c([1.0, 2.0], "float32"))], dtypes="fdegl"),
    Op("zero_", lambda x: np.zeros_like(x), [S(t(3, 4)), S(t())], dtypes="fdegl?"),
]  # fmt: skip
