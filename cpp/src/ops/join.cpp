// Joining: cat and stack, each one list node; the others are made of them.
#include "autograd/record.h"
#include "core/thread_pool.h"
#include "d2lcore/ops.h"
#include "iter/map.h"
#include "ops/register.h"

namespace d2l {
namespace {

// The old rule: an empty vector may stand for "nothing" among tensors of any shape.
bool is_nothing(const Tensor& t) { return t.dim() == 1 && t->shape[0] == 0; }

bool any_needs(TensorList tensors) {
  if (!GradMode::enabled()) return false;
  return std::any_of(tensors.begin(), tensors.end(), needs_grad);
}

// The result of a join, checked against what out= names.
Tensor joined(const char* op, Dst dst, IntList shape, TensorList tensors) {
  const DType type = result_type(tensors);
  if (dst) {
    check<TypeError>(can_cast(type, dst.tensor().dtype()),
                     "torch.cat(): input types can't be cast to the desired output type {}",
                     dst.tensor().dtype());
    for (const Tensor& t : tensors) {
      check(overlap(dst.tensor(), t) == Overlap::None,
            "unsupported operation: some elements of the input tensor and the written-to tensor "
            "refer to a single memory location. Please clone() the tensor before performing the "
            "operation.");
    }
  }
  return prepare_result(op, dst, shape, type);
}

// The view of one part along dim, without a graph.
Tensor part(const Tensor& out, int64_t dim, int64_t start, int64_t length) {
  Dims shape(out.shape());
  shape[dim] = length;
  const int64_t offset = length == 0 ? 0 : start * out->strides[dim];
  return raw_view(out, shape, out.strides(), out.offset() + offset);
}

// Contiguous inputs side by side, a few rows of all of them at a time, so that the result is
// written from its beginning to its end; false where that does not fit.
bool join_rows(const Tensor& out, TensorList tensors, int64_t dim) {
  if (out.numel() == 0 || !out.is_contiguous()) return false;
  int64_t rows = 1;
  for (int64_t d = 0; d < dim; ++d) rows *= out->shape[d];
  for (const Tensor& t : tensors) {
    if (t.dtype() != out.dtype() || !t.is_contiguous()) return false;
  }
  const int64_t row = out.numel() / rows * out.item_bytes();
  const int64_t block = std::max<int64_t>(1, (1 << 15) / row);
  if (rows < 2 * block && out.numel() >= kParallel) return false;
  const LoopFn copy = kernels().cast[static_cast<int>(out.dtype())][static_cast<int>(out.dtype())];
  LongOp unlocked(out.numel() >= (1 << 20));
  parallel_for(rows, block, [&](int64_t begin, int64_t end) {
    for (int64_t first = begin; first < end; first += block) {
      char* to = out.data() + first * row;
      for (const Tensor& t : tensors) {
        const int64_t n = t.numel() / rows, bytes = n * t.item_bytes();
        char* const ptr[2] = {to, t.data() + first * bytes};
        const int64_t strides[4] = {t.item_bytes(), t.item_bytes(), row, bytes};
        const Scalars none;
        if (n > 0) copy(ptr, strides, n, std::min(block, end - first), &none);
        to += bytes;
      }
    }
  });
  return true;
}

// Where each input starts, for the backward pass.
Tensor starts_tensor(const std::vector<int64_t>& starts) {
  Tensor t = empty(Dims{static_cast<int64_t>(starts.size())}, DType::Int64);
  std::copy(starts.begin(), starts.end(), t.data_as<int64_t>());
  return t;
}

}  // namespace

Tensor cat(TensorList tensors, int64_t dim, Dst dst) {
  check<ValueError>(!tensors.empty(), "torch.cat(): expected a non-empty list of Tensors");
  const Tensor* first = nullptr;
  for (size_t i = 0; i < tensors.size(); ++i) {
    check(tensors[i].dim() > 0, "zero-dimensional tensor (at position {}) cannot be concatenated",
          i);
    if (!first && !is_nothing(tensors[i])) first = &tensors[i];
  }
  if (!first) first = &tensors[0];
  const int64_t at = is_nothing(*first) ? 0 : wrap_dim(dim, first->dim());
  Dims shape(first->shape());
  shape[at] = 0;
  std::vector<int64_t> starts;
  for (size_t i = 0; i < tensors.size(); ++i) {
    const Tensor& x = tensors[i];
    starts.push_back(is_nothing(x) ? -1 : shape[at]);
    if (is_nothing(x)) continue;
    check(x.dim() == first->dim(), "Tensors must have same number of dimensions: got {} and {}",
          first->dim(), x.dim());
    for (int64_t d = 0; d < x.dim(); ++d) {
      check(d == at || x->shape[d] == first->shape()[d],
            "Sizes of tensors must match except in dimension {}. Expected size {} but got size {} "
            "for tensor number {} in the list.",
            at, first->shape()[d], x->shape[d], i);
    }
    check(!__builtin_add_overflow(shape[at], x->shape[at], &shape[at]),
          "torch.cat(): the sizes along dimension {} overflow", at);
  }
  Tensor out = joined("cat", dst, shape, tensors);
  if (!join_rows(out, tensors, at)) {
    for (size_t i = 0; i < tensors.size(); ++i) {
      if (starts[i] < 0 || tensors[i].numel() == 0) continue;
      copy_into(part(out, at, starts[i], tensors[i]->shape[at]), tensors[i]);
    }
  }
  if (!any_needs(tensors)) return out;
  const Tensor where = starts_tensor(starts);
  return record_list(out, "CatBackward0", tensors, saved(where),
                     [at](const Node& node, const Tensor& g, int64_t i, const Tensor& s) {
                       const int64_t start = s.data_as<int64_t>()[i];
                       if (start < 0) return zeros(Dims{0}, g.dtype());
                       return narrow(g, at, start, node.input_shape(static_cast<size_t>(i))[at]);
                     });
}

Tensor stack(TensorList tensors, int64_t dim, Dst dst) {
  check(!tensors.empty(), "stack expects a non-empty TensorList");
  const Tensor& first = tensors[0];
  const int64_t at = wrap_dim(dim, first.dim() + 1);
  for (size_t i = 1; i < tensors.size(); ++i) {
    check(equal(tensors[i].shape(), first.shape()),
          "stack expects each tensor to be equal size, but got {} at entry 0 and {} at entry {}",
          first.shape(), tensors[i].shape(), i);
  }
  Dims shape(first.shape());
  shape.insert(static_cast<int>(at), static_cast<int64_t>(tensors.size()));
  Tensor out = joined("stack", dst, shape, tensors);
  Dims one(out.shape()), strides(out.strides());
  one.erase(static_cast<int>(at));
  strides.erase(static_cast<int>(at));
  if (out.numel() > 0) {
    for (size_t i = 0; i < tensors.size(); ++i) {
      const int64_t offset = out.offset() + static_cast<int64_t>(i) * out->strides[at];
      copy_into(raw_view(out, one, strides, offset), tensors[i]);
    }
  }
  return record_list(out, "StackBackward0", tensors, saved(),
                     [at](const Node&, const Tensor& g, int64_t i) { return select(g, at, i); });
}

namespace {

template <class F>
std::vector<Tensor> each(TensorList tensors, F f) {
  std::vector<Tensor> out;
  for (const Tensor& x : tensors) out.push_back(f(x));
  return out;
}
Tensor at_least(const Tensor& x, int64_t dims) {
  Tensor out = x.dim() == 0 ? reshape(x, Dims{1}) : x;
  if (dims >= 2 && out.dim() == 1) out = unsqueeze(out, 0);
  if (dims >= 3 && out.dim() == 2) out = unsqueeze(out, -1);
  return out;
}

}  // namespace

Tensor hstack(TensorList tensors, Dst dst) {
  check(!tensors.empty(), "hstack expects a non-empty TensorList");
  const std::vector<Tensor> parts = each(tensors, [](const Tensor& x) { return at_least(x, 1); });
  return cat(parts, parts[0].dim() == 1 ? 0 : 1, dst);
}

Tensor vstack(TensorList tensors, Dst dst) {
  check(!tensors.empty(), "vstack expects a non-empty TensorList");
  return cat(each(tensors, [](const Tensor& x) { return at_least(x, 2); }), 0, dst);
}

Tensor dstack(TensorList tensors, Dst dst) {
  check(!tensors.empty(), "dstack expects a non-empty TensorList");
  return cat(each(tensors, [](const Tensor& x) { return at_least(x, 3); }), 2, dst);
}

Tensor column_stack(TensorList tensors, Dst dst) {
  check(!tensors.empty(), "column_stack expects a non-empty TensorList");
  auto column = [](const Tensor& x) { return x.dim() <= 1 ? reshape(x, Dims{x.numel(), 1}) : x; };
  return hstack(each(tensors, column), dst);
}

std::vector<Tensor> meshgrid(TensorList tensors, std::string_view indexing) {
  check(!tensors.empty(), "meshgrid expects a non-empty TensorList");
  for (const Tensor& x : tensors) {
    check(x.dtype() == tensors[0].dtype(), "meshgrid expects all tensors to have the same dtype");
  }
  check(indexing == "ij" || indexing == "xy",
        "torch.meshgrid: indexing must be one of \"xy\" or \"ij\", but received: {}", indexing);
  Dims shape;
  for (const Tensor& x : tensors) {
    check(
        x.dim() <= 1,
        "torch.meshgrid: Expected 0D or 1D tensor in the tensor list but got: a tensor of shape {}",
        x.shape());
    shape.push_back(x.numel());
  }
  const bool swap = indexing == "xy" && tensors.size() > 1;
  if (swap) std::swap(shape[0], shape[1]);
  std::vector<Tensor> out;
  for (size_t i = 0; i < tensors.size(); ++i) {
    Dims along(shape.size(), 1);
    along[swap && i < 2 ? 1 - static_cast<int64_t>(i) : static_cast<int64_t>(i)] =
        tensors[i].numel();
    out.push_back(expand(view(tensors[i], along), shape));
  }
  return out;
}

Tensor cartesian_prod(TensorList tensors) {
  for (const Tensor& x : tensors) {
    check(x.dim() == 1, "Expect a 1D vector, but got shape {}", x.shape());
  }
  check(!tensors.empty(), "cartesian_prod expects a non-empty TensorList");
  if (tensors.size() == 1) return tensors[0];
  return stack(each(meshgrid(tensors), [](const Tensor& x) { return flatten(x); }), 1);
}

Tensor block_diag(TensorList tensors) {
  if (tensors.empty()) return empty(Dims{1, 0}, default_dtype());
  std::vector<int64_t> starts;
  std::vector<Tensor> blocks;
  int64_t rows = 0, cols = 0;
  for (size_t i = 0; i < tensors.size(); ++i) {
    check(tensors[i].dim() <= 2,
          "torch.block_diag: Input tensors must have 2 or fewer dimensions. Input {} has {} "
          "dimensions",
          i, tensors[i].dim());
    blocks.push_back(at_least(tensors[i], 2));
    starts.push_back(rows);
    starts.push_back(cols);
    rows += blocks[i]->shape[0];
    cols += blocks[i]->shape[1];
  }
  Tensor out = zeros(Dims{rows, cols}, result_type(tensors));
  for (size_t i = 0; i < blocks.size(); ++i) {
    if (blocks[i].numel() == 0) continue;
    copy_into(part(part(out, 0, starts[2 * i], blocks[i]->shape[0]), 1, starts[2 * i + 1],
                   blocks[i]->shape[1]),
              blocks[i]);
  }
  if (!any_needs(blocks)) return out;
  const Tensor where = starts_tensor(starts);
  return record_list(out, "BlockDiagBackward0", blocks, saved(where),
                     [](const Node& node, const Tensor& g, int64_t i, const Tensor& s) {
                       const int64_t* start = s.data_as<int64_t>() + 2 * i;
                       const IntList shape = node.input_shape(static_cast<size_t>(i));
                       return narrow(narrow(g, 0, start[0], shape[0]), 1, start[1], shape[1]);
                     });
}

void register_join(OpTable& ops) {
  const char* cat_doc =
      "Joins tensors along the existing dimension ``dim``; the other sizes must agree.\n"
      "The result has the common dtype; empty vectors are skipped.";
  for (const char* name : {"cat", "concat", "concatenate"}) {
    ops.add((std::string(name) + "(Tensor[] tensors, int dim=0) -> Tensor").c_str(), cat,
            Function | Out, cat_doc);
  }
  ops.add("stack(Tensor[] tensors, int dim=0) -> Tensor", stack, Function | Out,
          "Joins tensors of one shape along a new dimension ``dim``.");
  ops.add("hstack(Tensor[] tensors) -> Tensor", hstack, Function | Out,
          "Joins along dimension 1 (0 for vectors).");
  for (const char* name : {"vstack", "row_stack"}) {
    ops.add((std::string(name) + "(Tensor[] tensors) -> Tensor").c_str(), vstack, Function | Out,
            "Joins along dimension 0, vectors being rows.");
  }
  ops.add("dstack(Tensor[] tensors) -> Tensor", dstack, Function | Out,
          "Joins along dimension 2, after making the tensors 3-D.");
  ops.add("column_stack(Tensor[] tensors) -> Tensor", column_stack, Function | Out,
          "Joins along dimension 1, vectors being columns.");
  ops.add("meshgrid(Tensor[] tensors, *, str indexing='ij') -> Tensor[]", meshgrid, Function,
          "Returns the coordinate grids of vectors; 'xy' exchanges the first two dimensions.");
  ops.add("cartesian_prod(Tensor[] tensors) -> Tensor", cartesian_prod, Function,
          "Returns all combinations of the elements of vectors, one a row.");
  ops.add("block_diag(Tensor[] tensors) -> Tensor", block_diag, Function,
          "Returns the block-diagonal matrix of tensors of at most two dimensions.");
}

}  // namespace d2l
