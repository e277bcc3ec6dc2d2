// Views that come several at once: unbind, split and their kin. One node for all of them.
#include "ops/view_parts.h"

namespace d2l {
namespace {

std::vector<Tensor> narrows(const Tensor& self, int64_t dim, std::span<const int64_t> sizes) {
  std::vector<Tensor> out;
  out.reserve(sizes.size());
  int64_t start = 0;
  for (int64_t n : sizes) {
    out.push_back(raw_narrow(self, dim, start, n));
    set_base(out.back(), self);
    out.back()->multi_output_view = true;
    start += n;
  }
  return out;
}

// The cotangents of all parts, zeros for those that have none.
std::vector<Tensor> fill_in(const Node& node, const std::vector<Tensor>& g) {
  std::vector<Tensor> parts = g;
  for (uint32_t i = 0; i < node.outputs(); ++i) {
    if (!parts[i].defined()) parts[i] = zeros(node.output(i).dims(), node.output(i).dtype);
  }
  return parts;
}

std::vector<Tensor> split_parts(const Tensor& self, const char* node, int64_t dim,
                                std::span<const int64_t> sizes) {
  std::vector<Tensor> out = narrows(self, dim, sizes);
  if (out.empty()) return out;
  record_many(out, node, {&self}, saved(),
              joint([dim](const Node& n, const std::vector<Tensor>& g, std::vector<Tensor>& in) {
                in[0] = cat(fill_in(n, g), dim);
              }));
  return out;
}

}  // namespace

std::vector<Tensor> unbind(const Tensor& self, int64_t dim) {
  const int64_t at = wrap_dim(dim, self.dim());
  check<IndexError>(self.dim() > 0, "Dimension specified as {} but tensor has no dimensions", dim);
  Dims shape(self.shape()), strides(self.strides());
  shape.erase(static_cast<int>(at));
  strides.erase(static_cast<int>(at));
  std::vector<Tensor> out;
  for (int64_t i = 0; i < self->shape[at]; ++i) {
    out.push_back(make_view(self, shape, strides,
                            self.offset() + (self.numel() == 0 ? 0 : i * self->strides[at])));
    out.back()->multi_output_view = true;
  }
  if (out.empty()) return out;
  record_many(out, "UnbindBackward0", {&self}, saved(),
              joint([at](const Node& n, const std::vector<Tensor>& g, std::vector<Tensor>& in) {
                in[0] = stack(fill_in(n, g), at);
              }));
  return out;
}

std::vector<Tensor> split(const Tensor& self, int64_t split_size, int64_t dim) {
  check(self.dim() > 0, "split expects at least a 1-dimensional tensor");
  check(split_size >= 0, "split expects split_size be non-negative, but got split_size={}",
        split_size);
  const int64_t at = wrap_dim(dim, self.dim()), n = self->shape[at];
  check(split_size > 0 || n == 0,
        "split_size can only be 0 if dimension size is 0, but got dimension size of {}", n);
  std::vector<int64_t> sizes;
  for (int64_t start = 0; start < n; start += std::min(split_size, n - start)) {
    sizes.push_back(std::min(split_size, n - start));
  }
  if (sizes.empty()) sizes.push_back(0);
  return split_parts(self, "SplitBackward0", at, sizes);
}

std::vector<Tensor> split_with_sizes(const Tensor& self, IntList sizes, int64_t dim) {
  check(self.dim() > 0, "split expects at least a 1-dimensional tensor");
  const int64_t at = wrap_dim(dim, self.dim()), n = self->shape[at];
  int64_t sum = 0;
  bool overflow = false;
  for (int64_t s : sizes) {
    check(s >= 0,
          "split_with_sizes expects split_sizes have only non-negative entries, but got "
          "split_sizes={}",
          sizes);
    overflow |= __builtin_add_overflow(sum, s, &sum);
  }
  check(
      !overflow && sum == n,
      "split_with_sizes expects split_sizes to sum exactly to {} (input tensor's size at dimension "
      "{}), but got split_sizes={}",
      n, at, sizes);
  return split_parts(self, "SplitWithSizesBackward0", at, sizes);
}

std::vector<Tensor> chunk(const Tensor& self, int64_t chunks, int64_t dim) {
  check(self.dim() > 0, "chunk expects at least a 1-dimensional tensor");
  check(chunks > 0, "chunk expects `chunks` to be greater than 0, got: {}", chunks);
  const int64_t at = wrap_dim(dim, self.dim()), n = self->shape[at];
  if (n == 0) {  // as many empty parts as were asked for
    check(chunks <= (1 << 24), "chunk: {} parts of an empty dimension", chunks);
    return split_with_sizes(self, std::vector<int64_t>(static_cast<size_t>(chunks), 0), at);
  }
  return split(self, (n - 1) / chunks + 1, at);
}

std::vector<Tensor> tensor_split(const Tensor& self, int64_t sections, int64_t dim) {
  check(self.dim() > 0,
        "tensor_split expected at least a 1-dimensional tensor, but got a tensor with {} dims",
        self.dim());
  const int64_t at = wrap_dim(dim, self.dim()), n = self->shape[at];
  check(sections > 0, "number of sections must be larger than 0, got {}", sections);
  check(sections <= n + (1 << 24), "tensor_split: {} sections of a dimension of size {}", sections,
        n);
  std::vector<Tensor> out;
  int64_t start = 0;
  for (int64_t i = 0; i < sections; ++i) {
    const int64_t end = start + n / sections + (i < n % sections ? 1 : 0);
    out.push_back(slice(self, at, start, end));
    start = end;
  }
  return out;
}

std::vector<Tensor> tensor_split_at(const Tensor& self, IntList indices, int64_t dim) {
  check(self.dim() > 0,
        "tensor_split expected at least a 1-dimensional tensor, but got a tensor with {} dims",
        self.dim());
  const int64_t at = wrap_dim(dim, self.dim());
  std::vector<Tensor> out;
  int64_t start = 0;
  for (int64_t end : indices) {
    out.push_back(slice(self, at, start, end));
    start = end;
  }
  out.push_back(slice(self, at, start, self->shape[at]));
  return out;
}

std::vector<Tensor> broadcast_tensors(TensorList tensors) {
  Dims shape;
  for (const Tensor& x : tensors) shape = broadcast_shapes(shape, x.shape());
  std::vector<Tensor> out;
  for (const Tensor& x : tensors) out.push_back(expand(x, shape));
  return out;
}

namespace {

std::vector<Tensor> tensor_split_tensor(const Tensor& self, const Tensor& where, int64_t dim) {
  check(where.dtype() == DType::Int64,
        "tensor_split expected tensor_indices_or_sections to have dtype of long, but got {}",
        scalar_name(where.dtype()));
  check(where.dim() <= 1,
        "tensor_split expected tensor_indices_or_sections to be a zero-dimensional or "
        "one-dimensional tensor, but got a tensor with {} dims",
        where.dim());
  if (where.dim() == 0) return tensor_split(self, item(where).to_int(), dim);
  const Tensor list = contiguous(where);
  return tensor_split_at(self, IntList(list.data_as<int64_t>(), static_cast<size_t>(list.numel())),
                         dim);
}

// hsplit, vsplit, dsplit: along dimension 1 (0 of a vector), 0, 2.
template <char Which>
int64_t split_dim(const Tensor& self) {
  constexpr int64_t kLeast = Which == 'h' ? 1 : Which == 'v' ? 2 : 3;
  check(self.dim() >= kLeast,
        "torch.{}split requires a tensor with at least {} dimension, but got a tensor with {} "
        "dimensions!",
        std::string(1, Which), kLeast, self.dim());
  return Which == 'h' ? (self.dim() == 1 ? 0 : 1) : Which == 'v' ? 0 : 2;
}
template <char Which>
std::vector<Tensor> split_equal(const Tensor& self, int64_t sections) {
  const int64_t dim = split_dim<Which>(self);
  check(sections != 0 && self->shape[dim] % sections == 0,
        "torch.{}split attempted to split along dimension {}, but the size of the dimension {} is "
        "not divisible by the split_size {}!",
        std::string(1, Which), dim, self->shape[dim], sections);
  return tensor_split(self, sections, dim);
}
template <char Which>
std::vector<Tensor> split_list(const Tensor& self, IntList indices) {
  return tensor_split_at(self, indices, split_dim<Which>(self));
}

}  // namespace

void register_view_lists(OpTable& ops) {
  ops.add("unbind(Tensor self, int dim=0) -> Tensor[]", unbind, Both,
          "Returns the views of all indices along ``dim``.");
  const char* split_doc =
      "Returns views of ``split_size`` elements along ``dim`` (the last one may be smaller), or of "
      "the sizes in a list.";
  ops.add("split(Tensor self, int split_size, int dim=0) -> Tensor[]", split, Method, split_doc);
  ops.add("split(Tensor self, int[] split_size, int dim=0) -> Tensor[]", split_with_sizes, Method,
          split_doc);
  ops.add("split(Tensor tensor, int split_size_or_sections, int dim=0) -> Tensor[]", split,
          Function, split_doc);
  ops.add("split(Tensor tensor, int[] split_size_or_sections, int dim=0) -> Tensor[]",
          split_with_sizes, Function, split_doc);
  ops.add("split_with_sizes(Tensor self, int[] split_sizes, int dim=0) -> Tensor[]",
          split_with_sizes, Both, "Returns views of the given sizes along ``dim``.");
  ops.add(
      "chunk(Tensor self, int chunks, int dim=0) -> Tensor[]", chunk, Both,
      "Returns at most ``chunks`` views of equal size along ``dim`` (the last may be smaller).");
  const char* at_doc =
      "Returns views along ``dim``: that many nearly equal ones, or cut before each index.";
  ops.add("tensor_split(Tensor self, int sections, int dim=0) -> Tensor[]", tensor_split, Both,
          at_doc);
  ops.add("tensor_split(Tensor self, int[] indices, int dim=0) -> Tensor[]", tensor_split_at, Both,
          at_doc);
  ops.add("tensor_split(Tensor self, Tensor tensor_indices_or_sections, int dim=0) -> Tensor[]",
          tensor_split_tensor, Both, at_doc);
  ops.add("hsplit(Tensor self, int sections) -> Tensor[]", split_equal<'h'>, Both,
          "Splits along dimension 1 (0 of a vector) into equal views.");
  ops.add("hsplit(Tensor self, int[] indices) -> Tensor[]", split_list<'h'>, Both,
          "Splits along dimension 1 (0 of a vector) before each index.");
  ops.add("vsplit(Tensor self, int sections) -> Tensor[]", split_equal<'v'>, Both,
          "Splits along dimension 0 into equal views.");
  ops.add("vsplit(Tensor self, int[] indices) -> Tensor[]", split_list<'v'>, Both,
          "Splits along dimension 0 before each index.");
  ops.add("dsplit(Tensor self, int sections) -> Tensor[]", split_equal<'d'>, Both,
          "Splits along dimension 2 into equal views.");
  ops.add("dsplit(Tensor self, int[] indices) -> Tensor[]", split_list<'d'>, Both,
          "Splits along dimension 2 before each index.");
  ops.add("broadcast_tensors(Tensor[] tensors) -> Tensor[]", broadcast_tensors, Function,
          "Returns the tensors expanded to their common shape.");
}

}  // namespace d2l
