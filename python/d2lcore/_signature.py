"""inspect.Signature of an op, read from its schema."""

from __future__ import annotations

import inspect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def signature_of(op: Any) -> inspect.Signature:
    """Returns the signature of an op's first overload.

    Raises ValueError for an op of several overloads, as inspect does for what has no one signature.
    """
    lines = op.__doc__.split("\n\n")[0].splitlines()
    if len(lines) != 1:
        raise ValueError(f"{op.__name__} has {len(lines)} overloads; see its docstring")
    text = lines[0].rsplit(" -> ", 1)[0]
    inside = text[text.index("(") + 1 : -1]
    kind: Any = inspect.Parameter.POSITIONAL_OR_KEYWORD
    parameters = []
    for part in _split(inside):
        if part == "*":
            kind = inspect.Parameter.KEYWORD_ONLY
            continue
        name, _, default = part.partition("=")
        parameters.append(
            inspect.Parameter(
                name + "_" if name == "from" else name,
                kind,
                default=_value(default) if default else inspect.Parameter.empty,
            )
        )
    return inspect.Signature(parameters)


def _split(text: str) -> list[str]:
    parts, depth, start = [], 0, 0
    for i, c in enumerate(text):
        depth += (c == "[") - (c == "]")
        if c == "," and depth == 0:
            parts.append(text[start:i].strip())
            start = i + 1
    if text[start:].strip():
        parts.append(text[start:].strip())
    return parts


def _value(text: str) -> object:
    from ast import literal_eval

    try:
        return literal_eval(text)
    except (ValueError, SyntaxError):
        return text
