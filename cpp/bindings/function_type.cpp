// torch.autograd.Function: the context that forward and backward share is the node's own object.
//
// _FunctionBase derives from Node. `apply` makes a context, runs the user's forward without
// recording, and only then makes the node, whose outputs are known by now; the context becomes the
// node's stateful object (Note [Nodes with state]), so that ctx is y.grad_fn.
#include "function_type.h"

#include <structmember.h>

#include <algorithm>
#include <vector>

#include "autograd/saved.h"
#include "d2lcore/ops.h"
#include "node_type.h"
#include "watch.h"

namespace d2l::py {
namespace {

struct FunctionObject {
  NodeObject head;
  // What forward asked for; tuples or null.
  PyObject *to_save, *dirty, *non_differentiable;
  PyObject* needs_input_grad;
  bool keeps_none;  // set_materialize_grads(False)
  bool released;
  std::vector<SavedTensor>* saved;
};

PyTypeObject* function_base = nullptr;
PyObject* base_setup = nullptr;     // Function.setup_context, as long as nobody overrides it
PyObject* base_backward = nullptr;  // Function.backward and Function.vjp
PyObject* bind_arguments = nullptr;
PyObject *s_forward, *s_setup_context, *s_backward, *s_vjp, *s_backward_cls, *s_forward_cls;

FunctionObject* context_of(PyObject* o) { return reinterpret_cast<FunctionObject*>(o); }

class FunctionNode final : public Node {
 public:
  // Which inputs and outputs are tensors; the edges belong to the tensors among the inputs.
  FunctionNode(uint32_t outputs, std::vector<bool> inputs)
      : Node("Function", outputs), tensor_input(std::move(inputs)), tensor_output(outputs) {}

  void apply(const std::vector<Tensor>& out, std::vector<Tensor>& in) override;
  void release_saved() override {
    context().released = true;
    if (auto* saved = context().saved) {
      for (SavedTensor& s : *saved) s.release();
    }
  }
  int64_t saved_bytes() const override {
    int64_t n = 0;
    if (const auto* saved = context().saved) {
      for (const SavedTensor& s : *saved) n += s.bytes();
    }
    return n;
  }
  std::vector<Tensor> saved_values() override {
    std::vector<Tensor> out;
    if (const auto* saved = context().saved) {
      for (const SavedTensor& s : *saved) out.push_back(s.unpack(this, false));
    }
    return out;
  }
  std::string name() const override { return Py_TYPE(static_cast<PyObject*>(wrapper))->tp_name; }

  std::vector<bool> tensor_input, tensor_output;

