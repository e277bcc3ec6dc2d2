// What the files of the convolution chapter share.
#pragma once

#include <array>

#include "autograd/record.h"
#include "d2lcore/ops.h"
#include "iter/map.h"
#include "ops/register.h"

namespace d2l {

// The three dimensions over which windows move; missing ones come first and have extent 1.
using Triple = std::array<int64_t, 3>;

// How the windows of a convolution lie. A plain value, so that formulas may capture it.
struct Windows {
  int dims = 0;  // 1, 2 or 3
  Triple stride{1, 1, 1}, padding{0, 0, 0}, dilation{1, 1, 1};
  int64_t groups = 1;
};

// The last `dims` extents of a shape.
Triple spatial(IntList shape, int dims);

// The three linear maps that a convolution is made of, each the derivative of the others.
// x: (N, C, in...), w: (O, C / groups, kernel...), y: (N, O, out...). All batched and checked.
// bias (O) or undefined.
// `out` is how many windows there are: as many as fit, but for the derivative of a transposed
// convolution whose output_padding is larger than its stride.
Tensor conv_forward(const Tensor& x, const Tensor& w, const Tensor& bias, Triple out,
                    const Windows& p);
// The gradient of x, of which `in` is the spatial part: also the transposed convolution, whose bias
// has C elements.
Tensor conv_data(const Tensor& g, const Tensor& w, const Tensor& bias, Triple in, const Windows& p);
// The gradient of w, of which `kernel` is the spatial part.
Tensor conv_weight(const Tensor& x, const Tensor& g, Triple kernel, const Windows& p);

// The same as plain computations without a graph (conv_kernels.cpp).
Tensor raw_conv_forward(const Tensor& x, const Tensor& w, const Tensor& bias, Triple out,
                        const Windows& p);
Tensor raw_conv_data(const Tensor& g, const Tensor& w, const Tensor& bias, Triple in,
                     const Windows& p);
Tensor raw_conv_weight(const Tensor& x, const Tensor& g, Triple kernel, const Windows& p);

// How many windows fit: (n + 2 padding - dilation (kernel - 1) - 1) / stride + 1 for each
// dimension.
Triple window_counts(Triple in, Triple kernel, const Windows& p);
// `out` windows of x (N, C, in...), of any dtype: (N, C, kernel (3), out (3)), contiguous.
Tensor gather_windows(const Tensor& x, Triple kernel, Triple out, const Windows& p);
// Its adjoint: adds windows (N, C, kernel (3), out (3)) up where they came from.
Tensor add_windows(const Tensor& windows, Triple in, const Windows& p);

// One value, or as many as there are dimensions, right-aligned in a triple.
Triple triple_of(IntList values, int dims, int64_t missing);

inline IntList list(const Triple& t) { return IntList(t.data(), t.size()); }
inline int64_t product(const Triple& t) { return t[0] * t[1] * t[2]; }

// A contiguous tensor in another shape, with no place in the graph.
inline Tensor shaped(const Tensor& t, IntList shape) {
  return raw_view(t, shape, contiguous_strides(shape), t.offset());
}

void register_conv_grid(OpTable& ops);
void register_conv_shuffle(OpTable& ops);
void register_conv_unfold(OpTable& ops);

}  // namespace d2l
