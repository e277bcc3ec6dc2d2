// Making tensors of given shapes and values.
#include <cmath>

#include "autograd/record.h"
#include "core/half.h"
#include "core/thread_pool.h"
#include "core/total.h"
#include "d2lcore/ops.h"
#include "iter/map.h"
#include "ops/register.h"

namespace d2l {
namespace {

// requires_grad is the last thing that happens to a new tensor.
Tensor finish(Tensor t, const Options& options) {
  if (options.requires_grad) t.set_requires_grad(true);
  return t;
}

DType dtype_or_default(const Options& o) { return o.dtype.value_or(default_dtype()); }

Tensor make(IntList size, DType dtype, Dst dst) {
  if (!dst) return empty(size, dtype);
  check(dst.tensor().storage()->writable, "the memory of the output tensor is read-only");
  resize_raw(dst.tensor(), size);
  return dst.tensor();
}

Tensor filled(IntList size, const Scalar& value, DType dtype, const Options& o, Dst dst) {
  Tensor out = make(size, dtype, dst);
  fill_into(out, value);
  return finish(out, o);
}

// What an out= tensor's dtype has to be when dtype= is given too.
void check_out_dtype(const Options& o, Dst dst) {
  check(!dst || !o.dtype || *o.dtype == dst.tensor().dtype(),
        "dtype {} does not match dtype of out parameter ({})", o.dtype ? *o.dtype : DType::Float,
        dst ? dst.tensor().dtype() : DType::Float);
}

}  // namespace

Tensor zeros(IntList size, const Options& o) {
  return filled(size, Scalar(0), dtype_or_default(o), o, {});
}
Tensor ones(IntList size, const Options& o) {
  return filled(size, Scalar(1), dtype_or_default(o), o, {});
}
Tensor full(IntList size, const Scalar& value, const Options& o) {
  return filled(size, value, o.dtype.value_or(value.dtype()), o, {});
}

Tensor zeros_like(const Tensor& self, const Options& o) {
  Tensor out = empty_as(self, o.dtype.value_or(self.dtype()));
  fill_into(out, Scalar(0));
  return finish(out, o);
}
Tensor ones_like(const Tensor& self, const Options& o) {
  Tensor out = empty_as(self, o.dtype.value_or(self.dtype()));
  fill_into(out, Scalar(1));
  return finish(out, o);
}

namespace {

// Writes start + i * step for i in [0, n): integers exactly, floats in double (float32 kinds too,
// as PyTorch accumulates in double).
void progression(const Tensor& out, const Scalar& start, const Scalar& step) {
  const bool whole = is_integral_or_bool(out.dtype());
  const int64_t n = out.numel();
  if (n == 0) return;
  const Tensor flat = out.is_contiguous() ? out : empty(out.shape(), out.dtype());
  auto fill = [&]<class T>(T* p, auto first, auto delta) {
    parallel_for(n, kGrain, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        p[i] = static_cast<T>(first + delta * static_cast<decltype(first)>(i));
    });
  };
  const auto i0 = static_cast<uint64_t>(start.to_int()), i1 = static_cast<uint64_t>(step.to_int());
  switch (out.dtype()) {
    case DType::UInt8:
      fill(flat.data_as<uint8_t>(), i0, i1);
      break;
    case DType::Int8:
      fill(flat.data_as<int8_t>(), i0, i1);
      break;
    case DType::Int16:
      fill(flat.data_as<int16_t>(), i0, i1);
      break;
    case DType::Int32:
      fill(flat.data_as<int32_t>(), i0, i1);
      break;
    case DType::Int64:
      fill(flat.data_as<int64_t>(), i0, i1);
      break;
    case DType::Float:
      fill(flat.data_as<float>(), start.real(), step.real());
      break;
    case DType::Double:
      fill(flat.data_as<double>(), start.real(), step.real());
      break;
    default: {
      // bool, half kinds, complex: through double.
      Tensor wide = empty(Dims{n}, whole ? DType::Int64 : DType::Double);
      progression(wide, start, step);
      copy_into(flat, raw_view(wide, out.shape(), contiguous_strides(out.shape()), 0));
    }
  }
  if (!flat.is(out)) copy_into(out, flat);
}

Tensor arange_into(const Scalar& start, const Scalar& end, const Scalar& step, const Options& o,
                   Dst dst) {
  check_out_dtype(o, dst);
  for (const Scalar& s : {start, end, step}) check_fits(Scalar(s.real(), s.imag()), DType::Double);
  const bool whole = start.is_integral() && end.is_integral() && step.is_integral();
  const DType dtype =
      dst ? dst.tensor().dtype() : o.dtype.value_or(whole ? DType::Int64 : default_dtype());
  check(!step.equals(0) && !std::isnan(step.real()), "step must be nonzero");
  check(std::isfinite(start.real()) && std::isfinite(end.real()), "unsupported range: {} -> {}",
        start.real(), end.real());
  check((step.real() > 0 && end.real() >= start.real()) ||
            (step.real() < 0 && end.real() <= start.real()),
        "upper bound and lower bound inconsistent with step sign");
  check(dtype != DType::Bool, "\"arange_cpu\" not implemented for 'Bool'");
  int64_t n;
  if (whole || dtype == DType::Int64) {
    // In int64 all three are truncated first.
    check<ValueError>(step.to_int() != 0, "step must be nonzero");
    const auto span = static_cast<__int128>(end.to_int()) - start.to_int();
    const int64_t s = step.to_int();
    const __int128 count = (span + s - (s > 0 ? 1 : -1)) / s;
    check(count <= INT64_MAX / 16, "invalid size, possible overflow?");
    n = static_cast<int64_t>(count);
  } else {
    const double count = std::ceil((end.real() - start.real()) / step.real());
    check(count >= 0 && count < 1e18, "invalid size, possible overflow?");
    n = static_cast<int64_t>(count);
  }
  Tensor out = dst && dst.tensor().numel() == n ? dst.tensor() : make(IntList(&n, 1), dtype, dst);
  progression(out, start, step);
  return finish(out, o);
}

Tensor linspace_into(const Scalar& start, const Scalar& end, int64_t steps, const Options& o,
                     Dst dst) {
  check_out_dtype(o, dst);
  check(steps >= 0, "number of steps must be non-negative");
  const bool complex_ends = start.is_complex() || end.is_complex();
  const DType dtype =
      dst ? dst.tensor().dtype()
          : o.dtype.value_or(complex_ends ? Scalar(0.0, 1.0).dtype() : default_dtype());
  check(!complex_ends || is_complex(dtype),
        "torch.linspace(): inferred dtype {} can't be safely cast to passed dtype {}",
        scalar_name(Scalar(0.0, 1.0).dtype()), scalar_name(dtype));
  Tensor out =
      dst && dst.tensor().numel() == steps ? dst.tensor() : make(IntList(&steps, 1), dtype, dst);
  // Computed from both ends, so that the last element is exactly `end`, with one rounding as in
  // PyTorch; its half kinds round every operation, integers truncate the progression in double.
  const int64_t half = steps / 2;
  const double gaps = steps > 1 ? static_cast<double>(steps - 1) : 1;
  const Tensor flat = empty(Dims{steps}, dtype);
  // first + step n with one rounding: in double the product of floats is exact, and a sum needs no
  // fma.
  const auto at = []<class T>(T first, T step, int64_t n) {
    if constexpr (std::is_same_v<T, float>) {
      return static_cast<float>(double{first} + double{step} * static_cast<double>(n));
    } else {
      return std::fma(step, static_cast<T>(n), first);
    }
  };
  auto fill = [&]<class T>(T* p, T first, T last) {
    const T step = (last - first) / static_cast<T>(gaps);
    for (int64_t i = 0; i < half; ++i) p[i] = at(first, step, i);
    for (int64_t i = half; i < steps; ++i) p[i] = at(last, -step, steps - i - 1);
    if (steps == 1) p[0] = first;
  };
  auto fill_rounded = [&](float* p, auto round) {
    const float first = round(static_cast<float>(start.real()));
    const float last = round(static_cast<float>(end.real()));
    const float step = round(round(last - first) / round(static_cast<float>(gaps)));
    for (int64_t i = 0; i < steps; ++i) {
      const float count = round(static_cast<float>(i < half ? i : steps - i - 1));
      p[i] = i < half ? first + round(step * count) : last - round(step * count);
    }
    if (steps == 1) p[0] = first;
  };
  const double a = start.real(), b = end.real();
  auto whole = [&]<class T>(T* p) {
    const int64_t first = start.to_int(), last = end.to_int();
    const double step = (static_cast<double>(last) - static_cast<double>(first)) / gaps;
    for (int64_t i = 0; i < steps; ++i) {
      const double from_ends =
          i < half ? static_cast<double>(first) + step * static_cast<double>(i)
                   : static_cast<double>(last) - step * static_cast<double>(steps - i - 1);
      p[i] = static_cast<T>(static_cast<int64_t>(from_ends));
    }
    if (steps == 1) p[0] = static_cast<T>(first);
  };
  switch (dtype) {
    case DType::UInt8:
      whole(flat.data_as<uint8_t>());
      break;
    case DType::Int8:
      whole(flat.data_as<int8_t>());
      break;
    case DType::Int16:
      whole(flat.data_as<int16_t>());
      break;
    case DType::Int32:
      whole(flat.data_as<int32_t>());
      break;
    case DType::Int64:
      whole(flat.data_as<int64_t>());
      break;
    case DType::Float:
      fill(flat.data_as<float>(), static_cast<float>(a), static_cast<float>(b));
      break;
    case DType::Double:
      fill(flat.data_as<double>(), a, b);
      break;
    case DType::ComplexFloat:
    case DType::ComplexDouble: {
      Tensor wide = empty(Dims{steps}, DType::ComplexDouble);
      double* p = wide.data_as<double>();
      for (int64_t i = 0; i < steps; ++i) {
        const double x = static_cast<double>(i) / gaps;
        p[2 * i] = a + (b - a) * x;
        p[2 * i + 1] = start.imag() + (end.imag() - start.imag()) * x;
      }
      copy_into(flat, wide);
      break;
    }
    default: {
      Tensor wide = empty(Dims{steps}, DType::Float);
      if (dtype == DType::Half) {
        fill_rounded(wide.data_as<float>(),
                     [](float x) { return half_to_float(float_to_half(x)); });
      } else {
        fill_rounded(wide.data_as<float>(),
                     [](float x) { return bfloat16_to_float(float_to_bfloat16(x)); });
      }
      copy_into(flat, wide);
    }
  }
  copy_into(out, raw_view(flat, out.shape(), contiguous_strides(out.shape()), 0));
  return finish(out, o);
}

// The ends given as 0-d tensors.
Tensor linspace_tensors(const Tensor& start, const Tensor& end, int64_t steps, const Options& o,
                        Dst dst) {
  check(start.dim() == 0 && end.dim() == 0,
        "linspace only supports 0-dimensional start and end tensors, but got start with {} "
        "dimension(s) and end with {} dimension(s).",
        start.dim(), end.dim());
  return linspace_into(item(start), item(end), steps, o, dst);
}

Tensor eye_into(int64_t n, int64_t m, const Options& o, Dst dst) {
  check(n >= 0, "n must be greater or equal to 0, got {}", n);
  check(m >= 0, "m must be greater or equal to 0, got {}", m);
  const int64_t size[2] = {n, m};
  Tensor out = make(size, dtype_or_default(o), dst);
  fill_into(out, Scalar(0));
  const int64_t k = std::min(n, m);
  const int64_t stride = out.stride(0) + out.stride(1);
  if (k) fill_into(raw_view(out, IntList(&k, 1), IntList(&stride, 1), out.offset()), Scalar(1));
  return finish(out, o);
}

}  // namespace

