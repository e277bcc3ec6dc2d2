// What the files of the recurrent layers share: one layer in one direction.
#pragma once

#include "d2lcore/ops.h"
#include "ops/register.h"

namespace d2l {

enum class Cell : uint8_t { Tanh, Relu, Lstm, Gru };

inline int64_t gates_of(Cell cell) { return cell == Cell::Lstm ? 4 : cell == Cell::Gru ? 3 : 1; }

struct LayerWeights {
  Tensor w_ih, w_hh, b_ih, b_hh;  // biases: both or none
  Tensor w_hr;                    // of an LSTM whose state is projected, else undefined
};

// The states after all steps, and the last ones of each sequence; c of an LSTM only.
struct LayerStates {
  Tensor out, h, c;
};

// The batch in each step. Sequences are sorted by falling length, so the first rows of a step go on
// from the first rows of the step before.
struct Steps {
  std::vector<int64_t> size, offset;  // rows of a step, and where they begin
  int64_t rows = 0, batch = 0;
  bool reverse = false;

  int64_t count() const { return static_cast<int64_t>(size.size()); }
  // Which step comes k-th.
  size_t at(int64_t k) const { return static_cast<size_t>(reverse ? count() - 1 - k : k); }
};
// input: (steps, batch, size); or (rows, size) with batch_sizes, which is int64 and falls.
Steps steps_of(const Tensor& input, const Tensor& batch_sizes, bool reverse);

// One layer in one direction, with its derivative. input has no gaps; batch_sizes is undefined or
// nobody else's. name: that of the node.
LayerStates recurrent_layer(Cell cell, const Tensor& input, const Tensor& batch_sizes,
                            const Tensor& h0, const Tensor& c0, const LayerWeights& w, bool reverse,
                            const char* name);
// The same, made of ops: what is differentiated for second derivatives.
LayerStates recurrent_layer_by_ops(Cell cell, const Tensor& input, const Steps& steps,
                                   const Tensor& h0, const Tensor& c0, const LayerWeights& w);

void register_sequences(OpTable& ops);

}  // namespace d2l
