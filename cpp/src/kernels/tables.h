// The kernel tables of all instruction sets: one symbol each.
#pragma once

#include "core/kernel_table.h"

namespace d2l {
namespace baseline {
void fill_table(KernelTable& t);
}
namespace avx2 {
void fill_table(KernelTable& t);
}
namespace avx512 {
void fill_table(KernelTable& t);
}
}  // namespace d2l
