// One function per parameter type, and the defaults.
#include "convert.h"

#include <charconv>
#include <cstring>

#include "d2lcore/ops.h"

namespace d2l::py {
namespace {

// NumPy's scalars, recognised by their type's name: numpy itself is not imported for this.
enum class NumpyScalar { No, Bool, Int, Float, Complex };
NumpyScalar numpy_scalar(PyObject* o) {
  const char* name = Py_TYPE(o)->tp_name;
  if (std::strncmp(name, "numpy.", 6) != 0) return NumpyScalar::No;
  name += 6;
  if (std::strncmp(name, "bool", 4) == 0) return NumpyScalar::Bool;
  if (std::strncmp(name, "int", 3) == 0 || std::strncmp(name, "uint", 4) == 0 ||
      std::strncmp(name, "long", 4) == 0) {
    return std::strncmp(name, "longdouble", 10) == 0 ? NumpyScalar::Float : NumpyScalar::Int;
  }
  if (std::strncmp(name, "float", 5) == 0) return NumpyScalar::Float;
  if (std::strncmp(name, "complex", 7) == 0) return NumpyScalar::Complex;
  return NumpyScalar::No;
}

int64_t long_value(PyObject* o) {
  int overflow = 0;
  const long long x = PyLong_AsLongLongAndOverflow(o, &overflow);
  if (overflow) {
    PyErr_SetString(PyExc_OverflowError, "int too big to convert to a 64-bit integer");
    throw PythonError();
  }
  if (x == -1 && PyErr_Occurred()) throw PythonError();
  return x;
}

}  // namespace

bool is_number(PyObject* o) {
  return PyFloat_Check(o) || PyLong_Check(o) || PyComplex_Check(o) ||
         numpy_scalar(o) != NumpyScalar::No;
}

bool as_scalar(PyObject* o, Scalar& out) {
  if (PyFloat_Check(o)) {
    out = Scalar(PyFloat_AS_DOUBLE(o));
    return true;
  }
  if (PyBool_Check(o)) {
    out = Scalar(o == Py_True);
    return true;
  }
  if (PyLong_Check(o)) {
    out = Scalar(long_value(o));
    return true;
  }
  if (PyComplex_Check(o)) {
    out = Scalar(PyComplex_RealAsDouble(o), PyComplex_ImagAsDouble(o));
    return true;
  }
  switch (numpy_scalar(o)) {
    case NumpyScalar::No:
      return false;
    case NumpyScalar::Bool: {
      const int truth = PyObject_IsTrue(o);
      succeed(truth);
      out = Scalar(truth != 0);
      return true;
    }
    case NumpyScalar::Int:
      out = Scalar(long_value(owned(PyNumber_Index(o)).get()));
      return true;
    case NumpyScalar::Float:
      out = Scalar(PyFloat_AsDouble(owned(PyNumber_Float(o)).get()));
      return true;
    case NumpyScalar::Complex: {
      const Py_complex c = PyComplex_AsCComplex(o);
      if (c.real == -1 && PyErr_Occurred()) throw PythonError();
      out = Scalar(c.real, c.imag);
      return true;
    }
  }
  return false;
}

bool as_int(PyObject* o, int64_t& out) {
  if (PyLong_CheckExact(o)) {
    out = long_value(o);
    return true;
  }
  if (PyBool_Check(o)) return false;
  if (PyLong_Check(o)) {
    out = long_value(o);
    return true;
  }
  if (is_tensor(o)) {
    const Tensor& t = tensor_of(o);
    if (t.dim() != 0 || !is_integral(t.dtype())) return false;
    out = item(t).to_int();
    return true;
  }
  if (numpy_scalar(o) == NumpyScalar::Int) {
    out = long_value(owned(PyNumber_Index(o)).get());
    return true;
  }
  return false;
}

bool as_ints(PyObject* o, std::vector<int64_t>& out) {
  if (!PyTuple_Check(o) && !PyList_Check(o)) return false;
  for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(o); ++i) {
    int64_t x;
    Ref item = Ref::borrow(PySequence_Fast_GET_ITEM(o, i));
    if (!as_int(item.get(), x)) return false;
    out.push_back(x);
  }
  return true;
}

bool as_dtype(PyObject* o, DType& out) {
  if (Py_TYPE(o) == dtype_type) {
    out = reinterpret_cast<DTypeObject*>(o)->value;
  } else if (o == reinterpret_cast<PyObject*>(&PyFloat_Type)) {
    out = DType::Double;
  } else if (o == reinterpret_cast<PyObject*>(&PyLong_Type)) {
    out = DType::Int64;
  } else if (o == reinterpret_cast<PyObject*>(&PyBool_Type)) {
    out = DType::Bool;
  } else if (o == reinterpret_cast<PyObject*>(&PyComplex_Type)) {
    out = DType::ComplexDouble;
  } else {
    return false;
  }
  return true;
}

