// Distances, cross products, rotations and combinations.
#pragma once

#include "d2lcore/ops/common.h"

namespace d2l {

D2L_API Tensor cdist(const Tensor& x1, const Tensor& x2, double p = 2,
                     std::string_view compute_mode = "use_mm_for_euclid_dist_if_necessary");
D2L_API Tensor linalg_cross(const Tensor& self, const Tensor& other, int64_t dim = -1,
                            Dst dst = {});
D2L_API Tensor rot90(const Tensor& self, int64_t k, IntList dims);
D2L_API Tensor diagflat(const Tensor& self, int64_t offset = 0);
D2L_API Tensor combinations(const Tensor& self, int64_t r = 2, bool with_replacement = false);

}  // namespace d2l
