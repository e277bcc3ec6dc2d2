// Connectionist temporal classification: the likelihood of a label sequence without an alignment.
//
// Graves et al., Connectionist Temporal Classification (ICML 2006): forward and backward variables
// over the labels with blanks between them, in logarithms. The gradient is the one for log-softmax
// inputs, as in PyTorch; it has no derivative of its own there either.
#include <cmath>
#include <limits>

#include "autograd/record.h"
#include "core/thread_pool.h"
#include "iter/map.h"
#include "ops/loss_parts.h"

namespace d2l {
namespace {

// Checked sizes and labels: sequence n has frames[n] steps and the labels [first[n], first[n] +
// count[n]) of `labels`.
struct Sequences {
  int64_t steps, batch, classes, blank, longest = 0;
  Tensor frames, count, first, labels;  // int64
  const int64_t* frames_of() const { return frames.data_as<int64_t>(); }
  const int64_t* count_of() const { return count.data_as<int64_t>(); }
  int64_t states() const { return 2 * longest + 1; }
  // Label of state s: blanks between the labels.
  int64_t label(int64_t n, int64_t s) const {
    if (s % 2 == 0) return blank;
    return labels.data_as<int64_t>()[first.data_as<int64_t>()[n] + s / 2];
  }
};

Tensor int64_copy(const Tensor& t) {
  Tensor out = empty(t.shape(), DType::Int64);
  copy_into(out, t);
  return out;
}

constexpr const char* kWhere = "(while checking arguments for ctc_loss_allocate_outputs)";

Sequences sequences(const Tensor& log_probs, const Tensor& targets, IntList input_lengths,
                    IntList target_lengths, int64_t blank) {
  Sequences q{log_probs->shape[0], log_probs->shape[1], log_probs->shape[2], blank};
  check(blank >= 0 && blank < q.classes, "blank must be in label range");
  check(static_cast<int64_t>(input_lengths.size()) == q.batch,
        "input_lengths must be of size batch_size");
  check(static_cast<int64_t>(target_lengths.size()) == q.batch,
        "target_lengths must be of size batch_size");
  check(targets.dim() == 1 || targets.dim() == 2,
        "ctc_loss: targets should have one or two dimensions, got {}", targets.dim());
  q.frames = empty(Dims{q.batch}, DType::Int64);
  q.count = empty(Dims{q.batch}, DType::Int64);
  q.first = empty(Dims{q.batch}, DType::Int64);
  q.labels = int64_copy(targets);
  const bool rows = targets.dim() == 2;
  const int64_t width = rows ? targets->shape[1] : 0;
  check(!rows || targets->shape[0] == q.batch,
        "Expected tensor to have size {} at dimension 0, but got size {} for argument #2 'targets' "
        "{}",
        q.batch, targets->shape[0], kWhere);
  int64_t total = 0;
  for (int64_t n = 0; n < q.batch; ++n) {
    const int64_t frames = input_lengths[static_cast<size_t>(n)];
    const int64_t count = target_lengths[static_cast<size_t>(n)];
    check(frames >= 0, "Expected input_lengths to have value at least 0, but got value {} {}",
          frames, kWhere);
    check(frames <= q.steps, "Expected input_lengths to have value at most {}, but got value {} {}",
          q.steps, frames, kWhere);
    check(count >= 0, "Expected target_lengths to have value at least 0, but got value {} {}",
          count, kWhere);
    q.frames.data_as<int64_t>()[n] = frames;
    q.count.data_as<int64_t>()[n] = count;
    q.first.data_as<int64_t>()[n] = rows ? n * width : total;
    check(!__builtin_add_overflow(total, count, &total), "ctc_loss: target_lengths overflow");
    q.longest = std::max(q.longest, count);
  }
  check(!rows || q.longest <= width,
        "Expected tensor to have size at least {} at dimension 1, but got size {} for argument #2 "
        "'targets' {}",
        q.longest, width, kWhere);
  check(rows || total == targets.numel(),
        "Expected tensor to have size {} at dimension 0, but got size {} for argument #2 'targets' "
        "{}",
        total, targets.numel(), kWhere);
  for (int64_t n = 0; n < q.batch; ++n) {
    for (int64_t s = 1; s < 2 * q.count_of()[n]; s += 2) {
      const int64_t label = q.label(n, s);
      check(label >= 0 && label < q.classes,
            "ctc_loss: label {} of sequence {} is outside of [0, {})", label, n, q.classes);
    }
  }
  return q;
}

template <class T>
T log_add(T a, T b, T c) {
  const T low = -std::numeric_limits<T>::infinity();
  const T m = std::max(std::max(a, b), c);
  if (m == low) return low;
  return std::log(std::exp(a - m) + std::exp(b - m) + std::exp(c - m)) + m;
}

// Log probabilities of sequence n, contiguous (steps, batch, classes).
template <class T>
struct Rows {
  const T* p;
  int64_t batch, classes, n;
  T operator()(int64_t t, int64_t label) const { return p[(t * batch + n) * classes + label]; }
};

// alpha (batch, steps, states) and the negative log likelihoods.
template <class T>
void ctc_forward(const Sequences& q, const Tensor& log_probs, const Tensor& alpha,
                 const Tensor& nll) {
  const T low = -std::numeric_limits<T>::infinity();
  const int64_t states = q.states();
  parallel_for(q.batch, 1, [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; ++n) {
      const Rows<T> x{log_probs.data_as<T>(), q.batch, q.classes, n};
      const int64_t frames = q.frames_of()[n], count = q.count_of()[n], last = 2 * count;
      T* a = alpha.data_as<T>() + n * q.steps * states;
      T& out = nll.data_as<T>()[n];
      if (frames == 0) {
        out = count == 0 ? T(0) : -low;
        continue;
      }
      std::fill_n(a, states, low);
      a[0] = x(0, q.blank);
      if (count > 0) a[1] = x(0, q.label(n, 1));
      for (int64_t t = 1; t < frames; ++t) {
        const T* before = a + (t - 1) * states;
        T* now = a + t * states;
        for (int64_t s = 0; s <= last; ++s) {
          const int64_t label = q.label(n, s);
          const bool skips = s > 1 && s % 2 == 1 && q.label(n, s - 2) != label;
          now[s] = log_add(before[s], s > 0 ? before[s - 1] : low, skips ? before[s - 2] : low) +
                   x(t, label);
        }
      }
      const T* end_of = a + (frames - 1) * states;
      out = -log_add(end_of[last], count > 0 ? end_of[last - 1] : low, low);
    }
  });
}

template <class T>
void ctc_backward(const Sequences& q, const Tensor& g, const Tensor& log_probs, const Tensor& alpha,
                  const Tensor& nll, bool zero_infinity, const Tensor& grad) {
  const T low = -std::numeric_limits<T>::infinity();
  const int64_t states = q.states();
  parallel_for(q.batch, 1, [&](int64_t begin, int64_t end) {
    const Tensor beta = empty(Dims{2, states}, g.dtype());
    const Tensor sums = empty(Dims{q.classes}, g.dtype());
    for (int64_t n = begin; n < end; ++n) {
      const Rows<T> x{log_probs.data_as<T>(), q.batch, q.classes, n};
      const int64_t frames = q.frames_of()[n], last = 2 * q.count_of()[n];
      const T* a = alpha.data_as<T>() + n * q.steps * states;
      const T loss = nll.data_as<T>()[n], share = g.data_as<T>()[n];
      if (zero_infinity && loss == -low) continue;
      T* after = beta.data_as<T>();
      T* now = after + states;
      for (int64_t t = frames - 1; t >= 0; --t) {
        for (int64_t s = 0; s <= last; ++s) {
          const int64_t label = q.label(n, s);
          if (t == frames - 1) {
            now[s] = s >= last - 1 ? x(t, label) : low;
            continue;
          }
          const bool skips = s + 2 <= last && s % 2 == 1 && q.label(n, s + 2) != label;
          now[s] = log_add(after[s], s < last ? after[s + 1] : low, skips ? after[s + 2] : low) +
                   x(t, label);
        }
        T* sum = sums.data_as<T>();
        std::fill_n(sum, q.classes, low);
        for (int64_t s = 0; s <= last; ++s) {
          T& into = sum[q.label(n, s)];
          into = log_add(into, a[t * states + s] + now[s], low);
        }
        T* out = grad.data_as<T>() + (t * q.batch + n) * q.classes;
        for (int64_t k = 0; k < q.classes; ++k) {
          const T p = x(t, k);
          out[k] = (std::exp(p) - std::exp(sum[k] + loss - p)) * share;
        }
        std::swap(now, after);
      }
    }
  });
}

// One loss for each sequence.
Tensor ctc_each(const Tensor& log_probs, const Sequences& q, bool zero_infinity) {
  const DType type = log_probs.dtype();
  const bool single = type == DType::Float;
  const Tensor x = contiguous(detach(log_probs));
  const Tensor alpha = empty(Dims{q.batch, q.steps, q.states()}, type);
  Tensor nll = empty(Dims{q.batch}, type);
  (single ? ctc_forward<float> : ctc_forward<double>)(q, x, alpha, nll);
  struct Plain {
    int64_t steps, batch, classes, blank, longest;
  };
  const Plain plain{q.steps, q.batch, q.classes, q.blank, q.longest};
  const Tensor losses = clone(nll);
  return record(
      nll, "CtcLossBackward0", {&log_probs},
      saved(log_probs, alpha, losses, q.frames, q.count, q.first, q.labels),
      [plain, zero_infinity](const Tensor& g, const Tensor& input, const Tensor& a,
                             const Tensor& loss, const Tensor& frames, const Tensor& count,
                             const Tensor& first, const Tensor& labels) {
        const Sequences s{plain.steps, plain.batch, plain.classes, plain.blank, plain.longest,
                          frames,      count,       first,         labels};
        const DType t = input.dtype();
        Tensor grad = zeros(input.shape(), Options(t));
        const Tensor share = contiguous(detach(to_dtype(g, t)));
        (t == DType::Float ? ctc_backward<float>
                           : ctc_backward<double>)(s, share, contiguous(detach(input)), a, loss,
                                                   zero_infinity, grad);
        return record(grad, "CtcLossBackwardBackward0", {&g, &input}, saved(),
                      joint([](const Node&, const Tensor&, std::vector<Tensor>&) {
                        fail("derivative for aten::_ctc_loss_backward is not implemented");
                      }));
      });
}

}  // namespace

