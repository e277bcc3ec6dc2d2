"""Copies and pickles: of tensors, of what shares memory, and of everything around them."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import d2lcore as torch
import pytest

DTYPES = ("bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32",
          "float64", "complex64", "complex128")  # fmt: skip


def through_pickle(value: Any, protocol: int = 2) -> Any:
    return pickle.loads(pickle.dumps(value, protocol))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_every_protocol(protocol: int) -> None:
    x = torch.arange(6.0).view(2, 3)
    y = through_pickle(x, protocol)
    assert torch.equal(x, y) and y.data_ptr() != x.data_ptr()


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_dtype(dtype: str) -> None:
    x = torch.tensor([1, 0, 1]).to(getattr(torch, dtype))
    for again in (through_pickle(x), copy.deepcopy(x), copy.copy(x)):
        assert torch.equal(again, x) and again.dtype == x.dtype


def test_layout_is_kept() -> None:
    x = torch.arange(6.0).view(2, 3)
    for view in (x.t(), x.t()[1:], torch.arange(2.0).expand(3, 2), torch.zeros(0, 3), x[0, 0]):
        again = through_pickle(view)
        assert torch.equal(again, view) and again.stride() == view.stride()
    wide = torch.zeros(10000)
    assert len(pickle.dumps(wide[:2])) < 1000 and len(pickle.dumps(wide[::5000])) < 1000
    assert torch.equal(through_pickle(wide[::5000]), wide[::5000])


def test_what_else_a_tensor_carries() -> None:
    x = torch.ones(2, requires_grad=True)
    x.note = ["a"]
    (x * 2).sum().backward()
    again = through_pickle(x)
    assert again.requires_grad and again.note == ["a"] and again.grad is None
    twin = copy.deepcopy(x)
    assert twin.requires_grad and twin.note == ["a"] and twin.note is not x.note
    assert torch.equal(twin.grad, x.grad) and twin.grad is not x.grad
    first, second = through_pickle((x, x))
    assert first is second


def test_deepcopy_keeps_what_is_shared() -> None:
    base = torch.arange(6.0)
    view = base[2:]
    a, b, c = copy.deepcopy([base, view, base])
    assert a is c
    a[3] = 9
    assert b[1] == 9 and b.storage_offset() == 2 and base[3] == 3
    assert copy.deepcopy(torch.arange(6.0).view(2, 3).t()).stride() == (1, 3)


def test_deepcopy_never_takes_one_storage_for_another() -> None:
    class Maker:
        def __deepcopy__(self, memo: dict[Any, Any]) -> Any:
            return [copy.deepcopy(torch.full((3,), float(k)), memo).tolist() for k in range(50)]

    assert copy.deepcopy(Maker()) == [[float(k)] * 3 for k in range(50)]


def test_deepcopy_refuses_what_is_no_leaf() -> None:
    with pytest.raises(RuntimeError, match="Only Tensors created explicitly by the user"):
        copy.deepcopy(torch.ones(2, requires_grad=True) * 2)


def test_copy_shares_memory() -> None:
    x = torch.ones(2, requires_grad=True)
    y = copy.copy(x)
    assert y is not x and y.data_ptr() == x.data_ptr() and y.requires_grad and y.is_leaf
    z = copy.copy(x * 2)
    assert z.is_leaf and z.requires_grad
    p = torch.nn.Parameter(torch.ones(2))
    assert type(copy.copy(p)) is torch.nn.Parameter and copy.copy(p).data_ptr() == p.data_ptr()


@pytest.mark.parametrize("again", [through_pickle, copy.deepcopy], ids=["pickle", "deepcopy"])
def test_parameters_and_modules(again: Any) -> None:
    p = again(torch.nn.Parameter(torch.ones(2), requires_grad=False))
    assert type(p) is torch.nn.Parameter and not p.requires_grad
    one, two = torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)
    two.weight = one.weight
    net = torch.nn.Sequential(one, torch.nn.ReLU(), two)
    twin = again(net)
    assert twin[0].weight is twin[2].weight and twin[0].weight.requires_grad
    assert torch.equal(twin(torch.ones(1, 2)), net(torch.ones(1, 2)))
    assert str(twin) == str(net)


class Table(torch.Tensor):
    """A subclass that pickle can find."""


def test_subclasses() -> None:
    t = torch.ones(2).as_subclass(Table)
    assert type(t) is Table and type(through_pickle(t)) is Table and type(copy.deepcopy(t)) is Table
    x = torch.ones(2, requires_grad=True)
    (g,) = torch.autograd.grad((x * 2).as_subclass(Table).sum(), [x])
    assert g.tolist() == [2, 2]
    with pytest.raises(TypeError):
        torch.ones(2).as_subclass(int)


@pytest.mark.parametrize(
    "value",
    [torch.Size([1, 2]), torch.float32, torch.complex128, torch.device("cpu"), torch.strided,
     torch.channels_last],
    ids=str,
)  # fmt: skip
def test_the_small_types(value: Any) -> None:
    for again in (through_pickle(value), copy.copy(value), copy.deepcopy(value)):
        assert again == value and type(again) is type(value)


def test_named_results() -> None:
    found = torch.tensor([[1.0, 3.0, 2.0]]).sort(1)
    for again in (through_pickle(found), copy.deepcopy(found)):
        assert torch.equal(again.values, found.values)
        assert torch.equal(again.indices, found.indices)
        assert type(again).__name__ == "sort" and repr(again) == repr(found)
    with pytest.raises(ValueError, match="no op returns a named tuple"):
        torch._C._result_type("nothing")


def test_generators_carry_their_state() -> None:
    g = torch.Generator().manual_seed(3)
    torch.rand(5, generator=g)
    twins = [through_pickle(g), copy.copy(g), copy.deepcopy(g), g.clone_state()]
    want = torch.rand(3, generator=g)
    assert all(torch.equal(torch.rand(3, generator=t), want) for t in twins)
