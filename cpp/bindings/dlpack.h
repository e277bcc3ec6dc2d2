// DLPack, Python buffers and the parts of copies and pickles.
#pragma once

#include "py.h"

namespace d2l::py {

void make_exchange(PyObject* module);

}  // namespace d2l::py
