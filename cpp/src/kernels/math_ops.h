// The rows of transcendental functions: which function stands in which row, for T = float or
// double.
#pragma once

#include "kernels/map.h"
#include "kernels/math_activation.h"

namespace d2l::D2L_ISA_NS {
namespace {

#define D2L_MATH1(f)                     \
  struct Op_##f {                        \
    template <class V>                   \
    D2L_INLINE V operator()(V x) const { \
      return f(x);                       \
    }                                    \
  };
#define D2L_MATH2(f)                          \
  struct Op_##f {                             \
    template <class V>                        \
    D2L_INLINE V operator()(V x, V y) const { \
      return f(x, y);                         \
    }                                         \
  };
// clang-format off
#define D2L_ALL_MATH1(X) X(exp) X(exp2) X(expm1) X(log) X(log2) X(log10) X(log1p) X(sin) X(cos)   \
  X(tan) X(asin) X(acos) X(atan) X(sinh) X(cosh) X(tanh) X(asinh) X(acosh) X(atanh) X(sigmoid)    \
  X(silu) X(logsigmoid)
#define D2L_ALL_MATH2(X) X(pow) X(atan2) X(hypot) X(xlogy) X(logaddexp)
// clang-format on
D2L_ALL_MATH1(D2L_MATH1)
D2L_ALL_MATH2(D2L_MATH2)

// PyTorch's special exponents keep their own rounding.
struct PowScalar {
  double e;
  explicit PowScalar(const Scalars& s) : e(s.f[0]) {}
  template <class V>
  D2L_INLINE V operator()(V x) const {
    if (e == 2.0) return x * x;
    if (e == 0.5) return sqrt(x);
    if (e == 3.0) return x * x * x;
    if (e == 1.0) return x;
    if (e == -1.0) return 1 / x;
    if (e == -0.5) return 1 / sqrt(x);
    if (e == -2.0) return 1 / (x * x);
    return pow(x, splat(static_cast<Elem<V>>(e)));
  }
};
struct Elu {
  double negative, positive, input;
  explicit Elu(const Scalars& s) : negative(s.f[0] * s.f[1]), positive(s.f[1]), input(s.f[2]) {}
  template <class V>
  D2L_INLINE V operator()(V x) const {
    using T = Elem<V>;
    return x < V{} ? expm1(x * T(input)) * T(negative) : x * T(positive);
  }
};
struct Softplus {
  double beta, threshold;
  explicit Softplus(const Scalars& s) : beta(s.f[0]), threshold(s.f[1]) {}
  template <class V>
  D2L_INLINE V operator()(V x) const {
    using T = Elem<V>;
    return softplus(x, T(beta), T(threshold));
  }
};

template <class T>
struct MathRows {
  static void fill(KernelTable& t, Type type) {
#define D2L_ROW1(f) slot(t, Loop::f, type) = entry<Vector<Op_##f, T, 1>>;
#define D2L_ROW2(f) slot(t, Loop::f, type) = entry<Vector<Op_##f, T, 2>>;
    D2L_ALL_MATH1(D2L_ROW1)
    D2L_ALL_MATH2(D2L_ROW2)
    slot(t, Loop::pow_scalar, type) = entry<Vector<PowScalar, T, 1>>;
    slot(t, Loop::elu, type) = entry<Vector<Elu, T, 1>>;
    slot(t, Loop::softplus, type) = entry<Vector<Softplus, T, 1>>;
  }
};

}  // namespace
}  // namespace d2l::D2L_ISA_NS
