"""Schedules that go up and down: `CyclicLR`, `OneCycleLR`, `CosineAnnealingWarmRestarts`.

The first two can move the momentum against the rate: high where the rate is low.
"""

from __future__ import annotations

import math

from d2lcore.optim.lr_scheduler._base import (
    LRScheduler,
    _check_optimizer,
    _Flag,
    _per_group,
    _save_function,
    _write,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from d2lcore.optim.lr_scheduler._base import Rates
    from d2lcore.optim.optimizer import Optimizer


class _MovesMomentum(LRScheduler):
    """Momentum, or the first of Adam's betas, in each group."""

    def _start_momentum(self, least: Rates, greatest: Rates, fresh: bool) -> None:
        if fresh:
            groups = self.optimizer.param_groups
            for low, high, group in zip(least, greatest, groups, strict=True):
                self._write_momentum(group, high)
                group["max_momentum"] = high
                group["base_momentum"] = low

    def _find_momentum(self) -> None:
        defaults = self.optimizer.defaults
        if "momentum" not in defaults and "betas" not in defaults:
            raise ValueError(
                "optimizer must support momentum or beta1 with `cycle_momentum` option enabled"
            )
        self.use_beta1 = "betas" in defaults

    def _write_momentum(self, group: dict[str, Any], value: float) -> None:
        if self.use_beta1:
            group["betas"] = (value, *group["betas"][1:])
        else:
            group["momentum"] = value


class CyclicLR(_MovesMomentum):
    """Moves the rates up and down between ``base_lr`` and ``max_lr`` in straight lines.

    Meant to step after every batch.  Source: Smith, *Cyclical learning rates for training neural
    networks*, arXiv:1506.01186.

    Args:
        optimizer, last_epoch: see `LRScheduler`.
        base_lr, max_lr: the ends, numbers or lists of one for each group.
        step_size_up: steps on the way up (default 2000).
        step_size_down: steps on the way down (default: as many).
        mode: ``"triangular"``; ``"triangular2"``: half as high in every cycle; ``"exp_range"``: the
            height is ``gamma ** step`` (default ``"triangular"``).
        gamma: see above (default 1).
        scale_fn: the height as a function of one argument, instead of a mode.
        scale_mode: what that is: ``"cycle"``, from 1, or ``"iterations"`` (default ``"cycle"``).
        cycle_momentum: move the momentum too, down when the rate goes up (default True).
        base_momentum, max_momentum: its ends (default 0.8 and 0.9).

    Raises:
        ValueError: an unknown mode, a list of another length, or an optimiser without momentum.

    Example::

        >>> optimizer = torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=1.0)
        >>> scheduler = torch.optim.lr_scheduler.CyclicLR(
        ...     optimizer, 0.0, 1.0, step_size_up=2, cycle_momentum=False
        ... )
        >>> rates = []
        >>> for step in range(5):
        ...     rates += scheduler.get_last_lr()
        ...     optimizer.step()
        ...     scheduler.step()
        >>> rates
        [0.0, 0.5, 1.0, 0.5, 0.0]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: float | list[float],
        max_lr: float | list[float],
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: str = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: str = "cycle",
        cycle_momentum: bool = True,
        base_momentum: float = 0.8,
        max_momentum: float = 0.9,
        last_epoch: int = -1,
    ) -> None:
        _check_optimizer(optimizer)
        self.optimizer = optimizer
        base_lrs = _per_group("base_lr", optimizer, base_lr)
        if last_epoch == -1:
            for rate, group in zip(base_lrs, optimizer.param_groups, strict=True):
                _write(group, rate)
        self.max_lrs = _per_group("max_lr", optimizer, max_lr)
        up = float(step_size_up)
        down = up if step_size_down is None else float(step_size_down)
        self.total_size = up + down
        self.step_ratio = up / self.total_size
        if mode not in ("triangular", "triangular2", "exp_range") and scale_fn is None:
            raise ValueError("mode is invalid and scale_fn is None")
        self.mode = mode
        self.gamma = gamma
        self._scale_fn_custom = scale_fn
        if scale_fn is None:
            scale_mode = "iterations" if mode == "exp_range" else "cycle"
        self.scale_mode = scale_mode
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self._find_momentum()
            self.base_momentums = _per_group("base_momentum", optimizer, base_momentum)
            self.max_momentums = _per_group("max_momentum", optimizer, max_momentum)
            self._start_momentum(self.base_momentums, self.max_momentums, last_epoch == -1)
        super().__init__(optimizer, last_epoch)
        self.base_lrs = base_lrs

    def scale_fn(self, x: float) -> float:
        """The height of the cycle, by its number or by that of the step."""
        if self._scale_fn_custom is not None:
            return self._scale_fn_custom(x)
        if self.mode == "triangular":
            return 1.0
        if self.mode == "triangular2":
            return float(1 / 2.0 ** (x - 1))
        return float(self.gamma**x)

    def get_lr(self) -> Rates:
        """The rates of this step; moves the momentum too."""
        self._warn_outside_step()
        cycle = math.floor(1 + self.last_epoch / self.total_size)
        x = 1.0 + self.last_epoch / self.total_size - cycle
        up = x <= self.step_ratio
        height = x / self.step_ratio if up else (x - 1) / (self.step_ratio - 1)
        scale = self.scale_fn(cycle if self.scale_mode == "cycle" else self.last_epoch)
        if self.cycle_momentum:
            pairs = zip(self.base_momentums, self.max_momentums, strict=True)
            values = [high - (high - low) * height * scale for low, high in pairs]
            for group, value in zip(self.optimizer.param_groups, values, strict=True):
                self._write_momentum(group, value)
        ends = zip(self.base_lrs, self.max_lrs, strict=True)
        return [low + (high - low) * height * scale for low, high in ends]

    def state_dict(self) -> dict[str, Any]:
        """Returns everything but the optimiser; of ``scale_fn`` only what an object holds."""
        state = super().state_dict()
        function = state.pop("_scale_fn_custom")
        state["_scale_fn_custom"] = None if function is None else _save_function(function)
        return state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes over what `state_dict` returned; ``scale_fn`` stays."""
        rest = {key: value for key, value in state_dict.items() if key != "_scale_fn_custom"}
        super().load_state_dict(rest)
        if state_dict["_scale_fn_custom"] is not None:
            self._scale_fn_custom.__dict__.update(state_dict["_scale_fn_custom"])


def _cosine(start: Any, end: Any, share: float) -> Any:
    return end + (start - end) / 2.0 * (math.cos(math.pi * share) + 1)


def _line(start: Any, end: Any, share: float) -> Any:
    return (end - start) * share + start


class OneCycleLR(_MovesMomentum):
    """One cycle over the whole training: up to ``max_lr``, then down to almost nothing.

    Meant to step after every batch.  Source: Smith and Topin, *Super-convergence: very fast
    training of neural networks using large learning rates*, arXiv:1708.07120.

    Args:
        optimizer, last_epoch: see `LRScheduler`.
        max_lr: the top, a number or a list of one for each group.
        total_steps: all steps; or
        epochs, steps_per_epoch: whose product they are.
        pct_start: the share of them on the way up (default 0.3).
        anneal_strategy: ``"cos"`` or ``"linear"`` (default ``"cos"``).
        cycle_momentum: move the momentum too, down when the rate goes up (default True).
        base_momentum, max_momentum: its ends, numbers or lists (default 0.85 and 0.95).
        div_factor: the first rate is ``max_lr / div_factor`` (default 25).
        final_div_factor: the last one that divided by this (default 1e4).
        three_phase: go down to the first rate as fast as up, and then to the last.

    Raises:
        ValueError: the number of steps is missing or not positive, ``pct_start`` is no float in
            [0, 1], another strategy, a list of another length, an optimiser without momentum; in
            ``step``: more steps than there are.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | list[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.85,
        max_momentum: float | list[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        _check_optimizer(optimizer)
        self.optimizer = optimizer
        self.total_steps = _total_steps(total_steps, epochs, steps_per_epoch)
        if not isinstance(pct_start, float) or not 0 <= pct_start <= 1:
            raise ValueError(f"Expected float between 0 and 1 pct_start, but got {pct_start}")
        # Where a phase ends, and the options of a group between which it moves.
        up, last = pct_start * self.total_steps, self.total_steps - 1
        phases: list[tuple[float, str, str, str, str]]
        phases = [(up - 1, "initial_lr", "max_lr", "max_momentum", "base_momentum")]
        if three_phase:
            phases += [
                (2 * up - 2, "max_lr", "initial_lr", "base_momentum", "max_momentum"),
                (last, "initial_lr", "min_lr", "max_momentum", "max_momentum"),
            ]
        else:
            phases += [(last, "max_lr", "min_lr", "base_momentum", "max_momentum")]
        keys = ("end_step", "start_lr", "end_lr", "start_momentum", "end_momentum")
        self._schedule_phases: list[dict[str, Any]]
        self._schedule_phases = [dict(zip(keys, phase, strict=True)) for phase in phases]
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(
                f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}"
            )
        self._anneal_func_type = anneal_strategy
        max_lrs = _per_group("max_lr", optimizer, max_lr)
        if last_epoch == -1:
            for top, group in zip(max_lrs, optimizer.param_groups, strict=True):
                group["initial_lr"] = top / div_factor
                group["max_lr"] = top
                group["min_lr"] = group["initial_lr"] / final_div_factor
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self._find_momentum()
            greatest = _per_group("max_momentum", optimizer, max_momentum)
            least = _per_group("base_momentum", optimizer, base_momentum)
            self._start_momentum(least, greatest, last_epoch == -1)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> Rates:
        """The rates of this step; moves the momentum too."""
        self._warn_outside_step()
        step = self.last_epoch
        if step > self.total_steps:
            raise ValueError(
                f"Tried to step {step} times. The specified number of total steps is "
                f"{self.total_steps}"
            )
        start, phase = 0.0, self._schedule_phases[0]
        for following in self._schedule_phases[1:]:
            if step <= phase["end_step"]:
                break
            start, phase = phase["end_step"], following
        share = (step - start) / (phase["end_step"] - start)
        anneal = _cosine if self._anneal_func_type == "cos" else _line
        rates = []
        for group in self.optimizer.param_groups:
            rates.append(anneal(group[phase["start_lr"]], group[phase["end_lr"]], share))
            if self.cycle_momentum:
                ends = group[phase["start_momentum"]], group[phase["end_momentum"]]
                self._write_momentum(group, anneal(*ends, share))
        return rates


def _total_steps(total: int | None, epochs: int | None, steps_per_epoch: int | None) -> int:
    if total is not None:
        if not isinstance(total, int) or total <= 0:
            raise ValueError(f"Expected positive integer total_steps, but got {total}")
        return total
    if epochs is None or steps_per_epoch is None:
        raise ValueError("You must define either total_steps OR (epochs AND steps_per_epoch)")
    for name, value in (("epochs", epochs), ("steps_per_epoch", steps_per_epoch)):
        if not isinstance(value, int) or value <= 0:
            raise ValueError(f"Expected positive integer {name}, but got {value}")
    return epochs * steps_per_epoch


class CosineAnnealingWarmRestarts(LRScheduler):
    """Falls along half a cosine again and again, each time from the top.

    Source: Loshchilov and Hutter, *SGDR: stochastic gradient descent with warm restarts*,
    arXiv:1608.03983.

    Args:
        optimizer, last_epoch: see `LRScheduler`.
        T_0: epochs until the first restart.
        T_mult: by how much each period is longer than the last (default 1).
        eta_min: the least rate (default 0).

    Raises:
        ValueError: ``T_0`` or ``T_mult`` is no positive integer, or ``eta_min`` no number; in
            ``step``: a negative epoch.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        T_0: int,
        T_mult: int = 1,
        eta_min: float = 0.0,
        last_epoch: int = -1,
    ) -> None:
        if T_0 <= 0 or not isinstance(T_0, int):
            raise ValueError(f"Expected positive integer T_0, but got {T_0}")
        if T_mult < 1 or not isinstance(T_mult, int):
            raise ValueError(f"Expected integer T_mult >= 1, but got {T_mult}")
        if not isinstance(eta_min, (float, int)):
            raise ValueError(
                f"Expected float or int eta_min, but got {eta_min} of type {type(eta_min)}"
            )
        self.T_0 = T_0
        self.T_i: float = T_0
        self.T_mult = T_mult
        self.eta_min = eta_min
        self.T_cur: float = last_epoch
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> Rates:
        """The rates ``T_cur`` epochs after the last restart."""
        self._warn_outside_step()
        height = 1 + math.cos(math.pi * self.T_cur / self.T_i)
        low = self.eta_min
        return [low + (base_lr - low) * height / 2 for base_lr in self.base_lrs]

    def step(self, epoch: float | None = None) -> None:
        """Goes on to the next epoch, or to any, which may be a fraction.

        Raises:
            ValueError: ``epoch`` is negative.
        """
        if epoch is None and self.last_epoch >= 0:
            epoch = self.last_epoch + 1
            self.T_cur += 1
            if self.T_cur >= self.T_i:
                self.T_cur %= self.T_i
                self.T_i *= self.T_mult
        else:
            epoch = 0 if epoch is None else epoch
            if epoch < 0:
                raise ValueError(f"Expected non-negative epoch, but got {epoch}")
            self._restart_before(epoch)
        self.last_epoch = math.floor(epoch)
        with _Flag(self, "_get_lr_called_within_step"):
            rates = self.get_lr()
        self._write_rates(rates)

    def _restart_before(self, epoch: float) -> None:
        """Finds the period in which an epoch lies: they begin at a geometric series."""
        if epoch < self.T_0:
            self.T_i = self.T_0
            self.T_cur = epoch
        elif self.T_mult == 1:
            self.T_cur = epoch % self.T_0
        else:
            n = int(math.log(epoch / self.T_0 * (self.T_mult - 1) + 1, self.T_mult))
            self.T_cur = epoch - self.T_0 * (self.T_mult**n - 1) / (self.T_mult - 1)
            self.T_i = self.T_0 * self.T_mult**n
