"""The Tensor type: identity, indexing, interop, copying, promotion, autograd in all its forms."""

# ruff: noqa: E501 (recorded texts)
from __future__ import annotations

import copy
import gc
import itertools
import pickle
import weakref

import d2lcore as torch
import numpy as np
import pytest

# --- what the seed of the project says a user types: PyTorch 2.13's printed results ---
PRINTED = {
    "torch.arange(6).reshape(3, 2)": "tensor([[0, 1],\n        [2, 3],\n        [4, 5]])",
    "torch.arange(6).reshape(3, 2).clone()": "tensor([[0, 1],\n        [2, 3],\n        [4, 5]])",
    "torch.arange(6).reshape(3, 2).T": "tensor([[0, 2, 4],\n        [1, 3, 5]])",
    "torch.sum(torch.tensor([1.0, 2, 4, 8]) * torch.tensor([2, 2, 2, 2]))": "tensor(30.)",
    "(torch.arange(6).reshape(3, 2).shape, torch.tensor([2, 2, 2, 2]).shape)": "(torch.Size([3, 2]), torch.Size([4]))",
    "torch.mv(torch.arange(6.0).reshape(3, 2), torch.tensor([3.0, -4.0]))": "tensor([-4., -6., -8.])",
    "torch.arange(6.0).reshape(3, 2) @ torch.tensor([3.0, -4.0])": "tensor([-4., -6., -8.])",
    "torch.mm(torch.arange(6).reshape(3, 2), torch.arange(6).reshape(2, 3))": "tensor([[ 3,  4,  5],\n        [ 9, 14, 19],\n        [15, 24, 33]])",
    "torch.arange(6).reshape(3, 2) @ torch.arange(6).reshape(2, 3)": "tensor([[ 3,  4,  5],\n        [ 9, 14, 19],\n        [15, 24, 33]])",
    "torch.norm(torch.tensor([3.0, -4.0]))": "tensor(5.)",
    "torch.abs(torch.tensor([3.0, -4.0])).sum()": "tensor(7.)",
    "torch.norm(torch.ones((4, 9)))": "tensor(6.)",
    "torch.linalg.norm(torch.tensor([3.0, -4.0]), 1)": "tensor(7.)",
    "torch.linalg.norm(torch.tensor([3.0, -4.0]), float('inf'))": "tensor(4.)",
    "torch.linalg.norm(torch.arange(6.0).reshape(3, 2))": "tensor(7.4162)",
    "torch.arange(12, dtype=torch.float32)": "tensor([ 0.,  1.,  2.,  3.,  4.,  5.,  6.,  7.,  8.,  9., 10., 11.])",
    "torch.arange(12, dtype=torch.float32).numel()": "12",
    "torch.arange(12, dtype=torch.float32).shape": "torch.Size([12])",
    "torch.arange(12, dtype=torch.float32).reshape(3,4)": "tensor([[ 0.,  1.,  2.,  3.],\n        [ 4.,  5.,  6.,  7.],\n        [ 8.,  9., 10., 11.]])",
    "torch.zeros((2,3,4))": "tensor([[[0., 0., 0., 0.],\n         [0., 0., 0., 0.],\n         [0., 0., 0., 0.]],\n\n        [[0., 0., 0., 0.],\n         [0., 0., 0., 0.],\n         [0., 0., 0., 0.]]])",
    "torch.ones((2, 3))": "tensor([[1., 1., 1.],\n        [1., 1., 1.]])",
    "torch.tensor([[2, 1, 4, 3], [1, 2, 3, 4], [4, 3, 2, 1]])": "tensor([[2, 1, 4, 3],\n        [1, 2, 3, 4],\n        [4, 3, 2, 1]])",
    "(torch.tensor([1.0, 2, 4, 8]) + torch.tensor([2, 2, 2, 2]), torch.tensor([1.0, 2, 4, 8]) - torch.tensor([2, 2, 2, 2]), torch.tensor([1.0, 2, 4, 8]) * torch.tensor([2, 2, 2, 2]), torch.tensor([1.0, 2, 4, 8]) / torch.tensor([2, 2, 2, 2]), torch.tensor([1.0, 2, 4, 8]) ** torch.tensor([2, 2, 2, 2]))": "(tensor([ 3.,  4.,  6., 10.]), tensor([-1.,  0.,  2.,  6.]), tensor([ 2.,  4.,  8., 16.]), tensor([0.5000, 1.0000, 2.0000, 4.0000]), tensor([ 1.,  4., 16., 64.]))",
    "torch.exp(torch.tensor([1.0, 2, 4, 8]))": "tensor([2.7183e+00, 7.3891e+00, 5.4598e+01, 2.9810e+03])",
    "torch.tensor([1.0, 2, 4, 8]) == torch.tensor([2, 2, 2, 2])": "tensor([False,  True, False, False])",
    "torch.tensor([1.0, 2, 4, 8]).sum()": "tensor(15.)",
    "torch.arange(6).reshape(3, 2).sum(axis=0)": "tensor([6, 9])",
    "torch.arange(6.0).reshape(3, 2).mean()": "tensor(2.5000)",
    "torch.arange(6.0).reshape(3, 2) / torch.arange(6.0).reshape(3, 2).sum(axis=1, keepdims=True)": "tensor([[0.0000, 1.0000],\n        [0.4000, 0.6000],\n        [0.4444, 0.5556]])",
    "torch.arange(6).reshape(3, 2).cumsum(0)": "tensor([[0, 1],\n        [2, 4],\n        [6, 9]])",
    "torch.ones(2, requires_grad=True) * 2": "tensor([2., 2.], grad_fn=<MulBackward0>)",
    "torch.tensor(3.5)": "tensor(3.5000)",
    "torch.tensor([1e-8, 1.0])": "tensor([1.0000e-08, 1.0000e+00])",
    "torch.tensor([float('nan'), float('inf')])": "tensor([nan, inf])",
    "torch.tensor([True, False])": "tensor([ True, False])",
    "torch.empty(0)": "tensor([])",
    "torch.tensor([1.5], dtype=torch.float64)": "tensor([1.5000], dtype=torch.float64)",
}


