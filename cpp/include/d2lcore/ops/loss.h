// Loss functions.
#pragma once

#include "d2lcore/ops/common.h"

namespace d2l {

enum class Reduction : uint8_t { None, Mean, Sum };

// input: log-probabilities (C), (N, C) or (N, C, d...); target: class indices (), (N) or (N, d...);
// weight: (C) or undefined.
D2L_API Tensor nll_loss(const Tensor& input, const Tensor& target, const Tensor& weight = {},
                        int64_t ignore_index = -100, Reduction reduction = Reduction::Mean);
// input: unnormalised scores; target: class indices as above, or probabilities of input's shape.
D2L_API Tensor cross_entropy(const Tensor& input, const Tensor& target, const Tensor& weight = {},
                             int64_t ignore_index = -100, Reduction reduction = Reduction::Mean,
                             double label_smoothing = 0);
// The likelihood of label sequences, summed over their alignments. log_probs: (T, N, C) or (T, C);
// targets: (N, S), or all labels one after the other.
D2L_API Tensor ctc_loss(const Tensor& log_probs, const Tensor& targets, IntList input_lengths,
                        IntList target_lengths, int64_t blank = 0,
                        Reduction reduction = Reduction::Mean, bool zero_infinity = false);
// log(1 + exp(-target input)).
D2L_API Tensor soft_margin_loss(const Tensor& input, const Tensor& target,
                                Reduction reduction = Reduction::Mean);
D2L_API Tensor mse_loss(const Tensor& input, const Tensor& target,
                        Reduction reduction = Reduction::Mean);
D2L_API Tensor l1_loss(const Tensor& input, const Tensor& target,
                       Reduction reduction = Reduction::Mean);
D2L_API Tensor smooth_l1_loss(const Tensor& input, const Tensor& target,
                              Reduction reduction = Reduction::Mean, double beta = 1);
D2L_API Tensor huber_loss(const Tensor& input, const Tensor& target,
                          Reduction reduction = Reduction::Mean, double delta = 1);
D2L_API Tensor binary_cross_entropy(const Tensor& input, const Tensor& target,
                                    const Tensor& weight = {},
                                    Reduction reduction = Reduction::Mean);
D2L_API Tensor binary_cross_entropy_with_logits(const Tensor& input, const Tensor& target,
                                                const Tensor& weight = {},
                                                const Tensor& pos_weight = {},
                                                Reduction reduction = Reduction::Mean);

}  // namespace d2l
