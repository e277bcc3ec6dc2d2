// Order along one dimension: sort, selection and counting of equals.
//
// One idea: every dtype has a map to unsigned integers that keeps its order (NaN above everything,
// -0 equal to 0), so that one radix sort of (key, position) serves all of them; positions break
// ties, which makes every order stable.
#pragma once

#include "d2lcore/tensor.h"

namespace d2l {

enum class Pick {
  Sort,       // all positions in order
  Top,        // the first k of the order, themselves in order
  Nth,        // the k-th (from 0)
  Median,     // the lower median; the first NaN if there is one
  NanMedian,  // the lower median of what is not NaN
  Mode,       // the most frequent value (the least of several), its last position
};

// Picks along dim of self (real dtypes). values (self's dtype) and indices (int64) have self's
// shape but for dim, whose extent is n for Sort, k for Top, 1 for the others. values may be
// undefined.
void pick(const Tensor& self, int64_t dim, Pick what, int64_t k, bool descending,
          const Tensor& values, const Tensor& indices);

// Ordered keys of all elements in row-major order (for unique).
void order_keys(const Tensor& contiguous, uint64_t* keys);

}  // namespace d2l
