"""Every op of the table against NumPy: one test for each sample, made from tests/op_samples.

The one idea: a sample is called in every way in which its op can be called (dtypes, layouts, out=,
op_, method, derivatives of first and second order) and all that differs is told at once, by name.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import d2lcore as torch
import numpy as np
import pytest
from op_samples import all_ops
from op_samples.base import DTYPES, Draw, E, Op, S, seed_of
from op_samples.faces import INPLACE, METHOD, OUT, all_have_out, faces

OPS = all_ops()
CASES = [(op, k) for op in OPS for k in range(len(op.samples))]
REFUSALS = [(op, k) for op in OPS for k in range(len(op.errors))]
# rtol, atol for one operation on numbers of moderate size.
TOLERANCE = {"f": (2e-6, 2e-6), "d": (1e-11, 1e-11), "e": (4e-3, 4e-3), "g": (3e-2, 3e-2)}
RECORDED_LAYOUTS = ("strided", "sliced", "offset", "expanded")


def case_id(case: tuple[Op, int]) -> str:
    op, k = case
    twins = [other for other in OPS if other.name == op.name]
    which = twins.index(op)
    return f"{op.name}-{k}" if which == 0 else f"{op.name}-{'abc'[which]}{k}"


class Call:
    """The arguments of a sample, drawn: NumPy arrays and the tensors made of them."""

    def __init__(self, op: Op, k: int, sample: S, code: str, layout: str = "", shape: Any = None):
        self.op, self.sample, self.code = op, sample, code
        self.arrays: list[np.ndarray] = []
        self.draws: list[Draw] = []
        self.tensors: list[torch.Tensor] = []

        def draw(d: Draw) -> tuple[np.ndarray, torch.Tensor]:
            if shape is not None and d.values is None:
                d = Draw(shape, d.lo, d.hi, d.dtype, None, d.kinks, d.special, d.grad)
            array = d.array(seed_of(op, k, len(self.draws)), code)
            if layout == "expanded" and array.ndim and array.size and d.dtype is None:
                array = np.repeat(array[:1], array.shape[0], axis=0)
            tensor = make(array, d.dtype or DTYPES[code], layout if array.ndim else "")
            self.draws.append(d)
            # The reference starts from the values that the dtype really holds.
            exact = numpy_of(tensor)
            self.arrays.append(exact)
            self.tensors.append(tensor)
            return exact, tensor

        def realise(value: Any) -> tuple[Any, Any]:
            if isinstance(value, Draw):
                return draw(value)
            if isinstance(value, (list, tuple)) and any(isinstance(v, Draw) for v in value):
                pairs = [realise(v) for v in value]
                return type(value)(p[0] for p in pairs), type(value)(p[1] for p in pairs)
            return value, value

        pairs = [realise(a) for a in sample.args]
        named = {key: realise(v) for key, v in sample.kwargs.items()}
        self.numpy_args = [p[0] for p in pairs]
        self.args = [p[1] for p in pairs]
        self.numpy_kwargs = {key: p[0] for key, p in named.items()}
        self.kwargs = {key: p[1] for key, p in named.items()}

    def reference(self) -> Any:
        ref = self.sample.own.get("_ref", self.op.ref)
        with np.errstate(all="ignore"):
            args = self.numpy_args
            if not self.op.raw:
                args = [_as_float(a) for a in args]
            return ref(*args, **{k: _as_float(v) for k, v in self.numpy_kwargs.items()})


def _as_float(value: Any) -> Any:
    """Integers under test as float64; masks and indices stay."""
    if isinstance(value, list) and value and isinstance(value[0], np.ndarray):
        return [_as_float(v) for v in value]
    return value


def make(array: np.ndarray, dtype: str, layout: str) -> torch.Tensor:
    """A tensor of the values whose memory lies as the layout says."""
    kind = getattr(torch, dtype)
    base = torch.from_numpy(np.ascontiguousarray(array).reshape(array.shape).copy()).to(kind)
    if layout == "strided":
        order = list(range(base.dim()))[::-1]
        return base.permute(order).contiguous().permute(order)
    if layout == "sliced":
        wide = torch.zeros([2 * n + 1 for n in base.shape], dtype=kind)
        view = wide[tuple(slice(1, None, 2) for _ in base.shape)]
        view.copy_(base)
        return view
    if layout == "offset":
        room = torch.zeros(base.numel() + 3, dtype=kind)
        view = room[3:].view(base.shape)
        view.copy_(base)
        return view
    if layout == "expanded" and base.numel():
        return base[:1].expand(base.shape)
    return base


def numpy_of(t: torch.Tensor) -> np.ndarray:
    t = t.detach()
    if t.dtype in (torch.float16, torch.bfloat16, torch.float32):
        t = t.to(torch.float64)
    return np.array(t.numpy())


def results(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (tuple, list)) else [value]


def differs(got: Any, want: Any, code: str, tol: float) -> str:
    """What is different, or an empty text."""
    got, want = results(got), results(want)
    if len(got) != len(want):
        return f"{len(got)} results instead of {len(want)}"
    for place, (g, w) in enumerate(zip(got, want)):
        which = f"result {place}: " if len(got) > 1 else ""
        if not isinstance(g, torch.Tensor):
            if g != w:
                return f"{which}{g!r} instead of {w!r}"
            continue
        w = np.asarray(w)
        if tuple(g.shape) != w.shape:
            return f"{which}shape {tuple(g.shape)} instead of {w.shape}"
        have = numpy_of(g)
        rtol, atol = TOLERANCE.get(code, (1e-6, 1e-6))
        if have.dtype.kind in "biu":
            same = np.array_equal(have, w.astype(have.dtype))
        else:
            if g.dtype == torch.float32 and code != "f":
                rtol, atol = (max(v, 1e-6) for v in (rtol, atol))
            same = np.allclose(have, w, rtol * tol, atol * tol, equal_nan=True)
            if not same and g.dtype == torch.float32:  # beyond the range of float32
                with np.errstate(over="ignore"):
                    same = np.allclose(have, w.astype("f4"), rtol * tol, atol * tol, equal_nan=True)
        if not same:
            return f"{which}got {_brief(have)} instead of {_brief(w)}"
    return ""


def _brief(a: np.ndarray) -> str:
    return np.array2string(np.asarray(a), threshold=12, edgeitems=3, precision=6).replace("\n", "")


def expected_dtype(op: Op, sample: S, code: str) -> str | None:
    rule = sample.own.get("_result", op.result)
    name = DTYPES[code]
    if rule is None or callable(rule):
        return rule(name) if rule else None
    if rule == "same":
        return name
    if rule == "float":
        return name if name.startswith(("float", "bfloat", "complex")) else "float32"
    if rule == "sum":
        return name if name.startswith(("float", "bfloat", "complex")) else "int64"
    return rule


class Report:
    """Runs parts of a test and keeps what went wrong."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def part(self, where: str, run: Callable[[], str | None]) -> Any:
        try:
            wrong = run()
        except Exception as error:  # told with the rest
            wrong = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
        if wrong:
            self.lines.append(f"{where}: {wrong}")


