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


def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Returns ``input1^T weight[k] input2 + bias[k]`` for each output feature k.

    Args:
        input1: (..., in1), input2: (..., in2) with the same leading dimensions.
        weight: (out, in1, in2).
        bias: (out,) or None.
    """
    if input1.shape[:-1] != input2.shape[:-1]:
        raise RuntimeError(
            f"bilinear(): input batch dimensions do not match: got {tuple(input1.shape)} and "
            f"{tuple(input2.shape)}"
        )
    if input1.shape[-1] != weight.shape[1] or input2.shape[-1] != weight.shape[2]:
        raise RuntimeError(
            f"bilinear(): input sizes do not match weight: got {tuple(input1.shape)}, "
            f"{tuple(input2.shape)} and {tuple(weight.shape)}"
        )
    left = input1.reshape(-1, input1.shape[-1]) @ weight.transpose(0, 1).flatten(1)
    left = left.reshape(-1, weight.shape[0], weight.shape[2])
    out = (left @ input2.reshape(-1, input2.shape[-1], 1)).squeeze(-1)
    if bias is not None:
        out = out + bias
    return out.reshape(*input1.shape[:-1], weight.shape[0])


globals().update({k: v for k, v in vars(_C._nn).items() if not k.startswith("_")})
