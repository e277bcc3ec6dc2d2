// Plans: how several strided operands are walked together.
//
// A plan broadcasts its operands to one shape, orders the dimensions by the output's strides and
// merges those that are contiguous in every operand, so that a loop sees as few and as long
// dimensions as there can be. Dimension 0 is the innermost one.
#pragma once

#include <initializer_list>

#include "core/kernel_table.h"
#include "d2lcore/tensor.h"

namespace d2l {

inline constexpr int kMaxOperands = 6;

struct Plan {
  int operands = 0;  // outputs first
  int ndim = 0;
  int64_t numel = 1;
  int64_t shape[kMaxDims];
  char* data[kMaxOperands];
  DType dtype[kMaxOperands];
  int64_t strides[kMaxOperands][kMaxDims];  // bytes
};

// The shape to which all of them broadcast; RuntimeError in PyTorch's words when there is none.
D2L_API Dims broadcast_shapes(IntList a, IntList b);
Dims broadcast_shapes(std::initializer_list<const Tensor*> inputs);

// Operands given as tensors, the outputs (which have `shape` exactly) first.
Plan make_plan(IntList shape, std::initializer_list<const Tensor*> operands);
Plan make_plan(IntList shape, const Tensor* const* operands, int count);

// Runs a loop over the plan; operands whose dtype is not what the loop wants (`want`) go through
// blocks that are cast on the way in and out. Long runs are spread over the pool.
void run_plan(const Plan& plan, LoopFn fn, const DType* want, int outputs,
              const Scalars& scalars = {});

// Elements per parallel chunk of cheap element-wise work.
inline constexpr int64_t kGrain = 1 << 15;
inline constexpr int64_t kParallel = 1 << 16;

// Lets other Python threads run during a long kernel (set by the bindings; no-ops without Python).
struct GilHooks {
  void* (*release)() = nullptr;
  void (*acquire)(void*) = nullptr;
};
D2L_API extern GilHooks gil_hooks;
class LongOp {
 public:
  explicit LongOp(bool long_enough)
      : state_(long_enough && gil_hooks.release ? gil_hooks.release() : nullptr) {}
  ~LongOp() {
    if (state_) gil_hooks.acquire(state_);
  }
  LongOp(const LongOp&) = delete;

 private:
  void* state_;
};

}  // namespace d2l
