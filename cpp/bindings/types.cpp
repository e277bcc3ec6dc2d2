// dtype, Size, device, layout, memory_format and named results.
#include "types.h"

#include <map>
#include <string>

#include "tensor_type.h"

namespace d2l::py {

PyTypeObject* dtype_type = nullptr;
PyTypeObject* size_type = nullptr;
PyTypeObject* device_type = nullptr;
PyTypeObject* layout_type = nullptr;
PyTypeObject* memory_format_type = nullptr;

namespace {

PyObject* g_dtypes[kDTypeCount];
PyObject* g_cpu = nullptr;

DType value_of(PyObject* self) { return reinterpret_cast<DTypeObject*>(self)->value; }

// --- dtype

PyObject* dtype_repr(PyObject* self) {
  return guarded([&] {
    const std::string text = "torch." + std::string(name(value_of(self)));
    return owned(PyUnicode_FromString(text.c_str())).release();
  });
}
PyObject* dtype_reduce(PyObject* self, PyObject*) {
  return guarded([&] {
    // A plain string names a global of the module: dtypes pickle as themselves.
    return owned(PyUnicode_FromString(std::string(name(value_of(self))).c_str())).release();
  });
}
PyObject* dtype_get(PyObject* self, void* what) {
  const DType t = value_of(self);
  switch (reinterpret_cast<intptr_t>(what)) {
    case 0:
      return PyBool_FromLong(is_floating(t));
    case 1:
      return PyBool_FromLong(is_complex(t));
    case 2:
      return PyBool_FromLong(t != DType::Bool && t != DType::UInt8);
    default:
      return PyLong_FromLongLong(itemsize(t));
  }
}
PyObject* dtype_to_real(PyObject* self, PyObject*) { return wrap(real_dtype(value_of(self))); }
PyObject* dtype_to_complex(PyObject* self, PyObject*) {
  const DType t = value_of(self);
  if (is_complex(t)) return wrap(t);
  return wrap(t == DType::Double ? DType::ComplexDouble : DType::ComplexFloat);
}
PyObject* dtype_module(PyObject*, void*) { return PyUnicode_FromString("d2lcore"); }
PyGetSetDef dtype_getset[] = {
    {"is_floating_point", dtype_get, nullptr, "Whether the elements are floating-point numbers.",
     reinterpret_cast<void*>(0)},
    {"is_complex", dtype_get, nullptr, "Whether the elements are complex.",
     reinterpret_cast<void*>(1)},
    {"is_signed", dtype_get, nullptr, "Whether negative values exist.", reinterpret_cast<void*>(2)},
    {"itemsize", dtype_get, nullptr, "Bytes of one element.", reinterpret_cast<void*>(3)},
    {"__module__", dtype_module, nullptr, nullptr, nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr}};
PyMethodDef dtype_methods[] = {
    {"__reduce__", dtype_reduce, METH_NOARGS, nullptr},
    {"to_real", dtype_to_real, METH_NOARGS, "The dtype of the real part."},
    {"to_complex", dtype_to_complex, METH_NOARGS, "The complex dtype of this width."},
    {nullptr, nullptr, 0, nullptr}};

// --- Size: a tuple of ints

PyObject* size_from(PyObject* tuple) {  // steals
  Ref items(tuple);
  Ref args = owned(PyTuple_Pack(1, items.get()));
  return PyTuple_Type.tp_new(size_type, args.get(), nullptr);
}
PyObject* size_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  Ref self(PyTuple_Type.tp_new(type, args, kwargs));
  if (!self) return nullptr;
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(self.get()); ++i) {
    PyObject* item = PyTuple_GET_ITEM(self.get(), i);
    if (PyLong_Check(item)) continue;
    Ref index(PyIndex_Check(item) ? PyNumber_Index(item) : nullptr);
    if (!index) {
      PyErr_Format(PyExc_TypeError, "torch.Size() takes an iterable of 'int' (item %zd is '%s')", i,
                   Py_TYPE(item)->tp_name);
      return nullptr;
    }
    PyTuple_SET_ITEM(self.get(), i, index.release());
    Py_DECREF(item);
  }
  return self.release();
}
PyObject* size_repr(PyObject* self) {
  return guarded([&] {
    std::string text = "torch.Size([";
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(self); ++i) {
      Ref item = owned(PyObject_Repr(PyTuple_GET_ITEM(self, i)));
      if (i) text += ", ";
      text += PyUnicode_AsUTF8(item.get());
    }
    return owned(PyUnicode_FromString((text + "])").c_str())).release();
  });
}
PyObject* size_concat(PyObject* a, PyObject* b) {
  return guarded([&]() -> PyObject* {
    if (!PyTuple_Check(a) || !PyTuple_Check(b)) {
      Py_RETURN_NOTIMPLEMENTED;
    }
    return size_from(owned(PyTuple_Type.tp_as_sequence->sq_concat(a, b)).release());
  });
}
PyObject* size_add(PyObject* a, PyObject* b) { return size_concat(a, b); }
PyObject* size_repeat(PyObject* self, Py_ssize_t n) {
  return guarded(
      [&] { return size_from(owned(PyTuple_Type.tp_as_sequence->sq_repeat(self, n)).release()); });
}
PyObject* size_subscript(PyObject* self, PyObject* index) {
  return guarded([&] {
    Ref item = owned(PyTuple_Type.tp_as_mapping->mp_subscript(self, index));
    return PySlice_Check(index) ? size_from(item.release()) : item.release();
  });
}
PyObject* size_numel(PyObject* self, PyObject*) {
  return guarded([&] {
    Ref product = owned(PyLong_FromLong(1));
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(self); ++i) {
      product = owned(PyNumber_Multiply(product.get(), PyTuple_GET_ITEM(self, i)));
    }
    return product.release();
  });
}
PyObject* size_reduce(PyObject* self, PyObject*) {
  return guarded([&] {
    Ref list = owned(PySequence_List(self));
    return owned(Py_BuildValue("(O(O))", reinterpret_cast<PyObject*>(size_type), list.get()))
        .release();
  });
}
PyMethodDef size_methods[] = {{"numel", size_numel, METH_NOARGS, "The product of the extents."},
                              {"__reduce__", size_reduce, METH_NOARGS, nullptr},
                              {nullptr, nullptr, 0, nullptr}};

