"""Anomaly mode and errstate: who is to blame for NaN and infinities, in words."""

from __future__ import annotations

import threading
import warnings

import d2lcore as torch
import pytest

NAN, INF = float("nan"), float("inf")


def zeros():
    return torch.zeros(3, requires_grad=True)


def messages(caught):
    return [str(w.message) for w in caught]


def test_anomaly_names_the_forward_line():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with torch.autograd.detect_anomaly():
            y = zeros().sqrt()  # the line to blame
            with pytest.raises(RuntimeError) as error:
                (y * 0).sum().backward()
    assert str(error.value) == "Function 'SqrtBackward0' returned nan values in its 0th output."
    first, second = messages(caught)
    assert first.startswith("Anomaly Detection has been enabled.")
    assert second.startswith("Error detected in SqrtBackward0. Traceback of forward call that")
    assert "y = zeros().sqrt()  # the line to blame" in second


def test_anomaly_without_information():
    y = zeros().sqrt() * 0
    with torch.autograd.set_detect_anomaly(True):
        with pytest.warns(UserWarning, match="No forward pass information available"):
            with pytest.raises(RuntimeError, match="returned nan values"):
                y.sum().backward()
    y = zeros().sqrt() * 0
    y.sum().backward()  # off again


def test_anomaly_in_second_derivatives():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with torch.autograd.set_detect_anomaly(True):
            x = zeros()
            y = x**1.5
            (g,) = torch.autograd.grad(y.sum(), x, create_graph=True)
            with pytest.raises(RuntimeError, match="returned nan values"):
                (g * 0).sum().backward()
    assert (
        "Previous calculation was induced by PowBackward0. Traceback of forward"
        in caught[1].message.args[0]
    )
    assert "y = x**1.5" in caught[1].message.args[0]


def test_anomaly_of_other_errors():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with torch.autograd.set_detect_anomaly(True, check_nan=False):
            assert torch.is_anomaly_enabled()
            assert not torch.is_anomaly_check_nan_enabled()
            x = zeros()
            (x.sqrt() * 0).sum().backward()
            assert x.grad.isnan().all()
            z = x * 1
            y = z * z
            z.add_(1)
            with pytest.raises(RuntimeError, match="Hint: the backtrace further above shows"):
                y.sum().backward()
    assert not torch.is_anomaly_enabled()
    assert "y = z * z" in messages(caught)[-1]


def test_anomaly_when_warnings_are_errors():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with torch.autograd.set_detect_anomaly(True):
            y = zeros().sqrt() * 0
            with pytest.raises(UserWarning, match="Error detected in SqrtBackward0"):
                y.sum().backward()


@pytest.mark.parametrize(
    ("call", "bad", "words"),
    [
        (lambda x: x.log(), -1.0, "log: the result, of shape [2, 3], has nan at index [1, 2]"),
        (lambda x: torch.log(x), 0.0, "log: the result, of shape [2, 3], has inf at index [1, 2]"),
        (lambda x: x.log_(), -1.0, "log_: the result, of shape [2, 3], has nan at index [1, 2]"),
        (lambda x: torch.log(x, out=torch.empty(2, 3)), -1.0, "log: the result, of shape [2, 3]"),
        (
            lambda x: x.half().log(),
            0.0,
            "log: the result, of shape [2, 3], has inf at index [1, 2]",
        ),
        (lambda x: x.double().t().log(), 0.0, "log: the result, of shape [3, 2], has inf at"),
        (lambda x: torch.complex(x, x).log(), 0.0, "log: the result, of shape [2, 3], has inf"),
        (lambda x: x * NAN, 1.0, "mul: the result, of shape [2, 3], has nan at index [0, 0]"),
        (lambda x: 1 / x, 0.0, "div: the result, of shape [2, 3], has inf at index [1, 2]"),
        (
            lambda x: x.expand(4, 2, 3) * 2,
            INF,
            "expand: the result, of shape [4, 2, 3], has inf at",
        ),
        (lambda x: x @ (x.t() * NAN), 1.0, "mul: the result, of shape [3, 2], has nan at index"),
        (lambda x: x.__imul__(NAN), 1.0, "mul_: the result, of shape [2, 3], has nan at index"),
        (lambda x: -x, INF, "neg: the result, of shape [2, 3], has inf at index [1, 2]"),
        (lambda x: x.max(dim=0), INF, "max: the result, of shape [3], has inf at index [2]"),
    ],
)
def test_errstate_names_the_op(call, bad, words):
    x = torch.ones(2, 3)
    x[1, 2] = bad
    with torch.errstate(nan="raise", inf="raise"), pytest.raises(FloatingPointError) as error:
        call(x)
    assert str(error.value).startswith(words)
    assert "test_numbers.py" in str(error.value).splitlines()[1]
    call(x)  # nothing outside of the block


