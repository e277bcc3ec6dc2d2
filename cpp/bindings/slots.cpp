// Number slots, comparison, truth, iteration: what operators on tensors call, without the binder.
#include "binder.h"
#include "d2lcore/ops.h"
#include "ops/inplace.h"
#include "sequence.h"
#include "watch.h"

namespace d2l::py {
namespace {

using Binary = Tensor (*)(const Tensor&, const Tensor&);

// A tensor, or a number as one; false for what some other type may know better.
bool operand(PyObject* o, Tensor& out) {
  if (is_tensor(o)) {
    out = tensor_of(o);
    return true;
  }
  Scalar s;
  if (!as_scalar(o, s)) return false;
  out = d2l::wrap(s);
  return true;
}

// What errstate calls the op of an operator.
const char* operator_name(const void* op);

PyObject* watched(const void* op, PyObject* a, PyObject* b, PyObject* result) {
  if (!watchers) [[likely]]
    return result;
  Ref keep = owned(result);
  PyObject* args[] = {a, b};
  inspect_result(operator_name(op), args, b ? 2 : 1, result);
  return keep.release();
}

template <Binary F>
PyObject* binary(PyObject* a, PyObject* b) {
  return guarded([&]() -> PyObject* {
    constexpr auto op = F;
    const auto* name = reinterpret_cast<const void*>(op);
    if (is_tensor(a) && is_tensor(b)) {
      return watched(name, a, b, wrap(F(tensor_of(a), tensor_of(b))));
    }
    Tensor x, y;
    if (!operand(a, x) || !operand(b, y)) Py_RETURN_NOTIMPLEMENTED;
    return watched(name, a, b, wrap(F(x, y)));
  });
}

template <Tensor (*F)(const Tensor&)>
PyObject* unary(PyObject* a) {
  return guarded([&] {
    constexpr auto op = F;
    return watched(reinterpret_cast<const void*>(op), a, nullptr, wrap(F(tensor_of(a))));
  });
}

// a op= b through the row of that name.
PyObject* inplace(const OpRow& row, PyObject* a, PyObject* b) {
  return guarded([&]() -> PyObject* {
    Tensor y;
    if (!is_tensor(a) || !operand(b, y)) Py_RETURN_NOTIMPLEMENTED;
    Value args[Frame::kParams];
    args[0].kind = args[1].kind = Value::Kind::Tensor;
    args[0].ptr = &tensor_of(a);
    args[1].ptr = &y;
    for (size_t i = 2; i < row.schema.params.size(); ++i)
      set_default(row.schema.params[i], args[i]);
    Ref result = owned(call_inplace(row, args, a));
    PyObject* given[] = {a, b};
    if (watchers) [[unlikely]]
      inspect_result((row.schema.name + "_").c_str(), given, 2, result.get());
    return result.release();
  });
}
#define INPLACE(slot, op)                    \
  PyObject* slot(PyObject* a, PyObject* b) { \
    static const OpRow& row = find_row(op);  \
    return inplace(row, a, b);               \
  }

Tensor add2(const Tensor& a, const Tensor& b) { return add(a, b, Scalar(1)); }
Tensor sub2(const Tensor& a, const Tensor& b) { return sub(a, b, Scalar(1)); }
Tensor mul2(const Tensor& a, const Tensor& b) { return mul(a, b, Dst()); }
Tensor div2(const Tensor& a, const Tensor& b) { return div(a, b, Dst()); }
Tensor pow2(const Tensor& a, const Tensor& b) { return pow(a, b, Dst()); }
Tensor rem2(const Tensor& a, const Tensor& b) { return remainder(a, b); }
Tensor floordiv2(const Tensor& a, const Tensor& b) { return floor_divide(a, b); }
Tensor and2(const Tensor& a, const Tensor& b) { return bitwise_and(a, b); }
Tensor or2(const Tensor& a, const Tensor& b) { return bitwise_or(a, b); }
Tensor xor2(const Tensor& a, const Tensor& b) { return bitwise_xor(a, b); }
Tensor lshift2(const Tensor& a, const Tensor& b) { return shift_left(a, b); }
Tensor rshift2(const Tensor& a, const Tensor& b) { return shift_right(a, b); }
Tensor eq2(const Tensor& a, const Tensor& b) { return eq(a, b); }
Tensor ne2(const Tensor& a, const Tensor& b) { return ne(a, b); }
Tensor lt2(const Tensor& a, const Tensor& b) { return lt(a, b); }
Tensor le2(const Tensor& a, const Tensor& b) { return le(a, b); }
Tensor gt2(const Tensor& a, const Tensor& b) { return gt(a, b); }
Tensor ge2(const Tensor& a, const Tensor& b) { return ge(a, b); }
Tensor neg1(const Tensor& a) { return neg(a); }
Tensor abs1(const Tensor& a) { return abs(a); }
Tensor not1(const Tensor& a) {
  check<TypeError>(is_integral_or_bool(a.dtype()),
                   "~ (operator.invert) is only implemented on integer and Boolean-type tensors");
  return bitwise_not(a);
}

PyObject* matmul_slot(PyObject* a, PyObject* b);

const char* operator_name(const void* op) {
  const auto is = [op](auto* f) { return op == reinterpret_cast<const void*>(f); };
  if (is(add2)) return "add";
  if (is(sub2)) return "sub";
  if (is(mul2)) return "mul";
  if (is(div2)) return "div";
  if (is(pow2)) return "pow";
  if (is(rem2)) return "remainder";
  if (is(floordiv2)) return "floor_divide";
  if (is(neg1)) return "neg";
  if (is(abs1)) return "abs";
  if (is(matmul_slot)) return "matmul";
  return "operator";
}

INPLACE(iadd, "add")
INPLACE(isub, "sub")
INPLACE(imul, "mul")
INPLACE(idiv, "true_divide")
INPLACE(ifloordiv, "floor_divide")
INPLACE(irem, "remainder")
INPLACE(iand, "bitwise_and")
INPLACE(ior, "bitwise_or")
INPLACE(ixor, "bitwise_xor")
INPLACE(ilshift, "bitwise_left_shift")
INPLACE(irshift, "bitwise_right_shift")
PyObject* ipow(PyObject* a, PyObject* b, PyObject*) {
  static const OpRow& row = find_row("pow");
  return inplace(row, a, b);
}

// Other operators leave arrays to NumPy, whose result __array_wrap__ makes a tensor again; these
// three it hands over to us.
PyObject* divide(PyObject* a, PyObject* b) {
  if (is_tensor(a) || !is_ndarray(a)) return binary<div2>(a, b);
  return guarded([&] { return wrap(div2(from_ndarray(a), tensor_of(b))); });
}
template <Binary F>
PyObject* equality(PyObject* a, PyObject* b) {
  if (!is_ndarray(b)) return binary<F>(a, b);
  return guarded([&] { return wrap(F(tensor_of(a), from_ndarray(b))); });
}

PyObject* power(PyObject* a, PyObject* b, PyObject*) { return binary<pow2>(a, b); }

PyObject* matmul_slot(PyObject* a, PyObject* b) {
  return guarded([&]() -> PyObject* {
    if (!is_tensor(a) || !is_tensor(b)) Py_RETURN_NOTIMPLEMENTED;
    return watched(reinterpret_cast<const void*>(matmul_slot), a, b,
                   wrap(matmul(tensor_of(a), tensor_of(b))));
  });
}

PyObject* positive_slot(PyObject* a) {
  return guarded([&] {
    check(tensor_of(a).dtype() != DType::Bool,
          "The `+` operator, on a bool tensor is not supported.");
    Py_INCREF(a);
    return a;
  });
}

int truth(PyObject* a) {
  return guarded<int>(-1, [&] {
    const Tensor& t = tensor_of(a);
    check(t.numel() != 0, "Boolean value of Tensor with no values is ambiguous");
    check(t.numel() == 1, "Boolean value of Tensor with more than one value is ambiguous");
    return item(t).to_bool() ? 1 : 0;
  });
}

// The element as a real Python number; `type` is what the message calls the wanted one.
Ref real_number(PyObject* a, const char* type) {
  const Scalar number = item(tensor_of(a));
  check(number.imag() == 0, "value cannot be converted to type {} without overflow", type);
  return owned(wrap_scalar(number.is_complex() ? Scalar(number.real()) : number));
}
PyObject* to_int(PyObject* a) {
  return guarded([&] { return owned(PyNumber_Long(real_number(a, "int64_t").get())).release(); });
}
PyObject* to_float(PyObject* a) {
  return guarded([&] { return owned(PyNumber_Float(real_number(a, "double").get())).release(); });
}
PyObject* to_index(PyObject* a) {
  return guarded([&] {
    const Tensor& t = tensor_of(a);
    check<TypeError>(t.numel() == 1 && is_integral_or_bool(t.dtype()),
                     "only integer tensors of a single element can be converted to an index");
    return owned(PyLong_FromLongLong(item(t).to_int())).release();
  });
}

PyObject* compare(PyObject* a, PyObject* b, int op) {
  switch (op) {
    case Py_EQ:
      return equality<eq2>(a, b);
    case Py_NE:
      return equality<ne2>(a, b);
    case Py_LT:
      return binary<lt2>(a, b);
    case Py_LE:
      return binary<le2>(a, b);
    case Py_GT:
      return binary<gt2>(a, b);
    default:
      return binary<ge2>(a, b);
  }
}

// id(a), as in PyTorch.
Py_hash_t hash(PyObject* a) { return static_cast<Py_hash_t>(reinterpret_cast<intptr_t>(a)); }

PyObject* iterate(PyObject* a) {
  return guarded([&] {
    const Tensor& t = tensor_of(a);
    check<TypeError>(t.dim() > 0, "iteration over a 0-d tensor");
    std::vector<Tensor> rows = unbind(t, 0);
    Ref tuple = owned(PyTuple_New(static_cast<Py_ssize_t>(rows.size())));
    for (size_t i = 0; i < rows.size(); ++i) {
      PyTuple_SET_ITEM(tuple.get(), static_cast<Py_ssize_t>(i), wrap(std::move(rows[i])));
    }
    return owned(PyObject_GetIter(tuple.get())).release();
  });
}

int contains(PyObject* a, PyObject* element) {
  return guarded<int>(-1, [&] {
    Tensor x;
    check(
        operand(element, x),
        "Tensor.__contains__ only supports Tensor or scalar, but you passed in a {}.",
        PyUnicode_AsUTF8(owned(PyObject_Str(reinterpret_cast<PyObject*>(Py_TYPE(element)))).get()));
    return item(any(eq(tensor_of(a), x))).to_bool() ? 1 : 0;
  });
}

// Printing is Python's (d2lcore/_tensor_str.py), loaded when it is first needed.
PyObject* repr(PyObject* a) {
  return guarded([&] {
    tensor_of(a);
    Ref module = owned(PyImport_ImportModule("d2lcore._tensor_str"));
    return owned(PyObject_CallMethod(module.get(), "tensor_repr", "O", a)).release();
  });
}

template <class F>
constexpr void* slot(F f) {
  return reinterpret_cast<void*>(f);
}

}  // namespace

PyType_Slot number_slots[] = {{Py_nb_add, slot(binary<add2>)},
                              {Py_nb_subtract, slot(binary<sub2>)},
                              {Py_nb_multiply, slot(binary<mul2>)},
                              {Py_nb_true_divide, slot(divide)},
                              {Py_nb_floor_divide, slot(binary<floordiv2>)},
                              {Py_nb_remainder, slot(binary<rem2>)},
                              {Py_nb_power, slot(power)},
                              {Py_nb_and, slot(binary<and2>)},
                              {Py_nb_or, slot(binary<or2>)},
                              {Py_nb_xor, slot(binary<xor2>)},
                              {Py_nb_lshift, slot(binary<lshift2>)},
                              {Py_nb_rshift, slot(binary<rshift2>)},
                              {Py_nb_matrix_multiply, slot(matmul_slot)},
                              {Py_nb_negative, slot(unary<neg1>)},
                              {Py_nb_positive, slot(positive_slot)},
                              {Py_nb_absolute, slot(unary<abs1>)},
                              {Py_nb_invert, slot(unary<not1>)},
                              {Py_nb_bool, slot(truth)},
                              {Py_nb_int, slot(to_int)},
                              {Py_nb_float, slot(to_float)},
                              {Py_nb_index, slot(to_index)},
                              {Py_nb_inplace_add, slot(iadd)},
                              {Py_nb_inplace_subtract, slot(isub)},
                              {Py_nb_inplace_multiply, slot(imul)},
                              {Py_nb_inplace_true_divide, slot(idiv)},
                              {Py_nb_inplace_floor_divide, slot(ifloordiv)},
                              {Py_nb_inplace_remainder, slot(irem)},
                              {Py_nb_inplace_power, slot(ipow)},
                              {Py_nb_inplace_and, slot(iand)},
                              {Py_nb_inplace_or, slot(ior)},
                              {Py_nb_inplace_xor, slot(ixor)},
                              {Py_nb_inplace_lshift, slot(ilshift)},
                              {Py_nb_inplace_rshift, slot(irshift)},
                              {Py_tp_richcompare, slot(compare)},
                              {Py_tp_hash, slot(hash)},
                              {Py_tp_iter, slot(iterate)},
                              {Py_tp_repr, slot(repr)},
                              {Py_sq_contains, slot(contains)},
                              {0, nullptr}};

}  // namespace d2l::py
