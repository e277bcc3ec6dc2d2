"""Recurrent layers and cells: values recorded from PyTorch 2.13, packed sequences, errors."""

from __future__ import annotations

import copy
import pickle
import re

import d2lcore as torch
import numpy as np
import pytest
from d2lcore import nn
from d2lcore.nn.utils import rnn as rnn_utils

# (layer, options, packed), and what `features` of it are in PyTorch.
CASES = [
    (
        "RNN",
        {},
        False,
        [
            -0.5211641552,
            -0.4038260623,
            17.6425900192,
            3.9253294458,
            15.092771312,
            15.5590091405,
            21.4100932745,
        ],
    ),
    (
        "RNN",
        {"nonlinearity": "relu", "num_layers": 2, "bidirectional": True},
        True,
        [
            0.5346844637,
            0.0,
            48.7689153272,
            3.3506241972,
            18.6220869338,
            16.7187527549,
            32.9515642373,
        ],
    ),
    (
        "LSTM",
        {},
        False,
        [
            0.1136697107,
            0.1077886839,
            11.2327168996,
            4.0793754813,
            15.8117398189,
            6.7300391186,
            23.9986103128,
        ],
    ),
    (
        "LSTM",
        {"num_layers": 2, "bidirectional": True, "batch_first": True},
        True,
        [
            0.0699898986,
            0.0674928589,
            17.8355393277,
            4.6672706825,
            27.0458195155,
            5.7587094489,
            22.4444896096,
        ],
    ),
    (
        "LSTM",
        {"num_layers": 3, "dropout": 0.4},
        False,
        [
            0.0380912246,
            -0.0757183153,
            -18.9205114099,
            3.7185933265,
            12.7140884887,
            7.6607525439,
            39.5790311372,
        ],
    ),
    (
        "LSTM",
        {"proj_size": 3, "num_layers": 2, "bias": False},
        False,
        [
            -0.0053024038,
            0.0055221473,
            -1.574998247,
            3.0213916604,
            11.4995097224,
            1.1281698232,
            0.090681973,
        ],
    ),
    (
        "LSTM",
        {"proj_size": 2, "bidirectional": True},
        True,
        [
            -0.0244689652,
            -0.0101204521,
            -3.4427234328,
            4.4128457199,
            10.3029358114,
            1.1430226826,
            1.9157353661,
        ],
    ),
    (
        "GRU",
        {},
        False,
        [
            -0.1414493359,
            0.4491631958,
            1.2320870236,
            1.9884653732,
            14.6440774794,
            2.867391801,
            3.8502769833,
        ],
    ),
    (
        "GRU",
        {"num_layers": 2, "bidirectional": True, "bias": False},
        True,
        [
            0.037317624,
            0.0272094736,
            2.4694300703,
            3.4003344205,
            14.3581011259,
            1.5286280167,
            0.5645483032,
        ],
    ),
    (
        "GRU",
        {"num_layers": 2, "dropout": 0.5, "batch_first": True},
        True,
        [
            -0.1766470525,
            0.6011585715,
            0.0151204534,
            1.8711952676,
            8.8836269792,
            2.0782101915,
            6.4516792566,
        ],
    ),
]


def features(kind, options, packed):
    """Numbers that tell of the values and of the gradients."""
    torch.manual_seed(5)
    layer = getattr(nn, kind)(4, 6, dtype=torch.float64, **options)
    x = torch.randn(5, 3, 4, dtype=torch.float64, requires_grad=True)
    first = options.get("batch_first", False)
    data = x.transpose(0, 1) if first else x
    if packed:
        data = nn.utils.rnn.pack_padded_sequence(data, [2, 5, 4], first, enforce_sorted=False)
    out, states = layer(data)
    if packed:
        out, _ = nn.utils.rnn.pad_packed_sequence(out, first)
    states = states if isinstance(states, tuple) else (states,)
    loss = (out**2).sum() + sum((i + 2) * s.sum() for i, s in enumerate(states))
    loss.backward()
    weights = list(layer.parameters())
    grads = [x.grad, weights[0].grad, weights[1].grad, weights[-1].grad]
    return [
        out[1, 2, 0].item(),
        states[0][-1, -1, -1].item(),
        loss.item(),
        *(g.norm().item() for g in grads),
    ]


