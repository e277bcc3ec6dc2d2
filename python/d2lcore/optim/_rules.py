"""What optimisers with a state share: counted steps, and steps that are one loop each.

The one idea: such an optimiser says which loop of the core moves its parameters, which tensors that
loop keeps, and which numbers it takes in a given step; the walk over the parameters stands here.

A parameter's ``step`` is kept as a Python float, which costs 20 ns where a tensor would cost 100;
``state_dict()`` shows it as PyTorch's 0-d float32 tensor, and ``load_state_dict`` takes both.
"""

from __future__ import annotations

import d2lcore
from d2lcore import _C, Tensor
from d2lcore.optim.optimizer import Optimizer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_rule_step = _C._rule_step
_zeros_like = d2lcore.zeros_like

_NOUNS = {"lr": "learning rate", "eps": "epsilon value"}


def _check_options(**options: Any) -> None:
    """Refuses negative options, and betas outside ``[0, 1)``, in the order in which they come."""
    for name, value in options.items():
        if name == "betas":
            for i, beta in enumerate(value):
                if not 0.0 <= beta < 1.0:
                    raise ValueError(f"Invalid beta parameter at index {i}: {beta}")
            continue
        if name == "lr" and isinstance(value, Tensor) and value.numel() != 1:
            raise ValueError("Tensor lr must be 1-element")
        if not 0.0 <= value:
            raise ValueError(f"Invalid {_NOUNS.get(name, name + ' value')}: {value}")


def _check_learning_rate(lr: Any) -> None:
    """The same for `lr` in the words that PyTorch has for its newer optimisers."""
    if isinstance(lr, Tensor) and lr.numel() != 1:
        raise ValueError("Tensor lr must be 1-element")
    if not 0.0 <= lr:
        raise ValueError(f"Learning rate should be >= 0 but is: {lr}")


class CountedOptimizer(Optimizer):
    """An optimiser that counts the steps of each parameter in its state."""

    def _save_state(self, state: Any) -> Any:
        if isinstance(state, dict) and isinstance(state.get("step"), float):
            return {**state, "step": d2lcore.tensor(state["step"], dtype=d2lcore.float32)}
        return state

    def _load_state(self, state: Any, param: Tensor) -> Any:
        state = super()._load_state(state, param)
        if isinstance(state, dict) and "step" in state:
            state["step"] = float(state["step"])
        return state


class RuleOptimizer(CountedOptimizer):
    """An optimiser whose step is one loop over parameter, states and gradient.

    A class defines `_rule` and `_numbers`, and `_start` if a state does not begin with zeros.
    """

    def _rule(self, group: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
        """The loop for this group, and the states that it reads and writes, in its order."""
        raise NotImplementedError

    def _numbers(self, group: dict[str, Any], state: dict[str, Any]) -> tuple[float, ...]:
        """The numbers that the loop takes for one parameter in step ``state["step"]``."""
        raise NotImplementedError

    def _start(self, group: dict[str, Any], p: Tensor) -> dict[str, Any]:
        """The state of a parameter before its first step."""
        return {name: _zeros_like(p) for name in self._rule(group)[1]}

    def _update(self, group: dict[str, Any]) -> None:
        rule, names = self._rule(group)
        params, grads, numbers = [], [], []
        states: list[list[Tensor]] = [[] for _ in names]
        for p in group["params"]:
            grad = p.grad
            if grad is None:
                continue
            state = self.state[p]
            if not state:
                state["step"] = 0.0
                state.update(self._start(group, p))
            state["step"] = float(state["step"]) + 1.0
            params.append(p)
            grads.append(grad)
            numbers.append(self._numbers(group, state))
            for tensors, name in zip(states, names, strict=True):
                tensors.append(state[name])
        if params:
            _rule_step(rule, params, grads, states, numbers, group["maximize"])
