// Normalisation by the mean and the variance of layers, batches, groups and instances.
//
// Undefined weight, bias and running statistics leave their parts out. float16 and bfloat16 compute
// in float32, and may come with float32 parameters.
#pragma once

#include "d2lcore/ops/common.h"

namespace d2l {

// (x - mean) / sqrt(var + eps) * weight + bias over the last dimensions, whose sizes are
// normalized_shape. Returns the result, the means and the reciprocal deviations.
D2L_API std::tuple<Tensor, Tensor, Tensor> native_layer_norm(const Tensor& input,
                                                             IntList normalized_shape,
                                                             const Tensor& weight = {},
                                                             const Tensor& bias = {},
                                                             double eps = 1e-5);
D2L_API Tensor layer_norm(const Tensor& input, IntList normalized_shape, const Tensor& weight = {},
                          const Tensor& bias = {}, double eps = 1e-5);
// x / sqrt(mean(x^2) + eps) * weight; eps defaults to that of the dtype.
D2L_API Tensor rms_norm(const Tensor& input, IntList normalized_shape, const Tensor& weight = {},
                        std::optional<double> eps = {});
// Statistics of each channel (dimension 1) over all the others: the batch's own when training
// (running ones are then updated in place), else the running ones.
D2L_API std::tuple<Tensor, Tensor, Tensor> native_batch_norm(
    const Tensor& input, const Tensor& weight, const Tensor& bias, const Tensor& running_mean,
    const Tensor& running_var, bool training, double momentum, double eps);
D2L_API Tensor batch_norm(const Tensor& input, const Tensor& weight, const Tensor& bias,
                          const Tensor& running_mean, const Tensor& running_var, bool training,
                          double momentum, double eps);
D2L_API Tensor instance_norm(const Tensor& input, const Tensor& weight, const Tensor& bias,
                             const Tensor& running_mean, const Tensor& running_var,
                             bool use_input_stats, double momentum, double eps);
// Statistics of each of num_groups groups of neighbouring channels of one item of the batch.
D2L_API std::tuple<Tensor, Tensor, Tensor> native_group_norm(const Tensor& input,
                                                             const Tensor& weight,
                                                             const Tensor& bias, int64_t n,
                                                             int64_t c, int64_t hxw, int64_t group,
                                                             double eps);
D2L_API Tensor group_norm(const Tensor& input, int64_t num_groups, const Tensor& weight = {},
                          const Tensor& bias = {}, double eps = 1e-5);

}  // namespace d2l
