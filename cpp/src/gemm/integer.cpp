// See integer.h. B is packed into panels a block of K at a time, so that a panel stays in the
// second cache while the rows of A pass by.
#include "gemm/integer.h"

#include <algorithm>

#include "core/thread_pool.h"
#include "gemm/buffer.h"
#include "gemm/real.h"

namespace d2l {
namespace {

constexpr int64_t kChunk = 1 << 17;         // multiply-adds of a chunk
constexpr int64_t kPanelBytes = 256 << 10;  // at most, of a panel of B

template <class T>
void run(const IntegerKernels<T>& kernels, const GemmArgs& g, int64_t item) {
  const int64_t nr = kernels.nr, size = sizeof(T);
  const T* const a = static_cast<const T*>(g.a) + item * g.a_batch;
  const T* const b = static_cast<const T*>(g.b) + item * g.b_batch;
  IntegerTail<T> tail{
      static_cast<T*>(g.c) + item * g.c_batch,
      g.c_row,
      g.c_col,
      static_cast<T>(g.alpha_i),
      static_cast<T>(g.beta_i),
      g.d == nullptr || g.beta_i == 0 ? nullptr : static_cast<const T*>(g.d) + item * g.d_batch,
      g.d_row,
      g.d_col};
  if (g.dtype == DType::Bool) {
    tail.alpha = g.alpha_i != 0;
    tail.beta = g.beta_i != 0;
  }
  const int64_t depth = std::max<int64_t>(64, kPanelBytes / (nr * size));
  for (int64_t pc = 0; pc < g.k; pc += depth) {
    const int64_t k = std::min(depth, g.k - pc);
    if (pc > 0) {  // later blocks add to the first one's result
      tail.d = tail.c;
      tail.d_row = tail.c_row;
      tail.d_col = tail.c_col;
      tail.beta = 1;
    }
    const int64_t grain = round_up(std::max<int64_t>(1, kChunk / (g.m * k)), nr);
    parallel_for(g.n, grain, [&](int64_t begin, int64_t end) {
      Buffer<T> panel(k * nr);
      for (int64_t j = begin; j < end; j += nr) {
        const int64_t n = std::min(nr, end - j);
        const T* const from = b + pc * g.b_row + j * g.b_col;
        for (int64_t p = 0; p < k; ++p) {
          T* const row = panel.data() + p * nr;
          for (int64_t s = 0; s < n; ++s) row[s] = from[p * g.b_row + s * g.b_col];
          std::fill(row + n, row + nr, T(0));
        }
        IntegerTail<T> part = tail;
        part.c += j * part.c_col;
        if (part.d != nullptr) part.d += j * part.d_col;
        kernels.panel(g.m, n, k, a + pc * g.a_col, g.a_row, g.a_col, panel.data(), part);
      }
    });
  }
}

}  // namespace

void multiply_integers(const GemmArgs& g, int64_t item) {
  const GemmTable& table = gemm_kernels();
  switch (itemsize(g.dtype)) {
    case 1:
      return run(g.dtype == DType::Bool ? table.boolean : table.u8, g, item);
    case 2:
      return run(table.u16, g, item);
    case 4:
      return run(table.u32, g, item);
    default:
      return run(table.u64, g, item);
  }
}

}  // namespace d2l
