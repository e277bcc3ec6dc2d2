"""`Parameter` and `Buffer`: tensors that a `Module` registers when they are assigned to it."""

from __future__ import annotations

import d2lcore
from d2lcore import Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Parameter(Tensor):
    """A tensor that a module trains.

    Assigned as an attribute of a `Module` it appears in ``module.parameters()``.
    It shares memory with ``data``; operations on it return plain tensors.

    Args:
        data: a tensor of any shape (default: an empty one).
        requires_grad: whether gradients are computed (default True; needs a floating point
            or complex dtype).

    Raises:
        RuntimeError: ``requires_grad`` with an integer or bool tensor.

    Example::

        >>> torch.nn.Parameter(torch.zeros(2))
        Parameter containing:
        tensor([0., 0.], requires_grad=True)
    """

    def __new__(cls, data: Tensor | None = None, requires_grad: bool = True) -> Parameter:
        if data is None:
            data = d2lcore.empty(0)
        elif not isinstance(data, Tensor):
            raise TypeError(f"Parameter(): data must be a Tensor, got {type(data).__name__}")
        return Tensor._make_subclass(cls, data, requires_grad)

    def __deepcopy__(self, memo: dict[int, Any]) -> Parameter:
        key = id(self)
        if key not in memo:
            memo[key] = type(self)(self.detach().clone(), self.requires_grad)
        result: Parameter = memo[key]
        return result

    def __repr__(self) -> str:
        return "Parameter containing:\n" + super().__repr__()

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        state = dict(self.__dict__)
        return (_rebuild, (type(self), self.detach(), self.requires_grad, state))


class Buffer(Tensor):
    """A tensor that a module keeps but does not train, such as a running mean.

    Args:
        data: a tensor of any shape and dtype (default: an empty one).
        persistent: whether it belongs to ``state_dict()`` (default True).

    Example::

        >>> module = torch.nn.Module()
        >>> module.mean = torch.nn.Buffer(torch.zeros(3))
        >>> list(module.state_dict())
        ['mean']
    """

    persistent: bool

    def __new__(cls, data: Tensor | None = None, *, persistent: bool = True) -> Buffer:
        if data is None:
            data = d2lcore.empty(0)
        buffer: Buffer = Tensor._make_subclass(cls, data, data.requires_grad)
        buffer.persistent = persistent
        return buffer

    def __deepcopy__(self, memo: dict[int, Any]) -> Buffer:
        key = id(self)
        if key not in memo:
            memo[key] = type(self)(self.detach().clone(), persistent=self.persistent)
        result: Buffer = memo[key]
        return result

    def __repr__(self) -> str:
        return "Buffer containing:\n" + super().__repr__()

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        state = dict(self.__dict__)
        return (_rebuild, (type(self), self.detach(), self.requires_grad, state))


def _rebuild(cls: Any, data: Tensor, requires_grad: bool, attributes: dict[str, Any]) -> Any:
    """What pickle calls."""
    result: Any = Tensor._make_subclass(cls, data, requires_grad)
    result.__dict__.update(attributes)
    return result
