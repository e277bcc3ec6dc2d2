// Attributes and methods of Tensor that are no ops: geometry, flags, gradients, conversion to
// Python.
#include "autograd/meta.h"
#include "autograd_types.h"
#include "binder.h"
#include "d2lcore/autograd.h"
#include "d2lcore/ops.h"
#include "ops/inplace.h"
#include "sequence.h"

namespace d2l::py {
namespace {

#define GETTER(name, ...)                 \
  PyObject* name(PyObject* self, void*) { \
    return guarded([&]() -> PyObject* {   \
      const Tensor& t = tensor_of(self);  \
      __VA_ARGS__                         \
    });                                   \
  }

GETTER(get_shape, return wrap_size(t.shape());)
GETTER(get_dtype, return wrap(t.dtype());)
GETTER(get_device, (void)t; return cpu_device();)
GETTER(get_layout, (void)t;
       return owned(PyObject_GetAttrString(owned(PyImport_ImportModule("d2lcore._C")).get(),
                                           "strided"))
           .release();)
GETTER(get_ndim, return PyLong_FromLongLong(t.dim());)
GETTER(get_requires_grad, return PyBool_FromLong(t.requires_grad());)
GETTER(get_is_leaf, return PyBool_FromLong(t.is_leaf());)
GETTER(get_grad_quietly, return wrap(t.grad());)
GETTER(
    get_grad, if (!t.is_leaf() && !t.grad().defined() && !t->autograd->retains_grad) {
      constexpr const char* text =
          "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad "
          "attribute won't be populated during autograd.backward(). If you indeed want the .grad "
          "field "
          "to be populated for a non-leaf Tensor, use .retain_grad() on the non-leaf Tensor. If "
          "you "
          "access the non-leaf Tensor by mistake, make sure you access the leaf Tensor instead. "
          "See "
          "github.com/pytorch/pytorch/pull/30531 for more information.";
      succeed(PyErr_WarnEx(PyExc_UserWarning, text, 1));
    } return wrap(t.grad());)
GETTER(get_grad_fn, return wrap_node(grad_fn_of(t));)
GETTER(get_output_nr, grad_fn_of(t);
       return PyLong_FromLong(t->autograd ? t->autograd->output_nr : 0);)
GETTER(get_data, return wrap(data_of(t));)
GETTER(get_T, return wrap(numpy_T(t));)
GETTER(get_mT, return wrap(mT(t));)
GETTER(get_H, return wrap(matrix_H(t));)
GETTER(get_mH, return wrap(mH(t));)
GETTER(get_real, return wrap(real(t));)
GETTER(get_imag, return wrap(imag(t));)
GETTER(get_version, check(!t.is_inference(), "Inference tensors do not track version counter.");
       return PyLong_FromUnsignedLong(t.version());)
GETTER(get_itemsize, return PyLong_FromLongLong(t.item_bytes());)
GETTER(get_nbytes, return PyLong_FromLongLong(t.nbytes());)
GETTER(get_retains_grad, return PyBool_FromLong(t->autograd && t->autograd->retains_grad);)
GETTER(get_false, (void)t; Py_RETURN_FALSE;)
GETTER(get_base, return t->base ? wrap(Tensor(t->base)) : wrap(Tensor());)

int set_requires_grad(PyObject* self, PyObject* value, void*) {
  return guarded<int>(-1, [&] {
    check<TypeError>(value != nullptr, "cannot delete requires_grad");
    check(PyBool_Check(value), "requires_grad must be a bool");
    tensor_of(self).set_requires_grad(value == Py_True);
    return 0;
  });
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  return out;
}

int set_grad(PyObject* self, PyObject* value, void*) {
  return guarded<int>(-1, [&] {
    const Tensor& t = tensor_of(self);
    if (!value || value == Py_None) {
      t.set_grad(Tensor());
      return 0;
    }
    check<TypeError>(is_tensor(value),
                     "assigned grad expected to be a Tensor or None but got grad of type {}",
                     Py_TYPE(value)->tp_name);
    const Tensor& g = tensor_of(value);
    check(!g.is(t), "can't assign Variable as its own grad");
    check(d2l::equal(g.shape(), t.shape()),
          "attempting to assign a gradient of size '{}' to a tensor of size '{}'. Please ensure "
          "that the gradient and the tensor are the same size",
          g.shape(), t.shape());
    check(g.dtype() == t.dtype(),
          "attempting to assign a gradient with dtype '{}' to a tensor with grad_dtype '{}'. The "
          "gradient must match the tensor's grad_dtype (defaults to the tensor's dtype). You can "
          "set the tensor's grad_dtype attribute with a specific dtype, or None to allow any "
          "dtype. Set grad_dtype with caution. Diverging the dtypes of a tensor and its gradient "
          "may break downstream systems that assume they match.",
          lower(scalar_name(g.dtype())), scalar_name(t.dtype()));
    t.set_grad(g);
    return 0;
  });
}

// x.real = y and x.imag = y write through the view of those parts.
int write_through(PyObject* view, PyObject* value) {
  return guarded<int>(-1, [&] {
    const Ref target = owned(view);
    check<TypeError>(value, "cannot delete the parts of a complex tensor");
    owned(PyObject_CallMethod(target.get(), "copy_", "O", value));
    return 0;
  });
}
int set_real(PyObject* self, PyObject* value, void*) {
  return write_through(get_real(self, nullptr), value);
}
int set_imag(PyObject* self, PyObject* value, void*) {
  return write_through(get_imag(self, nullptr), value);
}

// x.data = y: the same Python object and place in the graph over other memory.
int set_data(PyObject* self, PyObject* value, void*) {
  return guarded<int>(-1, [&] {
    const Tensor& t = tensor_of(self);
    check<TypeError>(value && is_tensor(value), "Variable data has to be a tensor, but got {}",
                     value ? Py_TYPE(value)->tp_name : "nothing");
    const Tensor& v = tensor_of(value);
    check(!t.requires_grad() || is_differentiable(v.dtype()),
          "data set to a tensor that requires gradients must be floating point or complex dtype");
    TensorImpl* p = t.impl();
    if (p->autograd && p->autograd->accumulator) {
      // The leaf's sink knows the old geometry.
      p->autograd->accumulator->output(0).set(v);
    }
    p->storage = v.storage();
    p->offset = v.offset();
    p->dtype = v.dtype();
    p->ndim = v->ndim;
    p->numel = v.numel();
    p->contiguous = v->contiguous;
    std::copy(v.shape().begin(), v.shape().end(), p->shape);
    std::copy(v.strides().begin(), v.strides().end(), p->strides);
    return 0;
  });
}

#define METHOD(name, ...)                         \
  PyObject* name(PyObject* self, PyObject* arg) { \
    (void)arg;                                    \
    return guarded([&]() -> PyObject* {           \
      const Tensor& t = tensor_of(self);          \
      __VA_ARGS__                                 \
    });                                           \
  }

PyObject* ints(IntList values) {
  Ref tuple = owned(PyTuple_New(static_cast<Py_ssize_t>(values.size())));
  for (size_t i = 0; i < values.size(); ++i) {
    PyTuple_SET_ITEM(tuple.get(), static_cast<Py_ssize_t>(i), PyLong_FromLongLong(values[i]));
  }
  return tuple.release();
}

// The only, optional argument `dim` of size() and stride(), by position or keyword.
PyObject* dim_argument(const char* name, PyObject* const* args, Py_ssize_t n, PyObject* kwnames) {
  const Py_ssize_t keywords = kwnames ? PyTuple_GET_SIZE(kwnames) : 0;
  check<TypeError>(n + keywords <= 1, "{}() takes at most 1 argument", name);
  if (keywords) {
    check<TypeError>(PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(kwnames, 0), "dim") == 0,
                     "{}() got an unexpected keyword argument", name);
  }
  PyObject* o = n + keywords ? args[0] : Py_None;
  return o;
}

PyObject* size(PyObject* self, PyObject* const* args, Py_ssize_t n, PyObject* kwnames) {
  return guarded([&] {
    const Tensor& t = tensor_of(self);
    PyObject* o = dim_argument("size", args, n, kwnames);
    if (o == Py_None) return wrap_size(t.shape());
    int64_t dim;
    check<TypeError>(as_int(o, dim), "size(): argument 'dim' must be int, not {}",
                     Py_TYPE(o)->tp_name);
    check<IndexError>(t.dim() > 0, "Dimension specified as {} but tensor has no dimensions", dim);
    return PyLong_FromLongLong(t.size(dim));
  });
}

PyObject* stride(PyObject* self, PyObject* const* args, Py_ssize_t n, PyObject* kwnames) {
  return guarded([&] {
    const Tensor& t = tensor_of(self);
    PyObject* o = dim_argument("stride", args, n, kwnames);
    if (o == Py_None) return ints(t.strides());
    int64_t dim;
    check<TypeError>(as_int(o, dim), "stride(): argument 'dim' must be int, not {}",
                     Py_TYPE(o)->tp_name);
    check<IndexError>(t.dim() > 0, "Dimension specified as {} but tensor has no dimensions", dim);
    return PyLong_FromLongLong(t.stride(dim));
  });
}

METHOD(numel, return PyLong_FromLongLong(t.numel());)
METHOD(dim, return PyLong_FromLongLong(t.dim());)
METHOD(element_size, return PyLong_FromLongLong(t.item_bytes());)
METHOD(storage_offset, return PyLong_FromLongLong(t.offset());)
METHOD(data_ptr, return PyLong_FromVoidPtr(t.numel() ? t.data() : nullptr);)
METHOD(item_method, return wrap_scalar(item(t));)
METHOD(tolist, return to_list(t);)
METHOD(is_floating_point, return PyBool_FromLong(is_floating(t.dtype()));)
METHOD(is_complex_method, return PyBool_FromLong(is_complex(t.dtype()));)
METHOD(is_signed, return PyBool_FromLong(t.dtype() != DType::Bool && t.dtype() != DType::UInt8);)
METHOD(get_device_method, (void)t; return PyLong_FromLong(-1);)
METHOD(is_inference, return PyBool_FromLong(t.is_inference());)
METHOD(is_false, (void)t; Py_RETURN_FALSE;)
METHOD(self_method, (void)t; Py_INCREF(self); return self;)
METHOD(is_set_to, check<TypeError>(is_tensor(arg), "is_set_to(): argument 'tensor' must be Tensor");
       const Tensor& o = tensor_of(arg);
       return PyBool_FromLong(t.storage().get() == o.storage().get() && t.offset() == o.offset() &&
                              d2l::equal(t.shape(), o.shape()) &&
                              d2l::equal(t.strides(), o.strides()));)
METHOD(complex_method, return Py_BuildValue("D", [&] {
         static thread_local Py_complex c;
         const Scalar s = item(t);
         c = {s.real(), s.imag()};
         return &c;
       }());)
METHOD(retain_grad, retain_gradient(t); Py_RETURN_NONE;)
METHOD(detach_inplace,
       check(!t->base,
             "Can't detach views in-place. Use detach() instead. If you are using "
             "DistributedDataParallel (DDP) for training, and gradient_as_bucket_view is set as "
             "True, gradients are views of DDP buckets, and hence detach_() cannot be called on "
             "these gradients. To fix this error, please refer to the Optimizer.zero_grad() "
             "function in torch/optim/optimizer.py as the solution.");
       if (t->autograd) t->autograd->grad_fn = NodePtr(); t->requires_grad = false; Py_INCREF(self);
       return self;)

PyObject* is_contiguous(PyObject* self, PyObject*, PyObject*) {
  return guarded([&] { return PyBool_FromLong(tensor_of(self).is_contiguous()); });
}

PyObject* requires_grad_(PyObject* self, PyObject* args, PyObject* kwargs) {
  return guarded([&] {
    static const char* names[] = {"requires_grad", nullptr};
    int on = 1;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|p:requires_grad_", const_cast<char**>(names),
                                     &on)) {
      throw PythonError();
    }
    tensor_of(self).set_requires_grad(on != 0);
    Py_INCREF(self);
    return self;
  });
}

