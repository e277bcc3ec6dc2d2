// LU with partial pivoting (factor, unpack, solve by the factors), and the determinants that follow
// from it.
#include <cmath>

#include "autograd/record.h"
#include "ops/linalg_parts.h"

namespace d2l {
namespace {

void check_lu_input(const Tensor& a, bool pivot, const char* op) {
  check(a.dim() >= 2, "{}: Expected tensor with 2 or more dimensions. Got size: {} instead", op,
        a.shape());
  check_lapack(a, "lu_cpu");
  check(pivot, "linalg.lu_factor: LU without pivoting is not implemented on the CPU");
}

// The places to which the exchanges of `pivots` move rows: row i of P^T A is row perm[i] of A.
Tensor permutation_of(const Tensor& pivots, int64_t rows) {
  const IntList batch = pivots.shape().first(static_cast<size_t>(pivots.dim() - 1));
  const int64_t k = pivots.size(-1), count = count_of(batch);
  const Tensor near = contiguous(pivots);
  const Tensor perm = empty(with_vector(batch, rows), DType::Int64);
  const auto* p = near.data_as<int32_t>();
  auto* out = perm.data_as<int64_t>();
  for (int64_t b = 0; b < count; ++b, p += k, out += rows) {
    for (int64_t i = 0; i < rows; ++i) out[i] = i;
    for (int64_t i = 0; i < k; ++i) std::swap(out[i], out[p[i] - 1]);
  }
  return perm;
}

bool pivots_in_range(const Tensor& pivots, int64_t rows) {
  const Tensor near = contiguous(pivots);
  const auto* p = near.data_as<int32_t>();
  for (int64_t i = 0; i < near.numel(); ++i) {
    if (p[i] < 1 || p[i] > rows) return false;
  }
  return true;
}

// P as a matrix.
Tensor permutation_matrix(const Tensor& pivots, int64_t rows, DType dtype) {
  const Tensor perm = permutation_of(pivots, rows);
  const IntList batch = pivots.shape().first(static_cast<size_t>(pivots.dim() - 1));
  const Tensor zero = zeros(with_matrix(batch, rows, rows), dtype);
  return scatter_value(zero, -2, unsqueeze(perm, -2), Scalar(1), Dst::inplace(zero));
}

// The derivative of A = P L U. With phi = tril(L^H gL, -1) + triu(gU U^H) a square A has
// gA = P L^-H phi U^-H; columns beyond the square (rows below it) are products of what is inside,
// and hand their cotangent over to L (to U).
Tensor plu_backward(const Tensor& g_l, const Tensor& g_u, const Tensor& p, const Tensor& l,
                    const Tensor& u) {
  const int64_t m = l.size(-2), n = u.size(-1), k = std::min(m, n);
  const Tensor l1 = narrow(l, -2, 0, k), u1 = narrow(u, -1, 0, k);
  Tensor lower, upper;
  if (g_l.defined()) lower = matmul(mH(l1), narrow(g_l, -2, 0, k));
  if (g_u.defined()) upper = matmul(narrow(g_u, -1, 0, k), mH(u1));
  if (n > k && g_u.defined()) {
    const Tensor g_u2 = narrow(g_u, -1, k, n - k);
    lower = sum_defined(lower, neg(matmul(g_u2, mH(narrow(u, -1, k, n - k)))));
  }
  if (m > k && g_l.defined()) {
    const Tensor g_l2 = narrow(g_l, -2, k, m - k);
    upper = sum_defined(upper, neg(matmul(mH(narrow(l, -2, k, m - k)), g_l2)));
  }
  const Tensor phi = sum_defined(lower.defined() ? tril(lower, -1) : Tensor(),
                                 upper.defined() ? triu(upper) : Tensor());
  const Tensor right = solve_triangular(mH(u1), phi, false, false);
  Tensor out = solve_triangular(mH(l1), right, true, true, true);
  if (n > k) {
    const Tensor rest = g_u.defined()
                            ? solve_triangular(mH(l1), narrow(g_u, -1, k, n - k), true, true, true)
                            : zeros(with_matrix(batch_of(u), k, n - k), u.dtype());
    const Tensor both[] = {out, rest};
    out = cat(both, -1);
  }
  if (m > k) {
    const Tensor rest = g_l.defined()
                            ? solve_triangular(mH(u1), narrow(g_l, -2, k, m - k), false, false)
                            : zeros(with_matrix(batch_of(l), m - k, k), l.dtype());
    const Tensor both[] = {out, rest};
    out = cat(both, -2);
  }
  return matmul(p, out);
}

// L and U of the packed factors.
TensorTwo unpack_factors(const Tensor& lu) {
  const int64_t m = lu.size(-2), n = lu.size(-1), k = std::min(m, n);
  const Tensor l = n > k ? narrow(lu, -1, 0, k) : lu, u = m > k ? narrow(lu, -2, 0, k) : lu;
  return {add(tril(l, -1), eye(m, k, Options(lu.dtype()))), triu(u)};
}

}  // namespace

LU lu_of(const Tensor& a) {
  const IntList batch = batch_of(a);
  const int64_t m = a.size(-2), n = a.size(-1), k = std::min(m, n), count = count_of(batch);
  const Tensor lu = columns_of(a), pivots = empty(with_vector(batch, k), DType::Int32);
  const Tensor info = zeros(batch, DType::Int32);
  if (lu.numel() == 0) return {lu, pivots, info};
  {
    LongOp unlocked(count * m * n * k >= (1 << 20));
    with_type(a.dtype(), [&]<class T>(T) {
      each_matrix(count, m * n * k / 2, [&](int64_t i) {
        const Block<T> one{lu.data_as<T>() + i * m * n, m, n, 1, m};
        info.data_as<int32_t>()[i] =
            static_cast<int32_t>(factor_lu(one, pivots.data_as<int32_t>() + i * k));
      });
    });
  }
  return {lu, pivots, info};
}

Tensor solve_by_lu(const Tensor& lu, const Tensor& pivots, const Tensor& b, bool left,
                   bool adjoint) {
  // X A = B is A^T X^T = B^T, and A^H X = B is A^T conj(X) = conj(B).
  GradModeGuard off(false);
  const Dims batch = broadcast_shapes(batch_of(b), batch_of(lu));
  const int64_t n = lu.size(-1), count = count_of(batch);
  const Tensor given = adjoint ? conj(b) : b;
  Tensor x = left ? empty_columns(batch, n, b.size(-1), b.dtype())
                  : empty(with_matrix(batch, b.size(-2), n), b.dtype());
  if (x.numel() == 0) return x;
  copy_into(x, given);
  const Tensor order = contiguous(pivots);
  Dims pivot_shape(order.shape());
  pivot_shape.push_back(1);  // so that matrix_at finds the pivots of an item
  const Tensor exchanges =
      raw_view(order, pivot_shape, contiguous_strides(pivot_shape), order.offset());
  const bool transposed = left == adjoint;
  const int64_t cols = left ? b.size(-1) : b.size(-2);
  // A handle of its own: nobody can change its strides while other Python threads run.
  const Tensor own = raw_view(lu, lu.shape(), lu.strides(), lu.offset());
  {
    LongOp unlocked(count * n * n * cols >= (1 << 20));
    with_type(b.dtype(), [&]<class T>(T) {
      each_matrix(count, n * n * cols, [&](int64_t i) {
        const Block<T> factors = matrix_at<T>(own, batch, i);
        const int32_t* rows = matrix_at<int32_t>(exchanges, batch, i).data;
        Block<T> one = matrix_at<T>(x, batch, i);
        if (!left) one = one.transposed();
        if (transposed) {
          solve_triangle(factors.transposed(), false, false, one);
          solve_triangle(factors.transposed(), true, true, one);
          exchange_rows(one, rows, n, false);
        } else {
          exchange_rows(one, rows, n, true);
          solve_triangle(factors, false, true, one);
          solve_triangle(factors, true, false, one);
        }
      });
    });
  }
  return adjoint ? conj(x) : x;
}

TensorThree lu_factor_ex(const Tensor& a, bool pivot, bool check_errors) {
  check_lu_input(a, pivot, "torch.lu_factor");
  const LU f = lu_of(a);
  if (check_errors) check_info(f.info, "torch.linalg.lu_factor_ex");
  const Tensor outs[] = {f.lu, f.pivots, f.info};
  record_many(outs, "LinalgLuFactorExBackward0", {&a}, saved(result_nr(0), f.pivots),
              joint([](const Node&, const std::vector<Tensor>& g, const Tensor& lu,
                       const Tensor& pivots, std::vector<Tensor>& in) {
                if (!g[0].defined()) return;
                const auto [p, l, u] = lu_unpack(lu, pivots);
                const int64_t k = std::min(lu.size(-2), lu.size(-1));
                in[0] = plu_backward(tril(narrow(g[0], -1, 0, k), -1), triu(narrow(g[0], -2, 0, k)),
                                     p, l, u);
              }));
  return {f.lu, f.pivots, f.info};
}

TensorTwo lu_factor(const Tensor& a, bool pivot) {
  const auto [lu, pivots, info] = lu_factor_ex(a, pivot);
  check_info(info, "torch.linalg.lu_factor");
  return {lu, pivots};
}

TensorThree linalg_lu(const Tensor& a, bool pivot) {
  check_lu_input(a, pivot, "linalg.lu");
  Tensor p, l, u;
  {
    GradModeGuard off(false);
    const LU f = lu_of(a);
    p = permutation_matrix(f.pivots, a.size(-2), a.dtype());
    std::tie(l, u) = unpack_factors(f.lu);
  }
  const Tensor outs[] = {p, l, u};
  record_many(outs, "LinalgLuBackward0", {&a}, saved(result_nr(0), result_nr(1), result_nr(2)),
              joint([](const Node&, const std::vector<Tensor>& g, const Tensor& p, const Tensor& l,
                       const Tensor& u, std::vector<Tensor>& in) {
                if (!g[1].defined() && !g[2].defined()) return;
                in[0] = plu_backward(g[1], g[2], detach(p), l, u);
              }));
  return {p, l, u};
}

TensorThree lu_unpack(const Tensor& lu, const Tensor& pivots, bool unpack_data,
                      bool unpack_pivots) {
  check(lu.dim() >= 2,
        "torch.lu_unpack: Expected tensor with 2 or more dimensions. Got size: {} instead",
        lu.shape());
  if (unpack_pivots) {
    check(pivots.dtype() == DType::Int32,
          "torch.lu_unpack: LU_pivots is expected to be a contiguous tensor of torch.int32 dtype.\n"
          "Note: this function is intended to be used with the output produced by "
          "torch.linalg.lu_factor");
    const int64_t k = std::min(lu.size(-2), lu.size(-1));
    const bool fits =
        pivots.dim() == lu.dim() - 1 && pivots.size(-1) == k &&
        d2l::equal(pivots.shape().first(static_cast<size_t>(pivots.dim() - 1)), batch_of(lu));
    check(fits && pivots_in_range(pivots, lu.size(-2)),
          "pivots passed to lu_unpack must be between 1 and LU.size(-2) inclusive.Did you properly "
          "pass the result of lu_factor?");
  }
  const Tensor none = empty(Dims{0}, lu.dtype());
  const Tensor p = unpack_pivots ? permutation_matrix(pivots, lu.size(-2), lu.dtype()) : none;
  if (!unpack_data) return {p, none, empty(Dims{0}, lu.dtype())};
  Tensor l, u;
  {
    GradModeGuard off(false);
    std::tie(l, u) = unpack_factors(lu);
  }
  const Tensor outs[] = {l, u};
  record_many(outs, "LuUnpackBackward0", {&lu}, saved(),
              joint([](const Node& node, const std::vector<Tensor>& g, std::vector<Tensor>& in) {
                const Dims shape(node.input_shape(0));
                const int64_t m = shape[shape.size() - 2], n = shape[shape.size() - 1];
                Tensor sum;
                for (int i = 0; i < 2; ++i) {
                  if (!g[i].defined()) continue;
                  // Zeros stand where the factor has no part.
                  Tensor part = i == 0 ? tril(g[0], -1) : triu(g[1]);
                  const int64_t d = i == 0 ? -1 : -2, more = i == 0 ? n - m : m - n;
                  if (more > 0) {
                    Dims rest(part.shape());
                    rest[rest.size() + static_cast<int>(d)] = more;
                    const Tensor both[] = {part, zeros(rest, part.dtype())};
                    part = cat(both, d);
                  }
                  sum = sum_defined(sum, part);
                }
                in[0] = sum;
              }));
  return {p, l, u};
}

Tensor lu_solve(const Tensor& lu, const Tensor& pivots, const Tensor& b, bool left, bool adjoint) {
  const char* op = "torch.linalg.lu_solve";
  check_float(lu, op);
  check(lu.dtype() == b.dtype(),
        "linalg.lu_solve: Expected LU and B to have the same dtype, but found LU of type {} and B "
        "of type {} instead",
        lu.dtype(), b.dtype());
  check_square(lu, op);
  check(pivots.dtype() == DType::Int32,
        "linalg.lu_solve: pivots should be a Tensor of scalar type torch.int32");
  check_solvable(lu, b, left, "linalg.lu_solve");
  check(pivots.dim() >= 1 && pivots.size(-1) == lu.size(-1),
        "linalg.lu_solve: Number of pivots per batch should be same as the dimension of the "
        "matrix");
  check(d2l::equal(pivots.shape().first(static_cast<size_t>(pivots.dim() - 1)), batch_of(lu)),
        "linalg.lu_solve: Expected LU.shape[:-1] and pivots.shape to be the same, but got pivots "
        "with shape {} instead",
        pivots.shape());
  check_lapack(lu, "linalg.lu_solve_cpu");
  const Tensor order = contiguous(pivots);
  const auto* p = order.data_as<int32_t>();
  for (int64_t i = 0; i < order.numel(); ++i) {
    check(p[i] >= 1,
          "Pivots given to lu_solve must all be greater or equal to 1. Did you properly pass the "
          "result of lu_factor?");
    check(p[i] <= lu.size(-1),
          "Pivots given to lu_solve must all be smaller or equal to LU.size(-2). Did you properly "
          "pass the result of lu_factor?");
  }
  const Tensor out = solve_by_lu(lu, order, b, left, adjoint);
  return record(
      out, "LinalgLuSolveBackward0", {&lu, &b}, saved(lu, order, result),
      joint([left, adjoint](const Node& node, const Tensor& g, const Tensor& lu,
                            const Tensor& pivots, const Tensor& x, std::vector<Tensor>& in) {
        const Tensor g_b = lu_solve(lu, pivots, g, left, !adjoint);
        in[1] = g_b;
        if (!node.needs(0)) return;
        // First the cotangent of A = P L U, then those of L and U.
        const Tensor product = adjoint ? (left ? matmul(x, mH(g_b)) : matmul(mH(g_b), x))
                                       : (left ? matmul(g_b, mH(x)) : matmul(mH(x), g_b));
        const auto [p, l, u] = lu_unpack(lu, pivots);
        const Tensor g_a = matmul(mT(p), neg(product));
        in[0] = add(tril(matmul(g_a, mH(u)), -1), triu(matmul(mH(l), g_a)));
      }));
}

namespace {

// The sign of the exchanges, for each matrix: 1 or -1.
Tensor sign_of(const Tensor& pivots, DType dtype) {
  const IntList batch = pivots.shape().first(static_cast<size_t>(pivots.dim() - 1));
  const int64_t k = pivots.size(-1), count = count_of(batch);
  const Tensor out = empty(batch, DType::Int64);
  const auto* p = pivots.data_as<int32_t>();
  for (int64_t b = 0; b < count; ++b) {
    int64_t sign = 1;
    for (int64_t i = 0; i < k; ++i) sign = p[b * k + i] == i + 1 ? sign : -sign;
    out.data_as<int64_t>()[b] = sign;
  }
  return to_dtype(out, dtype);
}

// X of A^H X = c I, for each matrix its own c. Without a graph by the factors, a zero on whose
// diagonal stands for the smallest number, as determinants need it.
Tensor scaled_inverse(const Tensor& a, const Tensor& lu, const Tensor& pivots, const Tensor& c) {
  const Tensor diagonal =
      diag_embed(expand(unsqueeze(c, -1), with_vector(batch_of(a), a.size(-1))));
  if (GradMode::enabled()) return solve(mH(a), diagonal);
  const Tensor zero = eq(d2l::diagonal(lu, 0, -2, -1), Scalar(0));
  const Tensor tiny = mul(to_dtype(zero, lu.dtype()), Scalar(epsilon_of(lu.dtype())));
  return solve_by_lu(add(lu, diag_embed(tiny)), pivots, diagonal, true, true);
}

// det(A) = det(U S V^H): the derivative by S_i is the product of the others, also when A is
// singular (N. Higham, What Is the Adjugate of a Matrix?, 2020).
Tensor singular_det_backward(const Tensor& a, const Tensor& g) {
  const auto [u, s, vh] = svd(a, false);
  const Tensor alpha = mul(conj(mul(det(u), det(vh))), g);
  const int64_t n = s.size(-1);
  const Tensor own = eye(n, n, Options(DType::Bool));
  const Tensor others = prod(where(own, wrap(Scalar(1.0)), unsqueeze(s, -2)), -1);
  return matmul(mul(u, unsqueeze(mul(unsqueeze(alpha, -1), others), -2)), vh);
}

Tensor det_backward(const Tensor& g, const Tensor& a, const Tensor& lu, const Tensor& pivots,
                    const Tensor& y) {
  const Tensor c = mul(g, conj(y));
  if (!GradMode::enabled()) return scaled_inverse(a, lu, pivots, c);
  const Tensor singular = lt(abs(detach(y)), Scalar(100 * epsilon_of(a.dtype())));
  const int64_t count = item(sum(singular)).to_int();
  if (count == 0) return scaled_inverse(a, lu, pivots, c);
  if (count == y.numel()) return singular_det_backward(a, g);
  const Tensor here[] = {singular}, there[] = {logical_not(singular)};
  const Tensor first = singular_det_backward(index(a, here), index(g, here));
  const Tensor second = scaled_inverse(index(a, there), {}, {}, index(c, there));
  return index_put(index_put(zeros_like(a), here, first), there, second);
}

}  // namespace

Tensor det(const Tensor& a) {
  check_square(a, "linalg.det");
  check_float(a, "linalg.det");
  check_lapack(a, "lu_cpu");
  const LU f = lu_of(a);
  Tensor out;
  {
    GradModeGuard off(false);
    out = mul(prod(diagonal(f.lu, 0, -2, -1), -1), sign_of(f.pivots, a.dtype()));
  }
  return record(out, "LinalgDetBackward0", {&a}, saved(a, f.lu, f.pivots, result),
                [](const Tensor& g, const Tensor& a, const Tensor& lu, const Tensor& pivots,
                   const Tensor& y) { return det_backward(g, a, lu, pivots, y); });
}

TensorTwo slogdet(const Tensor& a) {
  check_square(a, "linalg.slogdet");
  check_float(a, "linalg.slogdet", false);
  const LU f = lu_of(a);
  Tensor sign, size;
  {
    GradModeGuard off(false);
    const Tensor d = diagonal(f.lu, 0, -2, -1);
    sign = mul(prod(sgn(d), -1), sign_of(f.pivots, a.dtype()));
    const int64_t last[1] = {-1};
    size = sum(log(abs(d)), IntList(last));
  }
  const Tensor outs[] = {sign, size};
  record_many(outs, "LinalgSlogdetBackward0", {&a}, saved(a, f.lu, f.pivots, result_nr(0)),
              joint([](const Node&, const std::vector<Tensor>& g, const Tensor& a, const Tensor& lu,
                       const Tensor& pivots, const Tensor& sign, std::vector<Tensor>& in) {
                // With w = tr(A^-1 dA), d log|det| = Re w and d sign = i sign Im w.
                Tensor c = g[1];
                if (is_complex(a.dtype()) && g[0].defined()) {
                  const Tensor z = mul(conj(g[0]), sign);
                  c = sum_defined(c, mul(sub(conj(z), z), Scalar(0.5)));
                }
                if (!c.defined()) return;
                in[0] = scaled_inverse(a, lu, pivots, to_dtype(c, a.dtype()));
              }));
  return {sign, size};
}

Tensor logdet(const Tensor& a) {
  check_square(a, "logdet");
  check_float(a, "logdet", false);
  const auto [sign, size] = slogdet(a);
  if (is_complex(a.dtype())) return add(log(sign), size);
  return where(eq(sign, Scalar(-1.0)), wrap(Scalar(std::nan(""))), size);
}

namespace {

Tensor old_lu_solve(const Tensor& b, const Tensor& lu, const Tensor& pivots) {
  return lu_solve(lu, pivots, b);
}

}  // namespace

void register_linalg_lu(OpTable& ops) {
  ops.add(
      "linalg.lu_factor_ex(Tensor A, *, bool pivot=True, bool check_errors=False) -> (Tensor LU, "
      "Tensor pivots, Tensor info)",
      lu_factor_ex, Function | Out,
      "Returns the LU factors of matrices (as lu_factor) and, instead of raising, ``info``: 0, or "
      "the place from 1 of the first zero on the diagonal of U.");
  ops.add("linalg.lu_factor(Tensor A, *, bool pivot=True) -> (Tensor LU, Tensor pivots)", lu_factor,
          Function | Out,
          "Returns the LU factors of matrices with partial pivoting, packed (L below the diagonal, "
          "U above), and the pivots: the row, from 1, exchanged with row i.");
  ops.add("linalg.lu(Tensor A, *, bool pivot=True) -> (Tensor P, Tensor L, Tensor U)", linalg_lu,
          Function | Out,
          "Returns matrices with ``A = P @ L @ U``: a permutation, lower and upper triangular.");
  ops.add(
      "lu_unpack(Tensor LU_data, Tensor LU_pivots, bool unpack_data=True, bool "
      "unpack_pivots=True) -> (Tensor P, Tensor L, Tensor U)",
      lu_unpack, Function | Out,
      "Returns P, L and U of what lu_factor gave; empty tensors for the parts not asked for.");
  ops.add(
      "linalg.lu_solve(Tensor LU, Tensor pivots, Tensor B, *, bool left=True, bool adjoint=False) "
      "-> Tensor",
      lu_solve, Function | Out,
      "Solves ``A X = B`` by the factors that lu_factor gave (``X A = B`` without ``left``, the "
      "adjoint of A with ``adjoint``).");
  ops.add("lu_solve(Tensor self, Tensor LU_data, Tensor LU_pivots) -> Tensor", old_lu_solve,
          Both | Out, "Solves ``A X = self`` by the factors of A (see linalg.lu_solve).");
  ops.add("linalg.det(Tensor A) -> Tensor", det, Function | Out,
          "Returns the determinant of square matrices.");
  ops.add("det(Tensor self) -> Tensor", det, Both, "Returns the determinant of square matrices.");
  const char* slog_doc =
      "Returns the sign and the logarithm of the absolute value of the determinant: (0, -inf) of a "
      "singular matrix.";
  ops.add("linalg.slogdet(Tensor A) -> (Tensor sign, Tensor logabsdet)", slogdet, Function | Out,
          slog_doc);
  ops.add("slogdet(Tensor self) -> (Tensor sign, Tensor logabsdet)", slogdet, Both | Out, slog_doc);
  ops.add("logdet(Tensor self) -> Tensor", logdet, Both,
          "Returns the logarithm of the determinant: NaN where that is negative.");
}

}  // namespace d2l
