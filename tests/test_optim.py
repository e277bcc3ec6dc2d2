"""Optimisers: paths recorded from PyTorch 2.13, formulas in NumPy float64, groups and state."""

from __future__ import annotations

import copy
import pickle

import d2lcore as torch
import numpy as np
import pytest
from d2lcore import optim

# Where four steps on the loss below lead: w (3 numbers) and b.
PATHS = [
    ("SGD", {"lr": 0.1}, [0.2463968, -0.6048, 0.9072, 0.0821898]),
    ("SGD", {"lr": 0.05, "momentum": 0.9}, [0.1031105, -0.4545, 0.68175, -0.109483]),
    (
        "SGD",
        {"lr": 0.05, "momentum": 0.9, "dampening": 0.5, "weight_decay": 0.1},
        [0.37023, -0.9620148, 1.4430221, 0.022751],
    ),
    (
        "SGD",
        {"lr": 0.05, "momentum": 0.9, "nesterov": True},
        [-0.0278751, -0.1120699, 0.1681051, -0.1805848],
    ),
    ("SGD", {"lr": 0.01, "maximize": True}, [1.125675, -2.2071004, 3.3106506, 0.5746988]),
    ("Adam", {"lr": 0.1}, [0.6015822, -1.6091064, 2.6099648, 0.1114646]),
    (
        "Adam",
        {"lr": 0.1, "amsgrad": True, "weight_decay": 0.1},
        [0.6011196, -1.6077759, 2.6086075, 0.1115073],
    ),
    (
        "Adam",
        {"lr": 0.05, "betas": (0.5, 0.9), "eps": 0.01},
        [0.7892316, -1.7872602, 2.7869453, 0.3086354],
    ),
    ("Adam", {"lr": 0.05, "maximize": True}, [1.1956685, -2.1935735, 3.1937733, 0.7005852]),
    ("AdamW", {"lr": 0.1}, [0.598153, -1.6016581, 2.5985217, 0.1101708]),
    (
        "AdamW",
        {"lr": 0.1, "weight_decay": 0.5, "amsgrad": True},
        [0.4437184, -1.2643048, 2.0796185, 0.0532461],
    ),
]


def start():
    w = torch.tensor([1.0, -2.0, 3.0], requires_grad=True)
    b = torch.tensor(0.5, requires_grad=True)
    return [w, b]


def steps(optimizer, params, times):
    w, b = params
    for t in times:
        optimizer.zero_grad()
        ((w * w).sum() * (t + 1) * 0.5 + b * b * b + b * w[0]).backward()
        optimizer.step()


def values(params):
    return [*params[0].tolist(), params[1].item()]


@pytest.mark.parametrize(("name", "options", "end"), PATHS)
def test_path(name, options, end):
    params = start()
    steps(getattr(optim, name)(params, **options), params, range(4))
    assert values(params) == pytest.approx(end, abs=2e-6)


@pytest.mark.parametrize(("name", "options", "end"), PATHS)
def test_path_interrupted_by_saving_and_loading(name, options, end):
    params = start()
    optimizer = getattr(optim, name)(params, **options)
    steps(optimizer, params, range(2))
    state = copy.deepcopy(optimizer.state_dict())
    again = getattr(optim, name)(params)
    again.load_state_dict(state)
    steps(again, params, range(2, 4))
    assert values(params) == pytest.approx(end, abs=2e-6)


@pytest.mark.parametrize("nesterov", [False, True])
def test_sgd_formula_in_float64(nesterov):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((4, 3))
    p = torch.tensor(x.tolist(), dtype=torch.float64, requires_grad=True)
    optimizer = optim.SGD([p], lr=0.1, momentum=0.9, weight_decay=0.01, nesterov=nesterov)
    buffer = None
    for _ in range(5):
        g = rng.standard_normal((4, 3))
        p.grad = torch.tensor(g.tolist(), dtype=torch.float64)
        optimizer.step()
        g = g + 0.01 * x
        buffer = g if buffer is None else 0.9 * buffer + g
        x = x - 0.1 * (g + 0.9 * buffer if nesterov else buffer)
    np.testing.assert_allclose(np.array(p.tolist()), x, rtol=1e-12)