// --- device, layout, memory_format: named constants

struct NameObject {
  PyObject_HEAD PyObject* text;  // what repr prints
};
PyObject* name_repr(PyObject* self) {
  PyObject* text = reinterpret_cast<NameObject*>(self)->text;
  Py_INCREF(text);
  return text;
}
void name_dealloc(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  Py_XDECREF(reinterpret_cast<NameObject*>(self)->text);
  type->tp_free(self);
  Py_DECREF(type);
}
Ref make_name(PyTypeObject* type, const char* text) {
  Ref o = owned(type->tp_alloc(type, 0));
  reinterpret_cast<NameObject*>(o.get())->text = owned(PyUnicode_FromString(text)).release();
  return o;
}
PyObject* name_reduce(PyObject* self, PyObject*) {
  return guarded([&] {
    std::string text = PyUnicode_AsUTF8(reinterpret_cast<NameObject*>(self)->text);
    return owned(PyUnicode_FromString(text.substr(6).c_str())).release();  // without "torch."
  });
}
PyMethodDef name_methods[] = {{"__reduce__", name_reduce, METH_NOARGS, nullptr},
                              {nullptr, nullptr, 0, nullptr}};

PyObject* device_new(PyTypeObject*, PyObject* args, PyObject* kwargs) {
  return guarded([&]() -> PyObject* {
    static const char* names[] = {"type", "index", nullptr};
    PyObject *type = nullptr, *index = nullptr;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|O:device", const_cast<char**>(names), &type,
                                     &index)) {
      throw PythonError();
    }
    check<TypeError>(is_device(type), "device(): argument 'type' (position 1) must be str, not {}",
                     Py_TYPE(type)->tp_name);
    return cpu_device();
  });
}
PyObject* device_get(PyObject*, void* what) {
  if (what) Py_RETURN_NONE;
  return PyUnicode_FromString("cpu");
}
PyObject* device_str(PyObject*) { return PyUnicode_FromString("cpu"); }
PyObject* device_reduce(PyObject*, PyObject*) {
  return Py_BuildValue("(O(s))", reinterpret_cast<PyObject*>(device_type), "cpu");
}
PyObject* device_enter(PyObject* self, PyObject*) {
  Py_INCREF(self);
  return self;
}
PyObject* device_exit(PyObject*, PyObject*) { Py_RETURN_NONE; }
PyGetSetDef device_getset[] = {
    {"type", device_get, nullptr, "The kind of device: always 'cpu'.", nullptr},
    {"index", device_get, nullptr, "The number of the device: None.", reinterpret_cast<void*>(1)},
    {nullptr, nullptr, nullptr, nullptr, nullptr}};
PyMethodDef device_methods[] = {{"__reduce__", device_reduce, METH_NOARGS, nullptr},
                                {"__enter__", device_enter, METH_NOARGS, nullptr},
                                {"__exit__", device_exit, METH_VARARGS, nullptr},
                                {nullptr, nullptr, 0, nullptr}};

PyTypeObject* make_type(PyObject* module, const char* attribute, PyType_Spec* spec,
                        PyObject* bases = nullptr) {
  Ref type = owned(bases ? PyType_FromSpecWithBases(spec, bases) : PyType_FromSpec(spec));
  succeed(PyObject_SetAttrString(module, attribute, type.get()));
  return reinterpret_cast<PyTypeObject*>(type.release());
}

}  // namespace

