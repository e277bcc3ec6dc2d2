// Fills the table of one instruction set, chapter by chapter.
#include "kernels/map.h"
#include "kernels/tables.h"

namespace d2l::D2L_ISA_NS {

void fill_table(KernelTable& t) {
  fill_integers(t);
  fill_compare(t);
  fill_floating(t);
  fill_complex(t);
  fill_complex_math(t);
  fill_math_float(t);
  fill_math_double(t);
  fill_special(t);
  fill_scalar_functions(t);
  fill_backward(t);
  fill_optimisers(t);
  fill_rules(t);
  fill_casts(t);
  fill_copies(t);
  fill_reduce(t);
  fill_reduce_index(t);
  fill_scan(t);
  fill_rows(t);
  fill_columns(t);
  fill_normal(t);
  fill_norms(t);
  fill_moments(t);
  fill_pool(t);
  fill_resample(t);
  fill_recurrent(t);
}

}  // namespace d2l::D2L_ISA_NS
