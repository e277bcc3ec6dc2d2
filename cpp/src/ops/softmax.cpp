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

// Rows for which one thread does the work, in elements.
constexpr int64_t kRowGrain = 1 << 13;

// A contiguous float32 or float64 tensor with t's elements and dim as its last dimension.
Tensor as_rows(const Tensor& t, int64_t dim, DType type) {
  const int64_t last = t.dim() - 1;
  if ((t.dim() == 0 || dim == last) && t.is_contiguous() && t.dtype() == type) return t;
  Dims shape(t.shape()), strides(t.strides());
  if (t.dim()) {
    shape.erase(static_cast<int>(dim));
    strides.erase(static_cast<int>(dim));
    shape.push_back(t->shape[dim]);
    strides.push_back(t->strides[dim]);
  }
  const Tensor moved = raw_view(t, shape, strides, t.offset());
  Tensor out = empty(shape, type);
  copy_into(out, moved);
  return out;
}

// Applies a row kernel along dim; b may be undefined.
Tensor rows(const char* op, Row kind, const Tensor& a, const Tensor& b, int64_t dim, Dst dst) {
  const DType type = a.dtype();
  const auto& entries = kernels().row[static_cast<int>(kind)];
  const DType kernel =
      !entries[static_cast<int>(type)] && is_reduced_floating(type) ? DType::Float : type;
  const RowFn fn = entries[static_cast<int>(kernel)];
  check<NotImplementedError>(fn != nullptr, "\"{}\" not implemented for '{}'", op, type);
  Tensor out = prepare_result(op, dst, a.shape(), type);
  if (a.numel() == 0) return out;
  const int64_t n = a.dim() ? a->shape[dim] : 1;
  const Tensor x = as_rows(a, dim, kernel), y = b.defined() ? as_rows(b, dim, kernel) : Tensor();
  const bool last = a.dim() == 0 || dim == a.dim() - 1;
  const bool direct = last && out.is_contiguous() && out.dtype() == kernel &&
                      (!dst || (overlap(out, a) == Overlap::None &&
                                (!b.defined() || overlap(out, b) == Overlap::None)));
  const Tensor to = direct ? out : empty(x.shape(), kernel);
  const int64_t count = x.numel() / n, size = itemsize(kernel);
  auto run = [&](int64_t begin, int64_t end) {
    const int64_t skip = begin * n * size;
    const RowArgs args{to.data() + skip, x.data() + skip, y.defined() ? y.data() + skip : nullptr,
                       n, end - begin};
    fn(&args);
  };
  {
    LongOp unlocked(x.numel() >= (1 << 18));
    if (x.numel() < 2 * kRowGrain) {
      run(0, count);
    } else {
      parallel_for(count, std::max<int64_t>(1, kRowGrain / n), run);
    }
  }
  if (direct) return out;
  if (last) {
    copy_into(out, raw_view(to, a.shape(), contiguous_strides(a.shape()), 0));
    return out;
  }
  // Back to where dim was.
  Dims strides(to.strides());
  const int64_t step = strides.back();
  strides.resize(strides.size() - 1);
  strides.insert(static_cast<int>(dim), step);
  copy_into(out, raw_view(to, a.shape(), strides, 0));
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
