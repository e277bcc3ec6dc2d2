// Scaled dot-product attention.
#pragma once

#include "d2lcore/ops/common.h"

namespace d2l {

// softmax(query key^T scale + mask) value over the last two dimensions: query (..., L, E), key
// (..., S, E), value (..., S, Ev). mask: bool (true takes part) or added, broadcast to (..., L, S).
// scale defaults to 1 / sqrt(E). enable_gqa: key and value may have fewer heads (dimension -3).
D2L_API Tensor scaled_dot_product_attention(const Tensor& query, const Tensor& key,
                                            const Tensor& value, const Tensor& attn_mask = {},
                                            double dropout_p = 0, bool is_causal = false,
                                            std::optional<double> scale = {},
                                            bool enable_gqa = false);

}  // namespace d2l
