"""Repeatability: the same bits for every number of threads, at sizes that are split."""

import d2lcore as torch
import pytest

OPS = {
    "add": lambda a, b: a + b,
    "exp": lambda a, b: torch.exp(a),
    "cast": lambda a, b: a.to(torch.bfloat16),
    "transposed copy": lambda a, b: a.T.contiguous(),
    "sum": lambda a, b: a.sum(),
    "sum of rows": lambda a, b: a.sum(1),
    "sum of columns": lambda a, b: a.sum(0),
    "sum of a few long rows": lambda a, b: a.reshape(3, -1).sum(1),
    "mean over two dimensions": lambda a, b: a.reshape(3, 100, 1000).mean((0, 2)),
    "norm": lambda a, b: torch.linalg.norm(a),
    "var": lambda a, b: a.var(0),
    "prod": lambda a, b: (1 + a / 1000).prod(0),
    "max": lambda a, b: a.max(0).indices,
    "softmax": lambda a, b: a.softmax(1),
    "logsumexp": lambda a, b: a.logsumexp(0),
    "cumsum": lambda a, b: a.cumsum(1),
    "matmul": lambda a, b: a @ b.T,
    "matmul of long rows": lambda a, b: a.reshape(3, -1) @ b.reshape(3, -1).T,
    "matvec": lambda a, b: a @ b[0],
    "dot": lambda a, b: a.reshape(-1) @ b.reshape(-1),
    "gather": lambda a, b: a.gather(1, b.argsort(1)),
    "index_add": lambda a, b: a.index_add(0, (b[:, 0] * 50).abs().long(), b),
    "scatter_add": lambda a, b: a.scatter_add(0, (b * 50).abs().long(), b),
    "sort": lambda a, b: a.sort(0).indices,
}


@pytest.fixture
def threads():
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", OPS)
def test_any_number_of_threads_gives_the_same_bits(name, dtype, threads):
    generator = torch.Generator().manual_seed(0)
    a = torch.randn(300, 1000, generator=generator, dtype=dtype)
    b = torch.randn(300, 1000, generator=generator, dtype=dtype)
    threads(1)
    expected = OPS[name](a, b)
    for n in (2, 3, 7):
        threads(n)
        assert torch.equal(OPS[name](a, b), expected), f"{name} differs with {n} threads"


def test_a_gradient_has_the_same_bits(threads):
    def gradient():
        torch.manual_seed(0)
        net = torch.nn.Sequential(
            torch.nn.Linear(500, 300), torch.nn.ReLU(), torch.nn.Linear(300, 10)
        )
        loss = torch.nn.functional.cross_entropy(
            net(torch.randn(400, 500)), torch.randint(0, 10, (400,))
        )
        loss.backward()
        return [p.grad for p in net.parameters()]

    threads(1)
    expected = gradient()
    for n in (2, 3, 7):
        threads(n)
        assert all(torch.equal(g, e) for g, e in zip(gradient(), expected, strict=True))