Tensor arange(const Scalar& start, const Scalar& end, const Scalar& step, const Options& o) {
  return arange_into(start, end, step, o, {});
}
Tensor linspace(const Scalar& start, const Scalar& end, int64_t steps, const Options& o) {
  return linspace_into(start, end, steps, o, {});
}
Tensor eye(int64_t n, int64_t m, const Options& o) { return eye_into(n, m, o, {}); }

namespace {

Tensor empty_row(IntList size, const Options& o, Ignored, Dst dst) {
  return finish(make(size, dst ? dst.tensor().dtype() : dtype_or_default(o), dst), o);
}
Tensor zeros_row(IntList size, const Options& o, Dst dst) {
  for (int64_t s : size) check(s >= 0, "zeros: Dimension size must be non-negative.");
  return filled(size, Scalar(0), dtype_or_default(o), o, dst);
}
Tensor ones_row(IntList size, const Options& o, Dst dst) {
  return filled(size, Scalar(1), dtype_or_default(o), o, dst);
}
Tensor full_row(IntList size, const Scalar& value, const Options& o, Dst dst) {
  const DType dtype = o.dtype.value_or(value.dtype());
  check_fits(value, dst ? dst.tensor().dtype() : dtype);
  return filled(size, value, dtype, o, dst);
}
Tensor like(const Tensor& self, const Options& o) {
  return empty_as(self, o.dtype.value_or(self.dtype()));
}
Tensor empty_like_row(const Tensor& self, const Options& o, Ignored) {
  return finish(like(self, o), o);
}
Tensor zeros_like_row(const Tensor& self, const Options& o, Ignored) { return zeros_like(self, o); }
Tensor ones_like_row(const Tensor& self, const Options& o, Ignored) { return ones_like(self, o); }
Tensor full_like_row(const Tensor& self, const Scalar& value, const Options& o, Ignored) {
  check_fits(value, o.dtype.value_or(self.dtype()));
  Tensor out = like(self, o);
  fill_into(out, value);
  return finish(out, o);
}
Options with_dtype(const Tensor& self, Options o) {
  if (!o.dtype) o.dtype = self.dtype();
  return o;
}
Tensor new_empty(const Tensor& self, IntList size, const Options& o) {
  return finish(empty(size, *with_dtype(self, o).dtype), o);
}
Tensor new_zeros(const Tensor& self, IntList size, const Options& o) {
  return zeros(size, with_dtype(self, o));
}
Tensor new_ones(const Tensor& self, IntList size, const Options& o) {
  return ones(size, with_dtype(self, o));
}
Tensor new_full(const Tensor& self, IntList size, const Scalar& value, const Options& o) {
  return full(size, value, with_dtype(self, o));
}
Tensor new_empty_strided(const Tensor& self, IntList size, IntList stride, const Options& o) {
  return finish(empty_strided(size, stride, *with_dtype(self, o).dtype), o);
}
Tensor empty_strided_row(IntList size, IntList stride, const Options& o) {
  return finish(empty_strided(size, stride, dtype_or_default(o)), o);
}
Tensor arange_end(const Scalar& end, const Options& o, Dst dst) {
  return arange_into(Scalar(0), end, Scalar(1), o, dst);
}
Tensor arange_range(const Scalar& start, const Scalar& end, const Scalar& step, const Options& o,
                    Dst dst) {
  return arange_into(start, end, step, o, dst);
}
Tensor eye_square(int64_t n, const Options& o, Dst dst) { return eye_into(n, n, o, dst); }
Tensor scalar_tensor_row(const Scalar& value, const Options& o) {
  return finish(scalar_tensor(value, dtype_or_default(o)), o);
}
Tensor fill_row(const Tensor& self, const Scalar& value, Dst dst) {
  check_fits(value, self.dtype());
  if (dst) {
    fill_into(dst.tensor(), value);
    return dst.tensor();
  }
  Tensor out = empty_as(self, self.dtype());
  fill_into(out, value);
  return record(out, "FillBackward0", {&self}, saved(),
                [](const Tensor& g) { return zeros_like(g); });
}

}  // namespace

