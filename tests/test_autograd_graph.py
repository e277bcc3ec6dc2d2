"""backward, grad and what surrounds them: hooks, edges, saved tensors, modes, error texts."""

from __future__ import annotations

import threading

import d2lcore as torch
import pytest
from d2lcore.autograd import graph


def ones(*shape):
    return torch.ones(*shape, requires_grad=True)


def test_backward_inputs():
    x = ones(2)
    y = x * 2
    (y * 3).sum().backward(inputs=[y])
    assert x.grad is None
    assert y.grad.tolist() == [3.0, 3.0]
    z = ones(2)
    (x * z).sum().backward(inputs=z)
    assert x.grad is None
    assert z.grad.tolist() == [1.0, 1.0]
    with pytest.raises(RuntimeError, match="`inputs` argument to `backward\\(\\)` cannot be empty"):
        x.sum().backward(inputs=[])
    with pytest.raises(RuntimeError, match="can't retain_grad on Tensor that has requires_grad"):
        x.sum().backward(inputs=[torch.ones(1)])


def test_batched_and_materialized():
    x, w = ones(2), ones(3)
    (g,) = torch.autograd.grad(x * 2, x, torch.eye(2), is_grads_batched=True)
    assert g.tolist() == [[2.0, 0.0], [0.0, 2.0]]
    g, none = torch.autograd.grad(
        x * 2, (x, w), torch.eye(2), is_grads_batched=True, materialize_grads=True
    )
    assert none.shape == (2, 3)
    (g,) = torch.autograd.grad(x**3, x, torch.eye(2), is_grads_batched=True, create_graph=True)
    assert torch.autograd.grad(g.sum(), x)[0].tolist() == [6.0, 6.0]
    with pytest.raises(RuntimeError, match="we interpret the first dimension of each grad_output"):
        torch.autograd.grad(x * 2, x, torch.ones(4, 3), is_grads_batched=True)
    with pytest.raises(ValueError, match="Got in_dim=0 for some input"):
        torch.autograd.grad((x * 2).sum(), x, is_grads_batched=True)
    with pytest.raises(ValueError, match="Expected allow_unused to be True or not passed"):
        torch.autograd.grad(x.sum(), w, allow_unused=False, materialize_grads=True)
    assert torch.autograd.grad(x.sum(), w, materialize_grads=True)[0].tolist() == [0.0] * 3


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: ones(2).backward(), RuntimeError, "grad can be implicitly created only for"),
        (
            lambda: torch.ones(1).backward(),
            RuntimeError,
            "element 0 of tensors does not require grad and does not have a grad_fn",
        ),
        (
            lambda: (ones(2) * 2).backward(torch.ones(3)),
            RuntimeError,
            "Mismatch in shape: grad_output[0] has a shape of torch.Size([3]) and output[0] has",
        ),
        (
            lambda: torch.ones(2, dtype=torch.int64).requires_grad_(),
            RuntimeError,
            "can require gradients",
        ),
        (
            lambda: torch.autograd.grad(ones(1), ones(1)),
            RuntimeError,
            "The differentiated Tensor at index 0 appears to not have been used in the graph.",
        ),
        (
            lambda: torch.autograd.grad(ones(1), torch.ones(1)),
            RuntimeError,
            "One of the differentiated Tensors does not require grad",
        ),
        (
            lambda: torch.autograd.backward(ones(1), torch.ones(1), grad_variables=torch.ones(1)),
            RuntimeError,
            "`grad_tensors` and `grad_variables` (deprecated) arguments both passed",
        ),
        (
            lambda: ones(1).add_(1),
            RuntimeError,
            "a leaf Variable that requires grad is being used in an in-place operation.",
        ),
        (lambda: (ones(2) * 1)[0].detach_(), RuntimeError, "Can't detach views in-place."),
        (
            lambda: setattr(ones(2), "grad", torch.ones(3)),
            RuntimeError,
            "attempting to assign a gradient of size '[3]' to a tensor of size '[2]'",
        ),
        (
            lambda: setattr(ones(2), "grad", torch.ones(2).double()),
            RuntimeError,
            "attempting to assign a gradient with dtype 'double' to a tensor with grad_dtype",
        ),
        (
            lambda: setattr(ones(2), "grad", 3),
            TypeError,
            "assigned grad expected to be a Tensor or None but got grad of type int",
        ),
        (
            lambda: torch.ones(1).register_hook(print),
            RuntimeError,
            "cannot register a hook on a tensor that doesn't require gradient",
        ),
        (
            lambda: (ones(1) * 2).register_post_accumulate_grad_hook(print),
            RuntimeError,
            "post accumulate grad hooks cannot be registered on non-leaf tensors",
        ),
        (
            lambda: graph.get_gradient_edge(torch.ones(1)),
            RuntimeError,
            "It is not possible to get the gradient edge for a Tensor that does not require",
        ),
    ],
)
def test_errors(call, error, words):
    with pytest.raises(error) as info:
        call()
    assert words in str(info.value)