Tensor ctc_loss(const Tensor& log_probs, const Tensor& targets, IntList input_lengths,
                IntList target_lengths, int64_t blank, Reduction reduction, bool zero_infinity) {
  check(log_probs.dim() == 2 || log_probs.dim() == 3,
        "ctc_loss: log_probs should have two or three dimensions, got {}", log_probs.dim());
  check<NotImplementedError>(
      log_probs.dtype() == DType::Float || log_probs.dtype() == DType::Double,
      "\"ctc_loss_cpu\" not implemented for '{}'", log_probs.dtype());
  const bool batched = log_probs.dim() == 3;
  const Tensor x = batched ? log_probs : unsqueeze(log_probs, 1);
  const Sequences q = sequences(x, targets, input_lengths, target_lengths, blank);
  Tensor loss = ctc_each(x, q, zero_infinity);
  if (zero_infinity) {
    loss = masked_fill(loss, eq(loss, Scalar(std::numeric_limits<double>::infinity())), Scalar(0));
  }
  if (reduction == Reduction::Mean) {
    const Tensor counts = clamp(to_dtype(q.count, x.dtype()), Scalar(1.0), {});
    return mean(div(loss, counts));
  }
  if (reduction == Reduction::Sum) return sum(loss);
  return batched ? loss : squeeze_dims(loss, Dims{0});
}

