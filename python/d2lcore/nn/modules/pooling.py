"""Pooling layers.

The idea: a layer keeps its arguments as they were given and calls the function of its name.
"""

from __future__ import annotations

from d2lcore import Tensor
from d2lcore.nn import functional as F
from d2lcore.nn.modules.conv import _tuple
from d2lcore.nn.modules.module import Module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Sizes = int | tuple[int, ...]


class _MaxPoolNd(Module):
    _dims = 0
    return_indices: bool
    ceil_mode: bool

    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        dilation: Sizes = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = stride if stride is not None else kernel_size
        self.padding = padding
        self.dilation = dilation
        self.return_indices = return_indices
        self.ceil_mode = ceil_mode

    def forward(self, input: Tensor) -> Any:
        """Returns the maxima, and where they lie if ``return_indices``."""
        f = (F.max_pool1d, F.max_pool2d, F.max_pool3d)[self._dims - 1]
        return f(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
            ceil_mode=self.ceil_mode,
            return_indices=self.return_indices,
        )

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"dilation={self.dilation}, ceil_mode={self.ceil_mode}"
        )


class _MaxUnpoolNd(Module):
    _dims = 0

    def __init__(self, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0) -> None:
        super().__init__()
        self.kernel_size = _tuple(kernel_size, self._dims)
        self.stride = _tuple(stride if stride is not None else kernel_size, self._dims)
        self.padding = _tuple(padding, self._dims)

    def forward(
        self, input: Tensor, indices: Tensor, output_size: list[int] | None = None
    ) -> Tensor:
        """Puts ``input`` where ``indices`` say; zeros elsewhere."""
        f = (F.max_unpool1d, F.max_unpool2d, F.max_unpool3d)[self._dims - 1]
        return f(input, indices, self.kernel_size, self.stride, self.padding, output_size)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class _AvgPoolNd(Module):
    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class _AvgPoolWide(_AvgPoolNd):
    _dims = 0

    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = stride if stride is not None else kernel_size
        self.padding = padding
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad
        self.divisor_override = divisor_override

    def forward(self, input: Tensor) -> Tensor:
        """Returns the means."""
        f = F.avg_pool2d if self._dims == 2 else F.avg_pool3d
        return f(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.ceil_mode,
            self.count_include_pad,
            self.divisor_override,
        )


class AvgPool1d(_AvgPoolNd):
    """Means over windows of ``(N, C, L)`` or ``(C, L)``.

    Args:
        kernel_size, stride, padding: numbers; ``stride`` is ``kernel_size`` by default.
        ceil_mode: whether a last window that sticks out counts.
        count_include_pad: whether the zeros of the padding count.

    Example::

        >>> torch.nn.AvgPool1d(2)(torch.arange(4.0).view(1, 1, 4))
        tensor([[[0.5000, 2.5000]]])
    """

    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__()
        self.kernel_size = _tuple(kernel_size, 1)
        self.stride = _tuple(stride if stride is not None else kernel_size, 1)
        self.padding = _tuple(padding, 1)
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad

    def forward(self, input: Tensor) -> Tensor:
        """Returns the means."""
        return F.avg_pool1d(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.ceil_mode,
            self.count_include_pad,
        )


