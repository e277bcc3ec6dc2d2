// record(): how an op states its derivative, beside its forward pass.
//
//   return record(out, "MulBackward0", {&self, &other}, saved(self, other),
//       [](const Tensor& g, const Tensor&, const Tensor& b) { return mul(g, conj(b)); },
//       [](const Tensor& g, const Tensor& a, const Tensor&) { return mul(g, conj(a)); });
//
// One lambda per input, given the cotangent and the saved tensors (an input that needs no gradient
// costs nothing). A lambda may take `const Node&` first, to ask for shapes. It captures plain
// values only (numbers, enums, Scalar, Dims): tensors go through saved(). The other forms:
//   joint(f)  all inputs at once: f(node, g, saved..., in) fills in[i] for each i with
//   node.needs(i) record_list(out, name, span of inputs, saved, f): f(node, g, i, saved...) for
//   input i record_many(outs, name, inputs, saved, joint(f)): several outputs; f gets a vector of
//   cotangents
// The engine sums each gradient to its input's shape, takes the real part for a real input and
// casts, so formulas mention neither broadcasting nor dtypes.
#pragma once

#include <span>
#include <tuple>
#include <type_traits>

#include "autograd/saved.h"

namespace d2l {

namespace detail {

// What all recorded nodes share; the templates below only add the formulas.
class OpNodeBase : public Node {
 public:
  OpNodeBase(const char* name, uint32_t outputs) : Node(name, outputs) {}
  void release_saved() override;
  int64_t saved_bytes() const override;
  std::vector<Tensor> saved_values() override;

  std::span<SavedTensor> saved;

 protected:
  void unpack(Tensor* into);
};

template <size_t N>
class OpNode : public OpNodeBase {
 public:
  OpNode(const char* name, uint32_t outputs) : OpNodeBase(name, outputs) {
    OpNodeBase::saved = std::span<SavedTensor>(store_.data(), N);
  }

 private:
  std::array<SavedTensor, N> store_;
};

// A formula may capture plain values only: no tensor (a cycle, a way round the version check).
template <class F>
concept Formula = std::is_trivially_copyable_v<F> && std::is_standard_layout_v<F>;

template <class F, class... A>
Tensor call_formula(const F& f, const Node& node, const A&... args) {
  if constexpr (std::is_invocable_v<F, const Node&, const A&...>) {
    return f(node, args...);
  } else {
    return f(args...);
  }
}

template <size_t N, class F>
auto with_saved(const std::array<Tensor, N>& s, const F& f) {
  return [&]<size_t... I>(std::index_sequence<I...>) {
    return f(s[I]...);
  }(std::make_index_sequence<N>());
}

template <size_t N, Formula... F>
class EachNode final : public OpNode<N> {
 public:
  EachNode(const char* name, F... f) : OpNode<N>(name, 1), formulas_(f...) {}
  void apply(const std::vector<Tensor>& out, std::vector<Tensor>& in) override {
    if (!out[0].defined()) return;
    std::array<Tensor, N> s;
    this->unpack(s.data());
    each(out[0], in, s, std::index_sequence_for<F...>());
  }

 private:
  template <size_t... I>
  void each(const Tensor& g, std::vector<Tensor>& in, const std::array<Tensor, N>& s,
            std::index_sequence<I...>) {
    (one(std::get<I>(formulas_), I, g, in, s), ...);
  }
  template <class G>
  void one(const G& f, size_t i, const Tensor& g, std::vector<Tensor>& in,
           const std::array<Tensor, N>& s) {
    if (!this->needs(i)) return;
    in[i] = with_saved(s, [&](const auto&... t) { return call_formula(f, *this, g, t...); });
  }
  std::tuple<F...> formulas_;
};

template <size_t N, Formula F>
class JointNode final : public OpNode<N> {
 public:
  JointNode(const char* name, uint32_t outputs, F f) : OpNode<N>(name, outputs), formula_(f) {}
  void apply(const std::vector<Tensor>& out, std::vector<Tensor>& in) override {
    std::array<Tensor, N> s;
    this->unpack(s.data());
    with_saved(s, [&](const auto&... t) {
      if constexpr (std::is_invocable_v<F, const Node&, const std::vector<Tensor>&, decltype(t)...,
                                        std::vector<Tensor>&>) {
        formula_(*this, out, t..., in);
      } else {
        if (out[0].defined()) formula_(*this, out[0], t..., in);
      }
    });
  }

