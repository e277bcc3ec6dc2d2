// Joining tensors, and the grids that are made of them.
#pragma once

#include "d2lcore/ops/common.h"

namespace d2l {

D2L_API Tensor cat(TensorList tensors, int64_t dim = 0, Dst dst = {});
D2L_API Tensor stack(TensorList tensors, int64_t dim = 0, Dst dst = {});
D2L_API Tensor hstack(TensorList tensors, Dst dst = {});
D2L_API Tensor vstack(TensorList tensors, Dst dst = {});
D2L_API Tensor dstack(TensorList tensors, Dst dst = {});
D2L_API Tensor column_stack(TensorList tensors, Dst dst = {});
D2L_API std::vector<Tensor> meshgrid(TensorList tensors, std::string_view indexing = "ij");
D2L_API Tensor cartesian_prod(TensorList tensors);
D2L_API Tensor block_diag(TensorList tensors);

}  // namespace d2l
