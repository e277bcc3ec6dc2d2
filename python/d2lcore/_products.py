"""einsum and tensordot: PyTorch's ways of writing arguments, put into the one that the ops take."""

from __future__ import annotations

from d2lcore import _C
from d2lcore._C import Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def _letter(label: Any) -> str:
    if label is Ellipsis:
        return "..."
    if not 0 <= label < 52:
        raise ValueError(
            "einsum(): subscript in subscript list is not within the valid range [0, 52)"
        )
    return chr(ord("A") + label) if label < 26 else chr(ord("a") + label - 26)


def einsum(*args: Any) -> Tensor:
    """Sums of products of the operands' elements, named by their dimensions' letters.

    ``einsum(equation, *operands)``, or ``einsum(op1, [0, 1], op2, [1, 2], [0, 2])`` with numbers
    below 52 for the letters and optionally the result's at the end.

    >>> import d2lcore as torch
    >>> a = torch.arange(6.0).reshape(2, 3)
    >>> torch.einsum("ij,kj->ik", a, a)
    tensor([[ 5., 14.],
            [14., 50.]])
    """
    if len(args) < 2:
        raise ValueError(
            "einsum(): must specify the equation string and at least one operand, or at least one "
            "operand and its subscripts list"
        )
    if isinstance(args[0], Tensor):
        operands = args[: len(args) // 2 * 2 : 2]
        equation = ",".join("".join(map(_letter, part)) for part in args[1::2])
        if len(args) % 2:
            equation += "->" + "".join(map(_letter, args[-1]))
    else:
        equation, *rest = args
        operands = tuple(rest)
    if len(operands) == 1 and isinstance(operands[0], (list, tuple)):
        operands = tuple(operands[0])
    return _C.einsum(equation, operands)


def tensordot(a: Tensor, b: Tensor, dims: Any = 2, out: Tensor | None = None) -> Tensor:
    """Sums of products over the last ``dims`` dimensions of ``a`` and the first of ``b``, or over
    the pairs that ``dims = (dims_a, dims_b)`` names.

    >>> import d2lcore as torch
    >>> torch.tensordot(torch.ones(2, 3), torch.ones(3, 4), dims=1).shape
    torch.Size([2, 4])
    """
    if isinstance(dims, Tensor):
        dims = dims.tolist() if dims.numel() > 1 else int(dims.item())
    if isinstance(dims, (list, tuple)):
        dims_a, dims_b = dims
    elif isinstance(dims, int):
        if dims < 0:
            raise RuntimeError(f"tensordot expects dims >= 0, but got dims={dims}")
        if dims > min(a.dim(), b.dim()):
            raise RuntimeError(f"tensordot expects dims < ndim_a or ndim_b, but got dims={dims}")
        dims_a, dims_b = range(-dims, 0), range(dims)
    else:
        raise RuntimeError(
            "tensordot expects dims to be int or tuple[list[int], list[int]] or list[list[int]] "
            f"containing two lists, but got dims={dims}"
        )
    return _C.tensordot(a, b, list(dims_a), list(dims_b), out=out)
