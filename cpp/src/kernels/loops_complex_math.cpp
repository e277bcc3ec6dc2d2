// Roots, powers, exponentials, logarithms, circular and hyperbolic functions of complex numbers.
//
// The one idea: a step takes the parts of a few numbers apart, computes on vectors of double and
// puts them together again; the function itself stands in the code once for both dtypes.
#include "kernels/map.h"
#include "kernels/math_complex.h"

namespace d2l::D2L_ISA_NS {
namespace {

template <class T>
D2L_INLINE CD apart(const char* from) {
  const T* p = reinterpret_cast<const T*>(from);
  double re[kLanes<double>], im[kLanes<double>];
  for (int i = 0; i < kLanes<double>; ++i) {
    re[i] = static_cast<double>(p[2 * i]);
    im[i] = static_cast<double>(p[2 * i + 1]);
  }
  return {load<double>(re), load<double>(im)};
}
template <class T>
D2L_INLINE void together(char* to, CD z) {
  T* p = reinterpret_cast<T*>(to);
  double re[kLanes<double>], im[kLanes<double>];
  store(re, z.re);
  store(im, z.im);
  for (int i = 0; i < kLanes<double>; ++i) {
    p[2 * i] = static_cast<T>(re[i]);
    p[2 * i + 1] = static_cast<T>(im[i]);
  }
}

template <class Op>
__attribute__((noinline, noclone)) CD apply(CD z) {
  return Op::of(z);
}
template <class Op>
__attribute__((noinline, noclone)) CD apply(CD z, CD w) {
  return Op::of(z, w);
}

template <class Op, class T, int kInputs>
struct Parts {
  static constexpr int kOperands = 1 + kInputs, kOutputs = 1;
  static constexpr bool kInout = false;
  static constexpr int kSize[] = {2 * sizeof(T), 2 * sizeof(T), 2 * sizeof(T)};
  static constexpr int kMaxSize = 2 * sizeof(T);
  static constexpr int kStep = kLanes<double>;
  explicit Parts(const Scalars&) {}
  D2L_INLINE void operator()(char* const* p) const {
    if constexpr (kInputs == 1) {
      together<T>(p[0], apply<Op>(apart<T>(p[1])));
    } else {
      together<T>(p[0], apply<Op>(apart<T>(p[1]), apart<T>(p[2])));
    }
  }
};
template <class Op, int kInputs>
void set_both(KernelTable& t, Loop loop) {
  slot(t, loop, kC64) = entry<Parts<Op, float, kInputs>>;
  slot(t, loop, kC128) = entry<Parts<Op, double, kInputs>>;
}

// clang-format off
#define D2L_ALL_COMPLEX(X) X(sqrt) X(rsqrt) X(exp) X(exp2) X(expm1) X(log) X(log2) X(log10)        \
  X(log1p) X(sin) X(cos) X(tan) X(asin) X(acos) X(atan) X(sinh) X(cosh) X(tanh) X(asinh) X(acosh)  \
  X(atanh) X(sigmoid) X(silu)
// clang-format on
#define D2L_COMPLEX(f)                             \
  struct Op_##f {                                  \
    static D2L_INLINE CD of(CD z) { return f(z); } \
  };
D2L_ALL_COMPLEX(D2L_COMPLEX)

struct Pow {
  static D2L_INLINE CD of(CD z, CD w) { return pow(z, w); }
};

}  // namespace

void fill_complex_math(KernelTable& t) {
#define D2L_ROW(f) set_both<Op_##f, 1>(t, Loop::f);
  D2L_ALL_COMPLEX(D2L_ROW)
  set_both<Pow, 2>(t, Loop::pow);
}

}  // namespace d2l::D2L_ISA_NS
