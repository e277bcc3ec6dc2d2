// Activation functions and dropout: each op with its derivative and its row.
//
// The derivative of most is one loop over (g, x). When gradients of gradients are wanted, the same
// formula is computed by ops instead, so that it can be differentiated.
#include <cmath>
#include <string>

#include "autograd/record.h"
#include "core/total.h"
#include "d2lcore/ops.h"
#include "iter/map.h"
#include "ops/register.h"

namespace d2l {

void register_softmax(OpTable& ops);  // softmax.cpp

namespace {

Scalars numbers(double a, double b = 0, double c = 0) {
  Scalars s;
  s.f[0] = a;
  s.f[1] = b;
  s.f[2] = c;
  return s;
}

// y = loop(x) and dx = back(g, x), or formula(g, x) when that must be differentiable itself.
template <class F>
Tensor activate(const char* op, const char* node, Loop loop, Loop back, const Tensor& self, Dst dst,
                const Scalars& s, F formula) {
  check<NotImplementedError>(is_floating(self.dtype()), "\"{}\" not implemented for '{}'", op,
                             self.dtype());
  Tensor out = map(op, loop, Promote::Default, dst, {&self}, s);
  return record(out, node, {&self}, saved(self),
                [back, s, formula](const Tensor& g, const Tensor& x) {
                  if (GradMode::enabled()) return formula(g, x, s);
                  return map("backward", back, Promote::Default, {}, {&g, &x}, s);
                });
}

Tensor elu_with(const char* node, const Tensor& self, double alpha, double scale, double input,
                Dst dst) {
  return activate(
      "elu_cpu", node, Loop::elu, Loop::elu_backward, self, dst, numbers(alpha, scale, input),
      [](const Tensor& g, const Tensor& x, const Scalars& s) {
        // exp of the negative part only, so that nothing overflows where x > 0.
        const Tensor low = clamp(x, {}, Scalar(0.0));
        const Tensor slope = mul(exp(mul(low, Scalar(s.f[2]))), Scalar(s.f[0] * s.f[1] * s.f[2]));
        return mul(g, where(gt(x, Scalar(0)), wrap(Scalar(s.f[1])), slope));
      });
}

constexpr double kSqrtHalf = 0.70710678118654752440;
constexpr double kInvSqrt2Pi = 0.39894228040143267794;
constexpr double kGeluA = 0.79788456080286535588;  // sqrt(2 / pi)
constexpr double kGeluB = 0.044715;

}  // namespace

Tensor leaky_relu(const Tensor& self, const Scalar& negative_slope, Dst dst) {
  return activate("leaky_relu_cpu", "LeakyReluBackward0", Loop::leaky_relu,
                  Loop::leaky_relu_backward, self, dst, numbers(negative_slope.real()),
                  [](const Tensor& g, const Tensor& x, const Scalars& s) {
                    return where(gt(x, Scalar(0)), g, mul(g, Scalar(s.f[0])));
                  });
}

Tensor elu(const Tensor& self, const Scalar& alpha, Dst dst) {
  return elu_with("EluBackward0", self, alpha.real(), 1, 1, dst);
}
// Klambauer et al., Self-Normalizing Neural Networks (2017), gives both constants.
Tensor selu(const Tensor& self, Dst dst) {
  return elu_with("EluBackward0", self, 1.6732632423543772848170429916717,
                  1.0507009873554804934193349852946, 1, dst);
}
Tensor celu(const Tensor& self, const Scalar& alpha, Dst dst) {
  check(alpha.real() != 0, "ZeroDivisionError: alpha cannot be 0 for CELU");
  return elu_with("CeluBackward0", self, alpha.real(), 1, 1 / alpha.real(), dst);
}

Tensor gelu(const Tensor& self, std::string_view approximate, Dst dst) {
  check(approximate == "none" || approximate == "tanh",
        "approximate argument must be either none or tanh.");
  if (approximate == "tanh") {
    return activate(
        "GeluKernelImpl", "GeluBackward0", Loop::gelu_tanh, Loop::gelu_tanh_backward, self, dst, {},
        [](const Tensor& g, const Tensor& x, const Scalars&) {
          const Tensor z = square(x), one = wrap(Scalar(1.0));
          const Tensor u = mul(mul(x, add(mul(z, Scalar(kGeluB)), Scalar(1.0))), Scalar(kGeluA));
          const Tensor th = tanh(u);
          const Tensor du = mul(add(mul(z, Scalar(3 * kGeluB)), Scalar(1.0)), Scalar(kGeluA));
          const Tensor right = mul(mul(x, sub(one, square(th))), du);
          return mul(g, mul(add(add(th, Scalar(1.0)), right), Scalar(0.5)));
        });
  }
  return activate("GeluKernelImpl", "GeluBackward0", Loop::gelu, Loop::gelu_backward, self, dst, {},
                  [](const Tensor& g, const Tensor& x, const Scalars&) {
                    const Tensor cdf =
                        mul(add(erf(mul(x, Scalar(kSqrtHalf))), Scalar(1.0)), Scalar(0.5));
                    const Tensor pdf = mul(exp(mul(square(x), Scalar(-0.5))), Scalar(kInvSqrt2Pi));
                    return mul(g, add(cdf, mul(x, pdf)));
                  });
}

Tensor silu(const Tensor& self, Dst dst) {
  if (is_complex(self.dtype())) {
    Tensor out = map("silu_cpu", Loop::silu, Promote::Default, dst, {&self});
    return record(out, "SiluBackward0", {&self}, saved(self), [](const Tensor& g, const Tensor& x) {
      const Tensor s = sigmoid(x);
      return mul(g, conj(mul(s, add(mul(x, sub(wrap(Scalar(1.0)), s)), Scalar(1.0)))));
    });
  }
  return activate("silu_cpu", "SiluBackward0", Loop::silu, Loop::silu_backward, self, dst, {},
                  [](const Tensor& g, const Tensor& x, const Scalars&) {
                    const Tensor s = sigmoid(x);
                    const Tensor rest = sub(wrap(Scalar(1.0)), s);
                    return mul(g, mul(s, add(mul(x, rest), Scalar(1.0))));
                  });
}

Tensor softplus(const Tensor& self, const Scalar& beta, const Scalar& threshold, Dst dst) {
  return activate("softplus_cpu", "SoftplusBackward0", Loop::softplus, Loop::softplus_backward,
                  self, dst, numbers(beta.real(), threshold.real()),
                  [](const Tensor& g, const Tensor& x, const Scalars& s) {
                    const Tensor z = mul(x, Scalar(s.f[0]));
                    return where(gt(z, Scalar(s.f[1])), g, mul(g, sigmoid(z)));
                  });
}

Tensor logsigmoid(const Tensor& self, Dst dst) {
  return activate(
      "log_sigmoid_cpu", "LogSigmoidBackward0", Loop::logsigmoid, Loop::logsigmoid_backward, self,
      dst, {},
      [](const Tensor& g, const Tensor& x, const Scalars&) { return mul(g, sigmoid(neg(x))); });
}

Tensor softsign(const Tensor& self) { return div(self, add(abs(self), Scalar(1))); }
Tensor tanhshrink(const Tensor& self) { return sub(self, tanh(self)); }

Tensor hardtanh(const Tensor& self, const Scalar& min_val, const Scalar& max_val, Dst dst) {
  check(self.dtype() != DType::Bool, "Bool inputs not supported for hardtanh");
  check(self.dtype() != DType::UInt8 || (min_val.real() >= 0 && max_val.real() >= 0),
        "cannot do hardtanh on an unsigned type with negative limits");
  check<NotImplementedError>(!is_complex(self.dtype()),
                             "\"clamp_scalar_cpu\" not implemented for "
                             "'{}'",
                             self.dtype());
  check<ValueError>(!(min_val.real() > max_val.real()), "min_val cannot be greater than max_val");
  Scalars s = numbers(min_val.real(), max_val.real());
  s.i[0] = min_val.to_int();
  s.i[1] = max_val.to_int();
  Tensor out = map("hardtanh", Loop::clamp_scalar, Promote::Default, dst, {&self}, s);
  return record(out, "HardtanhBackward0", {&self}, saved(self),
                [min_val, max_val](const Tensor& g, const Tensor& x) {
                  return masked_fill(g, logical_or(le(x, min_val), ge(x, max_val)), Scalar(0));
                });
}

Tensor threshold(const Tensor& self, const Scalar& threshold, const Scalar& value, Dst dst) {
  const Tensor low = le(self, threshold);
  Tensor out;
  {
    GradModeGuard off(false);
    out = masked_fill(self, low, wrap(value), dst);
  }
  return record(out, "ThresholdBackward0", {&self}, saved(low),
                [](const Tensor& g, const Tensor& m) { return masked_fill(g, m, Scalar(0)); });
}

Tensor prelu(const Tensor& self, const Tensor& weight) {
  check(self.dtype() == weight.dtype(), "prelu: Type promoting not supported. Got {} and {}",
        self.dtype(), weight.dtype());
  check(weight.dim() <= 1,
        "prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim = {}", weight.dim());
  Tensor w = weight;
  if (weight.numel() != 1) {
    check(self.dim() > 0, "Not allow zero-dim input tensor.");
    const int64_t channels = self.dim() > 1 ? self->shape[1] : 1;
    check(channels == weight.numel(),
          "Mismatch of parameter numbers and input channel size. Found parameter numbers = {} and "
          "channel size = {}.",
          weight.numel(), channels);
    Dims shape(static_cast<int>(self.dim()), 1);
    shape[1] = channels;
    w = view(weight, shape);
  } else if (weight.dim() == 1 && self.dim() == 0) {
    w = view(weight, Dims{});
  }
  Tensor out;
  {
    GradModeGuard off(false);
    out = where(gt(self, Scalar(0)), self, mul(self, w));
  }
  return record(
      out, "PreluKernelBackward0", {&self, &w}, saved(self, w),
      [](const Tensor& g, const Tensor& x, const Tensor& v) {
        return where(gt(x, Scalar(0)), g, mul(g, v));
      },
      [](const Tensor& g, const Tensor& x, const Tensor&) {
        return masked_fill(mul(g, x), gt(x, Scalar(0)), Scalar(0));
      });
}

Tensor glu(const Tensor& self, int64_t dim) {
  check(self.dim() > 0, "glu does not support 0-dimensional tensors");
  const int64_t d = wrap_dim(dim, self.dim()), n = self->shape[d];
  check(n % 2 == 0, "Halving dimension must be even, but dimension {} is size {}", d, n);
  return mul(narrow(self, d, 0, n / 2), sigmoid(narrow(self, d, n / 2, n / 2)));
}

namespace {

Tensor masked_scale(const Tensor& self, const Tensor& mask, double scale, Dst dst) {
  Tensor out = map_as("dropout", Loop::masked_scale, self.dtype(), self.dtype(), dst,
                      {&self, &mask}, numbers(scale));
  return record(
      out, "MulBackward0", {&self}, saved(mask),
      [scale](const Tensor& g, const Tensor& m) { return masked_scale(g, m, scale, {}); });
}

}  // namespace

Tensor dropout(const Tensor& self, double p, bool train, Dst dst) {
  check(p >= 0 && p <= 1, "dropout probability has to be between 0 and 1, but got {}", p);
  if (p == 0 || !train || self.numel() == 0) {
    return dst ? deliver("dropout", dst, self) : self;
  }
  if (p == 1) return mul(self, zeros({}, Options(self.dtype())), dst);
  check(!is_integral_or_bool(self.dtype()),
        "result type Float can't be cast to the desired output type {}", self.dtype());
  // Drawn in the order of memory, as bernoulli_ does.
  const Tensor mask = empty_as(self, DType::Bool);
  Generator& generator = default_generator();
  bool* const keep = mask.data_as<bool>();
  for (int64_t i = 0; i < mask.numel(); ++i) keep[i] = generator.uniform_double() < 1 - p;
  const Tensor one = scalar_tensor(Scalar(1.0), self.dtype());
  const Tensor scale = div(one, Scalar(1 - p));  // rounded as the dtype rounds
  if (is_complex(self.dtype())) return mul(self, mul(mask, scale), dst);
  return masked_scale(self, mask, load_scalar(scale.data(), scale.dtype()).real(), dst);
}

namespace {

// Rows of nn: the parameter `inplace` is the binder's.
Tensor nn_relu(const Tensor& x, Ignored, Dst dst) { return relu(x, dst); }
Tensor nn_relu6(const Tensor& x, Ignored, Dst dst) { return hardtanh(x, 0, 6, dst); }
Tensor nn_leaky_relu(const Tensor& x, double slope, Ignored, Dst dst) {
  return leaky_relu(x, slope, dst);
}
Tensor nn_elu(const Tensor& x, double alpha, Ignored, Dst dst) { return elu(x, alpha, dst); }
Tensor nn_selu(const Tensor& x, Ignored, Dst dst) { return selu(x, dst); }
Tensor nn_celu(const Tensor& x, double alpha, Ignored, Dst dst) { return celu(x, alpha, dst); }
Tensor nn_silu(const Tensor& x, Ignored, Dst dst) { return silu(x, dst); }
Tensor nn_softplus(const Tensor& x, double beta, double limit, Dst dst) {
  return softplus(x, beta, limit, dst);
}
Tensor nn_hardtanh(const Tensor& x, const Scalar& low, const Scalar& high, Ignored, Dst dst) {
  return hardtanh(x, low, high, dst);
}
Tensor nn_threshold(const Tensor& x, const Scalar& limit, const Scalar& value, Ignored, Dst dst) {
  return threshold(x, limit, value, dst);
}
Tensor nn_sigmoid(const Tensor& x) { return sigmoid(x); }
Tensor nn_tanh(const Tensor& x) { return tanh(x); }
Tensor hardsigmoid(const Tensor& x, Ignored, Dst dst) {
  check<NotImplementedError>(is_floating(x.dtype()), "\"hardsigmoid_cpu\" not implemented for '{}'",
                             x.dtype());
  return deliver("hardsigmoid", dst, div(hardtanh(add(x, Scalar(3)), 0, 6), Scalar(6)));
}
Tensor hardswish(const Tensor& x, Ignored, Dst dst) {
  check<NotImplementedError>(is_floating(x.dtype()), "\"hardswish_cpu\" not implemented for '{}'",
                             x.dtype());
  return deliver("hardswish", dst, div(mul(x, hardtanh(add(x, Scalar(3)), 0, 6)), Scalar(6)));
}
Tensor mish(const Tensor& x, Ignored, Dst dst) {
  check<NotImplementedError>(is_floating(x.dtype()), "\"mish_cpu\" not implemented for '{}'",
                             x.dtype());
  return deliver("mish", dst, mul(x, tanh(softplus(x))));
}
Tensor softshrink(const Tensor& x, const Scalar& lambd) {
  check(lambd.real() >= 0, "lambda must be greater or equal to 0, but found to be {}.",
        lambd.real());
  check<NotImplementedError>(is_floating(x.dtype()), "\"softshrink_cpu\" not implemented for '{}'",
                             x.dtype());
  return sub(x, clamp(x, Scalar(-lambd.real()), Scalar(lambd.real())));
}
Tensor hardshrink(const Tensor& x, const Scalar& lambd) {
  check<NotImplementedError>(is_floating(x.dtype()), "\"hardshrink_cpu\" not implemented for '{}'",
                             x.dtype());
  return masked_fill(x, le(abs(x), lambd), Scalar(0));
}
Tensor nn_dropout(const Tensor& x, double p, bool training, Ignored, Dst dst) {
  check<ValueError>(p >= 0 && p <= 1, "dropout probability has to be between 0 and 1, but got {}",
                    p);
  return dropout(x, p, training, dst);
}

}  // namespace

void register_activation(OpTable& ops) {
  register_softmax(ops);
  ops.add("nn.relu(Tensor input, bool inplace=False) -> Tensor", nn_relu, Function,
          "Returns ``max(input, 0)``.");
  ops.add("nn.relu6(Tensor input, bool inplace=False) -> Tensor", nn_relu6, Function,
          "Returns ``min(max(input, 0), 6)``.");
  ops.add("nn.leaky_relu(Tensor input, float negative_slope=0.01, bool inplace=False) -> Tensor",
          nn_leaky_relu, Function, "Returns ``x`` where x > 0, else ``negative_slope * x``.");
  ops.add("nn.elu(Tensor input, float alpha=1.0, bool inplace=False) -> Tensor", nn_elu, Function,
          "Returns ``x`` where x > 0, else ``alpha * (exp(x) - 1)``.");
  const char* selu_doc =
      "Returns ``scale * elu(x)`` with the constants of Klambauer et al. (2017).";
  ops.add("nn.selu(Tensor input, bool inplace=False) -> Tensor", nn_selu, Function, selu_doc);
  ops.add("selu(Tensor self) -> Tensor", selu, Function | InplaceFunction, selu_doc);
  const char* celu_doc = "Returns ``max(0, x) + min(0, alpha * (exp(x / alpha) - 1))``.";
  ops.add("nn.celu(Tensor input, float alpha=1.0, bool inplace=False) -> Tensor", nn_celu, Function,
          celu_doc);
  ops.add("celu(Tensor self, Scalar alpha=1.0) -> Tensor", celu, Function | InplaceFunction,
          celu_doc);
  ops.add("nn.gelu(Tensor input, *, str approximate='none') -> Tensor", gelu, Function | Out,
          "Returns ``x * P(N <= x)`` for a standard normal N; ``approximate='tanh'`` gives the "
          "approximation of Hendrycks and Gimpel (2016).");
  ops.add("nn.silu(Tensor input, bool inplace=False) -> Tensor", nn_silu, Function,
          "Returns ``x * sigmoid(x)``.");
  ops.add("nn.mish(Tensor input, bool inplace=False) -> Tensor", mish, Function,
          "Returns ``x * tanh(softplus(x))``.");
  ops.add("nn.softplus(Tensor input, float beta=1, float threshold=20) -> Tensor", nn_softplus,
          Function | Out,
          "Returns ``log(1 + exp(beta * x)) / beta``; x itself where beta * x > threshold.");
  ops.add("nn.logsigmoid(Tensor input) -> Tensor", logsigmoid, Function | Out,
          "Returns ``log(sigmoid(x))``.");
  ops.add("nn.softsign(Tensor input) -> Tensor", softsign, Function, "Returns ``x / (1 + |x|)``.");
  ops.add("nn.tanhshrink(Tensor input) -> Tensor", tanhshrink, Function,
          "Returns ``x - tanh(x)``.");
  ops.add(
      "nn.hardtanh(Tensor input, Scalar min_val=-1.0, Scalar max_val=1.0, bool inplace=False) -> "
      "Tensor",
      nn_hardtanh, Function, "Limits each element to [min_val, max_val].");
  ops.add("nn.hardsigmoid(Tensor input, bool inplace=False) -> Tensor", hardsigmoid, Function,
          "Returns ``relu6(x + 3) / 6``.");
  ops.add("nn.hardswish(Tensor input, bool inplace=False) -> Tensor", hardswish, Function,
          "Returns ``x * relu6(x + 3) / 6``.");
  ops.add("nn.softshrink(Tensor input, Scalar lambd=0.5) -> Tensor", softshrink, Function | Out,
          "Moves each element towards 0 by ``lambd``, at most to 0.");
  const char* shrink_doc = "Returns x where ``|x| > lambd``, else 0.";
  ops.add("nn.hardshrink(Tensor input, Scalar lambd=0.5) -> Tensor", hardshrink, Function | Out,
          shrink_doc);
  ops.add("hardshrink(Tensor self, Scalar lambd=0.5) -> Tensor", hardshrink, Both | Out,
          shrink_doc);
  const char* threshold_doc = "Returns x where ``x > threshold``, else ``value``.";
  ops.add(
      "nn.threshold(Tensor input, Scalar threshold, Scalar value, bool inplace=False) -> Tensor",
      nn_threshold, Function, threshold_doc);
  ops.add("threshold(Tensor self, Scalar threshold, Scalar value) -> Tensor", threshold,
          Function | Out | InplaceFunction, threshold_doc);
  const char* prelu_doc =
      "Returns ``x`` where x > 0, else ``weight * x``, with one weight or one for each channel "
      "(dimension 1).";
  ops.add("nn.prelu(Tensor input, Tensor weight) -> Tensor", prelu, Function, prelu_doc);
  ops.add("prelu(Tensor self, Tensor weight) -> Tensor", prelu, Both, prelu_doc);
  ops.add("nn.glu(Tensor input, int dim=-1) -> Tensor", glu, Function | Out,
          "Returns ``a * sigmoid(b)`` for the halves a, b of ``input`` along ``dim``.");
  ops.add("nn.sigmoid(Tensor input) -> Tensor", nn_sigmoid, Function,
          "Returns ``1 / (1 + exp(-x))``.");
  ops.add("nn.tanh(Tensor input) -> Tensor", nn_tanh, Function, "Returns the hyperbolic tangent.");
  const char* dropout_doc =
      "In training, zeroes each element with probability ``p`` and scales the others by 1 / (1 - "
      "p); "
      "otherwise returns the input.";
  ops.add("nn.dropout(Tensor input, float p=0.5, bool training=True, bool inplace=False) -> Tensor",
          nn_dropout, Function, dropout_doc);
  ops.add("dropout(Tensor input, float p, bool train) -> Tensor", dropout,
          Function | InplaceFunction, dropout_doc);
}

}  // namespace d2l
