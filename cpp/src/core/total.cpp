// One element in and out of memory.
#include "core/total.h"

#include <cmath>
#include <cstring>
#include <limits>

#include "core/half.h"

namespace d2l {
namespace {

template <class T>
void put(void* p, T x) {
  std::memcpy(p, &x, sizeof x);
}
template <class T>
T get(const void* p) {
  T x;
  std::memcpy(&x, p, sizeof x);
  return x;
}

}  // namespace

void store_scalar(void* p, DType dtype, const Scalar& v) {
  switch (dtype) {
    case DType::Bool:
      return put<uint8_t>(p, v.to_bool());
    case DType::UInt8:
      return put(p, static_cast<uint8_t>(v.to_int()));
    case DType::Int8:
      return put(p, static_cast<int8_t>(v.to_int()));
    case DType::Int16:
      return put(p, static_cast<int16_t>(v.to_int()));
    case DType::Int32:
      return put(p, static_cast<int32_t>(v.to_int()));
    case DType::Int64:
      return put(p, v.to_int());
    case DType::Half:
      return put(p, float_to_half(static_cast<float>(v.real())));
    case DType::BFloat16:
      return put(p, float_to_bfloat16(static_cast<float>(v.real())));
    case DType::Float:
      return put(p, static_cast<float>(v.real()));
    case DType::Double:
      return put(p, v.real());
    case DType::ComplexFloat: {
      const float parts[2] = {static_cast<float>(v.real()), static_cast<float>(v.imag())};
      std::memcpy(p, parts, sizeof parts);
      return;
    }
    case DType::ComplexDouble: {
      const double parts[2] = {v.real(), v.imag()};
      std::memcpy(p, parts, sizeof parts);
      return;
    }
  }
}

Scalar load_scalar(const void* p, DType dtype) {
  switch (dtype) {
    case DType::Bool:
      return Scalar(get<uint8_t>(p) != 0);
    case DType::UInt8:
      return Scalar(int64_t{get<uint8_t>(p)});
    case DType::Int8:
      return Scalar(int64_t{get<int8_t>(p)});
    case DType::Int16:
      return Scalar(int64_t{get<int16_t>(p)});
    case DType::Int32:
      return Scalar(int64_t{get<int32_t>(p)});
    case DType::Int64:
      return Scalar(get<int64_t>(p));
    case DType::Half:
      return Scalar(double{half_to_float(get<uint16_t>(p))});
    case DType::BFloat16:
      return Scalar(double{bfloat16_to_float(get<uint16_t>(p))});
    case DType::Float:
      return Scalar(double{get<float>(p)});
    case DType::Double:
      return Scalar(get<double>(p));
    case DType::ComplexFloat: {
      float parts[2];
      std::memcpy(parts, p, sizeof parts);
      return Scalar(double{parts[0]}, double{parts[1]});
    }
    case DType::ComplexDouble: {
      double parts[2];
      std::memcpy(parts, p, sizeof parts);
      return Scalar(parts[0], parts[1]);
    }
  }
  return Scalar();
}

void check_fits(const Scalar& v, DType dtype) {
  auto refuse = [&](const char* type) {
    fail("value cannot be converted to type {} without overflow", type);
  };
  if (!is_complex(dtype) && v.imag() != 0) {
    refuse(dtype == DType::Double ? "double" : is_floating(dtype) ? "float" : "int64_t");
  }
  auto inside = [&](double low, double high) { return v.real() >= low && v.real() <= high; };
  switch (dtype) {
    // A negative number wraps to uint8 as in PyTorch (-1 -> 255).
    case DType::UInt8:
      return inside(-255, 255) ? void() : refuse("uint8_t");
    case DType::Int8:
      return inside(-128, 127) ? void() : refuse("int8_t");
    case DType::Int16:
      return inside(-32768, 32767) ? void() : refuse("int16_t");
    case DType::Int32:
      return inside(-2147483648.0, 2147483647.0) ? void() : refuse("int");
    case DType::Int64:
      return v.is_integral() || inside(-9223372036854775808.0, 9223372036854774784.0)
                 ? void()
                 : refuse("int64_t");
    case DType::Half:
      return !std::isfinite(v.real()) || inside(-65504, 65504) ? void() : refuse("at::Half");
    case DType::BFloat16:
    case DType::Float:
      return !std::isfinite(v.real()) || inside(-3.4028234663852886e38, 3.4028234663852886e38)
                 ? void()
                 : refuse("float");
    default:
      return;
  }
}

}  // namespace d2l
