// Norms of vectors and matrices.
#pragma once

#include "d2lcore/ops/common.h"

namespace d2l {

// (sum |x|^ord)^(1/ord) over dim (all, when none or empty), with the limits for 0, inf and -inf.
D2L_API Tensor vector_norm(const Tensor& self, const Scalar& ord = 2, OptInts dim = {},
                           bool keepdim = false, OptDType dtype = {}, Dst dst = {});
// ord: 1, -1, inf, -inf over the two dimensions dim.
D2L_API Tensor matrix_norm(const Tensor& self, const Scalar& ord, IntList dim, bool keepdim = false,
                           OptDType dtype = {});
// ord: 'fro' or 'nuc'.
D2L_API Tensor matrix_norm(const Tensor& self, std::string_view ord, IntList dim,
                           bool keepdim = false, OptDType dtype = {});
// linalg.norm: a vector norm for one dim, a matrix norm for two.
D2L_API Tensor linalg_norm(const Tensor& self, const OptScalar& ord = {}, OptInts dim = {},
                           bool keepdim = false, OptDType dtype = {});
// The older Tensor.norm: always a vector norm.
D2L_API Tensor norm(const Tensor& self, const OptScalar& p = {}, OptInts dim = {},
                    bool keepdim = false, OptDType dtype = {});
D2L_API Tensor vecdot(const Tensor& x, const Tensor& y, int64_t dim = -1);
D2L_API Tensor dist(const Tensor& self, const Tensor& other, const Scalar& p = 2);
D2L_API Tensor normalize(const Tensor& self, double p = 2, IntList dim = Dims{1},
                         double eps = 1e-12);
D2L_API Tensor cosine_similarity(const Tensor& x1, const Tensor& x2, int64_t dim = 1,
                                 double eps = 1e-8);
D2L_API Tensor renorm(const Tensor& self, const Scalar& p, int64_t dim, const Scalar& maxnorm);

}  // namespace d2l
