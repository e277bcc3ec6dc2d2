"""Products with Jacobians and Hessians, and whole ones, of functions of tensors.

A Jacobian is computed row by row inside the engine (``_C._jacobian``), one pass for each element of
the output; a Hessian is the Jacobian of the gradient. A product J v is two products with J's
transpose: ``u -> J^T u`` is linear in u, and its own transpose is J.
"""

from __future__ import annotations

from d2lcore import _C
from d2lcore._C import Tensor
from d2lcore._grad_mode import enable_grad

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    TensorOrTensors = Tensor | tuple[Tensor, ...]


def _listed(value: Any, what: str, function: str) -> tuple[bool, tuple[Tensor, ...]]:
    """Whether it was a tuple, and the tuple."""
    several = isinstance(value, tuple)
    items = value if several else (value,)
    for i, item in enumerate(items):
        if not isinstance(item, Tensor):
            where = f"value at index {i}" if several else f"given {what}"
            raise TypeError(
                f"The {what} given to {function} must be either a Tensor or a tuple of Tensors but "
                f"the {where} has type {type(item)}."
            )
    return several, items


def _fresh(inputs: tuple[Tensor, ...], create_graph: bool) -> tuple[Tensor, ...]:
    """Other handles of the inputs, so that only what passes through them counts."""
    return tuple(
        x.view_as(x) if create_graph and x.requires_grad else x.detach().requires_grad_()
        for x in inputs
    )


def _call(
    func: Callable[..., Any], inputs: tuple[Tensor, ...], name: str, strict: bool
) -> tuple[bool, tuple[Tensor, ...]]:
    several, outputs = _listed(func(*inputs), "outputs of the user-provided function", name)
    for i, y in enumerate(outputs):
        if strict and not y.requires_grad:
            raise RuntimeError(
                f"Output {i} of the user-provided function does not require gradients. The outputs "
                "must be computed in a differentiable manner from the input when running in strict "
                "mode."
            )
    return several, outputs


def _scalar(outputs: tuple[Tensor, ...], several: bool, name: str) -> Tensor:
    if several:
        raise RuntimeError(f"The function given to {name} should return a single Tensor")
    if outputs[0].numel() != 1:
        raise RuntimeError(
            f"The Tensor returned by the function given to {name} should contain a single element"
        )
    return outputs[0].reshape(())


def _finish(value: Any, create_graph: bool) -> Any:
    """The result outside of the graph, unless it was asked for."""
    if create_graph or value is None:
        return value
    return tuple(_finish(v, False) for v in value) if isinstance(value, tuple) else value.detach()


def _products(
    outputs: tuple[Tensor, ...],
    inputs: tuple[Tensor, ...],
    v: tuple[Tensor, ...],
    create_graph: bool,
    strict: str = "",
) -> tuple[Tensor, ...]:
    """v . d(outputs)/d(inputs), zero where there is no way; ``strict`` is the error for that."""
    pairs = [(y, u) for y, u in zip(outputs, v, strict=True) if y.requires_grad]
    found: tuple[Tensor | None, ...] = (None,) * len(inputs)
    if pairs:
        found = _C._grad(
            [y for y, _ in pairs], inputs, [u for _, u in pairs], True, create_graph, True
        )
    for i, g in enumerate(found):
        if g is None and strict:
            raise RuntimeError(strict.format(i))
    return tuple(_C.zeros_like(x) if g is None else g for g, x in zip(found, inputs, strict=True))


def _direction(v: Any, like: tuple[Tensor, ...], several: bool, role: str) -> tuple[Tensor, ...]:
    """The tensors of v, one for each of ``like`` and of its shape."""
    if v is None:
        if len(like) != 1 or like[0].numel() != 1:
            raise RuntimeError(f"The vector v can only be None if {role} with a single element.")
        return (_C.ones_like(like[0]),)
    _, items = _listed(v, "v", "the function")
    if len(items) != len(like):
        if several:
            raise RuntimeError(
                f"v is a tuple of invalid length: should be {len(like)} but got {len(items)}."
            )
        raise RuntimeError("The given v should contain a single Tensor.")
    for i, (a, b) in enumerate(zip(items, like, strict=True)):
        if a.shape != b.shape:
            entry = f"Entry {i} in " if several else ""
            raise RuntimeError(f"{entry}v has invalid size: should be {b.shape} but got {a.shape}.")
    return items


INDEPENDENT = (
    "Output 0 of the user-provided function is independent of input {}. This is not allowed in "
    "strict mode."
)
LINEAR = (
    "While computing the hessian, found that the jacobian of the user-provided function with "
    "respect to input {} is independent of the input. This is not allowed in strict mode. You "
    "should ensure that your function is twice differentiable and that the jacobian depends on the "
    "inputs (this would be violated by a linear function for example)."
)
INPUT_ROLE = "the input to the user-provided function is a single Tensor"


def _unpack(items: tuple[Any, ...], several: bool) -> Any:
    return items if several else items[0]


