// Promotion, destinations, and the short way through for small contiguous operands.
#include "iter/map.h"

#include <algorithm>
#include <vector>

#include "core/thread_pool.h"
#include "core/total.h"

namespace d2l {
namespace {

// Operands by their say in promotion: with dimensions, without, Python numbers.
struct Promotion {
  bool any[3] = {};
  DType dtype[3];
  void add(const Tensor& t) {
    const int group = t->wrapped_number ? 2 : t.dim() == 0 ? 1 : 0;
    DType d = t.dtype();
    if (group == 2 && (is_floating(d) || is_complex(d))) {
      d = is_complex(d)
              ? (default_dtype() == DType::Double ? DType::ComplexDouble : DType::ComplexFloat)
              : default_dtype();
    }
    dtype[group] = any[group] ? promote(dtype[group], d) : d;
    any[group] = true;
  }
  static int category(DType t) {
    return is_complex(t) ? 3 : is_floating(t) ? 2 : t == DType::Bool ? 0 : 1;
  }
  DType resolve() const {
    bool found = false;
    DType out = DType::Float;
    for (int g = 0; g < 3; ++g) {
      if (!any[g]) continue;
      if (!found) {
        out = dtype[g];
        found = true;
      } else if (category(dtype[g]) == 3 && category(out) == 2) {
        // A complex number or 0-d tensor: the floats keep their width.
        out = out == DType::Double ? DType::ComplexDouble : DType::ComplexFloat;
      } else if (category(dtype[g]) > category(out)) {
        out = promote(out, dtype[g]);
      }
    }
    return out;
  }
};

LoopFn loop_for(const char* op, Loop loop, DType& compute) {
  const auto& row = kernels().map[static_cast<int>(loop)];
  if (LoopFn fn = row[static_cast<int>(compute)]) return fn;
  const DType asked = compute;
  if (is_reduced_floating(compute)) {
    compute = DType::Float;
    if (LoopFn fn = row[static_cast<int>(compute)]) return fn;
  }
  fail<NotImplementedError>("\"{}\" not implemented for '{}'", op, asked);
}

}  // namespace

DType result_type(std::initializer_list<const Tensor*> inputs) {
  Promotion p;
  for (const Tensor* t : inputs) {
    if (t->defined()) p.add(*t);
  }
  return p.resolve();
}
DType result_type(std::span<const Tensor> inputs) {
  Promotion p;
  for (const Tensor& t : inputs) p.add(t);
  return p.resolve();
}
DType result_type(const Tensor& a, const Tensor& b) { return result_type({&a, &b}); }

Overlap overlap(const Tensor& a, const Tensor& b) {
  if (a.is(b)) return Overlap::Same;
  if (a.storage().get() != b.storage().get()) return Overlap::None;
  if (a.numel() == 0 || b.numel() == 0) return Overlap::None;
  auto range = [](const Tensor& t) {
    int64_t last = t.offset();
    for (int i = 0; i < t.dim(); ++i) last += (t->shape[i] - 1) * t->strides[i];
    return std::pair(t.offset() * t.item_bytes(), (last + 1) * t.item_bytes());
  };
  const auto [a0, a1] = range(a);
  const auto [b0, b1] = range(b);
  if (a1 <= b0 || b1 <= a0) return Overlap::None;
  if (a.offset() == b.offset() && a.dtype() == b.dtype() && equal(a.shape(), b.shape()) &&
      equal(a.strides(), b.strides())) {
    return Overlap::Same;
  }
  return Overlap::Partial;
}

Tensor prepare_result(const char* op, Dst dst, IntList shape, DType dtype, const Tensor* like) {
  if (!dst) {
    if (like && equal(like->shape(), shape)) return empty_as(*like, dtype);
    return empty(shape, dtype);
  }
  const Tensor& t = dst.tensor();
  check(can_cast(dtype, t.dtype()), "result type {} can't be cast to the desired output type {}",
        dtype, t.dtype());
  check(t.storage()->writable, "{}: the memory of the output tensor is read-only", op);
  if (!equal(t.shape(), shape)) {
    check(dst.is_out(), "output with shape {} doesn't match the broadcast shape {}", t.shape(),
          shape);
    resize_raw(t, shape);
  }
  check(!detail::may_overlap_itself(t.shape(), t.strides()),
        "unsupported operation: more than one element of the written-to tensor refers to a single "
        "memory location. Please clone() the tensor before performing the operation.");
  return t;
}

Tensor deliver(const char* op, Dst dst, Tensor computed) {
  if (!dst) return computed;
  Tensor out = prepare_result(op, dst, computed.shape(), computed.dtype());
  copy_into(out, computed);
  return out;
}

namespace {

// Operands that share memory with the output, other than exactly: dense ones are refused as in
// PyTorch, for the others a copy is read.
Tensor resolve_overlap(const Tensor& out, const Tensor& in) {
  if (overlap(out, in) != Overlap::Partial) return in;
  check(!(detail::is_non_overlapping_and_dense(in.shape(), in.strides()) &&
          detail::is_non_overlapping_and_dense(out.shape(), out.strides())),
        "unsupported operation: some elements of the input tensor and the written-to tensor refer "
        "to a single memory location. Please clone() the tensor before performing the operation.");
  Tensor copy = empty_as(in, in.dtype());
  copy_into(copy, in);
  return copy;
}

// A 0-d operand of another dtype, converted once instead of for every element.
struct ScalarSlot {
  alignas(16) char bytes[16];
};

}  // namespace

Tensor map_as(const char* op, Loop loop, DType compute, DType out_dtype, Dst dst,
              std::initializer_list<const Tensor*> inputs, const Scalars& scalars) {
  const LoopInfo& info = kLoopInfo[static_cast<int>(loop)];
  DType kernel = compute;
  const LoopFn fn = loop_for(op, loop, kernel);
  const int count = 1 + static_cast<int>(inputs.size());
  const DType kernel_out = info.bool_mask & 1 ? DType::Bool : kernel;

  // The short way: contiguous operands of one shape and the right dtype, and 0-d ones.
  const Tensor* const* in = inputs.begin();
  const Tensor* big = in[0];
  for (int k = 1; k < count - 1; ++k) {
    if (in[k]->dim() > big->dim()) big = in[k];
  }
  bool plain =
      kernel_out == out_dtype && big->is_contiguous() && big->numel() < kParallel &&
      big->numel() > 0 &&
      (!dst || (dst.tensor().is_contiguous() && dst.tensor().dtype() == out_dtype &&
                equal(dst.tensor().shape(), big->shape()) && dst.tensor().storage()->writable));
  char* ptr[kMaxOperands];
  int64_t strides[2 * kMaxOperands] = {};
  ScalarSlot slots[kMaxOperands];
  for (int k = 0; plain && k < count - 1; ++k) {
    const Tensor& t = *in[k];
    const DType want = info.bool_mask >> (k + 1) & 1 ? DType::Bool : kernel;
    if (t.dim() == 0 && big->dim() != 0) {
      if (t.dtype() == want) {
        ptr[k + 1] = t.data();
      } else {
        char* const pair[2] = {slots[k].bytes, t.data()};
        const int64_t none[4] = {};
        kernels().cast[static_cast<int>(t.dtype())][static_cast<int>(want)](pair, none, 1, 1,
                                                                            &scalars);
        ptr[k + 1] = slots[k].bytes;
      }
      strides[k + 1] = 0;
      plain = !dst || t.storage().get() != dst.tensor().storage().get();
    } else {
      plain = t.is_contiguous() && t.dtype() == want && equal(t.shape(), big->shape()) &&
              (!dst || overlap(dst.tensor(), t) != Overlap::Partial);
      ptr[k + 1] = t.data();
      strides[k + 1] = t.item_bytes();
    }
  }
  if (plain) {
    Tensor out = dst ? dst.tensor() : empty(big->shape(), out_dtype);
    ptr[0] = out.data();
    strides[0] = out.item_bytes();
    fn(ptr, strides, big->numel(), 1, &scalars);
    return out;
  }

  const Dims shape = broadcast_shapes(inputs);
  const Tensor* like = nullptr;  // the first operand that has the whole shape lends its layout
  for (const Tensor* t : inputs) {
    if (!like && equal(t->shape(), shape)) like = t;
  }
  // Of several, one that is not contiguous only decides when the first agrees or none is
  // contiguous: PyTorch ranks dimensions by the first operand's strides.
  Tensor out = prepare_result(op, dst, shape, out_dtype, like);
  Tensor kept[kMaxOperands];
  const Tensor* operands[kMaxOperands];
  DType want[kMaxOperands];
  operands[0] = &out;
  want[0] = kernel_out;
  for (int k = 0; k < count - 1; ++k) {
    kept[k] = dst ? resolve_overlap(out, *in[k]) : *in[k];
    want[k + 1] = info.bool_mask >> (k + 1) & 1 ? DType::Bool : kernel;
    if (kept[k].dtype() != want[k + 1] && kept[k].numel() == 1) {
      Tensor one = empty(kept[k].shape(), want[k + 1]);
      copy_into(one, kept[k]);
      kept[k] = one;
    }
    operands[k + 1] = &kept[k];
  }
  run_plan(make_plan(shape, operands, count), fn, want, 1, scalars);
  return out;
}

Tensor map(const char* op, Loop loop, Promote promote, Dst dst,
           std::initializer_list<const Tensor*> inputs, const Scalars& scalars) {
  const Tensor* const* in = inputs.begin();
  DType compute;
  if (inputs.size() == 1) {
    compute = in[0]->dtype();
  } else if (inputs.size() == 2 && in[0]->dtype() == in[1]->dtype()) {
    compute = in[0]->dtype();
  } else {
    compute = result_type(inputs);
  }
  if (promote == Promote::Float && is_integral_or_bool(compute)) compute = default_dtype();
  return map_as(op, loop, compute, promote == Promote::Bool ? DType::Bool : compute, dst, inputs,
                scalars);
}

void map_inplace(Loop loop, DType dtype, std::span<const Tensor* const> operands,
                 const Scalars& scalars) {
  DType kernel = dtype;
  const LoopFn fn = loop_for(kLoopInfo[static_cast<int>(loop)].name, loop, kernel);
  const int count = static_cast<int>(operands.size());
  if (kernel != dtype) {
    // float16 and bfloat16 parameters: through float32 copies.
    std::vector<Tensor> wide;
    std::vector<const Tensor*> refs;
    for (const Tensor* t : operands) {
      wide.push_back(empty_as(*t, kernel));
      copy_into(wide.back(), *t);
    }
    for (const Tensor& t : wide) refs.push_back(&t);
    map_inplace(loop, kernel, refs, scalars);
    for (int k = 0; k < kLoopInfo[static_cast<int>(loop)].outputs; ++k) {
      copy_into(*operands[k], wide[k]);
    }
    return;
  }
  DType want[kMaxOperands];
  std::fill(want, want + count, kernel);
  const Plan plan = make_plan(operands[0]->shape(), operands.data(), count);
  run_plan(plan, fn, want, kLoopInfo[static_cast<int>(loop)].outputs, scalars);
}

void copy_into(const Tensor& dst, const Tensor& src) {
  if (overlap(dst, src) == Overlap::Same && dst.dtype() == src.dtype()) return;
  if (overlap(dst, src) == Overlap::Partial) {
    Tensor copy = empty_as(src, src.dtype());
    copy_into(copy, src);
    copy_into(dst, copy);
    return;
  }
  const LoopFn fn = kernels().cast[static_cast<int>(src.dtype())][static_cast<int>(dst.dtype())];
  if (dst.is_contiguous() && src.is_contiguous() && equal(dst.shape(), src.shape()) &&
      dst.numel() < kParallel) {
    if (dst.numel() == 0) return;
    char* const ptr[2] = {dst.data(), src.data()};
    const int64_t strides[4] = {dst.item_bytes(), src.item_bytes(), 0, 0};
    const Scalars none;
    fn(ptr, strides, dst.numel(), 1, &none);
    return;
  }
  const DType want[2] = {dst.dtype(), src.dtype()};
  run_plan(make_plan(dst.shape(), {&dst, &src}), fn, want, 1);
}

void fill_into(const Tensor& dst, const Scalar& value) {
  if (dst.numel() == 0) return;
  if (dst.numel() == 1) {
    store_scalar(dst.data(), dst.dtype(), value);
    return;
  }
  const Tensor one = scalar_tensor(value, dst.dtype());
  const LoopFn fn = kernels().cast[static_cast<int>(dst.dtype())][static_cast<int>(dst.dtype())];
  const DType want[2] = {dst.dtype(), dst.dtype()};
  run_plan(make_plan(dst.shape(), {&dst, &one}), fn, want, 1);
}

}  // namespace d2l
