// Products made of views and the products of matmul.cpp: outer, inner, tensordot, kron, powers.
#include <vector>

#include "autograd/record.h"
#include "d2lcore/ops.h"
#include "ops/matmul_parts.h"

namespace d2l {

Tensor outer(const Tensor& self, const Tensor& vec2, Dst dst) {
  check(self.dim() == 1, "outer: Expected 1-D argument self, but got {}-D", self.dim());
  check(vec2.dim() == 1, "outer: Expected 1-D argument vec2, but got {}-D", vec2.dim());
  return mul(unsqueeze(self, 1), vec2, dst);
}

Tensor addr(const Tensor& self, const Tensor& vec1, const Tensor& vec2, const Scalar& beta,
            const Scalar& alpha, Dst dst) {
  check(vec1.dim() == 1, "addr: Expected 1-D argument vec1, but got {}-D", vec1.dim());
  check(vec2.dim() == 1, "addr: Expected 1-D argument vec2, but got {}-D", vec2.dim());
  const Dims shape{vec1->shape[0], vec2->shape[0]};
  const Tensor full = expand(self, shape);
  // The numbers do not promote.
  const DType type = result_type({&self, &vec1, &vec2});
  auto times = [type](const Tensor& t, const Scalar& s) {
    return s.equals(1) ? t : to_dtype(mul(t, s), type);
  };
  const Tensor product = times(mul(unsqueeze(vec1, 1), vec2), alpha);
  if (beta.equals(0)) return deliver("addr", dst, to_dtype(product, type));
  return add(times(full, beta), product, Scalar(1), dst);
}

Tensor addbmm(const Tensor& self, const Tensor& batch1, const Tensor& batch2, const Scalar& beta,
              const Scalar& alpha, Dst dst) {
  check(batch1.dim() == 3, "batch1 must be a 3D tensor");
  check(batch2.dim() == 3, "batch2 must be a 3D tensor");
  check(batch1->shape[0] == batch2->shape[0],
        "batch1 and batch2 must have same number of batches, got {} and {}", batch1->shape[0],
        batch2->shape[0]);
  check(batch1->shape[2] == batch2->shape[1], "Incompatible matrix sizes for bmm ({}x{} and {}x{})",
        batch1->shape[1], batch1->shape[2], batch2->shape[1], batch2->shape[2]);
  // One product: the batch joins the dimension that is summed.
  const int64_t inner = batch1->shape[0] * batch1->shape[2];
  const Tensor left = reshape(transpose(batch1, 0, 1), Dims{batch1->shape[1], inner});
  const Tensor right = reshape(batch2, Dims{inner, batch2->shape[2]});
  return addmm(self, left, right, beta, alpha, dst);
}

Tensor tensordot(const Tensor& self, const Tensor& other, IntList dims_self, IntList dims_other) {
  check(dims_self.size() == dims_other.size(), "both dimension lists should have same length");
  check(self.dtype() == other.dtype(), "both inputs should have same dtype, but got {} and {}",
        self.dtype(), other.dtype());
  Dims left, right, shape, sum_self, sum_other;
  int64_t summed = 1, rows = 1, cols = 1;
  uint32_t in_self = 0, in_other = 0;
  for (size_t i = 0; i < dims_self.size(); ++i) {
    const int64_t a = wrap_dim(dims_self[i], self.dim()), b = wrap_dim(dims_other[i], other.dim());
    const int64_t na = self.size(a), nb = other.size(b);
    check(!(in_self >> a & 1), "dim {} appears multiple times in the list of dims", a);
    check(!(in_other >> b & 1), "dim {} appears multiple times in the list of dims", b);
    in_self |= 1u << a;
    in_other |= 1u << b;
    check(
        na == nb || na == 1 || nb == 1,
        "contracted dimensions need to match, but first has size {} in dim {} and second has size "
        "{} in dim {}",
        na, dims_self[i], nb, dims_other[i]);
    // One element beside many is broadcast: the many are added up first.
    summed *= na == nb ? na : 1;
    if (na != nb) (na == 1 ? sum_other : sum_self).push_back(na == 1 ? b : a);
  }
  for (int64_t d = 0; d < self.dim(); ++d) {
    if (in_self >> d & 1) continue;
    left.push_back(d);
    shape.push_back(self->shape[d]);
    rows *= self->shape[d];
  }
  for (int64_t d : dims_self) left.push_back(wrap_dim(d, self.dim()));
  for (int64_t d : dims_other) right.push_back(wrap_dim(d, other.dim()));
  for (int64_t d = 0; d < other.dim(); ++d) {
    if (in_other >> d & 1) continue;
    right.push_back(d);
    shape.push_back(other->shape[d]);
    cols *= other->shape[d];
  }
  const Tensor x = sum_self.empty() ? self : sum(self, IntList(sum_self), true);
  const Tensor y = sum_other.empty() ? other : sum(other, IntList(sum_other), true);
  const Tensor a = reshape(permute(x, left), Dims{rows, summed});
  const Tensor b = reshape(permute(y, right), Dims{summed, cols});
  return view(mm(a, b), shape);
}

Tensor inner(const Tensor& self, const Tensor& other) {
  if (self.dim() == 0 || other.dim() == 0) return mul(self, other);
  check(self.size(-1) == other.size(-1),
        "inner() the last dimension must match on both input tensors but got shapes {} and {}",
        self.shape(), other.shape());
  return tensordot(self, other, Dims{-1}, Dims{-1});
}

Tensor kron(const Tensor& self, const Tensor& other) {
  // Each dimension of self beside the one of other: (a0, 1, a1, 1, ...) * (1, b0, 1, b1, ...).
  const int64_t n = std::max(self.dim(), other.dim());
  check(2 * n <= kMaxDims, "kron: tensors have at most {} dimensions, got {}", kMaxDims / 2, n);
  Dims a, b, shape;
  for (int64_t i = 0; i < n; ++i) {
    const int64_t ia = i - (n - self.dim()), ib = i - (n - other.dim());
    const int64_t sa = ia < 0 ? 1 : self->shape[ia], sb = ib < 0 ? 1 : other->shape[ib];
    a.push_back(sa);
    a.push_back(1);
    b.push_back(1);
    b.push_back(sb);
    shape.push_back(checked_numel(Dims{sa, sb}));
  }
  return reshape(mul(reshape(self, a), reshape(other, b)), shape);
}

Tensor matrix_power(const Tensor& self, int64_t n) {
  check(self.dim() >= 2,
        "linalg.matrix_power: The input tensor A must have at least 2 dimensions.");
  check(self.size(-1) == self.size(-2),
        "linalg.matrix_power: A must be batches of square matrices, but they are {} by {} matrices",
        self.size(-2), self.size(-1));
  if (n == 0) {
    const Tensor unit = eye(self.size(-1), self.size(-1), Options(self.dtype()));
    return record(clone(expand(unit, self.shape())), "LinalgMatrixPowerBackward0", {&self}, saved(),
                  [](const Tensor& g) { return zeros_like(g); });
  }
  // Binary powering.
  Tensor power = n > 0 ? self : inv(self), result;
  const auto times = static_cast<uint64_t>(n);
  for (uint64_t left = n > 0 ? times : -times; left > 0; left >>= 1) {
    if (left & 1) result = result.defined() ? matmul(result, power) : power;
    if (left > 1) power = matmul(power, power);
  }
  return result.is(self) ? clone(self) : result;
}

namespace {

// The order with the least work, by dynamic programming over all ways to set the parentheses
// (Cormen, Leiserson, Rivest, Stein, Introduction to Algorithms, 15.2).
Tensor multiply_range(const std::vector<Tensor>& m, const std::vector<std::vector<size_t>>& cut,
                      size_t i, size_t j) {
  if (i == j) return m[i];
  const size_t k = cut[i][j];
  return mm(multiply_range(m, cut, i, k), multiply_range(m, cut, k + 1, j));
}

Tensor multi_dot(TensorList tensors) {
  const size_t n = tensors.size();
  check(n >= 2, "multi_dot(): expected at least 2 tensors but got {}", static_cast<int64_t>(n));
  std::vector<Tensor> m(tensors.begin(), tensors.end());
  check(m[0].dim() == 1 || m[0].dim() == 2,
        "multi_dot(): the first tensor must be 1D or 2D but got {}D", m[0].dim());
  check(m[n - 1].dim() == 1 || m[n - 1].dim() == 2,
        "multi_dot(): the last tensor must be 1D or 2D but got {}D", m[n - 1].dim());
  for (size_t i = 1; i + 1 < n; ++i) {
    check(m[i].dim() == 2, "multi_dot(): tensor {} must be 2D but got {}D", static_cast<int64_t>(i),
          m[i].dim());
  }
  for (size_t i = 1; i < n; ++i) {
    check(
        m[i].dtype() == m[0].dtype(),
        "multi_dot(): all tensors must have be the same dtype but tensor 0 is {} and tensor {} {}",
        c_type(m[0].dtype()), static_cast<int64_t>(i), c_type(m[i].dtype()));
  }
  const bool row = m[0].dim() == 1, col = m[n - 1].dim() == 1;
  if (row) m[0] = unsqueeze(m[0], 0);
  if (col) m[n - 1] = unsqueeze(m[n - 1], 1);
  for (size_t i = 0; i + 1 < n; ++i) {
    check(m[i]->shape[1] == m[i + 1]->shape[0],
          "multi_dot(): tensors {} and {} with shapes {} and {} cannot be multiplied",
          static_cast<int64_t>(i), static_cast<int64_t>(i + 1), tensors[i].shape(),
          tensors[i + 1].shape());
  }
  std::vector<std::vector<double>> cost(n, std::vector<double>(n, 0));
  std::vector<std::vector<size_t>> cut(n, std::vector<size_t>(n, 0));
  for (size_t length = 1; length < n; ++length) {
    for (size_t i = 0; i + length < n; ++i) {
      const size_t j = i + length;
      for (size_t k = i; k < j; ++k) {
        const double c = cost[i][k] + cost[k + 1][j] +
                         double(m[i]->shape[0]) * double(m[k]->shape[1]) * double(m[j]->shape[1]);
        if (k == i || c < cost[i][j]) {
          cost[i][j] = c;
          cut[i][j] = k;
        }
      }
    }
  }
  Tensor out = multiply_range(m, cut, 0, n - 1);
  if (row) out = squeeze_dims(out, Dims{0});
  if (col) out = squeeze_dims(out, Dims{-1});
  return out;
}

}  // namespace

Tensor chain_matmul(TensorList matrices) {
  for (const Tensor& m : matrices) {
    check(m.dim() == 2, "Tensor dimension is {}, expected 2 instead.", m.dim());
  }
  check(!matrices.empty(), "chain_matmul(): Expected one or more matrices");
  return matrices.size() == 1 ? matrices[0] : multi_dot(matrices);
}

void register_contractions(OpTable& ops) {
  register_einsum(ops);
  const char* outer_doc = "Returns the matrix of all products of the elements of two vectors.";
  ops.add("outer(Tensor self, Tensor vec2) -> Tensor", outer, Both | Out, outer_doc);
  ops.add("ger(Tensor self, Tensor vec2) -> Tensor", outer, Both | Out, outer_doc);
  ops.add("addr(Tensor self, Tensor vec1, Tensor vec2, *, Scalar beta=1, Scalar alpha=1) -> Tensor",
          addr, Elementwise, "Returns ``beta * self + alpha * outer(vec1, vec2)``.");
  ops.add(
      "addbmm(Tensor self, Tensor batch1, Tensor batch2, *, Scalar beta=1, Scalar alpha=1) -> "
      "Tensor",
      addbmm, Elementwise,
      "Returns ``beta * self + alpha * sum over the batch of batch1 @ batch2``.");
  ops.add("inner(Tensor self, Tensor other) -> Tensor", inner, Both | Out,
          "Returns the sums of products over the last dimensions, which must be equal.");
  ops.add("tensordot(Tensor self, Tensor other, int[] dims_self, int[] dims_other) -> Tensor",
          tensordot, Function | Out,
          "Returns the sums of products over pairs of dimensions, ``dims_self[i]`` with "
          "``dims_other[i]``.");
  ops.add("kron(Tensor self, Tensor other) -> Tensor", kron, Both | Out,
          "Returns the Kronecker product.");
  const char* power_doc =
      "Returns the n-th power of a square matrix or of a batch of them, n >= 0.";
  ops.add("matrix_power(Tensor self, int n) -> Tensor", matrix_power, Both | Out, power_doc);
  ops.add("linalg.matrix_power(Tensor self, int n) -> Tensor", matrix_power, Function | Out,
          power_doc);
  ops.add("linalg.multi_dot(Tensor[] tensors) -> Tensor", multi_dot, Function | Out,
          "Returns the product of two or more matrices in the order that needs the least work; the "
          "first may be a row vector, the last a column vector.");
}

}  // namespace d2l
