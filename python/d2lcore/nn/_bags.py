"""Sums, means and maxima of embeddings."""

from __future__ import annotations

from d2lcore import _C

TYPE_CHECKING = False
if TYPE_CHECKING:
    from d2lcore._C import Tensor


def renorm_rows(weight: Tensor, indices: Tensor, max_norm: float, norm_type: float) -> None:
    """Shrinks the rows of ``weight`` at ``indices`` to a norm of at most max_norm, in place."""
    from d2lcore._grad_mode import no_grad

    with no_grad():
        rows = _C.unique(indices.flatten())
        weight[rows] = weight[rows].renorm(norm_type, 0, max_norm)


def _check(
    weight: Tensor,
    input: Tensor,
    offsets: Tensor | None,
    mode: str,
    scale_grad_by_freq: bool,
    per_sample_weights: Tensor | None,
    include_last_offset: bool,
    padding_idx: int | None,
) -> None:
    if per_sample_weights is not None and input.shape != per_sample_weights.shape:
        raise ValueError(
            f"embedding_bag: If per_sample_weights ({list(per_sample_weights.shape)}) is not "
            f"None, then it must have the same shape as the input ({list(input.shape)})"
        )
    if weight.dim() != 2:
        raise ValueError(
            f"weight has to be a 2D Tensor, but got Tensor of dimension {weight.dim()}"
        )
    if input.dim() == 2 and offsets is not None:
        raise ValueError(
            "if input is 2D, then offsets has to be None, as input is treated is a mini-batch of "
            "fixed length sequences. However, found offsets of type <class 'torch.Tensor'>"
        )
    if input.dim() == 1:
        if offsets is None:
            raise ValueError("offsets has to be a 1D Tensor but got None")
        if offsets.dim() != 1:
            raise ValueError("offsets has to be a 1D Tensor")
        if include_last_offset and offsets.size(0) == 0:
            raise RuntimeError("include_last_offset: number of offsets should be at least 1")
        if offsets.size(0) and int(offsets[0]) != 0:
            raise RuntimeError(
                "offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to start "
                f"from position 0. However, got {int(offsets[0])}"
            )
        if offsets.size(0) and int(offsets[-1]) > input.size(0):
            raise RuntimeError(
                f"offsets[-1] can not be greater than input's length({input.size(0)}) but got "
                f"offsets[-1] of {int(offsets[-1])}"
            )
    elif input.dim() != 2:
        raise ValueError(
            f"input has to be 1D or 2D Tensor, but got Tensor of dimension {input.dim()}"
        )
    if mode not in ("sum", "mean", "max"):
        raise ValueError("mode has to be one of sum, mean or max")
    if mode == "max" and scale_grad_by_freq:
        raise ValueError("max mode does not support scaling the gradient by the frequency")
    if per_sample_weights is not None and mode != "sum":
        raise NotImplementedError(
            "embedding_bag: per_sample_weights was not None. per_sample_weights is only supported "
            f"for mode='sum' (got mode='{mode}'). Please open a feature request on GitHub."
        )
    rows = weight.size(0)
    if padding_idx is not None and not -rows <= padding_idx < rows:
        raise RuntimeError("padding_idx must be within the number of embeddings")


def embedding_bag(
    input: Tensor,
    weight: Tensor,
    offsets: Tensor | None = None,
    max_norm: float | None = None,
    norm_type: float = 2,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Tensor:
    """The sum, mean or maximum of the rows of ``weight`` that each bag of indices names.

    Args:
        input: (B, L), bags of L indices, or (n,), bags that begin at ``offsets``.
        weight: (rows, D).
        offsets: (B,), increasing, the first one 0.
        max_norm: rows are first shrunk to this norm (of order norm_type), in place.
        mode: ``"sum"``, ``"mean"`` or ``"max"``; empty bags give zeros.
        per_sample_weights: factors of input's shape, for ``"sum"``.
        include_last_offset: offsets ends with n, the end of the last bag.
        padding_idx: indices of this value do not count.

    >>> import d2lcore as torch
    >>> w = torch.tensor([[1.0], [2.0], [4.0]])
    >>> torch.nn.functional.embedding_bag(torch.tensor([[0, 2]]), w, mode="sum")
    tensor([[5.]])
    """
    _check(
        weight, input, offsets, mode, scale_grad_by_freq, per_sample_weights, include_last_offset,
        padding_idx,
    )  # fmt: skip
    if max_norm is not None:
        renorm_rows(weight, input, max_norm, norm_type)
    pad = -1 if padding_idx is None else padding_idx % weight.size(0)
    flat = input.reshape(-1)
    n = flat.numel()
    if input.dim() == 2:
        bags, length = input.shape
        starts = _C.arange(bags) * length
    else:
        assert offsets is not None
        starts = offsets[:-1] if include_last_offset else offsets
        bags = starts.numel()
    # Which bag each index belongs to: how many bags begin at or before it.
    bag = _C.searchsorted(starts.contiguous(), _C.arange(n), right=True) - 1
    if include_last_offset and offsets is not None:  # what lies behind the last bag counts nowhere
        end = int(offsets[-1])
        flat, bag = flat[:end], bag[:end]
        if per_sample_weights is not None:
            per_sample_weights = per_sample_weights[:end]
    rows: Tensor = _C._nn.embedding(flat, weight, padding_idx, None, 2.0, scale_grad_by_freq, False)
    counted = flat != pad
    if mode == "max":
        return _largest(rows, bag, counted, bags)
    wide = _C.promote_types(weight.dtype, _C.float32)  # sums of half precision are wide
    rows = rows.to(wide)
    if per_sample_weights is not None:
        rows = rows * per_sample_weights.reshape(-1)[: rows.size(0)].unsqueeze(1)
    rows = rows.masked_fill(~counted.unsqueeze(1), 0)
    out = rows.new_zeros((bags, weight.size(1))).index_add(0, bag, rows)
    if mode == "mean":
        counts = _C.zeros(bags, dtype=wide).index_add(0, bag, counted.to(wide))
        out = out / counts.clamp_min(1).unsqueeze(1)
    return out.to(weight.dtype)


def _largest(rows: Tensor, bag: Tensor, counted: Tensor, bags: int) -> Tensor:
    """The largest element of each column over the rows of each bag; 0 for empty bags."""
    rows, bag = rows[counted], bag[counted]
    if bag.numel() == 0:
        return rows.new_zeros((bags, rows.size(1))) + rows.sum()
    sizes = _C.bincount(bag, minlength=bags)
    place = _C.arange(bag.numel()) - (sizes.cumsum(0) - sizes)[bag]
    wide = rows.new_full((bags, int(sizes.max()), rows.size(1)), -float("inf"))
    wide = wide.index_put((bag, place), rows)
    largest: Tensor = wide.max(1)[0]
    return largest.masked_fill((sizes == 0).unsqueeze(1), 0)


__all__ = [
    "embedding_bag",
]
