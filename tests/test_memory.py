"""The caching allocator seen from Python: what is held, what is given back, and a plateau."""

from __future__ import annotations

import random

import d2lcore as torch


def step(rng):
    """A training step on a batch of another size each time, as text or ragged data brings them."""
    rows, width = rng.randint(1, 400), rng.randint(1, 300)
    w = torch.randn(width, 50, requires_grad=True)
    x = torch.randn(rows, width)
    loss = torch.nn.functional.relu(x @ w).softmax(1).square().sum()
    loss.backward()
    return w.grad


def reserved(rng, steps):
    peak = 0
    for _ in range(steps):
        step(rng)
        peak = max(peak, torch.memory_stats()["reserved_bytes"])
    return peak


def test_changing_shapes_reach_a_plateau():
    torch.empty_cache()
    rng = random.Random(0)
    first = reserved(rng, 300)
    assert reserved(rng, 600) <= 1.25 * first
    held = torch.memory_stats()
    assert held["cache_hit_count"] > held["allocation_count"] * 0.8


def test_what_is_freed_stays_in_the_cache_until_it_is_emptied():
    torch.empty_cache()
    before = torch.memory_stats()
    x = torch.zeros(1_000_000)
    held = torch.memory_stats()
    assert held["allocated_bytes"] - before["allocated_bytes"] >= 4_000_000
    assert held["peak_allocated_bytes"] >= held["allocated_bytes"]
    del x
    cached = torch.memory_stats()
    assert cached["allocated_bytes"] == before["allocated_bytes"]
    assert cached["cached_bytes"] >= 4_000_000
    torch.empty_cache()
    assert torch.memory_stats()["cached_bytes"] <= cached["cached_bytes"] - 4_000_000


def test_views_hold_their_storage():
    before = torch.memory_stats()["allocated_bytes"]
    view = torch.zeros(1000, 1000)[3, 5:7]
    assert torch.memory_stats()["allocated_bytes"] - before >= 4_000_000
    del view
    assert torch.memory_stats()["allocated_bytes"] == before
