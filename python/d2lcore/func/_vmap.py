"""vmap: a function of one element as a function of a batch."""

from __future__ import annotations

from d2lcore import _C
from d2lcore._C import Tensor
from d2lcore._tree import leaves, map_leaves, rebuild, spread
from d2lcore.func._batched import Level, _insert, _wrap, batched

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def _name_of(func: Any) -> str:
    return getattr(func, "__name__", repr(func))


def _input_dims(func: Any, in_dims: Any, args: tuple[Any, ...]) -> list[int | None]:
    """The mapped dimension of each leaf of the arguments."""
    head = f"vmap({_name_of(func)}, in_dims={in_dims}, ...)(<inputs>)"
    if not isinstance(in_dims, (int, tuple)):
        raise ValueError(
            f"{head}: expected `in_dims` to be int or a (potentially nested) tuple matching the "
            f"structure of inputs, got: {type(in_dims)}."
        )
    if not args:
        raise ValueError(
            f"vmap({_name_of(func)})(<inputs>): got no inputs. Maybe you forgot to add inputs, or "
            "you are trying to vmap over a function with no inputs. The latter is unsupported."
        )
    try:
        dims = spread(in_dims, args)
    except ValueError:
        raise ValueError(
            f"{head}: in_dims is not compatible with the structure of `inputs`. in_dims has "
            f"structure {in_dims!r} but inputs has another structure."
        ) from None
    out: list[int | None] = []
    for dim, x in zip(dims, leaves(args), strict=True):
        if not isinstance(dim, int) and dim is not None:
            raise ValueError(
                f"{head}: Got in_dim={dim} for an input but in_dim must be either an integer "
                "dimension or None."
            )
        if dim is not None and not isinstance(x, Tensor):
            raise ValueError(
                f"{head}: Got in_dim={dim} for an input but the input is of type {type(x)}. We "
                "cannot vmap over non-Tensor arguments, please use None as the respective in_dim"
            )
        if dim is not None and not -x.dim() <= dim < x.dim():
            raise ValueError(
                f"{head}: Got in_dim={dim} for some input, but that input is a Tensor of "
                f"dimensionality {x.dim()} so expected in_dim to satisfy -{x.dim()} <= in_dim < "
                f"{x.dim()}."
            )
        out.append(dim)
    return out


def _batch_size(head: str, dims: list[int | None], items: list[Any]) -> int:
    sizes = [x.shape[d] for d, x in zip(dims, items, strict=True) if d is not None]
    if not sizes:
        raise ValueError(f"{head}: at least one input must be mapped; all in_dims are None")
    if len(set(sizes)) > 1:
        raise ValueError(
            "vmap: Expected all tensors to have the same size in the mapped dimension, got sizes "
            f"{sizes} for the mapped dimension"
        )
    return int(sizes[0])


def _take_out(x: Any, dim: Any, level: Level, name: str) -> Any:
    """A result without its level, the batch at ``dim``."""
    if not isinstance(x, Tensor):
        raise ValueError(
            f"vmap({name}, ...): `{name}` must only return Tensors, got type {type(x)}. Did you "
            "mean to set out_dims= to None for output?"
        )
    if dim is None:
        if batched(x, level.number):
            raise ValueError(
                f"vmap({name}, ...): `{name}` can not return a BatchedTensor when out_dim is None"
            )
        return x
    if not batched(x, level.number):
        x = _insert(x, level)
    value = x.value
    return value if dim == 0 else value.movedim(0, dim)


def vmap(
    func: Callable[..., Any],
    in_dims: Any = 0,
    out_dims: Any = 0,
    randomness: str = "error",
    *,
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """Returns a function that maps ``func`` over a dimension of its inputs.

    Common ops are made once for the whole batch, by rules; ops without a rule are called for each
    element and their results stacked. vmap, and the other transforms, may be nested in any order.

    Args:
        func: a function of tensors (and nests of them) that returns tensors. It must not ask for
            values (``.item()``, ``if``).
        in_dims: the dimension of each input that is mapped, None for inputs that are not; one for
            all, or a nest like that of the inputs. Keyword arguments are not mapped.
        out_dims: where the mapped dimension goes in each output.
        randomness: whether random ops are an "error", or each element draws "different" or the
            "same" numbers.
        chunk_size: map over so many elements at a time, for less memory.

    Raises:
        ValueError: ``in_dims`` that do not fit, or sizes that differ.

    >>> import d2lcore as torch
    >>> dots = torch.func.vmap(torch.dot)
    >>> dots(torch.ones(2, 3), torch.arange(6.0).reshape(2, 3))
    tensor([ 3., 12.])
    """
    if randomness not in ("error", "different", "same"):
        raise RuntimeError(
            "Only allowed values for randomness are 'error', 'different', or 'same'. Got "
            f"{randomness}"
        )
    if chunk_size is not None and chunk_size <= 0:
        raise ValueError(f"vmap: chunk_size should be None or greater than 0. (got {chunk_size})")
    name = _name_of(func)

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        dims, items = _input_dims(func, in_dims, args), leaves(args)
        size = _batch_size(f"vmap({name})", dims, items)

        def run(start: int, stop: int) -> Any:
            level = Level(stop - start, randomness)
            whole = (start, stop) == (0, size)
            mapped = []
            for x, dim in zip(items, dims, strict=True):
                if dim is None:
                    mapped.append(x)
                    continue
                value = x if dim % x.dim() == 0 else x.movedim(dim, 0)
                mapped.append(_wrap(value if whole else value[start:stop], level.number))
            with level:
                outputs = func(*rebuild(args, iter(mapped)), **kwargs)
            several = leaves(outputs)
            if isinstance(out_dims, (int, type(None))):
                where = [out_dims] * len(several)
            else:
                try:
                    where = spread(out_dims, outputs)
                except ValueError:
                    raise ValueError(
                        f"vmap({name}, ..., out_dims={out_dims})(<inputs>): out_dims is not "
                        "compatible with the structure of `outputs`."
                    ) from None
            taken = [_take_out(x, d, level, name) for x, d in zip(several, where, strict=True)]
            return rebuild(outputs, iter(taken)), where

        if chunk_size is None or chunk_size >= size:
            return run(0, size)[0]
        parts = [run(k, min(k + chunk_size, size)) for k in range(0, size, chunk_size)]
        where = iter(parts[0][1])

        def join(*chunks: Any) -> Any:
            dim = next(where)
            return chunks[0] if dim is None else _C.cat(chunks, dim)

        return map_leaves(join, *(p[0] for p in parts))

    wrapped.__name__ = name
    wrapped.__doc__ = getattr(func, "__doc__", None)
    return wrapped
