// The packed kernel of bfloat16: one instruction multiplies pairs and adds them up in float32,
// which doubles the arithmetic of gemm_packed.cpp with the same loads.
//
// The instruction is newer than the instruction set of this file: the caller asks the processor
// before it calls. It takes denormals for zero.
#include "kernels/gemm_parts.h"
#include "kernels/gemm_tile.h"

#if defined(__AVX512F__)
#pragma GCC push_options
#pragma GCC target("avx512bf16")

namespace d2l::D2L_ISA_NS {
namespace {

constexpr int kMr = 14;
constexpr int kNv = 2;
constexpr int kW = 16;

// Assumes: what gemm_packed.cpp does, with two bfloat16 in each float of a and b.
template <int R, int V>
void tile(int64_t k, const float* a, const float* b, const GemmTail<float>& tail, float* c,
          const float* d, int64_t cols) {
  const Mask<float> last = first_lanes<float>(cols - (V - 1) * kW);
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r)
    for (int v = 0; v < V; ++v) __builtin_prefetch(c + (R + r) * tail.c_row + v * kW, 1);
  Vec<float> acc[R][V];
  begin_tile<float, R, V>(acc, tail, c, last);
  for (int64_t p = 0; p < k; ++p) {
    __m512bh bv[V];
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) bv[v] = (__m512bh)load(b + v * kW);
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
      const __m512bh av = (__m512bh)broadcast(a[r]);
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) acc[r][v] = _mm512_dpbf16_ps(acc[r][v], av, bv[v]);
    }
    a += kMr;
    b += kNv * kW;
  }
  end_tile<float, R, V>(acc, tail, c, d, cols, last);
}

using TileFunction = void (*)(int64_t, const float*, const float*, const GemmTail<float>&, float*,
                              const float*, int64_t);

template <class I>
struct Tiles;
template <int... I>
struct Tiles<Indices<I...>> {
  static constexpr TileFunction one[] = {tile<I + 1, 1>...};
  static constexpr TileFunction two[] = {tile<I + 1, 2>...};
};

void packed_pairs(int64_t m, int64_t n, int64_t k, const float* a, const float* b,
                  const GemmTail<float>& tail) {
  using Table = Tiles<MakeIndices<kMr>::type>;
  constexpr int64_t kNr = kNv * kW;
  for (int64_t j = 0; j < n; j += kNr) {
    const int64_t cols = n - j < kNr ? n - j : kNr;
    const TileFunction* const tiles = cols > kW ? Table::two : Table::one;
    for (int64_t i = 0; i < m; i += kMr) {
      const int64_t rows = m - i < kMr ? m - i : kMr;
      const float* const d = tail.d == nullptr ? nullptr : tail.d + i * tail.d_row + j * tail.d_col;
      tiles[rows - 1](k, a + i * k, b + j * k, tail, tail.c + i * tail.c_row + j, d, cols);
    }
  }
}

}  // namespace

void add_pairs(GemmTable& table) { table.packed_pairs = packed_pairs; }

}  // namespace d2l::D2L_ISA_NS
#pragma GCC pop_options

#else

namespace d2l::D2L_ISA_NS {
void add_pairs(GemmTable&) {}
}  // namespace d2l::D2L_ISA_NS

#endif
