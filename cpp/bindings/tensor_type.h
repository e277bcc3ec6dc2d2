// The Python type Tensor: a heap type of our own, with slots, not a pybind11 class.
//
// Note [Identity]. A TensorImpl knows its wrapper (borrowed), so that the same tensor is always the
// same Python object while that object lives. A wrapper with state (a subclass, a __dict__) must
// live as long as its tensor does: while the impl has more than one handle, that is, while C++
// holds it too, the impl owns the wrapper (taken on the count's step from 1 to 2, or when state is
// added; returned on the step from 2 to 1). So a Parameter's attributes survive while only an
// optimiser or the graph holds it, nothing is ever resurrected, and a finalizer runs once.
#pragma once

#include "d2lcore/tensor.h"
#include "py.h"

namespace d2l::py {

struct TensorObject {
  PyObject_HEAD Tensor tensor;
  PyObject* dict;
  PyObject* weakrefs;
};

extern PyTypeObject* tensor_type;

inline bool is_tensor(PyObject* o) {
  return Py_TYPE(o) == tensor_type || PyType_IsSubtype(Py_TYPE(o), tensor_type);
}
// The tensor of an object that is_tensor; throws for one that was never initialised.
inline const Tensor& tensor_of(PyObject* o) {
  const Tensor& t = reinterpret_cast<TensorObject*>(o)->tensor;
  if (!t.defined()) [[unlikely]]
    fail<TypeError>("the tensor is not initialised");
  return t;
}

// The Python object of a tensor (new reference); None for an undefined one.
PyObject* wrap(Tensor t);
// A new tensor on the same data as an instance of a subclass.
PyObject* wrap_as(PyTypeObject* type, Tensor t);

// Makes the type, without the methods that come from the op table.
void make_tensor_type(PyObject* module);

// Filled in by the other files.
PyObject* tensor_getitem(PyObject* self, PyObject* index);
int tensor_setitem(PyObject* self, PyObject* index, PyObject* value);
int tensor_getbuffer(PyObject* self, Py_buffer* view, int flags);
void tensor_releasebuffer(PyObject* self, Py_buffer* view);
PyObject* tensor_new(PyTypeObject* type, PyObject* args, PyObject* kwargs);

extern PyType_Slot number_slots[];
extern PyGetSetDef tensor_getset[];
extern PyMethodDef tensor_methods[];

}  // namespace d2l::py
