// Saving, checking and unpacking; and the half of record() that does not depend on the formulas.
#include "autograd/saved.h"

#include "autograd/engine.h"
#include "autograd/record.h"
#include "d2lcore/ops.h"

namespace d2l {

std::unique_ptr<PackedTensor> (*SavedTensorHooks::pack)(const Tensor& t) = nullptr;
thread_local int SavedTensorHooks::active = 0;

SavedTensor::SavedTensor(const Tensor& t, bool is_result) {
  undefined_ = !t.defined();
  if (undefined_) return;
  check(!t.is_inference() || t->wrapped_number,
        "Inference tensors cannot be saved for backward. Please do not use Tensors created in "
        "inference mode in computation tracked by autograd. To work around this, you can make a "
        "clone to get a normal tensor and use it in autograd, or use `torch.no_grad()` instead of "
        "`torch.inference_mode()`.");
  is_result_ = is_result;
  version_ = t.version();
  // A handle of its own: the user's may be re-pointed or resized.
  value_ = raw_view(t, t.shape(), t.strides(), t.offset());
  value_->wrapped_number = t->wrapped_number;
  if (is_result) {
    nr_ = t->autograd ? t->autograd->output_nr : 0;
  } else {
    edge_ = edge_of(t);
  }
  if (SavedTensorHooks::active && !t->wrapped_number) [[unlikely]] {
    const GradModeGuard off(false);
    packed_ = SavedTensorHooks::pack(t->requires_grad ? t : detach(value_));
    if (packed_) value_ = Tensor();
  }
}

Tensor SavedTensor::unpack(Node* owner, bool in_graph) const {
  check(
      !released_,
      "Trying to backward through the graph a second time (or directly access saved tensors after "
      "they have already been freed). Saved intermediate values of the graph are freed when you "
      "call .backward() or autograd.grad(). Specify retain_graph=True if you need to backward "
      "through the graph a second time or if you need to access saved tensors after calling "
      "backward.");
  if (undefined_) return Tensor();
  if (packed_) {
    Tensor value;
    {
      const GradModeGuard off(false);
      value = packed_->unpack();
    }
    return in_graph ? graphed(value, owner) : value;
  }
  if (value_.version() != version_) {
    fail(
        "one of the variables needed for gradient computation has been modified by an inplace "
        "operation: [torch.{}Tensor {}], which is output {} of {}, is at version {}; expected "
        "version {} instead. Hint: {}",
        scalar_name(value_.dtype()), value_.shape(), is_result_ ? nr_ : edge_.nr,
        is_result_   ? op_name(owner->name())
        : edge_.node ? op_name(edge_.node->name())
                     : std::string("a leaf"),
        value_.version(), version_,
        Anomaly::report
            ? "the backtrace further above shows the operation that failed to compute its "
              "gradient. The variable in question was changed in there or anywhere later. Good "
              "luck!"
            : "enable anomaly detection to find the operation that failed to compute its gradient, "
              "with torch.autograd.set_detect_anomaly(True, check_nan=False).");
  }
  return in_graph ? graphed(value_, owner) : value_;
}

// With gradients of higher order on, what is unpacked must be part of the graph again.
Tensor SavedTensor::graphed(const Tensor& value, Node* owner) const {
  if (!is_result_ && !edge_.node) return value;
  const bool leaf = !is_result_ && edge_.node->is_accumulator;
  if (leaf && !packed_) return static_cast<AccumulateGrad*>(edge_.node.get())->variable();
  Tensor t = raw_view(value, value.shape(), value.strides(), value.offset());
  t->wrapped_number = value->wrapped_number;
  if (is_result_) {
    set_history(t, NodePtr(owner), nr_);
  } else if (leaf) {
    // A leaf's accumulator is its place in the graph; the copy shares it.
    AutogradMeta& meta = meta_of(t);
    meta.grad_fn = edge_.node;
    meta.output_nr = 0;
  } else {
    set_history(t, edge_.node, edge_.nr);
  }
  return t;
}

namespace detail {

void OpNodeBase::release_saved() {
  for (SavedTensor& s : saved) s.release();
}

int64_t OpNodeBase::saved_bytes() const {
  int64_t n = 0;
  for (const SavedTensor& s : saved) n += s.bytes();
  return n;
}

std::vector<Tensor> OpNodeBase::saved_values() {
  std::vector<Tensor> out;
  for (const SavedTensor& s : saved) out.push_back(s.unpack(this, false));
  return out;
}

void OpNodeBase::unpack(Tensor* into) {
  for (size_t i = 0; i < saved.size(); ++i) into[i] = saved[i].unpack(this);
}

void attach(OpNodeBase* node, std::span<const Tensor* const> inputs, std::span<const Tensor> outs,
            std::span<const SaveRef> refs) {
  NodePtr owner(node);
  node->edges.reserve(inputs.size());
  for (const Tensor* t : inputs) {
    node->edges.push_back(t->defined() ? edge_of(*t) : Edge{});
    const NodePtr& from = node->edges.back().node;
    // The node of a view whose base was written has just been rebuilt.
    if (from && !from->is_accumulator && from->sequence > node->sequence) node->renumber();
  }
  for (uint32_t i = 0; i < outs.size(); ++i) {
    if (!outs[i].defined()) continue;
    node->output(i).set(outs[i]);
    if (is_differentiable(outs[i].dtype())) set_history(outs[i], owner, i);
  }
  for (size_t i = 0; i < refs.size(); ++i) {
    if (refs[i].only_for && !needs_grad(*refs[i].only_for)) continue;
    node->saved[i] =
        refs[i].tensor ? SavedTensor(*refs[i].tensor, false) : SavedTensor(outs[refs[i].nr], true);
  }
}

}  // namespace detail
}  // namespace d2l
