// Complex arithmetic.
#include "kernels/map.h"

namespace d2l::D2L_ISA_NS {
namespace {

template <class T>
struct Ops {
  using C = Complex<T>;
  static D2L_INLINE C times(C a, C b) {
    return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
  }
  // Divides through by the larger part of b, as PyTorch does: no overflow in between.
  static D2L_INLINE C over(C a, C b) {
    T p = b.re < T(0) ? -b.re : b.re, q = b.im < T(0) ? -b.im : b.im;
    bool real = p >= q;
    T big = real ? b.re : b.im, small = real ? b.im : b.re;
    T ratio = small / big, d = T(1) / (big + small * ratio);
    C r = real ? C{(a.re + a.im * ratio) * d, (a.im - a.re * ratio) * d}
               : C{(a.re * ratio + a.im) * d, (a.im * ratio - a.re) * d};
    bool zero = (p == T(0)) & (q == T(0));
    return zero ? C{a.re / p, a.im / q} : r;
  }
  struct Neg {
    D2L_INLINE C operator()(C a) const { return {-a.re, -a.im}; }
  };
  struct Conj {
    D2L_INLINE C operator()(C a) const { return {a.re, -a.im}; }
  };
  struct Square {
    D2L_INLINE C operator()(C a) const { return times(a, a); }
  };
  struct Reciprocal {
    D2L_INLINE C operator()(C a) const { return over(C{T(1), T(0)}, a); }
  };
  struct Add {
    D2L_INLINE C operator()(C a, C b) const { return {a.re + b.re, a.im + b.im}; }
  };
  struct Sub {
    D2L_INLINE C operator()(C a, C b) const { return {a.re - b.re, a.im - b.im}; }
  };
  struct Mul {
    D2L_INLINE C operator()(C a, C b) const { return times(a, b); }
  };
  struct Div {
    D2L_INLINE C operator()(C a, C b) const { return over(a, b); }
  };
  struct Scaled {
    C alpha;
    explicit Scaled(const Scalars& s) : alpha{static_cast<T>(s.f[0]), static_cast<T>(s.f[1])} {}
  };
  struct AddScaled : Scaled {
    using Scaled::Scaled;
    D2L_INLINE C operator()(C a, C b) const {
      C p = times(this->alpha, b);
      return {a.re + p.re, a.im + p.im};
    }
  };
  struct Addcmul : Scaled {
    using Scaled::Scaled;
    D2L_INLINE C operator()(C a, C b, C c) const {
      C p = times(times(this->alpha, b), c);
      return {a.re + p.re, a.im + p.im};
    }
  };
  struct Addcdiv : Scaled {
    using Scaled::Scaled;
    D2L_INLINE C operator()(C a, C b, C c) const {
      C p = over(times(this->alpha, b), c);
      return {a.re + p.re, a.im + p.im};
    }
  };
  // f[0] x + f[1] with real numbers.
  struct Affine {
    T a, b;
    explicit Affine(const Scalars& s) : a(static_cast<T>(s.f[0])), b(static_cast<T>(s.f[1])) {}
    D2L_INLINE C operator()(C x) const { return {a * x.re + b, a * x.im}; }
  };
  struct Lerp {
    D2L_INLINE C operator()(C a, C b, C w) const {
      C d = {b.re - a.re, b.im - a.im};
      bool low = w.re * w.re + w.im * w.im < T(0.25);
      C p = times(low ? w : C{w.re - T(1), w.im}, d);
      return low ? C{a.re + p.re, a.im + p.im} : C{b.re + p.re, b.im + p.im};
    }
  };
  static void fill(KernelTable& t, Type type) {
    slot(t, Loop::neg, type) = kSimple<Neg, C, C, 1>;
    slot(t, Loop::conj, type) = kSimple<Conj, C, C, 1>;
    slot(t, Loop::square, type) = kSimple<Square, C, C, 1>;
    slot(t, Loop::reciprocal, type) = kSimple<Reciprocal, C, C, 1>;
    slot(t, Loop::affine, type) = kSimple<Affine, C, C, 1>;
    slot(t, Loop::add, type) = kSimple<Add, C, C, 2>;
    slot(t, Loop::sub, type) = kSimple<Sub, C, C, 2>;
    slot(t, Loop::mul, type) = kSimple<Mul, C, C, 2>;
    slot(t, Loop::div, type) = kSimple<Div, C, C, 2>;
    slot(t, Loop::add_scaled, type) = kSimple<AddScaled, C, C, 2>;
    slot(t, Loop::addcmul, type) = kSimple<Addcmul, C, C, 3>;
    slot(t, Loop::addcdiv, type) = kSimple<Addcdiv, C, C, 3>;
    slot(t, Loop::lerp, type) = kSimple<Lerp, C, C, 3>;
  }
};

}  // namespace

void fill_complex(KernelTable& t) {
  Ops<float>::fill(t, kC64);
  Ops<double>::fill(t, kC128);
}

}  // namespace d2l::D2L_ISA_NS
