"""Looks for code of one instruction set that the linker could put in place of another's.

A kernel object is compiled once per instruction set. A weak or unique symbol (class W, V, u: inline
functions, template instances) outside the namespace of its set exists in several objects under one
name; the linker keeps any one of them, and AVX-512 code ends in the baseline path.

Usage: python tools/check_symbols.py BUILD_FOLDER
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

SETS = ("baseline", "avx2", "avx512", "avx512bf16", "neon")
OWN = re.compile(r"\bd2l::(?:" + "|".join(SETS) + r")::")


def kernel_objects(folder: Path) -> list[Path]:
    """The object files of cpp/src/kernels in a build folder."""
    return sorted(p for p in folder.rglob("*.o") if "kernels" in p.parts)


def shared_symbols(listing: str) -> list[str]:
    """The lines of ``nm -C`` that name a weak or unique symbol outside of the sets' namespaces."""
    bad = []
    for line in listing.splitlines():
        parts = line.split(maxsplit=2)
        if len(parts) == 2:  # no address
            parts.insert(0, "")
        if len(parts) == 3 and parts[1] in ("W", "V", "u") and not OWN.search(parts[2]):
            bad.append(parts[2])
    return bad


def main(arguments: list[str]) -> int:
    """Prints what is wrong; returns the exit code."""
    if len(arguments) != 1:
        print(__doc__)
        return 2
    objects = kernel_objects(Path(arguments[0]))
    if not objects:
        print(f"no kernel objects under {arguments[0]}")
        return 1
    wrong = 0
    for path in objects:
        done = subprocess.run(["nm", "-C", str(path)], capture_output=True, text=True, check=True)
        for symbol in shared_symbols(done.stdout):
            print(f"{path.name}: {symbol}")
            wrong += 1
    print(f"check_symbols: {len(objects)} objects, {wrong} symbols outside of their set")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
