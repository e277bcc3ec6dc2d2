// Products of every dtype, size, stride and form against naive twins.
#include <doctest/doctest.h>

#include <cmath>
#include <complex>
#include <cstring>
#include <limits>
#include <random>
#include <type_traits>
#include <vector>

#include "core/half.h"
#include "core/thread_pool.h"
#include "gemm/gemm.h"

using d2l::DType;
using d2l::GemmArgs;

namespace {

struct Bool {
  bool x;
};
struct Half {
  uint16_t bits;
};
struct BFloat16 {
  uint16_t bits;
};

// The dtype, a wider type to add up in, and how to get there and back.
template <class T, DType D, class W>
struct Plain {
  static constexpr DType dtype = D;
  using Wide = W;
  static Wide widen(T x) { return static_cast<Wide>(x); }
};
template <class T>
struct Of;
template <>
struct Of<float> : Plain<float, DType::Float, double> {};
template <>
struct Of<double> : Plain<double, DType::Double, long double> {};
template <>
struct Of<uint8_t> : Plain<uint8_t, DType::UInt8, uint64_t> {};
template <>
struct Of<int8_t> : Plain<int8_t, DType::Int8, uint64_t> {};
template <>
struct Of<int16_t> : Plain<int16_t, DType::Int16, uint64_t> {};
template <>
struct Of<int32_t> : Plain<int32_t, DType::Int32, uint64_t> {};
template <>
struct Of<int64_t> : Plain<int64_t, DType::Int64, uint64_t> {};
template <>
struct Of<std::complex<float>>
    : Plain<std::complex<float>, DType::ComplexFloat, std::complex<double>> {};
template <>
struct Of<std::complex<double>>
    : Plain<std::complex<double>, DType::ComplexDouble, std::complex<long double>> {};
template <>
struct Of<Bool> {
  static constexpr DType dtype = DType::Bool;
  using Wide = int64_t;
  static Wide widen(Bool x) { return x.x; }
};
template <>
struct Of<Half> {
  static constexpr DType dtype = DType::Half;
  using Wide = double;
  static Wide widen(Half x) { return d2l::half_to_float(x.bits); }
};
template <>
struct Of<BFloat16> {
  static constexpr DType dtype = DType::BFloat16;
  using Wide = double;
  static Wide widen(BFloat16 x) { return d2l::bfloat16_to_float(x.bits); }
};

template <class T>
constexpr bool kExact = std::is_integral_v<T> || std::is_same_v<T, Bool>;

template <class T>
double epsilon() {
  if constexpr (std::is_same_v<T, Half>) return 0x1p-11;
  if constexpr (std::is_same_v<T, BFloat16>) return 0x1p-8;
  if constexpr (std::is_same_v<T, double> || std::is_same_v<T, std::complex<double>>)
    return 0x1p-53;
  return 0x1p-24;
}

template <class T>
T random_value(std::mt19937_64& random) {
  if constexpr (std::is_integral_v<T>) {
    return static_cast<T>(random());
  } else {
    const float x = std::uniform_real_distribution<float>(-1, 1)(random);
    if constexpr (std::is_same_v<T, Bool>)
      return Bool{x > 0.7f};
    else if constexpr (std::is_same_v<T, Half>)
      return Half{d2l::float_to_half(x)};
    else if constexpr (std::is_same_v<T, BFloat16>)
      return BFloat16{d2l::float_to_bfloat16(x)};
    else if constexpr (std::is_floating_point_v<T>)
      return static_cast<T>(x);
    else
      return T(x, std::uniform_real_distribution<float>(-1, 1)(random));
  }
}

// A matrix somewhere in a larger block, so that alignment and strides vary; guards stand all round.
template <class T>
struct Matrix {
  int64_t rows, cols, row, col, batch_stride, offset;
  std::vector<T> data;
  T* begin() { return data.data() + offset; }
  T& at(int64_t b, int64_t i, int64_t j) { return begin()[b * batch_stride + i * row + j * col]; }
};

enum Layout { kRows, kColumns, kPaddedRows, kPaddedColumns, kStrided, kLayouts };

template <class T>
Matrix<T> make(std::mt19937_64& random, int64_t batch, int64_t rows, int64_t cols, int layout) {
  Matrix<T> m{rows, cols, 0, 0, 0, static_cast<int64_t>(random() % 5), {}};
  switch (layout) {
    case kRows:
      m.row = cols, m.col = 1;
      break;
    case kColumns:
      m.row = 1, m.col = rows;
      break;
    case kPaddedRows:
      m.row = cols + 3, m.col = 1;
      break;
    case kPaddedColumns:
      m.row = 1, m.col = rows + 5;
      break;
    default:
      m.col = 2, m.row = 2 * cols + 1;
  }
  m.batch_stride = rows * m.row + cols * m.col + 1;
  if (layout == kRows) m.batch_stride = rows * cols;  // so that items follow each other
  m.data.resize(static_cast<size_t>(m.offset + batch * m.batch_stride + 8));
  for (T& x : m.data) x = random_value<T>(random);
  return m;
}

enum Term { kNone, kMatrix, kBiasRow, kBiasColumn, kScalar, kInPlace, kTerms };

template <class T>
void compare(std::mt19937_64& random, int64_t m, int64_t n, int64_t k, int la, int lb, int lc,
             int term, double alpha, double beta, int64_t batch = 1, bool shared_b = false) {
  using Wide = typename Of<T>::Wide;
  auto a = make<T>(random, batch, m, k, la), b = make<T>(random, batch, k, n, lb),
       c = make<T>(random, batch, m, n, lc), d = make<T>(random, batch, m, n, kPaddedRows);
  if (shared_b) b.batch_stride = 0;
  if (term == kBiasRow || term == kScalar) d.row = 0;
  if (term == kBiasColumn || term == kScalar) d.col = 0;
  if (term == kInPlace) d = c;
  const auto before = c;
  GemmArgs g{.dtype = Of<T>::dtype,
             .m = m,
             .n = n,
             .k = k,
             .batch = batch,
             .a = a.begin(),
             .a_row = a.row,
             .a_col = a.col,
             .a_batch = a.batch_stride,
             .b = b.begin(),
             .b_row = b.row,
             .b_col = b.col,
             .b_batch = b.batch_stride,
             .c = c.begin(),
             .c_row = c.row,
             .c_col = c.col,
             .c_batch = c.batch_stride};
  if (term != kNone) {
    g.d = term == kInPlace ? c.begin() : d.begin();
    g.d_row = d.row, g.d_col = d.col, g.d_batch = d.batch_stride;
    g.beta = beta;
    g.beta_i = static_cast<int64_t>(beta);
  }
  g.alpha = alpha;
  g.alpha_i = static_cast<int64_t>(alpha);
  d2l::gemm(g);

  CAPTURE(m);
  CAPTURE(n);
  CAPTURE(k);
  CAPTURE(la);
  CAPTURE(lb);
  CAPTURE(lc);
  CAPTURE(term);
  CAPTURE(static_cast<int>(g.dtype));
  std::vector<bool> written(c.data.size());
  for (int64_t item = 0; item < batch; ++item)
    for (int64_t i = 0; i < m; ++i)
      for (int64_t j = 0; j < n; ++j) {
        Wide sum{};
        double size = 0;
        for (int64_t p = 0; p < k; ++p) {
          const Wide x = Of<T>::widen(a.at(item, i, p)), y = Of<T>::widen(b.at(item, p, j));
          if constexpr (std::is_same_v<T, Bool>)
            sum |= x & y;
          else
            sum += x * y;
          if constexpr (!kExact<T>) size += static_cast<double>(std::abs(x) * std::abs(y));
        }
        const Wide term_value = term == kNone ? Wide{} : Of<T>::widen(d.at(item, i, j));
        T& out = c.at(item, i, j);
        written[static_cast<size_t>(&out - c.data.data())] = true;
        if constexpr (std::is_same_v<T, Bool>) {
          REQUIRE(out.x == ((alpha != 0 && sum != 0) || (beta != 0 && term_value != 0)));
        } else if constexpr (kExact<T>) {
          REQUIRE(out == static_cast<T>(static_cast<uint64_t>(g.alpha_i) * sum +
                                        static_cast<uint64_t>(g.beta_i) * term_value));
        } else {
          using Real = decltype(std::real(sum));
          const Wide expected = static_cast<Real>(alpha) * sum +
                                static_cast<Real>(term == kNone ? 0 : beta) * term_value;
          const double error = static_cast<double>(std::abs(expected - Of<T>::widen(out)));
          const double sums = std::min(epsilon<T>(), 0x1p-24) * (2 + static_cast<double>(k)) *
                              (size + std::abs(beta));
          const double last = 4 * epsilon<T>() * static_cast<double>(std::abs(expected) + 1e-3);
          REQUIRE(error <= 4 * sums + last);
        }
      }
  for (size_t i = 0; i < c.data.size(); ++i)  // nothing else was touched
    if (!written[i]) REQUIRE(std::memcmp(&c.data[i], &before.data[i], sizeof(T)) == 0);
}

template <class T>
void sample(unsigned seed, int rounds, int64_t most) {
  std::mt19937_64 random(seed);
  const auto size = [&] {
    return static_cast<int64_t>(random() % static_cast<uint64_t>(most + 1));
  };
  for (int i = 0; i < rounds; ++i)
    compare<T>(random, size(), size(), size(), static_cast<int>(random() % kLayouts),
               static_cast<int>(random() % kLayouts), static_cast<int>(random() % kLayouts),
               static_cast<int>(random() % kTerms), random() % 2 ? 1 : -2, random() % 3 ? 1 : 3,
               random() % 4 ? 1 : 3, random() % 2 == 0);
}

template <class T>
std::vector<T> product(const GemmArgs& args, int threads) {
  const int before = d2l::num_threads();
  d2l::set_num_threads(threads);
  std::vector<T> c(static_cast<size_t>(args.batch * args.m * args.n));
  GemmArgs g = args;
  g.c = c.data();
  g.c_row = g.n;
  g.c_col = 1;
  g.c_batch = g.m * g.n;
  d2l::gemm(g);
  d2l::set_num_threads(before);
  return c;
}

}  // namespace

