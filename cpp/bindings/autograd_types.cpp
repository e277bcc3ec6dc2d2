// grad_fn objects, tensor and node hooks, backward() and grad().
#include "autograd_types.h"

#include <map>
#include <memory>

#include "convert.h"
#include "d2lcore/autograd.h"
#include "d2lcore/ops.h"
#include "iter/plan.h"

namespace d2l::py {
namespace {

struct NodeObject {
  PyObject_HEAD NodePtr node;
};

PyTypeObject* node_type = nullptr;
uint64_t g_hook_id = 0;

const NodePtr& node_of(PyObject* self) { return reinterpret_cast<NodeObject*>(self)->node; }

void node_dealloc(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  auto* o = reinterpret_cast<NodeObject*>(self);
  if (o->node) o->node->wrapper = nullptr;
  o->node.~NodePtr();
  type->tp_free(self);
  Py_DECREF(type);
}

PyObject* node_repr(PyObject* self) {
  const std::string full = node_of(self)->name();
  const size_t colon = full.rfind(':');
  return PyUnicode_FromFormat("<%s object at %p>",
                              full.c_str() + (colon == std::string::npos ? 0 : colon + 1), self);
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
      PyErr_SetString(PyExc_AttributeError, "this node has no attribute 'variable'");
      throw PythonError();
    }
    return wrap(static_cast<AccumulateGrad*>(n)->variable());
  });
}
PyObject* saved_bytes(PyObject* self, void*) {
  return PyLong_FromLongLong(node_of(self)->saved_bytes());
}
PyObject* sequence_nr(PyObject* self, PyObject*) {
  return PyLong_FromUnsignedLongLong(node_of(self)->sequence);
}

// A Python callable that C++ holds; its count is changed under the GIL only, which the engine has.
using Callable = std::shared_ptr<Ref>;
Callable hold(PyObject* f) { return std::make_shared<Ref>(Ref::borrow(f)); }

Ref tuple_of(const std::vector<Tensor>& tensors) {
  Ref tuple = owned(PyTuple_New(static_cast<Py_ssize_t>(tensors.size())));
  for (size_t i = 0; i < tensors.size(); ++i) {
    PyTuple_SET_ITEM(tuple.get(), static_cast<Py_ssize_t>(i), wrap(tensors[i]));
  }
  return tuple;
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
    node_of(self)->add_hooks().post.push_back(
        {++g_hook_id, [call](std::vector<Tensor>& in, const std::vector<Tensor>& out) {
           Ref got = owned(PyObject_CallFunctionObjArgs(call->get(), tuple_of(in).get(),
                                                        tuple_of(out).get(), nullptr));
           replace(in, got.get());
         }});
    return PyLong_FromUnsignedLongLong(g_hook_id);
  });
}
PyObject* register_prehook(PyObject* self, PyObject* f) {
  return guarded([&] {
    Callable call = hold(f);
    node_of(self)->add_hooks().pre.push_back(
        {++g_hook_id, [call](std::vector<Tensor>& out) {
           Ref got = owned(PyObject_CallFunctionObjArgs(call->get(), tuple_of(out).get(), nullptr));
           replace(out, got.get());
         }});
    return PyLong_FromUnsignedLongLong(g_hook_id);
  });
}

template <class V>
void erase_hook(V& hooks, uint64_t id) {
  std::erase_if(hooks, [id](const auto& h) { return h.first == id; });
}
PyObject* remove_node_hook(PyObject* self, PyObject* id) {
  return guarded([&]() -> PyObject* {
    const uint64_t which = PyLong_AsUnsignedLongLong(id);
    if (NodeHooks* hooks = node_of(self)->hooks.get()) {
      erase_hook(hooks->pre, which);
      erase_hook(hooks->post, which);
    }
    Py_RETURN_NONE;
  });
}

