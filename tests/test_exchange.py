"""Memory shared with NumPy and others: DLPack, the buffer and array protocols, operators."""

from __future__ import annotations

import array
import ctypes
import gc
import threading
import warnings
import weakref
from typing import Any

import d2lcore as torch
import numpy as np
import pytest

DTYPES = ("bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64",
          "complex64", "complex128")  # fmt: skip


@pytest.mark.parametrize("dtype", DTYPES)
def test_dlpack_shares_memory_both_ways(dtype: str) -> None:
    t = torch.ones(2, 3, dtype=getattr(torch, dtype)).t()
    a = np.from_dlpack(t)
    assert a.dtype == dtype and a.shape == (3, 2)
    assert a.strides == tuple(n * t.element_size() for n in t.stride())
    assert a.ctypes.data == t.data_ptr()
    b = np.ones((2, 3), dtype).T
    u = torch.from_dlpack(b)
    assert u.dtype == getattr(torch, dtype) and u.stride() == (1, 3)
    assert u.data_ptr() == b.ctypes.data
    u.zero_()
    assert not b.any()


def test_dlpack_of_odd_shapes() -> None:
    assert np.from_dlpack(torch.tensor(3.0)).item() == 3
    assert np.from_dlpack(torch.zeros(0, 3)).shape == (0, 3)
    assert torch.from_dlpack(np.zeros((0, 3))).shape == (0, 3)
    assert torch.from_dlpack(np.array(2.5)).item() == 2.5
    assert torch.from_dlpack(np.broadcast_to(np.arange(2.0), (3, 2))).stride() == (0, 1)
    x = torch.arange(10)[3:]
    assert np.from_dlpack(x).tolist() == list(range(3, 10))


def test_a_capsule_is_used_once() -> None:
    x = torch.arange(4.0)
    capsule = x.__dlpack__()
    y = torch.from_dlpack(capsule)
    assert y.data_ptr() == x.data_ptr() and '"used_dltensor"' in repr(capsule)
    for used in (capsule, 3, [1.0]):
        with pytest.raises(RuntimeError, match="from_dlpack received an invalid capsule"):
            torch.from_dlpack(used)


def test_dlpack_arguments() -> None:
    x = torch.arange(3.0)
    assert '"dltensor_versioned"' in repr(x.__dlpack__(max_version=(1, 0)))
    assert '"dltensor"' in repr(x.__dlpack__(max_version=(0, 8)))
    assert torch.from_dlpack(x.__dlpack__(max_version=(1, 3))).data_ptr() == x.data_ptr()
    assert torch.from_dlpack(x.__dlpack__(copy=True)).data_ptr() != x.data_ptr()
    assert torch.from_dlpack(x, copy=True, device="cpu").data_ptr() != x.data_ptr()
    assert tuple(int(v) for v in x.__dlpack_device__()) == (1, 0)
    assert x.__dlpack__(dl_device=(1, 0), stream=None)
    with pytest.raises(ValueError, match=r"cannot move \(i.e. copy=False\) tensor from cpu"):
        x.__dlpack__(dl_device=(2, 0), copy=False)
    with pytest.raises(BufferError):
        x.__dlpack__(dl_device=(2, 0))
    with pytest.raises(AssertionError, match="stream should be None on cpu"):
        x.__dlpack__(stream=1)
    with pytest.raises(TypeError, match="stream must be"):
        x.__dlpack__(stream="a")
    with pytest.raises(TypeError, match="positional argument"):
        x.__dlpack__(None)


def test_dlpack_refuses() -> None:
    with pytest.raises(BufferError, match="Can't export tensors that require gradient"):
        np.from_dlpack(torch.ones(2, requires_grad=True))
    with pytest.raises(BufferError, match="negative"):
        torch.from_dlpack(np.arange(4.0)[::-1])
    with pytest.raises(BufferError, match="unsupported data type"):
        torch.from_dlpack(np.zeros(2, np.uint16))


def test_dlpack_keeps_read_only_memory_read_only() -> None:
    a = np.arange(3.0)
    a.flags.writeable = False
    t = torch.from_dlpack(a)
    with pytest.raises(RuntimeError, match="read-only"):
        t.add_(1)
    assert not np.from_dlpack(t).flags.writeable
    with pytest.raises(BufferError, match="read-only"):
        t.__dlpack__()


def test_bfloat16_travels_between_tensors() -> None:
    x = torch.tensor([1.5, -2.0], dtype=torch.bfloat16)
    assert torch.equal(torch.from_dlpack(x), x)
    assert torch.equal(torch.utils.dlpack.from_dlpack(torch.utils.dlpack.to_dlpack(x)), x)


