// Activation functions and their derivatives, for vectors of float or double.
#pragma once

#include "kernels/math_float.h"

namespace d2l::D2L_ISA_NS {
namespace {

inline constexpr double kInvRootTwoPi = 0.3989422804014327;  // 1 / sqrt(2 pi)
inline constexpr double kGeluA = 0.7978845608028654;         // sqrt(2 / pi)
inline constexpr double kGeluB = 0.044715;

// At -inf the three below are NaN, as in PyTorch.
template <class V>
D2L_INLINE V gelu(V x) {
  return x * normal_cdf(x);
}
template <class V>
D2L_INLINE V gelu_tanh(V x) {
  using T = Elem<V>;
  return x * sigmoid(T(2 * kGeluA) * (x + T(kGeluB) * x * x * x));
}
template <class V>
D2L_INLINE V silu(V x) {
  return x * sigmoid(x);
}
// log(1 + e^z) = max(z, 0) + log1p(e^-|z|).
template <class V>
D2L_INLINE V softplus(V x, Elem<V> beta, Elem<V> threshold) {
  V z = x * beta;
  V y = (z > V{} ? z : V{}) + log1p_exp_minus(abs(z));
  return z > threshold ? x : z != z ? z : y / beta;
}
template <class V>
D2L_INLINE V logsigmoid(V x) {
  return (x < V{} ? x : x != x ? x : V{}) - log1p_exp_minus(abs(x));
}
template <class V>
D2L_INLINE V gelu_slope(V x) {
  V c = abs(x) > Elem<V>(40) ? copysign(V{} + Elem<V>(40), x) : x;
  return normal_cdf(c) + c * (Elem<V>(kInvRootTwoPi) * exp(Elem<V>(-0.5) * c * c));
}
template <class V>
D2L_INLINE V gelu_tanh_slope(V x) {
  using T = Elem<V>;
  V c = abs(x) > T(40) ? copysign(V{} + T(40), x) : x;
  V z = c * c, s = sigmoid(T(2 * kGeluA) * (c + T(kGeluB) * c * z));
  return s + c * s * (1 - s) * (T(2 * kGeluA) * (1 + T(3 * kGeluB) * z));
}
template <class V>
D2L_INLINE V silu_slope(V x) {
  V s = sigmoid(x), c = x < Elem<V>(-800) ? V{} : x;
  return s * (1 + c * (1 - s));
}

}  // namespace
}  // namespace d2l::D2L_ISA_NS
