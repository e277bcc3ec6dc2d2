"""nn.utils: clipping of gradients, and parameters as a vector."""

from __future__ import annotations

import math

import d2lcore as torch
import pytest
from d2lcore.nn import utils


def parameter(*grad: float) -> torch.nn.Parameter:
    p = torch.nn.Parameter(torch.zeros(len(grad)))
    p.grad = torch.tensor(grad)
    return p


# Expected values and texts: PyTorch 2.13.
def test_the_norm_is_that_of_all_gradients_together():
    a, b, c = parameter(3.0, 0.0), parameter(0.0, 4.0), torch.nn.Parameter(torch.zeros(2))
    assert utils.clip_grad_norm_([a, b, c], 1.0).item() == 5.0
    assert torch.allclose(a.grad, torch.tensor([0.6, 0.0]))
    assert torch.allclose(b.grad, torch.tensor([0.0, 0.8]))
    assert c.grad is None


def test_small_gradients_stay_as_they_are():
    a = parameter(0.3, 0.4)
    utils.clip_grad_norm_(a, 1.0)
    assert torch.equal(a.grad, torch.tensor([0.3, 0.4]))


@pytest.mark.parametrize(
    ("order", "total"), [(1.0, 7.0), (2.0, 5.0), (math.inf, 4.0), ("inf", 4.0)]
)
def test_orders(order, total):
    a = parameter(3.0, -4.0)
    assert utils.clip_grad_norm_((p for p in [a]), 1.0, norm_type=order).item() == total
    assert torch.allclose(a.grad, torch.tensor([3.0, -4.0]) / total)


def test_what_has_no_norm():
    a = parameter(1.0, math.nan)
    with pytest.raises(RuntimeError, match=r"The total norm of order 2\.0 for gradients"):
        utils.clip_grad_norm_(a, 1.0, error_if_nonfinite=True)
    assert a.grad[0].item() == 1.0
    assert math.isnan(utils.clip_grad_norm_(a, 1.0).item())
    assert utils.clip_grad_norm_([], 1.0).item() == 0.0
    with pytest.warns(UserWarning, match="empty generator"):
        utils.clip_grad_norm_(iter(()), 1.0)


def test_dtypes_mix():
    total = utils.get_total_norm([torch.ones(2), torch.ones(3, dtype=torch.float64)])
    assert total.dtype is torch.float64
    assert total.item() == pytest.approx(math.sqrt(5))


def test_values():
    a = parameter(3.0, -0.25, -7.0)
    utils.clip_grad_value_(a, 0.5)
    assert a.grad.tolist() == [0.5, -0.25, -0.5]
    with pytest.raises(ValueError, match="could not convert string to float"):
        utils.clip_grad_value_([], "a")


def test_a_vector_and_back():
    net = torch.nn.Linear(3, 2)
    vector = utils.parameters_to_vector(net.parameters())
    assert vector.shape == (8,)
    assert vector.grad_fn is not None
    utils.vector_to_parameters(torch.arange(8.0), net.parameters())
    assert net.weight.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert net.bias.tolist() == [6, 7]
    with pytest.raises(TypeError, match=r"expected torch\.Tensor, but got: list"):
        utils.vector_to_parameters([1, 2], net.parameters())
    with pytest.raises(RuntimeError, match="invalid for input of size"):
        utils.vector_to_parameters(torch.arange(7.0), net.parameters())
