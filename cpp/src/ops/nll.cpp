// nll_loss and cross_entropy: picking one element of every row, its derivative, and their rows.
//
// All ranks are one case: input (N, C, S), target (N, S). Picking is linear, so its backward pass
// (an op that puts one element into every row) has picking as its derivative.
#include <algorithm>

#include "autograd/record.h"
#include "core/half.h"
#include "iter/map.h"
#include "ops/loss_parts.h"

namespace d2l {
namespace {

// Reading and writing one element as double.
template <class T>
struct Element {
  static double get(const char* p) { return *reinterpret_cast<const T*>(p); }
  static void put(char* p, double x) { *reinterpret_cast<T*>(p) = static_cast<T>(x); }
};
struct HalfTag;
struct BFloatTag;
template <>
struct Element<HalfTag> {
  static double get(const char* p) { return half_to_float(*reinterpret_cast<const uint16_t*>(p)); }
  static void put(char* p, double x) {
    *reinterpret_cast<uint16_t*>(p) = float_to_half(static_cast<float>(x));
  }
};
template <>
struct Element<BFloatTag> {
  static double get(const char* p) {
    return bfloat16_to_float(*reinterpret_cast<const uint16_t*>(p));
  }
  static void put(char* p, double x) {
    *reinterpret_cast<uint16_t*>(p) = float_to_bfloat16(static_cast<float>(x));
  }
};

template <class F>
void for_dtype(const char* op, DType t, F&& f) {
  switch (t) {
    case DType::Half:
      return f(Element<HalfTag>());
    case DType::BFloat16:
      return f(Element<BFloatTag>());
    case DType::Float:
      return f(Element<float>());
    case DType::Double:
      return f(Element<double>());
    default:
      fail<NotImplementedError>("\"{}\" not implemented for '{}'", op, t);
  }
}

// The shape of an input of any rank as (N, C, S).
struct Rows {
  int64_t n = 1, c = 1, s = 1;
  explicit Rows(IntList shape) {
    if (shape.size() == 1) {
      c = shape[0];
      return;
    }
    n = shape[0];
    c = shape[1];
    for (size_t i = 2; i < shape.size(); ++i) s *= shape[i];
  }
};

struct Choice {
  Rows rows;
  const int64_t* target;  // contiguous (N, S), checked
  const Tensor& weight;   // (C), contiguous, or undefined
  int64_t ignore;
  DType type;

