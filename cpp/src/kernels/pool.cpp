// Pooling: maxima and means over windows of planes.
//
// The one idea: vectors run along the outputs of a row. For that the rows of the input are first
// split into parts (pool_parts) in which the elements that neighbouring windows want lie side by
// side, with -inf or 0 for the padding; then every place of the window is one load. Windows that
// are irregular, or few in a row, go through lists of their bounds.
#include "kernels/map.h"

namespace d2l::D2L_ISA_NS {
namespace {

template <class T>
D2L_INLINE Vec<T> load_some(const T* p, int64_t n) {
  return n >= kLanes<T> ? load<T>(p) : load_part(p, n, Vec<T>{});
}
template <class T>
D2L_INLINE void store_some(T* p, Vec<T> v, int64_t n) {
  if (n >= kLanes<T>) {
    store(p, v);
  } else {
    store_part(p, v, n);
  }
}

// The places of a window along the last dimension in the split rows.
template <class T>
struct Parts {
  int64_t count, size, step;  // parts of a row, their length, the stride of the elements in them
  bool by_place;

  explicit Parts(const PoolArgs& a)
      : count(pool_parts(a)), step(a.stride[2]), by_place(a.kernel[2] <= a.stride[2]) {
    const int64_t whole = (a.out_size[2] + kLanes<T> - 1) / kLanes<T> * kLanes<T>;
    size = whole + (by_place ? 0 : (a.kernel[2] - 1) * a.dilation[2] / step);
  }
  int64_t row() const { return count * size; }
  int64_t place(const PoolArgs& a, int64_t k) const {  // offset of place k for output 0
    const int64_t w = k * a.dilation[2];
    return by_place ? k * size : w % step * size + w / step;
  }
  // Element i of part j is element i * step + first(j) of the row.
  int64_t first(const PoolArgs& a, int64_t j) const {
    return (by_place ? j * a.dilation[2] : j) - a.padding[2];
  }
  // The elements of part j that lie in the row: [begin, end).
  D2L_INLINE void inside(int64_t from, int64_t n, int64_t* begin, int64_t* end) const {
    int64_t b = from >= 0 ? 0 : (-from + step - 1) / step;
    int64_t e = n - from <= 0 ? 0 : (n - from + step - 1) / step;
    *end = e < size ? e : size;
    *begin = b < *end ? b : *end;
  }
};

template <class T>
void split_row(const PoolArgs& a, const Parts<T>& parts, const T* x, T* to, T outside) {
  using V = Vec<T>;
  constexpr int64_t kPer = kLanes<T>;
  const int64_t step = parts.step;
  for (int64_t j = 0; j < parts.count; ++j, to += parts.size) {
    const int64_t from = parts.first(a, j);
    int64_t begin, end;
    parts.inside(from, a.in_size[2], &begin, &end);
    for (int64_t i = 0; i < begin; ++i) to[i] = outside;
    for (int64_t i = end; i < parts.size; ++i) to[i] = outside;
    int64_t i = begin;
    const T* const src = x + from;
    if (step == 1) {
      for (; i < end; i += kPer) store_some(to + i, load_some(src + i, end - i), end - i);
    } else if (step == 2) {
      VInt<T> even;
      for (int k = 0; k < kPer; ++k) even[k] = static_cast<IntOf<T>>(2 * k);
      // The last vector would read one element too many.
      for (; i + kPer < end; i += kPer) {
        const V low = load<T>(src + 2 * i), high = load<T>(src + 2 * i + kPer);
        store(to + i, __builtin_shuffle(low, high, even));
      }
    }
    for (; i < end; ++i) to[i] = src[i * step];
  }
}

// The places k for which start + k * dilation lies in [0, n): [begin, end).
struct Range {
  int64_t begin, end;
};
D2L_INLINE Range places_inside(int64_t start, int64_t dilation, int64_t kernel, int64_t n) {
  Range r;
  r.begin = start >= 0 ? 0 : (-start + dilation - 1) / dilation;
  r.end = n - start <= 0 ? 0 : (n - start + dilation - 1) / dilation;
  if (r.end > kernel) r.end = kernel;
  if (r.begin > r.end) r.begin = r.end;
  return r;
}

// Calls at_row(row, first place) for the rows of the window of output row (d, h).
template <class F>
D2L_INLINE void for_window_rows(const PoolArgs& a, int64_t d, int64_t h, F at_row) {
  const int64_t d0 = d * a.stride[0] - a.padding[0], h0 = h * a.stride[1] - a.padding[1];
  const Range rd = places_inside(d0, a.dilation[0], a.kernel[0], a.in_size[0]);
  const Range rh = places_inside(h0, a.dilation[1], a.kernel[1], a.in_size[1]);
  for (int64_t kd = rd.begin; kd < rd.end; ++kd)
    for (int64_t kh = rh.begin; kh < rh.end; ++kh)
      at_row((d0 + kd * a.dilation[0]) * a.in_size[1] + h0 + kh * a.dilation[1]);
}

// The rows that a plane's windows read: split ones in scratch, each when it is first wanted.
template <class T>
struct Rows {
  Rows(const PoolArgs& args, T padding)
      : a(args), parts(args), outside(padding), split(reinterpret_cast<T*>(args.scratch)) {
    // Whole vectors are read: only rows that are long enough can be read where they lie.
    const int64_t whole = (a.out_size[2] + kLanes<T> - 1) / kLanes<T> * kLanes<T>;
    direct = a.stride[2] == 1 && a.padding[2] == 0 &&
             whole + (a.kernel[2] - 1) * a.dilation[2] <= a.in_size[2];
  }
  void begin(const T* plane) {
    x = plane;
    done = 0;
  }
  D2L_INLINE const T* row(int64_t r) {
    if (direct) return x + r * a.in_size[2];
    for (; done <= r; ++done)
      split_row(a, parts, x + done * a.in_size[2], split + done * parts.row(), outside);
    return split + r * parts.row();
  }
  D2L_INLINE int64_t place(int64_t k) const {
    return direct ? k * a.dilation[2] : parts.place(a, k);
  }

