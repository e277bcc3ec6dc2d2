// Circular functions and their inverses on vectors of double: about one ulp or less.
//
// The one idea: the argument is reduced to a double-double in [-pi/4, pi/4]; up to 1e9 by three
// parts of pi/2, beyond that one lane at a time by Payne and Hanek's window into 2/pi.
#pragma once

#include "kernels/dd.h"
#include "kernels/math_exp.h"

namespace d2l::D2L_ISA_NS {
namespace {

inline constexpr double kHalfPi = 1.5707963267948966, kHalfPiTail = 6.123233995736766e-17;

struct Reduced {
  DD r;
  VL quadrant;  // only its low two bits count
};

struct ScalarReduced {
  double h, l;
  int64_t quadrant;
};
// |x| >= 2^30, finite. x 2/pi modulo 4: 192 bits of the product with a window of 2/pi.
inline ScalarReduced reduce_huge(double x) {
  static constexpr uint64_t kTwoOverPi[] = {
      // after 64 zero bits
      0x0000000000000000ull, 0xa2f9836e4e441529ull, 0xfc2757d1f534ddc0ull, 0xdb6295993c439041ull,
      0xfe5163abdebbc561ull, 0xb7246e3a424dd2e0ull, 0x06492eea09d1921cull, 0xfe1deb1cb129a73eull,
      0xe88235f52ebb4484ull, 0xe99c7026b45f7e41ull, 0x3991d639835339f4ull, 0x9c845f8bbdf9283bull,
      0x1ff897ffde05980full, 0xef2f118b5a0a6d1full, 0x6d367ecf27cb09b7ull, 0x4f463f669e5fea2dull,
      0x7527bac7ebe5f17bull, 0x3d0739f78a5292eaull, 0x6bfb5fb11f8d5d08ull, 0x56033046fc7b6babull,
      0xf0cfbc209af4361dull, 0xa9e391615ee61b08ull};
  typedef unsigned __int128 Wide;
  uint64_t u = bits<uint64_t>(x) & ~(1ull << 63);
  uint64_t m = (u & ((1ull << 52) - 1)) | (1ull << 52);
  int start = static_cast<int>(u >> 52) - 1075 - 2 + 64;  // bits above it are multiples of 4
  int word = start >> 6, shift = start & 63;
  uint64_t w[3];
  for (int i = 0; i < 3; ++i) {
    w[i] = kTwoOverPi[word + i] << shift;
    if (shift) w[i] |= kTwoOverPi[word + i + 1] >> (64 - shift);
  }
  Wide low = static_cast<Wide>(m) * w[2];
  Wide mid = static_cast<Wide>(m) * w[1] + static_cast<uint64_t>(low >> 64);
  uint64_t p2 = m * w[0] + static_cast<uint64_t>(mid >> 64);
  uint64_t p1 = static_cast<uint64_t>(mid), p0 = static_cast<uint64_t>(low);
  int64_t quadrant = static_cast<int64_t>(p2 >> 62);
  p2 = p2 << 2 | p1 >> 62;
  p1 = p1 << 2 | p0 >> 62;
  p0 <<= 2;
  bool minus = p2 >> 63;
  if (minus) {  // nearest quadrant: the fraction becomes negative
    ++quadrant;
    p0 = ~p0, p1 = ~p1, p2 = ~p2;
  }
  double a = static_cast<double>(p2 >> 11) * 0x1p-53;
  double b = static_cast<double>((p2 & 0x7ff) << 42 | p1 >> 22) * 0x1p-106;
  double c = static_cast<double>((p1 & 0x3fffff) << 31 | p0 >> 33) * 0x1p-159;
  DD s = two_sum(splat(a), splat(b));
  DD f = fast_sum(s.h, s.l + c);
  DD r = mul(f, dd(kHalfPi, kHalfPiTail));
  double sign = minus ? -1.0 : 1.0;
  if (x < 0) sign = -sign, quadrant = -quadrant;
  return {sign * r.h[0], sign * r.l[0], quadrant};
}

D2L_INLINE Reduced reduce(VD x) {
  VL huge = abs(x) >= 1e9;
  VD c = huge ? VD{} : x;
  VD k = round_even(c * 0.6366197723675814);
  DD p = two_prod(k, splat(kHalfPi));
  DD s = two_sum(c - p.h, -p.l);
  DD q = two_prod(k, splat(kHalfPiTail));
  DD t = two_sum(s.h, -q.h);
  Reduced out;
  out.r = fast_sum(t.h, t.l + ((s.l - q.l) + k * 1.4973849048591698e-33));
  out.quadrant = (VL)(k + 6755399441055744.0);
  if (__builtin_expect(any(huge), 0)) {
    for (int i = 0; i < kLanes<double>; ++i) {
      if (!huge[i]) continue;
      bool finite = x[i] - x[i] == 0;
      ScalarReduced one = finite ? reduce_huge(x[i]) : ScalarReduced{kNan, kNan, 0};
      out.r.h[i] = one.h;
      out.r.l[i] = one.l;
      out.quadrant[i] = one.quadrant;
    }
  }
  return out;
}
// sin r and cos r as h + l, not yet rounded.
D2L_INLINE DD sin_core(DD r) {
  static constexpr double kPoly[] = {-0.16666666666666666,    0.008333333333333331,
                                     -0.00019841269841264821, 2.7557319219150783e-06,
                                     -2.5052106167335705e-08, 1.6058521349954986e-10,
                                     -7.586094789672621e-13};
  VD z = r.h * r.h;
  return fast_sum(r.h, fma(r.h * z, poly(z, kPoly), fma(-0.5 * z, r.l, r.l)));
}
D2L_INLINE DD cos_core(DD r) {
  static constexpr double kPoly[] = {0.041666666666666664,   -0.0013888888888888887,
                                     2.480158730158451e-05,  -2.755731922129809e-07,
                                     2.0876755754879594e-09, -1.1470455178216906e-11,
                                     4.745537017319258e-14};
  VD z = r.h * r.h, half = 0.5 * z, w = 1 - half;
  return fast_sum(w, ((1 - w) - half) + fma(z * z, poly(z, kPoly), -(r.h * r.l)));
}
D2L_INLINE VD sin(VD x) {
  Reduced a = reduce(x);
  VL odd = (a.quadrant & 1) != 0;
  VD y = odd ? cos_core(a.r).h : sin_core(a.r).h;
  y = (VD)((VL)y ^ (a.quadrant & 2) << 62);
  return x == 0.0 ? x : y;
}
D2L_INLINE VD cos(VD x) {
  Reduced a = reduce(x);
  VL odd = (a.quadrant & 1) != 0;
  VD y = odd ? sin_core(a.r).h : cos_core(a.r).h;
  return (VD)((VL)y ^ ((a.quadrant + 1) & 2) << 62);
}
D2L_INLINE VD tan(VD x) {
  Reduced a = reduce(x);
  VL odd = (a.quadrant & 1) != 0;
  DD s = sin_core(a.r), c = cos_core(a.r);
  VD y = div(select(odd, neg(c), s), select(odd, s, c)).h;
  return abs(x) < 1e-20 ? x : y;
}

// atan(y / x) for y, x >= 0, not both 0 and not both infinite, in [0, pi/2].
D2L_INLINE DD atan_ratio(VD y, VD x) {
  static constexpr double kPoly[] = {
      -0.3333333333333333,   0.199999999999998,   -0.14285714285659326,  0.11111111105106705,
      -0.09090908751076636,  0.0769229630497447,  -0.06666423628069258,  0.058789145444006215,
      -0.052303478730160745, 0.04551108126325172, -0.034558092551413795, 0.01627194475162406};
  VL low = y <= 0.41421356 * x, high = y * 0.41421356 > x;
  DD num = select(low, {y, VD{}}, select(high, {-x, VD{}}, two_sum(y, -x)));
  DD den = select(low, {x, VD{}}, select(high, {y, VD{}}, two_sum(y, x)));
  DD base = select(low, {VD{}, VD{}},
                   select(high, dd(kHalfPi, kHalfPiTail), dd(kHalfPi / 2, kHalfPiTail / 2)));
  DD u = div(num, den);
  VD z = u.h * u.h;
  DD t = fast_sum(base.h, u.h);
  return fast_sum(t.h, t.l + (base.l + u.l + u.h * z * poly(z, kPoly)));
}
D2L_INLINE VD atan(VD x) {
  VD a = abs(x);
  VL inf = a == kInf;
  VD y = atan_ratio(inf ? splat(1.0) : a, inf ? VD{} : splat(1.0)).h;
  y = a < 1e-9 ? a - a * a * a * (1 / 3.0) : y;
  return copysign(y, x);
}
D2L_INLINE VD atan2(VD y, VD x) {
  VD b = abs(y), a = abs(x), big = b > a ? b : a;
  VD scale = big > 1e290 ? splat(0x1p-200) : big < 1e-200 ? splat(0x1p300) : splat(1.0);
  b *= scale, a *= scale;
  VL binf = b == kInf, ainf = a == kInf;
  VD bb = binf ? splat(1.0) : ainf ? VD{} : b, aa = ainf ? splat(1.0) : binf ? VD{} : a;
  aa = (aa == 0.0) & (bb == 0.0) ? splat(1.0) : aa;
  DD r = atan_ratio(bb, aa);
  DD back = add(dd(2 * kHalfPi, 2 * kHalfPiTail), neg(r));
  VD v = (VL)x < 0 ? back.h : r.h;
  v = (x != x) | (y != y) ? x + y : v;
  return copysign(v, y);
}

// asin(s) - s over s, from z = s^2 <= 1/4.
D2L_INLINE VD asin_rest(VD z) {
  static constexpr double kPoly[] = {
      0.16666666666666666,   0.07500000000000119,  0.04464285714255019,   0.030381944475693704,
      0.022372157435623815,  0.017352816768546473, 0.013963775787848137,  0.011566511821890942,
      0.00962140274734483,   0.009322101501082774, 0.0030350071727267623, 0.019579201619744684,
      -0.019277545928584557, 0.02963502626354855};
  return z * poly(z, kPoly);
}
D2L_INLINE VD asin(VD x) {
  VD a = abs(x);
  VL big = a > 0.5;
  VD z = big ? 0.5 - 0.5 * a : a * a;
  DD s = sqrt_dd({z == 0.0 ? splat(1.0) : z, VD{}});
  s = select(z == 0.0, {VD{}, VD{}}, s);
  VD w = asin_rest(z);
  VD y = kHalfPi - (2 * s.h - (kHalfPiTail - 2 * (s.l + s.h * w)));
  y = big ? y : fma(a, w, a);
  return copysign(y, x);
}
D2L_INLINE VD acos(VD x) {
  VD a = abs(x);
  VL big = a > 0.5;
  VD z = big ? 0.5 - 0.5 * a : a * a;
  DD s = sqrt_dd({z == 0.0 ? splat(1.0) : z, VD{}});
  s = select(z == 0.0, {VD{}, VD{}}, s);
  VD w = asin_rest(z);
  VD t = 2 * (s.h + (s.l + s.h * w));
  VD near = x < 0.0 ? 2 * (kHalfPi - (s.h + ((s.l + s.h * w) - kHalfPiTail))) : t;
  VD mid = kHalfPi - (x - (kHalfPiTail - x * w));
  return big ? near : mid;
}

}  // namespace
}  // namespace d2l::D2L_ISA_NS
