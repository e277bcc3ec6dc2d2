"""`Adadelta`: steps whose size follows from earlier steps, without a learning rate to choose."""

from __future__ import annotations

from d2lcore.optim._rules import RuleOptimizer, _check_options
from d2lcore.optim.optimizer import _check_implementation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from d2lcore import Tensor


class Adadelta(RuleOptimizer):
    """Adadelta: each step is the gradient times the ratio of two running root mean squares.

    ``v = rho * v + (1 - rho) * g * g``, ``d = sqrt(u + eps) / sqrt(v + eps) * g``,
    ``u = rho * u + (1 - rho) * d * d``, ``p -= lr * d``.
    Source: Zeiler, *ADADELTA: an adaptive learning rate method*, arXiv:1212.5701.

    Args:
        params: tensors or groups, see `Optimizer`.
        lr: factor of the step (default 1.0).
        rho, eps: see above (default 0.9 and 1e-6).
        weight_decay: ``g`` becomes ``g + weight_decay * p`` (default 0).
        maximize: climb instead of descend.
        foreach, capturable: accepted; there is one implementation.
        differentiable: must be False.

    Raises:
        ValueError: a negative option, or ``rho`` above 1.

    Example::

        >>> w = torch.ones(1, requires_grad=True)
        >>> optimizer = torch.optim.Adadelta([w], lr=10.0)
        >>> (2 * w).backward()
        >>> optimizer.step()
        >>> w
        tensor([0.9684], requires_grad=True)
    """

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        _check_options(lr=lr)
        if not 0.0 <= rho <= 1.0:
            raise ValueError(f"Invalid rho value: {rho}")
        _check_options(eps=eps, weight_decay=weight_decay)
        _check_implementation(foreach, differentiable, None)
        defaults = {
            "lr": lr,
            "rho": rho,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "capturable": capturable,
            "foreach": foreach,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _rule(self, group: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
        return "adadelta", ("square_avg", "acc_delta")

    def _numbers(self, group: dict[str, Any], state: dict[str, Any]) -> tuple[float, ...]:
        return float(group["lr"]), group["weight_decay"], group["eps"], group["rho"]
