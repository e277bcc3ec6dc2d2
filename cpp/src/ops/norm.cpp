// Norms: each op with its derivative (PyTorch's subgradients: 0 at 0, ties shared) and its row.
#include <cmath>

#include "autograd/record.h"
#include "d2lcore/ops.h"
#include "ops/reduce_parts.h"

namespace d2l {
namespace {

std::string text(const Scalar& p) {
  return p.is_integral() ? std::to_string(p.to_int()) : detail::to_text(p.real());
}

void check_dtypes(const char* op, const Tensor& self, OptDType dtype) {
  check(is_floating(self.dtype()) || is_complex(self.dtype()),
        "{}: Expected a floating point or complex tensor as input. Got {}", op, self.dtype());
  if (!dtype) return;
  check(is_floating(*dtype) || is_complex(*dtype),
        "{}: dtype should be floating point or complex, but got {}", op, *dtype);
  const bool wide = is_complex(self.dtype());
  check(is_complex(*dtype) == wide, "{}: dtype should be {} for {} inputs, but got {}", op,
        wide ? "complex" : "real", wide ? "complex" : "real", *dtype);
  check(promote(self.dtype(), *dtype) == *dtype,
        "{}: the dtype of the input ({}) should be convertible without narrowing to the specified "
        "dtype ({})",
        op, self.dtype(), *dtype);
}

Tensor norm_backward(const Tensor& g0, const Tensor& x, const Tensor& y0, double p, DimSet dims,
                     bool keepdim) {
  const Tensor g = restore_dims(g0, x.shape(), dims, keepdim);
  const Tensor y = restore_dims(y0, x.shape(), dims, keepdim);
  const Scalar zero(0);
  if (p == 0) return zeros_like(x);
  if (p == 1) return mul(sgn(x), g);
  if (p == 2) return mul(g, masked_fill(div(x, y), eq(y, zero), zero));
  const Tensor size = abs(x);
  if (std::isinf(p)) {
    const Tensor mask = logical_or(eq(size, y), isnan(size));
    const Dims d = dims_of(dims);
    const Tensor count = dims ? sum(mask, IntList(d), true) : mask;
    return mul(sgn(x), mul(div(g, count), mask));
  }
  if (p < 1) {
    const Tensor scaled = mul(sgn(x), masked_fill(pow(size, Scalar(p - 1)), eq(x, zero), zero));
    return mul(mul(scaled, g), pow(y, Scalar(1 - p)));
  }
  const Tensor share = masked_fill(div(g, pow(y, Scalar(p - 1))), eq(y, zero), zero);
  if (p < 2) return mul(mul(sgn(x), pow(size, Scalar(p - 1))), share);
  return mul(mul(x, pow(size, Scalar(p - 2))), share);
}

// The reduction, and the root that is taken of it.
struct Order {
  Reduce kind;
  double root = 1;
};
Order order_of(double p) {
  if (p == 0) return {Reduce::count_nonzero};
  if (p == 1) return {Reduce::sum_abs};
  if (p == 2) return {Reduce::sum_square, 0.5};
  if (std::isinf(p)) return {p > 0 ? Reduce::max_abs : Reduce::min_abs};
  return {Reduce::sum_pow, 1 / p};
}

}  // namespace

Tensor vector_norm(const Tensor& self, const Scalar& ord, OptInts dim, bool keepdim, OptDType dtype,
                   Dst dst) {
  const char* op = "linalg.vector_norm";
  check_dtypes(op, self, dtype);
  if (dtype && *dtype != self.dtype()) {
    return vector_norm(to_dtype(self, *dtype), ord, dim, keepdim, {}, dst);
  }
  const double p = ord.real();
  const DimSet dims = dims_or_all(dim, self.dim());
  if (p < 0 || std::isinf(p)) {
    const bool all = !dim || dim->empty();
    check(!all || self.numel() > 0,
          "linalg.vector_norm cannot compute the {} norm on an empty tensor because the operation "
          "does not have an identity",
          text(ord));
    for (int i = 0; i < self.dim(); ++i) {
      check(
          !(dims & dim_bit(i)) || self->shape[i] > 0,
          "linalg.vector_norm cannot compute the {} norm on the dimension {}because this dimension "
          "is empty and the operation does not have an identity",
          text(ord), i);
    }
  }
  Tensor out;
  {
    GradModeGuard off(false);
    const Tensor x = is_complex(self.dtype()) ? abs(self) : self;
    const DType type = x.dtype(), compute = is_reduced_floating(type) ? DType::Float : type;
    const Order order = order_of(p);
    if (order.root == 1 && compute == type) {
      out = reduce(op, order.kind, x, dims, keepdim, type, type, dst, p);
    } else {
      const Tensor total = reduce(op, order.kind, x, dims, keepdim, compute, compute, {}, p);
      const Dst to = dst || compute != type ? dst : Dst::inplace(total);
      if (order.root == 0.5) {
        out = map_as(op, Loop::sqrt, compute, type, to, {&total});
      } else if (order.root == 1) {
        out = deliver(op, dst, to_dtype(total, type));
      } else {
        Scalars s;
        s.f[0] = order.root;
        out = map_as(op, Loop::pow_scalar, compute, type, to, {&total}, s);
      }
    }
  }
  return record(out, "LinalgVectorNormBackward0", {&self}, saved(self, result),
                [p, dims, keepdim](const Tensor& g, const Tensor& x, const Tensor& y) {
                  return norm_backward(g, x, y, p, dims, keepdim);
                });
}

namespace {

struct Pair {
  int64_t row, col;
};
std::string listed(IntList dims) {
  std::string out;
  for (int64_t d : dims) out += (out.empty() ? "" : " ") + std::to_string(d);
  return out;
}
// The two dimensions of a matrix norm.
Pair matrix_dims(const Tensor& self, IntList dim) {
  check(self.dim() >= 2, "linalg.matrix_norm: The input tensor A must have at least 2 dimensions.");
  check(dim.size() == 2, "linalg.matrix_norm: dim must be a 2-tuple. Got {}", listed(dim));
  const Pair p{wrap_dim(dim[0], self.dim()), wrap_dim(dim[1], self.dim())};
  check(p.row != p.col, "linalg.matrix_norm: dims must be different. Got ({}, {})", dim[0], dim[1]);
  return p;
}

// The singular values of the matrices over two dimensions.
Tensor values_over(const Tensor& self, const Pair& d, OptDType dtype) {
  check(!is_reduced_floating(self.dtype()),
        "linalg.matrix_norm: Low precision dtypes not supported. Got {}", self.dtype());
  const Tensor x = dtype ? to_dtype(self, *dtype) : self;
  const int64_t from[2] = {d.row, d.col}, to[2] = {-2, -1};
  return svdvals(movedim(x, from, to));
}

// A reduction of the last dimension; with keepdim, ones where the matrix was.
template <class F>
Tensor reduced_values(const Tensor& s, const Pair& d, bool keepdim, F&& reduce_last) {
  const Tensor out = reduce_last(s);
  if (!keepdim) return out;
  const int64_t low = std::min(d.row, d.col), high = std::max(d.row, d.col);
  return unsqueeze(unsqueeze(out, low), high);
}

}  // namespace

Tensor matrix_norm(const Tensor& self, const Scalar& ord, IntList dim, bool keepdim,
                   OptDType dtype) {
  const Pair d = matrix_dims(self, dim);
  const double p = ord.real(), size = std::abs(p);
  check(size == 1 || size == 2 || std::isinf(size), "linalg.matrix_norm: Order {} not supported.",
        text(ord));
  check_dtypes("linalg.matrix_norm", self, dtype);
  if (size == 2) {
    const Tensor values = values_over(self, d, dtype);
    return reduced_values(values, d, keepdim, [p](const Tensor& s) {
      const int64_t last[1] = {-1};
      if (p > 0 && s.size(-1) == 0) return sum(s, IntList(last));
      return p > 0 ? amax(s, last) : amin(s, last);
    });
  }
  // Sums along one dimension, then the largest or smallest of them along the other.
  const int64_t along = size == 1 ? d.row : d.col;
  int64_t over = size == 1 ? d.col : d.row;
  if (!keepdim && over > along) --over;
  const int64_t sum_dim[1] = {along}, max_dim[1] = {over};
  const Tensor sums = vector_norm(self, Scalar(1.0), IntList(sum_dim), keepdim, dtype);
  // The largest of no sums is 0.
  if (p > 0 && sums.size(over) == 0) return sum(sums, IntList(max_dim), keepdim);
  return p > 0 ? amax(sums, max_dim, keepdim) : amin(sums, max_dim, keepdim);
}

Tensor matrix_norm(const Tensor& self, std::string_view ord, IntList dim, bool keepdim,
                   OptDType dtype) {
  const Pair d = matrix_dims(self, dim);
  check(ord == "fro" || ord == "nuc", "linalg.matrix_norm: Order {} not supported.", ord);
  if (ord == "nuc") {
    check_dtypes("linalg.matrix_norm", self, dtype);
    return reduced_values(values_over(self, d, dtype), d, keepdim, [](const Tensor& s) {
      const int64_t last[1] = {-1};
      return sum(s, IntList(last));
    });
  }
  const int64_t both[2] = {d.row, d.col};
  return vector_norm(self, 2, IntList(both), keepdim, dtype);
}

Tensor linalg_norm(const Tensor& self, const OptScalar& ord, OptInts dim, bool keepdim,
                   OptDType dtype) {
  check(!dim || dim->size() == 1 || dim->size() == 2,
        "linalg.norm: If dim is specified, it must be of length 1 or 2. Got {}",
        dim ? *dim : IntList());
  if (!ord) return vector_norm(self, 2, dim, keepdim, dtype);
  if (!dim) {
    check(self.dim() == 1 || self.dim() == 2,
          "linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. Got {}D.",
          self.dim());
  }
  const bool matrix = dim ? dim->size() == 2 : self.dim() == 2;
  if (!matrix) return vector_norm(self, *ord, dim, keepdim, dtype);
  const int64_t last[2] = {0, 1};
  return matrix_norm(self, *ord, dim ? *dim : IntList(last), keepdim, dtype);
}

Tensor norm(const Tensor& self, const OptScalar& p, OptInts dim, bool keepdim, OptDType dtype) {
  return vector_norm(self, p ? *p : Scalar(2), dim, keepdim, dtype);
}

Tensor vecdot(const Tensor& x, const Tensor& y, int64_t dim) {
  check(is_floating(x.dtype()) || is_complex(x.dtype()),
        "linalg.vecdot: Expected a floating point or complex tensor as input. Got {}", x.dtype());
  check(x.dtype() == y.dtype(),
        "linalg.vecdot: Expected x and y to have the same dtype, but found x of type {} and y of "
        "type {} instead",
        x.dtype(), y.dtype());
  const int64_t d[1] = {dim};
  return sum(mul(conj(x), y), IntList(d));
}

Tensor dist(const Tensor& self, const Tensor& other, const Scalar& p) {
  const DType type = result_type(self, other);
  check(is_floating(type) || is_complex(type),
        "norm(): input dtype should be either floating point or complex. Got {} instead.", type);
  return vector_norm(sub(self, other), p);
}

Tensor normalize(const Tensor& self, double p, IntList dim, double eps) {
  const Tensor length = clamp(vector_norm(self, Scalar(p), dim, true), Scalar(eps), {});
  return div(self, length);
}

namespace {

// max(norm, eps), with the gradient of the norm itself, as in PyTorch.
Tensor length_of(const Tensor& x, int64_t dim, double eps) {
  const int64_t dims[1] = {dim};
  const Tensor length = vector_norm(x, Scalar(2), IntList(dims), true);
  Tensor out;
  {
    GradModeGuard off(false);
    out = clamp(length, Scalar(eps), {});
  }
  return record(out, "CloneBackward0", {&length}, saved(), [](const Tensor& g) { return g; });
}

}  // namespace

Tensor cosine_similarity(const Tensor& x1, const Tensor& x2, int64_t dim, double eps) {
  const DType type = result_type(x1, x2);
  check(is_floating(type) || is_complex(type),
        "expected common dtype to be floating point, yet common dtype is {}", type);
  const Dims shape = broadcast_shapes(x1.shape(), x2.shape());
  const Tensor a = to_dtype(expand(x1, shape), type), b = to_dtype(expand(x2, shape), type);
  const int64_t dims[1] = {dim};
  return sum(mul(div(a, length_of(a, dim, eps)), div(b, length_of(b, dim, eps))), IntList(dims));
}

Tensor renorm(const Tensor& self, const Scalar& p, int64_t dim, const Scalar& maxnorm) {
  check(p.real() > 0, "renorm: non-positive-norm not supported");
  check(maxnorm.real() >= 0, "renorm: expected maxnorm to be >= 0 but got {}", maxnorm.real());
  check(self.dim() > 1, "renorm: input needs at least 2 dimensions, got {} dimensions", self.dim());
  const Dims others = dims_of(all_dims(self.dim()) & ~dim_bit(wrap_dim(dim, self.dim())));
  const Tensor length = vector_norm(self, p, IntList(others), true);
  const Tensor factor = div(wrap(maxnorm), add(length, Scalar(1e-7)));
  return mul(self, where(gt(length, maxnorm), factor, wrap(Scalar(1.0))));
}

namespace {

Tensor norm_named(const Tensor& self, std::string_view p, OptInts dim, bool keepdim,
                  OptDType dtype) {
  if (p == "fro") return vector_norm(self, 2, dim, keepdim, dtype);
  check(p == "nuc", "linalg.matrix_norm: Order {} not supported.", p);
  Dims all(static_cast<int>(self.dim()), 0);
  for (int i = 0; i < all.size(); ++i) all[i] = i;
  return matrix_norm(self, p, dim ? *dim : IntList(all), keepdim, dtype);
}
Tensor norm_number(const Tensor& self, OptScalar p, OptInts dim, bool keepdim, OptDType dtype) {
  return norm(self, p, dim, keepdim, dtype);
}
Tensor linalg_norm_number(const Tensor& self, OptScalar ord, OptInts dim, bool keepdim,
                          OptDType dtype) {
  return linalg_norm(self, ord, dim, keepdim, dtype);
}
Tensor linalg_norm_named(const Tensor& self, std::string_view ord, OptInts dim, bool keepdim,
                         OptDType dtype) {
  check(!dim || dim->size() == 1 || dim->size() == 2,
        "linalg.norm: If dim is specified, it must be of length 1 or 2. Got {}",
        dim ? *dim : IntList());
  if (!dim) {
    check(self.dim() == 1 || self.dim() == 2,
          "linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. Got {}D.",
          self.dim());
  }
  const int64_t last[2] = {0, 1};
  return matrix_norm(self, ord, dim ? *dim : IntList(last), keepdim, dtype);
}
Tensor matrix_norm_number(const Tensor& self, const Scalar& ord, IntList dim, bool keepdim,
                          OptDType dtype) {
  return matrix_norm(self, ord, dim, keepdim, dtype);
}
Tensor matrix_norm_named(const Tensor& self, std::string_view ord, IntList dim, bool keepdim,
                         OptDType dtype) {
  return matrix_norm(self, ord, dim, keepdim, dtype);
}
Tensor nn_normalize(const Tensor& x, double p, IntList dim, double eps) {
  return normalize(x, p, dim, eps);
}

}  // namespace

void register_norm(OpTable& ops) {
  for (const char* name : {"cosine_similarity", "nn.cosine_similarity"}) {
    ops.add(
        (std::string(name) + "(Tensor x1, Tensor x2, int dim=1, float eps=1e-8) -> Tensor").c_str(),
        cosine_similarity, Function,
        "Returns ``sum(x1 * x2) / (max(|x1|, eps) * max(|x2|, eps))`` along ``dim``.");
  }
  const char* norm_doc =
      "Returns the vector norm of order ``p`` over ``dim`` (all elements, by default): 'fro' and 2 "
      "are the Euclidean norm, 1 the sum of absolute values, inf the largest of them.";
  ops.add(
      "norm(Tensor self, str p='fro', int[1]? dim=None, bool keepdim=False, ScalarType? "
      "dtype=None) "
      "-> Tensor",
      norm_named, Both | Out, norm_doc);
  ops.add(
      "norm(Tensor self, Scalar? p, int[1]? dim=None, bool keepdim=False, ScalarType? dtype=None) "
      "-> "
      "Tensor",
      norm_number, Both | Out, norm_doc);
  const char* linalg_doc =
      "Returns a vector norm (1-D input, or one ``dim``) or a matrix norm (2-D input, or two): "
      "``ord`` 'fro', inf, -inf, 1, -1, for vectors any number. Without ``ord`` the 2-norm of all "
      "elements.";
  ops.add(
      "linalg.norm(Tensor A, Scalar? ord=None, int[1]? dim=None, bool keepdim=False, *, "
      "ScalarType? "
      "dtype=None) -> Tensor",
      linalg_norm_number, Function | Out, linalg_doc);
  ops.add(
      "linalg.norm(Tensor A, str ord, int[1]? dim=None, bool keepdim=False, *, ScalarType? "
      "dtype=None) -> Tensor",
      linalg_norm_named, Function | Out, linalg_doc);
  ops.add(
      "linalg.vector_norm(Tensor x, Scalar ord=2, int[1]? dim=None, bool keepdim=False, *, "
      "ScalarType? dtype=None) -> Tensor",
      vector_norm, Function | Out,
      "Returns ``sum(|x| ** ord) ** (1 / ord)`` over ``dim``; inf and -inf give the largest and "
      "the "
      "smallest absolute value, 0 the number of elements that are not 0.");
  const char* matrix_doc =
      "Returns a matrix norm over the two dimensions ``dim``: 'fro' the Euclidean norm, 1 and -1 "
      "the "
      "largest and smallest column sum of absolute values, inf and -inf the same of rows, 2 and -2 "
      "the largest and smallest singular value, 'nuc' their sum.";
  ops.add(
      "linalg.matrix_norm(Tensor A, str ord='fro', int[] dim=[-2, -1], bool keepdim=False, *, "
      "ScalarType? dtype=None) -> Tensor",
      matrix_norm_named, Function | Out, matrix_doc);
  ops.add(
      "linalg.matrix_norm(Tensor A, Scalar ord, int[] dim=[-2, -1], bool keepdim=False, *, "
      "ScalarType? dtype=None) -> Tensor",
      matrix_norm_number, Function | Out, matrix_doc);
  ops.add("linalg.vecdot(Tensor x, Tensor y, *, int dim=-1) -> Tensor", vecdot, Function | Out,
          "Returns the dot products along ``dim`` of two broadcast tensors; x is conjugated.");
  ops.add("dist(Tensor self, Tensor other, Scalar p=2) -> Tensor", dist, Both | Out,
          "Returns the vector norm of order ``p`` of ``self - other``.");
  ops.add("nn.normalize(Tensor input, float p=2.0, int[1] dim=1, float eps=1e-12) -> Tensor",
          nn_normalize, Function | Out,
          "Returns ``input / max(norm, eps)`` with the vector norms of order ``p`` along ``dim``.");
  ops.add(
      "renorm(Tensor self, Scalar p, int dim, Scalar maxnorm) -> Tensor", renorm,
      Both | Inplace | Out,
      "Scales each slice along ``dim`` whose norm of order ``p`` exceeds ``maxnorm`` down to it.");
}

}  // namespace d2l
