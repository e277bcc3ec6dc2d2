// NumPy's linear algebra as the core's LAPACK: tensors are handed over as arrays of the same
// memory, results come back the same way. numpy.linalg is imported when it is first needed.
#include "core/lapack.h"

#include "binder.h"
#include "sequence.h"

namespace d2l::py {
namespace {

// The functions may be called without the GIL held by this thread's caller: a LongOp, say.
class HoldGil {
 public:
  HoldGil() : state_(PyGILState_Ensure()) {}
  ~HoldGil() { PyGILState_Release(state_); }
  HoldGil(const HoldGil&) = delete;

 private:
  PyGILState_STATE state_;
};

// NumPy's LinAlgError becomes ours, with its words; other exceptions travel as they are.
[[noreturn]] void rethrow(PyObject* module) {
  Ref kind(PyObject_GetAttrString(module, "LinAlgError"));
  if (!kind || !PyErr_ExceptionMatches(kind.get())) throw PythonError();
  PyObject *type, *value, *trace;
  PyErr_Fetch(&type, &value, &trace);
  const Ref a(type), b(value), c(trace);
  Ref text(PyObject_Str(value));
  const char* words = text ? PyUnicode_AsUTF8(text.get()) : nullptr;
  if (!words) PyErr_Clear();
  fail<LinAlgError>("{}", words ? words : "did not converge");
}

std::vector<Tensor> call(const char* name, const Tensor& a, PyObject* kwargs) {
  Ref options = owned(kwargs);
  Ref module = owned(PyImport_ImportModule("numpy.linalg"));
  Ref function = owned(PyObject_GetAttrString(module.get(), name));
  Ref given = owned(wrap(raw_view(a, a.shape(), a.strides(), a.offset())));
  Ref array = owned(to_ndarray(given.get(), true));
  Ref args = owned(PyTuple_Pack(1, array.get()));
  Ref got(PyObject_Call(function.get(), args.get(), options.get()));
  if (!got) rethrow(module.get());
  std::vector<Tensor> out;
  if (!PyTuple_Check(got.get())) {
    out.push_back(from_ndarray(got.get()));
    return out;
  }
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(got.get()); ++i) {
    out.push_back(from_ndarray(PyTuple_GET_ITEM(got.get(), i)));
  }
  return out;
}

PyObject* flag(bool b) { return b ? Py_True : Py_False; }

std::vector<Tensor> svd(const Tensor& a, bool full_matrices, bool vectors) {
  const HoldGil held;
  return call("svd", a,
              Py_BuildValue("{s:O,s:O}", "full_matrices", flag(full_matrices), "compute_uv",
                            flag(vectors)));
}
std::vector<Tensor> eigh(const Tensor& a, bool upper, bool vectors) {
  const HoldGil held;
  return call(vectors ? "eigh" : "eigvalsh", a, Py_BuildValue("{s:s}", "UPLO", upper ? "U" : "L"));
}
std::vector<Tensor> eig(const Tensor& a, bool vectors) {
  const HoldGil held;
  return call(vectors ? "eig" : "eigvals", a, PyDict_New());
}
}  // namespace

void provide_lapack() {
  lapack_provider.svd = svd;
  lapack_provider.eigh = eigh;
  lapack_provider.eig = eig;
}

}  // namespace d2l::py
