// Reading nested sequences: the shape first, then the dtype, then the values.
#include "sequence.h"

#include <cstring>

#include "core/total.h"
#include "d2lcore/ops.h"
#include "iter/map.h"

namespace d2l::py {
namespace {

constexpr int kMaxDepth = 128;  // PyTorch's limit; a list that contains itself ends here

bool is_sequence(PyObject* o) {
  return PyList_Check(o) || PyTuple_Check(o) ||
         (PySequence_Check(o) && !PyUnicode_Check(o) && !PyBytes_Check(o) && !is_tensor(o) &&
          !is_number(o));
}

Ref fast(PyObject* o) {
  if (PyList_Check(o) || PyTuple_Check(o)) return Ref::borrow(o);
  Ref list(PySequence_List(o));
  if (!list) {
    PyErr_Clear();
    fail<ValueError>("could not determine the shape of object type '{}'", Py_TYPE(o)->tp_name);
  }
  return list;
}

// The shape by the first element of each level.
std::vector<int64_t> shape_of(PyObject* data) {
  std::vector<int64_t> shape;
  Ref at = Ref::borrow(data);
  while (true) {
    check<ValueError>(shape.size() <= kMaxDepth, "too many dimensions '{}'",
                      Py_TYPE(data)->tp_name);
    if (is_tensor(at.get())) {
      for (int64_t s : tensor_of(at.get()).shape()) shape.push_back(s);
      return shape;
    }
    if (!is_sequence(at.get())) return shape;
    Ref items = fast(at.get());
    const Py_ssize_t n = PySequence_Fast_GET_SIZE(items.get());
    shape.push_back(n);
    if (n == 0) return shape;
    at = Ref::borrow(PySequence_Fast_GET_ITEM(items.get(), 0));
  }
}

// What the numbers need: bool < int < float < complex; a tensor's own dtype counts too.
struct Inferred {
  bool any = false;
  DType dtype = DType::Bool;
  void add(DType t) {
    dtype = any ? promote(dtype, t) : t;
    any = true;
  }
};

void infer(PyObject* o, Inferred& out, int depth) {
  check<ValueError>(depth <= kMaxDepth, "too many dimensions '{}'", Py_TYPE(o)->tp_name);
  if (PyFloat_CheckExact(o)) return out.add(default_dtype());
  if (PyBool_Check(o)) return out.add(DType::Bool);
  if (PyLong_CheckExact(o)) return out.add(DType::Int64);
  if (is_tensor(o)) return out.add(tensor_of(o).dtype());
  Scalar s;
  if (is_number(o)) {
    // A NumPy scalar brings its own dtype, as in PyTorch.
    if (Ref dt = Ref(PyObject_GetAttrString(o, "dtype")); dt && !PyComplex_CheckExact(o)) {
      if (Ref text = Ref(PyObject_Str(dt.get()))) {
        const std::string_view name = PyUnicode_AsUTF8(text.get());
        for (int i = 0; i < kDTypeCount; ++i) {
          if (d2l::name(static_cast<DType>(i)) == name) return out.add(static_cast<DType>(i));
        }
      }
    }
    PyErr_Clear();
    as_scalar(o, s);
    return out.add(s.dtype());
  }
  check<TypeError>(!PyUnicode_Check(o) && !PyBytes_Check(o), "new(): invalid data type '{}'",
                   Py_TYPE(o)->tp_name);
  check(is_sequence(o), "Could not infer dtype of {}", Py_TYPE(o)->tp_name);
  Ref items = fast(o);
  for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(items.get()); ++i) {
    Ref item = Ref::borrow(PySequence_Fast_GET_ITEM(items.get(), i));
    infer(item.get(), out, depth + 1);
  }
}

struct Filler {
  DType dtype;
  const std::vector<int64_t>& shape;
  char* at;
  int64_t size;

  void number(PyObject* o) {
    if (dtype == DType::Float && PyFloat_CheckExact(o)) {
      *reinterpret_cast<float*>(at) = static_cast<float>(PyFloat_AS_DOUBLE(o));
    } else {
      Scalar s;
      if (!as_scalar(o, s)) {
        if (PyUnicode_Check(o) || PyBytes_Check(o)) {
          fail<TypeError>("new(): invalid data type '{}'", Py_TYPE(o)->tp_name);
        }
        fail<TypeError>("must be real number, not {}", Py_TYPE(o)->tp_name);
      }
      check<TypeError>(!s.is_complex() || is_complex(dtype) || dtype == DType::Bool, "{}",
                       is_floating(dtype) ? "must be real number, not complex"
                                          : "'complex' object cannot be interpreted as an integer");
      if (dtype != DType::Bool) check_fits(s, dtype);
      store_scalar(at, dtype, s);
    }
    at += size;
  }

