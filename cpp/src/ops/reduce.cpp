// Sums, means, products and counts: each op with its derivative and its row.
#include <array>

#include "autograd/record.h"
#include "core/total.h"
#include "d2lcore/ops.h"
#include "ops/reduce_parts.h"

namespace d2l {

Tensor restore_dims(const Tensor& g, IntList shape, DimSet dims, bool keepdim) {
  if (keepdim || dims == 0 || g.dim() == static_cast<int64_t>(shape.size())) return g;
  return view(g, reduced_shape(shape, dims, true));
}

namespace {

DType sum_dtype(const Tensor& self, OptDType dtype) {
  if (dtype) return *dtype;
  return is_integral_or_bool(self.dtype()) ? DType::Int64 : self.dtype();
}

// t /= n, for a new and contiguous t.
void divide_in_place(const Tensor& t, double n) {
  if (t.numel() == 0) return;
  alignas(16) char number[16];
  store_scalar(number, t.dtype(), Scalar(n));
  char* const ptr[3] = {t.data(), t.data(), number};
  const int64_t strides[6] = {t.item_bytes(), t.item_bytes(), 0, 0, 0, 0};
  const Scalars none;
  kernels().map[static_cast<int>(Loop::div)][static_cast<int>(t.dtype())](ptr, strides, t.numel(),
                                                                          1, &none);
}

// Every element of the input gets the cotangent of its sum.
struct SumFormula {
  DimSet dims;
  bool keepdim;
  Tensor operator()(const Node& node, const Tensor& g) const {
    return expand(restore_dims(g, node.input_shape(0), dims, keepdim), node.input_shape(0));
  }
};

}  // namespace

Tensor sum(const Tensor& self, OptInts dim, bool keepdim, OptDType dtype, Dst dst) {
  const DType type = dst && !dtype ? dst.tensor().dtype() : sum_dtype(self, dtype);
  const DimSet dims = dims_or_all(dim, self.dim());
  Tensor out = reduce("sum", Reduce::sum, self, dims, keepdim, type, type, dst);
  return record(out, dim ? "SumBackward1" : "SumBackward0", {&self}, saved(),
                SumFormula{dims, keepdim});
}

Tensor mean(const Tensor& self, OptInts dim, bool keepdim, OptDType dtype, Dst dst) {
  const DType type = dtype.value_or(self.dtype());
  check(!is_integral_or_bool(type),
        "mean(): could not infer output dtype. {} dtype must be either a floating point or complex "
        "dtype. Got: {}",
        dtype ? "Optional" : "Input", type);
  const DimSet dims = dims_or_all(dim, self.dim());
  const DType compute = is_reduced_floating(type) ? DType::Float : type;
  const Tensor total = reduce("mean", Reduce::sum, self, dims, keepdim, compute, compute);
  const double n = static_cast<double>(reduced_numel(self.shape(), dims));
  Tensor out = total;
  if (dst || compute != type) {
    const Tensor count = scalar_tensor(Scalar(n), compute, true);
    out = map_as("mean", Loop::div, compute, type, dst, {&total, &count});
  } else {
    divide_in_place(total, n);
  }
  return record(out, dim ? "MeanBackward1" : "MeanBackward0", {&self}, saved(),
                [dims, keepdim, n](const Node& node, const Tensor& g) {
                  const Tensor each = restore_dims(g, node.input_shape(0), dims, keepdim);
                  return expand(div(each, Scalar(n)), node.input_shape(0));
                });
}

Tensor nansum(const Tensor& self, OptInts dim, bool keepdim, OptDType dtype, Dst dst) {
  check(!is_complex(self.dtype()), "nansum on CPU does not support complex inputs");
  if (is_integral_or_bool(self.dtype())) return sum(self, dim, keepdim, dtype, dst);
  const DimSet dims = dims_or_all(dim, self.dim());
  Tensor out;
  {
    GradModeGuard off(false);
    const Tensor filled = masked_fill(self, isnan(self), wrap(Scalar(0)));
    out = sum(filled, dim, keepdim, dtype, dst);
  }
  return record(out, "NansumBackward0", {&self}, saved(self),
                [dims, keepdim](const Tensor& g, const Tensor& x) {
                  return mul(restore_dims(g, x.shape(), dims, keepdim), logical_not(isnan(x)));
                });
}

Tensor nanmean(const Tensor& self, OptInts dim, bool keepdim, OptDType dtype) {
  check(!is_integral_or_bool(self.dtype()),
        "nanmean(): expected input to have floating point or complex dtype but got {}",
        self.dtype());
  const Tensor count = sum(logical_not(isnan(self)), dim, keepdim);
  return div(nansum(self, dim, keepdim, dtype), count);
}

namespace {

// For each element the product of the others along dim: products of all before and of all after it,
// each by doubling steps, so that it is right with zeros and can be differentiated again.
Tensor product_of_others(const Tensor& x, int64_t dim) {
  const int64_t n = x.size(dim);
  const Tensor one = ones_like(narrow(x, dim, 0, 1));
  auto join = [dim](const Tensor& a, const Tensor& b) {
    const std::array<Tensor, 2> parts{a, b};
    return cat(parts, dim);
  };
  Tensor before = join(one, narrow(x, dim, 0, n - 1));
  Tensor after = join(narrow(x, dim, 1, n - 1), one);
  for (int64_t s = 1; s < n; s *= 2) {
    before = join(narrow(before, dim, 0, s),
                  mul(narrow(before, dim, s, n - s), narrow(before, dim, 0, n - s)));
    after = join(mul(narrow(after, dim, 0, n - s), narrow(after, dim, s, n - s)),
                 narrow(after, dim, n - s, s));
  }
  return mul(before, after);
}

// y = prod(x): g y / x where that is right, else from the products of the others.
Tensor prod_backward(const Tensor& g, const Tensor& x, const Tensor& y, OptInt dim, bool keepdim) {
  if (x.dim() == 0) return g;
  if (x.numel() == 0) {
    const DimSet dims = dim ? dim_bit(*dim) : all_dims(x.dim());
    return mul(restore_dims(g, x.shape(), dims, keepdim), x);
  }
  if (!GradMode::enabled() && !any(eq(x, Scalar(0))).data_as<bool>()[0]) {
    const DimSet dims = dim ? dim_bit(*dim) : all_dims(x.dim());
    return div(restore_dims(mul(g, conj(y)), x.shape(), dims, keepdim), conj(x));
  }
  if (!dim) {
    const Tensor others = product_of_others(reshape(x, Dims{-1}), 0);
    return mul(g, conj(view(others, x.shape())));
  }
  return mul(restore_dims(g, x.shape(), dim_bit(*dim), keepdim), conj(product_of_others(x, *dim)));
}

}  // namespace

Tensor prod(const Tensor& self, OptInt dim, bool keepdim, OptDType dtype, Dst dst) {
  const DType type = dst && !dtype ? dst.tensor().dtype() : sum_dtype(self, dtype);
  if (dim) dim = wrap_dim(*dim, self.dim());
  const DimSet dims = self.dim() == 0 ? 0 : dim ? dim_bit(*dim) : all_dims(self.dim());
  Tensor out = reduce("prod", Reduce::prod, self, dims, keepdim, type, type, dst);
  return record(out, dim ? "ProdBackward1" : "ProdBackward0", {&self}, saved(self, result),
                [dim, keepdim](const Tensor& g, const Tensor& x, const Tensor& y) {
                  return prod_backward(g, x, y, dim, keepdim);
                });
}

namespace {

// any and all give bool, and uint8 for uint8.
Tensor truth(const char* op, Reduce kind, const Tensor& self, OptInts dim, bool keepdim, Dst dst) {
  const DType type = self.dtype() == DType::UInt8 ? DType::UInt8 : DType::Bool;
  // Unlike elsewhere, an empty list names no dimension.
  const DimSet dims = dim ? dim_set(*dim, self.dim()) : all_dims(self.dim());
  if (dst) {
    check(dst.tensor().dtype() == DType::Bool || dst.tensor().dtype() == DType::UInt8,
          "{} only supports bool tensor for result, got: {}", op, dst.tensor().dtype());
  }
  return reduce(op, kind, self, dims, keepdim, self.dtype(), type, dst);
}

}  // namespace

Tensor any(const Tensor& self, OptInts dim, bool keepdim, Dst dst) {
  return truth("any", Reduce::any, self, dim, keepdim, dst);
}
Tensor all(const Tensor& self, OptInts dim, bool keepdim, Dst dst) {
  return truth("all", Reduce::all, self, dim, keepdim, dst);
}

Tensor count_nonzero(const Tensor& self, OptInts dim) {
  const DimSet dims = dims_or_all(dim, self.dim());
  const Tensor flags = self.dtype() == DType::Bool ? self : ne(self, wrap(Scalar(0)));
  return reduce("count_nonzero", Reduce::sum, flags, dims, false, DType::Int64, DType::Int64);
}

namespace {

Tensor sum_all(const Tensor& self, OptDType dtype) { return sum(self, {}, false, dtype); }
Tensor mean_all(const Tensor& self, OptDType dtype) { return mean(self, {}, false, dtype); }
Tensor prod_all(const Tensor& self, OptDType dtype) { return prod(self, {}, false, dtype); }
Tensor prod_dim(const Tensor& self, int64_t dim, bool keepdim, OptDType dtype, Dst dst) {
  return prod(self, dim, keepdim, dtype, dst);
}

}  // namespace

void register_reduce(OpTable& ops) {
  const char* sum_doc =
      "Returns the sum of all elements, or over the dimensions ``dim``. Integers add up in int64; "
      "``dtype`` is applied before adding.";
  ops.add("sum(Tensor self, *, ScalarType? dtype=None) -> Tensor", sum_all, Both, sum_doc);
  ops.add("sum(Tensor self, int[1]? dim, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor",
          sum, Both | Out, sum_doc);
  const char* mean_doc =
      "Returns the mean of all elements, or over the dimensions ``dim``; floating and complex "
      "dtypes "
      "only (``dtype`` converts first).";
  ops.add("mean(Tensor self, *, ScalarType? dtype=None) -> Tensor", mean_all, Both | Out, mean_doc);
  ops.add("mean(Tensor self, int[1]? dim, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor",
          mean, Both | Out, mean_doc);
  ops.add(
      "nansum(Tensor self, int[1]? dim=None, bool keepdim=False, *, ScalarType? dtype=None) -> "
      "Tensor",
      nansum, Both | Out, "Returns the sum over ``dim``, NaN counted as zero.");
  ops.add(
      "nanmean(Tensor self, int[1]? dim=None, bool keepdim=False, *, ScalarType? dtype=None) -> "
      "Tensor",
      nanmean, Both | Out, "Returns the mean over ``dim`` of the elements that are not NaN.");
  const char* prod_doc =
      "Returns the product of all elements, or along ``dim``. Integers multiply in int64.";
  ops.add("prod(Tensor self, *, ScalarType? dtype=None) -> Tensor", prod_all, Both, prod_doc);
  ops.add("prod(Tensor self, int dim, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor",
          prod_dim, Both | Out, prod_doc);
  ops.add("any(Tensor self, int[1]? dim=None, bool keepdim=False) -> Tensor", any, Both | Out,
          "Returns whether any element (along ``dim``) is not zero: bool, or uint8 for uint8.");
  ops.add("all(Tensor self, int[1]? dim=None, bool keepdim=False) -> Tensor", all, Both | Out,
          "Returns whether no element (along ``dim``) is zero: bool, or uint8 for uint8.");
  ops.add("count_nonzero(Tensor self, int[1]? dim=None) -> Tensor", count_nonzero, Both | Out,
          "Returns how many elements (along ``dim``) are not zero, as int64.");
  register_extremes(ops);
  register_moments(ops);
}

}  // namespace d2l
