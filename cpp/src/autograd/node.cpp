// Nodes: creation, iterative destruction, and the sink that accumulates into .grad.
#include "autograd/node.h"

#include <atomic>
#include <mutex>

#include "autograd/meta.h"
#include "core/allocator.h"
#include "d2lcore/ops.h"
#include "iter/plan.h"

namespace d2l {

NodeWrapperHooks node_wrapper_hooks;
std::unique_ptr<NodeNote> (*make_node_note)() = nullptr;

namespace {

std::atomic<uint64_t> g_sequence{0};

// Nodes whose count fell to zero while another node was being destroyed: they wait here, so that
// the depth of a graph never becomes depth of the stack.
thread_local std::vector<Node*>* t_dying = nullptr;

}  // namespace

Node::Node(const char* name, uint32_t outputs)
    : sequence(g_sequence.fetch_add(1, std::memory_order_relaxed)), name_(name), outputs_(outputs) {
  if (outputs > 1) more_ = std::make_unique<OutputMeta[]>(outputs - 1);
  if (make_node_note) [[unlikely]]
    note = make_node_note();
}

Node::~Node() = default;

void Node::renumber() { sequence = g_sequence.fetch_add(1, std::memory_order_relaxed); }

void* Node::operator new(size_t n) { return allocate(static_cast<int64_t>(n)); }
void Node::operator delete(void* p, size_t n) { deallocate(p, static_cast<int64_t>(n)); }

void Node::destroy(Node* n) {
  if (t_dying) {
    t_dying->push_back(n);
    return;
  }
  std::vector<Node*> dying;
  t_dying = &dying;
  delete n;
  while (!dying.empty()) {
    Node* next = dying.back();
    dying.pop_back();
    delete next;
  }
  t_dying = nullptr;
}

AccumulateGrad::AccumulateGrad(const Tensor& variable)
    : Node("torch::autograd::AccumulateGrad", 1), variable_(variable) {
  is_accumulator = true;
  sequence = UINT64_MAX;  // runs as soon as it is ready
  output(0).set(variable);
}

AccumulateGrad::~AccumulateGrad() {
  if (variable_->autograd && variable_->autograd->accumulator == this) {
    variable_->autograd->accumulator = nullptr;
  }
}

namespace {

// Additions to one leaf by several threads, one after the other. Long kernels let go of the GIL, so
// the GIL alone does not see to that; whoever must wait lets go of it too.
class LeafLock {
 public:
  explicit LeafLock(const Tensor& leaf)
      : mutex_(mutexes_[reinterpret_cast<uintptr_t>(leaf.impl()) / 64 % kMutexes]) {
    if (mutex_.try_lock()) return;
    const LongOp waiting(true);
    mutex_.lock();
  }
  ~LeafLock() { mutex_.unlock(); }
  LeafLock(const LeafLock&) = delete;

 private:
  static constexpr size_t kMutexes = 64;
  static inline std::mutex mutexes_[kMutexes];
  std::mutex& mutex_;
};

}  // namespace

void AccumulateGrad::apply(const std::vector<Tensor>& out, std::vector<Tensor>&) {
  if (!out[0].defined()) return;
  {
    const LeafLock lock(variable_);
    accumulate(out[0]);
  }
  // By index: a hook may register another.
  const AutogradMeta& meta = meta_of(variable_);
  for (size_t i = 0; i < meta.post_accumulate.size(); ++i) {
    auto hook = meta.post_accumulate[i].call;
    hook(variable_);
  }
}

void AccumulateGrad::accumulate(const Tensor& g) {
  AutogradMeta& meta = meta_of(variable_);
  if (!meta.grad.defined()) {
    // Keep the engine's tensor when nobody else can see it; otherwise a copy.
    if (!GradMode::enabled() && g->refs == 1 && g->storage->refs.load() == 1 &&
        detail::is_non_overlapping_and_dense(g.shape(), g.strides())) {
      Tensor plain = g;
      if (plain->autograd) plain = detach(g);
      meta.grad = plain;
    } else {
      meta.grad = GradMode::enabled() ? clone(g) : detach(clone(g));
    }
  } else if (GradMode::enabled()) {
    meta.grad = add(meta.grad, g);
  } else {
    Tensor grad = meta.grad;  // an op may call back into Python, which may drop .grad
    add(grad, g, Scalar(1), Dst::inplace(grad));
    grad.bump_version();
  }
}

}  // namespace d2l
