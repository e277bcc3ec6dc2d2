// What the files of the view chapter share.
#pragma once

#include "autograd/record.h"
#include "d2lcore/ops.h"
#include "iter/map.h"
#include "ops/register.h"

namespace d2l {

// A view that knows its base, not yet recorded.
inline Tensor make_view(const Tensor& self, IntList shape, IntList strides, int64_t offset) {
  Tensor out = raw_view(self, shape, strides, offset);
  set_base(out, self);
  return out;
}

// The same without a graph, for kernels.
inline Tensor raw_narrow(const Tensor& self, int64_t dim, int64_t start, int64_t length) {
  Dims shape(self.shape());
  shape[dim] = length;
  return raw_view(self, shape, self.strides(),
                  length == 0 ? self.offset() : self.offset() + start * self->strides[dim]);
}

// Places in a storage.
struct Geometry {
  Dims shape, strides;
  int64_t offset = 0;
};
inline Geometry geometry_of(const Tensor& t) {
  return {Dims(t.shape()), Dims(t.strides()), t.offset()};
}

// x, whose elements lie at `from` in an imaginary storage, added up there and read again at `to`.
// Where the input's own geometry meets a place several times the value is shared between them;
// `input_is_from` says which of the two is the input's. Its own adjoint with both exchanged.
Tensor restride(const Tensor& x, const Geometry& from, const Geometry& to, bool input_is_from);

// op_ of a view op: self itself takes the view's geometry and its place in the graph.
Tensor take_geometry(const Tensor& self, const Tensor& v);

void register_view_lists(OpTable& ops);
void register_view_strided(OpTable& ops);
void register_view_copies(OpTable& ops);

}  // namespace d2l
