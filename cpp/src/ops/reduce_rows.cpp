// The driver of row kernels that leave one number for each row.
//
// The one idea: reduced dimensions that are neighbours in a contiguous tensor are one, and then the
// tensor is rows (nothing inside) or columns; either has a kernel that reads memory in order.
#include "ops/reduce_rows.h"

#include <algorithm>

#include "core/thread_pool.h"
#include "iter/map.h"

namespace d2l {

std::optional<RowGeometry> row_geometry(IntList shape, DimSet dims) {
  RowGeometry g;
  bool inside = false, closed = false;
  for (size_t d = 0; d < shape.size(); ++d) {
    if (shape[d] == 0) return {};
    if (shape[d] == 1) continue;
    if (dims & dim_bit(static_cast<int64_t>(d))) {
      if (closed) return {};
      inside = true;
      g.n *= shape[d];
    } else {
      closed = inside;
      (inside ? g.inner : g.outer) *= shape[d];
    }
  }
  return g;
}

namespace {

constexpr int64_t kPiece = 1 << 15;  // the length of the pieces of a long row
constexpr int64_t kColumns = 256;    // that one thread takes at a time

RowFn kernel(Row kind, const RowGeometry& g, DType type) {
  const auto& table = g.inner == 1 ? kernels().row : kernels().column;
  return table[static_cast<int>(kind)][static_cast<int>(type)];
}

void run(RowFn fn, const RowGeometry& g, int64_t size, const char* x, char* out, char* out2) {
  const int64_t work = g.outer * g.n * g.inner;
  LongOp unlocked(work >= (1 << 18));
  if (g.inner == 1) {
    const int64_t grain = std::max<int64_t>(kPiece / g.n, 1);
    parallel_for(g.outer, work < 2 * kPiece ? g.outer : grain, [&](int64_t begin, int64_t end) {
      const RowArgs args{out + begin * size,
                         x + begin * g.n * size,
                         nullptr,
                         g.n,
                         end - begin,
                         1,
                         out2 ? out2 + begin * size : nullptr};
      fn(&args);
    });
    return;
  }
  const int64_t blocks = (g.inner + kColumns - 1) / kColumns, count = g.outer * blocks;
  parallel_for(count, work < 2 * kPiece ? count : 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t o = i / blocks, at = i % blocks * kColumns;
      const int64_t to = (o * g.inner + at) * size;
      const RowArgs args{out + to,
                         x + (o * g.n * g.inner + at) * size,
                         nullptr,
                         g.n,
                         std::min(kColumns, g.inner - at),
                         g.inner,
                         out2 ? out2 + to : nullptr};
      fn(&args);
    }
  });
}

// The moments of the pieces of one tensor of n x inner, combined in their order.
template <class T>
void combine(const T* means, const T* m2s, int64_t pieces, int64_t n, int64_t inner, T* mean,
             T* m2) {
  for (int64_t j = 0; j < inner; ++j) {
    double a = means[j], b = m2s[j], have = static_cast<double>(kPiece);
    for (int64_t p = 1; p < pieces; ++p) {
      const double more = static_cast<double>(std::min(kPiece, n - p * kPiece));
      const double d = means[p * inner + j] - a, part = more / (have + more);
      b += m2s[p * inner + j] + d * d * have * part;
      a += d * part;
      have += more;
    }
    mean[j] = static_cast<T>(a);
    m2[j] = static_cast<T>(b);
  }
}

template <class T>
void moments_pieces(const Tensor& x, const RowGeometry& g, T* mean, T* m2) {
  const int64_t pieces = (g.n + kPiece - 1) / kPiece, size = sizeof(T);
  const RowFn fn = kernel(Row::moments, g, x.dtype());
  const Tensor means = empty(Dims{pieces * g.inner}, x.dtype());
  const Tensor m2s = empty(Dims{pieces * g.inner}, x.dtype());
  LongOp unlocked(x.numel() >= (1 << 20));
  for (int64_t o = 0; o < g.outer; ++o) {
    const char* from = x.data() + o * g.n * g.inner * size;
    parallel_for(pieces, 1, [&](int64_t begin, int64_t end) {
      for (int64_t p = begin; p < end; ++p) {
        const int64_t to = p * g.inner * size;
        const RowArgs args{means.data() + to, from + p * kPiece * g.inner * size,
                           nullptr,           std::min(kPiece, g.n - p * kPiece),
                           g.inner,           g.inner,
                           m2s.data() + to};
        fn(&args);
      }
    });
    combine(means.data_as<T>(), m2s.data_as<T>(), pieces, g.n, g.inner, mean + o * g.inner,
            m2 + o * g.inner);
  }
}

}  // namespace

void logsumexp_rows(const Tensor& x, const RowGeometry& g, const Tensor& out) {
  run(kernel(Row::logsumexp, g, x.dtype()), g, x.item_bytes(), x.data(), out.data(), nullptr);
}

void moments_rows(const Tensor& x, const RowGeometry& g, const Tensor& mean, const Tensor& m2) {
  if (g.n >= 2 * kPiece && g.outer * g.inner < 64) {
    if (x.dtype() == DType::Float) {
      moments_pieces(x, g, mean.data_as<float>(), m2.data_as<float>());
    } else {
      moments_pieces(x, g, mean.data_as<double>(), m2.data_as<double>());
    }
    return;
  }
  run(kernel(Row::moments, g, x.dtype()), g, x.item_bytes(), x.data(), mean.data(), m2.data());
}

}  // namespace d2l
