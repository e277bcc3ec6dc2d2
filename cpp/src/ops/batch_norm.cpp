// Batch, instance and group normalisation: statistics by channel or by group of channels.
//
// The one idea: once the statistics are known, result and gradient are x a + b and g a + x b + c
// with a few numbers for each channel, so that each takes one pass over memory.
#include <limits>

#include "ops/normalize_parts.h"

namespace d2l {
namespace {

// The input as (items, channels, elements), elements of one channel of one item lying together.
struct Channels {
  int64_t items = 1, channels = 1, length = 1;
  int64_t count() const { return items * length; }
};

Channels channels_of(const Tensor& input) {
  Channels c;
  c.items = input->shape[0];
  c.channels = input->shape[1];
  for (int64_t d = 2; d < input.dim(); ++d) c.length *= input->shape[d];
  return c;
}

void check_features(const char* what, const Tensor& t, int64_t channels) {
  check(t.numel() == channels, "{} should contain {} elements not {}", what, channels, t.numel());
}

// Per-channel sums: (mean, variance), or (sum g, sum g (x - mean)) when g is given.
std::array<Tensor, 2> channel_sums(const Tensor& x, const Channels& c, const Tensor& g,
                                   const Tensor& mean) {
  const DType type = x.dtype();
  std::array<Tensor, 2> out{empty(Dims{c.channels}, type), empty(Dims{c.channels}, type)};
  if (c.count() == 0) {  // nothing to add up
    for (const Tensor& t : out) fill_into(t, Scalar(0.0));
    return out;
  }
  NormArgs args;
  args.x = x.data();
  args.g = data_or_null(g);
  args.a = data_or_null(mean);
  args.out = out[0].data();
  args.out2 = out[1].data();
  if (c.length == 1) {
    args.n = c.channels;
    args.rows = c.items;
    args.row_pitch = c.channels;
    run_columns(g.defined() ? Norm::column_dots : Norm::column_moments, type, args);
  } else {
    args.n = c.length;
    args.rows = c.channels;
    args.row_pitch = c.length;
    args.spans = c.items;
    args.span_pitch = c.channels * c.length;
    run_rows(g.defined() ? Norm::dots : Norm::moments, type, args, c.count());
  }
  return out;
}

// x a + b, or g a + x b + e when g is given; one number for each channel.
Tensor by_channel(const Tensor& x, const Channels& c, const Tensor& g, const Tensor& a,
                  const Tensor& b, const Tensor& e) {
  const DType type = x.dtype();
  Tensor out = empty(x.shape(), type);
  NormArgs args;
  args.x = x.data();
  args.g = data_or_null(g);
  args.a = a.data();
  args.b = b.data();
  args.c = data_or_null(e);
  args.out = out.data();
  if (c.length == 1) {
    args.n = c.channels;
    args.rows = c.items;
    run_columns(g.defined() ? Norm::column_combine : Norm::column_scale, type, args);
  } else {
    args.n = c.length;
    args.rows = c.items * c.channels;
    args.period = c.channels;
    run_rows(g.defined() ? Norm::combine : Norm::scale, type, args, c.length);
  }
  return out;
}

// What running bfloat16 statistics see of the batch's: rounded, as in PyTorch.
Tensor seen_by(const Tensor& running, const Tensor& now) {
  if (!running.defined() || running.dtype() != DType::BFloat16) return now;
  return to_dtype(to_dtype(now, DType::BFloat16), now.dtype());
}

// running = (1 - momentum) running + momentum now, in running's dtype.
void update_running(const Tensor& running, const Tensor& batch, double momentum) {
  if (!running.defined()) return;
  const Tensor now = seen_by(running, batch);
  const Tensor wide = to_dtype(detach(running), now.dtype());
  const Tensor next = add(mul(now, Scalar(momentum)), mul(wide, Scalar(1 - momentum)));
  copy_into(running, reshape(next, running.shape()));
  running.bump_version();
}

struct BatchPlan {
  Channels c;
  bool training;
  double eps;
};

// (1, channels, 1...) of as many dimensions as x.
Tensor across_channels(const Tensor& t, const Tensor& x) {
  Dims shape(static_cast<int>(x.dim()), 1);
  shape[1] = t.numel();
  return view(t, shape);
}
Dims all_but_channels(int64_t ndim) {
  Dims dims;
  for (int64_t d = 0; d < ndim; ++d) {
    if (d != 1) dims.push_back(d);
  }
  return dims;
}

// The gradients by ops, for gradients of gradients.
void batch_backward_by_ops(const BatchPlan& plan, const Node& node, const Tensor& grad,
                           const Tensor& input, const Tensor& weight, const Tensor& mean,
                           const Tensor& rstd, std::vector<Tensor>& in) {
  const DType type = rstd.dtype();
  const Tensor x = to_dtype(input, type), g = to_dtype(grad, type);
  const Tensor w = weight.defined() ? across_channels(to_dtype(weight, type), x) : Tensor();
  const Dims dims = all_but_channels(x.dim());
  Tensor dw;
  if (plan.training) {
    NormGrads grads = norm_backward_by_ops(g, x, w, dims, true, plan.eps);
    if (node.needs(0)) in[0] = grads.input;
    dw = grads.weight;
  } else {
    const Tensor scale = across_channels(rstd, x);
    if (node.needs(0)) in[0] = mul(g, w.defined() ? mul(w, scale) : scale);
    dw = mul(g, mul(sub(x, across_channels(mean, x)), scale));
  }
  if (node.needs(1)) in[1] = sum(dw, IntList(dims));
  if (node.needs(2)) in[2] = sum(g, IntList(dims));
}

void batch_backward(const BatchPlan& plan, const Node& node, const Tensor& grad,
                    const Tensor& input, const Tensor& weight, const Tensor& mean,
                    const Tensor& rstd, std::vector<Tensor>& in) {
  if (GradMode::enabled()) {
    return batch_backward_by_ops(plan, node, grad, input, weight, mean, rstd, in);
  }
  const DType type = rstd.dtype();
  const Tensor g = norm_operand(grad, type), x = norm_operand(input, type);
  const Tensor a = weight.defined() ? mul(to_dtype(weight, type), rstd) : rstd;
  const auto [sums, dots] = channel_sums(x, plan.c, g, mean);
  if (node.needs(0)) {
    Tensor b, e;
    if (plan.training) {
      const double n = static_cast<double>(plan.c.count());
      b = mul(mul(mul(a, square(rstd)), dots), Scalar(-1 / n));
      e = sub(mul(mul(a, sums), Scalar(-1 / n)), mul(b, mean));
    } else {
      b = zeros(a.shape(), Options(type));
      e = b;
    }
    in[0] = plan.training ? by_channel(x, plan.c, g, a, b, e)
                          : by_channel(g, plan.c, Tensor(), a, b, Tensor());
  }
  if (node.needs(1)) in[1] = mul(dots, rstd);
  if (node.needs(2)) in[2] = sums;
}

}  // namespace

std::tuple<Tensor, Tensor, Tensor> native_batch_norm(const Tensor& input, const Tensor& weight,
                                                     const Tensor& bias, const Tensor& running_mean,
                                                     const Tensor& running_var, bool training,
                                                     double momentum, double eps) {
  const int64_t channels = input->shape[wrap_dim(1, input.dim())];
  if (running_mean.defined()) check_features("running_mean", running_mean, channels);
  check(training || running_mean.defined(), "running_mean must be defined in evaluation mode");
  if (running_var.defined()) check_features("running_var", running_var, channels);
  check(training || running_var.defined(), "running_var must be defined in evaluation mode");
  if (weight.defined()) check_features("weight", weight, channels);
  if (bias.defined()) check_features("bias", bias, channels);
  check<NotImplementedError>(is_floating(input.dtype()), "\"batch_norm\" not implemented for '{}'",
                             input.dtype());
  check_mixed(input, {&weight, &bias, &running_mean, &running_var});
  const BatchPlan plan{channels_of(input), training, eps};
  const DType type = norm_type(input.dtype());
  Tensor out, mean, rstd;
  {
    GradModeGuard off(false);
    const Tensor x = norm_operand(input, type), w = norm_operand(weight, type),
                 shift = norm_operand(bias, type);
    Tensor var;
    if (training) {
      auto sums = channel_sums(x, plan.c, Tensor(), Tensor());
      mean = sums[0];
      var = sums[1];
      const double n = static_cast<double>(plan.c.count());
      update_running(running_mean, mean, momentum);
      const Tensor squares = seen_by(running_var, mul(var, Scalar(n)));
      update_running(running_var, div(squares, Scalar(n - 1)), momentum);
    } else {
      mean = reshape(norm_operand(running_mean, type), Dims{channels});
      var = reshape(norm_operand(running_var, type), Dims{channels});
    }
    rstd = div(ones({}, Options(type)), sqrt(add(var, Scalar(eps))));
    const Tensor a = w.defined() ? mul(rstd, reshape(w, Dims{channels})) : rstd;
    const Tensor moved = mul(mean, a);
    const Tensor b = shift.defined() ? sub(reshape(shift, Dims{channels}), moved) : neg(moved);
    out = by_channel(x, plan.c, Tensor(), a, b, Tensor());
    if (type != input.dtype()) out = to_dtype(out, input.dtype());
    // Running statistics that are written to later must not change what backward reads.
    if (!training) mean = clone(mean);
  }
  out = record(out, "NativeBatchNormBackward0", {&input, &weight, &bias},
               saved(input, weight, mean, rstd),
               joint([plan](const Node& node, const Tensor& g, const Tensor& x, const Tensor& w,
                            const Tensor& m, const Tensor& r, std::vector<Tensor>& in) {
                 batch_backward(plan, node, g, x, w, m, r, in);
               }));
  return {out, mean, rstd};
}

Tensor batch_norm(const Tensor& input, const Tensor& weight, const Tensor& bias,
                  const Tensor& running_mean, const Tensor& running_var, bool training,
                  double momentum, double eps) {
  if (input.numel() == 0) {
    Tensor out = clone(input);
    if (weight.defined()) out = mul(out, select(weight, 0, 0));
    return bias.defined() ? add(out, select(bias, 0, 0)) : out;
  }
  return std::get<0>(
      native_batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps));
}