TEST_CASE("gemm: sampled sizes 0..67, layouts and forms, every dtype") {
  sample<float>(1, 1500, 67);
  sample<double>(2, 1500, 67);
  sample<Half>(3, 300, 67);
  sample<BFloat16>(4, 300, 67);
  sample<Bool>(5, 200, 67);
  sample<uint8_t>(6, 200, 67);
  sample<int8_t>(7, 200, 67);
  sample<int16_t>(8, 200, 67);
  sample<int32_t>(9, 200, 67);
  sample<int64_t>(10, 200, 67);
  sample<std::complex<float>>(11, 200, 67);
  sample<std::complex<double>>(12, 200, 67);
}

TEST_CASE("gemm: every small number of rows and columns") {
  std::mt19937_64 random(20);
  for (int64_t m = 1; m <= 34; ++m)
    for (int64_t n = 1; n <= 67; n += m % 3 + 1) {
      compare<float>(random, m, n, 9, kRows, kRows, kRows, kNone, 1, 0);
      compare<double>(random, m, n, 7, kRows, kColumns, kRows, kBiasRow, 1, 1);
    }
}

TEST_CASE("gemm: sizes beyond one block, along each dimension") {
  std::mt19937_64 random(21);
  const int64_t shapes[][3] = {{1, 1, 70000},   {1, 3000, 40},   {1, 40, 3000},   {3000, 1, 40},
                               {400, 230, 90},  {90, 700, 50},   {33, 260, 1500}, {5, 70, 2100},
                               {260, 10, 784},  {17, 4200, 30},  {300, 7, 1},     {2, 2, 5000},
                               {700, 210, 400}, {20, 30, 40000}, {1, 50, 70000}};
  for (const auto& s : shapes)
    for (int layout = 0; layout < 4; ++layout) {
      const int la = layout % 2 ? kColumns : kRows, lb = layout / 2 ? kColumns : kRows;
      compare<float>(random, s[0], s[1], s[2], la, lb, kRows, kNone, 1, 0);
      compare<float>(random, s[0], s[1], s[2], la, lb, layout == 1 ? kColumns : kRows, kInPlace, 2,
                     -1);
      compare<double>(random, s[0], s[1], s[2], la, lb, kRows, kBiasRow, 1, 1);
    }
  compare<float>(random, 100, 230, 300, kStrided, kStrided, kStrided, kMatrix, 1, 2);
  compare<BFloat16>(random, 100, 230, 300, kRows, kColumns, kRows, kBiasRow, 1, 1);
  compare<int64_t>(random, 50, 70, 9000, kColumns, kRows, kRows, kInPlace, 3, 5);
  compare<Bool>(random, 20, 70, 9000, kRows, kRows, kRows, kNone, 1, 0);
  compare<std::complex<float>>(random, 60, 250, 90, kRows, kRows, kRows, kMatrix, 1, 1);
}