 private:
  FunctionObject& context() const { return *context_of(static_cast<PyObject*>(wrapper)); }
};

// The user's backward or vjp.
Ref user_backward(PyObject* ctx) {
  Ref cls = owned(PyObject_GetAttr(ctx, s_forward_cls));
  Ref backward = owned(PyObject_GetAttr(cls.get(), s_backward));
  Ref vjp = owned(PyObject_GetAttr(cls.get(), s_vjp));
  if (vjp.get() == base_backward) return backward;
  check(backward.get() == base_backward,
        "Implementing both 'backward' and 'vjp' for a custom Function is not allowed. You should "
        "only implement one of them.");
  return vjp;
}

void FunctionNode::apply(const std::vector<Tensor>& out, std::vector<Tensor>& in) {
  Ref ctx = Ref::borrow(static_cast<PyObject*>(wrapper));
  Ref call = user_backward(ctx.get());
  std::vector<PyObject*> args(1 + out.size() + 1);  // one place before, for vectorcall
  std::vector<Ref> keep;
  args[1] = ctx.get();
  for (uint32_t i = 0; i < out.size(); ++i) {
    Tensor g = out[i];
    if (!g.defined() && tensor_output[i] && !context().keeps_none) {
      g = full(output(i).dims(), Scalar(0.0), output(i).dtype);
    }
    keep.push_back(owned(wrap(std::move(g))));
    args[2 + i] = keep.back().get();
  }
  Ref got = owned(PyObject_Vectorcall(call.get(), args.data() + 1,
                                      (1 + out.size()) | PY_VECTORCALL_ARGUMENTS_OFFSET, nullptr));
  if (!PyTuple_Check(got.get())) got = owned(PyTuple_Pack(1, got.get()));
  auto item = [&](size_t i) { return PyTuple_GET_ITEM(got.get(), static_cast<Py_ssize_t>(i)); };

  const size_t wanted = tensor_input.size();
  size_t count = static_cast<size_t>(PyTuple_GET_SIZE(got.get()));
  while (count > wanted && item(count - 1) == Py_None) --count;  // Nones too many are harmless
  check(count == wanted,
        "function {} returned an incorrect number of gradients (expected {}, got {})", name(),
        static_cast<int64_t>(wanted), static_cast<int64_t>(count));
  size_t edge = 0;
  for (size_t i = 0; i < wanted; ++i) {
    PyObject* g = item(i);
    if (!tensor_input[i]) {
      check(g == Py_None,
            "function {} returned a gradient different than None at position {}, but the "
            "corresponding forward input was not a Variable",
            name(), static_cast<int64_t>(i + 1));
      continue;
    }
    if (g != Py_None) {
      check(is_tensor(g), "expected Variable or None (got {})", Py_TYPE(g)->tp_name);
      in[edge] = tensor_of(g);
    }
    ++edge;
  }
}

// ------------------------------------------------------------------------ the context's type

PyObject* function_new(PyTypeObject* type, PyObject*, PyObject*) {
  PyObject* o = type->tp_alloc(type, 0);  // zeroed: no node, nothing saved
  if (o) new (&context_of(o)->head.node) NodePtr;
  return o;
}
int function_traverse(PyObject* o, visitproc visit, void* arg) {
  FunctionObject* self = context_of(o);
  Py_VISIT(Py_TYPE(o));
  Py_VISIT(self->to_save);
  Py_VISIT(self->dirty);
  Py_VISIT(self->non_differentiable);
  Py_VISIT(self->needs_input_grad);
  return traverse_node(&self->head, visit, arg);
}
int function_clear(PyObject* o) {
  FunctionObject* self = context_of(o);
  Py_CLEAR(self->to_save);
  Py_CLEAR(self->dirty);
  Py_CLEAR(self->non_differentiable);
  Py_CLEAR(self->needs_input_grad);
  clear_node(&self->head);
  return 0;
}
void function_dealloc(PyObject* o) {
  PyTypeObject* type = Py_TYPE(o);
  PyObject_GC_UnTrack(o);
  FunctionObject* self = context_of(o);
  delete std::exchange(self->saved, nullptr);
  Py_CLEAR(self->to_save);
  Py_CLEAR(self->dirty);
  Py_CLEAR(self->non_differentiable);
  Py_CLEAR(self->needs_input_grad);
  drop_node(&self->head);
  type->tp_free(o);
  Py_DECREF(type);
}

PyObject* set_field(PyObject*& field, PyObject* value) {
  Py_INCREF(value);
  Py_XSETREF(field, value);
  Py_RETURN_NONE;
}
PyObject* save_for_backward(PyObject* self, PyObject* args) {
  return set_field(context_of(self)->to_save, args);
}
PyObject* mark_dirty(PyObject* self, PyObject* args) {
  return set_field(context_of(self)->dirty, args);
}
PyObject* mark_non_differentiable(PyObject* self, PyObject* args) {
  return set_field(context_of(self)->non_differentiable, args);
}
PyObject* set_materialize_grads(PyObject* self, PyObject* on) {
  const int truth = PyObject_IsTrue(on);
  if (truth < 0) return nullptr;
  context_of(self)->keeps_none = truth == 0;
  Py_RETURN_NONE;
}

PyObject* saved_tensors(PyObject* o, void*) {
  return guarded([&] {
    FunctionObject* self = context_of(o);
    const size_t n = self->saved ? self->saved->size() : 0;
    check(!self->released,
          "Trying to backward through the graph a second time (or directly access saved tensors "
          "after they have already been freed). Saved intermediate values of the graph are freed "
          "when you call .backward() or autograd.grad(). Specify retain_graph=True if you need to "
          "backward through the graph a second time or if you need to access saved tensors after "
          "calling backward.");
    Ref tuple = owned(PyTuple_New(static_cast<Py_ssize_t>(n)));
    for (size_t i = 0; i < n; ++i) {
      PyTuple_SET_ITEM(tuple.get(), static_cast<Py_ssize_t>(i),
                       wrap((*self->saved)[i].unpack(self->head.node.get(), true)));
    }
    return tuple.release();
  });
}

// ------------------------------------------------------------------------------------- apply

// A tuple that the user gave, each element a tensor; `say` throws for one that is none.
template <class F>
std::vector<const Tensor*> tensors_in(PyObject* tuple, F say) {
  std::vector<const Tensor*> out;
  for (Py_ssize_t i = 0; tuple && i < PyTuple_GET_SIZE(tuple); ++i) {
    PyObject* o = PyTuple_GET_ITEM(tuple, i);
    if (!is_tensor(o)) say(i, o);
    out.push_back(&tensor_of(o));
  }
  return out;
}
bool contains(const std::vector<const Tensor*>& list, const Tensor& t) {
  return std::any_of(list.begin(), list.end(), [&](const Tensor* x) { return x->is(t); });
}

// Gives the tensors that forward returned their place in the graph.
class Outputs {
 public:
  Outputs(FunctionObject* ctx, PyObject* inputs, FunctionNode* node)
      : node_(node),
        dirty_(tensors_in(ctx->dirty,
                          [](Py_ssize_t i, PyObject* o) {
                            fail(
                                "mark_dirty can only accept variables, but argument {} is of type "
                                "{}",
                                static_cast<int64_t>(i), Py_TYPE(o)->tp_name);
                          })),
        constant_(tensors_in(ctx->non_differentiable, [](Py_ssize_t, PyObject* o) {
          fail("mark_non_differentiable only accepts variable arguments, but got {}",
               Py_TYPE(o)->tp_name);
        })) {
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(inputs); ++i) {
      PyObject* o = PyTuple_GET_ITEM(inputs, i);
      if (is_tensor(o)) inputs_.push_back(&tensor_of(o));
    }
  }

