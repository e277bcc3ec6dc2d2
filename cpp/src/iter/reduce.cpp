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

// Elements of the pieces into which a long reduced dimension is cut when few elements are kept, and
// the most that are cast at a time.
constexpr int64_t kPiece = 1 << 15;
// How many kept elements are few: along the reduced dimension, and across it, where they are the
// neighbours in memory and a thread should read whole lines, row after row.
constexpr int64_t kFewKept = 16;
constexpr int64_t kFewColumns = 2048;

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

  bool columns() const { return kept_dims && kept[0].in < reduced.in; }
  bool in_pieces() const {
    return kept_numel < (columns() ? kFewColumns : kFewKept) && reduced.size >= 2 * piece();
  }
  int64_t piece() const { return columns() ? std::max<int64_t>(kPiece / kept_numel, 32) : kPiece; }
  int64_t pieces() const { return (reduced.size + piece() - 1) / piece(); }

  void run() const {
    const int64_t work = reduced.size * kept_numel;
    if (work < kParallel) {
      range(0, kept_numel, 0, reduced.size, 0);
      return;
    }
    LongOp unlocked(work >= (1 << 20));
    // A multiple of a cache line of results, so that threads do not share lines; columns are read
    // in runs of a page.
    const int64_t least = columns() ? kFewColumns / 2 : kept_numel <= 64 ? 1 : 16;
    const int64_t grain = (std::max<int64_t>(kGrain / reduced.size, 1) + least - 1) / least * least;
    parallel_for(kept_numel, grain,
                 [&](int64_t begin, int64_t end) { range(begin, end, 0, reduced.size, 0); });
  }
  // Each piece of the reduced length writes `pitch` bytes after the one before.
  void run_pieces(int64_t pitch) const {
    LongOp unlocked(reduced.size * kept_numel >= (1 << 20));
    parallel_for(pieces(), 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t first = i * piece();
        range(0, kept_numel, first, std::min(piece(), reduced.size - first), i * pitch);
      }
    });
  }
};

Scalar identity(Reduce kind) {
  return kind == Reduce::prod || kind == Reduce::all ? Scalar(1) : Scalar(0);
}

DType written_by(Reduce kind, DType kernel) {
  return kind == Reduce::any || kind == Reduce::all ? DType::Bool : kernel;
}

// The axes of an input: reduced ones innermost first and merged where the strides allow; kept ones
// with the strides (`out`) that they have in a contiguous result.
struct Geometry {
  Axis kept[kMaxDims], reduced[kMaxDims];
  int kept_count = 0, reduced_count = 0;
  int64_t kept_numel = 1;

  Geometry(const Tensor& t, DimSet dims, int64_t out_size) {
    const int64_t size = t.item_bytes();
    for (int d = static_cast<int>(t.dim()) - 1; d >= 0; --d) {
      const int64_t n = t->shape[d], stride = t->strides[d] * size;
      if (n == 1) continue;
      if (dims & dim_bit(d)) {
        int at = reduced_count++;
        for (; at > 0 && reduced[at - 1].in > stride; --at) reduced[at] = reduced[at - 1];
        reduced[at] = {n, stride, 0};
      } else {
        kept[kept_count++] = {n, stride, kept_numel * out_size};
        kept_numel *= n;
      }
    }
    if (reduced_count == 0) reduced[reduced_count++] = {1, 0, 0};
    merge(0);
  }
  // Merges the reduced axes from `first` on.
  void merge(int first) {
    int last = first;
    for (int i = first + 1; i < reduced_count; ++i) {
      if (reduced[i].in == reduced[last].size * reduced[last].in) {
        reduced[last].size *= reduced[i].size;
      } else {
        reduced[++last] = reduced[i];
      }
    }
    reduced_count = last + 1;
  }
};

// The partial results of s, whose pieces lie `pitch` bytes apart, combined into `to`.
Step joining(const Step& s, ReduceFn fn, DType kernel, const Tensor& parts, int64_t pitch,
             char* to) {
  Step join;
  join.fn = fn;
  join.from = join.kernel = kernel;
  join.in = parts.data();
  join.out = to;
  join.reduced = {s.pieces(), pitch, 0};
  for (int d = 0; d < s.kept_dims; ++d) {
    join.add_kept({s.kept[d].size, s.kept[d].out, s.kept[d].out});
  }
  join.coalesce();
  return join;
}

