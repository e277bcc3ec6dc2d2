"""Samples of padding."""

from __future__ import annotations

import numpy as np

from op_samples.base import E, Op, S, t

MODES = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def _widths(x, pad):
    widths = [(0, 0)] * x.ndim
    for k in range(len(pad) // 2):
        widths[x.ndim - 1 - k] = (pad[2 * k], pad[2 * k + 1])
    return widths


def _crop(x, widths):
    return x[tuple(slice(max(-a, 0), x.shape[d] - max(-b, 0)) for d, (a, b) in enumerate(widths))]


def _pad(x, pad, mode="constant", value=None):
    widths = _widths(x, pad)
    grow = [(max(a, 0), max(b, 0)) for a, b in widths]
    if mode == "constant":
        return np.pad(_crop(x, widths), grow, constant_values=x.dtype.type(value or 0))
    if mode == "circular":
        return np.pad(_crop(x, widths), grow, mode="wrap")
    return _crop(np.pad(x, grow, mode=MODES[mode]), widths)


OPS = [
    Op("nn.pad", _pad,
       [S(t(3, 4), (1, 2)), S(t(3, 4), (1, 0, 2, 1), value=2.0), S(t(2, 3, 4), (-1, 1, 0, -2)),
        S(t(3), ()), S(t(0, 2), (1, 1)), S(t(3, 4), (-2, -2)),
        *[S(x, pad, mode) for mode in MODES
          for x, pad in ((t(3, 4), (2, 1)), (t(2, 4, 3), (1, 2, 2, 1)), (t(2, 3, 4), (-1, 3)),
                         (t(2, 3, 2, 4), (1, 1, 1, 0, 2, 1)))]],
       [E(RuntimeError, "Padding length must be divisible by 2", t(3), (1,)),
        E(RuntimeError, "Padding length should be less than or equal to two times the input "
          "dimension but got padding length 4 and input of dimension 1", t(3), (1, 1, 1, 1)),
        E(NotImplementedError, "Padding size 2 is not supported for 4D input tensor",
          t(2, 2, 2, 2), (1, 1), "reflect"),
        E(RuntimeError, "Padding size should be less than the corresponding input dimension, but "
          "got: padding (4, 0) at dimension 1 of input [2, 4]", t(2, 4), (4, 0), "reflect"),
        E(RuntimeError, "Padding value causes wrapping around more than once", t(2, 3), (4, 0),
          "circular"),
        E(RuntimeError, "narrow(): length must be non-negative.", t(2, 3), (-4, 0))]),
    Op("constant_pad_nd", lambda x, pad, value=0: _pad(x, pad, "constant", value),
       [S(t(3, 4), (1, 2)), S(t(3, 4), (1, -1, 2, 1), 3)],
       [E(RuntimeError, "Length of pad must be even but instead it equals 1", t(2), (1,))]),
]  # fmt: skip
