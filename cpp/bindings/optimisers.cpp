// Steps of torch.optim as Python calls: lists of tensors in, everything written in place.
#include "optimisers.h"

#include "binder.h"
#include "convert.h"
#include "d2lcore/ops.h"

namespace d2l::py {
namespace {

std::vector<Tensor> tensor_vector(PyObject* list, bool optional) {
  check<TypeError>(PyList_Check(list) || PyTuple_Check(list), "expected a list of tensors");
  std::vector<Tensor> out;
  for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(list); ++i) {
    PyObject* o = PySequence_Fast_GET_ITEM(list, i);
    if (optional && o == Py_None) {
      out.emplace_back();
      continue;
    }
    check<TypeError>(is_tensor(o), "expected a list of tensors, got {}", Py_TYPE(o)->tp_name);
    out.push_back(tensor_of(o));
  }
  return out;
}

// A Python number or a tensor of one element.
double number(const char* name, PyObject* o) {
  Scalar s;
  if (is_tensor(o)) return item(tensor_of(o)).real();
  check<TypeError>(as_scalar(o, s), "{}(): expected a number, got {}", name, Py_TYPE(o)->tp_name);
  return s.real();
}

// _sgd_step(params, grads, momentum_buffers, lr, momentum, dampening, weight_decay, nesterov,
// maximize)
PyObject* py_sgd_step(PyObject*, PyObject* const* args, Py_ssize_t n) {
  return guarded([&] {
    check<TypeError>(n == 9, "_sgd_step() takes 9 arguments");
    auto value = [&](int i) { return number("_sgd_step", args[i]); };
    const std::vector<Tensor> params = tensor_vector(args[0], false);
    const std::vector<Tensor> grads = tensor_vector(args[1], false);
    const std::vector<Tensor> buffers = tensor_vector(args[2], true);
    std::vector<Tensor> out =
        sgd_step(params, grads, buffers, value(3), value(4), value(5), value(6),
                 PyObject_IsTrue(args[7]) == 1, PyObject_IsTrue(args[8]) == 1);
    Ref list = owned(PyList_New(static_cast<Py_ssize_t>(out.size())));
    for (size_t i = 0; i < out.size(); ++i) {
      PyList_SET_ITEM(list.get(), static_cast<Py_ssize_t>(i), wrap(std::move(out[i])));
    }
    return list.release();
  });
}

// _adam_step(params, grads, exp_avgs, exp_avg_sqs, max_exp_avg_sqs, steps, lr, beta1, beta2,
//            weight_decay, eps, amsgrad, maximize, decoupled)
PyObject* py_adam_step(PyObject*, PyObject* const* args, Py_ssize_t n) {
  return guarded([&]() -> PyObject* {
    check<TypeError>(n == 14, "_adam_step() takes 14 arguments");
    auto value = [](PyObject* o) { return number("_adam_step", o); };
    check<TypeError>(PyList_Check(args[5]), "_adam_step(): steps must be a list");
    std::vector<double> steps;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(args[5]); ++i) {
      steps.push_back(value(PyList_GET_ITEM(args[5], i)));
    }
    adam_step(tensor_vector(args[0], false), tensor_vector(args[1], false),
              tensor_vector(args[2], false), tensor_vector(args[3], false),
              tensor_vector(args[4], true), steps, value(args[6]), value(args[7]), value(args[8]),
              value(args[9]), value(args[10]), PyObject_IsTrue(args[11]) == 1,
              PyObject_IsTrue(args[12]) == 1, PyObject_IsTrue(args[13]) == 1);
    Py_RETURN_NONE;
  });
}

// _rule_step(rule, params, grads, [states, ...], [(number, ...), ...], maximize)
PyObject* py_rule_step(PyObject*, PyObject* const* args, Py_ssize_t n) {
  return guarded([&]() -> PyObject* {
    check<TypeError>(n == 6, "_rule_step() takes 6 arguments");
    const char* rule = PyUnicode_Check(args[0]) ? PyUnicode_AsUTF8(args[0]) : nullptr;
    check<TypeError>(rule != nullptr, "_rule_step(): the rule must be a str");
    check<TypeError>(PyList_Check(args[3]) && PyList_Check(args[4]),
                     "_rule_step(): states and numbers must be lists");
    std::vector<std::vector<Tensor>> states;
    for (Py_ssize_t k = 0; k < PyList_GET_SIZE(args[3]); ++k) {
      states.push_back(tensor_vector(PyList_GET_ITEM(args[3], k), false));
    }
    std::vector<RuleNumbers> numbers;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(args[4]); ++i) {
      const Ref row = Ref::borrow(PyList_GET_ITEM(args[4], i));
      RuleNumbers& to = numbers.emplace_back(RuleNumbers{});
      check<TypeError>(PyTuple_Check(row.get()) &&
                           PyTuple_GET_SIZE(row.get()) <= static_cast<Py_ssize_t>(to.size()),
                       "_rule_step(): the numbers must be tuples of at most {}",
                       static_cast<int64_t>(to.size()));
      for (Py_ssize_t k = 0; k < PyTuple_GET_SIZE(row.get()); ++k) {
        to[static_cast<size_t>(k)] = number("_rule_step", PyTuple_GET_ITEM(row.get(), k));
      }
    }
    rule_step(rule, tensor_vector(args[1], false), tensor_vector(args[2], false), states, numbers,
              PyObject_IsTrue(args[5]) == 1);
    Py_RETURN_NONE;
  });
}

template <class F>
PyCFunction function(F f) {
  return reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(f));
}

PyMethodDef functions[] = {{"_sgd_step", function(py_sgd_step), METH_FASTCALL, nullptr},
                           {"_adam_step", function(py_adam_step), METH_FASTCALL, nullptr},
                           {"_rule_step", function(py_rule_step), METH_FASTCALL, nullptr},
                           {nullptr, nullptr, 0, nullptr}};

}  // namespace

void make_optimisers(PyObject* module) { succeed(PyModule_AddFunctions(module, functions)); }

}  // namespace d2l::py