  // `many`: the Function returned several tensors.
  Ref place(PyObject* o, uint32_t nr, bool many) {
    Tensor t = tensor_of(o);
    if (node_) {
      node_->tensor_output[nr] = true;
      node_->output(nr).set(t);
    }
    const bool input = contains(inputs_, t), dirty = contains(dirty_, t);
    if (dirty) {
      returned_.push_back(t);
      t.bump_version();
    } else if (input) {
      // Its history is the user's: the result is a view of it.
      const GradModeGuard off(false);
      t = alias(t);
    }
    if (!node_ || contains(constant_, tensor_of(o)) || !is_differentiable(t.dtype())) {
      if (node_ && !dirty && t.requires_grad()) t = detach(t);
    } else if (dirty && input) {
      overwrite(t, nr, many);
    } else {
      set_history(t, NodePtr(node_), nr);
      if (t->base) {
        t->no_grad_view = false;
        (many ? t->multi_output_view : t->custom_view) = true;
      }
    }
    return t.is(tensor_of(o)) ? Ref::borrow(o) : owned(wrap(std::move(t)));
  }

  void finish() const {
    for (const Tensor* t : dirty_) {
      check(std::any_of(returned_.begin(), returned_.end(),
                        [&](const Tensor& r) { return r.is(*t); }),
            "Some elements marked as dirty during the forward method were not returned as output. "
            "The inputs that are modified inplace must all be outputs of the Function.");
    }
  }

 private:
  // An input that forward wrote to becomes the Function's result.
  void overwrite(const Tensor& t, uint32_t nr, bool many) {
    check(!t->requires_grad,
          "a leaf Variable that requires grad has been used in an in-place operation.");
    if (!t->base) {
      set_history(t, NodePtr(node_), nr);
      return;
    }
    check(!many,
          "If your Function modifies inplace an input that is a view of another Tensor, your "
          "Function cannot return more than one Tensor. This is not supported by the current "
          "autograd engine. You should either make sure the input is not a view (using .clone() "
          "for example) or make your Function only return one Tensor (potentially splitting it "
          "into two Functions: one doing the inplace that returns a single Tensor and a second "
          "one that does the other operations). You can ask on the forum "
          "https://discuss.pytorch.org/ if you need help to do this change.");
    check_inplace_history(t);
    const Tensor result = raw_view(t, t.shape(), t.strides(), t.offset());
    set_history(result, NodePtr(node_), nr);
    take_history(t, result);
  }

  FunctionNode* node_;
  std::vector<const Tensor*> inputs_, dirty_, constant_;
  std::vector<Tensor> returned_;
};

void save(FunctionObject* ctx) {
  if (!ctx->to_save) return;
  Node* node = ctx->head.node.get();
  auto saved = std::make_unique<std::vector<SavedTensor>>();
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(ctx->to_save); ++i) {
    PyObject* o = PyTuple_GET_ITEM(ctx->to_save, i);
    check<TypeError>(o == Py_None || is_tensor(o),
                     "save_for_backward can only save variables, but argument {} is of type {}",
                     static_cast<int64_t>(i), Py_TYPE(o)->tp_name);
    const Tensor t = o == Py_None ? Tensor() : tensor_of(o);
    const bool result = t.defined() && t->autograd && t->autograd->grad_fn.get() == node;
    saved->emplace_back(t, result);
  }
  ctx->saved = saved.release();
}

