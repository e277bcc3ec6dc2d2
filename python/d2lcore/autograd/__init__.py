"""Reverse-mode differentiation: backward, grad and the gradient modes."""

from __future__ import annotations

from d2lcore import _C
from d2lcore._C import Tensor
from d2lcore._grad_mode import enable_grad, inference_mode, no_grad, set_grad_enabled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    TensorOrTensors = Tensor | Sequence[Tensor]


def backward(
    tensors: TensorOrTensors,
    grad_tensors: TensorOrTensors | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    grad_variables: TensorOrTensors | None = None,
    inputs: TensorOrTensors | None = None,
) -> None:
    """Accumulates the gradients of ``tensors`` into ``.grad`` of the leaves.

    Args:
        tensors: the roots of the derivative; one-element ones need no ``grad_tensors``.
        grad_tensors: a cotangent for each root, of its shape.
        retain_graph: keep the graph for another backward (default: ``create_graph``).
        create_graph: record the backward pass itself, for higher derivatives.
        inputs: accumulate into these only.

    Raises:
        RuntimeError: a root of several elements without a cotangent, a shape that does not match,
            a graph that was freed, a saved tensor that was modified in place.

    >>> import d2lcore as torch
    >>> x = torch.tensor([2.0, 3.0], requires_grad=True)
    >>> torch.autograd.backward((x * x).sum())
    >>> x.grad
    tensor([4., 6.])
    """
    if inputs is not None and not isinstance(inputs, Tensor) and len(inputs) == 0:
        raise RuntimeError("`inputs` argument to `backward()` cannot be empty.")
    if grad_tensors is None:
        grad_tensors = grad_variables
    keep = create_graph if retain_graph is None else retain_graph
    _C._backward(tensors, grad_tensors, keep, create_graph, inputs)


def grad(
    outputs: TensorOrTensors,
    inputs: TensorOrTensors,
    grad_outputs: TensorOrTensors | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Tensor, ...]:
    """Returns the gradients of ``outputs`` with respect to ``inputs``, one for each.

    Args:
        outputs: the roots of the derivative.
        inputs: the tensors to differentiate by.
        grad_outputs: a cotangent for each output (the vector in the vector-Jacobian product).
        retain_graph: keep the graph for another backward (default: ``create_graph``).
        create_graph: record the backward pass itself, for higher derivatives.
        allow_unused: an input on which no output depends gives None instead of an error.
        materialize_grads: such inputs give zeros.

    Raises:
        RuntimeError: as :func:`backward`, and for an unused input.

    >>> import d2lcore as torch
    >>> x = torch.tensor(2.0, requires_grad=True)
    >>> (g,) = torch.autograd.grad(x**3, x, create_graph=True)
    >>> torch.autograd.grad(g, x)
    (tensor(12.),)
    """
    if is_grads_batched:
        raise NotImplementedError("grad: d2lcore does not provide is_grads_batched")
    if allow_unused is False and materialize_grads:
        raise ValueError(
            "Expected allow_unused to be True or not passed when materialize_grads=True, but got: "
            "allow_unused=False."
        )
    keep = create_graph if retain_graph is None else retain_graph
    wanted = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    found = _C._grad(
        outputs, wanted, grad_outputs, keep, create_graph, bool(allow_unused) or materialize_grads
    )
    if materialize_grads:
        return tuple(
            _C.zeros_like(x) if g is None else g for x, g in zip(wanted, found, strict=True)
        )
    return tuple(found)


__all__ = [
    "backward",
    "enable_grad",
    "grad",
    "inference_mode",
    "no_grad",
    "set_grad_enabled",
]
