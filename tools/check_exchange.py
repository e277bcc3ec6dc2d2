"""Round trips between d2lcore and other libraries, beside PyTorch: to be run by hand.

    pip install torch==2.13.0 numpy jax pandas pillow matplotlib
    python tools/check_exchange.py

Each library that is installed is checked, the others are named. No test imports them.
"""

from __future__ import annotations

import importlib
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import d2lcore
import numpy as np

DTYPES = ("bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32",
          "float64", "complex64", "complex128")  # fmt: skip


def with_torch(torch: Any) -> None:
    for name in DTYPES:
        ours = d2lcore.tensor([[1, 0, 1], [0, 1, 1]]).to(getattr(d2lcore, name)).t()
        theirs = torch.from_dlpack(ours)
        assert theirs.data_ptr() == ours.data_ptr() and theirs.stride() == ours.stride(), name
        assert str(theirs.dtype) == str(ours.dtype) and theirs.tolist() == ours.tolist(), name
        back = d2lcore.from_dlpack(theirs)
        assert back.data_ptr() == ours.data_ptr() and d2lcore.equal(back, ours), name
        old = d2lcore.from_dlpack(torch.utils.dlpack.to_dlpack(theirs))
        assert old.data_ptr() == ours.data_ptr(), name
    theirs = torch.arange(6.0)
    d2lcore.from_dlpack(theirs).mul_(2)
    assert theirs.tolist() == [0, 2, 4, 6, 8, 10]
    empty = d2lcore.from_dlpack(torch.zeros(0, 3))
    assert empty.shape == (0, 3) and torch.from_dlpack(empty).shape == (0, 3)
    for refused in (torch.ones(2, requires_grad=True), torch.tensor([1j]).conj()):
        try:
            d2lcore.from_dlpack(refused)
        except (BufferError, RuntimeError):
            continue
        raise AssertionError("a tensor that PyTorch does not export was taken")


def with_jax(jax: Any) -> None:
    for name in ("bool", "uint8", "int32", "float16", "bfloat16", "float32", "complex64"):
        ours = d2lcore.tensor([[1, 0, 1], [0, 1, 1]]).to(getattr(d2lcore, name))
        theirs = jax.numpy.from_dlpack(ours)
        assert str(theirs.dtype) == name and theirs.tolist() == ours.tolist(), name
        back = d2lcore.from_dlpack(theirs)
        assert d2lcore.equal(back, ours), name
    made = jax.numpy.arange(6.0).reshape(2, 3) * 2
    assert d2lcore.from_dlpack(made).tolist() == made.tolist()
    assert d2lcore.tensor(np.asarray(made)).sum() == 30


def with_pandas(pandas: Any) -> None:
    frame = pandas.DataFrame({"a": [1.0, 2.0], "b": [3, 4]})
    assert d2lcore.tensor(frame.values).tolist() == [[1, 3], [2, 4]]
    assert d2lcore.tensor(frame["b"].values).dtype == d2lcore.int64
    assert d2lcore.tensor(frame["a"]).tolist() == [1, 2]
    assert d2lcore.tensor(frame.to_numpy(dtype="float32")).dtype == d2lcore.float32
    made = pandas.Series(d2lcore.arange(3.0))
    assert [float(v) for v in made] == [0, 1, 2]
    assert pandas.DataFrame(d2lcore.ones(2, 3).numpy()).shape == (2, 3)
    assert pandas.DataFrame({"x": d2lcore.arange(3)})["x"].tolist() == [0, 1, 2]


def with_pillow(image: Any) -> None:
    picture = image.fromarray(np.arange(48, dtype=np.uint8).reshape(4, 4, 3))
    t = d2lcore.tensor(np.array(picture)).permute(2, 0, 1)
    assert t.shape == (3, 4, 4) and t.dtype == d2lcore.uint8
    again = image.fromarray(t.permute(1, 2, 0).contiguous().numpy())
    assert again.tobytes() == picture.tobytes()
    assert image.fromarray(d2lcore.zeros(4, 4, dtype=d2lcore.uint8)).size == (4, 4)
    assert d2lcore.from_numpy(np.asarray(picture).copy()).shape == (4, 4, 3)


def with_matplotlib(matplotlib: Any) -> None:
    matplotlib.use("Agg")
    plots = importlib.import_module("matplotlib.pyplot")
    x = d2lcore.linspace(0, 1, 20)
    figure, axes = plots.subplots(2, 3)
    axes[0, 0].plot(x, x**2)
    axes[0, 0].plot(x.double(), [x * 2, x][0], "--", label="twice")
    axes[0, 1].imshow(d2lcore.rand(8, 8))
    axes[0, 2].scatter(x, x.sin(), c=x)
    axes[1, 0].hist(d2lcore.randn(100), bins=10)
    axes[1, 1].bar(d2lcore.arange(3), d2lcore.tensor([1.0, 2.0, 3.0]))
    axes[1, 2].contour(d2lcore.rand(5, 5))
    axes[1, 2].set_xlim(x[0], x[-1])
    figure.savefig(Path(tempfile.mkdtemp()) / "figure.png")


def main() -> int:
    checks: list[tuple[str, Callable[[Any], None]]] = [
        ("torch", with_torch), ("jax", with_jax), ("pandas", with_pandas),
        ("PIL.Image", with_pillow), ("matplotlib", with_matplotlib),
    ]  # fmt: skip
    failed = 0
    for name, check in checks:
        try:
            module = importlib.import_module(name)
        except ImportError:
            print(f"{name}: not installed")
            continue
        try:
            check(module)
        except Exception as error:
            failed += 1
            print(f"{name}: {type(error).__name__}: {error}")
        else:
            print(f"{name}: ok")
    return failed


if __name__ == "__main__":
    sys.exit(main())
