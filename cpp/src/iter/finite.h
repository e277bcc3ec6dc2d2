// Finding NaN and infinities in a tensor.
#pragma once

#include <optional>

#include "d2lcore/tensor.h"

namespace d2l {

struct NumberCheck {
  bool nan = false, inf = false;  // what is looked for
  bool any() const { return nan || inf; }
};

struct NonFinite {
  int64_t index;  // in row-major order
  bool nan;
};

// The first element that is NaN, or infinite, as asked; nothing for integers.
D2L_API std::optional<NonFinite> find_non_finite(const Tensor& t, const NumberCheck& what);

}  // namespace d2l
