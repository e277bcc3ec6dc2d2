// A node of the backward graph: what an op leaves behind so that its gradient can be computed.
//
// Edges point from an op's node to the nodes that made its inputs. Each node knows the shape and
// dtype of its own outputs; those of its inputs are asked of the edge's target, so formulas need
// not capture them.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <vector>

#include "d2lcore/tensor.h"

namespace d2l {

class Node;

// Intrusive, not atomic: graphs are built and walked under one lock (see d2lcore/tensor.h).
class NodePtr {
 public:
  NodePtr() = default;
  explicit NodePtr(Node* n) : p_(n) { retain(); }
  NodePtr(const NodePtr& o) : p_(o.p_) { retain(); }
  NodePtr(NodePtr&& o) noexcept : p_(std::exchange(o.p_, nullptr)) {}
  NodePtr& operator=(NodePtr o) noexcept {
    std::swap(p_, o.p_);
    return *this;
  }
  ~NodePtr() { release(); }
  Node* get() const { return p_; }
  Node* operator->() const { return p_; }
  Node& operator*() const { return *p_; }
  explicit operator bool() const { return p_ != nullptr; }
  friend bool operator==(const NodePtr& a, const NodePtr& b) { return a.p_ == b.p_; }

 private:
  inline void retain();
  inline void release();
  Node* p_ = nullptr;
};

// Input `nr` of `node`'s backward, that is, output `nr` of its forward.
struct Edge {
  NodePtr node;
  uint32_t nr = 0;
};

struct OutputMeta {
  DType dtype = DType::Float;
  uint8_t ndim = 0;
  int64_t shape[kMaxDims];
  void set(const Tensor& t) {
    dtype = t.dtype();
    ndim = static_cast<uint8_t>(t.dim());
    std::copy(t.shape().begin(), t.shape().end(), shape);
  }
  IntList dims() const { return IntList(shape, ndim); }
};

// What somebody registered; `object` is the Python callable that `call` holds, so that the garbage
// collector can be shown it.
template <class... A>
struct Hook {
  uint64_t id;
  std::function<void(A...)> call;
  void* object = nullptr;
};

// A hook sees the cotangents and may replace them.
struct NodeHooks {
  // Hooks of the output tensors: run whenever the cotangent is known, even if only asked for.
  std::vector<Hook<std::vector<Tensor>&>> tensor;
  // Hooks of the node. pre: cotangents of the outputs, before the formula; post: those of the
  // inputs, after it.
  std::vector<Hook<std::vector<Tensor>&>> pre;
  std::vector<Hook<std::vector<Tensor>&, const std::vector<Tensor>&>> post;
  // Outputs whose cotangent is also kept as .grad (retain_grad). Not owning: a tensor that dies
  // takes its entry with it.
  std::vector<std::pair<uint32_t, TensorImpl*>> retain;
};

// What is noted about a node when it is made, if somebody asked for notes (anomaly mode).
class NodeNote {
 public:
  virtual ~NodeNote() = default;
};
D2L_API extern std::unique_ptr<NodeNote> (*make_node_note)();  // null: no notes

// Note [Nodes with state]. The Python object of a node may carry state: a custom Function's
// context, metadata. It then owns a handle of the node, and while there is another the node owns
// the object, taken on the count's step from 1 to 2 and returned from 2 to 1, as tensors do (Note
// [Identity]).
struct NodeWrapperHooks {
  void (*shared)(Node*) = nullptr;
  void (*unshared)(Node*) = nullptr;
};
D2L_API extern NodeWrapperHooks node_wrapper_hooks;

class D2L_API Node {
 public:
  Node(const char* name, uint32_t outputs);
  virtual ~Node();
  Node(const Node&) = delete;

  // Fills `in` (one cotangent per edge; undefined where none is needed) from `out` (one per output;
  // undefined where none came).
  virtual void apply(const std::vector<Tensor>& out, std::vector<Tensor>& in) = 0;
  // Lets saved tensors go; a later apply() reports that the graph was freed.
  virtual void release_saved() {}
  // Bytes held by saved tensors, for make_dot.
  virtual int64_t saved_bytes() const { return 0; }
  // What it saved, in the order of record()'s saved(); undefined where nothing was needed. Throws
  // when it was let go.
  virtual std::vector<Tensor> saved_values() { return {}; }
  virtual std::string name() const { return name_; }

  const OutputMeta& output(uint32_t nr) const { return nr == 0 ? first_ : more_[nr - 1]; }
  OutputMeta& output(uint32_t nr) { return nr == 0 ? first_ : more_[nr - 1]; }
  uint32_t outputs() const { return outputs_; }
  bool needs(size_t input) const { return static_cast<bool>(edges[input].node); }
  // Shape and dtype of an input that needs a gradient.
  IntList input_shape(size_t input) const {
    return edges[input].node->output(edges[input].nr).dims();
  }
  DType input_dtype(size_t input) const { return edges[input].node->output(edges[input].nr).dtype; }

  static void* operator new(size_t n);
  static void operator delete(void* p, size_t n);

  // Takes a new sequence number: a node comes after all nodes of its inputs.
  void renumber();

  int32_t refs = 0;
  bool is_accumulator = false;
  bool stateful_wrapper = false;  // Note [Nodes with state]
  uint64_t sequence;
  std::vector<Edge> edges;
  std::unique_ptr<NodeHooks> hooks;
  std::unique_ptr<NodeNote> note;
  NodeHooks& add_hooks() {
    if (!hooks) hooks = std::make_unique<NodeHooks>();
    return *hooks;
  }
  void* wrapper = nullptr;  // borrowed: the Python object of this node

  // Scratch of the engine's run that visits this node (autograd/engine.cpp).
  void* run = nullptr;
  uint32_t run_slot = 0;

  static void destroy(Node* n);  // iterative: a chain of a million nodes is freed without recursion

 private:
  const char* name_;
  uint32_t outputs_;
  OutputMeta first_;
  std::unique_ptr<OutputMeta[]> more_;
};

inline void NodePtr::retain() {
  if (p_ && ++p_->refs == 2 && p_->stateful_wrapper) [[unlikely]]
    node_wrapper_hooks.shared(p_);
}
inline void NodePtr::release() {
  if (!p_) return;
  const int32_t left = --p_->refs;
  if (left == 0) {
    Node::destroy(p_);
  } else if (left == 1 && p_->stateful_wrapper) [[unlikely]] {
    node_wrapper_hooks.unshared(p_);
  }
}

// The sink of a leaf: adds what arrives to the leaf's .grad.
class D2L_API AccumulateGrad final : public Node {
 public:
  explicit AccumulateGrad(const Tensor& variable);
  ~AccumulateGrad() override;
  void apply(const std::vector<Tensor>& out, std::vector<Tensor>& in) override;
  const Tensor& variable() const { return variable_; }

 private:
  void accumulate(const Tensor& g);
  Tensor variable_;
};

}  // namespace d2l