// `out` is contiguous, with the numel of what is kept, of the dtype that the kernel writes.
void reduce_chain(const char* op, Reduce kind, const Tensor& self, DimSet dims, DType compute,
                  const Tensor& out, double p) {
  Geometry g(self, dims, out.item_bytes());
  const char* in = self.data();
  DType from = self.dtype();
  Tensor held;  // the partial results that `in` points to
  for (int i = 0;; ++i) {
    Step s;
    s.kernel = compute;
    s.fn = reduce_fn(op, kind, s.kernel);
    s.from = from;
    s.in = in;
    s.p = p;
    s.reduced = g.reduced[i];
    const bool last = i + 1 == g.reduced_count;
    const DType written = written_by(kind, s.kernel);
    Tensor to = out;
    if (!last) {
      // Kept axes and those still to be reduced; the shorter of the two outside.
      int64_t rest = 1;
      for (int j = i + 1; j < g.reduced_count; ++j) rest *= g.reduced[j].size;
      to = empty(Dims{rest * g.kept_numel}, written);
      const bool kept_inside = g.kept_numel >= kFewKept;
      int64_t step = itemsize(written) * (kept_inside ? g.kept_numel : 1);
      for (int j = i + 1; j < g.reduced_count; ++j) {
        g.reduced[j].out = step;
        step *= g.reduced[j].size;
      }
      step = itemsize(written) * (kept_inside ? 1 : rest);
      for (int j = 0; j < g.kept_count; ++j) {
        g.kept[j].out = step;
        step *= g.kept[j].size;
      }
      for (int j = i + 1; j < g.reduced_count; ++j) s.add_kept(g.reduced[j]);
    }
    for (int j = 0; j < g.kept_count; ++j) s.add_kept(g.kept[j]);
    s.coalesce();
    s.out = to.data();
    if (s.in_pieces()) {
      const int64_t pitch = s.kept_numel * itemsize(written);
      const Tensor parts = empty(Dims{s.pieces() * s.kept_numel}, written);
      s.out = parts.data();
      s.run_pieces(pitch);
      DType joined = written;
      const ReduceFn fn = reduce_fn(op, combine(kind), joined);
      joining(s, fn, joined, parts, pitch, to.data()).run();
    } else {
      s.run();
    }
    if (last) return;
    int64_t step = out.item_bytes();
    for (int j = 0; j < g.kept_count; ++j) {
      g.kept[j].in = g.kept[j].out;
      g.kept[j].out = step;
      step *= g.kept[j].size;
    }
    for (int j = i + 1; j < g.reduced_count; ++j) g.reduced[j].in = g.reduced[j].out;
    g.merge(i + 1);
    held = to;
    in = held.data();
    from = compute = written;
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
  const int64_t size = itemsize(kernel);
  const Geometry g(self, dims, size);
  s.from = self.dtype();
  s.in = self.data();
  s.out = r.values.data();
  s.reduced = g.reduced[0];
  for (int j = 0; j < g.kept_count; ++j) s.add_kept(g.kept[j]);
  s.coalesce();
  s.index = r.indices.data_as<int64_t>();
  s.index_scale = size;
  if (!s.in_pieces()) {
    s.run();
  } else {
    const int64_t n = g.kept_numel, pitch = n * size;
    const Tensor parts = empty(Dims{s.pieces() * n}, kernel);
    const Tensor places = empty(Dims{s.pieces() * n}, DType::Int64);
    s.out = parts.data();
    s.index = places.data_as<int64_t>();
    s.run_pieces(pitch);
    Step join = joining(s, s.fn, kernel, parts, pitch, r.values.data());
    int64_t* index = r.indices.data_as<int64_t>();
    join.index = index;
    join.index_scale = size;
    join.run();
    for (int64_t j = 0; j < n; ++j) {
      index[j] = index[j] * s.piece() + places.data_as<int64_t>()[index[j] * n + j];
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
