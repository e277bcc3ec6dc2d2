"""Samples of scaled dot-product attention and of cosine similarity."""

from __future__ import annotations

import math

import numpy as np

from op_samples.base import FLOATS, E, Op, S, b, c, t


def _attention(
    q, k, v, attn_mask=None, dropout_p=0.0, is_causal=False, *, scale=None, enable_gqa=False
):
    if enable_gqa:
        times = q.shape[-3] // k.shape[-3]
        k, v = np.repeat(k, times, axis=-3), np.repeat(v, times, axis=-3)
    scores = q @ np.swapaxes(k, -1, -2) * (1 / math.sqrt(q.shape[-1]) if scale is None else scale)
    if attn_mask is not None:
        add = np.where(attn_mask, 0.0, -np.inf) if attn_mask.dtype == bool else attn_mask
        scores = scores + add
    if is_causal:
        scores = scores + np.triu(np.full(scores.shape[-2:], -np.inf), 1)
    top = scores.max(axis=-1, keepdims=True)
    e = np.exp(scores - np.where(np.isfinite(top), top, 0))
    total = e.sum(axis=-1, keepdims=True)
    return e / np.where(total == 0, 1, total) @ v


def _cosine(x, y, dim=1, eps=1e-8):
    x, y = np.broadcast_arrays(x, y)
    size = [np.maximum(np.sqrt((a * a).sum(axis=dim, keepdims=True)), eps) for a in (x, y)]
    return (x / size[0] * (y / size[1])).sum(axis=dim)


Q, K, V = t(2, 2, 3, 4), t(2, 2, 5, 4), t(2, 2, 5, 3)
PAIRS = [S(t(3, 4), t(3, 4)), S(t(2, 3, 4), t(3, 1), dim=-1), S(t(5), t(5), 0, 1e-3)]
COSINE_ERRORS = [
    E(RuntimeError, "expected common dtype to be floating point, yet common dtype is Long",
      c([[1, 2]], "int64"), c([[1, 2]], "int64"))
]  # fmt: skip
OPS = [
    Op("nn.scaled_dot_product_attention", _attention,
       [S(Q, K, V), S(t(2, 3, 4), t(2, 5, 4), t(2, 5, 4), is_causal=True), S(Q, K, V, b(3, 5)),
        S(Q, K, V, t(2, 1, 3, 5, grad=False), scale=0.3), S(Q, K, V, t(3, 5)),
        S(t(3, 4), t(5, 4), t(5, 2)), S(t(1, 4, 3, 2), t(1, 2, 5, 2), t(1, 2, 5, 2),
                                        enable_gqa=True),
        S(Q, K, V, c([[False] * 5, [True] * 5, [True, False] * 2 + [True]], "bool")),
        S(t(1, 2, 300, 8), t(1, 2, 300, 8), t(1, 2, 300, 8), is_causal=True, _dtypes="fd",
          _grad=False)],
       [E(RuntimeError, "Expected query, key, and value to have the same dtype", t(3, 4),
          c([[1]], "int64"), t(5, 2)),
        E(RuntimeError, "at least 2 dimensional", t(4), t(5, 4), t(5, 4)),
        E(RuntimeError, "Expected attn_mask dtype to be bool or float", Q, K, V,
          c([[1]], "int64"))],
       dtypes=FLOATS, tol=10),
    Op("nn.cosine_similarity", _cosine, PAIRS, COSINE_ERRORS, dtypes=FLOATS, tol=4),
    Op("cosine_similarity", _cosine, PAIRS, COSINE_ERRORS, dtypes=FLOATS, tol=4),
]  # fmt: skip
