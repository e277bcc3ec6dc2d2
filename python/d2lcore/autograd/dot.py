"""Pictures of the backward graph: :func:`make_dot` and the DOT text behind it."""

from __future__ import annotations

from d2lcore import _C
from d2lcore._C import Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def _bytes(n: int) -> str:
    for unit in ("B", "KB", "MB"):
        if n < 10_000:
            return f"{n} {unit}"
        n = (n + 512) // 1024
    return f"{n} GB"


def _label(*lines: str) -> str:
    return "\\n".join(line.replace('"', "'") for line in lines if line)


def dot_source(
    y: Tensor | tuple[Tensor, ...] | list[Tensor], params: Mapping[str, Tensor] | None = None
) -> str:
    """The graph that leads to ``y`` as DOT text: one box for each node, with the op, the shape of
    its result and the bytes that it keeps for its backward; leaves with their shape.

    >>> import d2lcore as torch
    >>> x = torch.ones(2, 3, requires_grad=True)
    >>> "Exp" in torch.autograd.dot_source(x.exp())
    True
    """
    names = {id(p): name for name, p in (params or {}).items()}
    numbers: dict[int, int] = {}
    kept: list[Any] = []
    boxes: list[str] = []
    arrows: list[str] = []
    todo: list[Any] = []

    def name_of(node: Any) -> str:
        if id(node) not in numbers:
            numbers[id(node)] = len(numbers)
            kept.append(node)
            todo.append(node)
        return f"n{numbers[id(node)]}"

    roots = [y] if isinstance(y, Tensor) else list(y)
    for k, root in enumerate(roots):
        title = "y" if len(roots) == 1 else f"y{k}"
        boxes.append(f'  y{k} [label="{title}", shape=ellipse, style=filled, fillcolor="#cde8cd"];')
        if root.requires_grad:
            arrows.append(f"  {name_of(_C._gradient_edge(root)[0])} -> y{k};")
    while todo:
        node = todo.pop()
        me = name_of(node)
        shapes = " ".join(str(list(s)) for s in node._output_shapes)
        title = node.name().rsplit(":", 1)[-1]
        if title == "AccumulateGrad":
            title = names.get(id(node.variable), "")
            look = 'shape=ellipse, style=filled, fillcolor="#cfe2f7"'
            boxes.append(f'  {me} [label="{_label(title or "leaf", shapes)}", {look}];')
            continue
        saved = node._saved_bytes
        kept_text = f"saves {_bytes(saved)}" if saved else ""
        op = title.split("Backward")[0]
        boxes.append(f'  {me} [label="{_label(op, shapes, kept_text)}"];')
        for below, nr in node.next_functions:
            if below is not None:
                several = len(below._output_shapes) > 1
                note = f' [label="{nr}"]' if several else ""
                arrows.append(f"  {name_of(below)} -> {me}{note};")
    style = '  node [shape=box, fontname="monospace", fontsize=10];'
    return "\n".join(["digraph {", "  rankdir=TB;", style, *boxes, *arrows, "}"])


def make_dot(
    y: Tensor | tuple[Tensor, ...] | list[Tensor], params: Mapping[str, Tensor] | None = None
) -> Any:
    """Draws the graph that leads to ``y``, with graphviz (``pip install d2lcore[graph]``).

    Args:
        y: a tensor or several.
        params: names of leaves, such as ``dict(net.named_parameters())``.

    Returns a ``graphviz.Source``: shown in a notebook, written by ``.render(name, format="svg")``.

    Raises:
        ImportError: graphviz is not installed.
    """
    try:
        import graphviz  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        raise ImportError(
            "make_dot draws with graphviz: pip install d2lcore[graph] (and the program `dot`); "
            "torch.autograd.dot_source gives the text without it"
        ) from None
    return graphviz.Source(dot_source(y, params))


__all__ = ["dot_source", "make_dot"]
