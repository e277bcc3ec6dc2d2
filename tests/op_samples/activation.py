"""Samples of activations, softmax and dropout."""

from __future__ import annotations

import math

import numpy as np

from op_samples.base import FLOATS, E, Op, S, c, t
from op_samples.unary import each

SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805


def _sigmoid(x):
    return 1 / (1 + np.exp(-x))


def _elu(x, alpha=1.0, inplace=False):
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def _celu(x, alpha=1.0, inplace=False):
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0) / alpha))


def _gelu(x, approximate="none"):
    if approximate == "tanh":
        return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    return 0.5 * x * (1 + each(math.erf)(x / math.sqrt(2)))


def _softplus(x, beta=1, threshold=20):
    return np.where(x * beta > threshold, x, np.log1p(np.exp(np.minimum(x * beta, 700))) / beta)


def _glu(x, dim=-1):
    a, b = np.split(x, 2, axis=dim)
    return a * _sigmoid(b)


def _prelu(x, w):
    shape = [1] * x.ndim
    if w.size > 1 and x.ndim > 1:
        shape[1] = w.size
        w = w.reshape(shape)
    elif w.size == 1:
        w = w.reshape(())
    return np.where(x > 0, x, w * x)


def softmax(x, dim=None, *_, dtype=None, **__):
    """Softmax along one dimension."""
    if x.ndim == 0:
        return np.ones_like(x)
    e = np.exp(x - x.max(axis=dim, keepdims=True, initial=-1e300))
    return e / e.sum(axis=dim, keepdims=True)


def _relu6(x, *_, **__):
    return np.clip(x, 0, 6)


ON = t(3, 4, lo=-4, hi=4)
FLOAT_ONLY = [E(NotImplementedError, "not implemented for 'Long'", c([1, 2], "int64"))]
SOFTMAX = [S(t(3, 4), dim=1), S(t(3, 4), dim=0), S(t(2, 3, 4), dim=-2), S(t(), dim=0),
           S(t(0, 3), dim=1), S(t(5, lo=-80, hi=80), dim=0), S(t(2, 40), dim=1)]  # fmt: skip
SOFTMAX_ERRORS = [E(IndexError, "Dimension out of range (expected to be in range of [-2, 1], but "
                    "got 2)", t(2, 3), dim=2)]  # fmt: skip
SHRINK = [S(t(3, 4)), S(t(3, 4), 1.2), S(t(3, 4), lambd=0.25)]


def _hardshrink(x, lambd=0.5):
    return np.where(np.abs(x) <= lambd, 0, x)


def _threshold(x, threshold, value, inplace=False):
    return np.where(x <= threshold, value, x)


def _check_dropout(result, args, kwargs):
    x = args[0]
    scale = 1 / (1 - kwargs.get("p", 0.5))
    ratio = result.detach().double() / x.detach().double()
    assert ((ratio == 0) | ((ratio - scale).abs() < 0.01 * scale)).all(), ratio


def _nn(name, f, samples, errors=(), **more):
    return Op(f"nn.{name}", f, samples, errors,
              **{"dtypes": FLOATS, "elementwise": True, "tol": 4, **more})  # fmt: skip


