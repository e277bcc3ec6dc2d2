// The rarer poolings: by norms, with random windows, and the way back from maxima.
#include <cmath>

#include "iter/index.h"
#include "ops/index_parts.h"
#include "ops/pool_parts.h"

namespace d2l {
namespace {

// --- Means of powers -----------------------------------------------------------------------------

template <int kDims>
Tensor lp_pool(const Tensor& input, double norm_type, IntList kernel_size, OptInts stride,
               bool ceil_mode) {
  const int64_t none[1] = {0};
  const Tensor mean = avg_pool(kDims, pow(input, Scalar(norm_type)), kernel_size,
                               stride ? *stride : IntList(), none, ceil_mode);
  const Triple kernel = triple_of(kernel_size, kDims, 1);
  const Tensor total = mul(mul(sign(mean), abs(mean)), Scalar(product(kernel)));
  return pow(total, Scalar(1.0 / norm_type));
}

// --- Random windows ------------------------------------------------------------------------------

// Where the windows begin (Graham 2014, arXiv:1412.6071): in steps whose lengths differ by one.
void intervals(double sample, int64_t in, int64_t out, int64_t kernel, bool single,
               std::vector<int64_t>& start, std::vector<int64_t>& end) {
  // Towards zero, as PyTorch does, but for any number.
  const auto whole = [](double x) {
    return static_cast<int64_t>(std::isnan(x) ? 0.0 : std::clamp(x, -1e15, 1e15));
  };
  for (int64_t o = 0; o < out; ++o) {
    int64_t at = in - kernel;
    if (o < out - 1) {
      if (single) {
        const float u = static_cast<float>(sample);
        const float step = static_cast<float>(in - kernel) / static_cast<float>(out - 1);
        at = whole((static_cast<float>(o) + u) * step) - whole(u * step);
      } else {
        const double step = static_cast<double>(in - kernel) / static_cast<double>(out - 1);
        at = whole((static_cast<double>(o) + sample) * step) - whole(sample * step);
      }
    }
    at = std::clamp<int64_t>(at, 0, in - kernel);  // samples may lie outside of [0, 1)
    start.push_back(at);
    end.push_back(at + kernel);
  }
}

template <int kDims>
OneOrMore fractional_max_pool(const Tensor& input, IntList kernel_size, OptInts output_size,
                              std::optional<std::span<const double>> output_ratio,
                              bool return_indices, const Tensor& random_samples) {
  const std::string op = "fractional_max_pool" + std::to_string(kDims) + "d";
  check<ValueError>(output_size || output_ratio,
                    "{} requires specifying either an output_size or an output_ratio", op);
  check<IndexError>(input.dim() > kDims,
                    "Dimension out of range (expected to be in range of [{}, {}], but got {})",
                    -std::max<int64_t>(1, input.dim()), std::max<int64_t>(1, input.dim()) - 1,
                    -kDims - 1);
  check(input.dim() <= kDims + 2, "{}(): Expected {}D or {}D tensor, but got: {}", op, kDims + 1,
        kDims + 2, input.shape());
  for (int64_t i = input.dim() - kDims - 1; i < input.dim(); ++i)
    check(input->shape[i] > 0,
          "{}(): Expected input to have non-zero size for non-batch dimensions, but got{} with "
          "dimension {} being empty.",
          op, input.shape(), i);
  check(kernel_size.size() == 1 || kernel_size.size() == kDims,
        "{}: kernel_size must either be a single Int or tuple of Ints", op);
  PoolWindows p;
  p.dims = kDims;
  p.in = spatial(input.shape(), kDims);
  p.kernel = triple_of(kernel_size, kDims, 1);
  if (output_size) {
    check(output_size->size() == 1 || output_size->size() == kDims,
          "{}: output_size must either be a single Int or tuple of Ints", op);
    p.out = triple_of(*output_size, kDims, 1);
  } else {
    check(output_ratio->size() == kDims, "{}: output_ratio must have {} numbers, but got {}", op,
          kDims, static_cast<int64_t>(output_ratio->size()));
    p.out = {1, 1, 1};
    for (int i = 0; i < kDims; ++i) {
      const double ratio = (*output_ratio)[i];
      check<ValueError>(ratio > 0 && ratio < 1, "output_ratio must be between 0 and 1 (got {})",
                        ratio);
      p.out[3 - kDims + i] = static_cast<int64_t>(static_cast<double>(p.in[3 - kDims + i]) * ratio);
    }
  }
  static const char* const kNames[] = {"time", "height", "width"};
  for (int i = 3 - kDims; i < 3; ++i) {
    check(p.kernel[i] > 0 && p.out[i] >= 0, "{}: kernel and output sizes must be positive", op);
    const bool fits =
        p.kernel[i] <= p.in[i] && p.out[i] <= p.in[i] &&
        (kDims == 2 ? p.out[i] + p.kernel[i] - 1 <= p.in[i] : p.out[i] + p.kernel[i] - 1 < p.in[i]);
    check(fits, "{}(): pool {} {} too large relative to input {} {}", kDims == 2 ? op : op + "_out",
          kNames[i], p.kernel[i], kNames[i], p.in[i]);
  }
  const int64_t batch = input.dim() == kDims + 2 ? input->shape[0] : 1;
  const int64_t channels = input->shape[input.dim() - kDims - 1];
  Tensor samples = random_samples;
  if (!samples.defined()) {
    Options options;
    options.dtype = input.dtype();
    samples = rand(Dims{batch, channels, kDims}, nullptr, options);
  }
  check(samples.dim() == 3, "Expect _random_samples to have 3 dimensions; got {}.", samples.dim());
  check(samples->shape[0] >= batch,
        "Expect _random_samples.size(0) no less then input batch size.");
  check(samples->shape[1] == channels,
        "Expect _random_samples.size(1) equals to input channel size.");
  check(samples->shape[2] == kDims, "Expect _random_samples.size(2) equals to {}; got {}.", kDims,
        samples->shape[2]);
  check(samples.dtype() == input.dtype(), "Expect _random_samples to have the same dtype as input");
  check<NotImplementedError>(is_floating(input.dtype()), "\"{}\" not implemented for '{}'",
                             op + "_out_frame", input.dtype());

  const Tensor numbers = raw_contiguous(to_dtype(detach(samples), DType::Double));
  const double* sample = numbers.data_as<double>();
  WindowLists lists;
  if constexpr (kDims == 2) {
    lists.start[0] = {0};
    lists.end[0] = {1};
  }
  const bool single = input.dtype() != DType::Double;
  for (int64_t plane = 0; plane < batch * channels; ++plane, sample += kDims)
    for (int i = 0; i < kDims; ++i) {
      // Two numbers are for the width and the height; three for time, height and width.
      const int d = 3 - kDims + i;
      intervals(sample[kDims == 2 ? 1 - i : i], p.in[d], p.out[d], p.kernel[d], single,
                lists.start[d], lists.end[d]);
      lists.step[d] = p.out[d];
    }
  const Pooled r = max_pool_lists(
      op.c_str(), kDims == 2 ? "FractionalMaxPool2DBackward0" : "FractionalMaxPool3DBackward0",
      input, p, lists);
  if (return_indices) return {{r.values, r.indices}};
  return {{r.values}};
}

// --- Back from maxima ----------------------------------------------------------------------------

std::string joined(IntList values, const char* between) {
  std::string out;
  for (const int64_t v : values) out += (out.empty() ? "" : between) + std::to_string(v);
  return out;
}

Tensor put_at(const Tensor& x, const Tensor& indices, IntList size, int dims) {
  Triple out{1, 1, 1};
  for (int i = 0; i < dims; ++i) out[3 - dims + i] = size[i];
  Tensor y = empty(pooled_shape(x, out, dims), x.dtype());
  fill_into(y, Scalar(0));
  if (x.numel() > 0) {
    int64_t planes = 1;
    for (int64_t i = 0; i < x.dim() - dims; ++i) planes *= x->shape[i];
    const int64_t n = x.numel() / planes, area = product(out);
    const auto flat = [&](const Tensor& t) {
      const Tensor c = raw_contiguous(t);
      return raw_view(c, Dims{planes, n}, Dims{n, 1}, c.offset());
    };
    run_along(Access::Put, raw_view(y, Dims{planes, area}, Dims{area, 1}, y.offset()), 1, flat(x),
              IndexTensor::checked(flat(indices), 0, area, [&](int64_t bad) {
                fail("Found an invalid max index: {} (output volumes are of size {})", bad,
                     joined(size, "x"));
              }));
  }
  return record(y, dims == 3 ? "MaxUnpool3DBackward0" : "MaxUnpool2DBackward0", {&x},
                saved(indices), [dims](const Tensor& g, const Tensor& at) {
                  if (at.numel() == 0) return zeros_like(at);
                  Dims shape(at.shape());
                  int64_t n = 1, area = 1;
                  for (int i = 1; i <= dims; ++i) {
                    n *= shape[shape.size() - i];
                    area *= g->shape[g.dim() - i];
                  }
                  const int64_t count = at.numel() / n;
                  return reshape(
                      gather(reshape(g, Dims{count, area}), 1, reshape(at, Dims{count, n})), shape);
                });
}

template <int kDims>
Tensor max_unpool(const Tensor& input0, const Tensor& indices0, IntList kernel_size, OptInts stride,
                  IntList padding, OptInts output_size) {
  Tensor input = input0, indices = indices0;
  check(input.dim() >= kDims, "Input to max_unpooling should have at least {} dimensions", kDims);
  const auto fits = [](IntList v) { return v.size() == 1 || v.size() == kDims; };
  const IntList step = stride && !stride->empty() ? *stride : kernel_size;
  check(fits(kernel_size) && fits(step) && fits(padding),
        "max_unpool: kernel_size, stride and padding must have one or {} values", kDims);
  const Triple k = triple_of(kernel_size, kDims, 1), s = triple_of(step, kDims, 1),
               p = triple_of(padding, kDims, 0);
  Dims size;
  for (int i = 3 - kDims; i < 3; ++i) {
    constexpr int64_t kLarge = int64_t{1} << 31;
    check(std::max({k[i], s[i], p[i]}) < kLarge && std::min({k[i], s[i], p[i]}) > -kLarge,
          "max_unpool: too large a window");
    check(input->shape[input.dim() - 3 + i] < (int64_t{1} << 31), "max_unpool: too large an input");
    size.push_back((input->shape[input.dim() - 3 + i] - 1) * s[i] + k[i] - 2 * p[i]);
  }
  if (output_size) {
    IntList given = *output_size;
    if (given.size() == kDims + 2) given = given.subspan(2);
    check<ValueError>(given.size() == kDims,
                      "output_size should be a sequence containing {} or {} elements, but it has a "
                      "length of '{}'",
                      kDims, kDims + 2, static_cast<int64_t>(given.size()));
    for (int i = 0; i < kDims; ++i) {
      const int64_t low = size[i] - s[3 - kDims + i], high = size[i] + s[3 - kDims + i];
      check<ValueError>(low < given[i] && given[i] < high,
                        "invalid output_size \"({})\" (dim {} must be between {} and {})",
                        joined(given, ", "), i, low, high);
    }
    size = Dims(given);
  }
  check(indices.dtype() == DType::Int64, "elements in indices should be type int64 but got: {}",
        indices.dtype());
  if constexpr (kDims == 1) {  // one dimension is a column
    input = unsqueeze(input, -1);
    indices = unsqueeze(indices, -1);
    size.push_back(1);
  }
  constexpr int kReal = kDims == 1 ? 2 : kDims;
  check(input.dim() == kReal + 1 || input.dim() == kReal + 2,
        "Input to max_unpooling{}d should be a {}d or {}d Tensor, but got a tensor with {} "
        "dimensions.",
        kReal, kReal + 1, kReal + 2, input.dim());
  check(equal(input.shape(), indices.shape()),
        "Expected shape of indices to be same as that of the input tensor ({}) but got indices "
        "tensor with shape: {}",
        input.shape(), indices.shape());
  if (kDims == 3)
    check(s[0] > 0 && s[1] > 0 && s[2] > 0,
          "strides should be greater than zero, but got stride: [{}, {}, {}]", s[0], s[1], s[2]);
  for (int64_t i = input.dim() - kReal; i < input.dim(); ++i)
    check(input->shape[i] > 0,
          "max_unpooling{}d(): Expected input to have non-zero size for non-batch dimensions, but "
          "got {} with dimension {} being empty.",
          kReal, input.shape(), i);
  for (const int64_t n : size)
    check(n >= 0, "Trying to create tensor with negative dimension {}: {}", n, size);
  check<NotImplementedError>(is_floating(input.dtype()),
                             "\"max_unpool{}d\" not implemented for '{}'", kReal, input.dtype());
  const Tensor out = put_at(input, indices, size, kReal);
  const int64_t last[1] = {-1};
  return kDims == 1 ? squeeze_dims(out, last) : out;
}

template <int kDims>
void add_rows(OpTable& ops) {
  const std::string n = std::to_string(kDims) + "d";
  static const std::string lp_doc =
      "Returns ``sum(x ** norm_type) ** (1 / norm_type)`` over each window of the last " +
      std::to_string(kDims) + " dimension(s).";
  static const std::string unpool_doc =
      "Puts the values that ``max_pool" + n +
      "`` returned back to where ``indices`` say, zeros elsewhere; the size is the one that the "
      "pooling would come from, unless ``output_size`` is given.";
  ops.add(("nn.lp_pool" + n +
           "(Tensor input, float norm_type, int[1] kernel_size, int[1]? stride=None, bool "
           "ceil_mode=False) -> Tensor")
              .c_str(),
          lp_pool<kDims>, Function, lp_doc.c_str());
  ops.add(("nn.max_unpool" + n +
           "(Tensor input, Tensor indices, int[1] kernel_size, int[1]? stride=None, int[1] "
           "padding=0, int[]? output_size=None) -> Tensor")
              .c_str(),
          max_unpool<kDims>, Function, unpool_doc.c_str());
  if constexpr (kDims > 1) {
    static const std::string fractional_doc =
        "Returns the largest elements in " + n +
        " windows of ``kernel_size`` whose places are random (Graham 2014): ``output_size`` of "
        "them, or ``output_ratio`` times the input's size. ``_random_samples`` (N, C, " +
        std::to_string(kDims) + ") fixes the places.";
    ops.add(("nn.fractional_max_pool" + n +
             "(Tensor input, int[1] kernel_size, int[1]? output_size=None, float[]? "
             "output_ratio=None, bool return_indices=False, Tensor? _random_samples=None) -> "
             "Tensor")
                .c_str(),
            fractional_max_pool<kDims>, Function, fractional_doc.c_str());
  }
}

}  // namespace

void register_pool_more(OpTable& ops) {
  add_rows<1>(ops);
  add_rows<2>(ops);
  add_rows<3>(ops);
}

}  // namespace d2l
