// From an op on a few elements to a table entry for any strides.
//
// The one idea: an op is a Step, code for kStep contiguous elements. core() runs it over contiguous
// memory, the tail through padded copies, so that every element meets the same instructions.
// drive() (map_drive.cpp, compiled once) brings everything else into that form: it gathers strided
// or broadcast operands into small buffers tile by tile, and scatters the result.
#pragma once

#include "core/kernel_table.h"
#include "kernels/vec.h"

namespace d2l::D2L_ISA_NS {

inline constexpr int kMaxOperands = 6;

// `n` contiguous elements of every operand.
using CoreFn = void (*)(char* const* ptr, int64_t n, const Scalars* scalars);

// `steps` whole steps, operand k moving by increments[k] bytes after each: 0 for one that is
// broadcast and points to one step of copies.
using StepsFn = void (*)(char* const* ptr, const int64_t* increments, int64_t steps,
                         const Scalars* scalars);

struct CoreInfo {
  CoreFn core;
  int operands, outputs;
  bool inout;  // the outputs are inputs too (optimisers)
  uint8_t size[kMaxOperands];
  StepsFn steps;  // of two inputs and an output; null for ops that are not worth the code
  int64_t step;   // elements of a step
};
void drive(const CoreInfo& info, char* const* ptr, const int64_t* strides, int64_t n, int64_t m,
           const Scalars* scalars);

namespace {

template <class A, class... B>
constexpr int max_size() {
  int s = sizeof(A);
  ((s = static_cast<int>(sizeof(B)) > s ? static_cast<int>(sizeof(B)) : s), ...);
  return s;
}

// A tail's way into its pad and back. Whole vectors are stored into the pad, because a masked store
// is not forwarded to the load that follows.
D2L_INLINE void fill_pad(char* pad, const char* from, int64_t n) {
#if D2L_AVX512
  for (; n > 64; n -= 64, pad += 64, from += 64) {
    _mm512_store_si512(pad, _mm512_loadu_si512(from));
  }
  _mm512_store_si512(pad,
                     _mm512_maskz_loadu_epi8(_bzhi_u64(~0ull, static_cast<unsigned>(n)), from));
#else
  copy_bytes(pad, from, n);
#endif
}
D2L_INLINE void drain_pad(char* to, const char* pad, int64_t n) {
#if D2L_AVX512
  for (; n > 64; n -= 64, pad += 64, to += 64) _mm512_storeu_si512(to, _mm512_load_si512(pad));
  _mm512_mask_storeu_epi8(to, _bzhi_u64(~0ull, static_cast<unsigned>(n)), _mm512_load_si512(pad));
#else
  copy_bytes(to, pad, n);
#endif
}

// S has: kOperands, kOutputs, kInout, kSize[], kStep, S(const Scalars&), operator()(char* const*
// p).
template <class S>
void core(char* const* ptr, int64_t n, const Scalars* scalars) {
  S step(*scalars);
  char* p[S::kOperands];
#pragma GCC unroll 8
  for (int k = 0; k < S::kOperands; ++k) p[k] = ptr[k];
  alignas(64) char pad[S::kOperands][(S::kStep * S::kMaxSize + 63) / 64 * 64];
  int64_t blocks = static_cast<uint64_t>(n) / S::kStep, rest = n & (S::kStep - 1);
  char* home[S::kOutputs] = {};
  for (bool tail = false;;) {
    for (; blocks > 0; --blocks) {
      step(p);
#pragma GCC unroll 8
      for (int k = 0; k < S::kOperands; ++k) p[k] += S::kStep * S::kSize[k];
    }
    if (tail) break;
    if (rest == 0) return;
    tail = true;
    blocks = 1;
    // Outputs first remember where they belong; then every input is padded.
#pragma GCC unroll 8
    for (int k = 0; k < S::kOperands; ++k) {
      if (k < S::kOutputs) home[k] = p[k];
      if (k >= S::kOutputs || S::kInout) fill_pad(pad[k], p[k], rest * S::kSize[k]);
      p[k] = pad[k];
    }
  }
#pragma GCC unroll 8
  for (int k = 0; k < S::kOutputs; ++k) drain_pad(home[k], pad[k], rest * S::kSize[k]);
}

template <class S>
void steps(char* const* ptr, const int64_t* increments, int64_t count, const Scalars* scalars) {
  static_assert(S::kOperands == 3);
  S step(*scalars);
  char* p[3] = {ptr[0], ptr[1], ptr[2]};
  const int64_t a = increments[0], b = increments[1], c = increments[2];
  for (; count > 0; --count, p[0] += a, p[1] += b, p[2] += c) step(p);
}

template <class S, bool kSteps = false>
void entry(char* const* ptr, const int64_t* strides, int64_t n, int64_t m, const Scalars* scalars) {
  static constexpr CoreInfo kInfo = [] {
    CoreInfo info{core<S>, S::kOperands, S::kOutputs, S::kInout, {}, nullptr, S::kStep};
    if constexpr (kSteps) info.steps = steps<S>;
    for (int k = 0; k < S::kOperands; ++k) info.size[k] = static_cast<uint8_t>(S::kSize[k]);
    return info;
  }();
  drive(kInfo, ptr, strides, n, m, scalars);
}

// One output O and inputs I...; Op works on one element and the compiler vectorises the short loop.
template <class Op, class O, class... I>
struct Simple {
  static constexpr int kOperands = 1 + sizeof...(I), kOutputs = 1;
  static constexpr bool kInout = false;
  static constexpr int kSize[] = {sizeof(O), sizeof(I)...};
  static constexpr int kMaxSize = max_size<O, I...>();
  // Whole vectors of the widest operand, and enough elements for the narrow ones to vectorise.
  static constexpr int kWide = kVecBytes / kMaxSize;
  static constexpr int kStep = kMaxSize == 16 ? 4 : kWide > 8 ? kWide : kMaxSize == 8 ? 8 : 16;
  Op op;
  explicit Simple(const Scalars& s) : op(make(s)) {}
  static Op make(const Scalars& s) {
    if constexpr (__is_constructible(Op, const Scalars&)) {
      return Op(s);
    } else {
      return Op{};
    }
  }
  D2L_INLINE void operator()(char* const* p) const {
    O* out = reinterpret_cast<O*>(p[0]);
    if constexpr (sizeof...(I) == 0) {
#pragma GCC ivdep
#pragma GCC unroll 1
      for (int j = 0; j < kStep; ++j) out[j] = op();
    } else {
      run_inputs<I...>(out, p);
    }
  }
  template <class A>
  D2L_INLINE void run_inputs(O* out, char* const* p) const {
    const A* a = reinterpret_cast<const A*>(p[1]);
#pragma GCC ivdep
#pragma GCC unroll 1
    for (int j = 0; j < kStep; ++j) out[j] = op(a[j]);
  }
  template <class A, class B>
  D2L_INLINE void run_inputs(O* out, char* const* p) const {
    const A* a = reinterpret_cast<const A*>(p[1]);
    const B* b = reinterpret_cast<const B*>(p[2]);
#pragma GCC ivdep
#pragma GCC unroll 1
    for (int j = 0; j < kStep; ++j) out[j] = op(a[j], b[j]);
  }
  template <class A, class B, class C>
  D2L_INLINE void run_inputs(O* out, char* const* p) const {
    const A* a = reinterpret_cast<const A*>(p[1]);
    const B* b = reinterpret_cast<const B*>(p[2]);
    const C* c = reinterpret_cast<const C*>(p[3]);
#pragma GCC ivdep
#pragma GCC unroll 1
    for (int j = 0; j < kStep; ++j) out[j] = op(a[j], b[j], c[j]);
  }
};

// One output and kInputs inputs of type T; Op works on whole vectors.
template <class Op, class T, int kInputs>
struct Vector {
  static constexpr int kOperands = 1 + kInputs, kOutputs = 1;
  static constexpr bool kInout = false;
  static constexpr int kSize[] = {sizeof(T), sizeof(T), sizeof(T), sizeof(T)};
  static constexpr int kMaxSize = sizeof(T);
  static constexpr int kStep = kLanes<T>;
  Op op;
  explicit Vector(const Scalars& s) : op(make(s)) {}
  static Op make(const Scalars& s) {
    if constexpr (__is_constructible(Op, const Scalars&)) {
      return Op(s);
    } else {
      return Op{};
    }
  }
  D2L_INLINE void operator()(char* const* p) const {
    if constexpr (kInputs == 1) {
      store(p[0], op(load<T>(p[1])));
    } else if constexpr (kInputs == 2) {
      store(p[0], op(load<T>(p[1]), load<T>(p[2])));
    } else {
      store(p[0], op(load<T>(p[1]), load<T>(p[2]), load<T>(p[3])));
    }
  }
};

// DType's order (d2lcore/dtype.h), which the kernel objects do not include.
enum Type { kBool, kU8, kI8, kI16, kI32, kI64, kHalf, kBF16, kF32, kF64, kC64, kC128 };

template <class T>
struct Complex {
  T re, im;
};

inline LoopFn& slot(KernelTable& t, Loop loop, Type type) {
  return t.map[static_cast<int>(loop)][type];
}

// Simple with kInputs inputs of one type.
template <class Op, class O, class T, int kInputs>
struct SimpleOf;
template <class Op, class O, class T>
struct SimpleOf<Op, O, T, 0> {
  using type = Simple<Op, O>;
};
template <class Op, class O, class T>
struct SimpleOf<Op, O, T, 1> {
  using type = Simple<Op, O, T>;
};
template <class Op, class O, class T>
struct SimpleOf<Op, O, T, 2> {
  using type = Simple<Op, O, T, T>;
};
template <class Op, class O, class T>
struct SimpleOf<Op, O, T, 3> {
  using type = Simple<Op, O, T, T, T>;
};
template <class Op, class O, class T, int kInputs>
inline constexpr LoopFn kSimple = entry<typename SimpleOf<Op, O, T, kInputs>::type>;

// Ops on whole vectors, for float and double.
template <class Op, int kInputs>
void set_floating(KernelTable& t, Loop loop) {
  slot(t, loop, kF32) = entry<Vector<Op, float, kInputs>>;
  slot(t, loop, kF64) = entry<Vector<Op, double, kInputs>>;
}

// Arithmetic, whose operands are often broadcast along rows.
template <class Op>
void set_arithmetic(KernelTable& t, Loop loop) {
  slot(t, loop, kF32) = entry<Vector<Op, float, 2>, true>;
  slot(t, loop, kF64) = entry<Vector<Op, double, 2>, true>;
}

}  // namespace

// The chapters of the table; fill_table (table.cpp) calls each.
void fill_integers(KernelTable& t);
void fill_compare(KernelTable& t);
void fill_floating(KernelTable& t);
void fill_complex(KernelTable& t);
void fill_complex_math(KernelTable& t);
void fill_math_float(KernelTable& t);
void fill_math_double(KernelTable& t);
void fill_special(KernelTable& t);
void fill_scalar_functions(KernelTable& t);
void fill_backward(KernelTable& t);
void fill_optimisers(KernelTable& t);
void fill_rules(KernelTable& t);
void fill_casts(KernelTable& t);
void fill_copies(KernelTable& t);  // after fill_casts: rows that are plain copies
void fill_reduce(KernelTable& t);
void fill_reduce_index(KernelTable& t);
void fill_scan(KernelTable& t);
void fill_rows(KernelTable& t);
void fill_columns(KernelTable& t);
void fill_normal(KernelTable& t);
void fill_norms(KernelTable& t);
void fill_moments(KernelTable& t);
void fill_pool(KernelTable& t);
void fill_resample(KernelTable& t);
void fill_recurrent(KernelTable& t);

}  // namespace d2l::D2L_ISA_NS
