// For the kernel tests: the tables of all instruction sets that this machine runs, and small
// helpers.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include "core/kernel_table.h"
#include "kernels/tables.h"

namespace d2l::test {

struct NamedTable {
  const char* name;
  const KernelTable* table;
};

inline const std::vector<NamedTable>& tables() {
  static const std::vector<NamedTable> all = [] {
    static KernelTable store[3]{};
    std::vector<NamedTable> v;
    baseline::fill_table(store[0]);
    v.push_back({"baseline", &store[0]});
#ifdef D2L_HAVE_AVX2
    if (__builtin_cpu_supports("x86-64-v3")) {
      avx2::fill_table(store[1]);
      v.push_back({"avx2", &store[1]});
    }
#endif
#ifdef D2L_HAVE_AVX512
    if (__builtin_cpu_supports("x86-64-v4")) {
      avx512::fill_table(store[2]);
      v.push_back({"avx512", &store[2]});
    }
#endif
    return v;
  }();
  return all;
}

enum Type { kBool, kU8, kI8, kI16, kI32, kI64, kHalf, kBF16, kF32, kF64, kC64, kC128 };
template <class T>
inline constexpr Type kTypeOf = kF32;
template <>
inline constexpr Type kTypeOf<bool> = kBool;
template <>
inline constexpr Type kTypeOf<uint8_t> = kU8;
template <>
inline constexpr Type kTypeOf<int8_t> = kI8;
template <>
inline constexpr Type kTypeOf<int16_t> = kI16;
template <>
inline constexpr Type kTypeOf<int32_t> = kI32;
template <>
inline constexpr Type kTypeOf<int64_t> = kI64;
template <>
inline constexpr Type kTypeOf<double> = kF64;

// splitmix64: the tests' own stream, the same on every platform.
struct Random {
  uint64_t state;
  uint64_t next() {
    uint64_t z = (state += 0x9e3779b97f4a7c15ull);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
  }
  double uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }
  double uniform(double a, double b) { return a + (b - a) * uniform(); }
};

// |got - want| in units of the last place of want, as T sees it; want is computed more precisely.
template <class T>
double ulps(T got, long double want) {
  T w = static_cast<T>(want);
  if (std::isnan(w) || std::isnan(got)) return std::isnan(w) && std::isnan(got) ? 0 : 1e9;
  if (std::isinf(w) || std::isinf(got)) {
    if (w == got) return 0;
    // One ulp around the overflow threshold is no error.
    long double big = std::numeric_limits<T>::max();
    return std::fabs(want) < big * 1.0000003L &&
                   std::fabs(static_cast<long double>(got)) >= big * 0.9999997L
               ? 1
               : 1e9;
  }
  int e = w == 0 ? std::numeric_limits<T>::min_exponent - 1 : std::ilogb(w);
  if (e < std::numeric_limits<T>::min_exponent - 1) e = std::numeric_limits<T>::min_exponent - 1;
  return static_cast<double>(std::fabs(static_cast<long double>(got) - want) /
                             std::ldexp(1.0L, e - std::numeric_limits<T>::digits + 1));
}

inline LoopFn loop(const KernelTable& t, Loop l, Type type) {
  return t.map[static_cast<int>(l)][type];
}

}  // namespace d2l::test
