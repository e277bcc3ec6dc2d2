"""`torch.nn.utils`: helpers around modules."""

from __future__ import annotations

from d2lcore.nn.utils import rnn

__all__ = ["rnn"]
