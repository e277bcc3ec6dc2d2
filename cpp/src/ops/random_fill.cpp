// Filling a tensor with random numbers, as PyTorch's CPU generator gives them: the ops that exist
// in place only (normal_, uniform_, exponential_, ...).
//
// Normal numbers: 16 and more in a row are drawn as uniforms and turned 8 pairs at a time
// (kernels/normal.cpp); fewer, or elements that do not lie in a row, come one by one in double.
#include <bit>

#include "autograd/record.h"
#include "iter/map.h"
#include "ops/random_parts.h"
#include "ops/register.h"

namespace d2l {
namespace {

constexpr double kPi = 3.141592653589793;

// A block of 16 in double; the float32 one is a kernel.
void normal_block(double* p, double mean, double std) {
  for (int j = 0; j < 8; ++j) {
    const double radius = std::sqrt(-2 * std::log(1 - p[j])), theta = 2.0 * kPi * p[j + 8];
    p[j] = std::fma(radius * std::cos(theta), std, mean);
    p[j + 8] = std::fma(radius * std::sin(theta), std, mean);
  }
}
void normal_block(float* p, float mean, float std) { kernels().normal_blocks(p, 1, mean, std); }

void draw(float* p, int64_t n, Generator& g) {
  for (int64_t i = 0; i < n; ++i) p[i] = g.uniform_float();
}
void draw(double* p, int64_t n, Generator& g) {
  for (int64_t i = 0; i < n; ++i) p[i] = g.uniform_double();
}

// n >= 16 numbers in a row. When 16 does not divide n, the last 16 are drawn anew, so that each is
// turned with its partner.
template <class T, class Compute>
void normal_row(T* p, int64_t n, Compute mean, Compute std, Generator& g) {
  auto block = [&](T* at) {
    if constexpr (std::is_same_v<T, Compute>) {
      normal_block(at, mean, std);
    } else {
      Compute wide[16];
      draw(wide, 16, g);
      normal_block(wide, mean, std);
      for (int j = 0; j < 16; ++j) at[j] = converted<T>(wide[j]);
    }
  };
  if constexpr (std::is_same_v<T, Compute>) draw(p, n, g);
  if constexpr (std::is_same_v<T, float>) {
    kernels().normal_blocks(p, n / 16, mean, std);
  } else {
    for (int64_t i = 0; i + 15 < n; i += 16) block(p + i);
  }
  if (n % 16 != 0) {
    if constexpr (std::is_same_v<T, Compute>) draw(p + n - 16, 16, g);
    block(p + n - 16);
  }
}

// The least and greatest finite number of a floating dtype.
double largest(DType t) {
  return t == DType::Half       ? 65504.0
         : t == DType::BFloat16 ? 0x1.FEp127
         : t == DType::Float    ? 0x1.FFFFFEp127
                                : 0x1.FFFFFFFFFFFFFp1023;
}

void check_floating(const char* op, DType t) {
  check<NotImplementedError>(is_floating(t), "\"{}\" not implemented for '{}'", op, t);
}

}  // namespace

void uniform_into(const Tensor& t, double from, double to, Generator* generator) {
  if (is_complex(t.dtype())) return uniform_into(parts_of(t), from, to, generator);
  check_floating("check_uniform_bounds", t.dtype());
  const double limit = largest(t.dtype());
  check(from >= -limit && from <= limit, "from is out of bounds for {}", cpp_name(t.dtype()));
  check(to >= -limit && to <= limit, "to is out of bounds for {}", cpp_name(t.dtype()));
  check(from <= to, "uniform_ expects to return a [from, to) range, but found from={} > to={}",
        from, to);
  check(to - from <= limit,
        "uniform_ expects to-from <= std::numeric_limits<{}>::max(), but found to={} and from={} "
        "which result in to-from to exceed the limit",
        t.dtype(), to, from);
  Generator& g = or_default(generator);
  const bool unit = from == 0 && to == 1;
  if (t.dtype() == DType::Double) {
    fill_in_order(t, [&g, unit, from, to] {
      const double x = g.uniform_double();
      const double y = unit ? x : std::fma(x, to - from, from);
      return y == to ? from : y;
    });
    return;
  }
  if (t.dtype() == DType::Float && unit && t.is_contiguous()) {
    draw(t.data_as<float>(), t.numel(), g);
    return;
  }
  const float low = static_cast<float>(from), high = static_cast<float>(to);
  const Plan plan = make_plan(t.shape(), {&t});
  with_floating(t.dtype(), [&]<class T>(Tag<T>) {
    // A number that is rounded up to the bound becomes the other one.
    const T first = converted<T>(from), last = converted<T>(to);
    walk(plan, [&](char* const* at) {
      const T x = converted<T>(std::fma(g.uniform_float(), high - low, low));
      put(at[0], std::memcmp(&x, &last, sizeof x) == 0 ? first : x);
    });
  });
}

void normal_into(const Tensor& t, double mean, double std, Generator* generator) {
  check(std >= 0, "normal expects std >= 0.0, but found std {}", std);
  if (t.numel() == 0) return;
  if (is_complex(t.dtype())) {
    return normal_into(parts_of(t), mean, std / std::sqrt(2.0), generator);
  }
  check_floating("normal_kernel_cpu", t.dtype());
  Generator& g = or_default(generator);
  if (t.numel() < 16 || !t.is_contiguous()) {
    return fill_in_order(t, [&] { return std::fma(g.normal_double(), std, mean); });
  }
  with_floating(t.dtype(), [&]<class T>(Tag<T>) {
    using Compute = std::conditional_t<std::is_same_v<T, double>, double, float>;
    normal_row(t.data_as<T>(), t.numel(), static_cast<Compute>(mean), static_cast<Compute>(std), g);
  });
}

void integers_into(const Tensor& t, int64_t base, uint64_t range, Generator& g) {
  check<NotImplementedError>(!is_complex(t.dtype()),
                             "\"random_from_to_kernel_cpu\" not implemented for '{}'", t.dtype());
  const bool wide = range >= 1ull << 28;  // so that the remainder's bias stays small
  fill_in_order(t, [&, wide] {
    const uint64_t x = (wide ? g.next64() : g.next32()) % range;
    return static_cast<int64_t>(x + static_cast<uint64_t>(base));
  });
}

namespace {

// x as the dtype would hold it.
int64_t rounded(int64_t x, DType t) {
  int64_t out = 0;
  with_floating(t, [&]<class T>(Tag<T>) { out = Scalar(widened(converted<T>(x))).to_int(); });
  return out;
}
// The distance between the dtype's numbers around x.
int64_t spacing(int64_t x, DType t) {
  const uint64_t size = x < 0 ? 0 - static_cast<uint64_t>(x) : static_cast<uint64_t>(x);
  const int shift = static_cast<int>(std::bit_width(size)) - digits_of(t);
  return shift >= 0 && shift < 63 ? int64_t{1} << shift : 0;
}
// from + 1 and to - 1 wrap at the ends of int64, as in PyTorch.
int64_t after(int64_t x) { return static_cast<int64_t>(static_cast<uint64_t>(x) + 1); }
int64_t before(int64_t x) { return static_cast<int64_t>(static_cast<uint64_t>(x) - 1); }
int64_t lowest_start(int64_t from, DType t) {
  const int64_t next = rounded(after(from), t);
  return next < from ? next + spacing(after(from), t) : from;
}
int64_t highest_end(int64_t to, DType t) {
  const int64_t last = rounded(before(to), t);
  return last >= to ? last - spacing(before(to), t) : to;
}

int64_t greatest(DType t) {
  return t == DType::Bool    ? 1
         : t == DType::UInt8 ? 255
         : t == DType::Int8  ? 127
         : t == DType::Int16 ? 32767
         : t == DType::Int32 ? 2147483647
                             : INT64_MAX;
}

void check_range(DType t, int64_t from, int64_t last) {
  auto inside = [&](int64_t x) {
    if (is_floating(t)) return std::fabs(static_cast<double>(x)) <= largest(t);
    const int64_t limit = greatest(t);
    return x <= limit && x >= (t <= DType::UInt8 ? 0 : -limit - 1);
  };
  check(inside(from), "from is out of bounds for {}", cpp_name(t));
  check(inside(last), "to - 1 is out of bounds for {}", cpp_name(t));
}

}  // namespace

void check_bounds(DType t, int64_t* from, int64_t* to) {
  check(*from < *to, "random_ expects 'from' to be less than 'to', but got from={} >= to={}", *from,
        *to);
  if (is_floating(t)) {
    *from = lowest_start(*from, t);
    *to = highest_end(*to, t);
    check(*from < *to,
          "random_ expects 'from' casted to dtype to be less than 'to' casted to dtype, but got "
          "from={} >= to={}",
          *from, *to);
  }
  check(!is_complex(t),
        "check_random_bounds handles only integral, floating-point and boolean types");
  check_range(t, *from, *to - 1);
}

namespace {

// op_ and the functional form share this: dst is the tensor to fill, or a new one like self.
template <class F>
Tensor random_like(const char* op, const char* node, const Tensor& self, Dst dst, F fill) {
  Tensor out = dst ? dst.tensor() : empty_as(self, self.dtype());
  check(out.storage()->writable, "{}: the memory of the output tensor is read-only", op);
  fill(out);
  return record(out, node, {&self}, saved(), [](const Tensor& g) { return zeros_like(g); });
}

Tensor uniform_op(const Tensor& self, double from, double to, Generator* g, Dst dst) {
  return random_like("uniform_", "UniformBackward0", self, dst,
                     [&](const Tensor& t) { uniform_into(t, from, to, g); });
}
Tensor normal_op(const Tensor& self, double mean, double std, Generator* g, Dst dst) {
  return random_like("normal_", "NormalBackward0", self, dst,
                     [&](const Tensor& t) { normal_into(t, mean, std, g); });
}

// Without bounds: all values from 0 up that the dtype holds exactly.
Tensor random_op(const Tensor& self, Generator* generator, Dst dst) {
  return random_like("random_", "RandomBackward2", self, dst, [&](const Tensor& t) {
    const DType type = t.dtype();
    check<NotImplementedError>(!is_complex(type), "\"random_kernel_cpu\" not implemented for '{}'",
                               type);
    Generator& g = or_default(generator);
    const uint64_t range = is_floating(type) ? (1ull << digits_of(type)) + 1
                                             : static_cast<uint64_t>(greatest(type)) + 1;
    const bool wide = type == DType::Double || type == DType::Int64;
    fill_in_order(t, [&, wide, range] {
      return static_cast<int64_t>((wide ? g.next64() : g.next32()) % range);
    });
  });
}

// All of int64 (random_ from its least value without an end).
void all_bits_into(const Tensor& t, Generator& g) {
  if (t.numel() == 0) return;
  check<NotImplementedError>(
      t.dtype() != DType::Bool && t.dtype() != DType::Half && !is_complex(t.dtype()),
      "\"random_full_64_bits_range_kernel_cpu\" not implemented for '{}'", t.dtype());
  check(t.dtype() == DType::Int64 || is_floating(t.dtype()),
        "random_full_64_bits_range_kernel_cpu handles only int64, double, float and bfloat16");
  fill_in_order(t, [&] { return static_cast<int64_t>(g.next64()); });
}

Tensor random_range(const Tensor& self, int64_t from, OptInt to, Generator* generator, Dst dst) {
  return random_like("random_", "RandomBackward0", self, dst, [&](const Tensor& t) {
    Generator& g = or_default(generator);
    int64_t first = from;
    if (!to && from == INT64_MIN) return all_bits_into(t, g);
    if (to) {
      int64_t end = *to;
      check_bounds(t.dtype(), &first, &end);
      return integers_into(t, first, static_cast<uint64_t>(end) - static_cast<uint64_t>(first), g);
    }
    check(!is_complex(t.dtype()),
          "random_from_to_impl handles only integral, floating-point and boolean types");
    int64_t last = greatest(t.dtype());
    if (is_floating(t.dtype())) {
      last = int64_t{1} << digits_of(t.dtype());
      first = lowest_start(first, t.dtype());
      check(first < last,
            "random_ expects 'from' casted to dtype to be less than or equal to 'to_inc' casted to "
            "dtype, but got from={} > to_inc={}",
            first, last);
    }
    check_range(t.dtype(), first, last);
    integers_into(t, first, static_cast<uint64_t>(last) - static_cast<uint64_t>(first) + 1, g);
  });
}
Tensor random_to(const Tensor& self, int64_t to, Generator* g, Dst dst) {
  return random_range(self, 0, to, g, dst);
}

Tensor exponential_op(const Tensor& self, double lambd, Generator* generator, Dst dst) {
  check(lambd > 0, "exponential_ expects lambda > 0.0, but found lambda={}", lambd);
  return random_like("exponential_", "ExponentialBackward0", self, dst, [&](const Tensor& t) {
    if (t.numel() == 0) return;
    check(is_floating(t.dtype()),
          "Exponential distribution is a continuous probability distribution. dtype must be a "
          "floating point but you specified {}",
          t.dtype());
    Generator& g = or_default(generator);
    fill_in_order(t, [&] { return -1.0 / lambd * std::log1p(-g.uniform_double()); });
  });
}

Tensor cauchy_op(const Tensor& self, double median, double sigma, Generator* generator, Dst dst) {
  check(sigma > 0, "cauchy_ expects sigma > 0.0, but found sigma={}", sigma);
  check(is_floating(self.dtype()),
        "Cauchy distribution is a continuous probability distribution. dtype must be a floating "
        "point but you specified {}",
        cpp_name(self.dtype()));
  return random_like("cauchy_", "CauchyBackward0", self, dst, [&](const Tensor& t) {
    Generator& g = or_default(generator);
    fill_in_order(
        t, [&] { return std::fma(sigma, std::tan(kPi * (g.uniform_double() - 0.5)), median); });
  });
}

Tensor log_normal_op(const Tensor& self, double mean, double std, Generator* generator, Dst dst) {
  check(std > 0, "log_normal_ expects std > 0.0, but found std={}", std);
  return random_like("log_normal_", "LogNormalBackward0", self, dst, [&](const Tensor& t) {
    if (t.numel() == 0) return;
    check_floating("log_normal_cpu", t.dtype());
    Generator& g = or_default(generator);
    fill_in_order(t, [&] { return std::exp(std::fma(g.normal_double(), std, mean)); });
  });
}

Tensor geometric_op(const Tensor& self, double p, Generator* generator, Dst dst) {
  check(0 < p && p < 1, "geometric_ expects p to be in (0, 1), but got p={}", p);
  return random_like("geometric_", "GeometricBackward0", self, dst, [&](const Tensor& t) {
    if (t.numel() == 0) return;
    check<NotImplementedError>(t.dtype() != DType::Bool && !is_complex(t.dtype()),
                               "\"geometric_cpu\" not implemented for '{}'", t.dtype());
    Generator& g = or_default(generator);
    fill_in_order(t, [&] { return std::ceil(std::log(g.uniform_double()) / std::log1p(-p)); });
  });
}

}  // namespace

void register_random_fill(OpTable& ops) {
  ops.add("uniform(Tensor self, float from=0, float to=1, *, Generator? generator=None) -> Tensor",
          uniform_op, Inplace, "Fills with uniform random numbers from [from, to).");
  ops.add("normal(Tensor self, float mean=0, float std=1, *, Generator? generator=None) -> Tensor",
          normal_op, Inplace, "Fills with normal random numbers.");
  ops.add("random(Tensor self, int from, int? to, *, Generator? generator=None) -> Tensor",
          random_range, Inplace,
          "Fills with random integers from [from, to), to the dtype's end for None.");
  ops.add("random(Tensor self, int to, *, Generator? generator=None) -> Tensor", random_to, Inplace,
          "Fills with random integers from [0, to).");
  ops.add("random(Tensor self, *, Generator? generator=None) -> Tensor", random_op, Inplace,
          "Fills with random integers that the dtype holds exactly.");
  ops.add("exponential(Tensor self, float lambd=1, *, Generator? generator=None) -> Tensor",
          exponential_op, Inplace, "Fills with exponentially distributed numbers of rate lambd.");
  ops.add(
      "cauchy(Tensor self, float median=0, float sigma=1, *, Generator? generator=None) -> Tensor",
      cauchy_op, Inplace, "Fills with numbers from the Cauchy distribution.");
  ops.add(
      "log_normal(Tensor self, float mean=1, float std=2, *, Generator? generator=None) -> Tensor",
      log_normal_op, Inplace,
      "Fills with exponentials of normal numbers of the given mean and deviation.");
  ops.add("geometric(Tensor self, float p, *, Generator? generator=None) -> Tensor", geometric_op,
          Inplace, "Fills with the number of trials up to a first success of probability p.");
}

}  // namespace d2l
