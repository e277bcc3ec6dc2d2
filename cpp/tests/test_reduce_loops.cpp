// Reductions, scans and row kernels against scalar twins, in every direction.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "kernel_tables.h"

namespace d2l::test {
namespace {

struct Direction {
  int64_t in, keep;  // strides in elements
};
std::vector<Direction> directions(int64_t n, int64_t m) {
  return {{1, n}, {m, 1}, {1, n + 5}, {m + 3, 1}, {2, 2 * n}, {3 * m, 3}, {-1, n}, {m, -1}};
}

template <class T, class Out, class Twin>
void check_reduce(const NamedTable& t, Reduce r, Twin twin, double tolerance,
                  bool indexed = false) {
  ReduceFn fn = t.table->reduce[static_cast<int>(r)][kTypeOf<T>];
  REQUIRE((fn != nullptr));
  Random random{11};
  for (int64_t n : {1, 2, 5, 8, 31, 32, 64, 67, 128, 200, 1000, 5000}) {
    for (int64_t m : {1, 2, 10, 15, 16, 33, 300}) {
      if (n * m > 300000) continue;
      for (Direction d : directions(n, m)) {
        int64_t low = std::min<int64_t>(0, d.in * (n - 1)) + std::min<int64_t>(0, d.keep * (m - 1));
        int64_t high =
            std::max<int64_t>(0, d.in * (n - 1)) + std::max<int64_t>(0, d.keep * (m - 1));
        std::vector<T> in(high - low + 1);
        for (auto& x : in) {
          x = static_cast<T>(static_cast<int64_t>(random.next() % 13) -
                             (std::numeric_limits<T>::is_signed ? 6 : 0));
          if (r == Reduce::prod) x = static_cast<T>(random.next() % 8 == 0 ? 2 : 1);
        }
        if (!std::numeric_limits<T>::is_integer && random.next() % 4 == 0 && indexed) {
          in[random.next() % in.size()] = std::numeric_limits<T>::quiet_NaN();
        }
        const int64_t gap = random.next() % 2 + 1;  // between results, in elements
        std::vector<Out> out(gap * m + 1, Out(77));
        std::vector<int64_t> index(m, -5);
        ReduceArgs a{};
        a.out = reinterpret_cast<char*>(out.data());
        a.index = indexed ? index.data() : nullptr;
        a.index_stride = 1;
        a.in = reinterpret_cast<char*>(in.data() - low);
        a.n = n, a.m = m;
        a.in_stride = d.in * static_cast<int64_t>(sizeof(T));
        a.keep_stride = d.keep * static_cast<int64_t>(sizeof(T));
        a.out_stride = gap * static_cast<int64_t>(sizeof(Out));
        a.p = 3;
        fn(&a);
        bool good = true;
        for (int64_t j = 0; j < m; ++j) {
          std::vector<T> column(n);
          for (int64_t i = 0; i < n; ++i) column[i] = in[-low + i * d.in + j * d.keep];
          int64_t where = 0;
          double want = twin(column, &where), got = static_cast<double>(out[gap * j]);
          bool same = std::isnan(want)
                          ? std::isnan(got)
                          : got == want ||
                                std::fabs(got - want) <= tolerance * std::max(1.0, std::fabs(want));
          if (indexed) same = same && index[j] == where;
          same = same && (gap == 1 || out[gap * j + 1] == Out(77));
          if (!same && good)
            MESSAGE("j ", j, " got ", got, " want ", want, " index ", index[j], " ", where);
          good = good && same;
        }
        INFO(std::string(t.name), " reduce ", int(r), " item ", sizeof(T), " n ", n, " m ", m,
             " strides ", d.in, ",", d.keep);
        CHECK(good);
        if (!good) return;
      }
    }
  }
}

template <class T>
void check_type(const NamedTable& t) {
  using C = std::vector<T>;
  const double eps = std::numeric_limits<T>::is_integer ? 0 : sizeof(T) == 4 ? 1e-6 : 1e-14;
  check_reduce<T, T>(
      t, Reduce::sum,
      [](const C& c, int64_t*) {
        if (std::numeric_limits<T>::is_integer) {
          T s = 0;
          for (T x : c) s = static_cast<T>(s + x);
          return static_cast<double>(s);
        }
        double s = 0;
        for (T x : c) s += static_cast<double>(x);
        return s;
      },
      eps);
  if (sizeof(T) >= 4) {
    check_reduce<T, T>(
        t, Reduce::prod,
        [](const C& c, int64_t*) {
          if (std::numeric_limits<T>::is_integer) {
            uint64_t s = 1;
            for (T x : c) s *= static_cast<uint64_t>(x);
            return static_cast<double>(static_cast<T>(s));
          }
          T s = 1;
          for (T x : c) s *= x;
          return static_cast<double>(s);
        },
        eps);
  }
  auto extreme = [](bool max, bool nan_wins) {
    return [=](const C& c, int64_t* where) {
      for (size_t i = 0; i < c.size(); ++i) {
        if (nan_wins && c[i] != c[i]) {
          *where = static_cast<int64_t>(i);
          return static_cast<double>(c[i]);
        }
      }
      auto it = max ? std::max_element(c.begin(), c.end()) : std::min_element(c.begin(), c.end());
      *where = it - c.begin();
      return static_cast<double>(*it);
    };
  };
  check_reduce<T, T>(t, Reduce::max, extreme(true, true), 0);
  check_reduce<T, T>(t, Reduce::min, extreme(false, true), 0);
  check_reduce<T, T>(t, Reduce::max, extreme(true, true), 0, true);
  check_reduce<T, T>(t, Reduce::min, extreme(false, true), 0, true);
  check_reduce<T, uint8_t>(
      t, Reduce::any,
      [](const C& c, int64_t*) {
        return double(std::any_of(c.begin(), c.end(), [](T x) { return x != 0; }));
      },
      0);
  check_reduce<T, uint8_t>(
      t, Reduce::all,
      [](const C& c, int64_t*) {
        return double(std::all_of(c.begin(), c.end(), [](T x) { return x != 0; }));
      },
      0);
}

template <class T>
void check_norms(const NamedTable& t) {
  using C = std::vector<T>;
  const double eps = sizeof(T) == 4 ? 1e-6 : 1e-14;
  auto sum = [](auto f) {
    return [f](const C& c, int64_t*) {
      double s = 0;
      for (T x : c) s += f(static_cast<double>(x));
      return s;
    };
  };
  check_reduce<T, T>(t, Reduce::sum_abs, sum([](double x) { return std::fabs(x); }), eps);
  check_reduce<T, T>(t, Reduce::sum_square, sum([](double x) { return x * x; }), eps);
  check_reduce<T, T>(t, Reduce::sum_pow, sum([](double x) { return std::pow(std::fabs(x), 3); }),
                     eps);
  check_reduce<T, T>(t, Reduce::count_nonzero, sum([](double x) { return double(x != 0); }), 0);
  check_reduce<T, T>(
      t, Reduce::max_abs,
      [](const C& c, int64_t*) {
        double s = 0;
        for (T x : c) s = std::max(s, std::fabs(static_cast<double>(x)));
        return s;
      },
      0);
  check_reduce<T, T>(
      t, Reduce::min_abs,
      [](const C& c, int64_t*) {
        double s = 1e30;
        for (T x : c) s = std::min(s, std::fabs(static_cast<double>(x)));
        return s;
      },
      0);
}

TEST_CASE("reduce: every op, type and direction") {
  for (const NamedTable& t : tables()) {
    check_type<float>(t);
    check_type<double>(t);
    check_type<int64_t>(t);
    check_type<int32_t>(t);
    check_type<int16_t>(t);
    check_type<int8_t>(t);
    check_type<uint8_t>(t);
    check_norms<float>(t);
    check_norms<double>(t);
  }
}

TEST_CASE("reduce: a float sum of ten million elements is right to 1e-6") {
  std::vector<float> x(10000000);
  Random random{12};
  double want = 0, square = 0;
  for (auto& v : x) {
    v = static_cast<float>(random.uniform());
    want += static_cast<double>(v);
    square += static_cast<double>(v) * static_cast<double>(v);
  }
  for (const NamedTable& t : tables()) {
    for (int64_t m : {1, 4}) {  // along memory, and across it
      ReduceArgs a{};
      float out[4];
      a.out = reinterpret_cast<char*>(out);
      a.in = reinterpret_cast<char*>(x.data());
      a.n = 10000000 / m, a.m = m, a.in_stride = 4 * m, a.keep_stride = m == 1 ? 0 : 4,
      a.out_stride = 4;
      t.table->reduce[static_cast<int>(Reduce::sum)][kF32](&a);
      double got = 0;
      for (int k = 0; k < m; ++k) got += static_cast<double>(out[k]);
      CHECK(std::fabs(got - want) < 1e-6 * want);
      t.table->reduce[static_cast<int>(Reduce::sum_square)][kF32](&a);
      got = 0;
      for (int k = 0; k < m; ++k) got += static_cast<double>(out[k]);
      CHECK(std::fabs(got - square) < 1e-6 * square);
    }
  }
}

// Narrow columns without gaps are the exception: they are read across rows, and never split.
TEST_CASE("reduce: the result does not depend on how the kept dimension is split") {
  Random random{13};
  const int64_t n = 777, m = 100;
  std::vector<float> x(n * (m + 3));
  for (auto& v : x) v = static_cast<float>(random.uniform(-1, 1));
  for (const NamedTable& t : tables()) {
    for (Direction d : {Direction{1, n}, Direction{m + 3, 1}, Direction{1, 7}}) {
      std::vector<float> whole(m), parts(m);
      auto run = [&](int64_t from, int64_t count, std::vector<float>& out) {
        ReduceArgs a{};
        a.out = reinterpret_cast<char*>(out.data() + from);
        a.in = reinterpret_cast<char*>(x.data() + from * d.keep);
        a.n = n, a.m = count, a.in_stride = d.in * 4, a.keep_stride = d.keep * 4, a.out_stride = 4;
        t.table->reduce[static_cast<int>(Reduce::sum)][kF32](&a);
      };
      run(0, m, whole);
      for (int64_t from = 0, step = 1; from < m; from += step, step = step * 2 + 1) {
        run(from, std::min(step, m - from), parts);
      }
      CHECK(whole == parts);
    }
  }
}

TEST_CASE("reduce: complex sums and products") {
  Random random{14};
  for (const NamedTable& t : tables()) {
    for (int64_t n : {1, 3, 40, 555}) {
      for (int64_t m : {1, 5, 40}) {
        for (Direction d : directions(n, m)) {
          if (d.in < 0 || d.keep < 0) continue;
          std::vector<double> x(2 * (d.in * (n - 1) + d.keep * (m - 1) + 1)), out(2 * m);
          for (auto& v : x) v = random.uniform(-1, 1);
          ReduceArgs a{};
          a.out = reinterpret_cast<char*>(out.data());
          a.in = reinterpret_cast<char*>(x.data());
          a.n = n, a.m = m, a.in_stride = 16 * d.in, a.keep_stride = 16 * d.keep, a.out_stride = 16;
          t.table->reduce[static_cast<int>(Reduce::sum)][kC128](&a);
          for (int64_t j = 0; j < m; ++j) {
            double re = 0, im = 0;
            for (int64_t i = 0; i < n; ++i) {
              re += x[2 * (i * d.in + j * d.keep)];
              im += x[2 * (i * d.in + j * d.keep) + 1];
            }
            CHECK(out[2 * j] == doctest::Approx(re).epsilon(1e-12));
            CHECK(out[2 * j + 1] == doctest::Approx(im).epsilon(1e-12));
          }
        }
      }
    }
  }
}

template <class T>
void check_scans(const NamedTable& t) {
  Random random{15};
  for (int64_t n : {1, 2, 9, 50}) {
    for (int64_t m : {1, 3, 16, 70}) {
      for (Direction d : {Direction{m, 1}, Direction{1, n}}) {
        std::vector<T> in(n * m), out(n * m);
        for (auto& x : in) x = static_cast<T>(1 + random.next() % 3);
        auto run = [&](Scan s, std::vector<int64_t>* index, auto twin) {
          ScanArgs a{};
          const int64_t z = sizeof(T);
          a.out = reinterpret_cast<char*>(out.data()), a.in = reinterpret_cast<char*>(in.data());
          a.index = index ? index->data() : nullptr;
          a.n = n, a.m = m, a.in_stride = a.out_stride = d.in * z,
          a.in_lane = a.out_lane = d.keep * z;
          a.index_stride = d.in, a.index_lane = d.keep;
          t.table->scan[static_cast<int>(s)][kTypeOf<T>](&a);
          for (int64_t j = 0; j < m; ++j) {
            double acc = 0;
            for (int64_t i = 0; i < n; ++i) {
              double x = static_cast<double>(in[i * d.in + j * d.keep]);
              acc = i == 0 ? x : twin(acc, x);
              double want = static_cast<double>(static_cast<T>(acc));
              INFO(std::string(t.name), " scan ", int(s), " item ", z, " n ", n, " m ", m);
              CHECK(static_cast<double>(out[i * d.in + j * d.keep]) ==
                    doctest::Approx(want).epsilon(1e-5));
            }
          }
        };
        run(Scan::cumsum, nullptr, [](double a, double b) { return a + b; });
        std::vector<int64_t> index(n * m);
        run(Scan::cummax, &index, [](double a, double b) { return std::max(a, b); });
        run(Scan::cummin, &index, [](double a, double b) { return std::min(a, b); });
        if (sizeof(T) >= 4 && T(0.5) != T(0)) {
          run(Scan::cumprod, nullptr, [](double a, double b) { return a * b; });
          run(Scan::logcumsumexp, nullptr,
              [](double a, double b) { return std::log(std::exp(a) + std::exp(b)); });
        }
      }
    }
  }
}
TEST_CASE("scan: sums, products, extremes") {
  for (const NamedTable& t : tables()) {
    check_scans<float>(t);
    check_scans<double>(t);
    check_scans<int64_t>(t);
    check_scans<int32_t>(t);
    check_scans<int16_t>(t);
  }
}

template <class T>
void check_rows(const NamedTable& t) {
  Random random{16};
  const double eps = sizeof(T) == 4 ? 3e-6 : 1e-13;
  for (int64_t n : {1, 2, 10, 15, 16, 17, 63, 64, 100, 1000, 3001}) {
    const int64_t rows = 3;
    std::vector<T> x(n * rows), y(n * rows), g(n * rows), l(n * rows), back(n * rows);
    for (auto& v : x) v = static_cast<T>(random.uniform(-8, 8));
    for (auto& v : g) v = static_cast<T>(random.uniform(-1, 1));
    auto run = [&](Row r, const std::vector<T>& a, const std::vector<T>& b, std::vector<T>& out) {
      RowArgs args{reinterpret_cast<char*>(out.data()),
                   reinterpret_cast<const char*>(a.data()),
                   reinterpret_cast<const char*>(b.data()),
                   n,
                   rows,
                   1};
      t.table->row[static_cast<int>(r)][kTypeOf<T>](&args);
    };
    run(Row::softmax, x, x, y);
    run(Row::log_softmax, x, x, l);
    for (int64_t j = 0; j < rows; ++j) {
      double m = -1e300, s = 0, dot = 0, gs = 0;
      for (int64_t i = 0; i < n; ++i) m = std::max(m, double(x[j * n + i]));
      for (int64_t i = 0; i < n; ++i) s += std::exp(double(x[j * n + i]) - m);
      INFO(std::string(t.name), " item ", sizeof(T), " n ", n);
      for (int64_t i = 0; i < n; ++i) {
        double want = std::exp(double(x[j * n + i]) - m) / s;
        CHECK(y[j * n + i] == doctest::Approx(want).epsilon(eps).scale(0));
        CHECK(l[j * n + i] == doctest::Approx(double(x[j * n + i]) - m - std::log(s)).epsilon(eps));
        dot += double(g[j * n + i]) * double(y[j * n + i]);
        gs += double(g[j * n + i]);
      }
      if (j == 0) {
        run(Row::softmax_backward, g, y, back);
        for (int64_t i = 0; i < n; ++i)
          CHECK(back[i] == doctest::Approx(double(y[i]) * (double(g[i]) - dot)).epsilon(eps));
        run(Row::log_softmax_backward, g, l, back);
        for (int64_t i = 0; i < n; ++i)
          CHECK(back[i] ==
                doctest::Approx(double(g[i]) - std::exp(double(l[i])) * gs).epsilon(10 * eps));
      }
    }
    // A row of -inf gives NaN.
    std::fill(x.begin(), x.end(), -std::numeric_limits<T>::infinity());
    run(Row::softmax, x, x, y);
    CHECK(std::isnan(y[0]));
  }
}
TEST_CASE("rows: softmax and its family") {
  for (const NamedTable& t : tables()) {
    check_rows<float>(t);
    check_rows<double>(t);
  }
}

// Columns against rows of the transposed data; what lies beside the columns stays as it was.
template <class T>
void check_columns(const NamedTable& t) {
  Random random{17};
  const double eps = sizeof(T) == 4 ? 3e-6 : 1e-13;
  for (Row kind :
       {Row::softmax, Row::log_softmax, Row::softmax_backward, Row::log_softmax_backward}) {
    for (int64_t n : {1, 2, 7, 255, 256, 257, 600}) {
      for (int64_t columns : {1, 3, 8, 17, 33}) {
        const int64_t step = columns + 2;
        std::vector<T> a(n * step), b(n * step), out(n * step, T(7));
        std::vector<T> at(n * columns), bt(n * columns), want(n * columns);
        for (int64_t i = 0; i < n; ++i) {
          for (int64_t j = 0; j < columns; ++j) {
            at[j * n + i] = a[i * step + j] = static_cast<T>(random.uniform(-8, 8));
            bt[j * n + i] = b[i * step + j] = static_cast<T>(random.uniform(-8, 0));
          }
        }
        const RowArgs down{reinterpret_cast<char*>(out.data()),
                           reinterpret_cast<char*>(a.data()),
                           reinterpret_cast<char*>(b.data()),
                           n,
                           columns,
                           step};
        t.table->column[static_cast<int>(kind)][kTypeOf<T>](&down);
        const RowArgs along{reinterpret_cast<char*>(want.data()),
                            reinterpret_cast<char*>(at.data()),
                            reinterpret_cast<char*>(bt.data()),
                            n,
                            columns,
                            1};
        t.table->row[static_cast<int>(kind)][kTypeOf<T>](&along);
        INFO(std::string(t.name), " item ", sizeof(T), " n ", n, " columns ", columns);
        double scale = 0;
        for (T v : want) scale = std::max(scale, std::abs(double(v)));
        for (int64_t i = 0; i < n; ++i) {
          for (int64_t j = 0; j < columns; ++j) {
            const double gap = std::abs(double(out[i * step + j]) - double(want[j * n + i]));
            CHECK(gap <= 4 * eps * scale);
          }
          CHECK(out[i * step + columns] == T(7));
        }
      }
    }
  }
}
TEST_CASE("columns: softmax and its family") {
  for (const NamedTable& t : tables()) {
    check_columns<float>(t);
    check_columns<double>(t);
  }
}

}  // namespace
}  // namespace d2l::test
