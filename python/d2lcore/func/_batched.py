"""Tensors with a hidden batch dimension, and what becomes of a call with one of them.

A BatchedTensor stands for a batch of tensors of one shape inside a vmap. It holds ``value``, the
batch along dimension 0, and the level of its vmap; in a vmap within a vmap, ``value`` may itself be
batched, for the outer level. It has no memory of its own: C++ hands every call with one among the
arguments to :func:`dispatch`, and what does not know of it fails instead of going wrong.

``dispatch`` peels off the innermost level. A rule (``_rules.py``) says how to make one call on
whole batches of the call on single elements; where there is none, or it declines, the call is made
for each element and the results are stacked. Either way plain ops remain, which record themselves.
"""

from __future__ import annotations

from d2lcore import _C
from d2lcore._C import Size, Tensor
from d2lcore._tree import leaves, map_leaves, rebuild

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any


class Level:
    """One vmap that is going on."""

    def __init__(self, size: int, randomness: str) -> None:
        self.size, self.randomness = size, randomness
        self.number = len(levels())

    def __enter__(self) -> Level:
        levels().append(self)
        _C._add_level(1)
        return self

    def __exit__(self, *error: object) -> None:
        _C._add_level(-1)
        levels().pop()


class outside:
    """For a moment, the innermost vmap is not there: its calls are those of the level around it."""

    def __enter__(self) -> None:
        self.level = levels().pop()
        _C._add_level(-1)

    def __exit__(self, *error: object) -> None:
        levels().append(self.level)
        _C._add_level(1)


_threads: Any = None


def levels() -> list[Level]:
    """The vmaps of this thread, outermost first."""
    global _threads  # noqa: PLW0603
    if _threads is None:
        from threading import local

        _threads = local()
    found: list[Level] | None = getattr(_threads, "levels", None)
    if found is None:
        found = _threads.levels = []
    return found


def _refuse_item(self: Tensor, *args: Any, **kwargs: Any) -> Any:
    raise RuntimeError(
        "vmap: It looks like you're calling .item() on a Tensor. We don't support vmap over "
        "calling .item() on a Tensor, please try to rewrite what you're doing with other "
        "operations. If error is occurring somewhere inside PyTorch internals, please file a bug "
        "report."
    )


def _refuse_flow(self: Tensor, *args: Any, **kwargs: Any) -> Any:
    raise RuntimeError(
        "vmap: It looks like you're attempting to use a Tensor in some data-dependent control "
        "flow. We don't support that yet, please file an issue at "
        "https://github.com/pytorch/pytorch/issues ."
    )


class BatchedTensor(Tensor):
    """A batch of tensors that looks like one of them."""

    __slots__ = ("level", "value")
    value: Tensor
    level: int

    @property
    def shape(self) -> Size:
        return Size(self.value.shape[1:])

    def size(self, dim: int | None = None) -> Any:
        return self.shape if dim is None else self.shape[dim]

    def dim(self) -> int:
        return self.value.dim() - 1

    ndimension = dim
    ndim = property(dim)

    def numel(self) -> int:
        return self.shape.numel()

    nelement = numel

    def stride(self, dim: int | None = None) -> Any:
        steps = self.value.stride()[1:]
        return steps if dim is None else steps[dim]

    def __len__(self) -> int:
        if self.dim() == 0:
            raise TypeError("len() of a 0-d tensor")
        return self.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        if self.dim() == 0:
            raise TypeError("iteration over a 0-d tensor")
        return iter(self.unbind(0))

    def __getitem__(self, index: Any) -> Tensor:
        result: Tensor = dispatch("__getitem__", (self, index), {})
        return result

    def __setitem__(self, index: Any, value: Any) -> None:
        dispatch("__setitem__", (self, index, value), {})

    def __repr__(self, *, tensor_contents: Any = None) -> str:
        return f"BatchedTensor(lvl={self.level + 1}, bdim=0, value=\n{self.value!r}\n)"

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __hash__(self) -> int:
        return id(self)

    def requires_grad_(self, requires_grad: bool = True) -> Any:
        self.value.requires_grad_(requires_grad)
        return self

    def detach_(self) -> Any:
        self.value.detach_()
        return self

    def retain_grad(self) -> None:
        self.value.retain_grad()

    def cpu(self) -> Tensor:
        return self

    def is_contiguous(self, memory_format: Any = None) -> bool:
        return self.value.is_contiguous()

    item = tolist = numpy = __array__ = __float__ = __int__ = __index__ = __complex__ = _refuse_item
    __bool__ = __contains__ = _refuse_flow


