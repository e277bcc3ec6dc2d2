"""`torch.nn`: modules, parameters, initialisers and functions for neural networks."""

from __future__ import annotations

from d2lcore.nn import functional, init, modules, parameter, utils
from d2lcore.nn.modules import *  # noqa: F403
from d2lcore.nn.modules import __all__ as _module_names
from d2lcore.nn.modules.lazy import UninitializedBuffer, UninitializedParameter
from d2lcore.nn.parameter import Buffer, Parameter

__all__ = [
    "Buffer",
    "Parameter",
    "UninitializedBuffer",
    "UninitializedParameter",
    "functional",
    "init",
    "modules",
    "parameter",
    "utils",
]
__all__ += _module_names  # noqa: PLE0605
