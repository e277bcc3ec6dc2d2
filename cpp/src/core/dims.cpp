// Checked shape arithmetic.
#include "d2lcore/dims.h"

namespace d2l {

int64_t checked_numel(IntList shape) {
  // A zero extent makes the product zero, however large the others are.
  int64_t n = 1;
  bool overflow = false;
  for (int64_t s : shape) {
    if (s == 0) return 0;
    overflow |= __builtin_mul_overflow(n, s, &n);
  }
  check(!overflow, "numel: integer multiplication overflow for shape {}", shape);
  return n;
}

Dims contiguous_strides(IntList shape) {
  Dims strides(static_cast<int>(shape.size()), 1);
  int64_t step = 1;
  for (int i = static_cast<int>(shape.size()) - 1; i >= 0; --i) {
    strides[i] = step;
    step *= std::max<int64_t>(shape[i], 1);
  }
  return strides;
}

int64_t wrap_dim(int64_t dim, int64_t ndim) {
  const int64_t n = ndim == 0 ? 1 : ndim;
  check<IndexError>(dim >= -n && dim < n,
                    "Dimension out of range (expected to be in range of [{}, {}], but got {})", -n,
                    n - 1, dim);
  return dim < 0 ? dim + n : dim;
}

}  // namespace d2l
