// Sorting and selecting: values with their places. All derivatives put the cotangent there.
#include "autograd/record.h"
#include "d2lcore/ops.h"
#include "iter/map.h"
#include "iter/order.h"
#include "ops/register.h"

namespace d2l {

void register_unique(OpTable& ops);

namespace {

void refuse_complex(const char* what, const Tensor& self) {
  check(!is_complex(self.dtype()), "{}", what);
}

Tensor raw_1d(const Tensor& t) { return t.dim() ? t : raw_view(t, Dims{1}, Dims{1}, t.offset()); }

// pick() along dim, n elements of the result there; 0-d tensors count as vectors.
TensorPair picked(const Tensor& self, int64_t at, Pick what, int64_t k, bool descending,
                  int64_t n) {
  Dims shape(self.shape());
  if (self.dim()) shape[at] = n;
  const bool whole = what == Pick::Sort;  // which keeps self's strides
  Tensor values = whole ? empty_as(self, self.dtype()) : empty(shape, self.dtype());
  Tensor indices = whole ? empty_as(self, DType::Int64) : empty(shape, DType::Int64);
  if (self.dim() == 0 && n != 1) return {values, indices};
  pick(raw_1d(self), at, what, k, descending, raw_1d(values), raw_1d(indices));
  return {values, indices};
}

// The cotangent of the chosen values, put where they came from.
TensorPair selected(const char* node, const Tensor& self, int64_t at, TensorPair pair) {
  const auto& [values, indices] = pair;
  const Tensor outs[] = {values, indices};
  const bool reduced = values.dim() < self.dim();
  record_many(outs, node, {&self}, saved(indices),
              joint([at, reduced](const Node& n, const Tensor& g, const Tensor& i,
                                  std::vector<Tensor>& in) {
                const Tensor zero = zeros(n.input_shape(0), g.dtype());
                const Dst to = Dst::inplace(zero);
                in[0] = reduced ? scatter(zero, at, unsqueeze(i, at), unsqueeze(g, at), to)
                                : scatter(zero, at, i, g, to);
              }));
  return pair;
}

// One element along dim, which goes unless keepdim.
TensorPair reduced(const char* op, const char* node, const Tensor& self, int64_t dim, Pick what,
                   int64_t k, bool keepdim) {
  check<NotImplementedError>(!is_complex(self.dtype()), "\"{}_cpu\" not implemented for '{}'", op,
                             self.dtype());
  const int64_t at = wrap_dim(dim, self.dim());
  check<IndexError>(self.dim() == 0 || self->shape[at] > 0,
                    "{}(): Expected reduction dim {} to have non-zero size.", op, at);
  TensorPair pair = picked(self, at, what, k, false, 1);
  if (!keepdim && self.dim()) {
    for (Tensor* t : {&std::get<0>(pair), &std::get<1>(pair)}) {
      Dims shape(t->shape()), strides(t->strides());
      shape.erase(static_cast<int>(at));
      strides.erase(static_cast<int>(at));
      *t = raw_view(*t, shape, strides, 0);
    }
  }
  return selected(node, self, at, pair);
}

Tensor median_of_all(const char* op, const char* node, const Tensor& self, Pick what) {
  check<NotImplementedError>(!is_complex(self.dtype()) && self.dtype() != DType::Bool,
                             "\"{}_cpu\" not implemented for '{}'", op, self.dtype());
  Tensor out = empty(Dims{}, self.dtype());
  if (self.numel() == 0) {
    fill_into(out, is_floating(self.dtype()) ? Scalar(__builtin_nan("")) : Scalar(INT64_MIN));
    return out;
  }
  Tensor flat = empty(Dims{self.numel()}, self.dtype());
  copy_into(raw_view(flat, self.shape(), contiguous_strides(self.shape()), 0), self);
  Tensor index = empty(Dims{1}, DType::Int64);
  pick(flat, 0, what, 0, false, raw_1d(out), index);
  return record(out, node, {&self}, saved(self, result),
                [](const Tensor& g, const Tensor& x, const Tensor& y) {
                  const Tensor mask = logical_or(eq(x, y), logical_and(isnan(x), isnan(y)));
                  return mul(mask, div(g, sum(mask)));
                });
}

}  // namespace

TensorPair sort(const Tensor& self, int64_t dim, bool descending) {
  const int64_t at = wrap_dim(dim, self.dim());
  refuse_complex(" Sort does not support complex dtypes on CPU", self);
  const int64_t n = self.dim() ? self->shape[at] : 1;
  return selected("SortBackward0", self, at, picked(self, at, Pick::Sort, 0, descending, n));
}

Tensor argsort(const Tensor& self, int64_t dim, bool descending) {
  const int64_t at = wrap_dim(dim, self.dim());
  refuse_complex(" Sort does not support complex dtypes on CPU", self);
  return std::get<1>(picked(self, at, Pick::Sort, 0, descending, self.dim() ? self->shape[at] : 1));
}

Tensor msort(const Tensor& self) { return std::get<0>(sort(self, 0, false)); }

TensorPair topk(const Tensor& self, int64_t k, int64_t dim, bool largest, bool) {
  const int64_t at = wrap_dim(dim, self.dim());
  check(k >= 0 && k <= (self.dim() ? self->shape[at] : 1), "selected index k out of range");
  check(!is_complex(self.dtype()), " topk does not support complex dtypes on CPU");
  check<NotImplementedError>(self.dtype() != DType::Bool, "\"topk_cpu\" not implemented for '{}'",
                             self.dtype());
  return selected("TopkBackward0", self, at,
                  picked(self, at, Pick::Top, k, largest, self.dim() ? k : 1));
}

TensorPair kthvalue(const Tensor& self, int64_t k, int64_t dim, bool keepdim) {
  const int64_t at = wrap_dim(dim, self.dim()), n = self.dim() ? self->shape[at] : 1;
  check<IndexError>(n > 0, "kthvalue(): Expected reduction dim {} to have non-zero size.", at);
  check(k >= 1 && k <= n, "kthvalue(): selected number k out of range for dimension {}", at);
  check<NotImplementedError>(self.dtype() != DType::Bool,
                             "\"kthvalue_cpu\" not implemented for 'Bool'");
  return reduced("kthvalue", "KthvalueBackward0", self, dim, Pick::Nth, k - 1, keepdim);
}

Tensor median(const Tensor& self) {
  return median_of_all("median", "MedianBackward0", self, Pick::Median);
}
Tensor nanmedian(const Tensor& self) {
  return median_of_all("nanmedian", "NanmedianBackward0", self, Pick::NanMedian);
}
TensorPair median(const Tensor& self, int64_t dim, bool keepdim) {
  check<NotImplementedError>(self.dtype() != DType::Bool,
                             "\"median_out\" not implemented for 'Bool'");
  return reduced("median", "MedianBackward1", self, dim, Pick::Median, 0, keepdim);
}
TensorPair nanmedian(const Tensor& self, int64_t dim, bool keepdim) {
  check<NotImplementedError>(self.dtype() != DType::Bool,
                             "\"median_out\" not implemented for 'Bool'");
  return reduced("median", "NanmedianBackward1", self, dim, Pick::NanMedian, 0, keepdim);
}
TensorPair mode(const Tensor& self, int64_t dim, bool keepdim) {
  return reduced("mode", "ModeBackward0", self, dim, Pick::Mode, 0, keepdim);
}

namespace {

TensorPair sort_stable(const Tensor& self, OptBool, int64_t dim, bool descending) {
  return sort(self, dim, descending);
}
Tensor argsort_stable(const Tensor& self, bool, int64_t dim, bool descending) {
  return argsort(self, dim, descending);
}

}  // namespace

void register_sort(OpTable& ops) {
  const char* sort_doc =
      "Sorts along ``dim``; equal elements keep their order, NaN counts as the greatest.\n"
      "Returns (values, indices).";
  ops.add("sort(Tensor self, int dim=-1, bool descending=False) -> (Tensor values, Tensor indices)",
          sort, Both | Out, sort_doc);
  ops.add(
      "sort(Tensor self, *, bool? stable, int dim=-1, bool descending=False) -> (Tensor values, "
      "Tensor indices)",
      sort_stable, Both | Out, sort_doc);
  const char* argsort_doc = "Returns the indices that sort ``self`` along ``dim``.";
  ops.add("argsort(Tensor self, int dim=-1, bool descending=False) -> Tensor", argsort, Both,
          argsort_doc);
  ops.add("argsort(Tensor self, *, bool stable, int dim=-1, bool descending=False) -> Tensor",
          argsort_stable, Both, argsort_doc);
  ops.add("msort(Tensor self) -> Tensor", msort, Both | Out, "Sorts along dimension 0.");
  ops.add(
      "topk(Tensor self, int k, int dim=-1, bool largest=True, bool sorted=True) -> (Tensor "
      "values, Tensor indices)",
      topk, Both | Out,
      "Returns the ``k`` largest (smallest) elements along ``dim``, in order, and their places.");
  ops.add(
      "kthvalue(Tensor self, int k, int dim=-1, bool keepdim=False) -> (Tensor values, Tensor "
      "indices)",
      kthvalue, Both | Out, "Returns the ``k``-th smallest element along ``dim`` and its place.");
  const char* median_doc =
      "Returns the lower median; along ``dim`` also its place. NaN wins, except in nanmedian.";
  using OfAll = Tensor (*)(const Tensor&);
  using AlongDim = TensorPair (*)(const Tensor&, int64_t, bool);
  ops.add("median(Tensor self) -> Tensor", static_cast<OfAll>(median), Both, median_doc);
  ops.add("median(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)",
          static_cast<AlongDim>(median), Both | Out, median_doc);
  ops.add("nanmedian(Tensor self) -> Tensor", static_cast<OfAll>(nanmedian), Both, median_doc);
  ops.add("nanmedian(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)",
          static_cast<AlongDim>(nanmedian), Both | Out, median_doc);
  ops.add("mode(Tensor self, int dim=-1, bool keepdim=False) -> (Tensor values, Tensor indices)",
          mode, Both | Out, "Returns the most frequent element along ``dim`` and its place.");
  register_unique(ops);
}

}  // namespace d2l
