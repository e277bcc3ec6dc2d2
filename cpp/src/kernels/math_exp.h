// exp, log and what is made of them, on vectors of double: about one ulp or less.
//
// The one idea: exp takes and log gives a double-double, so that hyperbolic functions, their
// inverses, powers and logarithms to other bases are short sums without a visible rounding error.
// Coefficients: Chebyshev interpolation on the reduced interval, computed with 50 digits.
#pragma once

#include "kernels/dd.h"

namespace d2l::D2L_ISA_NS {
namespace {

inline constexpr double kInf = __builtin_inf(), kNan = __builtin_nan("");
// 41 bits of ln 2, so that k ln2 is exact for |k| < 2^11, and the rest.
inline constexpr double kLn2Hi = 0.693147180559663, kLn2Lo = 2.8235290563031577e-13;
// ln 2 as a double-double.
inline constexpr double kLn2 = 0.6931471805599453, kLn2Tail = 2.3190468138462996e-17;

struct ExpParts {
  VD k;  // x = k ln 2 + r
  DD r;
  VD tail;  // expm1(r) = r.h + tail
};
D2L_INLINE ExpParts exp_parts(VD x, VD xl) {
  static constexpr double kPoly[] = {// (e^r - 1 - r) / r^2, |r| <= ln2 / 2, error 2^-62
                                     0.5,
                                     0.1666666666666667,
                                     0.04166666666666667,
                                     0.008333333333326136,
                                     0.0013888888888883748,
                                     0.00019841269874820627,
                                     2.4801587325547743e-05,
                                     2.7557255400206422e-06,
                                     2.75572736431103e-07,
                                     2.5105217004720745e-08,
                                     2.0914686968086876e-09};
  ExpParts e;
  e.k = round_even(x * 1.4426950408889634);
  VD r = fma(-e.k, splat(kLn2Hi), x), t = fma(e.k, splat(kLn2Lo), -xl);
  e.r = fast_sum(r, -t);
  e.tail = fma(e.r.h * e.r.h, poly(e.r.h, kPoly), e.r.l);
  return e;
}
// e^r; what 1 + r rounds away is kept, so that the only visible rounding is the last.
D2L_INLINE VD one_plus(const ExpParts& e) {
  VD h = 1 + e.r.h;
  return h + ((e.r.h - (h - 1)) + e.tail);
}
// e^(x + xl), |xl| << 1.
D2L_INLINE VD exp_of(VD x, VD xl) {
  x = clamped(x, -746.0, 710.0);
  ExpParts e = exp_parts(x, xl);
  return scale2(one_plus(e), e.k);
}
D2L_INLINE VD exp(VD x) { return exp_of(x, VD{}); }
// e^x - 1 for -700 < x < 700.
D2L_INLINE DD expm1_dd(VD x) {
  ExpParts e = exp_parts(x, VD{});
  DD m = fast_sum(e.r.h, e.tail);
  VD s = scale2(splat(1.0), e.k);
  DD scaled = {m.h * s, m.l * s};
  DD r = add(two_sum(s, splat(-1.0)), scaled);
  return select(e.k == 0.0, m, r);
}
D2L_INLINE VD expm1(VD x) {
  VD small = clamped(x, -100.0, 100.0);
  DD r = expm1_dd(small);
  r.h = r.h + r.l;
  r.h = x > 100.0 ? exp(x) : r.h;
  return x == 0.0 ? x : r.h;
}
D2L_INLINE VD exp2(VD x) {
  VD c = clamped(x, -1100.0, 1100.0);
  VD k = round_even(c), f = c - k;
  DD r = mul(dd(kLn2, kLn2Tail), f);
  ExpParts e = exp_parts(r.h, r.l);  // |r| <= ln2 / 2: its k is 0 or, at the ends, +-1
  return scale2(one_plus(e), k + e.k);
}

// log(x.h + x.l) for positive, finite x.h. Exact: to 2^-65 (for pow); else to about 2^-59.
template <bool kExact>
D2L_INLINE DD log_dd(DD x) {
  static constexpr double kPoly[] = {// log((1+s)/(1-s)) = 2s + s^3 (2/3 + z P(z)), z = s^2
                                     0.4,
                                     0.2857142857142937,
                                     0.22222222221652765,
                                     0.18181818336099848,
                                     0.1538459488700718,
                                     0.1333480879881234,
                                     0.11706126464563398,
                                     0.11724327060846747};
  VL small = x.h < 2.2250738585072014e-308;
  VD up = small ? splat(18014398509481984.0) : splat(1.0);
  x.h *= up;
  x.l *= up;
  // x = m 2^k, m in [sqrt(1/2), sqrt(2))
  typedef Vec<uint64_t> VU;
  const int64_t kRoot = 0x3fe6a09e667f3bcd;
  VU biased = ((VU)((VL)x.h - kRoot) + (1023ull << 52)) >> 52;
  VL k = (VL)biased - 1023;
  VD kd = (VD)(biased | 0x4330000000000000ull) - (4503599627370496.0 + 1023.0);
  VD m = (VD)((VL)x.h - (k << 52));
  VL down = 1023 - k;
  VD ml = x.l * (VD)((down < 0 ? VL{} : down) << 52);
  kd = small ? kd - 54.0 : kd;

  DD num = two_sum(m - 1, ml), den = two_sum(VD{} + 1, m);
  den.l += ml;
  DD s = div(num, den);
  VD z = s.h * s.h, w = poly(z, kPoly), rest;
  DD lead = {kd * kLn2Hi, kd * kLn2Lo};
  DD t;
  if constexpr (kExact) {
    DD z2 = mul(s, s);
    DD q = fast_sum(splat(0.6666666666666666), fma(z2.h, w, 3.700743415417188e-17));
    DD cube = mul(mul(s, z2), q);
    DD sum = add({s.h + s.h, s.l + s.l}, cube);
    t = two_sum(lead.h, sum.h);
    rest = sum.l + lead.l;
  } else {
    VD cube = s.h * z * fma(z, w, 0.6666666666666666);
    t = two_sum(lead.h, s.h + s.h);
    rest = (s.l + s.l) + lead.l + cube;
  }
  return fast_sum(t.h, t.l + rest);
}
// The values at 0, below 0, at infinity and NaN, where log_dd does not go.
D2L_INLINE VD log_ends(VD x, VD r) {
  r = x < kInf ? r : x;
  r = x < 0.0 ? splat(kNan) : r;
  return x == 0.0 ? splat(-kInf) : r;
}
D2L_INLINE VD log(VD x) { return log_ends(x, log_dd<false>({x, VD{}}).h); }
D2L_INLINE VD log2(VD x) {
  return log_ends(x,
                  mul(log_dd<true>({x, VD{}}), dd(1.4426950408889634, 2.0355273740931033e-17)).h);
}
D2L_INLINE VD log10(VD x) {
  return log_ends(x, mul(log_dd<true>({x, VD{}}), dd(0.4342944819032518, 1.098319650216765e-17)).h);
}
D2L_INLINE VD log1p(VD x) {
  DD a = two_sum(VD{} + 1, x);
  a.l = x < 1e300 ? a.l : VD{};
  VD r = log_ends(a.h, log_dd<false>(a).h);
  return abs(x) < 5e-17 ? x : r;
}

D2L_INLINE VD sinh(VD x) {
  VD a = abs(x), c = at_most(a, splat(40.0));
  DD e = expm1_dd(c), r = add(e, div(e, add(e, splat(1.0))));
  DD shifted = add(dd(-kLn2, -kLn2Tail), a < 1e4 ? a : splat(1e4));
  VD y = a > 40.0 ? exp_of(shifted.h, shifted.l) : 0.5 * r.h;
  y = (a < 1e-20) | (a != a) ? a : y;
  return copysign(y, x);
}
D2L_INLINE VD cosh(VD x) {
  VD a = abs(x), c = at_most(a, splat(40.0));
  DD e = add(expm1_dd(c), splat(1.0)), r = add(e, div(dd(1, 0), e));
  DD shifted = add(dd(-kLn2, -kLn2Tail), a < 1e4 ? a : splat(1e4));
  VD y = a > 40.0 ? exp_of(shifted.h, shifted.l) : 0.5 * r.h;
  return a != a ? a : y;
}
D2L_INLINE VD tanh(VD x) {
  VD a = abs(x), c = at_most(a, splat(22.0));
  DD e = expm1_dd(c + c);
  VD y = div(e, add(e, splat(2.0))).h;
  y = a > 22.0 ? splat(1.0) : y;
  y = a < 1e-20 ? a : y;
  return copysign(y, x);
}
D2L_INLINE VD sigmoid(VD x) {
  VD e = exp(-abs(x)), num = x < 0.0 ? e : VD{} + 1;
  DD den = fast_sum(VD{} + 1, e);
  VD q = num / den.h;
  return q - q * (den.l / den.h);
}
D2L_INLINE VD asinh(VD x) {
  VD a = abs(x), c = a > 1e9 ? splat(1.0) : a;
  DD root = sqrt_dd(add(two_prod(c, c), splat(1.0)));
  DD sum = add(root, c);
  VL big = a > 1e9;
  DD arg = select(big, {a, VD{}}, sum);
  DD l = log_dd<false>(arg);
  VD y = big ? l.h + kLn2 : l.h;
  y = a < 1e-9 ? a - a * a * a * (1 / 6.0) : y;
  y = a < kInf ? y : a;
  return copysign(y, x);
}
D2L_INLINE VD acosh(VD x) {
  VL big = x > 1e9;
  VD t = big ? splat(1.0) : x - 1;
  DD s = mul(two_sum(t, splat(2.0)), t);
  DD root = sqrt_dd(s);
  DD one = add(root, t);
  DD arg = add(one, splat(1.0));
  arg = select(big, {x, VD{}}, arg);
  VD y = log_dd<false>(arg).h;
  y = big ? y + kLn2 : y;
  y = x == 1.0 ? VD{} : y;
  y = x < 1.0 ? splat(kNan) : y;
  return x < kInf ? y : x;
}
D2L_INLINE VD atanh(VD x) {
  VD a = abs(x);
  DD q = div(two_sum(splat(1.0), a), two_sum(splat(1.0), -a));
  VD y = 0.5 * log_dd<false>(q).h;
  y = a < 1e-9 ? a + a * a * a * (1 / 3.0) : y;
  y = a == 1.0 ? splat(kInf) : y;
  y = a > 1.0 ? splat(kNan) : y;
  y = a != a ? a : y;
  return copysign(y, x);
}

// C99 pow with all its special cases.
D2L_INLINE VD pow(VD x, VD y) {
  VD a = abs(x);
  DD l = log_dd<true>({a, VD{}});
  VL plain = (a > 0.0) & (a < kInf);
  l.h = plain ? l.h : log_ends(a, l.h);
  l.l = plain ? l.l : VD{};
  VD h = l.h * y;
  DD p = mul(l, y);
  VL tame = abs(h) < 1000.0;
  VD r = exp_of(tame ? p.h : h, tame ? p.l : VD{});
  VL whole = trunc_of(y) == y;
  VL odd = whole & (trunc_of(y * 0.5) != y * 0.5);
  VL negative = (VL)x < 0;
  r = negative & odd ? -r : r;
  r = (x < 0.0) & (a < kInf) & ~whole ? splat(kNan) : r;
  VL one = (x == 1.0) | (y == 0.0) | ((a == 1.0) & (abs(y) == kInf));
  r = (x != x) | (y != y) ? x + y : r;
  return one ? splat(1.0) : r;
}

D2L_INLINE VD hypot(VD x, VD y) {
  x = abs(x), y = abs(y);
  VD big = x > y ? x : y;
  VD scale = big > 1e150 ? splat(0x1p-600) : big < 1e-140 ? splat(0x1p600) : splat(1.0);
  VD back = big > 1e150 ? splat(0x1p600) : big < 1e-140 ? splat(0x1p-600) : splat(1.0);
  DD a = two_prod(x * scale, x * scale), b = two_prod(y * scale, y * scale);
  VD r = sqrt_dd(add(a, b)).h * back;
  r = big == 0.0 ? VD{} : r;
  r = (x != x) | (y != y) ? x + y : r;
  return (x == kInf) | (y == kInf) ? splat(kInf) : r;
}
D2L_INLINE VD logaddexp(VD a, VD b) {
  VD m = a > b ? a : b, d = abs(a - b);
  VD r = m + log1p(exp(-d));
  r = (a == b) & (d != d) ? a : r;  // equal infinities
  return (a != a) | (b != b) ? a + b : r;
}
D2L_INLINE VD xlogy(VD x, VD y) {
  VD r = x * log(y);
  r = x == 0.0 ? VD{} : r;
  return y != y ? y : r;
}

}  // namespace
}  // namespace d2l::D2L_ISA_NS
