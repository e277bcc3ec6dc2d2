// Storage: a block of bytes that tensors share, with the version counter that autograd checks.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

#include "d2lcore/error.h"

namespace d2l {

// Reference-counted; the count is atomic because an op that releases the GIL holds its storages.
struct Storage {
  std::atomic<int32_t> refs{0};
  uint32_t version = 0;  // writes so far; in-place ops add one
  std::atomic<int32_t> pins{
      0};                  // buffers handed out (NumPy, DLPack): a pinned storage is never resized
  bool writable = true;    // false for memory that its owner declared read-only
  bool inference = false;  // made in inference mode: outside of it never part of a graph
  char* data = nullptr;
  int64_t nbytes = 0;
  void (*release)(void* owner) = nullptr;  // null: the block came from our allocator
  void* owner = nullptr;
};

// Inference mode, per thread: what is allocated in it can never be differentiated.
struct D2L_API InferenceMode {
  static bool enabled() { return enabled_; }
  static void set(bool on) { enabled_ = on; }

 private:
  static inline thread_local bool enabled_ = false;
};

class D2L_API StoragePtr {
 public:
  StoragePtr() = default;
  explicit StoragePtr(Storage* s) : s_(s) { retain(); }
  StoragePtr(const StoragePtr& o) : s_(o.s_) { retain(); }
  StoragePtr(StoragePtr&& o) noexcept : s_(std::exchange(o.s_, nullptr)) {}
  StoragePtr& operator=(StoragePtr o) noexcept {
    std::swap(s_, o.s_);
    return *this;
  }
  ~StoragePtr() {
    if (s_ && s_->refs.fetch_sub(1, std::memory_order_acq_rel) == 1) destroy(s_);
  }
  Storage* operator->() const { return s_; }
  Storage* get() const { return s_; }
  explicit operator bool() const { return s_ != nullptr; }

  // A block of our allocator; MemoryError when there is none.
  static StoragePtr allocate(int64_t nbytes);
  // Foreign memory: release(owner) is called when the last tensor lets go.
  static StoragePtr borrow(void* data, int64_t nbytes, bool writable, void (*release)(void*),
                           void* owner);
  // Grows or shrinks in place, keeping the common bytes. Refused for foreign or pinned memory.
  void resize(int64_t nbytes);

 private:
  void retain() {
    if (s_) s_->refs.fetch_add(1, std::memory_order_relaxed);
  }
  static void destroy(Storage* s);
  Storage* s_ = nullptr;
};

}  // namespace d2l