PyObject* wrap(DType t) {
  PyObject* o = g_dtypes[static_cast<int>(t)];
  Py_INCREF(o);
  return o;
}

PyObject* wrap_size(IntList dims) {
  // Made directly, without the checks of Size(): these are ints.
  PyObject* o = size_type->tp_alloc(size_type, static_cast<Py_ssize_t>(dims.size()));
  if (!o) throw PythonError();
  for (size_t i = 0; i < dims.size(); ++i) {
    PyTuple_SET_ITEM(o, static_cast<Py_ssize_t>(i), PyLong_FromLongLong(dims[i]));
  }
  return o;
}

MemoryFormat memory_format_of(PyObject* o) {
  const std::string_view text = PyUnicode_AsUTF8(reinterpret_cast<NameObject*>(o)->text);
  return text == "torch.contiguous_format"  ? MemoryFormat::Contiguous
         : text == "torch.channels_last"    ? MemoryFormat::ChannelsLast
         : text == "torch.channels_last_3d" ? MemoryFormat::ChannelsLast3d
                                            : MemoryFormat::Preserve;
}

PyObject* cpu_device() {
  Py_INCREF(g_cpu);
  return g_cpu;
}

bool is_device(PyObject* o) {
  if (Py_TYPE(o) == device_type) return true;
  if (!PyUnicode_Check(o)) {
    if (PyLong_Check(o) && !PyBool_Check(o)) {
      fail("device {}: d2lcore computes on the CPU only",
           static_cast<int64_t>(PyLong_AsLongLong(o)));
    }
    return false;
  }
  const std::string text = PyUnicode_AsUTF8(o);
  if (text == "cpu" || text == "cpu:0") return true;
  fail("device '{}': d2lcore computes on the CPU only", text);
}

namespace {

// torch.return_types.max(
// values=tensor(...),
// indices=tensor(...))
PyObject* named_repr(PyObject* self) {
  return guarded([&] {
    Ref members =
        owned(PyObject_GetAttrString(reinterpret_cast<PyObject*>(Py_TYPE(self)), "__match_args__"));
    std::string text = std::string(Py_TYPE(self)->tp_name) + "(\n";
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(self); ++i) {
      Ref item = owned(PyObject_Repr(PyTuple_GET_ITEM(self, i)));
      if (i) text += ",\n";
      text += std::string(PyUnicode_AsUTF8(PyTuple_GET_ITEM(members.get(), i))) + "=" +
              PyUnicode_AsUTF8(item.get());
    }
    return owned(PyUnicode_FromString((text + ")").c_str())).release();
  });
}

}  // namespace

namespace {

PyTypeObject* result_type(const OpRow& row) {
  static auto* types = new std::map<const OpRow*, PyTypeObject*>;
  PyTypeObject*& type = (*types)[&row];
  if (!type) {
    // Names are kept: struct sequences borrow them.
    auto* full_name = new std::string(
        "torch.return_types." +
        (row.schema.space.empty() ? row.schema.name : row.schema.space + "_" + row.schema.name));
    auto* fields = new PyStructSequence_Field[row.schema.return_names.size() + 1];
    for (size_t i = 0; i < row.schema.return_names.size(); ++i) {
      fields[i] = {row.schema.return_names[i].c_str(), nullptr};
    }
    fields[row.schema.return_names.size()] = {nullptr, nullptr};
    PyStructSequence_Desc desc = {full_name->c_str(), nullptr, fields,
                                  static_cast<int>(row.schema.return_names.size())};
    type = PyStructSequence_NewType(&desc);
    if (!type) throw PythonError();
    type->tp_repr = named_repr;
    Ref module = owned(PyImport_ImportModule("d2lcore._tensor"));
    Ref reduce = owned(PyObject_GetAttrString(module.get(), "_reduce_result"));
    succeed(PyObject_SetAttrString(reinterpret_cast<PyObject*>(type), "__reduce__", reduce.get()));
    PyType_Modified(type);
  }
  return type;
}

// _result_type(name): the named tuple of an op, as pickle asks for it.
PyObject* result_type_named(PyObject*, PyObject* name) {
  return guarded([&] {
    const char* text = PyUnicode_Check(name) ? PyUnicode_AsUTF8(name) : nullptr;
    check<TypeError>(text, "_result_type() expects a str");
    const std::string_view wanted = text;
    for (const OpRow& row : OpTable::get().rows()) {
      const std::string own =
          row.schema.space.empty() ? row.schema.name : row.schema.space + "_" + row.schema.name;
      if (own == wanted && !row.schema.return_names.empty()) {
        return Ref::borrow(reinterpret_cast<PyObject*>(result_type(row))).release();
      }
    }
    fail<ValueError>("no op returns a named tuple '{}'", wanted);
  });
}
PyMethodDef result_functions[] = {{"_result_type", result_type_named, METH_O, nullptr},
                                  {nullptr, nullptr, 0, nullptr}};

}  // namespace