  template <class E, class F>
  void each(E, F&& f) const {  // f(n, c, s, weight) for every target that is not ignored
    for (int64_t n = 0; n < rows.n; ++n) {
      for (int64_t s = 0; s < rows.s; ++s) {
        const int64_t c = target[n * rows.s + s];
        if (c == ignore) continue;
        // Again: numpy may have written to a saved target.
        check<IndexError>(c >= 0 && c < rows.c, "Target {} is out of bounds.", c);
        f(n, c, s, weight.defined() ? E::get(weight.data() + c * weight.item_bytes()) : 1.0);
      }
    }
  }
};

// The sum of the weights of all targets.
double total_weight(const Choice& choice) {
  double total = 0;
  for_dtype("nll_loss", choice.type, [&](auto e) {
    choice.each(e, [&](int64_t, int64_t, int64_t, double w) { total += w; });
  });
  return total;
}

Tensor loss_shape(const Tensor& target, Reduction reduction, DType type) {
  return empty(reduction == Reduction::None ? target.shape() : IntList(), type);
}

// target as contiguous int64, every element a class or ignore_index.
Tensor checked_target(const Tensor& target, int64_t classes, int64_t ignore) {
  check(target.dtype() == DType::Int64 || target.dtype() == DType::UInt8,
        "expected target dtype to be Long or Byte, but got {}", target.dtype());
  GradModeGuard off(false);
  const Tensor t = contiguous(to_dtype(target, DType::Int64));
  const int64_t* p = t.data_as<int64_t>();
  for (int64_t i = 0; i < t.numel(); ++i) {
    check<IndexError>((p[i] >= 0 && p[i] < classes) || p[i] == ignore,
                      "Target {} is out of bounds.", p[i]);
  }
  return t;
}

void check_shapes(const Tensor& x, const Tensor& t) {
  check<ValueError>(x.dim() > 0, "Expected 1 or more dimensions (got 0)");
  if (x.dim() == 1) {
    check<ValueError>(t.dim() == 0 || t.numel() == 1,
                      "For 1D input, 1D target must have size 1, but got target size: {}",
                      t.numel());
    return;
  }
  const int64_t n = t.dim() ? t->shape[0] : 1;
  check<ValueError>(x->shape[0] == n,
                    "Expected input batch_size ({}) to match target batch_size ({}).", x->shape[0],
                    n);
  if (x.dim() == 2) {
    check(t.dim() == 1, "0D or 1D target tensor expected, multi-target not supported");
    return;
  }
  Dims want(x.shape());
  want.erase(1);
  if (x.dim() == 4) {
    check(t.dim() == 3,
          "only batches of spatial targets supported (3D tensors) but got targets of dimension: {}",
          t.dim());
    check(equal(t.shape(), want), "size mismatch (got input: {} , target: {}", x.shape(),
          t.shape());
  }
  check(equal(t.shape(), want), "Expected target size {}, got {}", IntList(want), t.shape());
}

Tensor nll_backward(const Tensor& g, const Tensor& target, const Tensor& weight, IntList shape,
                    int64_t ignore, Reduction reduction);

// What is picked from x, weighted, negated and reduced; target and weight are checked.
Tensor nll(const Tensor& x, const Tensor& target, const Tensor& weight, int64_t ignore,
           Reduction reduction) {
  const Rows rows(x.shape());
  const Choice choice{rows, target.data_as<int64_t>(), weight, ignore, x.dtype()};
  Tensor out = loss_shape(target, reduction, x.dtype());
  // (N, C, S) with S one dimension.
  const Tensor flat = x.dim() > 3 ? contiguous(detach(x)) : x;
  const int64_t size = x.item_bytes(), dim = x.dim();
  const int64_t step_n = dim == 1 ? 0 : flat->strides[0] * size;
  const int64_t step_c = flat->strides[dim == 1 ? 0 : 1] * size;
  const int64_t step_s = dim < 3 ? 0 : dim == 3 ? flat->strides[2] * size : size;
  const char* const in = flat.data();
  for_dtype("nll_loss", x.dtype(), [&](auto e) {
    using E = decltype(e);
    if (reduction == Reduction::None) {
      fill_into(out, Scalar(0));
      char* const to = out.data();
      choice.each(e, [&](int64_t n, int64_t c, int64_t s, double w) {
        E::put(to + (n * rows.s + s) * size,
               -w * E::get(in + n * step_n + c * step_c + s * step_s));
      });
      return;
    }
    double loss = 0, total = 0;
    choice.each(e, [&](int64_t n, int64_t c, int64_t s, double w) {
      loss -= w * E::get(in + n * step_n + c * step_c + s * step_s);
      total += w;
    });
    E::put(out.data(), reduction == Reduction::Mean ? loss / total : loss);
  });
  return record(
      out, rows.s > 1 || dim > 2 ? "NllLoss2DBackward0" : "NllLossBackward0", {&x},
      saved(target, weight),
      [ignore, reduction](const Node& node, const Tensor& g, const Tensor& t, const Tensor& w) {
        return nll_backward(g, t, w, node.input_shape(0), ignore, reduction);
      });
}

Tensor nll_backward(const Tensor& g, const Tensor& target, const Tensor& weight, IntList shape,
                    int64_t ignore, Reduction reduction) {
  const Rows rows(shape);
  const Choice choice{rows, target.data_as<int64_t>(), weight, ignore, g.dtype()};
  Tensor out = empty(shape, g.dtype());
  fill_into(out, Scalar(0));
  const int64_t size = out.item_bytes();
  const double total = reduction == Reduction::Mean ? total_weight(choice) : 1;
  const Tensor each = reduction == Reduction::None ? contiguous(detach(g)) : g;
  const char* const from = each.data();
  for_dtype("nll_loss_backward", g.dtype(), [&](auto e) {
    using E = decltype(e);
    const double one = reduction == Reduction::None ? 0 : E::get(from) / total;
    char* const to = out.data();
    choice.each(e, [&](int64_t n, int64_t c, int64_t s, double w) {
      const double share =
          reduction == Reduction::None ? E::get(from + (n * rows.s + s) * size) : one;
      E::put(to + ((n * rows.c + c) * rows.s + s) * size, -w * share);
    });
  });
  return record(out, "NllLossBackwardBackward0", {&g}, saved(target, weight),
                [ignore, reduction](const Tensor& gg, const Tensor& t, const Tensor& w) {
                  return nll(gg, t, w, ignore, reduction);
                });
}

void check_weight(const Tensor& weight, const Tensor& x) {
  if (!weight.defined()) return;
  const int64_t classes = x->shape[x.dim() == 1 ? 0 : 1];
  check(weight.dim() == 1 && weight.numel() == classes,
        "weight tensor should be defined either for all {} classes or no classes but got weight "
        "tensor of shape: {}",
        classes, weight.shape());
  check(weight.dtype() == x.dtype(), "expected scalar type {} but found {}", x.dtype(),
        weight.dtype());
}

}  // namespace

Tensor nll_loss(const Tensor& input, const Tensor& target, const Tensor& weight,
                int64_t ignore_index, Reduction reduction) {
  check_shapes(input, target);
  check_weight(weight, input);
  check<NotImplementedError>(is_floating(input.dtype()),
                             "\"nll_loss_out_frame\" not implemented for '{}'", input.dtype());
  const Tensor t = checked_target(target, input->shape[input.dim() == 1 ? 0 : 1], ignore_index);
  return nll(input, t, weight.defined() ? contiguous(detach(weight)) : weight, ignore_index,
             reduction);
}

namespace {

// weight along the class dimension of x.
Tensor along_classes(const Tensor& weight, const Tensor& x, int64_t dim) {
  Dims shape(static_cast<int>(x.dim()), 1);
  shape[dim] = weight.numel();
  return view(weight, shape);
}

Tensor with_probabilities(const Tensor& logp, const Tensor& target, const Tensor& weight,
                          Reduction reduction, double smoothing, int64_t dim) {
  const double classes = static_cast<double>(logp.size(dim));
  Tensor t = target;
  if (smoothing > 0) t = add(mul(t, Scalar(1 - smoothing)), Scalar(smoothing / classes));
  Tensor each = mul(logp, t);
  if (weight.defined()) each = mul(each, along_classes(weight, logp, dim));
  if (reduction == Reduction::None) {
    const int64_t d[1] = {dim};
    return neg(sum(each, IntList(d)));
  }
  const Tensor total = neg(sum(each));
  if (reduction == Reduction::Sum) return total;
  return div(total, Scalar(static_cast<double>(logp.numel()) / classes));
}

Tensor with_smoothing(const Tensor& logp, const Tensor& target, const Tensor& weight,
                      int64_t ignore, Reduction reduction, double smoothing, int64_t dim) {
  const Tensor nll_part = nll_loss(logp, target, weight, ignore, reduction);
  const int64_t d[1] = {dim};
  const Tensor weighted = weight.defined() ? mul(logp, along_classes(weight, logp, dim)) : logp;
  const Tensor ignored = eq(target, Scalar(ignore));
  Tensor smooth = masked_fill(neg(sum(weighted, IntList(d))), ignored, Scalar(0));
  if (reduction == Reduction::Sum) {
    smooth = sum(smooth);
  } else if (reduction == Reduction::Mean) {
    const Tensor t = checked_target(target, logp.size(dim), ignore);
    const Tensor w = weight.defined() ? contiguous(detach(weight)) : weight;
    const Rows rows(logp.shape());
    smooth = div(sum(smooth),
                 Scalar(total_weight({rows, t.data_as<int64_t>(), w, ignore, logp.dtype()})));
  }
  const double classes = static_cast<double>(logp.size(dim));
  return add(mul(nll_part, Scalar(1 - smoothing)), mul(smooth, Scalar(smoothing / classes)));
}

}  // namespace

Tensor cross_entropy(const Tensor& input, const Tensor& target, const Tensor& weight,
                     int64_t ignore_index, Reduction reduction, double label_smoothing) {
  check(label_smoothing >= 0 && label_smoothing <= 1,
        "label_smoothing must be between 0.0 and 1.0. Got: {}", label_smoothing);
  const int64_t dim = input.dim() == 1 ? 0 : 1;
  if (equal(input.shape(), target.shape())) {
    check(is_floating(target.dtype()),
          "Expected floating point type for target with class probabilities, got {}",
          target.dtype());
    check(ignore_index < 0, "ignore_index is not supported for floating point target");
    check(input.dim() > 0, "Expected 1 or more dimensions (got 0)");
    check_weight(weight, input);
    return with_probabilities(log_softmax(input, dim), target, weight, reduction, label_smoothing,
                              dim);
  }
  check_shapes(input, target);
  check_weight(weight, input);
  const Tensor logp = log_softmax(input, dim);
  if (label_smoothing > 0) {
    return with_smoothing(logp, target, weight, ignore_index, reduction, label_smoothing, dim);
  }
  return nll_loss(logp, target, weight, ignore_index, reduction);
}

namespace {

Tensor nn_nll(const Tensor& x, const Tensor& t, const Tensor& weight, OptBool size_average,
              int64_t ignore_index, OptBool reduce, std::string_view reduction) {
  return nll_loss(x, t, weight, ignore_index, reduction_of(size_average, reduce, reduction));
}
Tensor nn_cross_entropy(const Tensor& x, const Tensor& t, const Tensor& weight,
                        OptBool size_average, int64_t ignore_index, OptBool reduce,
                        std::string_view reduction, double label_smoothing) {
  return cross_entropy(x, t, weight, ignore_index, reduction_of(size_average, reduce, reduction),
                       label_smoothing);
}

}  // namespace

void register_cross_entropy(OpTable& ops) {
  ops.add(
      "nn.nll_loss(Tensor input, Tensor target, Tensor? weight=None, bool? size_average=None, int "
      "ignore_index=-100, bool? reduce=None, str reduction='mean') -> Tensor",
      nn_nll, Function,
      "Returns minus the log-probability of each target class: ``input`` (C), (N, C) or (N, C, "
      "d...), ``target`` class indices (), (N) or (N, d...). The mean is weighted by ``weight`` "
      "(C).");
  ops.add(
      "nn.cross_entropy(Tensor input, Tensor target, Tensor? weight=None, bool? size_average=None, "
      "int ignore_index=-100, bool? reduce=None, str reduction='mean', float label_smoothing=0.0) "
      "-> "
      "Tensor",
      nn_cross_entropy, Function,
      "Returns nll_loss of ``log_softmax(input)`` for class indices, or the cross-entropy with "
      "class "
      "probabilities of input's shape.");
}

}  // namespace d2l
