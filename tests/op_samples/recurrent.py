"""Samples of recurrent layers, their cells, and padded and packed sequences."""

from __future__ import annotations

import numpy as np

from op_samples.base import FLOATS, REALS, E, Op, S, c, t


def _sigmoid(x):
    return 1 / (1 + np.exp(-x))


def _step(cell, x, h, c, w_ih, w_hh, b_ih, b_hh, w_hr=None):
    """One step in NumPy: the new state and cell."""
    a = x @ w_ih.T + (0 if b_ih is None else b_ih)
    b = h @ w_hh.T + (0 if b_hh is None else b_hh)
    if cell == "lstm":
        i, f, g, o = np.split(a + b, 4, axis=-1)
        c = _sigmoid(f) * c + _sigmoid(i) * np.tanh(g)
        h = _sigmoid(o) * np.tanh(c)
        return (h if w_hr is None else h @ w_hr.T), c
    if cell == "gru":
        (r, z, n), (rr, zz, nn) = np.split(a, 3, axis=-1), np.split(b, 3, axis=-1)
        n = np.tanh(n + _sigmoid(r + rr) * nn)
        return n + _sigmoid(z + zz) * (h - n), c
    return (np.tanh(a + b) if cell == "rnn_tanh" else np.maximum(a + b, 0)), c


def _layer(cell, steps, h, c, weights, backwards):
    """`steps`: the inputs of each step, fewer rows in later ones."""
    h, c, outs = h.copy(), None if c is None else c.copy(), [None] * len(steps)
    for k in range(len(steps))[:: -1 if backwards else 1]:
        n = len(steps[k])
        new, cell_state = _step(cell, steps[k], h[:n], None if c is None else c[:n], *weights)
        h[:n] = outs[k] = new
        if c is not None:
            c[:n] = cell_state
    return outs, h, c


def _stack(cell, steps, hx, params, biases, layers, _dropout, _train, both):
    hs, cs = (hx if cell == "lstm" else (hx, [None] * len(hx)))
    each, directions = len(params) // (layers * (2 if both else 1)), 2 if both else 1
    last_h, last_c = [], []
    for layer in range(layers):
        found = []
        for d in range(directions):
            k = layer * directions + d
            w = list(params[k * each : (k + 1) * each])
            if not biases:
                w[2:2] = [None, None]
            outs, h, c = _layer(cell, steps, hs[k], cs[k], w, d == 1)
            found.append(outs)
            last_h.append(h)
            last_c.append(c)
        steps = [np.concatenate(parts, axis=-1) for parts in zip(*found)]
    states = (np.stack(last_h), np.stack(last_c)) if cell == "lstm" else (np.stack(last_h),)
    return steps, states


def _padded(cell):
    def ref(x, hx, params, biases, layers, dropout, train, both, batch_first):
        x = np.swapaxes(x, 0, 1) if batch_first else x
        outs, states = _stack(cell, list(x), hx, params, biases, layers, dropout, train, both)
        out = np.stack(outs)
        return (np.swapaxes(out, 0, 1) if batch_first else out, *states)

    return ref


def _packed(cell):
    def ref(data, sizes, hx, params, biases, layers, dropout, train, both):
        steps = np.split(data, np.cumsum(sizes)[:-1])
        outs, states = _stack(cell, steps, hx, params, biases, layers, dropout, train, both)
        return (np.concatenate(outs), *states)

    return ref


GATES = {"lstm": 4, "gru": 3, "rnn_tanh": 1, "rnn_relu": 1}


def _weights(cell, inputs, units, biases=True, layers=1, directions=1, state=None):
    """Parameters of all layers; `state` is the size of a projected one."""
    small = {"lo": -0.6, "hi": 0.6}
    rows, out = GATES[cell] * units, []
    for layer in range(layers):
        for _ in range(directions):
            size = inputs if layer == 0 else (state or units) * directions
            out += [t(rows, size, **small), t(rows, state or units, **small)]
            out += [t(rows, **small), t(rows, **small)] if biases else []
            out += [t(state, units, **small)] if state else []
    return out


def _hx(cell, count, batch, units, state=None):
    h, cell_state = t(count, batch, state or units), t(count, batch, units)
    return [h, cell_state] if cell == "lstm" else h


ONE = (True, 1, 0.0, False, False)
SIZES = c([3, 3, 2, 1], dtype="int64")
# In float16 and bfloat16 sums of products over several steps; second derivatives by differences.
LOOSE = {"dtypes": FLOATS, "tol": 4.0, "expand": False}


