// Element types: their names, sizes, categories and PyTorch's promotion lattice.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "d2lcore/error.h"

namespace d2l {

// The order is part of the kernel tables' layout (core/kernel_table.h).
enum class DType : uint8_t {
  Bool,
  UInt8,
  Int8,
  Int16,
  Int32,
  Int64,
  Half,
  BFloat16,
  Float,
  Double,
  ComplexFloat,
  ComplexDouble,
};
inline constexpr int kDTypeCount = 12;

namespace detail {
inline constexpr uint8_t kItemSize[kDTypeCount] = {1, 1, 1, 2, 4, 8, 2, 2, 4, 8, 8, 16};
}

inline constexpr int64_t itemsize(DType t) { return detail::kItemSize[static_cast<int>(t)]; }
inline constexpr bool is_integral(DType t) {  // bool excluded
  return t >= DType::UInt8 && t <= DType::Int64;
}
inline constexpr bool is_integral_or_bool(DType t) { return t <= DType::Int64; }
inline constexpr bool is_floating(DType t) { return t >= DType::Half && t <= DType::Double; }
inline constexpr bool is_reduced_floating(DType t) {
  return t == DType::Half || t == DType::BFloat16;
}
inline constexpr bool is_complex(DType t) { return t >= DType::ComplexFloat; }
inline constexpr bool is_differentiable(DType t) { return t >= DType::Half; }

// The real dtype of a complex one's parts; other dtypes are returned unchanged.
inline constexpr DType real_dtype(DType t) {
  return t == DType::ComplexFloat ? DType::Float : t == DType::ComplexDouble ? DType::Double : t;
}

D2L_API std::string_view name(DType t);         // "float32", as in torch.float32
D2L_API std::string_view scalar_name(DType t);  // "Float", as PyTorch's error messages say

// The least dtype that both convert to, by PyTorch's table (int64 + float16 -> float16).
D2L_API DType promote(DType a, DType b);

// True unless the conversion drops a category: complex -> real, float -> int, non-bool -> bool.
D2L_API bool can_cast(DType from, DType to);

// torch.get_default_dtype(): float32 unless changed.
D2L_API DType default_dtype();
D2L_API void set_default_dtype(DType t);

// How check() writes a dtype into a message.
inline std::string to_text(DType t) { return std::string(scalar_name(t)); }

}  // namespace d2l
