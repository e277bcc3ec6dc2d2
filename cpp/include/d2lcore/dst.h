// Dst: where an op with kernels of its own writes, when op_ or out= say so.
#pragma once

#include "d2lcore/tensor.h"

namespace d2l {

// Empty by default: the op makes its own result. An in-place destination has to have the result's
// shape; an out= destination is resized to it. The result is cast to its dtype.
class Dst {
 public:
  Dst() = default;
  static Dst inplace(const Tensor& t) { return Dst(&t, false); }
  static Dst out(const Tensor& t) { return Dst(&t, true); }
  explicit operator bool() const { return tensor_ != nullptr; }
  const Tensor& tensor() const { return *tensor_; }
  bool is_out() const { return out_; }

 private:
  Dst(const Tensor* t, bool out) : tensor_(t), out_(out) {}
  const Tensor* tensor_ = nullptr;
  bool out_ = false;
};

}  // namespace d2l
