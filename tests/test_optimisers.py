"""The optimisers beside SGD and Adam: paths recorded from PyTorch 2.13, state dicts, errors."""

from __future__ import annotations

import ast
import copy
import math
import pathlib
import re

import d2lcore as torch
import pytest
from d2lcore import optim


def recorded():
    path = pathlib.Path(__file__).parent / "tables" / "optimisers.txt"
    for line in path.read_text().splitlines()[1:]:
        name, options, numbers = line.split("; ")
        yield name, ast.literal_eval(options), [float(number) for number in numbers.split(", ")]


PATHS = list(recorded())
NAMES = list(dict.fromkeys(name for name, _, _ in PATHS))


class Problem:
    """Two parameters and a loss that changes from step to step."""

    def __init__(self, name, dtype=torch.float32):
        self.name = name
        self.w = torch.tensor([[1.0, -2.0, 3.0], [0.5, 0.25, -1.5]], dtype=dtype)
        self.w.requires_grad_()
        self.b = torch.tensor(0.5, dtype=dtype, requires_grad=True)

    def params(self):
        return [self.w] if self.name == "Muon" else [self.w, self.b]

    def make(self, **options):
        return getattr(optim, self.name)(self.params(), **options)

    def steps(self, optimizer, times):
        w, b = self.w, self.b
        for t in times:

            def closure(factor=t % 3 + 1):
                optimizer.zero_grad()
                loss = (w * w).sum() * factor * 0.5 + b**4 + b * w[0, 0]
                loss = loss + w[0].sin().sum() * w[1, 2]
                loss.backward()
                return loss

            if self.name == "LBFGS":
                optimizer.step(closure)
            else:
                closure()
                optimizer.step()

    def values(self):
        return [*self.w.flatten().tolist(), self.b.item()]


def close(values, expected):
    # 2e-5: bfloat16 inside Muon and sums of float32 in another order inside LBFGS.
    return values == pytest.approx(expected, rel=1e-5, abs=2e-5)


@pytest.mark.parametrize(("name", "options", "end"), PATHS)
def test_path(name, options, end):
    problem = Problem(name)
    problem.steps(problem.make(**options), range(6))
    assert close(problem.values(), end)


@pytest.mark.parametrize(("name", "options", "end"), PATHS)
def test_path_interrupted_by_saving_and_loading(name, options, end):
    problem = Problem(name)
    optimizer = problem.make(**options)
    problem.steps(optimizer, range(3))
    state = copy.deepcopy(optimizer.state_dict())
    again = problem.make()
    again.load_state_dict(state)
    problem.steps(again, range(3, 6))
    assert close(problem.values(), end)


@pytest.mark.parametrize(("name", "options", "end"), PATHS)
def test_path_in_float64(name, options, end):
    problem = Problem(name, torch.float64)
    problem.steps(problem.make(**options), range(6))
    loose = 1e-3 if name in ("LBFGS", "Muon") else 2e-5
    assert problem.values() == pytest.approx(end, rel=loose, abs=loose)


@pytest.mark.parametrize("name", [n for n in NAMES if n not in ("Muon", "Adafactor", "LBFGS")])
def test_complex_parameters_move_as_pairs_of_real_ones(name):
    z = torch.tensor([1.0 - 2.0j, 0.5 + 0.25j], requires_grad=True)
    pairs = torch.tensor([[1.0, -2.0], [0.5, 0.25]], requires_grad=True)
    both = [getattr(optim, name)([p], lr=0.1) for p in (z, pairs)]
    for step in range(3):
        grad = torch.tensor([[0.5, -1.0], [2.0, 0.1 * step]])
        z.grad, pairs.grad = torch.view_as_complex(grad), grad.clone()
        for optimizer in both:
            optimizer.step()
    assert torch.view_as_real(z.detach()).tolist() == pairs.tolist()


@pytest.mark.parametrize("name", [n for n in NAMES if n != "LBFGS"])
def test_half_precision_and_strides(name):
    base = torch.tensor([[1.0, 2.0], [3.0, -4.0], [-0.5, 0.25]])
    half, strided = base.bfloat16(), base.t()
    for p in (half, strided):
        p.requires_grad_()
        optimizer = getattr(optim, name)([p], lr=0.01)
        for _ in range(2):
            p.grad = torch.ones(p.shape, dtype=p.dtype) + p.detach()
            optimizer.step()
    assert half.dtype == torch.bfloat16
    if name != "Muon":  # whose step depends on the order of rows and columns
        assert half.float().t().flatten().tolist() == pytest.approx(
            strided.flatten().tolist(), rel=0.02, abs=0.02
        )