def vjp(
    func: Callable[..., Any],
    inputs: TensorOrTensors,
    v: TensorOrTensors | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> Any:
    """Returns ``func(*inputs)`` and the product of ``v`` with its Jacobian.

    Args:
        func: takes the inputs, returns a tensor or a tuple.
        inputs: where the Jacobian is taken.
        v: of the shape of the output; not needed for a single element.
        create_graph: whether the result can be differentiated.
        strict: an output that does not depend on an input is an error, not zero.

    >>> import d2lcore as torch
    >>> torch.autograd.functional.vjp(lambda x: x**2, torch.tensor([1.0, 2.0]), torch.ones(2))
    (tensor([1., 4.]), tensor([2., 4.]))
    """
    several, items = _listed(inputs, "inputs", "vjp")
    with enable_grad():
        items = _fresh(items, create_graph)
        many, outputs = _call(func, items, "vjp", strict)
        role = "the user-provided function returns a single Tensor"
        directions = _direction(v, outputs, many, role)
        found = _products(outputs, items, directions, create_graph, INDEPENDENT if strict else "")
    return _finish((_unpack(outputs, many), _unpack(found, several)), create_graph)


def jvp(
    func: Callable[..., Any],
    inputs: TensorOrTensors,
    v: TensorOrTensors | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> Any:
    """Returns ``func(*inputs)`` and the product of its Jacobian with ``v``: the derivative in the
    direction ``v``.

    Args:
        v: of the shape of the inputs; not needed for a single element.

    The others are those of :func:`vjp`.

    >>> import d2lcore as torch
    >>> torch.autograd.functional.jvp(lambda x: x**2, torch.tensor([1.0, 2.0]), torch.ones(2))
    (tensor([1., 4.]), tensor([2., 4.]))
    """
    several, items = _listed(inputs, "inputs", "jvp")
    directions = _direction(v, items, several, INPUT_ROLE)
    with enable_grad():
        items = _fresh(items, create_graph)
        many, outputs = _call(func, items, "jvp", strict)
        found = _forward(outputs, items, directions, create_graph, INDEPENDENT if strict else "")
    return _finish((_unpack(outputs, many), _unpack(found, many)), create_graph)


def _forward(
    outputs: tuple[Tensor, ...],
    inputs: tuple[Tensor, ...],
    v: tuple[Tensor, ...],
    create_graph: bool,
    strict: str = "",
) -> tuple[Tensor, ...]:
    """d(outputs)/d(inputs) . v, as the transpose of ``u -> u . d(outputs)/d(inputs)``."""
    dummies = tuple(_C.zeros_like(y).requires_grad_() for y in outputs)
    transposed = _products(outputs, inputs, dummies, True, strict)
    return _products(transposed, dummies, v, create_graph)


def jacobian(
    func: Callable[..., Any],
    inputs: TensorOrTensors,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """Returns the Jacobian: for an output of shape O and an input of shape I, a tensor of shape
    (\\*O, \\*I).

    Args:
        vectorize: as in PyTorch; the rows are computed in C++ either way.
        strategy: "reverse-mode" (by rows) or, with ``vectorize=True``, "forward-mode" (by columns:
            better for fewer inputs than outputs).

    The others are those of :func:`vjp`. Several inputs give a tuple, several outputs a tuple of
    what a single one gives.

    >>> import d2lcore as torch
    >>> torch.autograd.functional.jacobian(lambda x: x**2, torch.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    if strategy not in ("forward-mode", "reverse-mode"):
        raise AssertionError(
            'Expected strategy to be either "forward-mode" or "reverse-mode". Hint: If your '
            'function has more outputs than inputs, "forward-mode" tends to be more performant. '
            'Otherwise, prefer to use "reverse-mode".'
        )
    if strategy == "forward-mode":
        if create_graph:
            raise NotImplementedError(
                "torch.autograd.functional.jacobian: `create_graph=True` and "
                '`strategy="forward-mode"` are not supported together (yet). Please either set '
                '`create_graph=False` or `strategy="reverse-mode"`.'
            )
        if not vectorize:
            raise NotImplementedError(
                "Computing Jacobian using forward-AD or forward-over-reverse Hessian is"
                "only implemented for `vectorize=True`."
            )
    if strict and vectorize:
        raise RuntimeError(
            "torch.autograd.functional.jacobian: `strict=True` and `vectorized=True` are not "
            "supported together. Please either set `strict=False` or `vectorize=False`."
        )
    several, items = _listed(inputs, "inputs", "jacobian")
    with enable_grad():
        items = _fresh(items, create_graph)
        many, outputs = _call(func, items, "jacobian", strict)
        rows = []
        for i, y in enumerate(outputs):
            if strategy == "forward-mode":
                row = columns(y, items, create_graph)
            else:
                row = matrix(y, items, create_graph)
            for k, g in enumerate(row):
                if g is None and strict:
                    raise RuntimeError(
                        f"Output {i} of the user-provided function is independent of input {k}. "
                        "This is not allowed in strict mode."
                    )
                if strict and create_graph and not g.requires_grad:  # type: ignore[union-attr]
                    raise RuntimeError(
                        "The jacobian of the user-provided function is independent of input "
                        f"{k}. This is not allowed in strict mode when create_graph=True."
                    )
            full = tuple(
                _C.zeros(*y.shape, *x.shape, dtype=x.dtype) if g is None else g
                for g, x in zip(row, items, strict=True)
            )
            rows.append(_unpack(full, several))
    return _finish(_unpack(tuple(rows), many), create_graph)


def matrix(y: Tensor, inputs: tuple[Tensor, ...], create_graph: bool) -> tuple[Tensor | None, ...]:
    """dy/d(input) for each input, by rows; None where y does not depend on it."""
    if not y.requires_grad:
        return (None,) * len(inputs)
    found = _C._jacobian(y, inputs, create_graph)
    return tuple(
        None if g is None else g.reshape(*y.shape, *x.shape)
        for g, x in zip(found, inputs, strict=True)
    )


def columns(y: Tensor, inputs: tuple[Tensor, ...], create_graph: bool) -> tuple[Tensor | None, ...]:
    """The same by columns: the rows of the transpose of ``u -> u . dy/d(input)``."""
    if not y.requires_grad:
        return (None,) * len(inputs)
    dummy = _C.zeros_like(y).requires_grad_()
    transposed = _C._grad(y, inputs, dummy, True, True, True)
    out: list[Tensor | None] = []
    for g, x in zip(transposed, inputs, strict=True):
        table = None if g is None else matrix(g, (dummy,), create_graph)[0]
        if table is not None:  # (*input, *output) so far
            table = table.reshape(x.numel(), y.numel()).t().reshape(*y.shape, *x.shape)
        out.append(table)
    return tuple(out)


def hessian(
    func: Callable[..., Any],
    inputs: TensorOrTensors,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """Returns the second derivatives of a function with a single element as result.

    The arguments are those of :func:`jacobian`. Several inputs give a tuple of tuples.

    >>> import d2lcore as torch
    >>> torch.autograd.functional.hessian(lambda x: (x**3).sum(), torch.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    if outer_jacobian_strategy not in ("forward-mode", "reverse-mode"):
        raise AssertionError('Expected strategy to be either "forward-mode" or "reverse-mode".')
    several, _ = _listed(inputs, "inputs", "hessian")

    def gradient(*items: Tensor) -> Any:
        many, outputs = _call(func, items, "hessian", strict)
        y = _scalar(outputs, many, "hessian")
        strictly = INDEPENDENT if strict else ""
        found = _products((y,), items, (_C.ones_like(y),), True, strictly)
        for i, g in enumerate(found):
            if strict and not g.requires_grad:
                raise RuntimeError(LINEAR.format(i))
        return _unpack(found, several)

    return jacobian(
        gradient,
        inputs,
        create_graph=create_graph,
        strict=strict,
        vectorize=vectorize,
        strategy=outer_jacobian_strategy,
    )


def _second(
    name: str,
    func: Callable[..., Any],
    inputs: TensorOrTensors,
    v: TensorOrTensors | None,
    create_graph: bool,
    strict: bool,
) -> Any:
    several, items = _listed(inputs, "inputs", name)
    directions = _direction(v, items, several, INPUT_ROLE)
    with enable_grad():
        items = _fresh(items, create_graph)
        many, outputs = _call(func, items, name, strict)
        y = _scalar(outputs, many, name)
        strictly = INDEPENDENT if strict else ""
        first = _products((y,), items, (_C.ones_like(y),), True, strictly)
        for i, g in enumerate(first):
            if strict and not g.requires_grad:
                raise RuntimeError(LINEAR.format(i))
        found = _products(first, items, directions, create_graph)
    return _finish((outputs[0], _unpack(found, several)), create_graph)


def vhp(
    func: Callable[..., Any],
    inputs: TensorOrTensors,
    v: TensorOrTensors | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> Any:
    """Returns the value of a function with a single element as result, and the product of ``v``
    with its Hessian.

    The arguments are those of :func:`jvp`.

    >>> import d2lcore as torch
    >>> x, v = torch.tensor([1.0, 2.0]), torch.ones(2)
    >>> torch.autograd.functional.vhp(lambda x: (x**3).sum(), x, v)
    (tensor(9.), tensor([ 6., 12.]))
    """
    return _second("vhp", func, inputs, v, create_graph, strict)


def hvp(
    func: Callable[..., Any],
    inputs: TensorOrTensors,
    v: TensorOrTensors | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> Any:
    """The same as :func:`vhp`: a Hessian of continuous second derivatives is symmetric.

    >>> import d2lcore as torch
    >>> x, v = torch.tensor([1.0, 2.0]), torch.ones(2)
    >>> torch.autograd.functional.hvp(lambda x: (x**3).sum(), x, v)
    (tensor(9.), tensor([ 6., 12.]))
    """
    return _second("hvp", func, inputs, v, create_graph, strict)


__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]
