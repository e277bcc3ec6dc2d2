"""Recurrent layers `RNN`, `LSTM`, `GRU`, and single steps `RNNCell`, `LSTMCell`, `GRUCell`.

The idea: parameters are named and ordered as PyTorch's and handed as a list to one op that runs
all layers; everything here is about shapes.
"""

from __future__ import annotations

import math
import warnings

import d2lcore
from d2lcore import Tensor
from d2lcore.nn import init
from d2lcore.nn.modules.module import Module
from d2lcore.nn.parameter import Parameter
from d2lcore.nn.utils.rnn import PackedSequence

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Shape = tuple[int, ...]

_GATES = {"LSTM": 4, "GRU": 3, "RNN_TANH": 1, "RNN_RELU": 1}


def _draw(module: Module, hidden_size: int) -> None:
    """Draws every parameter from ``(-1/sqrt(hidden_size), 1/sqrt(hidden_size))``."""
    bound = 1.0 / math.sqrt(hidden_size) if hidden_size > 0 else 0
    for weight in module.parameters():
        init.uniform_(weight, -bound, bound)


class RNNBase(Module):
    """What the recurrent layers share; not to be used itself.

    ``weight_ih_l0``, ``weight_hh_l0``, ``bias_ih_l0``, ``bias_hh_l0`` (and ``weight_hr_l0`` of a
    projection) are the parameters of the first layer, ``..._l0_reverse`` those of its other
    direction.
    """

    def __init__(
        self,
        mode: str,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        _check_dropout(dropout, num_layers)
        for name, value, kind in (
            ("bias", bias, bool),
            ("batch_first", batch_first, bool),
            ("input_size", input_size, int),
            ("hidden_size", hidden_size, int),
        ):
            if not isinstance(value, kind):
                raise TypeError(
                    f"{name} should be of type {kind.__name__}, got: {type(value).__name__}"
                )
            if kind is int and value <= 0:
                raise ValueError(f"{name} must be greater than zero")
        if num_layers <= 0:
            raise ValueError("num_layers must be greater than zero")
        if proj_size < 0:
            raise ValueError(
                "proj_size should be a positive integer or zero to disable projections"
            )
        if proj_size >= hidden_size:
            raise ValueError("proj_size has to be smaller than hidden_size")
        if mode not in _GATES:
            raise ValueError("Unrecognized RNN mode: " + mode)
        self.mode = mode
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = float(dropout)
        self.bidirectional = bidirectional
        self.proj_size = proj_size
        self._all_weights: list[list[str]] = []
        for layer in range(num_layers):
            for suffix in ("", "_reverse")[: 1 + bool(bidirectional)]:
                shapes = self._shapes(layer)
                names = [f"{name}_l{layer}{suffix}" for name in shapes]
                for name, shape in zip(names, shapes.values(), strict=True):
                    weight = d2lcore.empty(shape, device=device, dtype=dtype)
                    setattr(self, name, Parameter(weight))
                self._all_weights.append(names)
        self._flat_weights_names = [name for names in self._all_weights for name in names]
        self.reset_parameters()

    def _shapes(self, layer: int) -> dict[str, Shape]:
        """The parameters of one direction of a layer."""
        state = self.proj_size or self.hidden_size
        gates = _GATES[self.mode] * self.hidden_size
        size = self.input_size if layer == 0 else state * (1 + bool(self.bidirectional))
        shapes: dict[str, Shape] = {"weight_ih": (gates, size), "weight_hh": (gates, state)}
        if self.bias:
            shapes.update(bias_ih=(gates,), bias_hh=(gates,))
        if self.proj_size > 0:
            shapes["weight_hr"] = (self.proj_size, self.hidden_size)
        return shapes

    @property
    def _flat_weights(self) -> list[Any]:
        params = self._parameters
        return [
            params[name] if name in params else getattr(self, name, None)
            for name in self._flat_weights_names
        ]

    @property
    def all_weights(self) -> list[list[Parameter]]:
        """The parameters of each layer and direction."""
        return [[getattr(self, name) for name in names] for names in self._all_weights]

    def flatten_parameters(self) -> None:
        """Does nothing: that parameters lie in one block helps GPUs only."""

    def reset_parameters(self) -> None:
        """Draws all parameters from ``(-1/sqrt(hidden_size), 1/sqrt(hidden_size))``."""
        _draw(self, self.hidden_size)

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}"
        usual = {
            "proj_size": 0,
            "num_layers": 1,
            "bias": True,
            "batch_first": False,
            "dropout": 0,
            "bidirectional": False,
        }
        for name, value in usual.items():
            if getattr(self, name) != value:
                text += f", {name}={getattr(self, name)}"
        return text

    # ------------------------------------------------------------------ checks

    def check_input(self, input: Tensor, batch_sizes: Tensor | None) -> None:
        """Raises ValueError for another dtype, RuntimeError for another size than the layer's."""
        dtype = self._flat_weights[0].dtype
        if input.dtype != dtype:
            raise ValueError(
                f"RNN input dtype ({input.dtype}) does not match weight dtype ({dtype}). Convert "
                f"input: input.to({dtype}), or convert model: model.to({input.dtype})"
            )
        expected = 3 if batch_sizes is None else 2
        if input.dim() != expected:
            raise RuntimeError(f"input must have {expected} dimensions, got {input.dim()}")
        if self.input_size != input.size(-1):
            raise RuntimeError(
                "input.size(-1) must be equal to input_size. Expected "
                f"{self.input_size}, got {input.size(-1)}"
            )

    def get_expected_hidden_size(self, input: Tensor, batch_sizes: Tensor | None) -> Shape:
        """The shape of the first states."""
        return self._state_shape(self._batch(input, batch_sizes), self.proj_size)

    def _batch(self, input: Tensor, batch_sizes: Tensor | None) -> int:
        if batch_sizes is not None:
            return int(batch_sizes[0])
        return input.size(0 if self.batch_first else 1)

    def _state_shape(self, batch: int, proj_size: int) -> Shape:
        layers = self.num_layers * (1 + bool(self.bidirectional))
        return layers, batch, proj_size or self.hidden_size

    def check_hidden_size(
        self, hx: Tensor, expected_hidden_size: Shape, msg: str = "Expected hidden size {}, got {}"
    ) -> None:
        """Raises RuntimeError for states of another shape."""
        if hx.size() != expected_hidden_size:
            raise RuntimeError(msg.format(expected_hidden_size, list(hx.size())))

    def check_forward_args(self, input: Tensor, hidden: Any, batch_sizes: Tensor | None) -> None:
        """Raises what `check_input` and `check_hidden_size` do."""
        self.check_input(input, batch_sizes)
        self.check_hidden_size(hidden, self.get_expected_hidden_size(input, batch_sizes))

    def permute_hidden(self, hx: Any, permutation: Tensor | None) -> Any:
        """The states of the sequences in another order; the same ones for None."""
        return hx if permutation is None else hx.index_select(1, permutation)

    # ------------------------------------------------------------------ running

    def _zeros(self, input: Tensor, batch: int) -> Any:
        return d2lcore.zeros(self._state_shape(batch, 0), dtype=input.dtype)

    def _check_dims(self, hx: Any, batched: bool) -> None:
        dims = 3 if batched else 2
        if hx.dim() != dims:
            raise RuntimeError(
                f"For {'batched 3' if batched else 'unbatched 2'}-D input, hx should also be "
                f"{dims}-D but got {hx.dim()}-D tensor"
            )

    def _each(self, function: Any, hx: Any) -> Any:
        """A function of the states, which are one tensor, or two of an LSTM."""
        return function(hx)

    def _run(self, hx: Any, *inputs: Any) -> tuple[Tensor, Any]:
        """Calls the op: ``inputs`` are the input, or data and batch sizes."""
        op = getattr(d2lcore, self.mode.lower())
        options = [
            self._flat_weights,
            self.bias,
            self.num_layers,
            self.dropout,
            self.training,
            self.bidirectional,
        ]
        if len(inputs) == 1:
            options.append(self.batch_first)
        output, *states = op(*inputs, hx, *options)
        return output, states[0] if len(states) == 1 else tuple(states)

    def _wrong_input(self, dims: int) -> str:
        return f"{type(self).__name__}: Expected input to be 2D or 3D, got {dims}D instead"

    def forward(self, input: Any, hx: Any = None) -> Any:
        """Returns the states of the last layer in all steps, and the last states of all layers.

        Args:
            input: ``(steps, batch, input_size)``, ``(batch, steps, input_size)`` with
                ``batch_first``, ``(steps, input_size)``, or a packed sequence.
            hx: the first states (default: zeros).
        """
        if isinstance(input, PackedSequence):
            data, batch_sizes, sorted_indices, unsorted_indices = input
            if hx is None:
                hx = self._zeros(data, int(batch_sizes[0]))
            else:
                hx = self.permute_hidden(hx, sorted_indices)
            self.check_forward_args(data, hx, batch_sizes)
            output, hidden = self._run(hx, data, batch_sizes)
            packed = PackedSequence(output, batch_sizes, sorted_indices, unsorted_indices)
            return packed, self.permute_hidden(hidden, unsorted_indices)
        if input.dim() not in (2, 3):
            raise ValueError(self._wrong_input(input.dim()))
        batched = input.dim() == 3
        batch_dim = 0 if self.batch_first else 1
        if not batched:
            input = input.unsqueeze(batch_dim)
        if hx is None:
            hx = self._zeros(input, input.size(batch_dim))
        else:
            self._check_dims(hx, batched)
            if not batched:
                hx = self._each(lambda states: states.unsqueeze(1), hx)
        self.check_forward_args(input, hx, None)
        output, hidden = self._run(hx, input)
        if not batched:
            output = output.squeeze(batch_dim)
            hidden = self._each(lambda states: states.squeeze(1), hidden)
        return output, hidden


