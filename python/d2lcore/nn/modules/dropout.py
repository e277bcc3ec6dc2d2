"""The dropout family: in training random elements (or channels) become zero, the rest are scaled.

Source: Srivastava et al., *Dropout: a simple way to prevent neural networks from overfitting*,
JMLR 15 (2014).
"""

from __future__ import annotations

from d2lcore import Tensor
from d2lcore.nn import functional as F
from d2lcore.nn.modules.module import Module


class _DropoutNd(Module):
    """What the family shares.

    Args:
        p: probability of becoming zero, between 0 and 1 (default 0.5).
        inplace: write into the input.

    Raises:
        ValueError: ``p`` is not a probability.
    """

    p: float
    inplace: bool

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if p < 0 or p > 1:
            raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
        self.p = p
        self.inplace = inplace

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"


class Dropout(_DropoutNd):
    """Makes each element of the input zero with probability ``p``, and scales the others by
    ``1 / (1 - p)``; in evaluation mode returns the input.

    Args:
        p: probability of becoming zero (default 0.5).
        inplace: write into the input.

    Example::

        >>> torch.nn.Dropout(0.2).eval()(torch.ones(2))
        tensor([1., 1.])
    """

    def forward(self, input: Tensor) -> Tensor:
        """Returns ``dropout(input)``."""
        return F.dropout(input, self.p, self.training, self.inplace)


class Dropout1d(_DropoutNd):
    """Like `Dropout` for whole channels of an input ``(N, C, L)`` or ``(C, L)``.

    Example::

        >>> torch.nn.Dropout1d(0.2).eval()(torch.ones(1, 1, 2))
        tensor([[[1., 1.]]])
    """

    def forward(self, input: Tensor) -> Tensor:
        """Returns ``dropout1d(input)``."""
        return F.dropout1d(input, self.p, self.training, self.inplace)


class Dropout2d(_DropoutNd):
    """Like `Dropout` for whole channels of an input ``(N, C, H, W)``.

    Example::

        >>> torch.nn.Dropout2d(0.2).eval()(torch.ones(1, 1, 1, 2))
        tensor([[[[1., 1.]]]])
    """

    def forward(self, input: Tensor) -> Tensor:
        """Returns ``dropout2d(input)``."""
        return F.dropout2d(input, self.p, self.training, self.inplace)


class Dropout3d(_DropoutNd):
    """Like `Dropout` for whole channels of an input ``(N, C, D, H, W)`` or ``(C, D, H, W)``.

    Example::

        >>> torch.nn.Dropout3d(0.2).eval()(torch.ones(1, 1, 1, 2))
        tensor([[[[1., 1.]]]])
    """

    def forward(self, input: Tensor) -> Tensor:
        """Returns ``dropout3d(input)``."""
        return F.dropout3d(input, self.p, self.training, self.inplace)


class AlphaDropout(_DropoutNd):
    """Dropout that sets elements to selu's limit, and keeps mean and variance.

    Source: Klambauer et al., *Self-Normalizing Neural Networks*, arXiv:1706.02515.

    Example::

        >>> torch.nn.AlphaDropout().eval()(torch.ones(2))
        tensor([1., 1.])
    """

    def forward(self, input: Tensor) -> Tensor:
        """Returns ``alpha_dropout(input)``."""
        return F.alpha_dropout(input, self.p, self.training)


class FeatureAlphaDropout(_DropoutNd):
    """`AlphaDropout` of whole channels (dimension 1).

    Example::

        >>> torch.nn.FeatureAlphaDropout().eval()(torch.ones(1, 2))
        tensor([[1., 1.]])
    """

    def forward(self, input: Tensor) -> Tensor:
        """Returns ``feature_alpha_dropout(input)``."""
        return F.feature_alpha_dropout(input, self.p, self.training)
