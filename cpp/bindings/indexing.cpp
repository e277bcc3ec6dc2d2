// x[...] and x[...] = v: ints, slices, None, Ellipsis, masks and index tensors.
//
// The parts that are views are applied as views, one after the other; what remains are index
// tensors, one for each dimension that has one, for index() and index_put().
#include "autograd/meta.h"
#include "convert.h"
#include "core/total.h"
#include "d2lcore/ops.h"
#include "iter/map.h"
#include "ops/inplace.h"
#include "sequence.h"
#include "watch.h"

namespace d2l::py {
namespace {

int64_t clamp_index(PyObject* o, int64_t none) {
  if (o == Py_None) return none;
  Ref index = owned(PyNumber_Index(o));
  int overflow = 0;
  const long long x = PyLong_AsLongLongAndOverflow(index.get(), &overflow);
  if (x == -1 && PyErr_Occurred()) throw PythonError();
  return overflow > 0 ? INT64_MAX : overflow < 0 ? INT64_MIN + 1 : x;
}

Tensor apply_slice(const Tensor& t, int64_t dim, PyObject* o) {
  auto* s = reinterpret_cast<PySliceObject*>(o);
  const int64_t step = clamp_index(s->step, 1);
  check<ValueError>(step > 0, "step must be greater than zero");
  const int64_t start = clamp_index(s->start, 0), end = clamp_index(s->stop, INT64_MAX);
  return slice(t, dim, start, end, step);
}

Tensor apply_int(const Tensor& t, int64_t dim, int64_t index) {
  check<IndexError>(t.dim() > 0,
                    "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or "
                    "`tensor.item<T>()` in C++ to convert a 0-dim tensor to a number");
  const int64_t n = t->shape[dim];
  check<IndexError>(index >= -n && index < n,
                    "index {} is out of bounds for dimension {} with size {}", index, dim, n);
  return select(t, dim, index);
}

bool is_plain_int(PyObject* o) { return PyLong_CheckExact(o); }

// The items of an index: a tuple's, or the one object. A list stands for a tuple when it holds
// slices, None, Ellipsis or tensors (NumPy's old rule).
std::vector<Ref> items_of(PyObject* index) {
  std::vector<Ref> items;
  bool spread = PyTuple_Check(index);
  if (PyList_Check(index)) {
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(index); ++i) {
      PyObject* o = PyList_GET_ITEM(index, i);
      spread |= PySlice_Check(o) || o == Py_None || o == Py_Ellipsis ||
                (is_tensor(o) && tensor_of(o).dim() > 0);
    }
  }
  if (!spread) {
    items.push_back(Ref::borrow(index));
    return items;
  }
  for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(index); ++i) {
    items.push_back(Ref::borrow(PySequence_Fast_GET_ITEM(index, i)));
  }
  return items;
}

// How many dimensions an item uses up.
int64_t consumes(PyObject* o) {
  if (o == Py_None || o == Py_Ellipsis || PyBool_Check(o)) return 0;
  if (is_tensor(o)) {
    const Tensor& t = tensor_of(o);
    if (t.dtype() == DType::Bool || t.dtype() == DType::UInt8) return t.dim();
  }
  return 1;
}

struct Parsed {
  Tensor view;
  std::vector<Tensor> indices;  // undefined: full slice
  bool advanced = false;
};

Tensor index_tensor(PyObject* o) {
  if (is_tensor(o)) return tensor_of(o);
  Tensor t = tensor_from(o, {}, false);
  // An empty list selects nothing.
  if (t.numel() == 0 && is_floating(t.dtype())) return to_dtype(t, DType::Int64);
  return t;
}

