// Complex numbers: their parts as views, direction and angle, each with its derivative and its row.
//
// The gradient of a real function L of z is dL/dx + i dL/dy, PyTorch's convention: it is what to
// walk against, and formulas conjugate what they multiply it with (Kreutz-Delgado, "The complex
// gradient operator and the CR-calculus", 2009). A real input takes the real part in the engine.
#include "autograd/record.h"
#include "d2lcore/ops.h"
#include "iter/map.h"
#include "ops/register.h"

namespace d2l {
namespace {

const Scalar kI(0.0, 1.0);

// The real or imaginary parts in place, as a view of every other number.
Tensor part(const Tensor& self, int64_t which) {
  Dims strides(self.strides());
  for (int64_t& s : strides) s *= 2;
  return raw_view(self, self.shape(), strides, 2 * self.offset() + which, real_dtype(self.dtype()));
}

DType complex_dtype(DType real) {
  return real == DType::Double ? DType::ComplexDouble : DType::ComplexFloat;
}

// What complex and polar ask of their two tensors; returns the dtype of the result.
DType check_pair(const char* op, const Tensor& a, const Tensor& b, Dst dst) {
  auto fits = [](DType t) { return t == DType::Float || t == DType::Double || t == DType::Half; };
  check(fits(a.dtype()) && fits(b.dtype()),
        "Expected both inputs to be Half, Float or Double tensors but got {} and {}",
        scalar_name(a.dtype()), scalar_name(b.dtype()));
  check(a.dtype() == b.dtype(),
        "Expected object of scalar type {} but got scalar type {} for second argument",
        scalar_name(a.dtype()), scalar_name(b.dtype()));
  check<NotImplementedError>(a.dtype() != DType::Half,
                             "{}: complex numbers of float16 are not supported", op);
  const DType type = complex_dtype(a.dtype());
  check(!dst || dst.tensor().dtype() == type,
        "Expected object of scalar type {} but got scalar type {} for argument 'out'",
        scalar_name(type), scalar_name(dst ? dst.tensor().dtype() : type));
  return type;
}

// One loop into each half of a result: re and im compute the parts through the dst they get.
template <class Re, class Im>
Tensor assemble(const char* op, DType type, const Tensor& a, const Tensor& b, Dst dst, Re re,
                Im im) {
  GradModeGuard off(false);
  const Dims shape = broadcast_shapes(a.shape(), b.shape());
  const Tensor* like = equal(a.shape(), shape) ? &a : equal(b.shape(), shape) ? &b : nullptr;
  // Parts that lie in the result itself are read after the other part was written: not through dst.
  const bool shared = dst && (overlap(dst.tensor(), a) != Overlap::None ||
                              overlap(dst.tensor(), b) != Overlap::None);
  Tensor out = prepare_result(op, shared ? Dst() : dst, shape, type, like);
  re(Dst::inplace(part(out, 0)));
  im(Dst::inplace(part(out, 1)));
  return shared ? deliver(op, dst, out) : out;
}

}  // namespace

Tensor real(const Tensor& self) {
  if (!is_complex(self.dtype())) return self;
  Tensor out = part(self, 0);
  set_base(out, self);
  return record(out, "RealBackward0", {&self}, saved(), [](const Tensor& g) { return g; });
}

Tensor imag(const Tensor& self) {
  check(is_complex(self.dtype()), "imag is not implemented for tensors with non-complex dtypes.");
  Tensor out = part(self, 1);
  set_base(out, self);
  return record(out, "ImagBackward0", {&self}, saved(),
                [](const Tensor& g) { return mul(g, wrap(kI)); });
}

Tensor conj_physical(const Tensor& self, Dst dst) {
  if (!is_complex(self.dtype())) {
    return dst ? deliver("conj_physical", dst, alias(self)) : self;
  }
  Tensor out = map("conj", Loop::conj, Promote::Default, dst, {&self});
  return record(out, "ConjPhysicalBackward0", {&self}, saved(),
                [](const Tensor& g) { return conj(g); });
}

namespace {

// The conjugates with the strides of x, as PyTorch's view has them: repeated elements are computed
// once. Layouts with wide gaps become dense.
Tensor conjugates(const Tensor& x) {
  Dims shape(x.shape()), strides(x.strides());
  int64_t extent = 1;
  for (int d = 0; d < x.dim(); ++d) {
    if (strides[d] == 0 && shape[d] > 1) shape[d] = 1;
    extent += (shape[d] - 1) * strides[d];
  }
  const Tensor source = raw_view(x, shape, strides, x.offset());
  if (x.numel() == 0 || extent > 5 * source.numel() || detail::may_overlap_itself(shape, strides)) {
    return map("conj", Loop::conj, Promote::Default, {}, {&x});
  }
  const Tensor out = empty_strided(shape, strides, x.dtype());
  map("conj", Loop::conj, Promote::Default, Dst::inplace(out), {&source});
  return raw_view(out, x.shape(), strides, 0);
}

}  // namespace

Tensor conj(const Tensor& self) {
  if (!is_complex(self.dtype())) return self;
  Tensor out = self.is_contiguous() ? map("conj", Loop::conj, Promote::Default, {}, {&self})
                                    : conjugates(self);
  return record(out, "ConjBackward0", {&self}, saved(), [](const Tensor& g) { return conj(g); });
}

Tensor sgn(const Tensor& self, Dst dst) {
  if (!is_complex(self.dtype())) {
    Tensor out = map("sgn_cpu", Loop::sign, Promote::Default, dst, {&self});
    return record(out, "SgnBackward0", {&self}, saved(),
                  [](const Tensor& g) { return zeros_like(g); });
  }
  Tensor out;
  {
    GradModeGuard off(false);
    const Tensor size = abs(self);
    out = deliver("sgn", dst, masked_fill(div(self, size), eq(size, Scalar(0)), wrap(Scalar(0))));
  }
  return record(out, "SgnBackward0", {&self}, saved(self, result),
                [](const Tensor& g, const Tensor& x, const Tensor& y) {
                  // What of g is across the direction y, over |x|.
                  const Tensor size = abs(x);
                  const Tensor along = mul(real(mul(g, conj(y))), y);
                  return masked_fill(div(sub(g, along), size), eq(size, Scalar(0)), Scalar(0));
                });
}

Tensor angle(const Tensor& self, Dst dst) {
  if (!is_complex(self.dtype())) {
    Tensor out;
    {
      GradModeGuard off(false);
      const Tensor x = is_integral_or_bool(self.dtype()) ? to_dtype(self, default_dtype()) : self;
      const Tensor plain = where(lt(x, Scalar(0)), wrap(Scalar(3.141592653589793)), wrap(0.0));
      out = deliver("angle", dst, to_dtype(where(isnan(x), x, plain), x.dtype()));
    }
    return record(out, "AngleBackward0", {&self}, saved(),
                  [](const Tensor& g) { return zeros_like(g); });
  }
  Tensor out;
  {
    GradModeGuard off(false);
    const Tensor re = part(self, 0), im = part(self, 1);
    const DType type = re.dtype();
    out = map_as("angle", Loop::atan2, type, dst ? dst.tensor().dtype() : type, dst, {&im, &re});
  }
  return record(out, "AngleBackward0", {&self}, saved(self), [](const Tensor& g, const Tensor& x) {
    const Tensor d = mul(mul(g, div(x, square(abs(x)))), kI);
    return masked_fill(d, eq(x, Scalar(0)), Scalar(0));
  });
}

Tensor complex(const Tensor& re, const Tensor& im, Dst dst) {
  const DType type = check_pair("complex", re, im, dst);
  Tensor out = assemble(
      "complex", type, re, im, dst, [&](Dst to) { copy_into(to.tensor(), re); },
      [&](Dst to) { copy_into(to.tensor(), im); });
  return record(
      out, "ComplexBackward0", {&re, &im}, saved(), [](const Tensor& g) { return real(g); },
      [](const Tensor& g) { return imag(g); });
}

Tensor polar(const Tensor& size, const Tensor& angle, Dst dst) {
  const DType type = check_pair("polar", size, angle, dst);
  Tensor out = assemble(
      "polar", type, size, angle, dst, [&](Dst to) { mul(size, cos(angle), to); },
      [&](Dst to) { mul(size, sin(angle), to); });
  return record(
      out, "PolarBackward0", {&size, &angle}, saved(angle, result),
      [](const Tensor& g, const Tensor& a, const Tensor&) {
        return add(mul(real(g), cos(a)), mul(imag(g), sin(a)));
      },
      [](const Tensor& g, const Tensor&, const Tensor& y) {
        return real(mul(conj(g), mul(y, kI)));
      });
}

Tensor view_as_real(const Tensor& self) {
  check(is_complex(self.dtype()), "view_as_real is only supported for complex tensors");
  Dims shape(self.shape()), strides(self.strides());
  for (int64_t& s : strides) s *= 2;
  shape.push_back(2);
  strides.push_back(1);
  Tensor out = raw_view(self, shape, strides, 2 * self.offset(), real_dtype(self.dtype()));
  set_base(out, self);
  return record(out, "ViewAsRealBackward0", {&self}, saved(),
                [](const Tensor& g) { return view_as_complex(contiguous(g)); });
}

Tensor view_as_complex(const Tensor& self) {
  check(self.dtype() == DType::Float || self.dtype() == DType::Double,
        "view_as_complex is only supported for half, float and double tensors, but got a tensor of "
        "scalar type: {}",
        scalar_name(self.dtype()));
  check(self.dim() != 0, "Input tensor must have one or more dimensions");
  const int last = static_cast<int>(self.dim()) - 1;
  check(self->shape[last] == 2, "Tensor must have a last dimension of size 2");
  check(self->strides[last] == 1, "Tensor must have a last dimension with stride 1");
  Dims shape, strides;
  for (int d = 0; d < last; ++d) {
    check(self->strides[d] % 2 == 0,
          "Tensor must have a stride divisible by 2 for all but last dimension");
    shape.push_back(self->shape[d]);
    strides.push_back(self->strides[d] / 2);
  }
  check(self.offset() % 2 == 0, "Tensor must have a storage_offset divisible by 2");
  Tensor out = raw_view(self, shape, strides, self.offset() / 2, complex_dtype(self.dtype()));
  set_base(out, self);
  return record(out, "ViewAsComplexBackward0", {&self}, saved(),
                [](const Tensor& g) { return view_as_real(contiguous(g)); });
}

namespace {

Tensor resolve(const Tensor& self) { return self; }
bool never(const Tensor&) { return false; }
Tensor angle_row(const Tensor& self, Dst dst) { return angle(self, dst); }

}  // namespace

void register_complex(OpTable& ops) {
  ops.add("real(Tensor self) -> Tensor", real, Function,
          "Returns the real parts as a view; ``self`` for a real dtype.");
  ops.add("imag(Tensor self) -> Tensor", imag, Function, "Returns the imaginary parts as a view.");
  ops.add("conj(Tensor self) -> Tensor", conj, Both,
          "Returns the complex conjugate; ``self`` for a real dtype.");
  ops.add("conj_physical(Tensor self) -> Tensor", conj_physical, Elementwise,
          "Returns the complex conjugate; ``self`` for a real dtype.");
  for (const char* name : {"resolve_conj", "resolve_neg"}) {
    ops.add((std::string(name) + "(Tensor self) -> Tensor").c_str(), resolve, Both,
            "Returns ``self``: conjugation is never lazy here.");
  }
  for (const char* name : {"is_conj", "is_neg"}) {
    ops.add((std::string(name) + "(Tensor self) -> bool").c_str(), never, Both,
            "Returns False: conjugation and negation are never lazy here.");
  }
  ops.add("sgn(Tensor self) -> Tensor", sgn, Elementwise,
          "Returns the sign; of a complex element its direction, x / |x|.");
  ops.add("angle(Tensor self) -> Tensor", angle_row, Both | Out,
          "Returns the angle of each complex element in radians, in (-pi, pi]; of a real one 0, or "
          "pi if it is negative.");
  ops.add("complex(Tensor real, Tensor imag) -> Tensor", complex, Function | Out,
          "Returns ``real + 1j * imag`` of two float32 or two float64 tensors, broadcast.");
  ops.add("polar(Tensor abs, Tensor angle) -> Tensor", polar, Function | Out,
          "Returns ``abs * exp(1j * angle)`` of two float32 or two float64 tensors, broadcast; the "
          "angle is in radians.");
  ops.add("view_as_real(Tensor self) -> Tensor", view_as_real, Function,
          "Returns a complex tensor as a real view with a last dimension of size 2: real and "
          "imaginary parts.");
  ops.add("view_as_complex(Tensor self) -> Tensor", view_as_complex, Function,
          "Returns a float tensor, whose last dimension has size 2 and stride 1, as a complex "
          "view.");
}

}  // namespace d2l
