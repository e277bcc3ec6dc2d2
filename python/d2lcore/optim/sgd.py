"""`SGD`: stochastic gradient descent with momentum, as one C++ call per group."""

from __future__ import annotations

from d2lcore import _C, Tensor
from d2lcore.optim.optimizer import Optimizer, _check_implementation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_sgd_step = _C._sgd_step


class SGD(Optimizer):
    """Stochastic gradient descent: ``p -= lr * g``.

    With momentum ``b = momentum * b + (1 - dampening) * g`` (``b = g`` in the first step), and
    ``b``, or with Nesterov ``g + momentum * b``, takes the place of ``g``.
    Source: Sutskever et al., *On the importance of initialization and momentum in deep
    learning*, ICML 2013; the velocity holds no learning rate, as in PyTorch.

    Args:
        params: tensors or groups, see `Optimizer`.
        lr: learning rate (default 1e-3).
        momentum: see above (default 0: no buffer is kept).
        dampening: see above (default 0).
        weight_decay: ``g`` becomes ``g + weight_decay * p`` (default 0).
        nesterov: see above; needs momentum and no dampening.
        maximize: climb instead of descend.
        foreach, fused: accepted; there is one implementation.
        differentiable: must be False.

    Raises:
        ValueError: a negative option, or Nesterov without momentum or with dampening.

    Example::

        >>> w = torch.ones(1, requires_grad=True)
        >>> optimizer = torch.optim.SGD([w], lr=0.1)
        >>> (2 * w).backward()
        >>> optimizer.step()
        >>> w
        tensor([0.8000], requires_grad=True)
    """

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float | Tensor = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        if isinstance(lr, Tensor) and lr.numel() != 1:
            raise ValueError("Tensor lr must be 1-element")
        if lr < 0.0:
            raise ValueError(f"Invalid learning rate: {lr}")
        if momentum < 0.0:
            raise ValueError(f"Invalid momentum value: {momentum}")
        if weight_decay < 0.0:
            raise ValueError(f"Invalid weight_decay value: {weight_decay}")
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        _check_implementation(foreach, differentiable, fused)
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
            "foreach": foreach,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)

    def _update(self, group: dict[str, Any]) -> None:
        params, grads = [], []
        for p in group["params"]:
            grad = p.grad
            if grad is not None:
                params.append(p)
                grads.append(grad)
        if not params:
            return
        momentum = group["momentum"]
        options = (
            float(group["lr"]),
            momentum,
            group["dampening"],
            float(group["weight_decay"]),
            group["nesterov"],
            group["maximize"],
        )
        if momentum == 0:
            _sgd_step(params, grads, [None] * len(params), *options)
            return
        states = [self.state[p] for p in params]
        old = [state.get("momentum_buffer") for state in states]
        new = _sgd_step(params, grads, old, *options)
        for state, buffer in zip(states, new, strict=True):
            state["momentum_buffer"] = buffer