PyObject* wrap_scalar(const Scalar& s) {
  switch (s.kind()) {
    case Scalar::Kind::Bool:
      return PyBool_FromLong(s.to_bool());
    case Scalar::Kind::Int:
      return PyLong_FromLongLong(s.to_int());
    case Scalar::Kind::Float:
      return PyFloat_FromDouble(s.real());
    default:
      return PyComplex_FromDoubles(s.real(), s.imag());
  }
}

namespace {

void set(Value& v, const Scalar& s) {
  switch (s.kind()) {
    case Scalar::Kind::Bool:
      v.kind = Value::Kind::Bool;
      v.i = s.to_bool();
      break;
    case Scalar::Kind::Int:
      v.kind = Value::Kind::Int;
      v.i = s.to_int();
      v.f = s.real();
      break;
    case Scalar::Kind::Float:
      v.kind = Value::Kind::Float;
      v.f = s.real();
      break;
    case Scalar::Kind::Complex:
      v.kind = Value::Kind::Complex;
      v.f = s.real();
      v.im = s.imag();
      break;
  }
}

bool to_tensor(PyObject* o, bool numbers, Frame& frame, Value& v) {
  v.kind = Value::Kind::Tensor;
  if (is_tensor(o)) {
    v.ptr = &tensor_of(o);
    return true;
  }
  if (!numbers || frame.wrapped_count == 6) return false;
  Scalar s;
  if (!as_scalar(o, s)) return false;
  Tensor& t = frame.wrapped[frame.wrapped_count++];
  t = d2l::wrap(s);
  v.ptr = &t;
  return true;
}

bool to_tensor_list(PyObject* o, Frame& frame, Value& v) {
  if (!PyTuple_Check(o) && !PyList_Check(o)) return false;
  std::vector<Tensor> tensors;
  for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(o); ++i) {
    PyObject* item = PySequence_Fast_GET_ITEM(o, i);
    if (!is_tensor(item)) return false;
    tensors.push_back(tensor_of(item));
  }
  Frame::Spill& spill = frame.add_spill();
  spill.tensors = std::move(tensors);
  v.kind = Value::Kind::TensorList;
  v.ptr = spill.tensors.data();
  v.n = static_cast<int64_t>(spill.tensors.size());
  return true;
}

bool to_int_list(PyObject* o, const Param& p, Frame& frame, Value& v) {
  v.kind = Value::Kind::IntList;
  int64_t x;
  if (PyTuple_Check(o) || PyList_Check(o)) {
    const Py_ssize_t n = PySequence_Fast_GET_SIZE(o);
    if (frame.ints_used + n > Frame::kInts) {
      Frame::Spill& spill = frame.add_spill();
      if (!as_ints(o, spill.ints)) return false;
      v.ptr = spill.ints.data();
      v.n = static_cast<int64_t>(spill.ints.size());
      return true;
    }
    int64_t* out = frame.ints + frame.ints_used;
    frame.ints_used += static_cast<int>(n);
    for (Py_ssize_t i = 0; i < n; ++i) {
      // __index__ may run Python code that changes a list.
      if (i >= PySequence_Fast_GET_SIZE(o)) return false;
      Ref item = Ref::borrow(PySequence_Fast_GET_ITEM(o, i));
      if (!as_int(item.get(), out[i])) return false;
    }
    v.ptr = out;
    v.n = n;
    return true;
  }
  if (!p.single || !as_int(o, x)) return false;
  if (frame.ints_used == Frame::kInts) return false;
  frame.ints[frame.ints_used] = x;
  v.ptr = frame.ints + frame.ints_used++;
  v.n = 1;
  return true;
}

bool to_float_list(PyObject* o, Frame& frame, Value& v) {
  if (!PyTuple_Check(o) && !PyList_Check(o)) return false;
  std::vector<double> out;
  for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(o); ++i) {
    Scalar s;
    Ref item = Ref::borrow(PySequence_Fast_GET_ITEM(o, i));
    if (!as_scalar(item.get(), s)) return false;
    out.push_back(s.real());
  }
  Frame::Spill& spill = frame.add_spill();
  spill.doubles = std::move(out);
  v.kind = Value::Kind::FloatList;
  v.ptr = spill.doubles.data();
  v.n = static_cast<int64_t>(spill.doubles.size());
  return true;
}

