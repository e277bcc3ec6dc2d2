// What layer, batch and group normalisation share.
#pragma once

#include "autograd/record.h"
#include "core/thread_pool.h"
#include "d2lcore/ops.h"
#include "iter/map.h"
#include "ops/register.h"

namespace d2l {

using TensorTriple3 = std::tuple<Tensor, Tensor, Tensor>;

// Elements that one thread takes at a time.
inline constexpr int64_t kNormGrain = 1 << 14;

// What half precision computes in.
inline DType norm_type(DType type) { return is_reduced_floating(type) ? DType::Float : type; }

// The kernel for a dtype that norm_type() gave.
inline NormFn norm_kernel(Norm kind, DType type) {
  return kernels().norm[static_cast<int>(kind)][static_cast<int>(type)];
}

// t as the kernels read it: without gaps, of the given dtype, outside of the graph.
inline Tensor norm_operand(const Tensor& t, DType type) {
  if (!t.defined() || (t.is_contiguous() && t.dtype() == type)) return t;
  Tensor out = empty(t.shape(), type);
  copy_into(out, t);
  return out;
}
inline const char* data_or_null(const Tensor& t) { return t.defined() ? t.data() : nullptr; }
inline char* byte_at(const Tensor& t, int64_t element) {
  return t.defined() ? t.data() + element * t.item_bytes() : nullptr;
}

// Runs `args` over its rows, in parallel: operand pointers move by what one row takes.
void run_rows(Norm kind, DType type, NormArgs args, int64_t row_elements);
void run_columns(Norm kind, DType type, const NormArgs& args);

// The parameters of a normalisation have the input's dtype, or float32 beside half precision.
void check_mixed(const Tensor& input, std::initializer_list<const Tensor*> parameters);

// The gradients by ops, so that they can be differentiated: x normalised over `dims`, then times
// `weight`, which broadcasts. dweight still has the shape of x.
struct NormGrads {
  Tensor input, weight;
};
NormGrads norm_backward_by_ops(const Tensor& g, const Tensor& x, const Tensor& weight, IntList dims,
                               bool centred, double eps);

void register_batch_norm(OpTable& ops);
void register_layer_norm(OpTable& ops);

}  // namespace d2l