PyObject* named_tuple(const OpRow& row, std::span<const Tensor> items) {
  PyTypeObject* type = result_type(row);
  Ref out = owned(PyStructSequence_New(type));
  for (size_t i = 0; i < items.size(); ++i) {
    PyStructSequence_SetItem(out.get(), static_cast<Py_ssize_t>(i), py::wrap(items[i]));
  }
  return out.release();
}

void make_types(PyObject* module) {
  succeed(PyModule_AddFunctions(module, result_functions));
  PyType_Slot dtype_slots[] = {{Py_tp_repr, reinterpret_cast<void*>(dtype_repr)},
                               {Py_tp_getset, dtype_getset},
                               {Py_tp_methods, dtype_methods},
                               {Py_tp_doc, const_cast<char*>("The type of a tensor's elements.")},
                               {0, nullptr}};
  PyType_Spec dtype_spec = {"d2lcore.dtype", sizeof(DTypeObject), 0,
                            Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, dtype_slots};
  dtype_type = make_type(module, "dtype", &dtype_spec);
  for (int i = 0; i < kDTypeCount; ++i) {
    g_dtypes[i] = owned(dtype_type->tp_alloc(dtype_type, 0)).release();
    reinterpret_cast<DTypeObject*>(g_dtypes[i])->value = static_cast<DType>(i);
    const std::string text(name(static_cast<DType>(i)));
    succeed(PyObject_SetAttrString(module, text.c_str(), g_dtypes[i]));
  }

  PyType_Slot size_slots[] = {
      {Py_tp_new, reinterpret_cast<void*>(size_new)},
      {Py_tp_repr, reinterpret_cast<void*>(size_repr)},
      {Py_tp_str, reinterpret_cast<void*>(size_repr)},
      {Py_tp_methods, size_methods},
      {Py_sq_concat, reinterpret_cast<void*>(size_concat)},
      {Py_nb_add, reinterpret_cast<void*>(size_add)},
      {Py_sq_repeat, reinterpret_cast<void*>(size_repeat)},
      {Py_mp_subscript, reinterpret_cast<void*>(size_subscript)},
      {Py_tp_doc, const_cast<char*>("The shape of a tensor: a tuple of ints.")},
      {0, nullptr}};
  PyType_Spec size_spec = {"d2lcore.Size", 0, 0, Py_TPFLAGS_DEFAULT, size_slots};
  Ref bases = owned(PyTuple_Pack(1, reinterpret_cast<PyObject*>(&PyTuple_Type)));
  size_type = make_type(module, "Size", &size_spec, bases.get());

  PyType_Slot device_slots[] = {{Py_tp_new, reinterpret_cast<void*>(device_new)},
                                {Py_tp_repr, reinterpret_cast<void*>(name_repr)},
                                {Py_tp_str, reinterpret_cast<void*>(device_str)},
                                {Py_tp_dealloc, reinterpret_cast<void*>(name_dealloc)},
                                {Py_tp_getset, device_getset},
                                {Py_tp_methods, device_methods},
                                {Py_tp_doc, const_cast<char*>("Where a tensor lives: the CPU.")},
                                {0, nullptr}};
  PyType_Spec device_spec = {"d2lcore.device", sizeof(NameObject), 0, Py_TPFLAGS_DEFAULT,
                             device_slots};
  device_type = make_type(module, "device", &device_spec);
  g_cpu = make_name(device_type, "device(type='cpu')").release();

  PyType_Slot name_slots[] = {{Py_tp_repr, reinterpret_cast<void*>(name_repr)},
                              {Py_tp_dealloc, reinterpret_cast<void*>(name_dealloc)},
                              {Py_tp_methods, name_methods},
                              {0, nullptr}};
  PyType_Spec layout_spec = {"d2lcore.layout", sizeof(NameObject), 0,
                             Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, name_slots};
  layout_type = make_type(module, "layout", &layout_spec);
  succeed(PyObject_SetAttrString(module, "strided", make_name(layout_type, "torch.strided").get()));
  PyType_Spec format_spec = {"d2lcore.memory_format", sizeof(NameObject), 0,
                             Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, name_slots};
  memory_format_type = make_type(module, "memory_format", &format_spec);
  for (const char* format :
       {"contiguous_format", "preserve_format", "channels_last", "channels_last_3d"}) {
    succeed(PyObject_SetAttrString(
        module, format,
        make_name(memory_format_type, (std::string("torch.") + format).c_str()).get()));
  }
}

}  // namespace d2l::py
