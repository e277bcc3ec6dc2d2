"""Compares a run of the checks against PyTorch with the list of ops that must pass.

    python tools/check_conformance.py RESULT.json LIST [--write]

RESULT.json is what opinfo.py wrote. LIST has one op a line ('#' begins a comment). Fails when an op
of the list does not pass all its samples, or is not in the result, and when any op crashes or
hangs. Names ops that pass and are not listed yet; --write puts them into the list.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

FATAL = ("crash", "timeout")


def listed(path: Path) -> set[str]:
    """The ops of the list; none when there is no file."""
    if not path.exists():
        return set()
    lines = (line.partition("#")[0].strip() for line in path.read_text().splitlines())
    return {line for line in lines if line}


def main(arguments: list[str]) -> int:
    """Prints what differs; returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("result", type=Path)
    parser.add_argument("list", type=Path)
    parser.add_argument("--write", action="store_true", help="add the ops that pass")
    args = parser.parse_args(arguments)

    result = json.loads(args.result.read_text())
    ops = result["ops"]
    must = listed(args.list)
    passing = {name for name, op in ops.items() if op["status"] == "pass"}
    wrong = []
    for name in sorted(must - passing):
        if name not in ops:
            wrong.append(f"{name}: not in the result")
            continue
        op = ops[name]
        first = "; ".join(f"{f['kind']} {f['dtype']}: {f['msg']}" for f in op["first"][:2])
        wrong.append(f"{name}: {op['status']}, {op['ok']} of {op['n']} samples. {first}")
    wrong += [
        f"{name}: {op['status']}"
        for name, op in sorted(ops.items())
        if op["status"] in FATAL and name not in must
    ]
    new = sorted(passing - must)
    if args.write:
        head = "# Ops whose samples must all pass in the checks against PyTorch, tier A.\n"
        args.list.write_text(head + "".join(f"{name}\n" for name in sorted(must | passing)))
    elif new:
        print(f"{len(new)} ops pass and are not listed: {' '.join(new)}")
    totals = result["totals"]
    print("\n".join(wrong))
    print(
        f"{len(must & passing)} of {len(must)} listed ops pass; in all {totals['ops_pass']} of "
        f"{totals['ops']} ops, {totals['samples_ok']} of {totals['samples']} samples"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
