// scatter_reduce and index_reduce: sums, products, means and extremes of what an index sends to the
// same place. One forward pass and one derivative for both: an index vector is expanded first.
#include <limits>

#include "ops/index_parts.h"

namespace d2l {
namespace {

enum class Kind : uint8_t { Sum, Prod, Mean, Max, Min };
enum class Name : uint8_t { Scatter, Index };

Kind kind_of(Name name, std::string_view reduce) {
  if (reduce == "prod") return Kind::Prod;
  if (reduce == "mean") return Kind::Mean;
  if (reduce == "amax") return Kind::Max;
  if (reduce == "amin") return Kind::Min;
  if (name == Name::Scatter) {
    if (reduce == "sum") return Kind::Sum;
    if (reduce == "max") return Kind::Max;
    if (reduce == "min") return Kind::Min;
    fail("reduce argument must be either sum, prod, mean, amax or amin, got {}", reduce);
  }
  fail("index_reduce(): Expected reduce to be one of prod, mean, amax or amin but got {}.", reduce);
}

Access access_of(Kind kind) {
  return kind == Kind::Prod  ? Access::Multiply
         : kind == Kind::Max ? Access::Largest
         : kind == Kind::Min ? Access::Smallest
                             : Access::Add;
}

// What a place without self begins with.
Scalar identity(Kind kind, DType type) {
  if (kind == Kind::Prod) return Scalar(1);
  if (kind == Kind::Sum || kind == Kind::Mean) return Scalar(0);
  const bool least = kind == Kind::Max;
  if (is_floating(type)) {
    const double inf = std::numeric_limits<double>::infinity();
    return Scalar(least ? -inf : inf);
  }
  if (type == DType::Bool) return Scalar(!least);
  if (type == DType::UInt8) return Scalar(least ? 0 : 255);
  const int bits = static_cast<int>(8 * itemsize(type)) - 1;
  const auto top = static_cast<int64_t>((uint64_t{1} << bits) - 1);
  return Scalar(least ? -top - 1 : top);
}

Tensor counts(const Tensor& like, int64_t dim, const Tensor& index, bool include_self) {
  const Tensor start = include_self ? ones_like(like) : zeros_like(like);
  const Tensor n = scatter_add(start, dim, index, ones(index.shape(), Options(like.dtype())));
  return masked_fill(n, eq(n, Scalar(0)), Scalar(1));
}

Tensor reduce_at(Name name, const Tensor& self, int64_t dim, const Tensor& index, const Tensor& src,
                 Kind kind, bool include_self, Dst dst);

// The cotangent of self.
Tensor self_gradient(const Tensor& g, const Tensor& self, const Tensor& index, const Tensor& src,
                     const Tensor& y, Name name, int64_t dim, Kind kind, bool include_self) {
  Tensor out = g;
  if (kind == Kind::Prod) {
    const Tensor plain = masked_fill(self, eq(self, Scalar(0)), Scalar(1));
    out = div(mul(g, reduce_at(name, plain, dim, index, src, kind, include_self, {})), plain);
  } else if (kind == Kind::Mean) {
    out = div(g, counts(g, dim, index, include_self));
  } else if (kind != Kind::Sum) {
    const Tensor mine = to_dtype(eq(self, y), g.dtype());
    const Tensor theirs = to_dtype(eq(src, gather(y, dim, index)), g.dtype());
    out = div(mul(mine, g), scatter_add(mine, dim, index, theirs));
  }
  return include_self ? out : scatter_value(out, dim, index, Scalar(0));
}

// The cotangent of src, which has index's shape.
Tensor source_gradient(const Tensor& g, const Tensor& self, const Tensor& index, const Tensor& src,
                       const Tensor& y, Name name, int64_t dim, Kind kind, bool include_self) {
  if (kind == Kind::Sum) return gather(g, dim, index);
  if (kind == Kind::Mean) return gather(div(g, counts(g, dim, index, include_self)), dim, index);
  if (kind == Kind::Prod) {
    // The factor of a zero is the product of the others, read with this zero taken as 1.
    const Tensor zero = eq(src, Scalar(0));
    const Tensor zeros_there =
        gather(scatter_add(zeros_like(self), dim, index, to_dtype(zero, src.dtype())), dim, index);
    const Tensor single = logical_and(zero, eq(zeros_there, Scalar(1)));
    const Tensor others = reduce_at(name, self, dim, index, masked_fill(src, single, Scalar(1)),
                                    kind, include_self, {});
    return where(single, gather(mul(g, others), dim, index),
                 div(gather(mul(g, y), dim, index), masked_fill(src, zero, Scalar(1))));
  }
  const Tensor mine = to_dtype(eq(self, y), g.dtype());
  const Tensor theirs = to_dtype(eq(src, gather(y, dim, index)), g.dtype());
  const Tensor share = div(g, scatter_add(mine, dim, index, theirs));
  return mul(theirs, gather(share, dim, index));
}

// index and src have the same shape, and every index is in range.
Tensor reduce_at(Name name, const Tensor& self, int64_t dim, const Tensor& index, const Tensor& src,
                 Kind kind, bool include_self, Dst dst) {
  const char* op = name == Name::Scatter ? "scatter_reduce" : "index_reduce";
  Tensor out = start_from(op, self, dst);
  if (index.numel() > 0) {
    GradModeGuard off(false);
    const Tensor places = apart(index, out), values = apart(src, out);
    const int64_t n = self.dim() ? self->shape[dim] : 1;
    const IndexTensor checked = index_for(raw_1d(places), dim, n);
    if (!include_self) {
      const Tensor one = scalar_tensor(identity(kind, self.dtype()), self.dtype());
      const Tensor many =
          raw_view(one, raw_1d(index).shape(), Dims(static_cast<int>(raw_1d(index).dim()), 0), 0);
      run_along(Access::Put, raw_1d(out), dim, many, checked);
    }
    run_along(access_of(kind), raw_1d(out), dim, raw_1d(values), checked);
    if (kind == Kind::Mean) {
      const Tensor number = counts(out, dim, places, include_self);
      if (is_integral_or_bool(out.dtype())) {
        div_mode(out, number, "floor", Dst::inplace(out));
      } else {
        div(out, number, Dst::inplace(out));
      }
    }
  }
  return record(
      finish(op, dst, self, out),
      name == Name::Scatter ? "ScatterReduceBackward0" : "IndexReduceBackward0", {&self, &src},
      saved(self, index, src, result),
      [=](const Tensor& g, const Tensor& x, const Tensor& i, const Tensor& s, const Tensor& y) {
        return self_gradient(g, x, i, s, y, name, dim, kind, include_self);
      },
      [=](const Tensor& g, const Tensor& x, const Tensor& i, const Tensor& s, const Tensor& y) {
        return source_gradient(g, x, i, s, y, name, dim, kind, include_self);
      });
}

void refuse_complex(const char* op, const Tensor& self) {
  check<NotImplementedError>(!is_complex(self.dtype()), "\"{}\" not implemented for '{}'", op,
                             self.dtype());
}

}  // namespace

Tensor scatter_reduce(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& src,
                      std::string_view reduce, bool include_self, Dst dst) {
  const int64_t at = wrap_dim(dim, self.dim());
  check_integer_index("scatter", index);
  check(self.dtype() == src.dtype(), "scatter(): Expected self.dtype to be equal to src.dtype");
  check_scatter_shape(self, index, at, &src);
  const Kind kind = kind_of(Name::Scatter, reduce);
  if (kind != Kind::Sum && kind != Kind::Prod && kind != Kind::Mean) {
    refuse_complex("scatter_reduce", self);
  }
  Tensor part = src;
  for (int64_t d = 0; index.numel() > 0 && d < index.dim() && d < src.dim(); ++d) {
    if (part->shape[d] != index->shape[d]) part = narrow(part, d, 0, index->shape[d]);
  }
  if (index.numel() > 0 && !equal(part.shape(), index.shape())) part = view(part, index.shape());
  return reduce_at(Name::Scatter, self, at, index, part, kind, include_self, dst);
}

Tensor index_reduce(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& source,
                    std::string_view reduce, bool include_self, Dst dst) {
  const int64_t at = wrap_dim(dim, self.dim());
  const Kind kind = kind_of(Name::Index, reduce);
  check<IndexError>(index.dim() <= 1,
                    "index_reduce(): Index is supposed to be a vector, but got dim: {} with type: "
                    "{} and size: {}",
                    index.dim(), index.dtype(), index.shape());
  check(index.dtype() == DType::Int64 || index.dtype() == DType::Int32,
        "index_reduce(): Expected dtype int32/int64 for index but got: {}", index.dtype());
  check(self.dtype() == source.dtype(),
        "index_reduce(): self ({}) and source ({}) must have the same scalar type", self.dtype(),
        source.dtype());
  check(source.dim() == 0 || at < source.dim(),
        "index_reduce(): Indexing dim {} is out of bounds of the source tensor with dim {}", at,
        source.dim());
  const int64_t n = source.dim() ? source->shape[at] : 1;
  check(index.numel() == n,
        "index_reduce(): Number of indices ({}) should be equal to source.size(dim): ({}), for "
        "dim: {}",
        index.numel(), n, at);
  Dims a(self.shape()), b(source.shape());
  if (self.dim()) a.erase(static_cast<int>(at));
  if (source.dim() && self.dim()) b.erase(static_cast<int>(at));
  check(a == b || (self.dim() <= 1 && source.dim() <= 1 && n <= 1),
        "source tensor shape must match self tensor shape, excluding the specified dimension. Got "
        "self.shape = {} source.shape = {}",
        self.shape(), source.shape());
  refuse_complex("index_reduce", self);
  IndexTensor::checked(index, 0, self.dim() ? self->shape[at] : 1,
                       [](int64_t) { fail<IndexError>("index out of range in self"); });
  const Tensor part = self.dim() == 1 && source.dim() == 0 ? view(source, Dims{1}) : source;
  Dims shape(static_cast<int>(part.dim()), 1);
  if (part.dim()) shape[at] = n;
  const Tensor places = expand(view(contiguous(index), shape), part.shape());
  return reduce_at(Name::Index, self, at, places, part, kind, include_self, dst);
}

void register_index_reduce(OpTable& ops) {
  ops.add(
      "scatter_reduce(Tensor self, int dim, Tensor index, Tensor src, str reduce, *, "
      "bool include_self=True) -> Tensor",
      scatter_reduce, Both | Inplace | Out,
      "Returns ``self`` with ``out[index[i][j]][j]`` (for dim 0) the sum, prod, mean, amax or amin "
      "of all ``src[i][j]`` that are sent there, and of ``self`` if ``include_self``.");
  ops.add(
      "index_reduce(Tensor self, int dim, Tensor index, Tensor source, str reduce, *, "
      "bool include_self=True) -> Tensor",
      index_reduce, Both | Inplace | Out,
      "Returns ``self`` with source's slices combined by prod, mean, amax or amin at the places of "
      "``index``.");
}

}  // namespace d2l
