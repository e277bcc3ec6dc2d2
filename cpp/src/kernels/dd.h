// Double-double arithmetic on vectors: an unevaluated sum h + l with |l| <= ulp(h) / 2.
//
// The one idea: an elementary function whose last step adds a small double to an exact one is right
// to little more than half an ulp; these few operations carry the exact one.
#pragma once

#include "kernels/vec.h"

namespace d2l::D2L_ISA_NS {
namespace {

struct DD {
  VD h, l;
};

// a + b exactly; fast_sum needs |a| >= |b| (or a = 0).
D2L_INLINE DD fast_sum(VD a, VD b) {
  VD h = a + b;
  return {h, b - (h - a)};
}
D2L_INLINE DD two_sum(VD a, VD b) {
  VD h = a + b, t = h - a;
  return {h, (a - (h - t)) + (b - t)};
}
#if D2L_AVX512 || D2L_AVX2
D2L_INLINE DD two_prod(VD a, VD b) {
  VD h = a * b;
  return {h, fma(a, b, -h)};
}
#else
// Dekker's product, halves cut by masking bits so that nothing overflows.
D2L_INLINE DD two_prod(VD a, VD b) {
  VD h = a * b;
  VD ah = (VD)((VL)a & ~0x7ffffffll), al = a - ah, bh = (VD)((VL)b & ~0x7ffffffll), bl = b - bh;
  return {h, ((ah * bh - h) + ah * bl + al * bh) + al * bl};
}
#endif

D2L_INLINE DD add(DD a, VD b) {
  DD s = two_sum(a.h, b);
  return fast_sum(s.h, s.l + a.l);
}
D2L_INLINE DD add(DD a, DD b) {
  DD s = two_sum(a.h, b.h);
  return fast_sum(s.h, s.l + (a.l + b.l));
}
D2L_INLINE DD mul(DD a, VD b) {
  DD p = two_prod(a.h, b);
  return fast_sum(p.h, p.l + a.l * b);
}
D2L_INLINE DD mul(DD a, DD b) {
  DD p = two_prod(a.h, b.h);
  return fast_sum(p.h, p.l + (a.h * b.l + a.l * b.h));
}
D2L_INLINE DD div(DD a, DD b) {
  VD q = a.h / b.h;
  DD p = two_prod(q, b.h);
  VD r = (((a.h - p.h) - p.l) + a.l) - q * b.l;
  return fast_sum(q, r / b.h);
}
D2L_INLINE DD sqrt_dd(DD a) {  // a.h > 0
  VD s = sqrt(a.h);
  DD p = two_prod(s, s);
  return fast_sum(s, (((a.h - p.h) - p.l) + a.l) / (s + s));
}
D2L_INLINE DD neg(DD a) { return {-a.h, -a.l}; }
D2L_INLINE DD select(VL mask, DD a, DD b) { return {mask ? a.h : b.h, mask ? a.l : b.l}; }
D2L_INLINE DD dd(double h, double l) { return {splat(h), splat(l)}; }

}  // namespace
}  // namespace d2l::D2L_ISA_NS
