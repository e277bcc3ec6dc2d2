// Adaptive pooling: windows that share out the input among a given number of outputs.
#include "ops/pool_parts.h"

namespace d2l {
namespace {

std::string times_d(int dims) { return std::to_string(dims) + "d"; }

// What both kinds check of their input; maxima need channels, too.
void check_input(const std::string& op, const Tensor& x, int dims, bool channels) {
  const int64_t first = x.dim() - dims - (channels ? 1 : 0);
  for (int64_t i = first; i < x.dim(); ++i)
    check(x->shape[i] > 0,
          "{}(): Expected input to have non-zero size for non-batch dimensions, but input has "
          "sizes {} with dimension {} being empty",
          op, x.shape(), i);
}
void check_1d(const char* op, const Tensor& x, IntList output_size) {
  check(x.dim() == 2 || x.dim() == 3,
        "Expected 2 to 3 dimensions, but got {}-dimensional tensor for argument #1 'self' (while "
        "checking arguments for {})",
        x.dim(), op);
  check(output_size.size() == 1, "{}() argument 'output_size' should contain one int (got {})", op,
        static_cast<int64_t>(output_size.size()));
}

PoolWindows windows_of(const Tensor& x, int dims, const Triple& out) {
  PoolWindows p;
  p.dims = dims;
  p.in = spatial(x.shape(), dims);
  p.out = out;
  p.adaptive = true;
  bool even = true;
  for (int i = 0; i < 3; ++i) even = even && out[i] > 0 && p.in[i] % out[i] == 0;
  if (even) {  // windows of one size
    p.adaptive = false;
    for (int i = 0; i < 3; ++i) p.kernel[i] = p.stride[i] = p.in[i] / out[i];
  }
  return p;
}

void check_large(const Triple& out) {
  for (const int64_t n : out) check(n < (int64_t{1} << 31), "adaptive pooling: {} outputs", n);
}

}  // namespace

Tensor adaptive_avg_pool(int dims, const Tensor& self, IntList output_size) {
  static const char* const kNodes[] = {"AdaptiveAvgPool1DBackward0", "AdaptiveAvgPool2DBackward0",
                                       "AdaptiveAvgPool3DBackward0"};
  const std::string op = "adaptive_avg_pool" + times_d(dims);
  if (dims == 1) check_1d("adaptive_avg_pool1d", self, output_size);
  check(static_cast<int>(output_size.size()) == dims || output_size.size() == 1,
        "{}: output_size must be {}", op, dims);
  const Triple out = triple_of(output_size, dims, 1);
  if (dims == 3) {
    check(out[0] >= 0 && out[1] >= 0 && out[2] >= 0,
          "adaptive_avg_pool3d: elements of output_size must be greater than or equal to 0 but "
          "received {{}, {},{}}",
          out[0], out[1], out[2]);
  } else {
    check(out[1] >= 0 && out[2] >= 0,
          "adaptive_avg_pool2d: elements of output_size must be greater than or equal to 0 but "
          "received {{}, {}}",
          out[1], out[2]);
  }
  check_large(out);
  check(dims == 1 || self.dim() == dims + 1 || self.dim() == dims + 2,
        "{}(): Expected {}D or {}D tensor, but got {}", op, dims + 1, dims + 2, self.shape());
  if (product(out) == 1 && dims > 1) {
    Dims all;
    for (int i = 0; i < dims; ++i) all.push_back(self.dim() - dims + i);
    return mean(self, IntList(all), true);
  }
  check_input(op, self, dims, false);
  check<NotImplementedError>(is_floating(self.dtype()), "\"{}\" not implemented for '{}'",
                             dims == 3 ? "adaptive_avg_pool3d_cpu" : "adaptive_avg_pool2d",
                             self.dtype());
  return mean_pool("adaptive_avg_pool2d", kNodes[dims - 1], self, windows_of(self, dims, out));
}

std::tuple<Tensor, Tensor> adaptive_max_pool(int dims, const Tensor& self, IntList output_size) {
  static const char* const kNodes[] = {"AdaptiveMaxPool1DBackward0", "AdaptiveMaxPool2DBackward0",
                                       "AdaptiveMaxPool3DBackward0"};
  const std::string op = "adaptive_max_pool" + times_d(dims);
  if (dims == 1) check_1d("adaptive_max_pool1d", self, output_size);
  check(static_cast<int>(output_size.size()) == dims || output_size.size() == 1,
        "{}(): internal error: output_size.size() must be {}", op, dims);
  check(self.dim() == dims + 1 || self.dim() == dims + 2,
        "{}(): Expected {}D or {}D tensor, but got: {}", op, dims + 1, dims + 2, self.shape());
  check_input(op, self, dims, true);
  const Triple out = triple_of(output_size, dims, 1);
  Dims shape = pooled_shape(self, out, dims);
  if (dims == 1) shape.insert(shape.size() - 1, 1);
  for (const int64_t n : out)
    check(n >= 0, "Trying to create tensor with negative dimension {}: {}", n, shape);
  check_large(out);
  check<NotImplementedError>(is_floating(self.dtype()), "\"{}\" not implemented for '{}'",
                             dims == 3 ? "adaptive_max_pool3d_cpu" : "adaptive_max_pool2d",
                             self.dtype());
  const Pooled r =
      max_pool("adaptive_max_pool2d", kNodes[dims - 1], self, windows_of(self, dims, out), true);
  return {r.values, r.indices};
}

namespace {

template <int kDims>
Tensor avg_row(const Tensor& input, IntList output_size) {
  return adaptive_avg_pool(kDims, input, output_size);
}
template <int kDims>
OneOrMore max_row(const Tensor& input, IntList output_size, bool return_indices) {
  auto [values, indices] = adaptive_max_pool(kDims, input, output_size);
  if (return_indices) return {{values, indices}};
  return {{values}};
}
std::tuple<Tensor, Tensor> max_1d_row(const Tensor& self, IntList output_size) {
  return adaptive_max_pool(1, self, output_size);
}

template <int kDims>
void add_rows(OpTable& ops) {
  const std::string n = std::to_string(kDims) + "d";
  static const std::string avg_doc =
      "Returns means over (N, C, in...), or (C, in...), in " + n +
      " windows that share out each dimension evenly among ``output_size`` outputs.";
  static const std::string max_doc =
      "Returns the largest elements of (N, C, in...), or (C, in...), in " + n +
      " windows that share out each dimension evenly among ``output_size`` outputs; with "
      "``return_indices`` also where in their plane they lie.";
  ops.add(("nn.adaptive_avg_pool" + n + "(Tensor input, int[1] output_size) -> Tensor").c_str(),
          avg_row<kDims>, Function, avg_doc.c_str());
  ops.add(("nn.adaptive_max_pool" + n +
           "(Tensor input, int[1] output_size, bool return_indices=False) -> Tensor")
              .c_str(),
          max_row<kDims>, Function, max_doc.c_str());
}

}  // namespace

void register_pool_adaptive(OpTable& ops) {
  add_rows<1>(ops);
  add_rows<2>(ops);
  add_rows<3>(ops);
  ops.add("adaptive_avg_pool1d(Tensor self, int[1] output_size) -> Tensor", avg_row<1>,
          Function | Out,
          "Returns means over the last dimension in windows that share it out among "
          "``output_size`` outputs.");
  ops.add("adaptive_max_pool1d(Tensor self, int[1] output_size) -> (Tensor, Tensor)", max_1d_row,
          Function,
          "Returns the largest elements along the last dimension in windows that share it out "
          "among ``output_size`` outputs, and where they lie.");
}

}  // namespace d2l
