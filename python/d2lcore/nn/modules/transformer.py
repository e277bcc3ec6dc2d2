"""The Transformer: layers of attention and feed-forward networks, stacked to encoder and decoder.

Source: Vaswani et al., *Attention Is All You Need*, arXiv:1706.03762; the order of ``norm_first``
is that of Xiong et al., arXiv:2002.04745.
"""

from __future__ import annotations

import d2lcore
from d2lcore import Tensor
from d2lcore.nn import functional as F
from d2lcore.nn import init
from d2lcore.nn._attention import _canonical_mask
from d2lcore.nn.modules.attention import MultiheadAttention
from d2lcore.nn.modules.container import ModuleList
from d2lcore.nn.modules.dropout import Dropout
from d2lcore.nn.modules.linear import Linear
from d2lcore.nn.modules.module import Module
from d2lcore.nn.modules.normalization import LayerNorm

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Activation = str | Callable[[Tensor], Tensor]


def _subsequent_mask(size: int, device: Any = None, dtype: Any = None) -> Tensor:
    full = d2lcore.full((size, size), float("-inf"), dtype=dtype, device=device)
    return d2lcore.triu(full, diagonal=1)


def _copies(layer: Module, count: int) -> ModuleList:
    import copy

    return ModuleList([copy.deepcopy(layer) for _ in range(count)])


def _activation(activation: Activation) -> Callable[[Tensor], Tensor]:
    if not isinstance(activation, str):
        return activation
    if activation not in ("relu", "gelu"):
        raise RuntimeError(f"activation should be relu/gelu, not {activation}")
    return F.relu if activation == "relu" else F.gelu


def _is_causal(mask: Tensor | None, hint: bool | None, x: Tensor, batch_first: bool) -> bool:
    """What the caller says, or whether the mask hides what lies ahead and nothing else."""
    if hint is not None or mask is None:
        return hint is True
    size = x.shape[1 if batch_first and x.dim() == 3 else 0]
    if mask.shape != (size, size) or not mask.is_floating_point():
        return False
    return bool((mask == _subsequent_mask(size, dtype=mask.dtype)).all())


class _Layer(Module):
    """What encoder and decoder layers share: self-attention and the feed-forward network."""

    self_attn: MultiheadAttention
    norm_first: bool

    def _build(
        self,
        attentions: tuple[str, ...],
        d_model: int,
        nhead: int,
        dim_feedforward: int,
        dropout: float,
        layer_norm_eps: float,
        batch_first: bool,
        norm_first: bool,
        bias: bool,
        own: dict[str, Any],
    ) -> None:
        for name in attentions:
            attention = MultiheadAttention(
                d_model, nhead, dropout=dropout, bias=bias, batch_first=batch_first, **own
            )
            setattr(self, name, attention)
        self.linear1 = Linear(d_model, dim_feedforward, bias=bias, **own)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias=bias, **own)
        self.norm_first = norm_first
        count = len(attentions) + 1
        for i in range(1, count + 1):
            setattr(self, f"norm{i}", LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **own))
        for i in range(1, count + 1):
            setattr(self, f"dropout{i}", Dropout(dropout))

    def _attend(
        self, attention: Any, x: Tensor, memory: Tensor, mask: Any, padding: Any, causal: bool
    ) -> Tensor:
        out: Tensor = attention(
            x,
            memory,
            memory,
            attn_mask=mask,
            key_padding_mask=padding,
            need_weights=False,
            is_causal=causal,
        )[0]
        return out

    def _feed_forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.linear2(self.dropout(self.activation(self.linear1(x))))
        return out


