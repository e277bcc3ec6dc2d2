"""Datasets, samplers, collation and DataLoader; shuffled orders recorded from PyTorch 2.13."""

from __future__ import annotations

import collections

import d2lcore as torch
import numpy as np
import pytest
from d2lcore.utils import data as D

X = torch.arange(30.0).reshape(10, 3)
Y = torch.arange(10)


class Stream(D.IterableDataset):
    def __iter__(self):
        return iter(range(11))

    def __len__(self):
        return 11


def first_column(loader):
    return [batch[0].tolist() for batch in loader]


# ---------------------------------------------------------------- random orders


def test_shuffling_is_pytorchs():
    torch.manual_seed(0)
    loader = D.DataLoader(D.TensorDataset(Y), 4, shuffle=True)
    assert first_column(loader) == [[6, 7, 1, 4], [2, 0, 9, 8], [3, 5]]
    assert first_column(loader) == [[2, 4, 7, 0], [8, 9, 5, 3], [6, 1]]
    assert torch.rand(1).item() == pytest.approx(0.455627977848053, abs=1e-7)


def test_shuffling_with_a_generator_is_pytorchs():
    generator = torch.Generator().manual_seed(7)
    loader = D.DataLoader(D.TensorDataset(Y), 4, True, drop_last=True, generator=generator)
    assert first_column(loader) == [[1, 3, 5, 7], [9, 4, 6, 2]]


def test_workers_keep_the_order():
    torch.manual_seed(0)
    loader = D.DataLoader(D.TensorDataset(Y), 4, shuffle=True, num_workers=2)
    assert first_column(loader) == [[6, 7, 1, 4], [2, 0, 9, 8], [3, 5]]


def test_samplers_are_pytorchs():
    torch.manual_seed(0)
    assert list(D.RandomSampler(range(5), True, 12)) == [1, 0, 4, 3, 4, 0, 2, 3, 4, 1, 3, 0]
    assert list(D.RandomSampler(range(3), num_samples=8)) == [0, 2, 1, 0, 1, 2, 0, 2]
    assert list(D.SubsetRandomSampler([5, 6, 7, 8])) == [8, 6, 5, 7]


def test_random_split_is_pytorchs():
    parts = D.random_split(range(10), [0.5, 0.3, 0.2], torch.Generator().manual_seed(1))
    assert [part.indices for part in parts] == [[5, 6, 1, 2, 0], [8, 9, 3], [7, 4]]
    assert [len(part) for part in D.random_split(range(10), [7, 3])] == [7, 3]
    assert [len(part) for part in D.random_split(range(10), [1 / 3] * 3)] == [4, 3, 3]


# ---------------------------------------------------------------- loading


def test_batches_of_tensors():
    batches = list(D.DataLoader(D.TensorDataset(X, Y), 4))
    assert [type(batch) for batch in batches] == [list] * 3
    assert [tuple(batch[0].shape) for batch in batches] == [(4, 3), (4, 3), (2, 3)]
    assert batches[1][1].tolist() == [4, 5, 6, 7]
    assert batches[2][0].tolist() == X[8:].tolist()


@pytest.mark.parametrize("indices", [[0, 3, 3], [-1, 2], [9]])
def test_the_quick_way_collates_alike(indices):
    dataset = D.TensorDataset(X, Y)
    subset = D.Subset(D.Subset(dataset, list(range(9, -1, -1))), list(range(10)))
    for source in (dataset, subset):
        quick = next(iter(D.DataLoader(source, batch_sampler=[indices])))
        slow = D.default_collate([source[i] for i in indices])
        assert [t.tolist() for t in quick] == [t.tolist() for t in slow]
        assert [t.dtype for t in quick] == [t.dtype for t in slow]
        assert all(t.is_contiguous() for t in quick)


def test_the_quick_way_carries_gradients():
    x = torch.ones(4, 2, requires_grad=True)
    (batch,) = next(iter(D.DataLoader(D.TensorDataset(x), 3)))
    batch.sum().backward()
    assert x.grad.tolist() == [[1.0, 1.0]] * 3 + [[0.0, 0.0]]


def test_a_subclass_of_tensor_dataset_is_asked_for_its_samples():
    class Doubled(D.TensorDataset):
        def __getitem__(self, index):
            return tuple(2 * t for t in super().__getitem__(index))

    (batch,) = next(iter(D.DataLoader(Doubled(Y), 3)))
    assert batch.tolist() == [0, 2, 4]


def test_lengths():
    dataset = D.TensorDataset(Y)
    assert len(D.DataLoader(dataset, 4)) == 3
    assert len(D.DataLoader(dataset, 4, drop_last=True)) == 2
    assert len(D.DataLoader(dataset, batch_size=None)) == 10
    assert len(D.DataLoader(Stream(), 4)) == 3
    assert len(D.DataLoader(dataset, batch_sampler=[[1], [2, 3]])) == 2


def test_streams():
    assert [b.tolist() for b in D.DataLoader(Stream(), 4)] == [
        [0, 1, 2, 3],
        [4, 5, 6, 7],
        [8, 9, 10],
    ]
    assert len(list(D.DataLoader(Stream(), 4, drop_last=True))) == 2
    assert list(D.DataLoader(Stream(), batch_size=None)) == list(range(11))
    assert len(list(D.DataLoader(Stream() + Stream(), 5))) == 5


