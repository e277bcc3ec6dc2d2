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

// Assumes: row i begins at row(i); `rows` of them and `cols` columns are there, both <= width;
// what is missing becomes zero. Writes `cols` rows of which the lanes in `keep`.
template <class T, class Row>
D2L_INLINE void transpose_square(Row row, int64_t rows, int64_t cols, T* dst, int64_t lead,
                                 int64_t keep) {
  constexpr int kW = kWidth<T>;
  Vec<T> x[kW];
  if (rows == kW && cols == kW) {
#pragma GCC unroll 16
    for (int i = 0; i < kW; ++i) x[i] = load(row(i));
  } else {
    const Mask<T> there = first_lanes<T>(cols);
#pragma GCC unroll 16
    for (int i = 0; i < kW; ++i) x[i] = i < rows ? load(row(i), there) : Vec<T>{};
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
        const T* const from = src + i * s_i + p;
        transpose_square<T>([&](int64_t r) { return from + r * s_i; }, left < kW ? left : kW,
                            k - p < kW ? k - p : kW, dst + p * lead + i, lead,
                            lead - i < kW ? lead - i : kW);
      }
  } else {
    for (int64_t p = 0; p < k; ++p)
      for (int64_t i = 0; i < lead; ++i)
        dst[p * lead + i] = i < count ? src[i * s_i + p * s_p] : T(0);
  }
}

#if defined(__AVX512F__)
// Lanes from memory, the others as they are.
D2L_INLINE Vec<float> merge(Vec<float> v, const float* p, __mmask16 lanes) {
  return _mm512_mask_loadu_ps(v, lanes, p);
}
D2L_INLINE Vec<double> merge(Vec<double> v, const double* p, __mmask16 lanes) {
  return _mm512_mask_loadu_pd(v, static_cast<__mmask8>(lanes), p);
}
#endif

// lead is two vectors.
template <class T>
void pack_runs(const T* src, const int64_t* offsets, int64_t k, const Run* runs, int64_t n_runs,
               int64_t count, T* dst, int64_t lead) {
  constexpr int64_t kW = kWidth<T>;
  if (n_runs == 1 && count == lead && lead == 2 * kW) {
    const T* const from = src + runs->base;
    for (int64_t p = 0; p < k; ++p, dst += lead) {
      store(dst, load(from + offsets[p]));
      store(dst + kW, load(from + offsets[p] + kW));
    }
    return;
  }
#if defined(__AVX512F__)
  // Each vector is put together from its runs by masked loads, then stored once.
  int64_t from[2][kW], pieces[2] = {0, 0};
  __mmask16 lanes[2][kW];
  for (int64_t r = 0; r < n_runs; ++r)
    for (int half = 0; half < 2; ++half) {
      const int64_t first = runs[r].first - half * kW, last = first + runs[r].count;
      const int64_t low = first > 0 ? first : 0, high = last < kW ? last : kW;
      if (low >= high) continue;
      from[half][pieces[half]] = runs[r].base - first;  // where lane 0 would be
      lanes[half][pieces[half]++] = static_cast<__mmask16>(((1u << high) - 1) & ~((1u << low) - 1));
    }
  for (int64_t p = 0; p < k; ++p, dst += lead) {
    const T* const x = src + offsets[p];
    Vec<T> v[2] = {};
#pragma GCC unroll 2
    for (int half = 0; half < 2; ++half) {
      for (int64_t i = 0; i < pieces[half]; ++i)
        v[half] = merge(v[half], x + from[half][i], lanes[half][i]);
      store(dst + half * kW, v[half]);
    }
  }
#else
  // Whole vectors are stored, the later ones over what is too much of the earlier ones. A run of
  // one element is a piece of its own, so there are at most as many pieces as columns.
  constexpr int64_t kPieces = 2 * kW;
  int64_t from[kPieces], to[kPieces], pieces = 0;
  Mask<T> there[kPieces];
  for (int64_t r = 0; r < n_runs; ++r)
    for (int64_t i = 0; i < runs[r].count; i += kW) {
      from[pieces] = runs[r].base + i;
      to[pieces] = runs[r].first + i;
      there[pieces++] = first_lanes<T>(runs[r].count - i);
    }
  for (int64_t p = 0; p < k; ++p, dst += lead) {
    if (count < lead)
      for (int64_t i = 0; i < lead; i += kW) store(dst + i, Vec<T>{}, first_lanes<T>(lead - i));
    const T* const x = src + offsets[p];
    for (int64_t i = 0; i < pieces; ++i) store(dst + to[i], load(x + from[i], there[i]));
  }
#endif
}

template <class T>
void pack_turned(const T* src, const int64_t* offsets, int64_t count, const Run* runs,
                 int64_t n_runs, T* dst, int64_t lead) {
  constexpr int64_t kW = kWidth<T>;
  for (int64_t r = 0; r < n_runs; ++r) {
    const T* const base = src + runs[r].base;
    T* const to = dst + runs[r].first * lead;
    for (int64_t i = 0; i < lead; i += kW) {
      const int64_t left = count > i ? count - i : 0, rows = left < kW ? left : kW;
      const int64_t keep = lead - i < kW ? lead - i : kW;
      const int64_t* const at = offsets + i;
      for (int64_t q = 0; q < runs[r].count; q += kW) {
        const int64_t cols = runs[r].count - q < kW ? runs[r].count - q : kW;
        transpose_square<T>([&](int64_t j) { return base + at[j] + q; }, rows, cols,
                            to + q * lead + i, lead, keep);
      }
    }
  }
}

}  // namespace

void add_pack(GemmTable& table) {
  table.f32.pack = pack<float>;
  table.f64.pack = pack<double>;
  table.f32.pack_runs = pack_runs<float>;
  table.f64.pack_runs = pack_runs<double>;
  table.f32.pack_turned = pack_turned<float>;
  table.f64.pack_turned = pack_turned<double>;
}

}  // namespace d2l::D2L_ISA_NS
