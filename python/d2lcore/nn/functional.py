"""`torch.nn.functional`: the functions behind the layers.

The idea: every one is an op of the C++ table (``_C._nn``), with PyTorch's signature; this module
only gives them their public place.
"""

from __future__ import annotations

from d2lcore import _C

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from d2lcore._C import Tensor

    def __getattr__(name: str) -> Callable[..., Tensor]: ...


globals().update({k: v for k, v in vars(_C._nn).items() if not k.startswith("_")})
