"""What no review keeps up: ops documented and sampled, layers, sizes, docstrings, the stub."""

from __future__ import annotations

import ast
import doctest
import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
import types
from pathlib import Path

import d2lcore as torch
import pytest
from d2lcore import _C
from op_samples import CHAPTERS, all_ops
from op_samples.base import DTYPE_METHODS, Draw
from op_samples.faces import NUMBERS, faces, python_name

ROOT = Path(__file__).resolve().parent.parent
ROWS = _C._op_rows()
CPP = sorted(
    p for p in (ROOT / "cpp").rglob("*") if p.suffix in (".cpp", ".h", ".cu", ".cuh")
) if (ROOT / "cpp").exists() else []  # fmt: skip
PYTHON = sorted(
    p
    for part in ("python", "tests", "tools")
    for p in (ROOT / part).rglob("*.py")
    if "__pycache__" not in p.parts
)
# Bottom to top; a file includes its own layer and those below.
LAYERS = ("core", "kernels", "iter", "gemm", "autograd", "ops", "bindings")
MAX_LINES = 800

sys.path.insert(0, str(ROOT / "tools"))
make_stubs = pytest.importorskip("make_stubs")


def test_every_row_has_a_doc() -> None:
    bare = [schema for _, schema, _, doc in ROWS if len(doc.strip()) < 12 or doc.strip()[-1] != "."]
    assert not bare, bare


def test_every_row_has_samples_and_every_sample_a_row() -> None:
    sampled = {op.name for op in all_ops()}
    rows = {python_name(space, schema, face) for space, schema, face, _ in ROWS}
    assert not rows - sampled, f"no samples in tests/op_samples: {sorted(rows - sampled)}"
    assert not sampled - rows, f"samples of no row: {sorted(sampled - rows)}"
    empty = [op.name for op in all_ops() if not op.samples]
    assert not empty, empty


def _fits(kind: str, value: object, numbers: bool) -> bool:
    """Whether a sample's argument could be meant for a parameter of this type."""
    if value is None:
        return kind.endswith("?")
    kind = kind.removesuffix("?")
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind == "Tensor":
        return isinstance(value, Draw) or (numbers and (number or isinstance(value, bool)))
    if kind == "Tensor[]":
        return isinstance(value, (list, tuple)) and all(isinstance(v, Draw) for v in value)
    if kind in ("Scalar", "float"):
        return number or isinstance(value, bool)
    if kind == "int":
        return isinstance(value, int) and not isinstance(value, bool)
    if kind == "bool":
        return isinstance(value, bool)
    if kind == "str":
        return isinstance(value, str)
    if kind == "ScalarType":
        return isinstance(value, torch.dtype)
    if kind.startswith("int["):
        ints = value if isinstance(value, (list, tuple)) else [value]
        return all(isinstance(v, int) and not isinstance(v, bool) for v in ints)
    return True


def _takes(schema: str, face: int, args: tuple, kwargs: dict) -> bool:
    """Whether a row takes a sample: names, numbers and types of the arguments."""
    params = make_stubs.parse(schema)[1]
    numbers = bool(face & (NUMBERS | 64))
    bound = {}
    open_params = [p for p in params if not p[3]]
    lists = [k for k, p in enumerate(open_params) if p[0] == "int[]"]
    if lists and lists[0] == len(open_params) - 1 and len(args) > len(open_params):
        args = (*args[: lists[0]], list(args[lists[0] :]))  # x.view(2, 3)
    if len(args) > len(open_params):
        return False
    for (kind, name, _, _), value in zip(open_params, args):
        bound[name] = (kind, value)
    other_names = {"axis": "dim", "keepdims": "keepdim", "input": "self"}
    by_name = {p[1]: p for p in params}
    for name, value in kwargs.items():
        name = name if name in by_name else other_names.get(name, name)
        if name not in by_name or name in bound:
            return False
        bound[name] = (by_name[name][0], value)
    if any(p[2] is None and p[1] not in bound for p in params):
        return False
    return all(_fits(kind, value, numbers) for kind, value in bound.values())


def test_every_overload_is_called_by_some_sample() -> None:
    uncalled = []
    for space, schema, face, _ in ROWS:
        name = python_name(space, schema, face)
        if isinstance(getattr(torch, name, None), types.FunctionType):
            continue  # arguments are arranged in Python
        samples = [s for op in all_ops() if op.name == name for s in op.samples]
        if not any(_takes(schema, face, s.args, s.kwargs) for s in samples):
            uncalled.append(schema)
    assert not uncalled, "\n".join(["no sample calls:", *uncalled])


def test_chapters_are_those_of_the_source() -> None:
    modules = {p.stem for p in (ROOT / "tests" / "op_samples").glob("*.py")}
    assert modules == {*CHAPTERS, "__init__", "base", "faces"}


def test_ops_show_a_signature_and_a_doc() -> None:
    for name in faces():
        if "." in name or name in DTYPE_METHODS:
            continue
        owner = torch if name in dir(_C) else torch.Tensor
        assert getattr(owner, name).__doc__, name