class TransformerEncoderLayer(_Layer):
    """Self-attention, then a feed-forward network, each with a residual path and a normalisation.

    Args:
        d_model: width of the input.
        nhead: number of heads.
        dim_feedforward: width inside the feed-forward network.
        dropout: probability of dropping, in training.
        activation: ``"relu"``, ``"gelu"`` or a function.
        layer_norm_eps: eps of the normalisations.
        batch_first: inputs are (N, L, E) and not (L, N, E).
        norm_first: normalises before each part, and not after it.
        bias: whether linear layers and normalisations have biases.
        device, dtype: of the parameters.

    Example::

        >>> torch.nn.TransformerEncoderLayer(8, 2)(torch.ones(5, 3, 8)).shape
        torch.Size([5, 3, 8])
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = F.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self._build(
            ("self_attn",), d_model, nhead, dim_feedforward, dropout, layer_norm_eps, batch_first,
            norm_first, bias, {"device": device, "dtype": dtype},
        )  # fmt: skip
        self.activation = _activation(activation)

    def forward(
        self,
        src: Tensor,
        src_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool = False,
    ) -> Tensor:
        """Returns the encoded sequence; masks are those of `MultiheadAttention`."""
        other = None if src_mask is None else src_mask.dtype
        padding = _canonical_mask(
            src_key_padding_mask, "src_key_padding_mask", other, "src_mask", src.dtype
        )
        mask = _canonical_mask(src_mask, "src_mask", None, "", src.dtype, False)

        def attend(x: Tensor) -> Tensor:
            out = self._attend(self.self_attn, x, x, mask, padding, is_causal)
            dropped: Tensor = self.dropout1(out)
            return dropped

        x = src
        if self.norm_first:
            x = x + attend(self.norm1(x))
            out: Tensor = x + self.dropout2(self._feed_forward(self.norm2(x)))
            return out
        x = self.norm1(x + attend(x))
        out = self.norm2(x + self.dropout2(self._feed_forward(x)))
        return out


class TransformerDecoderLayer(_Layer):
    """`TransformerEncoderLayer` with attention to a memory between its two parts.

    The arguments are those of `TransformerEncoderLayer`.

    Example::

        >>> layer = torch.nn.TransformerDecoderLayer(8, 2)
        >>> layer(torch.ones(4, 3, 8), torch.ones(5, 3, 8)).shape
        torch.Size([4, 3, 8])
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = F.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self._build(
            ("self_attn", "multihead_attn"), d_model, nhead, dim_feedforward, dropout,
            layer_norm_eps, batch_first, norm_first, bias, {"device": device, "dtype": dtype},
        )  # fmt: skip
        self.activation = _activation(activation)

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """Returns the decoded sequence; masks are those of `MultiheadAttention`."""

        def own(x: Tensor) -> Tensor:
            out: Tensor = self.dropout1(
                self._attend(self.self_attn, x, x, tgt_mask, tgt_key_padding_mask, tgt_is_causal)
            )
            return out

        def other(x: Tensor) -> Tensor:
            attention, padding = self.multihead_attn, memory_key_padding_mask
            out: Tensor = self.dropout2(
                self._attend(attention, x, memory, memory_mask, padding, memory_is_causal)
            )
            return out

        x = tgt
        if self.norm_first:
            x = x + own(self.norm1(x))
            x = x + other(self.norm2(x))
            out: Tensor = x + self.dropout3(self._feed_forward(self.norm3(x)))
            return out
        x = self.norm1(x + own(x))
        x = self.norm2(x + other(x))
        out = self.norm3(x + self.dropout3(self._feed_forward(x)))
        return out


class TransformerEncoder(Module):
    """A stack of copies of an encoder layer.

    Args:
        encoder_layer: a `TransformerEncoderLayer`.
        num_layers: how many copies.
        norm: a normalisation of the output, or None.
        enable_nested_tensor, mask_check: accepted; there are no nested tensors here.

    Example::

        >>> layer = torch.nn.TransformerEncoderLayer(8, 2)
        >>> torch.nn.TransformerEncoder(layer, 2)(torch.ones(5, 3, 8)).shape
        torch.Size([5, 3, 8])
    """

    def __init__(
        self,
        encoder_layer: TransformerEncoderLayer,
        num_layers: int,
        norm: Module | None = None,
        enable_nested_tensor: bool = True,
        mask_check: bool = True,
    ) -> None:
        super().__init__()
        self.layers = _copies(encoder_layer, num_layers)
        self.num_layers = num_layers
        self.norm = norm
        self.enable_nested_tensor = enable_nested_tensor
        self.use_nested_tensor = False
        self.mask_check = mask_check

    def forward(
        self,
        src: Tensor,
        mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool | None = None,
    ) -> Tensor:
        """Returns the encoded sequence; ``is_causal`` None looks whether the mask is causal."""
        other = None if mask is None else mask.dtype
        padding = _canonical_mask(
            src_key_padding_mask, "src_key_padding_mask", other, "mask", src.dtype
        )
        mask = _canonical_mask(mask, "mask", None, "", src.dtype, False)
        first: Any = self.layers[0]
        causal = _is_causal(mask, is_causal, src, first.self_attn.batch_first)
        out = src
        for layer in self.layers:
            out = layer(out, src_mask=mask, is_causal=causal, src_key_padding_mask=padding)
        return out if self.norm is None else self.norm(out)