namespace {

Tensor ctc_lists(const Tensor& log_probs, const Tensor& targets, IntList input_lengths,
                 IntList target_lengths, int64_t blank, std::string_view reduction,
                 bool zero_infinity) {
  return ctc_loss(log_probs, targets, input_lengths, target_lengths, blank,
                  reduction_of({}, {}, reduction), zero_infinity);
}
Tensor ctc_tensors(const Tensor& log_probs, const Tensor& targets, const Tensor& input_lengths,
                   const Tensor& target_lengths, int64_t blank, std::string_view reduction,
                   bool zero_infinity) {
  for (const Tensor* t : {&input_lengths, &target_lengths}) {
    check(is_integral(t->dtype()), "{} must be integral",
          t == &input_lengths ? "input_lengths" : "target_lengths");
  }
  const Tensor a = int64_copy(input_lengths), b = int64_copy(target_lengths);
  return ctc_lists(log_probs, targets,
                   IntList(a.data_as<int64_t>(), static_cast<size_t>(a.numel())),
                   IntList(b.data_as<int64_t>(), static_cast<size_t>(b.numel())), blank, reduction,
                   zero_infinity);
}

}  // namespace

void register_ctc(OpTable& ops) {
  const char* doc =
      "Returns the negative log likelihood of label sequences, summed over their alignments "
      "(Graves "
      "et al., 2006): ``log_probs`` (T, N, C) or (T, C), ``targets`` (N, S) or all labels one "
      "after "
      "the other; 'mean' first divides by the lengths of the targets.";
  ops.add(
      "nn.ctc_loss(Tensor log_probs, Tensor targets, Tensor input_lengths, Tensor target_lengths, "
      "int blank=0, str reduction='mean', bool zero_infinity=False) -> Tensor",
      ctc_tensors, Function, doc);
  ops.add(
      "nn.ctc_loss(Tensor log_probs, Tensor targets, int[] input_lengths, int[] target_lengths, "
      "int "
      "blank=0, str reduction='mean', bool zero_infinity=False) -> Tensor",
      ctc_lists, Function, doc);
}

}  // namespace d2l