@pytest.mark.parametrize("expression", PRINTED)
def test_printed(expression: str) -> None:
    assert repr(eval(expression, {"torch": torch})) == PRINTED[expression]


# --- promotion: dtypes of add and div for each pair, recorded from PyTorch 2.13 (".": complex32) ---
NAMES = "bool uint8 int8 int16 int32 int64 float16 bfloat16 float32 float64 complex64 complex128".split()
LETTERS = dict(zip("?BbhilegfdFD", NAMES))
ADD = [
    "?BbhilegfdFD",
    "BBhhilegfdFD",
    "bhbhilegfdFD",
    "hhhhilegfdFD",
    "iiiiilegfdFD",
    "llllllegfdFD",
    "eeeeeeeffdFD",
    "ggggggfgfdFD",
    "fffffffffdFD",
    "ddddddddddDD",
    "FFFFFFFFFDFD",
    "DDDDDDDDDDDD",
]
DIV = [
    "ffffffegfdFD",
    "ffffffegfdFD",
    "ffffffegfdFD",
    "ffffffegfdFD",
    "ffffffegfdFD",
    "ffffffegfdFD",
    "eeeeeeeffdFD",
    "ggggggfgfdFD",
    "fffffffffdFD",
    "ddddddddddDD",
    "FFFFFFFFFDFD",
    "DDDDDDDDDDDD",
]
# Tensor (row) with a Python number True, 2, 2.5, 2j (column), and a 0-d tensor of each dtype.
NUMBER = "?lfF BBfF bbfF hhfF iifF llfF eee. gggF fffF dddD FFFF DDDD".split()
ZERO_DIM = [
    "?BbhilegfdFD",
    "BBBBBBegfdFD",
    "bbbbbbegfdFD",
    "hhhhhhegfdFD",
    "iiiiiiegfdFD",
    "llllllegfdFD",
    "eeeeeeeeee..",
    "ggggggggggFF",
    "ffffffffffFF",
    "ddddddddddDD",
    "FFFFFFFFFFFF",
    "DDDDDDDDDDDD",
]


def _name(x: torch.Tensor) -> str:
    return str(x.dtype).split(".")[-1]


@pytest.mark.parametrize("row", range(len(NAMES)))
def test_promotion(row: int) -> None:
    a = torch.ones(2, dtype=getattr(torch, NAMES[row]))
    for column, other in enumerate(NAMES):
        b = torch.ones(2, dtype=getattr(torch, other))
        assert _name(a == b) == "bool"
        for got, table in ((a * b[0], ZERO_DIM), (a / b, DIV), (torch.add(a, b), ADD)):
            if table[row][column] != ".":
                assert _name(got) == LETTERS[table[row][column]], other
        if ADD[row][column] != ".":
            assert torch.promote_types(a.dtype, b.dtype) == (a + b).dtype == torch.result_type(a, b)
    for number, letter in zip((True, 2, 2.5, 2j), NUMBER[row]):
        if letter != ".":
            assert _name(a * number) == _name(number * a) == LETTERS[letter], number


