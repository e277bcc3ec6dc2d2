"""Activations made of straight pieces: limits, shrinkage, learned and random slopes."""

from __future__ import annotations

import d2lcore
from d2lcore import Tensor
from d2lcore.nn import functional as F
from d2lcore.nn import init
from d2lcore.nn.modules.module import Module
from d2lcore.nn.parameter import Parameter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def _inplace(module: Hardtanh | Threshold | RReLU) -> str:
    return ", inplace=True" if module.inplace else ""


class Hardtanh(Module):
    """Limits each element to [min_val, max_val].

    Args:
        min_val: the lower limit.
        max_val: the upper limit, above the lower one.
        inplace: write into the input.

    Example::

        >>> torch.nn.Hardtanh()(torch.tensor([-2.0, 2.0]))
        tensor([-1.,  1.])
    """

    min_val: float
    max_val: float
    inplace: bool

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.min_val = min_val
        self.max_val = max_val
        self.inplace = inplace
        if not max_val > min_val:
            raise AssertionError("max_val must be larger than min_val")

    def forward(self, input: Tensor) -> Tensor:
        """Returns the function of each element of ``input``."""
        return F.hardtanh(input, self.min_val, self.max_val, self.inplace)

    def extra_repr(self) -> str:
        return f"min_val={self.min_val}, max_val={self.max_val}" + _inplace(self)


class ReLU6(Hardtanh):
    """``min(max(x, 0), 6)`` for each element.

    Args:
        inplace: write into the input.

    Example::

        >>> torch.nn.ReLU6()(torch.tensor([-2.0, 8.0]))
        tensor([0., 6.])
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__(0.0, 6.0, inplace)

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""


class Hardsigmoid(Module):
    """``relu6(x + 3) / 6`` for each element.

    Args:
        inplace: write into the input.

    Example::

        >>> torch.nn.Hardsigmoid()(torch.zeros(1))
        tensor([0.5000])
    """

    inplace: bool

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """Returns the function of each element of ``input``."""
        return F.hardsigmoid(input, self.inplace)


class Hardswish(Module):
    """``x * relu6(x + 3) / 6`` for each element.

    Source: Howard et al., *Searching for MobileNetV3*, arXiv:1905.02244.

    Args:
        inplace: write into the input.

    Example::

        >>> torch.nn.Hardswish()(torch.tensor([3.0]))
        tensor([3.])
    """

    inplace: bool

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """Returns the function of each element of ``input``."""
        return F.hardswish(input, self.inplace)


class Hardshrink(Module):
    """``x`` where ``|x| > lambd``, else 0.

    Args:
        lambd: the limit.

    Example::

        >>> torch.nn.Hardshrink()(torch.tensor([-2.0, 0.25]))
        tensor([-2.,  0.])
    """

    lambd: float

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def forward(self, input: Tensor) -> Tensor:
        """Returns the function of each element of ``input``."""
        return F.hardshrink(input, self.lambd)

    def extra_repr(self) -> str:
        return f"{self.lambd}"


class Softshrink(Module):
    """Moves each element towards 0 by ``lambd``, at most to 0.

    Args:
        lambd: how far, not negative.

    Example::

        >>> torch.nn.Softshrink()(torch.tensor([-2.0, 0.25]))
        tensor([-1.5000,  0.0000])
    """

    lambd: float

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def forward(self, input: Tensor) -> Tensor:
        """Returns the function of each element of ``input``."""
        return F.softshrink(input, self.lambd)

    def extra_repr(self) -> str:
        return str(self.lambd)


class Threshold(Module):
    """``x`` where ``x > threshold``, else ``value``.

    Args:
        threshold: the limit.
        value: what takes the place of the others.
        inplace: write into the input.

    Example::

        >>> torch.nn.Threshold(1.0, 7.0)(torch.tensor([0.5, 2.0]))
        tensor([7., 2.])
    """

    threshold: float
    value: float
    inplace: bool

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__()
        self.threshold = threshold
        self.value = value
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """Returns the function of each element of ``input``."""
        return F.threshold(input, self.threshold, self.value, self.inplace)

    def extra_repr(self) -> str:
        return f"threshold={self.threshold}, value={self.value}" + _inplace(self)


class RReLU(Module):
    """``x`` where it is positive, ``a * x`` elsewhere: a is drawn in training, fixed otherwise.

    Source: Xu et al., arXiv:1505.00853.

    Args:
        lower: the least a.
        upper: the limit of a; evaluation takes the mean of both.
        inplace: write into the input.

    Example::

        >>> torch.nn.RReLU(0.25, 0.75).eval()(torch.tensor([-2.0, 2.0]))
        tensor([-1.,  2.])
    """

    lower: float
    upper: float
    inplace: bool

    def __init__(
        self, lower: float = 1.0 / 8, upper: float = 1.0 / 3, inplace: bool = False
    ) -> None:
        super().__init__()
        self.lower = lower
        self.upper = upper
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """Returns the function of each element of ``input``."""
        return F.rrelu(input, self.lower, self.upper, self.training, self.inplace)

    def extra_repr(self) -> str:
        return f"lower={self.lower}, upper={self.upper}" + _inplace(self)


class PReLU(Module):
    """``x`` where it is positive, ``weight * x`` elsewhere, with a learned weight.

    Source: He et al., *Delving Deep into Rectifiers*, arXiv:1502.01852.

    Args:
        num_parameters: 1, or one weight for each channel (dimension 1).
        init: what the weights start from.
        device, dtype: of the weight.

    Example::

        >>> torch.nn.PReLU()(torch.tensor([-2.0, 2.0])).detach()
        tensor([-0.5000,  2.0000])
    """

    num_parameters: int
    weight: Tensor

    def __init__(
        self, num_parameters: int = 1, init: float = 0.25, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        self.num_parameters = num_parameters
        self.init = init
        self.weight = Parameter(d2lcore.empty(num_parameters, device=device, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Sets the weights to the value they started from."""
        init.constant_(self.weight, self.init)

    def forward(self, input: Tensor) -> Tensor:
        """Returns ``prelu(input, weight)``."""
        return F.prelu(input, self.weight)

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}"
