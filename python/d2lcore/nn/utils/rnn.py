"""Batches of sequences of different lengths: padded to one length, or packed.

A packed batch holds the sequences step after step: first the first elements of all, then the second
ones of all that have two, and so on.  Recurrent layers do no work for what is not there.
"""

from __future__ import annotations

from collections import namedtuple

import d2lcore
from d2lcore import _C, Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from typing_extensions import Self

__all__ = [
    "PackedSequence",
    "invert_permutation",
    "pack_padded_sequence",
    "pack_sequence",
    "pad_packed_sequence",
    "pad_sequence",
    "unpack_sequence",
    "unpad_sequence",
]

PackedSequence_ = namedtuple(
    "PackedSequence_", ["data", "batch_sizes", "sorted_indices", "unsorted_indices"]
)


class PackedSequence(PackedSequence_):
    """What recurrent layers take and return for sequences of different lengths.

    To be made by `pack_padded_sequence` and `pack_sequence`, not by hand.

    Attributes:
        data: the elements, step after step, ``(sum of the lengths, *)``.
        batch_sizes: how many sequences each step has, int64.
        sorted_indices: which sequence of the batch stands where, by falling length, or None.
        unsorted_indices: the inverse of it, or None.

    Example::

        >>> torch.nn.utils.rnn.pack_sequence([torch.tensor([1, 2, 3]), torch.tensor([4, 5])])
        PackedSequence(data=tensor([1, 4, 2, 5, 3]), batch_sizes=tensor([2, 2, 1]),
                       sorted_indices=None, unsorted_indices=None)
    """

    __slots__ = ()

    def __new__(
        cls,
        data: Any,
        batch_sizes: Tensor | None = None,
        sorted_indices: Tensor | None = None,
        unsorted_indices: Tensor | None = None,
    ) -> Self:
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        if batch_sizes is None:  # the older form: a pair
            if not (isinstance(data, (list, tuple)) and len(data) == 2):
                raise AssertionError("Expected data to be a list or tuple of length 2")
            data, batch_sizes = data
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def pin_memory(self) -> Self:
        """Returns the batch with data that is pinned."""
        return type(self)(self.data.pin_memory(), *self[1:])

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """Returns the batch with ``data.to(...)``; itself where that is the same tensor."""
        data = self.data.to(*args, **kwargs)
        return self if data is self.data else type(self)(data, *self[1:])

    def cuda(self, *args: Any, **kwargs: Any) -> Self:
        """Returns the batch on a GPU."""
        return self.to(*args, **{"device": "cuda", **kwargs})

    def cpu(self, *args: Any, **kwargs: Any) -> Self:
        """Returns the batch on the CPU."""
        return self.to(*args, **{"device": "cpu", **kwargs})

    def double(self) -> Self:
        """Returns the batch in float64."""
        return self.to(dtype=d2lcore.float64)

    def float(self) -> Self:
        """Returns the batch in float32."""
        return self.to(dtype=d2lcore.float32)

    def half(self) -> Self:
        """Returns the batch in float16."""
        return self.to(dtype=d2lcore.float16)

    def long(self) -> Self:
        """Returns the batch in int64."""
        return self.to(dtype=d2lcore.int64)

    def int(self) -> Self:
        """Returns the batch in int32."""
        return self.to(dtype=d2lcore.int32)

    def short(self) -> Self:
        """Returns the batch in int16."""
        return self.to(dtype=d2lcore.int16)

    def char(self) -> Self:
        """Returns the batch in int8."""
        return self.to(dtype=d2lcore.int8)

    def byte(self) -> Self:
        """Returns the batch in uint8."""
        return self.to(dtype=d2lcore.uint8)

    @property
    def is_cuda(self) -> bool:
        """Whether the data is on a GPU."""
        return bool(self.data.is_cuda)

    def is_pinned(self) -> bool:
        """Whether the data is pinned."""
        return bool(self.data.is_pinned())


def invert_permutation(permutation: Tensor | None) -> Tensor | None:
    """Returns the permutation that undoes another; None for None.

    Example::

        >>> torch.nn.utils.rnn.invert_permutation(torch.tensor([2, 0, 1]))
        tensor([1, 2, 0])
    """
    if permutation is None:
        return None
    output = d2lcore.empty_like(permutation)
    output.scatter_(0, permutation, d2lcore.arange(permutation.numel(), dtype=output.dtype))
    return output


def pack_padded_sequence(
    input: Tensor, lengths: Any, batch_first: bool = False, enforce_sorted: bool = True
) -> PackedSequence:
    """Packs a padded batch.

    Args:
        input: ``(steps, batch, *)``, or ``(batch, steps, *)`` with ``batch_first``.
        lengths: of the sequences, a tensor or a list.
        batch_first: see above.
        enforce_sorted: whether the lengths have to fall; else the sequences are sorted.

    Raises:
        RuntimeError: the lengths do not fall, one is not positive or too long, or there are not
            as many as sequences.

    Example::

        >>> padded = torch.tensor([[1, 4], [2, 5], [3, 0]])
        >>> torch.nn.utils.rnn.pack_padded_sequence(padded, [3, 2]).data
        tensor([1, 4, 2, 5, 3])
    """
    if isinstance(lengths, Tensor):
        lengths = lengths.to(dtype=d2lcore.int64)
    else:
        lengths = d2lcore.as_tensor(lengths, dtype=d2lcore.int64)
    sorted_indices = None
    if not enforce_sorted:
        lengths, sorted_indices = d2lcore.sort(lengths, descending=True)
        input = input.index_select(0 if batch_first else 1, sorted_indices)
    data, batch_sizes = d2lcore._pack_padded_sequence(input, lengths, batch_first)
    return PackedSequence(data, batch_sizes, sorted_indices, None)


