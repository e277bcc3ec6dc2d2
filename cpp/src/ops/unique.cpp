// Distinct values, searching in sorted values, and counting.
#include <algorithm>
#include <cstring>
#include <numeric>

#include "autograd/record.h"
#include "d2lcore/ops.h"
#include "iter/index.h"
#include "iter/map.h"
#include "iter/order.h"
#include "ops/register.h"

namespace d2l {

void register_unique(OpTable& ops);

namespace {

Tensor dense_as(const Tensor& t, DType dtype) {
  if (t.dtype() == dtype && t.is_contiguous()) return t;
  Tensor out = empty(t.shape(), dtype);
  copy_into(out, t);
  return out;
}

Tensor from_vector(const std::vector<int64_t>& v) {
  Tensor out = empty(Dims{static_cast<int64_t>(v.size())}, DType::Int64);
  std::copy(v.begin(), v.end(), out.data_as<int64_t>());
  return out;
}

// Rows of m keys, one after the other; a NaN differs from everything, itself included.
struct Rows {
  std::vector<uint64_t> keys;
  int64_t n = 0, m = 0;
  uint64_t nan = 0;
  bool has_nan = false;
  const uint64_t* row(int64_t i) const { return keys.data() + i * m; }
  bool same(int64_t a, int64_t b) const {
    const uint64_t *x = row(a), *y = row(b);
    for (int64_t k = 0; k < m; ++k) {
      if (x[k] != y[k] || (has_nan && x[k] == nan)) return false;
    }
    return true;
  }
  bool less(int64_t a, int64_t b) const {
    return std::lexicographical_compare(row(a), row(a) + m, row(b), row(b) + m);
  }
};

Rows rows_of(const Tensor& dense, int64_t n) {
  Rows r;
  r.n = n;
  r.m = n ? dense.numel() / n : 0;
  r.keys.resize(static_cast<size_t>(dense.numel()));
  if (dense.numel()) order_keys(dense, r.keys.data());
  r.has_nan = is_floating(dense.dtype());
  r.nan = dense.dtype() == DType::Double ? UINT64_MAX : UINT32_MAX;
  return r;
}

// Groups of equal neighbours in the given order.
struct Groups {
  std::vector<int64_t> first, counts;
  Tensor inverse;
};
// Step k looks at row rows_at[k] and belongs to item items_at[k] (both k itself when null).
Groups group(const Rows& rows, const int64_t* rows_at, const int64_t* items_at, bool want_inverse) {
  Groups g;
  if (want_inverse) g.inverse = empty(Dims{rows.n}, DType::Int64);
  int64_t* inverse = want_inverse ? g.inverse.data_as<int64_t>() : nullptr;
  for (int64_t k = 0; k < rows.n; ++k) {
    const int64_t i = rows_at ? rows_at[k] : k;
    if (k == 0 || !rows.same(rows_at ? rows_at[k - 1] : k - 1, i)) {
      g.first.push_back(i);
      g.counts.push_back(0);
    }
    ++g.counts.back();
    if (inverse) inverse[items_at ? items_at[k] : k] = static_cast<int64_t>(g.first.size()) - 1;
  }
  return g;
}

TensorTriple distinct(const char* node, const Tensor& self, bool sorted, bool return_inverse,
                      bool return_counts, OptInt dim) {
  check<NotImplementedError>(!is_complex(self.dtype()), "\"unique\" not implemented for '{}'",
                             self.dtype());
  Tensor values;
  Groups g;
  {
    GradModeGuard off(false);
    Tensor items = dim ? Tensor() : flatten(contiguous(self));
    int64_t at = 0;
    if (dim) {
      at = wrap_dim(*dim, self.dim());
      check<IndexError>(self.dim() > 0, "Dimension specified as {} but tensor has no dimensions",
                        *dim);
      check(self.numel() > 0 || self->shape[at] == 0,
            "There are 0 sized dimensions, and they aren't selected, so unique cannot be applied");
      items = contiguous(movedim(self, Dims{at}, Dims{0}));
    }
    if (sorted && !dim) {
      const auto [in_order, places] = sort(items, 0, false);
      items = in_order;
      g = group(rows_of(items, items->shape[0]), nullptr, places.data_as<int64_t>(),
                return_inverse);
    } else {
      const Rows rows = rows_of(items, items->shape[0]);
      std::vector<int64_t> order(sorted ? static_cast<size_t>(rows.n) : 0);
      std::iota(order.begin(), order.end(), 0);
      std::stable_sort(order.begin(), order.end(),
                       [&](int64_t a, int64_t b) { return rows.less(a, b); });
      const int64_t* at_order = order.empty() ? nullptr : order.data();
      g = group(rows, at_order, at_order, return_inverse);
    }
    values = index_select(items, 0, from_vector(g.first));
    if (dim) values = contiguous(movedim(values, Dims{0}, Dims{at}));
    if (return_inverse && !dim) g.inverse = reshape(g.inverse, self.shape());
  }
  values = record(values, node, {&self}, saved(), [](const Tensor&) -> Tensor {
    fail<NotImplementedError>("the derivative for 'unique' is not implemented.");
  });
  return {values, return_inverse ? g.inverse : empty(Dims{0}, DType::Int64),
          return_counts ? from_vector(g.counts) : empty(Dims{0}, DType::Int64)};
}

}  // namespace

TensorTriple unique(const Tensor& self, bool return_inverse, bool return_counts, OptInt dim) {
  return distinct(dim ? "UniqueDimBackward0" : "Unique2Backward0", self, true, return_inverse,
                  return_counts, dim);
}
TensorTriple unique_consecutive(const Tensor& self, bool return_inverse, bool return_counts,
                                OptInt dim) {
  return distinct("UniqueConsecutiveBackward0", self, false, return_inverse, return_counts, dim);
}

namespace {

// The first place in [0, n) of sorted values where v may be inserted. The comparisons decide where
// a NaN goes, as in PyTorch.
template <class T, bool kRight>
int64_t insertion_point(const T* sorted, const int64_t* sorter, int64_t n, T v) {
  auto before = [v](T x) { return kRight ? !(x > v) : !(x >= v); };
  if (!sorter) {  // no branch depends on the data
    const T* base = sorted;
    for (; n > 1; n -= n / 2) base += before(base[n / 2 - 1]) ? n / 2 : 0;
    return base - sorted + (n == 1 && before(*base));
  }
  int64_t begin = 0, end = n;
  while (begin < end) {
    const int64_t mid = begin + (end - begin) / 2;
    if (before(sorted[sorter[mid]])) {
      begin = mid + 1;
    } else {
      end = mid;
    }
  }
  return begin;
}

template <class T>
void search_all(const Tensor& sorted, const Tensor& values, const Tensor& sorter, bool right,
                int64_t* out) {
  const int64_t n = sorted.dim() ? sorted->shape[sorted.dim() - 1] : 1;
  const int64_t per = sorted.dim() > 1 ? values->shape[values.dim() - 1] : values.numel();
  const T *s = sorted.data_as<T>(), *v = values.data_as<T>();
  const int64_t* order = sorter.defined() ? sorter.data_as<int64_t>() : nullptr;
  for (int64_t i = 0; i < values.numel(); ++i) {
    const int64_t row = sorted.dim() > 1 ? i / per * n : 0;
    const int64_t* by = order ? order + row : nullptr;
    out[i] = right ? insertion_point<T, true>(s + row, by, n, v[i])
                   : insertion_point<T, false>(s + row, by, n, v[i]);
  }
}

}  // namespace

Tensor searchsorted(const Tensor& sorted_sequence, const Tensor& self, bool out_int32, bool right,
                    std::optional<std::string_view> side, const Tensor& sorter, Dst dst) {
  if (side) {
    check(*side == "left" || *side == "right",
          "torch.searchsorted(): side can only be 'left' or 'right' but got {}", *side);
    check(!(right && *side == "left"),
          "torch.searchsorted(): side and right can't be set to opposites, got side of left while "
          "right was True");
    right = *side == "right";
  }
  const Tensor& b = sorted_sequence;
  check(
      self.dim() > 0 || b.dim() == 1,
      "torch.searchsorted(): input value can be a scalar only when boundaries tensor dimension is "
      "1, but we got boundaries tensor dim({}) and input value's dim({}) numel({})",
      b.dim(), self.dim(), self.numel());
  check(b.dim() != 0,
        "torch.searchsorted(): boundaries tensor should have positive dimension, but got 0 "
        "dimension");
  const bool rows_match =
      b.dim() == self.dim() && equal(b.shape().first(static_cast<size_t>(b.dim()) - 1),
                                     self.shape().first(static_cast<size_t>(b.dim()) - 1));
  check(
      b.dim() == 1 || rows_match,
      "torch.searchsorted(): boundaries tensor should be 1 dimension or the first N-1 dimensions "
      "of boundaries tensor and input value tensor must match, but we got boundaries tensor {} and "
      "input value tensor {}",
      b.shape(), self.shape());
  const int64_t n = b->shape[b.dim() - 1];
  Tensor order;
  if (sorter.defined()) {
    check(equal(sorter.shape(), b.shape()),
          "torch.searchsorted(): boundary and sorter must have the same size, but got boundary "
          "tensor {}and got sorter tensor {}",
          b.shape(), sorter.shape());
    check(sorter.dtype() == DType::Int64,
          "torch.searchsorted(): sorter must be a tensor of long dtype but got dtype {}",
          sorter.dtype());
    order = dense_as(
        IndexTensor::checked(
            sorter, 0, n, [](int64_t) { fail("torch.searchsorted(): sorter index out of range"); })
            .values(),
        DType::Int64);
  }
  check<NotImplementedError>(!is_complex(b.dtype()) && !is_complex(self.dtype()),
                             "\"searchsorted_out_cpu\" not implemented for complex tensors");
  // Compared in the common dtype, whose values int64 or double hold exactly.
  const DType common = result_type(b, self);
  const DType wide = is_integral_or_bool(common) ? DType::Int64 : DType::Double;
  const Tensor list = dense_as(dense_as(b, common), wide);
  const Tensor values = dense_as(dense_as(self, common), wide);
  Tensor out = empty(self.shape(), DType::Int64);
  if (wide == DType::Int64) {
    search_all<int64_t>(list, values, order, right, out.data_as<int64_t>());
  } else {
    search_all<double>(list, values, order, right, out.data_as<int64_t>());
  }
  check(
      !out_int32 || n < INT32_MAX,
      "torch.searchsorted(): the size of boundaries' last dimension should be less than {}, but we "
      "got {}",
      INT32_MAX, n);
  return deliver("searchsorted", dst, out_int32 ? dense_as(out, DType::Int32) : out);
}

Tensor bucketize(const Tensor& self, const Tensor& boundaries, bool out_int32, bool right,
                 Dst dst) {
  check(boundaries.dim() == 1, "boundaries tensor must be 1 dimension, but got dim({})",
        boundaries.dim());
  return searchsorted(boundaries, self, out_int32, right, std::nullopt, Tensor(), dst);
}

Tensor bincount(const Tensor& self, const Tensor& weights, int64_t minlength) {
  check<NotImplementedError>(is_integral(self.dtype()), "\"bincount_cpu\" not implemented for '{}'",
                             self.dtype());
  check(minlength >= 0, "minlength should be >= 0");
  const Tensor list = dense_as(self, DType::Int64);
  if (self.dim() == 1 && self.numel() == 0) return zeros(Dims{minlength}, DType::Int64);
  const int64_t* v = list.data_as<int64_t>();
  int64_t least = 0, largest = -1;
  for (int64_t i = 0; i < list.numel(); ++i) {
    least = std::min(least, v[i]);
    largest = std::max(largest, v[i]);
  }
  check(self.dim() == 1 && least >= 0, "bincount only supports 1-d non-negative integral inputs.");
  check(largest < INT64_MAX, "bincount: {} is too large", largest);
  const int64_t n = std::max(largest + 1, minlength);
  if (!weights.defined()) {
    Tensor out = zeros(Dims{n}, DType::Int64);
    int64_t* to = out.data_as<int64_t>();
    for (int64_t i = 0; i < list.numel(); ++i) ++to[v[i]];
    return out;
  }
  check(weights.dim() == 1 && weights.numel() == self.numel(),
        "weights should be 1-d and have the same length as input");
  const DType type = weights.dtype() == DType::Float ? DType::Float : DType::Double;
  const Tensor w = dense_as(weights, type);
  Tensor out = zeros(Dims{n}, type);
  for (int64_t i = 0; i < list.numel(); ++i) {
    if (type == DType::Float) {
      out.data_as<float>()[v[i]] += w.data_as<float>()[i];
    } else {
      out.data_as<double>()[v[i]] += w.data_as<double>()[i];
    }
  }
  return out;
}

Tensor histc(const Tensor& self, int64_t bins, const Scalar& min, const Scalar& max, Dst dst) {
  check<NotImplementedError>(is_floating(self.dtype()),
                             "\"histogram_cpu\" not implemented for '{}'", self.dtype());
  check(bins > 0, "torch.histogram(): bins must be > 0, but got {} for dimension 0", bins);
  double low = min.real(), high = max.real();
  check(low <= high, "torch.histc: max must be larger than min");
  const Tensor list = dense_as(self, DType::Double);
  const double* v = list.data_as<double>();
  const int64_t n = list.numel();
  if (low == high && n > 0) {
    low = *std::min_element(v, v + n);
    high = *std::max_element(v, v + n);
  }
  if (low == high) {
    low -= 1;
    high += 1;
  }
  check(low - low == 0 && high - high == 0, "torch.histc: range of [{}, {}] is not finite", low,
        high);
  Tensor counts = zeros(Dims{bins}, DType::Double);
  double* to = counts.data_as<double>();
  for (int64_t i = 0; i < n; ++i) {
    if (!(v[i] >= low && v[i] <= high)) continue;
    const auto k = static_cast<int64_t>((v[i] - low) / (high - low) * static_cast<double>(bins));
    to[std::clamp<int64_t>(k, 0, bins - 1)] += 1;
  }
  return deliver("histc", dst, dense_as(counts, self.dtype()));
}

Tensor isin(const Tensor& elements, const Tensor& test_elements, bool, bool invert) {
  check(!is_complex(elements.dtype()) && !is_complex(test_elements.dtype()),
        "Unsupported input type encountered for isin(): {}",
        is_complex(elements.dtype()) ? elements.dtype() : test_elements.dtype());
  GradModeGuard off(false);
  const DType common = result_type(elements, test_elements);
  const Tensor e = dense_as(elements, common), t = dense_as(test_elements, common);
  std::vector<uint64_t> have(static_cast<size_t>(t.numel())), want(static_cast<size_t>(e.numel()));
  order_keys(t, have.data());
  order_keys(e, want.data());
  std::sort(have.begin(), have.end());
  const uint64_t nan = common == DType::Double ? UINT64_MAX : UINT32_MAX;
  Tensor out = empty(elements.shape(), DType::Bool);
  for (size_t i = 0; i < want.size(); ++i) {
    const bool in = !(is_floating(common) && want[i] == nan) &&
                    std::binary_search(have.begin(), have.end(), want[i]);
    out.data_as<bool>()[i] = in != invert;
  }
  return out;
}

namespace {

OneOrMore chosen(TensorTriple all, bool inverse, bool counts) {
  OneOrMore out;
  out.tensors.push_back(std::get<0>(all));
  if (inverse) out.tensors.push_back(std::get<1>(all));
  if (counts) out.tensors.push_back(std::get<2>(all));
  return out;
}
OneOrMore unique_row(const Tensor& self, bool, bool return_inverse, bool return_counts,
                     OptInt dim) {
  return chosen(unique(self, return_inverse, return_counts, dim), return_inverse, return_counts);
}
OneOrMore unique_consecutive_row(const Tensor& self, bool return_inverse, bool return_counts,
                                 OptInt dim) {
  return chosen(unique_consecutive(self, return_inverse, return_counts, dim), return_inverse,
                return_counts);
}
Tensor searchsorted_scalar(const Tensor& sorted_sequence, const Scalar& self, bool out_int32,
                           bool right, std::optional<std::string_view> side, const Tensor& sorter,
                           Dst dst) {
  return searchsorted(sorted_sequence, wrap(self), out_int32, right, side, sorter, dst);
}
Tensor bucketize_scalar(const Scalar& self, const Tensor& boundaries, bool out_int32, bool right) {
  return bucketize(wrap(self), boundaries, out_int32, right);
}
Tensor isin_scalar(const Tensor& elements, const Scalar& test_element, bool unique, bool invert) {
  return isin(elements, wrap(test_element), unique, invert);
}
Tensor isin_element(const Scalar& element, const Tensor& test_elements, bool unique, bool invert) {
  return isin(wrap(element), test_elements, unique, invert);
}

}  // namespace

void register_unique(OpTable& ops) {
  ops.add(
      "unique(Tensor self, bool sorted=True, bool return_inverse=False, bool "
      "return_counts=False, int? dim=None) -> Tensor",
      unique_row, Both,
      "Returns the distinct elements (slices along ``dim``) in rising order, and on demand where "
      "each element went and how often each occurs.");
  ops.add(
      "unique_consecutive(Tensor self, bool return_inverse=False, bool return_counts=False, "
      "int? dim=None) -> Tensor",
      unique_consecutive_row, Both,
      "Returns the elements (slices along ``dim``) without those equal to the one before.");
  const char* search_doc =
      "Returns where each value would go in the sorted last dimension (int64, or int32):\n"
      "before equal elements, after them with ``right=True``.";
  ops.add(
      "searchsorted(Tensor sorted_sequence, Tensor self, *, bool out_int32=False, bool "
      "right=False, str? side=None, Tensor? sorter=None) -> Tensor",
      searchsorted, Function | Out, search_doc);
  ops.add(
      "searchsorted(Tensor sorted_sequence, Scalar self, *, bool out_int32=False, bool "
      "right=False, str? side=None, Tensor? sorter=None) -> Tensor",
      searchsorted_scalar, Function | Out, search_doc);
  ops.add(
      "bucketize(Tensor self, Tensor boundaries, *, bool out_int32=False, bool right=False) -> "
      "Tensor",
      bucketize, Function | Out, "Returns ``searchsorted(boundaries, self)``.");
  ops.add(
      "bucketize(Scalar self, Tensor boundaries, *, bool out_int32=False, bool right=False) -> "
      "Tensor",
      bucketize_scalar, Function, "Returns ``searchsorted(boundaries, self)``.");
  ops.add("bincount(Tensor self, Tensor? weights=None, int minlength=0) -> Tensor", bincount, Both,
          "Counts (or sums the weights of) each value of a vector of non-negative integers.");
  ops.add("histc(Tensor self, int bins=100, Scalar min=0, Scalar max=0) -> Tensor", histc,
          Both | Out, "Counts elements in equal bins of [min, max]; both 0 take the data's range.");
  const char* isin_doc = "Tells for each element whether it is among ``test_elements``.";
  ops.add(
      "isin(Tensor elements, Tensor test_elements, *, bool assume_unique=False, bool "
      "invert=False) -> Tensor",
      isin, Function | Out, isin_doc);
  ops.add(
      "isin(Tensor elements, Scalar test_element, *, bool assume_unique=False, bool "
      "invert=False) -> Tensor",
      isin_scalar, Function | Out, isin_doc);
  ops.add(
      "isin(Scalar element, Tensor test_elements, *, bool assume_unique=False, bool "
      "invert=False) -> Tensor",
      isin_element, Function | Out, isin_doc);
}

}  // namespace d2l