# --- identity ---
def test_one_object_for_one_tensor() -> None:
    x = torch.ones(3, requires_grad=True)
    (x * 2).sum().backward()
    assert x.grad is x.grad
    x.grad.note = "kept"
    gc.collect()
    assert x.grad.note == "kept"
    y = x * 2
    assert y.grad_fn is not None and y.detach() is not y


def test_attributes_live_while_only_cpp_holds_the_tensor() -> None:
    p = torch.nn.Parameter(torch.ones(2))
    p.tag = [1]
    loss = (p * 3).sum()
    seen = weakref.ref(p)
    del p
    gc.collect()
    held = seen()
    assert held is not None and held.tag == [1] and isinstance(held, torch.nn.Parameter)
    loss.backward()
    assert held.grad.tolist() == [3.0, 3.0]
    del held, loss
    gc.collect()
    assert seen() is None


def test_subclass() -> None:
    class Mine(torch.Tensor):
        pass

    x = torch.Tensor._make_subclass(Mine, torch.ones(2))
    x.extra = 5
    assert isinstance(x, Mine) and x.extra == 5 and (x + 1).tolist() == [2.0, 2.0]
    assert (
        copy.deepcopy(x).extra == 5
        and type(pickle.loads(pickle.dumps(torch.ones(2)))) is torch.Tensor
    )


def test_hash_is_identity_and_weakrefs_end() -> None:
    x = torch.ones(2)
    assert {x: 1}[x] == 1
    r = weakref.ref(x)
    del x
    assert r() is None


# --- indexing against NumPy ---
PARTS = (
    0,
    -1,
    2,
    slice(None),
    slice(1, None),
    slice(None, -1),
    slice(0, 3, 2),
    slice(5, 1),
    None,
    ...,
)
LISTS = ([0, 2], [-1], [[0, 1], [2, 0]])


def _indices() -> list:
    out: list = list(PARTS) + [np.array(v) for v in LISTS]
    out += [t for t in itertools.product(PARTS, PARTS) if t.count(...) < 2]
    out += [(p, np.array(v)) for p in PARTS for v in LISTS[:2]]
    out += [(np.array(v), p) for p in PARTS for v in LISTS]
    out += [(np.array([0, 2]), np.array([1, 0])), (np.array([0, 2]), slice(None), np.array([1, 0]))]
    out += [
        (slice(None), np.array([0, 2]), np.array([1, 0])),
        (np.array([[0], [2]]), np.array([1, 0])),
    ]
    out += [(np.array([0, 1]), None, np.array([1, 0]))]
    return out


BASE = np.arange(3 * 4 * 3.0).reshape(3, 4, 3)
MASKS = [
    BASE > 10,
    BASE[:, :, 0] > 12,
    BASE[:, 0, 0] > 100,
    (slice(None), BASE[0] > 5),
    BASE[:, 0, 0] > 5,
]


def _for_torch(index: object) -> object:
    if isinstance(index, tuple):
        return tuple(_for_torch(i) for i in index)
    return torch.from_numpy(index.copy()) if isinstance(index, np.ndarray) else index


@pytest.mark.parametrize(
    "index", [*_indices(), *MASKS], ids=lambda i: repr(i).replace("\n", "")[:60]
)
def test_indexing(index: object) -> None:
    x = torch.from_numpy(BASE.copy())
    got, want = x[_for_torch(index)], BASE[index]
    assert tuple(got.shape) == want.shape and got.tolist() == want.tolist()
    target, written = torch.from_numpy(BASE.copy()), BASE.copy()
    target[_for_torch(index)] = -1
    written[index] = -1
    assert target.tolist() == written.tolist()
    if want.ndim:
        target[_for_torch(index)] = torch.from_numpy(np.arange(float(want.shape[-1])))
        written[index] = np.arange(float(want.shape[-1]))
        assert target.tolist() == written.tolist()
    y = torch.from_numpy(BASE.copy()).requires_grad_()
    y[_for_torch(index)].sum().backward()
    counts = np.zeros_like(BASE)
    np.add.at(counts, index, 1)
    assert y.grad.tolist() == counts.tolist()


def test_indexing_by_bool_and_lists() -> None:
    x = torch.arange(6).reshape(2, 3)
    assert x[True].shape == (1, 2, 3) and x[False].shape == (0, 2, 3)
    assert x[[0, 1]].tolist() == x.tolist() and x[[True, False]].tolist() == [[0, 1, 2]]
    assert x[torch.tensor(1)].tolist() == [3, 4, 5]


