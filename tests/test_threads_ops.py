"""Repeatability, op by op: results and gradients have the same bits for 1, 2, 3 and 7 threads.

One row for each loop that is split among threads, at a size that splits; a row that is written in
parallel without a fixed order (a scatter that adds, say) would fail here.
"""

from __future__ import annotations

import d2lcore as torch
import d2lcore.nn.functional as F
import pytest

G = torch.Generator()


def randn(*shape, dtype=torch.float32):
    return torch.randn(*shape, generator=G, dtype=dtype)


def indices(high, *shape):
    return torch.randint(0, high, shape, generator=G)


def image():
    return randn(4, 16, 48, 48)


# Name: inputs that get a gradient, a function, and what else it takes.
ROWS = {
    "binary with broadcasting": lambda: ([randn(500, 300), randn(300)], lambda a, b: a * b + b),
    "transposed operands": lambda: ([randn(400, 300), randn(300, 400)], lambda a, b: a.T - b),
    "where": lambda: ([randn(400, 300), randn(400, 1)], lambda a, b: torch.where(a > b, a, b)),
    "activation": lambda: ([randn(300, 400)], lambda a: F.gelu(a) + F.silu(a) + F.softplus(a)),
    "cat": lambda: ([randn(300, 200), randn(300, 200)], lambda a, b: torch.cat([a, b], 1)),
    "stack": lambda: ([randn(200, 300), randn(200, 300)], lambda a, b: torch.stack([a, b], 1)),
    "sum of short rows": lambda: ([randn(30000, 7)], lambda a: a.sum(1)),
    "sum of narrow columns": lambda: ([randn(30000, 7)], lambda a: a.sum(0)),
    "sum of columns of pages": lambda: ([randn(60, 5000)], lambda a: a.sum(0)),
    "sum of the middle": lambda: ([randn(30, 100, 100)], lambda a: a.sum(1)),
    "prod": lambda: ([randn(100, 2000).exp()], lambda a: a[:, :40].prod(1)),
    "std": lambda: ([randn(40, 5000)], lambda a: a.std(1)),
    "norm": lambda: ([randn(500, 400)], lambda a: torch.linalg.vector_norm(a, 3, 0)),
    "amax": lambda: ([randn(300, 700)], lambda a: a.amax(0)),
    "cummax": lambda: ([randn(300, 700)], lambda a: a.cummax(1).values),
    "cumprod": lambda: ([randn(700, 300) / 20 + 1], lambda a: a.cumprod(0)),
    "logcumsumexp": lambda: ([randn(300, 500)], lambda a: a.logcumsumexp(1)),
    "softmax of columns": lambda: ([randn(300, 700)], lambda a: a.softmax(0)),
    "log_softmax": lambda: ([randn(2000, 100)], lambda a: a.log_softmax(1)),
    "cross entropy": lambda: (
        [randn(3000, 60)],
        lambda a, t: F.cross_entropy(a, t, label_smoothing=0.1),
        indices(60, 3000),
    ),
    "layer norm": lambda: (
        [randn(1000, 200), randn(200), randn(200)],
        lambda x, w, b: F.layer_norm(x, (200,), w, b),
    ),
    "batch norm": lambda: (
        [image(), randn(16), randn(16)],
        lambda x, w, b: F.batch_norm(x, None, None, w, b, training=True),
    ),
    "group norm": lambda: (
        [image(), randn(16), randn(16)],
        lambda x, w, b: F.group_norm(x, 4, w, b),
    ),
    "convolution": lambda: (
        [image(), randn(24, 16, 3, 3), randn(24)],
        lambda x, w, b: F.conv2d(x, w, b, stride=2, padding=1),
    ),
    "grouped convolution": lambda: (
        [image(), randn(16, 1, 3, 3)],
        lambda x, w: F.conv2d(x, w, padding=1, groups=16),
    ),
    "transposed convolution": lambda: (
        [image(), randn(16, 8, 3, 3)],
        lambda x, w: F.conv_transpose2d(x, w, stride=2),
    ),
    "max pooling": lambda: ([image()], lambda x: F.max_pool2d(x, 3, 2, 1)),
    "average pooling": lambda: ([image()], lambda x: F.avg_pool2d(x, 3, 2, 1)),
    "adaptive pooling": lambda: ([image()], lambda x: F.adaptive_avg_pool2d(x, (7, 5))),
    "interpolation": lambda: (
        [image()],
        lambda x: F.interpolate(x, size=(61, 37), mode="bilinear", align_corners=False),
    ),
    "unfold": lambda: ([image()], lambda x: F.unfold(x, 3, padding=1)),
    "padding": lambda: ([image()], lambda x: F.pad(x, (3, 2, 1, 4), mode="reflect")),
    "product": lambda: ([randn(300, 200), randn(200, 250)], lambda a, b: a @ b),
    "product of bfloat16": lambda: (
        [randn(300, 200, dtype=torch.bfloat16), randn(200, 250, dtype=torch.bfloat16)],
        lambda a, b: a @ b,
    ),
    "batched product": lambda: ([randn(40, 50, 60), randn(40, 60, 30)], lambda a, b: a @ b),
    "long inner dimension": lambda: ([randn(5, 90000), randn(90000, 6)], lambda a, b: a @ b),
    "matrix and vector": lambda: ([randn(700, 600), randn(600)], lambda a, b: a @ b),
    "einsum": lambda: (
        [randn(20, 30, 40), randn(20, 50, 40)],
        lambda a, b: torch.einsum("bik,bjk->bij", a, b),
    ),
    "attention": lambda: (
        [randn(8, 100, 32), randn(8, 100, 32), randn(8, 100, 32)],
        lambda q, k, v: F.scaled_dot_product_attention(q, k, v),
    ),
    "embedding": lambda: (
        [randn(300, 64)],
        lambda w, i: F.embedding(i, w),
        indices(300, 4000),
    ),
    "index with repetitions": lambda: (
        [randn(300, 200)],
        lambda a, i: a[i],
        indices(300, 5000),
    ),
    "gather": lambda: (
        [randn(300, 500)],
        lambda a, i: a.gather(0, i),
        indices(300, 300, 500),
    ),
    "index_add": lambda: (
        [randn(50, 300), randn(4000, 300)],
        lambda a, b, i: a.index_add(0, i, b),
        indices(50, 4000),
    ),
    "scatter_reduce": lambda: (
        [randn(50, 300), randn(1000, 300)],
        lambda a, b, i: a.scatter_reduce(0, i, b, "mean"),
        indices(50, 1000, 300),
    ),
    "index_put": lambda: (
        [randn(500), randn(100000)],
        lambda a, b, i: a.index_put((i,), b, accumulate=True),
        indices(500, 100000),
    ),
    "sort": lambda: ([randn(300, 500)], lambda a: a.sort(1).values),
    "topk": lambda: ([randn(300, 500)], lambda a: a.topk(7, 1).values),
    "median": lambda: ([randn(300, 500)], lambda a: a.median(1).values),
    "triangular": lambda: ([randn(40, 80, 80)], lambda a: a.tril() + a.triu(1) * 2),
    "roll and flip": lambda: ([randn(300, 500)], lambda a: a.roll((3, 5), (0, 1)).flip(1)),
    "distances": lambda: ([randn(200, 30), randn(250, 30)], lambda a, b: torch.cdist(a, b)),
    "solve": lambda: (
        [randn(60, 20, 20, dtype=torch.float64), randn(60, 20, 3, dtype=torch.float64)],
        lambda a, b: torch.linalg.solve(a, b),
    ),
    "fourth root of a cast": lambda: ([randn(400, 300)], lambda a: a.double().abs().pow(0.25)),
}

