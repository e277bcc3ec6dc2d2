#pragma once

#include "d2lcore/ops/common.h"

namespace d2l {

}  // namespace d2l
