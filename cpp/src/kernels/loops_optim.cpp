// Optimiser steps, in place: one pass over parameter, state and gradient.
//
// The one idea: PyTorch's single-tensor formulas, term by term in its order, so that a training run
// follows the same path.
#include "kernels/map.h"

namespace d2l::D2L_ISA_NS {
namespace {

// Outputs that are also inputs: kOutputs of them, then the gradient.
template <class T, int kStates>
struct InPlace {
  static constexpr int kOperands = kStates + 1, kOutputs = kStates;
  static constexpr bool kInout = true;
  static constexpr int kSize[] = {sizeof(T), sizeof(T), sizeof(T), sizeof(T), sizeof(T)};
  static constexpr int kMaxSize = sizeof(T);
  static constexpr int kStep = kLanes<T>;
};

template <class T>
struct Sgd : InPlace<T, 1> {
  Vec<T> lr, decay;
  explicit Sgd(const Scalars& s) : lr(splat(T(s.f[0]))), decay(splat(T(s.f[1]))) {}
  D2L_INLINE void operator()(char* const* at) const {
    Vec<T> p = load<T>(at[0]), g = load<T>(at[1]);
    g = fma(decay, p, g);
    store(at[0], fma(-lr, g, p));
  }
};

template <class T>
struct SgdMomentum : InPlace<T, 2> {
  Vec<T> lr, decay, momentum, damped;
  bool nesterov;
  explicit SgdMomentum(const Scalars& s)
      : lr(splat(T(s.f[0]))),
        decay(splat(T(s.f[1]))),
        momentum(splat(T(s.f[2]))),
        damped(splat(T(s.f[3]))),
        nesterov(s.i[0] != 0) {}
  D2L_INLINE void operator()(char* const* at) const {
    Vec<T> p = load<T>(at[0]), b = load<T>(at[1]), g = load<T>(at[2]);
    g = fma(decay, p, g);
    b = fma(damped, g, momentum * b);
    store(at[1], b);
    store(at[0], fma(-lr, nesterov ? fma(momentum, b, g) : b, p));
  }
};

template <class T, bool kAmsgrad>
struct Adam : InPlace<T, kAmsgrad ? 4 : 3> {
  AdamScalars c;
  explicit Adam(const Scalars& s) {
    __builtin_memcpy(static_cast<void*>(&c), static_cast<const void*>(&s), sizeof c);
  }
  D2L_INLINE void operator()(char* const* at) const {
    constexpr int kGrad = kAmsgrad ? 4 : 3;
    using V = Vec<T>;
    V p = load<T>(at[0]), m = load<T>(at[1]), v = load<T>(at[2]), g = load<T>(at[kGrad]);
    g = g * T(c.sign);
    p = p * T(c.keep);
    g = fma(splat(T(c.weight_decay)), p, g);
    m = fma(splat(T(c.one_minus_beta1)), g - m, m);
    v = fma(splat(T(1.0 - c.beta2)) * g, g, v * T(c.beta2));
    store(at[1], m);
    store(at[2], v);
    if constexpr (kAmsgrad) {
      V top = load<T>(at[3]);
      v = (top > v) | (top != top) ? top : v;
      store(at[3], v);
    }
    V denom = sqrt(v) / T(c.root_correction2) + T(c.eps);
    store(at[0], p - T(c.step_size) * (m / denom));
  }
};

}  // namespace

void fill_optimisers(KernelTable& t) {
  slot(t, Loop::sgd, kF32) = entry<Sgd<float>>;
  slot(t, Loop::sgd, kF64) = entry<Sgd<double>>;
  slot(t, Loop::sgd_momentum, kF32) = entry<SgdMomentum<float>>;
  slot(t, Loop::sgd_momentum, kF64) = entry<SgdMomentum<double>>;
  slot(t, Loop::adam, kF32) = entry<Adam<float, false>>;
  slot(t, Loop::adam, kF64) = entry<Adam<double, false>>;
  slot(t, Loop::adam_amsgrad, kF32) = entry<Adam<float, true>>;
  slot(t, Loop::adam_amsgrad, kF64) = entry<Adam<double, true>>;
}

}  // namespace d2l::D2L_ISA_NS
