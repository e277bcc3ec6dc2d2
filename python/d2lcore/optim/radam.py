"""`RAdam`: Adam that warms itself up."""

from __future__ import annotations

from d2lcore.optim._rules import RuleOptimizer, _check_options
from d2lcore.optim.optimizer import _check_implementation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from d2lcore import Tensor


class RAdam(RuleOptimizer):
    """RAdam: Adam whose step is scaled by how well the second moment is known yet.

    With Adam's ``m`` and ``v``, ``r = 2 / (1 - beta2) - 1`` and
    ``n = r - 2 * t * beta2 ** t / (1 - beta2 ** t)``: while ``n <= 5`` the step is
    ``p -= lr * m / (1 - beta1 ** t)``, and afterwards Adam's times
    ``sqrt((n - 4) * (n - 2) * r / ((r - 4) * (r - 2) * n))``.
    Source: Liu et al., *On the variance of the adaptive learning rate and beyond*,
    arXiv:1908.03265.

    Args:
        params: tensors or groups, see `Optimizer`.
        lr: learning rate (default 1e-3).
        betas: ``(beta1, beta2)`` (default (0.9, 0.999)).
        eps: added to ``sqrt(v)`` (default 1e-8).
        weight_decay: ``g`` becomes ``g + weight_decay * p`` (default 0).
        decoupled_weight_decay: shrink ``p`` by ``1 - lr * weight_decay`` instead.
        maximize: climb instead of descend.
        foreach, capturable: accepted; there is one implementation.
        differentiable: must be False.

    Raises:
        ValueError: a negative option, or a beta outside ``[0, 1)``.

    Example::

        >>> w = torch.ones(1, requires_grad=True)
        >>> optimizer = torch.optim.RAdam([w], lr=0.1)
        >>> (2 * w).backward()
        >>> optimizer.step()
        >>> w
        tensor([0.8000], requires_grad=True)
    """

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        _check_options(lr=lr, eps=eps, betas=betas, weight_decay=weight_decay)
        _check_implementation(foreach, differentiable, None)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "decoupled_weight_decay": decoupled_weight_decay,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _rule(self, group: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
        return "radam", ("exp_avg", "exp_avg_sq")

    def _numbers(self, group: dict[str, Any], state: dict[str, Any]) -> tuple[float, ...]:
        lr, step, decay = float(group["lr"]), state["step"], group["weight_decay"]
        beta1, beta2 = group["betas"]
        correction2 = 1 - beta2**step
        longest = 2 / (1 - beta2) - 1
        length = longest - 2 * step * beta2**step / correction2
        step_size = lr / (1 - beta1**step)
        adaptive = length > 5.0
        if adaptive:
            ratio = (length - 4) * (length - 2) * longest
            ratio /= (longest - 4) * (longest - 2) * length
            step_size *= ratio**0.5 * correction2**0.5
        decoupled = group["decoupled_weight_decay"]
        return (
            1 - lr * decay if decoupled else 1.0,
            0.0 if decoupled else decay,
            1 - beta1,
            beta2,
            group["eps"],
            step_size,
            float(adaptive),
        )
