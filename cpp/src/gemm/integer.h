// Products of integers and bools.
#pragma once

#include "gemm/gemm.h"

namespace d2l {

// Item `item` of the batch; m, n and k are at least 1.
void multiply_integers(const GemmArgs& args, int64_t item);

}  // namespace d2l