// Each channel of each item is a channel of a batch of one.
Tensor instance_norm(const Tensor& input, const Tensor& weight, const Tensor& bias,
                     const Tensor& running_mean, const Tensor& running_var, bool use_input_stats,
                     double momentum, double eps) {
  check(use_input_stats || (running_mean.defined() && running_var.defined()),
        "Expected running_mean and running_var to be defined when use_input_stats is false");
  const int64_t channels = input->shape[wrap_dim(1, input.dim())], items = input->shape[0];
  Dims shape(input.shape());
  shape[0] = 1;
  shape[1] = items * channels;
  auto repeated = [&](const Tensor& t) { return t.defined() ? repeat(t, Dims{items}) : Tensor(); };
  const Tensor mean = repeated(running_mean), var = repeated(running_var);
  const Tensor out = batch_norm(view(contiguous(input), shape), repeated(weight), repeated(bias),
                                mean, var, use_input_stats, momentum, eps);
  const int64_t first[1] = {0};
  for (auto [running, now] : {std::pair(&running_mean, &mean), std::pair(&running_var, &var)}) {
    if (!running->defined() || !use_input_stats || items == 0) continue;
    GradModeGuard off(false);
    copy_into(*running, d2l::mean(view(*now, Dims{items, channels}), IntList(first)));
    running->bump_version();
  }
  return view(out, input.shape());
}

