// Chooses the kernel table of this process, once.
#include "core/cpu.h"
#include "core/kernel_table.h"
#include "kernels/tables.h"

namespace d2l {
namespace {

KernelTable make_table() {
  KernelTable t{};
  switch (isa()) {
#ifdef D2L_HAVE_AVX512
    case Isa::Avx512:
      avx512::fill_table(t);
      break;
#endif
#ifdef D2L_HAVE_AVX2
    case Isa::Avx2:
      avx2::fill_table(t);
      break;
#endif
    default:
      baseline::fill_table(t);
      break;
  }
  return t;
}

}  // namespace

const KernelTable& kernels() {
  static const KernelTable table = make_table();
  return table;
}

}  // namespace d2l
