"""`errstate`: what happens when a result is not finite, where it happens first."""

from __future__ import annotations

import sys
from os.path import dirname

from d2lcore import _C

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_HERE = dirname(__file__)
_MODES = ("ignore", "warn", "raise")
_current = {"nan": "ignore", "inf": "ignore"}


def _user_line() -> str:
    """File and line of the innermost call outside of this package, and its text."""
    frame: Any = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(_HERE):
        frame = frame.f_back
    return "" if frame is None else _quote(frame.f_code.co_filename, frame.f_lineno)


def _quote(file: str, line: int) -> str:
    from linecache import getline

    text = getline(file, line).strip()
    return f"{file}:{line}" + (f": {text}" if text else "")


def _report(
    op: str,
    kind: str,
    index: tuple[int, ...],
    shape: tuple[int, ...],
    arguments: list[tuple[int, ...]],
    node: Any,
) -> None:
    mode = _current[kind]
    if mode == "ignore":
        return
    if node is None:
        given = ", ".join(map(str, map(list, arguments)))
        what = f"{op}: the result, of shape {list(shape)}, has {kind} at index {list(index)}"
        what += f" (arguments of shapes {given})" if arguments else ""
        where = f"\n  at {_user_line()}"
    else:
        what = f"{op}: the gradient, of shape {list(shape)}, has {kind} at index {list(index)}"
        note = _C._node_note(node)
        where = f"\n  computed for {_quote(*note)}" if isinstance(note, tuple) else ""
    if mode == "raise":
        raise FloatingPointError(what + where)
    from warnings import warn

    warn(what + where, RuntimeWarning, stacklevel=3)


class errstate:
    """Inside the block (or a decorated function), looks at what each op returns and at each
    gradient of a backward pass.

    Args:
        nan: what to do about NaN: "ignore", "warn" (RuntimeWarning) or "raise"
            (FloatingPointError); by default what it was.
        inf: the same for infinities.

    The message names the op, the shapes, the index and the line of your code: for a gradient the
    line of the forward call, if that was inside such a block too. Results are checked while they
    are in cache; outside of such blocks nothing is done at all. Memory that is not initialised
    (``empty``) is not looked at. The modes belong to the process, the looking to the thread.

    >>> import d2lcore as torch
    >>> with torch.errstate(nan="raise"):
    ...     try:
    ...         torch.tensor([1.0, -1.0]).sqrt()
    ...     except FloatingPointError as error:
    ...         print(str(error).splitlines()[0])
    sqrt: the result, of shape [2], has nan at index [1] (arguments of shapes [2])
    """

    def __init__(self, *, nan: str | None = None, inf: str | None = None) -> None:
        for name, mode in (("nan", nan), ("inf", inf)):
            if mode is not None and mode not in _MODES:
                raise ValueError(f"errstate: {name} must be one of {_MODES}, not {mode!r}")
        self._wanted = {k: v for k, v in (("nan", nan), ("inf", inf)) if v is not None}
        self._before: list[tuple[dict[str, str], tuple[bool, bool]]] = []

    def __enter__(self) -> None:
        before = dict(_current)
        _current.update(self._wanted)
        on = [_current[kind] != "ignore" for kind in ("nan", "inf")]
        self._before.append((before, _C._set_number_checks(*on, _report)))

    def __exit__(self, *error: object) -> None:
        before, checks = self._before.pop()
        _current.update(before)
        _C._set_number_checks(*checks, _report)

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        from functools import wraps

        @wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            with errstate(**self._wanted):
                return function(*args, **kwargs)

        return wrapped


__all__ = ["errstate"]
