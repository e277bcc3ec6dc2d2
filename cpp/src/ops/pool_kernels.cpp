// Pooling as ops with derivatives, for checked arguments.
//
// The one idea: a mean and its adjoint are each other's derivatives, and so are adding at indices
// and reading there; a maximum is the latter with indices that it chose. Half precision is computed
// in float32. Planes are spread over the threads.
#include "core/thread_pool.h"
#include "gemm/buffer.h"
#include "ops/index_parts.h"
#include "ops/pool_parts.h"

namespace d2l {

Dims pooled_shape(const Tensor& x, const Triple& t, int dims) {
  Dims shape;
  for (int64_t i = 0; i < x.dim() - dims; ++i) shape.push_back(x->shape[i]);
  for (int i = 3 - dims; i < 3; ++i) shape.push_back(t[i]);
  return shape;
}

namespace {

constexpr int64_t kGrainWork = 1 << 15;  // places of windows that a thread looks at in a chunk
constexpr int64_t kFew = 4;              // outputs in a row below which vectors do not pay

int64_t planes_of(const Tensor& x, int dims) {
  int64_t n = 1;
  for (int64_t i = 0; i < x.dim() - dims; ++i) n *= x->shape[i];
  return n;
}

WindowLists lists_of(const PoolWindows& p) {
  WindowLists out;
  for (int i = 0; i < 3; ++i)
    for (int64_t o = 0; o < p.out[i]; ++o) {
      int64_t start, end;
      if (p.adaptive) {  // without the product o * in, which may be large
        const int64_t whole = p.in[i] / p.out[i], rest = p.in[i] % p.out[i];
        start = o * whole + o * rest / p.out[i];
        end = (o + 1) * whole + ((o + 1) * rest + p.out[i] - 1) / p.out[i];
      } else {
        start = o * p.stride[i] - p.padding[i];
        end = std::min(start + p.dilation[i] * (p.kernel[i] - 1) + 1, p.in[i]);
        if (start < 0) start += (-start + p.dilation[i] - 1) / p.dilation[i] * p.dilation[i];
      }
      out.start[i].push_back(start);
      out.end[i].push_back(end);
    }
  return out;
}

std::array<std::vector<int64_t>, 3> counts_of(const PoolWindows& p, const WindowLists& lists) {
  std::array<std::vector<int64_t>, 3> out;
  for (int i = 0; i < 3; ++i)
    for (int64_t o = 0; o < p.out[i]; ++o) {
      int64_t count = lists.end[i][o] - lists.start[i][o];
      if (!p.adaptive && p.count_include_pad) {
        const int64_t start = o * p.stride[i] - p.padding[i];
        count = std::min(start + p.kernel[i], p.in[i] + p.padding[i]) - start;
      }
      out[i].push_back(std::max<int64_t>(count, 1));
    }
  return out;
}

PoolArgs args_of(const PoolWindows& p, const WindowLists& lists) {
  PoolArgs a{};
  for (int i = 0; i < 3; ++i) {
    a.in_size[i] = p.in[i];
    a.out_size[i] = p.out[i];
    a.kernel[i] = p.kernel[i];
    a.stride[i] = p.stride[i];
    a.padding[i] = p.padding[i];
    a.dilation[i] = p.dilation[i];
    a.start[i] = lists.start[i].data();
    a.end[i] = lists.end[i].data();
    a.list_step[i] = lists.step[i];
  }
  a.divisor = p.divisor;
  return a;
}

PoolFn kernel_of(Pool kind, DType type) {
  return kernels().pool[static_cast<int>(kind)][static_cast<int>(type)];
}

// Windows that slide over rows with enough outputs go to the vectors.
bool slides(const PoolWindows& p) { return !p.adaptive && p.out[2] >= kFew; }

// Runs fn over the planes, each chunk of them with scratch memory of its own.
void run_planes(PoolFn fn, const PoolArgs& args, int64_t planes, int64_t size, int64_t in_area,
                int64_t out_area, int64_t scratch) {
  int64_t window = 1;
  for (int i = 0; i < 3; ++i) window *= args.kernel[i];
  const int64_t work = std::max<int64_t>(1, std::max(in_area, out_area * window));
  LongOp unlocked(planes * work > (1 << 18));
  parallel_for(planes, std::max<int64_t>(1, kGrainWork / work), [&](int64_t begin, int64_t end) {
    Buffer<char> memory(scratch * size + 64);
    PoolArgs a = args;
    a.scratch = memory.data();
    a.in += begin * in_area * size;
    a.out += begin * out_area * size;
    if (a.index) a.index += begin * out_area;
    for (int i = 0; i < 3; ++i) {
      a.start[i] += begin * a.list_step[i];
      a.end[i] += begin * a.list_step[i];
    }
    a.planes = end - begin;
    fn(&a);
  });
}

[[noreturn]] void no_kernel(const char* op, DType type) {
  fail<NotImplementedError>("\"{}\" not implemented for '{}'", op, type);
}

Pooled raw_max(const char* op, const Tensor& x0, const PoolWindows& p, const WindowLists* given,
               bool indices) {
  const DType type = x0.dtype();
  if (is_reduced_floating(type)) {
    Pooled r = raw_max(op, to_dtype(detach(x0), DType::Float), p, given, indices);
    return {to_dtype(r.values, type), r.indices};
  }
  const int64_t in_area = product(p.in), out_area = product(p.out);
  const bool vectors = given == nullptr && slides(p) && is_floating(type) && in_area < (1 << 30);
  const PoolFn fn = kernel_of(vectors ? Pool::max : Pool::max_lists, type);
  if (fn == nullptr) no_kernel(op, type);
  Pooled out;
  const Dims shape = pooled_shape(x0, p.out, p.dims);
  out.values = empty(shape, type);
  if (indices) out.indices = empty(shape, DType::Int64);
  if (out.values.numel() == 0) return out;
  const Tensor x = raw_contiguous(x0);
  const WindowLists own = given || vectors ? WindowLists{} : lists_of(p);
  PoolArgs a = args_of(p, given ? *given : own);
  if (p.adaptive || given) std::fill(a.dilation, a.dilation + 3, 1);
  a.in = x.data();
  a.out = out.values.data();
  a.index = indices ? out.indices.data_as<int64_t>() : nullptr;
  run_planes(fn, a, planes_of(x, p.dims), itemsize(type), in_area, out_area,
             vectors ? pool_scratch(a) : 0);
  return out;
}

// in: x, out: the means; or the other way round, of the cotangent.
Tensor raw_mean(const char* op, const Tensor& x0, const PoolWindows& p, bool backward) {
  const DType type = x0.dtype();
  if (is_reduced_floating(type))
    return to_dtype(raw_mean(op, to_dtype(detach(x0), DType::Float), p, backward), type);
  const bool vectors = slides(p) && is_floating(type);
  const PoolFn fn = kernel_of(backward ? (vectors ? Pool::mean_backward : Pool::mean_lists_backward)
                                       : (vectors ? Pool::mean : Pool::mean_lists),
                              type);
  if (fn == nullptr) no_kernel(op, type);
  Tensor out = empty(pooled_shape(x0, backward ? p.in : p.out, p.dims), type);
  if (out.numel() == 0) return out;
  if (x0.numel() == 0) {
    fill_into(out, Scalar(0));
    return out;
  }
  const Tensor x = raw_contiguous(x0);
  const WindowLists lists = lists_of(p);
  const auto counts = counts_of(p, lists);
  PoolArgs a = args_of(p, lists);
  for (int i = 0; i < 3; ++i) a.count[i] = counts[i].data();
  a.in = x.data();
  a.out = out.data();
  const int64_t in_area = product(p.in), out_area = product(p.out);
  run_planes(fn, a, planes_of(x, p.dims), itemsize(type), backward ? out_area : in_area,
             backward ? in_area : out_area, vectors ? pool_scratch(a) : p.in[2]);
  return out;
}

Tensor mean_pool_backward(const char* op, const Tensor& g, const PoolWindows& p);

// Formulas capture no pointers: what errors are called does not matter after the first pass.
Tensor mean_again(const Tensor& g, const PoolWindows& p) {
  return mean_pool("avg_pool", "AvgPoolBackwardBackward0", g, p);
}

Tensor mean_pool_backward(const char* op, const Tensor& g, const PoolWindows& p) {
  return record(raw_mean(op, g, p, true), "AvgPoolBackwardBackward0", {&g}, saved(),
                [p](const Tensor& gg) { return mean_again(gg, p); });
}

// (planes, positions), without a graph.
Tensor by_planes(const Tensor& t, int dims) {
  const int64_t planes = planes_of(t, dims);
  const Tensor c = raw_contiguous(t);
  return raw_view(c, Dims{planes, planes ? t.numel() / planes : 0},
                  Dims{planes ? t.numel() / planes : 0, 1}, c.offset());
}

// What lies at the indices of each plane.
Tensor read_at(const Tensor& x, const Tensor& indices, int dims) {
  const int64_t planes = planes_of(x, dims);
  if (indices.numel() == 0 || planes == 0) return zeros_like(indices);
  const Tensor flat = reshape(x, Dims{planes, x.numel() / planes});
  const Tensor at = reshape(indices, Dims{planes, indices.numel() / planes});
  return reshape(gather(flat, 1, at), indices.shape());
}

Pooled with_gradient(Pooled r, const char* node, const Tensor& x, const PoolWindows& p) {
  if (!r.indices.defined()) return r;
  const Tensor outs[2] = {r.values, r.indices};
  const Triple in = p.in;
  const int dims = p.dims;
  record_many(outs, node, {&x}, saved(r.indices),
              joint([in, dims](const Node&, const std::vector<Tensor>& g, const Tensor& indices,
                               std::vector<Tensor>& to) {
                if (g[0].defined()) to[0] = add_at(g[0], indices, in, dims);
              }));
  return {outs[0], outs[1]};
}

}  // namespace

Tensor add_at(const Tensor& g, const Tensor& indices, Triple in, int dims) {
  const int64_t area = product(in);
  Tensor out = empty(pooled_shape(g, in, dims), g.dtype());
  fill_into(out, Scalar(0));
  if (g.numel() > 0) {
    const Tensor to = raw_view(out, Dims{planes_of(g, dims), area}, Dims{area, 1}, out.offset());
    run_along(Access::Add, to, 1, by_planes(g, dims),
              IndexTensor::checked(by_planes(indices, dims), 0, area, [&](int64_t bad) {
                fail("Found an invalid max index: {} (planes have {} elements)", bad, area);
              }));
  }
  return record(out, "MaxPoolBackwardBackward0", {&g}, saved(indices),
                [dims](const Tensor& gg, const Tensor& at) { return read_at(gg, at, dims); });
}

Tensor mean_pool(const char* op, const char* node, const Tensor& x, const PoolWindows& p) {
  return record(raw_mean(op, x, p, false), node, {&x}, saved(),
                [p](const Tensor& g) { return mean_pool_backward("avg_pool_backward", g, p); });
}

Pooled max_pool(const char* op, const char* node, const Tensor& x, const PoolWindows& p,
                bool indices) {
  const Tensor* const in[] = {&x};
  const bool grad = detail::any_needs_grad(in);
  return with_gradient(raw_max(op, x, p, nullptr, indices || grad), node, x, p);
}

Pooled max_pool_lists(const char* op, const char* node, const Tensor& x, const PoolWindows& p,
                      const WindowLists& lists) {
  return with_gradient(raw_max(op, x, p, &lists, true), node, x, p);
}

}  // namespace d2l
