// The driver of reductions: geometry, casts, and the fixed way of splitting.
#include "iter/reduce.h"

#include <algorithm>

#include "core/thread_pool.h"

namespace d2l {

DimSet dim_set(IntList dims, int64_t ndim) {
  DimSet set = 0;
  for (int64_t d : dims) {
    const int64_t w = wrap_dim(d, ndim);
    check(!(set & dim_bit(w)), "dim {} appears multiple times in the list of dims", w);
    set |= dim_bit(w);
  }
  return ndim == 0 ? 0 : set;
}

Dims reduced_shape(IntList shape, DimSet dims, bool keepdim) {
  Dims out;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (!(dims & dim_bit(static_cast<int64_t>(i)))) {
      out.push_back(shape[i]);
    } else if (keepdim) {
      out.push_back(1);
    }
  }
  return out;
}

int64_t reduced_numel(IntList shape, DimSet dims) {
  int64_t n = 1;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (dims & dim_bit(static_cast<int64_t>(i))) n *= shape[i];
  }
  return n;
}

namespace {

// The length of the pieces into which a long reduced dimension is cut when few elements are kept,
// and the most elements that are cast at a time.
constexpr int64_t kPiece = 1 << 15;
constexpr int64_t kFewKept = 16;

// What the second and later steps of a chain do with the first one's partial results.
Reduce combine(Reduce kind) {
  switch (kind) {
    case Reduce::sum_abs:
    case Reduce::sum_square:
    case Reduce::sum_pow:
    case Reduce::count_nonzero:
      return Reduce::sum;
    case Reduce::max_abs:
      return Reduce::max;
    case Reduce::min_abs:
      return Reduce::min;
    default:
      return kind;
  }
}

ReduceFn reduce_fn(const char* op, Reduce kind, DType& dtype) {
  const auto& row = kernels().reduce[static_cast<int>(kind)];
  if (ReduceFn fn = row[static_cast<int>(dtype)]) return fn;
  const DType asked = dtype;
  if (is_reduced_floating(dtype)) {
    dtype = DType::Float;
    if (ReduceFn fn = row[static_cast<int>(dtype)]) return fn;
  }
  fail<NotImplementedError>("\"{}\" not implemented for '{}'", op, asked);
}

LoopFn cast_fn(DType from, DType to) {
  return kernels().cast[static_cast<int>(from)][static_cast<int>(to)];
}

struct Axis {
  int64_t size, in, out;  // strides in bytes; out of a reduced axis: in the partial results
};

// One-dimensional reductions of every kept element of a strided input.
struct Step {
  ReduceFn fn;
  DType from, kernel;  // of the memory at in, and what fn reads
  const char* in;
  char* out;
  int64_t* index = nullptr;
  int64_t index_scale = 0;  // bytes of out for each element of index
  Axis reduced{1, 0, 0};
  Axis kept[kMaxDims];  // innermost first
  int kept_dims = 0;
  int64_t kept_numel = 1;
  double p = 0;

  void add_kept(Axis a) {
    if (a.size == 1) return;
    kept_numel *= a.size;
    int at = kept_dims++;
    for (; at > 0 && kept[at - 1].in > a.in; --at) kept[at] = kept[at - 1];
    kept[at] = a;
  }
  void coalesce() {
    int last = 0;
    for (int d = 1; d < kept_dims; ++d) {
      Axis& a = kept[last];
      const Axis& b = kept[d];
      if (b.in == a.size * a.in && b.out == a.size * a.out) {
        a.size *= b.size;
      } else {
        kept[++last] = b;
      }
    }
    if (kept_dims) kept_dims = last + 1;
  }

