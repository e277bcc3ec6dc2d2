// See dense.h: triangular systems, LU, Cholesky.
#include "gemm/dense.h"

#include <algorithm>
#include <cmath>

#include "core/thread_pool.h"
#include "gemm/dense_parts.h"

namespace d2l {

using namespace dense;

namespace {

constexpr int64_t kTriangle = 16;  // rows that a triangular system solves element by element
constexpr int64_t kColumns = 64;   // of these columns at a time
constexpr int64_t kPanel = 8;      // columns that LU factors one by one
constexpr int64_t kCorner = 16;    // rows that Cholesky factors one by one

// At most kTriangle unknowns: T and some columns of B are copied to where they lie closely, so any
// strides take the same loops.
template <class T>
void solve_small(Block<T> t, bool upper, bool unit, Block<T> b) {
  const int64_t n = t.rows;
  T triangle[kTriangle * kTriangle];
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = upper ? i : 0; j < (upper ? n : i + 1); ++j) {
      triangle[i * kTriangle + j] = t(i, j);
    }
  }
  const int64_t grain = std::max<int64_t>(1, (1 << 18) / (n * n * kColumns)) * kColumns;
  parallel_for(b.cols, grain, [&](int64_t begin, int64_t end) {
    T x[kTriangle * kColumns];
    for (int64_t first = begin; first < end; first += kColumns) {
      const int64_t width = std::min(kColumns, end - first);
      const Block<T> part = b.part(0, first, n, width);
      for (int64_t i = 0; i < n; ++i)
        for (int64_t j = 0; j < width; ++j) x[i * kColumns + j] = part(i, j);
      for (int64_t step = 0; step < n; ++step) {
        const int64_t i = upper ? n - 1 - step : step;
        T* row = x + i * kColumns;
        for (int64_t k = upper ? i + 1 : 0; k < (upper ? n : i); ++k) {
          const T factor = triangle[i * kTriangle + k];
          const T* other = x + k * kColumns;
          for (int64_t j = 0; j < width; ++j) row[j] -= factor * other[j];
        }
        if (unit) continue;
        const T diagonal = triangle[i * kTriangle + i];
        for (int64_t j = 0; j < width; ++j) row[j] /= diagonal;
      }
      for (int64_t i = 0; i < n; ++i)
        for (int64_t j = 0; j < width; ++j) part(i, j) = x[i * kColumns + j];
    }
  });
}

// One column after another, each with the greatest element below the diagonal as its pivot.
template <class T>
int64_t factor_panel(Block<T> a, int32_t* pivots) {
  int64_t info = 0;
  for (int64_t j = 0; j < std::min(a.rows, a.cols); ++j) {
    int64_t at = j;
    auto best = magnitude(a(j, j));
    for (int64_t i = j + 1; i < a.rows; ++i) {
      if (magnitude(a(i, j)) > best) {
        best = magnitude(a(i, j));
        at = i;
      }
    }
    pivots[j] = static_cast<int32_t>(at + 1);
    const T pivot = a(at, j);
    if (pivot == T(0)) {
      if (info == 0) info = j + 1;
      continue;  // the column below is all zeros
    }
    if (at != j) {
      for (int64_t k = 0; k < a.cols; ++k) std::swap(a(j, k), a(at, k));
    }
    for (int64_t i = j + 1; i < a.rows; ++i) a(i, j) /= pivot;
    const T* factor = &a(0, j);
    for (int64_t k = j + 1; k < a.cols; ++k) {
      const T x = a(j, k);
      T* column = &a(0, k);
      if (a.row == 1) {
        for (int64_t i = j + 1; i < a.rows; ++i) column[i] -= factor[i] * x;
      } else {
        for (int64_t i = j + 1; i < a.rows; ++i) column[i * a.row] -= factor[i * a.row] * x;
      }
    }
  }
  return info;
}

template <class T>
int64_t cholesky_corner(Block<T> a) {
  for (int64_t j = 0; j < a.rows; ++j) {
    T sum = a(j, j);
    for (int64_t k = 0; k < j; ++k) sum -= a(j, k) * conjugate(a(j, k));
    const auto diagonal = std::real(sum);
    a(j, j) = T(diagonal);
    if (!(diagonal > 0)) return j + 1;
    const auto root = std::sqrt(diagonal);
    a(j, j) = T(root);
    for (int64_t i = j + 1; i < a.rows; ++i) {
      T x = a(i, j);
      for (int64_t k = 0; k < j; ++k) x -= a(i, k) * conjugate(a(j, k));
      a(i, j) = x / root;
    }
  }
  return 0;
}

