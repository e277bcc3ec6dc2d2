"""finfo and iinfo: the limits of the dtypes."""

from __future__ import annotations

from d2lcore import _C

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# bits, eps, largest, smallest normal, resolution
_FLOATS: dict[str, tuple[int, float, float, float, float]] = {
    "float16": (16, 2.0**-10, 65504.0, 2.0**-14, 1e-3),
    "bfloat16": (16, 2.0**-7, (2 - 2.0**-7) * 2.0**127, 2.0**-126, 1e-2),
    "float32": (32, 2.0**-23, (2 - 2.0**-23) * 2.0**127, 2.0**-126, 1e-6),
    "float64": (64, 2.0**-52, (2 - 2.0**-52) * 2.0**1023, 2.0**-1022, 1e-15),
}


class finfo:
    """The limits of a floating dtype: bits, eps, max, min, tiny, smallest_normal, resolution.

    >>> import d2lcore as torch
    >>> torch.finfo(torch.float32).eps
    1.1920928955078125e-07
    """

    def __init__(self, type: Any = None) -> None:
        type = type or _C.get_default_dtype()
        name = str(type.to_real()).removeprefix("torch.")
        if name not in _FLOATS:
            raise TypeError(
                f"torch.finfo() requires a floating point input type. Use torch.iinfo to handle "
                f"'{type}'"
            )
        self.dtype = name
        self.bits, self.eps, self.max, self.tiny, self.resolution = _FLOATS[name]
        self.min = -self.max
        self.smallest_normal = self.tiny

    def __repr__(self) -> str:
        return (
            f"finfo(resolution={self.resolution:g}, min={self.min:g}, max={self.max:g}, "
            f"eps={self.eps:g}, smallest_normal={self.tiny:g}, tiny={self.tiny:g}, "
            f"dtype={self.dtype})"
        )


class iinfo:
    """The limits of an integer dtype: bits, max, min.

    >>> import d2lcore as torch
    >>> torch.iinfo(torch.int8).max
    127
    """

    def __init__(self, type: Any) -> None:
        if type.is_floating_point or type.is_complex or type == _C.bool:
            raise TypeError(
                f"torch.iinfo() requires an integer input type. Use torch.finfo to handle '{type}'"
            )
        self.dtype = str(type).removeprefix("torch.")
        self.bits = 8 * type.itemsize
        self.min = -(1 << (self.bits - 1)) if type.is_signed else 0
        self.max = (1 << (self.bits - type.is_signed)) - 1

    def __repr__(self) -> str:
        return f"iinfo(min={self.min:g}, max={self.max:g}, dtype={self.dtype})"
