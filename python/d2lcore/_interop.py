"""Memory shared with other libraries: DLPack, the buffer protocol and NumPy's array protocol."""

from __future__ import annotations

from d2lcore import _C
from d2lcore._C import Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_CPU = (1, 0)  # DLPack's kDLCPU, and the number of the device


def _dlpack(
    self: Tensor,
    *,
    stream: Any = -1,
    max_version: tuple[int, int] | None = None,
    dl_device: tuple[int, int] | None = None,
    copy: bool | None = None,
) -> Any:
    """A DLPack capsule over the memory of the tensor, or over a copy of it."""
    if self.requires_grad:
        raise BufferError("Can't export tensors that require gradient, use tensor.detach()")
    if stream is not None and type(stream) is not int:
        raise TypeError("stream must be ``int`` or ``none``")
    if stream is not None and stream != -1:
        raise AssertionError("stream should be None on cpu.")
    if dl_device is not None and (int(dl_device[0]), int(dl_device[1])) != _CPU:
        kind = {2: "cuda", 8: "mps", 10: "cuda"}.get(int(dl_device[0]), str(int(dl_device[0])))
        if copy is False:
            raise ValueError(
                f"cannot move (i.e. copy=False) tensor from cpu to {kind}:{int(dl_device[1])} "
                "without copying."
            )
        raise BufferError(f"cannot export to {kind}: d2lcore computes on the CPU only")
    versioned = max_version is not None and max_version[0] >= 1
    source = self.clone() if copy else self
    return _C._to_dlpack(source, versioned, bool(copy))


def _dlpack_device(self: Tensor) -> tuple[Any, int]:
    """The kind and the number of the device, as DLPack counts them."""
    from d2lcore.utils.dlpack import DLDeviceType

    return (DLDeviceType.kDLCPU, 0)


def from_dlpack(ext_tensor: Any, *, device: Any = None, copy: bool | None = None) -> Tensor:
    """Returns a tensor over the memory of another library's array.

    Args:
        ext_tensor: an object with ``__dlpack__`` (arrays of NumPy, JAX, PyTorch, ...) or a DLPack
            capsule, which can be used once.
        device: the CPU, or None.
        copy: True asks the other library for a copy, False forbids one.

    Raises:
        RuntimeError: a capsule that was used already, or something else.
        BufferError: memory on another device, of an unknown dtype or with negative strides.

    Example::

        >>> import numpy as np
        >>> torch.from_dlpack(np.arange(3.0))
        tensor([0., 1., 2.], dtype=torch.float64)
    """
    if not hasattr(ext_tensor, "__dlpack__"):
        taken: Tensor = _C._from_dlpack(ext_tensor)
        return taken
    options: dict[str, Any] = {"max_version": (1, 0)}
    if copy is not None:
        options["copy"] = copy
    if device is not None:
        _C.device(device)  # the CPU, or an error
        options["dl_device"] = _CPU
    try:
        capsule = ext_tensor.__dlpack__(**options)
    except TypeError:  # a producer of before DLPack 1.0
        del options["max_version"]
        capsule = ext_tensor.__dlpack__(**options)
    out: Tensor = _C._from_dlpack(capsule)
    return out


def to_dlpack(tensor: Tensor) -> Any:
    """Returns a DLPack capsule over the memory of ``tensor``, for ``from_dlpack`` of any library.

    Example::

        >>> torch.from_dlpack(torch.to_dlpack(torch.ones(2)))
        tensor([1., 1.])
    """
    return _C._to_dlpack(tensor, False, False)


_warned: set[str] = set()


def _warn_read_only(what: str) -> None:
    """Says once that a tensor over read-only memory refuses to be written."""
    if what not in _warned:
        _warned.add(what)
        from warnings import warn

        noun = what.rsplit(maxsplit=1)[-1]
        warn(
            f"The given {what} is not writable, so the tensor is not either: writing to it raises "
            f"RuntimeError. You may want to copy the {noun} to protect its data or make it "
            "writable before converting it to a tensor. This type of warning will be suppressed "
            "for the rest of this program.",
            UserWarning,
            stacklevel=2,
        )


