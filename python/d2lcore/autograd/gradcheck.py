"""Checking derivatives against finite differences: :func:`gradcheck` and :func:`gradgradcheck`.

A complex output is checked as two real ones, its real and its imaginary part. The gradient of a
real function of complex ``x + iy`` is ``df/dx + i df/dy``, PyTorch's convention.
"""

from __future__ import annotations

from itertools import product

from d2lcore import _C, autograd
from d2lcore._C import Tensor
from d2lcore._grad_mode import enable_grad, no_grad
from d2lcore.autograd.function import Function

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any


class GradcheckError(RuntimeError):
    """A derivative is not what finite differences say."""


NOT_REENTRANT = (
    "Backward is not reentrant, i.e., running backward with same input and grad_output multiple "
    "times gives different values, although analytical gradient matches numerical gradient."
    "The tolerance for nondeterminism was {}."
)


def _differentiable(x: Any) -> bool:
    return isinstance(x, Tensor) and (x.is_floating_point() or x.is_complex())


def _tensors(outputs: Any) -> list[Tensor]:
    """The differentiable tensors among the outputs."""
    if isinstance(outputs, Tensor):
        outputs = (outputs,)
    return [o for o in outputs if _differentiable(o) and o.requires_grad]


def _check_inputs(inputs: Sequence[Any]) -> None:
    wanted = False
    for i, x in enumerate(inputs):
        if not (isinstance(x, Tensor) and x.requires_grad):
            continue
        wanted = True
        if x.dtype not in (_C.float64, _C.complex128):
            from warnings import warn

            warn(
                f"Input #{i} requires gradient and is not a double precision floating point or "
                "complex. This check will likely fail if all the inputs are not of double "
                "precision floating point or complex. ",
                stacklevel=3,
            )
        if any(step == 0 and size > 1 for step, size in zip(x.stride(), x.shape, strict=True)):
            raise RuntimeError(
                f"The {i}th input has a dimension with stride 0. gradcheck only supports inputs "
                "that are non-overlapping to be able to compute the numerical gradients correctly. "
                "You should call .contiguous on the input before passing it to gradcheck."
            )
    if not wanted:
        raise ValueError(
            "gradcheck expects at least one input tensor to require gradient, but none of them "
            "have requires_grad=True."
        )


class _Parts:
    """The outputs of a function as real tensors: a complex one is its real or imaginary part."""

    def __init__(self, func: Callable[..., Any], inputs: Sequence[Any]) -> None:
        self.func, self.inputs = func, inputs
        outputs = func(*inputs)
        listed = (outputs,) if isinstance(outputs, Tensor) else tuple(outputs)
        # Which outputs are differentiated is decided once: numerical ones are computed unrecorded.
        self.places = [i for i, o in enumerate(listed) if _differentiable(o) and o.requires_grad]
        self.constant = [
            i for i, o in enumerate(listed) if _differentiable(o) and not o.requires_grad
        ]
        self.parts: list[tuple[int, str]] = []
        for k, i in enumerate(self.places):
            self.parts += [(k, "imag"), (k, "real")] if listed[i].is_complex() else [(k, "")]

    def values(self, places: list[int]) -> list[Tensor]:
        outputs = self.func(*self.inputs)
        listed = (outputs,) if isinstance(outputs, Tensor) else tuple(outputs)
        return [listed[i] for i in places]

    def real(self) -> list[Tensor]:
        found = self.values(self.places)
        return [getattr(found[k], part) if part else found[k] for k, part in self.parts]

    def words(self, index: int) -> str:
        """What messages say first about a part."""
        name = {"": "", "real": "real", "imag": "imaginary"}[self.parts[index][1]]
        return f"While considering the {name} part of complex outputs only, " if name else ""


def _steps(x: Tensor) -> Iterator[tuple[tuple[int, ...], complex]]:
    """Each element of x and each direction in which it may move."""
    for place in product(*(range(n) for n in x.shape)):
        yield place, 1.0
        if x.is_complex():
            yield place, 1j


