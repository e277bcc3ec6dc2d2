"""Convolution and pooling where samples cannot say it: layers, large sizes, hostile inputs."""

from __future__ import annotations

import copy

import d2lcore as torch
import numpy as np
import pytest
from d2lcore import nn
from d2lcore.nn import functional as F
from op_samples.conv import conv, conv_transpose


def _random(*shape, dtype=torch.float64):
    return torch.randn(*shape, dtype=dtype)


# Sizes that reach each path: packed with several blocks along K, rows, dots, phases of a stride.
PATHS = [
    ((2, 70, 9, 11), (30, 70, 3, 3), {"padding": 1}),
    ((1, 130, 7, 7), (20, 130, 3, 3), {"padding": 1}),
    ((3, 6, 14, 14), (16, 6, 5, 5), {}),
    ((2, 3, 33, 35), (20, 3, 7, 7), {"stride": 2, "padding": 3}),
    ((2, 24, 20, 20), (24, 1, 3, 3), {"padding": 1, "groups": 24}),
    ((2, 8, 16, 40), (32, 8, 1, 1), {"stride": 2}),
    ((1, 4, 12, 50), (40, 2, 3, 5), {"stride": (3, 2), "dilation": (1, 3), "groups": 2}),
]


@pytest.mark.parametrize("x_shape, w_shape, options", PATHS)
def test_paths_agree_with_the_definition(x_shape, w_shape, options):
    torch.manual_seed(1)
    x, w = _random(*x_shape).requires_grad_(), _random(*w_shape).requires_grad_()
    bias = _random(w_shape[0]).requires_grad_()
    y = F.conv2d(x, w, bias, **options)
    want = conv(2)(x.detach().numpy(), w.detach().numpy(), bias.detach().numpy(), **options)
    assert np.allclose(y.detach().numpy(), want, 1e-10, 1e-10)
    g = _random(*y.shape)
    y.backward(g)
    # The adjoint, and <g, conv(x, w)> is linear in w: its derivative along v is <g, conv(x, v)>.
    back = conv_transpose(2)(g.numpy(), w.detach().numpy(), None, **options)
    assert np.allclose(x.grad.numpy()[..., : back.shape[2], : back.shape[3]], back, 1e-10, 1e-9)
    v = _random(*w_shape)
    slope = (g * F.conv2d(x.detach(), v, **options)).sum()
    assert abs(((w.grad * v).sum() - slope).item()) < 1e-8 * w.numel()
    assert torch.allclose(bias.grad, g.sum((0, 2, 3)))


def test_every_second_derivative_of_a_convolution():
    torch.manual_seed(2)
    x, w = _random(2, 4, 6, 5).requires_grad_(), _random(4, 2, 3, 2).requires_grad_()
    y = F.conv2d(x, w, stride=2, padding=1, groups=2)
    gx, gw = torch.autograd.grad((y**3).sum(), (x, w), create_graph=True)
    total = (gx**2).sum() + (gw**2).sum()
    hx, hw = torch.autograd.grad(total, (x, w))
    for tensor, grad in ((x, hx), (w, hw)):
        flat, slopes = tensor.detach().view(-1), grad.view(-1)
        for k in range(0, flat.numel(), 7):
            sides = []
            for step in (1e-5, -1e-5):
                flat[k] += step
                z = F.conv2d(x, w, stride=2, padding=1, groups=2)
                a, b = torch.autograd.grad((z**3).sum(), (x, w))
                sides.append(((a**2).sum() + (b**2).sum()).item())
                flat[k] -= step
            assert abs((sides[0] - sides[1]) / 2e-5 - slopes[k].item()) < 1e-3 * max(
                1, abs(slopes[k].item())
            )


def test_infinite_neighbours_do_not_spoil_a_gradient():
    x = torch.zeros(1, 1, 4, 20)
    x[..., 0] = float("inf")
    x.requires_grad_()
    w = torch.ones(1, 1, 1, 3, requires_grad=True)
    F.conv2d(x, w)[..., 1:].sum().backward()
    assert np.isfinite(w.grad.numpy()[..., 1:]).all()


def test_results_do_not_depend_on_threads():
    x, w = _random(4, 32, 24, 24, dtype=torch.float32), _random(32, 32, 3, 3, dtype=torch.float32)
    before = torch.get_num_threads()
    out = []
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            a, b = x.clone().requires_grad_(), w.clone().requires_grad_()
            y = F.max_pool2d(F.conv2d(a, b, padding=1), 3, 2, 1)
            F.avg_pool2d(y, 3, 1).sum().backward()
            out.append([t.detach().numpy().tobytes() for t in (y, a.grad, b.grad)])
    finally:
        torch.set_num_threads(before)
    assert out[0] == out[1] == out[2]


def test_pooling_of_nan_and_infinity():
    x = torch.tensor([[[1.0, float("nan"), 3.0, -float("inf"), -float("inf"), 2.0]]])
    values, indices = F.max_pool1d(x, 2, return_indices=True)
    assert str(values.tolist()) == "[[[nan, 3.0, 2.0]]]"
    assert indices.tolist() == [[[1, 2, 5]]]
    wide = torch.full((1, 1, 2, 40), -float("inf"))
    values, indices = F.max_pool2d(wide, 2, return_indices=True)
    assert (values == -float("inf")).all()
    assert indices.view(-1).tolist() == list(range(0, 40, 2))


