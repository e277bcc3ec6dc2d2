// See gemm.h. This file turns every product into real or integer ones: batches into single products
// or one tall one, half precision into float32, complex ones into four real ones on strided views.
#include "gemm/gemm.h"

#include <algorithm>
#include <type_traits>

#include "core/thread_pool.h"
#include "gemm/buffer.h"
#include "gemm/integer.h"
#include "gemm/real.h"

namespace d2l {
namespace {

constexpr int64_t kSerial = 1 << 20;  // multiply-adds of a batch that one thread does
constexpr int64_t kChunk = 1 << 18;   // multiply-adds of a chunk of small products

// C = beta * D, or zeros: what is left of a product along no elements.
template <class T, class S>
void scale(const GemmArgs& g, const T* d, S beta, T* c) {
  for (int64_t i = 0; i < g.m; ++i)
    for (int64_t j = 0; j < g.n; ++j)
      c[i * g.c_row + j * g.c_col] =
          d == nullptr ? T() : static_cast<T>(beta * d[i * g.d_row + j * g.d_col]);
}

// Calls one(i) for each item of the batch: small items side by side on the threads, large ones one
// after another, each on all threads.
template <class F>
void for_each_item(const GemmArgs& g, F&& one) {
  const int64_t work = std::max<int64_t>(1, g.m * g.n * std::max<int64_t>(g.k, 1));
  if (g.batch == 1) return one(0);
  if (work > 4 * kSerial || work <= kSerial / g.batch) {
    for (int64_t i = 0; i < g.batch; ++i) one(i);
    return;
  }
  parallel_for(g.batch, std::max<int64_t>(1, kChunk / work), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) one(i);
  });
}

// Most products of small models: straight to the kernel that multiply would choose, or one that
// adds up in the same order.
template <class T>
bool tiny_product(const GemmArgs& g) {
  if (g.batch != 1 || g.c_col != 1 || g.b_col != 1 || g.m < 2 || g.n < 2 || g.k >= 64 ||
      g.m * g.n > 1024)
    return false;
  const bool has_d = g.d != nullptr && g.beta != 0;
  real_kernels<T>().rows(
      g.m, g.n, g.k, static_cast<const T*>(g.a), g.a_row, g.a_col, static_cast<const T*>(g.b),
      g.b_row,
      {static_cast<T*>(g.c), g.c_row, false, true, static_cast<T>(g.alpha), static_cast<T>(g.beta),
       has_d ? static_cast<const T*>(g.d) : nullptr, g.d_row, g.d_col});
  return true;
}

template <class T>
void real_product(const GemmArgs& g) {
  if (tiny_product<T>(g)) return;
  Product<T> p{g.m,
               g.n,
               g.k,
               static_cast<const T*>(g.a),
               g.a_row,
               g.a_col,
               static_cast<const T*>(g.b),
               g.b_row,
               g.b_col,
               static_cast<T*>(g.c),
               g.c_row,
               g.c_col,
               static_cast<T>(g.alpha),
               static_cast<T>(g.beta),
               g.beta == 0 ? nullptr : static_cast<const T*>(g.d),
               g.d_row,
               g.d_col};
  if (g.batch == 1) return multiply(p);
  // Items that follow each other like rows, and share B, are one tall product.
  if (g.b_batch == 0 && g.a_batch == g.m * g.a_row && g.c_batch == g.m * g.c_row &&
      (p.d == nullptr || g.d_batch == g.m * g.d_row)) {
    p.m *= g.batch;
    return multiply(p);
  }
  for_each_item(g, [&](int64_t i) {
    Product<T> item = p;
    item.a += i * g.a_batch;
    item.b += i * g.b_batch;
    item.c += i * g.c_batch;
    if (item.d != nullptr) item.d += i * g.d_batch;
    multiply(item);
  });
}

// --- Half precision ----------------------------------------------------------------------------

using ToFloat = void (*)(const uint16_t*, int64_t, int64_t, float*);
using FromFloat = void (*)(const float*, int64_t, uint16_t*, int64_t);

// A copy in float32 that keeps the order in which the elements lie in memory.
struct FloatCopy {
  FloatCopy(const uint16_t* src, int64_t rows, int64_t cols, int64_t src_row, int64_t src_col,
            ToFloat convert)
      : buffer(rows * cols) {
    const bool by_rows = src_col == 1 || (src_row != 1 && src_col <= src_row);
    const int64_t lines = by_rows ? rows : cols, length = by_rows ? cols : rows;
    const int64_t line = by_rows ? src_row : src_col, step = by_rows ? src_col : src_row;
    row = by_rows ? cols : 1;
    col = by_rows ? 1 : rows;
    parallel_for(lines, std::max<int64_t>(1, (1 << 16) / std::max<int64_t>(1, length)),
                 [&](int64_t begin, int64_t end) {
                   for (int64_t i = begin; i < end; ++i)
                     convert(src + i * line, step, length, buffer.data() + i * length);
                 });
  }
  Buffer<float> buffer;
  int64_t row, col;
};

