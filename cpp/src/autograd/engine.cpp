// The engine: walks the graph from the roots, each node after all that depend on it.
//
// It runs in the calling thread and never recurses. A run gives every reachable node a slot (its
// cotangents so far and the number of edges still to deliver); ready nodes leave a heap by falling
// sequence number, so that memory is let go in the reverse order of the forward pass.
#include "autograd/engine.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "d2lcore/ops.h"
#include "iter/finite.h"
#include "iter/map.h"

namespace d2l {

void (*Anomaly::report)(const Node& n) = nullptr;
bool Anomaly::check_nan = true;
thread_local void (*inspect_gradient)(const Node& n, size_t input, const Tensor& g) = nullptr;

namespace {

class Run;
thread_local Run* t_run = nullptr;
thread_local Node* t_node = nullptr;
std::atomic<int64_t> g_runs{0};

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
  Run(bool retain, bool accumulate)
      : id(g_runs.fetch_add(1)), outer_(t_run), retain_(retain), accumulate_(accumulate) {
    t_run = this;
  }
  Run(const Run&) = delete;
  ~Run() {
    t_run = outer_;
    for (Slot& s : slots_) {
      if (s.node && s.node->run == this) s.node->run = nullptr;
    }
  }

  const int64_t id;
  bool restricted = false;

