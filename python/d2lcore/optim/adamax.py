"""`Adamax`: Adam with the greatest recent gradient in place of the mean square."""

from __future__ import annotations

from d2lcore.optim._rules import RuleOptimizer, _check_options
from d2lcore.optim.optimizer import _check_implementation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from d2lcore import Tensor


class Adamax(RuleOptimizer):
    """Adamax: Adam by the infinity norm.

    ``m = beta1 * m + (1 - beta1) * g``, ``u = max(beta2 * u, abs(g) + eps)``,
    ``p -= lr / (1 - beta1 ** t) * m / u`` in step ``t``.
    Source: Kingma and Ba, *Adam: a method for stochastic optimization*, arXiv:1412.6980, 7.1.

    Args:
        params: tensors or groups, see `Optimizer`.
        lr: learning rate (default 2e-3).
        betas: ``(beta1, beta2)`` (default (0.9, 0.999)).
        eps: see above (default 1e-8).
        weight_decay: ``g`` becomes ``g + weight_decay * p`` (default 0).
        maximize: climb instead of descend.
        foreach, capturable: accepted; there is one implementation.
        differentiable: must be False.

    Raises:
        ValueError: a negative option, or a beta outside ``[0, 1)``.

    Example::

        >>> w = torch.ones(1, requires_grad=True)
        >>> optimizer = torch.optim.Adamax([w], lr=0.1)
        >>> (2 * w).backward()
        >>> optimizer.step()
        >>> w
        tensor([0.9000], requires_grad=True)
    """

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        _check_options(lr=lr, eps=eps, betas=betas, weight_decay=weight_decay)
        _check_implementation(foreach, differentiable, None)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def _rule(self, group: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
        return "adamax", ("exp_avg", "exp_inf")

    def _numbers(self, group: dict[str, Any], state: dict[str, Any]) -> tuple[float, ...]:
        beta1, beta2 = group["betas"]
        step_size = float(group["lr"]) / (1 - beta1 ** state["step"])
        return step_size, group["weight_decay"], group["eps"], 1 - beta1, beta2