@pytest.mark.parametrize("name", NAMES)
def test_parameters_without_gradient_stay(name):
    problem = Problem(name)
    optimizer = problem.make()
    before = problem.values()
    if name == "LBFGS":
        optimizer.step(lambda: 1.0)
    else:
        optimizer.step()
    assert problem.values() == before


STATES = {
    "ASGD": ["step", "eta", "mu", "ax"],
    "Adadelta": ["step", "square_avg", "acc_delta"],
    "Adafactor": ["step", "row_var", "col_var"],
    "Adagrad": ["step", "sum"],
    "Adamax": ["step", "exp_avg", "exp_inf"],
    "LBFGS": [
        *("func_evals", "n_iter", "old_dirs", "old_stps", "ro", "H_diag", "d"),
        *("prev_flat_grad", "prev_loss", "t", "al"),
    ],
    "Muon": ["momentum_buffer"],
    "NAdam": ["step", "mu_product", "exp_avg", "exp_avg_sq"],
    "RAdam": ["step", "exp_avg", "exp_avg_sq"],
    "RMSprop": ["step", "square_avg"],
    "Rprop": ["step", "prev", "step_size"],
}


@pytest.mark.parametrize("name", NAMES)
def test_state_dict_has_pytorchs_keys(name):
    problem = Problem(name)
    optimizer = problem.make()
    problem.steps(optimizer, range(2))
    state = optimizer.state_dict()["state"][0]
    assert list(state) == STATES[name]
    if "step" in state:
        assert state["step"].dtype == torch.float32
        assert state["step"].item() == 2.0


def test_states_that_are_optional_or_differ():
    problem = Problem("RMSprop")
    optimizer = problem.make(momentum=0.5, centered=True)
    problem.steps(optimizer, range(1))
    assert list(optimizer.state_dict()["state"][1]) == [
        "step",
        "square_avg",
        "grad_avg",
        "momentum_buffer",
    ]
    problem = Problem("Adafactor")
    optimizer = problem.make()
    problem.steps(optimizer, range(1))
    state = optimizer.state_dict()["state"]
    assert list(state[1]) == ["step", "variance"]
    assert state[0]["row_var"].shape == (2, 1)
    assert state[0]["col_var"].shape == (1, 3)
    fresh = Problem("Adagrad").make(initial_accumulator_value=0.5).state_dict()["state"]
    assert fresh[0]["step"].item() == 0.0
    assert fresh[1]["sum"].item() == 0.5


def test_repr():
    assert repr(Problem("RMSprop").make(lr=0.5)) == (
        "RMSprop (\nParameter Group 0\n    alpha: 0.99\n    capturable: False\n"
        "    centered: False\n    differentiable: False\n    eps: 1e-08\n    foreach: None\n"
        "    lr: 0.5\n    maximize: False\n    momentum: 0\n    weight_decay: 0\n)"
    )


def test_an_infinite_weight_without_decay_stays_infinite():
    p = torch.tensor([math.inf, 1.0], requires_grad=True)
    for name in NAMES:
        if name not in ("LBFGS", "Muon", "Adafactor"):
            p.grad = torch.ones(2)
            getattr(optim, name)([p], lr=0.01).step()
            assert p[0].item() == math.inf


def test_a_learning_rate_may_be_a_tensor():
    for name in NAMES:
        ends = []
        for lr in (0.25, torch.tensor(0.25)):
            problem = Problem(name)
            problem.steps(problem.make(lr=lr), range(2))
            ends.append(problem.values())
        assert ends[0] == ends[1], name


# Where PyTorch's LBFGS is after one step of 200 iterations, and how often it evaluated.
VALLEY = [
    ("strong_wolfe", 1, [0.9999814210791366, 0.9999619651810989], 43),
    (None, 0.2, [8.539799094620609, 72.85344839762506], 200),
]


@pytest.mark.parametrize(("search", "lr", "end", "evaluations"), VALLEY)
def test_lbfgs_in_rosenbrocks_valley(search, lr, end, evaluations):
    xy = torch.tensor([-1.2, 1.0], dtype=torch.float64, requires_grad=True)
    optimizer = optim.LBFGS([xy], lr=lr, max_iter=200, max_eval=1000, line_search_fn=search)

    def closure():
        optimizer.zero_grad()
        loss = (1 - xy[0]) ** 2 + 100 * (xy[1] - xy[0] ** 2) ** 2
        loss.backward()
        return loss

    assert optimizer.step(closure).item() == pytest.approx(24.2)
    assert optimizer.state[xy]["func_evals"] == evaluations
    assert xy.tolist() == pytest.approx(end, rel=1e-4)


