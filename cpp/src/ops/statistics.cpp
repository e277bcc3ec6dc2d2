// Statistics of samples: quantiles, covariance, differences and integrals along a dimension.
#include <cmath>
#include <limits>

#include "autograd/record.h"
#include "d2lcore/ops.h"
#include "iter/map.h"
#include "ops/register.h"

namespace d2l {
namespace {

enum class Between { Linear, Lower, Higher, Midpoint, Nearest };

Between between(std::string_view name) {
  if (name == "linear") return Between::Linear;
  if (name == "lower") return Between::Lower;
  if (name == "higher") return Between::Higher;
  if (name == "midpoint") return Between::Midpoint;
  check(name == "nearest",
        "quantile() interpolation must be one of linear, lower, higher, midpoint or nearest, but "
        "got {}",
        name);
  return Between::Nearest;
}

// The last dimension sorted, then read at rank q (n - 1), between two neighbours where that is no
// integer. Made of differentiable ops.
Tensor quantile_of(const Tensor& self, const Tensor& q, OptInt dim, bool keepdim,
                   std::string_view interpolation, bool ignore_nan, Dst dst) {
  const Between mode = between(interpolation);
  const DType type = self.dtype();
  check(self.numel() > 0, "quantile() input tensor must be non-empty");
  check(q.dim() <= 1, "quantile() q must be a scalar or 1D tensor, but got q of dim {}", q.dim());
  check(type == DType::Float || type == DType::Double,
        "quantile() input tensor must be either float or double dtype");
  check(q.dtype() == type, "quantile() q tensor must be same dtype as the input tensor");
  check(!dst || dst.tensor().dtype() == type,
        "quantile() out tensor must be same dtype as the input tensor");
  const int64_t at = dim ? wrap_dim(*dim, self.dim()) : 0;
  {
    GradModeGuard off(false);
    const Tensor inside = logical_and(ge(q, Scalar(0)), le(q, Scalar(1)));
    check(q.numel() == 0 || item(all(inside)).to_bool(),
          "quantile() q values must be in the range [0, 1]");
  }
  Tensor sorted;
  Dims shape(self.shape());
  if (!dim) {
    sorted = std::get<0>(sort(flatten(self)));
    shape = keepdim ? Dims(static_cast<int>(self.dim()), 1) : Dims{};
  } else {
    const Dims from{at}, to{-1};
    sorted = std::get<0>(sort(self.dim() ? movedim(self, from, to) : unsqueeze(self, 0)));
    if (self.dim()) keepdim ? void(shape[at] = 1) : shape.erase(static_cast<int>(at));
  }
  const int64_t n = sorted->shape[sorted.dim() - 1];
  // Ranks: (..., q). Rows with NaN are NaN throughout: there every q reads the last element.
  const Tensor list = q.dim() ? q : unsqueeze(q, 0), plain = detach(sorted);
  const Dims along{-1};
  Tensor ranks;
  if (ignore_nan) {
    const Tensor count = to_dtype(sum(logical_not(isnan(plain)), IntList(along), true), type);
    ranks = mul(list, sub(count, Scalar(1)));
    ranks = masked_fill(ranks, lt(ranks, Scalar(0)), Scalar(0));  // all NaN: read one of them
  } else {
    const Tensor last = wrap(Scalar(static_cast<double>(n - 1)));
    ranks = masked_fill(mul(list, last), any(isnan(plain), IntList(along), true), last);
  }
  if (mode == Between::Lower) ranks = floor(ranks);
  if (mode == Between::Higher) ranks = ceil(ranks);
  if (mode == Between::Nearest) ranks = round(ranks);
  Dims places(sorted.shape());
  places[places.size() - 1] = list->shape[0];
  ranks = contiguous(expand(ranks, places));
  const Tensor low = to_dtype(detach(ranks), DType::Int64);
  Tensor weights, high;
  if (mode == Between::Linear || mode == Between::Midpoint) {
    weights = mode == Between::Midpoint ? full(ranks.shape(), Scalar(0.5), Options(type))
                                        : sub(ranks, to_dtype(low, type));
    high = to_dtype(ceil(detach(ranks)), DType::Int64);
  }
  Tensor out = gather(sorted, -1, low);
  if (high.defined()) out = lerp(out, gather(sorted, -1, high), weights);
  // The values of q come first.
  if (q.dim() == 0) {
    out = squeeze_dims(out, Dims{-1});
  } else {
    out = movedim(out, Dims{-1}, Dims{0});
    shape.insert(0, q->shape[0]);
  }
  return deliver("quantile", dst, reshape(out, shape));
}

}  // namespace

Tensor quantile(const Tensor& self, const Tensor& q, OptInt dim, bool keepdim,
                std::string_view interpolation, Dst dst) {
  return quantile_of(self, q, dim, keepdim, interpolation, false, dst);
}
Tensor nanquantile(const Tensor& self, const Tensor& q, OptInt dim, bool keepdim,
                   std::string_view interpolation, Dst dst) {
  return quantile_of(self, q, dim, keepdim, interpolation, true, dst);
}

Tensor cov(const Tensor& self, int64_t correction, const Tensor& fweights, const Tensor& aweights) {
  check(self.dim() <= 2,
        "cov(): expected input to have two or fewer dimensions but got an input with {} dimensions",
        self.dim());
  check(self.dtype() != DType::Bool, "cov(): bool dtype is not supported for input");
  const Tensor in = self.dim() < 2 ? view(contiguous(self), Dims{1, -1}) : self;
  const int64_t n = in->shape[1];
  Tensor weights;
  if (fweights.defined()) {
    check(fweights.dim() <= 1,
          "cov(): expected fweights to have one or fewer dimensions but got fweights with {} "
          "dimensions",
          fweights.dim());
    check(is_integral(fweights.dtype()),
          "cov(): expected fweights to have integral dtype but got fweights with {} dtype",
          fweights.dtype());
    check(fweights.numel() == n,
          "cov(): expected fweights to have the same numel as there are observations in the input "
          "but got {} != {}",
          fweights.numel(), n);
    check(n == 0 || item(amin(fweights, {})).real() >= 0, "cov(): fweights cannot be negative");
    weights = fweights;
  }
  if (aweights.defined()) {
    check(aweights.dim() <= 1,
          "cov(): expected aweights to have one or fewer dimensions but got aweights with {} "
          "dimensions",
          aweights.dim());
    check(is_floating(aweights.dtype()),
          "cov(): expected aweights to have floating point dtype but got aweights with {} dtype",
          aweights.dtype());
    check(aweights.numel() == n,
          "cov(): expected aweights to have the same numel as there are observations in the input "
          "but got {} != {}",
          aweights.numel(), n);
    {
      GradModeGuard off(false);
      check(n == 0 || item(amin(aweights, {})).real() >= 0, "cov(): aweights cannot be negative");
    }
    weights = weights.defined() ? mul(weights, aweights) : aweights;
  }
  const Tensor total = weights.defined() ? sum(weights) : scalar_tensor(Scalar(n), DType::Int64);
  check(!weights.defined() || item(detach(total)).real() != 0,
        "cov(): weights sum to zero, can't be normalized");
  const Tensor average =
      div(sum(weights.defined() ? mul(in, weights) : in, IntList(Dims{1})), total);
  Tensor norm;
  if (weights.defined() && aweights.defined() && correction != 0) {
    norm = sub(total, div(mul(sum(mul(weights, aweights)), Scalar(correction)), total));
  } else {
    norm = sub(total, Scalar(correction));
  }
  {
    GradModeGuard off(false);
    norm = item(detach(norm)).real() <= 0 ? zeros_like(norm) : norm;
  }
  const Tensor away = sub(in, unsqueeze(average, 1));
  const Tensor weighted = weights.defined() ? mul(away, weights) : away;
  const Tensor products = mm(away, conj(t(to_dtype(weighted, away.dtype()))));
  return squeeze(div(products, norm));
}

Tensor corrcoef(const Tensor& self) {
  check(self.dim() <= 2,
        "corrcoef(): expected input to have two or fewer dimensions but got an input with {} "
        "dimensions",
        self.dim());
  Tensor c = cov(self, 1, {}, {});
  if (c.dim() == 0) return div(c, c);  // a scalar covariance returns nan or 1
  const Tensor deviation = sqrt(real(diagonal(c)));
  c = div(div(c, unsqueeze(deviation, 1)), unsqueeze(deviation, 0));
  if (!is_complex(c.dtype())) return clamp(c, Scalar(-1), Scalar(1));
  const Tensor i = scalar_tensor(Scalar(0.0, 1.0), c.dtype());
  return add(clamp(real(c), Scalar(-1), Scalar(1)), mul(clamp(imag(c), Scalar(-1), Scalar(1)), i));
}

Tensor diff(const Tensor& self, int64_t n, int64_t dim, const Tensor& prepend,
            const Tensor& append) {
  check(self.dim() >= 1, "diff expects input to be at least one-dimensional");
  const int64_t at = wrap_dim(dim, self.dim());
  check(n >= 0, "order must be non-negative but got {}", n);
  for (const Tensor* edge : {&prepend, &append}) {
    if (!edge->defined()) continue;
    check(edge->dim() == self.dim(),
          "diff expects prepend or append to be the same dimension as input");
    for (int64_t d = 0; d < self.dim(); ++d) {
      check(d == at || (*edge)->shape[d] == self->shape[d],
            "diff expects the shape of tensor to prepend or append to match that of input except "
            "along the differencing dimension; input.size({}) = {}, but got tensor.size({}) = {}",
            d, self->shape[d], d, (*edge)->shape[d]);
    }
  }
  if (n == 0) return clone(self);
  Tensor x = self;
  if (prepend.defined() || append.defined()) {
    std::vector<Tensor> parts;
    if (prepend.defined()) parts.push_back(prepend);
    parts.push_back(self);
    if (append.defined()) parts.push_back(append);
    x = cat(parts, at);
  }
  for (int64_t size = x->shape[at]; n > 0 && size > 0; --n, size = x->shape[at]) {
    const Tensor later = narrow(x, at, 1, size - 1), earlier = narrow(x, at, 0, size - 1);
    x = x.dtype() == DType::Bool ? logical_xor(later, earlier) : sub(later, earlier);
  }
  return x;
}

namespace {

// What the trapezoid rule sums: (y[i] + y[i + 1]) / 2 times the width of step i.
Tensor trapezoids(const char* op, const Tensor& y, const Tensor& x, const Scalar& dx, int64_t at) {
  const int64_t n = y->shape[at];
  const Tensor pairs = add(narrow(y, at, 1, n - 1), narrow(y, at, 0, n - 1));
  if (!x.defined()) return mul(pairs, wrap(Scalar(dx.real() / 2)));
  Tensor widths;
  if (x.dim() == 1) {
    check(x->shape[0] == n, "{}: There must be one `x` value for each sample point", op);
    Dims shape(static_cast<int>(y.dim()), 1);
    shape[at] = n - 1;
    widths = view(contiguous(diff(x, 1, 0, {}, {})), shape);
  } else {
    check(x.dim() == 0 || x->shape[wrap_dim(at - y.dim(), x.dim())] == n,
          "{}: There must be one `x` value for each sample point", op);
    Tensor like = x;
    while (like.dim() < y.dim()) like = unsqueeze(like, 0);
    widths = diff(like, 1, at - y.dim(), {}, {});
  }
  return div(mul(pairs, widths), Scalar(2.0));
}

int64_t trapezoid_dim(const char* op, const Tensor& y, int64_t dim) {
  check<IndexError>(y.dim() > 0, "Dimension specified as {} but tensor has no dimensions", dim);
  check(y.dtype() != DType::Bool, "{}: received a bool input for `y`, but bool is not supported",
        op);
  return wrap_dim(dim, y.dim());
}

Tensor trapezoid_of(const Tensor& y, const Tensor& x, const Scalar& dx, int64_t dim) {
  const int64_t at = trapezoid_dim("trapezoid", y, dim);
  check(!x.defined() || x.dtype() != DType::Bool,
        "trapezoid: received a bool input for `x`, but bool is not supported");
  if (y->shape[at] == 0) {
    Dims shape(y.shape());
    shape.erase(static_cast<int>(at));
    return zeros(shape, Options(y.dtype()));
  }
  return sum(trapezoids("trapezoid", y, x, dx, at), IntList(Dims{at}));
}
Tensor trapezoid_x(const Tensor& y, const Tensor& x, int64_t dim) {
  return trapezoid_of(y, x, 1, dim);
}
Tensor trapezoid_dx(const Tensor& y, const Scalar& dx, int64_t dim) {
  return trapezoid_of(y, {}, dx, dim);
}
Tensor cumulative_of(const Tensor& y, const Tensor& x, const Scalar& dx, int64_t dim) {
  const int64_t at = trapezoid_dim("cumulative_trapezoid", y, dim);
  check(!x.defined() || x.dtype() != DType::Bool,
        "cumulative_trapezoid: received a bool input for `x`, but bool is not supported");
  if (y->shape[at] == 0) return clone(y);
  return cumsum(trapezoids("cumulative_trapezoid", y, x, dx, at), at);
}
Tensor cumulative_x(const Tensor& y, const Tensor& x, int64_t dim) {
  return cumulative_of(y, x, 1, dim);
}
Tensor cumulative_dx(const Tensor& y, const Scalar& dx, int64_t dim) {
  return cumulative_of(y, {}, dx, dim);
}
Tensor trapz_dx(const Tensor& y, double dx, int64_t dim) {
  return trapezoid_of(y, {}, Scalar(dx), dim);
}

using Quantile = Tensor (*)(const Tensor&, const Tensor&, OptInt, bool, std::string_view, Dst);
template <Quantile F>
Tensor with_number(const Tensor& self, double q, OptInt dim, bool keepdim,
                   std::string_view interpolation, Dst dst) {
  check(q >= 0 && q <= 1, "quantile() q must be in the range [0, 1] but got {}", q);
  return F(self, scalar_tensor(Scalar(q), self.dtype()), dim, keepdim, interpolation, dst);
}

}  // namespace

void register_statistics(OpTable& ops) {
  const char* tail = "int? dim=None, bool keepdim=False, *, str interpolation='linear') -> Tensor";
  const char* quantile_doc =
      "Returns the value below which the share ``q`` of the elements lies, along ``dim`` or of "
      "all.\nBetween two elements ``interpolation`` decides: linear, lower, higher, midpoint, "
      "nearest. nanquantile ignores NaN.";
  for (const bool ignore_nan : {false, true}) {
    const std::string name = ignore_nan ? "nanquantile" : "quantile";
    ops.add((name + "(Tensor self, Tensor q, " + tail).c_str(), ignore_nan ? nanquantile : quantile,
            Both | Out, quantile_doc);
    ops.add((name + "(Tensor self, float q, " + tail).c_str(),
            ignore_nan ? with_number<nanquantile> : with_number<quantile>, Both | Out,
            quantile_doc);
  }
  ops.add(
      "cov(Tensor self, *, int correction=1, Tensor? fweights=None, Tensor? aweights=None) -> "
      "Tensor",
      cov, Both,
      "Returns the covariance matrix of the rows of ``self``, its columns being observations.");
  ops.add(
      "corrcoef(Tensor self) -> Tensor", corrcoef, Both,
      "Returns the correlation matrix of the rows of ``self``, its columns being observations.");
  ops.add(
      "diff(Tensor self, int n=1, int dim=-1, Tensor? prepend=None, Tensor? append=None) -> Tensor",
      diff, Both | Out, "Returns the ``n``-th differences of neighbours along ``dim``.");
  const char* trapezoid_doc =
      "Returns the integral of ``y`` along ``dim`` by the trapezoid rule, at places ``x`` or in "
      "steps of ``dx``.";
  ops.add("trapezoid(Tensor y, Tensor x, *, int dim=-1) -> Tensor", trapezoid_x, Function,
          trapezoid_doc);
  ops.add("trapezoid(Tensor y, *, Scalar dx=1, int dim=-1) -> Tensor", trapezoid_dx, Function,
          trapezoid_doc);
  ops.add("trapz(Tensor y, Tensor x, *, int dim=-1) -> Tensor", trapezoid_x, Function,
          trapezoid_doc);
  ops.add("trapz(Tensor y, *, float dx=1, int dim=-1) -> Tensor", trapz_dx, Function,
          trapezoid_doc);
  const char* cumulative_doc = "Returns the running integral of ``y`` by the trapezoid rule.";
  ops.add("cumulative_trapezoid(Tensor y, Tensor x, *, int dim=-1) -> Tensor", cumulative_x,
          Function, cumulative_doc);
  ops.add("cumulative_trapezoid(Tensor y, *, Scalar dx=1, int dim=-1) -> Tensor", cumulative_dx,
          Function, cumulative_doc);
}

}  // namespace d2l
