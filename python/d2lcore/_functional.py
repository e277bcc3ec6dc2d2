"""Functions that only rearrange arguments or results around the ops of the table."""

from __future__ import annotations

from d2lcore import _C
from d2lcore._C import Tensor
from d2lcore._products import einsum, tensordot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def manual_seed(seed: int) -> _C.Generator:
    """Seeds the default generator and returns it: the same seed gives PyTorch's numbers.

    >>> import d2lcore as torch
    >>> _ = torch.manual_seed(0)
    >>> torch.rand(2)
    tensor([0.4963, 0.7682])
    """
    return _C.default_generator.manual_seed(int(seed))


def seed() -> int:
    """Seeds the default generator from the system's entropy and returns the seed."""
    result: int = _C.default_generator.seed()
    return result


def initial_seed() -> int:
    """Returns the seed that the default generator was last given."""
    result: int = _C.default_generator.initial_seed()
    return result


def get_rng_state() -> Tensor:
    """Returns the state of the default generator, a tensor of bytes."""
    return _C.default_generator.get_state()


def set_rng_state(new_state: Tensor) -> None:
    """Restores a state that :func:`get_rng_state` gave."""
    _C.default_generator.set_state(new_state)


def is_floating_point(input: Tensor) -> bool:
    """Whether the dtype of ``input`` is a floating one."""
    return input.is_floating_point()


def is_complex(input: Tensor) -> bool:
    """Whether the dtype of ``input`` is complex."""
    return input.is_complex()


def is_signed(input: Tensor) -> bool:
    """Whether the dtype of ``input`` has negative values."""
    return input.is_signed()


def is_same_size(input: Tensor, other: Tensor) -> bool:
    """Whether both tensors have the same shape."""
    return input.shape == other.shape


def typename(obj: Any) -> str:
    """Returns the name of the type of a tensor (``torch.FloatTensor``) or of another object.

    >>> import d2lcore as torch
    >>> torch.typename(torch.ones(2))
    'torch.FloatTensor'
    """
    if isinstance(obj, Tensor):
        name: str = obj.type()
        return name
    kind = obj if hasattr(obj, "__qualname__") else type(obj)
    module = getattr(kind, "__module__", "")
    prefix = "" if module in ("", "builtins", "__builtin__", None) else f"{module}."
    return prefix + kind.__qualname__


def is_nonzero(input: Tensor) -> bool:
    """Whether the only element of ``input`` is not zero; RuntimeError for more or fewer."""
    if input.numel() != 1:
        what = "no values" if input.numel() == 0 else "more than one value"
        raise RuntimeError(f"Boolean value of Tensor with {what} is ambiguous")
    return bool(input)


def numel(input: Tensor) -> int:
    """Returns the number of elements of ``input``."""
    return input.numel()


def is_storage(obj: object) -> bool:
    """Whether ``obj`` is a storage: never, storages are not exposed."""
    return False


def nonzero(input: Tensor, *, out: Tensor | None = None, as_tuple: bool = False) -> Any:
    """Returns the places of the elements that are not zero: an (n, ndim) int64 tensor, or with
    ``as_tuple`` one index tensor for each dimension.

    >>> import d2lcore as torch
    >>> torch.nonzero(torch.tensor([0, 3, 0, 4]))
    tensor([[1],
            [3]])
    """
    if not as_tuple:
        return _C.nonzero(input) if out is None else _C.nonzero(input, out=out)
    if input.dim() == 0:
        return _C.nonzero(input.unsqueeze(0)).unbind(1)
    return _C.nonzero(input).unbind(1)


def where(condition: Tensor, *args: Any, **kwargs: Any) -> Any:
    """Returns ``input`` where the condition holds and ``other`` elsewhere, broadcast; with the
    condition alone, the places where it holds (``nonzero(condition, as_tuple=True)``).

    >>> import d2lcore as torch
    >>> x = torch.tensor([-1.0, 2.0])
    >>> torch.where(x > 0, x, 0.0)
    tensor([0., 2.])
    """
    if not args and not kwargs:
        return nonzero(condition, as_tuple=True)
    return _C.where(condition, *args, **kwargs)


def _tensors(tensors: tuple[Any, ...]) -> Any:
    return tensors[0] if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)) else tensors


def meshgrid(*tensors: Any, indexing: str = "ij") -> tuple[Tensor, ...]:
    """Returns the coordinates of the grid that 1-D tensors span, one tensor for each.

    ``indexing`` 'ij' puts the first input along the first dimension, 'xy' along the second.

    >>> import d2lcore as torch
    >>> a, b = torch.meshgrid(torch.arange(2), torch.arange(3), indexing="ij")
    >>> a
    tensor([[0, 0, 0],
            [1, 1, 1]])
    """
    return _C.meshgrid(_tensors(tensors), indexing=indexing)


def broadcast_tensors(*tensors: Any) -> tuple[Tensor, ...]:
    """Returns views of the tensors, all of the shape to which they broadcast.

    >>> import d2lcore as torch
    >>> a, b = torch.broadcast_tensors(torch.ones(3, 1), torch.ones(2))
    >>> a.shape
    torch.Size([3, 2])
    """
    return _C.broadcast_tensors(_tensors(tensors))


