// Functions of one or two numbers that are made of others.
#pragma once

#include "d2lcore/ops/common.h"

namespace d2l {

D2L_API Tensor deg2rad(const Tensor& self, Dst dst = {});
D2L_API Tensor rad2deg(const Tensor& self, Dst dst = {});
D2L_API Tensor hypot(const Tensor& self, const Tensor& other, Dst dst = {});
D2L_API Tensor copysign(const Tensor& self, const Tensor& other, Dst dst = {});
D2L_API Tensor xlogy(const Tensor& self, const Tensor& other, Dst dst = {});
D2L_API Tensor xlog1py(const Tensor& self, const Tensor& other, Dst dst = {});
D2L_API Tensor entr(const Tensor& self, Dst dst = {});
D2L_API Tensor logaddexp(const Tensor& self, const Tensor& other, Dst dst = {});
D2L_API Tensor logaddexp2(const Tensor& self, const Tensor& other, Dst dst = {});
D2L_API Tensor sinc(const Tensor& self, Dst dst = {});
D2L_API Tensor logit(const Tensor& self, std::optional<double> eps = {}, Dst dst = {});
// none: 0 for nan, the dtype's greatest and least finite number for the infinities.
D2L_API Tensor nan_to_num(const Tensor& self, std::optional<double> nan = {},
                          std::optional<double> posinf = {}, std::optional<double> neginf = {},
                          Dst dst = {});
D2L_API Tensor float_power(const Tensor& self, const Tensor& exponent, Dst dst = {});
D2L_API Tensor heaviside(const Tensor& self, const Tensor& values, Dst dst = {});
D2L_API Tensor ldexp(const Tensor& self, const Tensor& other, Dst dst = {});

}  // namespace d2l
