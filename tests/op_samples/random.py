"""Samples of random numbers: the first numbers that PyTorch 2.13 gives after ``manual_seed(0)``."""

from __future__ import annotations

import d2lcore as torch
import numpy as np

from op_samples.base import E, Op, S, c, t

F64 = torch.float64


def first(*values):
    """A reference: these values, whatever the arguments."""
    return lambda *_, **__: np.array(values)


UNIFORM = first(0.49625658988952637, 0.7682217955589294, 0.08847743272781372, 0.13203048706054688)
UNIFORM3 = first(0.49625658988952637, 0.7682217955589294, 0.08847743272781372)
UNIFORM64 = first(0.9700530018065531, 0.707819864399788, 0.45938294312745087, 0.9207476841219603)
NORMAL = first(1.5409960746765137, -0.293428897857666, -2.1787893772125244, 0.5684312582015991)
NORMAL64 = first(1.5409961082440433, -0.2934289057609464, -2.1787893820745574, 0.5684312772806678)
SHIFTED = first(4.081992149353027, 0.4131421744823456, -3.357578754425049)
MEANS = first(3.0819921493530273, 0.41314220428466797, -2.357578754425049)
DIGITS = first(4, 9, 3, 0, 3)
AROUND = first(-1, 4, -2, -5, -2)
RANGES = [E(RuntimeError, "random_ expects 'from' to be less than 'to', but got from=3 >= to=3", 3, 3, (2,))]
NEGATIVE = [E(RuntimeError, "ative", (-1,))]
COUNT = c([0.0, 1.0, 2.0], "float32")
TWO = c([2.0, 2.0, 2.0], "float32")
ZEROS = {"method": False, "inplace": False, "grad": False, "variants": False}


def _far(last):
    """A check of the last numbers of a longer stream (the vector path of PyTorch)."""

    def check(result, args, kwargs):
        got = np.array(result.flatten()[-len(last):].tolist())
        assert np.allclose(got, last, 1e-6, 1e-6), got

    return check


def _op(name, samples, errors=(), **more):
    return Op(name, None, samples, errors, **{"dtypes": "f", "result": None, "seeded": True, **ZEROS, **more})


