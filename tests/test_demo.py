"""The demo, and the reader of its data: every way a file can be wrong is one clear line."""

from __future__ import annotations

import gzip
import re
import struct
import subprocess
import sys

import d2lcore as torch
import pytest
from d2lcore.datasets import DataError, digits, mnist, read_idx

FILES = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")


def idx(shape, payload=None, dtype=8, dims=None):
    header = bytes([0, 0, dtype, len(shape) if dims is None else dims])
    size = 1
    for n in shape:
        size *= n
    body = bytes(i % 10 for i in range(size)) if payload is None else payload
    return header + struct.pack(f">{len(shape)}I", *shape) + body


@pytest.fixture
def folder(tmp_path):
    """A tiny MNIST: 40 images to train on, 20 to test on."""
    for name in FILES:
        count = 40 if name.startswith("train") else 20
        shape = (count, 28, 28) if "images" in name else (count,)
        (tmp_path / f"{name}-ubyte.gz").write_bytes(gzip.compress(idx(shape)))
    return tmp_path


def run(*args, cwd=None):
    return subprocess.run(
        [sys.executable, "-m", "d2lcore.demo", *args],
        capture_output=True,
        text=True,
        cwd=cwd,
        timeout=120,
        check=False,
    )


def test_digits():
    images, labels = digits()
    assert images.shape == (1797, 8, 8)
    assert images.dtype == torch.uint8
    assert labels.shape == (1797,)
    assert labels.dtype == torch.int64
    assert labels[:10].tolist() == list(range(10))
    assert (int(images.min()), int(images.max())) == (0, 255)
    assert images[0, 0].tolist() == [0, 0, 80, 207, 143, 16, 0, 0]
    assert [int((labels == d).sum()) for d in range(10)] == [
        *(178, 182, 177, 183, 181),
        *(182, 181, 179, 174, 180),
    ]


def test_mnist(folder):
    images, labels = mnist(folder, train=False)
    assert images.shape == (20, 28, 28)
    assert images[0, 0, :12].tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]
    assert labels.tolist() == [i % 10 for i in range(20)]


SOUND = gzip.compress(idx((2, 3)))
WRONG = [
    (b"", "not an idx file"),
    (b"hello", "not a sound gzip file"),
    (SOUND[:20], "the gzip data are cut short"),
    (SOUND[:-6] + b"xxxxxx", "not a sound gzip file"),
    (gzip.compress(b""), "not an idx file"),
    (gzip.compress(b"\1\2\3\4"), "not an idx file"),
    (gzip.compress(idx((2, 3), dtype=13)), r"dtype code 13, expected 8 \(uint8\)"),
    (gzip.compress(idx((), b"")), "0 dimensions, expected 2"),
    (gzip.compress(idx((6,))), "1 dimensions, expected 2"),
    (gzip.compress(idx((2,), b"", dims=2)), "cut short in the header"),
    (gzip.compress(idx((2, 3), b"12345")), "promises 6 bytes of data, there are only 5"),
    (gzip.compress(idx((2, 3), b"1234567")), "promises 6 bytes of data, there are more"),
    (gzip.compress(idx((2**32 - 1, 2**32 - 1), b"")), "the header promises 18446744065119617025"),
]


@pytest.mark.parametrize(("content", "text"), WRONG)
def test_wrong_files(tmp_path, content, text):
    path = tmp_path / "f.gz"
    path.write_bytes(content)
    with pytest.raises(DataError, match=text) as caught:
        read_idx(path, ndim=2)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_any_cut_or_flipped_byte_is_an_error_or_sound(tmp_path):
    path = tmp_path / "f.gz"
    for i in range(len(SOUND)):
        for content in (SOUND[:i], SOUND[:i] + bytes([SOUND[i] ^ 255]) + SOUND[i + 1 :]):
            path.write_bytes(content)
            try:
                assert read_idx(path, ndim=2).shape == (2, 3)
            except DataError:
                pass


def test_read_idx(tmp_path):
    path = tmp_path / "f.gz"
    path.write_bytes(SOUND)
    assert read_idx(path).tolist() == [[0, 1, 2], [3, 4, 5]]
    read_idx(path).fill_(0)  # memory of its own, and writable
    with pytest.raises(FileNotFoundError, match="no such file"):
        read_idx(tmp_path / "missing.gz")


def test_files_that_do_not_belong_together(folder):
    labels = folder / "t10k-labels-idx1-ubyte.gz"
    labels.write_bytes(gzip.compress(idx((19,))))
    with pytest.raises(DataError, match=r"holds 20 images, but .* 19 labels"):
        mnist(folder, train=False)
    labels.write_bytes(gzip.compress(idx((20,), b"\x0b" * 20)))
    with pytest.raises(DataError, match="labels must be 0 to 9, found 11"):
        mnist(folder, train=False)


def test_demo_on_digits(tmp_path):
    pytest.importorskip("tqdm")
    result = run("--epochs", "1", "--no-plot", "--threads", "1", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    assert lines[0] == "1437 images to train on, 360 to test on"
    match = re.search(r"epoch  1  loss (\d\.\d{4})  test accuracy (\d+\.\d+)%", result.stdout)
    assert float(match[1]) < 1.5
    assert float(match[2]) > 80
    assert re.fullmatch(r"time \d+\.\d s, peak memory \d+ MiB", lines[-1])
    assert not list(tmp_path.iterdir())


def test_demo_is_repeatable_and_saves_a_picture(tmp_path, folder):
    pytest.importorskip("tqdm")
    pytest.importorskip("matplotlib")
    first = run("--epochs", "2", "--seed", "5", "--data", str(folder), cwd=tmp_path)
    assert first.returncode == 0, first.stderr
    picture = tmp_path / "mnist.png"
    assert f"picture: {picture}" in first.stdout
    assert picture.read_bytes()[:4] == b"\x89PNG"
    second = run("--epochs", "2", "--seed", "5", "--data", str(folder), "--no-plot", cwd=tmp_path)
    epochs = [line for line in first.stdout.splitlines() if line.startswith("epoch")]
    assert len(epochs) == 2
    assert epochs == [line for line in second.stdout.splitlines() if line.startswith("epoch")]


def test_demo_without_data_says_so_in_one_line(folder):
    pytest.importorskip("tqdm")
    (folder / "t10k-images-idx3-ubyte.gz").write_bytes(SOUND[:20])
    for directory in (folder, folder / "nowhere"):
        result = run("--data", str(directory), "--no-plot")
        assert result.returncode == 1
        assert result.stdout == ""
        assert re.fullmatch(r"demo: .*\n", result.stderr)
        assert str(directory) in result.stderr


def test_demo_without_tqdm_names_the_extra():
    code = (
        "import sys; sys.modules['tqdm'] = None; import d2lcore.demo as d; "
        "sys.exit(d.main(['--no-plot']))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False
    )
    assert result.returncode == 1
    assert "pip install 'd2lcore[demo]'" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("args", [["--epochs", "0"], ["--epochs", "x"], ["--threads", "-1"]])
def test_demo_refuses_wrong_options(args):
    result = run(*args)
    assert result.returncode == 2
    assert args[0] in result.stderr
