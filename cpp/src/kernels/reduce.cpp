// Reductions without an index: pairwise, in any direction, at memory speed.
//
// The one idea: every reduction is "rows of vectors into one row of vectors". Rows are combined
// eight at a time as a tree, the results by a binary cascade, so that the error of a sum grows with
// log n. Reducing along contiguous memory makes each vector a row and folds the lanes at the end;
// anything else is gathered into rows first. The order depends on n and the strides alone.
#include "kernels/copy2d.h"
#include "kernels/map.h"
#include "kernels/math_float.h"

namespace d2l::D2L_ISA_NS {
namespace {

constexpr int kGroup = 8;        // rows per tree
constexpr int kMaxVectors = 16;  // columns at a time, in vectors: accumulators stay in L1
constexpr int kLevels = 48;

// What an op says: T elements, A accumulator lanes (as wide as T), Out the result's element.
template <class T>
struct SumOp {
  using Elem = T;
  using Acc = T;
  using Out = T;
  static constexpr bool kLong = false;
  double p;
  static Vec<T> identity() { return Vec<T>{}; }
  D2L_INLINE Vec<T> map(Vec<T> x) const { return x; }
  static D2L_INLINE Vec<T> combine(Vec<T> a, Vec<T> b) { return a + b; }
  static D2L_INLINE Out finish(T a) { return a; }
};
template <class T>
struct ProdOp : SumOp<T> {
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
  static Vec<T> identity() { return splat(Limits<T>::lowest()); }
  static D2L_INLINE Vec<T> combine(Vec<T> a, Vec<T> b) { return (a > b) | (a != a) ? a : b; }
};
template <class T>
struct MinOp : SumOp<T> {
  static Vec<T> identity() { return splat(Limits<T>::highest()); }
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
  static constexpr bool kLong = false;
  double p;
  static VInt<T> identity() { return VInt<T>{}; }
  D2L_INLINE VInt<T> map(Vec<T> x) const { return x != Vec<T>{}; }
  static D2L_INLINE VInt<T> combine(VInt<T> a, VInt<T> b) { return a | b; }
  static D2L_INLINE Out finish(Acc a) { return a != 0; }
};
template <class T>
struct AllOp : AnyOp<T> {
  static VInt<T> identity() { return ~VInt<T>{}; }
  static D2L_INLINE VInt<T> combine(VInt<T> a, VInt<T> b) { return a & b; }
};

// The state of one block of columns: combined rows, one per set bit of `groups`.
template <class Op>
struct Cascade {
  using T = typename Op::Elem;
  using A = Vec<typename Op::Acc>;
  Op op;
  int vectors;
  uint64_t groups;
  A total[kMaxVectors];
  A level[kLevels * kMaxVectors];

