"""How samples become a batch: tensors are stacked, numbers become tensors, containers recurse."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, MutableSequence, Sequence

import d2lcore
from d2lcore import Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def _is_numpy(value: Any) -> bool:
    # The class is asked for its module, so that numpy need not be imported.
    return type(value).__module__ == "numpy" and type(value).__name__ not in ("str_", "bytes_")


def _check_numbers(array: Any) -> None:
    if array.dtype.kind in "SaUO":
        raise TypeError(
            "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; "
            f"found {array.dtype}"
        )


def default_convert(data: Any) -> Any:
    """Turns the NumPy arrays inside a sample into tensors and leaves the rest as it is.

    Used by `DataLoader` where there are no batches (``batch_size=None``).

    Example::

        >>> torch.utils.data.default_convert([1, "a"])
        [1, 'a']
    """
    kind: Any = type(data)
    if isinstance(data, (Tensor, str, bytes)):
        return data
    if _is_numpy(data):
        return data if data.dtype.kind in "SaUO" else d2lcore.as_tensor(data)
    if isinstance(data, Mapping):
        return _like(data, {key: default_convert(value) for key, value in data.items()})
    if isinstance(data, tuple) and hasattr(data, "_fields"):
        return kind(*(default_convert(value) for value in data))
    if isinstance(data, tuple):
        return [default_convert(value) for value in data]
    if isinstance(data, Sequence):
        return _like(data, [default_convert(value) for value in data])
    return data


def _like(sample: Any, values: Any) -> Any:
    """Puts `values` into a container of the sample's type, where that works."""
    kind: Any = type(sample)
    try:
        if isinstance(sample, MutableMapping) and kind is not dict:
            import copy

            clone = copy.copy(sample)
            clone.update(values)
            return clone
        if isinstance(sample, MutableSequence) and kind is not list:
            import copy

            clone_list = copy.copy(sample)
            for i, value in enumerate(values):
                clone_list[i] = value
            return clone_list
        return values if kind in (list, dict) else kind(values)
    except TypeError:
        return values


def default_collate(batch: Any) -> Any:
    """Makes one batch of a list of samples.

    Tensors (and NumPy arrays) of equal shape are stacked along a new dimension 0; floats become
    a float64 tensor, ints and bools tensors of their kind; strings stay a list; dictionaries,
    tuples and lists are collated item by item.

    Raises:
        RuntimeError: tensors, or lists, of different sizes.
        TypeError: something that cannot be collated.

    Example::

        >>> torch.utils.data.default_collate([(torch.tensor([1.0]), 0), (torch.tensor([2.0]), 1)])
        [tensor([[1.],
                [2.]]), tensor([0, 1])]
    """
    sample = batch[0]
    kind: Any = type(sample)
    if isinstance(sample, Tensor):
        return d2lcore.stack(tuple(batch), 0)
    if _is_numpy(sample):
        _check_numbers(sample)
        if kind.__name__ == "ndarray":
            return default_collate([d2lcore.as_tensor(array) for array in batch])
        return d2lcore.as_tensor(batch)
    if isinstance(sample, float):
        return d2lcore.tensor(batch, dtype=d2lcore.float64)
    if isinstance(sample, int):
        return d2lcore.tensor(batch)
    if isinstance(sample, (str, bytes)):
        return batch
    if isinstance(sample, Mapping):
        return _like(sample, {key: default_collate([d[key] for d in batch]) for key in sample})
    if isinstance(sample, tuple) and hasattr(sample, "_fields"):
        return kind(*(default_collate(values) for values in zip(*batch, strict=False)))
    if isinstance(sample, Sequence):
        sizes = {len(item) for item in batch}
        if len(sizes) != 1:
            raise RuntimeError("each element in list of batch should be of equal size")
        columns = [default_collate(values) for values in zip(*batch, strict=False)]
        return columns if isinstance(sample, tuple) else _like(sample, columns)
    raise TypeError(
        "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; "
        f"found {kind}"
    )
