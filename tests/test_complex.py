"""Complex numbers: values against NumPy, branch cuts, and PyTorch's convention of gradients."""

from __future__ import annotations

import re
from collections.abc import Callable

import d2lcore as torch
import numpy as np
import pytest

RNG = np.random.default_rng(5)
Z = RNG.normal(size=(4, 5)) * 2 + 1j * RNG.normal(size=(4, 5)) * 2
W = RNG.normal(size=(4, 5)) + 1j * RNG.normal(size=(4, 5))

FUNCTIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "sqrt": np.sqrt, "rsqrt": lambda z: 1 / np.sqrt(z), "exp": np.exp,
    "exp2": lambda z: np.exp(z * np.log(2)), "expm1": np.expm1, "log": np.log, "log2": np.log2,
    "log10": np.log10, "log1p": np.log1p, "sin": np.sin, "cos": np.cos, "tan": np.tan,
    "asin": np.arcsin, "acos": np.arccos, "atan": np.arctan, "sinh": np.sinh, "cosh": np.cosh,
    "tanh": np.tanh, "asinh": np.arcsinh, "acosh": np.arccosh, "atanh": np.arctanh,
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)), "reciprocal": np.reciprocal, "square": np.square,
    "neg": np.negative,
}  # fmt: skip
# On the cuts the sign of a zero says on which side a number lies.
CUTS = np.array(
    [complex(x, y) for x in (-2.0, -0.5, -0.0, 0.0, 0.5, 2.0) for y in (-0.0, 0.0)]
    + [complex(x, y) for x in (-0.0, 0.0) for y in (-2.0, -0.5, 0.5, 2.0)]
)
ENDS = np.array([complex(x, y) for x in (1.0, -1e300, 1e300, np.inf, -np.inf) for y in (0.0, 1.0)])


def close(got: torch.Tensor, want: np.ndarray, tol: float) -> None:
    np.testing.assert_allclose(got.detach().numpy(), want, rtol=tol, atol=tol)


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_function(name: str, dtype: str) -> None:
    x = Z.astype(dtype)
    got = getattr(torch, name)(torch.from_numpy(x))
    assert got.dtype == getattr(torch, dtype)
    close(got, FUNCTIONS[name](x.astype("complex128")), 3e-6 if dtype == "complex64" else 1e-13)


@pytest.mark.parametrize("name", ["sqrt", "log", "asin", "acos", "atan", "asinh", "acosh", "atanh"])
def test_branch_cuts(name: str) -> None:
    got = getattr(torch, name)(torch.from_numpy(CUTS)).numpy()
    with np.errstate(all="ignore"):
        want = FUNCTIONS[name](CUTS)
    np.testing.assert_allclose(got, want, rtol=1e-13, atol=1e-15)
    for part in ("real", "imag"):
        ours, theirs = getattr(got, part), getattr(want, part)
        np.testing.assert_array_equal(np.signbit(ours), np.signbit(theirs))


@pytest.mark.parametrize("name", ["sqrt", "log", "asin", "acos", "asinh", "acosh", "atan", "atanh"])
def test_far_numbers(name: str) -> None:
    with np.errstate(all="ignore"):
        want = FUNCTIONS[name](ENDS)
    np.testing.assert_allclose(getattr(torch, name)(torch.from_numpy(ENDS)).numpy(), want, 1e-13)


def test_log_of_numbers_near_the_unit_circle_keeps_its_digits() -> None:
    z = np.exp(1j * np.linspace(-3, 3, 50)) * (1 + 1e-9)
    got = torch.log(torch.from_numpy(z)).real.numpy()
    re, im = z.real.astype("longdouble"), z.imag.astype("longdouble")
    np.testing.assert_allclose(got, (np.log1p(re * re + im * im - 1) / 2).astype(float), rtol=1e-6)


@pytest.mark.parametrize("exponent", [0, 1, 2, 3, -1, 0.5, -0.5, 2.5, 1 + 2j])
def test_power_with_a_number(exponent: complex) -> None:
    close(torch.from_numpy(Z) ** exponent, Z**exponent, 1e-12)
    if exponent:
        close(exponent ** torch.from_numpy(Z), np.power(complex(exponent), Z), 1e-11)


