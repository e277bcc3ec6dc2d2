// Indexed access: one loop for gather, scatter, index_select, advanced indexing and embedding.
//
// One idea: they all pair a dense operand with the element
//     place + sum of c_k * strides_k + step * index(c)
// of another tensor, for each coordinate c; what differs is which strides are zero. The dimensions
// are coalesced and ordered by a plan, and every index is checked before the first access.
#pragma once

#include "iter/plan.h"

namespace d2l {

// An index as kernels read it: int64, range known. Made by one of the functions below only.
class IndexTensor {
 public:
  // Every value lies in [low, high); else `fail(value)` is called, which must throw.
  template <class Fail>
  static IndexTensor checked(const Tensor& index, int64_t low, int64_t high, Fail fail) {
    IndexTensor out(as_int64(index));
    int64_t bad;
    if (find_outside(out.values_, low, high, &bad)) fail(bad);
    return out;
  }
  const Tensor& values() const { return values_; }

 private:
  explicit IndexTensor(Tensor t) : values_(std::move(t)) {}
  static Tensor as_int64(const Tensor& index);
  static bool find_outside(const Tensor& index, int64_t low, int64_t high, int64_t* value);
  Tensor values_;
};

enum class Access {
  Get,       // dense = place
  Put,       // place = dense; of several writes to one place the last in index order stays
  Add,       // place += dense; in index order, whatever the number of threads
  Multiply,  // place *= dense; likewise
  Largest,   // the larger of place and dense, NaN if either is; real dtypes
  Smallest,
};

// `place` holds the indexed tensor's memory; its strides for the shape of the loop are
// place_strides, zero where the index chooses; the index moves it by `step` elements for each unit.
struct IndexedLoop {
  const Tensor& place;
  Dims place_strides;
  const Tensor& dense;  // of the loop's shape
  const IndexTensor& index;
  Dims index_strides;  // in the loop's shape; zero where the index does not vary
  int64_t step;
};
void run_indexed(Access access, const IndexedLoop& loop);

}  // namespace d2l
