"""Schedules: rates recorded from PyTorch 2.13, state dicts, warnings, errors; averaged weights."""

from __future__ import annotations

import copy
import math
import pathlib
import re
import warnings

import d2lcore as torch
import pytest
from d2lcore import nn, optim
from d2lcore.optim import lr_scheduler as S
from d2lcore.optim import swa_utils

SCHEDULES = {
    "StepLR": lambda o: S.StepLR(o, 3, gamma=0.5),
    "MultiStepLR": lambda o: S.MultiStepLR(o, [2, 5, 5, 8], gamma=0.3),
    "ConstantLR": lambda o: S.ConstantLR(o, factor=0.25, total_iters=4),
    "ConstantLR at once": lambda o: S.ConstantLR(o, total_iters=0),
    "LinearLR": lambda o: S.LinearLR(o, start_factor=0.2, end_factor=0.7, total_iters=6),
    "ExponentialLR": lambda o: S.ExponentialLR(o, 0.9),
    "PolynomialLR": lambda o: S.PolynomialLR(o, total_iters=7, power=1.7),
    "CosineAnnealingLR": lambda o: S.CosineAnnealingLR(o, 4, eta_min=0.05),
    "LambdaLR": lambda o: S.LambdaLR(o, [lambda e: 0.9**e, lambda e: 1 / (1 + e)]),
    "MultiplicativeLR": lambda o: S.MultiplicativeLR(o, lambda e: 0.5 + 0.1 * (e % 4)),
    "SequentialLR": lambda o: S.SequentialLR(
        o, [S.ConstantLR(o, 0.1, 3), S.ExponentialLR(o, 0.8), S.StepLR(o, 2)], [3, 7]
    ),
    "SequentialLR nested": lambda o: S.SequentialLR(
        o, [S.ChainedScheduler([S.LinearLR(o), S.StepLR(o, 2)]), S.CosineAnnealingLR(o, 5)], [4]
    ),
    "ChainedScheduler": lambda o: S.ChainedScheduler(
        [S.ConstantLR(o, 0.1, 4), S.ExponentialLR(o, 0.8), S.CosineAnnealingLR(o, 5)]
    ),
    "CyclicLR": lambda o: S.CyclicLR(o, [0.1, 0.01], 0.5, step_size_up=3, step_size_down=2),
    "CyclicLR triangular2": lambda o: S.CyclicLR(o, 0.1, 0.5, step_size_up=2, mode="triangular2"),
    "CyclicLR exp_range": lambda o: S.CyclicLR(
        o, 0.1, 0.5, 4, mode="exp_range", gamma=0.9, base_momentum=0.5
    ),
    "CyclicLR scale_fn": lambda o: S.CyclicLR(
        o, 0.1, 0.5, 2, scale_fn=lambda x: 1 / x, cycle_momentum=False
    ),
    "OneCycleLR": lambda o: S.OneCycleLR(o, [0.5, 1.0], total_steps=14),
    "OneCycleLR linear": lambda o: S.OneCycleLR(
        o,
        0.5,
        epochs=7,
        steps_per_epoch=2,
        pct_start=0.5,
        anneal_strategy="linear",
        div_factor=5.0,
        final_div_factor=10.0,
    ),
    "OneCycleLR three": lambda o: S.OneCycleLR(o, 0.5, total_steps=14, three_phase=True),
    "CosineAnnealingWarmRestarts": lambda o: S.CosineAnnealingWarmRestarts(
        o, 3, T_mult=2, eta_min=0.01
    ),
    "SWALR": lambda o: swa_utils.SWALR(o, 0.05, anneal_epochs=4),
    "SWALR linear": lambda o: swa_utils.SWALR(
        o, [0.05, 1.0], anneal_epochs=6, anneal_strategy="linear"
    ),
    "SWALR at once": lambda o: swa_utils.SWALR(o, 0.05, anneal_epochs=0),
    "ReduceLROnPlateau": lambda o: S.ReduceLROnPlateau(o, factor=0.5, patience=1),
    "ReduceLROnPlateau max": lambda o: S.ReduceLROnPlateau(
        o,
        mode="max",
        patience=2,
        cooldown=2,
        threshold=0.5,
        threshold_mode="abs",
        min_lr=[0.2, 0.0],
    ),
}
METRICS = [3.0, 2.0, 2.1, 2.0, 1.9, 2.5, 2.6, 2.6, 2.7, 3.4, 1.0, 1.0, 1.0]


