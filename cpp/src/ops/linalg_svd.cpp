// The singular value decomposition.
#include <cmath>

#include "autograd/record.h"
#include "core/lapack.h"
#include "ops/linalg_parts.h"

namespace d2l {
namespace {

void check_svd(const Tensor& a) {
  check_matrix(a, "linalg.svd");
  check_float(a, "linalg.svd");
  check_lapack(a, "linalg_svd_cpu");
}

constexpr const char* kNotFinite =
    "linalg.svd: The algorithm failed to converge because the input matrix contained non-finite "
    "values.";
constexpr const char* kNoConvergence =
    "linalg.svd: The algorithm failed to converge because the input matrix is ill-conditioned or "
    "has too many repeated singular values (error code: {}).";

// NaN and inf never reach the provider: which of them it survives differs.
bool finite_or_refused(const Tensor& a, bool vectors) {
  if (!any_true(logical_not(isfinite(a)))) return true;
  check<LinAlgError>(!any_true(isnan(a)), kNotFinite);
  check<LinAlgError>(!vectors, kNoConvergence, 2);
  return false;
}

std::vector<Tensor> from_provider(const Tensor& a, bool full, bool vectors) {
  try {
    return provided(lapack_provider.svd, "linalg.svd")(a, full, vectors);
  } catch (const LinAlgError&) {
    fail<LinAlgError>(kNoConvergence, 1);
  }
}

TensorThree decompose(const Tensor& a, bool full) {
  GradModeGuard off(false);
  const IntList batch = batch_of(a);
  const int64_t m = a.size(-2), n = a.size(-1), k = std::min(m, n);
  const Tensor u = empty_columns(batch, m, full ? m : k, a.dtype());
  const Tensor s = empty(with_vector(batch, k), real_dtype(a.dtype()));
  const Tensor vh = empty_columns(batch, full ? n : k, n, a.dtype());
  if (a.numel() == 0) {
    if (u.numel()) copy_into(u, eye_like(u));
    if (vh.numel()) copy_into(vh, eye_like(vh));
    return {u, s, vh};
  }
  finite_or_refused(a, true);
  const std::vector<Tensor> got = from_provider(detach(a), full, true);
  copy_into(u, got[0]);
  copy_into(s, got[1]);
  copy_into(vh, got[2]);
  return {u, s, vh};
}

Tensor skew(const Tensor& x) { return sub(x, mH(x)); }

// U, S, Vh with k columns and rows (J. Townsend, Differentiating the Singular Value Decomposition,
// 2016). With E_ij = S_j^2 - S_i^2 off the diagonal,
// gA = U [(skew(U^H gU) / E) S + S (skew(V^H gV) / E) + diag(gS)] V^H, plus what of gU and gV lies
// outside of the columns of U and V.
Tensor svd_backward(const Tensor& g_u, const Tensor& g_s, const Tensor& g_vh, const Tensor& u,
                    const Tensor& s, const Tensor& vh) {
  const int64_t m = u.size(-2), n = vh.size(-1), k = s.size(-1);
  if (!g_u.defined() && !g_vh.defined()) return matmul(mul(u, unsqueeze(g_s, -2)), vh);
  const bool complex = is_complex(u.dtype());
  Tensor left, right;
  if (g_u.defined()) left = skew(matmul(mH(u), g_u));
  if (g_vh.defined()) right = skew(matmul(vh, mH(g_vh)));
  if (complex) {
    const Tensor total = abs(sum_defined(left.defined() ? diagonal(left, 0, -2, -1) : Tensor(),
                                         right.defined() ? diagonal(right, 0, -2, -1) : Tensor()));
    check(
        !any_true(gt(detach(total), Scalar(2e-2))),
        "svd_backward: The singular vectors in the complex case are specified up to "
        "multiplication by e^{i phi}. The specified loss function depends on this quantity, so it "
        "is ill-defined.");
  }
  const Tensor squares = mul(s, s), one = eye(k, k, Options(s.dtype()));
  const Tensor e = add(sub(unsqueeze(squares, -2), unsqueeze(squares, -1)), one);
  Tensor inner;
  if (left.defined()) inner = mul(left, unsqueeze(s, -2));
  if (right.defined()) inner = sum_defined(inner, mul(unsqueeze(s, -1), right));
  inner = div(inner, e);
  if (complex && left.defined() && right.defined()) {
    inner = add(inner, diag_embed(div(diagonal(left, 0, -2, -1), mul(s, Scalar(2.0)))));
  }
  if (g_s.defined()) inner = add(inner, diag_embed(g_s));
  Tensor out;
  if (m > k && g_u.defined()) {
    const Tensor scaled = div(g_u, unsqueeze(s, -2));
    const Tensor outside = sub(scaled, matmul(u, matmul(mH(u), scaled)));
    out = matmul(add(matmul(u, inner), outside), vh);
  } else {
    out = matmul(matmul(u, inner), vh);
  }
  if (n > k && g_vh.defined()) {
    const Tensor scaled = div(g_vh, unsqueeze(s, -1));
    out = add(out, matmul(u, sub(scaled, matmul(matmul(scaled, mH(vh)), vh))));
  }
  return out;
}

}  // namespace

TensorThree svd(const Tensor& a, bool full_matrices) {
  check_svd(a);
  const TensorThree out = decompose(a, full_matrices);
  const auto& [u, s, vh] = out;
  const Tensor outs[] = {u, s, vh};
  record_many(outs, "LinalgSvdBackward0", {&a}, saved(result_nr(0), result_nr(1), result_nr(2)),
              joint([](const Node&, const std::vector<Tensor>& g, const Tensor& u, const Tensor& s,
                       const Tensor& vh, std::vector<Tensor>& in) {
                if (!g[0].defined() && !g[1].defined() && !g[2].defined()) return;
                const int64_t k = s.size(-1);
                auto columns = [k](const Tensor& t) {
                  return t.defined() && t.size(-1) > k ? narrow(t, -1, 0, k) : t;
                };
                auto rows = [k](const Tensor& t) {
                  return t.defined() && t.size(-2) > k ? narrow(t, -2, 0, k) : t;
                };
                in[0] = svd_backward(columns(g[0]), g[1], rows(g[2]), columns(u), s, rows(vh));
              }));
  return out;
}

Tensor svdvals(const Tensor& a) {
  if (needs_grad(a) && GradMode::enabled()) return std::get<1>(svd(a, false));
  check_svd(a);
  GradModeGuard off(false);
  const Tensor s =
      empty(with_vector(batch_of(a), std::min(a.size(-2), a.size(-1))), real_dtype(a.dtype()));
  if (a.numel() == 0) return s;
  if (finite_or_refused(a, false)) {
    copy_into(s, from_provider(detach(a), false, false)[0]);
  } else {
    fill_into(s, Scalar(std::nan("")));
  }
  return s;
}

namespace {

void check_driver(std::optional<std::string_view> driver) {
  check(!driver,
        "torch.linalg.svd: keyword argument `driver=` is only supported on CUDA inputs with "
        "cuSOLVER backend.");
}
TensorThree linalg_svd(const Tensor& a, bool full_matrices,
                       std::optional<std::string_view> driver) {
  check_driver(driver);
  return svd(a, full_matrices);
}
Tensor linalg_svdvals(const Tensor& a, std::optional<std::string_view> driver) {
  check_driver(driver);
  return svdvals(a);
}
TensorThree old_svd(const Tensor& a, bool some, bool compute_uv) {
  check(a.dim() >= 2,
        "linalg.svd: input should have at least 2 dimensions, but has {} dimensions instead",
        a.dim());
  if (!compute_uv) {
    const int64_t m = a.size(-2), n = a.size(-1);
    const Tensor s = svdvals(a);
    return {zeros(with_matrix(batch_of(a), m, m), a.dtype()), s,
            zeros(with_matrix(batch_of(a), n, n), a.dtype())};
  }
  const auto [u, s, vh] = svd(a, !some);
  return {u, s, mH(vh)};
}

}  // namespace

void register_linalg_svd(OpTable& ops) {
  ops.add(
      "linalg.svd(Tensor A, bool full_matrices=True, *, str? driver=None) -> (Tensor U, Tensor S, "
      "Tensor Vh)",
      linalg_svd, Function | Out,
      "Returns ``A = U @ diag(S) @ Vh``: orthonormal columns and rows, singular values in "
      "descending order; without ``full_matrices`` only as many columns and rows as there are "
      "values.\n\nRaises LinAlgError for NaN and inf.");
  ops.add("linalg.svdvals(Tensor A, *, str? driver=None) -> Tensor", linalg_svdvals, Function | Out,
          "Returns the singular values of matrices in descending order.");
  ops.add(
      "svd(Tensor self, bool some=True, bool compute_uv=True) -> (Tensor U, Tensor S, Tensor V)",
      old_svd, Both | Out,
      "Returns ``self = U @ diag(S) @ V^H`` (see linalg.svd); without ``compute_uv`` zeros for U "
      "and V.");
}

}  // namespace d2l
