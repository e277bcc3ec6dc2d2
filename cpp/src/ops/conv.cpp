// Convolution: each op with its derivative and its row.
//
// The one idea: convolution, the gradient of its input (which is the transposed convolution) and
// that of its weight are three linear maps, each of which has the other two as its derivatives. So
// derivatives of any order are made of the same three products (conv_kernels.cpp).
#include "ops/conv_parts.h"

namespace d2l {
namespace {

// The bias's gradient: the sum over all positions.
Tensor channel_sums(const Tensor& g) {
  Dims dims{0};
  for (int64_t i = 2; i < g.dim(); ++i) dims.push_back(i);
  return sum(g, IntList(dims));
}

}  // namespace

Tensor conv_forward(const Tensor& x, const Tensor& w, const Tensor& bias, Triple out,
                    const Windows& p) {
  const Tensor y = raw_conv_forward(x, w, bias, out, p);
  const Triple in = spatial(x.shape(), p.dims), kernel = spatial(w.shape(), p.dims);
  return record(
      y, "ConvolutionBackward0", {&x, &w, &bias}, saved_factors(x, w),
      [p, in](const Tensor& g, const Tensor&, const Tensor& b) {
        return conv_data(g, conj(b), Tensor(), in, p);
      },
      [p, kernel](const Tensor& g, const Tensor& a, const Tensor&) {
        return conv_weight(conj(a), g, kernel, p);
      },
      [](const Tensor& g, const Tensor&, const Tensor&) { return channel_sums(g); });
}

Tensor conv_data(const Tensor& g, const Tensor& w, const Tensor& bias, Triple in,
                 const Windows& p) {
  const Tensor x = raw_conv_data(g, w, bias, in, p);
  const Triple out = spatial(g.shape(), p.dims), kernel = spatial(w.shape(), p.dims);
  return record(
      x, "ConvolutionBackward0", {&g, &w, &bias}, saved_factors(g, w),
      [p, out](const Tensor& gg, const Tensor&, const Tensor& b) {
        return conv_forward(gg, conj(b), Tensor(), out, p);
      },
      [p, kernel](const Tensor& gg, const Tensor& a, const Tensor&) {
        return conv_weight(gg, conj(a), kernel, p);
      },
      [](const Tensor& gg, const Tensor&, const Tensor&) { return channel_sums(gg); });
}

Tensor conv_weight(const Tensor& x, const Tensor& g, Triple kernel, const Windows& p) {
  const Tensor w = raw_conv_weight(x, g, kernel, p);
  const Triple in = spatial(x.shape(), p.dims), out = spatial(g.shape(), p.dims);
  return record(
      w, "ConvolutionBackwardBackward0", {&x, &g}, saved_factors(x, g),
      [p, in](const Tensor& gg, const Tensor&, const Tensor& b) {
        return conv_data(conj(b), gg, Tensor(), in, p);
      },
      [p, out](const Tensor& gg, const Tensor& a, const Tensor&) {
        return conv_forward(conj(a), gg, Tensor(), out, p);
      });
}

namespace {

std::string sizes_text(IntList values, const char* between = " x ") {
  std::string out;
  for (const int64_t v : values) out += (out.empty() ? "" : between) + std::to_string(v);
  return out;
}
bool any_below(IntList values, int64_t least) {
  for (const int64_t v : values)
    if (v < least) return true;
  return false;
}

// "output_padding_height: 1 output_padding_width: 1"; one dimension counts as two.
std::string named(const char* what, const Triple& values, int dims) {
  static const char* const kNames[] = {"depth", "height", "width"};
  std::string out;
  for (int i = dims == 3 ? 0 : 1; i < 3; ++i)
    out += (out.empty() ? "" : " ") + std::string(what) + "_" + kNames[i] + ": " +
           std::to_string(values[i]);
  return out;
}

Triple expanded(const char* name, IntList values, int dims, int64_t missing) {
  check(static_cast<int>(values.size()) == dims || values.size() == 1,
        "expected {} to be a single integer value or a list of {} values to match the convolution "
        "dimensions, but got {}={}",
        name, dims, name, values);
  return triple_of(values, dims, missing);
}
IntList tail(const Triple& t, int dims) { return IntList(t.data() + 3 - dims, dims); }

void check_shapes(const Tensor& x, const Tensor& w, const Tensor& bias, const Windows& p,
                  bool transposed, const Triple& output_padding) {
  const IntList ws = w.shape(), xs = x.shape();
  check(!any_below(list(p.padding), 0), "negative padding is not supported");
  check(!any_below(list(output_padding), 0), "negative output_padding is not supported");
  check(!any_below(list(p.stride), 1), "non-positive stride is not supported");
  check(!any_below(list(p.dilation), 1), "dilation should be greater than zero, but got {}",
        tail(p.dilation, p.dims));
  check(w.dim() == x.dim(),
        "Expected {}-dimensional input for {}-dimensional weight {}, but got {}-dimensional input "
        "of size {} instead",
        w.dim(), w.dim(), ws, x.dim(), xs);
  check(ws[0] >= p.groups,
        "Given groups={}, expected weight to be at least {} at dimension 0, but got weight of size "
        "{} instead",
        p.groups, p.groups, ws);
  check(ws[0] % p.groups == 0,
        "Given groups={}, expected weight to be divisible by {} at dimension 0, but got weight of "
        "size [{}] instead",
        p.groups, p.groups, ws);
  const bool flat_bias = !bias.defined() || bias.dim() == 1;
  int64_t channels;
  check(!__builtin_mul_overflow(ws[1], p.groups, &channels), "convolution: too many channels");
  if (transposed) {
    check(xs[1] == ws[0],
          "Given transposed=1, weight of size {}, expected input{} to have {} channels, but got {} "
          "channels instead",
          ws, xs, ws[0], xs[1]);
    check(flat_bias && (!bias.defined() || bias->shape[0] == channels),
          "Given transposed=1, weight of size {}, expected bias to be 1-dimensional with {} "
          "elements, but got bias of size {} instead",
          ws, channels, bias.defined() ? bias.shape() : IntList());
    return;
  }
  check(xs[1] == channels,
        "Given groups={}, weight of size {}, expected input{} to have {} channels, but got {} "
        "channels instead",
        p.groups, ws, xs, channels, xs[1]);
  check(flat_bias && (!bias.defined() || bias->shape[0] == ws[0]),
        "Given weight of size {}, expected bias to be 1-dimensional with {} elements, but got bias "
        "of size {} instead",
        ws, ws[0], bias.defined() ? bias.shape() : IntList());
}

void check_dtypes(const Tensor& x, const Tensor& w, const Tensor& bias) {
  const DType type = x.dtype();
  check(w.dtype() == type, "expected scalar type {} but found {}", type, w.dtype());
  check(!bias.defined() || bias.dtype() == type, "expected scalar type {} but found {}", type,
        bias.defined() ? bias.dtype() : type);
  check<NotImplementedError>(type != DType::Bool, "\"slow_conv2d_cpu\" not implemented for '{}'",
                             type);
}

// The extents that sums and products below stay far within 63 bits with.
void check_range(const Triple& t, const char* what) {
  for (const int64_t v : t)
    check(v < (int64_t{1} << 31), "convolution: {} {} is too large", what, v);
}

Tensor convolve(const Tensor& x, const Tensor& w, const Tensor& bias, IntList stride,
                IntList padding, IntList dilation, bool transposed, IntList output_padding,
                int64_t groups) {
  const int dims = static_cast<int>(w.dim()) - 2;
  check(dims > 0, "weight should have at least three dimensions");
  check(groups > 0, "non-positive groups is not supported");
  check(dims <= 3, "convolution: at most 3 spatial dimensions, but got {}", dims);
  Windows p;
  p.dims = dims;
  p.stride = expanded("stride", stride, dims, 1);
  p.padding = expanded("padding", padding, dims, 0);
  p.dilation = expanded("dilation", dilation, dims, 1);
  p.groups = groups;
  const Triple extra =
      transposed ? expanded("output_padding", output_padding, dims, 0) : Triple{0, 0, 0};
  check_shapes(x, w, bias, p, transposed, extra);
  check_range(p.stride, "stride");
  check_range(p.padding, "padding");
  check_range(p.dilation, "dilation");
  check_range(extra, "output_padding");
  const Triple kernel = spatial(w.shape(), dims), in = spatial(x.shape(), dims);
  check_range(kernel, "kernel size");
  if (!transposed) {
    Triple room, reach;
    bool fits = true;
    for (int i = 0; i < 3; ++i) {
      room[i] = in[i] + 2 * p.padding[i];
      reach[i] = p.dilation[i] * (kernel[i] - 1) + 1;
      fits = fits && room[i] >= reach[i];
    }
    check(fits,
          "Calculated padded input size per channel: ({}). Kernel size: ({}). Kernel size can't be "
          "greater than actual input size",
          sizes_text(tail(room, dims)), sizes_text(tail(reach, dims)));
  }
  check_dtypes(x, w, bias);
  check(!any_below(list(kernel), 1), "kernel size should be greater than zero, but got {}",
        named("kernel", kernel, dims));
  if (!transposed) {
    check(product(in) > 0 || x->shape[0] == 0 || x->shape[1] == 0,
          "Only zero batch or zero channel inputs are supported, but got input shape: {}",
          x.shape());
    return conv_forward(x, w, bias, window_counts(in, kernel, p), p);
  }
  Triple out;
  for (int i = 0; i < 3; ++i) {
    check(extra[i] < p.stride[i] || extra[i] < p.dilation[i],
          "output padding must be smaller than either stride or dilation, but got {} {} {}",
          named("output_padding", extra, dims), named("stride", p.stride, dims),
          named("dilation", p.dilation, dims));
    check(in[i] < (int64_t{1} << 31), "convolution: input size {} is too large", in[i]);
    out[i] = (in[i] - 1) * p.stride[i] - 2 * p.padding[i] + p.dilation[i] * (kernel[i] - 1) +
             extra[i] + 1;
  }
  check(!any_below(list(out), 1),
        "Given input size per channel: ({}). Calculated output size per channel: ({}). Output size "
        "is too small",
        sizes_text(tail(in, dims)), sizes_text(tail(out, dims)));
  return conv_data(x, w, bias, out, p);
}

// A batch of one for an input without batch dimension, and back.
template <class F>
Tensor batched(const char* op, int dims, const Tensor& x, F f) {
  check(x.dim() == dims + 1 || x.dim() == dims + 2,
        "Expected {}D (unbatched) or {}D (batched) input to {}, but got input of size: {}",
        dims + 1, dims + 2, op, x.shape());
  if (x.dim() == dims + 2) return f(x);
  const int64_t first[1] = {0};
  return squeeze_dims(f(unsqueeze(x, 0)), first);
}

// What PyTorch calls the C++ type of an element.
const char* type_name(DType t) {
  static const char* const kNames[kDTypeCount] = {
      "bool",  "unsigned char", "signed char",         "short int",
      "int",   "long int",      "c10::Half",           "c10::BFloat16",
      "float", "double",        "c10::complex<float>", "c10::complex<double>"};
  return kNames[static_cast<int>(t)];
}
void check_bias(const Tensor& x, const Tensor& bias) {
  check(!bias.defined() || bias.dtype() == x.dtype(),
        "Input type ({}) and bias type ({}) should be the same", type_name(x.dtype()),
        bias.defined() ? type_name(bias.dtype()) : "");
}

// padding='same': as many zeros as keep the size; an odd one goes to the end.
Tensor convolve_same(const Tensor& x, const Tensor& w, const Tensor& bias, IntList stride,
                     IntList dilation, int64_t groups) {
  const int dims = static_cast<int>(w.dim()) - 2;
  check(dims > 0, "weight should have at least three dimensions");
  check(groups > 0, "non-positive groups is not supported");
  check(static_cast<int>(stride.size()) == dims || stride.size() == 1,
        "stride cannot broadcast to {} dimensions", dims);
  check(static_cast<int>(dilation.size()) == dims || dilation.size() == 1,
        "dilation cannot broadcast to {} dimensions", dims);
  for (const int64_t s : stride)
    check(s == 1, "padding='same' is not supported for strided convolutions");
  check(w.dim() == x.dim(),
        "Expected {}-dimensional input for {}-dimensional weight{}, but got {}-dimensional input "
        "of size {} instead",
        w.dim(), w.dim(), w.shape(), x.dim(), x.shape());
  Dims padding;
  Tensor from = x;
  for (int i = 0; i < dims; ++i) {
    const int64_t step = dilation[dilation.size() == 1 ? 0 : i], n = w->shape[2 + i];
    check(step < (int64_t{1} << 31) && n < (int64_t{1} << 31), "convolution: too large a window");
    const int64_t total = std::max<int64_t>(0, step * (n - 1));
    padding.push_back(total / 2);
    if (total % 2) {
      Dims shape(from.shape());
      shape[2 + i] = 1;
      Options options;
      options.dtype = x.dtype();
      const Tensor both[2] = {from, zeros(shape, options)};
      from = cat(both, 2 + i);
    }
  }
  const int64_t none[1] = {0};
  return convolve(from, w, bias, stride, padding, dilation, false, none, groups);
}

template <int kDims>
Tensor conv_row(const Tensor& input, const Tensor& weight, const Tensor& bias, IntList stride,
                IntList padding, IntList dilation, int64_t groups) {
  static const char* const kNames[] = {"conv1d", "conv2d", "conv3d"};
  check_bias(input, bias);
  const int64_t none[1] = {0};
  return batched(kNames[kDims - 1], kDims, input, [&](const Tensor& x) {
    return convolve(x, weight, bias, stride, padding, dilation, false, none, groups);
  });
}
template <int kDims>
Tensor conv_mode_row(const Tensor& input, const Tensor& weight, const Tensor& bias, IntList stride,
                     std::string_view padding, IntList dilation, int64_t groups) {
  static const char* const kNames[] = {"conv1d", "conv2d", "conv3d"};
  const int64_t none[1] = {0};
  check_bias(input, bias);
  return batched(kNames[kDims - 1], kDims, input, [&](const Tensor& x) {
    if (padding == "same") return convolve_same(x, weight, bias, stride, dilation, groups);
    check(padding == "valid", "Invalid padding string: '{}'", padding);
    return convolve(x, weight, bias, stride, none, dilation, false, none, groups);
  });
}
template <int kDims>
Tensor conv_transpose_row(const Tensor& input, const Tensor& weight, const Tensor& bias,
                          IntList stride, IntList padding, IntList output_padding, int64_t groups,
                          IntList dilation) {
  static const char* const kNames[] = {"conv_transpose1d", "conv_transpose2d", "conv_transpose3d"};
  return batched(kNames[kDims - 1], kDims, input, [&](const Tensor& x) {
    return convolve(x, weight, bias, stride, padding, dilation, true, output_padding, groups);
  });
}

template <int kDims>
void add_rows(OpTable& ops, const std::string& space) {
  const std::string n = std::to_string(kDims);
  const std::string head = "(Tensor input, Tensor weight, Tensor? bias=None, int[1] stride=1, ";
  static const std::string doc =
      "Returns the " + n + "-dimensional cross-correlation of ``input`` (N, C, " +
      (kDims == 1   ? "L"
       : kDims == 2 ? "H, W"
                    : "D, H, W") +
      "), or without N, with ``weight`` (O, C / groups, kernel...), plus ``bias`` (O). ``padding`` "
      "is a number of zeros on both sides, 'valid' (none) or 'same' (as many as keep the size).";
  static const std::string turned =
      "Returns the transposed " + n +
      "-dimensional convolution, the gradient of a convolution with ``weight`` (C, O / groups, "
      "kernel...) for its input; sizes are (n - 1) * stride - 2 * padding + dilation * (kernel - "
      "1) + output_padding + 1.";
  ops.add((space + "conv" + n + "d" + head +
           "int[1] padding=0, int[1] dilation=1, int groups=1) "
           "-> Tensor")
              .c_str(),
          conv_row<kDims>, Function, doc.c_str());
  ops.add((space + "conv" + n + "d" + head +
           "str padding='valid', int[1] dilation=1, int "
           "groups=1) -> Tensor")
              .c_str(),
          conv_mode_row<kDims>, Function, doc.c_str());
  ops.add((space + "conv_transpose" + n + "d" + head +
           "int[1] padding=0, int[1] "
           "output_padding=0, int groups=1, int[1] dilation=1) -> Tensor")
              .c_str(),
          conv_transpose_row<kDims>, Function, turned.c_str());
}

Tensor convolution_row(const Tensor& input, const Tensor& weight, const Tensor& bias,
                       IntList stride, IntList padding, IntList dilation, bool transposed,
                       IntList output_padding, int64_t groups) {
  return convolve(input, weight, bias, stride, padding, dilation, transposed, output_padding,
                  groups);
}

}  // namespace

Tensor convolution(const Tensor& input, const Tensor& weight, const Tensor& bias, IntList stride,
                   IntList padding, IntList dilation, bool transposed, IntList output_padding,
                   int64_t groups) {
  return convolve(input, weight, bias, stride, padding, dilation, transposed, output_padding,
                  groups);
}

void register_conv(OpTable& ops) {
  for (const char* space : {"", "nn."}) {
    add_rows<1>(ops, space);
    add_rows<2>(ops, space);
    add_rows<3>(ops, space);
  }
  ops.add(
      "convolution(Tensor input, Tensor weight, Tensor? bias, int[] stride, int[] padding, int[] "
      "dilation, bool transposed, int[] output_padding, int groups) -> Tensor",
      convolution_row, Function | Out,
      "Returns the convolution, or the transposed one, of a batch in one to three dimensions.");
  register_conv_unfold(ops);
  register_conv_shuffle(ops);
  register_conv_grid(ops);
}

}  // namespace d2l
