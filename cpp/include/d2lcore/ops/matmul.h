// Products of vectors, matrices and batches of matrices.
#pragma once

#include "d2lcore/ops/common.h"

namespace d2l {

D2L_API Tensor mm(const Tensor& self, const Tensor& mat2, Dst dst = {});
D2L_API Tensor mv(const Tensor& self, const Tensor& vec, Dst dst = {});
D2L_API Tensor dot(const Tensor& self, const Tensor& tensor, Dst dst = {});
D2L_API Tensor vdot(const Tensor& self, const Tensor& other, Dst dst = {});  // conjugates self
D2L_API Tensor bmm(const Tensor& self, const Tensor& mat2, Dst dst = {});
D2L_API Tensor matmul(const Tensor& self, const Tensor& other, Dst dst = {});
// beta * self + alpha * product; with beta 0, self is not read.
D2L_API Tensor addmm(const Tensor& self, const Tensor& mat1, const Tensor& mat2,
                     const Scalar& beta = 1, const Scalar& alpha = 1, Dst dst = {});
D2L_API Tensor addmv(const Tensor& self, const Tensor& mat, const Tensor& vec,
                     const Scalar& beta = 1, const Scalar& alpha = 1, Dst dst = {});
D2L_API Tensor addr(const Tensor& self, const Tensor& vec1, const Tensor& vec2,
                    const Scalar& beta = 1, const Scalar& alpha = 1, Dst dst = {});
D2L_API Tensor baddbmm(const Tensor& self, const Tensor& batch1, const Tensor& batch2,
                       const Scalar& beta = 1, const Scalar& alpha = 1, Dst dst = {});
D2L_API Tensor addbmm(const Tensor& self, const Tensor& batch1, const Tensor& batch2,
                      const Scalar& beta = 1, const Scalar& alpha = 1, Dst dst = {});
// input . weight^T + bias over the last dimension; bias may be undefined.
D2L_API Tensor linear(const Tensor& input, const Tensor& weight, const Tensor& bias = {},
                      Dst dst = {});
D2L_API Tensor outer(const Tensor& self, const Tensor& vec2, Dst dst = {});
D2L_API Tensor inner(const Tensor& self, const Tensor& other);
D2L_API Tensor tensordot(const Tensor& self, const Tensor& other, IntList dims_self,
                         IntList dims_other);
// equation as in NumPy: "ij,jk->ik".
D2L_API Tensor einsum(std::string_view equation, TensorList tensors);
D2L_API Tensor kron(const Tensor& self, const Tensor& other);
D2L_API Tensor matrix_power(const Tensor& self, int64_t n);
D2L_API Tensor chain_matmul(TensorList matrices);

}  // namespace d2l