def test_lbfgs_stops_at_its_budget_and_survives_a_line_without_slope():
    calls = []
    w = torch.tensor([3.0], requires_grad=True)
    optimizer = optim.LBFGS([w], max_iter=50, max_eval=4, line_search_fn="strong_wolfe")

    def closure():
        calls.append(w.item())
        optimizer.zero_grad()
        loss = (w**4).sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    assert len(calls) == optimizer.state[w]["func_evals"] <= 5
    still = optim.LBFGS([w], lr=0.0, line_search_fn="strong_wolfe", max_iter=3)
    before = w.item()
    still.step(lambda: closure())
    assert w.item() == before
    with pytest.raises(RuntimeError, match="only 'strong_wolfe' is supported"):
        optim.LBFGS([w], line_search_fn="weak").step(closure)


P = torch.ones(2, requires_grad=True)
M = torch.ones(2, 2, requires_grad=True)
TWO = torch.tensor([0.1, 0.2])
ERRORS = [
    ("Adagrad", {"lr": -1}, "Invalid learning rate: -1"),
    ("Adagrad", {"lr_decay": -0.5}, "Invalid lr_decay value: -0.5"),
    ("Adagrad", {"initial_accumulator_value": -1}, "Invalid initial_accumulator_value value: -1"),
    ("Adadelta", {"rho": 1.1}, "Invalid rho value: 1.1"),
    ("Adadelta", {"eps": -1}, "Invalid epsilon value: -1"),
    ("Adamax", {"betas": (0.0, 1.0)}, "Invalid beta parameter at index 1: 1.0"),
    ("NAdam", {"momentum_decay": -0.2}, "Invalid momentum_decay value: -0.2"),
    ("RAdam", {"betas": (1.0, 0.0)}, "Invalid beta parameter at index 0: 1.0"),
    ("RAdam", {"weight_decay": -1}, "Invalid weight_decay value: -1"),
    ("RMSprop", {"momentum": -1.0}, "Invalid momentum value: -1.0"),
    ("RMSprop", {"alpha": -1.0}, "Invalid alpha value: -1.0"),
    ("Rprop", {"etas": (1.0, 0.5)}, "Invalid eta values: 1.0, 0.5"),
    ("ASGD", {"weight_decay": -0.5}, "Invalid weight_decay value: -0.5"),
    ("LBFGS", {"lr": -1}, "Invalid learning rate: -1"),
    ("Adafactor", {"lr": -1}, "Learning rate should be >= 0 but is: -1"),
    ("Adafactor", {"beta2_decay": 0.8}, "beta2_decay should be <= 0 but is: 0.8"),
    ("Adafactor", {"eps": (-1, 0.1)}, "epsilon1 should be >= 0 but is: -1"),
    ("Adafactor", {"d": 0.0}, "Clipping threshold d should be >= 1 but is: 0.0"),
    ("Muon", {"adjust_lr_fn": "x"}, "Adjust learning rate function x is not supported"),
    ("Muon", {"momentum": -1}, "momentum should be >= 0 but is: -1"),
    ("Adam", {"betas": (0.9, torch.tensor(0.99))}, "betas must be either both floats or both"),
    ("Adam", {"lr": torch.tensor(0.1), "foreach": True}, "lr as a Tensor is not supported for"),
    *((name, {"lr": TWO}, "Tensor lr must be 1-element") for name in NAMES),
]


@pytest.mark.parametrize(("name", "options", "text"), ERRORS)
def test_errors(name, options, text):
    with pytest.raises(ValueError, match=re.escape(text)):
        getattr(optim, name)([M], **options)


def test_errors_of_parameters():
    with pytest.raises(ValueError, match="Muon only supports 2D parameters whereas we found"):
        optim.Muon([P])
    with pytest.raises(ValueError, match="LBFGS doesn't support per-parameter options"):
        optim.LBFGS([{"params": [P]}, {"params": [M]}])
    z = torch.ones(2, 2, dtype=torch.complex64, requires_grad=True)
    z.grad = torch.ones(2, 2, dtype=torch.complex64)
    for name in ("Muon", "Adafactor"):
        with pytest.raises(RuntimeError, match=f"{name} does not support complex parameters"):
            getattr(optim, name)([z]).step()
    with pytest.raises(NotImplementedError, match="differentiable"):
        optim.RMSprop([P], differentiable=True)


def test_a_state_that_does_not_fit_is_refused():
    p = torch.ones(2, requires_grad=True)
    p.grad = torch.ones(2)
    optimizer = optim.Adagrad([p])
    for wrong in (torch.zeros(3), torch.zeros(2, dtype=torch.float64)):
        optimizer.state[p]["sum"] = wrong
        with pytest.raises(RuntimeError, match="has a state of"):
            optimizer.step()
    assert p.tolist() == [1.0, 1.0]