BINARY: dict[str, Callable[..., np.ndarray]] = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide, "pow": np.power,
    "eq": np.equal, "ne": np.not_equal,
}  # fmt: skip


@pytest.mark.parametrize("name", BINARY)
def test_binary(name: str) -> None:
    a, b = torch.from_numpy(Z), torch.from_numpy(W)
    close(getattr(torch, name)(a, b), BINARY[name](Z, W), 1e-12)
    close(getattr(torch, name)(a[:, :1], b.real[0]), BINARY[name](Z[:, :1], W.real[0]), 1e-12)


def test_contractions_and_reductions() -> None:
    a, b = torch.from_numpy(Z), torch.from_numpy(W)
    close(a @ b.mT, Z @ W.T, 1e-12)
    close(a @ b.mH, Z @ W.conj().T, 1e-12)
    close(torch.dot(a[0], b[0]), np.dot(Z[0], W[0]), 1e-12)
    close(torch.vdot(a[0], b[0]), np.vdot(Z[0], W[0]), 1e-12)
    close(torch.outer(a[0], b[0]), np.outer(Z[0], W[0]), 1e-12)
    close(torch.addmm(b[:, :4], a, b.mT, beta=1j, alpha=2), 1j * W[:, :4] + 2 * Z @ W.T, 1e-12)
    for name in ("sum", "mean", "prod"):
        close(getattr(a, name)(), getattr(Z, name)(), 1e-10)
        close(getattr(a, name)(1), getattr(Z, name)(1), 1e-12)
    close(a.cumsum(1), Z.cumsum(1), 1e-12)
    close(a.cumprod(0), Z.cumprod(0), 1e-12)
    close(torch.linalg.vector_norm(a), np.linalg.norm(Z), 1e-12)
    close(a.abs(), np.abs(Z), 1e-12)
    close(a.var(), np.var(Z, ddof=1), 1e-12)


@pytest.mark.parametrize("name", ["lt", "le", "gt", "ge", "max", "min", "sort", "floor", "relu"])
def test_order_is_refused(name: str) -> None:
    a = torch.from_numpy(Z)
    args = (a, a) if name in ("lt", "le", "gt", "ge") else (a,)
    with pytest.raises((NotImplementedError, RuntimeError)):
        getattr(torch, name)(*args)


def test_running_logsumexp() -> None:
    z = Z * 0.5
    close(torch.logcumsumexp(torch.from_numpy(z), 1).exp(), np.exp(z).cumsum(1), 1e-12)
    assert torch.logsumexp(torch.tensor(10j, dtype=torch.complex128), 0).imag.item() == (
        pytest.approx(10 - 4 * np.pi)
    )


def test_a_conjugate_lies_as_its_operand() -> None:
    z = torch.from_numpy(Z)
    for view in (z.t(), z[:, ::2], z[:1].expand(3, 5), z[0, 0], z[:0], z[::2, ::4]):
        w = view.conj()
        close(w, view.numpy().conj(), 0)
        assert w.stride() == view.stride() or view.numel() < 2


REFUSED = {
    "torch.ones(2).fill_(1j)": (RuntimeError, "converted to type float without overflow"),
    "torch.zeros(2).__setitem__(0, 1j)": (RuntimeError, "converted to type float without overflow"),
    "torch.zeros(2, dtype=torch.int8).__setitem__(0, 300)": (
        RuntimeError,
        "to type int8_t without",
    ),
    "torch.tensor([1j], dtype=torch.float32)": (TypeError, "must be real number, not complex"),
    "torch.tensor(1j, dtype=torch.int64)": (TypeError, "'complex' object cannot be interpreted"),
    "torch.arange(0, 1j)": (RuntimeError, "converted to type double without overflow"),
    "z.clamp(0, 1)": (NotImplementedError, "clamp is not supported for complex types"),
    "z // 2": (NotImplementedError, "\"div_floor_cpu\" not implemented for 'ComplexFloat'"),
    "z % 2": (NotImplementedError, "\"remainder_cpu\" not implemented for 'ComplexFloat'"),
    "z.erf()": (NotImplementedError, "\"erf_vml_cpu\" not implemented for 'ComplexFloat'"),
    "z.floor()": (NotImplementedError, "floor is not supported for complex inputs"),
    "z.sign()": (NotImplementedError, "torch.sign is not intended to support complex numbers"),
    "z.topk(1)": (RuntimeError, "topk does not support complex dtypes on CPU"),
    "z < z": (NotImplementedError, "\"lt_cpu\" not implemented for 'ComplexFloat'"),
    "z.max()": (NotImplementedError, "\"max_all\" not implemented for 'ComplexFloat'"),
    "~z": (TypeError, "only implemented on integer and Boolean-type tensors"),
    "torch.ones(2).imag": (RuntimeError, "imag is not implemented for tensors with non-complex"),
    "torch.ones(2).add_(1j)": (
        RuntimeError,
        "result type ComplexFloat can't be cast to the desired",
    ),
    "torch.fmax(z, z)": (RuntimeError, "fmax not implemented for complex tensors"),
}


