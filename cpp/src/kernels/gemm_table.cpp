// One instruction set's table of product kernels.
#include "kernels/gemm_parts.h"

namespace d2l::D2L_ISA_NS {

static const GemmTable make_table() {
  GemmTable table{};
  add_packed(table);
  add_rows(table);
  add_pack(table);
  add_dots(table);
  add_integer(table);
  add_convert(table);
  return table;
}

const GemmTable& gemm_table() {
  static const GemmTable table = make_table();
  return table;
}

}  // namespace d2l::D2L_ISA_NS