namespace {

struct GroupPlan {
  int64_t items, channels, length, groups;
  double eps;
  int64_t width() const { return channels / groups; }  // channels of a group
  int64_t count() const { return width() * length; }   // elements of a group
  Dims grouped() const { return Dims{items, groups, width(), length}; }
};

void group_backward(const GroupPlan& p, const Node& node, const Tensor& grad, const Tensor& input,
                    const Tensor& weight, const Tensor& mean, const Tensor& rstd,
                    std::vector<Tensor>& in) {
  const DType type = rstd.dtype();
  const Dims by_group{1, p.groups, p.width(), 1}, over{2, 3}, but_channels{0, 3};
  if (GradMode::enabled()) {
    const Tensor x = reshape(to_dtype(input, type), p.grouped());
    const Tensor g = reshape(to_dtype(grad, type), p.grouped());
    const Tensor w = weight.defined() ? view(to_dtype(weight, type), by_group) : Tensor();
    NormGrads grads = norm_backward_by_ops(g, x, w, over, true, p.eps);
    if (node.needs(0)) in[0] = reshape(grads.input, input.shape());
    if (node.needs(1)) in[1] = reshape(sum(grads.weight, IntList(but_channels)), Dims{p.channels});
    if (node.needs(2)) in[2] = reshape(sum(g, IntList(but_channels)), Dims{p.channels});
    return;
  }
  const Tensor x = norm_operand(input, type), g = norm_operand(grad, type);
  const Dims per_channel{p.items, p.groups, p.width()}, per_group{p.items, p.groups, 1};
  const Tensor m = view(mean, per_group), r = view(rstd, per_group);
  const Tensor means = contiguous(expand(m, per_channel));
  const Tensor sums = empty(per_channel, type), dots = empty(per_channel, type);
  NormArgs args;
  args.x = x.data();
  args.g = g.data();
  args.a = means.data();
  args.out = sums.data();
  args.out2 = dots.data();
  args.n = p.length;
  args.row_pitch = p.length;
  args.rows = p.items * p.channels;
  run_rows(Norm::dots, type, args, p.length);
  const int64_t width[1] = {2}, items[1] = {0};
  if (node.needs(0)) {
    const Tensor w =
        weight.defined() ? view(to_dtype(weight, type), Dims{1, p.groups, p.width()}) : Tensor();
    auto weighted = [&](const Tensor& t) { return w.defined() ? mul(t, w) : t; };
    const double n = static_cast<double>(p.count());
    const Tensor m1 = mul(sum(weighted(sums), IntList(width), true), Scalar(1 / n));
    const Tensor m2 = mul(mul(sum(weighted(dots), IntList(width), true), r), Scalar(1 / n));
    const Tensor a = contiguous(expand(weighted(r), per_channel));
    const Tensor slope = neg(mul(square(r), m2));
    const Tensor b = contiguous(expand(slope, per_channel));
    const Tensor shift = neg(add(mul(r, m1), mul(slope, m)));
    const Tensor c = contiguous(expand(shift, per_channel));
    Tensor dx = empty(input.shape(), type);
    args.a = a.data();
    args.b = b.data();
    args.c = c.data();
    args.period = args.rows;
    args.out = dx.data();
    args.out2 = nullptr;
    run_rows(Norm::combine, type, args, p.length);
    in[0] = dx;
  }
  if (node.needs(1)) in[1] = view(sum(mul(dots, r), IntList(items)), Dims{p.channels});
  if (node.needs(2)) in[2] = view(sum(sums, IntList(items)), Dims{p.channels});
}

}  // namespace

