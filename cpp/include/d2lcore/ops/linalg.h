// Linear algebra: factorisations, linear systems, and what is made of them. Matrices are the last
// two dimensions; the ones before are a batch.
#pragma once

#include "d2lcore/ops/common.h"

namespace d2l {

using TensorTwo = std::tuple<Tensor, Tensor>;
using TensorThree = std::tuple<Tensor, Tensor, Tensor>;

// LU with partial pivoting: factors and pivots (counted from 1), info (0, or the place of a zero on
// the diagonal of U).
D2L_API TensorThree lu_factor_ex(const Tensor& a, bool pivot = true, bool check_errors = false);
D2L_API TensorTwo lu_factor(const Tensor& a, bool pivot = true);
D2L_API TensorThree linalg_lu(const Tensor& a, bool pivot = true);  // P, L, U
D2L_API TensorThree lu_unpack(const Tensor& lu, const Tensor& pivots, bool unpack_data = true,
                              bool unpack_pivots = true);
D2L_API Tensor lu_solve(const Tensor& lu, const Tensor& pivots, const Tensor& b, bool left = true,
                        bool adjoint = false);
D2L_API Tensor det(const Tensor& a);
D2L_API TensorTwo slogdet(const Tensor& a);  // sign, logabsdet
D2L_API Tensor logdet(const Tensor& a);

D2L_API TensorTwo inv_ex(const Tensor& a, bool check_errors = false);  // inverse, info
D2L_API Tensor inv(const Tensor& a);
D2L_API TensorTwo solve_ex(const Tensor& a, const Tensor& b, bool left = true,
                           bool check_errors = false);  // result, info
D2L_API Tensor solve(const Tensor& a, const Tensor& b, bool left = true);
D2L_API Tensor solve_triangular(const Tensor& a, const Tensor& b, bool upper, bool left = true,
                                bool unitriangular = false, Dst dst = {});
D2L_API Tensor tensorinv(const Tensor& a, int64_t ind = 2);
D2L_API Tensor tensorsolve(const Tensor& a, const Tensor& b, OptInts dims = {});

D2L_API TensorTwo cholesky_ex(const Tensor& a, bool upper = false, bool check_errors = false);
D2L_API Tensor cholesky(const Tensor& a, bool upper = false);
D2L_API Tensor cholesky_solve(const Tensor& b, const Tensor& l, bool upper = false);
D2L_API Tensor cholesky_inverse(const Tensor& l, bool upper = false);

D2L_API TensorTwo qr(const Tensor& a, std::string_view mode = "reduced");
D2L_API Tensor householder_product(const Tensor& a, const Tensor& tau);

D2L_API TensorThree svd(const Tensor& a, bool full_matrices = true);  // U, S, Vh
D2L_API Tensor svdvals(const Tensor& a);
D2L_API TensorTwo eigh(const Tensor& a, std::string_view uplo = "L");  // values, vectors
D2L_API Tensor eigvalsh(const Tensor& a, std::string_view uplo = "L");
D2L_API TensorTwo eig(const Tensor& a);  // complex
D2L_API Tensor eigvals(const Tensor& a);

D2L_API Tensor pinv(const Tensor& a, const Tensor& atol = {}, const Tensor& rtol = {},
                    bool hermitian = false);
D2L_API Tensor matrix_rank(const Tensor& a, const Tensor& atol = {}, const Tensor& rtol = {},
                           bool hermitian = false);
D2L_API Tensor cond(const Tensor& a, const OptScalar& p = {});
D2L_API Tensor matrix_exp(const Tensor& a);
D2L_API Tensor linalg_vander(const Tensor& x, OptInt n = {});
D2L_API Tensor vander(const Tensor& x, OptInt n = {}, bool increasing = false);

}  // namespace d2l
