// Strided 2-D copies by item size: what every strided kernel gathers and scatters with.
#pragma once

#include <cstdint>

#include "kernels/vec.h"

namespace d2l::D2L_ISA_NS {

// to[j, i] = from[j, i] for j < m, i < n; strides in bytes, size in {1, 2, 4, 8, 16}. A stride of 0
// on the reading side broadcasts.
void copy2d(char* to, int64_t to_inner, int64_t to_outer, const char* from, int64_t from_inner,
            int64_t from_outer, int64_t n, int64_t m, int size);

}  // namespace d2l::D2L_ISA_NS
