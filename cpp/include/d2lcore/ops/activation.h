// Activation functions, softmax and dropout.
#pragma once

#include "d2lcore/ops/common.h"

namespace d2l {

D2L_API Tensor softmax(const Tensor& self, int64_t dim, OptDType dtype = {}, Dst dst = {});
D2L_API Tensor log_softmax(const Tensor& self, int64_t dim, OptDType dtype = {}, Dst dst = {});
D2L_API Tensor softmin(const Tensor& self, int64_t dim, OptDType dtype = {});
// From the cotangent and the result.
D2L_API Tensor softmax_backward(const Tensor& g, const Tensor& y, int64_t dim);
D2L_API Tensor log_softmax_backward(const Tensor& g, const Tensor& y, int64_t dim);

D2L_API Tensor leaky_relu(const Tensor& self, const Scalar& negative_slope = 0.01, Dst dst = {});
D2L_API Tensor elu(const Tensor& self, const Scalar& alpha = 1, Dst dst = {});
D2L_API Tensor selu(const Tensor& self, Dst dst = {});
D2L_API Tensor celu(const Tensor& self, const Scalar& alpha = 1, Dst dst = {});
// approximate: 'none' or 'tanh'.
D2L_API Tensor gelu(const Tensor& self, std::string_view approximate = "none", Dst dst = {});
D2L_API Tensor silu(const Tensor& self, Dst dst = {});
D2L_API Tensor softplus(const Tensor& self, const Scalar& beta = 1, const Scalar& threshold = 20,
                        Dst dst = {});
D2L_API Tensor logsigmoid(const Tensor& self, Dst dst = {});
D2L_API Tensor softsign(const Tensor& self);
D2L_API Tensor tanhshrink(const Tensor& self);
D2L_API Tensor hardtanh(const Tensor& self, const Scalar& min_val = -1, const Scalar& max_val = 1,
                        Dst dst = {});
D2L_API Tensor threshold(const Tensor& self, const Scalar& threshold, const Scalar& value,
                         Dst dst = {});
D2L_API Tensor prelu(const Tensor& self, const Tensor& weight);
D2L_API Tensor glu(const Tensor& self, int64_t dim = -1);

// Zeroes each element with probability p and scales the others by 1 / (1 - p); draws one number per
// element from the default generator.
D2L_API Tensor dropout(const Tensor& self, double p, bool train, Dst dst = {});

}  // namespace d2l
