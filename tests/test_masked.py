"""Masked reductions: the same as the plain op on what the mask keeps."""

import d2lcore as torch
import numpy as np
import pytest

X = torch.linspace(-2, 2, 12, dtype=torch.float64).reshape(3, 4)
MASK = torch.tensor(
    [[True, False, True, True], [True, True, False, True], [True, True, True, False]]
)


def kept_rows():
    return [[x for x, m in zip(row, keep) if m] for row, keep in zip(X.tolist(), MASK.tolist())]


REDUCTIONS = {
    "sum": np.sum, "prod": np.prod, "amax": np.max, "amin": np.min, "mean": np.mean,
    "median": lambda v: np.sort(v)[(len(v) - 1) // 2], "norm": np.linalg.norm,
    "logsumexp": lambda v: np.log(np.sum(np.exp(v))),
    "var": lambda v: np.var(v, ddof=1), "std": lambda v: np.std(v, ddof=1),
}  # fmt: skip


@pytest.mark.parametrize("name", REDUCTIONS)
def test_reductions(name):
    f = getattr(torch.masked, name)
    expected = [REDUCTIONS[name](np.array(row)) for row in kept_rows()]
    got = f(X, dim=1, mask=MASK)
    np.testing.assert_allclose(got.tolist(), expected, rtol=1e-12)
    assert f(X, dim=1, mask=MASK, keepdim=True).shape == (3, 1)
    x = X.clone().requires_grad_()
    f(x, dim=1, mask=MASK).sum().backward()
    assert (x.grad[~MASK] == 0).all() and x.grad[MASK].isfinite().all()


def test_normalisations():
    for name, sign in (("softmax", 1), ("softmin", -1)):
        rows = getattr(torch.masked, name)(X, 1, mask=MASK)
        for row, keep, values in zip(rows.tolist(), MASK.tolist(), kept_rows()):
            e = np.exp(sign * np.array(values))
            np.testing.assert_allclose([v for v, m in zip(row, keep) if m], e / e.sum())
            assert all(v == 0 for v, m in zip(row, keep) if not m)
    logs = torch.masked.log_softmax(X, 1, mask=MASK)
    assert torch.allclose(logs.exp(), torch.masked.softmax(X, 1, mask=MASK))
    unit = torch.masked.normalize(X, 2.0, 1, mask=MASK)
    assert torch.allclose(torch.linalg.vector_norm(unit, dim=1), torch.ones(3, dtype=X.dtype))


def test_places_and_running_sums():
    assert torch.masked.argmax(X, 1, mask=MASK).tolist() == [3, 3, 2]
    assert torch.masked.argmin(X, 1, mask=MASK).tolist() == [0, 0, 0]
    assert torch.equal(torch.masked.cumsum(X, 1, mask=MASK), (X * MASK).cumsum(1))
    assert torch.masked.cumprod(X, 1, mask=MASK)[0, 1] == X[0, 0]
    both = torch.masked.logaddexp(X, X, input_mask=MASK)
    assert torch.equal(both[~MASK], X[~MASK])
    assert torch.masked.sum(torch.tensor([1, 2], dtype=torch.int8)).dtype == torch.int64


def test_refused():
    with pytest.raises(IndexError, match="mask dimensionality higher"):
        torch.masked.sum(X, mask=MASK[None])
    with pytest.raises(IndexError, match="Dimension out of range"):
        torch.masked.sum(X, 2, mask=MASK)
    with pytest.raises(RuntimeError, match="appears multiple times"):
        torch.masked.sum(X, (0, -2), mask=MASK)
    with pytest.raises(ValueError, match="Could not infer output dtype"):
        torch.masked.mean(torch.ones(2, dtype=torch.int64))