def frombuffer(
    buffer: Any,
    *,
    dtype: Any = None,
    count: int = -1,
    offset: int = 0,
    requires_grad: bool = False,
) -> Tensor:
    """Returns a 1-D tensor over the memory of an object with Python's buffer protocol.

    Args:
        buffer: bytes, bytearray, array.array, memoryview, mmap, ...; what is read-only gives a
            tensor that refuses to be written.
        dtype: how its bytes are read; they are not converted.
        count: how many elements, -1 for all.
        offset: how many bytes to skip at the start.

    Raises:
        ValueError: an empty buffer, or ``count`` and ``offset`` beyond its end.

    Example::

        >>> torch.frombuffer(bytearray([1, 0, 2, 0]), dtype=torch.int16)
        tensor([1, 2], dtype=torch.int16)
    """
    if dtype is None:
        raise TypeError('frombuffer() missing 1 required positional arguments: "dtype"')
    out: Tensor = _C._frombuffer(buffer, dtype, count, offset)
    return out.requires_grad_() if requires_grad else out


def _has_buffer(obj: Any) -> bool:
    try:
        memoryview(obj)
    except (TypeError, BufferError):
        return False
    return True


def asarray(
    obj: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    copy: bool | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Returns ``obj`` as a tensor, over the same memory if that is possible.

    Args:
        obj: a tensor, a NumPy array or number, an object with DLPack or the buffer protocol (whose
            bytes are read as ``dtype``), or numbers in nested sequences.
        dtype: the dtype of the result; None infers it.
        copy: True always copies, False never does (ValueError where it must), None where needed.
        requires_grad: whether gradients of the result are computed.

    Example::

        >>> torch.asarray([1, 2, 3])
        tensor([1, 2, 3])
    """
    module = type(obj).__module__
    if isinstance(obj, Tensor):
        source = obj
    elif module == "numpy" and hasattr(obj, "__array_interface__") and hasattr(obj, "strides"):
        source = _C.as_tensor(obj)
    elif hasattr(obj, "__dlpack__"):
        source = from_dlpack(obj)
    elif _has_buffer(obj):
        source = frombuffer(obj, dtype=dtype if dtype is not None else _C.get_default_dtype())
    else:
        if copy is False:
            raise ValueError("can't alias arbitrary sequence into a tensor.")
        return _C.tensor(obj, dtype=dtype, device=device, requires_grad=requires_grad)
    if device is not None:
        _C.device(device)
    if copy is False and dtype is not None and dtype != source.dtype:
        raise ValueError(f"can't alias tensor with dtype '{source.dtype}' into dtype '{dtype}'.")
    out = source.to(dtype if dtype is not None else source.dtype, copy=bool(copy))
    if requires_grad and not out.requires_grad:
        return (out.detach() if out is obj else out).requires_grad_()
    if not requires_grad and out.requires_grad:
        return out.detach()
    return out


def _array_wrap(
    self: Tensor, array: Any, context: Any = None, return_scalar: bool = False
) -> Tensor:
    """What NumPy's functions make of their result: a tensor, of uint8 for bools as in PyTorch."""
    if array.dtype == bool:
        array = array.astype("uint8")
    if array.ndim == 0:
        array = array.reshape(())
    return _C.tensor(array) if any(s < 0 for s in array.strides) else _C.from_numpy(array)


def _array_interface(self: Tensor) -> dict[str, Any]:
    """The memory as NumPy describes it, for libraries that look for nothing else (Pillow)."""
    if self.requires_grad or self.dtype == _C.bfloat16:
        raise AttributeError("'Tensor' object has no attribute '__array_interface__'")
    described: dict[str, Any] = self.numpy().__array_interface__
    return described


METHODS: dict[str, Any] = {
    "__dlpack__": _dlpack,
    "__dlpack_device__": _dlpack_device,
    "__array_wrap__": _array_wrap,
}

__all__ = ["asarray", "from_dlpack", "frombuffer", "to_dlpack"]
