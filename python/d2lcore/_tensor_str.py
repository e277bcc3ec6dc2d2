"""How a tensor prints: PyTorch's text, character by character.

The idea: take the few numbers that will be shown (`_shown`), choose one format for all of them
(`_Format`), lay them out as nested brackets (`_layout`), and add what the numbers do not say
(`tensor_repr`: dtype, size, gradient).  Everything works on Python lists from ``tolist()``.
"""

from __future__ import annotations

import math

import d2lcore

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from d2lcore import Tensor

_PROFILES: dict[str, tuple[int, float, int, int]] = {
    # name: precision, threshold, edgeitems, linewidth
    "default": (4, 1000, 3, 80),
    "short": (2, 1000, 2, 80),
    "full": (4, math.inf, 3, 80),
}


class _Options:
    """The current settings; `set_printoptions` is the only writer."""

    precision: int = 4
    threshold: float = 1000
    edgeitems: int = 3
    linewidth: int = 80
    sci_mode: bool | None = None


_options = _Options()


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Sets how tensors print.

    Args:
        precision: digits after the decimal point (default 4).
        threshold: tensors with more elements than this are summarised (default 1000).
        edgeitems: items shown at each end of a summarised dimension (default 3).
        linewidth: characters per line (default 80).
        profile: ``"default"``, ``"short"`` or ``"full"``: sets the four above at once.
        sci_mode: True or False forces scientific notation on or off; None (what every call
            that leaves it out returns to) decides by the values.

    Example::

        >>> torch.set_printoptions(precision=2)
        >>> torch.tensor([1.12345])
        tensor([1.12])
        >>> torch.set_printoptions(profile="default")
    """
    if profile is not None and profile in _PROFILES:
        (
            _options.precision,
            _options.threshold,
            _options.edgeitems,
            _options.linewidth,
        ) = _PROFILES[profile]
    if precision is not None:
        _options.precision = precision
    if threshold is not None:
        _options.threshold = threshold
    if edgeitems is not None:
        _options.edgeitems = edgeitems
    if linewidth is not None:
        _options.linewidth = linewidth
    _options.sci_mode = sci_mode


def get_printoptions() -> dict[str, Any]:
    """Returns the settings of `set_printoptions` as a dictionary.

    Example::

        >>> torch._tensor_str.get_printoptions()["precision"]
        4
    """
    names = ("precision", "threshold", "edgeitems", "linewidth", "sci_mode")
    return {name: getattr(_options, name) for name in names}


class _Format:
    """One format for all real numbers of a tensor: fixed, whole (``3.``) or scientific."""

    def __init__(self, values: list[Any], floating: bool) -> None:
        self.spec = ""  # integers and bools: as Python prints them
        self.dot = False  # whole numbers of a float tensor end in a point
        self.width = 1
        if not floating:
            self.width = max((len(str(v)) for v in values), default=1)
            return
        # Only the finite values that are not zero decide; nan, inf and 0 follow.
        deciding = [v for v in values if v != 0 and math.isfinite(v)]
        self.spec, self.dot = ".0f", True
        if deciding:
            magnitudes = [abs(v) for v in deciding]
            low, high = min(magnitudes), max(magnitudes)
            whole = all(v.is_integer() for v in deciding)
            scientific = high / low > 1000.0 or high > 1.0e8 or (not whole and low < 1.0e-4)
            if _options.sci_mode is not None:
                scientific = _options.sci_mode
            if scientific or not whole:
                self.spec = f".{_options.precision}{'e' if scientific else 'f'}"
                self.dot = False
            self.width = max(len(format(v, self.spec)) for v in deciding) + self.dot

    def __call__(self, value: Any) -> str:
        text = format(value, self.spec) if self.spec else str(value)
        if self.dot and math.isfinite(value):
            text += "."
        return text.rjust(self.width)


class _ComplexFormat:
    """A complex number as ``real+imagj``; each part has a format of its own."""

    def __init__(self, values: list[Any]) -> None:
        self.real = _Format([v.real for v in values], True)
        self.imag = _Format([v.imag for v in values], True)
        self.width = self.real.width + self.imag.width + 1

    def __call__(self, value: Any) -> str:
        imag = self.imag(value.imag).lstrip() + "j"
        return self.real(value.real) + ("" if imag[0] in "+-" else "+") + imag


def _leaves(data: Any, depth: int) -> Iterator[Any]:
    if depth == 0:
        yield data
    elif depth == 1:
        yield from data
    else:
        for part in data:
            yield from _leaves(part, depth - 1)


def _shown(t: Tensor, summarise: bool) -> Any:
    """The values that will be printed, as nested lists: the ends of each long dimension."""
    edge = _options.edgeitems
    if summarise:
        for dim, size in enumerate(t.shape):
            if size > 2 * edge:
                ends = [t.narrow(dim, 0, edge), t.narrow(dim, size - edge, edge)]
                t = d2lcore.cat(ends, dim)
    return t.tolist()


def _layout(data: Any, shape: tuple[int, ...], fmt: Any, indent: int, summarise: bool) -> str:
    """Writes nested lists as brackets; `shape` is the whole tensor's, `data` may be its ends."""
    if not shape:
        return str(fmt(data))
    edge = _options.edgeitems
    cut = summarise and shape[0] > 2 * edge
    if len(shape) == 1:
        items = [fmt(v) for v in data]
        if cut:
            items[edge:edge] = [" ..."]
        per_line = max(1, (_options.linewidth - indent) // (fmt.width + 2))
        lines = [", ".join(items[i : i + per_line]) for i in range(0, len(items), per_line)]
        return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"
    parts = [_layout(part, shape[1:], fmt, indent + 1, summarise) for part in data]
    if cut:
        parts[edge:edge] = ["..."]
    return "[" + ("," + "\n" * (len(shape) - 1) + " " * (indent + 1)).join(parts) + "]"


def _is_default_dtype(dtype: Any) -> bool:
    """True where the printed numbers alone tell the dtype."""
    default = d2lcore.get_default_dtype()
    if dtype in (d2lcore.int64, d2lcore.bool, default):
        return True
    wide = default == d2lcore.float64
    return bool(dtype == (d2lcore.complex128 if wide else d2lcore.complex64))


def _contents(t: Tensor, indent: int) -> str:
    """The numbers of a tensor with at least one element."""
    summarise = t.numel() > _options.threshold
    shape = tuple(t.shape)
    if summarise and _options.edgeitems == 0:
        return "[...]"
    data = _shown(t, summarise)
    values = list(_leaves(data, len(shape)))
    fmt = _ComplexFormat(values) if t.is_complex() else _Format(values, t.is_floating_point())
    return _layout(data, shape, fmt, indent, summarise)


def tensor_repr(t: Tensor) -> str:
    """Returns the text of ``repr(t)``, the same as PyTorch's.

    Args:
        t: a tensor of any shape and dtype.

    Example::

        >>> print(torch.ones(2, 3))
        tensor([[1., 1., 1.],
                [1., 1., 1.]])
    """
    cls = type(t)
    plain = cls is d2lcore.Tensor or cls.__name__ == "Parameter"
    prefix = "tensor(" if plain else cls.__name__ + "("
    indent = len(prefix)
    values = t.detach()
    suffixes = []
    if t.device.type != "cpu":
        suffixes.append(f"device='{t.device}'")
    if t.numel() == 0:
        text = "[]"
        if t.dim() != 1:
            suffixes.append(f"size={tuple(t.shape)}")
        if t.dtype != d2lcore.get_default_dtype():
            suffixes.append(f"dtype={t.dtype}")
    else:
        text = _contents(values, indent)
        if _options.edgeitems == 0:
            suffixes.append(f"size={tuple(t.shape)}")
        if not _is_default_dtype(t.dtype):
            suffixes.append(f"dtype={t.dtype}")
    if t.grad_fn is not None:
        suffixes.append(f"grad_fn=<{t.grad_fn.name().rsplit('::', 1)[-1]}>")
    elif t.requires_grad:
        suffixes.append("requires_grad=True")

    out = prefix + text
    length = len(out) - out.rfind("\n") + 1
    for suffix in suffixes:
        if length + len(suffix) + 2 > _options.linewidth:
            out += ",\n" + " " * indent + suffix
            length = indent + len(suffix)
        else:
            out += ", " + suffix
            length += len(suffix) + 2
    return out + ")"


def tensor_format(t: Tensor, spec: str) -> str:
    """Returns ``format(t, spec)``: the number itself for a tensor without dimensions.

    Raises:
        TypeError: a tensor with dimensions got a format specification.

    Example::

        >>> f"{torch.tensor(3.14159):.2f}"
        '3.14'
    """
    if t.dim() == 0 and type(t) is d2lcore.Tensor:
        return format(t.item(), spec)
    return object.__format__(t, spec)
