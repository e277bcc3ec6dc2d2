"""`LRScheduler`: counts epochs and writes the learning rates of an optimiser's groups.

The one idea: a schedule is a method ``get_lr`` that tells the rates of ``self.last_epoch`` from
those that the groups have now; so schedules chain, and what else changes a rate stays in force.
"""

from __future__ import annotations

import functools
import warnings
import weakref

from d2lcore import Tensor
from d2lcore.optim.optimizer import Optimizer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Rates = list[Any]  # floats, or tensors where a group's lr is one

_ORDER = "https://pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate"
_EPOCH_WARNING = (
    "The epoch parameter in `scheduler.step()` was not necessary and is being deprecated where "
    "possible. Please use `scheduler.step()` to step the scheduler. During the deprecation, if "
    "epoch is different from None, the closed form is used instead of the new chainable form, "
    "where available. Please open an issue if you are unable to replicate your use case: "
    "https://github.com/pytorch/pytorch/issues/new/choose."
)


def _copy(value: Any) -> Any:
    return value.clone() if isinstance(value, Tensor) else value


def _values(optimizer: Optimizer, key: str) -> Rates:
    """An option of every group; tensors as copies."""
    return [_copy(group[key]) for group in optimizer.param_groups]


def _write(group: dict[str, Any], value: Any) -> None:
    """Sets a group's learning rate; a tensor stays the same tensor."""
    if isinstance(group["lr"], Tensor):
        group["lr"].fill_(float(value))
    else:
        group["lr"] = value


def _per_group(name: str, optimizer: Optimizer, value: Any) -> Rates:
    """One value for each group: those of a list, or the same for all."""
    groups = len(optimizer.param_groups)
    if not isinstance(value, (list, tuple)):
        value = [value] * groups
    if len(value) != groups:
        raise ValueError(
            f"{name} must have the same length as optimizer.param_groups. {name} has "
            f"{len(value)} values, param_groups has {groups}."
        )
    return [_copy(item) for item in value]


def _check_optimizer(optimizer: Any) -> None:
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")


def _note_steps(optimizer: Optimizer) -> None:
    """From now on ``optimizer._opt_called`` tells whether it made a step."""
    step: Any = optimizer.step
    if hasattr(step, "_wrapped_by_lr_sched"):
        return
    # The optimiser must not keep itself alive, as the bound method would.
    holder, unbound = weakref.ref(optimizer), getattr(step, "__func__", None)
    if unbound is not None:
        del step

    @functools.wraps(unbound or step)
    def noted(*args: Any, **kwargs: Any) -> Any:
        owner: Any = holder()
        owner._opt_called = True
        return step(*args, **kwargs) if unbound is None else unbound(owner, *args, **kwargs)

    noted._wrapped_by_lr_sched = True  # type: ignore[attr-defined]
    optimizer.step = noted  # type: ignore[method-assign]


class _Flag:
    """Sets an attribute to True for a while."""

    def __init__(self, owner: Any, name: str) -> None:
        self.owner, self.name = owner, name

    def __enter__(self) -> None:
        setattr(self.owner, self.name, True)

    def __exit__(self, *error: object) -> None:
        setattr(self.owner, self.name, False)


