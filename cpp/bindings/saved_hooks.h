// saved_tensors_hooks: Python functions that pack what nodes save.
#pragma once

#include "py.h"

namespace d2l::py {

// Adds the functions that push and pop hooks to the module.
void make_saved_hooks(PyObject* module);

}  // namespace d2l::py
