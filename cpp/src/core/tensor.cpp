// Making tensors and views of them; here every geometry is validated.
#include "d2lcore/tensor.h"

#include <algorithm>

#include "core/allocator.h"
#include "core/total.h"

namespace d2l {

WrapperHooks wrapper_hooks;

void* TensorImpl::operator new(size_t n) { return allocate(static_cast<int64_t>(n)); }
void TensorImpl::operator delete(void* p, size_t n) { deallocate(p, static_cast<int64_t>(n)); }

namespace detail {

bool is_contiguous(IntList shape, IntList strides) {
  int64_t expected = 1;
  for (int i = static_cast<int>(shape.size()) - 1; i >= 0; --i) {
    if (shape[i] == 1) continue;
    if (shape[i] == 0) return true;
    // A tensor without elements is contiguous whatever its strides.
    if (strides[i] != expected) return std::find(shape.begin(), shape.end(), 0) != shape.end();
    expected *= shape[i];
  }
  return true;
}

namespace {
// Dimensions with more than one element, by increasing stride.
Dims by_stride(IntList shape, IntList strides) {
  Dims order;
  for (int i = 0; i < static_cast<int>(shape.size()); ++i) {
    if (shape[i] != 1) order.push_back(i);
  }
  std::sort(order.begin(), order.end(),
            [&](int64_t a, int64_t b) { return strides[a] < strides[b]; });
  return order;
}
}  // namespace

bool is_non_overlapping_and_dense(IntList shape, IntList strides) {
  int64_t expected = 1;
  for (int64_t d : by_stride(shape, strides)) {
    if (shape[d] == 0) return true;
    if (strides[d] != expected) return false;
    expected *= shape[d];
  }
  return true;
}

bool may_overlap_itself(IntList shape, IntList strides) {
  if (std::find(shape.begin(), shape.end(), 0) != shape.end()) return false;
  // Sufficient for "no": each stride passes over all that the smaller ones reach.
  int64_t reach = 0;
  for (int64_t d : by_stride(shape, strides)) {
    if (strides[d] <= reach) return true;
    reach += (shape[d] - 1) * strides[d];
  }
  return false;
}

}  // namespace detail

namespace {

// Fills in geometry; numel and nbytes are checked to fit in 63 bits.
TensorImpl* make_impl(IntList shape, IntList strides, DType dtype) {
  check(shape.size() <= kMaxDims, "tensors have at most {} dimensions, got {}", kMaxDims,
        static_cast<int64_t>(shape.size()));
  int64_t nbytes;
  const int64_t numel = checked_numel(shape);
  check(!__builtin_mul_overflow(numel, itemsize(dtype), &nbytes),
        "Storage size calculation overflowed with sizes={}", shape);
  auto* impl = new TensorImpl;
  impl->dtype = dtype;
  impl->ndim = static_cast<uint8_t>(shape.size());
  impl->numel = numel;
  std::copy(shape.begin(), shape.end(), impl->shape);
  std::copy(strides.begin(), strides.end(), impl->strides);
  impl->contiguous = detail::is_contiguous(shape, strides);
  return impl;
}

void check_shape(IntList shape) {
  for (int64_t s : shape) {
    check(s >= 0, "Trying to create tensor with negative dimension {}: {}", s, shape);
  }
}

// The number of elements from the first to the last reachable one; checked.
int64_t extent(IntList shape, IntList strides) {
  int64_t last = 0;
  bool overflow = false;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 0) return 0;
    int64_t reach;
    overflow |= __builtin_mul_overflow(shape[i] - 1, strides[i], &reach);
    overflow |= __builtin_add_overflow(last, reach, &last);
  }
  overflow |= __builtin_add_overflow(last, 1, &last);
  check(!overflow, "Storage size calculation overflowed with sizes={} and strides={}", shape,
        strides);
  return last;
}

constexpr int64_t kMaxStride = int64_t{1} << 58;

void check_bounds(const StoragePtr& storage, IntList shape, IntList strides, int64_t offset,
                  DType dtype) {
  check(shape.size() == strides.size(),
        "mismatch in length of strides and shape: shape {}, strides {}", shape, strides);
  check_shape(shape);
  for (int64_t s : strides) {
    check(s >= 0, "as_strided: Negative strides are not supported at the moment, got strides: {}",
          strides);
    // Also of a dimension with one element: strides are multiplied by item sizes everywhere.
    check(s <= kMaxStride, "Storage size calculation overflowed with sizes={} and strides={}",
          shape, strides);
  }
  check(offset >= 0, "Tensor: invalid storage offset {}", offset);
  int64_t last = extent(shape, strides), nbytes = 0;
  const bool overflow = last != 0 && (__builtin_add_overflow(last, offset, &last) ||
                                      __builtin_mul_overflow(last, itemsize(dtype), &nbytes));
  check(!overflow && nbytes <= storage->nbytes,
        "setStorage: sizes {}, strides {}, storage offset {}, and itemsize {} requiring a storage "
        "size of {} are out of bounds for storage of size {}",
        shape, strides, offset, itemsize(dtype), nbytes, storage->nbytes);
}

}  // namespace

