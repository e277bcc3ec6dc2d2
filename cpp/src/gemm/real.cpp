// See real.h. The path is chosen from sizes and strides alone. All paths but dots and dot add along
// K one product after another whatever the blocks are, so neither the number of threads nor the
// cache sizes, on both of which the blocking may depend, changes a bit of the result.
#include "gemm/real.h"

#include <algorithm>
#include <utility>

#include "core/cpu.h"
#include "core/thread_pool.h"
#include "gemm/buffer.h"

namespace d2l {
namespace {

constexpr int64_t kSerial = 1 << 20;  // multiply-adds (~20 us) below which one thread does it
constexpr int64_t kChunk = 1 << 18;   // multiply-adds of a chunk
constexpr int64_t kStream = 1 << 16;  // elements of a chunk that is bound by reading them
constexpr int64_t kRowsDepth = 1024;  // K block of the path without packing
// Parts of the result, since they decide in which order sums are added up:
constexpr int64_t kDotChunk = 1 << 14;     // elements of a partial dot product
constexpr int64_t kDeep = 1 << 14;         // K from which products with few results are split,
constexpr int64_t kDeepResults = 1 << 14;  // how few these are,
constexpr int64_t kDeepBlock = 1 << 12;    // the least depth of a block
constexpr int64_t kDeepBlocks = 32;        // and the most blocks

template <class T>
void transpose(Product<T>& p) {
  std::swap(p.m, p.n);
  std::swap(p.a, p.b);
  std::swap(p.a_row, p.b_col);
  std::swap(p.a_col, p.b_row);
  std::swap(p.c_row, p.c_col);
  std::swap(p.d_row, p.d_col);
}

template <class T>
GemmTail<T> tail_of(const Product<T>& p) {
  return {p.c, p.c_row, false, true, p.alpha, p.beta, p.d, p.d_row, p.d_col};
}

// The tail of the part of C that begins at row i and column j.
template <class T>
GemmTail<T> tail_at(GemmTail<T> tail, int64_t i, int64_t j) {
  tail.c += i * tail.c_row + j;
  if (tail.d != nullptr) tail.d += i * tail.d_row + j * tail.d_col;
  return tail;
}

// C = alpha * sums + beta * D with any strides; sums are m x n side by side.
template <class T>
void write_sums(const Product<T>& p, const T* sums) {
  for (int64_t i = 0; i < p.m; ++i)
    for (int64_t j = 0; j < p.n; ++j) {
      T x = p.alpha * sums[i * p.n + j];
      if (p.d != nullptr) x += p.beta * p.d[i * p.d_row + j * p.d_col];
      p.c[i * p.c_row + j * p.c_col] = x;
    }
}

// Runs p with the raw sums in a block of their own, then writes them where p says.
template <class T>
void multiply_aside(const Product<T>& p) {
  Buffer<T> sums(p.m * p.n);
  Product<T> raw = p;
  raw.c = sums.data();
  raw.c_row = p.n;
  raw.c_col = 1;
  raw.alpha = 1;
  raw.d = nullptr;
  multiply(raw);
  if (p.c_row == 1 && p.c_col == p.m && p.alpha == 1 && p.d == nullptr)  // C transposed
    return real_kernels<T>().pack(sums.data(), p.n, 1, p.m, p.n, p.c, p.m);
  write_sums(p, sums.data());
}

template <class T>
T sum_pairwise(const T* x, int64_t n) {
  if (n == 1) return x[0];
  return sum_pairwise(x, n / 2) + sum_pairwise(x + n / 2, n - n / 2);
}

template <class T>
T strided_dot(const GemmKernels<T>& kernels, int64_t n, const T* a, int64_t a_step, const T* b,
              int64_t b_step) {
  if (a_step == 1 && b_step == 1) return kernels.dot(n, a, b);
  Buffer<T> copy(2 * n);
  T* const x = copy.data();
  T* const y = x + n;
  for (int64_t i = 0; i < n; ++i) {
    x[i] = a[i * a_step];
    y[i] = b[i * b_step];
  }
  return kernels.dot(n, x, y);
}

template <class T>
void dot(const GemmKernels<T>& kernels, const Product<T>& p) {
  T sum;
  if (p.k <= kDotChunk) {
    sum = strided_dot(kernels, p.k, p.a, p.a_col, p.b, p.b_row);
  } else {
    const int64_t chunks = divide_up(p.k, kDotChunk);
    Buffer<T> partial(chunks);
    parallel_for(chunks, kStream / kDotChunk, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t at = i * kDotChunk;
        partial.data()[i] = strided_dot(kernels, std::min(kDotChunk, p.k - at), p.a + at * p.a_col,
                                        p.a_col, p.b + at * p.b_row, p.b_row);
      }
    });
    sum = sum_pairwise(partial.data(), chunks);
  }
  sum *= p.alpha;
  *p.c = p.d == nullptr ? sum : sum + p.beta * *p.d;
}