void register_factory(OpTable& ops) {
#define LIKE                                                              \
  "*, ScalarType? dtype=None, Layout? layout=None, Device? device=None, " \
  "bool? pin_memory=None, bool requires_grad=False, MemoryFormat? memory_format=None"
  ops.add("empty(int[] size, " D2L_FACTORY ", MemoryFormat? memory_format=None) -> Tensor",
          empty_row, Function | Out, "Returns a tensor whose elements are not initialised.");
  ops.add("zeros(int[] size, " D2L_FACTORY ") -> Tensor", zeros_row, Function | Out,
          "Returns a tensor of zeros.");
  ops.add("ones(int[] size, " D2L_FACTORY ") -> Tensor", ones_row, Function | Out,
          "Returns a tensor of ones.");
  ops.add("full(int[] size, Scalar fill_value, " D2L_FACTORY ") -> Tensor", full_row,
          Function | Out, "Returns a tensor of one value; its dtype follows from the value.");
  ops.add("empty_like(Tensor self, " LIKE ") -> Tensor", empty_like_row, Function,
          "Returns an uninitialised tensor of the shape and dtype of ``self``.");
  ops.add("zeros_like(Tensor self, " LIKE ") -> Tensor", zeros_like_row, Function,
          "Returns zeros of the shape and dtype of ``self``.");
  ops.add("ones_like(Tensor self, " LIKE ") -> Tensor", ones_like_row, Function,
          "Returns ones of the shape and dtype of ``self``.");
  ops.add("full_like(Tensor self, Scalar fill_value, " LIKE ") -> Tensor", full_like_row, Function,
          "Returns a tensor of one value with the shape and dtype of ``self``.");
  ops.add("new_empty(Tensor self, int[] size, " D2L_FACTORY ") -> Tensor", new_empty, Method,
          "Returns an uninitialised tensor of the dtype of ``self``.");
  ops.add("new_empty_strided(Tensor self, int[] size, int[] stride, " D2L_FACTORY ") -> Tensor",
          new_empty_strided, Method,
          "Returns an uninitialised tensor of the dtype of ``self`` with the given strides.");
  ops.add("new_zeros(Tensor self, int[] size, " D2L_FACTORY ") -> Tensor", new_zeros, Method,
          "Returns zeros of the dtype of ``self``.");
  ops.add("new_ones(Tensor self, int[] size, " D2L_FACTORY ") -> Tensor", new_ones, Method,
          "Returns ones of the dtype of ``self``.");
  ops.add("new_full(Tensor self, int[] size, Scalar fill_value, " D2L_FACTORY ") -> Tensor",
          new_full, Method, "Returns a tensor of one value with the dtype of ``self``.");
  ops.add("empty_strided(int[] size, int[] stride, " D2L_FACTORY ") -> Tensor", empty_strided_row,
          Function, "Returns an uninitialised tensor with the given strides (in elements).");
  const char* arange_doc =
      "Returns start, start + step, ... up to but without ``end``. int64 if all are integers.";
  ops.add("arange(Scalar end, " D2L_FACTORY ") -> Tensor", arange_end, Function | Out, arange_doc);
  ops.add("arange(Scalar start, Scalar end, Scalar step=1, " D2L_FACTORY ") -> Tensor",
          arange_range, Function | Out, arange_doc);
  ops.add("linspace(Scalar start, Scalar end, int steps, " D2L_FACTORY ") -> Tensor", linspace_into,
          Function | Out,
          "Returns ``steps`` evenly spaced values from ``start`` to ``end``, both included.");
  ops.add("linspace(Tensor start, Tensor end, int steps, " D2L_FACTORY ") -> Tensor",
          linspace_tensors, Function | Out | NumbersFirst,
          "Returns ``steps`` evenly spaced values from ``start`` to ``end``, both included.");
  ops.add("eye(int n, " D2L_FACTORY ") -> Tensor", eye_square, Function | Out,
          "Returns the identity matrix of size n.");
  ops.add("eye(int n, int m, " D2L_FACTORY ") -> Tensor", eye_into, Function | Out,
          "Returns an n x m matrix with ones on its diagonal.");
  ops.add("scalar_tensor(Scalar s, " D2L_FACTORY ") -> Tensor", scalar_tensor_row, Function,
          "Returns a 0-d tensor of a number.");
  ops.add("fill(Tensor self, Scalar value) -> Tensor", fill_row,
          Function | Inplace | InplaceFunction,
          "Returns ``self`` with every element replaced by ``value``.");
  ops.add(
      "zero(Tensor self) -> Tensor",
      +[](const Tensor& self, Dst dst) { return fill_row(self, Scalar(0), dst); },
      Inplace | InplaceFunction, "Returns ``self`` with every element replaced by zero.");
#undef LIKE
}

}  // namespace d2l
