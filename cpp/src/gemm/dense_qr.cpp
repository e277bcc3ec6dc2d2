// See dense.h: QR by reflections, on halves of the columns (E. Elmroth and F. Gustavson, Applying
// Recursion to Serial and Parallel QR Factorization, 2000).
#include <algorithm>

#include "gemm/dense_parts.h"

namespace d2l {

using namespace dense;

namespace {

constexpr int64_t kPanel = 8;  // columns that are reflected one by one

// sqrt(sum |x_i|^2) without overflow: the largest part is taken out first.
template <class T>
auto length_of(const T* x, int64_t n, int64_t step) {
  using Real = decltype(std::abs(T()));
  Real most = 0;
  for (int64_t i = 0; i < n; ++i) {
    const Real size = magnitude(x[i * step]);
    if (!(size <= most)) most = size;  // NaN stays
  }
  if (most == 0 || !std::isfinite(most)) return most;
  Real sum = 0;
  for (int64_t i = 0; i < n; ++i) {
    const T part = x[i * step] / most;
    sum += std::real(part * conjugate(part));
  }
  return most * std::sqrt(sum);
}

// The reflection 1 - tau v v^H whose adjoint maps x to (beta, 0, ..., 0): v = (1, x[1:]), written
// over x[1:], and beta over x[0]. As LAPACK: beta is real and has the other sign than x[0].
template <class T>
T reflect(T* x, int64_t n, int64_t step) {
  using Real = decltype(std::abs(T()));
  const Real rest = length_of(x + step, n - 1, step);
  const T alpha = x[0];
  if (rest == 0 && std::imag(alpha) == 0) return T(0);
  const Real size = std::hypot(std::abs(alpha), rest);
  const Real beta = std::real(alpha) >= 0 ? -size : size;
  for (int64_t i = 1; i < n; ++i) x[i * step] /= alpha - beta;
  x[0] = T(beta);
  return (T(beta) - alpha) / beta;
}

template <class T>
void qr_panel(Block<T> a, Block<T> v, Block<T> t) {
  const int64_t m = a.rows, k = std::min(m, a.cols);
  for (int64_t j = 0; j < k; ++j) {
    const T tau = reflect(&a(j, j), m - j, a.row);
    v(j, j) = T(1);
    for (int64_t i = j + 1; i < m; ++i) v(i, j) = a(i, j);
    for (int64_t c = j + 1; c < a.cols && tau != T(0); ++c) {
      T sum(0);
      for (int64_t i = j; i < m; ++i) sum += conjugate(v(i, j)) * a(i, c);
      sum *= conjugate(tau);
      for (int64_t i = j; i < m; ++i) a(i, c) -= v(i, j) * sum;
    }
    // T's new column: -tau T V^H v.
    for (int64_t i = 0; i < j; ++i) {
      T sum(0);
      for (int64_t r = j; r < m; ++r) sum += conjugate(v(r, i)) * v(r, j);
      t(i, j) = -tau * sum;
    }
    for (int64_t i = 0; i < j; ++i) {
      T sum(0);
      for (int64_t r = i; r < j; ++r) sum += t(i, r) * t(r, j);
      t(i, j) = sum;
    }
    t(j, j) = tau;
  }
}

// A -= V T^H V^H A: the adjoint of the reflections.
template <class T>
void apply_adjoint(Block<T> v, Block<T> t, Block<T> a) {
  const int64_t k = v.cols;
  Buffer<T> first(k * a.cols), second(k * a.cols);
  const Block<T> w{first.data(), k, a.cols, 1, k}, x{second.data(), k, a.cols, 1, k};
  product(w, Conjugated<T>(v).block().transposed(), a);
  product(x, Conjugated<T>(t).block().transposed(), w);
  subtract_product(a, v, x);
}

}  // namespace

template <class T>
void factor_qr(Block<T> a, Block<T> v, Block<T> t) {
  const int64_t m = a.rows, n = a.cols, k = std::min(m, n);
  if (k == 0) return;
  if (k <= kPanel && n <= kPanel) return qr_panel(a, v, t);
  // The left half, or all columns that reflections come from.
  const int64_t h = n > k ? k : half(k, kPanel), rest = n - h;
  const Block<T> v1 = v.part(0, 0, m, h), t1 = t.part(0, 0, h, h);
  factor_qr(a.part(0, 0, m, h), v1, t1);
  apply_adjoint(v1, t1, a.part(0, h, m, rest));
  if (n > k) return;
  const Block<T> v2 = v.part(h, h, m - h, k - h), t2 = t.part(h, h, k - h, k - h);
  factor_qr(a.part(h, h, m - h, rest), v2, t2);
  // T12 = -T1 (V1^H V2) T2, where V2 is zero above row h.
  Buffer<T> first(h * (k - h)), second(h * (k - h));
  const Block<T> w{first.data(), h, k - h, 1, h}, x{second.data(), h, k - h, 1, h};
  product(w, Conjugated<T>(v.part(h, 0, m - h, h)).block().transposed(), v2);
  product(x, w, t2);
  multiply_add(t.part(0, h, h, k - h), t1, x, -1, 0);
}

template <class T>
void form_q(Block<T> v, Block<T> t, Block<T> q) {
  // E - V (T V^H E), E the first columns of the identity.
  const int64_t k = v.cols, cols = q.cols;
  for (int64_t j = 0; j < cols; ++j)
    for (int64_t i = 0; i < q.rows; ++i) q(i, j) = T(i == j ? 1 : 0);
  if (k == 0) return;
  Buffer<T> buffer(k * cols);
  const Block<T> w{buffer.data(), k, cols, 1, k};
  product(w, t, Conjugated<T>(v.part(0, 0, cols, k)).block().transposed());
  subtract_product(q, v, w);
}

#define D2L_DENSE(T)                                        \
  template void factor_qr<T>(Block<T>, Block<T>, Block<T>); \
  template void form_q<T>(Block<T>, Block<T>, Block<T>);
D2L_DENSE(float)
D2L_DENSE(double)
D2L_DENSE(std::complex<float>)
D2L_DENSE(std::complex<double>)
#undef D2L_DENSE

}  // namespace d2l
