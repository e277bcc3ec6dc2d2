// as_strided and unfold, whose elements may overlap, and writing through a view.
//
// One idea: a geometry is a linear map from a storage to a tensor. Reading at `to` after adding up
// at `from` (restride) is what all of these and their derivatives are made of.
#include "ops/view_parts.h"

namespace d2l {
namespace {

// Elements from the start of the storage to the last one that g reaches.
int64_t reach(const Geometry& g) {
  int64_t last = 0;
  for (int64_t i = 0; i < g.shape.size(); ++i) {
    if (g.shape[i] == 0) return 0;
    last += (g.shape[i] - 1) * g.strides[i];
  }
  return g.offset + last + 1;
}

// Adds x to buffer at g; elements that overlap are summed in order.
void add_at(const Tensor& buffer, const Geometry& g, const Tensor& x) {
  if (x.numel() == 0) return;
  const Tensor place = raw_view(buffer, g.shape, g.strides, g.offset);
  if (!detail::may_overlap_itself(g.shape, g.strides)) {
    copy_into(place, x);
    return;
  }
  const Tensor all = arange(0, buffer.numel(), 1, DType::Int64);
  const Tensor where[] = {contiguous(raw_view(all, g.shape, g.strides, g.offset))};
  index_put_into(buffer, where, x, true);
}

}  // namespace

Tensor restride(const Tensor& x, const Geometry& from, const Geometry& to, bool input_is_from) {
  Tensor out;
  {
    GradModeGuard off(false);
    const int64_t n = std::max(reach(from), reach(to));
    const Geometry& input = input_is_from ? from : to;
    Tensor buffer = zeros(Dims{n}, x.dtype());
    add_at(buffer, from, x);
    if (detail::may_overlap_itself(input.shape, input.strides)) {
      const Tensor count = zeros(Dims{n}, x.dtype());
      add_at(count, input, ones(input.shape, x.dtype()));
      buffer = div(buffer, masked_fill(count, eq(count, wrap(Scalar(0))), wrap(Scalar(1))));
    }
    out = empty(to.shape, x.dtype());
    copy_into(out, raw_view(buffer, to.shape, to.strides, to.offset));
  }
  return record(
      out, "AsStridedBackwardBackward0", {&x}, saved(),
      [from, to, input_is_from](const Tensor& g) { return restride(g, to, from, !input_is_from); });
}

Tensor as_strided(const Tensor& self, IntList size, IntList stride, OptInt storage_offset) {
  check(size.size() == stride.size(), "mismatch in length of strides and shape");
  Tensor out = make_view(self, size, stride, storage_offset.value_or(self.offset()));
  if (!GradMode::enabled() || !needs_grad(self)) return out;
  const Geometry view = geometry_of(out), input = geometry_of(self);
  return record(out, "AsStridedBackward0", {&self}, saved(),
                [view, input](const Tensor& g) { return restride(g, view, input, false); });
}

Tensor unfold(const Tensor& self, int64_t dimension, int64_t size, int64_t step) {
  const int64_t at = wrap_dim(dimension, self.dim());
  check(size >= 0, "size is {} but must be >= 0", size);
  check(step > 0, "step is {} but must be > 0", step);
  const int64_t extent = self.dim() ? self->shape[at] : 1;
  check(size <= extent, "maximum size for tensor at dimension {} is {} but size is {}", at, extent,
        size);
  auto windows = [at, size, step](IntList shape, IntList strides) {
    Geometry g{Dims(shape), Dims(strides), 0};
    if (shape.empty()) {
      g.shape.push_back(size);
      g.strides.push_back(1);
      return g;
    }
    g.shape[at] = (shape[at] - size) / step + 1;
    g.shape.push_back(size);
    g.strides.push_back(strides[at]);
    if (g.shape[at] > 1) g.strides[at] *= step;
    return g;
  };
  const Geometry g = windows(self.shape(), self.strides());
  return record(make_view(self, g.shape, g.strides, self.offset()), "UnfoldBackward0", {&self},
                saved(), [windows](const Node& node, const Tensor& cotangent) {
                  const IntList shape = node.input_shape(0);
                  const Dims strides = contiguous_strides(shape);
                  return restride(cotangent, windows(shape, strides), {Dims(shape), strides, 0},
                                  false);
                });
}

namespace {

// g, of base's shape, with zeros where the view looks.
Tensor zero_at(const Tensor& g, const Geometry& base, const Geometry& view) {
  Tensor out;
  {
    const int64_t n = std::max(reach(base), reach(view));
    Tensor buffer = empty(Dims{n}, g.dtype());
    out = raw_view(buffer, base.shape, base.strides, base.offset);
    const bool overlaps = detail::may_overlap_itself(base.shape, base.strides);
    copy_into(out, g);
    fill_into(raw_view(buffer, view.shape, view.strides, view.offset), Scalar(0));
    if (overlaps) {
      Tensor copy = empty(base.shape, g.dtype());
      copy_into(copy, out);
      out = copy;
    }
  }
  return record(out, "AsStridedScatterBackwardBackward0", {&g}, saved(),
                [base, view](const Tensor& gg) { return zero_at(gg, base, view); });
}

}  // namespace

Tensor as_strided_scatter_history(const Tensor& base, const Tensor& written, IntList shape,
                                  IntList strides, int64_t offset) {
  Tensor out = raw_view(base, base.shape(), base.strides(), base.offset());
  Geometry from = geometry_of(base), to{Dims(shape), Dims(strides), offset};
  // Relative to the first element that either reaches, so that no buffer is larger than it must be.
  const int64_t first = std::min(from.offset, to.offset);
  from.offset -= first;
  to.offset -= first;
  return record(
      out, "CopySlices", {&base, &written}, saved(),
      [from, to](const Tensor& g) { return zero_at(g, from, to); },
      [from, to](const Tensor& g) {
        if (from.offset == 0 && detail::is_contiguous(from.shape, from.strides) &&
            reach(to) <= reach(from)) {
          const Tensor dense = contiguous(g);
          return as_strided(dense, to.shape, to.strides, dense.offset() + to.offset);
        }
        return restride(g, from, to, true);
      });
}

namespace {

Tensor as_strided_(const Tensor& self, IntList size, IntList stride, OptInt storage_offset) {
  const Tensor v = as_strided(self, size, stride, storage_offset);
  return take_geometry(self, v);
}

}  // namespace

void register_view_strided(OpTable& ops) {
  ops.add("as_strided(Tensor self, int[] size, int[] stride, int? storage_offset=None) -> Tensor",
          as_strided, Both,
          "Returns a view of self's storage with any size and strides, in elements.\n"
          "RuntimeError when an element lies outside of the storage.");
  ops.add("as_strided_(Tensor self, int[] size, int[] stride, int? storage_offset=None) -> Tensor",
          as_strided_, Method | Function, "Gives ``self`` itself another size and strides.");
  ops.add(
      "unfold(Tensor self, int dimension, int size, int step) -> Tensor", unfold, Method,
      "Returns the view of all windows of ``size`` elements along ``dimension``, ``step`` apart, "
      "as a new last dimension.");
}

}  // namespace d2l
