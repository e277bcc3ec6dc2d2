// Cholesky factors of Hermitian positive-definite matrices, and systems solved by them.
#include "autograd/record.h"
#include "ops/linalg_parts.h"

namespace d2l {
namespace {

// L (U = L^H with `upper`), its other triangle zeroed, and info.
TensorTwo factor(const Tensor& a, bool upper) {
  GradModeGuard off(false);
  const IntList batch = batch_of(a);
  const int64_t n = a.size(-1), count = count_of(batch);
  const Tensor l = columns_of(a), info = zeros(batch, DType::Int32);
  if (l.numel() == 0) return {l, info};
  {
    LongOp unlocked(count * n * n * n >= (1 << 20));
    with_type(a.dtype(), [&]<class T>(T) {
      each_matrix(count, n * n * n / 3, [&](int64_t i) {
        Block<T> one{l.data_as<T>() + i * n * n, n, n, 1, n};
        // A^T = conj(A) has the factor conj(L) = U^T.
        if (upper) one = one.transposed();
        info.data_as<int32_t>()[i] = static_cast<int32_t>(factor_cholesky(one));
        for (int64_t c = 1; c < n; ++c)
          for (int64_t row = 0; row < c; ++row) one(row, c) = T(0);
      });
    });
  }
  return {l, info};
}

// gA = L^-H M L^-1, where M is half of tril(L^H gL), its part below the diagonal mirrored above.
Tensor cholesky_backward(const Tensor& g, const Tensor& y, bool upper) {
  const Tensor l = upper ? mH(y) : y, g_l = upper ? mH(g) : g;
  const Tensor phi = tril(matmul(mH(l), g_l));
  const Tensor middle = mul(add(phi, mH(tril(phi, -1))), Scalar(0.5));
  const Tensor right = solve_triangular(l, middle, false, false);
  return solve_triangular(mH(l), right, true);
}

TensorTwo recorded(const Tensor& a, bool upper, const TensorTwo& made, const char* node) {
  const auto& [l, info] = made;
  const Tensor outs[] = {l, info};
  record_many(outs, node, {&a}, saved(result_nr(0)),
              joint([upper](const Node&, const std::vector<Tensor>& g, const Tensor& y,
                            std::vector<Tensor>& in) {
                if (g[0].defined()) in[0] = cholesky_backward(g[0], y, upper);
              }));
  return made;
}

Tensor cholesky_named(const Tensor& a, bool upper, const char* op, const char* node) {
  check_square(a, op);
  check_lapack(a, "cholesky_cpu");
  const TensorTwo made = factor(a, upper);
  check_info(std::get<1>(made), op);
  return std::get<0>(recorded(a, upper, made, node));
}

// (L L^H)^-1 B, or (U^H U)^-1 B.
Tensor solved(const Tensor& b, const Tensor& l, bool upper) {
  const Tensor lower = upper ? mH(l) : l;
  return solve_triangular(mH(lower), solve_triangular(lower, b, false), true);
}

}  // namespace

TensorTwo cholesky_ex(const Tensor& a, bool upper, bool check_errors) {
  check_square(a, "linalg.cholesky");
  check_float(a, "linalg.cholesky");
  check_lapack(a, "cholesky_cpu");
  const TensorTwo made = factor(a, upper);
  if (check_errors) check_info(std::get<1>(made), "linalg.cholesky_ex");
  return recorded(a, upper, made, "LinalgCholeskyExBackward0");
}

Tensor cholesky(const Tensor& a, bool upper) {
  check_square(a, "linalg.cholesky");
  check_float(a, "linalg.cholesky");
  return cholesky_named(a, upper, "linalg.cholesky", "LinalgCholeskyExBackward0");
}

Tensor cholesky_solve(const Tensor& b, const Tensor& l, bool upper) {
  check(b.dim() >= 2, "b should have at least 2 dimensions, but has {} dimensions instead",
        b.dim());
  check(l.dim() >= 2, "u should have at least 2 dimensions, but has {} dimensions instead",
        l.dim());
  check(b.dtype() == l.dtype(),
        "Expected b and A to have the same dtype, but found b of type {} and A of type {} instead.",
        b.dtype(), l.dtype());
  check(l.size(-1) == l.size(-2),
        "A must be batches of square matrices, but they are {} by {} matrices", l.size(-2),
        l.size(-1));
  check(l.size(-1) == b.size(-2),
        "Incompatible matrix sizes for cholesky_solve: each A matrix is {} by {} but each b matrix "
        "is {} by {}",
        l.size(-1), l.size(-2), b.size(-2), b.size(-1));
  check_lapack(b, "cholesky_solve_cpu");
  Tensor x;
  {
    GradModeGuard off(false);
    x = solved(b, l, upper);
  }
  return record(x, "CholeskySolveBackward0", {&b, &l}, saved(l, result),
                joint([upper](const Node& node, const Tensor& g, const Tensor& l, const Tensor& x,
                              std::vector<Tensor>& in) {
                  const Tensor g_b = cholesky_solve(g, l, upper);
                  in[0] = g_b;
                  if (!node.needs(1)) return;
                  const Tensor part = matmul(g_b, mH(x)), both = add(part, mH(part));
                  in[1] = neg(upper ? matmul(l, both) : matmul(both, l));
                }));
}

Tensor cholesky_inverse(const Tensor& l, bool upper) {
  check_square(l, "cholesky_inverse");
  check_lapack(l, "cholesky_inverse_out_cpu");
  Tensor y;
  {
    GradModeGuard off(false);
    const IntList batch = batch_of(l);
    const Tensor info = zeros(batch, DType::Int32), d = diagonal(l, 0, -2, -1);
    const Tensor zero = contiguous(eq(d, Scalar(0)));
    const int64_t n = l.size(-1), count = count_of(batch);
    const auto* p = zero.data_as<bool>();
    for (int64_t i = 0; i < count; ++i) {
      const int64_t at = std::find(p + i * n, p + (i + 1) * n, true) - (p + i * n);
      info.data_as<int32_t>()[i] = static_cast<int32_t>(at < n ? at + 1 : 0);
    }
    check_info(info, "cholesky_inverse");
    y = solved(eye_like(l), l, upper);
  }
  return record(y, "CholeskyInverseBackward0", {&l}, saved(l, result),
                [upper](const Tensor& g, const Tensor& l, const Tensor& y) {
                  const Tensor both = matmul(y, matmul(add(g, mH(g)), y));
                  return neg(upper ? matmul(l, both) : matmul(both, l));
                });
}

namespace {

Tensor old_cholesky(const Tensor& a, bool upper) {
  return cholesky_named(a, upper, "cholesky", "CholeskyBackward0");
}

}  // namespace

void register_linalg_cholesky(OpTable& ops) {
  ops.add(
      "linalg.cholesky_ex(Tensor self, *, bool upper=False, bool check_errors=False) -> (Tensor L, "
      "Tensor info)",
      cholesky_ex, Function | Out,
      "Returns the Cholesky factor as linalg.cholesky and, instead of raising, ``info``: 0, or the "
      "order of the first leading minor that is not positive.");
  const char* doc =
      "Returns the lower triangular L with ``A = L @ L^H`` (the upper U with ``A = U^H @ U``) of "
      "Hermitian positive-definite matrices, of which one triangle is read.\n\nRaises LinAlgError "
      "for a matrix that is not positive-definite.";
  ops.add("linalg.cholesky(Tensor self, *, bool upper=False) -> Tensor", cholesky, Function | Out,
          doc);
  ops.add("cholesky(Tensor self, bool upper=False) -> Tensor", old_cholesky, Both | Out, doc);
  ops.add(
      "cholesky_solve(Tensor self, Tensor input2, bool upper=False) -> Tensor", cholesky_solve,
      Both | Out,
      "Returns X of ``(L @ L^H) X = self``, given the Cholesky factor ``input2`` of the matrix.");
  ops.add("cholesky_inverse(Tensor self, bool upper=False) -> Tensor", cholesky_inverse, Both | Out,
          "Returns the inverse of the matrix whose Cholesky factor is given.");
}

}  // namespace d2l
