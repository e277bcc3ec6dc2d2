// Vectors of one instruction set: the types, and the few operations that the language lacks.
//
// The one idea: kernels are written once with GCC vector extensions. Only what those cannot say
// (fused multiply-add, square root, rounding, scaling by a power of two) is chosen here.
// Everything is in an anonymous namespace, so that no kernel object exports a weak symbol.
#pragma once

#include <immintrin.h>

#include <cstdint>

// GCC 12 says this of its own AVX-512 headers.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"

#ifndef D2L_ISA_NS
#error "compile the kernels with -DD2L_ISA_NS=baseline, avx2 or avx512"
#endif

#if defined(__AVX512F__) && defined(__AVX512DQ__)
#define D2L_AVX512 1
#elif defined(__AVX2__)
#define D2L_AVX2 1
#endif

#define D2L_INLINE inline __attribute__((always_inline))

namespace d2l::D2L_ISA_NS {
namespace {

#if D2L_AVX512
inline constexpr int kVecBytes = 64;
#elif D2L_AVX2
inline constexpr int kVecBytes = 32;
#else
inline constexpr int kVecBytes = 16;
#endif

template <class T>
struct VecOf {
  typedef T type __attribute__((vector_size(kVecBytes)));
};
template <class T>
using Vec = typename VecOf<T>::type;
template <class T>
inline constexpr int kLanes = kVecBytes / static_cast<int>(sizeof(T));

using VF = Vec<float>;
using VD = Vec<double>;
using VI = Vec<int32_t>;
using VL = Vec<int64_t>;

template <class V>
struct ElemOf;
template <>
struct ElemOf<VF> {
  using type = float;
};
template <>
struct ElemOf<VD> {
  using type = double;
};
template <class V>
using Elem = typename ElemOf<V>::type;

// What belongs to an element type: its vector, the integer of its size and that one's vector.
template <class T>
struct Lane;
template <>
struct Lane<float> {
  using Int = int32_t;
  static constexpr int kMantissa = 23;
  static constexpr int32_t kBias = 127;
};
template <>
struct Lane<double> {
  using Int = int64_t;
  static constexpr int kMantissa = 52;
  static constexpr int64_t kBias = 1023;
};
template <>
struct Lane<int8_t> {
  using Int = int8_t;
};
template <>
struct Lane<uint8_t> {
  using Int = int8_t;
};
template <>
struct Lane<int16_t> {
  using Int = int16_t;
};
template <>
struct Lane<int32_t> {
  using Int = int32_t;
};
template <>
struct Lane<int64_t> {
  using Int = int64_t;
};
template <>
struct Lane<uint32_t> {
  using Int = int32_t;
};
template <>
struct Lane<uint64_t> {
  using Int = int64_t;
};
template <class T>
using IntOf = typename Lane<T>::Int;
template <class T>
using VInt = Vec<IntOf<T>>;

template <class T>
D2L_INLINE Vec<T> load(const void* p) {
  Vec<T> v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
template <class V>
D2L_INLINE void store(void* p, V v) {
  __builtin_memcpy(p, &v, sizeof v);
}
template <class T>
D2L_INLINE Vec<T> splat(T x) {
  return x - Vec<T>{};  // not Vec + x, which is an addition: -0 + 0 is 0
}
template <class To, class From>
D2L_INLINE To bits(From v) {
  static_assert(sizeof(To) == sizeof(From));
  To r;
  __builtin_memcpy(&r, &v, sizeof r);
  return r;
}

// Copies of n bytes, any n: the tail of a row into a padded buffer and back.
D2L_INLINE void copy_bytes(char* to, const char* from, int64_t n) {
#if D2L_AVX512
  for (; n >= 64; n -= 64, to += 64, from += 64) _mm512_storeu_si512(to, _mm512_loadu_si512(from));
  __mmask64 mask = _bzhi_u64(~0ull, static_cast<unsigned>(n));
  _mm512_mask_storeu_epi8(to, mask, _mm512_maskz_loadu_epi8(mask, from));
#else
  for (; n >= 16; n -= 16, to += 16, from += 16) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to),
                     _mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
  }
  if (n & 8) {
    __builtin_memcpy(to, from, 8);
    to += 8, from += 8;
  }
  if (n & 4) {
    __builtin_memcpy(to, from, 4);
    to += 4, from += 4;
  }
  if (n & 2) {
    __builtin_memcpy(to, from, 2);
    to += 2, from += 2;
  }
  if (n & 1) *to = *from;
#endif
}

#if D2L_AVX2
template <class T>
D2L_INLINE VInt<T> first_lanes(int64_t n) {  // all bits set in lanes 0 .. n - 1
  VInt<T> lane;
  for (int i = 0; i < kLanes<T>; ++i) lane[i] = static_cast<IntOf<T>>(i);
  return lane < static_cast<IntOf<T>>(n);
}
#endif

// The first n lanes from memory, the others from `rest`; and back. n < kLanes.
template <class T>
D2L_INLINE Vec<T> load_part(const T* p, int64_t n, Vec<T> rest) {
#if D2L_AVX512
  __mmask64 mask = _bzhi_u64(~0ull, static_cast<unsigned>(n) * static_cast<unsigned>(sizeof(T)));
  return (Vec<T>)_mm512_mask_loadu_epi8((__m512i)rest, mask, p);
#else
#if D2L_AVX2
  if constexpr (sizeof(T) >= 4) {
    VInt<T> mask = first_lanes<T>(n);
    if constexpr (sizeof(T) == 4) {
      Vec<T> v = (Vec<T>)_mm256_maskload_epi32(reinterpret_cast<const int*>(p), (__m256i)mask);
      return mask ? v : rest;
    } else {
      Vec<T> v =
          (Vec<T>)_mm256_maskload_epi64(reinterpret_cast<const long long*>(p), (__m256i)mask);
      return mask ? v : rest;
    }
  }
#endif
  alignas(64) char pad[kVecBytes];
  store(pad, rest);
  copy_bytes(pad, reinterpret_cast<const char*>(p), n * static_cast<int64_t>(sizeof(T)));
  return load<T>(pad);
#endif
}
template <class T>
D2L_INLINE void store_part(T* p, Vec<T> v, int64_t n) {
#if D2L_AVX512
  __mmask64 mask = _bzhi_u64(~0ull, static_cast<unsigned>(n) * static_cast<unsigned>(sizeof(T)));
  _mm512_mask_storeu_epi8(p, mask, (__m512i)v);
#else
#if D2L_AVX2
  if constexpr (sizeof(T) >= 4) {
    __m256i mask = (__m256i)first_lanes<T>(n);
    if constexpr (sizeof(T) == 4) {
      return _mm256_maskstore_epi32(reinterpret_cast<int*>(p), mask, (__m256i)v);
    } else {
      return _mm256_maskstore_epi64(reinterpret_cast<long long*>(p), mask, (__m256i)v);
    }
  }
#endif
  alignas(64) char pad[kVecBytes];
  store(pad, v);
  copy_bytes(reinterpret_cast<char*>(p), pad, n * static_cast<int64_t>(sizeof(T)));
#endif
}

// Bit kBit of the lane's number and of the row's change places: lanes of b go to a and back. Over
// all bits this transposes a square of vectors.
template <class T, int kBit>
D2L_INLINE void exchange(Vec<T>& a, Vec<T>& b) {
  constexpr int kCount = kLanes<T>;
  VInt<T> low, high;
#pragma GCC unroll 64
  for (int i = 0; i < kCount; ++i) {
    low[i] = static_cast<IntOf<T>>(i & kBit ? kCount + i - kBit : i);
    high[i] = static_cast<IntOf<T>>(i & kBit ? kCount + i : i + kBit);
  }
  const Vec<T> first = __builtin_shuffle(a, b, low);
  b = __builtin_shuffle(a, b, high);
  a = first;
}

// a b + c: fused where the set has it, two roundings in baseline.
D2L_INLINE VF fma(VF a, VF b, VF c) {
#if D2L_AVX512
  return (VF)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif D2L_AVX2
  return (VF)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#else
  return a * b + c;
#endif
}
D2L_INLINE VD fma(VD a, VD b, VD c) {
#if D2L_AVX512
  return (VD)_mm512_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)c);
