// Hooks of tensors, and the calls that run the engine: backward() and grad().
#include "autograd_types.h"

#include <memory>

#include "anomaly.h"
#include "autograd/engine.h"
#include "convert.h"
#include "d2lcore/ops.h"
#include "function_type.h"
#include "iter/plan.h"
#include "saved_hooks.h"
#include "watch.h"

namespace d2l::py {
namespace {

// How messages call a hook.
std::string function_name(PyObject* f) {
  Ref name(PyObject_GetAttrString(f, "__name__"));
  if (!name) {
    PyErr_Clear();
    name = owned(PyObject_Repr(f));
  }
  const char* text = PyUnicode_AsUTF8(name.get());
  if (!text) throw PythonError();
  return text;
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
    const uint64_t id = next_hook_id();
    hooks->tensor.push_back(
        {id,
         [call, nr](std::vector<Tensor>& out) {
           if (!out[nr].defined()) return;
           Ref g = owned(wrap(out[nr]));
           Ref got = owned(PyObject_CallFunctionObjArgs(call->get(), g.get(), nullptr));
           if (got.get() == Py_None) return;
           check<TypeError>(is_tensor(got.get()), "expected Variable, but hook returned '{}'",
                            Py_TYPE(got.get())->tp_name);
           const Tensor& fresh = tensor_of(got.get());
           check(d2l::equal(fresh.shape(), out[nr].shape()),
                 "hook '{}' has changed the size of value", function_name(call->get()));
           out[nr] = fresh;
         },
         f});
    return PyLong_FromUnsignedLongLong(id);
  });
}

PyObject* add_post_accumulate_hook(PyObject*, PyObject* args) {
  return guarded([&] {
    PyObject *object, *f;
    if (!PyArg_ParseTuple(args, "OO:_add_post_accumulate_hook", &object, &f)) throw PythonError();
    check<TypeError>(is_tensor(object), "expected a Tensor");
    const Tensor& t = tensor_of(object);
    check(t.requires_grad(), "cannot register a hook on a tensor that doesn't require gradient");
    check(t.is_leaf(), "post accumulate grad hooks cannot be registered on non-leaf tensors");
    Callable call = hold(f);
    const uint64_t id = next_hook_id();
    meta_of(t).post_accumulate.push_back(
        {id,
         [call](const Tensor& leaf) {
           Ref x = owned(wrap(leaf));
           owned(PyObject_CallFunctionObjArgs(call->get(), x.get(), nullptr));
         },
         f});
    return PyLong_FromUnsignedLongLong(id);
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
      const auto match = [id](const auto& h) { return h.id == id; };
      if (meta->leaf_hooks) std::erase_if(meta->leaf_hooks->tensor, match);
      if (meta->grad_fn && meta->grad_fn->hooks) {
        std::erase_if(meta->grad_fn->hooks->tensor, match);
      }
      std::erase_if(meta->post_accumulate, match);
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

// A tensor's place in the graph, or that of a GradientEdge: a tuple of a node and an output number.
template <class F>
Edge edge_from(PyObject* o, const char* what, F of_tensor) {
  if (is_tensor(o)) return of_tensor(tensor_of(o));
  check<TypeError>(PyTuple_Check(o) && PyTuple_GET_SIZE(o) >= 2 &&
                       PyObject_TypeCheck(PyTuple_GET_ITEM(o, 0), node_type),
                   "{} must be Tensors or GradientEdges, but got {}", what, Py_TYPE(o)->tp_name);
  const NodePtr& node = node_of(PyTuple_GET_ITEM(o, 0));
  int64_t nr = 0;
  check<TypeError>(as_int(PyTuple_GET_ITEM(o, 1), nr), "the output number must be an int");
  check<IndexError>(nr >= 0 && nr < node->outputs(), "{} has no output {}", node->name(), nr);
  return {node, static_cast<uint32_t>(nr)};
}

// Single ones too: an edge is a tuple itself.
template <class F>
std::vector<Edge> edges_from(PyObject* o, const char* what, F of_tensor) {
  std::vector<Edge> out;
  const bool one = is_tensor(o) || (PyTuple_Check(o) && PyTuple_GET_SIZE(o) >= 2 &&
                                    PyObject_TypeCheck(PyTuple_GET_ITEM(o, 0), node_type));
  if (o == Py_None) return out;
  if (one) {
    out.push_back(edge_from(o, what, [&](const Tensor& t) { return of_tensor(t, 0); }));
    return out;
  }
  Ref items = owned(PySequence_Tuple(o));
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(items.get()); ++i) {
    out.push_back(edge_from(PyTuple_GET_ITEM(items.get(), i), what,
                            [&](const Tensor& t) { return of_tensor(t, static_cast<size_t>(i)); }));
  }
  return out;
}
std::vector<Edge> roots_from(PyObject* o) { return edges_from(o, "outputs", root_edge); }
std::vector<Edge> inputs_from(PyObject* o) {
  return edges_from(o, "inputs", [](const Tensor& t, size_t) { return input_edge(t); });
}

// backward(inputs=...): those that are no leaves keep their gradient too.
std::vector<Edge> accumulating(PyObject* inputs) {
  for (const Tensor& t : [&] {
         std::vector<Tensor> found;
         if (is_tensor(inputs)) found.push_back(tensor_of(inputs));
         if (!PyTuple_Check(inputs) && !PyList_Check(inputs)) return found;
         for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(inputs); ++i) {
           PyObject* o = PySequence_Fast_GET_ITEM(inputs, i);
           if (is_tensor(o)) found.push_back(tensor_of(o));
         }
         return found;
       }()) {
    retain_gradient(t);
  }
  return inputs_from(inputs);
}

void warn_of_cycles(bool create_graph) {
  if (!create_graph) return;
  succeed(PyErr_WarnEx(
      PyExc_UserWarning,
      "Using backward() with create_graph=True will create a reference cycle between the parameter "
      "and its gradient which can cause a memory leak. We recommend using autograd.grad when "
      "creating the graph to avoid this. If you have to use this function, make sure to reset the "
      ".grad fields of your parameters to None after use to break the cycle and avoid the leak.",
      1));
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
    warn_of_cycles(create != 0);
    backward(roots_from(tensors), tensors_of(gradients, "gradients"), {retain != 0, create != 0},
             accumulating(inputs));
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
    return tuple_of(grad(roots_from(outputs), inputs_from(inputs),
                         tensors_of(gradients, "gradients"), {retain != 0, create != 0},
                         unused != 0))
        .release();
  });
}

