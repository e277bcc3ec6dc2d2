"""`torch.nn.functional`: the functions behind the layers.

The idea: most are ops of the C++ table (``_C._nn``), with PyTorch's signature; this module gives
them their public place, beside those that only arrange ops (``_losses``, ``_resize``, ...).
"""

from __future__ import annotations

from d2lcore import _C
from d2lcore.nn._attention import *  # noqa: F403
from d2lcore.nn._bags import *  # noqa: F403
from d2lcore.nn._losses import *  # noqa: F403
from d2lcore.nn._noise import *  # noqa: F403
from d2lcore.nn._resize import *  # noqa: F403

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from d2lcore._C import Tensor

    def __getattr__(name: str) -> Callable[..., Tensor]: ...


def _check_probability(p: float) -> None:
    if not 0 <= p <= 1:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")


def _noise(input: Tensor, p: float, channels: bool) -> Tensor:
    """Ones with probability ``1 - p``, else zeros: like ``input``, or one for each (N, C)."""
    if not channels:
        return _C.empty_like(input).bernoulli_(1 - p)
    if input.dim() < 2:
        raise RuntimeError("Feature dropout requires at least 2 dimensions in the input")
    shape = (*input.shape[:2], *([1] * (input.dim() - 2)))
    return input.new_empty(shape).bernoulli_(1 - p)


def _multiply(input: Tensor, noise: Tensor, inplace: bool) -> Tensor:
    return input.mul_(noise) if inplace else input * noise


def _feature_dropout(input: Tensor, p: float, training: bool, inplace: bool) -> Tensor:
    if not training or p == 0 or input.numel() == 0:
        return input
    if p == 1:
        return _multiply(input, input.new_zeros(()), inplace)
    return _multiply(input, _noise(input, p, True).div_(1 - p), inplace)


def _alpha_dropout(
    input: Tensor, p: float, training: bool, inplace: bool, channels: bool
) -> Tensor:
    _check_probability(p)
    if not training or p == 0 or input.numel() == 0:
        return input
    if p == 1:
        return _multiply(input, input.new_zeros(()), inplace)
    # The dropped become -alpha, the negative limit of selu; a and b keep mean 0 and variance 1.
    alpha = 1.7580993408473766
    noise = _noise(input, p, channels)
    a = 1 / ((alpha * alpha * p + 1) * (1 - p)) ** 0.5
    b = noise.add(-1).mul_(alpha * a).add_(alpha * a * p)
    return _multiply(input, noise.mul_(a), inplace).add_(b)


def alpha_dropout(
    input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Tensor:
    """Dropout for ``selu``: dropped elements take its negative limit, mean and variance stay.

    Klambauer et al., Self-Normalizing Neural Networks, 2017.

    >>> import d2lcore as torch
    >>> torch.nn.functional.alpha_dropout(torch.ones(2), training=False)
    tensor([1., 1.])
    """
    return _alpha_dropout(input, p, training, inplace, False)


def feature_alpha_dropout(
    input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Tensor:
    """:func:`alpha_dropout` of whole channels of (N, C, ...)."""
    return _alpha_dropout(input, p, training, inplace, True)


def _channel_dropout(input: Tensor, p: float, training: bool, inplace: bool, dims: int) -> Tensor:
    """Whole channels; a batch of one where the input has only ``dims + 1`` dimensions."""
    if input.dim() == dims + 2:
        return _feature_dropout(input, p, training, inplace)
    batch = input.unsqueeze_(0) if inplace else input.unsqueeze(0)
    out = _feature_dropout(batch, p, training, inplace)
    return out.squeeze_(0) if inplace else out.squeeze(0)


def _warn_of_rank(name: str, rank: int, dims: int) -> None:
    from warnings import warn

    warn(
        f"{name}: Received a {rank}-D input to {name}, which is deprecated and will result in an "
        "error in a future release. To retain the behavior and silence this warning, please use "
        f"dropout instead. Note that {name} exists to provide channel-wise dropout on inputs with "
        f"{dims} spatial dimensions, a channel dimension, and an optional batch dimension (i.e. "
        f"{dims + 1}D or {dims + 2}D inputs).",
        stacklevel=3,
    )


def dropout1d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """Zeroes whole channels of (N, C, L) or (C, L) with probability ``p``, scales the others."""
    _check_probability(p)
    if input.dim() not in (2, 3):
        raise RuntimeError(
            f"dropout1d: Expected 2D or 3D input, but received a {input.dim()}D input. Note that "
            "dropout1d exists to provide channel-wise dropout on inputs with 1 spatial dimension, "
            "a channel dimension, and an optional batch dimension (i.e. 2D or 3D inputs)."
        )
    return _channel_dropout(input, p, training, inplace, 1)


def dropout2d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """Zeroes whole channels of (N, C, H, W) with probability ``p``.

    Three dimensions are read as (N, C, L), with a warning, as in PyTorch.
    """
    _check_probability(p)
    if input.dim() not in (3, 4):
        _warn_of_rank("dropout2d", input.dim(), 2)
    if input.dim() == 3:
        from warnings import warn

        warn(
            "dropout2d: Received a 3D input to dropout2d and assuming that channel-wise 1D dropout "
            "behavior is desired - input is interpreted as shape (N, C, L), where C is the channel "
            "dim. This behavior will change in a future release to interpret the input as one "
            "without a batch dimension, i.e. shape (C, H, W). To maintain the 1D channel-wise "
            "dropout behavior, please switch to using dropout1d instead.",
            stacklevel=2,
        )
    return _feature_dropout(input, p, training, inplace)


def dropout3d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """Zeroes whole channels of (N, C, D, H, W) or (C, D, H, W) with probability ``p``."""
    _check_probability(p)
    if input.dim() not in (4, 5):
        _warn_of_rank("dropout3d", input.dim(), 3)
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


def local_response_norm(
    input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Tensor:
    """Divides by ``(k + alpha * mean) ** beta``, the mean of the squares in ``size`` neighbouring
    channels (channels outside count as zeros).

    Args:
        input: (N, C, ...), at least three dimensions.

    >>> import d2lcore as torch
    >>> torch.nn.functional.local_response_norm(torch.zeros(1, 4, 3), 2).shape
    torch.Size([1, 4, 3])
    """
    dim = input.dim()
    if dim < 3:
        raise ValueError(
            "Expected 3D or higher dimensionality                          input "
            f"(got {dim} dimensions)"
        )
    if input.numel() == 0:
        return input
    squares: Tensor = _C.constant_pad_nd(
        input * input, [0, 0] * (dim - 2) + [size // 2, (size - 1) // 2]
    )
    windows = squares.unfold(1, size, 1)
    exact = input.is_floating_point() or input.is_complex()
    mean = windows.mean(-1) if exact else windows.sum(-1) // size  # integers: as avg_pool divides
    return input / mean.mul(alpha).add(k).pow(beta)


globals().update({k: v for k, v in vars(_C._nn).items() if not k.startswith("_")})

from d2lcore.nn._pooling import *  # noqa: E402, F403