TEST_CASE("gemm: the same bits for every number of threads") {
  std::mt19937_64 random(22);
  const int64_t shapes[][4] = {{1, 500, 300, 700}, {1, 1, 1, 500000},  {1, 1, 3000, 500},
                               {1, 3000, 1, 500},  {1, 256, 10, 784},  {40, 64, 64, 64},
                               {1, 6, 50000, 25},  {1, 900, 130, 200}, {1, 10, 20, 100000},
                               {1, 1, 30, 100000}};
  for (const auto& s : shapes)
    for (int layout = 0; layout < 4; ++layout) {
      auto a = make<float>(random, s[0], s[1], s[3], layout % 2 ? kColumns : kRows);
      auto b = make<float>(random, s[0], s[3], s[2], layout / 2 ? kColumns : kRows);
      const GemmArgs g{.dtype = DType::Float,
                       .m = s[1],
                       .n = s[2],
                       .k = s[3],
                       .batch = s[0],
                       .a = a.begin(),
                       .a_row = a.row,
                       .a_col = a.col,
                       .a_batch = a.batch_stride,
                       .b = b.begin(),
                       .b_row = b.row,
                       .b_col = b.col,
                       .b_batch = b.batch_stride,
                       .c = nullptr,
                       .c_row = 0,
                       .c_col = 0};
      const auto one = product<float>(g, 1);
      for (int threads : {2, 3, 7}) {
        const auto many = product<float>(g, threads);
        CHECK(std::memcmp(one.data(), many.data(), one.size() * sizeof(float)) == 0);
      }
    }
}

