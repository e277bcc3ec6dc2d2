"""`Adam` and `AdamW`: adaptive moments, as one C++ call per group."""

from __future__ import annotations

import d2lcore
from d2lcore import _C, Tensor
from d2lcore.optim._rules import CountedOptimizer, _check_options
from d2lcore.optim.optimizer import _check_implementation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_adam_step = _C._adam_step
_zeros_like = d2lcore.zeros_like


class Adam(CountedOptimizer):
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
        if isinstance(lr, Tensor) and foreach and not capturable:
            raise ValueError(
                "lr as a Tensor is not supported for capturable=False and foreach=True"
            )
        _check_options(lr=lr, eps=eps, betas=betas, weight_decay=weight_decay)
        betas = _plain_betas(betas, bool(foreach) and not capturable)
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


def _plain_betas(betas: tuple[Any, Any], refuse: bool) -> tuple[float, float]:
    """Both as floats; PyTorch takes tensors of one element, but not for all its implementations."""
    if not any(all(isinstance(beta, kind) for beta in betas) for kind in (float, Tensor)):
        raise ValueError("betas must be either both floats or both Tensors")
    for i, beta in enumerate(betas):
        if isinstance(beta, Tensor):
            if refuse:
                raise ValueError(
                    f"betas[{i}] as a Tensor is not supported for capturable=False and foreach=True"
                )
            if beta.numel() != 1:
                raise ValueError(f"Tensor betas[{i}] must be 1-element")
    return float(betas[0]), float(betas[1])


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
