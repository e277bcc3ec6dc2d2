// Each chapter adds its rows to the op table.
#pragma once

#include "core/op_table.h"

namespace d2l {

void register_activation(OpTable& ops);
void register_arithmetic(OpTable& ops);
void register_compare(OpTable& ops);
void register_complex(OpTable& ops);
void register_conv(OpTable& ops);
void register_convert(OpTable& ops);
void register_factory(OpTable& ops);
void register_geometry(OpTable& ops);
void register_index(OpTable& ops);
void register_join(OpTable& ops);
void register_linalg(OpTable& ops);
void register_loss(OpTable& ops);
void register_matmul(OpTable& ops);
void register_norm(OpTable& ops);
void register_normalize(OpTable& ops);
void register_pad(OpTable& ops);
void register_pool(OpTable& ops);
void register_pointwise(OpTable& ops);
void register_interpolate(OpTable& ops);
void register_attention(OpTable& ops);
void register_random(OpTable& ops);
void register_recurrent(OpTable& ops);
void register_reduce(OpTable& ops);
void register_scan(OpTable& ops);
void register_sort(OpTable& ops);
void register_special(OpTable& ops);
void register_statistics(OpTable& ops);
void register_unary(OpTable& ops);
void register_view(OpTable& ops);
void register_view_scatter(OpTable& ops);

}  // namespace d2l
