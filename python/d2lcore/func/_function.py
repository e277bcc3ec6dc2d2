"""autograd.Function inside vmap: its own vmap method, or one call for each element."""

from __future__ import annotations

from collections import namedtuple

from d2lcore._C import Tensor
from d2lcore._tree import leaves, map_leaves, spread
from d2lcore.func._batched import BatchedTensor, _wrap, batched, levels, loop, outside

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

VmapInfo = namedtuple("VmapInfo", ["batch_size", "randomness"])


def apply_function(cls: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """``cls.apply`` with a batched argument."""
    from d2lcore.autograd.function import Function

    found = [x.level for x in leaves((args, kwargs)) if type(x) is BatchedTensor]
    level = levels()[-1]
    if max(found) != level.number:
        with outside():
            return cls.apply(*args, **kwargs)
    if cls.vmap is not Function.vmap:
        if cls.generate_vmap_rule:
            raise RuntimeError(
                f"You tried to vmap over {cls.__name__}, but it has both generate_vmap_rule=True "
                "and an overriden vmap staticmethod. Please set generate_vmap_rule=False or delete "
                "the overriden vmap staticmethod to avoid ambiguity. For more details, please see "
                "https://pytorch.org/docs/main/notes/extending.func.html"
            )
        in_dims = tuple(map_leaves(lambda x: 0 if batched(x, level.number) else None, args))
        with outside():
            values = map_leaves(lambda x: x.value if batched(x, level.number) else x, args)
            info = VmapInfo(level.size, level.randomness)
            outputs, out_dims = cls.vmap(info, in_dims, *values)
            return _dress(outputs, out_dims, level.number)
    if not cls.generate_vmap_rule:
        raise RuntimeError(
            f"You tried to vmap over {cls.__name__}, but it does not have vmap support. Please "
            "override and implement the vmap staticmethod or set generate_vmap_rule=True. For more "
            "details, please see https://pytorch.org/docs/main/notes/extending.func.html"
        )
    with outside():
        return loop(cls.apply, "apply", args, kwargs, level)


def _dress(outputs: Any, out_dims: Any, level: int) -> Any:
    dims = iter(spread(out_dims, outputs))

    def one(x: Any) -> Any:
        dim = next(dims)
        if dim is None or not isinstance(x, Tensor):
            return x
        return _wrap(x.movedim(dim, 0), level)

    return map_leaves(one, outputs)
