// The machine's limits, measured in the same run as what is compared with them.
#pragma once

#include <cstdint>

namespace d2l::bench {

// Billions of operations per second of one thread: independent fused multiply-adds in registers, in
// the widest vectors of this processor (a multiply-add counts as two). Measured at the first call.
double peak_gflops_float();
double peak_gflops_double();

// Billions of bytes per second that one thread reads and writes with y[i] = a x[i] + y[i] on arrays
// of `bytes` bytes together (two reads and a write for each y).
double stream_gbytes(int64_t bytes);

}  // namespace d2l::bench