@pytest.mark.parametrize("expression", REFUSED)
def test_refusals_in_pytorch_s_words(expression: str) -> None:
    kind, text = REFUSED[expression]
    with pytest.raises(kind, match=re.escape(text)):
        eval(expression, {"torch": torch, "z": torch.tensor([1j, 2.0])})


def test_parts_are_views() -> None:
    z = torch.from_numpy(Z.copy())
    z.real.zero_()
    z.imag.add_(1)
    close(z, 1j * (Z.imag + 1), 1e-15)
    z.real = torch.ones(5, dtype=torch.float64)
    z.imag = 2
    close(z, np.full((4, 5), 1 + 2j), 0)
    flat = torch.view_as_real(z)
    assert flat.shape == (4, 5, 2) and flat.data_ptr() == z.data_ptr()
    assert torch.view_as_complex(flat).data_ptr() == z.data_ptr()


def test_abs_is_refused_in_place_and_fits_a_complex_out() -> None:
    z = torch.tensor([3 + 4j])
    with pytest.raises(RuntimeError, match="In-place abs is not supported for complex tensors"):
        z.abs_()
    out = torch.zeros(1, dtype=torch.complex64)
    assert torch.abs(z, out=out) is out and out.item() == 5


def test_complex_reads_operands_that_lie_in_its_result() -> None:
    z = torch.from_numpy(Z.copy())
    torch.complex(z.imag, z.real, out=z)
    close(z, Z.imag + 1j * Z.real, 1e-15)


def numeric_gradient(f: Callable[[torch.Tensor], torch.Tensor], z: np.ndarray) -> np.ndarray:
    """dL/dx + i dL/dy by differences."""
    out = np.zeros_like(z)
    for at in np.ndindex(z.shape):
        for unit in (1, 1j) if np.iscomplexobj(z) else (1,):
            high, low = z.copy(), z.copy()
            high[at] += 1e-6 * unit
            low[at] -= 1e-6 * unit
            slope = f(torch.from_numpy(high)).item() - f(torch.from_numpy(low)).item()
            out[at] += unit * slope / 2e-6
    return out


def objective(y: torch.Tensor) -> torch.Tensor:
    """A real number that depends on both parts of everything, and is not linear."""
    if not y.is_complex():
        return (y * y * 0.3 + y).sum()
    return (y.real * 0.7 + y.imag * 1.3 + 0.2 * y.real * y.imag).sum()


