"""Batch normalisation: statistics of each channel over the batch; running ones to evaluate."""

from __future__ import annotations

import d2lcore
from d2lcore import Tensor
from d2lcore.nn import functional as F
from d2lcore.nn import init
from d2lcore.nn.modules.module import Module
from d2lcore.nn.parameter import Parameter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class _NormBase(Module):
    """What batch and instance normalisation share: parameters, running statistics, their repr."""

    _version = 2
    num_features: int
    eps: float
    momentum: float | None
    affine: bool
    track_running_stats: bool
    weight: Tensor | None
    bias: Tensor | None
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        own = {"device": device, "dtype": dtype}
        for name, wanted in (("weight", affine), ("bias", affine and bias)):
            value = Parameter(d2lcore.empty(num_features, **own)) if wanted else None
            self.register_parameter(name, value)
        on = track_running_stats
        self.register_buffer("running_mean", d2lcore.zeros(num_features, **own) if on else None)
        self.register_buffer("running_var", d2lcore.ones(num_features, **own) if on else None)
        count = d2lcore.tensor(0, dtype=d2lcore.int64, device=device) if on else None
        self.register_buffer("num_batches_tracked", count)
        self.reset_parameters()

    def reset_running_stats(self) -> None:
        """Running mean 0, variance 1, no batches seen."""
        if self.running_mean is not None:
            self.running_mean.zero_()
        if self.running_var is not None:
            self.running_var.fill_(1)
        if self.num_batches_tracked is not None:
            self.num_batches_tracked.zero_()

    def reset_parameters(self) -> None:
        """Weight 1, bias 0, and fresh running statistics."""
        self.reset_running_stats()
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def _check_input_dim(self, input: Tensor) -> None:
        raise NotImplementedError

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, "
            f"affine={self.affine}, bias={self.bias is not None}, "
            f"track_running_stats={self.track_running_stats}"
        )

    def _load_from_state_dict(
        self, state_dict: Any, prefix: str, local_metadata: Any, *rest: Any
    ) -> None:
        version = local_metadata.get("version", None)
        if (version is None or version < 2) and self.track_running_stats:
            key = prefix + "num_batches_tracked"  # new in version 2
            if key not in state_dict:
                known = self.num_batches_tracked
                state_dict[key] = d2lcore.tensor(0) if known is None else known
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *rest)


class _BatchNorm(_NormBase):
    """The forward pass of all batch normalisations; subclasses check the number of dimensions."""

    def forward(self, input: Tensor) -> Tensor:
        """Returns the normalised input; in training, moves the running statistics."""
        self._check_input_dim(input)
        momentum = 0.0 if self.momentum is None else self.momentum
        training, tracked = self.training, self.track_running_stats
        mean, var = self.running_mean, self.running_var
        if training and tracked and self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
            if self.momentum is None:  # the plain average of all batches
                momentum = 1.0 / float(self.num_batches_tracked)
        own = training or (mean is None and var is None)
        if training and not tracked:
            mean = var = None
        return F.batch_norm(input, mean, var, self.weight, self.bias, own, momentum, self.eps)


class BatchNorm1d(_BatchNorm):
    """Normalises each channel of (N, C) or (N, C, L) by its mean and variance over the batch.

    Source: Ioffe and Szegedy, *Batch Normalization*, arXiv:1502.03167.

    Args:
        num_features: the number of channels C.
        eps: added to the variance.
        momentum: weight of a new batch in the running statistics; None for their plain average.
        affine: whether there are a weight and a bias for each channel.
        track_running_stats: whether running statistics are kept, and used in evaluation.
        device, dtype: of parameters and statistics.
        bias: False leaves the bias out.

    Example::

        >>> torch.nn.BatchNorm1d(1)(torch.tensor([[1.0], [3.0]]))
        tensor([[-1.0000],
                [ 1.0000]], grad_fn=<NativeBatchNormBackward0>)
    """

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() not in (2, 3):
            raise ValueError(f"expected 2D or 3D input (got {input.dim()}D input)")


class BatchNorm2d(_BatchNorm):
    """Normalises each channel of (N, C, H, W); the arguments are those of `BatchNorm1d`.

    Example::

        >>> torch.nn.BatchNorm2d(3)(torch.ones(2, 3, 4, 4)).shape
        torch.Size([2, 3, 4, 4])
    """

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() != 4:
            raise ValueError(f"expected 4D input (got {input.dim()}D input)")


class BatchNorm3d(_BatchNorm):
    """Normalises each channel of (N, C, D, H, W); the arguments are those of `BatchNorm1d`.

    Example::

        >>> torch.nn.BatchNorm3d(3)(torch.ones(2, 3, 2, 2, 2)).shape
        torch.Size([2, 3, 2, 2, 2])
    """

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() != 5:
            raise ValueError(f"expected 5D input (got {input.dim()}D input)")
