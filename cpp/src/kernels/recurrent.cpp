// The gates of recurrent layers: from sums to a new state in one pass, and back.
//
// The one idea: products make the sums of a step, everything else of it is done here while a row is
// in registers. Formulas are PyTorch's (Hochreiter and Schmidhuber, 1997; Cho et al., 2014).
#include "kernels/map.h"
#include "kernels/math_exp.h"
#include "kernels/math_float.h"
#include "kernels/row_parts.h"

namespace d2l::D2L_ISA_NS {
namespace {

// Calls f(row, i, count) for each vector of `count` units from unit i on.
template <class T, class F>
D2L_INLINE void each(const GateArgs* a, F f) {
  for (int64_t r = 0; r < a->rows; ++r) {
    for (int64_t i = 0; i < a->n; i += kLanes<T>) {
      const int64_t rest = a->n - i;
      f(r, i, rest < kLanes<T> ? rest : int64_t{kLanes<T>});
    }
  }
}

// The vectors of one place in operands whose rows hold k n elements.
template <class T>
struct At {
  int64_t row, i, n, count;
  D2L_INLINE Vec<T> get(const char* p, int64_t k = 1, int64_t block = 0) const {
    return D2L_ISA_NS::get(reinterpret_cast<const T*>(p) + row * k * n + block * n + i, count,
                           Vec<T>{});
  }
  // The same place of the next row, which may be far from any cache.
  D2L_INLINE void ask_next(const char* p, int64_t k, int64_t block) const {
    __builtin_prefetch(reinterpret_cast<const T*>(p) + (row + 1) * k * n + block * n + i);
  }
  D2L_INLINE void put(char* p, Vec<T> v, int64_t k = 1, int64_t block = 0) const {
    D2L_ISA_NS::put(reinterpret_cast<T*>(p) + row * k * n + block * n + i, v, count);
  }
};

template <class T>
void lstm(const GateArgs* a) {
  each<T>(a, [&](int64_t r, int64_t i, int64_t count) __attribute__((always_inline)) {
    using V = Vec<T>;
    const At<T> at{r, i, a->n, count};
    for (int64_t k = 0; k < 4; ++k) at.ask_next(a->gates, 4, k);
    auto sum = [&](int64_t k) __attribute__((always_inline)) {
      return at.get(a->gates, 4, k) + at.get(a->part, 4, k);
    };
    const V in = sigmoid(sum(0)), forget = sigmoid(sum(1)), value = tanh(sum(2));
    const V open = sigmoid(sum(3));
    const V old = at.get(a->cell), cell = fma(forget, old, in * value);
    if (a->kept) {
      at.put(a->kept, old);
      at.put(a->gates, in, 4, 0);
      at.put(a->gates, forget, 4, 1);
      at.put(a->gates, value, 4, 2);
      at.put(a->gates, open, 4, 3);
    }
    at.put(a->cell, cell);
    at.put(a->out, open * tanh(cell));
  });
}

template <class T>
void lstm_backward(const GateArgs* a) {
  each<T>(a, [&](int64_t r, int64_t i, int64_t count) __attribute__((always_inline)) {
    using V = Vec<T>;
    const At<T> at{r, i, a->n, count};
    const V in = at.get(a->gates, 4, 0), forget = at.get(a->gates, 4, 1);
    const V value = at.get(a->gates, 4, 2), open = at.get(a->gates, 4, 3);
    const V old = at.get(a->kept), squashed = tanh(fma(forget, old, in * value));
    V dh = at.get(a->state);
    if (a->g) dh = dh + at.get(a->g);
    const V dc = at.get(a->cell) + dh * open * (1 - squashed * squashed);
    at.put(a->out, dc * value * in * (1 - in), 4, 0);
    at.put(a->out, dc * old * forget * (1 - forget), 4, 1);
    at.put(a->out, dc * in * (1 - value * value), 4, 2);
    at.put(a->out, dh * squashed * open * (1 - open), 4, 3);
    at.put(a->cell, dc * forget);
  });
}

template <class T>
void gru(const GateArgs* a) {
  each<T>(a, [&](int64_t r, int64_t i, int64_t count) __attribute__((always_inline)) {
    using V = Vec<T>;
    const At<T> at{r, i, a->n, count};
    for (int64_t k = 0; k < 3; ++k) at.ask_next(a->gates, 3, k);
    const V reset = sigmoid(at.get(a->gates, 3, 0) + at.get(a->part, 3, 0));
    const V keep = sigmoid(at.get(a->gates, 3, 1) + at.get(a->part, 3, 1));
    const V part = at.get(a->part, 3, 2), value = tanh(fma(reset, part, at.get(a->gates, 3, 2)));
    if (a->kept) {
      at.put(a->kept, part);
      at.put(a->gates, reset, 3, 0);
      at.put(a->gates, keep, 3, 1);
      at.put(a->gates, value, 3, 2);
    }
    at.put(a->out, fma(keep, at.get(a->before) - value, value));
  });
}

template <class T>
void gru_backward(const GateArgs* a) {
  each<T>(a, [&](int64_t r, int64_t i, int64_t count) __attribute__((always_inline)) {
    using V = Vec<T>;
    const At<T> at{r, i, a->n, count};
    const V reset = at.get(a->gates, 3, 0), keep = at.get(a->gates, 3, 1);
    const V value = at.get(a->gates, 3, 2), part = at.get(a->kept);
    V dh = at.get(a->state);
    if (a->g) dh = dh + at.get(a->g);
    const V dvalue = dh * (1 - keep) * (1 - value * value);
    const V dreset = dvalue * part * reset * (1 - reset);
    const V dkeep = dh * (at.get(a->before) - value) * keep * (1 - keep);
    at.put(a->out, dreset, 3, 0);
    at.put(a->out, dkeep, 3, 1);
    at.put(a->out, dvalue, 3, 2);
    at.put(a->out2, dreset, 3, 0);
    at.put(a->out2, dkeep, 3, 1);
    at.put(a->out2, dvalue * reset, 3, 2);
    at.put(a->state, dh * keep);
  });
}

struct Tanh {
  template <class V>
  D2L_INLINE static V value(V x) {
    return tanh(x);
  }
  template <class V>
  D2L_INLINE static V slope(V g, V y) {
    return g * (1 - y * y);
  }
};
struct Relu {
  template <class V>
  D2L_INLINE static V value(V x) {
    return x < V{} ? V{} : x;  // NaN stays
  }
  template <class V>
  D2L_INLINE static V slope(V g, V y) {
    return y <= V{} ? V{} : g;
  }
};

template <class T, class F>
void simple(const GateArgs* a) {
  each<T>(a, [&](int64_t r, int64_t i, int64_t count) __attribute__((always_inline)) {
    const At<T> at{r, i, a->n, count};
    at.put(a->out, F::value(at.get(a->gates)));
  });
}
template <class T, class F>
void simple_backward(const GateArgs* a) {
  each<T>(a, [&](int64_t r, int64_t i, int64_t count) __attribute__((always_inline)) {
    const At<T> at{r, i, a->n, count};
    Vec<T> dh = at.get(a->state);
    if (a->g) dh = dh + at.get(a->g);
    at.put(a->out, F::slope(dh, at.get(a->gates)));
  });
}

template <class T>
void fill(KernelTable& t, Type type) {
  auto set = [&](Gate gate, GateFn fn) { t.gate[static_cast<int>(gate)][type] = fn; };
  set(Gate::lstm, lstm<T>);
  set(Gate::gru, gru<T>);
  set(Gate::tanh, simple<T, Tanh>);
  set(Gate::relu, simple<T, Relu>);
  set(Gate::lstm_backward, lstm_backward<T>);
  set(Gate::gru_backward, gru_backward<T>);
  set(Gate::tanh_backward, simple_backward<T, Tanh>);
  set(Gate::relu_backward, simple_backward<T, Relu>);
}

}  // namespace

void fill_recurrent(KernelTable& t) {
  fill<float>(t, kF32);
  fill<double>(t, kF64);
}

}  // namespace d2l::D2L_ISA_NS
