// Kernels of layer, batch, group and RMS normalisation.
//
// The one idea: a row stays in cache while it is swept for its mean, for the squared distances from
// that mean, and for the result; all sums are pairwise. Where the statistics run over the rows of a
// matrix (batches of vectors), blocks of columns take the place of a row.
#include "kernels/map.h"
#include "kernels/row_parts.h"

namespace d2l::D2L_ISA_NS {
namespace {

template <class T>
const T* as(const char* p) {
  return reinterpret_cast<const T*>(p);
}
template <class T>
T* as(char* p) {
  return reinterpret_cast<T*>(p);
}

// Row sums below run over whole vectors with the rest of the row read as zeros; f(i, count) has to
// give zeros for the lanes behind `count`.
template <class T>
D2L_INLINE Vec<T> first(Vec<T> v, int64_t count) {
  return count == kLanes<T> ? v : first_of<T>(v, count, Vec<T>{});
}

template <class T>
D2L_INLINE T root(T x) {
  return sqrt(splat(x))[0];
}

template <class T>
void layer(const NormArgs* args) {
  using V = Vec<T>;
  constexpr int64_t kPer = kLanes<T>;
  const int64_t n = args->n;
  const T* w = as<T>(args->a);
  const T* b = as<T>(args->b);
  const T count = static_cast<T>(n);
  for (int64_t r = 0; r < args->rows; ++r) {
    const T* x = as<T>(args->x) + r * n;
    T* y = as<T>(args->out) + r * n;
    T mean = 0;
    if (args->out2) {
      mean = row_sum<T>(n, [&](int64_t i, int64_t c) { return get(x + i, c, V{}); }) / count;
      as<T>(args->out2)[r] = mean;
    }
    const T squares = row_sum<T>(n, [&](int64_t i, int64_t c) {
      V d = first<T>(get(x + i, c, V{}) - mean, c);
      return d * d;
    });
    const T rstd = 1 / root<T>(squares / count + static_cast<T>(args->eps));
    as<T>(args->out3)[r] = rstd;
    auto write = [&](auto weighted, auto shifted) {
      for (int64_t i = 0; i < n; i += kPer) {
        const int64_t c = n - i < kPer ? n - i : kPer;
        V v = (get(x + i, c, V{}) - mean) * rstd;
        if constexpr (weighted) v = v * get(w + i, c, V{});
        if constexpr (shifted) v = v + get(b + i, c, V{});
        put(y + i, v, c);
      }
    };
    struct Yes {
      constexpr operator bool() const { return true; }
    };
    struct No {
      constexpr operator bool() const { return false; }
    };
    if (w && b) {
      write(Yes(), Yes());
    } else if (w) {
      write(Yes(), No());
    } else if (b) {
      write(No(), Yes());
    } else {
      write(No(), No());
    }
  }
}

// With xhat = (x - mean) rstd and gw = g weight:
//   dx = rstd (gw - mean(gw) - xhat mean(gw xhat)), without the second term when not centred.
template <class T>
void layer_backward(const NormArgs* args) {
  using V = Vec<T>;
  constexpr int64_t kPer = kLanes<T>;
  const int64_t n = args->n;
  const T* w = as<T>(args->a);
  T* dw = as<T>(args->out2);
  T* db = as<T>(args->out3);
  for (int64_t r = 0; r < args->rows; ++r) {
    const T* x = as<T>(args->x) + r * n;
    const T* g = as<T>(args->g) + r * n;
    const T mean = args->b ? as<T>(args->b)[r] : T(0), rstd = as<T>(args->c)[r];
    auto xhat = [&](int64_t i, int64_t c) { return (get(x + i, c, V{}) - mean) * rstd; };
    auto weighted = [&](int64_t i, int64_t c) {
      V v = get(g + i, c, V{});
      return w ? v * get(w + i, c, V{}) : v;
    };
    if (args->out) {
      T* dx = as<T>(args->out) + r * n;
      T c1 = 0;
      if (args->b) c1 = row_sum<T>(n, weighted) / static_cast<T>(n);
      const T c2 =
          row_sum<T>(
              n, [&](int64_t i, int64_t c) { return first<T>(weighted(i, c) * xhat(i, c), c); }) /
          static_cast<T>(n);
      for (int64_t i = 0; i < n; i += kPer) {
        const int64_t c = n - i < kPer ? n - i : kPer;
        put(dx + i, (weighted(i, c) - c1 - xhat(i, c) * c2) * rstd, c);
      }
    }
    if (dw || db) {
      for (int64_t i = 0; i < n; i += kPer) {
        const int64_t c = n - i < kPer ? n - i : kPer;
        const V v = get(g + i, c, V{});
        if (dw) put(dw + i, get(dw + i, c, V{}) + v * xhat(i, c), c);
        if (db) put(db + i, get(db + i, c, V{}) + v, c);
      }
    }
  }
}

// The sum of f(p, q, count) over all vectors of the spans of one row of x (and g).
template <class T, class F>
D2L_INLINE T span_sum(const NormArgs* args, const T* x, const T* g, F f) {
  using V = Vec<T>;
  constexpr int64_t kPer = kLanes<T>;
  Pairwise<V> cascade;
  V group{};
  int pending = 0;
  for (int64_t s = 0; s < args->spans; ++s, x += args->span_pitch, g += args->span_pitch) {
    int64_t i = 0;
    for (; i + 4 * kPer <= args->n; i += 4 * kPer) {
      V a = f(x + i, g + i, kPer) + f(x + i + kPer, g + i + kPer, kPer);
      V b =
          f(x + i + 2 * kPer, g + i + 2 * kPer, kPer) + f(x + i + 3 * kPer, g + i + 3 * kPer, kPer);
      cascade.add(a + b);
    }
    for (; i < args->n; i += kPer) {
      group = group + f(x + i, g + i, args->n - i < kPer ? args->n - i : kPer);
      if (++pending == 8) {
        cascade.add(group);
        group = V{};
        pending = 0;
      }
    }
  }
  cascade.add(group);
  return fold_sum<T>(cascade.total());
}

template <class T>
void moments(const NormArgs* args) {
  using V = Vec<T>;
  const T count = static_cast<T>(args->n) * static_cast<T>(args->spans);
  for (int64_t r = 0; r < args->rows; ++r) {
    const T* x = as<T>(args->x) + r * args->row_pitch;
    const T sum =
        span_sum<T>(args, x, x, [](const T* p, const T*, int64_t c) { return get(p, c, V{}); });
    const T mean = sum / count;
    const T squares = span_sum<T>(args, x, x, [mean](const T* p, const T*, int64_t c) {
      V d = first<T>(get(p, c, V{}) - mean, c);
      return d * d;
    });
    as<T>(args->out)[r] = mean;
    as<T>(args->out2)[r] = squares / count;
  }
}

template <class T>
void dots(const NormArgs* args) {
  using V = Vec<T>;
  for (int64_t r = 0; r < args->rows; ++r) {
    const T* x = as<T>(args->x) + r * args->row_pitch;
    const T* g = as<T>(args->g) + r * args->row_pitch;
    const T mean = as<T>(args->a)[r];
    as<T>(args->out)[r] =
        span_sum<T>(args, x, g, [](const T*, const T* q, int64_t c) { return get(q, c, V{}); });
    as<T>(args->out2)[r] = span_sum<T>(args, x, g, [mean](const T* p, const T* q, int64_t c) {
      return first<T>((get(p, c, V{}) - mean) * get(q, c, V{}), c);
    });
  }
}

// out = x a + b, or g a + x b + c, with one number for each row.
template <class T, bool kCombine>
void scale(const NormArgs* args) {
  using V = Vec<T>;
  constexpr int64_t kPer = kLanes<T>;
  const int64_t n = args->n;
  for (int64_t r = 0; r < args->rows; ++r) {
    const int64_t k = r % args->period;
    const T* x = as<T>(args->x) + r * n;
    const T* g = as<T>(args->g) + r * n;
    T* y = as<T>(args->out) + r * n;
    const V a = splat(as<T>(args->a)[k]), b = splat(as<T>(args->b)[k]);
    const V d = kCombine ? splat(as<T>(args->c)[k]) : V{};
    for (int64_t i = 0; i < n; i += kPer) {
      const int64_t c = n - i < kPer ? n - i : kPer;
      const V v = get(x + i, c, V{});
      put(y + i, kCombine ? fma(get(g + i, c, V{}), a, fma(v, b, d)) : fma(v, a, b), c);
    }
  }
}

// The same with one number for each column.
template <class T, bool kCombine>
void column_scale(const NormArgs* args) {
  using V = Vec<T>;
  constexpr int64_t kPer = kLanes<T>;
  const int64_t n = args->n;
  for (int64_t r = 0; r < args->rows; ++r) {
    const T* x = as<T>(args->x) + r * n;
    const T* g = as<T>(args->g) + r * n;
    T* y = as<T>(args->out) + r * n;
    for (int64_t i = 0; i < n; i += kPer) {
      const int64_t c = n - i < kPer ? n - i : kPer;
      const V v = get(x + i, c, V{}), a = get(as<T>(args->a) + i, c, V{});
      const V b = get(as<T>(args->b) + i, c, V{});
      if constexpr (kCombine) {
        put(y + i, fma(get(g + i, c, V{}), a, fma(v, b, get(as<T>(args->c) + i, c, V{}))), c);
      } else {
        put(y + i, fma(v, a, b), c);
      }
    }
  }
}

// The sums of f(x, g) over the rows, for one vector of columns: blocks of 32 rows, then pairs.
template <class T, class F>
D2L_INLINE Vec<T> column_sum(const NormArgs* args, const T* x, const T* g, int64_t c, F f) {
  using V = Vec<T>;
  Pairwise<V> cascade;
  for (int64_t r = 0; r < args->rows;) {
    V sum{};
    for (int64_t k = 0; k < 32 && r < args->rows; ++k, ++r) {
      sum = sum + f(get(x + r * args->row_pitch, c, V{}), get(g + r * args->row_pitch, c, V{}));
    }
    cascade.add(sum);
  }
  return cascade.total();
}

template <class T, bool kDots>
void column_stats(const NormArgs* args) {
  using V = Vec<T>;
  constexpr int64_t kPer = kLanes<T>;
  const T count = static_cast<T>(args->rows);
  for (int64_t i = 0; i < args->n; i += kPer) {
    const int64_t c = args->n - i < kPer ? args->n - i : kPer;
    const T* x = as<T>(args->x) + i;
    V one, two;
    if constexpr (kDots) {
      const T* g = as<T>(args->g) + i;
      const V mean = get(as<T>(args->a) + i, c, V{});
      one = column_sum<T>(args, x, g, c, [](V, V q) { return q; });
      two = column_sum<T>(args, x, g, c, [mean](V p, V q) { return (p - mean) * q; });
    } else {
      one = column_sum<T>(args, x, x, c, [](V p, V) { return p; }) / count;
      const V mean = one;
      two = column_sum<T>(args, x, x, c, [mean](V p, V) { return (p - mean) * (p - mean); });
      two = two / count;
    }
    put(as<T>(args->out) + i, one, c);
    put(as<T>(args->out2) + i, two, c);
  }
}

template <class T>
void set_norms(KernelTable& t, Type type) {
  auto set = [&](Norm kind, NormFn fn) { t.norm[static_cast<int>(kind)][type] = fn; };
  set(Norm::layer, layer<T>);
  set(Norm::layer_backward, layer_backward<T>);
  set(Norm::moments, moments<T>);
  set(Norm::dots, dots<T>);
  set(Norm::scale, scale<T, false>);
  set(Norm::combine, scale<T, true>);
  set(Norm::column_moments, column_stats<T, false>);
  set(Norm::column_dots, column_stats<T, true>);
  set(Norm::column_scale, column_scale<T, false>);
  set(Norm::column_combine, column_scale<T, true>);
}

}  // namespace

void fill_norms(KernelTable& t) {
  set_norms<float>(t, kF32);
  set_norms<double>(t, kF64);
}

}  // namespace d2l::D2L_ISA_NS
