"""Formulas as text and as LaTeX, for explanations."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

SUM, PRODUCT, POWER, ATOM = 1, 2, 3, 4


class Formula:
    """A formula in both notations, and how tightly its outermost operation binds."""

    def __init__(self, text: str, latex: str, binds: int = ATOM) -> None:
        self.text, self.latex, self.binds = text, latex, binds

    def inside(self, binds: int) -> Formula:
        """In parentheses, if an operation that binds so tightly needs them around it."""
        if self.binds >= binds:
            return self
        return Formula(f"({self.text})", f"\\left({self.latex}\\right)")

    def __str__(self) -> str:
        return self.text


def symbol(name: str) -> Formula:
    """A variable; digits at the end are an index."""
    stem = name.rstrip("0123456789")
    index = name[len(stem) :]
    return Formula(name, f"{stem}_{{{index}}}" if index else stem)


def number(value: float) -> Formula:
    """A constant, without a needless point."""
    whole = int(value) if float(value).is_integer() and abs(value) < 1e15 else value
    text = f"{whole:g}" if isinstance(whole, float) else str(whole)
    return Formula(text, text, ATOM if value >= 0 else SUM)


ONE = number(1)


def add(a: Formula, b: Formula) -> Formula:
    """a + b"""
    return Formula(f"{a.text} + {b.text}", f"{a.latex} + {b.latex}", SUM)


def sub(a: Formula, b: Formula) -> Formula:
    """a - b"""
    b = b.inside(PRODUCT)
    return Formula(f"{a.text} - {b.text}", f"{a.latex} - {b.latex}", SUM)


def neg(a: Formula) -> Formula:
    """-a"""
    a = a.inside(PRODUCT)
    return Formula(f"-{a.text}", f"-{a.latex}", SUM)


def mul(*factors: Formula) -> Formula:
    """The product, without factors of 1."""
    left = [f for f in factors if f.text != "1"]
    if len(left) < 2:
        return left[0] if left else ONE
    parts = [f.inside(PRODUCT) for f in left]
    return Formula(
        "·".join(f.text for f in parts), " \\cdot ".join(f.latex for f in parts), PRODUCT
    )


def div(a: Formula, b: Formula) -> Formula:
    """a / b"""
    text = f"{a.inside(PRODUCT).text}/{b.inside(POWER).text}"
    return Formula(text, f"\\frac{{{a.latex}}}{{{b.latex}}}", PRODUCT)


def power(a: Formula, b: Formula) -> Formula:
    """a to the b, without exponents of 1"""
    if b.text == "1":
        return a
    base = a.inside(ATOM)
    exponent = b.text if b.binds == ATOM else f"({b.text})"
    return Formula(f"{base.text}^{exponent}", f"{base.latex}^{{{b.latex}}}", POWER)


def call(name: str, *args: Formula, latex: str = "") -> Formula:
    """A function of arguments."""
    escaped = name.replace("_", "\\_")
    shown = latex or f"\\operatorname{{{escaped}}}"
    inner = ", ".join(a.latex for a in args)
    return Formula(
        f"{name}({', '.join(a.text for a in args)})", f"{shown}\\left({inner}\\right)", ATOM
    )


def root(a: Formula) -> Formula:
    """The square root."""
    return Formula(f"sqrt({a.text})", f"\\sqrt{{{a.latex}}}", ATOM)


def transpose(a: Formula) -> Formula:
    """a with its matrix dimensions exchanged."""
    a = a.inside(ATOM)
    return Formula(f"{a.text}ᵀ", f"{a.latex}^\\top", POWER)


def matmul(a: Formula, b: Formula) -> Formula:
    """The product of matrices, which does not commute."""
    a, b = a.inside(PRODUCT), b.inside(PRODUCT)
    return Formula(f"{a.text} {b.text}", f"{a.latex} \\, {b.latex}", PRODUCT)


def partial(y: Formula, x: Formula) -> Formula:
    """dy/dx among several variables."""
    return Formula(
        f"∂{y.text}/∂{x.text}", f"\\frac{{\\partial {y.latex}}}{{\\partial {x.latex}}}", POWER
    )


def total(y: Formula, x: Formula) -> Formula:
    """dy/dx along all ways."""
    return Formula(f"d{y.text}/d{x.text}", f"\\frac{{d {y.latex}}}{{d {x.latex}}}", POWER)


def total_sum(terms: Sequence[Formula]) -> Formula:
    """The sum of the terms, a minus instead of a plus before a negative one."""
    text = latex = ""
    for k, t in enumerate(terms):
        negative = t.text.startswith("-") and t.binds == SUM
        if k:
            text += " - " if negative else " + "
            latex += " - " if negative else " + "
            text += t.text[1:] if negative else t.text
            latex += t.latex[1:] if negative else t.latex
        else:
            text, latex = t.text, t.latex
    return Formula(text, latex, SUM if len(terms) > 1 else terms[0].binds)
