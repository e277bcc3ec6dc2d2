// The small Python types: dtype, Size, device, layout, memory_format, Generator, return types.
#pragma once

#include "core/op_table.h"
#include "py.h"

namespace d2l::py {

extern PyTypeObject* dtype_type;
extern PyTypeObject* size_type;
extern PyTypeObject* device_type;
extern PyTypeObject* layout_type;
extern PyTypeObject* memory_format_type;
extern PyTypeObject* generator_type;

struct DTypeObject {
  PyObject_HEAD DType value;
};
struct GeneratorObject {
  PyObject_HEAD Generator* generator;
  bool owns;
};

PyObject* wrap(DType t);            // new reference to the singleton
PyObject* wrap_size(IntList dims);  // torch.Size
MemoryFormat memory_format_of(PyObject* o);
PyObject* cpu_device();  // new reference
// True for None, a CPU device, "cpu"; RuntimeError for a device that we do not have; false
// otherwise.
bool is_device(PyObject* o);
// A tuple with named fields, of the type made once for the row.
PyObject* named_tuple(const OpRow& row, std::span<const Tensor> items);

void make_types(PyObject* module);
void make_generator(PyObject* module);

}  // namespace d2l::py
