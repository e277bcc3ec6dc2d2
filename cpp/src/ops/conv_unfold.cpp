// unfold and fold (im2col and col2im): windows as columns, and their sum.
#include "ops/conv_parts.h"

namespace d2l {
namespace {

std::string pair_text(const Triple& t) {
  return "(" + std::to_string(t[1]) + ", " + std::to_string(t[2]) + ")";
}

struct Pairs {
  Triple kernel;
  Windows p;
};

void check_pair(const char* name, IntList values) {
  check(values.size() == 1 || values.size() == 2, "It is expected {} equals to 2, but got size {}",
        name, static_cast<int64_t>(values.size()));
  for (const int64_t v : values)
    check(v < (int64_t{1} << 31), "unfold: {} {} is too large", name, v);
}

Pairs pairs_of(IntList kernel, IntList dilation, IntList padding, IntList stride) {
  check_pair("kernel_size", kernel);
  check_pair("dilation", dilation);
  check_pair("padding", padding);
  check_pair("stride", stride);
  Pairs out;
  out.kernel = triple_of(kernel, 2, 1);
  out.p.dims = 2;
  out.p.dilation = triple_of(dilation, 2, 1);
  out.p.padding = triple_of(padding, 2, 0);
  out.p.stride = triple_of(stride, 2, 1);
  const auto positive = [](const char* what, const char* name, const Triple& t) {
    check(t[1] > 0 && t[2] > 0,
          "{} should be greater than zero, but got {}_height: {} {}_width: {}", what, name, t[1],
          name, t[2]);
  };
  positive("kernel size", "kernel", out.kernel);
  positive("stride", "stride", out.p.stride);
  positive("dilation", "dilation", out.p.dilation);
  check(out.p.padding[1] >= 0 && out.p.padding[2] >= 0,
        "padding should be non-negative, but got pad_height: {} pad_width: {}", out.p.padding[1],
        out.p.padding[2]);
  return out;
}

// A plain value for the formulas.
struct Lists {
  Dims size, kernel, dilation, padding, stride;
};

}  // namespace

Tensor im2col(const Tensor& input, IntList kernel_size, IntList dilation, IntList padding,
              IntList stride) {
  const Pairs a = pairs_of(kernel_size, dilation, padding, stride);
  const bool batch = input.dim() == 4;
  bool empty_part = input.dim() != 3 && !batch;
  for (int64_t i = batch ? 1 : 0; i < input.dim(); ++i)
    empty_part = empty_part || input->shape[i] == 0;
  check(!empty_part,
        "Expected 3D or 4D (batch mode) tensor with possibly 0 batch size and other non-zero "
        "dimensions for input, but got: {}",
        input.shape());
  check<NotImplementedError>(!is_integral(input.dtype()),
                             "\"im2col_out_cpu\" not implemented for '{}'", input.dtype());
  const Tensor x = batch ? detach(input) : unsqueeze(detach(input), 0);
  const Triple in = spatial(x.shape(), 2), out = window_counts(in, a.kernel, a.p);
  check(out[1] > 0 && out[2] > 0,
        "Given input with spatial size ({}, {}), kernel_size={}, dilation={}, padding={}, "
        "calculated shape of the array of sliding blocks as ({}, {}), but its components must be "
        "at least one.",
        in[1], in[2], pair_text(a.kernel), pair_text(a.p.dilation), pair_text(a.p.padding), out[1],
        out[2]);
  const Tensor windows = gather_windows(x, a.kernel, out, a.p);
  Dims shape{x->shape[0], x->shape[1] * product(a.kernel), product(out)};
  if (!batch) shape.erase(0);
  const Lists l{Dims{in[1], in[2]}, Dims(kernel_size), Dims(dilation), Dims(padding), Dims(stride)};
  return record(shaped(windows, shape), "Im2ColBackward0", {&input}, saved(), [l](const Tensor& g) {
    return col2im(g, l.size, l.kernel, l.dilation, l.padding, l.stride);
  });
}

Tensor col2im(const Tensor& input, IntList output_size, IntList kernel_size, IntList dilation,
              IntList padding, IntList stride) {
  check_pair("output_size", output_size);
  const Pairs a = pairs_of(kernel_size, dilation, padding, stride);
  const Triple size = triple_of(output_size, 2, 1);
  const bool batch = input.dim() == 3;
  bool wrong = input.dim() != 2 && !batch;
  for (int64_t i = batch ? 1 : 0; i < input.dim(); ++i) wrong = wrong || input->shape[i] == 0;
  check(!wrong,
        "Expected 2D or 3D (batch mode) tensor for input with possibly 0 batch size and non-zero "
        "dimensions for input, but got: {}",
        input.shape());
  const int64_t at = batch ? 1 : 0, area = product(a.kernel);
  check(input->shape[at] % area == 0,
        "Expected size of input's dimension 1 to be divisible by the product of kernel_size, but "
        "got input.size(1)={} and kernel_size={}.",
        input->shape[at], pair_text(a.kernel));
  const Triple out = window_counts(size, a.kernel, a.p);
  check(input->shape[at + 1] == out[1] * out[2],
        "Given output_size={}, kernel_size={}, dilation={}, padding={}, stride={}, expected size "
        "of input's dimension 2 to match the calculated number of sliding blocks {} * {} = {}, but "
        "got input.size(2)={}.",
        pair_text(size), pair_text(a.kernel), pair_text(a.p.dilation), pair_text(a.p.padding),
        pair_text(a.p.stride), out[1], out[2], out[1] * out[2], input->shape[at + 1]);
  check<NotImplementedError>(!is_integral(input.dtype()),
                             "\"col2im_out_cpu\" not implemented for '{}'", input.dtype());
  const int64_t n = batch ? input->shape[0] : 1, c = input->shape[at] / area;
  Tensor image;
  {
    GradModeGuard off(false);
    const Dims shape{n, c, a.kernel[0], a.kernel[1], a.kernel[2], out[0], out[1], out[2]};
    image = add_windows(reshape(input, shape), size, a.p);
    if (!batch) image = shaped(image, Dims{c, size[1], size[2]});
  }
  const Lists l{Dims(output_size), Dims(kernel_size), Dims(dilation), Dims(padding), Dims(stride)};
  return record(image, "Col2ImBackward0", {&input}, saved(), [l](const Tensor& g) {
    return im2col(g, l.kernel, l.dilation, l.padding, l.stride);
  });
}

namespace {

Tensor unfold_row(const Tensor& input, IntList kernel_size, IntList dilation, IntList padding,
                  IntList stride) {
  return im2col(input, kernel_size, dilation, padding, stride);
}
Tensor fold_row(const Tensor& input, IntList output_size, IntList kernel_size, IntList dilation,
                IntList padding, IntList stride) {
  return col2im(input, output_size, kernel_size, dilation, padding, stride);
}

}  // namespace

void register_conv_unfold(OpTable& ops) {
  ops.add(
      "nn.unfold(Tensor input, int[1] kernel_size, int[1] dilation=1, int[1] padding=0, int[1] "
      "stride=1) -> Tensor",
      unfold_row, Function,
      "Returns all windows of ``input`` (N, C, H, W), or (C, H, W), as columns: (N, C * kh * kw, "
      "number of windows).");
  ops.add(
      "nn.fold(Tensor input, int[1] output_size, int[1] kernel_size, int[1] dilation=1, int[1] "
      "padding=0, int[1] stride=1) -> Tensor",
      fold_row, Function,
      "Adds up columns (N, C * kh * kw, number of windows) in an image of ``output_size`` (N, C, "
      "H, W): the adjoint of ``unfold``.");
}

}  // namespace d2l
