// Comparison, logic, bits, and choosing by a condition.
#pragma once

#include "d2lcore/ops/common.h"

namespace d2l {

D2L_API Tensor eq(const Tensor& self, const Tensor& other, Dst dst = {});
D2L_API Tensor ne(const Tensor& self, const Tensor& other, Dst dst = {});
D2L_API Tensor lt(const Tensor& self, const Tensor& other, Dst dst = {});
D2L_API Tensor le(const Tensor& self, const Tensor& other, Dst dst = {});
D2L_API Tensor gt(const Tensor& self, const Tensor& other, Dst dst = {});
D2L_API Tensor ge(const Tensor& self, const Tensor& other, Dst dst = {});
D2L_API Tensor where(const Tensor& condition, const Tensor& self, const Tensor& other, Dst dst = {});
D2L_API Tensor masked_fill(const Tensor& self, const Tensor& mask, const Tensor& value,
                           Dst dst = {});
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
D2L_API Tensor isclose(const Tensor& self, const Tensor& other, double rtol, double atol,
                       bool equal_nan);
D2L_API bool allclose(const Tensor& self, const Tensor& other, double rtol, double atol,
                      bool equal_nan);
D2L_API bool equal(const Tensor& self, const Tensor& other);

}  // namespace d2l
