// erf, erfc, erfinv, lgamma, digamma on vectors of double.
//
// The one idea: one polynomial per function on a mapped interval, and exact identities (reflection,
// recurrence, a Halley step) for everything outside it.
#pragma once

#include "kernels/math_exp.h"
#include "kernels/math_trig.h"

namespace d2l::D2L_ISA_NS {
namespace {

// erf for |x| <= 1.
D2L_INLINE VD erf_small(VD x) {
  static constexpr double kPoly[] = {
      0.1283791670955126,      -0.3761263890318375,     0.11283791670954879,
      -0.026866170645076792,   0.0052239776248180145,   -0.000854832698083379,
      0.0001205533111164271,   -1.4925595266831182e-05, 1.6461000484121368e-06,
      -1.6350312701054695e-07, 1.4659775274047436e-08,  -1.1372848856791674e-09,
      5.957176147748911e-11};
  return fma(x, poly(x * x, kPoly), x);
}
// erfc for x >= 0.45: exp(-x^2) g(t) / (1 + 2x), t = (x - 3) / (x + 3); square is x^2.
D2L_INLINE VD erfc_large(VD x, DD square) {
  static constexpr double kPoly[] = {
      1.2530080582697296,      -0.1356211061245812,     -0.04756229435345118,
      0.12964515870276264,     -0.11927366341527436,    0.06830802734392255,
      -0.02377051491965184,    0.0025293918167291186,   0.001888690373525544,
      -0.0007798322758732293,  -0.0001051599146042333,  0.00012509936089241254,
      4.95005021292097e-06,    -2.0100554325049584e-05, -7.333181139446085e-07,
      3.4722774804658493e-06,  3.6068032558412555e-07,  -6.162712926978408e-07,
      -1.4701297581696882e-07, 1.0133109150808945e-07,  4.6687855915183945e-08,
      -1.2923486724446887e-08, -1.1063449147368442e-08, 8.629789919546584e-10,
      1.4858742658316032e-09};
  square = select(x > 28.0, dd(784, 0), square);
  x = at_most(x, splat(28.0));
  VD a = x + 3, t = (x - 3) / a, d = 1 + 2 * x;
  VD g = poly(t, kPoly);
  VD e = exp_of(-square.h, -square.l);
  VD y = e * (g / d);
  return y;
}
D2L_INLINE VD erfc_large(VD x) { return erfc_large(x, two_prod(x, x)); }
// Phi(x) = erfc(-x / sqrt 2) / 2 with the square taken from x, so that the left tail is right.
D2L_INLINE VD normal_cdf(VD x) {
  VD a = abs(x), u = a * 0.7071067811865476;
  DD s = two_prod(a, a);
  VD y = 0.5 * erfc_large(u, {0.5 * s.h, 0.5 * s.l});
  y = x > 0.0 ? 1 - y : y;
  return u < 0.5 ? 0.5 + 0.5 * erf_small(xorsign(u, x)) : y;
}
D2L_INLINE VD erf(VD x) {
  VD a = abs(x);
  VD y = 1 - erfc_large(a);
  y = a < 1.0 ? erf_small(a) : y;
  y = a < 1e-300 ? a + a * 0.1283791670955126 : y;
  return copysign(y, x);
}
D2L_INLINE VD erfc(VD x) {
  VD a = abs(x), y = erfc_large(a);
  y = x < 0.0 ? 2 - y : y;
  return a < 0.5 ? 1 - erf_small(x) : y;
}
// A polynomial start in w = -log(1 - x^2), then two Halley steps on erf or, beyond 1/2, on erfc.
D2L_INLINE VD erfinv(VD x) {
  static constexpr double kNear[] = {
      0.8862269375861314,      0.2320131742080709,      0.011552723173310391,
      -0.002344365953819785,   -0.00011474669735786261, 3.527102237502428e-05,
      8.127665696448039e-06,   -3.123556717611755e-06,  4.13341178769568e-07,
      -2.6674917341354826e-08, 7.079419551810074e-10};
  static constexpr double kFar[] = {
      2.524703806296923,    -3.7042797006284727,    3.601086471983065,
      -1.577367996840318,   0.4315672721648919,     -0.07531947688365286,
      0.008175204777880132, -0.0005040793773810887, 1.3511384757434372e-05};
  VD a = abs(x), c = a < 1.0 ? a : splat(0.5);
  VD w = -log((1 - c) * (1 + c));
  VD y = c * (w < 6.0 ? poly(w, kNear) : poly(sqrt(w), kFar));
  for (int k = 0; k < 2; ++k) {
    VD e = c < 0.5 ? erf_small(y) - c : (1 - c) - erfc_large(y);
    e = e * exp(y * y) * 0.8862269254527580;
    y = y - e / (1 + y * e);
  }
  y = a == 1.0 ? splat(kInf) : y;
  y = a > 1.0 ? splat(kNan) : y;
  y = a != a ? a : y;
  y = a < 1e-300 ? a * 0.886226925452758 : y;
  return copysign(y, x);
}

// log gamma(x), x > 0.
D2L_INLINE VD lgamma_positive(VD x) {
  static constexpr double kPoly[] = {
      // lgamma(2 + t) / t, |t| <= 1/2
      0.42278433509846713,    0.32246703342411326,     -0.0673523010531981,
      0.02058080842778038,    -0.0073855510286719986,  0.002890510331034267,
      -0.0011927539118428156, 0.0005096695154115458,   -0.00022315475400520507,
      9.945767355819498e-05,  -4.49263133791557e-05,   2.0505590755833454e-05,
      -9.438715099211532e-06, 4.38470440459836e-06,    -2.0439048107029907e-06,
      9.200527894968101e-07,  -4.3252393445604814e-07, 2.78740805211359e-07,
      -1.3219945666117874e-07};
  static constexpr double kStirling[] = {1 / 12.0,    -1 / 360.0,       1 / 1260.0,
                                         -1 / 1680.0, 1 / 1188.0,       -691 / 360360.0,
                                         1 / 156.0,   -3617 / 122400.0, 43867 / 244188.0};
  // Below 10: to [1.5, 2.5] by the recurrence, the factors collected in one product.
  DD product = dd(1, 0);
  VL low = x < 1.5, twice = x < 0.5;       // one or two steps up
  VD t = twice ? x : low ? x - 1 : x - 2;  // exact
  product = select(low, {x, VD{}}, product);
  product = select(twice, mul(two_sum(x, VD{} + 1), x), product);
  for (int k = 0; k < 8; ++k) {
    VL more = (t > 0.5) & (x < 10.0);
    if (!any(more)) break;
    DD next = mul(product, t + 1);
    product = select(more, next, product);
    t = more ? t - 1 : t;
  }
  VL far = x >= 10.0;
  t = far ? VD{} : t;
  DD arg = select(far, {x < 1e300 ? x : splat(1e300), VD{}}, product);
  DD l = log_dd<false>(arg);
  VD q = poly(t, kPoly);
  DD tq = two_prod(t, q);
  DD near = add(tq, select(low, neg(l), l));
  VD r = 1 / x, s = poly(r * r, kStirling) * r;
  DD big = add(mul(l, two_sum(x, splat(-0.5))), -x);
  big = add(add(big, dd(0.9189385332046728, -3.8782941580672414e-17)), s);
  VD y = far ? big.h : near.h;
  return x < 1e306 ? y : x * (x < 2e305 ? VD{} + 1 : log(x) - 1);
}
D2L_INLINE VD lgamma(VD x) {
  VD a = abs(x), y = lgamma_positive(a == 0.0 ? VD{} + 1 : a);
  VL negative = (x < 0.0) & (a > 1e-17);
  VD f = a - round_even(a);  // exact
  DD arg = mul(dd(2 * kHalfPi, 2 * kHalfPiTail), f);
  DD flat = {abs(arg.h), xorsign(arg.l, arg.h)};
  DD s = select(flat.h > 0.7853981633974483, cos_core(add(neg(flat), dd(kHalfPi, kHalfPiTail))),
                sin_core(flat));
  VD sine = abs(s.h);
  // log(pi / (a |sin pi a|)) - lgamma(a)
  DD l = log_dd<false>(mul({sine == 0.0 ? VD{} + 1 : sine, s.l}, a));
  VD back = (1.1447298858494002 - l.h) - y;
  y = negative ? back : y;
  y = (x < 0.0) & (f == 0.0) ? splat(kInf) : y;
  y = a <= 1e-17 ? -log(a) : y;
  y = x != x ? x : y;
  return a == kInf ? splat(kInf) : y;
}

D2L_INLINE VD digamma(VD x) {
  static constexpr double kSeries[] = {1 / 12.0,  -1 / 120.0,     1 / 252.0, -1 / 240.0,
                                       1 / 132.0, -691 / 32760.0, 1 / 12.0};
  VL negative = x < 0.0;
  VD p = negative ? 1 - x : x, sum = VD{};
  for (int k = 0; k < 10; ++k) {
    VL more = p < 10.0;
    if (!any(more)) break;
    sum = more ? sum - 1 / p : sum;
    p = more ? p + 1 : p;
  }
  VD r = 1 / p, z = r * r;
  VD y = sum + ((log(p) - 0.5 * r) - z * poly(z, kSeries));
  // psi(x) = psi(1 - x) - pi / tan(pi x)
  VD f = x - round_even(x);
  DD arg = mul(dd(2 * kHalfPi, 2 * kHalfPiTail), f);
  VL steep = abs(f) > 0.25;  // there the cotangent is the tangent of what is missing to pi / 2
  DD quarter = {copysign(splat(kHalfPi), f), copysign(splat(kHalfPiTail), f)};
  DD folded = add(quarter, neg(arg));
  DD a = select(steep, folded, arg), s = sin_core(a), c = cos_core(a);
  VD cot = div(select(steep, s, c), select(steep, c, s)).h;
  y = negative ? y - 2 * kHalfPi * cot : y;
  y = negative & (f == 0.0) ? splat(kNan) : y;
  y = x == kInf ? x : y;
  return x == 0.0 ? copysign(splat(kInf), -x) : y;
}

}  // namespace
}  // namespace d2l::D2L_ISA_NS
