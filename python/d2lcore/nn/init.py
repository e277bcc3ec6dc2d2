"""`torch.nn.init`: fills tensors with starting values, in place and without gradients.

Random fills draw from the default generator (or ``generator``) exactly as PyTorch does, so that
the same seed gives the same weights.
"""

from __future__ import annotations

import math
import warnings

import d2lcore

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from d2lcore import Tensor


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """Returns the factor that keeps the variance through a nonlinearity.

    Args:
        nonlinearity: ``"linear"``, ``"conv1d"`` ..., ``"sigmoid"`` (1), ``"tanh"`` (5/3),
            ``"relu"`` (sqrt 2), ``"leaky_relu"`` (sqrt(2 / (1 + slope^2))) or ``"selu"`` (3/4).
        param: the slope of leaky_relu (default 0.01).

    Raises:
        ValueError: an unknown nonlinearity, or a slope that is no number.

    Example::

        >>> torch.nn.init.calculate_gain("tanh")
        1.6666666666666667
    """
    linear = ["linear", *(f"conv{t}{d}d" for t in ("", "_transpose") for d in (1, 2, 3))]
    if nonlinearity in linear or nonlinearity == "sigmoid":
        return 1
    if nonlinearity == "tanh":
        return 5.0 / 3
    if nonlinearity == "relu":
        return math.sqrt(2.0)
    if nonlinearity == "leaky_relu":
        if param is None:
            slope = 0.01
        elif isinstance(param, (int, float)) and not isinstance(param, bool):
            slope = param
        else:
            raise ValueError(f"negative_slope {param} not a valid number")
        return math.sqrt(2.0 / (1 + slope**2))
    if nonlinearity == "selu":
        return 3.0 / 4
    raise ValueError(f"Unsupported nonlinearity {nonlinearity}")


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Any = None) -> Tensor:
    """Fills a tensor with numbers uniform in ``[a, b)``; returns it.

    Example::

        >>> w = torch.nn.init.uniform_(torch.empty(3, 5), -1, 1)
    """
    with d2lcore.no_grad():
        return tensor.uniform_(a, b, generator=generator)


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Any = None) -> Tensor:
    """Fills a tensor with numbers of the normal law N(mean, std^2); returns it.

    Example::

        >>> w = torch.nn.init.normal_(torch.empty(3, 5), std=0.01)
    """
    with d2lcore.no_grad():
        return tensor.normal_(mean, std, generator=generator)


def trunc_normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Any = None,
) -> Tensor:
    """Fills a tensor with numbers of N(mean, std^2) cut to ``[a, b]``; returns it.

    Numbers are drawn again until all are accepted (von Neumann's rejection, 1951): from the normal
    law where the interval holds more than 30 % of it, otherwise uniformly, each accepted with the
    ratio of the density to its greatest value in the interval.

    Raises:
        RuntimeError: ``a > b``.

    Example::

        >>> bool(torch.nn.init.trunc_normal_(torch.empty(100)).abs().max() <= 2)
        True
    """
    if mean < a - 2 * std or mean > b + 2 * std:
        warnings.warn(
            "mean is more than 2 std from [a, b] in nn.init.trunc_normal_. "
            "The distribution of values may be incorrect.",
            stacklevel=2,
        )

    def below(x: float) -> float:
        return (1.0 + math.erf((x - mean) / std / math.sqrt(2.0))) / 2.0

    if below(b) - below(a) > 0.3:
        # The ends as the dtype can hold them: a rounded end is still inside.
        low = d2lcore.tensor(a, dtype=tensor.dtype).item()
        high = d2lcore.tensor(b, dtype=tensor.dtype).item()

        def draw() -> Tensor:
            return d2lcore.empty_like(tensor).normal_(mean, std, generator=generator)

        def rejected(x: Tensor) -> Tensor:
            outside: Tensor = (x < low) | (x > high)
            return outside

    else:
        log_peak = -0.5 * ((max(a, min(mean, b)) - mean) / std) ** 2

        def draw() -> Tensor:
            return d2lcore.empty_like(tensor).uniform_(a, b, generator=generator)

        def rejected(x: Tensor) -> Tensor:
            log_ratio = ((x - mean) / std) ** 2 * -0.5 - log_peak
            return d2lcore.empty_like(x).uniform_(generator=generator).log() > log_ratio

    with d2lcore.no_grad():
        result = draw()
        pending = rejected(result)
        while pending.any():
            fresh = draw()
            result = d2lcore.where(pending, fresh, result)
            pending = pending & rejected(fresh)
        return tensor.copy_(result)


