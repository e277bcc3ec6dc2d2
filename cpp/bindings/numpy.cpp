// NumPy: arrays and tensors over one memory. NumPy is imported when it is first needed.
#define NPY_NO_DEPRECATED_API NPY_1_7_API_VERSION
#include <numpy/arrayobject.h>

#include "d2lcore/ops.h"
#include "iter/map.h"
#include "sequence.h"

namespace d2l::py {
namespace {

void load_numpy() {
  if (PyArray_API == nullptr && _import_array() < 0) throw PythonError();
}

int type_number(DType t) {
  switch (t) {
    case DType::Bool:
      return NPY_BOOL;
    case DType::UInt8:
      return NPY_UINT8;
    case DType::Int8:
      return NPY_INT8;
    case DType::Int16:
      return NPY_INT16;
    case DType::Int32:
      return NPY_INT32;
    case DType::Int64:
      return NPY_INT64;
    case DType::Half:
      return NPY_HALF;
    case DType::Float:
      return NPY_FLOAT;
    case DType::Double:
      return NPY_DOUBLE;
    case DType::ComplexFloat:
      return NPY_CFLOAT;
    case DType::ComplexDouble:
      return NPY_CDOUBLE;
    default:
      fail<TypeError>("Got unsupported ScalarType {}", t);
  }
}

DType dtype_of(PyArrayObject* a) {
  const int number = PyArray_TYPE(a);
  for (int i = 0; i < kDTypeCount; ++i) {
    const DType t = static_cast<DType>(i);
    if (t != DType::BFloat16 && PyArray_EquivTypenums(number, type_number(t))) return t;
  }
  // ml_dtypes has a bfloat16 for NumPy.
  PyArray_Descr* descr = PyArray_DESCR(a);
  Ref text = owned(PyObject_Str(reinterpret_cast<PyObject*>(descr)));
  if (std::string_view(PyUnicode_AsUTF8(text.get())) == "bfloat16") return DType::BFloat16;
  fail<TypeError>(
      "can't convert np.ndarray of type {}. The only supported types are: float64, "
      "float32, float16, complex64, complex128, int64, int32, int16, int8, uint8, and "
      "bool.",
      descr->typeobj->tp_name);
}

// The memory's owner is an array; it may be let go by any thread.
void release_array(void* array) {
  if (!Py_IsInitialized()) return;
  const PyGILState_STATE state = PyGILState_Ensure();
  Py_DECREF(static_cast<PyObject*>(array));
  PyGILState_Release(state);
}

// Frees the pin that an array holds on a tensor's storage.
void unpin(PyObject* capsule) {
  auto* t = static_cast<Tensor*>(PyCapsule_GetPointer(capsule, "d2lcore.pin"));
  --t->storage()->pins;
  delete t;
}

}  // namespace

bool is_ndarray(PyObject* o) {
  // Without numpy loaded nothing is an array.
  static PyObject* name = PyUnicode_InternFromString("numpy");
  if (PyLong_Check(o) || PyFloat_Check(o) || PyList_Check(o) || PyTuple_Check(o)) return false;
  PyObject* modules = PyImport_GetModuleDict();
  if (!PyDict_GetItemWithError(modules, name)) return false;
  load_numpy();
  return PyArray_Check(o);
}

Tensor from_ndarray(PyObject* o) {
  auto* a = reinterpret_cast<PyArrayObject*>(o);
  const DType dtype = dtype_of(a);
  check<ValueError>(PyArray_ISNOTSWAPPED(a),
                    "given numpy array has byte order different from the native byte order. "
                    "Conversion between byte orders is currently not supported.");
  const int n = PyArray_NDIM(a);
  Dims shape(n, 0), strides(n, 0);
  const int64_t size = itemsize(dtype);
  int64_t extent = PyArray_SIZE(a) ? 1 : 0;
  for (int i = 0; i < n; ++i) {
    shape[i] = PyArray_DIM(a, i);
    const int64_t bytes = PyArray_STRIDE(a, i);
    check<ValueError>(bytes >= 0 || shape[i] <= 1,
                      "At least one stride in the given numpy array is negative, and tensors with "
                      "negative strides are not currently supported. (You can probably work around "
                      "this by making a copy of your array  with array.copy().) ");
    check<ValueError>(bytes % size == 0 || shape[i] <= 1,
                      "given numpy array strides not a multiple of the element byte size. Copy the "
                      "numpy array to reallocate the memory.");
    strides[i] = bytes < 0 || bytes % size ? 1 : bytes / size;
    if (extent) extent += (shape[i] - 1) * strides[i];
  }
  Py_INCREF(o);
  StoragePtr storage =
      StoragePtr::borrow(PyArray_DATA(a), extent * size, PyArray_ISWRITEABLE(a), release_array, o);
  return from_storage(std::move(storage), shape, strides, 0, dtype);
}

PyObject* to_ndarray(PyObject* object, bool force) {
  const Tensor& t = tensor_of(object);
  check(force || !t.requires_grad(),
        "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.");
  const int type = type_number(t.dtype());
  load_numpy();
  npy_intp shape[kMaxDims], strides[kMaxDims];
  for (int i = 0; i < t.dim(); ++i) {
    shape[i] = t->shape[i];
    strides[i] = t->strides[i] * t.item_bytes();
  }
  const int flags = t.storage()->writable ? NPY_ARRAY_WRITEABLE : 0;
  static char nothing[16];
  Ref array = owned(PyArray_New(&PyArray_Type, static_cast<int>(t.dim()), shape, type, strides,
                                t.storage()->data ? t.data() : nothing, 0, flags, nullptr));
  // The array owns a handle, and the storage is not resized while it does.
  auto* keep = new Tensor(raw_view(t, t.shape(), t.strides(), t.offset()));
  ++t.storage()->pins;
  PyObject* capsule = PyCapsule_New(keep, "d2lcore.pin", unpin);
  if (!capsule) {
    --t.storage()->pins;
    delete keep;
    throw PythonError();
  }
  succeed(PyArray_SetBaseObject(reinterpret_cast<PyArrayObject*>(array.get()), capsule));
  return array.release();
}

namespace {

const char* buffer_format(DType t) {
  switch (t) {
    case DType::Bool:
      return "?";
    case DType::UInt8:
      return "B";
    case DType::Int8:
      return "b";
    case DType::Int16:
      return "h";
    case DType::Int32:
      return "i";
    case DType::Int64:
      return "q";
    case DType::Half:
      return "e";
    case DType::Float:
      return "f";
    case DType::Double:
      return "d";
    case DType::ComplexFloat:
      return "Zf";
    case DType::ComplexDouble:
      return "Zd";
    default:
      fail<BufferError>("{} has no format in the buffer protocol", t);
  }
}

struct BufferState {
  Tensor tensor;
  Py_ssize_t shape[kMaxDims], strides[kMaxDims];
};

}  // namespace

int tensor_getbuffer(PyObject* self, Py_buffer* view, int flags) {
  view->obj = nullptr;
  return guarded<int>(-1, [&] {
    const Tensor& t = tensor_of(self);
    check<BufferError>(
        !t.requires_grad(),
        "Can't take the buffer of a Tensor that requires grad. Use tensor.detach().");
    check<BufferError>(!(flags & PyBUF_WRITABLE) || t.storage()->writable,
                       "the memory of the tensor is read-only");
    const bool strided = (flags & PyBUF_STRIDES) == PyBUF_STRIDES;
    check<BufferError>(t.is_contiguous() || strided, "the tensor is not contiguous");
    check<BufferError>(t.is_contiguous() || (flags & PyBUF_C_CONTIGUOUS) != PyBUF_C_CONTIGUOUS,
                       "the tensor is not C-contiguous");
    const char* format = buffer_format(t.dtype());
    auto* state = new BufferState{raw_view(t, t.shape(), t.strides(), t.offset()), {}, {}};
    for (int i = 0; i < t.dim(); ++i) {
      state->shape[i] = t->shape[i];
      state->strides[i] = t->strides[i] * t.item_bytes();
    }
    static char nothing[16];
    view->buf = t.storage()->data ? t.data() : nothing;
    view->len = t.nbytes();
    view->readonly = !t.storage()->writable;
    view->itemsize = t.item_bytes();
    view->format = flags & PyBUF_FORMAT ? const_cast<char*>(format) : nullptr;
    view->ndim = static_cast<int>(t.dim());
    view->shape = flags & PyBUF_ND ? state->shape : nullptr;
    view->strides = strided ? state->strides : nullptr;
    view->suboffsets = nullptr;
    view->internal = state;
    ++t.storage()->pins;
    Py_INCREF(self);
    view->obj = self;
    return 0;
  });
}

void tensor_releasebuffer(PyObject*, Py_buffer* view) {
  auto* state = static_cast<BufferState*>(view->internal);
  --state->tensor.storage()->pins;
  delete state;
}

}  // namespace d2l::py
