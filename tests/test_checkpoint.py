"""torch.utils.checkpoint: the same gradients from less memory, and what goes wrong."""

from __future__ import annotations

import d2lcore as torch
import pytest
from d2lcore.utils.checkpoint import (
    CheckpointError,
    checkpoint,
    checkpoint_sequential,
    set_checkpoint_early_stop,
)

BOTH = pytest.mark.parametrize("reentrant", [True, False])


def ones(*shape):
    return torch.ones(*shape, requires_grad=True)


def body(t):
    return (t * t).exp()


@BOTH
def test_gradients(reentrant):
    x = ones(2)
    y = checkpoint(body, x, use_reentrant=reentrant)
    assert y.grad_fn.name() == ("CheckpointFunctionBackward" if reentrant else "ExpBackward0")
    y.sum().backward()
    assert x.grad.tolist() == pytest.approx([2 * 2.718281828] * 2)
    with pytest.raises(RuntimeError, match="Trying to backward through the graph a second time"):
        y.sum().backward()


@BOTH
def test_several_passes_and_outputs(reentrant):
    a, b = ones(2), ones(2)
    y, text, z = checkpoint(lambda t, u: (t * u, "text", t.sin()), a, b, use_reentrant=reentrant)
    assert text == "text"
    for _ in range(2):
        (y + z).sum().backward(retain_graph=True)
    assert a.grad.tolist() == pytest.approx([2 * (1 + 0.5403023)] * 2)
    assert b.grad.tolist() == [2.0, 2.0]


@BOTH
def test_random_numbers_are_drawn_again(reentrant):
    torch.manual_seed(0)
    x = ones(64)
    y = checkpoint(torch.nn.functional.dropout, x, use_reentrant=reentrant)
    after = torch.random.get_rng_state()
    torch.rand(3)
    later = torch.random.get_rng_state()
    y.sum().backward()
    assert torch.equal(x.grad, y.detach())
    assert torch.equal(torch.random.get_rng_state(), later)
    assert not torch.equal(after, later)


def test_without_grad_nothing_is_recomputed():
    calls = []

    def f(t):
        calls.append(1)
        return t * 2

    with torch.no_grad():
        assert not checkpoint(f, ones(2), use_reentrant=False).requires_grad
    assert not checkpoint(f, torch.ones(2), use_reentrant=False).requires_grad
    with pytest.warns(UserWarning, match="None of the inputs have requires_grad=True"):
        checkpoint(f, torch.ones(2), use_reentrant=True)
    assert len(calls) == 3


def test_closures_grad_and_double_backward():
    w, x = ones(2), ones(2)
    y = checkpoint(lambda t: (t * w).exp(), torch.ones(2), use_reentrant=False)
    y.sum().backward()
    assert w.grad.tolist() == pytest.approx([2.718281828] * 2)
    y = checkpoint(body, x, use_reentrant=False)
    (g,) = torch.autograd.grad(y.sum(), x, create_graph=True)
    (gg,) = torch.autograd.grad(g.sum(), x)
    assert gg.tolist() == pytest.approx([6 * 2.718281828] * 2)
    with pytest.raises(RuntimeError, match=r"torch.utils.checkpoint is incompatible with"):
        torch.autograd.grad(checkpoint(body, x, use_reentrant=True).sum(), x)


def test_nested():
    x = ones(2)
    y = checkpoint(
        lambda t: checkpoint(torch.sin, t * t, use_reentrant=False).exp(), x, use_reentrant=False
    )
    y.sum().backward()
    assert x.grad.tolist() == pytest.approx([2.5067613] * 2)


def test_memory():
    x = torch.ones(10_000, requires_grad=True)

    def deep(t):
        for _ in range(20):
            t = t.exp().log1p()
        return t

    def held(run):
        before = torch.memory_stats()["allocated_bytes"]
        y = run()
        return torch.memory_stats()["allocated_bytes"] - before, y

    full, y = held(lambda: deep(x))
    for reentrant in (False, True):
        less, z = held(lambda: checkpoint(deep, x, use_reentrant=reentrant))  # noqa: B023
        assert less < full / 10
        z.sum().backward()
        expected, got = torch.autograd.grad(y.sum(), x, retain_graph=True)[0], x.grad
        assert torch.equal(expected, got)
        x.grad = None


def test_early_stop():
    calls = []

    def f(t):
        y = t.exp()
        calls.append("end")
        return y

    x = ones(2)
    checkpoint(f, x, use_reentrant=False).sum().backward()
    assert calls == ["end"]
    with set_checkpoint_early_stop(False):
        y = checkpoint(f, x, use_reentrant=False)
    y.sum().backward()
    assert calls == ["end"] * 3


def test_a_function_that_changes_its_mind():
    def changing(second):
        calls = []

        def f(t):
            calls.append(1)
            return t.exp().sin() if len(calls) == 1 else second(t)

        return f

    x = ones(2)
    y = checkpoint(changing(lambda t: t * 3), x, use_reentrant=False)
    with pytest.raises(CheckpointError, match="A different number of tensors was saved during"):
        y.sum().backward()
    wide = changing(lambda t: torch.cat([t, t]).exp().sin())
    y = checkpoint(wide, x, use_reentrant=False)
    with pytest.raises(CheckpointError, match="different metadata than during the forward pass"):
        y.sum().backward()


def test_sequential():
    torch.manual_seed(0)
    net = torch.nn.Sequential(
        torch.nn.Linear(2, 3), torch.nn.Tanh(), torch.nn.Linear(3, 2), torch.nn.Tanh()
    )
    x = ones(4, 2)
    net(x).sum().backward()
    expected = [x.grad, *(p.grad for p in net.parameters())]
    for segments, reentrant in ((1, False), (2, False), (2, True), (4, False)):
        x.grad = None
        net.zero_grad()
        y = checkpoint_sequential(net, segments, x, use_reentrant=reentrant)
        y.sum().backward()
        for a, b in zip(expected, [x.grad, *(p.grad for p in net.parameters())], strict=True):
            assert torch.equal(a, b)
    with pytest.raises(ValueError, match="Unexpected keyword arguments: foo"):
        checkpoint_sequential(net, 2, x, use_reentrant=False, foo=1)


def test_arguments():
    x = ones(2)
    with pytest.warns(UserWarning, match="the use_reentrant parameter should be passed explicitly"):
        checkpoint(body, x)
    with pytest.raises(ValueError, match="Unexpected keyword arguments: scale"):
        checkpoint(body, x, use_reentrant=True, scale=2)
    with pytest.raises(ValueError, match="determinism_check should be one of"):
        checkpoint(body, x, use_reentrant=False, determinism_check="maybe")
    with pytest.raises(ValueError, match="only supported when use_reentrant=False"):
        checkpoint(body, x, use_reentrant=True, debug=True)
    y = checkpoint(lambda t, scale=1: t * scale * t, x, use_reentrant=False, scale=3)
    y.sum().backward()
    assert x.grad.tolist() == [6.0, 6.0]
