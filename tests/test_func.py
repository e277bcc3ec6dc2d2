"""torch.func: transforms alone, in one another, and under vmap."""

from __future__ import annotations

import d2lcore as torch
import numpy as np
import pytest
from d2lcore import func
from d2lcore.nn import functional as F

RNG = np.random.RandomState(0)


def numbers(*shape):
    return torch.tensor(RNG.randn(*shape))


X, Y, A, W, V = numbers(3, 4), numbers(3, 4), numbers(3, 4, 4), numbers(4, 4), numbers(4)


def close(a, b):
    return torch.allclose(a, b, rtol=1e-10, atol=1e-12)


def each(function, *batches):
    return torch.stack([function(*row) for row in zip(*batches, strict=True)])


# ------------------------------------------------------------------------------------------- vmap


@pytest.mark.parametrize(
    "function",
    [
        torch.dot,
        lambda a, b: (2 - a) ** 2 / (b.abs() + 1) - a % 2 + 3 // b,
        lambda a, b: a.sum() * b,
        lambda a, b: a[0] + b.unsqueeze(1),
        lambda a, b: torch.cat([a, V, b]),
        lambda a, b: torch.where(a > 0, a, b).clamp(-1, 1),
        lambda a, b: torch.stack([a, b], 1)[1:, -1],
        lambda a, b: (a + 0 * b).add_(b).mul_(2),
        lambda a, b: torch.einsum("i,j->ij", a, b) @ W + a,
        lambda a, b: torch.einsum("ij,j", W, b),
        lambda a, b: F.linear(a, W, b),
        lambda a, b: F.mse_loss(a, b) + F.l1_loss(a, V),
        lambda a, b: sum(row for row in a.outer(b)),
        lambda a, b: a.masked_fill(b > 0, 0.0).softmax(-1).cumsum(0),
        lambda a, b: torch.sort(a)[0] + torch.topk(b, 2).values.max(),
        lambda a, b: F.layer_norm(a, (4,)) + b.std(),
        lambda a, b: -abs(a) + b.T if b.dim() == 2 else a.reshape(2, 2).mT.flatten() - b,
    ],
)
def test_vmap_of_two(function):
    assert close(func.vmap(function)(X, Y), each(function, X, Y))
    assert close(func.vmap(function, (0, None))(X, V), each(lambda a: function(a, V), X))
    assert close(func.vmap(function, (None, 0))(V, Y), each(lambda b: function(V, b), Y))


def test_vmap_dims_and_nests():
    assert close(func.vmap(torch.dot, (1, 1))(X.t(), Y.t()), (X * Y).sum(1))
    assert func.vmap(lambda a: (a * 2, a.sum()), out_dims=(1, 0))(X)[0].shape == (4, 3)
    got = func.vmap(lambda d: {"s": d["a"] + d["b"]}, in_dims=({"a": 0, "b": None},))(
        {"a": X, "b": V}
    )
    assert close(got["s"], X + V)
    assert close(func.vmap(lambda a: V)(X), V.expand(3, 4))
    assert close(func.vmap(lambda a: a * 2, chunk_size=2)(X), X * 2)
    assert close(func.vmap(func.vmap(torch.sum))(A), A.sum(-1))
    assert close(func.vmap(lambda a: func.vmap(lambda w: (a * w).sum())(W))(X), X @ W.t())
    outer = func.vmap(func.vmap(torch.mul, (0, None)), (None, 0))
    assert close(outer(V, V), V.outer(V))
    assert torch.vmap is func.vmap


def test_vmap_indexing():
    places = torch.tensor([0, 1, 2])
    assert close(func.vmap(lambda a, i: a[i])(X, places), X[places, places])
    assert close(func.vmap(lambda i: V[i])(places), V[places])
    assert close(func.vmap(lambda a: a[torch.tensor([0, 2])])(A), A[:, [0, 2]])
    assert close(
        func.vmap(lambda a, i: a.gather(0, i))(X, places[:, None]), X.gather(1, places[:, None])
    )

    def write(a):
        a = a.clone()
        a[0], a[1:3] = 5.0, V[:2]
        return a

    assert close(func.vmap(write)(X), each(write, X))