// A number, or a 0-d tensor that stands for one.
bool to_scalar(PyObject* o, Scalar& s) {
  if (as_scalar(o, s)) return true;
  if (!is_tensor(o)) return false;
  const Tensor& t = tensor_of(o);
  if (t.dim() != 0 || t.requires_grad()) return false;
  s = item(t);
  return true;
}

}  // namespace

bool convert(PyObject* o, const Param& p, bool numbers, Frame& frame, Value& v) {
  if (o == Py_None) {
    v.kind = Value::Kind::None;
    return p.optional;
  }
  Scalar s;
  switch (p.type) {
    case ParamType::Tensor:
      return to_tensor(o, numbers, frame, v);
    case ParamType::TensorList:
      return to_tensor_list(o, frame, v);
    case ParamType::Scalar:
      if (!to_scalar(o, s)) return false;
      set(v, s);
      return true;
    case ParamType::Int:
      v.kind = Value::Kind::Int;
      return as_int(o, v.i);
    case ParamType::Float:
      if (!to_scalar(o, s) || s.is_complex()) return false;
      v.kind = Value::Kind::Float;
      v.f = s.real();
      return true;
    case ParamType::Bool:
      v.kind = Value::Kind::Bool;
      if (PyBool_Check(o)) {
        v.i = o == Py_True;
        return true;
      }
      if (numpy_scalar(o) != NumpyScalar::Bool) return false;
      v.i = PyObject_IsTrue(o) == 1;
      return true;
    case ParamType::IntList:
      return to_int_list(o, p, frame, v);
    case ParamType::FloatList:
      return to_float_list(o, frame, v);
    case ParamType::DType: {
      DType t;
      if (!as_dtype(o, t)) return false;
      v.kind = Value::Kind::DType;
      v.i = static_cast<int64_t>(t);
      return true;
    }
    case ParamType::Layout:
      v.kind = Value::Kind::Other;
      return Py_TYPE(o) == layout_type;
    case ParamType::Device:
      v.kind = Value::Kind::Other;
      return is_device(o);
    case ParamType::MemoryFormat:
      v.kind = Value::Kind::Other;
      if (Py_TYPE(o) != memory_format_type) return false;
      v.i = static_cast<int64_t>(memory_format_of(o));
      return true;
    case ParamType::String: {
      if (!PyUnicode_Check(o)) return false;
      Py_ssize_t n;
      v.kind = Value::Kind::String;
      v.ptr = PyUnicode_AsUTF8AndSize(o, &n);
      if (!v.ptr) throw PythonError();
      v.n = n;
      return true;
    }
    case ParamType::Generator:
      if (Py_TYPE(o) != generator_type) return false;
      v.kind = Value::Kind::Generator;
      v.ptr = reinterpret_cast<GeneratorObject*>(o)->generator;
      return true;
  }
  return false;
}

void set_default(const Param& p, Value& v) {
  const std::string& text = p.default_text;
  v = Value();
  if (text == "None") return;
  const char *begin = text.data(), *end = begin + text.size();
  switch (p.type) {
    case ParamType::Bool:
      v.kind = Value::Kind::Bool;
      v.i = text == "True";
      return;
    case ParamType::Int:
      v.kind = Value::Kind::Int;
      std::from_chars(begin, end, v.i);
      return;
    case ParamType::Float:
      v.kind = Value::Kind::Float;
      std::from_chars(begin, end, v.f);
      return;
    case ParamType::Scalar:
      if (text == "True" || text == "False") {
        set(v, Scalar(text == "True"));
      } else if (text.find_first_of(".e") == std::string::npos) {
        int64_t i = 0;
        std::from_chars(begin, end, i);
        set(v, Scalar(i));
      } else {
        double f = 0;
        std::from_chars(begin, end, f);
        set(v, Scalar(f));
      }
      return;
    case ParamType::String:
      v.kind = Value::Kind::String;
      v.ptr = begin + 1;  // without the quotes
      v.n = static_cast<int64_t>(text.size()) - 2;
      return;
    case ParamType::IntList: {
      auto* list = new std::vector<int64_t>;  // lives as long as the table
      for (const char* at = begin; at < end;) {
        if (*at == '-' || (*at >= '0' && *at <= '9')) {
          at = std::from_chars(at, end, list->emplace_back()).ptr;
        } else {
          ++at;
        }
      }
      v.kind = Value::Kind::IntList;
      v.ptr = list->data();
      v.n = static_cast<int64_t>(list->size());
      return;
    }
    default:
      return;
  }
}

}  // namespace d2l::py
