"""The format in which a chapter declares its samples: data only, tensors are drawn when a test asks.

``Op("add", ref=np.add, samples=[S(t(3, 4), t(4)), S(t(2), 3.5, alpha=2)])`` says: call ``torch.add``
with these arguments and compare with ``np.add`` of the same arguments in float64. ``t(...)`` stands
for a tensor of the dtype under test, ``i(...)`` for indices, ``b(...)`` for a mask and ``c(...)``
for given values; equal samples draw equal numbers, whatever else runs.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from typing import Any

import d2lcore as torch
import numpy as np

# One letter for each dtype, as NumPy writes them (g: bfloat16).
DTYPES = {
    "f": "float32", "d": "float64", "e": "float16", "g": "bfloat16", "l": "int64", "i": "int32",
    "B": "uint8", "b": "int8", "h": "int16", "?": "bool", "F": "complex64", "D": "complex128",
}  # fmt: skip
# Methods whose names are dtypes when they stand in the module.
DTYPE_METHODS = {"float", "double", "half", "bfloat16", "short", "int", "long", "bool", "cfloat",
                 "cdouble"}  # fmt: skip
FLOATS = "fdeg"
REALS = "fdegl"
EVERY = "fdegl?"
INTS = "lB"


class Draw:
    """A tensor to be: a shape and where its values lie, or given values.

    Float values keep 0.02 away from the multiples of 1/2, where functions have their kinks and
    steps. ``dtype`` None is the dtype under test; such a tensor is differentiated.
    """

    def __init__(
        self,
        shape: Sequence[int] = (),
        lo: float = -2.0,
        hi: float = 2.0,
        dtype: str | None = None,
        values: Any = None,
        kinks: bool = True,
        special: str = "",
        grad: bool = True,
    ) -> None:
        self.shape, self.lo, self.hi, self.dtype = tuple(shape), lo, hi, dtype
        self.values, self.kinks, self.special, self.grad = values, kinks, special, grad

    def __repr__(self) -> str:
        if self.values is not None:
            return f"c({self.values!r})"
        name = {None: "t", "int64": "i", "bool": "b"}.get(self.dtype, "t")
        return f"{name}{self.shape}".replace(",)", ")")

    def array(self, seed: int, code: str) -> np.ndarray:
        """The values, in float64 for the float dtypes and in their own dtype for the others."""
        name = self.dtype or DTYPES[code]
        if self.values is not None:
            return np.array(self.values, dtype=_numpy_dtype(name))
        rng = np.random.default_rng(seed)
        n = int(np.prod(self.shape, dtype=np.int64))
        if self.special == "spd":  # symmetric, positive definite
            a = rng.normal(size=self.shape)
            return a @ np.swapaxes(a, -1, -2) + np.eye(self.shape[-1]) * self.shape[-1]
        if name == "bool":
            return rng.integers(0, 2, self.shape).astype(bool)
        if name in ("int64", "int32", "uint8", "int8", "int16"):
            lo = max(0, int(np.ceil(self.lo))) if name == "uint8" else int(np.ceil(self.lo))
            wide = self.dtype is None and not self.special
            hi = int(np.floor(self.hi)) + (3 if wide else 0)
            if self.special == "distinct":
                return rng.permutation(max(n, hi - lo))[:n].reshape(self.shape).astype(name) + lo
            return rng.integers(lo, max(hi, lo + 1), self.shape).astype(_numpy_dtype(name))
        pool = rng.uniform(self.lo, self.hi, 4 * n + 64)
        if self.kinks:
            pool = pool[np.abs(2 * pool - np.round(2 * pool)) > 0.04]
        out = pool[:n].reshape(self.shape)
        if name.startswith("complex"):
            out = out + 1j * rng.uniform(self.lo, self.hi, self.shape)
        return out


def _numpy_dtype(name: str) -> Any:
    return {"float16": "f8", "bfloat16": "f8", "float32": "f8", "float64": "f8"}.get(name, name)


def t(*shape: int, lo: float = -2.0, hi: float = 2.0, **more: Any) -> Draw:
    """A tensor of the dtype under test, its values in [lo, hi)."""
    return Draw(shape, lo, hi, **more)


def i(*shape: int, high: int, low: int = 0, dtype: str = "int64", special: str = "index") -> Draw:
    """Integers in [low, high): indices."""
    return Draw(shape, low, high, dtype, special=special)


def b(*shape: int) -> Draw:
    """A mask."""
    return Draw(shape, dtype="bool")


def c(values: Any, dtype: str | None = None, grad: bool = True) -> Draw:
    """A tensor of the given values, of the dtype under test unless one is named."""
    return Draw(np.shape(values), dtype=dtype, values=values, grad=grad)


class S:
    """One sample: the arguments of a call. Keywords that begin with _ are the test's own:

    _dtypes (letters), _grad, _second (False: not differentiated), _ref, _result (dtype rule),
    _inplace, _out, _method, _variants (False: not tried).
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.args = args
        self.own = {k: v for k, v in kwargs.items() if k.startswith("_")}
        self.kwargs = {k: v for k, v in kwargs.items() if not k.startswith("_")}

    def __repr__(self) -> str:
        parts = [_short(a) for a in self.args]
        parts += [f"{k}={_short(v)}" for k, v in self.kwargs.items()]
        return ", ".join(parts)


