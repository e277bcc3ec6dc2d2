// The pieces of one instruction set's table, each made by the file that holds the kernels.
#pragma once

#include "kernels/gemm.h"
#include "kernels/gemm_simd.h"

namespace d2l::D2L_ISA_NS {

void add_packed(GemmTable& table);
void add_rows(GemmTable& table);
void add_pack(GemmTable& table);
void add_windows(GemmTable& table);
void add_dots(GemmTable& table);
void add_integer(GemmTable& table);
void add_convert(GemmTable& table);
void add_pairs(GemmTable& table);

}  // namespace d2l::D2L_ISA_NS
