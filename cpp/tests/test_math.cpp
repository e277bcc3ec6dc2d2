// The elementary functions against the long double library: largest error in ulp over dense
// samples, and special values.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>

#include "kernel_tables.h"

namespace d2l::test {
namespace {

using Real = long double;
using Fn = std::function<Real(Real)>;

struct Case {
  Loop loop;
  const char* name;
  Fn twin;
  double low, high;  // log-uniform in magnitude when `wide`, with both signs if low < 0
  bool wide;
  double bound_float, bound_double;
};

Real sigmoid_twin(Real x) { return 1 / (1 + std::exp(-x)); }
Real normal(Real x) { return 0.5L * std::erfc(-x * 0.707106781186547524400844362104849L); }

std::vector<Case> cases() {
  auto f = [](Real (*g)(Real)) { return Fn(g); };
  constexpr double kFloat = 1.5, kDouble = 1.5;
  std::vector<Case> v = {
      {Loop::exp, "exp", f(std::exp), -745, 710, false, kFloat, kDouble},
      {Loop::exp, "exp", f(std::exp), -88, 89, false, kFloat, kDouble},
      {Loop::exp2, "exp2", f(std::exp2), -1075, 1024, false, kFloat, kDouble},
      {Loop::exp2, "exp2", f(std::exp2), -127, 128, false, kFloat, kDouble},
      {Loop::expm1, "expm1", f(std::expm1), 1e-320, 700, true, kFloat, kDouble},
      {Loop::log, "log", f(std::log), 1e-320, 1e308, true, kFloat, kDouble},
      {Loop::log, "log", f(std::log), 0.5, 2, false, kFloat, kDouble},
      {Loop::log2, "log2", f(std::log2), 1e-320, 1e308, true, kFloat, kDouble},
      {Loop::log2, "log2", f(std::log2), 0.5, 2, false, kFloat, kDouble},
      {Loop::log10, "log10", f(std::log10), 1e-320, 1e308, true, kFloat, kDouble},
      {Loop::log10, "log10", f(std::log10), 0.5, 2, false, kFloat, kDouble},
      {Loop::log1p, "log1p", f(std::log1p), 1e-320, 1e308, true, kFloat, kDouble},
      {Loop::log1p, "log1p", f(std::log1p), -0.999, 2, false, kFloat, kDouble},
      {Loop::sin, "sin", f(std::sin), -10, 10, false, kFloat, kDouble},
      {Loop::sin, "sin", f(std::sin), 1e-320, 1e15, true, kFloat, kDouble},
      {Loop::cos, "cos", f(std::cos), -10, 10, false, kFloat, kDouble},
      {Loop::cos, "cos", f(std::cos), 1e-320, 1e15, true, kFloat, kDouble},
      {Loop::tan, "tan", f(std::tan), -10, 10, false, kFloat, kDouble},
      {Loop::tan, "tan", f(std::tan), 1e-320, 1e15, true, kFloat, kDouble},
      {Loop::asin, "asin", f(std::asin), -1, 1, false, kFloat, kDouble},
      {Loop::asin, "asin", f(std::asin), 1e-320, 1, true, kFloat, kDouble},
      {Loop::acos, "acos", f(std::acos), -1, 1, false, kFloat, kDouble},
      {Loop::atan, "atan", f(std::atan), -4, 4, false, kFloat, kDouble},
      {Loop::atan, "atan", f(std::atan), 1e-320, 1e308, true, kFloat, kDouble},
      {Loop::sinh, "sinh", f(std::sinh), 1e-320, 710, true, kFloat, kDouble},
      {Loop::cosh, "cosh", f(std::cosh), 1e-320, 710, true, kFloat, kDouble},
      {Loop::tanh, "tanh", f(std::tanh), 1e-320, 700, true, kFloat, kDouble},
      {Loop::tanh, "tanh", f(std::tanh), -10, 10, false, kFloat, kDouble},
      {Loop::asinh, "asinh", f(std::asinh), 1e-320, 1e308, true, kFloat, kDouble},
      {Loop::asinh, "asinh", f(std::asinh), -4, 4, false, kFloat, kDouble},
      {Loop::acosh, "acosh", f(std::acosh), 1, 4, false, kFloat, kDouble},
      {Loop::acosh, "acosh", f(std::acosh), 1, 1e308, true, kFloat, kDouble},
      {Loop::atanh, "atanh", f(std::atanh), -1, 1, false, kFloat, kDouble},
      {Loop::atanh, "atanh", f(std::atanh), 1e-320, 1, true, kFloat, kDouble},
      // PyTorch's formula in float: 2.5 ulp, and 0 below -88.7 (hence no bound in the second row).
      {Loop::sigmoid, "sigmoid", sigmoid_twin, -87, 100, false, 2.5, 2},
      {Loop::sigmoid, "sigmoid", sigmoid_twin, -700, -87, false, INFINITY, 2},
      {Loop::sigmoid, "sigmoid", sigmoid_twin, -20, 20, false, 2.5, 2},
      {Loop::erf, "erf", f(std::erf), -6, 6, false, kFloat, kDouble},
      {Loop::erf, "erf", f(std::erf), 1e-320, 10, true, kFloat, kDouble},
      {Loop::erfc, "erfc", f(std::erfc), -6, 27, false, 2.5, 3},
      {Loop::erfc, "erfc", f(std::erfc), -1, 3, false, 2.5, 3},
      {Loop::lgamma, "lgamma", f(std::lgamma), 1e-300, 1e300, true, kFloat, 4},
      {Loop::lgamma, "lgamma", f(std::lgamma), 0.01, 20, false, kFloat, 4},
      {Loop::silu, "silu", [](Real x) { return x * sigmoid_twin(x); }, -80, 80, false, 2.5, 3},
      {Loop::gelu, "gelu", [](Real x) { return x * normal(x); }, -5, 20, false, 3.5, 4},
      {Loop::logsigmoid, "logsigmoid",
       [](Real x) { return x < 0 ? x - std::log1p(std::exp(x)) : -std::log1p(std::exp(-x)); }, -50,
       50, false, 2, 2},
  };
  return v;
}

template <class T>
double worst(LoopFn fn, const Case& c, T* at) {
  Random random{42};
  constexpr int64_t kCount = 20000;
  std::vector<T> in(kCount), out(kCount);
  double low = c.low, high = c.high;
  if (sizeof(T) == 4 && c.wide) {
    low = std::max(low, 1e-44);
    high = std::min(high, 1e38);
  }
  for (auto& x : in) {
    if (c.wide) {
      double l = std::log(low == 0 ? 1e-300 : low), h = std::log(high);
      double v = std::exp(random.uniform(l, h));
      bool both = std::isfinite(static_cast<double>(c.twin(-v)));
      x = static_cast<T>(both && random.next() % 2 ? -v : v);
      if (low >= 1 && x < 1) x = 1;
    } else {
      x = static_cast<T>(random.uniform(low, high));
    }
  }
  const int64_t strides[] = {sizeof(T), sizeof(T), 0, 0};
  char* ptr[] = {reinterpret_cast<char*>(out.data()), reinterpret_cast<char*>(in.data())};
  Scalars s;
  fn(ptr, strides, kCount, 1, &s);
  double most = 0;
  for (int64_t i = 0; i < kCount; ++i) {
    double e = ulps(out[i], c.twin(static_cast<Real>(in[i])));
    if (e > most) most = e, *at = in[i];
  }
  return most;
}

TEST_CASE("math: error in ulp over dense samples") {
  const bool print = std::getenv("D2L_PRINT_ULP") != nullptr;
  for (const NamedTable& t : tables()) {
    // Baseline has no fused multiply-add.
    const double slack = std::string(t.name) == "baseline" ? 1.0 : 0.0;
    for (const Case& c : cases()) {
      float xf = 0;
      double xd = 0;
      double f = worst<float>(loop(*t.table, c.loop, kF32), c, &xf);
      double d = worst<double>(loop(*t.table, c.loop, kF64), c, &xd);
      if (print) {
        std::printf("%-9s %-12s [%g, %g] float %.2f at %.9g  double %.2f at %.17g\n", t.name,
                    c.name, c.low, c.high, f, xf, d, xd);
      }
      INFO(std::string(t.name), " ", std::string(c.name), " float at ", xf, " double at ", xd);
      CHECK(f <= c.bound_float + slack);
      CHECK(d <= c.bound_double + slack);
    }
  }
}

template <class T>
void check_pairs(const NamedTable& t, Loop l, Real (*twin)(Real, Real), double low, double high,
                 double bound) {
  Random random{7};
  constexpr int64_t kCount = 20000;
  std::vector<T> a(kCount), b(kCount), out(kCount);
  for (int64_t i = 0; i < kCount; ++i) {
    a[i] = static_cast<T>(l == Loop::pow ? std::exp(random.uniform(-20, 20))
                                         : random.uniform(low, high));
    b[i] = static_cast<T>(random.uniform(low, high));
  }
  const int64_t strides[] = {sizeof(T), sizeof(T), sizeof(T), 0, 0, 0};
  char* ptr[] = {reinterpret_cast<char*>(out.data()), reinterpret_cast<char*>(a.data()),
                 reinterpret_cast<char*>(b.data())};
  Scalars s;
  loop(*t.table, l, kTypeOf<T>)(ptr, strides, kCount, 1, &s);
  double most = 0;
  int64_t at = 0;
  for (int64_t i = 0; i < kCount; ++i) {
    double e = ulps(out[i], twin(a[i], b[i]));
    if (e > most) most = e, at = i;
  }
  if (std::getenv("D2L_PRINT_ULP")) {
    std::printf("%-9s %s %s %.2f at %.17g %.17g\n", t.name, kLoopInfo[static_cast<int>(l)].name,
                sizeof(T) == 4 ? "float" : "double", most, double(a[at]), double(b[at]));
  }
  INFO(std::string(t.name), " ", std::string(kLoopInfo[static_cast<int>(l)].name), " at ", a[at],
       ", ", b[at]);
  CHECK(most <= bound);
}

TEST_CASE("math: functions of two arguments") {
  for (const NamedTable& t : tables()) {
    const double slack = std::string(t.name) == "baseline" ? 1.0 : 0.0;
    check_pairs<float>(t, Loop::pow, [](Real x, Real y) { return std::pow(x, y); }, -8, 8, 1.5);
    check_pairs<double>(
        t, Loop::pow, [](Real x, Real y) { return std::pow(x, y); }, -35, 35, 1.5 + slack);
    check_pairs<float>(t, Loop::atan2, [](Real x, Real y) { return std::atan2(x, y); }, -8, 8, 1.5);
    check_pairs<double>(
        t, Loop::atan2, [](Real x, Real y) { return std::atan2(x, y); }, -8, 8, 1.5 + slack);
    check_pairs<float>(t, Loop::hypot, [](Real x, Real y) { return std::hypot(x, y); }, -8, 8, 1.5);
    check_pairs<double>(
        t, Loop::hypot, [](Real x, Real y) { return std::hypot(x, y); }, -8, 8, 1.5);
  }
}

template <class T>
void special_values(const NamedTable& t) {
  const T inf = std::numeric_limits<T>::infinity(), nan = std::numeric_limits<T>::quiet_NaN();
  const T tiny = std::numeric_limits<T>::denorm_min(), big = std::numeric_limits<T>::max();
  const std::vector<T> values = {T(0),  T(-0.0), T(1),  T(-1),  T(0.5),  T(-0.5), T(2),
                                 T(-2), inf,     -inf,  nan,    tiny,    -tiny,   big,
                                 -big,  T(-3),   T(10), T(100), T(-100), T(1000), T(-1000)};
  struct One {
    Loop loop;
    Real (*twin)(Real);
  };
  const One ones[] = {
      {Loop::exp, std::exp},       {Loop::exp2, std::exp2},       {Loop::expm1, std::expm1},
      {Loop::log, std::log},       {Loop::log2, std::log2},       {Loop::log10, std::log10},
      {Loop::log1p, std::log1p},   {Loop::sin, std::sin},         {Loop::cos, std::cos},
      {Loop::tan, std::tan},       {Loop::asin, std::asin},       {Loop::acos, std::acos},
      {Loop::atan, std::atan},     {Loop::sinh, std::sinh},       {Loop::cosh, std::cosh},
      {Loop::tanh, std::tanh},     {Loop::asinh, std::asinh},     {Loop::acosh, std::acosh},
      {Loop::atanh, std::atanh},   {Loop::erf, std::erf},         {Loop::erfc, std::erfc},
      {Loop::lgamma, std::lgamma}, {Loop::floor, std::floor},     {Loop::ceil, std::ceil},
      {Loop::trunc, std::trunc},   {Loop::round, std::nearbyint}, {Loop::sqrt, std::sqrt}};
  const int64_t n = static_cast<int64_t>(values.size());
  for (const One& one : ones) {
    std::vector<T> in = values, out(values.size());
    const int64_t strides[] = {sizeof(T), sizeof(T), 0, 0};
    char* ptr[] = {reinterpret_cast<char*>(out.data()), reinterpret_cast<char*>(in.data())};
    Scalars s;
    loop(*t.table, one.loop, kTypeOf<T>)(ptr, strides, n, 1, &s);
    for (int64_t i = 0; i < n; ++i) {
      T want = static_cast<T>(one.twin(in[i]));
      INFO(std::string(t.name), " ", std::string(kLoopInfo[static_cast<int>(one.loop)].name), "(",
           in[i], ") = ", out[i], ", want ", want);
      if (std::isnan(want)) {
        CHECK(std::isnan(out[i]));
      } else {
        CHECK(ulps(out[i], one.twin(in[i])) <= 2.5);
        CHECK(std::signbit(out[i]) == std::signbit(want));
      }
    }
  }
  // C99's table for pow, and its neighbours.
  std::vector<T> a, b, out;
  for (T x : values) {
    for (T y : values) a.push_back(x), b.push_back(y);
  }
  out.resize(a.size());
  const int64_t strides[] = {sizeof(T), sizeof(T), sizeof(T), 0, 0, 0};
  char* ptr[] = {reinterpret_cast<char*>(out.data()), reinterpret_cast<char*>(a.data()),
                 reinterpret_cast<char*>(b.data())};
  struct Two {
    Loop loop;
    Real (*twin)(Real, Real);
  };
  const Two twos[] = {{Loop::pow, [](Real x, Real y) { return std::pow(x, y); }},
                      {Loop::atan2, [](Real x, Real y) { return std::atan2(x, y); }},
                      {Loop::hypot, [](Real x, Real y) { return std::hypot(x, y); }},
                      {Loop::fmod, [](Real x, Real y) { return std::fmod(x, y); }},
                      {Loop::fmax,
                       [](Real x, Real y) {
                         return std::isnan(x) ? y : std::isnan(y) ? x : y > x ? y : x;
                       }},
                      {Loop::fmin, [](Real x, Real y) {
                         return std::isnan(x) ? y : std::isnan(y) ? x : y < x ? y : x;
                       }}};
  for (const Two& two : twos) {
    Scalars s;
    loop(*t.table, two.loop, kTypeOf<T>)(ptr, strides, static_cast<int64_t>(a.size()), 1, &s);
    for (size_t i = 0; i < a.size(); ++i) {
      T want = static_cast<T>(two.twin(a[i], b[i]));
      INFO(std::string(t.name), " ", std::string(kLoopInfo[static_cast<int>(two.loop)].name), "(",
           a[i], ", ", b[i], ") = ", out[i], ", want ", want);
      if (std::isnan(want)) {
        CHECK(std::isnan(out[i]));
      } else {
        CHECK(ulps(out[i], two.twin(a[i], b[i])) <= 2.5);
        CHECK(std::signbit(out[i]) == std::signbit(want));
      }
    }
  }
}

TEST_CASE("math: special values") {
  for (const NamedTable& t : tables()) {
    special_values<float>(t);
    special_values<double>(t);
  }
}

TEST_CASE("math: erfinv and digamma invert and recur") {
  for (const NamedTable& t : tables()) {
    Random random{3};
    std::vector<double> in(5000), out(5000);
    for (auto& x : in) x = random.uniform(-1, 1);
    in[0] = 1e-310, in[1] = 1 - 0x1p-53, in[2] = -1 + 1e-10;
    const int64_t strides[] = {8, 8, 0, 0};
    char* ptr[] = {reinterpret_cast<char*>(out.data()), reinterpret_cast<char*>(in.data())};
    Scalars s;
    loop(*t.table, Loop::erfinv, kF64)(ptr, strides, 5000, 1, &s);
    for (int i = 0; i < 5000; ++i) {
      INFO(std::string(t.name), " ", in[i], " ", out[i]);
      Real x = in[i], y = out[i];
      // The error of y seen through the derivative of erf.
      Real err = std::fabs(x) < 0.5L
                     ? std::erf(y) - x
                     : std::copysign((1 - std::fabs(x)) - std::erfc(std::fabs(y)), y);
      err *= std::exp(y * y) * 0.886226925452758013649L;
      CHECK(std::fabs(err) <= 3 * std::ldexp(1.0L, std::ilogb(y) - 52) + 1e-322L);
    }
    for (auto& x : in) x = random.uniform(0.1, 30);
    loop(*t.table, Loop::digamma, kF64)(ptr, strides, 5000, 1, &s);
    std::vector<double> shifted(in), next(5000);
    for (auto& x : shifted) x += 1;
    char* ptr2[] = {reinterpret_cast<char*>(next.data()), reinterpret_cast<char*>(shifted.data())};
    loop(*t.table, Loop::digamma, kF64)(ptr2, strides, 5000, 1, &s);
    for (int i = 0; i < 5000; ++i) {
      INFO(std::string(t.name), " ", in[i]);
      CHECK(next[i] - out[i] == doctest::Approx(1 / in[i]).epsilon(1e-11));
    }
  }
}

}  // namespace
}  // namespace d2l::test
