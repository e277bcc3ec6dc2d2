// Scalar: one number of any category, as Python hands it over.
#pragma once

#include <cstdint>

#include "d2lcore/dtype.h"

namespace d2l {

// A plain value (trivially copyable, so that derivative formulas may capture it).
class Scalar {
 public:
  enum class Kind : uint8_t { Bool, Int, Float, Complex };

  Scalar() : Scalar(int64_t{0}) {}
  Scalar(bool b) : int_(b), re_(b), kind_(Kind::Bool) {}
  Scalar(int i) : Scalar(static_cast<int64_t>(i)) {}
  Scalar(int64_t i) : int_(i), re_(static_cast<double>(i)), kind_(Kind::Int) {}
  Scalar(double x) : int_(0), re_(x), kind_(Kind::Float) {}
  Scalar(double re, double im) : int_(0), re_(re), im_(im), kind_(Kind::Complex) {}

  Kind kind() const { return kind_; }
  bool is_complex() const { return kind_ == Kind::Complex; }
  bool is_float() const { return kind_ == Kind::Float; }
  bool is_integral() const { return kind_ <= Kind::Int; }  // bool included

  // The default dtype that this number has as a tensor: bool, int64, default float, its complex.
  DType dtype() const;

  double real() const { return re_; }
  double imag() const { return im_; }
  // Truncates; out-of-range and NaN give a defined value (never undefined behaviour).
  int64_t to_int() const { return is_integral() ? int_ : truncate(re_); }
  bool to_bool() const { return is_integral() ? int_ != 0 : (re_ != 0 || im_ != 0); }
  bool equals(int64_t x) const {
    return im_ == 0 && (is_integral() ? int_ == x : re_ == double(x));
  }

 private:
  static int64_t truncate(double x) {
    if (!(x > -9.3e18 && x < 9.2e18)) return INT64_MIN;
    return static_cast<int64_t>(x);
  }
  int64_t int_;
  double re_, im_ = 0;
  Kind kind_;
};

inline DType Scalar::dtype() const {
  switch (kind_) {
    case Kind::Bool:
      return DType::Bool;
    case Kind::Int:
      return DType::Int64;
    case Kind::Float:
      return default_dtype();
    default:
      return default_dtype() == DType::Double ? DType::ComplexDouble : DType::ComplexFloat;
  }
}

}  // namespace d2l
