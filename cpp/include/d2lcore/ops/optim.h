// One step of an optimiser over a list of parameters, in place. No gradients are recorded.
//
// Shapes and dtypes are checked before the first write.
#pragma once

#include <array>
#include <string_view>

#include "d2lcore/ops/common.h"

namespace d2l {

// torch.optim.SGD's step. momentum_buffers: one for each parameter, undefined before its first
// step; returns the buffers after the step (undefined when momentum is 0).
D2L_API std::vector<Tensor> sgd_step(TensorList params, TensorList grads,
                                     std::span<const Tensor> momentum_buffers, double lr,
                                     double momentum, double dampening, double weight_decay,
                                     bool nesterov, bool maximize);

// torch.optim.Adam's step (decoupled: AdamW's). steps: the number of each parameter's step, from 1.
// max_exp_avg_sqs is only used, and has to be as long as params, with amsgrad.
D2L_API void adam_step(TensorList params, TensorList grads, TensorList exp_avgs,
                       TensorList exp_avg_sqs, TensorList max_exp_avg_sqs,
                       std::span<const double> steps, double lr, double beta1, double beta2,
                       double weight_decay, double eps, bool amsgrad, bool maximize,
                       bool decoupled);

// One step of any other optimiser that is one loop: "adagrad", "adadelta", "adamax", "nadam",
// "radam", "rmsprop" (also with _centered, _momentum), "rprop", "asgd". states: a list for each
// state of the rule, as long as params. numbers: for each parameter what the rule's formula takes,
// in the order of the structs in src/kernels/loops_rules.cpp. maximize turns the gradients round.
using RuleNumbers = std::array<double, 8>;
D2L_API void rule_step(std::string_view rule, TensorList params, TensorList grads,
                       std::span<const std::vector<Tensor>> states,
                       std::span<const RuleNumbers> numbers, bool maximize);

}  // namespace d2l
