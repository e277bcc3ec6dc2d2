// Tensors from nested Python sequences, and back.
#pragma once

#include "convert.h"

namespace d2l::py {

// torch.tensor: numbers, nested lists and tuples, tensors, arrays. dtype: given or inferred.
// `copy`: whether an array's memory is copied (as torch.tensor does) or may be shared (as_tensor).
Tensor tensor_from(PyObject* data, std::optional<DType> dtype, bool copy = true);
// Nested lists of Python numbers; a number for a 0-d tensor.
PyObject* to_list(const Tensor& t);

// from_numpy: shares memory with the array (numpy.cpp). False when o is no ndarray.
bool is_ndarray(PyObject* o);
Tensor from_ndarray(PyObject* array);
PyObject* to_ndarray(PyObject* tensor_object, bool force);
// Says once in a process that a tensor over such memory (a "buffer", a "NumPy array") refuses
// writes.
void warn_read_only(const char* what);

// Fills in the core's LAPACK with NumPy's (lapack.cpp).
void provide_lapack();

}  // namespace d2l::py
