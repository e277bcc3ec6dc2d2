// Runs a contiguous core over any 2-D strides: direct where it can, else tile by tile through
// buffers that stay in L1.
//
// The one idea: strides are handled here, once for all ops; a gather costs about one cycle an
// element, so an op's own code is only ever the contiguous loop.
#include "kernels/copy2d.h"
#include "kernels/map.h"

namespace d2l::D2L_ISA_NS {
namespace {

constexpr int64_t kBufferBytes = 4096;  // one per operand: all of them fit L1

struct Side {
  char* ptr;
  int64_t inner, outer;
};

// At least `bytes` bytes of one repeated item; `to` has room for whole vectors.
D2L_INLINE void fill_buffer(char* to, const char* item, int size, int64_t bytes) {
  if (size == 16) return copy2d(to, 16, 0, item, 0, 0, bytes / 16, 1, 16);
  uint64_t u = 0;
  switch (size) {
    case 1:
      u = *reinterpret_cast<const uint8_t*>(item) * 0x0101010101010101ull;
      break;
    case 2:
      u = *reinterpret_cast<const uint16_t*>(item) * 0x0001000100010001ull;
      break;
    case 4:
      u = *reinterpret_cast<const uint32_t*>(item) * 0x0000000100000001ull;
      break;
    default:
      u = *reinterpret_cast<const uint64_t*>(item);
  }
  Vec<uint64_t> v = splat(u);
  for (int64_t i = 0; i < bytes; i += kVecBytes) store(to + i, v);
}

// m rows of which one input has a single element each, the other two operands being dense.
D2L_INLINE bool broadcast_rows(const CoreInfo& info, const Side* side, int64_t n, int64_t m,
                               const Scalars* scalars) {
  const int size = info.size[0], b = side[1].inner == 0 ? 1 : 2, other = 3 - b;
  if (side[0].inner != size || side[b].inner != 0 || side[other].inner != size) return false;
  alignas(64) char item[64];
  const int64_t row = size * info.step;
  const int64_t increments[3] = {row, b == 1 ? 0 : row, b == 2 ? 0 : row};
  const int64_t whole = n / info.step, rest = n % info.step;
  for (int64_t j = 0; j < m; ++j) {
    char* p[3] = {side[0].ptr + j * side[0].outer, side[1].ptr + j * side[1].outer,
                  side[2].ptr + j * side[2].outer};
    fill_buffer(item, p[b], size, row);
    p[b] = item;
    info.steps(p, increments, whole, scalars);
    if (rest == 0) continue;
    p[0] += whole * row;
    p[other] += whole * row;
    info.core(p, rest, scalars);
  }
  return true;
}

int64_t magnitude(int64_t x) { return x < 0 ? -x : x; }

}  // namespace

__attribute__((noinline)) void drive_tiles(const CoreInfo& info, char* const* ptr,
                                           const int64_t* strides, int64_t n, int64_t m,
                                           const Scalars* scalars) {
  const int count = info.operands;
  Side side[kMaxOperands] = {};
  for (int k = 0; k < count; ++k) side[k] = {ptr[k], strides[k], strides[count + k]};

  // The inner loop should be the one along which the first output is dense.
  bool swap = n == 1;
  if (n > 1 && m > 1) {
    int64_t inner = magnitude(side[0].inner), outer = magnitude(side[0].outer);
    swap = outer < inner && outer >= info.size[0];
  }
  if (swap) {
    int64_t t = n;
    n = m, m = t;
    for (int k = 0; k < count; ++k) {
      t = side[k].inner;
      side[k].inner = side[k].outer, side[k].outer = t;
    }
  }

  int widest = 1;
  bool transposed = false, dense = true, rows_dense = true;
  for (int k = 0; k < count; ++k) {
    const int size = info.size[k];
    widest = size > widest ? size : widest;
    dense = dense && side[k].inner == size;
    rows_dense = rows_dense && (m == 1 || side[k].outer == n * size);
    transposed = transposed ||
                 (m > 1 && side[k].inner != size && side[k].inner != 0 && side[k].outer == size);
  }
  if (dense && rows_dense) {
    char* p[kMaxOperands];
    for (int k = 0; k < count; ++k) p[k] = side[k].ptr;
    return info.core(p, n * m, scalars);
  }
  if (dense && n * widest >= 256) {
    char* p[kMaxOperands];
    for (int64_t j = 0; j < m; ++j) {
      for (int k = 0; k < count; ++k) p[k] = side[k].ptr + j * side[k].outer;
      info.core(p, n, scalars);
    }
    return;
  }

  if (info.steps && n >= 64 && broadcast_rows(info, side, n, m, scalars)) return;

  // A tile has `cols` x `rows` elements; short rows share one, and a transposed operand is read by
  // whole cache lines.
  const int64_t capacity = kBufferBytes / widest;
  int64_t cols = n < capacity ? n : capacity, rows = 1;
  if (transposed) {
    rows = 64 / widest < 16 ? 16 : 64 / widest;
    if (rows > m) rows = m;
    if (cols > capacity / rows) cols = capacity / rows;
  } else if (cols == n && m > 1) {
    rows = capacity / n;
    if (rows > m) rows = m;
  }

  alignas(64) char buffer[kMaxOperands][kBufferBytes];
  // Operands that are the same in every tile are gathered once.
  bool constant[kMaxOperands], filled[kMaxOperands];
  for (int k = 0; k < count; ++k) {
    constant[k] = k >= info.outputs && (n == 1 || side[k].inner == 0 || cols == n) &&
                  (m == 1 || side[k].outer == 0);
    filled[k] = false;
  }
  for (int64_t j = 0; j < m; j += rows) {
    const int64_t r = m - j < rows ? m - j : rows;
    for (int64_t i = 0; i < n; i += cols) {
      const int64_t c = n - i < cols ? n - i : cols;
      char* p[kMaxOperands];
      bool direct[kMaxOperands];
      for (int k = 0; k < count; ++k) {
        const int size = info.size[k];
        const Side& s = side[k];
        char* at = s.ptr + i * s.inner + j * s.outer;
        direct[k] = (c == 1 || s.inner == size) && (r == 1 || s.outer == c * size);
        if (direct[k]) {
          p[k] = at;
          continue;
        }
        p[k] = buffer[k];
        if ((k < info.outputs && !info.inout) || (constant[k] && filled[k])) continue;
        if (s.inner == 0 && r == 1) {
          fill_buffer(buffer[k], at, size, c * size);
        } else {
          copy2d(buffer[k], size, c * size, at, s.inner, s.outer, c, r, size);
        }
        filled[k] = true;
      }
      info.core(p, c * r, scalars);
      for (int k = 0; k < info.outputs; ++k) {
        if (direct[k]) continue;
        const Side& s = side[k];
        copy2d(s.ptr + i * s.inner + j * s.outer, s.inner, s.outer, buffer[k], info.size[k],
               c * info.size[k], c, r, info.size[k]);
      }
    }
  }
}

// One row whose inputs are dense or broadcast: the broadcast ones become short dense rows.
__attribute__((noinline)) void drive_row(const CoreInfo& info, char* const* ptr,
                                         const int64_t* strides, int64_t n,
                                         const Scalars* scalars) {
  alignas(64) char buffer[kMaxOperands][kBufferBytes];
  char* p[kMaxOperands];
  int widest = 1;
  for (int k = 0; k < info.operands; ++k) widest = info.size[k] > widest ? info.size[k] : widest;
  const int64_t capacity = kBufferBytes / widest, first = n < capacity ? n : capacity;
  for (int k = 0; k < info.operands; ++k) {
    p[k] = ptr[k];
    if (strides[k] != 0) continue;
    p[k] = buffer[k];
    fill_buffer(buffer[k], ptr[k], info.size[k], first * info.size[k]);
  }
  for (int64_t i = 0;; i += capacity) {
    info.core(p, n - i < capacity ? n - i : capacity, scalars);
    if (n - i <= capacity) return;
    for (int k = 0; k < info.operands; ++k) p[k] += strides[k] * capacity;
  }
}

void drive(const CoreInfo& info, char* const* ptr, const int64_t* strides, int64_t n, int64_t m,
           const Scalars* scalars) {
  bool dense = m == 1, row = m == 1;
  for (int k = 0; k < info.operands; ++k) {
    dense &= strides[k] == info.size[k];
    row &= strides[k] == info.size[k] || (strides[k] == 0 && k >= info.outputs);
  }
  if (dense || n * m == 1) return info.core(ptr, n, scalars);
  if (row) return drive_row(info, ptr, strides, n, scalars);
  drive_tiles(info, ptr, strides, n, m, scalars);
}

}  // namespace d2l::D2L_ISA_NS
