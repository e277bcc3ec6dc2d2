// Layer and RMS normalisation: each op with its derivative and its row; and what the others share.
#include <limits>

#include "ops/normalize_parts.h"

namespace d2l {

void run_rows(Norm kind, DType type, NormArgs args, int64_t row_elements) {
  const NormFn fn = norm_kernel(kind, type);
  const int64_t rows = args.rows, size = itemsize(type);
  const int64_t work = rows * row_elements;
  if (work == 0) return;
  LongOp unlocked(work >= (1 << 18));
  const int64_t grain =
      work < 2 * kNormGrain ? rows : std::max<int64_t>(1, kNormGrain / row_elements);
  const bool per_row = kind == Norm::moments || kind == Norm::dots;
  const bool shared = kind == Norm::scale || kind == Norm::combine;
  // Row r reads number r % period: a chunk begins at a multiple of the period, or takes numbers of
  // its own.
  const bool own = shared && args.period >= rows;
  const int64_t step =
      shared && !own ? (grain + args.period - 1) / args.period * args.period : grain;
  parallel_for(rows, std::min(step, rows), [&](int64_t begin, int64_t end) {
    NormArgs part = args;
    const int64_t pitch = per_row ? args.row_pitch : args.n;
    part.rows = end - begin;
    part.x = args.x + begin * pitch * size;
    if (args.g) part.g = args.g + begin * pitch * size;
    part.out = args.out + begin * (per_row ? 1 : args.n) * size;
    if (args.out2) part.out2 = args.out2 + begin * size;
    if (args.out3) part.out3 = args.out3 + begin * size;
    if (kind == Norm::dots || own) part.a = args.a + begin * size;
    if (own) {
      part.b = args.b + begin * size;
      if (args.c) part.c = args.c + begin * size;
    }
    fn(&part);
  });
}

// Matrices: the statistics of columns, and results from one number a column.
void run_columns(Norm kind, DType type, const NormArgs& args) {
  const NormFn fn = norm_kernel(kind, type);
  const int64_t size = itemsize(type);
  if (args.n == 0 || args.rows == 0) return;
  LongOp unlocked(args.n * args.rows >= (1 << 18));
  const bool statistics = kind == Norm::column_moments || kind == Norm::column_dots;
  const int64_t work = args.n * args.rows, count = statistics ? args.n : args.rows;
  int64_t grain = std::max<int64_t>(1, kNormGrain / (statistics ? args.rows : args.n));
  if (statistics) grain = (grain + 63) / 64 * 64;
  if (work < 2 * kNormGrain) grain = count;
  parallel_for(count, grain, [&](int64_t begin, int64_t end) {
    NormArgs part = args;
    const int64_t skip = (statistics ? begin : begin * args.n) * size;
    part.x = args.x + skip;
    if (args.g) part.g = args.g + skip;
    part.out = args.out + skip;
    if (statistics) {
      part.n = end - begin;
      part.out2 = args.out2 + skip;
      if (args.a) part.a = args.a + skip;
    } else {
      part.rows = end - begin;
    }
    fn(&part);
  });
}

void check_mixed(const Tensor& input, std::initializer_list<const Tensor*> parameters) {
  bool mixed = false;
  for (const Tensor* p : parameters) mixed |= p->defined() && p->dtype() != input.dtype();
  if (!mixed) return;
  for (const Tensor* p : parameters) {
    check(!p->defined() || p->dtype() == DType::Float,
          "mixed dtype (CPU): expect parameter to have scalar type of Float");
  }
  check(is_reduced_floating(input.dtype()),
        "mixed dtype (CPU): all inputs must share same datatype.");
}

NormGrads norm_backward_by_ops(const Tensor& g, const Tensor& x, const Tensor& weight, IntList dims,
                               bool centred, double eps) {
  const Tensor d = centred ? sub(x, mean(x, dims, true)) : x;
  const Tensor rstd = rsqrt(add(mean(square(d), dims, true), Scalar(eps)));
  const Tensor xhat = mul(d, rstd);
  Tensor gw = weight.defined() ? mul(g, weight) : g;
  NormGrads out;
  out.weight = mul(g, xhat);
  const Tensor across = mul(xhat, mean(mul(gw, xhat), dims, true));
  if (centred) gw = sub(gw, mean(gw, dims, true));
  out.input = mul(sub(gw, across), rstd);
  return out;
}

namespace {

// Shapes as a layer sees them: rows, each of n elements.
struct Layer {
  int64_t rows = 1, n = 1;
  Dims outer;  // the shape of the statistics
  Dims last;   // the normalised dimensions, as numbers
};

Layer layer_of(const Tensor& input, IntList shape, const Tensor& weight, const Tensor& bias,
               const char* comma) {
  check(!shape.empty(),
        "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one "
        "element, but got normalized_shape = {}",
        shape);
  for (const Tensor* p : {&weight, &bias}) {
    check(!p->defined() || equal(p->shape(), shape),
          "Expected {} to be of same shape as normalized_shape, but got {} of shape {} and "
          "normalized_shape = {}",
          p == &weight ? "weight" : "bias", p == &weight ? "weight" : "bias",
          p->defined() ? p->shape() : IntList(), shape);
  }
  const int64_t k = static_cast<int64_t>(shape.size()), ndim = input.dim();
  if (ndim < k || !equal(input.shape().subspan(static_cast<size_t>(ndim - k)), shape)) {
    std::string sizes;
    for (int64_t s : shape) sizes += (sizes.empty() ? "" : ", ") + std::to_string(s);
    fail("Given normalized_shape={}, expected input with shape [*{}{}], but got input of size{}",
         shape, comma, sizes, input.shape());
  }
  Layer out;
  for (int64_t d = 0; d < ndim; ++d) {
    const bool reduced = d >= ndim - k;
    (reduced ? out.n : out.rows) *= input->shape[d];
    out.outer.push_back(reduced ? 1 : input->shape[d]);
    if (reduced) out.last.push_back(d);
  }
  return out;
}

struct LayerResult {
  Tensor out, mean, rstd;
};

// mean stays undefined when the rows are not centred.
LayerResult layer_forward(const Tensor& input, const Layer& l, const Tensor& weight,
                          const Tensor& bias, bool centred, double eps) {
  const DType type = norm_type(input.dtype());
  const Tensor x = norm_operand(input, type), w = norm_operand(weight, type),
               b = norm_operand(bias, type);
  LayerResult r{empty(input.shape(), type), centred ? empty(l.outer, type) : Tensor(),
                empty(l.outer, type)};
  NormArgs args;
  args.x = x.data();
  args.a = data_or_null(w);
  args.b = data_or_null(b);
  args.out = r.out.data();
  args.out2 = byte_at(r.mean, 0);
  args.out3 = r.rstd.data();
  args.n = l.n;
  args.rows = l.rows;
  args.eps = eps;
  run_rows(Norm::layer, type, args, l.n);
  if (l.n == 0) {  // the mean of nothing
    if (centred) fill_into(r.mean, Scalar(0.0));
    fill_into(r.rstd, Scalar(std::numeric_limits<double>::quiet_NaN()));
  }
  if (type != input.dtype()) r.out = to_dtype(r.out, input.dtype());
  return r;
}

// What a layer's node keeps besides tensors.
struct LayerPlan {
  int64_t rows, n;
  Dims last;
  double eps;
  bool centred;
};

// Rows fall into blocks fixed by the sizes; each leaves its part of the parameters' gradients.
void layer_backward(const LayerPlan& l, const Node& node, const Tensor& g, const Tensor& x,
                    const Tensor& weight, const Tensor& mean, const Tensor& rstd,
                    std::vector<Tensor>& in) {
  const DType type = rstd.dtype();
  if (GradMode::enabled()) {
    const Tensor wide = to_dtype(x, type), grad = to_dtype(g, type);
    const Tensor w = weight.defined() ? to_dtype(weight, type) : weight;
    NormGrads grads = norm_backward_by_ops(grad, wide, w, l.last, l.centred, l.eps);
    if (node.needs(0)) in[0] = grads.input;
    if (node.needs(1)) in[1] = grads.weight;
    if (in.size() > 2 && node.needs(2)) in[2] = grad;
    return;
  }
  const Tensor gx = norm_operand(g, type), xx = norm_operand(x, type),
               w = norm_operand(weight, type);
  const bool weights = node.needs(1), biases = in.size() > 2 && node.needs(2);
  const Tensor dx = node.needs(0) ? empty(x.shape(), type) : Tensor();
  const int64_t grain = std::max<int64_t>(16, kNormGrain / std::max<int64_t>(l.n, 1));
  const int64_t blocks = (l.rows + grain - 1) / grain;
  const Dims partial{blocks, l.n};
  const Tensor dw = weights ? zeros(partial, Options(type)) : Tensor();
  const Tensor db = biases ? zeros(partial, Options(type)) : Tensor();
  if (l.rows * l.n > 0) {
    const NormFn fn = norm_kernel(Norm::layer_backward, type);
    LongOp unlocked(l.rows * l.n >= (1 << 18));
    const int64_t size = itemsize(type);
    const int64_t chunk = l.rows * l.n < 2 * kNormGrain ? blocks : 1;
    parallel_for(blocks, chunk, [&](int64_t first, int64_t last) {
      for (int64_t i = first; i < last; ++i) {
        const int64_t begin = i * grain, skip = begin * l.n * size;
        NormArgs args;
        args.rows = std::min(l.rows, begin + grain) - begin;
        args.n = l.n;
        args.x = xx.data() + skip;
        args.g = gx.data() + skip;
        args.a = data_or_null(w);
        args.b = byte_at(mean, begin);
        args.c = byte_at(rstd, begin);
        args.out = dx.defined() ? dx.data() + skip : nullptr;
        args.out2 = byte_at(dw, i * l.n);
        args.out3 = byte_at(db, i * l.n);
        fn(&args);
      }
    });
  }
  const int64_t zero[1] = {0};
  const Dims shape(x.shape().subspan(static_cast<size_t>(l.last[0])));
  if (dx.defined()) in[0] = dx;
  if (weights) in[1] = view(blocks == 1 ? dw : sum(dw, IntList(zero)), shape);
  if (biases) in[2] = view(blocks == 1 ? db : sum(db, IntList(zero)), shape);
}

}  // namespace

std::tuple<Tensor, Tensor, Tensor> native_layer_norm(const Tensor& input, IntList normalized_shape,
                                                     const Tensor& weight, const Tensor& bias,
                                                     double eps) {
  const Layer l = layer_of(input, normalized_shape, weight, bias, ", ");
  check<NotImplementedError>(is_floating(input.dtype()),
                             "\"LayerNormKernelImpl\" not implemented for '{}'", input.dtype());
  check_mixed(input, {&weight, &bias});
  LayerResult r = layer_forward(input, l, weight, bias, true, eps);
  const LayerPlan plan{l.rows, l.n, l.last, eps, true};
  Tensor out =
      record(r.out, "NativeLayerNormBackward0", {&input, &weight, &bias},
             saved(input, weight, r.mean, r.rstd),
             joint([plan](const Node& node, const Tensor& g, const Tensor& x, const Tensor& w,
                          const Tensor& mean, const Tensor& rstd, std::vector<Tensor>& in) {
               layer_backward(plan, node, g, x, w, mean, rstd, in);
             }));
  return {out, r.mean, r.rstd};
}

Tensor layer_norm(const Tensor& input, IntList normalized_shape, const Tensor& weight,
                  const Tensor& bias, double eps) {
  return std::get<0>(native_layer_norm(input, normalized_shape, weight, bias, eps));
}

Tensor rms_norm(const Tensor& input, IntList normalized_shape, const Tensor& weight,
                std::optional<double> eps) {
  const Layer l = layer_of(input, normalized_shape, weight, Tensor(), "");
  const DType type = input.dtype();
  check<NotImplementedError>(is_floating(type) || is_complex(type),
                             "\"rms_norm\" not implemented for '{}'", type);
  const bool wide = type == DType::Double || type == DType::ComplexDouble;
  const double least = eps.value_or(wide ? std::numeric_limits<double>::epsilon()
                                         : std::numeric_limits<float>::epsilon());
  if (is_complex(type) || (weight.defined() && weight.dtype() != type)) {
    const DType compute = is_reduced_floating(type) ? DType::Float : type;
    const Tensor x = to_dtype(input, compute);
    const Tensor rstd = rsqrt(add(mean(mul(x, x), IntList(l.last), true), Scalar(least)));
    const Tensor y = to_dtype(mul(x, rstd), type);
    return to_dtype(weight.defined() ? mul(y, weight) : y, type);
  }
  LayerResult r = layer_forward(input, l, weight, Tensor(), false, least);
  const LayerPlan plan{l.rows, l.n, l.last, least, false};
  return record(r.out, "FusedRmsNormBackward0", {&input, &weight}, saved(input, weight, r.rstd),
                joint([plan](const Node& node, const Tensor& g, const Tensor& x, const Tensor& w,
                             const Tensor& rstd, std::vector<Tensor>& in) {
                  layer_backward(plan, node, g, x, w, Tensor(), rstd, in);
                }));
}

namespace {

// Rows: statistics leave in the dtype of the parameters.
TensorTriple3 native_row(const Tensor& input, IntList shape, const Tensor& weight,
                         const Tensor& bias, double eps) {
  auto [out, mean, rstd] = native_layer_norm(input, shape, weight, bias, eps);
  const DType type = weight.defined() ? weight.dtype() : input.dtype();
  return {out, to_dtype(mean, type), to_dtype(rstd, type)};
}
Tensor layer_row(const Tensor& input, IntList shape, const Tensor& weight, const Tensor& bias,
                 double eps, Ignored) {
  return layer_norm(input, shape, weight, bias, eps);
}

}  // namespace

void register_layer_norm(OpTable& ops) {
  const char* layer_doc =
      "Returns ``(x - mean) / sqrt(var + eps) * weight + bias``, mean and (biased) variance taken "
      "over the last dimensions, whose sizes are ``normalized_shape`` (Ba et al., 2016).";
  ops.add(
      "nn.layer_norm(Tensor input, int[] normalized_shape, Tensor? weight=None, Tensor? bias=None, "
      "float eps=1e-5) -> Tensor",
      layer_norm, Function, layer_doc);
  ops.add(
      "layer_norm(Tensor input, int[] normalized_shape, Tensor? weight=None, Tensor? bias=None, "
      "float eps=1e-5, bool cudnn_enable=True) -> Tensor",
      layer_row, Function, layer_doc);
  ops.add(
      "native_layer_norm(Tensor input, int[] normalized_shape, Tensor? weight, Tensor? bias, float "
      "eps) -> (Tensor, Tensor, Tensor)",
      native_row, Function, "Returns layer_norm with the means and the reciprocal deviations.");
  const char* rms_doc =
      "Returns ``x / sqrt(mean(x ** 2) + eps) * weight`` over the last dimensions, whose sizes are "
      "``normalized_shape``; ``eps`` defaults to the dtype's (Zhang and Sennrich, 2019).";
  for (const char* name : {"rms_norm", "nn.rms_norm"}) {
    ops.add((std::string(name) +
             "(Tensor input, int[] normalized_shape, Tensor? weight=None, float? eps=None) -> "
             "Tensor")
                .c_str(),
            rms_norm, Function, rms_doc);
  }
}

}  // namespace d2l
