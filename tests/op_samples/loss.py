"""Samples of losses."""

from __future__ import annotations

import numpy as np

from op_samples.activation import softmax
from op_samples.base import FLOATS, E, Op, S, c, t


def _reduced(each):
    """A loss of each element, then its mean or sum."""

    def call(x, y, *args, reduction="mean", **kwargs):
        x, y = np.broadcast_arrays(x, y)
        out = each(x, y, *args, **kwargs)
        if reduction == "batchmean":
            return out.sum() / out.shape[0]
        return {"mean": np.mean, "sum": np.sum, "none": lambda v: v}[reduction](out)

    return call


def _smooth(x, y, beta=1.0):
    d = np.abs(x - y)
    return np.where(d < beta, d * d / (2 * beta) if beta else d, d - beta / 2)


def _huber(x, y, delta=1.0):
    d = np.abs(x - y)
    return np.where(d <= delta, d * d / 2, delta * (d - delta / 2))


def _bce(x, y, weight=1.0):
    return -weight * (y * np.log(x) + (1 - y) * np.log(1 - x))


def _bce_logits(x, y, weight=1.0, pos_weight=1.0):
    p = 1 / (1 + np.exp(-x))
    return -weight * (pos_weight * y * np.log(p) + (1 - y) * np.log(1 - p))


def _kl(x, y, log_target=False):
    return np.exp(y) * (y - x) if log_target else y * (np.log(y) - x)


def _nll(x, y, weight=None, ignore_index=-100, reduction="mean"):
    if x.ndim == 1:
        x, y = x[None], y[None]
        out = _nll(x, y, weight, ignore_index, reduction)
        return out[0] if reduction == "none" else out
    w = np.ones(x.shape[1]) if weight is None else weight
    keep = y != ignore_index
    safe = np.where(keep, y, 0)
    factor = np.where(keep, w[safe], 0)
    out = -np.take_along_axis(x, np.expand_dims(safe, 1), 1).squeeze(1) * factor
    return {"mean": out.sum() / factor.sum(), "sum": out.sum(), "none": out}[reduction]


def _cross_entropy(x, y, weight=None, ignore_index=-100, reduction="mean", label_smoothing=0.0):
    dim = min(1, x.ndim - 1)
    logp = np.log(softmax(x, dim))
    classes = x.shape[dim]
    if y.dtype.kind == "f":
        y = y * (1 - label_smoothing) + label_smoothing / classes
        w = 1 if weight is None else weight.reshape([-1] + [1] * (x.ndim - dim - 1))
        out = -(y * w * logp).sum(axis=dim)
        count = out.size
        return {"mean": out.sum() / count, "sum": out.sum(), "none": out}[reduction]
    plain = _nll(logp, y, weight, ignore_index, reduction)
    if not label_smoothing:
        return plain
    w = np.ones(classes) if weight is None else weight
    keep = np.atleast_1d(y != ignore_index)
    smooth = -(np.moveaxis(logp, dim, -1) * w).sum(-1) * (keep if y.ndim else keep[0])
    if reduction == "mean":
        safe = np.where(y != ignore_index, y, 0)
        smooth = smooth.sum() / np.where(y != ignore_index, w[safe], 0).sum()
    elif reduction == "sum":
        smooth = smooth.sum()
    return (1 - label_smoothing) * plain + label_smoothing / classes * smooth


