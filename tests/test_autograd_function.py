"""torch.autograd.Function: contexts, marks, double backward, errors, and that nothing leaks."""

from __future__ import annotations

import gc
import weakref

import d2lcore as torch
import pytest
from d2lcore.autograd.function import once_differentiable

Function = torch.autograd.Function


def ones(*shape):
    return torch.ones(*shape, requires_grad=True)


def make(forward, backward, **more):
    """A Function of two lambdas, called MyFn."""
    methods = {"forward": forward, "backward": backward, **more}
    return type("MyFn", (Function,), {k: staticmethod(f) for k, f in methods.items()})


class Square(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        ctx.factor = 2
        return x * x

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return ctx.factor * x * grad


class Exp(Function):
    @staticmethod
    def forward(ctx, x):
        y = x.exp()
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, grad):
        (y,) = ctx.saved_tensors
        return grad * y


def test_context_is_the_node():
    x = ones(2)
    y = Square.apply(x)
    assert type(y.grad_fn).__name__ == "SquareBackward"
    assert y.grad_fn.name() == "SquareBackward"
    assert y.grad_fn.factor == 2
    assert y.grad_fn.next_functions[0][0].variable is x
    assert isinstance(y.grad_fn, torch.autograd.graph.Node)
    assert y.grad_fn is y.grad_fn
    assert repr(y) == "tensor([1., 1.], grad_fn=<SquareBackward>)"
    (y * torch.tensor([1.0, 3.0])).sum().backward()
    assert x.grad.tolist() == [2.0, 6.0]


def test_node_outlives_the_result():
    x = ones(1)
    node = Square.apply(x).grad_fn
    gc.collect()
    assert node.name() == "SquareBackward"
    assert node.next_functions[0][0].variable is x
    assert node.saved_tensors[0] is x


def test_double_backward():
    x = torch.tensor([3.0], requires_grad=True)
    (g,) = torch.autograd.grad(Square.apply(x), x, create_graph=True)
    assert torch.autograd.grad(g, x)[0].tolist() == [2.0]
    # A saved result is part of the graph again.
    (g,) = torch.autograd.grad(Exp.apply(x), x, create_graph=True)
    (gg,) = torch.autograd.grad(g, x, create_graph=True)
    assert torch.autograd.grad(gg, x)[0].item() == pytest.approx(20.0855369, rel=1e-6)


def test_setup_context_and_defaults():
    seen = []

    class Scale(Function):
        @staticmethod
        def forward(x, factor=2):
            return x * factor

        @staticmethod
        def setup_context(ctx, inputs, output):
            seen.append((inputs[1], output.shape))
            ctx.factor = inputs[1]

        @staticmethod
        def backward(ctx, grad):
            return grad * ctx.factor, None

    x = ones(1)
    Scale.apply(x, 5).backward()
    Scale.apply(x).backward()
    Scale.apply(x, factor=4).backward()
    assert x.grad.tolist() == [11.0]
    assert [s[0] for s in seen] == [5, 2, 4]


def test_needs_input_grad_and_modes():
    seen = []

    def forward(ctx, *args):
        seen.append((ctx.needs_input_grad, torch.is_grad_enabled()))
        return args[0] * 1

    f = make(forward, lambda ctx, g: (g, None, None))
    y = f.apply(ones(1), torch.ones(1), "text")
    assert seen == [((True, False, False), False)]
    assert y.requires_grad
    with torch.no_grad():
        assert f.apply(ones(1)).grad_fn is None
    assert f.apply(torch.ones(1)).grad_fn is None


def test_non_differentiable_outputs_and_zeros():
    got = []

    def forward(ctx, x):
        positive = x > 0
        ctx.mark_non_differentiable(positive)
        return x * 2, positive, x * 3, "text"

    def backward(ctx, a, b, c, d):
        got.append((a, b, c, d))
        return a * 2 + c * 3

    x = ones(2)
    a, b, c, text = make(forward, backward).apply(x)
    assert (a.requires_grad, b.requires_grad, c.requires_grad) == (True, False, True)
    assert a.grad_fn is c.grad_fn
    assert (a.output_nr, c.output_nr, text) == (0, 2, "text")
    a.sum().backward()
    zeros = got[0]
    assert zeros[1].dtype == torch.bool
    assert zeros[1].tolist() == [False, False]
    assert zeros[2].tolist() == [0.0, 0.0]
    assert zeros[3] is None
    assert x.grad.tolist() == [2.0, 2.0]


def test_materialize_grads_off():
    got = []

    def forward(ctx, x):
        ctx.set_materialize_grads(False)
        return x * 2, x * 3

    a, _ = make(forward, lambda ctx, g, h: (got.append(h), g)[1]).apply(ones(2))
    a.sum().backward()
    assert got == [None]


