"""Samples of convolutions, unfold and fold, and the shuffles of channels."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from op_samples.base import FLOATS, E, Op, S, aliases, t


def _many(value: Any, dims: int) -> tuple[int, ...]:
    values = tuple(value) if isinstance(value, (list, tuple)) else (value,)
    return values * dims if len(values) == 1 else values


def _padded(x: np.ndarray, pads: list[tuple[int, int]]) -> np.ndarray:
    return np.pad(x, [(0, 0)] * (x.ndim - len(pads)) + pads)


def _count(n: int, kernel: int, stride: int, dilation: int) -> int:
    return (n - dilation * (kernel - 1) - 1) // stride + 1


def _place(at: tuple[int, ...], out: tuple[int, ...], stride: Any, dilation: Any) -> tuple:
    """The elements that place `at` of all windows meets."""
    slices = [slice(k * d, k * d + (n - 1) * s + 1, s)
              for k, n, s, d in zip(at, out, stride, dilation)]  # fmt: skip
    return (..., *slices)


def _batched(f: Any, dims: int) -> Any:
    def call(x: np.ndarray, *args: Any, **kwargs: Any) -> np.ndarray:
        return f(x[None], *args, **kwargs)[0] if x.ndim == dims + 1 else f(x, *args, **kwargs)

    return call


def conv(dims: int) -> Any:
    """Convolution by its definition, a place of the kernel at a time."""

    def call(x, w, bias=None, stride=1, padding=0, dilation=1, groups=1):
        stride, dilation = _many(stride, dims), _many(dilation, dims)
        kernel = w.shape[2:]
        if padding == "same":
            total = [d * (k - 1) for d, k in zip(dilation, kernel)]
            pads = [(n // 2, n - n // 2) for n in total]
        else:
            pads = [(n, n) for n in _many(0 if padding == "valid" else padding, dims)]
        x = _padded(x, pads)
        out = tuple(map(_count, x.shape[2:], kernel, stride, dilation))
        y = np.zeros((x.shape[0], groups, w.shape[0] // groups, *out), x.dtype)
        xs = x.reshape(x.shape[0], groups, x.shape[1] // groups, *x.shape[2:])
        ws = w.reshape(groups, w.shape[0] // groups, *w.shape[1:])
        for at in itertools.product(*map(range, kernel)):
            part = xs[_place(at, out, stride, dilation)]
            y += np.einsum("ngc...,goc->ngo...", part, ws[(..., *at)])
        y = y.reshape(x.shape[0], w.shape[0], *out)
        return y if bias is None else y + bias.reshape(-1, *[1] * dims)

    return _batched(call, dims)


def conv_transpose(dims: int) -> Any:
    """The adjoint of `conv`, by spreading each element over its window."""

    def call(x, w, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
        stride, dilation = _many(stride, dims), _many(dilation, dims)
        padding, extra = _many(padding, dims), _many(output_padding, dims)
        kernel = w.shape[2:]
        size = tuple((n - 1) * s + d * (k - 1) + e + 1
                     for n, s, d, k, e in zip(x.shape[2:], stride, dilation, kernel, extra))  # fmt: skip
        y = np.zeros((x.shape[0], groups, w.shape[1], *size), x.dtype)
        xs = x.reshape(x.shape[0], groups, x.shape[1] // groups, *x.shape[2:])
        ws = w.reshape(groups, -1, *w.shape[1:])
        for at in itertools.product(*map(range, kernel)):
            y[_place(at, x.shape[2:], stride, dilation)] += np.einsum(
                "ngo...,goc->ngc...", xs, ws[(..., *at)])  # fmt: skip
        y = y.reshape(x.shape[0], groups * w.shape[1], *size)
        y = y[(..., *(slice(p, n - p) for p, n in zip(padding, size)))]
        return y if bias is None else y + bias.reshape(-1, *[1] * dims)

    return _batched(call, dims)


def _convolution(x, w, bias, stride, padding, dilation, transposed, output_padding, groups):
    dims = w.ndim - 2
    if transposed:
        return conv_transpose(dims)(x, w, bias, stride, padding, output_padding, groups, dilation)
    return conv(dims)(x, w, bias, stride, padding, dilation, groups)


def _unfold(x, kernel_size, dilation=1, padding=0, stride=1):
    kernel, dilation = _many(kernel_size, 2), _many(dilation, 2)
    padding, stride = _many(padding, 2), _many(stride, 2)
    x = _padded(x, [(n, n) for n in padding])
    out = tuple(map(_count, x.shape[-2:], kernel, stride, dilation))
    parts = [x[_place(at, out, stride, dilation)] for at in itertools.product(*map(range, kernel))]
    area = len(parts) * x.shape[-3]
    return np.stack(parts, axis=-3).reshape(*x.shape[:-3], area, out[0] * out[1])


def _fold(x, output_size, kernel_size, dilation=1, padding=0, stride=1):
    kernel, dilation = _many(kernel_size, 2), _many(dilation, 2)
    padding, stride = _many(padding, 2), _many(stride, 2)
    size = tuple(n + 2 * p for n, p in zip(_many(output_size, 2), padding))
    out = tuple(map(_count, size, kernel, stride, dilation))
    area = kernel[0] * kernel[1]
    parts = x.reshape(*x.shape[:-2], x.shape[-2] // area, area, *out)
    y = np.zeros((*x.shape[:-2], x.shape[-2] // area, *size), x.dtype)
    for k, at in enumerate(itertools.product(*map(range, kernel))):
        y[_place(at, out, stride, dilation)] += parts[..., k, :, :]
    return y[..., padding[0] : size[0] - padding[0], padding[1] : size[1] - padding[1]]


def _pixel_shuffle(x, r):
    c, h, w = x.shape[-3:]
    y = x.reshape(*x.shape[:-3], c // r**2, r, r, h, w)
    return np.moveaxis(y, [-4, -3], [-3, -1]).reshape(*x.shape[:-3], c // r**2, h * r, w * r)


def _pixel_unshuffle(x, r):
    c, h, w = x.shape[-3:]
    y = x.reshape(*x.shape[:-3], c, h // r, r, w // r, r)
    return np.moveaxis(y, [-3, -1], [-4, -3]).reshape(*x.shape[:-3], c * r**2, h // r, w // r)


def _channel_shuffle(x, groups):
    y = x.reshape(x.shape[0], groups, -1, *x.shape[2:])
    return np.swapaxes(y, 1, 2).reshape(x.shape)


SAMPLES = {
    1: [S(t(2, 4, 9), t(6, 4, 3), t(6)), S(t(4, 9), t(2, 2, 3), None, 2, 1, 1, 2),
        S(t(1, 2, 40), t(3, 2, 5), stride=3, dilation=4), S(t(0, 2, 5), t(3, 2, 2)),
        S(t(2, 2, 7), t(3, 2, 4), t(3), padding="same", dilation=2),
        S(t(3, 5), t(1, 3, 1), padding="valid", stride=2, _grad=False)],
    2: [S(t(2, 3, 6, 7), t(4, 3, 3, 2), t(4)), S(t(2, 3, 6, 7), t(4, 3, 1, 1)),
        S(t(4, 5, 6), t(4, 1, 3, 3), t(4), (2, 1), 1, 1, 4),
        S(t(1, 2, 9, 8), t(3, 2, 2, 3), t(3), stride=(1, 3), padding=(2, 1), dilation=(3, 2)),
        S(t(1, 4, 5, 5), t(6, 2, 3, 3), groups=2, padding=1),
        S(t(2, 2, 6, 5), t(20, 2, 2, 4), t(20), padding="same", _second=False),
        S(t(1, 18, 5, 40), t(18, 18, 3, 3), t(18), padding=1, _grad=False, _variants=False, _dtypes="fdD")],
    3: [S(t(1, 2, 3, 4, 5), t(3, 2, 2, 2, 3), t(3)), S(t(2, 3, 3, 3), t(4, 1, 2, 1, 2), groups=2),
        S(t(1, 1, 4, 5, 4), t(2, 1, 2, 2, 2), None, (2, 1, 3), (1, 0, 1), (1, 2, 1)),
        S(t(1, 1, 3, 3, 3), t(2, 1, 2, 3, 1), padding="same", _second=False)],
}  # fmt: skip
TRANSPOSED = {
    1: [S(t(2, 4, 5), t(4, 3, 3), t(3)), S(t(4, 5), t(4, 2, 4), None, 3, 2, 1, 2),
        S(t(1, 2, 5), t(2, 1, 3), stride=2, dilation=4, output_padding=3)],
    2: [S(t(2, 3, 4, 5), t(3, 2, 3, 2), t(2)), S(t(4, 3, 3), t(4, 1, 2, 2), t(4), 2, 1, 1, 4),
        S(t(1, 2, 4, 3), t(2, 3, 1, 2), stride=(3, 2), padding=(0, 1), dilation=(1, 2))],
    3: [S(t(1, 2, 2, 3, 2), t(2, 3, 2, 2, 3), t(3)),
        S(t(2, 2, 3, 2), t(2, 1, 2, 1, 2), stride=2, groups=2, output_padding=(1, 0, 1))],
}  # fmt: skip


def _errors(dims: int) -> list[E]:
    one = [1] * dims
    x, w = t(1, 2, *[4] * dims), t(2, 2, *[2] * dims)
    return [
        E(RuntimeError, f"input to conv{dims}d, but got input of size: [4]", t(4), w),
        E(RuntimeError, "to have 2 channels, but got 3 channels", t(1, 3, *[4] * dims), w),
        E(RuntimeError, "Kernel size can't be greater than actual input size", t(1, 2, *one), w),
        E(RuntimeError, "non-positive stride is not supported", x, w, stride=0),
        E(RuntimeError, "negative padding is not supported", x, w, padding=-1),
        E(RuntimeError, "dilation should be greater than zero", x, w, dilation=0),
        E(RuntimeError, "non-positive groups is not supported", x, w, groups=0),
        E(RuntimeError, "expected weight to be divisible by 3", t(1, 6, *one), t(4, 2, *one),
          groups=3),
        E(RuntimeError, "expected bias to be 1-dimensional with 2 elements", x, w, t(3)),
        E(RuntimeError, "Invalid padding string: 'full'", x, w, padding="full"),
        E(RuntimeError, "padding='same' is not supported for strided convolutions", x, w,
          padding="same", stride=2),
        E(RuntimeError, "expected scalar type Float but found Double", x,
          t(2, 2, *[2] * dims, dtype="float64")),
        E(RuntimeError, "Input type (float) and bias type (double) should be the same", x, w,
          t(2, dtype="float64")),
        E(RuntimeError, "expected stride to be a single integer value or a list of", x, w,
          stride=[1] * (dims + 1)),
        E(RuntimeError, "", t(1, 2, *[4] * dims), t(2, 2, *[0] * dims)),
        E(RuntimeError, "too large", x, w, dilation=2**40),
    ]  # fmt: skip


def _transpose_errors(dims: int) -> list[E]:
    x, w = t(1, 2, *[4] * dims), t(2, 2, *[2] * dims)
    return [
        E(RuntimeError, "output padding must be smaller than either stride or dilation", x, w,
          output_padding=1),
        E(RuntimeError, "Output size is too small", t(1, 2, *[1] * dims), w, padding=1),
        E(RuntimeError, "expected input", t(1, 3, *[4] * dims), w),
        E(RuntimeError, "negative output_padding is not supported", x, w, output_padding=-1),
        E(RuntimeError, "too large", x, w, stride=2**40),
    ]  # fmt: skip


def _ops(dims: int) -> list[Op]:
    more = {"dtypes": "fdeglF", "tol": 8, "expand": True}
    forward = Op(f"nn.conv{dims}d", conv(dims), SAMPLES[dims], _errors(dims), **more)
    back = Op(f"nn.conv_transpose{dims}d", conv_transpose(dims), TRANSPOSED[dims],
              _transpose_errors(dims), **more)  # fmt: skip
    return [
        forward, *aliases(forward, f"conv{dims}d"), back, *aliases(back, f"conv_transpose{dims}d")
    ]  # fmt: skip


UNFOLD = [S(t(2, 3, 5, 6), 2), S(t(3, 5, 6), (2, 3), dilation=2, padding=1, stride=(1, 2)),
          S(t(0, 1, 4, 4), 2)]  # fmt: skip
FOLD = [S(t(2, 12, 20), (5, 6), 2), S(t(6, 12), 4, (2, 3), 1, 1, (2, 1), _grad=False),
        S(t(1, 4, 4), output_size=4, kernel_size=2, stride=2)]  # fmt: skip

PIXEL = Op("nn.pixel_shuffle", _pixel_shuffle, [S(t(2, 8, 2, 3), 2), S(t(9, 1, 2), 3)],
           [E(RuntimeError, "to be divisible by the square of upscale_factor", t(5, 1, 1), 2),
            E(RuntimeError, "at least 3 dimensions", t(5, 1), 2),
            E(RuntimeError, "is too large", t(5, 1, 1), 2**40)], dtypes="fdegl?F")  # fmt: skip
UNPIXEL = Op("nn.pixel_unshuffle", _pixel_unshuffle, [S(t(2, 2, 4, 6), 2), S(t(1, 3, 6), 3)],
             [E(RuntimeError, "expects height to be divisible by", t(1, 3, 2), 2),
              E(RuntimeError, "expects width to be divisible by", t(1, 2, 3), 2)],
             dtypes="fdegl?F")  # fmt: skip
CHANNEL = Op("nn.channel_shuffle", _channel_shuffle, [S(t(2, 6, 2, 3), 3), S(t(1, 4, 2), 2)],
             [E(RuntimeError, "must be divisible by groups", t(1, 4, 2), 3),
              E(RuntimeError, "must be positive", t(1, 4, 2), 0)], dtypes="fdegl?F")  # fmt: skip

OPS = [
    *_ops(1), *_ops(2), *_ops(3),
    Op("convolution", _convolution,
       [S(t(1, 2, 5, 4), t(3, 2, 2, 3), t(3), [1, 2], [1, 1], [1, 1], False, [0, 0], 1),
        S(t(1, 2, 3, 4), t(2, 3, 2, 2), None, [2], [0], [1], True, [1], 1)], dtypes=FLOATS, tol=8),
    Op("nn.unfold", _unfold, UNFOLD,
       [E(RuntimeError, "calculated shape of the array of sliding blocks as (0, 3)",
          t(1, 1, 4, 4), (5, 2)),
        E(RuntimeError, "stride should be greater than zero", t(1, 1, 4, 4), 2, stride=0),
        E(RuntimeError, "Expected 3D or 4D", t(1, 0, 4, 4), 2),
        E(RuntimeError, "too large", t(1, 1, 4, 4), 2, padding=2**40)], dtypes="fdeg?F"),
    Op("nn.fold", _fold, FOLD,
       [E(RuntimeError, "divisible by the product of kernel_size", t(1, 5, 9), 4, 2),
        E(RuntimeError, "number of sliding blocks 3 * 3 = 9, but got input.size(2)=8",
          t(1, 4, 8), 4, 2)], dtypes="fdegF", tol=4),
    PIXEL, *aliases(PIXEL, "pixel_shuffle"), UNPIXEL, *aliases(UNPIXEL, "pixel_unshuffle"),
    CHANNEL, *aliases(CHANNEL, "channel_shuffle", "native_channel_shuffle"),
]  # fmt: skip


def _places(n, align):
    """The coordinates of n elements in [-1, 1]."""
    if n == 1:
        return np.zeros(1)
    return np.linspace(-1, 1, n) * (1 if align else (n - 1) / n)


def _affine_grid(theta, size, align_corners=None):
    axes = [_places(n, align_corners) for n in size[2:]]
    mesh = np.meshgrid(*axes, indexing="ij")[::-1]
    base = np.stack([*mesh, np.ones(size[2:])], axis=-1)
    return np.einsum("...k,nik->n...i", base, theta)


def _reflect(x, low, high):
    if low == high:
        return 0.0
    x, span = abs(x - low / 2), (high - low) / 2
    flips, rest = int(x // span), x % span
    return rest + low / 2 if flips % 2 == 0 else span - rest + low / 2


def _inside(x, n, padding, align):
    if padding == "reflection":
        x = _reflect(x, 0, 2 * (n - 1)) if align else _reflect(x, -1, 2 * n - 1)
    return x if padding == "zeros" else min(max(x, 0), n - 1)


def _cubic(t):
    a = -0.75
    near = [(a + 2) * v**3 - (a + 3) * v**2 + 1 for v in (t, 1 - t)]
    far = [a * v**3 - 5 * a * v**2 + 8 * a * v - 4 * a for v in (1 + t, 2 - t)]
    return [far[0], near[0], near[1], far[1]]


def _taps(x, n, mode, padding, align):
    """(element, weight) pairs of one dimension."""
    x = (x + 1) / 2 * (n - 1) if align else ((x + 1) * n - 1) / 2
    if mode == "bicubic":
        first = int(np.floor(x))
        taps = [(_inside(first + k - 1, n, padding, align), w)
                for k, w in enumerate(_cubic(x - first))]  # fmt: skip
    else:
        x = _inside(x, n, padding, align)
        first = int(np.floor(x))
        taps = [(first, 1 - (x - first)), (first + 1, x - first)]
        taps = [(np.round(x), 1.0)] if mode == "nearest" else taps
    return [(int(i), w) for i, w in taps if 0 <= i < n]


def _grid_sample(x, grid, mode="bilinear", padding_mode="zeros", align_corners=None):
    out = np.zeros((*x.shape[:2], *grid.shape[1:-1]))
    for n in range(x.shape[0]):
        for at in np.ndindex(*grid.shape[1:-1]):
            place = grid[(n, *at)][::-1]
            taps = [_taps(p, s, mode, padding_mode, bool(align_corners))
                    for p, s in zip(place, x.shape[2:])]  # fmt: skip
            for combination in itertools.product(*taps):
                index = tuple(i for i, _ in combination)
                weight = np.prod([w for _, w in combination])
                out[(n, slice(None), *at)] += weight * x[(n, slice(None), *index)]
    return out


def _grid_sampler(x, grid, mode, padding, align):
    modes, paddings = ("bilinear", "nearest", "bicubic"), ("zeros", "border", "reflection")
    return _grid_sample(x, grid, modes[mode], paddings[padding], align)


IMAGE, AT = t(2, 2, 4, 5), t(2, 3, 2, 2, lo=-1.3, hi=1.3)
VOLUME, IN = t(1, 2, 3, 4, 2), t(1, 2, 1, 3, 3, lo=-1.3, hi=1.3)
GRID = {"dtypes": "fd", "tol": 20, "expand": False}
GRID_ERRORS = [
    E(RuntimeError, "expected 4D or 5D input and grid with same number", t(2, 3, 3), t(2, 3, 2)),
    E(RuntimeError, "to have same batch size", t(1, 1, 2, 2), t(2, 1, 1, 2)),
    E(RuntimeError, "to have size 2 in last dimension", t(1, 1, 2, 2), t(1, 1, 1, 3)),
    E(RuntimeError, "non-empty spatial dimensions", t(1, 1, 0, 2), t(1, 1, 1, 2)),
    E(ValueError, "expected mode to be", t(1, 1, 2, 2), t(1, 1, 1, 2), mode="x"),
    E(ValueError, "expected padding_mode to be", t(1, 1, 2, 2), t(1, 1, 1, 2), padding_mode="x"),
    E(RuntimeError, "bicubic interpolation only supports 4D", VOLUME, IN, mode="bicubic"),
]
SAMPLER = Op("grid_sampler", _grid_sampler, [S(IMAGE, AT, 0, 0, False), S(IMAGE, AT, 2, 1, True)],
             [E(RuntimeError, "unknown interpolation mode", IMAGE, AT, 7, 0, True)],
             **GRID)  # fmt: skip
OPS += [
    Op("nn.grid_sample", _grid_sample,
       [S(IMAGE, AT, mode, padding, align)
        for mode in ("bilinear", "nearest", "bicubic")
        for padding, align in (("zeros", None), ("border", True), ("reflection", False))]
       + [S(VOLUME, IN), S(VOLUME, IN, "nearest", "reflection", True), S(t(0, 1, 2, 2), t(0, 1, 1, 2))],
       GRID_ERRORS, **GRID),
    SAMPLER, *aliases(SAMPLER, "grid_sampler_2d"),
    Op("grid_sampler_3d", _grid_sampler, [S(VOLUME, IN, 0, 2, True)], **GRID),
    Op("nn.affine_grid", _affine_grid,
       [S(t(2, 2, 3), [2, 1, 3, 4]), S(t(1, 3, 4), [1, 2, 2, 1, 3], align_corners=True)],
       [E(ValueError, "Expected a batch of 2D affine matrices", t(1, 3, 4), [1, 1, 2, 2]),
        E(ValueError, "Expected non-zero, positive output size", t(1, 2, 3), [1, 1, 0, 2])],
       dtypes="fd", tol=4),
    Op("affine_grid_generator", _affine_grid, [S(t(2, 2, 3), [2, 1, 3, 4], False)], dtypes="fd",
       tol=4),
]  # fmt: skip
