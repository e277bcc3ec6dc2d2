"""Attention of several heads: projections, masks and heads around the attention of one."""

from __future__ import annotations

import math

from d2lcore import _C

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from d2lcore._C import Tensor


def _require(ok: bool, text: str) -> None:
    if not ok:
        raise AssertionError(text)


def _canonical_mask(
    mask: Tensor | None,
    mask_name: str,
    other_type: Any,
    other_name: str,
    target_type: Any,
    check_other: bool = True,
) -> Tensor | None:
    """A mask to add: -inf where a bool mask is set."""
    if mask is None:
        return None
    floating = mask.is_floating_point()
    _require(
        mask.dtype == _C.bool or floating,
        f"only bool and floating types of {mask_name} are supported",
    )
    if check_other and other_type is not None and mask.dtype != other_type:
        import warnings

        warnings.warn(
            f"Support for mismatched {mask_name} and {other_name} is deprecated. Use same type for "
            "both instead.",
            stacklevel=3,
        )
    if floating:
        return mask
    return _C.zeros_like(mask, dtype=target_type).masked_fill_(mask, float("-inf"))


def _check_shapes(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    key_padding_mask: Tensor | None,
    attn_mask: Tensor | None,
    num_heads: int,
) -> bool:
    """Whether the inputs are batched; AssertionError when their dimensions do not go together."""
    n = query.dim()
    _require(
        n in (2, 3),
        f"query should be unbatched 2D or batched 3D tensor but received {n}-D query tensor",
    )
    kind = f"For {'batched (3-D)' if n == 3 else 'unbatched (2-D)'} `query`, expected"
    _require(
        key.dim() == n and value.dim() == n,
        f"{kind} `key` and `value` to be {n}-D but found {key.dim()}-D and {value.dim()}-D tensors "
        "respectively",
    )
    if key_padding_mask is not None:
        _require(
            key_padding_mask.dim() == n - 1,
            f"{kind} `key_padding_mask` to be `None` or {n - 1}-D but found "
            f"{key_padding_mask.dim()}-D tensor instead",
        )
    if attn_mask is not None:
        _require(
            attn_mask.dim() in (2, 3),
            f"{kind} `attn_mask` to be `None`, 2-D or 3-D but found {attn_mask.dim()}-D tensor "
            "instead",
        )
        if n == 2 and attn_mask.dim() == 3:
            expected = (num_heads, query.shape[0], key.shape[0])
            _require(
                attn_mask.shape == expected,
                f"Expected `attn_mask` shape to be {expected} but got {attn_mask.shape}",
            )
    return n == 3


def _packed_projection(
    q: Tensor, k: Tensor, v: Tensor, w: Tensor, b: Tensor | None
) -> tuple[Tensor, Tensor, Tensor]:
    linear, width = _C._nn.linear, q.size(-1)
    if k is v and q is k:  # one product for all three
        first, second, third = linear(q, w, b).split(width, -1)
        return first, second, third
    if k is v:
        w_q, w_kv = w.split([width, 2 * width])
        b_q, b_kv = (None, None) if b is None else b.split([width, 2 * width])
        second, third = linear(k, w_kv, b_kv).split(width, -1)
        return linear(q, w_q, b_q), second, third
    weights = w.chunk(3)
    biases: Any = (None, None, None) if b is None else b.chunk(3)
    first, second, third = (
        linear(x, m, c) for x, m, c in zip((q, k, v), weights, biases, strict=True)
    )
    return first, second, third


def _separate_projection(
    inputs: tuple[Tensor, Tensor, Tensor], weights: Any, bias: Tensor | None
) -> tuple[Tensor, Tensor, Tensor]:
    width = inputs[0].size(-1)
    for name, x, w in zip(("query", "key", "value"), inputs, weights, strict=True):
        expected = (width, x.size(-1))
        _require(
            w.shape == expected, f"expecting {name} weights shape of {expected}, but got {w.shape}"
        )
    biases: Any = (None, None, None) if bias is None else bias.chunk(3)
    first, second, third = (
        _C._nn.linear(x, w, b) for x, w, b in zip(inputs, weights, biases, strict=True)
    )
    return first, second, third