@pytest.mark.parametrize(("kind", "options", "packed", "expected"), CASES)
def test_values_and_gradients_from_the_same_seed(kind, options, packed, expected):
    assert features(kind, options, packed) == pytest.approx(expected, rel=1e-9, abs=1e-9)


def layers():
    return [
        nn.RNN(3, 4, 2, "relu", False, True, 0.5, True),
        nn.LSTM(3, 4, 2, proj_size=2, dropout=0.25),
        nn.GRU(3, 4, bias=False),
        nn.RNNCell(3, 4, False, "relu"),
        nn.LSTMCell(3, 4),
    ]


def test_repr_and_names():
    assert [repr(layer) for layer in layers()] == [
        "RNN(3, 4, num_layers=2, bias=False, batch_first=True, dropout=0.5, bidirectional=True)",
        "LSTM(3, 4, proj_size=2, num_layers=2, dropout=0.25)",
        "GRU(3, 4, bias=False)",
        "RNNCell(3, 4, bias=False, nonlinearity=relu)",
        "LSTMCell(3, 4)",
    ]
    names = [list(layer.state_dict()) for layer in layers()]
    assert names[0][:4] == [
        *("weight_ih_l0", "weight_hh_l0", "weight_ih_l0_reverse", "weight_hh_l0_reverse"),
    ]
    assert names[1][:5] == [
        *("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0", "weight_hr_l0"),
    ]
    assert names[3] == ["weight_ih", "weight_hh"]
    gru = nn.GRU(3, 4, bidirectional=True)
    assert gru._flat_weights_names == list(gru.state_dict())
    assert [len(part) for part in gru.all_weights] == [4, 4]
    assert all(a is b for a, b in zip(gru._flat_weights, gru.parameters()))
    gru.flatten_parameters()