// Few results and a deep K: blocks of K run side by side, and their sums are added pairwise, which
// keeps rounding errors small as well.
template <class T>
void deep(const Product<T>& p) {
  const int64_t most = std::min(kDeepBlocks, p.k / kDeepBlock);
  const int64_t depth = round_up(divide_up(p.k, most), 64), blocks = divide_up(p.k, depth);
  const int64_t size = p.m * p.n;
  Buffer<T> sums(blocks * size);
  parallel_for(blocks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t at = i * depth;
      multiply(Product<T>{p.m, p.n, std::min(depth, p.k - at), p.a + at * p.a_col, p.a_row, p.a_col,
                          p.b + at * p.b_row, p.b_row, p.b_col, sums.data() + i * size, p.n, 1, 1,
                          0, nullptr, 0, 0});
    }
  });
  for (int64_t step = 1; step < blocks; step *= 2)
    for (int64_t i = 0; i + step < blocks; i += 2 * step)
      for (int64_t j = 0; j < size; ++j)
        sums.data()[i * size + j] += sums.data()[(i + step) * size + j];
  write_sums(p, sums.data());
}

// A row times a matrix that lies along its rows: eight of them stream by at a time.
template <class T>
void row_times_rows(const GemmKernels<T>& kernels, const Product<T>& p) {
  const int64_t grain =
      std::clamp(round_up(kStream / p.k, kernels.width), 16 * kernels.width, int64_t{2048});
  parallel_for(p.n, grain, [&](int64_t begin, int64_t end) {
    kernels.axpy(end - begin, p.k, p.a, p.a_col, p.b + begin, p.b_row,
                 tail_at(tail_of(p), 0, begin));
  });
}

// A.B with A along its rows and B along its columns.
template <class T>
void dots(const GemmKernels<T>& kernels, const Product<T>& p) {
  const bool by_rows = p.m >= p.n;
  const int64_t line = p.k * (by_rows ? p.n : p.m);
  const int64_t grain = round_up(std::max<int64_t>(1, (p.m == 1 ? kStream : kChunk) / line), 8);
  parallel_for(by_rows ? p.m : p.n, grain, [&](int64_t begin, int64_t end) {
    const int64_t i = by_rows ? begin : 0, j = by_rows ? 0 : begin;
    kernels.dots(by_rows ? end - begin : p.m, by_rows ? p.n : end - begin, p.k, p.a + i * p.a_row,
                 p.a_row, p.b + j * p.b_col, p.b_col, tail_at(tail_of(p), i, j));
  });
}

// The same with B copied so that it lies along its columns.
template <class T>
void dots_of_copy(const GemmKernels<T>& kernels, Product<T> p) {
  const int64_t lead = round_up(p.k, kernels.width);
  Buffer<T> copy(p.n * lead);
  kernels.pack(p.b, p.b_row, p.b_col, p.k, p.n, copy.data(), lead);
  p.b = copy.data();
  p.b_row = 1;
  p.b_col = lead;
  dots(kernels, p);
}

// Products along very few elements are bound by writing C, which is best done in order.
template <class T>
void thin(const GemmKernels<T>& kernels, const Product<T>& p) {
  parallel_for(p.m, std::max<int64_t>(1, kStream / p.n), [&](int64_t begin, int64_t end) {
    GemmTail<T> tail = tail_of(p);
    for (int64_t i = begin; i < end; ++i) {
      tail.c = p.c + i * p.c_row;
      if (p.d != nullptr) tail.d = p.d + i * p.d_row;
      kernels.axpy(p.n, p.k, p.a + i * p.a_row, p.a_col, p.b, p.b_row, tail);
    }
  });
}

template <class T>
void rows_block(const GemmKernels<T>& kernels, const Product<T>& p, int64_t i, int64_t j, int64_t m,
                int64_t n) {
  GemmTail<T> tail = tail_at(tail_of(p), i, j);
  for (int64_t at = 0; at < p.k; at += kRowsDepth) {
    const int64_t k = std::min(kRowsDepth, p.k - at);
    tail.load = at > 0;
    tail.finish = at + k == p.k;
    kernels.rows(m, n, k, p.a + i * p.a_row + at * p.a_col, p.a_row, p.a_col,
                 p.b + at * p.b_row + j, p.b_row, tail);
  }
}

