"""Losses that only arrange ops: margins, distances and likelihoods.

``reduction`` is ``"mean"``, ``"sum"`` or ``"none"`` everywhere; ``size_average`` and ``reduce`` are
the arguments that it replaced in PyTorch 1.0.
"""

from __future__ import annotations

import math

from d2lcore import _C

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from d2lcore._C import Tensor


def _mode(size_average: bool | None, reduce: bool | None, reduction: str) -> str:
    if size_average is not None or reduce is not None:
        import warnings

        reduction = "none" if reduce is False else "sum" if size_average is False else "mean"
        warnings.warn(
            "size_average and reduce args will be deprecated, please use "
            f"reduction='{reduction}' instead.",
            stacklevel=3,
        )
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"{reduction} is not a valid value for reduction")
    return reduction


def _reduced(loss: Tensor, mode: str) -> Tensor:
    return loss.mean() if mode == "mean" else loss.sum() if mode == "sum" else loss


def _sizes(*tensors: Tensor) -> list[list[int]]:
    return [list(t.shape) for t in tensors]


def margin_ranking_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``max(0, -target * (input1 - input2) + margin)``, targets 1 or -1.

    >>> import d2lcore as torch
    >>> one = torch.ones(1)
    >>> torch.nn.functional.margin_ranking_loss(one, 2 * one, one)
    tensor(1.)
    """
    mode = _mode(size_average, reduce, reduction)
    if not input1.dim() == input2.dim() == target.dim():
        a, b, c = _sizes(input1, input2, target)
        raise RuntimeError(
            "margin_ranking_loss : All input tensors should have same dimension but got sizes: "
            f"input1: {a}, input2: {b}, target: {c} "
        )
    return _reduced((-target * (input1 - input2) + margin).clamp_min(0), mode)


def hinge_embedding_loss(
    input: Tensor,
    target: Tensor,
    margin: float = 1.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``input`` where the target is 1, ``max(0, margin - input)`` where it is -1.

    >>> import d2lcore as torch
    >>> x = torch.tensor([0.5, 0.25])
    >>> torch.nn.functional.hinge_embedding_loss(x, torch.tensor([1, -1]), reduction="none")
    tensor([0.5000, 0.7500])
    """
    mode = _mode(size_average, reduce, reduction)
    zero = _C.zeros_like(input)
    far = _C.where(target != 1, (margin - input).clamp_min(0), zero)
    return _reduced(far + _C.where(target != -1, input, zero), mode)


def multilabel_soft_margin_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Binary cross entropy of each class's logit, averaged over the classes.

    Args:
        input: (..., C) logits.
        target: (..., C) zeros and ones.
        weight: (C,) or None.

    >>> import d2lcore as torch
    >>> torch.nn.functional.multilabel_soft_margin_loss(torch.zeros(1, 3), torch.ones(1, 3))
    tensor(0.6931)
    """
    mode = _mode(size_average, reduce, reduction)
    yes, no = _C._nn.logsigmoid(input), _C._nn.logsigmoid(-input)
    loss = -(target * yes + (1 - target) * no)
    if weight is not None:
        loss = loss * weight
    return _reduced(loss.sum(-1) / input.size(-1), mode)


def multi_margin_loss(
    input: Tensor,
    target: Tensor,
    p: int = 1,
    margin: float = 1.0,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``sum over j != y of max(0, margin - x[y] + x[j]) ** p / C`` for the true class y.

    Args:
        input: (N, C) or (C,) scores.
        target: (N,) or () class indices.
        p: 1 or 2.
        weight: (C,), a factor for each true class.

    >>> import d2lcore as torch
    >>> torch.nn.functional.multi_margin_loss(torch.zeros(1, 4), torch.tensor([1]))
    tensor(0.7500)
    """
    mode = _mode(size_average, reduce, reduction)
    if p not in (1, 2):
        raise ValueError("only p == 1 and p == 2 supported")
    if weight is not None and weight.dim() != 1:
        raise ValueError("weight must be one-dimensional")
    dims = input.dim()
    if dims > 2 or (input.numel() == 0 and not (dims == 2 and input.size(1) > 0)):
        raise RuntimeError(
            "Expected non-empty vector or matrix with optional 0-dim batch size, but got: "
            f"{list(input.shape)}"
        )
    classes = input.size(-1) if dims else 1
    rows = input.size(0) if dims == 2 else 1
    if target.dim() > 1 or target.numel() != rows:
        raise RuntimeError(
            f"inconsistent target size, expected {rows} but got {list(target.shape)}"
        )
    if weight is not None and weight.numel() != classes:
        raise RuntimeError(
            f"inconsistent weight size, expected {classes} but got {list(weight.shape)}"
        )
    x, y = input.reshape(rows, classes), target.reshape(rows, 1)
    distance = (margin - x.gather(1, y) + x).clamp_min(0)
    if p == 2:
        distance = distance * distance
    if weight is not None:
        distance = distance * weight.reshape(-1)[y]
    loss = distance.scatter(1, y, 0).sum(1) / classes
    return _reduced(loss if dims == 2 else loss.reshape(target.shape if dims else ()), mode)


