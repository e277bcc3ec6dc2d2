"""`torch.optim`: optimisers, each one C++ call per step and parameter group."""

from __future__ import annotations

from d2lcore.optim import lr_scheduler, swa_utils
from d2lcore.optim._adafactor import Adafactor
from d2lcore.optim._muon import Muon
from d2lcore.optim.adadelta import Adadelta
from d2lcore.optim.adagrad import Adagrad
from d2lcore.optim.adam import Adam, AdamW
from d2lcore.optim.adamax import Adamax
from d2lcore.optim.asgd import ASGD
from d2lcore.optim.lbfgs import LBFGS
from d2lcore.optim.nadam import NAdam
from d2lcore.optim.optimizer import Optimizer
from d2lcore.optim.radam import RAdam
from d2lcore.optim.rmsprop import RMSprop
from d2lcore.optim.rprop import Rprop
from d2lcore.optim.sgd import SGD

__all__ = [
    "ASGD",
    "LBFGS",
    "SGD",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Muon",
    "NAdam",
    "Optimizer",
    "RAdam",
    "RMSprop",
    "Rprop",
    "lr_scheduler",
    "swa_utils",
]