def write(ctx, x):
    x.add_(1)
    ctx.mark_dirty(x)
    return x


def test_mark_dirty():
    x = ones(2) * 1
    f = make(write, lambda ctx, g: g * 7)
    y = f.apply(x)
    assert y is x
    assert type(x.grad_fn).__name__ == "MyFnBackward"
    leaf = ones(2, 2)
    base = leaf * 1
    row = base[0]
    assert f.apply(row) is row
    assert base.tolist() == [[2.0, 2.0], [1.0, 1.0]]
    base.sum().backward()
    assert leaf.grad.tolist() == [[7.0, 7.0], [1.0, 1.0]]


def test_input_returned_as_it_is():
    x = ones(2)
    y = make(lambda ctx, x: x, lambda ctx, g: g * 5).apply(x)
    assert y is not x
    assert type(y.grad_fn).__name__ == "MyFnBackward"
    y.sum().backward()
    assert x.grad.tolist() == [5.0, 5.0]
    assert x.requires_grad
    assert x.is_leaf


VIEW = "Output 0 of MyFn is a view and is being modified inplace. This view was created inside a"
LISTED = "Output 0 of MyFn is a view and is being modified inplace. This view is the output of a"


@pytest.mark.parametrize(
    ("forward", "words"),
    [(lambda ctx, x: x[0], VIEW), (lambda ctx, x: (x[0], x[1]), LISTED)],
)
def test_views_refuse_in_place(forward, words):
    got = make(forward, lambda ctx, *g: None).apply(ones(2, 2) * 1)
    with pytest.raises(RuntimeError, match=words):
        (got[0] if isinstance(got, tuple) else got).add_(1)


