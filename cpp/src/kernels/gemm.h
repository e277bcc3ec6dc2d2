// The table of product kernels: one per instruction set, chosen once by gemm/.
//
// Plain structs only, so that files compiled for different processors can share this header.
#pragma once

#include <cstdint>

namespace d2l {

// Where a block of C goes, and what happens to its sums. C has unit column stride.
template <class T>
struct GemmTail {
  T* c;
  int64_t c_row;
  bool load;    // go on from the raw sums that an earlier block along K left in c
  bool finish;  // the last block along K: write alpha * sum + beta * d
  T alpha, beta;
  const T* d;  // null: no second term
  int64_t d_row, d_col;
};

// A piece of a panel that lies side by side in memory: `count` elements from `base`, which belong
// at place `first` of the panel.
struct Run {
  int64_t base, first, count;
};

// All kernels but dots, dot and window_dots add along K one product after another, with fma where
// there is one, so that an element of C has the same bits whichever of them computes it, in
// whatever blocks.
template <class T>
struct GemmKernels {
  int64_t width;           // elements of a vector
  int64_t mr, nr;          // the packed tile
  int64_t rows_m, rows_n;  // the tile of the product without packing

  // dst[p * lead + i] = src[i * s_i + p * s_p] for i < count, p < k; zeros for count <= i < lead.
  void (*pack)(const T* src, int64_t s_i, int64_t s_p, int64_t count, int64_t k, T* dst,
               int64_t lead);
  // A in panels of mr rows (k x mr each), B in panels of nr columns (k x nr each), both padded.
  void (*packed)(int64_t m, int64_t n, int64_t k, const T* a, const T* b, const GemmTail<T>& tail);
  // A with any strides, B with unit column stride, neither packed.
  void (*rows)(int64_t m, int64_t n, int64_t k, const T* a, int64_t a_row, int64_t a_col,
               const T* b, int64_t b_row, const GemmTail<T>& tail);
  // One row times a matrix with unit column stride, read in the order in which it lies in memory.
  void (*axpy)(int64_t n, int64_t k, const T* a, int64_t a_col, const T* b, int64_t b_row,
               const GemmTail<T>& tail);
  // A with unit column stride, B with unit row stride: vectors run along K.
  void (*dots)(int64_t m, int64_t n, int64_t k, const T* a, int64_t a_row, const T* b,
               int64_t b_col, const GemmTail<T>& tail);
  T (*dot)(int64_t k, const T* a, const T* b);

  // Convolutions (gemm/windows.h). Element (p, i) of a virtual matrix is src[offsets[p] + base of
  // column i], where runs say which columns follow each other in memory.
  // dst[p * lead + i] = element (p, i), zeros from `count` on. Writes a vector more than the panel.
  void (*pack_runs)(const T* src, const int64_t* offsets, int64_t k, const Run* runs,
                    int64_t n_runs, int64_t count, T* dst, int64_t lead);
  // The same matrix transposed: dst[i * lead + p] for p < count, zeros from `count` to `lead`.
  void (*pack_turned)(const T* src, const int64_t* offsets, int64_t count, const Run* runs,
                      int64_t n_runs, T* dst, int64_t lead);
  // C = A.B with row p of B at x + offsets[p].
  void (*window_rows)(int64_t m, int64_t n, int64_t k, const T* a, int64_t a_row, const T* x,
                      const int64_t* offsets, const GemmTail<T>& tail);
  // c[j] += sum over runs of g[first + i] * x[base + offsets[j] + i] for i < count.
  void (*window_dots)(int64_t n, const int64_t* offsets, const T* x, const T* g, const Run* runs,
                      int64_t n_runs, T* c);
};

// Integers: T is the unsigned type of the size, which wraps around as PyTorch's integers do.
template <class T>
struct IntegerTail {
  T* c;
  int64_t c_row, c_col;
  T alpha, beta;
  const T* d;
  int64_t d_row, d_col;
};
template <class T>
struct IntegerKernels {
  int64_t nr;  // columns of a panel of B: k x nr elements, padded with zeros
  void (*panel)(int64_t m, int64_t n, int64_t k, const T* a, int64_t a_row, int64_t a_col,
                const T* b, const IntegerTail<T>& tail);
};

struct GemmTable {
  GemmKernels<float> f32;
  GemmKernels<double> f64;
  IntegerKernels<uint8_t> u8, boolean;
  IntegerKernels<uint16_t> u16;
  IntegerKernels<uint32_t> u32;
  IntegerKernels<uint64_t> u64;
  // As GemmKernels::packed with pairs of bfloat16 in each float; null without it, and only to be
  // called where has_avx512_bf16() (core/cpu.h).
  void (*packed_pairs)(int64_t m, int64_t n, int64_t k, const float* a, const float* b,
                       const GemmTail<float>& tail);
  // n elements that lie `stride` apart <-> n floats side by side; rounds to nearest even.
  void (*half_to_float)(const uint16_t* src, int64_t stride, int64_t n, float* dst);
  void (*bfloat16_to_float)(const uint16_t* src, int64_t stride, int64_t n, float* dst);
  void (*float_to_half)(const float* src, int64_t n, uint16_t* dst, int64_t stride);
  void (*float_to_bfloat16)(const float* src, int64_t n, uint16_t* dst, int64_t stride);
};

namespace baseline {
void fill_gemm_table(GemmTable& table);
}
namespace avx2 {
void fill_gemm_table(GemmTable& table);
}
namespace avx512 {
void fill_gemm_table(GemmTable& table);
}

}  // namespace d2l