def _numerical(fn: Callable[[], list[Tensor]], x: Tensor, eps: float) -> list[Tensor]:
    """The Jacobian of each part by x, of shape (x's elements, the part's elements)."""
    memory = x.detach()
    rows: list[list[Tensor]] = []
    with no_grad():
        for place, direction in _steps(x):
            before = memory[place].item()
            ends = []
            for sign in (-1, 1):
                memory[place] = before + sign * eps * direction
                ends.append([y.clone().reshape(-1) for y in fn()])
            memory[place] = before
            rows.append([(b - a) / (2 * eps) for a, b in zip(*ends, strict=True)])
        found = []
        for part in range(len(rows[0]) if rows else len(fn())):
            if not rows:
                found.append(_C.zeros(0, 0, dtype=x.dtype))
                continue
            table = _C.stack([r[part] for r in rows])
            if x.is_complex():
                table = _C.complex(table[0::2].contiguous(), table[1::2].contiguous())
            found.append(table)
    return found


def _analytical(y: Tensor, inputs: list[Tensor]) -> list[Tensor]:
    """The same for one part, by backward: a column for each element of y."""
    rows = _C._jacobian(y, inputs, False)
    return [
        _C.zeros(x.numel(), y.numel(), dtype=x.dtype)
        if g is None
        else g.reshape(y.numel(), x.numel()).t()
        for g, x in zip(rows, inputs, strict=True)
    ]


def _mismatch(words: str, output: int, index: int, numerical: Any, analytical: Any) -> str:
    text = f"Jacobian mismatch for output {output} with respect to input {index},"
    return f"{words}{text}\nnumerical:{numerical}\nanalytical:{analytical}\n"


def _close(a: Tensor, b: Tensor, rtol: float, atol: float) -> bool:
    dtype = _C.promote_types(a.dtype, b.dtype)
    return _C.allclose(a.to(dtype), b.to(dtype), rtol, atol)


