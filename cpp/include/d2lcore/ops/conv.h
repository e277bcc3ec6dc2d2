// Convolutions in one to three dimensions, and windows as tensors.
#pragma once

#include "d2lcore/ops/common.h"

namespace d2l {

// PyTorch's general form. input: (N, C, in...), weight: (O, C / groups, kernel...), or for the
// transposed one (C, O / groups, kernel...); bias: (O) or undefined. Lists have one value for each
// of the one to three spatial dimensions, or one for all; output_padding is read when transposed.
D2L_API Tensor convolution(const Tensor& input, const Tensor& weight, const Tensor& bias,
                           IntList stride, IntList padding, IntList dilation, bool transposed,
                           IntList output_padding, int64_t groups);

// All windows of (N, C, H, W) or (C, H, W) as columns: (N, C kh kw, L); and the sum of such columns
// in an image of output_size. Lists have one or two values.
D2L_API Tensor im2col(const Tensor& input, IntList kernel_size, IntList dilation, IntList padding,
                      IntList stride);
D2L_API Tensor col2im(const Tensor& input, IntList output_size, IntList kernel_size,
                      IntList dilation, IntList padding, IntList stride);

}  // namespace d2l
