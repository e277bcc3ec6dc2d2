"""Transforms of functions into their derivatives: grad, vjp, jvp, jacrev, jacfwd, hessian.

Each makes new handles of the inputs, calls the function and differentiates by those handles alone;
so transforms nest, and mean what they say also when the function looks at other tensors. Inside
vmap the inputs get the batch dimension first (without copies): a gradient by a tensor that all
elements share is one for each of them.

There is no forward mode: ``u -> u . J`` is linear in u, and its transpose is ``v -> J . v``.
"""

from __future__ import annotations

from d2lcore import _C
from d2lcore._C import Tensor
from d2lcore._grad_mode import enable_grad
from d2lcore._tree import leaves, map_leaves, rebuild
from d2lcore.func._batched import dress, levels, lift, loop, outside, plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def _handle(x: Any) -> Any:
    """Another handle of x: the tensor that is differentiated by."""
    x = plain(lift(x))
    return dress(x.view_as(x) if x.requires_grad else x.detach().requires_grad_())


def _handles(tree: Any, what: str) -> Any:
    for x in leaves(tree):
        if not isinstance(x, Tensor):
            raise ValueError(f"{what}: Expected all inputs to be Tensors, got {type(x)}")
        if not (x.is_floating_point() or x.is_complex()):
            raise RuntimeError("only Tensors of floating point dtype can require gradients")
    return map_leaves(_handle, tree)


def _keep(outputs: list[Tensor], inputs: list[Tensor], wanted: bool) -> bool:
    """Whether somebody else may differentiate what is computed from these outputs; ``wanted``:
    gradients were on outside."""
    if not wanted:
        return False
    if any(not plain(x).is_leaf for x in inputs):
        return True
    roots = [plain(y) for y in outputs if plain(y).requires_grad]
    return bool(roots) and not _C._depends_only_on(roots, [plain(x) for x in inputs])


def _vjp(
    outputs: list[Tensor], inputs: list[Tensor], v: list[Tensor], create_graph: bool
) -> list[Tensor]:
    """v . d(outputs)/d(inputs); zeros where there is no way."""
    triples = [
        (plain(y), plain(lift(u)))
        for y, u in zip((lift(y) for y in outputs), v, strict=True)
        if plain(y).requires_grad
    ]
    ends = [plain(x) for x in inputs]
    found: Any = [None] * len(ends)
    if triples:
        found = _C._grad(
            [y for y, _ in triples],
            ends,
            [u.expand(y.shape) for y, u in triples],
            True,
            create_graph,
            True,
        )
    return [dress(_C.zeros_like(x) if g is None else g) for g, x in zip(found, ends, strict=True)]


def _each(function: Callable[..., list[Tensor]], deep: int, args: list[Any]) -> list[Tensor]:
    """Calls a function of a graph that knows ``deep`` levels; further ones are looped over."""
    if len(levels()) <= deep:
        return function(*args)
    level = levels()[-1]
    with outside():
        again = lambda *v: _each(function, deep, list(v))  # noqa: E731
        found: list[Tensor] = loop(again, "product", tuple(args), {}, level)
        return found


def _loose(tree: Any) -> Any:
    """The tensors outside of the graph, for results nobody else differentiates."""
    return map_leaves(lambda x: x.detach() if isinstance(x, Tensor) else x, tree)


def _split(result: Any, has_aux: bool, what: str) -> tuple[Any, Any]:
    if not has_aux:
        return result, None
    if not (isinstance(result, tuple) and len(result) == 2):
        raise RuntimeError(
            f"{what}: output of function f should be a tuple: (output, aux) if has_aux is True"
        )
    return result


def _chosen(argnums: int | tuple[int, ...], args: tuple[Any, ...], what: str) -> Any:
    """The arguments to differentiate by: one, or a tuple."""
    if not isinstance(argnums, (int, tuple)):
        raise RuntimeError(
            f"argnum={argnums} in {what} must be an int or a tuple of ints, got {type(argnums)}"
        )
    for k in (argnums,) if isinstance(argnums, int) else argnums:
        if not -len(args) <= k < len(args):
            raise RuntimeError(f"Got argnum={k}, but only {len(args)} positional inputs")
    return args[argnums] if isinstance(argnums, int) else tuple(args[k] for k in argnums)