  const PoolArgs& a;
  Parts<T> parts;
  T outside;
  T* split;
  const T* x = nullptr;
  int64_t done = 0;
  bool direct;
};

template <class T, bool kIndex>
void max_windows(const PoolArgs* args) {
  using V = Vec<T>;
  using I = VInt<T>;
  constexpr int64_t kPer = kLanes<T>;
  const PoolArgs& a = *args;
  const int64_t area = a.out_size[0] * a.out_size[1] * a.out_size[2];
  const int64_t in_area = a.in_size[0] * a.in_size[1] * a.in_size[2];
  Rows<T> rows(a, -T(__builtin_inf()));
  IntOf<T> lane[kPer];
  for (int64_t i = 0; i < kPer; ++i) lane[i] = static_cast<IntOf<T>>(i * a.stride[2]);
  const I lanes = load<IntOf<T>>(lane);
  for (int64_t plane = 0; plane < a.planes; ++plane) {
    rows.begin(reinterpret_cast<const T*>(a.in) + plane * in_area);
    T* out = reinterpret_cast<T*>(a.out) + plane * area;
    int64_t* index = kIndex ? a.index + plane * area : nullptr;
    for (int64_t d = 0; d < a.out_size[0]; ++d)
      for (int64_t h = 0; h < a.out_size[1]; ++h) {
        for (int64_t w = 0; w < a.out_size[2]; w += kPer) {
          const int64_t left = a.out_size[2] - w;
          V best = splat(-T(__builtin_inf()));
          // The position of the window's first element, should all be -inf.
          I at = I{} - 1;
          const I column = lanes + static_cast<IntOf<T>>(w * a.stride[2] - a.padding[2]);
          for_window_rows(a, d, h, [&](int64_t r) {
            const T* const x = rows.row(r) + w;
            for (int64_t k = 0; k < a.kernel[2]; ++k) {
              const V v = load<T>(x + rows.place(k));
              const I better = (v > best) | (v != v);
              best = better ? v : best;
              if (kIndex) {
                const I here = column + static_cast<IntOf<T>>(k * a.dilation[2]);
                const I there = here + static_cast<IntOf<T>>(r * a.in_size[2]);
                const I valid = (here >= 0) & (here < static_cast<IntOf<T>>(a.in_size[2]));
                at = better | ((at < 0) & valid) ? there : at;
              }
            }
          });
          store_some(out + w, best, left);
          if (kIndex) {
            IntOf<T> places[kPer];
            store(places, at < 0 ? I{} : at);  // all of the window lies outside
            if (left >= kPer) {
              for (int64_t i = 0; i < kPer; ++i) index[w + i] = places[i];
            } else {
              for (int64_t i = 0; i < left; ++i) index[w + i] = places[i];
            }
          }
        }
        out += a.out_size[2];
        if (kIndex) index += a.out_size[2];
      }
  }
}

template <class T>
void max_entry(const PoolArgs* args) {
  if (args->index) {
    max_windows<T, true>(args);
  } else {
    max_windows<T, false>(args);
  }
}

// What the sums of one row of outputs are divided by, as numbers: row[w], then times `factor`.
template <class T>
D2L_INLINE T divisors(const PoolArgs& a, int64_t d, int64_t h, T* row) {
  const T factor = a.divisor ? T(a.divisor) : T(a.count[0][d] * a.count[1][h]);
  for (int64_t w = 0; w < a.out_size[2]; ++w)
    row[w] = a.divisor ? factor : factor * T(a.count[2][w]);
  return factor;
}

template <class T>
void mean_windows(const PoolArgs* args) {
  using V = Vec<T>;
  constexpr int64_t kPer = kLanes<T>;
  const PoolArgs& a = *args;
  const int64_t area = a.out_size[0] * a.out_size[1] * a.out_size[2];
  const int64_t in_area = a.in_size[0] * a.in_size[1] * a.in_size[2];
  Rows<T> rows(a, T(0));
  T* const divide = rows.split + a.in_size[0] * a.in_size[1] * rows.parts.row();
  for (int64_t i = 0; i < rows.parts.size; ++i) divide[i] = T(1);
  for (int64_t plane = 0; plane < a.planes; ++plane) {
    rows.begin(reinterpret_cast<const T*>(a.in) + plane * in_area);
    T* out = reinterpret_cast<T*>(a.out) + plane * area;
    for (int64_t d = 0; d < a.out_size[0]; ++d)
      for (int64_t h = 0; h < a.out_size[1]; ++h) {
        divisors(a, d, h, divide);
        for (int64_t w = 0; w < a.out_size[2]; w += kPer) {
          V sum{};
          for_window_rows(a, d, h, [&](int64_t r) {
            const T* const x = rows.row(r) + w;
            for (int64_t k = 0; k < a.kernel[2]; ++k) sum += load<T>(x + rows.place(k));
          });
          store_some(out + w, sum / load<T>(divide + w), a.out_size[2] - w);
        }
        out += a.out_size[2];
      }
  }
}

template <class T>
void mean_backward(const PoolArgs* args) {
  constexpr int64_t kPer = kLanes<T>;
  const PoolArgs& a = *args;
  const Parts<T> parts(a);
  const int64_t area = a.out_size[0] * a.out_size[1] * a.out_size[2];
  const int64_t lines = a.in_size[0] * a.in_size[1];
  T* const sums = reinterpret_cast<T*>(a.scratch);
  T* const divide = sums + lines * parts.row();
  T* const share = divide + parts.size;
  for (int64_t i = 0; i < 2 * parts.size; ++i) divide[i] = T(1);
  for (int64_t plane = 0; plane < a.planes; ++plane) {
    const T* g = reinterpret_cast<const T*>(a.in) + plane * area;
    T* out = reinterpret_cast<T*>(a.out) + plane * lines * a.in_size[2];
    for (int64_t i = 0; i < lines * parts.row(); ++i) sums[i] = T(0);
    for (int64_t d = 0; d < a.out_size[0]; ++d)
      for (int64_t h = 0; h < a.out_size[1]; ++h, g += a.out_size[2]) {
        divisors(a, d, h, divide);
        for (int64_t w = 0; w < a.out_size[2]; w += kPer)
          store(share + w, load_some(g + w, a.out_size[2] - w) / load<T>(divide + w));
        for_window_rows(a, d, h, [&](int64_t r) {
          for (int64_t k = 0; k < a.kernel[2]; ++k) {
            T* const to = sums + r * parts.row() + parts.place(a, k);
            for (int64_t w = 0; w < a.out_size[2]; w += kPer)
              store(to + w, load<T>(to + w) + load<T>(share + w));
          }
        });
      }
    for (int64_t r = 0; r < lines; ++r, out += a.in_size[2]) {
      const T* from = sums + r * parts.row();
      for (int64_t w = 0; w < a.in_size[2]; ++w) out[w] = T(0);  // what no window covers
      for (int64_t j = 0; j < parts.count; ++j, from += parts.size) {
        const int64_t first = parts.first(a, j);
        int64_t begin, end;
        parts.inside(first, a.in_size[2], &begin, &end);
        T* const to = out + first;
        if (parts.step == 1) {
          for (int64_t i = begin; i < end; ++i) to[i] = from[i];
        } else {
          for (int64_t i = begin; i < end; ++i) to[i * parts.step] = from[i];
        }
      }
    }
  }
}

// --- Windows from lists --------------------------------------------------------------------------

template <class T>
D2L_INLINE bool is_nan(T x) {
  return x != x;
}

template <class T>
D2L_INLINE T lowest() {
  if constexpr (T(0.5) != T(0)) {
    return -T(__builtin_inf());
  } else {
    return T(-1) > T(0) ? T(0) : T(T(1) << (sizeof(T) * 8 - 1));
  }
}

template <class T>
void max_lists(const PoolArgs* args) {
  const PoolArgs& a = *args;
  const int64_t height = a.in_size[1], width = a.in_size[2];
  const T* x = reinterpret_cast<const T*>(a.in);
  T* out = reinterpret_cast<T*>(a.out);
  int64_t* index = a.index;
  for (int64_t plane = 0; plane < a.planes; ++plane, x += a.in_size[0] * height * width) {
    const int64_t* start[3];
    const int64_t* end[3];
    for (int i = 0; i < 3; ++i) {
      start[i] = a.start[i] + plane * a.list_step[i];
      end[i] = a.end[i] + plane * a.list_step[i];
    }
    for (int64_t od = 0; od < a.out_size[0]; ++od)
      for (int64_t oh = 0; oh < a.out_size[1]; ++oh)
        for (int64_t ow = 0; ow < a.out_size[2]; ++ow) {
          // Dilated windows may pass over a short plane altogether.
          const bool none = start[0][od] >= end[0][od] || start[1][oh] >= end[1][oh] ||
                            start[2][ow] >= end[2][ow];
          int64_t at = none ? 0 : (start[0][od] * height + start[1][oh]) * width + start[2][ow];
          T best = lowest<T>();
          for (int64_t d = start[0][od]; d < end[0][od]; d += a.dilation[0])
            for (int64_t h = start[1][oh]; h < end[1][oh]; h += a.dilation[1]) {
              const T* const row = x + (d * height + h) * width;
              for (int64_t w = start[2][ow]; w < end[2][ow]; w += a.dilation[2])
                if (row[w] > best || is_nan(row[w])) {
                  best = row[w];
                  at = (d * height + h) * width + w;
                }
            }
          *out++ = best;
          if (index) *index++ = at;
        }
  }
}

template <class T>
void mean_lists(const PoolArgs* args) {
  const PoolArgs& a = *args;
  const int64_t height = a.in_size[1], width = a.in_size[2];
  const T* x = reinterpret_cast<const T*>(a.in);
  T* out = reinterpret_cast<T*>(a.out);
  T* const sums = reinterpret_cast<T*>(a.scratch);
  for (int64_t plane = 0; plane < a.planes; ++plane, x += a.in_size[0] * height * width)
    for (int64_t od = 0; od < a.out_size[0]; ++od)
      for (int64_t oh = 0; oh < a.out_size[1]; ++oh) {
        // The rows of the window, added up.
        for (int64_t w = 0; w < width; ++w) sums[w] = T(0);
        for (int64_t d = a.start[0][od]; d < a.end[0][od]; ++d)
          for (int64_t h = a.start[1][oh]; h < a.end[1][oh]; ++h) {
            const T* const row = x + (d * height + h) * width;
            for (int64_t w = 0; w < width; ++w) sums[w] += row[w];
          }
        const int64_t count = a.count[0][od] * a.count[1][oh];
        for (int64_t ow = 0; ow < a.out_size[2]; ++ow) {
          T sum = T(0);
          for (int64_t w = a.start[2][ow]; w < a.end[2][ow]; ++w) sum += sums[w];
          const int64_t by = a.divisor ? a.divisor : count * a.count[2][ow];
          if (by == -1) {
            *out++ = -sum;  // the least integer, too
          } else {
            *out++ = sum / T(by);
          }
        }
      }
}

template <class T>
void mean_lists_backward(const PoolArgs* args) {
  const PoolArgs& a = *args;
  const int64_t height = a.in_size[1], width = a.in_size[2];
  const T* g = reinterpret_cast<const T*>(a.in);
  T* out = reinterpret_cast<T*>(a.out);
  T* const share = reinterpret_cast<T*>(a.scratch);
  for (int64_t plane = 0; plane < a.planes; ++plane, out += a.in_size[0] * height * width) {
    for (int64_t i = 0; i < a.in_size[0] * height * width; ++i) out[i] = T(0);
    for (int64_t od = 0; od < a.out_size[0]; ++od)
      for (int64_t oh = 0; oh < a.out_size[1]; ++oh, g += a.out_size[2]) {
        const int64_t count = a.count[0][od] * a.count[1][oh];
        for (int64_t w = 0; w < width; ++w) share[w] = T(0);
        for (int64_t ow = 0; ow < a.out_size[2]; ++ow) {
          const T part = g[ow] / T(a.divisor ? a.divisor : count * a.count[2][ow]);
          for (int64_t w = a.start[2][ow]; w < a.end[2][ow]; ++w) share[w] += part;
        }
        for (int64_t d = a.start[0][od]; d < a.end[0][od]; ++d)
          for (int64_t h = a.start[1][oh]; h < a.end[1][oh]; ++h) {
            T* const row = out + (d * height + h) * width;
            for (int64_t w = 0; w < width; ++w) row[w] += share[w];
          }
      }
  }
}

template <class T>
void set_floating(KernelTable& t, Type type) {
  t.pool[static_cast<int>(Pool::max)][type] = max_entry<T>;
  t.pool[static_cast<int>(Pool::mean)][type] = mean_windows<T>;
  t.pool[static_cast<int>(Pool::mean_backward)][type] = mean_backward<T>;
  t.pool[static_cast<int>(Pool::max_lists)][type] = max_lists<T>;
  t.pool[static_cast<int>(Pool::mean_lists)][type] = mean_lists<T>;
  t.pool[static_cast<int>(Pool::mean_lists_backward)][type] = mean_lists_backward<T>;
}

}  // namespace

void fill_pool(KernelTable& t) {
  set_floating<float>(t, kF32);
  set_floating<double>(t, kF64);
  auto& max = t.pool[static_cast<int>(Pool::max_lists)];
  max[kU8] = max_lists<uint8_t>;
  max[kI8] = max_lists<int8_t>;
  max[kI16] = max_lists<int16_t>;
  max[kI32] = max_lists<int32_t>;
  max[kI64] = max_lists<int64_t>;
  t.pool[static_cast<int>(Pool::mean_lists)][kI64] = mean_lists<int64_t>;
}

}  // namespace d2l::D2L_ISA_NS
