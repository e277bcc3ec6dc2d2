// Indexing along one dimension: gather, scatter, index_select, index_add and their kin. Each is one
// of the three accesses of iter/index.h, and the derivative of one is another.
#include "ops/index_parts.h"

namespace d2l {

void check_integer_index(const char* op, const Tensor& index) {
  check(index.numel() == 0 || index.dtype() == DType::Int64 || index.dtype() == DType::Int32,
        "{}(): Expected dtype int32/int64 for index", op);
}

// What gather and scatter ask of their shapes. 0-d tensors count as vectors.
static void check_gather_shape(const Tensor& self, const Tensor& index, int64_t dim) {
  check(std::max<int64_t>(index.dim(), 1) == std::max<int64_t>(self.dim(), 1),
        "Index tensor must have the same number of dimensions as input tensor");
  for (int64_t d = 0; d < index.dim() && d < self.dim(); ++d) {
    check(
        d == dim || index->shape[d] <= self->shape[d],
        "Size does not match at dimension {} expected index {} to be no larger than self {} apart "
        "from dimension {}",
        d, index.shape(), self.shape(), dim);
  }
}
void check_scatter_shape(const Tensor& self, const Tensor& index, int64_t dim, const Tensor* src) {
  if (index.numel() == 0) return;
  check(std::max<int64_t>(index.dim(), 1) == std::max<int64_t>(self.dim(), 1),
        "Index tensor must have the same number of dimensions as self tensor");
  check(!src || std::max<int64_t>(index.dim(), 1) == std::max<int64_t>(src->dim(), 1),
        "Index tensor must have the same number of dimensions as src tensor");
  bool fits = true;
  for (int64_t d = 0; d < index.dim(); ++d) {
    const int64_t n = index->shape[d];
    fits &= d == dim || n <= (self.dim() ? self->shape[d] : 1);
    fits &= !src || n <= (src->dim() ? src->impl()->shape[d] : 1);
  }
  if (src) {
    check(fits,
          "Expected index {} to be no larger than self {} apart from dimension {} and to be no "
          "larger "
          "size than src {}",
          index.shape(), self.shape(), dim, src->shape());
  } else {
    check(fits, "Expected index {} to be no larger than self {} apart from dimension {}",
          index.shape(), self.shape(), dim);
  }
}

namespace {

int64_t extent(const Tensor& self, int64_t dim) { return self.dim() ? self->shape[dim] : 1; }

// Writes src (already of index's shape or larger) into `out`.
void scatter_raw(Access access, const Tensor& out, int64_t dim, const Tensor& index,
                 const Tensor& src) {
  if (index.numel() == 0) return;
  const IndexTensor checked = index_for(raw_1d(index), dim, extent(out, dim));
  const Tensor list = raw_1d(src);
  const Tensor part = raw_view(list, raw_1d(index).shape(), list.strides(), list.offset());
  run_along(access, raw_1d(out), dim, part, checked);
}

Tensor repeated(const Tensor& one, IntList shape) {
  return raw_view(one, shape, Dims(static_cast<int>(shape.size()), 0), one.offset());
}

// part with zeros behind it along each dimension: what was larger than the index was not used.
Tensor in_front(Tensor part, IntList shape) {
  for (int64_t d = 0; d < part.dim(); ++d) {
    const int64_t n = part->shape[d];
    if (n == shape[d]) continue;
    Dims larger(part.shape());
    larger[d] = shape[d];
    part = slice_backward(part, larger, d, 0, n, 1);
  }
  return part;
}

}  // namespace

Tensor gather(const Tensor& self, int64_t dim, const Tensor& index, Dst dst) {
  check_integer_index("gather", index);
  const int64_t at = wrap_dim(dim, self.dim());
  check_out(dst, self.dtype(), {&self, &index});
  check_resized_out(dst, index.shape(), {&self, &index});
  Tensor out;
  if (index.numel() == 0) {
    out = empty(index.shape(), self.dtype());
  } else {
    check_gather_shape(self, index, at);
    const IndexTensor checked = index_for(raw_1d(index), at, extent(self, at));
    out = empty(index.shape(), self.dtype());
    run_along(Access::Get, raw_1d(self), at, raw_1d(out), checked);
  }
  return record(deliver("gather", dst, out), "GatherBackward0", {&self}, saved(index),
                [at](const Node& node, const Tensor& g, const Tensor& i) {
                  const Tensor zero = zeros(node.input_shape(0), g.dtype());
                  return scatter_add(zero, at, i, g, Dst::inplace(zero));
                });
}

Tensor scatter(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& src, Dst dst) {
  check_integer_index("scatter", index);
  const int64_t at = wrap_dim(dim, self.dim());
  check(self.dtype() == src.dtype(), "scatter(): Expected self.dtype to be equal to src.dtype");
  check_scatter_shape(self, index, at, &src);
  Tensor out = start_from("scatter_", self, dst);
  scatter_raw(Access::Put, out, at, apart(index, out), apart(src, out));
  return record(
      finish("scatter", dst, self, out), "ScatterBackward0", {&self, &src}, saved(index),
      [at](const Tensor& g, const Tensor& i) { return scatter_value(g, at, i, Scalar(0)); },
      [at](const Node& node, const Tensor& g, const Tensor& i) {
        return in_front(gather(g, at, i), node.input_shape(1));
      });
}

Tensor scatter_value(const Tensor& self, int64_t dim, const Tensor& index, const Scalar& value,
                     Dst dst) {
  check_integer_index("scatter", index);
  const int64_t at = wrap_dim(dim, self.dim());
  check_scatter_shape(self, index, at, nullptr);
  check_fits(value, self.dtype());
  Tensor out = start_from("scatter_", self, dst);
  scatter_raw(Access::Put, out, at, apart(index, out),
              repeated(scalar_tensor(value, self.dtype()), index.shape()));
  return record(
      finish("scatter", dst, self, out), "ScatterBackward1", {&self}, saved(index),
      [at](const Tensor& g, const Tensor& i) { return scatter_value(g, at, i, Scalar(0)); });
}

Tensor scatter_add(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& src,
                   Dst dst) {
  check_integer_index("scatter", index);
  const int64_t at = wrap_dim(dim, self.dim());
  check(self.dtype() == src.dtype(), "scatter(): Expected self.dtype to be equal to src.dtype");
  check_scatter_shape(self, index, at, &src);
  Tensor out = start_from("scatter_add_", self, dst);
  scatter_raw(Access::Add, out, at, apart(index, out), apart(src, out));
  return record(
      finish("scatter_add", dst, self, out), "ScatterAddBackward0", {&self, &src}, saved(index),
      [](const Tensor& g, const Tensor&) { return g; },
      [at](const Node& node, const Tensor& g, const Tensor& i) {
        return in_front(gather(g, at, i), node.input_shape(1));
      });
}

Tensor index_select(const Tensor& self, int64_t dim, const Tensor& index, Dst dst) {
  const int64_t at = wrap_dim(dim, self.dim());
  check<IndexError>(index.dim() <= 1, "index_select(): Index is supposed to be a vector");
  check(index.dtype() == DType::Int64 || index.dtype() == DType::Int32,
        "index_select(): Expected dtype int32 or int64 for index");
  check(self.dim() > 0 || index.numel() == 1,
        "index_select(): Index to scalar can have only 1 value, got {} value(s)", index.numel());
  check(extent(self, at) > 0 || index.numel() == 0,
        "index_select(): self indexing axis dim should be positive");
  check_out(dst, self.dtype(), {&self, &index});
  const IndexTensor checked = IndexTensor::checked(raw_1d(index), 0, extent(self, at), [](int64_t) {
    fail<IndexError>("index out of range in self");
  });
  Dims shape(self.shape());
  if (self.dim()) shape[at] = index.numel();
  Tensor out = empty(shape, self.dtype());
  run_slices(Access::Get, raw_1d(self), at, raw_1d(out), checked);
  return record(deliver("index_select", dst, out), "IndexSelectBackward0", {&self}, saved(index),
                [at](const Node& node, const Tensor& g, const Tensor& i) {
                  const Tensor zero = zeros(node.input_shape(0), g.dtype());
                  return index_add(zero, at, i, g, Scalar(1), Dst::inplace(zero));
                });
}

Tensor index_add(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& source,
                 const Scalar& alpha, Dst dst) {
  const int64_t at = wrap_dim(dim, self.dim());
  check<IndexError>(index.dim() <= 1,
                    "index_add_(): Index is supposed to be a vector, but got dim: {} with type: {} "
                    "and size: {}",
                    index.dim(), index.dtype(), index.shape());
  check(index.dtype() == DType::Int64 || index.dtype() == DType::Int32,
        "index_add_(): Expected dtype int32/int64 for index but got: {}", index.dtype());
  check(self.dtype() == source.dtype(),
        "index_add_(): self ({}) and source ({}) must have the same scalar type", self.dtype(),
        source.dtype());
  Dims a(self.shape()), b(source.shape());
  if (source.dim()) {
    check(at < source.dim(),
          "index_add_(): Indexing dim {} is out of bounds of the source tensor "
          "with dim {}",
          at, source.dim());
  }
  check(
      index.numel() == extent(source, at),
      "index_add_(): Number of indices ({}) should be equal to source.size(dim): ({}), for dim: {}",
      index.numel(), extent(source, at), at);
  if (self.dim()) a.erase(static_cast<int>(at));
  if (source.dim() && self.dim()) b.erase(static_cast<int>(at));
  check(a == b || (self.dim() <= 1 && source.dim() <= 1 && index.numel() <= 1),
        "source tensor shape must match self tensor shape, excluding the specified dimension. Got "
        "self.shape = {} source.shape = {}",
        self.shape(), source.shape());
  Tensor out = start_from("index_add_", self, dst);
  {
    GradModeGuard off(false);
    const int64_t n = extent(self, at);
    const auto outside = [&](int64_t bad) {  // PyTorch takes another way for matrices
      check(self.dim() != 2, "index {} is out of bounds for dimension {} with size {}", bad, at, n);
      fail<IndexError>("index out of range in self");
    };
    const IndexTensor checked = IndexTensor::checked(raw_1d(apart(index, out)), 0, n, outside);
    const Tensor part = alpha.equals(1) ? apart(source, out)
                                        : mul(source, scalar_tensor(alpha, self.dtype(), true));
    run_slices(Access::Add, raw_1d(out), at, raw_1d(part), checked);
  }
  return record(
      finish("index_add", dst, self, out), "IndexAddBackward0", {&self, &source}, saved(index),
      [](const Tensor& g, const Tensor&) { return g; },
      [at, alpha](const Node& node, const Tensor& g, const Tensor& i) {
        Tensor part = index_select(g, at, i);
        if (!equal(part.shape(), node.input_shape(1))) part = reshape(part, node.input_shape(1));
        const Scalar factor = alpha.is_complex() ? Scalar(alpha.real(), -alpha.imag()) : alpha;
        return factor.equals(1) ? part : mul(part, factor);
      });
}

Tensor index_copy(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& source,
                  Dst dst) {
  const int64_t at = wrap_dim(dim, self.dim());
  check<IndexError>(index.dim() <= 1, "index_copy_(): Index should have dimension 1 or 0 (got {})",
                    index.dim());
  check(index.dtype() == DType::Int64,
        "index_copy_(): Expected a long tensor for index, but got {}", index.dtype());
  check(self.dtype() == source.dtype(),
        "index_copy_(): self and source expected to have the same dtype, but got (self) {} and "
        "(source) {}",
        self.dtype(), source.dtype());
  check<IndexError>(source.dim() != 0 || index.numel() == 1,
                    "index_copy_(): When source is scalar, index should have one element (got {})",
                    index.numel());
  check<IndexError>(source.dim() == self.dim() || source.dim() == 0 || self.dim() == 0,
                    "index_copy_(): When source and destination are not scalars, their "
                    "dimensionality must match. Source dimensionality ({}), destination "
                    "dimensionality ({})",
                    source.dim(), self.dim());
  check<IndexError>(
      source.dim() == 0 || (at < source.dim() && index.numel() == source->shape[at]),
      "index_copy_(): Number of indices ({}) should be equal to source.size(dim) ({})",
      index.numel(), extent(source, std::min(at, std::max<int64_t>(source.dim() - 1, 0))));
  for (int64_t d = 0; d < std::max(self.dim(), source.dim()); ++d) {
    const int64_t a = d < self.dim() ? self->shape[d] : 1;
    const int64_t b = d < source.dim() ? source->shape[d] : 1;
    Dims x(self.shape()), y(source.shape());
    if (x.size()) x.erase(static_cast<int>(at));
    if (y.size()) y.erase(static_cast<int>(at));
    check(d == at || a == b,
          "index_copy_(): Source/destination tensor must have same slice shapes. Destination slice "
          "shape: {} at dimension {} and source slice shape: {} at dimension {}.",
          x, at, y, 0);
  }
  const auto outside = [&](int64_t bad) {
    fail<IndexError>("index_copy_(): index {} is out of bounds for dimension {} with size {}", bad,
                     at, extent(self, at));
  };
  Tensor out = start_from("index_copy_", self, dst);
  const IndexTensor checked =
      IndexTensor::checked(raw_1d(apart(index, out)), 0, extent(self, at), outside);
  run_slices(Access::Put, raw_1d(out), at, raw_1d(apart(source, out)), checked);
  return record(
      finish("index_copy", dst, self, out), "IndexCopyBackward0", {&self, &source}, saved(index),
      [at](const Tensor& g, const Tensor& i) {
        return index_fill(g, at, i, scalar_tensor(0, g.dtype()));
      },
      [at](const Node& node, const Tensor& g, const Tensor& i) {
        return reshape(index_select(g, at, i), node.input_shape(1));
      });
}

Tensor index_fill(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& value,
                  Dst dst) {
  const int64_t at = wrap_dim(dim, self.dim());
  check(value.dim() == 0,
        "index_fill_ only supports a 0-dimensional value tensor, but got tensor with {} "
        "dimension(s).",
        value.dim());
  check<IndexError>(index.dtype() == DType::Int64,
                    "index_fill_(): Expected dtype int64 for index.");
  check(index.dim() <= 1, "Index has to be a vector/scalar");
  check(is_complex(self.dtype()) || !is_complex(value.dtype()),
        "index_fill_(): Converting complex Scalar to non-complex type is not supported");
  const int64_t n = extent(self, at);
  const auto outside = [&](int64_t bad) {
    fail<IndexError>("index {} is out of bounds for dimension {} with size {}", bad, at, n);
  };
  Tensor places;
  {
    GradModeGuard off(false);
    IndexTensor::checked(index, -n, n, outside);
    places = where(lt(index, wrap(Scalar(0))), add(index, Scalar(n)), index);
  }
  const IndexTensor checked = IndexTensor::checked(raw_1d(places), 0, n, outside);
  Tensor out = start_from("index_fill_", self, dst);
  Dims shape(raw_1d(self).shape());
  shape[at] = index.numel();
  Tensor one = empty(Dims{}, self.dtype());
  copy_into(one, value);
  run_slices(Access::Put, raw_1d(out), at, repeated(one, shape), checked);
  return record(
      finish("index_fill", dst, self, out), "IndexFillBackward0", {&self, &value}, saved(places),
      [at](const Tensor& g, const Tensor& i) {
        return index_fill(g, at, i, scalar_tensor(0, g.dtype()));
      },
      [at](const Tensor& g, const Tensor& i) {
        return sum(index_select(g, at, std::get<0>(unique(i, false, false))));  // each place once
      });
}

namespace {

// Positions in the flattened self, wrapped.
Tensor flat_places(const char* op, const Tensor& self, const Tensor& index) {
  check(index.dtype() == DType::Int64 || index.dtype() == DType::Int32,
        "{}(): Expected a long tensor for index, but got {}", op, index.dtype());
  const int64_t n = self.numel();
  GradModeGuard off(false);
  IndexTensor::checked(index, -n, n, [&](int64_t bad) {
    fail<IndexError>("out of range: tried to access index {} on a tensor of {} elements.", bad, n);
  });
  return where(lt(index, wrap(Scalar(0))), add(index, Scalar(n)), index);
}

// dense <-> the flattened place (contiguous).
void run_flat(Access access, const Tensor& place, const Tensor& places, const Tensor& dense) {
  const IndexTensor checked = index_for<IndexError>(places, 0, place.numel());
  run_indexed(access, {place, Dims(static_cast<int>(dense.dim()), 0), dense, checked,
                       Dims(checked.values().strides()), 1});
}

}  // namespace

Tensor take(const Tensor& self, const Tensor& index, Dst dst) {
  check<IndexError>(self.numel() > 0 || index.numel() == 0,
                    "take(): tried to take from an empty tensor");
  check_out(dst, self.dtype(), {&self, &index});
  const Tensor places = flat_places("take", self, index);
  Tensor out = empty(index.shape(), self.dtype());
  if (out.numel()) run_flat(Access::Get, raw_contiguous(self), places, out);
  return record(deliver("take", dst, out), "TakeBackward0", {&self}, saved(places),
                [](const Node& node, const Tensor& g, const Tensor& i) {
                  const Tensor zero = zeros(node.input_shape(0), g.dtype());
                  return put(zero, i, g, true, Dst::inplace(zero));
                });
}

Tensor put(const Tensor& self, const Tensor& index, const Tensor& source, bool accumulate,
           Dst dst) {
  check<IndexError>(
      index.numel() == source.numel(),
      "put_(): Expected source and index to have the same number of elements, but got "
      "source.numel() = {}, index.numel() = {}",
      source.numel(), index.numel());
  check(self.dtype() == source.dtype(),
        "put_(): self and source expected to have the same dtype, but got self.dtype = {} and "
        "source.dtype = {}",
        self.dtype(), source.dtype());
  check<IndexError>(self.numel() > 0 || index.numel() == 0,
                    "put_(): Cannot put elements in an empty tensor");
  const Tensor places = flat_places("put_", self, index);
  const bool direct = writes_self(self, dst) && self.is_contiguous();
  Tensor out = direct ? prepare_result("put_", dst, self.shape(), self.dtype())
                      : empty(self.shape(), self.dtype());
  if (!direct) copy_into(out, self);
  if (index.numel()) {
    const Tensor flat_index = raw_contiguous(places),
                 flat_source = raw_contiguous(apart(source, out));
    const Dims n{index.numel()}, one{1};
    run_flat(accumulate ? Access::Add : Access::Put, out,
             raw_view(flat_index, n, one, flat_index.offset()),
             raw_view(flat_source, n, one, flat_source.offset()));
  }
  if (!dst && !self.is_contiguous()) {
    Tensor same = empty_as(self, self.dtype());  // keeps self's strides
    copy_into(same, out);
    out = same;
  }
  return record(
      direct ? out : deliver("put", dst, out), "PutBackward0", {&self, &source}, saved(places),
      [accumulate](const Tensor& g, const Tensor& i) {
        return accumulate ? g : put(g, i, zeros(i.shape(), g.dtype()));
      },
      [](const Node& node, const Tensor& g, const Tensor& i) {
        return reshape(take(g, i), node.input_shape(1));
      });
}

Tensor take_along_dim(const Tensor& self, const Tensor& indices, OptInt dim, Dst dst) {
  check(indices.dtype() == DType::Int64,
        "torch.take_along_dim(): dtype of indices should be Long but got {}",
        scalar_name(indices.dtype()));
  if (!dim) return gather(view(self, Dims{-1}), 0, reshape(indices, Dims{-1}), dst);
  check(self.dim() == indices.dim(),
        "torch.take_along_dim(): input and indices should have the same number of dimensions, but "
        "got {} dimensions for input, and {} dimensions for indices",
        self.dim(), indices.dim());
  const int64_t at = wrap_dim(*dim, self.dim());
  if (self.dim() == 0) return gather(self, at, remainder(indices, wrap(Scalar(1))), dst);
  // Everything but dim broadcasts; indices wrap around.
  Dims a(self.shape()), b(indices.shape());
  a[at] = b[at] = 1;
  Dims index_shape = broadcast_shapes(a, b), self_shape = index_shape;
  index_shape[at] = indices->shape[at];
  self_shape[at] = self->shape[at];
  Tensor places = indices;
  if (self->shape[at] > 0) places = remainder(indices, wrap(Scalar(self->shape[at])));
  return gather(expand(self, self_shape), at, expand(places, index_shape), dst);
}

namespace {

// scatter with reduce=: as in PyTorch without a derivative.
Tensor scatter_reduce_src(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& src,
                          std::string_view reduce, Dst dst) {
  check(reduce == "add" || reduce == "multiply", "reduce argument must be either add or multiply.");
  check_integer_index("scatter", index);
  const int64_t at = wrap_dim(dim, self.dim());
  check(self.dtype() == src.dtype(), "scatter(): Expected self.dtype to be equal to src.dtype");
  check_scatter_shape(self, index, at, &src);
  Tensor out = start_from("scatter_", self, dst);
  scatter_raw(reduce == "add" ? Access::Add : Access::Multiply, out, at, apart(index, out),
              apart(src, out));
  auto refuse = [](const Tensor&) -> Tensor {
    fail("derivative for aten::scatter is not implemented");
  };
  return record(finish("scatter", dst, self, out), "NotImplemented", {&self, &src}, saved(), refuse,
                refuse);
}
Tensor scatter_reduce_value(const Tensor& self, int64_t dim, const Tensor& index,
                            const Scalar& value, std::string_view reduce, Dst dst) {
  check_fits(value, self.dtype());
  const Tensor src = repeated(scalar_tensor(value, self.dtype()), index.shape());
  return scatter_reduce_src(self, dim, index, src, reduce, dst);
}
Tensor index_fill_scalar(const Tensor& self, int64_t dim, const Tensor& index, const Scalar& value,
                         Dst dst) {
  check(is_complex(self.dtype()) || !value.is_complex(),
        "index_fill_(): Converting complex Scalar to non-complex type is not supported");
  check_fits(value, self.dtype());
  return index_fill(self, dim, index, scalar_tensor(value, self.dtype()), dst);
}
Tensor gather_row(const Tensor& self, int64_t dim, const Tensor& index, Ignored, Dst dst) {
  return gather(self, dim, index, dst);
}

}  // namespace

void register_index_dim(OpTable& ops) {
  ops.add("gather(Tensor self, int dim, Tensor index, *, bool sparse_grad=False) -> Tensor",
          gather_row, Both | Out,
          "Returns ``out[i][j] = self[index[i][j]][j]`` (for dim 0), of index's shape.\n"
          "``index`` is int64 or int32; RuntimeError for an index outside of ``[0, size)``.");
  const char* scatter_doc =
      "Returns ``self`` with ``out[index[i][j]][j] = src[i][j]`` (for dim 0).\n"
      "``src`` has self's dtype and at least index's shape, or is one number.";
  const uint32_t faces = Elementwise;
  ops.add("scatter(Tensor self, int dim, Tensor index, Tensor src) -> Tensor", scatter, faces,
          scatter_doc);
  ops.add("scatter(Tensor self, int dim, Tensor index, Scalar value) -> Tensor", scatter_value,
          faces, scatter_doc);
  ops.add("scatter(Tensor self, int dim, Tensor index, Tensor src, *, str reduce) -> Tensor",
          scatter_reduce_src, faces, scatter_doc);
  ops.add("scatter(Tensor self, int dim, Tensor index, Scalar value, *, str reduce) -> Tensor",
          scatter_reduce_value, faces, scatter_doc);
  ops.add("scatter_add(Tensor self, int dim, Tensor index, Tensor src) -> Tensor", scatter_add,
          faces, "Returns ``self`` with ``out[index[i][j]][j] += src[i][j]`` (for dim 0).");
  ops.add("index_select(Tensor self, int dim, Tensor index) -> Tensor", index_select, Both | Out,
          "Returns the slices of ``self`` along ``dim`` that the vector ``index`` names.");
  ops.add(
      "index_add(Tensor self, int dim, Tensor index, Tensor source, *, Scalar alpha=1) -> Tensor",
      index_add, Both | Inplace | Out,
      "Returns ``self`` with ``alpha * source``'s slices added at the places of ``index``.");
  ops.add("index_copy(Tensor self, int dim, Tensor index, Tensor source) -> Tensor", index_copy,
          Both | Inplace | Out,
          "Returns ``self`` with source's slices at the places of ``index``.");
  ops.add("index_fill(Tensor self, int dim, Tensor index, Tensor value) -> Tensor", index_fill,
          Both | Inplace, "Returns ``self`` with ``value`` in the slices that ``index`` names.");
  ops.add("index_fill(Tensor self, int dim, Tensor index, Scalar value) -> Tensor",
          index_fill_scalar, Both | Inplace,
          "Returns ``self`` with ``value`` in the slices that ``index`` names.");
  ops.add("take(Tensor self, Tensor index) -> Tensor", take, Both | Out,
          "Returns the elements of the flattened ``self`` at ``index`` (negative: from the end).");
  ops.add("put(Tensor self, Tensor index, Tensor source, bool accumulate=False) -> Tensor", put,
          Both | Inplace, "Returns ``self`` with ``source`` at flat places ``index``.");
  ops.add("take_along_dim(Tensor self, Tensor indices, int? dim=None) -> Tensor", take_along_dim,
          Both | Out,
          "Returns gather with everything but ``dim`` broadcast; flat without ``dim``.");
}

}  // namespace d2l
