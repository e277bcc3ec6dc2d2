"""Samples of linear algebra: factorisations, systems, and what is made of them."""

from __future__ import annotations

import math
from typing import Any

import d2lcore as torch
import numpy as np

from op_samples.base import E, Op, S, aliases, c, i, t

LinAlgError = torch.linalg.LinAlgError
SQUARE = "must be batches of square matrices, but they are 2 by 3 matrices"
DEEP = "The input tensor A must have at least 2 dimensions."
ONES = [[1.0, 1.0], [1.0, 1.0]]
# Well away from singular: the diagonal outweighs the rest.
SURE = [[4.0, 1.0, -0.5], [0.7, -3.0, 1.2], [0.3, 0.4, 5.0]]
PAIR = [SURE, [[1.0, 2.0, 0.5], [-3.0, 0.2, 0.1], [0.4, 1.3, 2.0]]]


def spd(*shape: int) -> Any:
    """Symmetric positive-definite matrices; differences by one element would leave them."""
    return t(*shape, special="spd", grad=False)


def packed(a: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """LU with partial pivoting, one matrix."""
    a, pivots = a.copy(), []
    for k in range(min(a.shape)):
        at = k + int(np.argmax(np.abs(a[k:, k])))
        pivots.append(at + 1)
        a[[k, at]] = a[[at, k]]
        if a[k, k] != 0:
            a[k + 1 :, k] /= a[k, k]
            a[k + 1 :, k + 1 :] -= np.outer(a[k + 1 :, k], a[k, k + 1 :])
    return a, np.array(pivots, dtype="i4")


def lu_factor(a, pivot=True):
    """The packed factors and pivots of a batch."""
    flat = [packed(m) for m in a.reshape(math.prod(a.shape[:-2]), *a.shape[-2:])]
    batch = a.shape[:-2]
    return (np.array([f[0] for f in flat], dtype="f8").reshape(a.shape),
            np.array([f[1] for f in flat], dtype="i4").reshape(*batch, min(a.shape[-2:])))  # fmt: skip


def unpack(lu, pivots, unpack_data=True, unpack_pivots=True):
    """P, L and U of the packed factors."""
    m, n = lu.shape[-2:]
    k = min(m, n)
    p = np.zeros((*lu.shape[:-2], m, m))
    for at in np.ndindex(*lu.shape[:-2]):
        order = list(range(m))
        for row, other in enumerate(pivots[at]):
            order[row], order[other - 1] = order[other - 1], order[row]
        p[at][order, range(m)] = 1
    low = np.tril(lu[..., :k], -1) + np.eye(m, k)
    empty = np.zeros(0)
    return (p if unpack_pivots else empty, low if unpack_data else empty,
            np.triu(lu[..., :k, :]) if unpack_data else empty)  # fmt: skip


def lu_solve(lu, pivots, b, left=True, adjoint=False):
    """A X = B and its kin, A put together again."""
    p, low, up = unpack(lu, pivots)
    a = p @ low @ up
    return solve(np.swapaxes(a, -1, -2) if adjoint else a, b, left)


def solve(a, b, left=True):
    """X of A X = B, or of X A = B; vectors as the last dimension where the batch says so."""
    if left and (b.ndim == 1 or b.shape == a.shape[:-1]):
        return np.linalg.solve(a, b[..., None])[..., 0]
    if left:
        return np.linalg.solve(a, b)
    return np.swapaxes(np.linalg.solve(np.swapaxes(a, -1, -2), np.swapaxes(b, -1, -2)), -1, -2)


def solve_triangular(a, b, upper, left=True, unitriangular=False):
    """The same with a part of A."""
    part = np.triu(a) if upper else np.tril(a)
    if unitriangular:
        part = part - part * np.eye(a.shape[-1]) + np.eye(a.shape[-1])
    return solve(part, b, left)


def triangular_solve(b, a, upper=True, transpose=False, unitriangular=False):
    """The older face of it."""
    part = np.swapaxes(a, -1, -2) if transpose else a
    x = solve_triangular(part, b, upper != transpose, True, unitriangular)
    return x, np.broadcast_to(a, (*x.shape[:-2], *a.shape[-2:]))


def cholesky(a, upper=False):
    """The factor, of one triangle."""
    low = np.linalg.cholesky(np.tril(a) + np.swapaxes(np.tril(a, -1), -1, -2))
    return np.swapaxes(low, -1, -2) if upper else low


def gram(low, upper=False):
    """What the factor is the factor of."""
    part = np.triu(low) if upper else np.tril(low)
    other = np.swapaxes(part, -1, -2)
    return other @ part if upper else part @ other


def old_svd(a, some=True, compute_uv=True):
    """U, S, V."""
    u, s, vh = np.linalg.svd(a, full_matrices=not some)
    if not compute_uv:
        m, n = a.shape[-2:]
        return np.zeros((*a.shape[:-2], m, m)), s, np.zeros((*a.shape[:-2], n, n))
    return u, s, np.swapaxes(vh, -1, -2)


def bound(s, atol, rtol, a):
    """What a singular value has to exceed."""
    usual = np.finfo("f8").eps * max(a.shape[-2:]) if atol is None else 0.0
    relative = usual if rtol is None else np.asarray(rtol)[..., None]
    absolute = 0.0 if atol is None else np.asarray(atol)[..., None]
    return np.maximum(absolute, relative * s.max(axis=-1, keepdims=True))


def matrix_rank(a, *, atol=None, rtol=None, hermitian=False):
    """The number of singular values above the bound."""
    s = np.linalg.svd(a, compute_uv=False)
    return (s > bound(s, atol, rtol, a)).sum(-1)


def pinv(a, *, atol=None, rtol=None, hermitian=False):
    """The pseudo-inverse by singular values."""
    if a.size == 0:
        return np.zeros((*a.shape[:-2], a.shape[-1], a.shape[-2]))
    u, s, vh = np.linalg.svd(a, full_matrices=False)
    big = s > bound(s, atol, rtol, a)
    inverse = np.where(big, 1 / np.where(big, s, 1), 0)
    return np.swapaxes(vh, -1, -2) @ (inverse[..., None] * np.swapaxes(u, -1, -2))


def lstsq(a, b, rcond=None, *, driver=None):
    """Solution, residuals, rank, singular values, as the drivers give them."""
    vector = b.ndim < a.ndim
    x = pinv(a) @ (b[..., None] if vector else b)
    rest = ((a @ x - (b[..., None] if vector else b)) ** 2).sum(-2)
    values = np.linalg.svd(a, compute_uv=False)
    m, n = a.shape[-2:]
    empty = np.zeros(0)
    return (x[..., 0] if vector else x, rest if m > n and driver in ("gels", "gelsd", "gelss") else empty,
            empty if driver == "gels" else np.full(a.shape[:-2], min(m, n)),
            values if driver in ("gelsd", "gelss") else empty)  # fmt: skip


def matrix_exp(a):
    """Taylor's series of a matrix halved ten times."""
    x, term = np.broadcast_to(np.eye(a.shape[-1]), a.shape), np.eye(a.shape[-1])
    for k in range(1, 20):
        term = term @ (a / 1024) / k
        x = x + term
    for _ in range(10):
        x = x @ x
    return x


def householder(a, tau):
    """The product of reflections, its first columns."""
    q = np.broadcast_to(np.eye(*a.shape[-2:]), a.shape)
    v = np.tril(a, -1) + np.eye(*a.shape[-2:])
    for k in range(tau.shape[-1] - 1, -1, -1):
        column = v[..., k : k + 1]
        q = q - tau[..., k, None, None] * column @ (np.swapaxes(column, -1, -2) @ q)
    return q


def ormqr(a, tau, c, left=True, transpose=False):
    """By the whole of Q."""
    m = a.shape[-2]
    wide = np.concatenate([a, np.zeros((*a.shape[:-1], m - a.shape[-1]))], -1)
    q = householder(wide, tau)
    q = np.swapaxes(q, -1, -2) if transpose else q
    return q @ c if left else c @ q


def no_info(a):
    """All of a batch succeeded."""
    return np.zeros(a.shape[:-2], dtype="i4")


def check_eig(got, args, kwargs):
    """A V = V L, columns of length 1; values alone: those of NumPy, in any order."""
    a = args[0].detach().double().numpy()
    want = np.linalg.eigvals(a)
    values = (got[0] if isinstance(got, tuple) else got).numpy()
    assert np.allclose(np.sort_complex(values), np.sort_complex(want), atol=1e-4)
    if isinstance(got, tuple):
        vectors = got[1].numpy()
        assert np.allclose(a @ vectors, vectors * values[..., None, :], atol=1e-4)
        assert np.allclose(np.linalg.norm(vectors, axis=-2), 1, atol=1e-5)


MORE: dict[str, Any] = dict(dtypes="fd", expand=False, tol=100)
INVERSES = [S(c(SURE)), S(c(PAIR)), S(t(0, 0)), S(t(2, 0, 0))]
SINGULAR = E(
    LinAlgError,
    "The diagonal element 2 is zero, the inversion could not be completed because the input "
    "matrix is singular.",
    c(ONES),
)
SYSTEMS = [
    S(c(SURE), t(3, 2)),
    S(c(PAIR), t(2, 3, 2)),
    S(c(PAIR), t(2, 3)),
    S(c(SURE), t(3)),
    S(c(PAIR), t(3, 1)),
    S(c(SURE), t(2, 3, 2)),
    S(c(SURE), t(2, 3), left=False),
    S(t(0, 0), t(0, 2)),
]
SHAPES = E(
    RuntimeError,
    "Incompatible shapes of A and B for the equation AX = B (3x3 and 2x2)",
    t(3, 3),
    t(2, 2),
)
FACTORED = [[4.0, 1.0, -0.5], [0.2, -3.0, 1.2], [0.1, -0.4, 5.0]]
PIVOTS = c([2, 3, 3], dtype="int32")
TENSORS = dict(atol=c(0.01, dtype="float64"), rtol=c(0.01, dtype="float64"))
INV = Op(
    "linalg.inv",
    np.linalg.inv,
    INVERSES,
    [
        SINGULAR,
        E(RuntimeError, "linalg.inv: A " + SQUARE, t(2, 3)),
        E(RuntimeError, "linalg.inv: " + DEEP, t(3)),
        E(LinAlgError, "(Batch element 1)", c([SURE, np.zeros((3, 3)).tolist()])),
        E(
            RuntimeError,
            "linalg.inv: Low precision dtypes not supported. Got Half",
            t(2, 2, dtype="float16"),
        ),
    ],
    **MORE,
)
DET = Op(
    "linalg.det",
    np.linalg.det,
    [*INVERSES, S(t(5, 5), _variants=False)],
    [
        E(RuntimeError, "linalg.det: A " + SQUARE, t(2, 3)),
        E(
            RuntimeError,
            "linalg.det: Expected a floating point or complex tensor as input. Got Long",
            t(2, 2, dtype="int64"),
        ),
    ],
    **MORE,
)
SLOGDET = Op(
    "linalg.slogdet",
    lambda a: tuple(np.linalg.slogdet(a)),
    INVERSES,
    [E(RuntimeError, "linalg.slogdet: A " + SQUARE, t(2, 3))],
    **MORE,
)
CHOLESKY = Op(
    "linalg.cholesky",
    cholesky,
    [
        S(spd(3, 3)),
        S(spd(2, 3, 3)),
        S(spd(3, 3), upper=True),
        S(t(0, 0)),
        S(spd(40, 40), _variants=False),
    ],
    [
        E(
            LinAlgError,
            "linalg.cholesky: The factorization could not be completed because the input is not positive-definite "
            "(the leading minor of order 2 is not positive-definite).",
            c(ONES),
        ),
        E(RuntimeError, "linalg.cholesky: A " + SQUARE, t(2, 3)),
    ],
    **MORE,
)
OLD_CHOLESKY = aliases(CHOLESKY, "cholesky")[0]
OLD_CHOLESKY.errors = [
    E(LinAlgError, "cholesky: The factorization could not be completed", c(ONES))
]
QR = Op(
    "linalg.qr",
    lambda a, mode="reduced": tuple(np.linalg.qr(a, mode)),
    [
        S(t(4, 3)),
        S(t(2, 3, 4)),
        S(t(3, 3)),
        S(t(2, 3, 3), "complete"),
        S(t(4, 3), "complete", _grad=False),
        S(t(4, 3), "r", _grad=False, _ref=lambda a, mode: (np.zeros(0), np.linalg.qr(a, "r"))),
    ],
    [
        E(
            RuntimeError,
            "qr received unrecognized mode 'x' but expected one of 'reduced' (default), 'r', or 'complete'",
            t(2, 2),
            "x",
        )
    ],
    **MORE,
)
SVD = Op(
    "linalg.svd",
    lambda a, full_matrices=True: tuple(np.linalg.svd(a, full_matrices)),
    [
        S(t(3, 3)),
        S(t(4, 3), False),
        S(t(2, 3, 4), full_matrices=False),
        S(t(4, 3), _grad=False),
        S(t(3, 5), _grad=False),
    ],
    [
        E(
            LinAlgError,
            "linalg.svd: The algorithm failed to converge because the input matrix contained non-finite values.",
            c([[np.nan, 1.0], [0.0, 1.0]]),
        ),
        E(RuntimeError, "linalg.svd: " + DEEP, t(3)),
        E(
            RuntimeError,
            "keyword argument `driver=` is only supported on CUDA inputs",
            t(2, 2),
            driver="gesvd",
        ),
    ],
    **MORE,
)
OPS = [
    Op("linalg.lu_factor_ex", lambda a, **_: (*lu_factor(a), no_info(a)), [S(t(3, 3)), S(t(2, 4, 3)), S(t(2, 3, 5)), S(t(0, 3))],
       [E(RuntimeError, "linalg.lu_factor: LU without pivoting is not implemented on the CPU", t(2, 2), pivot=False)], **MORE),
    Op("linalg.lu_factor", lu_factor, [S(t(3, 3)), S(t(2, 4, 3)), S(t(40, 40), _variants=False)],
       [E(RuntimeError, "torch.lu_factor: Expected tensor with 2 or more dimensions. Got size: [3] instead", t(3)),
        E(RuntimeError, "torch.linalg.lu_factor: U[2,2] is zero and using it on lu_solve would result in a division by zero.", c(ONES))], **MORE),
    Op("linalg.lu", lambda a: unpack(*lu_factor(a)), [S(t(3, 3)), S(t(2, 4, 3)), S(t(2, 3, 5)), S(t(0, 2))],
       [E(RuntimeError, "linalg.lu: Expected tensor with 2 or more dimensions. Got size: [3] instead", t(3))], **MORE),
    Op("lu_unpack", unpack, [S(c(FACTORED), PIVOTS), S(t(4, 3), PIVOTS), S(t(3, 5), PIVOTS), S(t(3, 3), PIVOTS, unpack_data=False, _grad=False),
                             S(t(3, 3), PIVOTS, unpack_pivots=False)],
       [E(RuntimeError, "pivots passed to lu_unpack must be between 1 and LU.size(-2)", t(3, 3), c([0, 5, 9], dtype="int32")),
        E(RuntimeError, "LU_pivots is expected to be a contiguous tensor of torch.int32 dtype", t(3, 3), i(3, high=3))],
       **{**MORE, "variants": False}),
    Op("linalg.lu_solve", lu_solve, [S(c(FACTORED), PIVOTS, t(3, 2), **more) for more in
                                     ({}, {"adjoint": True})] + [S(c(FACTORED), PIVOTS, t(2, 3), left=False, adjoint=adjoint) for adjoint in (False, True)],
       [E(RuntimeError, "linalg.lu_solve: Incompatible shapes of A and B for the equation AX = B", c(FACTORED), PIVOTS, t(2, 2)),
        E(RuntimeError, "pivots should be a Tensor of scalar type torch.int32", c(FACTORED), i(3, high=3), t(3, 2)),
        E(RuntimeError, "Pivots given to lu_solve must all be greater or equal to 1", c(FACTORED), c([0, 1, 2], dtype="int32"), t(3, 2)),
        E(RuntimeError, "Pivots given to lu_solve must all be smaller or equal to", c(FACTORED), c([1, 2, 9], dtype="int32"), t(3, 2))], **MORE),
    Op("lu_solve", lambda b, lu, pivots: lu_solve(lu, pivots, b), [S(t(3, 2), c(FACTORED), PIVOTS)],
       [E(RuntimeError, "Incompatible shapes", t(2, 2), c(FACTORED), PIVOTS)], **MORE),
    DET, *aliases(DET, "det"), SLOGDET, *aliases(SLOGDET, "slogdet"),
    Op("logdet", lambda a: np.log(np.linalg.det(a)), [S(c([[2.0, 1.0], [0.5, 3.0]])), S(c([[[2.0, 1.0], [0.5, 3.0]], [[1.0, 0.0], [0.0, 4.0]]])),
                                                      S(c([[1.0, 0.0], [0.0, -4.0]]), _grad=False)],
       [E(RuntimeError, "logdet: A " + SQUARE, t(2, 3))], **MORE),
    Op("linalg.inv_ex", lambda a: (np.linalg.inv(a), no_info(a)), INVERSES, [E(LinAlgError, "linalg.inv_ex: The diagonal element 2 is zero", c(ONES), check_errors=True)],
       **MORE),
    INV, *aliases(INV, "inverse"),
    Op("linalg.solve_ex", lambda a, b, left=True: (solve(a, b, left), no_info(a)), SYSTEMS[:3], [SHAPES], **MORE),
    Op("linalg.solve", solve, [*SYSTEMS, S(t(50, 50), t(50, 3), _variants=False, _grad=False)],
       [SHAPES, E(LinAlgError, "torch.linalg.solve: The solver failed because the input matrix is singular.", c(ONES), t(2, 2)),
        E(RuntimeError, "Expected A and B to have the same dtype, but found A of type Float and B of type Double", t(2, 2), t(2, 2, dtype="float64"))], **MORE),
    Op("linalg.solve_triangular", solve_triangular,
       [S(c(SURE), t(3, 2), upper=True), S(c(PAIR), t(2, 3, 2), upper=False), S(c(SURE), t(2, 3), upper=True, left=False),
        S(c(SURE), t(2, 3), upper=False, left=False, unitriangular=True), S(t(3, 3), t(2, 3, 1), upper=True, unitriangular=True),
        S(t(40, 40, lo=0.4, hi=0.6), t(40, 2), upper=True, unitriangular=True, _variants=False, _grad=False, _dtypes="d")],
       [E(RuntimeError, "linalg.solve_triangular: Incompatible shapes of A and B for the equation AX = B (3x3 and 2x2)", t(3, 3), t(2, 2), upper=True)], **MORE),
    Op("triangular_solve", triangular_solve, [S(t(3, 2), c(SURE)), S(t(3, 2), c(SURE), upper=False), S(t(3, 2), c(SURE), transpose=True),
                                              S(t(2, 3, 2), c(SURE), unitriangular=True)],
       [E(RuntimeError, "Incompatible matrix sizes for triangular_solve", t(2, 2), t(3, 3))], **MORE),
    Op("linalg.tensorinv", lambda a, ind=2: np.linalg.tensorinv(a, ind), [S(t(2, 3, 6)), S(t(4, 2, 2), ind=1)],
       [E(RuntimeError, "Expected a strictly positive integer for 'ind', but got 0", t(2, 2), 0),
        E(RuntimeError, "but got 3 != 2", t(2, 3), 1)], **MORE),
    Op("linalg.tensorsolve", lambda a, b, dims=None: np.linalg.tensorsolve(a, b, dims),
       [S(t(2, 3, 6), t(2, 3)), S(t(2, 3, 6), t(2, 3), dims=None), S(t(6, 2, 3), t(6,)), S(t(3, 6, 2), t(3, 2), dims=(1,))],
       [E(RuntimeError, "but got 4 != 2", t(2, 4), t(2))], **MORE),
    Op("linalg.cholesky_ex", lambda a, upper=False: (cholesky(a, upper), no_info(a)), CHOLESKY.samples[:3],
       [E(LinAlgError, "linalg.cholesky_ex: The factorization could not be completed", c(ONES), check_errors=True)], **MORE),
    CHOLESKY, OLD_CHOLESKY,
    Op("cholesky_solve", lambda b, low, upper=False: np.linalg.solve(gram(low, upper), b), [S(t(3, 2), c(SURE), _grad=False), S(t(2, 3, 2), c(SURE), upper=True, _grad=False)],
       [E(RuntimeError, "Incompatible matrix sizes for cholesky_solve: each A matrix is 3 by 3 but each b matrix is 2 by 2", t(2, 2), t(3, 3))], **MORE),
    Op("cholesky_inverse", lambda low, upper=False: np.linalg.inv(gram(low, upper)), [S(c(SURE), _grad=False), S(c(PAIR), upper=True, _grad=False)],
       [E(LinAlgError, "cholesky_inverse: The diagonal element 1 is zero", c([[0.0, 1.0], [1.0, 1.0]]))], **MORE),
    QR, Op("qr", lambda a, some=True: tuple(np.linalg.qr(a, "reduced" if some else "complete")), [S(t(4, 3)), S(t(4, 3), some=False, _grad=False)], QR.errors[:0], **MORE),
    Op("geqrf", lambda a: tuple(np.swapaxes(x, -1, -2) if x.ndim == a.ndim else x for x in np.linalg.qr(a, "raw")), [S(t(4, 3)), S(t(2, 3, 4)), S(t(10, 9))],
       [E(RuntimeError, "torch.geqrf: input must have at least 2 dimensions.", t(3))], **{**MORE, "grad": False}),
    Op("linalg.householder_product", householder, [S(t(4, 3), t(3)), S(t(2, 4, 3), t(2, 2)), S(t(3, 3), t(0), _grad=False)],
       [E(RuntimeError, "input.shape[-2] must be greater than or equal to input.shape[-1]", t(2, 3), t(2))], **MORE),
    Op("orgqr", householder, [S(t(4, 3), t(3))], [E(RuntimeError, "input.shape[-1] must be greater than or equal to tau.shape[-1]", t(4, 3), t(4))], **MORE),
    Op("ormqr", ormqr, [S(t(4, 3), t(3), t(4, 2)), S(t(2, 4, 3), t(2, 3), t(2, 4, 2), transpose=True), S(t(4, 3), t(3), t(2, 4), left=False),
                        S(t(4, 3), t(3), t(2, 4), False, True), S(t(3, 3), t(3), t(3, 3))],
       [E(RuntimeError, "torch.ormqr: tau.shape[-1] must be equal to min(other.shape[-2], input.shape[-1])", t(4, 3), t(2), t(4, 2)),
        E(RuntimeError, "torch.ormqr: other.shape[-2] must be equal to input.shape[-2]", t(4, 3), t(3), t(3, 2))], **MORE),
    SVD, Op("svd", old_svd, [S(t(4, 3)), S(t(3, 4), some=False, _grad=False), S(t(4, 3), compute_uv=False)], **MORE),
    Op("linalg.svdvals", lambda a: np.linalg.svd(a, compute_uv=False), [S(t(3, 3)), S(t(2, 4, 3)), S(t(0, 3))], [SVD.errors[0], SVD.errors[2]], **MORE),
    Op("linalg.eigh", lambda a, UPLO="L": tuple(np.linalg.eigh(a, UPLO)), [S(spd(3, 3)), S(spd(2, 3, 3), "U"), S(t(3, 3), "u", _grad=False), S(t(0, 0), _grad=False)],
       [E(RuntimeError, "Expected UPLO argument to be 'L' or 'U', but got x", t(2, 2), "x"),
        E(LinAlgError, "linalg.eigh: The algorithm failed to converge", c([[np.nan, 1.0], [0.0, 1.0]]))], **MORE),
    Op("linalg.eigvalsh", np.linalg.eigvalsh, [S(spd(3, 3)), S(t(2, 3, 3), "U", _grad=False)],
       [E(RuntimeError, "linalg.eigh: A " + SQUARE, t(2, 3))], **MORE),
    Op("linalg.eig", check=check_eig, samples=[S(t(3, 3)), S(t(2, 4, 4)), S(t(0, 0))], result=None,
       errors=[E(RuntimeError, "torch.linalg.eig: input tensor should not contain infs or NaNs.", c([[np.inf, 1.0], [0.0, 1.0]]))], **MORE),
    Op("linalg.eigvals", check=check_eig, samples=[S(t(3, 3)), S(t(2, 4, 4)), S(c(SURE))], result=None,
       errors=[E(RuntimeError, "linalg.eigvals: A " + SQUARE, t(2, 3))], **MORE),
    Op("linalg.matrix_rank", matrix_rank, [S(t(3, 3)), S(t(2, 3, 4), atol=1.0), S(t(3, 3), **TENSORS), S(spd(3, 3), hermitian=True),
                                           S(t(3, 4), 0.5, _ref=lambda a, tol: matrix_rank(a, atol=tol, rtol=0.0)), S(c(ONES), rtol=0.1),
                                           S(t(3, 4), c(0.5, dtype="float64"), _ref=lambda a, tol: matrix_rank(a, atol=tol, rtol=0.0))],
       [E(RuntimeError, "torch.linalg.matrix_rank: The input tensor input must have at least 2 dimensions.", t(3))],
       **{**MORE, "grad": False, "result": "int64"}),
    Op("linalg.pinv", pinv, [S(t(3, 3)), S(t(2, 4, 3)), S(t(3, 4), rtol=0.01), S(t(3, 3), **TENSORS), S(spd(3, 3), hermitian=True),
                             S(t(3, 4), 0.01, _ref=lambda a, rcond: pinv(a, rtol=rcond)), S(t(0, 3), _grad=False),
                             S(t(3, 4), c(0.01, dtype="float64"), _ref=lambda a, rcond: pinv(a, rtol=rcond))],
       [E(RuntimeError, "linalg.pinv(Float{[3]}): expected a tensor with 2 or more dimensions of float, double, cfloat or cdouble types", t(3))],
       **MORE),
    Op("pinverse", lambda a, rcond=1e-15: pinv(a, rtol=rcond), [S(t(3, 4))], **MORE),
    Op("linalg.cond", lambda a, p=None: np.linalg.cond(a, p), [S(c(SURE)), S(t(4, 3), -2), S(c(PAIR), 1), S(c(SURE), "fro"), S(c(PAIR), "nuc"), S(c(SURE), float("inf"))],
       [E(RuntimeError, "linalg.cond got an invalid norm type: 3", t(2, 2), 3), E(RuntimeError, "linalg.cond got an invalid norm type: x", t(2, 2), "x")], **MORE),
    Op("linalg.lstsq", lstsq, [S(t(4, 3), t(4, 2)), S(t(2, 4, 3), t(2, 4)), S(t(3, 4), t(3, 2)), S(t(4, 3), t(4, 2), driver="gels"), S(t(3, 4), t(3, 2), driver="gels"),
                               S(t(4, 3), t(4, 2), driver="gelsd", _grad=False), S(t(4, 3), t(4, 2), None, driver="gelss", _grad=False), S(t(3, 3), t(3))],
       [E(RuntimeError, "torch.linalg.lstsq: parameter `driver` should be one of (gels, gelsy, gelsd, gelss)", t(2, 2), t(2, 2), driver="x"),
        E(RuntimeError, "torch.linalg.lstsq: input.size(-2) should match other.size(-2)", t(4, 3), t(3, 2))], **{**MORE, "tol": 1000}),
    *[Op(name, matrix_exp, [S(t(3, 3)), S(t(2, 3, 3)), S(c([[0.0, 20.0], [-20.0, 0.0]])), S(t(0, 0))], [E(RuntimeError, "linalg.matrix_exp: A " + SQUARE, t(2, 3))], **MORE)
      for name in ("linalg.matrix_exp", "matrix_exp")],
    Op("linalg.vander", lambda x, N=None: np.stack([x**k for k in range(N or x.shape[-1])], -1), [S(t(3)), S(t(2, 3), N=4), S(t(3), N=2)],
       [E(RuntimeError, "N must be greater than 1.", t(3), N=1)], dtypes="fdl", tol=10),
    Op("vander", lambda x, N=None, increasing=False: np.vander(x, N, increasing), [S(t(3)), S(t(3), 4), S(t(3), increasing=True), S(t(3), N=0, _grad=False), S(t(3), N=1, _grad=False)],
       [E(RuntimeError, "x must be a one-dimensional tensor.", t(2, 2))], dtypes="fdl", tol=10),
    Op("linalg.diagonal", lambda a, offset=0, dim1=-2, dim2=-1: np.diagonal(a, offset, dim1, dim2), [S(t(3, 4)), S(t(2, 3, 4), offset=1), S(t(2, 3, 4), dim1=0, dim2=1)],
       [E(RuntimeError, "diagonal dimensions cannot be identical", t(2, 2), dim1=0, dim2=0)], view=True),
]  # fmt: skip