// forward's result as the user gets it; the context becomes the node when one is needed.
Ref finish(FunctionObject* ctx, PyObject* inputs, PyObject* result, bool record) {
  const bool tuple = PyTuple_Check(result);
  const Py_ssize_t count = tuple ? PyTuple_GET_SIZE(result) : 1;
  auto item = [&](Py_ssize_t i) { return tuple ? PyTuple_GET_ITEM(result, i) : result; };
  FunctionNode* node = nullptr;
  if (record) {
    std::vector<bool> is_input;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(inputs); ++i) {
      is_input.push_back(is_tensor(PyTuple_GET_ITEM(inputs, i)));
    }
    node = new FunctionNode(static_cast<uint32_t>(count), is_input);
    node->wrapper = ctx;
    node->stateful_wrapper = true;
    ctx->head.node = NodePtr(node);
    for (size_t i = 0; i < is_input.size(); ++i) {
      if (!is_input[i]) continue;
      node->edges.push_back(
          edge_of(tensor_of(PyTuple_GET_ITEM(inputs, static_cast<Py_ssize_t>(i)))));
      const NodePtr& from = node->edges.back().node;
      if (from && !from->is_accumulator && from->sequence > node->sequence) node->renumber();
    }
  }
  Outputs outputs(ctx, inputs, node);
  Ref out = owned(PyTuple_New(count));
  for (Py_ssize_t i = 0; i < count; ++i) {
    Ref o = is_tensor(item(i)) ? outputs.place(item(i), static_cast<uint32_t>(i), count > 1)
                               : Ref::borrow(item(i));
    PyTuple_SET_ITEM(out.get(), i, o.release());
  }
  outputs.finish();
  if (record) save(ctx);
  Py_CLEAR(ctx->to_save);
  Py_CLEAR(ctx->dirty);
  Py_CLEAR(ctx->non_differentiable);
  return tuple ? out : Ref::borrow(PyTuple_GET_ITEM(out.get(), 0));
}

PyObject* function_apply(PyObject* cls, PyObject* const* args, Py_ssize_t n, PyObject* kwnames) {
  return guarded([&] {
    if (watchers) [[unlikely]] {
      if (PyObject* got = call_batched(cls, args, n, kwnames, false)) return got;
    }
    Ref backward_cls = owned(PyObject_GetAttr(cls, s_backward_cls));
    Ref forward = owned(PyObject_GetAttr(cls, s_forward));
    Ref setup = owned(PyObject_GetAttr(cls, s_setup_context));
    const bool separate = setup.get() != base_setup;

    Ref inputs = owned(PyTuple_New(n));
    for (Py_ssize_t i = 0; i < n; ++i) {
      Py_INCREF(args[i]);
      PyTuple_SET_ITEM(inputs.get(), i, args[i]);
    }
    const PyObject* code =
        separate && PyFunction_Check(forward.get()) ? PyFunction_GET_CODE(forward.get()) : nullptr;
    const bool complete =
        !separate || (code && reinterpret_cast<const PyCodeObject*>(code)->co_argcount == n);
    if (kwnames || !complete) {
      Ref kwargs = owned(PyDict_New());
      for (Py_ssize_t k = 0; kwnames && k < PyTuple_GET_SIZE(kwnames); ++k) {
        succeed(PyDict_SetItem(kwargs.get(), PyTuple_GET_ITEM(kwnames, k), args[n + k]));
      }
      inputs =
          owned(PyObject_CallFunctionObjArgs(bind_arguments, forward.get(), inputs.get(),
                                             kwargs.get(), separate ? Py_True : Py_False, nullptr));
    }
    n = PyTuple_GET_SIZE(inputs.get());

    Ref context = owned(PyObject_CallNoArgs(backward_cls.get()));
    check<TypeError>(PyType_IsSubtype(Py_TYPE(context.get()), function_base),
                     "{} is no class of Function contexts", Py_TYPE(context.get())->tp_name);
    FunctionObject* ctx = context_of(context.get());
    bool record = false;
    Ref needs = owned(PyTuple_New(n));
    for (Py_ssize_t i = 0; i < n; ++i) {
      PyObject* o = PyTuple_GET_ITEM(inputs.get(), i);
      const bool need = is_tensor(o) && tensor_of(o).requires_grad();
      record |= need;
      PyTuple_SET_ITEM(needs.get(), i, PyBool_FromLong(need));
    }
    record = record && GradMode::enabled();
    ctx->needs_input_grad = needs.release();

    Ref result;
    {
      const GradModeGuard off(false);
      if (separate) {
        result = owned(PyObject_Call(forward.get(), inputs.get(), nullptr));
        owned(PyObject_CallFunctionObjArgs(setup.get(), ctx, inputs.get(), result.get(), nullptr));
      } else {
        std::vector<PyObject*> all(static_cast<size_t>(n) + 2);
        all[1] = context.get();
        for (Py_ssize_t i = 0; i < n; ++i) {
          all[static_cast<size_t>(i) + 2] = PyTuple_GET_ITEM(inputs.get(), i);
        }
        result = owned(PyObject_Vectorcall(
            forward.get(), all.data() + 1,
            static_cast<size_t>(n + 1) | PY_VECTORCALL_ARGUMENTS_OFFSET, nullptr));
      }
    }
    return finish(ctx, inputs.get(), result.get(), record).release();
  });
}

