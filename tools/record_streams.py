"""Writes tests/random_streams.txt: what PyTorch's CPU generator gives, for tests/test_random.py.

    python tools/record_streams.py      (in an environment that has PyTorch 2.13)

Each line is `seed | expression | numbers`, floats in hexadecimal; of long results the first and the
last eight. The expressions only use names that d2lcore has too.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch

TARGET = Path(__file__).resolve().parent.parent / "tests" / "random_streams.txt"
FLOATS = ("float32", "float64", "float16", "bfloat16")
INTEGERS = ("int64", "int32", "int16", "int8", "uint8", "bool")
BIG = 2**40 + 7


def expressions() -> list[tuple[int, str]]:
    """Function x dtype x size x seed."""
    rows: list[tuple[int, str]] = []
    for dtype in FLOATS:
        d = f"torch.{dtype}"
        for n, seed in ((5, 0), (16, 1), (37, BIG)):
            rows.append((seed, f"torch.rand({n}, dtype={d})"))
            rows.append((seed, f"torch.randn({n}, dtype={d})"))
            rows.append((seed, f"torch.zeros({n}, dtype={d}).normal_(1.5, 0.3)"))
            rows.append((seed, f"torch.zeros({n}, dtype={d}).uniform_(-1.7, 2.9)"))
        rows += [
            (3, f"torch.zeros(5, 8, dtype={d}).t().normal_()"),
            (3, f"torch.zeros(6, 8, dtype={d})[:, ::2].normal_()"),
            (3, f"torch.zeros(3, 2, 5, dtype={d}).transpose(0, 2).uniform_()"),
            (4, f"torch.zeros(9, dtype={d}).exponential_(1.7)"),
            (4, f"torch.zeros(9, dtype={d}).cauchy_(0.5, 2.0)"),
            (4, f"torch.zeros(9, dtype={d}).log_normal_(0.3, 0.7)"),
            (4, f"torch.zeros(9, dtype={d}).geometric_(0.3)"),
            (5, f"torch.zeros(9, dtype={d}).random_()"),
            (5, f"torch.zeros(9, dtype={d}).random_(-100, 100)"),
            (6, f"torch.bernoulli(torch.full((20,), 0.3, dtype={d}))"),
            (6, f"torch.zeros(4, 5, dtype={d}).t().bernoulli_(0.6)"),
            (6, f"torch.zeros(20, dtype={d}).bernoulli_(torch.full((20,), 0.25, dtype={d}))"),
            (7, f"torch.poisson(torch.full((12,), 3.25, dtype={d}))"),
            (7, f"torch.poisson(torch.full((12,), 40.0, dtype={d}))"),
            (8, f"torch.nn.functional.dropout(torch.ones(20, dtype={d}), 0.3)"),
            (8, f"torch.nn.functional.alpha_dropout(torch.ones(20, dtype={d}), 0.3, True)"),
            (9, f"torch.multinomial(torch.arange(1, 9).to({d}), 5)"),
            (9, f"torch.multinomial(torch.arange(1, 9).to({d}), 12, replacement=True)"),
            (9, f"torch.multinomial(torch.arange(1, 25).reshape(3, 8).to({d}), 1)"),
            (10, f"torch.normal(torch.arange(20).to({d}), 0.5)"),
            (10, f"torch.normal(2.0, torch.arange(20).to({d}))"),
            (10, f"torch.normal(torch.arange(5).to({d})[:, None], torch.arange(4).to({d}))"),
            (11, f"torch.nn.init.trunc_normal_(torch.zeros(20, dtype={d}), 0.0, 1.0, -1.0, 1.5)"),
            (11, f"torch.nn.init.kaiming_uniform_(torch.zeros(4, 6, dtype={d}))"),
            (11, f"torch.nn.init.kaiming_normal_(torch.zeros(4, 6, dtype={d}))"),
            (11, f"torch.nn.init.xavier_uniform_(torch.zeros(4, 6, dtype={d}))"),
            (11, f"torch.nn.init.xavier_normal_(torch.zeros(4, 6, dtype={d}))"),
            (12, f"torch.rand_like(torch.zeros(3, 4, dtype={d}).t())"),
            (12, f"torch.randn_like(torch.zeros(3, 6, dtype={d}).t())"),
            (12, f"torch.randint(3, 77, (9,), dtype={d})"),
        ]
    for dtype in INTEGERS:
        d = f"torch.{dtype}"
        rows.append((13, f"torch.zeros(9, dtype={d}).random_()"))
        rows.append((13, f"torch.zeros(9, dtype={d}).random_(0, None)"))
        rows.append((13, f"torch.zeros(9, dtype={d}).bernoulli_(0.4)"))
        rows.append((13, f"torch.randint_like(torch.zeros(3, 4, dtype={d}).t(), 2)"))
        if dtype != "bool":
            rows.append((13, f"torch.randperm(40, dtype={d})"))
            rows.append((13, f"torch.zeros(9, dtype={d}).geometric_(0.2)"))
    for low, high in (
        (0, 2**28 - 1), (0, 2**28), (0, 2**32 - 1), (0, 2**32), (-5, 2**40), (0, 2**63 - 1),
        (-(2**63), 2**63 - 1), (-(2**63), 0),
    ):  # fmt: skip
        rows.append((14, f"torch.randint({low}, {high}, (6,))"))
    rows += [
        (15, f"torch.zeros(6, dtype=torch.int64).random_({-(2**63)}, None)"),
        (15, "torch.randperm(100000)"),
        (15, "torch.randperm(50000, dtype=torch.float32)"),
        (-5, "torch.randn(10000)"),
        (16, "torch.randn(100003)"),
        (16, "torch.cat([torch.randn(3), torch.rand(2), torch.randn(1), torch.randn(20)])"),
        (17, "torch.binomial(torch.full((12,), 5.0), torch.full((12,), 0.3))"),
        (17, "torch.binomial(torch.full((12,), 500.0), torch.full((12,), 0.7))"),
        (18, "torch.multinomial(torch.rand(5000), 3)"),
        (19, "torch.nn.functional.feature_alpha_dropout(torch.ones(2, 3, 2), 0.4, True)"),
        (19, "torch.nn.functional.dropout2d(torch.ones(2, 3, 2, 2), 0.4, True)"),
        (20, "torch.nn.init.sparse_(torch.zeros(6, 4), 0.3)"),
        (20, "torch.nn.Linear(3, 4).weight"),
    ]
    return rows


def written(value: torch.Tensor) -> str:
    """Shape-free numbers of one result."""
    flat = value.detach().flatten()
    if flat.numel() > 48:
        flat = torch.cat([flat[:8], flat[-8:]])
    return " ".join(x.hex() if isinstance(x, float) else str(int(x)) for x in flat.tolist())


def main() -> int:
    """Records every row."""
    lines = ["# seed | expression | numbers, recorded from PyTorch by tools/record_streams.py"]
    for seed, expression in expressions():
        torch.manual_seed(seed)
        lines.append(f"{seed} | {expression} | {written(eval(expression))}")
    TARGET.write_text("\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
