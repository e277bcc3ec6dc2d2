"""`Adagrad`: steps over the root of the sum of all squared gradients."""

from __future__ import annotations

import d2lcore
from d2lcore.optim._rules import RuleOptimizer, _check_options
from d2lcore.optim.optimizer import _check_implementation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from d2lcore import Tensor


class Adagrad(RuleOptimizer):
    """Adagrad: ``s += g * g``, ``p -= lr / (1 + (t - 1) * lr_decay) * g / (sqrt(s) + eps)``.

    Here ``t`` is the number of the step.  Source: Duchi, Hazan and Singer, *Adaptive subgradient
    methods for online learning and stochastic optimization*, JMLR 12, 2011.

    Args:
        params: tensors or groups, see `Optimizer`.
        lr: learning rate (default 1e-2).
        lr_decay: see above (default 0).
        weight_decay: ``g`` becomes ``g + weight_decay * p`` (default 0).
        initial_accumulator_value: with what ``s`` begins (default 0).
        eps: see above (default 1e-10).
        maximize: climb instead of descend.
        foreach, fused: accepted; there is one implementation.
        differentiable: must be False.

    Raises:
        ValueError: a negative option.

    Example::

        >>> w = torch.ones(1, requires_grad=True)
        >>> optimizer = torch.optim.Adagrad([w], lr=0.1)
        >>> (2 * w).backward()
        >>> optimizer.step()
        >>> w
        tensor([0.9000], requires_grad=True)
    """

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        _check_options(
            lr=lr,
            lr_decay=lr_decay,
            weight_decay=weight_decay,
            initial_accumulator_value=initial_accumulator_value,
            eps=eps,
        )
        _check_implementation(foreach, differentiable, fused)
        defaults = {
            "lr": lr,
            "lr_decay": lr_decay,
            "eps": eps,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)
        for group in self.param_groups:  # PyTorch makes the sums at once: a state dict has them
            for p in group["params"]:
                self.state[p] = {"step": 0.0, **self._start(group, p)}

    def share_memory(self) -> None:
        """Calls ``share_memory_`` of every sum."""
        for group in self.param_groups:
            for p in group["params"]:
                self.state[p]["sum"].share_memory_()

    def _rule(self, group: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
        return "adagrad", ("sum",)

    def _start(self, group: dict[str, Any], p: Tensor) -> dict[str, Any]:
        first = self.defaults["initial_accumulator_value"]
        return {"sum": d2lcore.full_like(p, complex(first, first) if p.is_complex() else first)}

    def _numbers(self, group: dict[str, Any], state: dict[str, Any]) -> tuple[float, ...]:
        lr = float(group["lr"]) / (1 + (state["step"] - 1) * group["lr_decay"])
        return lr, group["weight_decay"], group["eps"]
