"""`LBFGS`: a quasi-Newton method that remembers a few steps, with or without a line search.

All parameters are one vector here.  What it remembers lies in the state of the first parameter, as
in PyTorch, numbers as Python floats.
"""

from __future__ import annotations

import math

import d2lcore
from d2lcore.optim._rules import _check_options
from d2lcore.optim.optimizer import Optimizer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from d2lcore import Tensor


class LBFGS(Optimizer):
    """Limited-memory BFGS: steps along ``-H g``, ``H`` an inverse Hessian of the last steps.

    ``H`` is applied by the two-loop recursion.  Without a line search each iteration moves by
    ``lr`` (the very first by ``lr * min(1, 1 / sum(abs(g)))``); ``"strong_wolfe"`` looks for a
    step that meets the strong Wolfe conditions, by cubic interpolation.
    Source: Nocedal and Wright, *Numerical optimization*, 2nd edition, algorithms 7.4, 7.5, 3.5
    and 3.6.

    Args:
        params: tensors, or one group of them, see `Optimizer`.
        lr: see above (default 1).
        max_iter: iterations in one ``step`` (default 20).
        max_eval: evaluations of the closure in one ``step`` (default ``max_iter * 5 // 4``).
        tolerance_grad: ends when no element of the gradient is greater (default 1e-7).
        tolerance_change: ends when loss or parameters change by less (default 1e-9).
        history_size: how many steps are remembered (default 100).
        line_search_fn: ``"strong_wolfe"`` or None.

    Raises:
        ValueError: a negative learning rate, or more than one group.
        RuntimeError: in ``step``, another line search.

    Example::

        >>> w = torch.tensor([3.0, -2.0], requires_grad=True)
        >>> optimizer = torch.optim.LBFGS([w], line_search_fn="strong_wolfe")
        >>> def closure():
        ...     optimizer.zero_grad()
        ...     loss = ((w - 1) ** 2).sum()
        ...     loss.backward()
        ...     return loss
        >>> optimizer.step(closure)
        tensor(13., grad_fn=<SumBackward0>)
        >>> w.allclose(torch.ones(2))
        True
    """

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        _check_options(lr=lr)
        defaults = {
            "lr": lr,
            "max_iter": max_iter,
            "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
            "tolerance_grad": tolerance_grad,
            "tolerance_change": tolerance_change,
            "history_size": history_size,
            "line_search_fn": line_search_fn,
        }
        super().__init__(params, defaults)
        if len(self.param_groups) != 1:
            raise ValueError("LBFGS doesn't support per-parameter options (parameter groups)")

    def step(self, closure: Callable[[], Any]) -> Any:  # type: ignore[override]
        """Minimises for up to ``max_iter`` iterations.

        Args:
            closure: clears the gradients, computes the loss and its gradients, returns the loss.

        Returns:
            the first loss.
        """
        with d2lcore.no_grad():
            return self._minimise(closure)

    def _minimise(self, closure: Callable[[], Any]) -> Any:
        group = self.param_groups[0]
        lr, max_eval = float(group["lr"]), group["max_eval"]
        state = self.state[group["params"][0]]
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)

        def evaluate() -> tuple[Any, Tensor]:
            with d2lcore.enable_grad():
                loss = closure()
            state["func_evals"] += 1
            return loss, self._flat_grad()

        first_loss, grad = evaluate()
        loss, evaluations = float(first_loss), 1
        if _greatest(grad) <= group["tolerance_grad"]:
            return first_loss

        for iteration in range(1, group["max_iter"] + 1):
            direction = _direction(state, grad, group["history_size"])
            state["prev_flat_grad"] = grad.clone()
            state["prev_loss"] = before = loss
            t = lr
            if state["n_iter"] == 1:
                t *= min(1.0, grad.abs().sum().reciprocal().item())
            state["t"] = t
            slope = grad.dot(direction).item()
            if slope > -group["tolerance_change"]:
                break
            if group["line_search_fn"] is None:
                self._move(t, direction)
                if iteration < group["max_iter"]:
                    loss, grad = evaluate()
                    loss = float(loss)
                    evaluations += 1
            else:
                if group["line_search_fn"] != "strong_wolfe":
                    raise RuntimeError("only 'strong_wolfe' is supported")
                start = _Point(0.0, loss, grad, slope)
                point, tries = self._search(
                    evaluate, start, t, direction, group["tolerance_change"], max_eval - evaluations
                )
                loss, grad, state["t"] = point.loss, point.grad, point.t
                evaluations += tries
                self._move(point.t, direction)
            if (
                evaluations >= max_eval
                or _greatest(grad) <= group["tolerance_grad"]
                or _greatest(direction) * abs(state["t"]) <= group["tolerance_change"]
                or abs(loss - before) < group["tolerance_change"]
            ):
                break
        return first_loss

    def _search(
        self,
        evaluate: Callable[[], tuple[Any, Tensor]],
        start: _Point,
        t: float,
        direction: Tensor,
        tolerance: float,
        budget: int,
    ) -> tuple[_Point, int]:
        """The line search: where it ends, and how often it evaluated."""
        home = [p.clone() for p in self.param_groups[0]["params"]]

        def look(t: float) -> _Point:
            self._move(t, direction)
            loss, grad = evaluate()
            for p, value in zip(self.param_groups[0]["params"], home, strict=True):
                p.copy_(value)
            return _Point(t, float(loss), grad, grad.dot(direction).item())

        return _strong_wolfe(look, start, t, tolerance / max(_greatest(direction), 1e-300), budget)

    def _flat_grad(self) -> Tensor:
        parts = []
        for p in self.param_groups[0]["params"]:
            grad = d2lcore.zeros_like(p) if p.grad is None else p.grad.detach()
            parts.append((d2lcore.view_as_real(grad) if grad.is_complex() else grad).reshape(-1))
        return d2lcore.cat(parts)

    def _move(self, t: float, direction: Tensor) -> None:
        start = 0
        for p in self.param_groups[0]["params"]:
            real = d2lcore.view_as_real(p) if p.is_complex() else p
            end = start + real.numel()
            real.add_(direction[start:end].view_as(real), alpha=t)
            start = end


