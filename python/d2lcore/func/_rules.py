"""Batching rules: how a call on single tensors is made once for the whole batch.

A rule gets the op, the arguments, the keyword arguments and the level, and returns the batched
result, or NotImplemented to have the call made for each element. It runs outside of the level, on
values whose dimension 0 is the batch. Ops without a rule are looped over.
"""

from __future__ import annotations

from d2lcore import _C
from d2lcore._C import Tensor
from d2lcore._tree import leaves, map_leaves

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from d2lcore.func._batched import Level

    Rule = Callable[[Any, tuple[Any, ...], dict[str, Any], Level], Any]

RULES: dict[str, Rule] = {}


def rule(names: str) -> Callable[[Rule], Rule]:
    """Makes a function the rule of the ops named."""

    def enter(f: Rule) -> Rule:
        for name in names.split():
            RULES[name] = f
        return f

    return enter


def is_mapped(x: Any, level: Level) -> bool:
    """Whether x is batched at this level."""
    from d2lcore.func._batched import batched

    return batched(x, level.number)


def wrap(result: Any, level: Level) -> Any:
    """A result of the batch as a batched one."""
    from d2lcore.func._batched import wrap_all

    return wrap_all(result, level.number)


def spread(x: Tensor, level: Level) -> Tensor:
    """The batch of x; one that repeats it where it has none."""
    return x.value if is_mapped(x, level) else x.expand(level.size, *x.shape)  # type: ignore[attr-defined]


def padded(x: Any, dims: int, level: Level) -> Any:
    """The batch of x with 1s in front of its own dimensions, up to ``dims`` of them."""
    if not is_mapped(x, level):
        return x
    value: Tensor = x.value
    missing = dims - (value.dim() - 1)
    return value.reshape(value.shape[0], *(1,) * missing, *value.shape[1:]) if missing else value


def mixes_numbers(tensors: list[Tensor]) -> bool:
    """Whether the dtype of the result depends on which tensors have no dimensions."""
    if len({t.dtype for t in tensors}) == 1:
        return False
    return any(t.dim() == 0 for t in tensors) and any(t.dim() > 0 for t in tensors)


ELEMENTWISE = """
add sub subtract mul multiply div divide true_divide floor_divide remainder fmod pow atan2 arctan2
addcmul addcdiv lerp clamp clip clamp_min clamp_max conj conj_physical sgn eq ne not_equal lt less
le less_equal gt greater ge greater_equal logical_and logical_or logical_xor logical_not bitwise_and
bitwise_or bitwise_xor bitwise_not bitwise_left_shift bitwise_right_shift neg negative abs absolute
sign square reciprocal sqrt rsqrt exp exp2 expm1 log log2 log10 log1p sin cos tan asin arcsin acos
arccos atan arctan sinh cosh tanh asinh arcsinh acosh arccosh atanh arctanh sigmoid erf erfc erfinv
lgamma digamma polygamma floor ceil trunc fix frac round deg2rad rad2deg hypot copysign xlogy sinc
logit nan_to_num float_power heaviside ldexp i0 maximum minimum fmax fmin rsub where isnan isinf
isfinite isposinf isneginf isclose real_if_close relu relu6 leaky_relu elu selu celu gelu silu mish
softplus logsigmoid softsign tanhshrink hardtanh hardsigmoid hardswish softshrink hardshrink
threshold logaddexp logaddexp2 masked_fill dropout clone contiguous detach zeros_like ones_like
full_like empty_like to type float double half bfloat16 int long short bool signbit angle
"""


@rule(ELEMENTWISE)
def elementwise(op: Any, args: Any, kwargs: Any, level: Level) -> Any:
    """Ops on elements: dimensions are aligned behind the batch."""
    tensors = [x for x in leaves((args, kwargs)) if isinstance(x, Tensor)]
    if "out" in kwargs or mixes_numbers(tensors):
        return NotImplemented
    if op.__name__ == "where" and len(args) < 3:
        return NotImplemented
    dims = max(t.dim() for t in tensors)
    args = [padded(x, dims, level) for x in args]
    kwargs = {key: padded(x, dims, level) for key, x in kwargs.items()}
    return wrap(op(*args, **kwargs), level)


