// Total functions between numbers and memory: every value gives a defined result.
#pragma once

#include "d2lcore/scalar.h"

namespace d2l {

// Writes `value`, converted to dtype, to one element at p (which need not be aligned).
D2L_API void store_scalar(void* p, DType dtype, const Scalar& value);
// Reads one element.
D2L_API Scalar load_scalar(const void* p, DType dtype);
// Throws PyTorch's RuntimeError when value does not fit in dtype ("value cannot be converted to
// type int8_t without overflow").
D2L_API void check_fits(const Scalar& value, DType dtype);

}  // namespace d2l