def test_printed_states_name_pytorchs_nodes():
    torch.manual_seed(0)
    out, (h, c) = nn.LSTM(2, 3)(torch.ones(1, 1, 2))
    assert repr(out) == (
        "tensor([[[-0.2693, -0.1240,  0.0744]]], grad_fn=<MkldnnRnnLayerBackward0>)"
    )
    assert repr(h).endswith("grad_fn=<StackBackward0>)")
    assert c.shape == (1, 1, 3)


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
@pytest.mark.parametrize("both", [False, True])
def test_a_packed_batch_gives_what_each_sequence_gives_alone(kind, both):
    torch.manual_seed(1)
    layer = getattr(nn, kind)(3, 5, num_layers=2, bidirectional=both, dtype=torch.float64)
    sequences = [torch.randn(n, 3, dtype=torch.float64) for n in (2, 6, 1, 4)]
    packed = rnn_utils.pack_sequence(sequences, enforce_sorted=False)
    out, states = layer(packed)
    assert isinstance(out, rnn_utils.PackedSequence)
    parts = rnn_utils.unpack_sequence(out)
    for k, sequence in enumerate(sequences):
        alone, last = layer(sequence)
        assert torch.allclose(parts[k], alone, rtol=1e-12, atol=1e-12)
        for state, own in zip(*((s if kind == "LSTM" else (s,)) for s in (states, last))):
            assert torch.allclose(state[:, k], own, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_a_layer_is_its_cell_step_by_step(kind):
    torch.manual_seed(2)
    layer = getattr(nn, kind)(3, 4)
    cell = getattr(nn, kind + "Cell")(3, 4)
    cell.load_state_dict({k.removesuffix("_l0"): v for k, v in layer.state_dict().items()})
    x, state, outs = torch.randn(6, 2, 3), None, []
    for step in x:
        state = cell(step, state)
        outs.append(state[0] if kind == "LSTM" else state)
    out, _ = layer(x)
    assert torch.allclose(out, torch.stack(outs), atol=1e-6)
    first, rest = layer(x[:2])
    second, _ = layer(x[2:], rest)
    assert torch.allclose(out, torch.cat([first, second]), atol=1e-6)


def test_without_gradients_nothing_changes():
    torch.manual_seed(3)
    for kind, options in (("RNN", {}), ("LSTM", {"proj_size": 2}), ("GRU", {})):
        layer = getattr(nn, kind)(20, 40, 2, bidirectional=True, **options)
        x = torch.randn(5, 7, 20)
        with torch.no_grad():
            quiet, _ = layer(x)
        assert torch.equal(layer(x)[0], quiet)


def test_large_layers_are_the_same_for_every_number_of_threads():
    torch.manual_seed(4)
    layer, x = nn.LSTM(64, 96), torch.randn(4, 300, 64)
    before, results = torch.get_num_threads(), []
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            layer.zero_grad()
            out, (_, c) = layer(x)
            (out.sum() + c.square().sum()).backward()
            results.append([out, c, layer.weight_hh_l0.grad, layer.bias_ih_l0.grad])
    finally:
        torch.set_num_threads(before)
    for other in results[1:]:
        assert all(torch.equal(a, b) for a, b in zip(results[0], other))


def test_large_steps_match_numpy():
    rng = np.random.default_rng(0)
    x, h, c = (rng.normal(size=(600, n)) for n in (30, 40, 40))
    cell = nn.LSTMCell(30, 40, dtype=torch.float64)
    w_ih, w_hh, b_ih, b_hh = (p.detach().numpy() for p in cell.parameters())
    i, f, g, o = np.split(x @ w_ih.T + b_ih + h @ w_hh.T + b_hh, 4, axis=1)
    i, f, o = (1 / (1 + np.exp(-v)) for v in (i, f, o))
    c2 = f * c + i * np.tanh(g)
    found = cell(torch.from_numpy(x), (torch.from_numpy(h), torch.from_numpy(c)))
    np.testing.assert_allclose(found[1].detach().numpy(), c2, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(found[0].detach().numpy(), o * np.tanh(c2), rtol=1e-12, atol=1e-15)


def test_backward_twice_and_with_parts_of_the_results():
    torch.manual_seed(5)
    layer, x = nn.LSTM(3, 4), torch.randn(4, 2, 3, requires_grad=True)
    out, (h, c) = layer(x)
    out.sum().backward(retain_graph=True)
    first = x.grad.clone()
    x.grad = None
    out.sum().backward(retain_graph=True)
    assert torch.equal(x.grad, first)
    for part in (h, c):
        x.grad = None
        part.sum().backward(retain_graph=True)
        assert x.grad.abs().sum() > 0
    frozen = nn.GRU(3, 4).requires_grad_(False)
    frozen(x)[0].sum().backward()
    assert frozen.weight_ih_l0.grad is None
    with torch.no_grad():
        layer.weight_hh_l0.mul_(2.0)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        out.sum().backward()


def test_half_precision_is_computed_in_float32():
    torch.manual_seed(6)
    layer = nn.GRU(8, 8)
    x = torch.randn(3, 2, 8)
    want, _ = layer(x)
    for dtype in (torch.bfloat16, torch.float16):
        half = copy.deepcopy(layer).to(dtype)
        out, h = half(x.to(dtype))
        assert out.dtype == h.dtype == dtype
        out.sum().backward()
        assert half.weight_ih_l0.grad.dtype == dtype
        assert torch.allclose(out.float(), want, atol=0.02)


def test_dropout_between_layers_follows_training():
    torch.manual_seed(7)
    layer, x = nn.LSTM(3, 4, 2, dropout=1.0), torch.randn(5, 2, 3)
    assert not torch.equal(layer(x)[0], layer.eval()(x)[0])
    alone = nn.LSTM(4, 4)
    alone.load_state_dict(
        {k: layer.state_dict()[k.replace("l0", "l1")] for k in alone.state_dict()}
    )
    layer.train()
    assert torch.allclose(layer(x)[0], alone(torch.zeros(5, 2, 4))[0], atol=1e-6)
    with pytest.warns(UserWarning, match="dropout option adds dropout after all but last"):
        nn.GRU(3, 4, dropout=0.5)


def test_copies_dtypes_and_replaced_weights():
    layer, x = nn.LSTM(3, 4), torch.ones(2, 1, 3)
    want = layer(x)[0]
    for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert torch.equal(twin(x)[0], want)
        assert twin._flat_weights[0] is twin.weight_ih_l0
        assert twin.weight_ih_l0 is not layer.weight_ih_l0
    assert layer.double()(x.double())[0].dtype == torch.float64
    layer.float()
    layer.weight_ih_l0 = nn.Parameter(torch.zeros(16, 3))
    assert layer._flat_weights[0] is layer.weight_ih_l0
    assert torch.equal(layer(x)[0], layer(x * 5)[0])


def test_empty_batches():
    for kind in ("RNN", "LSTM", "GRU"):
        layer = getattr(nn, kind)(3, 4, bidirectional=True)
        x = torch.zeros(2, 0, 3, requires_grad=True)
        out, _ = layer(x)
        assert out.shape == (2, 0, 8)
        out.sum().backward()
        assert x.grad.shape == x.shape
        assert layer.weight_ih_l0.grad.abs().sum() == 0


def test_packed_sequences():
    packed = rnn_utils.pack_sequence([torch.zeros(2), torch.ones(3)], enforce_sorted=False)
    assert repr(packed) == (
        "PackedSequence(data=tensor([1., 0., 1., 0., 1.]), batch_sizes=tensor([2, 2, 1]), "
        "sorted_indices=tensor([1, 0]), unsorted_indices=tensor([1, 0]))"
    )
    assert packed.double().data.dtype == torch.float64
    assert packed.to(torch.float32) is packed
    assert packed.cpu() is packed
    assert not packed.is_cuda
    assert packed.long().int().data.dtype == torch.int32
    padded, lengths = rnn_utils.pad_packed_sequence(packed, True, -1.0, total_length=4)
    assert padded.tolist() == [[0.0, 0.0, -1.0, -1.0], [1.0, 1.0, 1.0, -1.0]]
    assert lengths.tolist() == [2, 3]
    old = rnn_utils.PackedSequence((packed.data, packed.batch_sizes))
    assert old.sorted_indices is None
    batch = torch.arange(6.0).reshape(3, 2)
    assert [s.tolist() for s in rnn_utils.unpad_sequence(batch, torch.tensor([3, 1]))] == [
        [0.0, 2.0, 4.0],
        [1.0],
    ]
    assert batch.shape == (3, 2)
    assert rnn_utils.invert_permutation(None) is None
    assert rnn_utils.pad_sequence(torch.ones(2, 3)).shape == (3, 2)


def z(*shape):
    return torch.zeros(*shape)


ERRORS = [
    (lambda: nn.RNN(3, 4, nonlinearity="x"), ValueError, "Unknown nonlinearity 'x'. Select from"),
    (lambda: nn.GRU(3, 4, proj_size=2), ValueError, "proj_size argument is only supported for"),
    (lambda: nn.LSTM(3, 4, proj_size=4), ValueError, "proj_size has to be smaller than hidden_"),
    (lambda: nn.LSTM(3, 4, proj_size=-1), ValueError, "proj_size should be a positive integer"),
    (lambda: nn.LSTM(0, 4), ValueError, "input_size must be greater than zero"),
    (lambda: nn.LSTM(3, 0), ValueError, "hidden_size must be greater than zero"),
    (lambda: nn.LSTM(3.0, 4), TypeError, "input_size should be of type int, got: float"),
    (lambda: nn.LSTM(3, 4, 0), ValueError, "num_layers must be greater than zero"),
    (lambda: nn.LSTM(3, 4, dropout=2), ValueError, "dropout should be a number in range [0, 1]"),
    (lambda: nn.LSTM(3, 4, dropout=True), ValueError, "dropout should be a number in range"),
    (lambda: nn.LSTM(3, 4, bias=1), TypeError, "bias should be of type bool, got: int"),
    (lambda: nn.RNN(3, 4)(z(2)), ValueError, "RNN: Expected input to be 2D or 3D, got 1D tensor"),
    (lambda: nn.LSTM(3, 4)(z(1, 2, 3, 4)), ValueError, "LSTM: Expected input to be 2D or 3D, got"),
    (
        lambda: nn.LSTM(3, 4)(z(5, 2, 4)),
        RuntimeError,
        "input.size(-1) must be equal to input_size. Expected 3, got 4",
    ),
    (
        lambda: nn.GRU(3, 4)(z(5, 2, 3).double()),
        ValueError,
        "RNN input dtype (torch.float64) does not match weight dtype (torch.float32). Convert",
    ),
    (
        lambda: nn.RNN(3, 4)(z(5, 2, 3), z(1, 3, 4)),
        RuntimeError,
        "Expected hidden size (1, 2, 4), got [1, 3, 4]",
    ),
    (
        lambda: nn.LSTM(3, 4)(z(5, 2, 3), (z(1, 2, 4), z(1, 3, 4))),
        RuntimeError,
        "Expected hidden[1] size (1, 2, 4), got [1, 3, 4]",
    ),
    (
        lambda: nn.LSTM(3, 4)(z(5, 2, 3), (z(2, 4), z(2, 4))),
        RuntimeError,
        "For batched 3-D input, hx and cx should also be 3-D but got (2-D, 2-D) tensors",
    ),
    (
        lambda: nn.GRU(3, 4)(z(5, 3), z(1, 1, 4)),
        RuntimeError,
        "For unbatched 2-D input, hx should also be 2-D but got 3-D tensor",
    ),
    (lambda: nn.GRU(3, 4)(z(0, 2, 3)), RuntimeError, "Expected sequence length to be larger than"),
    (lambda: nn.RNNCell(3, 4)(z(2, 2, 3)), ValueError, "RNNCell: Expected input to be 1D or 2D"),
    (
        lambda: nn.LSTMCell(3, 4)(z(2, 3), (z(2, 4), z(1, 2, 4))),
        ValueError,
        "LSTMCell: Expected hx[1] to be 1D or 2D, got 3D instead",
    ),
    (
        lambda: nn.GRUCell(3, 4)(z(2, 3), z(1, 1, 1)),
        ValueError,
        "GRUCell: Expected hidden to be 1D or 2D, got 3D instead",
    ),
    (
        lambda: nn.RNNCell(3, 4, nonlinearity="x")(z(2, 3)),
        RuntimeError,
        "Unknown nonlinearity: x",
    ),
    (lambda: rnn_utils.pad_sequence(3), RuntimeError, "Expected iterable for input sequences"),
    (lambda: rnn_utils.PackedSequence(z(2)), AssertionError, "a list or tuple of length 2"),
    (
        lambda: rnn_utils.pad_packed_sequence(rnn_utils.pack_sequence([z(3)]), total_length=2),
        ValueError,
        "got total_length=2 and max sequence length being 3",
    ),
    (
        lambda: rnn_utils.pack_sequence([z(2), z(3)]),
        RuntimeError,
        "`lengths` array must be sorted in decreasing order when `enforce_sorted` is True.",
    ),
]


@pytest.mark.parametrize(("act", "kind", "text"), ERRORS)
def test_errors(act, kind, text):
    with pytest.raises(kind, match=re.escape(text)):
        act()


def test_shapes_without_a_batch():
    out, h = nn.GRU(3, 4, 2, bidirectional=True)(z(5, 3))
    assert (out.shape, h.shape) == ((5, 8), (4, 4))
    out, (h, c) = nn.LSTM(3, 4, proj_size=2)(z(5, 3), (z(1, 2), z(1, 4)))
    assert (out.shape, h.shape, c.shape) == ((5, 2), (1, 2), (1, 4))
    h, c = nn.LSTMCell(3, 4)(z(3), (z(4), z(4)))
    assert h.shape == c.shape == (4,)
    assert nn.RNNCell(3, 4)(z(3)).shape == (4,)
    out, _ = nn.GRU(3, 4, batch_first=True)(z(2, 5, 3))
    assert out.shape == (2, 5, 4)
    assert out.stride() == (4, 8, 1)