  void fill(PyObject* o, size_t depth) {
    if (is_tensor(o)) {
      const Tensor t = tensor_of(o);
      const IntList rest(shape.data() + depth, shape.size() - depth);
      check<ValueError>(d2l::equal(t.shape(), rest) || (t.numel() == 1 && rest.empty()),
                        "only one element tensors can be converted to Python scalars");
      const Tensor flat = contiguous(to_dtype(detach(t), dtype));
      const int64_t bytes = flat.nbytes();
      if (bytes) std::memcpy(at, flat.data(), static_cast<size_t>(bytes));
      at += bytes;
      return;
    }
    if (depth == shape.size()) {
      check<ValueError>(!is_sequence(o) || is_number(o),
                        "expected a number at dim {}, got a sequence ({})",
                        static_cast<int64_t>(depth), Py_TYPE(o)->tp_name);
      number(o);
      return;
    }
    check<TypeError>(is_sequence(o), "not a sequence");
    Ref items = fast(o);
    const Py_ssize_t n = PySequence_Fast_GET_SIZE(items.get());
    check<ValueError>(n == shape[depth], "expected sequence of length {} at dim {} (got {})",
                      shape[depth], static_cast<int64_t>(depth), static_cast<int64_t>(n));
    for (Py_ssize_t i = 0; i < n; ++i) {
      // Conversions may run code that changes a list.
      check<ValueError>(i < PySequence_Fast_GET_SIZE(items.get()), "the sequence changed size");
      Ref item = Ref::borrow(PySequence_Fast_GET_ITEM(items.get(), i));
      fill(item.get(), depth + 1);
    }
  }
};

}  // namespace

Tensor tensor_from(PyObject* data, std::optional<DType> dtype, bool copy) {
  if (is_tensor(data)) {
    const Tensor t = detach(tensor_of(data));
    return to_dtype(t, dtype.value_or(t.dtype()), copy);
  }
  if (is_ndarray(data)) {
    const Tensor t = from_ndarray(data);
    return to_dtype(t, dtype.value_or(t.dtype()), copy);
  }
  check<TypeError>(!PyUnicode_Check(data) && !PyBytes_Check(data), "new(): invalid data type '{}'",
                   Py_TYPE(data)->tp_name);
  const std::vector<int64_t> shape = shape_of(data);
  check<ValueError>(shape.size() <= kMaxDims, "too many dimensions '{}'", Py_TYPE(data)->tp_name);
  if (!dtype) {
    Inferred inferred;
    infer(data, inferred, 0);
    dtype = inferred.any ? inferred.dtype : default_dtype();
  }
  Tensor out = empty(shape, *dtype);
  Filler filler{*dtype, shape, out.data(), itemsize(*dtype)};
  filler.fill(data, 0);
  return out;
}

namespace {

PyObject* element(const char* p, DType t) {
  switch (t) {
    case DType::Float:
      return PyFloat_FromDouble(*reinterpret_cast<const float*>(p));
    case DType::Double:
      return PyFloat_FromDouble(*reinterpret_cast<const double*>(p));
    case DType::Int64:
      return PyLong_FromLongLong(*reinterpret_cast<const int64_t*>(p));
    default:
      return wrap_scalar(load_scalar(p, t));
  }
}

Ref list_of(const Tensor& t, const char* p, int64_t dim) {
  if (dim == t.dim()) return owned(element(p, t.dtype()));
  const int64_t n = t->shape[dim], step = t->strides[dim] * t.item_bytes();
  Ref list = owned(PyList_New(n));
  for (int64_t i = 0; i < n; ++i) {
    PyList_SET_ITEM(list.get(), i, list_of(t, p + i * step, dim + 1).release());
  }
  return list;
}

}  // namespace

void warn_read_only(const char* what) {
  Ref module = owned(PyImport_ImportModule("d2lcore._interop"));
  owned(PyObject_CallMethod(module.get(), "_warn_read_only", "s", what));
}

PyObject* to_list(const Tensor& t) {
  return list_of(t, t.numel() ? t.data() : nullptr, 0).release();
}

}  // namespace d2l::py
