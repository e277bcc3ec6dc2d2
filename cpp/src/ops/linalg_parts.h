// What the files of linear algebra share: checks in PyTorch's words, matrices in column-major
// order, and the loop over a batch of them.
//
// Every factorisation works on a column-major copy of its input, so results lie as LAPACK's do.
#pragma once

#include <complex>

#include "core/thread_pool.h"
#include "d2lcore/ops.h"
#include "gemm/dense.h"
#include "iter/map.h"
#include "ops/register.h"

namespace d2l {

void register_linalg_lu(OpTable& ops);        // linalg_lu.cpp
void register_linalg_solve(OpTable& ops);     // linalg_solve.cpp
void register_linalg_cholesky(OpTable& ops);  // linalg_cholesky.cpp
void register_linalg_qr(OpTable& ops);        // linalg_qr.cpp
void register_linalg_svd(OpTable& ops);       // linalg_svd.cpp
void register_linalg_pinv(OpTable& ops);      // linalg_pinv.cpp
void register_linalg_lstsq(OpTable& ops);     // linalg_lstsq.cpp
void register_linalg_eigen(OpTable& ops);     // linalg_eigen.cpp
void register_linalg_function(OpTable& ops);  // linalg_function.cpp

void check_matrix(const Tensor& a, std::string_view op, const char* name = "A");
void check_square(const Tensor& a, std::string_view op, const char* name = "A");
// Floating or complex; `low` says whether half precision passes this check.
void check_float(const Tensor& a, std::string_view op, bool low = true);
// The dtypes that the algorithms are made for; what PyTorch's kernel says of the others.
void check_lapack(const Tensor& a, const char* kernel);
// A and B of A X = B, or of X A = B.
void check_solvable(const Tensor& a, const Tensor& b, bool left, std::string_view op);
// LinAlgError in the words that `op` has for it, when some element of info is not 0.
void check_info(const Tensor& info, std::string_view op);

double epsilon_of(DType t);
inline IntList batch_of(const Tensor& a) {
  return a.shape().first(static_cast<size_t>(a.dim() - 2));
}
// (batch..., rows, cols), or (batch..., n).
Dims with_matrix(IntList batch, int64_t rows, int64_t cols);
Dims with_vector(IntList batch, int64_t n);
int64_t count_of(IntList batch);

// A new tensor of column-major matrices, and one with a's values, outside of the graph.
Tensor empty_columns(IntList batch, int64_t rows, int64_t cols, DType dtype);
Tensor columns_of(const Tensor& a);
Tensor eye_like(const Tensor& a);  // identity matrices of a's shape

// The matrix at place `index` of the batch, which t's own batch dimensions broadcast to.
template <class T>
Block<T> matrix_at(const Tensor& t, IntList batch, int64_t index) {
  int64_t at = 0, d = t.dim() - 3;
  for (auto i = static_cast<int64_t>(batch.size()) - 1; i >= 0 && d >= 0; --i, --d) {
    if (t->shape[d] != 1) at += index % batch[static_cast<size_t>(i)] * t->strides[d];
    index /= batch[static_cast<size_t>(i)];
  }
  const int64_t n = t.dim();
  return {t.data_as<T>() + at, t->shape[n - 2], t->shape[n - 1], t->strides[n - 2],
          t->strides[n - 1]};
}

// Calls f(T()) for the C++ type of the dtype, one of the four that check_lapack lets pass.
template <class F>
void with_type(DType t, F&& f) {
  switch (t) {
    case DType::Float:
      return f(float());
    case DType::Double:
      return f(double());
    case DType::ComplexFloat:
      return f(std::complex<float>());
    default:
      return f(std::complex<double>());
  }
}

// Calls one(index) for each matrix: small ones side by side on the threads, large ones one after
// another, each on all threads. `work` is the multiply-adds of one.
template <class F>
void each_matrix(int64_t count, int64_t work, F&& one) {
  constexpr int64_t kSmall = 1 << 22, kChunk = 1 << 18;
  if (work > kSmall) {
    for (int64_t i = 0; i < count; ++i) one(i);
    return;
  }
  parallel_for(count, std::max<int64_t>(1, kChunk / std::max<int64_t>(work, 16)),
               [&](int64_t begin, int64_t end) {
                 for (int64_t i = begin; i < end; ++i) one(i);
               });
}

// A = P L U, outside of the graph.
struct LU {
  Tensor lu, pivots, info;
};
LU lu_of(const Tensor& a);
// P X = B solved by factors, outside of the graph: A X = B, A^H X = B with `adjoint`; X A = B, X
// A^H = B without `left`.
Tensor solve_by_lu(const Tensor& lu, const Tensor& pivots, const Tensor& b, bool left,
                   bool adjoint);

// A right-hand side of vectors: (n), or one for each matrix of the batch.
bool is_vector_of(const Tensor& a, const Tensor& b);
// The cotangent of A, given that of its pseudo-inverse y.
Tensor pinv_vjp(const Tensor& g, const Tensor& a, const Tensor& y);
// a + b, where an undefined tensor is nothing.
Tensor sum_defined(const Tensor& a, const Tensor& b);
bool any_true(const Tensor& flags);

}  // namespace d2l