TEST_CASE("gemm: NaN and inf reach exactly the sums they belong to") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float inf = std::numeric_limits<float>::infinity();
  const int64_t shapes[][3] = {{3, 5, 7}, {40, 10, 200}, {60, 250, 40}, {1, 40, 60}, {40, 1, 60}};
  for (const auto& s : shapes)
    for (int lb : {kRows, kColumns}) {
      const int64_t m = s[0], n = s[1], k = s[2];
      std::mt19937_64 random(23);
      auto a = make<float>(random, 1, m, k, kRows), b = make<float>(random, 1, k, n, lb);
      a.at(0, m / 2, k - 1) = nan;
      b.at(0, k / 2, n - 1) = inf;
      a.at(0, 0, k / 2) = m > 1 ? 0.0f : a.at(0, 0, k / 2);
      const GemmArgs g{.dtype = DType::Float,
                       .m = m,
                       .n = n,
                       .k = k,
                       .a = a.begin(),
                       .a_row = a.row,
                       .a_col = a.col,
                       .b = b.begin(),
                       .b_row = b.row,
                       .b_col = b.col,
                       .c = nullptr,
                       .c_row = 0,
                       .c_col = 0};
      const auto c = product<float>(g, 1);
      for (int64_t i = 0; i < m; ++i)
        for (int64_t j = 0; j < n; ++j) {
          const float x = c[static_cast<size_t>(i * n + j)];
          CAPTURE(m);
          CAPTURE(n);
          CAPTURE(i);
          CAPTURE(j);
          if (i == m / 2)
            CHECK(std::isnan(x));
          else if (j == n - 1)  // 0 * inf is NaN
            CHECK((i == 0 ? std::isnan(x) : std::isinf(x)));
          else
            CHECK(std::isfinite(x));
        }
    }
}

