// Functions of one or two numbers that are made of others: angles, logits, logarithms of sums,
// signs and neighbours. Each with its derivative and its row.
#include <limits>

#include "autograd/record.h"
#include "d2lcore/ops.h"
#include "iter/map.h"
#include "ops/register.h"

namespace d2l {
namespace {

constexpr double kPi = 3.14159265358979323846;
constexpr double kInf = std::numeric_limits<double>::infinity();

Tensor number(double x) { return wrap(Scalar(x)); }

void refuse_complex(const char* op, const Tensor& t) {
  check<NotImplementedError>(!is_complex(t.dtype()), "\"{}_cpu\" not implemented for '{}'", op,
                             t.dtype());
}
// A loop that exists for floats only.
void check_promoted(const char* op, const Tensor& a, const Tensor& b, bool complex = false) {
  const DType type = result_type(a, b);
  check<NotImplementedError>(is_floating(type) || (complex && is_complex(type)),
                             "\"{}_cpu\" not implemented for '{}'", op, type);
}

}  // namespace

Tensor deg2rad(const Tensor& self, Dst dst) {
  check(!is_complex(self.dtype()), "deg2rad is not supported for complex tensors.");
  return mul(self, number(kPi / 180), dst);
}
Tensor rad2deg(const Tensor& self, Dst dst) {
  check(!is_complex(self.dtype()), "rad2deg is not supported for complex tensors.");
  return mul(self, number(180 / kPi), dst);
}

Tensor hypot(const Tensor& self, const Tensor& other, Dst dst) {
  check_promoted("hypot", self, other);
  Tensor out = map("hypot_cpu", Loop::hypot, Promote::Default, dst, {&self, &other});
  return record(
      out, "HypotBackward0", {&self, &other}, saved(self, other, result),
      [](const Tensor& g, const Tensor& a, const Tensor&, const Tensor& y) {
        return mul(g, div(a, y));
      },
      [](const Tensor& g, const Tensor&, const Tensor& b, const Tensor& y) {
        return mul(g, div(b, y));
      });
}

Tensor copysign(const Tensor& self, const Tensor& other, Dst dst) {
  refuse_complex("copysign", self);
  refuse_complex("copysign", other);
  Tensor out = map("copysign", Loop::copysign, Promote::Float, dst, {&self, &other});
  return record(
      out, "CopysignBackward0", {&self, &other}, saved(self, result),
      [](const Tensor& g, const Tensor& a, const Tensor& y) {
        return mul(g, masked_fill(div(y, a), eq(a, Scalar(0)), Scalar(0)));
      },
      [](const Tensor& g, const Tensor&, const Tensor&) { return zeros_like(g); });
}

Tensor xlogy(const Tensor& self, const Tensor& other, Dst dst) {
  refuse_complex("xlogy", self);
  refuse_complex("xlogy", other);
  Tensor out = map("xlogy", Loop::xlogy, Promote::Float, dst, {&self, &other});
  return record(
      out, "XlogyBackward0", {&self, &other}, saved(self, other),
      [](const Tensor& g, const Tensor& x, const Tensor& y) {
        const Tensor none = logical_and(eq(x, Scalar(0)), le(y, Scalar(0)));
        return masked_fill(xlogy(g, y), none, Scalar(0));
      },
      [](const Tensor& g, const Tensor& x, const Tensor& y) { return div(mul(g, x), y); });
}

Tensor xlog1py(const Tensor& self, const Tensor& other, Dst dst) {
  refuse_complex("xlog1py", self);
  refuse_complex("xlog1py", other);
  Tensor out;
  {
    GradModeGuard off(false);
    const Tensor y = log1p(other);
    const Tensor plain =
        where(logical_and(eq(self, Scalar(0)), logical_not(isnan(other))), number(0), mul(self, y));
    const DType type = result_type(self, other);
    out = deliver("xlog1py", dst, to_dtype(plain, is_floating(type) ? type : default_dtype()));
  }
  return record(
      out, "SpecialXlog1PyBackward0", {&self, &other}, saved(self, other),
      [](const Tensor& g, const Tensor& x, const Tensor& y) {
        const Tensor none = logical_and(eq(x, Scalar(0)), le(y, Scalar(-1)));
        return masked_fill(xlog1py(g, y), none, Scalar(0));
      },
      [](const Tensor& g, const Tensor& x, const Tensor& y) {
        return div(mul(g, x), add(y, Scalar(1)));
      });
}

namespace {

// log(base^a + base^b): the larger one and what the smaller one adds. Complex numbers are ordered
// by their real parts.
Tensor complex_logaddexp(const Tensor& a, const Tensor& b) {
  GradModeGuard off(false);
  const Tensor first = ge(real(a), real(b));
  const Tensor high = where(first, a, b), low = where(first, b, a);
  const Tensor both = logical_and(eq(a, b), isinf(real(a)));
  return where(both, a, add(high, log(add(exp(sub(low, high)), Scalar(1)))));
}

}  // namespace

Tensor logaddexp(const Tensor& self, const Tensor& other, Dst dst) {
  check_promoted("logaddexp", self, other, true);
  Tensor out = is_complex(result_type(self, other))
                   ? deliver("logaddexp", dst, complex_logaddexp(self, other))
                   : map("logaddexp", Loop::logaddexp, Promote::Default, dst, {&self, &other});
  return record(
      out, "LogaddexpBackward0", {&self, &other}, saved(self, other),
      [](const Tensor& g, const Tensor& a, const Tensor& b) {
        return div(g, conj(add(exp(sub(b, a)), Scalar(1))));
      },
      [](const Tensor& g, const Tensor& a, const Tensor& b) {
        return div(g, conj(add(exp(sub(a, b)), Scalar(1))));
      });
}

Tensor logaddexp2(const Tensor& self, const Tensor& other, Dst dst) {
  check_promoted("logaddexp2", self, other);
  Tensor out;
  {
    GradModeGuard off(false);
    constexpr double kLn2 = 0.693147180559945309417;
    const DType type = result_type(self, other);
    const DType wide = is_reduced_floating(type) ? DType::Float : type;
    const Tensor a = to_dtype(self, wide), b = to_dtype(other, wide);
    const Tensor high = maximum(a, b), gap = neg(abs(sub(a, b)));
    const Tensor more = div(log1p(exp2(gap)), number(kLn2));
    const Tensor same = logical_and(eq(a, b), isinf(a));
    out = deliver("logaddexp2", dst, to_dtype(where(same, a, add(high, more)), type));
  }
  return record(
      out, "Logaddexp2Backward0", {&self, &other}, saved(self, other),
      [](const Tensor& g, const Tensor& a, const Tensor& b) {
        return div(g, add(exp2(sub(b, a)), Scalar(1)));
      },
      [](const Tensor& g, const Tensor& a, const Tensor& b) {
        return div(g, add(exp2(sub(a, b)), Scalar(1)));
      });
}

Tensor sinc(const Tensor& self, Dst dst) {
  Tensor out;
  {
    GradModeGuard off(false);
    const DType type = is_integral_or_bool(self.dtype()) ? default_dtype() : self.dtype();
    const DType wide = is_reduced_floating(type) ? DType::Float : type;
    const Tensor x = to_dtype(self, wide), angle = mul(x, number(kPi));
    out = deliver("sinc", dst,
                  to_dtype(masked_fill(div(sin(angle), angle), eq(x, Scalar(0)), Scalar(1)), type));
  }
  return record(out, "SincBackward0", {&self}, saved(self), [](const Tensor& g, const Tensor& x) {
    const Tensor angle = mul(x, number(kPi));
    const Tensor slope = div(div(sub(mul(angle, cos(angle)), sin(angle)), mul(x, number(kPi))), x);
    return mul(g, masked_fill(conj(slope), eq(x, Scalar(0)), Scalar(0)));
  });
}

Tensor logit(const Tensor& self, std::optional<double> eps, Dst dst) {
  refuse_complex("logit", self);
  Tensor out;
  {
    GradModeGuard off(false);
    const DType type = is_floating(self.dtype()) ? self.dtype() : default_dtype();
    Tensor x = to_dtype(self, is_reduced_floating(type) ? DType::Float : type);
    // Below 0 eps counts as none; the upper bound wins where they cross.
    if (eps && *eps >= 0) x = clamp(clamp(x, Scalar(*eps), {}), {}, Scalar(1 - *eps));
    const Tensor y = log(div(x, sub(number(1), x)));
    out = deliver("logit", dst, to_dtype(masked_fill(y, eq(x, Scalar(1)), Scalar(kInf)), type));
  }
  const double low = eps ? *eps : 0, outside = eps ? 0 : std::numeric_limits<double>::quiet_NaN();
  return record(out, "LogitBackward0", {&self}, saved(self),
                [low, outside](const Tensor& g, const Tensor& x) {
                  const Tensor away = logical_or(lt(x, Scalar(low)), gt(x, Scalar(1 - low)));
                  const Tensor slope = div(g, mul(x, sub(number(1), x)));
                  return masked_fill(slope, away, Scalar(outside));
                });
}

Tensor nan_to_num(const Tensor& self, std::optional<double> nan, std::optional<double> posinf,
                  std::optional<double> neginf, Dst dst) {
  const DType type = self.dtype(), part = real_dtype(type);
  Tensor out;
  if (is_integral_or_bool(type)) {
    out = dst ? deliver("nan_to_num", dst, self) : clone(self);
  } else {
    GradModeGuard off(false);
    const double limit = part == DType::Half       ? 65504.0
                         : part == DType::BFloat16 ? 0x1.FEp127
                         : part == DType::Float    ? 0x1.FFFFFEp127
                                                   : 0x1.FFFFFFFFFFFFFp1023;
    auto repaired = [&](const Tensor& x) {
      Tensor y = where(isnan(x), scalar_tensor(Scalar(nan.value_or(0)), part), x);
      y = where(eq(x, Scalar(kInf)), scalar_tensor(Scalar(posinf.value_or(limit)), part), y);
      return where(eq(x, Scalar(-kInf)), scalar_tensor(Scalar(neginf.value_or(-limit)), part), y);
    };
    if (is_complex(type)) {
      const Tensor i = scalar_tensor(Scalar(0.0, 1.0), type);
      out = add(repaired(real(self)), mul(repaired(imag(self)), i));
    } else {
      out = repaired(self);
    }
    out = deliver("nan_to_num", dst, out);
  }
  return record(out, "NanToNumBackward0", {&self}, saved(self),
                [](const Tensor& g, const Tensor& x) { return mul(g, isfinite(x)); });
}

namespace {

// float_power computes in double, whatever comes in.
DType power_type(const Tensor& base, const Tensor& exponent) {
  return is_complex(base.dtype()) || is_complex(exponent.dtype()) ? DType::ComplexDouble
                                                                  : DType::Double;
}

}  // namespace

Tensor float_power(const Tensor& self, const Tensor& exponent, Dst dst) {
  const DType type = power_type(self, exponent);
  if (dst) {
    const DType given = dst.tensor().dtype();
    check(given == type,
          dst.is_out() ? "the output given to float_power has dtype {} but the operation's result "
                         "requires dtype {}"
                       : "the base given to float_power_ has dtype {} but the operation's result "
                         "requires dtype {}",
          given, type);
  }
  const Tensor power = exponent->wrapped_number ? exponent : to_dtype(exponent, type);
  if (!self->wrapped_number) return pow(to_dtype(self, type), power, dst);
  return pow(wrap(item(self)), power, dst);
}

Tensor heaviside(const Tensor& self, const Tensor& values, Dst dst) {
  check(!is_complex(self.dtype()) && !is_complex(values.dtype()),
        "heaviside is not yet implemented for complex tensors.");
  check(self.dtype() == values.dtype() && (!dst || dst.tensor().dtype() == self.dtype()),
        "heaviside is not yet implemented for tensors with different dtypes.");
  GradModeGuard off(false);
  const Tensor one = scalar_tensor(Scalar(1), self.dtype()), none = scalar_tensor(0, self.dtype());
  const Tensor step = where(gt(self, Scalar(0)), one, none);
  return deliver("heaviside", dst, where(eq(self, Scalar(0)), values, step));
}

Tensor ldexp(const Tensor& self, const Tensor& other, Dst dst) {
  return mul(self, pow(number(2), other), dst);
}

Tensor entr(const Tensor& self, Dst dst) {
  refuse_complex("entr", self);
  Tensor out;
  {
    GradModeGuard off(false);
    const DType type = is_floating(self.dtype()) ? self.dtype() : default_dtype();
    const Tensor x = to_dtype(self, is_reduced_floating(type) ? DType::Float : type);
    const Tensor y = masked_fill(neg(xlogy(x, x)), lt(x, Scalar(0)), Scalar(-kInf));
    out = deliver("entr", dst, to_dtype(where(isnan(x), x, y), type));
  }
  return record(
      out, "SpecialEntrBackward0", {&self}, saved(self), [](const Tensor& g, const Tensor& x) {
        const Tensor slope = where(gt(x, Scalar(0)), sub(neg(log(x)), Scalar(1)),
                                   where(eq(x, Scalar(0)), number(kInf),
                                         number(std::numeric_limits<double>::quiet_NaN())));
        return mul(g, where(isnan(x), x, slope));
      });
}

namespace {

Tensor logit_op(const Tensor& self, std::optional<double> eps, Dst dst) {
  return logit(self, eps, dst);
}
Tensor power_of_number(const Scalar& self, const Tensor& exponent, Dst dst) {
  return float_power(wrap(self), exponent, dst);
}
Tensor power_to_number(const Tensor& self, const Scalar& exponent, Dst dst) {
  return float_power(self, wrap(exponent), dst);
}

}  // namespace

void register_pointwise(OpTable& ops) {
  constexpr uint32_t kNumbers = Elementwise | Numbers;
  ops.add("deg2rad(Tensor self) -> Tensor", deg2rad, Elementwise | InplaceFunction,
          "Returns angles in radians, from degrees.");
  ops.add("rad2deg(Tensor self) -> Tensor", rad2deg, Elementwise | InplaceFunction,
          "Returns angles in degrees, from radians.");
  ops.add("hypot(Tensor self, Tensor other) -> Tensor", hypot, Elementwise,
          "Returns ``sqrt(self**2 + other**2)`` without overflow.");
  ops.add("copysign(Tensor self, Tensor other) -> Tensor", copysign, kNumbers,
          "Returns the size of ``self`` with the sign of ``other``.");
  ops.add("xlogy(Tensor self, Tensor other) -> Tensor", xlogy,
          Elementwise | NumbersFirst | InplaceFunction,
          "Returns ``self * log(other)``, and 0 where ``self`` is 0.");
  ops.add("logaddexp(Tensor self, Tensor other) -> Tensor", logaddexp, Both | Out,
          "Returns ``log(exp(self) + exp(other))`` without overflow.");
  ops.add("logaddexp2(Tensor self, Tensor other) -> Tensor", logaddexp2, Both | Out,
          "Returns ``log2(2**self + 2**other)`` without overflow.");
  ops.add("sinc(Tensor self) -> Tensor", sinc, Elementwise | InplaceFunction,
          "Returns ``sin(pi * self) / (pi * self)``, and 1 at 0.");
  ops.add("logit(Tensor self, float? eps=None) -> Tensor", logit_op, Elementwise | InplaceFunction,
          "Returns ``log(x / (1 - x))`` of ``self`` clamped to [eps, 1 - eps], if eps is given.");
  ops.add(
      "nan_to_num(Tensor self, float? nan=None, float? posinf=None, float? neginf=None) -> Tensor",
      nan_to_num, Elementwise | InplaceFunction,
      "Replaces NaN by ``nan`` (0) and infinities by ``posinf`` and ``neginf`` (the dtype's "
      "limits).");
  const char* power_doc = "Returns ``self ** exponent``, computed in float64 (or complex128).";
  ops.add("float_power(Tensor self, Tensor exponent) -> Tensor", float_power, Elementwise,
          power_doc);
  ops.add("float_power(Tensor self, Scalar exponent) -> Tensor", power_to_number, Elementwise,
          power_doc);
  ops.add("float_power(Scalar self, Tensor exponent) -> Tensor", power_of_number, Function | Out,
          power_doc);
  ops.add("heaviside(Tensor self, Tensor values) -> Tensor", heaviside, Elementwise,
          "Returns 0 below 0, 1 above, and ``values`` at 0.");
  ops.add("ldexp(Tensor self, Tensor other) -> Tensor", ldexp, Elementwise | InplaceFunction,
          "Returns ``self * 2 ** other``.");
}

}  // namespace d2l
