// Comparison, logic, bits, and choosing by a condition.
#include <limits>

#include "autograd/record.h"
#include "core/total.h"
#include "d2lcore/ops.h"
#include "iter/map.h"
#include "ops/register.h"

namespace d2l {

#define COMPARE(name)                                                          \
  Tensor name(const Tensor& self, const Tensor& other, Dst dst) {              \
    return map(#name "_cpu", Loop::name, Promote::Bool, dst, {&self, &other}); \
  }
COMPARE(eq)
COMPARE(ne)
COMPARE(lt)
COMPARE(le)
COMPARE(gt)
COMPARE(ge)
COMPARE(logical_and)
COMPARE(logical_or)
COMPARE(logical_xor)
#undef COMPARE

Tensor logical_not(const Tensor& self, Dst dst) {
  return map("logical_not_cpu", Loop::logical_not, Promote::Bool, dst, {&self});
}

#define BITS(name, loop, words)                                            \
  Tensor name(const Tensor& self, const Tensor& other, Dst dst) {          \
    return map(words, Loop::loop, Promote::Default, dst, {&self, &other}); \
  }
BITS(bitwise_and, bitwise_and, "bitwise_and_cpu")
BITS(bitwise_or, bitwise_or, "bitwise_or_cpu")
BITS(bitwise_xor, bitwise_xor, "bitwise_xor_cpu")
BITS(shift_left, shift_left, "lshift_cpu")
BITS(shift_right, shift_right, "rshift_cpu")
#undef BITS

Tensor bitwise_not(const Tensor& self, Dst dst) {
  return map("bitwise_not_cpu", Loop::bitwise_not, Promote::Default, dst, {&self});
}

Tensor where(const Tensor& condition, const Tensor& self, const Tensor& other, Dst dst) {
  check(condition.dtype() == DType::Bool || condition.dtype() == DType::UInt8,
        "where expected condition to be a boolean tensor, but got a tensor with dtype {}",
        condition.dtype());
  const DType type = self.dtype() == other.dtype() ? self.dtype() : result_type(self, other);
  Tensor out = map_as("where_cpu", Loop::where, type, type, dst, {&condition, &self, &other});
  return record(
      out, "WhereBackward0", {&self, &other}, saved(condition),
      [](const Tensor& g, const Tensor& c) { return where(c, g, wrap(Scalar(0))); },
      [](const Tensor& g, const Tensor& c) { return where(c, wrap(Scalar(0)), g); });
}

namespace {

// The names that this message of PyTorch uses.
const char* c_name(DType t) {
  static constexpr const char* kNames[] = {
      "bool",  "unsigned char", "signed char",         "short",
      "int",   "long",          "c10::Half",           "c10::BFloat16",
      "float", "double",        "c10::complex<float>", "c10::complex<double>"};
  return kNames[static_cast<int>(t)];
}

}  // namespace

Tensor masked_fill(const Tensor& self, const Tensor& mask, const Tensor& value, Dst dst) {
  check(value.dim() == 0,
        "masked_fill_ only supports a 0-dimensional value tensor, but got tensor with {} "
        "dimension(s).",
        value.dim());
  check(mask.dtype() == DType::Bool,
        "masked_fill_ only supports boolean masks, but got mask with "
        "dtype {}",
        c_name(mask.dtype()));
  const DType type = self.dtype();
  Tensor fill = value;
  if (value.dtype() != type) {
    const Scalar number = item(value);
    check_fits(number, type);
    fill = scalar_tensor(number, type);
  }
  Tensor out = map_as("masked_fill", Loop::where, type, type, dst, {&mask, &fill, &self});
  return record(
      out, value->wrapped_number ? "MaskedFillBackward0" : "MaskedFillBackward1", {&self, &value},
      saved(mask),
      [](const Tensor& g, const Tensor& m) { return masked_fill(g, m, wrap(Scalar(0))); },
      [](const Tensor& g, const Tensor& m) { return sum(where(m, g, wrap(Scalar(0)))); });
}

namespace {

Tensor constant_bool(const Tensor& self, bool value, Dst dst = {}) {
  Tensor out = prepare_result("fill", dst, self.shape(), DType::Bool, &self);
  fill_into(out, Scalar(value));
  return out;
}

void check_test_dtype(const char* op, const Tensor& self, Dst dst) {
  check(!is_complex(self.dtype()), "{} does not support complex inputs.", op);
  check(!dst || dst.tensor().dtype() == DType::Bool, "{} does not support non-boolean outputs.",
        op);
}

}  // namespace

Tensor isnan(const Tensor& self) {
  if (is_integral_or_bool(self.dtype())) return constant_bool(self, false);
  return map("isnan", Loop::isnan, Promote::Bool, {}, {&self});
}
Tensor isinf(const Tensor& self) {
  if (is_integral_or_bool(self.dtype())) return constant_bool(self, false);
  return map("isinf", Loop::isinf, Promote::Bool, {}, {&self});
}
Tensor isfinite(const Tensor& self) {
  if (is_integral_or_bool(self.dtype())) return constant_bool(self, true);
  return map("isfinite", Loop::isfinite, Promote::Bool, {}, {&self});
}
Tensor isposinf(const Tensor& self, Dst dst) {
  check_test_dtype("isposinf", self, dst);
  if (is_integral_or_bool(self.dtype())) return constant_bool(self, false, dst);
  return eq(self, wrap(Scalar(std::numeric_limits<double>::infinity())), dst);
}
Tensor isneginf(const Tensor& self, Dst dst) {
  check_test_dtype("isneginf", self, dst);
  if (is_integral_or_bool(self.dtype())) return constant_bool(self, false, dst);
  return eq(self, wrap(Scalar(-std::numeric_limits<double>::infinity())), dst);
}
Tensor isreal(const Tensor& self) {
  if (!is_complex(self.dtype())) return constant_bool(self, true);
  return eq(imag(self), Scalar(0));
}

Tensor signbit(const Tensor& self, Dst dst) {
  check<NotImplementedError>(!is_complex(self.dtype()),
                             "signbit is not implemented for complex tensors.");
  check(!dst || dst.tensor().dtype() == DType::Bool,
        "signbit does not support non-boolean outputs.");
  if (self.dtype() == DType::Bool) return constant_bool(self, false, dst);
  return map("signbit_cpu", Loop::signbit, Promote::Bool, dst, {&self});
}

Tensor isclose(const Tensor& self, const Tensor& other, double rtol, double atol, bool equal_nan) {
  check(self.dtype() == other.dtype(), "{} did not match {}", self.dtype(), other.dtype());
  check(rtol >= 0, "rtol must be greater than or equal to zero, but got {}", rtol);
  check(atol >= 0, "atol must be greater than or equal to zero, but got {}", atol);
  GradModeGuard off(false);
  Tensor close = eq(self, other);
  if (equal_nan && !is_integral_or_bool(self.dtype())) {
    close = logical_or(close, logical_and(isnan(self), isnan(other)));
  }
  if (rtol == 0 && atol == 0) return close;
  // bool has no difference: compare as integers.
  const bool flags = self.dtype() == DType::Bool;
  const Tensor a = flags ? to_dtype(self, DType::Int64) : self;
  const Tensor b = flags ? to_dtype(other, DType::Int64) : other;
  const Tensor allowed = add(abs(mul(b, Scalar(rtol))), Scalar(atol));
  const Tensor actual = abs(sub(a, b));
  return logical_or(close, logical_and(isfinite(actual), le(actual, allowed)));
}

bool allclose(const Tensor& self, const Tensor& other, double rtol, double atol, bool equal_nan) {
  return all(isclose(self, other, rtol, atol, equal_nan)).data_as<bool>()[0];
}

bool equal(const Tensor& self, const Tensor& other) {
  if (!equal(self.shape(), other.shape())) return false;
  return self.numel() == 0 || all(eq(self, other)).data_as<bool>()[0];
}

namespace {

// A number beside a tensor: it promotes as Python numbers do.
template <auto Op>
Tensor with_number(const Tensor& self, const Scalar& other, Dst dst) {
  return Op(self, wrap(other), dst);
}
template <auto Op>
Tensor number_first(const Scalar& self, const Tensor& other) {
  return Op(wrap(self), other, Dst());
}

using Binary = Tensor (*)(const Tensor&, const Tensor&, Dst);
struct Entry {
  const char* names;  // first the name, then its aliases
  Binary fn;
  Tensor (*second)(const Tensor&, const Scalar&, Dst);  // null: tensors only
  Tensor (*first)(const Scalar&, const Tensor&);
  const char* doc;
};
template <Binary Op>
constexpr Entry comparison(const char* names, const char* doc) {
  return {names, Op, with_number<Op>, nullptr, doc};
}
template <Binary Op>
constexpr Entry bits(const char* names, const char* doc) {
  return {names, Op, with_number<Op>, number_first<Op>, doc};
}

Tensor where_scalar_self(const Tensor& c, const Scalar& a, const Tensor& b) {
  return where(c, wrap(a), b);
}
Tensor where_scalar_other(const Tensor& c, const Tensor& a, const Scalar& b) {
  return where(c, a, wrap(b));
}
Tensor where_scalars(const Tensor& c, const Scalar& a, const Scalar& b) {
  return where(c, wrap(a), wrap(b));
}
Tensor masked_fill_scalar(const Tensor& self, const Tensor& mask, const Scalar& value, Dst dst) {
  return masked_fill(self, mask, wrap(value), dst);
}

}  // namespace

void register_compare(OpTable& ops) {
  const Entry entries[] = {
      comparison<eq>("eq", "Returns ``self == other`` as bool, broadcast and promoted."),
      comparison<ne>("ne not_equal", "Returns ``self != other`` as bool, broadcast and promoted."),
      comparison<lt>("lt less", "Returns ``self < other`` as bool, broadcast and promoted."),
      comparison<le>("le less_equal", "Returns ``self <= other`` as bool, broadcast and promoted."),
      comparison<gt>("gt greater", "Returns ``self > other`` as bool, broadcast and promoted."),
      comparison<ge>("ge greater_equal",
                     "Returns ``self >= other`` as bool, broadcast and promoted."),
      {"logical_and", logical_and, nullptr, nullptr, "Returns whether both elements are not zero."},
      {"logical_or", logical_or, nullptr, nullptr, "Returns whether either element is not zero."},
      {"logical_xor", logical_xor, nullptr, nullptr,
       "Returns whether just one element is not zero."},
      bits<bitwise_and>("bitwise_and", "Returns the bits set in both (bool, integers)."),
      bits<bitwise_or>("bitwise_or", "Returns the bits set in either (bool, integers)."),
      bits<bitwise_xor>("bitwise_xor", "Returns the bits set in just one (bool, integers)."),
      bits<shift_left>("bitwise_left_shift",
                       "Returns ``self << other``; a shift by a negative or too large number gives "
                       "0."),
      bits<shift_right>("bitwise_right_shift", "Returns ``self >> other``, filling with the sign."),
  };
  for (const Entry& e : entries) {
    std::string_view rest = e.names;
    while (!rest.empty()) {
      const size_t cut = std::min(rest.find(' '), rest.size());
      const std::string name(rest.substr(0, cut));
      ops.add((name + "(Tensor self, Tensor other) -> Tensor").c_str(), e.fn, Elementwise, e.doc);
      if (e.second) {
        ops.add((name + "(Tensor self, Scalar other) -> Tensor").c_str(), e.second, Elementwise,
                e.doc);
      }
      if (e.first) {
        ops.add((name + "(Scalar self, Tensor other) -> Tensor").c_str(), e.first, Function, e.doc);
      }
      rest.remove_prefix(std::min(cut + 1, rest.size()));
    }
  }
  ops.add("equal(Tensor self, Tensor other) -> bool",
          static_cast<bool (*)(const Tensor&, const Tensor&)>(equal), Both,
          "Returns whether both have the same shape and the same elements.");
  ops.add("logical_not(Tensor self) -> Tensor", logical_not, Elementwise,
          "Returns whether the element is zero.");
  ops.add("bitwise_not(Tensor self) -> Tensor", bitwise_not, Elementwise,
          "Returns each element with its bits flipped (bool, integers).");
  const char* where_doc =
      "Returns the element of ``self`` where ``condition`` (bool) is true, of ``other`` elsewhere; "
      "all three are broadcast, the last two promoted.";
  ops.add("where(Tensor condition, Tensor self, Tensor other) -> Tensor", where, Function | Out,
          where_doc);
  ops.add("where(Tensor condition, Scalar self, Tensor other) -> Tensor", where_scalar_self,
          Function, where_doc);
  ops.add("where(Tensor condition, Tensor self, Scalar other) -> Tensor", where_scalar_other,
          Function, where_doc);
  ops.add("where(Tensor condition, Scalar self, Scalar other) -> Tensor", where_scalars, Function,
          where_doc);
  const char* fill_doc =
      "Returns ``self`` with ``value`` (a number or 0-d tensor) where ``mask`` (bool, broadcast) "
      "is "
      "true.";
  ops.add("masked_fill(Tensor self, Tensor mask, Scalar value) -> Tensor", masked_fill_scalar,
          Both | Inplace, fill_doc);
  ops.add("masked_fill(Tensor self, Tensor mask, Tensor value) -> Tensor",
          static_cast<Tensor (*)(const Tensor&, const Tensor&, const Tensor&, Dst)>(masked_fill),
          Both | Inplace, fill_doc);
  ops.add("isnan(Tensor self) -> Tensor", isnan, Both, "Returns whether each element is NaN.");
  ops.add("isinf(Tensor self) -> Tensor", isinf, Both, "Returns whether each element is infinite.");
  ops.add("isfinite(Tensor self) -> Tensor", isfinite, Both,
          "Returns whether each element is neither infinite nor NaN.");
  ops.add("isposinf(Tensor self) -> Tensor", isposinf, Both | Out,
          "Returns whether each element is plus infinity.");
  ops.add("isneginf(Tensor self) -> Tensor", isneginf, Both | Out,
          "Returns whether each element is minus infinity.");
  ops.add("isreal(Tensor self) -> Tensor", isreal, Both,
          "Returns whether each element has no imaginary part.");
  ops.add("signbit(Tensor self) -> Tensor", signbit, Both | Out,
          "Returns whether each element has its sign bit set (-0.0 has).");
  const char* close_doc =
      "``|self - other| <= atol + rtol * |other|`` (equal infinities are close; NaN only with "
      "``equal_nan``). Both need the same dtype.";
  ops.add(
      "isclose(Tensor self, Tensor other, float rtol=1e-05, float atol=1e-08, bool "
      "equal_nan=False) -> Tensor",
      isclose, Both, close_doc);
  ops.add(
      "allclose(Tensor self, Tensor other, float rtol=1e-05, float atol=1e-08, bool "
      "equal_nan=False) -> bool",
      allclose, Both, close_doc);
}

}  // namespace d2l
