// Making plans and running loops over them.
#include "iter/plan.h"

#include <algorithm>

#include "core/thread_pool.h"

namespace d2l {

GilHooks gil_hooks;

Dims broadcast_shapes(IntList a, IntList b) {
  const int n = static_cast<int>(std::max(a.size(), b.size()));
  Dims out(n, 1);
  for (int i = 1; i <= n; ++i) {
    const int64_t x = i <= static_cast<int>(a.size()) ? a[a.size() - i] : 1;
    const int64_t y = i <= static_cast<int>(b.size()) ? b[b.size() - i] : 1;
    check(x == y || x == 1 || y == 1,
          "The size of tensor a ({}) must match the size of tensor b ({}) at non-singleton "
          "dimension {}",
          x, y, n - i);
    out[n - i] = x == 1 ? y : x;
  }
  return out;
}

Dims broadcast_shapes(std::initializer_list<const Tensor*> inputs) {
  Dims out;
  bool first = true;
  for (const Tensor* t : inputs) {
    out = first ? Dims(t->shape()) : broadcast_shapes(out, t->shape());
    first = false;
  }
  return out;
}

namespace {

// Negative when a should be inside b, positive when outside, 0 when either will do: smaller strides
// first, the earlier operand decides.
int order(const Plan& p, int a, int b) {
  for (int k = 0; k < p.operands; ++k) {
    const int64_t x = p.strides[k][a], y = p.strides[k][b];
    if (x == 0 || y == 0) continue;
    if (x != y) return x < y ? -1 : 1;
    if (p.shape[a] > p.shape[b]) return 1;
  }
  return 0;
}

void swap_dims(Plan& p, int a, int b) {
  std::swap(p.shape[a], p.shape[b]);
  for (int k = 0; k < p.operands; ++k) std::swap(p.strides[k][a], p.strides[k][b]);
}

void coalesce(Plan& p) {
  int last = 0;
  for (int d = 1; d < p.ndim; ++d) {
    bool merge = true;
    for (int k = 0; k < p.operands && merge; ++k) {
      merge = p.shape[last] == 1 || p.shape[d] == 1 ||
              p.strides[k][d] == p.shape[last] * p.strides[k][last];
    }
    if (merge) {
      for (int k = 0; k < p.operands; ++k) {
        if (p.shape[last] == 1) p.strides[k][last] = p.strides[k][d];
      }
      p.shape[last] *= p.shape[d];
    } else {
      ++last;
      p.shape[last] = p.shape[d];
      for (int k = 0; k < p.operands; ++k) p.strides[k][last] = p.strides[k][d];
    }
  }
  p.ndim = p.ndim ? last + 1 : 0;
}

}  // namespace

Plan make_plan(IntList shape, const Tensor* const* operands, int count) {
  Plan p;
  p.ndim = static_cast<int>(shape.size());
  p.operands = count;
  for (int i = 0; i < p.ndim; ++i) {
    p.shape[i] = shape[p.ndim - 1 - i];
    p.numel *= p.shape[i];
  }
  for (int k = 0; k < count; ++k) {
    const Tensor& t = *operands[k];
    p.data[k] = t.data();
    p.dtype[k] = t.dtype();
    const int n = static_cast<int>(t.dim());
    const int64_t size = t.item_bytes();
    for (int i = 0; i < p.ndim; ++i) {
      const bool present = i < n && t->shape[n - 1 - i] != 1;
      p.strides[k][i] = present ? t->strides[n - 1 - i] * size : 0;
    }
  }
  // Insertion sort by stride, nearly always already in order. Dimensions that an operand repeats
  // tell nothing, so the search goes on past them; PyTorch orders its random streams likewise.
  for (int i = 1; i < p.ndim; ++i) {
    for (int at = i, j = i - 1; j >= 0; --j) {
      const int found = order(p, j, at);
      if (found < 0) break;
      if (found > 0) {
        swap_dims(p, j, at);
        at = j;
      }
    }
  }
  coalesce(p);
  return p;
}

Plan make_plan(IntList shape, std::initializer_list<const Tensor*> operands) {
  return make_plan(shape, operands.begin(), static_cast<int>(operands.size()));
}

namespace {

// What is fixed during one run.
struct Runner {
  const Plan& p;
  LoopFn fn;
  const DType* want;
  int outputs;
  const Scalars& scalars;
  bool casts;

