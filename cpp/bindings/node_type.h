// Nodes of the backward graph as Python objects, their hooks, and how the garbage collector sees
// them.
#pragma once

#include "autograd/meta.h"
#include "tensor_type.h"

namespace d2l::py {

// The object of a node holds it; a node knows its object (borrowed, or owned: Note [Nodes with
// state]). `metadata` is a dict, made when somebody asks for it.
struct NodeObject {
  PyObject_HEAD NodePtr node;
  PyObject* metadata;
};

extern PyTypeObject* node_type;

// The node of an object; throws for a Function that was not applied.
const NodePtr& node_of(PyObject* self);
// The Python object of a node (its class is named after it); None for null.
PyObject* wrap_node(const NodePtr& node);
// From now on the object lives as long as its node does.
void mark_stateful(NodeObject* self);

// Parts of tp_traverse, tp_clear and tp_dealloc, for the types that derive from Node.
int traverse_node(NodeObject* self, visitproc visit, void* arg);
void clear_node(NodeObject* self);
void drop_node(NodeObject* self);
// What a handle that is the only owner of a tensor leads to: hooks, and the node that made it.
int traverse_graph(const Tensor& t, visitproc visit, void* arg);
// Lets go of the hooks that only this handle's tensor leads to.
void clear_graph(const Tensor& t);

// A Python callable as a hook. Its count changes under the GIL only, which the engine has.
using Callable = std::shared_ptr<Ref>;
inline Callable hold(PyObject* f) { return std::make_shared<Ref>(Ref::borrow(f)); }
uint64_t next_hook_id();

Ref tuple_of(const std::vector<Tensor>& tensors);

// Adds the type Node to the module.
void make_node_type(PyObject* module);

}  // namespace d2l::py
