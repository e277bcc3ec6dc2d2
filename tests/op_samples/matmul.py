"""Samples of products of matrices and vectors."""

from __future__ import annotations

import numpy as np

from op_samples.base import FLOATS, E, Op, S, aliases, c, t

SIZES = "mat1 and mat2 shapes cannot be multiplied (2x3 and 4x2)"
MIXED = E(RuntimeError, "expected m1 and m2 to have the same dtype, but got: float != double", c([[1.0]], "float32"),
          c([[1.0]], "float64"))


def _plus(product):
    """beta * input + alpha * product."""

    def call(x, a, b, beta=1, alpha=1):
        return (beta * x if beta else 0) + alpha * product(a, b)

    return call


def _power(a, n):
    return np.linalg.matrix_power(a, n)


OUTER = Op("outer", np.outer, [S(t(3), t(4)), S(t(0), t(2))],
           [E(RuntimeError, "outer: Expected 1-D argument self, but got 2-D", t(2, 2), t(2))], dtypes="fdegl")
POWER = [S(t(3, 3), 3), S(t(3, 3), 0), S(t(2, 3, 3), 2), S(t(3, 3), 1)]
MATMUL = Op("matmul", np.matmul,
            [S(t(3, 4), t(4, 2)), S(t(4), t(4)), S(t(3, 4), t(4)), S(t(4), t(4, 2)), S(t(2, 3, 4), t(4, 2)), S(t(2, 3, 4), t(2, 4, 2)),
             S(t(2, 1, 3, 4), t(3, 4, 2)), S(t(2, 3, 4), t(4)), S(t(4), t(2, 4, 3)), S(t(0, 4), t(4, 2)), S(t(3, 0), t(0, 2)),
             S(t(17, 33), t(33, 35), _grad=False), S(t(1, 70), t(70, 40), _grad=False), S(t(65, 64), t(64), _grad=False)],
            [E(RuntimeError, SIZES, t(2, 3), t(4, 2)), E(RuntimeError, "size mismatch, got input (2), mat (2x3), vec (4)", t(2, 3), t(4)),
             E(RuntimeError, "inconsistent tensor size, expected tensor [3] and src [4] to have the same number of elements, but got 3 and 4 elements respectively", t(3), t(4)),
             E(RuntimeError, "both arguments to matmul need to be at least 1D, but they are 0D and 1D", t(), t(3)), MIXED],
            dtypes="fdegl", tol=40)