def test_adam_formula_in_float64():
    rng = np.random.default_rng(0)
    x = rng.standard_normal(50)
    p = torch.tensor(x.tolist(), dtype=torch.float64, requires_grad=True)
    optimizer = optim.AdamW([p], lr=0.01, betas=(0.8, 0.9), eps=1e-6, weight_decay=0.1)
    m = v = 0.0
    for t in range(1, 6):
        g = rng.standard_normal(50)
        p.grad = torch.tensor(g.tolist(), dtype=torch.float64)
        optimizer.step()
        m, v = 0.8 * m + 0.2 * g, 0.9 * v + 0.1 * g * g
        x = x * (1 - 0.01 * 0.1)
        x = x - 0.01 * (m / (1 - 0.8**t)) / (np.sqrt(v / (1 - 0.9**t)) + 1e-6)
    np.testing.assert_allclose(np.array(p.tolist()), x, rtol=1e-12)


def test_a_strided_parameter_is_updated_in_place():
    base = torch.zeros(3, 4)
    p = base.t().requires_grad_()
    p.grad = torch.arange(12.0).reshape(4, 3)
    optim.SGD([p], lr=1.0).step()
    assert p.tolist() == (-torch.arange(12.0).reshape(4, 3)).tolist()
    assert base[2, 1].item() == -5.0


def test_a_step_is_an_in_place_write():
    p = torch.ones(2, requires_grad=True)
    y = (p * p).sum()
    p.grad = torch.ones(2)
    optim.SGD([p], lr=0.1).step()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.backward()


def test_parameters_without_gradient_stay():
    params = start()
    params[0].grad = torch.ones(3)
    for optimizer in (optim.SGD(params, lr=1.0, momentum=0.5), optim.Adam(params)):
        optimizer.step()
        assert params[1].item() == 0.5
        assert list(optimizer.state_dict()["state"]) == [0]
    empty = optim.SGD(start())
    empty.step()


def test_groups():
    params = start()
    optimizer = optim.SGD([{"params": params[:1], "lr": 1.0}, {"params": params[1]}], lr=0.0)
    params[0].grad, params[1].grad = torch.ones(3), torch.tensor(1.0)
    optimizer.step()
    assert values(params) == [0.0, -3.0, 2.0, 0.5]
    extra = torch.ones(1, requires_grad=True)
    optimizer.add_param_group({"params": [extra]})
    assert [g["lr"] for g in optimizer.param_groups] == [1.0, 0.0, 0.0]
    assert [g["params"] for g in optimizer.state_dict()["param_groups"]] == [[0], [1], [2]]
    optimizer.param_groups[1]["lr"] = 2.0
    optimizer.step()
    assert params[1].item() == -1.5


def test_named_parameters():
    layer = torch.nn.Linear(2, 1)
    optimizer = optim.SGD(layer.named_parameters(), lr=0.1)
    assert optimizer.param_groups[0]["param_names"] == ["weight", "bias"]
    assert optimizer.param_groups[0]["params"][0] is layer.weight


def test_state_dict_looks_like_pytorchs():
    params = start()
    optimizer = optim.Adam(params, amsgrad=True)
    steps(optimizer, params, range(3))
    state = optimizer.state_dict()["state"]
    assert list(state) == [0, 1]
    assert list(state[0]) == ["step", "exp_avg", "exp_avg_sq", "max_exp_avg_sq"]
    assert state[0]["step"].dtype == torch.float32
    assert state[0]["step"].shape == ()
    assert state[0]["step"].item() == 3.0
    sgd = optim.SGD(params, momentum=0.9)
    steps(sgd, params, range(1))
    assert list(sgd.state_dict()["state"][0]) == ["momentum_buffer"]
    assert optim.SGD(params).state_dict() == {
        "state": {},
        "param_groups": [
            {
                "lr": 0.001,
                "momentum": 0,
                "dampening": 0,
                "weight_decay": 0,
                "nesterov": False,
                "maximize": False,
                "foreach": None,
                "differentiable": False,
                "fused": None,
                "params": [0, 1],
            }
        ],
    }


def test_repr():
    assert repr(optim.SGD(start(), lr=0.5)) == (
        "SGD (\nParameter Group 0\n    dampening: 0\n    differentiable: False\n    foreach: None\n"
        "    fused: None\n    lr: 0.5\n    maximize: False\n    momentum: 0\n    nesterov: False\n"
        "    weight_decay: 0\n)"
    )


