// What the files of the pooling chapter share.
#pragma once

#include "ops/conv_parts.h"

namespace d2l {

// How the windows of a pooling lie. A plain value, so that formulas may capture it.
struct PoolWindows {
  int dims = 2;
  Triple in, out;
  bool adaptive =
      false;  // window o covers [o in / out, ceil((o + 1) in / out)); the rest is unused
  Triple kernel{1, 1, 1}, stride{1, 1, 1}, padding{0, 0, 0}, dilation{1, 1, 1};
  bool count_include_pad = true;
  int64_t divisor = 0;  // of a mean; 0: the size of the window
};

// The ops with their derivatives; x and g are (planes..., in or out). Checked by the caller.
Tensor mean_pool(const char* op, const char* node, const Tensor& x, const PoolWindows& p);
struct Pooled {
  Tensor values, indices;  // positions in a plane, int64; undefined when not wanted
};
Pooled max_pool(const char* op, const char* node, const Tensor& x, const PoolWindows& p,
                bool indices);

// Bounds of windows, one list for each dimension; the lists of the next plane begin `step` further.
struct WindowLists {
  std::array<std::vector<int64_t>, 3> start, end;
  Triple step{0, 0, 0};
};
// The same maxima over windows from lists.
Pooled max_pool_lists(const char* op, const char* node, const Tensor& x, const PoolWindows& p,
                      const WindowLists& lists);

// (planes..., shape) of x's leading dimensions and the last p.dims extents of t.
Dims pooled_shape(const Tensor& x, const Triple& t, int dims);
// g added at the indices of planes of `in`, and what lies there.
Tensor add_at(const Tensor& g, const Tensor& indices, Triple in, int dims);

void register_pool_more(OpTable& ops);
void register_pool_adaptive(OpTable& ops);

}  // namespace d2l
