"""Window functions, against NumPy's and their formulas."""

import d2lcore as torch
import numpy as np
import pytest

W = torch.signal.windows
NUMPY = {
    "bartlett": np.bartlett,
    "blackman": np.blackman,
    "hamming": np.hamming,
    "hann": np.hanning,
}


@pytest.mark.parametrize("name", NUMPY)
@pytest.mark.parametrize("count", [0, 1, 2, 5, 12])
def test_windows_are_numpys(name, count):
    expected = NUMPY[name](count)
    window = getattr(W, name)(count, dtype=torch.float64)
    np.testing.assert_allclose(window.tolist(), expected, atol=1e-15)
    if count > 1:
        periodic = getattr(W, name)(count, sym=False, dtype=torch.float64)
        np.testing.assert_allclose(periodic.tolist(), NUMPY[name](count + 1)[:-1], atol=1e-15)


def test_the_other_windows():
    n = np.arange(9) - 4.0
    close = lambda a, b: np.testing.assert_allclose(a.tolist(), b, rtol=1e-12)  # noqa: E731
    close(W.kaiser(9, beta=5.0, dtype=torch.float64), np.kaiser(9, 5.0))
    close(W.gaussian(9, std=2.0, dtype=torch.float64), np.exp(-(n**2) / 8))
    close(W.exponential(9, tau=3.0, dtype=torch.float64), np.exp(-np.abs(n) / 3))
    close(W.cosine(9, dtype=torch.float64), np.sin(np.pi * (np.arange(9) + 0.5) / 9))
    nuttall = [0.3635819, 0.4891775, 0.1365995, 0.0106411]
    close(W.nuttall(5, dtype=torch.float64)[2:3], [sum(nuttall)])
    assert W.general_hamming(4, requires_grad=True).requires_grad
    assert W.hann(4).dtype == torch.float32


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (lambda: W.hann(-1), ValueError, "requires non-negative window length, got M=-1"),
        (lambda: W.hann(3, dtype=torch.int64), ValueError, "expects float32 or float64 dtypes"),
        (lambda: W.gaussian(3, std=0.0), ValueError, "Standard deviation must be positive"),
        (lambda: W.exponential(3, tau=0.0), ValueError, "Tau must be positive"),
        (lambda: W.exponential(3, center=1.0), ValueError, "Center must be None"),
        (lambda: W.kaiser(3, beta=-1.0), ValueError, "beta must be non-negative"),
        (lambda: W.general_cosine(3, a=[]), ValueError, "Coefficients cannot be empty"),
        (lambda: W.general_cosine(3, a=1.0), TypeError, "Coefficients must be a list/tuple"),
    ],
)
def test_refused(call, kind, text):
    with pytest.raises(kind, match=text):
        call()