def elementwise_in_place(op: Any, args: Any, kwargs: Any, level: Level) -> Any:
    """The same, written into a tensor that is batched itself."""
    from d2lcore.func._batched import refuse_in_place

    target = args[0]
    if not is_mapped(target, level):
        refuse_in_place(op.__name__)
    dims = target.dim()
    tensors = [x for x in leaves((args, kwargs)) if isinstance(x, Tensor)]
    if mixes_numbers(tensors) or any(t.dim() > dims for t in tensors):
        return NotImplemented
    op(
        *(padded(x, dims, level) for x in args),
        **{key: padded(x, dims, level) for key, x in kwargs.items()},
    )
    return target


for _name in ELEMENTWISE.split():
    RULES[_name + "_"] = elementwise_in_place
for _name in ("copy_", "fill_", "zero_", "iadd"):
    RULES[_name] = elementwise_in_place


@rule("as_strided as_strided_copy")
def as_strided(op: Any, args: Any, kwargs: Any, level: Level) -> Any:
    """The offset counts from where the first element's would."""
    given: list[Any] = [*args, *kwargs.values()]
    own, size, stride, *rest = given
    value = own.value
    views = []
    for i in range(level.size):
        row = value[i]
        shift = row.storage_offset() - value.storage_offset()
        offset = rest[0] + shift if rest and rest[0] is not None else None
        views.append(row.as_strided(size, stride, offset))
    return wrap(_C.stack(views), level)


@rule("transpose_ t_ squeeze_ unsqueeze_ swapaxes_ swapdims_ as_strided_")
def geometry_in_place(op: Any, args: Any, kwargs: Any, level: Level) -> Any:
    """The batched tensor gets the view."""
    target = args[0]
    plain = getattr(Tensor, op.__name__[:-1])
    with _inside(level):
        target.value = plain(*args, **kwargs).value
    return target


# ------------------------------------------------------------------------------------- reductions


def shifted(dim: Any, dims: int) -> Any:
    """A dimension of one element (or several) as one of the batch."""
    if isinstance(dim, (tuple, list)):
        return tuple(shifted(d, dims) for d in dim)
    if not -dims <= dim < dims:
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-dims}, {dims - 1}], but got "
            f"{dim})"
        )
    return dim % dims + 1


def first_tensor(args: Any, kwargs: Any, level: Level) -> tuple[Any, list[Any], dict[str, Any]]:
    """The op's own tensor and the other arguments; None unless it alone is batched."""
    kwargs = dict(kwargs)
    if "axis" in kwargs:
        kwargs["dim"] = kwargs.pop("axis")
    if "keepdims" in kwargs:
        kwargs["keepdim"] = kwargs.pop("keepdims")
    rest = list(args)
    own = rest.pop(0) if rest else kwargs.pop("input", None)
    others = [x for x in leaves((rest, kwargs)) if is_mapped(x, level)]
    if not is_mapped(own, level) or others or "out" in kwargs:
        return None, rest, kwargs
    return own, rest, kwargs


@rule("sum mean prod amax amin any all nansum nanmean std var logsumexp count_nonzero")
def reduction(op: Any, args: Any, kwargs: Any, level: Level) -> Any:
    """Ops over a dimension, several, or all."""
    own, rest, kwargs = first_tensor(args, kwargs, level)
    if own is None or own.dim() == 0:
        return NotImplemented
    if rest and not isinstance(rest[0], bool) and rest[0] is not None:
        kwargs["dim"] = rest.pop(0)
    elif rest and rest[0] is None:
        rest.pop(0)
    dim = kwargs.pop("dim", None)
    value = own.value
    if dim is None or dim in ((), []):
        if op.__name__ == "prod" or kwargs.get("keepdim") or rest:
            return NotImplemented
        return wrap(op(value, dim=tuple(range(1, value.dim())), **kwargs), level)
    return wrap(op(value, shifted(dim, own.dim()), *rest, **kwargs), level)


@rule("argmax argmin max min median nanmedian mode cummax cummin cumsum cumprod logcumsumexp sort "
      "argsort softmax log_softmax softmin flip unbind select index_select kthvalue unsqueeze "
      "diff roll")  # fmt: skip
