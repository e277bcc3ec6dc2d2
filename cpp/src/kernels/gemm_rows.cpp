// Products that are too small, too narrow or too flat to be worth packing: A and B are read where
// they lie. Also a row times a matrix, which is bound by reading the matrix.
#include "kernels/gemm_parts.h"
#include "kernels/gemm_tile.h"

namespace d2l::D2L_ISA_NS {
namespace {

// Each row of A needs a pointer in a general register, of which there are 16: at most 8 rows. A
// masked load costs another vector register where masks are vectors.
constexpr int kRows = kVectorBytes == 64 ? 8 : kVectorBytes == 32 ? 5 : 4;
constexpr int kNv = kVectorBytes == 64 ? 3 : 2;

template <class T>
using TileFunction = void (*)(int64_t k, const T* a, int64_t a_row, int64_t a_col, const T* b,
                              int64_t b_row, const GemmTail<T>& tail, T* c, const T* d,
                              int64_t cols, int64_t ahead);

// Assumes: b has unit column stride; `cols` as in gemm_packed.cpp. Reads nothing beyond cols, but
// asks for the elements `ahead` of those it reads.
template <class T, int R, int V>
void tile(int64_t k, const T* a, int64_t a_row, int64_t a_col, const T* b, int64_t b_row,
          const GemmTail<T>& tail, T* c, const T* d, int64_t cols, int64_t ahead) {
  const Mask<T> last = first_lanes<T>(cols - (V - 1) * kWidth<T>);
  Vec<T> acc[R][V];
  begin_tile<T, R, V>(acc, tail, c, last);
  const T* row[R];
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) row[r] = a + r * a_row;
  int64_t at = 0;
  for (int64_t p = 0; p < k; ++p) {
    Vec<T> bv[V];
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) {
      __builtin_prefetch(b + ahead + v * kWidth<T>);
      bv[v] = v == V - 1 ? load(b + v * kWidth<T>, last) : load(b + v * kWidth<T>);
    }
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      const Vec<T> av = broadcast(row[r][at]);
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) acc[r][v] = fma(av, bv[v], acc[r][v]);
    }
    at += a_col;
    b += b_row;
  }
  end_tile<T, R, V>(acc, tail, c, d, cols, last);
}

template <class T, int V, class I>
struct Tiles;
template <class T, int V, int... I>
struct Tiles<T, V, Indices<I...>> {
  static constexpr TileFunction<T> of[] = {tile<T, I + 1, V>...};
};

// Rows from `first` to `end`, columns from j on, as many as one tile takes; returns how many.
template <class T>
int64_t columns(int64_t first, int64_t end, int64_t j, int64_t n, int64_t k, const T* a,
                int64_t a_row, int64_t a_col, const T* b, int64_t b_row, const GemmTail<T>& tail) {
  using Index = MakeIndices<kRows>::type;
  constexpr int64_t kW = kWidth<T>;
  // Four vectors left make 2 + 2, since 3 + 1 would starve the last.
  const int64_t left = (n - j + kW - 1) / kW;
  const int64_t vectors = left < kNv ? left : left == kNv + 1 ? (kNv + 1) / 2 : kNv;
  const TileFunction<T>* const tiles = vectors == 1   ? Tiles<T, 1, Index>::of
                                       : vectors == 2 ? Tiles<T, 2, Index>::of
                                                      : Tiles<T, kNv, Index>::of;
  const int64_t cols = n - j < vectors * kW ? n - j : vectors * kW;
  // In a single pass over a wide B nothing comes twice, and too many rows are read at once for the
  // processor to foresee.
  const int64_t ahead = end - first <= kRows && n - j > 16 * kW ? 4 * kNv * kW : 0;
  for (int64_t i = first; i < end; i += kRows) {
    const int64_t some = end - i < kRows ? end - i : kRows;
    T* const c = tail.c + i * tail.c_row + j;
    const T* const d = tail.d == nullptr ? nullptr : tail.d + i * tail.d_row + j * tail.d_col;
    tiles[some - 1](k, a + i * a_row, a_row, a_col, b + j, b_row, tail, c, d, cols, ahead);
  }
  return cols;
}

