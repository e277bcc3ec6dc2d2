// The product of two packed blocks: the kernel that large products spend their time in.
//
// A tile of mr x nr sums stays in registers while K passes by: per step two vectors of B and mr
// broadcast elements of A feed 2 * mr fused multiply-adds, so that loads never hold up arithmetic.
#include "kernels/gemm_parts.h"
#include "kernels/gemm_tile.h"

namespace d2l::D2L_ISA_NS {
namespace {

// 14 x 2 sums, two of B and one of A fill 31 of 32 registers; 6 x 2 the same way 15 of 16. Without
// fma the product needs a register of its own.
constexpr int kMr = kVectorBytes == 64 ? 14 : kVectorBytes == 32 ? 6 : 4;
constexpr int kNv = 2;

template <class T>
using TileFunction = void (*)(int64_t k, const T* a, const T* b, const GemmTail<T>& tail, T* c,
                              const T* d, int64_t cols);

// Assumes: a holds k rows of kMr elements, of which the tile uses R; b holds k rows of
// kNv * kWidth elements, padded with zeros; c has `cols` columns left, at least
// (V - 1) * kWidth + 1 and at most V * kWidth.
template <class T, int R, int V>
void tile(int64_t k, const T* a, const T* b, const GemmTail<T>& tail, T* c, const T* d,
          int64_t cols) {
  const Mask<T> last = first_lanes<T>(cols - (V - 1) * kWidth<T>);
  // The tile below comes next: its part of C arrives while this one is computed.
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r)
    for (int v = 0; v < V * kVectorBytes; v += 64)
      __builtin_prefetch(reinterpret_cast<const char*>(c + (R + r) * tail.c_row) + v, 1);
  Vec<T> acc[R][V];
  begin_tile<T, R, V>(acc, tail, c, last);
  for (int64_t p = 0; p < k; ++p) {
    Vec<T> bv[V];
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) bv[v] = load(b + v * kWidth<T>);
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
      const Vec<T> av = broadcast(a[r]);
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) acc[r][v] = fma(av, bv[v], acc[r][v]);
    }
    a += kMr;
    b += kNv * kWidth<T>;
  }
  end_tile<T, R, V>(acc, tail, c, d, cols, last);
}

template <class T, class I>
struct Tiles;
template <class T, int... I>
struct Tiles<T, Indices<I...>> {
  static constexpr TileFunction<T> one[] = {tile<T, I + 1, 1>...};
  static constexpr TileFunction<T> two[] = {tile<T, I + 1, 2>...};
};

template <class T>
void packed(int64_t m, int64_t n, int64_t k, const T* a, const T* b, const GemmTail<T>& tail) {
  using Table = Tiles<T, MakeIndices<kMr>::type>;
  constexpr int64_t kNr = kNv * kWidth<T>;
  for (int64_t j = 0; j < n; j += kNr) {
    const int64_t cols = n - j < kNr ? n - j : kNr;
    const TileFunction<T>* const tiles = cols > kWidth<T> ? Table::two : Table::one;
    for (int64_t i = 0; i < m; i += kMr) {
      const int64_t rows = m - i < kMr ? m - i : kMr;
      T* const c = tail.c + i * tail.c_row + j;
      const T* const d = tail.d == nullptr ? nullptr : tail.d + i * tail.d_row + j * tail.d_col;
      tiles[rows - 1](k, a + i * k, b + j * k, tail, c, d, cols);
    }
  }
}

template <class T>
void add(GemmKernels<T>& kernels) {
  kernels.width = kWidth<T>;
  kernels.mr = kMr;
  kernels.nr = kNv * kWidth<T>;
  kernels.packed = packed<T>;
}

}  // namespace

void add_packed(GemmTable& table) {
  add(table.f32);
  add(table.f64);
}

}  // namespace d2l::D2L_ISA_NS
