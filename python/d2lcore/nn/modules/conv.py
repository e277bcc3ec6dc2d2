"""Convolutions: `Conv1d` to `Conv3d`, `ConvTranspose1d` to `ConvTranspose3d`, and lazy forms.

The idea: the number of dimensions is a class attribute; everything else is written once.
"""

from __future__ import annotations

import math

import d2lcore
from d2lcore import Tensor
from d2lcore.nn import functional as F
from d2lcore.nn import init
from d2lcore.nn.modules.lazy import LazyModuleMixin, UninitializedParameter
from d2lcore.nn.modules.module import Module
from d2lcore.nn.parameter import Parameter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Sizes = int | tuple[int, ...]


def _tuple(value: Any, n: int) -> tuple[int, ...]:
    """The value as it is, if it has a length, else n times."""
    return tuple(value) if isinstance(value, (tuple, list)) else (value,) * n


class _ConvNd(Module):
    in_channels: int
    out_channels: int
    kernel_size: tuple[int, ...]
    stride: tuple[int, ...]
    padding: str | tuple[int, ...]
    dilation: tuple[int, ...]
    transposed: bool
    output_padding: tuple[int, ...]
    groups: int
    padding_mode: str
    weight: Tensor
    bias: Tensor | None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: tuple[int, ...],
        stride: tuple[int, ...],
        padding: str | tuple[int, ...],
        dilation: tuple[int, ...],
        transposed: bool,
        output_padding: tuple[int, ...],
        groups: int,
        bias: bool,
        padding_mode: str,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if groups <= 0:
            raise ValueError("groups must be a positive integer")
        if in_channels % groups != 0:
            raise ValueError("in_channels must be divisible by groups")
        if out_channels % groups != 0:
            raise ValueError("out_channels must be divisible by groups")
        if isinstance(padding, str):
            if padding not in ("same", "valid"):
                raise ValueError(
                    f"Invalid padding string {padding!r}, should be one of {{'same', 'valid'}}"
                )
            if padding == "same" and any(s != 1 for s in stride):
                raise ValueError("padding='same' is not supported for strided convolutions")
        modes = ("zeros", "reflect", "replicate", "circular")
        if padding_mode not in modes:
            raise ValueError(
                f"padding_mode must be one of {set(modes)}, but got padding_mode='{padding_mode}'"
            )
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = kernel_size
        self.stride = stride
        self.padding = padding
        self.dilation = dilation
        self.transposed = transposed
        self.output_padding = output_padding
        self.groups = groups
        self.padding_mode = padding_mode
        # What F.pad wants: both sides of each dimension, the last one first.
        if padding == "same":
            both = [(d * (k - 1)) for d, k in zip(dilation, kernel_size, strict=True)]
            sides = [(n // 2, n - n // 2) for n in both]
        elif isinstance(padding, str):
            sides = [(0, 0)] * len(kernel_size)
        else:
            sides = [(n, n) for n in padding]
        self._reversed_padding_repeated_twice = [n for side in reversed(sides) for n in side]
        first, second = (in_channels, out_channels) if transposed else (out_channels, in_channels)
        self.weight = Parameter(
            d2lcore.empty((first, second // groups, *kernel_size), device=device, dtype=dtype)
        )
        if bias:
            self.bias = Parameter(d2lcore.empty(out_channels, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws new values for the weight, then for the bias."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            fan_in = math.prod(self.weight.shape[1:])
            if fan_in != 0:
                bound = 1 / math.sqrt(fan_in)
                init.uniform_(self.bias, -bound, bound)

    def extra_repr(self) -> str:
        parts = [
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, "
            f"stride={self.stride}"
        ]
        if self.padding != (0,) * len(self.padding):
            parts.append(f"padding={self.padding}")
        if self.dilation != (1,) * len(self.dilation):
            parts.append(f"dilation={self.dilation}")
        if self.output_padding != (0,) * len(self.output_padding):
            parts.append(f"output_padding={self.output_padding}")
        if self.groups != 1:
            parts.append(f"groups={self.groups}")
        if self.bias is None:
            parts.append("bias=False")
        if self.padding_mode != "zeros":
            parts.append(f"padding_mode={self.padding_mode}")
        return ", ".join(parts)

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.__dict__.setdefault("padding_mode", "zeros")


class _Conv(_ConvNd):
    """A convolution of `_dims` dimensions."""

    _dims = 0

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes = 1,
        padding: str | Sizes = 0,
        dilation: Sizes = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        n = self._dims
        super().__init__(
            in_channels,
            out_channels,
            _tuple(kernel_size, n),
            _tuple(stride, n),
            padding if isinstance(padding, str) else _tuple(padding, n),
            _tuple(dilation, n),
            False,
            (0,) * n,
            groups,
            bias,
            padding_mode,
            device,
            dtype,
        )

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        padding: Any = self.padding
        if self.padding_mode != "zeros":
            input = F.pad(input, self._reversed_padding_repeated_twice, mode=self.padding_mode)
            padding = 0
        f = (F.conv1d, F.conv2d, F.conv3d)[self._dims - 1]
        return f(input, weight, bias, self.stride, padding, self.dilation, self.groups)

    def forward(self, input: Tensor) -> Tensor:
        """Returns the convolution of ``input`` with the weight, plus the bias."""
        return self._conv_forward(input, self.weight, self.bias)


class _ConvTransposeNd(_ConvNd):
    """A transposed convolution of `_dims` dimensions."""

    _dims = 0

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes = 1,
        padding: Sizes = 0,
        output_padding: Sizes = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Sizes = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if padding_mode != "zeros":
            raise ValueError(f'Only "zeros" padding mode is supported for {type(self).__name__}')
        n = self._dims
        super().__init__(
            in_channels,
            out_channels,
            _tuple(kernel_size, n),
            _tuple(stride, n),
            _tuple(padding, n),
            _tuple(dilation, n),
            True,
            _tuple(output_padding, n),
            groups,
            bias,
            padding_mode,
            device,
            dtype,
        )

    def _extra(self, input: Tensor, output_size: Any) -> tuple[int, ...]:
        """The output_padding that gives this size."""
        n = self._dims
        if output_size is None:
            return self.output_padding
        others = 2 if input.dim() == n + 2 else 1
        size = list(output_size)
        if len(size) == others + n:
            size = size[others:]
        if len(size) != n:
            raise ValueError(
                f"ConvTranspose{n}D: for {input.dim()}D input, output_size must have {n} or "
                f"{others + n} elements (got {len(size)})"
            )
        least, most = [], []
        for d in range(n):
            reach = self.dilation[d] * (self.kernel_size[d] - 1) + 1
            padding: Any = self.padding[d]
            least.append((input.shape[others + d] - 1) * self.stride[d] - 2 * padding + reach)
            most.append(least[d] + self.stride[d] - 1)
        if any(not low <= s <= high for low, s, high in zip(least, size, most, strict=True)):
            raise ValueError(
                f"requested an output size of {size}, but valid sizes range from {least} to {most} "
                f"(for an input of {input.shape[2:]})"
            )
        return tuple(s - low for s, low in zip(size, least, strict=True))

    def forward(self, input: Tensor, output_size: list[int] | None = None) -> Tensor:
        """Returns the transposed convolution, of ``output_size`` if that is given."""
        f = (F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d)[self._dims - 1]
        return f(
            input,
            self.weight,
            self.bias,
            self.stride,
            self.padding,
            self._extra(input, output_size),
            self.groups,
            self.dilation,
        )


class Conv1d(_Conv):
    """Convolves (cross-correlates) ``(N, C, L)``, or an input without N.

    Args:
        in_channels, out_channels: sizes of the channel dimension.
        kernel_size, stride, dilation: a number, or one for each dimension.
        padding: a number of elements on both sides, 'valid' (none) or 'same'.
        groups: into how many independent parts the channels fall.
        bias: whether a number is added to each output channel.
        padding_mode: 'zeros', 'reflect', 'replicate' or 'circular'.
        device, dtype: of the parameters.

    Shapes: ``weight`` ``(out_channels, in_channels / groups, *kernel_size)``, ``bias``
    ``(out_channels,)``; both start uniform in ``(-1/sqrt(k), 1/sqrt(k))`` where k is the number
    of weights of an output channel.

    Example::

        >>> torch.nn.Conv1d(3, 6, 3)(torch.ones(2, 3, 8)).shape
        torch.Size([2, 6, 6])
    """

    _dims = 1


class Conv2d(_Conv):
    """Convolves (cross-correlates) ``(N, C, H, W)``, or an input without N.

    Args:
        in_channels, out_channels: sizes of the channel dimension.
        kernel_size, stride, dilation: a number, or one for each dimension.
        padding: a number of elements on both sides, 'valid' (none) or 'same'.
        groups: into how many independent parts the channels fall.
        bias: whether a number is added to each output channel.
        padding_mode: 'zeros', 'reflect', 'replicate' or 'circular'.
        device, dtype: of the parameters.

    Shapes: ``weight`` ``(out_channels, in_channels / groups, *kernel_size)``, ``bias``
    ``(out_channels,)``; both start uniform in ``(-1/sqrt(k), 1/sqrt(k))`` where k is the number
    of weights of an output channel.

    Example::

        >>> torch.nn.Conv2d(3, 6, 3)(torch.ones(2, 3, 8, 8)).shape
        torch.Size([2, 6, 6, 6])
    """

    _dims = 2


class Conv3d(_Conv):
    """Convolves (cross-correlates) ``(N, C, D, H, W)``, or an input without N.

    Args:
        in_channels, out_channels: sizes of the channel dimension.
        kernel_size, stride, dilation: a number, or one for each dimension.
        padding: a number of elements on both sides, 'valid' (none) or 'same'.
        groups: into how many independent parts the channels fall.
        bias: whether a number is added to each output channel.
        padding_mode: 'zeros', 'reflect', 'replicate' or 'circular'.
        device, dtype: of the parameters.

    Shapes: ``weight`` ``(out_channels, in_channels / groups, *kernel_size)``, ``bias``
    ``(out_channels,)``; both start uniform in ``(-1/sqrt(k), 1/sqrt(k))`` where k is the number
    of weights of an output channel.

    Example::

        >>> torch.nn.Conv3d(3, 6, 3)(torch.ones(2, 3, 8, 8, 8)).shape
        torch.Size([2, 6, 6, 6, 6])
    """

    _dims = 3


class ConvTranspose1d(_ConvTransposeNd):
    """The transposed convolution of ``(N, C, L)``: the gradient of `Conv1d` for its input.

    Args:
        in_channels, out_channels: sizes of the channel dimension.
        kernel_size, stride, padding, dilation: a number, or one for each dimension.
        output_padding: how much larger the output is than the smallest that fits.
        groups: into how many independent parts the channels fall.
        bias: whether a number is added to each output channel.
        padding_mode: 'zeros'.
        device, dtype: of the parameters.

    Shapes: ``weight`` ``(in_channels, out_channels / groups, *kernel_size)``, ``bias``
    ``(out_channels,)``.

    Example::

        >>> torch.nn.ConvTranspose1d(3, 6, 2, stride=2)(torch.ones(1, 3, 4)).shape
        torch.Size([1, 6, 8])
    """

    _dims = 1


class ConvTranspose2d(_ConvTransposeNd):
    """The transposed convolution of ``(N, C, H, W)``: the gradient of `Conv2d` for its input.

    Args:
        in_channels, out_channels: sizes of the channel dimension.
        kernel_size, stride, padding, dilation: a number, or one for each dimension.
        output_padding: how much larger the output is than the smallest that fits.
        groups: into how many independent parts the channels fall.
        bias: whether a number is added to each output channel.
        padding_mode: 'zeros'.
        device, dtype: of the parameters.

    Shapes: ``weight`` ``(in_channels, out_channels / groups, *kernel_size)``, ``bias``
    ``(out_channels,)``.

    Example::

        >>> torch.nn.ConvTranspose2d(3, 6, 2, stride=2)(torch.ones(1, 3, 4, 4)).shape
        torch.Size([1, 6, 8, 8])
    """

    _dims = 2


class ConvTranspose3d(_ConvTransposeNd):
    """The transposed convolution of ``(N, C, D, H, W)``: the gradient of `Conv3d` for its input.

    Args:
        in_channels, out_channels: sizes of the channel dimension.
        kernel_size, stride, padding, dilation: a number, or one for each dimension.
        output_padding: how much larger the output is than the smallest that fits.
        groups: into how many independent parts the channels fall.
        bias: whether a number is added to each output channel.
        padding_mode: 'zeros'.
        device, dtype: of the parameters.

    Shapes: ``weight`` ``(in_channels, out_channels / groups, *kernel_size)``, ``bias``
    ``(out_channels,)``.

    Example::

        >>> torch.nn.ConvTranspose3d(3, 6, 2, stride=2)(torch.ones(1, 3, 4, 4, 4)).shape
        torch.Size([1, 6, 8, 8, 8])
    """

    _dims = 3


class _LazyConv(LazyModuleMixin):
    """What the lazy convolutions share: the number of input channels comes with the input."""

    _dims: int
    in_channels: int
    out_channels: int
    kernel_size: tuple[int, ...]
    transposed: bool
    groups: int

    def __init__(
        self,
        out_channels: int,
        kernel_size: Sizes,
        *args: Any,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        rest = list(args)
        if len(rest) > 4:  # bias, given by its place
            bias = rest[4]
            rest[4] = False
        else:
            kwargs["bias"] = False
        super().__init__(0, 0, kernel_size, *rest, device=device, dtype=dtype, **kwargs)
        self.weight: Any = UninitializedParameter(device=device, dtype=dtype)
        self.out_channels = out_channels
        if bias:
            self.bias: Any = UninitializedParameter(device=device, dtype=dtype)

    def reset_parameters(self) -> None:
        """Draws new values, once there are parameters to draw them for."""
        if not self.has_uninitialized_params() and self.in_channels != 0:
            super().reset_parameters()  # type: ignore[misc]

    def initialize_parameters(self, input: Tensor, *args: Any, **kwargs: Any) -> None:
        """Gives the parameters the shapes that ``input`` asks for."""
        if not self.has_uninitialized_params():
            return
        n = self._dims
        if input.dim() not in (n + 1, n + 2):
            raise RuntimeError(
                f"Expected {n + 1}D (unbatched) or {n + 2}D (batched) input to "
                f"{type(self).__name__}, but got input of size: {tuple(input.shape)}"
            )
        self.in_channels = input.shape[1] if input.dim() == n + 2 else input.shape[0]
        if self.in_channels % self.groups != 0:
            raise ValueError("in_channels must be divisible by groups")
        first, second = self.out_channels, self.in_channels
        if self.transposed:
            first, second = second, first
        self.weight.materialize((first, second // self.groups, *self.kernel_size))
        if self.bias is not None:
            self.bias.materialize((self.out_channels,))
        self.reset_parameters()


class LazyConv1d(_LazyConv, Conv1d):
    """A `Conv1d` whose number of input channels follows from the first input.

    Args:
        out_channels, kernel_size: and the others of `Conv1d`, in its order.

    Example::

        >>> layer = torch.nn.LazyConv1d(5, 3)
        >>> _ = layer(torch.ones(1, 2, 4))
        >>> layer.in_channels
        2
    """

    cls_to_become = Conv1d


class LazyConvTranspose1d(_LazyConv, ConvTranspose1d):
    """A `ConvTranspose1d` whose number of input channels follows from the first input.

    Args:
        out_channels, kernel_size: and the others of `ConvTranspose1d`, in its order.

    Example::

        >>> layer = torch.nn.LazyConvTranspose1d(5, 3)
        >>> _ = layer(torch.ones(1, 2, 4))
        >>> layer.in_channels
        2
    """

    cls_to_become = ConvTranspose1d


class LazyConv2d(_LazyConv, Conv2d):
    """A `Conv2d` whose number of input channels follows from the first input.

    Args:
        out_channels, kernel_size: and the others of `Conv2d`, in its order.

    Example::

        >>> layer = torch.nn.LazyConv2d(5, 3)
        >>> _ = layer(torch.ones(1, 2, 4, 4))
        >>> layer.in_channels
        2
    """

    cls_to_become = Conv2d


class LazyConvTranspose2d(_LazyConv, ConvTranspose2d):
    """A `ConvTranspose2d` whose number of input channels follows from the first input.

    Args:
        out_channels, kernel_size: and the others of `ConvTranspose2d`, in its order.

    Example::

        >>> layer = torch.nn.LazyConvTranspose2d(5, 3)
        >>> _ = layer(torch.ones(1, 2, 4, 4))
        >>> layer.in_channels
        2
    """

    cls_to_become = ConvTranspose2d


class LazyConv3d(_LazyConv, Conv3d):
    """A `Conv3d` whose number of input channels follows from the first input.

    Args:
        out_channels, kernel_size: and the others of `Conv3d`, in its order.

    Example::

        >>> layer = torch.nn.LazyConv3d(5, 3)
        >>> _ = layer(torch.ones(1, 2, 4, 4, 4))
        >>> layer.in_channels
        2
    """

    cls_to_become = Conv3d


class LazyConvTranspose3d(_LazyConv, ConvTranspose3d):
    """A `ConvTranspose3d` whose number of input channels follows from the first input.

    Args:
        out_channels, kernel_size: and the others of `ConvTranspose3d`, in its order.

    Example::

        >>> layer = torch.nn.LazyConvTranspose3d(5, 3)
        >>> _ = layer(torch.ones(1, 2, 4, 4, 4))
        >>> layer.in_channels
        2
    """

    cls_to_become = ConvTranspose3d


__all__ = [
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "ConvTranspose3d",
    "LazyConv1d",
    "LazyConv2d",
    "LazyConv3d",
    "LazyConvTranspose1d",
    "LazyConvTranspose2d",
    "LazyConvTranspose3d",
]