DIFFERENTIABLE: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    **{n: (lambda z, n=n: getattr(torch, n)(z)) for n in [*FUNCTIONS, "abs", "sgn", "angle"]},
    "conj": torch.conj, "conj_physical": torch.conj_physical, "real": torch.real,
    "imag": torch.imag, "view_as_real": torch.view_as_real,
    "power": lambda z: z**2.5, "power of both": lambda z: z ** (z * 0.5),
    "number to the power": lambda z: (1.5 + 0.5j) ** z,
    "quotient": lambda z: (z + 1) / (z * z + 3j),
    "product": lambda z: z @ z.mH, "transposed product": lambda z: z @ z.mT, "mean": torch.mean,
    "prod": lambda z: (z * 0.5).prod(1), "cumsum": lambda z: (z * z).cumsum(0),
    "cumprod": lambda z: (z * 0.5).cumprod(1), "silu": lambda z: torch.nn.functional.silu(z),
    "norm": lambda z: torch.linalg.vector_norm(z, 3), "vdot": lambda z: torch.vdot(z[0], z[1] * 2),
    "norm of rows": lambda z: torch.linalg.vector_norm(z, dim=1), "var": lambda z: z.var(0),
    "where": lambda z: torch.where(torch.from_numpy(Z[:2, :3].real > 0), z, z * z),
    "logsumexp": lambda z: torch.logsumexp(z, 1),
    "logcumsumexp": lambda z: torch.logcumsumexp(z, 1),
    "mixed with real": lambda z: z * z.real + z.imag.sum(),
    "polar of parts": lambda z: torch.polar(z.real, z.imag),
    "complex of parts": lambda z: torch.complex(z.imag * z.real, z.real),
}  # fmt: skip


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_gradient(name: str) -> None:
    f = DIFFERENTIABLE[name]
    z = Z[:2, :3] * 0.6
    x = torch.from_numpy(z.copy()).requires_grad_()
    (g,) = torch.autograd.grad(objective(f(x)), [x], create_graph=True)
    assert g.dtype == torch.complex128
    np.testing.assert_allclose(
        g.detach().numpy(), numeric_gradient(lambda v: objective(f(v)), z), 1e-5, 1e-6
    )
    if not g.requires_grad:
        return
    weight = torch.from_numpy(W[:2, :3].copy())

    def slope(v: torch.Tensor) -> torch.Tensor:
        v = v.detach().requires_grad_()
        (inner,) = torch.autograd.grad(objective(f(v)), [v])
        return (inner * weight).real.sum()

    (second,) = torch.autograd.grad((g * weight).real.sum(), [x])
    np.testing.assert_allclose(second.numpy(), numeric_gradient(slope, z), 1e-4, 1e-5)


def test_a_real_input_of_a_complex_product_gets_a_real_gradient() -> None:
    x = torch.tensor([1.0, 2.0], dtype=torch.float64, requires_grad=True)
    z = torch.tensor([1 + 2j, 3 - 1j], dtype=torch.complex128)
    (x * z).abs().sum().backward()
    assert x.grad is not None and x.grad.dtype == torch.float64
    close(x.grad, np.abs(z.numpy()), 1e-12)


@pytest.mark.parametrize("part", ["real", "imag"])
def test_writing_to_a_part_changes_the_graph_of_the_whole(part: str) -> None:
    def f(v: torch.Tensor) -> torch.Tensor:
        y = v * (1 + 1j)
        getattr(y, part).mul_(v.abs())
        return y * y

    z = Z[:2, :3]
    x = torch.from_numpy(z.copy()).requires_grad_()
    (g,) = torch.autograd.grad(objective(f(x)), [x])
    np.testing.assert_allclose(
        g.numpy(), numeric_gradient(lambda v: objective(f(v)), z), 1e-5, 1e-6
    )


def test_writing_to_the_whole_changes_the_graph_of_its_parts() -> None:
    x = torch.from_numpy(Z[:2, :3].copy()).requires_grad_()
    y = x * 2
    part = y.imag
    y.mul_(1j)
    (g,) = torch.autograd.grad(part.sum(), [x])
    close(g, np.full((2, 3), 2.0 + 0j), 1e-15)


def test_writing_to_a_complex_view_of_a_real_tensor() -> None:
    x = torch.from_numpy(RNG.normal(size=(3, 2))).requires_grad_()
    y = x * 1.0
    torch.view_as_complex(y).mul_(2 + 1j)
    (g,) = torch.autograd.grad(y.sum(), [x])
    # (a + ib)(2 + i) = 2a - b + i (2b + a)
    close(g, np.tile([3.0, 1.0], (3, 1)), 1e-12)


def test_numbers_leave_as_python_complex() -> None:
    z = torch.tensor([1 + 2j, -0.5j])
    assert z.dtype == torch.complex64 and z.tolist() == [1 + 2j, -0.5j]
    assert z[0].item() == 1 + 2j and complex(z[0]) == 1 + 2j and bool(z[0])
    assert (
        float(z[0].real) == 1
        and float(torch.tensor(3 + 0j)) == 3
        and int(torch.tensor(3 + 0j)) == 3
    )
    for kind in (float, int):
        with pytest.raises(RuntimeError, match="value cannot be converted to type"):
            kind(z[0])
