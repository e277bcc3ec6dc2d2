// The table of the process, chapter by chapter.
#include "ops/register.h"

namespace d2l {

const OpTable& OpTable::get() {
  static const OpTable* table = [] {
    auto* ops = new OpTable;  // never destroyed
    register_factory(*ops);
    register_random(*ops);
    register_convert(*ops);
    register_arithmetic(*ops);
    register_complex(*ops);
    register_compare(*ops);
    register_unary(*ops);
    register_pointwise(*ops);
    register_special(*ops);
    register_activation(*ops);
    register_view(*ops);
    register_view_scatter(*ops);
    register_join(*ops);
    register_index(*ops);
    register_reduce(*ops);
    register_scan(*ops);
    register_sort(*ops);
    register_statistics(*ops);
    register_norm(*ops);
    register_normalize(*ops);
    register_pad(*ops);
    register_interpolate(*ops);
    register_attention(*ops);
    register_recurrent(*ops);
    register_matmul(*ops);
    register_linalg(*ops);
    register_geometry(*ops);
    register_loss(*ops);
    register_conv(*ops);
    register_pool(*ops);
    return ops;
  }();
  return *table;
}

}  // namespace d2l
