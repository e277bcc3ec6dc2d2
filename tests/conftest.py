"""Options of the tests: ``--third 0`` (1, 2) runs the same third of them each time."""

from __future__ import annotations

import zlib

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--third", type=int, choices=(0, 1, 2), help="run one third of the tests")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    third = config.getoption("--third")
    if third is None:
        return
    chosen, others = [], []
    for item in items:
        name = item.nodeid.rpartition("::")[2]  # the same from every folder
        (chosen if zlib.crc32(name.encode()) % 3 == third else others).append(item)
    items[:] = chosen
    config.hook.pytest_deselected(items=others)
