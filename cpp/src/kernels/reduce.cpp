// Reductions without an index: pairwise, in any direction, at memory speed.
//
// The one idea: a reduction is read in the order of memory. Contiguous elements are a stream of
// vectors, folded at the end; columns are rows of vectors, added to one row of accumulators that
// stays in L1; columns too few to fill vectors are taken as they lie, many rows to a vector row,
// and folded at the end. Blocks of rows are combined by a binary cascade, so that the error of a
// sum grows with log n. The order depends on the sizes and strides alone.
#include "kernels/copy2d.h"
#include "kernels/reduce_ops.h"

namespace d2l::D2L_ISA_NS {
namespace {

constexpr int kMaxVectors = 64;  // columns at a time, in vectors: accumulators stay in L1
constexpr int kGathered = 4;     // and when they are gathered first
constexpr int kStrip = 4;        // vectors that go down side by side, in registers
constexpr int64_t kRows = 32;    // of a block

// One row of vectors from many: blocks of rows, one combined block per set bit of `blocks`.
template <class Op>
struct Cascade {
  using T = typename Op::Elem;
  using A = Vec<typename Op::Acc>;
  Op op;
  int vectors;
  int64_t last;  // where the last vector begins; it may overlap its neighbour, and say the same
  uint64_t blocks;
  A total[kMaxVectors];
  A level[kLevels * kMaxVectors];

  // `count` vectors (bytes, from 0 on) make a row.
  void start(int count, int64_t bytes) {
    vectors = count;
    last = bytes - kVecBytes;
    blocks = 0;
  }
  void add(const A* block) {
    A t[kMaxVectors];
#pragma GCC unroll 1
    for (int v = 0; v < vectors; ++v) t[v] = block[v];
    A* at = level;
    for (uint64_t bit = 1; blocks & bit; bit <<= 1, at += vectors) {
#pragma GCC unroll 1
      for (int v = 0; v < vectors; ++v) t[v] = Op::combine(at[v], t[v]);
    }
#pragma GCC unroll 1
    for (int v = 0; v < vectors; ++v) at[v] = t[v];
    ++blocks;
  }
  // Rows at p, one every `stride` bytes.
  __attribute__((noinline, noclone)) void push(const char* p, int64_t stride, int64_t rows) {
    A t[kMaxVectors];
    for (int64_t i = 0; i < rows; i += kRows, p += kRows * stride) {
      reduce_rows(p, stride, rows - i < kRows ? rows - i : kRows, t);
      add(t);
    }
  }
  __attribute__((noinline, noclone)) void finish() {
    const A* at = level;
    bool first = true;
    for (uint64_t bits = blocks; bits; bits >>= 1, at += vectors) {
      if (!(bits & 1)) continue;
#pragma GCC unroll 1
      for (int v = 0; v < vectors; ++v) total[v] = first ? at[v] : Op::combine(at[v], total[v]);
      first = false;
    }
  }

  // A block: columns in registers where they are few or short (measured: faster from 5 to 16 rows),
  // else row by row. Both add the rows of a column in the same order, two by two.
  __attribute__((noinline, noclone)) void reduce_rows(const char* p, int64_t stride, int64_t rows,
                                                      A* t) const {
    if constexpr (Op::kLong) {  // a long map stands in the code once
#pragma GCC unroll 1
      for (int v = 0; v < vectors; ++v) {
        A x = Op::identity();
#pragma GCC unroll 1
        for (int64_t i = 0; i < rows; ++i) {
          x = Op::combine(x, op.map(load<T>(p + i * stride + place(v))));
        }
        t[v] = x;
      }
    } else {
      with_check<Op>([&](auto numbers) __attribute__((always_inline)) {
        return vectors < kStrip || (rows > 4 && rows <= 16) ? strips(numbers, p, stride, rows, t)
                                                            : sweep(numbers, p, stride, rows, t);
      });
    }
  }
  int64_t place(int v) const { return v + 1 < vectors ? v * kVecBytes : last; }
  int whole() const { return last == (vectors - 1) * kVecBytes ? vectors : vectors - 1; }

