"""Normalisation without running statistics: layers, groups, root mean squares, neighbours."""

from __future__ import annotations

import d2lcore
from d2lcore import Tensor
from d2lcore.nn import functional as F
from d2lcore.nn import init
from d2lcore.nn.modules.module import Module
from d2lcore.nn.parameter import Parameter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any


def _add_parameters(
    module: Module, shape: Any, weight: bool, bias: bool, device: Any, dtype: Any
) -> None:
    for name, wanted in (("weight", weight), ("bias", bias)):
        value = Parameter(d2lcore.empty(shape, device=device, dtype=dtype)) if wanted else None
        module.register_parameter(name, value)


def _shape(sizes: int | Sequence[int]) -> tuple[int, ...]:
    return (sizes,) if isinstance(sizes, int) else tuple(sizes)


class LayerNorm(Module):
    """Normalises over the last dimensions: ``(x - mean) / sqrt(var + eps) * weight + bias``.

    Source: Ba, Kiros and Hinton, *Layer Normalization*, arXiv:1607.06450.

    Args:
        normalized_shape: the sizes of the last dimensions (an int for one).
        eps: added to the variance.
        elementwise_affine: whether there are a weight and a bias of that shape.
        bias: False leaves the bias out.
        device, dtype: of the parameters.

    Example::

        >>> torch.nn.LayerNorm(2, elementwise_affine=False)(torch.tensor([[1.0, 3.0]]))
        tensor([[-1.0000,  1.0000]])
    """

    normalized_shape: tuple[int, ...]
    eps: float
    elementwise_affine: bool
    weight: Tensor | None
    bias: Tensor | None

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.normalized_shape = _shape(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        on = elementwise_affine
        _add_parameters(self, self.normalized_shape, on, on and bias, device, dtype)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Weight 1, bias 0."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        """Returns the normalised input."""
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, "
            f"elementwise_affine={self.elementwise_affine}, bias={self.bias is not None}"
        )


class GroupNorm(Module):
    """Normalises each group of channels of each item of (N, C, ...).

    Source: Wu and He, *Group Normalization*, arXiv:1803.08494.

    Args:
        num_groups: how many groups the channels fall into.
        num_channels: C, a multiple of num_groups.
        eps: added to the variance.
        affine: whether there are a weight and a bias for each channel.
        device, dtype: of the parameters.
        bias: False leaves the bias out.

    Example::

        >>> torch.nn.GroupNorm(2, 4)(torch.ones(3, 4, 5)).shape
        torch.Size([3, 4, 5])
    """

    num_groups: int
    num_channels: int
    eps: float
    affine: bool
    weight: Tensor | None
    bias: Tensor | None

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        if num_channels % num_groups != 0:
            raise ValueError(
                f"num_channels ({num_channels}) must be divisible by num_groups ({num_groups})"
            )
        self.num_groups = num_groups
        self.num_channels = num_channels
        self.eps = eps
        self.affine = affine
        _add_parameters(self, num_channels, affine, affine and bias, device, dtype)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Weight 1, bias 0."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        """Returns the normalised input."""
        return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, "
            f"bias={self.bias is not None}"
        )


class RMSNorm(Module):
    """``x / sqrt(mean(x ** 2) + eps) * weight`` over the last dimensions.

    Source: Zhang and Sennrich, *Root Mean Square Layer Normalization*, arXiv:1910.07467.

    Args:
        normalized_shape: the sizes of the last dimensions (an int for one).
        eps: added to the mean square; None takes the dtype's.
        elementwise_affine: whether there is a weight of that shape.
        device, dtype: of the weight.

    Example::

        >>> torch.nn.RMSNorm(2, elementwise_affine=False)(torch.tensor([[3.0, 3.0]]))
        tensor([[1., 1.]])
    """

    normalized_shape: tuple[int, ...]
    eps: float | None
    elementwise_affine: bool
    weight: Tensor | None

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.normalized_shape = _shape(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        shape = self.normalized_shape
        weight = (
            Parameter(d2lcore.empty(shape, device=device, dtype=dtype))
            if elementwise_affine
            else None
        )
        self.register_parameter("weight", weight)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Weight 1."""
        if self.weight is not None:
            init.ones_(self.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Returns the normalised input."""
        return F.rms_norm(x, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"
        )


class LocalResponseNorm(Module):
    """Divides each element of (N, C, ...) by a power of the squares in neighbouring channels.

    Source: Krizhevsky, Sutskever and Hinton, *ImageNet Classification*, 2012, section 3.3.

    Args:
        size: how many neighbouring channels count.
        alpha, beta, k: the divisor is ``(k + alpha * mean of squares) ** beta``.

    Example::

        >>> torch.nn.LocalResponseNorm(2)(torch.zeros(1, 4, 3)).shape
        torch.Size([1, 4, 3])
    """

    size: int
    alpha: float
    beta: float
    k: float

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        super().__init__()
        self.size = size
        self.alpha = alpha
        self.beta = beta
        self.k = k

    def forward(self, input: Tensor) -> Tensor:
        """Returns the normalised input."""
        return F.local_response_norm(input, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self) -> str:
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"
