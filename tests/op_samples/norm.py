"""Samples of norms."""

from __future__ import annotations

import d2lcore as torch
import numpy as np

from op_samples.base import FLOATS, E, Op, S, t

INF = float("inf")
RANGE = E(IndexError, "Dimension out of range", t(2, 3), 2.0, 2)
MATRIX = E(RuntimeError, "linalg.matrix_norm: The input tensor A must have at least 2 dimensions.", t(3))


def vector_norm(x, ord=2, dim=None, keepdim=False, dtype=None):
    """The sum of powers, or an extreme, over any dimensions."""
    axis = tuple(dim) if isinstance(dim, (list, tuple)) and len(dim) else dim if isinstance(dim, int) else None
    a, more = np.abs(x), dict(axis=axis, keepdims=keepdim)
    if ord == INF:
        return a.max(**more, initial=0)
    if ord == -INF:
        return a.min(**more)
    if ord == 0:
        return (a != 0).sum(**more).astype(float)
    return (a**ord).sum(**more) ** (1 / ord)


def matrix_norm(A, ord="fro", dim=(-2, -1), keepdim=False, dtype=None):
    """Frobenius and the largest (smallest) sums of rows and columns."""
    if A.size == 0:
        return np.zeros(())
    return np.linalg.norm(A, ord, tuple(dim), keepdim)


def _norm(A, ord=None, dim=None, keepdim=False, dtype=None):
    if ord is not None and ((dim is None and A.ndim == 2) or (isinstance(dim, (tuple, list)) and len(dim) == 2)):
        return matrix_norm(A, ord, dim or (-2, -1), keepdim)
    return vector_norm(A, 2 if ord is None else ord, dim, keepdim)


def _old(x, p="fro", dim=None, keepdim=False, dtype=None):
    if p == "nuc":
        return matrix_norm(x, p, (0, 1) if dim is None else dim, keepdim)
    return vector_norm(x, 2 if p in ("fro", None) else p, dim, keepdim)


def _renorm(x, p, dim, maxnorm):
    axes = tuple(d for d in range(x.ndim) if d != dim % x.ndim)
    n = (np.abs(x) ** p).sum(axis=axes, keepdims=True) ** (1 / p)
    return x * np.where(n > maxnorm, maxnorm / (n + 1e-7), 1)


def _normalize(x, p=2.0, dim=1, eps=1e-12):
    return x / np.maximum(vector_norm(x, p, dim, True), eps)


VECTORS = [S(t(3, 4)), S(t(3, 4), 1), S(t(3, 4), INF), S(t(3, 4), -INF), S(t(3, 4), 3), S(t(3, 4), 0.5), S(t(3, 4), 1, 1),
           S(t(3, 4), 2, (0, 1), True), S(t(5), 2), S(t(5, lo=0.2), -1), S(t(), 2), S(t(5), 0)]
OPS = [
    Op("norm", _old, [S(t(3, 4)), S(t(3, 4), 1), S(t(3, 4), "fro"), S(t(3, 4), p=INF), S(t(3, 4), 2, dim=1), S(t(3, 4), 3, (0, 1), True),
                      S(t(3, 4), None), S(t(5), p=-INF), S(t(3, 4), "fro", dim=(0, 1)), S(t(3, 4), "nuc", _dtypes="fd"),
                      S(t(2, 3, 4), "nuc", (0, 2), _dtypes="fd")], [RANGE], dtypes=FLOATS, tol=10),
    Op("linalg.norm", _norm, [S(t(5)), S(t(3, 4)), S(t(5), 1), S(t(3, 4), INF), S(t(3, 4), "fro"), S(t(3, 4), 2, dim=1), S(t(3, 4), 1),
                              S(t(2, 3, 4), 1, (0, 2)), S(t(3, 4), dim=0, keepdim=True), S(t(3, 4), -INF), S(t(3, 4), 2, _dtypes="fd"), S(t(3, 4), "nuc", _dtypes="fd"), S(t(3, 4), dtype=torch.float64, _result=None)],
       [E(RuntimeError, "linalg.norm: If dim is specified, it must be of length 1 or 2", t(2, 2, 2), 2, (0, 1, 2)),
        E(RuntimeError, "linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D", t(2, 2, 2), 1),
        E(RuntimeError, "linalg.matrix_norm: Order 3 not supported", t(2, 2), 3)], dtypes=FLOATS, tol=10),
    Op("linalg.vector_norm", vector_norm, [*VECTORS, S(t(0), 2), S(t(3, 4), dtype=torch.float64, _result=None)],
       [E(RuntimeError, "linalg.vector_norm: Expected a floating point or complex tensor as input. Got Long", t(3, dtype="int64")),
        E(RuntimeError, "linalg.vector_norm cannot compute the inf norm on an empty tensor", t(0), INF)],
       dtypes=FLOATS, tol=10),
    Op("linalg.matrix_norm", matrix_norm, [S(t(3, 4)), S(t(3, 4), 1), S(t(3, 4), -1), S(t(3, 4), INF), S(t(2, 3, 4), -INF, (0, 1)),
                                           S(t(2, 3, 4), "fro", dim=(2, 0), keepdim=True), S(t(3, 4), 2), S(t(3, 4), -2),
                                           S(t(2, 3, 4), "nuc", dim=(2, 0), keepdim=True), S(t(2, 3, 4), 2, (0, 1)), S(t(0, 3), 1, _grad=False)],
       [MATRIX, E(RuntimeError, "linalg.matrix_norm: dim must be a 2-tuple", t(3, 3), "fro", (0,)),
        E(RuntimeError, "linalg.matrix_norm: dims must be different", t(3, 3), "fro", (0, 0)),
        E(RuntimeError, "linalg.matrix_norm: Order x not supported", t(3, 3), "x")],
       dtypes="fd", tol=10),
    Op("linalg.vecdot", lambda x, y, dim=-1: (x * y).sum(axis=dim), [S(t(3, 4), t(3, 4)), S(t(3, 4), t(3, 4), dim=0), S(t(4), t(3, 4))],
       [E(RuntimeError, "must match", t(3), t(4)),
        E(RuntimeError, "linalg.vecdot: Expected a floating point or complex tensor as input. Got Long", t(3, dtype="int64"), t(3))],
       dtypes="fd", tol=10),
    Op("dist", lambda x, y, p=2: vector_norm(x - y, p), [S(t(3, 4), t(3, 4)), S(t(3, 4), t(4), 1), S(t(3), t(3), p=INF), S(t(3), t(3), 3.0)],
       [E(RuntimeError, "must match", t(3), t(4))], dtypes="fd", tol=10),
    Op("nn.normalize", _normalize, [S(t(3, 4)), S(t(3, 4), dim=0), S(t(3, 4), p=1.0), S(t(2, 3, 2), 3.0, 2)], dtypes="fd", tol=10, out=False),
    Op("renorm", _renorm, [S(t(3, 4), 2, 0, 1.0), S(t(3, 4), 1, 1, 2.0), S(t(2, 3, 2), 2, -1, 100.0)],
       [E(RuntimeError, "renorm: non-positive-norm not supported", t(2, 2), 0, 0, 1.0),
        E(RuntimeError, "renorm: expected maxnorm to be >= 0 but got -1", t(2, 2), 2, 0, -1.0)], dtypes="fd", tol=10),
]  # fmt: skip
