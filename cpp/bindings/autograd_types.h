// Nodes as Python objects, hooks, and the calls that run the engine.
#pragma once

#include "autograd/meta.h"
#include "tensor_type.h"

namespace d2l::py {

// The Python object of a node (its class is named after it); None for null.
PyObject* wrap_node(const NodePtr& node);
// Keeps the gradient of a tensor that is no leaf.
void retain_gradient(const Tensor& t);
PyObject* tensor_backward(PyObject* self, PyObject* args, PyObject* kwargs);

// Adds the functions of d2lcore._C that autograd's Python side calls.
void make_autograd(PyObject* module);

}  // namespace d2l::py
