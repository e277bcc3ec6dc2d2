// Where nodes were made: notes for detect_anomaly and errstate.
#pragma once

#include "py.h"

namespace d2l::py {

// errstate went on (1) or off (-1) in this thread: nodes note the line that made them.
void note_lines(int change);

// Adds the functions of anomaly mode to the module.
void make_anomaly(PyObject* module);

}  // namespace d2l::py
