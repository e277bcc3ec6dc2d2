// The private functions behind torch.optim, each one call per step and parameter group.
#pragma once

#include "py.h"

namespace d2l::py {

void make_optimisers(PyObject* module);

}  // namespace d2l::py
