"""Schedules made of schedules: one after the other, or all at once."""

from __future__ import annotations

import bisect

from d2lcore.optim.lr_scheduler._base import LRScheduler, _values, _write
from d2lcore.optim.lr_scheduler._plateau import ReduceLROnPlateau

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from d2lcore.optim.optimizer import Optimizer


class _Chain(LRScheduler):
    """What both have in common: their schedules, and a state dict that holds theirs."""

    _schedulers: Sequence[LRScheduler]

    def _check_schedulers(self, optimizer: Any, schedulers: Sequence[LRScheduler]) -> None:
        name = type(self).__name__
        for i, scheduler in enumerate(schedulers):
            if not hasattr(scheduler, "optimizer"):
                raise TypeError(f"{name} at index {i} should have `optimizer` as its attribute.")
            if isinstance(scheduler, ReduceLROnPlateau):
                raise ValueError(
                    f"{name} does not support `ReduceLROnPlateau` scheduler as it requires "
                    "additional kwargs to be specified when calling `step`, but got one at index "
                    f"{i} in the given schedulers sequence."
                )
            if optimizer is not scheduler.optimizer:
                raise ValueError(
                    f"{name} expects all schedulers to belong to the same optimizer, but got "
                    f"scheduler {type(scheduler).__name__} at index {i} has {scheduler.optimizer}, "
                    f"which is different from {type(optimizer).__name__}."
                )

    def state_dict(self) -> dict[str, Any]:
        """Returns everything but the optimiser, with the state dicts of all schedules."""
        state = super().state_dict()
        del state["_schedulers"]
        state["_schedulers"] = [scheduler.state_dict() for scheduler in self._schedulers]
        return state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes over what `state_dict` returned, in all schedules too."""
        rest = {key: value for key, value in state_dict.items() if key != "_schedulers"}
        super().load_state_dict(rest)
        for scheduler, state in zip(self._schedulers, state_dict["_schedulers"], strict=True):
            scheduler.load_state_dict(state)


class SequentialLR(_Chain):
    """Runs schedules one after the other; the next one begins at each milestone.

    Args:
        optimizer, last_epoch: see `LRScheduler`.
        schedulers: of that optimiser, in order.
        milestones: one less; the epochs in which the second, third, ... begin.

    Raises:
        ValueError: no schedule, one of another optimiser, a `ReduceLROnPlateau`, or not one
            milestone less.

    Example::

        >>> optimizer = torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=1.0)
        >>> warm = torch.optim.lr_scheduler.ConstantLR(optimizer, 0.5, total_iters=2)
        >>> fall = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
        >>> scheduler = torch.optim.lr_scheduler.SequentialLR(optimizer, [warm, fall], [2])
        >>> rates = []
        >>> for epoch in range(4):
        ...     rates += scheduler.get_last_lr()
        ...     optimizer.step()
        ...     scheduler.step()
        >>> rates
        [0.5, 0.5, 1.0, 0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        schedulers: list[LRScheduler],
        milestones: list[int],
        last_epoch: int = -1,
    ) -> None:
        if len(schedulers) < 1:
            raise ValueError(
                f"{type(self).__name__} expects at least one scheduler, but got no scheduler."
            )
        self._check_schedulers(optimizer, schedulers)
        if len(milestones) != len(schedulers) - 1:
            raise ValueError(
                "Sequential Schedulers expects number of schedulers provided to be one more than "
                "the number of milestone points, but got number of schedulers "
                f"{len(schedulers)} and the number of milestones to be equal to {len(milestones)}"
            )
        self._schedulers = schedulers
        self._milestones = milestones
        self.last_epoch = last_epoch + 1
        self.optimizer = optimizer
        # Every schedule made its first step when it was made; only the first one shall have.
        for group in optimizer.param_groups:
            _write(group, group["initial_lr"])
        self.recursive_undo()
        first = schedulers[bisect.bisect_right(milestones, 0)]
        first._initial_step()
        self._last_lr = first.get_last_lr()

    def recursive_undo(self, sched: LRScheduler | None = None) -> None:
        """Takes the first epoch back from all schedules inside ``sched`` (default: this one)."""
        sched = self if sched is None else sched
        if isinstance(sched, _Chain):
            for scheduler in sched._schedulers:
                self.recursive_undo(scheduler)
        else:
            sched.last_epoch -= 1

    def step(self) -> None:  # type: ignore[override]
        """Goes on to the next epoch, in the schedule whose turn it is."""
        self.last_epoch += 1
        turn = bisect.bisect_right(self._milestones, self.last_epoch)
        scheduler = self._schedulers[turn]
        if turn > 0 and self._milestones[turn - 1] == self.last_epoch:
            scheduler._update_lr(0)
        else:
            scheduler.step()
        self._last_lr = scheduler.get_last_lr()


class ChainedScheduler(_Chain):
    """Takes a step of several schedules at once; each goes on from the rates of the one before.

    Args:
        schedulers: in order.
        optimizer: theirs (default: that of the first).

    Raises:
        ValueError: no schedule, one of another optimiser, or a `ReduceLROnPlateau`.
    """

    def __init__(
        self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None
    ) -> None:
        if len(schedulers) < 1:
            raise ValueError(
                f"{type(self).__name__} expects at least one scheduler to be chained, but got no "
                "scheduler."
            )
        optimizer = optimizer or schedulers[0].optimizer
        self._check_schedulers(optimizer, schedulers)
        self._schedulers = schedulers
        self.optimizer = optimizer
        self._last_lr = _values(optimizer, "lr")

    def step(self) -> None:  # type: ignore[override]
        """Goes on to the next epoch in all schedules."""
        for scheduler in self._schedulers:
            scheduler.step()
        self._last_lr = _values(self.optimizer, "lr")
