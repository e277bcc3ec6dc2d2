// Eigenvalues and eigenvectors, of Hermitian and of general matrices.
#include <cmath>

#include "autograd/record.h"
#include "core/lapack.h"
#include "ops/linalg_parts.h"

namespace d2l {
namespace {

[[noreturn]] void no_convergence(const char* op, int code) {
  fail<LinAlgError>(
      "{}: The algorithm failed to converge because the input matrix is ill-conditioned or has too "
      "many repeated eigenvalues (error code: {}).",
      op, code);
}

void check_phase(const Tensor& products, const char* op) {
  if (!is_complex(products.dtype())) return;
  const Tensor d = diagonal(products, 0, -2, -1);
  check(!any_true(gt(abs(detach(sub(d, conj(d)))), Scalar(2e-2))),
        "{}: The eigenvectors in the complex case are specified up to multiplication by e^{i phi}. "
        "The specified loss function depends on this quantity, so it is ill-defined.",
        op);
}

// L_j - L_i, and 1 on the diagonal, where g puts its own values.
Tensor differences(const Tensor& l) {
  const int64_t n = l.size(-1);
  return add(sub(unsqueeze(l, -2), unsqueeze(l, -1)), eye(n, n, Options(l.dtype())));
}
Tensor with_diagonal(const Tensor& x, const Tensor& d) {
  const Tensor off = sub(x, diag_embed(diagonal(x, 0, -2, -1)));
  return d.defined() ? add(off, diag_embed(d)) : off;
}

// gA = V (diag(gL) + V^H gV / E) V^H with E_ij = L_j - L_i (M. Giles, An Extended Collection of
// Matrix Derivative Results, 2008), V^H gV made skew since V stays unitary.
Tensor eigh_backward(const Tensor& g_l, const Tensor& g_v, const Tensor& l, const Tensor& v) {
  if (!g_v.defined()) return matmul(mul(v, unsqueeze(g_l, -2)), mH(v));
  const Tensor products = matmul(mH(v), g_v);
  check_phase(products, "linalg_eigh_backward");
  const Tensor skew = mul(sub(products, mH(products)), Scalar(0.5));
  const Tensor inner = with_diagonal(div(skew, differences(l)), g_l);
  return matmul(v, matmul(inner, mH(v)));
}

// The same for a general A = V L V^-1 with columns of V of length 1:
// gA = V^-H (diag(gL) + (V^H gV - V^H V diag(re(V^H gV))) / conj(E)) V^H.
Tensor eig_backward(const Tensor& g_l, const Tensor& g_v, const Tensor& l, const Tensor& v) {
  if (!g_v.defined()) return solve(mH(v), mul(unsqueeze(g_l, -1), mH(v)));
  const Tensor products = matmul(mH(v), g_v);
  check_phase(products, "linalg_eig_backward");
  const Tensor d = diagonal(products, 0, -2, -1);
  const Tensor size = mul(add(d, conj(d)), Scalar(0.5));
  const Tensor moved = sub(products, matmul(mH(v), mul(v, unsqueeze(size, -2))));
  const Tensor inner = with_diagonal(div(moved, conj(differences(l))), g_l);
  return solve(mH(v), matmul(inner, mH(v)));
}

bool upper_of(std::string_view uplo) {
  check(uplo == "L" || uplo == "U" || uplo == "l" || uplo == "u",
        "Expected UPLO argument to be 'L' or 'U', but got {}", uplo);
  return uplo == "U" || uplo == "u";
}

std::vector<Tensor> hermitian(const Tensor& a, bool upper, bool vectors) {
  GradModeGuard off(false);
  const IntList batch = batch_of(a);
  const int64_t n = a.size(-1);
  const Tensor l = empty(with_vector(batch, n), real_dtype(a.dtype()));
  const Tensor v = vectors ? empty_columns(batch, n, n, a.dtype()) : Tensor();
  if (a.numel() == 0) return {l, v};
  const int code = vectors ? 2 : 1;
  const Tensor read = upper ? triu(a) : tril(a);
  if (any_true(logical_not(isfinite(read)))) no_convergence("linalg.eigh", code);
  std::vector<Tensor> got;
  try {
    got = provided(lapack_provider.eigh, "linalg.eigh")(detach(a), upper, vectors);
  } catch (const LinAlgError&) {
    no_convergence("linalg.eigh", code);
  }
  copy_into(l, got[0]);
  if (vectors) copy_into(v, got[1]);
  return {l, v};
}

DType complex_dtype(const Tensor& a) {
  const DType t = a.dtype();
  check_lapack(a, "linalg_eig_out_cpu");
  if (t == DType::Float) return DType::ComplexFloat;
  return t == DType::Double ? DType::ComplexDouble : t;
}

void check_general(const Tensor& a, const char* op) {
  const DType t = a.dtype();
  check(is_floating(t) || is_complex(t), "Unknown Complex ScalarType for {}", t);
  check_square(a, op);
}

std::vector<Tensor> general(const Tensor& a, bool vectors) {
  GradModeGuard off(false);
  const IntList batch = batch_of(a);
  const int64_t n = a.size(-1);
  const DType type = complex_dtype(a);
  const Tensor l = empty(with_vector(batch, n), type);
  const Tensor v = vectors ? empty_columns(batch, n, n, type) : Tensor();
  if (a.numel() == 0) return {l, v};
  check(!any_true(logical_not(isfinite(a))),
        "torch.linalg.eig: input tensor should not contain infs or NaNs.");
  std::vector<Tensor> got;
  try {
    got = provided(lapack_provider.eig, "linalg.eig")(detach(a), vectors);
  } catch (const LinAlgError&) {
    no_convergence("linalg.eig", 1);
  }
  copy_into(l, got[0]);
  if (vectors) copy_into(v, got[1]);
  return {l, v};
}

}  // namespace

TensorTwo eigh(const Tensor& a, std::string_view uplo) {
  check_square(a, "linalg.eigh");
  const bool upper = upper_of(uplo);
  check_lapack(a, "linalg_eigh_cpu");
  const std::vector<Tensor> outs = hermitian(a, upper, true);
  record_many(outs, "LinalgEighBackward0", {&a}, saved(result_nr(0), result_nr(1)),
              joint([](const Node&, const std::vector<Tensor>& g, const Tensor& l, const Tensor& v,
                       std::vector<Tensor>& in) {
                if (g[0].defined() || g[1].defined()) in[0] = eigh_backward(g[0], g[1], l, v);
              }));
  return {outs[0], outs[1]};
}

Tensor eigvalsh(const Tensor& a, std::string_view uplo) {
  if (needs_grad(a) && GradMode::enabled()) return std::get<0>(eigh(a, uplo));
  check_square(a, "linalg.eigh");
  const bool upper = upper_of(uplo);
  check_lapack(a, "linalg_eigh_cpu");
  return hermitian(a, upper, false)[0];
}

TensorTwo eig(const Tensor& a) {
  check_general(a, "linalg.eig");
  const std::vector<Tensor> outs = general(a, true);
  record_many(outs, "LinalgEigBackward0", {&a}, saved(result_nr(0), result_nr(1)),
              joint([](const Node&, const std::vector<Tensor>& g, const Tensor& l, const Tensor& v,
                       std::vector<Tensor>& in) {
                if (g[0].defined() || g[1].defined()) in[0] = eig_backward(g[0], g[1], l, v);
              }));
  return {outs[0], outs[1]};
}

Tensor eigvals(const Tensor& a) {
  check_general(a, "linalg.eigvals");
  if (needs_grad(a) && GradMode::enabled()) return std::get<0>(eig(a));
  return general(a, false)[0];
}

void register_linalg_eigen(OpTable& ops) {
  ops.add(
      "linalg.eigh(Tensor self, str UPLO='L') -> (Tensor eigenvalues, Tensor eigenvectors)", eigh,
      Function | Out,
      "Returns the eigenvalues of Hermitian matrices, ascending, and orthonormal eigenvectors as "
      "columns; only the triangle ``UPLO`` is read.\n\nRaises LinAlgError for NaN and inf.");
  ops.add("linalg.eigvalsh(Tensor self, str UPLO='L') -> Tensor", eigvalsh, Function | Out,
          "Returns the eigenvalues of Hermitian matrices, ascending (see linalg.eigh).");
  ops.add(
      "linalg.eig(Tensor self) -> (Tensor eigenvalues, Tensor eigenvectors)", eig, Function | Out,
      "Returns the eigenvalues of square matrices and eigenvectors of length 1 as columns, both "
      "complex.\n\nRaises RuntimeError for NaN and inf.");
  ops.add("linalg.eigvals(Tensor self) -> Tensor", eigvals, Function | Out,
          "Returns the eigenvalues of square matrices, complex, in no order.");
}

}  // namespace d2l