def test_once_differentiable():
    class Once(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        @once_differentiable
        def backward(ctx, grad):
            (x,) = ctx.saved_tensors
            return 2 * x * grad

    x = torch.tensor([3.0], requires_grad=True)
    assert torch.autograd.grad(Once.apply(x), x)[0].tolist() == [6.0]
    (g,) = torch.autograd.grad(Once.apply(x) ** 2, x, create_graph=True)
    with pytest.raises(
        RuntimeError,
        match="trying to differentiate twice a function that was marked with @once_differentiable",
    ):
        g.sum().backward()


FREED = "Trying to backward through the graph a second time"


def test_freed_and_modified():
    x = ones(1)
    y = Square.apply(x)
    y.backward()
    with pytest.raises(RuntimeError, match=FREED):
        y.backward()
    with pytest.raises(RuntimeError, match=FREED):
        _ = y.grad_fn.saved_tensors
    z = x * 1
    y = Square.apply(z)
    z.add_(1)
    with pytest.raises(RuntimeError, match="which is output 0 of Mul, is at version 1; expected"):
        y.backward()
    y = Exp.apply(x)
    y.add_(1)
    with pytest.raises(RuntimeError, match="which is output 0 of Exp, is at version 1; expected"):
        y.backward()


double = lambda ctx, x, *rest: x * 2  # noqa: E731


@pytest.mark.parametrize(
    ("backward", "args", "words"),
    [
        (
            lambda ctx, g: g,
            2,
            "function MyFnBackward returned an incorrect number of gradients (expected 2, got 1)",
        ),
        (
            lambda ctx, g: (g, g),
            1,
            "function MyFnBackward returned an incorrect number of gradients (expected 1, got 2)",
        ),
        (lambda ctx, g: "text", 1, "expected Variable or None (got str)"),
        (lambda ctx, g: 3.0, 1, "expected Variable or None (got float)"),
        (
            lambda ctx, g: torch.ones(3),
            1,
            "Function MyFnBackward returned an invalid gradient at index 0 - got [3] but expected "
            "shape compatible with [2]",
        ),
    ],
)
def test_wrong_gradients(backward, args, words):
    y = make(double, backward).apply(*(ones(2) for _ in range(args)))
    with pytest.raises(RuntimeError) as error:
        y.sum().backward()
    assert str(error.value) == words


def test_gradient_for_a_number():
    y = make(double, lambda ctx, g: (g, g)).apply(ones(2), 3)
    with pytest.raises(
        RuntimeError,
        match="returned a gradient different than None at position 2, but the corresponding",
    ):
        y.sum().backward()
    y = make(double, lambda ctx, g: (g, None, None, None)).apply(ones(2), 3)
    y.sum().backward()  # Nones too many are harmless


def test_bad_forward():
    with pytest.raises(NotImplementedError, match="You must implement the forward function"):
        type("MyFn", (Function,), {}).apply(ones(2))
    only = type("MyFn", (Function,), {"forward": staticmethod(double)})
    with pytest.raises(NotImplementedError, match="implement either the backward or vjp method"):
        only.apply(ones(2)).sum().backward()
    both = make(double, lambda ctx, g: g, vjp=lambda ctx, g: g)
    with pytest.raises(RuntimeError, match="Implementing both 'backward' and 'vjp' for a custom"):
        both.apply(ones(2)).sum().backward()
    vjp = type("V", (Function,), {"forward": staticmethod(double), "vjp": lambda ctx, g: g * 2})
    x = ones(2)
    vjp.apply(x).sum().backward()
    assert x.grad.tolist() == [2.0, 2.0]

    def save_number(ctx, x):
        ctx.save_for_backward(3)
        return x * 2

    with pytest.raises(TypeError, match="can only save variables, but argument 0 is of type int"):
        make(save_number, None).apply(ones(2))

    def unreturned(ctx, x):
        x.add_(1)
        ctx.mark_dirty(x)
        return x * 2

    with pytest.raises(RuntimeError, match="Some elements marked as dirty during the forward"):
        make(unreturned, None).apply(ones(2) * 1)
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad has been used in"):
        make(write, None).apply(ones(2))
    with pytest.raises(RuntimeError, match="Legacy autograd function with non-static forward"):
        with pytest.warns(DeprecationWarning, match="should not be instantiated"):
            instance = Square()
        instance(ones(2))
    with pytest.raises(RuntimeError, match="is no node of a graph"):
        with pytest.warns(DeprecationWarning, match="should not be instantiated"):
            instance = Square()
        _ = instance.next_functions


def test_hooks_and_metadata():
    seen = []
    x = ones(1)
    y = Square.apply(x)
    y.grad_fn.register_hook(lambda gi, go: seen.append(("post", gi[0].item(), go[0].item())))
    handle = y.grad_fn.register_prehook(lambda go: (go[0] * 10,))
    y.grad_fn.metadata["note"] = 1
    y.backward(retain_graph=True)
    assert seen == [("post", 20.0, 10.0)]
    handle.remove()
    y.backward()
    assert seen[1] == ("post", 2.0, 1.0)
    assert y.grad_fn.metadata == {"note": 1}


def test_an_error_in_backward_leaves_the_graph_usable():
    fail = [True]

    def backward(ctx, g):
        if fail:
            raise ValueError("boom")
        return g * 2

    x = ones(1)
    y = make(double, backward).apply(x)
    for _ in range(2):
        with pytest.raises(ValueError, match="boom"):
            y.backward()
    fail.clear()
    y.backward()
    assert x.grad.tolist() == [2.0]


class Witness:
    """Something whose end can be seen."""


@pytest.mark.parametrize("kind", ["context", "tensor hook", "node hook", "leaf hook", "method"])
def test_cycles_are_collected(kind):
    gc.collect()
    gc.disable()
    try:
        x, witness = ones(1), Witness()
        gone = weakref.ref(witness)
        y = Square.apply(x)
        if kind == "context":
            y.grad_fn.result, y.grad_fn.witness = y, witness
        elif kind == "tensor hook":
            y = x * 2
            y.register_hook(lambda g, y=y, w=witness: None)
        elif kind == "node hook":
            y.grad_fn.register_hook(lambda gi, go, y=y, w=witness: None)
        elif kind == "leaf hook":
            x.register_hook(lambda g, x=x, w=witness: None)
        else:
            leaf = ones(1)
            leaf.witness = witness
            leaf.register_hook(leaf.add)
            del leaf
        del y, x, witness
        gc.collect()
        assert gone() is None
    finally:
        gc.enable()


def test_without_cycles_counts_suffice():
    gc.collect()
    gc.disable()
    try:
        x, witness = ones(1), Witness()
        gone = weakref.ref(witness)
        y = Square.apply(x)
        y.grad_fn.witness = witness
        del witness
        z = Exp.apply(y) * 2
        del y
        assert gone() is not None
        z.backward()
        del z
        assert gone() is None
    finally:
        gc.enable()


def test_long_chain():
    identity = make(lambda ctx, x: x * 1, lambda ctx, g: g)
    x = ones(1)
    y = x
    for _ in range(20_000):
        y = identity.apply(y)
    y.backward()
    assert x.grad.tolist() == [1.0]
    del y


def test_random_changes_of_grad_mode_stay_inside():
    def forward(ctx, x):
        torch.set_grad_enabled(True)
        raise KeyError("no")

    with pytest.raises(KeyError):
        make(forward, None).apply(ones(1))
    assert torch.is_grad_enabled()
