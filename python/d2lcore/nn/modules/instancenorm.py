"""Instance normalisation: statistics of each channel of each item."""

from __future__ import annotations

from d2lcore import Tensor
from d2lcore.nn import functional as F
from d2lcore.nn.modules.batchnorm import _NormBase

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class _InstanceNorm(_NormBase):
    """The forward pass of all instance normalisations; `_dims` counts the spatial dimensions."""

    _dims = 0

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(
            num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias
        )

    def _check_input_dim(self, input: Tensor) -> None:
        low, n = self._dims + 1, input.dim()
        if n not in (low, low + 1):
            raise ValueError(f"expected {low}D or {low + 1}D input (got {n}D input)")

    def forward(self, input: Tensor) -> Tensor:
        """Returns the normalised input, with or without a batch dimension."""
        self._check_input_dim(input)
        at = input.dim() - self._dims - 1
        if input.size(at) != self.num_features:
            if self.affine:
                raise ValueError(
                    f"expected input's size at dim={at} to match num_features"
                    f" ({self.num_features}), but got: {input.size(at)}."
                )
            import warnings

            warnings.warn(
                f"input's size at dim={at} does not match num_features. "
                "You can silence this warning by not passing in num_features, "
                "which is not used because affine=False",
                stacklevel=2,
            )
        out = F.instance_norm(
            input if at else input.unsqueeze(0),
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training or not self.track_running_stats,
            self.momentum if self.momentum is not None else 0.0,
            self.eps,
        )
        return out if at else out.squeeze(0)


class InstanceNorm1d(_InstanceNorm):
    """Normalises each channel of each item of (N, C, L) or (C, L) by its own mean and variance.

    Source: Ulyanov, Vedaldi and Lempitsky, *Instance Normalization*, arXiv:1607.08022.

    Args:
        num_features: the number of channels C.
        eps: added to the variance.
        momentum: weight of a new batch in the running statistics.
        affine: whether there are a weight and a bias for each channel (default: no).
        track_running_stats: whether running statistics are kept, and used in evaluation.

    Example::

        >>> torch.nn.InstanceNorm1d(1)(torch.tensor([[[1.0, 3.0]]]))
        tensor([[[-1.0000,  1.0000]]])
    """

    _dims = 1


class InstanceNorm2d(_InstanceNorm):
    """Normalises each channel of each item of (N, C, H, W) or (C, H, W); see `InstanceNorm1d`.

    Example::

        >>> torch.nn.InstanceNorm2d(3)(torch.ones(2, 3, 4, 4)).shape
        torch.Size([2, 3, 4, 4])
    """

    _dims = 2


class InstanceNorm3d(_InstanceNorm):
    """Normalises each channel of each item of (N, C, D, H, W) or (C, D, H, W).

    The arguments are those of `InstanceNorm1d`.

    Example::

        >>> torch.nn.InstanceNorm3d(3)(torch.ones(2, 3, 2, 2, 2)).shape
        torch.Size([2, 3, 2, 2, 2])
    """

    _dims = 3
