// Convolutions that are too narrow to be worth packing: few output channels, or one for each group.
//
// Row p of the virtual matrix of windows is a shifted row of the input, so that vectors run along
// the row and are read where they lie; only the table of shifts tells it from a product of
// matrices.
#include "kernels/gemm_parts.h"
#include "kernels/gemm_tile.h"

namespace d2l::D2L_ISA_NS {
namespace {

constexpr int kRows = kVectorBytes == 64 ? 6 : 4;
constexpr int kNv = kVectorBytes == 64 ? 4 : 2;

template <class T>
using TileFunction = void (*)(int64_t k, const T* a, int64_t a_row, const T* x,
                              const int64_t* offsets, const GemmTail<T>& tail, T* c, const T* d,
                              int64_t cols);

// Assumes: `cols` as in gemm_packed.cpp; reads nothing beyond them.
template <class T, int R, int V>
void tile(int64_t k, const T* a, int64_t a_row, const T* x, const int64_t* offsets,
          const GemmTail<T>& tail, T* c, const T* d, int64_t cols) {
  const Mask<T> last = first_lanes<T>(cols - (V - 1) * kWidth<T>);
  Vec<T> acc[R][V];
  begin_tile<T, R, V>(acc, tail, c, last);
  for (int64_t p = 0; p < k; ++p) {
    const T* const b = x + offsets[p];
    Vec<T> bv[V];
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v)
      bv[v] = v == V - 1 ? load(b + v * kWidth<T>, last) : load(b + v * kWidth<T>);
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      const Vec<T> av = broadcast(a[r * a_row + p]);
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) acc[r][v] = fma(av, bv[v], acc[r][v]);
    }
  }
  end_tile<T, R, V>(acc, tail, c, d, cols, last);
}

template <class T, int V, class I>
struct Tiles;
template <class T, int V, int... I>
struct Tiles<T, V, Indices<I...>> {
  static constexpr TileFunction<T> of[] = {tile<T, I + 1, V>...};
};

template <class T>
void window_rows(int64_t m, int64_t n, int64_t k, const T* a, int64_t a_row, const T* x,
                 const int64_t* offsets, const GemmTail<T>& tail) {
  using Index = MakeIndices<kRows>::type;
  constexpr int64_t kW = kWidth<T>;
  static constexpr const TileFunction<T>* kTiles[] = {
      Tiles<T, 1, Index>::of, Tiles<T, 2, Index>::of, Tiles<T, kNv - 1, Index>::of,
      Tiles<T, kNv, Index>::of};
  for (int64_t j = 0; j < n;) {
    const int64_t left = (n - j + kW - 1) / kW, vectors = left < kNv ? left : kNv;
    const int64_t cols = n - j < vectors * kW ? n - j : vectors * kW;
    for (int64_t i = 0; i < m; i += kRows) {
      const int64_t some = m - i < kRows ? m - i : kRows;
      T* const c = tail.c + i * tail.c_row + j;
      const T* const d = tail.d == nullptr ? nullptr : tail.d + i * tail.d_row + j * tail.d_col;
      kTiles[vectors - 1][some - 1](k, a + i * a_row, a_row, x + j, offsets, tail, c, d, cols);
    }
    j += cols;
  }
}

// N places of the window at a time: as many sums as hide the latency of an addition.
template <class T, int N>
void dots(const int64_t* offsets, const T* x, const T* g, const Run* runs, int64_t n_runs, T* c) {
  constexpr int64_t kW = kWidth<T>;
  Vec<T> acc[N];
#pragma GCC unroll 8
  for (int j = 0; j < N; ++j) acc[j] = Vec<T>{};
  for (int64_t r = 0; r < n_runs; ++r) {
    const T* const from = x + runs[r].base;
    const T* const with = g + runs[r].first;
    for (int64_t i = 0; i < runs[r].count; i += kW) {
      const Mask<T> there = first_lanes<T>(runs[r].count - i);
      const Vec<T> gv = load(with + i, there);
#pragma GCC unroll 8
      for (int j = 0; j < N; ++j) acc[j] = fma(gv, load(from + offsets[j] + i, there), acc[j]);
    }
  }
  T sums[(N + kW) / kW * kW];
  sum_lanes<T, N>(acc, sums);
  for (int j = 0; j < N; ++j) c[j] += sums[j];
}

template <class T>
void window_dots(int64_t n, const int64_t* offsets, const T* x, const T* g, const Run* runs,
                 int64_t n_runs, T* c) {
  for (; n >= 8; n -= 8, offsets += 8, c += 8) dots<T, 8>(offsets, x, g, runs, n_runs, c);
  for (; n >= 4; n -= 4, offsets += 4, c += 4) dots<T, 4>(offsets, x, g, runs, n_runs, c);
  for (; n >= 1; n -= 1, offsets += 1, c += 1) dots<T, 1>(offsets, x, g, runs, n_runs, c);
}

}  // namespace

void add_windows(GemmTable& table) {
  table.f32.window_rows = window_rows<float>;
  table.f64.window_rows = window_rows<double>;
  table.f32.window_dots = window_dots<float>;
  table.f64.window_dots = window_dots<double>;
}

}  // namespace d2l::D2L_ISA_NS
