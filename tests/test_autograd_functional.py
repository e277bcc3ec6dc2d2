"""autograd.functional: jacobian, hessian and the products with them."""

from __future__ import annotations

import d2lcore as torch
import numpy as np
import pytest
from d2lcore.autograd import functional

X, Y = torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0])


def cubes(x):
    return x**3


def energy(x):
    return (x**3).sum()


def pair(a, b):
    return a * b, a.sum()


def lists(value):
    return tuple(lists(v) for v in value) if isinstance(value, tuple) else value.tolist()


DIAGONAL = [[3.0, 0.0], [0.0, 12.0]]
PAIR = (
    ([[3.0, 0.0], [0.0, 4.0]], [[1.0, 0.0], [0.0, 2.0]]),
    ([1.0, 1.0], [0.0, 0.0]),
)


def test_jacobian():
    assert lists(functional.jacobian(cubes, X)) == DIAGONAL
    assert lists(functional.jacobian(cubes, (X,))) == (DIAGONAL,)
    assert lists(functional.jacobian(lambda a, b: (a * b).sum(), (X, Y))) == (
        [3.0, 4.0],
        [1.0, 2.0],
    )
    for options in ({}, {"vectorize": True}, {"vectorize": True, "strategy": "forward-mode"}):
        assert lists(functional.jacobian(pair, (X, Y), **options)) == PAIR
    assert lists(functional.jacobian(lambda a: torch.ones(2), X)) == [[0.0, 0.0]] * 2
    wide = functional.jacobian(lambda a: a.outer(a), torch.arange(3.0))
    expected = np.einsum("ik,j->ijk", np.eye(3), np.arange(3.0))
    assert np.array_equal(wide.numpy(), expected + expected.transpose(1, 0, 2))
    assert not functional.jacobian(cubes, X.clone().requires_grad_()).requires_grad


def test_jacobian_of_a_complex_function():
    z = torch.tensor([1 + 2j, 3 - 1j])
    got = functional.jacobian(lambda t: t * t, z)
    assert torch.allclose(got, torch.diag(2 * z.conj()))


def test_jacobian_in_the_graph():
    x = X.clone().requires_grad_()
    table = functional.jacobian(cubes, x, create_graph=True)
    assert torch.autograd.grad(table.sum(), x)[0].tolist() == [6.0, 12.0]


def test_hessian():
    assert lists(functional.hessian(energy, X)) == [[6.0, 0.0], [0.0, 12.0]]
    assert lists(functional.hessian(lambda a: a.sum(), X)) == [[0.0, 0.0]] * 2
    zero, one = [[0.0, 0.0]] * 2, [[1.0, 0.0], [0.0, 1.0]]
    for options in ({}, {"vectorize": True, "outer_jacobian_strategy": "forward-mode"}):
        got = functional.hessian(lambda a, b: (a * b).sum(), (X, Y), **options)
        assert lists(got) == ((zero, one), (one, zero))
    x = torch.linspace(-1, 1, 5, dtype=torch.float64)
    got = functional.hessian(lambda t: (t.sin() * t * t).sum() + t.sum() ** 3, x).numpy()
    n = x.numpy()
    own = 2 * np.sin(n) + 4 * n * np.cos(n) - n * n * np.sin(n)
    assert np.allclose(got, np.diag(own) + 6 * n.sum())


def test_products():
    assert lists(functional.vjp(cubes, X, Y)) == ([1.0, 8.0], [9.0, 48.0])
    assert lists(functional.jvp(cubes, X, Y)) == ([1.0, 8.0], [9.0, 48.0])
    v = (Y, torch.tensor(1.0))
    assert lists(functional.vjp(pair, (X, Y), v)) == (([3.0, 8.0], 3.0), ([10.0, 17.0], [3.0, 8.0]))
    assert lists(functional.jvp(pair, (X, Y), (X, Y))) == (([3.0, 8.0], 3.0), ([6.0, 16.0], 3.0))
    assert lists(functional.jvp(cubes, torch.tensor(2.0))) == (8.0, 12.0)
    for product in (functional.vhp, functional.hvp):
        assert lists(product(energy, X, Y)) == (9.0, [18.0, 48.0])
        assert lists(product(lambda a: a.sum(), X, Y)) == (3.0, [0.0, 0.0])


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (
            lambda: functional.jacobian(cubes, [X]),
            TypeError,
            "The inputs given to jacobian must be either a Tensor or a tuple of Tensors but the "
            "given inputs has type <class 'list'>.",
        ),
        (
            lambda: functional.vjp(lambda a: (a, 3.0), X),
            TypeError,
            "The outputs of the user-provided function given to vjp must be either a Tensor or a "
            "tuple of Tensors but the value at index 1 has type <class 'float'>.",
        ),
        (
            lambda: functional.jacobian(lambda a, b: a * 2, (X, Y), strict=True),
            RuntimeError,
            "Output 0 of the user-provided function is independent of input 1. This is not allowed "
            "in strict mode.",
        ),
        (
            lambda: functional.jvp(lambda a: torch.ones(2), X, Y, strict=True),
            RuntimeError,
            "Output 0 of the user-provided function does not require gradients. The outputs must "
            "be computed in a differentiable manner from the input when running in strict mode.",
        ),
        (
            lambda: functional.jacobian(lambda a: a * 2, X, strict=True, create_graph=True),
            RuntimeError,
            "The jacobian of the user-provided function is independent of input 0. This is not "
            "allowed in strict mode when create_graph=True.",
        ),
        (
            lambda: functional.hessian(cubes, X),
            RuntimeError,
            "The Tensor returned by the function given to hessian should contain a single element",
        ),
        (
            lambda: functional.vhp(pair, (X, Y), (X, Y)),
            RuntimeError,
            "The function given to vhp should return a single Tensor",
        ),
        (
            lambda: functional.vjp(cubes, X),
            RuntimeError,
            "The vector v can only be None if the user-provided function returns a single Tensor "
            "with a single element.",
        ),
        (
            lambda: functional.vjp(cubes, X, torch.ones(3)),
            RuntimeError,
            "v has invalid size: should be torch.Size([2]) but got torch.Size([3]).",
        ),
        (
            lambda: functional.vjp(pair, (X, Y), torch.ones(2)),
            RuntimeError,
            "v is a tuple of invalid length: should be 2 but got 1.",
        ),
        (
            lambda: functional.jacobian(pair, (X, Y), strategy="forward-mode"),
            NotImplementedError,
            "Computing Jacobian using forward-AD or forward-over-reverse Hessian isonly "
            "implemented for `vectorize=True`.",
        ),
    ],
)
def test_errors(call, error, words):
    with pytest.raises(error) as info:
        call()
    assert str(info.value) == words


def test_linear_functions_in_strict_mode():
    for product in (functional.hessian, lambda *a, **k: functional.hvp(*a, Y, **k)):
        with pytest.raises(RuntimeError, match="found that the jacobian of the user-provided"):
            product(lambda a: a.sum(), X, strict=True)