def along_one(op: Any, args: Any, kwargs: Any, level: Level) -> Any:
    """Ops whose second argument is a dimension (or several)."""
    own, rest, kwargs = first_tensor(args, kwargs, level)
    name = op.__name__
    if own is None or name in ("kthvalue", "diff", "roll"):
        return NotImplemented
    dims = own.dim() + (1 if name == "unsqueeze" else 0)
    if rest and isinstance(rest[0], (int, tuple, list)) and not isinstance(rest[0], bool):
        kwargs["dims" if name == "flip" else "dim"] = rest.pop(0)
    key = "dims" if name == "flip" else "dim"
    if kwargs.get(key) is None:
        default = {"sort": -1, "argsort": -1, "unbind": 0}.get(name)
        if default is not None:
            kwargs[key] = default
        elif name in ("max", "min") and not rest and not kwargs and own.dim():
            full = _C.amax if name == "max" else _C.amin
            return wrap(full(own.value, tuple(range(1, own.value.dim()))), level)
        elif name in ("argmax", "argmin") and own.dim() and not rest and not kwargs.get("keepdim"):
            return wrap(op(own.value.flatten(1), 1), level)
        else:
            return NotImplemented
    if dims == 0:
        return NotImplemented
    dim = shifted(kwargs.pop(key), dims)
    if "stable" in kwargs:
        return wrap(op(own.value, dim=dim, **kwargs), level)
    return wrap(op(own.value, dim, *rest, **kwargs), level)


@rule("topk")
def topk(op: Any, args: Any, kwargs: Any, level: Level) -> Any:
    """The dimension comes after the count."""
    own, rest, kwargs = first_tensor(args, kwargs, level)
    if own is None or own.dim() == 0 or not rest:
        return NotImplemented
    k = rest.pop(0)
    dim = rest.pop(0) if rest else kwargs.pop("dim", -1)
    return wrap(op(own.value, k, shifted(dim, own.dim()), *rest, **kwargs), level)


# ------------------------------------------------------------------------------------------ views


def sizes_of(rest: list[Any]) -> tuple[int, ...]:
    """Sizes given one by one or as a sequence."""
    return tuple(rest[0]) if len(rest) == 1 and isinstance(rest[0], (tuple, list)) else tuple(rest)


@rule("reshape view expand repeat permute transpose swapaxes swapdims movedim moveaxis t squeeze "
      "flatten unflatten narrow split chunk tensor_split diagonal tile view_as reshape_as ravel "
      "expand_as broadcast_to")  # fmt: skip
def view(op: Any, args: Any, kwargs: Any, level: Level) -> Any:
    """Other looks at the same elements."""
    own, rest, kwargs = first_tensor(args, kwargs, level)
    if own is None:
        return NotImplemented
    name, value, dims = op.__name__, own.value, own.dim()
    size = value.shape[0]
    if name in ("view_as", "reshape_as", "expand_as"):
        target = rest[0] if rest else kwargs["other"]
        with _inside(level):
            return getattr(own, name.removesuffix("_as"))(target.shape)
    if name == "t":
        return own if dims < 2 else wrap(value.transpose(1, 2), level)
    if name == "ravel":
        return wrap(value.reshape(size, -1 if value.numel() else 0), level)
    if kwargs:
        return _view_by_name(op, own, rest, kwargs, level)
    if name in ("reshape", "view"):
        shape = sizes_of(rest)
        if not all(isinstance(n, int) for n in shape):
            return NotImplemented
        if -1 in shape and size == 0:
            return NotImplemented
        return wrap(op(value, (size, *shape)), level)
    if name in ("expand", "broadcast_to", "repeat", "tile"):
        shape = sizes_of(rest)
        if len(shape) < dims:
            if name != "tile":
                return NotImplemented
            shape = (1,) * (dims - len(shape)) + shape
        front = padded(own, len(shape), level)
        first = 1 if name in ("repeat", "tile") else size
        return wrap(op(front, (first, *shape)), level)
    if name == "permute":
        return wrap(value.permute(0, *shifted(sizes_of(rest), dims)), level)
    if name in ("transpose", "swapaxes", "swapdims", "movedim", "moveaxis"):
        if dims == 0:
            return NotImplemented
        return wrap(op(value, shifted(rest[0], dims), shifted(rest[1], dims)), level)
    if name == "squeeze":
        if rest:
            where = rest[0] if isinstance(rest[0], (tuple, list)) else (rest[0],)
        else:
            where = tuple(range(dims))
        if dims == 0:
            return NotImplemented
        gone = [d for d in shifted(where, dims) if value.shape[d] == 1]
        kept = [n for d, n in enumerate(value.shape) if d not in gone]
        return wrap(value.reshape(kept), level)
    if name == "flatten":
        if dims == 0:
            return wrap(value.reshape(size, 1), level)
        first = shifted(rest[0] if rest else 0, dims)
        return wrap(value.flatten(first, shifted(rest[1] if len(rest) > 1 else -1, dims)), level)
    if name in ("unflatten", "narrow"):
        return wrap(op(value, shifted(rest[0], dims), *rest[1:]), level)
    if name in ("split", "chunk", "tensor_split"):
        axis = rest[1] if len(rest) > 1 else 0
        return wrap(op(value, rest[0], shifted(axis, dims)), level)
    if name == "diagonal":
        filled: list[Any] = [*rest, *[0, 0, 1][len(rest) :]]
        offset, one, two = filled
        return wrap(op(value, offset, shifted(one, dims), shifted(two, dims)), level)
    return NotImplemented