  void call(const char* from_in, char* to, int64_t first, int64_t n, int64_t m) const {
    const Axis k = kept_dims ? kept[0] : Axis{1, 0, 0};
    ReduceArgs a;
    a.out = to;
    a.index = index ? index + (to - out) / index_scale : nullptr;
    a.n = n;
    a.m = m;
    a.out_stride = k.out;
    a.index_stride = index ? k.out / index_scale : 0;
    a.p = p;
    if (from == kernel) {
      a.in = from_in + first * reduced.in;
      a.in_stride = reduced.in;
      a.keep_stride = k.in;
      fn(&a);
      return;
    }
    // Through a buffer, laid out so that what was contiguous stays so.
    const int64_t size = itemsize(kernel);
    const bool rows = reduced.in <= k.in || m == 1;
    const Tensor buffer = empty(Dims{std::min(n * m, std::max(kPiece, n))}, kernel);
    const int64_t most = std::max<int64_t>(1, buffer.numel() / n);
    for (int64_t j = 0; j < m; j += most) {
      const int64_t count = std::min(most, m - j);
      char* const ptr[2] = {buffer.data(),
                            const_cast<char*>(from_in) + first * reduced.in + j * k.in};
      const Scalars none;
      if (rows) {
        const int64_t strides[4] = {size, reduced.in, n * size, k.in};
        cast_fn(from, kernel)(ptr, strides, n, count, &none);
        a.in_stride = size;
        a.keep_stride = n * size;
      } else {
        const int64_t strides[4] = {size, k.in, count * size, reduced.in};
        cast_fn(from, kernel)(ptr, strides, count, n, &none);
        a.in_stride = count * size;
        a.keep_stride = size;
      }
      a.in = buffer.data();
      a.m = count;
      a.out = to + j * k.out;
      if (index) a.index = index + (a.out - out) / index_scale;
      fn(&a);
    }
  }

  // Kept elements [begin, end), reduced elements [first, first + n), results `shift` bytes further.
  void range(int64_t begin, int64_t end, int64_t first, int64_t n, int64_t shift) const {
    const int64_t m = kept_dims ? kept[0].size : 1;
    while (begin < end) {
      int64_t rest = begin / m;
      const int64_t at = begin % m;
      const char* from_in = in;
      char* to = out + shift;
      if (kept_dims) {
        from_in += at * kept[0].in;
        to += at * kept[0].out;
      }
      for (int d = 1; d < kept_dims; ++d) {
        const int64_t i = rest % kept[d].size;
        rest /= kept[d].size;
        from_in += i * kept[d].in;
        to += i * kept[d].out;
      }
      const int64_t count = std::min(end - begin, m - at);
      call(from_in, to, first, n, count);
      begin += count;
    }
  }

  bool in_pieces() const { return reduced.size >= 2 * kPiece && kept_numel < kFewKept; }
  int64_t pieces() const { return (reduced.size + kPiece - 1) / kPiece; }

  void run() const {
    const int64_t work = reduced.size * kept_numel;
    if (work < kParallel) {
      range(0, kept_numel, 0, reduced.size, 0);
      return;
    }
    LongOp unlocked(work >= (1 << 20));
    // A multiple of a cache line of results, so that threads do not share lines.
    const int64_t grain = (std::max<int64_t>(kGrain / reduced.size, 1) + 15) / 16 * 16;
    const int64_t cut = kept_numel <= 64 ? 1 : grain;
    parallel_for(kept_numel, cut,
                 [&](int64_t begin, int64_t end) { range(begin, end, 0, reduced.size, 0); });
  }
  // Each piece of the reduced length writes `pitch` bytes after the one before.
  void run_pieces(int64_t pitch) const {
    LongOp unlocked(reduced.size * kept_numel >= (1 << 20));
    parallel_for(pieces(), 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        range(0, kept_numel, i * kPiece, std::min(kPiece, reduced.size - i * kPiece), i * pitch);
      }
    });
  }
};

Scalar identity(Reduce kind) {
  return kind == Reduce::prod || kind == Reduce::all ? Scalar(1) : Scalar(0);
}