def test_vmap_randomness():
    draw = lambda a: a * 0 + torch.rand(1)  # noqa: E731
    with pytest.raises(RuntimeError, match="called random operation while in randomness error"):
        func.vmap(draw)(X)
    assert func.vmap(draw, randomness="different")(X).unique().numel() == 3
    assert func.vmap(draw, randomness="same")(X).unique().numel() == 1
    ones = torch.ones(8, 64)
    different = func.vmap(F.dropout, randomness="different")(ones)
    assert not torch.equal(different[0], different[1])
    same = func.vmap(F.dropout, randomness="same")(ones)
    assert torch.equal(same[0], same[1])
    assert torch.equal(func.vmap(lambda a: F.dropout(a, training=False))(ones), ones)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: func.vmap(lambda a: a.sum().item())(X), RuntimeError, "vmap over calling .item()"),
        (lambda: func.vmap(lambda a: a if a.sum() > 0 else -a)(X), RuntimeError, "data-dependent"),
        (lambda: func.vmap(lambda a: V.clone().add_(a))(X), RuntimeError, "vmap: inplace arith"),
        (lambda: func.vmap(lambda a: 3)(X), ValueError, "must only return Tensors, got type <cl"),
        (lambda: func.vmap(lambda: 3)(), ValueError, "got no inputs. Maybe you forgot to add inp"),
        (lambda: func.vmap(torch.dot, [0, 0])(X, Y), ValueError, "expected `in_dims` to be int or"),
        (lambda: func.vmap(torch.dot, (0,))(X, Y), ValueError, "in_dims is not compatible with th"),
        (lambda: func.vmap(torch.dot, (0, 5))(X, Y), ValueError, "Got in_dim=5 for some input, bu"),
        (lambda: func.vmap(torch.dot, (0, 0))(X, 3), ValueError, "We cannot vmap over non-Tensor"),
        (lambda: func.vmap(torch.dot)(X, Y[:2]), ValueError, "Expected all tensors to have the sa"),
        (
            lambda: func.vmap(torch.sin, randomness="no"),
            RuntimeError,
            "Only allowed values for ran",
        ),
        (
            lambda: func.vmap(torch.sin, chunk_size=0),
            ValueError,
            "chunk_size should be None or gre",
        ),
    ],
)
def test_vmap_errors(call, error, words):
    with pytest.raises(error) as info:
        call()
    assert words in str(info.value)
    assert close(X + V, X + V)  # nothing of the vmap is left


def test_vmap_is_differentiable():
    x = X.clone().requires_grad_()
    func.vmap(lambda a: (a**3).sum() * a[0])(x).sum().backward()
    expected = X.clone().requires_grad_()
    ((expected**3).sum(1) * expected[:, 0]).sum().backward()
    assert close(x.grad, expected.grad)