def test_warnings():
    with pytest.warns(UserWarning, match="will create a reference cycle between the parameter"):
        (ones(1) * 2).backward(create_graph=True)
    with pytest.warns(UserWarning, match="The .grad attribute of a Tensor that is not a leaf"):
        assert (ones(1) * 2).grad is None
    with pytest.warns(FutureWarning, match="only_inputs argument is deprecated"):
        x = ones(1)
        torch.autograd.grad(x * 2, x, only_inputs=False)


def test_tensor_hooks():
    x = ones(2)
    y = x * 2
    y.register_hook(lambda g: g * 10)
    x.register_hook(lambda g: g + 1)
    seen = []
    x.register_post_accumulate_grad_hook(lambda t: seen.append(t.grad.tolist()))
    y.sum().backward()
    assert seen == [[21.0, 21.0]]
    for bad, error, words in (
        (lambda g: 3, TypeError, "expected Variable, but hook returned 'int'"),
        (lambda g: torch.ones(5), RuntimeError, "hook 'bad' has changed the size of value"),
    ):
        bad.__name__ = "bad"
        z = ones(2)
        with z.register_hook(bad), pytest.raises(error, match=words):
            z.sum().backward()
        z.sum().backward()
        assert z.grad.tolist() == [1.0, 1.0]


def test_hook_order_and_captured_gradients():
    order = []
    x = ones(1)
    y = x * 2
    y.register_hook(lambda g: order.append("tensor"))
    y.grad_fn.register_prehook(lambda go: order.append("pre"))
    y.grad_fn.register_hook(lambda gi, go: order.append("post"))
    (y * 3).backward(retain_graph=True)
    assert order == ["tensor", "pre", "post"]
    order.clear()
    torch.autograd.grad(y * 3, y)  # the node of y itself does not run
    assert order == ["tensor"]


def test_hooks_of_an_accumulator():
    x = ones(1)
    node = graph.get_gradient_edge(x).node
    seen = []
    node.register_prehook(lambda go: (go[0] * 5,))
    node.register_hook(lambda gi, go: seen.append(go[0].item()))
    (x * 2).backward()
    assert x.grad.item() == 10.0
    assert seen == [10.0]


def test_a_hook_that_raises_leaves_a_usable_state():
    x = ones(2)
    y = (x * 2) ** 2
    broken = y.register_hook(lambda g: 1 / 0)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            y.sum().backward()
    broken.remove()
    y.sum().backward()
    assert x.grad.tolist() == [8.0, 8.0]


def test_backward_inside_a_hook():
    x, z = ones(2), ones(2)
    y = x * 2

    def hook(g):
        with torch.enable_grad():
            (z * z).sum().backward()

    y.register_hook(hook)
    y.sum().backward()
    assert z.grad.tolist() == [2.0, 2.0]
    assert x.grad.tolist() == [2.0, 2.0]


def test_gradient_edges():
    x = ones(2)
    y = x * 2
    edge = graph.get_gradient_edge(y)
    assert edge.node is y.grad_fn
    assert edge.output_nr == 0
    z = (y * 3).sum()
    del y
    assert torch.autograd.grad(z, edge, retain_graph=True)[0].tolist() == [3.0, 3.0]
    assert torch.autograd.grad(edge, x, torch.ones(2))[0].tolist() == [2.0, 2.0]
    leaf = graph.get_gradient_edge(x)
    assert leaf.node.variable is x
    assert torch.autograd.grad(x.sum(), leaf)[0].tolist() == [1.0, 1.0]
    with pytest.raises(IndexError, match="has no output 7"):
        torch.autograd.grad(x.sum(), graph.GradientEdge(edge.node, 7))


def test_multi_grad_hook():
    for mode, expected in (("all", [[1.0, 1.0, None], [1.0, 1.0, 1.0]]), ("any", [1.0, 1.0])):
        a, b, c = ones(1), ones(1), ones(1)
        out = []
        handle = graph.register_multi_grad_hook((a, b, c), out.append, mode=mode)
        (a * b).backward()
        (a * b * c).backward()
        handle.remove()
        (a * b * c).backward()
        as_numbers = [
            g.item() if mode == "any" else [None if t is None else t.item() for t in g] for g in out
        ]
        assert as_numbers == expected
    with pytest.raises(ValueError, match="Expects mode to be one of"):
        graph.register_multi_grad_hook((ones(1),), print, mode="some")