def constant_(tensor: Tensor, val: float) -> Tensor:
    """Fills a tensor with one number; returns it.

    Example::

        >>> torch.nn.init.constant_(torch.empty(2), 0.3)
        tensor([0.3000, 0.3000])
    """
    with d2lcore.no_grad():
        return tensor.fill_(val)


def ones_(tensor: Tensor) -> Tensor:
    """Fills a tensor with ones; returns it."""
    return constant_(tensor, 1.0)


def zeros_(tensor: Tensor) -> Tensor:
    """Fills a tensor with zeros; returns it."""
    return constant_(tensor, 0.0)


def eye_(tensor: Tensor) -> Tensor:
    """Fills a matrix with the identity; returns it.

    Raises:
        ValueError: the tensor has not two dimensions.

    Example::

        >>> torch.nn.init.eye_(torch.empty(2, 2))
        tensor([[1., 0.],
                [0., 1.]])
    """
    if tensor.dim() != 2:
        raise ValueError("Only tensors with 2 dimensions are supported")
    with d2lcore.no_grad():
        return tensor.copy_(d2lcore.eye(*tensor.shape, dtype=tensor.dtype))


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """Fills the weight of a convolution so that it keeps its channels; returns it.

    Args:
        tensor: ``(out, in, *kernel)`` with one to three kernel dimensions.
        groups: groups of the convolution, each of which keeps its first channels.

    Raises:
        ValueError: another number of dimensions, or ``out`` not divisible by ``groups``.
    """
    if tensor.dim() not in (3, 4, 5):
        raise ValueError("Only tensors with 3, 4, or 5 dimensions are supported")
    out, in_channels, *kernel = tensor.shape
    if out % groups != 0:
        raise ValueError("dim 0 must be divisible by groups")
    per_group = out // groups
    kept = min(per_group, in_channels)
    middle = tuple(k // 2 for k in kernel)
    with d2lcore.no_grad():
        tensor.zero_()
        for g in range(groups):
            place = (slice(g * per_group, g * per_group + kept), slice(kept), *middle)
            tensor[place].copy_(d2lcore.eye(kept, dtype=tensor.dtype))
    return tensor


def _calculate_fan_in_and_fan_out(tensor: Tensor) -> tuple[int, int]:
    """Numbers of inputs and outputs of one unit of a weight ``(out, in, *kernel)``."""
    if tensor.dim() < 2:
        raise ValueError(
            "Fan in and fan out can not be computed for tensor with fewer than 2 dimensions"
        )
    field = math.prod(tensor.shape[2:])
    return tensor.shape[1] * field, tensor.shape[0] * field


def _calculate_correct_fan(tensor: Tensor, mode: str) -> int:
    mode = mode.lower()
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"Mode {mode} not supported, please use one of ['fan_in', 'fan_out']")
    return _calculate_fan_in_and_fan_out(tensor)[mode == "fan_out"]


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    """Fills a weight uniformly in ``±gain * sqrt(6 / (fan_in + fan_out))``; returns it.

    Source: Glorot and Bengio, *Understanding the difficulty of training deep feedforward neural
    networks*, AISTATS 2010.

    Raises:
        ValueError: fewer than two dimensions.

    Example::

        >>> w = torch.nn.init.xavier_uniform_(torch.empty(3, 5))
    """
    fan_in, fan_out = _calculate_fan_in_and_fan_out(tensor)
    bound = math.sqrt(3.0) * (gain * math.sqrt(2.0 / float(fan_in + fan_out)))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    """Fills a weight from N(0, gain^2 * 2 / (fan_in + fan_out)); returns it.

    Source: Glorot and Bengio, AISTATS 2010.

    Raises:
        ValueError: fewer than two dimensions.

    Example::

        >>> w = torch.nn.init.xavier_normal_(torch.empty(3, 5))
    """
    fan_in, fan_out = _calculate_fan_in_and_fan_out(tensor)
    return normal_(tensor, 0.0, gain * math.sqrt(2.0 / float(fan_in + fan_out)), generator)


