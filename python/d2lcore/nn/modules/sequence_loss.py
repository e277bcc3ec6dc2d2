"""Losses with parts of their own: of label sequences, and of a linear layer's classes."""

from __future__ import annotations

import math

from d2lcore import Tensor
from d2lcore.nn import functional as F
from d2lcore.nn.modules.linear import Linear
from d2lcore.nn.modules.loss import _Loss, _WeightedLoss

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class LinearCrossEntropyLoss(_WeightedLoss):
    """A linear layer and the cross entropy of its outputs.

    Args:
        in_features: width of the input.
        num_classes: number of classes C.
        out_features: further dimensions of the logits, (N, C, d...).
        bias: whether the linear layer has a bias.
        device, dtype: of the layer's parameters.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        weight: a factor for each class.
        ignore_index: targets of this value do not count.
        label_smoothing: how much of each target is spread over all classes.
        options: see ``nn.functional.linear_cross_entropy``.

    Example::

        >>> loss = torch.nn.LinearCrossEntropyLoss(3, 4)
        >>> loss(torch.zeros(2, 3), torch.tensor([0, 3])).detach()
        tensor(1.3863)
    """

    def __init__(
        self,
        in_features: int,
        num_classes: int,
        *,
        out_features: tuple[int, ...] = (),
        bias: bool = False,
        device: Any = None,
        dtype: Any = None,
        reduction: str = "mean",
        weight: Tensor | None = None,
        ignore_index: int | None = None,
        label_smoothing: float = 0.0,
        options: Any = None,
    ) -> None:
        if weight is not None and weight.shape != (num_classes,):
            raise RuntimeError(
                f"expected weight shape to be {(num_classes,)}, got {tuple(weight.shape)}"
            )
        if label_smoothing < 0 or label_smoothing > 1.0:
            raise RuntimeError(
                f"expected label_smoothing to be in range [0, 1], got {label_smoothing}"
            )
        super().__init__(weight, None, None, reduction)
        self.num_classes = num_classes
        self.out_features = out_features
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing
        width = math.prod(out_features, start=num_classes)
        self.linear = Linear(in_features, width, bias=bias, device=device, dtype=dtype)
        self.options = options

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Returns the loss."""
        shape = (self.num_classes, *self.out_features)
        bias = self.linear.bias
        return F.linear_cross_entropy(
            input,
            self.linear.weight.reshape((*shape, self.linear.in_features)),
            target,
            linear_bias=None if bias is None else bias.reshape(shape),
            weight=self.weight,
            reduction=self.reduction,
            ignore_index=self.ignore_index,
            label_smoothing=self.label_smoothing,
            options=self.options,
        )

    def extra_repr(self) -> str:
        return (
            f"in_features={self.linear.in_features}, num_classes={self.num_classes}, "
            f"out_features={self.out_features}, bias={self.linear.bias is not None}, "
            f"reduction={self.reduction}, ignore_index={self.ignore_index}, "
            f"label_smoothing={self.label_smoothing}, options={self.options}"
        )


class CTCLoss(_Loss):
    """The negative log likelihood of label sequences, summed over their alignments.

    Source: Graves et al., *Connectionist Temporal Classification*, ICML 2006.

    Args:
        blank: the class that stands for no label.
        reduction: ``"mean"`` (of losses divided by target lengths), ``"sum"`` or ``"none"``.
        zero_infinity: infinite losses, of targets that do not fit, become zero.

    Example::

        >>> log_p = torch.zeros(3, 1, 2).log_softmax(2)
        >>> torch.nn.CTCLoss()(log_p, torch.tensor([[1]]), torch.tensor([3]), torch.tensor([1]))
        tensor(0.2877)
    """

    def __init__(
        self, blank: int = 0, reduction: str = "mean", zero_infinity: bool = False
    ) -> None:
        super().__init__(reduction=reduction)
        self.blank = blank
        self.zero_infinity = zero_infinity

    def forward(
        self, log_probs: Tensor, targets: Tensor, input_lengths: Any, target_lengths: Any
    ) -> Tensor:
        """Returns the loss; shapes are those of ``nn.functional.ctc_loss``."""
        return F.ctc_loss(
            log_probs,
            targets,
            input_lengths,
            target_lengths,
            self.blank,
            self.reduction,
            self.zero_infinity,
        )
