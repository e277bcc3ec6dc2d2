"""Gradient clipping: by the norm of all gradients together, or value by value."""

from __future__ import annotations

import d2lcore as torch
from d2lcore._C import Tensor
from d2lcore._grad_mode import no_grad

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    Tensors = Tensor | Iterable[Tensor]


def _listed(tensors: Tensors) -> list[Tensor]:
    return [tensors] if isinstance(tensors, Tensor) else list(tensors)


def _gradients(parameters: Tensors) -> list[Tensor]:
    listed = _listed(parameters)
    if not listed and not isinstance(parameters, (list, tuple)):
        import warnings

        warnings.warn(
            "`parameters` is an empty generator, no gradient clipping will occur.", stacklevel=4
        )
    return [p.grad for p in listed if p.grad is not None]


def _scale(grads: list[Tensor], max_norm: float, total_norm: Tensor) -> None:
    scale = torch.clamp(float(max_norm) / (total_norm + 1e-6), max=1.0)
    for g in grads:
        g.mul_(scale)


@no_grad()
def get_total_norm(
    tensors: Tensors,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """The norm of all ``tensors`` together, as if they were one vector: a 0-d tensor.

    Args:
        norm_type: the order p of the norm, ``inf`` for the largest magnitude.
        error_if_nonfinite: raise RuntimeError when the norm is infinite or NaN.
        foreach: accepted for PyTorch's sake; there is one way to compute it.

    >>> import d2lcore as torch
    >>> torch.nn.utils.get_total_norm([torch.tensor([3.0, 0.0]), torch.tensor([4.0])])
    tensor(5.)
    """
    parts = _listed(tensors)
    if not parts:
        return torch.tensor(0.0)
    order = float(norm_type)
    norms = [torch.linalg.vector_norm(t, order) for t in parts]
    total: Tensor = torch.linalg.vector_norm(torch.stack(norms), order)
    if error_if_nonfinite and not bool(total.isfinite()):
        raise RuntimeError(
            f"The total norm of order {order} for gradients from `parameters` is non-finite, so it "
            "cannot be clipped. To disable this error and scale the gradients by the non-finite "
            "norm anyway, set `error_if_nonfinite=False`"
        )
    return total


@no_grad()
def clip_grads_with_norm_(
    parameters: Tensors, max_norm: float, total_norm: Tensor, foreach: bool | None = None
) -> None:
    """Scales the gradients by ``max_norm / (total_norm + 1e-6)`` where that is below 1.

    >>> import d2lcore as torch
    >>> w = torch.zeros(2, requires_grad=True)
    >>> w.grad = torch.tensor([3.0, 4.0])
    >>> torch.nn.utils.clip_grads_with_norm_(w, 1.0, torch.tensor(10.0))
    >>> w.grad
    tensor([0.3000, 0.4000])
    """
    _scale(_gradients(parameters), max_norm, total_norm)


@no_grad()
def clip_grad_norm_(
    parameters: Tensors,
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Scales all gradients so that their common norm is at most ``max_norm``; returns the old norm.

    Source: Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural networks"
    (2013).

    >>> import d2lcore as torch
    >>> w = torch.zeros(2, requires_grad=True)
    >>> w.grad = torch.tensor([3.0, 4.0])
    >>> torch.nn.utils.clip_grad_norm_(w, max_norm=1.0)
    tensor(5.)
    >>> w.grad
    tensor([0.6000, 0.8000])
    """
    grads = _gradients(parameters)
    total = get_total_norm(grads, norm_type, error_if_nonfinite)
    _scale(grads, max_norm, total)
    return total


@no_grad()
def clip_grad_value_(parameters: Tensors, clip_value: float, foreach: bool | None = None) -> None:
    """Limits every element of the gradients to ``[-clip_value, clip_value]``.

    >>> import d2lcore as torch
    >>> w = torch.zeros(2, requires_grad=True)
    >>> w.grad = torch.tensor([3.0, -0.25])
    >>> torch.nn.utils.clip_grad_value_(w, 0.5)
    >>> w.grad
    tensor([ 0.5000, -0.2500])
    """
    limit = float(clip_value)
    for g in _gradients(parameters):
        g.clamp_(-limit, limit)
