"""Random numbers: PyTorch's streams and states."""

import copy
import pickle
import struct
import zlib
from pathlib import Path

import d2lcore as torch
import numpy as np
import pytest

ROWS = [
    tuple(part.strip() for part in line.split("|"))
    for line in (Path(__file__).parent / "random_streams.txt").read_text().splitlines()
    if not line.startswith("#")
]
# What passes through the C library's log, sin or tan in double may differ in a last bit there.
THROUGH_LIBM = ("float64).normal", "exponential_", "cauchy_", "log_normal_", "trunc_normal_")


def numbers(text):
    return [float.fromhex(x) if "x" in x or x in ("inf", "nan") else int(x) for x in text.split()]


@pytest.mark.parametrize(("seed", "expression", "expected"), ROWS, ids=[r[1] for r in ROWS])
def test_streams_are_pytorchs(seed, expression, expected):
    torch.manual_seed(int(seed))
    flat = eval(expression).detach().flatten()
    if flat.numel() > 48:
        flat = torch.cat([flat[:8], flat[-8:]])
    got, want = flat.tolist(), numbers(expected)
    assert len(got) == len(want)
    if got == want:
        return
    assert any(s in expression for s in THROUGH_LIBM) or "float64" in expression
    eps = torch.finfo(flat.dtype).eps
    np.testing.assert_allclose(got, want, rtol=4 * eps, atol=4 * eps)


def test_a_state_has_pytorchs_bytes():
    torch.manual_seed(123)
    torch.rand(5)
    assert zlib.crc32(bytes(torch.get_rng_state().tolist())) == 0xB9CA4691
    torch.randn(3)
    state = torch.get_rng_state()
    assert state.dtype == torch.uint8 and state.shape == (5056,)
    kept = struct.unpack("<d", bytes(state[5024:5032].tolist()))[0]
    assert kept == pytest.approx(-1.085442678208009, rel=1e-15)
    expected = torch.randn(7)
    torch.manual_seed(0)
    torch.set_rng_state(state)
    assert torch.equal(torch.randn(7), expected)


def test_a_generator_is_a_stream_of_its_own():
    g = torch.Generator(device="cpu").manual_seed(7)
    assert g.initial_seed() == 7 and g.device == torch.device("cpu")
    torch.rand(3, generator=g)
    for twin in (g.clone_state(), copy.deepcopy(g)):
        assert twin is not g and torch.equal(twin.get_state(), g.get_state())
    other = torch.Generator()
    other.set_state(g.get_state())
    before = torch.get_rng_state()
    assert torch.equal(torch.rand(4, generator=g), torch.rand(4, generator=other))
    assert torch.equal(torch.get_rng_state(), before)
    assert g.seed() == g.initial_seed()


def test_seeds_wrap_as_in_pytorch():
    g = torch.Generator()
    assert g.manual_seed(-1).initial_seed() == 2**64 - 1
    assert g.manual_seed(2**64 - 1).initial_seed() == 2**64 - 1
    for bad in (2**64, -(2**63) - 1):
        with pytest.raises(ValueError, match="Overflow when unpacking long long"):
            g.manual_seed(bad)
    with pytest.raises(RuntimeError, match="manual_seed expected a long, but got float"):
        g.manual_seed(1.5)
    assert torch.manual_seed(3) is torch.default_generator
    assert torch.initial_seed() == 3
    assert torch.seed() == torch.initial_seed()


@pytest.mark.parametrize(
    ("state", "kind", "text"),
    [
        (torch.zeros(3, dtype=torch.uint8), RuntimeError, "of size 5056 but found .* to be 3"),
        (torch.zeros(5056, dtype=torch.uint8), RuntimeError, "Invalid mt19937 state"),
        (torch.zeros(5056), TypeError, "RNG state must be a torch.ByteTensor"),
        (3, TypeError, "expected a torch.ByteTensor, but got int"),
    ],
)
def test_wrong_states_are_refused(state, kind, text):
    before = torch.get_rng_state()
    with pytest.raises(kind, match=text):
        torch.set_rng_state(state)
    assert torch.equal(torch.get_rng_state(), before)


def test_fork_rng_gives_the_state_back():
    torch.manual_seed(1)
    with torch.random.fork_rng():
        inside = torch.rand(3)
    assert torch.equal(torch.rand(3), inside)
    with torch.random.fork_rng(enabled=False):
        kept = torch.get_rng_state()
    assert torch.equal(torch.get_rng_state(), kept)
    with pytest.raises(KeyError), torch.random.fork_rng(devices=[]):
        torch.rand(1)
        raise KeyError
    assert torch.equal(torch.get_rng_state(), kept)


def test_normal_looks_at_repeated_deviations_once():
    huge = torch.ones(1).expand(2**60)
    with pytest.raises((RuntimeError, MemoryError)):
        torch.normal(torch.zeros(()), huge)
    with pytest.raises(RuntimeError, match="all elements of std >= 0"):
        torch.normal(0.0, torch.tensor([-1.0]).expand(2**60))


def test_strange_parameters_end():
    nan, inf = float("nan"), float("inf")
    torch.manual_seed(0)
    assert torch.binomial(
        torch.tensor([nan, 5.0, inf, 1e30]), torch.tensor([0.5, nan, 0.5, 0.5])
    ).shape == (4,)
    assert torch.poisson(torch.tensor([1e300, inf, 0.0])).shape == (3,)
    for weights in ([-1.0, 2.0], [nan, 1.0], [inf, 1.0]):
        for replacement in (False, True):
            with pytest.raises(RuntimeError):
                torch.multinomial(torch.tensor(weights), 2, replacement)
    assert torch.zeros(4, dtype=torch.int8).geometric_(1e-300).shape == (4,)


def test_pickle_keeps_the_state():
    g = torch.Generator().manual_seed(11)
    torch.rand(3, generator=g)
    try:
        twin = pickle.loads(pickle.dumps(g))
    except TypeError:
        pytest.skip("tensors cannot be pickled yet")
    assert torch.equal(torch.rand(3, generator=twin), torch.rand(3, generator=g))