std::tuple<Tensor, Tensor, Tensor> native_group_norm(const Tensor& input, const Tensor& weight,
                                                     const Tensor& bias, int64_t n, int64_t c,
                                                     int64_t hxw, int64_t group, double eps) {
  check(group > 0, "Expected num groups to be greater than 0, got {}", group);
  check(n >= 0 && c >= 0 && hxw >= 0 && c % group == 0,
        "Expected number of channels in input to be divisible by num_groups, but got input of "
        "shape {} and num_groups={}",
        input.shape(), group);
  check(checked_numel(Dims{n, c, hxw}) == input.numel(),
        "native_group_norm: sizes {} x {} x {} do not fit an input of shape {}", n, c, hxw,
        input.shape());
  for (const Tensor* t : {&weight, &bias}) {
    check(!t->defined() || (t->dim() == 1 && t->numel() == c),
          "Expected {} to be a vector of size equal to the number of channels in input, but got {} "
          "of shape {} and input of shape {}",
          t == &weight ? "weight" : "bias", "weight", t->defined() ? t->shape() : IntList(),
          input.shape());
  }
  check<NotImplementedError>(is_floating(input.dtype()),
                             "\"GroupNormKernelImpl\" not implemented for '{}'", input.dtype());
  check_mixed(input, {&weight, &bias});
  const GroupPlan p{n, c, hxw, group, eps};
  const DType type = norm_type(input.dtype());
  const Dims per_group{n, group};
  const Tensor mean = empty(per_group, type);
  Tensor out = empty(input.shape(), type), rstd = empty(per_group, type);
  {
    GradModeGuard off(false);
    const Tensor x = norm_operand(input, type), w = norm_operand(weight, type),
                 shift = norm_operand(bias, type);
    const Tensor var = empty(per_group, type);
    if (input.numel() == 0) {
      fill_into(mean, Scalar(0.0));
      fill_into(var, Scalar(std::numeric_limits<double>::quiet_NaN()));
    }
    NormArgs args;
    args.x = x.data();
    args.out = mean.data();
    args.out2 = var.data();
    args.n = p.count();
    args.rows = n * group;
    args.row_pitch = p.count();
    run_rows(Norm::moments, type, args, p.count());
    rstd = div(ones({}, Options(type)), sqrt(add(var, Scalar(eps))));
    const Dims per_channel{n, group, p.width()}, by_group{1, group, p.width()};
    const Tensor r = unsqueeze(rstd, 2);
    const Tensor a = contiguous(expand(w.defined() ? mul(r, view(w, by_group)) : r, per_channel));
    const Tensor moved = mul(a, unsqueeze(mean, 2));
    const Tensor b = shift.defined() ? sub(view(shift, by_group), moved) : neg(moved);
    args.a = a.data();
    args.b = b.data();
    args.out = out.data();
    args.out2 = nullptr;
    args.n = hxw;
    args.rows = args.period = n * c;
    run_rows(Norm::scale, type, args, hxw);
    if (type != input.dtype()) out = to_dtype(out, input.dtype());
  }
  out = record(out, "NativeGroupNormBackward0", {&input, &weight, &bias},
               saved(input, weight, mean, rstd),
               joint([p](const Node& node, const Tensor& g, const Tensor& x, const Tensor& w,
                         const Tensor& m, const Tensor& r,
                         std::vector<Tensor>& in) { group_backward(p, node, g, x, w, m, r, in); }));
  return {out, mean, rstd};
}

