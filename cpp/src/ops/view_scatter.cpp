// Views written to and views copied: self with another tensor in the place of a view
// (select_scatter, ...), and each view as a tensor of its own (select_copy, ...).
#include "autograd/record.h"
#include "d2lcore/ops.h"
#include "iter/map.h"
#include "ops/register.h"
#include "ops/view_parts.h"

namespace d2l {
namespace {

enum class Part : uint8_t { Select, Slice, Diagonal, Strided };
constexpr const char* kNodes[] = {"SelectScatterBackward0", "SliceScatterBackward0",
                                  "DiagonalScatterBackward0", "AsStridedScatterBackward0"};

// self's values, src in the place of the view that `look` takes of them. Derivatives: zeros there,
// and the view of the cotangent.
template <class Look>
Tensor embedded(Part part, const Tensor& self, const Tensor& src, Look look) {
  Tensor out;
  {
    GradModeGuard off(false);
    out = empty_as(self, self.dtype());
    copy_into(out, self);
    const Tensor place = look(out);
    check(equal(place.shape(), src.shape()),
          "expected src to have a size equal to the slice of self. src size = {}, slice size = {}",
          src.shape(), place.shape());
    copy_into(place, src);
  }
  return record(
      out, kNodes[static_cast<int>(part)], {&self, &src}, saved(),
      [part, look](const Tensor& g) { return embedded(part, g, zeros_like(look(g)), look); },
      [look](const Tensor& g) { return look(g); });
}

}  // namespace

Tensor select_scatter(const Tensor& self, const Tensor& src, int64_t dim, int64_t index) {
  return embedded(Part::Select, self, src,
                  [dim, index](const Tensor& t) { return select(t, dim, index); });
}
Tensor slice_scatter(const Tensor& self, const Tensor& src, int64_t dim, OptInt start, OptInt end,
                     int64_t step) {
  check(step > 0, "slice step must be positive");
  return embedded(Part::Slice, self, src, [dim, start, end, step](const Tensor& t) {
    return slice(t, dim, start, end, step);
  });
}
Tensor diagonal_scatter(const Tensor& self, const Tensor& src, int64_t offset, int64_t dim1,
                        int64_t dim2) {
  return embedded(Part::Diagonal, self, src, [offset, dim1, dim2](const Tensor& t) {
    return diagonal(t, offset, dim1, dim2);
  });
}
Tensor as_strided_scatter(const Tensor& self, const Tensor& src, IntList size, IntList stride,
                          OptInt storage_offset) {
  const Dims shape(size), strides(stride);
  return embedded(Part::Strided, contiguous(self), src,
                  [shape, strides, storage_offset](const Tensor& t) {
                    return as_strided(contiguous(t), shape, strides, storage_offset);
                  });
}

namespace {

Tensor copied(const Tensor& view) { return clone(view); }
std::vector<Tensor> copied(const std::vector<Tensor>& views) {
  std::vector<Tensor> out;
  for (const Tensor& v : views) out.push_back(clone(v));
  return out;
}

Tensor alias_copy(const Tensor& self) { return copied(self); }
Tensor as_strided_copy(const Tensor& self, IntList size, IntList stride, OptInt offset) {
  return copied(as_strided(self, size, stride, offset));
}
Tensor diagonal_copy(const Tensor& self, int64_t offset, int64_t dim1, int64_t dim2) {
  return copied(diagonal(self, offset, dim1, dim2));
}
Tensor expand_copy(const Tensor& self, IntList size, Ignored) { return copied(expand(self, size)); }
Tensor permute_copy(const Tensor& self, IntList dims) { return copied(permute(self, dims)); }
Tensor select_copy(const Tensor& self, int64_t dim, int64_t index) {
  return copied(select(self, dim, index));
}
Tensor slice_copy(const Tensor& self, int64_t dim, OptInt start, OptInt end, int64_t step) {
  check(step > 0, "slice step must be positive");
  return copied(slice(self, dim, start, end, step));
}
std::vector<Tensor> split_copy(const Tensor& self, int64_t split_size, int64_t dim) {
  return copied(split(self, split_size, dim));
}
std::vector<Tensor> split_with_sizes_copy(const Tensor& self, IntList sizes, int64_t dim) {
  return copied(split_with_sizes(self, sizes, dim));
}
Tensor squeeze_copy(const Tensor& self) { return copied(squeeze(self)); }
Tensor squeeze_dims_copy(const Tensor& self, IntList dim) {
  return copied(squeeze_dims(self, dim));
}
Tensor t_copy(const Tensor& self) { return copied(t(self)); }
Tensor transpose_copy(const Tensor& self, int64_t dim0, int64_t dim1) {
  return copied(transpose(self, dim0, dim1));
}
std::vector<Tensor> unbind_copy(const Tensor& self, int64_t dim) {
  return copied(unbind(self, dim));
}
Tensor unfold_copy(const Tensor& self, int64_t dimension, int64_t size, int64_t step) {
  return copied(unfold(self, dimension, size, step));
}
Tensor unsqueeze_copy(const Tensor& self, int64_t dim) { return copied(unsqueeze(self, dim)); }
Tensor view_copy(const Tensor& self, IntList size) { return copied(reshape(self, size)); }
Tensor view_dtype_copy(const Tensor& self, DType dtype) { return copied(view_dtype(self, dtype)); }
Tensor detach_copy(const Tensor& self) { return clone(detach(self)); }

}  // namespace

void register_view_scatter(OpTable& ops) {
  ops.add("select_scatter(Tensor self, Tensor src, int dim, int index) -> Tensor", select_scatter,
          Both | Out, "Returns ``self`` with ``src`` in the place of ``self.select(dim, index)``.");
  ops.add(
      "slice_scatter(Tensor self, Tensor src, int dim=0, int? start=None, int? end=None, "
      "int step=1) -> Tensor",
      slice_scatter, Both | Out,
      "Returns ``self`` with ``src`` in the place of ``self[start:end:step]`` along ``dim``.");
  ops.add(
      "diagonal_scatter(Tensor self, Tensor src, int offset=0, int dim1=0, int dim2=1) -> Tensor",
      diagonal_scatter, Both | Out,
      "Returns ``self`` with ``src`` in the place of ``self.diagonal(offset, dim1, dim2)``.");
  ops.add(
      "as_strided_scatter(Tensor self, Tensor src, int[] size, int[] stride, "
      "int? storage_offset=None) -> Tensor",
      as_strided_scatter, Both | Out,
      "Returns ``self`` with ``src`` in the place of ``self.as_strided(size, stride)``.");
  const char* doc = "Returns the view of the same name as a new tensor.";
  constexpr uint32_t kCopy = Function | Out;
  ops.add("alias_copy(Tensor self) -> Tensor", alias_copy, kCopy, doc);
  ops.add(
      "as_strided_copy(Tensor self, int[] size, int[] stride, int? storage_offset=None) -> Tensor",
      as_strided_copy, kCopy, doc);
  ops.add("detach_copy(Tensor self) -> Tensor", detach_copy, kCopy, doc);
  ops.add("diagonal_copy(Tensor self, int offset=0, int dim1=0, int dim2=1) -> Tensor",
          diagonal_copy, kCopy, doc);
  ops.add("expand_copy(Tensor self, int[] size, *, bool implicit=False) -> Tensor", expand_copy,
          kCopy, doc);
  ops.add("permute_copy(Tensor self, int[] dims) -> Tensor", permute_copy, kCopy, doc);
  ops.add("select_copy(Tensor self, int dim, int index) -> Tensor", select_copy, kCopy, doc);
  ops.add(
      "slice_copy(Tensor self, int dim=0, int? start=None, int? end=None, int step=1) -> Tensor",
      slice_copy, kCopy, doc);
  ops.add("split_copy(Tensor self, int split_size, int dim=0) -> Tensor[]", split_copy, kCopy, doc);
  ops.add("split_with_sizes_copy(Tensor self, int[] split_sizes, int dim=0) -> Tensor[]",
          split_with_sizes_copy, kCopy, doc);
  ops.add("squeeze_copy(Tensor self) -> Tensor", squeeze_copy, kCopy, doc);
  ops.add("squeeze_copy(Tensor self, int[1] dim) -> Tensor", squeeze_dims_copy, kCopy, doc);
  ops.add("t_copy(Tensor self) -> Tensor", t_copy, kCopy, doc);
  ops.add("transpose_copy(Tensor self, int dim0, int dim1) -> Tensor", transpose_copy, kCopy, doc);
  ops.add("unbind_copy(Tensor self, int dim=0) -> Tensor[]", unbind_copy, kCopy, doc);
  ops.add("unfold_copy(Tensor self, int dimension, int size, int step) -> Tensor", unfold_copy,
          kCopy, doc);
  ops.add("unsqueeze_copy(Tensor self, int dim) -> Tensor", unsqueeze_copy, kCopy, doc);
  ops.add("view_copy(Tensor self, int[] size) -> Tensor", view_copy, kCopy, doc);
  ops.add("view_copy(Tensor self, ScalarType dtype) -> Tensor", view_dtype_copy, kCopy, doc);
}

}  // namespace d2l
