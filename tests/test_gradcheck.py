"""gradcheck and gradgradcheck: what they accept, what they find, and how they say it."""

from __future__ import annotations

import itertools

import d2lcore as torch
import pytest
from d2lcore.autograd.gradcheck import GradcheckError

Function = torch.autograd.Function
gradcheck, gradgradcheck = torch.autograd.gradcheck, torch.autograd.gradgradcheck


def numbers(*shape, dtype=torch.float64):
    generator = torch.Generator().manual_seed(len(shape))
    return torch.randn(*shape, dtype=dtype, generator=generator).requires_grad_()


def make(forward, backward):
    methods = {"forward": staticmethod(forward), "backward": staticmethod(backward)}
    return type("MyFn", (Function,), methods).apply


def cube(ctx, x):
    ctx.save_for_backward(x)
    return x**3


cube_right = make(cube, lambda ctx, g: 3 * ctx.saved_tensors[0] ** 2 * g)
cube_constant = make(cube, lambda ctx, g: 3 * ctx.saved_tensors[0].detach() ** 2 * g)
double_wrong = make(lambda ctx, x: x * 2, lambda ctx, g: g * 3)


@pytest.mark.parametrize("fast", [False, True])
def test_right_derivatives_pass(fast):
    x, z = numbers(2, 3), numbers(2, dtype=torch.complex128)
    assert gradcheck(torch.sin, (x,), fast_mode=fast)
    assert gradcheck(torch.sin, x, fast_mode=fast)
    assert gradcheck(lambda a, b: (a @ b.t(), a.sum()), (x, numbers(2, 3)), fast_mode=fast)
    assert gradcheck(lambda a: a * a.conj() + a.real, (z,), fast_mode=fast)
    assert gradcheck(lambda a: (a > 0).long(), (x,), fast_mode=fast)
    assert gradcheck(torch.exp, (numbers(0),), fast_mode=fast)
    assert gradcheck(torch.exp, (x.t(),), fast_mode=fast, check_batched_grad=True)
    assert gradgradcheck(cube_right, (x,), fast_mode=fast)
    assert gradgradcheck(torch.exp, (z,), fast_mode=fast)
    assert gradgradcheck(torch.sin, (x,), (torch.ones(2, 3).double().requires_grad_(),))
    assert gradgradcheck(torch.sin, (x,), gen_non_contig_grad_outputs=True, fast_mode=fast)


@pytest.mark.parametrize("fast", [False, True])
def test_wrong_derivatives_are_found(fast):
    x = numbers(2)
    with pytest.raises(
        GradcheckError, match="Jacobian mismatch for output 0 with respect to input 0,\nnumerical:"
    ):
        gradcheck(double_wrong, (x,), fast_mode=fast)
    assert not gradcheck(double_wrong, (x,), fast_mode=fast, raise_exception=False)
    with pytest.raises(GradcheckError, match="with respect to input 1,"):
        gradcheck(lambda a, b: a * double_wrong(b), (x, numbers(2)), fast_mode=fast)
    assert gradcheck(cube_constant, (x,), fast_mode=fast)
    with pytest.raises(GradcheckError, match="Jacobian mismatch"):
        gradgradcheck(cube_constant, (x,), fast_mode=fast)
    turned = make(lambda ctx, a: a * 2j, lambda ctx, g: g * 2j)
    with pytest.raises(GradcheckError, match="While considering the imaginary part of complex out"):
        gradcheck(turned, (numbers(2, dtype=torch.complex128),), fast_mode=fast)
    with pytest.raises(GradcheckError, match="Numerical gradient for function expected to be zero"):
        gradcheck(lambda a: a.detach() * 2, (x,), fast_mode=fast)


def test_the_printed_jacobians():
    with pytest.raises(GradcheckError) as error:
        gradcheck(double_wrong, (torch.ones(2).double().requires_grad_(),))
    assert str(error.value) == (
        "Jacobian mismatch for output 0 with respect to input 0,\n"
        "numerical:tensor([[2.0000, 0.0000],\n        [0.0000, 2.0000]], dtype=torch.float64)\n"
        "analytical:tensor([[3., 0.],\n        [0., 3.]], dtype=torch.float64)\n"
    )


def test_other_failures():
    x, count = numbers(2), itertools.count()
    restless = make(lambda ctx, a: a * 2, lambda ctx, g: g * (2 + 1e-7 * next(count)))
    with pytest.raises(GradcheckError, match=r"Backward is not reentrant, i.e., running backward"):
        gradcheck(restless, (x,))
    assert gradcheck(restless, (x,), nondet_tol=1e-3)
    shifted = make(lambda ctx, a: a * 2, lambda ctx, g: g * 2 + 1e-9)
    with pytest.raises(GradcheckError, match="backward not multiplied by grad_output"):
        gradcheck(shifted, (x,))

    def two(ctx, a):
        ctx.set_materialize_grads(False)
        return a * 2, a * 3

    careless = make(two, lambda ctx, g, h: g.mul(2) + h.mul(3))
    with pytest.raises((GradcheckError, AttributeError)):
        gradcheck(careless, (x,))


def test_arguments():
    with pytest.raises(ValueError, match="gradcheck expects at least one input tensor to require"):
        gradcheck(torch.sin, (torch.ones(2).double(),), raise_exception=False)
    with pytest.raises(RuntimeError, match=r"The 0th input has a dimension with stride 0."):
        gradcheck(torch.sin, (torch.ones(1).double().expand(2).requires_grad_(),))
    with pytest.warns(UserWarning, match="Input #0 requires gradient and is not a double prec"):
        assert not gradcheck(torch.sin, (numbers(2, dtype=torch.float32),), raise_exception=False)
    with pytest.raises(AssertionError, match="Expected at least one of check_forward_ad or"):
        gradcheck(torch.sin, (numbers(2),), check_backward_ad=False)


def test_inputs_are_left_as_they_were():
    x = numbers(3)
    before = x.tolist()
    gradgradcheck(torch.exp, (x,))
    gradcheck(torch.exp, (x,), fast_mode=True)
    assert x.tolist() == before
    assert x.grad is None
