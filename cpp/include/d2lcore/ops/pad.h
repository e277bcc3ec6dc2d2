// Padding.
#pragma once

#include "d2lcore/ops/common.h"

namespace d2l {

// pad: amounts before and after the last dimension, then those of the one before it, and so on;
// negative ones take away.
D2L_API Tensor constant_pad_nd(const Tensor& self, IntList pad, const Scalar& value = 0);
// mode: 'constant', 'reflect', 'replicate' or 'circular'.
D2L_API Tensor pad(const Tensor& self, IntList pad, std::string_view mode = "constant",
                   std::optional<double> value = {});

}  // namespace d2l
