"""`torch.optim.swa_utils`: averages of a model's weights along its training.

Source: Izmailov et al., *Averaging weights leads to wider optima and better generalization*,
arXiv:1803.05407.
"""

from __future__ import annotations

import copy
import itertools
import math

import d2lcore
from d2lcore import Tensor, nn
from d2lcore.optim.lr_scheduler._base import LRScheduler, _per_group

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from d2lcore.optim.lr_scheduler._base import Rates
    from d2lcore.optim.optimizer import Optimizer

    Average = Callable[[Tensor, Tensor, Tensor | int], Tensor]
    Averages = Callable[[list[Tensor], list[Tensor], Tensor | int], None]

__all__ = [
    "AveragedModel",
    "SWALR",
    "get_ema_avg_fn",
    "get_ema_multi_avg_fn",
    "get_swa_avg_fn",
    "get_swa_multi_avg_fn",
    "update_bn",
]


def _check_decay(decay: float) -> None:
    if decay < 0.0 or decay > 1.0:
        raise ValueError(
            f"Invalid decay value {decay} provided. Please provide a value in [0,1] range."
        )


def get_ema_avg_fn(decay: float = 0.999) -> Average:
    """Returns the exponential mean ``decay * average + (1 - decay) * current`` as a function.

    Raises:
        ValueError: ``decay`` lies outside of [0, 1].
    """
    _check_decay(decay)

    @d2lcore.no_grad()
    def update(average: Tensor, current: Tensor, count: Tensor | int) -> Tensor:
        return decay * average + (1 - decay) * current

    return update


def get_swa_avg_fn() -> Average:
    """Returns the running mean ``average + (current - average) / (count + 1)`` as a function."""

    @d2lcore.no_grad()
    def update(average: Tensor, current: Tensor, count: Tensor | int) -> Tensor:
        return average + (current - average) / (count + 1)

    return update


def get_ema_multi_avg_fn(decay: float = 0.999) -> Averages:
    """Returns `get_ema_avg_fn` for lists of tensors, in place.

    Raises:
        ValueError: ``decay`` lies outside of [0, 1].
    """
    return _for_lists(get_ema_avg_fn(decay), lambda count: 1 - decay)


def get_swa_multi_avg_fn() -> Averages:
    """Returns `get_swa_avg_fn` for lists of tensors, in place."""
    return _for_lists(get_swa_avg_fn(), lambda count: 1 / (int(count) + 1))


def _for_lists(function: Average, weight: Callable[[Tensor | int], float]) -> Averages:
    @d2lcore.no_grad()
    def update(averages: list[Tensor], currents: list[Tensor], count: Tensor | int) -> None:
        share = weight(count)
        for average, current in zip(averages, currents, strict=True):
            if average.is_floating_point() or average.is_complex():
                average.lerp_(current, share)
            else:
                average.copy_(function(average, current, count))

    return update