PyObject* numpy(PyObject* self, PyObject* args, PyObject* kwargs) {
  return guarded([&] {
    static const char* names[] = {"force", nullptr};
    int force = 0;
    if (PyTuple_GET_SIZE(args) || kwargs) {
      if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|$p:numpy", const_cast<char**>(names),
                                       &force)) {
        throw PythonError();
      }
    }
    return to_ndarray(self, force != 0);
  });
}

PyObject* array(PyObject* self, PyObject* args, PyObject* kwargs) {
  return guarded([&] {
    static const char* names[] = {"dtype", "copy", nullptr};
    PyObject *dtype = Py_None, *copy = Py_None;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|OO:__array__", const_cast<char**>(names),
                                     &dtype, &copy)) {
      throw PythonError();
    }
    Ref a = owned(to_ndarray(self, false));
    const bool must_copy = copy == Py_True;
    if (dtype != Py_None) {
      Ref cast = owned(PyObject_GetAttrString(a.get(), "astype"));
      Ref call_args = owned(PyTuple_Pack(1, dtype));
      Ref call_kwargs = owned(Py_BuildValue("{s:O}", "copy", must_copy ? Py_True : Py_False));
      return owned(PyObject_Call(cast.get(), call_args.get(), call_kwargs.get())).release();
    }
    if (must_copy) return owned(PyObject_CallMethod(a.get(), "copy", nullptr)).release();
    return a.release();
  });
}