# --- NumPy ---
def test_numpy_shares_memory() -> None:
    a = np.arange(6.0).reshape(2, 3)
    x = torch.from_numpy(a.T)
    assert x.stride() == (1, 3) and x.dtype == torch.float64
    x[0, 0] = 9
    assert a[0, 0] == 9
    b = x.numpy()
    b[1, 1] = 7
    assert x[1, 1] == 7 and b.shape == (3, 2) and np.asarray(x).dtype == np.float64
    assert np.add(torch.ones(2), 1).tolist() == [2, 2]
    assert torch.tensor(a).tolist() == a.tolist() and torch.tensor(a) is not a
    y = torch.tensor(np.float32(2.5))
    assert y.dtype == torch.float32 and y.item() == 2.5


# --- copies ---
@pytest.mark.parametrize("dtype", NAMES)
def test_pickle_and_deepcopy(dtype: str) -> None:
    x = torch.ones(2, 3, dtype=getattr(torch, dtype)).T
    for y in (pickle.loads(pickle.dumps(x)), copy.deepcopy(x), copy.copy(x)):
        assert y.dtype == x.dtype and y.shape == x.shape and torch.equal(y, x)
    if dtype.startswith("float"):
        x.requires_grad_()
        assert pickle.loads(pickle.dumps(x)).requires_grad and copy.deepcopy(x).requires_grad


def test_deepcopy_of_a_result_is_refused() -> None:
    with pytest.raises(RuntimeError, match="Only Tensors created explicitly by the user"):
        copy.deepcopy(torch.ones(2, requires_grad=True) * 2)


# --- as a Python value ---
def test_python_protocols() -> None:
    x = torch.tensor([[1, 2], [3, 4]])
    assert len(x) == 2 and [r.tolist() for r in x] == [[1, 2], [3, 4]] and 3 in x and 7 not in x
    assert (
        int(torch.tensor(3.7)) == 3 and float(torch.tensor(2)) == 2.0 and bool(torch.tensor([0.5]))
    )
    assert [10, 20, 30][torch.tensor(1)] == 20 and f"{torch.tensor(1.5):.2f}" == "1.50"
    assert complex(torch.tensor(2.0)) == 2 and torch.tensor(3) == 3 and -torch.tensor(3) == -3
    assert x.sum(axis=0, keepdims=True).tolist() == [[4, 6]] and x.sum(dim=1).tolist() == [3, 7]
    assert torch.sum(x, axis=1).tolist() == [3, 7] and torch.cat([x, x], axis=1).shape == (2, 4)
    assert x.size() == torch.Size([2, 2]) and x.size(0) == 2 and x.shape.numel() == 4
    assert x.shape[1:] == (2,) and isinstance(x.shape, tuple)


# --- autograd ---
def grad_of(f: object, *values: float) -> list[float]:
    xs = [torch.tensor(v, requires_grad=True) for v in values]
    f(*xs).backward()
    return [round(x.grad.item(), 5) for x in xs]


def test_derivatives_of_the_book() -> None:
    assert grad_of(lambda x: 3 * x**2 - 4 * x, 1.0) == [2.0]
    assert grad_of(lambda x: torch.exp(x), 0.0) == [1.0] and grad_of(torch.log, 2.0) == [0.5]
    assert grad_of(lambda x: x**5, 2.0) == [80.0] and grad_of(lambda x: x * 0 + 7, 2.0) == [0.0]
    assert grad_of(lambda x: (x**2) * torch.exp(x), 1.0) == [8.15485]
    assert grad_of(lambda x: x**2 / (x + 1), 1.0) == [0.75]
    assert grad_of(lambda x: torch.log(x**2 + 1), 2.0) == [0.8]
    assert grad_of(lambda x, y: x**2 * y + y**3, 2.0, 3.0) == [12.0, 31.0]


def test_difference_quotient_goes_to_the_derivative() -> None:
    x = torch.tensor(1.0, dtype=torch.float64)
    f = lambda v: 3 * v**2 - 4 * v  # noqa: E731
    errors = [abs(((f(x + h) - f(x)) / h).item() - 2) for h in (0.1, 0.01, 0.001, 0.0001)]
    assert errors == sorted(errors, reverse=True) and errors[-1] < 1e-3


def test_third_order() -> None:
    x = torch.tensor(2.0, requires_grad=True)
    y, found = x**4, []
    for _ in range(3):
        (y,) = torch.autograd.grad(y, x, create_graph=True)
        found.append(y.item())
    assert found == [32.0, 48.0, 48.0]


