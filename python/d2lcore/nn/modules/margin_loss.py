"""More losses as modules: margins, distances, likelihoods. See `loss` for what they share."""

from __future__ import annotations

from d2lcore import Tensor
from d2lcore.nn import functional as F
from d2lcore.nn.modules.loss import _Loss, _WeightedLoss

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class SmoothL1Loss(_Loss):
    """``d ** 2 / (2 * beta)`` where ``d = |input - target| < beta``, else ``d - beta / 2``.

    Args:
        beta: where the two pieces meet.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Example::

        >>> torch.nn.SmoothL1Loss()(torch.zeros(2), torch.tensor([1.0, 3.0]))
        tensor(1.5000)
    """

    beta: float

    def __init__(
        self,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        beta: float = 1.0,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.beta = beta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Returns the loss of the same name in ``nn.functional``."""
        return F.smooth_l1_loss(input, target, reduction=self.reduction, beta=self.beta)


class HuberLoss(_Loss):
    """``d ** 2 / 2`` where ``d = |input - target| <= delta``, else ``delta * (d - delta / 2)``.

    Args:
        delta: where the two pieces meet.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Example::

        >>> torch.nn.HuberLoss()(torch.zeros(2), torch.tensor([1.0, 3.0]))
        tensor(1.5000)
    """

    delta: float

    def __init__(
        self,
        reduction: str = "mean",
        delta: float = 1.0,
    ) -> None:
        super().__init__(reduction=reduction)
        self.delta = delta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Returns the loss of the same name in ``nn.functional``."""
        return F.huber_loss(input, target, reduction=self.reduction, delta=self.delta)


class KLDivLoss(_Loss):
    """``target * (log(target) - input)`` for log-probabilities ``input``.

    Args:
        log_target: whether the targets are logarithms too.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Example::

        >>> torch.nn.KLDivLoss(reduction="sum")(torch.zeros(2), torch.ones(2))
        tensor(0.)
    """

    log_target: bool

    def __init__(
        self,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        log_target: bool = False,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.log_target = log_target

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Returns the loss of the same name in ``nn.functional``."""
        return F.kl_div(input, target, reduction=self.reduction, log_target=self.log_target)


class SoftMarginLoss(_Loss):
    """``log(1 + exp(-target * input))``, targets 1 or -1.

    Example::

        >>> torch.nn.SoftMarginLoss()(torch.zeros(2), torch.ones(2))
        tensor(0.6931)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Returns the loss of the same name in ``nn.functional``."""
        return F.soft_margin_loss(input, target, reduction=self.reduction)


class MarginRankingLoss(_Loss):
    """``max(0, -target * (input1 - input2) + margin)``, targets 1 or -1.

    Args:
        margin: how far apart they should be.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Example::

        >>> one = torch.ones(1)
        >>> torch.nn.MarginRankingLoss()(one, 2 * one, one)
        tensor(1.)
    """

    margin: float

    def __init__(
        self,
        margin: float = 0.0,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.margin = margin

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Tensor:
        """Returns the loss of the same name in ``nn.functional``."""
        return F.margin_ranking_loss(input1, input2, target, self.margin, reduction=self.reduction)


class HingeEmbeddingLoss(_Loss):
    """``input`` where the target is 1, ``max(0, margin - input)`` where it is -1.

    Args:
        margin: how far apart they should be.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Example::

        >>> torch.nn.HingeEmbeddingLoss()(torch.zeros(2), torch.tensor([1, -1]))
        tensor(0.5000)
    """

    margin: float

    def __init__(
        self,
        margin: float = 1.0,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.margin = margin

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Returns the loss of the same name in ``nn.functional``."""
        return F.hinge_embedding_loss(input, target, self.margin, reduction=self.reduction)


class MultiLabelMarginLoss(_Loss):
    """``sum of max(0, 1 - (x[y] - x[j])) / C`` over true classes y and other classes j.

    Example::

        >>> x, y = torch.tensor([0.1, 0.2, 0.4, 0.8]), torch.tensor([3, 0, -1, 1])
        >>> torch.nn.MultiLabelMarginLoss()(x, y)
        tensor(0.8500)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Returns the loss of the same name in ``nn.functional``."""
        return F.multilabel_margin_loss(input, target, reduction=self.reduction)


class MultiLabelSoftMarginLoss(_WeightedLoss):
    """Binary cross entropy of each class's logit, averaged over the classes.

    Args:
        weight: a factor for each class.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Example::

        >>> torch.nn.MultiLabelSoftMarginLoss()(torch.zeros(1, 3), torch.ones(1, 3))
        tensor(0.6931)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Returns the loss of the same name in ``nn.functional``."""
        return F.multilabel_soft_margin_loss(
            input, target, weight=self.weight, reduction=self.reduction
        )


class MultiMarginLoss(_WeightedLoss):
    """``sum over j != y of max(0, margin - x[y] + x[j]) ** p / C`` for the true class y.

    Args:
        weight: a factor for each class.
        p: 1 or 2.
        margin: how far apart the scores should be.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Example::

        >>> torch.nn.MultiMarginLoss()(torch.zeros(1, 4), torch.tensor([1]))
        tensor(0.7500)
    """

    p: int
    margin: float

    def __init__(
        self,
        p: int = 1,
        margin: float = 1.0,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        if p not in (1, 2):
            raise ValueError("only p == 1 and p == 2 supported")
        if weight is not None and weight.dim() != 1:
            raise AssertionError("weight must be None or 1-dimensional")
        super().__init__(weight, size_average, reduce, reduction)
        self.p = p
        self.margin = margin

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Returns the loss of the same name in ``nn.functional``."""
        return F.multi_margin_loss(
            input,
            target,
            p=self.p,
            margin=self.margin,
            weight=self.weight,
            reduction=self.reduction,
        )


class CosineEmbeddingLoss(_Loss):
    """``1 - cos(input1, input2)`` for target 1, ``max(0, cos - margin)`` for -1.

    Args:
        margin: the cosine below which others are far enough apart.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Example::

        >>> x = torch.tensor([[1.0, 0.0]])
        >>> torch.nn.CosineEmbeddingLoss()(x, x.flip(1), torch.tensor([1]))
        tensor(1.)
    """

    margin: float

    def __init__(
        self,
        margin: float = 0.0,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.margin = margin

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Tensor:
        """Returns the loss of the same name in ``nn.functional``."""
        return F.cosine_embedding_loss(
            input1, input2, target, self.margin, reduction=self.reduction
        )


class PoissonNLLLoss(_Loss):
    """Negative log likelihood of a Poisson law.

    Args:
        log_input: whether the input is the logarithm of the rate.
        full: whether Stirling's approximation of ``log(t!)`` is added.
        eps: added to a rate before its logarithm.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Example::

        >>> torch.nn.PoissonNLLLoss()(torch.zeros(2), torch.ones(2))
        tensor(1.)
    """

    log_input: bool
    full: bool
    eps: float

    def __init__(
        self,
        log_input: bool = True,
        full: bool = False,
        size_average: bool | None = None,
        eps: float = 1e-8,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.log_input = log_input
        self.full = full
        self.eps = eps

    def forward(self, log_input: Tensor, target: Tensor) -> Tensor:
        """Returns the loss of the same name in ``nn.functional``."""
        return F.poisson_nll_loss(
            log_input,
            target,
            log_input=self.log_input,
            full=self.full,
            eps=self.eps,
            reduction=self.reduction,
        )


class GaussianNLLLoss(_Loss):
    """Negative log likelihood of a normal law with mean ``input`` and variance ``var``.

    Args:
        full: whether ``log(2 * pi) / 2`` is added.
        eps: the least variance.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Example::

        >>> torch.nn.GaussianNLLLoss()(torch.zeros(2), torch.ones(2), torch.ones(2))
        tensor(0.5000)
    """

    full: bool
    eps: float

    def __init__(
        self,
        *,
        full: bool = False,
        eps: float = 1e-6,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction=reduction)
        self.full = full
        self.eps = eps

    def forward(self, input: Tensor, target: Tensor, var: Tensor | float) -> Tensor:
        """Returns the loss of the same name in ``nn.functional``."""
        return F.gaussian_nll_loss(
            input, target, var, full=self.full, eps=self.eps, reduction=self.reduction
        )


class TripletMarginLoss(_Loss):
    """``max(0, margin + d(anchor, positive) - d(anchor, negative))``.

    Args:
        margin: how much nearer the positive should be.
        p: order of the norm.
        eps: keeps gradients finite at distance 0.
        swap: takes d(positive, negative) where it is less.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Example::

        >>> x = torch.zeros(1, 2)
        >>> torch.nn.TripletMarginLoss()(x, x, x)
        tensor(1.)
    """

    margin: float
    p: float
    eps: float
    swap: bool

    def __init__(
        self,
        margin: float = 1.0,
        p: float = 2.0,
        eps: float = 1e-6,
        swap: bool = False,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        if margin <= 0:
            raise ValueError(
                f"TripletMarginLoss: expected margin to be greater than 0, got {margin} instead"
            )
        super().__init__(size_average, reduce, reduction)
        self.margin = margin
        self.p = p
        self.eps = eps
        self.swap = swap

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        """Returns the loss of the same name in ``nn.functional``."""
        return F.triplet_margin_loss(
            anchor,
            positive,
            negative,
            margin=self.margin,
            p=self.p,
            eps=self.eps,
            swap=self.swap,
            reduction=self.reduction,
        )


class TripletMarginWithDistanceLoss(_Loss):
    """`TripletMarginLoss` with a distance of the caller's.

    Args:
        distance_function: the distance (default: pairwise_distance).
        margin: how much nearer the positive should be.
        swap: takes d(positive, negative) where it is less.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Example::

        >>> x = torch.zeros(1, 2)
        >>> torch.nn.TripletMarginWithDistanceLoss()(x, x, x)
        tensor(1.)
    """

    distance_function: Callable[[Tensor, Tensor], Tensor] | None
    margin: float
    swap: bool

    def __init__(
        self,
        *,
        distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
        margin: float = 1.0,
        swap: bool = False,
        reduction: str = "mean",
    ) -> None:
        if margin <= 0:
            raise ValueError(
                "TripletMarginWithDistanceLoss: expected margin to be greater than 0, "
                f"got {margin} instead"
            )
        super().__init__(reduction=reduction)
        self.distance_function = (
            F.pairwise_distance if distance_function is None else distance_function
        )
        self.margin = margin
        self.swap = swap

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        """Returns the loss of the same name in ``nn.functional``."""
        return F.triplet_margin_with_distance_loss(
            anchor,
            positive,
            negative,
            distance_function=self.distance_function,
            margin=self.margin,
            swap=self.swap,
            reduction=self.reduction,
        )
