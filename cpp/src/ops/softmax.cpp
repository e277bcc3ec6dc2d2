// softmax and log_softmax with their backward passes as ops of their own (so that these have
// derivatives too), and their rows.
#include "autograd/record.h"
#include "core/thread_pool.h"
#include "d2lcore/ops.h"
#include "iter/map.h"
#include "ops/register.h"

namespace d2l {

void register_softmax(OpTable& ops);

namespace {

// Elements that one thread takes at a time.
constexpr int64_t kRowGrain = 1 << 13;

// What a row kernel reads and writes along one dimension of contiguous tensors.
struct Lanes {
  RowFn fn, column;    // column: along a dimension whose neighbours lie side by side
  DType type, kernel;  // of the tensors, and what fn computes in
  int64_t n;           // the length of the dimension
  int64_t outer, inner;
  char* out;
  const char* a;
  const char* b;  // or null

  // Rows that lie in memory as fn wants them.
  void direct(int64_t begin, int64_t end) const {
    const int64_t skip = begin * n * itemsize(type);
    const RowArgs args{out + skip, a + skip, b ? b + skip : nullptr, n, end - begin, 1};
    fn(&args);
  }
  // Columns that do.
  void down(int64_t first, int64_t lanes) const {
    const int64_t skip = first * itemsize(type);
    const RowArgs args{out + skip, a + skip, b ? b + skip : nullptr, n, lanes, inner};
    column(&args);
  }
  void cast(DType from, DType to, char* dst, int64_t dst_step, int64_t dst_lane, const char* src,
            int64_t src_step, int64_t src_lane, int64_t lanes) const {
    char* const ptr[2] = {dst, const_cast<char*>(src)};
    const int64_t strides[4] = {dst_step, src_step, dst_lane, src_lane};
    const Scalars none;
    kernels().cast[static_cast<int>(from)][static_cast<int>(to)](ptr, strides, n, lanes, &none);
  }
  // `lanes` lanes side by side from element `first` on: gathered into rows of the kernel's dtype
  // that fit a cache, and scattered afterwards.
  void gathered(int64_t first, int64_t lanes) const {
    const int64_t size = itemsize(type), wide = itemsize(kernel);
    const int64_t step = inner * size, lane = inner == 1 ? n * size : size;
    const Tensor x = empty(Dims{lanes, n}, kernel), y = b ? empty(Dims{lanes, n}, kernel) : x;
    cast(type, kernel, x.data(), wide, n * wide, a + first * size, step, lane, lanes);
    if (b) cast(type, kernel, y.data(), wide, n * wide, b + first * size, step, lane, lanes);
    const RowArgs args{x.data(), x.data(), b ? y.data() : nullptr, n, lanes, 1};
    fn(&args);
    cast(kernel, type, out + first * size, step, lane, x.data(), wide, n * wide, lanes);
  }
  void run() const {
    const int64_t total = n * outer * inner, rows = outer * inner;
    LongOp unlocked(total >= (1 << 18));
    const int64_t grain = std::max<int64_t>(1, kRowGrain / n);
    if (inner == 1 && type == kernel) {
      parallel_for(rows, total < 2 * kRowGrain ? rows : grain,
                   [&](int64_t begin, int64_t end) { direct(begin, end); });
      return;
    }
    // A block of lanes that are neighbours in memory: of one outer index, or whole rows.
    const int64_t width = std::min(std::max<int64_t>(grain, 16), inner == 1 ? outer : inner);
    const int64_t length = inner == 1 ? outer : inner;
    const int64_t blocks = (length + width - 1) / width;
    const int64_t count = inner == 1 ? blocks : outer * blocks;
    parallel_for(count, total < 2 * kRowGrain ? count : 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t at = i % blocks * width, lanes = std::min(width, length - at);
        const int64_t first = inner == 1 ? at * n : i / blocks * n * inner + at;
        if (inner > 1 && type == kernel) {
          down(first, lanes);
        } else {
          gathered(first, lanes);
        }
      }
    });
  }
};

Tensor without_gaps(const Tensor& t, DType type) {
  if (t.is_contiguous() && t.dtype() == type) return t;
  Tensor out = empty(t.shape(), type);
  copy_into(out, t);
  return out;
}

// Applies a row kernel along dim; b may be undefined.
Tensor rows(const char* op, Row kind, const Tensor& a, const Tensor& b, int64_t dim, Dst dst) {
  const DType type = a.dtype();
  const auto& entries = kernels().row[static_cast<int>(kind)];
  const DType kernel =
      !entries[static_cast<int>(type)] && is_reduced_floating(type) ? DType::Float : type;
  const RowFn fn = entries[static_cast<int>(kernel)];
  const RowFn column = kernels().column[static_cast<int>(kind)][static_cast<int>(kernel)];
  check<NotImplementedError>(fn != nullptr, "\"{}\" not implemented for '{}'", op, type);
  Tensor out = prepare_result(op, dst, a.shape(), type);
  if (a.numel() == 0) return out;
  const Tensor x = without_gaps(a, type), y = b.defined() ? without_gaps(b, type) : Tensor();
  // Within one block every element is read before it is written, but blocks of a and out must not
  // be mixed up: a given out is written directly only when it is apart from the inputs.
  const bool direct = out.is_contiguous() && out.dtype() == type &&
                      (!dst || (overlap(out, x) == Overlap::None &&
                                (!y.defined() || overlap(out, y) == Overlap::None)));
  const Tensor to = direct ? out : empty(a.shape(), type);
  Lanes lanes{fn, column, type,      kernel,   a.dim() ? a->shape[dim] : 1,
              1,  1,      to.data(), x.data(), y.defined() ? y.data() : nullptr};
  for (int64_t d = 0; d < a.dim(); ++d) {
    if (d < dim) lanes.outer *= a->shape[d];
    if (d > dim) lanes.inner *= a->shape[d];
  }
  lanes.run();
  if (!direct) copy_into(out, to);
  return out;
}

}  // namespace

