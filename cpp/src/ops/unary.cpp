// Functions of one tensor: each op with its derivative and its row.
#include "autograd/record.h"
#include "d2lcore/ops.h"
#include "iter/map.h"
#include "ops/register.h"

namespace d2l {
namespace {

constexpr double kTwoOverSqrtPi = 1.1283791670955126;

Tensor one_minus_square(const Tensor& x) { return sub(wrap(Scalar(1)), square(x)); }
Tensor one_plus_square(const Tensor& x) { return add(square(x), Scalar(1)); }
Tensor zero_like(const Tensor& g) { return zeros_like(g); }

// A loop whose derivative is a formula of g and the input x.
template <class F>
Tensor from_input(const char* op, const char* node, Loop loop, Promote promote, const Tensor& self,
                  Dst dst, F f) {
  Tensor out = map(op, loop, promote, dst, {&self});
  return record(out, node, {&self}, saved(self), f);
}
// The same with a formula of g and the result y.
template <class F>
Tensor from_result(const char* op, const char* node, Loop loop, const Tensor& self, Dst dst, F f) {
  Tensor out = map(op, loop, Promote::Float, dst, {&self});
  return record(out, node, {&self}, saved(result), f);
}
// Rounding: the identity on integers, a zero gradient elsewhere.
Tensor rounding(const char* op, const char* node, Loop loop, const Tensor& self, Dst dst) {
  check<NotImplementedError>(!is_complex(self.dtype()), "{} is not supported for complex inputs",
                             op);
  if (is_integral(self.dtype())) {
    if (!dst) return clone(self);
    Tensor out = prepare_result(op, dst, self.shape(), self.dtype());
    copy_into(out, self);
    return out;
  }
  Tensor out = map(op, loop, Promote::Default, dst, {&self});
  return record(out, node, {&self}, saved(), zero_like);
}

}  // namespace

#define FROM_INPUT(name, node, loop, ...)                                                      \
  Tensor name(const Tensor& self, Dst dst) {                                                   \
    return from_input(#name "_vml_cpu", node, loop, Promote::Float, self, dst,                 \
                      [](const Tensor& g, const Tensor& x) -> Tensor { return __VA_ARGS__; }); \
  }
#define FROM_RESULT(name, node, loop, ...)                                                      \
  Tensor name(const Tensor& self, Dst dst) {                                                    \
    return from_result(#name "_vml_cpu", node, loop, self, dst,                                 \
                       [](const Tensor& g, const Tensor& y) -> Tensor { return __VA_ARGS__; }); \
  }

Tensor neg(const Tensor& self, Dst dst) {
  check(
      self.dtype() != DType::Bool,
      "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to invert "
      "a mask, use the `~` or `logical_not()` operator instead.");
  Tensor out = map("neg", Loop::neg, Promote::Default, dst, {&self});
  return record(out, "NegBackward0", {&self}, saved(), [](const Tensor& g) { return neg(g); });
}

Tensor abs(const Tensor& self, Dst dst) {
  if (!is_complex(self.dtype())) {
    return from_input("abs", "AbsBackward0", Loop::abs, Promote::Default, self, dst,
                      [](const Tensor& g, const Tensor& x) { return mul(g, sgn(x)); });
  }
  // The result is real: it is written through a dst of a complex dtype, but never in place.
  check(!dst || dst.is_out(), "In-place abs is not supported for complex tensors.");
  Tensor out;
  {
    GradModeGuard off(false);
    const Tensor re = real(self), im = imag(self);
    const DType part = real_dtype(self.dtype());
    out = map_as("abs", Loop::hypot, part, dst ? dst.tensor().dtype() : part, dst, {&re, &im});
  }
  return record(out, "AbsBackward0", {&self}, saved(self),
                [](const Tensor& g, const Tensor& x) { return mul(g, sgn(x)); });
}

Tensor sign(const Tensor& self, Dst dst) {
  check<NotImplementedError>(!is_complex(self.dtype()),
                             "Unlike NumPy, torch.sign is not intended to support complex numbers. "
                             "Please use torch.sgn instead.");
  Tensor out = map("sign", Loop::sign, Promote::Default, dst, {&self});
  return record(out, "SignBackward0", {&self}, saved(), zero_like);
}

Tensor square(const Tensor& self, Dst dst) {
  // PyTorch writes it as a power: integers stay integers, bool becomes int64.
  const DType type = self.dtype() == DType::Bool ? DType::Int64 : self.dtype();
  Tensor out = map_as("square", Loop::square, type, type, dst, {&self});
  return record(out, "PowBackward0", {&self}, saved(self),
                [](const Tensor& g, const Tensor& x) { return mul(g, mul(conj(x), Scalar(2))); });
}

Tensor relu(const Tensor& self, Dst dst) {
  check(self.dtype() != DType::Bool, "Boolean inputs not supported for relu");
  check<NotImplementedError>(!is_complex(self.dtype()), "clamp is not supported for complex types");
  Tensor out = map("relu", Loop::relu, Promote::Default, dst, {&self});
  return record(out, "ReluBackward0", {&self}, saved(result),
                [](const Tensor& g, const Tensor& y) { return relu_backward(g, y); });
}

Tensor relu_backward(const Tensor& g, const Tensor& y) {
  Tensor out = map("relu_backward", Loop::relu_backward, Promote::Default, {}, {&g, &y});
  return record(
      out, "ThresholdBackwardBackward0", {&g, &y}, saved(y),
      [](const Tensor& gg, const Tensor& z) { return relu_backward(gg, z); },
      [](const Tensor& gg, const Tensor&) { return zero_like(gg); });
}

FROM_RESULT(reciprocal, "ReciprocalBackward0", Loop::reciprocal, neg(mul(g, conj(square(y)))))
FROM_RESULT(sqrt, "SqrtBackward0", Loop::sqrt, div(g, conj(mul(y, Scalar(2)))))
FROM_RESULT(rsqrt, "RsqrtBackward0", Loop::rsqrt,
            mul(mul(g, Scalar(-0.5)), conj(mul(square(y), y))))
FROM_RESULT(exp, "ExpBackward0", Loop::exp, mul(g, conj(y)))
FROM_RESULT(exp2, "Exp2Backward0", Loop::exp2, mul(g, conj(mul(y, Scalar(0.6931471805599453)))))
FROM_RESULT(expm1, "Expm1Backward0", Loop::expm1, mul(g, conj(add(y, Scalar(1)))))
FROM_INPUT(log, "LogBackward0", Loop::log, div(g, conj(x)))
FROM_INPUT(log2, "Log2Backward0", Loop::log2, div(g, mul(conj(x), Scalar(0.6931471805599453))))
FROM_INPUT(log10, "Log10Backward0", Loop::log10, div(g, mul(conj(x), Scalar(2.302585092994046))))
FROM_INPUT(log1p, "Log1PBackward0", Loop::log1p, div(g, conj(add(x, Scalar(1)))))
FROM_INPUT(sin, "SinBackward0", Loop::sin, mul(g, conj(cos(x))))
FROM_INPUT(cos, "CosBackward0", Loop::cos, neg(mul(g, conj(sin(x)))))
FROM_RESULT(tan, "TanBackward0", Loop::tan, mul(g, conj(one_plus_square(y))))
FROM_INPUT(asin, "AsinBackward0", Loop::asin, mul(g, conj(rsqrt(one_minus_square(x)))))
FROM_INPUT(acos, "AcosBackward0", Loop::acos, neg(mul(g, conj(rsqrt(one_minus_square(x))))))
FROM_INPUT(atan, "AtanBackward0", Loop::atan, div(g, conj(one_plus_square(x))))
FROM_INPUT(sinh, "SinhBackward0", Loop::sinh, mul(g, conj(cosh(x))))
FROM_INPUT(cosh, "CoshBackward0", Loop::cosh, mul(g, conj(sinh(x))))
FROM_INPUT(asinh, "AsinhBackward0", Loop::asinh, mul(g, conj(rsqrt(one_plus_square(x)))))
FROM_INPUT(acosh, "AcoshBackward0", Loop::acosh,
           mul(g, conj(mul(rsqrt(sub(x, Scalar(1))), rsqrt(add(x, Scalar(1)))))))
FROM_INPUT(atanh, "AtanhBackward0", Loop::atanh, div(g, conj(one_minus_square(x))))
FROM_INPUT(erf, "ErfBackward0", Loop::erf, mul(g, mul(exp(neg(square(x))), Scalar(kTwoOverSqrtPi))))
FROM_INPUT(erfc, "ErfcBackward0", Loop::erfc,
           mul(g, mul(exp(neg(square(x))), Scalar(-kTwoOverSqrtPi))))
FROM_RESULT(erfinv, "ErfinvBackward0", Loop::erfinv,
            mul(g, mul(exp(square(y)), Scalar(1 / kTwoOverSqrtPi))))
FROM_RESULT(tanh, "TanhBackward0", Loop::tanh, tanh_backward(g, y))
FROM_RESULT(sigmoid, "SigmoidBackward0", Loop::sigmoid, sigmoid_backward(g, y))
FROM_INPUT(lgamma, "LgammaBackward0", Loop::lgamma, mul(g, digamma(x)))

Tensor digamma(const Tensor& self, Dst dst) {
  return record(map("digamma", Loop::digamma, Promote::Float, dst, {&self}), "DigammaBackward0",
                {&self}, saved(self),
                [](const Tensor& g, const Tensor& x) { return mul(g, polygamma(1, x)); });
}

Tensor sigmoid_backward(const Tensor& g, const Tensor& y) {
  if (is_complex(y.dtype())) return mul(g, conj(mul(sub(wrap(Scalar(1)), y), y)));
  Tensor out = map("sigmoid_backward", Loop::sigmoid_backward, Promote::Default, {}, {&g, &y});
  return record(
      out, "SigmoidBackwardBackward0", {&g, &y}, saved(g, y),
      [](const Tensor& gg, const Tensor&, const Tensor& z) { return sigmoid_backward(gg, z); },
      [](const Tensor& gg, const Tensor& h, const Tensor& z) {
        return mul(mul(gg, h), sub(wrap(Scalar(1)), mul(z, Scalar(2))));
      });
}

Tensor tanh_backward(const Tensor& g, const Tensor& y) {
  if (is_complex(y.dtype())) return mul(g, conj(one_minus_square(y)));
  Tensor out = map("tanh_backward", Loop::tanh_backward, Promote::Default, {}, {&g, &y});
  return record(
      out, "TanhBackwardBackward0", {&g, &y}, saved(g, y),
      [](const Tensor& gg, const Tensor&, const Tensor& z) { return tanh_backward(gg, z); },
      [](const Tensor& gg, const Tensor& h, const Tensor& z) {
        return mul(mul(gg, h), mul(z, Scalar(-2)));
      });
}

Tensor floor(const Tensor& self, Dst dst) {
  return rounding("floor", "FloorBackward0", Loop::floor, self, dst);
}
Tensor ceil(const Tensor& self, Dst dst) {
  return rounding("ceil", "CeilBackward0", Loop::ceil, self, dst);
}
Tensor trunc(const Tensor& self, Dst dst) {
  return rounding("trunc", "TruncBackward0", Loop::trunc, self, dst);
}
Tensor frac(const Tensor& self, Dst dst) {
  Tensor out = map("frac_cpu", Loop::frac, Promote::Default, dst, {&self});
  return record(out, "FracBackward0", {&self}, saved(), [](const Tensor& g) { return g; });
}
Tensor round(const Tensor& self, int64_t decimals, Dst dst) {
  check<NotImplementedError>(!is_complex(self.dtype()),
                             "\"round_vml_cpu\" not implemented for '{}'", self.dtype());
  if (decimals == 0) return rounding("round", "RoundBackward0", Loop::round, self, dst);
  Scalars s;
  s.i[0] = decimals;
  Tensor out = map("round", Loop::round_decimals, Promote::Default, dst, {&self}, s);
  return record(out, "RoundBackward1", {&self}, saved(), zero_like);
}

void register_unary(OpTable& ops) {
  struct Entry {
    const char* names;  // first the name, then its aliases
    Tensor (*fn)(const Tensor&, Dst);
    const char* doc;
  };
  const Entry entries[] = {
      {"neg negative", neg, "Returns ``-self``."},
      {"abs absolute", abs, "Returns the absolute value of each element."},
      {"sign", sign, "Returns -1, 0 or 1 for each element."},
      {"square", square, "Returns the square of each element."},
      {"reciprocal", reciprocal, "Returns ``1 / self``."},
      {"sqrt", sqrt, "Returns the square root of each element."},
      {"rsqrt", rsqrt, "Returns ``1 / sqrt(self)``."},
      {"exp", exp, "Returns e raised to each element."},
      {"exp2", exp2, "Returns 2 raised to each element."},
      {"expm1", expm1, "Returns ``exp(self) - 1``, accurate near zero."},
      {"log", log, "Returns the natural logarithm of each element."},
      {"log2", log2, "Returns the logarithm to base 2."},
      {"log10", log10, "Returns the logarithm to base 10."},
      {"log1p", log1p, "Returns ``log(1 + self)``, accurate near zero."},
      {"sin", sin, "Returns the sine of each element (radians)."},
      {"cos", cos, "Returns the cosine of each element (radians)."},
      {"tan", tan, "Returns the tangent of each element (radians)."},
      {"asin arcsin", asin, "Returns the arc sine, in radians."},
      {"acos arccos", acos, "Returns the arc cosine, in radians."},
      {"atan arctan", atan, "Returns the arc tangent, in radians."},
      {"sinh", sinh, "Returns the hyperbolic sine."},
      {"cosh", cosh, "Returns the hyperbolic cosine."},
      {"tanh", tanh, "Returns the hyperbolic tangent."},
      {"asinh arcsinh", asinh, "Returns the inverse hyperbolic sine."},
      {"acosh arccosh", acosh, "Returns the inverse hyperbolic cosine."},
      {"atanh arctanh", atanh, "Returns the inverse hyperbolic tangent."},
      {"sigmoid", sigmoid, "Returns ``1 / (1 + exp(-self))``."},
      {"erf", erf, "Returns the error function of each element."},
      {"erfc", erfc, "Returns ``1 - erf(self)``, accurate for large elements."},
      {"erfinv", erfinv, "Returns the inverse of the error function."},
      {"lgamma", lgamma, "Returns the logarithm of the absolute value of the gamma function."},
      {"digamma", digamma, "Returns the logarithmic derivative of the gamma function."},
      {"floor", floor, "Rounds each element down."},
      {"ceil", ceil, "Rounds each element up."},
      {"trunc fix", trunc, "Rounds each element towards zero."},
      {"frac", frac, "Returns the fractional part, with the sign of the element."},
      {"relu", relu, "Returns ``max(self, 0)``."},
  };
  for (const Entry& e : entries) {
    std::string_view rest = e.names;
    while (!rest.empty()) {
      const size_t cut = std::min(rest.find(' '), rest.size());
      const std::string name(rest.substr(0, cut));
      // relu has no out= in PyTorch.
      const uint32_t faces = (name == "relu" ? Both | Inplace : Elementwise) | InplaceFunction;
      ops.add((name + "(Tensor self) -> Tensor").c_str(), e.fn, faces, e.doc);
      rest.remove_prefix(std::min(cut + 1, rest.size()));
    }
  }
  ops.add("round(Tensor self, *, int decimals=0) -> Tensor", round, Elementwise | InplaceFunction,
          "Rounds to ``decimals`` places, halves to even.");
}

}  // namespace d2l