// _jacobian(output, inputs, create_graph)
PyObject* run_jacobian(PyObject*, PyObject* args) {
  return guarded([&] {
    PyObject *output, *inputs;
    int create;
    if (!PyArg_ParseTuple(args, "OOp:_jacobian", &output, &inputs, &create)) throw PythonError();
    check<TypeError>(is_tensor(output), "expected a Tensor");
    return tuple_of(jacobian(tensor_of(output), tensors_of(inputs, "inputs"), create != 0))
        .release();
  });
}

// _depends_only_on(outputs, inputs)
PyObject* run_depends_only_on(PyObject*, PyObject* args) {
  return guarded([&] {
    PyObject *outputs, *inputs;
    if (!PyArg_ParseTuple(args, "OO:_depends_only_on", &outputs, &inputs)) throw PythonError();
    return PyBool_FromLong(depends_only_on(roots_from(outputs), inputs_from(inputs)));
  });
}

// _gradient_edge(tensor): its node (a leaf's accumulator) and output number.
PyObject* gradient_edge(PyObject*, PyObject* o) {
  return guarded([&] {
    check<TypeError>(is_tensor(o), "expected a Tensor");
    const Tensor& t = tensor_of(o);
    check(t.requires_grad(),
          "It is not possible to get the gradient edge for a Tensor that does not require "
          "gradients");
    const Edge e = edge_of(t);
    return owned(Py_BuildValue("(NI)", wrap_node(e.node), e.nr)).release();
  });
}

PyObject* current_run_id(PyObject*, PyObject*) { return PyLong_FromLongLong(current_run()); }
PyObject* run_is_restricted(PyObject*, PyObject*) {
  return PyBool_FromLong(current_run_is_restricted());
}
PyObject* run_executes(PyObject*, PyObject* o) {
  return guarded([&] {
    check<TypeError>(PyObject_TypeCheck(o, node_type), "expected a Node");
    return PyBool_FromLong(current_run_executes(*node_of(o)));
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

PyObject* set_inference_mode(PyObject*, PyObject* on) {
  const int truth = PyObject_IsTrue(on);
  if (truth < 0) return nullptr;
  const bool before = InferenceMode::enabled();
  InferenceMode::set(truth != 0);
  return PyBool_FromLong(before);
}
PyObject* is_inference_mode_enabled(PyObject*, PyObject*) {
  return PyBool_FromLong(InferenceMode::enabled());
}

PyMethodDef functions[] = {
    {"_jacobian", run_jacobian, METH_VARARGS, nullptr},
    {"_depends_only_on", run_depends_only_on, METH_VARARGS, nullptr},
    {"_gradient_edge", gradient_edge, METH_O, nullptr},
    {"_current_graph_task_id", current_run_id, METH_NOARGS, nullptr},
    {"_current_run_is_restricted", run_is_restricted, METH_NOARGS, nullptr},
    {"_will_engine_execute_node", run_executes, METH_O, nullptr},
    {"_set_inference_mode", set_inference_mode, METH_O, nullptr},
    {"is_inference_mode_enabled", is_inference_mode_enabled, METH_NOARGS,
     "Whether inference mode is on."},
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
    const std::vector<Edge> wanted = accumulating(inputs);
    check(inputs == Py_None || !wanted.empty(),
          "`inputs` argument to `backward()` cannot be empty.");
    check<TypeError>(gradient == Py_None || is_tensor(gradient),
                     "gradients can be either Tensors or Nones, but got {}",
                     Py_TYPE(gradient)->tp_name);
    std::vector<Tensor> gradients;
    if (gradient != Py_None) gradients.push_back(tensor_of(gradient));
    const int keep = retain == Py_None ? create : PyObject_IsTrue(retain);
    succeed(keep);
    warn_of_cycles(create != 0);
    backward({root_edge(tensor_of(self), 0)}, std::move(gradients), {keep != 0, create != 0},
             wanted);
    Py_RETURN_NONE;
  });
}

void make_autograd(PyObject* module) {
  gil_hooks.release = release_gil;
  gil_hooks.acquire = acquire_gil;
  make_node_type(module);
  make_function_type(module);
  make_saved_hooks(module);
  make_watch(module);
  make_anomaly(module);
  succeed(PyModule_AddFunctions(module, functions));
}

}  // namespace d2l::py
