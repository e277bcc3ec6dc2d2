// Special functions: Bessel functions of order 0 and 1, the normal distribution, zeta and the
// polygamma functions, orthogonal polynomials. Each with its derivative and its row; the loops are
// in kernels/loops_scalar.cpp.
#include <cmath>
#include <limits>

#include "autograd/record.h"
#include "d2lcore/ops.h"
#include "iter/map.h"
#include "ops/register.h"

namespace d2l {
namespace {

constexpr double kPi = 3.14159265358979323846;

Tensor apply(const char* op, Loop loop, const Tensor& self, Dst dst) {
  check<NotImplementedError>(!is_complex(self.dtype()), "\"{}_cpu\" not implemented for '{}'", op,
                             self.dtype());
  return map(op, loop, Promote::Float, dst, {&self});
}

}  // namespace

Tensor i0(const Tensor& self, Dst dst) {
  return record(apply("i0", Loop::i0, self, dst), "I0Backward0", {&self}, saved(self),
                [](const Tensor& g, const Tensor& x) { return mul(g, i1(x)); });
}
Tensor i0e(const Tensor& self, Dst dst) {
  return record(apply("i0e", Loop::i0e, self, dst), "SpecialI0EBackward0", {&self},
                saved(self, result), [](const Tensor& g, const Tensor& x, const Tensor& y) {
                  return mul(g, sub(i1e(x), mul(sgn(x), y)));
                });
}
// The derivatives hold at 0 too, where they are 1/2: there 1 / x is replaced.
Tensor i1(const Tensor& self, Dst dst) {
  return record(apply("i1", Loop::i1, self, dst), "SpecialI1Backward0", {&self},
                saved(self, result), [](const Tensor& g, const Tensor& x, const Tensor& y) {
                  const Tensor zero = eq(x, Scalar(0));
                  const Tensor safe = masked_fill(x, zero, Scalar(1));
                  const Tensor slope = sub(i0(x), div(y, safe));
                  return mul(g, masked_fill(slope, zero, Scalar(0.5)));
                });
}
Tensor i1e(const Tensor& self, Dst dst) {
  return record(apply("i1e", Loop::i1e, self, dst), "SpecialI1EBackward0", {&self},
                saved(self, result), [](const Tensor& g, const Tensor& x, const Tensor& y) {
                  const Tensor zero = eq(x, Scalar(0));
                  const Tensor safe = masked_fill(x, zero, Scalar(1));
                  const Tensor slope = sub(i0e(x), mul(y, add(sgn(x), reciprocal(safe))));
                  return mul(g, masked_fill(slope, zero, Scalar(0.5)));
                });
}

Tensor ndtr(const Tensor& self, Dst dst) {
  return record(apply("ndtr", Loop::ndtr, self, dst), "SpecialNdtrBackward0", {&self}, saved(self),
                [](const Tensor& g, const Tensor& x) {
                  return mul(mul(g, exp(mul(square(x), Scalar(-0.5)))),
                             Scalar(1 / std::sqrt(2 * kPi)));
                });
}
Tensor ndtri(const Tensor& self, Dst dst) {
  return record(apply("ndtri", Loop::ndtri, self, dst), "SpecialNdtriBackward0", {&self},
                saved(result), [](const Tensor& g, const Tensor& y) {
                  return mul(mul(g, exp(mul(square(y), Scalar(0.5)))), Scalar(std::sqrt(2 * kPi)));
                });
}
Tensor erfcx(const Tensor& self, Dst dst) {
  return record(apply("erfcx", Loop::erfcx, self, dst), "SpecialErfcxBackward0", {&self},
                saved(self, result), [](const Tensor& g, const Tensor& x, const Tensor& y) {
                  const Scalar slope(2 / std::sqrt(kPi));
                  return mul(g, sub(mul(mul(x, y), Scalar(2)), slope));
                });
}
Tensor log_ndtr(const Tensor& self, Dst dst) {
  return record(apply("log_ndtr", Loop::log_ndtr, self, dst), "SpecialLogNdtrBackward0", {&self},
                saved(self), [](const Tensor& g, const Tensor& x) {
                  const Tensor scaled = erfcx(mul(x, Scalar(-std::sqrt(0.5))));
                  return mul(div(g, scaled), Scalar(std::sqrt(2 / kPi)));
                });
}

Tensor zeta(const Tensor& self, const Tensor& other, Dst dst) {
  check<NotImplementedError>(!is_complex(self.dtype()) && !is_complex(other.dtype()),
                             "\"zeta_cpu\" not implemented for '{}'", result_type(self, other));
  return record(
      map("zeta", Loop::zeta, Promote::Float, dst, {&self, &other}), "SpecialZetaBackward0",
      {&self, &other}, saved(self, other),
      [](const Tensor&, const Tensor&, const Tensor&) -> Tensor {
        fail<NotImplementedError>("the derivative for 'self' is not implemented.");
      },
      [](const Tensor& g, const Tensor& x, const Tensor& q) {
        return mul(g, neg(mul(x, zeta(add(x, Scalar(1)), q))));
      });
}

Tensor polygamma(int64_t n, const Tensor& self, Dst dst) {
  check(n >= 0, "polygamma(n, x) does not support negative n.");
  if (n == 0) return digamma(self, dst);
  Tensor out;
  if (n == 1) {
    out = apply("polygamma", Loop::trigamma, self, dst);
  } else {
    GradModeGuard off(false);
    const DType type = is_floating(self.dtype()) ? self.dtype() : default_dtype();
    const Tensor x = to_dtype(self, type == DType::Double ? type : DType::Float);
    const double factor = std::exp(std::lgamma(static_cast<double>(n) + 1));
    const Tensor order = wrap(Scalar(static_cast<double>(n) + 1));
    const Tensor sum = map("polygamma", Loop::zeta, Promote::Float, {}, {&order, &x});
    out = deliver("polygamma", dst,
                  to_dtype(mul(sum, wrap(Scalar(n % 2 == 0 ? -factor : factor))), type));
  }
  return record(out, "PolygammaBackward0", {&self}, saved(self),
                [n](const Tensor& g, const Tensor& x) { return mul(g, polygamma(n + 1, x)); });
}

Tensor mvlgamma(const Tensor& self, int64_t p) {
  check(p >= 1, "p has to be greater than or equal to 1");
  const DType type = is_floating(self.dtype()) ? self.dtype() : default_dtype();
  const double d = static_cast<double>(p);
  const Tensor steps = arange(Scalar(-d / 2 + 0.5), Scalar(0.5), Scalar(0.5), Options(type));
  const Tensor terms = lgamma(add(unsqueeze(self, -1), steps));
  return add(sum(terms, IntList(Dims{-1})), Scalar(d * (d - 1) * std::log(kPi) / 4));
}

namespace {

Tensor polygamma_inplace(const Tensor& self, int64_t n, Dst dst) { return polygamma(n, self, dst); }

// Orthogonal polynomials: of degree n, which is read as an integer; no derivatives, as in PyTorch.
template <Loop kLoop>
Tensor orthogonal(const Tensor& x, const Tensor& n, Dst dst) {
  const char* name = kLoopInfo[static_cast<int>(kLoop)].name;
  check<NotImplementedError>(!is_complex(x.dtype()) && !is_complex(n.dtype()),
                             "\"{}_polynomial_cpu\" not implemented for '{}'", name,
                             result_type(x, n));
  auto refuse = [](const Tensor&) -> Tensor {
    fail<NotImplementedError>("the derivative of an orthogonal polynomial is not implemented.");
  };
  return record(map(name, kLoop, Promote::Float, dst, {&x, &n}), "NotImplemented", {&x, &n},
                saved(), refuse, refuse);
}

}  // namespace

void register_special(OpTable& ops) {
  constexpr uint32_t kFace = Function | Out;
  auto unary = [&](const char* name, auto f, const char* doc) {
    ops.add((std::string("special.") + name + "(Tensor self) -> Tensor").c_str(), f, kFace, doc);
  };
  ops.add("i0(Tensor self) -> Tensor", i0, Elementwise | InplaceFunction,
          "Returns the modified Bessel function of the first kind, order 0.");
  unary("i0", i0, "Returns the modified Bessel function of the first kind, order 0.");
  unary("i0e", i0e, "Returns ``exp(-|x|) i0(x)``.");
  unary("i1", i1, "Returns the modified Bessel function of the first kind, order 1.");
  unary("i1e", i1e, "Returns ``exp(-|x|) i1(x)``.");
  unary("ndtr", ndtr, "Returns the probability of a standard normal number below ``self``.");
  unary("ndtri", ndtri, "Returns the number below which ``self`` of the normal distribution lies.");
  unary("log_ndtr", log_ndtr, "Returns ``log(ndtr(self))``, accurate far below 0 too.");
  unary("erfcx", erfcx, "Returns ``exp(self**2) * erfc(self)``, without overflow.");
  unary("entr", entr, "Returns ``-x log(x)``, 0 at 0 and -inf below.");
  ops.add("special.xlog1py(Tensor self, Tensor other) -> Tensor", xlog1py, kFace | NumbersFirst,
          "Returns ``self * log1p(other)``, and 0 where ``self`` is 0.");
  ops.add("special.zeta(Tensor self, Tensor other) -> Tensor", zeta, kFace | NumbersFirst,
          "Returns Hurwitz' zeta function, the sum of ``(other + k) ** -self`` over k >= 0.");
  const char* polygamma_doc =
      "Returns the ``n``-th derivative of the digamma function, digamma itself for n = 0.";
  ops.add("polygamma(int n, Tensor self) -> Tensor", polygamma, kFace, polygamma_doc);
  ops.add("special.polygamma(int n, Tensor self) -> Tensor", polygamma, kFace, polygamma_doc);
  ops.add("polygamma(Tensor self, int n) -> Tensor", polygamma_inplace, Inplace, polygamma_doc);
  ops.add("mvlgamma(Tensor self, int p) -> Tensor", mvlgamma, Both | Inplace | Out,
          "Returns the logarithm of the multivariate gamma function of dimension ``p``.");
  auto polynomial = [&](const char* name, auto f, const char* doc) {
    ops.add((std::string("special.") + name + "(Tensor x, Tensor n) -> Tensor").c_str(), f,
            kFace | NumbersFirst, doc);
  };
  const char* chebyshev = "Returns Chebyshev's polynomial of degree ``n`` at ``x``.";
  polynomial("chebyshev_polynomial_t", orthogonal<Loop::chebyshev_t>, chebyshev);
  polynomial("chebyshev_polynomial_u", orthogonal<Loop::chebyshev_u>, chebyshev);
  polynomial("chebyshev_polynomial_v", orthogonal<Loop::chebyshev_v>, chebyshev);
  polynomial("chebyshev_polynomial_w", orthogonal<Loop::chebyshev_w>, chebyshev);
  const char* shifted = "Returns Chebyshev's polynomial of degree ``n`` at ``2 x - 1``.";
  polynomial("shifted_chebyshev_polynomial_t", orthogonal<Loop::shifted_t>, shifted);
  polynomial("shifted_chebyshev_polynomial_u", orthogonal<Loop::shifted_u>, shifted);
  polynomial("shifted_chebyshev_polynomial_v", orthogonal<Loop::shifted_v>, shifted);
  polynomial("shifted_chebyshev_polynomial_w", orthogonal<Loop::shifted_w>, shifted);
  const char* hermite = "Returns Hermite's polynomial of degree ``n`` at ``x``.";
  polynomial("hermite_polynomial_h", orthogonal<Loop::hermite_h>, hermite);
  polynomial("hermite_polynomial_he", orthogonal<Loop::hermite_he>, hermite);
  polynomial("laguerre_polynomial_l", orthogonal<Loop::laguerre_l>,
             "Returns Laguerre's polynomial of degree ``n`` at ``x``.");
  polynomial("legendre_polynomial_p", orthogonal<Loop::legendre_p>,
             "Returns Legendre's polynomial of degree ``n`` at ``x``.");
}

}  // namespace d2l