def test_samplers_and_own_collation():
    dataset = D.TensorDataset(Y)
    assert first_column(D.DataLoader(dataset, 2, sampler=[5, 1, 7])) == [[5, 1], [7]]
    assert list(D.DataLoader(dataset, 4, collate_fn=len)) == [4, 4, 2]
    assert [s[0].item() for s in D.DataLoader(dataset, batch_size=None)] == list(range(10))

    class Several(D.Dataset):
        def __len__(self):
            return 4

        def __getitems__(self, indices):
            return [10 * i for i in indices]

    assert [b.tolist() for b in D.DataLoader(Several(), 2)] == [[0, 10], [20, 30]]


Pair = collections.namedtuple("Pair", ["x", "y"])


def test_collate():
    c = D.default_collate
    assert repr(c([0.5, 1.5])) == "tensor([0.5000, 1.5000], dtype=torch.float64)"
    assert repr(c([1, 2])) == "tensor([1, 2])"
    assert repr(c([True, False])) == "tensor([ True, False])"
    assert c(["a", "b"]) == ["a", "b"]
    assert repr(c([(1, "a"), (2, "b")])) == "[tensor([1, 2]), ('a', 'b')]"
    assert repr(c([{"k": 1}, {"k": 2}])) == "{'k': tensor([1, 2])}"
    assert repr(c([Pair(1, 2), Pair(3, 4)])) == "Pair(x=tensor([1, 3]), y=tensor([2, 4]))"
    assert type(c([collections.OrderedDict(a=1)])) is collections.OrderedDict
    assert c([torch.ones(2), torch.zeros(2)]).tolist() == [[1.0, 1.0], [0.0, 0.0]]
    assert c([np.ones(2), np.zeros(2)]).dtype == torch.float64
    assert repr(c([np.float32(1), np.float32(2)])) == "tensor([1., 2.])"
    with pytest.raises(RuntimeError, match="should be of equal size"):
        c([[1], [1, 2]])
    with pytest.raises(RuntimeError, match="equal size"):
        c([torch.ones(2), torch.ones(3)])
    for bad in (object(), None, np.array(["a"])):
        with pytest.raises(TypeError, match="batch must contain tensors, numpy arrays"):
            c([bad])


def test_convert():
    out = D.default_convert([np.ones(2), (1, "a"), {"k": np.zeros(1)}])
    assert out[0].tolist() == [1.0, 1.0]
    assert out[1] == [1, "a"]
    assert out[2]["k"].tolist() == [0.0]


# ---------------------------------------------------------------- datasets


def test_datasets():
    one = D.TensorDataset(X, Y)
    two = one + one
    assert len(two) == 20
    assert two[13][1].item() == two[-7][1].item() == 3
    assert D.Subset("abcdef", [4, 1])[0] == "e"
    stacked = D.StackDataset(a=one, b="0123456789")
    assert stacked[3]["b"] == "3"

    class Typed(D.Dataset[int]):
        pass

    with pytest.raises(NotImplementedError):
        Typed()[0]


DATA = D.TensorDataset(Y)
ERRORS = [
    (lambda: D.DataLoader(DATA, 0), ValueError, "batch_size should be a positive integer"),
    (lambda: D.DataLoader(DATA, True), ValueError, "batch_size should be a positive integer"),
    (lambda: D.DataLoader(DATA, num_workers=-1), ValueError, "should be non-negative"),
    (lambda: D.DataLoader(DATA, timeout=-1), ValueError, "timeout option should be non-negative"),
    (lambda: D.DataLoader(DATA, prefetch_factor=2), ValueError, "prefetch_factor option"),
    (lambda: D.DataLoader(DATA, persistent_workers=True), ValueError, "needs num_workers > 0"),
    (
        lambda: D.DataLoader(DATA, shuffle=True, sampler=[1]),
        ValueError,
        "sampler option is mutually exclusive with shuffle",
    ),
    (
        lambda: D.DataLoader(DATA, 2, batch_sampler=[[1]]),
        ValueError,
        "batch_sampler option is mutually exclusive",
    ),
    (
        lambda: D.DataLoader(DATA, batch_size=None, drop_last=True),
        ValueError,
        "disables auto-batching",
    ),
    (lambda: D.DataLoader(Stream(), shuffle=True), ValueError, "expected unspecified shuffle"),
    (lambda: D.DataLoader([], shuffle=True), ValueError, "num_samples should be a positive"),
    (lambda: D.RandomSampler([1], replacement=3), TypeError, "replacement should be a boolean"),
    (lambda: D.BatchSampler([1], 2, 3), ValueError, "drop_last should be a boolean"),
    (lambda: D.TensorDataset(X, X[:3]), AssertionError, "Size mismatch between tensors"),
    (lambda: D.ConcatDataset([]), AssertionError, "should not be an empty iterable"),
    (lambda: (DATA + DATA)[-100], ValueError, "should not exceed dataset length"),
    (lambda: (DATA + DATA)[100], IndexError, "out of range"),
    (lambda: D.random_split(DATA, [1, 2]), ValueError, "does not equal the length"),
    (lambda: D.random_split(DATA, [1.5, -0.5]), ValueError, "not between 0 and 1"),
    (lambda: list(D.DataLoader(DATA, sampler=[100])), IndexError, "100"),
    (
        lambda: setattr(D.DataLoader(DATA), "batch_size", 3),
        ValueError,
        "batch_size attribute should not be set after DataLoader is initialized",
    ),
]


@pytest.mark.parametrize(("act", "kind", "text"), ERRORS)
def test_errors(act, kind, text):
    with pytest.raises(kind) as caught:
        act()
    assert text in str(caught.value)
