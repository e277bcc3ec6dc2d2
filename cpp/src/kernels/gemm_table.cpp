// One instruction set's table of product kernels.
#include "kernels/gemm_parts.h"

namespace d2l::D2L_ISA_NS {

void fill_gemm_table(GemmTable& table) {
  add_packed(table);
  add_rows(table);
  add_pack(table);
  add_windows(table);
  add_dots(table);
  add_integer(table);
  add_convert(table);
  add_pairs(table);
}

}  // namespace d2l::D2L_ISA_NS
