// The type object: allocation with a free list, identity, attributes, garbage collection.
#include "tensor_type.h"

#include <structmember.h>

#include <vector>

#include "node_type.h"

namespace d2l::py {

PyTypeObject* tensor_type = nullptr;

namespace {

constexpr int kFreeMax = 256;
TensorObject* g_free[kFreeMax];
int g_free_count = 0;

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kUseFreeList = false;
#else
constexpr bool kUseFreeList = true;
#endif

// From now on the wrapper lives as long as the tensor (Note [Identity]).
void mark_stateful(TensorObject* self) {
  TensorImpl* impl = self->tensor.impl();
  if (!impl || impl->stateful_wrapper) return;
  impl->stateful_wrapper = true;
  if (impl->refs > 1) Py_INCREF(self);
}

TensorObject* allocate_object(PyTypeObject* type) {
  if (type == tensor_type && g_free_count > 0) {
    TensorObject* o = g_free[--g_free_count];
    Py_INCREF(type);
    (void)PyObject_Init(reinterpret_cast<PyObject*>(o), type);
    PyObject_GC_Track(o);
    return o;
  }
  auto* o = reinterpret_cast<TensorObject*>(type->tp_alloc(type, 0));
  if (!o) throw PythonError();
  new (&o->tensor) Tensor;
  return o;
}

PyObject* attach(PyTypeObject* type, Tensor t) {
  TensorObject* o = allocate_object(type);
  t->wrapper = o;
  o->tensor = std::move(t);
  if (type != tensor_type) mark_stateful(o);
  return reinterpret_cast<PyObject*>(o);
}

void dealloc(PyObject* self) {
  auto* o = reinterpret_cast<TensorObject*>(self);
  PyTypeObject* type = Py_TYPE(self);
  PyObject_GC_UnTrack(self);
  if (o->weakrefs) PyObject_ClearWeakRefs(self);
  Py_CLEAR(o->dict);
  if (TensorImpl* impl = o->tensor.impl()) {
    impl->wrapper = nullptr;
    impl->stateful_wrapper = false;
  }
  {
    Tensor gone = std::move(o->tensor);
  }
  if (kUseFreeList && type == tensor_type && g_free_count < kFreeMax) {
    g_free[g_free_count++] = o;
  } else {
    o->tensor.~Tensor();
    type->tp_free(self);
  }
  Py_DECREF(type);
}

int traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(reinterpret_cast<TensorObject*>(self)->dict);
  Py_VISIT(Py_TYPE(self));
  return traverse_graph(reinterpret_cast<TensorObject*>(self)->tensor, visit, arg);
}

int clear(PyObject* self) {
  Py_CLEAR(reinterpret_cast<TensorObject*>(self)->dict);
  clear_graph(reinterpret_cast<TensorObject*>(self)->tensor);
  return 0;
}

int setattro(PyObject* self, PyObject* name, PyObject* value) {
  const int status = PyObject_GenericSetAttr(self, name, value);
  auto* o = reinterpret_cast<TensorObject*>(self);
  if (o->dict) mark_stateful(o);
  return status;
}

PyObject* get_dict(PyObject* self, void*) {
  auto* o = reinterpret_cast<TensorObject*>(self);
  PyObject* dict = PyObject_GenericGetDict(self, nullptr);
  if (dict) mark_stateful(o);
  return dict;
}

// Called when the handles of a stateful tensor become two, or one again.
void shared(TensorImpl* impl) { Py_INCREF(static_cast<PyObject*>(impl->wrapper)); }
void unshared(TensorImpl* impl) { Py_DECREF(static_cast<PyObject*>(impl->wrapper)); }

Py_ssize_t length(PyObject* self) {
  return guarded<Py_ssize_t>(-1, [&]() -> Py_ssize_t {
    const Tensor& t = tensor_of(self);
    check<TypeError>(t.dim() > 0, "len() of a 0-d tensor");
    return t->shape[0];
  });
}

PyMemberDef members[] = {
    {"__weaklistoffset__", T_PYSSIZET, offsetof(TensorObject, weakrefs), READONLY, nullptr},
    {"__dictoffset__", T_PYSSIZET, offsetof(TensorObject, dict), READONLY, nullptr},
    {nullptr, 0, 0, 0, nullptr}};

}  // namespace

PyObject* wrap(Tensor t) {
  if (!t.defined()) Py_RETURN_NONE;
  if (t->wrapper) {
    auto* o = static_cast<PyObject*>(t->wrapper);
    Py_INCREF(o);
    return o;
  }
  return attach(tensor_type, std::move(t));
}

PyObject* wrap_as(PyTypeObject* type, Tensor t) {
  check<TypeError>(PyType_IsSubtype(type, tensor_type), "the class is not a subtype of Tensor");
  check(t->wrapper == nullptr, "the tensor has a Python object already");
  return attach(type, std::move(t));
}

void make_tensor_type(PyObject* module) {
  wrapper_hooks.shared = shared;
  wrapper_hooks.unshared = unshared;
  std::vector<PyType_Slot> slots = {
      {Py_tp_doc, const_cast<char*>("A multi-dimensional array of elements of one dtype.")},
      {Py_tp_new, reinterpret_cast<void*>(tensor_new)},
      {Py_tp_dealloc, reinterpret_cast<void*>(dealloc)},
      {Py_tp_traverse, reinterpret_cast<void*>(traverse)},
      {Py_tp_clear, reinterpret_cast<void*>(clear)},
      {Py_tp_setattro, reinterpret_cast<void*>(setattro)},
      {Py_tp_members, members},
      {Py_tp_methods, tensor_methods},
      {Py_mp_length, reinterpret_cast<void*>(length)},
      {Py_mp_subscript, reinterpret_cast<void*>(tensor_getitem)},
      {Py_mp_ass_subscript, reinterpret_cast<void*>(tensor_setitem)},
      {Py_sq_length, reinterpret_cast<void*>(length)},
#if PY_VERSION_HEX >= 0x03090000
      {Py_bf_getbuffer, reinterpret_cast<void*>(tensor_getbuffer)},
      {Py_bf_releasebuffer, reinterpret_cast<void*>(tensor_releasebuffer)},
#endif
  };
  std::vector<PyGetSetDef>* getset = new std::vector<PyGetSetDef>;  // lives as long as the type
  getset->push_back({"__dict__", get_dict, nullptr, nullptr, nullptr});
  for (PyGetSetDef* g = tensor_getset; g->name; ++g) getset->push_back(*g);
  getset->push_back({nullptr, nullptr, nullptr, nullptr, nullptr});
  slots.push_back({Py_tp_getset, getset->data()});
  for (PyType_Slot* s = number_slots; s->slot; ++s) slots.push_back(*s);
  slots.push_back({0, nullptr});
  PyType_Spec spec = {"d2lcore.Tensor", sizeof(TensorObject), 0,
                      Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC, slots.data()};
  Ref type = owned(PyType_FromSpec(&spec));
  tensor_type = reinterpret_cast<PyTypeObject*>(type.get());
  // Errors say 'Tensor', not 'd2lcore.Tensor'.
  succeed(
      PyObject_SetAttrString(type.get(), "__name__", owned(PyUnicode_FromString("Tensor")).get()));
  succeed(PyObject_SetAttrString(module, "Tensor", type.get()));
  type.release();  // never destroyed
}

}  // namespace d2l::py
