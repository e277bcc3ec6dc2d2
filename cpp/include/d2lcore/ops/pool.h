// Pooling of (N, C, in...) or (C, in...) in one to three dimensions.
#pragma once

#include "d2lcore/ops/common.h"

namespace d2l {

// Lists have one value for each of the `dims` spatial dimensions, or one for all; an empty stride
// is the kernel's size.
D2L_API Tensor avg_pool(int dims, const Tensor& self, IntList kernel_size, IntList stride,
                        IntList padding, bool ceil_mode = false, bool count_include_pad = true,
                        OptInt divisor_override = {});
// Values, and their positions in the plane (int64).
D2L_API std::tuple<Tensor, Tensor> max_pool_with_indices(int dims, const Tensor& self,
                                                         IntList kernel_size, IntList stride,
                                                         IntList padding, IntList dilation,
                                                         bool ceil_mode = false);
D2L_API Tensor adaptive_avg_pool(int dims, const Tensor& self, IntList output_size);
D2L_API std::tuple<Tensor, Tensor> adaptive_max_pool(int dims, const Tensor& self,
                                                     IntList output_size);

}  // namespace d2l
