"""Reverse-mode differentiation: backward, grad and the gradient modes."""

from __future__ import annotations

from d2lcore import _C
from d2lcore._C import Tensor
from d2lcore._grad_mode import enable_grad, inference_mode, no_grad, set_grad_enabled
from d2lcore.autograd.anomaly_mode import detect_anomaly, set_detect_anomaly
from d2lcore.autograd.function import Function
from d2lcore.autograd.gradcheck import gradcheck, gradgradcheck

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

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
    if grad_variables is not None:
        if grad_tensors is not None:
            raise RuntimeError(
                "`grad_tensors` and `grad_variables` (deprecated) arguments both passed to "
                "`backward()`. Please only use `grad_tensors`."
            )
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
        only_inputs: deprecated, without effect.
        allow_unused: an input on which no output depends gives None instead of an error.
        is_grads_batched: each cotangent has a first dimension more; the result has it too, as if
            ``grad`` had been called for each of its elements (that is how it is done).
        materialize_grads: inputs on which no output depends give zeros.

    Raises:
        RuntimeError: as :func:`backward`, and for an unused input.

    >>> import d2lcore as torch
    >>> x = torch.tensor(2.0, requires_grad=True)
    >>> (g,) = torch.autograd.grad(x**3, x, create_graph=True)
    >>> torch.autograd.grad(g, x)
    (tensor(12.),)
    """
    if not only_inputs:
        from warnings import warn

        warn(
            "only_inputs argument is deprecated and is ignored now (defaults to True). To "
            "accumulate gradient for other parts of the graph, please use "
            "torch.autograd.backward.",
            FutureWarning,
            stacklevel=2,
        )
    if allow_unused is False and materialize_grads:
        raise ValueError(
            "Expected allow_unused to be True or not passed when materialize_grads=True, but got: "
            "allow_unused=False."
        )
    keep = create_graph if retain_graph is None else retain_graph
    unused = bool(allow_unused) or materialize_grads
    size: int | None
    if is_grads_batched:
        found, size = _batched_grad(outputs, inputs, grad_outputs, keep, create_graph, unused)
    else:
        found, size = _C._grad(outputs, inputs, grad_outputs, keep, create_graph, unused), None
    if materialize_grads and any(g is None for g in found):
        wanted = (inputs,) if isinstance(inputs, Tensor) else inputs
        return tuple(
            _C.zeros(x.shape if size is None else (size, *x.shape), dtype=x.dtype)
            if g is None
            else g
            for x, g in zip(wanted, found, strict=True)
        )
    return tuple(found)


def _batched_grad(
    outputs: TensorOrTensors,
    inputs: TensorOrTensors,
    grad_outputs: TensorOrTensors | None,
    keep: bool,
    create_graph: bool,
    unused: bool,
) -> tuple[list[Any], int]:
    """One pass for each element of the cotangents' first dimension; their results stacked."""
    roots = [outputs] if isinstance(outputs, Tensor) else list(outputs)
    grads = [grad_outputs] if isinstance(grad_outputs, Tensor) else list(grad_outputs or ())
    if not grads or any(g is None or g.dim() == 0 for g in grads):
        raise ValueError(
            "vmap(vjp, in_dims=0, ...)(<inputs>): Got in_dim=0 for some input, but that input is a "
            "Tensor of dimensionality 0 so expected in_dim to satisfy 0 <= in_dim < 0."
        )
    for i, (root, g) in enumerate(zip(roots, grads, strict=False)):
        if g.shape[1:] != root.shape:
            raise RuntimeError(
                "If `is_grads_batched=True`, we interpret the first dimension of each grad_output "
                "as the batch dimension. The sizes of the remaining dimensions are expected to "
                "match the shape of corresponding output, but a mismatch was detected: "
                f"grad_output[{i}] has a shape of {g.shape} and output[{i}] has a shape of "
                f"{root.shape}. If you only want some tensors in `grad_output` to be considered "
                "batched, consider using vmap."
            )
    size = grads[0].shape[0]
    if any(g.shape[0] != size for g in grads):
        raise ValueError("grad: the batches of the cotangents have different sizes")
    rows = [
        _C._grad(roots, inputs, [g[i] for g in grads], keep or i + 1 < size, create_graph, unused)
        for i in range(size)
    ]
    found = [None if column[0] is None else _C.stack(column) for column in zip(*rows, strict=True)]
    return found, size


_LAZY_MODULES = frozenset({"anomaly_mode", "dot", "function", "functional", "graph"})
_LAZY_NAMES = {
    "Explanation": "explanation",
    "dot_source": "dot",
    "explain": "explanation",
    "make_dot": "dot",
}


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in _LAZY_MODULES:
        return import_module(f"d2lcore.autograd.{name}")
    if name in _LAZY_NAMES:
        value = getattr(import_module(f"d2lcore.autograd.{_LAZY_NAMES[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(
        f"module 'd2lcore.autograd' has no attribute {name!r}: d2lcore does not provide "
        f"torch.autograd.{name}"
    )


__all__ = [
    "Function",
    "backward",
    "detect_anomaly",
    "enable_grad",
    "grad",
    "gradcheck",
    "gradgradcheck",
    "inference_mode",
    "no_grad",
    "set_detect_anomaly",
    "set_grad_enabled",
]
