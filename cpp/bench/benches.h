// The chapters of the benchmarks; each adds its cases.
#pragma once

namespace d2l::bench {

void add_gemm();         // products, in GFLOP/s
void add_elementwise();  // one pass over memory, in GB/s
void add_reduce();       // reductions and scans, in GB/s
void add_overhead();     // allocator, pool, one small op, a backward pass: in ns

}  // namespace d2l::bench
