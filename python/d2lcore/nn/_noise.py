"""A random activation."""

from __future__ import annotations

from d2lcore import _C

TYPE_CHECKING = False
if TYPE_CHECKING:
    from d2lcore._C import Tensor


def rrelu(
    input: Tensor,
    lower: float = 1.0 / 8,
    upper: float = 1.0 / 3,
    training: bool = False,
    inplace: bool = False,
) -> Tensor:
    """``x`` where x > 0, else ``a * x``: a uniform in [lower, upper), or their mean in evaluation.

    Source: Xu et al., *Empirical Evaluation of Rectified Activations*, arXiv:1505.00853.

    >>> import d2lcore as torch
    >>> torch.nn.functional.rrelu(torch.tensor([-2.0, 2.0]), 0.25, 0.75)
    tensor([-1.,  2.])
    """
    if lower > upper:
        raise RuntimeError("Lower bound should be less than or equal to the upper bound")
    if not input.is_floating_point():
        raise NotImplementedError("rrelu: expected a floating point tensor")
    if not training:
        out: Tensor = _C._nn.leaky_relu(input, (lower + upper) / 2, inplace)
        return out
    low = input.detach() <= 0
    slopes = _C.empty(int(low.sum()), dtype=_C.float64).uniform_(lower, upper).to(input.dtype)
    noise = _C.ones_like(input.detach()).masked_scatter(low, slopes)
    return input.mul_(noise) if inplace else input * noise


__all__ = [
    "rrelu",
]