Tensor group_norm(const Tensor& input, int64_t num_groups, const Tensor& weight, const Tensor& bias,
                  double eps) {
  const int64_t n = input->shape[0], c = input->shape[wrap_dim(1, input.dim())];
  int64_t length = 1;
  for (int64_t d = 2; d < input.dim(); ++d) length *= input->shape[d];
  return std::get<0>(native_group_norm(input, weight, bias, n, c, length, num_groups, eps));
}

namespace {

// nn's rows refuse what has no variance.
void check_batch_size(IntList sizes, const std::string& text) {
  int64_t product = sizes[0];
  for (size_t d = 2; d < sizes.size(); ++d) product *= sizes[d];
  check<ValueError>(product != 1,
                    "Expected more than 1 value per channel when training, got input size {}",
                    text);
}
std::string size_text(const Tensor& t) { return "torch.Size(" + detail::to_text(t.shape()) + ")"; }

Tensor nn_batch_norm(const Tensor& input, const Tensor& running_mean, const Tensor& running_var,
                     const Tensor& weight, const Tensor& bias, bool training, double momentum,
                     double eps) {
  if (training) {
    check<IndexError>(input.dim() > 0, "tuple index out of range");
    check_batch_size(input.shape(), size_text(input));
    check<ValueError>(eps > 0, "batch_norm eps must be positive during training, but got {}", eps);
  }
  check<ValueError>(eps >= 0, "batch_norm eps must be non-negative, but got {}", eps);
  return batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps);
}
Tensor nn_instance_norm(const Tensor& input, const Tensor& running_mean, const Tensor& running_var,
                        const Tensor& weight, const Tensor& bias, bool use_input_stats,
                        double momentum, double eps) {
  if (use_input_stats) {
    int64_t product = 1;
    for (int64_t d = 2; d < input.dim(); ++d) product *= input->shape[d];
    check<ValueError>(product != 1,
                      "Expected more than 1 spatial element when training, got input size {}",
                      size_text(input));
  }
  return instance_norm(input, weight, bias, running_mean, running_var, use_input_stats, momentum,
                       eps);
}
Tensor nn_group_norm(const Tensor& input, int64_t num_groups, const Tensor& weight,
                     const Tensor& bias, double eps) {
  check(input.dim() >= 2, "Expected at least 2 dimensions for input tensor but received {}",
        input.dim());
  check<ValueError>(num_groups != 0, "integer division or modulo by zero");
  Dims sizes{input->shape[0] * input->shape[1] / num_groups, num_groups};
  for (int64_t d = 2; d < input.dim(); ++d) sizes.push_back(input->shape[d]);
  check_batch_size(sizes, to_text(sizes));
  return group_norm(input, num_groups, weight, bias, eps);
}
Tensor batch_row(const Tensor& input, const Tensor& weight, const Tensor& bias,
                 const Tensor& running_mean, const Tensor& running_var, bool training,
                 double momentum, double eps, Ignored) {
  return batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps);
}
Tensor instance_row(const Tensor& input, const Tensor& weight, const Tensor& bias,
                    const Tensor& running_mean, const Tensor& running_var, bool use_input_stats,
                    double momentum, double eps, Ignored) {
  return instance_norm(input, weight, bias, running_mean, running_var, use_input_stats, momentum,
                       eps);
}
Tensor group_row(const Tensor& input, int64_t num_groups, const Tensor& weight, const Tensor& bias,
                 double eps, Ignored) {
  return group_norm(input, num_groups, weight, bias, eps);
}
TensorTriple3 native_batch_row(const Tensor& input, const Tensor& weight, const Tensor& bias,
                               const Tensor& running_mean, const Tensor& running_var, bool training,
                               double momentum, double eps) {
  auto [out, mean, rstd] =
      native_batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps);
  const Tensor* first = &input;
  for (const Tensor* t : {&running_var, &running_mean, &bias, &weight}) {
    if (t->defined()) first = t;
  }
  if (!training) return {out, empty(Dims{0}, first->dtype()), empty(Dims{0}, first->dtype())};
  return {out, to_dtype(mean, first->dtype()), to_dtype(rstd, first->dtype())};
}
// The statistics as functions of the input, where they are differentiated.
TensorTriple3 native_group_row(const Tensor& input, const Tensor& weight, const Tensor& bias,
                               int64_t n, int64_t c, int64_t hxw, int64_t group, double eps) {
  auto [out, mean, rstd] = native_group_norm(input, weight, bias, n, c, hxw, group, eps);
  const DType type = weight.defined() ? weight.dtype() : input.dtype();
  const Tensor* const inputs[] = {&input};
  if (detail::any_needs_grad(inputs) && input.numel() > 0) {
    const Tensor x = reshape(to_dtype(input, mean.dtype()), Dims{n, group, c / group * hxw});
    const int64_t last[1] = {2};
    mean = d2l::mean(x, IntList(last));
    rstd = rsqrt(add(var(x, IntList(last), Scalar(0)), Scalar(eps)));
  }
  return {out, to_dtype(mean, type), to_dtype(rstd, type)};
}

}  // namespace

