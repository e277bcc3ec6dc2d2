// Tensors that a node keeps for its backward pass, and the check that nobody wrote to them since.
//
// Note [Saved tensors]. A saved input is a handle of its own to the same storage (offset, shape,
// strides, version, edge), so that `.data =`, resize_ or t_() on the user's tensor cannot change
// what backward reads. A saved result keeps no edge (that would be a cycle): when it is unpacked it
// is given the node it belongs to.
#pragma once

#include "autograd/meta.h"

namespace d2l {

// What a pair of saved-tensor hooks made of a tensor, and how to get it back.
class PackedTensor {
 public:
  virtual ~PackedTensor() = default;
  virtual Tensor unpack() = 0;
};

// The hooks in force in this thread: pack() may return null (keep the tensor as it is).
struct D2L_API SavedTensorHooks {
  static std::unique_ptr<PackedTensor> (*pack)(const Tensor& t);  // null: no hooks
  static thread_local int active;  // how many are pushed, or saving is forbidden
};

class D2L_API SavedTensor {
 public:
  SavedTensor() = default;
  SavedTensor(const Tensor& t, bool is_result);
  // `owner` is the node that saved it; throws when it was modified or already let go. With
  // `in_graph` the tensor is part of the graph, as it was when it was saved.
  Tensor unpack(Node* owner, bool in_graph = GradMode::enabled()) const;
  void release() {
    value_ = Tensor();
    packed_.reset();
    edge_ = Edge();
    released_ = true;
  }
  int64_t bytes() const { return value_.defined() ? value_.nbytes() : 0; }
  const Tensor& raw() const { return value_; }

 private:
  Tensor graphed(const Tensor& value, Node* owner) const;

  Tensor value_;
  std::unique_ptr<PackedTensor> packed_;
  Edge edge_;
  uint32_t version_ = 0;
  uint32_t nr_ = 0;  // of a result: which output of the owner
  bool is_result_ = false, leaf_ = false, released_ = false, undefined_ = true;
};

// What record() is told to save: references only, resolved once some input needs a gradient.
struct SaveRef {
  const Tensor* tensor;  // null: the op's (only, or nr-th) result
  uint32_t nr = 0;
  const Tensor* only_for = nullptr;  // kept only when this input needs a gradient
};
struct ResultTag {
  uint32_t nr = 0;
};
inline constexpr ResultTag result{};
inline constexpr ResultTag result_nr(uint32_t nr) { return ResultTag{nr}; }

inline SaveRef save_ref(const Tensor& t) { return {&t, 0}; }
inline SaveRef save_ref(ResultTag r) { return {nullptr, r.nr}; }

inline SaveRef save_ref(SaveRef r) { return r; }

// Keeps `item` only when `input` needs a gradient: no other formula reads it. So x * 3 keeps
// nothing of x, and x may be written to afterwards.
template <class T>
SaveRef only_for(const Tensor& input, const T& item) {
  SaveRef r = save_ref(item);
  r.only_for = &input;
  return r;
}
// The factors of a bilinear op: each is kept for the gradient of the other.
inline std::array<SaveRef, 2> saved_factors(const Tensor& a, const Tensor& b) {
  return {only_for(b, a), only_for(a, b)};
}

template <class... T>
std::array<SaveRef, sizeof...(T)> saved(const T&... items) {
  return {save_ref(items)...};
}

}  // namespace d2l
