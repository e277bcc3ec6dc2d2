// Normal numbers of blocks of 16 uniform ones, bit for bit as PyTorch makes them on the CPU.
//
// Box and Muller (Annals of Mathematical Statistics 29, 1958) on pairs (u, u + 8). The logarithm,
// sine and cosine are Cephes' single precision ones in the order of operations, and with the fused
// multiply-adds, of the vector code that PyTorch runs: another order would give other last bits.
#include "kernels/map.h"
#include "kernels/tables.h"

namespace d2l::D2L_ISA_NS {
namespace {

// a b + c rounded once, in baseline too.
D2L_INLINE VF fused(VF a, VF b, VF c) {
#if D2L_AVX512 || D2L_AVX2
  return fma(a, b, c);
#else
  VF r;
  for (int i = 0; i < kLanes<float>; ++i) r[i] = __builtin_fmaf(a[i], b[i], c[i]);
  return r;
#endif
}
D2L_INLINE VF fused(VF a, VF b, float c) { return fused(a, b, splat(c)); }
D2L_INLINE VF fused(VF a, float b, VF c) { return fused(a, splat(b), c); }

// log x of x in (0, 1].
D2L_INLINE VF log_unit(VF x) {
  const VI raw = (VI)x;
  VF e = __builtin_convertvector((raw >> 23) - 127, VF) + 1.0f;
  VF m = (VF)((raw & 0x7FFFFF) | 0x3F000000);  // the mantissa in [1/2, 1)
  const VI low = m < 0.707106781186547524f;
  const VF again = low ? m : VF{};
  m = m - 1.0f;
  e = e - (low ? splat(1.0f) : VF{});
  m = m + again;
  const VF z = m * m;
  VF y = splat(7.0376836292E-2f);
  const float c[] = {-1.1514610310E-1f, 1.1676998740E-1f, -1.2420140846E-1f, 1.4249322787E-1f,
                     -1.6668057665E-1f, 2.0000714765E-1f, -2.4999993993E-1f, 3.3333331174E-1f};
#pragma GCC unroll 8
  for (int i = 0; i < 8; ++i) y = fused(y, m, c[i]);
  y = y * m;
  y = fused(y, z, e * -2.12194440e-4f);
  y = fused(z, -0.5f, y);
  m = m + y;
  return fused(e, 0.693359375f, m);
}

// sin and cos of x >= 0.
D2L_INLINE void sin_cos(VF x, VF* sin, VF* cos) {
  VI octant = __builtin_convertvector(x * 1.27323954473516f, VI);
  octant = (octant + 1) & ~1;
  const VF k = __builtin_convertvector(octant, VF);
  x = fused(k, -0.78515625f, x);
  x = fused(k, -2.4187564849853515625e-4f, x);
  x = fused(k, -3.77489497744594108e-8f, x);
  const VI sin_sign = (octant & 4) << 29, cos_sign = (~(octant - 2) & 4) << 29;
  const VI plain = (octant & 2) == 0;
  const VF z = x * x;
  VF c = splat(2.443315711809948E-005f);
  c = fused(c, z, -1.388731625493765E-003f);
  c = fused(c, z, 4.166664568298827E-002f);
  c = c * z;
  c = fused(c, z, -(z * 0.5f));
  c = c + 1.0f;
  VF s = splat(-1.9515295891E-4f);
  s = fused(s, z, 8.3321608736E-3f);
  s = fused(s, z, -1.6666654611E-1f);
  s = s * z;
  s = fused(s, x, x);
  *sin = (VF)((VI)(plain ? s : c) ^ sin_sign);
  *cos = (VF)((VI)(plain ? c : s) ^ cos_sign);
}

// Pair q of the blocks at p: 8 first numbers, then their 8 partners.
constexpr int64_t kPiece = kLanes<float> < 8 ? kLanes<float> : 8;
D2L_INLINE float* first_of(float* p, int64_t q) { return p + (q / 8) * 16 + q % 8; }

void normal_blocks(float* p, int64_t blocks, float mean, float std) {
  constexpr int64_t kStep = kLanes<float>;
  for (int64_t q = 0; q < 8 * blocks; q += kStep) {
    VF u{}, v{};
    const int64_t n = 8 * blocks - q < kStep ? 8 * blocks - q : kStep;
    for (int64_t k = 0; k < n; k += kPiece) {
      const float* at = first_of(p, q + k);
      __builtin_memcpy(reinterpret_cast<float*>(&u) + k, at, kPiece * sizeof(float));
      __builtin_memcpy(reinterpret_cast<float*>(&v) + k, at + 8, kPiece * sizeof(float));
    }
    const VF radius = sqrt(log_unit(1.0f - u) * -2.0f);
    VF s, c;
    sin_cos(v * 6.283185307179586f, &s, &c);
    const VF first = fused(radius * c, splat(std), mean),
             second = fused(radius * s, splat(std), mean);
    for (int64_t k = 0; k < n; k += kPiece) {
      float* at = first_of(p, q + k);
      __builtin_memcpy(at, reinterpret_cast<const float*>(&first) + k, kPiece * sizeof(float));
      __builtin_memcpy(at + 8, reinterpret_cast<const float*>(&second) + k, kPiece * sizeof(float));
    }
  }
}

}  // namespace

void fill_normal(KernelTable& t) { t.normal_blocks = normal_blocks; }

}  // namespace d2l::D2L_ISA_NS