def _view_by_name(op: Any, own: Any, rest: list[Any], kwargs: dict[str, Any], level: Level) -> Any:
    """Puts keyword arguments in their places."""
    order = {
        "reshape": ("shape",), "view": ("size",), "expand": ("size",), "repeat": ("repeats",),
        "permute": ("dims",), "transpose": ("dim0", "dim1"), "squeeze": ("dim",),
        "flatten": ("start_dim", "end_dim"), "narrow": ("dim", "start", "length"),
        "unflatten": ("dim", "sizes"), "movedim": ("source", "destination"),
        "chunk": ("chunks", "dim"), "diagonal": ("offset", "dim1", "dim2"),
    }.get(op.__name__, ())  # fmt: skip
    if op.__name__ == "split":
        order = ("split_size", "dim")
    defaults = {"start_dim": 0, "end_dim": -1, "dim": 0, "offset": 0, "dim1": 0, "dim2": 1}
    placed = list(rest)
    for key in order[len(rest) :]:
        if key not in kwargs and key not in defaults:
            return NotImplemented
        placed.append(kwargs.pop(key, defaults.get(key)))
    if kwargs or not order:
        return NotImplemented
    return view(op, (own, *placed), {}, level)


@rule("cat concat concatenate stack")
def join(op: Any, args: Any, kwargs: Any, level: Level) -> Any:
    """Tensors put side by side: each gets a batch."""
    tensors, *rest = args
    if "out" in kwargs or len({t.dim() for t in tensors}) > 1:
        return NotImplemented
    dim = rest[0] if rest else kwargs.get("dim", kwargs.get("axis", 0))
    dims = max(t.dim() for t in tensors) + (1 if op.__name__ == "stack" else 0)
    return wrap(op([spread(t, level) for t in tensors], shifted(dim, dims)), level)


# --------------------------------------------------------------------------------------- products


def as_matrices(a: Any, b: Any, level: Level) -> tuple[Tensor, Tensor, int]:
    """Both with the batch in front and the same number of dimensions, vectors as matrices; and how
    many dimensions each element has then."""
    dims = max(a.dim(), b.dim(), 2)

    def whole(x: Any, row: bool) -> Tensor:
        vector = x.dim() == 1
        if not is_mapped(x, level):
            return x.unsqueeze(0 if row else 1) if vector else x  # type: ignore[no-any-return]
        value: Tensor = x.value
        if vector:
            value = value.unsqueeze(1 if row else 2)
        missing = dims - (value.dim() - 1)
        return value.reshape(value.shape[0], *(1,) * missing, *value.shape[1:])

    return whole(a, True), whole(b, False), dims


@rule("matmul mm bmm mv dot inner vdot")
def product(op: Any, args: Any, kwargs: Any, level: Level) -> Any:
    """Products of matrices and vectors, as one batched product."""
    if kwargs or len(args) != 2:
        return NotImplemented
    a, b = args
    name = op.__name__
    wanted = {"mm": (2, 2), "bmm": (3, 3), "mv": (2, 1), "dot": (1, 1), "vdot": (1, 1)}.get(name)
    if wanted is not None and (a.dim(), b.dim()) != wanted:
        return NotImplemented  # the loop says what is wrong
    if name == "inner" and (a.dim(), b.dim()) != (1, 1):
        return NotImplemented
    if a.dim() == 0 or b.dim() == 0 or a.dtype != b.dtype:
        return NotImplemented
    if name == "vdot":
        with _inside(level):
            a = a.conj()
    left, right, _ = as_matrices(a, b, level)
    out = _C.matmul(left, right)
    if b.dim() == 1:
        out = out.squeeze(-1)
    if a.dim() == 1:
        out = out.squeeze(-1 if b.dim() == 1 else -2)
    return wrap(out, level)


