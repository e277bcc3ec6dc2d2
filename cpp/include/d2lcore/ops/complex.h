// Complex numbers: their parts, and the ways to and from real tensors.
#pragma once

#include "d2lcore/ops/common.h"

namespace d2l {

D2L_API Tensor real(const Tensor& self);
D2L_API Tensor imag(const Tensor& self);
D2L_API Tensor conj(const Tensor& self);  // self itself for a real dtype
D2L_API Tensor conj_physical(const Tensor& self, Dst dst = {});
D2L_API Tensor sgn(const Tensor& self, Dst dst = {});
D2L_API Tensor angle(const Tensor& self, Dst dst = {});
D2L_API Tensor complex(const Tensor& real, const Tensor& imag, Dst dst = {});
D2L_API Tensor polar(const Tensor& abs, const Tensor& angle, Dst dst = {});
// Views: the last dimension of size 2 holds the parts.
D2L_API Tensor view_as_real(const Tensor& self);
D2L_API Tensor view_as_complex(const Tensor& self);

}  // namespace d2l
