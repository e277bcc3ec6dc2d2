"""Samples of interpolation."""

from __future__ import annotations

import numpy as np

from op_samples.base import FLOATS, E, Op, S, t


def _place(o, n, size, scale, align, cubic=False):
    if align:
        return o * (n - 1) / (size - 1) if size > 1 else 0.0
    at = (o + 0.5) * (1 / scale if scale else n / size) - 0.5
    return at if cubic else max(at, 0.0)


def _keys(x, a=-0.75):
    x = abs(x)
    if x < 1:
        return ((a + 2) * x - (a + 3)) * x * x + 1
    return (((x - 5) * x + 8) * x - 4) * a if x < 2 else 0.0


def _matrix(n, size, scale, mode, align, antialias):
    """The (size, n) matrix that resizes one dimension."""
    m = np.zeros((size, n))
    step = 1 / scale if scale else n / size
    for o in range(size):
        if mode.startswith("nearest"):
            m[o, min(int((o + (0.5 if mode.endswith("exact") else 0.0)) * step), n - 1)] = 1
        elif mode == "area":
            low, high = o * n // size, -(-(o + 1) * n // size)
            m[o, low:high] = 1 / (high - low)
        elif antialias:
            wide = max(step, 1.0)
            half = wide if mode == "bilinear" else 2 * wide
            center = (o + 0.5) * step
            for i in range(n):
                z = (i - center + 0.5) / wide
                if int(center - half + 0.5) <= i < int(center + half + 0.5):
                    m[o, i] = max(0.0, 1 - abs(z)) if mode == "bilinear" else _keys(z, -0.5)
            m[o] /= m[o].sum()
        elif mode == "bicubic":
            at = _place(o, n, size, scale, align, True)
            low = int(np.floor(at))
            for k in range(-1, 3):
                m[o, np.clip(low + k, 0, n - 1)] += _keys(k - (at - low))
        else:
            at = _place(o, n, size, scale, align)
            low = min(int(at), n - 1)
            m[o, low] += 1 - (at - low)
            m[o, min(low + 1, n - 1)] += at - low
    return m


def _interpolate(x, size, scales=None, mode="nearest", align_corners=False, antialias=False):
    for k, out in enumerate(size):
        scale = scales[k] if scales else None
        m = _matrix(x.shape[k + 2], out, scale, mode, align_corners, antialias)
        x = np.moveaxis(np.tensordot(m, x, (1, k + 2)), 0, k + 2)
    return x


LINE, IMAGE, BLOCK = t(2, 3, 5), t(1, 2, 4, 5), t(1, 2, 3, 4, 3)
OPS = [
    Op("nn.interpolate_to", _interpolate,
       [S(LINE, [7]), S(LINE, [3], mode="nearest-exact"), S(LINE, [8], [1.7], "linear"),
        S(IMAGE, [6, 9], None, "bilinear"), S(IMAGE, [2, 9], None, "bilinear", True),
        S(IMAGE, [7, 3], None, "bicubic"), S(IMAGE, [3, 2], None, "bilinear", False, True),
        S(IMAGE, [3, 2], None, "bicubic", False, True), S(IMAGE, [2, 7], None, "area"),
        S(BLOCK, [5, 2, 6], None, "trilinear"), S(t(2, 3, 4, 20), [8, 40], mode="bilinear")],
       [E(RuntimeError, "Input and output sizes should be greater than 0", t(1, 1, 2), [0]),
        E(RuntimeError, "expected a 3-D input for 1 sizes, got 2-D", t(1, 2), [1]),
        E(NotImplementedError, "unknown mode cubic", t(1, 1, 2), [1], mode="cubic")],
       dtypes=FLOATS, tol=10, expand=False),
]  # fmt: skip
