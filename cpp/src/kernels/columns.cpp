// Column kernels: softmax and its family along a dimension whose neighbours lie side by side.
//
// The one idea: a strip of vectors goes down the columns, so that nothing is folded and every
// access is a whole vector. Sums add in order within blocks of kBlock steps. Rows of a few vectors
// or less are turned into columns first: a row of 10 would leave lanes idle and fold twice.
#include "kernels/copy2d.h"
#include "kernels/map.h"
#include "kernels/row_parts.h"

namespace d2l::D2L_ISA_NS {
namespace {

constexpr int64_t kBlock = 256;
constexpr int kWide = 4;  // vectors side by side: what one waits for hides behind the others

// kVectors vectors of columns, `count` lanes of the last of them, and the walk down.
template <class T, int kVectors>
struct Strip {
  using V = Vec<T>;
  int64_t steps, step, count;

  static constexpr int vectors() { return kVectors; }
  D2L_INLINE V read(const T* p, int k) const {
    p += k * kLanes<T>;
    return kVectors > 1 ? load<T>(p) : get(p, count, V{});
  }
  D2L_INLINE void write(T* p, int k, V v) const {
    p += k * kLanes<T>;
    if constexpr (kVectors > 1) {
      store(p, v);
    } else {
      put(p, v, count);
    }
  }
  // f(offset of the step, vector) for every vector.
  template <class F>
  D2L_INLINE void each(F f) const {
    for (int64_t i = 0; i < steps; ++i) {
#pragma GCC unroll 4
      for (int k = 0; k < kVectors; ++k) f(i * step, k);
    }
  }
  D2L_INLINE void maximum(const T* x, V* top) const {
#pragma GCC unroll 4
    for (int k = 0; k < kVectors; ++k) top[k] = splat(-T(__builtin_inf()));
    each([&](int64_t i, int k)
             __attribute__((always_inline)) { top[k] = greater_of<T>(top[k], read(x + i, k)); });
  }
  // The sums of f(offset, vector): in order within blocks.
  template <class F>
  D2L_INLINE void sum(V* total, F f) const {
#pragma GCC unroll 4
    for (int k = 0; k < kVectors; ++k) total[k] = V{};
    for (int64_t first = 0; first < steps; first += kBlock) {
      const int64_t end = steps - first < kBlock ? steps : first + kBlock;
      V part[kVectors] = {};
      for (int64_t i = first; i < end; ++i) {
#pragma GCC unroll 4
        for (int k = 0; k < kVectors; ++k) part[k] = part[k] + f(i * step, k);
      }
#pragma GCC unroll 4
      for (int k = 0; k < kVectors; ++k) total[k] = total[k] + part[k];
    }
  }
};
// Calls kernel(strip, first column) for all columns.
template <class T, class Kernel>
D2L_INLINE void strips(const RowArgs* a, Kernel kernel) {
  constexpr int64_t kAll = kWide * kLanes<T>;
  int64_t j = 0;
  for (; j + kAll <= a->rows; j += kAll) kernel(Strip<T, kWide>{a->n, a->step, kLanes<T>}, j);
  for (; j < a->rows; j += kLanes<T>) {
    const int64_t left = a->rows - j;
    kernel(Strip<T, 1>{a->n, a->step, left < kLanes<T> ? left : kLanes<T>}, j);
  }
}

// e / l by way of r = 1 / l, for 1 <= l: the remainder corrects the last bit, so that normal
// quotients are rounded as a division rounds them, in a fifth of its time.
template <class V>
D2L_INLINE V quotient(V e, V l, V r) {
#if D2L_AVX512 || D2L_AVX2
  const V q = e * r;
  return fma(fma(-q, l, e), r, q);
#else
  (void)r;
  return e / l;
#endif
}

// Columns are divided by their sum, what were rows are multiplied by its reciprocal: as in PyTorch.
template <class T, bool kLog, bool kRow = false>
void forward(const RowArgs* args) {
  using V = Vec<T>;
  strips<T>(args, [&](auto strip, int64_t j) __attribute__((always_inline)) {
    const T* x = reinterpret_cast<const T*>(args->a) + j;
    T* y = reinterpret_cast<T*>(args->out) + j;
    V top[kWide], l[kWide], r[kWide];
    strip.maximum(x, top);
    strip.sum(l, [&](int64_t i, int k) __attribute__((always_inline)) {
      const V e = exp(strip.read(x + i, k) - top[k]);
      if constexpr (!kLog) strip.write(y + i, k, e);
      return e;
    });
    for (int k = 0; k < strip.vectors(); ++k) {
      if constexpr (kLog) {
        l[k] = log(l[k]);
      } else {
        r[k] = 1 / l[k];
      }
    }
    strip.each([&](int64_t i, int k) __attribute__((always_inline)) {
      if constexpr (kLog) {
        strip.write(y + i, k, (strip.read(x + i, k) - top[k]) - l[k]);
      } else {
        const V e = strip.read(y + i, k);
        strip.write(y + i, k, kRow ? e * r[k] : quotient(e, l[k], r[k]));
      }
    });
  });
}

// An infinity or NaN that is the maximum is the answer.
template <class T>
void logsumexp(const RowArgs* args) {
  using V = Vec<T>;
  strips<T>(args, [&](auto strip, int64_t j) __attribute__((always_inline)) {
    const T* x = reinterpret_cast<const T*>(args->a) + j;
    V top[kWide], sum[kWide];
    strip.maximum(x, top);
    strip.sum(sum, [&](int64_t i, int k) __attribute__((always_inline)) {
      return exp(strip.read(x + i, k) - top[k]);
    });
    for (int k = 0; k < strip.vectors(); ++k) {
      const V r = log_sum(top[k], sum[k]);
      strip.write(reinterpret_cast<T*>(args->out) + j, k, top[k] - top[k] == V{} ? r : top[k]);
    }
  });
}

// softmax: y (g - sum(g y)); log_softmax: g - exp(y) sum(g).
template <class T, bool kLog>
void backward(const RowArgs* args) {
  using V = Vec<T>;
  strips<T>(args, [&](auto strip, int64_t j) __attribute__((always_inline)) {
    const T* g = reinterpret_cast<const T*>(args->a) + j;
    const T* y = reinterpret_cast<const T*>(args->b) + j;
    T* out = reinterpret_cast<T*>(args->out) + j;
    V sum[kWide];
    strip.sum(sum, [&](int64_t i, int k) __attribute__((always_inline)) {
      const V v = strip.read(g + i, k);
      return kLog ? v : v * strip.read(y + i, k);
    });
    strip.each([&](int64_t i, int k) __attribute__((always_inline)) {
      const V v = strip.read(g + i, k), w = strip.read(y + i, k);
      strip.write(out + i, k, kLog ? v - exp(w) * sum[k] : w * (v - sum[k]));
    });
  });
}

// Rows shorter than kShort, as columns; longer ones go to the loop that was there before.
template <class T, Row kKind>
struct Rows {
  static constexpr int64_t kShort = 4 * kLanes<T>, kPitch = kShort * sizeof(T);
  static inline RowFn longer;

