// See windows.h. Every element of a result adds up its terms in the same order whichever thread
// computes it: sums along the window are never cut between threads, sums along the positions are
// cut into parts fixed by the sizes.
#include "gemm/windows.h"

#include <algorithm>
#include <vector>

#include "core/thread_pool.h"
#include "gemm/buffer.h"
#include "gemm/real.h"

namespace d2l {
namespace {

constexpr int64_t kChunk = 1 << 18;          // multiply-adds of a chunk
constexpr int64_t kDepth = 1024;             // terms of a window that are packed at a time
constexpr int64_t kPanelElements = 1 << 16;  // of the packed block of windows
constexpr int64_t kPositions = 1 << 9;       // positions that are packed at a time
// Parts of the result, since they decide in which order sums are added up:
constexpr int64_t kPartWork = 1 << 22;  // multiply-adds that are worth a part of their own
constexpr int64_t kParts = 16;          // the most parts

// Dimensions that follow each other without a gap become one.
void coalesce(Grid& grid, GridSteps& x, GridSteps* y) {
  if (grid.w == 1) {
    if (x.h == 1) {  // a column that lies like a row
      if (y != nullptr) y->w = y->h;
      std::swap(grid.w, grid.h);
    }
    x.w = 1;
  }
  if (grid.h == 1 || (x.h == grid.w * x.w && (y == nullptr || y->h == grid.w * y->w))) {
    grid.w *= grid.h;
    grid.h = grid.d;
    grid.d = 1;
    x.h = x.d;
    if (y != nullptr) y->h = y->d;
    if (grid.h == 1 || (x.h == grid.w * x.w && (y == nullptr || y->h == grid.w * y->w))) {
      grid.w *= grid.h;
      grid.h = 1;
    }
  }
}

// Walks the rows of the positions [begin, end) of all images: row(image, d, h, w, count, place),
// place counting from begin.
template <class Row>
void for_rows(const Grid& grid, int64_t begin, int64_t end, Row&& row) {
  int64_t line = begin / grid.w, w = begin % grid.w;
  int64_t h = line % grid.h, rest = line / grid.h;
  int64_t d = rest % grid.d, image = rest / grid.d;
  for (int64_t at = begin; at < end;) {
    const int64_t count = std::min(grid.w - w, end - at);
    row(image, d, h, w, count, at - begin);
    at += count;
    w = 0;
    if (++h == grid.h) {
      h = 0;
      if (++d == grid.d) {
        d = 0;
        ++image;
      }
    }
  }
}

inline int64_t place(const GridSteps& s, int64_t image, int64_t d, int64_t h, int64_t w) {
  return image * s.image + d * s.d + h * s.h + w * s.w;
}

// --- Sums over windows ---------------------------------------------------------------------------

// Row by row, without packing: few rows of A.
template <class T>
void sums_by_rows(const GemmKernels<T>& kernels, const WindowSums<T>& p) {
  const int64_t lines = p.grid.images * p.grid.d * p.grid.h;
  const int64_t work = std::max<int64_t>(1, p.m * p.k * p.grid.w);
  parallel_for(
      p.groups * lines, std::max<int64_t>(1, kChunk / work), [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) {
          // Groups inside an image, so that neighbours in memory are neighbours in time.
          const int64_t in_image = p.grid.d * p.grid.h;
          const int64_t image = i / (in_image * p.groups), rest = i % (in_image * p.groups);
          const int64_t group = rest / in_image, line = rest % in_image;
          const int64_t d = line / p.grid.h, h = line % p.grid.h;
          T* const y = p.y + group * p.y_group + place(p.y_steps, image, d, h, 0);
          const GemmTail<T> tail{
              y, p.y_row, false, true, 1, 1, p.bias == nullptr ? nullptr : p.bias + group * p.m,
              1, 0};
          kernels.window_rows(p.m, p.grid.w, p.k, p.a + group * p.a_group, p.a_row,
                              p.x + group * p.x_group + place(p.x_steps, image, d, h, 0), p.offsets,
                              tail);
        }
      });
}

// Terms that are packed at a time: whole runs, where there are several.
template <class T>
int64_t depth_of(const WindowSums<T>& p) {
  const int64_t depth = divide_up(p.k, divide_up(p.k, kDepth));
  return p.run < p.k ? round_up(depth, p.run) : depth;
}

template <class T>
class PackedSums {
 public:
  PackedSums(const GemmKernels<T>& kernels, const WindowSums<T>& p)
      : kernels_(kernels),
        p_(p),
        mr_(kernels.mr),
        nr_(kernels.nr),
        depth_(depth_of(p)),
        a_size_(round_up(p.m, mr_) * p.k),
        flat_(p.y_steps.w == 1 && (p.grid.h == 1 || p.y_steps.h == p.grid.w) &&
              (p.grid.d == 1 || p.y_steps.d == p.grid.w * p.grid.h)),
        a_(p.groups * a_size_) {}