class Square(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(x):
        return x**2

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(inputs[0])

    @staticmethod
    def backward(ctx, grad):
        return 2 * ctx.saved_tensors[0] * grad


class OwnRule(Square):
    generate_vmap_rule = False

    @staticmethod
    def vmap(info, in_dims, x):
        assert info.batch_size == 3
        return OwnRule.apply(x.movedim(in_dims[0], 0)), 0


class NoRule(Square):
    generate_vmap_rule = False


def test_functions_inside_vmap():
    for cls in (Square, OwnRule):
        assert close(func.vmap(cls.apply)(X), X**2)
        assert close(func.vmap(func.grad(lambda a, c=cls: c.apply(a).sum()))(X), 2 * X)
    with pytest.raises(RuntimeError, match="it does not have vmap support"):
        func.vmap(NoRule.apply)(X)


# ------------------------------------------------------------------------------------- transforms


def test_grad():
    assert close(func.grad(lambda a: (a**3).sum())(V), 3 * V**2)
    assert func.grad(func.grad(lambda a: a**3))(torch.tensor(2.0)).item() == 12.0
    ga, gb = func.grad(lambda a, b: (a * b).sum(), argnums=(0, 1))(V, 2 * V)
    assert close(ga, 2 * V)
    assert close(gb, V)
    g, aux = func.grad(lambda a: ((a**2).sum(), a * 2), has_aux=True)(V)
    assert close(g, aux)
    g, value = func.grad_and_value(lambda a: (a**2).sum())(V)
    assert close(value, (V**2).sum())
    assert not value.requires_grad
    got = func.grad(lambda p: (p["w"] * p["b"][0]).sum())({"w": V, "b": [V + 1]})
    assert close(got["b"][0], V)


def test_levels_do_not_mix():
    inner = lambda a: func.grad(lambda b: a + b)(torch.tensor(1.0))  # noqa: E731
    assert func.grad(lambda a: a * inner(a))(torch.tensor(1.0)).item() == 1.0
    x = torch.tensor(3.0)
    assert func.grad(lambda a: func.grad(lambda b: a * b * b)(a))(x).item() == 12.0


def test_what_requires_grad():
    leaf = V.clone().requires_grad_()
    square = lambda a: (a**2).sum()  # noqa: E731
    assert func.grad(square)(leaf).requires_grad
    assert not func.grad(square)(V).requires_grad
    w = W.clone().requires_grad_()
    g = func.grad(lambda a: ((w @ a) ** 2).sum())(V)
    assert torch.autograd.grad(g.sum(), w)[0].shape == (4, 4)
    with torch.no_grad():
        assert close(func.grad(square)(leaf), 2 * V)
        assert not func.grad(square)(leaf).requires_grad


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: func.grad(lambda a: a**3)(V), "Expected f(*args) to return a scalar Tensor"),
        (lambda: func.grad(lambda a: 3)(V), "to return a Tensor, got <class 'int'>"),
        (lambda: func.grad(torch.sum)(torch.tensor([1])), "only Tensors of floating point dtype"),
        (lambda: func.grad(torch.sum, argnums=1)(V), "Got argnum=1, but only 1 positional inputs"),
        (lambda: func.grad(torch.sum, has_aux=True)(V), "should be a tuple: (output, aux)"),
        (lambda: func.jvp(torch.sin, V, V), "Expected primals to be a tuple."),
        (lambda: func.vjp(torch.sin, V)[1](V, V), "pytree structure of cotangents"),
        (lambda: func.jvp(lambda a: W, (V,), (V,), strict=True), "does not depend on the inputs"),
    ],
)
def test_errors(call, words):
    with pytest.raises(RuntimeError) as info:
        call()
    assert words in str(info.value)


def test_products():
    y, pull = func.vjp(lambda a, b: (a * b, a + b), V, V)
    assert close(y[0], V * V)
    ga, gb = pull((V, V))
    assert close(ga, V * V + V)
    assert close(ga, gb)
    y, t = func.jvp(lambda a, b: (a * b, a.sum()), (V, V), (V, V))
    assert close(t[0], 2 * V * V)
    assert close(t[1], V.sum())
    y, t, _ = func.jvp(lambda a: (a**2, a), (V,), (V,), has_aux=True)
    assert close(t, 2 * V * V)
    y, push = func.linearize(torch.sin, V)
    assert close(push(V), V * V.cos())
    assert close(push(2 * V), 2 * V * V.cos())


def test_jacobians():
    function = lambda a: W @ a.sin()  # noqa: E731
    expected = W * V.cos()
    for jacobian in (func.jacrev, func.jacfwd):
        assert close(jacobian(function)(V), expected)
        table, aux = jacobian(lambda a: (function(a), a), has_aux=True)(V)
        assert close(table, expected)
        assert close(aux, V)
        both = jacobian(lambda a, b: (a * b, a.sum()), argnums=(0, 1))(V, 2 * V)
        assert close(both[0][1], torch.diag(V))
        assert both[1][1].eq(0).all()
        assert jacobian(lambda a: a @ W)(A).shape == (3, 4, 4, 3, 4, 4)
    f = lambda a: (a.sin() * a * a).sum() + a.sum() ** 3  # noqa: E731
    own = 2 * V.sin() + 4 * V * V.cos() - V * V * V.sin()
    expected = torch.diag(own) + 6 * V.sum()
    assert close(func.hessian(f)(V), expected)
    assert close(func.jacfwd(func.jacrev(f))(V), expected)
    assert close(func.jacrev(func.jacfwd(f))(V), expected)
    mixed = func.hessian(lambda a, b: (a * b).sum(), argnums=(0, 1))(V, V)
    assert close(mixed[0][1], torch.eye(4, dtype=torch.float64))


