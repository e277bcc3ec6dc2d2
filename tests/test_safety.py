"""What bad input gets: an exception of PyTorch's class that names op and shapes, nothing written.

And a mutation test: every op with every argument spoilt, in a process of its own.
"""

# ruff: noqa: E501 (recorded texts)
from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import d2lcore as torch
import numpy as np
import pytest

HERE = Path(__file__).resolve().parent


def nested(depth: int) -> list:
    out: list = [1.0]
    for _ in range(depth):
        out = [out]
    return out


def selfish() -> list:
    out: list = []
    out.append(out)
    return out


def leaf(*shape: int) -> torch.Tensor:
    return torch.ones(shape, requires_grad=True)


def empty_tensor() -> torch.Tensor:
    return torch.Tensor.__new__(torch.Tensor)


def twice() -> None:
    y = (leaf(2) ** 2).sum()
    y.backward()
    y.backward()


def saved_and_changed() -> None:
    x = leaf(2)
    y = x * 1
    z = y.exp() * y
    y.add_(1)
    z.sum().backward()


def pinned_resize() -> None:
    x = torch.ones(3)
    held = x.numpy()
    try:
        x.resize_(1000)
    finally:
        assert held.tolist() == [1, 1, 1]


def expanded_write() -> None:
    torch.ones(1).expand(3).add_(1)


def overlapping_write() -> None:
    x = torch.arange(5.0)
    x[1:].add_(x[:-1])


def read_only() -> None:
    array = np.ones(3)
    array.flags.writeable = False
    x = torch.from_numpy(array)
    try:
        x.add_(1)
    finally:
        assert array.tolist() == [1, 1, 1]


