"""Anomaly mode: a backward pass that fails, or gives NaN, says which forward line is to blame."""

from __future__ import annotations

from d2lcore import _C

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def _trace() -> str:
    from traceback import format_stack

    return "".join(format_stack()[:-1])


def _report(name: str, trace: str | None, parents: list[tuple[str, str | None]]) -> None:
    from warnings import warn

    if not isinstance(trace, str):
        warn(
            f"Error detected in {name}. No forward pass information available. Enable detect "
            "anomaly during forward pass for more information.",
            stacklevel=2,
        )
        return
    warn(
        f"Error detected in {name}. Traceback of forward call that caused the error:\n{trace}",
        stacklevel=2,
    )
    for parent, above in parents:
        if not isinstance(above, str):
            warn(
                f"\n\nPrevious calculation was induced by {parent}. No forward pass information "
                "available. Enable detect anomaly during forward pass for more information.",
                stacklevel=2,
            )
            return
        warn(
            f"\n\nPrevious calculation was induced by {parent}. Traceback of forward call that "
            f"induced the previous calculation:\n{above}",
            stacklevel=2,
        )


class set_detect_anomaly:
    """Switches anomaly mode on or off, at once and, as a context manager, until the block's end.

    Args:
        mode: whether each node remembers the traceback of its forward call.
        check_nan: whether a gradient that is NaN is an error.

    >>> import d2lcore as torch
    >>> with torch.autograd.set_detect_anomaly(True, check_nan=False):
    ...     torch.is_anomaly_enabled()
    True
    """

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self._before = _C.is_anomaly_enabled(), _C.is_anomaly_check_nan_enabled()
        _C._set_anomaly(mode, check_nan, _trace, _report)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *error: object) -> None:
        _C._set_anomaly(*self._before, _trace, _report)


class detect_anomaly:
    """Inside the block, a backward pass that raises warns with the traceback of the forward call
    whose gradient it computed, and a gradient that is NaN raises.

    Args:
        check_nan: whether NaN raises.

    Raises:
        RuntimeError: a gradient is NaN; the message names the node.

    Recording tracebacks makes everything slow: it is for finding errors. For production, see
    :class:`d2lcore.errstate`.

    >>> import warnings, d2lcore as torch
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")  # the tracebacks
    ...     with torch.autograd.detect_anomaly():
    ...         x = torch.zeros(1, requires_grad=True)
    ...         try:
    ...             (x.sqrt() * 0).sum().backward()
    ...         except RuntimeError as error:
    ...             print(error)
    Function 'SqrtBackward0' returned nan values in its 0th output.
    """

    def __init__(self, check_nan: bool = True) -> None:
        from warnings import warn

        self.check_nan = check_nan
        self._inner: Any = None
        warn(
            "Anomaly Detection has been enabled. This mode will increase the runtime and should "
            "only be enabled for debugging.",
            stacklevel=2,
        )

    def __enter__(self) -> None:
        self._inner = set_detect_anomaly(True, self.check_nan)

    def __exit__(self, *error: object) -> None:
        self._inner.__exit__(*error)


__all__ = ["detect_anomaly", "set_detect_anomaly"]
