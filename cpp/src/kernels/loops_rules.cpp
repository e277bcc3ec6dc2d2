// Optimiser steps beside SGD and Adam, in place: one pass over parameter, states and gradient.
//
// The one idea: a rule is a struct of its numbers and one function of vectors, a row (p, states...)
// before and after. PyTorch's single-tensor formulas, term by term in its order.
#include "kernels/map.h"

namespace d2l::D2L_ISA_NS {
namespace {

// How the loop runs a rule: row[0] is the parameter, then its kStates states.
template <template <class> class R, class T>
struct Rule {
  static constexpr int kStates = R<T>::kStates;
  static constexpr int kOperands = kStates + 2, kOutputs = kStates + 1;
  static constexpr bool kInout = true;
  static constexpr int kSize[] = {sizeof(T), sizeof(T), sizeof(T), sizeof(T), sizeof(T), sizeof(T)};
  static constexpr int kMaxSize = sizeof(T);
  static constexpr int kStep = kLanes<T>;
  typename R<T>::Numbers numbers;
  explicit Rule(const Scalars& s) {
    static_assert(sizeof numbers <= sizeof s);
    __builtin_memcpy(static_cast<void*>(&numbers), static_cast<const void*>(&s), sizeof numbers);
  }
  D2L_INLINE void operator()(char* const* at) const {
    Vec<T> row[kOutputs];
#pragma GCC unroll 8
    for (int k = 0; k < kOutputs; ++k) row[k] = load<T>(at[k]);
    R<T>::apply(numbers, row, load<T>(at[kOutputs]));
#pragma GCC unroll 8
    for (int k = 0; k < kOutputs; ++k) store(at[k], row[k]);
  }
};

// The gradient with the decay of the weights; without one, an infinite weight does no harm.
template <class V>
D2L_INLINE V decayed(V g, V p, double decay) {
  return decay != 0 ? fma(splat(Elem<V>(decay)), p, g) : g;
}
// A running mean, and one of squares: m += weight (g - m); v = keep v + (1 - keep) g^2.
template <class V>
D2L_INLINE V mean(V m, V g, double weight) {
  return fma(splat(Elem<V>(weight)), g - m, m);
}
template <class V>
D2L_INLINE V mean_square(V v, V g, double keep) {
  return fma(splat(Elem<V>(1 - keep)) * g, g, v * Elem<V>(keep));
}

template <class T>
struct Adagrad {
  static constexpr int kStates = 1;  // sum
  struct Numbers {
    double lr, weight_decay, eps;
  };
  D2L_INLINE static void apply(const Numbers& c, Vec<T>* row, Vec<T> g) {
    g = decayed(g, row[0], c.weight_decay);
    row[1] = fma(g, g, row[1]);
    row[0] = row[0] - T(c.lr) * (g / (sqrt(row[1]) + T(c.eps)));
  }
};

template <class T>
struct Adadelta {
  static constexpr int kStates = 2;  // square_avg, acc_delta
  struct Numbers {
    double lr, weight_decay, eps, rho;
  };
  D2L_INLINE static void apply(const Numbers& c, Vec<T>* row, Vec<T> g) {
    g = decayed(g, row[0], c.weight_decay);
    row[1] = mean_square(row[1], g, c.rho);
    const Vec<T> delta = sqrt(row[2] + T(c.eps)) / sqrt(row[1] + T(c.eps)) * g;
    row[2] = mean_square(row[2], delta, c.rho);
    row[0] = fma(splat(T(-c.lr)), delta, row[0]);
  }
};

template <class T>
struct Adamax {
  static constexpr int kStates = 2;  // exp_avg, exp_inf
  struct Numbers {
    double step_size, weight_decay, eps, one_minus_beta1, beta2;
  };
  D2L_INLINE static void apply(const Numbers& c, Vec<T>* row, Vec<T> g) {
    g = decayed(g, row[0], c.weight_decay);
    row[1] = mean(row[1], g, c.one_minus_beta1);
    const Vec<T> old = row[2] * T(c.beta2), now = abs(g) + T(c.eps);
    row[2] = (old > now) | (old != old) ? old : now;
    row[0] = row[0] - T(c.step_size) * (row[1] / row[2]);
  }
};

template <class T>
struct NAdam {
  static constexpr int kStates = 2;  // exp_avg, exp_avg_sq
  struct Numbers {
    double keep, weight_decay, one_minus_beta1, beta2, correction2, eps, grad_step, mean_step;
  };
  D2L_INLINE static void apply(const Numbers& c, Vec<T>* row, Vec<T> g) {
    Vec<T> p = row[0] * T(c.keep);
    g = decayed(g, p, c.weight_decay);
    row[1] = mean(row[1], g, c.one_minus_beta1);
    row[2] = mean_square(row[2], g, c.beta2);
    const Vec<T> root = sqrt(row[2] / T(c.correction2)) + T(c.eps);
    p = p - T(c.grad_step) * (g / root);
    row[0] = p - T(c.mean_step) * (row[1] / root);
  }
};

template <class T>
struct RAdam {
  static constexpr int kStates = 2;  // exp_avg, exp_avg_sq
  struct Numbers {
    double keep, weight_decay, one_minus_beta1, beta2, eps, step_size, adaptive;
  };
  D2L_INLINE static void apply(const Numbers& c, Vec<T>* row, Vec<T> g) {
    const Vec<T> p = row[0] * T(c.keep);
    g = decayed(g, p, c.weight_decay);
    row[1] = mean(row[1], g, c.one_minus_beta1);
    row[2] = mean_square(row[2], g, c.beta2);
    const Vec<T> move = c.adaptive != 0 ? row[1] / (sqrt(row[2]) + T(c.eps)) : row[1];
    row[0] = fma(splat(T(-c.step_size)), move, p);
  }
};

template <bool kCentered, bool kMomentum>
struct RmsProp {
  template <class T>
  struct Of {
    static constexpr int kStates = 1 + kCentered + kMomentum;  // square_avg, grad_avg, buffer
    struct Numbers {
      double lr, weight_decay, eps, alpha, momentum;
    };
    D2L_INLINE static void apply(const Numbers& c, Vec<T>* row, Vec<T> g) {
      g = decayed(g, row[0], c.weight_decay);
      Vec<T> square = row[1] = mean_square(row[1], g, c.alpha);
      if constexpr (kCentered) {
        row[2] = mean(row[2], g, 1 - c.alpha);
        square = fma(-row[2], row[2], square);
      }
      Vec<T> move = g / (sqrt(square) + T(c.eps));
      if constexpr (kMomentum) {
        move = row[kStates] = fma(splat(T(c.momentum)), row[kStates], move);
      }
      row[0] = fma(splat(T(-c.lr)), move, row[0]);
    }
  };
};

template <class T>
struct Rprop {
  static constexpr int kStates = 2;  // prev, step_size
  struct Numbers {
    double eta_minus, eta_plus, least, greatest;
  };
  D2L_INLINE static void apply(const Numbers& c, Vec<T>* row, Vec<T> g) {
    const Vec<T> zero{}, agree = g * row[1];
    Vec<T> size = row[2];
    size = size * (agree > zero   ? splat(T(c.eta_plus))
                   : agree < zero ? splat(T(c.eta_minus))
                                  : splat(T(1)));
    size = size < T(c.least) ? splat(T(c.least)) : size;
    size = size > T(c.greatest) ? splat(T(c.greatest)) : size;
    g = agree < zero ? zero : g;  // the step that overshot is not followed by another
    row[0] = row[0] - (g > zero ? size : g < zero ? -size : zero);
    row[1] = g;
    row[2] = size;
  }
};

template <class T>
struct Asgd {
  static constexpr int kStates = 1;  // ax, the mean of the parameters
  struct Numbers {
    double weight_decay, keep, eta, mu;
  };
  D2L_INLINE static void apply(const Numbers& c, Vec<T>* row, Vec<T> g) {
    g = decayed(g, row[0], c.weight_decay);
    row[0] = fma(splat(T(-c.eta)), g, row[0] * T(c.keep));
    row[1] = c.mu != 1 ? fma(row[0] - row[1], splat(T(c.mu)), row[1]) : row[0];
  }
};

template <template <class> class R>
void set(KernelTable& t, Loop loop) {
  slot(t, loop, kF32) = entry<Rule<R, float>>;
  slot(t, loop, kF64) = entry<Rule<R, double>>;
}

}  // namespace

void fill_rules(KernelTable& t) {
  set<Adagrad>(t, Loop::adagrad);
  set<Adadelta>(t, Loop::adadelta);
  set<Adamax>(t, Loop::adamax);
  set<NAdam>(t, Loop::nadam);
  set<RAdam>(t, Loop::radam);
  set<RmsProp<false, false>::Of>(t, Loop::rmsprop);
  set<RmsProp<true, false>::Of>(t, Loop::rmsprop_centered);
  set<RmsProp<false, true>::Of>(t, Loop::rmsprop_momentum);
  set<RmsProp<true, true>::Of>(t, Loop::rmsprop_centered_momentum);
  set<Rprop>(t, Loop::rprop);
  set<Asgd>(t, Loop::asgd);
}

}  // namespace d2l::D2L_ISA_NS
