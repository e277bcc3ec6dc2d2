// Windows as a tensor of their own: what unfold and fold are, and what convolutions of integers and
// complex numbers are computed with.
//
// The one idea: the windows are a strided view of the padded input, so gathering them is one copy,
// and adding them up again is one addition for each place of the window.
#include <algorithm>

#include "ops/conv_parts.h"

namespace d2l {

Triple spatial(IntList shape, int dims) {
  Triple out{1, 1, 1};
  for (int i = 0; i < dims; ++i) out[3 - dims + i] = shape[shape.size() - dims + i];
  return out;
}

Triple triple_of(IntList values, int dims, int64_t missing) {
  Triple out{missing, missing, missing};
  for (int i = 0; i < dims; ++i) out[3 - dims + i] = values[values.size() == 1 ? 0 : i];
  return out;
}

__extension__ typedef __int128 Wide;

Triple window_counts(Triple in, Triple kernel, const Windows& p) {
  Triple out;
  for (int i = 0; i < 3; ++i) {
    // In 128 bits: sizes and windows may be any numbers that a caller wrote.
    const Wide room =
        Wide{in[i]} + 2 * Wide{p.padding[i]} - Wide{p.dilation[i]} * (Wide{kernel[i]} - 1) - 1;
    const Wide count = room < 0 ? 0 : room / p.stride[i] + 1;
    out[i] = static_cast<int64_t>(std::min(count, Wide{1} << 62));
  }
  return out;
}

namespace {

// Zeros around the spatial part of (N, C, d, h, w) in the shape that the windows reach.
struct Padded {
  Tensor all;   // (N, C, in + 2 padding)
  Tensor core;  // the part that holds the input
};
Padded padded(int64_t n, int64_t c, Triple in, const Windows& p, DType dtype) {
  Dims shape{n, c};
  for (int i = 0; i < 3; ++i) shape.push_back(in[i] + 2 * p.padding[i]);
  checked_numel(shape);
  Options options;
  options.dtype = dtype;
  Padded out{zeros(shape, options), {}};
  int64_t offset = 0;
  for (int i = 0; i < 3; ++i) offset += p.padding[i] * out.all->strides[2 + i];
  out.core = raw_view(out.all, Dims{n, c, in[0], in[1], in[2]}, out.all.strides(),
                      out.all.numel() ? offset : 0);
  return out;
}

// (N, C, kernel (3), out (3)) as a view of the padded tensor.
Tensor windows_of(const Tensor& all, Triple kernel, Triple out, const Windows& p) {
  Dims shape{all->shape[0], all->shape[1]}, strides{all->strides[0], all->strides[1]};
  for (int i = 0; i < 3; ++i) {
    shape.push_back(kernel[i]);
    strides.push_back(all->strides[2 + i] * p.dilation[i]);
  }
  for (int i = 0; i < 3; ++i) {
    shape.push_back(out[i]);
    strides.push_back(all->strides[2 + i] * p.stride[i]);
  }
  return raw_view(all, shape, strides, all.offset());
}

}  // namespace

Tensor gather_windows(const Tensor& x, Triple kernel, Triple out_size, const Windows& p) {
  const Triple in = spatial(x.shape(), p.dims);
  const Padded room = padded(x->shape[0], x->shape[1], in, p, x.dtype());
  copy_into(room.core, reshape(detach(x), room.core.shape()));
  const Tensor view = windows_of(room.all, kernel, out_size, p);
  Tensor out = empty(view.shape(), x.dtype());
  copy_into(out, view);
  return out;
}

Tensor add_windows(const Tensor& windows, Triple in, const Windows& p) {
  const DType type = windows.dtype(), wide = is_reduced_floating(type) ? DType::Float : type;
  const Padded room = padded(windows->shape[0], windows->shape[1], in, p, wide);
  const Triple kernel{windows->shape[2], windows->shape[3], windows->shape[4]};
  const Triple out{windows->shape[5], windows->shape[6], windows->shape[7]};
  if (windows.numel() > 0) {
    const Tensor to = windows_of(room.all, kernel, out, p);
    const Dims shape{to->shape[0], to->shape[1], out[0], out[1], out[2]};
    const auto at = [&](const Tensor& t, int64_t d, int64_t h, int64_t w) {
      const Dims strides{t->strides[0], t->strides[1], t->strides[5], t->strides[6], t->strides[7]};
      return raw_view(t, shape, strides,
                      t.offset() + d * t->strides[2] + h * t->strides[3] + w * t->strides[4]);
    };
    for (int64_t d = 0; d < kernel[0]; ++d)
      for (int64_t h = 0; h < kernel[1]; ++h)
        for (int64_t w = 0; w < kernel[2]; ++w) {
          const Tensor sum = at(to, d, h, w), part = at(windows, d, h, w);
          map_as("add", Loop::add, wide, wide, Dst::inplace(sum), {&sum, &part});
        }
  }
  Dims shape{windows->shape[0], windows->shape[1]};
  for (int i = 3 - p.dims; i < 3; ++i) shape.push_back(in[i]);
  Tensor result = empty(shape, type);
  copy_into(reshape(result, room.core.shape()), room.core);
  return result;
}

}  // namespace d2l