def recorded():
    path = pathlib.Path(__file__).parent / "tables" / "schedules.txt"
    for line in path.read_text().splitlines()[1:]:
        name, *columns = line.split("; ")
        yield name, [[float(number) for number in column.split(" ")] for column in columns]


RATES = list(recorded())


def optimizer_of_two_groups():
    params = [torch.ones(1, requires_grad=True) for _ in range(2)]
    groups = [{"params": params[:1]}, {"params": params[1:], "lr": 0.2}]
    return optim.SGD(groups, lr=0.5, momentum=0.9)


def one_group(lr=0.5, **options):
    return optim.SGD([torch.ones(1, requires_grad=True)], lr=lr, **options)


def run(optimizer, scheduler, epochs):
    """The rates of both groups and the momentum before each epoch."""
    rows = []
    for t in epochs:
        rates = [group["lr"] for group in optimizer.param_groups]
        rows.append([*rates, optimizer.param_groups[0]["momentum"]])
        optimizer.step()
        scheduler.step(*METRICS[t : t + 1] * isinstance(scheduler, S.ReduceLROnPlateau))
        assert scheduler.get_last_lr() == [group["lr"] for group in optimizer.param_groups]
    return rows


@pytest.mark.filterwarnings("ignore:Detected call")  # chains in a chain, as in PyTorch
@pytest.mark.parametrize(("name", "columns"), RATES)
def test_rates(name, columns):
    optimizer = optimizer_of_two_groups()
    rows = run(optimizer, SCHEDULES[name](optimizer), range(13))
    assert [list(column) for column in zip(*rows)] == [
        pytest.approx(column, rel=1e-9) for column in columns
    ]


def test_every_schedule_is_recorded():
    assert [name for name, _ in RATES] == list(SCHEDULES)
    tested = {name.split()[0] for name in SCHEDULES}
    assert tested | {"LRScheduler"} == {*S.__all__, "SWALR"}


@pytest.mark.filterwarnings("ignore:Detected call")  # chains in a chain, as in PyTorch
@pytest.mark.parametrize(("name", "columns"), RATES)
def test_rates_interrupted_by_saving_and_loading(name, columns):
    optimizer = optimizer_of_two_groups()
    scheduler = SCHEDULES[name](optimizer)
    run(optimizer, scheduler, range(5))
    states = copy.deepcopy([optimizer.state_dict(), scheduler.state_dict()])
    again = optimizer_of_two_groups()
    resumed = SCHEDULES[name](again)
    again.load_state_dict(states[0])
    kept = copy.deepcopy(states[1])
    resumed.load_state_dict(states[1])
    assert states[1] == kept  # loading takes nothing out of it
    rows = run(again, resumed, range(5, 13))
    assert [list(column) for column in zip(*rows)] == [
        pytest.approx(column[5:], rel=1e-9) for column in columns
    ]


BASE = {
    "base_lrs": [0.5],
    "last_epoch": 0,
    "_step_count": 1,
    "_is_initial": False,
    "_get_lr_called_within_step": False,
    "_last_lr": [0.5],
}
STATES = [
    (lambda o: S.StepLR(o, 2), {"step_size": 2, "gamma": 0.1, **BASE}),
    (lambda o: S.LambdaLR(o, lambda epoch: 1.0), {**BASE, "lr_lambdas": [None]}),
    (
        lambda o: S.CosineAnnealingWarmRestarts(o, 3),
        {"T_0": 3, "T_i": 3, "T_mult": 1, "eta_min": 0.0, "T_cur": 0, **BASE, "_step_count": 0},
    ),
    (
        lambda o: S.ReduceLROnPlateau(o),
        {
            "factor": 0.1,
            "default_min_lr": 0,
            "min_lrs": [0],
            "patience": 10,
            "cooldown": 0,
            "eps": 1e-08,
            "last_epoch": 0,
            "_last_lr": [0.5],
            "mode_worse": math.inf,
            "mode": "min",
            "threshold": 0.0001,
            "threshold_mode": "rel",
            "best": math.inf,
            "cooldown_counter": 0,
            "num_bad_epochs": 0,
        },
    ),
    (
        lambda o: S.CyclicLR(o, 0.5, 1.0, 4, cycle_momentum=False),
        {
            "max_lrs": [1.0],
            "total_size": 8.0,
            "step_ratio": 0.5,
            "mode": "triangular",
            "gamma": 1.0,
            "scale_mode": "cycle",
            "cycle_momentum": False,
            **BASE,
            "_scale_fn_custom": None,
        },
    ),
]