TEST_CASE("gemm: what is not asked for is not read") {
  // D with beta 0, and C's old values, may be NaN.
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (int64_t k : {0, 1, 3, 2000}) {
    std::vector<float> a(static_cast<size_t>(2 * k + 1), 1.0f), b(a), c(4, nan);
    GemmArgs g{.dtype = DType::Float,
               .m = 2,
               .n = 2,
               .k = k,
               .a = a.data(),
               .a_row = k,
               .a_col = 1,
               .b = b.data(),
               .b_row = 2,
               .b_col = 1,
               .c = c.data(),
               .c_row = 2,
               .c_col = 1};
    g.d = c.data();
    g.d_row = 2;
    g.d_col = 1;
    d2l::gemm(g);
    for (float x : c) CHECK(x == static_cast<float>(k));
  }
}

TEST_CASE("gemm: halves round to nearest even, and keep NaN and infinity") {
  std::mt19937_64 random(24);
  for (int i = 0; i < 20000; ++i) {
    const auto bits = static_cast<uint16_t>(random());
    const Half h{bits};
    const Half one{0x3C00};
    Half out[2];
    GemmArgs g{.dtype = DType::Half,
               .m = 1,
               .n = 1,
               .k = 1,
               .a = &h,
               .a_row = 1,
               .a_col = 1,
               .b = &one,
               .b_row = 1,
               .b_col = 1,
               .c = out,
               .c_row = 1,
               .c_col = 1};
    d2l::gemm(g);
    const float x = d2l::half_to_float(bits), y = d2l::half_to_float(out[0].bits);
    CHECK((std::isnan(x) ? std::isnan(y) : out[0].bits == bits));
  }
  const auto round_trip = [](DType dtype, float x, float y) {  // x * 1 + y * 1
    const bool half = dtype == DType::Half;
    const auto bits = [&](float v) {
      return half ? d2l::float_to_half(v) : d2l::float_to_bfloat16(v);
    };
    uint16_t a[2] = {bits(x), bits(y)}, b[2] = {bits(1), bits(1)}, c = 0;
    GemmArgs g{.dtype = dtype,
               .m = 1,
               .n = 1,
               .k = 2,
               .a = a,
               .a_row = 2,
               .a_col = 1,
               .b = b,
               .b_row = 1,
               .b_col = 1,
               .c = &c,
               .c_row = 1,
               .c_col = 1};
    d2l::gemm(g);
    return half ? d2l::half_to_float(c) : d2l::bfloat16_to_float(c);
  };
  CHECK(round_trip(DType::Half, 2048, 1) == 2048);
  CHECK(round_trip(DType::Half, 2050, 1) == 2052);
  CHECK(std::isinf(round_trip(DType::Half, 65504, 16)));
  CHECK(round_trip(DType::BFloat16, 256, 1) == 256);
  CHECK(round_trip(DType::BFloat16, 258, 1) == 260);
  const float inf = std::numeric_limits<float>::infinity();
  CHECK(std::isnan(round_trip(DType::BFloat16, inf, -inf)));
  CHECK(std::isnan(round_trip(DType::Half, inf, -inf)));
}
