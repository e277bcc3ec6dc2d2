"""Padding as modules: each keeps its amounts and calls ``nn.functional.pad``."""

from __future__ import annotations

from d2lcore import Tensor
from d2lcore.nn import functional as F
from d2lcore.nn.modules.module import Module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    Amounts = int | Sequence[int]


class _Pad(Module):
    """What the family shares: `_dims` dimensions, a mode, and amounts (one int for all of them)."""

    _dims = 0
    _mode = ""
    padding: tuple[int, ...]

    def __init__(self, padding: Amounts) -> None:
        super().__init__()
        n = 2 * self._dims
        self.padding = (padding,) * n if isinstance(padding, int) else tuple(padding)

    def forward(self, input: Tensor) -> Tensor:
        """Returns the padded input."""
        return F.pad(input, self.padding, self._mode)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class _CircularPad(_Pad):
    _mode = "circular"

    def forward(self, input: Tensor) -> Tensor:
        """Returns the padded input."""
        low, n = self._dims + 1, input.dim()
        if n not in (low, low + 1):
            raise ValueError(f"expected {low}D or {low + 1}D input (got {n}D input)")
        return F.pad(input, self.padding, self._mode)


class _ConstantPad(_Pad):
    value: float

    def __init__(self, padding: Amounts, value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        """Returns the padded input."""
        return F.pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class _ZeroPad(_ConstantPad):
    def __init__(self, padding: Amounts) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class CircularPad1d(_CircularPad):
    """Pads (N, C, W) or (C, W) with what comes at its other end.

    Args:
        padding: (left, right), or one int for all.

    Example::

        >>> torch.nn.CircularPad1d(1)(torch.ones(1, 1, 3)).shape
        torch.Size([1, 1, 5])
    """

    _dims = 1


class CircularPad2d(_CircularPad):
    """Pads (N, C, H, W) or (C, H, W) with what comes at its other end.

    Args:
        padding: (left, right, top, bottom), or one int for all.

    Example::

        >>> torch.nn.CircularPad2d(1)(torch.ones(1, 1, 3, 3)).shape
        torch.Size([1, 1, 5, 5])
    """

    _dims = 2


class CircularPad3d(_CircularPad):
    """Pads (N, C, D, H, W) or (C, D, H, W) with what comes at its other end.

    Args:
        padding: (left, right, top, bottom, front, back), or one int for all.

    Example::

        >>> torch.nn.CircularPad3d(1)(torch.ones(1, 1, 3, 3, 3)).shape
        torch.Size([1, 1, 5, 5, 5])
    """

    _dims = 3


class ConstantPad1d(_ConstantPad):
    """Pads (N, C, W) or (C, W) with a constant.

    Args:
        padding: (left, right), or one int for all.
        value: the constant.

    Example::

        >>> torch.nn.ConstantPad1d(1, 1.5)(torch.ones(1, 1, 3)).shape
        torch.Size([1, 1, 5])
    """

    _dims = 1


class ConstantPad2d(_ConstantPad):
    """Pads (N, C, H, W) or (C, H, W) with a constant.

    Args:
        padding: (left, right, top, bottom), or one int for all.
        value: the constant.

    Example::

        >>> torch.nn.ConstantPad2d(1, 1.5)(torch.ones(1, 1, 3, 3)).shape
        torch.Size([1, 1, 5, 5])
    """

    _dims = 2


class ConstantPad3d(_ConstantPad):
    """Pads (N, C, D, H, W) or (C, D, H, W) with a constant.

    Args:
        padding: (left, right, top, bottom, front, back), or one int for all.
        value: the constant.

    Example::

        >>> torch.nn.ConstantPad3d(1, 1.5)(torch.ones(1, 1, 3, 3, 3)).shape
        torch.Size([1, 1, 5, 5, 5])
    """

    _dims = 3


class ReflectionPad1d(_Pad):
    """Pads (N, C, W) or (C, W) with its mirror image, without the edge itself.

    Args:
        padding: (left, right), or one int for all.

    Example::

        >>> torch.nn.ReflectionPad1d(1)(torch.ones(1, 1, 3)).shape
        torch.Size([1, 1, 5])
    """

    _dims = 1
    _mode = "reflect"


class ReflectionPad2d(_Pad):
    """Pads (N, C, H, W) or (C, H, W) with its mirror image, without the edge itself.

    Args:
        padding: (left, right, top, bottom), or one int for all.

    Example::

        >>> torch.nn.ReflectionPad2d(1)(torch.ones(1, 1, 3, 3)).shape
        torch.Size([1, 1, 5, 5])
    """

    _dims = 2
    _mode = "reflect"


class ReflectionPad3d(_Pad):
    """Pads (N, C, D, H, W) or (C, D, H, W) with its mirror image, without the edge itself.

    Args:
        padding: (left, right, top, bottom, front, back), or one int for all.

    Example::

        >>> torch.nn.ReflectionPad3d(1)(torch.ones(1, 1, 3, 3, 3)).shape
        torch.Size([1, 1, 5, 5, 5])
    """

    _dims = 3
    _mode = "reflect"


class ReplicationPad1d(_Pad):
    """Pads (N, C, W) or (C, W) with its edge.

    Args:
        padding: (left, right), or one int for all.

    Example::

        >>> torch.nn.ReplicationPad1d(1)(torch.ones(1, 1, 3)).shape
        torch.Size([1, 1, 5])
    """

    _dims = 1
    _mode = "replicate"


class ReplicationPad2d(_Pad):
    """Pads (N, C, H, W) or (C, H, W) with its edge.

    Args:
        padding: (left, right, top, bottom), or one int for all.

    Example::

        >>> torch.nn.ReplicationPad2d(1)(torch.ones(1, 1, 3, 3)).shape
        torch.Size([1, 1, 5, 5])
    """

    _dims = 2
    _mode = "replicate"


class ReplicationPad3d(_Pad):
    """Pads (N, C, D, H, W) or (C, D, H, W) with its edge.

    Args:
        padding: (left, right, top, bottom, front, back), or one int for all.

    Example::

        >>> torch.nn.ReplicationPad3d(1)(torch.ones(1, 1, 3, 3, 3)).shape
        torch.Size([1, 1, 5, 5, 5])
    """

    _dims = 3
    _mode = "replicate"


class ZeroPad1d(_ZeroPad):
    """Pads (N, C, W) or (C, W) with zeros.

    Args:
        padding: (left, right), or one int for all.

    Example::

        >>> torch.nn.ZeroPad1d(1)(torch.ones(1, 1, 3)).shape
        torch.Size([1, 1, 5])
    """

    _dims = 1


class ZeroPad2d(_ZeroPad):
    """Pads (N, C, H, W) or (C, H, W) with zeros.

    Args:
        padding: (left, right, top, bottom), or one int for all.

    Example::

        >>> torch.nn.ZeroPad2d(1)(torch.ones(1, 1, 3, 3)).shape
        torch.Size([1, 1, 5, 5])
    """

    _dims = 2


class ZeroPad3d(_ZeroPad):
    """Pads (N, C, D, H, W) or (C, D, H, W) with zeros.

    Args:
        padding: (left, right, top, bottom, front, back), or one int for all.

    Example::

        >>> torch.nn.ZeroPad3d(1)(torch.ones(1, 1, 3, 3, 3)).shape
        torch.Size([1, 1, 5, 5, 5])
    """

    _dims = 3
