"""Trading time for memory: :func:`checkpoint` keeps a function's inputs instead of what its ops
save, and runs it again when a backward pass needs that.

Without reentrance, hooks replace each saved tensor by its number; the first one that is asked for
runs the function again, under hooks that keep the tensors, until the last has come.
"""

from __future__ import annotations

import contextlib

from d2lcore import _C
from d2lcore._C import Tensor
from d2lcore._grad_mode import enable_grad, no_grad
from d2lcore.autograd import backward
from d2lcore.autograd.function import Function
from d2lcore.autograd.graph import saved_tensors_hooks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager
    from typing import Any

# What set_checkpoint_early_stop set, innermost last.
_early_stop: list[bool] = []


class CheckpointError(RuntimeError):
    """The function did something else when it was run again."""


class _Enough(Exception):
    """Stops a second run that has saved all that is needed."""


def noop_context_fn() -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
    """Two context managers that do nothing: the default ``context_fn``."""
    return contextlib.nullcontext(), contextlib.nullcontext()


@contextlib.contextmanager
def set_checkpoint_early_stop(enable: bool) -> Iterator[None]:
    """Inside the block, whether a second run stops once all saved tensors are there.

    >>> import d2lcore as torch
    >>> with torch.utils.checkpoint.set_checkpoint_early_stop(False):
    ...     pass
    """
    _early_stop.append(enable)
    try:
        yield
    finally:
        _early_stop.pop()


@contextlib.contextmanager
def _random_state(state: Tensor | None) -> Iterator[None]:
    """Draws as if from ``state`` inside, and leaves the generator as it was."""
    if state is None:
        yield
        return
    now = _C.default_generator.get_state()
    _C.default_generator.set_state(state)
    try:
        yield
    finally:
        _C.default_generator.set_state(now)


