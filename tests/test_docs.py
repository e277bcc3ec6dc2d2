"""The examples in docs/ are run, and the picture is that of the code beside it."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import d2lcore as torch

DOCS = Path(__file__).resolve().parents[1] / "docs"


def test_examples_of_autograd() -> None:
    text = (DOCS / "autograd.md").read_text()
    examples = "\n".join(re.findall(r"^```pycon\n(.*?)^```$", text, re.DOTALL | re.MULTILINE))
    test = doctest.DocTestParser().get_doctest(examples, {}, "autograd", "autograd.md", 0)
    report: list[str] = []
    result = doctest.DocTestRunner().run(test, out=report.append)
    assert result.attempted > 20
    assert not result.failed, "".join(report)


def test_the_picture() -> None:
    text = (DOCS / "autograd.md").read_text()
    (program,) = re.findall(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    space: dict[str, object] = {"torch": torch}
    exec(program[: program.index("torch.autograd.make_dot")], space)
    net, loss = space["net"], space["loss"]
    source = torch.autograd.dot_source(loss, dict(net.named_parameters()))  # type: ignore[attr-defined,arg-type]
    labels = [part for found in re.findall(r'label="(.*?)"', source) for part in found.split("\\n")]
    drawn = re.findall(r"<text.*?>(.*?)</text>", (DOCS / "autograd_graph.svg").read_text())
    assert sorted(labels) == sorted(drawn)