def _check_dropout(dropout: Any, num_layers: int) -> None:
    import numbers  # not needed by anyone who only imports the package

    if (
        not isinstance(dropout, numbers.Number)
        or isinstance(dropout, bool)
        or not 0 <= dropout <= 1  # type: ignore[operator]
    ):
        raise ValueError(
            "dropout should be a number in range [0, 1] representing the probability of an "
            "element being zeroed"
        )
    if dropout > 0 and num_layers == 1:  # type: ignore[operator]
        warnings.warn(
            "dropout option adds dropout after all but last recurrent layer, so non-zero dropout "
            f"expects num_layers greater than 1, but got dropout={dropout} and "
            f"num_layers={num_layers}",
            stacklevel=4,
        )


def _refuse_projection(kwargs: dict[str, Any]) -> None:
    if "proj_size" in kwargs:
        raise ValueError("proj_size argument is only supported for LSTM, not RNN or GRU")


class RNN(RNNBase):
    """Recurrent layers: ``h = tanh(w_ih x + b_ih + w_hh h + b_hh)`` in each step.

    Source: Elman, *Finding structure in time*, Cognitive Science 14, 1990.

    Args:
        input_size: elements of an input.
        hidden_size: elements of a state.
        num_layers: each takes the states of the one before (default 1).
        nonlinearity: ``"tanh"`` or ``"relu"`` (default ``"tanh"``).
        bias: whether there are ``b_ih`` and ``b_hh``.
        batch_first: inputs and outputs are ``(batch, steps, size)``.
        dropout: of the states between layers, while training (default 0).
        bidirectional: run the other way as well; the states of both ways are joined.
        device, dtype: of the parameters.

    Shapes: input ``(steps, batch, input_size)``, output ``(steps, batch, directions *
    hidden_size)``, states ``(num_layers * directions, batch, hidden_size)``; without a batch
    dimension if the input has none.  Parameters: see `RNNBase`.

    Raises:
        ValueError, TypeError: an option of a wrong kind or out of its range.

    Example::

        >>> rnn = torch.nn.RNN(10, 20, 2)
        >>> output, h = rnn(torch.ones(5, 3, 10), torch.zeros(2, 3, 20))
        >>> output.shape, h.shape
        (torch.Size([5, 3, 20]), torch.Size([2, 3, 20]))
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        _refuse_projection(kwargs)
        nonlinearity = args[3] if len(args) > 3 else kwargs.pop("nonlinearity", "tanh")
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(
                f"Unknown nonlinearity '{nonlinearity}'. Select from 'tanh' or 'relu'."
            )
        super().__init__("RNN_" + nonlinearity.upper(), *args[:3], *args[4:], **kwargs)
        self.nonlinearity = nonlinearity

    def _wrong_input(self, dims: int) -> str:
        return f"RNN: Expected input to be 2D or 3D, got {dims}D tensor instead"


class LSTM(RNNBase):
    """Layers of long short-term memory.

    In each step, with ``i, f, g, o`` the four parts of ``w_ih x + b_ih + w_hh h + b_hh``::

        c = sigmoid(f) * c + sigmoid(i) * tanh(g)
        h = sigmoid(o) * tanh(c)      # with a projection: w_hr of that

    Source: Hochreiter and Schmidhuber, *Long short-term memory*, Neural Computation 9, 1997;
    projection: Sak, Senior and Beaufays, arXiv:1402.1128.

    Args:
        input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, device,
            dtype: as for `RNN`.
        proj_size: elements of a projected state (default 0: none).

    Shapes: as for `RNN`, with two states ``(h, c)``; projected states have ``proj_size`` elements.

    Raises:
        ValueError, TypeError: an option of a wrong kind or out of its range.

    Example::

        >>> rnn = torch.nn.LSTM(10, 20, 2)
        >>> output, (h, c) = rnn(torch.ones(5, 3, 10))
        >>> output.shape, c.shape
        (torch.Size([5, 3, 20]), torch.Size([2, 3, 20]))
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__("LSTM", *args, **kwargs)

    def get_expected_cell_size(self, input: Tensor, batch_sizes: Tensor | None) -> Shape:
        """The shape of the first cells."""
        return self._state_shape(self._batch(input, batch_sizes), 0)

    def check_forward_args(self, input: Tensor, hidden: Any, batch_sizes: Tensor | None) -> None:
        """Raises what `check_input` and `check_hidden_size` do."""
        self.check_input(input, batch_sizes)
        shapes = (
            self.get_expected_hidden_size(input, batch_sizes),
            self.get_expected_cell_size(input, batch_sizes),
        )
        for i, shape in enumerate(shapes):
            self.check_hidden_size(hidden[i], shape, f"Expected hidden[{i}] size {{}}, got {{}}")

    def permute_hidden(self, hx: Any, permutation: Tensor | None) -> Any:
        """The states of the sequences in another order; the same ones for None."""
        if permutation is None:
            return hx
        return hx[0].index_select(1, permutation), hx[1].index_select(1, permutation)

    def _zeros(self, input: Tensor, batch: int) -> Any:
        h = d2lcore.zeros(self._state_shape(batch, self.proj_size), dtype=input.dtype)
        return h, super()._zeros(input, batch)

    def _check_dims(self, hx: Any, batched: bool) -> None:
        dims = 3 if batched else 2
        if hx[0].dim() != dims or hx[1].dim() != dims:
            raise RuntimeError(
                f"For {'batched 3' if batched else 'unbatched 2'}-D input, hx and cx should also "
                f"be {dims}-D but got ({hx[0].dim()}-D, {hx[1].dim()}-D) tensors"
            )

    def _each(self, function: Any, hx: Any) -> Any:
        return function(hx[0]), function(hx[1])