// t.set_ is not there; resize_ is, for out= tensors and the like.
PyObject* resize_(PyObject* self, PyObject* args, PyObject*) {
  return guarded([&] {
    const Tensor& t = tensor_of(self);
    PyObject* sizes = PyTuple_GET_SIZE(args) == 1 && !PyLong_Check(PyTuple_GET_ITEM(args, 0))
                          ? PyTuple_GET_ITEM(args, 0)
                          : args;
    std::vector<int64_t> shape;
    check<TypeError>(as_ints(sizes, shape), "resize_(): argument 'size' must be tuple of ints");
    check(!t.requires_grad(), "cannot resize variables that require grad");
    resize_raw(t, shape);
    Py_INCREF(self);
    return self;
  });
}

// _make_subclass(cls, data, require_grad=False)
PyObject* make_subclass(PyObject*, PyObject* args, PyObject* kwargs) {
  return guarded([&] {
    static const char* names[] = {"cls", "data", "require_grad", nullptr};
    PyObject *cls, *data;
    int requires_grad = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OO|p:_make_subclass", const_cast<char**>(names),
                                     &cls, &data, &requires_grad)) {
      throw PythonError();
    }
    check<TypeError>(PyType_Check(cls) && is_tensor(data),
                     "_make_subclass(): expected a class and a Tensor");
    Tensor t = detach(tensor_of(data));
    if (requires_grad) t.set_requires_grad(true);
    return wrap_as(reinterpret_cast<PyTypeObject*>(cls), std::move(t));
  });
}

