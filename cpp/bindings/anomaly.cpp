// Notes that nodes carry while somebody wants to know where they come from.
//
// Under detect_anomaly a note is the whole traceback of the forward call, and the node whose
// formula was running then; under errstate only the file and the line of the user's code.
#include "anomaly.h"

#include <cstring>
#include <memory>
#include <string>

#include "autograd/engine.h"
#include "node_type.h"

namespace d2l::py {
namespace {

PyObject* anomaly_trace = nullptr;   // trace() -> str
PyObject* anomaly_report = nullptr;  // report(name, trace or None, [(name, trace), ...])
thread_local int t_lines = 0;
int g_lines = 0;

class Note final : public NodeNote {
 public:
  explicit Note(Ref where) : where(std::move(where)), parent(running_node()) {}
  Ref where;       // a traceback, or (file, line)
  NodePtr parent;  // whose formula made the node
};

const Note* note_of(const Node& n) { return static_cast<const Note*>(n.note.get()); }

// The package's own files: the user's line is the first one outside of them.
const std::string& package_folder() {
  static const auto* folder = new std::string([] {
    Ref module(PyImport_ImportModule("d2lcore"));
    Ref file(module ? PyObject_GetAttrString(module.get(), "__file__") : nullptr);
    const char* text = file ? PyUnicode_AsUTF8(file.get()) : nullptr;
    if (!text) {
      PyErr_Clear();
      return std::string();
    }
    const std::string path(text);
    return path.substr(0, path.rfind('/') + 1);
  }());
  return *folder;
}

// (file, line) of the innermost frame outside of the package, or null.
Ref user_line() {
  Ref frame = Ref::borrow(reinterpret_cast<PyObject*>(PyEval_GetFrame()));
  while (frame) {
    auto* f = reinterpret_cast<PyFrameObject*>(frame.get());
    Ref code(reinterpret_cast<PyObject*>(PyFrame_GetCode(f)));
    PyObject* file = reinterpret_cast<PyCodeObject*>(code.get())->co_filename;
    const char* path = PyUnicode_AsUTF8(file);
    if (path && std::strncmp(path, package_folder().c_str(), package_folder().size()) != 0) {
      return Ref(Py_BuildValue("(Oi)", file, PyFrame_GetLineNumber(f)));
    }
    frame = Ref(reinterpret_cast<PyObject*>(PyFrame_GetBack(f)));
  }
  return Ref();
}

std::unique_ptr<NodeNote> make_note() {
  Ref where;
  if (Anomaly::report) {
    where = Ref(PyObject_CallNoArgs(anomaly_trace));
  } else if (t_lines) {
    where = user_line();
  }
  if (!where) {
    PyErr_Clear();
    return nullptr;
  }
  return std::make_unique<Note>(std::move(where));
}

void update() { make_node_note = Anomaly::report || g_lines ? make_note : nullptr; }

// Called while a C++ exception is in flight, which may stand for a Python one.
void report(const Node& n) {
  PyObject *type, *value, *trace;
  PyErr_Fetch(&type, &value, &trace);
  Ref parents(PyList_New(0));
  const Note* note = note_of(n);
  for (const Node* p = note ? note->parent.get() : nullptr; p && parents;) {
    const Note* above = note_of(*p);
    Ref pair(Py_BuildValue("(sO)", p->name().c_str(), above ? above->where.get() : Py_None));
    if (pair) PyList_Append(parents.get(), pair.get());
    p = above ? above->parent.get() : nullptr;
  }
  Ref done(PyObject_CallFunction(anomaly_report, "sOO", n.name().c_str(),
                                 note ? note->where.get() : Py_None, parents.get()));
  if (!done) {
    // A warning that was made an error: it takes the place of the other one.
    Py_XDECREF(type);
    Py_XDECREF(value);
    Py_XDECREF(trace);
    throw PythonError();
  }
  PyErr_Restore(type, value, trace);
}

// _set_anomaly(on, check_nan, trace, report)
PyObject* set_anomaly(PyObject*, PyObject* args) {
  int on, check_nan;
  PyObject *trace, *reporter;
  if (!PyArg_ParseTuple(args, "ppOO:_set_anomaly", &on, &check_nan, &trace, &reporter)) {
    return nullptr;
  }
  Py_INCREF(trace);
  Py_XSETREF(anomaly_trace, trace);
  Py_INCREF(reporter);
  Py_XSETREF(anomaly_report, reporter);
  Anomaly::report = on ? report : nullptr;
  Anomaly::check_nan = check_nan != 0;
  update();
  Py_RETURN_NONE;
}
PyObject* is_anomaly_enabled(PyObject*, PyObject*) {
  return PyBool_FromLong(Anomaly::report != nullptr);
}
PyObject* is_anomaly_check_nan_enabled(PyObject*, PyObject*) {
  return PyBool_FromLong(Anomaly::check_nan);
}
// _node_note(node): the traceback, (file, line), or None.
PyObject* node_note(PyObject*, PyObject* o) {
  return guarded([&] {
    check<TypeError>(PyObject_TypeCheck(o, node_type), "expected a Node");
    const Note* note = note_of(*node_of(o));
    return Ref::borrow(note ? note->where.get() : Py_None).release();
  });
}

PyMethodDef functions[] = {
    {"_set_anomaly", set_anomaly, METH_VARARGS, nullptr},
    {"is_anomaly_enabled", is_anomaly_enabled, METH_NOARGS, "Whether anomaly mode is on."},
    {"is_anomaly_check_nan_enabled", is_anomaly_check_nan_enabled, METH_NOARGS,
     "Whether anomaly mode looks for NaN."},
    {"_node_note", node_note, METH_O, nullptr},
    {nullptr, nullptr, 0, nullptr}};

}  // namespace

void note_lines(int change) {
  t_lines += change;
  g_lines += change;
  update();
}

void make_anomaly(PyObject* module) { succeed(PyModule_AddFunctions(module, functions)); }

}  // namespace d2l::py
