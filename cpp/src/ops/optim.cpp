// The steps of SGD and Adam: one fused loop over each parameter, its state and its gradient.
#include "d2lcore/ops/optim.h"

#include <array>
#include <cmath>

#include "autograd/meta.h"
#include "d2lcore/ops.h"
#include "iter/map.h"

namespace d2l {
namespace {

void check_state(const char* op, const char* what, const Tensor& param, const Tensor& t) {
  check(t.defined() && equal(t.shape(), param.shape()),
        "{}: a parameter of shape {} has {} of shape {}", op, param.shape(), what,
        t.defined() ? t.shape() : IntList());
  check(t.dtype() == param.dtype(), "{}: a parameter of dtype {} has {} of dtype {}", op,
        param.dtype(), what, t.dtype());
}
void check_written(const char* op, const Tensor& t) { check_inplace(t, op, false); }

void check_lists(const char* op, TensorList params, TensorList grads) {
  check(params.size() == grads.size(), "{}: {} parameters but {} gradients", op,
        static_cast<int64_t>(params.size()), static_cast<int64_t>(grads.size()));
  for (size_t i = 0; i < params.size(); ++i) {
    check(is_differentiable(params[i].dtype()), "{}: cannot update a parameter of dtype {}", op,
          params[i].dtype());
    check_state(op, "a gradient", params[i], grads[i]);
    check_written(op, params[i]);
  }
}

// Complex numbers as pairs of real ones.
Tensor as_real(const Tensor& t) {
  if (!is_complex(t.dtype())) return t;
  Dims shape(t.shape()), strides(t.strides());
  for (int64_t& s : strides) s *= 2;
  shape.push_back(2);
  strides.push_back(1);
  return raw_view(t, shape, strides, 2 * t.offset(), real_dtype(t.dtype()));
}

// The gradient as the loop may read it: a copy where it shares memory with what is written.
Tensor readable(const Tensor& grad, const Tensor& param) {
  return overlap(grad, param) == Overlap::None ? grad : clone(grad);
}

template <size_t N>
void run(Loop loop, const std::array<Tensor, N>& operands, const Scalars& s) {
  std::array<Tensor, N> real;
  std::array<const Tensor*, N> refs;
  for (size_t i = 0; i < N; ++i) {
    real[i] = as_real(operands[i]);
    refs[i] = &real[i];
  }
  map_inplace(loop, real[0].dtype(), refs, s);
  for (size_t i = 0; i + 1 < N; ++i) operands[i].bump_version();
}

}  // namespace

std::vector<Tensor> sgd_step(TensorList params, TensorList grads,
                             std::span<const Tensor> momentum_buffers, double lr, double momentum,
                             double dampening, double weight_decay, bool nesterov, bool maximize) {
  const char* op = "sgd_step";
  check_lists(op, params, grads);
  check(momentum_buffers.size() == params.size(), "{}: {} parameters but {} momentum buffers", op,
        static_cast<int64_t>(params.size()), static_cast<int64_t>(momentum_buffers.size()));
  if (momentum != 0) {
    for (size_t i = 0; i < params.size(); ++i) {
      if (!momentum_buffers[i].defined()) continue;
      check_state(op, "a momentum buffer", params[i], momentum_buffers[i]);
      check_written(op, momentum_buffers[i]);
    }
  }
  GradModeGuard off(false);
  std::vector<Tensor> buffers(params.size());
  for (size_t i = 0; i < params.size(); ++i) {
    const Tensor& p = params[i];
    const Tensor g = readable(grads[i], p);
    Scalars s;
    if (momentum == 0) {
      // p - lr (-g + decay p) is p - (-lr) (g - decay p).
      s.f[0] = maximize ? -lr : lr;
      s.f[1] = maximize ? -weight_decay : weight_decay;
      run(Loop::sgd, std::array{p, g}, s);
      continue;
    }
    const bool first = !momentum_buffers[i].defined();
    buffers[i] = first ? zeros_like(p) : momentum_buffers[i];
    s.f[0] = lr;
    s.f[1] = weight_decay;
    s.f[2] = momentum;
    s.f[3] = first ? 1 : 1 - dampening;
    s.i[0] = nesterov;
    run(Loop::sgd_momentum, std::array{p, buffers[i], maximize ? neg(g) : g}, s);
  }
  return buffers;
}

void adam_step(TensorList params, TensorList grads, TensorList exp_avgs, TensorList exp_avg_sqs,
               TensorList max_exp_avg_sqs, std::span<const double> steps, double lr, double beta1,
               double beta2, double weight_decay, double eps, bool amsgrad, bool maximize,
               bool decoupled) {
  const char* op = "adam_step";
  check_lists(op, params, grads);
  const size_t n = params.size();
  check(exp_avgs.size() == n && exp_avg_sqs.size() == n && steps.size() == n &&
            (!amsgrad || max_exp_avg_sqs.size() == n),
        "{}: the lists of states must be as long as the list of parameters", op);
  for (size_t i = 0; i < n; ++i) {
    check_state(op, "exp_avg", params[i], exp_avgs[i]);
    check_state(op, "exp_avg_sq", params[i], exp_avg_sqs[i]);
    check_written(op, exp_avgs[i]);
    check_written(op, exp_avg_sqs[i]);
    if (!amsgrad) continue;
    check_state(op, "max_exp_avg_sq", params[i], max_exp_avg_sqs[i]);
    check_written(op, max_exp_avg_sqs[i]);
  }
  GradModeGuard off(false);
  for (size_t i = 0; i < n; ++i) {
    const Tensor& p = params[i];
    const Tensor g = readable(grads[i], p);
    AdamScalars s;
    s.step_size = lr / (1 - std::pow(beta1, steps[i]));
    s.root_correction2 = std::sqrt(1 - std::pow(beta2, steps[i]));
    s.one_minus_beta1 = 1 - beta1;
    s.beta2 = beta2;
    s.eps = eps;
    s.weight_decay = static_cast<float>(decoupled ? 0 : weight_decay);
    s.keep = decoupled ? 1 - lr * weight_decay : 1;
    s.sign = maximize ? -1 : 1;
    if (amsgrad) {
      run(Loop::adam_amsgrad, std::array{p, exp_avgs[i], exp_avg_sqs[i], max_exp_avg_sqs[i], g},
          s.pack());
    } else {
      run(Loop::adam, std::array{p, exp_avgs[i], exp_avg_sqs[i], g}, s.pack());
    }
  }
}

}  // namespace d2l
