// Running reductions along one dimension: each op with its derivative and its row.
#include <complex>

#include "autograd/record.h"
#include "core/thread_pool.h"
#include "d2lcore/ops.h"
#include "iter/map.h"
#include "ops/register.h"

namespace d2l {
namespace {

// A contiguous tensor as outer blocks of n steps of `inner` lanes.
struct Split {
  int64_t outer = 1, n = 1, inner = 1;
};
Split split_at(const Tensor& t, int64_t dim) {
  Split s;
  for (int64_t d = 0; d < t.dim(); ++d) {
    (d < dim ? s.outer : d == dim ? s.n : s.inner) *= t->shape[d];
  }
  return s;
}

Tensor dense_as(const Tensor& t, DType dtype) {
  if (t.dtype() == dtype && t.is_contiguous()) return t;
  Tensor out = empty(t.shape(), dtype);
  copy_into(out, t);
  return out;
}

// Runs the kernel; the values have dtype `type`, the places go to `index` where there are any.
Tensor scan(const char* op, Scan kind, const Tensor& self, int64_t dim, DType type,
            Tensor* index = nullptr) {
  DType compute = is_reduced_floating(type) ? DType::Float : type;
  if (type == DType::Bool) compute = DType::UInt8;
  const ScanFn fn = kernels().scan[static_cast<int>(kind)][static_cast<int>(compute)];
  check<NotImplementedError>(fn != nullptr, "\"{}\" not implemented for '{}'", op, type);
  const Tensor in = dense_as(self, compute);
  Tensor out = empty(self.shape(), compute);
  if (index) *index = empty(self.shape(), DType::Int64);
  const Split s = split_at(in, dim);
  if (in.numel() > 0) {
    const int64_t size = itemsize(compute), block = s.n * s.inner;
    int64_t* places = index ? index->data_as<int64_t>() : nullptr;
    // Lanes of one block lie side by side; with one lane a block, the blocks are the lanes.
    const bool blocks = s.inner == 1;
    const int64_t lanes = blocks ? s.outer : s.inner;
    const int64_t lane = blocks ? block : 1;
    const int64_t grain = std::max<int64_t>(kGrain / s.n, 64);
    for (int64_t o = 0; o < (blocks ? 1 : s.outer); ++o) {
      parallel_for(lanes, grain, [&](int64_t begin, int64_t end) {
        const int64_t at = o * block + begin * lane;
        const ScanArgs args{out.data() + at * size,
                            places ? places + at : nullptr,
                            in.data() + at * size,
                            s.n,
                            s.inner * size,
                            s.inner * size,
                            s.inner,
                            end - begin,
                            lane * size,
                            lane * size,
                            lane};
        fn(&args);
      });
    }
  }
  if (compute == type) return out;
  Tensor cast = empty(self.shape(), type);
  copy_into(cast, out);
  return cast;
}

Tensor reversed_cumsum(const Tensor& g, int64_t dim) {
  if (g.dim() == 0 || g->shape[dim] <= 1) return g;
  const Dims at{dim};
  return flip(cumsum(flip(g, at), dim), at);
}

// Moved by one along dim, `first` coming in.
Tensor shifted(const Tensor& x, int64_t dim, const Scalar& first) {
  Dims shape(x.shape());
  shape[dim] = 1;
  const Tensor head = full(shape, first, x.dtype());
  const Tensor parts[] = {head, narrow(x, dim, 0, x->shape[dim] - 1)};
  return cat(parts, dim);
}

// y[k] = g[k] + x[k+1] y[k+1]: the recurrence run backwards.
Tensor reversed_recurrence(const Tensor& g, const Tensor& x, int64_t dim) {
  const Dims at{dim};
  return flip(linear_recurrence(flip(g, at), shifted(flip(x, at), dim, Scalar(0)), dim), at);
}

template <class T>
void recurrence_loop(T* y, const T* a, const T* b, const Split& s) {
  for (int64_t o = 0; o < s.outer; ++o) {
    for (int64_t k = 0; k < s.n; ++k) {
      for (int64_t j = 0; j < s.inner; ++j, ++y, ++a, ++b) {
        *y = k == 0 ? *a : *a + *b * y[-s.inner];
      }
    }
  }
}

// cumsum and cumprod compute in the asked dtype; integers become int64 unless written in place.
DType sum_type(const char* op, const Tensor& self, OptDType dtype, Dst dst) {
  if (dtype) return *dtype;
  if (dst && !dst.is_out()) {
    check<NotImplementedError>(self.dtype() != DType::Bool, "\"{}\" not implemented for 'Bool'",
                               op);
    return self.dtype();
  }
  if (dst) return dst.tensor().dtype();
  return is_integral_or_bool(self.dtype()) ? DType::Int64 : self.dtype();
}

}  // namespace

Tensor cumsum(const Tensor& self, int64_t dim, OptDType dtype, Dst dst) {
  const int64_t at = wrap_dim(dim, self.dim());
  const DType type = sum_type("cumsum_out_cpu", self, dtype, dst);
  Tensor out = scan("cumsum_out_cpu", Scan::cumsum, self, at, type);
  return record(deliver("cumsum", dst, out), "CumsumBackward0", {&self}, saved(),
                [at](const Tensor& g) { return reversed_cumsum(g, at); });
}

Tensor cumprod(const Tensor& self, int64_t dim, OptDType dtype, Dst dst) {
  const int64_t at = wrap_dim(dim, self.dim());
  const DType type = sum_type("cumprod_out_cpu", self, dtype, dst);
  Tensor out = scan("cumprod_out_cpu", Scan::cumprod, self, at, type);
  return record(deliver("cumprod", dst, out), "CumprodBackward0", {&self}, saved(self),
                [at, type](const Tensor& g, const Tensor& x) {
                  if (x.dim() == 0 || x->shape[at] <= 1) return g;
                  // dx[k] = (x[0] .. x[k-1]) (g[k] + x[k+1] g[k+1] + ...): no division, so zeros
                  // are welcome.
                  const Tensor z = conj(to_dtype(x, type));
                  const Tensor before = shifted(cumprod(z, at), at, Scalar(1));
                  return mul(before, reversed_recurrence(g, z, at));
                });
}

Tensor linear_recurrence(const Tensor& a, const Tensor& b, int64_t dim) {
  const int64_t at = wrap_dim(dim, a.dim());
  check(equal(a.shape(), b.shape()) && a.dtype() == b.dtype(),
        "linear_recurrence: expected two tensors of one shape and dtype, got {} {} and {} {}",
        a.dtype(), a.shape(), b.dtype(), b.shape());
  const DType type = is_reduced_floating(a.dtype()) ? DType::Float : a.dtype();
  const Tensor x = dense_as(a, type), y = dense_as(b, type);
  Tensor out = empty(a.shape(), type);
  const Split s = split_at(x, at);
  if (out.numel() > 0) {
    auto run = [&]<class T>(T*) {
      recurrence_loop(out.data_as<T>(), x.data_as<T>(), y.data_as<T>(), s);
    };
    switch (type) {
      case DType::Float:
        run(static_cast<float*>(nullptr));
        break;
      case DType::Double:
        run(static_cast<double*>(nullptr));
        break;
      case DType::ComplexFloat:
        run(static_cast<std::complex<float>*>(nullptr));
        break;
      case DType::ComplexDouble:
        run(static_cast<std::complex<double>*>(nullptr));
        break;
      default:
        fail<NotImplementedError>("\"linear_recurrence\" not implemented for '{}'", type);
    }
  }
  out = dense_as(out, a.dtype());
  return record(
      out, "LinearRecurrenceBackward0", {&a, &b}, saved(b, result),
      [at](const Tensor& g, const Tensor& c, const Tensor&) {
        return reversed_recurrence(g, conj(c), at);
      },
      [at](const Tensor& g, const Tensor& c, const Tensor& r) {
        return mul(reversed_recurrence(g, conj(c), at), conj(shifted(r, at, Scalar(0))));
      });
}

namespace {

std::tuple<Tensor, Tensor> extreme(const char* op, const char* node, Scan kind, const Tensor& self,
                                   int64_t dim) {
  const int64_t at = wrap_dim(dim, self.dim());
  Tensor index;
  Tensor values = scan(op, kind, self, at, self.dtype(), &index);
  const Tensor outs[] = {values, index};
  record_many(outs, node, {&self}, saved(index),
              joint([at](const Node& n, const Tensor& g, const Tensor& i, std::vector<Tensor>& in) {
                const Tensor zero = zeros(n.input_shape(0), g.dtype());
                in[0] = scatter_add(zero, at, i, g, Dst::inplace(zero));
              }));
  return {values, index};
}

}  // namespace

std::tuple<Tensor, Tensor> cummax(const Tensor& self, int64_t dim) {
  return extreme("cummax_cpu", "CummaxBackward0", Scan::cummax, self, dim);
}
std::tuple<Tensor, Tensor> cummin(const Tensor& self, int64_t dim) {
  return extreme("cummin_cpu", "CumminBackward0", Scan::cummin, self, dim);
}

Tensor logcumsumexp(const Tensor& self, int64_t dim, Dst dst) {
  const int64_t at = wrap_dim(dim, self.dim());
  check<NotImplementedError>(!is_integral_or_bool(self.dtype()),
                             "\"logcumsumexp_out_cpu\" not implemented for '{}'", self.dtype());
  Tensor out = scan("logcumsumexp_out_cpu", Scan::logcumsumexp, self, at, self.dtype());
  return record(
      deliver("logcumsumexp", dst, out), "LogcumsumexpBackward0", {&self}, saved(self),
      [at](const Tensor& g, const Tensor& input) {
        if (input.numel() == 0) return g;
        // sum over i >= k of g[i] exp(x[k] - y[i]) as a recurrence of factors that are at most 1;
        // in double, because the second derivative is a difference of nearly equal terms.
        const Tensor x =
            to_dtype(input, is_complex(input.dtype()) ? DType::ComplexDouble : DType::Double);
        const Tensor y = logcumsumexp(x, at);
        if (x.dim() == 0) return mul(g, conj(exp(sub(x, y))));
        const Dims d{at};
        const Tensor back = flip(y, d), cotangent = to_dtype(flip(g, d), x.dtype());
        const Tensor parts[] = {narrow(back, at, 0, 1), narrow(back, at, 0, back->shape[at] - 1)};
        const Tensor factor = conj(exp(sub(back, cat(parts, at))));
        return mul(flip(linear_recurrence(cotangent, factor, at), d), conj(exp(sub(x, y))));
      });
}

void register_scan(OpTable& ops) {
  ops.add("cumsum(Tensor self, int dim, *, ScalarType? dtype=None) -> Tensor", cumsum, Elementwise,
          "Returns the running sums along ``dim``; integers give int64.");
  ops.add("cumprod(Tensor self, int dim, *, ScalarType? dtype=None) -> Tensor", cumprod,
          Elementwise, "Returns the running products along ``dim``; integers give int64.");
  ops.add("cummax(Tensor self, int dim) -> (Tensor values, Tensor indices)", cummax, Both | Out,
          "Returns the running maxima along ``dim`` and their places (the last of equals).");
  ops.add("cummin(Tensor self, int dim) -> (Tensor values, Tensor indices)", cummin, Both | Out,
          "Returns the running minima along ``dim`` and their places (the last of equals).");
  ops.add("logcumsumexp(Tensor self, int dim) -> Tensor", logcumsumexp, Both | Out,
          "Returns the logarithm of the running sums of exponentials, without overflow.");
}

}  // namespace d2l