def test_errstate_message():
    x = torch.tensor([1.0, -1.0])
    with torch.errstate(nan="raise"), pytest.raises(FloatingPointError) as error:
        x.sqrt()  # here
    first, second = str(error.value).splitlines()
    assert first == (
        "sqrt: the result, of shape [2], has nan at index [1] (arguments of shapes [2])"
    )
    assert second.endswith(": x.sqrt()  # here")


def test_errstate_of_gradients():
    x = zeros()
    with torch.errstate(nan="raise", inf="raise"):
        y = x.sqrt()  # the forward line
        with pytest.raises(FloatingPointError) as error:
            y.sum().backward()
    first, second = str(error.value).splitlines()
    assert first == "SqrtBackward0: the gradient, of shape [3], has inf at index [0]"
    assert second.endswith("y = x.sqrt()  # the forward line")
    z = x.sqrt()
    with torch.errstate(inf="raise"), pytest.raises(FloatingPointError, match="SqrtBackward0"):
        z.sum().backward()


def test_errstate_warns_and_nests():
    x = torch.tensor([-1.0, 0.0])
    with torch.errstate(nan="warn"):
        with pytest.warns(RuntimeWarning, match="log: the result, of shape"):
            y = x.log()
        assert y[0].isnan()
        with torch.errstate(nan="ignore", inf="raise"):
            x[:1].log()
            with pytest.raises(FloatingPointError, match="has inf at index"):
                x[1:].log()
        with pytest.warns(RuntimeWarning):
            x.log()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        x.log()
    with pytest.raises(ValueError, match="errstate: nan must be one of"):
        torch.errstate(nan="yes")


def test_errstate_decorates():
    @torch.errstate(nan="raise")
    def root(x):
        return x.sqrt()

    with pytest.raises(FloatingPointError):
        root(torch.tensor(-1.0))
    assert torch.tensor(-1.0).sqrt().isnan()


def test_errstate_leaves_uninitialised_memory_and_integers_alone():
    with torch.errstate(nan="raise", inf="raise"):
        for _ in range(20):
            torch.empty(1000)
        torch.nn.Linear(100, 100)
        torch.arange(10) * 3
        torch.tensor([1.0]).expand(3, 4).sum()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64", "complex64"])
def test_every_place_is_found(dtype):
    for n in (1, 7, 64, 8191, 8192, 20_000):
        x = torch.ones(n, dtype=getattr(torch, dtype))
        for place in {0, n // 2, n - 1}:
            y = x.clone()
            y[place] = NAN
            with torch.errstate(nan="raise"):
                with pytest.raises(FloatingPointError, match=f"has nan at index \\[{place}\\]"):
                    y.neg()
                x.neg()


def test_training_under_errstate():
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 3))
    optimizer = torch.optim.Adam(net.parameters())
    with torch.errstate(nan="raise", inf="raise"):
        for _ in range(3):
            loss = torch.nn.functional.cross_entropy(net(torch.randn(5, 4)), torch.arange(5) % 3)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        net[0].weight.data[1, 2] = NAN
        with pytest.raises(FloatingPointError, match="linear: the result, of shape"):
            net(torch.ones(1, 4))


def test_errstate_belongs_to_the_thread():
    failures = []

    def work():
        try:
            torch.tensor(-1.0).sqrt()
        except FloatingPointError as error:
            failures.append(error)

    with torch.errstate(nan="raise"):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert not failures
