// Matrix products of every dtype: the one entry that matmul, linear, convolution and friends call.
#pragma once

#include <cstdint>

#include "d2lcore/dtype.h"

namespace d2l {

// C = alpha * A.B + beta * D for each of `batch` items; A is m x k, B is k x n, C and D are m x n.
// Strides are in elements, arbitrary and not negative (0 broadcasts an input).
struct GemmArgs {
  DType dtype;
  int64_t m, n, k, batch = 1;
  const void* a;
  int64_t a_row, a_col, a_batch = 0;
  const void* b;
  int64_t b_row, b_col, b_batch = 0;
  void* c;  // no two elements of C may share memory, nor may C overlap A or B
  int64_t c_row, c_col, c_batch = 0;
  const void* d = nullptr;  // not read when beta is 0; null or exactly C or disjoint from it
  int64_t d_row = 0, d_col = 0, d_batch = 0;
  double alpha = 1, beta = 0;       // of floating and complex products
  int64_t alpha_i = 1, beta_i = 0;  // of integer products; bool takes them as true or false
};

// With k == 0, C becomes beta * D, or zeros. float16 and bfloat16 add up in float32; integers wrap
// around; bool is "or" of "and". The result has the same bits for every number of threads.
void gemm(const GemmArgs& args);

}  // namespace d2l
