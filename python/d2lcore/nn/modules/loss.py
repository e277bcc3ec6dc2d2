"""Losses as modules: each keeps its options and calls the function of the same name."""

from __future__ import annotations

from d2lcore import Tensor
from d2lcore.nn import functional as F
from d2lcore.nn.modules.module import Module


def _reduction(size_average: bool | None, reduce: bool | None, reduction: str) -> str:
    """Translates the two arguments that ``reduction`` replaced in PyTorch 1.0."""
    if size_average is None and reduce is None:
        return reduction
    import warnings

    chosen = "none" if reduce is False else "sum" if size_average is False else "mean"
    warnings.warn(
        "size_average and reduce args will be deprecated, please use "
        f"reduction='{chosen}' instead.",
        stacklevel=4,
    )
    return chosen


class _Loss(Module):
    """What all losses share: ``reduction``, one of ``"mean"``, ``"sum"`` and ``"none"``."""

    reduction: str

    def __init__(
        self,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__()
        self.reduction = _reduction(size_average, reduce, reduction)


class _WeightedLoss(_Loss):
    """A loss with a weight per class, kept as a buffer."""

    weight: Tensor | None

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)


class L1Loss(_Loss):
    """The mean (or sum, or each) of ``|input - target|``; both of the same shape.

    Example::

        >>> torch.nn.L1Loss()(torch.zeros(2), torch.tensor([1.0, 3.0]))
        tensor(2.)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Returns ``l1_loss(input, target)``."""
        return F.l1_loss(input, target, reduction=self.reduction)


class MSELoss(_Loss):
    """The mean (or sum, or each) of ``(input - target) ** 2``; both of the same shape.

    Example::

        >>> torch.nn.MSELoss()(torch.zeros(2), torch.tensor([1.0, 3.0]))
        tensor(5.)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Returns ``mse_loss(input, target)``."""
        return F.mse_loss(input, target, reduction=self.reduction)


class NLLLoss(_WeightedLoss):
    """Negative log likelihood of the true classes.

    Args:
        weight: ``(C,)``, a factor for each class.
        ignore_index: targets of this value do not count (default -100).
        reduction: ``"mean"`` (weighted), ``"sum"`` or ``"none"``.

    Shapes: input ``(N, C, ...)`` or ``(C,)`` log-probabilities, target ``(N, ...)`` or ``()``
    class indices (int64).

    Example::

        >>> log_p = torch.tensor([[-0.5, -1.0]])
        >>> torch.nn.NLLLoss()(log_p, torch.tensor([1]))
        tensor(1.)
    """

    ignore_index: int

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        ignore_index: int = -100,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index = ignore_index

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Returns ``nll_loss(input, target)``."""
        return F.nll_loss(
            input,
            target,
            weight=self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
        )


class CrossEntropyLoss(_WeightedLoss):
    """Cross entropy between logits and classes (or class probabilities).

    Args:
        weight: ``(C,)``, a factor for each class.
        ignore_index: targets of this value do not count (default -100).
        reduction: ``"mean"`` (weighted), ``"sum"`` or ``"none"``.
        label_smoothing: 0 to 1, how much of the target is spread over all classes.

    Shapes: input ``(N, C, ...)`` or ``(C,)`` logits; target ``(N, ...)`` or ``()`` class indices
    (int64), or probabilities of the input's shape.

    Example::

        >>> torch.nn.CrossEntropyLoss()(torch.zeros(1, 2), torch.tensor([1]))
        tensor(0.6931)
    """

    ignore_index: int
    label_smoothing: float

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        ignore_index: int = -100,
        reduce: bool | None = None,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Returns ``cross_entropy(input, target)``."""
        return F.cross_entropy(
            input,
            target,
            weight=self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            label_smoothing=self.label_smoothing,
        )


class BCELoss(_WeightedLoss):
    """Binary cross entropy between probabilities and targets, both of the same shape.

    Args:
        weight: a factor for each element, of a shape that broadcasts.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Example::

        >>> torch.nn.BCELoss()(torch.tensor([0.5]), torch.tensor([1.0]))
        tensor(0.6931)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Returns ``binary_cross_entropy(input, target)``."""
        return F.binary_cross_entropy(input, target, weight=self.weight, reduction=self.reduction)


class BCEWithLogitsLoss(_Loss):
    """Binary cross entropy between logits and targets, both of the same shape.

    Args:
        weight: a factor for each element, of a shape that broadcasts.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        pos_weight: a factor for the positive examples of each class.

    Example::

        >>> torch.nn.BCEWithLogitsLoss()(torch.tensor([0.0]), torch.tensor([1.0]))
        tensor(0.6931)
    """

    weight: Tensor | None
    pos_weight: Tensor | None

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        pos_weight: Tensor | None = None,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)
        self.register_buffer("pos_weight", pos_weight)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Returns ``binary_cross_entropy_with_logits(input, target)``."""
        return F.binary_cross_entropy_with_logits(
            input,
            target,
            self.weight,
            pos_weight=self.pos_weight,
            reduction=self.reduction,
        )
