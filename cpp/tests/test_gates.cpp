// The gates of recurrent layers against scalar twins, for every instruction set: whole vectors and
// tails, float and double, forward and backward.
#include <doctest/doctest.h>

#include <string>

#include "kernel_tables.h"

namespace d2l::test {
namespace {

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

template <class T>
struct Rows {
  std::vector<T> v;
  Rows(Random& random, int64_t count) : v(static_cast<size_t>(count)) {
    for (T& x : v) x = static_cast<T>(random.uniform(-2, 2));
  }
  char* data() { return reinterpret_cast<char*>(v.data()); }
  double operator[](int64_t i) const { return static_cast<double>(v[static_cast<size_t>(i)]); }
};

GateFn gate(const NamedTable& t, Gate kind, int type) {
  return t.table->gate[static_cast<int>(kind)][type];
}

template <class T>
void check_lstm(const NamedTable& t, int type, double eps, int64_t rows, int64_t n) {
  Random random{3};
  Rows<T> gates(random, 4 * rows * n), part(random, 4 * rows * n), cell(random, rows * n);
  Rows<T> kept(random, rows * n), out(random, rows * n), state(random, rows * n);
  Rows<T> g(random, rows * n), dcell(random, rows * n), dgates(random, 4 * rows * n);
  const Rows<T> gates0 = gates, cell0 = cell, dcell0 = dcell;
  GateArgs a{};
  a.rows = rows, a.n = n;
  a.gates = gates.data(), a.part = part.data(), a.cell = cell.data(), a.kept = kept.data();
  a.out = out.data();
  gate(t, Gate::lstm, type)(&a);
  a.cell = dcell.data(), a.out = dgates.data(), a.state = state.data(), a.g = g.data();
  gate(t, Gate::lstm_backward, type)(&a);
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t i = 0; i < n; ++i) {
      const int64_t at = r * n + i;
      auto place = [&](int64_t k) { return r * 4 * n + k * n + i; };
      auto sum = [&](int64_t k) { return gates0[place(k)] + part[place(k)]; };
      const double in = sigmoid(sum(0)), forget = sigmoid(sum(1)), value = std::tanh(sum(2));
      const double open = sigmoid(sum(3)), c = forget * cell0[at] + in * value;
      const double squashed = std::tanh(c), dh = state[at] + g[at];
      const double dc = dcell0[at] + dh * open * (1 - squashed * squashed);
      auto close = [&](double x, double y) { CHECK(x == doctest::Approx(y).epsilon(eps)); };
      close(cell[at], c);
      close(kept[at], cell0[at]);
      close(gates[place(0)], in);
      close(gates[place(3)], open);
      close(dgates[place(0)], dc * value * in * (1 - in));
      close(dgates[place(1)], dc * cell0[at] * forget * (1 - forget));
      close(dgates[place(2)], dc * in * (1 - value * value));
      close(dgates[place(3)], dh * squashed * open * (1 - open));
      close(dcell[at], dc * forget);
    }
  }
}

template <class T>
void check_gru(const NamedTable& t, int type, double eps, int64_t rows, int64_t n) {
  Random random{4};
  Rows<T> gates(random, 3 * rows * n), part(random, 3 * rows * n), before(random, rows * n);
  Rows<T> kept(random, rows * n), out(random, rows * n), state(random, rows * n);
  Rows<T> g(random, rows * n), dgates(random, 3 * rows * n), dpart(random, 3 * rows * n);
  const Rows<T> gates0 = gates, state0 = state;
  GateArgs a{};
  a.rows = rows, a.n = n;
  a.gates = gates.data(), a.part = part.data(), a.before = before.data(), a.kept = kept.data();
  a.out = out.data();
  gate(t, Gate::gru, type)(&a);
  a.out = dgates.data(), a.out2 = dpart.data(), a.state = state.data(), a.g = g.data();
  gate(t, Gate::gru_backward, type)(&a);
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t i = 0; i < n; ++i) {
      const int64_t at = r * n + i;
      auto place = [&](int64_t k) { return r * 3 * n + k * n + i; };
      const double reset = sigmoid(gates0[place(0)] + part[place(0)]);
      const double keep = sigmoid(gates0[place(1)] + part[place(1)]);
      const double value = std::tanh(gates0[place(2)] + reset * part[place(2)]);
      const double dh = state0[at] + g[at], dvalue = dh * (1 - keep) * (1 - value * value);
      auto close = [&](double x, double y) { CHECK(x == doctest::Approx(y).epsilon(eps)); };
      close(out[at], value + keep * (before[at] - value));
      close(kept[at], part[place(2)]);
      close(dgates[place(0)], dvalue * part[place(2)] * reset * (1 - reset));
      close(dgates[place(1)], dh * (before[at] - value) * keep * (1 - keep));
      close(dgates[place(2)], dvalue);
      close(dpart[place(0)], dgates[place(0)]);
      close(dpart[place(2)], dvalue * reset);
      close(state[at], dh * keep);
    }
  }
}

template <class T>
void check_simple(const NamedTable& t, int type, double eps, int64_t count) {
  Random random{5};
  for (bool squash : {true, false}) {
    Rows<T> x(random, count), y = x, state(random, count), g(random, count), dx(random, count);
    GateArgs a{};
    a.rows = 1, a.n = count;
    a.gates = a.out = y.data();
    gate(t, squash ? Gate::tanh : Gate::relu, type)(&a);
    a.out = dx.data(), a.state = state.data(), a.g = g.data();
    gate(t, squash ? Gate::tanh_backward : Gate::relu_backward, type)(&a);
    for (int64_t i = 0; i < count; ++i) {
      const double want = squash ? std::tanh(x[i]) : std::max(x[i], 0.0), dh = state[i] + g[i];
      CHECK(y[i] == doctest::Approx(want).epsilon(eps));
      const double slope = squash ? 1 - want * want : want > 0;
      CHECK(dx[i] == doctest::Approx(dh * slope).epsilon(eps));
    }
  }
}

TEST_CASE("gates: every cell follows its formula, forward and backward") {
  for (const NamedTable& t : tables()) {
    INFO(std::string(t.name));
    for (int64_t n : {1, 7, 16, 37}) {
      check_lstm<float>(t, kF32, 2e-5, 3, n);
      check_lstm<double>(t, kF64, 1e-11, 3, n);
      check_gru<float>(t, kF32, 2e-5, 3, n);
      check_gru<double>(t, kF64, 1e-11, 3, n);
      check_simple<float>(t, kF32, 2e-5, n);
      check_simple<double>(t, kF64, 1e-11, n);
    }
  }
}

}  // namespace
}  // namespace d2l::test
