// Names of the dtypes and the promotion lattice.
#include "d2lcore/dtype.h"

#include <algorithm>

namespace d2l {
namespace {

DType g_default = DType::Float;

// Category: bool < integer < floating < complex.
int category(DType t) { return t == DType::Bool ? 0 : is_integral(t) ? 1 : is_floating(t) ? 2 : 3; }

}  // namespace

std::string_view name(DType t) {
  static constexpr std::string_view kNames[] = {"bool",    "uint8",   "int8",      "int16",
                                                "int32",   "int64",   "float16",   "bfloat16",
                                                "float32", "float64", "complex64", "complex128"};
  return kNames[static_cast<int>(t)];
}

std::string_view scalar_name(DType t) {
  static constexpr std::string_view kNames[] = {"Bool",  "Byte",   "Char",         "Short",
                                                "Int",   "Long",   "Half",         "BFloat16",
                                                "Float", "Double", "ComplexFloat", "ComplexDouble"};
  return kNames[static_cast<int>(t)];
}

DType promote(DType a, DType b) {
  if (a == b) return a;
  const int ca = category(a), cb = category(b);
  if (ca == 3 || cb == 3) {
    // complex64 stands beside every dtype but float64 and complex128.
    const bool wide = a == DType::Double || b == DType::Double || a == DType::ComplexDouble ||
                      b == DType::ComplexDouble;
    return wide ? DType::ComplexDouble : DType::ComplexFloat;
  }
  if (ca != cb) return ca > cb ? a : b;
  if (ca == 2) {
    if (is_reduced_floating(a) && is_reduced_floating(b)) return DType::Float;
    return std::max(a, b);
  }
  // Integers: uint8 beside a signed type needs the next wider signed one.
  const DType low = std::min(a, b), high = std::max(a, b);
  if (low == DType::UInt8 && high == DType::Int8) return DType::Int16;
  return high;
}

bool can_cast(DType from, DType to) {
  const int f = category(from), t = category(to);
  if (f == 3 && t != 3) return false;
  if (f == 2 && t < 2) return false;
  return !(f != 0 && t == 0);
}

DType default_dtype() { return g_default; }
void set_default_dtype(DType t) {
  check<TypeError>(is_floating(t),
                   "only floating-point types are supported as the default type, got {}", t);
  g_default = t;
}

}  // namespace d2l
