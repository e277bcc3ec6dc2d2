"""Measures what the README's table says: size, start and speed, beside torch where it is installed.

    python tools/measure.py [--wheel dist/d2lcore-*.whl] [--threads 1] [--rounds 7]

Run it with the Python that has both packages. Sizes are those of the installed files. A start is
the difference of fresh processes, with the import and without, taken in turns. Speed is the fastest
of several rounds, the libraries taking turns in one process, and each result is checked first.
"""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

LIBRARIES = ("d2lcore", "torch")
# The most memory held, in KB. Not ru_maxrss on Linux: it goes on from the parent's.
PROBE = """
try:
    print(next(l for l in open("/proc/self/status") if l.startswith("VmHWM")).split()[1])
except OSError:
    import resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""
Row = tuple[str, str, list[float | None]]


def installed_bytes(package: str) -> float | None:
    """The size of the package's files, byte code left out."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        return None
    files = Path(spec.origin).parent.rglob("*")
    kept = (f for f in files if f.is_file() and "__pycache__" not in f.parts)
    # A development layout links folders and the module: rglob does not follow the former.
    linked = (
        f
        for d in Path(spec.origin).parent.iterdir()
        if d.is_symlink() and d.is_dir()
        for f in d.resolve().rglob("*")
        if f.is_file() and "__pycache__" not in f.parts
    )
    return float(sum(f.stat().st_size for f in (*kept, *linked)))


def start(code: str) -> tuple[float, float]:
    """Seconds of a fresh process that runs the code, and the most memory it held, in bytes."""
    begin = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{PROBE}"], stdout=subprocess.PIPE, check=True, text=True
    )
    return time.perf_counter() - begin, float(done.stdout) * 1024


def start_cost(code: str, rounds: int) -> tuple[float, float]:
    """How much time and memory the code adds to a bare interpreter: medians over the rounds."""
    start(code)  # the files are in the cache and the byte code is written
    seconds, memory = [], []
    for _ in range(rounds):
        bare, with_it = start("pass"), start(code)
        seconds.append(with_it[0] - bare[0])
        memory.append(with_it[1] - bare[1])
    return statistics.median(seconds), statistics.median(memory)


Case = tuple[str, str, Callable[[Any], Callable[[], Any]], float]


def small_sum(lib: Any, grad: bool) -> Callable[[], Any]:
    x = lib.tensor([1.0, 2.0, 3.0], requires_grad=grad)
    y = lib.tensor([4.0, 5.0, 6.0])
    return lambda: x + y


CHAIN = 1000


def chain(lib: Any) -> Callable[[], Any]:
    """The backward pass of a chain of multiplications alone: the forward pass is not timed."""
    x = lib.tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = x
    for _ in range(CHAIN):
        y = y * 1.0
    end = y.sum()
    return lambda: lib.autograd.grad(end, x, retain_graph=True)[0]


def product(lib: Any) -> Callable[[], Any]:
    lib.manual_seed(0)
    a, b = lib.rand(512, 512), lib.rand(512, 512)
    return lambda: a @ b


def training_step(lib: Any, batch: int) -> Callable[[], Any]:
    lib.manual_seed(0)
    nn = lib.nn
    model = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10))
    optimiser = lib.optim.SGD(model.parameters(), lr=0.1)
    loss_of = nn.CrossEntropyLoss()
    x, y = lib.rand(batch, 784), lib.randint(10, (batch,))

    def step() -> Any:
        optimiser.zero_grad()
        loss = loss_of(model(x), y)
        loss.backward()
        optimiser.step()
        return loss

    return step


CASES: list[Case] = [
    ("`x + y`, 3 elements", "us", lambda lib: small_sum(lib, False), 1),
    ("the same with `requires_grad`", "us", lambda lib: small_sum(lib, True), 1),
    ("backward, per node", "us", chain, CHAIN),
    ("float32 product, 512 x 512", "ms", product, 1),
    ("training step, MLP 784-256-10, batch 32", "ms", lambda lib: training_step(lib, 32), 1),
    ("training step, MLP 784-256-10, batch 256", "ms", lambda lib: training_step(lib, 256), 1),
]
SCALE = {"us": 1e6, "ms": 1e3, "MB": 1e-6}


def seconds_of(call: Callable[[], Any], count: int) -> float:
    begin = time.perf_counter()
    for _ in range(count):
        call()
    return (time.perf_counter() - begin) / count


def speed(libraries: list[Any], rounds: int) -> list[Row]:
    rows: list[Row] = []
    for name, unit, make, per in CASES:
        calls = [make(lib) for lib in libraries]
        results = [call().tolist() for call in calls]
        flat = [_flatten(r) for r in results]
        for other in flat[1:]:
            for p, q in zip(flat[0], other, strict=True):
                if abs(p - q) > 1e-3 * max(1.0, abs(q)):
                    raise SystemExit(f"{name}: the libraries differ, {p} and {q}")
        count = max(1, int(0.05 / max(seconds_of(calls[0], 3), 1e-8)))
        best = [float("inf")] * len(calls)
        for _ in range(rounds):
            for i, call in enumerate(calls):
                best[i] = min(best[i], seconds_of(call, count))
        values: list[float | None] = [b / per for b in best]
        rows.append((name, unit, values + [None] * (len(LIBRARIES) - len(values))))
    return rows


def _flatten(value: Any) -> list[float]:
    if not isinstance(value, list):
        return [float(value)]
    return [x for v in value for x in _flatten(v)]


def shown(value: float | None, unit: str) -> str:
    if value is None:
        return "-"
    scaled = value * SCALE[unit]
    return f"{scaled:.0f} {unit}" if scaled >= 100 else f"{scaled:.3g} {unit}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--wheel", type=Path, help="the wheel whose size is shown")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=7)
    args = parser.parse_args()

    present = [name for name in LIBRARIES if importlib.util.find_spec(name)]
    rows: list[Row] = []
    if args.wheel:
        rows.append(("wheel", "MB", [float(args.wheel.stat().st_size), None]))
    rows.append(("installed", "MB", [installed_bytes(name) for name in LIBRARIES]))
    costs = [
        start_cost(f"import {n}", args.rounds) if n in present else (None, None) for n in LIBRARIES
    ]
    rows.append(("`import`", "ms", [c[0] for c in costs]))
    rows.append(("memory of `import`", "MB", [c[1] for c in costs]))
    full = "import d2lcore, d2lcore.nn, d2lcore.optim, d2lcore.utils.data"
    rows.append(
        (
            "`import` with nn, optim, utils.data",
            "ms",
            [start_cost(full, args.rounds)[0], costs[1][0]],
        )
    )

    libraries = [importlib.import_module(name) for name in present]
    for lib in libraries:
        lib.set_num_threads(args.threads)
    rows += speed(libraries, args.rounds)

    print(f"| {args.threads} thread(s) | d2lcore | torch | ratio |")
    print("|---|---:|---:|---:|")
    for name, unit, (ours, theirs) in rows:
        ratio = f"{ours / theirs:.2g}" if ours and theirs else "-"
        print(f"| {name} | {shown(ours, unit)} | {shown(theirs, unit)} | {ratio} |")


if __name__ == "__main__":
    main()