  void run() {
    const int64_t tiles = divide_up(p_.m, mr_);
    parallel_for(p_.groups * tiles, std::max<int64_t>(1, (1 << 15) / (p_.k * mr_)),
                 [&](int64_t begin, int64_t end) {
                   for (int64_t i = begin; i < end; ++i) pack_rows(i / tiles, i % tiles * mr_);
                 });
    // Blocks of positions stay inside one image where images are large.
    const int64_t in_image = p_.grid.in_image(), all = p_.grid.images * in_image;
    const int64_t span = in_image >= 8 * nr_ ? in_image : all;
    const int64_t panels = divide_up(span, nr_);
    // Where A is large it is read from far away, for each block anew: then few blocks.
    const int64_t elements = p_.m > 128 ? 4 * kPanelElements : kPanelElements;
    int64_t block = std::clamp<int64_t>(elements / (depth_ * nr_), 2, 16);
    // Enough blocks for the threads: how they are cut does not change the sums.
    const int64_t wanted = num_threads() == 1 ? 1 : 2 * num_threads(),
                  spans = all / span * p_.groups;
    while (block > 1 && spans * divide_up(panels, block) < wanted) block /= 2;
    const int64_t nc = block * nr_, blocks = divide_up(span, nc);
    const int64_t work = p_.m * p_.k * std::min(nc, span);
    parallel_for(spans * blocks, std::max<int64_t>(1, kChunk / work),
                 [&](int64_t begin, int64_t end) {
                   Buffer<T> b(depth_ * nc + 64);
                   Buffer<T> aside(p_.m * nc);
                   for (int64_t i = begin; i < end; ++i) {
                     const int64_t group = i / blocks % p_.groups;
                     const int64_t from = i / (blocks * p_.groups) * span + i % blocks * nc;
                     const int64_t to = std::min(from + nc, (i / (blocks * p_.groups) + 1) * span);
                     positions(group, from, to, b.data(), aside.data());
                   }
                 });
  }

 private:
  void pack_rows(int64_t group, int64_t i) {
    const int64_t lead = round_up(p_.m, mr_), count = std::min(mr_, p_.m - i);
    const T* const from = p_.a + group * p_.a_group + i * p_.a_row;
    T* const to = a_.data() + group * a_size_;
    for (int64_t pc = 0; pc < p_.k; pc += depth_) {
      const int64_t k = std::min(depth_, p_.k - pc), run = std::min(p_.run, k);
      for (int64_t p = 0; p < k; p += run)  // blocks begin where a run does, or a run is all terms
        kernels_.pack(from + (p_.run < p_.k ? (pc + p) / run * p_.a_step : pc + p), p_.a_row, 1,
                      count, run, to + pc * lead + i * k + p * mr_, mr_);
    }
  }