OPS = [
    Op("mm", np.matmul, [S(t(3, 4), t(4, 2)), S(t(0, 3), t(3, 2)), S(t(3, 0), t(0, 2)), S(t(20, 30), t(30, 40), _grad=False)],
       [E(RuntimeError, SIZES, t(2, 3), t(4, 2)), E(RuntimeError, "self must be a matrix", t(2), t(2, 2)),
        E(RuntimeError, "mat2 must be a matrix", t(2, 2), t(2)), MIXED], dtypes="fdegl", tol=40),
    Op("mv", np.matmul, [S(t(3, 4), t(4)), S(t(40, 50), t(50), _grad=False)],
       [E(RuntimeError, "size mismatch, got input (2), mat (2x3), vec (4)", t(2, 3), t(4)),
        E(RuntimeError, "vector + matrix @ vector expected, got 1, 1, 1", t(2), t(2))], dtypes="fdegl", tol=40),
    Op("dot", np.dot, [S(t(4), t(4)), S(t(0), t(0)), S(t(100), t(100), _grad=False)],
       [E(RuntimeError, "1D tensors expected, but got 2D and 1D tensors", t(2, 2), t(2)),
        E(RuntimeError, "inconsistent tensor size, expected tensor [3] and src [4] to have the same number of elements, but got 3 and 4 elements respectively", t(3), t(4)),
        E(RuntimeError, "dot : expected both vectors to have same dtype, but found Float and Double", c([1.0], "float32"), c([1.0], "float64"))],
       dtypes="fdegl", tol=40),
    Op("vdot", np.vdot, [S(t(4), t(4))], [E(RuntimeError, "1D tensors expected", t(2, 2), t(2))], dtypes="fdl", tol=10),
    Op("bmm", np.matmul, [S(t(2, 3, 4), t(2, 4, 2)), S(t(0, 3, 4), t(0, 4, 2)), S(t(3, 9, 8), t(3, 8, 17), _grad=False)],
       [E(RuntimeError, "batch1 must be a 3D tensor", t(2, 3), t(2, 3, 2)),
        E(RuntimeError, "Expected size for first two dimensions of batch2 tensor to be: [2, 4] but got: [2, 3].", t(2, 3, 4), t(2, 3, 4))],
       dtypes="fdegl", tol=40),
    MATMUL, *aliases(MATMUL, "linalg.matmul"),
    Op("nn.linear", lambda x, w, b=0: x @ w.T + b, [S(t(3, 4), t(2, 4), t(2)), S(t(3, 4), t(2, 4)), S(t(4), t(2, 4), t(2)), S(t(2, 3, 4), t(5, 4), t(5))],
       [E(RuntimeError, "mat1 and mat2 shapes cannot be multiplied (2x3 and 4x2)", t(2, 3), t(2, 4))], dtypes=FLOATS, tol=40),
    Op("addmm", _plus(np.matmul), [S(t(3, 2), t(3, 4), t(4, 2)), S(t(2), t(3, 4), t(4, 2), beta=2, alpha=3), S(t(3, 2), t(3, 4), t(4, 2), beta=0, _inplace=False)],
       [E(RuntimeError, SIZES, t(2, 2), t(2, 3), t(4, 2)), E(RuntimeError, "The expanded size of the tensor (2) must match the existing size (3)", t(3), t(2, 3), t(3, 2))],
       dtypes="fdegl", tol=40),
    Op("addmv", _plus(np.matmul), [S(t(3), t(3, 4), t(4)), S(t(1), t(3, 4), t(4), beta=2, alpha=3)],
       [E(RuntimeError, "size mismatch, got input (2), mat (2x3), vec (4)", t(2), t(2, 3), t(4))], dtypes="fdegl", tol=40),
    Op("baddbmm", _plus(np.matmul), [S(t(2, 3, 2), t(2, 3, 4), t(2, 4, 2)), S(t(2), t(2, 3, 4), t(2, 4, 2), beta=2, alpha=3)],
       [E(RuntimeError, "batch1 must be a 3D tensor", t(2), t(2, 3), t(2, 3))], dtypes="fdl", tol=40),
    OUTER, *aliases(OUTER, "ger"),
    Op("addr", _plus(np.outer), [S(t(3, 4), t(3), t(4)), S(t(4), t(3), t(4), beta=2, alpha=3)],
       [E(RuntimeError, "addr: Expected 1-D argument vec1, but got 2-D", t(2, 2), t(2, 2), t(2))], dtypes="fdl", tol=10),
    Op("addbmm", _plus(lambda a, b: np.matmul(a, b).sum(0)), [S(t(3, 2), t(2, 3, 4), t(2, 4, 2)), S(t(2), t(2, 3, 4), t(2, 4, 2), beta=2, alpha=3)],
       [E(RuntimeError, "batch1 must be a 3D tensor", t(2), t(2, 3), t(2, 3))], dtypes="fdl", tol=40),
    Op("inner", np.inner, [S(t(3, 4), t(2, 4)), S(t(4), t(4)), S(t(), t(3))],
       [E(RuntimeError, "inner() the last dimension must match on both input tensors but got shapes [2, 3] and [2, 4]", t(2, 3), t(2, 4))],
       dtypes="fdl", tol=40),
    Op("kron", np.kron, [S(t(2, 2), t(3, 2)), S(t(2), t(2, 3)), S(t(), t(2))], dtypes="fdl", tol=10),
    Op("matrix_power", _power, POWER, [E(RuntimeError, "linalg.matrix_power: A must be batches of square matrices, but they are 2 by 3 matrices", t(2, 3), 2)],
       dtypes="fd", tol=100),
    Op("linalg.matrix_power", _power, POWER, [E(RuntimeError, "linalg.matrix_power: The input tensor A must have at least 2 dimensions.", t(2), 2)], dtypes="fd", tol=100),
    Op("einsum", np.einsum, [S("ij,jk->ik", t(2, 3), t(3, 4)), S("ii->i", t(3, 3)), S("bij,bkj->bik", t(2, 2, 3), t(2, 4, 3)), S("i,j", t(2), t(3)),
                             S("...ij->...ji", t(2, 3, 4)), S("ij->", t(2, 3)), S("ij,j,i->j", t(2, 3), t(3), t(2))],
       [E(RuntimeError, "einsum(): ", "ij,jk->ik", t(2, 3), t(4, 2))], dtypes="fd", tol=40, out=False),
    Op("tensordot", lambda a, b, dims=2: np.tensordot(a, b, dims), [S(t(2, 3, 4), t(3, 4, 2)), S(t(2, 3), t(3, 2), 1), S(t(2, 3), t(2, 3), ([0], [0])), S(t(2), t(3), dims=0)],
       [E(RuntimeError, "contracted dimensions need to match, but first has size 3 in dim", t(2, 3), t(4, 2), 1)],
       dtypes="fdl", tol=40),
    Op("linalg.multi_dot", lambda m: np.linalg.multi_dot(m) if len(m) > 1 else m[0], [S([t(2, 3), t(3, 4), t(4, 2)]), S([t(3), t(3, 4), t(4)]), S([t(2, 3), t(3, 2)])],
       [E(RuntimeError, "multi_dot(): expected at least 2 tensors but got 0", [])], dtypes="fd", tol=100),
]  # fmt: skip
