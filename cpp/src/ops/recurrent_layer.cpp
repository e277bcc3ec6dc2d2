// One recurrent layer in one direction, forward and backward.
//
// The one idea: a layer is two products over many steps at once (the inputs' share of the sums; on
// the way back their cotangents and those of the weights) and, from step to step, one small product
// and one pass over the gates. States are kept in place: sequences that have ended stay what they
// are, those of the other direction join in later.
#include <cstring>

#include "autograd/record.h"
#include "core/thread_pool.h"
#include "d2lcore/autograd.h"
#include "gemm/gemm.h"
#include "iter/map.h"
#include "ops/recurrent_parts.h"

namespace d2l {
namespace {

// Units that one thread takes at a time.
constexpr int64_t kUnits = 1 << 13;
// Rows of a product over several steps: enough to make use of a packed weight, and few enough for
// their sums to be in a cache still when their steps come.
constexpr int64_t kGroup = 1024;

struct Matrix {
  char* data;
  int64_t row, col;  // strides in elements
};
Matrix matrix(const Tensor& t, int64_t columns, int64_t first_row = 0) {
  return {t.data() + first_row * columns * t.item_bytes(), columns, 1};
}
Matrix turned(Matrix m) { return {m.data, m.col, m.row}; }

// C (m x n) = A (m x k) . B + D; D is null, C itself or a row that stands for all.
void product(DType type, int64_t m, int64_t n, int64_t k, Matrix c, Matrix a, Matrix b,
             const char* d = nullptr) {
  if (m == 0 || n == 0) return;
  GemmArgs args{};
  args.dtype = type;
  args.m = m, args.n = n, args.k = k;
  args.a = a.data, args.a_row = a.row, args.a_col = a.col;
  args.b = b.data, args.b_row = b.row, args.b_col = b.col;
  args.c = c.data, args.c_row = c.row, args.c_col = c.col;
  args.d = d, args.d_row = d == c.data ? c.row : 0, args.d_col = 1;
  args.alpha = 1;
  args.beta = d ? 1 : 0;
  gemm(args);
}

// Sizes of a layer.
struct Extent {
  DType type;
  int64_t input, state, units, gates;  // gates: all units of all gates
  Extent(Cell cell, const Tensor& x, const Tensor& w_hh, const Tensor& w_hr)
      : type(x.dtype()),
        input(x.size(-1)),
        state(w_hh.size(1)),
        units(w_hr.defined() ? w_hr.size(1) : state),
        gates(gates_of(cell) * units) {}
};

Gate gate_of(Cell cell, bool backward) {
  constexpr Gate forward_of[] = {Gate::tanh, Gate::relu, Gate::lstm, Gate::gru};
  const Gate gate = forward_of[static_cast<int>(cell)];
  return backward
             ? static_cast<Gate>(static_cast<int>(gate) + static_cast<int>(Gate::lstm_backward))
             : gate;
}

// One pass over the gates of a step; out has `out_blocks` blocks of units in a row.
void run_gates(Cell cell, bool backward, DType type, const GateArgs& args, int64_t out_blocks) {
  const GateFn fn =
      kernels().gate[static_cast<int>(gate_of(cell, backward))][static_cast<int>(type)];
  if (args.rows * args.n < 2 * kUnits) return fn(&args);
  const int64_t unit = args.n * itemsize(type), blocks = gates_of(cell);
  parallel_for(args.rows, std::max<int64_t>(1, kUnits / args.n), [&](int64_t begin, int64_t end) {
    GateArgs part = args;
    part.rows = end - begin;
    auto move = [&](auto*& p, int64_t by) {
      if (p) p += begin * by * unit;
    };
    move(part.gates, blocks);
    move(part.part, blocks);
    move(part.cell, 1);
    move(part.kept, 1);
    move(part.before, 1);
    move(part.out, out_blocks);
    move(part.out2, blocks);
    move(part.state, 1);
    move(part.g, 1);
    fn(&part);
  });
}

Tensor copied(const Tensor& t, DType type) {
  Tensor out = empty(t.shape(), type);
  copy_into(out, t);
  return out;
}
Tensor without_gaps(const Tensor& t) { return t.is_contiguous() ? t : copied(t, t.dtype()); }
Tensor cotangent(const Tensor& g, IntList shape, DType type) {
  if (g.defined()) return copied(g, type);
  return zeros(shape, Options(type));
}
char* data_of(const Tensor& t, int64_t element) {
  return t.defined() ? t.data() + element * t.item_bytes() : nullptr;
}

// An undefined tensor has nothing to check.
template <class F>
void for_defined(std::initializer_list<const Tensor*> tensors, F f) {
  for (const Tensor* t : tensors) {
    if (t->defined()) f(*t);
  }
}

void check_sizes(Cell cell, const Tensor& x, const Steps& steps, const Tensor& h0, const Tensor& c0,
                 const LayerWeights& w) {
  for_defined({&x, &h0, &c0, &w.w_hh, &w.b_ih, &w.b_hh, &w.w_hr}, [&](const Tensor& t) {
    check(t.dtype() == w.w_ih.dtype(), "mat1 and mat2 must have the same dtype, but got {} and {}",
          t.dtype(), w.w_ih.dtype());
  });
  for_defined({&h0, &c0, &w.w_ih, &w.w_hh, &w.w_hr}, [&](const Tensor& t) {
    check(t.dim() == 2, "states and weights of a recurrent layer are matrices, got shape {}",
          t.shape());
  });
  const Extent e(cell, x, w.w_hh, w.w_hr);
  check(e.input == w.w_ih.size(1), "mat1 and mat2 shapes cannot be multiplied ({}x{} and {}x{})",
        steps.rows, e.input, w.w_ih.size(1), w.w_ih.size(0));
  check(h0.size(1) == e.state, "mat1 and mat2 shapes cannot be multiplied ({}x{} and {}x{})",
        h0.size(0), h0.size(1), e.state, w.w_hh.size(0));
  for_defined({&h0, &c0}, [&](const Tensor& t) {
    check(t.size(0) == steps.batch,
          "The size of tensor a ({}) must match the size of tensor b ({}) at non-singleton "
          "dimension 0",
          t.size(0), steps.batch);
  });
  for_defined({&c0}, [&](const Tensor& t) {
    check(t.size(1) == e.units,
          "The size of tensor a ({}) must match the size of tensor b ({}) at non-singleton "
          "dimension 1",
          e.units, t.size(1));
  });
  for_defined({&w.w_hr}, [&](const Tensor& t) {
    check(t.size(0) == e.state, "a projection of shape {} does not fit a state of {} elements",
          t.shape(), e.state);
  });
  for_defined({&w.w_ih, &w.w_hh}, [&](const Tensor& t) {
    check(t.size(0) == e.gates, "expected weights with {} rows for {} units, got {}", e.gates,
          e.units, t.size(0));
  });
  for_defined({&w.b_ih, &w.b_hh}, [&](const Tensor& t) {
    check(t.dim() == 1, "a bias of a recurrent layer is a vector, got shape {}", t.shape());
    check(t.size(0) == e.gates,
          "The expanded size of the tensor ({}) must match the existing size ({}) at non-singleton "
          "dimension 1.  Target sizes: [{}, {}].  Tensor sizes: [{}]",
          e.gates, t.size(0), steps.batch, e.gates, t.size(0));
  });
  check(w.b_ih.defined() == w.b_hh.defined(), "a recurrent layer has two biases or none");
}

// What a layer's node keeps besides tensors.
struct Layer {
  Cell cell;
  bool reverse;
};

// What the forward pass leaves for the backward pass.
struct Trace {
  Tensor gates;  // their values; of simple cells that is the output
  Tensor kept;   // see GateArgs
  Tensor wide;   // states before the projection
};

LayerStates forward(Cell cell, const Tensor& x, const Steps& steps, const Tensor& h0,
                    const Tensor& c0, const LayerWeights& weights, bool keep, Trace& trace) {
  const GradModeGuard off(false);
  const LayerWeights w{without_gaps(weights.w_ih), without_gaps(weights.w_hh), weights.b_ih,
                       weights.b_hh,
                       weights.w_hr.defined() ? without_gaps(weights.w_hr) : Tensor()};
  const Extent e(cell, x, w.w_hh, w.w_hr);
  const bool simple = cell == Cell::Tanh || cell == Cell::Relu, is_gru = cell == Cell::Gru;
  Dims shape(x.shape());
  shape[shape.size() - 1] = e.state;
  LayerStates states{empty(shape, e.type), copied(h0, e.type),
                     cell == Cell::Lstm ? copied(c0, e.type) : Tensor()};
  const Tensor gates = simple ? states.out : empty(Dims{steps.rows, e.gates}, e.type);
  if (!simple) trace.gates = gates;
  if (!simple && keep) trace.kept = empty(Dims{steps.rows, e.units}, e.type);
  if (w.w_hr.defined()) trace.wide = empty(Dims{steps.rows, e.units}, e.type);
  // The state's share stays in a cache; adding it to the sums is left to the pass over the gates.
  const Tensor part = simple ? Tensor() : empty(Dims{steps.batch, e.gates}, e.type);

  // All of the bias goes into the product over all steps, but for what a GRU resets.
  Tensor bias, part_bias;
  if (w.b_ih.defined()) {
    bias = without_gaps(is_gru ? w.b_ih : add(w.b_ih, w.b_hh));
    if (is_gru) part_bias = without_gaps(w.b_hh);
  }
  // A weight that is used more than once is turned once.
  const bool turn = steps.count() > 1;
  const Tensor w_hh = turn ? copied(transpose(w.w_hh, 0, 1), e.type) : w.w_hh;
  const Matrix by_state = turn ? matrix(w_hh, e.gates) : turned(matrix(w_hh, e.state));

  const LongOp unlocked(steps.rows * e.gates * (e.input + e.state) >= (1 << 20));
  int64_t ready = 0;  // how many steps have their inputs' share
  for (int64_t k = 0; k < steps.count(); ++k) {
    const int64_t rows = steps.size[steps.at(k)], at = steps.offset[steps.at(k)];
    if (rows == 0) break;  // nobody is in the batch
    if (k == ready) {
      int64_t together = 0, first = at;
      for (; ready < steps.count() && together < kGroup; ++ready) {
        together += steps.size[steps.at(ready)];
        first = std::min(first, steps.offset[steps.at(ready)]);
      }
      product(e.type, together, e.gates, e.input, matrix(gates, e.gates, first),
              matrix(x, e.input, first), turned(matrix(w.w_ih, e.input)), data_of(bias, 0));
    }
    const Matrix sums = matrix(gates, e.gates, at), to = matrix(states.out, e.state, at);
    const Matrix state = matrix(states.h, e.state);
    if (!simple) {
      product(e.type, rows, e.gates, e.state, matrix(part, e.gates), state, by_state,
              data_of(part_bias, 0));
    } else {
      product(e.type, rows, e.gates, e.state, sums, state, by_state, sums.data);
    }
    GateArgs args{};
    args.rows = rows;
    args.n = e.units;
    args.gates = sums.data;
    args.part = data_of(part, 0);
    args.cell = data_of(states.c, 0);
    args.kept = data_of(trace.kept, at * e.units);
    args.before = state.data;
    args.out = trace.wide.defined() ? data_of(trace.wide, at * e.units) : to.data;
    run_gates(cell, false, e.type, args, 1);
    if (trace.wide.defined()) {
      product(e.type, rows, e.state, e.units, to, matrix(trace.wide, e.units, at),
              turned(matrix(w.w_hr, e.units)));
    }
    std::memcpy(state.data, to.data, static_cast<size_t>(rows * e.state * itemsize(e.type)));
  }
  return states;
}

// The states from which each step went on, in the order of the rows of out.
Tensor states_before(const Steps& steps, const Tensor& h0, const Tensor& out, int64_t width) {
  const Tensor state = copied(h0, out.dtype()),
               before = empty(Dims{steps.rows, width}, out.dtype());
  for (int64_t k = 0; k < steps.count(); ++k) {
    if (steps.batch == 0) break;
    const int64_t at = steps.offset[steps.at(k)] * width;
    const auto bytes = static_cast<size_t>(steps.size[steps.at(k)] * width * itemsize(out.dtype()));
    std::memcpy(data_of(before, at), state.data(), bytes);
    std::memcpy(state.data(), data_of(out, at), bytes);
  }
  return before;
}

// a' b for rows of both, summed over the rows.
Tensor outer_sum(const Tensor& a, int64_t m, const Tensor& b, int64_t n, int64_t rows) {
  Tensor out = empty(Dims{m, n}, a.dtype());
  product(a.dtype(), m, n, rows, matrix(out, n), turned(matrix(a, m)), matrix(b, n));
  return out;
}

// Inputs of the node, in this order.
enum Input { kX, kH0, kC0, kWih, kWhh, kBih, kBhh, kWhr };

void backward(const Layer& layer, const Node& node, const std::vector<Tensor>& g, const Tensor& x,
              const Tensor& h0, const Tensor& sizes, const LayerWeights& weights,
              const Trace& trace, const Tensor& out, std::vector<Tensor>& in) {
  const Cell cell = layer.cell;
  const LayerWeights w{without_gaps(weights.w_ih),
                       without_gaps(weights.w_hh),
                       {},
                       {},
                       weights.w_hr.defined() ? without_gaps(weights.w_hr) : Tensor()};
  const Extent e(cell, x, w.w_hh, w.w_hr);
  const Steps steps = steps_of(x, sizes, layer.reverse);
  const bool simple = cell == Cell::Tanh || cell == Cell::Relu, is_gru = cell == Cell::Gru;
  const Tensor gates = simple ? out : trace.gates, before = states_before(steps, h0, out, e.state);
  const Tensor from_out = g[0].defined() ? without_gaps(g[0]) : Tensor();
  const Tensor dh = cotangent(g[1], Dims{steps.batch, e.state}, e.type);
  const Tensor dc =
      cell == Cell::Lstm ? cotangent(g[2], Dims{steps.batch, e.units}, e.type) : Tensor();
  const Tensor dgates = empty(Dims{steps.rows, e.gates}, e.type);
  const Tensor dpart = is_gru ? empty(dgates.shape(), e.type) : dgates;
  Tensor dout, dwide;  // of the projection
  if (w.w_hr.defined()) {
    dout = empty(Dims{steps.rows, e.state}, e.type);
    dwide = empty(Dims{steps.batch, e.units}, e.type);
  }
  Tensor dx;
  if (node.needs(kX)) dx = empty(x.shape(), e.type);
  {
    const LongOp unlocked(steps.rows * e.gates * (e.input + e.state) >= (1 << 20));
    for (int64_t k = steps.count() - 1; k >= 0; --k) {
      const int64_t rows = steps.size[steps.at(k)], at = steps.offset[steps.at(k)];
      if (rows == 0) break;
      const char* const added = data_of(from_out, at * e.state);
      GateArgs args{};
      args.rows = rows;
      args.n = e.units;
      args.gates = data_of(gates, at * e.gates);
      args.cell = data_of(dc, 0);
      args.kept = data_of(trace.kept, at * e.units);
      args.before = data_of(before, at * e.state);
      args.out = data_of(dgates, at * e.gates);
      args.out2 = data_of(dpart, at * e.gates);
      args.state = dh.data();
      args.g = added;
      if (dout.defined()) {
        char* const total = data_of(dout, at * e.state);
        const int64_t size = rows * e.state, item = itemsize(e.type);
        char* const ptr[3] = {total, dh.data(), const_cast<char*>(added ? added : dh.data())};
        const int64_t strides[6] = {item, item, item, 0, 0, 0};
        const Scalars none;
        if (size > 0 && added) {
          kernels().map[static_cast<int>(Loop::add)][static_cast<int>(e.type)](ptr, strides, size,
                                                                               1, &none);
        } else {
          std::memcpy(total, dh.data(), static_cast<size_t>(size * item));
        }
        product(e.type, rows, e.units, e.state, matrix(dwide, e.units), matrix(dout, e.state, at),
                matrix(w.w_hr, e.units));
        args.state = dwide.data();
        args.g = nullptr;
      }
      run_gates(cell, true, e.type, args, gates_of(cell));
      product(e.type, rows, e.state, e.gates, matrix(dh, e.state), matrix(dpart, e.gates, at),
              matrix(w.w_hh, e.state), is_gru ? dh.data() : nullptr);
    }
    if (dx.defined()) {
      product(e.type, steps.rows, e.input, e.gates, matrix(dx, e.input), matrix(dgates, e.gates),
              matrix(w.w_ih, e.input));
    }
  }
  const int64_t zero[1] = {0};
  in[kX] = dx;
  in[kH0] = dh;
  in[kC0] = dc;
  if (node.needs(kWih)) in[kWih] = outer_sum(dgates, e.gates, x, e.input, steps.rows);
  if (node.needs(kWhh)) in[kWhh] = outer_sum(dpart, e.gates, before, e.state, steps.rows);
  if (node.needs(kBih)) in[kBih] = sum(dgates, IntList(zero));
  if (node.needs(kBhh)) in[kBhh] = sum(dpart, IntList(zero));
  if (node.needs(kWhr)) in[kWhr] = outer_sum(dout, e.state, trace.wide, e.units, steps.rows);
}

// The layer once more, made of ops, and its derivative: all of it can be differentiated.
void backward_by_ops(const Layer& layer, const Node& node, const std::vector<Tensor>& g,
                     std::array<Tensor, 8> inputs, const Tensor& sizes, std::vector<Tensor>& in) {
  // Behind views, so that the walk back ends at these uses of the inputs.
  std::vector<Tensor> wanted;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!node.needs(i)) continue;
    inputs[i] = view(inputs[i], inputs[i].shape());
    wanted.push_back(inputs[i]);
  }
  const LayerStates states = recurrent_layer_by_ops(
      layer.cell, inputs[kX], steps_of(inputs[kX], sizes, layer.reverse), inputs[kH0], inputs[kC0],
      {inputs[kWih], inputs[kWhh], inputs[kBih], inputs[kBhh], inputs[kWhr]});
  std::vector<Tensor> roots, cotangents;
  const Tensor* const outs[] = {&states.out, &states.h, &states.c};
  for (size_t i = 0; i < g.size(); ++i) {
    if (!g[i].defined()) continue;
    roots.push_back(*outs[i]);
    cotangents.push_back(g[i]);
  }
  if (roots.empty()) return;
  BackwardOptions options;
  options.create_graph = true;
  const std::vector<Tensor> grads = grad(roots, wanted, cotangents, options, true);
  size_t next = 0;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (node.needs(i)) in[i] = grads[next++];
  }
}

}  // namespace

