"""`torch.random`: the default generator, its seed and its state.

A state is a tensor of bytes in PyTorch's layout: one that PyTorch saved can be restored here, and
the other way round.
"""

from __future__ import annotations

from contextlib import contextmanager

from d2lcore._C import default_generator
from d2lcore._functional import get_rng_state, initial_seed, manual_seed, seed, set_rng_state

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


@contextmanager
def fork_rng(
    devices: Iterable[object] | None = None, enabled: bool = True, device_type: str | None = None
) -> Iterator[None]:
    """Restores the state of the default generator when the block ends.

    Args:
        devices, device_type: accepted as in PyTorch; the CPU's generator is always kept.
        enabled: False leaves the generator as the block leaves it.

    >>> import d2lcore as torch
    >>> _ = torch.manual_seed(0)
    >>> with torch.random.fork_rng():
    ...     inside = torch.rand(1)
    >>> bool(torch.rand(1) == inside)
    True
    """
    if not enabled:
        yield
        return
    state = get_rng_state()
    try:
        yield
    finally:
        set_rng_state(state)


__all__ = [
    "default_generator",
    "fork_rng",
    "get_rng_state",
    "initial_seed",
    "manual_seed",
    "seed",
    "set_rng_state",
]
