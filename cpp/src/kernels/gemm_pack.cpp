// Packing: a block of a matrix with any strides becomes panels that the kernels read in order.
//
// Where memory runs along K, squares of width x width elements are transposed in registers.
#include "kernels/gemm_parts.h"
#include "kernels/gemm_simd.h"

namespace d2l::D2L_ISA_NS {
namespace {

template <class T, int H>
D2L_INLINE void transpose_steps(Vec<T> (&x)[kWidth<T>]) {
  if constexpr (H < kWidth<T>) {
#pragma GCC unroll 16
    for (int i = 0; i < kWidth<T>; ++i)
      if ((i & H) == 0) swap_blocks<H>(x[i], x[i + H], typename MakeIndices<kWidth<T>>::type());
    transpose_steps<T, 2 * H>(x);
  }
}

// Assumes: rows lie `stride` apart; `rows` of them and `cols` columns are there, both <= width;
// what is missing becomes zero. Writes `cols` rows of which the lanes in `keep`.
template <class T>
void transpose_square(const T* src, int64_t stride, int64_t rows, int64_t cols, T* dst,
                      int64_t lead, int64_t keep) {
  constexpr int kW = kWidth<T>;
  Vec<T> x[kW];
  if (rows == kW && cols == kW) {
#pragma GCC unroll 16
    for (int i = 0; i < kW; ++i) x[i] = load(src + i * stride);
  } else {
    const Mask<T> there = first_lanes<T>(cols);
#pragma GCC unroll 16
    for (int i = 0; i < kW; ++i) x[i] = i < rows ? load(src + i * stride, there) : Vec<T>{};
  }
  transpose_steps<T, 1>(x);
  if (keep == kW && cols == kW) {
#pragma GCC unroll 16
    for (int i = 0; i < kW; ++i) store(dst + i * lead, x[i]);
  } else {
    const Mask<T> lanes = first_lanes<T>(keep);
#pragma GCC unroll 16
    for (int i = 0; i < kW; ++i)
      if (i < cols) store(dst + i * lead, x[i], lanes);
  }
}

template <class T>
void pack(const T* src, int64_t s_i, int64_t s_p, int64_t count, int64_t k, T* dst, int64_t lead) {
  constexpr int64_t kW = kWidth<T>;
  if (s_i == 1 && lead == 2 * kW) {  // a panel of B: whole rows at a time
    const Mask<T> first = first_lanes<T>(count),
                  second = first_lanes<T>(count > kW ? count - kW : 0);
    for (int64_t p = 0; p < k; ++p, src += s_p, dst += lead) {
      store(dst, load(src, first));
      store(dst + kW, load(src + kW, second));
    }
  } else if (s_i == 1) {
    for (int64_t i = 0; i < lead; i += kW) {
      const Mask<T> there = first_lanes<T>(count > i ? count - i : 0);
      const Mask<T> keep = first_lanes<T>(lead - i);
      const T* from = src + i;
      T* to = dst + i;
      for (int64_t p = 0; p < k; ++p, from += s_p, to += lead) store(to, load(from, there), keep);
    }
  } else if (s_p == 1) {
    for (int64_t p = 0; p < k; p += kW)
      for (int64_t i = 0; i < lead; i += kW) {
        const int64_t left = count > i ? count - i : 0;
        transpose_square(src + i * s_i + p, s_i, left < kW ? left : kW, k - p < kW ? k - p : kW,
                         dst + p * lead + i, lead, lead - i < kW ? lead - i : kW);
      }
  } else {
    for (int64_t p = 0; p < k; ++p)
      for (int64_t i = 0; i < lead; ++i)
        dst[p * lead + i] = i < count ? src[i * s_i + p * s_p] : T(0);
  }
}

}  // namespace

void add_pack(GemmTable& table) {
  table.f32.pack = pack<float>;
  table.f64.pack = pack<double>;
}

}  // namespace d2l::D2L_ISA_NS
