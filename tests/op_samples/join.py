"""Samples of joining tensors."""

from __future__ import annotations

import numpy as np

from op_samples.base import EVERY, E, Op, S, aliases, t


def _block_diag(parts):
    parts = [np.atleast_2d(p) for p in parts]
    out = np.zeros((sum(p.shape[0] for p in parts), sum(p.shape[1] for p in parts)))
    r = k = 0
    for p in parts:
        out[r : r + p.shape[0], k : k + p.shape[1]] = p
        r, k = r + p.shape[0], k + p.shape[1]
    return out


def _cat(tensors, dim=0):
    parts = [p for p in tensors if p.shape != (0,)] or tensors
    return np.concatenate(parts, axis=dim)


def _product(parts):
    if len(parts) == 1:
        return parts[0]
    return np.stack([g.ravel() for g in np.meshgrid(*parts, indexing="ij")], axis=1)


CAT = Op("cat", _cat,
         [S([t(2, 3), t(4, 3)]), S([t(2, 3), t(2, 1), t(2, 2)], dim=1), S([t(3)]),
          S([t(2, 2), t(0)], 0), S((t(2, 3), t(2, 3)), -1), S([t(0), t(0)])],
         [E(RuntimeError, "Sizes of tensors must match except in dimension 0. Expected size 3 but "
            "got size 4 for tensor number 1 in the list", [t(2, 3), t(2, 4)]),
          E((RuntimeError, ValueError), "expected a non-empty list of Tensors", []),
          E(RuntimeError, "zero-dimensional tensor (at position 0) cannot be concatenated",
            [t(), t()]),
          E(RuntimeError, "Tensors must have same number of dimensions: got 2 and 1",
            [t(2, 3), t(3)]),
          E(IndexError, "Dimension out of range", [t(2)], 1),
          E(TypeError, "", [t(2), 3])], dtypes=EVERY)
VSTACK = Op("vstack", np.vstack, [S([t(3), t(3)]), S([t(2, 3), t(1, 3)])], dtypes=EVERY)

OPS = [
    CAT, *aliases(CAT, "concat", "concatenate"),
    Op("stack", lambda p, dim=0: np.stack(p, axis=dim),
       [S([t(2, 3), t(2, 3)]), S([t(2, 3), t(2, 3)], dim=-1), S([t(), t(), t()]), S([t(3)], 1)],
       [E(RuntimeError, "stack expects each tensor to be equal size, but got [2] at entry 0 and "
          "[3] at entry 1", [t(2), t(3)]),
        E(RuntimeError, "stack expects a non-empty TensorList", []),
        E(IndexError, "Dimension out of range", [t(2)], 2)], dtypes=EVERY),
    Op("hstack", np.hstack, [S([t(3), t(2)]), S([t(2, 3), t(2, 1)]), S([t(), t()])], dtypes=EVERY),
    VSTACK, *aliases(VSTACK, "row_stack"),
    Op("dstack", np.dstack, [S([t(3), t(3)]), S([t(2, 3), t(2, 3)])], dtypes=EVERY),
    Op("column_stack", np.column_stack, [S([t(3), t(3, 2)])], dtypes=EVERY),
    Op("meshgrid", lambda p, indexing="ij": np.meshgrid(*p, indexing=indexing),
       [S([t(2), t(3)]), S([t(2), t(3)], indexing="xy"), S([t(2), t(), t(2)])],
       [E(RuntimeError, "indexing must be one of \"xy\" or \"ij\"", [t(2)], indexing="x")],
       dtypes=EVERY),
    Op("cartesian_prod", lambda *p: _product(p), [S(t(2), t(3)), S(t(3)), S(t(2), t(3), t(2))],
       dtypes=EVERY),
    Op("block_diag", lambda *p: _block_diag(p), [S(t(2, 2), t(1, 3)), S(t(3), t(2, 1)), S(t())], dtypes=EVERY),
]  # fmt: skip