def _greatest(x: Tensor) -> float:
    return x.abs().max().item()  # type: ignore[no-any-return]


def _direction(state: dict[str, Any], grad: Tensor, history_size: int) -> Tensor:
    """Remembers the last step and returns ``-H grad`` (state["d"])."""
    state["n_iter"] += 1
    if state["n_iter"] == 1:
        state.update(old_dirs=[], old_stps=[], ro=[], H_diag=1.0, d=grad.neg())
        return state["d"]  # type: ignore[no-any-return]
    changes, moves, inverses = state["old_dirs"], state["old_stps"], state["ro"]
    change = grad.sub(state["prev_flat_grad"])
    move = state["d"].mul(float(state["t"]))
    curvature = change.dot(move)
    if curvature > 1e-10:
        if len(changes) == history_size:
            for memory in (changes, moves, inverses):
                memory.pop(0)
        changes.append(change)
        moves.append(move)
        inverses.append(1.0 / curvature.item())
        state["H_diag"] = (curvature / change.dot(change)).item()
    factors = state.setdefault("al", [None] * history_size)
    d = grad.neg()
    for i in reversed(range(len(changes))):
        factors[i] = moves[i].dot(d).item() * float(inverses[i])
        d.add_(changes[i], alpha=-factors[i])
    d.mul_(float(state["H_diag"]))
    for i in range(len(changes)):
        back = changes[i].dot(d).item() * float(inverses[i])
        d.add_(moves[i], alpha=factors[i] - back)
    state["d"] = d
    return d


class _Point:
    """A point of the line: the step that leads there, loss, gradient and slope along the line."""

    __slots__ = ("grad", "loss", "slope", "t")

    def __init__(self, t: float, loss: float, grad: Tensor, slope: float) -> None:
        self.t, self.loss, self.grad, self.slope = t, loss, grad, slope


def _cubic_minimum(a: _Point, b: _Point, least: float, greatest: float) -> float:
    """Where the cubic through both losses and slopes is least, within bounds."""
    if a.t > b.t:
        a, b = b, a
    width = b.t - a.t
    if width > 0:
        d1 = a.slope + b.slope - 3 * (b.loss - a.loss) / width
        square = d1 * d1 - a.slope * b.slope
        if square >= 0:
            d2 = math.sqrt(square)
            bottom = b.slope - a.slope + 2 * d2
            if bottom != 0:
                t = b.t - width * ((b.slope + d2 - d1) / bottom)
                return min(max(t, least), greatest)
    return (least + greatest) / 2


def _strong_wolfe(
    look: Callable[[float], _Point], start: _Point, t: float, narrowest: float, budget: int
) -> tuple[_Point, int]:
    """Looks along a line for a point that is low enough and flat enough.

    First the step grows until two points enclose one, then they are drawn together.
    """

    def too_high(point: _Point) -> bool:
        return point.loss > start.loss + 1e-4 * point.t * start.slope

    def flat(point: _Point) -> bool:
        return abs(point.slope) <= -0.9 * start.slope

    before, now = start, look(t)
    tries = 0
    while tries < budget:
        if too_high(now) or (tries > 1 and now.loss >= before.loss):
            break
        if flat(now):
            return now, tries + 1
        if now.slope >= 0:
            break
        least = now.t + 0.01 * (now.t - before.t)
        before, now = now, look(_cubic_minimum(before, now, least, now.t * 10))
        tries += 1
    else:
        before = start

    pair = [before, now]
    low = 0 if before.loss <= now.loss else 1
    crept = False  # whether the last point lay close to an end without any need
    while tries < budget:
        least, greatest = sorted(point.t for point in pair)
        if greatest - least < narrowest:
            break
        t = _cubic_minimum(pair[0], pair[1], least, greatest)
        margin = 0.1 * (greatest - least)
        close = min(greatest - t, t - least) < margin
        if close and (crept or not least < t < greatest):
            t = greatest - margin if greatest - t < t - least else least + margin
            close = False
        crept = close
        now = look(t)
        tries += 1
        if too_high(now) or now.loss >= pair[low].loss:
            pair[1 - low] = now
            low = 0 if pair[0].loss <= pair[1].loss else 1
            continue
        if flat(now):
            return now, tries + 1
        if now.slope * (pair[1 - low].t - pair[low].t) >= 0:
            pair[1 - low] = pair[low]
        pair[low] = now
    return pair[low], tries + 1
