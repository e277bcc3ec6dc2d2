// fmod, exact: float by one double division, double by fma where the quotient is small, and long
// division on integers for the rest.
#pragma once

#include "kernels/vec.h"

namespace d2l::D2L_ISA_NS {
namespace {

// Binary long division, 11 bits at a time. Finite a, finite b != 0.
inline double fmod_scalar(double a, double b) {
  const uint64_t kAbs = ~(1ull << 63), kOne = 1ull << 52;
  uint64_t ua = bits<uint64_t>(a), sign = ua & ~kAbs, ub = bits<uint64_t>(b) & kAbs;
  ua &= kAbs;
  if (ua < ub) return a;
  int ea = static_cast<int>(ua >> 52), eb = static_cast<int>(ub >> 52);
  uint64_t ma = ua & (kOne - 1), mb = ub & (kOne - 1);
  if (ea)
    ma |= kOne;
  else
    ea = 1;
  if (eb)
    mb |= kOne;
  else
    eb = 1;
  uint64_t r = ma % mb;
  for (int d = ea - eb; d > 0 && r;) {
    int step = d < 11 ? d : 11;
    r = (r << step) % mb;
    d -= step;
  }
  if (r == 0) return bits<double>(sign);
  int up = __builtin_clzll(r) - 11, e = eb - up;
  if (e > 0) {
    r = (r << up) & (kOne - 1);
    return bits<double>(sign | r | static_cast<uint64_t>(e) << 52);
  }
  return bits<double>(sign | r << (eb - 1));
}

D2L_INLINE VD fmod(VD a, VD b) {
  VD x = abs(a), y = abs(b);
#if D2L_AVX512 || D2L_AVX2
  VD q = trunc_of(x / y);
  VD r = fma(-q, y, x);  // exact: q is off by one at most
  r = r < VD{} ? r + y : r;
  VL slow = ~(q < 4503599627370496.0) & (y > 0.0);
#else
  VD r = x;
  VL slow = ~(x < y) & (y > 0.0);
#endif
  r = copysign(r, a);
  VL special = (y == 0.0) | ~(x < __builtin_inf()) | (y != y);
  slow &= ~special & (y < __builtin_inf());
  if (__builtin_expect(any(slow), 0)) {
    for (int k = 0; k < kLanes<double>; ++k) {
      if (slow[k]) r[k] = fmod_scalar(a[k], b[k]);
    }
  }
  r = y == __builtin_inf() ? a : r;
  return special ? (a - a) / (b - b + y * VD{}) : r;
}

// In double the quotient of two floats with fewer than 29 bits times b is exact.
D2L_INLINE VF fmod(VF a, VF b) {
  return widened([](VD x, VD y) { return fmod(x, y); }, a, b);
}

}  // namespace
}  // namespace d2l::D2L_ISA_NS
