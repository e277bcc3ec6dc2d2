// Elementwise loops against scalar twins: sizes, alignments, every kind of strides, integers' total
// functions, comparisons, casts and optimisers.
#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <string>

#include "kernel_tables.h"

namespace d2l::test {
namespace {

// One operand laid out in memory of its own: n x m elements with the given strides (in elements).
template <class T>
struct Operand {
  std::vector<T> memory;
  int64_t inner, outer, start;
  Operand(int64_t n, int64_t m, int64_t inner_, int64_t outer_, int64_t offset)
      : inner(inner_), outer(outer_) {
    int64_t low = std::min<int64_t>(0, inner * (n - 1)) + std::min<int64_t>(0, outer * (m - 1));
    int64_t high = std::max<int64_t>(0, inner * (n - 1)) + std::max<int64_t>(0, outer * (m - 1));
    start = offset - low;
    memory.resize(static_cast<size_t>(high - low + 1 + 2 * offset));
  }
  T& at(int64_t i, int64_t j) { return memory[static_cast<size_t>(start + i * inner + j * outer)]; }
  char* pointer() { return reinterpret_cast<char*>(memory.data() + start); }
};

struct Layout {
  int64_t inner, outer;  // 0, or -1 for "dense inner", or an element count
};

// All layouts of an n x m operand that a plan can produce.
std::vector<Layout> layouts(int64_t n, int64_t m, bool output) {
  std::vector<Layout> v = {{1, n},         {1, n + 3}, {m, 1}, {m + 2, 1},
                           {2, 2 * n + 1}, {-1, n},    {1, -n}};
  if (!output) {
    v.push_back({0, 0});
    v.push_back({1, 0});
    v.push_back({0, 1});
    v.push_back({0, 3});
  }
  return v;
}

template <class T, class F>
void check_binary(const NamedTable& t, Loop l, F twin, const std::vector<T>& values) {
  LoopFn fn = loop(*t.table, l, kTypeOf<T>);
  REQUIRE((fn != nullptr));
  Random random{1};
  const int64_t sizes[] = {1, 2, 3, 7, 8, 15, 16, 17, 31, 33, 63, 64, 67};
  for (int64_t n : sizes) {
    for (int64_t m : {int64_t(1), int64_t(2), int64_t(5), int64_t(19)}) {
      for (int repeat = 0; repeat < 6; ++repeat) {
        auto pick = [&](bool output) {
          auto all = layouts(n, m, output);
          return repeat == 0 ? all[0] : all[random.next() % all.size()];
        };
        Layout lo = pick(true), la = pick(false), lb = pick(false);
        int64_t offset = static_cast<int64_t>(random.next() % 4);
        Operand<T> out(n, m, lo.inner, lo.outer, offset), a(n, m, la.inner, la.outer, offset),
            b(n, m, lb.inner, lb.outer, 1);
        for (auto& x : a.memory) x = values[random.next() % values.size()];
        for (auto& x : b.memory) x = values[random.next() % values.size()];
        for (auto& x : out.memory) x = T(77);
        std::vector<T> before = out.memory;
        const int64_t s = sizeof(T);
        const int64_t strides[] = {lo.inner * s, la.inner * s, lb.inner * s,
                                   lo.outer * s, la.outer * s, lb.outer * s};
        char* ptr[] = {out.pointer(), a.pointer(), b.pointer()};
        Scalars scalars;
        scalars.f[0] = 3, scalars.i[0] = 3;
        fn(ptr, strides, n, m, &scalars);
        INFO(std::string(t.name), " ", std::string(kLoopInfo[static_cast<int>(l)].name), " n ", n,
             " m ", m, " item ", s, " out ", lo.inner, ",", lo.outer, " a ", la.inner, ",",
             la.outer, " b ", lb.inner, ",", lb.outer);
        bool good = true;
        for (int64_t j = 0; j < m; ++j) {
          for (int64_t i = 0; i < n; ++i) {
            T want = twin(a.at(i, j), b.at(i, j)), got = out.at(i, j);
            if (!(got == want || (got != got && want != want))) {
              good = false;
              MESSAGE("at ", i, " ", j, ": ", double(a.at(i, j)), " ", double(b.at(i, j)),
                      " gives ", double(got), " not ", double(want));
            }
            before[static_cast<size_t>(&out.at(i, j) - out.memory.data())] = got;
          }
        }
        CHECK(good);
        CHECK(std::memcmp(before.data(), out.memory.data(), before.size() * sizeof(T)) ==
              0);  // gaps
        if (!good) return;
      }
    }
  }
}

template <class T>
std::vector<T> integers() {
  using L = std::numeric_limits<T>;
  std::vector<T> v = {
      L::min(), L::max(), T(L::min() + 1), T(L::max() - 1), 0, 1, 2, 3, 5, 7, 8, 31, 32, 63,
      64,       100};
  if (L::is_signed) {
    for (int x : {-1, -2, -3, -7, -8, -31, -100}) v.push_back(static_cast<T>(x));
  }
  return v;
}

template <class T>
void check_integers(const NamedTable& t) {
  using U = std::make_unsigned_t<T>;
  using W = uint64_t;
  const auto v = integers<T>();
  auto floor_div = [](T a, T b) -> T {
    if (b == 0) return 0;
    __int128 q = static_cast<__int128>(a) / b, r = static_cast<__int128>(a) % b;
    if (r != 0 && (r < 0) != (b < 0)) --q;
    return static_cast<T>(q);
  };
  check_binary<T>(t, Loop::add, [](T a, T b) { return T(U(W(a) + W(b))); }, v);
  check_binary<T>(t, Loop::sub, [](T a, T b) { return T(U(W(a) - W(b))); }, v);
  check_binary<T>(t, Loop::mul, [](T a, T b) { return T(U(W(a) * W(b))); }, v);
  check_binary<T>(t, Loop::add_scaled, [](T a, T b) { return T(U(W(a) + 3 * W(b))); }, v);
  check_binary<T>(t, Loop::floor_divide, floor_div, v);
  check_binary<T>(
      t, Loop::trunc_divide,
      [](T a, T b) { return b == 0 ? T(0) : T(static_cast<__int128>(a) / b); }, v);
  check_binary<T>(
      t, Loop::fmod, [](T a, T b) { return b == 0 ? T(0) : T(static_cast<__int128>(a) % b); }, v);
  check_binary<T>(
      t, Loop::remainder,
      [&](T a, T b) { return b == 0 ? T(0) : T(a - static_cast<__int128>(floor_div(a, b)) * b); },
      v);
  check_binary<T>(t, Loop::maximum, [](T a, T b) { return std::max(a, b); }, v);
  check_binary<T>(t, Loop::minimum, [](T a, T b) { return std::min(a, b); }, v);
  check_binary<T>(t, Loop::bitwise_and, [](T a, T b) { return T(a & b); }, v);
  check_binary<T>(t, Loop::bitwise_xor, [](T a, T b) { return T(a ^ b); }, v);
  check_binary<T>(
      t, Loop::shift_left,
      [](T a, T b) { return b < 0 || b >= T(8 * sizeof(T)) ? T(0) : T(W(a) << b); }, v);
  check_binary<T>(
      t, Loop::shift_right,
      [](T a, T b) { return b < 0 || b >= T(8 * sizeof(T)) ? (a < 0 ? T(-1) : T(0)) : T(a >> b); },
      v);
  check_binary<T>(
      t, Loop::pow,
      [](T a, T b) {
        if (b < 0) return a == 1 ? T(1) : a == T(-1) ? (b % 2 ? T(-1) : T(1)) : T(0);
        W r = 1;
        for (W k = 0, e = W(b); k < 64; ++k) r = r * r * ((e >> (63 - k)) & 1 ? W(a) : 1);
        return T(r);
      },
      v);
}

template <class T>
void check_floats(const NamedTable& t) {
  const T inf = std::numeric_limits<T>::infinity(), nan = std::numeric_limits<T>::quiet_NaN();
  const std::vector<T> v = {0,    T(-0.0), 1,       -1,        T(2.5), T(-3.7), inf,
                            -inf, nan,     T(1e30), T(-1e-30), 7,      T(0.1)};
  check_binary<T>(t, Loop::add, [](T a, T b) { return a + b; }, v);
  check_binary<T>(t, Loop::sub, [](T a, T b) { return a - b; }, v);
  check_binary<T>(t, Loop::mul, [](T a, T b) { return a * b; }, v);
  check_binary<T>(t, Loop::div, [](T a, T b) { return a / b; }, v);
  auto max = [](T a, T b) { return std::isnan(a) || std::isnan(b) ? a + b : std::max(a, b); };
  auto min = [](T a, T b) { return std::isnan(a) || std::isnan(b) ? a + b : std::min(a, b); };
  check_binary<T>(
      t, Loop::maximum, [&](T a, T b) { return std::isnan(a)   ? a
                                               : std::isnan(b) ? b
                                                               : max(a, b); },
      v);
  check_binary<T>(
      t, Loop::minimum, [&](T a, T b) { return std::isnan(a)   ? a
                                               : std::isnan(b) ? b
                                                               : min(a, b); },
      v);
  check_binary<T>(t, Loop::fmod, [](T a, T b) { return std::fmod(a, b); }, v);
  check_binary<T>(
      t, Loop::remainder,
      [](T a, T b) {
        T r = std::fmod(a, b);
        return r != 0 && (r < 0) != (b < 0) ? r + b : r;
      },
      v);
  check_binary<T>(
      t, Loop::floor_divide,
      [](T a, T b) {
        if (b == 0) return a / b;
        T r = std::fmod(a, b), q = (a - r) / b;
        if (r != 0 && (b < 0) != (r < 0)) q -= 1;
        if (q == 0) return std::copysign(T(0), a / b);
        T f = std::floor(q);
        return q - f > T(0.5) ? f + 1 : f;
      },
      v);
  check_binary<T>(t, Loop::relu_backward, [](T g, T y) { return y <= 0 ? 0 : g; }, v);
}

TEST_CASE("map: integer arithmetic is total and wraps, in every layout") {
  for (const NamedTable& t : tables()) {
    check_integers<uint8_t>(t);
    check_integers<int8_t>(t);
    check_integers<int16_t>(t);
    check_integers<int32_t>(t);
    check_integers<int64_t>(t);
  }
}
TEST_CASE("map: floating arithmetic, in every layout") {
  for (const NamedTable& t : tables()) {
    check_floats<float>(t);
    check_floats<double>(t);
  }
}

TEST_CASE("map: fmod of far quotients is exact") {
  for (const NamedTable& t : tables()) {
    Random random{5};
    std::vector<double> a(4000), b(4000), out(4000);
    for (int i = 0; i < 4000; ++i) {
      a[i] = std::ldexp(random.uniform(-1, 1), static_cast<int>(random.next() % 2000) - 1000);
      b[i] = std::ldexp(random.uniform(-1, 1), static_cast<int>(random.next() % 2090) - 1070);
    }
    const int64_t strides[] = {8, 8, 8, 0, 0, 0};
    char* ptr[] = {reinterpret_cast<char*>(out.data()), reinterpret_cast<char*>(a.data()),
                   reinterpret_cast<char*>(b.data())};
    Scalars s;
    loop(*t.table, Loop::fmod, kF64)(ptr, strides, 4000, 1, &s);
    for (int i = 0; i < 4000; ++i) {
      INFO(std::string(t.name), " ", a[i], " ", b[i]);
      CHECK(out[i] == std::fmod(a[i], b[i]));
    }
  }
}

template <class T>
void check_compare(const NamedTable& t, const std::vector<T>& v) {
  Random random{2};
  for (int64_t n : {1, 2, 5, 16, 31, 64, 130}) {
    std::vector<T> a(n), b(n);
    for (auto& x : a) x = v[random.next() % v.size()];
    for (auto& x : b) x = v[random.next() % v.size()];
    auto run = [&](Loop l, auto twin) {
      std::vector<uint8_t> out(n + 1, 9);
      const int64_t s = sizeof(T);
      const int64_t strides[] = {1, s, s, 0, 0, 0};
      char* ptr[] = {reinterpret_cast<char*>(out.data()), reinterpret_cast<char*>(a.data()),
                     reinterpret_cast<char*>(b.data())};
      Scalars scalars;
      loop(*t.table, l, kTypeOf<T>)(ptr, strides, n, 1, &scalars);
      for (int64_t i = 0; i < n; ++i) {
        INFO(std::string(t.name), " ", std::string(kLoopInfo[static_cast<int>(l)].name), " ", a[i],
             " ", b[i]);
        CHECK(int(out[i]) == int(twin(a[i], b[i])));
      }
      CHECK(out[n] == 9);
    };
    run(Loop::eq, [](T x, T y) { return x == y; });
    run(Loop::ne, [](T x, T y) { return x != y; });
    run(Loop::lt, [](T x, T y) { return x < y; });
    run(Loop::le, [](T x, T y) { return x <= y; });
    run(Loop::gt, [](T x, T y) { return x > y; });
    run(Loop::ge, [](T x, T y) { return x >= y; });
    run(Loop::logical_and, [](T x, T y) { return x && y; });
    run(Loop::logical_xor, [](T x, T y) { return !x != !y; });
    // where: out, condition, a, b
    std::vector<uint8_t> c(n);
    for (auto& x : c) x = random.next() % 2;
    std::vector<T> out(n);
    const int64_t s = sizeof(T);
    const int64_t strides[] = {s, 1, s, s, 0, 0, 0, 0};
    char* ptr[] = {reinterpret_cast<char*>(out.data()), reinterpret_cast<char*>(c.data()),
                   reinterpret_cast<char*>(a.data()), reinterpret_cast<char*>(b.data())};
    Scalars scalars;
    loop(*t.table, Loop::where, kTypeOf<T>)(ptr, strides, n, 1, &scalars);
    for (int64_t i = 0; i < n; ++i) {
      T want = c[i] ? a[i] : b[i];
      CHECK(std::memcmp(&out[i], &want, sizeof(T)) == 0);
    }
  }
}
TEST_CASE("map: comparisons and where") {
  for (const NamedTable& t : tables()) {
    check_compare<uint8_t>(t, integers<uint8_t>());
    check_compare<int8_t>(t, integers<int8_t>());
    check_compare<int16_t>(t, integers<int16_t>());
    check_compare<int32_t>(t, integers<int32_t>());
    check_compare<int64_t>(t, integers<int64_t>());
    check_compare<float>(t, {0, -0.0f, 1, -1, INFINITY, NAN, 1e-40f});
    check_compare<double>(t, {0, -0.0, 1, -1, INFINITY, NAN, 1e-310});
  }
}

// ---- casts -------------------------------------------------------------------------------------
uint16_t half_twin(float x) {  // by the compiler's own software conversion
  _Float16 h = static_cast<_Float16>(x);
  uint16_t u;
  std::memcpy(&u, &h, 2);
  return u;
}
template <class To, class From>
std::vector<To> cast(const KernelTable& t, Type to, Type from, std::vector<From> in) {
  std::vector<To> out(in.size());
  const int64_t strides[] = {sizeof(To), sizeof(From), 0, 0};
  char* ptr[] = {reinterpret_cast<char*>(out.data()), reinterpret_cast<char*>(in.data())};
  Scalars s;
  t.cast[from][to](ptr, strides, static_cast<int64_t>(in.size()), 1, &s);
  return out;
}
TEST_CASE("cast: floats to integers, as PyTorch") {
  const float nan = NAN, inf = INFINITY;
  const std::vector<float> x = {nan,  inf,    -inf,    300.f,   -1.f,  1e10f,  -1e10f,
                                3e9f, 256.5f, -129.7f, 65536.f, 1e19f, -1e19f, 2147483648.f};
  std::vector<double> d(x.begin(), x.end());
  const int32_t least = INT32_MIN;
  const int64_t least64 = INT64_MIN;
  for (const NamedTable& t : tables()) {
    CHECK(cast<uint8_t>(*t.table, kU8, kF32, x) ==
          std::vector<uint8_t>{0, 0, 0, 44, 255, 0, 0, 0, 0, 127, 0, 0, 0, 0});
    CHECK(cast<uint8_t>(*t.table, kU8, kF64, d) ==
          std::vector<uint8_t>{0, 0, 0, 44, 255, 0, 0, 0, 0, 127, 0, 0, 0, 0});
    CHECK(cast<int16_t>(*t.table, kI16, kF32, x) ==
          std::vector<int16_t>{0, 0, 0, 300, -1, 0, 0, 0, 256, -129, 0, 0, 0, 0});
    CHECK(cast<int32_t>(*t.table, kI32, kF64, d) ==
          std::vector<int32_t>{least, least, least, 300, -1, least, least, least, 256, -129, 65536,
                               least, least, least});
    CHECK(cast<int64_t>(*t.table, kI64, kF32, x) ==
          std::vector<int64_t>{least64, least64, least64, 300, -1, 10000000000, -10000000000,
                               3000000000, 256, -129, 65536, least64, least64, 2147483648});
    CHECK(cast<uint8_t>(*t.table, kBool, kF32, std::vector<float>{0, -0.0f, nan, 1e-45f, 2}) ==
          std::vector<uint8_t>{0, 0, 1, 1, 1});
  }
}
TEST_CASE("cast: half and bfloat16, every value and every rounding") {
  for (const NamedTable& t : tables()) {
    std::vector<uint16_t> all(65536);
    for (int i = 0; i < 65536; ++i) all[i] = static_cast<uint16_t>(i);
    auto f = cast<float>(*t.table, kF32, kHalf, all);
    auto b = cast<float>(*t.table, kF32, kBF16, all);
    auto back = cast<uint16_t>(*t.table, kHalf, kF32, f);
    auto bback = cast<uint16_t>(*t.table, kBF16, kF32, b);
    int wrong = 0;
    for (int i = 0; i < 65536; ++i) {
      _Float16 h;
      std::memcpy(&h, &all[i], 2);
      float want = static_cast<float>(h);
      if (want != want) {
        wrong += f[i] == f[i];
        wrong += (back[i] & 0x7fff) <= 0x7c00;
      } else {
        wrong += f[i] != want || std::signbit(f[i]) != std::signbit(want);
        wrong += back[i] != all[i];
      }
      wrong += b[i] == b[i] ? bback[i] != all[i] : (bback[i] & 0x7fff) <= 0x7f80;
    }
    INFO(std::string(t.name));
    CHECK(wrong == 0);
    Random random{9};
    std::vector<float> x(200000);
    for (auto& v : x) {
      uint32_t u = static_cast<uint32_t>(random.next());
      if (random.next() % 2) u = (u & 0x8fffffffu) | 0x30000000u | (u & 0x0f000000u);
      if (random.next() % 4 == 0) u &= ~0xfffu;  // ties
      std::memcpy(&v, &u, 4);
    }
    auto h = cast<uint16_t>(*t.table, kHalf, kF32, x);
    wrong = 0;
    for (size_t i = 0; i < x.size(); ++i) {
      if (x[i] != x[i])
        wrong += (h[i] & 0x7fff) <= 0x7c00;
      else
        wrong += h[i] != half_twin(x[i]);
    }
    CHECK(wrong == 0);
  }
}
TEST_CASE("cast: the diagonal copies any strides") {
  for (const NamedTable& t : tables()) {
    Random random{4};
    auto run = [&](auto zero, Type type) {
      using T = decltype(zero);
      for (int64_t n : {1, 3, 8, 16, 33, 70}) {
        for (int64_t m : {1, 4, 17, 40}) {
          for (Layout lo : layouts(n, m, true)) {
            for (Layout la : layouts(n, m, false)) {
              Operand<T> out(n, m, lo.inner, lo.outer, 1), a(n, m, la.inner, la.outer, 2);
              for (auto& x : a.memory) x = static_cast<T>(random.next());
              const int64_t s = sizeof(T);
              const int64_t strides[] = {lo.inner * s, la.inner * s, lo.outer * s, la.outer * s};
              char* ptr[] = {out.pointer(), a.pointer()};
              Scalars scalars;
              t.table->cast[type][type](ptr, strides, n, m, &scalars);
              bool good = true;
              for (int64_t j = 0; j < m; ++j) {
                for (int64_t i = 0; i < n; ++i) good = good && out.at(i, j) == a.at(i, j);
              }
              INFO(std::string(t.name), " ", n, " ", m, " item ", s, " out ", lo.inner, ",",
                   lo.outer, " in ", la.inner, ",", la.outer);
              CHECK(good);
            }
          }
        }
      }
    };
    run(uint8_t{}, kU8);
    run(int16_t{}, kI16);
    run(int32_t{}, kI32);
    run(int64_t{}, kI64);
  }
}

TEST_CASE("optimisers: adam and sgd follow the formulas, in place and with a tail") {
  for (const NamedTable& t : tables()) {
    for (int64_t n : {1, 7, 16, 37}) {
      Random random{6};
      std::vector<float> p(n), m(n), v(n), g(n), p0, m0, v0;
      for (int64_t i = 0; i < n; ++i) {
        p[i] = float(random.uniform(-1, 1)), m[i] = float(random.uniform(-1, 1));
        v[i] = float(random.uniform(0, 1)), g[i] = float(random.uniform(-1, 1));
      }
      p0 = p, m0 = m, v0 = v;
      AdamScalars a;
      a.step_size = 0.01, a.weight_decay = 0.1, a.one_minus_beta1 = 0.1;
      a.beta2 = 0.999, a.eps = 1e-8, a.root_correction2 = 0.03;
      Scalars s = a.pack();
      const int64_t strides[] = {4, 4, 4, 4, 0, 0, 0, 0};
      char* ptr[] = {(char*)p.data(), (char*)m.data(), (char*)v.data(), (char*)g.data()};
      loop(*t.table, Loop::adam, kF32)(ptr, strides, n, 1, &s);
      for (int64_t i = 0; i < n; ++i) {
        double gg = g[i] + 0.1 * p0[i], mm = m0[i] + 0.1 * (gg - m0[i]),
               vv = 0.999 * v0[i] + 0.001 * gg * gg;
        double want = p0[i] - 0.01 * mm / (std::sqrt(vv) / 0.03 + 1e-8);
        CHECK(m[i] == doctest::Approx(mm).epsilon(1e-5));
        CHECK(v[i] == doctest::Approx(vv).epsilon(1e-5));
        CHECK(p[i] == doctest::Approx(want).epsilon(1e-5));
      }
      std::vector<float> b(n, 0.5f);
      p0 = p;
      Scalars q;
      q.f[0] = 0.1, q.f[1] = 0.01, q.f[2] = 0.9, q.f[3] = 1, q.i[0] = 1;
      const int64_t strides3[] = {4, 4, 4, 0, 0, 0};
      char* ptr3[] = {(char*)p.data(), (char*)b.data(), (char*)g.data()};
      loop(*t.table, Loop::sgd_momentum, kF32)(ptr3, strides3, n, 1, &q);
      for (int64_t i = 0; i < n; ++i) {
        double gg = g[i] + 0.01 * p0[i], bb = 0.9 * 0.5 + gg;
        CHECK(b[i] == doctest::Approx(bb).epsilon(1e-5));
        CHECK(p[i] == doctest::Approx(p0[i] - 0.1 * (gg + 0.9 * bb)).epsilon(1e-5));
      }
    }
  }
}

TEST_CASE("optimisers: a rule of three rows follows its formula, in place and with a tail") {
  for (const NamedTable& t : tables()) {
    for (int64_t n : {1, 16, 37}) {
      Random random{7};
      std::vector<float> p(n), square(n), buffer(n), g(n);
      for (int64_t i = 0; i < n; ++i) {
        p[i] = float(random.uniform(-1, 1)), square[i] = float(random.uniform(0, 1));
        buffer[i] = float(random.uniform(-1, 1)), g[i] = float(random.uniform(-1, 1));
      }
      const std::vector<float> p0 = p, square0 = square, buffer0 = buffer;
      const double numbers[8] = {0.1, 0.01, 1e-3, 0.9, 0.5};  // lr, decay, eps, alpha, momentum
      Scalars s;
      std::memcpy(static_cast<void*>(&s), numbers, sizeof s);
      const int64_t strides[] = {4, 4, 4, 4, 0, 0, 0, 0};
      char* ptr[] = {(char*)p.data(), (char*)square.data(), (char*)buffer.data(), (char*)g.data()};
      loop(*t.table, Loop::rmsprop_momentum, kF32)(ptr, strides, n, 1, &s);
      for (int64_t i = 0; i < n; ++i) {
        const double gg = g[i] + 0.01 * p0[i], v = 0.9 * square0[i] + 0.1 * gg * gg;
        const double b = 0.5 * buffer0[i] + gg / (std::sqrt(v) + 1e-3);
        CHECK(square[i] == doctest::Approx(v).epsilon(1e-5));
        CHECK(buffer[i] == doctest::Approx(b).epsilon(1e-5));
        CHECK(p[i] == doctest::Approx(p0[i] - 0.1 * b).epsilon(1e-5));
      }
    }
  }
}

}  // namespace
}  // namespace d2l::test
