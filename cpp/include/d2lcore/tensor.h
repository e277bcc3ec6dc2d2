// Tensor: a handle to a strided view of a storage.
//
// The handle is one pointer. What it points to, TensorImpl, carries dtype, shape, strides (both in
// elements), an offset into the storage, and, once gradients are involved, its place in the graph.
// The count of handles is not atomic: a tensor may be used by one thread at a time (in Python the
// GIL sees to that); distinct tensors may be used by distinct threads.
#pragma once

#include <cstdint>
#include <utility>

#include "d2lcore/dims.h"
#include "d2lcore/dtype.h"
#include "d2lcore/scalar.h"
#include "d2lcore/storage.h"

namespace d2l {

struct AutogradMeta;  // autograd/meta.h
class Tensor;

struct TensorImpl {
  int32_t refs = 0;
  DType dtype = DType::Float;
  uint8_t ndim = 0;
  bool contiguous = true;          // row-major without gaps
  bool requires_grad = false;      // of a leaf, set by the user
  bool wrapped_number = false;     // made of a Python number: takes no part in promotion by width
  bool private_version = false;    // made by .data: its writes are not seen by saved tensors
  bool stateful_wrapper = false;   // see note in bindings/tensor_type.h
  bool no_grad_view = false;       // a view made while gradients were off
  bool inference_view = false;     // one of a normal tensor, made in inference mode
  bool multi_output_view = false;  // a view made by unbind, split, chunk
  bool custom_view = false;        // a view returned by a custom Function
  int64_t numel = 1;
  int64_t offset = 0;
  StoragePtr storage;
  AutogradMeta* autograd = nullptr;
  TensorImpl* base = nullptr;  // owning; of a differentiable view: the tensor that it looks into
  uint32_t view_version = 0;   // the storage's version for which the view's node is right
  void* wrapper = nullptr;     // borrowed: the Python object, if there is one
  int64_t shape[kMaxDims];
  int64_t strides[kMaxDims];

  ~TensorImpl();
  static void* operator new(size_t n);
  static void operator delete(void* p, size_t n);
};

// What the Python layer does when the last but one handle of a tensor comes or goes.
struct WrapperHooks {
  void (*shared)(TensorImpl*) = nullptr;    // 1 -> 2 handles
  void (*unshared)(TensorImpl*) = nullptr;  // 2 -> 1
};
D2L_API extern WrapperHooks wrapper_hooks;

class D2L_API Tensor {
 public:
  Tensor() = default;  // undefined
  explicit Tensor(TensorImpl* impl) : p_(impl) { retain(); }
  Tensor(const Tensor& o) : p_(o.p_) { retain(); }
  Tensor(Tensor&& o) noexcept : p_(std::exchange(o.p_, nullptr)) {}
  Tensor& operator=(const Tensor& o) {
    Tensor copy(o);
    std::swap(p_, copy.p_);
    return *this;
  }
  Tensor& operator=(Tensor&& o) noexcept {
    Tensor moved(std::move(o));
    std::swap(p_, moved.p_);
    return *this;
  }
  ~Tensor() { release(); }

  bool defined() const { return p_ != nullptr; }
  explicit operator bool() const { return defined(); }
  TensorImpl* impl() const { return p_; }
  TensorImpl* operator->() const { return p_; }
  // Takes over a reference that somebody already counted.
  static Tensor adopt(TensorImpl* impl) {
    Tensor t;
    t.p_ = impl;
    return t;
  }
  TensorImpl* detach_handle() { return std::exchange(p_, nullptr); }  // gives up without release
  bool is(const Tensor& o) const { return p_ == o.p_; }

  DType dtype() const { return p_->dtype; }
  int64_t dim() const { return p_->ndim; }
  int64_t numel() const { return p_->numel; }
  IntList shape() const { return IntList(p_->shape, p_->ndim); }
  IntList strides() const { return IntList(p_->strides, p_->ndim); }
  int64_t size(int64_t d) const { return p_->shape[wrap_dim(d, p_->ndim)]; }
  int64_t stride(int64_t d) const { return p_->strides[wrap_dim(d, p_->ndim)]; }
  int64_t offset() const { return p_->offset; }
  int64_t item_bytes() const { return itemsize(p_->dtype); }
  int64_t nbytes() const { return numel() * item_bytes(); }
  bool is_contiguous() const { return p_->contiguous; }
  const StoragePtr& storage() const { return p_->storage; }
  char* data() const { return p_->storage->data + p_->offset * item_bytes(); }
  template <class T>
  T* data_as() const {
    return reinterpret_cast<T*>(data());
  }

  // Autograd (autograd/meta.cpp).
  bool requires_grad() const;
  bool is_leaf() const;
  void set_requires_grad(bool on) const;
  Tensor grad() const;
  void set_grad(Tensor g) const;
  bool is_inference() const { return p_->storage->inference; }
  uint32_t version() const { return p_->private_version ? 0 : p_->storage->version; }
  void bump_version() const {
    if (!p_->private_version) ++p_->storage->version;
  }

 private:
  void retain() const {
    if (p_ && ++p_->refs == 2 && p_->stateful_wrapper) [[unlikely]]
      wrapper_hooks.shared(p_);
  }
  void release() {
    if (!p_) return;
    const int32_t left = --p_->refs;
    if (left == 0) {
      destroy(p_);
    } else if (left == 1 && p_->stateful_wrapper) [[unlikely]] {
      wrapper_hooks.unshared(p_);
    }
  }
  static void destroy(TensorImpl* impl);

  TensorImpl* p_ = nullptr;
};

// A new, uninitialised, contiguous tensor.
D2L_API Tensor empty(IntList shape, DType dtype);
// The same with given strides (non-negative; the storage is as long as they reach).
D2L_API Tensor empty_strided(IntList shape, IntList strides, DType dtype);
// A new tensor with the shape, and where t is dense in some order also the layout, of t.
D2L_API Tensor empty_as(const Tensor& t, DType dtype);
// Another look at t's storage, validated: every reachable element lies inside the storage. It has
// no place in the graph (that is ops/view's business). `op` names the caller in the error.
D2L_API Tensor raw_view(const Tensor& t, IntList shape, IntList strides, int64_t offset,
                        DType dtype);
inline Tensor raw_view(const Tensor& t, IntList shape, IntList strides, int64_t offset) {
  return raw_view(t, shape, strides, offset, t.dtype());
}
// A tensor over a storage; same validation.
D2L_API Tensor from_storage(StoragePtr storage, IntList shape, IntList strides, int64_t offset,
                            DType dtype);
// Gives t another shape, as out= does: contiguous, storage grown where it must.
D2L_API void resize_raw(const Tensor& t, IntList shape);

// A 0-d tensor of a number; with `wrapped`, one that promotes as a Python number does.
D2L_API Tensor scalar_tensor(const Scalar& value, DType dtype, bool wrapped = false);

namespace detail {
D2L_API bool is_contiguous(IntList shape, IntList strides);
// Dense in some order of dimensions, without overlap: the layout that element-wise results keep.
D2L_API bool is_non_overlapping_and_dense(IntList shape, IntList strides);
// True when two indices reach the same element (stride 0 over more than one element, say).
D2L_API bool may_overlap_itself(IntList shape, IntList strides);
}  // namespace detail

}  // namespace d2l
