"""Parameters as one vector, and back."""

from __future__ import annotations

import d2lcore as torch
from d2lcore._C import Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """All parameters, flattened, one after the other: a vector that gradients flow through.

    >>> import d2lcore as torch
    >>> torch.nn.utils.parameters_to_vector([torch.ones(2), torch.zeros(1, 2)])
    tensor([1., 1., 0., 0.])
    """
    return torch.cat([p.view(-1) for p in parameters])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Makes slices of ``vec`` the data of the parameters, in order; they share its memory.

    Raises:
        TypeError: ``vec`` is no tensor.
        RuntimeError: it is too short.

    >>> import d2lcore as torch
    >>> w = torch.zeros(2, 2)
    >>> torch.nn.utils.vector_to_parameters(torch.arange(4.0), [w])
    >>> w
    tensor([[0., 1.],
            [2., 3.]])
    """
    if not isinstance(vec, Tensor):
        raise TypeError(f"expected torch.Tensor, but got: {type(vec).__name__}")
    start = 0
    for p in parameters:
        end = start + p.numel()
        p.data = vec[start:end].view_as(p).data
        start = end
