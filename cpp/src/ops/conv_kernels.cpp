// The three products of a convolution for tensors of any dtype.
//
// float32 and float64 go to gemm/windows.h, which wants a source whose last
// dimension has unit steps and in which every window lies whole: the input
// itself where it is so, else a copy with zeros around it and, for a stride
// along the last dimension, with that dimension split into phases. The gradient
// of the input is the same sum over windows of the padded gradient, for each
// phase of the stride with those places of the kernel that reach it. Half
// precision is computed in float32; integers and complex numbers through
// gather_windows and matmul.
#include <numeric>
#include <vector>

#include "core/thread_pool.h"
#include "gemm/windows.h"
#include "iter/plan.h"
#include "ops/conv_parts.h"

namespace d2l {
namespace {

// (N, C, d, h, w) without a graph.
Tensor five(const Tensor& t, int dims) {
  Dims shape{t->shape[0], t->shape[1]}, strides{t->strides[0], t->strides[1]};
  for (int i = dims; i < 3; ++i) {
    shape.push_back(1);
    strides.push_back(1);
  }
  for (int i = 0; i < dims; ++i) {
    shape.push_back(t->shape[2 + i]);
    strides.push_back(t->strides[2 + i]);
  }
  return raw_view(t, shape, strides, t.offset());
}
Dims batched_shape(int64_t n, int64_t c, Triple in, int dims) {
  Dims shape{n, c};
  for (int i = 3 - dims; i < 3; ++i) shape.push_back(in[i]);
  return shape;
}
Tensor contiguous_raw(const Tensor& t) {
  if (t.is_contiguous()) return t;
  Tensor out = empty(t.shape(), t.dtype());
  copy_into(out, t);
  return out;
}
Tensor zero_tensor(IntList shape, DType dtype) {
  Tensor t = empty(shape, dtype);
  fill_into(t, Scalar(0));
  return t;
}

// A part of dimension `dim` (2, 3 or 4).
Tensor part(const Tensor& t, int dim, int64_t start, int64_t length, int64_t step = 1) {
  Dims shape(t.shape()), strides(t.strides());
  shape[dim] = length;
  strides[dim] *= step;
  return raw_view(t, shape, strides, t.offset() + (t.numel() ? start * t->strides[dim] : 0));
}

// What window_sums reads: a tensor, the steps of the windows, and how far apart
// the places of a window are.
struct Source {
  Tensor t;
  GridSteps steps;
  int64_t channel;
  std::array<std::vector<int64_t>, 3> at;  // offset of each place of the kernel, by dimension

