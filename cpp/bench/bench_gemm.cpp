// Products of the shapes of the gemm suite: GFLOP/s, and per cent of the peak measured in this run.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <string>
#include <vector>

#include "benches.h"
#include "core/thread_pool.h"
#include "gemm/gemm.h"
#include "peak.h"

namespace {

struct Shape {
  const char* name;
  int64_t m, k, n;
  bool a_t = false, b_t = false;
  int64_t batch = 1;
};

template <class T, d2l::DType D>
void product(benchmark::State& state, Shape s) {
  std::vector<T> a(static_cast<size_t>(s.batch * s.m * s.k)),
      b(static_cast<size_t>(s.batch * s.k * s.n)), c(static_cast<size_t>(s.batch * s.m * s.n));
  uint32_t x = 1;
  for (auto* v : {&a, &b})
    for (T& e : *v)
      e = static_cast<T>(static_cast<T>((x = x * 1664525 + 1013904223) >> 24) / T(100));
  d2l::GemmArgs g{.dtype = D,
                  .m = s.m,
                  .n = s.n,
                  .k = s.k,
                  .batch = s.batch,
                  .a = a.data(),
                  .a_row = s.a_t ? 1 : s.k,
                  .a_col = s.a_t ? s.m : 1,
                  .a_batch = s.m * s.k,
                  .b = b.data(),
                  .b_row = s.b_t ? 1 : s.n,
                  .b_col = s.b_t ? s.k : 1,
                  .b_batch = s.k * s.n,
                  .c = c.data(),
                  .c_row = s.n,
                  .c_col = 1,
                  .c_batch = s.m * s.n};
  for (auto _ : state) {
    d2l::gemm(g);
    benchmark::ClobberMemory();
  }
  const double flops = 2.0 * static_cast<double>(s.batch * s.m * s.k * s.n);
  using benchmark::Counter;
  const double peak =
      sizeof(T) != 8 ? d2l::bench::peak_gflops_float() : d2l::bench::peak_gflops_double();
  state.counters["GFLOP/s"] = Counter(flops * 1e-9, Counter::kIsIterationInvariantRate);
  if (peak > 0)
    state.counters["%peak"] =
        Counter(flops * 1e-7 / peak / d2l::num_threads(), Counter::kIsIterationInvariantRate);
}

template <class T, d2l::DType D>
void add(const char* prefix, std::initializer_list<Shape> shapes) {
  for (const Shape& s : shapes)
    benchmark::RegisterBenchmark((std::string(prefix) + s.name).c_str(), product<T, D>, s)
        ->UseRealTime();
}

}  // namespace

void d2l::bench::add_gemm() {
  using d2l::DType;
  const std::initializer_list<Shape> squares = {
      {"4", 4, 4, 4},         {"16", 16, 16, 16},         {"32", 32, 32, 32},
      {"64", 64, 64, 64},     {"128", 128, 128, 128},     {"256", 256, 256, 256},
      {"512", 512, 512, 512}, {"1024", 1024, 1024, 1024}, {"2048", 2048, 2048, 2048}};
  add<float, DType::Float>("sgemm ", squares);
  add<double, DType::Double>("dgemm ", squares);
  add<float, DType::Float>("s ", {{"A.BT 64", 64, 64, 64, false, true},
                                  {"AT.B 64", 64, 64, 64, true, false},
                                  {"AT.BT 64", 64, 64, 64, true, true},
                                  {"A.BT 256", 256, 256, 256, false, true},
                                  {"AT.B 256", 256, 256, 256, true, false},
                                  {"AT.BT 256", 256, 256, 256, true, true},
                                  {"A.BT 1024", 1024, 1024, 1024, false, true},
                                  {"AT.B 1024", 1024, 1024, 1024, true, false},
                                  {"1x1024.1024x1024", 1, 1024, 1024},
                                  {"1x256.256x256", 1, 256, 256},
                                  {"4096x1.1x256", 4096, 1, 256},
                                  {"128x784.784x256", 128, 784, 256},
                                  {"64x784.784x256", 64, 784, 256},
                                  {"256x784.784x10", 256, 784, 10},
                                  {"256x784.(10x784)T", 256, 784, 10, false, true},
                                  {"(256x784)T.256x10", 784, 256, 10, true, false},
                                  {"(256x10)T.256x784", 10, 256, 784, true, false},
                                  {"256x10.10x784", 256, 10, 784},
                                  {"256x256.256x10", 256, 256, 10},
                                  {"64x64.64x10", 64, 64, 10},
                                  {"10x2.2x1", 10, 2, 1},
                                  {"784x256.256x256", 784, 256, 256},
                                  {"6x25.25x100352", 6, 25, 100352},
                                  {"8x1024.1024x1024", 8, 1024, 1024},
                                  {"32x1024.1024x1024", 32, 1024, 1024},
                                  {"32x1024.(1024x1024)T", 32, 1024, 1024, false, true},
                                  {"4x784.(256x784)T", 4, 784, 256, false, true},
                                  {"16x784.(256x784)T", 16, 784, 256, false, true},
                                  {"32x784.(256x784)T", 32, 784, 256, false, true},
                                  {"64x784.(256x784)T", 64, 784, 256, false, true},
                                  {"64x256.(256x256)T", 64, 256, 256, false, true},
                                  {"16x256.(256x256)T", 16, 256, 256, false, true},
                                  {"64x(64.64)", 64, 64, 64, false, false, 64},
                                  {"64x(64.64T)", 64, 64, 64, false, true, 64},
                                  {"256x(32.32)", 32, 32, 32, false, false, 256},
                                  {"mv 1024", 1024, 1024, 1},
                                  {"mvT 1024", 1024, 1024, 1, true, false},
                                  {"mv 4096", 4096, 4096, 1},
                                  {"dot 1e3", 1, 1000, 1},
                                  {"dot 1e6", 1, 1000000, 1},
                                  {"outer 1000", 1000, 1, 1000},
                                  {"256x784.(256x784)T", 256, 784, 256, false, true}});
  add<uint16_t, DType::BFloat16>("bfloat16 ", {{"256", 256, 256, 256}, {"1024", 1024, 1024, 1024}});
  add<uint16_t, DType::Half>("float16 ", {{"1024", 1024, 1024, 1024}});
  add<int64_t, DType::Int64>("int64 ", {{"256", 256, 256, 256}});
}
