"""`DataLoader`: takes samples in a sampler's order and hands them out in batches.

The idea: a loader is a dataset, an iterable of indices (or of lists of indices) and a function
that makes a batch of samples.  Batches of a `TensorDataset` skip the samples: see `gather`.
"""

from __future__ import annotations

import itertools

from d2lcore.utils.data._collate import default_collate, default_convert
from d2lcore.utils.data.dataset import IterableDataset, gather
from d2lcore.utils.data.sampler import (
    BatchSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    draw_seed,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any


def get_worker_info() -> None:
    """Returns None: the samples are loaded in the main process."""
    return None


class _Endless(Sampler):
    """Stands for the indices of an iterable dataset, which has none."""

    def __init__(self) -> None:
        pass

    def __iter__(self) -> Iterator[None]:
        return itertools.repeat(None)


_FIXED = ("batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers")


class DataLoader:
    """Iterates over a dataset in batches.

    Args:
        dataset: with ``__getitem__`` and ``__len__``, or an `IterableDataset`.
        batch_size: samples per batch (default 1); None hands out single samples.
        shuffle: take the samples in a new random order in each pass.
        sampler: an iterable of indices, instead of ``shuffle``.
        batch_sampler: an iterable of lists of indices, instead of the four options above.
        num_workers: accepted; the samples are loaded in the main process, in the same order and
            with the same random numbers for shuffling as PyTorch's workers would.
        collate_fn: makes a batch of a list of samples (default: `default_collate`).
        pin_memory, timeout, worker_init_fn, multiprocessing_context, prefetch_factor,
            persistent_workers, pin_memory_device, in_order: accepted, without effect here.
        drop_last: leave out a last batch that is smaller.
        generator: where shuffling draws from (default: the default generator).

    Raises:
        ValueError: options that exclude each other.

    Example::

        >>> data = torch.utils.data.TensorDataset(torch.arange(5))
        >>> for (x,) in torch.utils.data.DataLoader(data, batch_size=2):
        ...     print(x)
        tensor([0, 1])
        tensor([2, 3])
        tensor([4])
    """

    __class_getitem__: Any = classmethod(type(list[int]))

    dataset: Any
    batch_size: int | None
    sampler: Any
    batch_sampler: Any
    collate_fn: Callable[[Any], Any]
    _ready = False

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Any = None,
        batch_sampler: Any = None,
        num_workers: int = 0,
        collate_fn: Callable[[Any], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], None] | None = None,
        multiprocessing_context: Any = None,
        generator: Any = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ) -> None:
        if num_workers < 0:
            raise ValueError(
                "num_workers option should be non-negative; use num_workers=0 to disable "
                "multiprocessing."
            )
        if timeout < 0:
            raise ValueError("timeout option should be non-negative")
        if num_workers == 0 and prefetch_factor is not None:
            raise ValueError(
                "prefetch_factor option could only be specified in multiprocessing."
                "let num_workers > 0 to enable multiprocessing, otherwise set prefetch_factor to "
                "None."
            )
        if prefetch_factor is not None and prefetch_factor < 0:
            raise ValueError("prefetch_factor option should be non-negative")
        if persistent_workers and num_workers == 0:
            raise ValueError("persistent_workers option needs num_workers > 0")
        if multiprocessing_context is not None and num_workers == 0:
            raise ValueError(
                "multiprocessing_context can only be used with multi-process loading "
                f"(num_workers > 0), but got num_workers={num_workers}"
            )

        self._iterable = isinstance(dataset, IterableDataset)
        if self._iterable:
            _check_iterable(shuffle, sampler, batch_sampler)
        if sampler is not None and shuffle:
            raise ValueError("sampler option is mutually exclusive with shuffle")
        if batch_sampler is not None:
            if batch_size != 1 or shuffle or sampler is not None or drop_last:
                raise ValueError(
                    "batch_sampler option is mutually exclusive with batch_size, shuffle, "
                    "sampler, and drop_last"
                )
            batch_size = None
        elif batch_size is None and drop_last:
            raise ValueError(
                "batch_size=None option disables auto-batching and is mutually exclusive with "
                "drop_last"
            )
        if sampler is None:
            if self._iterable:
                sampler = _Endless()
            elif shuffle:
                sampler = RandomSampler(dataset, generator=generator)
            else:
                sampler = SequentialSampler(dataset)
        if batch_size is not None and batch_sampler is None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)

        self.dataset = dataset
        self.batch_size = batch_size
        self.drop_last = drop_last
        self.sampler = sampler
        self.batch_sampler = batch_sampler
        self.generator = generator
        self.num_workers = num_workers
        self.prefetch_factor = 2 if prefetch_factor is None and num_workers else prefetch_factor
        self.pin_memory = pin_memory
        self.pin_memory_device = pin_memory_device
        self.timeout = timeout
        self.worker_init_fn = worker_init_fn
        self.multiprocessing_context = multiprocessing_context
        self.persistent_workers = persistent_workers
        self.in_order = in_order
        if collate_fn is None:
            collate_fn = default_collate if self._auto_collation else default_convert
        self.collate_fn = collate_fn
        self._ready = True

    def __setattr__(self, name: str, value: Any) -> None:
        if self._ready and name in _FIXED:
            raise ValueError(
                f"{name} attribute should not be set after {type(self).__name__} is initialized"
            )
        object.__setattr__(self, name, value)

    @property
    def _auto_collation(self) -> bool:
        return self.batch_sampler is not None

    @property
    def _index_sampler(self) -> Any:
        return self.batch_sampler if self._auto_collation else self.sampler

    def __len__(self) -> int:
        if not self._iterable:
            return len(self._index_sampler)
        n = len(self.dataset)
        if self.batch_size is None:
            return n
        return n // self.batch_size if self.drop_last else -(-n // self.batch_size)

    def __iter__(self) -> Iterator[Any]:
        if self._iterable:
            batches = self._stream(iter(self.dataset))
        else:
            batches = self._batches(iter(self._index_sampler))
        draw_seed(self.generator)  # the workers' seed: drawn in PyTorch even when there are none
        return batches

    def _batches(self, index_sampler: Iterator[Any]) -> Iterator[Any]:
        dataset, collate = self.dataset, self.collate_fn
        several = getattr(dataset, "__getitems__", None)
        for index in index_sampler:
            if not self._auto_collation:
                yield collate(dataset[index])
                continue
            if collate is default_collate:
                batch = gather(dataset, index)
                if batch is not None:
                    yield batch
                    continue
            samples = several(index) if several else [dataset[i] for i in index]
            yield collate(samples)

    def _stream(self, samples: Iterator[Any]) -> Iterator[Any]:
        if not self._auto_collation:
            for sample in samples:
                yield self.collate_fn(sample)
            return
        for indices in self.batch_sampler:
            batch = list(itertools.islice(samples, len(indices)))
            if not batch or (self.drop_last and len(batch) < len(indices)):
                return
            yield self.collate_fn(batch)


def _check_iterable(shuffle: Any, sampler: Any, batch_sampler: Any) -> None:
    """An iterable dataset gives its own order."""
    options = (("sampler", sampler), ("batch_sampler", batch_sampler))
    if shuffle not in (False, None):
        options = (("shuffle", shuffle),)  # type: ignore[assignment]
    for name, value in options:
        if value is not None:
            raise ValueError(
                f"DataLoader with IterableDataset: expected unspecified {name} option, but got "
                f"{name}={value}"
            )