def multilabel_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``sum of max(0, 1 - (x[y] - x[j])) / C`` over true classes y and other classes j.

    Args:
        input: (N, C) or (C,) scores.
        target: class indices of the same shape; -1 ends the list of each row.

    >>> import d2lcore as torch
    >>> x, y = torch.tensor([[0.1, 0.2, 0.4, 0.8]]), torch.tensor([[3, 0, -1, 1]])
    >>> torch.nn.functional.multilabel_margin_loss(x, y)
    tensor(0.8500)
    """
    mode = _mode(size_average, reduce, reduction)
    dims = input.dim()
    if dims > 2 or (input.numel() == 0 and not (dims == 2 and input.size(1) > 0)):
        raise RuntimeError(
            "Expected non-empty vector or matrix with optional 0-dim batch size, but got: "
            f"{list(input.shape)}"
        )
    if target.shape != input.shape and (dims > 0 or target.numel() != 1):
        raise RuntimeError(
            f"inconsistent target size: {list(target.shape)} for input of size: {list(input.shape)}"
        )
    classes = input.size(-1) if dims else 1
    x, y = input.reshape(-1, classes), target.reshape(-1, classes)
    listed = (y >= 0).cumprod(1) > 0
    at = _C.where(listed, y, _C.zeros_like(y))
    count = _C.zeros_like(y).scatter_add(1, at, listed.to(y.dtype))
    pairs = listed.unsqueeze(2) & (count == 0).unsqueeze(1)
    distance = (1 - x.gather(1, at).unsqueeze(2) + x.unsqueeze(1)).clamp_min(0)
    loss = distance.masked_fill(~pairs, 0).sum((1, 2)) / classes
    return _reduced(loss if dims == 2 else loss.reshape(()), mode)


def cosine_embedding_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``1 - cos(input1, input2)`` where the target is 1, ``max(0, cos - margin)`` where it is -1.

    Args:
        input1, input2: (N, D) or (D,).
        target: (N,) or ().

    >>> import d2lcore as torch
    >>> x = torch.tensor([[1.0, 0.0]])
    >>> torch.nn.functional.cosine_embedding_loss(x, x.flip(1), torch.tensor([1]))
    tensor(1.)
    """
    mode = _mode(size_average, reduce, reduction)
    dims = target.dim()
    if dims not in (0, 1):
        raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    if not input1.dim() == input2.dim() == dims + 1:
        a, b = _sizes(input1, input2)
        raise RuntimeError(
            f"{dims}D target tensor expects {dims + 1}D input tensors, but found inputs with "
            f"sizes {a} and {b}."
        )
    eps = 1e-12
    one, two = (input1 * input1).sum(dims) + eps, (input2 * input2).sum(dims) + eps
    cos = (input1 * input2).sum(dims) / (one * two).sqrt()
    zero = _C.zeros_like(cos)
    loss = _C.where(target == 1, 1 - cos, zero)
    loss = loss + _C.where(target == -1, (cos - margin).clamp_min(0), zero)
    return _reduced(loss, mode)