BAD = {
    "broadcast": (
        lambda: torch.ones(3) + torch.ones(4),
        RuntimeError,
        "The size of tensor a (3) must match the size of tensor b (4)",
    ),
    "mm": (
        lambda: torch.mm(torch.ones(2, 3), torch.ones(2, 3)),
        RuntimeError,
        "mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)",
    ),
    "matmul operator": (
        lambda: torch.ones(2, 3) @ torch.ones(2),
        RuntimeError,
        "size mismatch, got input (2), mat (2x3), vec (2)",
    ),
    "ragged": (
        lambda: torch.tensor([[1, 2], [3]]),
        ValueError,
        "expected sequence of length 2 at dim 1 (got 1)",
    ),
    "ragged depth": (lambda: torch.tensor([[1, 2], 3]), (ValueError, TypeError), ""),
    "words": (lambda: torch.tensor(["a"]), (ValueError, TypeError), ""),
    "no dtype": (lambda: torch.zeros(2, dtype="float32"), TypeError, "dtype"),
    "unknown dtype": (lambda: torch.tensor([1], dtype="x"), TypeError, "dtype"),
    "object array": (
        lambda: torch.from_numpy(np.array([object()])),
        TypeError,
        "can't convert np.ndarray of type numpy.object",
    ),
    "index range": (
        lambda: torch.ones(3)[3],
        IndexError,
        "index 3 is out of bounds for dimension 0 with size 3",
    ),
    "negative index range": (
        lambda: torch.ones(3)[-4],
        IndexError,
        "index -4 is out of bounds for dimension 0 with size 3",
    ),
    "index tensor range": (
        lambda: torch.ones(3)[torch.tensor([0, 5])],
        IndexError,
        "index 5 is out of bounds for dimension 0 with size 3",
    ),
    "float index": (lambda: torch.ones(3)[1.5], (TypeError, IndexError), ""),
    "word index": (lambda: torch.ones(3)["a"], (TypeError, IndexError), ""),
    "float index tensor": (
        lambda: torch.ones(3)[torch.tensor([0.0])],
        IndexError,
        "tensors used as indices must be long, int, byte or bool tensors",
    ),
    "mask shape": (
        lambda: torch.ones(3)[torch.ones(4, dtype=torch.bool)],
        IndexError,
        "The shape of the mask [4] at index 0 does not match the shape of the indexed tensor [3] at index 0",
    ),
    "too many indices": (
        lambda: torch.ones(3)[0, 0],
        IndexError,
        "too many indices for tensor of dimension 1",
    ),
    "0-d index": (lambda: torch.tensor(1.0)[0], IndexError, "invalid index of a 0-dim tensor"),
    "slice step": (lambda: torch.ones(3)[::-1], ValueError, "step must be greater than zero"),
    "negative size": (lambda: torch.zeros(-1), RuntimeError, "negative"),
    "huge index": (
        lambda: torch.ones(3)[1 << 70],
        (ValueError, IndexError, OverflowError, TypeError, RuntimeError),
        "",
    ),
    "overflowing sizes": (lambda: torch.empty(1 << 40, 1 << 40), RuntimeError, ""),
    "overflowing size": (
        lambda: torch.empty(1 << 70),
        (RuntimeError, TypeError, OverflowError),
        "",
    ),
    "no memory": (lambda: torch.zeros(1 << 45), (MemoryError, RuntimeError), ""),
    "no memory for a result": (
        lambda: torch.ones(1).expand(1 << 45) + 1,
        (MemoryError, RuntimeError),
        "",
    ),
    "as_strided": (lambda: torch.ones(4).as_strided((3, 3), (2, 1)), RuntimeError, "out of bounds"),
    "as_strided overflow": (
        lambda: torch.ones(4).as_strided((1 << 40,), (1 << 40,)),
        RuntimeError,
        "",
    ),
    "as_strided negative": (
        lambda: torch.ones(4).as_strided((2,), (-1,)),
        RuntimeError,
        "egative strides",
    ),
    "leaf in place": (
        lambda: leaf(2).add_(1),
        RuntimeError,
        "a leaf Variable that requires grad is being used in an in-place operation.",
    ),
    "view of leaf in place": (
        lambda: leaf(2)[0:1].add_(1),
        RuntimeError,
        "a view of a leaf Variable that requires grad is being used in an in-place operation.",
    ),
    "backward of many": (
        lambda: (leaf(2) * 2).backward(),
        RuntimeError,
        "grad can be implicitly created only for scalar outputs",
    ),
    "backward of none": (
        lambda: torch.ones(()).backward(),
        RuntimeError,
        "element 0 of tensors does not require grad and does not have a grad_fn",
    ),
    "wrong gradient": (
        lambda: (leaf(2) * 2).backward(torch.ones(3)),
        RuntimeError,
        "Mismatch in shape: grad_output[0] has a shape of",
    ),
    "second backward": (twice, RuntimeError, "Trying to backward through the graph a second time"),
    "saved and changed": (
        saved_and_changed,
        RuntimeError,
        "one of the variables needed for gradient computation has been modified by an inplace operation",
    ),
    "int grad": (
        lambda: torch.ones(2, dtype=torch.int64, requires_grad=True),
        RuntimeError,
        "floating point",
    ),
    "numpy of grad": (
        lambda: leaf(2).numpy(),
        RuntimeError,
        "Can't call numpy() on Tensor that requires grad",
    ),
    "unused input": (
        lambda: torch.autograd.grad(leaf(2).sum(), leaf(2)),
        RuntimeError,
        "The differentiated Tensor at index 0 appears to not have been used in the graph",
    ),
    "deep lists": (lambda: torch.tensor(nested(2000)), (ValueError, RuntimeError), ""),
    "endless list": (lambda: torch.tensor(selfish()), (ValueError, RuntimeError), ""),
    "endless index": (
        lambda: torch.ones(3)[selfish()],
        (ValueError, RuntimeError, IndexError, TypeError),
        "",
    ),
    "uninitialised operand": (
        lambda: torch.ones(2) + empty_tensor(),
        (RuntimeError, TypeError, ValueError),
        "",
    ),
    "no tensor for self": (lambda: torch.Tensor.add(1, 2), TypeError, ""),
    "pinned": (pinned_resize, (RuntimeError, ValueError), ""),
    "expanded write": (
        expanded_write,
        RuntimeError,
        "unsupported operation: more than one element of the written-to tensor refers to a single memory location",
    ),
    "overlapping write": (
        overlapping_write,
        RuntimeError,
        "unsupported operation: some elements of the input tensor and the written-to tensor refer to a single memory location",
    ),
    "read-only": (read_only, RuntimeError, ""),
    "truth of many": (
        lambda: bool(torch.ones(2)),
        RuntimeError,
        "Boolean value of Tensor with more than one value is ambiguous",
    ),
    "item of many": (
        lambda: torch.ones(2).item(),
        RuntimeError,
        "a Tensor with 2 elements cannot be converted to Scalar",
    ),
    "len of 0-d": (lambda: len(torch.tensor(1.0)), TypeError, "len() of a 0-d tensor"),
    "iter of 0-d": (lambda: iter(torch.tensor(1.0)), TypeError, "iteration over a 0-d tensor"),
    "set shape": (lambda: torch.ones(3).__setitem__(slice(None), torch.ones(4)), RuntimeError, "4"),
    "out of wrong dtype": (
        lambda: torch.add(torch.ones(2), 1.5, out=torch.ones(2, dtype=torch.int64)),
        RuntimeError,
        "result type Float can't be cast to the desired output type",
    ),
    "in place of wrong dtype": (
        lambda: torch.ones(2, dtype=torch.int64).add_(1.5),
        RuntimeError,
        "result type Float can't be cast to",
    ),
    "in place of wrong shape": (
        lambda: torch.ones(2).add_(torch.ones(3, 2)),
        RuntimeError,
        "output with shape [2] doesn't match the broadcast shape [3, 2]",
    ),
    "no such attribute": (lambda: torch.ones(2).nothing, AttributeError, "nothing"),
    "not provided": (lambda: torch.nothing, AttributeError, "nothing"),
    "device": (
        lambda: torch.ones(2, device="cuda"),
        (RuntimeError, AssertionError, ValueError),
        "",
    ),
    "division by zero": (lambda: torch.tensor([1]) // 0, RuntimeError, "ZeroDivisionError"),
    "smallest by -1": (lambda: check_smallest(), None, ""),
}


def check_smallest() -> None:
    least = torch.tensor([-(1 << 63)])
    assert (least // -1).dtype == torch.int64 and (least % -1).item() == 0


@pytest.mark.parametrize("name", BAD)
def test_bad_input(name: str) -> None:
    call, kind, text = BAD[name]
    if kind is None:
        call()
        return
    with pytest.raises(kind) as caught:
        call()
    assert text in str(caught.value), f"{name}: {caught.value}"


WIDE = 1 << 40
# Sizes whose results no machine can hold, or whose arithmetic leaves 64 bits.
EXTREME = {
    "clone": lambda: torch.ones(1).expand(WIDE).clone(),
    "cat": lambda: torch.cat([torch.ones(1).expand(WIDE)] * 2),
    "repeat": lambda: torch.ones(3).repeat(WIDE, 1 << 20),
    "tile": lambda: torch.ones(3).tile((1 << 62,)),
    "eye": lambda: torch.eye(1 << 33),
    "arange": lambda: torch.arange(1 << 50),
    "arange of tiny steps": lambda: torch.arange(0, 1e300, 1e-300),
    "linspace": lambda: torch.linspace(0, 1, 1 << 50),
    "randperm": lambda: torch.randperm(1 << 50),
    "one_hot": lambda: torch.nn.functional.one_hot(torch.tensor([WIDE])),
    "bincount": lambda: torch.bincount(torch.tensor([1 << 45])),
    "tril_indices": lambda: torch.tril_indices(WIDE, WIDE),
    "diag": lambda: torch.diag(torch.ones(3), 1 << 62),
    "repeat_interleave": lambda: torch.ones(3).repeat_interleave(1 << 62),
    "repeats": lambda: torch.ones(2).repeat_interleave(torch.tensor([1 << 62, 1 << 62])),
    "histc": lambda: torch.histc(torch.ones(3), 1 << 50),
    "kron": lambda: torch.kron(*[torch.ones(1).expand(WIDE)] * 2),
    "outer": lambda: torch.outer(*[torch.ones(1).expand(WIDE)] * 2),
    "gather": lambda: torch.ones(3).gather(0, torch.tensor([0]).expand(WIDE)),
    "resize_": lambda: torch.ones(3).resize_(1 << 60),
    "as_strided": lambda: torch.ones(3).as_strided((2,), (1,), 1 << 62),
    "dimensions": lambda: torch.ones([1] * 70),
    "expand": lambda: torch.ones(1).expand(1 << 62, 4),
    "narrow": lambda: torch.ones(3).narrow(0, 1, (1 << 63) - 1),
    "generator": lambda: torch.Generator().set_state(torch.zeros(5056, dtype=torch.uint8)),
}


@pytest.mark.parametrize("name", EXTREME)
def test_extreme_sizes(name: str) -> None:
    with pytest.raises((MemoryError, RuntimeError)):
        EXTREME[name]()


def test_extreme_places_are_answered() -> None:
    least = -(1 << 63)
    x = torch.ones(3, 3)
    assert x.diagonal(least).numel() == 0 and x.tril(least).sum() == 0
    assert x.roll(least, 0).shape == (3, 3) and len(x.split((1 << 63) - 1)) == 1
    assert (torch.tensor([1]) << 70).tolist() == [0]


def test_a_tensor_without_arguments_is_empty() -> None:
    x = empty_tensor()
    assert x.shape == (0,) and x.add(1).numel() == 0 and x.sum().item() == 0


REFUSED_WRITES = {
    "shape": lambda x: x.add_(torch.ones(4, 3)),
    "dtype": lambda x: x.add_(torch.ones(3, dtype=torch.complex64)),
    "index": lambda x: x.index_fill_(0, torch.tensor([0, 9]), 5.0),
    "scatter": lambda x: x.scatter_(0, torch.tensor([0, 9]), 5.0),
    "put": lambda x: x.put_(torch.tensor([0, 9]), torch.ones(2)),
    "index_put": lambda x: x.__setitem__(torch.tensor([0, 9]), 5.0),
    "mask": lambda x: x.masked_fill_(torch.ones(4, dtype=torch.bool), 5.0),
    "copy": lambda x: x.copy_(torch.ones(2)),
    "out": lambda x: torch.mm(torch.ones(2, 3), torch.ones(2, 3), out=x),
}


@pytest.mark.parametrize("name", REFUSED_WRITES)
def test_nothing_is_written_by_a_refused_call(name: str) -> None:
    x = torch.tensor([1.0, 2.0, 3.0])
    version = x._version
    with pytest.raises((RuntimeError, IndexError)):
        REFUSED_WRITES[name](x)
    assert x.tolist() == [1.0, 2.0, 3.0] and x._version == version


def test_every_op_with_spoilt_arguments(tmp_path: Path) -> None:
    """Some fifty thousand calls; a crash is told by the op's name."""
    log = tmp_path / "last call"
    command = [sys.executable, str(HERE / "_mutate.py"), str(log), "0", "1"]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=240, cwd=HERE, check=False
    )
    last = log.read_text()
    assert done.returncode == 0, f"died ({done.returncode}) in {last}\n{done.stderr[-2000:]}"
    count, _, odd = done.stdout.partition("\n")
    print(f"{count} spoilt calls")
    assert int(count.split()[0]) > 20000 and last == "done"
    assert not odd.strip(), odd


def test_an_output_that_is_an_operand_keeps_the_operand_s_shape() -> None:
    """out= may resize what the op still reads: the operand's geometry is the one of the call."""
    a, b = torch.ones(3, 2), torch.ones(2, 4)
    assert torch.mm(a, b, out=a).tolist() == [[2.0] * 4] * 3
    x, y = torch.ones(3), torch.ones(2, 3)
    try:
        torch.add(x, y, out=x)
    except RuntimeError:
        return
    assert x.tolist() == [[2.0] * 3] * 2