  static constexpr int64_t kBlock = 512;

  // One row of n elements at `ptr` (operand strides of dimension 0), m rows apart by dimension 1.
  void rows(char* const* ptr, int64_t n, int64_t m) const {
    int64_t strides[2 * kMaxOperands];
    for (int k = 0; k < p.operands; ++k) {
      strides[k] = p.ndim > 0 ? p.strides[k][0] : 0;
      strides[p.operands + k] = p.ndim > 1 ? p.strides[k][1] : 0;
    }
    if (!casts) {
      fn(ptr, strides, n, m, &scalars);
      return;
    }
    for (int64_t j = 0; j < m; ++j) {
      for (int64_t i = 0; i < n; i += kBlock) block(ptr, strides, i, j, std::min(kBlock, n - i));
    }
  }

  // A block of one row, through buffers for the operands that need a cast.
  void block(char* const* ptr, const int64_t* strides, int64_t i, int64_t j, int64_t n) const {
    alignas(64) char buffers[kMaxOperands][kBlock * 16];
    char* at[kMaxOperands];
    int64_t step[2 * kMaxOperands] = {};
    for (int k = 0; k < p.operands; ++k) {
      char* source = ptr[k] + i * strides[k] + j * strides[p.operands + k];
      if (p.dtype[k] == want[k]) {
        at[k] = source;
        step[k] = strides[k];
        continue;
      }
      at[k] = buffers[k];
      step[k] = itemsize(want[k]);
      // Outputs are read too: the loops that update in place (optimisers) need their old values.
      const int64_t cast_strides[4] = {step[k], strides[k], 0, 0};
      char* const pair[2] = {buffers[k], source};
      if (k >= outputs) cast(p.dtype[k], want[k])(pair, cast_strides, n, 1, &scalars);
    }
    fn(at, step, n, 1, &scalars);
    for (int k = 0; k < outputs; ++k) {
      if (p.dtype[k] == want[k]) continue;
      const int64_t cast_strides[4] = {strides[k], step[k], 0, 0};
      char* const pair[2] = {ptr[k] + i * strides[k] + j * strides[p.operands + k], buffers[k]};
      cast(want[k], p.dtype[k])(pair, cast_strides, n, 1, &scalars);
    }
  }

  static LoopFn cast(DType from, DType to) {
    return kernels().cast[static_cast<int>(from)][static_cast<int>(to)];
  }

  // Elements [begin, end) in the plan's order.
  void range(int64_t begin, int64_t end) const {
    const int64_t n = p.ndim > 0 ? p.shape[0] : 1, m = p.ndim > 1 ? p.shape[1] : 1;
    while (begin < end) {
      int64_t coords[kMaxDims], rest = begin;
      char* ptr[kMaxOperands];
      for (int k = 0; k < p.operands; ++k) ptr[k] = p.data[k];
      for (int d = 0; d < p.ndim; ++d) {
        coords[d] = rest % p.shape[d];
        rest /= p.shape[d];
        for (int k = 0; k < p.operands; ++k) ptr[k] += coords[d] * p.strides[k][d];
      }
      const int64_t first = p.ndim > 0 ? coords[0] : 0, row = p.ndim > 1 ? coords[1] : 0;
      if (first == 0 && end - begin >= n) {
        const int64_t count = std::min((end - begin) / n, m - row);
        rows(ptr, n, count);
        begin += count * n;
      } else {
        const int64_t count = std::min(end - begin, n - first);
        rows(ptr, count, 1);
        begin += count;
      }
    }
  }
};

}  // namespace

void run_plan(const Plan& p, LoopFn fn, const DType* want, int outputs, const Scalars& scalars) {
  if (p.numel == 0) return;
  bool casts = false;
  for (int k = 0; k < p.operands; ++k) casts |= p.dtype[k] != want[k];
  const Runner runner{p, fn, want, outputs, scalars, casts};
  if (p.numel < kParallel) {
    runner.range(0, p.numel);
    return;
  }
  LongOp unlocked(p.numel >= (1 << 20));
  // Whole rows, 16 at a time: a transposed operand is read by tiles of that height.
  const int64_t row = p.shape[0] <= kGrain / 16 ? 16 * p.shape[0] : 1;
  parallel_for(p.numel, kGrain / row * row,
               [&](int64_t begin, int64_t end) { runner.range(begin, end); });
}

}  // namespace d2l
