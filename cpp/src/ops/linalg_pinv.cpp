// What follows from singular values: rank, pseudo-inverse, condition number.
#include <cmath>
#include <limits>

#include "autograd/record.h"
#include "ops/linalg_parts.h"

namespace d2l {
namespace {

// Below what a singular value counts as zero: an absolute bound and one relative to the largest.
struct Bounds {
  Tensor atol, rtol;
};

void check_bound(const Tensor& t, const char* op, const char* name) {
  check(!t.defined() || !is_complex(t.dtype()),
        "{}: {} tensor of complex type is not supported. Got {}", op, name,
        t.defined() ? t.dtype() : DType::Float);
}

// Without rtol: eps * max(m, n), unless atol says something.
Bounds bounds_of(const Tensor& a, const Tensor& atol, const Tensor& rtol, const char* op) {
  check_bound(atol, op, "atol");
  check_bound(rtol, op, "rtol");
  Bounds out{atol, rtol};
  const DType real = real_dtype(a.dtype());
  if (!rtol.defined()) {
    const double usual =
        epsilon_of(a.dtype()) * static_cast<double>(std::max(a.size(-1), a.size(-2)));
    const Tensor number = full(Dims(), Scalar(usual), Options(real));
    out.rtol = number;
    if (atol.defined()) {
      out.rtol = where(gt(atol, Scalar(0)), zeros(Dims(), real), number);
    }
  }
  if (!atol.defined()) out.atol = zeros(Dims(), real);
  return out;
}

// max(atol, rtol * largest), with a last dimension of 1.
Tensor threshold(const Bounds& b, const Tensor& largest) {
  return maximum(unsqueeze(b.atol, -1), mul(unsqueeze(b.rtol, -1), largest));
}

Tensor number_of(const std::optional<double>& x) {
  return x ? full(Dims(), Scalar(*x), Options(DType::Double)) : Tensor();
}

}  // namespace

Tensor matrix_rank(const Tensor& a, const Tensor& atol, const Tensor& rtol, bool hermitian) {
  const char* op = "torch.linalg.matrix_rank";
  check_matrix(a, op, "input");
  check(a.dtype() == DType::Float || a.dtype() == DType::Double || is_complex(a.dtype()),
        "This function doesn't handle types other than float and double");
  GradModeGuard off(false);
  const Bounds b = bounds_of(a, atol, rtol, op);
  if (a.numel() == 0) return zeros(batch_of(a), DType::Int64);
  const int64_t last[1] = {-1};
  Tensor s, largest;
  if (hermitian) {
    s = abs(eigvalsh(a));
    largest = amax(s, last, true);
  } else {
    s = svdvals(a);
    largest = narrow(s, -1, 0, 1);
  }
  return sum(gt(s, threshold(b, largest)), IntList(last));
}

// The derivative of the pseudo-inverse (Golub and Pereyra, The Differentiation of Pseudo-Inverses
// and Nonlinear Least Squares Problems Whose Variables Separate, 1973), with the smaller matrices
// first.
Tensor pinv_vjp(const Tensor& g, const Tensor& a, const Tensor& y) {
  const Tensor yh = mH(y), gh = mH(g);
  if (a.size(-2) <= a.size(-1)) {
    const Tensor k = matmul(gh, y), ky = matmul(k, yh);
    const Tensor first = sub(ky, mH(matmul(y, k)));
    const Tensor second =
        sub(matmul(matmul(yh, y), sub(gh, matmul(k, a))), matmul(matmul(a, y), ky));
    return add(first, second);
  }
  const Tensor k = matmul(y, gh), yk = matmul(yh, k);
  const Tensor first = sub(yk, mH(matmul(k, y)));
  const Tensor second = sub(matmul(matmul(sub(gh, matmul(a, k)), y), yh), matmul(matmul(yk, y), a));
  return add(first, second);
}

namespace {

void check_constant(const Tensor& t, const char* name) {
  check(!t.defined() || !needs_grad(t) || !GradMode::enabled(),
        "The function 'linalg_pinv' is not differentiable with respect to argument '{}'. This "
        "input cannot have requires_grad True.",
        name);
}

}  // namespace

Tensor pinv(const Tensor& a, const Tensor& atol, const Tensor& rtol, bool hermitian) {
  check_constant(atol, "atol");
  check_constant(rtol, "rtol");
  const bool known =
      a.dtype() == DType::Float || a.dtype() == DType::Double || is_complex(a.dtype());
  check(known && a.dim() >= 2,
        "linalg.pinv({}{{}}): expected a tensor with 2 or more dimensions of float, double, cfloat "
        "or cdouble types",
        a.dtype(), a.shape());
  Tensor y;
  {
    GradModeGuard off(false);
    const Bounds b = bounds_of(a, atol, rtol, "torch.linalg.pinv");
    const int64_t last[1] = {-1};
    if (a.numel() == 0) {
      y = empty(with_matrix(batch_of(a), a.size(-1), a.size(-2)), a.dtype());
    } else if (hermitian) {
      const auto [l, v] = eigh(a);
      const Tensor size = abs(l);
      const Tensor small = le(size, threshold(b, amax(size, last, true)));
      const Tensor inverse = masked_fill(reciprocal(l), small, Scalar(0));
      y = matmul(mul(v, unsqueeze(inverse, -2)), mH(v));
    } else {
      const auto [u, s, vh] = svd(a, false);
      const Tensor small = le(s, threshold(b, narrow(s, -1, 0, 1)));
      const Tensor inverse = masked_fill(reciprocal(s), small, Scalar(0));
      y = matmul(mul(mH(vh), unsqueeze(inverse, -2)), mH(u));
    }
  }
  return record(
      y, "LinalgPinvBackward0", {&a}, saved(a, result),
      [](const Tensor& g, const Tensor& a, const Tensor& y) { return pinv_vjp(g, a, y); });
}

namespace {

// |A| |A^-1|; infinite where A is singular.
template <class Norm>
Tensor cond_by_inverse(const Tensor& a, Norm norm) {
  check_float(a, "linalg.inv", false);
  constexpr double kInf = std::numeric_limits<double>::infinity();
  const auto [inverse, info] = inv_ex(a);
  const Tensor singular = ne(reshape(info, with_matrix(info.shape(), 1, 1)), Scalar(0));
  const Tensor out = mul(norm(a), norm(masked_fill(inverse, singular, Scalar(kInf))));
  return masked_fill(out, isnan(detach(out)), Scalar(kInf));
}

// The condition of an empty matrix is 0.
Tensor no_condition(const Tensor& a) { return zeros(batch_of(a), real_dtype(a.dtype())); }

}  // namespace

Tensor cond(const Tensor& a, const OptScalar& p) {
  check(a.dim() >= 2, "linalg.cond: The input tensor must have at least 2 dimensions.");
  const Scalar ord = p.value_or(Scalar(2));
  const double size = std::abs(ord.real());
  check(size == 1 || size == 2 || std::isinf(size), "linalg.cond got an invalid norm type: {}",
        ord.is_integral() ? std::to_string(ord.to_int()) : detail::to_text(ord.real()));
  if (a.numel() == 0) return no_condition(a);
  if (size == 2) {
    const Tensor s = svdvals(a);
    const Tensor first = narrow(s, -1, 0, 1), last = narrow(s, -1, s.size(-1) - 1, 1);
    return squeeze_dims(ord.real() > 0 ? div(first, last) : div(last, first), Dims{-1});
  }
  check_square(
      a, "linalg.cond(ord=" +
             (ord.is_integral() ? std::to_string(ord.to_int()) : std::to_string(ord.real())) + ")");
  const int64_t both[2] = {-2, -1};
  return cond_by_inverse(a, [&](const Tensor& x) { return matrix_norm(x, ord, both); });
}

namespace {

Tensor cond_number(const Tensor& a, OptScalar p) { return cond(a, p); }
Tensor cond_named(const Tensor& a, std::string_view p) {
  check(p == "fro" || p == "nuc", "linalg.cond got an invalid norm type: {}", p);
  check_square(a, "linalg.cond(ord=" + std::string(p) + ")");
  if (a.numel() == 0) return no_condition(a);
  const int64_t both[2] = {-2, -1}, last[1] = {-1};
  if (p == "nuc") {
    const Tensor s = svdvals(a);
    return mul(sum(s, IntList(last)), sum(reciprocal(s), IntList(last)));
  }
  return cond_by_inverse(a, [&](const Tensor& x) { return matrix_norm(x, p, both); });
}

Tensor rank_tensors(const Tensor& a, const Tensor& atol, const Tensor& rtol, bool hermitian) {
  return matrix_rank(a, atol, rtol, hermitian);
}
Tensor rank_numbers(const Tensor& a, std::optional<double> atol, std::optional<double> rtol,
                    bool hermitian) {
  return matrix_rank(a, number_of(atol), number_of(rtol), hermitian);
}
// The old `tol` is absolute alone.
Tensor rank_tol_tensor(const Tensor& a, const Tensor& tol, bool hermitian) {
  return matrix_rank(a, tol, zeros(Dims(), DType::Double), hermitian);
}
Tensor rank_tol_number(const Tensor& a, double tol, bool hermitian) {
  return rank_tol_tensor(a, number_of(tol), hermitian);
}
Tensor pinv_tensors(const Tensor& a, const Tensor& atol, const Tensor& rtol, bool hermitian) {
  return pinv(a, atol, rtol, hermitian);
}
Tensor pinv_numbers(const Tensor& a, std::optional<double> atol, std::optional<double> rtol,
                    bool hermitian) {
  return pinv(a, number_of(atol), number_of(rtol), hermitian);
}
// The old `rcond` is relative alone.
Tensor pinv_rcond_tensor(const Tensor& a, const Tensor& rcond, bool hermitian) {
  return pinv(a, {}, rcond, hermitian);
}
Tensor pinv_rcond_number(const Tensor& a, double rcond, bool hermitian) {
  return pinv(a, {}, number_of(rcond), hermitian);
}
Tensor pinverse(const Tensor& a, double rcond) { return pinv(a, {}, number_of(rcond), false); }

}  // namespace

void register_linalg_pinv(OpTable& ops) {
  const char* rank_doc =
      "Returns the number of singular values greater than ``max(atol, rtol * largest)``; rtol is "
      "``eps * max(m, n)`` unless one of them is given. ``hermitian`` takes absolute eigenvalues.";
  ops.add(
      "linalg.matrix_rank(Tensor self, *, Tensor? atol=None, Tensor? rtol=None, bool "
      "hermitian=False) -> Tensor",
      rank_tensors, Function | Out, rank_doc);
  ops.add(
      "linalg.matrix_rank(Tensor self, *, float? atol=None, float? rtol=None, bool "
      "hermitian=False) -> Tensor",
      rank_numbers, Function | Out, rank_doc);
  ops.add("linalg.matrix_rank(Tensor self, float tol, bool hermitian=False) -> Tensor",
          rank_tol_number, Function | Out, rank_doc);
  ops.add("linalg.matrix_rank(Tensor self, Tensor tol, bool hermitian=False) -> Tensor",
          rank_tol_tensor, Function | Out, rank_doc);
  const char* pinv_doc =
      "Returns the pseudo-inverse (Moore-Penrose); singular values up to ``max(atol, rtol * "
      "largest)`` count as 0. ``hermitian`` uses eigenvalues.";
  ops.add(
      "linalg.pinv(Tensor self, *, Tensor? atol=None, Tensor? rtol=None, bool hermitian=False) -> "
      "Tensor",
      pinv_tensors, Function | Out, pinv_doc);
  ops.add(
      "linalg.pinv(Tensor self, *, float? atol=None, float? rtol=None, bool hermitian=False) -> "
      "Tensor",
      pinv_numbers, Function | Out, pinv_doc);
  ops.add("linalg.pinv(Tensor self, float rcond, bool hermitian=False) -> Tensor",
          pinv_rcond_number, Function | Out, pinv_doc);
  ops.add("linalg.pinv(Tensor self, Tensor rcond, bool hermitian=False) -> Tensor",
          pinv_rcond_tensor, Function | Out, pinv_doc);
  ops.add("pinverse(Tensor self, float rcond=1e-15) -> Tensor", pinverse, Both, pinv_doc);
  const char* cond_doc =
      "Returns the condition number ``norm(A) * norm(inv(A))``, for 2 and -2 the quotient of the "
      "greatest and the least singular value. inf for a singular matrix.";
  ops.add("linalg.cond(Tensor self, Scalar? p=None) -> Tensor", cond_number, Function | Out,
          cond_doc);
  ops.add("linalg.cond(Tensor self, str p) -> Tensor", cond_named, Function | Out, cond_doc);
}

}  // namespace d2l
