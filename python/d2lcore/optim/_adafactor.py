"""`Adafactor`: second moments of matrices kept as a row and a column."""

from __future__ import annotations

import d2lcore
from d2lcore.optim._rules import CountedOptimizer, _check_learning_rate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from d2lcore import Tensor


class Adafactor(CountedOptimizer):
    """Adafactor: an adaptive step whose memory grows with rows plus columns, not their product.

    In step ``t`` the running mean square takes a share of ``t ** beta2_decay`` of the new one;
    for two and more dimensions only its means over the last and over the last but one are kept,
    and their product, divided by the mean, stands for it.  The update ``u`` is the gradient over
    its root, divided by ``max(1, rms(u) / d)``, and
    ``p -= max(eps[1], rms(p)) * min(lr, 1 / sqrt(t)) * u``.
    Source: Shazeer and Stern, *Adafactor: adaptive learning rates with sublinear memory cost*,
    arXiv:1804.04235; lr as in PyTorch bounds the relative step.

    Args:
        params: tensors or groups, see `Optimizer`.
        lr: see above (default 1e-2).
        beta2_decay: see above (default -0.8).
        eps: the first keeps roots off zero (None: the dtype's epsilon), the second steps of small
            parameters (default (None, 1e-3)).
        d: see above (default 1.0).
        weight_decay: ``p`` shrinks by ``1 - lr * weight_decay`` (default 0).
        foreach: accepted; there is one implementation.
        maximize: climb instead of descend.

    Raises:
        ValueError: an option out of its range.
        RuntimeError: a parameter is complex.

    Example::

        >>> w = torch.ones(1, requires_grad=True)
        >>> optimizer = torch.optim.Adafactor([w], lr=0.1)
        >>> (2 * w).backward()
        >>> optimizer.step()
        >>> w
        tensor([0.9000], requires_grad=True)
    """

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1e-2,
        beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0,
        weight_decay: float = 0.0,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
    ) -> None:
        _check_learning_rate(lr)
        if not 0.0 >= beta2_decay:
            raise ValueError(f"beta2_decay should be <= 0 but is: {beta2_decay}")
        if eps[0] is not None and not 0.0 <= eps[0]:
            raise ValueError(f"epsilon1 should be >= 0 but is: {eps[0]}")
        if not 0.0 <= eps[1]:
            raise ValueError(f"epsilon2 should be >= 0 but is: {eps[1]}")
        if not 1.0 <= d:
            raise ValueError(f"Clipping threshold d should be >= 1 but is: {d}")
        if not 0.0 <= weight_decay:
            raise ValueError(f"weight_decay should be >= 0 but is: {weight_decay}")
        defaults = {
            "lr": lr,
            "beta2_decay": beta2_decay,
            "eps": eps,
            "d": d,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _update(self, group: dict[str, Any]) -> None:
        with d2lcore.no_grad():
            for p in group["params"]:
                if p.grad is not None:
                    self._move(group, p, -p.grad if group["maximize"] else p.grad)

    def _move(self, group: dict[str, Any], p: Tensor, grad: Tensor) -> None:
        if p.is_complex():
            raise RuntimeError("Adafactor does not support complex parameters")
        state = self.state[p]
        if not state:
            state.update(_first_state(grad))
        state["step"] = step = float(state["step"]) + 1.0
        lr = float(group["lr"])
        eps1, eps2 = group["eps"]
        if eps1 is None:
            eps1 = d2lcore.finfo(p.dtype).eps
        relative = max(eps2, _root_mean_square(p)) * min(lr, 1 / step**0.5)
        if group["weight_decay"] != 0:
            p.mul_(1 - lr * group["weight_decay"])
        square = _mean_square(state, grad, step ** group["beta2_decay"], eps1)
        update = square.clamp_(min=eps1 * eps1).rsqrt_().mul_(grad)
        p.add_(update, alpha=-relative / max(1.0, _root_mean_square(update) / group["d"]))


def _first_state(grad: Tensor) -> dict[str, Any]:
    if grad.dim() < 2:
        return {"step": 0.0, "variance": d2lcore.zeros_like(grad)}
    rows, columns = list(grad.shape), list(grad.shape)
    rows[-1] = columns[-2] = 1
    return {"step": 0.0, "row_var": grad.new_zeros(rows), "col_var": grad.new_zeros(columns)}


def _mean_square(state: dict[str, Any], grad: Tensor, share: float, least: float) -> Tensor:
    """Brings the running mean square in the state up to date; returns it in full, as a copy."""
    if grad.dim() < 2:
        state["variance"].lerp_(grad * grad, share)
        return state["variance"].clone()  # type: ignore[no-any-return]
    rows, columns = state["row_var"], state["col_var"]
    for kept, dim in ((rows, -1), (columns, -2)):
        norm = d2lcore.norm(grad, dim=dim, keepdim=True)
        kept.lerp_(norm.square_().div_(grad.size(dim)), share)
    mean = rows.mean(dim=-2, keepdim=True).clamp_(min=least)
    return (rows @ columns).div_(mean)  # type: ignore[no-any-return]


def _root_mean_square(x: Tensor) -> float:
    return x.norm(2).item() / x.numel() ** 0.5  # type: ignore[no-any-return]
