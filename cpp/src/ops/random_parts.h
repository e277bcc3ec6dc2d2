// What the chapters of random numbers share: elements visited one by one in the order in which
// PyTorch draws for them, and total conversions of a draw to any dtype.
//
// That order is the plan's (iter/plan.h): a contiguous tensor from front to back, a transposed one
// as it lies in memory. Streams are drawn by the calling thread.
#pragma once

#include <cmath>
#include <cstring>

#include "core/half.h"
#include "core/op_table.h"
#include "d2lcore/ops.h"
#include "iter/plan.h"

namespace d2l {

// Calls f(char* const* at) for every element of the plan, with its place in each operand.
template <class F>
void walk(const Plan& plan, F f) {
  if (plan.numel == 0) return;
  char* at[kMaxOperands];
  int64_t coords[kMaxDims] = {};
  for (int k = 0; k < plan.operands; ++k) at[k] = plan.data[k];
  const int64_t n = plan.ndim > 0 ? plan.shape[0] : 1;
  for (;;) {
    char* row[kMaxOperands];
    std::copy(at, at + plan.operands, row);
    for (int64_t i = 0; i < n; ++i) {
      f(row);
      for (int k = 0; k < plan.operands; ++k) row[k] += plan.ndim > 0 ? plan.strides[k][0] : 0;
    }
    int d = 1;
    for (; d < plan.ndim; ++d) {
      for (int k = 0; k < plan.operands; ++k) at[k] += plan.strides[k][d];
      if (++coords[d] < plan.shape[d]) break;
      coords[d] = 0;
      for (int k = 0; k < plan.operands; ++k) at[k] -= plan.shape[d] * plan.strides[k][d];
    }
    if (d >= plan.ndim) return;
  }
}

template <class T>
void put(char* at, T value) {
  std::memcpy(at, &value, sizeof value);
}
template <class T>
T get(const char* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

// A type to name: tagged([](auto tag) { using T = typename decltype(tag)::type; ... }).
template <class T>
struct Tag {
  using type = T;
};
struct Half {
  uint16_t bits;
};
struct Brain {
  uint16_t bits;
};

// Every value gives a defined result: truncation for integers, out of range the least int64.
template <class T, class V>
T converted(V x) {
  if constexpr (std::is_same_v<T, Half>) {
    return Half{float_to_half(static_cast<float>(x))};
  } else if constexpr (std::is_same_v<T, Brain>) {
    return Brain{float_to_bfloat16(static_cast<float>(x))};
  } else if constexpr (std::is_same_v<T, bool>) {
    return x != 0;
  } else if constexpr (std::is_integral_v<T> && std::is_floating_point_v<V>) {
    return static_cast<T>(Scalar(static_cast<double>(x)).to_int());
  } else {
    return static_cast<T>(x);
  }
}
template <class T>
double widened(T x) {
  if constexpr (std::is_same_v<T, Half>) {
    return half_to_float(x.bits);
  } else if constexpr (std::is_same_v<T, Brain>) {
    return bfloat16_to_float(x.bits);
  } else {
    return static_cast<double>(x);
  }
}

// Calls f with the Tag of a floating dtype.
template <class F>
void with_floating(DType dtype, F f) {
  switch (dtype) {
    case DType::Half:
      return f(Tag<Half>{});
    case DType::BFloat16:
      return f(Tag<Brain>{});
    case DType::Float:
      return f(Tag<float>{});
    default:
      return f(Tag<double>{});
  }
}
// The same for every real dtype.
template <class F>
void with_real(DType dtype, F f) {
  switch (dtype) {
    case DType::Bool:
      return f(Tag<bool>{});
    case DType::UInt8:
      return f(Tag<uint8_t>{});
    case DType::Int8:
      return f(Tag<int8_t>{});
    case DType::Int16:
      return f(Tag<int16_t>{});
    case DType::Int32:
      return f(Tag<int32_t>{});
    case DType::Int64:
      return f(Tag<int64_t>{});
    default:
      return with_floating(dtype, f);
  }
}

// Every element becomes a draw, converted to t's dtype.
template <class Draw>
void fill_in_order(const Tensor& t, Draw draw) {
  const Plan plan = make_plan(t.shape(), {&t});
  with_real(t.dtype(), [&]<class T>(Tag<T>) {
    walk(plan, [&](char* const* at) { put(at[0], converted<T>(draw())); });
  });
}

// The binary digits that a floating dtype holds.
inline int digits_of(DType t) {
  return t == DType::Half ? 11 : t == DType::BFloat16 ? 8 : t == DType::Float ? 24 : 53;
}

// The name of the C++ type, as PyTorch's messages on ranges write it.
inline std::string_view cpp_name(DType t) {
  static constexpr std::string_view kNames[kDTypeCount] = {
      "bool",  "unsigned char", "signed char",         "short int",
      "int",   "long int",      "c10::Half",           "c10::BFloat16",
      "float", "double",        "c10::complex<float>", "c10::complex<double>"};
  return kNames[static_cast<int>(t)];
}

// The real numbers behind a complex tensor: one more dimension of 2.
inline Tensor parts_of(const Tensor& t) {
  Dims shape(t.shape()), strides(t.strides());
  for (int64_t& s : strides) s *= 2;
  shape.push_back(2);
  strides.push_back(1);
  return raw_view(t, shape, strides, 2 * t.offset(), real_dtype(t.dtype()));
}

// Integers of [base, base + range).
void integers_into(const Tensor& t, int64_t base, uint64_t range, Generator& g);
// Refuses what random_ refuses; from and to are moved to the nearest bounds that the dtype holds.
void check_bounds(DType dtype, int64_t* from, int64_t* to);

void register_random_fill(OpTable& ops);
void register_random_sample(OpTable& ops);

}  // namespace d2l
