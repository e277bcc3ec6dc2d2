// Vectors of the widest size the instruction set has, for the product kernels: a dozen helpers,
// each one instruction. Everything lives in the instruction set's namespace and is inlined.
#pragma once

#include <cstdint>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#ifndef D2L_ISA_NS
#define D2L_ISA_NS baseline
#endif

namespace d2l::D2L_ISA_NS {

#define D2L_INLINE static inline __attribute__((always_inline))

// 0, 1, ..., N - 1 as template arguments (<utility> would leave weak symbols).
template <int... I>
struct Indices {};
template <int N, int... I>
struct MakeIndices : MakeIndices<N - 1, N - 1, I...> {};
template <int... I>
struct MakeIndices<0, I...> {
  using type = Indices<I...>;
};

#if defined(__AVX512F__)
constexpr int kVectorBytes = 64;
#elif defined(__AVX2__)
constexpr int kVectorBytes = 32;
#else
constexpr int kVectorBytes = 16;
#endif

template <class T>
struct VectorOf;
template <>
struct VectorOf<float> {
  typedef float type __attribute__((vector_size(kVectorBytes)));
};
template <>
struct VectorOf<double> {
  typedef double type __attribute__((vector_size(kVectorBytes)));
};
template <class T>
using Vec = typename VectorOf<T>::type;
template <class T>
constexpr int kWidth = kVectorBytes / static_cast<int>(sizeof(T));

#if defined(__AVX512F__)

template <class T>
using Mask = __mmask16;
template <class T>
D2L_INLINE Mask<T> first_lanes(int64_t n) {  // 0 <= n; all lanes when n >= width
  return static_cast<__mmask16>(n >= kWidth<T> ? 0xFFFF : (1u << n) - 1);
}
D2L_INLINE Vec<float> load(const float* p) { return _mm512_loadu_ps(p); }
D2L_INLINE Vec<double> load(const double* p) { return _mm512_loadu_pd(p); }
D2L_INLINE Vec<float> load(const float* p, __mmask16 m) { return _mm512_maskz_loadu_ps(m, p); }
D2L_INLINE Vec<double> load(const double* p, __mmask16 m) {
  return _mm512_maskz_loadu_pd(static_cast<__mmask8>(m), p);
}
D2L_INLINE void store(float* p, Vec<float> x) { _mm512_storeu_ps(p, x); }
D2L_INLINE void store(double* p, Vec<double> x) { _mm512_storeu_pd(p, x); }
D2L_INLINE void store(float* p, Vec<float> x, __mmask16 m) { _mm512_mask_storeu_ps(p, m, x); }
D2L_INLINE void store(double* p, Vec<double> x, __mmask16 m) {
  _mm512_mask_storeu_pd(p, static_cast<__mmask8>(m), x);
}
D2L_INLINE Vec<float> broadcast(float x) { return _mm512_set1_ps(x); }
D2L_INLINE Vec<double> broadcast(double x) { return _mm512_set1_pd(x); }
D2L_INLINE Vec<float> fma(Vec<float> a, Vec<float> b, Vec<float> c) {
  return _mm512_fmadd_ps(a, b, c);
}
D2L_INLINE Vec<double> fma(Vec<double> a, Vec<double> b, Vec<double> c) {
  return _mm512_fmadd_pd(a, b, c);
}

#elif defined(__AVX2__)

template <class T>
using Mask = __m256i;
template <class T>
D2L_INLINE Mask<T> first_lanes(int64_t n) {
  if constexpr (sizeof(T) == 4)
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n > 8 ? 8 : n)),
                              _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  else
    return _mm256_cmpgt_epi64(_mm256_set1_epi64x(n), _mm256_setr_epi64x(0, 1, 2, 3));
}
D2L_INLINE Vec<float> load(const float* p) { return _mm256_loadu_ps(p); }
D2L_INLINE Vec<double> load(const double* p) { return _mm256_loadu_pd(p); }
D2L_INLINE Vec<float> load(const float* p, __m256i m) { return _mm256_maskload_ps(p, m); }
D2L_INLINE Vec<double> load(const double* p, __m256i m) { return _mm256_maskload_pd(p, m); }
D2L_INLINE void store(float* p, Vec<float> x) { _mm256_storeu_ps(p, x); }
D2L_INLINE void store(double* p, Vec<double> x) { _mm256_storeu_pd(p, x); }
D2L_INLINE void store(float* p, Vec<float> x, __m256i m) { _mm256_maskstore_ps(p, m, x); }
D2L_INLINE void store(double* p, Vec<double> x, __m256i m) { _mm256_maskstore_pd(p, m, x); }
D2L_INLINE Vec<float> broadcast(float x) { return _mm256_set1_ps(x); }
D2L_INLINE Vec<double> broadcast(double x) { return _mm256_set1_pd(x); }
D2L_INLINE Vec<float> fma(Vec<float> a, Vec<float> b, Vec<float> c) {
  return _mm256_fmadd_ps(a, b, c);
}
D2L_INLINE Vec<double> fma(Vec<double> a, Vec<double> b, Vec<double> c) {
  return _mm256_fmadd_pd(a, b, c);
}

