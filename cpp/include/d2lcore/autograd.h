// Reverse-mode differentiation over what the ops recorded.
#pragma once

#include <optional>
#include <vector>

#include "d2lcore/tensor.h"

namespace d2l {

struct BackwardOptions {
  std::optional<bool> retain_graph;  // keep what the nodes saved; by default as create_graph
  bool create_graph = false;
};

// Accumulates d(roots)/d(leaf) . gradients into .grad of every leaf (or only of `inputs`, when
// given). An undefined gradient stands for 1, which needs a one-element root.
D2L_API void backward(const std::vector<Tensor>& roots, std::vector<Tensor> gradients,
                      const BackwardOptions& options = {}, const std::vector<Tensor>& inputs = {});

// The same, returned instead of accumulated: one gradient for each input, undefined where the roots
// do not depend on it (an error unless allow_unused).
D2L_API std::vector<Tensor> grad(const std::vector<Tensor>& roots,
                                 const std::vector<Tensor>& inputs, std::vector<Tensor> gradients,
                                 const BackwardOptions& options = {}, bool allow_unused = false);

// Gradient mode of the calling thread.
D2L_API bool grad_enabled();
D2L_API void set_grad_enabled(bool on);

}  // namespace d2l
