// Maxima and means over windows that slide: what PyTorch checks, in its words, and the rows.
#include "ops/pool_parts.h"

namespace d2l {
namespace {

constexpr int64_t kLarge = int64_t{1} << 31;

// The lists of a pooling as triples.
struct Lists {
  Triple kernel, stride, padding, dilation;
};

const char* words(int dims) { return dims == 3 ? "three" : "two"; }

Lists lists_of(const std::string& op, int dims, IntList kernel, IntList stride, IntList padding,
               IntList dilation) {
  const auto fits = [dims](IntList v) {
    return v.size() == 1 || static_cast<int>(v.size()) == dims;
  };
  check(fits(kernel), "{}: kernel_size must either be a single int, or a tuple of {} ints", op,
        words(dims));
  check(stride.empty() || fits(stride),
        "{}: stride must either be omitted, a single int, or a tuple of {} ints", op, words(dims));
  check(fits(padding), "{}: padding must either be a single int, or a tuple of {} ints", op,
        words(dims));
  check(fits(dilation), "{}: dilation must be either a single int, or a tuple of {} ints", op,
        words(dims));
  Lists out{triple_of(kernel, dims, 1), triple_of(stride.empty() ? kernel : stride, dims, 1),
            triple_of(padding, dims, 0), triple_of(dilation, dims, 1)};
  const auto moderate = [](int64_t v) { return -kLarge < v && v < kLarge; };
  for (int i = 0; i < 3; ++i)
    check(moderate(out.kernel[i]) && moderate(out.stride[i]) && moderate(out.padding[i]) &&
              moderate(out.dilation[i]),
          "{}: too large a window", op);
  return out;
}

int64_t output_size(int64_t in, int64_t kernel, int64_t stride, int64_t padding, int64_t dilation,
                    bool ceil_mode) {
  check(stride != 0, "stride should not be zero");
  check(padding >= 0, "pad must be non-negative, but got pad: {}", padding);
  check(padding <= (dilation * (kernel - 1) + 1) / 2,
        "pad should be at most half of effective kernel size, but got pad={}, kernel_size={} and "
        "dilation={}",
        padding, kernel, dilation);
  const int64_t room =
      in + 2 * padding - dilation * (kernel - 1) - 1 + (ceil_mode ? stride - 1 : 0);
  int64_t out = room / stride - (room % stride != 0 && (room < 0) != (stride < 0) ? 1 : 0) + 1;
  if (ceil_mode && (out - 1) * stride >= in + padding) --out;
  return out;
}

// "kT: 1 kH: 2 kW: 3", from the dimension that a message begins with.
std::string letters(const char* prefix, const Triple& t, int dims) {
  static const char* const kLetters[] = {"T", "H", "W"};
  std::string out;
  for (int i = dims == 3 ? 0 : 1; i < 3; ++i)
    out +=
        (out.empty() ? "" : " ") + std::string(prefix) + kLetters[i] + ": " + std::to_string(t[i]);
  return out;
}
bool positive(const Triple& t) { return t[0] > 0 && t[1] > 0 && t[2] > 0; }

std::string size_text(int64_t planes, const Triple& t, int dims) {
  std::string out = std::to_string(planes);
  for (int i = dims == 3 ? 0 : 1; i < 3; ++i) out += "x" + std::to_string(t[i]);
  return out;
}

// Checks of two and three dimensions; one dimension comes as (C, 1, L).
PoolWindows windows_of(const char* fn, const Tensor& x, int dims, const Lists& l, bool ceil_mode,
                       bool mean) {
  if (mean && dims == 2) {
    check<IndexError>(x.dim() >= 3,
                      "Dimension out of range (expected to be in range of [{}, {}], but got -3)",
                      -std::max<int64_t>(x.dim(), 1), std::max<int64_t>(x.dim(), 1) - 1);
  }
  check(x.dim() == dims + 1 || x.dim() == dims + 2,
        "non-empty {}D or {}D (batch mode) tensor expected for input", dims + 1, dims + 2);
  PoolWindows p;
  p.dims = dims;
  p.in = spatial(x.shape(), dims);
  p.kernel = l.kernel;
  p.stride = l.stride;
  p.padding = l.padding;
  p.dilation = l.dilation;
  p.out = {1, 1, 1};
  for (int i = 3 - dims; i < 3; ++i)
    p.out[i] =
        output_size(p.in[i], l.kernel[i], l.stride[i], l.padding[i], l.dilation[i], ceil_mode);
  check(positive(l.kernel), "kernel size should be greater than zero, but got {}",
        letters("k", l.kernel, dims));
  check(positive(l.stride), "stride should be greater than zero, but got {}",
        letters("d", l.stride, dims));
  check(positive(l.dilation), "dilation should be greater than zero, but got {}",
        letters("dilation", l.dilation, dims));
  for (int64_t i = x.dim() - dims - 1; i < x.dim(); ++i) {
    if (dims == 3) {
      check(x->shape[i] > 0,
            "{}: Expected input's non-batch dimensions to have positive length, but input has a "
            "shape of {} and non-batch dimension {} has length zero!",
            fn, x.shape(), i);
    } else {
      check(x->shape[i] > 0,
            "Expected 3D or 4D (batch mode) tensor with optional 0 dim batch size for input, but "
            "got:{}",
            x.shape());
    }
  }
  if (mean && dims == 3) {
    check(p.in[0] >= l.kernel[0] && p.in[1] >= l.kernel[1] && p.in[2] >= l.kernel[2],
          "input image ({}) smaller than kernel size ({})", letters("", p.in, 3),
          letters("k", l.kernel, 3));
  }
  check(positive(p.out),
        "Given input size: ({}). Calculated output size: ({}). Output size is too small",
        size_text(x->shape[x.dim() - dims - 1], p.in, dims),
        size_text(x->shape[x.dim() - dims - 1], p.out, dims));
  return p;
}

void check_1d(const char* op, const Tensor& x) {
  check(x.dim() == 2 || x.dim() == 3,
        "Expected 2 to 3 dimensions, but got {}-dimensional tensor for argument #1 'self' (while "
        "checking arguments for {})",
        x.dim(), op);
}
void check_one(const char* op, const char* name, IntList values, bool may_miss) {
  check(values.size() == 1 || (may_miss && values.empty()),
        "{}() argument '{}' should contain one int (got {})", op, name,
        static_cast<int64_t>(values.size()));
}

// The windows of one dimension as those of (C, 1, L), which is how the planes lie anyway.
PoolWindows windows_1d(const Tensor& x, const Lists& l, bool ceil_mode) {
  const Tensor flat = unsqueeze(detach(x), -2);
  PoolWindows p = windows_of("", flat, 2, l, ceil_mode, false);
  p.dims = 1;
  return p;
}

const char* const kMeanNodes[] = {"AvgPool1DBackward0", "AvgPool2DBackward0", "AvgPool3DBackward0"};
const char* const kMaxNodes[] = {"MaxPool1DWithIndicesBackward0", "MaxPool2DWithIndicesBackward0",
                                 "MaxPool3DWithIndicesBackward0"};
const char* const kMeanNames[] = {"avg_pool2d", "avg_pool2d", "avg_pool3d_out_frame"};
const char* const kMaxNames[] = {"max_pool2d", "max_pool2d", "max_pool3d"};

Pooled pool_max(int dims, const Tensor& x, IntList kernel, IntList stride, IntList padding,
                IntList dilation, bool ceil_mode, bool indices) {
  static const char* const kNames[] = {"max_pool1d", "max_pool2d", "max_pool3d"};
  if (dims == 1) {
    check_1d("max_pool1d", x);
    check_one("max_pool1d", "kernel_size", kernel, false);
    check_one("max_pool1d", "stride", stride, true);
    check_one("max_pool1d", "padding", padding, false);
    check_one("max_pool1d", "dilation", dilation, false);
  }
  const Lists l = lists_of(kNames[dims - 1], dims, kernel, stride, padding, dilation);
  const PoolWindows p = dims == 1 ? windows_1d(x, l, ceil_mode)
                                  : windows_of("max_pool3d_with_indices_out_cpu_template()", x,
                                               dims, l, ceil_mode, false);
  return max_pool(kMaxNames[dims - 1], kMaxNodes[dims - 1], x, p, indices);
}

// Without gradients and indices PyTorch has another kernel for one dimension, with its own words.
void check_plain_1d(const Tensor& x, IntList kernel, IntList stride, IntList padding,
                    IntList dilation, bool ceil_mode) {
  bool full = x.dim() == 2 || x.dim() == 3;
  for (int64_t i = std::max<int64_t>(0, x.dim() - 2); i < x.dim(); ++i)
    full = full && x->shape[i] > 0;
  check(full,
        "max_pool1d: Expected 2D or 3D (batch mode) tensor with optional 0 dim batch size for "
        "input, but got:{}",
        x.shape());
  const auto one = [](const char* name, const char* what, IntList v, bool may_miss) {
    check(v.size() == 1 || (may_miss && v.empty()),
          "max_pool1d() {} must be {} of size 1 but got size {}", name, what,
          static_cast<int64_t>(v.size()));
  };
  one("kernel_size", "an int, list of ints or tuple of ints", kernel, false);
  one("stride", "None, an int, list of ints, or tuple of ints", stride, true);
  one("padding", "an int, list of ints, or tuple of ints", padding, false);
  one("dilation", "an int, list of ints or tuple of ints", dilation, false);
  const int64_t k = kernel[0], s = stride.empty() ? k : stride[0], p = padding[0], d = dilation[0];
  check(k > 0, "max_pool1d() kernel_size must be greater than zero, but got {}", k);
  check(s > 0, "max_pool1d() stride must be greater than zero, but got {}", s);
  check(p >= 0, "max_pool1d() padding must be non-negative, but got {}", p);
  check(p <= k / 2,
        "max_pool1d() padding should be at most half of kernel size, but got padding={} and "
        "kernel_size={}",
        p, k);
  check(d > 0, "max_pool1d() dilation must be greater than zero, but got {}", d);
  check(k < kLarge && s < kLarge && d < kLarge, "max_pool1d(): too large a window");
  const int64_t out = output_size(x->shape[x.dim() - 1], k, s, p, d, ceil_mode);
  check(out > 0, "max_pool1d() Invalid computed output size: {}", out);
  check<NotImplementedError>(is_floating(x.dtype()), "\"max_pool1d_impl\" not implemented for '{}'",
                             x.dtype());
}

IntList stride_or_none(const OptInts& stride) { return stride ? *stride : IntList(); }

template <int kDims>
OneOrMore max_pool_row(const Tensor& input, IntList kernel_size, OptInts stride, IntList padding,
                       IntList dilation, bool ceil_mode, bool return_indices) {
  const IntList step = stride_or_none(stride);
  if (kDims == 1 && !return_indices && !(GradMode::enabled() && input.requires_grad()))
    check_plain_1d(input, kernel_size, step, padding, dilation, ceil_mode);
  const Pooled r =
      pool_max(kDims, input, kernel_size, step, padding, dilation, ceil_mode, return_indices);
  if (return_indices) return {{r.values, r.indices}};
  return {{r.values}};
}
template <int kDims>
Tensor plain_max_pool_row(const Tensor& self, IntList kernel_size, IntList stride, IntList padding,
                          IntList dilation, bool ceil_mode) {
  return max_pool_row<kDims>(self, kernel_size, stride, padding, dilation, ceil_mode, false)
      .tensors[0];
}
std::tuple<Tensor, Tensor> max_pool1d_with_indices_row(const Tensor& self, IntList kernel_size,
                                                       IntList stride, IntList padding,
                                                       IntList dilation, bool ceil_mode) {
  return max_pool_with_indices(1, self, kernel_size, stride, padding, dilation, ceil_mode);
}

Tensor avg_pool1d_row(const Tensor& input, IntList kernel_size, OptInts stride, IntList padding,
                      bool ceil_mode, bool count_include_pad) {
  return avg_pool(1, input, kernel_size, stride_or_none(stride), padding, ceil_mode,
                  count_include_pad);
}
template <int kDims>
Tensor avg_pool_row(const Tensor& input, IntList kernel_size, OptInts stride, IntList padding,
                    bool ceil_mode, bool count_include_pad, OptInt divisor_override) {
  return avg_pool(kDims, input, kernel_size, stride_or_none(stride), padding, ceil_mode,
                  count_include_pad, divisor_override);
}

template <int kDims>
void add_rows(OpTable& ops) {
  const std::string n = std::to_string(kDims) + "d";
  const std::string window = "int[1] kernel_size, int[1]? stride=None, int[1] padding=0, ";
  static const std::string max_doc =
      "Returns the largest element of each " + std::to_string(kDims) +
      "-dimensional window of (N, C, in...), or (C, in...); with ``return_indices`` also where in "
      "its plane it lies. ``stride`` is ``kernel_size`` by default; ``padding`` counts as -inf.";
  static const std::string mean_doc =
      "Returns the mean of each " + std::to_string(kDims) +
      "-dimensional window of (N, C, in...), or (C, in...). ``stride`` is ``kernel_size`` by "
      "default; ``padding`` counts as zeros, unless ``count_include_pad`` is False.";
  ops.add(("nn.max_pool" + n + "(Tensor input, " + window +
           "int[1] dilation=1, bool ceil_mode=False, bool return_indices=False) -> Tensor")
              .c_str(),
          max_pool_row<kDims>, Function, max_doc.c_str());
  ops.add(("max_pool" + n +
           "(Tensor self, int[1] kernel_size, int[1] stride=[], int[1] padding=0, int[1] "
           "dilation=1, bool ceil_mode=False) -> Tensor")
              .c_str(),
          plain_max_pool_row<kDims>, Function, max_doc.c_str());
  if constexpr (kDims == 1) {
    for (const char* space : {"", "nn."})
      ops.add((std::string(space) + "avg_pool1d(Tensor input, " + window +
               "bool ceil_mode=False, bool count_include_pad=True) -> Tensor")
                  .c_str(),
              avg_pool1d_row, Function | Out, mean_doc.c_str());
  } else {
    ops.add(("nn.avg_pool" + n + "(Tensor input, " + window +
             "bool ceil_mode=False, bool count_include_pad=True, int? divisor_override=None) -> "
             "Tensor")
                .c_str(),
            avg_pool_row<kDims>, Function | Out, mean_doc.c_str());
  }
}

}  // namespace

Tensor avg_pool(int dims, const Tensor& self, IntList kernel_size, IntList stride, IntList padding,
                bool ceil_mode, bool count_include_pad, OptInt divisor_override) {
  static const char* const kNames[] = {"avg_pool1d", "avg_pool2d", "avg_pool3d"};
  const int64_t one[1] = {1};
  if (dims == 1) {
    check_1d("avg_pool1d", self);
    check_one("avg_pool1d", "kernel_size", kernel_size, false);
    check_one("avg_pool1d", "stride", stride, true);
    check_one("avg_pool1d", "padding", padding, false);
  }
  const Lists l = lists_of(kNames[dims - 1], dims, kernel_size, stride, padding, one);
  check(!divisor_override || *divisor_override != 0, "divisor must be not zero");
  PoolWindows p = dims == 1 ? windows_1d(self, l, ceil_mode)
                            : windows_of("avg_pool3d_out_cpu()", self, dims, l, ceil_mode, true);
  p.count_include_pad = count_include_pad;
  p.divisor = divisor_override.value_or(0);
  const DType type = self.dtype();
  check<NotImplementedError>(is_floating(type) || type == DType::Int64,
                             "\"{}\" not implemented for '{}'", kMeanNames[dims - 1], type);
  return mean_pool(kMeanNames[dims - 1], kMeanNodes[dims - 1], self, p);
}

std::tuple<Tensor, Tensor> max_pool_with_indices(int dims, const Tensor& self, IntList kernel_size,
                                                 IntList stride, IntList padding, IntList dilation,
                                                 bool ceil_mode) {
  Pooled r = pool_max(dims, self, kernel_size, stride, padding, dilation, ceil_mode, true);
  return {r.values, r.indices};
}

void register_pool(OpTable& ops) {
  add_rows<1>(ops);
  add_rows<2>(ops);
  add_rows<3>(ops);
  ops.add(
      "max_pool1d_with_indices(Tensor self, int[1] kernel_size, int[1] stride=[], int[1] "
      "padding=0, int[1] dilation=1, bool ceil_mode=False) -> (Tensor, Tensor)",
      max_pool1d_with_indices_row, Function,
      "Returns the largest element of each window along the last dimension, and where it lies.");
  register_pool_adaptive(ops);
  register_pool_more(ops);
}

}  // namespace d2l