// Pairs of bfloat16 that follow each other along K, `lines` x ceil(k / 2) of them; the step along K
// is `step`, that between lines is `line`. Pair p of line i lies at i * line_out + p * pair_out.
void copy_pairs(const uint16_t* src, int64_t lines, int64_t k, int64_t line, int64_t step,
                uint32_t* dst, int64_t line_out, int64_t pair_out) {
  const auto pair = [&](int64_t i, int64_t p) {
    const uint16_t* const at = src + i * line + 2 * p * step;
    const uint32_t high = 2 * p + 1 < k ? at[step] : 0;
    dst[i * line_out + p * pair_out] = at[0] | high << 16;
  };
  const int64_t pairs = (k + 1) / 2;
  const bool along_lines = pair_out == 1;
  const int64_t outer = along_lines ? lines : pairs, inner = along_lines ? pairs : lines;
  parallel_for(outer, std::max<int64_t>(1, (1 << 16) / inner), [&](int64_t begin, int64_t end) {
    for (int64_t x = begin; x < end; ++x) {
      if (along_lines)
        for (int64_t p = 0; p < pairs; ++p) pair(x, p);
      else
        for (int64_t i = 0; i < lines; ++i) pair(i, x);
    }
  });
}

// Raw sums of bfloat16 products with the processor's own instruction.
void pair_product(const GemmArgs& g, const uint16_t* a, const uint16_t* b, float* sums) {
  const int64_t pairs = (g.k + 1) / 2;
  Buffer<uint32_t> pa(g.m * pairs), pb(pairs * g.n);
  // Written in the order in which the source lies in memory.
  const bool a_by_rows = g.a_col <= g.a_row, b_by_columns = g.b_row < g.b_col;
  const int64_t a_row = a_by_rows ? pairs : 1, a_col = a_by_rows ? 1 : g.m;
  const int64_t b_row = b_by_columns ? 1 : g.n, b_col = b_by_columns ? pairs : 1;
  copy_pairs(a, g.m, g.k, g.a_row, g.a_col, pa.data(), a_row, a_col);
  copy_pairs(b, g.n, g.k, g.b_col, g.b_row, pb.data(), b_col, b_row);
  multiply_pairs({g.m, g.n, pairs, reinterpret_cast<const float*>(pa.data()), a_row, a_col,
                  reinterpret_cast<const float*>(pb.data()), b_row, b_col, sums, g.n, 1, 1, 0,
                  nullptr, 0, 0});
}

void half_item(const GemmArgs& g, const uint16_t* a, const uint16_t* b, uint16_t* c,
               const uint16_t* d, ToFloat to_float, FromFloat from_float) {
  Buffer<float> sums(g.m * g.n);
  if (g.dtype == DType::BFloat16 && std::min({g.m, g.n, g.k}) >= 32 && has_pairs()) {
    pair_product(g, a, b, sums.data());
  } else {
    const FloatCopy fa(a, g.m, g.k, g.a_row, g.a_col, to_float);
    const FloatCopy fb(b, g.k, g.n, g.b_row, g.b_col, to_float);
    multiply(Product<float>{g.m, g.n, g.k, fa.buffer.data(), fa.row, fa.col, fb.buffer.data(),
                            fb.row, fb.col, sums.data(), g.n, 1, 1, 0, nullptr, 0, 0});
  }
  const float alpha = static_cast<float>(g.alpha), beta = static_cast<float>(g.beta);
  parallel_for(g.m, std::max<int64_t>(1, (1 << 16) / g.n), [&](int64_t begin, int64_t end) {
    Buffer<float> term(d == nullptr ? 0 : g.n);
    for (int64_t i = begin; i < end; ++i) {
      float* const row = sums.data() + i * g.n;
      if (alpha != 1)
        for (int64_t j = 0; j < g.n; ++j) row[j] *= alpha;
      if (d != nullptr) {
        to_float(d + i * g.d_row, g.d_col, g.n, term.data());
        for (int64_t j = 0; j < g.n; ++j) row[j] += beta * term.data()[j];
      }
      from_float(row, g.n, c + i * g.c_row, g.c_col);
    }
  });
}

void half_product(const GemmArgs& g, ToFloat to_float, FromFloat from_float) {
  const auto* d = g.beta == 0 ? nullptr : static_cast<const uint16_t*>(g.d);
  for_each_item(g, [&](int64_t i) {
    half_item(g, static_cast<const uint16_t*>(g.a) + i * g.a_batch,
              static_cast<const uint16_t*>(g.b) + i * g.b_batch,
              static_cast<uint16_t*>(g.c) + i * g.c_batch,
              d == nullptr ? nullptr : d + i * g.d_batch, to_float, from_float);
  });
}

// --- Complex -------------------------------------------------------------------------------------

