// map: one element-wise loop over broadcast operands; and copy, its special case.
#pragma once

#include "d2lcore/dst.h"
#include "iter/plan.h"

namespace d2l {

// How the result's dtype follows from the operands'.
enum class Promote : uint8_t {
  Default,  // the common dtype
  Float,    // the common dtype, integers becoming the default float dtype
  Bool,     // computed in the common dtype, the result is bool
};

// PyTorch's common dtype: tensors with dimensions before 0-d ones before Python numbers, each later
// group counting only when it has a higher category.
DType result_type(std::initializer_list<const Tensor*> inputs);
DType result_type(std::span<const Tensor> inputs);
D2L_API DType result_type(const Tensor& a, const Tensor& b);

// Applies the loop; `op` is the name that errors give.
Tensor map(const char* op, Loop loop, Promote promote, Dst dst,
           std::initializer_list<const Tensor*> inputs, const Scalars& scalars = {});
// The same with the dtypes given: inputs are read as `compute`, the result has `out_dtype`.
Tensor map_as(const char* op, Loop loop, DType compute, DType out_dtype, Dst dst,
              std::initializer_list<const Tensor*> inputs, const Scalars& scalars = {});
// In place over tensors of one shape and dtype that are both read and written (optimisers).
void map_inplace(Loop loop, DType dtype, std::span<const Tensor* const> operands,
                 const Scalars& scalars);

// dst[...] = src, broadcasting and casting; the same memory may lie behind both.
D2L_API void copy_into(const Tensor& dst, const Tensor& src);
// Fills every element.
void fill_into(const Tensor& dst, const Scalar& value);

// The tensor that an op of this shape and dtype writes to: a new one (laid out like `like`, if
// given), or what dst names, checked and resized. The caller casts when its dtype differs.
Tensor prepare_result(const char* op, Dst dst, IntList shape, DType dtype,
                      const Tensor* like = nullptr);
// For an op that cannot write through dst: its finished result is copied there.
Tensor deliver(const char* op, Dst dst, Tensor computed);

// Whether the two share bytes of memory: never, at the same places, or in some other way.
enum class Overlap { None, Same, Partial };
Overlap overlap(const Tensor& a, const Tensor& b);

}  // namespace d2l
