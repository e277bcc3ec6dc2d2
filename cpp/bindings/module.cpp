// The module d2lcore._C: everything is put together here; cold functions are pybind11's.
#include <pybind11/pybind11.h>

#include "autograd_types.h"
#include "binder.h"
#include "core/allocator.h"
#include "core/cpu.h"
#include "core/thread_pool.h"
#include "d2lcore/ops.h"
#include "dlpack.h"
#include "iter/map.h"
#include "optimisers.h"
#include "sequence.h"

namespace pyb = pybind11;

namespace d2l::py {

// Tensor() as a class: empty, of a shape, or of a sequence, always of the default dtype.
PyObject* tensor_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  return guarded([&] {
    check<TypeError>(!kwargs || PyDict_GET_SIZE(kwargs) == 0 || type != tensor_type,
                     "Tensor() takes no keyword arguments; use torch.tensor()");
    const Py_ssize_t n = PyTuple_GET_SIZE(args);
    Tensor t;
    std::vector<int64_t> shape;
    PyObject* first = n ? PyTuple_GET_ITEM(args, 0) : nullptr;
    if (n == 0) {
      t = empty(Dims{0}, default_dtype());
    } else if (n == 1 && (is_tensor(first) || PyList_Check(first) || is_ndarray(first))) {
      t = tensor_from(first, is_tensor(first) ? tensor_of(first).dtype() : default_dtype(), false);
    } else if (n == 1 && Py_TYPE(first) == size_type) {
      check<TypeError>(as_ints(first, shape), "Tensor(): the shape must be ints");
      t = empty(shape, default_dtype());
    } else if (n == 1 && PyTuple_Check(first)) {
      t = tensor_from(first, default_dtype());
    } else {
      check<TypeError>(as_ints(args, shape),
                       "Tensor(): expected a shape, a sequence or a tensor, got {}",
                       Py_TYPE(first)->tp_name);
      t = empty(shape, default_dtype());
    }
    return type == tensor_type ? wrap(std::move(t)) : wrap_as(type, detach(t));
  });
}

namespace {

// tensor(data, *, dtype=None, device=None, requires_grad=False, pin_memory=False), by vectorcall:
// it is called often enough.
struct NewArguments {
  PyObject* data = nullptr;
  std::optional<DType> dtype;
  bool requires_grad = false, copy = true;
};

NewArguments read_new(const char* name, PyObject* const* args, Py_ssize_t n, PyObject* kwnames,
                      bool positional) {
  NewArguments out;
  auto take = [&](const char* key, PyObject* value) {
    if (std::strcmp(key, "data") == 0 || std::strcmp(key, "obj") == 0) {
      out.data = value;
    } else if (std::strcmp(key, "dtype") == 0) {
      DType t;
      if (value == Py_None) return;
      check<TypeError>(as_dtype(value, t), "{}(): argument 'dtype' must be torch.dtype, not {}",
                       name, Py_TYPE(value)->tp_name);
      out.dtype = t;
    } else if (std::strcmp(key, "device") == 0) {
      check<TypeError>(value == Py_None || is_device(value),
                       "{}(): argument 'device' must be torch.device, not {}", name,
                       Py_TYPE(value)->tp_name);
    } else if (std::strcmp(key, "requires_grad") == 0) {
      check<TypeError>(PyBool_Check(value), "{}(): argument 'requires_grad' must be bool, not {}",
                       name, Py_TYPE(value)->tp_name);
      out.requires_grad = value == Py_True;
    } else if (std::strcmp(key, "copy") == 0 && positional) {
      out.copy = value == Py_True;
    } else {
      check<TypeError>(std::strcmp(key, "pin_memory") == 0,
                       "{}() got an unexpected keyword argument '{}'", name, key);
    }
  };
  check<TypeError>(n <= (positional ? 3 : 1), "{}() takes 1 positional argument but {} were given",
                   name, static_cast<int64_t>(n));
  const char* order[] = {"data", "dtype", "device"};
  for (Py_ssize_t i = 0; i < n; ++i) take(order[i], args[i]);
  for (Py_ssize_t k = 0; kwnames && k < PyTuple_GET_SIZE(kwnames); ++k) {
    take(PyUnicode_AsUTF8(PyTuple_GET_ITEM(kwnames, k)), args[n + k]);
  }
  check<TypeError>(out.data != nullptr, "{}() missing 1 required positional arguments: \"data\"",
                   name);
  return out;
}

PyObject* make_tensor(PyObject*, PyObject* const* args, Py_ssize_t n, PyObject* kwnames) {
  return guarded([&] {
    const NewArguments a = read_new("tensor", args, n, kwnames, false);
    Tensor t = tensor_from(a.data, a.dtype);
    if (a.requires_grad) t.set_requires_grad(true);
    return wrap(std::move(t));
  });
}

PyObject* as_tensor(PyObject*, PyObject* const* args, Py_ssize_t n, PyObject* kwnames) {
  return guarded([&] {
    NewArguments a = read_new("as_tensor", args, n, kwnames, true);
    // A tensor of the right dtype stays itself, in the graph.
    if (is_tensor(a.data))
      return wrap(to_dtype(tensor_of(a.data), a.dtype.value_or(tensor_of(a.data).dtype())));
    Tensor t = tensor_from(a.data, a.dtype, false);
    if (!t.storage()->writable) warn_read_only("NumPy array");
    return wrap(std::move(t));
  });
}

PyObject* from_numpy(PyObject*, PyObject* o) {
  return guarded([&] {
    check<TypeError>(is_ndarray(o), "expected np.ndarray (got {})", Py_TYPE(o)->tp_name);
    Tensor t = from_ndarray(o);
    if (!t.storage()->writable) warn_read_only("NumPy array");
    return wrap(std::move(t));
  });
}

template <class F>
PyCFunction function(F f) {
  return reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(f));
}

