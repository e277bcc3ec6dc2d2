// Options of the functions that make tensors.
#pragma once

#include <optional>

#include "d2lcore/dtype.h"

namespace d2l {

struct Options {
  std::optional<DType> dtype;  // none: the default of the function
  bool requires_grad = false;
  Options() = default;
  Options(DType t) : dtype(t) {}
};

}  // namespace d2l
