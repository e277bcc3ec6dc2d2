// Inside vmap, calls with batched arguments go to d2lcore.func; under errstate, results are looked
// at while they are in cache.
#include "watch.h"

#include <cstring>
#include <string>

#include "anomaly.h"
#include "autograd/engine.h"
#include "iter/finite.h"
#include "node_type.h"

namespace d2l::py {

int watchers = 0;

namespace {

PyTypeObject* batched_type = nullptr;
PyObject* batched_handler = nullptr;  // handler(function, args, kwargs)
PyObject* number_handler = nullptr;   // handler(op, kind, index, shape, argument shapes, note)
thread_local int t_levels = 0;        // nested vmaps of this thread
thread_local NumberCheck t_numbers;

// _set_batching(cls, handler)
PyObject* set_batching(PyObject*, PyObject* args) {
  PyObject *cls, *handler;
  if (!PyArg_ParseTuple(args, "O!O:_set_batching", &PyType_Type, &cls, &handler)) return nullptr;
  Py_INCREF(cls);
  Py_XSETREF(batched_type, reinterpret_cast<PyTypeObject*>(cls));
  Py_INCREF(handler);
  Py_XSETREF(batched_handler, handler);
  Py_RETURN_NONE;
}

// _add_level(change): one vmap more (1) or less (-1) in this thread.
PyObject* add_level(PyObject*, PyObject* change) {
  const long step = PyLong_AsLong(change);
  if (step == -1 && PyErr_Occurred()) return nullptr;
  t_levels += static_cast<int>(step);
  watchers += static_cast<int>(step);
  Py_RETURN_NONE;
}

// _bare(cls): an instance of a subclass of Tensor that has no tensor.
PyObject* bare(PyObject*, PyObject* cls) {
  return guarded([&] {
    check<TypeError>(PyType_Check(cls) &&
                         PyType_IsSubtype(reinterpret_cast<PyTypeObject*>(cls), tensor_type) &&
                         reinterpret_cast<PyTypeObject*>(cls) != tensor_type,
                     "_bare(): expected a subclass of Tensor");
    auto* type = reinterpret_cast<PyTypeObject*>(cls);
    Ref o = owned(type->tp_alloc(type, 0));
    new (&reinterpret_cast<TensorObject*>(o.get())->tensor) Tensor;
    return o.release();
  });
}

Ref shape_of(const Tensor& t) {
  Ref tuple = owned(PyTuple_New(t.dim()));
  for (int64_t d = 0; d < t.dim(); ++d) {
    PyTuple_SET_ITEM(tuple.get(), d,
                     owned(PyLong_FromLongLong(t.shape()[static_cast<size_t>(d)])).release());
  }
  return tuple;
}

// Says in Python what was found; that may raise.
void report(const std::string& op, const Tensor& t, const NonFinite& found, PyObject* shapes,
            const Node* node) {
  Ref index = owned(PyTuple_New(t.dim()));
  int64_t rest = found.index;
  for (int64_t d = t.dim() - 1; d >= 0; --d) {
    const int64_t n = t.shape()[static_cast<size_t>(d)];
    PyTuple_SET_ITEM(index.get(), d, owned(PyLong_FromLongLong(rest % n)).release());
    rest /= n;
  }
  Ref note = node ? owned(wrap_node(NodePtr(const_cast<Node*>(node)))) : Ref::borrow(Py_None);
  owned(PyObject_CallFunction(number_handler, "ssOOOO", op.c_str(), found.nan ? "nan" : "inf",
                              index.get(), shape_of(t).get(), shapes, note.get()));
}

void inspect_one(const std::string& op, const Tensor& t, PyObject* shapes, const Node* node) {
  if (const auto found = find_non_finite(t, t_numbers)) report(op, t, *found, shapes, node);
}

void inspect_node(const Node& n, size_t, const Tensor& g) {
  Ref none = owned(PyTuple_New(0));
  inspect_one(n.name(), g, none.get(), &n);
}

// _set_number_checks(nan, inf, handler): what this thread looks for; returns what it did so far.
PyObject* set_number_checks(PyObject*, PyObject* args) {
  return guarded([&] {
    int nan, inf;
    PyObject* handler;
    if (!PyArg_ParseTuple(args, "ppO:_set_number_checks", &nan, &inf, &handler)) {
      throw PythonError();
    }
    Py_INCREF(handler);
    Py_XSETREF(number_handler, handler);
    const NumberCheck before = t_numbers;
    t_numbers = {nan != 0, inf != 0};
    watchers += t_numbers.any() - before.any();
    note_lines(t_numbers.any() - before.any());
    inspect_gradient = t_numbers.any() ? inspect_node : nullptr;
    return owned(Py_BuildValue("(NN)", PyBool_FromLong(before.nan), PyBool_FromLong(before.inf)))
        .release();
  });
}

PyMethodDef functions[] = {{"_set_batching", set_batching, METH_VARARGS, nullptr},
                           {"_add_level", add_level, METH_O, nullptr},
                           {"_bare", bare, METH_O, nullptr},
                           {"_set_number_checks", set_number_checks, METH_VARARGS, nullptr},
                           {nullptr, nullptr, 0, nullptr}};

}  // namespace

bool is_batched(PyObject* o) { return batched_type && Py_TYPE(o) == batched_type; }

bool any_batched(PyObject* const* args, Py_ssize_t count) {
  for (Py_ssize_t i = 0; i < count; ++i) {
    PyObject* o = args[i];
    if (is_batched(o)) return true;
    if (!PyTuple_Check(o) && !PyList_Check(o)) continue;
    for (Py_ssize_t k = 0; k < PySequence_Fast_GET_SIZE(o); ++k) {
      if (is_batched(PySequence_Fast_GET_ITEM(o, k))) return true;
    }
  }
  return false;
}

PyObject* call_batched(PyObject* function, PyObject* const* args, Py_ssize_t n, PyObject* kwnames,
                       bool random) {
  if (t_levels == 0) return nullptr;
  const Py_ssize_t keywords = kwnames ? PyTuple_GET_SIZE(kwnames) : 0;
  if (!random && !any_batched(args, n + keywords)) return nullptr;
  Ref tuple = owned(PyTuple_New(n));
  for (Py_ssize_t i = 0; i < n; ++i) {
    Py_INCREF(args[i]);
    PyTuple_SET_ITEM(tuple.get(), i, args[i]);
  }
  Ref kwargs = owned(PyDict_New());
  for (Py_ssize_t k = 0; k < keywords; ++k) {
    succeed(PyDict_SetItem(kwargs.get(), PyTuple_GET_ITEM(kwnames, k), args[n + k]));
  }
  return owned(PyObject_CallFunctionObjArgs(batched_handler, function, tuple.get(), kwargs.get(),
                                            nullptr))
      .release();
}

void inspect_result(const char* op, PyObject* const* args, Py_ssize_t n, PyObject* result) {
  // Memory that nobody has written holds anything.
  if (!t_numbers.any() || !result || std::strstr(op, "empty")) return;
  PyObject* const* first = &result;
  Py_ssize_t count = 1;
  if (PyTuple_Check(result)) {
    first = reinterpret_cast<PyTupleObject*>(result)->ob_item;
    count = PyTuple_GET_SIZE(result);
  }
  for (Py_ssize_t i = 0; i < count; ++i) {
    if (!is_tensor(first[i]) || is_batched(first[i])) continue;
    const Tensor& t = tensor_of(first[i]);
    const auto found = find_non_finite(t, t_numbers);
    if (!found) continue;
    Ref shapes = owned(PyList_New(0));
    for (Py_ssize_t k = 0; k < n; ++k) {
      if (is_tensor(args[k]) && !is_batched(args[k])) {
        succeed(PyList_Append(shapes.get(), shape_of(tensor_of(args[k])).get()));
      }
    }
    report(op, t, *found, shapes.get(), nullptr);
  }
}

void make_watch(PyObject* module) { succeed(PyModule_AddFunctions(module, functions)); }

}  // namespace d2l::py
