// Variance, standard deviation and logsumexp: each op with its derivative and its row.
#include <algorithm>
#include <limits>

#include "autograd/record.h"
#include "d2lcore/ops.h"
#include "ops/reduce_parts.h"
#include "ops/reduce_rows.h"

namespace d2l {
namespace {

void check_real_or_complex(const char* op, const Tensor& self) {
  check(is_floating(self.dtype()) || is_complex(self.dtype()),
        "{} only support floating point and complex dtypes", op);
}

// In one pass over rows or columns; else in two: the mean, then the squared distances from it.
struct Moments {
  Tensor var, mean;
};
Moments moments(const char* op, const Tensor& self, DimSet dims, double correction, bool keepdim,
                bool root) {
  GradModeGuard off(false);
  const DType type = self.dtype(), compute = is_reduced_floating(type) ? DType::Float : type;
  const double n = static_cast<double>(reduced_numel(self.shape(), dims));
  Tensor center, spread;  // the mean, and the sum of squared distances from it
  if (const auto rows = row_geometry(self.shape(), dims)) {
    center = empty(reduced_shape(self.shape(), dims, true), compute);
    spread = empty(reduced_shape(self.shape(), dims, keepdim), compute);
    moments_rows(contiguous(to_dtype(self, compute)), *rows, center, spread);
  } else {
    center = reduce(op, Reduce::sum, self, dims, true, compute, compute);
    const Tensor count = scalar_tensor(Scalar(n), compute, true);
    center = map_as(op, Loop::div, compute, compute, Dst::inplace(center), {&center, &count});
    const Tensor away = map_as(op, Loop::sub, compute, compute, {}, {&self, &center});
    spread = reduce(op, Reduce::sum_square, away, dims, keepdim, compute, compute);
  }
  const Tensor freedom = scalar_tensor(Scalar(std::max(0.0, n - correction)), compute, true);
  const DType result = root ? compute : type;
  spread = map_as(op, Loop::div, compute, result, result == compute ? Dst::inplace(spread) : Dst(),
                  {&spread, &freedom});
  if (root) {
    spread = map_as(op, Loop::sqrt, compute, type, type == compute ? Dst::inplace(spread) : Dst(),
                    {&spread});
  }
  const Dims shape = reduced_shape(self.shape(), dims, keepdim);
  Tensor mean_out = raw_view(center, shape, contiguous_strides(shape), 0);
  if (compute != type) {
    Tensor narrow_mean = empty(shape, type);
    copy_into(narrow_mean, mean_out);
    mean_out = narrow_mean;
  }
  return {spread, mean_out};
}

// d var / dx = 2 (x - mean) / (n - correction).
Tensor var_backward(const Tensor& g, const Tensor& x, DimSet dims, double correction,
                    bool keepdim) {
  const Dims d = dims_of(dims);
  const double freedom = static_cast<double>(reduced_numel(x.shape(), dims)) - correction;
  const Tensor each = restore_dims(g, x.shape(), dims, keepdim);
  const Tensor away = dims ? sub(x, mean(x, IntList(d), true)) : zeros_like(x);
  if (freedom <= 0) {
    const Tensor odd =
        where(eq(each, Scalar(0)), wrap(Scalar(std::numeric_limits<double>::quiet_NaN())),
              wrap(Scalar(std::numeric_limits<double>::infinity())));
    return mul(mul(each, odd), away);
  }
  return mul(mul(each, Scalar(2 / freedom)), away);
}

// d std / dx: through var, and 0 where the deviation is 0.
Tensor std_backward(const Tensor& g, const Tensor& y, const Tensor& x, DimSet dims,
                    double correction, bool keepdim) {
  const Tensor half = masked_fill(div(g, mul(y, Scalar(2))), eq(y, Scalar(0)), wrap(Scalar(0)));
  return var_backward(half, x, dims, correction, keepdim);
}

Tensor mean_backward(const Tensor& g, IntList shape, DimSet dims, bool keepdim) {
  const double n = static_cast<double>(reduced_numel(shape, dims));
  return expand(div(restore_dims(g, shape, dims, keepdim), Scalar(n)), shape);
}

double correction_of(const OptScalar& correction) { return correction ? correction->real() : 1; }
OptScalar correction_of(bool unbiased) { return Scalar(unbiased ? 1 : 0); }

// The variance of complex numbers is that of the real plus that of the imaginary parts.
Tensor complex_var(const Tensor& self, OptInts dim, const OptScalar& correction, bool keepdim) {
  return add(var(real(self), dim, correction, keepdim), var(imag(self), dim, correction, keepdim));
}

}  // namespace

Tensor var(const Tensor& self, OptInts dim, const OptScalar& correction, bool keepdim, Dst dst) {
  check_real_or_complex("std and var", self);
  if (is_complex(self.dtype())) {
    return deliver("var", dst, complex_var(self, dim, correction, keepdim));
  }
  const DimSet dims = dims_or_all(dim, self.dim());
  const double c = correction_of(correction);
  Tensor out = deliver("var", dst, moments("var", self, dims, c, keepdim, false).var);
  return record(out, "VarBackward0", {&self}, saved(self),
                [dims, c, keepdim](const Tensor& g, const Tensor& x) {
                  return var_backward(g, x, dims, c, keepdim);
                });
}

Tensor std(const Tensor& self, OptInts dim, const OptScalar& correction, bool keepdim, Dst dst) {
  check_real_or_complex("std and var", self);
  if (is_complex(self.dtype())) {
    return deliver("std", dst, sqrt(complex_var(self, dim, correction, keepdim)));
  }
  const DimSet dims = dims_or_all(dim, self.dim());
  const double c = correction_of(correction);
  Tensor out = deliver("std", dst, moments("std", self, dims, c, keepdim, true).var);
  return record(out, "StdBackward0", {&self}, saved(self, result),
                [dims, c, keepdim](const Tensor& g, const Tensor& x, const Tensor& y) {
                  return std_backward(g, y, x, dims, c, keepdim);
                });
}

std::tuple<Tensor, Tensor> var_mean(const Tensor& self, OptInts dim, const OptScalar& correction,
                                    bool keepdim) {
  check_real_or_complex("var_mean", self);
  if (is_complex(self.dtype())) {
    return {complex_var(self, dim, correction, keepdim), mean(self, dim, keepdim)};
  }
  const DimSet dims = dims_or_all(dim, self.dim());
  const double c = correction_of(correction);
  const Moments m = moments("var_mean", self, dims, c, keepdim, false);
  const Tensor outs[2] = {m.var, m.mean};
  record_many(outs, "VarMeanBackward0", {&self}, saved(self),
              joint([dims, c, keepdim](const Node&, const std::vector<Tensor>& g, const Tensor& x,
                                       std::vector<Tensor>& in) {
                if (g[0].defined()) in[0] = var_backward(g[0], x, dims, c, keepdim);
                if (!g[1].defined()) return;
                const Tensor m = mean_backward(g[1], x.shape(), dims, keepdim);
                in[0] = in[0].defined() ? add(in[0], m) : m;
              }));
  return {outs[0], outs[1]};
}

std::tuple<Tensor, Tensor> std_mean(const Tensor& self, OptInts dim, const OptScalar& correction,
                                    bool keepdim) {
  check_real_or_complex("std_mean", self);
  if (is_complex(self.dtype())) {
    return {sqrt(complex_var(self, dim, correction, keepdim)), mean(self, dim, keepdim)};
  }
  const DimSet dims = dims_or_all(dim, self.dim());
  const double c = correction_of(correction);
  const Moments m = moments("std_mean", self, dims, c, keepdim, true);
  const Tensor outs[2] = {m.var, m.mean};
  record_many(outs, "StdMeanBackward0", {&self}, saved(self, result),
              joint([dims, c, keepdim](const Node&, const std::vector<Tensor>& g, const Tensor& x,
                                       const Tensor& y, std::vector<Tensor>& in) {
                if (g[0].defined()) in[0] = std_backward(g[0], y, x, dims, c, keepdim);
                if (!g[1].defined()) return;
                const Tensor m = mean_backward(g[1], x.shape(), dims, keepdim);
                in[0] = in[0].defined() ? add(in[0], m) : m;
              }));
  return {outs[0], outs[1]};
}

Tensor logsumexp(const Tensor& self, IntList dim, bool keepdim, Dst dst) {
  const DimSet dims = dims_or_all(dim, self.dim());
  Tensor out;
  {
    GradModeGuard off(false);
    const DType type = is_integral_or_bool(self.dtype()) ? default_dtype() : self.dtype();
    const Tensor x = to_dtype(self, type);
    const Dims d = dims_of(dims);
    if (x.numel() == 0) {
      out = log(sum(exp(x), IntList(d), keepdim));
    } else if (dims == 0 && !is_complex(type)) {
      out = clone(x);  // of a complex number the angle is brought into (-pi, pi]
    } else if (const auto rows = row_geometry(x.shape(), dims); rows && !is_complex(type)) {
      const DType compute = is_reduced_floating(type) ? DType::Float : type;
      out = empty(reduced_shape(x.shape(), dims, keepdim), compute);
      logsumexp_rows(contiguous(to_dtype(x, compute)), *rows, out);
      out = to_dtype(out, type);
    } else {
      Tensor top = is_complex(type) ? amax(real(x), d, true) : amax(x, d, true);
      top = masked_fill(top, isinf(top), wrap(Scalar(0)));
      out = add(log(sum(exp(sub(x, top)), IntList(d), true)), top);
      if (!keepdim) out = view(out, reduced_shape(x.shape(), dims, false));
    }
    out = deliver("logsumexp", dst, out);
  }
  return record(out, "LogsumexpBackward0", {&self}, saved(self, result),
                [dims, keepdim](const Tensor& g, const Tensor& x, const Tensor& y) {
                  const Tensor each = restore_dims(g, x.shape(), dims, keepdim);
                  const Tensor total = restore_dims(y, x.shape(), dims, keepdim);
                  return mul(each, conj(exp(sub(x, total))));
                });
}

namespace {

// The three overloads of each: unbiased of all, unbiased along dim, correction.
template <auto Op>
auto all_unbiased(const Tensor& self, bool unbiased) {
  return Op(self, OptInts(), correction_of(unbiased), false);
}
template <auto Op>
auto dim_unbiased(const Tensor& self, OptInts dim, bool unbiased, bool keepdim) {
  return Op(self, dim, correction_of(unbiased), keepdim);
}
template <auto Op>
auto corrected(const Tensor& self, OptInts dim, OptScalar correction, bool keepdim) {
  return Op(self, dim, correction, keepdim);
}

Tensor plain_var(const Tensor& self, OptInts dim, const OptScalar& c, bool keepdim) {
  return var(self, dim, c, keepdim);
}
Tensor plain_std(const Tensor& self, OptInts dim, const OptScalar& c, bool keepdim) {
  return std(self, dim, c, keepdim);
}

template <auto Op>
void add_moment(OpTable& ops, const std::string& name, const char* returns, uint32_t faces,
                const char* doc) {
  ops.add((name + "(Tensor self, bool unbiased=True) -> " + returns).c_str(), all_unbiased<Op>,
          faces & ~Out, doc);
  ops.add(
      (name + "(Tensor self, int[1]? dim, bool unbiased=True, bool keepdim=False) -> " + returns)
          .c_str(),
      dim_unbiased<Op>, faces, doc);
  ops.add((name +
           "(Tensor self, int[1]? dim=None, *, Scalar? correction=None, bool keepdim=False) -> " +
           returns)
              .c_str(),
          corrected<Op>, faces, doc);
}

}  // namespace

void register_moments(OpTable& ops) {
  add_moment<plain_var>(ops, "var", "Tensor", Both | Out,
                        "Returns the variance over ``dim`` (all, by default): squared distances "
                        "from the mean, divided by n - ``correction`` (1; 0 if not ``unbiased``).");
  add_moment<plain_std>(ops, "std", "Tensor", Both | Out,
                        "Returns the standard deviation over ``dim`` (all, by default), the root "
                        "of the variance with divisor n - ``correction`` (1; 0 if not "
                        "``unbiased``).");
  add_moment<var_mean>(ops, "var_mean", "(Tensor, Tensor)", Function,
                       "Returns the variance and the mean over ``dim``.");
  add_moment<std_mean>(ops, "std_mean", "(Tensor, Tensor)", Function,
                       "Returns the standard deviation and the mean over ``dim``.");
  ops.add("logsumexp(Tensor self, int[1] dim, bool keepdim=False) -> Tensor", logsumexp, Both | Out,
          "Returns ``log(sum(exp(self)))`` over ``dim``, without overflow.");
}

}  // namespace d2l
