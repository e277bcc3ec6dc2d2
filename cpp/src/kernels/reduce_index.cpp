// max and min with the position of the chosen element: the first of equals, and NaN wins.
//
// The one idea: columns keep value and position per lane while rows go by. A contiguous row is
// first reduced block by block; only a block that holds a better value is searched for its place.
#include "kernels/copy2d.h"
#include "kernels/reduce_ops.h"

namespace d2l::D2L_ISA_NS {
namespace {

template <class T, bool kMax>
D2L_INLINE bool better(T x, T best) {
  return (kMax ? x > best : x < best) | ((x != x) & (best == best));
}

template <class T, bool kMax>
struct Extreme {
  using Op = MaxOp<T>;
};
template <class T>
struct Extreme<T, false> {
  using Op = MinOp<T>;
};

// The first of n contiguous elements that is `value`; it is there.
template <class T>
int64_t first_at(const T* x, int64_t n, T value) {
  int64_t i = 0;
  if (value != value) {
    while (x[i] == x[i]) ++i;
    return i;
  }
  while (i + kLanes<T> <= n && !any(load<T>(x + i) == splat(value))) i += kLanes<T>;
  while (x[i] != value) ++i;
  return i;
}

// kWide vectors of columns (`last` of the last one), rows 0 .. rows - 1; best and where are
// updated.
template <class T, bool kMax, int kWide>
void sweep_vectors(const char* p, int64_t stride, int64_t rows, int64_t last, T* best,
                   IntOf<T>* where) {
  using V = Vec<T>;
  V b[kWide];
  VInt<T> w[kWide];
#pragma GCC unroll 4
  for (int k = 0; k < kWide; ++k) {
    b[k] = load<T>(best + k * kLanes<T>);
    w[k] = load<IntOf<T>>(where + k * kLanes<T>);
  }
  for (int64_t i = 0; i < rows; ++i, p += stride) {
    const VInt<T> at = VInt<T>{} + static_cast<IntOf<T>>(i);
#pragma GCC unroll 4
    for (int k = 0; k < kWide; ++k) {
      const T* q = reinterpret_cast<const T*>(p) + k * kLanes<T>;
      const V x = kWide > 1 || last == kLanes<T> ? load<T>(q) : load_part(q, last, V{});
      const VInt<T> take = (kMax ? x > b[k] : x < b[k]) | ((x != x) & (b[k] == b[k]));
      b[k] = take ? x : b[k];
      w[k] = take ? at : w[k];
    }
  }
#pragma GCC unroll 4
  for (int k = 0; k < kWide; ++k) {
    store(best + k * kLanes<T>, b[k]);
    store(where + k * kLanes<T>, w[k]);
  }
}
// `count` columns, positions base .. base + rows - 1, rows < 2^31; best and where are updated.
template <class T, bool kMax>
void sweep(const char* p, int64_t stride, int64_t rows, int64_t count, int64_t base, T* best,
           int64_t* where) {
  if constexpr (sizeof(T) < 4) {  // positions do not fit a lane
    for (int64_t i = 0; i < rows; ++i, p += stride) {
      const T* x = reinterpret_cast<const T*>(p);
      for (int64_t c = 0; c < count; ++c) {
        const bool take = better<T, kMax>(x[c], best[c]);
        best[c] = take ? x[c] : best[c];
        where[c] = take ? base + i : where[c];
      }
    }
  } else {
    constexpr int64_t kPer = kLanes<T>;
    for (int64_t c = 0; c < count;) {
      const char* q = p + c * static_cast<int64_t>(sizeof(T));
      const int64_t some = count - c >= 4 * kPer ? 4 * kPer : count - c < kPer ? count - c : kPer;
      T b[4 * kPer] = {};
      IntOf<T> at[4 * kPer] = {};
      for (int64_t k = 0; k < some; ++k) {
        b[k] = best[c + k];
        at[k] = -1;
      }
      if (some == 4 * kPer) {
        sweep_vectors<T, kMax, 4>(q, stride, rows, kPer, b, at);
      } else {
        sweep_vectors<T, kMax, 1>(q, stride, rows, some, b, at);
      }
      for (int64_t k = 0; k < some; ++k) {
        best[c + k] = b[k];
        where[c + k] = at[k] < 0 ? where[c + k] : base + at[k];
      }
      c += some;
    }
  }
}

template <class T, bool kMax>
void reduce_index(const ReduceArgs* args) {
  const ReduceArgs& a = *args;
  constexpr int64_t kSize = sizeof(T), kColumns = 64, kBlock = 8192 / kSize;
  T best[kColumns];
  int64_t where[kColumns];
  alignas(64) T buffer[kBlock];
  auto write = [&](int64_t j, T value, int64_t position) {
    *reinterpret_cast<T*>(a.out + j * a.out_stride) = value;
    a.index[j * a.index_stride] = position;
  };
  if (a.n >= 2 * kColumns && (a.in_stride == kSize || a.keep_stride != kSize)) {
    const typename Extreme<T, kMax>::Op op{};
    for (int64_t j = 0; j < a.m; ++j) {
      const char* p = a.in + j * a.keep_stride;
      for (int64_t i = 0; i < a.n; i += kBlock) {
        const int64_t c = a.n - i < kBlock ? a.n - i : kBlock;
        const char* q = p + i * a.in_stride;
        if (a.in_stride != kSize) {
          copy2d(reinterpret_cast<char*>(buffer), kSize, 0, q, a.in_stride, 0, c, 1, kSize);
          q = reinterpret_cast<const char*>(buffer);
        }
        const T m = fold<typename Extreme<T, kMax>::Op, 1>(reduce_stream(&op, q, c))[0];
        if (i == 0 || better<T, kMax>(m, best[0])) {
          best[0] = m;
          where[0] = i + first_at(reinterpret_cast<const T*>(q), c, m);
        }
      }
      write(j, best[0], where[0]);
    }
    return;
  }
  for (int64_t j = 0; j < a.m; j += kColumns) {
    int64_t c = a.m - j < kColumns ? a.m - j : kColumns;
    const char* p = a.in + j * a.keep_stride;
    bool direct = a.keep_stride == kSize;
    int64_t step = direct ? 1 << 20 : kBlock / kColumns;
    for (int64_t i = 0; i < a.n; i += step) {
      int64_t r = a.n - i < step ? a.n - i : step;
      const char* q = p + i * a.in_stride;
      int64_t pitch = a.in_stride;
      if (!direct) {
        pitch = c * kSize;
        copy2d(reinterpret_cast<char*>(buffer), kSize, pitch, q, a.keep_stride, a.in_stride, c, r,
               kSize);
        q = reinterpret_cast<const char*>(buffer);
      }
      if (i == 0) {
        for (int64_t k = 0; k < c; ++k) {
          best[k] = reinterpret_cast<const T*>(q)[k];
          where[k] = 0;
        }
      }
      sweep<T, kMax>(q, pitch, r, c, i, best, where);
    }
    for (int64_t k = 0; k < c; ++k) write(j + k, best[k], where[k]);
  }
}

template <class T, Reduce kKind>
struct Choose {
  static inline ReduceFn plain;  // the loop without an index (reduce.cpp)
  static void run(const ReduceArgs* a) {
    if (a->index == nullptr) return plain(a);
    reduce_index<T, kKind == Reduce::max>(a);
  }
};
template <class T, Reduce kKind>
void wrap(KernelTable& t, Type type) {
  ReduceFn& fn = t.reduce[static_cast<int>(kKind)][type];
  Choose<T, kKind>::plain = fn;
  fn = Choose<T, kKind>::run;
}
template <class T>
void both(KernelTable& t, Type type) {
  wrap<T, Reduce::max>(t, type);
  wrap<T, Reduce::min>(t, type);
}

}  // namespace

void fill_reduce_index(KernelTable& t) {
  both<uint8_t>(t, kU8);
  both<int8_t>(t, kI8);
  both<int16_t>(t, kI16);
  both<int32_t>(t, kI32);
  both<int64_t>(t, kI64);
  both<float>(t, kF32);
  both<double>(t, kF64);
  t.reduce[static_cast<int>(Reduce::max)][kBool] = t.reduce[static_cast<int>(Reduce::max)][kU8];
  t.reduce[static_cast<int>(Reduce::min)][kBool] = t.reduce[static_cast<int>(Reduce::min)][kU8];
}

}  // namespace d2l::D2L_ISA_NS
