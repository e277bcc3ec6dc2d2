"""`RemovableHandle`: what registering a hook returns, and what takes the hook away again.

The handle knows the dictionary of hooks weakly, so that it keeps no module or tensor alive.
"""

from __future__ import annotations

import itertools
import weakref
from collections import OrderedDict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_next_id = itertools.count()


class RemovableHandle:
    """Removes one hook.

    Args:
        hooks_dict: the dictionary that holds the hook under this handle's ``id``.
        extra_dict: further dictionaries, or one, keyed by the same ``id``.

    Example::

        >>> layer = torch.nn.Linear(2, 1)
        >>> handle = layer.register_forward_hook(lambda module, args, output: print("called"))
        >>> _ = layer(torch.ones(1, 2))
        called
        >>> handle.remove()
    """

    id: int

    def __init__(self, hooks_dict: Any, *, extra_dict: Any = None) -> None:
        self.id = next(_next_id)
        self._refs = [weakref.ref(hooks_dict)]
        if extra_dict is not None:
            extras = extra_dict if isinstance(extra_dict, list) else [extra_dict]
            self._refs += [weakref.ref(extra) for extra in extras]

    def remove(self) -> None:
        """Takes the hook away; a second call does nothing."""
        for ref in self._refs:
            hooks = ref()
            if hooks is not None:
                hooks.pop(self.id, None)

    def __getstate__(self) -> tuple[Any, ...]:
        return (self.id, *(ref() for ref in self._refs))

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.id = state[0]
        # A dictionary that did not survive is replaced by one that dies at once.
        self._refs = [weakref.ref(OrderedDict() if d is None else d) for d in state[1:]]

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.remove()