OPS = [
    _op("rand", [S(4, _ref=UNIFORM), S((2, 2), _out=False, _ref=lambda *_: UNIFORM().reshape(2, 2)), S(4, dtype=F64, _ref=UNIFORM64)], NEGATIVE),
    _op("randn", [S(4, _ref=NORMAL), S(4, dtype=F64, _ref=NORMAL64)], NEGATIVE),
    _op("randint", [S(10, (5,), _ref=DIGITS), S(-5, 5, (5,), _ref=AROUND),
                    S(0, 2**40, (3,), _ref=first(741280623151, 506137267392, 291447657211))], RANGES),
    _op("randperm", [S(8, _ref=lambda n: _permutation())], [E(RuntimeError, "", -1)], out=False),
    _op("normal", [S(COUNT, TWO, _ref=MEANS), S(COUNT, 2.0, _ref=MEANS),
                   S(1.0, TWO, _ref=first(4.081992149353027, 0.41314220428466797, -3.357578754425049)), S(1.0, 2.0, (3,), _ref=SHIFTED)],
        [E(RuntimeError, "normal expects std >= 0.0, but found std -1", 0.0, -1.0, (2,))]),
    _op("rand_like", [S(t(3), _ref=UNIFORM3)]),
    _op("randn_like", [S(t(4), _ref=NORMAL)]),
    _op("randint_like", [S(t(5), 10, _ref=DIGITS), S(t(5), -5, 5, _ref=AROUND)]),
    _op("uniform_", [S(t(3), -1, 1, _ref=first(-0.007486820220947266, 0.5364435911178589, -0.8230451345443726))],
        [E(RuntimeError, "uniform_ expects to return a [from, to) range, but found from=2 > to=1", t(2), 2.0, 1.0)]),
    _op("normal_", [S(t(3), 1, 2, _ref=SHIFTED)], [E(RuntimeError, "normal expects std >= 0.0, but found std -1", t(2), 0.0, -1.0)]),
    _op("random_", [S(c([0, 0, 0], "int64"), 0, 10, _ref=first(4, 9, 3)), S(t(3), 7, _ref=first(4, 3, 0)),
                    S(c([0, 0, 0], "uint8"), _ref=first(172, 47, 117)), S(t(3), _ref=first(8325664.0, 12888472.0, 1484222.0))],
        [E(RuntimeError, "random_ expects 'from' to be less than 'to', but got from=3 >= to=3", t(2), 3, 3)]),
    _op("exponential_", [S(t(3), 2.0, _ref=first(1.754163146018982, 0.6151923537254333, 0.3075220584869385))],
        [E(RuntimeError, "exponential_ expects lambda > 0.0, but found lambda=-1", t(2), -1.0)], tol=4),
    _op("bernoulli", [S(c([0.5] * 6, "float32"), _ref=first(1, 0, 1, 1, 1, 0)), S(t(6), 0.0, _ref=first(0, 0, 0, 0, 0, 0)),
                      S(t(3), 1.0, _ref=first(1, 1, 1))],
        [E(RuntimeError, "bernoulli_ expects p to be in [0, 1], but got p=2", t(2), 2.0)], out=False),
    _op("bernoulli_", [S(t(6), 0.3, _ref=first(0, 0, 0, 0, 0, 0)), S(t(3), c([0.0, 1.0, 1.0], grad=False), _ref=first(0, 1, 1))],
        [E(RuntimeError, "bernoulli_ expects p to be in [0, 1], but got p=2", t(2), 2.0),
         E(RuntimeError, "p_in >= 0 && p_in <= 1", t(2), c([0.5, 1.5]))]),
    _op("cauchy_", [S(t(3), 0.5, 2.0, _ref=first(21.695459365844727, 2.0295345783233643, 0.24340131878852844))],
        [E(RuntimeError, "cauchy_ expects sigma > 0.0, but found sigma=-1", t(2), 0.0, -1.0)]),
    _op("log_normal_", [S(t(3), 0.3, 0.7, _ref=first(3.969726800918579, 1.0992188453674316, 0.29371288418769836))],
        [E(RuntimeError, "log_normal_ expects std > 0.0, but found std=-1", t(2), 0.0, -1.0)]),
    _op("geometric_", [S(t(4), 0.3, _ref=first(1, 1, 3, 1))],
        [E(RuntimeError, "geometric_ expects p to be in (0, 1), but got p=2", t(2), 2.0)]),
    _op("poisson", [S(c([0.0, 3.5, 40.0, 7.0], "float32"), _ref=first(0, 6, 37, 7))],
        [E(RuntimeError, "invalid Poisson rate", c([-1.0], "float32"))]),
    _op("binomial", [S(c([5.0, 50.0], "float32"), c([0.5, 0.4], "float32"), _ref=first(4, 23))],
        [E(RuntimeError, "Found dtype Double but expected Float", c([1.0], "float32"), c([1.0], "float64"))]),
    _op("multinomial", [S(c([0.0, 1.0, 3.0, 2.0], "float32"), 3, _ref=first(2, 1, 3)),
                        S(c([0.0, 1.0, 3.0, 2.0], "float32"), 5, True, _ref=first(3, 3, 2, 3, 2)),
                        S(c([[0.0, 1.0], [1.0, 0.0]], "float32"), 1, _ref=first([1], [0]))],
        [E(RuntimeError, "prob_dist must be 1 or 2 dim", t(2, 2, 2), 1),
         E(RuntimeError, "multinomial only supports floating-point", c([1, 2], "int64"), 1),
         E(RuntimeError, "cannot sample n_sample <= 0 samples", t(2), 0),
         E(RuntimeError, "without replacement", t(2), 3)], out=False),
    _op("rand", [S(20)], check=_far([0.800011396408081, 0.16102945804595947, 0.28226858377456665])),
    _op("randn", [S(20)], check=_far([0.9318265914916992, 1.2590092420578003, 2.0049805641174316, 0.05373690277338028])),
    _op("randn", [S(20, dtype=F64)], check=_far([0.6748575435940039, 1.0468653769814655, 0.15429517864658948, -0.7498915228391941])),
    _op("nn.dropout", [S(c([1.0] * 6, "float32"), 0.5, _ref=first(0, 0, 2, 0, 0, 0))]),
]  # fmt: skip


def _permutation():
    return np.array([4, 0, 7, 3, 2, 5, 1, 6])
