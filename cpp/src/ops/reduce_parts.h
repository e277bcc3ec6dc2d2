// What the files of the reductions share: sets of dimensions, and giving back reduced dimensions.
#pragma once

#include "iter/reduce.h"
#include "ops/register.h"

namespace d2l {

void register_extremes(OpTable& ops);  // reduce_extremes.cpp
void register_moments(OpTable& ops);   // reduce_moments.cpp

// The dimensions that `dim` names; none or an empty list names them all.
inline DimSet dims_or_all(const OptInts& dim, int64_t ndim) {
  return dim && !dim->empty() ? dim_set(*dim, ndim) : all_dims(ndim);
}
inline Dims dims_of(DimSet dims) {
  Dims out;
  for (int i = 0; i < kMaxDims; ++i) {
    if (dims & dim_bit(i)) out.push_back(i);
  }
  return out;
}
// g, the cotangent of a reduction of `shape`, with its reduced dimensions back as ones.
Tensor restore_dims(const Tensor& g, IntList shape, DimSet dims, bool keepdim);

}  // namespace d2l
