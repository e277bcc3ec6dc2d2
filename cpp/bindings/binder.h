// The one argument binder, and OpFunction: the Python callable of an op.
//
// An OpFunction stands for all rows of one name in one face (function, method, op_). It is called
// by vectorcall; as a method it takes part in Python's unbound-method protocol, so that x.sum()
// makes no bound object.
#pragma once

#include "convert.h"

namespace d2l::py {

// Adds the functions, methods and namespaces of the op table to the module and the Tensor type.
void make_functions(PyObject* module);

// For number slots: the row by name, to be used in place.
PyObject* call_inplace(const OpRow& row, Value* args, PyObject* self);
const OpRow& find_row(const char* name);
// What an op returned, as Python has it.
PyObject* wrap_returned(const OpRow& row, Returned& out);

}  // namespace d2l::py
