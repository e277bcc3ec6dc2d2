"""Linear algebra where samples cannot say it: symmetric inputs, what is singular or not finite,
broken systems, layouts, threads."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import d2lcore as torch
import numpy as np
import pytest
from d2lcore import linalg

LinAlgError = linalg.LinAlgError
NAN, INF = math.nan, math.inf


def drawn(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    values = np.random.default_rng(seed).normal(size=shape)
    return torch.from_numpy(values).to(dtype)


def positive(n: int, *batch: int) -> torch.Tensor:
    a = drawn(*batch, n, n)
    return a @ a.mT + n * torch.eye(n, dtype=torch.float64)


def slopes(f: Callable[[torch.Tensor], torch.Tensor], x: torch.Tensor) -> tuple[Any, Any]:
    """First and second derivatives of f along drawn directions: by backward, by differences."""
    u, v = drawn(*x.shape, seed=5), drawn(*x.shape, seed=6)

    def gradient(at: torch.Tensor, create: bool) -> torch.Tensor:
        at = at if create else at.detach().requires_grad_()
        (g,) = torch.autograd.grad(f(at), at, create_graph=create)
        return (g * u).sum()

    leaf = x.clone().requires_grad_()
    first = gradient(leaf, True)
    (second,) = torch.autograd.grad(first, leaf)
    step = 1e-6
    with torch.no_grad():
        flat = ((f(x + step * u) - f(x - step * u)) / (2 * step)).item()
    bent = ((gradient(x + step * v, False) - gradient(x - step * v, False)) / (2 * step)).item()
    return (first.item(), (second * v).sum().item()), (flat, bent)


SYMMETRIC = {
    "cholesky": lambda a: linalg.cholesky(a).mul(drawn(3, 3)).sum(),
    "cholesky upper": lambda a: linalg.cholesky(a, upper=True).mul(drawn(3, 3)).sum(),
    "old cholesky": lambda a: torch.cholesky(a).sum(),
    "eigh": lambda a: (linalg.eigh(a)[0] * linalg.eigh(a)[1]).mul(drawn(3, 3)).sum(),
    "eigh vectors": lambda a: linalg.eigh(a, "U").eigenvectors.mul(drawn(3, 3)).sum(),
    "eigvalsh": lambda a: linalg.eigvalsh(a).mul(drawn(3)).sum(),
    "cholesky_solve": lambda a: torch.cholesky_solve(drawn(3, 2), linalg.cholesky(a)).pow(2).sum(),
    "cholesky_solve upper": lambda a: torch.cholesky_solve(
        drawn(3, 2), linalg.cholesky(a, upper=True), True
    ).sum(),
    "cholesky_inverse": lambda a: torch.cholesky_inverse(linalg.cholesky(a)).mul(drawn(3, 3)).sum(),
    "pinv": lambda a: linalg.pinv(a, hermitian=True).mul(drawn(3, 3)).sum(),
}  # fmt: skip


@pytest.mark.parametrize("name", SYMMETRIC)
def test_derivatives_for_symmetric_matrices(name: str) -> None:
    f = SYMMETRIC[name]
    got, want = slopes(lambda x: f((x + x.mT) / 2), positive(3))
    assert np.allclose(got, want, rtol=1e-4, atol=1e-5)


def test_derivative_of_det_at_a_singular_matrix() -> None:
    # Almost singular: the adjugate.
    a = torch.tensor([[1.0, 2.0], [2.0, 4.0 + 1e-14]], dtype=torch.float64, requires_grad=True)
    (g,) = torch.autograd.grad(linalg.det(a), a, create_graph=True)
    assert np.allclose(g.detach().numpy(), [[4, -2], [-2, 1]], atol=1e-6)


@pytest.mark.parametrize("n", [1, 7, 8, 9, 17, 40, 150])
def test_blocks_of_every_size(n: int) -> None:
    a = drawn(n, n, seed=n)
    p, low, up = linalg.lu(a)
    assert torch.allclose(p @ low @ up, a)
    b = drawn(n, 3)
    x = linalg.solve(a, b)
    assert torch.allclose(a @ x, b, atol=1e-6)
    assert torch.allclose(linalg.solve(a, b.mT, left=False) @ a, b.mT, atol=1e-6)
    s = positive(n)
    low = linalg.cholesky(s)
    assert torch.allclose(low @ low.mT, s)
    assert torch.equal(low, low.tril())
    assert torch.allclose(torch.cholesky_solve(b, low), linalg.solve(s, b))
    for m in (n + 5, max(n - 5, 1)):
        wide = drawn(n, m, seed=m)
        p, low, up = linalg.lu(wide)
        assert torch.allclose(p @ low @ up, wide)


def test_threads_do_not_change_a_bit() -> None:
    a, b = drawn(300, 300), drawn(300, 50)
    many = drawn(200, 6, 6)
    before = torch.get_num_threads()
    results = []
    try:
        for threads in (1, 3):
            torch.set_num_threads(threads)
            results.append(
                [
                    linalg.solve(a, b),
                    linalg.cholesky(positive(300)),
                    linalg.inv(many),
                    linalg.det(many),
                ]
            )
    finally:
        torch.set_num_threads(before)
    for x, y in zip(*results):
        assert torch.equal(x, y)


def test_info_says_where() -> None:
    broken = torch.tensor([[1.0, 2.0], [2.0, 4.0]])
    assert linalg.inv_ex(broken).info.item() == 2
    assert linalg.solve_ex(broken, torch.ones(2)).info.item() == 2
    assert linalg.lu_factor_ex(torch.zeros(3, 3)).info.item() == 1
    assert linalg.cholesky_ex(torch.tensor([[4.0, 2.0], [2.0, -1.0]])).info.item() == 2
    assert linalg.cholesky_ex(torch.stack([torch.eye(2), -torch.eye(2)])).info.tolist() == [0, 1]
    many = torch.eye(40)
    many[33, 33] = -1
    assert linalg.cholesky_ex(many).info.item() == 34
    many[33, 33] = 0
    assert linalg.lu_factor_ex(many).info.item() == 34


NOT_FINITE = [[[NAN, 1.0], [1.0, 2.0]], [[INF, INF], [INF, INF]]]


@pytest.mark.parametrize("values", NOT_FINITE)
def test_nan_and_inf_end_in_nan_or_an_error(values: Any) -> None:
    a = torch.tensor(values)
    for f in (linalg.inv, linalg.det, linalg.matrix_exp, lambda x: linalg.solve(x, x),
              lambda x: linalg.qr(x).R, lambda x: linalg.slogdet(x).logabsdet):  # fmt: skip
        assert torch.isnan(f(a)).any()
    for f in (linalg.svd, linalg.eigh, linalg.eigvalsh, linalg.pinv, torch.svd):
        with pytest.raises(LinAlgError, match="failed to converge"):
            f(a)
    for f in (linalg.eig, linalg.eigvals):
        with pytest.raises(RuntimeError, match="should not contain infs or NaNs"):
            f(a)
    if torch.isnan(a).any():
        with pytest.raises(LinAlgError, match="non-finite values"):
            linalg.svdvals(a)
    else:
        assert torch.isnan(linalg.svdvals(a)).all()


def test_results_lie_as_those_of_lapack() -> None:
    a, s = drawn(2, 4, 3), positive(3, 2)
    u, _, vh = linalg.svd(a)
    assert u.stride() == (16, 1, 4) and vh.stride() == (9, 1, 3)
    assert linalg.qr(a).Q.stride() == (12, 1, 4)
    assert linalg.eigh(s).eigenvectors.stride() == (9, 1, 3)
    assert linalg.cholesky(s).stride() == linalg.inv(s).stride() == (9, 1, 3)
    assert linalg.solve(s, drawn(2, 3, 2)).stride() == (6, 1, 3)
    assert linalg.solve(s, drawn(2, 2, 3), left=False).stride() == (6, 3, 1)
    assert linalg.lu_factor(a).LU.stride() == (12, 1, 4)


def test_named_results() -> None:
    shown = repr(linalg.svd(torch.eye(1)))
    assert (
        shown
        == "torch.return_types.linalg_svd(\nU=tensor([[1.]]),\nS=tensor([1.]),\nVh=tensor([[1.]]))"
    )
    assert linalg.slogdet(torch.eye(2)).sign.item() == 1
    assert type(linalg.eigh(torch.eye(2))).__name__ == "linalg_eigh"


def test_results_own_their_memory() -> None:
    values = linalg.svdvals(torch.eye(3))
    values.resize_(6)  # not possible for memory of an array
    assert values.shape == (6,)


def test_the_older_lu() -> None:
    a = drawn(3, 3)
    want = linalg.lu_factor(a)
    for got in (torch.lu(a), a.lu(), torch.lu(a, get_infos=True), a.lu(get_infos=True)):
        assert torch.equal(got[0], want.LU) and torch.equal(got[1], want.pivots)
    assert torch.lu(torch.zeros(2, 2), get_infos=True).info.item() == 1
    outs = (torch.zeros(3, 3, dtype=torch.float64), torch.zeros(3, dtype=torch.int32))
    assert torch.lu(a, out=outs)[0] is not None and torch.equal(outs[0], want.LU)
    assert torch.allclose(torch.lu_solve(a @ drawn(3, 2), *torch.lu(a)), drawn(3, 2))


def test_reflections_give_q() -> None:
    a = drawn(2, 12, 9)
    assert torch.allclose(linalg.householder_product(*torch.geqrf(a)), linalg.qr(a).Q)


def test_factors_of_extreme_numbers() -> None:
    for size in (1e-300, 1e300):
        a = drawn(4, 3) * size
        q, r = linalg.qr(a)
        assert torch.allclose(q.mT @ q, torch.eye(3, dtype=torch.float64))
        assert torch.allclose(q @ (r / size), a / size)


def test_negative_powers() -> None:
    a = positive(3)
    assert torch.allclose(linalg.matrix_power(a, -3), torch.linalg.inv(a @ a @ a))
    flip = torch.tensor([[-1.0]])
    assert linalg.matrix_power(flip, -(2**63)).item() == 1
    assert linalg.matrix_power(flip, 2**63 - 1).item() == -1
    with pytest.raises(LinAlgError):
        linalg.matrix_power(torch.zeros(2, 2), -1)


def test_exponentials_of_a_batch_are_those_of_its_items() -> None:
    a = torch.stack([drawn(4, 4, seed=k) * 10.0 ** (k - 3) for k in range(5)])
    together = linalg.matrix_exp(a)
    for item, whole in zip(a, together):
        assert torch.allclose(linalg.matrix_exp(item), whole)
    turn = torch.tensor([[0.0, -math.pi], [math.pi, 0.0]], dtype=torch.float64)
    assert torch.allclose(linalg.matrix_exp(turn), -torch.eye(2, dtype=torch.float64))


def test_least_squares_of_deficient_rank_is_the_shortest() -> None:
    a, b = torch.ones(4, 2, dtype=torch.float64), drawn(4, 1)
    for driver in ("gelsy", "gelsd", "gelss"):
        found = linalg.lstsq(a, b, driver=driver)
        assert found.rank.item() == 1
        assert torch.allclose(found.solution, b.mean() / 2 * torch.ones(2, 1, dtype=torch.float64))


def test_condition_of_singular_matrices() -> None:
    zero = torch.zeros(2, 2)
    assert linalg.cond(zero, 1).item() == INF and linalg.cond(zero, "fro").item() == INF
    assert torch.isnan(linalg.cond(zero)).item() and torch.isnan(linalg.cond(zero, "nuc")).item()
    assert linalg.cond(torch.stack([torch.eye(2), zero]), 1).tolist() == [1.0, INF]
    assert linalg.cond(torch.zeros(2, 0, 0), 1).tolist() == [0.0, 0.0]
