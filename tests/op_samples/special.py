"""Samples of special functions, against series, integrals and NumPy's polynomials."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
from numpy.polynomial import chebyshev, hermite, hermite_e, laguerre, legendre

from op_samples.base import FLOATS, E, Op, S, c, t

INF, NAN = float("inf"), float("nan")
COMPLEX = c([1j], "complex64")


def _each(f):
    return lambda x, *args: np.vectorize(lambda v: f(v, *args), otypes=["f8"])(x)


def _bessel(order):
    """The power series of the modified Bessel functions."""
    def value(x):
        return sum((x / 2) ** (2 * k + order) / (math.factorial(k) * math.factorial(k + order)) for k in range(40))

    return _each(value)


def _scaled(f):
    return lambda x: f(x) * np.exp(-np.abs(x))


def _zeta(s, q):
    """Thirty terms and the rest by Euler and Maclaurin."""
    n = 30
    head = sum((q + k) ** -s for k in range(n))
    a = q + n
    return head + a ** (1 - s) / (s - 1) + 0.5 * a**-s + s * a ** (-s - 1) / 12 - s * (s + 1) * (s + 2) * a ** (-s - 3) / 720


def _polygamma(n, x):
    if n == 0:
        h = 1e-5
        return _each(lambda v: (math.lgamma(v + h) - math.lgamma(v - h)) / (2 * h))(x)
    return (-1) ** (n + 1) * math.factorial(n) * _zeta(n + 1.0, x)


def _mvlgamma(x, p):
    rest = p * (p - 1) * math.log(math.pi) / 4
    return _each(lambda v: rest + sum(math.lgamma(v - j / 2) for j in range(p)))(x)


def _at(value):
    """A polynomial given by its coefficients, at every pair of x and n."""
    return np.vectorize(lambda x, n: value(x, [0] * int(n) + [1]), otypes=["f8"])


def _trig(f):
    return np.vectorize(lambda x, n: f(math.acos(x), int(n)), otypes=["f8"])


def _shifted(f):
    return lambda x, n: f(2 * x - 1, n)


T = _at(chebyshev.chebval)
U = _trig(lambda a, n: math.sin((n + 1) * a) / math.sin(a))
V = _trig(lambda a, n: math.cos((n + 0.5) * a) / math.cos(a / 2))
W = _trig(lambda a, n: math.sin((n + 0.5) * a) / math.sin(a / 2))
INSIDE, HALF = t(4, 1, lo=-0.9, hi=0.9), t(4, 1, lo=0.1, hi=0.9)
DEGREES = c([0.0, 1.0, 2.0, 5.0, 11.0], "float64", grad=False)


def _polynomial(name, ref, x):
    refused = [E(NotImplementedError, "not implemented for 'ComplexFloat'", COMPLEX, 2)]
    return Op(f"special.{name}", ref, [S(x, DEGREES), S(x, 3)], refused, dtypes="d", grad=False, tol=64, expand=False)


def _unary(name, ref, lo=-3.0, hi=3.0, samples=(), **more):
    refused = [E(NotImplementedError, "not implemented for 'ComplexFloat'", COMPLEX)]
    return Op(name, ref, [S(t(3, 4, lo=lo, hi=hi)), *samples], refused, **{"dtypes": FLOATS, "result": "float", "elementwise": True, **more})


OPS = [
    _unary("i0", _bessel(0)), _unary("special.i0", _bessel(0)), _unary("special.i0e", _scaled(_bessel(0)), samples=[S(t(4, lo=9, hi=20))]),
    _unary("special.i1", _bessel(1)), _unary("special.i1e", _scaled(_bessel(1)), samples=[S(t(4, lo=9, hi=20))]),
    _unary("special.ndtr", _each(NormalDist().cdf)), _unary("special.ndtri", _each(NormalDist().inv_cdf), 0.02, 0.98, tol=4),
    _unary("special.log_ndtr", _each(lambda x: math.log(math.erfc(-x / 2**0.5) / 2)), -5, 3),
    _unary("special.erfcx", _each(lambda x: math.exp(x * x) * math.erfc(x)), -2, 4, samples=[S(c([300.0, 1e8]), _ref=lambda x: 1 / (x * math.pi**0.5) * (1 - 0.5 / x**2 + 0.75 / x**4), _dtypes="fd", _variants=False)]),
    _unary("special.entr", _each(lambda x: -x * math.log(x)), 0.1, 3, samples=[S(c([0.0, -1.0, NAN]), _ref=lambda x: np.array([0.0, -INF, NAN]), _grad=False, _variants=False)]),
    Op("special.xlog1py", lambda x, y: np.where(x == 0, 0, x * np.log1p(y)), [S(t(3, 4), t(3, 4, lo=-0.7, hi=3)), S(t(3), 2.5), S(c([0.0]), c([-1.0]), _ref=lambda *_: np.zeros(1), _grad=False)],
       [E(RuntimeError, "must match", t(3), t(4))], dtypes=FLOATS, result="float", elementwise=True),
    Op("special.zeta", _zeta, [S(c([2.0, 3.5, 6.0], grad=False), t(3, lo=0.3, hi=9)), S(2.0, t(3, lo=0.3, hi=9))], [E(RuntimeError, "must match", t(3, grad=False), t(4))], dtypes="fd", tol=4, expand=False),
    *[Op(name, _polygamma, [S(1, t(5, lo=0.3, hi=6)), S(2, t(5, lo=0.3, hi=6)), S(5, t(5, lo=0.8, hi=6)), S(0, t(5, lo=0.8, hi=6), _grad=False)],
         [E(RuntimeError, "polygamma(n, x) does not support negative n.", -1, t(3))], dtypes="d", tol=1e4, method=False) for name in ("polygamma", "special.polygamma")],
    Op("polygamma_", lambda x, n: _polygamma(n, x), [S(t(5, lo=0.8, hi=6), 2)], [E(RuntimeError, "does not support negative n", t(3), -1)], dtypes="d", tol=64, method=False, grad=False),
    Op("mvlgamma", _mvlgamma, [S(t(3, 4, lo=1.2, hi=5), 3), S(t(4, lo=0.3, hi=5), 1)], [E(RuntimeError, "p has to be greater than or equal to 1", t(3), 0)], dtypes="fd", tol=4),
    _polynomial("chebyshev_polynomial_t", T, INSIDE), _polynomial("chebyshev_polynomial_u", U, INSIDE),
    _polynomial("chebyshev_polynomial_v", V, INSIDE), _polynomial("chebyshev_polynomial_w", W, INSIDE),
    _polynomial("shifted_chebyshev_polynomial_t", _shifted(T), HALF), _polynomial("shifted_chebyshev_polynomial_u", _shifted(U), HALF),
    _polynomial("shifted_chebyshev_polynomial_v", _shifted(V), HALF), _polynomial("shifted_chebyshev_polynomial_w", _shifted(W), HALF),
    _polynomial("hermite_polynomial_h", _at(hermite.hermval), INSIDE), _polynomial("hermite_polynomial_he", _at(hermite_e.hermeval), INSIDE),
    _polynomial("laguerre_polynomial_l", _at(laguerre.lagval), INSIDE), _polynomial("legendre_polynomial_p", _at(legendre.legval), INSIDE),
]  # fmt: skip
