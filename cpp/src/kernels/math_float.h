// The float forms of the functions: hot ones natively, the others computed in double.
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
D2L_WIDE1(exp)
D2L_WIDE1(exp2)
D2L_WIDE1(expm1)
D2L_WIDE1(log)
D2L_WIDE1(log2)
D2L_WIDE1(log10)
D2L_WIDE1(log1p)
D2L_WIDE1(sin)
D2L_WIDE1(cos)
D2L_WIDE1(tan)
D2L_WIDE1(asin)
D2L_WIDE1(acos)
D2L_WIDE1(atan)
D2L_WIDE1(sinh)
D2L_WIDE1(cosh)
D2L_WIDE1(tanh)
D2L_WIDE1(asinh)
D2L_WIDE1(acosh)
D2L_WIDE1(atanh)
D2L_WIDE1(sigmoid)
D2L_WIDE1(erf)
D2L_WIDE1(erfc)
D2L_WIDE1(normal_cdf)
D2L_WIDE1(erfinv)
D2L_WIDE1(lgamma)
D2L_WIDE1(digamma)
D2L_WIDE2(pow)
D2L_WIDE2(atan2)
D2L_WIDE2(hypot)
D2L_WIDE2(logaddexp)
D2L_WIDE2(xlogy)

}  // namespace
}  // namespace d2l::D2L_ISA_NS