@pytest.mark.parametrize(("make", "state"), STATES)
def test_state_dict_looks_like_pytorchs(make, state):
    assert make(one_group()).state_dict() == state


def test_state_dict_keeps_what_callable_objects_hold():
    class Decay:
        def __init__(self, rate):
            self.rate = rate

        def __call__(self, epoch):
            return self.rate**epoch

    saved = S.LambdaLR(one_group(), Decay(0.5)).state_dict()
    assert saved["lr_lambdas"] == [{"rate": 0.5}]
    optimizer = one_group()
    scheduler = S.LambdaLR(optimizer, Decay(0.1))
    scheduler.load_state_dict(saved)
    optimizer.step()
    scheduler.step()
    assert scheduler.get_last_lr() == [0.25]
    cyclic = S.CyclicLR(one_group(momentum=0.9), 0.1, 0.5, scale_fn=Decay(0.5))
    assert cyclic.state_dict()["_scale_fn_custom"] == {"rate": 0.5}


def test_resuming_with_last_epoch():
    optimizer = one_group()
    with pytest.raises(KeyError, match="param 'initial_lr' is not specified in param_groups"):
        S.StepLR(optimizer, 2, last_epoch=3)
    optimizer.param_groups[0]["initial_lr"] = 0.8
    scheduler = S.CosineAnnealingLR(optimizer, 4, last_epoch=1)
    assert scheduler.last_epoch == 2
    assert optimizer.param_groups[0]["lr"] == 0.5
    assert scheduler.base_lrs == [0.8]


# The rate after `scheduler.step(6)`, from PyTorch.
AT_SIX = [
    ("StepLR", 0.125),
    ("MultiStepLR", 0.0135),
    ("ConstantLR", 0.5),
    ("LinearLR", 0.35),
    ("ExponentialLR", 0.2657205),
    ("PolynomialLR", 0.01829377513),
    ("CosineAnnealingLR", 0.275),
    ("LambdaLR", 0.2657205),
    ("CosineAnnealingWarmRestarts", 0.255),
]


@pytest.mark.parametrize(("name", "rate"), AT_SIX)
def test_going_to_an_epoch(name, rate):
    optimizer = optimizer_of_two_groups()
    scheduler = SCHEDULES[name](optimizer)
    optimizer.step()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scheduler.step(6)
    assert scheduler.last_epoch == 6
    assert optimizer.param_groups[0]["lr"] == pytest.approx(rate)


def test_a_rate_that_is_a_tensor_stays_that_tensor():
    lr = torch.tensor(0.5)
    optimizer = one_group(lr=lr)
    scheduler = S.ExponentialLR(optimizer, 0.5)
    optimizer.step()
    scheduler.step()
    assert optimizer.param_groups[0]["lr"] is lr
    assert lr.item() == 0.25
    last = scheduler.get_last_lr()[0]
    optimizer.step()
    scheduler.step()
    assert last.item() == 0.25
    assert scheduler.base_lrs[0].item() == 0.5


def test_adam_cycles_its_first_beta():
    optimizer = optim.Adam([torch.ones(1, requires_grad=True)], lr=0.5)
    scheduler = S.OneCycleLR(optimizer, 0.5, total_steps=11, base_momentum=0.5)
    betas = []
    for _ in range(5):
        betas.append(optimizer.param_groups[0]["betas"])
        optimizer.step()
        scheduler.step()
    assert [first for first, _ in betas] == pytest.approx(
        [0.95, 0.7707776029, 0.5186274572, 0.5091140809, 0.5519861318], rel=1e-9
    )
    assert {second for _, second in betas} == {0.999}


def test_the_order_of_steps():
    optimizer = one_group()
    scheduler = S.StepLR(optimizer, 2)
    with pytest.warns(UserWarning, match=r"Detected call of `lr_scheduler.step\(\)` before"):
        scheduler.step()
    optimizer = one_group()
    scheduler = S.StepLR(optimizer, 2)
    optimizer.step = lambda: None
    with pytest.warns(UserWarning, match=r"Seems like `optimizer.step\(\)` has been overridden"):
        scheduler.step()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        optimizer = one_group()
        scheduler = S.StepLR(optimizer, 2)
        optimizer.step()
        scheduler.step()
        scheduler.step()


def test_warnings_of_get_lr_and_of_the_epoch():
    optimizer = one_group()
    scheduler = S.StepLR(optimizer, 2)
    with pytest.warns(UserWarning, match=r"please use `get_last_lr\(\)`"):
        assert scheduler.get_lr() == [0.5]
    optimizer.step()
    with pytest.warns(UserWarning, match="The epoch parameter in"):
        scheduler.step(1)


