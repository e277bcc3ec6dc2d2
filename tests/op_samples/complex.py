"""Samples of complex numbers: their parts, angles, and the ways to and from real tensors."""

from __future__ import annotations

import numpy as np

from op_samples.base import E, Op, S, aliases, c, t


def _real_name(name):
    return {"complex64": "float32", "complex128": "float64"}.get(name, name)


def _complex_name(name):
    return "complex128" if name == "float64" else "complex64"


def _angle_name(name):
    return "float32" if name == "int64" else _real_name(name)


def _sgn(x):
    return np.where(x == 0, 0, x / np.where(x == 0, 1, np.abs(x)))


def _as_real(x):
    return np.stack([x.real, x.imag], axis=-1)


CONJ = Op("conj", np.conj, [S(t(2, 3))], dtypes="fdlFD", grad=False)
RESOLVE = Op("resolve_conj", lambda x: x, [S(t(2, 3))], dtypes="fdlFD", grad=False)
LAZY = Op("is_conj", lambda x: False, [S(t(2, 3))], dtypes="fdlFD", grad=False, result=None)
SIGNED = c([[1.0, 2.0, -3.0], [0.0, 5.0, 2.0]])
PAIR = E(RuntimeError, "Expected both inputs to be Half, Float or Double tensors but got Long and",
         c([1], "int64"), c([2], "int64"))  # fmt: skip
MIXED = E(RuntimeError, "Expected object of scalar type Float but got scalar type Double for second",
          t(2), c([1.0, 2.0], "float64"))  # fmt: skip

OPS = [
    Op("real", np.real, [S(t(2, 3), _dtypes="FD", _result=_real_name), S(t(2, 3), _dtypes="fdl")],
       grad=False),
    Op("imag", np.imag, [S(t(2, 3))], dtypes="FD", grad=False, result=_real_name,
       errors=[E(RuntimeError, "imag is not implemented for tensors with non-complex dtypes", t(2))]),
    CONJ, *aliases(CONJ, "conj_physical"), RESOLVE, *aliases(RESOLVE, "resolve_neg"),
    LAZY, *aliases(LAZY, "is_neg"),
    Op("sgn", _sgn, [S(t(3, 4)), S(SIGNED, _grad=False), S(t(3, 4), _dtypes="FD")], second=False,
       elementwise=True),
    Op("angle", np.angle, [S(t(3, 4)), S(c([-1.0, 0.0, 3.0, np.nan]), _dtypes="fd", _grad=False),
                           S(t(3, 4), _dtypes="FD")],
       second=False, elementwise=True, result=_angle_name),
    Op("complex", lambda x, y: x + 1j * y, [S(t(3, 4), t(3, 4)), S(t(3, 1), t(4)), S(t(), t(2))],
       [PAIR, MIXED, E(RuntimeError, "must match", t(3), t(4))], dtypes="fd", grad=False,
       result=_complex_name),
    Op("polar", lambda r, a: r * np.exp(1j * a), [S(t(3, 4), t(3, 4)), S(t(3, 1), t(4))],
       [PAIR, MIXED], dtypes="fd", grad=False, result=_complex_name),
    Op("view_as_real", _as_real, [S(t(2, 3)), S(t())],
       [E(RuntimeError, "view_as_real is only supported for complex tensors", t(2))], dtypes="FD",
       grad=False, view=True, result=_real_name),
    Op("view_as_complex", lambda x: x[..., 0] + 1j * x[..., 1], [S(t(3, 2)), S(t(2))],
       [E(RuntimeError, "Tensor must have a last dimension of size 2", t(3)),
        E(RuntimeError, "Input tensor must have one or more dimensions", t()),
        E(RuntimeError, "view_as_complex is only supported for half, float and double tensors",
          c([1, 2], "int64"))],
       dtypes="fd", grad=False, view=True, variants=False, result=_complex_name),
]  # fmt: skip
