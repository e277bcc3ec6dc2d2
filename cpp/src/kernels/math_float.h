// The float forms of the functions: hot ones natively (at most 1.5 ulp, sigmoid 2.5), the others in
// double.
//
// The one idea: the same reductions as in double with shorter polynomials; where one rounding would
// show (the square in erfc, the denominator of a sigmoid), its error is added back.
#pragma once

#include "kernels/math_exp.h"
#include "kernels/math_special.h"
#include "kernels/math_trig.h"

namespace d2l::D2L_ISA_NS {
namespace {

#define D2L_WIDE1(f)                                                             \
  D2L_INLINE VF f(VF x) {                                                        \
    return widened([](VD v) __attribute__((always_inline)) { return f(v); }, x); \
  }
#define D2L_WIDE2(f)                                                                         \
  D2L_INLINE VF f(VF x, VF y) {                                                              \
    return widened([](VD v, VD w) __attribute__((always_inline)) { return f(v, w); }, x, y); \
  }
D2L_WIDE1(log2)
D2L_WIDE1(log10)
D2L_WIDE1(asin)
D2L_WIDE1(acos)
D2L_WIDE1(atan)
D2L_WIDE1(sinh)
D2L_WIDE1(cosh)
D2L_WIDE1(asinh)
D2L_WIDE1(acosh)
D2L_WIDE1(atanh)
D2L_WIDE1(erfc)
D2L_WIDE1(erfinv)
D2L_WIDE1(lgamma)
D2L_WIDE1(digamma)
D2L_WIDE2(atan2)

inline constexpr float kInfF = __builtin_inff(), kNanF = __builtin_nanf("");
// 16 bits of ln 2, so that k ln2 is exact, and the rest.
inline constexpr float kLn2HiF = 0.693359375f, kLn2LoF = -2.12194440e-4f;

struct ExpPartsF {
  VF k, r, tail;  // x = k ln 2 + r, expm1(r) = r + tail
};
D2L_INLINE ExpPartsF exp_parts(VF x) {
  static constexpr float kPoly[] = {0.5f,           0.166666667f,   0.0416664642f,
                                    0.00833331084f, 0.00139337307f, 0.000198910805f};
  ExpPartsF e;
  e.k = round_even(x * 1.44269504f);
  VF h = fma(-e.k, splat(kLn2HiF), x), t = e.k * kLn2LoF;
  e.r = h - t;
  e.tail = fma(e.r * e.r, poly(e.r, kPoly), (h - e.r) - t);
  return e;
}
D2L_INLINE VF exp_negative(VF x) {  // x <= 0
  x = at_least(x, splat(-105.0f));
  ExpPartsF e = exp_parts(x);
  return scale2(1 + (e.r + e.tail), e.k);
}
D2L_INLINE VF exp(VF x) {
  x = clamped(x, -105.0f, 89.0f);
  ExpPartsF e = exp_parts(x);
  return scale2(1 + (e.r + e.tail), e.k);
}
D2L_INLINE VF exp2(VF x) {
  static constexpr float kPoly[] = {0.240226508f,   0.0555041087f,   0.00961808256f,
                                    0.00133335223f, 0.000154531629f, 1.52909485e-05f};
  x = clamped(x, -200.0f, 200.0f);
  VF k = round_even(x), f = x - k;
  return scale2(1 + fma(f, splat(0.693147182f), f * f * poly(f, kPoly)), k);
}
D2L_INLINE VF expm1(VF x) {
  VF c = clamped(x, -50.0f, 90.0f);
  ExpPartsF e = exp_parts(c);
  // 2^k (1 + r + tail) - 1; 2^k alone may overflow, so half of it is used.
  VF s = scale2(splat(0.5f), e.k), t = s - 0.5f;
  VF h = fma(s, e.r, t), y = 2 * (h + fma(s, e.tail, fma(s, e.r, t - h)));
  y = e.k == 0.0f ? e.r + e.tail : y;
  y = x > 88.8f ? splat(kInfF) : y;
  return x == 0.0f ? x : y;
}

// log(x + c), c a correction below half an ulp of x; x positive and finite.
D2L_INLINE VF log_parts(VF x, VF c) {
  static constexpr float kPoly[] = {0.333333307f, -0.250003086f, 0.200010516f, -0.166411564f,
                                    0.142141908f, -0.129995767f, 0.126256706f, -0.0790245675f};
  VI small = x < 1.17549435e-38f;
  x = small ? x * 16777216.0f : x;
  VI k = ((VI)x - 0x3f3504f3) >> 23;
  VF m = (VF)((VI)x - (k << 23));
  VF kd = __builtin_convertvector(k, VF);
  VI down = 127 - k;
  VF f = (m - 1) + c * (VF)((down < 0 ? VI{} : down) << 23);
  kd = small ? kd - 24.0f : kd;
  VF t = fma(kd, splat(kLn2LoF), f * f * fma(f, poly(f, kPoly), -0.5f));
  VF hi = kd * kLn2HiF, s = hi + f;
  return s + (((hi - s) + f) + t);
}
D2L_INLINE VF log_ends(VF x, VF r) {
  r = x < kInfF ? r : x;
  r = x < 0.0f ? splat(kNanF) : r;
  return x == 0.0f ? splat(-kInfF) : r;
}
D2L_INLINE VF log(VF x) { return log_ends(x, log_parts(x, VF{})); }
D2L_INLINE VF log1p(VF x) {
  VF u = 1 + x, v = u - 1, c = (1 - (u - v)) + (x - v);
  c = x < 1e30f ? c : VF{};
  VF r = log_ends(u, log_parts(u, c));
  return abs(x) < 1e-7f ? fma(x * x, splat(-0.5f), x) : r;
}
// log1p(exp(-a)) for a >= 0: no ends to look after.
D2L_INLINE VF log1p_exp_minus(VF a) {
  VF e = exp_negative(-a), u = 1 + e, r = log_parts(u, e - (u - 1));
  return e < 1e-7f ? e : r;
}
D2L_INLINE VD log1p_exp_minus(VD a) { return log1p(exp(-a)); }
D2L_INLINE VF logaddexp(VF a, VF b) {
  VF m = a > b ? a : b, d = abs(a - b);
  VF r = m + log1p_exp_minus(d);
  r = (a == b) & (d != d) ? a : r;
  return (a != a) | (b != b) ? a + b : r;
}

// 0 below -88.7, where exp(-x) overflows: as in PyTorch.
D2L_INLINE VF sigmoid(VF x) { return 1 / (1 + exp(-x)); }
D2L_INLINE VF tanh(VF x) {
  static constexpr float kPoly[] = {-0.333333331f, 0.133333001f,    -0.0539584616f,
                                    0.0217625029f, -0.00832318706f, 0.00226950168f};
  VF a = abs(x), z = a * a;
  VF big = 1 - 2 / (exp(a + a) + 1);
  VF y = a < 0.625f ? fma(a * z, poly(z, kPoly), a) : big;
  return copysign(y, x);
}

// The part of a^2 that its float value a * a lacks.
D2L_INLINE VF square_rest(VF a, VF square) {
#if D2L_AVX512 || D2L_AVX2
  return fma(a, a, -square);
#else
  VF h = (VF)((VI)a & ~0xfff), l = a - h;
  return ((h * h - square) + 2 * h * l) + l * l;
#endif
}
// erfc(a / root) times root, for a >= 0: exp(-square) g(t) / (a + c), t = (a - c) / (a + c) with
// c = 3 root; square and its rest are (a / root)^2.
D2L_INLINE VF erfc_positive(VF a, float c, VF square, VF rest) {
  static constexpr float kPoly[] = {
      1.07400691f,    -0.883394464f,   0.590228447f,   -0.310466518f,    0.119527078f,
      -0.0268374257f, -0.00121720932f, 0.00307963215f, -0.000497142238f, -0.000333150355f};
  a = at_most(a, splat(15.0f));
  VF d = a + c, lost = a - (d - c), n = a - c;
  VF r = 1 / d, t = n * r;
#if D2L_AVX512 || D2L_AVX2
  r = fma(r, fma(-r, d, 1.0f) - r * lost, r);
  t = fma(r, fma(-t, d, n) - t * lost, t);
#else
  r = r - r * r * lost;
  t = t - t * r * lost;
#endif
  VF g = poly(t, kPoly), e = exp_negative(-square);
  rest = square < 110.0f ? rest : VF{};
  return e * r * fma(-g, rest, g);
}
D2L_INLINE VF erf_small(VF x) {
  static constexpr float kPoly[] = {0.128379166f,   -0.376126267f,    0.112835947f,   -0.026854212f,
                                    0.00518908742f, -0.000801686429f, 7.87587506e-05f};
  return fma(x, poly(x * x, kPoly), x);
}
D2L_INLINE VF erf(VF x) {
  VF a = abs(x), z = a * a;
  VF y = 1 - erfc_positive(a, 3, z, VF{});
  y = a < 1.0f ? erf_small(a) : y;
  return copysign(a != a ? a : y, x);
}
// Phi(x): the square is taken from x, so that the left tail is right.
D2L_INLINE VF normal_cdf(VF x) {
  VF a = abs(x), z = a * a;
  VF y = 0.707106781f * erfc_positive(a, 4.24264069f, 0.5f * z, 0.5f * square_rest(a, z));
  y = x > 0.0f ? 1 - y : y;
  return x != x ? x : y;
}

// pow on doubles that are only as exact as float needs: relative error 2^-28.
D2L_INLINE VD pow_core(VD a, VD y) {
  static constexpr double kLog[] = {0.6666666666737868, 0.3999999879244169, 0.28571755535032944,
                                    0.22191337428065783, 0.19363884986633198};
  static constexpr double kExp[] = {0.5,
                                    0.1666666671931248,
                                    0.041666666719295684,
                                    0.008333298344023092,
                                    0.001388885390994504,
                                    0.00019899390183679232,
                                    2.485969439475207e-05};
  typedef Vec<uint64_t> VU;
  VU biased = ((VU)((VL)a - 0x3fe6a09e667f3bcd) + (1023ull << 52)) >> 52;
  VD k = (VD)(biased | 0x4330000000000000ull) - (4503599627370496.0 + 1023.0);
  VD m = (VD)((VL)a - (VL)((biased - 1023) << 52));
  VD s = (m - 1) / (m + 1), z = s * s;
  VD l = fma(k, splat(kLn2), fma(s * z, poly(z, kLog), s + s)) * y;
  l = clamped(l, -800.0, 800.0);
  VD n = round_even(l * 1.4426950408889634), r = fma(-n, splat(kLn2), l);
  return scale2(1 + fma(r * r, poly(r, kExp), r), n);
}
D2L_INLINE VF pow(VF x, VF y) {
  VF a = abs(x);
  VI plain = (a > 0.0f) & (a < kInfF);
  VF safe = plain ? a : VF{} + 1, tame = abs(y) < kInfF ? y : VF{};
  VF r =
      widened([](VD v, VD w) __attribute__((always_inline)) { return pow_core(v, w); }, safe, tame);
  VI grows = (y > 0.0f) ^ (a < 1.0f);
  VF end = grows ? splat(kInfF) : VF{};
  r = plain & (abs(y) < kInfF) ? r : end;
  VI whole = trunc_of(y) == y;
  VI odd = whole & (trunc_of(y * 0.5f) != y * 0.5f);
  r = ((VI)x < 0) & odd ? -r : r;
  r = (x < 0.0f) & (a < kInfF) & ~whole ? splat(kNanF) : r;
  VI one = (x == 1.0f) | (y == 0.0f) | ((a == 1.0f) & (abs(y) == kInfF));
  r = (x != x) | (y != y) ? x + y : r;
  return one ? splat(1.0f) : r;
}

D2L_INLINE VD hypot_core(VD x, VD y) { return sqrt(fma(x, x, y * y)); }
D2L_INLINE VF hypot(VF x, VF y) {
  VF r = widened([](VD v, VD w) __attribute__((always_inline)) { return hypot_core(v, w); }, x, y);
  return (abs(x) == kInfF) | (abs(y) == kInfF) ? splat(kInfF) : r;
}

// tan on doubles that are only as exact as float needs.
D2L_INLINE VD tan_core(VD x) {
  VD k = round_even(x * 0.6366197723675814);
  DD p = two_prod(k, splat(kHalfPi));
  VD r = ((x - p.h) - p.l) - k * kHalfPiTail, z = r * r;
  static constexpr double kSin[] = {-0.16666666666666666,    0.008333333333330827,
                                    -0.0001984126983657571,  2.755731600817155e-06,
                                    -2.5051112272573243e-08, 1.5916726193889336e-10};
  static constexpr double kCos[] = {0.041666666666664576, -0.0013888888887212015,
                                    2.4801585147774786e-05, -2.7556350663368756e-07,
                                    2.0698846339798877e-09};
  VD s = fma(r * z, poly(z, kSin), r), c = fma(z * z, poly(z, kCos), fma(z, splat(-0.5), 1.0));
  VL odd = ((VL)(k + 6755399441055744.0) & 1) != 0;
  return (odd ? -c : s) / (odd ? s : c);
}
__attribute__((noinline)) VF tan_far(VF x) {
  return widened([](VD v) __attribute__((always_inline)) { return tan(v); }, x);
}
D2L_INLINE VF tan(VF x) {
  if (__builtin_expect(any(~(abs(x) < 1e8f)), 0)) return tan_far(x);
  VF y = widened([](VD v) __attribute__((always_inline)) { return tan_core(v); }, x);
  return x == 0.0f ? x : y;
}

#if D2L_AVX512 || D2L_AVX2
// Three parts of pi/2 suffice with fma up to 2^16; beyond that (rare) in double.
struct ReducedF {
  VF r, rest;  // x = quadrant pi/2 + r + rest
  VI quadrant;
};
D2L_INLINE ReducedF reduce(VF x) {
  VF k = round_even(x * 0.636619772f);
  VF h = fma(-k, splat(1.57079637f), x);  // exact
  // h + k 4.37e-8 with all that is rounded away: beside a multiple of pi little else is left.
  VF p = k * 4.37113883e-08f, low = fma(k, splat(4.37113883e-08f), -p);
  VF r = h + p, back = r - h;
  VF rest = fma(k, splat(1.71512451e-15f), ((h - (r - back)) + (p - back)) + low);
  return {r, rest, (VI)(k + 12582912.0f)};
}
D2L_INLINE VF sin_core(VF r, VF rest) {
  static constexpr float kPoly[] = {-0.166666667f, 0.00833333179f, -0.000198400391f,
                                    2.7243812e-06f};
  VF z = r * r;
  return r + fma(r * z, poly(z, kPoly), fma(z, -0.5f * rest, rest));
}
D2L_INLINE VF cos_core(VF r, VF rest) {
  static constexpr float kPoly[] = {0.0416666667f, -0.00138888876f, 2.48005606e-05f,
                                    -2.72958563e-07f};
  VF z = r * r, w = fma(z, splat(-0.5f), splat(1.0f));
  return w + fma(z * z, poly(z, kPoly), fma(-r, rest, fma(z, splat(-0.5f), 1 - w)));
}
__attribute__((noinline)) VF sin_far(VF x) {
  return widened([](VD v) __attribute__((always_inline)) { return sin(v); }, x);
}
__attribute__((noinline)) VF cos_far(VF x) {
  return widened([](VD v) __attribute__((always_inline)) { return cos(v); }, x);
}
D2L_INLINE VF sin(VF x) {
  if (__builtin_expect(any(~(abs(x) < 65536.0f)), 0)) return sin_far(x);
  ReducedF a = reduce(x);
  VF y = (a.quadrant & 1) != 0 ? cos_core(a.r, a.rest) : sin_core(a.r, a.rest);
  y = (VF)((VI)y ^ (a.quadrant & 2) << 30);
  return x == 0.0f ? x : y;
}
D2L_INLINE VF cos(VF x) {
  if (__builtin_expect(any(~(abs(x) < 65536.0f)), 0)) return cos_far(x);
  ReducedF a = reduce(x);
  VF y = (a.quadrant & 1) != 0 ? sin_core(a.r, a.rest) : cos_core(a.r, a.rest);
  return (VF)((VI)y ^ ((a.quadrant + 1) & 2) << 30);
}
#else
D2L_WIDE1(sin)
D2L_WIDE1(cos)
#endif

D2L_INLINE VF xlogy(VF x, VF y) {
  VF r = x * log(y);
  r = x == 0.0f ? VF{} : r;
  return y != y ? y : r;
}

}  // namespace
}  // namespace d2l::D2L_ISA_NS
