// Sums over the windows of a tensor: the two products that a convolution and its gradients are.
//
// The one idea: the matrix whose column s holds the window at position s is never made. Its element
// (p, s) lies at base(s) + offsets[p], so packing reads it from the tensor itself through a table
// of offsets, and the packed kernels of gemm/ do the rest. Padding has to be in the tensor; the
// last dimension has unit steps (the caller splits a strided one into its phases).
#pragma once

#include <cstdint>

namespace d2l {

// The positions of a window, in row-major order.
struct Grid {
  int64_t images, d, h, w;
  int64_t in_image() const { return d * h * w; }
};
// How far apart neighbouring positions lie in a tensor, in elements.
struct GridSteps {
  int64_t image, d, h, w;
};

// y[group, i, s] = sum over p of a[group, i, p] * x[group, base(s) + offsets[p]] + bias[group, i].
template <class T>
struct WindowSums {
  int64_t groups, m, k;
  // Term p of row i of a group lies at a + group * a_group + i * a_row + p / run * a_step + p %
  // run.
  const T* a;
  int64_t a_group, a_row, run, a_step;
  const int64_t* offsets;  // k
  Grid grid;
  const T* x;
  GridSteps x_steps;  // w is 1 (or the grid's w is)
  int64_t x_group;
  T* y;
  GridSteps y_steps;
  int64_t y_group, y_row;
  const T* bias;  // groups x m, or null
};
template <class T>
void window_sums(WindowSums<T> args);

// c[group, i, j] = sum over s of g[group, i, s] * x[group, base(s) + offsets[j]]. Long sums are cut
// into parts that depend on the sizes alone.
template <class T>
struct WindowProducts {
  int64_t groups, m, n;
  const int64_t* offsets;  // n
  Grid grid;
  const T* x;
  GridSteps x_steps;  // w is 1
  int64_t x_group;
  const T* g;  // the positions of an image are contiguous
  int64_t g_image, g_group, g_row;
  T* c;  // groups x m x n, contiguous
};
template <class T>
void window_products(WindowProducts<T> args);

extern template void window_sums<float>(WindowSums<float>);
extern template void window_sums<double>(WindowSums<double>);
extern template void window_products<float>(WindowProducts<float>);
extern template void window_products<double>(WindowProducts<double>);

}  // namespace d2l
