// Advanced indexing: tensors in the places of indices.
//
// One idea: whatever the indices are, they come down to one int64 tensor of row-major positions
// within the indexed dimensions (`Where`), checked once, of our own memory. Reading, writing and
// adding at those positions are three accesses of one loop, and each other's derivatives.
#include "ops/index_parts.h"

namespace d2l {
namespace {

// How the indexed dimensions lie in self, as plain values.
struct Layout {
  uint32_t mask = 0;  // indexed dimensions
  int32_t at = 0;     // where their result dimensions stand: before this many others
};
struct Where {
  Layout layout;
  Tensor linear;  // contiguous int64, of the broadcast indices' shape
};

// Masks become the coordinates of their true elements; the rest is checked for its dtype.
std::vector<Tensor> expand_masks(const Tensor& self, TensorList indices) {
  std::vector<Tensor> out;
  for (const Tensor& index : indices) {
    if (!index.defined()) {
      out.push_back(index);
      continue;
    }
    const DType type = index.dtype();
    check<IndexError>(
        type == DType::Int64 || type == DType::Int32 || type == DType::UInt8 || type == DType::Bool,
        "tensors used as indices must be long, int, byte or bool tensors");
    if (type != DType::UInt8 && type != DType::Bool) {
      out.push_back(index);
      continue;
    }
    for (int64_t j = 0; j < index.dim(); ++j) {
      const auto d = static_cast<int64_t>(out.size());
      check<IndexError>(d < self.dim(), "too many indices for tensor of dimension {}", self.dim());
      if (index->shape[j] != self->shape[d + j < self.dim() ? d + j : d]) {
        fail<IndexError>(
            "The shape of the mask {} at index {} does not match the shape of the indexed tensor "
            "{} "
            "at index {}",
            index.shape(), j, self.shape(), d + j);
      }
      check<IndexError>(d + index.dim() <= self.dim(),
                        "too many indices for tensor of dimension {}", self.dim());
    }
    for (Tensor& column : unravel(flat_nonzero(index), index.shape())) {
      out.push_back(std::move(column));
    }
  }
  check<IndexError>(static_cast<int64_t>(out.size()) <= self.dim(),
                    "too many indices for tensor of dimension {}", self.dim());
  out.resize(static_cast<size_t>(self.dim()));
  return out;
}

Dims common_shape(const std::vector<Tensor>& indices) {
  Dims shape;
  bool first = true;
  for (const Tensor& index : indices) {
    if (!index.defined()) continue;
    bool fits = true;
    for (int64_t i = 1; i <= std::min<int64_t>(shape.size(), index.dim()); ++i) {
      const int64_t a = shape[shape.size() - i], b = index->shape[index.dim() - i];
      fits &= a == b || a == 1 || b == 1;
    }
    if (!fits) {
      std::string all;
      for (const Tensor& t : indices) {
        if (!t.defined()) continue;
        if (!all.empty()) all += ", ";
        all += detail::to_text(t.shape());
      }
      fail<IndexError>(
          "shape mismatch: indexing tensors could not be broadcast together with shapes {}", all);
    }
    shape = first ? Dims(index.shape()) : broadcast_shapes(shape, index.shape());
    first = false;
  }
  return shape;
}

bool is_mask(const Tensor& index) {
  return index.defined() && (index.dtype() == DType::Bool || index.dtype() == DType::UInt8);
}

// One mask and no other index: its flat positions are what is wanted.
bool resolve_mask(const Tensor& self, TensorList given, Where& w) {
  size_t at = given.size();
  for (size_t i = 0; i < given.size(); ++i) {
    if (!given[i].defined()) continue;
    if (at != given.size() || !is_mask(given[i])) return false;
    at = i;
  }
  if (at == given.size() || given[at].dim() == 0) return false;
  const Tensor& mask = given[at];
  const auto first = static_cast<int64_t>(at);
  if (first + mask.dim() > self.dim() ||
      !equal(mask.shape(), self.shape().subspan(at, static_cast<size_t>(mask.dim())))) {
    return false;  // expand_masks reports it
  }
  w.layout.at = static_cast<int32_t>(first);
  for (int64_t d = first; d < first + mask.dim(); ++d) w.layout.mask |= 1u << d;
  w.linear = flat_nonzero(mask);
  return true;
}

Where resolve(const Tensor& self, TensorList given) {
  GradModeGuard off(false);
  if (Where w; resolve_mask(self, given, w)) return w;
  const std::vector<Tensor> indices = expand_masks(self, given);
  const Dims shape = common_shape(indices);
  Where w;
  w.linear = empty(shape, DType::Int64);
  fill_into(w.linear, Scalar(0));
  // The result's dimensions stand where the indices do, or first when a slice separates them.
  int64_t last = -1;
  for (int64_t d = 0; d < self.dim(); ++d) {
    if (!indices[static_cast<size_t>(d)].defined()) continue;
    w.layout.at = last < 0 ? static_cast<int32_t>(d) : last == d - 1 ? w.layout.at : 0;
    w.layout.mask |= 1u << d;
    last = d;
  }
  int64_t* out = w.linear.data_as<int64_t>();
  const int64_t count = w.linear.numel();
  for (int64_t d = 0; d < self.dim(); ++d) {
    if (!(w.layout.mask >> d & 1)) continue;
    const int64_t n = self->shape[d];
    const Tensor& index = indices[static_cast<size_t>(d)];
    check<IndexError>(n > 0 || count == 0, "index is out of bounds for dimension with size 0");
    const IndexTensor checked = IndexTensor::checked(index, -n, n, [&](int64_t bad) {
      fail<IndexError>("index {} is out of bounds for dimension {} with size {}", bad, d, n);
    });
    Tensor values = checked.values();
    if (!values.is_contiguous() || !equal(values.shape(), shape)) {
      Tensor copy = empty(shape, DType::Int64);
      copy_into(copy, values);
      values = copy;
    }
    const int64_t* v = values.data_as<int64_t>();
    for (int64_t i = 0; i < count; ++i) out[i] = out[i] * n + v[i] + (v[i] < 0 ? n : 0);
  }
  return w;
}

// A shape (or strides) with the indexed dimensions replaced by `index`, which go to their place.
Dims replaced(IntList whole, const Layout& layout, IntList index) {
  Dims out;
  int64_t at = 0;
  for (int64_t d = 0; d <= static_cast<int64_t>(whole.size()); ++d) {
    if (at == layout.at) {
      for (int64_t x : index) out.push_back(x);
      at = -1;
    }
    if (d == static_cast<int64_t>(whole.size())) break;
    if (layout.mask >> d & 1) continue;
    out.push_back(whole[static_cast<size_t>(d)]);
    if (at >= 0) ++at;
  }
  return out;
}

// The loop over a tensor of the result's shape and the places in `place`.
void run_at(Access access, const Tensor& place, const Tensor& dense, const Layout& layout,
            const Tensor& linear) {
  if (dense.numel() == 0) return;
  // Row-major positions are offsets of one step if the indexed dimensions are evenly spaced;
  // otherwise they are taken apart once.
  int64_t step = -1, spacing = -1, extent = 1;
  bool even = true;
  for (int64_t d = place.dim() - 1; d >= 0; --d) {
    if (!(layout.mask >> d & 1)) continue;
    if (step < 0) {
      step = spacing = place->strides[d];
    } else {
      even &= place->strides[d] == spacing;
    }
    spacing = place->strides[d] * place->shape[d];
    extent *= place->shape[d];
  }
  Tensor places = linear;
  int64_t reach = extent;
  if (!even) {
    places = empty(linear.shape(), DType::Int64);
    const int64_t* from = linear.data_as<int64_t>();
    int64_t* to = places.data_as<int64_t>();
    reach = 1;
    for (int64_t i = 0; i < linear.numel(); ++i) {
      int64_t rest = from[i], offset = 0;
      for (int64_t d = place.dim() - 1; d >= 0; --d) {
        if (!(layout.mask >> d & 1)) continue;
        offset += rest % place->shape[d] * place->strides[d];
        rest /= place->shape[d];
      }
      to[i] = offset;
    }
    for (int64_t d = 0; d < place.dim(); ++d) {
      if (layout.mask >> d & 1) reach += (place->shape[d] - 1) * place->strides[d];
    }
    step = 1;
  }
  const IndexTensor checked = index_for<IndexError>(places, 0, reach);
  const Dims none(static_cast<int>(linear.dim()), 0);
  const Dims zeros(static_cast<int>(place.dim()), 0);
  run_indexed(access, {place, replaced(place.strides(), layout, none), dense, checked,
                       replaced(zeros, layout, places.strides()), step});
}

Tensor read_at(const Tensor& self, Layout layout, const Tensor& linear);

// Zeros of `shape` with g added at the places.
Tensor add_at(const Tensor& g, IntList shape, Layout layout, const Tensor& linear) {
  Tensor out = zeros(shape, g.dtype());
  run_at(Access::Add, out, g, layout, linear);
  return record(out, "IndexPutBackward0", {&g}, saved(linear),
                [layout](const Tensor& gg, const Tensor& l) { return read_at(gg, layout, l); });
}

Tensor read_at(const Tensor& self, Layout layout, const Tensor& linear) {
  Tensor out = empty(replaced(self.shape(), layout, linear.shape()), self.dtype());
  run_at(Access::Get, self, out, layout, linear);
  return record(out, "IndexBackward0", {&self}, saved(linear),
                [layout](const Node& node, const Tensor& g, const Tensor& l) {
                  return add_at(g, node.input_shape(0), layout, l);
                });
}

// self with zeros at the places.
Tensor zero_at(const Tensor& self, Layout layout, const Tensor& linear) {
  Tensor out = raw_clone(self);
  const Dims shape = replaced(self.shape(), layout, linear.shape());
  const Tensor zero = scalar_tensor(0, self.dtype());
  run_at(Access::Put, out, raw_view(zero, shape, Dims(shape.size(), 0), 0), layout, linear);
  return record(out, "IndexPutBackward0", {&self}, saved(linear),
                [layout](const Tensor& g, const Tensor& l) { return zero_at(g, layout, l); });
}

// values as the writing loop reads them: expanded, apart from dst.
Tensor values_for(const Tensor& dst, const Tensor& values, const Where& w) {
  check(
      dst.dtype() == values.dtype(),
      "Index put requires the source and destination dtypes match, got {} for the destination and "
      "{} for the source.",
      dst.dtype(), values.dtype());
  const Dims shape = replaced(dst.shape(), w.layout, w.linear.shape());
  // Leading dimensions of size 1 may be too many, as in x[i] = torch.ones(1, 1, 3).
  Dims have(values.shape());
  while (have.size() > shape.size() && have[0] == 1) have.erase(0);
  check(
      is_expandable_to(have, shape),
      "shape mismatch: value tensor of shape {} cannot be broadcast to indexing result of shape {}",
      values.shape(), shape);
  const Tensor source = apart(values, dst);
  Dims expanded(shape.size(), 0);
  for (int64_t i = 1; i <= have.size(); ++i) {
    if (have[have.size() - i] == 1) continue;
    expanded[shape.size() - i] = source->strides[source.dim() - i];
  }
  return raw_view(source, shape, expanded, source.offset());
}

}  // namespace

Tensor index(const Tensor& self, TensorList indices) {
  const Where w = resolve(self, indices);
  return read_at(self, w.layout, w.linear);
}

void index_put_into(const Tensor& dst, TensorList indices, const Tensor& values, bool accumulate) {
  const Where w = resolve(dst, indices);
  const Tensor source = values_for(dst, values, w);
  run_at(accumulate ? Access::Add : Access::Put, dst, source, w.layout, w.linear);
}

Tensor index_put(const Tensor& self, TensorList indices, const Tensor& values, bool accumulate) {
  const Where w = resolve(self, indices);
  const Tensor source = values_for(self, values, w);
  Tensor out = raw_clone(self);
  run_at(accumulate ? Access::Add : Access::Put, out, source, w.layout, w.linear);
  const Layout layout = w.layout;
  const Tensor& linear = w.linear;
  return record(
      out, "IndexPutBackward0", {&self, &values}, saved(linear),
      [layout, accumulate](const Tensor& g, const Tensor& l) {
        return accumulate ? g : zero_at(g, layout, l);
      },
      [layout](const Node& node, const Tensor& g, const Tensor& l) {
        Tensor part = read_at(g, layout, l);
        // Too many leading dimensions of size 1 were dropped on the way in.
        const IntList want = node.input_shape(1);
        while (part.dim() < static_cast<int64_t>(want.size())) part = unsqueeze(part, 0);
        return part;
      });
}

namespace {

Tensor index_put_row(const Tensor& self, TensorList indices, const Tensor& values, bool accumulate,
                     Dst dst) {
  if (writes_self(self, dst)) {
    const Tensor out = prepare_result("index_put_", dst, self.shape(), self.dtype());
    index_put_into(out, indices, values, accumulate);
    return out;
  }
  return deliver("index_put", dst, index_put(self, indices, values, accumulate));
}

}  // namespace

void register_index(OpTable& ops) {
  ops.add(
      "index_put(Tensor self, Tensor[] indices, Tensor values, bool accumulate=False) -> Tensor",
      index_put_row, Both | Inplace | InplaceFunction,
      "Returns ``self`` with ``values`` (broadcast) at ``self[indices]``; ``accumulate`` adds.\n"
      "IndexError for an index out of range, before anything is written.");
  register_index_dim(ops);
  register_index_reduce(ops);
  register_index_mask(ops);
  register_index_triangle(ops);
}

}  // namespace d2l
