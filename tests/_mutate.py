"""Calls every op with spoilt arguments; run by test_safety.py in a process of its own.

The idea: what an op does with a bad argument may be an answer or an exception, never the end of the
process. The op about to be called is written to a file first, so that a crash has a name.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from itertools import chain
from typing import Any

import d2lcore as torch
import numpy as np
from op_samples import all_ops
from op_samples.base import DTYPES, Draw, Op, S, seed_of
from op_samples.faces import INPLACE, OUT, faces

EVERY_DTYPE = [
    torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64,
    torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.complex64, torch.complex128,
]  # fmt: skip
HUGE = 1 << 18  # elements that lie in one; their pairs would not fit


def tensor(op: Op, k: int, place: int, d: Draw, code: str) -> torch.Tensor:
    """The tensor of a sample."""
    array = np.ascontiguousarray(d.array(seed_of(op, k, place), code)).reshape(d.shape)
    return torch.from_numpy(array.copy()).to(getattr(torch, d.dtype or DTYPES[code]))


def spoilt(x: torch.Tensor, first: torch.Tensor) -> Iterator[tuple[str, Any]]:
    """Other arguments in place of a tensor."""
    yield "shrunk", x[..., :1] if x.dim() and x.shape[-1] else x.new_zeros(())
    yield "empty", x.new_zeros((*x.shape[:-1], 0)) if x.dim() else x.new_zeros(0)
    yield "transposed", x.permute(list(range(x.dim()))[::-1])
    yield "longer", x.new_ones((*x.shape, 2))
    yield "huge", x.new_ones(1).expand(HUGE)
    for dtype in EVERY_DTYPE:
        if dtype != x.dtype:
            yield str(dtype), x.detach().to(dtype)
    yield "apart", x.unsqueeze(-1).expand(*x.shape, 2)[..., 0] if x.dim() else x
    yield "backwards", x.flip(0).T if x.dim() else x
    yield "negative", (x.to(torch.int64) * 0 - 7)
    yield "large", (x.to(torch.int64) * 0 + (1 << 62))
    yield "aliased", first
    yield "overlapping", x.new_ones(1).expand(x.shape) if x.dim() else x.new_ones(1).expand(3)[1]
    yield "none", None
    if x.is_floating_point():
        yield "nan", x * float("nan")
        yield "inf", x.abs() * float("inf")
    yield "uninitialised", torch.Tensor.__new__(torch.Tensor)


def numbers(value: Any) -> Iterator[tuple[str, Any]]:
    """Other arguments in place of a number, a list or a word."""
    if isinstance(value, bool):
        yield "2", 2
    elif isinstance(value, (int, float)):
        for other in (-1, 0, 1 << 62, -(1 << 63), 1e300, float("nan"), float("inf"), "x", None):
            yield str(other), other
    elif isinstance(value, (list, tuple)):
        for other in ((), (-1,), (1 << 62, 1 << 62), (0,) * 70, ("x",), (5, 5, 5)):
            yield str(other)[:20], other
    elif isinstance(value, str):
        for other in ("", "x" * 50, "\0", 7):
            yield "word", other


def calls(
    op: Op, k: int, sample: S, code: str, graded: bool = False
) -> Iterator[tuple[str, list[Any], dict[str, Any]]]:
    """Every spoilt call of a sample; `graded`: its floating tensors need gradients."""
    place = 0

    def realise(v: Any) -> Any:
        nonlocal place
        if isinstance(v, Draw):
            place += 1
            x = tensor(op, k, place - 1, v, code)
            return x.requires_grad_(graded and x.is_floating_point())
        if isinstance(v, (list, tuple)) and any(isinstance(e, Draw) for e in v):
            return type(v)(realise(e) for e in v)
        return v

    args = [realise(a) for a in sample.args]
    kwargs = {key: realise(v) for key, v in sample.kwargs.items()}
    first = next((a for a in args if isinstance(a, torch.Tensor)), None)
    for at, value in [*enumerate(args), *kwargs.items()]:
        if isinstance(value, torch.Tensor):
            others = spoilt(value, first if first is not None else value)
        elif isinstance(value, (list, tuple)) and value and isinstance(value[0], torch.Tensor):
            others = ((w, [o, *value[1:]]) for w, o in spoilt(value[0], value[-1]))
        else:
            others = numbers(value)
        for what, other in others:
            if isinstance(at, int):
                yield f"argument {at} {what}", [*args[:at], other, *args[at + 1 :]], kwargs
            else:
                yield f"{at}= {what}", args, {**kwargs, at: other}


def attempt(call: Any, *args: Any, **kwargs: Any) -> Any:
    """A result, or None for an exception of a kind that users expect."""
    try:
        out = call(*args, **kwargs)
        for r in out if isinstance(out, (tuple, list)) else [out]:
            if isinstance(r, torch.Tensor) and 0 < r.numel() < 1000:
                total = r.sum() if r.dtype != torch.bool else r.any()  # reads every element
                if total.requires_grad:
                    total.backward()
        return out
    except (RuntimeError, ValueError, TypeError, IndexError, MemoryError, NotImplementedError,
            AssertionError, OverflowError, AttributeError):  # fmt: skip
        return None


def in_place(x: torch.Tensor, name: str, *args: Any, **kwargs: Any) -> Any:
    """``op_`` on a copy."""
    return getattr(x.clone(), name)(*args, **kwargs)


def main(path: str, share: int, shares: int) -> None:
    """Goes through a share of the ops; prints the number of calls and what raised oddly."""
    warnings.simplefilter("ignore")
    count, answered, odd = 0, 0, []
    with open(path, "w") as log:
        for number, op in enumerate(all_ops()):
            if number % shares != share:
                continue
            face = faces().get(op.name, 0)
            for k, sample in enumerate(op.samples[:3]):
                code = "f" if "f" in op.dtypes else op.dtypes[0]
                spoiled = ((False, call) for call in calls(op, k, sample, code))
                if not k:
                    graded = ((True, call) for call in calls(op, k, sample, code, True))
                    spoiled = chain(graded, spoiled)
                for grads, (what, args, kwargs) in spoiled:
                    log.seek(0)
                    log.truncate()
                    log.write(f"{op.name}({sample!r}) with {what}{' and gradients' * grads}")
                    log.flush()
                    count += 1
                    try:
                        answered += attempt(op.function(), *args, **kwargs) is not None
                        if k or grads:
                            continue
                        x = args[0] if args else None
                        if face & INPLACE and isinstance(x, torch.Tensor):
                            name = op.short.removesuffix("_") + "_"
                            attempt(in_place, x, name, *args[1:], **kwargs)
                        if face & OUT and isinstance(x, torch.Tensor):
                            attempt(op.function(), *args, **kwargs, out=x)
                            attempt(op.function(), *args, **kwargs, out=torch.ones(1).expand(5))
                            count += 2
                    except BaseException as error:
                        odd.append(f"{op.name} with {what}: {type(error).__name__}: {error}")
        log.seek(0)
        log.truncate()
        log.write("done")
    print(count, "calls,", answered, "answered")
    print("\n".join(odd))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
