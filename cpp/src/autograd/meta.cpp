// Where tensors meet the graph: leaves, histories, views and what in-place writes do to them.
#include "autograd/meta.h"

#include "d2lcore/ops.h"

namespace d2l {

TensorImpl::~TensorImpl() {
  if (autograd && autograd->retains_grad && autograd->grad_fn && autograd->grad_fn->hooks) {
    std::erase_if(autograd->grad_fn->hooks->retain,
                  [this](const auto& entry) { return entry.second == this; });
  }
  delete autograd;
  if (base) Tensor::adopt(base);
}

AutogradMeta& meta_of(const Tensor& t) {
  if (!t->autograd) t->autograd = new AutogradMeta;
  return *t->autograd;
}

bool Tensor::requires_grad() const {
  if (p_->requires_grad || (p_->autograd && p_->autograd->grad_fn)) return true;
  // A view of a base that was written to with gradients.
  return p_->base && p_->view_version != p_->storage->version && p_->base->autograd &&
         p_->base->autograd->grad_fn && !p_->no_grad_view;
}

bool Tensor::is_leaf() const { return !requires_grad() || p_->requires_grad; }

void Tensor::set_requires_grad(bool on) const {
  if (on == requires_grad()) return;
  if (!on) {
    check(
        is_leaf(),
        "you can only change requires_grad flags of leaf variables. If you want to use a computed "
        "variable in a subgraph that doesn't require differentiation use var_no_grad = "
        "var.detach().");
    p_->requires_grad = false;
    return;
  }
  check(!is_inference() || InferenceMode::enabled(),
        "Setting requires_grad=True on inference tensor outside InferenceMode is not allowed.");
  check(is_differentiable(dtype()),
        "only Tensors of floating point and complex dtype can require gradients");
  p_->requires_grad = true;
}

Tensor Tensor::grad() const { return p_->autograd ? p_->autograd->grad : Tensor(); }

void Tensor::set_grad(Tensor g) const {
  if (!g.defined() && !p_->autograd) return;
  meta_of(*this).grad = std::move(g);
}

std::string op_name(std::string node) {
  if (const size_t at = node.rfind("Backward"); at != std::string::npos) node.resize(at);
  return node;
}

namespace {

[[noreturn]] void refuse_multi_output(const Tensor& t, const char* what) {
  const AutogradMeta* meta = t->autograd;
  fail(
      "Output {} of {} is a view and {} modified inplace. This view is the output of a function "
      "that "
      "returns multiple views. Such functions do not allow the output views to be modified "
      "inplace. "
      "You should replace the inplace operation by an out-of-place one.",
      meta ? meta->output_nr : 0,
      meta && meta->grad_fn ? op_name(meta->grad_fn->name()) : std::string("Unbind"), what);
}

[[noreturn]] void refuse_mode(const Tensor& t) {
  fail(
      "A view was created in {} mode and is being modified inplace {}. Given that this use case is "
      "ambiguous and error-prone, it is forbidden. You can clarify your code by moving both the "
      "view and the inplace either both inside the {} block (if you don't want the inplace to be "
      "tracked) or both outside (if you want the inplace to be tracked).",
      t->inference_view ? "inference" : "no_grad",
      t->inference_view ? "in normal mode" : "with grad mode enabled",
      t->inference_view ? "inference_mode" : "no_grad");
}

[[noreturn]] void refuse_custom(const Tensor& t, const char* what) {
  const AutogradMeta* meta = t->autograd;
  fail(
      "Output {} of {} is a view and {} modified inplace. This view was created inside a custom "
      "Function (or because an input was returned as-is) and the autograd logic to handle "
      "view+inplace would override the custom backward associated with the custom Function, "
      "leading to incorrect gradients. This behavior is forbidden. You can fix this by cloning the "
      "output of the custom Function.",
      meta ? meta->output_nr : 0,
      meta && meta->grad_fn ? op_name(meta->grad_fn->name()) : std::string("Function"), what);
}

}  // namespace

namespace {

// A view may hold the parts of complex numbers of its base, or numbers made of its base's parts.
bool related(DType base, DType view) {
  return base == view || (is_complex(base) && real_dtype(base) == view) ||
         (is_complex(view) && real_dtype(view) == base);
}

// The places of complex numbers as those of their parts, which the last dimension tells apart.
struct Parts {
  Dims shape, strides;
  int64_t offset;
  explicit Parts(const Tensor& t) : shape(t.shape()), strides(t.strides()), offset(2 * t.offset()) {
    for (int64_t& s : strides) s *= 2;
    shape.push_back(2);
    strides.push_back(1);
  }
};

// t again, as a differentiable function of the base.
Tensor look(const Tensor& base, const Tensor& t) {
  if (base.dtype() == t.dtype()) return as_strided(base, t.shape(), t.strides(), t.offset());
  if (is_complex(base.dtype())) {
    return as_strided(view_as_real(base), t.shape(), t.strides(), t.offset());
  }
  const Parts p(t);
  return view_as_complex(as_strided(base, p.shape, p.strides, p.offset));
}

// The base as a function of its old self and of what was written to t, a view of it.
Tensor rewritten(const Tensor& base, const Tensor& t, const Tensor& result) {
  if (base.dtype() == t.dtype()) {
    return as_strided_scatter_history(base, result, t.shape(), t.strides(), t.offset());
  }
  if (is_complex(base.dtype())) {
    return view_as_complex(
        as_strided_scatter_history(view_as_real(base), result, t.shape(), t.strides(), t.offset()));
  }
  const Parts p(t);
  return as_strided_scatter_history(base, view_as_real(result), p.shape, p.strides, p.offset);
}

}  // namespace

NodePtr grad_fn_of(const Tensor& t) {
  TensorImpl* p = t.impl();
  if (p->base && p->view_version != p->storage->version) {
    Tensor base(p->base);
    if (base.requires_grad() && !base->requires_grad && !p->no_grad_view &&
        related(base.dtype(), t.dtype())) {
      // The base was written since this view got its node: rebuild it from the view's geometry.
      const char* what = "its base or another view of its base has been";
      if (p->multi_output_view) refuse_multi_output(t, what);
      if (p->custom_view) refuse_custom(t, what);
      GradModeGuard on(true);
      Tensor fresh = look(base, t);
      AutogradMeta& meta = meta_of(t);
      meta.grad_fn = fresh->autograd->grad_fn;
      meta.output_nr = fresh->autograd->output_nr;
      p->view_version = p->storage->version;
    }
  }
  return p->autograd ? p->autograd->grad_fn : NodePtr();
}

Edge edge_of(const Tensor& t) {
  if (!t.requires_grad()) return {};
  if (NodePtr node = grad_fn_of(t)) return {node, t->autograd->output_nr};
  AutogradMeta& meta = meta_of(t);
  if (meta.accumulator) return {NodePtr(meta.accumulator), 0};
  auto* node = new AccumulateGrad(t);
  meta.accumulator = node;
  return {NodePtr(node), 0};
}

void set_history(const Tensor& t, NodePtr node, uint32_t nr) {
  AutogradMeta& meta = meta_of(t);
  meta.grad_fn = std::move(node);
  meta.output_nr = nr;
  t->requires_grad = false;
  if (t->base) t->view_version = t->storage->version;
}

void set_base(const Tensor& view, const Tensor& t) {
  TensorImpl* base = t->base ? t->base : t.impl();
  Tensor keep(base);
  view->base = keep.detach_handle();
  view->view_version = view->storage->version;
  view->no_grad_view = t->no_grad_view || !GradMode::enabled();
  view->inference_view = !t.is_inference() && (t->inference_view || InferenceMode::enabled());
}

void check_inplace(const Tensor& t, const char* op, bool grads) {
  if (grads) check_inplace_history(t);
  if (t->inference_view && !InferenceMode::enabled()) refuse_mode(t);
  check(!t.is_inference() || InferenceMode::enabled(),
        "Inplace update to inference tensor outside InferenceMode is not allowed.You can make a "
        "clone to get a normal tensor before doing inplace update.See "
        "https://github.com/pytorch/rfcs/pull/17 for more details.");
  check(t.storage()->writable, "{}: the memory of the output tensor is read-only", op);
  check(!detail::may_overlap_itself(t.shape(), t.strides()),
        "unsupported operation: more than one element of the written-to tensor refers to a single "
        "memory location. Please clone() the tensor before performing the operation.");
}

void check_inplace_history(const Tensor& t) {
  if (t->base) {
    if (t->multi_output_view) refuse_multi_output(t, "is being");
    if (t->custom_view) refuse_custom(t, "is being");
    if (t->no_grad_view) refuse_mode(t);
    check(!(t.requires_grad() && Tensor(t->base).is_leaf()),
          "a view of a leaf Variable that requires grad is being used in an in-place operation.");
  }
  check(!t->requires_grad,
        "a leaf Variable that requires grad is being used in an in-place operation.");
}

void take_history(const Tensor& t, const Tensor& result) {
  if (!result.requires_grad()) return;
  Edge edge = edge_of(result);
  if (!t->base) {
    set_history(t, edge.node, edge.nr);
    return;
  }
  // The base becomes a function of its old self and of the value written through the view.
  Tensor base(t->base);
  GradModeGuard on(true);
  Tensor written = rewritten(base, t, result);
  Edge base_edge = edge_of(written);
  set_history(base, base_edge.node, base_edge.nr);
  // The view's own node is rebuilt from the base when it is next asked for.
  if (t->autograd) t->autograd->grad_fn = NodePtr();
  t->view_version = t->storage->version - 1;
  grad_fn_of(t);
}

}  // namespace d2l
