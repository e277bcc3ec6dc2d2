// Linear systems and inverses: LU or a triangle, then substitution.
#include "autograd/record.h"
#include "ops/linalg_parts.h"

namespace d2l {
namespace {

// The inverse by LU; a singular matrix gives what the divisions by zero give, and its info.
TensorTwo inverse_of(const Tensor& a) {
  const LU f = lu_of(a);
  return {solve_by_lu(f.lu, f.pivots, eye_like(a), true, false), f.info};
}

TensorTwo recorded_inverse(const Tensor& a, const TensorTwo& made) {
  const auto& [inverse, info] = made;
  const Tensor outs[] = {inverse, info};
  record_many(outs, "LinalgInvExBackward0", {&a}, saved(result_nr(0)),
              joint([](const Node&, const std::vector<Tensor>& g, const Tensor& y,
                       std::vector<Tensor>& in) {
                if (g[0].defined()) in[0] = neg(matmul(mH(y), matmul(g[0], mH(y))));
              }));
  return made;
}

TensorTwo solve_checked(const Tensor& a, const Tensor& b, bool left, bool check_errors,
                        const char* api) {
  const char* op = "linalg.solve";
  check_float(a, op);
  check(a.dtype() == b.dtype(),
        "linalg.solve: Expected A and B to have the same dtype, but found A of type {} and B of "
        "type {} instead",
        a.dtype(), b.dtype());
  check_matrix(a, op);
  const bool vector = is_vector_of(a, b);
  const Tensor columns = vector && b.dim() > 0 ? unsqueeze(b, -1) : b;
  check_solvable(a, columns, left, op);
  check(left || !vector,
        "linalg.solve: Vector broadcasting of the left hand side is not supported for left=False. "
        "In this case linalg.solve is equivalent to B / A.squeeze(-1)");
  check_lapack(a, "lu_cpu");
  broadcast_shapes(batch_of(columns), batch_of(a));  // refuses before the work
  const LU f = lu_of(a);
  if (check_errors) check_info(f.info, api);
  Tensor x;
  {
    GradModeGuard off(false);
    x = solve_by_lu(f.lu, f.pivots, columns, left, false);
    if (vector)
      x = raw_view(x, x.shape().first(static_cast<size_t>(x.dim() - 1)),
                   x.strides().first(static_cast<size_t>(x.dim() - 1)), x.offset());
  }
  const Tensor outs[] = {x, f.info};
  record_many(outs, "LinalgSolveExBackward0", {&a, &b}, saved(a, f.lu, f.pivots, result_nr(0)),
              joint([left, vector](const Node& node, const std::vector<Tensor>& g, const Tensor& a,
                                   const Tensor& lu, const Tensor& pivots, const Tensor& x,
                                   std::vector<Tensor>& in) {
                if (!g[0].defined()) return;
                const Tensor g_x = vector ? unsqueeze(g[0], -1) : g[0];
                const Tensor g_b = GradMode::enabled() ? solve(mH(a), g_x, left)
                                                       : solve_by_lu(lu, pivots, g_x, left, true);
                in[1] = vector ? squeeze_dims(g_b, Dims{-1}) : g_b;
                if (!node.needs(0)) return;
                const Tensor y = vector ? unsqueeze(x, -1) : x;
                in[0] = neg(left ? matmul(g_b, mH(y)) : matmul(mH(y), g_b));
              }));
  return {x, f.info};
}

}  // namespace

TensorTwo inv_ex(const Tensor& a, bool check_errors) {
  check_square(a, "linalg.inv");
  check_float(a, "linalg.inv", false);
  const TensorTwo made = inverse_of(a);
  if (check_errors) check_info(std::get<1>(made), "linalg.inv_ex");
  return recorded_inverse(a, made);
}

Tensor inv(const Tensor& a) {
  check_square(a, "linalg.inv");
  check_float(a, "linalg.inv", false);
  const TensorTwo made = inverse_of(a);
  check_info(std::get<1>(made), "linalg.inv");
  return std::get<0>(recorded_inverse(a, made));
}

TensorTwo solve_ex(const Tensor& a, const Tensor& b, bool left, bool check_errors) {
  return solve_checked(a, b, left, check_errors, "linalg.solve_ex");
}

Tensor solve(const Tensor& a, const Tensor& b, bool left) {
  return std::get<0>(solve_checked(a, b, left, true, "torch.linalg.solve"));
}

Tensor solve_triangular(const Tensor& a, const Tensor& b, bool upper, bool left, bool unitriangular,
                        Dst dst) {
  const char* op = "linalg.solve_triangular";
  check_solvable(a, b, left, op);
  check_lapack(a, "triangular_solve_cpu");
  check(a.dtype() == b.dtype(),
        "linalg.solve_triangular: Expected A and B to have the same dtype, but found A of type {} "
        "and B of type {} instead",
        a.dtype(), b.dtype());
  const Dims batch = broadcast_shapes(batch_of(b), batch_of(a));
  const int64_t n = a.size(-1), count = count_of(batch);
  const int64_t cols = left ? b.size(-1) : b.size(-2);
  const Tensor x = empty_columns(batch, b.size(-2), b.size(-1), b.dtype());
  if (x.numel()) {
    copy_into(x, b);
    // A handle of its own: nobody can change its strides while other Python threads run.
    const Tensor own = raw_view(a, a.shape(), a.strides(), a.offset());
    LongOp unlocked(count * n * n * cols >= (1 << 20));
    with_type(b.dtype(), [&]<class T>(T) {
      each_matrix(count, n * n * cols / 2, [&](int64_t i) {
        // X A = B is A^T X^T = B^T.
        const Block<T> t = matrix_at<T>(own, batch, i), one = matrix_at<T>(x, batch, i);
        if (left) {
          solve_triangle(t, upper, unitriangular, one);
        } else {
          solve_triangle(t.transposed(), !upper, unitriangular, one.transposed());
        }
      });
    });
  }
  return record(
      deliver(op, dst, x), "LinalgSolveTriangularBackward0", {&a, &b}, saved(a, result),
      joint([upper, left, unitriangular](const Node& node, const Tensor& g, const Tensor& a,
                                         const Tensor& x, std::vector<Tensor>& in) {
        const Tensor g_b = solve_triangular(mH(a), g, !upper, left, unitriangular);
        in[1] = g_b;
        if (!node.needs(0)) return;
        const Tensor full = neg(left ? matmul(g_b, mH(x)) : matmul(mH(x), g_b));
        in[0] = upper ? triu(full, unitriangular ? 1 : 0) : tril(full, unitriangular ? -1 : 0);
      }));
}

Tensor tensorinv(const Tensor& a, int64_t ind) {
  check(ind > 0, "Expected a strictly positive integer for 'ind', but got {}", ind);
  check(ind <= a.dim(), "ArrayRef: invalid slice, N = {}; size = {}", ind, a.dim());
  const auto cut = static_cast<size_t>(ind);
  const IntList head = a.shape().first(cut), tail = a.shape().subspan(cut);
  const int64_t rows = checked_numel(head), cols = checked_numel(tail);
  check(rows == cols,
        "Expected self to satisfy the requirement prod(self.shape[ind:]) == prod(self.shape[:ind]),"
        " but got {} != {}",
        cols, rows);
  Dims shape(tail);
  for (int64_t n : head) shape.push_back(n);
  const Tensor flat = reshape(a, Dims{rows, cols});
  check_square(flat, "linalg.inv");
  check_float(flat, "linalg.inv", false);
  const TensorTwo made = inverse_of(flat);
  check_info(std::get<1>(made), "inv");
  return reshape(std::get<0>(recorded_inverse(flat, made)), shape);
}

Tensor tensorsolve(const Tensor& a, const Tensor& b, OptInts dims) {
  Tensor moved = a;
  if (dims) {
    Dims from(*dims), to;
    const auto n = static_cast<int64_t>(from.size());
    for (int64_t i = 0; i < n; ++i) to.push_back(a.dim() - n + i);
    moved = movedim(a, from, to);
  }
  const auto cut = static_cast<size_t>(std::min(b.dim(), moved.dim()));
  const Dims shape(moved.shape().subspan(cut));
  const int64_t unknowns = checked_numel(shape), equations = b.numel();
  const int64_t given = checked_numel(moved.shape().first(cut));
  check(unknowns == given,
        "Expected self to satisfy the requirement prod(self.shape[other.ndim:]) == "
        "prod(self.shape[:other.ndim]), but got {} != {}",
        unknowns, given);
  const Tensor matrix = reshape(moved, Dims{equations, unknowns});
  return reshape(solve(matrix, reshape(b, Dims{equations})), shape);
}

namespace {

TensorTwo triangular_solve(const Tensor& b, const Tensor& a, bool upper, bool transpose,
                           bool unitriangular) {
  check(b.dim() >= 2,
        "torch.triangular_solve: Expected b to have at least 2 dimensions, but it has {} "
        "dimensions instead",
        b.dim());
  check(a.dim() >= 2,
        "torch.triangular_solve: Expected A to have at least 2 dimensions, but it has {} "
        "dimensions instead",
        a.dim());
  check(a.dtype() == b.dtype(),
        "Expected b and A to have the same dtype, but found b of type {} and A of type {} instead.",
        b.dtype(), a.dtype());
  check(a.size(-1) == a.size(-2),
        "A must be batches of square matrices, but they are {} by {} matrices", a.size(-2),
        a.size(-1));
  check(a.size(-1) == b.size(-2),
        "Incompatible matrix sizes for triangular_solve: each A matrix is {} by {} but each b "
        "matrix is {} by {}",
        a.size(-1), a.size(-2), b.size(-2), b.size(-1));
  check_lapack(a, "triangular_solve_cpu");
  const Dims batch = broadcast_shapes(batch_of(b), batch_of(a));
  const Tensor x =
      solve_triangular(transpose ? mT(a) : a, b, upper != transpose, true, unitriangular);
  Tensor copy;
  {
    GradModeGuard off(false);
    copy = columns_of(expand(a, with_matrix(batch, a.size(-2), a.size(-1))));
  }
  return {x, record(copy, "CloneBackward0", {&a}, saved(), [](const Tensor& g) { return g; })};
}

}  // namespace

void register_linalg_solve(OpTable& ops) {
  ops.add(
      "linalg.inv_ex(Tensor A, *, bool check_errors=False) -> (Tensor inverse, Tensor info)",
      inv_ex, Function | Out,
      "Returns the inverse of square matrices and, instead of raising, ``info``: 0, or the place "
      "of the first pivot that is zero.");
  const char* inv_doc =
      "Returns the inverse of square matrices.\n\nRaises LinAlgError for a singular matrix.";
  ops.add("linalg.inv(Tensor A) -> Tensor", inv, Function | Out, inv_doc);
  ops.add("inverse(Tensor self) -> Tensor", inv, Both | Out, inv_doc);
  ops.add(
      "linalg.solve_ex(Tensor A, Tensor B, *, bool left=True, bool check_errors=False) -> (Tensor "
      "result, Tensor info)",
      solve_ex, Function | Out,
      "Solves as linalg.solve and returns, instead of raising, ``info``: 0, or the place of the "
      "first pivot that is zero.");
  ops.add(
      "linalg.solve(Tensor A, Tensor B, *, bool left=True) -> Tensor", solve, Function | Out,
      "Returns X of ``A X = B`` (of ``X A = B`` without ``left``); B holds matrices, or a vector "
      "for each A.\n\nRaises LinAlgError for a singular A.");
  ops.add(
      "linalg.solve_triangular(Tensor self, Tensor B, *, bool upper, bool left=True, bool "
      "unitriangular=False) -> Tensor",
      solve_triangular, Function | Out,
      "Returns X of ``A X = B`` (of ``X A = B`` without ``left``) for triangular A; the "
      "other triangle, and with ``unitriangular`` the diagonal, is not read.");
  ops.add(
      "triangular_solve(Tensor self, Tensor A, bool upper=True, bool transpose=False, bool "
      "unitriangular=False) -> (Tensor solution, Tensor cloned_coefficient)",
      triangular_solve, Both | Out,
      "Solves ``A X = self`` for triangular A and returns X and a copy of A (see "
      "linalg.solve_triangular).");
  ops.add("linalg.tensorinv(Tensor self, int ind=2) -> Tensor", tensorinv, Function | Out,
          "Returns the inverse of the map ``tensordot(input, X, dims=input.ndim - ind)``: of the "
          "matrix whose rows are the first ``ind`` dimensions.");
  ops.add("linalg.tensorsolve(Tensor self, Tensor other, int[]? dims=None) -> Tensor", tensorsolve,
          Function | Out,
          "Returns X of ``tensordot(input, X, dims=X.ndim) = other``; the dimensions ``dims`` of "
          "``input`` are moved to the end first.");
}

}  // namespace d2l
