"""vmap over every op of the table, from its samples: the same as one call for each element."""

from __future__ import annotations

import re

import d2lcore as torch
import pytest
import test_ops
from d2lcore._tree import leaves, map_leaves, rebuild

# What asks for values, or gives results whose shape depends on them.
DATA_DEPENDENT = (
    "data-dependent control|calling .item()|stack expects each tensor to be equal size|random oper"
)
CASES = [
    (op, k)
    for op, k in test_ops.CASES
    if not op.seeded
    and "empty" not in op.name
    and "d" in op.samples[k].own.get("_dtypes", op.dtypes)
]


def same(a, b):
    if not isinstance(a, torch.Tensor):
        return a == b
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    return torch.allclose(a, b, rtol=1e-9, atol=1e-9, equal_nan=True)


@pytest.mark.parametrize("case", CASES, ids=map(test_ops.case_id, CASES))
def test_vmap_equals_a_loop(case):
    op, k = case
    sample, function = op.samples[k], op.function()
    calls = [test_ops.Call(op, k + shift, sample, "d") for shift in (0, 1000)]
    inputs = [(c.args, c.kwargs) for c in calls]
    columns = list(zip(*(leaves(i) for i in inputs), strict=True))
    places = [i for i, pair in enumerate(columns) if isinstance(pair[0], torch.Tensor)]
    if not places or any(a.shape != b.shape for a, b in (columns[p] for p in places)):
        pytest.skip("nothing to batch")
    for mapped in {tuple(places), tuple(places[:1])}:

        def run(*values, mapped=mapped):
            row = [pair[0] for pair in columns]
            for place, value in zip(mapped, values, strict=True):
                row[place] = value
            args, kwargs = rebuild(inputs[0], iter(row))
            got = function(*args, **kwargs)
            if any(not isinstance(x, torch.Tensor) for x in leaves(got)):
                pytest.skip("the result is no tensor")
            return tuple(leaves(got))

        batches = [torch.stack(columns[p]) for p in mapped]
        expected = [run(*(b[i].clone() for b in batches)) for i in range(2)]
        try:
            got = torch.func.vmap(run)(*batches)
        except RuntimeError as error:
            if re.search(DATA_DEPENDENT, str(error)):
                pytest.skip("depends on values")
            raise
        wanted = map_leaves(lambda *x: torch.stack(x), *expected)
        for a, b in zip(leaves(got), leaves(wanted), strict=True):
            assert same(a, b), (mapped, a, b)
