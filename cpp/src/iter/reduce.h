// reduce: one reduction over any set of dimensions, as a chain of one-dimensional ones.
//
// The innermost reduced dimension goes first and leaves its partial results in a temporary, then
// the next: every step adds in pairs, so precision does not depend on which dimensions are reduced.
// How the work is cut depends on the sizes only, never on the number of threads.
#pragma once

#include "d2lcore/dst.h"
#include "iter/map.h"

namespace d2l {

// A set of dimensions, one bit each.
using DimSet = uint32_t;
inline constexpr DimSet dim_bit(int64_t d) { return DimSet{1} << d; }
inline DimSet all_dims(int64_t ndim) { return static_cast<DimSet>((uint64_t{1} << ndim) - 1); }
// The dimensions named in `dims`, wrapped; RuntimeError when one appears twice.
DimSet dim_set(IntList dims, int64_t ndim);
// The shape that is left: reduced dimensions become 1 (keepdim) or go away.
Dims reduced_shape(IntList shape, DimSet dims, bool keepdim);
// How many elements are reduced to one.
int64_t reduced_numel(IntList shape, DimSet dims);

// Reads self as `compute`, reduces, and writes a contiguous result of `out_dtype`. An empty
// reduction gives the identity (max and min have none: the caller refuses them).
Tensor reduce(const char* op, Reduce kind, const Tensor& self, DimSet dims, bool keepdim,
              DType compute, DType out_dtype, Dst dst = {}, double p = 0);

// max and min along one dimension, with positions (int64; the first of equals, NaN wins).
struct ValueIndex {
  Tensor values, indices;
};
ValueIndex reduce_index(const char* op, Reduce kind, const Tensor& self, int64_t dim, bool keepdim);

}  // namespace d2l