// The lower triangle of C -= A A^H; `other` is conj(A).
template <class T>
void subtract_square(Block<T> c, Block<T> a, Block<T> other) {
  constexpr int64_t kWhole = 128;
  if (c.rows <= kWhole) return subtract_product(c, a, other.transposed());
  const int64_t h = half(c.rows, kCorner), rest = c.rows - h;
  const Block<T> a1 = a.part(0, 0, h, a.cols), a2 = a.part(h, 0, rest, a.cols);
  const Block<T> o1 = other.part(0, 0, h, a.cols), o2 = other.part(h, 0, rest, a.cols);
  subtract_square(c.part(0, 0, h, h), a1, o1);
  subtract_product(c.part(h, 0, rest, h), a2, o1.transposed());
  subtract_square(c.part(h, h, rest, rest), a2, o2);
}

}  // namespace

template <class T>
void solve_triangle(Block<T> t, bool upper, bool unit, Block<T> b) {
  const int64_t n = t.rows;
  if (n == 0 || b.cols == 0) return;
  if (n <= kTriangle) return solve_small(t, upper, unit, b);
  const int64_t h = half(n, kTriangle), rest = n - h;
  const Block<T> b1 = b.part(0, 0, h, b.cols), b2 = b.part(h, 0, rest, b.cols);
  const Block<T> t1 = t.part(0, 0, h, h), t2 = t.part(h, h, rest, rest);
  if (upper) {
    solve_triangle(t2, upper, unit, b2);
    subtract_product(b1, t.part(0, h, h, rest), b2);
    solve_triangle(t1, upper, unit, b1);
  } else {
    solve_triangle(t1, upper, unit, b1);
    subtract_product(b2, t.part(h, 0, rest, h), b1);
    solve_triangle(t2, upper, unit, b2);
  }
}

template <class T>
void exchange_rows(Block<T> b, const int32_t* pivots, int64_t count, bool forward) {
  // A few columns at a time, so that all exchanges find them in the cache.
  const int64_t grain = std::max<int64_t>(1, (1 << 16) / std::max<int64_t>(1, count));
  parallel_for(b.cols, grain, [&](int64_t begin, int64_t end) {
    for (int64_t j = begin; j < end; ++j) {
      for (int64_t step = 0; step < count; ++step) {
        const int64_t i = forward ? step : count - 1 - step;
        const int64_t other = pivots[i] - 1;
        if (other != i) std::swap(b(i, j), b(other, j));
      }
    }
  });
}

template <class T>
int64_t factor_lu(Block<T> a, int32_t* pivots) {
  const int64_t k = std::min(a.rows, a.cols);
  if (k == 0) return 0;
  if (k <= kPanel) return factor_panel(a, pivots);
  const int64_t h = half(k, kPanel), below = a.rows - h, rest = a.cols - h;
  const Block<T> left = a.part(0, 0, a.rows, h), right = a.part(0, h, a.rows, rest);
  const Block<T> corner = right.part(h, 0, below, rest);
  int64_t info = factor_lu(left, pivots);
  exchange_rows(right, pivots, h, true);
  solve_triangle(left.part(0, 0, h, h), false, true, right.part(0, 0, h, rest));
  subtract_product(corner, left.part(h, 0, below, h), right.part(0, 0, h, rest));
  const int64_t second = factor_lu(corner, pivots + h);
  if (info == 0 && second != 0) info = second + h;
  exchange_rows(left.part(h, 0, below, h), pivots + h, k - h, true);
  for (int64_t i = h; i < k; ++i) pivots[i] += static_cast<int32_t>(h);
  return info;
}

template <class T>
int64_t factor_cholesky(Block<T> a) {
  const int64_t n = a.rows;
  if (n <= kCorner) return cholesky_corner(a);
  const int64_t h = half(n, kCorner), rest = n - h;
  if (const int64_t info = factor_cholesky(a.part(0, 0, h, h))) return info;
  // L21 = A21 L11^-H: conj(L11) L21^T = A21^T.
  const Block<T> side = a.part(h, 0, rest, h);
  solve_triangle(Conjugated<T>(a.part(0, 0, h, h)).block(), false, false, side.transposed());
  const Block<T> corner = a.part(h, h, rest, rest);
  subtract_square(corner, side, Conjugated<T>(side).block());
  const int64_t info = factor_cholesky(corner);
  return info == 0 ? 0 : info + h;
}

#define D2L_DENSE(T)                                               \
  template void solve_triangle<T>(Block<T>, bool, bool, Block<T>); \
  template int64_t factor_lu<T>(Block<T>, int32_t*);               \
  template int64_t factor_cholesky<T>(Block<T>);                   \
  template void exchange_rows<T>(Block<T>, const int32_t*, int64_t, bool);
D2L_DENSE(float)
D2L_DENSE(double)
D2L_DENSE(std::complex<float>)
D2L_DENSE(std::complex<double>)
#undef D2L_DENSE

}  // namespace d2l