def test_a_step_of_the_optimizer_still_takes_and_returns_what_it_did():
    calls = []

    class Own(optim.Optimizer):
        def step(self, closure):
            calls.append(closure)
            return 7

    w = torch.ones(1, requires_grad=True)
    optimizer = Own([w], {"lr": 0.1})
    S.ExponentialLR(optimizer, 0.5)
    S.ExponentialLR(optimizer, 0.5)  # notes steps once only
    assert optimizer.step(closure=None) == 7
    assert calls == [None]
    twin = copy.deepcopy(S.StepLR(one_group(), 1))
    twin.optimizer.step()
    with pytest.warns(UserWarning, match="has been overridden"):  # a copy's steps are not noted
        twin.step()
    assert twin.get_last_lr() == [0.05]


OWN = one_group()
OTHER = one_group()
ERRORS = [
    (lambda: S.StepLR(OWN.param_groups, 1), TypeError, "list is not an Optimizer"),
    (lambda: S.LRScheduler(OWN), NotImplementedError, ""),
    (lambda: S.LambdaLR(OWN, [abs, abs]), ValueError, "Expected 1 lr_lambdas, but got 2"),
    (lambda: S.MultiplicativeLR(OWN, 3), TypeError, "lr_lambda should be a function, but got int"),
    (lambda: S.ConstantLR(OWN, 1.5), ValueError, "Constant multiplicative factor expected to be"),
    (lambda: S.LinearLR(OWN, 0.0), ValueError, "Starting multiplicative factor expected to be"),
    (lambda: S.LinearLR(OWN, 0.5, 2.0), ValueError, "Ending multiplicative factor expected to be"),
    (
        lambda: S.SequentialLR(OWN, [], []),
        ValueError,
        "SequentialLR expects at least one scheduler",
    ),
    (
        lambda: S.SequentialLR(OWN, [S.StepLR(OWN, 1)], [1]),
        ValueError,
        "got number of schedulers 1 and the number of milestones to be equal to 1",
    ),
    (lambda: S.SequentialLR(OWN, [3], []), TypeError, "SequentialLR at index 0 should have `opti"),
    (
        lambda: S.SequentialLR(OWN, [S.ReduceLROnPlateau(OWN)], []),
        ValueError,
        "SequentialLR does not support `ReduceLROnPlateau` scheduler as it requires additional",
    ),
    (
        lambda: S.ChainedScheduler([S.StepLR(OWN, 1), S.StepLR(OTHER, 1)]),
        ValueError,
        "ChainedScheduler expects all schedulers to belong to the same optimizer, but got",
    ),
    (lambda: S.ChainedScheduler([]), ValueError, "ChainedScheduler expects at least one"),
    (lambda: S.ReduceLROnPlateau(OWN, factor=1.0), ValueError, "Factor should be < 1.0."),
    (lambda: S.ReduceLROnPlateau(OWN, "avg"), ValueError, "mode avg is unknown!"),
    (
        lambda: S.ReduceLROnPlateau(OWN, threshold_mode="x"),
        ValueError,
        "threshold mode x is unknown!",
    ),
    (
        lambda: S.ReduceLROnPlateau(OWN, min_lr=[0, 0]),
        ValueError,
        "expected 1 min_lrs, got 2",
    ),
    (
        lambda: S.CyclicLR(OWN, 0.1, 0.2, mode="x"),
        ValueError,
        "mode is invalid and scale_fn is None",
    ),
    (lambda: S.CyclicLR(OWN, [0.1, 0.2], 0.2), ValueError, "base_lr must have the same length as"),
    (
        lambda: S.CyclicLR(optim.Adagrad([torch.ones(1, requires_grad=True)]), 0.1, 0.2),
        ValueError,
        "optimizer must support momentum or beta1 with `cycle_momentum` option enabled",
    ),
    (lambda: S.OneCycleLR(OWN, 0.1), ValueError, "You must define either total_steps OR (epochs"),
    (lambda: S.OneCycleLR(OWN, 0.1, 0), ValueError, "Expected positive integer total_steps, but"),
    (
        lambda: S.OneCycleLR(OWN, 0.1, epochs=1, steps_per_epoch=-1),
        ValueError,
        "Expected positive integer steps_per_epoch, but got -1",
    ),
    (lambda: S.OneCycleLR(OWN, 0.1, 9, pct_start=1), ValueError, "Expected float between 0 and 1"),
    (
        lambda: S.OneCycleLR(OWN, 0.1, 9, anneal_strategy="x"),
        ValueError,
        "anneal_strategy must be one of 'cos' or 'linear', instead got x",
    ),
    (
        lambda: S.CosineAnnealingWarmRestarts(OWN, 0),
        ValueError,
        "Expected positive integer T_0, but got 0",
    ),
    (
        lambda: S.CosineAnnealingWarmRestarts(OWN, 2, 0),
        ValueError,
        "Expected integer T_mult >= 1, but got 0",
    ),
    (
        lambda: S.CosineAnnealingWarmRestarts(OWN, 2).step(-1),
        ValueError,
        "Expected non-negative epoch, but got -1",
    ),
    (lambda: swa_utils.SWALR(OWN, 0.1, anneal_strategy="x"), ValueError, "anneal_strategy must be"),
    (lambda: swa_utils.SWALR(OWN, 0.1, -1), ValueError, "anneal_epochs must be equal or greater"),
    (lambda: swa_utils.get_ema_avg_fn(1.5), ValueError, "Invalid decay value 1.5 provided."),
]