// Where the step's results go: `out` with keepdim shape, axes of self that are not reduced here.
void set_axes(Step& s, const Tensor& in, const Tensor& out, int reduce_axis) {
  s.from = in.dtype();
  s.in = in.data();
  s.out = out.data();
  const int64_t in_size = in.item_bytes(), out_size = out.item_bytes();
  for (int d = static_cast<int>(in.dim()) - 1; d >= 0; --d) {
    if (d == reduce_axis) {
      s.reduced = {in->shape[d], in->strides[d] * in_size, 0};
    } else {
      s.add_kept({in->shape[d], in->strides[d] * in_size, out->strides[d] * out_size});
    }
  }
  s.coalesce();
}

// Merges adjacent reduced dimensions, and kept ones, where the strides allow: the result has at
// most as many dimensions, and the same elements in the same order.
Tensor merge_dims(const Tensor& t, DimSet& dims) {
  if (t.is_contiguous() && dims == all_dims(t.dim())) {
    dims = 1;
    return raw_view(t, Dims{t.numel()}, Dims{1}, t.offset());
  }
  Dims shape, strides;
  DimSet merged = 0;
  bool last_reduced = false;
  for (int i = 0; i < t.dim(); ++i) {
    const int64_t size = t->shape[i], stride = t->strides[i];
    const bool reduced = dims & dim_bit(i);
    if (size == 1) continue;
    const int n = shape.size();
    if (n > 0 && reduced == last_reduced && strides[n - 1] == size * stride) {
      shape[n - 1] *= size;
      strides[n - 1] = stride;
      continue;
    }
    if (reduced) merged |= dim_bit(n);
    shape.push_back(size);
    strides.push_back(stride);
    last_reduced = reduced;
  }
  dims = merged;
  return raw_view(t, shape, strides, t.offset());
}

// The reduced dimension with the least stride.
int innermost(const Tensor& t, DimSet dims) {
  int best = -1;
  for (int i = 0; i < t.dim(); ++i) {
    if ((dims & dim_bit(i)) && (best < 0 || t->strides[i] < t->strides[best])) best = i;
  }
  return best;
}

DType written_by(Reduce kind, DType kernel) {
  return kind == Reduce::any || kind == Reduce::all ? DType::Bool : kernel;
}

// `out` is contiguous, with the numel of what is kept, of the dtype that the kernel writes.
void reduce_chain(const char* op, Reduce kind, Tensor t, DimSet dims, DType compute,
                  const Tensor& out, double p) {
  t = merge_dims(t, dims);
  if (dims == 0) {  // every reduced dimension has one element
    Dims shape(t.shape()), strides(t.strides());
    shape.insert(0, 1);
    strides.insert(0, 0);
    t = raw_view(t, shape, strides, t.offset());
    dims = 1;
  }
  for (;;) {
    const int axis = innermost(t, dims);
    Step s;
    DType kernel = compute;
    s.fn = reduce_fn(op, kind, kernel);
    s.kernel = kernel;
    s.p = p;
    const bool last = dims == dim_bit(axis);
    Dims shape(t.shape());
    shape[axis] = 1;
    Tensor to = last ? raw_view(out, shape, contiguous_strides(shape), out.offset())
                     : empty(shape, written_by(kind, kernel));
    set_axes(s, t, to, axis);
    if (s.in_pieces()) {
      Dims parts_shape(shape);
      parts_shape.insert(0, s.pieces());
      const Tensor parts = empty(parts_shape, to.dtype());
      s.out = parts.data();
      s.run_pieces(to.nbytes());
      Step join;
      join.kernel = to.dtype();
      const Reduce next = combine(kind);
      join.fn = reduce_fn(op, next, join.kernel);
      Dims one(parts_shape);
      one[0] = 1;
      set_axes(join, parts, raw_view(to, one, contiguous_strides(one), to.offset()), 0);
      join.run();
    } else {
      s.run();
    }
    if (last) return;
    t = to;
    dims &= ~dim_bit(axis);
    compute = to.dtype();
    kind = combine(kind);
  }
}

}  // namespace