def codes_of(op: Op, sample: S) -> str:
    return sample.own.get("_dtypes", op.dtypes)


@pytest.mark.parametrize("case", CASES, ids=case_id)
def test_sample(case: tuple[Op, int]) -> None:
    op, k = case
    sample = op.samples[k]
    codes = codes_of(op, sample)
    report = Report()
    for code in codes:
        report.part(DTYPES[code], lambda c=code: values(op, k, sample, c))
    main = "f" if "f" in codes else codes[0]
    has_tensor = bool(Call(op, k, sample, main).draws)
    if op.variants and sample.own.get("_variants", True) and has_tensor and not op.check:
        for layout in RECORDED_LAYOUTS:
            if layout != "expanded" or op.expand:
                report.part(layout, lambda lay=layout: values(op, k, sample, main, lay))
        if op.elementwise and all(d.values is None for d in Call(op, k, sample, main).draws):
            for shape in ((), (0,), (2, 0, 3), (67,)):
                report.part(f"shape {shape}", lambda s=shape: values(op, k, sample, main, "", s))
    face = faces().get(op.name, 0)
    if face & OUT and op.out and sample.own.get("_out", True) and not op.check:
        report.part("out=", lambda: out_forms(op, k, sample, main))
    first = sample.args and isinstance(sample.args[0], Draw)
    if face & METHOD and op.method and sample.own.get("_method", True) and first and not op.check:
        report.part("method", lambda: method_form(op, k, sample, main))
    if (
        face & INPLACE
        and op.inplace
        and sample.own.get("_inplace", True)
        and first
        and not op.check
    ):
        report.part("in place", lambda: inplace_form(op, k, sample, main))
    if "d" in codes and op.grad and sample.own.get("_grad", True) and op.ref:
        report.part("gradient", lambda: gradient(op, k, sample))
        if op.second and sample.own.get("_second", True):
            report.part("second gradient", lambda: second_gradient(op, k, sample))
    if report.lines:
        pytest.fail(f"{op.name}({sample!r})\n  " + "\n  ".join(report.lines[:5]), pytrace=False)


