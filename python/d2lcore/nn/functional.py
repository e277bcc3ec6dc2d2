"""`torch.nn.functional`: the functions behind the layers.

The idea: every one is an op of the C++ table (``_C._nn``), with PyTorch's signature; this module
only gives them their public place.
"""

from __future__ import annotations

from d2lcore import _C

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from d2lcore._C import Tensor

    def __getattr__(name: str) -> Callable[..., Tensor]: ...



def _channel_dropout(input: Tensor, p: float, training: bool, inplace: bool, dims: int) -> Tensor:
    if not 0 <= p <= 1:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
    if not training or p == 0:
        return input
    batched = input.dim() == dims + 2
    shape = input.shape[: 2 if batched else 1]
    noise = input.new_empty((*shape, *([1] * dims)))
    noise = noise.bernoulli_(1 - p).div_(1 - p) if p < 1 else noise.zero_()
    return input.mul_(noise) if inplace else input * noise


def dropout1d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """Zeroes whole channels of (N, C, L) or (C, L) with probability ``p``, scales the others."""
    return _channel_dropout(input, p, training, inplace, 1)


def dropout2d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """Zeroes whole channels of (N, C, H, W) or (C, H, W) with probability ``p``."""
    return _channel_dropout(input, p, training, inplace, 2)


def dropout3d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """Zeroes whole channels of (N, C, D, H, W) or (C, D, H, W) with probability ``p``."""
    return _channel_dropout(input, p, training, inplace, 3)


globals().update({k: v for k, v in vars(_C._nn).items() if not k.startswith("_")})
