// Arithmetic: each op with its derivative and its row.
#include "autograd/record.h"
#include "d2lcore/ops.h"
#include "iter/map.h"
#include "ops/register.h"

namespace d2l {

// Floats keep all their digits; promotion counts them as of the default dtype.
Tensor wrap(const Scalar& number) {
  const DType t = number.dtype();
  return scalar_tensor(number,
                       is_complex(t)    ? DType::ComplexDouble
                       : is_floating(t) ? DType::Double
                                        : t,
                       true);
}

namespace {

bool is_one(const Scalar& s) { return !s.is_complex() && s.real() == 1; }

// What PyTorch says of alpha before it computes.
void check_alpha(DType type, const Scalar& alpha) {
  check(alpha.kind() != Scalar::Kind::Bool || type == DType::Bool,
        "Boolean alpha only supported for Boolean results.");
  check(is_floating(type) || is_complex(type) || alpha.is_integral(),
        "For integral input tensors, argument alpha must not be a floating point number.");
  check(is_complex(type) || !alpha.is_complex(),
        "For non-complex input tensors, argument alpha must not be a complex number.");
}

Scalars scaled(const Scalar& alpha) {
  Scalars s;
  s.f[0] = alpha.real();
  s.f[1] = alpha.imag();
  s.i[0] = alpha.to_int();
  return s;
}

Tensor times(const Tensor& g, const Scalar& factor) { return is_one(factor) ? g : mul(g, factor); }

Scalar conj(const Scalar& s) { return s.is_complex() ? Scalar(s.real(), -s.imag()) : s; }

// Integer division by zero is refused before anything is written.
void check_divisor(DType compute, const Tensor& divisor) {
  if (!is_integral_or_bool(compute) || divisor.numel() == 0) return;
  check(any(eq(divisor, wrap(0))).data_as<bool>()[0] == false, "ZeroDivisionError");
}

}  // namespace

Tensor add(const Tensor& self, const Tensor& other, const Scalar& alpha, Dst dst) {
  Tensor out;
  if (is_one(alpha) && alpha.kind() != Scalar::Kind::Bool) {
    if (!alpha.is_integral()) check_alpha(result_type(self, other), alpha);
    out = map("add", Loop::add, Promote::Default, dst, {&self, &other});
  } else {
    check_alpha(result_type(self, other), alpha);
    out = map("add", Loop::add_scaled, Promote::Default, dst, {&self, &other}, scaled(alpha));
  }
  return record(
      out, "AddBackward0", {&self, &other}, saved(), [](const Tensor& g) { return g; },
      [alpha](const Tensor& g) { return times(g, conj(alpha)); });
}

Tensor sub(const Tensor& self, const Tensor& other, const Scalar& alpha, Dst dst) {
  check(self.dtype() != DType::Bool || other.dtype() != DType::Bool,
        "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or "
        "`logical_xor()` operator instead.");
  check(self.dtype() != DType::Bool && other.dtype() != DType::Bool,
        "Subtraction, the `-` operator, with a bool tensor is not supported. If you are trying to "
        "invert a mask, use the `~` or `logical_not()` operator instead.");
  Tensor out;
  if (is_one(alpha) && alpha.is_integral()) {
    out = map("sub", Loop::sub, Promote::Default, dst, {&self, &other});
  } else {
    check_alpha(result_type(self, other), alpha);
    const Scalar minus = alpha.is_complex()    ? Scalar(-alpha.real(), -alpha.imag())
                         : alpha.is_integral() ? Scalar(int64_t(0 - uint64_t(alpha.to_int())))
                                               : Scalar(-alpha.real());
    out = map("sub", Loop::add_scaled, Promote::Default, dst, {&self, &other}, scaled(minus));
  }
  return record(
      out, "SubBackward0", {&self, &other}, saved(), [](const Tensor& g) { return g; },
      [alpha](const Tensor& g) { return neg(times(g, conj(alpha))); });
}

Tensor rsub(const Tensor& self, const Tensor& other, const Scalar& alpha) {
  return sub(other, self, alpha);
}

Tensor mul(const Tensor& self, const Tensor& other, Dst dst) {
  Tensor out = map("mul", Loop::mul, Promote::Default, dst, {&self, &other});
  return record(
      out, "MulBackward0", {&self, &other}, saved_factors(self, other),
      [](const Tensor& g, const Tensor&, const Tensor& b) { return mul(g, conj(b)); },
      [](const Tensor& g, const Tensor& a, const Tensor&) { return mul(g, conj(a)); });
}

Tensor div(const Tensor& self, const Tensor& other, Dst dst) {
  Tensor out = map("div", Loop::div, Promote::Float, dst, {&self, &other});
  return record(
      out, "DivBackward0", {&self, &other}, saved(only_for(other, self), other),
      [](const Tensor& g, const Tensor&, const Tensor& b) { return div(g, conj(b)); },
      [](const Tensor& g, const Tensor& a, const Tensor& b) {
        return neg(mul(g, conj(div(div(a, b), b))));
      });
}

Tensor div_mode(const Tensor& self, const Tensor& other,
                std::optional<std::string_view> rounding_mode, Dst dst) {
  if (!rounding_mode) return div(self, other, dst);
  if (*rounding_mode == "floor") return floor_divide(self, other, dst);
  check(*rounding_mode == "trunc",
        "div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '{}'",
        *rounding_mode);
  const DType type = result_type(self, other);
  check_divisor(type, other);
  Tensor out = map("div_trunc_cpu", Loop::trunc_divide, Promote::Default, dst, {&self, &other});
  auto zero = [](const Tensor& g) { return mul(g, Scalar(0)); };
  return record(out, "DivBackward1", {&self, &other}, saved(), zero, zero);
}

Tensor floor_divide(const Tensor& self, const Tensor& other, Dst dst) {
  check_divisor(result_type(self, other), other);
  Tensor out = map("div_floor_cpu", Loop::floor_divide, Promote::Default, dst, {&self, &other});
  auto zero = [](const Tensor& g) { return mul(g, Scalar(0)); };
  return record(out, "FloorDivideBackward0", {&self, &other}, saved(), zero, zero);
}

Tensor remainder(const Tensor& self, const Tensor& other, Dst dst) {
  check_divisor(result_type(self, other), other);
  Tensor out = map("remainder_cpu", Loop::remainder, Promote::Default, dst, {&self, &other});
  return record(
      out, "RemainderBackward0", {&self, &other},
      saved(only_for(other, self), only_for(other, other)),
      [](const Tensor& g, const Tensor&, const Tensor&) { return g; },
      [](const Tensor& g, const Tensor& a, const Tensor& b) {
        return neg(mul(g, div_mode(a, b, "floor")));
      });
}

Tensor fmod(const Tensor& self, const Tensor& other, Dst dst) {
  check_divisor(result_type(self, other), other);
  Tensor out = map("fmod_cpu", Loop::fmod, Promote::Default, dst, {&self, &other});
  return record(
      out, "FmodBackward0", {&self, &other}, saved(only_for(other, self), only_for(other, other)),
      [](const Tensor& g, const Tensor&, const Tensor&) { return g; },
      [](const Tensor& g, const Tensor& a, const Tensor& b) {
        return neg(mul(g, div_mode(a, b, "trunc")));
      });
}

namespace {

// Exponents with a loop of their own in every floating and complex dtype.
bool pow_loop(double e) { return e == 2 || e == 0.5 || e == -0.5 || e == -1; }

// A power of complex numbers or bools with one exponent; 0, 1 and 3 are exact as in PyTorch.
Tensor constant_pow(const Tensor& self, const Tensor& exponent, const Scalar& e, DType type,
                    Dst dst) {
  GradModeGuard off(false);
  if (e.equals(0)) {
    Tensor out = prepare_result("pow", dst, self.shape(), type, &self);
    fill_into(out, Scalar(1));
    return out;
  }
  if (e.equals(1)) return deliver("pow", dst, to_dtype(self, type, true));
  if (e.equals(3)) {
    const Tensor twice = map_as("pow", Loop::square, type, type, {}, {&self});
    return map_as("pow", Loop::mul, type, type, dst, {&twice, &self});
  }
  return map("pow", Loop::pow, Promote::Default, dst, {&self, &exponent});
}

}  // namespace

Tensor pow(const Tensor& self, const Tensor& exponent, Dst dst) {
  const DType type = result_type(self, exponent);
  Tensor out;
  if (exponent->wrapped_number) {
    // One exponent for all: squares, roots and small powers have loops of their own.
    const Scalar e = item(exponent);
    check(!(is_integral(type) && e.is_integral() && e.to_int() < 0),
          "Integers to negative integer powers are not allowed.");
    const double x = e.is_complex() ? 0 : e.real();
    const bool whole = is_integral_or_bool(type);
    if (type == DType::Bool || (is_complex(type) && (e.is_complex() || !pow_loop(x)))) {
      out = constant_pow(self, exponent, e, type, dst);
    } else if (x == 2) {
      out = map_as("pow", Loop::square, type, type, dst, {&self});
    } else if (x == 0.5 && !whole) {
      out = map_as("pow", Loop::sqrt, type, type, dst, {&self});
    } else if (x == -0.5 && !whole) {
      out = map_as("pow", Loop::rsqrt, type, type, dst, {&self});
    } else if (x == -1 && !whole) {
      out = map_as("pow", Loop::reciprocal, type, type, dst, {&self});
    } else {
      Scalars s;
      s.f[0] = x;
      s.i[0] = e.to_int();
      out = map_as("pow", Loop::pow_scalar, type, type, dst, {&self}, s);
    }
  } else {
    out = map("pow", Loop::pow, Promote::Default, dst, {&self, &exponent});
  }
  return record(
      out, exponent->wrapped_number ? "PowBackward0" : "PowBackward1", {&self, &exponent},
      saved(self, exponent, only_for(exponent, result)),
      [](const Tensor& g, const Tensor& x, const Tensor& e, const Tensor&) {
        // e x^(e-1), and 0 where e is 0 (also at x = 0).
        const Tensor d = mul(g, conj(mul(e, pow(x, sub(e, Scalar(1))))));
        if (e->wrapped_number) {
          return item(e).equals(0) ? zeros_like(g) : d;
        }
        return where(eq(e, wrap(0)), wrap(Scalar(0.0)), d);
      },
      [](const Tensor& g, const Tensor& x, const Tensor& e, const Tensor& y) {
        // y ln(x), and 0 where x is 0 and e is not negative.
        const Tensor zero = logical_and(eq(x, wrap(0)), ge(real(e), wrap(0)));
        return mul(g, where(zero, wrap(Scalar(0.0)), conj(mul(y, log(x)))));
      });
}

namespace {

// maximum and its kin: the cotangent goes to the chosen one, half to each of two equal ones.
template <class Chosen>
Tensor choose(const char* op, const char* node, Loop loop, const Tensor& a, const Tensor& b,
              Dst dst, Chosen) {
  Tensor out = map(op, loop, Promote::Default, dst, {&a, &b});
  return record(
      out, node, {&a, &b}, saved(a, b),
      [](const Tensor& g, const Tensor& x, const Tensor& y) {
        const Tensor part = where(eq(x, y), div(g, Scalar(2)), g);
        return masked_fill(part, Chosen::other(x, y), wrap(Scalar(0)));
      },
      [](const Tensor& g, const Tensor& x, const Tensor& y) {
        const Tensor part = where(eq(x, y), div(g, Scalar(2)), g);
        return masked_fill(part, Chosen::other(y, x), wrap(Scalar(0)));
      });
}
struct Larger {
  static Tensor other(const Tensor& x, const Tensor& y) { return lt(x, y); }
};
struct Smaller {
  static Tensor other(const Tensor& x, const Tensor& y) { return gt(x, y); }
};

// fmax and fmin: all of the cotangent goes to the first of equals.
template <class Chosen>
Tensor choose_number(const char* op, const char* node, Loop loop, const Tensor& a, const Tensor& b,
                     Dst dst, Chosen) {
  Tensor out = map(op, loop, Promote::Default, dst, {&a, &b});
  return record(
      out, node, {&a, &b}, saved(a, b),
      [](const Tensor& g, const Tensor& x, const Tensor& y) {
        return masked_fill(g, logical_not(logical_or(Chosen::first(x, y), isnan(y))),
                           wrap(Scalar(0)));
      },
      [](const Tensor& g, const Tensor& x, const Tensor& y) {
        return masked_fill(g, logical_or(Chosen::first(x, y), isnan(y)), wrap(Scalar(0)));
      });
}
struct FirstLarger {
  static Tensor first(const Tensor& x, const Tensor& y) { return ge(x, y); }
};
struct FirstSmaller {
  static Tensor first(const Tensor& x, const Tensor& y) { return le(x, y); }
};

void refuse_complex(const char* op, const Tensor& a, const Tensor& b) {
  check(!is_complex(a.dtype()) && !is_complex(b.dtype()), "{} not implemented for complex tensors.",
        op);
}

}  // namespace

Tensor maximum(const Tensor& self, const Tensor& other, Dst dst) {
  check(!is_complex(self.dtype()) && !is_complex(other.dtype()),
        "maximum not implemented for complex tensors.");
  return choose("maximum", "MaximumBackward0", Loop::maximum, self, other, dst, Larger{});
}
Tensor minimum(const Tensor& self, const Tensor& other, Dst dst) {
  check(!is_complex(self.dtype()) && !is_complex(other.dtype()),
        "minimum not implemented for complex tensors.");
  return choose("minimum", "MinimumBackward0", Loop::minimum, self, other, dst, Smaller{});
}
Tensor fmax(const Tensor& self, const Tensor& other, Dst dst) {
  refuse_complex("fmax", self, other);
  return choose_number("fmax", "FmaxBackward0", Loop::fmax, self, other, dst, FirstLarger{});
}
Tensor fmin(const Tensor& self, const Tensor& other, Dst dst) {
  refuse_complex("fmin", self, other);
  return choose_number("fmin", "FminBackward0", Loop::fmin, self, other, dst, FirstSmaller{});
}

Tensor atan2(const Tensor& self, const Tensor& other, Dst dst) {
  Tensor out = map("atan2_cpu", Loop::atan2, Promote::Float, dst, {&self, &other});
  return record(
      out, "Atan2Backward0", {&self, &other}, saved(self, other),
      [](const Tensor& g, const Tensor& y, const Tensor& x) {
        return mul(g, div(x, add(square(y), square(x))));
      },
      [](const Tensor& g, const Tensor& y, const Tensor& x) {
        return mul(g, div(neg(y), add(square(y), square(x))));
      });
}

Tensor addcmul(const Tensor& self, const Tensor& tensor1, const Tensor& tensor2,
               const Scalar& value, Dst dst) {
  const DType type = result_type({&self, &tensor1, &tensor2});
  check(is_floating(type) || is_complex(type) || value.is_integral(),
        "For integral input tensors, argument value must not be a floating point number.");
  Tensor out = map("addcmul", Loop::addcmul, Promote::Default, dst, {&self, &tensor1, &tensor2},
                   scaled(value));
  return record(
      out, "AddcmulBackward0", {&self, &tensor1, &tensor2}, saved_factors(tensor1, tensor2),
      [](const Tensor& g, const Tensor&, const Tensor&) { return g; },
      [value](const Tensor& g, const Tensor&, const Tensor& b) {
        return mul(g, conj(times(b, value)));
      },
      [value](const Tensor& g, const Tensor& a, const Tensor&) {
        return mul(g, conj(times(a, value)));
      });
}

Tensor addcdiv(const Tensor& self, const Tensor& tensor1, const Tensor& tensor2,
               const Scalar& value, Dst dst) {
  check(!(is_integral_or_bool(tensor1.dtype()) && is_integral_or_bool(tensor2.dtype())),
        "Integer division with addcdiv is no longer supported, and in a future  release addcdiv "
        "will perform a true division of tensor1 and tensor2. The historic addcdiv behavior can be "
        "implemented as (input + value * torch.trunc(tensor1 / tensor2)).to(input.dtype) for "
        "integer inputs and as (input + value * tensor1 / tensor2) for float inputs. The future "
        "addcdiv behavior is just the latter implementation: (input + value * tensor1 / tensor2), "
        "for all dtypes.");
  Tensor out = map("addcdiv", Loop::addcdiv, Promote::Default, dst, {&self, &tensor1, &tensor2},
                   scaled(value));
  return record(
      out, "AddcdivBackward0", {&self, &tensor1, &tensor2}, saved(tensor1, tensor2),
      [](const Tensor& g, const Tensor&, const Tensor&) { return g; },
      [value](const Tensor& g, const Tensor&, const Tensor& b) {
        return mul(g, conj(div(wrap(value), b)));
      },
      [value](const Tensor& g, const Tensor& a, const Tensor& b) {
        return neg(mul(g, conj(times(div(a, mul(b, b)), value))));
      });
}

Tensor lerp(const Tensor& self, const Tensor& end, const Tensor& weight, Dst dst) {
  check(self.dtype() == end.dtype(), "expected dtype {} for `end` but got dtype {}",
        scalar_name(self.dtype()), scalar_name(end.dtype()));
  check(weight->wrapped_number || self.dtype() == weight.dtype(),
        "expected dtype {} for `weight` but got dtype {}", scalar_name(self.dtype()),
        scalar_name(weight.dtype()));
  Tensor out = map_as("lerp", Loop::lerp, self.dtype(), self.dtype(), dst, {&self, &end, &weight});
  return record(
      out, "LerpBackward1", {&self, &end, &weight}, saved(self, end, weight),
      [](const Tensor& g, const Tensor&, const Tensor&, const Tensor& w) {
        return mul(g, sub(wrap(Scalar(1)), conj(w)));
      },
      [](const Tensor& g, const Tensor&, const Tensor&, const Tensor& w) {
        return mul(g, conj(w));
      },
      [](const Tensor& g, const Tensor& a, const Tensor& b, const Tensor&) {
        return mul(g, conj(sub(b, a)));
      });
}

Tensor clamp_tensor(const Tensor& self, const Tensor& min, const Tensor& max, Dst dst) {
  check(min.defined() || max.defined(),
        "torch.clamp: At least one of 'min' or 'max' must not be "
        "None");
  check<NotImplementedError>(!is_complex(result_type({&self, &min, &max})),
                             "clamp is not supported for complex types");
  if (!max.defined()) {
    Tensor out = map("clamp_min", Loop::maximum, Promote::Default, dst, {&self, &min});
    return record(
        out, "ClampMinBackward1", {&self, &min}, saved(self, min),
        [](const Tensor& g, const Tensor& x, const Tensor& low) {
          return where(ge(x, low), g, wrap(Scalar(0)));
        },
        [](const Tensor& g, const Tensor& x, const Tensor& low) {
          return where(lt(x, low), g, wrap(Scalar(0)));
        });
  }
  if (!min.defined()) {
    Tensor out = map("clamp_max", Loop::minimum, Promote::Default, dst, {&self, &max});
    return record(
        out, "ClampMaxBackward1", {&self, &max}, saved(self, max),
        [](const Tensor& g, const Tensor& x, const Tensor& high) {
          return where(le(x, high), g, wrap(Scalar(0)));
        },
        [](const Tensor& g, const Tensor& x, const Tensor& high) {
          return where(gt(x, high), g, wrap(Scalar(0)));
        });
  }
  Tensor out = map("clamp", Loop::clamp, Promote::Default, dst, {&self, &min, &max});
  return record(
      out, "ClampBackward1", {&self, &min, &max}, saved(self, min, max),
      [](const Tensor& g, const Tensor& x, const Tensor& low, const Tensor& high) {
        return where(logical_and(ge(x, low), le(x, high)), g, wrap(Scalar(0)));
      },
      [](const Tensor& g, const Tensor& x, const Tensor& low, const Tensor& high) {
        return where(logical_and(lt(x, low), lt(low, high)), g, wrap(Scalar(0)));
      },
      [](const Tensor& g, const Tensor& x, const Tensor& low, const Tensor& high) {
        return where(logical_or(gt(x, high), lt(high, low)), g, wrap(Scalar(0)));
      });
}

Tensor clamp(const Tensor& self, const OptScalar& min, const OptScalar& max, Dst dst) {
  check(min || max, "torch.clamp: At least one of 'min' or 'max' must not be None");
  return clamp_tensor(self, min ? wrap(*min) : Tensor(), max ? wrap(*max) : Tensor(), dst);
}

namespace {

Tensor pow_scalar_base(const Scalar& self, const Tensor& exponent, Dst dst) {
  return pow(wrap(self), exponent, dst);
}
Tensor lerp_scalar(const Tensor& self, const Tensor& end, const Scalar& weight, Dst dst) {
  return lerp(self, end, wrap(weight), dst);
}
Tensor positive(const Tensor& self) {
  check(self.dtype() != DType::Bool, "The `+` operator, on a bool tensor is not supported.");
  return self;
}
Tensor clamp_min(const Tensor& self, const Tensor& min, Dst dst) {
  return clamp_tensor(self, min, Tensor(), dst);
}
Tensor clamp_max(const Tensor& self, const Tensor& max, Dst dst) {
  return clamp_tensor(self, Tensor(), max, dst);
}

}  // namespace

void register_arithmetic(OpTable& ops) {
  constexpr uint32_t kMath = Elementwise | NumbersFirst, kOther = Elementwise | Numbers;
  // The overloads that rows are made of (others take numbers, for C++ users).
  using Scaled = Tensor (*)(const Tensor&, const Tensor&, const Scalar&, Dst);
  using Binary = Tensor (*)(const Tensor&, const Tensor&, Dst);
  const Scaled add_fn = add, sub_fn = sub;
  const Binary mul_fn = mul, div_fn = div, pow_fn = pow;
  const char* add_doc = "Returns ``self + alpha * other``, broadcast and promoted.";
  ops.add("add(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor", add_fn, kMath, add_doc);
  const char* sub_doc = "Returns ``self - alpha * other``, broadcast and promoted.";
  ops.add("sub(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor", sub_fn, kMath, sub_doc);
  ops.add("subtract(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor", sub_fn, kMath,
          sub_doc);
  ops.add("rsub(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor", rsub, Function | Numbers,
          "Returns ``other - alpha * self``.");
  const char* mul_doc = "Returns the element-wise product of ``self`` and ``other``.";
  ops.add("mul(Tensor self, Tensor other) -> Tensor", mul_fn, kMath, mul_doc);
  ops.add("multiply(Tensor self, Tensor other) -> Tensor", mul_fn, kMath, mul_doc);
  const char* div_doc =
      "Returns ``self / other``; integers give floats. ``rounding_mode`` 'trunc' or 'floor' rounds "
      "the quotient and keeps the promoted dtype.";
  for (const char* name : {"div", "divide"}) {
    const std::string schema =
        std::string(name) + "(Tensor self, Tensor other, *, str? rounding_mode=None) -> Tensor";
    ops.add(schema.c_str(), div_mode, kMath, div_doc);
  }
  ops.add("true_divide(Tensor self, Tensor other) -> Tensor", div_fn, kMath,
          "Returns ``self / other``; integers give floats.");
  ops.add("floor_divide(Tensor self, Tensor other) -> Tensor", floor_divide, kMath,
          "Returns ``self / other`` rounded down.");
  ops.add("remainder(Tensor self, Tensor other) -> Tensor", remainder, kMath,
          "Returns Python's modulus: the result has the sign of the divisor.");
  ops.add("fmod(Tensor self, Tensor other) -> Tensor", fmod, kOther,
          "Returns C's fmod: the result has the sign of the dividend.");
  const char* pow_doc = "Returns ``self`` raised to ``exponent``, element by element.";
  ops.add("pow(Tensor self, Tensor exponent) -> Tensor", pow_fn, Elementwise, pow_doc);
  ops.add(
      "pow(Tensor self, Scalar exponent) -> Tensor",
      +[](const Tensor& self, const Scalar& e, Dst dst) { return pow(self, wrap(e), dst); },
      Elementwise, pow_doc);
  ops.add("pow(Scalar self, Tensor exponent) -> Tensor", pow_scalar_base, Function | Out, pow_doc);
  ops.add("maximum(Tensor self, Tensor other) -> Tensor", maximum, Both | Out,
          "Returns the larger of two elements; NaN if either is.");
  ops.add("minimum(Tensor self, Tensor other) -> Tensor", minimum, Both | Out,
          "Returns the smaller of two elements; NaN if either is.");
  ops.add("fmax(Tensor self, Tensor other) -> Tensor", fmax, Both | Out,
          "Returns the larger of two elements; a NaN is ignored.");
  ops.add("fmin(Tensor self, Tensor other) -> Tensor", fmin, Both | Out,
          "Returns the smaller of two elements; a NaN is ignored.");
  for (const char* name : {"atan2", "arctan2"}) {
    ops.add((std::string(name) + "(Tensor self, Tensor other) -> Tensor").c_str(), atan2,
            Elementwise, "Returns the angle of the point (other, self), in radians.");
  }
  ops.add("addcmul(Tensor self, Tensor tensor1, Tensor tensor2, *, Scalar value=1) -> Tensor",
          addcmul, Elementwise, "Returns ``self + value * tensor1 * tensor2``.");
  ops.add("addcdiv(Tensor self, Tensor tensor1, Tensor tensor2, *, Scalar value=1) -> Tensor",
          addcdiv, Elementwise, "Returns ``self + value * tensor1 / tensor2``.");
  const char* lerp_doc = "Returns ``self + weight * (end - self)``.";
  ops.add("lerp(Tensor self, Tensor end, Tensor weight) -> Tensor", lerp, Elementwise, lerp_doc);
  ops.add("lerp(Tensor self, Tensor end, Scalar weight) -> Tensor", lerp_scalar, Elementwise,
          lerp_doc);
  const char* clamp_doc = "Limits each element to [min, max]; NaN stays.";
  for (const char* name : {"clamp", "clip"}) {
    const std::string n = name;
    ops.add((n + "(Tensor self, Scalar? min=None, Scalar? max=None) -> Tensor").c_str(), clamp,
            Elementwise, clamp_doc);
    ops.add((n + "(Tensor self, Tensor? min=None, Tensor? max=None) -> Tensor").c_str(),
            clamp_tensor, Elementwise, clamp_doc);
  }
  ops.add("clamp_min(Tensor self, Tensor min) -> Tensor", clamp_min, kOther | InplaceFunction,
          "Limits each element from below.");
  ops.add("clamp_max(Tensor self, Tensor max) -> Tensor", clamp_max, kOther | InplaceFunction,
          "Limits each element from above.");
  ops.add("positive(Tensor self) -> Tensor", positive, Both, "Returns ``self``.");
}

}  // namespace d2l
