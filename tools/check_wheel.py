"""Checks a wheel and its installed package against their budgets; run by the Python that has it.

    python tools/check_wheel.py dist/d2lcore-*.whl

The wheel has at most 6 MB, the installed package 20 MB; ``import d2lcore`` loads no NumPy and no
module that is slow to import; the shared libraries need the system's run-time libraries alone.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

WHEEL_BYTES = 6_000_000
INSTALLED_BYTES = 20_000_000
NOT_AT_IMPORT = ("numpy", "typing", "dataclasses", "inspect", "logging", "tempfile",
                 "multiprocessing")  # fmt: skip
SYSTEM = ("libd2lcore.so", "libstdc++.so", "libm.so", "libc.so", "libgcc_s.so", "libpthread.so",
          "ld-linux")  # fmt: skip


def needed(library: Path) -> list[str]:
    """The libraries that the dynamic section names."""
    listing = subprocess.run(
        ["readelf", "-d", str(library)], capture_output=True, text=True, check=True
    ).stdout
    return [
        line.partition("[")[2].rstrip("]") for line in listing.splitlines() if "(NEEDED)" in line
    ]


def loaded() -> set[str]:
    """The modules that ``import d2lcore`` adds to those of a bare interpreter."""
    code = "import sys; old = set(sys.modules); {}; print(*sorted(set(sys.modules) - old))"
    return set(
        subprocess.run(
            [sys.executable, "-c", code.format("import d2lcore")],
            capture_output=True, text=True, check=True,
        ).stdout.split()
    )  # fmt: skip


def main(wheel: str) -> int:
    import d2lcore

    package = Path(d2lcore.__file__).parent
    files = [f for f in package.rglob("*") if f.is_file() and "__pycache__" not in f.parts]
    wheel_bytes = Path(wheel).stat().st_size
    installed_bytes = sum(f.stat().st_size for f in files)
    print(f"wheel {wheel_bytes / 1e6:.2f} MB, installed {installed_bytes / 1e6:.2f} MB")
    wrong = []
    if wheel_bytes > WHEEL_BYTES:
        wrong.append(f"the wheel has {wheel_bytes} bytes, more than {WHEEL_BYTES}")
    if installed_bytes > INSTALLED_BYTES:
        wrong.append(f"{installed_bytes} bytes are installed, more than {INSTALLED_BYTES}")
    wrong += [f"import d2lcore loads {m}" for m in sorted(loaded() & set(NOT_AT_IMPORT))]
    if sys.platform == "linux":
        for library in (f for f in files if ".so" in f.suffixes):
            wrong += [
                f"{library.name} needs {name}"
                for name in needed(library)
                if not name.startswith(SYSTEM)
            ]
    for must in ("py.typed", "_C.pyi", "include/d2lcore/ops.h", "lib/cmake/d2lcore"):
        if not (package / must).exists():
            wrong.append(f"{must} is missing")
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
