"""Activations as modules: each keeps its constants and calls the function of the same name."""

from __future__ import annotations

from d2lcore import Tensor
from d2lcore.nn import functional as F
from d2lcore.nn.modules.module import Module


class ReLU(Module):
    """``max(x, 0)`` for each element of a tensor of any shape.

    Args:
        inplace: write into the input.

    Example::

        >>> torch.nn.ReLU()(torch.tensor([-1.0, 2.0]))
        tensor([0., 2.])
    """

    inplace: bool

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """Returns ``max(input, 0)``."""
        return F.relu(input, self.inplace)

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""


class Sigmoid(Module):
    """``1 / (1 + exp(-x))`` for each element of a tensor of any shape.

    Example::

        >>> torch.nn.Sigmoid()(torch.zeros(1))
        tensor([0.5000])
    """

    def forward(self, input: Tensor) -> Tensor:
        """Returns ``sigmoid(input)``."""
        return F.sigmoid(input)


class Tanh(Module):
    """``tanh(x)`` for each element of a tensor of any shape.

    Example::

        >>> torch.nn.Tanh()(torch.zeros(1))
        tensor([0.])
    """

    def forward(self, input: Tensor) -> Tensor:
        """Returns ``tanh(input)``."""
        return F.tanh(input)


class GELU(Module):
    """``x * Phi(x)``, Phi the distribution function of the standard normal law.

    Source: Hendrycks and Gimpel, *Gaussian Error Linear Units*, arXiv:1606.08415.

    Args:
        approximate: ``"none"`` (exact, by erf) or ``"tanh"`` (the paper's approximation).

    Example::

        >>> torch.nn.GELU()(torch.ones(1))
        tensor([0.8413])
    """

    approximate: str

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate

    def forward(self, input: Tensor) -> Tensor:
        """Returns ``gelu(input)``."""
        return F.gelu(input, approximate=self.approximate)

    def extra_repr(self) -> str:
        return f"approximate={self.approximate!r}"


class SiLU(Module):
    """``x * sigmoid(x)`` for each element of a tensor of any shape.

    Args:
        inplace: write into the input.

    Example::

        >>> torch.nn.SiLU()(torch.ones(1))
        tensor([0.7311])
    """

    inplace: bool

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """Returns ``silu(input)``."""
        return F.silu(input, self.inplace)

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""


class LeakyReLU(Module):
    """``x`` where it is positive, ``negative_slope * x`` elsewhere.

    Args:
        negative_slope: the slope below zero (default 0.01).
        inplace: write into the input.

    Example::

        >>> torch.nn.LeakyReLU(0.1)(torch.tensor([-1.0, 2.0]))
        tensor([-0.1000,  2.0000])
    """

    negative_slope: float
    inplace: bool

    def __init__(self, negative_slope: float = 1e-2, inplace: bool = False) -> None:
        super().__init__()
        self.negative_slope = negative_slope
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """Returns ``leaky_relu(input)``."""
        return F.leaky_relu(input, self.negative_slope, self.inplace)

    def extra_repr(self) -> str:
        return f"negative_slope={self.negative_slope}" + (", inplace=True" if self.inplace else "")


class ELU(Module):
    """``x`` where it is positive, ``alpha * (exp(x) - 1)`` elsewhere.

    Source: Clevert, Unterthiner and Hochreiter, arXiv:1511.07289.

    Args:
        alpha: minus the limit for very negative ``x`` (default 1).
        inplace: write into the input.

    Example::

        >>> torch.nn.ELU()(torch.tensor([-1.0, 2.0]))
        tensor([-0.6321,  2.0000])
    """

    alpha: float
    inplace: bool

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.alpha = alpha
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """Returns ``elu(input)``."""
        return F.elu(input, self.alpha, self.inplace)

    def extra_repr(self) -> str:
        return f"alpha={self.alpha}" + (", inplace=True" if self.inplace else "")


class Softplus(Module):
    """``log(1 + exp(beta * x)) / beta``, and ``x`` itself where ``beta * x > threshold``.

    Args:
        beta: sharpness (default 1).
        threshold: above it the function is the identity (default 20).

    Example::

        >>> torch.nn.Softplus()(torch.zeros(1))
        tensor([0.6931])
    """

    beta: float
    threshold: float

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta = beta
        self.threshold = threshold

    def forward(self, input: Tensor) -> Tensor:
        """Returns ``softplus(input)``."""
        return F.softplus(input, self.beta, self.threshold)

    def extra_repr(self) -> str:
        return f"beta={self.beta}, threshold={self.threshold}"


class Softmax(Module):
    """``exp(x) / sum(exp(x))`` along one dimension; the slices along it sum to one.

    Args:
        dim: the dimension (left out, PyTorch's old rule guesses it with a warning).

    Example::

        >>> torch.nn.Softmax(dim=1)(torch.zeros(1, 4))
        tensor([[0.2500, 0.2500, 0.2500, 0.2500]])
    """

    dim: int | None

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        """Returns ``softmax(input)``."""
        return F.softmax(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class LogSoftmax(Module):
    """The logarithm of `Softmax`, computed without leaving the range of the dtype.

    Args:
        dim: the dimension (left out, PyTorch's old rule guesses it with a warning).

    Example::

        >>> torch.nn.LogSoftmax(dim=0)(torch.zeros(2))
        tensor([-0.6931, -0.6931])
    """

    dim: int | None

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        """Returns ``log_softmax(input)``."""
        return F.log_softmax(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"