Tensor reduce(const char* op, Reduce kind, const Tensor& self, DimSet dims, bool keepdim,
              DType compute, DType out_dtype, Dst dst, double p) {
  // The short way: everything, of a small contiguous tensor.
  if (!dst && self.is_contiguous() && self.dtype() == compute && self.numel() > 0 &&
      self.numel() < kPiece && dims == all_dims(self.dim())) {
    DType kernel = compute;
    const ReduceFn fn = reduce_fn(op, kind, kernel);
    if (kernel == compute && written_by(kind, kernel) == out_dtype) {
      const int64_t size = self.item_bytes();
      Tensor out = empty(keepdim ? Dims(static_cast<int>(self.dim()), 1) : Dims(), out_dtype);
      const ReduceArgs a{out.data(), nullptr, self.data(), self.numel(), size, 1, 0, 0, 0, p};
      fn(&a);
      return out;
    }
  }
  DType kernel = compute;
  reduce_fn(op, kind, kernel);
  const DType written = written_by(kind, kernel);
  const Dims shape = reduced_shape(self.shape(), dims, keepdim);
  Tensor out = prepare_result(op, dst, shape, out_dtype);
  if (out.numel() == 0) return out;
  if (self.numel() == 0) {
    fill_into(out, identity(kind));
    return out;
  }
  const bool direct = out.is_contiguous() && out.dtype() == written &&
                      (!dst || overlap(out, self) == Overlap::None);
  const Tensor to = direct ? out : empty(shape, written);
  reduce_chain(op, kind, self, dims, kernel, to, p);
  if (!direct) copy_into(out, to);
  return out;
}

ValueIndex reduce_index(const char* op, Reduce kind, const Tensor& self, int64_t dim,
                        bool keepdim) {
  DType kernel = self.dtype();
  Step s;
  s.fn = reduce_fn(op, kind, kernel);
  s.kernel = kernel;
  const DimSet dims = self.dim() ? dim_bit(dim) : 0;
  const Dims shape = reduced_shape(self.shape(), dims, keepdim);
  ValueIndex r{empty(shape, kernel), empty(shape, DType::Int64)};
  if (r.values.numel() == 0) return r;
  const Tensor t = self.dim() ? self : raw_view(self, Dims{1}, Dims{1}, self.offset());
  const int axis = self.dim() ? static_cast<int>(dim) : 0;
  const Dims kept = reduced_shape(t.shape(), dim_bit(axis), true);
  const Tensor to = raw_view(r.values, kept, contiguous_strides(kept), 0);
  set_axes(s, t, to, axis);
  s.index = r.indices.data_as<int64_t>();
  s.index_scale = itemsize(kernel);
  if (!s.in_pieces()) {
    s.run();
  } else {
    const int64_t pieces = s.pieces(), n = to.numel();
    Dims parts_shape(kept);
    parts_shape.insert(0, pieces);
    const Tensor parts = empty(parts_shape, kernel), places = empty(parts_shape, DType::Int64);
    s.out = parts.data();
    s.index = places.data_as<int64_t>();
    s.run_pieces(to.nbytes());
    Step join;
    join.kernel = kernel;
    join.fn = s.fn;
    Dims one(parts_shape);
    one[0] = 1;
    set_axes(join, parts, raw_view(r.values, one, contiguous_strides(one), 0), 0);
    int64_t* index = r.indices.data_as<int64_t>();
    join.index = index;
    join.index_scale = itemsize(kernel);
    join.run();
    for (int64_t j = 0; j < n; ++j) {
      index[j] = index[j] * kPiece + places.data_as<int64_t>()[index[j] * n + j];
    }
  }
  if (kernel != self.dtype()) {
    Tensor narrow_values = empty(shape, self.dtype());
    copy_into(narrow_values, r.values);
    r.values = narrow_values;
  }
  return r;
}

}  // namespace d2l
