// Least squares: X of least |A X - B|, of least length where there are many.
#include <cmath>

#include "autograd/record.h"
#include "ops/linalg_parts.h"

namespace d2l {
namespace {

enum class Driver : uint8_t { Gels, Gelsy, Gelsd, Gelss };

Driver driver_of(std::optional<std::string_view> name) {
  if (!name) return Driver::Gelsy;
  if (*name == "gels") return Driver::Gels;
  if (*name == "gelsy") return Driver::Gelsy;
  if (*name == "gelsd") return Driver::Gelsd;
  check(*name == "gelss",
        "torch.linalg.lstsq: parameter `driver` should be one of (gels, gelsy, gelsd, gelss)");
  return Driver::Gelss;
}

struct Solution {
  Tensor x, residuals, rank, values;
};

// By Q R: A has full rank, as driver gels wants it.
Tensor solve_full_rank(const Tensor& a, const Tensor& b) {
  const bool tall = a.size(-2) >= a.size(-1);
  const auto [q, r] = qr(tall ? a : mH(a));
  const Tensor zero = contiguous(eq(diagonal(r, 0, -2, -1), Scalar(0)));
  const int64_t k = r.size(-1), count = count_of(batch_of(r));
  const Tensor info = zeros(batch_of(r), DType::Int32);
  const auto* p = zero.data_as<bool>();
  bool all_zero = item(logical_not(any(a))).to_bool();
  for (int64_t i = 0; i < count && !all_zero; ++i) {
    const int64_t at = std::find(p + i * k, p + (i + 1) * k, true) - (p + i * k);
    info.data_as<int32_t>()[i] = static_cast<int32_t>(at < k ? at + 1 : 0);
  }
  check_info(info, "torch.linalg.lstsq");
  if (all_zero) {
    Dims shape(broadcast_shapes(batch_of(a), batch_of(b)));
    return zeros(with_matrix(shape, a.size(-1), b.size(-1)), a.dtype());
  }
  if (tall) return solve_triangular(r, matmul(mH(q), b), true);
  return matmul(q, solve_triangular(mH(r), b, false));
}

Solution least_squares(const Tensor& a, const Tensor& b, double rcond, Driver driver) {
  GradModeGuard off(false);
  const Dims batch = broadcast_shapes(batch_of(a), batch_of(b));
  const int64_t m = a.size(-2), n = a.size(-1), k = std::min(m, n), cols = b.size(-1);
  const DType real = real_dtype(a.dtype());
  Solution out{{}, empty(Dims{0}, real), empty(Dims{0}, DType::Int64), empty(Dims{0}, real)};
  const bool ranks = driver != Driver::Gels, values = driver > Driver::Gelsy;
  if (a.numel() == 0 || b.numel() == 0) {
    out.x = zeros(with_matrix(batch, n, cols), a.dtype());
    if (ranks) out.rank = zeros(batch_of(a), DType::Int64);
    if (values) out.values = zeros(with_vector(batch_of(a), k), real);
  } else if (driver == Driver::Gels) {
    out.x = solve_full_rank(a, b);
  } else {
    const auto [u, s, vh] = svd(a, false);
    const int64_t last[1] = {-1};
    const Tensor small = le(s, mul(narrow(s, -1, 0, 1), Scalar(rcond)));
    const Tensor inverse = masked_fill(reciprocal(s), small, Scalar(0));
    out.x = matmul(mH(vh), mul(unsqueeze(inverse, -1), matmul(mH(u), b)));
    out.rank = sum(logical_not(small), IntList(last));
    if (values) out.values = s;
  }
  // Squared lengths of what is left, where the equations outnumber the unknowns and all ranks are
  // full.
  const bool full_rank = driver == Driver::Gels || item(all(eq(out.rank, Scalar(n)))).to_bool();
  if (m > n && driver != Driver::Gelsy && full_rank) {
    const int64_t rows[1] = {-2};
    const Tensor size = abs(sub(matmul(a, out.x), b));
    out.residuals = sum(square(size), IntList(rows));
  }
  return out;
}

}  // namespace

namespace {

using TensorFour = std::tuple<Tensor, Tensor, Tensor, Tensor>;

TensorFour lstsq(const Tensor& a, const Tensor& b, std::optional<double> rcond,
                 std::optional<std::string_view> driver_name) {
  check(a.dim() >= 2, "torch.linalg.lstsq: input must have at least 2 dimensions.");
  check(b.dim() >= 1, "torch.linalg.lstsq: other must have at least 1 dimension.");
  check(a.dtype() == b.dtype(),
        "torch.linalg.lstsq: Expected input and other to have the same dtype, but got input's "
        "dtype {} and other's dtype {}",
        a.dtype(), b.dtype());
  const int64_t less = a.dim() - b.dim();
  check(less >= 0 && less <= 1,
        "torch.linalg.lstsq: input.dim() must be greater or equal to other.dim() and (input.dim() "
        "- other.dim()) <= 1");
  const bool vector = is_vector_of(a, b);
  check(vector ? a.size(-2) == b.size(-1) : a.size(-2) == b.size(-2),
        vector ? "torch.linalg.lstsq: input.size(-2) should match other.size(-1)"
               : "torch.linalg.lstsq: input.size(-2) should match other.size(-2)");
  const DType t = a.dtype();
  check(t == DType::Float || t == DType::Double || is_complex(t),
        "This function doesn't handle types other than float and double");
  const Driver driver = driver_of(driver_name);
  const double usual = epsilon_of(t) * static_cast<double>(std::max(a.size(-1), a.size(-2)));
  const Tensor columns = vector ? unsqueeze(b, -1) : b;
  Solution s = least_squares(detach(a), detach(columns), rcond.value_or(usual), driver);
  if (vector) s.x = squeeze_dims(s.x, Dims{-1});
  const Tensor outs[] = {s.x, s.residuals, s.rank, s.values};
  // The solution and its residuals alone have a derivative: X = pinv(A) B.
  record_many(std::span(outs, 2), "LinalgLstsqBackward0", {&a, &b}, saved(a, b, result_nr(0)),
              joint([vector](const Node& node, const std::vector<Tensor>& g, const Tensor& a,
                             const Tensor& b, const Tensor& x, std::vector<Tensor>& in) {
                auto matrix = [vector](const Tensor& v) { return vector ? unsqueeze(v, -1) : v; };
                const Tensor bm = matrix(b), xm = matrix(x);
                Tensor g_a, g_b;
                if (g[0].defined()) {
                  const Tensor gx = matrix(g[0]);
                  const Tensor inverse = pinv(a);
                  g_b = matmul(mH(inverse), gx);
                  if (node.needs(0)) g_a = pinv_vjp(matmul(gx, mH(bm)), a, inverse);
                }
                if (g[1].defined() && g[1].numel()) {
                  const Tensor rest =
                      mul(sub(matmul(a, xm), bm), mul(unsqueeze(g[1], -2), Scalar(2.0)));
                  g_b = g_b.defined() ? sub(g_b, rest) : neg(rest);
                  const Tensor more = matmul(rest, mH(xm));
                  g_a = g_a.defined() ? add(g_a, more) : more;
                }
                in[0] = g_a;
                if (g_b.defined()) in[1] = vector ? squeeze_dims(g_b, Dims{-1}) : g_b;
              }));
  return {s.x, s.residuals, s.rank, s.values};
}

}  // namespace

void register_linalg_lstsq(OpTable& ops) {
  ops.add(
      "linalg.lstsq(Tensor self, Tensor b, float? rcond=None, *, str? driver=None) -> (Tensor "
      "solution, Tensor residuals, Tensor rank, Tensor singular_values)",
      lstsq, Function | Out,
      "Returns X of least ``|A X - B|`` (of least length, where there are many), the squared "
      "residuals, the rank and the singular values; as PyTorch, each only for the drivers that "
      "compute it. 'gels' expects full rank.");
}

}  // namespace d2l
