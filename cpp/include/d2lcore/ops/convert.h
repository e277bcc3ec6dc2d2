// Copies, conversions between dtypes, and leaving the graph.
#pragma once

#include "d2lcore/ops/common.h"

namespace d2l {

D2L_API Tensor clone(const Tensor& self);
D2L_API Tensor contiguous(const Tensor& self);
// self itself when it has that dtype already (and copy is false).
D2L_API Tensor to_dtype(const Tensor& self, DType dtype, bool copy = false);
D2L_API Tensor copy_from(const Tensor& self, const Tensor& src, Dst dst = {});  // what copy_ does
// The same memory outside of the graph; shares the version counter.
D2L_API Tensor detach(const Tensor& self);
// Another handle that looks at the same memory, a view of self in the graph (x[...]).
D2L_API Tensor alias(const Tensor& self);
// The same memory, outside of the graph, with a version counter of its own (.data).
D2L_API Tensor data_of(const Tensor& self);
// The value of a one-element tensor.
D2L_API Scalar item(const Tensor& self);

}  // namespace d2l