void register_batch_norm(OpTable& ops) {
  const char* batch_doc =
      "Returns ``(x - mean) / sqrt(var + eps) * weight + bias`` with the statistics of each "
      "channel "
      "(dimension 1): those of the batch in training, which then also move ``running_mean`` and "
      "``running_var`` by ``momentum`` in place, else the running ones (Ioffe and Szegedy, 2015).";
  ops.add(
      "nn.batch_norm(Tensor input, Tensor? running_mean, Tensor? running_var, Tensor? weight=None, "
      "Tensor? bias=None, bool training=False, float momentum=0.1, float eps=1e-5) -> Tensor",
      nn_batch_norm, Function, batch_doc);
  ops.add(
      "batch_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? "
      "running_var, bool training, float momentum, float eps, bool cudnn_enabled) -> Tensor",
      batch_row, Function, batch_doc);
  ops.add(
      "native_batch_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? "
      "running_var, bool training, float momentum, float eps) -> (Tensor, Tensor, Tensor)",
      native_batch_row, Function,
      "Returns batch_norm with the batch's means and reciprocal deviations (empty when not "
      "training).");
  const char* instance_doc =
      "Normalises each channel of each item by its own mean and variance (Ulyanov et al., 2016); "
      "running statistics are moved by their averages over the batch.";
  ops.add(
      "nn.instance_norm(Tensor input, Tensor? running_mean=None, Tensor? running_var=None, Tensor? "
      "weight=None, Tensor? bias=None, bool use_input_stats=True, float momentum=0.1, float "
      "eps=1e-5) -> Tensor",
      nn_instance_norm, Function, instance_doc);
  ops.add(
      "instance_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? "
      "running_var, bool use_input_stats, float momentum, float eps, bool cudnn_enabled) -> Tensor",
      instance_row, Function, instance_doc);
  const char* group_doc =
      "Normalises each of ``num_groups`` groups of neighbouring channels of each item by its own "
      "mean and variance (Wu and He, 2018); ``weight`` and ``bias`` have one element for each "
      "channel.";
  ops.add(
      "nn.group_norm(Tensor input, int num_groups, Tensor? weight=None, Tensor? bias=None, float "
      "eps=1e-5) -> Tensor",
      nn_group_norm, Function, group_doc);
  ops.add(
      "group_norm(Tensor input, int num_groups, Tensor? weight=None, Tensor? bias=None, float "
      "eps=1e-5, bool cudnn_enabled=True) -> Tensor",
      group_row, Function, group_doc);
  ops.add(
      "native_group_norm(Tensor input, Tensor? weight, Tensor? bias, int N, int C, int HxW, int "
      "group, float eps) -> (Tensor, Tensor, Tensor)",
      native_group_row, Function,
      "Returns group_norm with the means and reciprocal deviations of the groups.");
}

void register_normalize(OpTable& ops) {
  register_layer_norm(ops);
  register_batch_norm(ops);
}

}  // namespace d2l
