// float16 and bfloat16 to float32 and back, for products that add up in float32.
#include "kernels/gemm_parts.h"
#include "kernels/gemm_simd.h"

namespace d2l::D2L_ISA_NS {
namespace {

// The masked forms of the AVX-512 conversions are there because GCC 12 takes the operand that the
// plain ones ignore for an uninitialised variable.

D2L_INLINE float as_float(uint32_t bits) {
  float x;
  __builtin_memcpy(&x, &bits, sizeof x);
  return x;
}
D2L_INLINE uint32_t as_bits(float x) {
  uint32_t bits;
  __builtin_memcpy(&bits, &x, sizeof bits);
  return bits;
}

D2L_INLINE float from_half(uint16_t h) {
#if defined(__F16C__)
  return _cvtsh_ss(h);
#else
  const uint32_t sign = static_cast<uint32_t>(h & 0x8000) << 16;
  const uint32_t magnitude = h & 0x7FFF;
  if (magnitude >= 0x7C00) return as_float(sign | 0x7F800000 | (magnitude & 0x3FF) << 13);
  // Scaling by 2^112 turns the rebiased half, denormal or not, into its value.
  return as_float(sign | as_bits(as_float(magnitude << 13) * 0x1p112f));
#endif
}

D2L_INLINE uint16_t to_half(float x) {
#if defined(__F16C__)
  return static_cast<uint16_t>(_cvtss_sh(x, _MM_FROUND_TO_NEAREST_INT));
#else
  const uint32_t bits = as_bits(x), magnitude = bits & 0x7FFFFFFF;
  const uint32_t sign = (bits >> 16) & 0x8000;
  uint32_t h;
  if (magnitude > 0x7F800000) {
    h = 0x7E00;
  } else if (magnitude >= 0x477FF000) {  // 65520 and more round to infinity
    h = 0x7C00;
  } else if (magnitude < 0x38800000) {  // denormal: adding 1/2 rounds to a multiple of 2^-24
    h = as_bits(as_float(magnitude) + 0.5f) - 0x3F000000;
  } else {
    h = (magnitude - 0x38000000 + 0xFFF + ((magnitude >> 13) & 1)) >> 13;
  }
  return static_cast<uint16_t>(sign | h);
#endif
}

D2L_INLINE float from_bfloat16(uint16_t b) { return as_float(static_cast<uint32_t>(b) << 16); }

D2L_INLINE uint16_t to_bfloat16(float x) {
  const uint32_t bits = as_bits(x);
  const uint32_t rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16;
  return static_cast<uint16_t>((bits & 0x7FFFFFFF) > 0x7F800000 ? 0x7FC0 : rounded);
}

void half_to_float(const uint16_t* src, int64_t stride, int64_t n, float* dst) {
  int64_t i = 0;
#if defined(__AVX512F__)
  if (stride == 1)
    for (; i + 16 <= n; i += 16)
      _mm512_storeu_ps(
          dst + i, _mm512_maskz_cvtph_ps(
                       0xFFFF, _mm256_loadu_si256(reinterpret_cast<const __m256i_u*>(src + i))));
#elif defined(__F16C__)
  if (stride == 1)
    for (; i + 8 <= n; i += 8)
      _mm256_storeu_ps(
          dst + i, _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i_u*>(src + i))));
#endif
  for (; i < n; ++i) dst[i] = from_half(src[i * stride]);
}

void float_to_half(const float* src, int64_t n, uint16_t* dst, int64_t stride) {
  int64_t i = 0;
#if defined(__AVX512F__)
  if (stride == 1)
    for (; i + 16 <= n; i += 16)
      _mm256_storeu_si256(
          reinterpret_cast<__m256i_u*>(dst + i),
          _mm512_maskz_cvtps_ph(0xFFFF, _mm512_loadu_ps(src + i), _MM_FROUND_TO_NEAREST_INT));
#elif defined(__F16C__)
  if (stride == 1)
    for (; i + 8 <= n; i += 8)
      _mm_storeu_si128(reinterpret_cast<__m128i_u*>(dst + i),
                       _mm256_cvtps_ph(_mm256_loadu_ps(src + i), _MM_FROUND_TO_NEAREST_INT));
#endif
  for (; i < n; ++i) dst[i * stride] = to_half(src[i]);
}

void bfloat16_to_float(const uint16_t* src, int64_t stride, int64_t n, float* dst) {
  if (stride == 1)
    for (int64_t i = 0; i < n; ++i) dst[i] = from_bfloat16(src[i]);
  else
    for (int64_t i = 0; i < n; ++i) dst[i] = from_bfloat16(src[i * stride]);
}

void float_to_bfloat16(const float* src, int64_t n, uint16_t* dst, int64_t stride) {
  if (stride == 1)
    for (int64_t i = 0; i < n; ++i) dst[i] = to_bfloat16(src[i]);
  else
    for (int64_t i = 0; i < n; ++i) dst[i * stride] = to_bfloat16(src[i]);
}

}  // namespace

void add_convert(GemmTable& table) {
  table.half_to_float = half_to_float;
  table.float_to_half = float_to_half;
  table.bfloat16_to_float = bfloat16_to_float;
  table.float_to_bfloat16 = float_to_bfloat16;
}

}  // namespace d2l::D2L_ISA_NS