class Producer:
    """An array whose DLPack struct says what the test wants."""

    class Tensor(ctypes.Structure):
        _fields_ = [
            ("data", ctypes.c_void_p), ("device", ctypes.c_int32 * 2), ("ndim", ctypes.c_int32),
            ("code", ctypes.c_uint8), ("bits", ctypes.c_uint8), ("lanes", ctypes.c_uint16),
            ("shape", ctypes.POINTER(ctypes.c_int64)), ("strides", ctypes.POINTER(ctypes.c_int64)),
            ("byte_offset", ctypes.c_uint64), ("context", ctypes.c_void_p),
            ("deleter", ctypes.c_void_p),
        ]  # fmt: skip

    def __init__(self, shape: list[int], strides: list[int] | None = None, /, **changes: Any):
        self.memory = (ctypes.c_float * 16)(*range(16))
        self.shape = (ctypes.c_int64 * 20)(*shape)
        self.strides = (ctypes.c_int64 * 20)(*(strides or []))
        self.struct = self.Tensor(
            data=ctypes.addressof(self.memory), device=(1, 0), ndim=len(shape), code=2, bits=32,
            lanes=1, shape=self.shape, strides=self.strides if strides else None, byte_offset=0,
        )  # fmt: skip
        for name, value in changes.items():
            setattr(self.struct, name, value)

    def __dlpack__(self) -> Any:  # of before DLPack 1.0: no arguments
        make = ctypes.pythonapi.PyCapsule_New
        make.restype = ctypes.py_object
        make.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
        return make(ctypes.addressof(self.struct), b"dltensor", None)

    def __dlpack_device__(self) -> tuple[int, int]:
        return (1, 0)


def test_a_plain_producer() -> None:
    source = Producer([2, 3], byte_offset=8)
    assert torch.from_dlpack(source).tolist() == [[2, 3, 4], [5, 6, 7]]
    source = Producer([2, 2], [1, 4])  # without a deleter its memory is ours to keep
    assert torch.from_dlpack(source).tolist() == [[0, 4], [1, 5]]


@pytest.mark.parametrize(
    ("shape", "strides", "changes"),
    [
        ([2], [-1], {}),
        ([-2], None, {}),
        ([2**62, 4], None, {}),
        ([2**40, 2], [2**40, 2**62], {}),
        ([1] * 17, None, {}),
        ([2], None, {"ndim": -1}),
        ([2], None, {"ndim": 2**31 - 1}),
        ([2], None, {"lanes": 4}),
        ([2], None, {"code": 9}),
        ([2], None, {"bits": 7}),
        ([2], None, {"device": (2, 0)}),
        ([2], None, {"data": None}),
        ([2], None, {"shape": None}),
    ],
)
def test_nonsense_is_refused(shape: list[int], strides: Any, changes: dict[str, Any]) -> None:
    source = Producer(shape, strides, **changes)
    with pytest.raises((BufferError, RuntimeError)):
        torch.from_dlpack(source)


def test_the_deleter_may_be_called_without_the_gil() -> None:
    x = torch.arange(4.0)
    struct = Producer.Tensor.from_address(_pointer(capsule := x.__dlpack__()))
    release = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(struct.deleter)  # CDLL: drops the GIL
    ctypes.pythonapi.PyCapsule_SetName.argtypes = [ctypes.py_object, ctypes.c_char_p]
    ctypes.pythonapi.PyCapsule_SetName(capsule, b"used_dltensor")
    with pytest.raises(RuntimeError, match="not resizable"):
        x.resize_(8)
    address = ctypes.addressof(struct)
    thread = threading.Thread(target=lambda: release(address))
    thread.start()
    thread.join()
    assert x.resize_(8).shape == (8,)


def _pointer(capsule: Any) -> int:
    get = ctypes.pythonapi.PyCapsule_GetPointer
    get.restype, get.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    return get(capsule, b"dltensor")


def test_memory_is_let_go() -> None:
    class Array(np.ndarray):
        pass

    a = np.arange(4.0).view(Array)
    gone = weakref.ref(a)
    t = torch.from_dlpack(a)
    del a
    gc.collect()
    assert gone() is not None and t.sum() == 6
    del t
    gc.collect()
    assert gone() is None
    x = torch.arange(3.0)
    x.__dlpack__()  # a capsule that nobody uses
    gc.collect()
    assert x.resize_(9).shape == (9,)


def test_frombuffer() -> None:
    data = bytearray(range(8))
    t = torch.frombuffer(data, dtype=torch.uint8)
    t[0] = 9
    assert data[0] == 9
    with pytest.raises(BufferError):
        data.append(1)  # its memory is in use
    assert torch.frombuffer(data, dtype=torch.int16, count=2, offset=2).tolist() == [770, 1284]
    assert torch.frombuffer(array.array("f", [1, 2]), dtype=torch.float32).tolist() == [1, 2]
    assert torch.frombuffer(np.arange(3.0), dtype=torch.float64).tolist() == [0, 1, 2]
    assert torch.frombuffer(data, dtype=torch.float32, requires_grad=True).requires_grad


