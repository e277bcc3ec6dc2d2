"""`RMSprop`: steps over the root of a running mean of squared gradients."""

from __future__ import annotations

from d2lcore.optim._rules import RuleOptimizer, _check_options
from d2lcore.optim.optimizer import _check_implementation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from d2lcore import Tensor


class RMSprop(RuleOptimizer):
    """RMSprop: ``v = alpha * v + (1 - alpha) * g * g``, ``p -= lr * g / (sqrt(v) + eps)``.

    Centred, the root is that of ``v`` minus the square of the running mean of ``g``, an estimate of
    the variance.  With momentum ``b = momentum * b + g / (root + eps)`` and ``p -= lr * b``.
    Source: Tieleman and Hinton, lecture 6.5 of *Neural networks for machine learning*, 2012;
    centred: Graves, *Generating sequences with recurrent neural networks*, arXiv:1308.0850.

    Args:
        params: tensors or groups, see `Optimizer`.
        lr: learning rate (default 1e-2).
        alpha: see above (default 0.99).
        eps: see above (default 1e-8).
        weight_decay: ``g`` becomes ``g + weight_decay * p`` (default 0).
        momentum: see above (default 0: no buffer is kept).
        centered: see above.
        maximize: climb instead of descend.
        capturable, foreach: accepted; there is one implementation.
        differentiable: must be False.

    Raises:
        ValueError: a negative option.

    Example::

        >>> w = torch.ones(1, requires_grad=True)
        >>> optimizer = torch.optim.RMSprop([w], lr=0.01)
        >>> (2 * w).backward()
        >>> optimizer.step()
        >>> w
        tensor([0.9000], requires_grad=True)
    """

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        _check_options(lr=lr, eps=eps, momentum=momentum, weight_decay=weight_decay, alpha=alpha)
        _check_implementation(foreach, differentiable, None)
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "alpha": alpha,
            "eps": eps,
            "centered": centered,
            "weight_decay": weight_decay,
            "capturable": capturable,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _rule(self, group: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
        rule, names = "rmsprop", ["square_avg"]
        if group["centered"]:
            rule += "_centered"
            names.append("grad_avg")
        if group["momentum"] > 0:
            rule += "_momentum"
            names.append("momentum_buffer")
        return rule, tuple(names)

    def _numbers(self, group: dict[str, Any], state: dict[str, Any]) -> tuple[float, ...]:
        lr, decay, eps = float(group["lr"]), group["weight_decay"], group["eps"]
        return lr, decay, eps, group["alpha"], group["momentum"]
