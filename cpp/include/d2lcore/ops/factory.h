// Making tensors.
#pragma once

#include "d2lcore/ops/common.h"

namespace d2l {

D2L_API Tensor zeros(IntList size, const Options& options = {});
D2L_API Tensor ones(IntList size, const Options& options = {});
D2L_API Tensor full(IntList size, const Scalar& fill_value, const Options& options = {});
D2L_API Tensor zeros_like(const Tensor& self, const Options& options = {});
D2L_API Tensor ones_like(const Tensor& self, const Options& options = {});
D2L_API Tensor arange(const Scalar& start, const Scalar& end, const Scalar& step,
                      const Options& options = {});
D2L_API Tensor linspace(const Scalar& start, const Scalar& end, int64_t steps,
                        const Options& options = {});
D2L_API Tensor eye(int64_t n, int64_t m, const Options& options = {});

}  // namespace d2l