Parsed parse(const Tensor& self, PyObject* index) {
  const std::vector<Ref> items = items_of(index);
  int64_t used = 0;
  bool ellipsis = false;
  for (const Ref& o : items) {
    const bool list = PyList_Check(o.get()) || PyTuple_Check(o.get());
    if (o.get() == Py_Ellipsis) {
      check<IndexError>(!ellipsis, "an index can only have a single ellipsis ('...')");
      ellipsis = true;
    }
    used += list ? 1 : consumes(o.get());
  }
  check<IndexError>(used <= self.dim(), "too many indices for tensor of dimension {}", self.dim());
  Parsed p;
  p.view = self;
  int64_t dim = 0;
  auto add = [&](Tensor t) {
    p.indices.resize(static_cast<size_t>(dim));
    p.indices.push_back(std::move(t));
    p.advanced = true;
  };
  for (const Ref& ref : items) {
    PyObject* o = ref.get();
    int64_t i;
    if (PySlice_Check(o)) {
      p.view = apply_slice(p.view, dim++, o);
    } else if (o == Py_None) {
      p.view = unsqueeze(p.view, dim++);
    } else if (o == Py_Ellipsis) {
      dim += self.dim() - used;
    } else if (PyBool_Check(o)) {
      p.view = unsqueeze(p.view, dim);
      add(scalar_tensor(Scalar(o == Py_True), DType::Bool));
      // A 0-d mask for the new dimension of one element.
      p.indices.back() = unsqueeze(p.indices.back(), 0);
      ++dim;
    } else if (is_tensor(o)) {
      const Tensor& t = tensor_of(o);
      if (t.dim() == 0 && is_integral(t.dtype()) && t.dtype() != DType::UInt8) {
        p.view = apply_int(p.view, dim, item(t).to_int());
      } else if (t.dim() == 0 && (t.dtype() == DType::Bool || t.dtype() == DType::UInt8)) {
        p.view = unsqueeze(p.view, dim);
        add(unsqueeze(to_dtype(t, DType::Bool), 0));
        ++dim;
      } else {
        add(t);
        dim += consumes(o);
      }
    } else if (is_ndarray(o)) {
      const Tensor t = index_tensor(o);
      if (t.dim() == 0 && is_integral(t.dtype())) {
        p.view = apply_int(p.view, dim, item(t).to_int());
      } else if (t.dim() == 0 && t.dtype() == DType::Bool) {
        p.view = unsqueeze(p.view, dim);
        add(unsqueeze(t, 0));
        ++dim;
      } else {
        add(t);
        dim += consumes(o);
      }
    } else if (as_int(o, i)) {
      p.view = apply_int(p.view, dim, i);
    } else if (PyIndex_Check(o)) {
      p.view = apply_int(p.view, dim, clamp_index(o, 0));
    } else if (PySequence_Check(o) && !PyUnicode_Check(o) && !PyBytes_Check(o)) {
      Tensor t = index_tensor(o);
      const int64_t n = t.dtype() == DType::Bool ? t.dim() : 1;
      check<IndexError>(used - 1 + n <= self.dim(), "too many indices for tensor of dimension {}",
                        self.dim());
      add(t);
      dim += n;
    } else {
      fail<IndexError>(
          "only integers, slices (`:`), ellipsis (`...`), None and long or byte "
          "Variables are valid indices (got {})",
          Py_TYPE(o)->tp_name);
    }
  }
  return p;
}

// The value of an assignment as a tensor; a number takes the dtype of what it is assigned to.
Tensor value_of(PyObject* value, const Tensor& self) {
  if (is_tensor(value)) return tensor_of(value);
  Scalar s;
  check<TypeError>(as_scalar(value, s), "can't assign a {} to a torch.{}Tensor",
                   Py_TYPE(value)->tp_name, scalar_name(self.dtype()));
  if (self.dtype() != DType::Bool) check_fits(s, self.dtype());
  return scalar_tensor(s, self.dtype());
}

// value without leading dimensions of one element that the target has not.
Tensor strip(Tensor value, const Tensor& target) {
  while (value.dim() > target.dim() && value->shape[0] == 1) value = select(value, 0, 0);
  return value;
}

