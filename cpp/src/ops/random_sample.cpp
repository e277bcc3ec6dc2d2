// Samples whose parameters are tensors: bernoulli, poisson, binomial, multinomial.
//
// Sources: W. Hörmann, "The transformed rejection method for generating Poisson random variables",
// Insurance: Mathematics and Economics 12 (1993), and "The generation of binomial random variates",
// Journal of Statistical Computation and Simulation 46 (1993), with the coefficients and the order
// of draws that PyTorch has, so that a seed gives PyTorch's numbers.
#include <algorithm>

#include "autograd/record.h"
#include "iter/map.h"
#include "ops/random_parts.h"
#include "ops/register.h"

namespace d2l {
namespace {

void check_bernoulli(DType out, const Tensor& p) {
  check<NotImplementedError>(!is_complex(out),
                             "\"bernoulli_tensor_cpu_self_\" not implemented for '{}'", out);
  check<NotImplementedError>(is_floating(p.dtype()),
                             "\"bernoulli_tensor_cpu_p_\" not implemented for '{}'", p.dtype());
  bool valid = true;
  with_floating(p.dtype(), [&]<class T>(Tag<T>) {
    walk(make_plan(p.shape(), {&p}), [&](char* const* at) {
      const double x = widened(get<T>(at[0]));
      valid = valid && x >= 0 && x <= 1;
    });
  });
  check(valid, "Expected p_in >= 0 && p_in <= 1 to be true, but got false.");
}

// out = 1 with the probability that p gives, which is broadcast to out.
void bernoulli_into(const Tensor& out, const Tensor& p, Generator* generator) {
  Generator& g = or_default(generator);
  const Plan plan = make_plan(out.shape(), {&out, &p});
  with_real(out.dtype(), [&]<class T>(Tag<T>) {
    with_floating(p.dtype(), [&]<class P>(Tag<P>) {
      walk(plan, [&](char* const* at) {
        const double x = widened(get<P>(at[1]));
        double u;
        if constexpr (std::is_same_v<P, double>) {
          u = g.uniform_double();
        } else {
          u = static_cast<double>(g.uniform_float());
        }
        put(at[0], converted<T>(static_cast<int>(u < x)));
      });
    });
  });
}

Tensor bernoulli(const Tensor& self, Generator* generator, Dst dst) {
  if (self.numel() > 0) check_bernoulli(dst ? dst.tensor().dtype() : self.dtype(), self);
  Tensor out = dst ? prepare_result("bernoulli", dst, self.shape(), dst.tensor().dtype())
                   : empty(self.shape(), self.dtype());
  if (out.numel() > 0) bernoulli_into(out, self, generator);
  return record(out, "BernoulliBackward0", {&self}, saved(),
                [](const Tensor& g) { return zeros_like(g); });
}

Tensor bernoulli_tensor(const Tensor& self, const Tensor& p, Generator* generator, Dst dst) {
  Tensor out = dst ? dst.tensor() : empty_as(self, self.dtype());
  check(out.storage()->writable, "bernoulli_: the memory of the output tensor is read-only");
  if (out.numel() > 0) {
    check(is_expandable_to(p.shape(), out.shape()),
          "output with shape {} doesn't match the broadcast shape {}", out.shape(), p.shape());
    check_bernoulli(out.dtype(), p);
    bernoulli_into(out, p, generator);
  }
  return record(
      out, "BernoulliBackward1", {&self, &p}, saved(),
      [](const Tensor& g) { return zeros_like(g); },
      [](const Node& n, const Tensor& g) { return zeros(n.input_shape(1), Options(g.dtype())); });
}

void bernoulli_scalar_into(const Tensor& t, double p, Generator* generator) {
  if (t.numel() == 0) return;
  check<NotImplementedError>(!is_complex(t.dtype()),
                             "\"bernoulli_scalar_cpu_\" not implemented for '{}'", t.dtype());
  Generator& g = or_default(generator);
  fill_in_order(t, [&] { return static_cast<int>(g.uniform_double() < p); });
}

void check_probability(double p) {
  check(p >= 0 && p <= 1, "bernoulli_ expects p to be in [0, 1], but got p={}", p);
}

// The functional form is contiguous; in place the tensor keeps its layout.
Tensor bernoulli_p(const Tensor& self, double p, Generator* generator, Dst dst) {
  check_probability(p);
  Tensor out = dst ? dst.tensor() : empty(self.shape(), self.dtype());
  bernoulli_scalar_into(out, p, generator);
  return record(out, "BernoulliBackward2", {&self}, saved(),
                [](const Tensor& g) { return zeros_like(g); });
}
Tensor bernoulli_inplace(const Tensor& self, double p, Generator* generator, Dst dst) {
  check_probability(p);
  Tensor out = dst ? dst.tensor() : empty_as(self, self.dtype());
  check(out.storage()->writable, "bernoulli_: the memory of the output tensor is read-only");
  bernoulli_scalar_into(out, p, generator);
  return record(out, "BernoulliBackward2", {&self}, saved(),
                [](const Tensor& g) { return zeros_like(g); });
}

int64_t poisson_one(double rate, Generator& g) {
  if (rate == 0) return 0;
  if (rate < 10) {  // Knuth's product of uniforms
    const double limit = std::exp(-rate);
    double product = 1;
    for (int64_t k = 0;; ++k) {
      product *= g.uniform_double();
      if (!(product > limit)) return k;
    }
  }
  const double root = std::sqrt(rate), log_rate = std::log(rate);
  const double b = 0.931 + 2.53 * root, a = -0.059 + 0.02483 * b;
  const double inverse_alpha = 1.1239 + 1.1328 / (b - 3.4), v_r = 0.9277 - 3.6224 / (b - 2);
  for (;;) {
    const double u = g.uniform_double() - 0.5, v = g.uniform_double();
    const double us = 0.5 - std::fabs(u);
    const double k = std::floor((2 * a / us + b) * u + rate + 0.43);
    if (us >= 0.07 && v <= v_r) return Scalar(k).to_int();
    if (k < 0 || (us < 0.013 && v > us)) continue;
    if (std::log(v) + std::log(inverse_alpha) - std::log(a / (us * us) + b) <=
        -rate + k * log_rate - std::lgamma(k + 1)) {
      return Scalar(k).to_int();
    }
  }
}

Tensor poisson(const Tensor& self, Generator* generator) {
  check<NotImplementedError>(is_floating(self.dtype()), "\"poisson_cpu\" not implemented for '{}'",
                             self.dtype());
  Tensor out = zeros(self.shape(), Options(self.dtype()));
  if (out.numel() > 0) {
    Generator& g = or_default(generator);
    with_floating(self.dtype(), [&]<class T>(Tag<T>) {
      auto rate_ok = [](char* const* at) {
        check(widened(get<T>(at[0])) >= 0,
              "invalid Poisson rate, expected rate to be non-negative");
      };
      walk(make_plan(self.shape(), {&self}), rate_ok);
      walk(make_plan(out.shape(), {&out, &self}), [&](char* const* at) {
        put(at[0], converted<T>(poisson_one(widened(get<T>(at[1])), g)));
      });
    });
  }
  return record(out, "PoissonBackward0", {&self}, saved(),
                [](const Tensor& g) { return zeros_like(g); });
}

// log(k!) less Stirling's formula.
double stirling_tail(double k) {
  static constexpr double kSmall[] = {0.0810614667953272,  0.0413406959554092, 0.0276779256849983,
                                      0.02079067210376509, 0.0166446911898211, 0.0138761288230707,
                                      0.0118967099458917,  0.0104112652619720, 0.00925546218271273,
                                      0.00833056343336287};
  if (k >= 0 && k < 10) return kSmall[static_cast<int>(k)];
  const double square = (k + 1) * (k + 1);
  return (1.0 / 12 - (1.0 / 360 - 1.0 / 1260 / square) / square) / (k + 1);
}

// How many geometric waiting times fit into `count` trials. T: the dtype in which they are counted.
template <class T>
T binomial_inversion(T count, T prob, Generator& g) {
  const double log_q = std::log1p(static_cast<double>(-prob));
  double sum = 0;
  T successes = 0;
  for (;;) {
    sum += std::ceil(std::log(g.uniform_double()) / log_q);
    if (!(sum <= static_cast<double>(count))) return successes;
    successes = successes + 1;
  }
}

template <class T>
T binomial_rejection(T count, T prob, Generator& g) {
  const double n = static_cast<double>(count);
  const double deviation = std::sqrt(static_cast<double>(count * prob * (1 - prob)));
  const double b = 1.15 + 2.53 * deviation;
  const double a = -0.0873 + 0.0248 * b + 0.01 * static_cast<double>(prob);
  const double c = static_cast<double>(count * prob) + 0.5, v_r = 0.92 - 4.2 / b;
  const double r = static_cast<double>(prob / (1 - prob));
  const double alpha = (2.83 + 5.1 / b) * deviation;
  const double m = std::floor(static_cast<double>((count + 1) * prob));
  for (;;) {
    const double u = g.uniform_double() - 0.5;
    double v = g.uniform_double();
    const double us = 0.5 - std::fabs(u);
    const T drawn = static_cast<T>(std::floor((2 * a / us + b) * u + c));
    if (drawn < 0 || drawn > count) continue;
    if (!(drawn >= 0) || (us >= 0.07 && v <= v_r)) return drawn;
    const double k = static_cast<double>(drawn);
    v = std::log(v * alpha / (a / (us * us) + b));
    const double bound = (m + 0.5) * std::log((m + 1) / (r * (n - m + 1))) +
                         (n + 1) * std::log((n - m + 1) / (n - k + 1)) +
                         (k + 0.5) * std::log(r * (n - k + 1) / (k + 1)) + stirling_tail(m) +
                         stirling_tail(n - m) - stirling_tail(k) - stirling_tail(n - k);
    if (v <= bound) return drawn;
  }
}

template <class T>
T binomial_one(T count, T prob, Generator& g) {
  if (count <= 0 || prob <= 0) return 0;
  if (prob >= 1) return count;
  if (!(prob < 1) || !(count < static_cast<T>(INFINITY))) return static_cast<T>(NAN);
  auto draw = [&](T p) {
    return count * p >= 10 ? binomial_rejection(count, p, g) : binomial_inversion(count, p, g);
  };
  return prob <= static_cast<T>(0.5)
             ? draw(prob)
             : count - draw(static_cast<T>(1.0 - static_cast<double>(prob)));
}

Tensor binomial(const Tensor& count, const Tensor& prob, Generator* generator) {
  check(count.dtype() == prob.dtype(), "Found dtype {} but expected {}", prob.dtype(),
        count.dtype());
  check<NotImplementedError>(count.dtype() == DType::Float || count.dtype() == DType::Double,
                             "\"binomial_cpu\" not implemented for '{}'", count.dtype());
  Tensor out = empty(broadcast_shapes({&count, &prob}), count.dtype());
  Generator& g = or_default(generator);
  const Plan plan = make_plan(out.shape(), {&out, &count, &prob});
  auto run = [&]<class T>(Tag<T>) {
    walk(plan, [&](char* const* at) { put(at[0], binomial_one(get<T>(at[1]), get<T>(at[2]), g)); });
  };
  count.dtype() == DType::Float ? run(Tag<float>{}) : run(Tag<double>{});
  return record(
      out, "BinomialBackward0", {&count, &prob}, saved(),
      [](const Node& n, const Tensor& g) { return zeros(n.input_shape(0), Options(g.dtype())); },
      [](const Node& n, const Tensor& g) { return zeros(n.input_shape(1), Options(g.dtype())); });
}

// One row of the weights: checked, then as many draws as asked, each by bisection of the running
// sum. T is the dtype of the sums.
template <class T>
void draw_from(const std::vector<T>& sums, int64_t* out, int64_t n, Generator& g) {
  for (int64_t i = 0; i < n; ++i) {
    const double u = g.uniform_double();
    int64_t low = 0, high = static_cast<int64_t>(sums.size());
    while (low < high) {
      const int64_t middle = low + (high - low) / 2;
      if (static_cast<double>(sums[static_cast<size_t>(middle)]) < u) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    out[i] = low;
  }
}

template <class T>
std::vector<T> running_sums(const T* weights, int64_t n) {
  std::vector<T> sums(static_cast<size_t>(n));
  T sum = 0;
  for (int64_t i = 0; i < n; ++i) {
    check(weights[i] >= 0, "invalid multinomial distribution (encountering probability entry < 0)");
    check(std::isfinite(weights[i]),
          "invalid multinomial distribution (encountering probability entry = infinity or NaN)");
    sum += weights[i];
    sums[static_cast<size_t>(i)] = sum;
  }
  check(sum > 0, "invalid multinomial distribution (sum of probabilities <= 0)");
  for (T& s : sums) s /= sum;
  sums.back() = 1;
  return sums;
}

template <class T>
void with_replacement(const Tensor& weights, const Tensor& out, Generator& g) {
  const int64_t n = weights->shape[weights.dim() - 1], draws = out->shape[out.dim() - 1];
  const int64_t rows = weights.numel() / n;
  std::vector<std::vector<T>> sums;  // all rows are checked before the first draw
  for (int64_t r = 0; r < rows; ++r) sums.push_back(running_sums(weights.data_as<T>() + r * n, n));
  for (int64_t r = 0; r < rows; ++r) {
    draw_from(sums[static_cast<size_t>(r)], out.data_as<int64_t>() + r * draws, draws, g);
  }
}

// The places of the k greatest along the last dimension, greatest first, NaN above all. Equal
// values (zero weights; numbers of float16) fall as the standard library's selection leaves them,
// which is what PyTorch's topk does.
Tensor places_of_greatest(const Tensor& q, int64_t k, IntList shape) {
  const Tensor values = contiguous(to_dtype(q, DType::Double));
  const int64_t n = values->shape[values.dim() - 1];
  Tensor out = empty(shape, DType::Int64);
  using Entry = std::pair<double, int64_t>;
  auto before = [](const Entry& a, const Entry& b) {
    return (std::isnan(a.first) && !std::isnan(b.first)) || a.first > b.first;
  };
  std::vector<Entry> row(static_cast<size_t>(n));
  for (int64_t r = 0; r < values.numel() / n; ++r) {
    for (int64_t i = 0; i < n; ++i)
      row[static_cast<size_t>(i)] = {values.data_as<double>()[r * n + i], i};
    if (k * 64 <= n) {
      std::partial_sort(row.begin(), row.begin() + k, row.end(), before);
    } else {
      std::nth_element(row.begin(), row.begin() + k - 1, row.end(), before);
      std::sort(row.begin(), row.begin() + k - 1, before);
    }
    for (int64_t i = 0; i < k; ++i)
      out.data_as<int64_t>()[r * k + i] = row[static_cast<size_t>(i)].second;
  }
  return out;
}

Tensor multinomial(const Tensor& self, int64_t num_samples, bool replacement, Generator* generator,
                   Dst dst) {
  check(self.dim() == 1 || self.dim() == 2, "prob_dist must be 1 or 2 dim");
  check(is_floating(self.dtype()),
        "multinomial only supports floating-point dtypes for input, got: {}", self.dtype());
  check(!dst || dst.tensor().dtype() == DType::Int64,
        "multinomial expects Long tensor out, got: {}", dst ? dst.tensor().dtype() : DType::Int64);
  check(num_samples > 0, "cannot sample n_sample <= 0 samples");
  const int64_t n = self->shape[self.dim() - 1];
  check(replacement || num_samples <= n,
        "cannot sample n_sample > prob_dist.size(-1) samples without replacement");
  check(n <= 1 << 24, "number of categories cannot exceed 2^24");
  Dims shape(self.shape());
  shape[shape.size() - 1] = num_samples;
  if (checked_numel(shape) == 0) return prepare_result("multinomial", dst, shape, DType::Int64);
  check(n > 0, "invalid multinomial distribution (sum of probabilities <= 0)");
  GradModeGuard off(false);
  Generator& g = or_default(generator);
  if (replacement && num_samples != 1) {
    const bool wide = self.dtype() == DType::Double;
    const Tensor weights = contiguous(to_dtype(self, wide ? DType::Double : DType::Float));
    Tensor out = empty(shape, DType::Int64);
    wide ? with_replacement<double>(weights, out, g) : with_replacement<float>(weights, out, g);
    return deliver("multinomial", dst, out);
  }
  // The greatest of p / q, q exponential, is drawn with probability p; the greatest k are a sample
  // without replacement.
  check(item(amin(self, {})).real() >= 0 && item(amax(self, {})).real() < INFINITY,
        "probability tensor contains either `inf`, `nan` or element < 0");
  const Tensor sums = sum(self, IntList(Dims{-1}));
  check(!item(any(eq(sums, Scalar(0)))).to_bool(),
        "invalid multinomial distribution (sum of probabilities <= 0)");
  Tensor q = empty_as(self, self.dtype());
  fill_in_order(q, [&] { return -std::log1p(-g.uniform_double()); });
  q = div(self, q);
  if (num_samples == 1) return deliver("multinomial", dst, argmax(q, -1, true));
  return deliver("multinomial", dst, places_of_greatest(q, num_samples, shape));
}

}  // namespace

void register_random_sample(OpTable& ops) {
  ops.add("bernoulli(Tensor self, *, Generator? generator=None) -> Tensor", bernoulli, Both | Out,
          "Returns 1 with the probability that each element gives, else 0.");
  ops.add("bernoulli(Tensor self, float p, *, Generator? generator=None) -> Tensor", bernoulli_p,
          Both, "Returns 1 with probability p, else 0, in the shape of ``self``.");
  ops.add("bernoulli(Tensor self, Tensor p, *, Generator? generator=None) -> Tensor",
          bernoulli_tensor, Inplace, "Fills with 1 with the probability that p gives, else 0.");
  ops.add("bernoulli(Tensor self, float p=0.5, *, Generator? generator=None) -> Tensor",
          bernoulli_inplace, Inplace, "Fills with 1 with probability p, else 0.");
  ops.add("poisson(Tensor input, Generator? generator=None) -> Tensor", poisson, Function,
          "Returns random counts from Poisson distributions with the given rates.");
  ops.add("binomial(Tensor count, Tensor prob, Generator? generator=None) -> Tensor", binomial,
          Function,
          "Returns how many of ``count`` trials succeed, each with probability ``prob``.");
  ops.add(
      "multinomial(Tensor self, int num_samples, bool replacement=False, *, "
      "Generator? generator=None) -> Tensor",
      multinomial, Both | Out,
      "Returns positions drawn with the probabilities that each row of ``self`` gives, up to a "
      "factor.");
}

}  // namespace d2l