def values(op: Op, k: int, sample: S, code: str, layout: str = "", shape: Any = None) -> str | None:
    call = Call(op, k, sample, code, layout, shape)
    versions = [x._version for x in call.tensors]
    got = op.function()(*call.args, **call.kwargs)
    if op.check:
        op.check(got, call.args, call.kwargs)
    else:
        wrong = differs(got, call.reference(), code, op.tol)
        if wrong:
            return wrong
    want = expected_dtype(op, sample, code)
    for result in results(got)[:1]:
        if want and isinstance(result, torch.Tensor) and result.dtype != getattr(torch, want):
            return f"dtype {result.dtype} instead of {want}"
    for x, array, version in zip(call.tensors, call.arrays, versions):
        if x._version != version or not np.array_equal(
            numpy_of(x), array, equal_nan=array.dtype.kind in "fc"
        ):
            return "an input was modified"
    if op.view and call.tensors[0].numel():
        low = call.tensors[0].data_ptr()
        for result in results(got):
            if result.numel() and not low <= result.data_ptr() < low + 8 * 4096:
                return "not a view"
    return None


def out_forms(op: Op, k: int, sample: S, code: str) -> str | None:
    call = Call(op, k, sample, code)
    f = op.function()
    plain = results(f(*call.args, **call.kwargs))
    several = len(plain) > 1

    def strided(r: torch.Tensor) -> torch.Tensor:
        order = list(range(r.dim()))[::-1]
        return torch.zeros([r.shape[d] for d in order], dtype=r.dtype).permute(order)

    makers = {
        "exact": lambda r: torch.ones_like(r),
        "empty": lambda r: torch.empty(0, dtype=r.dtype),
        "strided": strided,
        "sliced": lambda r: torch.zeros([2 * n for n in r.shape], dtype=r.dtype)[
            tuple(slice(None, None, 2) for _ in r.shape)
        ],
    }
    for what, maker in makers.items():
        outs = tuple(maker(r) for r in plain)
        try:
            got = f(*call.args, **call.kwargs, out=outs if several else outs[0])
        except TypeError as error:
            if not all_have_out(op.name) and "received an invalid combination" in str(error):
                return None  # this overload has no out=
            raise
        if not several and got is not outs[0]:
            return f"{what}: another object is returned"
        wrong = differs(list(outs), [numpy_of(r) for r in plain], "d", op.tol)
        if wrong:
            return f"{what}: {wrong}"
    return None


def method_form(op: Op, k: int, sample: S, code: str) -> str | None:
    call = Call(op, k, sample, code)
    plain = op.function()(*call.args, **call.kwargs)
    if callable(op.method):
        got = op.method(*call.args, **call.kwargs)
    else:
        got = getattr(call.args[0], op.short)(*call.args[1:], **call.kwargs)
    if type(got) is not type(plain):
        return f"{type(got).__name__} instead of {type(plain).__name__}"
    want = [numpy_of(r) if isinstance(r, torch.Tensor) else r for r in results(plain)]
    return differs(got, want, "d", op.tol)


def inplace_form(op: Op, k: int, sample: S, code: str) -> str | None:
    call = Call(op, k, sample, code)
    plain = op.function()(*call.args, **call.kwargs)
    for layout in ("", "strided", "sliced"):
        call = Call(op, k, sample, code, layout)
        x = call.args[0]
        before, version = x.clone(), x._version
        name = op.short if op.inplace_only else op.short + "_"
        fits = plain.shape == x.shape and torch.can_cast(plain.dtype, x.dtype)
        if not fits:
            try:
                getattr(x, name)(*call.args[1:], **call.kwargs)
            except RuntimeError:
                if x._version != version or not torch.equal(x, before):
                    return "refused after writing"
                continue
            return f"{tuple(plain.shape)} {plain.dtype} was written into {tuple(x.shape)} {x.dtype}"
        got = getattr(x, name)(*call.args[1:], **call.kwargs)
        if got is not x:
            return "another object is returned"
        if x.numel() and x._version == version:
            return "the version stays"
        wrong = differs(x, numpy_of(plain.to(x.dtype)), "d", op.tol)
        if wrong:
            return f"{layout} {wrong}"
    return None


def inputs_of(call: Call) -> list[torch.Tensor]:
    """The tensors to differentiate by: those of the dtype under test."""
    return [
        x.requires_grad_() for x, d in zip(call.tensors, call.draws) if d.dtype is None and d.grad
    ]


