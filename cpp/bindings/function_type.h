// torch.autograd.Function: ops whose forward and backward are Python code.
#pragma once

#include "py.h"

namespace d2l::py {

// Adds _FunctionBase, the type of the contexts, and _set_function_defaults to the module.
void make_function_type(PyObject* module);

}  // namespace d2l::py
