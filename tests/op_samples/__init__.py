"""Samples of every op: one module for each chapter of cpp/src/ops, all in the format of base.py."""

from __future__ import annotations

from importlib import import_module

from op_samples.base import Op

CHAPTERS = (
    "arithmetic", "complex", "compare", "unary", "activation", "convert", "factory",
    "random", "view", "join", "index", "reduce", "scan", "sort", "norm", "normalize", "pad",
    "matmul", "linalg", "loss", "conv", "pool", "interpolate", "attention", "pointwise",
    "statistics", "geometry", "view_scatter", "special", "recurrent",
)  # fmt: skip


def all_ops() -> list[Op]:
    """Every op of every chapter, in order."""
    ops: list[Op] = []
    for chapter in CHAPTERS:
        for op in import_module(f"op_samples.{chapter}").OPS:
            op.chapter = chapter
            ops.append(op)
    return ops
