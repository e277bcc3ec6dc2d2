// Padding: by a constant, or by what the tensor holds near its ends (reflect, replicate, circular).
//
// The one idea of the latter: the interior is copied, then one dimension after the other gets its
// borders, each a selection of slices that are there already. The gradient goes the same way back,
// adding each border to the slices it came from.
#include "autograd/record.h"
#include "d2lcore/ops.h"
#include "iter/map.h"
#include "ops/register.h"

namespace d2l {
namespace {

// Elements [start, start + length) along d, outside of the graph.
Tensor cut(const Tensor& t, int64_t d, int64_t start, int64_t length) {
  Dims shape(t.shape());
  shape[d] = length;
  return raw_view(t, shape, t.strides(), t.offset() + start * t->strides[d]);
}

// Amounts before and after each dimension; pad lists them from the last dimension on.
struct Amounts {
  Dims before, after;
};
Amounts amounts(IntList pad, int64_t ndim) {
  Amounts a{Dims(static_cast<int>(ndim), 0), Dims(static_cast<int>(ndim), 0)};
  for (size_t i = 0; i + 1 < pad.size(); i += 2) {
    const int64_t d = ndim - 1 - static_cast<int64_t>(i / 2);
    a.before[d] = pad[i];
    a.after[d] = pad[i + 1];
  }
  return a;
}

int64_t padded(int64_t size, int64_t before, int64_t after) {
  int64_t out;
  check(!__builtin_add_overflow(size, before, &out) && !__builtin_add_overflow(out, after, &out),
        "pad: a size of {} and padding of ({}, {}) overflow", size, before, after);
  return out;
}

enum class PadMode : uint8_t { Reflect, Replicate, Circular };

// Where the element `i` before (i < 0) or behind (i >= n) a dimension of n comes from.
int64_t source(PadMode mode, int64_t i, int64_t n) {
  switch (mode) {
    case PadMode::Reflect:
      return i < 0 ? -i : 2 * (n - 1) - i;
    case PadMode::Replicate:
      return i < 0 ? 0 : n - 1;
    default:
      return i < 0 ? i + n : i - n;
  }
}

// The sources of elements [first, first + count), relative to the interior of n.
Tensor sources(PadMode mode, int64_t first, int64_t count, int64_t n) {
  Tensor out = empty(Dims{count}, DType::Int64);
  int64_t* p = out.data_as<int64_t>();
  for (int64_t i = 0; i < count; ++i) p[i] = source(mode, first + i, n);
  return out;
}

struct EdgePlan {
  PadMode mode;
  Dims before, after;  // not negative
  Dims shape;          // of the input
};

// The adjoint: the gradient of the interior, with those of the borders added to their sources.
Tensor edge_pad(const Tensor& self, const EdgePlan& plan);
Tensor edge_pad_backward(const Tensor& grad, const EdgePlan& plan) {
  Tensor g = grad;
  {
    GradModeGuard off(false);
    for (int64_t d = 0; d < g.dim(); ++d) {
      const int64_t n = plan.shape[d], before = plan.before[d], after = plan.after[d];
      Tensor inner = cut(g, d, before, n);
      if (before + after > 0) {
        inner = clone(inner);
        for (const auto& [at, first, count] :
             {std::array{int64_t{0}, -before, before}, std::array{before + n, n, after}}) {
          if (count == 0) continue;
          inner = index_add(inner, d, sources(plan.mode, first, count, n), cut(g, d, at, count),
                            Scalar(1), Dst::inplace(inner));
        }
      }
      g = inner;
    }
    g = g.is_contiguous() ? g : contiguous(g);
  }
  return record(g, "EdgePadBackwardBackward0", {&grad}, saved(),
                [plan](const Tensor& gg) { return edge_pad(gg, plan); });
}

const char* edge_node(PadMode mode, int64_t dims) {
  static constexpr const char* kNames[2][3] = {
      {"ReflectionPad1DBackward0", "ReflectionPad2DBackward0", "ReflectionPad3DBackward0"},
      {"ReplicationPad1DBackward0", "ReplicationPad2DBackward0", "ReplicationPad3DBackward0"}};
  if (mode == PadMode::Circular || dims < 1 || dims > 3) return "CircularPadBackward0";
  return kNames[mode == PadMode::Replicate][dims - 1];
}

Tensor edge_pad(const Tensor& self, const EdgePlan& plan) {
  const int64_t ndim = self.dim();
  Dims shape(self.shape());
  int64_t dims = 0;
  for (int64_t d = 0; d < ndim; ++d) {
    shape[d] = padded(shape[d], plan.before[d], plan.after[d]);
    dims += plan.before[d] + plan.after[d] > 0;
  }
  Tensor out = empty(shape, self.dtype());
  {
    GradModeGuard off(false);
    Tensor inner = out;
    for (int64_t d = 0; d < ndim; ++d) inner = cut(inner, d, plan.before[d], plan.shape[d]);
    copy_into(inner, self);
    // Dimensions behind d are complete, those before it are cut to the interior.
    for (int64_t d = ndim - 1; d >= 0; --d) {
      const int64_t n = plan.shape[d], before = plan.before[d], after = plan.after[d];
      Tensor region = out;
      for (int64_t k = 0; k < d; ++k) region = cut(region, k, plan.before[k], plan.shape[k]);
      inner = cut(region, d, before, n);
      if (before > 0) {
        copy_into(cut(region, d, 0, before),
                  index_select(inner, d, sources(plan.mode, -before, before, n)));
      }
      if (after > 0) {
        copy_into(cut(region, d, before + n, after),
                  index_select(inner, d, sources(plan.mode, n, after, n)));
      }
    }
  }
  return record(out, edge_node(plan.mode, dims), {&self}, saved(),
                [plan](const Tensor& g) { return edge_pad_backward(g, plan); });
}

// PyTorch's checks of reflect and replicate, for the `k` last dimensions.
void check_edges(PadMode mode, const Tensor& self, int64_t k, const Amounts& a) {
  const int64_t ndim = self.dim();
  bool filled = true;
  for (int64_t d = ndim - k - 1 == 0 ? 0 : 1; d < ndim; ++d) filled &= self->shape[d] > 0;
  check(filled && (ndim == k + 1 || ndim == k + 2),
        "Expected {}D or {}D (batch mode) tensor with possibly 0 batch size and other non-zero "
        "dimensions for input, but got: {}",
        k + 1, k + 2, self.shape());
  bool some = false, valid = true;
  std::string in, out;
  for (int64_t d = ndim - k; d < ndim; ++d) {
    const int64_t n = self->shape[d], size = padded(n, a.before[d], a.after[d]);
    check(mode != PadMode::Reflect || (a.before[d] < n && a.after[d] < n),
          "Argument #{}: Padding size should be less than the corresponding input dimension, but "
          "got: padding ({}, {}) at dimension {} of input {}",
          4 + 2 * (ndim - 1 - d), a.before[d], a.after[d], d, self.shape());
    some |= size >= 1;
    valid &= size >= 0;
    const char* name = ndim - d == 1 ? "W" : ndim - d == 2 ? "H" : "D";
    in += (in.empty() ? "" : ", ") + format("{}: {}", name, n);
    out += (out.empty() ? "" : " ") + format("{}: {}", name, size);
  }
  check(some && valid, "input ({}) is too small. Calculated output {}", in, out);
}

Tensor pad_edges(const Tensor& self, IntList pad, PadMode mode) {
  const int64_t ndim = self.dim(), k = static_cast<int64_t>(pad.size()) / 2;
  const Amounts a = amounts(pad, ndim);
  EdgePlan plan{mode, a.before, a.after, Dims(self.shape())};
  Dims crop(static_cast<int>(2 * k), 0);
  bool cropped = false;
  for (int64_t i = 0; i < 2 * k; ++i) {
    crop[i] = std::min<int64_t>(pad[static_cast<size_t>(i)], 0);
    cropped |= crop[i] < 0;
  }
  for (int64_t d = 0; d < ndim; ++d) {
    plan.before[d] = std::max<int64_t>(plan.before[d], 0);
    plan.after[d] = std::max<int64_t>(plan.after[d], 0);
  }
  if (mode != PadMode::Circular) {
    check_edges(mode, self, k, a);
    check<NotImplementedError>(self.dtype() != DType::Bool, "\"{}{}d\" not implemented for 'Bool'",
                               mode == PadMode::Reflect ? "reflection_pad" : "replication_pad", k);
    const Tensor out = edge_pad(self, plan);
    return cropped ? constant_pad_nd(out, crop) : out;
  }
  for (int64_t d = ndim - k; d < ndim; ++d) {
    const int64_t n = self->shape[d];
    check(a.before[d] <= n && a.after[d] <= n,
          "Padding value causes wrapping around more than once.");
    check(padded(n, a.before[d], a.after[d]) >= 0,
          "Negative padding value is resulting in an empty dimension");
  }
  if (!cropped) return edge_pad(self, plan);
  const Tensor inner = constant_pad_nd(self, crop);
  for (int64_t d = 0; d < ndim; ++d) {
    plan.shape[d] = inner->shape[d];
    check(plan.before[d] <= plan.shape[d] && plan.after[d] <= plan.shape[d],
          "Padding value causes wrapping around more than once.");
  }
  return edge_pad(inner, plan);
}

}  // namespace

Tensor constant_pad_nd(const Tensor& self, IntList pad, const Scalar& value) {
  const int64_t ndim = self.dim(), k = static_cast<int64_t>(pad.size()) / 2;
  check(pad.size() % 2 == 0, "Length of pad must be even but instead it equals {}",
        static_cast<int64_t>(pad.size()));
  check(k <= ndim,
        "Length of pad should be no more than twice the number of dimensions of the input. Pad "
        "length is {} while the input has {} dimensions.",
        static_cast<int64_t>(pad.size()), ndim);
  const Amounts a = amounts(pad, ndim);
  Dims shape(self.shape()), back(static_cast<int>(pad.size()), 0);
  for (int64_t d = 0; d < ndim; ++d) {
    const int64_t n = shape[d], lost = std::max(-a.before[d], int64_t{0});
    check(lost <= n && std::max(-a.after[d], int64_t{0}) <= n - lost,
          "narrow(): length must be non-negative.");
    shape[d] = padded(n, a.before[d], a.after[d]);
  }
  for (size_t i = 0; i < pad.size(); ++i) back[static_cast<int64_t>(i)] = -pad[i];
  Tensor out = empty(shape, self.dtype());
  Tensor region = out, from = self;
  for (int64_t d = 0; d < ndim; ++d) {  // fill the borders along d, then look between them
    const int64_t before = std::max(a.before[d], int64_t{0});
    const int64_t after = std::max(a.after[d], int64_t{0}), n = shape[d] - before - after;
    if (before > 0) fill_into(cut(region, d, 0, before), value);
    if (after > 0) fill_into(cut(region, d, before + n, after), value);
    region = cut(region, d, before, n);
    from = cut(from, d, before - a.before[d], n);
  }
  copy_into(region, from);
  return record(out, "ConstantPadNdBackward0", {&self}, saved(),
                [back](const Tensor& g) { return constant_pad_nd(g, back); });
}

Tensor pad(const Tensor& self, IntList pad, std::string_view mode, std::optional<double> value) {
  const int64_t count = static_cast<int64_t>(pad.size()), ndim = self.dim();
  check(count % 2 == 0, "Padding length must be divisible by 2");
  check(count <= 2 * ndim,
        "Padding length should be less than or equal to two times the input dimension but got "
        "padding length {} and input of dimension {}",
        count, ndim);
  if (mode == "constant") return constant_pad_nd(self, pad, Scalar(value.value_or(0.0)));
  check(!value || *value == 0, "Padding mode \"{}\" doesn't take in value argument", mode);
  const bool fits = (count == 2 && (ndim == 2 || ndim == 3)) ||
                    (count == 4 && (ndim == 3 || ndim == 4)) ||
                    (count == 6 && (ndim == 4 || ndim == 5));
  if (fits) {
    if (mode == "reflect") return pad_edges(self, pad, PadMode::Reflect);
    if (mode == "replicate") return pad_edges(self, pad, PadMode::Replicate);
    if (mode == "circular") return pad_edges(self, pad, PadMode::Circular);
    fail<NotImplementedError>("Unrecognised padding mode {}", mode);
  }
  fail<NotImplementedError>(
      "Padding size {} is not supported for {}D input tensor.\nSupported combinations for "
      "non-constant padding:\n  - 2D or 3D input: padding size = 2 (pads last dimension)\n  - 3D "
      "or 4D input: padding size = 4 (pads last 2 dimensions)\n  - 4D or 5D input: padding size = "
      "6 (pads last 3 dimensions)",
      count, ndim);
}

namespace {

Tensor constant_row(const Tensor& self, IntList pad, const Scalar& value) {
  return constant_pad_nd(self, pad, value);
}

}  // namespace

void register_pad(OpTable& ops) {
  ops.add(
      "nn.pad(Tensor input, int[] pad, str mode='constant', float? value=None) -> Tensor", pad,
      Function,
      "Adds ``pad[0]`` elements before and ``pad[1]`` behind the last dimension, ``pad[2]`` and "
      "``pad[3]`` around the one before it, and so on (negative numbers take away): ``value`` (0), "
      "or by ``mode`` 'reflect' (without the edge), 'replicate' (the edge), 'circular' (from the "
      "other end).");
  ops.add("constant_pad_nd(Tensor self, int[] pad, Scalar value=0) -> Tensor", constant_row,
          Function, "Pads with a constant; see ``nn.functional.pad``.");
}

}  // namespace d2l
