// Row kernels that leave one number for each row: logsumexp, moments.
#pragma once

#include <optional>

#include "iter/reduce.h"

namespace d2l {

// A contiguous tensor as outer x n x inner, n what is reduced.
struct RowGeometry {
  int64_t outer = 1, n = 1, inner = 1;
};
// None if the reduced dimensions are not neighbours, or if something is empty.
std::optional<RowGeometry> row_geometry(IntList shape, DimSet dims);

// out (outer x inner, of x's dtype) for a contiguous x of float32 or float64.
void logsumexp_rows(const Tensor& x, const RowGeometry& g, const Tensor& out);
// Means and sums of squared distances from them. Long rows are cut into pieces of a fixed length.
void moments_rows(const Tensor& x, const RowGeometry& g, const Tensor& mean, const Tensor& m2);

}  // namespace d2l
