"""Helpers beside the tensors: data loading (`utils.data`), DLPack (`utils.dlpack`), hook handles
(`utils.hooks`), and `cmake_prefix_path`, where CMake finds the C++ library."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from . import checkpoint as checkpoint
    from . import data as data
    from . import dlpack as dlpack
    from . import hooks as hooks

    cmake_prefix_path: str

_LAZY = ("checkpoint", "data", "dlpack", "hooks")


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        from importlib import import_module

        return import_module(f"{__name__}.{name}")
    if name == "cmake_prefix_path":  # a path for CMAKE_PREFIX_PATH, for find_package(d2lcore)
        from os.path import abspath, dirname

        return dirname(dirname(abspath(__file__)))
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY, "cmake_prefix_path"})