// The same memory and place in the graph, as an object of the class.
PyObject* as_subclass(PyObject* self, PyObject* cls) {
  return guarded([&] {
    check<TypeError>(PyType_Check(cls), "as_subclass(): argument 'cls' must be type, not {}",
                     Py_TYPE(cls)->tp_name);
    return wrap_as(reinterpret_cast<PyTypeObject*>(cls), alias(tensor_of(self)));
  });
}

template <class F>
PyCFunction method(F f) {
  return reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(f));
}

}  // namespace

PyGetSetDef tensor_getset[] = {
    {"shape", get_shape, nullptr, "The extents, a torch.Size.", nullptr},
    {"dtype", get_dtype, nullptr, "The type of the elements.", nullptr},
    {"device", get_device, nullptr, "Where the tensor lives.", nullptr},
    {"layout", get_layout, nullptr, "How it is stored: torch.strided.", nullptr},
    {"ndim", get_ndim, nullptr, "The number of dimensions.", nullptr},
    {"requires_grad", get_requires_grad, set_requires_grad, "Whether gradients are computed.",
     nullptr},
    {"is_leaf", get_is_leaf, nullptr, "Whether no recorded op made it.", nullptr},
    {"grad", get_grad, set_grad, "The gradient accumulated so far, or None.", nullptr},
    {"_grad", get_grad_quietly, set_grad, nullptr, nullptr},
    {"grad_fn", get_grad_fn, nullptr, "The node that computes its gradient, or None.", nullptr},
    {"output_nr", get_output_nr, nullptr, "Which output of grad_fn it is.", nullptr},
    {"data", get_data, set_data, "The same memory outside of the graph.", nullptr},
    {"T", get_T, nullptr, "A view with the dimensions reversed.", nullptr},
    {"mT", get_mT, nullptr, "A view with the last two dimensions exchanged.", nullptr},
    {"H", get_H, nullptr, "The conjugate transpose of a matrix.", nullptr},
    {"mH", get_mH, nullptr, "The conjugate transpose of the last two dimensions.", nullptr},
    {"real", get_real, set_real, "The real parts, as a view.", nullptr},
    {"imag", get_imag, set_imag, "The imaginary parts, as a view.", nullptr},
    {"_version", get_version, nullptr, "How often its storage was written in place.", nullptr},
    {"_base", get_base, nullptr, "What a view looks into, or None.", nullptr},
    {"itemsize", get_itemsize, nullptr, "Bytes of one element.", nullptr},
    {"nbytes", get_nbytes, nullptr, "Bytes of all elements.", nullptr},
    {"retains_grad", get_retains_grad, nullptr, "Whether retain_grad() was called.", nullptr},
    {"is_cuda", get_false, nullptr, nullptr, nullptr},
    {"is_sparse", get_false, nullptr, nullptr, nullptr},
    {"is_quantized", get_false, nullptr, nullptr, nullptr},
    {"is_nested", get_false, nullptr, nullptr, nullptr},
    {"is_meta", get_false, nullptr, nullptr, nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr}};

