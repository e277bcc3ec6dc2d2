// Running sums, products and extremes along one dimension.
#pragma once

#include "d2lcore/ops/common.h"

namespace d2l {

D2L_API Tensor cumsum(const Tensor& self, int64_t dim, OptDType dtype = {}, Dst dst = {});
D2L_API Tensor cumprod(const Tensor& self, int64_t dim, OptDType dtype = {}, Dst dst = {});
D2L_API std::tuple<Tensor, Tensor> cummax(const Tensor& self, int64_t dim);  // values, indices
D2L_API std::tuple<Tensor, Tensor> cummin(const Tensor& self, int64_t dim);
D2L_API Tensor logcumsumexp(const Tensor& self, int64_t dim, Dst dst = {});
// y[k] = a[k] + b[k] y[k-1] along dim, y[-1] = 0: what the derivative of cumprod is made of.
D2L_API Tensor linear_recurrence(const Tensor& a, const Tensor& b, int64_t dim);

}  // namespace d2l
