"""What the README shows is what happens: its tour, its C++ program, its commands."""

from __future__ import annotations

import doctest
import re
import shutil
import subprocess
from pathlib import Path

import d2lcore
import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()
EXAMPLE = ROOT / "examples" / "cpp"


def fenced(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


def test_tour() -> None:
    (tour,) = fenced("pycon")
    test = doctest.DocTestParser().get_doctest(tour, {}, "README", "README.md", 0)
    report: list[str] = []
    result = doctest.DocTestRunner().run(test, out=report.append)
    assert result.attempted and not result.failed, "".join(report)


def test_commands_stand_alone() -> None:
    commands = [c for c in fenced("sh") if c.startswith("pip install")]
    assert commands == [
        'pip install ".[demo]" && python -m d2lcore.demo\n',
        'pip install ".[test]" && pytest\n',
    ]


def test_program_is_the_example() -> None:
    (program,) = fenced("cpp")
    assert program == (EXAMPLE / "slope.cpp").read_text()


def test_missing_name_says_so() -> None:
    with pytest.raises(AttributeError, match="does not provide"):
        d2lcore.quantize_per_tensor  # noqa: B018


def test_cpp_package(tmp_path: Path) -> None:
    """The installed headers, library and CMake package build and run a program of their own."""
    from d2lcore.utils import cmake_prefix_path

    cmake = shutil.which("cmake")
    if cmake is None:
        pytest.skip("CMake is not installed")
    if not Path(cmake_prefix_path, "lib", "cmake", "d2lcore").is_dir():
        pytest.skip("d2lcore is not installed from a wheel")
    build = tmp_path / "build"
    for command in (
        [cmake, "-S", str(EXAMPLE), "-B", str(build), f"-DCMAKE_PREFIX_PATH={cmake_prefix_path}"],
        [cmake, "--build", str(build)],
        [str(build / "slope")],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    assert done.stdout.split() == ["3", "5", "7"]
