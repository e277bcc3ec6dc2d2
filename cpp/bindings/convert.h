// Python objects as the Values that op rows take.
//
// Each conversion says whether the object fits the parameter; it raises only where the object fits
// and its value does not (an int beyond 64 bits). What a Value points to lives in the arguments or
// in the Frame of the call.
#pragma once

#include <vector>

#include "tensor_type.h"
#include "types.h"

namespace d2l::py {

// What one call needs besides its arguments. Made on the stack; the lists only when used.
struct Frame {
  static constexpr int kParams = 32, kInts = 64;
  // Only the values of the parameters that there are get initialised (reset): a call has few.
  union {
    Value values[kParams];
  };
  Frame() {}
  Value& reset(int i) { return *new (&values[i]) Value; }
  Tensor wrapped[6];  // numbers as tensors
  int wrapped_count = 0;
  int64_t ints[kInts];
  int ints_used = 0;
  // Lists that do not fit above; nodes do not move when another is added.
  struct Spill {
    std::vector<int64_t> ints;
    std::vector<double> doubles;
    std::vector<Tensor> tensors;
    Spill* next = nullptr;
    ~Spill() { delete next; }
  };
  Spill* spill = nullptr;
  Spill& add_spill() {
    auto* s = new Spill;
    s->next = spill;
    spill = s;
    return *s;
  }
  ~Frame() {
    if (spill) delete spill;
  }
};

// True, and v filled in, when o fits p. `numbers`: Python numbers stand for tensors.
bool convert(PyObject* o, const Param& p, bool numbers, Frame& frame, Value& v);
// The parameter's default. What it points to lives as long as the table.
void set_default(const Param& p, Value& v);

// Numbers, NumPy's scalars included; false when o is none.
bool as_scalar(PyObject* o, Scalar& out);
bool is_number(PyObject* o);
// An index: int, NumPy integer, 0-d integer tensor; not bool.
bool as_int(PyObject* o, int64_t& out);
bool as_ints(PyObject* o, std::vector<int64_t>& out);
// A dtype, or Python's float, int, bool, complex.
bool as_dtype(PyObject* o, DType& out);
PyObject* wrap_scalar(const Scalar& s);

}  // namespace d2l::py
