"""Lazy modules: sizes that follow from the first input.

The idea: such a module begins with parameters that have no shape.  A hook before the first forward
gives them one, draws their values, and turns the module into the plain one it stands for.
"""

from __future__ import annotations

import d2lcore
from d2lcore import Tensor
from d2lcore.nn.modules.module import Module
from d2lcore.nn.parameter import Buffer, Parameter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class UninitializedTensorMixin:
    """What parameters and buffers without a shape share."""

    cls_to_become: Any = None

    def materialize(self, shape: Any, device: Any = None, dtype: Any = None) -> None:
        """Becomes an ordinary parameter or buffer of this shape; its values are not set."""
        tensor: Any = self
        tensor.data = d2lcore.empty(tuple(shape), device=device, dtype=dtype or tensor.dtype)
        tensor.__class__ = self.cls_to_become

    @property
    def shape(self) -> Any:
        """Refused: there is none yet."""
        raise RuntimeError(
            "Can't access the shape of an uninitialized parameter or buffer. "
            "This error usually happens in `load_state_dict` when trying to load "
            "an uninitialized parameter into an initialized one. "
            "Call `forward` to initialize the parameters before accessing their attributes."
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class UninitializedParameter(UninitializedTensorMixin, Parameter):
    """A parameter whose shape is not known yet.

    Args:
        requires_grad, device, dtype: of the parameter that it will be.

    Example::

        >>> p = torch.nn.UninitializedParameter()
        >>> p.materialize((2, 3))
        >>> p.shape
        torch.Size([2, 3])
    """

    cls_to_become = Parameter

    def __new__(
        cls, requires_grad: bool = True, device: Any = None, dtype: Any = None
    ) -> UninitializedParameter:
        data = d2lcore.empty(0, device=device, dtype=dtype)
        parameter: UninitializedParameter = Tensor._make_subclass(cls, data, requires_grad)
        return parameter

    def __deepcopy__(self, memo: dict[int, Any]) -> UninitializedParameter:
        key = id(self)
        if key not in memo:
            memo[key] = type(self)(self.requires_grad, None, self.dtype)
        result: UninitializedParameter = memo[key]
        return result

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        return (type(self), (self.requires_grad, None, self.dtype))


class UninitializedBuffer(UninitializedTensorMixin, Buffer):
    """A buffer whose shape is not known yet.

    Args:
        requires_grad, device, dtype: of the buffer that it will be.
        persistent: whether it belongs to ``state_dict()``.

    Example::

        >>> b = torch.nn.UninitializedBuffer()
        >>> b.materialize((2,))
        >>> b.shape
        torch.Size([2])
    """

    cls_to_become = Tensor

    def __new__(
        cls,
        requires_grad: bool = False,
        device: Any = None,
        dtype: Any = None,
        persistent: bool = True,
    ) -> UninitializedBuffer:
        data = d2lcore.empty(0, device=device, dtype=dtype)
        buffer: UninitializedBuffer = Tensor._make_subclass(cls, data, requires_grad)
        buffer.persistent = persistent
        return buffer

    def __deepcopy__(self, memo: dict[int, Any]) -> UninitializedBuffer:
        key = id(self)
        if key not in memo:
            memo[key] = type(self)(self.requires_grad, None, self.dtype, self.persistent)
        result: UninitializedBuffer = memo[key]
        return result

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        return (type(self), (self.requires_grad, None, self.dtype, self.persistent))


def is_lazy(param: Any) -> bool:
    """Whether ``param`` has no shape yet."""
    return isinstance(param, UninitializedTensorMixin)


class LazyModuleMixin(Module):
    """The first base class of a lazy module; the second is the module that it becomes.

    A lazy module defines ``cls_to_become`` and ``initialize_parameters(*args, **kwargs)``, which
    gets the arguments of the first forward and materializes the parameters.
    """

    cls_to_become: Any = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._initialize_hook = self.register_forward_pre_hook(
            LazyModuleMixin._infer_parameters, with_kwargs=True
        )

    def initialize_parameters(self, *args: Any, **kwargs: Any) -> None:
        """Gives the parameters their shapes and values; each lazy module has its own."""
        raise NotImplementedError(
            f"initialize_parameters is not implemented for {type(self).__name__}"
        )

    def has_uninitialized_params(self) -> bool:
        """Whether some parameter or buffer has no shape yet."""
        return any(is_lazy(t) for t in (*self._parameters.values(), *self._buffers.values()))

    @staticmethod
    def _infer_parameters(module: Any, args: Any, kwargs: Any = None) -> None:
        module.initialize_parameters(*args, **(kwargs or {}))
        if module.has_uninitialized_params():
            raise RuntimeError(f"module {type(module).__name__} has not been fully initialized")
        module._initialize_hook.remove()
        del module._initialize_hook
        if module.cls_to_become is not None:
            module.__class__ = module.cls_to_become

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        super()._save_to_state_dict(destination, prefix, keep_vars)
        for tensors in (self._parameters, self._buffers):
            for name, t in tensors.items():
                if is_lazy(t) and prefix + name in destination:
                    destination[prefix + name] = t  # as it is: there is nothing to detach

    def _load_from_state_dict(self, state_dict: Any, prefix: str, *args: Any, **kwargs: Any) -> Any:
        for tensors in (self._parameters, self._buffers):
            for name, t in tensors.items():
                new = state_dict.get(prefix + name)
                if new is not None and is_lazy(t) and not is_lazy(new):
                    own: Any = t
                    own.materialize(new.shape)
        return super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)


__all__ = [
    "LazyModuleMixin",
    "UninitializedBuffer",
    "UninitializedParameter",
    "is_lazy",
]
