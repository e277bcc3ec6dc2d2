// erf, erfc, erfinv, lgamma, digamma and both forms of gelu.
#include "kernels/map.h"
#include "kernels/math_activation.h"

namespace d2l::D2L_ISA_NS {
namespace {

#define D2L_SPECIAL(f)                   \
  struct Op_##f {                        \
    template <class V>                   \
    D2L_INLINE V operator()(V x) const { \
      return f(x);                       \
    }                                    \
  };
#define D2L_ALL_SPECIAL(X) X(erf) X(erfc) X(erfinv) X(lgamma) X(digamma) X(gelu) X(gelu_tanh)
D2L_ALL_SPECIAL(D2L_SPECIAL)

}  // namespace

void fill_special(KernelTable& t) {
#define D2L_ROW(f) set_floating<Op_##f, 1>(t, Loop::f);
  D2L_ALL_SPECIAL(D2L_ROW)
}

}  // namespace d2l::D2L_ISA_NS
