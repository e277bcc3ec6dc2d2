// What the row kernels share: pairwise sums, horizontal folds, and loads and stores of a row's
// rest.
#pragma once

#include "kernels/math_float.h"

namespace d2l::D2L_ISA_NS {
namespace {

// Adds vectors pairwise, as they come.
template <class V>
struct Pairwise {
  V level[48];
  uint64_t count = 0;
  D2L_INLINE void add(V x) {
    V* at = level;
    for (uint64_t bit = 1; count & bit; bit <<= 1, ++at) x = *at + x;
    *at = x;
    ++count;
  }
  D2L_INLINE V total() const {
    V sum{};
    const V* at = level;
    for (uint64_t bits = count; bits; bits >>= 1, ++at) {
      if (bits & 1) sum = *at + sum;
    }
    return sum;
  }
};

template <class T, class Op>
D2L_INLINE T fold(Vec<T> v, Op op) {
  constexpr int kCount = kLanes<T>;
  VInt<T> lane;
  for (int i = 0; i < kCount; ++i) lane[i] = i;
#pragma GCC unroll 8
  for (int s = kCount / 2; s >= 1; s /= 2) v = op(v, __builtin_shuffle(v, lane ^ s));
  return v[0];
}
template <class T>
D2L_INLINE T fold_sum(Vec<T> v) {
  return fold<T>(v, [](Vec<T> a, Vec<T> b) { return a + b; });
}
template <class T>
D2L_INLINE Vec<T> greater_of(Vec<T> a, Vec<T> b) {
  return (a > b) | (a != a) ? a : b;
}

// Calls whole(i) for every full vector of a row and part(i, count) for its rest.
template <class T, class Whole, class Part>
D2L_INLINE void sweep(int64_t n, Whole whole, Part part) {
  int64_t i = 0;
  for (; i + kLanes<T> <= n; i += kLanes<T>) whole(i);
  if (i < n) part(i, n - i);
}

// The sum of f(vector), pairwise: groups of four, then a cascade. f(i, count) masks the rest
// itself.
template <class T, class F>
D2L_INLINE T row_sum(int64_t n, F f) {
  using V = Vec<T>;
  constexpr int64_t kPer = kLanes<T>;
  if (n <= 4 * kPer) {
    V sum{};
    for (int64_t i = 0; i < n; i += kPer) sum = sum + f(i, n - i < kPer ? n - i : kPer);
    return fold_sum<T>(sum);
  }
  Pairwise<V> cascade;
  int64_t i = 0;
  for (; i + 4 * kPer <= n; i += 4 * kPer) {
    const V a = f(i, kPer), b = f(i + kPer, kPer), c = f(i + 2 * kPer, kPer);
    cascade.add((a + b) + (c + f(i + 3 * kPer, kPer)));
  }
  if (i < n) {
    V sum{};
    for (; i < n; i += kPer) sum = sum + f(i, n - i < kPer ? n - i : kPer);
    cascade.add(sum);
  }
  return fold_sum<T>(cascade.total());
}
// Calls f(i, count) for every vector of a row: whole ones, then its rest.
template <class T, class F>
D2L_INLINE void each_vector(int64_t n, F f) {
  constexpr int64_t kPer = kLanes<T>;
  int64_t i = 0;
  for (; i + 4 * kPer <= n; i += 4 * kPer) {
#pragma GCC unroll 4
    for (int64_t k = 0; k < 4; ++k) f(i + k * kPer, kPer);
  }
  for (; i < n; i += kPer) f(i, n - i < kPer ? n - i : kPer);
}
// The first n lanes of v, the others from rest.
template <class T>
D2L_INLINE Vec<T> first_of(Vec<T> v, int64_t n, Vec<T> rest) {
  VInt<T> lane;
  for (int i = 0; i < kLanes<T>; ++i) lane[i] = static_cast<IntOf<T>>(i);
  return lane < static_cast<IntOf<T>>(n) ? v : rest;
}

template <class T>
D2L_INLINE Vec<T> get(const T* p, int64_t count, Vec<T> rest) {
  return count == kLanes<T> ? load<T>(p) : load_part(p, count, rest);
}
template <class T>
D2L_INLINE void put(T* p, Vec<T> v, int64_t count) {
  if (count == kLanes<T>) {
    store(p, v);
  } else {
    store_part(p, v, count);
  }
}

// top + log(sum), in double: two roundings at the size of the result would show.
D2L_INLINE VF log_sum(VF top, VF sum) {
  return widened([](VD t, VD s) __attribute__((always_inline)) { return t + log(s); }, top, sum);
}
D2L_INLINE VD log_sum(VD top, VD sum) { return top + log(sum); }

}  // namespace
}  // namespace d2l::D2L_ISA_NS
