// The derivative of sum(x @ w) by w, from C++.
#include <cstdio>

#include "d2lcore/autograd.h"
#include "d2lcore/ops.h"

int main() {
  using namespace d2l;
  const Tensor x = reshape(arange(0, 6, 1), Dims{2, 3});
  const Tensor w = ones(Dims{3, 1}, DType::Float);
  w.set_requires_grad(true);
  const Tensor z = matmul(to_dtype(x, DType::Float), w);
  backward({sum(z)}, {});
  const Tensor slope = w.grad();
  for (int64_t i = 0; i < slope.numel(); ++i) std::printf("%g\n", slope.data_as<float>()[i]);
}