  std::vector<int64_t> offsets(int64_t channels) const {
    std::vector<int64_t> out;
    out.reserve(static_cast<size_t>(channels) * at[0].size() * at[1].size() * at[2].size());
    for (int64_t c = 0; c < channels; ++c)
      for (const int64_t d : at[0])
        for (const int64_t h : at[1])
          for (const int64_t w : at[2]) out.push_back(c * channel + d + h + w);
    return out;
  }
};

// t (5-D) between `before` zeros and as many as make it `extent` long in each
// dimension; what is beyond is cut off. With step > 1 the last dimension is
// split into phases: element i of it lies at i % step * (pitch / step) + i /
// step.
template <class T>
void pad_plane(const T* from, IntList from_strides, Triple in, Triple before, T* to,
               IntList shape) {
  const int64_t left = before[2], right = std::max(left, std::min(shape[4], left + in[2]));
  for (int64_t d = 0; d < shape[2]; ++d)
    for (int64_t h = 0; h < shape[3]; ++h, to += shape[4]) {
      const int64_t sd = d - before[0], sh = h - before[1];
      if (sd < 0 || sd >= in[0] || sh < 0 || sh >= in[1]) {
        std::fill_n(to, shape[4], T(0));
        continue;
      }
      std::fill(to, to + std::min(left, shape[4]), T(0));
      if (right > left)
        std::copy_n(from + sd * from_strides[2] + sh * from_strides[3], right - left, to + left);
      if (right < shape[4]) std::fill(to + right, to + shape[4], T(0));
    }
}
// Rows of t, which have unit steps, between zeros, written once.
Tensor pad_rows(const Tensor& t, Triple before, const Dims& shape) {
  Tensor out = empty(shape, t.dtype());
  const int64_t channels = shape[1], plane = shape[2] * shape[3] * shape[4];
  const Triple in{t->shape[2], t->shape[3], t->shape[4]};
  const auto planes = [&](auto* to, const auto* from) {
    parallel_for(shape[0] * channels, std::max<int64_t>(1, (1 << 16) / plane),
                 [&](int64_t begin, int64_t end) {
                   for (int64_t i = begin; i < end; ++i)
                     pad_plane(from + i / channels * t->strides[0] + i % channels * t->strides[1],
                               t.strides(), in, before, to + i * plane, shape);
                 });
  };
  if (t.item_bytes() == 4)
    planes(out.data_as<float>(), t.data_as<const float>());
  else
    planes(out.data_as<double>(), t.data_as<const double>());
  return out;
}

struct Room {
  Tensor t;
  int64_t phase;  // pitch / step
};
Room make_room(const Tensor& t, Triple before, Triple extent, int64_t step) {
  const int64_t phase = (extent[2] + step - 1) / step;
  Dims shape{t->shape[0], t->shape[1], extent[0], extent[1], phase * step};
  checked_numel(shape);
  if (step == 1 && t->strides[4] == 1) return {pad_rows(t, before, shape), phase};
  bool full = phase * step == extent[2];
  for (int i = 0; i < 3; ++i) full = full && before[i] == 0 && extent[i] <= t->shape[2 + i];
  Room room{full ? empty(shape, t.dtype()) : zero_tensor(shape, t.dtype()), phase};
  Tensor from = t, to = room.t;
  for (int i = 0; i < 2; ++i) {
    const int64_t count = std::min(extent[i] - before[i], t->shape[2 + i]);
    if (count <= 0) return room;
    from = part(from, 2 + i, 0, count);
    to = part(to, 2 + i, before[i], count);
  }
  for (int64_t f = 0; f < step; ++f) {
    // Elements f, f + step, ... of the padded dimension, of which [first, last)
    // are there.
    const int64_t first = before[2] <= f ? 0 : (before[2] - f + step - 1) / step;
    const int64_t end = std::min(extent[2], before[2] + t->shape[4]);
    const int64_t last = end <= f ? 0 : (end - f + step - 1) / step;
    if (last <= first) continue;
    copy_into(part(to, 4, f * phase + first, last - first),
              part(from, 4, first * step + f - before[2], last - first, step));
  }
  return room;
}

Source source_of(const Tensor& x, Triple kernel, Triple out, const Windows& p) {
  Tensor t = five(x, p.dims);
  Triple stride = p.stride, extent;
  bool as_it_is = true;
  for (int i = 0; i < 3; ++i) {
    if (kernel[i] == 1 && p.padding[i] == 0 && stride[i] > 1) {  // only every stride-th is read
      t = part(t, 2 + i, 0, out[i], stride[i]);
      stride[i] = 1;
    }
    extent[i] = (out[i] - 1) * stride[i] + p.dilation[i] * (kernel[i] - 1) + 1;
    as_it_is = as_it_is && p.padding[i] == 0;
  }
  as_it_is = as_it_is && stride[2] == 1 && (t->strides[4] == 1 || t->shape[4] == 1);
  int64_t phase = 1;
  if (!as_it_is) {
    const Room room = make_room(t, p.padding, extent, stride[2]);
    t = room.t;
    phase = room.phase;
  }
  Source s{t,
           {t->strides[0], stride[0] * t->strides[2], stride[1] * t->strides[3], 1},
           t->strides[1],
           {}};
  for (int i = 0; i < 2; ++i)
    for (int64_t k = 0; k < kernel[i]; ++k)
      s.at[i].push_back(k * p.dilation[i] * t->strides[2 + i]);
  for (int64_t k = 0; k < kernel[2]; ++k) {
    const int64_t w = k * p.dilation[2];
    s.at[2].push_back(w % stride[2] * phase + w / stride[2]);
  }
  return s;
}

template <class T>
Tensor forward(const Tensor& x, const Tensor& w, const Tensor& bias, Triple out, const Windows& p) {
  const Triple kernel = spatial(w.shape(), p.dims);
  const int64_t n = x->shape[0], o = w->shape[0], channels = w->shape[1];
  Tensor y = empty(batched_shape(n, o, out, p.dims), x.dtype());
  const Tensor weight = contiguous_raw(w);
  const Source s = source_of(x, kernel, out, p);
  const std::vector<int64_t> offsets = s.offsets(channels);
  const int64_t area = product(out), m = o / p.groups;
  LongOp unlocked(y.numel() * static_cast<int64_t>(offsets.size()) > (1 << 20));
  window_sums<T>({p.groups,
                  m,
                  static_cast<int64_t>(offsets.size()),
                  weight.data_as<T>(),
                  m * static_cast<int64_t>(offsets.size()),
                  static_cast<int64_t>(offsets.size()),
                  static_cast<int64_t>(offsets.size()),
                  0,
                  offsets.data(),
                  {n, out[0], out[1], out[2]},
                  s.t.data_as<T>(),
                  s.steps,
                  channels * s.channel,
                  y.data_as<T>(),
                  {o * area, out[1] * out[2], out[2], 1},
                  m * area,
                  area,
                  bias.defined() ? bias.data_as<T>() : nullptr});
  return y;
}

// The places k of the kernel that reach the positions a, a + stride, ... of the
// input, and the position in g from which the first of these positions is
// reached: (a + padding - k dilation) / stride.
struct Phase {
  int64_t first = 0, step = 1;  // places first, first + step, ...
  std::vector<int64_t> shift;   // one for each
};
Phase phase_of(int64_t a, int64_t kernel, int64_t stride, int64_t padding, int64_t dilation) {
  Phase out;
  out.step = stride / std::gcd(stride, dilation);
  out.first = kernel;
  for (int64_t k = 0; k < std::min(kernel, out.step); ++k)
    if ((a + padding - k * dilation) % stride == 0) out.first = std::min(out.first, k);
  for (int64_t k = out.first; k < kernel; k += out.step)
    out.shift.push_back((a + padding - k * dilation) / stride);
  return out;
}

std::vector<int64_t> sums_of(const std::array<std::vector<int64_t>, 3>& places) {
  std::vector<int64_t> out;
  for (const int64_t d : places[0])
    for (const int64_t h : places[1])
      for (const int64_t v : places[2]) out.push_back(d + h + v);
  return out;
}

// Those places of the weight (groups x O, C, places), as (groups, C, O,
// places): channels change places in blocks, so that both sides are met in
// whole cache lines.
template <class T>
Tensor turned(const Tensor& w, int64_t groups, const std::vector<int64_t>& from) {
  constexpr int64_t kBlock = 16;
  const int64_t m = w->shape[0] / groups, c = w->shape[1], n = static_cast<int64_t>(from.size());
  const int64_t blocks = (c + kBlock - 1) / kBlock;
  const int64_t step = w->shape[2] * w->shape[3] * w->shape[4];
  Tensor out = empty(Dims{groups, c, m, n}, w.dtype());
  parallel_for(groups * blocks, std::max<int64_t>(1, (1 << 15) / (kBlock * m * n)),
               [&](int64_t begin, int64_t end) {
                 for (int64_t i = begin; i < end; ++i) {
                   const int64_t group = i / blocks, first = i % blocks * kBlock;
                   const int64_t last = std::min(first + kBlock, c);
                   for (int64_t o = 0; o < m; ++o)
                     for (int64_t j = first; j < last; ++j) {
                       const T* const x = w.data_as<T>() + ((group * m + o) * c + j) * step;
                       T* const y = out.data_as<T>() + ((group * c + j) * m + o) * n;
                       for (int64_t k = 0; k < n; ++k) y[k] = x[from[k]];
                     }
                 }
               });
  return out;
}

template <class T>
Tensor data(const Tensor& g0, const Tensor& w0, const Tensor& bias, Triple in, const Windows& p) {
  const Triple kernel = spatial(w0.shape(), p.dims);
  const int64_t n = g0->shape[0], o = w0->shape[0], c = w0->shape[1], m = o / p.groups;
  Tensor x = empty(batched_shape(n, c * p.groups, in, p.dims), g0.dtype());
  if (x.numel() == 0) return x;
  Tensor g = five(g0, p.dims);
  const Tensor w = five(contiguous_raw(w0), p.dims);

  std::array<std::vector<Phase>, 3> phases;
  Triple before{0, 0, 0}, after{0, 0, 0};
  bool gaps = false, as_it_is = g->strides[4] == 1 || g->shape[4] == 1;
  for (int i = 0; i < 3; ++i)
    for (int64_t a = 0; a < std::min(p.stride[i], in[i]); ++a) {
      Phase phase = phase_of(a, kernel[i], p.stride[i], p.padding[i], p.dilation[i]);
      gaps = gaps || phase.shift.empty();
      const int64_t count = (in[i] - a + p.stride[i] - 1) / p.stride[i];
      for (const int64_t s : phase.shift) {
        before[i] = std::max(before[i], -s);
        after[i] = std::max(after[i], s + count - g->shape[2 + i]);
      }
      phases[i].push_back(std::move(phase));
    }
  Triple extent;
  for (int i = 0; i < 3; ++i) {
    extent[i] = before[i] + g->shape[2 + i] + after[i];
    as_it_is = as_it_is && before[i] == 0 && after[i] == 0;
  }
  if (!as_it_is) g = make_room(g, before, extent, 1).t;
  if (gaps) {  // positions that no window reaches
    if (bias.defined()) {
      Dims shape(static_cast<int>(x.dim()), 1), strides(static_cast<int>(x.dim()), 0);
      shape[1] = c * p.groups;
      strides[1] = 1;
      copy_into(x, raw_view(bias, shape, strides, bias.offset()));
    } else {
      fill_into(x, Scalar(0));
    }
  }
  const int64_t row = in[2], area = in[1] * in[2], volume = product(in);
  LongOp unlocked(g0.numel() * c * product(kernel) > (1 << 20));
  for (size_t d = 0; d < phases[0].size(); ++d)
    for (size_t h = 0; h < phases[1].size(); ++h)
      for (size_t v = 0; v < phases[2].size(); ++v) {
        const Phase* const three[3] = {&phases[0][d], &phases[1][h], &phases[2][v]};
        const int64_t a[3] = {static_cast<int64_t>(d), static_cast<int64_t>(h),
                              static_cast<int64_t>(v)};
        // The places of the kernel that reach this phase.
        std::array<std::vector<int64_t>, 3> places;
        int64_t count[3];
        Source s{g, {g->strides[0], g->strides[2], g->strides[3], 1}, g->strides[1], {}};
        for (int i = 0; i < 3; ++i) {
          const Phase& ph = *three[i];
          count[i] = (in[i] - a[i] + p.stride[i] - 1) / p.stride[i];
          for (size_t k = 0; k < ph.shift.size(); ++k) {
            s.at[i].push_back((ph.shift[k] + before[i]) * (i == 2 ? 1 : g->strides[2 + i]));
            places[i].push_back((ph.first + static_cast<int64_t>(k) * ph.step) * w->strides[2 + i]);
          }
        }
        if (places[0].empty() || places[1].empty() || places[2].empty()) continue;
        const std::vector<int64_t> offsets = s.offsets(m), from = sums_of(places);
        const int64_t terms = static_cast<int64_t>(offsets.size());
        const int64_t run = static_cast<int64_t>(from.size()), whole = product(kernel);
        // Places side by side are packed from where they lie, others in an order of their own.
        const bool direct = run >= 4 && from.back() - from.front() == run - 1;
        const Tensor weight = direct ? w : turned<T>(w, p.groups, from);
        window_sums<T>({p.groups,
                        c,
                        terms,
                        weight.data_as<T>() + (direct ? from[0] : 0),
                        m * c * (direct ? whole : run),
                        direct ? whole : terms,
                        direct ? run : terms,
                        direct ? c * whole : 0,
                        offsets.data(),
                        {n, count[0], count[1], count[2]},
                        g.data_as<T>(),
                        s.steps,
                        m * s.channel,
                        x.data_as<T>() + a[0] * area + a[1] * row + a[2],
                        {c * p.groups * volume, p.stride[0] * area, p.stride[1] * row, p.stride[2]},
                        c * volume,
                        volume,
                        bias.defined() ? bias.data_as<T>() : nullptr});
      }
  return x;
}

template <class T>
Tensor weight(const Tensor& x, const Tensor& g0, Triple kernel, const Windows& p) {
  const int64_t n = x->shape[0], c = x->shape[1] / p.groups, o = g0->shape[1], m = o / p.groups;
  const Triple out = spatial(g0.shape(), p.dims);
  Tensor w = empty(batched_shape(o, c, kernel, p.dims), x.dtype());
  const Tensor g = contiguous_raw(g0);
  const Source s = source_of(x, kernel, out, p);
  const std::vector<int64_t> offsets = s.offsets(c);
  const int64_t area = product(out);
  LongOp unlocked(g.numel() * static_cast<int64_t>(offsets.size()) > (1 << 20));
  window_products<T>({p.groups,
                      m,
                      static_cast<int64_t>(offsets.size()),
                      offsets.data(),
                      {n, out[0], out[1], out[2]},
                      s.t.data_as<T>(),
                      s.steps,
                      c * s.channel,
                      g.data_as<T>(),
                      o * area,
                      m * area,
                      area,
                      w.data_as<T>()});
  return w;
}

// --- Other dtypes
// --------------------------------------------------------------------------------

// (N, groups, C kernel, positions) and (N, groups, O, positions) as batches of
// matrices.
Tensor columns(const Tensor& x, Triple kernel, Triple out, const Windows& p) {
  const Tensor all = gather_windows(x, kernel, out, p);
  const int64_t k = x->shape[1] / p.groups * product(kernel);
  return reshape(all,
                 Dims{x->shape[0], p.groups, k, all->shape[5] * all->shape[6] * all->shape[7]});
}
Tensor by_group(const Tensor& y, const Windows& p) {
  int64_t area = 1;
  for (int64_t i = 2; i < y.dim(); ++i) area *= y->shape[i];
  return reshape(y, Dims{y->shape[0], p.groups, y->shape[1] / p.groups, area});
}
Tensor matrices(const Tensor& w, const Windows& p) {
  int64_t k = 1;
  for (int64_t i = 1; i < w.dim(); ++i) k *= w->shape[i];
  return reshape(w, Dims{p.groups, w->shape[0] / p.groups, k});
}
Tensor with_bias(const Tensor& y, const Tensor& bias) {
  if (!bias.defined()) return y;
  Dims shape(static_cast<int>(y.dim()), 1);
  shape[1] = bias->shape[0];
  return add(y, reshape(bias, shape));
}

Tensor any_forward(const Tensor& x, const Tensor& w, const Tensor& bias, Triple out,
                   const Windows& p) {
  const Triple kernel = spatial(w.shape(), p.dims);
  const Tensor y = matmul(matrices(w, p), columns(x, kernel, out, p));
  return with_bias(shaped(y, batched_shape(x->shape[0], w->shape[0], out, p.dims)), bias);
}
Tensor any_data(const Tensor& g, const Tensor& w, const Tensor& bias, Triple in, const Windows& p) {
  const Triple kernel = spatial(w.shape(), p.dims), out = spatial(g.shape(), p.dims);
  const Tensor all = matmul(mT(matrices(w, p)), by_group(g, p));
  const Tensor windows =
      contiguous_raw(reshape(all, Dims{g->shape[0], w->shape[1] * p.groups, kernel[0], kernel[1],
                                       kernel[2], out[0], out[1], out[2]}));
  return with_bias(add_windows(windows, in, p), bias);
}
Tensor any_weight(const Tensor& x, const Tensor& g, Triple kernel, const Windows& p) {
  const Triple out = spatial(g.shape(), p.dims);
  const Tensor all = matmul(by_group(g, p), mT(columns(x, kernel, out, p)));
  const int64_t first[1] = {0};
  return shaped(sum(all, IntList(first), false, all.dtype()),
                batched_shape(g->shape[1], x->shape[1] / p.groups, kernel, p.dims));
}

template <class F>
Tensor as_float(const Tensor& a, const Tensor& b, const Tensor& bias, F f) {
  const DType type = a.dtype();
  return to_dtype(f(to_dtype(a, DType::Float), to_dtype(b, DType::Float),
                    bias.defined() ? to_dtype(bias, DType::Float) : bias),
                  type);
}

}  // namespace

Tensor raw_conv_forward(const Tensor& x, const Tensor& w, const Tensor& bias0, Triple out,
                        const Windows& p) {
  GradModeGuard off(false);
  const Tensor bias = bias0.defined() ? contiguous_raw(bias0) : bias0;
  if (x.numel() == 0 || w.numel() == 0) {
    const Tensor y = zero_tensor(batched_shape(x->shape[0], w->shape[0], out, p.dims), x.dtype());
    return with_bias(y, bias);
  }
  if (is_reduced_floating(x.dtype()))
    return as_float(x, w, bias, [&](const Tensor& a, const Tensor& b, const Tensor& c) {
      return forward<float>(a, b, c, out, p);
    });
  if (x.dtype() == DType::Float) return forward<float>(x, w, bias, out, p);
  if (x.dtype() == DType::Double) return forward<double>(x, w, bias, out, p);
  return any_forward(x, w, bias, out, p);
}

Tensor raw_conv_data(const Tensor& g, const Tensor& w, const Tensor& bias0, Triple in,
                     const Windows& p) {
  GradModeGuard off(false);
  const Tensor bias = bias0.defined() ? contiguous_raw(bias0) : bias0;
  if (g.numel() == 0 || w.numel() == 0) {
    const Tensor x =
        zero_tensor(batched_shape(g->shape[0], w->shape[1] * p.groups, in, p.dims), g.dtype());
    return with_bias(x, bias);
  }
  if (is_reduced_floating(g.dtype()))
    return as_float(g, w, bias, [&](const Tensor& a, const Tensor& b, const Tensor& c) {
      return data<float>(a, b, c, in, p);
    });
  if (g.dtype() == DType::Float) return data<float>(g, w, bias, in, p);
  if (g.dtype() == DType::Double) return data<double>(g, w, bias, in, p);
  return any_data(g, w, bias, in, p);
}

Tensor raw_conv_weight(const Tensor& x, const Tensor& g, Triple kernel, const Windows& p) {
  GradModeGuard off(false);
  if (x.numel() == 0 || g.numel() == 0)
    return zero_tensor(batched_shape(g->shape[1], x->shape[1] / p.groups, kernel, p.dims),
                       x.dtype());
  if (is_reduced_floating(x.dtype()))
    return as_float(x, g, Tensor(), [&](const Tensor& a, const Tensor& b, const Tensor&) {
      return weight<float>(a, b, kernel, p);
    });
  if (x.dtype() == DType::Float) return weight<float>(x, g, kernel, p);
  if (x.dtype() == DType::Double) return weight<double>(x, g, kernel, p);
  return any_weight(x, g, kernel, p);
}

}  // namespace d2l
