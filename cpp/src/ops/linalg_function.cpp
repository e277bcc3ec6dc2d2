// Functions of matrices: the exponential, products of reflections, Vandermonde's matrix.
#include <cmath>
#include <limits>

#include "autograd/record.h"
#include "ops/linalg_parts.h"

namespace d2l {
namespace {

// Taylor's polynomial of exp at matrices of norm at most 1, four terms to a block:
// B0 + A^4 (B1 + A^4 (B2 + ...)), where Bi is a polynomial of degree 3 (M. Paterson and
// L. Stockmeyer, On the Number of Nonscalar Multiplications..., 1973). Degree 19 is enough for
// float64, 11 for float32.
Tensor exp_of_small(const Tensor& a) {
  const int blocks = real_dtype(a.dtype()) == DType::Double ? 5 : 3;
  const Tensor one = eye(a.size(-1), a.size(-1), Options(a.dtype()));
  const Tensor a2 = matmul(a, a), a3 = matmul(a2, a), a4 = matmul(a2, a2);
  auto inverse_factorial = [](int n) { return 1 / std::tgamma(n + 1.0); };
  Tensor out;
  for (int b = blocks - 1; b >= 0; --b) {
    Tensor block = mul(one, Scalar(inverse_factorial(4 * b)));
    block = add(block, mul(a, Scalar(inverse_factorial(4 * b + 1))));
    block = add(block, mul(a2, Scalar(inverse_factorial(4 * b + 2))));
    block = add(block, mul(a3, Scalar(inverse_factorial(4 * b + 3))));
    out = out.defined() ? add(block, matmul(a4, out)) : block;
  }
  return out;
}

// Scaling and squaring: exp(A) = exp(A / 2^s)^(2^s), each matrix with its own s.
Tensor exp_of(const Tensor& a) {
  const int64_t columns[1] = {-2}, last[1] = {-1};
  const Tensor norm = amax(sum(abs(a), IntList(columns)), last);
  const Tensor size = to_dtype(contiguous(norm), DType::Double);
  const Tensor squarings = empty(size.shape(), DType::Int64), scale = empty_as(size, DType::Double);
  int64_t most = 0, least = 1 << 20;
  for (int64_t i = 0; i < size.numel(); ++i) {
    const double x = size.data_as<double>()[i];
    const int64_t s = std::isfinite(x) && x > 1 ? std::ilogb(x) + 1 : 0;
    squarings.data_as<int64_t>()[i] = s;
    // NaN and inf anywhere make NaN of the whole matrix.
    scale.data_as<double>()[i] =
        std::isfinite(x) ? std::ldexp(1.0, -static_cast<int>(s)) : std::nan("");
    most = std::max(most, s);
    least = std::min(least, s);
  }
  const Dims shape = with_matrix(size.shape(), 1, 1);
  const Tensor factor = reshape(to_dtype(scale, real_dtype(a.dtype())), shape);
  const Tensor times = reshape(squarings, shape);
  Tensor out = exp_of_small(mul(a, factor));
  for (int64_t i = 0; i < most; ++i) {
    const Tensor squared = matmul(out, out);
    out = i < least ? squared : where(gt(times, Scalar(i)), squared, out);
  }
  return out;
}

}  // namespace

Tensor matrix_exp(const Tensor& a) {
  check_square(a, "linalg.matrix_exp");
  check_float(a, "linalg.matrix_exp");
  Tensor out;
  {
    GradModeGuard off(false);
    const DType type = a.dtype();
    const Tensor x = is_reduced_floating(type) ? to_dtype(detach(a), DType::Float) : detach(a);
    out = to_dtype(a.numel() == 0 ? clone(x) : contiguous(exp_of(x)), type);
  }
  return record(out, "LinalgMatrixExpBackward0", {&a}, saved(a),
                [](const Tensor& g, const Tensor& a) {
                  // exp([[X, G], [0, X]]) has the derivative of exp at X along G in its corner
                  // (R. Mathias, A Chain Rule for Matrix Functions, 1996); here X = A^H.
                  const int64_t n = a.size(-1);
                  if (a.numel() == 0) return zeros_like(a);
                  const Tensor x = mH(a);
                  const Tensor top[] = {x, g}, bottom[] = {zeros_like(x), x};
                  const Tensor rows[] = {cat(top, -1), cat(bottom, -1)};
                  return narrow(narrow(matrix_exp(cat(rows, -2)), -2, 0, n), -1, n, n);
                });
}

// Q = H_1 H_2 ... H_k restricted to its first columns, H_i = 1 - tau_i v_i v_i^H with v_i below
// (and 1 on) the diagonal of a.
Tensor householder_product(const Tensor& a, const Tensor& tau) {
  const char* op = "torch.linalg.householder_product";
  check(a.dim() >= 2, "{}: input must have at least 2 dimensions.", op);
  check(a.size(-2) >= a.size(-1),
        "{}: input.shape[-2] must be greater than or equal to input.shape[-1]", op);
  check(tau.dim() >= 1 && a.size(-1) >= tau.size(-1),
        "{}: input.shape[-1] must be greater than or equal to tau.shape[-1]", op);
  check(a.dim() - tau.dim() == 1,
        "{}: Expected tau to have one dimension less than input, but got tau.ndim equal to {} and "
        "input.ndim is equal to {}",
        op, tau.dim(), a.dim());
  const IntList batch = tau.shape().first(static_cast<size_t>(tau.dim() - 1));
  check(d2l::equal(batch, batch_of(a)),
        "{}: Expected batch dimensions of tau to be equal to input.shape[:-2], but got {}", op,
        batch);
  check(a.dtype() == tau.dtype(), "{}: tau dtype {} does not match input dtype {}", op, tau.dtype(),
        a.dtype());
  check_lapack(a, "orgqr_cpu");
  const Tensor one = eye_like(a), v = add(tril(a, -1), one);
  Tensor q = one;
  for (int64_t i = tau.size(-1) - 1; i >= 0; --i) {
    const Tensor column = narrow(v, -1, i, 1);
    const Tensor scaled = mul(column, unsqueeze(narrow(tau, -1, i, 1), -1));
    q = sub(q, matmul(scaled, matmul(mH(column), q)));
  }
  if (!q.is(one)) return q;
  return record(
      clone(q), "LinalgHouseholderProductBackward0", {&a, &tau}, saved(),
      [](const Tensor& g) { return zeros_like(g); },
      [](const Node& node, const Tensor& g) { return zeros(node.input_shape(1), g.dtype()); });
}

namespace {

// Q C, Q^H C, C Q or C Q^H without Q: one reflection after another.
Tensor ormqr(const Tensor& a, const Tensor& tau, const Tensor& c, bool left, bool transpose) {
  const char* op = "torch.ormqr";
  check(a.dim() >= 2, "{}: input must have at least 2 dimensions.", op);
  check(c.dim() >= 2, "{}: other must have at least 2 dimensions.", op);
  const int64_t side = left ? -2 : -1, k = std::min(c.size(side), a.size(-1));
  check(tau.dim() >= 1 && c.size(side) >= tau.size(-1),
        "{}: other.shape[{}] must be greater than or equal to tau.shape[-1]", op, side);
  check(c.size(side) == a.size(-2), "{}: other.shape[{}] must be equal to input.shape[-2]", op,
        side);
  check(tau.size(-1) <= a.size(-1),
        "{}: tau.shape[-1] must be less than or equal to input.shape[-1]", op);
  check(tau.size(-1) == k,
        "{}: tau.shape[-1] must be equal to min(other.shape[{}], input.shape[-1])", op, side);
  check(a.dim() - tau.dim() == 1,
        "{}: Expected tau to have one dimension less than input, but got tau.ndim equal to {} and "
        "input.ndim is equal to {}",
        op, tau.dim(), a.dim());
  check(a.dim() == c.dim(),
        "{}: Expected other to have the same number of dimensions as input, but got other.ndim "
        "equal to {} and input.ndim is equal to {}",
        op, c.dim(), a.dim());
  const IntList tau_batch = tau.shape().first(static_cast<size_t>(tau.dim() - 1));
  check(d2l::equal(tau_batch, batch_of(a)),
        "{}: Expected batch dimensions of tau to be equal to input.shape[:-2], but got {}", op,
        tau_batch);
  check(d2l::equal(batch_of(c), batch_of(a)),
        "{}: Expected batch dimensions of other to be equal to input.shape[:-2], but got {}", op,
        batch_of(c));
  check(
      tau.dtype() == a.dtype(),
      "{}: Expected input and tau to have the same dtype, but input has dtype{} and tau has dtype "
      "{}",
      op, a.dtype(), tau.dtype());
  check(c.dtype() == a.dtype(),
        "{}: Expected input and other to have the same dtype, but input has dtype{} and other has "
        "dtype {}",
        op, a.dtype(), c.dtype());
  check_lapack(a, "ormqr_cpu");
  const Tensor v = add(tril(a, -1), eye_like(a)), factors = transpose ? conj(tau) : tau;
  Tensor out = c;
  for (int64_t step = 0; step < k; ++step) {
    // Q = H_1 ... H_k: the reflection next to C comes first.
    const int64_t i = left == transpose ? step : k - 1 - step;
    const Tensor column = narrow(v, -1, i, 1);
    const Tensor factor = unsqueeze(narrow(factors, -1, i, 1), -1);
    const Tensor change = left ? matmul(mul(column, factor), matmul(mH(column), out))
                               : matmul(matmul(out, mul(column, factor)), mH(column));
    out = sub(out, change);
  }
  return k == 0 ? clone(c) : out;
}

}  // namespace

Tensor linalg_vander(const Tensor& x, OptInt n) {
  check(is_complex(x.dtype()) || (x.dtype() != DType::Bool && !is_reduced_floating(x.dtype())),
        "linalg.vander supports floating point, complex, and integer tensors, but got {}",
        x.dtype());
  const Tensor points = x.dim() ? x : unsqueeze(x, 0);
  const int64_t cols = n ? *n : points.size(-1);
  check(cols > 1, "N must be greater than 1.");
  Dims shape(points.shape());
  shape.push_back(cols - 1);
  const Tensor powers = cumprod(expand(unsqueeze(points, -1), shape), -1);
  shape[shape.size() - 1] = 1;
  const Tensor both[] = {ones(shape, Options(powers.dtype())), powers};
  return cat(both, -1);
}

Tensor vander(const Tensor& x, OptInt n, bool increasing) {
  check(x.dim() == 1, "x must be a one-dimensional tensor.");
  const int64_t cols = n ? *n : x.size(0);
  check(cols >= 0, "N must be non-negative.");
  const DType type = promote(x.dtype(), DType::Int64);
  const Tensor wide = to_dtype(x, type);
  Tensor out = ones(Dims{x.size(0), std::min<int64_t>(cols, 1)}, Options(type));
  if (cols > 1) {
    const Tensor powers = cumprod(expand(unsqueeze(wide, 1), Dims{x.size(0), cols - 1}), 1);
    const Tensor both[] = {out, powers};
    out = cat(both, 1);
  }
  return increasing ? out : flip(out, Dims{1});
}

namespace {

Tensor linalg_diagonal(const Tensor& a, int64_t offset, int64_t dim1, int64_t dim2) {
  return diagonal(a, offset, dim1, dim2);
}

}  // namespace

void register_linalg_function(OpTable& ops) {
  const char* exp_doc =
      "Returns the exponential of square matrices, ``sum A^k / k!``: all NaN for a matrix with NaN "
      "or inf.";
  ops.add("linalg.matrix_exp(Tensor self) -> Tensor", matrix_exp, Function, exp_doc);
  ops.add("matrix_exp(Tensor self) -> Tensor", matrix_exp, Both, exp_doc);
  const char* householder_doc =
      "Returns the first columns of the product of the reflections ``1 - tau_i v_i v_i^H``, v_i in "
      "column i of ``input`` below the diagonal: the Q of a QR decomposition.";
  ops.add("linalg.householder_product(Tensor self, Tensor tau) -> Tensor", householder_product,
          Function | Out, householder_doc);
  ops.add("orgqr(Tensor self, Tensor input2) -> Tensor", householder_product, Both | Out,
          householder_doc);
  ops.add(
      "ormqr(Tensor self, Tensor input2, Tensor input3, bool left=True, bool transpose=False) -> "
      "Tensor",
      ormqr, Both | Out,
      "Returns ``Q @ input3`` (``input3 @ Q`` without ``left``, Q^H with ``transpose``), Q the "
      "product of the reflections that geqrf gave as ``self`` and ``input2``.");
  ops.add("linalg.vander(Tensor x, *, int? N=None) -> Tensor", linalg_vander, Function,
          "Returns the powers 0 to N - 1 of each element along a new last dimension.");
  ops.add("vander(Tensor x, int? N=None, bool increasing=False) -> Tensor", vander, Function,
          "Returns the powers of each element of a vector as rows, from N - 1 down to 0 unless "
          "``increasing``.");
  ops.add("linalg.diagonal(Tensor A, *, int offset=0, int dim1=-2, int dim2=-1) -> Tensor",
          linalg_diagonal, Function, "Returns a view of the diagonal of matrices.");
}

}  // namespace d2l
