// Comparison, logic, bits, and choosing by a condition.
#pragma once

#include "d2lcore/ops/arithmetic.h"

namespace d2l {

D2L_API Tensor eq(const Tensor& self, const Tensor& other, Dst dst = {});
D2L_API Tensor ne(const Tensor& self, const Tensor& other, Dst dst = {});
D2L_API Tensor lt(const Tensor& self, const Tensor& other, Dst dst = {});
D2L_API Tensor le(const Tensor& self, const Tensor& other, Dst dst = {});
D2L_API Tensor gt(const Tensor& self, const Tensor& other, Dst dst = {});
D2L_API Tensor ge(const Tensor& self, const Tensor& other, Dst dst = {});
inline Tensor eq(const Tensor& a, const Scalar& b) { return eq(a, wrap(b)); }
inline Tensor ne(const Tensor& a, const Scalar& b) { return ne(a, wrap(b)); }
inline Tensor lt(const Tensor& a, const Scalar& b) { return lt(a, wrap(b)); }
inline Tensor le(const Tensor& a, const Scalar& b) { return le(a, wrap(b)); }
inline Tensor gt(const Tensor& a, const Scalar& b) { return gt(a, wrap(b)); }
inline Tensor ge(const Tensor& a, const Scalar& b) { return ge(a, wrap(b)); }
D2L_API Tensor where(const Tensor& condition, const Tensor& self, const Tensor& other,
                     Dst dst = {});
D2L_API Tensor masked_fill(const Tensor& self, const Tensor& mask, const Tensor& value,
                           Dst dst = {});
inline Tensor masked_fill(const Tensor& self, const Tensor& mask, const Scalar& value) {
  return masked_fill(self, mask, wrap(value));
}
D2L_API Tensor logical_and(const Tensor& self, const Tensor& other, Dst dst = {});
D2L_API Tensor logical_or(const Tensor& self, const Tensor& other, Dst dst = {});
D2L_API Tensor logical_xor(const Tensor& self, const Tensor& other, Dst dst = {});
D2L_API Tensor logical_not(const Tensor& self, Dst dst = {});
D2L_API Tensor bitwise_and(const Tensor& self, const Tensor& other, Dst dst = {});
D2L_API Tensor bitwise_or(const Tensor& self, const Tensor& other, Dst dst = {});
D2L_API Tensor bitwise_xor(const Tensor& self, const Tensor& other, Dst dst = {});
D2L_API Tensor bitwise_not(const Tensor& self, Dst dst = {});
D2L_API Tensor shift_left(const Tensor& self, const Tensor& other, Dst dst = {});
D2L_API Tensor shift_right(const Tensor& self, const Tensor& other, Dst dst = {});
D2L_API Tensor isnan(const Tensor& self);
D2L_API Tensor isinf(const Tensor& self);
D2L_API Tensor isfinite(const Tensor& self);
D2L_API Tensor isposinf(const Tensor& self, Dst dst = {});
D2L_API Tensor isneginf(const Tensor& self, Dst dst = {});
D2L_API Tensor isreal(const Tensor& self);
D2L_API Tensor signbit(const Tensor& self, Dst dst = {});
D2L_API Tensor isclose(const Tensor& self, const Tensor& other, double rtol, double atol,
                       bool equal_nan);
D2L_API bool allclose(const Tensor& self, const Tensor& other, double rtol, double atol,
                      bool equal_nan);
D2L_API bool equal(const Tensor& self, const Tensor& other);

}  // namespace d2l