class _LPPoolNd(Module):
    _dims = 0

    def __init__(
        self,
        norm_type: float,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.norm_type = norm_type
        self.kernel_size = kernel_size
        self.stride = stride
        self.ceil_mode = ceil_mode

    def forward(self, input: Tensor) -> Tensor:
        """Returns the norms."""
        f = (F.lp_pool1d, F.lp_pool2d, F.lp_pool3d)[self._dims - 1]
        return f(input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode)

    def extra_repr(self) -> str:
        return (
            f"norm_type={self.norm_type}, kernel_size={self.kernel_size}, stride={self.stride}, "
            f"ceil_mode={self.ceil_mode}"
        )


class _AdaptiveMaxPoolNd(Module):
    _dims = 0

    def __init__(self, output_size: Any, return_indices: bool = False) -> None:
        super().__init__()
        self.output_size = output_size
        self.return_indices = return_indices

    def forward(self, input: Tensor) -> Any:
        """Returns the maxima, and where they lie if ``return_indices``."""
        f = (F.adaptive_max_pool1d, F.adaptive_max_pool2d, F.adaptive_max_pool3d)[self._dims - 1]
        return f(input, self.output_size, self.return_indices)

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class _AdaptiveAvgPoolNd(Module):
    _dims = 0

    def __init__(self, output_size: Any) -> None:
        super().__init__()
        self.output_size = output_size

    def forward(self, input: Tensor) -> Tensor:
        """Returns the means."""
        f = (F.adaptive_avg_pool1d, F.adaptive_avg_pool2d, F.adaptive_avg_pool3d)[self._dims - 1]
        return f(input, self.output_size)

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class _FractionalMaxPoolNd(Module):
    _dims = 0

    def __init__(
        self,
        kernel_size: Sizes,
        output_size: Sizes | None = None,
        output_ratio: float | tuple[float, ...] | None = None,
        return_indices: bool = False,
        _random_samples: Tensor | None = None,
    ) -> None:
        super().__init__()
        n, name = self._dims, type(self).__name__
        if any(k <= 0 for k in _tuple(kernel_size, n)):
            raise ValueError(f"kernel_size must be greater than 0, but got {kernel_size}")
        self.kernel_size = _tuple(kernel_size, n)
        self.return_indices = return_indices
        self.register_buffer("_random_samples", _random_samples)
        self.output_size = _tuple(output_size, n) if output_size is not None else None
        ratio: Any = output_ratio
        self.output_ratio = _tuple(ratio, n) if ratio is not None else None
        if output_size is None and output_ratio is None:
            raise ValueError(
                f"{name} requires specifying either an output size, or a pooling ratio"
            )
        if output_size is not None and output_ratio is not None:
            raise ValueError("only one of output_size and output_ratio may be specified")
        if self.output_ratio is not None and not all(0 < r < 1 for r in self.output_ratio):
            raise ValueError(f"output_ratio must be between 0 and 1 (got {output_ratio})")

    def forward(self, input: Tensor) -> Any:
        """Returns the maxima, and where they lie if ``return_indices``."""
        f = F.fractional_max_pool2d if self._dims == 2 else F.fractional_max_pool3d
        return f(
            input,
            self.kernel_size,
            self.output_size,
            self.output_ratio,
            self.return_indices,
            _random_samples=self._random_samples,
        )


class MaxPool1d(_MaxPoolNd):
    """Maxima over windows of ``(N, C, L)`` or ``(C, L)``.

    Args:
        kernel_size, stride, padding: a number, or one for each dimension; ``stride`` is
            ``kernel_size`` by default.
        dilation: steps between the places of a window.
        return_indices: also return where in its plane each maximum lies.
        ceil_mode: whether a last window that sticks out counts.

    Example::

        >>> torch.nn.MaxPool1d(2)(torch.ones(1, 3, 6)).shape
        torch.Size([1, 3, 3])
    """

    _dims = 1


class MaxUnpool1d(_MaxUnpoolNd):
    """Puts maxima of ``(N, C, L)`` or ``(C, L)`` back where they came from.

    Args:
        kernel_size, stride, padding: a number, or one for each dimension; ``stride`` is
            ``kernel_size`` by default.

    Example::

        >>> pool = torch.nn.MaxPool1d(2, return_indices=True)
        >>> values, indices = pool(torch.ones(1, 3, 4))
        >>> torch.nn.MaxUnpool1d(2)(values, indices).shape
        torch.Size([1, 3, 4])
    """

    _dims = 1


class LPPool1d(_LPPoolNd):
    """Norms of order ``norm_type`` over windows of ``(N, C, L)`` or ``(C, L)``.

    Args:
        norm_type: the order.
        kernel_size, stride: a number, or one for each dimension; ``stride`` is ``kernel_size`` by
            default.
        ceil_mode: whether a last window that sticks out counts.

    Example::

        >>> torch.nn.LPPool1d(2, 2)(torch.ones(1, 3, 6)).shape
        torch.Size([1, 3, 3])
    """

    _dims = 1


class AdaptiveMaxPool1d(_AdaptiveMaxPoolNd):
    """Maxima of ``(N, C, L)`` or ``(C, L)`` over windows that share it out.

    Args:
        output_size: how many outputs.
        return_indices: also return where in its plane each maximum lies.

    Example::

        >>> torch.nn.AdaptiveMaxPool1d(3)(torch.ones(1, 3, 7)).shape
        torch.Size([1, 3, 3])
    """

    _dims = 1


class AdaptiveAvgPool1d(_AdaptiveAvgPoolNd):
    """Means of ``(N, C, L)`` or ``(C, L)`` over windows that share it out.

    Args:
        output_size: how many outputs.

    Example::

        >>> torch.nn.AdaptiveAvgPool1d(3)(torch.ones(1, 3, 7)).shape
        torch.Size([1, 3, 3])
    """

    _dims = 1


class MaxPool2d(_MaxPoolNd):
    """Maxima over windows of ``(N, C, H, W)`` or ``(C, H, W)``.

    Args:
        kernel_size, stride, padding: a number, or one for each dimension; ``stride`` is
            ``kernel_size`` by default.
        dilation: steps between the places of a window.
        return_indices: also return where in its plane each maximum lies.
        ceil_mode: whether a last window that sticks out counts.

    Example::

        >>> torch.nn.MaxPool2d(2)(torch.ones(1, 3, 6, 6)).shape
        torch.Size([1, 3, 3, 3])
    """

    _dims = 2


class MaxUnpool2d(_MaxUnpoolNd):
    """Puts maxima of ``(N, C, H, W)`` or ``(C, H, W)`` back where they came from.

    Args:
        kernel_size, stride, padding: a number, or one for each dimension; ``stride`` is
            ``kernel_size`` by default.

    Example::

        >>> pool = torch.nn.MaxPool2d(2, return_indices=True)
        >>> values, indices = pool(torch.ones(1, 3, 4, 4))
        >>> torch.nn.MaxUnpool2d(2)(values, indices).shape
        torch.Size([1, 3, 4, 4])
    """

    _dims = 2


class AvgPool2d(_AvgPoolWide):
    """Means over windows of ``(N, C, H, W)`` or ``(C, H, W)``.

    Args:
        kernel_size, stride, padding: a number, or one for each dimension; ``stride`` is
            ``kernel_size`` by default.
        ceil_mode: whether a last window that sticks out counts.
        count_include_pad: whether the zeros of the padding count.
        divisor_override: divide the sums by this number.

    Example::

        >>> torch.nn.AvgPool2d(2)(torch.ones(1, 3, 6, 6)).shape
        torch.Size([1, 3, 3, 3])
    """

    _dims = 2


class FractionalMaxPool2d(_FractionalMaxPoolNd):
    """Maxima over windows of ``(N, C, H, W)`` or ``(C, H, W)`` at random places
    (Graham 2014, arXiv:1412.6071).

    Args:
        kernel_size: a number, or one for each dimension.
        output_size: how many outputs, or
        output_ratio: how many for each input, between 0 and 1.
        return_indices: also return where in its plane each maximum lies.

    Example::

        >>> torch.nn.FractionalMaxPool2d(2, output_size=3)(torch.ones(1, 3, 6, 6)).shape
        torch.Size([1, 3, 3, 3])
    """

    _dims = 2


class LPPool2d(_LPPoolNd):
    """Norms of order ``norm_type`` over windows of ``(N, C, H, W)`` or ``(C, H, W)``.

    Args:
        norm_type: the order.
        kernel_size, stride: a number, or one for each dimension; ``stride`` is ``kernel_size`` by
            default.
        ceil_mode: whether a last window that sticks out counts.

    Example::

        >>> torch.nn.LPPool2d(2, 2)(torch.ones(1, 3, 6, 6)).shape
        torch.Size([1, 3, 3, 3])
    """

    _dims = 2


class AdaptiveMaxPool2d(_AdaptiveMaxPoolNd):
    """Maxima of ``(N, C, H, W)`` or ``(C, H, W)`` over windows that share it out.

    Args:
        output_size: a number, or one for each dimension (None: as many as inputs).
        return_indices: also return where in its plane each maximum lies.

    Example::

        >>> torch.nn.AdaptiveMaxPool2d(3)(torch.ones(1, 3, 7, 7)).shape
        torch.Size([1, 3, 3, 3])
    """

    _dims = 2


class AdaptiveAvgPool2d(_AdaptiveAvgPoolNd):
    """Means of ``(N, C, H, W)`` or ``(C, H, W)`` over windows that share it out.

    Args:
        output_size: a number, or one for each dimension (None: as many as inputs).

    Example::

        >>> torch.nn.AdaptiveAvgPool2d(3)(torch.ones(1, 3, 7, 7)).shape
        torch.Size([1, 3, 3, 3])
    """

    _dims = 2


class MaxPool3d(_MaxPoolNd):
    """Maxima over windows of ``(N, C, D, H, W)`` or ``(C, D, H, W)``.

    Args:
        kernel_size, stride, padding: a number, or one for each dimension; ``stride`` is
            ``kernel_size`` by default.
        dilation: steps between the places of a window.
        return_indices: also return where in its plane each maximum lies.
        ceil_mode: whether a last window that sticks out counts.

    Example::

        >>> torch.nn.MaxPool3d(2)(torch.ones(1, 3, 6, 6, 6)).shape
        torch.Size([1, 3, 3, 3, 3])
    """

    _dims = 3


class MaxUnpool3d(_MaxUnpoolNd):
    """Puts maxima of ``(N, C, D, H, W)`` or ``(C, D, H, W)`` back where they came from.

    Args:
        kernel_size, stride, padding: a number, or one for each dimension; ``stride`` is
            ``kernel_size`` by default.

    Example::

        >>> pool = torch.nn.MaxPool3d(2, return_indices=True)
        >>> values, indices = pool(torch.ones(1, 3, 4, 4, 4))
        >>> torch.nn.MaxUnpool3d(2)(values, indices).shape
        torch.Size([1, 3, 4, 4, 4])
    """

    _dims = 3


class AvgPool3d(_AvgPoolWide):
    """Means over windows of ``(N, C, D, H, W)`` or ``(C, D, H, W)``.

    Args:
        kernel_size, stride, padding: a number, or one for each dimension; ``stride`` is
            ``kernel_size`` by default.
        ceil_mode: whether a last window that sticks out counts.
        count_include_pad: whether the zeros of the padding count.
        divisor_override: divide the sums by this number.

    Example::

        >>> torch.nn.AvgPool3d(2)(torch.ones(1, 3, 6, 6, 6)).shape
        torch.Size([1, 3, 3, 3, 3])
    """

    _dims = 3


class FractionalMaxPool3d(_FractionalMaxPoolNd):
    """Maxima over windows of ``(N, C, D, H, W)`` or ``(C, D, H, W)`` at random places
    (Graham 2014, arXiv:1412.6071).

    Args:
        kernel_size: a number, or one for each dimension.
        output_size: how many outputs, or
        output_ratio: how many for each input, between 0 and 1.
        return_indices: also return where in its plane each maximum lies.

    Example::

        >>> torch.nn.FractionalMaxPool3d(2, output_size=3)(torch.ones(1, 3, 6, 6, 6)).shape
        torch.Size([1, 3, 3, 3, 3])
    """

    _dims = 3


class LPPool3d(_LPPoolNd):
    """Norms of order ``norm_type`` over windows of ``(N, C, D, H, W)`` or ``(C, D, H, W)``.

    Args:
        norm_type: the order.
        kernel_size, stride: a number, or one for each dimension; ``stride`` is ``kernel_size`` by
            default.
        ceil_mode: whether a last window that sticks out counts.

    Example::

        >>> torch.nn.LPPool3d(2, 2)(torch.ones(1, 3, 6, 6, 6)).shape
        torch.Size([1, 3, 3, 3, 3])
    """

    _dims = 3


class AdaptiveMaxPool3d(_AdaptiveMaxPoolNd):
    """Maxima of ``(N, C, D, H, W)`` or ``(C, D, H, W)`` over windows that share it out.

    Args:
        output_size: a number, or one for each dimension (None: as many as inputs).
        return_indices: also return where in its plane each maximum lies.

    Example::

        >>> torch.nn.AdaptiveMaxPool3d(3)(torch.ones(1, 3, 7, 7, 7)).shape
        torch.Size([1, 3, 3, 3, 3])
    """

    _dims = 3


class AdaptiveAvgPool3d(_AdaptiveAvgPoolNd):
    """Means of ``(N, C, D, H, W)`` or ``(C, D, H, W)`` over windows that share it out.

    Args:
        output_size: a number, or one for each dimension (None: as many as inputs).

    Example::

        >>> torch.nn.AdaptiveAvgPool3d(3)(torch.ones(1, 3, 7, 7, 7)).shape
        torch.Size([1, 3, 3, 3, 3])
    """

    _dims = 3


__all__ = [
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AdaptiveAvgPool3d",
    "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d",
    "AdaptiveMaxPool3d",
    "AvgPool1d",
    "AvgPool2d",
    "AvgPool3d",
    "FractionalMaxPool2d",
    "FractionalMaxPool3d",
    "LPPool1d",
    "LPPool2d",
    "LPPool3d",
    "MaxPool1d",
    "MaxPool2d",
    "MaxPool3d",
    "MaxUnpool1d",
    "MaxUnpool2d",
    "MaxUnpool3d",
]