class LRScheduler:
    """Base class of learning-rate schedules.

    A subclass defines ``get_lr``, which returns a rate for each group.

    Args:
        optimizer: whose groups get new rates; ``"initial_lr"`` is kept in them.
        last_epoch: -1 to begin; the number of the last epoch to go on after `load_state_dict`.

    Raises:
        TypeError: ``optimizer`` is no optimiser.
        KeyError: ``last_epoch`` is not -1 and a group has no ``"initial_lr"``.

    Example::

        >>> class Halving(torch.optim.lr_scheduler.LRScheduler):
        ...     def get_lr(self):
        ...         return [lr * 0.5**self.last_epoch for lr in self.base_lrs]
        >>> optimizer = torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=0.8)
        >>> scheduler = Halving(optimizer)
        >>> for epoch in range(3):
        ...     optimizer.step()
        ...     scheduler.step()
        >>> scheduler.get_last_lr()
        [0.1]
    """

    _get_lr_called_within_step = False
    _is_initial = False

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        _check_optimizer(optimizer)
        self.optimizer = optimizer
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", _copy(group["lr"]))
            elif "initial_lr" not in group:
                raise KeyError(
                    f"param 'initial_lr' is not specified in param_groups[{i}] when resuming "
                    "scheduler with last_epoch >= 0.\nThis typically happens when:\n1. You're "
                    "trying to resume training from a checkpoint but haven't properly loaded the "
                    "optimizer state\n2. You're using last_epoch >= 0 for a fresh training run "
                    "(not recommended)"
                )
        self.base_lrs = _values(optimizer, "initial_lr")
        self.last_epoch = last_epoch
        _note_steps(optimizer)
        self._initial_step()

    def _initial_step(self) -> None:
        self._step_count = 0
        with _Flag(self, "_is_initial"):
            self.step()

    def state_dict(self) -> dict[str, Any]:
        """Returns everything but the optimiser."""
        return {key: value for key, value in self.__dict__.items() if key != "optimizer"}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes over what `state_dict` returned."""
        self.__dict__.update(state_dict)

    def get_last_lr(self) -> Rates:
        """Returns the rates of the last step, one for each group."""
        return self._last_lr

    def get_lr(self) -> Rates:
        """Computes the rates of ``self.last_epoch``; `get_last_lr` tells the current ones."""
        raise NotImplementedError

    def step(self, epoch: int | None = None) -> None:
        """Goes on to the next epoch; to be called after the optimiser's ``step``.

        Args:
            epoch: deprecated: the epoch to go to.
        """
        if self._step_count == 1:
            self._check_order()
        self._step_count += 1
        if epoch is not None:
            warnings.warn(_EPOCH_WARNING, UserWarning, stacklevel=2)
        self._update_lr(epoch)

    def _check_order(self) -> None:
        if not hasattr(self.optimizer.step, "_wrapped_by_lr_sched"):
            warnings.warn(
                "Seems like `optimizer.step()` has been overridden after learning rate scheduler "
                "initialization. Please, make sure to call `optimizer.step()` before "
                f"`lr_scheduler.step()`. See more details at {_ORDER}",
                UserWarning,
                stacklevel=3,
            )
        elif not getattr(self.optimizer, "_opt_called", False):
            warnings.warn(
                "Detected call of `lr_scheduler.step()` before `optimizer.step()`. In PyTorch "
                "1.1.0 and later, you should call them in the opposite order: `optimizer.step()` "
                "before `lr_scheduler.step()`.  Failure to do this will result in PyTorch "
                "skipping the first value of the learning rate schedule. See more details at "
                f"{_ORDER}",
                UserWarning,
                stacklevel=3,
            )

    def _update_lr(self, epoch: int | None = None) -> None:
        with _Flag(self, "_get_lr_called_within_step"):
            self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
            closed_form = getattr(self, "_get_closed_form_lr", None)
            rates = self.get_lr() if epoch is None or closed_form is None else closed_form()
        self._write_rates(rates)

    def _write_rates(self, rates: Rates) -> None:
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            _write(group, rate)
        self._last_lr = _values(self.optimizer, "lr")

    def _warn_outside_step(self) -> None:
        if not self._get_lr_called_within_step:
            warnings.warn(
                "To get the last learning rate computed by the scheduler, please use "
                "`get_last_lr()`.",
                UserWarning,
                stacklevel=3,
            )


def _save_function(function: Any) -> dict[str, Any] | None:
    """What a state dict has of a callable: the attributes of an object, nothing of a function."""
    return None if type(function) is type(_save_function) else function.__dict__.copy()