OPS = [
    _nn("relu", lambda x, inplace=False: np.maximum(x, 0), [S(ON), S(ON, inplace=False)]),
    _nn("relu6", _relu6, [S(t(3, 4, lo=-3, hi=8))]),
    _nn("leaky_relu", lambda x, negative_slope=0.01, inplace=False:
        np.where(x > 0, x, negative_slope * x), [S(ON), S(ON, 0.2), S(ON, negative_slope=-0.5)]),
    _nn("elu", _elu, [S(ON), S(ON, 1.5), S(c([-1e4, 1e4], grad=False), _dtypes="fd")]),
    _nn("selu", lambda x, inplace=False: SELU_SCALE * _elu(x, SELU_ALPHA), [S(ON)]),
    Op("selu", lambda x: SELU_SCALE * _elu(x, SELU_ALPHA), [S(ON)], dtypes=FLOATS),
    _nn("celu", _celu, [S(ON), S(ON, alpha=0.7)],
        [E(RuntimeError, "alpha cannot be 0 for CELU", t(2), alpha=0.0)]),
    Op("celu", _celu, [S(ON), S(ON, 1.3)], dtypes=FLOATS),
    _nn("gelu", _gelu, [S(ON), S(ON, approximate="tanh"), S(c([-30.0, 30.0], grad=False))],
        [E(RuntimeError, "approximate argument must be either none or tanh", t(2),
           approximate="x")]),
    _nn("silu", lambda x, inplace=False: x * _sigmoid(x), [S(ON)]),
    _nn("mish", lambda x, inplace=False: x * np.tanh(np.log1p(np.exp(x))), [S(ON)]),
    _nn("softplus", _softplus, [S(ON), S(ON, 2.0), S(ON, beta=1.5, threshold=2.0),
                                S(c([-100.0, 100.0], grad=False))]),
    _nn("logsigmoid", lambda x: -np.log1p(np.exp(-x)), [S(ON)]),
    _nn("softsign", lambda x: x / (1 + np.abs(x)), [S(ON)]),
    _nn("tanhshrink", lambda x: x - np.tanh(x), [S(ON)], tol=10),
    _nn("hardtanh", lambda x, min_val=-1.0, max_val=1.0, inplace=False:
        np.clip(x, min_val, max_val), [S(ON), S(ON, -2, 0.75)],
        [E(ValueError, "min_val cannot be greater than max_val", t(2), 2.0, 1.0)]),
    _nn("hardsigmoid", lambda x, inplace=False: _relu6(x + 3) / 6, [S(ON)]),
    _nn("hardswish", lambda x, inplace=False: x * _relu6(x + 3) / 6, [S(ON)]),
    _nn("softshrink", lambda x, lambd=0.5: np.sign(x) * np.maximum(np.abs(x) - lambd, 0), SHRINK,
        [E(RuntimeError, "lambda must be", t(2), -1.0)]),
    _nn("hardshrink", _hardshrink, SHRINK),
    Op("hardshrink", _hardshrink, SHRINK, dtypes=FLOATS),
    _nn("threshold", _threshold, [S(ON, 0.75, -3), S(ON, threshold=-1.0, value=0.0)]),
    Op("threshold", _threshold, [S(ON, 0.75, -3), S(ON, -1.0, 0.25)], dtypes=FLOATS),
    _nn("prelu", _prelu, [S(ON, t()), S(ON, t(1)), S(ON, t(4)), S(t(2, 3, 4), t(3))],
        [E(RuntimeError, "Mismatch of parameter numbers and input channel size", t(2, 3), t(4))],
        elementwise=False),
    Op("prelu", _prelu, [S(ON, t(1)), S(ON, t(4))], dtypes=FLOATS),
    _nn("glu", _glu, [S(t(3, 4)), S(t(4, 3), 0), S(t(2, 6, 2), dim=1)],
        [E(RuntimeError, "Halving dimension must be even, but dimension 1 is size 3", t(2, 3))],
        elementwise=False),
    _nn("sigmoid", _sigmoid, [S(ON)], dtypes="fdegl", result="float"),
    _nn("tanh", np.tanh, [S(ON)], dtypes="fdegl", result="float"),
    _nn("dropout", lambda x, **k: x, [S(ON, training=False), S(ON, p=0.0)],
        [E(ValueError, "dropout probability has to be between 0 and 1, but got 1.5", t(2), p=1.5)],
        elementwise=False),
    Op("dropout", None, [S(t(20, 20, lo=0.1), p=0.5, train=True, _dtypes="fde"),
                         S(t(4, 3), p=0.25, train=True, _dtypes="f")],
       [E(RuntimeError, "dropout probability has to be between 0 and 1, but got -0.5", t(2), p=-0.5,
          train=True)],
       dtypes=FLOATS, grad=False, inplace=False, check=_check_dropout),
    Op("softmax", softmax, [*SOFTMAX, S(t(2, 3), -1)], SOFTMAX_ERRORS, dtypes=FLOATS, tol=4),
    Op("log_softmax", lambda x, dim=None, **k: np.log(np.maximum(softmax(x, dim), 1e-300)),
       [*SOFTMAX, S(t(2, 3), -1)], SOFTMAX_ERRORS, dtypes=FLOATS, tol=4),
    _nn("softmax", softmax, SOFTMAX[:4], elementwise=False),
    _nn("log_softmax", lambda x, dim=None: np.log(softmax(x, dim)), SOFTMAX[:4], elementwise=False),
    _nn("softmin", lambda x, dim=None: softmax(-x, dim), SOFTMAX[:4], elementwise=False),
]  # fmt: skip
