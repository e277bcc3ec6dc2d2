"""Windows as columns, and rearranged channels: `Unfold`, `Fold`, `PixelShuffle` and their like."""

from __future__ import annotations

from d2lcore import Tensor
from d2lcore.nn import functional as F
from d2lcore.nn.modules.module import Module

TYPE_CHECKING = False
if TYPE_CHECKING:
    Sizes = int | tuple[int, ...]


class Unfold(Module):
    """All windows of ``(N, C, H, W)`` as columns ``(N, C * kh * kw, windows)``.

    Args:
        kernel_size, dilation, padding, stride: a number, or one for each dimension.

    Example::

        >>> torch.nn.Unfold(2)(torch.ones(1, 3, 4, 5)).shape
        torch.Size([1, 12, 12])
    """

    def __init__(
        self, kernel_size: Sizes, dilation: Sizes = 1, padding: Sizes = 0, stride: Sizes = 1
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.dilation = dilation
        self.padding = padding
        self.stride = stride

    def forward(self, input: Tensor) -> Tensor:
        """Returns the columns."""
        return F.unfold(input, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, dilation={self.dilation}, padding={self.padding}, "
            f"stride={self.stride}"
        )


class Fold(Module):
    """Adds up columns ``(N, C * kh * kw, windows)`` in an image ``(N, C, *output_size)``.

    Args:
        output_size: height and width of the image.
        kernel_size, dilation, padding, stride: a number, or one for each dimension.

    Example::

        >>> torch.nn.Fold((4, 5), 2)(torch.ones(1, 12, 12)).shape
        torch.Size([1, 3, 4, 5])
    """

    def __init__(
        self,
        output_size: Sizes,
        kernel_size: Sizes,
        dilation: Sizes = 1,
        padding: Sizes = 0,
        stride: Sizes = 1,
    ) -> None:
        super().__init__()
        self.output_size = output_size
        self.kernel_size = kernel_size
        self.dilation = dilation
        self.padding = padding
        self.stride = stride

    def forward(self, input: Tensor) -> Tensor:
        """Returns the image."""
        return F.fold(
            input, self.output_size, self.kernel_size, self.dilation, self.padding, self.stride
        )

    def extra_repr(self) -> str:
        return (
            f"output_size={self.output_size}, kernel_size={self.kernel_size}, "
            f"dilation={self.dilation}, padding={self.padding}, stride={self.stride}"
        )


class PixelShuffle(Module):
    """Turns ``(*, C * r * r, H, W)`` into ``(*, C, H * r, W * r)``.

    Args:
        upscale_factor: r.

    Example::

        >>> torch.nn.PixelShuffle(2)(torch.ones(1, 8, 3, 4)).shape
        torch.Size([1, 2, 6, 8])
    """

    def __init__(self, upscale_factor: int) -> None:
        super().__init__()
        self.upscale_factor = upscale_factor

    def forward(self, input: Tensor) -> Tensor:
        """Returns the larger image with fewer channels."""
        return F.pixel_shuffle(input, self.upscale_factor)

    def extra_repr(self) -> str:
        return f"upscale_factor={self.upscale_factor}"


class PixelUnshuffle(Module):
    """Turns ``(*, C, H * r, W * r)`` into ``(*, C * r * r, H, W)``.

    Args:
        downscale_factor: r.

    Example::

        >>> torch.nn.PixelUnshuffle(2)(torch.ones(1, 2, 6, 8)).shape
        torch.Size([1, 8, 3, 4])
    """

    def __init__(self, downscale_factor: int) -> None:
        super().__init__()
        self.downscale_factor = downscale_factor

    def forward(self, input: Tensor) -> Tensor:
        """Returns the smaller image with more channels."""
        return F.pixel_unshuffle(input, self.downscale_factor)

    def extra_repr(self) -> str:
        return f"downscale_factor={self.downscale_factor}"


class ChannelShuffle(Module):
    """Mixes the channels of ``groups`` groups: channel ``g * c + i`` becomes ``i * groups + g``.

    Args:
        groups: how many.

    Example::

        >>> torch.nn.ChannelShuffle(2)(torch.arange(4.0).view(1, 4, 1)).flatten()
        tensor([0., 2., 1., 3.])
    """

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.groups = groups

    def forward(self, input: Tensor) -> Tensor:
        """Returns the same channels in another order."""
        return F.channel_shuffle(input, self.groups)

    def extra_repr(self) -> str:
        return f"groups={self.groups}"


__all__ = ["ChannelShuffle", "Fold", "PixelShuffle", "PixelUnshuffle", "Unfold"]