class AveragedModel(nn.Module):
    """A copy of a model whose parameters are means of that model's, taken now and then.

    Args:
        model: what is copied.
        device: where the copy shall be.
        avg_fn: ``(average, current, count) -> new average`` for one parameter.
        multi_avg_fn: the same for lists, in place (default: the running mean).
        use_buffers: average the buffers too; else they are copied.

    Raises:
        AssertionError: both functions are given.

    Example::

        >>> model = nn.Linear(1, 1, bias=False)
        >>> average = torch.optim.swa_utils.AveragedModel(model)
        >>> for value in (1.0, 2.0, 6.0):
        ...     _ = nn.init.constant_(model.weight, value)
        ...     average.update_parameters(model)
        >>> average(torch.ones(1)).item()
        3.0
    """

    n_averaged: Tensor

    def __init__(
        self,
        model: nn.Module,
        device: Any = None,
        avg_fn: Average | None = None,
        multi_avg_fn: Averages | None = None,
        use_buffers: bool = False,
    ) -> None:
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise AssertionError("Only one of avg_fn and multi_avg_fn should be provided")
        self.module = copy.deepcopy(model)
        if device is not None:
            self.module = self.module.to(device)
        self.register_buffer("n_averaged", d2lcore.tensor(0, dtype=d2lcore.int64))
        self.avg_fn = avg_fn
        self.multi_avg_fn = multi_avg_fn
        self.use_buffers = use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Calls the averaged model."""
        return self.module(*args, **kwargs)

    def update_parameters(self, model: nn.Module) -> None:
        """Takes the present parameters of the model into the means."""
        own, new = self._averaged_tensors(self.module), self._averaged_tensors(model)
        if self.n_averaged == 0:
            for average, current in zip(own, new, strict=True):
                average.copy_(current)
        elif self.avg_fn is None:
            update = self.multi_avg_fn or get_swa_multi_avg_fn()
            for dtype in dict.fromkeys(average.dtype for average in own):
                pairs = [pair for pair in zip(own, new, strict=True) if pair[0].dtype == dtype]
                update([a for a, _ in pairs], [c for _, c in pairs], self.n_averaged)
        else:
            for average, current in zip(own, new, strict=True):
                average.copy_(self.avg_fn(average, current, self.n_averaged))
        if not self.use_buffers:
            for kept, buffer in zip(self.module.buffers(), model.buffers(), strict=True):
                kept.detach().copy_(buffer.detach())
        self.n_averaged += 1

    def _averaged_tensors(self, model: nn.Module) -> list[Tensor]:
        buffers = model.buffers() if self.use_buffers else ()
        return [tensor.detach() for tensor in itertools.chain(model.parameters(), buffers)]


@d2lcore.no_grad()
def update_bn(loader: Iterable[Any], model: nn.Module, device: Any = None) -> None:
    """Computes the running statistics of all batch normalisations anew, over a data set.

    Args:
        loader: gives batches, or lists or tuples that begin with one.
        model: what is called with them, in training mode.
        device: where the batches shall be.
    """
    layers = [m for m in model.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    if not layers:
        return
    momenta = [layer.momentum for layer in layers]
    was_training = model.training
    model.train()
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None  # a plain mean over all batches
    for batch in loader:
        inputs = batch[0] if isinstance(batch, (list, tuple)) else batch
        model(inputs if device is None else inputs.to(device))
    for layer, momentum in zip(layers, momenta, strict=True):
        layer.momentum = momentum
    model.train(was_training)


class SWALR(LRScheduler):
    """Brings the rates to ``swa_lr`` and keeps them there, while weights are averaged.

    Args:
        optimizer, last_epoch: see `LRScheduler`.
        swa_lr: a number, or a list of one for each group.
        anneal_epochs: how many epochs it takes (default 10).
        anneal_strategy: ``"cos"`` or ``"linear"`` (default ``"cos"``).

    Raises:
        ValueError: another strategy, a negative number of epochs, or a list of another length.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        swa_lr: float | list[float],
        anneal_epochs: int = 10,
        anneal_strategy: str = "cos",
        last_epoch: int = -1,
    ) -> None:
        rates = _per_group("swa_lr", optimizer, swa_lr)
        for rate, group in zip(rates, optimizer.param_groups, strict=True):
            group["swa_lr"] = rate
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(
                f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}"
            )
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ValueError(f"anneal_epochs must be equal or greater than 0, got {anneal_epochs}")
        self._anneal_strategy = anneal_strategy
        self.anneal_epochs = anneal_epochs
        super().__init__(optimizer, last_epoch)

    def _share(self, step: int) -> float:
        """How much of the way is done after a step, from 0 to 1."""
        t = max(0.0, min(1.0, step / max(1, self.anneal_epochs)))
        return t if self._anneal_strategy == "linear" else (1 - math.cos(math.pi * t)) / 2

    def get_lr(self) -> Rates:
        """The rates of this step, found from those of the step before."""
        self._warn_outside_step()
        step = self._step_count - 1
        if self.anneal_epochs == 0:
            step = max(1, step)
        before, now = self._share(step - 1), self._share(step)
        rates = []
        for group in self.optimizer.param_groups:
            goal = group["swa_lr"]
            start = goal if before == 1 else (group["lr"] - before * goal) / (1 - before)
            rates.append(goal * now + start * (1 - now))
        return rates
