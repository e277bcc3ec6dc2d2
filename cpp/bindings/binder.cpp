// Binding arguments to schemas, running a row, and saying what went wrong.
#include "binder.h"

#include <structmember.h>

#include <cstring>
#include <map>

#include "ops/inplace.h"
#include "watch.h"

namespace d2l::py {
namespace {

enum class Form : uint8_t { Function, Method, Inplace, InplaceFunction };

struct OpFunction {
  PyObject_HEAD vectorcallfunc vectorcall;
  std::vector<const OpRow*>* rows;
  std::vector<std::vector<PyObject*>>* names;  // interned parameter names of each row
  std::vector<std::vector<Value>>* defaults;   // what a parameter is when it is not given
  std::vector<int>* positional;                // how many parameters may be given by position
  std::string* name;
  std::string* module;
  Form form;
  bool random;  // draws numbers
};

PyTypeObject* op_function_type = nullptr;
PyObject *s_out, *s_axis, *s_dim, *s_keepdims, *s_keepdim, *s_x, *s_a, *s_x1, *s_x2, *s_self,
    *s_input, *s_other;

// The name that a parameter has in Python: self is "input" in a function.
const char* face_name(const Param& p, Form form) {
  return p.name == "self" && (form == Form::Function || form == Form::InplaceFunction)
             ? "input"
             : p.name.c_str();
}

int positional_count(const Schema& s) {
  int n = 0;
  for (const Param& p : s.params) n += !p.keyword_only;
  return n;
}

// NumPy's spellings of PyTorch's names.
PyObject* canonical(PyObject* key) {
  if (PyUnicode_Compare(key, s_axis) == 0) return s_dim;
  if (PyUnicode_Compare(key, s_keepdims) == 0) return s_keepdim;
  if (PyUnicode_Compare(key, s_x) == 0 || PyUnicode_Compare(key, s_a) == 0 ||
      PyUnicode_Compare(key, s_x1) == 0 || PyUnicode_Compare(key, s_self) == 0) {
    return s_input;
  }
  if (PyUnicode_Compare(key, s_x2) == 0) return s_other;
  return nullptr;
}

struct Call {
  PyObject* const* args;
  Py_ssize_t nargs;
  PyObject* kwnames;
  PyObject* out = nullptr;  // out=, borrowed
};

// Why a row did not take the arguments; a text is made only when asked for.
struct Mismatch {
  std::string* text = nullptr;
  template <class... A>
  bool fails(const char* message, const A&... a) {
    if (text) *text = format(message, a...);
    return false;
  }
};

const char* type_name(PyObject* o) {
  if (is_tensor(o)) return "Tensor";
  const char* dot = std::strrchr(Py_TYPE(o)->tp_name, '.');
  return dot && std::strncmp(Py_TYPE(o)->tp_name, "numpy.", 6) != 0 ? dot + 1 : Py_TYPE(o)->tp_name;
}

// Fills frame.values from the call, or says why not.
bool bind(const OpFunction& f, size_t which, Call& call, Frame& frame, Mismatch why) {
  const OpRow& row = *(*f.rows)[which];
  const std::vector<PyObject*>& names = (*f.names)[which];
  const std::vector<Param>& params = row.schema.params;
  const bool numbers = row.faces & (Numbers | NumbersFirst);
  const int count = static_cast<int>(params.size());
  const int positional = (*f.positional)[which];
  const char* name = f.name->c_str();
  const int first = f.form == Form::Method || f.form == Form::Inplace ? 1 : 0;

  int bound = 0;
  Py_ssize_t taken = 0;
  call.out = nullptr;
  // zeros(2, 3), x.view(2, 3): ints in a row stand for the only list of ints.
  const bool varargs = positional == first + 1 && count > first &&
                       params[first].type == ParamType::IntList && call.nargs > first &&
                       !PyTuple_Check(call.args[first]) && !PyList_Check(call.args[first]) &&
                       (!params[first].single || call.nargs > positional);
  for (; bound < positional && taken < call.nargs; ++bound, ++taken) {
    Value& v = frame.reset(bound);
    PyObject* arg = call.args[taken];
    if (varargs && bound == first) {
      const Py_ssize_t n = call.nargs - first;
      if (n > Frame::kInts - frame.ints_used) return why.fails("{}(): too many sizes", name);
      v.kind = Value::Kind::IntList;
      v.ptr = frame.ints + frame.ints_used;
      v.n = n;
      for (Py_ssize_t i = 0; i < n; ++i) {
        if (!as_int(call.args[first + i], frame.ints[frame.ints_used++])) {
          return why.fails(
              "{}(): argument '{}' must be tuple of ints, but found element of type {} "
              "at pos {}",
              name, face_name(params[bound], f.form), type_name(call.args[first + i]),
              static_cast<int64_t>(i));
        }
      }
      taken = call.nargs - 1;
      continue;
    }
    if (!convert(arg, params[bound], numbers && (bound > 0 || row.faces & NumbersFirst), frame,
                 v)) {
      return why.fails("{}(): argument '{}' (position {}) must be {}, not {}", name,
                       face_name(params[bound], f.form), static_cast<int64_t>(bound + 1 - first),
                       type_words(params[bound]), type_name(arg));
    }
  }
  if (taken < call.nargs) {
    return why.fails("{}() takes {} positional argument{} but {} {} given", name,
                     static_cast<int64_t>(positional - first), positional - first == 1 ? "" : "s",
                     static_cast<int64_t>(call.nargs - first),
                     call.nargs - first == 1 ? "was" : "were");
  }

  if (frame.wrapped_count == 2 && row.faces & NumbersFirst && bound >= 2) {
    return why.fails("{}(): argument 'other' (position 2) must be Tensor, not a number", name);
  }

  uint64_t seen = (uint64_t{1} << bound) - 1;
  const Py_ssize_t keywords = call.kwnames ? PyTuple_GET_SIZE(call.kwnames) : 0;
  for (Py_ssize_t k = 0; k < keywords; ++k) {
    PyObject* key = PyTuple_GET_ITEM(call.kwnames, k);
    PyObject* arg = call.args[call.nargs + k];
    int at = -1;
    for (int i = 0; i < count && at < 0; ++i) {
      if (names[i] == key) at = i;
    }
    for (int i = 0; i < count && at < 0; ++i) {
      if (PyUnicode_Compare(names[i], key) == 0) at = i;
    }
    if (at < 0) {
      if (PyObject* other = canonical(key)) {
        for (int i = 0; i < count && at < 0; ++i) {
          if (PyUnicode_Compare(names[i], other) == 0) at = i;
        }
      }
    }
    if (at < 0) {
      if ((row.faces & Out) && f.form == Form::Function && PyUnicode_Compare(key, s_out) == 0) {
        if (arg != Py_None) call.out = arg;
        continue;
      }
      return why.fails("{}() got an unexpected keyword argument '{}'", name, PyUnicode_AsUTF8(key));
    }
    if (seen >> at & 1) {
      return why.fails("{}() got multiple values for argument '{}'", name, PyUnicode_AsUTF8(key));
    }
    if (!convert(arg, params[at], numbers, frame, frame.reset(at))) {
      return why.fails("{}(): argument '{}' must be {}, not {}", name,
                       face_name(params[at], f.form), type_words(params[at]), type_name(arg));
    }
    seen |= uint64_t{1} << at;
  }

  for (int i = 0; i < count; ++i) {
    if (seen >> i & 1) continue;
    if (!params[i].has_default) {
      std::string missing;
      int n = 0;
      for (int j = i; j < count; ++j) {
        if (seen >> j & 1 || params[j].has_default) continue;
        if (n++) missing += ", ";
        missing += std::string("\"") + face_name(params[j], f.form) + "\"";
      }
      return why.fails("{}() missing {} required positional argument{}: {}", name,
                       static_cast<int64_t>(n), n == 1 ? "s" : "s", missing);
    }
    frame.reset(i) = (*f.defaults)[which][static_cast<size_t>(i)];
  }
  return true;
}

std::string signature_words(const OpRow& row, Form form) {
  std::string text = "(";
  bool star = false;
  for (size_t i = 0; i < row.schema.params.size(); ++i) {
    const Param& p = row.schema.params[i];
    if (i == 0 && (form == Form::Method || form == Form::Inplace)) continue;
    if (text.size() > 1) text += ", ";
    if (p.keyword_only && !star) {
      text += "*, ";
      star = true;
    }
    text += type_words(p) + " " + face_name(p, form);
    if (p.has_default) text += " = " + p.default_text;
  }
  if (row.faces & Out && form == Form::Function) {
    text += star ? ", Tensor out = None" : ", *, Tensor out = None";
  }
  return text + ")";
}

[[noreturn]] void refuse(const OpFunction& f, Call& call) {
  if (f.rows->size() == 1) {
    std::string text;
    Frame frame;
    bind(f, 0, call, frame, Mismatch{&text});
    throw TypeError(text);
  }
  std::string got;
  const Py_ssize_t skip = f.form == Form::Method || f.form == Form::Inplace ? 1 : 0;
  for (Py_ssize_t i = skip; i < call.nargs; ++i) {
    if (i > skip) got += ", ";
    got += type_name(call.args[i]);
  }
  const Py_ssize_t keywords = call.kwnames ? PyTuple_GET_SIZE(call.kwnames) : 0;
  for (Py_ssize_t k = 0; k < keywords; ++k) {
    if (!got.empty()) got += ", ";
    got += std::string(PyUnicode_AsUTF8(PyTuple_GET_ITEM(call.kwnames, k))) + "=" +
           type_name(call.args[call.nargs + k]);
  }
  std::string text = *f.name + "() received an invalid combination of arguments - got (" + got +
                     "), but expected one of:\n";
  for (const OpRow* row : *f.rows) text += " * " + signature_words(*row, f.form) + "\n";
  throw TypeError(text);
}

std::vector<Tensor> out_tensors(const OpFunction& f, PyObject* out) {
  std::vector<Tensor> tensors;
  if (is_tensor(out)) {
    tensors.push_back(tensor_of(out));
    return tensors;
  }
  check<TypeError>(PyTuple_Check(out) || PyList_Check(out),
                   "{}(): argument 'out' must be Tensor, not {}", *f.name, type_name(out));
  for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(out); ++i) {
    PyObject* o = PySequence_Fast_GET_ITEM(out, i);
    check<TypeError>(is_tensor(o), "{}(): argument 'out' must be tuple of Tensors, not {}", *f.name,
                     type_name(o));
    tensors.push_back(tensor_of(o));
  }
  return tensors;
}

PyObject* run(const OpFunction& f, const OpRow& row, Call& call, Frame& frame) {
  if (f.form == Form::Inplace || f.form == Form::InplaceFunction) {
    check<TypeError>(call.nargs > 0 && is_tensor(call.args[0]),
                     "{}(): argument 'input' must be Tensor", *f.name);
    return call_inplace(row, frame.values, call.args[0]);
  }
  if (call.out) {
    const std::vector<Tensor> outs = out_tensors(f, call.out);
    run_out(row, frame.values, outs);
    if (outs.size() == 1 && is_tensor(call.out)) {
      Py_INCREF(call.out);
      return call.out;
    }
    if (!row.schema.return_names.empty()) return named_tuple(row, outs);
    Ref tuple = owned(PyTuple_New(static_cast<Py_ssize_t>(outs.size())));
    for (size_t i = 0; i < outs.size(); ++i) {
      PyTuple_SET_ITEM(tuple.get(), static_cast<Py_ssize_t>(i), wrap(outs[i]));
    }
    return tuple.release();
  }
  // nn.relu(x, inplace=True) and its kin.
  if (!row.schema.space.empty() && row.has_dst) {
    for (size_t i = 0; i < row.schema.params.size(); ++i) {
      if (row.schema.params[i].name == "inplace" && frame.values[i].i) {
        return call_inplace(row, frame.values, call.args[0]);
      }
    }
  }
  Returned out;
  row(frame.values, {}, out);
  return wrap_returned(row, out);
}

PyObject* call_op(const OpFunction& f, Call& call) {
  if (f.form == Form::Method || f.form == Form::Inplace) {
    check<TypeError>(call.nargs > 0 && is_tensor(call.args[0]),
                     "unbound method Tensor.{}() needs a Tensor", *f.name);
  }
  for (size_t i = 0; i < f.rows->size(); ++i) {
    Frame frame;
    if (bind(f, i, call, frame, {})) return run(f, *(*f.rows)[i], call, frame);
  }
  refuse(f, call);
}

PyObject* vectorcall(PyObject* self, PyObject* const* args, size_t nargsf, PyObject* kwnames) {
  return guarded([&] {
    const auto& f = *reinterpret_cast<OpFunction*>(self);
    Call call{args, PyVectorcall_NARGS(nargsf), kwnames};
    if (!watchers) [[likely]]
      return call_op(f, call);
    if (PyObject* got = call_batched(self, args, call.nargs, kwnames, f.random)) return got;
    Ref result = owned(call_op(f, call));
    inspect_result(f.name->c_str(), args, call.nargs, result.get());
    return result.release();
  });
}

PyObject* descr_get(PyObject* self, PyObject* object, PyObject*) {
  if (!object || object == Py_None) {
    Py_INCREF(self);
    return self;
  }
  return PyMethod_New(self, object);
}

PyObject* op_repr(PyObject* self) {
  const auto& f = *reinterpret_cast<OpFunction*>(self);
  return PyUnicode_FromFormat(f.form == Form::Method || f.form == Form::Inplace
                                  ? "<method '%s' of 'Tensor' objects>"
                                  : "<built-in function %s>",
                              f.name->c_str());
}

PyObject* op_name(PyObject* self, void*) {
  return PyUnicode_FromString(reinterpret_cast<OpFunction*>(self)->name->c_str());
}
PyObject* op_qualname(PyObject* self, void*) {
  const auto& f = *reinterpret_cast<OpFunction*>(self);
  const bool method = f.form == Form::Method || f.form == Form::Inplace;
  return PyUnicode_FromString(((method ? "Tensor." : "") + *f.name).c_str());
}
PyObject* op_module(PyObject* self, void*) {
  return PyUnicode_FromString(reinterpret_cast<OpFunction*>(self)->module->c_str());
}
// The signature as Python writes it, one line for each overload.
std::string python_signature(const OpRow& row, const OpFunction& f) {
  std::string text = *f.name + "(";
  bool star = false, any = false;
  for (size_t i = 0; i < row.schema.params.size(); ++i) {
    const Param& p = row.schema.params[i];
    if (any) text += ", ";
    any = true;
    if (p.keyword_only && !star) {
      text += "*, ";
      star = true;
    }
    text += face_name(p, f.form);
    if (p.has_default) text += "=" + p.default_text;
  }
  if (row.faces & Out && f.form == Form::Function) {
    text += std::string(any ? ", " : "") + (star ? "" : "*, ") + "out=None";
  }
  std::string returns;
  for (size_t i = 0; i < row.schema.returns.size(); ++i) {
    if (i) returns += ", ";
    returns += row.schema.returns[i];
  }
  if (row.schema.returns.size() > 1) returns = "(" + returns + ")";
  return text + ") -> " + returns;
}
PyObject* op_doc(PyObject* self, void*) {
  return guarded([&] {
    const auto& f = *reinterpret_cast<OpFunction*>(self);
    std::string text;
    const char* last = "";
    for (const OpRow* row : *f.rows) {
      text += python_signature(*row, f) + "\n";
      last = row->doc;
    }
    const bool inplace = f.form == Form::Inplace || f.form == Form::InplaceFunction;
    text +=
        "\n" +
        (inplace ? "In-place form of :func:`" + (*f.rows)[0]->schema.name + "`. " : std::string()) +
        (*f.rows)[0]->doc;
    if (f.rows->size() > 1 && std::strcmp(last, (*f.rows)[0]->doc) != 0) {
      text += std::string("\n") + last;
    }
    return owned(PyUnicode_FromString(text.c_str())).release();
  });
}
PyObject* op_schemas(PyObject* self, void*) {
  return guarded([&] {
    const auto& f = *reinterpret_cast<OpFunction*>(self);
    Ref list = owned(PyList_New(0));
    for (const OpRow* row : *f.rows) {
      succeed(
          PyList_Append(list.get(), owned(PyUnicode_FromString(row->schema.text.c_str())).get()));
    }
    return list.release();
  });
}
// inspect.signature reads this; made by Python code, since inspect is not imported at start.
PyObject* op_signature(PyObject* self, void*) {
  return guarded([&] {
    Ref module = owned(PyImport_ImportModule("d2lcore._signature"));
    return owned(PyObject_CallMethod(module.get(), "signature_of", "O", self)).release();
  });
}
PyObject* op_reduce(PyObject* self, PyObject*) { return op_qualname(self, nullptr); }

PyGetSetDef op_getset[] = {{"__name__", op_name, nullptr, nullptr, nullptr},
                           {"__qualname__", op_qualname, nullptr, nullptr, nullptr},
                           {"__module__", op_module, nullptr, nullptr, nullptr},
                           {"__doc__", op_doc, nullptr, nullptr, nullptr},
                           {"__signature__", op_signature, nullptr, nullptr, nullptr},
                           {"_schemas", op_schemas, nullptr, nullptr, nullptr},
                           {nullptr, nullptr, nullptr, nullptr, nullptr}};
PyMethodDef op_methods[] = {{"__reduce__", op_reduce, METH_NOARGS, nullptr},
                            {nullptr, nullptr, 0, nullptr}};
PyMemberDef op_members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(OpFunction, vectorcall), READONLY, nullptr},
    {nullptr, 0, 0, 0, nullptr}};

