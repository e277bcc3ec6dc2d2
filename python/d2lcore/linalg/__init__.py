"""Linear algebra: torch.linalg, as far as d2lcore has it."""

from __future__ import annotations

from d2lcore import _C
from d2lcore._C import LinAlgError

globals().update({k: v for k, v in vars(_C._linalg).items() if not k.startswith("_")})

__all__ = ["LinAlgError", *(k for k in vars(_C._linalg) if not k.startswith("_"))]  # noqa: PLE0604


def __getattr__(name: str) -> object:
    raise AttributeError(
        f"module 'd2lcore.linalg' has no attribute {name!r}: d2lcore does not provide "
        f"torch.linalg.{name}"
    )