def cartesian_prod(*tensors: Any) -> Tensor:
    """Returns all combinations of the elements of 1-D tensors, one a row.

    >>> import d2lcore as torch
    >>> torch.cartesian_prod(torch.tensor([1, 2]), torch.tensor([3, 4]))
    tensor([[1, 3],
            [1, 4],
            [2, 3],
            [2, 4]])
    """
    return _C.cartesian_prod(_tensors(tensors))


def block_diag(*tensors: Any) -> Tensor:
    """Returns the block-diagonal matrix of tensors of at most two dimensions.

    >>> import d2lcore as torch
    >>> torch.block_diag(torch.ones(1, 2), torch.tensor(3.0))
    tensor([[1., 1., 0.],
            [0., 0., 3.]])
    """
    return _C.block_diag(_tensors(tensors))


def atleast_1d(*tensors: Any) -> Any:
    """Returns the tensors (or the one tensor) with at least one dimension.

    >>> import d2lcore as torch
    >>> torch.atleast_1d(torch.tensor(1.0)).shape
    torch.Size([1])
    """
    return _C.atleast_1d(tensors[0] if len(tensors) == 1 else tensors)


def atleast_2d(*tensors: Any) -> Any:
    """Returns the tensors (or the one tensor) with at least two dimensions.

    >>> import d2lcore as torch
    >>> torch.atleast_2d(torch.ones(3)).shape
    torch.Size([1, 3])
    """
    return _C.atleast_2d(tensors[0] if len(tensors) == 1 else tensors)


def atleast_3d(*tensors: Any) -> Any:
    """Returns the tensors (or the one tensor) with at least three dimensions.

    >>> import d2lcore as torch
    >>> torch.atleast_3d(torch.ones(3)).shape
    torch.Size([1, 3, 1])
    """
    return _C.atleast_3d(tensors[0] if len(tensors) == 1 else tensors)


def broadcast_shapes(*shapes: Any) -> Any:
    """Returns the shape to which tensors of these shapes broadcast.

    >>> import d2lcore as torch
    >>> torch.broadcast_shapes((3, 1), (2,))
    torch.Size([3, 2])
    """
    sizes = [(s,) if isinstance(s, int) else tuple(s) for s in shapes]
    out = [1] * max((len(s) for s in sizes), default=0)
    for size in sizes:
        for i in range(-1, -1 - len(size), -1):
            if size[i] < 0:
                raise RuntimeError(
                    f"Trying to create tensor with negative dimension ({size[i]}): ({size[i]})"
                )
            if size[i] == 1 or size[i] == out[i]:
                continue
            if out[i] != 1:
                raise RuntimeError("Shape mismatch: objects cannot be broadcast to a single shape")
            out[i] = size[i]
    return _C.Size(out)


def lu(A: Tensor, pivot: bool = True, get_infos: bool = False, out: Any = None) -> Any:
    """Returns the packed LU factors of matrices and the pivots, with ``get_infos`` also info: 0, or
    the place of the first zero on the diagonal of U. The older face of ``linalg.lu_factor_ex``.

    >>> import d2lcore as torch
    >>> factors, pivots = torch.lu(torch.tensor([[1.0, 2.0], [4.0, 2.0]]))
    >>> pivots
    tensor([2, 2], dtype=torch.int32)
    """
    if out is None:
        result = _C._linalg.lu_factor_ex(A, pivot=pivot)
    else:
        info = out[2] if get_infos else _C.empty(0, dtype=_C.int32)
        result = _C._linalg.lu_factor_ex(A, pivot=pivot, out=(out[0], out[1], info))
    return result if get_infos else tuple(result[:2])


def _nonzero_method(self: Tensor, *, as_tuple: bool = False) -> Any:
    """The method form of :func:`nonzero`."""
    return nonzero(self, as_tuple=as_tuple)


def _where_method(self: Tensor, condition: Tensor, other: Any) -> Tensor:
    """The method form of :func:`where`: ``self`` where the condition holds, else ``other``."""
    return _C.where(condition, self, other)


def _lu_method(self: Tensor, pivot: bool = True, get_infos: bool = False) -> Any:
    """The method form of :func:`lu`."""
    return tuple(lu(self, pivot, get_infos))


def _polygamma_method(self: Tensor, n: int) -> Tensor:
    """The ``n``-th derivative of the digamma function."""
    result: Tensor = _C.polygamma(n, self)
    return result


METHODS: dict[str, Any] = {
    "lu": _lu_method,
    "nonzero": _nonzero_method,
    "polygamma": _polygamma_method,
    "where": _where_method,
}

__all__ = [
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
    "block_diag",
    "broadcast_shapes",
    "broadcast_tensors",
    "cartesian_prod",
    "einsum",
    "get_rng_state",
    "initial_seed",
    "is_complex",
    "is_floating_point",
    "is_nonzero",
    "is_same_size",
    "is_signed",
    "is_storage",
    "lu",
    "manual_seed",
    "meshgrid",
    "nonzero",
    "numel",
    "seed",
    "set_rng_state",
    "tensordot",
    "typename",
    "where",
]
