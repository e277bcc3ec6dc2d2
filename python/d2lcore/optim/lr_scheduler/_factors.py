"""Schedules that multiply the rates by a factor in each epoch.

The one idea: ``_factor()`` is what the rates of ``self.last_epoch`` are multiplied by, or None
where they stay.  Where PyTorch has a formula for any epoch, ``_get_closed_form_lr`` is it.
"""

from __future__ import annotations

import bisect
import math
from collections import Counter

from d2lcore.optim.lr_scheduler._base import LRScheduler, _save_function, _values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from d2lcore.optim.lr_scheduler._base import Rates
    from d2lcore.optim.optimizer import Optimizer

    Function = Callable[[int], float]


class _Factor(LRScheduler):
    def _factor(self) -> float | None:
        raise NotImplementedError

    def get_lr(self) -> Rates:
        """Multiplies the groups' rates by this epoch's factor."""
        self._warn_outside_step()
        factor = self._factor()
        if factor is None:
            return _values(self.optimizer, "lr")
        return [group["lr"] * factor for group in self.optimizer.param_groups]


class StepLR(_Factor):
    """Multiplies the rates by ``gamma`` every ``step_size`` epochs.

    Args:
        optimizer, last_epoch: see `LRScheduler`.
        step_size: see above.
        gamma: see above (default 0.1).

    Example::

        >>> optimizer = torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=1.0)
        >>> scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 2, gamma=0.5)
        >>> rates = []
        >>> for epoch in range(5):
        ...     rates += scheduler.get_last_lr()
        ...     optimizer.step()
        ...     scheduler.step()
        >>> rates
        [1.0, 1.0, 0.5, 0.5, 0.25]
    """

    def __init__(
        self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        self.step_size = step_size
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def _factor(self) -> float | None:
        stays = self.last_epoch == 0 or self.last_epoch % self.step_size != 0
        return None if stays else self.gamma

    def _get_closed_form_lr(self) -> Rates:
        times = self.last_epoch // self.step_size
        return [base_lr * self.gamma**times for base_lr in self.base_lrs]


class MultiStepLR(_Factor):
    """Multiplies the rates by ``gamma`` in each of the epochs ``milestones``.

    Args:
        optimizer, last_epoch: see `LRScheduler`.
        milestones: numbers of epochs; twice the same counts twice.
        gamma: see above (default 0.1).
    """

    def __init__(
        self,
        optimizer: Optimizer,
        milestones: Iterable[int],
        gamma: float = 0.1,
        last_epoch: int = -1,
    ) -> None:
        self.milestones = Counter(milestones)
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def _factor(self) -> float | None:
        times = self.milestones.get(self.last_epoch, 0)
        return self.gamma**times if times else None

    def _get_closed_form_lr(self) -> Rates:
        times = bisect.bisect_right(sorted(self.milestones.elements()), self.last_epoch)
        return [base_lr * self.gamma**times for base_lr in self.base_lrs]


class ConstantLR(_Factor):
    """Multiplies the rates by ``factor`` until epoch ``total_iters``.

    Args:
        optimizer, last_epoch: see `LRScheduler`.
        factor: between 0 and 1 (default 1/3).
        total_iters: see above (default 5).

    Raises:
        ValueError: ``factor`` lies outside of [0, 1].
    """

    def __init__(
        self,
        optimizer: Optimizer,
        factor: float = 1.0 / 3,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        if factor > 1.0 or factor < 0:
            raise ValueError("Constant multiplicative factor expected to be between 0 and 1.")
        self.factor = factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def _factor(self) -> float | None:
        if self.last_epoch == 0:
            return self.factor
        return 1.0 / self.factor if self.last_epoch == self.total_iters else None

    def _get_closed_form_lr(self) -> Rates:
        factor = self.factor + (self.last_epoch >= self.total_iters) * (1 - self.factor)
        return [base_lr * factor for base_lr in self.base_lrs]


class LinearLR(_Factor):
    """Brings the factor of the rates from ``start_factor`` to ``end_factor`` in a straight line.

    Args:
        optimizer, last_epoch: see `LRScheduler`.
        start_factor: in (0, 1] (default 1/3).
        end_factor: in [0, 1] (default 1).
        total_iters: how many epochs it takes (default 5).

    Raises:
        ValueError: a factor lies outside of its range.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1.0 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        if start_factor > 1.0 or start_factor <= 0:
            raise ValueError(
                "Starting multiplicative factor expected to be greater than 0 and less or equal "
                "to 1."
            )
        if end_factor > 1.0 or end_factor < 0:
            raise ValueError("Ending multiplicative factor expected to be between 0 and 1.")
        self.start_factor = start_factor
        self.end_factor = end_factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def _factor(self) -> float | None:
        if self.last_epoch == 0:
            return self.start_factor
        if self._is_initial or self.last_epoch > self.total_iters:
            return None
        rise = self.end_factor - self.start_factor
        return 1.0 + rise / (self.total_iters * self.start_factor + (self.last_epoch - 1) * rise)

    def _get_closed_form_lr(self) -> Rates:
        rise = (self.end_factor - self.start_factor) * min(self.total_iters, self.last_epoch)
        return [
            base_lr * (self.start_factor + rise / self.total_iters) for base_lr in self.base_lrs
        ]


class ExponentialLR(_Factor):
    """Multiplies the rates by ``gamma`` in every epoch.

    Args:
        optimizer, last_epoch: see `LRScheduler`.
        gamma: see above.
    """

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def _factor(self) -> float | None:
        return None if self._is_initial else self.gamma

    def _get_closed_form_lr(self) -> Rates:
        return [base_lr * self.gamma**self.last_epoch for base_lr in self.base_lrs]


class PolynomialLR(_Factor):
    """Lets the rates fall as ``(1 - epoch / total_iters) ** power``, to 0.

    Args:
        optimizer, last_epoch: see `LRScheduler`.
        total_iters: see above (default 5).
        power: see above (default 1).
    """

    def __init__(
        self, optimizer: Optimizer, total_iters: int = 5, power: float = 1.0, last_epoch: int = -1
    ) -> None:
        self.total_iters = total_iters
        self.power = power
        super().__init__(optimizer, last_epoch)

    def _factor(self) -> float | None:
        if self._is_initial or self.last_epoch > self.total_iters:
            return None
        left = 1.0 - self.last_epoch / self.total_iters
        before = 1.0 - (self.last_epoch - 1) / self.total_iters
        return float((left / before) ** self.power)

    def _get_closed_form_lr(self) -> Rates:
        left = 1.0 - min(self.total_iters, self.last_epoch) / self.total_iters
        return [base_lr * left**self.power for base_lr in self.base_lrs]


class CosineAnnealingLR(LRScheduler):
    """Lets the rates fall to ``eta_min`` along half a cosine, and rise again.

    ``eta_min + (initial - eta_min) * (1 + cos(pi * epoch / T_max)) / 2``, written as a step from
    the rate before, so that it goes on from what other schedules make of it.
    Source: Loshchilov and Hutter, *SGDR: stochastic gradient descent with warm restarts*,
    arXiv:1608.03983, without the restarts.

    Args:
        optimizer, last_epoch: see `LRScheduler`.
        T_max: epochs from the top to the bottom.
        eta_min: see above (default 0).
    """

    def __init__(
        self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        self.T_max = T_max
        self.eta_min = eta_min
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> Rates:
        """Moves the groups' rates along the cosine."""
        self._warn_outside_step()
        if self._is_initial:
            return _values(self.optimizer, "lr")
        if self._step_count == 1 and self.last_epoch > 0:
            return self._get_closed_form_lr()
        low, groups = self.eta_min, self.optimizer.param_groups
        if (self.last_epoch - 1 - self.T_max) % (2 * self.T_max) == 0:  # the ratio would be 0 / 0
            rise = (1 - math.cos(math.pi / self.T_max)) / 2
            return [
                group["lr"] + (base_lr - low) * rise
                for base_lr, group in zip(self.base_lrs, groups, strict=True)
            ]
        now, before = (
            1 + math.cos(math.pi * epoch / self.T_max)
            for epoch in (self.last_epoch, self.last_epoch - 1)
        )
        return [now / before * (group["lr"] - low) + low for group in groups]

    def _get_closed_form_lr(self) -> Rates:
        height = 1 + math.cos(math.pi * self.last_epoch / self.T_max)
        low = self.eta_min
        return [low + (base_lr - low) * height / 2 for base_lr in self.base_lrs]


class _WithFunctions(LRScheduler):
    """Takes one function of the epoch, or one for each group.

    A state dict holds the attributes of callable objects; functions are left out of it.
    """

    def __init__(
        self, optimizer: Optimizer, lr_lambda: Function | list[Function], last_epoch: int = -1
    ) -> None:
        self.optimizer = optimizer
        groups = len(optimizer.param_groups)
        if not isinstance(lr_lambda, (list, tuple)):
            lr_lambda = [lr_lambda] * groups
        if len(lr_lambda) != groups:
            raise ValueError(f"Expected {groups} lr_lambdas, but got {len(lr_lambda)}")
        self.lr_lambdas = list(lr_lambda)
        self._check_functions()
        super().__init__(optimizer, last_epoch)

    def _check_functions(self) -> None:
        pass

    def state_dict(self) -> dict[str, Any]:
        """Returns everything but the optimiser; of functions only what objects hold."""
        state = super().state_dict()
        del state["lr_lambdas"]
        state["lr_lambdas"] = [_save_function(function) for function in self.lr_lambdas]
        return state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes over what `state_dict` returned; functions stay."""
        rest = {key: value for key, value in state_dict.items() if key != "lr_lambdas"}
        super().load_state_dict(rest)
        for function, attributes in zip(self.lr_lambdas, state_dict["lr_lambdas"], strict=True):
            if attributes is not None:
                function.__dict__.update(attributes)


class LambdaLR(_WithFunctions):
    """Sets the rates to the initial ones times a function of the epoch.

    Args:
        optimizer, last_epoch: see `LRScheduler`.
        lr_lambda: the function, or a list of one for each group.

    Raises:
        ValueError: the list is not as long as there are groups.

    Example::

        >>> optimizer = torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=1.0)
        >>> scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda epoch: 0.5**epoch)
        >>> optimizer.step()
        >>> scheduler.step()
        >>> scheduler.get_last_lr()
        [0.5]
    """

    def get_lr(self) -> Rates:
        """Multiplies the initial rates by the function's value for this epoch."""
        self._warn_outside_step()
        return [
            base_lr * function(self.last_epoch)
            for function, base_lr in zip(self.lr_lambdas, self.base_lrs, strict=True)
        ]


class MultiplicativeLR(_WithFunctions):
    """Multiplies the rates in every epoch by a function of it.

    Args:
        optimizer, last_epoch: see `LRScheduler`.
        lr_lambda: the function, or a list of one for each group.

    Raises:
        ValueError: the list is not as long as there are groups.
        TypeError: one is not callable.
    """

    def _check_functions(self) -> None:
        for function in self.lr_lambdas:
            if not callable(function):
                raise TypeError(
                    f"lr_lambda should be a function, but got {type(function).__name__}"
                )

    def get_lr(self) -> Rates:
        """Multiplies the groups' rates by the function's value for this epoch."""
        self._warn_outside_step()
        if self._is_initial:
            return _values(self.optimizer, "lr")
        return [
            group["lr"] * function(self.last_epoch)
            for function, group in zip(self.lr_lambdas, self.optimizer.param_groups, strict=True)
        ]
