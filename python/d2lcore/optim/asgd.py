"""`ASGD`: gradient descent that also averages the parameters."""

from __future__ import annotations

import d2lcore
from d2lcore.optim._rules import RuleOptimizer, _check_options
from d2lcore.optim.optimizer import _check_implementation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from d2lcore import Tensor


class ASGD(RuleOptimizer):
    """Averaged gradient descent: ``p = (1 - lambd * eta) * p - eta * g``, ``ax += mu * (p - ax)``.

    ``eta = lr / (1 + lambd * lr * t) ** alpha`` and ``mu = 1 / max(1, t - t0)`` after step ``t``;
    they start with ``lr`` and 1.  The mean of the parameters is ``optimizer.state[p]["ax"]``.
    Source: Polyak and Juditsky, *Acceleration of stochastic approximation by averaging*, SIAM
    J. Control Optim. 30, 1992.

    Args:
        params: tensors or groups, see `Optimizer`.
        lr: learning rate (default 1e-2).
        lambd, alpha, t0: see above (default 1e-4, 0.75 and 1e6).
        weight_decay: ``g`` becomes ``g + weight_decay * p`` (default 0).
        maximize: climb instead of descend.
        foreach, capturable: accepted; there is one implementation.
        differentiable: must be False.

    Raises:
        ValueError: a negative ``lr`` or ``weight_decay``.

    Example::

        >>> w = torch.ones(1, requires_grad=True)
        >>> optimizer = torch.optim.ASGD([w], lr=0.1)
        >>> (2 * w).backward()
        >>> optimizer.step()
        >>> w
        tensor([0.8000], requires_grad=True)
    """

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        _check_options(lr=lr, weight_decay=weight_decay)
        _check_implementation(foreach, differentiable, None)
        defaults = {
            "lr": lr,
            "lambd": lambd,
            "alpha": alpha,
            "t0": t0,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def _rule(self, group: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
        return "asgd", ("ax",)

    def _start(self, group: dict[str, Any], p: Tensor) -> dict[str, Any]:
        first = {"eta": d2lcore.tensor(float(group["lr"])), "mu": d2lcore.ones(())}
        return {**first, **super()._start(group, p)}

    def _numbers(self, group: dict[str, Any], state: dict[str, Any]) -> tuple[float, ...]:
        lr, lambd, step = float(group["lr"]), group["lambd"], state["step"]
        eta, mu = state["eta"].item(), state["mu"].item()
        state["eta"].fill_(lr / (1 + lambd * lr * step) ** group["alpha"])
        state["mu"].fill_(1 / max(1, step - group["t0"]))
        return group["weight_decay"], 1 - lambd * eta, eta, mu
