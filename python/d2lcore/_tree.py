"""Nested tuples, lists and dicts of leaves, and back."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any


def leaves(tree: Any) -> list[Any]:
    """The leaves, in order."""
    if isinstance(tree, (tuple, list)):
        return [leaf for part in tree for leaf in leaves(part)]
    if isinstance(tree, dict):
        return [leaf for part in tree.values() for leaf in leaves(part)]
    return [tree]


def rebuild(tree: Any, values: Iterator[Any]) -> Any:
    """The same nest with the next of ``values`` in place of each leaf."""
    if isinstance(tree, (tuple, list)):
        parts = [rebuild(part, values) for part in tree]
        if hasattr(tree, "_fields"):  # a named tuple; those of ops take one argument
            try:
                return type(tree)(*parts)
            except TypeError:
                return type(tree)(parts)
        return type(tree)(parts)
    if isinstance(tree, dict):
        return type(tree)((key, rebuild(part, values)) for key, part in tree.items())
    return next(values)


def map_leaves(function: Callable[..., Any], tree: Any, *others: Any) -> Any:
    """The nest of what the function makes of corresponding leaves."""
    columns = [leaves(t) for t in (tree, *others)]
    return rebuild(tree, iter([function(*row) for row in zip(*columns, strict=True)]))


def spread(prefix: Any, tree: Any) -> list[Any]:
    """For each leaf of ``tree`` the leaf of ``prefix`` above it; ValueError if they do not fit."""
    if isinstance(prefix, (tuple, list)):
        if not isinstance(tree, (tuple, list)) or len(prefix) != len(tree):
            raise ValueError("the structures differ")
        return [x for p, t in zip(prefix, tree, strict=True) for x in spread(p, t)]
    if isinstance(prefix, dict):
        if not isinstance(tree, dict) or prefix.keys() != tree.keys():
            raise ValueError("the structures differ")
        return [x for key in tree for x in spread(prefix[key], tree[key])]
    return [prefix] * len(leaves(tree))
