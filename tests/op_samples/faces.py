"""What the op table says about each op: which faces it has, under which Python names."""

from __future__ import annotations

from functools import cache

FUNCTION, METHOD, INPLACE, OUT, NUMBERS, INPLACE_FUNCTION = 1, 2, 4, 8, 16, 32


@cache
def faces() -> dict[str, int]:
    """The faces of all rows of a name together; an in-place row alone is named ``op_``."""
    from d2lcore import _C

    found: dict[str, int] = {}
    for space, schema, face, _ in _C._op_rows():
        name = python_name(space, schema, face)
        found[name] = found.get(name, 0) | face
    return found


def python_name(space: str, schema: str, face: int) -> str:
    """The name under which Python finds a row."""
    name = schema.split("(", 1)[0].removeprefix(space + ".")
    if not face & (FUNCTION | METHOD):
        name += "_"
    return f"{space}.{name}" if space else name


@cache
def all_have_out(name: str) -> bool:
    """Whether every overload of the function takes ``out=``."""
    from d2lcore import _C

    rows = [r for r in _C._op_rows() if python_name(r[0], r[1], r[2]) == name and r[2] & FUNCTION]
    return all(r[2] & OUT for r in rows)
