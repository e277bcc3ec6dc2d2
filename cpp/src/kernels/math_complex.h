// Elementary functions of complex numbers on vectors of double, parts apart.
//
// The one idea: each function is a short formula of the real ones (Kahan, "Branch cuts for complex
// elementary functions, or much ado about nothing's sign bit", 1987), which keeps the branch cuts
// and the signs of zero; what an infinity makes of 0 * inf is then put right as in C99's annex G.
// complex64 is computed in double too, so that cancellation never shows in its results.
#pragma once

#include "kernels/math_exp.h"
#include "kernels/math_trig.h"

namespace d2l::D2L_ISA_NS {
namespace {

struct CD {
  VD re, im;
};
D2L_INLINE CD operator+(CD a, CD b) { return {a.re + b.re, a.im + b.im}; }
D2L_INLINE CD operator-(CD a, CD b) { return {a.re - b.re, a.im - b.im}; }
D2L_INLINE CD operator*(CD a, CD b) {
  return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}
D2L_INLINE CD choose(VL mask, CD a, CD b) { return {mask ? a.re : b.re, mask ? a.im : b.im}; }
D2L_INLINE CD plus_one(CD z) { return {1 + z.re, z.im}; }
D2L_INLINE CD one_minus(CD z) { return {1 - z.re, -z.im}; }
// i z and -i z: a circular function is a hyperbolic one with the argument turned by a right angle.
D2L_INLINE CD turn(CD z) { return {-z.im, z.re}; }
D2L_INLINE CD turn_back(CD z) { return {z.im, -z.re}; }
D2L_INLINE VL infinite(VD x) { return abs(x) == kInf; }
D2L_INLINE VL not_finite(VD x) { return x - x != 0.0; }

// Through the larger part of b, so that nothing overflows in between (Smith).
D2L_INLINE CD over(CD a, CD b) {
  VD p = abs(b.re), q = abs(b.im);
  VL flat = p >= q;
  VD big = flat ? b.re : b.im, small = flat ? b.im : b.re;
  VD ratio = small / big, d = 1 / (big + small * ratio);
  CD r = choose(flat, {(a.re + a.im * ratio) * d, (a.im - a.re * ratio) * d},
                {(a.re * ratio + a.im) * d, (a.im * ratio - a.re) * d});
  return choose((p == 0.0) & (q == 0.0), {a.re / p, a.im / q}, r);
}

struct SinCos {
  VD sin, cos;
};
D2L_INLINE SinCos sin_cos(VD x) {
  Reduced a = reduce(x);
  VL odd = (a.quadrant & 1) != 0;
  VD s = sin_core(a.r).h, c = cos_core(a.r).h;
  VD sine = (VD)((VL)(odd ? c : s) ^ (a.quadrant & 2) << 62);
  VD cosine = (VD)((VL)(odd ? s : c) ^ ((a.quadrant + 1) & 2) << 62);
  return {x == 0.0 ? x : sine, cosine};
}

D2L_INLINE CD exp(CD z) {
  // Near the end of the range e^x alone would overflow.
  VL high = z.re > 700.0;
  VD size = exp(high ? z.re - 100 : z.re), more = high ? splat(2.6881171418161356e43) : splat(1.0);
  SinCos t = sin_cos(z.im);
  CD r = {size * t.cos * more, size * t.sin * more};
  r = choose(z.im == 0.0, {size * more, z.im}, r);
  VL odd = not_finite(z.im);
  r = choose(odd & (z.re == -kInf), {VD{}, VD{}}, r);
  return choose(odd & (z.re == kInf), {z.re, z.im - z.im}, r);
}
D2L_INLINE CD expm1(CD z) {
  SinCos t = sin_cos(z.im);
  VD half = sin_cos(0.5 * z.im).sin, less = expm1(z.re);
  const CD whole = exp(z);
  CD r = {less * t.cos - 2 * half * half, whole.im};
  r = choose(not_finite(z.re) | not_finite(z.im) | (z.re > 700.0), whole, r);
  return choose(z.im == 0.0, {less, z.im}, r);
}

// log|z|: from |z|^2 - 1 where |z| is near 1.
D2L_INLINE VD log_abs(CD z) {
  VD p = abs(z.re), q = abs(z.im), big = p > q ? p : q, small = p > q ? q : p;
  VD scale = big > 1e300 ? splat(0.25) : big < 1e-290 ? splat(0x1p100) : splat(1.0);
  VD back = big > 1e300 ? splat(2 * kLn2) : big < 1e-290 ? splat(-100 * kLn2) : VD{};
  VD far = log(hypot(p * scale, q * scale)) + back;
  VL near = (big > 0.5) & (big < 2.0);
  VD b = near ? big : splat(1.0), s = near ? small : VD{};
  DD rest = add(add(two_prod(b, b), splat(-1.0)), two_prod(s, s));
  return near ? 0.5 * log1p(rest.h) : far;
}
D2L_INLINE CD log(CD z) { return {log_abs(z), atan2(z.im, z.re)}; }
D2L_INLINE CD log1p(CD z) {
  // |1 + z|^2 - 1 = x (2 + x) + y^2, exactly where it is small.
  VL near = (abs(z.re) < 4.0) & (abs(z.im) < 4.0);
  VD x = near ? z.re : VD{}, y = near ? z.im : VD{};
  DD rest = add(mul(two_sum(splat(2.0), x), x), two_prod(y, y));
  VL close = near & (rest.h > -0.75);
  VD r = close ? 0.5 * log1p(close ? rest.h : VD{}) : log_abs(plus_one(z));
  return {r, atan2(z.im, 1 + z.re)};
}

D2L_INLINE CD sqrt(CD z) {
  VD p = abs(z.re), q = abs(z.im), big = p > q ? p : q;
  VD scale = big > 1e300 ? splat(0.25) : big < 1e-290 ? splat(0x1p200) : splat(1.0);
  VD back = big > 1e300 ? splat(2.0) : big < 1e-290 ? splat(0x1p-100) : splat(1.0);
  VD x = p * scale, y = q * scale;
  VD t = sqrt(0.5 * (x + hypot(x, y))), u = 0.5 * y / t;
  u = infinite(p) & ~not_finite(q) ? VD{} : u;
  t *= back, u *= back;
  CD r = choose((VL)z.re < 0, {u, copysign(t, z.im)}, {t, copysign(u, z.im)});
  r = choose((p == 0.0) & (q == 0.0), {VD{}, z.im}, r);
  return choose(q == kInf, {q, z.im}, r);
}

// The hyperbolic sine and cosine of x as products with `more`, which stays finite where they do
// not.
struct Hyperbolic {
  VD sinh, cosh, more;
};
D2L_INLINE Hyperbolic hyperbolic(VD x) {
  VL high = abs(x) > 700.0;
  VD lower = high ? x - copysign(splat(100.0), x) : x;
  return {sinh(lower), cosh(lower), high ? splat(2.6881171418161356e43) : splat(1.0)};
}
D2L_INLINE CD sinh(CD z) {
  SinCos t = sin_cos(z.im);
  Hyperbolic h = hyperbolic(z.re);
  CD r = {h.sinh * t.cos * h.more, h.cosh * t.sin * h.more};
  r.re = z.re == 0.0 ? z.re : r.re;
  r.re = infinite(z.re) & not_finite(z.im) ? abs(z.re) : r.re;
  r.im = z.im == 0.0 ? z.im : r.im;
  return r;
}
D2L_INLINE CD cosh(CD z) {
  SinCos t = sin_cos(z.im);
  Hyperbolic h = hyperbolic(z.re);
  CD r = {h.cosh * t.cos * h.more, h.sinh * t.sin * h.more};
  r.re = infinite(z.re) & not_finite(z.im) ? abs(z.re) : r.re;
  r.im = (z.re == 0.0) | (z.im == 0.0) ? xorsign(xorsign(VD{}, z.im), z.re) : r.im;
  return r;
}
D2L_INLINE CD tanh(CD z) {
  VD a = abs(z.re);
  VL far = a >= 20.0;
  SinCos t = sin_cos(z.im);
  // With s = sinh x: tanh z = (s cosh x + i sin y cos y) / (s^2 + cos^2 y).
  VD x = far ? VD{} : z.re, s = sinh(x), d = fma(s, s, t.cos * t.cos);
  CD r = {cosh(x) * s / d, t.sin * t.cos / d};
  CD end = {copysign(splat(1.0) + (z.im - z.im), z.re), 4 * t.sin * t.cos * exp(-2 * a)};
  end = choose(infinite(a) & not_finite(z.im), {copysign(splat(1.0), z.re), VD{}}, end);
  r = choose(far, end, r);
  r.re = z.re == 0.0 ? z.re : r.re;
  r.im = z.im == 0.0 ? z.im : r.im;
  return r;
}

// Beyond 2^60 the inverse functions are logarithms: log(2 |z|) beside an angle.
D2L_INLINE VL remote(CD z) { return (abs(z.re) > 0x1p60) | (abs(z.im) > 0x1p60); }
D2L_INLINE VD log_double(CD z) { return log_abs(z) + kLn2; }
D2L_INLINE CD asin(CD z) {
  CD low = sqrt(one_minus(z)), high = sqrt(plus_one(z));
  CD r = {atan2(z.re, low.re * high.re - low.im * high.im),
          asinh(low.re * high.im - low.im * high.re)};
  r = choose(remote(z), {atan2(z.re, abs(z.im)), copysign(log_double(z), z.im)}, r);
  r.re = z.re == 0.0 ? z.re : r.re;
  return r;
}
D2L_INLINE CD acos(CD z) {
  CD low = sqrt(one_minus(z)), high = sqrt(plus_one(z));
  CD r = {2 * atan2(low.re, high.re), asinh(high.re * low.im - high.im * low.re)};
  r = choose(remote(z), {atan2(abs(z.im), z.re), -copysign(log_double(z), z.im)}, r);
  r.re = (z.re == 0.0) & (z.im != z.im) ? splat(kHalfPi) : r.re;
  return r;
}
D2L_INLINE CD acosh(CD z) {
  CD low = sqrt(CD{z.re - 1, z.im}), high = sqrt(plus_one(z));
  CD r = {asinh(low.re * high.re + low.im * high.im), 2 * atan2(low.im, high.re)};
  r = choose(remote(z), {log_double(z), atan2(z.im, z.re)}, r);
  r.im = (z.re == 0.0) & (z.im != z.im) ? splat(kHalfPi) : r.im;
  return r;
}
D2L_INLINE CD atanh(CD z) {
  VD x = abs(z.re), y = abs(z.im), near = 1 - x, square = near * near + y * y;
  VD close = 0.5 * (kLn2 - log(hypot(near, y)));  // beside the poles, where the square underflows
  VD re = square < 1e-200 ? close : 0.25 * log1p(4 * x / square);
  VD im = 0.5 * atan2(2 * y, near * (1 + x) - y * y);
  // Far away the value is 1 / z beside a right angle; x / |z|^2 must not overflow on the way.
  VD size = hypot(x, y);
  VL endless = (x == kInf) | (y == kInf);
  VD end = endless ? VD{} : x / size / size;
  VL far = remote(z);
  re = z.re == 0.0 ? VD{} : far ? end : re;
  im = far & (y == y) ? splat(kHalfPi) : im;
  return {copysign(re, z.re), copysign(im, z.im)};
}

D2L_INLINE CD sin(CD z) { return turn_back(sinh(turn(z))); }
D2L_INLINE CD cos(CD z) { return cosh(turn(z)); }
D2L_INLINE CD tan(CD z) { return turn_back(tanh(turn(z))); }
D2L_INLINE CD asinh(CD z) { return turn_back(asin(turn(z))); }
D2L_INLINE CD atan(CD z) { return turn_back(atanh(turn(z))); }

D2L_INLINE CD scaled(CD z, double factor) { return {z.re * factor, z.im * factor}; }
D2L_INLINE CD log2(CD z) { return scaled(log(z), 1.4426950408889634); }
D2L_INLINE CD log10(CD z) { return scaled(log(z), 0.4342944819032518); }
D2L_INLINE CD exp2(CD z) { return exp(scaled(z, kLn2)); }
D2L_INLINE CD rsqrt(CD z) { return over({splat(1.0), VD{}}, sqrt(z)); }
D2L_INLINE CD sigmoid(CD z) { return over({splat(1.0), VD{}}, plus_one(exp({-z.re, -z.im}))); }
D2L_INLINE CD silu(CD z) { return over(z, plus_one(exp({-z.re, -z.im}))); }
D2L_INLINE CD pow(CD z, CD w) { return exp(w * log(z)); }

// log(e^a + e^b) = m + log1p(e^(other - m)), m the one with the larger real part.
D2L_INLINE CD logaddexp(CD a, CD b) {
  VL swap = b.re > a.re;
  CD m = choose(swap, b, a), other = choose(swap, a, b);
  CD r = m + log1p(exp(other - m));
  r = choose((other.re == -kInf), m, r);
  // Two infinities on the same side: their angle is lost.
  VL both = (a.re == b.re) & infinite(a.re);
  r = choose(both & (a.im == b.im), a, r);
  VL nan = (a.re != a.re) | (a.im != a.im) | (b.re != b.re) | (b.im != b.im);
  return choose(nan, {splat(kNan), splat(kNan)}, r);
}

}  // namespace
}  // namespace d2l::D2L_ISA_NS
