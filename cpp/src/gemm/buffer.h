// Scratch memory of a product, returned to the allocator's cache at the end of the scope.
#pragma once

#include <cstdint>

#include "core/allocator.h"

namespace d2l {

template <class T>
class Buffer {
 public:
  explicit Buffer(int64_t count)
      : bytes_(count * static_cast<int64_t>(sizeof(T))), data_(static_cast<T*>(allocate(bytes_))) {}
  ~Buffer() { deallocate(data_, bytes_); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  T* data() const { return data_; }

 private:
  int64_t bytes_;
  T* data_;
};

inline int64_t round_up(int64_t x, int64_t to) { return (x + to - 1) / to * to; }
inline int64_t divide_up(int64_t x, int64_t by) { return (x + by - 1) / by; }

}  // namespace d2l