Tensor softmax(const Tensor& self, int64_t dim, OptDType dtype, Dst dst) {
  if (dtype && *dtype != self.dtype()) return softmax(to_dtype(self, *dtype), dim, {}, dst);
  dim = wrap_dim(dim, self.dim());
  Tensor out = rows("softmax_lastdim_kernel_impl", Row::softmax, self, Tensor(), dim, dst);
  return record(out, "SoftmaxBackward0", {&self}, saved(result),
                [dim](const Tensor& g, const Tensor& y) { return softmax_backward(g, y, dim); });
}

Tensor log_softmax(const Tensor& self, int64_t dim, OptDType dtype, Dst dst) {
  if (dtype && *dtype != self.dtype()) return log_softmax(to_dtype(self, *dtype), dim, {}, dst);
  dim = wrap_dim(dim, self.dim());
  Tensor out = rows("log_softmax_lastdim_kernel_impl", Row::log_softmax, self, Tensor(), dim, dst);
  return record(
      out, "LogSoftmaxBackward0", {&self}, saved(result),
      [dim](const Tensor& g, const Tensor& y) { return log_softmax_backward(g, y, dim); });
}

Tensor softmin(const Tensor& self, int64_t dim, OptDType dtype) {
  return softmax(neg(self), dim, dtype);
}

// y (g - sum(g y)).
Tensor softmax_backward(const Tensor& g, const Tensor& y, int64_t dim) {
  dim = wrap_dim(dim, y.dim());
  Tensor out = rows("softmax_backward", Row::softmax_backward, g, y, dim, {});
  return record(
      out, "SoftmaxBackwardBackward0", {&g, &y}, saved(g, y),
      [dim](const Tensor& gg, const Tensor&, const Tensor& s) {
        return softmax_backward(gg, s, dim);
      },
      [dim](const Tensor& gg, const Tensor& h, const Tensor& s) {
        const int64_t d[1] = {dim};
        const Tensor inner = sum(mul(h, s), IntList(d), true);
        const Tensor outer = sum(mul(gg, s), IntList(d), true);
        return sub(mul(gg, sub(h, inner)), mul(h, outer));
      });
}

// g - exp(y) sum(g).
Tensor log_softmax_backward(const Tensor& g, const Tensor& y, int64_t dim) {
  dim = wrap_dim(dim, y.dim());
  Tensor out = rows("log_softmax_backward", Row::log_softmax_backward, g, y, dim, {});
  return record(
      out, "LogSoftmaxBackwardBackward0", {&g, &y}, saved(g, y),
      [dim](const Tensor& gg, const Tensor&, const Tensor& s) {
        const int64_t d[1] = {dim};
        return sub(gg, sum(mul(gg, exp(s)), IntList(d), true));
      },
      [dim](const Tensor& gg, const Tensor& h, const Tensor& s) {
        const int64_t d[1] = {dim};
        return neg(mul(mul(gg, exp(s)), sum(h, IntList(d), true)));
      });
}

namespace {

Tensor softmax_row(const Tensor& x, int64_t dim, OptDType dtype, Dst dst) {
  return softmax(x, dim, dtype, dst);
}
Tensor log_softmax_row(const Tensor& x, int64_t dim, OptDType dtype, Dst dst) {
  return log_softmax(x, dim, dtype, dst);
}
// Without a dim, nn guesses as PyTorch once did: 0 for 0, 1 and 3 dimensions, else 1.
int64_t guessed(OptInt dim, const Tensor& x) {
  if (dim) return *dim;
  return x.dim() == 0 || x.dim() == 1 || x.dim() == 3 ? 0 : 1;
}
Tensor nn_softmax(const Tensor& x, OptInt dim, Ignored, OptDType dtype) {
  return softmax(x, guessed(dim, x), dtype);
}
Tensor nn_log_softmax(const Tensor& x, OptInt dim, Ignored, OptDType dtype) {
  return log_softmax(x, guessed(dim, x), dtype);
}
Tensor nn_softmin(const Tensor& x, OptInt dim, Ignored, OptDType dtype) {
  return softmin(x, guessed(dim, x), dtype);
}

}  // namespace

void register_softmax(OpTable& ops) {
  const char* softmax_doc =
      "Returns ``exp(x) / sum(exp(x))`` along ``dim`` (floating dtypes; ``dtype`` converts first).";
  const char* log_doc =
      "Returns ``x - log(sum(exp(x)))`` along ``dim`` (floating dtypes; ``dtype`` converts first).";
  ops.add("softmax(Tensor self, int dim, ScalarType? dtype=None) -> Tensor", softmax_row,
          Both | Out, softmax_doc);
  ops.add("log_softmax(Tensor self, int dim, ScalarType? dtype=None) -> Tensor", log_softmax_row,
          Both | Out, log_doc);
  ops.add(
      "nn.softmax(Tensor input, int? dim=None, int _stacklevel=3, ScalarType? dtype=None) -> "
      "Tensor",
      nn_softmax, Function, softmax_doc);
  ops.add(
      "nn.log_softmax(Tensor input, int? dim=None, int _stacklevel=3, ScalarType? dtype=None) -> "
      "Tensor",
      nn_log_softmax, Function, log_doc);
  ops.add(
      "nn.softmin(Tensor input, int? dim=None, int _stacklevel=3, ScalarType? dtype=None) -> "
      "Tensor",
      nn_softmin, Function, "Returns ``softmax(-x)`` along ``dim``.");
}

}  // namespace d2l
