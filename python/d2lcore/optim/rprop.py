"""`Rprop`: steps that ask the gradient for its sign only."""

from __future__ import annotations

import d2lcore
from d2lcore.optim._rules import RuleOptimizer, _check_options
from d2lcore.optim.optimizer import _check_implementation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from d2lcore import Tensor


class Rprop(RuleOptimizer):
    """Resilient propagation: each element has a step of its own, ``p -= step * sign(g)``.

    The step grows by ``etas[1]`` where the gradient keeps its sign and shrinks by ``etas[0]`` where
    it turns; there the element rests for once.  Source: Riedmiller and Braun, *A direct adaptive
    method for faster backpropagation learning*, ICNN 1993.

    Args:
        params: tensors or groups, see `Optimizer`.
        lr: the first step (default 1e-2).
        etas: see above (default (0.5, 1.2)).
        step_sizes: the least and the greatest step (default (1e-6, 50)).
        maximize: climb instead of descend.
        capturable, foreach: accepted; there is one implementation.
        differentiable: must be False.

    Raises:
        ValueError: a negative ``lr``, or not ``0 < etas[0] < 1 < etas[1]``.

    Example::

        >>> w = torch.ones(1, requires_grad=True)
        >>> optimizer = torch.optim.Rprop([w], lr=0.1)
        >>> (2 * w).backward()
        >>> optimizer.step()
        >>> w
        tensor([0.9000], requires_grad=True)
    """

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        _check_options(lr=lr)
        if not 0.0 < etas[0] < 1.0 < etas[1]:
            raise ValueError(f"Invalid eta values: {etas[0]}, {etas[1]}")
        _check_implementation(foreach, differentiable, None)
        defaults = {
            "lr": lr,
            "etas": etas,
            "step_sizes": step_sizes,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def _rule(self, group: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
        return "rprop", ("prev", "step_size")

    def _start(self, group: dict[str, Any], p: Tensor) -> dict[str, Any]:
        lr = float(group["lr"])
        # The parts of a complex number are two elements, each with its step.
        first = complex(lr, lr) if p.is_complex() else lr
        return {"prev": d2lcore.zeros_like(p), "step_size": d2lcore.full_like(p, first)}

    def _numbers(self, group: dict[str, Any], state: dict[str, Any]) -> tuple[float, ...]:
        return (*group["etas"], *group["step_sizes"])