def test_transforms_under_vmap():
    def loss(w, x, y):
        return ((w @ x - y) ** 2).sum()

    got = func.vmap(func.grad(loss), (None, 0, 0))(W, X, Y)
    assert close(got, each(lambda x, y: func.grad(loss)(W, x, y), X, Y))
    assert close(func.vmap(func.jacrev(torch.sin))(X), torch.diag_embed(X.cos()))
    assert close(func.vmap(func.jacfwd(torch.sin))(X), torch.diag_embed(X.cos()))
    assert close(func.vmap(func.hessian(lambda a: (a**3).sum()))(X), torch.diag_embed(6 * X))
    assert close(func.vmap(lambda a, v: func.vjp(torch.sin, a)[1](v)[0])(X, Y), X.cos() * Y)
    assert close(func.vmap(lambda a, v: func.jvp(torch.sin, (a,), (v,))[1])(X, Y), X.cos() * Y)
    assert close(func.vjp(func.vmap(torch.sin), X)[1](Y)[0], X.cos() * Y)
    twice = func.vmap(func.vmap(func.grad(lambda a: a**3)))
    assert close(twice(X), 3 * X**2)
    total = func.grad(lambda a: func.vmap(lambda r: (r * a).sum() ** 2)(X).sum())(V)
    assert close(total, 2 * X.t() @ (X @ V))


def test_vmap_over_the_functions_that_vjp_and_linearize_return():
    eye = torch.eye(4, dtype=torch.float64)
    function = lambda a: W @ a.sin()  # noqa: E731
    (rows,) = func.vmap(func.vjp(function, V)[1])(eye)
    assert close(rows, func.jacrev(function)(V))
    assert close(func.vmap(func.linearize(function, V)[1])(eye).t(), rows)


# ---------------------------------------------------------------------------------------- modules


def test_functional_call():
    net = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.BatchNorm1d(3)).double().eval()
    params = {name: p.detach() for name, p in net.named_parameters()}
    changed = func.functional_call(net, {"0.weight": params["0.weight"] * 2}, (X,))
    assert not close(changed, net(X))
    assert close(func.functional_call(net, params, (X,)), net(X))
    one, two = dict(list(params.items())[:1]), dict(list(params.items())[1:])
    assert close(func.functional_call(net, (one, two), X), net(X))
    with pytest.raises(ValueError, match="appears in multiple dictionaries"):
        func.functional_call(net, (one, one), X)
    with pytest.raises(RuntimeError, match=r"Missing key\(s\): '0.bias'"):
        func.functional_call(net, one, X, strict=True)
    assert isinstance(net[0].weight, torch.nn.Parameter)


def test_tied_weights():
    net = torch.nn.Sequential(torch.nn.Linear(4, 4, bias=False), torch.nn.Linear(4, 4, bias=False))
    net[1].weight = net[0].weight
    eye = torch.eye(4)
    x = X.float()
    assert torch.equal(func.functional_call(net, {"0.weight": eye}, (x,)), x)
    loose = func.functional_call(net, {"0.weight": eye}, (x,), tie_weights=False)
    assert torch.equal(loose, net[1](x))


def test_per_sample_gradients_of_a_module():
    net = torch.nn.Sequential(
        torch.nn.Linear(4, 3), torch.nn.Tanh(), torch.nn.Linear(3, 2)
    ).double()
    params = {name: p.detach() for name, p in net.named_parameters()}
    classes = torch.tensor([0, 1, 1])

    def loss(p, x, c):
        return F.cross_entropy(func.functional_call(net, p, (x.unsqueeze(0),)), c.unsqueeze(0))

    got = func.vmap(func.grad(loss), (None, 0, 0))(params, X, classes)
    for i in range(3):
        net.zero_grad()
        F.cross_entropy(net(X[i : i + 1]), classes[i : i + 1]).backward()
        for name, p in net.named_parameters():
            assert close(got[name][i], p.grad)


def test_ensembles():
    nets = [torch.nn.Linear(4, 2).double() for _ in range(3)]
    params, buffers = func.stack_module_state(nets)
    assert buffers == {}
    assert params["weight"].requires_grad

    def run(p, x):
        return func.functional_call(nets[0], p, (x,))

    got = func.vmap(run, (0, None))(params, X)
    assert close(got, torch.stack([net(X) for net in nets]))
    with pytest.raises(RuntimeError, match="Expected at least one model"):
        func.stack_module_state([])
