// max and min with the position of the chosen element: the first of equals, and NaN wins.
//
// The one idea: keep value and position per lane while rows stream by; a column is a lane. Along
// contiguous memory the lanes are strides of one row and are settled at the end.
#include "kernels/copy2d.h"
#include "kernels/map.h"

namespace d2l::D2L_ISA_NS {
namespace {

template <class T, bool kMax>
D2L_INLINE bool better(T x, T best) {
  return (kMax ? x > best : x < best) | ((x != x) & (best == best));
}

// `count` columns, positions base.. base + rows - 1; best and where are updated.
template <class T, bool kMax, class Index>
__attribute__((noinline, noclone)) void sweep(const char* p, int64_t stride, int64_t rows,
                                              int64_t count, Index base, T* best, Index* where) {
  for (int64_t i = 0; i < rows; ++i, p += stride) {
    const T* x = reinterpret_cast<const T*>(p);
    const Index at = base + static_cast<Index>(i);
#pragma GCC ivdep
    for (int64_t c = 0; c < count; ++c) {
      bool take = better<T, kMax>(x[c], best[c]);
      best[c] = take ? x[c] : best[c];
      where[c] = take ? at : where[c];
    }
  }
}

template <class T, bool kMax>
void reduce_index(const ReduceArgs* args) {
  const ReduceArgs& a = *args;
  constexpr int64_t kSize = sizeof(T), kColumns = 64;
  using Index = int64_t;
  T best[kColumns];
  Index where[kColumns];
  T buffer[kColumns * 32];
  auto write = [&](int64_t j, T value, int64_t position) {
    *reinterpret_cast<T*>(a.out + j * a.out_stride) = value;
    a.index[j * a.index_stride] = position;
  };
  if (a.n >= 2 * kColumns && (a.in_stride == kSize || a.keep_stride != kSize)) {
    // One row at a time, kColumns lanes.
    for (int64_t j = 0; j < a.m; ++j) {
      const char* p = a.in + j * a.keep_stride;
      bool first = true;
      for (int64_t i = 0; i < a.n;) {
        int64_t c = a.n - i < kColumns * 32 ? a.n - i : kColumns * 32;
        if (first && c < a.n) c = kColumns * 32;
        const char* q = p + i * a.in_stride;
        if (a.in_stride != kSize) {
          copy2d(reinterpret_cast<char*>(buffer), kSize, 0, q, a.in_stride, 0, c, 1, kSize);
          q = reinterpret_cast<const char*>(buffer);
        }
        if (first) {
          for (int64_t k = 0; k < kColumns; ++k) {
            best[k] = reinterpret_cast<const T*>(q)[k];
            where[k] = 0;
          }
          first = false;
        }
        // where counts rows of kColumns; a lane's position is row kColumns + lane.
        sweep<T, kMax, Index>(q, kColumns * kSize, c / kColumns, kColumns, i / kColumns, best,
                              where);
        if (c % kColumns) {
          sweep<T, kMax, Index>(q + c / kColumns * kColumns * kSize, 0, 1, c % kColumns,
                                (i + c) / kColumns, best, where);
        }
        i += c;
      }
      T value = best[0];
      int64_t position = where[0] * kColumns;
      for (int64_t k = 1; k < kColumns; ++k) {
        int64_t at = where[k] * kColumns + k;
        bool equal = best[k] == value || (best[k] != best[k] && value != value);
        if (better<T, kMax>(best[k], value) || (equal && at < position)) {
          value = best[k];
          position = at;
        }
      }
      write(j, value, position);
    }
    return;
  }
  for (int64_t j = 0; j < a.m; j += kColumns) {
    int64_t c = a.m - j < kColumns ? a.m - j : kColumns;
    const char* p = a.in + j * a.keep_stride;
    bool direct = a.keep_stride == kSize;
    int64_t step = direct ? a.n : 32;
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
      sweep<T, kMax, Index>(q, pitch, r, c, i, best, where);
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
