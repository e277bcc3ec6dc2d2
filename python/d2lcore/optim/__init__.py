"""`torch.optim`: optimisers, each one C++ call per step and parameter group."""

from __future__ import annotations

from d2lcore.optim.adam import Adam, AdamW
from d2lcore.optim.optimizer import Optimizer
from d2lcore.optim.sgd import SGD

__all__ = ["SGD", "Adam", "AdamW", "Optimizer"]