def objective(op: Op, call: Call, weights: list[torch.Tensor]) -> torch.Tensor:
    """The float results, weighted and summed."""
    outs = results(op.function()(*call.args, **call.kwargs))
    outs = [o for o in outs if isinstance(o, torch.Tensor) and o.is_floating_point()]
    if not weights:
        rng = np.random.default_rng(7)
        for o in outs:
            weights.append(torch.from_numpy(rng.uniform(0.3, 1.3, tuple(o.shape))).to(o.dtype))
    total = torch.zeros((), dtype=torch.float64)
    for o, w in zip(outs, weights):
        total = total + (o * w).sum()
    return total


def perturbed(xs: list[torch.Tensor]) -> Iterator[tuple[int, int, torch.Tensor]]:
    for place, x in enumerate(xs):
        flat = x.detach().view(-1)
        for n in range(min(flat.numel(), 12)):
            yield place, n, flat


def gradient(op: Op, k: int, sample: S) -> str | None:
    call = Call(op, k, sample, "d")
    xs = inputs_of(call)
    if not xs:
        return None
    weights: list[torch.Tensor] = []
    value = objective(op, call, weights)
    if not value.requires_grad:
        return "the result does not require a gradient"
    found = torch.autograd.grad(value, xs, allow_unused=True)
    for g, x in zip(found, xs):
        if g is not None and (g.shape != x.shape or g.dtype != x.dtype):
            return f"a gradient {tuple(g.shape)} {g.dtype} for {tuple(x.shape)} {x.dtype}"
    step = 1e-6
    for place, n, flat in perturbed(xs):
        with torch.no_grad():
            old = flat[n].item()
            flat[n] = old + step
            high = objective(op, call, weights).item()
            flat[n] = old - step
            low = objective(op, call, weights).item()
            flat[n] = old
        slope = (high - low) / (2 * step)
        g = found[place]
        got = 0.0 if g is None else g.reshape(-1)[n].item()
        if not abs(got - slope) <= 1e-5 + 1e-5 * abs(slope):
            return f"input {place}[{n}]: {got} instead of {slope}"
    return None


def second_gradient(op: Op, k: int, sample: S) -> str | None:
    """One direction u: the derivative of <grad, v> along u, by differences and by backward."""
    call = Call(op, k, sample, "d")
    xs = inputs_of(call)
    if not xs or not sum(x.numel() for x in xs):
        return None
    weights: list[torch.Tensor] = []
    rng = np.random.default_rng(11)
    vs = [torch.from_numpy(rng.normal(size=tuple(x.shape))) for x in xs]
    us = [torch.from_numpy(rng.normal(size=tuple(x.shape))) for x in xs]

    def slope(create: bool) -> torch.Tensor:
        value = objective(op, call, weights)
        found = torch.autograd.grad(value, xs, create_graph=create, allow_unused=True)
        total = torch.zeros((), dtype=torch.float64)
        for g, v in zip(found, vs):
            if g is not None:
                total = total + (g * v).sum()
        return total

    def moved(by: float) -> float:
        with torch.no_grad():
            for x, u in zip(xs, us):
                x += by * u
        out = slope(False).item()
        with torch.no_grad():
            for x, u in zip(xs, us):
                x -= by * u
        return out

    first = slope(True)
    got = 0.0
    if first.requires_grad:
        found = torch.autograd.grad(first, xs, allow_unused=True)
        got = sum((g * u).sum().item() for g, u in zip(found, us) if g is not None)
    step = 1e-6
    want = (moved(step) - moved(-step)) / (2 * step)
    if not abs(got - want) <= 1e-4 + 1e-4 * abs(want):
        return f"{got} instead of {want}"
    return None


@pytest.mark.parametrize("case", REFUSALS, ids=case_id)
def test_refusal(case: tuple[Op, int]) -> None:
    op, k = case
    error: E = op.errors[k]
    call = Call(op, 1000 + k, error.sample, "f")
    versions = [x._version for x in call.tensors]
    where = f"{op.name}({error.sample!r})"
    try:
        op.function()(*call.args, **call.kwargs)
    except error.kind as caught:
        text = str(caught)
    except Exception as other:
        pytest.fail(f"{where}: {type(other).__name__}: {other}", pytrace=False)
    else:
        pytest.fail(f"{where} is not refused", pytrace=False)
    if error.text not in text:
        pytest.fail(f"{where} says {text!r} without {error.text!r}", pytrace=False)
    for x, array, version in zip(call.tensors, call.arrays, versions):
        same = np.array_equal(numpy_of(x), array, equal_nan=array.dtype.kind in "fc")
        assert x._version == version and same, "an input was modified"


def test_ids_are_unique() -> None:
    names = [case_id(c) for c in CASES]
    twice = {n for n, group in itertools.groupby(sorted(names)) if len(list(group)) > 1}
    assert not twice, twice