template <class T>
void rows(int64_t m, int64_t n, int64_t k, const T* a, int64_t a_row, int64_t a_col, const T* b,
          int64_t b_row, const GemmTail<T>& tail) {
  // A small B stays in the first cache: then C is written in order.
  const bool b_is_small = k * n * static_cast<int64_t>(sizeof(T)) <= 16 << 10;
  const int64_t step = b_is_small ? kRows : m;
  for (int64_t i = 0; i < m; i += step) {
    const int64_t end = m - i < step ? m : i + step;
    for (int64_t j = 0; j < n;) j += columns(i, end, j, n, k, a, a_row, a_col, b, b_row, tail);
  }
}

// Whole vectors with nothing but the sums to write; returns how many columns that were.
template <class T, int K, bool Load>
D2L_INLINE int64_t axpy_vectors(int64_t n, const Vec<T> (&x)[K], const T* b, int64_t b_row, T* c) {
  constexpr int64_t kW = kWidth<T>;
  int64_t j = 0;
  for (; j + 2 * kW <= n; j += 2 * kW) {
    Vec<T> one = Load ? load(c + j) : Vec<T>{}, two = Load ? load(c + j + kW) : Vec<T>{};
    const T* row = b + j;
#pragma GCC unroll 8
    for (int p = 0; p < K; ++p, row += b_row) {
      one = fma(x[p], load(row), one);
      two = fma(x[p], load(row + kW), two);
    }
    store(c + j, one);
    store(c + j + kW, two);
  }
  return j;
}

// Assumes: K rows of B at a time pass over the n sums, which stay in the first cache (the caller
// passes at most a few thousand columns).
template <class T, int K>
void axpy_step(int64_t n, const T* a, int64_t a_col, const T* b, int64_t b_row,
               const GemmTail<T>& tail) {
  Vec<T> x[K];
#pragma GCC unroll 8
  for (int p = 0; p < K; ++p) x[p] = broadcast(a[p * a_col]);
  int64_t j = 0;
  if (!tail.finish || (tail.alpha == T(1) && tail.d == nullptr)) {
    T* const c = tail.c;
    if (tail.load)
      j = axpy_vectors<T, K, true>(n, x, b, b_row, c);
    else
      j = axpy_vectors<T, K, false>(n, x, b, b_row, c);
  }
  for (; j < n; j += kWidth<T>) {
    const Mask<T> last = first_lanes<T>(n - j);
    Vec<T> acc[1][1];
    begin_tile<T, 1, 1>(acc, tail, tail.c + j, last);
    const T* row = b + j;
#pragma GCC unroll 8
    for (int p = 0; p < K; ++p, row += b_row) acc[0][0] = fma(x[p], load(row, last), acc[0][0]);
    const int64_t cols = n - j < kWidth<T> ? n - j : kWidth<T>;
    end_tile<T, 1, 1>(acc, tail, tail.c + j, tail.d == nullptr ? nullptr : tail.d + j * tail.d_col,
                      cols, last);
  }
}

template <class T, class I>
struct Steps;
template <class T, int... I>
struct Steps<T, Indices<I...>> {
  static constexpr void (*of[])(int64_t, const T*, int64_t, const T*, int64_t,
                                const GemmTail<T>&) = {axpy_step<T, I + 1>...};
};

template <class T>
void axpy(int64_t n, int64_t k, const T* a, int64_t a_col, const T* b, int64_t b_row,
          const GemmTail<T>& tail) {
  constexpr int64_t kStep = 8;
  using Table = Steps<T, MakeIndices<kStep>::type>;
  if (k <= kStep) return Table::of[k - 1](n, a, a_col, b, b_row, tail);
  GemmTail<T> part = tail;
  for (int64_t p = 0; p < k; p += kStep) {
    const int64_t some = k - p < kStep ? k - p : kStep;
    part.load = tail.load || p > 0;
    part.finish = tail.finish && p + some == k;
    Table::of[some - 1](n, a + p * a_col, a_col, b + p * b_row, b_row, part);
  }
}

template <class T>
void add(GemmKernels<T>& kernels) {
  kernels.rows_m = kRows;
  kernels.rows_n = kNv * kWidth<T>;
  kernels.rows = rows<T>;
  kernels.axpy = axpy<T>;
}

}  // namespace

void add_rows(GemmTable& table) {
  add(table.f32);
  add(table.f64);
}

}  // namespace d2l::D2L_ISA_NS
