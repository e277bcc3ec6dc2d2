// Random tensors: PyTorch's CPU streams, filled in order by one thread.
#pragma once

#include "d2lcore/ops/common.h"

namespace d2l {

D2L_API Tensor rand(IntList size, Generator* generator = nullptr, const Options& options = {});
D2L_API Tensor randn(IntList size, Generator* generator = nullptr, const Options& options = {});
D2L_API Tensor randint(int64_t low, int64_t high, IntList size, Generator* generator = nullptr,
                       const Options& options = {});
D2L_API Tensor randperm(int64_t n, Generator* generator = nullptr, const Options& options = {});
// In place, over any strides (elements in row-major order).
D2L_API void uniform_into(const Tensor& t, double from, double to, Generator* generator = nullptr);
D2L_API void normal_into(const Tensor& t, double mean, double std, Generator* generator = nullptr);

}  // namespace d2l