PyMethodDef functions[] = {
    {"tensor", function(make_tensor), METH_FASTCALL | METH_KEYWORDS,
     "tensor(data, *, dtype=None, device=None, requires_grad=False): a new tensor of a number, "
     "nested "
     "sequences, an array or a tensor; the dtype is inferred unless given.\n\nRaises ValueError "
     "for "
     "ragged sequences, TypeError for elements that are no numbers."},
    {"as_tensor", function(as_tensor), METH_FASTCALL | METH_KEYWORDS,
     "as_tensor(data, dtype=None, device=None): as tensor(), sharing memory where that is "
     "possible."},
    {"from_numpy", from_numpy, METH_O,
     "from_numpy(ndarray): a tensor over the array's memory, so that writing to one changes the "
     "other.\n\nRaises TypeError for what is no array or has a dtype that tensors do not have, "
     "ValueError for negative strides or strides that are no multiple of the element size. A "
     "read-only array gives a tensor that refuses to be written."},
    {nullptr, nullptr, 0, nullptr}};

DType dtype_argument(pyb::handle o) {
  DType t;
  check<TypeError>(as_dtype(o.ptr(), t), "expected a torch.dtype, got {}",
                   Py_TYPE(o.ptr())->tp_name);
  return t;
}
Tensor tensor_argument(pyb::handle o) {
  check<TypeError>(is_tensor(o.ptr()), "expected a Tensor, got {}", Py_TYPE(o.ptr())->tp_name);
  return tensor_of(o.ptr());
}
pyb::object take(PyObject* o) { return pyb::reinterpret_steal<pyb::object>(owned(o).release()); }

}  // namespace
}  // namespace d2l::py

PYBIND11_MODULE(_C, m) {
  using namespace d2l;
  using namespace d2l::py;
  pyb::register_exception_translator([](std::exception_ptr e) {
    try {
      if (e) std::rethrow_exception(e);
    } catch (const Error&) {
      set_python_error();
    } catch (const PythonError&) {
    }
  });
  try {
    isa();  // an unknown D2LCORE_ISA is an error at import
    linalg_error = PyErr_NewExceptionWithDoc("d2lcore.linalg.LinAlgError",
                                             "A linear-algebra function could not be computed.",
                                             PyExc_RuntimeError, nullptr);
    m.attr("LinAlgError") = pyb::reinterpret_borrow<pyb::object>(linalg_error);
    m.attr("_LinAlgError") = m.attr("LinAlgError");
    make_types(m.ptr());
    make_generator(m.ptr());
    make_tensor_type(m.ptr());
    make_functions(m.ptr());
    make_autograd(m.ptr());
    make_exchange(m.ptr());
    make_optimisers(m.ptr());
    succeed(PyModule_AddFunctions(m.ptr(), functions));
    provide_lapack();
  } catch (const PythonError&) {
    throw pyb::error_already_set();
  } catch (const Error& e) {
    throw pyb::import_error(e.what());
  }

  m.def("get_default_dtype", [] { return take(wrap(default_dtype())); });
  m.def(
      "set_default_dtype", [](pyb::object d) { set_default_dtype(dtype_argument(d)); },
      pyb::arg("d"));
  m.def(
      "promote_types",
      [](pyb::object a, pyb::object b) {
        return take(wrap(promote(dtype_argument(a), dtype_argument(b))));
      },
      pyb::arg("type1"), pyb::arg("type2"));
  m.def(
      "can_cast",
      [](pyb::object a, pyb::object b) { return can_cast(dtype_argument(a), dtype_argument(b)); },
      pyb::arg("from_"), pyb::arg("to"));
  m.def(
      "result_type",
      [](pyb::object a, pyb::object b) {
        auto as = [](pyb::object o) {
          Scalar s;
          if (as_scalar(o.ptr(), s)) return d2l::wrap(s);
          return tensor_argument(o);
        };
        const Tensor x = as(a), y = as(b);
        return take(wrap(result_type(x, y)));
      },
      pyb::arg("tensor1"), pyb::arg("tensor2"));
  m.def("get_num_threads", [] { return num_threads(); });
  m.def(
      "set_num_threads",
      [](int n) {
        check(n > 0, "set_num_threads expects a positive integer");
        set_num_threads(n);
      },
      pyb::arg("num"));
  m.def("memory_stats", [] {
    const MemoryStats s = memory_stats();
    pyb::dict d;
    d["allocated_bytes"] = s.allocated_bytes;
    d["peak_allocated_bytes"] = s.peak_allocated_bytes;
    d["cached_bytes"] = s.cached_bytes;
    d["reserved_bytes"] = s.reserved_bytes;
    d["allocation_count"] = s.allocation_count;
    d["cache_hit_count"] = s.cache_hit_count;
    return d;
  });
  m.def("empty_cache", [] { empty_cache(); });
  m.def("reset_peak_memory_stats", [] { reset_peak_memory_stats(); });
  m.def("_isa", [] {
    return isa() == Isa::Avx512 ? "avx512" : isa() == Isa::Avx2 ? "avx2" : "baseline";
  });
  m.def("is_tensor", [](pyb::object o) { return is_tensor(o.ptr()); }, pyb::arg("obj"));
  m.def("_op_rows", [] {
    // (namespace, schema, faces, doc) of every row: stubs and tests are made from it.
    pyb::list rows;
    for (const OpRow& row : OpTable::get().rows()) {
      rows.append(pyb::make_tuple(row.schema.space, row.schema.text, row.faces, row.doc));
    }
    return rows;
  });
}
