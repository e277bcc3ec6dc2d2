// Integer and bool products: the same register tile for every width, in wrap-around arithmetic.
#include "kernels/gemm_parts.h"
#include "kernels/gemm_simd.h"

namespace d2l::D2L_ISA_NS {
namespace {

constexpr int kRows = 4;
constexpr int kNv = 2;

// Assumes: b holds k rows of kNv vectors, padded; sums gets R rows of them.
template <class T, bool IsBool, int R>
void tile(int64_t k, const T* a, int64_t a_row, int64_t a_col, const T* b, T* sums) {
  typedef T V __attribute__((vector_size(kVectorBytes)));
  constexpr int64_t kW = kVectorBytes / static_cast<int64_t>(sizeof(T));
  V acc[R][kNv];
#pragma GCC unroll 4
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
    for (int v = 0; v < kNv; ++v) acc[r][v] = V{};
  for (int64_t p = 0; p < k; ++p, b += kNv * kW) {
    V bv[kNv];
    __builtin_memcpy(&bv, b, sizeof bv);
#pragma GCC unroll 4
    for (int r = 0; r < R; ++r) {
      const T x = a[r * a_row + p * a_col];
#pragma GCC unroll 4
      for (int v = 0; v < kNv; ++v) {
        if constexpr (IsBool)
          acc[r][v] |= bv[v] & (x - V{});
        else
          acc[r][v] += bv[v] * (x - V{});
      }
    }
  }
  __builtin_memcpy(sums, &acc, sizeof acc);
}

template <class T, bool IsBool>
void panel(int64_t m, int64_t n, int64_t k, const T* a, int64_t a_row, int64_t a_col, const T* b,
           const IntegerTail<T>& tail) {
  constexpr int64_t kNr = kNv * kVectorBytes / static_cast<int64_t>(sizeof(T));
  T sums[kRows * kNr];
  for (int64_t i = 0; i < m;) {
    const int64_t rows = m - i < kRows ? 1 : kRows;
    const T* const first = a + i * a_row;
    if (rows == kRows)
      tile<T, IsBool, kRows>(k, first, a_row, a_col, b, sums);
    else
      tile<T, IsBool, 1>(k, first, a_row, a_col, b, sums);
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t j = 0; j < n; ++j) {
        const T d = tail.d == nullptr ? T(0) : tail.d[(i + r) * tail.d_row + j * tail.d_col];
        T* const c = tail.c + (i + r) * tail.c_row + j * tail.c_col;
        if constexpr (IsBool)
          *c = static_cast<T>((tail.alpha & (sums[r * kNr + j] != 0)) | (tail.beta & (d != 0)));
        else  // 64 bits: the product of two uint16_t would overflow int
          *c = static_cast<T>(uint64_t{tail.alpha} * sums[r * kNr + j] + uint64_t{tail.beta} * d);
      }
    i += rows;
  }
}

template <class T, bool IsBool = false>
IntegerKernels<T> kernels() {
  return {kNv * kVectorBytes / static_cast<int64_t>(sizeof(T)), panel<T, IsBool>};
}

}  // namespace

void add_integer(GemmTable& table) {
  table.u8 = kernels<uint8_t>();
  table.boolean = kernels<uint8_t, true>();
  table.u16 = kernels<uint16_t>();
  table.u32 = kernels<uint32_t>();
  table.u64 = kernels<uint64_t>();
}

}  // namespace d2l::D2L_ISA_NS
