// Floating arithmetic without transcendental functions, on whole vectors.
//
// The one idea: NaN and signed zero behave as in PyTorch because every selection is written as the
// comparison that PyTorch makes; no min/max instruction whose NaN rule depends on operand order.
#include "kernels/fmod.h"
#include "kernels/map.h"

namespace d2l::D2L_ISA_NS {
namespace {

#define D2L_FLOAT1(Name, expr)           \
  struct Name {                          \
    template <class V>                   \
    D2L_INLINE V operator()(V x) const { \
      return expr;                       \
    }                                    \
  };
#define D2L_FLOAT2(Name, expr)                \
  struct Name {                               \
    template <class V>                        \
    D2L_INLINE V operator()(V a, V b) const { \
      return expr;                            \
    }                                         \
  };
D2L_FLOAT1(Neg, -x)
D2L_FLOAT1(Abs, abs(x))
D2L_FLOAT1(Sign, x > V{} ? V{} + 1 : x < V{} ? V{} - 1 : V{})  // NaN gives 0
D2L_FLOAT1(Square, x* x)
D2L_FLOAT1(Reciprocal, 1 / x)
D2L_FLOAT1(Sqrt, sqrt(x))
D2L_FLOAT1(Rsqrt, 1 / sqrt(x))
D2L_FLOAT1(Floor, floor_of(x))
D2L_FLOAT1(Ceil, ceil_of(x))
D2L_FLOAT1(Trunc, trunc_of(x))
D2L_FLOAT1(Round, round_even(x))
D2L_FLOAT1(Frac, x - trunc_of(x))
D2L_FLOAT1(Relu, x < V{} ? V{} : x)  // keeps NaN and -0
D2L_FLOAT2(Add, a + b)
D2L_FLOAT2(Sub, a - b)
D2L_FLOAT2(Mul, a* b)
D2L_FLOAT2(Div, a / b)
D2L_FLOAT2(TruncDivide, trunc_of(a / b))
D2L_FLOAT2(Maximum, (a > b) | (a != a) ? a : b)
D2L_FLOAT2(Minimum, (a < b) | (a != a) ? a : b)
D2L_FLOAT2(Fmax, a != a ? b : b > a ? b : a)
D2L_FLOAT2(Fmin, a != a ? b : b < a ? b : a)
D2L_FLOAT2(Copysign, copysign(a, b))
D2L_FLOAT2(Fmod, fmod(a, b))

struct Remainder {
  template <class V>
  D2L_INLINE V operator()(V a, V b) const {
    V r = fmod(a, b);
    return (r != V{}) & ((b < V{}) ^ (r < V{})) ? r + b : r;
  }
};
// CPython's and PyTorch's: exact where the quotient is an integer, floor elsewhere.
struct FloorDivide {
  template <class V>
  D2L_INLINE V operator()(V a, V b) const {
    V r = fmod(a, b), q = (a - r) / b, plain = a / b;
    q = (r != V{}) & ((b < V{}) ^ (r < V{})) ? q - 1 : q;
    V f = floor_of(q);
    f = q - f > V{} + Elem<V>(0.5) ? f + 1 : f;
    f = q != V{} ? f : copysign(V{}, plain);
    return b == V{} ? plain : f;
  }
};

// Ops with numbers from Scalars. f0 and f1 are broadcast once per call.
struct Two {
  double f0, f1;
  explicit Two(const Scalars& s) : f0(s.f[0]), f1(s.f[1]) {}
  template <class V>
  D2L_INLINE V a() const {
    return splat(static_cast<Elem<V>>(f0));
  }
  template <class V>
  D2L_INLINE V b() const {
    return splat(static_cast<Elem<V>>(f1));
  }
};
struct ClampScalar : Two {
  using Two::Two;
  template <class V>
  D2L_INLINE V operator()(V x) const {
    x = x < a<V>() ? a<V>() : x;
    return x > b<V>() ? b<V>() : x;
  }
};
struct Affine : Two {
  using Two::Two;
  template <class V>
  D2L_INLINE V operator()(V x) const {
    return fma(a<V>(), x, b<V>());
  }
};
struct LeakyRelu : Two {
  using Two::Two;
  template <class V>
  D2L_INLINE V operator()(V x) const {
    return x > V{} ? x : a<V>() * x;
  }
};
struct AddScaled : Two {
  using Two::Two;
  template <class V>
  D2L_INLINE V operator()(V x, V y) const {
    return fma(a<V>(), y, x);
  }
};
struct Addcmul : Two {
  using Two::Two;
  template <class V>
  D2L_INLINE V operator()(V x, V y, V z) const {
    return x + a<V>() * y * z;
  }
};
struct Addcdiv : Two {
  using Two::Two;
  template <class V>
  D2L_INLINE V operator()(V x, V y, V z) const {
    return x + a<V>() * y / z;
  }
};
struct RoundDecimals {
  double ten = 1;
  bool up;
  explicit RoundDecimals(const Scalars& s) : up(s.i[0] >= 0) {
    int64_t n = up ? s.i[0] : 0 - static_cast<uint64_t>(s.i[0]);
    n = n < 0 || n > 400 ? 400 : n;
    for (int64_t k = 0; k < n; ++k) ten *= 10;
  }
  template <class V>
  D2L_INLINE V operator()(V x) const {
    V t = splat(static_cast<Elem<V>>(ten));
    return up ? round_even(x * t) / t : round_even(x / t) * t;
  }
};
struct Clamp {
  template <class V>
  D2L_INLINE V operator()(V x, V lo, V hi) const {
    return Minimum()(Maximum()(x, lo), hi);
  }
};
struct Lerp {
  template <class V>
  D2L_INLINE V operator()(V a, V b, V w) const {
    V d = b - a;
    return abs(w) < V{} + Elem<V>(0.5) ? fma(w, d, a) : b - d * (1 - w);
  }
};

}  // namespace

void fill_floating(KernelTable& t) {
  set_floating<Neg, 1>(t, Loop::neg);
  set_floating<Abs, 1>(t, Loop::abs);
  set_floating<Sign, 1>(t, Loop::sign);
  set_floating<Square, 1>(t, Loop::square);
  set_floating<Reciprocal, 1>(t, Loop::reciprocal);
  set_floating<Sqrt, 1>(t, Loop::sqrt);
  set_floating<Rsqrt, 1>(t, Loop::rsqrt);
  set_floating<Floor, 1>(t, Loop::floor);
  set_floating<Ceil, 1>(t, Loop::ceil);
  set_floating<Trunc, 1>(t, Loop::trunc);
  set_floating<Round, 1>(t, Loop::round);
  set_floating<Frac, 1>(t, Loop::frac);
  set_floating<Relu, 1>(t, Loop::relu);
  set_floating<RoundDecimals, 1>(t, Loop::round_decimals);
  set_floating<LeakyRelu, 1>(t, Loop::leaky_relu);
  set_floating<ClampScalar, 1>(t, Loop::clamp_scalar);
  set_floating<Affine, 1>(t, Loop::affine);
  set_arithmetic<Add>(t, Loop::add);
  set_arithmetic<Sub>(t, Loop::sub);
  set_arithmetic<Mul>(t, Loop::mul);
  set_arithmetic<Div>(t, Loop::div);
  set_floating<AddScaled, 2>(t, Loop::add_scaled);
  set_floating<FloorDivide, 2>(t, Loop::floor_divide);
  set_floating<TruncDivide, 2>(t, Loop::trunc_divide);
  set_floating<Remainder, 2>(t, Loop::remainder);
  set_floating<Fmod, 2>(t, Loop::fmod);
  set_floating<Maximum, 2>(t, Loop::maximum);
  set_floating<Minimum, 2>(t, Loop::minimum);
  set_floating<Fmax, 2>(t, Loop::fmax);
  set_floating<Fmin, 2>(t, Loop::fmin);
  set_floating<Copysign, 2>(t, Loop::copysign);
  set_floating<Clamp, 3>(t, Loop::clamp);
  set_floating<Lerp, 3>(t, Loop::lerp);
  set_floating<Addcmul, 3>(t, Loop::addcmul);
  set_floating<Addcdiv, 3>(t, Loop::addcdiv);
}

}  // namespace d2l::D2L_ISA_NS
