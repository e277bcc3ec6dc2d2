// What the files of the index chapter share.
#pragma once

#include "autograd/record.h"
#include "core/total.h"
#include "d2lcore/ops.h"
#include "iter/index.h"
#include "iter/map.h"
#include "ops/register.h"

namespace d2l {

// A 0-d tensor as a vector of one element, without a graph.
inline Tensor raw_1d(const Tensor& t) {
  return t.dim() ? t : raw_view(t, Dims{1}, Dims{1}, t.offset());
}
inline Tensor raw_clone(const Tensor& t) {
  Tensor out = empty_as(t, t.dtype());
  copy_into(out, t);
  return out;
}
inline Tensor raw_contiguous(const Tensor& t) {
  if (t.is_contiguous()) return t;
  Tensor out = empty(t.shape(), t.dtype());
  copy_into(out, t);
  return out;
}

// Whether an op that changes parts of self may write into self's own memory.
inline bool writes_self(const Tensor& self, Dst dst) {
  return dst && !dst.is_out() && dst.tensor().is(self);
}
// A tensor with self's values to write to: self itself when op_ asked for that, else a copy.
inline Tensor start_from(const char* op, const Tensor& self, Dst dst) {
  if (writes_self(self, dst)) return prepare_result(op, dst, self.shape(), self.dtype());
  Tensor out = empty(self.shape(), self.dtype());
  copy_into(out, self);
  return out;
}
inline Tensor finish(const char* op, Dst dst, const Tensor& self, Tensor written) {
  return writes_self(self, dst) ? written : deliver(op, dst, std::move(written));
}
// An operand that is read while `written` changes.
inline Tensor apart(const Tensor& operand, const Tensor& written) {
  return overlap(operand, written) == Overlap::None ? operand : raw_clone(operand);
}

// out= of an op that reads at random: its memory must be its own, its dtype the result's.
inline void check_out(Dst dst, DType dtype, std::initializer_list<const Tensor*> inputs) {
  if (!dst || !dst.is_out()) return;
  const Tensor& out = dst.tensor();
  check(out.dtype() == dtype, "Expected out tensor to have dtype {}, but got {} instead",
        name(dtype), name(out.dtype()));
  check(!detail::may_overlap_itself(out.shape(), out.strides()),
        "unsupported operation: more than one element of the written-to tensor refers to a single "
        "memory location. Please clone() the tensor before performing the operation.");
  for (const Tensor* t : inputs) {
    check(
        overlap(out, *t) == Overlap::None,
        "unsupported operation: some elements of the input tensor and the written-to tensor refer "
        "to a single memory location. Please clone() the tensor before performing the operation.");
  }
}

// The same for the memory that out= will take once it is resized to `shape`.
inline void check_resized_out(Dst dst, IntList shape, std::initializer_list<const Tensor*> inputs) {
  if (!dst || !dst.is_out() || equal(dst.tensor().shape(), shape)) return;
  const Tensor& out = dst.tensor();
  const int64_t begin = out.offset() * out.item_bytes();
  const int64_t end = begin + checked_numel(shape) * out.item_bytes();
  for (const Tensor* t : inputs) {
    if (t->storage().get() != out.storage().get() || t->numel() == 0) continue;
    int64_t last = t->offset();
    for (int64_t d = 0; d < t->dim(); ++d) last += ((*t)->shape[d] - 1) * (*t)->strides[d];
    check(
        end <= t->offset() * t->item_bytes() || (last + 1) * t->item_bytes() <= begin,
        "unsupported operation: some elements of the input tensor and the written-to tensor refer "
        "to a single memory location. Please clone() the tensor before performing the operation.");
  }
}

// Values of an index for size n of dimension `dim`, RuntimeError (or E) in PyTorch's words.
template <class E = Error>
IndexTensor index_for(const Tensor& index, int64_t dim, int64_t n) {
  return IndexTensor::checked(index, 0, n, [&](int64_t bad) {
    fail<E>("index {} is out of bounds for dimension {} with size {}", bad, dim, n);
  });
}

// dense[c] <-> place[c with index(c) at dim]; all of the same number of dimensions.
inline void run_along(Access access, const Tensor& place, int64_t dim, const Tensor& dense,
                      const IndexTensor& index) {
  Dims strides(place.strides());
  strides[dim] = 0;
  run_indexed(access,
              {place, strides, dense, index, Dims(index.values().strides()), place->strides[dim]});
}
// The same for an index vector, which applies to all other coordinates.
inline void run_slices(Access access, const Tensor& place, int64_t dim, const Tensor& dense,
                       const IndexTensor& index) {
  Dims strides(place.strides()), index_strides(static_cast<int>(place.dim()), 0);
  strides[dim] = 0;
  index_strides[dim] = index.values().dim() ? index.values()->strides[0] : 0;
  run_indexed(access, {place, strides, dense, index, index_strides, place->strides[dim]});
}

// Row-major positions of the non-zero elements.
Tensor flat_nonzero(const Tensor& self);
// Row-major positions, one column for each dimension of `shape`: (ndim) vectors of int64.
std::vector<Tensor> unravel(const Tensor& flat, IntList shape);

void check_integer_index(const char* op, const Tensor& index);
void check_scatter_shape(const Tensor& self, const Tensor& index, int64_t dim, const Tensor* src);

void register_index_dim(OpTable& ops);
void register_index_mask(OpTable& ops);
void register_index_reduce(OpTable& ops);
void register_index_triangle(OpTable& ops);

}  // namespace d2l
