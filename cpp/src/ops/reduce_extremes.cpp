// Largest and smallest elements and their places: each op with its derivative and its row.
#include "autograd/record.h"
#include "d2lcore/ops.h"
#include "ops/reduce_parts.h"

namespace d2l {
namespace {

const char* op_name(Reduce kind, const char* max_name, const char* min_name) {
  return kind == Reduce::max ? max_name : min_name;
}

// bool is ordered as uint8.
Tensor ordered(const Tensor& t) {
  if (t.dtype() != DType::Bool) return t;
  return raw_view(t, t.shape(), t.strides(), t.offset(), DType::UInt8);
}
Tensor from_ordered(const Tensor& values, DType dtype) {
  if (values.dtype() == dtype) return values;
  Tensor out = empty(values.shape(), dtype);
  copy_into(out, values);
  return out;
}

void check_some(const char* op, const Tensor& self) {
  check(
      self.numel() > 0,
      "{}(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction "
      "dim with the 'dim' argument.",
      op);
}
void check_extent(const char* op, const Tensor& self, int64_t dim) {
  check<IndexError>(self.dim() == 0 || self.size(dim) > 0,
                    "{}(): Expected reduction dim {} to have non-zero size.", op, dim);
}

// The cotangent is shared evenly by all elements that equal the result.
Tensor share_evenly(const Tensor& g, const Tensor& x, const Tensor& y, DimSet dims, bool keepdim) {
  const Tensor top = restore_dims(y, x.shape(), dims, keepdim);
  const Tensor mask = eq(x, top);
  const Dims d = dims_of(dims);
  return div(mul(restore_dims(g, x.shape(), dims, keepdim), mask), sum(mask, IntList(d), true));
}

Tensor extreme(Reduce kind, const Tensor& self, IntList dim, bool keepdim, Dst dst) {
  const char* op = op_name(kind, "amax", "amin");
  check<NotImplementedError>(!is_complex(self.dtype()), "\"{}\" not implemented for '{}'",
                             op_name(kind, "max_values_cpu", "min_values_cpu"), self.dtype());
  const DimSet dims = dims_or_all(dim, self.dim());
  if (dim.empty()) {
    check_some(op, self);
  } else {
    for (int64_t d : dim) check_extent(op, self, wrap_dim(d, self.dim()));
  }
  if (dst) {
    check(dst.tensor().dtype() == self.dtype(),
          "Expected the dtype for input and out to match, but got {} for input's dtype and {} for "
          "out's dtype.",
          self.dtype(), dst.tensor().dtype());
  }
  const Tensor in = ordered(self);
  Tensor out = reduce(op, kind, in, dims, keepdim, in.dtype(), self.dtype(), dst);
  return record(out, op_name(kind, "AmaxBackward0", "AminBackward0"), {&self}, saved(self, result),
                [dims, keepdim](const Tensor& g, const Tensor& x, const Tensor& y) {
                  return share_evenly(g, x, y, dims, keepdim);
                });
}

// Of all elements: equal ones share the cotangent, and so do all NaN when the result is NaN.
Tensor extreme_of_all(Reduce kind, const Tensor& self) {
  check<NotImplementedError>(!is_complex(self.dtype()), "\"{}\" not implemented for '{}'",
                             op_name(kind, "max_all", "min_all"), self.dtype());
  check_some(op_name(kind, "max", "min"), self);
  const Tensor in = ordered(self);
  Tensor out = reduce(op_name(kind, "max", "min"), kind, in, all_dims(self.dim()), false,
                      in.dtype(), self.dtype());
  return record(out, op_name(kind, "MaxBackward1", "MinBackward1"), {&self}, saved(self, result),
                [](const Tensor& g, const Tensor& x, const Tensor& y) {
                  const Tensor mask = where(isnan(y), isnan(x), eq(x, y));
                  return mul(mask, div(g, sum(mask)));
                });
}

// The cotangent goes to the chosen element alone: 1 where the position along dim is the index.
Tensor to_chosen(const Tensor& g, const Tensor& index, IntList shape, int64_t dim, bool keepdim) {
  if (shape.empty()) return g;
  const DimSet dims = dim_bit(dim);
  Dims along(static_cast<int>(shape.size()), 1);
  along[dim] = shape[dim];
  const Tensor places = view(arange(Scalar(0), Scalar(shape[dim]), Scalar(1), DType::Int64), along);
  const Tensor chosen = eq(places, restore_dims(index, shape, dims, keepdim));
  return where(chosen, restore_dims(g, shape, dims, keepdim), wrap(Scalar(0)));
}

std::tuple<Tensor, Tensor> extreme_along(Reduce kind, const Tensor& self, int64_t dim,
                                         bool keepdim) {
  const char* op = op_name(kind, "max", "min");
  check(!is_complex(self.dtype()), "{}(): does not support complex input", op);
  dim = wrap_dim(dim, self.dim());
  check_extent(op, self, dim);
  const ValueIndex r = reduce_index(op, kind, ordered(self), dim, keepdim);
  const Tensor outs[2] = {from_ordered(r.values, self.dtype()), r.indices};
  record_many(outs, op_name(kind, "MaxBackward0", "MinBackward0"), {&self}, saved(r.indices),
              joint([dim, keepdim](const Node& node, const std::vector<Tensor>& g,
                                   const Tensor& index, std::vector<Tensor>& in) {
                if (!g[0].defined()) return;
                in[0] = to_chosen(g[0], index, node.input_shape(0), dim, keepdim);
              }));
  return {outs[0], outs[1]};
}

Tensor place_of_extreme(Reduce kind, const Tensor& self, OptInt dim, bool keepdim, Dst dst) {
  const char* op = op_name(kind, "argmax", "argmin");
  check(!is_complex(self.dtype()), "{}(): does not support complex input", op);
  check(self.dtype() != DType::Bool, "{}(): does not support bool input", op);
  Tensor out;
  if (dim) {
    const int64_t d = wrap_dim(*dim, self.dim());
    check_extent(op, self, d);
    out = reduce_index(op, kind, self, d, keepdim).indices;
  } else {
    check<IndexError>(self.numel() > 0,
                      "{}(): Expected reduction dim to be specified for input.numel() == 0.", op);
    GradModeGuard off(false);
    out = reduce_index(op, kind, reshape(self, Dims{-1}), 0, false).indices;
    if (keepdim) out = view(out, Dims(static_cast<int>(self.dim()), 1));
  }
  return deliver(op, dst, out);
}

Tensor argmax_row(const Tensor& self, OptInt dim, bool keepdim, Dst dst) {
  return place_of_extreme(Reduce::max, self, dim, keepdim, dst);
}
Tensor argmin_row(const Tensor& self, OptInt dim, bool keepdim, Dst dst) {
  return place_of_extreme(Reduce::min, self, dim, keepdim, dst);
}

}  // namespace

Tensor amax(const Tensor& self, IntList dim, bool keepdim, Dst dst) {
  return extreme(Reduce::max, self, dim, keepdim, dst);
}
Tensor amin(const Tensor& self, IntList dim, bool keepdim, Dst dst) {
  return extreme(Reduce::min, self, dim, keepdim, dst);
}
Tensor max(const Tensor& self) { return extreme_of_all(Reduce::max, self); }
Tensor min(const Tensor& self) { return extreme_of_all(Reduce::min, self); }
std::tuple<Tensor, Tensor> max(const Tensor& self, int64_t dim, bool keepdim) {
  return extreme_along(Reduce::max, self, dim, keepdim);
}
std::tuple<Tensor, Tensor> min(const Tensor& self, int64_t dim, bool keepdim) {
  return extreme_along(Reduce::min, self, dim, keepdim);
}
Tensor argmax(const Tensor& self, OptInt dim, bool keepdim) {
  return argmax_row(self, dim, keepdim, {});
}
Tensor argmin(const Tensor& self, OptInt dim, bool keepdim) {
  return argmin_row(self, dim, keepdim, {});
}

std::tuple<Tensor, Tensor> aminmax(const Tensor& self, OptInt dim, bool keepdim) {
  check<NotImplementedError>(!is_complex(self.dtype()), "\"aminmax_cpu\" not implemented for '{}'",
                             self.dtype());
  if (!dim) {
    check(self.numel() > 0,
          "aminmax(): cannot compute aminmax over an empty dimension as the operation has no "
          "identity.");
    return {amin(self, {}, keepdim), amax(self, {}, keepdim)};
  }
  const int64_t d = wrap_dim(*dim, self.dim());
  check<IndexError>(self.dim() == 0 || self.size(d) > 0,
                    "aminmax: Expected reduction dim {} to have non-zero size.", d);
  return {amin(self, Dims{d}, keepdim), amax(self, Dims{d}, keepdim)};
}

void register_extremes(OpTable& ops) {
  const char* amax_doc =
      "Returns the largest element over the dimensions ``dim`` (all, when empty); equal ones share "
      "the gradient.";
  ops.add("amax(Tensor self, int[1] dim=[], bool keepdim=False) -> Tensor", amax, Both | Out,
          amax_doc);
  const char* amin_doc =
      "Returns the smallest element over the dimensions ``dim`` (all, when empty); equal ones "
      "share "
      "the gradient.";
  ops.add("amin(Tensor self, int[1] dim=[], bool keepdim=False) -> Tensor", amin, Both | Out,
          amin_doc);
  using OfAll = Tensor (*)(const Tensor&);
  using Along = std::tuple<Tensor, Tensor> (*)(const Tensor&, int64_t, bool);
  const char* max_doc =
      "Returns the largest of all elements; with ``dim``, (values, indices) along it, of equal "
      "ones "
      "the first; with ``other``, the larger of two elements, broadcast.";
  ops.add("max(Tensor self) -> Tensor", static_cast<OfAll>(max), Both | Out, max_doc);
  ops.add("max(Tensor self, Tensor other) -> Tensor", maximum, Both | Out, max_doc);
  ops.add("max(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)",
          static_cast<Along>(max), Both | Out, max_doc);
  const char* min_doc =
      "Returns the smallest of all elements; with ``dim``, (values, indices) along it, of equal "
      "ones "
      "the first; with ``other``, the smaller of two elements, broadcast.";
  ops.add("min(Tensor self) -> Tensor", static_cast<OfAll>(min), Both | Out, min_doc);
  ops.add("min(Tensor self, Tensor other) -> Tensor", minimum, Both | Out, min_doc);
  ops.add("min(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)",
          static_cast<Along>(min), Both | Out, min_doc);
  ops.add("argmax(Tensor self, int? dim=None, bool keepdim=False) -> Tensor", argmax_row,
          Both | Out,
          "Returns the position (int64) of the largest element, along ``dim`` or among "
          "all elements in order; of equal ones the first.");
  ops.add("argmin(Tensor self, int? dim=None, bool keepdim=False) -> Tensor", argmin_row,
          Both | Out,
          "Returns the position (int64) of the smallest element, along ``dim`` or among "
          "all elements in order; of equal ones the first.");
  ops.add("aminmax(Tensor self, *, int? dim=None, bool keepdim=False) -> (Tensor min, Tensor max)",
          aminmax, Both | Out, "Returns the smallest and the largest element (along ``dim``).");
}

}  // namespace d2l