#elif D2L_AVX2
  return (VD)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)c);
#else
  return a * b + c;
#endif
}
D2L_INLINE VF fma(VF a, VF b, float c) { return fma(a, b, splat(c)); }
D2L_INLINE VD fma(VD a, VD b, double c) { return fma(a, b, splat(c)); }

D2L_INLINE VF sqrt(VF a) {
#if D2L_AVX512
  return (VF)_mm512_sqrt_ps((__m512)a);
#elif D2L_AVX2
  return (VF)_mm256_sqrt_ps((__m256)a);
#else
  return (VF)_mm_sqrt_ps((__m128)a);
#endif
}
D2L_INLINE VD sqrt(VD a) {
#if D2L_AVX512
  return (VD)_mm512_sqrt_pd((__m512d)a);
#elif D2L_AVX2
  return (VD)_mm256_sqrt_pd((__m256d)a);
#else
  return (VD)_mm_sqrt_pd((__m128d)a);
#endif
}

// x, but no more than limit (no less, below): one instruction, which lets a NaN in x through.
D2L_INLINE VF at_most(VF x, VF limit) {
#if D2L_AVX512
  return (VF)_mm512_min_ps((__m512)limit, (__m512)x);
#elif D2L_AVX2
  return (VF)_mm256_min_ps((__m256)limit, (__m256)x);
#else
  return (VF)_mm_min_ps((__m128)limit, (__m128)x);
#endif
}
D2L_INLINE VD at_most(VD x, VD limit) {
#if D2L_AVX512
  return (VD)_mm512_min_pd((__m512d)limit, (__m512d)x);
#elif D2L_AVX2
  return (VD)_mm256_min_pd((__m256d)limit, (__m256d)x);
#else
  return (VD)_mm_min_pd((__m128d)limit, (__m128d)x);
#endif
}
D2L_INLINE VF at_least(VF x, VF limit) {
#if D2L_AVX512
  return (VF)_mm512_max_ps((__m512)limit, (__m512)x);
#elif D2L_AVX2
  return (VF)_mm256_max_ps((__m256)limit, (__m256)x);
#else
  return (VF)_mm_max_ps((__m128)limit, (__m128)x);
#endif
}
D2L_INLINE VD at_least(VD x, VD limit) {
#if D2L_AVX512
  return (VD)_mm512_max_pd((__m512d)limit, (__m512d)x);
#elif D2L_AVX2
  return (VD)_mm256_max_pd((__m256d)limit, (__m256d)x);
#else
  return (VD)_mm_max_pd((__m128d)limit, (__m128d)x);
#endif
}
// lo <= x <= hi; NaN stays.
template <class V>
D2L_INLINE V clamped(V x, Elem<V> lo, Elem<V> hi) {
  return at_least(at_most(x, splat(hi)), splat(lo));
}