class E:
    """A call that must be refused: exception class, piece of the message, arguments."""

    def __init__(self, kind: type[Exception], text: str, *args: Any, **kwargs: Any) -> None:
        self.kind, self.text, self.sample = kind, text, S(*args, **kwargs)


def _short(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_short, value)) + "]"
    return repr(value).replace("d2lcore.", "").replace("torch.", "")


class Op:
    """An op and its samples.

    Args:
        name: Python name, "nn." and "linalg." for the parts.
        ref: what NumPy computes, called with arrays (float64 for float dtypes).
        result: dtype of the result: "same", "float" (integers give float32), "bool", "int64",
            "sum" (integers give int64), or a function of the dtype's name.
        dtypes: letters of the dtypes to run.
        grad, second: whether first and second derivatives are compared with differences.
        view: the result lies in the first argument's memory.
        variants: whether other layouts of the inputs are tried.
        elementwise: shapes are free, so empty and 0-d inputs are tried too.
        expand: whether inputs with repeated elements are tried (no: ties have no one answer).
        inplace, out, method: False where the face is there but the samples cannot use it.
        tol: factor on the tolerance.
        raw: NumPy's function gets integers as integers.
        check: called with (result, args, kwargs) instead of a comparison with ref.
        seeded: every call comes after ``manual_seed(0)``.
    """

    def __init__(
        self,
        name: str,
        ref: Callable[..., Any] | None = None,
        samples: Sequence[S] = (),
        errors: Sequence[E] = (),
        *,
        result: Any = "same",
        dtypes: str = REALS,
        grad: bool = True,
        second: bool = True,
        view: bool = False,
        variants: bool = True,
        elementwise: bool = False,
        expand: bool = True,
        inplace: bool = True,
        out: bool = True,
        method: Any = True,
        tol: float = 1.0,
        raw: bool = False,
        check: Callable[..., None] | None = None,
        seeded: bool = False,
    ) -> None:
        self.name, self.ref, self.samples, self.errors = name, ref, list(samples), list(errors)
        self.result, self.dtypes, self.grad, self.second = result, dtypes, grad, second
        self.view, self.variants, self.elementwise = view, variants, elementwise
        self.expand, self.inplace, self.out, self.method = expand, inplace, out, method
        self.tol, self.raw, self.check, self.seeded = tol, raw, check, seeded
        self.chapter = ""

    @property
    def inplace_only(self) -> bool:
        """Whether the op exists as ``op_`` alone: it is then called on a copy."""
        return self.name.endswith("_")

    @property
    def short(self) -> str:
        """The name without the part."""
        return self.name.rsplit(".", 1)[-1]

    def function(self) -> Any:
        """The public function, or a call of the method for ops that are methods only."""
        call = self._function()
        if not self.seeded:
            return call

        def seeded(*args: Any, **kwargs: Any) -> Any:
            torch.manual_seed(0)
            return call(*args, **kwargs)

        return seeded

    def _function(self) -> Any:
        space, _, name = self.name.rpartition(".")
        owner = {"": torch, "linalg": torch.linalg, "special": torch.special, "nn": torch.nn.functional}[space]
        if space == "" and (self.inplace_only or (name in DTYPE_METHODS or not hasattr(owner, name))) and hasattr(torch.Tensor, name):
            own = self.inplace_only
            return lambda x, *args, **kwargs: getattr(x.clone() if own else x, name)(
                *args, **kwargs
            )
        return getattr(owner, name)


def seed_of(op: Op, index: int, place: int) -> int:
    """The seed of one tensor of one sample."""
    return zlib.crc32(f"{op.name}/{index}/{place}".encode())


def aliases(op: Op, *names: str, first: int | None = None) -> list[Op]:
    """The op again under other names, with its first samples or all."""
    out = []
    for name in names:
        twin = Op.__new__(Op)
        twin.__dict__.update(op.__dict__)
        twin.name, twin.samples, twin.errors = name, op.samples[:first], op.errors[:1]
        out.append(twin)
    return out


def along(f: Callable[..., Any]) -> Callable[..., Any]:
    """NumPy's ``axis`` and ``keepdims`` as ``dim`` and ``keepdim``."""

    def call(x: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
        axis = tuple(dim) or None if isinstance(dim, (list, tuple)) else dim
        return f(x, axis=axis, keepdims=keepdim)

    return call
