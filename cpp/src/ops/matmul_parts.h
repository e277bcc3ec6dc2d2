// What the files of the products share: the one call that multiplies strided batches.
#pragma once

#include "iter/map.h"
#include "ops/register.h"

namespace d2l {

void register_contractions(OpTable& ops);  // matmul_contract.cpp
void register_einsum(OpTable& ops);        // einsum.cpp

// The factors of a product and of what is added to it.
struct Factors {
  Scalar alpha = 1, beta = 1;
};

// C = alpha A.B (+ beta D) over the last two dimensions; the ones before are broadcast to those of
// `out`. d is undefined or expands to out.
void multiply_into(const Tensor& out, const Tensor& a, const Tensor& b, const Tensor& d = {},
                   const Factors& f = {});
// Where a product writes: dst when it may be written directly, or a new tensor.
Tensor product_result(Dst dst, IntList shape, DType dtype,
                      std::initializer_list<const Tensor*> inputs);
// What remains to be done with it.
Tensor finish_product(Dst dst, const Tensor& computed);

// g * factor, or g itself.
Tensor scaled_by(const Tensor& g, const Scalar& factor);

// Dtypes as these messages write them: "float", "long int".
const char* c_type(DType t);

}  // namespace d2l
