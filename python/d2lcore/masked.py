"""`torch.masked`: reductions and normalisations that leave elements out.

The idea: where ``mask`` (bool, broadcast to the input) is False, the element is replaced by what
does not change the result (0 in a sum, -inf in a maximum), and the ordinary op follows.
"""

from __future__ import annotations

import d2lcore as torch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from d2lcore._C import Tensor

    Dims = int | Sequence[int] | None

_INF = float("inf")


def _full_mask(input: Tensor, mask: Tensor) -> Tensor:
    if mask.ndim > input.ndim:
        raise IndexError(
            "_input_mask expected broadcastable mask (got mask dimensionality higher than of the "
            "input)"
        )
    return mask.bool().expand(input.shape)


def _filled(input: Tensor, mask: Tensor | None, value: float) -> Tensor:
    """``input`` where the mask is True, ``value`` elsewhere."""
    if mask is None:
        return input
    return torch.where(
        _full_mask(input, mask), input, torch.tensor(value, dtype=input.dtype, device=input.device)
    )


def _least(dtype: Any) -> float:
    if dtype == torch.bool:
        return 0
    if dtype.is_floating_point or dtype.is_complex:
        return -_INF
    least: int = torch.iinfo(dtype).min
    return least


def _greatest(dtype: Any) -> float:
    if dtype == torch.bool:
        return 1
    if dtype.is_floating_point or dtype.is_complex:
        return _INF
    greatest: int = torch.iinfo(dtype).max
    return greatest


def _dims(dim: Dims, ndim: int) -> tuple[int, ...]:
    """The dimensions that are reduced: all for None and for ()."""
    if dim is None or dim == ():
        return tuple(range(ndim))
    rank = max(ndim, 1)
    found: list[int] = []
    for d in (dim,) if isinstance(dim, int) else tuple(dim):
        if not -rank <= d < rank:
            raise IndexError(
                f"Dimension out of range (expected to be in range of [{-rank}, {rank - 1}], "
                f"but got {d})"
            )
        if d % rank in found:
            raise RuntimeError(f"dim={d % rank} appears multiple times in the list of dims")
        found.append(d % rank)
    return tuple(found)


def _sum_dtype(input: Tensor, dtype: Any) -> Any:
    if dtype is not None:
        return dtype
    whole = not (input.dtype.is_floating_point or input.dtype.is_complex)
    return torch.int64 if whole else input.dtype