// re = ar.br - ai.bi and im = ar.bi + ai.br, each on views with twice the strides.
template <class T>
void complex_product(const GemmArgs& g) {
  for_each_item(g, [&](int64_t i) {
    const T* const a = static_cast<const T*>(g.a) + 2 * i * g.a_batch;
    const T* const b = static_cast<const T*>(g.b) + 2 * i * g.b_batch;
    T* const c = static_cast<T*>(g.c) + 2 * i * g.c_batch;
    const T* const d =
        g.beta == 0 || g.d == nullptr ? nullptr : static_cast<const T*>(g.d) + 2 * i * g.d_batch;
    const T alpha = static_cast<T>(g.alpha), beta = static_cast<T>(g.beta);
    Product<T> p{g.m,   g.n,         g.k,         a,           2 * g.a_row, 2 * g.a_col,
                 b,     2 * g.b_row, 2 * g.b_col, c,           2 * g.c_row, 2 * g.c_col,
                 alpha, beta,        d,           2 * g.d_row, 2 * g.d_col};
    for (int part = 0; part < 2; ++part) {  // real, imaginary
      p.c = c + part;
      p.d = d == nullptr ? nullptr : d + part;
      p.d_row = 2 * g.d_row;
      p.d_col = 2 * g.d_col;
      p.alpha = alpha;
      p.beta = beta;
      p.a = a;
      p.b = b + part;
      multiply(p);
      p.d = p.c;
      p.d_row = p.c_row;
      p.d_col = p.c_col;
      p.alpha = part == 0 ? -alpha : alpha;
      p.beta = 1;
      p.a = a + 1;
      p.b = b + (1 - part);
      multiply(p);
    }
  });
}

// --- Nothing to add up ---------------------------------------------------------------------------

template <class T, class S>
void scale_items(const GemmArgs& g, S beta) {
  for (int64_t i = 0; i < g.batch; ++i)
    scale(g, g.d == nullptr || beta == S(0) ? nullptr : static_cast<const T*>(g.d) + i * g.d_batch,
          beta, static_cast<T*>(g.c) + i * g.c_batch);
}

template <class T>
struct Pair {  // a complex number
  T re, im;
};
template <class T>
Pair<T> operator*(T s, Pair<T> x) {
  return {s * x.re, s * x.im};
}

void empty_product(const GemmArgs& g) {
  const auto beta_i = static_cast<uint64_t>(g.beta_i);
  switch (g.dtype) {
    case DType::Bool:
      return scale_items<bool>(g, g.beta_i != 0 ? 1 : 0);
    case DType::UInt8:
    case DType::Int8:
      return scale_items<uint8_t>(g, beta_i);
    case DType::Int16:
      return scale_items<uint16_t>(g, beta_i);
    case DType::Int32:
      return scale_items<uint32_t>(g, beta_i);
    case DType::Int64:
      return scale_items<uint64_t>(g, beta_i);
    case DType::Float:
      return scale_items<float>(g, static_cast<float>(g.beta));
    case DType::Double:
      return scale_items<double>(g, g.beta);
    case DType::ComplexFloat:
      return scale_items<Pair<float>>(g, static_cast<float>(g.beta));
    case DType::ComplexDouble:
      return scale_items<Pair<double>>(g, g.beta);
    case DType::Half:
    case DType::BFloat16: {
      const GemmTable& table = gemm_kernels();
      const bool half = g.dtype == DType::Half;
      for (int64_t item = 0; item < g.batch; ++item)
        for (int64_t i = 0; i < g.m; ++i)
          for (int64_t j = 0; j < g.n; ++j) {
            float x = 0;
            if (g.d != nullptr && g.beta != 0) {
              const auto* d =
                  static_cast<const uint16_t*>(g.d) + item * g.d_batch + i * g.d_row + j * g.d_col;
              (half ? table.half_to_float : table.bfloat16_to_float)(d, 1, 1, &x);
              x *= static_cast<float>(g.beta);
            }
            (half ? table.float_to_half : table.float_to_bfloat16)(
                &x, 1, static_cast<uint16_t*>(g.c) + item * g.c_batch + i * g.c_row + j * g.c_col,
                1);
          }
      return;
    }
  }
}

}  // namespace

void gemm(const GemmArgs& g) {
  if (g.m <= 0 || g.n <= 0 || g.batch <= 0) return;
  if (g.k <= 0) return empty_product(g);
  switch (g.dtype) {
    case DType::Float:
      return real_product<float>(g);
    case DType::Double:
      return real_product<double>(g);
    case DType::Half:
      return half_product(g, gemm_kernels().half_to_float, gemm_kernels().float_to_half);
    case DType::BFloat16:
      return half_product(g, gemm_kernels().bfloat16_to_float, gemm_kernels().float_to_bfloat16);
    case DType::ComplexFloat:
      return complex_product<float>(g);
    case DType::ComplexDouble:
      return complex_product<double>(g);
    default:
      for_each_item(g, [&](int64_t i) { multiply_integers(g, i); });
  }
}

}  // namespace d2l