def _forward_properties() -> None:
    """Properties and methods that are those of the batch, operators, and views as properties."""

    def of_value(name: str) -> property:
        return property(lambda self: getattr(self.value, name))

    for name in (
        "dtype", "device", "layout", "requires_grad", "is_leaf", "grad_fn", "itemsize", "is_cuda",
        "is_sparse", "is_quantized", "is_nested", "is_meta", "_version", "retains_grad",
    ):  # fmt: skip
        setattr(BatchedTensor, name, of_value(name))
    for name in ("is_floating_point", "is_complex", "is_signed", "element_size", "get_device"):
        setattr(BatchedTensor, name, lambda self, name=name: getattr(self.value, name)())
    views = {
        "T": lambda t: t.permute(*reversed(range(t.dim()))),
        "mT": lambda t: t.transpose(-2, -1),
        "H": lambda t: t.transpose(0, 1).conj(),
        "mH": lambda t: t.transpose(-2, -1).conj(),
        "data": lambda t: t.detach(),
        "real": lambda t: _wrap(t.value.real, t.level),
        "imag": lambda t: _wrap(t.value.imag, t.level),
    }
    for name, view in views.items():
        setattr(BatchedTensor, name, property(view))

    binary = {
        "add": _C.add, "sub": _C.sub, "mul": _C.mul, "truediv": _C.true_divide,
        "floordiv": _C.floor_divide, "mod": _C.remainder, "pow": _C.pow, "matmul": _C.matmul,
        "and": _C.bitwise_and, "or": _C.bitwise_or, "xor": _C.bitwise_xor,
        "lshift": _C.bitwise_left_shift, "rshift": _C.bitwise_right_shift,
    }  # fmt: skip

    def tensor_of(x: Any) -> Any:
        return x if isinstance(x, Tensor) else _C.tensor(x)

    def forward(op: Any) -> Any:
        return lambda a, b: op(a, b) if _operand(b) else NotImplemented

    def reflected(op: Any) -> Any:
        return lambda a, b: op(tensor_of(b), a) if _operand(b) else NotImplemented

    def in_place(op: str) -> Any:
        return lambda a, b: getattr(a, op)(b)

    for name, op in binary.items():
        setattr(BatchedTensor, f"__{name}__", forward(op))
        setattr(BatchedTensor, f"__r{name}__", reflected(op))
        setattr(BatchedTensor, f"__i{name}__", in_place(op.__name__ + "_"))
    for name in ("eq", "ne", "lt", "le", "gt", "ge"):
        setattr(BatchedTensor, f"__{name}__", forward(getattr(_C, name)))
    setattr(BatchedTensor, "__neg__", lambda a: _C.neg(a))  # noqa: B010, PLW0108
    setattr(BatchedTensor, "__abs__", lambda a: _C.abs(a))  # noqa: B010, PLW0108
    setattr(BatchedTensor, "__invert__", lambda a: _C.bitwise_not(a))  # noqa: B010, PLW0108
    setattr(BatchedTensor, "__pos__", lambda a: a)  # noqa: B010


def _operand(x: Any) -> bool:
    return isinstance(x, (Tensor, int, float, complex))


def _wrap(value: Tensor, level: int) -> BatchedTensor:
    o: BatchedTensor = _C._bare(BatchedTensor)
    o.value, o.level = value, level
    return o


def batched(x: Any, level: int) -> bool:
    """Whether x is batched at this level."""
    return type(x) is BatchedTensor and x.level == level


def wrap_all(result: Any, level: int) -> Any:
    """Each tensor of a result, the batch along dimension 0, as a batched one."""
    return map_leaves(lambda x: _wrap(x, level) if isinstance(x, Tensor) else x, result)


def lift(x: Tensor) -> Tensor:
    """x batched at every level that is going on; where it was not, by repetition without copies."""
    for level in levels():
        if not _has_level(x, level.number):
            x = _insert(x, level)
    return x


def _has_level(x: Tensor, number: int) -> bool:
    while type(x) is BatchedTensor:
        if x.level == number:
            return True
        x = x.value
    return False


def _insert(x: Tensor, level: Level) -> Tensor:
    """x with a level more, under those that are further in."""
    if type(x) is BatchedTensor and x.level > level.number:
        inner = x.value  # its dimension 0 belongs to the inner level
        return _wrap(_insert(inner, level), x.level)
    return _wrap(x.expand(level.size, *x.shape), level.number)


def plain(x: Tensor) -> Tensor:
    """The tensor in memory: one dimension for each level, outermost first."""
    while type(x) is BatchedTensor:
        x = x.value
    return x


def dress(x: Tensor) -> Tensor:
    """The opposite of plain, for a tensor that has a dimension for every level."""
    for level in levels():
        x = _wrap(x, level.number)
    return x


