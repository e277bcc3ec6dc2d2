"""d2lcore: PyTorch's tensor API in a few megabytes, used as ``import d2lcore as torch``.

Importing this package loads the C++ module and the tensor, nothing else: nn, optim, utils, linalg
and the other parts are loaded when they are first named.
"""

from __future__ import annotations

from math import e as e
from math import inf as inf
from math import nan as nan
from math import pi as pi

from d2lcore import _C as _C
from d2lcore._C import *  # noqa: F403
from d2lcore._C import _pack_padded_sequence as _pack_padded_sequence
from d2lcore._C import _pad_packed_sequence as _pad_packed_sequence
from d2lcore._functional import *  # type: ignore[assignment,no-redef] # noqa: F403
from d2lcore._grad_mode import *  # noqa: F403
from d2lcore._interop import *  # noqa: F403
from d2lcore._tensor import finish_tensor_type
from d2lcore._version import __version__ as __version__

newaxis = None

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any as _Any

# PyTorch's other names of the dtypes.
float = _C.float32
double = _C.float64
half = _C.float16
uint8 = _C.uint8
short = _C.int16
int = _C.int32
long = _C.int64
cfloat = _C.complex64
cdouble = _C.complex128

finish_tensor_type()

_LAZY_MODULES = frozenset(
    {
        "autograd",
        "datasets",
        "func",
        "linalg",
        "masked",
        "nn",
        "optim",
        "random",
        "signal",
        "special",
        "utils",
    }
)
_LAZY_NAMES = {
    "errstate": "d2lcore._errstate",
    "vmap": "d2lcore.func",
    "set_printoptions": "d2lcore._tensor_str",
    "finfo": "d2lcore._type_info",
    "iinfo": "d2lcore._type_info",
}


def __getattr__(name: str) -> _Any:
    from importlib import import_module

    if name in _LAZY_MODULES:
        return import_module(f"d2lcore.{name}")
    if name in _LAZY_NAMES:
        value = getattr(import_module(_LAZY_NAMES[name]), name)
        globals()[name] = value
        return value
    if name.startswith("__"):
        raise AttributeError(f"module 'd2lcore' has no attribute {name!r}")
    raise AttributeError(
        f"module 'd2lcore' has no attribute {name!r}: d2lcore does not provide torch.{name}"
    )


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY_MODULES, *_LAZY_NAMES})