Ref make_function(const std::string& name, const std::string& module, Form form,
                  std::vector<const OpRow*> rows) {
  Ref o = owned(op_function_type->tp_alloc(op_function_type, 0));
  auto* f = reinterpret_cast<OpFunction*>(o.get());
  f->vectorcall = vectorcall;
  f->name = new std::string(name);
  f->module = new std::string(module);
  f->form = form;
  f->names = new std::vector<std::vector<PyObject*>>;
  f->defaults = new std::vector<std::vector<Value>>;
  f->positional = new std::vector<int>;
  for (const OpRow* row : rows) {
    auto& names = f->names->emplace_back();
    check<ValueError>(row->schema.params.size() <= Frame::kParams, "too many parameters: {}",
                      row->schema.text);
    auto& defaults = f->defaults->emplace_back();
    for (const Param& p : row->schema.params) {
      names.push_back(PyUnicode_InternFromString(face_name(p, form)));
      set_default(p, defaults.emplace_back());
    }
    f->positional->push_back(positional_count(row->schema));
    for (const Param& p : row->schema.params) f->random |= p.type == ParamType::Generator;
  }
  f->rows = new std::vector<const OpRow*>(std::move(rows));
  return o;
}

}  // namespace

PyObject* wrap_returned(const OpRow& row, Returned& out) {
  switch (out.kind) {
    case Returned::Kind::None:
      Py_RETURN_NONE;
    case Returned::Kind::Tensor:
      return wrap(std::move(out.tensor));
    case Returned::Kind::TensorTuple: {
      if (!row.schema.return_names.empty()) return named_tuple(row, out.tensors);
      Ref tuple = owned(PyTuple_New(static_cast<Py_ssize_t>(out.tensors.size())));
      for (size_t i = 0; i < out.tensors.size(); ++i) {
        PyTuple_SET_ITEM(tuple.get(), static_cast<Py_ssize_t>(i), wrap(std::move(out.tensors[i])));
      }
      return tuple.release();
    }
    case Returned::Kind::Dims:
      return wrap_size(out.dims);
    default:
      return wrap_scalar(out.number);
  }
}

