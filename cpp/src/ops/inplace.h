// op_ and out=, made once for every row of the op table.
#pragma once

#include <functional>

#include "core/op_table.h"

namespace d2l {

// Runs the row in place on its first argument. Without gradients the op writes into the tensor (or
// its result is copied there); with gradients the plain op runs on a copy that keeps the tensor's
// place in the graph, then the value is written and the history taken over. Errors come before the
// first write.
D2L_API void run_inplace(const OpRow& row, const Value* args);

// The same for a write that is no row (indexed assignment): `plain` computes the new value from a
// copy; `direct`, used without gradients, writes into the tensor itself.
D2L_API void run_inplace(const Tensor& self, const char* name, bool grads,
                         const std::function<Tensor(const Tensor&)>& plain,
                         const std::function<void(const Tensor&)>& direct);

// Runs the row into given tensors, one for each result, resizing them; returns in `out` what they
// are.
D2L_API void run_out(const OpRow& row, const Value* args, std::span<const Tensor> outs);

}  // namespace d2l