  // All sums at the positions [from, to).
  void positions(int64_t group, int64_t from, int64_t to, T* b, T* aside) {
    const int64_t n = to - from, in_image = p_.grid.in_image(), image = from / in_image;
    const GridSteps& ys = p_.y_steps;
    const bool in_place = flat_ && (to - 1) / in_image == image;
    T* const y = p_.y + group * p_.y_group;
    GemmTail<T> tail{in_place ? y + image * ys.image + from % in_image : aside,
                     in_place ? p_.y_row : n,
                     false,
                     false,
                     1,
                     1,
                     p_.bias == nullptr ? nullptr : p_.bias + group * p_.m,
                     1,
                     0};
    const T* const x = p_.x + group * p_.x_group;
    const int64_t lead = round_up(p_.m, mr_);
    // The rows of A that are packed together stay in the second cache.
    const int64_t mc = std::max<int64_t>(mr_, (1 << 17) / depth_ / mr_ * mr_);
    std::vector<Run> runs;
    for (int64_t pc = 0; pc < p_.k; pc += depth_) {
      const int64_t k = std::min(depth_, p_.k - pc);
      for (int64_t j = 0; j < n; j += nr_) {
        const int64_t count = std::min(nr_, n - j);
        runs.clear();
        for_rows(p_.grid, from + j, from + j + count,
                 [&](int64_t i, int64_t d, int64_t h, int64_t w, int64_t length, int64_t first) {
                   runs.push_back({place(p_.x_steps, i, d, h, w), first, length});
                 });
        kernels_.pack_runs(x, p_.offsets + pc, k, runs.data(), static_cast<int64_t>(runs.size()),
                           count, b + j * k, nr_);
      }
      tail.load = pc > 0;
      tail.finish = pc + k == p_.k;
      for (int64_t i = 0; i < p_.m; i += mc) {
        GemmTail<T> part = tail;
        part.c += i * part.c_row;
        if (part.d != nullptr) part.d += i;
        kernels_.packed(std::min(mc, p_.m - i), n, k,
                        a_.data() + group * a_size_ + pc * lead + i * k, b, part);
      }
    }
    if (in_place) return;
    if (flat_) {  // image by image
      for (int64_t at = 0; at < n;) {
        const int64_t s = (from + at) % in_image, count = std::min(in_image - s, n - at);
        T* const base = y + (from + at) / in_image * ys.image + s;
        for (int64_t row = 0; row < p_.m; ++row)
          std::copy_n(aside + row * n + at, count, base + row * p_.y_row);
        at += count;
      }
      return;
    }
    for_rows(p_.grid, from, to,
             [&](int64_t i, int64_t d, int64_t h, int64_t w, int64_t length, int64_t first) {
               T* const base = y + place(ys, i, d, h, w);
               for (int64_t row = 0; row < p_.m; ++row) {
                 T* const out = base + row * p_.y_row;
                 const T* const in = aside + row * n + first;
                 if (ys.w == 1)
                   std::copy(in, in + length, out);
                 else
                   for (int64_t j = 0; j < length; ++j) out[j * ys.w] = in[j];
               }
             });
  }

  const GemmKernels<T>& kernels_;
  const WindowSums<T>& p_;
  const int64_t mr_, nr_, depth_, a_size_;
  const bool flat_;  // the positions of an image lie side by side in y
  Buffer<T> a_;      // for each group and block of terms: panels of mr rows
};

// --- Products of gradients and windows -----------------------------------------------------------

// The positions [from, to), added to c (m x n): one place of the window after the other.
template <class T>
void products_by_dots(const GemmKernels<T>& kernels, const WindowProducts<T>& p, int64_t group,
                      int64_t from, int64_t to, T* c) {
  const int64_t in_image = p.grid.in_image();
  std::vector<Run> runs;
  // Short enough for single sums to stay exact to the last places.
  for (int64_t at = from; at < to; at += 1 << 14) {
    runs.clear();
    for_rows(p.grid, at, std::min(to, at + (1 << 14)),
             [&](int64_t i, int64_t d, int64_t h, int64_t w, int64_t count, int64_t first) {
               const int64_t s = (at + first) % in_image;
               runs.push_back({place(p.x_steps, i, d, h, w), i * p.g_image + s, count});
             });
    for (int64_t i = 0; i < p.m; ++i)
      kernels.window_dots(p.n, p.offsets, p.x + group * p.x_group,
                          p.g + group * p.g_group + i * p.g_row, runs.data(),
                          static_cast<int64_t>(runs.size()), c + i * p.n);
  }
}

// The same with both operands packed; c is written.
template <class T>
void products_packed(const GemmKernels<T>& kernels, const WindowProducts<T>& p, int64_t group,
                     int64_t from, int64_t to, T* c) {
  const int64_t mr = kernels.mr, nr = kernels.nr, in_image = p.grid.in_image();
  const int64_t depth = std::min(kPositions, to - from);
  // As many rows of g, and as many places of the window, as the second cache holds.
  const int64_t mc = std::min(round_up(p.m, mr), std::max(mr, (1 << 17) / depth / mr * mr));
  const int64_t nc = std::min(round_up(p.n, nr), 4 * nr);
  Buffer<T> a(round_up(p.m, mr) * depth), b(nc * depth);
  std::vector<Run> runs;
  for (int64_t at = from; at < to; at += depth) {
    const int64_t k = std::min(depth, to - at);
    const T* const g = p.g + group * p.g_group;
    for (int64_t i = 0; i < p.m; i += mr)
      for (int64_t done = 0; done < k;) {  // image by image
        const int64_t image = (at + done) / in_image, s = (at + done) % in_image;
        const int64_t count = std::min(in_image - s, k - done);
        kernels.pack(g + image * p.g_image + i * p.g_row + s, p.g_row, 1, std::min(mr, p.m - i),
                     count, a.data() + i * k + done * mr, mr);
        done += count;
      }
    runs.clear();
    for_rows(p.grid, at, at + k,
             [&](int64_t i, int64_t d, int64_t h, int64_t w, int64_t count, int64_t first) {
               runs.push_back({place(p.x_steps, i, d, h, w), first, count});
             });
    for (int64_t jc = 0; jc < p.n; jc += nc) {
      const int64_t n = std::min(nc, p.n - jc);
      for (int64_t j = 0; j < n; j += nr)
        kernels.pack_turned(p.x + group * p.x_group, p.offsets + jc + j, std::min(nr, n - j),
                            runs.data(), static_cast<int64_t>(runs.size()), b.data() + j * k, nr);
      for (int64_t i = 0; i < p.m; i += mc)
        kernels.packed(std::min(mc, p.m - i), n, k, a.data() + i * k, b.data(),
                       {c + i * p.n + jc, p.n, at > from, at + k == to, 1, 0, nullptr, 0, 0});
    }
  }
}

}  // namespace

