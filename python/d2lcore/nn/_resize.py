"""Interpolation: which sizes, scales and mode the op is called with."""

from __future__ import annotations

from d2lcore import _C

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from d2lcore._C import Tensor

_DIMS = {"linear": 3, "bilinear": 4, "bicubic": 4, "trilinear": 5, "lanczos": 4}
_ANY = ("nearest", "nearest-exact", "area")


def _check_mode(input: Tensor, mode: str, align_corners: bool, antialias: bool) -> None:
    n = input.dim()
    if antialias and not (mode in ("bilinear", "bicubic", "lanczos") and n == 4):
        raise ValueError(
            "Anti-alias option is restricted to bilinear, bicubic, and lanczos modes and requires "
            "a 4-D tensor as input"
        )
    if (mode in _ANY and n in (3, 4, 5)) or _DIMS.get(mode) == n:
        if mode == "lanczos" and align_corners:
            raise ValueError("Lanczos mode does not support align_corners=True")
        if mode == "lanczos" and not antialias:
            raise ValueError("Lanczos mode requires antialias=True")
        return
    if mode in ("linear", "bilinear", "trilinear") and n in (3, 4, 5):
        raise NotImplementedError(f"Got {n}D input, but {mode} mode needs {_DIMS[mode]}D input")
    raise NotImplementedError(
        f"Input Error: Only 3D, 4D and 5D input Tensors supported (got {n}D) for the modes: "
        "nearest | linear | bilinear | bicubic | trilinear | lanczos | area | nearest-exact "
        f"(got {mode})"
    )


def _sizes(input: Tensor, size: int | Sequence[int]) -> list[int]:
    n = input.dim() - 2
    if not isinstance(size, (list, tuple)):
        return [size] * n  # type: ignore[list-item]
    if len(size) != n:
        raise ValueError(
            "Input and output must have the same number of spatial dimensions, but got input with "
            f"spatial dimensions of {list(input.shape[2:])} and output size of {size}. Please "
            "provide input tensor in (N, C, d1, d2, ...,dK) format and output size in (o1, o2, "
            "...,oK) format."
        )
    if not all(isinstance(x, int) for x in size):
        raise TypeError(
            "expected size to be one of int or Tuple[int] or Tuple[int, int] or Tuple[int, int, "
            f"int], but got size with types {[type(x) for x in size]}"
        )
    return list(size)


def _factors(input: Tensor, scale_factor: float | Sequence[float]) -> list[float]:
    n = input.dim() - 2
    if not isinstance(scale_factor, (list, tuple)):
        return [float(scale_factor)] * n  # type: ignore[arg-type]
    if len(scale_factor) != n:
        raise ValueError(
            "Input and scale_factor must have the same number of spatial dimensions, but got input "
            f"with spatial dimensions of {list(input.shape[2:])} and scale_factor of shape "
            f"{scale_factor}. Please provide input tensor in (N, C, d1, d2, ...,dK) format and "
            "scale_factor in (s1, s2, ...,sK) format."
        )
    return [float(x) for x in scale_factor]


def interpolate(
    input: Tensor,
    size: int | Sequence[int] | None = None,
    scale_factor: float | Sequence[float] | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:
    """Resizes the dimensions behind (N, C) to ``size``, or by ``scale_factor``.

    Args:
        input: (N, C, L), (N, C, H, W) or (N, C, D, H, W), floating or uint8.
        mode: ``"nearest"``, ``"nearest-exact"``, ``"area"``, ``"linear"`` (3-D), ``"bilinear"``
            and ``"bicubic"`` (4-D), ``"trilinear"`` (5-D), ``"lanczos"`` (4-D, antialiased).
        align_corners: whether the outermost elements stay where they are (linear and cubic).
        recompute_scale_factor: whether positions follow from the sizes and not from scale_factor.
        antialias: filters that widen where the input shrinks (bilinear, bicubic, lanczos).

    >>> import d2lcore as torch
    >>> torch.nn.functional.interpolate(torch.tensor([[[1.0, 2.0]]]), size=4)
    tensor([[[1., 1., 2., 2.]]])
    """
    if mode in _ANY and align_corners is not None:
        raise ValueError(
            "align_corners option can only be set with the interpolating modes: linear | bilinear "
            "| bicubic | trilinear"
        )
    if size is not None and scale_factor is not None:
        raise ValueError("only one of size or scale_factor should be defined")
    scales: list[float] | None = None
    if size is not None:
        if recompute_scale_factor:
            raise ValueError("recompute_scale_factor is not meaningful with an explicit size.")
        sizes = _sizes(input, size)
    elif scale_factor is not None:
        scales = _factors(input, scale_factor)
        sizes = [int(n * s) for n, s in zip(input.shape[2:], scales, strict=True)]
        if mode == "area" or recompute_scale_factor:
            scales = None
    else:
        raise ValueError("either size or scale_factor should be defined")
    _check_mode(input, mode, bool(align_corners), antialias)
    out: Tensor = _C._nn.interpolate_to(input, sizes, scales, mode, bool(align_corners), antialias)
    return out


def upsample(
    input: Tensor,
    size: int | Sequence[int] | None = None,
    scale_factor: float | Sequence[float] | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
) -> Tensor:
    """The older name of `interpolate`.

    >>> import d2lcore as torch
    >>> torch.nn.functional.upsample(torch.ones(1, 1, 2), scale_factor=2).shape
    torch.Size([1, 1, 4])
    """
    return interpolate(input, size, scale_factor, mode, align_corners)


def upsample_nearest(
    input: Tensor,
    size: int | Sequence[int] | None = None,
    scale_factor: float | Sequence[float] | None = None,
) -> Tensor:
    """The older name of `interpolate` with mode ``"nearest"``.

    >>> import d2lcore as torch
    >>> torch.nn.functional.upsample_nearest(torch.ones(1, 1, 2), scale_factor=2).shape
    torch.Size([1, 1, 4])
    """
    return interpolate(input, size, scale_factor, mode="nearest")


def upsample_bilinear(
    input: Tensor,
    size: int | Sequence[int] | None = None,
    scale_factor: float | Sequence[float] | None = None,
) -> Tensor:
    """The older name of `interpolate` with mode ``"bilinear"`` and aligned corners.

    >>> import d2lcore as torch
    >>> torch.nn.functional.upsample_bilinear(torch.ones(1, 1, 2, 2), scale_factor=2).shape
    torch.Size([1, 1, 4, 4])
    """
    return interpolate(input, size, scale_factor, mode="bilinear", align_corners=True)


__all__ = [
    "interpolate",
    "upsample",
    "upsample_bilinear",
    "upsample_nearest",
]
