// Exponentials, logarithms, circular and hyperbolic functions for float: natively where that is
// quick, else through double.
#include "kernels/map.h"
#include "kernels/math_activation.h"
#include "kernels/math_ops.h"

namespace d2l::D2L_ISA_NS {

void fill_math_float(KernelTable& t) { MathRows<float>::fill(t, kF32); }

}  // namespace d2l::D2L_ISA_NS