PyMethodDef tensor_methods[] = {
    {"size", method(size), METH_FASTCALL | METH_KEYWORDS,
     "size(dim=None): the shape, or one extent."},
    {"stride", method(stride), METH_FASTCALL | METH_KEYWORDS,
     "stride(dim=None): the strides in elements, or one of them."},
    {"numel", numel, METH_NOARGS, "The number of elements."},
    {"nelement", numel, METH_NOARGS, "The number of elements."},
    {"dim", dim, METH_NOARGS, "The number of dimensions."},
    {"ndimension", dim, METH_NOARGS, "The number of dimensions."},
    {"element_size", element_size, METH_NOARGS, "Bytes of one element."},
    {"storage_offset", storage_offset, METH_NOARGS, "The first element's place in the storage."},
    {"data_ptr", data_ptr, METH_NOARGS, "The address of the first element."},
    {"item", item_method, METH_NOARGS, "The value of a one-element tensor as a Python number."},
    {"tolist", tolist, METH_NOARGS, "Nested lists of Python numbers."},
    {"numpy", method(numpy), METH_VARARGS | METH_KEYWORDS, "An array over the same memory."},
    {"__array__", method(array), METH_VARARGS | METH_KEYWORDS, nullptr},
    {"is_contiguous", method(is_contiguous), METH_VARARGS | METH_KEYWORDS,
     "Whether the elements lie in row-major order without gaps."},
    {"is_floating_point", is_floating_point, METH_NOARGS, "Whether the dtype is a floating one."},
    {"is_complex", is_complex_method, METH_NOARGS, "Whether the dtype is complex."},
    {"is_signed", is_signed, METH_NOARGS, "Whether the dtype has negative values."},
    {"is_inference", is_inference, METH_NOARGS, "Whether it was made in inference mode."},
    {"is_shared", is_false, METH_NOARGS, nullptr},
    {"is_pinned", method(is_false), METH_NOARGS, nullptr},
    {"get_device", get_device_method, METH_NOARGS, "-1: the CPU."},
    {"is_set_to", is_set_to, METH_O, "Whether both have the same storage and geometry."},
    {"cpu", self_method, METH_NOARGS, "The tensor itself."},
    {"pin_memory", self_method, METH_NOARGS, "The tensor itself."},
    {"share_memory_", self_method, METH_NOARGS, "The tensor itself."},
    {"requires_grad_", method(requires_grad_), METH_VARARGS | METH_KEYWORDS,
     "requires_grad_(requires_grad=True): sets the flag; returns the tensor."},
    {"retain_grad", retain_grad, METH_NOARGS, "Keeps .grad of a tensor that is no leaf."},
    {"detach_", detach_inplace, METH_NOARGS, "Takes the tensor out of the graph."},
    {"resize_", method(resize_), METH_VARARGS | METH_KEYWORDS, "Changes the shape in place."},
    {"backward", method(tensor_backward), METH_VARARGS | METH_KEYWORDS,
     "backward(gradient=None, retain_graph=None, create_graph=False, inputs=None): accumulates the "
     "gradients of the leaves."},
    {"__complex__", complex_method, METH_NOARGS, nullptr},
    {"as_subclass", as_subclass, METH_O,
     "as_subclass(cls): an object of the class over the same memory, in the graph."},
    {"_make_subclass", method(make_subclass), METH_VARARGS | METH_KEYWORDS | METH_STATIC, nullptr},
    {nullptr, nullptr, 0, nullptr}};

}  // namespace d2l::py
