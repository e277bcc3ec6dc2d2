// Hooks of tensors, and the calls that run the engine.
#pragma once

#include "node_type.h"

namespace d2l::py {

// Keeps the gradient of a tensor that is no leaf.
void retain_gradient(const Tensor& t);
PyObject* tensor_backward(PyObject* self, PyObject* args, PyObject* kwargs);

// Adds the functions of d2lcore._C that autograd's Python side calls.
void make_autograd(PyObject* module);

}  // namespace d2l::py
