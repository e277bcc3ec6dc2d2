"""Type promotion: the dtypes of tests/tables/promotion.txt, recorded from PyTorch 2.13.

A line names an operation and what stands left and right of it: ``dim`` (a tensor with a dimension),
``0d`` (one without), ``num`` (True, 2, 2.5, 2+1j). Then come twelve words, one for each dtype on
the left, with a letter for each on the right: the dtype of the result, R, T, N, V for the class of
the error, 0 and 1 for the answers of can_cast. A dash stands where PyTorch would need complex32.
``@d`` after the name: with float64 as the default dtype.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import d2lcore as torch
import pytest

TABLE = Path(__file__).parent / "tables" / "promotion.txt"
NAMES = ("bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32",
         "float64", "complex64", "complex128")  # fmt: skip
DTYPES = [getattr(torch, name) for name in NAMES]
CODE = dict(zip(DTYPES, "?BbhilegfdFD"))
NUMBERS = [True, 2, 2.5, 2 + 1j]
VALUES: dict[str, Callable[[Any], Any]] = {
    "dim": lambda d: torch.ones(2, dtype=d),
    "0d": lambda d: torch.ones((), dtype=d),
    "num": lambda n: n,
    "dtype": lambda d: d,
}
CALLS: dict[str, Callable[[Any, Any], Any]] = {
    "add_out": lambda a, b: torch.add(
        torch.ones(2, dtype=a), torch.ones(2, dtype=a), out=torch.ones(2, dtype=b)
    ),
    "where": lambda a, b: torch.where(torch.tensor(True), a, b),
    "add_": lambda a, b: a.add_(b),
    "pow_": lambda a, b: a.pow_(b),
    "div_": lambda a, b: a.div_(b),
    "cat": lambda a, b: torch.cat([a, b]),
    "radd": lambda a, b: b + a,
    "rsub": lambda a, b: b - a,
    "rpow": lambda a, b: b**a,
    "rdiv": lambda a, b: b / a,
    "rfloordiv": lambda a, b: b // a,
    "add_alpha": lambda a, b: torch.add(a, b, alpha=2),
}


def outcome(call: Callable[[Any, Any], Any], a: Any, b: Any) -> str:
    try:
        result = call(a, b)
    except Exception as error:
        return type(error).__name__[0]
    if isinstance(result, bool):
        return str(int(result))
    return CODE[result if isinstance(result, torch.dtype) else result.dtype]


@pytest.mark.parametrize("line", TABLE.read_text().splitlines(), ids=lambda t: t[:30].strip())
def test_dtypes(line: str) -> None:
    name, left, right, *rows = line.split()
    name, _, default = name.partition("@")
    call = CALLS.get(name) or getattr(torch, name)
    lefts = NUMBERS if left == "num" else DTYPES
    rights = NUMBERS if right == "num" else DTYPES
    wrong = []
    torch.set_default_dtype(torch.float64 if default else torch.float32)
    try:
        for a, row in zip(lefts, rows, strict=True):
            for b, want in zip(rights, row, strict=True):
                got = want if want == "-" else outcome(call, VALUES[left](a), VALUES[right](b))
                if got != want:
                    wrong.append(f"{name}({a}, {b}): {got}, not {want}")
    finally:
        torch.set_default_dtype(torch.float32)
    assert not wrong, wrong


def test_the_functions_ask_as_pytorch_does() -> None:
    assert torch.is_floating_point(torch.ones(1, dtype=torch.bfloat16))
    assert not torch.is_floating_point(torch.tensor(1j))
    assert torch.is_complex(torch.tensor(1j))
    assert torch.finfo(torch.bfloat16).max == 3.3895313892515355e38
    assert torch.finfo().dtype == "float32" and torch.finfo(torch.complex128).bits == 64
    assert torch.iinfo(torch.uint8).max == 255 and torch.iinfo(torch.int64).min == -(2**63)
    for call, dtype in ((torch.finfo, torch.int32), (torch.iinfo, torch.float32)):
        with pytest.raises(TypeError, match=r"torch\.[fi]info\(\) requires"):
            call(dtype)
    with pytest.raises(TypeError):
        torch.result_type(1, "a")