def sum(
    input: Tensor,
    dim: Dims = None,
    *,
    keepdim: bool = False,
    dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:
    """Returns the sum over ``dim`` of the elements that the mask keeps.

    >>> import d2lcore as torch
    >>> torch.masked.sum(torch.tensor([1.0, 2.0]), mask=torch.tensor([True, False]))
    tensor(1.)
    """
    kind = _sum_dtype(input, dtype)
    return torch.sum(_filled(input, mask, 0), _dims(dim, input.ndim), bool(keepdim), dtype=kind)


def prod(
    input: Tensor,
    dim: Dims = None,
    *,
    keepdim: bool = False,
    dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:
    """Returns the product over ``dim`` of the elements that the mask keeps."""
    result = _filled(input, mask, 1).to(_sum_dtype(input, dtype))
    for d in sorted(_dims(dim, input.ndim), reverse=True):
        result = result.prod(d, bool(keepdim))
    return result


def cumsum(input: Tensor, dim: int, *, dtype: Any = None, mask: Tensor | None = None) -> Tensor:
    """Returns running sums along ``dim``; masked elements add nothing."""
    (at,) = _dims(dim, input.ndim)
    return torch.cumsum(_filled(input, mask, 0), at, dtype=dtype)


def cumprod(input: Tensor, dim: int, *, dtype: Any = None, mask: Tensor | None = None) -> Tensor:
    """Returns running products along ``dim``; masked elements count as 1."""
    (at,) = _dims(dim, input.ndim)
    return torch.cumprod(_filled(input, mask, 1), at, dtype=dtype)


def amax(
    input: Tensor,
    dim: Dims = None,
    *,
    keepdim: bool = False,
    dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:
    """Returns the largest over ``dim`` of the elements that the mask keeps."""
    kept = _filled(input, mask, _least(input.dtype))
    return torch.amax(kept, _dims(dim, input.ndim), bool(keepdim)).to(dtype or input.dtype)


def amin(
    input: Tensor,
    dim: Dims = None,
    *,
    keepdim: bool = False,
    dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:
    """Returns the smallest over ``dim`` of the elements that the mask keeps."""
    kept = _filled(input, mask, _greatest(input.dtype))
    return torch.amin(kept, _dims(dim, input.ndim), bool(keepdim)).to(dtype or input.dtype)


def argmax(
    input: Tensor,
    dim: int | None = None,
    *,
    keepdim: bool = False,
    dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:
    """Returns the place of the largest element that the mask keeps, in ``dtype`` (input's)."""
    places = torch.argmax(_filled(input, mask, _least(input.dtype)), dim, bool(keepdim))
    return places.to(dtype or input.dtype)


def argmin(
    input: Tensor,
    dim: int | None = None,
    *,
    keepdim: bool = False,
    dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:
    """Returns the place of the smallest element that the mask keeps, in ``dtype`` (input's)."""
    places = torch.argmin(_filled(input, mask, _greatest(input.dtype)), dim, bool(keepdim))
    return places.to(dtype or input.dtype)


def mean(
    input: Tensor,
    dim: Dims = None,
    *,
    keepdim: bool = False,
    dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:
    """Returns the mean over ``dim`` of the elements that the mask keeps; NaN if there is none."""
    kind = dtype or input.dtype
    if not (kind.is_floating_point or kind.is_complex):
        raise ValueError(
            "mean(): Could not infer output dtype. Optional dtype must be a floating point or "
            f"complex dtype. Got: {kind}"
        )
    if mask is None:
        return torch.mean(input, _dims(dim, input.ndim), bool(keepdim), dtype=kind)
    count = sum(torch.ones(input.shape, dtype=torch.int64), dim, keepdim=keepdim, mask=mask)
    return sum(input, dim, keepdim=keepdim, dtype=kind, mask=mask) / count


def median(
    input: Tensor,
    dim: int = -1,
    *,
    keepdim: bool = False,
    dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:
    """Returns the lower median along ``dim`` of the elements that the mask keeps."""
    (at,) = _dims(dim, input.ndim)
    kind = dtype or input.dtype
    floating = input.is_floating_point()
    kept = _filled(input if floating else input.to(torch.float32), mask, float("nan"))
    values: Tensor = torch.nanmedian(kept, at, bool(keepdim))[0]
    if floating:
        return values
    if values.isnan().any():
        raise ValueError("masked median expects no fully masked out rows if dtype is not floating")
    return values.to(kind)


def logsumexp(
    input: Tensor,
    dim: Dims = None,
    *,
    keepdim: bool = False,
    dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:
    """Returns ``log(sum(exp(input)))`` over ``dim`` of the elements that the mask keeps."""
    kind = dtype or input.dtype
    kept = _filled(input.to(kind), mask, _least(kind))
    return torch.logsumexp(kept, _dims(dim, input.ndim), bool(keepdim)).to(kind)


def logaddexp(
    input: Tensor,
    other: Tensor,
    *,
    dtype: Any = None,
    input_mask: Tensor | None = None,
    other_mask: Tensor | None = None,
) -> Tensor:
    """Returns ``log(exp(input) + exp(other))``; a masked element counts as log 0."""
    left = _filled(input, input_mask, -_INF)
    result: Tensor = torch.logaddexp(left, _filled(other, other_mask, -_INF)).to(
        dtype or input.dtype
    )
    return result


def norm(
    input: Tensor,
    ord: float | str | None = 2.0,
    dim: Dims = None,
    *,
    keepdim: bool = False,
    dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:
    """Returns the vector norm over ``dim`` of the elements that the mask keeps."""
    order = 2.0 if ord is None else float(ord)
    kept = _filled(input, mask, _INF if order == -_INF else 0.0)
    result: Tensor = torch.linalg.vector_norm(
        kept, order, _dims(dim, input.ndim), bool(keepdim), dtype=dtype
    )
    return result


def _variance(
    input: Tensor,
    dim: Dims,
    unbiased: bool | None,
    correction: int | None,
    keepdim: bool,
    dtype: Any,
    mask: Tensor | None,
    root: bool,
) -> Tensor:
    if unbiased is not None and correction is not None:
        raise ValueError("Only one of unbiased and correction may be given")
    freedom = (1 if unbiased in (None, True) else 0) if correction is None else correction
    kind = dtype or input.dtype
    if not (kind.is_floating_point or kind.is_complex):
        kind = torch.float32
    if mask is None:
        f = torch.std if root else torch.var
        result: Tensor = f(
            input.to(kind), _dims(dim, input.ndim), correction=freedom, keepdim=bool(keepdim)
        )
        return result
    count = sum(torch.ones(input.shape, dtype=torch.int64), dim, keepdim=True, mask=mask)
    center = sum(input, dim, keepdim=True, dtype=kind, mask=mask) / count
    away = input - center
    total = sum(away * away.conj(), dim, keepdim=keepdim, dtype=kind, mask=mask)
    number = count if keepdim else count.reshape(total.shape)
    real = {torch.complex64: torch.float32, torch.complex128: torch.float64}.get(kind, kind)
    number = torch.clamp(number.to(real) - freedom, min=0)
    spread = (total / number).to(kind)
    return torch.sqrt(spread) if root else spread


def var(
    input: Tensor,
    dim: Dims = None,
    unbiased: bool | None = None,
    *,
    correction: int | None = None,
    keepdim: bool = False,
    dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:
    """Returns the variance over ``dim`` of the elements that the mask keeps."""
    return _variance(input, dim, unbiased, correction, keepdim, dtype, mask, False)


def std(
    input: Tensor,
    dim: Dims = None,
    unbiased: bool | None = None,
    *,
    correction: int | None = None,
    keepdim: bool = False,
    dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:
    """Returns the standard deviation over ``dim`` of the elements that the mask keeps."""
    return _variance(input, dim, unbiased, correction, keepdim, dtype, mask, True)


def softmax(input: Tensor, dim: int, *, dtype: Any = None, mask: Tensor | None = None) -> Tensor:
    """Returns the softmax along ``dim``; masked elements get 0."""
    (at,) = _dims(dim, input.ndim)
    kind = dtype or input.dtype
    result: Tensor = torch.nn.functional.softmax(
        _filled(input, mask, _least(input.dtype)), at, dtype=kind
    )
    return result


def log_softmax(
    input: Tensor, dim: int, *, dtype: Any = None, mask: Tensor | None = None
) -> Tensor:
    """Returns the logarithm of :func:`softmax`; masked elements get -inf."""
    (at,) = _dims(dim, input.ndim)
    kept = _filled(input, mask, _least(input.dtype))
    result: Tensor = torch.nn.functional.log_softmax(kept, at, dtype=dtype or input.dtype)
    return result


def softmin(input: Tensor, dim: int, *, dtype: Any = None, mask: Tensor | None = None) -> Tensor:
    """Returns the softmax of ``-input`` along ``dim``; masked elements get 0."""
    (at,) = _dims(dim, input.ndim)
    kept = _filled(input, mask, _greatest(input.dtype))
    result: Tensor = torch.nn.functional.softmin(kept, at, dtype=dtype or input.dtype)
    return result


def normalize(
    input: Tensor,
    ord: float,
    dim: int,
    *,
    eps: float = 1e-12,
    dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:
    """Returns ``input / max(norm, eps)`` along ``dim``, of the elements that the mask keeps."""
    length = norm(input, ord, dim, keepdim=True, dtype=dtype, mask=mask)
    return _filled(input, mask, 0) / torch.maximum(length, length.new_full((), eps))


__all__ = [
    "amax",
    "amin",
    "argmax",
    "argmin",
    "cumprod",
    "cumsum",
    "log_softmax",
    "logaddexp",
    "logsumexp",
    "mean",
    "median",
    "norm",
    "normalize",
    "prod",
    "softmax",
    "softmin",
    "std",
    "sum",
    "var",
]