def test_bytes_that_are_no_bools_count_as_true() -> None:
    t = torch.frombuffer(bytearray([0, 1, 2, 255]), dtype=torch.bool)
    assert t.tolist() == [False, True, True, True] and t.sum() == 3 and (~t).sum() == 1
    data = bytearray([0, 1])
    torch.frombuffer(data, dtype=torch.bool)[0] = True  # proper bools are shared
    assert data == b"\1\1"
    odd = Producer([4], code=6, bits=8)
    assert torch.from_dlpack(odd).sum() <= 4


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"count": 0}, r"both buffer length \(8\) and count \(0\) must not be 0"),
        ({"offset": 8}, "offset \\(8 bytes\\) must be non-negative and no greater than buffer"),
        ({"offset": -1}, "offset \\(-1 bytes\\) must be non-negative"),
        ({"offset": 1}, "must be a multiple of element size"),
        ({"count": 9, "offset": 2}, r"requested buffer length \(9 \* 2 bytes\) after offset"),
        ({"count": 2**62}, "must not be greater than actual buffer length"),
    ],
)
def test_frombuffer_refuses(options: dict[str, int], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        torch.frombuffer(bytearray(8), dtype=torch.int16, **options)


def test_frombuffer_refuses_what_is_no_buffer() -> None:
    with pytest.raises(ValueError, match="object does not implement Python buffer protocol"):
        torch.frombuffer([1], dtype=torch.int8)
    with pytest.raises(RuntimeError, match="could not retrieve buffer from object"):
        torch.frombuffer(memoryview(bytearray(8))[::2], dtype=torch.uint8)
    with pytest.raises(ValueError, match="must not be 0"):
        torch.frombuffer(b"", dtype=torch.int8)
    with pytest.raises(TypeError, match="missing 1 required positional arguments"):
        torch.frombuffer(b"ab")


def test_read_only_memory_stays_so_with_one_warning() -> None:
    from d2lcore import _interop

    _interop._warned.clear()
    a = np.arange(3.0)
    a.flags.writeable = False
    for what, make in (
        ("NumPy array", lambda: torch.from_numpy(a)),
        ("buffer", lambda: torch.frombuffer(b"abcd", dtype=torch.uint8)),
    ):
        with pytest.warns(UserWarning, match=f"The given {what} is not writable"):
            t = make()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            make()
            torch.tensor(a)
        for write in (lambda x: x.add_(1), lambda x: x.zero_(), lambda x: x.__setitem__(0, 1)):
            with pytest.raises(RuntimeError, match="read-only"):
                write(t)


def test_from_numpy_refuses() -> None:
    for bad, kind, text in (
        (
            np.arange(3)[::-1],
            ValueError,
            "At least one stride in the given numpy array is neg",
        ),
        (np.arange(3, dtype=">i4"), ValueError, "byte order different from the native"),
        (np.zeros(3, [("a", "f4"), ("b", "u1")])["a"], ValueError, "not a multiple of the element"),
        (np.array(["a"]), TypeError, "can't convert np.ndarray of type numpy.str_"),
        (np.array([None]), TypeError, "can't convert np.ndarray of type numpy.object_"),
        ([1], TypeError, r"expected np.ndarray \(got list\)"),
    ):
        with pytest.raises(kind, match=text):
            torch.from_numpy(bad)


def test_sequences_and_buffers_as_data() -> None:
    assert torch.tensor(memoryview(b"ab")).tolist() == [97, 98]
    assert torch.tensor(bytearray(b"ab")).dtype == torch.int64
    assert torch.tensor(array.array("d", [1, 2])).dtype == torch.float32
    assert torch.tensor(range(3)).tolist() == [0, 1, 2]
    assert torch.tensor([np.float32(1.5)]).dtype == torch.float32
    assert torch.tensor([np.arange(2), np.arange(2)]).shape == (2, 2)
    with pytest.raises(ValueError, match="could not determine the shape of object type"):
        torch.tensor(memoryview(np.arange(6.0).reshape(2, 3)))
    for bad in (b"ab", "ab"):
        with pytest.raises(TypeError, match="new\\(\\): invalid data type"):
            torch.tensor(bad)


def test_asarray() -> None:
    a = np.arange(3.0)
    assert torch.asarray(a).data_ptr() == a.ctypes.data
    assert torch.asarray(a, copy=True).data_ptr() != a.ctypes.data
    t = torch.asarray(a)
    assert torch.asarray(t) is t
    assert torch.asarray(b"ab", dtype=torch.uint8).tolist() == [97, 98]
    assert torch.asarray([1, 2], dtype=torch.float64, requires_grad=True).requires_grad
    with pytest.raises(ValueError, match="can't alias arbitrary sequence into a tensor"):
        torch.asarray([1], copy=False)
    with pytest.raises(ValueError, match="can't alias tensor with dtype"):
        torch.asarray(t, dtype=torch.float32, copy=False)
    x = torch.ones(2, requires_grad=True)
    assert not torch.asarray(x * 2).requires_grad


def test_array_protocol() -> None:
    x = torch.arange(6.0).view(2, 3)
    assert np.asarray(x).ctypes.data == x.data_ptr()
    assert np.array(x).ctypes.data != x.data_ptr()
    assert np.asarray(x, dtype=np.int32).dtype == np.int32
    assert np.array([torch.tensor(1.0), torch.tensor(2.0)]).tolist() == [1, 2]
    with pytest.raises(RuntimeError, match="Can't call numpy\\(\\) on Tensor that requires grad"):
        np.asarray(torch.ones(2, requires_grad=True))
    assert x.__array_interface__["data"][0] == x.data_ptr()
    assert not hasattr(torch.ones(1, requires_grad=True), "__array_interface__")
    with pytest.raises(TypeError, match="Got unsupported ScalarType BFloat16"):
        torch.ones(1, dtype=torch.bfloat16).numpy()


def test_numpy_functions_give_tensors() -> None:
    x, a = torch.arange(1.0, 7.0).view(2, 3), np.arange(6.0).reshape(2, 3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for result, want in (
            (np.sin(x), np.sin(x.numpy())), (np.exp(torch.tensor(1.0)), np.exp(np.float32(1))),
            (np.add(a, x), a + x.numpy()), (x + a, x.numpy() + a), (x * a, x.numpy() * a),
            (x - a, x.numpy() - a), (x / (a + 1), x.numpy() / (a + 1)), (a / x, a / x.numpy()),
            (x**a, x.numpy() ** a), (x @ a.T, x.numpy() @ a.T),
            (np.cumsum(x, 1), x.numpy().cumsum(1)),
            (np.transpose(x), x.numpy().T), (np.argmax(x), 5), (x == a, x.numpy() == a),
            (a == x, x.numpy() == a), (a != x, x.numpy() != a),
        ):  # fmt: skip
            assert isinstance(result, torch.Tensor)
            np.testing.assert_allclose(result.numpy(), want, rtol=1e-6)
    assert np.isnan(x).dtype == torch.uint8  # as in PyTorch
    for numbers in (np.float64(2) * x, np.float32(2) * x, x * np.float64(2), np.int64(2) * x):
        assert numbers.dtype == torch.float32 and numbers[0, 0] == 2
    for call in (lambda: a * x, lambda: a + x, lambda: a @ x.t(), lambda: np.sum(x), lambda: a < x):
        with pytest.raises(TypeError):  # PyTorch refuses these too
            call()


def test_arrays_as_indices() -> None:
    t = torch.arange(12).view(3, 4)
    assert torch.equal(t[np.array([2, 0])], t[[2, 0]])
    assert torch.equal(t[np.array([True, False, True])], t[[0, 2]])
    assert torch.equal(t[:, np.array([1, 3])], t[:, [1, 3]])
    assert torch.equal(t[np.array(t.numpy() > 5)], t[t > 5])
    assert torch.equal(t[np.int64(1)], t[1]) and torch.equal(t[np.array(1)], t[1])
    t[np.array([0]), np.array([1])] = 50
    assert t[0, 1] == 50
    assert np.arange(5)[torch.tensor([1, 2])].tolist() == [1, 2]
    with pytest.raises(IndexError):
        t[np.array([7])]


def test_tensors_as_sequences() -> None:
    t = torch.arange(3)
    assert list(reversed(t)) == [2, 1, 0] and len(t) == 3 and [*map(int, t)] == [0, 1, 2]
    assert 2 in t and torch.tensor(2) in t and 5 not in t
    assert hash(t) == id(t) and sum(t) == 3 and sorted(t, reverse=True)[0] == 2
    with pytest.raises(RuntimeError, match="but you passed in a <class 'str'>"):
        assert "a" in t
    with pytest.raises(TypeError, match="len\\(\\) of a 0-d tensor"):
        len(torch.tensor(1))


def test_an_empty_array_may_be_written_whatever_its_strides() -> None:
    x = torch.from_numpy(np.zeros((3, 0, 2)))
    x += 1
    assert x.shape == (3, 0, 2)
