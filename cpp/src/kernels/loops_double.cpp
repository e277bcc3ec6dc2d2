// Exponentials, logarithms, circular and hyperbolic functions for double.
#include "kernels/map.h"
#include "kernels/math_activation.h"
#include "kernels/math_ops.h"

namespace d2l::D2L_ISA_NS {

void fill_math_double(KernelTable& t) { MathRows<double>::fill(t, kF64); }

}  // namespace d2l::D2L_ISA_NS
