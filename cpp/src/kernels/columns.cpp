// Column kernels: softmax and its family along a dimension whose neighbours lie side by side.
//
// The one idea: a vector of columns at a time goes down, so that nothing is folded and every access
// is a whole vector. Sums add in order within blocks of kBlock steps. Rows of a few vectors or less
// are turned into columns first: a row of 10 would leave lanes idle and fold twice.
#include "kernels/copy2d.h"
#include "kernels/map.h"
#include "kernels/row_parts.h"

namespace d2l::D2L_ISA_NS {
namespace {

constexpr int64_t kBlock = 256;

// The sum of f(step) over n steps.
template <class V, class F>
D2L_INLINE V column_sum(int64_t n, F f) {
  V total{};
  for (int64_t i = 0; i < n;) {
    const int64_t end = n - i < kBlock ? n : i + kBlock;
    V sum{};
    for (; i < end; ++i) sum = sum + f(i);
    total = total + sum;
  }
  return total;
}

// Columns are divided by their sum, what were rows are multiplied by its reciprocal: as in PyTorch.
template <class T, bool kLog, bool kRow = false>
void forward(const RowArgs* args) {
  using V = Vec<T>;
  const int64_t n = args->n, step = args->step;
  for (int64_t j = 0; j < args->rows; j += kLanes<T>) {
    const int64_t left = args->rows - j, c = left < kLanes<T> ? left : kLanes<T>;
    const T* x = reinterpret_cast<const T*>(args->a) + j;
    T* y = reinterpret_cast<T*>(args->out) + j;
    V top = splat(-T(__builtin_inf()));
    for (int64_t i = 0; i < n; ++i) {
      V v = get(x + i * step, c, V{});
      top = (top > v) | (top != top) ? top : v;
    }
    V sum = column_sum<V>(n, [&](int64_t i) __attribute__((always_inline)) {
      V e = exp(get(x + i * step, c, V{}) - top);
      if constexpr (!kLog) put(y + i * step, e, c);
      return e;
    });
    const V l = kLog ? log(sum) : kRow ? 1 / sum : sum;
    for (int64_t i = 0; i < n; ++i) {
      if constexpr (kLog) {
        put(y + i * step, (get(x + i * step, c, V{}) - top) - l, c);
      } else {
        const V e = get(y + i * step, c, V{});
        put(y + i * step, kRow ? e * l : e / l, c);
      }
    }
  }
}

// An infinity or NaN that is the maximum is the answer.
template <class T>
void logsumexp(const RowArgs* args) {
  using V = Vec<T>;
  const int64_t n = args->n, step = args->step;
  for (int64_t j = 0; j < args->rows; j += kLanes<T>) {
    const int64_t left = args->rows - j, c = left < kLanes<T> ? left : kLanes<T>;
    const T* x = reinterpret_cast<const T*>(args->a) + j;
    V top = splat(-T(__builtin_inf()));
    for (int64_t i = 0; i < n; ++i) {
      V v = get(x + i * step, c, V{});
      top = (top > v) | (top != top) ? top : v;
    }
    const V sum = column_sum<V>(n, [&](int64_t i) __attribute__((always_inline)) {
      return exp(get(x + i * step, c, V{}) - top);
    });
    const V r = log_sum(top, sum);
    put(reinterpret_cast<T*>(args->out) + j, top - top == V{} ? r : top, c);
  }
}

// softmax: y (g - sum(g y)); log_softmax: g - exp(y) sum(g).
template <class T, bool kLog>
void backward(const RowArgs* args) {
  using V = Vec<T>;
  const int64_t n = args->n, step = args->step;
  for (int64_t j = 0; j < args->rows; j += kLanes<T>) {
    const int64_t left = args->rows - j, c = left < kLanes<T> ? left : kLanes<T>;
    const T* g = reinterpret_cast<const T*>(args->a) + j;
    const T* y = reinterpret_cast<const T*>(args->b) + j;
    T* out = reinterpret_cast<T*>(args->out) + j;
    const V sum = column_sum<V>(n, [&](int64_t i) __attribute__((always_inline)) {
      V v = get(g + i * step, c, V{});
      return kLog ? v : v * get(y + i * step, c, V{});
    });
    for (int64_t i = 0; i < n; ++i) {
      V v = get(g + i * step, c, V{}), w = get(y + i * step, c, V{});
      put(out + i * step, kLog ? v - exp(w) * sum : w * (v - sum), c);
    }
  }
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
