"""`torch.signal.windows`: the weights by which a stretch of a signal is multiplied.

All take ``M``, the number of weights, and ``sym``: True for a symmetric window (for filters), False
for a periodic one (for spectra), which is a symmetric one of ``M + 1`` weights without its last.
Formulas: F. J. Harris, Proceedings of the IEEE 66 (1978).
"""

from __future__ import annotations

from math import pi, sqrt

import d2lcore as torch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from d2lcore._C import Tensor


def _dtype_of(name: str, count: int, options: dict[str, Any]) -> Any:
    """The dtype of the window; refuses what PyTorch refuses."""
    if count < 0:
        raise ValueError(f"{name} requires non-negative window length, got M={count}")
    dtype = options.get("dtype") or torch.get_default_dtype()
    if dtype not in (torch.float32, torch.float64):
        raise ValueError(f"{name} expects float32 or float64 dtypes, got: {dtype}")
    return dtype


def _finished(window: Tensor, options: dict[str, Any]) -> Tensor:
    known = {"dtype", "layout", "device", "requires_grad"}
    for name in options:
        if name not in known:
            raise TypeError(f"unexpected keyword argument {name!r}")
    return window.requires_grad_() if options.get("requires_grad") else window


def _places(start: float, step: float, count: int, dtype: Any) -> Tensor:
    return torch.linspace(start * step, (start + count - 1) * step, count, dtype=dtype)


def exponential(
    M: int, *, center: float | None = None, tau: float = 1.0, sym: bool = True, **options: Any
) -> Tensor:
    """``exp(-|n - center| / tau)``; ``center`` only for a periodic window."""
    dtype = _dtype_of("exponential", M, options)
    if tau <= 0:
        raise ValueError(f"Tau must be positive, got: {tau} instead.")
    if sym and center is not None:
        raise ValueError("Center must be None for symmetric windows")
    if M == 0:
        return _finished(torch.empty((0,), dtype=dtype), options)
    if center is None:
        center = (M if not sym and M > 1 else M - 1) / 2.0
    return _finished(torch.exp(-torch.abs(_places(-center, 1 / tau, M, dtype))), options)


def cosine(M: int, *, sym: bool = True, **options: Any) -> Tensor:
    """``sin(pi (n + 1/2) / M)``."""
    dtype = _dtype_of("cosine", M, options)
    if M == 0:
        return _finished(torch.empty((0,), dtype=dtype), options)
    step = pi / (M + 1 if not sym and M > 1 else M)
    return _finished(torch.sin(_places(0.5, step, M, dtype)), options)


def gaussian(M: int, *, std: float = 1.0, sym: bool = True, **options: Any) -> Tensor:
    """``exp(-(n - center)^2 / (2 std^2))``."""
    dtype = _dtype_of("gaussian", M, options)
    if std <= 0:
        raise ValueError(f"Standard deviation must be positive, got: {std} instead.")
    if M == 0:
        return _finished(torch.empty((0,), dtype=dtype), options)
    start = -(M if not sym and M > 1 else M - 1) / 2.0
    return _finished(torch.exp(-(_places(start, 1 / (std * sqrt(2)), M, dtype) ** 2)), options)


def kaiser(M: int, *, beta: float = 12.0, sym: bool = True, **options: Any) -> Tensor:
    """``i0(beta sqrt(1 - x^2)) / i0(beta)`` for x from -1 to 1."""
    dtype = _dtype_of("kaiser", M, options)
    if beta < 0:
        raise ValueError(f"beta must be non-negative, got: {beta} instead.")
    if M < 2:
        return _finished(torch.ones((M,), dtype=dtype), options)
    width = torch.tensor(beta, dtype=dtype)
    step = 2.0 * width / (M - 1 if sym else M)
    end = torch.minimum(width, -width + (M - 1) * step)
    k = torch.linspace(-width, end, M, dtype=dtype)
    return _finished(torch.i0(torch.sqrt(width * width - k**2)) / torch.i0(width), options)


def bartlett(M: int, *, sym: bool = True, **options: Any) -> Tensor:
    """A triangle from 0 to 1 and back."""
    dtype = _dtype_of("bartlett", M, options)
    if M < 2:
        return _finished(torch.ones((M,), dtype=dtype), options)
    step = 2 / (M - 1 if sym else M)
    k = torch.linspace(-1, -1 + (M - 1) * step, M, dtype=dtype)
    return _finished(1 - torch.abs(k), options)


def general_cosine(M: int, *, a: Iterable[float], sym: bool = True, **options: Any) -> Tensor:
    """``a[0] - a[1] cos(x) + a[2] cos(2 x) - ...`` for x from 0 to 2 pi.

    >>> import d2lcore as torch
    >>> torch.signal.windows.general_cosine(3, a=[0.5, 0.5])
    tensor([0., 1., 0.])
    """
    dtype = _dtype_of("general_cosine", M, options)
    if M < 2:
        return _finished(torch.ones((M,), dtype=dtype), options)
    if not hasattr(a, "__iter__"):
        raise TypeError("Coefficients must be a list/tuple")
    weights = [-w if i % 2 else w for i, w in enumerate(a)]
    if not weights:
        raise ValueError("Coefficients cannot be empty")
    k = _places(0.0, 2 * pi / (M - 1 if sym else M), M, dtype)
    waves = torch.cos(torch.arange(len(weights), dtype=dtype).unsqueeze(-1) * k)
    window = (torch.tensor(weights, dtype=dtype).unsqueeze(-1) * waves).sum(0)
    return _finished(window, options)


def general_hamming(M: int, *, alpha: float = 0.54, sym: bool = True, **options: Any) -> Tensor:
    """``alpha - (1 - alpha) cos(x)`` for x from 0 to 2 pi."""
    return general_cosine(M, a=[alpha, 1.0 - alpha], sym=sym, **options)


def hamming(M: int, *, sym: bool = True, **options: Any) -> Tensor:
    """``0.54 - 0.46 cos(x)`` for x from 0 to 2 pi."""
    return general_hamming(M, sym=sym, **options)


def hann(M: int, *, sym: bool = True, **options: Any) -> Tensor:
    """``0.5 - 0.5 cos(x)`` for x from 0 to 2 pi."""
    return general_hamming(M, alpha=0.5, sym=sym, **options)


def blackman(M: int, *, sym: bool = True, **options: Any) -> Tensor:
    """Blackman's three-term cosine window."""
    return general_cosine(M, a=[0.42, 0.5, 0.08], sym=sym, **options)


def nuttall(M: int, *, sym: bool = True, **options: Any) -> Tensor:
    """Nuttall's four-term cosine window with least side lobes."""
    return general_cosine(M, a=[0.3635819, 0.4891775, 0.1365995, 0.0106411], sym=sym, **options)


__all__ = [
    "bartlett",
    "blackman",
    "cosine",
    "exponential",
    "gaussian",
    "general_cosine",
    "general_hamming",
    "hamming",
    "hann",
    "kaiser",
    "nuttall",
]
