// Views: other geometries of the same memory; and the copies that rearrange (flip, roll, repeat).
#pragma once

#include "d2lcore/ops/common.h"

namespace d2l {

D2L_API Tensor view(const Tensor& self, IntList size);
D2L_API Tensor view_dtype(const Tensor& self, DType dtype);
D2L_API Tensor reshape(const Tensor& self, IntList shape);
D2L_API Tensor flatten(const Tensor& self, int64_t start_dim = 0, int64_t end_dim = -1);
D2L_API Tensor unflatten(const Tensor& self, int64_t dim, IntList sizes);
D2L_API Tensor ravel(const Tensor& self);
D2L_API Tensor transpose(const Tensor& self, int64_t dim0, int64_t dim1);
D2L_API Tensor t(const Tensor& self);
D2L_API Tensor mT(const Tensor& self);        // last two dimensions exchanged
D2L_API Tensor mH(const Tensor& self);        // and conjugated
D2L_API Tensor numpy_T(const Tensor& self);   // .T: all dimensions reversed
D2L_API Tensor matrix_H(const Tensor& self);  // .H: of a matrix
D2L_API Tensor permute(const Tensor& self, IntList dims);
D2L_API Tensor movedim(const Tensor& self, IntList source, IntList destination);
D2L_API Tensor expand(const Tensor& self, IntList size);
D2L_API Tensor squeeze(const Tensor& self);
D2L_API Tensor squeeze_dims(const Tensor& self, IntList dim);
D2L_API Tensor unsqueeze(const Tensor& self, int64_t dim);
D2L_API Tensor narrow(const Tensor& self, int64_t dim, int64_t start, int64_t length);
D2L_API Tensor select(const Tensor& self, int64_t dim, int64_t index);
// self[..., start:end:step, ...] along dim, with Python's clamping; step > 0.
D2L_API Tensor slice(const Tensor& self, int64_t dim, OptInt start, OptInt end, int64_t step = 1);
D2L_API Tensor diagonal(const Tensor& self, int64_t offset = 0, int64_t dim1 = 0, int64_t dim2 = 1);
D2L_API std::vector<Tensor> unbind(const Tensor& self, int64_t dim = 0);
D2L_API std::vector<Tensor> split(const Tensor& self, int64_t split_size, int64_t dim = 0);
D2L_API std::vector<Tensor> split_with_sizes(const Tensor& self, IntList sizes, int64_t dim = 0);
D2L_API std::vector<Tensor> chunk(const Tensor& self, int64_t chunks, int64_t dim = 0);
D2L_API std::vector<Tensor> tensor_split(const Tensor& self, int64_t sections, int64_t dim = 0);
D2L_API std::vector<Tensor> tensor_split_at(const Tensor& self, IntList indices, int64_t dim = 0);
D2L_API std::vector<Tensor> broadcast_tensors(TensorList tensors);
D2L_API Tensor as_strided(const Tensor& self, IntList size, IntList stride,
                          OptInt storage_offset = {});
// All windows of `size` elements along dim, `step` apart, in a new last dimension.
D2L_API Tensor unfold(const Tensor& self, int64_t dimension, int64_t size, int64_t step);

// The adjoints of views: a zero tensor of the input's shape with g at the view's place.
D2L_API Tensor slice_backward(const Tensor& g, IntList input_shape, int64_t dim, int64_t start,
                              int64_t end, int64_t step);
D2L_API Tensor select_backward(const Tensor& g, IntList input_shape, int64_t dim, int64_t index);
D2L_API Tensor diagonal_backward(const Tensor& g, IntList input_shape, int64_t offset, int64_t dim1,
                                 int64_t dim2);

// self with src in the place of a view.
D2L_API Tensor select_scatter(const Tensor& self, const Tensor& src, int64_t dim, int64_t index);
D2L_API Tensor slice_scatter(const Tensor& self, const Tensor& src, int64_t dim = 0,
                             OptInt start = {}, OptInt end = {}, int64_t step = 1);
D2L_API Tensor diagonal_scatter(const Tensor& self, const Tensor& src, int64_t offset = 0,
                                int64_t dim1 = 0, int64_t dim2 = 1);
D2L_API Tensor as_strided_scatter(const Tensor& self, const Tensor& src, IntList size,
                                  IntList stride, OptInt storage_offset = {});

// For views written in place: a handle to base whose node says "base, with `written` at the view's
// place" (autograd/meta.cpp).
Tensor as_strided_scatter_history(const Tensor& base, const Tensor& written, IntList shape,
                                  IntList strides, int64_t offset);
// Sums what expand() had repeated, so that the result has the given shape.
D2L_API Tensor sum_to_size(const Tensor& self, IntList size);
D2L_API bool is_expandable_to(IntList from, IntList to);

// Copies.
D2L_API Tensor flip(const Tensor& self, IntList dims);
D2L_API Tensor roll(const Tensor& self, IntList shifts, IntList dims = {});
D2L_API Tensor repeat(const Tensor& self, IntList repeats);
D2L_API Tensor tile(const Tensor& self, IntList dims);

}  // namespace d2l