def test_stub_is_what_the_generator_makes() -> None:
    assert make_stubs.STUB.read_text() == make_stubs.generate(), "run tools/make_stubs.py"


@pytest.mark.parametrize("path", [*CPP, *PYTHON], ids=lambda p: str(p.relative_to(ROOT)))
def test_files_are_short_and_say_what_they_are(path: Path) -> None:
    text = path.read_text()
    lines = text.count("\n")
    assert lines <= MAX_LINES, f"{lines} lines"
    if not text.strip():
        return
    if path.suffix == ".py":
        assert ast.get_docstring(ast.parse(text)), "no docstring at the top"
    else:
        assert text.startswith("//"), "no comment at the top"


def _layer(path: Path) -> str | None:
    parts = path.relative_to(ROOT / "cpp").parts
    if parts[0] == "src":
        return parts[1]
    return parts[0] if parts[0] in ("bindings", "include") else None


def test_includes_go_downwards() -> None:
    wrong = []
    for path in CPP:
        layer = _layer(path)
        if layer is None:
            continue
        for name in re.findall(r'^\s*#\s*include\s+"([^"]+)"', path.read_text(), re.M):
            head = name.split("/")[0]
            if head == "d2lcore" or ("/" not in name and layer == "bindings"):
                target = "include" if head == "d2lcore" else "bindings"
            else:
                target = head
            if layer == "include":
                fine = target == "include"
            elif layer == "kernels":
                fine = target == "kernels" or name in ("core/kernel_table.h", "core/half.h")
            elif target == "include":
                fine = True
            else:
                fine = target in LAYERS and LAYERS.index(target) <= LAYERS.index(layer)
            if not fine:
                wrong.append(f"{path.relative_to(ROOT)} includes {name}")
    assert not wrong, "\n".join(wrong)


def test_kernels_use_no_library() -> None:
    """Inline code of a library header, compiled for AVX-512, could be linked into everything."""
    allowed = {"cstdint", "immintrin.h", "arm_neon.h"}
    wrong = []
    for path in CPP:
        if _layer(path) == "kernels":
            for name in re.findall(r"^\s*#\s*include\s+<([^>]+)>", path.read_text(), re.M):
                if name not in allowed:
                    wrong.append(f"{path.name} includes <{name}>")
    assert not wrong, "\n".join(wrong)


def _modules() -> list[str]:
    names = ["d2lcore"]
    for found in pkgutil.walk_packages(torch.__path__, "d2lcore."):
        if not found.name.endswith(("._C", ".demo", "__main__")):
            names.append(found.name)
    return sorted(set(names))


@pytest.mark.parametrize("name", _modules())
def test_docstrings(name: str) -> None:
    module = importlib.import_module(name)
    path = Path(module.__file__)
    tree = ast.parse(path.read_text())
    bare: list[str] = []

    def visit(node: ast.AST, owner: str) -> None:
        for child in getattr(node, "body", []):
            if isinstance(child, (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef)):
                if child.name.startswith("_"):
                    continue
                shown = ast.get_docstring(child)
                if owner and not shown:  # what a base class documents needs no second text
                    shown = inspect.getdoc(getattr(_find(module, owner), child.name))
                if not shown and not _is_overload(child):
                    bare.append(owner + child.name)
                if isinstance(child, ast.ClassDef):
                    visit(child, f"{owner}{child.name}.")

    visit(tree, "")
    assert not bare, f"{name}: no docstring: {bare}"


def _find(module: types.ModuleType, owner: str) -> object:
    found: object = module
    for part in owner.strip(".").split("."):
        found = getattr(found, part)
    return found


def _is_overload(node: ast.AST) -> bool:
    return any("overload" in ast.dump(d) for d in getattr(node, "decorator_list", []))


@pytest.mark.parametrize("name", _modules())
def test_examples_in_docstrings(name: str) -> None:
    module = importlib.import_module(name)
    state = torch.get_rng_state()
    finder = doctest.DocTestFinder(exclude_empty=True)
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE, verbose=False)
    failures: list[str] = []
    for test in finder.find(module, module.__name__, extraglobs={"torch": torch, "nn": torch.nn}):
        if test.examples:
            runner.run(test, out=failures.append)
    torch.set_rng_state(state)
    assert not failures, "\n".join(failures)


def test_import_is_light() -> None:
    code = (
        "import sys; before = set(sys.modules); import d2lcore; "
        "print(sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(ast.literal_eval(done.stdout))
    heavy = {"numpy", "inspect", "typing", "dataclasses", "logging", "multiprocessing", "tempfile"}
    assert not loaded & heavy, loaded & heavy
    assert not {"d2lcore.nn", "d2lcore.optim", "d2lcore.utils"} & loaded


def test_symbols_of_kernel_objects_are_told_apart() -> None:
    check = importlib.import_module("check_symbols")
    listing = (
        "0000000000000000 W d2l::avx2::add(float)\n"
        "0000000000000000 W std::vector<int>::size()\n"
        "0000000000000010 T d2l::baseline::table()\n"
        "                 U memcpy\n"
        "0000000000000000 u d2l::shared\n"
    )
    assert check.shared_symbols(listing) == ["std::vector<int>::size()", "d2l::shared"]
