// Random tensors as PyTorch's CPU generator gives them: the functions that make one.
#include "autograd/record.h"
#include "core/total.h"
#include "iter/map.h"
#include "iter/reduce.h"
#include "ops/random_parts.h"
#include "ops/register.h"

namespace d2l {
namespace {

Tensor made(IntList size, DType dtype, Dst dst) {
  if (!dst) return empty(size, dtype);
  resize_raw(dst.tensor(), size);
  return dst.tensor();
}

Tensor finish(Tensor t, const Options& o) {
  if (o.requires_grad) t.set_requires_grad(true);
  return t;
}

Tensor rand_into(IntList size, Generator* g, const Options& o, Dst dst) {
  Tensor out = made(size, o.dtype.value_or(default_dtype()), dst);
  uniform_into(out, 0, 1, g);
  return finish(out, o);
}
Tensor randn_into(IntList size, Generator* g, const Options& o, Dst dst) {
  Tensor out = made(size, o.dtype.value_or(default_dtype()), dst);
  normal_into(out, 0, 1, g);
  return finish(out, o);
}
Tensor randint_into(int64_t low, int64_t high, IntList size, Generator* g, const Options& o,
                    Dst dst) {
  const DType dtype = dst ? dst.tensor().dtype() : o.dtype.value_or(DType::Int64);
  check_bounds(dtype, &low, &high);
  Tensor out = made(size, dtype, dst);
  integers_into(out, low, static_cast<uint64_t>(high) - static_cast<uint64_t>(low), or_default(g));
  return finish(out, o);
}
// That all numbers below n are distinct in the dtype.
void check_counts(int64_t n, DType dtype) {
  if (n > 0) check_fits(Scalar(n - 1), dtype);
  if (dtype == DType::Half) check(n <= 2049, "n cannot be greater than 2049 for Half type.");
  if (dtype == DType::Float) {
    check(n <= (1 << 24) + 1, "n cannot be greater than 2^24+1 for Float type.");
  }
}
Tensor randperm_into(int64_t n, Generator* generator, const Options& o, Dst dst) {
  check(n >= 0, "Trying to create tensor with negative dimension {}: [{}]", n, n);
  const DType dtype = dst ? dst.tensor().dtype() : o.dtype.value_or(DType::Int64);
  check<NotImplementedError>(dtype != DType::Bool && !is_complex(dtype),
                             "\"randperm\" not implemented for '{}'", dtype);
  check_counts(n, dtype);
  Tensor wide = empty(Dims{n}, DType::Int64);
  int64_t* p = wide.data_as<int64_t>();
  Generator& g = or_default(generator);
  for (int64_t i = 0; i < n; ++i) p[i] = i;
  const bool small = n < int64_t{UINT32_MAX} / 20;
  for (int64_t i = 0; i + 1 < n; ++i) {
    const uint64_t draw = small ? g.next32() : g.next64();
    std::swap(p[i], p[i + static_cast<int64_t>(draw % static_cast<uint64_t>(n - i))]);
  }
  Tensor out = made(Dims{n}, dtype, dst);
  copy_into(out, wide);
  return finish(out, o);
}

}  // namespace

Tensor rand(IntList size, Generator* g, const Options& o) { return rand_into(size, g, o, {}); }
Tensor randn(IntList size, Generator* g, const Options& o) { return randn_into(size, g, o, {}); }
Tensor randint(int64_t low, int64_t high, IntList size, Generator* g, const Options& o) {
  return randint_into(low, high, size, g, o, {});
}
Tensor randperm(int64_t n, Generator* g, const Options& o) { return randperm_into(n, g, o, {}); }

namespace {

// Fills out with normal numbers of mean 0, then out * std + mean, rounding as PyTorch does. std is
// undefined where the numbers were drawn with it.
Tensor shift_normal(const Tensor& out, const Tensor& std, const Tensor& mean) {
  GradModeGuard off(false);
  if (std.defined()) mul(out, std, Dst::inplace(out));
  return add(out, mean, 1, Dst::inplace(out));
}

// The elements behind a tensor, those that expand() repeats once only.
Tensor without_repeats(const Tensor& t) {
  Dims shape(t.shape());
  for (int64_t d = 0; d < t.dim(); ++d) {
    if (t->strides[d] == 0 && shape[d] > 1) shape[d] = 1;
  }
  return raw_view(t, shape, t.strides(), t.offset());
}
void check_deviations(const Tensor& std) {
  check(!is_complex(std.dtype()), "normal expects standard deviation to be non-complex");
  if (std.numel() == 0) return;
  GradModeGuard off(false);
  check(item(amin(without_repeats(std), {})).real() >= 0,
        "normal expects all elements of std >= 0.0");
}

Tensor normal_size(double mean, double std, IntList size, Generator* g, const Options& o, Dst dst) {
  Tensor out = made(size, o.dtype.value_or(default_dtype()), dst);
  normal_into(out, mean, std, g);
  return finish(out, o);
}
Tensor zeros_of(const Node& node, size_t input, const Tensor& g) {
  return zeros(node.input_shape(input), Options(g.dtype()));
}
Tensor normal_tensors(const Tensor& mean, const Tensor& std, Generator* g, Dst dst) {
  check_deviations(std);
  Tensor out = made(broadcast_shapes({&mean, &std}), mean.dtype(), dst);
  normal_into(out, 0, 1, g);
  shift_normal(out, std, mean);
  return record(
      out, "NormalBackward3", {&mean, &std}, saved(),
      [](const Node& n, const Tensor& t) { return zeros_of(n, 0, t); },
      [](const Node& n, const Tensor& t) { return zeros_of(n, 1, t); });
}
Tensor normal_mean(const Tensor& mean, double std, Generator* g, Dst dst) {
  check(std >= 0, "normal expects std >= 0.0, but found std {}", std);
  Tensor out = made(mean.shape(), mean.dtype(), dst);
  normal_into(out, 0, std, g);
  shift_normal(out, {}, mean);
  return record(out, "NormalBackward1", {&mean}, saved(),
                [](const Node& n, const Tensor& t) { return zeros_of(n, 0, t); });
}
Tensor normal_std(double mean, const Tensor& std, Generator* g, Dst dst) {
  check_deviations(std);
  Tensor out = made(std.shape(), std.dtype(), dst);
  normal_into(out, 0, 1, g);
  shift_normal(out, std, scalar_tensor(Scalar(mean), out.dtype()));
  return record(out, "NormalBackward2", {&std}, saved(),
                [](const Node& n, const Tensor& t) { return zeros_of(n, 0, t); });
}
Options like_options(const Tensor& self, Options o) {
  if (!o.dtype) o.dtype = self.dtype();
  return o;
}
Tensor rand_like(const Tensor& self, const Options& o, Ignored) {
  Tensor out = empty_as(self, *like_options(self, o).dtype);
  uniform_into(out, 0, 1);
  return finish(out, o);
}
Tensor randn_like(const Tensor& self, const Options& o, Ignored) {
  Tensor out = empty_as(self, *like_options(self, o).dtype);
  normal_into(out, 0, 1);
  return finish(out, o);
}
Tensor randint_like_range(const Tensor& self, int64_t low, int64_t high, const Options& o,
                          Ignored) {
  Tensor out = empty_as(self, *like_options(self, o).dtype);
  check_bounds(out.dtype(), &low, &high);
  integers_into(out, low, static_cast<uint64_t>(high) - static_cast<uint64_t>(low),
                default_generator());
  return finish(out, o);
}
Tensor randint_like(const Tensor& self, int64_t high, const Options& o, Ignored i) {
  return randint_like_range(self, 0, high, o, i);
}
Tensor randint_high(int64_t high, IntList size, Generator* g, const Options& o, Dst dst) {
  return randint_into(0, high, size, g, o, dst);
}

}  // namespace

void register_random(OpTable& ops) {
#define GEN                                                                     \
  "*, Generator? generator=None, ScalarType? dtype=None, Layout? layout=None, " \
  "Device? device=None, bool? pin_memory=None, bool requires_grad=False"
#define LIKE                                                              \
  "*, ScalarType? dtype=None, Layout? layout=None, Device? device=None, " \
  "bool? pin_memory=None, bool requires_grad=False, MemoryFormat? memory_format=None"
  constexpr uint32_t kFactory = Function | Out;
  ops.add("rand(int[] size, " GEN ") -> Tensor", rand_into, kFactory,
          "Returns uniform random numbers from [0, 1).");
  ops.add("randn(int[] size, " GEN ") -> Tensor", randn_into, kFactory,
          "Returns random numbers from the standard normal distribution.");
  ops.add("randint(int high, int[] size, " GEN ") -> Tensor", randint_high, kFactory,
          "Returns random integers from [0, high); int64 by default.");
  ops.add("randint(int low, int high, int[] size, " GEN ") -> Tensor", randint_into, kFactory,
          "Returns random integers from [low, high); int64 by default.");
  ops.add("randperm(int n, " GEN ") -> Tensor", randperm_into, kFactory,
          "Returns a random permutation of 0 .. n - 1.");
  ops.add("normal(Tensor mean, Tensor std, *, Generator? generator=None) -> Tensor", normal_tensors,
          kFactory, "Returns normal random numbers, each with its own mean and deviation.");
  ops.add("normal(Tensor mean, float std=1, *, Generator? generator=None) -> Tensor", normal_mean,
          kFactory, "Returns normal random numbers with the given means.");
  ops.add("normal(float mean, Tensor std, *, Generator? generator=None) -> Tensor", normal_std,
          kFactory, "Returns normal random numbers with the given deviations.");
  ops.add("normal(float mean, float std, int[] size, " GEN ") -> Tensor", normal_size, kFactory,
          "Returns normal random numbers of one mean and deviation.");
  ops.add("rand_like(Tensor self, " LIKE ") -> Tensor", rand_like, Function,
          "Returns uniform random numbers in the shape of ``self``.");
  ops.add("randn_like(Tensor self, " LIKE ") -> Tensor", randn_like, Function,
          "Returns standard normal numbers in the shape of ``self``.");
  ops.add("randint_like(Tensor self, int high, " LIKE ") -> Tensor", randint_like, Function,
          "Returns random integers from [0, high) in the shape of ``self``.");
  ops.add("randint_like(Tensor self, int low, int high, " LIKE ") -> Tensor", randint_like_range,
          Function, "Returns random integers from [low, high) in the shape of ``self``.");
  register_random_fill(ops);
  register_random_sample(ops);
#undef GEN
#undef LIKE
}

}  // namespace d2l