#else  // 16-byte vectors, no fma, a mask is a count

template <class T>
using Mask = int;
template <class T>
D2L_INLINE Mask<T> first_lanes(int64_t n) {
  return static_cast<int>(n > kWidth<T> ? kWidth<T> : n);
}
template <class T>
D2L_INLINE Vec<T> load(const T* p) {
  Vec<T> x;
  __builtin_memcpy(&x, p, sizeof x);
  return x;
}
template <class T>
D2L_INLINE void store(T* p, Vec<T> x) {
  __builtin_memcpy(p, &x, sizeof x);
}
template <class T>
D2L_INLINE Vec<T> load(const T* p, int n) {
  if (n == kWidth<T>) return load(p);
  Vec<T> x{};
  for (int i = 0; i < kWidth<T>; ++i)
    if (i < n) x[i] = p[i];
  return x;
}
template <class T>
D2L_INLINE void store(T* p, Vec<T> x, int n) {
  if (n == kWidth<T>) return store(p, x);
  for (int i = 0; i < kWidth<T>; ++i)
    if (i < n) p[i] = x[i];
}
D2L_INLINE Vec<float> broadcast(float x) { return x - Vec<float>{}; }
D2L_INLINE Vec<double> broadcast(double x) { return x - Vec<double>{}; }
template <class V>
D2L_INLINE V fma(V a, V b, V c) {
  return a * b + c;
}

#endif

D2L_INLINE float fma1(float a, float b, float c) {
#if defined(__FMA__)
  return __builtin_fmaf(a, b, c);
#else
  return a * b + c;
#endif
}
D2L_INLINE double fma1(double a, double b, double c) {
#if defined(__FMA__)
  return __builtin_fma(a, b, c);
#else
  return a * b + c;
#endif
}

// Swaps the off-diagonal blocks of size H x H of each 2H x 2H block of
// the matrix that x and y, H rows apart, belong to.
template <int H, class V, int... J>
D2L_INLINE void swap_blocks(V& x, V& y, Indices<J...>) {
  constexpr int kW = sizeof...(J);
  const V low = __builtin_shufflevector(x, y, ((J & H) != 0 ? kW + J - H : J)...);
  const V high = __builtin_shufflevector(x, y, ((J & H) != 0 ? kW + J : J + H)...);
  x = low;
  y = high;
}

// The sums of the lanes of N vectors, in order: halves of neighbours are added up until a vector
// holds the sums of as many vectors as it has lanes. Each sum is the same whatever its neighbours
// are.
template <class T, int N, int H = 1>
D2L_INLINE void sum_lanes(Vec<T>* x, T* sums) {
  if constexpr (H < kWidth<T>) {
#pragma GCC unroll 32
    for (int i = 0; i < N; i += 2) {
      Vec<T> low = x[i], high = x[i + 1 < N ? i + 1 : i];
      swap_blocks<H>(low, high, typename MakeIndices<kWidth<T>>::type());
      x[i / 2] = low + high;
    }
    sum_lanes<T, (N + 1) / 2, 2 * H>(x, sums);
  } else {
    __builtin_memcpy(sums, x, N * sizeof(Vec<T>));
  }
}

}  // namespace d2l::D2L_ISA_NS