@rule("linear")
def linear(op: Any, args: Any, kwargs: Any, level: Level) -> Any:
    """One product when the weights are those of all elements."""
    x, w = args[0], args[1] if len(args) > 1 else kwargs["weight"]
    b = args[2] if len(args) > 2 else kwargs.get("bias")
    if not is_mapped(w, level) and not is_mapped(b, level):
        return wrap(op(x.value, w, b), level)
    with _inside(level):
        out = _C.matmul(x, w.transpose(-2, -1) if w.dim() == 2 else w)
        return out if b is None else out + b


@rule("addmm addmv addbmm baddbmm addr outer ger chain_matmul")
def composed(op: Any, args: Any, kwargs: Any, level: Level) -> Any:
    """Sums of products, taken apart."""
    name = op.__name__
    with _inside(level):
        if name in ("outer", "ger") and len(args) == 2:
            return args[0].unsqueeze(1) * args[1].unsqueeze(0)
        if name in ("addmm", "addmv", "baddbmm") and len(args) == 3:
            beta, alpha = kwargs.pop("beta", 1), kwargs.pop("alpha", 1)
            if not kwargs:
                out = _C.matmul(args[1], args[2])
                return args[0] * beta + out * alpha if (beta, alpha) != (1, 1) else args[0] + out
    return NotImplemented


def _inside(level: Level) -> Any:
    """Back inside the level, for rules that are made of batched calls."""

    class Inside:
        def __enter__(self) -> None:
            from d2lcore.func._batched import levels

            levels().append(level)
            _C._add_level(1)

        def __exit__(self, *error: object) -> None:
            from d2lcore.func._batched import levels

            _C._add_level(-1)
            levels().pop()

    return Inside()


@rule("einsum")
def einsum(op: Any, args: Any, kwargs: Any, level: Level) -> Any:
    """One letter more for the batch."""
    equation, *operands = args
    if not isinstance(equation, str) or kwargs:
        return NotImplemented
    if len(operands) == 1 and isinstance(operands[0], (tuple, list)):
        operands = list(operands[0])
    equation = equation.replace(" ", "")
    left, arrow, right = equation.partition("->")
    free = next((c for c in "ZYXWVUTSRQPONMLKJIHGFEDCBA" if c not in equation), None)
    parts = left.split(",")
    if free is None or len(parts) != len(operands):
        return NotImplemented
    if not arrow:
        if "." in left:
            return NotImplemented
        letters = left.replace(",", "")
        right = "".join(sorted(c for c in set(letters) if letters.count(c) == 1))
    parts = [
        free + part if is_mapped(x, level) else part
        for part, x in zip(parts, operands, strict=True)
    ]
    values = [x.value if is_mapped(x, level) else x for x in operands]
    return wrap(op(f"{','.join(parts)}->{free}{right}", values), level)


# --------------------------------------------------------------------------------------- indexing


@rule("__getitem__")
def getitem(op: Any, args: Any, kwargs: Any, level: Level) -> Any:
    """Whole of the batch, then the index; or an index more for the batch."""
    own, index = args
    index = index if isinstance(index, tuple) else (index,)
    mapped = [i for i in index if is_mapped(i, level)]
    if not mapped:
        if isinstance(index[0], list):
            return NotImplemented
        tensors = sum(isinstance(i, Tensor) for i in index)
        ints = sum(isinstance(i, int) for i in index)
        if tensors and ints:  # where the new dimensions go depends on what lies between them
            return NotImplemented
        whole = (slice(None), *index)
        return wrap(own.value[whole], level)
    # Index tensors at the front and nothing but whole slices behind: one index more for the batch.
    if any(not isinstance(i, Tensor) or i.dtype == _C.bool for i in index):
        return NotImplemented
    dims = max(i.dim() for i in index)
    rows = tuple(padded(i, dims, level) for i in index)
    if not is_mapped(own, level):
        return wrap(own[rows], level)
    batch = _C.arange(level.size).reshape(level.size, *(1,) * dims)
    places = (batch, *rows)
    return wrap(own.value[places], level)


@rule("gather take_along_dim index_add scatter scatter_add")
def along_index(op: Any, args: Any, kwargs: Any, level: Level) -> Any:
    """Ops that take their indices along a dimension."""
    name = op.__name__
    if kwargs or name == "index_add" or (name == "take_along_dim" and len(args) != 3):
        return NotImplemented
    dim = args[2] if name == "take_along_dim" else args[1]
    tensors = [x for x in args if isinstance(x, Tensor)]
    if not isinstance(dim, int) or any(t.dim() != tensors[0].dim() for t in tensors):
        return NotImplemented
    if tensors[0].dim() == 0:
        return NotImplemented
    moved = [spread(x, level) if isinstance(x, Tensor) else x for x in args]
    moved[2 if name == "take_along_dim" else 1] = shifted(dim, tensors[0].dim())
    return wrap(op(*moved), level)