// _set_function_defaults(setup_context, backward, bind_arguments)
PyObject* set_function_defaults(PyObject*, PyObject* args) {
  PyObject *setup, *backward, *bind;
  if (!PyArg_ParseTuple(args, "OOO:_set_function_defaults", &setup, &backward, &bind)) {
    return nullptr;
  }
  set_field(base_setup, setup);
  set_field(base_backward, backward);
  return set_field(bind_arguments, bind);
}

PyMethodDef function_methods[] = {
    {"apply", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(function_apply)),
     METH_FASTCALL | METH_KEYWORDS | METH_CLASS, "Runs forward and records the Function."},
    {"save_for_backward", save_for_backward, METH_VARARGS,
     "save_for_backward(*tensors): keeps inputs or outputs for backward, where saved_tensors has "
     "them."},
    {"mark_dirty", mark_dirty, METH_VARARGS,
     "mark_dirty(*tensors): says which inputs forward wrote to; all must be returned."},
    {"mark_non_differentiable", mark_non_differentiable, METH_VARARGS,
     "mark_non_differentiable(*tensors): says which outputs have no gradient."},
    {"set_materialize_grads", set_materialize_grads, METH_O,
     "set_materialize_grads(value): whether backward gets zeros for the gradients that did not "
     "come, or None."},
    {nullptr, nullptr, 0, nullptr}};
PyGetSetDef function_getset[] = {
    {"saved_tensors", saved_tensors, nullptr, "What save_for_backward kept.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr}};
PyMemberDef function_members[] = {
    {"needs_input_grad", T_OBJECT, offsetof(FunctionObject, needs_input_grad), 0,
     "Which inputs of forward need a gradient."},
    {"to_save", T_OBJECT, offsetof(FunctionObject, to_save), 0, nullptr},
    {"dirty_tensors", T_OBJECT, offsetof(FunctionObject, dirty), READONLY, nullptr},
    {"non_differentiable", T_OBJECT, offsetof(FunctionObject, non_differentiable), READONLY,
     nullptr},
    {nullptr, 0, 0, 0, nullptr}};
PyMethodDef functions[] = {{"_set_function_defaults", set_function_defaults, METH_VARARGS, nullptr},
                           {nullptr, nullptr, 0, nullptr}};

}  // namespace

void make_function_type(PyObject* module) {
  s_forward = owned(PyUnicode_InternFromString("forward")).release();
  s_setup_context = owned(PyUnicode_InternFromString("setup_context")).release();
  s_backward = owned(PyUnicode_InternFromString("backward")).release();
  s_vjp = owned(PyUnicode_InternFromString("vjp")).release();
  s_backward_cls = owned(PyUnicode_InternFromString("_backward_cls")).release();
  s_forward_cls = owned(PyUnicode_InternFromString("_forward_cls")).release();
  PyType_Slot slots[] = {
      {Py_tp_new, reinterpret_cast<void*>(function_new)},
      {Py_tp_dealloc, reinterpret_cast<void*>(function_dealloc)},
      {Py_tp_traverse, reinterpret_cast<void*>(function_traverse)},
      {Py_tp_clear, reinterpret_cast<void*>(function_clear)},
      {Py_tp_methods, function_methods},
      {Py_tp_getset, function_getset},
      {Py_tp_members, function_members},
      {Py_tp_doc, const_cast<char*>("What forward and backward of a Function share.")},
      {0, nullptr}};
  PyType_Spec spec = {"d2lcore._C._FunctionBase", sizeof(FunctionObject), 0,
                      Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC, slots};
  Ref bases = owned(PyTuple_Pack(1, reinterpret_cast<PyObject*>(node_type)));
  function_base = reinterpret_cast<PyTypeObject*>(
      owned(PyType_FromSpecWithBases(&spec, bases.get())).release());
  succeed(
      PyObject_SetAttrString(module, "_FunctionBase", reinterpret_cast<PyObject*>(function_base)));
  succeed(PyModule_AddFunctions(module, functions));
}

}  // namespace d2l::py