void assign(const Tensor& view, const Tensor& value) {
  const Tensor v = strip(value, view);
  const bool grads = GradMode::enabled() && (view.requires_grad() || v.requires_grad());
  const Dims shape = broadcast_shapes(view.shape(), v.shape());
  check(
      equal(shape, view.shape()),
      "shape mismatch: value tensor of shape {} cannot be broadcast to indexing result of shape {}",
      v.shape(), view.shape());
  run_inplace(
      view, "copy_", grads, [&](const Tensor& copy) { return copy_from(copy, v); },
      [&](const Tensor& t) { copy_into(t, v); });
}

}  // namespace

PyObject* tensor_getitem(PyObject* self, PyObject* index) {
  return guarded([&] {
    if (watchers && any_batched(&index, 1)) [[unlikely]] {
      PyObject* args[] = {self, index};
      Ref name = owned(PyUnicode_FromString("__getitem__"));
      if (PyObject* got = call_batched(name.get(), args, 2, nullptr, false)) return got;
    }
    const Tensor& t = tensor_of(self);
    if (is_plain_int(index)) return wrap(apply_int(t, 0, clamp_index(index, 0)));
    if (PySlice_Check(index)) {
      check<IndexError>(t.dim() > 0, "slice() cannot be applied to a 0-dim tensor.");
      return wrap(apply_slice(t, 0, index));
    }
    // Ints only (a[1, 2]): straight selects.
    if (PyTuple_CheckExact(index)) {
      const Py_ssize_t n = PyTuple_GET_SIZE(index);
      bool ints = n > 0 && n <= t.dim();
      for (Py_ssize_t i = 0; i < n && ints; ++i) ints = is_plain_int(PyTuple_GET_ITEM(index, i));
      if (ints && !(GradMode::enabled() && t.requires_grad())) {
        int64_t offset = t.offset();
        for (Py_ssize_t i = 0; i < n; ++i) {
          const int64_t x = clamp_index(PyTuple_GET_ITEM(index, i), 0), size = t->shape[i];
          check<IndexError>(x >= -size && x < size,
                            "index {} is out of bounds for dimension {} with size {}", x,
                            static_cast<int64_t>(i), size);
          offset += (x < 0 ? x + size : x) * t->strides[i];
        }
        Tensor out = raw_view(t, t.shape().subspan(static_cast<size_t>(n)),
                              t.strides().subspan(static_cast<size_t>(n)), offset);
        set_base(out, t);
        return wrap(std::move(out));
      }
    }
    const Tensor keep = t;  // an index's __index__ may run any code
    Parsed p = parse(keep, index);
    if (p.advanced) return wrap(d2l::index(p.view, p.indices));
    return wrap(p.view.is(keep) ? alias(keep) : std::move(p.view));
  });
}

int tensor_setitem(PyObject* self, PyObject* index, PyObject* value) {
  return guarded<int>(-1, [&] {
    check<TypeError>(value != nullptr, "Tensor does not support deleting items");
    const Tensor t = tensor_of(self);
    Parsed p;
    if (is_plain_int(index)) {
      p.view = apply_int(t, 0, clamp_index(index, 0));
    } else {
      p = parse(t, index);
    }
    const Tensor v = value_of(value, t);
    if (!p.advanced) {
      assign(p.view.is(t) ? alias(t) : p.view, v);
      return 0;
    }
    const bool grads = GradMode::enabled() && (p.view.requires_grad() || v.requires_grad());
    const Tensor cast = v.dtype() == t.dtype() ? v : to_dtype(v, t.dtype());
    run_inplace(
        p.view, "index_put_", grads,
        [&](const Tensor& copy) { return index_put(copy, p.indices, cast); },
        [&](const Tensor& target) { index_put_into(target, p.indices, cast); });
    return 0;
  });
}

}  // namespace d2l::py
