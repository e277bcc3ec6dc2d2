// Row kernels: softmax and its family over contiguous rows.
//
// The one idea: three sweeps of a row that stays in cache: its maximum, the exponentials with their
// pairwise sum, the scaling. Subtracting the maximum keeps the exponentials in range; a row of -inf
// becomes NaN, as in PyTorch.
#include "kernels/reduce_ops.h"
#include "kernels/row_parts.h"

namespace d2l::D2L_ISA_NS {
namespace {

template <class T>
D2L_INLINE T row_max(const T* x, int64_t n) {
  if (n >= 8 * kLanes<T>) {
    const MaxOp<T> op{};
    return fold<T>(reduce_stream(&op, reinterpret_cast<const char*>(x), n), greater_of<T>);
  }
  Vec<T> low = splat(-T(__builtin_inf())), m = low;
  sweep<T>(
      n, [&](int64_t i) { m = greater_of<T>(m, load<T>(x + i)); },
      [&](int64_t i, int64_t c)
          __attribute__((always_inline)) { m = greater_of<T>(m, load_part(x + i, c, low)); });
  return fold<T>(m, greater_of<T>);
}

template <class T, Row kKind>
void forward(const RowArgs* args) {
  using V = Vec<T>;
  const T kLow = -T(__builtin_inf());
  const int64_t n = args->n;
  for (int64_t j = 0; j < args->rows; ++j) {
    const T* x = reinterpret_cast<const T*>(args->a) + j * n;
    T* y = reinterpret_cast<T*>(args->out) + j * n;
    V top = splat(row_max(x, n));
    T sum = row_sum<T>(n, [&](int64_t i, int64_t c) __attribute__((always_inline)) {
      V e = exp(get(x + i, c, splat(kLow)) - top);
      if constexpr (kKind == Row::softmax) put(y + i, e, c);
      return e;
    });
    if constexpr (kKind == Row::softmax) {
      V scale = splat(T(1)) / splat(sum);
      each_vector<T>(n, [&](int64_t i, int64_t c) __attribute__((always_inline)) {
        put(y + i, get(y + i, c, V{}) * scale, c);
      });
    } else {
      V l = log(splat(sum));
      each_vector<T>(n, [&](int64_t i, int64_t c) __attribute__((always_inline)) {
        put(y + i, (get(x + i, c, V{}) - top) - l, c);
      });
    }
  }
}

// An infinity or NaN that is the maximum is the answer. The logarithms of as many rows as a vector
// has lanes are taken together.
template <class T>
void logsumexp(const RowArgs* args) {
  using V = Vec<T>;
  const int64_t n = args->n;
  for (int64_t first = 0; first < args->rows; first += kLanes<T>) {
    const int64_t some = args->rows - first < kLanes<T> ? args->rows - first : kLanes<T>;
    alignas(64) T top[kLanes<T>] = {}, sum[kLanes<T>] = {};
    for (int64_t j = 0; j < some; ++j) {
      const T* x = reinterpret_cast<const T*>(args->a) + (first + j) * n;
      top[j] = row_max(x, n);
      const V m = splat(top[j]), low = splat(-T(__builtin_inf()));
      sum[j] = row_sum<T>(n, [&](int64_t i, int64_t c) __attribute__((always_inline)) {
        return exp(get(x + i, c, low) - m);
      });
    }
    const V m = load<T>(top), r = log_sum(m, load<T>(sum));
    put(reinterpret_cast<T*>(args->out) + first, m - m == V{} ? r : m, some);
  }
}

// softmax: y (g - sum(g y)); log_softmax: g - exp(y) sum(g).
template <class T, bool kLog>
void backward(const RowArgs* args) {
  using V = Vec<T>;
  const int64_t n = args->n;
  for (int64_t j = 0; j < args->rows; ++j) {
    const T* g = reinterpret_cast<const T*>(args->a) + j * n;
    const T* y = reinterpret_cast<const T*>(args->b) + j * n;
    T* out = reinterpret_cast<T*>(args->out) + j * n;
    V sum = splat(row_sum<T>(n, [&](int64_t i, int64_t c) __attribute__((always_inline)) {
      V v = get(g + i, c, V{});
      return kLog ? v : v * get(y + i, c, V{});
    }));
    each_vector<T>(n, [&](int64_t i, int64_t c) __attribute__((always_inline)) {
      V v = get(g + i, c, V{}), w = get(y + i, c, V{});
      put(out + i, kLog ? v - exp(w) * sum : w * (v - sum), c);
    });
  }
}

template <class T>
void set_rows(KernelTable& t, Type type) {
  t.row[static_cast<int>(Row::softmax)][type] = forward<T, Row::softmax>;
  t.row[static_cast<int>(Row::log_softmax)][type] = forward<T, Row::log_softmax>;
  t.row[static_cast<int>(Row::logsumexp)][type] = logsumexp<T>;
  t.row[static_cast<int>(Row::softmax_backward)][type] = backward<T, false>;
  t.row[static_cast<int>(Row::log_softmax_backward)][type] = backward<T, true>;
}

}  // namespace

void fill_rows(KernelTable& t) {
  set_rows<float>(t, kF32);
  set_rows<double>(t, kF64);
}

}  // namespace d2l::D2L_ISA_NS