RULES: dict[str, Callable[..., Any]] = {}
RANDOM = frozenset(
    "dropout alpha_dropout feature_dropout feature_alpha_dropout rrelu bernoulli rand_like "
    "randn_like randint_like fractional_max_pool2d fractional_max_pool3d".split()
)


def dispatch(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A call inside vmap, of an op with a batched argument or of one that draws random numbers.

    ``function`` is the op, "__getitem__", "__setitem__", or a class derived from Function.
    """
    if isinstance(function, type):
        from d2lcore.func._function import apply_function

        return apply_function(function, args, kwargs)
    name = function if isinstance(function, str) else function.__name__
    found = [x.level for x in leaves((args, kwargs)) if type(x) is BatchedTensor]
    if name.rstrip("_") in RANDOM or (not isinstance(function, str) and _draws(function)):
        if name != "dropout" or _drops(args, kwargs):
            return _random(function, name, args, kwargs)
    if not found:
        return _plain_call(function, args, kwargs)
    level = levels()[max(found)]
    linear_algebra = getattr(function, "__module__", "") == "d2lcore.linalg"
    rule = None if linear_algebra and name != "matmul" else RULES.get(name)
    if levels()[-1] is not level:  # no argument belongs to the innermost level
        with outside():
            return dispatch(function, args, kwargs)
    with outside():
        if rule is not None:
            result = rule(function, args, kwargs, level)
            if result is not NotImplemented:
                return result
        return loop(function, name, args, kwargs, level)


def _plain_call(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    with outside():
        return call(function, args, kwargs)


def call(function: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    """The call itself."""
    if function == "__getitem__":
        return args[0][args[1]]
    if function == "__setitem__":
        args[0][args[1]] = args[2]
        return None
    return function(*args, **kwargs)


def _draws(function: Any) -> bool:
    return any("Generator" in schema for schema in getattr(function, "_schemas", ()))


def _drops(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether a call of dropout is one of training."""
    training = kwargs.get("training", args[2] if len(args) > 2 else True)
    return bool(training) and (kwargs.get("p", args[1] if len(args) > 1 else 0.5) != 0)


def _random(function: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    level = levels()[-1]
    if level.randomness == "error":
        raise RuntimeError(
            "vmap: called random operation while in randomness error mode. Please either use the "
            "'same' or 'different' randomness flags on vmap or perform the randomness operation "
            "out of vmap"
        )
    any_batched = any(batched(x, level.number) for x in leaves((args, kwargs)))
    with outside():
        if level.randomness == "same" and not any_batched:
            return call(function, args, kwargs)
        return loop(function, name, args, kwargs, level, level.randomness == "same")


def loop(
    function: Any,
    name: str,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    level: Level,
    same: bool = False,
) -> Any:
    """The call for each element of the batch, and the results stacked.

    ``same``: each draws the same random numbers.
    """
    in_place = name == "__setitem__" or (name.endswith("_") and not name.endswith("__"))
    if in_place and not batched(args[0], level.number):
        refuse_in_place(name)
    state = _C.default_generator.get_state() if same else None
    results = []
    for i in range(level.size):
        if state is not None:
            _C.default_generator.set_state(state)

        def pick(x: Any, i: int = i) -> Any:
            return x.value[i] if batched(x, level.number) else x

        results.append(call(function, map_leaves(pick, args), map_leaves(pick, kwargs)))
    if in_place:
        return args[0]
    if not results:
        raise RuntimeError(f"vmap: {name} has no rule for a batch without elements")
    stacked = []
    for column in zip(*(leaves(r) for r in results), strict=True):
        if isinstance(column[0], Tensor):
            stacked.append(_wrap(_C.stack(column), level.number))
        elif any(x != column[0] for x in column):
            _refuse_flow(column[0])
        else:
            stacked.append(column[0])
    return rebuild(results[0], iter(stacked))


def refuse_in_place(name: str) -> None:
    """What writing a batched tensor into one that is not gives."""
    raise RuntimeError(
        "vmap: inplace arithmetic(self, *extra_args) is not possible because there exists a Tensor "
        "`other` in extra_args that has more elements than `self`. This happened due to `other` "
        "being vmapped over but `self` not being vmapped over in a vmap. Please try to use "
        "out-of-place operators instead of inplace arithmetic. If said operator is being called "
        f"inside the PyTorch framework, please file a bug report instead. ({name})"
    )


def start() -> None:
    """Tells C++ who takes the calls."""
    _forward_properties()
    from d2lcore.func import _rules

    RULES.update(_rules.RULES)
    _C._set_batching(BatchedTensor, dispatch)


start()