Steps steps_of(const Tensor& input, const Tensor& batch_sizes, bool reverse) {
  Steps steps;
  steps.reverse = reverse;
  const int64_t count = batch_sizes.defined() ? batch_sizes.numel() : input.size(0);
  for (int64_t t = 0; t < count; ++t) {
    const int64_t size = batch_sizes.defined()
                             ? reinterpret_cast<const int64_t*>(batch_sizes.data())[t]
                             : input.size(1);
    steps.size.push_back(size);
    steps.offset.push_back(steps.rows);
    steps.rows += size;
  }
  steps.batch = steps.size.empty() ? 0 : steps.size[0];
  return steps;
}

LayerStates recurrent_layer_by_ops(Cell cell, const Tensor& input, const Steps& steps,
                                   const Tensor& h0, const Tensor& c0, const LayerWeights& w) {
  const Tensor sums = linear(reshape(input, Dims{steps.rows, input.size(-1)}), w.w_ih, w.b_ih);
  LayerStates states{{}, h0, c0};
  std::vector<Tensor> outs(steps.size.size());
  auto put = [&](Tensor& state, const Tensor& rows) {
    const int64_t n = rows.size(0), rest = steps.batch - n;
    state = rest == 0 ? rows : cat(std::array{rows, narrow(state, 0, n, rest)}, 0);
  };
  for (int64_t k = 0; k < steps.count(); ++k) {
    const int64_t rows = steps.size[steps.at(k)];
    const Tensor from_input = narrow(sums, 0, steps.offset[steps.at(k)], rows);
    const Tensor before = narrow(states.h, 0, 0, rows), from_state = linear(before, w.w_hh, w.b_hh);
    Tensor h;
    if (cell == Cell::Gru) {
      const std::vector<Tensor> a = chunk(from_input, 3, 1), b = chunk(from_state, 3, 1);
      const Tensor reset = sigmoid(add(a[0], b[0])), keep = sigmoid(add(a[1], b[1]));
      const Tensor value = tanh(add(a[2], mul(reset, b[2])));
      h = add(value, mul(keep, sub(before, value)));
    } else if (cell == Cell::Lstm) {
      const std::vector<Tensor> gate = chunk(add(from_input, from_state), 4, 1);
      const Tensor old = narrow(states.c, 0, 0, rows);
      const Tensor c = add(mul(sigmoid(gate[1]), old), mul(sigmoid(gate[0]), tanh(gate[2])));
      put(states.c, c);
      h = mul(sigmoid(gate[3]), tanh(c));
      if (w.w_hr.defined()) h = linear(h, w.w_hr);
    } else {
      const Tensor total = add(from_input, from_state);
      h = cell == Cell::Tanh ? tanh(total) : relu(total);
    }
    put(states.h, h);
    outs[steps.at(k)] = h;
  }
  Dims shape(input.shape());
  shape[shape.size() - 1] = states.h.size(1);
  states.out = reshape(cat(outs, 0), shape);
  return states;
}

