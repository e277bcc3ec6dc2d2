// The engine: walks the graph from the roots, each node after all that depend on it.
//
// It runs in the calling thread and never recurses. A run gives every reachable node a slot (its
// cotangents so far and the number of edges still to deliver); ready nodes leave a heap by falling
// sequence number, so that memory is let go in the reverse order of the forward pass.
#include <algorithm>
#include <optional>
#include <unordered_map>

#include "autograd/meta.h"
#include "d2lcore/autograd.h"
#include "d2lcore/ops.h"

namespace d2l {
namespace {

struct Slot {
  NodePtr node;
  int32_t pending = 0;  // edges that have not delivered yet
  bool needed = true;   // leads to one of the inputs asked for
  std::vector<Tensor> cotangents;
  std::vector<std::pair<uint32_t, size_t>> captures;  // output nr -> index among the inputs
};

// A gradient as its consumer wants it: summed to the shape, real for real inputs, of the dtype.
Tensor conform(Tensor g, const OutputMeta& meta, const Node& from, size_t index) {
  if (!equal(g.shape(), meta.dims())) {
    check(is_expandable_to(meta.dims(), g.shape()),
          "Function {} returned an invalid gradient at index {} - got {} but expected shape "
          "compatible with {}",
          from.name(), static_cast<int64_t>(index), g.shape(), meta.dims());
    g = sum_to_size(g, meta.dims());
  }
  if (is_complex(g.dtype()) && !is_complex(meta.dtype)) g = real(g);
  if (g.dtype() != meta.dtype) g = to_dtype(g, meta.dtype);
  return g;
}

class Run {
 public:
  Run(bool retain, bool accumulate) : retain_(retain), accumulate_(accumulate) {}
  ~Run() {
    for (Slot& s : slots_) {
      if (s.node && s.node->run == this) s.node->run = nullptr;
    }
  }

  void discover(const std::vector<Edge>& roots) {
    std::vector<Node*> todo;
    for (const Edge& e : roots) {
      if (visit(e.node)) todo.push_back(e.node.get());
    }
    while (!todo.empty()) {
      Node* n = todo.back();
      todo.pop_back();
      for (const Edge& e : n->edges) {
        if (!e.node) continue;
        if (visit(e.node)) todo.push_back(e.node.get());
        ++slot(e.node.get())->pending;
      }
    }
  }

  // Keeps only what leads to the captured edges.
  void restrict_to(const std::vector<Edge>& inputs) {
    for (Slot& s : slots_) s.needed = false;
    for (size_t i = 0; i < inputs.size(); ++i) {
      Slot* s = inputs[i].node ? slot(inputs[i].node.get()) : nullptr;
      if (!s) continue;
      s->captures.push_back({inputs[i].nr, i});
      s->needed = true;
    }
    // Children are needed before parents: by rising sequence number, each node after its inputs.
    std::vector<Slot*> order;
    for (Slot& s : slots_) order.push_back(&s);
    std::sort(order.begin(), order.end(),
              [](Slot* a, Slot* b) { return rank(a->node.get()) < rank(b->node.get()); });
    for (Slot* s : order) {
      for (const Edge& e : s->node->edges) {
        if (e.node && slot(e.node.get())->needed) {
          s->needed = true;
          break;
        }
      }
    }
  }

  void deliver(const Edge& e, Tensor g) {
    Slot& s = *slot(e.node.get());
    if (s.cotangents.empty()) s.cotangents.resize(e.node->outputs());
    Tensor& sum = s.cotangents[e.nr];
    if (!sum.defined()) {
      sum = std::move(g);
    } else {
      sum = add(sum, g);
    }
  }

  std::vector<Tensor> execute(const std::vector<Edge>& roots, size_t inputs) {
    std::vector<Tensor> captured(inputs);
    for (const Edge& e : roots) {
      Slot* s = slot(e.node.get());
      if (s->pending == 0 && !s->cotangents.empty() && !queued(s)) push(s);
    }
    while (!ready_.empty()) {
      std::pop_heap(ready_.begin(), ready_.end(), later);
      Slot* s = slot_at(ready_.back().second);
      ready_.pop_back();
      step(*s, captured);
    }
    return captured;
  }