  static void run(const RowArgs* args) {
    const int64_t n = args->n, row = n * static_cast<int64_t>(sizeof(T));
    if (n >= kShort) return longer(args);
    alignas(64) char a[kShort * kPitch];
    for (int64_t j = 0; j < args->rows; j += kShort) {
      const int64_t c = args->rows - j < kShort ? args->rows - j : kShort;
      copy2d(a, sizeof(T), kPitch, args->a + j * row, row, sizeof(T), c, n, sizeof(T));
      RowArgs down{a, a, nullptr, n, c, kShort};
      if constexpr (kKind == Row::logsumexp) {
        down.out = args->out + j * static_cast<int64_t>(sizeof(T));
        logsumexp<T>(&down);
      } else {
        if constexpr (kKind == Row::softmax || kKind == Row::log_softmax) {
          forward<T, kKind == Row::log_softmax, true>(&down);
        } else {
          backward_rows(&down, args->b + j * row, row);
        }
        copy2d(args->out + j * row, row, sizeof(T), a, sizeof(T), kPitch, c, n, sizeof(T));
      }
    }
  }
  static void backward_rows(RowArgs* down, const char* b, int64_t row) {
    alignas(64) char buffer[kShort * kPitch];
    copy2d(buffer, sizeof(T), kPitch, b, row, sizeof(T), down->rows, down->n, sizeof(T));
    down->b = buffer;
    backward<T, kKind == Row::log_softmax_backward>(down);
  }
};
template <class T, Row kKind>
void take_short(KernelTable& t, Type type) {
  RowFn& fn = t.row[static_cast<int>(kKind)][type];
  Rows<T, kKind>::longer = fn;
  fn = Rows<T, kKind>::run;
}

template <class T>
void set_columns(KernelTable& t, Type type) {
  t.column[static_cast<int>(Row::softmax)][type] = forward<T, false>;
  t.column[static_cast<int>(Row::log_softmax)][type] = forward<T, true>;
  t.column[static_cast<int>(Row::logsumexp)][type] = logsumexp<T>;
  t.column[static_cast<int>(Row::softmax_backward)][type] = backward<T, false>;
  t.column[static_cast<int>(Row::log_softmax_backward)][type] = backward<T, true>;
  take_short<T, Row::softmax>(t, type);
  take_short<T, Row::log_softmax>(t, type);
  take_short<T, Row::logsumexp>(t, type);
  take_short<T, Row::softmax_backward>(t, type);
  take_short<T, Row::log_softmax_backward>(t, type);
}

}  // namespace

void fill_columns(KernelTable& t) {
  set_columns<float>(t, kF32);
  set_columns<double>(t, kF64);
}

}  // namespace d2l::D2L_ISA_NS
