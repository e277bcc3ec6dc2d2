// Copies and conversions: the ops that keep the values.
#include "autograd/record.h"
#include "core/total.h"
#include "d2lcore/ops.h"
#include "iter/map.h"
#include "ops/register.h"

namespace d2l {

namespace {

// An uninitialised tensor like self in the given order of dimensions.
Tensor empty_in(const Tensor& self, DType dtype, MemoryFormat format) {
  if (format == MemoryFormat::Preserve) return empty_as(self, dtype);
  if (format == MemoryFormat::Contiguous) return empty(self.shape(), dtype);
  const int n = format == MemoryFormat::ChannelsLast ? 4 : 5;
  check(self.dim() == n, "required rank {} tensor to use {} format", n,
        n == 4 ? "channels_last" : "channels_last_3d");
  Dims strides(n, 1);
  int64_t step = std::max<int64_t>(self->shape[1], 1);
  for (int d = n - 1; d >= 2; --d) {
    strides[d] = step;
    step *= std::max<int64_t>(self->shape[d], 1);
  }
  strides[0] = step;
  return empty_strided(self.shape(), strides, dtype);
}

// Whether self lies in memory as the format asks.
bool laid_out(const Tensor& self, MemoryFormat format) {
  if (format == MemoryFormat::Preserve) return true;
  if (format == MemoryFormat::Contiguous) return self.is_contiguous();
  const Tensor wanted = empty_in(self, DType::Bool, format);
  for (int d = 0; d < self.dim(); ++d) {
    if (self->shape[d] > 1 && self->strides[d] != wanted->strides[d]) return false;
  }
  return true;
}

Tensor converted(const Tensor& self, DType dtype, bool copy, MemoryFormat format) {
  if (self.dtype() == dtype && !copy && laid_out(self, format)) return self;
  Tensor out = empty_in(self, dtype, format);
  copy_into(out, self);
  return record(out, self.dtype() == dtype ? "CloneBackward0" : "ToCopyBackward0", {&self}, saved(),
                [](const Tensor& g) { return g; });
}

}  // namespace

Tensor clone(const Tensor& self) {
  Tensor out = empty_as(self, self.dtype());
  copy_into(out, self);
  return record(out, "CloneBackward0", {&self}, saved(), [](const Tensor& g) { return g; });
}

Tensor contiguous(const Tensor& self) {
  if (self.is_contiguous()) return self;
  Tensor out = empty(self.shape(), self.dtype());
  copy_into(out, self);
  return record(out, "CloneBackward0", {&self}, saved(), [](const Tensor& g) { return g; });
}

Tensor to_dtype(const Tensor& self, DType dtype, bool copy) {
  return converted(self, dtype, copy, MemoryFormat::Preserve);
}

Tensor copy_from(const Tensor& self, const Tensor& src, Dst dst) {
  const Dims shape = broadcast_shapes(self.shape(), src.shape());
  check(equal(shape, self.shape()), "output with shape {} doesn't match the broadcast shape {}",
        self.shape(), shape);
  Tensor out = dst ? dst.tensor() : empty_as(self, self.dtype());
  check(out.storage()->writable, "copy_: the memory of the output tensor is read-only");
  copy_into(out, src);
  return record(
      out, "CopyBackwards", {&self, &src}, saved(), [](const Tensor& g) { return zeros_like(g); },
      [](const Tensor& g) { return g; });
}

Tensor detach(const Tensor& self) {
  return raw_view(self, self.shape(), self.strides(), self.offset());
}

Tensor alias(const Tensor& self) {
  Tensor out = detach(self);
  set_base(out, self);
  return record(out, "AliasBackward0", {&self}, saved(), [](const Tensor& g) { return g; });
}

Tensor data_of(const Tensor& self) {
  Tensor out = detach(self);
  out->private_version = true;
  return out;
}

Scalar item(const Tensor& self) {
  check(self.numel() == 1, "a Tensor with {} elements cannot be converted to Scalar", self.numel());
  return load_scalar(self.data(), self.dtype());
}

namespace {

Tensor clone_row(const Tensor& self, MemoryFormat format) {
  return converted(self, self.dtype(), true, format);
}
Tensor contiguous_row(const Tensor& self, MemoryFormat format) {
  return converted(self, self.dtype(), false,
                   format == MemoryFormat::Preserve ? MemoryFormat::Contiguous : format);
}
Tensor copy_row(const Tensor& self, const Tensor& src, bool, Dst dst) {
  return copy_from(self, src, dst);
}
// to() and its kin: a tensor of strides of its own counts as contiguous, as in PyTorch.
Tensor moved(const Tensor& self, DType dtype, bool copy, MemoryFormat format) {
  const bool channels = (self.dim() == 4 && laid_out(self, MemoryFormat::ChannelsLast)) ||
                        (self.dim() == 5 && laid_out(self, MemoryFormat::ChannelsLast3d));
  const bool counts = format == MemoryFormat::Contiguous && !channels;
  if (counts && self.dtype() == dtype && !copy) return self;
  return converted(self, dtype, copy, format);
}
Tensor to_dtype_row(const Tensor& self, DType dtype, bool, bool copy, MemoryFormat format) {
  return moved(self, dtype, copy, format);
}
Tensor to_device_row(const Tensor& self, Ignored, OptDType dtype, bool, bool copy,
                     MemoryFormat format) {
  return moved(self, dtype.value_or(self.dtype()), copy, format);
}
Tensor to_other_row(const Tensor& self, const Tensor& other, bool, bool copy, MemoryFormat format) {
  return moved(self, other.dtype(), copy, format);
}
Tensor type_as(const Tensor& self, const Tensor& other) { return to_dtype(self, other.dtype()); }
template <DType T>
Tensor cast_to(const Tensor& self, MemoryFormat format) {
  return moved(self, T, false, format);
}
Tensor detach_row(const Tensor& self) { return detach(self); }

}  // namespace

void register_convert(OpTable& ops) {
  ops.add("clone(Tensor self, *, MemoryFormat? memory_format=None) -> Tensor", clone_row, Both,
          "Returns a copy in memory of its own.");
  ops.add("contiguous(Tensor self, *, MemoryFormat? memory_format=None) -> Tensor", contiguous_row,
          Method, "Returns ``self`` if it is contiguous, otherwise a contiguous copy.");
  ops.add("copy(Tensor self, Tensor src, bool non_blocking=False) -> Tensor", copy_row,
          Inplace | Numbers, "Returns ``src`` in the shape and dtype of ``self``.");
  ops.add(
      "to(Tensor self, ScalarType dtype, bool non_blocking=False, bool copy=False, *, "
      "MemoryFormat? memory_format=None) -> Tensor",
      to_dtype_row, Method, "Converts to another dtype; returns ``self`` if nothing changes.");
  ops.add(
      "to(Tensor self, Device? device=None, ScalarType? dtype=None, bool non_blocking=False, "
      "bool copy=False, *, MemoryFormat? memory_format=None) -> Tensor",
      to_device_row, Method, "Converts to another dtype; the device is always the CPU.");
  ops.add(
      "to(Tensor self, Tensor other, bool non_blocking=False, bool copy=False, *, "
      "MemoryFormat? memory_format=None) -> Tensor",
      to_other_row, Method, "Converts to the dtype of ``other``.");
  ops.add("type_as(Tensor self, Tensor other) -> Tensor", type_as, Method,
          "Converts to the dtype of ``other``.");
  struct Cast {
    const char* name;
    Tensor (*fn)(const Tensor&, MemoryFormat);
  };
  const Cast casts[] = {
      {"bool", cast_to<DType::Bool>},           {"byte", cast_to<DType::UInt8>},
      {"char", cast_to<DType::Int8>},           {"short", cast_to<DType::Int16>},
      {"int", cast_to<DType::Int32>},           {"long", cast_to<DType::Int64>},
      {"half", cast_to<DType::Half>},           {"bfloat16", cast_to<DType::BFloat16>},
      {"float", cast_to<DType::Float>},         {"double", cast_to<DType::Double>},
      {"cfloat", cast_to<DType::ComplexFloat>}, {"cdouble", cast_to<DType::ComplexDouble>}};
  for (const Cast& c : casts) {
    ops.add(
        (std::string(c.name) + "(Tensor self, MemoryFormat? memory_format=None) -> Tensor").c_str(),
        c.fn, Method, "Converts to this dtype; returns ``self`` if it has it.");
  }
  ops.add("detach(Tensor self) -> Tensor", detach_row, Both,
          "Returns the same memory outside of the graph.");
}

}  // namespace d2l
