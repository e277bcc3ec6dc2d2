// Sampling an image at given places: affine_grid and grid_sample.
//
// The one idea: a sample is a sum of gathered elements times weights that are
// polynomials of the place, all of them ops, so derivatives of any order come
// with them (Jaderberg et al. 2015, arXiv:1506.02025).
#include <vector>

#include "ops/conv_parts.h"

namespace d2l {
namespace {

enum class Mode : uint8_t { Bilinear, Nearest, Bicubic };
enum class Outside : uint8_t { Zeros, Border, Reflection };

Scalar number(int64_t n) { return Scalar(static_cast<double>(n)); }

// Reflects x at low / 2 and high / 2.
Tensor reflected(const Tensor& x, int64_t low, int64_t high) {
  if (low == high) return mul(x, Scalar(0.0));
  const double min = static_cast<double>(low) / 2, span = static_cast<double>(high - low) / 2;
  const Tensor far = abs(sub(x, Scalar(min)));
  const Tensor flips = floor(div(detach(far), Scalar(span)));
  const Tensor rest = sub(far, mul(flips, Scalar(span)));
  const Tensor even = eq(remainder(flips, wrap(Scalar(2.0))), Scalar(0.0));
  return where(even, add(rest, Scalar(min)), rsub(rest, wrap(Scalar(span + min))));
}

// Places outside brought inside, as padding_mode says.
Tensor inside(const Tensor& x, int64_t size, Outside outside, bool align) {
  if (outside == Outside::Zeros) return x;
  Tensor y = x;
  if (outside == Outside::Reflection)
    y = align ? reflected(x, 0, 2 * (size - 1)) : reflected(x, -1, 2 * size - 1);
  return clamp(y, Scalar(0.0), number(size - 1));
}

// From [-1, 1] to elements.
Tensor unnormalized(const Tensor& x, int64_t size, bool align) {
  if (align) return mul(add(x, Scalar(1.0)), Scalar(static_cast<double>(size - 1) / 2));
  return div(sub(mul(add(x, Scalar(1.0)), number(size)), Scalar(1.0)), Scalar(2.0));
}

// One dimension of a sample: which elements, whether they are there, and with
// which weight.
struct Tap {
  Tensor index;   // int64, in range
  Tensor there;   // bool
  Tensor weight;  // undefined for 1
};
Tap tap_at(const Tensor& place, const Tensor& weight, int64_t size) {
  const Tensor there = logical_and(ge(place, Scalar(0.0)), le(place, number(size - 1)));
  return {to_dtype(where(there, place, wrap(Scalar(0.0))), DType::Int64), there, weight};
}

// Keys' cubic convolution with A = -0.75, as in PyTorch.
std::vector<Tensor> cubic_weights(const Tensor& t) {
  const auto near = [](const Tensor& x) {  // (A + 2) x^3 - (A + 3) x^2 + 1
    return add(mul(mul(sub(mul(x, Scalar(1.25)), Scalar(2.25)), x), x), Scalar(1.0));
  };
  const auto far = [](const Tensor& x) {  // A x^3 - 5 A x^2 + 8 A x - 4 A
    const Tensor p = add(mul(sub(mul(x, Scalar(-0.75)), Scalar(-3.75)), x), Scalar(-6.0));
    return sub(mul(p, x), Scalar(-3.0));
  };
  const Tensor u = rsub(t, wrap(Scalar(1.0)));
  return {far(add(t, Scalar(1.0))), near(t), near(u), far(add(u, Scalar(1.0)))};
}

std::vector<Tap> taps_of(const Tensor& coordinate, int64_t size, Mode mode, Outside outside,
                         bool align) {
  const Tensor x = unnormalized(coordinate, size, align);
  std::vector<Tap> taps;
  if (mode == Mode::Bicubic) {
    const Tensor first = floor(detach(x));
    const std::vector<Tensor> weights = cubic_weights(sub(x, first));
    for (int k = 0; k < 4; ++k)
      taps.push_back(
          tap_at(inside(add(first, Scalar(k - 1.0)), size, outside, align), weights[k], size));
    return taps;
  }
  const Tensor at = inside(x, size, outside, align);
  if (mode == Mode::Nearest) {
    Tap tap = tap_at(round(detach(at)), Tensor(), size);
    // 1, with a derivative of 0 with respect to the place.
    tap.weight = rsub(mul(where(tap.there, at, wrap(Scalar(0.0))), Scalar(0.0)), wrap(Scalar(1.0)));
    taps.push_back(tap);
    return taps;
  }
  const Tensor first = floor(detach(at)), t = sub(at, first);
  taps.push_back(tap_at(first, rsub(t, wrap(Scalar(1.0))), size));
  taps.push_back(tap_at(add(first, Scalar(1.0)), t, size));
  return taps;
}

Tensor sample(const Tensor& input, const Tensor& grid, Mode mode, Outside outside, bool align) {
  const int dims = static_cast<int>(input.dim()) - 2;
  const int64_t n = input->shape[0], c = input->shape[1];
  Dims out{n, c};
  int64_t places = 1, area = 1;
  for (int i = 0; i < dims; ++i) {
    out.push_back(grid->shape[1 + i]);
    places *= grid->shape[1 + i];
    area *= input->shape[2 + i];
  }
  if (n * c * places == 0) {
    Options options;
    options.dtype = input.dtype();
    return add(zeros(out, options), mul(sum(input), Scalar(0.0)));
  }
  const Tensor flat = reshape(input, Dims{n, c, area});
  std::vector<std::vector<Tap>> taps;  // of the outermost dimension first
  for (int i = 0; i < dims; ++i)
    taps.push_back(taps_of(reshape(select(grid, -1, dims - 1 - i), Dims{n, places}),
                           input->shape[2 + i], mode, outside, align));
  Tensor total;
  const size_t each = taps[0].size();
  size_t count = 1;
  for (int i = 0; i < dims; ++i) count *= each;
  for (size_t k = 0; k < count; ++k) {
    Tensor index, there, weight;
    size_t rest = k;
    for (int i = 0; i < dims; ++i) {
      const Tap& tap = taps[i][rest % each];
      rest /= each;
      index = index.defined() ? add(mul(index, Scalar(input->shape[2 + i])), tap.index) : tap.index;
      there = there.defined() ? logical_and(there, tap.there) : tap.there;
      weight = !weight.defined() ? tap.weight : mul(weight, tap.weight);
    }
    const Tensor at = expand(unsqueeze(index, 1), Dims{n, c, places});
    // What lies outside does not count, even if the element in its stead is
    // infinite.
    Tensor part = where(unsqueeze(there, 1), gather(flat, 2, at), wrap(Scalar(0.0)));
    if (weight.defined()) part = mul(part, unsqueeze(weight, 1));
    total = total.defined() ? add(total, part) : part;
  }
  return reshape(total, out);
}

Tensor sampled(const Tensor& input, const Tensor& grid, int64_t mode, int64_t padding, bool align) {
  check(input.dtype() == grid.dtype(),
        "grid_sampler(): expected input and grid to have same dtype, but input "
        "has {} and grid has "
        "{}",
        name(input.dtype()), name(grid.dtype()));
  check((input.dim() == 4 || input.dim() == 5) && input.dim() == grid.dim(),
        "grid_sampler(): expected 4D or 5D input and grid with same number of "
        "dimensions, but got "
        "input with sizes {} and grid with sizes {}",
        input.shape(), grid.shape());
  const int64_t dims = input.dim() - 2;
  check(input->shape[0] == grid->shape[0],
        "grid_sampler(): expected grid and input to have same batch size, but "
        "got input with sizes "
        "{} and grid with sizes {}",
        input.shape(), grid.shape());
  check(grid->shape[grid.dim() - 1] == dims,
        "grid_sampler(): expected grid to have size {} in last dimension, but "
        "got grid with sizes "
        "{}",
        dims, grid.shape());
  for (int64_t i = 2; i < input.dim(); ++i)
    check(input->shape[i] > 0,
          "grid_sampler(): expected input to have non-empty spatial "
          "dimensions, but input has "
          "sizes {} with dimension {} being empty",
          input.shape(), i);
  check(mode >= 0 && mode <= 2 && padding >= 0 && padding <= 2,
        "grid_sampler(): unknown interpolation mode {} or padding mode {}", mode, padding);
  check(!(dims == 3 && mode == 2), "grid_sampler(): bicubic interpolation only supports 4D input");
  check<NotImplementedError>(is_floating(input.dtype()),
                             "\"grid_sampler_{}d_cpu\" not implemented "
                             "for '{}'",
                             dims, input.dtype());
  const Mode m = static_cast<Mode>(mode);
  const Outside o = static_cast<Outside>(padding);
  if (!is_reduced_floating(input.dtype())) return sample(input, grid, m, o, align);
  return to_dtype(sample(to_dtype(input, DType::Float), to_dtype(grid, DType::Float), m, o, align),
                  input.dtype());
}

Tensor grid_sample_row(const Tensor& input, const Tensor& grid, std::string_view mode,
                       std::string_view padding_mode, OptBool align_corners) {
  int64_t m, p;
  if (mode == "bilinear") {
    m = 0;
  } else if (mode == "nearest") {
    m = 1;
  } else {
    check<ValueError>(mode == "bicubic",
                      "nn.functional.grid_sample(): expected mode to be "
                      "'bilinear', 'nearest' or "
                      "'bicubic', but got: '{}'",
                      mode);
    m = 2;
  }
  if (padding_mode == "zeros") {
    p = 0;
  } else if (padding_mode == "border") {
    p = 1;
  } else {
    check<ValueError>(padding_mode == "reflection",
                      "nn.functional.grid_sample(): expected padding_mode to "
                      "be 'zeros', 'border', "
                      "or 'reflection', but got: '{}'",
                      padding_mode);
    p = 2;
  }
  return sampled(input, grid, m, p, align_corners.value_or(false));
}

// The coordinates of n elements in [-1, 1].
Tensor spread(int64_t n, bool align, DType type) {
  Options options;
  options.dtype = type;
  if (n <= 1) return zeros(Dims{n}, options);
  const Tensor x = linspace(Scalar(-1.0), Scalar(1.0), n, options);
  return align ? x : mul(x, Scalar(static_cast<double>(n - 1) / static_cast<double>(n)));
}

Tensor affine_grid(const Tensor& theta, IntList size, bool align) {
  check(size.size() == 4 || size.size() == 5,
        "AffineGridGenerator needs 4d (spatial) or 5d (volumetric) size");
  const int dims = static_cast<int>(size.size()) - 2;
  check(theta.dim() == 3 && theta->shape[0] == size[0] && theta->shape[1] == dims &&
            theta->shape[2] == dims + 1,
        "Expected a batch of {}D affine matrices of shape {}x{}x{} for size "
        "{}. Got {}.",
        dims, size[0], dims, dims + 1, size, theta.shape());
  for (const int64_t n : size)
    check(n > 0, "Expected non-zero, positive output size. Got {}", size);
  Dims shape(size.subspan(2));
  const int64_t places = checked_numel(shape);
  std::vector<Tensor> parts;
  for (int i = dims - 1; i >= 0; --i) {  // x first
    Dims one(dims, 1);
    one[i] = shape[i];
    parts.push_back(expand(reshape(spread(shape[i], align, theta.dtype()), one), shape));
  }
  Options options;
  options.dtype = theta.dtype();
  parts.push_back(ones(shape, options));
  const Tensor base = reshape(stack(parts, -1), Dims{places, dims + 1});
  Dims out{size[0]};
  for (const int64_t n : shape) out.push_back(n);
  out.push_back(dims);
  return reshape(matmul(base, mT(theta)), out);
}
Tensor affine_grid_row(const Tensor& theta, IntList size, OptBool align_corners) {
  check<ValueError>(is_floating(theta.dtype()),
                    "Expected theta to have floating point type, but got torch.{}",
                    name(theta.dtype()));
  const int64_t dims = static_cast<int64_t>(size.size()) - 2;
  check<NotImplementedError>(dims == 2 || dims == 3,
                             "affine_grid only supports 4D and 5D sizes, for 2D and 3D affine "
                             "transforms, respectively. Got size {}.",
                             size);
  check<ValueError>(theta.dim() == 3 && theta->shape[1] == dims && theta->shape[2] == dims + 1,
                    "Expected a batch of {}D affine matrices of shape Nx{}x{} "
                    "for size {}. Got {}.",
                    dims, dims, dims + 1, size, theta.shape());
  for (const int64_t n : size)
    check<ValueError>(n > 0, "Expected non-zero, positive output size. Got {}", size);
  return affine_grid(theta, size, align_corners.value_or(false));
}

}  // namespace

void register_conv_grid(OpTable& ops) {
  const char* doc =
      "Samples ``input`` (N, C, H, W) or (N, C, D, H, W) at the "
      "places that ``grid`` (N, h, w, 2) "
      "or (N, d, h, w, 3) gives, x first, -1 and 1 being the "
      "ends of the image.";
  ops.add(
      "nn.grid_sample(Tensor input, Tensor grid, str mode='bilinear', str "
      "padding_mode='zeros', "
      "bool? align_corners=None) -> Tensor",
      grid_sample_row, Function, doc);
  for (const char* op : {"grid_sampler", "grid_sampler_2d", "grid_sampler_3d"})
    ops.add((std::string(op) + "(Tensor input, Tensor grid, int interpolation_mode, int "
                               "padding_mode, bool align_corners) -> Tensor")
                .c_str(),
            sampled, Function, doc);
  const char* affine_doc =
      "Returns the places (N, h, w, 2) or (N, d, h, w, 3) "
      "at which ``grid_sample`` has to look to "
      "transform an image of ``size`` by the matrices "
      "``theta`` (N, 2, 3) or (N, 3, 4).";
  ops.add(
      "nn.affine_grid(Tensor theta, int[] size, bool? align_corners=None) "
      "-> Tensor",
      affine_grid_row, Function, affine_doc);
  ops.add(
      "affine_grid_generator(Tensor theta, int[] size, bool align_corners) "
      "-> Tensor",
      affine_grid, Function, affine_doc);
}

}  // namespace d2l
