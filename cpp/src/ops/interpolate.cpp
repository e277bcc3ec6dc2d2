// Interpolation: nearest, linear, cubic, Lanczos and area, in up to three dimensions.
//
// The one idea: all of them are separable, and along one dimension each is a sparse matrix (which
// inputs an output reads, with which weights). So there is one op, a sparse matrix times a
// dimension, whose derivative is the same op with the matrix transposed.
#include <cmath>

#include "autograd/record.h"
#include "core/thread_pool.h"
#include "d2lcore/ops.h"
#include "iter/map.h"
#include "ops/register.h"

namespace d2l {
namespace {

// Sizes stay below this, so that products of two fit.
constexpr int64_t kLargest = int64_t{1} << 31;

// Rows of a sparse matrix: row o has entries [offset[o], offset[o + 1]).
struct Taps {
  std::vector<int64_t> offset{0};
  std::vector<int64_t> index;
  std::vector<double> weight;
  void add(int64_t i, double w) {
    index.push_back(i);
    weight.push_back(w);
  }
  void end_row() { offset.push_back(static_cast<int64_t>(index.size())); }
};

// The same as tensors; weights in the dtype of the kernel, indices inside [0, columns).
struct Matrix {
  Tensor offset, index, weight;
};

Tensor int64s(const std::vector<int64_t>& v) {
  Tensor t = empty(Dims{static_cast<int64_t>(v.size())}, DType::Int64);
  std::copy(v.begin(), v.end(), t.data_as<int64_t>());
  return t;
}
Matrix matrix_of(const Taps& taps, DType type) {
  Matrix m{int64s(taps.offset), int64s(taps.index),
           empty(Dims{static_cast<int64_t>(taps.weight.size())}, type)};
  for (size_t i = 0; i < taps.weight.size(); ++i) {
    if (type == DType::Double) {
      m.weight.data_as<double>()[i] = taps.weight[i];
    } else {
      m.weight.data_as<float>()[i] = static_cast<float>(taps.weight[i]);
    }
  }
  return m;
}

// Row i of the transpose lists the outputs that read input i, in order.
Matrix transposed(const Matrix& m, int64_t columns) {
  const int64_t rows = m.offset.numel() - 1, count = m.index.numel();
  const int64_t* offset = m.offset.data_as<int64_t>();
  const int64_t* index = m.index.data_as<int64_t>();
  Matrix out{empty(Dims{columns + 1}, DType::Int64), empty(Dims{count}, DType::Int64),
             empty(Dims{count}, m.weight.dtype())};
  int64_t* begin = out.offset.data_as<int64_t>();
  std::fill(begin, begin + columns + 1, 0);
  for (int64_t k = 0; k < count; ++k) ++begin[index[k] + 1];
  for (int64_t i = 0; i < columns; ++i) begin[i + 1] += begin[i];
  std::vector<int64_t> next(begin, begin + columns);
  const int64_t size = m.weight.item_bytes();
  for (int64_t o = 0; o < rows; ++o) {
    for (int64_t k = offset[o]; k < offset[o + 1]; ++k) {
      const int64_t at = next[static_cast<size_t>(index[k])]++;
      out.index.data_as<int64_t>()[at] = o;
      std::copy_n(m.weight.data() + k * size, size, out.weight.data() + at * size);
    }
  }
  return out;
}

// The matrix times dimension `dim` of x, whose dtype is float32 or float64.
Tensor resample(const Tensor& self, int64_t dim, const Matrix& m) {
  const DType type = m.weight.dtype();
  const Tensor x = self.is_contiguous() ? self : contiguous(detach(self));
  Dims shape(x.shape());
  ResampleArgs args;
  args.n_in = shape[dim];
  args.n_out = shape[dim] = m.offset.numel() - 1;
  args.inner = 1;
  int64_t outer = 1;
  for (int64_t d = 0; d < x.dim(); ++d) {
    if (d < dim) outer *= shape[d];
    if (d > dim) args.inner *= shape[d];
  }
  Tensor out = empty(shape, type);
  args.offset = m.offset.data_as<int64_t>();
  args.index = m.index.data_as<int64_t>();
  args.weight = m.weight.data();
  const int64_t work = outer * args.inner * std::max(m.index.numel(), args.n_out);
  if (out.numel() > 0) {
    LongOp unlocked(work >= (1 << 18));
    const int64_t each = std::max<int64_t>(1, work / outer);
    const int64_t grain = work < kParallel ? outer : std::max<int64_t>(1, kGrain / each);
    parallel_for(outer, grain, [&](int64_t begin, int64_t end) {
      ResampleArgs part = args;
      part.outer = end - begin;
      part.x = x.data() + begin * args.n_in * args.inner * itemsize(type);
      part.out = out.data() + begin * args.n_out * args.inner * itemsize(type);
      kernels().resample[static_cast<int>(type)](&part);
    });
  }
  const int64_t columns = args.n_in;
  return record(out, "ResampleBackward0", {&self}, saved(m.offset, m.index, m.weight),
                [dim, columns](const Tensor& g, const Tensor& offset, const Tensor& index,
                               const Tensor& weight) {
                  return resample(g, dim, transposed({offset, index, weight}, columns));
                });
}

// at rounded down, not above `last`, also when it is no number or beyond int64.
int64_t whole(double at, int64_t last) {
  if (!(at < static_cast<double>(last))) return last;
  return at < 0 ? (at < -1e9 ? 0 : static_cast<int64_t>(std::floor(at))) : static_cast<int64_t>(at);
}

// One dimension: sizes, and the distance in the input from one output to the next.
struct Axis {
  int64_t in, out;
  double step, scale;  // scale: as given by the caller, 0 when only sizes are
  bool wide;           // positions are computed in float64 (else float32, as in PyTorch)
  double round(double x) const { return wide ? x : static_cast<double>(static_cast<float>(x)); }
};

Axis axis_of(int64_t in, int64_t out, double scale, bool align, bool wide) {
  Axis a{in, out, 0, scale, wide};
  if (align) {
    a.step =
        out > 1
            ? a.round(a.round(static_cast<double>(in - 1)) / a.round(static_cast<double>(out - 1)))
            : 0;
  } else {
    a.step = scale > 0
                 ? a.round(1 / scale)
                 : a.round(a.round(static_cast<double>(in)) / a.round(static_cast<double>(out)));
  }
  return a;
}

// The place in the input of output o.
double position(const Axis& a, int64_t o, bool align, bool cubic) {
  if (align) return a.round(a.step * a.round(static_cast<double>(o)));
  const double at = a.round(a.round(a.step * a.round(static_cast<double>(o) + 0.5)) - 0.5);
  return !cubic && at < 0 ? 0 : at;
}

Taps nearest_taps(const Axis& a, bool exact) {
  Taps t;
  const Axis narrow = axis_of(a.in, a.out, a.scale, false, false);
  const float step = static_cast<float>(narrow.step);
  for (int64_t o = 0; o < a.out; ++o) {
    const float at = (static_cast<float>(o) + (exact ? 0.5f : 0.0f)) * step;
    t.add(whole(static_cast<double>(at), a.in - 1), 1);
    t.end_row();
  }
  return t;
}

// Inputs below and above, and how far between them; no further than the last one.
Taps linear_taps(const Axis& a, bool align) {
  Taps t;
  for (int64_t o = 0; o < a.out; ++o) {
    const double at = a.in == a.out ? static_cast<double>(o) : position(a, o, align, false);
    const int64_t low = whole(at, a.in - 1);
    const double up = std::clamp(a.round(at - static_cast<double>(low)), 0.0, 1.0);
    t.add(low, a.round(1 - up));
    t.add(low + (low < a.in - 1 ? 1 : 0), up);
    t.end_row();
  }
  return t;
}

// Keys' cubic convolution (1981), with the free parameter A.
double cubic(double x, double A) {
  x = std::abs(x);
  if (x < 1) return ((A + 2) * x - (A + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * A;
  return 0;
}
double lanczos(double x) {  // three lobes
  if (x <= -3 || x >= 3) return 0;
  auto sinc = [](double z) { return z == 0 ? 1.0 : std::sin(z) / z; };
  return sinc(M_PI * x) * sinc(M_PI * x / 3);
}

Taps cubic_taps(const Axis& a, bool align) {
  Taps t;
  for (int64_t o = 0; o < a.out; ++o) {
    const double at = position(a, o, align, true);
    const int64_t low = whole(at, a.in - 1);
    const double up = std::clamp(a.round(at - static_cast<double>(low)), 0.0, 1.0);
    for (int64_t k = -1; k <= 2; ++k) {
      t.add(std::clamp<int64_t>(low + k, 0, a.in - 1), cubic(static_cast<double>(k) - up, -0.75));
    }
    t.end_row();
  }
  return t;
}

// A filter as wide as the step when it shrinks, with weights that add up to one.
template <class Filter>
Taps antialiased_taps(const Axis& a, double width, Filter filter) {
  Taps t;
  const double support = a.step >= 1 ? width / 2 * a.step : width / 2;
  const double inverse = a.step >= 1 ? 1 / a.step : 1;
  for (int64_t o = 0; o < a.out; ++o) {
    const double center = a.step * (static_cast<double>(o) + 0.5);
    const int64_t low = std::max<int64_t>(whole(center - support + 0.5, a.in), 0);
    const int64_t high = whole(center + support + 0.5, a.in);
    double total = 0;
    for (int64_t i = low; i < high; ++i) {
      const double w = filter((static_cast<double>(i) - center + 0.5) * inverse);
      t.add(i, w);
      total += w;
    }
    for (size_t k = static_cast<size_t>(t.offset.back()); k < t.weight.size() && total != 0; ++k) {
      t.weight[k] /= total;
    }
    t.end_row();
  }
  return t;
}

Taps area_taps(const Axis& a) {
  Taps t;
  for (int64_t o = 0; o < a.out; ++o) {
    const int64_t low = o * a.in / a.out, high = ((o + 1) * a.in + a.out - 1) / a.out;
    for (int64_t i = low; i < high; ++i) t.add(i, 1 / static_cast<double>(high - low));
    t.end_row();
  }
  return t;
}

Taps taps_of(InterpolateMode mode, const Axis& a, bool align, bool antialias) {
  switch (mode) {
    case InterpolateMode::Nearest:
    case InterpolateMode::NearestExact:
      return nearest_taps(a, mode == InterpolateMode::NearestExact);
    case InterpolateMode::Linear:
      if (!antialias) return linear_taps(a, align);
      return antialiased_taps(a, 2, [](double x) { return std::max(0.0, 1 - std::abs(x)); });
    case InterpolateMode::Cubic:
      if (!antialias) return cubic_taps(a, align);
      return antialiased_taps(a, 4, [](double x) { return cubic(x, -0.5); });
    case InterpolateMode::Lanczos:
      return antialiased_taps(a, 6, lanczos);
    default:
      return area_taps(a);
  }
}

}  // namespace

Tensor interpolate(const Tensor& self, IntList size, std::span<const double> scales,
                   InterpolateMode mode, bool align_corners, bool antialias) {
  const int64_t k = static_cast<int64_t>(size.size()), ndim = self.dim();
  check(ndim == k + 2, "interpolate: expected a {}-D input for {} sizes, got {}-D", k + 2, k, ndim);
  bool filled = true;
  for (int64_t d = 0; d < k; ++d) {
    const int64_t in = self->shape[d + 2], out = size[static_cast<size_t>(d)];
    filled &= in > 0 && out > 0;
    check(in < kLargest && out < kLargest, "interpolate: sizes {} and {} are too large", in, out);
  }
  check(filled, "Input and output sizes should be greater than 0, but got input {} output {}",
        self.shape().subspan(2), size);
  check(self->shape[1] > 0, "Non-empty {}D data tensor expected but got a tensor with sizes {}",
        ndim, self.shape());
  const DType type = self.dtype();
  const bool pixels = type == DType::UInt8;
  check<NotImplementedError>(is_floating(type) || pixels,
                             "\"interpolate\" not implemented for '{}'", type);
  const DType compute = type == DType::Double ? DType::Double : DType::Float;
  Tensor x = pixels ? to_dtype(self, DType::Float) : to_dtype(self, compute);
  // Shrinking dimensions first and from outside, then growing ones from inside: most of the work
  // runs along vectors, over few elements.
  std::vector<int64_t> order;
  for (int64_t d = 0; d < k; ++d) {
    if (size[static_cast<size_t>(d)] < self->shape[d + 2]) order.push_back(d);
  }
  for (int64_t d = k - 1; d >= 0; --d) {
    if (size[static_cast<size_t>(d)] >= self->shape[d + 2]) order.push_back(d);
  }
  for (int64_t d : order) {
    const size_t at = static_cast<size_t>(d);
    const double scale = at < scales.size() ? scales[at] : 0;
    const Axis a =
        axis_of(self->shape[d + 2], size[at], scale, align_corners, compute == DType::Double);
    x = resample(x, d + 2, matrix_of(taps_of(mode, a, align_corners, antialias), compute));
  }
  if (!pixels) return to_dtype(x, type);
  return to_dtype(clamp(floor(add(x, Scalar(0.5))), Scalar(0.0), Scalar(255.0)), type);
}

namespace {

Tensor interpolate_row(const Tensor& self, IntList size,
                       std::optional<std::span<const double>> scales, std::string_view mode,
                       bool align_corners, bool antialias) {
  static constexpr std::pair<std::string_view, InterpolateMode> kModes[] = {
      {"nearest", InterpolateMode::Nearest},  {"nearest-exact", InterpolateMode::NearestExact},
      {"linear", InterpolateMode::Linear},    {"bilinear", InterpolateMode::Linear},
      {"trilinear", InterpolateMode::Linear}, {"bicubic", InterpolateMode::Cubic},
      {"lanczos", InterpolateMode::Lanczos},  {"area", InterpolateMode::Area}};
  for (const auto& [name, value] : kModes) {
    if (name != mode) continue;
    return interpolate(self, size, scales.value_or(std::span<const double>()), value, align_corners,
                       antialias);
  }
  fail<NotImplementedError>("interpolate: unknown mode {}", mode);
}

}  // namespace

void register_interpolate(OpTable& ops) {
  ops.add(
      "nn.interpolate_to(Tensor input, int[] size, float[]? scales=None, str mode='nearest', bool "
      "align_corners=False, bool antialias=False) -> Tensor",
      interpolate_row, Function,
      "Resizes the dimensions behind the first two to ``size``: what ``interpolate`` calls once "
      "the "
      "sizes are known. ``scales`` are the factors they came from, if any.");
}

}  // namespace d2l
