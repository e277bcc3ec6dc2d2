// Column kernels: softmax and its family along a dimension whose neighbours lie side by side.
//
// The one idea: a few vectors of columns at a time go down together, so that nothing is transposed
// and every access is a whole vector. Sums add in order within blocks of kBlock steps.
#include "kernels/map.h"
#include "kernels/math_float.h"

namespace d2l::D2L_ISA_NS {
namespace {

constexpr int64_t kBlock = 256;

template <class T>
D2L_INLINE Vec<T> get(const T* p, int64_t count) {
  return count == kLanes<T> ? load<T>(p) : load_part(p, count, Vec<T>{});
}
template <class T>
D2L_INLINE void put(T* p, Vec<T> v, int64_t count) {
  if (count == kLanes<T>) {
    store(p, v);
  } else {
    store_part(p, v, count);
  }
}

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

template <class T, bool kLog>
void forward(const RowArgs* args) {
  using V = Vec<T>;
  const int64_t n = args->n, step = args->step;
  for (int64_t j = 0; j < args->rows; j += kLanes<T>) {
    const int64_t left = args->rows - j, c = left < kLanes<T> ? left : kLanes<T>;
    const T* x = reinterpret_cast<const T*>(args->a) + j;
    T* y = reinterpret_cast<T*>(args->out) + j;
    V top = splat(-T(__builtin_inf()));
    for (int64_t i = 0; i < n; ++i) {
      V v = get(x + i * step, c);
      top = (top > v) | (top != top) ? top : v;
    }
    V sum = column_sum<V>(n, [&](int64_t i) __attribute__((always_inline)) {
      V e = exp(get(x + i * step, c) - top);
      if constexpr (!kLog) put(y + i * step, e, c);
      return e;
    });
    const V l = kLog ? log(sum) : sum;
    for (int64_t i = 0; i < n; ++i) {
      if constexpr (kLog) {
        put(y + i * step, (get(x + i * step, c) - top) - l, c);
      } else {
        put(y + i * step, get(y + i * step, c) / l, c);
      }
    }
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
      V v = get(g + i * step, c);
      return kLog ? v : v * get(y + i * step, c);
    });
    for (int64_t i = 0; i < n; ++i) {
      V v = get(g + i * step, c), w = get(y + i * step, c);
      put(out + i * step, kLog ? v - exp(w) * sum : w * (v - sum), c);
    }
  }
}

template <class T>
void set_columns(KernelTable& t, Type type) {
  t.column[static_cast<int>(Row::softmax)][type] = forward<T, false>;
  t.column[static_cast<int>(Row::log_softmax)][type] = forward<T, true>;
  t.column[static_cast<int>(Row::softmax_backward)][type] = backward<T, false>;
  t.column[static_cast<int>(Row::log_softmax_backward)][type] = backward<T, true>;
}

}  // namespace

void fill_columns(KernelTable& t) {
  set_columns<float>(t, kF32);
  set_columns<double>(t, kF64);
}

}  // namespace d2l::D2L_ISA_NS
