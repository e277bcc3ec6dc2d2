// The in-place and out= protocols.
#include "ops/inplace.h"

#include <memory>

#include "autograd/meta.h"
#include "d2lcore/ops.h"
#include "iter/map.h"

namespace d2l {
namespace {

bool any_requires_grad(const OpRow& row, const Value* args) {
  for (size_t i = 0; i < row.schema.params.size(); ++i) {
    if (args[i].kind == Value::Kind::Tensor) {
      if (needs_grad(*static_cast<const Tensor*>(args[i].ptr))) return true;
    } else if (args[i].kind == Value::Kind::TensorList) {
      const auto* list = static_cast<const Tensor*>(args[i].ptr);
      for (int64_t k = 0; k < args[i].n; ++k) {
        if (needs_grad(list[k])) return true;
      }
    }
  }
  return false;
}

}  // namespace

void run_inplace(const Tensor& target, const char* name, bool grads,
                 const std::function<Tensor(const Tensor&)>& plain,
                 const std::function<void(const Tensor&)>& direct) {
  const Tensor self = target;
  check_inplace(self, name, grads);
  if (!grads && direct) {
    direct(self);
    self.bump_version();
    return;
  }
  // A copy of the value in the same place of the graph: what the op saves stays as it was.
  Tensor copy = empty_as(self, self.dtype());
  copy_into(copy, self);
  if (grads && self.requires_grad()) {
    const Edge edge = edge_of(self);
    set_history(copy, edge.node, edge.nr);
  }
  Tensor result = plain(copy);
  check(equal(result.shape(), self.shape()),
        "output with shape {} doesn't match the broadcast shape {}", self.shape(), result.shape());
  check(can_cast(result.dtype(), self.dtype()),
        "result type {} can't be cast to the desired output type {}", result.dtype(), self.dtype());
  if (result.dtype() != self.dtype()) result = to_dtype(result, self.dtype());
  copy_into(self, result);
  self.bump_version();
  if (grads) take_history(self, result);
}

void run_inplace(const OpRow& row, const Value* args) {
  const Tensor& self = *static_cast<const Tensor*>(args[0].ptr);
  const std::string name = row.schema.name + "_";
  const bool grads = GradMode::enabled() && any_requires_grad(row, args);
  Returned out;
  auto plain = [&](const Tensor& copy) {
    std::vector<Value> changed(args, args + row.schema.params.size());
    changed[0].ptr = &copy;
    row(changed.data(), {}, out);
    return out.tensor;
  };
  auto direct = [&](const Tensor& t) { row(args, Dst::inplace(t), out); };
  if (row.has_dst) {
    run_inplace(self, name.c_str(), grads, plain, direct);
  } else {
    run_inplace(self, name.c_str(), grads, plain, nullptr);
  }
}

namespace {

// The arguments, with a handle of its own for each that is also an output: resizing the output must
// not change the geometry that the op reads.
class ApartFromOutputs {
 public:
  ApartFromOutputs(const OpRow& row, const Value* args, std::span<const Tensor> outs)
      : values_(args, args + row.schema.params.size()) {
    for (Value& v : values_) {
      if (v.kind == Value::Kind::Tensor) {
        const auto& t = *static_cast<const Tensor*>(v.ptr);
        if (!is_output(t, outs)) continue;
        handles_.push_back(std::make_unique<std::vector<Tensor>>(1, snapshot(t)));
        v.ptr = handles_.back()->data();
      } else if (v.kind == Value::Kind::TensorList) {
        const TensorList list(static_cast<const Tensor*>(v.ptr), static_cast<size_t>(v.n));
        auto copy = std::make_unique<std::vector<Tensor>>();
        bool any = false;
        for (const Tensor& t : list) {
          any |= is_output(t, outs);
          copy->push_back(is_output(t, outs) ? snapshot(t) : t);
        }
        if (!any) continue;
        handles_.push_back(std::move(copy));
        v.ptr = handles_.back()->data();
      }
    }
  }
  const Value* values() const { return values_.data(); }

 private:
  static bool is_output(const Tensor& t, std::span<const Tensor> outs) {
    for (const Tensor& out : outs) {
      if (t.is(out)) return true;
    }
    return false;
  }
  static Tensor snapshot(const Tensor& t) {
    Tensor handle = raw_view(t, t.shape(), t.strides(), t.offset());
    handle->wrapped_number = t->wrapped_number;
    return handle;
  }

  std::vector<Value> values_;
  std::vector<std::unique_ptr<std::vector<Tensor>>> handles_;
};

}  // namespace

void run_out(const OpRow& row, const Value* given, std::span<const Tensor> outs) {
  const ApartFromOutputs apart(row, given, outs);
  const Value* args = apart.values();
  if (GradMode::enabled()) {
    bool grads = any_requires_grad(row, args);
    for (const Tensor& t : outs) grads |= t.requires_grad();
    check(!grads,
          "{}(): functions with out=... arguments don't support automatic differentiation, but one "
          "of the arguments requires grad.",
          row.schema.name);
  }
  Returned got;
  if (row.has_dst && outs.size() == 1) {
    row(args, Dst::out(outs[0]), got);
    outs[0].bump_version();
    return;
  }
  row(args, {}, got);
  const std::span<const Tensor> results = got.kind == Returned::Kind::TensorTuple
                                              ? std::span<const Tensor>(got.tensors)
                                              : std::span<const Tensor>(&got.tensor, 1);
  check<TypeError>(results.size() == outs.size(), "{}(): expected {} output tensors, got {}",
                   row.schema.name, static_cast<int64_t>(results.size()),
                   static_cast<int64_t>(outs.size()));
  for (size_t i = 0; i < outs.size(); ++i) {
    check(can_cast(results[i].dtype(), outs[i].dtype()),
          "result type {} can't be cast to the desired output type {}", results[i].dtype(),
          outs[i].dtype());
  }
  for (size_t i = 0; i < outs.size(); ++i) {
    deliver(row.schema.name.c_str(), Dst::out(outs[i]), results[i]);
    outs[i].bump_version();
  }
}

}  // namespace d2l