def test_in_place_on_views() -> None:
    x = torch.tensor([1.0, 2.0, 3.0, 4.0], requires_grad=True)
    y = x * 2
    v = y[1:3]
    v.mul_(3)
    y[0] = 5.0
    (y * torch.tensor([1.0, 10.0, 100.0, 1000.0])).sum().backward()
    assert x.grad.tolist() == [0.0, 60.0, 600.0, 2000.0]
    x.grad = None
    z = x.clone()
    z.view(2, 2)[0].add_(x[2:])
    z.T[0].mul_(3)
    z.sum().backward()
    assert x.grad.tolist() == [3.0, 1.0, 4.0, 2.0]
    base = torch.zeros(2, 2)
    base[0] = x[:2]
    base.diagonal().mul_(2)
    assert base.requires_grad
    x.grad = None
    base.sum().backward()
    assert x.grad.tolist() == [2.0, 1.0, 0.0, 0.0]


def test_accumulation_hooks_and_retained_gradients() -> None:
    x = torch.ones(2, requires_grad=True)
    seen = []
    handle = x.register_hook(lambda g: seen.append(g.tolist()) or g * 2)
    h = x * 3
    h.retain_grad()
    h.sum().backward(retain_graph=True)
    h.sum().backward()
    assert seen == [[3.0, 3.0], [3.0, 3.0]] and x.grad.tolist() == [12.0, 12.0]
    assert h.grad.tolist() == [2.0, 2.0] and h.retains_grad and not h.is_leaf
    handle.remove()
    x.grad = None
    (x * x).sum().backward()
    assert x.grad.tolist() == [2.0, 2.0] and len(seen) == 2


def test_no_grad_forms() -> None:
    x = torch.ones(2, requires_grad=True)

    @torch.no_grad()
    def f(v: torch.Tensor) -> torch.Tensor:
        return v * 2

    @torch.no_grad
    def g(v: torch.Tensor) -> torch.Tensor:
        with torch.enable_grad():
            return v * 2

    assert not f(x).requires_grad and g(x).requires_grad and (x * 2).requires_grad
    with torch.set_grad_enabled(False):
        assert not (x * 2).requires_grad
        x.add_(1)
    assert x.tolist() == [2.0, 2.0] and torch.is_grad_enabled()
    y = (x * 2).detach()
    assert not y.requires_grad and y.is_leaf


def test_long_chain() -> None:
    x = torch.ones(1, requires_grad=True)
    y = x
    for _ in range(100_000):
        y = y + 1
    y.backward()
    assert x.grad.item() == 1.0
    del y


def test_grad_mode_of_functions_and_flags() -> None:
    x = torch.ones(2, requires_grad=True)
    gx, gy = torch.autograd.grad(
        (x * 2).sum(), [x, torch.ones(1, requires_grad=True)], allow_unused=True
    )
    assert gx.tolist() == [2.0, 2.0] and gy is None
    (zero,) = torch.autograd.grad(
        (x * 2).sum(), torch.ones(1, requires_grad=True), materialize_grads=True, allow_unused=True
    )
    assert zero.tolist() == [0.0]
    z = (x * x).sum()
    z.backward(retain_graph=True)
    z.backward()
    assert x.grad.tolist() == [4.0, 4.0]
    x.grad = None
    torch.autograd.backward([(x * 2).sum(), (x * 3).sum()])
    assert x.grad.tolist() == [5.0, 5.0]


def test_linspace_rounds_once_and_half_kinds_every_operation():
    first, last, n = np.float32(-2), np.float32(5.3), 1000
    step = (last - first) / np.float32(n - 1)
    expected = [
        np.float32(
            float(first) + float(step) * i
            if i < n // 2
            else float(last) - float(step) * (n - i - 1)
        )
        for i in range(n)
    ]
    assert torch.linspace(-2, 5.3, n).tolist() == [float(x) for x in expected]
    # Recorded from PyTorch 2.13.
    x = torch.linspace(-2, 4, 50, dtype=torch.bfloat16)
    assert x[[8, 10, 16, 17, 49]].tolist() == [-1.015625, -0.7734375, -0.0390625, 0.078125, 4.0]


def test_cat_along_rows_of_many_columns():
    parts = [torch.randn(70, n, 3) for n in (5, 0, 1000, 7)]
    expected = np.concatenate([p.numpy() for p in parts], 1)
    assert np.array_equal(torch.cat(parts, 1).numpy(), expected)
    assert np.array_equal(torch.cat([p[:, :, :2] for p in parts], 1).numpy(), expected[:, :, :2])
