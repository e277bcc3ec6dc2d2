// Reductions along any dimensions.
#pragma once

#include "d2lcore/ops/common.h"

namespace d2l {

// dim: none or empty means all dimensions.
D2L_API Tensor sum(const Tensor& self, OptInts dim = {}, bool keepdim = false, OptDType dtype = {},
                   Dst dst = {});
D2L_API Tensor mean(const Tensor& self, OptInts dim = {}, bool keepdim = false, OptDType dtype = {},
                    Dst dst = {});
D2L_API Tensor nansum(const Tensor& self, OptInts dim = {}, bool keepdim = false,
                      OptDType dtype = {}, Dst dst = {});
D2L_API Tensor nanmean(const Tensor& self, OptInts dim = {}, bool keepdim = false,
                       OptDType dtype = {});
D2L_API Tensor prod(const Tensor& self, OptInt dim, bool keepdim = false, OptDType dtype = {},
                    Dst dst = {});
D2L_API Tensor any(const Tensor& self, OptInts dim = {}, bool keepdim = false, Dst dst = {});
D2L_API Tensor all(const Tensor& self, OptInts dim = {}, bool keepdim = false, Dst dst = {});
D2L_API Tensor count_nonzero(const Tensor& self, OptInts dim = {});

D2L_API Tensor amax(const Tensor& self, IntList dim, bool keepdim = false, Dst dst = {});
D2L_API Tensor amin(const Tensor& self, IntList dim, bool keepdim = false, Dst dst = {});
D2L_API Tensor max(const Tensor& self);
D2L_API Tensor min(const Tensor& self);
// Values and their positions along dim.
D2L_API std::tuple<Tensor, Tensor> max(const Tensor& self, int64_t dim, bool keepdim = false);
D2L_API std::tuple<Tensor, Tensor> min(const Tensor& self, int64_t dim, bool keepdim = false);
D2L_API Tensor argmax(const Tensor& self, OptInt dim = {}, bool keepdim = false);
D2L_API Tensor argmin(const Tensor& self, OptInt dim = {}, bool keepdim = false);
D2L_API std::tuple<Tensor, Tensor> aminmax(const Tensor& self, OptInt dim = {},
                                           bool keepdim = false);

// The sum of squared distances from the mean, divided by n - correction (default 1).
D2L_API Tensor var(const Tensor& self, OptInts dim = {}, const OptScalar& correction = {},
                   bool keepdim = false, Dst dst = {});
D2L_API Tensor std(const Tensor& self, OptInts dim = {}, const OptScalar& correction = {},
                   bool keepdim = false, Dst dst = {});
D2L_API std::tuple<Tensor, Tensor> var_mean(const Tensor& self, OptInts dim = {},
                                            const OptScalar& correction = {}, bool keepdim = false);
D2L_API std::tuple<Tensor, Tensor> std_mean(const Tensor& self, OptInts dim = {},
                                            const OptScalar& correction = {}, bool keepdim = false);
D2L_API Tensor logsumexp(const Tensor& self, IntList dim, bool keepdim = false, Dst dst = {});

}  // namespace d2l