def detach_variable(inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """The inputs outside of the graph, each tensor with the flag that it has."""
    out = []
    for x in inputs:
        if isinstance(x, Tensor):
            apart = x.detach()
            apart.requires_grad = x.requires_grad
            out.append(apart)
        else:
            out.append(x)
    return tuple(out)


class CheckpointFunction(Function):
    """The reentrant form: a node whose backward runs forward and backward of the function."""

    @staticmethod
    def forward(ctx: Any, run_function: Any, preserve: bool, *args: Any) -> Any:
        ctx.run_function = run_function
        ctx.state = _C.default_generator.get_state() if preserve else None
        ctx.args = [None if isinstance(a, Tensor) else a for a in args]
        ctx.places = [i for i, a in enumerate(args) if isinstance(a, Tensor)]
        ctx.save_for_backward(*(args[i] for i in ctx.places))
        with no_grad():
            return run_function(*args)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        if _C._current_run_is_restricted():
            raise RuntimeError(
                "When use_reentrant=True, torch.utils.checkpoint is incompatible with .grad() or "
                "passing an `inputs` parameter to .backward(). To resolve this error, you can "
                "either set use_reentrant=False, or call .backward() without passing the `inputs` "
                "argument."
            )
        args = list(ctx.args)
        for place, tensor in zip(ctx.places, ctx.saved_tensors, strict=True):
            args[place] = tensor
        apart = detach_variable(tuple(args))
        with _random_state(ctx.state), enable_grad():
            outputs = ctx.run_function(*apart)
        if isinstance(outputs, Tensor):
            outputs = (outputs,)
        pairs = [
            (o, g)
            for o, g in zip(outputs, grads, strict=True)
            if isinstance(o, Tensor) and o.requires_grad
        ]
        if not pairs:
            raise RuntimeError(
                "none of output has requires_grad=True, this checkpoint() is not necessary"
            )
        backward([o for o, _ in pairs], [g for _, g in pairs])
        return (None, None, *(a._grad if isinstance(a, Tensor) else None for a in apart))


class _Frame:
    """One checkpointed call: how to run it again, and what the last second run saved."""

    def __init__(self, run: Callable[[], Any], early_stop: bool, check: bool) -> None:
        self.run, self.early_stop, self.check = run, early_stop, check
        self.metadata: list[dict[str, Any]] = []
        self.pass_number = -2
        self.again: dict[int, Tensor] = {}
        self.recomputed = 0

    @staticmethod
    def describe(t: Tensor) -> dict[str, Any]:
        return {"shape": t.shape, "dtype": t.dtype, "device": t.device}

    def pack(self, t: Tensor) -> int:
        self.metadata.append(self.describe(t))
        return len(self.metadata) - 1

    def unpack(self, number: int) -> Tensor:
        current = _C._current_graph_task_id()
        # A tensor that was taken out is asked for again by another pass, or outside of any.
        if current != self.pass_number or current < 0 or number not in self.again:
            self.recompute()
            self.pass_number = current
        return self.again.pop(number)

    def recompute(self) -> None:
        self.again, self.recomputed = {}, 0
        found: list[dict[str, Any]] = []

        def keep(t: Tensor) -> Tensor:
            t = t.detach()
            self.again[self.recomputed] = t
            self.recomputed += 1
            found.append(self.describe(t))
            if self.early_stop and self.recomputed == len(self.metadata):
                raise _Enough
            return t

        with contextlib.suppress(_Enough), saved_tensors_hooks(keep, lambda t: t), enable_grad():
            self.run()
        if self.recomputed != len(self.metadata):
            raise CheckpointError(
                "torch.utils.checkpoint: A different number of tensors was saved during the "
                "original forward and recomputation.\n"
                f"Number of tensors saved during forward: {len(self.metadata)}\n"
                f"Number of tensors saved during recomputation: {self.recomputed}."
            )
        if not self.check:
            return
        other = [i for i, (a, b) in enumerate(zip(self.metadata, found, strict=True)) if a != b]
        if other:
            raise CheckpointError(
                "torch.utils.checkpoint: Recomputed values for the following tensors have "
                "different metadata than during the forward pass.\n"
                + "".join(
                    f"tensor at position {i}:\nsaved metadata: {self.metadata[i]}\n"
                    f"recomputed metadata: {found[i]}\n"
                    for i in other
                )
            )


def _without_reentrance(
    function: Callable[..., Any],
    preserve: bool,
    contexts: tuple[Any, Any],
    check: bool,
    early_stop: bool,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Any:
    state = _C.default_generator.get_state() if preserve else None
    forward_context, second_context = contexts

    def run() -> Any:
        with _random_state(state), second_context:
            return function(*args, **kwargs)

    frame = _Frame(run, early_stop, check)
    with saved_tensors_hooks(frame.pack, frame.unpack), forward_context:
        return function(*args, **kwargs)


def checkpoint(
    function: Callable[..., Any],
    *args: Any,
    use_reentrant: bool | None = None,
    context_fn: Callable[[], tuple[Any, Any]] = noop_context_fn,
    determinism_check: str = "default",
    debug: bool = False,
    early_stop: bool = True,
    **kwargs: Any,
) -> Any:
    """Runs ``function(*args, **kwargs)`` without keeping what its ops save; a backward pass runs it
    again.

    Args:
        function: takes tensors and whatever else.
        use_reentrant: False (recommended) recomputes inside hooks of saved tensors; True makes one
            node that runs a backward pass of its own, which knows neither ``torch.autograd.grad``
            nor keyword arguments. Must be given; PyTorch's default of True holds, with a warning.
        preserve_rng_state: (keyword, True) whether the second run draws the same random numbers.
        context_fn: returns context managers for the first and for the second run.
        determinism_check: "default" compares shapes and dtypes of both runs, "none" does not.
        debug: as in PyTorch, without effect.
        early_stop: stop the second run once everything needed is there.

    Raises:
        CheckpointError: the second run saved other tensors than the first.
        ValueError: keyword arguments with ``use_reentrant=True``.

    >>> import d2lcore as torch
    >>> from d2lcore.utils.checkpoint import checkpoint
    >>> x = torch.ones(2, requires_grad=True)
    >>> y = checkpoint(lambda t: (t * t).exp(), x, use_reentrant=False)
    >>> y.sum().backward()
    >>> x.grad
    tensor([5.4366, 5.4366])
    """
    if use_reentrant is None:
        from warnings import warn

        warn(
            "torch.utils.checkpoint: the use_reentrant parameter should be passed explicitly. "
            "Starting in PyTorch 2.9, calling checkpoint without use_reentrant will raise an "
            "exception. use_reentrant=False is recommended, but if you need to preserve the "
            "current default behavior, you can pass use_reentrant=True. Refer to docs for more "
            "details on the differences between the two variants.",
            stacklevel=2,
        )
        use_reentrant = True
    preserve = kwargs.pop("preserve_rng_state", True)
    if use_reentrant:
        if kwargs:
            raise ValueError("Unexpected keyword arguments: " + ",".join(arg for arg in kwargs))
        if context_fn is not noop_context_fn or debug:
            raise ValueError(
                "Passing `context_fn` or `debug` is only supported when use_reentrant=False."
            )
        if not any(isinstance(a, Tensor) and a.requires_grad for a in args):
            from warnings import warn

            warn("None of the inputs have requires_grad=True. Gradients will be None", stacklevel=2)
        return CheckpointFunction.apply(function, preserve, *args)
    if determinism_check not in ("default", "none"):
        raise ValueError(
            f"determinism_check should be one of ['default', 'none'], but got {determinism_check}"
        )
    if not _C.is_grad_enabled():
        return function(*args, **kwargs)
    stop = _early_stop[-1] if _early_stop else early_stop
    check = determinism_check == "default"
    return _without_reentrance(function, preserve, context_fn(), check, stop, args, kwargs)


def checkpoint_sequential(
    functions: Any, segments: int, input: Any, use_reentrant: bool | None = None, **kwargs: Any
) -> Any:
    """Runs a chain of modules in ``segments`` parts, each but the last through :func:`checkpoint`.

    Args:
        functions: a ``Sequential``, or modules and functions in order.
        segments: into how many parts to divide it.
        input: what the first one takes.
        use_reentrant: as in :func:`checkpoint`.

    >>> import d2lcore as torch
    >>> from d2lcore.utils.checkpoint import checkpoint_sequential
    >>> net = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.ReLU(), torch.nn.Linear(3, 1))
    >>> checkpoint_sequential(net, 2, torch.ones(4, 2), use_reentrant=False).shape
    torch.Size([4, 1])
    """
    if use_reentrant is None:
        from warnings import warn

        warn(
            "torch.utils.checkpoint.checkpoint_sequential: the use_reentrant parameter should be "
            "passed explicitly. In version 2.9 we will raise an exception if use_reentrant is not "
            "passed. use_reentrant=False is recommended, but if you need to preserve the current "
            "default behavior, you can pass use_reentrant=True. Refer to docs for more details on "
            "the differences between the two variants.",
            stacklevel=2,
        )
        use_reentrant = True
    preserve = kwargs.pop("preserve_rng_state", True)
    if kwargs:
        raise ValueError("Unexpected keyword arguments: " + ",".join(arg for arg in kwargs))
    steps = list(functions.children() if hasattr(functions, "children") else functions)

    def part(some: Iterable[Any]) -> Callable[[Any], Any]:
        def run(x: Any) -> Any:
            for step in some:
                x = step(x)
            return x

        return run

    size = len(steps) // segments
    for k in range(segments - 1):
        input = checkpoint(
            part(steps[k * size : (k + 1) * size]),
            input,
            use_reentrant=use_reentrant,
            preserve_rng_state=preserve,
        )
    return part(steps[(segments - 1) * size :])(input)


__all__ = [
    "CheckpointError",
    "CheckpointFunction",
    "checkpoint",
    "checkpoint_sequential",
    "detach_variable",
    "noop_context_fn",
    "set_checkpoint_early_stop",
]