  // Rows at p, one vector row every `stride` bytes; only the last call may bring a ragged number.
  __attribute__((noinline, noclone)) void push(const char* p, int64_t stride, int64_t rows) {
    int64_t i = 0;
    A t[kMaxVectors];
    for (; i + kGroup <= rows; i += kGroup, p += kGroup * stride) {
#pragma GCC unroll 1
      for (int v = 0; v < vectors; ++v) {
        A x[kGroup];
        const char* q = p + v * kVecBytes;
        if constexpr (Op::kLong) {  // a long map stands in the code once
#pragma GCC unroll 1
          for (int k = 0; k < kGroup; ++k, q += stride) x[k] = op.map(load<T>(q));
        } else {
#pragma GCC unroll 8
          for (int k = 0; k < kGroup; ++k, q += stride) x[k] = op.map(load<T>(q));
        }
        t[v] = Op::combine(Op::combine(Op::combine(x[0], x[1]), Op::combine(x[2], x[3])),
                           Op::combine(Op::combine(x[4], x[5]), Op::combine(x[6], x[7])));
      }
      A* at = level;
      for (uint64_t bit = 1; groups & bit; bit <<= 1, at += vectors) {
#pragma GCC unroll 1
        for (int v = 0; v < vectors; ++v) t[v] = Op::combine(at[v], t[v]);
      }
#pragma GCC unroll 1
      for (int v = 0; v < vectors; ++v) at[v] = t[v];
      ++groups;
    }
#pragma GCC unroll 1
    for (int v = 0; v < vectors; ++v) total[v] = Op::identity();
    for (; i < rows; ++i, p += stride) {
#pragma GCC unroll 1
      for (int v = 0; v < vectors; ++v) {
        total[v] = Op::combine(total[v], op.map(load<T>(p + v * kVecBytes)));
      }
    }
  }
  // The last row, `count` elements of it.
  __attribute__((noinline, noclone)) void push_part(const char* p, int64_t count) {
    using Acc = typename Op::Acc;
    for (int v = 0; count > 0; ++v, count -= kLanes<T>, p += kVecBytes) {
      if (count >= kLanes<T>) {
        total[v] = Op::combine(total[v], op.map(load<T>(p)));
        continue;
      }
      A mapped = op.map(load_part<T>(reinterpret_cast<const T*>(p), count, Vec<T>{}));
      total[v] = Op::combine(
          total[v], load_part<Acc>(reinterpret_cast<Acc*>(&mapped), count, Op::identity()));
    }
  }
  __attribute__((noinline, noclone)) void finish() {
    A* at = level;
    for (uint64_t bits = groups; bits; bits >>= 1, at += vectors) {
      if (!(bits & 1)) continue;
#pragma GCC unroll 1
      for (int v = 0; v < vectors; ++v) total[v] = Op::combine(at[v], total[v]);
    }
  }
};

// Folds the lanes of v to kPair of them.
template <class Op, int kPair>
__attribute__((noinline, noclone)) Vec<typename Op::Acc> fold(Vec<typename Op::Acc> v) {
  constexpr int kCount = kLanes<typename Op::Acc>;
  VInt<typename Op::Acc> lane;
  for (int i = 0; i < kCount; ++i) lane[i] = static_cast<IntOf<typename Op::Acc>>(i);
#pragma GCC unroll 8
  for (int s = kCount / 2; s >= kPair; s /= 2) {
    auto from = (lane + static_cast<IntOf<typename Op::Acc>>(s)) &
                static_cast<IntOf<typename Op::Acc>>(kCount - 1);
    v = Op::combine(v, __builtin_shuffle(v, from));
  }
  return v;
}

// kPair is 2 for the sum of complex numbers, pairs of lanes; else 1.
template <class Op, int kPair = 1>
void reduce(const ReduceArgs* args) {
  using T = typename Op::Elem;
  using Out = typename Op::Out;
  constexpr int64_t kItem = sizeof(T) * kPair, kPer = kVecBytes / kItem;
  const ReduceArgs& a = *args;
  alignas(64) char buffer[64 * kMaxVectors * 8];
  Cascade<Op> state;
  state.op.p = a.p;
  state.vectors = 1;
  auto write = [&](int64_t j, const typename Op::Acc* lanes) {
    Out* out = reinterpret_cast<Out*>(a.out + j * a.out_stride);
    for (int k = 0; k < kPair; ++k) out[k] = Op::finish(lanes[k]);
  };

  // Short contiguous rows: a few vectors each, folded at once.
  if (a.in_stride == kItem && a.n < 4 * kPer && a.n * 4 > kPer) {
    using Acc = typename Op::Acc;
    const int64_t full = a.n / kPer, rest = a.n % kPer * kPair;
    for (int64_t j = 0; j < a.m; ++j) {
      const char* p = a.in + j * a.keep_stride;
      Vec<Acc> acc = Op::identity();
      if (rest) {
        const char* q = p + full * kVecBytes;
        Vec<Acc> v = state.op.map(load_part<T>(reinterpret_cast<const T*>(q), rest, Vec<T>{}));
        acc = load_part<Acc>(reinterpret_cast<Acc*>(&v), rest, acc);
      }
      for (int64_t i = 0; i < full; ++i, p += kVecBytes) {
        acc = Op::combine(acc, state.op.map(load<T>(p)));
      }
      alignas(64) Acc lanes[kLanes<Acc>];
      store(lanes, fold<Op, kPair>(acc));
      write(j, lanes);
    }
    return;
  }
  if (a.n >= 4 * kPer && a.n >= 32 && (a.in_stride == kItem || a.keep_stride != kItem)) {
    // Long rows are read four vectors at a time.
    state.vectors = a.n >= 16 * kPer ? 4 : 1;
    const int64_t row = state.vectors * kVecBytes, per = row / kItem;
    for (int64_t j = 0; j < a.m; ++j) {
      const char* p = a.in + j * a.keep_stride;
      state.groups = 0;
      if (a.in_stride == kItem) {
        const int64_t rows = state.vectors == 4 ? a.n / (4 * kPer) : a.n / kPer,
                      rest = a.n - rows * per;
        state.push(p, row, rows);
        if (rest) state.push_part(p + rows * row, rest * kPair);
      } else {
        constexpr int64_t kBlock = sizeof buffer / kItem;
        for (int64_t i = 0; i < a.n; i += kBlock) {
          int64_t c = a.n - i < kBlock ? a.n - i : kBlock;
          copy2d(buffer, kItem, 0, p + i * a.in_stride, a.in_stride, 0, c, 1, kItem);
          state.push(buffer, row, c / per);
          if (c % per) state.push_part(buffer + c / per * row, c % per * kPair);
        }
      }
      state.finish();
      alignas(64) typename Op::Acc lanes[kLanes<typename Op::Acc>];
      auto all = state.total[0];
      if (state.vectors == 4) {
        all = Op::combine(Op::combine(all, state.total[1]),
                          Op::combine(state.total[2], state.total[3]));
      }
      store(lanes, fold<Op, kPair>(all));
      write(j, lanes);
    }
    return;
  }

  constexpr int64_t kColumns = kPer * kMaxVectors;
  for (int64_t j = 0; j < a.m;) {
    int64_t c = a.m - j < kColumns ? a.m - j : kColumns;
    const char* p = a.in + j * a.keep_stride;
    state.groups = 0;
    if (a.keep_stride == kItem && c >= kPer) {
      c = c / kPer * kPer;
      state.vectors = static_cast<int>(c / kPer);
      state.push(p, a.in_stride, a.n);
    } else {
      state.vectors = static_cast<int>((c + kPer - 1) / kPer);
      const int64_t pitch = state.vectors * kVecBytes;
      const int64_t rows = static_cast<int64_t>(sizeof buffer) / pitch / kGroup * kGroup;
      for (int64_t i = 0; i < a.n; i += rows) {
        int64_t r = a.n - i < rows ? a.n - i : rows;
        copy2d(buffer, kItem, pitch, p + i * a.in_stride, a.keep_stride, a.in_stride, c, r, kItem);
        state.push(buffer, pitch, r);
      }
    }
    state.finish();
    const auto* lanes = reinterpret_cast<const typename Op::Acc*>(state.total);
    for (int64_t k = 0; k < c; ++k) write(j + k, lanes + k * kPair);
    j += c;
  }
}

// Complex rows other than the sum: one after the other.
template <class T, Reduce kKind>
void reduce_complex(const ReduceArgs* a) {
  for (int64_t j = 0; j < a->m; ++j) {
    T re = 1, im = 0;
    int64_t count = 0;
    for (int64_t i = 0; i < a->n; ++i) {
      const T* x = reinterpret_cast<const T*>(a->in + j * a->keep_stride + i * a->in_stride);
      if constexpr (kKind == Reduce::prod) {
        T r = re * x[0] - im * x[1];
        im = re * x[1] + im * x[0];
        re = r;
      } else {
        count += (x[0] != T(0)) | (x[1] != T(0));
      }
    }
    char* out = a->out + j * a->out_stride;
    if constexpr (kKind == Reduce::any || kKind == Reduce::all) {
      *reinterpret_cast<uint8_t*>(out) = kKind == Reduce::any ? count > 0 : count == a->n;
    } else {
      reinterpret_cast<T*>(out)[0] = kKind == Reduce::prod ? re : static_cast<T>(count);
      reinterpret_cast<T*>(out)[1] = kKind == Reduce::prod ? im : T(0);
    }
  }
}

inline ReduceFn& at(KernelTable& t, Reduce r, Type type) {
  return t.reduce[static_cast<int>(r)][type];
}
template <class T>
void set_common(KernelTable& t, Type type) {
  at(t, Reduce::sum, type) = reduce<SumOp<T>>;
  at(t, Reduce::prod, type) = reduce<ProdOp<T>>;
  at(t, Reduce::max, type) = reduce<MaxOp<T>>;
  at(t, Reduce::min, type) = reduce<MinOp<T>>;
  at(t, Reduce::any, type) = reduce<AnyOp<T>>;
  at(t, Reduce::all, type) = reduce<AllOp<T>>;
}
template <class T>
void set_norms(KernelTable& t, Type type) {
  at(t, Reduce::count_nonzero, type) = reduce<CountOp<T>>;
  at(t, Reduce::sum_abs, type) = reduce<SumAbsOp<T>>;
  at(t, Reduce::sum_square, type) = reduce<SumSquareOp<T>>;
  at(t, Reduce::sum_pow, type) = reduce<SumPowOp<T>>;
  at(t, Reduce::max_abs, type) = reduce<MaxAbsOp<T>>;
  at(t, Reduce::min_abs, type) = reduce<MinAbsOp<T>>;
}
template <class T>
void set_complex(KernelTable& t, Type type) {
  at(t, Reduce::sum, type) = reduce<SumOp<T>, 2>;
  at(t, Reduce::prod, type) = reduce_complex<T, Reduce::prod>;
  at(t, Reduce::any, type) = reduce_complex<T, Reduce::any>;
  at(t, Reduce::all, type) = reduce_complex<T, Reduce::all>;
  at(t, Reduce::count_nonzero, type) = reduce_complex<T, Reduce::count_nonzero>;
}

}  // namespace

void fill_reduce(KernelTable& t) {
  set_common<uint8_t>(t, kU8);
  set_common<int8_t>(t, kI8);
  set_common<int16_t>(t, kI16);
  set_common<int32_t>(t, kI32);
  set_common<int64_t>(t, kI64);
  set_common<float>(t, kF32);
  set_common<double>(t, kF64);
  set_norms<float>(t, kF32);
  set_norms<double>(t, kF64);
  set_complex<float>(t, kC64);
  set_complex<double>(t, kC128);
  // Bool: the sum is "any", the product "all".
  for (int r = 0; r < kReduceCount; ++r) t.reduce[r][kBool] = nullptr;
  at(t, Reduce::sum, kBool) = at(t, Reduce::any, kBool) = at(t, Reduce::any, kU8);
  at(t, Reduce::prod, kBool) = at(t, Reduce::all, kBool) = at(t, Reduce::all, kU8);
  at(t, Reduce::max, kBool) = at(t, Reduce::max, kU8);
  at(t, Reduce::min, kBool) = at(t, Reduce::min, kU8);
  at(t, Reduce::sum, kU8) = at(t, Reduce::sum, kI8);
  at(t, Reduce::prod, kU8) = at(t, Reduce::prod, kI8);
  at(t, Reduce::any, kI8) = at(t, Reduce::any, kU8);
  at(t, Reduce::all, kI8) = at(t, Reduce::all, kU8);
}

}  // namespace d2l::D2L_ISA_NS