PyGetSetDef node_getset[] = {
    {"next_functions", next_functions, nullptr,
     "The nodes of the inputs, each with the number of its output.", nullptr},
    {"variable", node_variable, nullptr, "The leaf of an AccumulateGrad node.", nullptr},
    {"_saved_bytes", saved_bytes, nullptr, "Bytes of the tensors it keeps.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr}};
PyMethodDef node_methods[] = {
    {"name", node_name, METH_NOARGS, "The name of the node."},
    {"_sequence_nr", sequence_nr, METH_NOARGS, "The order in which nodes were made."},
    {"_register_hook", register_hook, METH_O, nullptr},
    {"_register_prehook", register_prehook, METH_O, nullptr},
    {"_remove_hook", remove_node_hook, METH_O, nullptr},
    {nullptr, nullptr, 0, nullptr}};

PyTypeObject* type_for(const std::string& full) {
  static auto* types = new std::map<std::string, PyTypeObject*>;
  const size_t colon = full.rfind(':');
  const std::string name = colon == std::string::npos ? full : full.substr(colon + 1);
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

// Leaves keep their hooks themselves; other tensors' hooks hang on the node's output.
PyObject* add_tensor_hook(PyObject*, PyObject* args) {
  return guarded([&] {
    PyObject *object, *f;
    if (!PyArg_ParseTuple(args, "OO:_add_tensor_hook", &object, &f)) throw PythonError();
    check<TypeError>(is_tensor(object), "expected a Tensor");
    const Tensor& t = tensor_of(object);
    check(t.requires_grad(), "cannot register a hook on a tensor that doesn't require gradient");
    Callable call = hold(f);
    NodePtr node = grad_fn_of(t);
    const uint32_t nr = node ? t->autograd->output_nr : 0;
    NodeHooks* hooks;
    if (node) {
      hooks = &node->add_hooks();
    } else {
      AutogradMeta& meta = meta_of(t);
      if (!meta.leaf_hooks) meta.leaf_hooks = std::make_unique<NodeHooks>();
      hooks = meta.leaf_hooks.get();
    }
    hooks->pre.push_back(
        {++g_hook_id, [call, nr](std::vector<Tensor>& out) {
           if (!out[nr].defined()) return;
           Ref g = owned(wrap(out[nr]));
           Ref got = owned(PyObject_CallFunctionObjArgs(call->get(), g.get(), nullptr));
           if (got.get() == Py_None) return;
           check<TypeError>(is_tensor(got.get()), "expected Tensor, but hook returned '{}'",
                            Py_TYPE(got.get())->tp_name);
           const Tensor& fresh = tensor_of(got.get());
           check(d2l::equal(fresh.shape(), out[nr].shape()),
                 "hook has changed the size of value: from {} to {}", out[nr].shape(),
                 fresh.shape());
           out[nr] = fresh;
         }});
    return PyLong_FromUnsignedLongLong(g_hook_id);
  });
}

PyObject* add_post_accumulate_hook(PyObject*, PyObject* args) {
  return guarded([&] {
    PyObject *object, *f;
    if (!PyArg_ParseTuple(args, "OO:_add_post_accumulate_hook", &object, &f)) throw PythonError();
    check<TypeError>(is_tensor(object), "expected a Tensor");
    const Tensor& t = tensor_of(object);
    check(t->requires_grad, "post accumulate grad hooks cannot be registered on non-leaf tensors");
    Callable call = hold(f);
    meta_of(t).post_accumulate.push_back(
        {++g_hook_id, [call](const Tensor& leaf) {
           Ref x = owned(wrap(leaf));
           owned(PyObject_CallFunctionObjArgs(call->get(), x.get(), nullptr));
         }});
    return PyLong_FromUnsignedLongLong(g_hook_id);
  });
}

PyObject* remove_tensor_hook(PyObject*, PyObject* args) {
  return guarded([&]() -> PyObject* {
    PyObject* object;
    unsigned long long id;
    if (!PyArg_ParseTuple(args, "OK:_remove_tensor_hook", &object, &id)) throw PythonError();
    check<TypeError>(is_tensor(object), "expected a Tensor");
    const Tensor& t = tensor_of(object);
    if (AutogradMeta* meta = t->autograd) {
      if (meta->leaf_hooks) erase_hook(meta->leaf_hooks->pre, id);
      if (meta->grad_fn && meta->grad_fn->hooks) erase_hook(meta->grad_fn->hooks->pre, id);
      erase_hook(meta->post_accumulate, id);
    }
    Py_RETURN_NONE;
  });
}

std::vector<Tensor> tensors_of(PyObject* o, const char* what) {
  std::vector<Tensor> out;
  if (o == Py_None) return out;
  if (is_tensor(o)) {
    out.push_back(tensor_of(o));
    return out;
  }
  check<TypeError>(PyTuple_Check(o) || PyList_Check(o),
                   "{} must be a Tensor or a sequence of Tensors", what);
  for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(o); ++i) {
    PyObject* item = PySequence_Fast_GET_ITEM(o, i);
    if (item == Py_None) {
      out.emplace_back();
      continue;
    }
    check<TypeError>(is_tensor(item), "{} can be either Tensors or Nones, but got {}", what,
                     Py_TYPE(item)->tp_name);
    out.push_back(tensor_of(item));
  }
  return out;
}

// _backward(tensors, gradients, retain_graph, create_graph, inputs)
PyObject* run_backward(PyObject*, PyObject* args) {
  return guarded([&]() -> PyObject* {
    PyObject *tensors, *gradients, *inputs;
    int retain, create;
    if (!PyArg_ParseTuple(args, "OOppO:_backward", &tensors, &gradients, &retain, &create,
                          &inputs)) {
      throw PythonError();
    }
    backward(tensors_of(tensors, "tensors"), tensors_of(gradients, "gradients"),
             {retain != 0, create != 0}, tensors_of(inputs, "inputs"));
    Py_RETURN_NONE;
  });
}

// _grad(outputs, inputs, gradients, retain_graph, create_graph, allow_unused)
PyObject* run_grad(PyObject*, PyObject* args) {
  return guarded([&] {
    PyObject *outputs, *inputs, *gradients;
    int retain, create, unused;
    if (!PyArg_ParseTuple(args, "OOOppp:_grad", &outputs, &inputs, &gradients, &retain, &create,
                          &unused)) {
      throw PythonError();
    }
    return tuple_of(grad(tensors_of(outputs, "outputs"), tensors_of(inputs, "inputs"),
                         tensors_of(gradients, "gradients"), {retain != 0, create != 0},
                         unused != 0))
        .release();
  });
}

PyObject* is_grad_enabled(PyObject*, PyObject*) { return PyBool_FromLong(GradMode::enabled()); }
PyObject* set_grad_enabled_py(PyObject*, PyObject* on) {
  const int truth = PyObject_IsTrue(on);
  if (truth < 0) return nullptr;
  const bool before = GradMode::enabled();
  GradMode::set(truth != 0);
  return PyBool_FromLong(before);
}

PyMethodDef functions[] = {
    {"_backward", run_backward, METH_VARARGS, nullptr},
    {"_grad", run_grad, METH_VARARGS, nullptr},
    {"_add_tensor_hook", add_tensor_hook, METH_VARARGS, nullptr},
    {"_add_post_accumulate_hook", add_post_accumulate_hook, METH_VARARGS, nullptr},
    {"_remove_tensor_hook", remove_tensor_hook, METH_VARARGS, nullptr},
    {"is_grad_enabled", is_grad_enabled, METH_NOARGS, "Whether operations are recorded."},
    {"_set_grad_enabled", set_grad_enabled_py, METH_O, "Sets the mode; returns the one before."},
    {nullptr, nullptr, 0, nullptr}};

void* release_gil() { return PyGILState_Check() ? PyEval_SaveThread() : nullptr; }
void acquire_gil(void* state) { PyEval_RestoreThread(static_cast<PyThreadState*>(state)); }

}  // namespace

PyObject* wrap_node(const NodePtr& node) {
  if (!node) Py_RETURN_NONE;
  if (node->wrapper) {
    auto* o = static_cast<PyObject*>(node->wrapper);
    Py_INCREF(o);
    return o;
  }
  PyTypeObject* type = type_for(node->name());
  Ref o = owned(type->tp_alloc(type, 0));
  new (&reinterpret_cast<NodeObject*>(o.get())->node) NodePtr(node);
  node->wrapper = o.get();
  return o.release();
}

void retain_gradient(const Tensor& t) {
  check(t.requires_grad(), "can't retain_grad on Tensor that has requires_grad=False");
  NodePtr node = grad_fn_of(t);
  if (!node || t->autograd->retains_grad) return;
  t->autograd->retains_grad = true;
  node->add_hooks().retain.push_back({t->autograd->output_nr, t.impl()});
}

PyObject* tensor_backward(PyObject* self, PyObject* args, PyObject* kwargs) {
  return guarded([&]() -> PyObject* {
    static const char* names[] = {"gradient", "retain_graph", "create_graph", "inputs", nullptr};
    PyObject *gradient = Py_None, *retain = Py_None, *inputs = Py_None;
    int create = 0;
    if (PyTuple_GET_SIZE(args) || kwargs) {
      if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|OOpO:backward", const_cast<char**>(names),
                                       &gradient, &retain, &create, &inputs)) {
        throw PythonError();
      }
    }
    std::vector<Tensor> wanted = tensors_of(inputs, "inputs");
    check(inputs == Py_None || !wanted.empty(),
          "`inputs` argument to `backward()` cannot be empty.");
    check<TypeError>(gradient == Py_None || is_tensor(gradient),
                     "gradients can be either Tensors or Nones, but got {}",
                     Py_TYPE(gradient)->tp_name);
    std::vector<Tensor> gradients;
    if (gradient != Py_None) gradients.push_back(tensor_of(gradient));
    const int keep = retain == Py_None ? create : PyObject_IsTrue(retain);
    succeed(keep);
    backward({tensor_of(self)}, std::move(gradients), {keep != 0, create != 0}, wanted);
    Py_RETURN_NONE;
  });
}

void make_autograd(PyObject* module) {
  gil_hooks.release = release_gil;
  gil_hooks.acquire = acquire_gil;
  PyType_Slot slots[] = {{Py_tp_dealloc, reinterpret_cast<void*>(node_dealloc)},
                         {Py_tp_repr, reinterpret_cast<void*>(node_repr)},
                         {Py_tp_getset, node_getset},
                         {Py_tp_methods, node_methods},
                         {Py_tp_doc, const_cast<char*>("A node of the backward graph.")},
                         {0, nullptr}};
  PyType_Spec spec = {"d2lcore.autograd.graph.Node", sizeof(NodeObject), 0,
                      Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                      slots};
  node_type = reinterpret_cast<PyTypeObject*>(owned(PyType_FromSpec(&spec)).release());
  succeed(PyObject_SetAttrString(module, "Node", reinterpret_cast<PyObject*>(node_type)));
  succeed(PyModule_AddFunctions(module, functions));
}

}  // namespace d2l::py
