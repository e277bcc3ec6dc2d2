"""Samplers: in which order a loader takes the samples.

A random sampler draws exactly the numbers that PyTorch's draws, so the same seed shuffles alike:
without a generator of its own it takes one number from the default generator as its seed.
"""

from __future__ import annotations

import itertools

import d2lcore

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence, Sized
    from typing import Any


def draw_seed(generator: Any = None) -> int:
    """One random int64 from a generator (default: the default one)."""
    return int(d2lcore.empty((), dtype=d2lcore.int64).random_(generator=generator).item())


class Sampler:
    """Base class: a subclass defines ``__iter__`` (indices, or lists of them), often ``__len__``.

    Example::

        >>> class Backwards(torch.utils.data.Sampler):
        ...     def __init__(self, data):
        ...         self.data = data
        ...     def __iter__(self):
        ...         return iter(range(len(self.data) - 1, -1, -1))
        >>> list(Backwards("abc"))
        [2, 1, 0]
    """

    __class_getitem__: Any = classmethod(type(list[int]))

    def __init__(self, data_source: Any = None) -> None:
        if data_source is not None:
            import warnings

            warnings.warn(
                "`data_source` argument is not used and will be removed in 2.2.0."
                "You may still have custom implementation that utilizes it.",
                stacklevel=2,
            )

    def __iter__(self) -> Iterator[Any]:
        raise NotImplementedError


class SequentialSampler(Sampler):
    """Takes the samples in order.

    Example::

        >>> list(torch.utils.data.SequentialSampler("abc"))
        [0, 1, 2]
    """

    data_source: Sized

    def __init__(self, data_source: Sized) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Sampler):
    """Takes the samples at random.

    Args:
        data_source: a dataset with a length.
        replacement: draw each index anew, instead of permuting them all.
        num_samples: how many to take (default: the length).
        generator: where to draw from.

    Raises:
        TypeError: ``replacement`` is no bool.
        ValueError: ``num_samples`` is not a positive integer.

    Example::

        >>> sorted(torch.utils.data.RandomSampler("abc"))
        [0, 1, 2]
    """

    data_source: Sized
    replacement: bool

    def __init__(
        self,
        data_source: Sized,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: Any = None,
    ) -> None:
        self.data_source = data_source
        self.replacement = replacement
        self._num_samples = num_samples
        self.generator = generator
        if not isinstance(replacement, bool):
            raise TypeError(
                f"replacement should be a boolean value, but got replacement={replacement}"
            )
        if not isinstance(self.num_samples, int) or self.num_samples <= 0:
            raise ValueError(
                "num_samples should be a positive integer value, but got "
                f"num_samples={self.num_samples}"
            )

    @property
    def num_samples(self) -> int:
        """How many indices one pass takes; by default the present length of the data."""
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def __iter__(self) -> Iterator[int]:
        n = len(self.data_source)
        generator = self.generator
        if generator is None:
            seed = draw_seed()
            generator = d2lcore.Generator()
            generator.manual_seed(seed)
        if self.replacement:
            # Blocks of 32, as in PyTorch: the numbers depend on how many are drawn at a time.
            full, rest = divmod(self.num_samples, 32)
            for size in [32] * full + [rest]:
                yield from d2lcore.randint(
                    n, (size,), dtype=d2lcore.int64, generator=generator
                ).tolist()
        else:
            full, rest = divmod(self.num_samples, n)
            for _ in range(full):
                yield from d2lcore.randperm(n, generator=generator).tolist()
            yield from d2lcore.randperm(n, generator=generator).tolist()[:rest]

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(Sampler):
    """Takes given indices in random order.

    Args:
        indices: a sequence of indices.
        generator: where to draw from (default: the default generator).

    Example::

        >>> sorted(torch.utils.data.SubsetRandomSampler([5, 7]))
        [5, 7]
    """

    indices: Sequence[int]

    def __init__(self, indices: Sequence[int], generator: Any = None) -> None:
        self.indices = indices
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        for i in d2lcore.randperm(len(self.indices), generator=self.generator).tolist():
            yield self.indices[i]

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler):
    """Takes indices with given probabilities.

    Args:
        weights: one weight for each index; they need not sum to one.
        num_samples: how many to take.
        replacement: whether an index can come again.
        generator: where to draw from.

    Raises:
        ValueError: a wrong ``num_samples``, ``replacement`` or shape of ``weights``.
    """

    def __init__(
        self,
        weights: Sequence[float],
        num_samples: int,
        replacement: bool = True,
        generator: Any = None,
    ) -> None:
        if not isinstance(num_samples, int) or isinstance(num_samples, bool) or num_samples <= 0:
            raise ValueError(
                f"num_samples should be a positive integer value, but got num_samples={num_samples}"
            )
        if not isinstance(replacement, bool):
            raise ValueError(
                f"replacement should be a boolean value, but got replacement={replacement}"
            )
        self.weights = d2lcore.as_tensor(weights, dtype=d2lcore.float64)
        if self.weights.dim() != 1:
            raise ValueError(
                "weights should be a 1d sequence but given weights have shape "
                f"{tuple(self.weights.shape)}"
            )
        self.num_samples = num_samples
        self.replacement = replacement
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        drawn = d2lcore.multinomial(
            self.weights, self.num_samples, self.replacement, generator=self.generator
        )
        yield from drawn.tolist()

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler):
    """Groups the indices of another sampler into lists.

    Args:
        sampler: any iterable of indices.
        batch_size: indices per list.
        drop_last: leave out a last list that is shorter.

    Raises:
        ValueError: ``batch_size`` is not a positive integer, or ``drop_last`` no bool.

    Example::

        >>> list(torch.utils.data.BatchSampler(range(5), 2, drop_last=False))
        [[0, 1], [2, 3], [4]]
    """

    sampler: Iterable[Any]
    batch_size: int
    drop_last: bool

    def __init__(self, sampler: Iterable[Any], batch_size: int, drop_last: bool) -> None:
        if not isinstance(batch_size, int) or isinstance(batch_size, bool) or batch_size <= 0:
            raise ValueError(
                f"batch_size should be a positive integer value, but got batch_size={batch_size}"
            )
        if not isinstance(drop_last, bool):
            raise ValueError(f"drop_last should be a boolean value, but got drop_last={drop_last}")
        self.sampler = sampler
        self.batch_size = batch_size
        self.drop_last = drop_last

    def __iter__(self) -> Iterator[list[Any]]:
        indices = iter(self.sampler)
        while batch := list(itertools.islice(indices, self.batch_size)):
            if len(batch) < self.batch_size and self.drop_last:
                return
            yield batch

    def __len__(self) -> int:
        n = len(self.sampler)  # type: ignore[arg-type]
        return n // self.batch_size if self.drop_last else -(-n // self.batch_size)