LayerStates recurrent_layer(Cell cell, const Tensor& input, const Tensor& batch_sizes,
                            const Tensor& h0, const Tensor& c0, const LayerWeights& w, bool reverse,
                            const char* name) {
  const Steps steps = steps_of(input, batch_sizes, reverse);
  check_sizes(cell, input, steps, h0, c0, w);
  const Inputs inputs = {&input, &h0, &c0, &w.w_ih, &w.w_hh, &w.b_ih, &w.b_hh, &w.w_hr};
  Trace trace;
  LayerStates states =
      forward(cell, input, steps, h0, c0, w, detail::any_needs_grad(std::span(inputs)), trace);
  const std::array<Tensor, 3> outs = {states.out, states.h, states.c};
  const Layer layer{cell, reverse};
  record_many(
      std::span(outs).first(cell == Cell::Lstm ? 3 : 2), name, inputs,
      saved(input, h0, c0, w.w_ih, w.w_hh, w.b_ih, w.b_hh, w.w_hr, batch_sizes, trace.gates,
            trace.kept, trace.wide, result),
      joint([layer](const Node& node, const std::vector<Tensor>& g, const Tensor& x,
                    const Tensor& h, const Tensor& c, const Tensor& w_ih, const Tensor& w_hh,
                    const Tensor& b_ih, const Tensor& b_hh, const Tensor& w_hr, const Tensor& sizes,
                    const Tensor& gates, const Tensor& kept, const Tensor& wide, const Tensor& out,
                    std::vector<Tensor>& in) {
        if (GradMode::enabled()) {
          backward_by_ops(layer, node, g, {x, h, c, w_ih, w_hh, b_ih, b_hh, w_hr}, sizes, in);
        } else {
          backward(layer, node, g, x, h, sizes, {w_ih, w_hh, b_ih, b_hh, w_hr}, {gates, kept, wide},
                   out, in);
        }
      }));
  return {outs[0], outs[1], outs[2]};
}

}  // namespace d2l