def _kaiming_std(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    fan = _calculate_correct_fan(tensor, mode)
    return calculate_gain(nonlinearity, a) / math.sqrt(fan)


def _nothing_to_fill(tensor: Tensor) -> bool:
    if 0 in tensor.shape:
        warnings.warn("Initializing zero-element tensors is a no-op", stacklevel=3)
        return True
    return False


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Any = None,
) -> Tensor:
    """Fills a weight uniformly in ``±gain * sqrt(3 / fan)``; returns it.

    Source: He et al., *Delving deep into rectifiers*, arXiv:1502.01852.

    Args:
        tensor: ``(out, in, *kernel)``.
        a: slope below zero, for ``leaky_relu``.
        mode: ``"fan_in"`` keeps the variance forward, ``"fan_out"`` backward.
        nonlinearity: see `calculate_gain`.
        generator: where to draw from.

    Raises:
        ValueError: fewer than two dimensions, or an unknown mode or nonlinearity.

    Example::

        >>> w = torch.nn.init.kaiming_uniform_(torch.empty(3, 5), nonlinearity="relu")
    """
    if _nothing_to_fill(tensor):
        return tensor
    bound = math.sqrt(3.0) * _kaiming_std(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Any = None,
) -> Tensor:
    """Fills a weight from N(0, gain^2 / fan); returns it.

    Arguments, errors and source as for `kaiming_uniform_`.

    Example::

        >>> w = torch.nn.init.kaiming_normal_(torch.empty(3, 5), mode="fan_out")
    """
    if _nothing_to_fill(tensor):
        return tensor
    return normal_(tensor, 0.0, _kaiming_std(tensor, a, mode, nonlinearity), generator)


def orthogonal_(tensor: Tensor, gain: float = 1, generator: Any = None) -> Tensor:
    """Fills a tensor, seen as a matrix ``(shape[0], rest)``, with orthonormal rows or columns.

    Source: Saxe, McClelland and Ganguli, arXiv:1312.6120.  Needs ``torch.linalg.qr``.

    Raises:
        ValueError: fewer than two dimensions.
    """
    if tensor.dim() < 2:
        raise ValueError("Only tensors with 2 or more dimensions are supported")
    if tensor.numel() == 0:
        return tensor
    rows = tensor.shape[0]
    columns = tensor.numel() // rows
    flat = d2lcore.empty((rows, columns), dtype=tensor.dtype).normal_(0, 1, generator=generator)
    if rows < columns:
        flat.t_()
    q, r = d2lcore.linalg.qr(flat)
    q *= d2lcore.diag(r, 0).sign()  # makes the factorisation unique, the law uniform
    if rows < columns:
        q.t_()
    with d2lcore.no_grad():
        return tensor.copy_(q.reshape(tensor.shape)).mul_(gain)


def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, generator: Any = None) -> Tensor:
    """Fills a matrix from N(0, std^2), then a share ``sparsity`` of each column with zeros.

    Source: Martens, *Deep learning via Hessian-free optimization*, ICML 2010.

    Raises:
        ValueError: the tensor has not two dimensions.
    """
    if tensor.dim() != 2:
        raise ValueError("Only tensors with 2 dimensions are supported")
    rows, columns = tensor.shape
    zeros = math.ceil(sparsity * rows)
    with d2lcore.no_grad():
        tensor.normal_(0, std, generator=generator)
        for column in range(columns):
            tensor[d2lcore.randperm(rows)[:zeros], column] = 0
    return tensor
