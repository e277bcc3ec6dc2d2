// Small helpers between CPython and C++: owned references, exceptions in both directions.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#ifdef Py_GIL_DISABLED
#error "d2lcore relies on the GIL: free-threaded builds of Python are not supported"
#endif

#include <utility>

#include "d2lcore/error.h"

namespace d2l::py {

// An owned reference.
class Ref {
 public:
  Ref() = default;
  explicit Ref(PyObject* owned) : p_(owned) {}
  static Ref borrow(PyObject* p) {
    Py_XINCREF(p);
    return Ref(p);
  }
  Ref(const Ref& o) : p_(o.p_) { Py_XINCREF(p_); }
  Ref(Ref&& o) noexcept : p_(std::exchange(o.p_, nullptr)) {}
  Ref& operator=(Ref o) noexcept {
    std::swap(p_, o.p_);
    return *this;
  }
  ~Ref() { Py_XDECREF(p_); }
  PyObject* get() const { return p_; }
  PyObject* release() { return std::exchange(p_, nullptr); }
  explicit operator bool() const { return p_ != nullptr; }

 private:
  PyObject* p_ = nullptr;
};

// A Python exception is set; it travels through C++ as this.
struct PythonError {};

// The owned result of a C-API call; throws PythonError when it is null.
inline Ref owned(PyObject* p) {
  if (!p) throw PythonError();
  return Ref(p);
}
inline void succeed(int status) {
  if (status < 0) throw PythonError();
}

// Turns the C++ exception in flight into a Python one. Called in a catch (...) block.
void set_python_error() noexcept;

// Runs f at a C entry point: exceptions become Python's, the result `failure`.
template <class R, class F>
R guarded(R failure, F&& f) noexcept {
  try {
    return f();
  } catch (...) {
    set_python_error();
    return failure;
  }
}
template <class F>
PyObject* guarded(F&& f) noexcept {
  return guarded<PyObject*>(nullptr, std::forward<F>(f));
}

// torch.linalg.LinAlgError, set when the module is made.
extern PyObject* linalg_error;

}  // namespace d2l::py
