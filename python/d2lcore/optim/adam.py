"""`Adam` and `AdamW`: adaptive moments, as one C++ call per group.

A parameter's ``step`` is kept as a Python float, which costs 20 ns where a tensor would cost 100;
``state_dict()`` shows it as PyTorch's 0-d float32 tensor, and ``load_state_dict`` takes both.
"""

from __future__ import annotations

import d2lcore
from d2lcore import _C, Tensor
from d2lcore.optim.optimizer import Optimizer, _check_implementation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_adam_step = _C._adam_step
_zeros_like = d2lcore.zeros_like


class Adam(Optimizer):
    """Adam: steps along a running mean of the gradient over the root of that of its square.

    ``m = beta1 * m + (1 - beta1) * g``, ``v = beta2 * v + (1 - beta2) * g * g``,
    ``p -= lr * (m / (1 - beta1 ** t)) / (sqrt(v / (1 - beta2 ** t)) + eps)`` in step ``t``.
    Source: Kingma and Ba, *Adam: a method for stochastic optimization*, arXiv:1412.6980; AMSGrad:
    Reddi, Kale and Kumar, *On the convergence of Adam and beyond*, arXiv:1904.09237.

    Args:
        params: tensors or groups, see `Optimizer`.
        lr: learning rate (default 1e-3).
        betas: ``(beta1, beta2)`` (default (0.9, 0.999)).
        eps: see above (default 1e-8).
        weight_decay: ``g`` becomes ``g + weight_decay * p`` (default 0).
        amsgrad: use the greatest ``v`` so far.
        maximize: climb instead of descend.
        decoupled_weight_decay: shrink ``p`` by ``1 - lr * weight_decay`` instead: `AdamW`.
        foreach, capturable, fused: accepted; there is one implementation.
        differentiable: must be False.

    Raises:
        ValueError: a negative option, or a beta outside ``[0, 1)``.

    Example::

        >>> w = torch.ones(1, requires_grad=True)
        >>> optimizer = torch.optim.Adam([w], lr=0.1)
        >>> (2 * w).backward()
        >>> optimizer.step()
        >>> w
        tensor([0.9000], requires_grad=True)
    """

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1e-3,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        if isinstance(lr, Tensor) and lr.numel() != 1:
            raise ValueError("Tensor lr must be 1-element")
        if not 0.0 <= lr:
            raise ValueError(f"Invalid learning rate: {lr}")
        if not 0.0 <= eps:
            raise ValueError(f"Invalid epsilon value: {eps}")
        if not 0.0 <= betas[0] < 1.0:
            raise ValueError(f"Invalid beta parameter at index 0: {betas[0]}")
        if not 0.0 <= betas[1] < 1.0:
            raise ValueError(f"Invalid beta parameter at index 1: {betas[1]}")
        if not 0.0 <= weight_decay:
            raise ValueError(f"Invalid weight_decay value: {weight_decay}")
        _check_implementation(foreach, differentiable, fused)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
            "fused": fused,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(params, defaults)

    def _update(self, group: dict[str, Any]) -> None:
        params, grads, means, squares, greatest, steps = [], [], [], [], [], []
        all_states = self.state
        amsgrad = group["amsgrad"]
        for p in group["params"]:
            grad = p.grad
            if grad is None:
                continue
            state = all_states[p]
            if not state:
                state["step"] = 0.0
                state["exp_avg"] = _zeros_like(p)
                state["exp_avg_sq"] = _zeros_like(p)
                if amsgrad:
                    state["max_exp_avg_sq"] = _zeros_like(p)
            state["step"] = step = float(state["step"]) + 1.0
            params.append(p)
            grads.append(grad)
            means.append(state["exp_avg"])
            squares.append(state["exp_avg_sq"])
            steps.append(step)
            if amsgrad:
                greatest.append(state["max_exp_avg_sq"])
        if not params:
            return
        beta1, beta2 = group["betas"]
        _adam_step(
            params,
            grads,
            means,
            squares,
            greatest,
            steps,
            float(group["lr"]),
            float(beta1),
            float(beta2),
            group["weight_decay"],
            group["eps"],
            amsgrad,
            group["maximize"],
            group["decoupled_weight_decay"],
        )

    def _save_state(self, state: Any) -> Any:
        if isinstance(state, dict) and isinstance(state.get("step"), float):
            return {**state, "step": d2lcore.tensor(state["step"], dtype=d2lcore.float32)}
        return state

    def _load_state(self, state: Any, param: Tensor) -> Any:
        state = super()._load_state(state, param)
        if isinstance(state, dict) and "step" in state:
            state["step"] = float(state["step"])
        return state


class AdamW(Adam):
    """Adam whose weight decay shrinks the parameters and stays out of the moments.

    ``p -= lr * weight_decay * p`` before Adam's step.  Source: Loshchilov and Hutter, *Decoupled
    weight decay regularization*, arXiv:1711.05101.

    Args:
        params, lr, betas, eps, amsgrad, maximize, foreach, capturable, differentiable, fused:
            as for `Adam`.
        weight_decay: default 1e-2.

    Example::

        >>> w = torch.ones(1, requires_grad=True)
        >>> optimizer = torch.optim.AdamW([w], lr=0.1, weight_decay=0.5)
        >>> (2 * w).backward()
        >>> optimizer.step()
        >>> w
        tensor([0.8500], requires_grad=True)
    """

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1e-3,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            foreach=foreach,
            maximize=maximize,
            capturable=capturable,
            differentiable=differentiable,
            fused=fused,
            decoupled_weight_decay=True,
        )
