// The engine over edges, and what may be asked of a run while it goes on.
#pragma once

#include "autograd/meta.h"
#include "d2lcore/autograd.h"

namespace d2l {

// As in d2lcore/autograd.h, with the place in the graph instead of a tensor.
D2L_API void backward(const std::vector<Edge>& roots, std::vector<Tensor> gradients,
                      const BackwardOptions& options, const std::vector<Edge>& inputs);
D2L_API std::vector<Tensor> grad(const std::vector<Edge>& roots, const std::vector<Edge>& inputs,
                                 std::vector<Tensor> gradients, const BackwardOptions& options,
                                 bool allow_unused);

// The edge of a tensor that must require a gradient; `nr` is its place in the error.
D2L_API Edge root_edge(const Tensor& t, size_t nr);
D2L_API Edge input_edge(const Tensor& t);

// d(element of y)/d(inputs): for each input a tensor of shape (y's elements, input's shape).
// Undefined where y does not depend on an input.
D2L_API std::vector<Tensor> jacobian(const Tensor& y, const std::vector<Tensor>& inputs,
                                     bool create_graph);

// Whether every leaf that the roots depend on is reached through `inputs` only.
D2L_API bool depends_only_on(const std::vector<Edge>& roots, const std::vector<Edge>& inputs);

// The number of the innermost run of this thread, -1 when there is none.
D2L_API int64_t current_run();
// Whether that run will execute the node, or has done so.
D2L_API bool current_run_executes(const Node& n);
// Whether it was asked for certain inputs only.
D2L_API bool current_run_is_restricted();

// What is called when a node's formula throws or, with check_nan, gives NaN. Null: nothing is
// checked.
struct D2L_API Anomaly {
  static void (*report)(const Node& n);
  static bool check_nan;
};
// The node whose formula this thread is computing, or null.
D2L_API Node* running_node();

// Looks at each gradient that a node computed (errstate); null: nobody does.
D2L_API extern thread_local void (*inspect_gradient)(const Node& n, size_t input, const Tensor& g);

}  // namespace d2l