def test_dilated_windows_that_pass_over_a_short_plane():
    x = torch.ones(1, 1, 1, 1, requires_grad=True)
    out, where = F.max_pool2d(x, 2, 1, 2, 3, return_indices=True)
    assert out.shape == (1, 1, 2, 2)
    assert where.min() >= 0
    assert where.max() < 1
    out.sum().backward()


def test_indices_are_checked_again_in_the_backward_pass():
    x = torch.randn(1, 1, 4, 4, requires_grad=True)
    out, where = F.max_pool2d(x, 2, return_indices=True)
    where.data.fill_(10**6)
    with pytest.raises(RuntimeError, match="invalid max index"):
        out.sum().backward()


def test_layers_print_and_copy():
    assert str(nn.Conv2d(3, 6, 5, 2, 1, groups=3, bias=False, padding_mode="reflect")) == (
        "Conv2d(3, 6, kernel_size=(5, 5), stride=(2, 2), padding=(1, 1), groups=3, bias=False, "
        "padding_mode=reflect)"
    )
    assert str(nn.Conv1d(1, 2, 3, padding="same")) == (
        "Conv1d(1, 2, kernel_size=(3,), stride=(1,), padding=same)"
    )
    assert str(nn.ConvTranspose3d(1, 2, 3, 2, output_padding=1)) == (
        "ConvTranspose3d(1, 2, kernel_size=(3, 3, 3), stride=(2, 2, 2), output_padding=(1, 1, 1))"
    )
    assert str(nn.MaxPool2d(2)) == (
        "MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)"
    )
    assert str(nn.AvgPool1d(2)) == "AvgPool1d(kernel_size=(2,), stride=(2,), padding=(0,))"
    assert str(nn.AdaptiveAvgPool2d((1, None))) == "AdaptiveAvgPool2d(output_size=(1, None))"
    layer = nn.Conv2d(2, 2, 3)
    twin = copy.deepcopy(layer)
    assert torch.equal(twin.weight, layer.weight)
    assert twin.weight is not layer.weight


def test_parameters_begin_as_in_pytorch():
    torch.manual_seed(0)
    layer = nn.Conv2d(1, 1, 2)
    assert np.allclose(
        layer.weight.detach().numpy().ravel(), [-0.00374, 0.26822, -0.41153, -0.36797], atol=1e-5
    )
    assert np.allclose(layer.bias.item(), -0.19258, atol=1e-5)


@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular"])
def test_padding_modes(mode):
    layer = nn.Conv2d(1, 1, 3, padding=1, padding_mode=mode, bias=False)
    with torch.no_grad():
        layer.weight.fill_(1.0)
    x = torch.arange(16.0).view(1, 1, 4, 4)
    how = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}[mode]
    padded = np.pad(x.numpy()[0, 0], 1, mode=how)
    want = sum(padded[i : i + 4, j : j + 4] for i in range(3) for j in range(3))
    assert np.allclose(layer(x).detach().numpy()[0, 0], want)


def test_lazy_layers_become_plain_ones():
    layer = nn.LazyConv2d(4, 3, bias=True)
    assert repr(layer.weight) == "<UninitializedParameter>"
    with pytest.raises(RuntimeError, match="uninitialized parameter"):
        _ = layer.weight.shape
    other = nn.LazyConv2d(4, 3)
    layer(torch.ones(2, 6, 5, 5))
    assert type(layer) is nn.Conv2d
    assert layer.weight.shape == (4, 6, 3, 3)
    assert type(layer.weight) is nn.Parameter
    other.load_state_dict(layer.state_dict())
    assert torch.equal(other.weight, layer.weight)
    assert nn.LazyConvTranspose1d(3, 2, 1, 0, 0, 1, False)(torch.ones(2, 4)).shape == (3, 5)


def test_output_size_of_a_transposed_layer():
    layer = nn.ConvTranspose2d(2, 3, 3, stride=2, padding=1)
    x = torch.ones(1, 2, 4, 4)
    assert layer(x, output_size=[8, 7]).shape == (1, 3, 8, 7)
    with pytest.raises(ValueError, match="requested an output size of"):
        layer(x, output_size=[9, 7])


def test_sizes_beyond_all_measure_are_refused():
    x = torch.ones(1, 1, 4, 4)
    for call in (
        lambda: F.max_pool2d(x, 2**62),
        lambda: F.avg_pool2d(x, 2, 2**62),
        lambda: F.fold(torch.ones(1, 4, 9), 2**40, 2),
        lambda: F.adaptive_avg_pool2d(x, 2**40),
        lambda: F.conv2d(x, torch.ones(1, 1, 2, 2), padding=2**62),
        lambda: F.conv_transpose2d(x, torch.ones(1, 1, 2, 2), stride=2**30),
        lambda: F.max_unpool2d(x, torch.zeros(1, 1, 4, 4, dtype=torch.int64), 2**62),
    ):
        with pytest.raises((RuntimeError, ValueError, MemoryError)):
            call()