def pad_packed_sequence(
    sequence: PackedSequence,
    batch_first: bool = False,
    padding_value: float = 0.0,
    total_length: int | None = None,
) -> tuple[Tensor, Tensor]:
    """Returns a packed batch as a padded one, and the lengths; sequences in their first order.

    Args:
        sequence: what to unpack.
        batch_first: ``(batch, steps, *)`` instead of ``(steps, batch, *)``.
        padding_value: what follows the shorter ones (default 0).
        total_length: the number of steps (default: that of the longest sequence).

    Raises:
        ValueError: ``total_length`` is less than the longest sequence.

    Example::

        >>> packed = torch.nn.utils.rnn.pack_sequence([torch.tensor([1, 2]), torch.tensor([3])])
        >>> torch.nn.utils.rnn.pad_packed_sequence(packed, batch_first=True)
        (tensor([[1, 2],
                [3, 0]]), tensor([2, 1]))
    """
    steps = sequence.batch_sizes.size(0)
    if total_length is not None:
        if total_length < steps:
            raise ValueError(
                "Expected total_length to be at least the length of the longest sequence in "
                f"input, but got total_length={total_length} and max sequence length being {steps}"
            )
        steps = total_length
    padded, lengths = d2lcore._pad_packed_sequence(
        sequence.data, sequence.batch_sizes, batch_first, padding_value, steps
    )
    order = sequence.unsorted_indices
    if order is not None:
        return padded.index_select(0 if batch_first else 1, order), lengths[order]
    return padded, lengths


def pad_sequence(
    sequences: Tensor | Iterable[Tensor],
    batch_first: bool = False,
    padding_value: float = 0.0,
    padding_side: str = "right",
) -> Tensor:
    """Returns sequences ``(length, *)`` as one padded batch ``(longest, batch, *)``.

    Args:
        sequences: tensors that differ in their first dimension only.
        batch_first: ``(batch, longest, *)`` instead.
        padding_value: with what to fill up (default 0).
        padding_side: ``"right"`` or ``"left"``.

    Raises:
        RuntimeError: there is no sequence, or other dimensions differ.

    Example::

        >>> sequences = [torch.tensor([1, 2, 3]), torch.tensor([4])]
        >>> torch.nn.utils.rnn.pad_sequence(sequences, batch_first=True)
        tensor([[1, 2, 3],
                [4, 0, 0]])
    """
    if not hasattr(sequences, "__iter__"):
        raise RuntimeError(
            "pad_sequence: Expected iterable for input sequences, but got arg of type: "
            f"{type(sequences)}"
        )
    padded: Tensor = _C._nn.pad_sequence(tuple(sequences), batch_first, padding_value, padding_side)
    return padded


def unpad_sequence(
    padded_sequences: Tensor, lengths: Tensor, batch_first: bool = False
) -> list[Tensor]:
    """Returns the sequences of a padded batch, without what was filled up.

    Args:
        padded_sequences: ``(steps, batch, *)``, or ``(batch, steps, *)`` with ``batch_first``.
        lengths: of the sequences.
        batch_first: see above.

    Example::

        >>> batch = torch.tensor([[1, 2, 3], [4, 0, 0]])
        >>> torch.nn.utils.rnn.unpad_sequence(batch, torch.tensor([3, 1]), batch_first=True)
        [tensor([1, 2, 3]), tensor([4])]
    """
    if not batch_first:
        padded_sequences = padded_sequences.transpose(0, 1)
    places = d2lcore.arange(padded_sequences.shape[1])
    return [
        sequence[places < length]
        for sequence, length in zip(padded_sequences, lengths, strict=True)
    ]


def pack_sequence(sequences: list[Tensor], enforce_sorted: bool = True) -> PackedSequence:
    """Packs sequences ``(length, *)``.

    Args:
        sequences: tensors that differ in their first dimension only.
        enforce_sorted: whether their lengths have to fall; else they are sorted.

    Raises:
        RuntimeError: the lengths do not fall.

    Example::

        >>> sequences = [torch.tensor([1, 2]), torch.tensor([3])]
        >>> torch.nn.utils.rnn.pack_sequence(sequences).data
        tensor([1, 3, 2])
    """
    lengths = d2lcore.as_tensor([sequence.size(0) for sequence in sequences])
    return pack_padded_sequence(pad_sequence(sequences), lengths, enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """Returns the sequences of a packed batch, in their first order.

    Example::

        >>> packed = torch.nn.utils.rnn.pack_sequence([torch.tensor([1, 2]), torch.tensor([3])])
        >>> torch.nn.utils.rnn.unpack_sequence(packed)
        [tensor([1, 2]), tensor([3])]
    """
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)
