// See linalg_parts.h.
#include "ops/linalg_parts.h"

#include <limits>

namespace d2l {

void check_matrix(const Tensor& a, std::string_view op, const char* name) {
  check(a.dim() >= 2, "{}: The input tensor {} must have at least 2 dimensions.", op, name);
}

void check_square(const Tensor& a, std::string_view op, const char* name) {
  check_matrix(a, op, name);
  check(a.size(-1) == a.size(-2),
        "{}: {} must be batches of square matrices, but they are {} by {} matrices", op, name,
        a.size(-2), a.size(-1));
}

void check_float(const Tensor& a, std::string_view op, bool low) {
  check(is_floating(a.dtype()) || is_complex(a.dtype()),
        "{}: Expected a floating point or complex tensor as input. Got {}", op, a.dtype());
  check(low || !is_reduced_floating(a.dtype()), "{}: Low precision dtypes not supported. Got {}",
        op, a.dtype());
}

void check_lapack(const Tensor& a, const char* kernel) {
  const DType t = a.dtype();
  check<NotImplementedError>(t == DType::Float || t == DType::Double || is_complex(t),
                             "\"{}\" not implemented for '{}'", kernel, t);
}

void check_solvable(const Tensor& a, const Tensor& b, bool left, std::string_view op) {
  check_square(a, op);
  check_matrix(b, op, "B");
  check(left ? a.size(-2) == b.size(-2) : a.size(-1) == b.size(-1),
        "{}: Incompatible shapes of A and B for the equation {} ({}x{} and {}x{})", op,
        left ? "AX = B" : "XA = B", a.size(-2), a.size(-1), b.size(-2), b.size(-1));
}

namespace {

[[noreturn]] void refuse(int64_t info, const std::string& where, std::string_view op) {
  auto has = [op](const char* part) { return op.find(part) != std::string_view::npos; };
  if (has("inv")) {
    fail<LinAlgError>(
        "{}: The diagonal element {} is zero, the inversion could not be completed because the "
        "input matrix is singular.",
        where, info);
  }
  if (has("solve")) {
    fail<LinAlgError>("{}: The solver failed because the input matrix is singular.", where);
  }
  if (has("cholesky")) {
    fail<LinAlgError>(
        "{}: The factorization could not be completed because the input is not positive-definite "
        "(the leading minor of order {} is not positive-definite).",
        where, info);
  }
  if (has("lstsq")) {
    fail<LinAlgError>(
        "{}: The least squares solution could not be computed because the input matrix does not "
        "have full rank (error code: {}).",
        where, info);
  }
  fail<Error>(
      "{}: U[{},{}] is zero and using it on lu_solve would result in a division by zero. If you "
      "still want to perform the factorization, consider calling linalg.lu(A, pivot) or "
      "linalg.lu_factor_ex(A, pivot)",
      where, info, info);
}

}  // namespace

void check_info(const Tensor& info, std::string_view op) {
  const auto* p = info.data_as<int32_t>();
  for (int64_t i = 0; i < info.numel(); ++i) {
    if (p[i] == 0) continue;
    std::string where(op);
    if (info.dim() > 0) where += ": (Batch element " + std::to_string(i) + ")";
    refuse(p[i], where, op);
  }
}

double epsilon_of(DType t) {
  switch (real_dtype(t)) {
    case DType::Double:
      return std::numeric_limits<double>::epsilon();
    case DType::Float:
      return std::numeric_limits<float>::epsilon();
    default:
      return t == DType::Half ? 0.0009765625 : 0.0078125;
  }
}

Dims with_matrix(IntList batch, int64_t rows, int64_t cols) {
  Dims shape(batch);
  shape.push_back(rows);
  shape.push_back(cols);
  return shape;
}
Dims with_vector(IntList batch, int64_t n) {
  Dims shape(batch);
  shape.push_back(n);
  return shape;
}
int64_t count_of(IntList batch) {
  int64_t n = 1;
  for (int64_t x : batch) n *= x;
  return n;
}

Tensor empty_columns(IntList batch, int64_t rows, int64_t cols, DType dtype) {
  const Tensor t = empty(with_matrix(batch, cols, rows), dtype);
  Dims strides(t.strides());
  std::swap(strides[strides.size() - 1], strides[strides.size() - 2]);
  return raw_view(t, with_matrix(batch, rows, cols), strides, 0);
}

Tensor columns_of(const Tensor& a) {
  const Tensor out = empty_columns(batch_of(a), a.size(-2), a.size(-1), a.dtype());
  if (out.numel()) copy_into(out, a);
  return out;
}

Tensor eye_like(const Tensor& a) {
  return expand(eye(a.size(-2), a.size(-1), Options(a.dtype())), a.shape());
}

bool is_vector_of(const Tensor& a, const Tensor& b) {
  return b.dim() == 1 || (b.dim() == a.dim() - 1 &&
                          d2l::equal(b.shape(), a.shape().first(static_cast<size_t>(a.dim() - 1))));
}

Tensor sum_defined(const Tensor& a, const Tensor& b) {
  if (!a.defined() || !b.defined()) return a.defined() ? a : b;
  return add(a, b);
}

bool any_true(const Tensor& flags) { return item(any(flags)).to_bool(); }

void register_linalg(OpTable& ops) {
  register_linalg_lu(ops);
  register_linalg_solve(ops);
  register_linalg_cholesky(ops);
  register_linalg_qr(ops);
  register_linalg_svd(ops);
  register_linalg_eigen(ops);
  register_linalg_pinv(ops);
  register_linalg_lstsq(ops);
  register_linalg_function(ops);
}

}  // namespace d2l
