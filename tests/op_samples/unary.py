"""Samples of the functions of one element."""

from __future__ import annotations

import math

import numpy as np

from op_samples.base import FLOATS, E, Op, S, aliases, c, t


def _digamma(x):
    """Abramowitz and Stegun 6.3.5 (recurrence) and 6.3.18 (asymptotic series), x > 0."""
    shift = 0.0
    while x < 10:
        shift -= 1 / x
        x += 1
    y = 1 / (x * x)
    series = y * (1 / 12 - y * (1 / 120 - y * (1 / 252 - y * (1 / 240 - y / 132))))
    return shift + math.log(x) - 0.5 / x - series


def _erfinv(y):
    """Newton's method on math.erf."""
    x = 0.0
    for _ in range(60):
        x -= (math.erf(x) - y) / (2 / math.sqrt(math.pi) * math.exp(-x * x))
    return x


def each(f):
    """A function of one number, for arrays."""
    return np.vectorize(f, otypes=[float])


# name and aliases: NumPy's function, the domain
FLOAT_OPS = {
    "reciprocal": (np.reciprocal, 0.3, 2), "sqrt": (np.sqrt, 0.1, 3),
    "rsqrt": (lambda x: 1 / np.sqrt(x), 0.1, 3), "exp": (np.exp, -3, 3), "exp2": (np.exp2, -3, 3),
    "expm1": (np.expm1, -2, 2), "log": (np.log, 0.1, 4), "log2": (np.log2, 0.1, 4),
    "log10": (np.log10, 0.1, 4), "log1p": (np.log1p, -0.8, 3), "sin": (np.sin, -6, 6),
    "cos": (np.cos, -6, 6), "tan": (np.tan, -1.2, 1.2), "asin arcsin": (np.arcsin, -0.9, 0.9),
    "acos arccos": (np.arccos, -0.9, 0.9), "atan arctan": (np.arctan, -3, 3),
    "sinh": (np.sinh, -3, 3), "cosh": (np.cosh, -3, 3), "tanh": (np.tanh, -3, 3),
    "asinh arcsinh": (np.arcsinh, -3, 3), "acosh arccosh": (np.arccosh, 1.1, 4),
    "atanh arctanh": (np.arctanh, -0.9, 0.9), "sigmoid": (lambda x: 1 / (1 + np.exp(-x)), -4, 4),
    "erf": (each(math.erf), -2, 2), "erfc": (each(math.erfc), -2, 2),
    "erfinv": (each(_erfinv), -0.9, 0.9), "lgamma": (each(math.lgamma), 0.2, 6),
    "digamma": (each(_digamma), 0.2, 6),
}  # fmt: skip
# What the functions give at the edges: infinities, NaN, zeros, subnormal and huge numbers.
EDGES = c([0.0, -0.0, np.inf, -np.inf, np.nan, 1e-40, 1e30, -1e30, 1.0, -1.0], grad=False)
NO_EDGES = {"erfinv", "lgamma", "digamma", "erf", "erfc", "sin", "cos", "tan", "sigmoid"}

OPS: list[Op] = []
for names, (f, lo, hi) in FLOAT_OPS.items():
    name, *others = names.split()
    samples = [S(t(3, 4, lo=lo, hi=hi)), S(t(lo=lo, hi=hi)), S(t(37, lo=lo, hi=hi), _grad=False)]
    if name not in NO_EDGES:
        samples.append(S(EDGES, _dtypes="fd", _grad=False, _variants=False))
    if lo <= -1 and hi >= 2:
        samples.append(S(c([0, 1, 1, -1]), _dtypes="l", _grad=False))
    op = Op(name, f, samples, dtypes=FLOATS, result="float", elementwise=True,
            second=name not in ("digamma", "lgamma"), tol=20 if name == "erfinv" else 4,
            grad=name != "digamma")  # fmt: skip
    OPS += [op, *aliases(op, *others)]

NEG = Op("neg", np.negative, [S(t(3, 4)), S(t())],
         [E(RuntimeError, "Negation, the `-` operator, on a bool tensor", c([True], "bool"))],
         elementwise=True)  # fmt: skip
ABS = Op("abs", np.abs, [S(t(3, 4)), S(c([-3.0, 0.0, 2.0]), _grad=False)], elementwise=True)
TRUNC = Op("trunc", np.trunc, [S(t(3, 4))], second=False, elementwise=True)
HALVES = c([0.5, 1.5, 2.5, -0.5, -1.5, 2.4, -2.6, 0.0], grad=False)
OPS += [
    NEG, *aliases(NEG, "negative"), ABS, *aliases(ABS, "absolute"),
    Op("sign", np.sign, [S(t(3, 4)), S(c([-3.0, 0.0, 2.0]), _grad=False)], second=False,
       elementwise=True),
    Op("square", np.square, [S(t(3, 4)), S(t())], elementwise=True),
    Op("floor", np.floor, [S(t(3, 4)), S(HALVES, _dtypes=FLOATS)], second=False, elementwise=True),
    Op("ceil", np.ceil, [S(t(3, 4)), S(HALVES, _dtypes=FLOATS)], second=False, elementwise=True),
    TRUNC, *aliases(TRUNC, "fix"),
    Op("frac", lambda x: x - np.trunc(x), [S(t(3, 4)), S(HALVES)], dtypes=FLOATS,
       elementwise=True),
    Op("round", lambda x, decimals=0: np.round(x, decimals),
       [S(t(3, 4)), S(HALVES, _dtypes=FLOATS),
        S(c([1.2345, -2.3456, 123.456]), decimals=2, _dtypes="fd", _grad=False),
        S(c([1234.5, -2345.6]), decimals=-2, _dtypes="fd", _grad=False)], second=False,
       elementwise=True),
    Op("relu", lambda x: np.maximum(x, 0), [S(t(3, 4)), S(t())],
       [E(RuntimeError, "Boolean inputs not supported for relu", c([True], "bool"))],
       elementwise=True),
]  # fmt: skip