PyObject* call_inplace(const OpRow& row, Value* args, PyObject* self) {
  run_inplace(row, args);
  Py_INCREF(self);
  return self;
}

const OpRow& find_row(const char* name) {
  for (const OpRow& row : OpTable::get().rows()) {
    if (row.schema.space.empty() && row.schema.name == name) return row;
  }
  fail<ValueError>("no op named {}", name);
}

void make_functions(PyObject* module) {
  s_out = PyUnicode_InternFromString("out");
  s_axis = PyUnicode_InternFromString("axis");
  s_dim = PyUnicode_InternFromString("dim");
  s_keepdims = PyUnicode_InternFromString("keepdims");
  s_keepdim = PyUnicode_InternFromString("keepdim");
  s_x = PyUnicode_InternFromString("x");
  s_a = PyUnicode_InternFromString("a");
  s_x1 = PyUnicode_InternFromString("x1");
  s_x2 = PyUnicode_InternFromString("x2");
  s_self = PyUnicode_InternFromString("self");
  s_input = PyUnicode_InternFromString("input");
  s_other = PyUnicode_InternFromString("other");

  PyType_Slot slots[] = {{Py_tp_call, reinterpret_cast<void*>(PyVectorcall_Call)},
                         {Py_tp_descr_get, reinterpret_cast<void*>(descr_get)},
                         {Py_tp_repr, reinterpret_cast<void*>(op_repr)},
                         {Py_tp_getset, op_getset},
                         {Py_tp_members, op_members},
                         {Py_tp_methods, op_methods},
                         {0, nullptr}};
  PyType_Spec spec = {"d2lcore._C.OpFunction", sizeof(OpFunction), 0,
                      Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL |
                          Py_TPFLAGS_METHOD_DESCRIPTOR | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                      slots};
  op_function_type = reinterpret_cast<PyTypeObject*>(owned(PyType_FromSpec(&spec)).release());

  // Rows of one name and face, in the order of the table.
  struct Group {
    std::string space, name;
    Form form;
    std::vector<const OpRow*> rows;
  };
  std::vector<Group> groups;
  std::map<std::string, size_t> index;
  auto put = [&](const OpRow& row, Form form, const std::string& name) {
    const std::string key = row.schema.space + "." + name + "." + std::to_string(int(form));
    auto [it, fresh] = index.try_emplace(key, groups.size());
    if (fresh) groups.push_back({row.schema.space, name, form, {}});
    groups[it->second].rows.push_back(&row);
  };
  for (const OpRow& row : OpTable::get().rows()) {
    const std::string& name = row.schema.name;
    const bool dunder = name.starts_with("__");
    const std::string inplace = dunder ? "__i" + name.substr(2) : name + "_";
    if (row.faces & Function) put(row, Form::Function, name);
    if (row.faces & Method) put(row, Form::Method, name);
    if (row.faces & Inplace) put(row, Form::Inplace, inplace);
    if (row.faces & InplaceFunction) put(row, Form::InplaceFunction, inplace);
  }
  std::map<std::string, Ref> spaces;
  for (const Group& g : groups) {
    if (g.form == Form::Method || g.form == Form::Inplace) {
      Ref f = make_function(g.name, "d2lcore", g.form, g.rows);
      succeed(PyObject_SetAttrString(reinterpret_cast<PyObject*>(tensor_type), g.name.c_str(),
                                     f.get()));
      continue;
    }
    PyObject* target = module;
    std::string where = "d2lcore";
    if (!g.space.empty()) {
      Ref& sub = spaces[g.space];
      if (!sub) {
        sub = owned(PyModule_New(("d2lcore._C._" + g.space).c_str()));
        succeed(PyObject_SetAttrString(module, ("_" + g.space).c_str(), sub.get()));
      }
      target = sub.get();
      where = g.space == "nn" ? "d2lcore.nn.functional" : "d2lcore." + g.space;
    }
    Ref f = make_function(g.name, where, g.form, g.rows);
    succeed(PyObject_SetAttrString(target, g.name.c_str(), f.get()));
  }
}

}  // namespace d2l::py