void Tensor::destroy(TensorImpl* impl) { delete impl; }

Tensor empty(IntList shape, DType dtype) {
  check_shape(shape);
  if (shape.size() > kMaxDims) Dims{shape};  // throws
  int64_t step = 1;
  auto* impl = new TensorImpl;
  Tensor out(impl);
  impl->dtype = dtype;
  impl->ndim = static_cast<uint8_t>(shape.size());
  bool overflow = false;
  int64_t numel = 1;
  for (int i = static_cast<int>(shape.size()) - 1; i >= 0; --i) {
    impl->shape[i] = shape[i];
    impl->strides[i] = step;
    overflow |= __builtin_mul_overflow(step, std::max<int64_t>(shape[i], 1), &step);
    numel = shape[i] == 0 ? 0 : numel;
  }
  int64_t nbytes;
  impl->numel = numel == 0 ? 0 : step;
  overflow |= __builtin_mul_overflow(step, itemsize(dtype), &nbytes);
  check(!overflow, "Storage size calculation overflowed with sizes={}", shape);
  impl->storage = StoragePtr::allocate(numel == 0 ? 0 : nbytes);
  return out;
}

Tensor empty_strided(IntList shape, IntList strides, DType dtype) {
  check(shape.size() == strides.size(),
        "empty_strided: mismatch in length of strides and shape: shape {}, strides {}", shape,
        strides);
  check_shape(shape);
  for (int64_t s : strides) {
    check(s >= 0, "empty_strided: negative strides are not supported, got {}", strides);
  }
  Tensor out(make_impl(shape, strides, dtype));
  int64_t nbytes;
  check(!__builtin_mul_overflow(extent(shape, strides), itemsize(dtype), &nbytes),
        "Storage size calculation overflowed with sizes={} and strides={}", shape, strides);
  out->storage = StoragePtr::allocate(nbytes);
  return out;
}

Tensor empty_as(const Tensor& t, DType dtype) {
  if (t.is_contiguous()) return empty(t.shape(), dtype);
  if (detail::is_non_overlapping_and_dense(t.shape(), t.strides())) {
    return empty_strided(t.shape(), t.strides(), dtype);
  }
  // Otherwise dense, in the order that t's strides rank its dimensions (equal strides keep theirs).
  Dims order, strides(static_cast<int>(t.dim()), 0);
  for (int i = static_cast<int>(t.dim()) - 1; i >= 0; --i) order.push_back(i);
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    const int64_t sa = t->strides[a], sb = t->strides[b];
    return sa != 0 && sb != 0 && sa < sb;
  });
  int64_t step = 1;
  for (int64_t d : order) {
    strides[d] = step;
    step *= std::max<int64_t>(t->shape[d], 1);
  }
  return empty_strided(t.shape(), strides, dtype);
}

Tensor from_storage(StoragePtr storage, IntList shape, IntList strides, int64_t offset,
                    DType dtype) {
  check_bounds(storage, shape, strides, offset, dtype);
  Tensor out(make_impl(shape, strides, dtype));
  out->storage = std::move(storage);
  out->offset = offset;
  return out;
}

Tensor raw_view(const Tensor& t, IntList shape, IntList strides, int64_t offset, DType dtype) {
  Tensor out = from_storage(t.storage(), shape, strides, offset, dtype);
  out->private_version = t->private_version;
  return out;
}

void resize_raw(const Tensor& t, IntList shape) {
  if (equal(t.shape(), shape)) return;
  check_shape(shape);
  const Dims strides = contiguous_strides(Dims(shape));
  int64_t nbytes;
  check(!__builtin_add_overflow(checked_numel(shape), t.offset(), &nbytes) &&
            !__builtin_mul_overflow(nbytes, t.item_bytes(), &nbytes),
        "Storage size calculation overflowed with sizes={}", shape);
  StoragePtr storage = t.storage();
  if (nbytes > storage->nbytes) storage.resize(nbytes);
  TensorImpl* p = t.impl();
  p->ndim = static_cast<uint8_t>(shape.size());
  p->numel = checked_numel(shape);
  std::copy(shape.begin(), shape.end(), p->shape);
  std::copy(strides.begin(), strides.end(), p->strides);
  p->contiguous = true;
}

Tensor scalar_tensor(const Scalar& value, DType dtype, bool wrapped) {
  Tensor out = empty({}, dtype);
  store_scalar(out.data(), dtype, value);
  out->wrapped_number = wrapped;
  return out;
}

}  // namespace d2l
