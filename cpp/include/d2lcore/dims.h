// Shapes and strides: a fixed array of at most 16 extents, and a borrowed view of one.
#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>

#include "d2lcore/error.h"

namespace d2l {

inline constexpr int kMaxDims =
    16;  // a documented limit; PyTorch's kernels stop at 25, NumPy at 64

using IntList = std::span<const int64_t>;

// A plain value (trivially copyable, so that derivative formulas may capture it).
class Dims {
 public:
  Dims() = default;
  Dims(std::initializer_list<int64_t> values) : Dims(IntList(values.begin(), values.size())) {}
  explicit Dims(IntList values) {
    check(values.size() <= kMaxDims, "tensors have at most {} dimensions, got {}", kMaxDims,
          static_cast<int64_t>(values.size()));
    size_ = static_cast<int>(values.size());
    std::copy(values.begin(), values.end(), data_);
  }
  Dims(int n, int64_t value) : size_(n) { std::fill(data_, data_ + n, value); }

  int size() const { return size_; }
  bool empty() const { return size_ == 0; }
  int64_t operator[](int64_t i) const { return data_[i]; }
  int64_t& operator[](int64_t i) { return data_[i]; }
  const int64_t* begin() const { return data_; }
  const int64_t* end() const { return data_ + size_; }
  int64_t* begin() { return data_; }
  int64_t* end() { return data_ + size_; }
  int64_t back() const { return data_[size_ - 1]; }
  operator IntList() const { return IntList(data_, size_); }

  void push_back(int64_t x) {
    check(size_ < kMaxDims, "tensors have at most {} dimensions", kMaxDims);
    data_[size_++] = x;
  }
  void insert(int at, int64_t x) {
    push_back(x);
    std::rotate(data_ + at, data_ + size_ - 1, data_ + size_);
  }
  void erase(int at) {
    std::copy(data_ + at + 1, data_ + size_, data_ + at);
    --size_;
  }
  void resize(int n) { size_ = n; }
  bool contains(int64_t x) const { return std::find(begin(), end(), x) != end(); }

  friend bool operator==(const Dims& a, const Dims& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
  }

 private:
  int64_t data_[kMaxDims];
  int size_ = 0;
};

inline bool equal(IntList a, IntList b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

// The product of the extents; throws when it does not fit in 63 bits.
D2L_API int64_t checked_numel(IntList shape);
// Row-major strides, in elements.
D2L_API Dims contiguous_strides(IntList shape);
// dim counted from the end when negative; IndexError in PyTorch's words when it is outside
// [-n, n - 1], where n is ndim (1 for a 0-d tensor).
D2L_API int64_t wrap_dim(int64_t dim, int64_t ndim);

inline std::string to_text(const Dims& d) { return detail::to_text(IntList(d)); }

}  // namespace d2l