class GRU(RNNBase):
    """Layers of gated recurrent units.

    In each step, with ``r, z, n`` the parts of ``w_ih x + b_ih`` and ``r', z', n'`` those of
    ``w_hh h + b_hh``::

        n = tanh(n + sigmoid(r + r') * n')
        h = n + sigmoid(z + z') * (h - n)

    Source: Cho et al., *Learning phrase representations using RNN encoder-decoder*,
    arXiv:1406.1078; the reset gate acts after the product, as in PyTorch.

    Args:
        input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, device,
            dtype: as for `RNN`.

    Shapes: as for `RNN`.

    Raises:
        ValueError, TypeError: an option of a wrong kind or out of its range.

    Example::

        >>> rnn = torch.nn.GRU(10, 20, bidirectional=True)
        >>> output, h = rnn(torch.ones(5, 3, 10))
        >>> output.shape, h.shape
        (torch.Size([5, 3, 40]), torch.Size([2, 3, 20]))
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        _refuse_projection(kwargs)
        super().__init__("GRU", *args, **kwargs)


class RNNCellBase(Module):
    """What the cells share; not to be used itself."""

    input_size: int
    hidden_size: int
    bias: bool

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool,
        num_chunks: int,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias
        rows = num_chunks * hidden_size
        shapes: dict[str, Shape]
        shapes = {"weight_ih": (rows, input_size), "weight_hh": (rows, hidden_size)}
        if bias:
            shapes.update(bias_ih=(rows,), bias_hh=(rows,))
        else:
            self.register_parameter("bias_ih", None)
            self.register_parameter("bias_hh", None)
        for name, shape in shapes.items():
            setattr(self, name, Parameter(d2lcore.empty(shape, device=device, dtype=dtype)))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws all parameters from ``(-1/sqrt(hidden_size), 1/sqrt(hidden_size))``."""
        _draw(self, self.hidden_size)

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}"
        if self.bias is not True:
            text += f", bias={self.bias}"
        nonlinearity = getattr(self, "nonlinearity", "tanh")
        return text if nonlinearity == "tanh" else f"{text}, nonlinearity={nonlinearity}"

    def _check_dims(self, tensor: Tensor, what: str) -> None:
        if tensor.dim() not in (1, 2):
            raise ValueError(
                f"{type(self).__name__}: Expected {what} to be 1D or 2D, got {tensor.dim()}D "
                "instead"
            )

    def _step(self, op: Any, input: Tensor, hx: Any) -> Any:
        """Runs the op on a batch; ``hx`` is one tensor, a pair, or None."""
        self._check_dims(input, "input")
        pair = isinstance(self, LSTMCell)
        if hx is not None:
            for i, state in enumerate(hx if pair else (hx,)):
                self._check_dims(state, f"hx[{i}]" if pair else "hidden")
        batched = input.dim() == 2
        if not batched:
            input = input.unsqueeze(0)
        if hx is None:
            zeros = d2lcore.zeros(input.size(0), self.hidden_size, dtype=input.dtype)
            hx = (zeros, zeros) if pair else zeros
        elif not batched:
            hx = tuple(state.unsqueeze(0) for state in hx) if pair else hx.unsqueeze(0)
        result = op(input, hx, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)
        if batched:
            return result
        return tuple(state.squeeze(0) for state in result) if pair else result.squeeze(0)