 private:
  static uint64_t rank(const Node* n) { return n->is_accumulator ? 0 : n->sequence + 1; }
  static bool later(const std::pair<uint64_t, size_t>& a, const std::pair<uint64_t, size_t>& b) {
    return a.first < b.first;
  }

  // True when the node is new to this run.
  bool visit(const NodePtr& n) {
    if (slot(n.get())) return false;
    slots_.emplace_back();
    slots_.back().node = n;
    const auto index = static_cast<uint32_t>(slots_.size() - 1);
    if (!n->run) {
      n->run = this;
      n->run_slot = index;
    } else {
      others_[n.get()] = index;  // busy in an outer run (a backward inside a hook)
    }
    return true;
  }

  Slot* slot(const Node* n) {
    if (n->run == this) return &slots_[n->run_slot];
    if (others_.empty()) return nullptr;
    auto it = others_.find(n);
    return it == others_.end() ? nullptr : &slots_[it->second];
  }
  Slot* slot_at(size_t i) { return &slots_[i]; }
  size_t index_of(const Slot* s) const { return static_cast<size_t>(s - slots_.data()); }
  bool queued(const Slot* s) const {
    return std::any_of(ready_.begin(), ready_.end(),
                       [&](const auto& r) { return r.second == index_of(s); });
  }
  void push(Slot* s) {
    ready_.push_back({s->node->sequence, index_of(s)});
    std::push_heap(ready_.begin(), ready_.end(), later);
  }

  void step(Slot& s, std::vector<Tensor>& captured) {
    NodePtr node = s.node;
    std::vector<Tensor> out = std::move(s.cotangents);
    out.resize(node->outputs());
    NodeHooks* hooks = hooks_of(*node);
    if (hooks && s.needed) {
      for (size_t i = 0; i < hooks->pre.size(); ++i) {
        auto hook = hooks->pre[i].second;  // a hook may register or remove hooks
        hook(out);
      }
    }
    if (node->hooks && s.needed) {
      for (auto& [nr, impl] : node->hooks->retain) {
        if (!out[nr].defined()) continue;
        const Tensor keeper(impl), before = keeper.grad();
        keeper.set_grad(before.defined() ? add(before, out[nr]) : detach(out[nr]));
      }
    }
    for (auto& [nr, index] : s.captures) captured[index] = out[nr];

    std::vector<Tensor> in(node->edges.size());
    const bool run = s.needed && (accumulate_ || !node->is_accumulator) && leads_on(*node);
    if (run) {
      s.captures.clear();
      node->apply(out, in);
      if (hooks && !hooks->post.empty()) {
        for (size_t i = 0; i < hooks->post.size(); ++i) {
          auto hook = hooks->post[i].second;
          hook(in, out);
        }
      }
      if (!retain_) node->release_saved();
    }
    out.clear();
    for (size_t i = 0; i < in.size(); ++i) {
      const Edge& e = node->edges[i];
      if (!e.node) continue;
      Slot* next = slot(e.node.get());
      if (run && in[i].defined() && next->needed) {
        deliver(e, conform(std::move(in[i]), e.node->output(e.nr), *node, i));
      }
      if (--next->pending == 0) push(next);
    }
  }

  // A node whose inputs are all unneeded only had to be captured.
  bool leads_on(const Node& n) {
    if (n.is_accumulator) return true;
    for (const Edge& e : n.edges) {
      if (e.node && slot(e.node.get())->needed) return true;
    }
    return n.edges.empty();
  }

  static NodeHooks* hooks_of(Node& n) {
    if (!n.is_accumulator) return n.hooks.get();
    const Tensor& leaf = static_cast<AccumulateGrad&>(n).variable();
    return leaf->autograd->leaf_hooks.get();
  }