def test_saved_tensors_hooks():
    seen = []

    def pack(t):
        seen.append(t.tolist())
        return t.numpy() * 1

    x = torch.tensor([2.0, 3.0], requires_grad=True)
    with graph.saved_tensors_hooks(lambda t: pack(t.detach()), torch.from_numpy):
        y = (x * x).exp()
    assert seen == [[2.0, 3.0], [2.0, 3.0], y.tolist()]
    (g,) = torch.autograd.grad(y.sum(), x, create_graph=True)
    assert g.tolist() == pytest.approx((2 * x * y).tolist())
    (gg,) = torch.autograd.grad(g.sum(), x)  # the graph goes on behind what was unpacked
    assert gg.tolist() == pytest.approx(((2 + 4 * x * x) * y).tolist())

    with graph.saved_tensors_hooks(lambda t: t, lambda t: 3):
        y = x * x
    with pytest.raises(TypeError, match="Output of saved tensor unpack_hook expected to be a"):
        y.sum().backward()
    with graph.saved_tensors_hooks(lambda t: t.detach().mul_(2), lambda t: t):
        with pytest.raises(RuntimeError, match="pack hook is modifying its input in place"):
            x.exp()
    with graph.disable_saved_tensors_hooks("not here"):
        with pytest.raises(RuntimeError, match="not here"):
            with graph.save_on_cpu():
                pass
    with graph.save_on_cpu():
        y = x * x
    y.sum().backward()
    assert x.grad.tolist() == [4.0, 6.0]


def test_detach_in_place():
    x = ones(1)
    y = x * 2
    assert y.detach_() is y
    assert y.is_leaf
    assert not y.requires_grad
    y.requires_grad_()
    (y * 2).backward()
    assert y.grad.item() == 2.0
    assert x.grad is None


def test_inference_mode():
    with torch.inference_mode():
        x = torch.ones(2)
        assert torch.is_inference_mode_enabled()
        assert not torch.is_grad_enabled()
        x.add_(1)
        with torch.inference_mode(False):
            assert torch.is_grad_enabled()
            assert (ones(1) * 2).requires_grad
    assert x.is_inference()
    assert x[0].is_inference()
    assert not x.clone().is_inference()
    assert (x + ones(2)).requires_grad
    for call, words in (
        (lambda: x * ones(2), "Inference tensors cannot be saved for backward."),
        (lambda: x.add_(1), "Inplace update to inference tensor outside InferenceMode"),
        (lambda: x._version, "Inference tensors do not track version counter."),
        (x.requires_grad_, "Setting requires_grad=True on inference tensor outside"),
    ):
        with pytest.raises(RuntimeError, match=words):
            call()
    normal = torch.ones(2)
    with torch.inference_mode():
        view, fresh = normal[0], normal + 1
        normal.add_(1)
    assert (view.is_inference(), fresh.is_inference(), normal._version) == (False, True, 1)
    with pytest.raises(RuntimeError, match="A view was created in inference mode and is being"):
        view.add_(1)

    @torch.inference_mode
    def inside():
        return torch.is_inference_mode_enabled()

    assert inside()
    assert not torch.is_inference_mode_enabled()


@pytest.mark.parametrize("mode", [torch.no_grad, torch.enable_grad, torch.inference_mode])
def test_modes_on_generators(mode):
    wanted = mode is torch.enable_grad

    @mode()
    def numbers():
        got = []
        while len(got) < 2:
            assert torch.is_grad_enabled() is wanted
            got.append((yield len(got)))
        return got

    with torch.set_grad_enabled(not wanted):
        g = numbers()
        assert next(g) == 0
        assert torch.is_grad_enabled() is not wanted
        assert g.send("a") == 1
        assert torch.is_grad_enabled() is not wanted
        with pytest.raises(StopIteration) as stop:
            g.send("b")
        assert stop.value.value == ["a", "b"]


def test_threads_add_to_one_leaf():
    """Long kernels let go of the GIL: additions to one .grad must not be lost."""
    w = torch.ones(300_000, requires_grad=True)
    barrier = threading.Barrier(4)
    errors = []

    def work():
        try:
            barrier.wait()
            for _ in range(10):
                (w * 2).backward(torch.ones(300_000))
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not errors
    assert w.grad.min().item() == w.grad.max().item() == 80.0


def test_threads_share_a_graph():
    x = torch.ones(1000, requires_grad=True)
    shared = x.exp().sin()
    errors = []

    def work():
        try:
            for _ in range(20):
                torch.autograd.grad((shared * 2).sum(), x, retain_graph=True)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not errors


def test_memory_of_a_finished_graph_is_freed_at_once():
    x = torch.ones(100_000, requires_grad=True)
    x.sum().backward()
    x.grad = None
    before = torch.memory_stats()["allocated_bytes"]
    y = x.exp().exp().sum()
    assert torch.memory_stats()["allocated_bytes"] >= before + 800_000
    y.backward()
    x.grad = None
    # y itself and its nodes are a few hundred bytes.
    assert torch.memory_stats()["allocated_bytes"] <= before + 4096


def test_a_million_nodes():
    x = torch.ones(1, requires_grad=True)
    y = x
    for _ in range(1_000_000):
        y = y + 1
    y.backward()
    assert x.grad.item() == 1.0
    del y
    y = x
    for _ in range(1_000_000):
        y = y + 1
    del y  # never run backward