// Without packing. B has unit column stride.
template <class T>
void rows(const GemmKernels<T>& kernels, const Product<T>& p) {
  if (p.m * p.n * p.k <= kSerial) return rows_block(kernels, p, 0, 0, p.m, p.n);
  if (p.m >= p.n || p.n <= 2 * kernels.rows_n) {
    const int64_t grain = round_up(std::max<int64_t>(1, kChunk / (p.n * p.k)), kernels.rows_m);
    parallel_for(p.m, grain, [&](int64_t begin, int64_t end) {
      rows_block(kernels, p, begin, 0, end - begin, p.n);
    });
  } else {
    const int64_t grain = round_up(std::max<int64_t>(1, kChunk / (p.m * p.k)), kernels.rows_n);
    parallel_for(p.n, grain, [&](int64_t begin, int64_t end) {
      rows_block(kernels, p, 0, begin, p.m, end - begin);
    });
  }
}

// Without packing A; B is copied so that it gets unit column stride.
template <class T>
void rows_of_copy(const GemmKernels<T>& kernels, Product<T> p) {
  const int64_t lead = round_up(p.n, kernels.width);
  Buffer<T> copy(p.k * lead);
  kernels.pack(p.b, p.b_col, p.b_row, p.n, p.k, copy.data(), lead);
  p.b = copy.data();
  p.b_row = lead;
  p.b_col = 1;
  rows(kernels, p);
}

struct Blocks {
  int64_t mc, nc, kc;
};

// A block of A takes half of the second cache, a block of B an eighth of the third, which others
// share. Blocks are deep along K: that each tile goes on from C costs 5 % at 400 and 2 % at 1000
// elements, more than what a panel of B gains from fitting into the first cache.
template <class T>
Blocks block_sizes(const GemmKernels<T>& kernels) {
  const CacheSizes& cache = cache_sizes();
  const int64_t size = sizeof(T);
  Blocks s;
  s.kc = std::clamp<int64_t>(cache.l2 / 256, 1024, 4096) / size;
  s.mc = std::max(2 * kernels.mr, cache.l2 / 2 / (s.kc * size) / kernels.mr * kernels.mr);
  s.nc = std::clamp<int64_t>(cache.l3 / 8 / (s.kc * size), 512, 4096) / kernels.nr * kernels.nr;
  return s;
}

// The five loops around the packed kernel: columns, K, (rows, and inside the kernel file) tiles.
template <class T>
void packed(const GemmKernels<T>& kernels, const Product<T>& p) {
  const Blocks s = block_sizes(kernels);
  const int64_t mr = kernels.mr, nr = kernels.nr;
  // Blocks of rows of about the same height, at least two for each thread if there are rows enough.
  const int64_t threads = p.m * p.n * p.k <= kSerial ? 1 : num_threads();
  int64_t blocks = divide_up(p.m, s.mc);
  if (threads > 1)
    blocks = std::clamp(2 * threads, blocks, std::max(blocks, divide_up(p.m, 4 * mr)));
  const int64_t mc = round_up(divide_up(p.m, blocks), mr);
  const int64_t nc = std::min(s.nc, round_up(p.n, nr));
  const int64_t k_blocks = divide_up(p.k, s.kc);
  const int64_t kc = std::min(p.k, round_up(divide_up(p.k, k_blocks), 8));

  Buffer<T> b_block(kc * nc);
  for (int64_t jc = 0; jc < p.n; jc += nc) {
    const int64_t n = std::min(nc, p.n - jc);
    for (int64_t pc = 0; pc < p.k; pc += kc) {
      const int64_t k = std::min(kc, p.k - pc);
      const T* const b = p.b + pc * p.b_row + jc * p.b_col;
      parallel_for(divide_up(n, nr), threads == 1 ? n : std::max<int64_t>(1, kStream / (k * nr)),
                   [&](int64_t begin, int64_t end) {
                     for (int64_t j = begin * nr; j < end * nr; j += nr)
                       kernels.pack(b + j * p.b_col, p.b_col, p.b_row, std::min(nr, n - j), k,
                                    b_block.data() + j * k, nr);
                   });
      GemmTail<T> tail = tail_of(p);
      tail.load = pc > 0;
      tail.finish = pc + k == p.k;
      parallel_for(p.m, mc, [&](int64_t begin, int64_t end) {
        Buffer<T> a_block(mc * k);
        const T* const a = p.a + begin * p.a_row + pc * p.a_col;
        for (int64_t i = 0; i < end - begin; i += mr)
          kernels.pack(a + i * p.a_row, p.a_row, p.a_col, std::min(mr, end - begin - i), k,
                       a_block.data() + i * k, mr);
        kernels.packed(end - begin, n, k, a_block.data(), b_block.data(), tail_at(tail, begin, jc));
      });
    }
  }
}

}  // namespace

