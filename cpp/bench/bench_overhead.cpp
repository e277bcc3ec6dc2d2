// What a call costs when there is next to nothing to compute.
#include <benchmark/benchmark.h>

#include "benches.h"
#include "core/allocator.h"
#include "core/thread_pool.h"
#include "d2lcore/d2lcore.h"

namespace d2l::bench {
namespace {

void allocator(benchmark::State& state) {
  const int64_t bytes = state.range(0);
  for (auto _ : state) {
    void* p = allocate(bytes);
    benchmark::DoNotOptimize(p);
    deallocate(p, bytes);
  }
}

void pool_launch(benchmark::State& state) {
  const int before = num_threads();
  set_num_threads(static_cast<int>(state.range(0)));
  int64_t sink[64] = {};
  for (auto _ : state) {
    parallel_for(8, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) sink[i * 8] += 1;
    });
    benchmark::DoNotOptimize(sink);
  }
  set_num_threads(before);
}

void small_add(benchmark::State& state) {
  const Tensor x = ones(Dims{3}), y = ones(Dims{3});
  for (auto _ : state) benchmark::DoNotOptimize(add(x, y));
}
void small_view(benchmark::State& state) {
  const Tensor x = ones(Dims{3, 4});
  for (auto _ : state) benchmark::DoNotOptimize(transpose(x, 0, 1));
}
void recorded_add(benchmark::State& state) {
  Tensor x = ones(Dims{3});
  x.set_requires_grad(true);
  for (auto _ : state) benchmark::DoNotOptimize(add(x, x));
}
// A chain of products forward and back; the time is that of one of its nodes.
void chain(benchmark::State& state) {
  Tensor x = ones(Dims{3});
  x.set_requires_grad(true);
  constexpr int kNodes = 100;
  for (auto _ : state) {
    Tensor y = x;
    for (int i = 0; i < kNodes; ++i) y = mul(y, x);
    backward({sum(y)}, {});
  }
  state.counters["node"] = benchmark::Counter(
      kNodes, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

}  // namespace

void add_overhead() {
  for (int64_t bytes : {64, 4096, 1 << 20, 64 << 20}) {
    benchmark::RegisterBenchmark("allocator", allocator)->Arg(bytes);
  }
  for (int threads : {1, 2}) {
    benchmark::RegisterBenchmark("pool launch, threads", pool_launch)->Arg(threads)->UseRealTime();
  }
  benchmark::RegisterBenchmark("op on 3 elements", small_add);
  benchmark::RegisterBenchmark("view", small_view);
  benchmark::RegisterBenchmark("op with a gradient", recorded_add);
  benchmark::RegisterBenchmark("chain of 100 forward and back", chain);
}

}  // namespace d2l::bench
