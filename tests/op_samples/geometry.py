"""Samples of distances, cross products, rotations, combinations and spacings."""

from __future__ import annotations

from itertools import combinations, combinations_with_replacement

import numpy as np

from op_samples.base import FLOATS, REALS, E, Op, S, c, i, t


def _cdist(x, y, p=2.0, compute_mode=None):
    away = np.abs(x[..., :, None, :] - y[..., None, :, :])
    if p == 0:
        return (away != 0).sum(-1).astype(float)
    return away.max(-1) if p == np.inf else (away**p).sum(-1) ** (1 / p)


def _cross(x, y, dim=None):
    if dim is None:
        dim = list(x.shape).index(3)
    return np.cross(x, y, axis=dim)


def _choices(x, r=2, with_replacement=False):
    choose = combinations_with_replacement if with_replacement else combinations
    return np.array(list(choose(x, r))).reshape(-1, r)


def _histogram(x, bins=100, range=None, weight=None, density=False):
    return np.histogram(x.ravel(), bins, range, density, None if weight is None else weight.ravel())


def _same(result, args, kwargs):
    assert result.shape == tuple(args[1]) and result.stride() == tuple(args[2])


LENGTH = "linalg.cross: inputs dimension 0 must have length 3. Got 2 and 2"
CROSS = [S(t(3), t(3)), S(t(2, 3), t(2, 3)), S(t(4, 3), t(1, 3))]

OPS = [
    Op("cdist", _cdist,
       [S(t(4, 3), t(5, 3)), S(t(2, 4, 3), t(5, 3), 1.0), S(t(3, 2), t(2, 2), 3.0), S(t(3, 2), t(4, 2), float("inf"), _second=False),
        S(t(3, 2), t(2, 2), compute_mode="use_mm_for_euclid_dist"), S(t(3, 2), t(4, 2), 0.0, _grad=False), S(t(0, 2), t(4, 2), _grad=False)],
       [E(RuntimeError, "cdist only supports at least 2D tensors, X1 got: 1D", t(3), t(3)),
        E(RuntimeError, "X1 and X2 must have the same number of columns. X1: 3 X2: 4", t(2, 3), t(2, 4)),
        E(RuntimeError, "cdist only supports non-negative p values", t(2, 3), t(2, 3), -1.0),
        E(ValueError, "x is not a valid value for compute_mode", t(2, 3), t(2, 3), compute_mode="x")],
       dtypes="fd", tol=8, expand=False),
    Op("cross", _cross, [*CROSS, S(t(3, 2), t(3, 2)), S(t(2, 3, 3), t(2, 3, 3), 1)],
       [E(RuntimeError, "no dimension of size 3 in input", t(2), t(2)), E(RuntimeError, LENGTH, t(2, 3), t(2, 3), 0)], dtypes=REALS),
    Op("linalg.cross", lambda x, y, dim=-1: np.cross(x, y, axis=dim), [*CROSS, S(t(3, 2), t(3, 2), dim=0)],
       [E(RuntimeError, LENGTH, t(2, 3), t(2, 3), dim=0), E(RuntimeError, "inputs must have the same number of dimensions", t(3), t(2, 3))],
       dtypes=REALS),
    Op("rot90", lambda x, k=1, dims=(0, 1): np.rot90(x, k, dims), [S(t(2, 3)), S(t(2, 3), 2), S(t(2, 3), -1), S(t(2, 3, 4), 3, [1, 2]), S(t(2, 3), 4)],
       [E(RuntimeError, "expected total dims >= 2, but got total dims = 1", t(3)),
        E(RuntimeError, "expected rotation dims to be different", t(2, 2), 1, [0, -2])]),
    Op("diagflat", np.diagflat, [S(t(3)), S(t(2, 2), 1), S(t(2), -2), S(t())]),
    Op("combinations", _choices, [S(t(4)), S(t(4), 3), S(t(3), 2, True), S(t(3), 4), S(t(1), 1)],
       [E(RuntimeError, "Expect a 1D vector, but got shape [2, 2]", t(2, 2)), E(RuntimeError, "Expect a non-negative number, but got -1", t(3), -1)]),
    Op("logspace", lambda a, b, n, base=10.0: np.logspace(a, b, n, base=base), [S(0, 1, 5), S(-1.0, 2.0, 7, 2.0), S(0, 3, 1), S(0, 3, 0), S(c(0.0), c(1.0), 3), S(c(0.0), 1, 3), S(0, c(1.0), 3)],
       [E(RuntimeError, "number of steps must be non-negative", 0, 1, -1)], dtypes="f", grad=False, variants=False),
    Op("histogram", _histogram,
       [S(t(20), 4), S(t(4, 5), 3, range=(-1.0, 1.5)), S(t(20), 5, weight=t(20, lo=0, hi=2)), S(t(20), 4, density=True),
        S(t(20), c([-1.0, 0.0, 0.5, 2.0], grad=False))],
       [E(RuntimeError, "torch.histogram(): bins must be > 0, but got 0", t(3), 0),
        E(NotImplementedError, "\"histogramdd\" not implemented for 'Long'", i(3, high=4), 3),
        E(RuntimeError, "torch.histogramdd: min should not exceed max, but got min 2 max 1", t(3), 3, range=(2.0, 1.0))],
       dtypes="fd", grad=False, expand=False),
    Op("new_empty_strided", None, [S(t(2), (2, 3), (3, 1)), S(t(2), (2, 3), (1, 2))], [E(RuntimeError, "", t(2), (2, 3), (1,))],
       dtypes=FLOATS, check=_same, grad=False, variants=False),
]  # fmt: skip