class TransformerDecoder(Module):
    """A stack of copies of a decoder layer.

    Args:
        decoder_layer: a `TransformerDecoderLayer`.
        num_layers: how many copies.
        norm: a normalisation of the output, or None.

    Example::

        >>> layer = torch.nn.TransformerDecoderLayer(8, 2)
        >>> torch.nn.TransformerDecoder(layer, 2)(torch.ones(4, 3, 8), torch.ones(5, 3, 8)).shape
        torch.Size([4, 3, 8])
    """

    def __init__(
        self, decoder_layer: TransformerDecoderLayer, num_layers: int, norm: Module | None = None
    ) -> None:
        super().__init__()
        self.layers = _copies(decoder_layer, num_layers)
        self.num_layers = num_layers
        self.norm = norm

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """Returns the decoded sequence; ``tgt_is_causal`` None looks whether the mask is causal."""
        first: Any = self.layers[0]
        causal = _is_causal(tgt_mask, tgt_is_causal, tgt, first.self_attn.batch_first)
        out = tgt
        for layer in self.layers:
            out = layer(
                out,
                memory,
                tgt_mask=tgt_mask,
                memory_mask=memory_mask,
                tgt_key_padding_mask=tgt_key_padding_mask,
                memory_key_padding_mask=memory_key_padding_mask,
                tgt_is_causal=causal,
                memory_is_causal=memory_is_causal,
            )
        return out if self.norm is None else self.norm(out)


class Transformer(Module):
    """An encoder and a decoder.

    Args:
        d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first,
            norm_first, bias, device, dtype: as in `TransformerEncoderLayer`.
        num_encoder_layers, num_decoder_layers: how many layers each stack has.
        custom_encoder, custom_decoder: modules to take in their place.

    Example::

        >>> model = torch.nn.Transformer(8, 2, 1, 1)
        >>> model(torch.ones(5, 3, 8), torch.ones(4, 3, 8)).shape
        torch.Size([4, 3, 8])
    """

    def __init__(
        self,
        d_model: int = 512,
        nhead: int = 8,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = F.relu,
        custom_encoder: Module | None = None,
        custom_decoder: Module | None = None,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        own = {"device": device, "dtype": dtype}
        shared: Any = (
            d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first,
            norm_first, bias, device, dtype,
        )  # fmt: skip
        self.encoder: Module
        self.decoder: Module
        if custom_encoder is not None:
            self.encoder = custom_encoder
        else:
            layer = TransformerEncoderLayer(*shared)
            norm = LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **own)
            self.encoder = TransformerEncoder(layer, num_encoder_layers, norm)
        if custom_decoder is not None:
            self.decoder = custom_decoder
        else:
            other = TransformerDecoderLayer(*shared)
            norm = LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **own)
            self.decoder = TransformerDecoder(other, num_decoder_layers, norm)
        for p in self.parameters():
            if p.dim() > 1:
                init.xavier_uniform_(p)
        self.d_model = d_model
        self.nhead = nhead
        self.batch_first = batch_first

    def forward(
        self,
        src: Tensor,
        tgt: Tensor,
        src_mask: Tensor | None = None,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        src_is_causal: bool | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """Returns the decoded target sequence."""
        batch = 0 if self.batch_first else 1
        if src.dim() == 3 and src.size(batch) != tgt.size(batch):
            raise RuntimeError("the batch number of src and tgt must be equal")
        if src.size(-1) != self.d_model or tgt.size(-1) != self.d_model:
            raise RuntimeError("the feature number of src and tgt must be equal to d_model")
        memory = self.encoder(
            src,
            mask=src_mask,
            src_key_padding_mask=src_key_padding_mask,
            is_causal=src_is_causal,
        )
        out: Tensor = self.decoder(
            tgt,
            memory,
            tgt_mask=tgt_mask,
            memory_mask=memory_mask,
            tgt_key_padding_mask=tgt_key_padding_mask,
            memory_key_padding_mask=memory_key_padding_mask,
            tgt_is_causal=tgt_is_causal,
            memory_is_causal=memory_is_causal,
        )
        return out

    @staticmethod
    def generate_square_subsequent_mask(sz: int, device: Any = None, dtype: Any = None) -> Tensor:
        """A (sz, sz) mask to add: -inf above the diagonal, so that nothing looks ahead."""
        return _subsequent_mask(sz, device, dtype)
