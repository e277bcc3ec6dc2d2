// What the files of the losses share.
#pragma once

#include "d2lcore/ops.h"
#include "ops/register.h"

namespace d2l {

void register_ctc(OpTable& ops);            // ctc.cpp
void register_cross_entropy(OpTable& ops);  // nll.cpp

// The reduction that the arguments of nn's losses mean; size_average and reduce are PyTorch's old
// spelling and win when given.
Reduction reduction_of(OptBool size_average, OptBool reduce, std::string_view reduction);
// The value of a loss, of which `each` are the elements.
Tensor reduce_loss(const Tensor& each, Reduction reduction);

}  // namespace d2l
