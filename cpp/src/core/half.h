// float16 and bfloat16 as bits, with conversions that round to nearest even. For cold code: the
// kernels convert in blocks.
#pragma once

#include <bit>
#include <cstdint>

namespace d2l {

inline float bfloat16_to_float(uint16_t bits) {
  return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
}

inline uint16_t float_to_bfloat16(float x) {
  if (x != x) return 0x7FC0;
  const uint32_t bits = std::bit_cast<uint32_t>(x);
  return static_cast<uint16_t>((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
}

inline float half_to_float(uint16_t bits) {
  const uint32_t sign = static_cast<uint32_t>(bits & 0x8000) << 16;
  const uint32_t magnitude = bits & 0x7FFF;
  if (magnitude >= 0x7C00) {  // inf, nan
    return std::bit_cast<float>(sign | 0x7F800000 | (magnitude & 0x3FF) << 13);
  }
  // Scaling by 2^112 turns the rebiased half, denormal or not, into its value.
  const float value = std::bit_cast<float>(magnitude << 13) * 0x1p112f;
  return std::bit_cast<float>(std::bit_cast<uint32_t>(value) | sign);
}

inline uint16_t float_to_half(float x) {
  const uint32_t bits = std::bit_cast<uint32_t>(x);
  const uint16_t sign = static_cast<uint16_t>((bits >> 16) & 0x8000);
  const float a = std::bit_cast<float>(bits & 0x7FFFFFFF);
  if (!(a == a)) return sign | 0x7E00;
  if (a >= 65520.0f) return sign | 0x7C00;
  if (a < 0x1p-14f) {  // denormal: adding 1/2 leaves the rounded multiple of 2^-24 in the low bits
    return sign | static_cast<uint16_t>(std::bit_cast<uint32_t>(a + 0.5f) - 0x3F000000u);
  }
  const uint32_t m = std::bit_cast<uint32_t>(a);
  return sign | static_cast<uint16_t>((m - 0x38000000u + 0xFFF + ((m >> 13) & 1)) >> 13);
}

}  // namespace d2l