class _Check:
    """One call of gradcheck, slow or fast."""

    def __init__(
        self, parts: _Parts, inputs: Sequence[Any], eps: float, rtol: float, atol: float
    ) -> None:
        self.parts, self.eps, self.rtol, self.atol = parts, eps, rtol, atol
        wanted = [(i, x) for i, x in enumerate(inputs) if isinstance(x, Tensor) and x.requires_grad]
        self.places = [i for i, _ in wanted]
        self.tensors = [x for _, x in wanted]

    def constants(self) -> None:
        """Outputs that require no gradient must not depend on the inputs."""
        for i in self.parts.constant:
            for x in self.tensors:
                for table in _numerical(lambda i=i: self.parts.values([i]), x, self.eps):  # type: ignore[misc]
                    if not _close(table, _C.zeros_like(table), 0.0, self.atol):
                        raise GradcheckError("Numerical gradient for function expected to be zero")

    def slow(self, nondet_tol: float) -> None:
        numerical = [_numerical(self.parts.real, x, self.eps) for x in self.tensors]
        for part, y in enumerate(self.parts.real()):
            first = _analytical(y, self.tensors)
            again = _analytical(y, self.tensors)
            for k, (a, b) in enumerate(zip(first, again, strict=True)):
                n = numerical[k][part].to(a.dtype)
                if not _close(a, n, self.rtol, self.atol):
                    raise GradcheckError(
                        _mismatch(
                            self.parts.words(part), self.parts.parts[part][0], self.places[k], n, a
                        )
                    )
                if a.numel() and (a - b).abs().max().item() > nondet_tol:
                    raise GradcheckError(NOT_REENTRANT.format(nondet_tol))

    def fast(self, nondet_tol: float) -> None:
        """Compares u . J v for random u and v instead of J."""
        generator = _C.Generator()
        generator.manual_seed(0)

        def unit(t: Tensor) -> Tensor:
            v = _C.randn(t.shape, generator=generator, dtype=t.dtype)
            return v / v.norm().clamp(min=1e-12) if t.numel() else v

        weights = [unit(y.detach()) for y in self.parts.real()]
        for k, x in enumerate(self.tensors):
            u, memory = unit(x.detach()), x.detach()
            before = memory.clone()
            with no_grad():
                ends = []
                for sign in (-1, 1):
                    memory.copy_(before + sign * self.eps * u)
                    ends.append([y.clone() for y in self.parts.real()])
                memory.copy_(before)
            for part, y in enumerate(self.parts.real()):
                v = weights[part]
                n = ((ends[1][part] - ends[0][part]) / (2 * self.eps) * v).sum()
                twice = [
                    autograd.grad(y, x, v, retain_graph=True, allow_unused=True)[0]
                    for _ in range(2)
                ]
                first, again = (
                    _C.zeros_like(n) if g is None else (g.conj() * u).real.sum() for g in twice
                )
                if not _close(first, n, self.rtol, self.atol):
                    slow_n = _numerical(self.parts.real, x, self.eps)[part]
                    slow_a = _analytical(self.parts.real()[part], [x])[0]
                    raise GradcheckError(
                        _mismatch(
                            self.parts.words(part), self.parts.parts[part][0], self.places[k],
                            n.item(), first.item(),
                        )
                        + "\nThe above quantities relating the numerical and analytical jacobians "
                        "are computed \nin fast mode. Below, we recompute numerical and analytical "
                        f"jacobians in slow mode:\n\nNumerical:\n {slow_n}\nAnalytical:\n{slow_a}\n"
                        "\nThe max per-element difference (slow mode) is: "
                        f"{(slow_n - slow_a).abs().max().item()}.\n"
                    )  # fmt: skip
                if (first - again).abs().item() > nondet_tol:
                    raise GradcheckError(NOT_REENTRANT.format(nondet_tol))

    def scaled(self, outputs: list[Tensor]) -> None:
        """A zero cotangent gives zero gradients, of the inputs' dtype and shape."""
        zeros = [_C.zeros_like(o) for o in outputs]
        found = autograd.grad(outputs, self.tensors, zeros, retain_graph=True, allow_unused=True)
        for g, x in zip(found, self.tensors, strict=True):
            if g is None:
                continue
            if not g.eq(0).all():
                raise GradcheckError("backward not multiplied by grad_output")
            if g.dtype != x.dtype:
                raise GradcheckError("grad is incorrect dtype")
            if g.shape != x.shape:
                raise GradcheckError("grad is incorrect size")

    def undefined(self, outputs: list[Tensor]) -> None:
        """Cotangents that did not come count as zeros."""
        words = (
            "Expected backward function to handle undefined output grads. Please look at 'Notes "
            "about undefined output gradients' in 'tools/autograd/derivatives.yaml'"
        )
        absent: list[tuple[int, ...]] = [tuple(range(len(outputs)))]
        if len(outputs) > 1:
            absent += [(i,) for i in range(len(outputs))]
        for missing in absent:
            ends = [_Undefined.apply(o) if i in missing else o for i, o in enumerate(outputs)]
            ones = [_C.zeros_like(o) for o in outputs]
            try:
                found = autograd.grad(
                    ends, self.tensors, ones, retain_graph=True, allow_unused=True
                )
            except RuntimeError as error:
                raise GradcheckError(words) from error
            if any(g is not None and not g.eq(0).all() for g in found):
                raise GradcheckError(
                    "Expected all input grads to be undefined or zero when all output grads are "
                    "undefined or zero. Please look at 'Notes about undefined output gradients' in "
                    "'tools/autograd/derivatives.yaml'"
                )

    def batched(self, outputs: list[Tensor]) -> None:
        """is_grads_batched gives what one call for each cotangent gives."""
        for o in outputs:
            several = _C.stack([_C.randn_like(o.detach()) for _ in range(2)])
            together = autograd.grad(
                o, self.tensors, several, retain_graph=True, allow_unused=True,
                is_grads_batched=True,
            )  # fmt: skip
            for row, one in enumerate(several):
                alone = autograd.grad(o, self.tensors, one, retain_graph=True, allow_unused=True)
                for a, b in zip(alone, together, strict=True):
                    if a is not None and not _C.allclose(a, b[row]):
                        raise GradcheckError("the gradients of a batch of cotangents differ")


