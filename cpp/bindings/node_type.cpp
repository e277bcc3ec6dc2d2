// grad_fn objects: one class for each kind of node, made when it is first seen.
#include "node_type.h"

#include <structmember.h>

#include <array>
#include <map>
#include <memory>

namespace d2l::py {

PyTypeObject* node_type = nullptr;

namespace {

uint64_t g_hook_id = 0;

NodeObject* object_of(PyObject* self) { return reinterpret_cast<NodeObject*>(self); }

// The references that a node, owned by one visited object only, keeps alive: its hooks, and
// through edges that are the only owners of further nodes, theirs. Bounded, since a collection asks
// every object.
int visit_owned(const Node* root, visitproc visit, void* arg) {
  constexpr size_t kMost = 32;
  std::array<const Node*, kMost> todo{root};
  for (size_t at = 0, known = 1; at < known; ++at) {
    const Node* n = todo[at];
    if (n->hooks) {
      for (const auto& h : n->hooks->tensor) Py_VISIT(static_cast<PyObject*>(h.object));
      for (const auto& h : n->hooks->pre) Py_VISIT(static_cast<PyObject*>(h.object));
      for (const auto& h : n->hooks->post) Py_VISIT(static_cast<PyObject*>(h.object));
    }
    for (const Edge& e : n->edges) {
      const Node* next = e.node.get();
      if (!next) continue;
      if (next->stateful_wrapper) {
        if (next->refs == 2) Py_VISIT(static_cast<PyObject*>(next->wrapper));
      } else if (next->refs == 1 && known < kMost) {
        todo[known++] = next;
      }
    }
  }
  return 0;
}

int node_traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(Py_TYPE(self));
  return traverse_node(object_of(self), visit, arg);
}
int node_clear(PyObject* self) {
  clear_node(object_of(self));
  return 0;
}
void node_dealloc(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  PyObject_GC_UnTrack(self);
  drop_node(object_of(self));
  type->tp_free(self);
  Py_DECREF(type);
}

// Called when the handles of a node with state become two, or one again.
void shared(Node* n) { Py_INCREF(static_cast<PyObject*>(n->wrapper)); }
void unshared(Node* n) { Py_DECREF(static_cast<PyObject*>(n->wrapper)); }

// The class is called after the last part of the node's name.
std::string short_name(const std::string& full) {
  const size_t colon = full.find_last_of(":.");
  return colon == std::string::npos ? full : full.substr(colon + 1);
}

PyObject* node_repr(PyObject* self) {
  return guarded([&] {
    return PyUnicode_FromFormat("<%s object at %p>", short_name(Py_TYPE(self)->tp_name).c_str(),
                                self);
  });
}
PyObject* node_name(PyObject* self, PyObject*) {
  return guarded([&] { return PyUnicode_FromString(node_of(self)->name().c_str()); });
}
PyObject* next_functions(PyObject* self, void*) {
  return guarded([&] {
    const auto& edges = node_of(self)->edges;
    Ref tuple = owned(PyTuple_New(static_cast<Py_ssize_t>(edges.size())));
    for (size_t i = 0; i < edges.size(); ++i) {
      PyTuple_SET_ITEM(
          tuple.get(), static_cast<Py_ssize_t>(i),
          owned(Py_BuildValue("(NI)", wrap_node(edges[i].node), edges[i].nr)).release());
    }
    return tuple.release();
  });
}
PyObject* node_variable(PyObject* self, void*) {
  return guarded([&]() -> PyObject* {
    Node* n = node_of(self).get();
    if (!n->is_accumulator) {
      PyErr_Format(PyExc_AttributeError, "'%s' object has no attribute 'variable'",
                   Py_TYPE(self)->tp_name);
      throw PythonError();
    }
    return wrap(static_cast<AccumulateGrad*>(n)->variable());
  });
}
PyObject* node_metadata(PyObject* self, void*) {
  return guarded([&] {
    NodeObject* o = object_of(self);
    if (!o->metadata) {
      o->metadata = owned(PyDict_New()).release();
      mark_stateful(o);
    }
    Py_INCREF(o->metadata);
    return o->metadata;
  });
}
PyObject* saved_bytes(PyObject* self, void*) {
  return guarded([&] { return PyLong_FromLongLong(node_of(self)->saved_bytes()); });
}
PyObject* saved_values(PyObject* self, void*) {
  return guarded([&] { return tuple_of(node_of(self)->saved_values()).release(); });
}
// The shape of each output of the forward op.
PyObject* output_shapes(PyObject* self, void*) {
  return guarded([&] {
    const Node& n = *node_of(self);
    Ref list = owned(PyList_New(0));
    for (uint32_t i = 0; i < n.outputs(); ++i) {
      const IntList dims = n.output(i).dims();
      Ref shape = owned(PyTuple_New(static_cast<Py_ssize_t>(dims.size())));
      for (size_t d = 0; d < dims.size(); ++d) {
        PyTuple_SET_ITEM(shape.get(), static_cast<Py_ssize_t>(d),
                         owned(PyLong_FromLongLong(dims[d])).release());
      }
      succeed(PyList_Append(list.get(), shape.get()));
    }
    return list.release();
  });
}
PyObject* sequence_nr(PyObject* self, PyObject*) {
  return guarded([&] { return PyLong_FromUnsignedLongLong(node_of(self)->sequence); });
}

// Takes what a hook returned in place of `tensors`; None keeps them.
void replace(std::vector<Tensor>& tensors, PyObject* got) {
  if (got == Py_None) return;
  Ref items = PyTuple_Check(got) ? Ref::borrow(got) : owned(PyTuple_Pack(1, got));
  check(PyTuple_GET_SIZE(items.get()) == static_cast<Py_ssize_t>(tensors.size()),
        "hook has returned an incorrect number of values (got {}, expected {})",
        static_cast<int64_t>(PyTuple_GET_SIZE(items.get())), static_cast<int64_t>(tensors.size()));
  for (size_t i = 0; i < tensors.size(); ++i) {
    PyObject* o = PyTuple_GET_ITEM(items.get(), static_cast<Py_ssize_t>(i));
    if (o == Py_None) {
      tensors[i] = Tensor();
      continue;
    }
    check<TypeError>(is_tensor(o), "expected Tensor, but hook returned '{}'", Py_TYPE(o)->tp_name);
    tensors[i] = tensor_of(o);
  }
}

PyObject* register_hook(PyObject* self, PyObject* f) {
  return guarded([&] {
    Callable call = hold(f);
    const uint64_t id = next_hook_id();
    node_of(self)->add_hooks().post.push_back(
        {id,
         [call](std::vector<Tensor>& in, const std::vector<Tensor>& out) {
           Ref got = owned(PyObject_CallFunctionObjArgs(call->get(), tuple_of(in).get(),
                                                        tuple_of(out).get(), nullptr));
           replace(in, got.get());
         },
         f});
    return PyLong_FromUnsignedLongLong(id);
  });
}
PyObject* register_prehook(PyObject* self, PyObject* f) {
  return guarded([&] {
    Callable call = hold(f);
    const uint64_t id = next_hook_id();
    node_of(self)->add_hooks().pre.push_back(
        {id,
         [call](std::vector<Tensor>& out) {
           Ref got = owned(PyObject_CallFunctionObjArgs(call->get(), tuple_of(out).get(), nullptr));
           replace(out, got.get());
         },
         f});
    return PyLong_FromUnsignedLongLong(id);
  });
}
PyObject* remove_node_hook(PyObject* self, PyObject* id) {
  return guarded([&]() -> PyObject* {
    const uint64_t which = PyLong_AsUnsignedLongLong(id);
    if (PyErr_Occurred()) throw PythonError();
    if (NodeHooks* hooks = node_of(self)->hooks.get()) {
      auto match = [which](const auto& h) { return h.id == which; };
      std::erase_if(hooks->pre, match);
      std::erase_if(hooks->post, match);
    }
    Py_RETURN_NONE;
  });
}

PyGetSetDef node_getset[] = {
    {"next_functions", next_functions, nullptr,
     "The nodes of the inputs, each with the number of its output.", nullptr},
    {"variable", node_variable, nullptr, "The leaf of an AccumulateGrad node.", nullptr},
    {"metadata", node_metadata, nullptr, "A dict for notes about the node.", nullptr},
    {"_saved_bytes", saved_bytes, nullptr, "Bytes of the tensors it keeps.", nullptr},
    {"_saved_values", saved_values, nullptr, "The tensors it keeps, None for those it need not.",
     nullptr},
    {"_output_shapes", output_shapes, nullptr, "The shapes of the forward op's results.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr}};
PyMethodDef node_methods[] = {
    {"name", node_name, METH_NOARGS, "The name of the node."},
    {"_sequence_nr", sequence_nr, METH_NOARGS, "The order in which nodes were made."},
    {"_register_hook", register_hook, METH_O, nullptr},
    {"_register_prehook", register_prehook, METH_O, nullptr},
    {"_remove_hook", remove_node_hook, METH_O, nullptr},
    {nullptr, nullptr, 0, nullptr}};

PyTypeObject* type_for(const std::string& name) {
  static auto* types = new std::map<std::string, PyTypeObject*>;
  PyTypeObject*& type = (*types)[name];
  if (!type) {
    auto* qualified =
        new std::string("d2lcore.autograd.graph." + name);  // the type borrows its name
    PyType_Slot slots[] = {{0, nullptr}};
    PyType_Spec spec = {qualified->c_str(), sizeof(NodeObject), 0,
                        Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, slots};
    Ref bases = owned(PyTuple_Pack(1, reinterpret_cast<PyObject*>(node_type)));
    type = reinterpret_cast<PyTypeObject*>(
        owned(PyType_FromSpecWithBases(&spec, bases.get())).release());
  }
  return type;
}

}  // namespace

uint64_t next_hook_id() { return ++g_hook_id; }

const NodePtr& node_of(PyObject* self) {
  const NodePtr& node = object_of(self)->node;
  check(static_cast<bool>(node),
        "this instance of {} is no node of a graph: apply the Function to a tensor that requires "
        "grad first",
        Py_TYPE(self)->tp_name);
  return node;
}

void mark_stateful(NodeObject* self) {
  Node* n = self->node.get();
  if (!n || n->stateful_wrapper) return;
  n->stateful_wrapper = true;
  if (n->refs > 1) Py_INCREF(self);
}

int traverse_node(NodeObject* self, visitproc visit, void* arg) {
  Py_VISIT(self->metadata);
  // With state, every other handle of the node owns this object: what the node keeps is ours to
  // show.
  const Node* n = self->node.get();
  return n && (n->stateful_wrapper || n->refs == 1) ? visit_owned(n, visit, arg) : 0;
}

void clear_node(NodeObject* self) {
  Py_CLEAR(self->metadata);
  if (Node* n = self->node.get(); n && (n->stateful_wrapper || n->refs == 1)) {
    if (n->hooks && n->hooks->retain.empty()) const auto gone = std::move(n->hooks);
  }
}

void drop_node(NodeObject* self) {
  Py_CLEAR(self->metadata);
  if (Node* n = self->node.get()) {
    n->wrapper = nullptr;
    n->stateful_wrapper = false;
  }
  self->node.~NodePtr();
}

int traverse_graph(const Tensor& t, visitproc visit, void* arg) {
  if (!t.defined() || t->refs != 1 || !t->autograd) return 0;
  const AutogradMeta& meta = *t->autograd;
  if (meta.leaf_hooks) {
    for (const auto& h : meta.leaf_hooks->tensor) Py_VISIT(static_cast<PyObject*>(h.object));
  }
  for (const auto& h : meta.post_accumulate) Py_VISIT(static_cast<PyObject*>(h.object));
  const Node* n = meta.grad_fn.get();
  if (!n) return 0;
  if (n->stateful_wrapper) {
    if (n->refs == 2) Py_VISIT(static_cast<PyObject*>(n->wrapper));
    return 0;
  }
  return n->refs == 1 ? visit_owned(n, visit, arg) : 0;
}

void clear_graph(const Tensor& t) {
  if (!t.defined() || t->refs != 1 || !t->autograd) return;
  AutogradMeta& meta = *t->autograd;
  const auto leaf_hooks = std::move(meta.leaf_hooks);
  const auto post = std::move(meta.post_accumulate);
  std::unique_ptr<NodeHooks> hooks;
  if (Node* n = meta.grad_fn.get(); n && !n->stateful_wrapper && n->refs == 1) {
    if (n->hooks && n->hooks->retain.empty()) hooks = std::move(n->hooks);
  }
}

Ref tuple_of(const std::vector<Tensor>& tensors) {
  Ref tuple = owned(PyTuple_New(static_cast<Py_ssize_t>(tensors.size())));
  for (size_t i = 0; i < tensors.size(); ++i) {
    PyTuple_SET_ITEM(tuple.get(), static_cast<Py_ssize_t>(i), wrap(tensors[i]));
  }
  return tuple;
}

PyObject* wrap_node(const NodePtr& node) {
  if (!node) Py_RETURN_NONE;
  if (node->wrapper) {
    auto* o = static_cast<PyObject*>(node->wrapper);
    Py_INCREF(o);
    return o;
  }
  PyTypeObject* type = type_for(short_name(node->name()));
  Ref o = owned(type->tp_alloc(type, 0));
  new (&object_of(o.get())->node) NodePtr(node);
  node->wrapper = o.get();
  return o.release();
}

void make_node_type(PyObject* module) {
  node_wrapper_hooks.shared = shared;
  node_wrapper_hooks.unshared = unshared;
  PyType_Slot slots[] = {{Py_tp_dealloc, reinterpret_cast<void*>(node_dealloc)},
                         {Py_tp_traverse, reinterpret_cast<void*>(node_traverse)},
                         {Py_tp_clear, reinterpret_cast<void*>(node_clear)},
                         {Py_tp_repr, reinterpret_cast<void*>(node_repr)},
                         {Py_tp_getset, node_getset},
                         {Py_tp_methods, node_methods},
                         {Py_tp_doc, const_cast<char*>("A node of the backward graph.")},
                         {0, nullptr}};
  PyType_Spec spec = {"d2lcore.autograd.graph.Node", sizeof(NodeObject), 0,
                      Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC |
                          Py_TPFLAGS_DISALLOW_INSTANTIATION,
                      slots};
  node_type = reinterpret_cast<PyTypeObject*>(owned(PyType_FromSpec(&spec)).release());
  succeed(PyObject_SetAttrString(module, "Node", reinterpret_cast<PyObject*>(node_type)));
}

}  // namespace d2l::py
