// What a reduction does to elements, and contiguous elements reduced in registers.
//
// The one idea: eight accumulators hide the latency of an addition, and reading in the order of
// memory keeps the prefetchers at work. Extremes first look away from NaN, which is one instruction
// instead of three; a block in which x * 0 was not 0 somewhere (NaN, or infinite) is done again.
#pragma once

#include "kernels/map.h"
#include "kernels/row_parts.h"

namespace d2l::D2L_ISA_NS {
namespace {

constexpr int kGroup = 8;  // accumulators
constexpr int kLevels = 48;

// What an op says: T elements, A accumulator lanes (as wide as T), Out the result's element; kPlain
// where that is the lane itself; kNeutral an element whose map is the identity.
template <class T>
struct SumOp {
  using Elem = T;
  using Acc = T;
  using Out = T;
  static constexpr bool kLong = false, kChecked = false, kPlain = true;
  static constexpr T kNeutral = T(0);
  double p;
  static Vec<T> identity() { return Vec<T>{}; }
  D2L_INLINE Vec<T> map(Vec<T> x) const { return x; }
  static D2L_INLINE Vec<T> combine(Vec<T> a, Vec<T> b) { return a + b; }
  static D2L_INLINE Out finish(T a) { return a; }
};
template <class T>
struct ProdOp : SumOp<T> {
  static constexpr T kNeutral = T(1);
  static Vec<T> identity() { return Vec<T>{} + T(1); }
  static D2L_INLINE Vec<T> combine(Vec<T> a, Vec<T> b) { return a * b; }
};
template <class T>
struct Limits {
  static constexpr bool kFloating = T(0.5) != T(0);
  static constexpr T lowest() {
    if constexpr (kFloating)
      return -T(__builtin_inf());
    else if constexpr (T(-1) < T(0))
      return T(uint64_t(1) << (8 * sizeof(T) - 1));
    else
      return T(0);
  }
  static constexpr T highest() {
    if constexpr (kFloating)
      return T(__builtin_inf());
    else
      return T(~lowest());
  }
};
template <class T>
struct MaxOp : SumOp<T> {
  static constexpr T kNeutral = Limits<T>::lowest();
  static constexpr bool kChecked = Limits<T>::kFloating;
  static Vec<T> identity() { return splat(Limits<T>::lowest()); }
  static D2L_INLINE Vec<T> combine_numbers(Vec<T> a, Vec<T> b) { return at_least(a, b); }
  static D2L_INLINE Vec<T> combine(Vec<T> a, Vec<T> b) { return (a > b) | (a != a) ? a : b; }
};
template <class T>
struct MinOp : SumOp<T> {
  static constexpr T kNeutral = Limits<T>::highest();
  static constexpr bool kChecked = Limits<T>::kFloating;
  static Vec<T> identity() { return splat(Limits<T>::highest()); }
  static D2L_INLINE Vec<T> combine_numbers(Vec<T> a, Vec<T> b) { return at_most(a, b); }
  static D2L_INLINE Vec<T> combine(Vec<T> a, Vec<T> b) { return (a < b) | (a != a) ? a : b; }
};
template <class T>
struct SumAbsOp : SumOp<T> {
  D2L_INLINE Vec<T> map(Vec<T> x) const { return abs(x); }
};
template <class T>
struct SumSquareOp : SumOp<T> {
  D2L_INLINE Vec<T> map(Vec<T> x) const { return x * x; }
};
template <class T>
struct SumPowOp : SumOp<T> {
  static constexpr bool kLong = true;
  D2L_INLINE Vec<T> map(Vec<T> x) const { return pow(abs(x), splat(T(this->p))); }
};
template <class T>
struct CountOp : SumOp<T> {
  D2L_INLINE Vec<T> map(Vec<T> x) const { return x != Vec<T>{} ? Vec<T>{} + 1 : Vec<T>{}; }
};
template <class T>
struct MaxAbsOp : MaxOp<T> {
  static constexpr T kNeutral = T(0);
  static Vec<T> identity() { return Vec<T>{}; }
  D2L_INLINE Vec<T> map(Vec<T> x) const { return abs(x); }
};
template <class T>
struct MinAbsOp : MinOp<T> {
  D2L_INLINE Vec<T> map(Vec<T> x) const { return abs(x); }
};
template <class T>
struct AnyOp {
  using Elem = T;
  using Acc = IntOf<T>;
  using Out = uint8_t;
  static constexpr bool kLong = false, kChecked = false, kPlain = false;
  static constexpr T kNeutral = T(0);
  double p;
  static VInt<T> identity() { return VInt<T>{}; }
  D2L_INLINE VInt<T> map(Vec<T> x) const { return x != Vec<T>{}; }
  static D2L_INLINE VInt<T> combine(VInt<T> a, VInt<T> b) { return a | b; }
  static D2L_INLINE Out finish(Acc a) { return a != 0; }
};
template <class T>
struct AllOp : AnyOp<T> {
  static constexpr T kNeutral = T(1);
  static VInt<T> identity() { return ~VInt<T>{}; }
  static D2L_INLINE VInt<T> combine(VInt<T> a, VInt<T> b) { return a & b; }
};

// Combines; kNumbers: looks away from NaN, which a check of the whole block makes up for.
template <class Op, bool kNumbers, class A>
D2L_INLINE A joined(A a, A b) {
  if constexpr (kNumbers) {
    return Op::combine_numbers(a, b);
  } else {
    return Op::combine(a, b);
  }
}
// Runs body(true_type or false_type), which returns vectors that are 0 where it saw only numbers.
template <bool kNumbers>
struct Numbers {
  static constexpr bool value = kNumbers;
};
template <class Op, class Body>
D2L_INLINE void with_check(Body body) {
  if constexpr (Op::kChecked) {
    if (__builtin_expect(!any(body(Numbers<true>{}) != Vec<typename Op::Acc>{}), 1)) return;
  }
  body(Numbers<false>{});
}

// kGroup accumulators: number k takes every kGroup-th of 8 * groups contiguous vectors.
template <class Op>
__attribute__((noinline, noclone)) void reduce_block(const Op* op, const char* p, int64_t groups,
                                                     Vec<typename Op::Acc>* out) {
  using A = Vec<typename Op::Acc>;
  using T = typename Op::Elem;
  with_check<Op>([&](auto numbers) __attribute__((always_inline)) {
    constexpr bool kNumbers = decltype(numbers)::value;
    A x[kGroup], seen[2] = {};
#pragma GCC unroll 8
    for (int k = 0; k < kGroup; ++k) x[k] = Op::identity();
    const char* q = p;
    for (int64_t g = 0; g < groups; ++g, q += kGroup * kVecBytes) {
      auto take = [&](int k) __attribute__((always_inline)) {
        const A v = op->map(load<T>(q + k * kVecBytes));
        x[k] = joined<Op, kNumbers>(x[k], v);
        if constexpr (kNumbers) seen[k & 1] = fma(v, A{}, seen[k & 1]);
      };
      if constexpr (Op::kLong) {  // a long map stands in the code once
#pragma GCC unroll 1
        for (int k = 0; k < kGroup; ++k) take(k);
      } else {
#pragma GCC unroll 8
        for (int k = 0; k < kGroup; ++k) take(k);
      }
    }
#pragma GCC unroll 8
    for (int k = 0; k < kGroup; ++k) out[k] = x[k];
    return seen[0] + seen[1];
  });
}
template <class Op>
D2L_INLINE Vec<typename Op::Acc> tree(const Vec<typename Op::Acc>* x) {
  return Op::combine(Op::combine(Op::combine(x[0], x[1]), Op::combine(x[2], x[3])),
                     Op::combine(Op::combine(x[4], x[5]), Op::combine(x[6], x[7])));
}
// `count` contiguous elements to one vector: blocks, whose results a binary cascade combines; what
// is left over goes to the accumulators of the last one.
template <class Op>
__attribute__((noinline, noclone)) Vec<typename Op::Acc> reduce_stream(const Op* op, const char* p,
                                                                       int64_t count) {
  using A = Vec<typename Op::Acc>;
  using T = typename Op::Elem;
  constexpr int64_t kBlock = 8 * kGroup;
  A level[kLevels];
  uint64_t blocks = 0;
  int64_t vectors = count / kLanes<T>;
  for (; vectors >= kBlock; vectors -= kBlock, p += kBlock * kVecBytes) {
    A x[kGroup];
    reduce_block(op, p, kBlock / kGroup, x);
    A t = tree<Op>(x);
    A* at = level;
    for (uint64_t bit = 1; blocks & bit; bit <<= 1, ++at) t = Op::combine(*at, t);
    *at = t;
    ++blocks;
  }
  A x[kGroup];
  reduce_block(op, p, vectors / kGroup, x);
  p += vectors / kGroup * kGroup * kVecBytes;
  for (int64_t k = 0; k < vectors % kGroup; ++k, p += kVecBytes) {
    x[k] = Op::combine(x[k], op->map(load<T>(p)));
  }
  if (const int64_t rest = count % kLanes<T>) {
    const A v = op->map(load_part<T>(reinterpret_cast<const T*>(p), rest, Vec<T>{}));
    x[7] = Op::combine(x[7], first_of<typename Op::Acc>(v, rest, Op::identity()));
  }
  A total = tree<Op>(x);
  const A* at = level;
  for (uint64_t bits = blocks; bits; bits >>= 1, ++at) {
    if (bits & 1) total = Op::combine(*at, total);
  }
  return total;
}

// Folds the lanes of v to kPair of them: neighbours first.
template <class Op, int kPair>
__attribute__((noinline, noclone)) Vec<typename Op::Acc> fold(Vec<typename Op::Acc> v) {
  using Acc = typename Op::Acc;
  constexpr int kCount = kLanes<Acc>;
  VInt<Acc> lane;
  for (int i = 0; i < kCount; ++i) lane[i] = static_cast<IntOf<Acc>>(i);
#pragma GCC unroll 8
  for (int s = kPair; s < kCount; s *= 2) {
    const auto from = (lane + static_cast<IntOf<Acc>>(s)) & static_cast<IntOf<Acc>>(kCount - 1);
    v = Op::combine(v, __builtin_shuffle(v, from));
  }
  return v;
}
// Folds as many vectors as each has lanes, in that order: lane r of the result is row r.
template <class Op, int kBit = 1>
D2L_INLINE Vec<typename Op::Acc> fold_square(Vec<typename Op::Acc>* row) {
  using Acc = typename Op::Acc;
  if constexpr (kBit < kLanes<Acc>) {
#pragma GCC unroll 64
    for (int r = 0; r < kLanes<Acc>; r += 2 * kBit) {
      exchange<Acc, kBit>(row[r], row[r + kBit]);
      row[r] = Op::combine(row[r], row[r + kBit]);
    }
    return fold_square<Op, 2 * kBit>(row);
  }
  return row[0];
}

}  // namespace
}  // namespace d2l::D2L_ISA_NS