  template <class N>
  A strips(N numbers, const char* p, int64_t stride, int64_t rows, A* t) const {
    A seen{};
    int v = 0;
    for (const int n = whole(); v + kStrip <= n; v += kStrip) {
      seen = seen + strip<kStrip>(numbers, p + v * kVecBytes, stride, rows, t + v);
    }
    for (; v < vectors; ++v) seen = seen + strip<1>(numbers, p + place(v), stride, rows, t + v);
    return seen;
  }
  template <int kWide, class N>
  D2L_INLINE A strip(N, const char* p, int64_t stride, int64_t rows, A* t) const {
    A x[kWide], seen[kWide] = {};
#pragma GCC unroll 4
    for (int k = 0; k < kWide; ++k) x[k] = Op::identity();
    int64_t i = 0;
    for (; i + 2 <= rows; i += 2, p += 2 * stride) {
#pragma GCC unroll 4
      for (int k = 0; k < kWide; ++k) x[k] = both<N>(x[k], p + k * kVecBytes, stride, seen[k]);
    }
    if (i < rows) {
#pragma GCC unroll 4
      for (int k = 0; k < kWide; ++k) x[k] = one<N>(x[k], p + k * kVecBytes, seen[k]);
    }
    for (int k = 1; k < kWide; ++k) seen[0] = seen[0] + seen[k];
    for (int k = 0; k < kWide; ++k) t[k] = x[k];
    return seen[0];
  }
  template <class N>
  A sweep(N, const char* p, int64_t stride, int64_t rows, A* t) const {
    A seen[kStrip] = {};
    const int n = whole();
#pragma GCC unroll 1
    for (int v = 0; v < vectors; ++v) t[v] = Op::identity();
    int64_t i = 0;
    for (; i + 2 <= rows; i += 2, p += 2 * stride) {
      int v = 0;
      for (; v + kStrip <= n; v += kStrip) {
#pragma GCC unroll 4
        for (int k = 0; k < kStrip; ++k) {
          t[v + k] = both<N>(t[v + k], p + (v + k) * kVecBytes, stride, seen[k]);
        }
      }
      for (; v < vectors; ++v) t[v] = both<N>(t[v], p + place(v), stride, seen[0]);
    }
    if (i < rows) {
      for (int v = 0; v < vectors; ++v) t[v] = one<N>(t[v], p + place(v), seen[0]);
    }
    return (seen[0] + seen[1]) + (seen[2] + seen[3]);
  }
  template <class N>
  D2L_INLINE A one(A x, const char* p, A& seen) const {
    const A v = op.map(load<T>(p));
    if constexpr (N::value) seen = fma(v, A{}, seen);
    return joined<Op, N::value>(x, v);
  }
  template <class N>
  D2L_INLINE A both(A x, const char* p, int64_t stride, A& seen) const {
    const A v = op.map(load<T>(p)), w = op.map(load<T>(p + stride));
    if constexpr (N::value) seen = fma(w, A{}, fma(v, A{}, seen));
    return joined<Op, N::value>(x, joined<Op, N::value>(v, w));
  }
};

// Combines `rows` rows of `count` lanes each, which follow one another at x, into the first.
template <class Op>
__attribute__((noinline, noclone)) void fold_rows(typename Op::Acc* x, int64_t count,
                                                  int64_t rows) {
  using Acc = typename Op::Acc;
  for (int64_t c = 0; c < count; c += kLanes<Acc>) {
    const int64_t n = count - c < kLanes<Acc> ? count - c : kLanes<Acc>;
    Vec<Acc> sum = get(x + c, n, Op::identity());
    for (int64_t r = 1; r < rows; ++r) {
      sum = Op::combine(sum, get(x + r * count + c, n, Op::identity()));
    }
    put(x + c, sum, n);
  }
}

// Combines further rows of memory, which follow one another at p, with the lanes.
template <class Op>
__attribute__((noinline, noclone)) void add_rows(const Op& op, const char* p, int64_t rows,
                                                 int64_t count, typename Op::Acc* lanes) {
  using T = typename Op::Elem;
  using Acc = typename Op::Acc;
  constexpr int64_t kSize = sizeof(T);
  for (int64_t r = 0; r < rows; ++r) {
    const T* x = reinterpret_cast<const T*>(p) + r * count;
    for (int64_t c = 0; c < count; c += kLanes<T>) {
      const int64_t n = count - c < kLanes<T> ? count - c : kLanes<T>;
      alignas(64) T pad[kLanes<T>] = {};  // GCC 12 fails on comparisons of masked loads
      copy_bytes(reinterpret_cast<char*>(pad), reinterpret_cast<const char*>(x + c), n * kSize);
      const Vec<Acc> v = op.map(load<T>(pad));
      put(lanes + c, Op::combine(get(lanes + c, n, Op::identity()), v), n);
    }
  }
}

// Less than four vectors of elements, combined.
template <class Op>
D2L_INLINE Vec<typename Op::Acc> short_row(const Op& op, const char* p, int64_t full,
                                           int64_t rest) {
  using T = typename Op::Elem;
  Vec<typename Op::Acc> acc = Op::identity();
  if (rest) {
    const T* q = reinterpret_cast<const T*>(p + full * kVecBytes);
    if constexpr (Op::kLong) {  // |x|^p has no such element for all p
      acc = first_of<T>(op.map(load_part<T>(q, rest, Vec<T>{})), rest, acc);
    } else {
      acc = op.map(load_part<T>(q, rest, splat(Op::kNeutral)));
    }
  }
  for (int64_t i = 0; i < full; ++i) acc = Op::combine(acc, op.map(load<T>(p + i * kVecBytes)));
  return acc;
}

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
  auto write = [&](int64_t j, const typename Op::Acc* lanes) {
    Out* out = reinterpret_cast<Out*>(a.out + j * a.out_stride);
    for (int k = 0; k < kPair; ++k) out[k] = Op::finish(lanes[k]);
  };

