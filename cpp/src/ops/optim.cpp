// Optimiser steps: one fused loop over each parameter, its states and its gradient.
#include "d2lcore/ops/optim.h"

#include <array>
#include <cmath>
#include <cstring>

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

void run(Loop loop, std::span<const Tensor> operands, const Scalars& s) {
  const size_t n = operands.size();
  std::array<Tensor, kMaxOperands> real;
  std::array<const Tensor*, kMaxOperands> refs;
  for (size_t i = 0; i < n; ++i) {
    real[i] = as_real(operands[i]);
    refs[i] = &real[i];
  }
  map_inplace(loop, real[0].dtype(), std::span(refs).first(n), s);
  for (size_t i = 0; i + 1 < n; ++i) operands[i].bump_version();
}
void run(Loop loop, std::initializer_list<Tensor> operands, const Scalars& s) {
  run(loop, std::span(operands.begin(), operands.size()), s);
}

// The loops from adagrad on are rules of rule_step.
Loop rule_named(std::string_view name) {
  for (int i = static_cast<int>(Loop::adagrad); i <= static_cast<int>(Loop::asgd); ++i) {
    if (name == kLoopInfo[i].name) return static_cast<Loop>(i);
  }
  check(false, "there is no optimiser rule '{}'", name);
  return Loop::kCount;
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
      run(Loop::sgd, {p, g}, s);
      continue;
    }
    const bool first = !momentum_buffers[i].defined();
    buffers[i] = first ? zeros_like(p) : momentum_buffers[i];
    s.f[0] = lr;
    s.f[1] = weight_decay;
    s.f[2] = momentum;
    s.f[3] = first ? 1 : 1 - dampening;
    s.i[0] = nesterov;
    run(Loop::sgd_momentum, {p, buffers[i], maximize ? neg(g) : g}, s);
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
      run(Loop::adam_amsgrad, {p, exp_avgs[i], exp_avg_sqs[i], max_exp_avg_sqs[i], g}, s.pack());
    } else {
      run(Loop::adam, {p, exp_avgs[i], exp_avg_sqs[i], g}, s.pack());
    }
  }
}

void rule_step(std::string_view rule, TensorList params, TensorList grads,
               std::span<const std::vector<Tensor>> states, std::span<const RuleNumbers> numbers,
               bool maximize) {
  const Loop loop = rule_named(rule);
  const char* op = kLoopInfo[static_cast<int>(loop)].name;
  check_lists(op, params, grads);
  const size_t n = params.size(), kinds = states.size();
  check(kinds + 1 == kLoopInfo[static_cast<int>(loop)].outputs && numbers.size() == n,
        "{}: the rule takes {} states and numbers for each parameter", op,
        static_cast<int64_t>(kLoopInfo[static_cast<int>(loop)].outputs - 1));
  for (const std::vector<Tensor>& list : states) {
    check(list.size() == n, "{}: the lists of states must be as long as the list of parameters",
          op);
    for (size_t i = 0; i < n; ++i) {
      check_state(op, "a state", params[i], list[i]);
      check_written(op, list[i]);
    }
  }
  GradModeGuard off(false);
  std::array<Tensor, kMaxOperands> operands;
  for (size_t i = 0; i < n; ++i) {
    operands[0] = params[i];
    for (size_t k = 0; k < kinds; ++k) operands[k + 1] = states[k][i];
    const Tensor g = readable(grads[i], params[i]);
    operands[kinds + 1] = maximize ? neg(g) : g;
    Scalars s;
    static_assert(sizeof s == sizeof numbers[i]);
    std::memcpy(static_cast<void*>(&s), numbers[i].data(), sizeof s);
    run(loop, std::span(operands).first(kinds + 2), s);
  }
}

}  // namespace d2l