  std::vector<Slot> slots_;
  std::unordered_map<const Node*, uint32_t> others_;
  std::vector<std::pair<uint64_t, size_t>> ready_;
  bool retain_, accumulate_;
};

std::vector<Tensor> run(const std::vector<Tensor>& roots, std::vector<Tensor>& gradients,
                        const BackwardOptions& options, const std::vector<Tensor>& inputs,
                        bool accumulate) {
  check(gradients.size() == roots.size(), "got {} tensors and {} gradients",
        static_cast<int64_t>(roots.size()), static_cast<int64_t>(gradients.size()));
  std::vector<Edge> root_edges, input_edges;
  for (size_t i = 0; i < roots.size(); ++i) {
    const Tensor& root = roots[i];
    check(root.requires_grad(),
          "element {} of tensors does not require grad and does not have a grad_fn",
          static_cast<int64_t>(i));
    Tensor& g = gradients[i];
    if (!g.defined()) {
      check(root.numel() == 1, "grad can be implicitly created only for scalar outputs");
      check(!is_complex(root.dtype()),
            "grad can be implicitly created only for real scalar "
            "outputs but got torch.{}",
            name(root.dtype()));
      g = full(root.shape(), Scalar(1.0), root.dtype());
    } else {
      check(equal(g.shape(), root.shape()),
            "Mismatch in shape: grad_output[{}] has a shape of torch.Size({}) and output[{}] has a "
            "shape of torch.Size({}).",
            static_cast<int64_t>(i), g.shape(), static_cast<int64_t>(i), root.shape());
      check(is_complex(g.dtype()) == is_complex(root.dtype()),
            "For complex Tensors, both grad_output and output are required to have the same dtype. "
            "Mismatch in dtype: grad_output[{}] has a dtype of torch.{} and output[{}] has a dtype "
            "of torch.{}.",
            static_cast<int64_t>(i), name(g.dtype()), static_cast<int64_t>(i), name(root.dtype()));
      if (g.dtype() != root.dtype()) g = to_dtype(g, root.dtype());
    }
    root_edges.push_back(edge_of(root));
  }
  for (const Tensor& t : inputs) {
    check(t.requires_grad(), "One of the differentiated Tensors does not require grad");
    input_edges.push_back(edge_of(t));
  }
  GradModeGuard mode(options.create_graph);
  Run engine(options.retain_graph.value_or(options.create_graph), accumulate);
  engine.discover(root_edges);
  if (!inputs.empty()) engine.restrict_to(input_edges);
  for (size_t i = 0; i < roots.size(); ++i) {
    engine.deliver(root_edges[i], std::move(gradients[i]));
  }
  gradients.clear();
  return engine.execute(root_edges, inputs.size());
}

}  // namespace

void backward(const std::vector<Tensor>& roots, std::vector<Tensor> gradients,
              const BackwardOptions& options, const std::vector<Tensor>& inputs) {
  if (gradients.empty()) gradients.resize(roots.size());
  run(roots, gradients, options, inputs, true);
}

std::vector<Tensor> grad(const std::vector<Tensor>& roots, const std::vector<Tensor>& inputs,
                         std::vector<Tensor> gradients, const BackwardOptions& options,
                         bool allow_unused) {
  check(!inputs.empty(), "`inputs` argument to `grad()` cannot be empty.");
  if (gradients.empty()) gradients.resize(roots.size());
  std::vector<Tensor> out = run(roots, gradients, options, inputs, false);
  for (size_t i = 0; i < out.size(); ++i) {
    check(allow_unused || out[i].defined(),
          "The differentiated Tensor at index {} appears to not have been used in the graph. Set "
          "allow_unused=True if this is the desired behavior.",
          static_cast<int64_t>(i));
  }
  return out;
}

bool grad_enabled() { return GradMode::enabled(); }
void set_grad_enabled(bool on) { GradMode::set(on); }

}  // namespace d2l
