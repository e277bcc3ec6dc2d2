// saved_tensors_hooks: Python functions that turn saved tensors into something else and back.
//
// Each thread has a stack of pairs; the top one counts. What pack() returned lives in the node's
// SavedTensor, together with the unpack() of its pair.
#include "saved_hooks.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "autograd/saved.h"
#include "tensor_type.h"

namespace d2l::py {
namespace {

struct Pair {
  Ref pack, unpack;
};
// Never destroyed: a thread may end after the interpreter did.
std::vector<Pair>& stack() {
  thread_local auto* pairs = new std::vector<Pair>;
  return *pairs;
}
std::optional<std::string>& forbidden() {
  thread_local auto* message = new std::optional<std::string>;
  return *message;
}

class Packed final : public PackedTensor {
 public:
  Packed(Ref unpack, Ref object) : unpack_(std::move(unpack)), object_(std::move(object)) {}
  Tensor unpack() override {
    Ref got = owned(PyObject_CallFunctionObjArgs(unpack_.get(), object_.get(), nullptr));
    check<TypeError>(is_tensor(got.get()),
                     "Output of saved tensor unpack_hook expected to be a Tensor but got result of "
                     "type {}",
                     Py_TYPE(got.get())->tp_name);
    return tensor_of(got.get());
  }

 private:
  Ref unpack_, object_;
};

std::unique_ptr<PackedTensor> pack(const Tensor& t) {
  if (stack().empty()) return nullptr;
  const Pair top = stack().back();
  const uint32_t version = t.version();
  Ref given = owned(wrap(t));
  Ref got = owned(PyObject_CallFunctionObjArgs(top.pack.get(), given.get(), nullptr));
  check(t.version() == version,
        "A saved tensor pack hook is modifying its input in place. Tensors provided as input to "
        "pack hook cannot be modified by in-place operations as this can lead to unexpected "
        "side-effects. Please open an issue if you need to perform in-place operations on the "
        "input to a pack hook.");
  return std::make_unique<Packed>(top.unpack, std::move(got));
}

PyObject* push(PyObject*, PyObject* args) {
  return guarded([&]() -> PyObject* {
    PyObject *pack, *unpack;
    if (!PyArg_ParseTuple(args, "OO:_push_saved_tensors_hooks", &pack, &unpack)) {
      throw PythonError();
    }
    if (forbidden()) fail("{}", *forbidden());
    stack().push_back({Ref::borrow(pack), Ref::borrow(unpack)});
    ++SavedTensorHooks::active;
    Py_RETURN_NONE;
  });
}
PyObject* pop(PyObject*, PyObject*) {
  return guarded([&]() -> PyObject* {
    check(!stack().empty(), "there are no hooks for saved tensors");
    const Pair gone = std::move(stack().back());
    stack().pop_back();
    --SavedTensorHooks::active;
    Py_RETURN_NONE;
  });
}
// Sets the error that pushing hooks gives (None: no error); returns the one before.
PyObject* forbid(PyObject*, PyObject* message) {
  return guarded([&]() -> PyObject* {
    Ref before =
        forbidden() ? owned(PyUnicode_FromString(forbidden()->c_str())) : Ref::borrow(Py_None);
    if (message == Py_None) {
      forbidden().reset();
    } else {
      const char* text = PyUnicode_AsUTF8(message);
      if (!text) throw PythonError();
      forbidden() = text;
    }
    return before.release();
  });
}

PyMethodDef functions[] = {{"_push_saved_tensors_hooks", push, METH_VARARGS, nullptr},
                           {"_pop_saved_tensors_hooks", pop, METH_NOARGS, nullptr},
                           {"_forbid_saved_tensors_hooks", forbid, METH_O, nullptr},
                           {nullptr, nullptr, 0, nullptr}};

}  // namespace

void make_saved_hooks(PyObject* module) {
  SavedTensorHooks::pack = pack;
  succeed(PyModule_AddFunctions(module, functions));
}

}  // namespace d2l::py
