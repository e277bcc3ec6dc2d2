// A tensor's place in the graph: its gradient, the node that made it, and what views add to that.
#pragma once

#include <memory>
#include <vector>

#include "autograd/node.h"

namespace d2l {

struct AutogradMeta {
  NodePtr grad_fn;         // null for a leaf
  uint32_t output_nr = 0;  // which of grad_fn's outputs
  Tensor grad;
  Node* accumulator = nullptr;  // weak: owned by the edges that lead to it
  bool retains_grad = false;
  // Hooks of a leaf live here, because its accumulator comes and goes.
  std::unique_ptr<NodeHooks> leaf_hooks;
  std::vector<Hook<const Tensor&>> post_accumulate;
};

D2L_API AutogradMeta& meta_of(const Tensor& t);  // made on demand

// The edge that leads to t: its node's output or its accumulator; empty without requires_grad. For
// a view whose base was written since, the node is rebuilt first.
D2L_API Edge edge_of(const Tensor& t);
// t.grad_fn, or null for a leaf.
D2L_API NodePtr grad_fn_of(const Tensor& t);
// Makes t output nr of node.
D2L_API void set_history(const Tensor& t, NodePtr node, uint32_t nr);

// Marks `view` as a differentiable view of t (or of what t itself looks into).
D2L_API void set_base(const Tensor& view, const Tensor& t);

// Before an in-place write: refuses leaves that need gradients, views that cannot be rebased, and
// read-only or self-overlapping memory, in PyTorch's words. `op` is the name with its underscore.
void check_inplace(const Tensor& t, const char* op, bool grads);
// The part of it that concerns the graph: needed when gradients are on and some argument has one.
D2L_API void check_inplace_history(const Tensor& t);
// "Add" for "AddBackward0", as PyTorch's messages name an op.
std::string op_name(std::string node);
// After an in-place write whose value was computed as `result`: t takes over result's history, and
// if t is a view its base is rebased.
D2L_API void take_history(const Tensor& t, const Tensor& result);

// Gradient mode, per thread.
struct D2L_API GradMode {
  static bool enabled() { return enabled_; }
  static void set(bool on) { enabled_ = on; }

 private:
  static inline thread_local bool enabled_ = true;
};
class GradModeGuard {
 public:
  explicit GradModeGuard(bool on) : before_(GradMode::enabled()) { GradMode::set(on); }
  ~GradModeGuard() { GradMode::set(before_); }
  GradModeGuard(const GradModeGuard&) = delete;

 private:
  bool before_;
};

inline bool needs_grad(const Tensor& t) { return t.defined() && t.requires_grad(); }

}  // namespace d2l
