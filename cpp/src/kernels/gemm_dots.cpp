// Products as dot products: where both operands lie along K (A . B^T), vectors run along K too and
// each sum is a vector until its end. Best for narrow outputs, which would leave lanes idle.
#include "kernels/gemm_parts.h"
#include "kernels/gemm_simd.h"

namespace d2l::D2L_ISA_NS {
namespace {

// Assumes: R rows of A and S columns of B, both with unit stride along k; room in sums for whole
// vectors.
template <class T, int R, int S>
void dots_tile(int64_t k, const T* a, int64_t a_row, const T* b, int64_t b_col, T* sums) {
  constexpr int64_t kW = kWidth<T>;
  Vec<T> acc[R][S];
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
    for (int s = 0; s < S; ++s) acc[r][s] = Vec<T>{};
  int64_t p = 0;
  for (; p + kW <= k; p += kW) {
    Vec<T> bv[S];
#pragma GCC unroll 8
    for (int s = 0; s < S; ++s) bv[s] = load(b + s * b_col + p);
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      const Vec<T> av = load(a + r * a_row + p);
#pragma GCC unroll 8
      for (int s = 0; s < S; ++s) acc[r][s] = fma(av, bv[s], acc[r][s]);
    }
  }
  if (p < k) {
    const Mask<T> rest = first_lanes<T>(k - p);
    Vec<T> bv[S];
#pragma GCC unroll 8
    for (int s = 0; s < S; ++s) bv[s] = load(b + s * b_col + p, rest);
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      const Vec<T> av = load(a + r * a_row + p, rest);
#pragma GCC unroll 8
      for (int s = 0; s < S; ++s) acc[r][s] = fma(av, bv[s], acc[r][s]);
    }
  }
  sum_lanes<T, R * S>(&acc[0][0], sums);
}

template <class T>
using DotsFunction = void (*)(int64_t, const T*, int64_t, const T*, int64_t, T*);

constexpr int kRows = kVectorBytes == 64 ? 4 : 2;
constexpr int kCols = kVectorBytes == 64 ? 5 : 4;
constexpr int kLong = 8;  // columns at a time of a single row

template <class T, int R, class I>
struct Tiles;
template <class T, int R, int... I>
struct Tiles<T, R, Indices<I...>> {
  static constexpr DotsFunction<T> of[] = {dots_tile<T, R, I + 1>...};
};

template <class T>
void write(const T* sums, int64_t lead, int64_t rows, int64_t cols, int64_t i, int64_t j,
           const GemmTail<T>& tail) {
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t s = 0; s < cols; ++s) {
      T x = sums[r * lead + s] * tail.alpha;
      if (tail.d != nullptr)
        x = fma1(tail.beta, tail.d[(i + r) * tail.d_row + (j + s) * tail.d_col], x);
      tail.c[(i + r) * tail.c_row + j + s] = x;
    }
}

template <class T>
void dots(int64_t m, int64_t n, int64_t k, const T* a, int64_t a_row, const T* b, int64_t b_col,
          const GemmTail<T>& tail) {
  using Index = MakeIndices<kCols>::type;
  T sums[kRows * kLong + kWidth<T>];
  for (int64_t i = 0; i < m;) {
    const int64_t rows = m - i < kRows ? m - i : kRows;
    for (int64_t j = 0; j < n;) {
      // Tiles of about the same width: a narrow one loads more than it multiplies.
      const int64_t left = n - j, passes = (left + kCols - 1) / kCols;
      const int64_t most = rows == 1 && left >= kLong ? kLong : kCols;
      const int64_t cols = most == kLong ? kLong : (left + passes - 1) / passes;
      const T* const first = a + i * a_row;
      const T* const second = b + j * b_col;
      if (most == kLong)
        dots_tile<T, 1, kLong>(k, first, a_row, second, b_col, sums);
      else if (rows == kRows)
        Tiles<T, kRows, Index>::of[cols - 1](k, first, a_row, second, b_col, sums);
      else
        for (int64_t r = 0; r < rows; ++r)
          Tiles<T, 1, Index>::of[cols - 1](k, first + r * a_row, a_row, second, b_col,
                                           sums + r * cols);
      write(sums, cols, rows, cols, i, j, tail);
      j += cols;
    }
    i += rows;
  }
}

// Assumes: unit strides. Eight sums run side by side to hide the latency of the addition.
template <class T>
T dot(int64_t k, const T* a, const T* b) {
  constexpr int kSums = 8;
  constexpr int64_t kW = kWidth<T>;
  Vec<T> acc[kSums];
#pragma GCC unroll 8
  for (int s = 0; s < kSums; ++s) acc[s] = Vec<T>{};
  int64_t p = 0;
  for (; p + kSums * kW <= k; p += kSums * kW)
#pragma GCC unroll 8
    for (int s = 0; s < kSums; ++s)
      acc[s] = fma(load(a + p + s * kW), load(b + p + s * kW), acc[s]);
  for (; p < k; p += kW) {
    const Mask<T> there = first_lanes<T>(k - p);
    acc[0] = fma(load(a + p, there), load(b + p, there), acc[0]);
  }
#pragma GCC unroll 4
  for (int half = kSums / 2; half > 0; half /= 2)
#pragma GCC unroll 8
    for (int s = 0; s < half; ++s) acc[s] += acc[s + half];
  T sum[kW];
  sum_lanes<T, 1>(acc, sum);
  return sum[0];
}

}  // namespace

void add_dots(GemmTable& table) {
  table.f32.dots = dots<float>;
  table.f64.dots = dots<double>;
  table.f32.dot = dot<float>;
  table.f64.dot = dot<double>;
}

}  // namespace d2l::D2L_ISA_NS