def _layers(cell):
    w = _weights(cell, 3, 5)
    samples = [
        S(t(4, 2, 3), _hx(cell, 1, 2, 5), w, *ONE, False),
        S(t(2, 4, 3), _hx(cell, 1, 2, 5), _weights(cell, 3, 5, False), False, 1, 0.0, False, False, True),
        S(t(3, 2, 2), _hx(cell, 4, 2, 18), _weights(cell, 2, 18, True, 2, 2), True, 2, 0.5, False, True, False, _second=False),
        S(t(1, 40, 3), _hx(cell, 1, 40, 5), w, *ONE, False),
        S(t(3, 0, 3), _hx(cell, 1, 0, 5), w, *ONE, False),
    ]
    errors = [
        E(RuntimeError, "Expected sequence length to be larger than 0 in RNN", t(0, 2, 3),
          _hx(cell, 1, 2, 5), w, *ONE, False),
        E(RuntimeError, "Expected more hidden states in stacked_rnn", t(4, 2, 3),
          _hx(cell, 1, 2, 5), w, True, 2, *ONE[2:], False),
        E(RuntimeError, "got an incorrect number of RNN parameters", t(4, 2, 3),
          _hx(cell, 1, 2, 5), w[:3], *ONE, False),
        E(RuntimeError, "mat1 and mat2 shapes cannot be multiplied (8x4 and 3x", t(4, 2, 4),
          _hx(cell, 1, 2, 5), w, *ONE, False),
        E(IndexError, "Dimension out of range", t(4, 3), _hx(cell, 1, 2, 5), w, *ONE, False),
        E(RuntimeError, "The size of tensor a (3) must match the size of tensor b (2)", t(4, 2, 3),
          _hx(cell, 1, 3, 5), w, *ONE, False),
    ]
    packed = [
        S(t(9, 3), SIZES, _hx(cell, 1, 3, 5), w, *ONE),
        S(t(9, 2), SIZES, _hx(cell, 4, 3, 4), _weights(cell, 2, 4, False, 2, 2), False, 2, 0.0, True, True),
    ]
    if cell == "lstm":
        samples.append(S(t(3, 2, 3), _hx(cell, 2, 2, 5, 4), _weights(cell, 3, 5, True, 1, 2, 4), True, 1, 0.0, False, True, False))
        packed.append(S(t(9, 3), SIZES, _hx(cell, 1, 3, 5, 2), _weights(cell, 3, 5, False, 1, 1, 2), False, 1, 0.0, False, False))
        errors.append(E(RuntimeError, "lstm expects two hidden states", t(4, 2, 3), [t(1, 2, 5)], w, *ONE, False))
    bad = [
        E(RuntimeError, "must not grow", t(6, 3), c([2, 3, 1], dtype="int64"), _hx(cell, 1, 2, 5), w, *ONE),
        E(RuntimeError, "start (5) + length (2) exceeds dimension size (6).", t(6, 3),
          c([3, 2, 2], dtype="int64"), _hx(cell, 1, 3, 5), w, *ONE),
        E(RuntimeError, "expected scalar type Long but found Float", t(6, 3), t(3), _hx(cell, 1, 3, 5), w, *ONE),
        E(RuntimeError, "non-empty vector", t(6, 3), c([], dtype="int64"), _hx(cell, 1, 3, 5), w, *ONE),
    ]
    return [
        Op(cell, _padded(cell), samples, errors, **LOOSE),
        Op(cell, _packed(cell), packed, bad, **LOOSE),
    ]


def _cell(name):
    kind = name.removesuffix("_cell")

    def ref(x, hx, *weights):
        h, c = hx if kind == "lstm" else (hx, None)
        h, c = _step(kind, x, h, c, *(*weights, None, None)[:4])
        return (h, c) if kind == "lstm" else h

    w = _weights(kind, 3, 5)
    hx = [t(2, 5), t(2, 5)] if kind == "lstm" else t(2, 5)
    wrong = [t(2, 6), t(2, 6)] if kind == "lstm" else t(2, 6)
    many = [t(3, 5), t(3, 5)] if kind == "lstm" else t(3, 5)
    rows = GATES[kind] * 5
    errors = [
        E(RuntimeError, "input has inconsistent input_size: got 4 expected 3", t(2, 4), hx, *w),
        E(RuntimeError, "hidden0 has inconsistent hidden_size: got 6, expected 5", t(2, 3), wrong, *w),
        E(RuntimeError, "Input batch size 2 doesn't match hidden0 batch size 3", t(2, 3), many, *w),
        E(IndexError, "Dimension out of range (expected to be in range of [-1, 0]", t(3), hx, *w),
        E(RuntimeError, f"weight_ih first dim must be {GATES[kind]} * hidden_size = {rows}, but got {rows - 1}",
          t(2, 3), hx, t(rows - 1, 3), t(rows, 5)),
        E(RuntimeError, f"The expanded size of the tensor ({rows}) must match the existing size ({rows + 1})",
          t(2, 3), hx, w[0], w[1], t(rows + 1), w[3]),
    ]
    samples = [S(t(2, 3), hx, *w), S(t(2, 3), hx, *w[:2]), S(t(2, 3), hx, *w[:3]),
               S(t(2, 3), hx, *w[:2], None, w[3])]
    return Op(name, ref, samples, errors, **LOOSE)


