"""Switching gradients on and off: context managers that are decorators too."""

from __future__ import annotations

from d2lcore._C import _set_grad_enabled, _set_inference_mode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Any, TypeVar

    F = TypeVar("F", bound=Callable[..., Any])


class _GradMode:
    """Sets the mode on entry and restores it on exit; as a decorator, around each call."""

    __slots__ = ("_before", "_mode")
    _default = True

    def __init__(self) -> None:
        self._before: list[bool] = []
        self._mode = self._default

    def __new__(cls, function: object = None, *args: object, **kwargs: object) -> Any:
        self = object.__new__(cls)
        if callable(function):  # @torch.no_grad without parentheses
            self.__init__()  # type: ignore[misc]
            return self(function)
        return self

    def __enter__(self) -> None:
        self._before.append(_set_grad_enabled(self._mode))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        _set_grad_enabled(self._before.pop())

    def _again(self) -> _GradMode:
        return type(self)()

    def __call__(self, function: F) -> F:
        import functools
        import inspect

        if inspect.isgeneratorfunction(function):

            @functools.wraps(function)
            def generator(*args: Any, **kwargs: Any) -> Any:
                # The mode holds while the generator runs, not while it is suspended.
                with self._again():
                    running = function(*args, **kwargs)
                    sent: Any = None
                    action = running.send
                while True:
                    try:
                        with self._again():
                            value = action(sent)
                    except StopIteration as stop:
                        return stop.value
                    try:
                        sent = yield value
                        action = running.send
                    except GeneratorExit:
                        with self._again():
                            running.close()
                        raise
                    except BaseException as error:
                        sent, action = error, running.throw

            return generator  # type: ignore[return-value]

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            with self._again():
                return function(*args, **kwargs)

        return call  # type: ignore[return-value]


class no_grad(_GradMode):
    """Turns recording off inside a ``with`` block or a decorated function.

    >>> import d2lcore as torch
    >>> x = torch.ones(2, requires_grad=True)
    >>> with torch.no_grad():
    ...     y = x * 2
    >>> y.requires_grad
    False
    """

    __slots__ = ()
    _default = False


class enable_grad(_GradMode):
    """Turns recording on inside a ``with`` block or a decorated function.

    >>> import d2lcore as torch
    >>> x = torch.ones(2, requires_grad=True)
    >>> with torch.no_grad(), torch.enable_grad():
    ...     y = x * 2
    >>> y.requires_grad
    True
    """

    __slots__ = ()
    _default = True


class set_grad_enabled(_GradMode):
    """Sets recording on or off, at once and, as a context manager, until the block's end.

    Args:
        mode: whether operations are recorded.

    >>> import d2lcore as torch
    >>> with torch.set_grad_enabled(False):
    ...     torch.is_grad_enabled()
    False
    """

    __slots__ = ()

    def __new__(cls, mode: bool) -> Any:
        return object.__new__(cls)

    def __init__(self, mode: bool) -> None:
        self._mode = bool(mode)
        self._before = [_set_grad_enabled(self._mode)]

    def __enter__(self) -> None:
        _set_grad_enabled(self._mode)

    def _again(self) -> _GradMode:
        return set_grad_enabled(self._mode)

    def __call__(self, function: F) -> F:
        _set_grad_enabled(self._before.pop())  # a decorator sets nothing by itself
        return super().__call__(function)


class inference_mode(_GradMode):
    """As :class:`no_grad`, and what is made inside can never be part of a graph: such tensors count
    no versions, and outside they are neither written in place nor saved for a backward pass.
    ``inference_mode(False)`` leaves the mode for the length of the block.

    >>> import d2lcore as torch
    >>> with torch.inference_mode():
    ...     x = torch.ones(2)
    >>> x.is_inference()
    True
    """

    __slots__ = ()

    def __new__(cls, mode: object = True) -> Any:
        return _GradMode.__new__(cls, mode if callable(mode) else None)

    def __init__(self, mode: bool = True) -> None:
        self._before = []
        self._mode = not mode  # of the gradients

    def __enter__(self) -> None:
        self._before.append(_set_inference_mode(not self._mode))
        self._before.append(_set_grad_enabled(self._mode))

    def __exit__(self, *error: object) -> None:
        _set_grad_enabled(self._before.pop())
        _set_inference_mode(self._before.pop())

    def _again(self) -> _GradMode:
        return inference_mode(not self._mode)


__all__ = ["enable_grad", "inference_mode", "no_grad", "set_grad_enabled"]