def poisson_nll_loss(
    input: Tensor,
    target: Tensor,
    log_input: bool = True,
    full: bool = False,
    size_average: bool | None = None,
    eps: float = 1e-8,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Negative log likelihood of a Poisson law: ``exp(x) - t * x`` for a log rate x, or
    ``x - t * log(x + eps)`` for a rate; ``full`` adds Stirling's approximation of ``log(t!)``.

    >>> import d2lcore as torch
    >>> torch.nn.functional.poisson_nll_loss(torch.zeros(2), torch.ones(2))
    tensor(1.)
    """
    mode = _mode(size_average, reduce, reduction)
    loss = input.exp() - target * input if log_input else input - target * (input + eps).log()
    if full:
        stirling = target * target.log() - target + 0.5 * (2 * math.pi * target).log()
        loss = loss + stirling.masked_fill(target <= 1, 0)
    return _reduced(loss, mode)


def gaussian_nll_loss(
    input: Tensor,
    target: Tensor,
    var: Tensor | float,
    full: bool = False,
    eps: float = 1e-6,
    reduction: str = "mean",
) -> Tensor:
    """Negative log likelihood of a normal law: ``(log(var) + (input - target) ** 2 / var) / 2``.

    Args:
        input: means. target: samples, of a shape that broadcasts.
        var: variances: of input's shape, with a last dimension of 1 or without it, or a number.
        full: whether ``log(2 * pi) / 2`` is added.
        eps: the least variance.

    >>> import d2lcore as torch
    >>> x = torch.zeros(2)
    >>> torch.nn.functional.gaussian_nll_loss(x, x + 1, torch.ones(2))
    tensor(0.5000)
    """
    if isinstance(var, float):
        if var < 0:
            raise ValueError("var has negative entry/entries")
        spread = var * _C.ones_like(input)
    else:
        if (var < 0).any():
            raise ValueError("var has negative entry/entries")
        spread = var
    if spread.shape != input.shape:
        if input.shape[:-1] == spread.shape:
            spread = spread.unsqueeze(-1)
        elif (
            input.ndim != spread.ndim
            or sum(b for a, b in zip(input.shape, spread.shape, strict=True) if a != b) != 1
        ):
            raise ValueError("var is of incorrect size")
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(reduction + " is not valid")
    # The limit changes the value, but gradients pass it.
    spread = spread + (spread.detach().clamp_min(eps) - spread.detach())
    loss = 0.5 * (spread.log() + (input - target) ** 2 / spread)
    if full:
        loss = loss + 0.5 * math.log(2 * math.pi)
    return _reduced(loss, reduction)


def pairwise_distance(
    x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False
) -> Tensor:
    """The norm of order ``p`` of ``x1 - x2 + eps`` along the last dimension.

    >>> import d2lcore as torch
    >>> torch.nn.functional.pairwise_distance(torch.zeros(1, 2), torch.tensor([[3.0, 4.0]]))
    tensor([5.0000])
    """
    last = max(x1.dim(), x2.dim()) - 1
    return (x1 - x2 + eps).norm(p, last, keepdim)


def pdist(input: Tensor, p: float = 2) -> Tensor:
    """The distances of order ``p`` between all pairs of rows of (N, M): (N * (N - 1) / 2,).

    >>> import d2lcore as torch
    >>> torch.nn.functional.pdist(torch.tensor([[0.0], [1.0], [3.0]]))
    tensor([1., 3., 2.])
    """
    if input.dim() != 2:
        raise RuntimeError(f"pdist only supports 2D tensors, got: {input.dim()}D")
    if not input.is_floating_point():
        raise RuntimeError("pdist only supports floating-point dtypes")
    if p < 0:
        raise RuntimeError("pdist only supports non-negative p values")
    n = input.size(0)
    first, second = _C.triu_indices(n, n, 1).unbind(0)
    return (input.index_select(0, first) - input.index_select(0, second)).norm(p, 1)


def _triplet_reduced(
    far: Tensor, near: Tensor, margin: float, mode: str, between: Tensor | None
) -> Tensor:
    if between is not None:
        far = _C.minimum(far, between)
    return _reduced((margin + near - far).clamp_min(0), mode)


def _check_triplet(anchor: Tensor, positive: Tensor, negative: Tensor, margin: float) -> None:
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    a, p, n = anchor.ndim, positive.ndim, negative.ndim
    if not a == p == n:
        raise RuntimeError(
            "The anchor, positive, and negative tensors are expected to have the same number of "
            f"dimensions, but got: anchor {a}D, positive {p}D, and negative {n}D inputs"
        )


def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2,
    eps: float = 1e-6,
    swap: bool = False,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``max(0, margin + d(anchor, positive) - d(anchor, negative))``, d the pairwise distance.

    ``swap`` takes d(positive, negative) where it is less (Balntas et al., 2016).

    >>> import d2lcore as torch
    >>> x = torch.zeros(1, 2)
    >>> torch.nn.functional.triplet_margin_loss(x, x, x)
    tensor(1.)
    """
    mode = _mode(size_average, reduce, reduction)
    _check_triplet(anchor, positive, negative, margin)
    near, far = (pairwise_distance(anchor, x, p, eps) for x in (positive, negative))
    between = pairwise_distance(positive, negative, p, eps) if swap else None
    return _triplet_reduced(far, near, margin, mode, between)


def triplet_margin_with_distance_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    *,
    distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """`triplet_margin_loss` with a distance of the caller's.

    >>> import d2lcore as torch
    >>> x = torch.zeros(1, 2)
    >>> torch.nn.functional.triplet_margin_with_distance_loss(x, x, x)
    tensor(1.)
    """
    mode = _mode(None, None, reduction)
    _check_triplet(anchor, positive, negative, margin)
    distance = pairwise_distance if distance_function is None else distance_function
    near, far = distance(anchor, positive), distance(anchor, negative)
    between = distance(positive, negative) if swap else None
    return _triplet_reduced(far, near, margin, mode, between)


def linear_cross_entropy(
    input: Tensor,
    linear_weight: Tensor,
    target: Tensor,
    *,
    linear_bias: Tensor | None = None,
    weight: Tensor | None = None,
    reduction: str = "mean",
    ignore_index: int | None = None,
    label_smoothing: float = 0.0,
    options: object = None,
) -> Tensor:
    """``cross_entropy(linear(input, linear_weight, linear_bias), target)``.

    Args:
        input: (N, in_features) or (in_features,).
        linear_weight: (C, d..., in_features); linear_bias: (C, d...).
        target, weight, reduction, ignore_index, label_smoothing: as in ``cross_entropy``.
        options: how PyTorch cuts the batch to save memory. The value does not depend on it, and
            here the batch is not cut.

    >>> import d2lcore as torch
    >>> x, w = torch.zeros(2, 3), torch.ones(4, 3)
    >>> torch.nn.functional.linear_cross_entropy(x, w, torch.tensor([0, 3]))
    tensor(1.3863)
    """
    if input.dim() < 1 or input.dim() > 2:
        raise RuntimeError(f"expected input with dimensionality 1 or 2, got {input.dim()}")
    if linear_weight.dim() < 2:
        raise RuntimeError(
            f"expected linear_weight with dimensionality at least 2, got {linear_weight.dim()}"
        )
    width, (classes, *more) = input.shape[-1], linear_weight.shape[:-1]
    if width != linear_weight.shape[-1]:
        raise RuntimeError(
            "expected equal input and linear_weight last dimensions (in_features), got "
            f"{width} and {linear_weight.shape[-1]}, respectively"
        )
    if linear_bias is not None and tuple(linear_bias.shape) != (classes, *more):
        raise RuntimeError(
            f"expected linear_bias shape {(classes, *more)}, got {tuple(linear_bias.shape)}"
        )
    if more and input.dim() == 1:
        raise RuntimeError(
            f"K-dimensional loss defined by linear_weight shape {tuple(linear_weight.shape)} "
            f"requires batched input, (N, {width}), got unbatched input with shape "
            f"{tuple(input.shape)}"
        )
    shape = (*input.shape[:-1], classes, *more)
    if target.shape == shape and ignore_index is not None:
        raise RuntimeError("ignore_index cannot be specified when target contains probabilities")
    bias = None if linear_bias is None else linear_bias.reshape(-1)
    logits = _C._nn.linear(input, linear_weight.reshape(-1, width), bias).reshape(shape)
    loss: Tensor = _C._nn.cross_entropy(
        logits,
        target,
        weight,
        ignore_index=-100 if ignore_index is None else ignore_index,
        reduction=reduction,
        label_smoothing=label_smoothing,
    )
    return loss


__all__ = [
    "cosine_embedding_loss",
    "gaussian_nll_loss",
    "hinge_embedding_loss",
    "linear_cross_entropy",
    "margin_ranking_loss",
    "multi_margin_loss",
    "multilabel_margin_loss",
    "multilabel_soft_margin_loss",
    "pairwise_distance",
    "pdist",
    "poisson_nll_loss",
    "triplet_margin_loss",
    "triplet_margin_with_distance_loss",
]
