// See peak.h. The best of several short runs: other programs can only make it slower.
#include "peak.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <vector>

#include "core/cpu.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace d2l::bench {
namespace {

constexpr int64_t kSteps = 200'000;

// Twelve chains hide the latency of the fma; asm keeps the compiler from folding them.
#define D2L_PEAK_LOOP(Vector, zero, step)                                    \
  Vector acc[12];                                                            \
  for (auto& x : acc) x = zero;                                              \
  Vector a = zero, b = zero;                                                 \
  asm volatile("" : "+x"(a), "+x"(b));                                       \
  for (int64_t i = 0; i < kSteps; ++i) {                                     \
    _Pragma("GCC unroll 12") for (auto& x : acc) x = step(a, b, x);          \
    _Pragma("GCC unroll 12") for (auto& x : acc) asm volatile("" : "+x"(x)); \
  }

#if defined(__x86_64__)
__attribute__((target("avx512f"))) void float_512() {
  D2L_PEAK_LOOP(__m512, _mm512_setzero_ps(), _mm512_fmadd_ps)
}
__attribute__((target("avx512f"))) void double_512() {
  D2L_PEAK_LOOP(__m512d, _mm512_setzero_pd(), _mm512_fmadd_pd)
}
__attribute__((target("avx2,fma"))) void float_256() {
  D2L_PEAK_LOOP(__m256, _mm256_setzero_ps(), _mm256_fmadd_ps)
}
__attribute__((target("avx2,fma"))) void double_256(){
    D2L_PEAK_LOOP(__m256d, _mm256_setzero_pd(), _mm256_fmadd_pd)} __m128
    step_ps(__m128 a, __m128 b, __m128 c) {
  return _mm_add_ps(_mm_mul_ps(a, b), c);
}
__m128d step_pd(__m128d a, __m128d b, __m128d c) { return _mm_add_pd(_mm_mul_pd(a, b), c); }
void float_128() { D2L_PEAK_LOOP(__m128, _mm_setzero_ps(), step_ps) }
void double_128() { D2L_PEAK_LOOP(__m128d, _mm_setzero_pd(), step_pd) }
#endif

template <class F>
double best_rate(F run, int lanes) {
  double best = 0;
  for (int i = 0; i < 20; ++i) {
    const auto start = std::chrono::steady_clock::now();
    run();
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    best = std::max(best, 2.0 * 12 * lanes * kSteps / seconds.count() * 1e-9);
  }
  return best;
}

}  // namespace

#if defined(__x86_64__)
double peak_gflops_float() {
  static const double peak = isa() == Isa::Avx512 ? best_rate(float_512, 16)
                             : isa() == Isa::Avx2 ? best_rate(float_256, 8)
                                                  : best_rate(float_128, 4);
  return peak;
}
double peak_gflops_double() {
  static const double peak = isa() == Isa::Avx512 ? best_rate(double_512, 8)
                             : isa() == Isa::Avx2 ? best_rate(double_256, 4)
                                                  : best_rate(double_128, 2);
  return peak;
}
#else
double peak_gflops_float() { return 0; }  // no loop for this processor yet
double peak_gflops_double() { return 0; }
#endif

double stream_gbytes(int64_t bytes) {
  const int64_t n = bytes / 8;
  std::vector<float> x(static_cast<size_t>(n), 1.0f), y(static_cast<size_t>(n), 2.0f);
  const int64_t repeats = std::max<int64_t>(1, (64 << 20) / bytes);
  double best = 0;
  for (int run = 0; run < 20; ++run) {
    const auto start = std::chrono::steady_clock::now();
    for (int64_t r = 0; r < repeats; ++r) {
      float* to = y.data();
      const float* from = x.data();
      for (int64_t i = 0; i < n; ++i) to[i] += 0.5f * from[i];
      asm volatile("" : : "r"(to) : "memory");
    }
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    best = std::max(best, 12.0 * static_cast<double>(n * repeats) / seconds.count() * 1e-9);
  }
  return best;
}

}  // namespace d2l::bench
