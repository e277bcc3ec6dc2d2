"""Layers that only change the shape: `Flatten` and `Unflatten`."""

from __future__ import annotations

from d2lcore import Tensor
from d2lcore.nn.modules.module import Module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Flatten(Module):
    """Joins the dimensions from ``start_dim`` to ``end_dim`` into one.

    Args:
        start_dim: first dimension to join (default 1: a batch stays a batch).
        end_dim: last dimension to join (default -1).

    Example::

        >>> torch.nn.Flatten()(torch.ones(32, 1, 5, 5)).shape
        torch.Size([32, 25])
    """

    start_dim: int
    end_dim: int

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim = start_dim
        self.end_dim = end_dim

    def forward(self, input: Tensor) -> Tensor:
        """Returns ``input.flatten(start_dim, end_dim)``."""
        return input.flatten(self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """Splits one dimension into several.

    Args:
        dim: the dimension to split.
        unflattened_size: the sizes of its parts, a tuple or list of integers; one may be -1.

    Raises:
        TypeError: the sizes are not integers.

    Example::

        >>> torch.nn.Unflatten(1, (2, 5))(torch.ones(3, 10)).shape
        torch.Size([3, 2, 5])
    """

    dim: int | str
    unflattened_size: Any

    def __init__(self, dim: int | str, unflattened_size: Any) -> None:
        super().__init__()
        if not isinstance(dim, int):
            raise TypeError("invalid argument type for dim parameter")
        if not isinstance(unflattened_size, (tuple, list)):
            raise TypeError(
                "unflattened_size must be a tuple of ints, but found type "
                + type(unflattened_size).__name__
            )
        for position, item in enumerate(unflattened_size):
            if not isinstance(item, int):
                raise TypeError(
                    "unflattened_size must be tuple of ints, but found element of type "
                    f"{type(item).__name__} at pos {position}"
                )
        self.dim = dim
        self.unflattened_size = unflattened_size

    def forward(self, input: Tensor) -> Tensor:
        """Returns ``input.unflatten(dim, unflattened_size)``."""
        return input.unflatten(self.dim, self.unflattened_size)  # type: ignore[arg-type]

    def extra_repr(self) -> str:
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"
