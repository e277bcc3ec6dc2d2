"""The parts of Tensor that are easier said in Python: copying, pickling, hooks, formatting."""

from __future__ import annotations

from d2lcore import _C
from d2lcore._C import Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def _rebuild(
    cls: type,
    data: bytes,
    dtype: Any,
    shape: tuple[int, ...],
    strides: tuple[int, ...],
    requires_grad: bool,
    state: Any,
) -> Tensor:
    """What pickle calls: a tensor of the class over a copy of the bytes."""
    raw = _C.empty(len(data), dtype=_C.uint8)
    if data:
        memoryview(raw)[:] = data
    t: Tensor = _C._view_of_bytes(raw, dtype, shape, strides, 0)
    if cls is not Tensor:
        t = Tensor._make_subclass(cls, t, requires_grad)
    elif requires_grad:
        t.requires_grad_()
    if state:
        t.__dict__.update(state)
    return t


def _rebuild_result(name: str, items: tuple[Any, ...]) -> Any:
    """What pickle calls for the named tuples that ops return."""
    return _C._result_type(name)(items)


def _reduce_result(self: Any) -> Any:
    return _rebuild_result, (type(self).__name__, tuple(self))


def _extent(t: Tensor) -> int:
    """How many elements lie between the first and the last of t, both included."""
    if t.numel() == 0:
        return 0
    return 1 + sum((n - 1) * step for n, step in zip(t.shape, t.stride(), strict=True))


def _reduce_ex(self: Tensor, protocol: Any) -> Any:
    """The memory that the tensor reaches and its strides; scattered elements are packed first."""
    t = self.detach()
    if _extent(t) > 2 * t.numel() + 64:
        t = t.contiguous()
    size = t.element_size()
    start = t.storage_offset() * size
    data = bytes(memoryview(_C._storage_bytes(t))[start : start + _extent(t) * size])
    state = dict(self.__dict__) or None
    return _rebuild, (
        type(self), data, self.dtype, tuple(t.shape), t.stride(), self.requires_grad, state
    )  # fmt: skip


class _Storages:
    """The storages that one deepcopy has copied so far, kept in its memo."""

    def __init__(self) -> None:
        # The original is kept too: its key must not pass to another storage meanwhile.
        self.copies: dict[int, tuple[Tensor, Tensor]] = {}

    def copy_of(self, t: Tensor) -> Tensor:
        """The copied bytes of the storage of t."""
        key = _C._storage_key(t)
        if key not in self.copies:
            whole = _C._storage_bytes(t)
            self.copies[key] = (whole, whole.clone())
        return self.copies[key][1]


def _deepcopy(self: Tensor, memo: dict[Any, Any]) -> Tensor:
    """A copy; tensors that share memory and are copied together share the copy's memory."""
    if id(self) in memo:
        copied: Tensor = memo[id(self)]
        return copied
    if not self.is_leaf:
        raise RuntimeError(
            "Only Tensors created explicitly by the user (graph leaves) support the deepcopy "
            "protocol at the moment.  If you were attempting to deepcopy a module, this may be "
            "because of a torch.nn.utils.weight_norm usage, see "
            "https://github.com/pytorch/pytorch/pull/103001"
        )
    from copy import deepcopy

    storages = memo.setdefault(_Storages, _Storages())
    copy: Tensor = _C._view_of_bytes(
        storages.copy_of(self), self.dtype, self.shape, self.stride(), self.storage_offset()
    )
    if type(self) is not Tensor:
        copy = Tensor._make_subclass(type(self), copy, self.requires_grad)
    elif self.requires_grad:
        copy.requires_grad_()
    memo[id(self)] = copy
    if self.grad is not None:
        copy.grad = deepcopy(self.grad, memo)
    if self.__dict__:
        copy.__dict__.update(deepcopy(self.__dict__, memo))
    return copy


def _copy(self: Tensor) -> Tensor:
    """What copy.copy gives: a leaf of its own over the same memory."""
    copy = Tensor._make_subclass(type(self), self, self.requires_grad)
    copy.__dict__.update(self.__dict__)
    return copy


def _reversed(self: Tensor) -> Tensor:
    """What reversed() gives: the tensor flipped along its first dimension."""
    return self if self.dim() == 0 else self.flip(0)


def _format(self: Tensor, spec: str) -> str:
    from d2lcore._tensor_str import tensor_format

    return tensor_format(self, spec)


class TensorHandle:
    """What register_hook returns: ``remove()`` takes the hook away."""

    def __init__(self, tensor: Tensor, number: int) -> None:
        self._tensor: Tensor | None = tensor
        self.id = number

    def remove(self) -> None:
        """Takes the hook away; doing so twice does nothing."""
        if self._tensor is not None:
            _C._remove_tensor_hook(self._tensor, self.id)
            self._tensor = None

    def __enter__(self) -> TensorHandle:
        return self

    def __exit__(self, *error: object) -> None:
        self.remove()