TWO = [
    S(t(3, 4), t(3, 4)),
    S(t(3, 4), t(3, 4), reduction="sum"),
    S(t(3, 4), t(3, 4), reduction="none"),
    S(t(), t()),
]
REDUCTION = E(ValueError, "x is not a valid value for reduction", t(3), t(3), reduction="x")
PROB = t(3, 4, lo=0.1, hi=0.9)
LABELS = c([1, 0, 3], "int64")
GAPS = c([1, -100, 3], "int64")
MAP = c([[[0, 1], [2, 0]], [[1, 1], [0, 2]]], "int64")
SOFT = c([[0.1, 0.2, 0.3, 0.4], [0.7, 0.1, 0.1, 0.1], [0.25, 0.25, 0.25, 0.25]])
WEIGHT = c([0.5, 1.0, 2.0, 0.25], grad=False)
OUT_OF_RANGE = [
    E(IndexError, "Target 4 is out of bounds.", t(3, 4), c([1, 4, 0], "int64")),
    E(
        ValueError,
        "Expected input batch_size (3) to match target batch_size (2).",
        t(3, 4),
        c([1, 0], "int64"),
    ),
    E(
        RuntimeError,
        "weight tensor should be defined either for all 4 classes or no classes but got weight tensor of shape: [3]",
        t(3, 4),
        LABELS,
        t(3),
    ),
]
NO_WEIGHT_GRAD = {"dtypes": "fd", "tol": 10}


def _ctc(log_probs, targets, input_lengths, target_lengths, blank=0, reduction="mean",
         zero_infinity=False):  # fmt: skip
    """Sums over all alignments, one sequence after the other."""
    losses = []
    for n, (frames, count) in enumerate(zip(input_lengths, target_lengths, strict=True)):
        states = [blank]
        for label in targets[n][: int(count)]:
            states += [int(label), blank]
        p = np.exp(log_probs[: int(frames), n])
        a = np.zeros(len(states))
        a[:2] = p[0, states[:2]]
        for row in p[1:]:
            skip = [s > 1 and states[s] not in (blank, states[s - 2]) for s in range(len(states))]
            a = np.array([
                (a[s] + (a[s - 1] if s else 0) + (a[s - 2] if skip[s] else 0)) * row[states[s]]
                for s in range(len(states))
            ])  # fmt: skip
        with np.errstate(divide="ignore"):
            losses.append(-np.log(a[-2:].sum()))
    each = np.array(losses)
    if zero_infinity:
        each = np.where(np.isinf(each), 0.0, each)
    if reduction == "mean":
        return (each / np.maximum(np.asarray(target_lengths), 1)).mean()
    return each.sum() if reduction == "sum" else each


