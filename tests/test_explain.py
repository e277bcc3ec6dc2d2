"""explain and make_dot against what an introduction to calculus writes down."""

from __future__ import annotations

import sys

import d2lcore as torch
import pytest

explain = torch.autograd.explain


def number(value=2.0):
    return torch.tensor(value, requires_grad=True)


# (function, steps: (formula, rule, derivatives), chain rule, with formulas)
BOOK = {
    "constant": (
        lambda x: torch.tensor(3.0),
        [("y = c", "constant rule", {"∂y/∂x": "0"})],
        ["0"],
    ),
    "power": (
        lambda x: x**3,
        [("y = x^3", "power rule", {"∂y/∂x": "3·x^2"})],
        ["∂y/∂x", "3·x^2"],
    ),
    "negative power": (
        lambda x: x**-1,
        [("y = x^(-1)", "power rule", {"∂y/∂x": "(-1)·x^(-2)"})],
        ["∂y/∂x", "(-1)·x^(-2)"],
    ),
    "square": (
        lambda x: x.square(),
        [("y = x^2", "power rule", {"∂y/∂x": "2·x"})],
        ["∂y/∂x", "2·x"],
    ),
    "exponential": (
        lambda x: x.exp(),
        [("y = exp(x)", "exponential rule", {"∂y/∂x": "exp(x)"})],
        ["∂y/∂x", "exp(x)"],
    ),
    "logarithm": (
        lambda x: x.log(),
        [("y = ln(x)", "logarithm rule", {"∂y/∂x": "1/x"})],
        ["∂y/∂x", "1/x"],
    ),
    "multiple": (
        lambda x: 5 * x,
        [("y = 5·x", "constant multiple rule", {"∂y/∂x": "5"})],
        ["∂y/∂x", "5"],
    ),
    "sum": (
        lambda x: x**2 + x.exp(),
        [
            ("y = u1 + u2", "sum rule", {"∂y/∂u1": "1", "∂y/∂u2": "1"}),
            ("u2 = exp(x)", "exponential rule", {"∂u2/∂x": "exp(x)"}),
            ("u1 = x^2", "power rule", {"∂u1/∂x": "2·x"}),
        ],
        ["∂y/∂u1·∂u1/∂x + ∂y/∂u2·∂u2/∂x", "2·x + exp(x)"],
    ),
    "difference": (
        lambda x: x**2 - x,
        [
            ("y = u1 - x", "difference rule", {"∂y/∂u1": "1", "∂y/∂x": "-1"}),
            ("u1 = x^2", "power rule", {"∂u1/∂x": "2·x"}),
        ],
        ["∂y/∂u1·∂u1/∂x + ∂y/∂x", "2·x - 1"],
    ),
    "product": (
        lambda x: x * x.sin(),
        [
            ("y = x·u1", "product rule", {"∂y/∂x": "u1", "∂y/∂u1": "x"}),
            ("u1 = sin(x)", "derivative of sine", {"∂u1/∂x": "cos(x)"}),
        ],
        ["∂y/∂x + ∂y/∂u1·∂u1/∂x", "u1 + x·cos(x)"],
    ),
    "product with itself": (
        lambda x: x * x,
        [("y = x·x", "product rule", {"∂y/∂x": "2·x"})],
        ["∂y/∂x", "2·x"],
    ),
    "quotient": (
        lambda x: x.exp() / x,
        [
            ("y = u1/x", "quotient rule", {"∂y/∂u1": "1/x", "∂y/∂x": "-u1/x^2"}),
            ("u1 = exp(x)", "exponential rule", {"∂u1/∂x": "exp(x)"}),
        ],
        ["∂y/∂u1·∂u1/∂x + ∂y/∂x", "1/x·exp(x) - u1/x^2"],
    ),
    "reciprocal": (
        lambda x: 2 / x,
        [("y = 2/x", "reciprocal rule", {"∂y/∂x": "-2/x^2"})],
        ["∂y/∂x", "-2/x^2"],
    ),
    "nested": (
        lambda x: (3 * x**2).exp(),
        [
            ("y = exp(u2)", "exponential rule", {"∂y/∂u2": "exp(u2)"}),
            ("u2 = 3·u1", "constant multiple rule", {"∂u2/∂u1": "3"}),
            ("u1 = x^2", "power rule", {"∂u1/∂x": "2·x"}),
        ],
        ["∂y/∂u2·∂u2/∂u1·∂u1/∂x", "exp(u2)·3·2·x"],
    ),
    "exponential of another base": (
        lambda x: 2**x,
        [("y = 2^x", "exponential rule", {"∂y/∂x": "2^x·ln(2)"})],
        ["∂y/∂x", "2^x·ln(2)"],
    ),
    "tanh of a multiple": (
        lambda x: (x / 4).tanh(),
        [
            ("y = tanh(u1)", "derivative of tanh", {"∂y/∂u1": "1 - tanh(u1)^2"}),
            ("u1 = x/4", "constant multiple rule", {"∂u1/∂x": "1/4"}),
        ],
        ["∂y/∂u1·∂u1/∂x", "(1 - tanh(u1)^2)·1/4"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BOOK)
def test_rules_of_the_book(name):
    function, steps, chain = BOOK[name]
    x = number()
    found = explain(function(x), wrt=x)
    got = [
        (
            f"{s.result} = {s.formula}",
            s.rule,
            {f"∂{s.result}/∂{v}": str(d) for v, d in s.partials},
        )
        for s in found.steps
    ]
    assert got == steps
    assert [str(c) for c in found.chain] == chain
    assert all(s.shape == () for s in found.steps)


def test_the_text():
    x = number()
    assert str(explain((3 * x**2).exp(), wrt=x)) == (
        "y = exp(u2)   cotangent of shape ()\n"
        "    exponential rule: ∂y/∂u2 = exp(u2)\n"
        "u2 = 3·u1     cotangent of shape ()\n"
        "    constant multiple rule: ∂u2/∂u1 = 3\n"
        "u1 = x^2      cotangent of shape ()\n"
        "    power rule: ∂u1/∂x = 2·x\n"
        "dy/dx = ∂y/∂u2·∂u2/∂u1·∂u1/∂x\n"
        "      = exp(u2)·3·2·x"
    )


def test_the_latex():
    x = number()
    assert explain(x**3 / 2, wrt=x)._repr_latex_() == (
        "$$\\begin{aligned}\n"
        "y &= \\frac{u_{1}}{2} && \\text{constant multiple rule: } "
        "\\frac{\\partial y}{\\partial u_{1}} = \\frac{1}{2} \\\\\n"
        "u_{1} &= x^{3} && \\text{power rule: } "
        "\\frac{\\partial u_{1}}{\\partial x} = 3 \\cdot x^{2} \\\\\n"
        "\\frac{d y}{d x} &= \\frac{\\partial y}{\\partial u_{1}} \\cdot "
        "\\frac{\\partial u_{1}}{\\partial x} \\\\\n"
        " &= \\frac{1}{2} \\cdot 3 \\cdot x^{2}\n"
        "\\end{aligned}$$"
    )


def test_shapes_and_sums_over_elements():
    x = torch.ones(3, requires_grad=True)
    found = explain((x**2).mean(), wrt=x)
    assert [s.shape for s in found.steps] == [(), (3,)]
    assert str(found.chain[-1]) == "1/3·2·x"
    assert "cotangent of shape (3,)" in str(found)


def test_products_of_matrices():
    w, x = torch.ones(2, 3, requires_grad=True), torch.ones(3, 4, requires_grad=True)
    y = (w @ x).sum()
    found = explain(y, wrt=x)
    assert [str(s.formula) for s in found.steps] == ["sum(u1)", "a x"]
    assert [(str(g), str(to)) for g, to in found.steps[1].updates] == [("dy/dx", "aᵀ dy/du1")]
    (pair,) = explain(y, wrt=w).steps[1].updates
    assert str(pair[1]) == "dy/du1 bᵀ" or str(pair[1]) == "dy/du1 aᵀ"
    assert [str(c) for c in found.chain] == ["∂y/∂u1·∂u1/∂x"]


def test_what_is_not_on_the_way_is_a_constant():
    x, w, b = number(), number(3.0), number(4.0)
    found = explain(w * x + b.exp(), wrt=x)
    assert [str(s.formula) for s in found.steps] == ["u1 + a", "b·x"]
    assert str(found.chain[-1]) == "b"
    assert str(explain(w * 2, wrt=x).chain[0]) == "0"
    assert str(explain(x, wrt=x).chain[0]) == "1"


def test_intermediate_results_and_several_ways():
    x = number()
    u = x.exp()
    y = u * u.sin()
    found = explain(y, wrt=u)
    assert [str(s.formula) for s in found.steps] == ["x·u1", "sin(x)"]
    z = x
    for _ in range(20):
        z = z + z.sin()
    assert "more than 12 ways" in str(explain(z, wrt=x).chain[0])


def test_unknown_ops_have_a_jacobian():
    x = torch.ones(3, requires_grad=True)
    found = explain(x.softmax(0).log(), wrt=x)
    assert found.steps[1].rule == "vector-Jacobian product"
    assert "∂u1/∂x = J" in str(found)
    assert len(found.chain) == 1


def test_functions_and_errors():
    class Cube(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x**3

        @staticmethod
        def backward(ctx, g):
            return g

    x = number()
    assert str(explain(Cube.apply(x), wrt=x).steps[0].formula) == "cube(x)"
    with pytest.raises(RuntimeError, match="does not require grad"):
        explain(x * 2, wrt=torch.ones(1))
    y = x**2
    y.backward()
    with pytest.raises(RuntimeError, match="Trying to backward through the graph a second time"):
        explain(y, wrt=x)


def test_the_graph_is_left_as_it_was():
    x = number(3.0)
    y = (x * x).exp().log()
    explain(y, wrt=x)
    y.backward()
    assert x.grad.item() == pytest.approx(6.0)


def test_a_deep_graph_needs_no_recursion():
    x = number()
    y = x
    for _ in range(5000):
        y = y * 1.0
    found = explain(y, wrt=x)
    assert len(found.steps) == 5000
    assert torch.autograd.dot_source(y).count("Mul") == 5000


def test_dot():
    w = torch.ones(2, 3, requires_grad=True)
    text = torch.autograd.dot_source((w.exp() * 2).sum(), {"w": w})
    assert text.startswith("digraph {")
    assert 'label="w\\n[2, 3]"' in text
    assert 'label="Exp\\n[2, 3]\\nsaves 24 B"' in text
    assert 'label="Sum\\n[]"' in text
    assert text.count("->") == 4
    values, _ = w.max(dim=0)
    assert "[3] [3]" in torch.autograd.dot_source([values, w])


def test_make_dot_without_graphviz(monkeypatch):
    monkeypatch.setitem(sys.modules, "graphviz", None)
    with pytest.raises(ImportError, match=r"pip install d2lcore\[graph\]"):
        torch.autograd.make_dot(number() * 2)


def test_make_dot_with_graphviz(monkeypatch):
    import types

    fake = types.ModuleType("graphviz")
    fake.Source = str
    monkeypatch.setitem(sys.modules, "graphviz", fake)
    assert torch.autograd.make_dot(number() * 2).startswith("digraph")
