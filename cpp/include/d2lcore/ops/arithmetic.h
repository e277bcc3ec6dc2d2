// Arithmetic with broadcasting and promotion.
#pragma once

#include "d2lcore/ops/common.h"

namespace d2l {

D2L_API Tensor add(const Tensor& self, const Tensor& other, const Scalar& alpha = 1, Dst dst = {});
D2L_API Tensor sub(const Tensor& self, const Tensor& other, const Scalar& alpha = 1, Dst dst = {});
D2L_API Tensor mul(const Tensor& self, const Tensor& other, Dst dst = {});
D2L_API Tensor div(const Tensor& self, const Tensor& other, Dst dst = {});
D2L_API Tensor div_mode(const Tensor& self, const Tensor& other,
                        std::optional<std::string_view> rounding_mode, Dst dst = {});
D2L_API Tensor floor_divide(const Tensor& self, const Tensor& other, Dst dst = {});
D2L_API Tensor remainder(const Tensor& self, const Tensor& other, Dst dst = {});
D2L_API Tensor fmod(const Tensor& self, const Tensor& other, Dst dst = {});
D2L_API Tensor pow(const Tensor& self, const Tensor& exponent, Dst dst = {});
D2L_API Tensor maximum(const Tensor& self, const Tensor& other, Dst dst = {});
D2L_API Tensor minimum(const Tensor& self, const Tensor& other, Dst dst = {});
D2L_API Tensor fmax(const Tensor& self, const Tensor& other, Dst dst = {});
D2L_API Tensor fmin(const Tensor& self, const Tensor& other, Dst dst = {});
D2L_API Tensor atan2(const Tensor& self, const Tensor& other, Dst dst = {});
D2L_API Tensor rsub(const Tensor& self, const Tensor& other, const Scalar& alpha = 1);
D2L_API Tensor addcmul(const Tensor& self, const Tensor& tensor1, const Tensor& tensor2,
                       const Scalar& value = 1, Dst dst = {});
D2L_API Tensor addcdiv(const Tensor& self, const Tensor& tensor1, const Tensor& tensor2,
                       const Scalar& value = 1, Dst dst = {});
D2L_API Tensor lerp(const Tensor& self, const Tensor& end, const Tensor& weight, Dst dst = {});
D2L_API Tensor clamp(const Tensor& self, const OptScalar& min, const OptScalar& max, Dst dst = {});
D2L_API Tensor clamp_tensor(const Tensor& self, const Tensor& min, const Tensor& max, Dst dst = {});

// Numbers as operands promote as Python numbers do.
D2L_API Tensor wrap(const Scalar& number);
inline Tensor add(const Tensor& a, const Scalar& b) { return add(a, wrap(b)); }
inline Tensor sub(const Tensor& a, const Scalar& b) { return sub(a, wrap(b)); }
inline Tensor mul(const Tensor& a, const Scalar& b) { return mul(a, wrap(b)); }
inline Tensor div(const Tensor& a, const Scalar& b) { return div(a, wrap(b)); }
inline Tensor pow(const Tensor& a, const Scalar& b) { return pow(a, wrap(b)); }

inline Tensor operator+(const Tensor& a, const Tensor& b) { return add(a, b); }
inline Tensor operator-(const Tensor& a, const Tensor& b) { return sub(a, b); }
inline Tensor operator*(const Tensor& a, const Tensor& b) { return mul(a, b); }
inline Tensor operator/(const Tensor& a, const Tensor& b) { return div(a, b); }
inline Tensor operator+(const Tensor& a, const Scalar& b) { return add(a, b); }
inline Tensor operator-(const Tensor& a, const Scalar& b) { return sub(a, b); }
inline Tensor operator*(const Tensor& a, const Scalar& b) { return mul(a, b); }
inline Tensor operator/(const Tensor& a, const Scalar& b) { return div(a, b); }

}  // namespace d2l
