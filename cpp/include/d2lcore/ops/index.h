// Reading and writing at places that are data.
#pragma once

#include "d2lcore/ops/common.h"

namespace d2l {

// Advanced indexing. indices[d] is an int64, int32, uint8 or bool tensor for dimension d, or
// undefined for a full slice; masks count for as many dimensions as they have.
D2L_API Tensor index(const Tensor& self, TensorList indices);
// self with `values` (broadcast) at those places; accumulate: added to what is there.
D2L_API Tensor index_put(const Tensor& self, TensorList indices, const Tensor& values,
                         bool accumulate = false);
// The same into dst's own memory, without a graph; all indices are checked before the first write.
D2L_API void index_put_into(const Tensor& dst, TensorList indices, const Tensor& values,
                            bool accumulate = false);

D2L_API Tensor gather(const Tensor& self, int64_t dim, const Tensor& index, Dst dst = {});
D2L_API Tensor scatter(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& src,
                       Dst dst = {});
D2L_API Tensor scatter_value(const Tensor& self, int64_t dim, const Tensor& index,
                             const Scalar& value, Dst dst = {});
D2L_API Tensor scatter_add(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& src,
                           Dst dst = {});
D2L_API Tensor index_select(const Tensor& self, int64_t dim, const Tensor& index, Dst dst = {});
D2L_API Tensor index_add(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& source,
                         const Scalar& alpha = 1, Dst dst = {});
// reduce: sum (scatter only), prod, mean, amax, amin.
D2L_API Tensor scatter_reduce(const Tensor& self, int64_t dim, const Tensor& index,
                              const Tensor& src, std::string_view reduce, bool include_self = true,
                              Dst dst = {});
D2L_API Tensor index_reduce(const Tensor& self, int64_t dim, const Tensor& index,
                            const Tensor& source, std::string_view reduce, bool include_self = true,
                            Dst dst = {});
D2L_API Tensor index_copy(const Tensor& self, int64_t dim, const Tensor& index,
                          const Tensor& source, Dst dst = {});
D2L_API Tensor index_fill(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& value,
                          Dst dst = {});
D2L_API Tensor take(const Tensor& self, const Tensor& index, Dst dst = {});
D2L_API Tensor put(const Tensor& self, const Tensor& index, const Tensor& source,
                   bool accumulate = false, Dst dst = {});
D2L_API Tensor take_along_dim(const Tensor& self, const Tensor& indices, OptInt dim = {},
                              Dst dst = {});
D2L_API Tensor masked_select(const Tensor& self, const Tensor& mask, Dst dst = {});
D2L_API Tensor masked_scatter(const Tensor& self, const Tensor& mask, const Tensor& source,
                              Dst dst = {});
D2L_API Tensor nonzero(const Tensor& self, Dst dst = {});  // (n, ndim), int64
D2L_API Tensor repeat_interleave(const Tensor& self, const Tensor& repeats, OptInt dim = {},
                                 OptInt output_size = {});
D2L_API Tensor one_hot(const Tensor& self, int64_t num_classes = -1);
D2L_API Tensor embedding(const Tensor& weight, const Tensor& indices, int64_t padding_idx = -1,
                         bool scale_grad_by_freq = false, bool sparse = false);
D2L_API Tensor embedding_backward(const Tensor& g, const Tensor& indices, int64_t num_weights,
                                  int64_t padding_idx, bool scale_grad_by_freq);

D2L_API Tensor tril(const Tensor& self, int64_t diagonal = 0, Dst dst = {});
D2L_API Tensor triu(const Tensor& self, int64_t diagonal = 0, Dst dst = {});
D2L_API Tensor diag(const Tensor& self, int64_t diagonal = 0, Dst dst = {});
D2L_API Tensor diag_embed(const Tensor& self, int64_t offset = 0, int64_t dim1 = -2,
                          int64_t dim2 = -1);
D2L_API Tensor trace(const Tensor& self);

}  // namespace d2l
