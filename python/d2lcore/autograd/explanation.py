"""`explain`: the chain of rules that a backward pass applies, in the notation of a calculus book.

The graph is read, not run: each node on a way from y to x becomes a step, with the rule that its
backward applies and its partial derivatives; the ways from y to x give the chain rule.
"""

from __future__ import annotations

from d2lcore import _C
from d2lcore._C import Tensor
from d2lcore.autograd._algebra import (
    ONE,
    Formula,
    add,
    call,
    div,
    matmul,
    mul,
    neg,
    number,
    partial,
    power,
    root,
    sub,
    symbol,
    total,
    total_sum,
    transpose,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Rule = Callable[["Operation"], "tuple[str, Formula, list[Formula | None]]"]

MOST_WAYS = 12  # that are written out


class Operation:
    """What a rule is told of a node: its operands, which of them are constants, what it saved."""

    def __init__(self, node: Any, operands: list[Formula], constant: list[bool]) -> None:
        self.node, self.operands, self.constant = node, operands, constant
        self.saved = node._saved_values
        self.name = node.name().rsplit(":", 1)[-1].split("Backward")[0]

    def count(self, operand: int = 0) -> float:
        """How many elements of an operand become one of the result."""
        node, nr = self.node.next_functions[operand]
        return _size(node._output_shapes[nr]) / max(1, _size(self.node._output_shapes[0]))


def _size(shape: tuple[int, ...]) -> int:
    n = 1
    for k in shape:
        n *= k
    return n


# ------------------------------------------------------------------------------------------ rules


def _add(op: Operation) -> Any:
    a, b = op.operands
    return "sum rule", add(a, b), [ONE, ONE]


def _sub(op: Operation) -> Any:
    a, b = op.operands
    return "difference rule", sub(a, b), [ONE, number(-1)]


def _neg(op: Operation) -> Any:
    return "constant multiple rule", neg(op.operands[0]), [number(-1)]


def _mul(op: Operation) -> Any:
    a, b = op.operands
    if op.constant[0] or op.constant[1]:
        return "constant multiple rule", mul(*((b, a) if op.constant[1] else (a, b))), [b, a]
    return "product rule", mul(a, b), [b, a]


def _div(op: Operation) -> Any:
    a, b = op.operands
    minus = neg(div(a, power(b, number(2))))
    if op.constant[1]:
        return "constant multiple rule", div(a, b), [div(ONE, b), minus]
    name = "reciprocal rule" if op.constant[0] else "quotient rule"
    return name, div(a, b), [div(ONE, b), minus]


def _pow(op: Operation) -> Any:
    a = op.operands[0]
    b = op.operands[1] if len(op.operands) > 1 else number(2)
    if len(op.operands) > 1 and not op.constant[1]:
        y = power(a, b)
        by_exponent = mul(y, call("ln", a, latex="\\ln"))
        if op.constant[0]:
            return "exponential rule", y, [None, by_exponent]
        return "power rule", y, [mul(b, power(a, sub(b, ONE))), by_exponent]
    try:
        less = number(float(b.text) - 1)
    except ValueError:
        less = sub(b, ONE)
    return "power rule", power(a, b), [mul(b, power(a, less)), None]


def _function(
    rule: str, y: Callable[[Formula], Formula], slope: Callable[[Formula], Formula]
) -> Rule:
    return lambda op: (rule, y(op.operands[0]), [slope(op.operands[0])])


def _named(name: str, latex: str = "") -> Callable[[Formula], Formula]:
    return lambda x: call(name, x, latex=latex or f"\\{name}")


_exp, _ln = _named("exp"), _named("ln")
_sin, _cos = _named("sin"), _named("cos")
_tanh, _sigma = _named("tanh"), _named("\u03c3", "\\sigma")


def _square(x: Formula) -> Formula:
    return power(x, number(2))


def _sum(op: Operation) -> Any:
    return "sum over elements", call("sum", op.operands[0], latex="\\sum"), [ONE]


def _mean(op: Operation) -> Any:
    return "mean of elements", call("mean", op.operands[0]), [div(ONE, number(op.count()))]


def _same(op: Operation) -> Any:
    name = {"Permute": "transpose", "View": "reshape", "T": "transpose"}.get(op.name, op.name)
    return "the same elements", call(name.lower(), op.operands[0]), [ONE]


RULES: dict[str, Rule] = {
    "Add": _add,
    "Sub": _sub,
    "Neg": _neg,
    "Mul": _mul,
    "Div": _div,
    "Pow": _pow,
    "Exp": _function("exponential rule", _exp, _exp),
    "Exp2": _function(
        "exponential rule", lambda x: power(number(2), x),
        lambda x: mul(power(number(2), x), _ln(number(2))),
    ),
    "Log": _function("logarithm rule", _ln, lambda x: div(ONE, x)),
    "Log2": _function(
        "logarithm rule", _named("log2", "\\log_2"), lambda x: div(ONE, mul(x, _ln(number(2))))
    ),
    "Log10": _function(
        "logarithm rule", _named("log10", "\\log_{10}"),
        lambda x: div(ONE, mul(x, _ln(number(10)))),
    ),
    "Log1P": _function(
        "logarithm rule", lambda x: _ln(add(ONE, x)), lambda x: div(ONE, add(ONE, x))
    ),
    "Sqrt": _function("power rule", root, lambda x: div(ONE, mul(number(2), root(x)))),
    "Rsqrt": _function(
        "power rule", lambda x: div(ONE, root(x)),
        lambda x: neg(div(ONE, mul(number(2), x, root(x)))),
    ),
    "Reciprocal": _function(
        "reciprocal rule", lambda x: div(ONE, x), lambda x: neg(div(ONE, _square(x)))
    ),
    "Sin": _function("derivative of sine", _sin, _cos),
    "Cos": _function("derivative of cosine", _cos, lambda x: neg(_sin(x))),
    "Tan": _function(
        "derivative of tangent", _named("tan"), lambda x: add(ONE, _square(_named("tan")(x)))
    ),
    "Sinh": _function("derivative of sinh", _named("sinh"), _named("cosh")),
    "Cosh": _function("derivative of cosh", _named("cosh"), _named("sinh")),
    "Tanh": _function("derivative of tanh", _tanh, lambda x: sub(ONE, _square(_tanh(x)))),
    "Sigmoid": _function(
        "derivative of the sigmoid", _sigma, lambda x: mul(_sigma(x), sub(ONE, _sigma(x)))
    ),
    "Relu": _function(
        "piecewise", _named("relu", "\\operatorname{relu}"),
        lambda x: Formula(f"[{x.text} > 0]", f"[{x.latex} > 0]"),
    ),
    "Abs": _function(
        "piecewise", lambda x: Formula(f"|{x.text}|", f"\\left|{x.latex}\\right|"),
        _named("sign", "\\operatorname{sign}"),
    ),
    "Sum": _sum,
    "Mean": _mean,
    **dict.fromkeys(
        ("View", "Reshape", "Permute", "Transpose", "T", "Unsqueeze", "Squeeze", "Expand",
         "Alias", "Clone", "ToCopy", "UnsafeView"),
        _same,
    ),
}  # fmt: skip


def _unknown(op: Operation) -> Any:
    shown = [o for o, c in zip(op.operands, op.constant, strict=True) if not c] or op.operands
    return "vector-Jacobian product", call(op.name.lower(), *shown), [None] * len(op.operands)


def _cotangents(op: Operation, g: Formula) -> list[Formula] | None:
    """For products of matrices: the cotangent of each operand, given that of the result."""
    if op.name in ("Mm", "Bmm", "Matmul"):
        a, b = op.operands[:2]
        return [matmul(g, transpose(b)), matmul(transpose(a), g)]
    if op.name == "Mv":
        a, v = op.operands
        return [matmul(g, transpose(v)), matmul(transpose(a), g)]
    if op.name == "Dot":
        a, b = op.operands
        return [mul(g, b), mul(g, a)]
    return None


# ------------------------------------------------------------------------------------ explanation


class Step:
    """One rule: the formula of a result, the partial derivatives, the cotangent's shape.

    ``partials`` has a pair for each operand on the way: its symbol and the derivative by it (None
    for ops whose Jacobian is no formula); ``updates`` says the same of cotangents instead.
    """

    def __init__(
        self,
        result: Formula,
        formula: Formula,
        rule: str,
        partials: list[tuple[Formula, Formula | None]],
        updates: list[tuple[Formula, Formula]],
        shape: tuple[int, ...],
    ) -> None:
        self.result, self.formula, self.rule = result, formula, rule
        self.partials, self.updates, self.shape = partials, updates, shape

    def lines(self) -> tuple[str, str]:
        """The formula, and the rule with its derivatives."""
        first = f"{self.result} = {self.formula}"
        parts = [f"{partial(self.result, x)} = {'J' if d is None else d}" for x, d in self.partials]
        parts += [f"{g} = {to}" for g, to in self.updates]
        return first, f"{self.rule}: " + ",  ".join(parts)

    def latex(self) -> str:
        """A row of an aligned block."""
        parts = [
            f"{partial(self.result, x).latex} = {'J' if d is None else d.latex}"
            for x, d in self.partials
        ]
        parts += [f"{g.latex} = {to.latex}" for g, to in self.updates]
        rule = f"\\text{{{self.rule}: }}"
        derivatives = ", \\; ".join(parts)
        return f"{self.result.latex} &= {self.formula.latex} && {rule} {derivatives}"


class Explanation:
    """What :func:`explain` returns: ``steps`` from y to x, and ``chain``, the chain rule.

    Printed it is text, in a notebook LaTeX.
    """

    def __init__(self, steps: list[Step], chain: list[Formula], head: Formula) -> None:
        self.steps, self.chain, self.head = steps, chain, head

    def __str__(self) -> str:
        rows = [step.lines() for step in self.steps]
        wide = max((len(first) for first, _ in rows), default=0)
        text = ""
        for step, (first, second) in zip(self.steps, rows, strict=True):
            text += f"{first:<{wide}}   cotangent of shape {_shape(step.shape)}\n    {second}\n"
        lead = str(self.head)
        for formula in self.chain:
            text += f"{lead} = {formula}\n"
            lead = " " * len(lead)
        return text.rstrip("\n")

    __repr__ = __str__

    def _repr_latex_(self) -> str:
        rows = [step.latex() for step in self.steps]
        rows += [
            f"{self.head.latex if k == 0 else ''} &= {formula.latex}"
            for k, formula in enumerate(self.chain)
        ]
        return "$$\\begin{aligned}\n" + " \\\\\n".join(rows) + "\n\\end{aligned}$$"


def _shape(shape: tuple[int, ...]) -> str:
    return "(" + ", ".join(map(str, shape)) + ("," if len(shape) == 1 else "") + ")"


class _Graph:
    """The part of a graph that leads from y to x, and the names of what lies in it."""

    def __init__(self, y: Tensor, x: Tensor) -> None:
        self.root, self.end = _C._gradient_edge(y), _C._gradient_edge(x)
        self.nodes = self._between()
        self.names: dict[tuple[int, int], Formula] = {}
        self.others: dict[tuple[int, int], Formula] = {}
        self.letters = iter("abcdefghijklmnopqrstvw")
        order = sorted(self.nodes, key=lambda n: n._sequence_nr())
        used = {self._key(self.root)}
        for node in order:
            used.update(self._key(e) for e in node.next_functions if e[0] is not None)
        count = 0
        for node in order:
            for nr in range(len(node._output_shapes)):
                key = (id(node), nr)
                if key in used and key not in (self._key(self.root), self._key(self.end)):
                    count += 1
                    self.names[key] = symbol(f"u{count}")
        self.names[self._key(self.end)] = symbol("x")
        self.names[self._key(self.root)] = symbol("y")

    @staticmethod
    def _key(edge: Any) -> tuple[int, int]:
        return id(edge[0]), edge[1]

    def _between(self) -> set[Any]:
        """The nodes on some way from the root to the end, the end's own not among them."""
        parents: dict[int, list[Any]] = {}
        seen, todo, found = {}, [self.root[0]], set()
        while todo:
            node = todo.pop()
            if id(node) in seen:
                continue
            seen[id(node)] = node
            for below, nr in node.next_functions:
                if below is None:
                    continue
                if self._key((below, nr)) == self._key(self.end):
                    found.add(node)
                elif below is not self.end[0]:
                    parents.setdefault(id(below), []).append(node)
                    todo.append(below)
        self.kept = seen  # ids stay those of these objects
        todo = list(found)
        while todo:
            for node in parents.get(id(todo.pop()), ()):
                if node not in found:
                    found.add(node)
                    todo.append(node)
        return found

    def leads(self, edge: Any) -> bool:
        return self._key(edge) == self._key(self.end) or edge[0] in self.nodes

    def operand(self, node: Any, place: int) -> tuple[Formula, bool]:
        """The symbol of an operand, and whether it is a constant."""
        edge = node.next_functions[place]
        if edge[0] is not None:
            if self.leads(edge):
                return self.names[self._key(edge)], False
            key = self._key(edge)
            self.kept[id(edge[0])] = edge[0]
        else:
            saved = node._saved_values
            if place < len(saved) and saved[place] is not None and saved[place].numel() == 1:
                value = saved[place].item()
                if isinstance(value, (int, float)):
                    return number(float(value)), True
            key = (id(node), -1 - place)
        if key not in self.others:
            self.others[key] = symbol(next(self.letters, "k"))
        return self.others[key], True

    def step(self, node: Any, nr: int) -> tuple[Step, list[tuple[Any, Formula | None]]]:
        places = range(len(node.next_functions))
        operands, constant = [], []
        for place in places:
            formula, fixed = self.operand(node, place)
            operands.append(formula)
            constant.append(fixed)
        op = Operation(node, operands, constant)
        apply: Rule = RULES.get(op.name, _unknown)
        rule, formula, slopes = apply(op)
        result = self.names[(id(node), nr)]
        y = symbol("y")
        head = ONE if result.text == "y" else total(y, result)
        to = _cotangents(op, head)
        partials: list[tuple[Formula, Formula | None]] = []
        updates: list[tuple[Formula, Formula]] = []
        edges: dict[tuple[int, int], tuple[Any, list[Formula | None]]] = {}
        for place in places:
            edge = node.next_functions[place]
            if edge[0] is not None and self.leads(edge):
                entry = edges.setdefault(self._key(edge), (edge, []))
                slope = slopes[place] if to is None else None
                entry[1].append(slope)
                if to is not None:
                    updates.append((total(y, operands[place]), to[place]))
        out = []
        for key, (edge, found) in edges.items():
            known = [s for s in found if s is not None]
            slope = _collect(known) if len(known) == len(found) else None
            out.append((edge, slope))
            if to is None:
                partials.append((self.names[key], slope))
        if to is not None:
            rule, formula = "product of matrices", matmul(*operands[:2])
        return Step(result, formula, rule, partials, updates, node._output_shapes[nr]), out


def _collect(slopes: list[Formula]) -> Formula:
    """The sum of an operand's derivatives: x·x gives 2·x."""
    if len(slopes) > 1 and all(s.text == slopes[0].text for s in slopes):
        return mul(number(len(slopes)), slopes[0])
    return total_sum(slopes)


def explain(y: Tensor, wrt: Tensor) -> Explanation:
    """Lists the rules that a backward pass applies from ``y`` to ``wrt``.

    Each step has the formula of a result, the rule of differentiation, the partial derivatives and
    the shape of the result's cotangent; then comes the chain rule, as a sum over all ways from
    ``y`` to ``wrt``, with symbols and, where every step works on single elements, with formulas.

    Args:
        y: the tensor that would be differentiated.
        wrt: the tensor to differentiate by, called x.

    Constants are shown where an op has kept them, and called a, b, c otherwise; results between
    are u1, u2, ... The graph must not have been freed.

    Raises:
        RuntimeError: ``wrt`` requires no gradient.

    >>> import d2lcore as torch
    >>> x = torch.tensor(2.0, requires_grad=True)
    >>> torch.autograd.explain((3 * x**2).exp(), wrt=x)
    y = exp(u2)    cotangent of shape ()
        exponential rule: ∂y/∂u2 = exp(u2)
    u2 = 3·u1      cotangent of shape ()
        constant multiple rule: ∂u2/∂u1 = 3
    u1 = x^2       cotangent of shape ()
        power rule: ∂u1/∂x = 2·x
    dy/dx = ∂y/∂u2·∂u2/∂u1·∂u1/∂x
          = exp(u2)·3·2·x
    """
    head = total(symbol("y"), symbol("x"))
    if not wrt.requires_grad:
        raise RuntimeError("One of the differentiated Tensors does not require grad")
    if not y.requires_grad:
        return _constant(y, head)
    graph = _Graph(y, wrt)
    if graph._key(graph.root) == graph._key(graph.end):
        return Explanation([], [ONE], head)
    if not graph.nodes:
        return _constant(y, head)
    steps = []
    below: dict[tuple[int, int], list[tuple[Any, Formula | None]]] = {}
    order = sorted(graph.nodes, key=lambda n: -n._sequence_nr())
    for node in order:
        for nr in range(len(node._output_shapes)):
            if (id(node), nr) in graph.names:
                step, edges = graph.step(node, nr)
                steps.append(step)
                below[(id(node), nr)] = edges
    return Explanation(steps, _chain(graph, below), head)


def _constant(y: Tensor, head: Formula) -> Explanation:
    name = symbol("c")
    step = Step(symbol("y"), name, "constant rule", [(symbol("x"), number(0))], [], tuple(y.shape))
    return Explanation([step], [number(0)], head)


def _chain(graph: _Graph, below: dict[tuple[int, int], list[Any]]) -> list[Formula]:
    """The sum over all ways of products of partial derivatives: symbols, then formulas."""
    ways: list[list[tuple[Formula, Formula, Formula | None]]] = []
    todo: list[tuple[tuple[int, int], list[Any]]] = [(graph._key(graph.root), [])]
    end = graph._key(graph.end)
    while todo:
        key, way = todo.pop()
        if key == end:
            ways.append(way)
            if len(ways) > MOST_WAYS:
                words = f"a sum over more than {MOST_WAYS} ways"
                return [Formula(words, f"\\text{{{words}}}", 1)]
            continue
        for edge, slope in reversed(below[key]):
            target = graph._key(edge)
            todo.append((target, [*way, (graph.names[key], graph.names[target], slope)]))
    lines = [total_sum([mul(*(partial(a, b) for a, b, _ in way)) for way in ways])]
    slopes = [[slope for _, _, slope in way if slope is not None] for way in ways]
    if all(len(found) == len(way) for found, way in zip(slopes, ways, strict=True)):
        terms = [mul(*found) for found in slopes]
        line = total_sum(terms)
        if line.text != lines[0].text:
            lines.append(line)
    return lines


__all__ = ["Explanation", "Step", "explain"]
