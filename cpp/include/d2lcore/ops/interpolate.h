// Interpolation.
#pragma once

#include "d2lcore/ops/common.h"

namespace d2l {

enum class InterpolateMode : uint8_t { Nearest, NearestExact, Linear, Cubic, Lanczos, Area };

// Resizes the dimensions of (N, C, ...) behind the first two to `size`. scales: the factors that
// the sizes were computed from (0, or none, when there were none). antialias: filters that widen
// where the input shrinks (Linear, Cubic, Lanczos).
D2L_API Tensor interpolate(const Tensor& self, IntList size, std::span<const double> scales = {},
                           InterpolateMode mode = InterpolateMode::Nearest,
                           bool align_corners = false, bool antialias = false);

}  // namespace d2l
