// Recurrent networks: layers one upon the other in one or both directions, single steps, and their
// rows. What a layer computes is in recurrent_layer.cpp.
#include "ops/recurrent_parts.h"

namespace d2l {
namespace {

// What asking a vector for its second size says.
constexpr const char* kOutOfRange =
    "Dimension out of range (expected to be in range of [-1, 0], but got 1)";

// What PyTorch calls the nodes: users see it in printed tensors.
const char* layer_name(Cell cell, bool packed) {
  if (packed) return "CatBackward0";
  return cell == Cell::Lstm ? "MkldnnRnnLayerBackward0" : "StackBackward0";
}

struct Stack {
  Cell cell;
  bool has_biases;
  int64_t layers;
  double dropout;
  bool train, both;

  int64_t directions() const { return both ? 2 : 1; }
};

LayerWeights weights_of(const Stack& s, TensorList params, size_t which, bool projected) {
  const size_t each = (s.has_biases ? 4 : 2) + (projected ? 1 : 0);
  const TensorList own = params.subspan(which * each, each);
  LayerWeights w{own[0], own[1], {}, {}, {}};
  if (s.has_biases) w.b_ih = own[2], w.b_hh = own[3];
  if (projected) w.w_hr = own[each - 1];
  return w;
}

// input: (steps, batch, size), or packed rows with batch_sizes.
LayerStates run_stack(const Stack& s, Tensor input, const Tensor& batch_sizes, const Tensor& h0,
                      const Tensor& c0, TensorList params) {
  check(s.layers >= 0 && s.layers <= static_cast<int64_t>(params.size()),
        "got an incorrect number of RNN parameters");
  const int64_t count = s.layers * s.directions();
  const bool lstm = s.cell == Cell::Lstm;
  for (const Tensor* t : {&h0, &c0}) {
    if (!t->defined()) continue;
    check(t->dim() == 3 && (lstm ? t->size(0) >= count : t->size(0) == count),
          "Expected more hidden states in stacked_rnn");
  }
  const bool projected = lstm && h0.size(2) != c0.size(2);
  const int64_t each = (s.has_biases ? 4 : 2) + (projected ? 1 : 0);
  check(static_cast<int64_t>(params.size()) == count * each,
        "got an incorrect number of RNN parameters");
  check(s.dropout >= 0 && s.dropout <= 1,
        "dropout probability has to be between 0 and 1, but got {}", s.dropout);
  std::vector<Tensor> hs, cs;
  for (int64_t layer = 0; layer < s.layers; ++layer) {
    input = contiguous(input);
    std::vector<Tensor> outs;
    for (int64_t d = 0; d < s.directions(); ++d) {
      const int64_t which = layer * s.directions() + d;
      const LayerStates states = recurrent_layer(
          s.cell, input, batch_sizes, select(h0, 0, which), lstm ? select(c0, 0, which) : Tensor(),
          weights_of(s, params, static_cast<size_t>(which), projected), d == 1,
          layer_name(s.cell, batch_sizes.defined()));
      outs.push_back(states.out);
      hs.push_back(states.h);
      cs.push_back(states.c);
    }
    input = s.both ? cat(outs, -1) : outs[0];
    if (s.dropout != 0 && s.train && layer < s.layers - 1) input = dropout(input, s.dropout, true);
  }
  return {input, stack(hs, 0), lstm ? stack(cs, 0) : Tensor()};
}

// Half precision is computed in float32.
LayerStates run_any(const Stack& s, const Tensor& input, const Tensor& batch_sizes,
                    const Tensor& h0, const Tensor& c0, TensorList params) {
  const DType type = input.dtype();
  check<NotImplementedError>(is_floating(type), "recurrent layers are not implemented for '{}'",
                             type);
  if (!is_reduced_floating(type)) return run_stack(s, input, batch_sizes, h0, c0, params);
  std::vector<Tensor> wide;
  for (const Tensor* t : {&h0, &c0}) {
    if (!t->defined()) continue;
    check(t->dtype() == type, "mat1 and mat2 must have the same dtype, but got {} and {}", type,
          t->dtype());
  }
  for (const Tensor& p : params) {
    check(p.dtype() == type, "mat1 and mat2 must have the same dtype, but got {} and {}", type,
          p.dtype());
    wide.push_back(to_dtype(p, DType::Float));
  }
  const LayerStates states =
      run_stack(s, to_dtype(input, DType::Float), batch_sizes, to_dtype(h0, DType::Float),
                c0.defined() ? to_dtype(c0, DType::Float) : c0, wide);
  return {to_dtype(states.out, type), to_dtype(states.h, type),
          states.c.defined() ? to_dtype(states.c, type) : Tensor()};
}

LayerStates run_padded(const Stack& s, const Tensor& input, const Tensor& h0, const Tensor& c0,
                       TensorList params, bool batch_first) {
  check<IndexError>(input.dim() != 2, kOutOfRange);
  check(input.dim() == 3, "input must have 3 dimensions, got {}", input.dim());
  const Tensor x = batch_first ? transpose(input, 0, 1) : input;
  check(x.size(0) > 0, "Expected sequence length to be larger than 0 in RNN");
  LayerStates states = run_any(s, x, Tensor(), h0, c0, params);
  if (batch_first) states.out = transpose(states.out, 0, 1);
  return states;
}

LayerStates run_packed(const Stack& s, const Tensor& data, const Tensor& batch_sizes,
                       const Tensor& h0, const Tensor& c0, TensorList params) {
  check(data.dim() == 2, "input must have 2 dimensions, got {}", data.dim());
  check(batch_sizes.dtype() == DType::Int64, "expected scalar type Long but found {}",
        batch_sizes.dtype());
  check(batch_sizes.dim() == 1 && batch_sizes.numel() > 0,
        "batch_sizes has to be a non-empty vector, got shape {}", batch_sizes.shape());
  const Tensor sizes = clone(detach(contiguous(batch_sizes)));  // nobody else's from here on
  const auto* p = reinterpret_cast<const int64_t*>(sizes.data());
  int64_t rows = 0;
  for (int64_t t = 0; t < sizes.numel(); ++t) {
    check(p[t] > 0 && (t == 0 || p[t] <= p[t - 1]),
          "batch_sizes have to be positive and must not grow, but step {} has {}", t, p[t]);
    check(p[t] <= data.size(0) - rows, "start ({}) + length ({}) exceeds dimension size ({}).",
          rows, p[t], data.size(0));
    rows += p[t];
  }
  return run_any(s, narrow(data, 0, 0, rows), sizes, h0, c0, params);
}

using Two = std::tuple<Tensor, Tensor>;
using Three = std::tuple<Tensor, Tensor, Tensor>;

void check_pair(const char* name, TensorList hx) {
  check(hx.size() == 2, "{} expects two hidden states", name);
}

Three lstm_packed(const Tensor& data, const Tensor& batch_sizes, TensorList hx, TensorList params,
                  bool has_biases, int64_t num_layers, double dropout, bool train,
                  bool bidirectional) {
  check_pair("lstm", hx);
  const Stack s{Cell::Lstm, has_biases, num_layers, dropout, train, bidirectional};
  const LayerStates states = run_packed(s, data, batch_sizes, hx[0], hx[1], params);
  return {states.out, states.h, states.c};
}

template <Cell cell>
Two padded(const Tensor& input, const Tensor& hx, TensorList params, bool has_biases,
           int64_t num_layers, double dropout, bool train, bool bidirectional, bool batch_first) {
  const Stack s{cell, has_biases, num_layers, dropout, train, bidirectional};
  const LayerStates states = run_padded(s, input, hx, Tensor(), params, batch_first);
  return {states.out, states.h};
}
template <Cell cell>
Two packed(const Tensor& data, const Tensor& batch_sizes, const Tensor& hx, TensorList params,
           bool has_biases, int64_t num_layers, double dropout, bool train, bool bidirectional) {
  const Stack s{cell, has_biases, num_layers, dropout, train, bidirectional};
  const LayerStates states = run_packed(s, data, batch_sizes, hx, Tensor(), params);
  return {states.out, states.h};
}

// One step of a batch, as a sequence of that length.
LayerStates run_cell(Cell cell, const Tensor& input, TensorList hx, const Tensor& w_ih,
                     const Tensor& w_hh, const Tensor& b_ih, const Tensor& b_hh, const char* name) {
  for (const Tensor* t : {&input, &w_ih, &w_hh}) {
    check<IndexError>(t->dim() == 2, kOutOfRange);
  }
  check(input.size(1) == w_ih.size(1), "input has inconsistent input_size: got {} expected {}",
        input.size(1), w_ih.size(1));
  const int64_t units = w_hh.size(1), gates = gates_of(cell);
  for (size_t i = 0; i < hx.size(); ++i) {
    check<IndexError>(hx[i].dim() > 0, kOutOfRange);
    check(input.size(0) == hx[i].size(0),
          "Input batch size {} doesn't match hidden{} batch size {}", input.size(0),
          static_cast<int64_t>(i), hx[i].size(0));
    check<IndexError>(hx[i].dim() == 2, kOutOfRange);
    check(hx[i].size(1) == units, "hidden{} has inconsistent hidden_size: got {}, expected {}",
          static_cast<int64_t>(i), hx[i].size(1), units);
  }
  for (const Tensor* w : {&w_ih, &w_hh}) {
    check(w->size(0) == gates * units,
          "weight_{} first dim must be {} * hidden_size = {}, but got {}", w == &w_ih ? "ih" : "hh",
          gates, gates * units, w->size(0));
  }
  // PyTorch takes one bias alone, too.
  auto bias = [&](const Tensor& own, const Tensor& other) {
    return own.defined() || !other.defined() ? own : zeros_like(other);
  };
  const DType type = input.dtype();
  check<NotImplementedError>(is_floating(type), "recurrent cells are not implemented for '{}'",
                             type);
  const DType compute = is_reduced_floating(type) ? DType::Float : type;
  auto wide = [&](const Tensor& t) {
    if (!t.defined()) return t;
    check(t.dtype() == type, "mat1 and mat2 must have the same dtype, but got {} and {}", type,
          t.dtype());
    return to_dtype(t, compute);
  };
  LayerStates states = recurrent_layer(
      cell, contiguous(unsqueeze(wide(input), 0)), Tensor(), wide(hx[0]),
      hx.size() > 1 ? wide(hx[1]) : Tensor(),
      {wide(w_ih), wide(w_hh), wide(bias(b_ih, b_hh)), wide(bias(b_hh, b_ih)), {}}, false, name);
  states.h = to_dtype(states.h, type);
  if (states.c.defined()) states.c = to_dtype(states.c, type);
  return states;
}

}  // namespace

Three lstm(const Tensor& input, TensorList hx, TensorList params, bool has_biases,
           int64_t num_layers, double dropout, bool train, bool bidirectional, bool batch_first) {
  check_pair("lstm", hx);
  const Stack s{Cell::Lstm, has_biases, num_layers, dropout, train, bidirectional};
  const LayerStates states = run_padded(s, input, hx[0], hx[1], params, batch_first);
  return {states.out, states.h, states.c};
}
Two gru(const Tensor& input, const Tensor& hx, TensorList params, bool has_biases,
        int64_t num_layers, double dropout, bool train, bool bidirectional, bool batch_first) {
  return padded<Cell::Gru>(input, hx, params, has_biases, num_layers, dropout, train, bidirectional,
                           batch_first);
}
Two rnn_tanh(const Tensor& input, const Tensor& hx, TensorList params, bool has_biases,
             int64_t num_layers, double dropout, bool train, bool bidirectional, bool batch_first) {
  return padded<Cell::Tanh>(input, hx, params, has_biases, num_layers, dropout, train,
                            bidirectional, batch_first);
}
Two rnn_relu(const Tensor& input, const Tensor& hx, TensorList params, bool has_biases,
             int64_t num_layers, double dropout, bool train, bool bidirectional, bool batch_first) {
  return padded<Cell::Relu>(input, hx, params, has_biases, num_layers, dropout, train,
                            bidirectional, batch_first);
}

Two lstm_cell(const Tensor& input, TensorList hx, const Tensor& w_ih, const Tensor& w_hh,
              const Tensor& b_ih, const Tensor& b_hh) {
  check_pair("lstm_cell", hx);
  const LayerStates states =
      run_cell(Cell::Lstm, input, hx, w_ih, w_hh, b_ih, b_hh, "MulBackward0");
  return {states.h, states.c};
}
Tensor gru_cell(const Tensor& input, const Tensor& hx, const Tensor& w_ih, const Tensor& w_hh,
                const Tensor& b_ih, const Tensor& b_hh) {
  return run_cell(Cell::Gru, input, {&hx, 1}, w_ih, w_hh, b_ih, b_hh, "AddBackward0").h;
}
Tensor rnn_tanh_cell(const Tensor& input, const Tensor& hx, const Tensor& w_ih, const Tensor& w_hh,
                     const Tensor& b_ih, const Tensor& b_hh) {
  return run_cell(Cell::Tanh, input, {&hx, 1}, w_ih, w_hh, b_ih, b_hh, "TanhBackward0").h;
}
Tensor rnn_relu_cell(const Tensor& input, const Tensor& hx, const Tensor& w_ih, const Tensor& w_hh,
                     const Tensor& b_ih, const Tensor& b_hh) {
  return run_cell(Cell::Relu, input, {&hx, 1}, w_ih, w_hh, b_ih, b_hh, "ReluBackward0").h;
}

void register_recurrent(OpTable& ops) {
  const char* layers =
      "Returns the states of the last of ``num_layers`` recurrent layers in all steps, and the "
      "last "
      "states of all layers; see the module of that name for shapes and formulas. ``params`` holds "
      "``w_ih, w_hh``, then ``b_ih, b_hh`` if ``has_biases``, for each layer and direction. The "
      "form with ``batch_sizes`` takes a packed sequence.";
#define D2L_STACK                                                                      \
  "Tensor[] params, bool has_biases, int num_layers, float dropout, bool train, bool " \
  "bidirectional"
  ops.add("lstm(Tensor input, Tensor[] hx, " D2L_STACK
          ", bool batch_first) -> (Tensor, Tensor, Tensor)",
          lstm, Function, layers);
  ops.add("lstm(Tensor data, Tensor batch_sizes, Tensor[] hx, " D2L_STACK
          ") -> (Tensor, Tensor, Tensor)",
          lstm_packed, Function, layers);
  struct Row {
    const char* name;
    Two (*padded)(const Tensor&, const Tensor&, TensorList, bool, int64_t, double, bool, bool,
                  bool);
    Two (*packed)(const Tensor&, const Tensor&, const Tensor&, TensorList, bool, int64_t, double,
                  bool, bool);
  };
  for (const Row& row :
       {Row{"gru", gru, packed<Cell::Gru>}, Row{"rnn_tanh", rnn_tanh, packed<Cell::Tanh>},
        Row{"rnn_relu", rnn_relu, packed<Cell::Relu>}}) {
    const std::string name = row.name;
    ops.add(
        (name + "(Tensor input, Tensor hx, " D2L_STACK ", bool batch_first) -> (Tensor, Tensor)")
            .c_str(),
        row.padded, Function, layers);
    ops.add(
        (name + "(Tensor data, Tensor batch_sizes, Tensor hx, " D2L_STACK ") -> (Tensor, Tensor)")
            .c_str(),
        row.packed, Function, layers);
  }
#define D2L_CELL "Tensor w_ih, Tensor w_hh, Tensor? b_ih=None, Tensor? b_hh=None)"
  ops.add("lstm_cell(Tensor input, Tensor[] hx, " D2L_CELL " -> (Tensor, Tensor)", lstm_cell,
          Function, "Returns the new state and cell after one step of an LSTM; see nn.LSTMCell.");
  ops.add("gru_cell(Tensor input, Tensor hx, " D2L_CELL " -> Tensor", gru_cell, Function,
          "Returns the new state after one step of a GRU; see nn.GRUCell.");
  ops.add("rnn_tanh_cell(Tensor input, Tensor hx, " D2L_CELL " -> Tensor", rnn_tanh_cell, Function,
          "Returns ``tanh(w_ih input + b_ih + w_hh hx + b_hh)``; see nn.RNNCell.");
  ops.add("rnn_relu_cell(Tensor input, Tensor hx, " D2L_CELL " -> Tensor", rnn_relu_cell, Function,
          "Returns ``relu(w_ih input + b_ih + w_hh hx + b_hh)``; see nn.RNNCell.");
  register_sequences(ops);
}

}  // namespace d2l