template <class T>
void window_sums(WindowSums<T> p) {
  const GemmKernels<T>& kernels = real_kernels<T>();
  coalesce(p.grid, p.x_steps, &p.y_steps);
  const int64_t w = kernels.width, vectors = divide_up(p.grid.w, w);
  // Vectors along the rows: worth it where the lanes are used, or packing would cost as much.
  const bool full = 4 * p.grid.w >= 3 * vectors * w;
  if (p.y_steps.w == 1 && (p.m <= 2 || (full && p.m <= 16))) {
    if (p.run == p.k) return sums_by_rows(kernels, p);
    Buffer<T> a(p.groups * p.m * p.k);  // small: the rows as they are read
    T* to = a.data();
    for (int64_t group = 0; group < p.groups; ++group)
      for (int64_t i = 0; i < p.m; ++i)
        for (int64_t k = 0; k < p.k; k += p.run, to += p.run)
          std::copy_n(p.a + group * p.a_group + i * p.a_row + k / p.run * p.a_step, p.run, to);
    p.a = a.data();
    p.a_group = p.m * p.k;
    p.a_row = p.run = p.k;
    return sums_by_rows(kernels, p);
  }
  PackedSums<T>(kernels, p).run();
}

template <class T>
void window_products(WindowProducts<T> p) {
  const GemmKernels<T>& kernels = real_kernels<T>();
  GridSteps steps = p.x_steps;
  // g is contiguous: rows of x that follow each other are one.
  coalesce(p.grid, steps, nullptr);
  p.x_steps = steps;
  const int64_t all = p.grid.images * p.grid.in_image();
  const bool by_dots = p.m * p.n <= 256 && (p.m <= 8 || p.n <= 8);
  // Parts of the positions, then of the groups.
  const int64_t work = std::max<int64_t>(1, p.m * p.n * all);
  const int64_t parts = std::clamp<int64_t>(
      std::min(work / kPartWork, all / kPositions) / std::max<int64_t>(1, p.groups / 4), 1,
      p.m * p.n > (1 << 20) ? 4 : kParts);
  const int64_t length = divide_up(all, parts), count = p.m * p.n;
  Buffer<T> sums(parts > 1 ? parts * p.groups * count : 1);
  T* const to = parts > 1 ? sums.data() : p.c;
  parallel_for(parts * p.groups, std::max<int64_t>(1, kChunk / (work / parts + 1)),
               [&](int64_t begin, int64_t end) {
                 for (int64_t i = begin; i < end; ++i) {
                   const int64_t from = i / p.groups * length, until = std::min(from + length, all);
                   T* const c = to + i * count;
                   std::fill(c, c + count, T(0));
                   if (from >= until) continue;
                   if (by_dots)
                     products_by_dots(kernels, p, i % p.groups, from, until, c);
                   else
                     products_packed(kernels, p, i % p.groups, from, until, c);
                 }
               });
  if (parts == 1) return;
  const int64_t total = p.groups * count;
  parallel_for(total, 1 << 14, [&](int64_t begin, int64_t end) {
    for (int64_t step = 1; step < parts; step *= 2)
      for (int64_t i = 0; i + step < parts; i += 2 * step) {
        T* const sum = to + i * total;
        const T* const other = to + (i + step) * total;
        for (int64_t j = begin; j < end; ++j) sum[j] += other[j];
      }
    std::copy(to + begin, to + end, p.c + begin);
  });
}

template void window_sums<float>(WindowSums<float>);
template void window_sums<double>(WindowSums<double>);
template void window_products<float>(WindowProducts<float>);
template void window_products<double>(WindowProducts<double>);

}  // namespace d2l
