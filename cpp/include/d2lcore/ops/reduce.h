// Reductions along any dimensions.
#pragma once

#include "d2lcore/ops/common.h"

namespace d2l {

// dim: none or empty means all dimensions.
D2L_API Tensor sum(const Tensor& self, OptInts dim = {}, bool keepdim = false, OptDType dtype = {},
                   Dst dst = {});
D2L_API Tensor mean(const Tensor& self, OptInts dim = {}, bool keepdim = false, OptDType dtype = {},
                    Dst dst = {});
D2L_API Tensor prod(const Tensor& self, OptInt dim, bool keepdim = false, OptDType dtype = {},
                    Dst dst = {});
D2L_API Tensor amax(const Tensor& self, IntList dim, bool keepdim = false, Dst dst = {});
D2L_API Tensor amin(const Tensor& self, IntList dim, bool keepdim = false, Dst dst = {});
D2L_API Tensor any(const Tensor& self, OptInts dim = {}, bool keepdim = false, Dst dst = {});
D2L_API Tensor all(const Tensor& self, OptInts dim = {}, bool keepdim = false, Dst dst = {});

}  // namespace d2l