@pytest.mark.parametrize(("act", "kind", "text"), ERRORS)
def test_errors(act, kind, text):
    with pytest.raises(kind, match=re.escape(text) or "^$"):
        act()


def test_more_steps_than_one_cycle_has():
    optimizer = one_group(momentum=0.9)
    scheduler = S.OneCycleLR(optimizer, 0.5, total_steps=3)
    for _ in range(3):
        optimizer.step()
        scheduler.step()
    with pytest.raises(ValueError, match=r"Tried to step 4 times\. The specified number of total"):
        scheduler.step()


def test_a_plateau_with_a_new_group():
    optimizer = one_group()
    scheduler = S.ReduceLROnPlateau(optimizer, patience=0, min_lr=0.2)
    strict = S.ReduceLROnPlateau(optimizer, patience=0, min_lr=[0.2])
    optimizer.add_param_group({"params": [torch.ones(1, requires_grad=True)], "lr": 0.1})
    for _ in range(2):
        scheduler.step(torch.tensor(1.0))
    assert scheduler.get_last_lr() == [0.2, 0.1]
    strict.step(1.0)
    with pytest.raises(RuntimeError, match="The number of param groups in the `optimizer`"):
        strict.step(1.0)


def model_with(value):
    model = nn.Sequential(nn.Linear(1, 1), nn.BatchNorm1d(1))
    with torch.no_grad():
        for p in model.parameters():
            p.fill_(value)
    model[1].running_mean.fill_(value)
    return model


AVERAGES = [
    ({}, 4.0, 9.0),
    ({"avg_fn": swa_utils.get_swa_avg_fn()}, 4.0, 9.0),
    ({"multi_avg_fn": swa_utils.get_ema_multi_avg_fn(0.5)}, 5.25, 9.0),
    ({"avg_fn": swa_utils.get_ema_avg_fn(0.5)}, 5.25, 9.0),
    ({"multi_avg_fn": swa_utils.get_swa_multi_avg_fn(), "use_buffers": True}, 4.0, 4.0),
    ({"avg_fn": lambda old, new, count: old * 0 + count}, 2.0, 9.0),
]


@pytest.mark.parametrize(("options", "weight", "mean"), AVERAGES)
def test_averaged_model(options, weight, mean):
    average = swa_utils.AveragedModel(model_with(0.0), **options)
    for value in (1.0, 2.0, 9.0):
        average.update_parameters(model_with(value))
    assert average.n_averaged.item() == 3
    assert average.module[0].weight.item() == weight
    assert average.module[1].running_mean.item() == mean
    assert list(average.state_dict())[:2] == ["n_averaged", "module.0.weight"]
    assert average.module[0].weight.requires_grad
    with pytest.raises(AssertionError, match="Only one of avg_fn and multi_avg_fn"):
        swa_utils.AveragedModel(nn.Linear(1, 1), avg_fn=abs, multi_avg_fn=abs)


def test_update_bn_takes_the_plain_mean_over_all_batches():
    model = nn.Sequential(nn.BatchNorm1d(2), nn.Dropout()).eval()
    model[0].running_mean.fill_(7.0)
    batches = [torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([[5.0, 0.0], [7.0, 0.0]])]
    swa_utils.update_bn([(batch, None) for batch in batches], model)
    assert model[0].running_mean.tolist() == [4.0, 1.5]
    assert model[0].momentum == 0.1
    assert not model.training
    swa_utils.update_bn([1], nn.Linear(1, 1))  # no layer to update: the data is not touched