@rule("embedding")
def embedding(op: Any, args: Any, kwargs: Any, level: Level) -> Any:
    """Rows of one table for all elements."""
    if len(args) != 2 or kwargs:
        return NotImplemented
    weight_first = op.__module__ == "d2lcore"  # torch.embedding; nn.functional's has indices first
    weight, indices = args if weight_first else reversed(args)
    if is_mapped(weight, level):
        return NotImplemented
    values = indices.value
    return wrap(op(weight, values) if weight_first else op(values, weight), level)


# ----------------------------------------------------------------------------------------- layers


@rule("conv1d conv2d conv3d")
def convolution(op: Any, args: Any, kwargs: Any, level: Level) -> Any:
    """An input that alone is batched: the batch joins the images."""
    x = args[0]
    others = [y for y in leaves((args[1:], kwargs)) if is_mapped(y, level)]
    if others or not is_mapped(x, level):
        return NotImplemented
    space = int(op.__name__[4])
    if x.dim() == space + 1:  # a single image: the batch is the batch
        return wrap(op(x.value, *args[1:], **kwargs), level)
    out = op(x.value.flatten(0, 1), *args[1:], **kwargs)
    return wrap(out.unflatten(0, (level.size, -1)), level)


@rule("max_pool1d max_pool2d max_pool3d avg_pool1d avg_pool2d avg_pool3d adaptive_avg_pool1d "
      "adaptive_avg_pool2d adaptive_avg_pool3d")  # fmt: skip
def pool(op: Any, args: Any, kwargs: Any, level: Level) -> Any:
    """The batch joins the images."""
    x = args[0]
    space = int(op.__name__[-2])
    if not is_mapped(x, level) or x.dim() != space + 2 or level.size == 0:
        return NotImplemented
    out = op(x.value.flatten(0, 1), *args[1:], **kwargs)
    return wrap(map_leaves(lambda y: y.unflatten(0, (level.size, -1)), out), level)


@rule("layer_norm rms_norm")
def layer_norm(op: Any, args: Any, kwargs: Any, level: Level) -> Any:
    """Over the last dimensions, which the batch does not touch."""
    x, *rest = args
    if any(is_mapped(y, level) for y in leaves((rest, kwargs))) or not is_mapped(x, level):
        return NotImplemented
    return wrap(op(x.value, *rest, **kwargs), level)


@rule("mse_loss l1_loss smooth_l1_loss huber_loss soft_margin_loss binary_cross_entropy "
      "binary_cross_entropy_with_logits")  # fmt: skip
def pointwise_loss(op: Any, args: Any, kwargs: Any, level: Level) -> Any:
    """The losses of pairs, then reduced for each element."""
    kwargs = dict(kwargs)
    reduction = kwargs.pop("reduction", "mean")
    if len(args) > 2 or any(kwargs.get(k) is not None for k in ("size_average", "reduce")):
        return NotImplemented
    tensors = [x for x in leaves((args, kwargs)) if isinstance(x, Tensor)]
    if any(t.shape != tensors[0].shape for t in tensors[:2]) or mixes_numbers(tensors):
        return NotImplemented
    dims = tensors[0].dim()
    own = wrap(
        op(
            *(spread(x, level) for x in args),
            **{key: padded(x, dims, level) for key, x in kwargs.items()},
            reduction="none",
        ),
        level,
    )
    with _inside(level):
        return own if reduction == "none" else getattr(own, reduction)()


@rule("cross_entropy nll_loss")
def class_loss(op: Any, args: Any, kwargs: Any, level: Level) -> Any:
    """Scores of classes, and classes: every row of every element is a row."""
    kwargs = dict(kwargs)
    reduction = kwargs.pop("reduction", "mean")
    if len(args) != 2 or kwargs:
        return NotImplemented
    scores, classes = args
    if scores.dim() - classes.dim() != 1 or scores.dim() > 2 or classes.dtype != _C.int64:
        return NotImplemented
    s, c = spread(scores, level), spread(classes, level)
    if bool((c == -100).any()):  # ignored rows count in each element for themselves
        return NotImplemented
    rows = op(s.reshape(-1, s.shape[-1]), c.reshape(-1), reduction="none")
    own = wrap(rows.reshape(c.shape), level)
    with _inside(level):
        return own if reduction == "none" else getattr(own, reduction)()
