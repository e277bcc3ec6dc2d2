"""The backward graph as objects: nodes, edges, hooks on several tensors, what nodes save."""

from __future__ import annotations

from collections import namedtuple

from d2lcore import _C
from d2lcore._C import Node, Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

GradientEdge = namedtuple("GradientEdge", ["node", "output_nr", "ownership_token"], defaults=[None])
GradientEdge.__doc__ = """A place in the graph: ``output_nr`` of ``node``. ``backward`` and ``grad``
take edges as outputs and as inputs, so that the tensor itself need not be kept."""


def get_gradient_edge(tensor: Tensor) -> GradientEdge:
    """Returns the edge that leads to ``tensor``: to its ``grad_fn``, or a leaf's accumulator.

    Raises:
        RuntimeError: the tensor requires no gradient.

    >>> import d2lcore as torch
    >>> x = torch.ones(2, requires_grad=True)
    >>> y = x * 2
    >>> edge = torch.autograd.graph.get_gradient_edge(y)
    >>> torch.autograd.grad((y * 3).sum(), edge)
    (tensor([3., 3.]),)
    """
    node, output_nr = _C._gradient_edge(tensor)
    return GradientEdge(node, output_nr)


class saved_tensors_hooks:
    """Inside the block, what nodes save passes through ``pack_hook``, and through ``unpack_hook``
    when a backward pass needs it.

    Args:
        pack_hook: takes a tensor, which it must not change, and returns anything.
        unpack_hook: takes what ``pack_hook`` returned and gives the tensor back, in value, size
            and dtype.

    >>> import d2lcore as torch
    >>> x = torch.ones(2, requires_grad=True)
    >>> with torch.autograd.graph.saved_tensors_hooks(lambda t: t.numpy(), torch.from_numpy):
    ...     y = x.exp()
    >>> y.sum().backward()
    """

    def __init__(
        self, pack_hook: Callable[[Tensor], Any], unpack_hook: Callable[[Any], Tensor]
    ) -> None:
        self.pack_hook = pack_hook
        self.unpack_hook = unpack_hook

    def __enter__(self) -> None:
        _C._push_saved_tensors_hooks(self.pack_hook, self.unpack_hook)

    def __exit__(self, *error: object) -> None:
        _C._pop_saved_tensors_hooks()


class save_on_cpu(saved_tensors_hooks):
    """Inside the block, what nodes save is kept in CPU memory, where all tensors live anyway.

    Args:
        pin_memory, device_type: as in PyTorch; without effect.
    """

    def __init__(self, pin_memory: bool = False, device_type: str = "cuda") -> None:
        super().__init__(lambda t: t, lambda t: t)


class disable_saved_tensors_hooks:
    """Inside the block, using :class:`saved_tensors_hooks` raises RuntimeError(error_message)."""

    def __init__(self, error_message: str) -> None:
        self.error_message = error_message
        self._before: list[str | None] = []

    def __enter__(self) -> None:
        self._before.append(_C._forbid_saved_tensors_hooks(self.error_message))

    def __exit__(self, *error: object) -> None:
        _C._forbid_saved_tensors_hooks(self._before.pop())


class _Handles:
    """Removes several hooks at once."""

    def __init__(self, handles: Sequence[Any]) -> None:
        self.handles = tuple(handles)

    def remove(self) -> None:
        for handle in self.handles:
            handle.remove()

    def __enter__(self) -> _Handles:
        return self

    def __exit__(self, *error: object) -> None:
        self.remove()


def register_multi_grad_hook(
    tensors: Sequence[Tensor],
    fn: Callable[[Sequence[Tensor | None]], None] | Callable[[Tensor], None],
    *,
    mode: str = "all",
) -> _Handles:
    """Calls ``fn`` in each backward pass that reaches some of ``tensors``.

    Args:
        tensors: tensors that require gradients.
        fn: with ``mode="all"`` gets the list of the gradients (None for tensors that the pass does
            not reach) once all are there; with ``mode="any"`` the first gradient that is computed.
        mode: "all" or "any".

    >>> import d2lcore as torch
    >>> a, b = torch.ones(1, requires_grad=True), torch.ones(1, requires_grad=True)
    >>> handle = torch.autograd.graph.register_multi_grad_hook((a, b), print)
    >>> (a * b * 2).backward()
    [tensor([2.]), tensor([2.])]
    """
    if mode not in ("all", "any"):
        raise ValueError(f"Expects mode to be one of ('all', 'any') but got {mode}")
    nodes = [_C._gradient_edge(t)[0] for t in tensors]
    # State of the pass that is going on; a pass that failed leaves some behind, under its number.
    run, missing = -1, 0
    grads: list[Tensor | None] = []

    def hook_of(index: int) -> Callable[[Tensor], None]:
        def hook(grad: Tensor) -> None:
            nonlocal run, missing, grads
            if run != _C._current_graph_task_id():
                run = _C._current_graph_task_id()
                missing = sum(map(_C._will_engine_execute_node, nodes))
                grads = [None] * len(tensors)
                if mode == "any":
                    fn(grad)  # type: ignore[arg-type]
            if mode == "all":
                grads[index] = grad
                missing -= 1
                if missing == 0:
                    fn(grads)  # type: ignore[arg-type]
                    run = -1

        return hook

    return _Handles([t.register_hook(hook_of(i)) for i, t in enumerate(tensors)])


__all__ = [
    "GradientEdge",
    "Node",
    "disable_saved_tensors_hooks",
    "get_gradient_edge",
    "register_multi_grad_hook",
    "save_on_cpu",
    "saved_tensors_hooks",
]
