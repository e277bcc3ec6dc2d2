// Functions of one tensor, element by element.
#pragma once

#include "d2lcore/ops/common.h"

namespace d2l {

// clang-format off
#define D2L_UNARY_OPS(X) \
  X(neg) X(abs) X(sign) X(square) X(reciprocal) X(sqrt) X(rsqrt) X(exp) X(exp2) X(expm1) X(log)  \
  X(log2) X(log10) X(log1p) X(sin) X(cos) X(tan) X(asin) X(acos) X(atan) X(sinh) X(cosh) X(tanh) \
  X(asinh) X(acosh) X(atanh) X(sigmoid) X(erf) X(erfc) X(erfinv) X(lgamma) X(digamma) X(floor)   \
  X(ceil) X(trunc) X(frac) X(relu)
// clang-format on
#define X(name) D2L_API Tensor name(const Tensor& self, Dst dst = {});
D2L_UNARY_OPS(X)
#undef X
D2L_API Tensor round(const Tensor& self, int64_t decimals = 0, Dst dst = {});
D2L_API Tensor relu_backward(const Tensor& g, const Tensor& y);
D2L_API Tensor sigmoid_backward(const Tensor& g, const Tensor& y);
D2L_API Tensor tanh_backward(const Tensor& g, const Tensor& y);

}  // namespace d2l
