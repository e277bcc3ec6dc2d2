// Losses that compare element by element: each op with its derivative and its row.
#include "autograd/record.h"
#include "iter/reduce.h"
#include "ops/loss_parts.h"

namespace d2l {

Reduction reduction_of(OptBool size_average, OptBool reduce, std::string_view reduction) {
  if (size_average || reduce) {
    if (!reduce.value_or(true)) return Reduction::None;
    return size_average.value_or(true) ? Reduction::Mean : Reduction::Sum;
  }
  if (reduction == "mean") return Reduction::Mean;
  if (reduction == "sum") return Reduction::Sum;
  check<ValueError>(reduction == "none", "{} is not a valid value for reduction", reduction);
  return Reduction::None;
}

Tensor reduce_loss(const Tensor& each, Reduction reduction) {
  if (reduction == Reduction::None) return each;
  return reduction == Reduction::Mean ? mean(each) : sum(each);
}

namespace {

void check_floating(const char* op, const Tensor& input, const Tensor& target) {
  const DType type = result_type(input, target);
  check<NotImplementedError>(is_floating(type), "\"{}\" not implemented for '{}'", op, type);
}

// How the cotangent of the reduced loss falls on one element: `count` elements share a mean.
struct Share {
  Reduction reduction;
  double count;
  Tensor operator()(const Tensor& g, double factor = 1) const {
    if (reduction == Reduction::Mean) factor /= count;
    return factor == 1 ? g : mul(g, Scalar(factor));
  }
};

// A loss of (input - target), whose elements are value(d); slope(share of g, d) is its derivative.
template <class Value, class Slope>
Tensor distance_loss(const char* op, const char* node, const Tensor& input, const Tensor& target,
                     Reduction reduction, Value value, Slope slope) {
  check_floating(op, input, target);
  Tensor out;
  double count;
  {
    GradModeGuard off(false);
    const Tensor d = sub(input, target);
    count = static_cast<double>(d.numel());
    out = value(d);
  }
  const Share share{reduction, count};
  return record(
      out, node, {&input, &target}, saved(input, target),
      [share, slope](const Tensor& g, const Tensor& x, const Tensor& t) {
        return slope(share, g, sub(x, t));
      },
      [share, slope](const Tensor& g, const Tensor& x, const Tensor& t) {
        return neg(slope(share, g, sub(x, t)));
      });
}

}  // namespace

Tensor mse_loss(const Tensor& input, const Tensor& target, Reduction reduction) {
  return distance_loss(
      "mse_cpu", "MseLossBackward0", input, target, reduction,
      [reduction](const Tensor& d) {
        if (reduction == Reduction::None) return square(d);
        const DType type = d.dtype(), compute = is_reduced_floating(type) ? DType::Float : type;
        const Tensor total =
            reduce("mse_loss", Reduce::sum_square, d, all_dims(d.dim()), false, compute, compute);
        const double n = reduction == Reduction::Mean ? static_cast<double>(d.numel()) : 1;
        return to_dtype(div(total, Scalar(n)), type);
      },
      [](const Share& share, const Tensor& g, const Tensor& d) { return mul(d, share(g, 2)); });
}

Tensor l1_loss(const Tensor& input, const Tensor& target, Reduction reduction) {
  return reduce_loss(abs(sub(input, target)), reduction);
}

Tensor smooth_l1_loss(const Tensor& input, const Tensor& target, Reduction reduction, double beta) {
  check(beta >= 0, "smooth_l1_loss does not support negative values for beta.");
  if (beta == 0) return l1_loss(input, target, reduction);
  return distance_loss(
      "smooth_l1_cpu", "SmoothL1LossBackward0", input, target, reduction,
      [beta, reduction](const Tensor& d) {
        const Tensor z = abs(d);
        return reduce_loss(where(lt(z, Scalar(beta)), mul(square(d), Scalar(0.5 / beta)),
                                 sub(z, Scalar(0.5 * beta))),
                           reduction);
      },
      [beta](const Share& share, const Tensor& g, const Tensor& d) {
        return mul(share(g), clamp(div(d, Scalar(beta)), Scalar(-1.0), Scalar(1.0)));
      });
}

Tensor huber_loss(const Tensor& input, const Tensor& target, Reduction reduction, double delta) {
  check(delta > 0, "huber_loss does not support non-positive values for delta.");
  return distance_loss(
      "huber_cpu", "HuberLossBackward0", input, target, reduction,
      [delta, reduction](const Tensor& d) {
        const Tensor z = abs(d);
        return reduce_loss(where(le(z, Scalar(delta)), mul(square(d), Scalar(0.5)),
                                 mul(sub(z, Scalar(0.5 * delta)), Scalar(delta))),
                           reduction);
      },
      [delta](const Share& share, const Tensor& g, const Tensor& d) {
        return mul(share(g), clamp(d, Scalar(-delta), Scalar(delta)));
      });
}

Tensor soft_margin_loss(const Tensor& input, const Tensor& target, Reduction reduction) {
  Tensor out;
  double count;
  {
    GradModeGuard off(false);
    const Tensor each = log1p(exp(mul(neg(target), input)));
    count = static_cast<double>(each.numel());
    out = reduce_loss(each, reduction);
  }
  const Share share{reduction, count};
  // -t z / (1 + z), z = exp(-t x): a quotient stays finite where its factors do not.
  return record(out, "SoftMarginLossBackward0", {&input}, saved(input, target),
                [share](const Tensor& g, const Tensor& x, const Tensor& t) {
                  const Tensor z = exp(mul(neg(t), x));
                  return mul(div(mul(z, neg(t)), add(z, Scalar(1))), share(g));
                });
}

namespace {

std::string size_text(const Tensor& t) { return "torch.Size(" + detail::to_text(t.shape()) + ")"; }

Tensor weighted(const Tensor& each, const Tensor& weight) {
  return weight.defined() ? mul(each, weight) : each;
}

// 0 <= x <= 1 for all; NaN is refused too, as in PyTorch.
bool is_probability(const Tensor& x) {
  return x.numel() == 0 || all(logical_and(ge(x, Scalar(0)), le(x, Scalar(1)))).data_as<bool>()[0];
}

}  // namespace

Tensor binary_cross_entropy(const Tensor& input, const Tensor& target, const Tensor& weight,
                            Reduction reduction) {
  check<ValueError>(equal(input.shape(), target.shape()),
                    "Using a target size ({}) that is different to the input size ({}) is "
                    "deprecated. Please ensure they have the same size.",
                    size_text(target), size_text(input));
  check<NotImplementedError>(is_floating(input.dtype()),
                             "\"binary_cross_entropy\" not implemented for '{}'", input.dtype());
  check(input.dtype() == target.dtype(), "Found dtype {} but expected {}", target.dtype(),
        input.dtype());
  check(!weight.defined() || is_expandable_to(weight.shape(), input.shape()),
        "Attempting to broadcast a weight of shape {} to {}",
        weight.defined() ? weight.shape() : IntList(), input.shape());
  check(is_probability(input), "all elements of input should be between 0 and 1");
  Tensor out;
  {
    GradModeGuard off(false);
    // Logarithms are limited to -100, so that the loss stays finite.
    const Tensor low = wrap(Scalar(-100.0));
    const Tensor yes = maximum(log(input), low), no = maximum(log1p(neg(input)), low);
    const Tensor each = sub(mul(sub(target, Scalar(1)), no), mul(target, yes));
    out = reduce_loss(weighted(each, weight), reduction);
  }
  const Share share{reduction, static_cast<double>(input.numel())};
  return record(
      out, "BinaryCrossEntropyBackward0", {&input, &target}, saved(input, target, weight),
      [share](const Tensor& g, const Tensor& x, const Tensor& t, const Tensor& w) {
        const Tensor spread = maximum(mul(sub(wrap(Scalar(1)), x), x), wrap(Scalar(1e-12)));
        return weighted(mul(share(g), div(sub(x, t), spread)), w);
      },
      [share](const Tensor& g, const Tensor& x, const Tensor&, const Tensor& w) {
        const Tensor low = wrap(Scalar(-100.0));
        return weighted(mul(share(g), sub(maximum(log1p(neg(x)), low), maximum(log(x), low))), w);
      });
}

// (1 - t) x + (1 + (p - 1) t) log(1 + exp(-x)), with p the weight of the positive class.
Tensor binary_cross_entropy_with_logits(const Tensor& input, const Tensor& target,
                                        const Tensor& weight, const Tensor& pos_weight,
                                        Reduction reduction) {
  check<ValueError>(equal(input.shape(), target.shape()),
                    "Target size ({}) must be the same as input size ({})", size_text(target),
                    size_text(input));
  auto positives = [](const Tensor& t, const Tensor& p) {
    return add(mul(sub(p, Scalar(1)), t), Scalar(1));
  };
  Tensor out;
  {
    GradModeGuard off(false);
    Tensor rest = logsigmoid(input);
    if (pos_weight.defined()) rest = mul(rest, positives(target, pos_weight));
    const Tensor each = sub(mul(sub(wrap(Scalar(1)), target), input), rest);
    out = reduce_loss(weighted(each, weight), reduction);
  }
  const Share share{reduction, static_cast<double>(input.numel())};
  return record(
      out, "BinaryCrossEntropyWithLogitsBackward0", {&input, &target},
      saved(input, target, weight, pos_weight),
      [share, positives](const Tensor& g, const Tensor& x, const Tensor& t, const Tensor& w,
                         const Tensor& p) {
        const Tensor s = sigmoid(x);
        const Tensor slope = p.defined() ? sub(sub(wrap(Scalar(1)), t),
                                               mul(positives(t, p), sub(wrap(Scalar(1)), s)))
                                         : sub(s, t);
        return weighted(mul(slope, share(g)), w);
      },
      [share](const Tensor& g, const Tensor& x, const Tensor&, const Tensor& w, const Tensor& p) {
        Tensor slope = neg(x);
        if (p.defined()) slope = sub(slope, mul(sub(p, Scalar(1)), logsigmoid(x)));
        return weighted(mul(slope, share(g)), w);
      });
}

namespace {

// Rows of nn.
Tensor weighted_loss(const char* op, const Tensor& each, const Tensor& input,
                     const Tensor& weight) {
  check<ValueError>(equal(weight.shape(), input.shape()),
                    "{}: Weights and input must have the same size.", op);
  return mul(each, weight);
}

Tensor nn_mse(const Tensor& x, const Tensor& t, OptBool size_average, OptBool reduce,
              std::string_view reduction, const Tensor& weight) {
  const Reduction r = reduction_of(size_average, reduce, reduction);
  if (!weight.defined()) return mse_loss(x, t, r);
  const Tensor each = weighted_loss("mse_loss", square(sub(x, t)), x, weight);
  return r == Reduction::Mean ? div(sum(each), sum(weight)) : reduce_loss(each, r);
}
Tensor nn_l1(const Tensor& x, const Tensor& t, OptBool size_average, OptBool reduce,
             std::string_view reduction, const Tensor& weight) {
  const Reduction r = reduction_of(size_average, reduce, reduction);
  if (!weight.defined()) return l1_loss(x, t, r);
  const Tensor each = weighted_loss("l1_loss", abs(sub(x, t)), x, weight);
  return r == Reduction::Mean ? div(sum(each), sum(weight)) : reduce_loss(each, r);
}
Tensor nn_smooth_l1(const Tensor& x, const Tensor& t, OptBool size_average, OptBool reduce,
                    std::string_view reduction, double beta) {
  return smooth_l1_loss(x, t, reduction_of(size_average, reduce, reduction), beta);
}
Tensor nn_soft_margin(const Tensor& x, const Tensor& t, OptBool size_average, OptBool reduce,
                      std::string_view reduction) {
  return soft_margin_loss(x, t, reduction_of(size_average, reduce, reduction));
}
Tensor nn_huber(const Tensor& x, const Tensor& t, std::string_view reduction, double delta,
                const Tensor& weight) {
  const Reduction r = reduction_of({}, {}, reduction);
  if (!weight.defined()) return huber_loss(x, t, r, delta);
  return reduce_loss(
      weighted_loss("huber_loss", huber_loss(x, t, Reduction::None, delta), x, weight), r);
}
Tensor nn_bce(const Tensor& x, const Tensor& t, const Tensor& weight, OptBool size_average,
              OptBool reduce, std::string_view reduction) {
  return binary_cross_entropy(x, t, weight, reduction_of(size_average, reduce, reduction));
}
Tensor nn_bce_logits(const Tensor& x, const Tensor& t, const Tensor& weight, OptBool size_average,
                     OptBool reduce, std::string_view reduction, const Tensor& pos_weight) {
  return binary_cross_entropy_with_logits(x, t, weight, pos_weight,
                                          reduction_of(size_average, reduce, reduction));
}

// t log(t), 0 at 0.
Tensor x_log_x(const Tensor& t) {
  Tensor out;
  {
    GradModeGuard off(false);
    out = masked_fill(mul(t, log(t)), eq(t, Scalar(0)), Scalar(0));
  }
  return record(out, "XlogyBackward0", {&t}, saved(t), [](const Tensor& g, const Tensor& x) {
    return mul(g, masked_fill(add(log(x), Scalar(1)), eq(x, Scalar(0)), Scalar(0)));
  });
}

Tensor nn_kl_div(const Tensor& x, const Tensor& t, OptBool size_average, OptBool reduce,
                 std::string_view reduction, bool log_target) {
  check(is_floating(x.dtype()) && is_floating(t.dtype()), "kl_div: Integral inputs not supported.");
  const Tensor each = log_target ? mul(exp(t), sub(t, x)) : sub(x_log_x(t), mul(t, x));
  if (reduction == "batchmean" && !size_average && !reduce) {
    const Tensor total = sum(each);
    return x.dim() == 0 ? total : div(total, Scalar(x->shape[0]));
  }
  return reduce_loss(each, reduction_of(size_average, reduce, reduction));
}

}  // namespace

void register_loss(OpTable& ops) {
  register_cross_entropy(ops);
  register_ctc(ops);
  const std::string legacy = "bool? size_average=None, bool? reduce=None, str reduction='mean'";
  ops.add(
      ("nn.mse_loss(Tensor input, Tensor target, " + legacy + ", Tensor? weight=None) -> Tensor")
          .c_str(),
      nn_mse, Function, "Returns the mean, sum or each of ``(input - target) ** 2``.");
  ops.add(("nn.l1_loss(Tensor input, Tensor target, " + legacy + ", Tensor? weight=None) -> Tensor")
              .c_str(),
          nn_l1, Function, "Returns the mean, sum or each of ``|input - target|``.");
  ops.add(("nn.soft_margin_loss(Tensor input, Tensor target, " + legacy + ") -> Tensor").c_str(),
          nn_soft_margin, Function,
          "Returns the mean, sum or each of ``log(1 + exp(-target * input))``, targets 1 or -1.");
  ops.add(
      ("nn.smooth_l1_loss(Tensor input, Tensor target, " + legacy + ", float beta=1.0) -> Tensor")
          .c_str(),
      nn_smooth_l1, Function,
      "With d = ``|input - target|``: ``d ** 2 / (2 * beta)`` where d < beta, else ``d - beta / "
      "2`` (Girshick, Fast R-CNN, 2015).");
  ops.add(
      "nn.huber_loss(Tensor input, Tensor target, str reduction='mean', float delta=1.0, Tensor? "
      "weight=None) -> Tensor",
      nn_huber, Function,
      "With d = ``|input - target|``: ``d ** 2 / 2`` where d <= delta, else ``delta * (d - delta / "
      "2)``.");
  ops.add(("nn.binary_cross_entropy(Tensor input, Tensor target, Tensor? weight=None, " + legacy +
           ") -> Tensor")
              .c_str(),
          nn_bce, Function,
          "Returns the mean, sum or each of ``-t * log(x) - (1 - t) * log(1 - x)``, for "
          "probabilities x; logarithms are limited to -100.");
  ops.add(
      ("nn.binary_cross_entropy_with_logits(Tensor input, Tensor target, Tensor? weight=None, " +
       legacy + ", Tensor? pos_weight=None) -> Tensor")
          .c_str(),
      nn_bce_logits, Function,
      "Returns binary_cross_entropy of ``sigmoid(input)``, without overflow; ``pos_weight`` "
      "multiplies the positive class's term.");
  ops.add(
      ("nn.kl_div(Tensor input, Tensor target, " + legacy + ", bool log_target=False) -> Tensor")
          .c_str(),
      nn_kl_div, Function,
      "Returns ``target * (log(target) - input)`` for log-probabilities ``input``: the mean, sum, "
      "each, or ('batchmean') the sum divided by the size of the batch.");
}

}  // namespace d2l
