// float16 and bfloat16 as integers: conversions to and from float, in plain code that vectorises.
#pragma once

#include "kernels/vec.h"

namespace d2l::D2L_ISA_NS {
namespace {

// Nearest even; NaN stays a quiet NaN.
D2L_INLINE uint16_t to_bfloat(float x) {
  uint32_t u = bits<uint32_t>(x);
  uint32_t r = (u + 0x7fffu + ((u >> 16) & 1u)) >> 16;
  return static_cast<uint16_t>(x != x ? (u >> 16) | 0x40u : r);
}
D2L_INLINE float from_bfloat(uint16_t h) { return bits<float>(static_cast<uint32_t>(h) << 16); }

// float16 by exact float arithmetic: multiplying by 2^-112 moves the exponent into float16's range,
// denormals included; adding and subtracting a power of two rounds to float16's spacing.
D2L_INLINE uint16_t to_half(float x) {
  uint32_t u = bits<uint32_t>(x), sign = (u >> 16) & 0x8000u, a = u & 0x7fffffffu;
  // Normal results: round the low 13 bits to even, then rebias.
  uint32_t normal = (a + 0xfffu + ((a >> 13) & 1u) - (112u << 23)) >> 13;
  // Denormal results: the float adder aligns the mantissa to 2^-24.
  uint32_t tiny = bits<uint32_t>(bits<float>(a) + 0.5f) - 0x3f000000u;
  uint32_t r = a < (113u << 23) ? tiny : normal;
  r = a >= 0x47800000u ? 0x7c00u : r;
  r = a > 0x7f800000u ? 0x7e00u | ((a >> 13) & 0x3ffu) : r;
  return static_cast<uint16_t>(sign | r);
}
D2L_INLINE float from_half(uint16_t h) {
  uint32_t sign = static_cast<uint32_t>(h & 0x8000u) << 16, a = h & 0x7fffu;
  float normal = bits<float>((a << 13) + (112u << 23));
  float tiny = static_cast<float>(static_cast<int32_t>(a)) * 5.9604644775390625e-8f;  // 2^-24
  float special = bits<float>((a << 13) | 0x7f800000u | (a > 0x7c00u ? 0x400000u : 0u));
  float r = a < 0x400u ? tiny : normal;
  r = a >= 0x7c00u ? special : r;
  return bits<float>(bits<uint32_t>(r) | sign);
}

}  // namespace
}  // namespace d2l::D2L_ISA_NS