  bool executes(const Node& n) {
    const Slot* s = slot(&n);
    return s && s->needed && (accumulate_ || !n.is_accumulator) && leads_on(n);
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
    restricted = true;
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
    if (NodeHooks* hooks = tensor_hooks_of(*node); hooks && s.needed) {
      for (size_t i = 0; i < hooks->tensor.size(); ++i) {
        auto hook = hooks->tensor[i].call;  // a hook may register or remove hooks
        hook(out);
      }
    }
    if (node->hooks && s.needed) {
      for (auto& [nr, impl] : node->hooks->retain) {
        if (!out[nr].defined()) continue;
        const Tensor keeper(impl), before = keeper.grad();
        keeper.set_grad(before.defined()      ? add(before, out[nr])
                        : GradMode::enabled() ? clone(out[nr])
                                              : detach(out[nr]));
      }
    }
    for (auto& [nr, index] : s.captures) captured[index] = out[nr];

    std::vector<Tensor> in(node->edges.size());
    const bool run = s.needed && (accumulate_ || !node->is_accumulator) && leads_on(*node);
    if (run) {
      s.captures.clear();
      if (node->hooks) {
        for (size_t i = 0; i < node->hooks->pre.size(); ++i) {
          auto hook = node->hooks->pre[i].call;
          hook(out);
        }
      }
      apply(*node, out, in);
      if (node->hooks) {
        for (size_t i = 0; i < node->hooks->post.size(); ++i) {
          auto hook = node->hooks->post[i].call;
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

  // The formula, under the eyes of whoever asked to see what comes out.
  static void apply(Node& node, const std::vector<Tensor>& out, std::vector<Tensor>& in) {
    struct Running {
      explicit Running(Node* n) : before(std::exchange(t_node, n)) {}
      ~Running() { t_node = before; }
      Node* before;
    } const running(&node);
    if (!Anomaly::report) {
      node.apply(out, in);
    } else {
      try {
        node.apply(out, in);
        if (Anomaly::check_nan) refuse_nan(node, in);
      } catch (...) {
        Anomaly::report(node);
        throw;
      }
    }
    if (inspect_gradient) {
      for (size_t i = 0; i < in.size(); ++i) {
        if (in[i].defined()) inspect_gradient(node, i, in[i]);
      }
    }
  }

  static void refuse_nan(const Node& node, const std::vector<Tensor>& in) {
    for (size_t i = 0; i < in.size(); ++i) {
      check(!in[i].defined() || !find_non_finite(in[i], {.nan = true}),
            "Function '{}' returned nan values in its {}th output.", node.name(),
            static_cast<int64_t>(i));
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

  // Those of a leaf hang on the leaf: its accumulator comes and goes.
  static NodeHooks* tensor_hooks_of(Node& n) {
    if (!n.is_accumulator) return n.hooks.get();
    const Tensor& leaf = static_cast<AccumulateGrad&>(n).variable();
    return leaf->autograd->leaf_hooks.get();
  }

  Run* const outer_;
  std::vector<Slot> slots_;
  std::unordered_map<const Node*, uint32_t> others_;
  std::vector<std::pair<uint64_t, size_t>> ready_;
  bool retain_, accumulate_;
};

// Undefined gradients become 1, others must fit their roots.
void complete(const std::vector<Edge>& roots, std::vector<Tensor>& gradients) {
  if (gradients.empty()) gradients.resize(roots.size());
  check(gradients.size() == roots.size(), "got {} tensors and {} gradients",
        static_cast<int64_t>(roots.size()), static_cast<int64_t>(gradients.size()));
  for (size_t i = 0; i < roots.size(); ++i) {
    const OutputMeta& root = roots[i].node->output(roots[i].nr);
    Tensor& g = gradients[i];
    if (!g.defined()) {
      int64_t numel = 1;
      for (int64_t n : root.dims()) numel *= n;
      check(numel == 1, "grad can be implicitly created only for scalar outputs");
      check(!is_complex(root.dtype),
            "grad can be implicitly created only for real scalar "
            "outputs but got torch.{}",
            name(root.dtype));
      g = full(root.dims(), Scalar(1.0), root.dtype);
    } else {
      const auto nr = static_cast<int64_t>(i);
      check(equal(g.shape(), root.dims()),
            "Mismatch in shape: grad_output[{}] has a shape of torch.Size({}) and output[{}] has a "
            "shape of torch.Size({}).",
            nr, g.shape(), nr, root.dims());
      check(is_complex(g.dtype()) == is_complex(root.dtype),
            "For complex Tensors, both grad_output and output are required to have the same dtype. "
            "Mismatch in dtype: grad_output[{}] has a dtype of torch.{} and output[{}] has a dtype "
            "of torch.{}.",
            nr, name(g.dtype()), nr, name(root.dtype));
      if (g.dtype() != root.dtype) g = to_dtype(g, root.dtype);
    }
  }
}

std::vector<Tensor> run(const std::vector<Edge>& roots, std::vector<Tensor> gradients,
                        const BackwardOptions& options, const std::vector<Edge>& inputs,
                        bool accumulate) {
  complete(roots, gradients);
  const GradModeGuard mode(options.create_graph);
  Run engine(options.retain_graph.value_or(options.create_graph), accumulate);
  engine.discover(roots);
  if (!inputs.empty()) engine.restrict_to(inputs);
  for (size_t i = 0; i < roots.size(); ++i) engine.deliver(roots[i], std::move(gradients[i]));
  gradients.clear();
  return engine.execute(roots, inputs.size());
}

std::vector<Edge> root_edges(const std::vector<Tensor>& roots) {
  std::vector<Edge> edges;
  for (size_t i = 0; i < roots.size(); ++i) edges.push_back(root_edge(roots[i], i));
  return edges;
}
std::vector<Edge> input_edges(const std::vector<Tensor>& inputs) {
  std::vector<Edge> edges;
  for (const Tensor& t : inputs) edges.push_back(input_edge(t));
  return edges;
}

}  // namespace

Edge root_edge(const Tensor& t, size_t nr) {
  check(t.requires_grad(),
        "element {} of tensors does not require grad and does not have a grad_fn",
        static_cast<int64_t>(nr));
  return edge_of(t);
}

Edge input_edge(const Tensor& t) {
  check(t.requires_grad(), "One of the differentiated Tensors does not require grad");
  return edge_of(t);
}

void backward(const std::vector<Edge>& roots, std::vector<Tensor> gradients,
              const BackwardOptions& options, const std::vector<Edge>& inputs) {
  run(roots, std::move(gradients), options, inputs, true);
}

void backward(const std::vector<Tensor>& roots, std::vector<Tensor> gradients,
              const BackwardOptions& options, const std::vector<Tensor>& inputs) {
  backward(root_edges(roots), std::move(gradients), options, input_edges(inputs));
}

std::vector<Tensor> grad(const std::vector<Edge>& roots, const std::vector<Edge>& inputs,
                         std::vector<Tensor> gradients, const BackwardOptions& options,
                         bool allow_unused) {
  check(!inputs.empty(), "`inputs` argument to `grad()` cannot be empty.");
  std::vector<Tensor> out = run(roots, std::move(gradients), options, inputs, false);
  for (size_t i = 0; i < out.size(); ++i) {
    check(allow_unused || out[i].defined(),
          "The differentiated Tensor at index {} appears to not have been used in the graph. Set "
          "allow_unused=True if this is the desired behavior.",
          static_cast<int64_t>(i));
  }
  return out;
}

std::vector<Tensor> grad(const std::vector<Tensor>& roots, const std::vector<Tensor>& inputs,
                         std::vector<Tensor> gradients, const BackwardOptions& options,
                         bool allow_unused) {
  return grad(root_edges(roots), input_edges(inputs), std::move(gradients), options, allow_unused);
}

std::vector<Tensor> jacobian(const Tensor& y, const std::vector<Tensor>& inputs,
                             bool create_graph) {
  const std::vector<Edge> root{root_edge(y, 0)}, ends = input_edges(inputs);
  const int64_t rows = y.numel();
  std::vector<std::vector<Tensor>> parts(inputs.size());  // with create_graph
  std::vector<Tensor> out(inputs.size());
  for (int64_t r = 0; r < rows; ++r) {
    Tensor one = full(Dims{rows}, Scalar(0.0), y.dtype());
    copy_into(raw_view(one, {}, {}, r), full({}, Scalar(1.0), y.dtype()));
    one = reshape(one, y.shape());
    const BackwardOptions options{true, create_graph};
    std::vector<Tensor> got = run(root, {one}, options, ends, false);
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (!got[i].defined()) continue;
      if (create_graph) {
        if (parts[i].empty()) {
          parts[i].assign(static_cast<size_t>(rows),
                          full(inputs[i].shape(), Scalar(0.0), inputs[i].dtype()));
        }
        parts[i][static_cast<size_t>(r)] = std::move(got[i]);
        continue;
      }
      if (!out[i].defined()) {
        Dims shape{rows};
        for (int64_t n : inputs[i].shape()) shape.push_back(n);
        out[i] = full(shape, Scalar(0.0), inputs[i].dtype());
      }
      const Tensor& o = out[i];
      const Dims shape(inputs[i].shape());
      Dims strides(o.strides());
      copy_into(raw_view(o, shape, IntList(strides).subspan(1), r * o.stride(0)), got[i]);
    }
  }
  for (size_t i = 0; create_graph && i < inputs.size(); ++i) {
    if (!parts[i].empty()) out[i] = stack(parts[i], 0);
  }
  return out;
}

bool depends_only_on(const std::vector<Edge>& roots, const std::vector<Edge>& inputs) {
  std::unordered_set<const Node*> seen;
  std::vector<const Node*> todo;
  auto visit = [&](const Edge& e) {
    if (!e.node) return;
    for (const Edge& i : inputs) {
      if (i.node == e.node && i.nr == e.nr) return;
    }
    if (seen.insert(e.node.get()).second) todo.push_back(e.node.get());
  };
  for (const Edge& e : roots) visit(e);
  while (!todo.empty()) {
    const Node* n = todo.back();
    todo.pop_back();
    if (n->is_accumulator) return false;
    for (const Edge& e : n->edges) visit(e);
  }
  return true;
}

int64_t current_run() { return t_run ? t_run->id : -1; }
bool current_run_is_restricted() { return t_run && t_run->restricted; }
bool current_run_executes(const Node& n) { return t_run && t_run->executes(n); }
Node* running_node() { return t_node; }

bool grad_enabled() { return GradMode::enabled(); }
void set_grad_enabled(bool on) { GradMode::set(on); }

}  // namespace d2l