 private:
  F formula_;
};

template <size_t N, Formula F>
class ListNode final : public OpNode<N> {
 public:
  ListNode(const char* name, F f) : OpNode<N>(name, 1), formula_(f) {}
  void apply(const std::vector<Tensor>& out, std::vector<Tensor>& in) override {
    if (!out[0].defined()) return;
    std::array<Tensor, N> s;
    this->unpack(s.data());
    for (size_t i = 0; i < in.size(); ++i) {
      if (!this->needs(i)) continue;
      in[i] = with_saved(s, [&](const auto&... t) {
        return formula_(*this, out[0], static_cast<int64_t>(i), t...);
      });
    }
  }

 private:
  F formula_;
};

template <class F>
struct Joint {
  F f;
};

// Edges, outputs and saved tensors; the part that does not depend on the formulas.
void attach(OpNodeBase* node, std::span<const Tensor* const> inputs, std::span<const Tensor> outs,
            std::span<const SaveRef> refs);

inline bool any_needs_grad(std::span<const Tensor* const> inputs) {
  if (!GradMode::enabled()) return false;
  for (const Tensor* t : inputs) {
    if (needs_grad(*t)) return true;
  }
  return false;
}

}  // namespace detail

template <class F>
detail::Joint<F> joint(F f) {
  return {f};
}

using Inputs = std::initializer_list<const Tensor*>;

// One lambda per input.
template <size_t N, class... F>
Tensor record(Tensor out, const char* name, Inputs inputs, const std::array<SaveRef, N>& refs,
              F... f) {
  std::span<const Tensor* const> in(inputs.begin(), inputs.size());
  if (!detail::any_needs_grad(in) || !is_differentiable(out.dtype())) return out;
  auto* node = new detail::EachNode<N, F...>(name, f...);
  detail::attach(node, in, std::span(&out, 1), refs);
  return out;
}

// All inputs at once.
template <size_t N, class F>
Tensor record(Tensor out, const char* name, Inputs inputs, const std::array<SaveRef, N>& refs,
              detail::Joint<F> f) {
  std::span<const Tensor* const> in(inputs.begin(), inputs.size());
  if (!detail::any_needs_grad(in) || !is_differentiable(out.dtype())) return out;
  auto* node = new detail::JointNode<N, F>(name, 1, f.f);
  detail::attach(node, in, std::span(&out, 1), refs);
  return out;
}

// A list of inputs (cat, stack).
template <size_t N, class F>
Tensor record_list(Tensor out, const char* name, std::span<const Tensor> inputs,
                   const std::array<SaveRef, N>& refs, F f) {
  std::vector<const Tensor*> in;
  for (const Tensor& t : inputs) in.push_back(&t);
  if (!detail::any_needs_grad(in) || !is_differentiable(out.dtype())) return out;
  auto* node = new detail::ListNode<N, F>(name, f);
  detail::attach(node, in, std::span(&out, 1), refs);
  return out;
}

// Several outputs; those of an integer dtype are not differentiable.
template <size_t N, class F>
void record_many(std::span<const Tensor> outs, const char* name, Inputs inputs,
                 const std::array<SaveRef, N>& refs, detail::Joint<F> f) {
  std::span<const Tensor* const> in(inputs.begin(), inputs.size());
  if (!detail::any_needs_grad(in)) return;
  auto* node = new detail::JointNode<N, F>(name, static_cast<uint32_t>(outs.size()), f.f);
  detail::attach(node, in, outs, refs);
}

}  // namespace d2l