template <class T>
inline constexpr IntOf<T> kSignBit = IntOf<T>(1) << (sizeof(T) * 8 - 1);

D2L_INLINE VF abs(VF x) { return (VF)((VI)x & ~kSignBit<float>); }
D2L_INLINE VD abs(VD x) { return (VD)((VL)x & ~kSignBit<double>); }
D2L_INLINE VF copysign(VF x, VF s) {
  return (VF)(((VI)x & ~kSignBit<float>) | ((VI)s & kSignBit<float>));
}
D2L_INLINE VD copysign(VD x, VD s) {
  return (VD)(((VL)x & ~kSignBit<double>) | ((VL)s & kSignBit<double>));
}
// x with its sign flipped where s is negative.
D2L_INLINE VF xorsign(VF x, VF s) { return (VF)((VI)x ^ ((VI)s & kSignBit<float>)); }
D2L_INLINE VD xorsign(VD x, VD s) { return (VD)((VL)x ^ ((VL)s & kSignBit<double>)); }

// Nearest integer, ties to even; keeps -0.
D2L_INLINE VF round_even(VF x) {
#if D2L_AVX512
  return (VF)_mm512_roundscale_ps((__m512)x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
#elif D2L_AVX2
  return (VF)_mm256_round_ps((__m256)x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
#else
  VF a = abs(x), big = splat(8388608.0f);
  return copysign(a < big ? (a + big) - big : a, x);
#endif
}
D2L_INLINE VD round_even(VD x) {
#if D2L_AVX512
  return (VD)_mm512_roundscale_pd((__m512d)x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
#elif D2L_AVX2
  return (VD)_mm256_round_pd((__m256d)x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
#else
  VD a = abs(x), big = splat(4503599627370496.0);
  return copysign(a < big ? (a + big) - big : a, x);
#endif
}
template <class V>
D2L_INLINE V floor_of(V x) {
  V r = round_even(x);
  return copysign(r > x ? r - 1 : r, x);
}
template <class V>
D2L_INLINE V ceil_of(V x) {
  V r = round_even(x);
  return copysign(r < x ? r + 1 : r, x);
}
template <class V>
D2L_INLINE V trunc_of(V x) {
  V a = abs(x), r = round_even(a);
  return copysign(r > a ? r - 1 : r, x);
}

// p 2^k for integral k of any size: overflows to inf, rounds once into the denormals.
D2L_INLINE VF scale2(VF p, VF k) {
#if D2L_AVX512
  return (VF)_mm512_scalef_ps((__m512)p, (__m512)k);
#else
  k = clamped(k, -250.0f, 250.0f);
  VI i = __builtin_convertvector(k, VI), a = i >> 1;
  return p * (VF)((a + 127) << 23) * (VF)((i - a + 127) << 23);
#endif
}
D2L_INLINE VD scale2(VD p, VD k) {
#if D2L_AVX512
  return (VD)_mm512_scalef_pd((__m512d)p, (__m512d)k);
#else
  k = clamped(k, -2000.0, 2000.0);
  const double magic = 6755399441055744.0;  // 1.5 2^52: the low bits become an integer
  VL i = (VL)(k + magic) - (VL)splat(magic), a = (VL)(k * 0.5 + magic) - (VL)splat(magic);
  return p * (VD)((a + 1023) << 52) * (VD)((i - a + 1023) << 52);
#endif
}

// True if some lane of a comparison's result is set.
template <class M>
D2L_INLINE bool any(M mask) {
#if D2L_AVX512
  return _mm512_test_epi32_mask((__m512i)mask, (__m512i)mask) != 0;
#elif D2L_AVX2
  return _mm256_movemask_epi8((__m256i)mask) != 0;
#else
  return _mm_movemask_epi8((__m128i)mask) != 0;
#endif
}

// As many floats as a vector has doubles.
typedef float HalfVF __attribute__((vector_size(kVecBytes / 2)));
D2L_INLINE VD widen(HalfVF x) {  // GCC 12 converts by quarters
#if D2L_AVX512
  return (VD)_mm512_cvtps_pd((__m256)x);
#elif D2L_AVX2
  return (VD)_mm256_cvtps_pd((__m128)x);
#else
  return __builtin_convertvector(x, VD);
#endif
}
// A float function computed on doubles: two half vectors, through the same code.
template <class Op, class... V>
D2L_INLINE VF widened(Op op, V... x) {
  VF in[] = {x...}, out;
#pragma GCC unroll 1
  for (int h = 0; h < 2; ++h) {
    VD wide[sizeof...(V)];
#pragma GCC unroll 4
    for (unsigned k = 0; k < sizeof...(V); ++k) {
      HalfVF part;
      __builtin_memcpy(&part, reinterpret_cast<char*>(&in[k]) + h * sizeof part, sizeof part);
      wide[k] = widen(part);
    }
    VD y;
    if constexpr (sizeof...(V) == 1) {
      y = op(wide[0]);
    } else {
      y = op(wide[0], wide[1]);
    }
    HalfVF part = __builtin_convertvector(y, HalfVF);
    __builtin_memcpy(reinterpret_cast<char*>(&out) + h * sizeof part, &part, sizeof part);
  }
  return out;
}

// c[0] + c[1] x + ...
template <class V, class T, int N>
D2L_INLINE V poly(V x, const T (&c)[N]) {
  V r = splat<T>(c[N - 1]);
#pragma GCC unroll 32
  for (int i = N - 2; i >= 0; --i) r = fma(r, x, splat<T>(c[i]));
  return r;
}

}  // namespace
}  // namespace d2l::D2L_ISA_NS
