// What every floating product kernel does with a finished tile of sums: go on from C, or scale, add
// beta * D, and write, masked at the right edge.
#pragma once

#include "kernels/gemm.h"
#include "kernels/gemm_simd.h"

namespace d2l::D2L_ISA_NS {

// Assumes: a tile of R x V vectors, of which the last column vector has the lanes in `last`; c and
// d point at the tile's first element.
template <class T, int R, int V>
D2L_INLINE void begin_tile(Vec<T> (&acc)[R][V], const GemmTail<T>& tail, const T* c, Mask<T> last) {
  if (tail.load) {
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) {
        const T* p = c + r * tail.c_row + v * kWidth<T>;
        acc[r][v] = v == V - 1 ? load(p, last) : load(p);
      }
  } else {
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) acc[r][v] = Vec<T>{};
  }
}

// D with a column stride that is not 1, copied side by side.
template <class T>
static __attribute__((noinline)) void gather_d(const T* d, int64_t row, int64_t col, int rows,
                                               int64_t cols, int64_t lead, T* out) {
  for (int r = 0; r < rows; ++r)
    for (int64_t j = 0; j < lead; ++j) out[r * lead + j] = j < cols ? d[r * row + j * col] : T(0);
}

template <class T, int R, int V>
D2L_INLINE void end_tile(Vec<T> (&acc)[R][V], const GemmTail<T>& tail, T* c, const T* d,
                         int64_t cols, Mask<T> last) {
  if (tail.finish) {
    if (tail.alpha != T(1)) {
      const Vec<T> alpha = broadcast(tail.alpha);
#pragma GCC unroll 16
      for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v) acc[r][v] *= alpha;
    }
    if (tail.d != nullptr) {
      T copy[R * V * kWidth<T>];
      int64_t d_row = tail.d_row;
      if (tail.d_col != 1) {
        gather_d(d, tail.d_row, tail.d_col, R, cols, V * kWidth<T>, copy);
        d = copy;
        d_row = V * kWidth<T>;
      }
      const Vec<T> beta = broadcast(tail.beta);
#pragma GCC unroll 16
      for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v) {
          const T* p = d + r * d_row + v * kWidth<T>;
          acc[r][v] = fma(beta, v == V - 1 ? load(p, last) : load(p), acc[r][v]);
        }
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) {
      T* p = c + r * tail.c_row + v * kWidth<T>;
      if (v == V - 1)
        store(p, acc[r][v], last);
      else
        store(p, acc[r][v]);
    }
}

}  // namespace d2l::D2L_ISA_NS
