"""`Muon`: momentum whose matrix is made orthogonal before each step."""

from __future__ import annotations

import math

import d2lcore
from d2lcore.optim._rules import _check_learning_rate
from d2lcore.optim.optimizer import Optimizer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from d2lcore import Tensor

# The quintic a x + b x^3 + c x^5 that lifts small singular values fastest (Jordan et al.).
_QUINTIC = (3.4445, -4.775, 2.0315)


class Muon(Optimizer):
    """Muon: steps along the orthogonal factor of the momentum, for matrices.

    ``b += (1 - momentum) * (g - b)``; of ``u = b`` (with Nesterov ``g + momentum * (b - g)``)
    all singular values are brought near 1 by ``ns_steps`` steps of a quintic Newton-Schulz
    iteration in bfloat16; then ``p = (1 - lr * weight_decay) * p - lr * ratio * u``, where the
    ratio is ``sqrt(max(1, rows / columns))``.
    Source: Jordan et al., *Muon: an optimizer for hidden layers in neural networks*, 2024;
    ``match_rms_adamw``: Liu et al., *Muon is scalable for LLM training*, arXiv:2502.16982.

    Args:
        params: matrices or groups of them, see `Optimizer`.
        lr: learning rate (default 1e-3).
        weight_decay: see above (default 0.1).
        momentum: see above (default 0.95).
        nesterov: see above (default True).
        ns_coefficients: of the iteration, see above.
        eps: the least norm by which the matrix is divided (default 1e-7).
        ns_steps: below 100 (default 5).
        adjust_lr_fn: ``"original"`` (the default, see above) or ``"match_rms_adamw"``, whose ratio
            is ``0.2 * sqrt(max(rows, columns))``.

    Raises:
        ValueError: an option out of its range, or a parameter that is no matrix.
        RuntimeError: a parameter is complex.

    Example::

        >>> w = torch.ones(1, 1, requires_grad=True)
        >>> optimizer = torch.optim.Muon([w], lr=0.5)
        >>> (2 * w).sum().backward()
        >>> optimizer.step()
        >>> w.shape
        torch.Size([1, 1])
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = _QUINTIC,
        eps: float = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
    ) -> None:
        _check_learning_rate(lr)
        if not 0.0 <= momentum:
            raise ValueError(f"momentum should be >= 0 but is: {momentum}")
        if not 0.0 <= weight_decay:
            raise ValueError(f"weight decay should be >= 0 but is: {weight_decay}")
        if adjust_lr_fn not in (None, "original", "match_rms_adamw"):
            raise ValueError(f"Adjust learning rate function {adjust_lr_fn} is not supported")
        defaults = {
            "lr": lr,
            "weight_decay": weight_decay,
            "momentum": momentum,
            "nesterov": nesterov,
            "ns_coefficients": ns_coefficients,
            "eps": eps,
            "ns_steps": ns_steps,
            "adjust_lr_fn": adjust_lr_fn,
        }
        super().__init__(params, defaults)
        for group in self.param_groups:
            for p in group["params"]:
                if p.ndim != 2:
                    raise ValueError(
                        "Muon only supports 2D parameters whereas we found a parameter with size: "
                        f"{p.size()}"
                    )

    def _update(self, group: dict[str, Any]) -> None:
        lr, momentum = float(group["lr"]), group["momentum"]
        with d2lcore.no_grad():
            for p in group["params"]:
                grad = p.grad
                if grad is None:
                    continue
                if p.is_complex():
                    raise RuntimeError("Muon does not support complex parameters")
                if grad.ndim != 2:
                    raise ValueError("Param gradient must be a 2D matrix")
                state = self.state[p]
                if "momentum_buffer" not in state:
                    state["momentum_buffer"] = d2lcore.zeros_like(grad)
                buffer = state["momentum_buffer"].lerp_(grad, 1 - momentum)
                update = grad.lerp(buffer, momentum) if group["nesterov"] else buffer
                update = _orthogonal(
                    update, group["ns_coefficients"], group["ns_steps"], group["eps"]
                )
                p.mul_(1 - lr * group["weight_decay"])
                p.add_(update, alpha=-lr * _ratio(group["adjust_lr_fn"], *p.shape))


def _ratio(name: str | None, rows: int, columns: int) -> float:
    if name == "match_rms_adamw":
        return 0.2 * math.sqrt(max(rows, columns))
    return math.sqrt(max(1, rows / columns))


def _orthogonal(
    matrix: Tensor, coefficients: tuple[float, float, float], steps: int, eps: float
) -> Tensor:
    """Brings the singular values near 1: x becomes ``a x + b (x x') x + c (x x')^2 x``, often."""
    if steps >= 100:
        raise ValueError("Number of steps must be less than 100 for computational efficiency")
    if len(coefficients) != 3:
        raise ValueError("Coefficients must be a tuple of exactly 3 values")
    a, b, c = coefficients
    tall = matrix.size(0) > matrix.size(1)
    x = matrix.bfloat16()
    if tall:
        x = x.T
    x = x / x.norm().clamp(min=eps)  # no singular value is above the norm
    for _ in range(steps):
        gram = x @ x.T
        x = d2lcore.addmm(x, d2lcore.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.T if tall else x
