// Runs the benchmarks; --benchmark_filter=REGEX picks some. The limits of the machine, measured in
// the same run, stand in the head of the output.
#include <benchmark/benchmark.h>

#include <string>

#include "benches.h"
#include "core/thread_pool.h"
#include "peak.h"

int main(int argc, char** argv) {
  using namespace d2l::bench;
  d2l::set_num_threads(1);
  add_gemm();
  add_elementwise();
  add_reduce();
  add_overhead();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::AddCustomContext("peak f32 GFLOP/s", std::to_string(peak_gflops_float()));
  benchmark::AddCustomContext("peak f64 GFLOP/s", std::to_string(peak_gflops_double()));
  benchmark::AddCustomContext("stream 256 KB GB/s", std::to_string(stream_gbytes(256 << 10)));
  benchmark::AddCustomContext("stream 64 MB GB/s", std::to_string(stream_gbytes(64 << 20)));
  benchmark::RunSpecifiedBenchmarks();
}
