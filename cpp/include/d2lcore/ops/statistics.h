// Statistics of samples.
#pragma once

#include "d2lcore/ops/common.h"

namespace d2l {

// interpolation: linear, lower, higher, midpoint, nearest. The values of q come first in the shape.
D2L_API Tensor quantile(const Tensor& self, const Tensor& q, OptInt dim = {}, bool keepdim = false,
                        std::string_view interpolation = "linear", Dst dst = {});
D2L_API Tensor nanquantile(const Tensor& self, const Tensor& q, OptInt dim = {},
                           bool keepdim = false, std::string_view interpolation = "linear",
                           Dst dst = {});
// Rows are variables, columns observations.
D2L_API Tensor cov(const Tensor& self, int64_t correction = 1, const Tensor& fweights = {},
                   const Tensor& aweights = {});
D2L_API Tensor corrcoef(const Tensor& self);
D2L_API Tensor diff(const Tensor& self, int64_t n = 1, int64_t dim = -1, const Tensor& prepend = {},
                    const Tensor& append = {});

}  // namespace d2l
