"""Every differentiable row from its samples: gradcheck, gradgradcheck, and J v against u J.

test_ops compares whole Jacobians by a code of its own; this asks the public functions, so that both
are tested by each other.
"""

from __future__ import annotations

import d2lcore as torch
import pytest
import test_ops
from d2lcore import func
from d2lcore.autograd import gradcheck, gradgradcheck

MOST = 200  # elements: larger samples take long and say no more


def _differentiable(case):
    op, k = case
    sample = op.samples[k]
    return (
        "d" in test_ops.codes_of(op, sample)
        and op.grad
        and op.ref
        and sample.own.get("_grad", True)
    )


CASES = [case for case in test_ops.CASES if _differentiable(case)]


class Sample:
    """A call as a function of the tensors that are differentiated."""

    def __init__(self, op, k):
        call = test_ops.Call(op, k, op.samples[k], "d")
        self.inputs = test_ops.inputs_of(call)
        self.call, self.function = call, op.function()

    def __call__(self, *values):
        place = {id(x): v for x, v in zip(self.inputs, values, strict=True)}

        def other(x):
            if isinstance(x, (list, tuple)):
                return type(x)(other(v) for v in x)
            return place.get(id(x), x)

        args = [other(a) for a in self.call.args]
        kwargs = {key: other(v) for key, v in self.call.kwargs.items()}
        got = self.function(*args, **kwargs)
        outputs = got if isinstance(got, (tuple, list)) else (got,)
        return tuple(
            y
            for y in outputs
            if isinstance(y, torch.Tensor) and (y.is_floating_point() or y.is_complex())
        )


@pytest.mark.parametrize("case", CASES, ids=map(test_ops.case_id, CASES))
def test_gradients(case):
    op, k = case
    sample = Sample(op, k)
    if not sample.inputs or sum(x.numel() for x in sample.inputs) > MOST:
        pytest.skip("nothing to differentiate, or much")
    inputs = [x.detach().clone().requires_grad_() for x in sample.inputs]
    outputs = sample(*inputs)
    if not any(y.requires_grad for y in outputs):
        pytest.skip("no result to differentiate")
    tolerance = {"atol": 2e-5 * op.tol, "rtol": 1e-3 * op.tol}
    options = {"fast_mode": True, "check_undefined_grad": False, **tolerance}
    assert gradcheck(sample, inputs, **options, nondet_tol=1e-12)

    outputs = sample(*inputs)  # gradcheck has written to the inputs
    generator = torch.Generator().manual_seed(0)

    def like(x):
        return torch.randn(x.shape, dtype=x.dtype, generator=generator)

    v, u = [like(x) for x in inputs], [like(y) for y in outputs]
    if not op.second or not op.samples[k].own.get("_second", True):
        return
    forward = func.jvp(sample, tuple(inputs), tuple(v))[1]
    pairs = [(y, c) for y, c in zip(outputs, u, strict=True) if y.requires_grad]
    ends, cotangents = zip(*pairs, strict=True)
    back = torch.autograd.grad(ends, inputs, cotangents, allow_unused=True)
    left = sum((a.conj() * b).real.sum() for a, b in zip(u, forward, strict=True))
    right = sum((g.conj() * b).real.sum() for g, b in zip(back, v, strict=True) if g is not None)
    assert torch.allclose(left, torch.as_tensor(right), rtol=1e-7, atol=1e-9)
    assert gradgradcheck(sample, inputs, **options, nondet_tol=1e-12)
