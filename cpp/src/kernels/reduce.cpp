// Reductions without an index: pairwise, in any direction, at memory speed.
//
// The one idea: every reduction is "rows of vectors into one row of vectors". Rows are combined in
// blocks, the results by a binary cascade, so that the error of a sum grows with log n. Reducing
// along contiguous memory makes each vector a row and folds the lanes at the end; anything else is
// gathered into rows first. The order depends on n and the strides alone.
#include "kernels/copy2d.h"
#include "kernels/reduce_ops.h"

namespace d2l::D2L_ISA_NS {
namespace {

constexpr int kMaxVectors = 64;  // columns at a time, in vectors: accumulators stay in L1
constexpr int kGathered = 4;     // and when they are gathered first
constexpr int64_t kRows = 64;    // of a block

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
    while (i + 4 <= rows) {
      const int64_t n = rows - i < kRows ? (rows - i) / 4 * 4 : kRows;
      for (int v = 0; v < vectors; v += 2) {  // two columns, four rows at a time
        // A last column alone is its own neighbour: every column meets the same additions.
        const int64_t near = v + 1 < vectors ? kVecBytes : 0;
        A x[kGroup];
        reduce_block(&op, p + v * kVecBytes, near, stride, 4 * stride, n / 4, x);
        t[v] = Op::combine(Op::combine(x[0], x[2]), Op::combine(x[4], x[6]));
        if (near) t[v + 1] = Op::combine(Op::combine(x[1], x[3]), Op::combine(x[5], x[7]));
      }
      i += n;
      p += n * stride;
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
  // The rest of a single column: less than a vector.
  __attribute__((noinline, noclone)) void push_part(const char* p, int64_t count) {
    using Acc = typename Op::Acc;
    const A v = op.map(load_part<T>(reinterpret_cast<const T*>(p), count, Vec<T>{}));
    total[0] = Op::combine(total[0], first_of<Acc>(v, count, Op::identity()));
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

// kPair is 2 for the sum of complex numbers, pairs of lanes; else 1.
template <class Op, int kPair = 1>
void reduce(const ReduceArgs* args) {
  using T = typename Op::Elem;
  using Out = typename Op::Out;
  constexpr int64_t kItem = sizeof(T) * kPair, kPer = kVecBytes / kItem;
  const ReduceArgs& a = *args;
  alignas(64) char buffer[kRows * kGathered * kVecBytes];
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
        acc = first_of<Acc>(v, rest, acc);
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
    for (int64_t j = 0; j < a.m; ++j) {
      const char* p = a.in + j * a.keep_stride;
      if (a.in_stride == kItem) {
        state.total[0] = reduce_stream(&state.op, p, a.n * kPair);
      } else {
        constexpr int64_t kBlock = sizeof buffer / kItem;
        state.groups = 0;
        for (int64_t i = 0; i < a.n; i += kBlock) {
          int64_t c = a.n - i < kBlock ? a.n - i : kBlock;
          copy2d(buffer, kItem, 0, p + i * a.in_stride, a.in_stride, 0, c, 1, kItem);
          state.push(buffer, kVecBytes, c / kPer);
          if (c % kPer) state.push_part(buffer + c / kPer * kVecBytes, c % kPer * kPair);
        }
        state.finish();
      }
      alignas(64) typename Op::Acc lanes[kLanes<typename Op::Acc>];
      store(lanes, fold<Op, kPair>(state.total[0]));
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
      c = c < kPer * kGathered ? c : kPer * kGathered;
      state.vectors = static_cast<int>((c + kPer - 1) / kPer);
      const int64_t pitch = state.vectors * kVecBytes;
      const int64_t rows = static_cast<int64_t>(sizeof buffer) / pitch / kRows * kRows;
      for (int64_t i = 0; i < a.n; i += rows) {
        int64_t r = a.n - i < rows ? a.n - i : rows;
        copy2d(buffer, kItem, pitch, p + i * a.in_stride, a.keep_stride, a.in_stride, c, r, kItem);
        state.push(buffer, pitch, r);
      }
    }
    state.finish();
    const auto* lanes = reinterpret_cast<const typename Op::Acc*>(state.total);
    if (sizeof(Out) == sizeof(T) && a.out_stride == kItem) {
      copy_bytes(a.out + j * kItem, reinterpret_cast<const char*>(lanes), c * kItem);
    } else {
      for (int64_t k = 0; k < c; ++k) write(j + k, lanes + k * kPair);
    }
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