def _placed(argnums: int | tuple[int, ...], args: tuple[Any, ...], values: Any) -> tuple[Any, ...]:
    out = list(args)
    if isinstance(argnums, int):
        out[argnums] = values
    else:
        for k, value in zip(argnums, values, strict=True):
            out[k] = value
    return tuple(out)


def grad_and_value(
    func: Callable[..., Any], argnums: int | tuple[int, ...] = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """Returns a function that computes ``(gradient, value)`` of ``func``.

    Args:
        func: returns a tensor of a single element (and with ``has_aux`` whatever else).
        argnums: the argument to differentiate by (a tensor or a nest), or several.
        has_aux: ``func`` returns ``(value, aux)``; the result is ``(gradient, (value, aux))``.

    >>> import d2lcore as torch
    >>> torch.func.grad_and_value(lambda x: x**3)(torch.tensor(2.0))
    (tensor(12.), tensor(8.))
    """

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        wanted = _C.is_grad_enabled()
        with enable_grad():
            chosen = _handles(_chosen(argnums, args, "grad"), "grad")
            inputs = leaves(chosen)
            value, aux = _split(
                func(*_placed(argnums, args, chosen), **kwargs), has_aux, "grad_and_value(f)(*args)"
            )
            if not isinstance(value, Tensor):
                raise RuntimeError(
                    "grad_and_value(f)(*args): Expected f(*args) to return a Tensor, got "
                    f"{type(value)}"
                )
            if value.dim() != 0:
                raise RuntimeError(
                    "grad_and_value(f)(*args): Expected f(*args) to return a scalar Tensor, got "
                    f"tensor with {value.dim()} dims. Maybe you wanted to use the vjp or jacrev "
                    "APIs instead?"
                )
            keep = _keep([value], inputs, wanted)
            found = _vjp([value], inputs, [dress(_C.ones_like(plain(lift(value))))], keep)
        gradient = rebuild(chosen, iter(found))
        if not keep:
            gradient, value, aux = _loose(gradient), value.detach(), _loose(aux)
        return gradient, ((value, aux) if has_aux else value)

    return wrapped


def grad(
    func: Callable[..., Any], argnums: int | tuple[int, ...] = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """Returns a function that computes the gradient of ``func``, which returns a single element.

    The arguments are those of :func:`grad_and_value`; with ``has_aux`` the result is
    ``(gradient, aux)``.

    >>> import d2lcore as torch
    >>> cube = lambda x: x**3
    >>> torch.func.grad(torch.func.grad(cube))(torch.tensor(2.0))
    tensor(12.)
    """
    both = grad_and_value(func, argnums, has_aux)

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        gradient, value = both(*args, **kwargs)
        return (gradient, value[1]) if has_aux else gradient

    return wrapped


def vjp(func: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """Returns ``func(*primals)`` and a function that multiplies a cotangent by the Jacobian.

    With ``has_aux`` the result is ``(output, vjp_fn, aux)``. ``vjp_fn`` takes a cotangent for each
    output and returns a tuple, one for each primal.

    >>> import d2lcore as torch
    >>> y, pull = torch.func.vjp(torch.sin, torch.tensor(0.0))
    >>> pull(torch.tensor(2.0))
    (tensor(2.),)
    """
    wanted = _C.is_grad_enabled()
    with enable_grad():
        handles = _handles(primals, "vjp")
        inputs = leaves(handles)
        output, aux = _split(func(*handles), has_aux, "vjp(f, *primals)")
    outputs, deep = leaves(output), len(levels())
    keep = _keep(outputs, inputs, wanted)

    def pull(*cotangents: Any) -> tuple[Any, ...]:
        given = cotangents[0] if len(cotangents) == 1 else cotangents
        v = leaves(given)
        if len(v) != len(outputs):
            raise RuntimeError(
                f"Expected pytree structure of cotangents to be the same as pytree structure of "
                f"outputs to the function: {len(outputs)} tensors, got {len(v)}"
            )
        more = keep or any(isinstance(u, Tensor) and plain(u).requires_grad for u in v)

        def products(*v: Tensor) -> list[Tensor]:
            with enable_grad():
                return _vjp(outputs, inputs, list(v), more)

        found = _each(products, deep, v)
        got: tuple[Any, ...] = rebuild(handles, iter(found))
        return got if more else _loose(got)

    shown = output if keep else _loose(output)
    return (shown, pull, aux if keep else _loose(aux)) if has_aux else (shown, pull)


def jvp(
    func: Callable[..., Any],
    primals: tuple[Any, ...],
    tangents: tuple[Any, ...],
    *,
    strict: bool = False,
    has_aux: bool = False,
) -> Any:
    """Returns ``func(*primals)`` and its derivative in the direction of the tangents.

    Args:
        func: takes the primals, returns a tensor or a nest.
        primals, tangents: tuples of tensors of equal shapes.
        strict: an output that does not depend on the primals is an error, not zero.
        has_aux: ``func`` returns ``(output, aux)``, and aux comes third.

    >>> import d2lcore as torch
    >>> torch.func.jvp(torch.sin, (torch.tensor(0.0),), (torch.tensor(2.0),))
    (tensor(0.), tensor(2.))
    """
    if not isinstance(primals, tuple) or not isinstance(tangents, tuple):
        raise RuntimeError(
            "jvp(f, primals, tangents): Expected primals to be a tuple. E.g. it should be valid to "
            f"call f(*primals), got {type(primals)} and {type(tangents)}"
        )
    if len(leaves(primals)) != len(leaves(tangents)):
        raise RuntimeError(
            "jvp(f, primals, tangents): Expected primals and tangents to have the same python "
            "structure."
        )
    wanted = _C.is_grad_enabled()
    with enable_grad():
        handles = _handles(primals, "jvp")
        inputs = leaves(handles)
        output, aux = _split(func(*handles), has_aux, "jvp(f, primals, tangents)")
        outputs = leaves(output)
        for i, y in enumerate(outputs):
            if strict and not y.requires_grad:
                raise RuntimeError(
                    f"jvp(f, primals, tangents, strict=True): The output of f at index {i} does "
                    "not depend on the inputs. This is not allowed in strict mode."
                )
        v = leaves(tangents)
        keep = _keep(outputs, inputs, wanted) or any(plain(t).requires_grad for t in v)
        found = _push(outputs, inputs, v, keep)
    tangent = rebuild(output, iter(found))
    if not keep:
        output, tangent, aux = _loose(output), _loose(tangent), _loose(aux)
    return (output, tangent, aux) if has_aux else (output, tangent)


def _dummies(outputs: list[Tensor]) -> list[Tensor]:
    """Cotangents that stand for any: the product with the Jacobian is differentiated by them."""
    return [dress(_C.zeros_like(plain(lift(y))).requires_grad_()) for y in outputs]


def _push(
    outputs: list[Tensor], inputs: list[Tensor], v: list[Tensor], create_graph: bool
) -> list[Tensor]:
    """d(outputs)/d(inputs) . v"""
    dummies = _dummies(outputs)
    return _vjp(_vjp(outputs, inputs, dummies, True), dummies, v, create_graph)


def linearize(func: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[..., Any]]:
    """Returns ``func(*primals)`` and a function that multiplies tangents by the Jacobian there,
    without calling ``func`` again.

    >>> import d2lcore as torch
    >>> y, push = torch.func.linearize(torch.sin, torch.tensor(0.0))
    >>> push(torch.tensor(3.0))
    tensor(3.)
    """
    wanted = _C.is_grad_enabled()
    with enable_grad():
        handles = _handles(primals, "linearize")
        inputs = leaves(handles)
        output = func(*handles)
        outputs = leaves(output)
        keep = _keep(outputs, inputs, wanted)
        dummies = _dummies(outputs)
        transposed = _vjp(outputs, inputs, dummies, True)
    deep = len(levels())

    def push(*tangents: Any) -> Any:
        v = leaves(tangents)
        if len(v) != len(inputs):
            raise RuntimeError(
                f"Expected the tangents to have the structure of the primals: {len(inputs)} "
                f"tensors, got {len(v)}"
            )

        def products(*v: Tensor) -> list[Tensor]:
            with enable_grad():
                return _vjp(transposed, dummies, list(v), keep)

        found = rebuild(output, iter(_each(products, deep, v)))
        return found if keep else _loose(found)

    return (output if keep else _loose(output)), push


def _rows(y: Tensor, inputs: list[Tensor], create_graph: bool) -> list[Tensor]:
    """dy/d(input) for each, (*y, *input): the engine computes row after row.

    Inside vmap the elements do not depend on each other: a row of all of them is one pass.
    """
    y = lift(y)
    deep = len(levels())
    base = plain(y)
    ends = [plain(x) for x in inputs]
    if not base.requires_grad:
        found: Any = [None] * len(ends)
    elif deep == 0:
        found = _C._jacobian(base, ends, create_graph)
    else:
        columns: list[list[Tensor]] = [[] for _ in ends]
        count = y.numel()
        for k in range(count):
            one = _C.zeros(count, dtype=base.dtype)
            one[k] = 1
            cotangent = one.reshape(y.shape).expand(base.shape)
            got = _C._grad([base], ends, [cotangent], True, create_graph, True)
            for column, g, x in zip(columns, got, ends, strict=True):
                column.append(_C.zeros_like(x) if g is None else g)
        found = [_C.stack(column, deep) if column else None for column in columns]
    own = tuple(y.shape)
    out = []
    for g, x, handle in zip(found, ends, inputs, strict=True):
        batch = x.shape[:deep]
        shape = (*batch, *own, *handle.shape)
        out.append(dress(_C.zeros(shape, dtype=x.dtype) if g is None else g.reshape(shape)))
    return out


def _jacobian(
    func: Callable[..., Any], argnums: int | tuple[int, ...], has_aux: bool, forward: bool
) -> Callable[..., Any]:
    what = "jacfwd" if forward else "jacrev"

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        wanted = _C.is_grad_enabled()
        with enable_grad():
            chosen = _handles(_chosen(argnums, args, what), what)
            inputs = leaves(chosen)
            result, aux = _split(func(*_placed(argnums, args, chosen), **kwargs), has_aux, what)
            outputs = leaves(result)
            for y in outputs:
                if not isinstance(y, Tensor):
                    raise RuntimeError(
                        f"{what}: Expected f to only return tensors, got output of type {type(y)}"
                    )
            keep = _keep(outputs, inputs, wanted)
            tables = []
            for y in outputs:
                found = _columns(y, inputs, keep) if forward else _rows(y, inputs, keep)
                tables.append(rebuild(chosen, iter(found if keep else _loose(found))))
        jacobian = rebuild(result, iter(tables))
        return (jacobian, aux if keep else _loose(aux)) if has_aux else jacobian

    return wrapped


def _columns(y: Tensor, inputs: list[Tensor], create_graph: bool) -> list[Tensor]:
    """The same by columns: the rows of ``u -> u . J``."""
    (dummy,) = _dummies([y])
    out = []
    for g, x in zip(_vjp([y], inputs, [dummy], True), inputs, strict=True):
        (table,) = _rows(g, [dummy], create_graph)  # (*input, *output)
        axes = range(table.dim())
        out.append(table.permute(*axes[x.dim() :], *axes[: x.dim()]) if table.dim() else table)
    return out


def jacrev(
    func: Callable[..., Any],
    argnums: int | tuple[int, ...] = 0,
    *,
    has_aux: bool = False,
    chunk_size: int | None = None,
    _preallocate_and_copy: bool = False,
) -> Callable[..., Any]:
    """Returns a function that computes the Jacobian of ``func`` by rows: one backward pass, inside
    C++, for each element of the output.

    Args:
        func: returns a tensor or a nest.
        argnums: the argument to differentiate by, or several.
        has_aux: ``func`` returns ``(output, aux)``, and so does the result.
        chunk_size: as in PyTorch; without effect.

    >>> import d2lcore as torch
    >>> torch.func.jacrev(torch.sin)(torch.zeros(2))
    tensor([[1., 0.],
            [0., 1.]])
    """
    return _jacobian(func, argnums, has_aux, forward=False)


def jacfwd(
    func: Callable[..., Any],
    argnums: int | tuple[int, ...] = 0,
    has_aux: bool = False,
    *,
    randomness: str = "error",
) -> Callable[..., Any]:
    """Returns a function that computes the Jacobian of ``func`` by columns: better than
    :func:`jacrev` for fewer inputs than outputs.

    The arguments are those of :func:`jacrev`.

    >>> import d2lcore as torch
    >>> torch.func.jacfwd(torch.sin)(torch.zeros(2))
    tensor([[1., 0.],
            [0., 1.]])
    """
    return _jacobian(func, argnums, has_aux, forward=True)


def hessian(func: Callable[..., Any], argnums: int | tuple[int, ...] = 0) -> Callable[..., Any]:
    """Returns a function that computes the second derivatives of ``func``: the Jacobian of its
    Jacobian.

    >>> import d2lcore as torch
    >>> torch.func.hessian(lambda x: (x**3).sum())(torch.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    return jacrev(jacrev(func, argnums), argnums)
