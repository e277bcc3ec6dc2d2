// Views of one tensor: a new geometry, the base it looks into, and the node that undoes it.
#include "ops/view_parts.h"

namespace d2l {
namespace {

Tensor undo_by_reshape(const Node& node, const Tensor& g) {
  return reshape(g, node.input_shape(0));
}

// A shape in which one entry may be -1.
Dims infer_size(IntList shape, int64_t numel) {
  Dims out(shape);
  int64_t known = 1, unknown = -1;
  bool overflow = false;
  for (int64_t i = 0; i < out.size(); ++i) {
    if (out[i] == -1) {
      check(unknown < 0, "only one dimension can be inferred");
      unknown = i;
    } else {
      check(out[i] >= 0, "invalid shape dimension {} at index {} of shape {}", out[i], i, shape);
      overflow |= __builtin_mul_overflow(known, out[i], &known);
    }
  }
  if (overflow) known = checked_numel(shape);  // throws, unless some extent is 0
  if (unknown < 0) {
    check(known == numel, "shape '{}' is invalid for input of size {}", shape, numel);
    return out;
  }
  if (known == 0) {
    check(numel == 0, "shape '{}' is invalid for input of size {}", shape, numel);
    fail(
        "cannot reshape tensor of 0 elements into shape {} because the unspecified dimension size "
        "-1 can be any value and is ambiguous",
        shape);
  }
  check(numel % known == 0, "shape '{}' is invalid for input of size {}", shape, numel);
  out[unknown] = numel / known;
  return out;
}

// The strides with which self's memory reads as `shape`, if there are any.
bool view_strides(const Tensor& self, const Dims& shape, Dims& out) {
  if (self.is_contiguous()) {
    out = contiguous_strides(shape);
    return true;
  }
  out = Dims(shape.size(), 1);
  // Self's dimensions, from the inside, fall into runs of equally spaced elements; the new
  // dimensions have to fill one run after the other.
  int64_t d = shape.size() - 1, run = 1, filled = 1;
  int64_t step = self.dim() ? self->strides[self.dim() - 1] : 1;
  for (int64_t k = self.dim() - 1; k >= 0; --k) {
    run *= self->shape[k];
    if (k > 0 && (self->shape[k - 1] == 1 || self->strides[k - 1] == run * step)) continue;
    while (d >= 0 && (filled < run || shape[d] == 1)) {
      out[d] = filled * step;
      filled *= shape[d--];
    }
    if (filled != run) return false;
    if (k > 0) {
      step = self->strides[k - 1];
      run = filled = 1;
    }
  }
  return d == -1;
}

Tensor view_to(const Tensor& self, const Dims& shape, const Dims& strides) {
  return record(make_view(self, shape, strides, self.offset()), "ViewBackward0", {&self}, saved(),
                undo_by_reshape);
}

}  // namespace

Tensor view(const Tensor& self, IntList size) {
  const Dims shape = infer_size(size, self.numel());
  Dims strides;
  check(view_strides(self, shape, strides),
        "view size is not compatible with input tensor's size and stride (at least one dimension "
        "spans across two contiguous subspaces). Use .reshape(...) instead.");
  return view_to(self, shape, strides);
}

Tensor reshape(const Tensor& self, IntList size) {
  const Dims shape = infer_size(size, self.numel());
  Dims strides;
  if (view_strides(self, shape, strides)) return view_to(self, shape, strides);
  Tensor copy = empty(self.shape(), self.dtype());
  copy_into(copy, self);
  record(copy, "CloneBackward0", {&self}, saved(), [](const Tensor& g) { return g; });
  Tensor out = raw_view(copy, shape, contiguous_strides(shape), 0);
  return record(out, "UnsafeViewBackward0", {&copy}, saved(), undo_by_reshape);
}

Tensor view_dtype(const Tensor& self, DType dtype) {
  if (self.dtype() == dtype) return view_to(self, Dims(self.shape()), Dims(self.strides()));
  const int64_t from = self.item_bytes(), to = itemsize(dtype);
  Dims shape(self.shape()), strides(self.strides());
  int64_t offset = self.offset();
  const int last = shape.size() - 1;
  if (from != to) {
    check(last >= 0, "self.dim() cannot be 0 to view {} as {} (different element sizes)",
          self.dtype(), dtype);
    check(strides[last] == 1,
          "self.stride(-1) must be 1 to view {} as {} (different element sizes), but got {}",
          self.dtype(), dtype, strides[last]);
  }
  if (from > to) {
    const int64_t ratio = from / to;
    bool overflow = __builtin_mul_overflow(shape[last], ratio, &shape[last]);
    for (int i = 0; i < last; ++i)
      overflow |= __builtin_mul_overflow(strides[i], ratio, &strides[i]);
    overflow |= __builtin_mul_overflow(offset, ratio, &offset);
    check(!overflow, "view: sizes {} of {} overflow as {}", self.shape(), self.dtype(), dtype);
  } else if (from < to) {
    const int64_t ratio = to / from;
    check(shape[last] % ratio == 0,
          "self.size(-1) must be divisible by {} to view {} as {} (different element sizes), but "
          "got {}",
          ratio, self.dtype(), dtype, shape[last]);
    check(offset % ratio == 0,
          "self.storage_offset() must be divisible by {} to view {} as {} (different element "
          "sizes), but got {}",
          ratio, self.dtype(), dtype, offset);
    for (int i = 0; i < last; ++i) {
      check(strides[i] % ratio == 0,
            "self.stride({}) must be divisible by {} to view {} as {} (different element sizes), "
            "but got {}",
            i, ratio, self.dtype(), dtype, strides[i]);
      strides[i] /= ratio;
    }
    shape[last] /= ratio;
    offset /= ratio;
  }
  return raw_view(self, shape, strides, offset, dtype);  // not differentiable
}

Tensor flatten(const Tensor& self, int64_t start_dim, int64_t end_dim) {
  const int64_t start = wrap_dim(start_dim, self.dim()), end = wrap_dim(end_dim, self.dim());
  check(start <= end, "flatten() has invalid args: start_dim cannot come after end_dim");
  if (self.dim() == 0) return reshape(self, Dims{1});
  if (start == end) return self;
  Dims shape;
  for (int64_t d = 0; d < self.dim(); ++d) {
    if (d <= start || d > end) {
      shape.push_back(self->shape[d]);
    } else {
      shape[start] *= self->shape[d];
    }
  }
  return reshape(self, shape);
}

Tensor unflatten(const Tensor& self, int64_t dim, IntList sizes) {
  const int64_t at = wrap_dim(dim, self.dim());
  check(!sizes.empty(), "unflatten: sizes must be non-empty");
  const int64_t extent = self.dim() ? self->shape[at] : 1;
  int64_t known = 1, unknown = 0;
  bool overflow = false;
  for (int64_t s : sizes) {
    if (s == -1) {
      ++unknown;
    } else {
      overflow |= __builtin_mul_overflow(known, s, &known);
    }
  }
  check(unknown <= 1, "unflatten got an unexpected error:\nonly one dimension can be inferred");
  check(!overflow && (unknown ? known != 0 && extent % known == 0 : known == extent),
        "unflatten: Provided sizes {} don't multiply up to the size of dim {} ({}) in the input "
        "tensor",
        sizes, at, extent);
  Dims shape;
  for (int64_t d = 0; d < std::max<int64_t>(self.dim(), 1); ++d) {
    if (d != at) {
      shape.push_back(self->shape[d]);
      continue;
    }
    for (int64_t s : sizes) shape.push_back(s == -1 ? extent / known : s);
  }
  return view(self, shape);
}

Tensor ravel(const Tensor& self) { return view(contiguous(self), Dims{-1}); }

Tensor transpose(const Tensor& self, int64_t dim0, int64_t dim1) {
  const int64_t a = wrap_dim(dim0, self.dim()), b = wrap_dim(dim1, self.dim());
  Dims shape(self.shape()), strides(self.strides());
  if (self.dim()) {
    std::swap(shape[a], shape[b]);
    std::swap(strides[a], strides[b]);
  }
  return record(make_view(self, shape, strides, self.offset()), "TransposeBackward0", {&self},
                saved(), [a, b](const Tensor& g) { return transpose(g, a, b); });
}

Tensor t(const Tensor& self) {
  check(self.dim() <= 2, "t() expects a tensor with <= 2 dimensions, but self is {}D", self.dim());
  Dims shape(self.shape()), strides(self.strides());
  std::reverse(shape.begin(), shape.end());
  std::reverse(strides.begin(), strides.end());
  return record(make_view(self, shape, strides, self.offset()), "TBackward0", {&self}, saved(),
                [](const Tensor& g) { return t(g); });
}

Tensor mT(const Tensor& self) {
  check(self.dim() >= 2,
        "tensor.mT is only supported on matrices or batches of matrices. Got {}-D tensor.",
        self.dim());
  return transpose(self, -2, -1);
}

Tensor mH(const Tensor& self) {
  check(self.dim() >= 2,
        "tensor.mH is only supported on matrices or batches of matrices. Got {}-D tensor.",
        self.dim());
  return conj(transpose(self, -2, -1));
}

Tensor matrix_H(const Tensor& self) {
  check(self.dim() == 2 || self.dim() == 0,
        "tensor.H is only supported on matrices (2-D tensors). Got {}-D tensor.{}", self.dim(),
        self.dim() > 2 ? " For batches of matrices, consider using tensor.mH" : "");
  return self.dim() == 2 ? conj(transpose(self, 0, 1)) : conj(self);
}

Tensor permute(const Tensor& self, IntList dims) {
  const int64_t n = self.dim();
  check(
      static_cast<int64_t>(dims.size()) == n,
      "permute(sparse_coo): number of dimensions in the tensor input does not match the length of "
      "the desired ordering of dimensions i.e. input.dim() = {} is not equal to len(dims) = {}",
      n, static_cast<int64_t>(dims.size()));
  Dims shape, strides, inverse(static_cast<int>(n), -1);
  for (int64_t i = 0; i < n; ++i) {
    const int64_t d = wrap_dim(dims[i], n);
    check(inverse[d] < 0, "permute(): duplicate dims are not allowed.");
    inverse[d] = i;
    shape.push_back(self->shape[d]);
    strides.push_back(self->strides[d]);
  }
  return record(make_view(self, shape, strides, self.offset()), "PermuteBackward0", {&self},
                saved(), [inverse](const Tensor& g) { return permute(g, inverse); });
}

Tensor numpy_T(const Tensor& self) {
  Dims dims;
  for (int64_t d = self.dim() - 1; d >= 0; --d) dims.push_back(d);
  return permute(self, dims);
}

Tensor movedim(const Tensor& self, IntList source, IntList destination) {
  const int64_t n = self.dim();
  check(source.size() == destination.size(),
        "movedim: Invalid source or destination dims: source ({} dims) should contain the same "
        "number of dims as destination ({} dims)",
        source, destination);
  Dims order(static_cast<int>(n), -1), taken(static_cast<int>(n), 0);
  for (size_t i = 0; i < source.size(); ++i) {
    const int64_t from = wrap_dim(source[i], n), to = wrap_dim(destination[i], n);
    if (n == 0) continue;
    check(!taken[from], "movedim: repeated dim in `source` ({})", source);
    check(order[to] < 0, "movedim: repeated dim in `destination` ({})", destination);
    taken[from] = 1;
    order[to] = from;
  }
  int64_t next = 0;
  for (int64_t& d : order) {
    if (d >= 0) continue;
    while (taken[next]) ++next;
    d = next++;
  }
  return permute(self, order);
}

Tensor expand(const Tensor& self, IntList size) {
  const int64_t n = static_cast<int64_t>(size.size()), have = self.dim();
  check(n >= have,
        "expand(torch.{}Tensor{{}}, size={}): the number of sizes provided ({}) must be greater or "
        "equal to the number of dimensions in the tensor ({})",
        self.dtype(), self.shape(), size, n, have);
  Dims shape(size), strides(static_cast<int>(n), 0);
  for (int64_t i = n - 1; i >= 0; --i) {
    const int64_t d = i - (n - have);
    if (d < 0) {
      check(
          shape[i] >= 0,
          "The expanded size of the tensor ({}) isn't allowed in a leading, non-existing dimension "
          "{}",
          shape[i], i);
      continue;
    }
    if (shape[i] == -1) shape[i] = self->shape[d];
    check(shape[i] == self->shape[d] || (self->shape[d] == 1 && shape[i] >= 0),
          "The expanded size of the tensor ({}) must match the existing size ({}) at non-singleton "
          "dimension {}.  Target sizes: {}.  Tensor sizes: {}",
          shape[i], self->shape[d], i, size, self.shape());
    strides[i] = shape[i] == self->shape[d] ? self->strides[d] : 0;
  }
  return record(make_view(self, shape, strides, self.offset()), "ExpandBackward0", {&self}, saved(),
                [](const Tensor& g) { return g; });
}

bool is_expandable_to(IntList from, IntList to) {
  if (from.size() > to.size()) return false;
  for (size_t i = 1; i <= from.size(); ++i) {
    const int64_t a = from[from.size() - i];
    if (a != 1 && a != to[to.size() - i]) return false;
  }
  return true;
}

Tensor sum_to_size(const Tensor& self, IntList size) {
  if (size.empty()) return sum(self);
  if (equal(self.shape(), size)) return self;
  check(is_expandable_to(size, self.shape()), "size {{}} is not expandable to size {{}}.", size,
        self.shape());
  const int64_t lead = self.dim() - static_cast<int64_t>(size.size());
  Dims dims;
  for (int64_t d = 0; d < self.dim(); ++d) {
    if (d < lead || (size[d - lead] == 1 && self->shape[d] != 1)) dims.push_back(d);
  }
  Tensor out = dims.empty() ? self : sum(self, IntList(dims), true);
  return lead ? reshape(out, size) : out;
}

namespace {

Tensor squeeze_where(const Tensor& self, const char* node, uint32_t mask) {
  Dims shape, strides;
  for (int64_t d = 0; d < self.dim(); ++d) {
    if (self->shape[d] == 1 && (mask >> d & 1)) continue;
    shape.push_back(self->shape[d]);
    strides.push_back(self->strides[d]);
  }
  return record(make_view(self, shape, strides, self.offset()), node, {&self}, saved(),
                undo_by_reshape);
}

}  // namespace

Tensor squeeze(const Tensor& self) { return squeeze_where(self, "SqueezeBackward0", ~0u); }

Tensor squeeze_dims(const Tensor& self, IntList dim) {
  uint32_t mask = 0;
  for (int64_t d : dim) {
    const int64_t at = wrap_dim(d, self.dim());
    check(!(mask >> at & 1), "dim {} appears multiple times in the list of dims", at);
    mask |= 1u << at;
  }
  return squeeze_where(self, dim.size() == 1 ? "SqueezeBackward1" : "SqueezeBackward2", mask);
}

Tensor unsqueeze(const Tensor& self, int64_t dim) {
  const int64_t at = wrap_dim(dim, self.dim() + 1);
  Dims shape(self.shape()), strides(self.strides());
  strides.insert(static_cast<int>(at),
                 at < self.dim() ? self->strides[at] * std::max<int64_t>(self->shape[at], 1) : 1);
  shape.insert(static_cast<int>(at), 1);
  if (strides[at] < 0) strides[at] = 1;  // wrapped around; never walked
  return record(make_view(self, shape, strides, self.offset()), "UnsqueezeBackward0", {&self},
                saved(), [at](const Tensor& g) { return squeeze_dims(g, Dims{at}); });
}

Tensor slice(const Tensor& self, int64_t dim, OptInt start, OptInt end, int64_t step) {
  check(self.dim() > 0, "slice() cannot be applied to a 0-dim tensor.");
  const int64_t at = wrap_dim(dim, self.dim());
  check(step > 0, "slice step must be positive");
  const int64_t n = self->shape[at];
  auto place = [n](int64_t i) { return std::clamp<int64_t>(i < 0 ? i + n : i, 0, n); };
  const int64_t from = place(start.value_or(0));
  const int64_t to = std::max(place(end.value_or(n)), from);
  Dims shape(self.shape()), strides(self.strides());
  shape[at] = to == from ? 0 : (to - from - 1) / step + 1;
  // With one element or none the stride is never used: it must only stay small enough.
  if (__builtin_mul_overflow(strides[at], step, &strides[at]) || strides[at] > INT64_MAX / 64) {
    strides[at] = self->strides[at];
  }
  const int64_t offset = self.offset() + (self.numel() == 0 ? 0 : from * self->strides[at]);
  return record(make_view(self, shape, strides, offset), "SliceBackward0", {&self}, saved(),
                [at, from, to, step](const Node& node, const Tensor& g) {
                  return slice_backward(g, node.input_shape(0), at, from, to, step);
                });
}

Tensor narrow(const Tensor& self, int64_t dim, int64_t start, int64_t length) {
  check(self.dim() > 0, "narrow() cannot be applied to a 0-dim tensor.");
  check(length >= 0, "narrow(): length must be non-negative.");
  const int64_t at = wrap_dim(dim, self.dim());
  const int64_t n = self->shape[at];
  check<IndexError>(start >= -n && start <= n,
                    "start out of range (expected to be in range of [{}, {}], but got {})", -n, n,
                    start);
  const int64_t from = start < 0 ? start + n : start;
  check(length <= n - from, "start ({}) + length ({}) exceeds dimension size ({}).", from, length,
        n);
  return slice(self, at, from, from + length);
}

Tensor select(const Tensor& self, int64_t dim, int64_t index) {
  check<IndexError>(self.dim() > 0, "select() cannot be applied to a 0-dim tensor.");
  const int64_t at = wrap_dim(dim, self.dim());
  const int64_t n = self->shape[at];
  check<IndexError>(index >= -n && index < n,
                    "select(): index {} out of range for tensor of size {} at dimension {}", index,
                    self.shape(), at);
  const int64_t i = index < 0 ? index + n : index;
  Dims shape(self.shape()), strides(self.strides());
  shape.erase(static_cast<int>(at));
  strides.erase(static_cast<int>(at));
  const int64_t offset = self.offset() + (self.numel() == 0 ? 0 : i * self->strides[at]);
  return record(make_view(self, shape, strides, offset), "SelectBackward0", {&self}, saved(),
                [at, i](const Node& node, const Tensor& g) {
                  return select_backward(g, node.input_shape(0), at, i);
                });
}

Tensor diagonal(const Tensor& self, int64_t offset, int64_t dim1, int64_t dim2) {
  const int64_t a = wrap_dim(dim1, self.dim()), b = wrap_dim(dim2, self.dim());
  check(a != b, "diagonal dimensions cannot be identical {}, {}", dim1, dim2);
  const int64_t rows = self->shape[a], cols = self->shape[b];
  const int64_t n = std::max<int64_t>(
      offset >= 0 ? std::min(rows, cols - offset) : std::min(rows + offset, cols), 0);
  Dims shape, strides;
  for (int64_t d = 0; d < self.dim(); ++d) {
    if (d == a || d == b) continue;
    shape.push_back(self->shape[d]);
    strides.push_back(self->strides[d]);
  }
  shape.push_back(n);
  strides.push_back(self->strides[a] + self->strides[b]);
  int64_t start = self.offset();
  if (n > 0 && self.numel() > 0) {
    start += offset >= 0 ? offset * self->strides[b] : -offset * self->strides[a];
  }
  return record(make_view(self, shape, strides, start), "DiagonalBackward0", {&self}, saved(),
                [offset, a, b](const Node& node, const Tensor& g) {
                  return diagonal_backward(g, node.input_shape(0), offset, a, b);
                });
}

namespace {

// g at the place that `where` (a view op) gives it in a zero tensor.
template <class Where>
Tensor embed(const Tensor& g, IntList shape, Where where) {
  Tensor out = zeros(shape, g.dtype());
  GradModeGuard off(false);
  copy_into(where(out), g);
  return out;
}

}  // namespace

Tensor slice_backward(const Tensor& g, IntList input_shape, int64_t dim, int64_t start, int64_t end,
                      int64_t step) {
  auto where = [=](const Tensor& x) { return slice(x, dim, start, end, step); };
  return record(embed(g, input_shape, where), "SliceBackwardBackward0", {&g}, saved(), where);
}

Tensor select_backward(const Tensor& g, IntList input_shape, int64_t dim, int64_t index) {
  auto where = [=](const Tensor& x) { return select(x, dim, index); };
  return record(embed(g, input_shape, where), "SelectBackwardBackward0", {&g}, saved(), where);
}

Tensor diagonal_backward(const Tensor& g, IntList input_shape, int64_t offset, int64_t dim1,
                         int64_t dim2) {
  auto where = [=](const Tensor& x) { return diagonal(x, offset, dim1, dim2); };
  return record(embed(g, input_shape, where), "DiagonalBackwardBackward0", {&g}, saved(), where);
}

Tensor take_geometry(const Tensor& self, const Tensor& v) {
  if (GradMode::enabled() && self.requires_grad()) check_inplace_history(self);
  TensorImpl* p = self.impl();
  p->ndim = v->ndim;
  std::copy(v.shape().begin(), v.shape().end(), p->shape);
  std::copy(v.strides().begin(), v.strides().end(), p->strides);
  p->numel = v.numel();
  p->contiguous = v.is_contiguous();
  p->offset = v.offset();
  self.bump_version();
  if (v->autograd && v->autograd->grad_fn) {
    set_history(self, v->autograd->grad_fn, v->autograd->output_nr);
  }
  return self;
}

namespace {

Tensor view_as(const Tensor& self, const Tensor& other) { return view(self, other.shape()); }
Tensor reshape_as(const Tensor& self, const Tensor& other) { return reshape(self, other.shape()); }
Tensor expand_row(const Tensor& self, IntList size, Ignored) { return expand(self, size); }
Tensor expand_as(const Tensor& self, const Tensor& other) { return expand(self, other.shape()); }
Tensor squeeze_dim(const Tensor& self, int64_t dim) { return squeeze_dims(self, Dims{dim}); }
Tensor movedim_one(const Tensor& self, int64_t source, int64_t destination) {
  return movedim(self, Dims{source}, Dims{destination});
}
Tensor adjoint(const Tensor& self) {
  check(self.dim() != 1,
        "tensor.adjoint() is only supported on matrices or batches of matrices. "
        "Got {}-D tensor.",
        self.dim());
  return self.dim() == 0 ? conj(self) : mH(self);
}
Tensor narrow_tensor(const Tensor& self, int64_t dim, const Tensor& start, int64_t length) {
  check(start.dim() == 0 && is_integral(start.dtype()), "start must be an 0-dim integral Tensor.");
  return narrow(self, dim, item(start).to_int(), length);
}
Tensor narrow_copy(const Tensor& self, int64_t dim, int64_t start, int64_t length) {
  return clone(narrow(self, dim, start, length));
}
Tensor atleast_1d(const Tensor& self) { return self.dim() ? self : reshape(self, Dims{1}); }
Tensor atleast_2d(const Tensor& self) {
  if (self.dim() == 0) return reshape(self, Dims{1, 1});
  return self.dim() == 1 ? unsqueeze(self, 0) : self;
}
Tensor atleast_3d(const Tensor& self) {
  if (self.dim() == 0) return reshape(self, Dims{1, 1, 1});
  if (self.dim() == 1) return unsqueeze(unsqueeze(self, 0), -1);
  return self.dim() == 2 ? unsqueeze(self, -1) : self;
}
template <Tensor (*F)(const Tensor&)>
std::vector<Tensor> each(TensorList tensors) {
  std::vector<Tensor> out;
  for (const Tensor& x : tensors) out.push_back(F(x));
  return out;
}

Tensor transpose_(const Tensor& self, int64_t dim0, int64_t dim1) {
  return take_geometry(self, transpose(self, dim0, dim1));
}
Tensor t_(const Tensor& self) { return take_geometry(self, t(self)); }
Tensor squeeze_(const Tensor& self) { return take_geometry(self, squeeze(self)); }
Tensor squeeze_dim_(const Tensor& self, int64_t dim) {
  return take_geometry(self, squeeze_dim(self, dim));
}
Tensor squeeze_dims_(const Tensor& self, IntList dim) {
  return take_geometry(self, squeeze_dims(self, dim));
}
Tensor unsqueeze_(const Tensor& self, int64_t dim) {
  return take_geometry(self, unsqueeze(self, dim));
}

}  // namespace

void register_view(OpTable& ops) {
  ops.add("view(Tensor self, int[] size) -> Tensor", view, Method,
          "Returns the same memory with another shape; one size may be -1.\n"
          "RuntimeError when self's strides do not allow it (reshape copies then).");
  ops.add(
      "view(Tensor self, ScalarType dtype) -> Tensor", view_dtype, Method,
      "Returns the same bytes read as another dtype; the last size changes with the item size.");
  ops.add("view_as(Tensor self, Tensor other) -> Tensor", view_as, Method,
          "Returns ``self.view(other.shape)``.");
  ops.add(
      "reshape(Tensor self, int[] shape) -> Tensor", reshape, Both,
      "Returns a tensor with the same elements and another shape, a view where strides allow it.\n"
      "One size may be -1; RuntimeError when the numbers of elements differ.");
  ops.add("reshape_as(Tensor self, Tensor other) -> Tensor", reshape_as, Method,
          "Returns ``self.reshape(other.shape)``.");
  ops.add("flatten(Tensor self, int start_dim=0, int end_dim=-1) -> Tensor", flatten, Both,
          "Merges dimensions ``start_dim`` to ``end_dim`` into one.");
  ops.add("unflatten(Tensor self, int dim, int[] sizes) -> Tensor", unflatten, Both,
          "Splits dimension ``dim`` into ``sizes``, one of which may be -1.");
  ops.add("ravel(Tensor self) -> Tensor", ravel, Both, "Returns a contiguous 1-D tensor.");
  for (const char* name : {"transpose", "swapaxes", "swapdims"}) {
    const std::string n = name;
    const std::string args = n == "swapaxes" ? "int axis0, int axis1" : "int dim0, int dim1";
    ops.add((n + "(Tensor self, " + args + ") -> Tensor").c_str(), transpose, Both,
            "Returns a view with two dimensions exchanged.");
    ops.add((n + "_(Tensor self, " + args + ") -> Tensor").c_str(), transpose_, Method,
            "Exchanges two dimensions of ``self`` itself.");
  }
  ops.add("t(Tensor self) -> Tensor", t, Both,
          "Returns the transpose of a matrix; a vector stays.");
  ops.add("t_(Tensor self) -> Tensor", t_, Method, "Transposes ``self`` itself (at most 2-D).");
  ops.add("adjoint(Tensor self) -> Tensor", adjoint, Both,
          "Returns the conjugate transpose of the last two dimensions.");
  ops.add("permute(Tensor self, int[] dims) -> Tensor", permute, Both,
          "Returns a view with the dimensions in the order ``dims``.");
  for (const char* name : {"movedim", "moveaxis"}) {
    const std::string n = name;
    ops.add((n + "(Tensor self, int source, int destination) -> Tensor").c_str(), movedim_one, Both,
            "Moves one dimension to another position.");
    ops.add((n + "(Tensor self, int[] source, int[] destination) -> Tensor").c_str(), movedim, Both,
            "Moves dimensions to other positions; the rest keep their order.");
  }
  ops.add("expand(Tensor self, int[] size, *, bool implicit=False) -> Tensor", expand_row, Method,
          "Returns a view in which dimensions of size 1 are repeated; -1 keeps a size.");
  ops.add("expand_as(Tensor self, Tensor other) -> Tensor", expand_as, Method,
          "Returns ``self.expand(other.shape)``.");
  ops.add("broadcast_to(Tensor self, int[] size) -> Tensor", expand, Both,
          "Returns ``self.expand(size)``.");
  ops.add("sum_to_size(Tensor self, int[] size) -> Tensor", sum_to_size, Method,
          "Sums ``self`` to ``size``, which has to be expandable to self's shape.");
  const char* squeeze_doc = "Returns a view without the dimensions of size 1 (of those named).";
  ops.add("squeeze(Tensor self) -> Tensor", squeeze, Both, squeeze_doc);
  ops.add("squeeze(Tensor self, int dim) -> Tensor", squeeze_dim, Both, squeeze_doc);
  ops.add("squeeze(Tensor self, int[] dim) -> Tensor", squeeze_dims, Both, squeeze_doc);
  const char* squeeze_in_doc = "Drops dimensions of size 1 of ``self`` itself.";
  ops.add("squeeze_(Tensor self) -> Tensor", squeeze_, Method, squeeze_in_doc);
  ops.add("squeeze_(Tensor self, int dim) -> Tensor", squeeze_dim_, Method, squeeze_in_doc);
  ops.add("squeeze_(Tensor self, int[] dim) -> Tensor", squeeze_dims_, Method, squeeze_in_doc);
  ops.add("unsqueeze(Tensor self, int dim) -> Tensor", unsqueeze, Both,
          "Returns a view with a new dimension of size 1 at ``dim``.");
  ops.add("unsqueeze_(Tensor self, int dim) -> Tensor", unsqueeze_, Method,
          "Gives ``self`` itself a new dimension of size 1 at ``dim``.");
  ops.add("narrow(Tensor self, int dim, int start, int length) -> Tensor", narrow, Both,
          "Returns the view ``start .. start + length - 1`` along ``dim``.");
  ops.add("narrow(Tensor self, int dim, Tensor start, int length) -> Tensor", narrow_tensor, Both,
          "Returns the view ``start .. start + length - 1`` along ``dim``.");
  ops.add("narrow_copy(Tensor self, int dim, int start, int length) -> Tensor", narrow_copy,
          Both | Out, "Returns a copy of ``narrow(self, dim, start, length)``.");
  ops.add("select(Tensor self, int dim, int index) -> Tensor", select, Both,
          "Returns the view of one index along ``dim``, which goes.");
  ops.add("diagonal(Tensor self, int offset=0, int dim1=0, int dim2=1) -> Tensor", diagonal, Both,
          "Returns a view of the diagonals of two dimensions, as the last dimension.");
  for (const char* name : {"atleast_1d", "atleast_2d", "atleast_3d"}) {
    const std::string n = name;
    const char* doc = "Adds dimensions of size 1 until there are as many as the name says.";
    auto* one = n[8] == '1' ? atleast_1d : n[8] == '2' ? atleast_2d : atleast_3d;
    auto* all = n[8] == '1' ? each<atleast_1d> : n[8] == '2' ? each<atleast_2d> : each<atleast_3d>;
    ops.add((n + "(Tensor self) -> Tensor").c_str(), one, Function, doc);
    ops.add((n + "(Tensor[] tensors) -> Tensor[]").c_str(), all, Function, doc);
  }
  register_view_lists(ops);
  register_view_strided(ops);
  register_view_copies(ops);
}

}  // namespace d2l
