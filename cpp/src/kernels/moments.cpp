// The mean and the sum of squared distances from it, of rows and of columns, in one pass over
// memory.
//
// The one idea: a block that stays in L1 is read twice, for its mean c and for s = sum(x - c) and
// q = sum((x - c)^2); its moments are c + s / n and q - s^2 / n. Blocks are combined in double:
//   m2 = m2_a + m2_b + d^2 n_a n_b / (n_a + n_b), d the difference of the means
// (Chan, Golub, LeVeque, Updating formulae and a pairwise algorithm for computing sample variances,
// 1979).
#include "kernels/copy2d.h"
#include "kernels/reduce_ops.h"

namespace d2l::D2L_ISA_NS {
namespace {

struct Moments {
  double mean = 0, m2 = 0;
  D2L_INLINE void add(double other_mean, double other_m2, double n, double more) {
    const double d = other_mean - mean, part = more / (n + more);
    // A first block is taken as it is: infinities would give NaN.
    m2 = n == 0 ? other_m2 : m2 + other_m2 + d * d * n * part;
    mean = n == 0 ? other_mean : mean + d * part;
  }
};

template <class T>
D2L_INLINE T total(Vec<T> v) {
  return fold<SumOp<T>, 1>(v)[0];
}

template <class T>
void row_block(const T* x, int64_t n, double* mean, double* m2) {
  using V = Vec<T>;
  const SumOp<T> op{};
  const T c = static_cast<T>(
      static_cast<double>(total<T>(reduce_stream(&op, reinterpret_cast<const char*>(x), n))) /
      static_cast<double>(n));
  V s[4] = {}, q[4] = {};
  int64_t i = 0;
  for (; i + 4 * kLanes<T> <= n; i += 4 * kLanes<T>) {
#pragma GCC unroll 4
    for (int k = 0; k < 4; ++k) {
      const V d = load<T>(x + i + k * kLanes<T>) - c;
      s[k] = s[k] + d;
      q[k] = fma(d, d, q[k]);
    }
  }
#pragma GCC unroll 1
  for (int k = 0; i < n; i += kLanes<T>, ++k) {
    const int64_t left = n - i;
    const V d = left >= kLanes<T> ? load<T>(x + i) - c
                                  : first_of<T>(load_part(x + i, left, V{}) - c, left, V{});
    s[k] = s[k] + d;
    q[k] = fma(d, d, q[k]);
  }
  const double sum = total<T>((s[0] + s[1]) + (s[2] + s[3]));
  *m2 = total<T>((q[0] + q[1]) + (q[2] + q[3])) - sum * sum / static_cast<double>(n);
  *m2 = *m2 < 0 ? 0 : *m2;
  *mean = c - c == 0 ? c + sum / static_cast<double>(n) : c;
}

constexpr int64_t kRows = 64;  // of a block of columns

// kWide vectors of columns; `last` columns of the last vector are there. Moments for each column.
template <class T, int kWide>
void column_block(const T* x, int64_t step, int64_t n, int64_t last, Moments* to, int64_t before) {
  using V = Vec<T>;
  auto get = [&](int64_t i, int k) __attribute__((always_inline)) {
    const T* p = x + i * step + k * kLanes<T>;
    if (kWide > 1 || last == kLanes<T>) return load<T>(p);
    return load_part(p, last, V{});
  };
  V c[kWide] = {}, s[kWide] = {}, q[kWide] = {};
  const T count = static_cast<T>(n);
  for (int64_t i = 0; i < n; ++i) {
#pragma GCC unroll 4
    for (int k = 0; k < kWide; ++k) c[k] = c[k] + get(i, k);
  }
#pragma GCC unroll 4
  for (int k = 0; k < kWide; ++k) c[k] = c[k] / count;
  for (int64_t i = 0; i < n; ++i) {
#pragma GCC unroll 4
    for (int k = 0; k < kWide; ++k) {
      const V d = get(i, k) - c[k];
      s[k] = s[k] + d;
      q[k] = fma(d, d, q[k]);
    }
  }
  alignas(64) T cs[kWide * kLanes<T>], ss[kWide * kLanes<T>], qs[kWide * kLanes<T>];
#pragma GCC unroll 4
  for (int k = 0; k < kWide; ++k) {
    store(cs + k * kLanes<T>, c[k]);
    store(ss + k * kLanes<T>, s[k]);
    store(qs + k * kLanes<T>, q[k]);
  }
  const double have = static_cast<double>(before), more = static_cast<double>(n);
  for (int j = 0; j < kWide * kLanes<T>; ++j) {
    const double sum = ss[j], m2 = qs[j] - sum * sum / more;
    to[j].add(cs[j] - cs[j] == 0 ? cs[j] + sum / more : cs[j], m2 < 0 ? 0 : m2, have, more);
  }
}

// `count` columns, at most 4 vectors of them.
template <class T>
D2L_INLINE void some_columns(const T* x, int64_t step, int64_t n, int64_t count, T* mean, T* m2) {
  constexpr int64_t kPer = kLanes<T>;
  Moments m[4 * kPer];
  for (int64_t i = 0; i < n; i += kRows) {
    const int64_t r = n - i < kRows ? n - i : kRows;
    const T* p = x + i * step;
    if (count == 4 * kPer) {
      column_block<T, 4>(p, step, r, kPer, m, i);
      continue;
    }
    for (int64_t j = 0; j < count; j += kPer) {
      column_block<T, 1>(p + j, step, r, count - j < kPer ? count - j : kPer, m + j, i);
    }
  }
  for (int64_t j = 0; j < count; ++j) {
    mean[j] = static_cast<T>(m[j].mean);
    m2[j] = static_cast<T>(m[j].m2);
  }
}

template <class T>
void columns(const RowArgs* args) {
  constexpr int64_t kMost = 4 * kLanes<T>;
  for (int64_t j = 0; j < args->rows; j += kMost) {
    const int64_t c = args->rows - j < kMost ? args->rows - j : kMost;
    some_columns(reinterpret_cast<const T*>(args->a) + j, args->step, args->n, c,
                 reinterpret_cast<T*>(args->out) + j, reinterpret_cast<T*>(args->out2) + j);
  }
}

template <class T>
void rows(const RowArgs* args) {
  constexpr int64_t kShort = 4 * kLanes<T>, kBlock = 8192 / sizeof(T);
  const int64_t n = args->n;
  const T* x = reinterpret_cast<const T*>(args->a);
  T* mean = reinterpret_cast<T*>(args->out);
  T* m2 = reinterpret_cast<T*>(args->out2);
  if (n < kShort) {  // turned into columns
    alignas(64) T buffer[kShort * kShort];
    for (int64_t j = 0; j < args->rows; j += kShort) {
      const int64_t c = args->rows - j < kShort ? args->rows - j : kShort;
      copy2d(reinterpret_cast<char*>(buffer), sizeof(T), kShort * sizeof(T),
             reinterpret_cast<const char*>(x + j * n), n * static_cast<int64_t>(sizeof(T)),
             sizeof(T), c, n, sizeof(T));
      some_columns(buffer, kShort, n, c, mean + j, m2 + j);
    }
    return;
  }
  for (int64_t j = 0; j < args->rows; ++j) {
    Moments all;
    for (int64_t i = 0; i < n; i += kBlock) {
      const int64_t count = n - i < kBlock ? n - i : kBlock;
      double a = 0, b = 0;
      row_block(x + j * n + i, count, &a, &b);
      all.add(a, b, static_cast<double>(i), static_cast<double>(count));
    }
    mean[j] = static_cast<T>(all.mean);
    m2[j] = static_cast<T>(all.m2);
  }
}

}  // namespace

void fill_moments(KernelTable& t) {
  const int at = static_cast<int>(Row::moments);
  t.row[at][kF32] = rows<float>;
  t.row[at][kF64] = rows<double>;
  t.column[at][kF32] = columns<float>;
  t.column[at][kF64] = columns<double>;
}

}  // namespace d2l::D2L_ISA_NS
