// The machine's limits, measured in the same run as what is compared with them.
#pragma once

namespace d2l::bench {

// Billions of operations per second of one thread: independent fused multiply-adds in registers, in
// the widest vectors of this processor (a multiply-add counts as two). Measured at the first call.
double peak_gflops_float();
double peak_gflops_double();

}  // namespace d2l::bench
