// Ops that are bound by memory: GB/s of what they read and write once. Sizes in cache and beyond
// it.
#include <benchmark/benchmark.h>

#include <functional>
#include <string>

#include "benches.h"
#include "d2lcore/d2lcore.h"

namespace d2l::bench {
namespace {

using Op = std::function<Tensor()>;

// `bytes` are read or written by one call.
void bench(const std::string& name, double bytes, Op op) {
  benchmark::RegisterBenchmark(name.c_str(), [bytes, op](benchmark::State& state) {
    for (auto _ : state) benchmark::DoNotOptimize(op());
    using benchmark::Counter;
    state.counters["GB/s"] = Counter(bytes * 1e-9, Counter::kIsIterationInvariantRate);
  })->UseRealTime();
}

}  // namespace

void add_elementwise() {
  for (int64_t n : {1'000, 100'000, 10'000'000}) {
    const Tensor x = add(rand(Dims{n}), Scalar(0.5)), y = rand(Dims{n});
    const std::string size = " " + std::to_string(n);
    const double item = 4.0 * static_cast<double>(n);
    bench("add" + size, 3 * item, [x, y] { return add(x, y); });
    bench("mul number" + size, 2 * item, [x] { return mul(x, Scalar(2)); });
    bench("where" + size, 3.25 * item, [x, y, c = gt(x, y)] { return where(c, x, y); });
    bench("compare" + size, 2.25 * item, [x, y] { return gt(x, y); });
    bench("exp" + size, 2 * item, [x] { return d2l::exp(x); });
    bench("log" + size, 2 * item, [x] { return d2l::log(x); });
    bench("tanh" + size, 2 * item, [x] { return d2l::tanh(x); });
    bench("sigmoid" + size, 2 * item, [x] { return sigmoid(x); });
    bench("pow" + size, 3 * item, [x, y] { return d2l::pow(x, y); });
    bench("clone" + size, 2 * item, [x] { return clone(x); });
  }
  const Tensor a = rand(Dims{1000, 1000}), row = rand(Dims{1000}), column = rand(Dims{1000, 1});
  bench("add row", 8e6, [a, row] { return add(a, row); });
  bench("mul column", 8e6, [a, column] { return mul(a, column); });
  bench("add transposed", 12e6, [a, t = transpose(a, 0, 1)] { return add(t, a); });
  bench("transpose", 8e6, [t = transpose(a, 0, 1)] { return contiguous(t); });
}

void add_reduce() {
  for (int64_t rows : {1000, 10, 1'000'000}) {
    const int64_t columns = rows == 1000 ? 1000 : 10'000'000 / rows;
    const Tensor x = rand(Dims{rows, columns});
    const double bytes = 4.0 * static_cast<double>(x.numel());
    for (int64_t dim : {0, 1}) {
      const std::string where = " dim " + std::to_string(dim) + " of " + std::to_string(rows) +
                                "x" + std::to_string(columns);
      const Dims d{dim};
      bench("sum" + where, bytes, [x, d] { return sum(x, IntList(d)); });
      bench("amax" + where, bytes, [x, d] { return amax(x, IntList(d)); });
      bench("argmax" + where, bytes, [x, dim] { return argmax(x, dim); });
      bench("std" + where, bytes, [x, d] { return d2l::std(x, IntList(d)); });
      bench("logsumexp" + where, bytes, [x, d] { return logsumexp(x, IntList(d)); });
      bench("softmax" + where, 2 * bytes, [x, dim] { return softmax(x, dim); });
      bench("cumsum" + where, 2 * bytes, [x, dim] { return cumsum(x, dim); });
    }
  }
}

}  // namespace d2l::bench