const GemmTable& gemm_kernels() {
  static const GemmTable table = [] {
    GemmTable t{};
    switch (isa()) {
#ifdef D2L_HAVE_AVX512
      case Isa::Avx512:
        avx512::fill_gemm_table(t);
        break;
#endif
#ifdef D2L_HAVE_AVX2
      case Isa::Avx2:
        avx2::fill_gemm_table(t);
        break;
#endif
      default:
        baseline::fill_gemm_table(t);
        break;
    }
    return t;
  }();
  return table;
}
template <>
const GemmKernels<float>& real_kernels<float>() {
  return gemm_kernels().f32;
}
template <>
const GemmKernels<double>& real_kernels<double>() {
  return gemm_kernels().f64;
}

template <class T>
void multiply(Product<T> p) {
  const GemmKernels<T>& kernels = real_kernels<T>();
  if (p.n == 1 || (p.c_col != 1 && p.c_row == 1 && p.m > 1)) transpose(p);
  if (p.n == 1) return dot(kernels, p);  // then m is 1 too
  if (p.k >= kDeep && p.m * p.n <= kDeepResults) return deep(p);
  if (p.c_col != 1) return multiply_aside(p);
  // A stride along an extent of 1 says nothing.
  if (p.k == 1) p.a_col = p.b_row = 1;
  if (p.m == 1) p.a_row = 1;

  // Sums that are left in C between blocks of K must not overwrite D.
  const bool in_place = p.d == p.c;
  const int64_t w = kernels.width;

  if (p.m == 1 && p.b_col == 1 && p.k > 1) {
    if (in_place && p.k > 8) return multiply_aside(p);
    return row_times_rows(kernels, p);
  }
  if (p.m == 1 && p.b_row == 1 && p.k > 1) {
    if (p.a_col == 1) return dots(kernels, p);
    Buffer<T> row(p.k);
    for (int64_t i = 0; i < p.k; ++i) row.data()[i] = p.a[i * p.a_col];
    p.a = row.data();
    p.a_col = 1;
    return dots(kernels, p);
  }
  // Vectors along a narrow output would leave lanes idle.
  if (p.a_col == 1 && p.k >= 8 * w && p.n < 4 * w && 5 * p.n < 4 * round_up(p.n, w)) {
    if (p.b_row == 1) return dots(kernels, p);
    if (p.m >= 16) return dots_of_copy(kernels, p);
  }
  // Nor is a B of full size worth packing for a few rows.
  if (p.a_col == 1 && p.b_row == 1 && ((p.m <= 8 && p.k >= 8 * w) || (p.m <= 32 && p.k >= 32 * w)))
    return dots(kernels, p);
  if (p.a_row == 1 && p.a_col != 1 && p.m >= 4 * w && p.n < w && 5 * p.n < 4 * w && p.k >= w) {
    transpose(p);
    return multiply_aside(p);
  }
  if (p.k <= 4 && p.b_col == 1 && p.n >= 4 * w) return thin(kernels, p);

  const bool narrow = p.n <= 200, flat = p.m <= 6 * kernels.rows_m;
  if (narrow || flat) {
    if (in_place && p.k > kRowsDepth) return multiply_aside(p);
    if (p.b_col == 1) return rows(kernels, p);
    if (narrow) return rows_of_copy(kernels, p);
  }
  if (in_place && p.k > block_sizes(kernels).kc) return multiply_aside(p);
  packed(kernels, p);
}

bool has_pairs() { return has_avx512_bf16() && gemm_kernels().packed_pairs != nullptr; }

void multiply_pairs(const Product<float>& p) {
  GemmKernels<float> kernels = real_kernels<float>();
  kernels.packed = gemm_kernels().packed_pairs;
  packed(kernels, p);
}

template void multiply<float>(Product<float>);
template void multiply<double>(Product<double>);

}  // namespace d2l