def _lengths(sizes):
    return np.array([np.sum(sizes > b) for b in range(sizes[0])])


def _pack(x, lengths, batch_first):
    x = np.swapaxes(x, 0, 1) if batch_first else x
    sizes = np.array([np.sum(lengths > k) for k in range(lengths[0])])
    return np.concatenate([x[k, :n] for k, n in enumerate(sizes)]), sizes


def _pad(data, sizes, batch_first, value, total):
    out = np.full((max(total, len(sizes)), sizes[0], *data.shape[1:]), value, dtype=data.dtype)
    at = 0
    for k, n in enumerate(sizes):
        out[k, :n] = data[at : at + n]
        at += n
    return np.swapaxes(out, 0, 1) if batch_first else out, _lengths(sizes)


def _pad_sequence(sequences, batch_first=False, value=0.0, side="right"):
    longest = max(len(s) for s in sequences)
    rows = []
    for s in sequences:
        fill = np.full((longest - len(s), *s.shape[1:]), value, dtype=s.dtype)
        rows.append(np.concatenate([fill, s] if side == "left" else [s, fill]))
    return np.stack(rows, axis=0 if batch_first else 1)


LENGTHS = c([4, 3, 1], dtype="int64")
SEQUENCES = [t(3, 2), t(1, 2), t(4, 2)]

OPS = [
    *_layers("lstm"), *_layers("gru"), *_layers("rnn_tanh"), *_layers("rnn_relu"),
    _cell("lstm_cell"), _cell("gru_cell"), _cell("rnn_tanh_cell"), _cell("rnn_relu_cell"),
    Op("_pack_padded_sequence", _pack,
       [S(t(4, 3, 2), LENGTHS, False), S(t(3, 4, 2), LENGTHS, True), S(t(5, 3), LENGTHS, False)],
       [E(RuntimeError, "`lengths` array must be sorted in decreasing order", t(4, 2, 3), c([3, 4], dtype="int64"), False),
        E(RuntimeError, "Length of all samples has to be greater than 0", t(4, 2, 3), c([4, 0], dtype="int64"), False),
        E(RuntimeError, "Expected `len(lengths)` to be equal to batch_size, but got 1 (batch_size=2)",
          t(4, 2, 3), c([4], dtype="int64"), False),
        E(RuntimeError, "'lengths' argument should be a 1D CPU int64 tensor, but got 2D cpu Long tensor",
          t(4, 2, 3), c([[4, 2]], dtype="int64"), False),
        E(RuntimeError, "Expected lengths of at most 4 steps, got 5", t(4, 2, 3), c([5, 4], dtype="int64"), False),
        E(RuntimeError, "Cannot pack empty tensors.", t(4, 0, 3), c([], dtype="int64"), False),
        E(IndexError, "Dimension out of range", t(4), c([4], dtype="int64"), False)], dtypes=REALS),
    Op("_pad_packed_sequence", _pad,
       [S(t(9, 2), SIZES, False, 0.0, 4), S(t(9, 2), SIZES, True, 1.5, 6, _dtypes=FLOATS), S(t(9), SIZES, True, -1, 0)],
       [E(RuntimeError, "Expected total_length to be at least the length of the longest sequence in input, but got "
          "total_length=2 and max sequence length being 4", t(9, 2), SIZES, False, 0.0, 2),
        E(RuntimeError, "too short", t(5, 2), SIZES, False, 0.0, 4),
        E(RuntimeError, "too large", t(9, 2), SIZES, False, 0.0, 1 << 62)], dtypes=REALS, expand=False),
    Op("nn.pad_sequence", _pad_sequence,
       [S(SEQUENCES), S(SEQUENCES, True, 1.5, _dtypes=FLOATS), S([t(3), t(0), t(2)], True, -1.0, "left"), S([t(2, 3)])],
       [E(RuntimeError, "received an empty list of sequences", []),
        E(RuntimeError, "The size of tensor a (2) must match the size of tensor b (3) at non-singleton dimension 1",
          [t(3, 2), t(2, 3)]),
        E(RuntimeError, "Expected padding_side to be one of left or right, but got x.", SEQUENCES, False, 0.0, "x")],
       dtypes=REALS),
]
