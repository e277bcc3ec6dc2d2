// float and double products: which path a product takes, and how it is cut for threads and caches.
#pragma once

#include <cstdint>

#include "kernels/gemm.h"

namespace d2l {

// One product, as GemmArgs. d is null when there is no second term.
template <class T>
struct Product {
  int64_t m, n, k;
  const T* a;
  int64_t a_row, a_col;
  const T* b;
  int64_t b_row, b_col;
  T* c;
  int64_t c_row, c_col;
  T alpha, beta;
  const T* d;
  int64_t d_row, d_col;
};

const GemmTable& gemm_kernels();  // of the processor's instruction set
template <class T>
const GemmKernels<T>& real_kernels();

// m, n and k are at least 1.
template <class T>
void multiply(Product<T> p);
extern template void multiply<float>(Product<float>);
extern template void multiply<double>(Product<double>);

// bfloat16 products by the processor's dot product of pairs: a and b hold two bfloat16, neighbours
// along K, in the bits of each float, and k counts pairs; c is float32 with unit column stride.
bool has_pairs();
void multiply_pairs(const Product<float>& p);

}  // namespace d2l
