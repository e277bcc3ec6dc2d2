// Where singular values and eigenvalues come from.
//
// The core has no LAPACK of its own: whoever embeds it fills in these functions (the Python module
// does, with NumPy's). Each takes batches of matrices (..., m, n) of float32, float64 or their
// complex dtypes, finite, none of them empty, and returns tensors of its own.
// Failure to converge is a LinAlgError.
#pragma once

#include <vector>

#include "d2lcore/tensor.h"

namespace d2l {

struct Lapack {
  // U, S, Vh; S alone without `vectors`. S descends.
  std::vector<Tensor> (*svd)(const Tensor& a, bool full_matrices, bool vectors) = nullptr;
  // Eigenvalues, ascending, and with `vectors` the eigenvectors of a Hermitian matrix, of which one
  // triangle is read.
  std::vector<Tensor> (*eigh)(const Tensor& a, bool upper, bool vectors) = nullptr;
  // Eigenvalues and eigenvectors, complex, or real when all of them are.
  std::vector<Tensor> (*eig)(const Tensor& a, bool vectors) = nullptr;
};

D2L_API extern Lapack lapack_provider;
// The provider's function, or an error that names the op.
template <class F>
F provided(F function, const char* op) {
  check<NotImplementedError>(function != nullptr,
                             "{}: there is no LAPACK: set d2l::lapack_provider first", op);
  return function;
}

}  // namespace d2l