# Without a gradient.
PLAIN = {
    "unique": lambda: torch.unique(indices(900, 100000), return_inverse=True, return_counts=True),
    "bincount": lambda: (torch.bincount(indices(900, 100000)),),
    "histc": lambda: (torch.histc(randn(100000), 50),),
    "nonzero": lambda: (torch.nonzero(randn(400, 300) > 0),),
    "mask": lambda: (torch.masked_select(randn(400, 300), randn(400, 300) > 0),),
    "searchsorted": lambda: (torch.searchsorted(randn(1000).sort().values, randn(90000)),),
    "argmax": lambda: (
        randn(300, 500).argmax(0),
        randn(300, 500).argmax(1),
        randn(200000).argmax(),
    ),
    "random numbers": lambda: (
        randn(100000),
        torch.rand(100000, generator=G),
        indices(9, 100000),
        torch.randperm(100000, generator=G),
        torch.bernoulli(torch.full((90000,), 0.3), generator=G),
    ),
    "integers": lambda: (
        indices(9, 300, 200) @ indices(9, 200, 300),
        indices(9, 300, 700).sum(0),
        indices(9, 300, 700).cumsum(1),
    ),
}


@pytest.fixture
def threads():
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


def with_gradients(row):
    G.manual_seed(0)
    inputs, f, *others = row()
    inputs = [x.detach().requires_grad_() for x in inputs]
    out = f(*inputs, *others)
    return [out.detach(), *torch.autograd.grad(out, inputs, torch.cos(out.detach()))]


@pytest.mark.parametrize("name", ROWS)
def test_results_and_gradients_have_the_same_bits(name, threads):
    threads(1)
    expected = with_gradients(ROWS[name])
    assert all(bool(x.isfinite().all()) for x in expected)
    for n in (2, 3, 7):
        threads(n)
        for k, (x, e) in enumerate(zip(with_gradients(ROWS[name]), expected, strict=True)):
            what = "the result" if k == 0 else f"gradient {k - 1}"
            assert torch.equal(x, e), f"{what} of {name} differs with {n} threads"


@pytest.mark.parametrize("name", PLAIN)
def test_results_have_the_same_bits(name, threads):
    threads(1)
    G.manual_seed(0)
    expected = PLAIN[name]()
    for n in (2, 3, 7):
        threads(n)
        G.manual_seed(0)
        for x, e in zip(PLAIN[name](), expected, strict=True):
            assert torch.equal(x, e), f"{name} differs with {n} threads"
