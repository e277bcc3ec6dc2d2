"""Samples of copies and conversions."""

from __future__ import annotations

import d2lcore as torch
import numpy as np

from op_samples.base import EVERY, E, Op, S, b, c, t

CASTS = {"float": "float32", "double": "float64", "half": "float16", "bfloat16": "bfloat16",
         "byte": "uint8", "char": "int8", "short": "int16", "int": "int32", "long": "int64",
         "bool": "bool"}  # fmt: skip
WHOLE = c([[3.0, 0.0, 5.0], [1.0, 120.0, 7.0]])


def _cast(name, to):
    kind = bool if to == "bool" else float
    return Op(name, lambda x: x.astype(kind).astype(float), [S(WHOLE), S(b(3))],
              result=lambda dtype: to, dtypes=EVERY, grad=to == "float64",
              second=False, tol=100)  # fmt: skip


def _to_result(dtype):
    return "float64"


OPS = [
    Op("clone", lambda x, **k: x, [S(t(3, 4)), S(t(), memory_format=torch.contiguous_format),
                                   S(t(2, 0))], dtypes=EVERY),
    Op("contiguous", lambda x: x, [S(t(3, 4)), S(t())], dtypes=EVERY),
    Op("copy_", samples=[S(t(3, 4), t(3, 4)), S(t(3, 4), t(4)), S(t(3), 2), S(t(2, 2), t(2, 2, dtype="int64"))],
       errors=[E(RuntimeError, "must match", t(3), t(4))], dtypes=EVERY,
       ref=lambda x, y: np.broadcast_to(y, x.shape)),
    Op("to", lambda x, *a, **k: x,
       [S(t(3), torch.float64), S(t(3), dtype=torch.float64), S(t(3), "cpu", torch.float64),
        S(t(3), c([1.0], "float64"))],
       [E(TypeError, "to() received an invalid combination of arguments", t(3), 3.5)],
       dtypes=EVERY, result=_to_result),
    Op("type_as", lambda x, y: x, [S(t(3), c([1.0], "float64"))], dtypes=EVERY, result=_to_result),
    *(_cast(name, to) for name, to in CASTS.items()),
    Op("cfloat", lambda x: x, [S(c([1.5, -2.0]))], result=lambda _: "complex64", grad=False, dtypes="fdl"),
    Op("cdouble", lambda x: x, [S(c([1.5, -2.0]))], result=lambda _: "complex128", grad=False, dtypes="fdl"),
    Op("detach", lambda x: x, [S(t(3, 4))], dtypes=EVERY, grad=False, view=True),
]  # fmt: skip
