"""Activations that are smooth: exponential units, gates, and softmax in other shapes."""

from __future__ import annotations

from d2lcore import Tensor
from d2lcore.nn import functional as F
from d2lcore.nn.modules.module import Module


class CELU(Module):
    """``max(0, x) + min(0, alpha * (exp(x / alpha) - 1))`` for each element.

    Source: Barron, *Continuously Differentiable Exponential Linear Units*, arXiv:1704.07483.

    Args:
        alpha: minus the limit for very negative ``x``.
        inplace: write into the input.

    Example::

        >>> torch.nn.CELU()(torch.tensor([-2.0, 2.0]))
        tensor([-0.8647,  2.0000])
    """

    alpha: float
    inplace: bool

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.alpha = alpha
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """Returns the function of each element of ``input``."""
        return F.celu(input, self.alpha, self.inplace)

    def extra_repr(self) -> str:
        return f"alpha={self.alpha}" + (", inplace=True" if self.inplace else "")


class SELU(Module):
    """``scale * elu(x, alpha)``, with constants that keep mean 0 and variance 1.

    Source: Klambauer et al., *Self-Normalizing Neural Networks*, arXiv:1706.02515.

    Args:
        inplace: write into the input.

    Example::

        >>> torch.nn.SELU()(torch.ones(1))
        tensor([1.0507])
    """

    inplace: bool

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """Returns the function of each element of ``input``."""
        return F.selu(input, self.inplace)

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""


class GLU(Module):
    """``a * sigmoid(b)`` for the halves a, b of the input along one dimension.

    Source: Dauphin et al., arXiv:1612.08083.

    Args:
        dim: the dimension, of even size.

    Example::

        >>> torch.nn.GLU()(torch.zeros(2, 4)).shape
        torch.Size([2, 2])
    """

    dim: int

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        """Returns the function of each element of ``input``."""
        return F.glu(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class LogSigmoid(Module):
    """``log(sigmoid(x))`` for each element.

    Example::

        >>> torch.nn.LogSigmoid()(torch.zeros(1))
        tensor([-0.6931])
    """

    def forward(self, input: Tensor) -> Tensor:
        """Returns the function of each element of ``input``."""
        return F.logsigmoid(input)


class Softsign(Module):
    """``x / (1 + |x|)`` for each element.

    Example::

        >>> torch.nn.Softsign()(torch.ones(1))
        tensor([0.5000])
    """

    def forward(self, input: Tensor) -> Tensor:
        """Returns the function of each element of ``input``."""
        return F.softsign(input)


class Tanhshrink(Module):
    """``x - tanh(x)`` for each element.

    Example::

        >>> torch.nn.Tanhshrink()(torch.zeros(1))
        tensor([0.])
    """

    def forward(self, input: Tensor) -> Tensor:
        """Returns the function of each element of ``input``."""
        return F.tanhshrink(input)


class Mish(Module):
    """``x * tanh(softplus(x))`` for each element.

    Source: Misra, arXiv:1908.08681.

    Args:
        inplace: write into the input.

    Example::

        >>> torch.nn.Mish()(torch.ones(1))
        tensor([0.8651])
    """

    inplace: bool

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """Returns the function of each element of ``input``."""
        return F.mish(input, self.inplace)

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""


class Softmin(Module):
    """``softmax(-x)`` along one dimension.

    Args:
        dim: the dimension (left out, PyTorch's old rule guesses it).

    Example::

        >>> torch.nn.Softmin(dim=0)(torch.zeros(2))
        tensor([0.5000, 0.5000])
    """

    dim: int | None

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        """Returns the function of each element of ``input``."""
        return F.softmin(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Softmax2d(Module):
    """Softmax over the channels of (N, C, H, W) or (C, H, W), at each place.

    Example::

        >>> torch.nn.Softmax2d()(torch.zeros(1, 2, 1, 1)).flatten()
        tensor([0.5000, 0.5000])
    """

    def forward(self, input: Tensor) -> Tensor:
        """Returns ``softmax(input, dim=-3)``."""
        if input.dim() not in (3, 4):
            raise ValueError(
                f"Softmax2d: expected input to be 3D or 4D, got {input.dim()}D instead"
            )
        return F.softmax(input, -3)
