"""Adaptive pooling with ``None`` for a size that stays, as PyTorch's functions take it."""

from __future__ import annotations

from d2lcore import _C

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from d2lcore._C import Tensor

_nn: Any = _C._nn


def _sizes(input: Tensor, output_size: Any) -> Any:
    if isinstance(output_size, int):
        return output_size
    sizes = tuple(output_size)
    if input.dim() <= len(sizes):
        raise ValueError(f"Input dimension should be at least {len(sizes) + 1}")
    if None not in sizes:
        return sizes
    have = input.shape[-len(sizes) :]
    return tuple(n if size is None else size for size, n in zip(sizes, have, strict=True))


def adaptive_avg_pool2d(input: Tensor, output_size: Any) -> Tensor:
    """Returns means over windows that share out (H, W) among ``output_size`` outputs.

    Args:
        input: (N, C, H, W) or (C, H, W), of a floating dtype.
        output_size: one number, or two; None keeps the input's size.

    >>> import d2lcore as torch
    >>> torch.nn.functional.adaptive_avg_pool2d(torch.ones(1, 3, 5, 7), (2, None)).shape
    torch.Size([1, 3, 2, 7])
    """
    result: Tensor = _nn.adaptive_avg_pool2d(input, _sizes(input, output_size))
    return result


def adaptive_avg_pool3d(input: Tensor, output_size: Any) -> Tensor:
    """Returns means over windows that share out (D, H, W) among ``output_size`` outputs.

    Args:
        input: (N, C, D, H, W) or (C, D, H, W), of a floating dtype.
        output_size: one number, or three; None keeps the input's size.
    """
    result: Tensor = _nn.adaptive_avg_pool3d(input, _sizes(input, output_size))
    return result


def adaptive_max_pool2d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """Returns maxima over windows that share out (H, W) among ``output_size`` outputs.

    Args:
        input: (N, C, H, W) or (C, H, W), of a floating dtype.
        output_size: one number, or two; None keeps the input's size.
        return_indices: also return where in its plane each maximum lies.
    """
    return _nn.adaptive_max_pool2d(input, _sizes(input, output_size), return_indices)


def adaptive_max_pool3d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """Returns maxima over windows that share out (D, H, W) among ``output_size`` outputs.

    Args:
        input: (N, C, D, H, W) or (C, D, H, W), of a floating dtype.
        output_size: one number, or three; None keeps the input's size.
        return_indices: also return where in its volume each maximum lies.
    """
    return _nn.adaptive_max_pool3d(input, _sizes(input, output_size), return_indices)


def _with_indices(name: str, before: int) -> Any:
    """The function with both results; `before` arguments stand before return_indices."""
    function = getattr(_nn, name)

    def pool(input: Tensor, *args: Any, **kwargs: Any) -> Any:
        kwargs["return_indices"] = True
        return function(input, *args[:before], **kwargs)

    pool.__name__ = pool.__qualname__ = f"{name}_with_indices"
    pool.__doc__ = f"Returns what ``{name}`` does with ``return_indices=True``."
    return pool


max_pool1d_with_indices = _with_indices("max_pool1d", 5)
max_pool2d_with_indices = _with_indices("max_pool2d", 5)
max_pool3d_with_indices = _with_indices("max_pool3d", 5)
fractional_max_pool2d_with_indices = _with_indices("fractional_max_pool2d", 3)
fractional_max_pool3d_with_indices = _with_indices("fractional_max_pool3d", 3)

__all__ = [
    "adaptive_avg_pool2d",
    "adaptive_avg_pool3d",
    "adaptive_max_pool2d",
    "adaptive_max_pool3d",
    "fractional_max_pool2d_with_indices",
    "fractional_max_pool3d_with_indices",
    "max_pool1d_with_indices",
    "max_pool2d_with_indices",
    "max_pool3d_with_indices",
]