def test_closure_zero_grad_and_no_grad():
    params = start()
    optimizer = optim.SGD(params, lr=0.1)

    def closure():
        optimizer.zero_grad()
        loss = (params[0] ** 2).sum() + params[1]
        loss.backward()
        return loss

    with torch.no_grad():
        assert optimizer.step(closure).item() == 14.5
    assert params[0].tolist() == pytest.approx([0.8, -1.6, 2.4])
    optimizer.zero_grad(set_to_none=False)
    assert params[0].grad.tolist() == [0.0, 0.0, 0.0]
    optimizer.zero_grad()
    assert params[0].grad is None


def test_step_hooks():
    log = []
    optimizer = optim.SGD(start(), lr=0.1)
    pre = optimizer.register_step_pre_hook(lambda o, args, kwargs: log.append("pre"))
    optimizer.register_step_post_hook(lambda o, args, kwargs: log.append("post"))
    optimizer.step()
    pre.remove()
    optimizer.step()
    assert log == ["pre", "post", "post"]

    class Own(optim.Optimizer):
        def step(self):
            log.append("own")

    own = Own(start(), {})
    own.register_step_pre_hook(lambda o, args, kwargs: log.append("before"))
    own.step()
    assert log[3:] == ["before", "own"]


def test_pickle():
    params = start()
    optimizer = optim.SGD(params, lr=0.1, momentum=0.9)
    steps(optimizer, params, range(2))
    twin = pickle.loads(pickle.dumps(optimizer))
    assert twin.param_groups[0]["lr"] == 0.1
    buffer = twin.state[twin.param_groups[0]["params"][0]]["momentum_buffer"]
    assert buffer.tolist() == optimizer.state[params[0]]["momentum_buffer"].tolist()
    twin.step()


P = torch.ones(2, requires_grad=True)
Q = torch.ones(2, requires_grad=True)
ERRORS = [
    (lambda: optim.SGD([]), ValueError, "optimizer got an empty parameter list"),
    (lambda: optim.SGD(P), TypeError, "should be an iterable of Tensors or dicts"),
    (lambda: optim.SGD([1]), TypeError, "optimizer can only optimize Tensors, but one of"),
    (lambda: optim.SGD([P * 1]), ValueError, "can't optimize a non-leaf Tensor"),
    (lambda: optim.SGD([P], lr=-1), ValueError, "Invalid learning rate: -1"),
    (lambda: optim.SGD([P], momentum=-1), ValueError, "Invalid momentum value: -1"),
    (lambda: optim.SGD([P], weight_decay=-1), ValueError, "Invalid weight_decay value: -1"),
    (lambda: optim.SGD([P], nesterov=True), ValueError, "Nesterov momentum requires a momentum"),
    (lambda: optim.Adam([P], eps=-1), ValueError, "Invalid epsilon value: -1"),
    (lambda: optim.Adam([P], betas=(1.0, 0.9)), ValueError, "Invalid beta parameter at index 0"),
    (lambda: optim.Adam([P], betas=(0.9, 2.0)), ValueError, "Invalid beta parameter at index 1"),
    (lambda: optim.SGD([{"params": {P}}]), TypeError, "need to be organized in ordered"),
    (
        lambda: optim.SGD([{"params": [P]}, {"params": [P]}]),
        ValueError,
        "some parameters appear in more than one parameter group",
    ),
    (lambda: optim.SGD([P]).add_param_group([1]), TypeError, "param_group must be a dict"),
    (
        lambda: optim.SGD([P]).load_state_dict(optim.SGD([P, Q]).state_dict()),
        ValueError,
        "doesn't match the size of optimizer's group",
    ),
    (
        lambda: optim.SGD([P]).load_state_dict(
            optim.SGD([{"params": P}, {"params": Q}]).state_dict()
        ),
        ValueError,
        "different number of parameter groups",
    ),
    (lambda: optim.SGD([P], fused=True, foreach=True), RuntimeError, "cannot be `True` together"),
    (lambda: optim.Adam([P], differentiable=True), NotImplementedError, "differentiable"),
]


@pytest.mark.parametrize(("act", "kind", "text"), ERRORS)
def test_errors(act, kind, text):
    with pytest.raises(kind) as caught:
        act()
    assert text in str(caught.value)


def test_duplicates_warn():
    with pytest.warns(UserWarning, match="duplicate parameters"):
        optim.SGD([P, P])
