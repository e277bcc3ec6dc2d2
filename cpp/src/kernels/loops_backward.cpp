// Derivatives of the activations in one loop each, and dropout's masked product.
#include "kernels/map.h"
#include "kernels/math_activation.h"

namespace d2l::D2L_ISA_NS {
namespace {

#define D2L_SLOPE(Name, expr)                 \
  struct Name {                               \
    template <class V>                        \
    D2L_INLINE V operator()(V g, V x) const { \
      return expr;                            \
    }                                         \
  };
D2L_SLOPE(Relu, x <= V{} ? V{} : g)  // NaN passes g on, as in PyTorch
D2L_SLOPE(Sigmoid, g * (1 - x) * x)
D2L_SLOPE(Tanh, g * (1 - x * x))
D2L_SLOPE(Gelu, g* gelu_slope(x))
D2L_SLOPE(GeluTanh, g* gelu_tanh_slope(x))
D2L_SLOPE(Silu, g* silu_slope(x))
D2L_SLOPE(LogSigmoid, g* sigmoid(-x))

struct LeakyRelu {
  double slope;
  explicit LeakyRelu(const Scalars& s) : slope(s.f[0]) {}
  template <class V>
  D2L_INLINE V operator()(V g, V x) const {
    return x > V{} ? g : g * Elem<V>(slope);
  }
};
struct Softplus {
  double beta, threshold;
  explicit Softplus(const Scalars& s) : beta(s.f[0]), threshold(s.f[1]) {}
  template <class V>
  D2L_INLINE V operator()(V g, V x) const {
    V z = x * Elem<V>(beta);
    return z > Elem<V>(threshold) ? g : g * sigmoid(z);
  }
};
// From x: x > 0 ? g scale : g alpha scale input exp(input x).
struct Elu {
  double negative, positive, input;
  explicit Elu(const Scalars& s) : negative(s.f[0] * s.f[1]), positive(s.f[1]), input(s.f[2]) {}
  template <class V>
  D2L_INLINE V operator()(V g, V x) const {
    using T = Elem<V>;
    return x > V{} ? g * T(positive) : g * T(input) * T(negative) * exp(x * T(input));
  }
};
struct MaskedScale {
  double scale;
  explicit MaskedScale(const Scalars& s) : scale(s.f[0]) {}
  template <class T>
  D2L_INLINE T operator()(T x, uint8_t mask) const {
    return x * (mask ? static_cast<T>(scale) : T(0));  // keeps the sign of zero, as PyTorch
  }
};

}  // namespace

void fill_backward(KernelTable& t) {
  set_floating<Relu, 2>(t, Loop::relu_backward);
  set_floating<Sigmoid, 2>(t, Loop::sigmoid_backward);
  set_floating<Tanh, 2>(t, Loop::tanh_backward);
  set_floating<Gelu, 2>(t, Loop::gelu_backward);
  set_floating<GeluTanh, 2>(t, Loop::gelu_tanh_backward);
  set_floating<Silu, 2>(t, Loop::silu_backward);
  set_floating<LogSigmoid, 2>(t, Loop::logsigmoid_backward);
  set_floating<LeakyRelu, 2>(t, Loop::leaky_relu_backward);
  set_floating<Softplus, 2>(t, Loop::softplus_backward);
  set_floating<Elu, 2>(t, Loop::elu_backward);
  slot(t, Loop::masked_scale, kF32) = entry<Simple<MaskedScale, float, float, uint8_t>>;
  slot(t, Loop::masked_scale, kF64) = entry<Simple<MaskedScale, double, double, uint8_t>>;
}

}  // namespace d2l::D2L_ISA_NS
