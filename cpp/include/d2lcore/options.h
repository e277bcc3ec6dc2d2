// Options of the functions that make tensors.
#pragma once

#include <optional>

#include "d2lcore/dtype.h"

namespace d2l {

// The order of dimensions in memory that a copy is given.
enum class MemoryFormat : uint8_t { Preserve, Contiguous, ChannelsLast, ChannelsLast3d };

struct Options {
  std::optional<DType> dtype;  // none: the default of the function
  bool requires_grad = false;
  Options() = default;
  Options(DType t) : dtype(t) {}
};

}  // namespace d2l