class NodeHandle:
    """What a node's register_hook returns: ``remove()`` takes the hook away."""

    def __init__(self, node: Any, number: int) -> None:
        self._node: Any = node
        self.id = number

    def remove(self) -> None:
        """Takes the hook away; doing so twice does nothing."""
        if self._node is not None:
            self._node._remove_hook(self.id)
            self._node = None

    def __enter__(self) -> NodeHandle:
        return self

    def __exit__(self, *error: object) -> None:
        self.remove()


def _node_register_hook(self: Any, fn: Callable[..., Any]) -> NodeHandle:
    """Calls ``fn(grad_inputs, grad_outputs)`` after the node has run; what it returns, if not None,
    replaces ``grad_inputs``."""
    return NodeHandle(self, self._register_hook(fn))


def _node_register_prehook(self: Any, fn: Callable[..., Any]) -> NodeHandle:
    """Calls ``fn(grad_outputs)`` before the node runs; what it returns, if not None, replaces
    ``grad_outputs``."""
    return NodeHandle(self, self._register_prehook(fn))


def _register_hook(self: Tensor, hook: Callable[[Tensor], Tensor | None]) -> TensorHandle:
    """Calls ``hook(grad)`` when the gradient of this tensor is computed; what it returns, if not
    None, replaces the gradient.

    >>> import d2lcore as torch
    >>> x = torch.ones(2, requires_grad=True)
    >>> handle = x.register_hook(lambda g: g * 10)
    >>> x.sum().backward()
    >>> x.grad
    tensor([10., 10.])
    """
    return TensorHandle(self, _C._add_tensor_hook(self, hook))


def _register_post_accumulate_grad_hook(
    self: Tensor, hook: Callable[[Tensor], None]
) -> TensorHandle:
    """Calls ``hook(tensor)`` after the gradient of this leaf was added to ``.grad``."""
    return TensorHandle(self, _C._add_post_accumulate_hook(self, hook))


_TYPE_NAMES = {
    "FloatTensor": _C.float32, "DoubleTensor": _C.float64, "HalfTensor": _C.float16,
    "BFloat16Tensor": _C.bfloat16, "ByteTensor": _C.uint8, "CharTensor": _C.int8,
    "ShortTensor": _C.int16, "IntTensor": _C.int32, "LongTensor": _C.int64,
    "BoolTensor": _C.bool, "ComplexFloatTensor": _C.complex64,
    "ComplexDoubleTensor": _C.complex128,
}  # fmt: skip


def _type(self: Tensor, dtype: Any = None, non_blocking: bool = False, **kwargs: Any) -> Any:
    """Without an argument the name of the type ('torch.FloatTensor'), otherwise a conversion to
    a dtype or to the dtype that such a name stands for."""
    if dtype is None:
        names = {v: k for k, v in _TYPE_NAMES.items()}
        return "torch." + names[self.dtype]
    if isinstance(dtype, str):
        name = dtype.removeprefix("torch.").removeprefix("d2lcore.")
        if name not in _TYPE_NAMES:
            raise ValueError(f"invalid type: {dtype!r}")
        dtype = _TYPE_NAMES[name]
    return self.to(dtype)


def _new_tensor(
    self: Tensor, data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """A new tensor of ``data`` with the dtype of this one, unless another is given."""
    return _C.tensor(data, dtype=dtype or self.dtype, device=device, requires_grad=requires_grad)


def _is_same_size(self: Tensor, other: Tensor) -> bool:
    """Whether both have the same shape."""
    return self.shape == other.shape


def finish_tensor_type() -> None:
    """Gives the Tensor type what this module defines."""
    from d2lcore import _functional, _interop

    methods = {
        "__reduce_ex__": _reduce_ex,
        "__deepcopy__": _deepcopy,
        "__copy__": _copy,
        "__reversed__": _reversed,
        "__format__": _format,
        "register_hook": _register_hook,
        "register_post_accumulate_grad_hook": _register_post_accumulate_grad_hook,
        "type": _type,
        "new_tensor": _new_tensor,
        "is_same_size": _is_same_size,
        **_functional.METHODS,
        **_interop.METHODS,
    }
    for name, function in methods.items():
        function.__name__ = name
        function.__qualname__ = f"Tensor.{name}"
        setattr(Tensor, name, function)
    for name, function in (
        ("register_hook", _node_register_hook),
        ("register_prehook", _node_register_prehook),
    ):
        function.__name__ = name
        function.__qualname__ = f"Node.{name}"
        setattr(_C.Node, name, function)
    setattr(Tensor, "__array_interface__", property(_interop._array_interface))  # noqa: B010
    # NumPy asks this before it takes an operator into its own hands.
    setattr(Tensor, "__array_priority__", 1000)  # noqa: B010
    Tensor.__module__ = "d2lcore"
