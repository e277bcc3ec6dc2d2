// What every chapter's header needs.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <tuple>
#include <vector>

#include "d2lcore/dst.h"
#include "d2lcore/generator.h"
#include "d2lcore/options.h"
#include "d2lcore/tensor.h"

namespace d2l {

using TensorList = std::span<const Tensor>;
using OptInt = std::optional<int64_t>;
using OptBool = std::optional<bool>;
using OptScalar = std::optional<Scalar>;
using OptDType = std::optional<DType>;
using OptInts = std::optional<IntList>;

}  // namespace d2l
