"""`NAdam`: Adam with Nesterov's look ahead."""

from __future__ import annotations

import d2lcore
from d2lcore.optim._rules import RuleOptimizer, _check_options
from d2lcore.optim.optimizer import _check_implementation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from d2lcore import Tensor


class NAdam(RuleOptimizer):
    """NAdam: the step mixes the gradient and its running mean, as Nesterov's momentum does.

    With ``mu(t) = beta1 * (1 - 0.96 ** (t * momentum_decay) / 2)``, ``M`` the product of all
    ``mu`` up to step ``t`` and Adam's ``m`` and ``v``::

        p -= lr * ((1 - mu(t)) / (1 - M) * g + mu(t+1) / (1 - M * mu(t+1)) * m)
             / (sqrt(v / (1 - beta2 ** t)) + eps)

    Source: Dozat, *Incorporating Nesterov momentum into Adam*, ICLR workshop 2016.

    Args:
        params: tensors or groups, see `Optimizer`.
        lr: learning rate (default 2e-3).
        betas: ``(beta1, beta2)`` (default (0.9, 0.999)).
        eps: see above (default 1e-8).
        weight_decay: ``g`` becomes ``g + weight_decay * p`` (default 0).
        momentum_decay: see above (default 4e-3).
        decoupled_weight_decay: shrink ``p`` by ``1 - lr * weight_decay`` instead.
        maximize: climb instead of descend.
        foreach, capturable: accepted; there is one implementation.
        differentiable: must be False.

    Raises:
        ValueError: a negative option, or a beta outside ``[0, 1)``.

    Example::

        >>> w = torch.ones(1, requires_grad=True)
        >>> optimizer = torch.optim.NAdam([w], lr=0.1)
        >>> (2 * w).backward()
        >>> optimizer.step()
        >>> w
        tensor([0.8944], requires_grad=True)
    """

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        _check_options(
            lr=lr, eps=eps, betas=betas, weight_decay=weight_decay, momentum_decay=momentum_decay
        )
        _check_implementation(foreach, differentiable, None)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum_decay": momentum_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _rule(self, group: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
        return "nadam", ("exp_avg", "exp_avg_sq")

    def _start(self, group: dict[str, Any], p: Tensor) -> dict[str, Any]:
        return {"mu_product": d2lcore.ones(()), **super()._start(group, p)}

    def _numbers(self, group: dict[str, Any], state: dict[str, Any]) -> tuple[float, ...]:
        lr, step, decay = float(group["lr"]), state["step"], group["weight_decay"]
        beta1, beta2 = group["betas"]
        mu, mu_next = (
            beta1 * (1.0 - 0.5 * 0.96 ** (t * group["momentum_decay"])) for t in (step, step + 1)
        )
        state["mu_product"] *= mu
        product = state["mu_product"].item()
        decoupled = group["decoupled_weight_decay"]
        return (
            1 - lr * decay if decoupled else 1.0,
            0.0 if decoupled else decay,
            1 - beta1,
            beta2,
            1 - beta2**step,
            group["eps"],
            lr * (1.0 - mu) / (1.0 - product),
            lr * mu_next / (1.0 - product * mu_next),
        )
