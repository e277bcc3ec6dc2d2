// The loop behind all indexed access, by item size where bytes move and by dtype where they add.
#include "iter/index.h"

#include <cstring>

#include "core/half.h"
#include "core/thread_pool.h"
#include "iter/map.h"

namespace d2l {

Tensor IndexTensor::as_int64(const Tensor& index) {
  if (index.dtype() == DType::Int64) return index;
  Tensor out = empty(index.shape(), DType::Int64);
  copy_into(out, index);
  return out;
}

bool IndexTensor::find_outside(const Tensor& index, int64_t low, int64_t high, int64_t* value) {
  if (index.numel() == 0) return false;
  // What is repeated by stride 0 is looked at once.
  Dims shape(index.shape());
  for (int64_t d = 0; d < shape.size(); ++d) {
    if (index->strides[d] == 0) shape[d] = 1;
  }
  Tensor list = raw_view(index, shape, index.strides(), index.offset());
  if (!list.is_contiguous()) {
    Tensor copy = empty(shape, DType::Int64);
    copy_into(copy, list);
    list = copy;
  }
  const auto* v = list.data_as<uint64_t>();
  const int64_t n = list.numel();
  uint64_t bad = 0;  // the sign bit gathers v < low and v > high - 1; wrapping cannot hide either
  for (int64_t i = 0; i < n; ++i) {
    bad |= (v[i] - static_cast<uint64_t>(low)) | (static_cast<uint64_t>(high - 1) - v[i]);
  }
  if (!(bad >> 63)) return false;
  for (int64_t i = 0; i < n; ++i) {
    const auto x = static_cast<int64_t>(v[i]);
    if (x < low || x >= high) {
      *value = x;
      return true;
    }
  }
  return false;
}

namespace {

enum Operand { kIndex, kPlace, kDense };

// One row: n elements; strides in bytes.
struct Row {
  const char* index;
  char* place;
  char* dense;
  int64_t index_step, place_step, dense_step, scale, n;
};
// m rows of one geometry, by the strides of the next dimension.
struct Rows {
  Row first;
  int64_t index_next, place_next, dense_next, m;
};
using RowLoop = void (*)(const Rows&);

template <class F>
void each_row(const Rows& rows, F fn) {
  Row r = rows.first;
  for (int64_t j = 0;;) {
    fn(r);
    if (++j == rows.m) return;
    r.index += rows.index_next;
    r.place += rows.place_next;
    r.dense += rows.dense_next;
  }
}

inline int64_t index_at(const Row& r, int64_t i) {
  int64_t v;
  std::memcpy(&v, r.index + i * r.index_step, sizeof v);
  return v * r.scale;
}

struct Item16 {
  uint64_t a, b;
};

// A row that lies densely on both sides; long ones by the kernels' own loop.
void copy_row(char* to, const char* from, int64_t n) {
  if (n < 2048) {
    std::memcpy(to, from, static_cast<size_t>(n));
    return;
  }
  constexpr int kByte = static_cast<int>(DType::UInt8);
  char* const ptr[2] = {to, const_cast<char*>(from)};
  const int64_t strides[4] = {1, 1, 0, 0};
  const Scalars none;
  kernels().cast[kByte][kByte](ptr, strides, n, 1, &none);
}

template <class T, bool kGet>
inline void move_row(const Row& r) {
  constexpr int64_t kSize = sizeof(T);
  if (r.index_step == 0) {
    char* place = r.place + index_at(r, 0);
    char* to = kGet ? r.dense : place;
    const char* from = kGet ? place : r.dense;
    const int64_t to_step = kGet ? r.dense_step : r.place_step;
    const int64_t from_step = kGet ? r.place_step : r.dense_step;
    if (to_step == kSize && from_step == kSize) {
      copy_row(to, from, r.n * kSize);
    } else {
      for (int64_t i = 0; i < r.n; ++i) std::memcpy(to + i * to_step, from + i * from_step, kSize);
    }
    return;
  }
  if (kGet && r.index_step == 8 && r.dense_step == kSize) {
    const int64_t* index = reinterpret_cast<const int64_t*>(r.index);
    T* to = reinterpret_cast<T*>(r.dense);
    if (r.place_step == 0 && r.scale == kSize) {
      const T* place = reinterpret_cast<const T*>(r.place);
      for (int64_t i = 0; i < r.n; ++i) to[i] = place[index[i]];
    } else {
      const char* place = r.place;
      for (int64_t i = 0; i < r.n; ++i, place += r.place_step) {
        to[i] = *reinterpret_cast<const T*>(place + index[i] * r.scale);
      }
    }
    return;
  }
  for (int64_t i = 0; i < r.n; ++i) {
    char* place = r.place + i * r.place_step + index_at(r, i);
    char* dense = r.dense + i * r.dense_step;
    std::memcpy(kGet ? dense : place, kGet ? place : dense, kSize);
  }
}

template <class T, bool kGet>
void move_rows(const Rows& rows) {
  constexpr int64_t kAhead = 4;  // whole rows from places far apart: ask for them early
  if (rows.first.index_step == 0 && rows.first.n >= 16) {
    int64_t j = 0;
    each_row(rows, [&](const Row& r) {
      if (++j + kAhead <= rows.m) {
        Row later = r;
        later.index += kAhead * rows.index_next;
        const char* at = r.place + kAhead * rows.place_next + index_at(later, 0);
        __builtin_prefetch(at);
        __builtin_prefetch(at + 64);
        __builtin_prefetch(at + 128);
        __builtin_prefetch(at + 192);
      }
      move_row<T, kGet>(r);
    });
    return;
  }
  each_row(rows, move_row<T, kGet>);
}

// place = op(place, dense).
template <class T, class Op>
inline void combine_row(const Row& r, Op op) {
  if (r.index_step == 0) {
    char* place = r.place + index_at(r, 0);
    if (r.place_step == sizeof(T) && r.dense_step == sizeof(T)) {
      T* to = reinterpret_cast<T*>(place);
      const T* from = reinterpret_cast<const T*>(r.dense);
      for (int64_t i = 0; i < r.n; ++i) to[i] = op(to[i], from[i]);
    } else {
      for (int64_t i = 0; i < r.n; ++i) {
        T* to = reinterpret_cast<T*>(place + i * r.place_step);
        *to = op(*to, *reinterpret_cast<const T*>(r.dense + i * r.dense_step));
      }
    }
    return;
  }
  if (r.index_step == 8 && r.dense_step == sizeof(T)) {
    const int64_t* index = reinterpret_cast<const int64_t*>(r.index);
    const T* from = reinterpret_cast<const T*>(r.dense);
    char* place = r.place;
    for (int64_t i = 0; i < r.n; ++i, place += r.place_step) {
      T* to = reinterpret_cast<T*>(place + index[i] * r.scale);
      *to = op(*to, from[i]);
    }
    return;
  }
  for (int64_t i = 0; i < r.n; ++i) {
    T* to = reinterpret_cast<T*>(r.place + i * r.place_step + index_at(r, i));
    *to = op(*to, *reinterpret_cast<const T*>(r.dense + i * r.dense_step));
  }
}

template <class T>
struct Pair {
  T re, im;
};
struct Sum {
  template <class T>
  static T of(T a, T b) {
    return static_cast<T>(a + b);
  }
  static uint8_t of_bool(uint8_t a, uint8_t b) { return (a | b) != 0; }
  template <class T>
  static Pair<T> of(Pair<T> a, Pair<T> b) {
    return {a.re + b.re, a.im + b.im};
  }
};
struct Product {
  template <class T>
  static T of(T a, T b) {
    if constexpr (sizeof(T) == 2) {
      return static_cast<T>(uint32_t{a} * b);  // not in int: the square of 65535 overflows it
    } else {
      return static_cast<T>(a * b);
    }
  }
  static uint8_t of_bool(uint8_t a, uint8_t b) { return a && b; }
  template <class T>
  static Pair<T> of(Pair<T> a, Pair<T> b) {
    return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
  }
};

template <class T, class F>
void combine_rows(const Rows& rows, F op) {
  each_row(rows, [&](const Row& r) { combine_row<T>(r, op); });
}
template <class T, class Op>
void combine(const Rows& rows) {
  combine_rows<T>(rows, [](T a, T b) { return Op::of(a, b); });
}
template <class Op>
RowLoop choose_combine(DType dtype) {
  switch (dtype) {
    case DType::Bool:
      return [](const Rows& r) { combine_rows<uint8_t>(r, Op::of_bool); };
    case DType::UInt8:
    case DType::Int8:
      return combine<uint8_t, Op>;  // unsigned: results wrap
    case DType::Int16:
      return combine<uint16_t, Op>;
    case DType::Int32:
      return combine<uint32_t, Op>;
    case DType::Int64:
      return combine<uint64_t, Op>;
    case DType::Half:
      return [](const Rows& r) {
        combine_rows<uint16_t>(r, [](uint16_t a, uint16_t b) {
          return float_to_half(Op::of(half_to_float(a), half_to_float(b)));
        });
      };
    case DType::BFloat16:
      return [](const Rows& r) {
        combine_rows<uint16_t>(r, [](uint16_t a, uint16_t b) {
          return float_to_bfloat16(Op::of(bfloat16_to_float(a), bfloat16_to_float(b)));
        });
      };
    case DType::Float:
      return combine<float, Op>;
    case DType::Double:
      return combine<double, Op>;
    case DType::ComplexFloat:
      return combine<Pair<float>, Op>;
    default:
      return combine<Pair<double>, Op>;
  }
}

template <bool kLargest>
struct Extreme {
  template <class T>
  static T of(T a, T b) {
    if (a != a || b != b) return a != a ? a : b;
    return (kLargest ? a < b : b < a) ? b : a;
  }
};
template <class T, bool kLargest>
void extreme(const Rows& rows) {
  combine_rows<T>(rows, [](T a, T b) { return Extreme<kLargest>::of(a, b); });
}
template <bool kLargest>
RowLoop choose_extreme(DType dtype) {
  switch (dtype) {
    case DType::Int8:
      return extreme<int8_t, kLargest>;
    case DType::Int16:
      return extreme<int16_t, kLargest>;
    case DType::Int32:
      return extreme<int32_t, kLargest>;
    case DType::Int64:
      return extreme<int64_t, kLargest>;
    case DType::Half:
      return [](const Rows& r) {
        combine_rows<uint16_t>(r, [](uint16_t a, uint16_t b) {
          return float_to_half(Extreme<kLargest>::of(half_to_float(a), half_to_float(b)));
        });
      };
    case DType::BFloat16:
      return [](const Rows& r) {
        combine_rows<uint16_t>(r, [](uint16_t a, uint16_t b) {
          return float_to_bfloat16(
              Extreme<kLargest>::of(bfloat16_to_float(a), bfloat16_to_float(b)));
        });
      };
    case DType::Float:
      return extreme<float, kLargest>;
    case DType::Double:
      return extreme<double, kLargest>;
    default:  // bool, uint8
      return extreme<uint8_t, kLargest>;
  }
}

RowLoop choose(Access access, DType dtype) {
  if (access == Access::Largest) return choose_extreme<true>(dtype);
  if (access == Access::Smallest) return choose_extreme<false>(dtype);
  if (access == Access::Add) return choose_combine<Sum>(dtype);
  if (access == Access::Multiply) return choose_combine<Product>(dtype);
  const bool get = access == Access::Get;
  switch (itemsize(dtype)) {
    case 1:
      return get ? move_rows<uint8_t, true> : move_rows<uint8_t, false>;
    case 2:
      return get ? move_rows<uint16_t, true> : move_rows<uint16_t, false>;
    case 4:
      return get ? move_rows<uint32_t, true> : move_rows<uint32_t, false>;
    case 8:
      return get ? move_rows<uint64_t, true> : move_rows<uint64_t, false>;
    default:
      return get ? move_rows<Item16, true> : move_rows<Item16, false>;
  }
}

// The elements whose coordinate along dimension `cut` lies in [begin, end).
void run_part(const Plan& p, RowLoop fn, int64_t scale, int cut, int64_t begin, int64_t end) {
  int64_t low[kMaxDims] = {}, count[kMaxDims], at[kMaxDims] = {};
  for (int d = 0; d < p.ndim; ++d) count[d] = p.shape[d];
  Rows rows{{p.data[kIndex], p.data[kPlace], p.data[kDense], 0, 0, 0, scale, 1}, 0, 0, 0, 1};
  Row& r = rows.first;
  if (p.ndim > 0) {
    low[cut] = begin;
    count[cut] = end - begin;
    r.index += low[cut] * p.strides[kIndex][cut];
    r.place += low[cut] * p.strides[kPlace][cut];
    r.dense += low[cut] * p.strides[kDense][cut];
    r.index_step = p.strides[kIndex][0];
    r.place_step = p.strides[kPlace][0];
    r.dense_step = p.strides[kDense][0];
    r.n = count[0];
  }
  if (p.ndim > 1) {
    rows.index_next = p.strides[kIndex][1];
    rows.place_next = p.strides[kPlace][1];
    rows.dense_next = p.strides[kDense][1];
    rows.m = count[1];
  }
  for (;;) {
    fn(rows);
    int d = 2;
    for (; d < p.ndim; ++d) {
      r.index += p.strides[kIndex][d];
      r.place += p.strides[kPlace][d];
      r.dense += p.strides[kDense][d];
      if (++at[d] < count[d]) break;
      r.index -= count[d] * p.strides[kIndex][d];
      r.place -= count[d] * p.strides[kPlace][d];
      r.dense -= count[d] * p.strides[kDense][d];
      at[d] = 0;
    }
    if (d >= p.ndim) return;
  }
}

// Along which dimension threads may share the work: any one when reading, one along which the index
// stays the same when writing (so that each place has one writer). -1 when there is none.
int cut_dim(const Plan& p, Access access) {
  int best = -1;
  for (int d = 0; d < p.ndim; ++d) {
    if (p.shape[d] < 2) continue;
    if (access != Access::Get && (p.strides[kIndex][d] != 0 || p.strides[kPlace][d] == 0)) {
      continue;
    }
    if (best < 0 || p.shape[d] >= p.shape[best]) best = d;
  }
  return best;
}

}  // namespace

void run_indexed(Access access, const IndexedLoop& loop) {
  const IntList shape = loop.dense.shape();
  const Tensor place = raw_view(loop.place, shape, loop.place_strides, loop.place.offset());
  const Tensor& values = loop.index.values();
  const Tensor index = raw_view(values, shape, loop.index_strides, values.offset());
  const Plan p = make_plan(shape, {&index, &place, &loop.dense});
  if (p.numel == 0) return;
  const RowLoop fn = choose(access, place.dtype());
  const int64_t scale = loop.step * place.item_bytes();
  // Each place has one reader or one writer, so the cut, unlike that of a sum, may follow the
  // number of threads.
  const int threads = p.numel < kParallel ? 1 : num_threads();
  const int cut = threads > 1 ? cut_dim(p, access) : -1;
  if (cut < 0) {
    run_part(p, fn, scale, 0, 0, p.ndim ? p.shape[0] : 1);
    return;
  }
  int64_t grain = (p.shape[cut] + threads - 1) / threads;
  if (cut == 0) grain = (grain + 15) / 16 * 16;
  parallel_for(p.shape[cut], grain,
               [&](int64_t begin, int64_t end) { run_part(p, fn, scale, cut, begin, end); });
}

}  // namespace d2l