SEQUENCES = c([[1, 2, 2], [3, 1, 2]], "int64")
CTC = [
    S(t(7, 2, 4), SEQUENCES, [7, 6], [3, 2]), S(t(7, 2, 4), SEQUENCES, [7, 6], [3, 0], reduction="sum"),
    S(t(3, 2, 4), SEQUENCES, [3, 3], [3, 1], reduction="none", zero_infinity=True),
    S(t(7, 2, 4), SEQUENCES, c([7, 5], "int64"), c([2, 2], "int64"), 0, "none"),
]  # fmt: skip
CTC_ERRORS = [
    E(RuntimeError, "blank must be in label range", t(3, 2, 4), SEQUENCES, [3, 3], [1, 1], 4),
    E(RuntimeError, "input_lengths must be of size batch_size", t(3, 2, 4), SEQUENCES, [3], [1, 1]),
    E(RuntimeError, "Expected input_lengths to have value at most 3, but got value 4", t(3, 2, 4),
      SEQUENCES, [3, 4], [1, 1]),
    E(RuntimeError, "Expected tensor to have size at least 4 at dimension 1", t(5, 2, 4), SEQUENCES,
      [5, 5], [4, 1]),
    E(RuntimeError, "label 3 of sequence 1 is outside of [0, 3)", t(5, 2, 3), SEQUENCES, [5, 5],
      [1, 1]),
]  # fmt: skip
OPS = [
    # The gradient is the one for log-softmax inputs, as in PyTorch, and not that of the formula.
    Op("nn.ctc_loss", _ctc, CTC, CTC_ERRORS, dtypes="fd", grad=False, tol=20, expand=False),
    Op("nn.soft_margin_loss", _reduced(lambda x, y: np.log1p(np.exp(-y * x))),
       [S(t(3, 4), t(3, 4, grad=False)), S(t(5), t(5, grad=False), reduction="none"),
        S(t(2, 3), t(2, 3, grad=False), reduction="sum")], dtypes=FLOATS, tol=10),
    Op("nn.mse_loss", _reduced(lambda x, y, weight=1: weight * (x - y) ** 2), TWO,
       [REDUCTION, E(RuntimeError, "The size of tensor a (3) must match the size of tensor b (4)", t(3), t(4))], dtypes=FLOATS, tol=10),
    Op("nn.l1_loss", _reduced(lambda x, y: np.abs(x - y)), TWO, [REDUCTION], dtypes=FLOATS, tol=10),
    Op("nn.smooth_l1_loss", _reduced(_smooth), [*TWO, S(t(3, 4), t(3, 4), beta=0.5), S(t(3, 4), t(3, 4), beta=0.0)],
       [E(RuntimeError, "smooth_l1_loss does not support negative values for beta.", t(3), t(3), beta=-1.0)], dtypes="fd", tol=10),
    Op("nn.huber_loss", _reduced(_huber), [*TWO, S(t(3, 4), t(3, 4), delta=0.5)],
       [E(RuntimeError, "huber_loss does not support non-positive values for delta.", t(3), t(3), delta=0.0)], dtypes="fd", tol=10),
    Op("nn.binary_cross_entropy", _reduced(_bce), [S(PROB, t(3, 4, lo=0.1, hi=0.9)), S(PROB, PROB, reduction="sum"), S(PROB, PROB, t(4, lo=0.2, grad=False), reduction="none")],
       [E(RuntimeError, "all elements of input should be between 0 and 1", c([1.5], "float32"), c([0.5], "float32")),
        E(ValueError, "Using a target size (torch.Size([4])) that is different to the input size (torch.Size([3])) is deprecated", t(3), t(4))],
       **NO_WEIGHT_GRAD),
    Op("nn.binary_cross_entropy_with_logits", _reduced(_bce_logits),
       [S(t(3, 4), PROB), S(t(3, 4), PROB, reduction="sum"), S(t(3, 4), PROB, t(4, lo=0.2, grad=False), reduction="none"), S(t(3, 4), PROB, pos_weight=t(4, lo=0.2, grad=False))],
       [E(ValueError, "Target size (torch.Size([4])) must be the same as input size (torch.Size([3]))", t(3), t(4))], **NO_WEIGHT_GRAD),
    Op("nn.kl_div", _reduced(_kl), [S(t(3, 4), PROB), S(t(3, 4), PROB, reduction="sum"), S(t(3, 4), t(3, 4), log_target=True, reduction="batchmean"), S(t(3, 4), PROB, reduction="none")],
       **NO_WEIGHT_GRAD),
    Op("nn.nll_loss", _nll, [S(t(3, 4), LABELS), S(t(3, 4), LABELS, WEIGHT), S(t(3, 4), GAPS, reduction="sum"), S(t(3, 4), LABELS, reduction="none"),
                             S(t(2, 3, 2, 2), MAP), S(t(4), c(2, "int64")), S(t(3, 4), LABELS, ignore_index=0)], OUT_OF_RANGE, **NO_WEIGHT_GRAD),
    Op("nn.cross_entropy", _cross_entropy,
       [S(t(3, 4), LABELS), S(t(3, 4), LABELS, WEIGHT), S(t(3, 4), GAPS, reduction="sum"), S(t(3, 4), LABELS, reduction="none"), S(t(2, 3, 2, 2), MAP), S(t(4), c(2, "int64")),
        S(t(3, 4), SOFT), S(t(3, 4), SOFT, WEIGHT, label_smoothing=0.2), S(t(3, 4), LABELS, label_smoothing=0.1), S(t(3, 4), GAPS, WEIGHT, label_smoothing=0.1),
        S(t(3, 4), SOFT, reduction="sum"), S(t(5, 60), c([1, 59, 0, 30, 2], "int64"), _grad=False)],
       [*OUT_OF_RANGE, E(RuntimeError, "label_smoothing must be between 0.0 and 1.0. Got: 2", t(3, 4), LABELS, label_smoothing=2.0)], **NO_WEIGHT_GRAD),
]  # fmt: skip
