// Order: sorting, selecting, distinct values, searching and counting.
#pragma once

#include "d2lcore/ops/common.h"

namespace d2l {

using TensorPair = std::tuple<Tensor, Tensor>;  // values, indices
using TensorTriple = std::tuple<Tensor, Tensor, Tensor>;

D2L_API TensorPair sort(const Tensor& self, int64_t dim = -1, bool descending = false);  // stable
D2L_API Tensor argsort(const Tensor& self, int64_t dim = -1, bool descending = false);
D2L_API Tensor msort(const Tensor& self);
D2L_API TensorPair topk(const Tensor& self, int64_t k, int64_t dim = -1, bool largest = true,
                        bool sorted = true);
D2L_API TensorPair kthvalue(const Tensor& self, int64_t k, int64_t dim = -1, bool keepdim = false);
D2L_API Tensor median(const Tensor& self);
D2L_API Tensor nanmedian(const Tensor& self);
D2L_API TensorPair median(const Tensor& self, int64_t dim, bool keepdim = false);
D2L_API TensorPair nanmedian(const Tensor& self, int64_t dim, bool keepdim = false);
D2L_API TensorPair mode(const Tensor& self, int64_t dim = -1, bool keepdim = false);

// Distinct values (slices along dim, if given), inverse, counts; the latter two empty unless asked
// for.
D2L_API TensorTriple unique(const Tensor& self, bool return_inverse, bool return_counts,
                            OptInt dim = {});
D2L_API TensorTriple unique_consecutive(const Tensor& self, bool return_inverse, bool return_counts,
                                        OptInt dim = {});
D2L_API Tensor searchsorted(const Tensor& sorted_sequence, const Tensor& self,
                            bool out_int32 = false, bool right = false,
                            std::optional<std::string_view> side = {}, const Tensor& sorter = {},
                            Dst dst = {});
D2L_API Tensor bucketize(const Tensor& self, const Tensor& boundaries, bool out_int32 = false,
                         bool right = false, Dst dst = {});
D2L_API Tensor bincount(const Tensor& self, const Tensor& weights = {}, int64_t minlength = 0);
D2L_API Tensor histc(const Tensor& self, int64_t bins, const Scalar& min, const Scalar& max,
                     Dst dst = {});
D2L_API Tensor isin(const Tensor& elements, const Tensor& test_elements, bool assume_unique = false,
                    bool invert = false);

}  // namespace d2l