def _static(given: Tensor, name: str, rows: int, width: int) -> Tensor:
    for dim, size in ((0, rows), (2, width)):
        _require(
            given.size(dim) == size,
            f"expecting {name}.size({dim}) of {size}, but got {given.size(dim)}",
        )
    return given


def _one_more(mask: Tensor | None) -> Tensor | None:
    return None if mask is None else _C._nn.pad(mask, (0, 1))


def multi_head_attention_forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Tensor | None,
    in_proj_bias: Tensor | None,
    bias_k: Tensor | None,
    bias_v: Tensor | None,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Tensor,
    out_proj_bias: Tensor | None,
    training: bool = True,
    key_padding_mask: Tensor | None = None,
    need_weights: bool = True,
    attn_mask: Tensor | None = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Tensor | None = None,
    k_proj_weight: Tensor | None = None,
    v_proj_weight: Tensor | None = None,
    static_k: Tensor | None = None,
    static_v: Tensor | None = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """Attention of ``num_heads`` heads between projections; see ``nn.MultiheadAttention``.

    Args:
        query: (L, N, E) or (L, E); key, value: (S, N, E) or (S, E).
        in_proj_weight, in_proj_bias: (3 E, E) and (3 E,), unless use_separate_proj_weight.
        bias_k, bias_v: (1, 1, E), one more key and value for each sequence.
        key_padding_mask: (N, S), True (or -inf) for keys that do not take part.
        attn_mask: (L, S) or (N * heads, L, S), likewise for pairs.

    Returns the output, of query's shape, and the weights (N, L, S), averaged over the heads
    unless ``average_attn_weights`` is False, or None unless ``need_weights``.

    >>> import d2lcore as torch
    >>> m = torch.nn.MultiheadAttention(4, 2)
    >>> x = torch.ones(3, 1, 4)
    >>> m(x, x, x)[0].shape
    torch.Size([3, 1, 4])
    """
    batched = _check_shapes(query, key, value, key_padding_mask, attn_mask, num_heads)
    if not batched:
        same_k, same_q = key is value, query is key
        query, key, value = query.unsqueeze(1), key.unsqueeze(1), value.unsqueeze(1)
        if same_k:
            value = key
            query = key if same_q else query
        if key_padding_mask is not None:
            key_padding_mask = key_padding_mask.unsqueeze(0)
    length, batch, width = query.shape
    key_padding_mask = _canonical_mask(
        key_padding_mask,
        "key_padding_mask",
        None if attn_mask is None else attn_mask.dtype,
        "attn_mask",
        query.dtype,
    )
    if is_causal and attn_mask is None:
        raise RuntimeError(
            "Need attn_mask if specifying the is_causal hint. You may use the Transformer module "
            "method `generate_square_subsequent_mask` to create this mask."
        )
    if is_causal and key_padding_mask is None and not need_weights:
        attn_mask = None  # the hint says it all
    else:
        attn_mask = _canonical_mask(attn_mask, "attn_mask", None, "", query.dtype, False)
        is_causal = is_causal and key_padding_mask is None
    _require(
        width == embed_dim_to_check,
        f"was expecting embedding dimension of {embed_dim_to_check}, but got {width}",
    )
    head = width // num_heads
    _require(head * num_heads == width, f"embed_dim {width} not divisible by num_heads {num_heads}")
    if use_separate_proj_weight:
        _require(
            key.shape[:2] == value.shape[:2],
            f"key's sequence and batch dims {key.shape[:2]} do not match value's {value.shape[:2]}",
        )
        weights = (q_proj_weight, k_proj_weight, v_proj_weight)
        for name, w in zip("qkv", weights, strict=True):
            _require(
                w is not None, f"use_separate_proj_weight is True but {name}_proj_weight is None"
            )
        q, k, v = _separate_projection((query, key, value), weights, in_proj_bias)
    else:
        _require(
            key.shape == value.shape,
            f"key shape {key.shape} does not match value shape {value.shape}",
        )
        if in_proj_weight is None:
            raise AssertionError("use_separate_proj_weight is False but in_proj_weight is None")
        q, k, v = _packed_projection(query, key, value, in_proj_weight, in_proj_bias)
    if attn_mask is not None:
        flat = attn_mask.dim() == 2
        size = (length, key.shape[0]) if flat else (batch * num_heads, length, key.shape[0])
        if attn_mask.shape != size:
            raise RuntimeError(
                f"The shape of the {attn_mask.dim()}D attn_mask is {attn_mask.shape}, but should "
                f"be {size}."
            )
        attn_mask = attn_mask.unsqueeze(0) if flat else attn_mask
    if bias_k is not None and bias_v is not None:
        _require(static_k is None, "bias cannot be added to static key.")
        _require(static_v is None, "bias cannot be added to static value.")
        k = _C.cat([k, bias_k.repeat(1, batch, 1)])
        v = _C.cat([v, bias_v.repeat(1, batch, 1)])
        attn_mask, key_padding_mask = _one_more(attn_mask), _one_more(key_padding_mask)
    else:
        _require(bias_k is None, "bias_k is set but bias_v is None")
        _require(bias_v is None, "bias_v is set but bias_k is None")
    rows = batch * num_heads
    q = q.reshape(length, rows, head).transpose(0, 1)
    if static_k is not None:
        k = _static(static_k, "static_k", rows, head)
    else:
        k = k.reshape(k.shape[0], rows, head).transpose(0, 1)
    if static_v is not None:
        v = _static(static_v, "static_v", rows, head)
    else:
        v = v.reshape(v.shape[0], rows, head).transpose(0, 1)
    if add_zero_attn:
        k = _C.cat([k, k.new_zeros((rows, 1, head))], 1)
        v = _C.cat([v, v.new_zeros((rows, 1, head))], 1)
        attn_mask, key_padding_mask = _one_more(attn_mask), _one_more(key_padding_mask)
    keys = k.size(1)
    if key_padding_mask is not None:
        for dim, size_ in ((0, batch), (1, keys)):
            _require(
                key_padding_mask.shape[dim] == size_,
                f"Expected key_padded_mask.shape[{dim}] to be {size_}, but got "
                f"{key_padding_mask.shape[dim]}",
            )
        padding = key_padding_mask.view(batch, 1, 1, keys).expand(-1, num_heads, -1, -1)
        padding = padding.reshape(rows, 1, keys)
        attn_mask = padding if attn_mask is None else attn_mask + padding
    dropout_p = dropout_p if training else 0.0
    weights_out = None
    if need_weights:
        scores = _C.bmm(q * math.sqrt(1.0 / head), k.transpose(-2, -1))
        if attn_mask is not None:
            scores = scores + attn_mask
        weights_out = _C.softmax(scores, -1)
        if dropout_p > 0.0:
            weights_out = _C._nn.dropout(weights_out, dropout_p)
        out = _C.bmm(weights_out, v).transpose(0, 1)
        weights_out = weights_out.view(batch, num_heads, length, keys)
        if average_attn_weights:
            weights_out = weights_out.mean(1)
    else:
        if attn_mask is not None:
            one = attn_mask.size(0) == 1
            attn_mask = (
                attn_mask.unsqueeze(0) if one else attn_mask.view(batch, num_heads, -1, keys)
            )
        q, k, v = (x.unflatten(0, (batch, num_heads)) for x in (q, k, v))
        out = _C._nn.scaled_dot_product_attention(q, k, v, attn_mask, dropout_p, is_causal)
        out = out.permute(2, 0, 1, 3)
    out = _C._nn.linear(out.reshape(length * batch, width), out_proj_weight, out_proj_bias)
    out = out.view(length, batch, out.size(1))
    if not batched:
        out = out.squeeze(1)
        weights_out = None if weights_out is None else weights_out.squeeze(0)
    return out, weights_out


__all__ = [
    "multi_head_attention_forward",
]
