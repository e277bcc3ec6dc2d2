// What the files of the factorisations share: number types, the product that they are made of.
#pragma once

#include <cmath>
#include <complex>

#include "gemm/buffer.h"
#include "gemm/dense.h"
#include "gemm/gemm.h"

namespace d2l {
namespace dense {

template <class T>
struct TypeOf;
template <>
struct TypeOf<float> {
  static constexpr DType value = DType::Float;
};
template <>
struct TypeOf<double> {
  static constexpr DType value = DType::Double;
};
template <>
struct TypeOf<std::complex<float>> {
  static constexpr DType value = DType::ComplexFloat;
};
template <>
struct TypeOf<std::complex<double>> {
  static constexpr DType value = DType::ComplexDouble;
};

template <class T>
inline T conjugate(T x) {
  return x;
}
template <class T>
inline std::complex<T> conjugate(std::complex<T> x) {
  return std::conj(x);
}
// What LAPACK compares pivots by.
template <class T>
T magnitude(T x) {
  return std::abs(x);
}
template <class T>
T magnitude(std::complex<T> x) {
  return std::abs(x.real()) + std::abs(x.imag());
}
template <class T>
constexpr bool kComplex = false;
template <class T>
constexpr bool kComplex<std::complex<T>> = true;

// C = alpha A B + beta C.
template <class T>
void multiply_add(Block<T> c, Block<T> a, Block<T> b, double alpha, double beta) {
  if (c.rows == 0 || c.cols == 0) return;
  GemmArgs g{};
  g.dtype = TypeOf<T>::value;
  g.m = c.rows;
  g.n = c.cols;
  g.k = a.cols;
  g.a = a.data;
  g.a_row = a.row;
  g.a_col = a.col;
  g.b = b.data;
  g.b_row = b.row;
  g.b_col = b.col;
  g.c = c.data;
  g.d = beta == 0 ? nullptr : c.data;
  g.c_row = g.d_row = c.row;
  g.c_col = g.d_col = c.col;
  g.alpha = alpha;
  g.beta = beta;
  gemm(g);
}
// C -= A B.
template <class T>
void subtract_product(Block<T> c, Block<T> a, Block<T> b) {
  if (a.cols > 0) multiply_add(c, a, b, -1, 1);
}
// C = A B.
template <class T>
void product(Block<T> c, Block<T> a, Block<T> b) {
  multiply_add(c, a, b, 1, 0);
}

// A conjugated copy, which is what a product with A^H reads; A itself for real numbers.
template <class T>
class Conjugated {
 public:
  explicit Conjugated(Block<T> a) : buffer_(kComplex<T> ? a.rows * a.cols : 0), block_(a) {
    if constexpr (kComplex<T>) {
      block_ = {buffer_.data(), a.rows, a.cols, 1, a.rows};
      for (int64_t j = 0; j < a.cols; ++j)
        for (int64_t i = 0; i < a.rows; ++i) block_(i, j) = conjugate(a(i, j));
    }
  }
  Block<T> block() const { return block_; }

 private:
  Buffer<T> buffer_;
  Block<T> block_;
};

// n halved, the first part a multiple of `step`.
inline int64_t half(int64_t n, int64_t step) { return round_up(n / 2, step); }

}  // namespace dense
}  // namespace d2l
