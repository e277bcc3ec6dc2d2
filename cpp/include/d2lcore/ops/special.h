// Special functions.
#pragma once

#include "d2lcore/ops/common.h"

namespace d2l {

D2L_API Tensor i0(const Tensor& self, Dst dst = {});
D2L_API Tensor i0e(const Tensor& self, Dst dst = {});  // exp(-|x|) i0(x)
D2L_API Tensor i1(const Tensor& self, Dst dst = {});
D2L_API Tensor i1e(const Tensor& self, Dst dst = {});
D2L_API Tensor ndtr(const Tensor& self, Dst dst = {});
D2L_API Tensor ndtri(const Tensor& self, Dst dst = {});
D2L_API Tensor log_ndtr(const Tensor& self, Dst dst = {});
D2L_API Tensor erfcx(const Tensor& self, Dst dst = {});  // exp(x^2) erfc(x)
D2L_API Tensor zeta(const Tensor& self, const Tensor& other, Dst dst = {});
D2L_API Tensor polygamma(int64_t n, const Tensor& self, Dst dst = {});
D2L_API Tensor mvlgamma(const Tensor& self, int64_t p);

}  // namespace d2l