  // Contiguous rows: one vector each, and as many of these as a vector has lanes are folded at
  // once.
  if (a.in_stride == kItem && a.n * 4 > kPer) {
    using Acc = typename Op::Acc;
    constexpr int kCount = kPair == 1 ? kLanes<Acc> : 1;
    const int64_t full = a.n / kPer, rest = a.n % kPer * kPair;
    Vec<Acc> row[kCount];
    for (int64_t j = 0; j < a.m; j += kCount) {
      const int64_t some = a.m - j < kCount ? a.m - j : kCount;
      for (int64_t r = 0; r < some; ++r) {
        const char* p = a.in + (j + r) * a.keep_stride;
        row[r] = full < 4 ? short_row(state.op, p, full, rest)
                          : reduce_stream(&state.op, p, a.n * kPair);
      }
      alignas(64) Acc lanes[kLanes<Acc>];
      if (some < kCount || kPair > 1) {
        for (int64_t r = 0; r < some; ++r) {
          store(lanes, fold<Op, kPair>(row[r]));
          write(j + r, lanes);
        }
      } else {
        store(lanes, fold_square<Op>(row));
        for (int64_t r = 0; r < kCount; ++r) write(j + r, lanes + r);
      }
    }
    return;
  }
  // Long rows of any other stride, none beside another: gathered, a buffer at a time.
  if (a.n >= 4 * kPer && a.n >= 32 && a.keep_stride != kItem) {
    constexpr int64_t kBlock = sizeof buffer / kItem;
    for (int64_t j = 0; j < a.m; ++j) {
      const char* p = a.in + j * a.keep_stride;
      state.start(1, kVecBytes);
      for (int64_t i = 0; i < a.n; i += kBlock) {
        int64_t c = a.n - i < kBlock ? a.n - i : kBlock;
        copy2d(buffer, kItem, 0, p + i * a.in_stride, a.in_stride, 0, c, 1, kItem);
        const auto block = reduce_stream(&state.op, buffer, c * kPair);
        state.add(&block);
      }
      state.finish();
      alignas(64) typename Op::Acc lanes[kLanes<typename Op::Acc>];
      store(lanes, fold<Op, kPair>(state.total[0]));
      write(j, lanes);
    }
    return;
  }

  auto* const lanes = reinterpret_cast<typename Op::Acc*>(state.total);
  auto write_columns = [&](int64_t j, int64_t count) {
    if (Op::kPlain && a.out_stride == kItem) {
      copy_bytes(a.out + j * kItem, reinterpret_cast<const char*>(lanes), count * kItem);
    } else {
      for (int64_t k = 0; k < count; ++k) write(j + k, lanes + k * kPair);
    }
  };

  // Narrow columns without gaps: as many rows as fill whole vectors are one row.
  if (a.keep_stride == kItem && a.in_stride == a.m * kItem && a.m * kStrip <= kMaxVectors * kPer) {
    int64_t fill = kPer;  // rows to a vector row
    while (fill > 1 && fill / 2 * a.m % kPer == 0 && fill / 2 * a.m >= kStrip * kPer) fill /= 2;
    while (fill * a.m < kStrip * kPer) fill *= 2;
    const int64_t vectors = fill * a.m / kPer, rows = a.n / fill;
    if (fill > 1 && vectors <= kMaxVectors && rows >= 4) {
      state.start(static_cast<int>(vectors), vectors * kVecBytes);
      state.push(a.in, vectors * kVecBytes, rows);
      state.finish();
      fold_rows<Op>(lanes, a.m * kPair, fill);
      add_rows(state.op, a.in + rows * fill * a.in_stride, a.n - rows * fill, a.m * kPair, lanes);
      return write_columns(0, a.m);
    }
  }

  constexpr int64_t kColumns = kPer * kMaxVectors;
  for (int64_t j = 0; j < a.m;) {
    int64_t c = a.m - j < kColumns ? a.m - j : kColumns;
    const char* p = a.in + j * a.keep_stride;
    if (a.keep_stride == kItem && c >= kPer) {
      state.start(static_cast<int>((c + kPer - 1) / kPer), c * kItem);
      if (a.n <= kRows) {
        state.reduce_rows(p, a.in_stride, a.n, state.total);
      } else {
        state.push(p, a.in_stride, a.n);
        state.finish();
      }
      if (c % kPer) store(lanes + (c - kPer) * kPair, state.total[state.vectors - 1]);
    } else {
      c = c < kPer * kGathered ? c : kPer * kGathered;
      const int vectors = static_cast<int>((c + kPer - 1) / kPer);
      const int64_t pitch = vectors * kVecBytes;
      const int64_t rows = static_cast<int64_t>(sizeof buffer) / pitch / kRows * kRows;
      state.start(vectors, pitch);
      for (int64_t i = 0; i < a.n; i += rows) {
        int64_t r = a.n - i < rows ? a.n - i : rows;
        copy2d(buffer, kItem, pitch, p + i * a.in_stride, a.keep_stride, a.in_stride, c, r, kItem);
        state.push(buffer, pitch, r);
      }
      state.finish();
    }
    write_columns(j, c);
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
