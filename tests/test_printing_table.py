"""Printing: the texts of tests/tables/printing.txt, recorded from PyTorch 2.13, one after another.

An entry is a line ``>>> expression`` and what it prints (the text itself where the expression gives
one, its repr otherwise, an error as ``Class: message``). Settings stay until another line changes
them, so all entries run in one pass.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path

import d2lcore as torch

TABLE = Path(__file__).parent / "tables" / "printing.txt"


def entries() -> Iterator[tuple[str, str]]:
    for block in TABLE.read_text().split(">>> ")[1:]:
        expression, _, text = block.partition("\n")
        yield expression, text.removesuffix("\n")


def shown(expression: str) -> str:
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            value = eval(expression, {"torch": torch})
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    if printed.getvalue():
        return printed.getvalue().removesuffix("\n")
    return "" if value is None else value if isinstance(value, str) else repr(value)


def test_every_text_is_pytorch_s() -> None:
    wrong = []
    try:
        for expression, want in entries():
            got = shown(expression)
            if got != want:
                wrong.append(f"{expression}\n  gives {got!r}\n  not   {want!r}")
    finally:
        torch.set_printoptions(profile="default")
        torch.set_default_dtype(torch.float32)
    assert not wrong, "\n".join(wrong)


def test_the_table_covers_what_it_should() -> None:
    assert sum(1 for _ in entries()) > 200
    text = TABLE.read_text()
    for piece in ("e+", "...", "requires_grad=True", "grad_fn=<", "nan", "-inf", "-0.", "size=(",
                  "dtype=torch.bfloat16", "j]", "torch.Size", "device(type='cpu')", "Parameter",
                  "(0): Linear"):  # fmt: skip
        assert piece in text, piece


def test_a_generator_and_an_empty_call_print() -> None:
    assert repr(torch.Generator()).startswith("<torch._C.Generator object at 0x")
    assert str(torch.ones(2)) == repr(torch.ones(2))


def test_a_subclass_prints_under_its_name() -> None:
    class Table(torch.Tensor):
        pass

    data = torch.Tensor._make_subclass(Table, torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
    assert repr(data) == "Table([[1., 2.],\n       [3., 4.]])"
