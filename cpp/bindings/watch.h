// Those who look at calls of ops: vmap at the arguments, errstate at the results.
#pragma once

#include "py.h"
#include "tensor_type.h"

namespace d2l::py {

// How many watch, in all threads together (changed under the GIL). A call of an op looks further
// only when this is not 0.
extern int watchers;

// An object that stands for a batch of tensors inside vmap; it has no tensor of its own, so that
// whatever does not know about it refuses it.
bool is_batched(PyObject* o);
// Whether an argument is one, or a tuple or list of arguments holds one.
bool any_batched(PyObject* const* args, Py_ssize_t count);

// Inside vmap: hands a call with a batched argument (or `random`, one that draws numbers) to Python
// and returns what came back; null without an error when the call is an ordinary one.
PyObject* call_batched(PyObject* function, PyObject* const* args, Py_ssize_t n, PyObject* kwnames,
                       bool random);

// Under errstate: looks for NaN and infinities in what an op returned; throws or warns. `args` are
// for the message.
void inspect_result(const char* op, PyObject* const* args, Py_ssize_t n, PyObject* result);

// Adds the functions that switch the watchers to the module.
void make_watch(PyObject* module);

}  // namespace d2l::py