class RNNCell(RNNCellBase):
    """One step of an `RNN`: ``tanh(w_ih x + b_ih + w_hh h + b_hh)``.

    Args:
        input_size, hidden_size: elements of an input and of a state.
        bias: whether there are ``b_ih`` and ``b_hh``.
        nonlinearity: ``"tanh"`` or ``"relu"`` (default ``"tanh"``).
        device, dtype: of the parameters.

    Shapes: input ``(batch, input_size)``, state ``(batch, hidden_size)``, or both without a batch.

    Example::

        >>> torch.nn.RNNCell(10, 20)(torch.ones(3, 10)).shape
        torch.Size([3, 20])
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 1, device=device, dtype=dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        """Returns the next state; ``hx`` is the old one (default: zeros)."""
        if self.nonlinearity not in ("tanh", "relu"):
            raise RuntimeError(f"Unknown nonlinearity: {self.nonlinearity}")
        op = d2lcore.rnn_tanh_cell if self.nonlinearity == "tanh" else d2lcore.rnn_relu_cell
        return self._step(op, input, hx)  # type: ignore[no-any-return]


class LSTMCell(RNNCellBase):
    """One step of an `LSTM`.

    Args:
        input_size, hidden_size: elements of an input and of a state.
        bias: whether there are ``b_ih`` and ``b_hh``.
        device, dtype: of the parameters.

    Shapes: input ``(batch, input_size)``, states ``(batch, hidden_size)``, or all without a batch.

    Example::

        >>> h, c = torch.nn.LSTMCell(10, 20)(torch.ones(3, 10))
        >>> h.shape, c.shape
        (torch.Size([3, 20]), torch.Size([3, 20]))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 4, device=device, dtype=dtype)

    def forward(
        self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, Tensor]:
        """Returns the next ``(h, c)``; ``hx`` is the old pair (default: zeros)."""
        return self._step(d2lcore.lstm_cell, input, hx)  # type: ignore[no-any-return]


class GRUCell(RNNCellBase):
    """One step of a `GRU`.

    Args:
        input_size, hidden_size: elements of an input and of a state.
        bias: whether there are ``b_ih`` and ``b_hh``.
        device, dtype: of the parameters.

    Shapes: input ``(batch, input_size)``, state ``(batch, hidden_size)``, or both without a batch.

    Example::

        >>> torch.nn.GRUCell(10, 20)(torch.ones(3, 10)).shape
        torch.Size([3, 20])
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 3, device=device, dtype=dtype)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        """Returns the next state; ``hx`` is the old one (default: zeros)."""
        return self._step(d2lcore.gru_cell, input, hx)  # type: ignore[no-any-return]
