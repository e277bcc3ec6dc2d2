// Distances, cross products, rotations, combinations and spacings: composites of other ops.
#include <cmath>

#include "autograd/record.h"
#include "core/total.h"
#include "d2lcore/ops.h"
#include "iter/map.h"
#include "ops/register.h"

namespace d2l {
namespace {

// |a - b| of rows by one product: |a|^2 + |b|^2 - 2 a b.
Tensor euclidean(const Tensor& a, const Tensor& b) {
  Tensor out;
  {
    GradModeGuard off(false);
    // As one product of [-2 a, |a|^2, 1] and [b, 1, |b|^2].
    const Dims along{-1};
    const Tensor sa = sum(square(a), IntList(along), true);
    const Tensor sb = sum(square(b), IntList(along), true);
    const Tensor left[] = {mul(a, Scalar(-2)), sa, ones_like(sa)};
    const Tensor right[] = {b, ones_like(sb), sb};
    out = sqrt(clamp(matmul(cat(left, -1), mT(cat(right, -1))), Scalar(0), {}));
  }
  auto ratio = [](const Tensor& g, const Tensor& y) {
    return masked_fill(div(g, y), eq(y, Scalar(0)), Scalar(0));
  };
  return record(
      out, "EuclideanDistBackward0", {&a, &b}, saved(a, b, result),
      [ratio](const Tensor& g, const Tensor& x1, const Tensor& x2, const Tensor& y) {
        const Tensor r = ratio(g, y);
        return sub(mul(x1, sum(r, IntList(Dims{-1}), true)), matmul(r, x2));
      },
      [ratio](const Tensor& g, const Tensor& x1, const Tensor& x2, const Tensor& y) {
        const Tensor r = ratio(g, y);
        return sub(mul(x2, mT(sum(r, IntList(Dims{-2}), true))), matmul(mT(r), x1));
      });
}

}  // namespace

Tensor cdist(const Tensor& x1, const Tensor& x2, double p, std::string_view compute_mode) {
  check(x1.dim() >= 2, "cdist only supports at least 2D tensors, X1 got: {}D", x1.dim());
  check(x2.dim() >= 2, "cdist only supports at least 2D tensors, X2 got: {}D", x2.dim());
  const int64_t columns = x1->shape[x1.dim() - 1];
  check(columns == x2->shape[x2.dim() - 1],
        "X1 and X2 must have the same number of columns. X1: {} X2: {}", columns,
        x2->shape[x2.dim() - 1]);
  check(is_floating(x1.dtype()), "cdist only supports floating-point dtypes, X1 got: {}",
        x1.dtype());
  check(is_floating(x2.dtype()), "cdist only supports floating-point dtypes, X2 got: {}",
        x2.dtype());
  check(x1.dtype() == x2.dtype(), "expected scalar type {} but found {}", x1.dtype(), x2.dtype());
  check(p >= 0, "cdist only supports non-negative p values");
  const bool if_large = compute_mode == "use_mm_for_euclid_dist_if_necessary";
  const bool always = compute_mode == "use_mm_for_euclid_dist";
  check<ValueError>(if_large || always || compute_mode == "donot_use_mm_for_euclid_dist",
                    "{} is not a valid value for compute_mode", compute_mode);
  const int64_t rows1 = x1->shape[x1.dim() - 2], rows2 = x2->shape[x2.dim() - 2];
  Dims shape = broadcast_shapes(Dims(x1.shape().first(static_cast<size_t>(x1.dim() - 2))),
                                Dims(x2.shape().first(static_cast<size_t>(x2.dim() - 2))));
  shape.push_back(rows1);
  shape.push_back(rows2);
  if (checked_numel(shape) == 0 || columns == 0) {
    // No gradient flows, yet the result stands in the graph.
    const Tensor none = add(mul(sum(x1), Scalar(0)), mul(sum(x2), Scalar(0)));
    return expand(none, shape);
  }
  const bool product = p == 2 && (always || (if_large && (rows1 > 25 || rows2 > 25)));
  if (product) return euclidean(x1, x2);
  const Tensor away = sub(unsqueeze(x1, -2), unsqueeze(x2, -3));
  return vector_norm(away, Scalar(p), IntList(Dims{-1}));
}

Tensor linalg_cross(const Tensor& self, const Tensor& other, int64_t dim, Dst dst) {
  check(self.dim() == other.dim(), "linalg.cross: inputs must have the same number of dimensions.");
  check<IndexError>(self.dim() > 0, "Dimension specified as {} but tensor has no dimensions", dim);
  const int64_t at = wrap_dim(dim, self.dim());
  check(self->shape[at] == 3 && other->shape[at] == 3,
        "linalg.cross: inputs dimension {} must have length 3. Got {} and {}", dim, self->shape[at],
        other->shape[at]);
  broadcast_shapes(self.shape(), other.shape());
  check(self.dtype() == other.dtype(), "expected scalar type {} but found {}", self.dtype(),
        other.dtype());
  check<NotImplementedError>(self.dtype() != DType::Bool, "\"cross\" not implemented for 'Bool'");
  Tensor out;
  {
    GradModeGuard off(false);
    const Dims one{-1}, two{-2}, along{at};
    out = sub(mul(roll(self, one, along), roll(other, two, along)),
              mul(roll(self, two, along), roll(other, one, along)));
    out = deliver("linalg_cross", dst, out);
  }
  return record(
      out, "LinalgCrossBackward0", {&self, &other}, saved(self, other),
      [at](const Tensor& g, const Tensor&, const Tensor& b) {
        return linalg_cross(conj(expand(b, g.shape())), g, at);
      },
      [at](const Tensor& g, const Tensor& a, const Tensor&) {
        return linalg_cross(g, conj(expand(a, g.shape())), at);
      });
}

namespace {

// Without dim: along the first dimension of size 3.
Tensor cross(const Tensor& self, const Tensor& other, OptInt dim, Dst dst) {
  if (dim) return linalg_cross(self, other, *dim, dst);
  for (int64_t d = 0; d < self.dim(); ++d) {
    if (self->shape[d] == 3) return linalg_cross(self, other, d, dst);
  }
  fail("no dimension of size 3 in input");
}

}  // namespace

Tensor rot90(const Tensor& self, int64_t k, IntList dims) {
  const int64_t n = self.dim();
  check(dims.size() == 2, "expected total rotation dims == 2, but got dims = {}",
        static_cast<int64_t>(dims.size()));
  check(n >= 2, "expected total dims >= 2, but got total dims = {}", n);
  auto inside = [n](int64_t d) { return d >= -n && d < n; };
  const bool known = inside(dims[0]) && inside(dims[1]);
  check(dims[0] != dims[1] && !(known && wrap_dim(dims[0], n) == wrap_dim(dims[1], n)),
        "expected rotation dims to be different, but got dim0 = {} and dim1 = {}", dims[0],
        dims[1]);
  const int64_t a = wrap_dim(dims[0], n), b = wrap_dim(dims[1], n);
  switch (((k % 4) + 4) % 4) {
    case 1:
      return transpose(flip(self, Dims{b}), a, b);
    case 2:
      return flip(self, Dims{a, b});
    case 3:
      return transpose(flip(self, Dims{a}), a, b);
    default:
      return clone(self);
  }
}

Tensor diagflat(const Tensor& self, int64_t offset) {
  return diag(reshape(self, Dims{-1}), offset);
}

Tensor combinations(const Tensor& self, int64_t r, bool with_replacement) {
  check(self.dim() == 1, "Expect a 1D vector, but got shape {}", self.shape());
  check(r >= 0, "Expect a non-negative number, but got {}", r);
  if (r == 0) return empty(Dims{0}, self.dtype());
  const int64_t n = self.numel();
  // Their number: n (or n + r - 1) over r, exact at every step.
  int64_t pool = n;
  if (with_replacement && n > 0) {
    check(!__builtin_add_overflow(n - 1, r, &pool), "combinations: more than 2^63 results");
  }
  int64_t count = pool < r ? 0 : 1;
  for (int64_t i = 1; count > 0 && i <= std::min(r, pool - r); ++i) {
    int64_t product;
    check(!__builtin_mul_overflow(count, pool - i + 1, &product),
          "combinations: more than 2^63 results");
    count = product / i;
  }
  const Tensor places = empty(Dims{count, r}, DType::Int64);
  std::vector<int64_t> row(static_cast<size_t>(count > 0 ? r : 0));
  for (size_t i = 0; i < row.size(); ++i) row[i] = with_replacement ? 0 : static_cast<int64_t>(i);
  int64_t* to = places.data_as<int64_t>();
  for (int64_t c = 0; c < count; ++c) {
    to = std::copy(row.begin(), row.end(), to);
    // The next in lexicographic order: raise the last place that can be.
    int64_t at = r - 1;
    auto limit = [&](int64_t i) { return with_replacement ? n - 1 : n - r + i; };
    while (at >= 0 && row[static_cast<size_t>(at)] == limit(at)) --at;
    if (at < 0) break;
    int64_t value = ++row[static_cast<size_t>(at)];
    for (int64_t i = at + 1; i < r; ++i) {
      row[static_cast<size_t>(i)] = with_replacement ? value : ++value;
    }
  }
  return reshape(index_select(self, 0, reshape(places, Dims{count * r})), Dims{count, r});
}

namespace {

Tensor logspace_into(const Scalar& start, const Scalar& end, int64_t steps, double base,
                     const Options& o, Dst dst) {
  check(steps >= 0, "number of steps must be non-negative");
  check(!start.is_complex() && !end.is_complex(), "logspace: complex ends are not supported");
  const DType type = dst ? dst.tensor().dtype() : o.dtype.value_or(default_dtype());
  const bool whole = is_integral(type);
  const double first = whole ? static_cast<double>(start.to_int()) : start.real();
  const double last = whole ? static_cast<double>(end.to_int()) : end.real();
  const double step = steps > 1 ? (last - first) / static_cast<double>(steps - 1) : 0;
  Tensor wide = empty(Dims{steps}, DType::Double);
  double* p = wide.data_as<double>();
  for (int64_t i = 0; i < steps; ++i) {  // from both ends, as linspace does
    p[i] = std::pow(base, i < (steps + 1) / 2 ? first + step * static_cast<double>(i)
                                              : last - step * static_cast<double>(steps - i - 1));
  }
  Tensor out;
  if (dst && dst.tensor().numel() == steps) {
    copy_into(view(dst.tensor(), Dims{steps}), wide);
    out = dst.tensor();
  } else {
    out = dst ? dst.tensor() : empty(Dims{steps}, type);
    if (dst) resize_raw(out, Dims{steps});
    copy_into(out, wide);
  }
  if (o.requires_grad) out.set_requires_grad(true);
  return out;
}
Scalar end_of(const Tensor& t, const char* which) {
  check(t.dim() == 0,
        "logspace only supports 0-dimensional start and end tensors, but got {} with "
        "{} dimension(s).",
        which, t.dim());
  return item(t);
}
Tensor logspace_tensors(const Tensor& start, const Tensor& end, int64_t steps, double base,
                        const Options& o, Dst dst) {
  return logspace_into(end_of(start, "start"), end_of(end, "end"), steps, base, o, dst);
}
Tensor logspace_start(const Tensor& start, const Scalar& end, int64_t steps, double base,
                      const Options& o, Dst dst) {
  return logspace_into(end_of(start, "start"), end, steps, base, o, dst);
}
Tensor logspace_end(const Scalar& start, const Tensor& end, int64_t steps, double base,
                    const Options& o, Dst dst) {
  return logspace_into(start, end_of(end, "end"), steps, base, o, dst);
}

// Counts (weights, if given) of the elements in bins between edges, the last bin closed.
TensorPair histogram_of(const Tensor& self, const Tensor& edges, const Tensor& weight,
                        bool density) {
  const DType type = self.dtype();
  check<NotImplementedError>(type == DType::Float || type == DType::Double,
                             "\"histogramdd\" not implemented for '{}'", type);
  GradModeGuard off(false);
  const int64_t bins = edges.numel() - 1;
  const Tensor flat = reshape(detach(self), Dims{-1});
  Tensor places = sub(searchsorted(edges, flat, false, true), Scalar(1));
  places = where(eq(flat, select(edges, 0, bins)), wrap(Scalar(bins - 1)), places);
  const Tensor inside = logical_and(logical_and(ge(places, Scalar(0)), lt(places, Scalar(bins))),
                                    logical_not(isnan(flat)));
  const Tensor parts =
      weight.defined() ? reshape(detach(weight), Dims{-1}) : ones(flat.shape(), Options(type));
  Tensor counts = zeros(Dims{bins}, Options(type));
  counts = index_add(counts, 0, masked_select(places, inside), masked_select(parts, inside));
  if (density) {
    counts = div(div(counts, sum(counts)), sub(slice(edges, 0, 1, {}), slice(edges, 0, 0, bins)));
  }
  return {counts, edges};
}
void check_weight(const Tensor& self, const Tensor& weight) {
  if (!weight.defined()) return;
  check(weight.dtype() == self.dtype(),
        "torch.histogramdd: if weight tensor is provided, input tensor and weight tensor should "
        "have the same dtype, but got input(dtype={}), and weight(dtype={})",
        self.dtype(), weight.dtype());
  check(equal(weight.shape(), self.shape()),
        "torch.histogramdd: if weight tensor is provided it should have the same shape as the "
        "input tensor excluding its innermost dimension, but got input with shape {} and weight "
        "with shape {}",
        self.shape(), weight.shape());
}
TensorPair histogram_edges(const Tensor& self, const Tensor& bins, const Tensor& weight,
                           bool density) {
  check(bins.dim() == 1,
        "torch.histogramdd: bins tensor should have one dimension, but got {} dimensions in the "
        "bins tensor for dimension 0",
        bins.dim());
  check(bins.numel() > 0,
        "torch.histogramdd: bins tensor should have at least one element, but got 0");
  check(bins.dtype() == self.dtype(),
        "torch.histogramdd: input tensor and bins tensors should have the same dtype, but got "
        "input with dtype {} and bins for dimension 0 with dtype {}",
        self.dtype(), bins.dtype());
  check_weight(self, weight);
  return histogram_of(self, clone(detach(bins)), weight, density);
}
TensorPair histogram_count(const Tensor& self, int64_t bins,
                           std::optional<std::span<const double>> range, const Tensor& weight,
                           bool density) {
  check(bins < INT64_MAX, "torch.histogram(): too many bins: {}", bins);
  check(bins > 0, "torch.histogram(): bins must be > 0, but got {} for dimension 0", bins);
  check<NotImplementedError>(self.dtype() == DType::Float || self.dtype() == DType::Double,
                             "\"histogramdd\" not implemented for '{}'", self.dtype());
  check_weight(self, weight);
  double low = 0, high = 0;
  if (range) {
    check(range->size() == 2,
          "torch.histogramdd: for a 1-dimensional histogram range should have 2 elements, but got "
          "{}",
          static_cast<int64_t>(range->size()));
    low = (*range)[0];
    high = (*range)[1];
    check(low <= high,
          "torch.histogramdd: min should not exceed max, but got min {} max {} for "
          "dimension 0",
          low, high);
  } else if (self.numel() > 0) {
    GradModeGuard off(false);
    low = item(amin(self, {})).real();
    high = item(amax(self, {})).real();
    check(std::isfinite(low) && std::isfinite(high),
          "torch.histogramdd: dimension 0's input range [{}, {}] is not finite", low, high);
  }
  if (self.numel() == 0 && !range) {
    high = 1;
  } else if (low == high) {
    low -= 0.5;
    high += 0.5;
  }
  const Tensor edges = linspace(Scalar(low), Scalar(high), bins + 1, Options(self.dtype()));
  return histogram_of(self, edges, weight, density);
}

}  // namespace

void register_geometry(OpTable& ops) {
  ops.add(
      "cdist(Tensor x1, Tensor x2, float p=2.0, "
      "str compute_mode='use_mm_for_euclid_dist_if_necessary') -> Tensor",
      cdist, Function,
      "Returns the distances, in the norm of order ``p``, between each row of ``x1`` and each of "
      "``x2``.\n``compute_mode`` says whether Euclidean ones come from one matrix product.");
  ops.add("linalg.cross(Tensor self, Tensor other, *, int dim=-1) -> Tensor", linalg_cross,
          Function | Out, "Returns the cross products of vectors of length 3 along ``dim``.");
  ops.add("cross(Tensor self, Tensor other, int? dim=None) -> Tensor", cross, Both | Out,
          "Returns the cross products along ``dim`` (the first of size 3, by default).");
  ops.add("rot90(Tensor self, int k=1, int[] dims=[0, 1]) -> Tensor", rot90, Both,
          "Rotates by ``k`` times 90 degrees in the plane of ``dims``, the first towards the "
          "second.");
  ops.add("diagflat(Tensor self, int offset=0) -> Tensor", diagflat, Both,
          "Returns a matrix with the flattened ``self`` on a diagonal.");
  ops.add("combinations(Tensor self, int r=2, bool with_replacement=False) -> Tensor", combinations,
          Function, "Returns all choices of ``r`` elements of a vector, one a row.");
  const char* tail = ", int steps, float base=10.0, " D2L_FACTORY ") -> Tensor";
  const char* logspace_doc =
      "Returns ``steps`` numbers from ``base ** start`` to ``base ** end`` with equal ratios.";
  auto add = [&](const char* head, auto f) {
    ops.add((std::string("logspace(") + head + tail).c_str(), f, Function | Out, logspace_doc);
  };
  add("Tensor start, Tensor end", logspace_tensors);
  add("Tensor start, Scalar end", logspace_start);
  add("Scalar start, Tensor end", logspace_end);
  add("Scalar start, Scalar end", logspace_into);
  const char* histogram_doc =
      "Returns (hist, bin_edges): how many elements, or how much ``weight``, each bin holds; of "
      "area 1 with ``density``. ``bins`` is a number of equal bins over ``range`` (the data's, by "
      "default), or the increasing edges.";
  ops.add(
      "histogram(Tensor self, Tensor bins, *, Tensor? weight=None, bool density=False) -> "
      "(Tensor hist, Tensor bin_edges)",
      histogram_edges, Both | Out, histogram_doc);
  ops.add(
      "histogram(Tensor self, int bins=100, *, float[]? range=None, Tensor? weight=None, "
      "bool density=False) -> (Tensor hist, Tensor bin_edges)",
      histogram_count, Both | Out, histogram_doc);
}

}  // namespace d2l
