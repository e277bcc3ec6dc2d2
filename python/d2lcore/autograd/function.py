"""Ops of one's own: :class:`Function` has a forward and a backward pass written in Python.

The work is done in C (``cpp/bindings/function_type.cpp``). Each Function has a class for its
contexts, named after it: an instance is ``ctx`` in forward and in backward, and the result's
``grad_fn``.
"""

from __future__ import annotations

from d2lcore import _C
from d2lcore._C import Tensor, is_grad_enabled
from d2lcore._grad_mode import no_grad

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class FunctionCtx(_C._FunctionBase):
    """What forward and backward share: saved tensors, marks, and whatever forward stores in it."""

    saved_for_forward: tuple[Any, ...] | None = None

    def save_for_forward(self, *tensors: Any) -> None:
        """Keeps tensors for PyTorch's forward mode; here backward alone is differentiated."""
        self.saved_for_forward = tensors


class BackwardCFunction(FunctionCtx):
    """The class of which the contexts of a Function are instances."""

    _forward_cls: type[Function]

    def apply(self, *grads: Any) -> Any:  # type: ignore[override]
        """Runs the Function's backward."""
        cls = self._forward_cls
        backward = cls.backward if cls.vjp is Function.vjp else cls.vjp
        return backward(self, *grads)


class FunctionMeta(type):
    """Gives each Function the class of its contexts."""

    def __init__(cls, name: str, bases: tuple[type, ...], attrs: dict[str, Any]) -> None:
        super().__init__(name, bases, attrs)
        cls._backward_cls = type(
            name + "Backward",
            (BackwardCFunction,),
            {"_forward_cls": cls, "__module__": "d2lcore.autograd.function"},
        )


class Function(FunctionCtx, metaclass=FunctionMeta):
    """An op with a derivative of its own: subclass it, write ``forward`` and ``backward``, call
    ``apply``.

    ``forward(ctx, *args)`` computes the results, unrecorded; tensors that backward needs go through
    ``ctx.save_for_backward``. ``backward(ctx, *grads)`` gets a cotangent for each result and
    returns one for each argument, None for those that are no tensors. Made of differentiable ops,
    it can be differentiated again. Instead, ``forward(*args)`` may stand beside
    ``setup_context(ctx, inputs, output)``.

    >>> import d2lcore as torch
    >>> class Cube(torch.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x**3
    ...
    ...     @staticmethod
    ...     def backward(ctx, grad):
    ...         (x,) = ctx.saved_tensors
    ...         return 3 * x**2 * grad
    >>> x = torch.tensor(2.0, requires_grad=True)
    >>> y = Cube.apply(x)
    >>> y
    tensor(8., grad_fn=<CubeBackward>)
    >>> y.backward()
    >>> x.grad
    tensor(12.)
    """

    generate_vmap_rule = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        from warnings import warn

        warn(
            f"{self.__class__} should not be instantiated. Methods on autograd functions are all "
            "static, so you should invoke them on the class itself. Instantiating an autograd "
            "function will raise an error in a future version of PyTorch.",
            DeprecationWarning,
            stacklevel=2,
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError(
            "Legacy autograd function with non-static forward method is deprecated. Please use "
            "new-style autograd function with static forward method. (Example: "
            "https://pytorch.org/docs/stable/autograd.html#torch.autograd.Function)"
        )

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """Computes the results from ``ctx`` and the arguments, or from the arguments alone."""
        raise NotImplementedError(
            "You must implement the forward function for custom autograd.Function."
        )

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> Any:
        """Saves what backward needs, for a forward that takes no ``ctx``."""
        raise NotImplementedError("setup_context is not implemented.")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """Returns a cotangent for each argument of forward, given one for each result."""
        raise NotImplementedError(
            "You must implement either the backward or vjp method for your custom "
            "autograd.Function to use it with backward mode AD."
        )

    vjp = backward

    @staticmethod
    def jvp(ctx: Any, *grad_inputs: Any) -> Any:
        """PyTorch's forward-mode rule; here :func:`torch.func.jvp` derives it from backward."""
        raise NotImplementedError(
            "You must implement the jvp function for custom autograd.Function to use it with "
            "forward mode AD."
        )

    @staticmethod
    def vmap(info: Any, in_dims: Any, *args: Any) -> Any:
        """Computes a batch: takes its ``info`` and ``in_dims``; returns results and out_dims."""
        raise NotImplementedError(
            "To use autograd.Function with vmap, you must either override the vmap static method "
            "or set generate_vmap_rule=True."
        )


def _bind_arguments(
    forward: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], separate: bool
) -> tuple[Any, ...]:
    """The arguments by position; ``separate``: forward takes no ctx, and defaults count too."""
    from inspect import signature

    bound = signature(forward).bind(*(args if separate else (None, *args)), **kwargs)
    if separate:
        bound.apply_defaults()
    return bound.args if separate else bound.args[1:]


class DelayedError(Function):
    """Hands tensors on; going back through it is an error."""

    @staticmethod
    def forward(ctx: Any, message: str, *tensors: Any) -> Any:
        ctx.message = message
        return tuple(t if t is None else t.detach() for t in tensors)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        raise RuntimeError(ctx.message)


DelayedError._backward_cls.__name__ = "DelayedError"


def once_differentiable(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Decorates a ``backward`` that cannot be differentiated: trying to is an error.

    >>> import d2lcore as torch
    >>> class Double(torch.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         return x * 2
    ...
    ...     @staticmethod
    ...     @torch.autograd.function.once_differentiable
    ...     def backward(ctx, grad):
    ...         return grad * 2
    """
    from functools import wraps

    @wraps(fn)
    def wrapper(ctx: Any, *args: Any) -> Any:
        with no_grad():
            outputs = fn(ctx, *args)
        needed = any(isinstance(a, Tensor) and a.requires_grad for a in args)
        if not needed or not is_grad_enabled():
            return outputs
        results = outputs if isinstance(outputs, tuple) else (outputs,)
        # Results that seem to depend on the arguments, so that somebody asks DelayedError.
        linked = DelayedError.apply(
            "trying to differentiate twice a function that was marked with @once_differentiable",
            *(r if r is None else r.detach().requires_grad_() for r in results),
        )
        return linked if isinstance(outputs, tuple) else linked[0]

    return wrapper


_C._set_function_defaults(Function.setup_context, Function.backward, _bind_arguments)

__all__ = ["BackwardCFunction", "Function", "FunctionCtx", "FunctionMeta", "once_differentiable"]
