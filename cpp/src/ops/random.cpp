// Random numbers as PyTorch's CPU generator gives them.
//
// Streams are drawn in order by the calling thread. Normal numbers: fewer than 16 come one by one
// from Box and Muller in double; 16 and more are drawn as uniforms first and then turned, 8 pairs
// at a time (Box and Muller, Annals of Mathematical Statistics 29, 1958).
#include <cmath>

#include "autograd/record.h"
#include "core/half.h"
#include "core/total.h"
#include "d2lcore/ops.h"
#include "iter/map.h"
#include "ops/register.h"

namespace d2l {
namespace {

// Draws into a contiguous buffer of t's dtype and copies it to t, if t itself is not contiguous.
template <class F>
void in_order(const Tensor& t, F fill) {
  if (t.is_contiguous()) {
    fill(t);
    return;
  }
  Tensor flat = empty(t.shape(), t.dtype());
  fill(flat);
  copy_into(t, flat);
}

// One uniform number with as many random bits as the dtype has digits.
double uniform_in(DType dtype, Generator& g, double from, double to) {
  switch (dtype) {
    case DType::Double:
      return g.uniform_double() * (to - from) + from;
    case DType::Half: {
      const float x = static_cast<float>(g.next32() & 0x7FF) * 0x1p-11f;
      return x * static_cast<float>(to - from) + static_cast<float>(from);
    }
    case DType::BFloat16: {
      const float x = static_cast<float>(g.next32() & 0xFF) * 0x1p-8f;
      return x * static_cast<float>(to - from) + static_cast<float>(from);
    }
    default: {
      const float low = static_cast<float>(from), high = static_cast<float>(to);
      return g.uniform_float() * (high - low) + low;
    }
  }
}

// Turns 16 uniforms into 16 normal numbers.
template <class T>
void box_muller(T* p, T mean, T std) {
  for (int j = 0; j < 8; ++j) {
    const T u1 = 1 - p[j], u2 = p[j + 8];
    const T theta = static_cast<T>(2 * M_PI * static_cast<double>(u2));
    const double radius = std::sqrt(-2 * std::log(static_cast<double>(u1)));
    p[j] = static_cast<T>(radius * std::cos(static_cast<double>(theta))) * std + mean;
    p[j + 8] = static_cast<T>(radius * std::sin(static_cast<double>(theta))) * std + mean;
  }
}

template <class T>
void normal_block(T* p, int64_t n, T mean, T std, DType dtype, Generator& g) {
  for (int64_t i = 0; i < n; ++i) p[i] = static_cast<T>(uniform_in(dtype, g, 0, 1));
  for (int64_t i = 0; i + 15 < n; i += 16) box_muller(p + i, mean, std);
  if (n % 16 != 0) {
    // The last 16 are drawn anew, so that each is turned with its partner.
    T* tail = p + n - 16;
    for (int i = 0; i < 16; ++i) tail[i] = static_cast<T>(uniform_in(dtype, g, 0, 1));
    box_muller(tail, mean, std);
  }
}

void check_float(const char* op, const Tensor& t) {
  check<NotImplementedError>(is_floating(t.dtype()), "\"{}\" not implemented for '{}'", op,
                             t.dtype());
}

void check_writable(const char* op, const Tensor& t) {
  check(t.storage()->writable, "{}: the memory of the output tensor is read-only", op);
}

}  // namespace

void uniform_into(const Tensor& t, double from, double to, Generator* generator) {
  check_float("check_uniform_bounds", t);
  check(from <= to, "uniform_ expects to return a [from, to) range, but found from={} > to={}",
        from, to);
  check(std::isfinite(to - from),
        "uniform_ expects to-from <= std::numeric_limits<Float>::max(), "
        "but found to={} and from={}",
        to, from);
  Generator& g = or_default(generator);
  in_order(t, [&](const Tensor& flat) {
    if (flat.dtype() == DType::Float) {
      const float low = static_cast<float>(from), span = static_cast<float>(to) - low;
      float* p = flat.data_as<float>();
      for (int64_t i = 0; i < flat.numel(); ++i) p[i] = g.uniform_float() * span + low;
      return;
    }
    const int64_t size = flat.item_bytes();
    for (int64_t i = 0; i < flat.numel(); ++i) {
      store_scalar(flat.data() + i * size, flat.dtype(),
                   Scalar(uniform_in(flat.dtype(), g, from, to)));
    }
  });
}

void normal_into(const Tensor& t, double mean, double std, Generator* generator) {
  check(std >= 0, "normal expects std >= 0.0, but found std {}", std);
  check_float("normal_kernel_cpu", t);
  Generator& g = or_default(generator);
  in_order(t, [&](const Tensor& flat) {
    const int64_t n = flat.numel();
    if (n < 16) {
      for (int64_t i = 0; i < n; ++i) {
        store_scalar(flat.data() + i * flat.item_bytes(), flat.dtype(),
                     Scalar(g.normal_double() * std + mean));
      }
    } else if (flat.dtype() == DType::Double) {
      normal_block(flat.data_as<double>(), n, mean, std, DType::Double, g);
    } else if (flat.dtype() == DType::Float) {
      normal_block(flat.data_as<float>(), n, static_cast<float>(mean), static_cast<float>(std),
                   DType::Float, g);
    } else {
      Tensor wide = empty(flat.shape(), DType::Float);
      normal_block(wide.data_as<float>(), n, static_cast<float>(mean), static_cast<float>(std),
                   flat.dtype(), g);
      copy_into(flat, wide);
    }
  });
}

namespace {

// What random_() draws without bounds: all non-negative values of the dtype, exactly representable.
uint64_t full_range(DType t) {
  switch (t) {
    case DType::Bool:
      return 2;
    case DType::UInt8:
      return 256;
    case DType::Int8:
      return 128;
    case DType::Int16:
      return 32768;
    case DType::Int32:
      return 1ull << 31;
    case DType::Half:
      return (1ull << 11) + 1;
    case DType::BFloat16:
      return (1ull << 8) + 1;
    case DType::Float:
      return (1ull << 24) + 1;
    case DType::Double:
      return (1ull << 53) + 1;
    default:
      return 1ull << 63;
  }
}

void integers_into(const Tensor& t, int64_t low, uint64_t range, Generator& g) {
  const bool wide = range >= 1ull << 32;
  in_order(t, [&](const Tensor& flat) {
    const int64_t size = flat.item_bytes();
    for (int64_t i = 0; i < flat.numel(); ++i) {
      const uint64_t draw = (wide ? g.next64() : g.next32()) % range;
      store_scalar(flat.data() + i * size, flat.dtype(),
                   Scalar(static_cast<int64_t>(draw + static_cast<uint64_t>(low))));
    }
  });
}

void check_bounds(const char* op, DType t, int64_t low, int64_t high) {
  check(low < high, "{} expects 'from' to be less than 'to', but got from={} >= to={}", op, low,
        high);
  auto inside = [&](int64_t x) {
    const int64_t limit = t == DType::Bool    ? 1
                          : t == DType::UInt8 ? 255
                          : t == DType::Int8  ? 127
                          : t == DType::Int16 ? 32767
                          : t == DType::Int32 ? 2147483647
                                              : INT64_MAX;
    const int64_t least = t <= DType::UInt8 ? 0 : -limit - 1;
    return x >= least && x <= limit;
  };
  check(inside(low), "from is out of bounds for {}", name(t));
  check(inside(high - 1), "to - 1 is out of bounds for {}", name(t));
}

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
  check_bounds("random_", dtype, low, high);
  Tensor out = made(size, dtype, dst);
  integers_into(out, low, static_cast<uint64_t>(high) - static_cast<uint64_t>(low), or_default(g));
  return finish(out, o);
}
Tensor randperm_into(int64_t n, Generator* generator, const Options& o, Dst dst) {
  check(n >= 0, "n must be non-negative, got {}", n);
  const DType dtype = dst ? dst.tensor().dtype() : o.dtype.value_or(DType::Int64);
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

// op_ and the functional form share this: dst is the tensor to fill, or a new one like self.
template <class F>
Tensor random_like(const char* op, const char* node, const Tensor& self, Dst dst, F fill) {
  Tensor out = dst ? dst.tensor() : empty_as(self, self.dtype());
  check_writable(op, out);
  fill(out);
  return record(out, node, {&self}, saved(), [](const Tensor& g) { return zeros_like(g); });
}

Tensor uniform_row(const Tensor& self, double from, double to, Generator* g, Dst dst) {
  return random_like("uniform_", "UniformBackward0", self, dst,
                     [&](const Tensor& t) { uniform_into(t, from, to, g); });
}
Tensor normal_row(const Tensor& self, double mean, double std, Generator* g, Dst dst) {
  return random_like("normal_", "NormalBackward0", self, dst,
                     [&](const Tensor& t) { normal_into(t, mean, std, g); });
}
Tensor random_row(const Tensor& self, Generator* g, Dst dst) {
  return random_like("random_", "RandomBackward0", self, dst, [&](const Tensor& t) {
    integers_into(t, 0, full_range(t.dtype()), or_default(g));
  });
}
Tensor random_range(const Tensor& self, int64_t from, OptInt to, Generator* g, Dst dst) {
  return random_like("random_", "RandomBackward0", self, dst, [&](const Tensor& t) {
    const int64_t high =
        to.value_or(static_cast<int64_t>(std::min(full_range(t.dtype()), uint64_t{INT64_MAX})));
    check_bounds("random_", t.dtype(), from, high);
    integers_into(t, from, static_cast<uint64_t>(high) - static_cast<uint64_t>(from),
                  or_default(g));
  });
}
Tensor random_to(const Tensor& self, int64_t to, Generator* g, Dst dst) {
  return random_range(self, 0, to, g, dst);
}
Tensor exponential_row(const Tensor& self, double lambd, Generator* generator, Dst dst) {
  check(lambd > 0, "exponential_ expects lambda > 0.0, but found lambda={}", lambd);
  return random_like("exponential_", "ExponentialBackward0", self, dst, [&](const Tensor& t) {
    check_float("exponential_", t);
    Generator& g = or_default(generator);
    in_order(t, [&](const Tensor& flat) {
      for (int64_t i = 0; i < flat.numel(); ++i) {
        store_scalar(flat.data() + i * flat.item_bytes(), flat.dtype(),
                     Scalar(-1.0 / lambd * std::log1p(-g.uniform_double())));
      }
    });
  });
}
Tensor bernoulli_p(const Tensor& self, double p, Generator* generator, Dst dst) {
  check(p >= 0 && p <= 1, "bernoulli_ expects p to be in [0, 1], but got p={}", p);
  return random_like("bernoulli_", "BernoulliBackward1", self, dst, [&](const Tensor& t) {
    Generator& g = or_default(generator);
    in_order(t, [&](const Tensor& flat) {
      for (int64_t i = 0; i < flat.numel(); ++i) {
        store_scalar(flat.data() + i * flat.item_bytes(), flat.dtype(),
                     Scalar(int64_t{g.uniform_double() < p}));
      }
    });
  });
}
Tensor bernoulli_row(const Tensor& self, Generator* generator, Dst dst) {
  check_float("bernoulli_tensor_cpu_p_", self);
  Generator& g = or_default(generator);
  const Tensor p = contiguous(detach(self));
  const int64_t size = self.item_bytes();
  for (int64_t i = 0; i < p.numel(); ++i) {
    const double x = load_scalar(p.data() + i * size, p.dtype()).real();
    check(x >= 0 && x <= 1, "Expected p_in >= 0 && p_in <= 1 to be true, but got false.");
  }
  Tensor out = prepare_result("bernoulli", dst, self.shape(), self.dtype());
  in_order(out, [&](const Tensor& flat) {
    for (int64_t i = 0; i < flat.numel(); ++i) {
      const double x = load_scalar(p.data() + i * size, p.dtype()).real();
      const double u =
          self.dtype() == DType::Double ? g.uniform_double() : double{g.uniform_float()};
      store_scalar(flat.data() + i * flat.item_bytes(), flat.dtype(), Scalar(int64_t{u < x}));
    }
  });
  return record(out, "BernoulliBackward0", {&self}, saved(),
                [](const Tensor& gg) { return zeros_like(gg); });
}
Tensor normal_size(double mean, double std, IntList size, Generator* g, const Options& o, Dst dst) {
  Tensor out = made(size, o.dtype.value_or(default_dtype()), dst);
  normal_into(out, mean, std, g);
  return finish(out, o);
}
Tensor normal_tensors(const Tensor& mean, const Tensor& std, Generator* g, Dst dst) {
  check(!is_complex(std.dtype()), "normal expects standard deviation to be non-complex");
  check(std.numel() == 0 || item(amin(std, {})).real() >= 0,
        "normal expects all elements of std >= 0.0");
  Tensor out = empty(broadcast_shapes({&mean, &std}), result_type(mean, std));
  normal_into(out, 0, 1, g);
  GradModeGuard off(false);
  return deliver("normal", dst, add(mul(out, std), mean));
}
Tensor normal_mean(const Tensor& mean, double std, Generator* g, Dst dst) {
  return normal_tensors(mean, scalar_tensor(Scalar(std), mean.dtype(), true), g, dst);
}
Tensor normal_std(double mean, const Tensor& std, Generator* g, Dst dst) {
  return normal_tensors(scalar_tensor(Scalar(mean), std.dtype(), true), std, g, dst);
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
  check_bounds("random_", out.dtype(), low, high);
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
  ops.add("uniform(Tensor self, float from=0, float to=1, *, Generator? generator=None) -> Tensor",
          uniform_row, Inplace, "Fills with uniform random numbers from [from, to).");
  ops.add("normal(Tensor self, float mean=0, float std=1, *, Generator? generator=None) -> Tensor",
          normal_row, Inplace, "Fills with normal random numbers.");
  ops.add("random(Tensor self, int from, int? to, *, Generator? generator=None) -> Tensor",
          random_range, Inplace, "Fills with random integers from [from, to).");
  ops.add("random(Tensor self, int to, *, Generator? generator=None) -> Tensor", random_to, Inplace,
          "Fills with random integers from [0, to).");
  ops.add("random(Tensor self, *, Generator? generator=None) -> Tensor", random_row, Inplace,
          "Fills with random integers that the dtype holds exactly.");
  ops.add("exponential(Tensor self, float lambd=1, *, Generator? generator=None) -> Tensor",
          exponential_row, Inplace, "Fills with exponentially distributed numbers of rate lambd.");
  ops.add("bernoulli(Tensor self, *, Generator? generator=None) -> Tensor", bernoulli_row,
          Both | Out, "Returns 1 with the probability that each element gives, else 0.");
  ops.add("bernoulli(Tensor self, float p, *, Generator? generator=None) -> Tensor", bernoulli_p,
          Both | Inplace, "Returns 1 with probability p, else 0.");
#undef GEN
#undef LIKE
}

}  // namespace d2l