class _Undefined(Function):
    """Hands a tensor on and no gradient back."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.clone()

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> None:
        return None


def gradcheck(
    func: Callable[..., Any],
    inputs: Tensor | Sequence[Any],
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_batched_forward_grad: bool = False,
    check_forward_ad: bool = False,
    check_backward_ad: bool = True,
    fast_mode: bool = False,
    masked: bool | None = None,
) -> bool:
    """Compares the gradients of ``func`` with finite differences, ``(f(x+eps) - f(x-eps)) / 2eps``.

    Args:
        func: takes ``inputs``, returns a tensor or a tuple.
        inputs: tensors, of float64 or complex128 where they require gradients.
        eps: the step.
        atol, rtol: how far apart the two may be.
        raise_exception: whether a failure raises or gives False.
        nondet_tol: by how much two backward passes may differ.
        check_undefined_grad: whether cotangents that did not come must count as zeros.
        check_grad_dtypes, check_batched_forward_grad, check_forward_ad, masked: as in PyTorch;
            without effect, since there is no forward mode and the engine casts gradients.
        check_batched_grad: whether batches of cotangents are tried too.
        check_backward_ad: must be True.
        fast_mode: compare ``u . J v`` for random ``u`` and ``v`` instead of the whole Jacobian.

    Raises:
        GradcheckError: they differ (a RuntimeError).
        ValueError: no input requires a gradient.

    >>> import d2lcore as torch
    >>> x = torch.rand(3, dtype=torch.float64, requires_grad=True)
    >>> torch.autograd.gradcheck(torch.sin, (x,))
    True
    """
    if not (check_backward_ad or check_forward_ad):
        raise AssertionError(
            "Expected at least one of check_forward_ad or check_backward_ad to be True"
        )
    args = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    try:
        _check_inputs(args)
        parts = _Parts(func, args)
        check = _Check(parts, args, eps, rtol, atol)
        check.constants()
        if not parts.places:
            return True
        (check.fast if fast_mode else check.slow)(nondet_tol)
        outputs = _tensors(func(*args))
        if check_batched_grad:
            check.batched(outputs)
        check.scaled(outputs)
        if check_undefined_grad:
            check.undefined(outputs)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def gradgradcheck(
    func: Callable[..., Any],
    inputs: Tensor | Sequence[Any],
    grad_outputs: Tensor | Sequence[Tensor] | None = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    gen_non_contig_grad_outputs: bool = False,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_fwd_over_rev: bool = False,
    check_rev_over_rev: bool = True,
    fast_mode: bool = False,
    masked: bool = False,
) -> bool:
    """Compares the second derivatives of ``func`` with finite differences of its gradients.

    Args:
        grad_outputs: the cotangents at which the gradients are taken; by default random ones.
        gen_non_contig_grad_outputs: make the random ones non-contiguous.
        check_fwd_over_rev, check_rev_over_rev: as in PyTorch; the latter must be True.

    The others are those of :func:`gradcheck`, and so are the errors.

    >>> import d2lcore as torch
    >>> x = torch.rand(3, dtype=torch.float64, requires_grad=True)
    >>> torch.autograd.gradgradcheck(torch.sin, (x,))
    True
    """
    if not (check_fwd_over_rev or check_rev_over_rev):
        raise AssertionError(
            "Expected at least one of check_fwd_over_rev or check_rev_over_rev to be True"
        )
    args = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    if grad_outputs is None:
        cotangents = []
        for o in _tensors(func(*args)):
            dtype = o.dtype if o.dtype in (_C.float64, _C.complex128) else _C.float64
            shape = (*o.shape, 2) if gen_non_contig_grad_outputs else o.shape
            g = _C.randn(shape, dtype=dtype)
            g = g[..., 0] if gen_non_contig_grad_outputs else g
            cotangents.append(g.requires_grad_())
    else:
        given = (grad_outputs,) if isinstance(grad_outputs, Tensor) else grad_outputs
        cotangents = list(given)

    def gradients(*both: Any) -> tuple[Tensor, ...]:
        own = both[: len(both) - len(cotangents)]
        g = both[len(both) - len(cotangents) :]
        wanted = [x for x in own if isinstance(x, Tensor) and x.requires_grad]
        with enable_grad():
            outputs = _tensors(func(*own))
            found = autograd.grad(outputs, wanted, g, create_graph=True, allow_unused=True)
        return tuple(x for x in found if x is not None)

    return gradcheck(
        gradients, (*args, *cotangents), eps=eps, atol=atol, rtol=rtol,
        raise_exception=raise_exception, nondet_tol=nondet_tol,
        check_undefined_grad=check_undefined_grad, check_batched_grad=check_batched_grad,
        fast_mode=fast_mode,
    )  # fmt: skip


__all__ = ["GradcheckError", "gradcheck", "gradgradcheck"]
