"""What the layers of normalisation, padding, resizing, attention and their losses promise."""

from __future__ import annotations

import math

import d2lcore as torch
import numpy as np
import pytest
from d2lcore import nn
from d2lcore.nn import functional as F

REPRS = [
    (nn.BatchNorm2d(3), "BatchNorm2d(3, eps=1e-05, momentum=0.1, affine=True, bias=True, "
     "track_running_stats=True)"),
    (nn.LayerNorm([2, 3]), "LayerNorm((2, 3), eps=1e-05, elementwise_affine=True, bias=True)"),
    (nn.GroupNorm(2, 4), "GroupNorm(2, 4, eps=1e-05, affine=True, bias=True)"),
    (nn.RMSNorm(4), "RMSNorm((4,), eps=None, elementwise_affine=True)"),
    (nn.Hardtanh(-2, 3, True), "Hardtanh(min_val=-2, max_val=3, inplace=True)"),
    (nn.ReLU6(), "ReLU6()"),
    (nn.RReLU(), "RReLU(lower=0.125, upper=0.3333333333333333)"),
    (nn.PReLU(2), "PReLU(num_parameters=2)"),
    (nn.ZeroPad2d(1), "ZeroPad2d((1, 1, 1, 1))"),
    (nn.ConstantPad1d(1, 2.0), "ConstantPad1d(padding=(1, 1), value=2.0)"),
    (nn.Upsample(scale_factor=2), "Upsample(scale_factor=2.0, mode='nearest')"),
    (nn.Embedding(4, 2, -1), "Embedding(4, 2, padding_idx=3)"),
    (nn.EmbeddingBag(4, 2), "EmbeddingBag(4, 2, mode='mean')"),
    (nn.LocalResponseNorm(2), "LocalResponseNorm(2, alpha=0.0001, beta=0.75, k=1.0)"),
]  # fmt: skip


@pytest.mark.parametrize(("layer", "text"), REPRS, ids=lambda x: type(x).__name__)
def test_repr(layer: nn.Module, text: str) -> None:
    assert repr(layer) == text


def test_running_statistics_move_in_training_only() -> None:
    layer = nn.BatchNorm1d(2, momentum=0.5)
    x = torch.tensor([[1.0, 2.0], [3.0, 6.0]])
    layer(x)
    assert layer.running_mean.tolist() == [1.0, 2.0]
    assert layer.running_var.tolist() == [1.5, 4.5]  # halves of 1 and of the unbiased 2 and 8
    assert int(layer.num_batches_tracked) == 1
    layer.eval()
    y = layer(x)
    assert layer.running_mean.tolist() == [1.0, 2.0]
    assert torch.allclose(y[0], torch.zeros(2))


def test_cumulative_average_of_statistics() -> None:
    layer = nn.BatchNorm1d(1, momentum=None)
    for value in (0.0, 3.0, 6.0):
        layer(torch.tensor([[value - 1], [value + 1]]))
    assert torch.allclose(layer.running_mean, torch.tensor([3.0]))


def test_instance_norm_without_a_batch() -> None:
    x = torch.randn(3, 5)
    one, many = nn.InstanceNorm1d(3), nn.InstanceNorm1d(3)
    assert torch.allclose(one(x), many(x.unsqueeze(0))[0])


@pytest.mark.parametrize("shape", [(4, 3), (4, 3, 5), (2, 3, 4, 33)])
def test_norms_agree_with_each_other(shape: tuple[int, ...]) -> None:
    x = torch.randn(*shape, dtype=torch.float64)
    if len(shape) > 2:
        groups = F.group_norm(x, shape[1])
        assert torch.allclose(groups, F.instance_norm(x))
    layers = F.layer_norm(x, shape[1:])
    assert torch.allclose(layers, F.group_norm(x, 1))
    turned = x.transpose(0, 1).reshape(1, shape[1], -1)
    batch = F.batch_norm(x, None, None, training=True)
    alike = F.instance_norm(turned).reshape(shape[1], shape[0], *shape[2:]).transpose(0, 1)
    assert torch.allclose(batch, alike)


@pytest.mark.parametrize("rows", [1, 33, 300, 5000])
def test_layer_norm_of_many_rows_adds_up_its_parameters(rows: int) -> None:
    x = torch.randn(rows, 7, dtype=torch.float64)
    w = torch.randn(7, dtype=torch.float64, requires_grad=True)
    b = torch.zeros(7, dtype=torch.float64, requires_grad=True)
    g = torch.randn(rows, 7, dtype=torch.float64)
    F.layer_norm(x, (7,), w, b).backward(g)
    a = x.numpy()
    hat = (a - a.mean(1, keepdims=True)) / np.sqrt(a.var(1, keepdims=True) + 1e-5)
    np.testing.assert_allclose(w.grad.numpy(), (hat * g.numpy()).sum(0))
    np.testing.assert_allclose(b.grad.numpy(), g.numpy().sum(0))


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("heads", [1, 2])
def test_blocks_of_attention_agree_with_plain_ops(causal: bool, heads: int) -> None:
    q = torch.randn(2, 2, 700, 8, dtype=torch.float64, requires_grad=True)
    k, v = (
        torch.randn(2, heads, 700, 8, dtype=torch.float64, requires_grad=True) for _ in range(2)
    )
    out = F.scaled_dot_product_attention(q, k, v, is_causal=causal, enable_gqa=heads == 1)
    g = torch.randn(*out.shape, dtype=torch.float64)
    grads = torch.autograd.grad(out, (q, k, v), g)
    scores = q @ k.transpose(-1, -2) / math.sqrt(8)
    if causal:
        scores = scores + torch.full((700, 700), -math.inf, dtype=torch.float64).triu(1)
    plain = torch.softmax(scores, -1) @ v
    assert torch.allclose(out, plain)
    for a, b in zip(grads, torch.autograd.grad(plain, (q, k, v), g), strict=True):
        assert torch.allclose(a, b)


def test_attention_of_several_heads_hides_padding() -> None:
    layer = nn.MultiheadAttention(8, 2, batch_first=True).eval()
    x = torch.randn(2, 5, 8)
    hidden = torch.tensor([[False, False, False, True, True]] * 2)
    out, weights = layer(x, x, x, key_padding_mask=hidden)
    assert torch.allclose(weights[..., 3:], torch.zeros(2, 5, 2))
    short, none = layer(x, x[:, :3], x[:, :3], need_weights=False)
    assert none is None
    assert torch.allclose(out, short, atol=1e-6)


def test_causal_mask_is_recognised() -> None:
    layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True)
    model = nn.TransformerEncoder(layer, 2)
    x = torch.randn(1, 4, 8)
    mask = nn.Transformer.generate_square_subsequent_mask(4)
    y = model(x, mask=mask)
    changed = torch.cat([x[:, :3], torch.randn(1, 1, 8)], 1)
    assert torch.allclose(model(changed, mask=mask)[:, :3], y[:, :3], atol=1e-6)


def test_padding_row_of_an_embedding() -> None:
    table = nn.Embedding(4, 3, padding_idx=1)
    assert table.weight[1].tolist() == [0.0, 0.0, 0.0]
    table(torch.tensor([1, 2])).sum().backward()
    assert table.weight.grad.sum(1).tolist() == [0.0, 0.0, 3.0, 0.0]


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
def test_bags_with_and_without_offsets(mode: str) -> None:
    weight, bags = torch.randn(6, 3), torch.tensor([[0, 5, 2], [1, 1, 4]])
    flat = F.embedding_bag(bags.flatten(), weight, torch.tensor([0, 3]), mode=mode)
    wide = F.embedding_bag(bags, weight, mode=mode)
    rows = weight[bags]
    plain = {"sum": rows.sum(1), "mean": rows.mean(1), "max": rows.max(1)[0]}[mode]
    assert torch.allclose(flat, plain)
    assert torch.allclose(wide, plain)


@pytest.mark.parametrize(
    ("kind", "call"),
    [
        (ValueError, lambda x: F.interpolate(x)),
        (ValueError, lambda x: F.interpolate(x, 2, 2.0)),
        (ValueError, lambda x: F.interpolate(x, 2, align_corners=True)),
        (NotImplementedError, lambda x: F.interpolate(x, 2, mode="bilinear")),
        (ValueError, lambda x: F.interpolate(x, scale_factor=1e-300, mode="linear")),
        (ValueError, lambda x: F.batch_norm(x, None, None, training=True, eps=-1.0)),
        (RuntimeError, lambda x: F.pdist(x)),
        (ValueError, lambda x: F.triplet_margin_loss(x, x, x, margin=0)),
        (AssertionError, lambda x: nn.MultiheadAttention(3, 2)),
        (RuntimeError, lambda x: F.pad(x, (2**62, 2**62))),
    ],
)
def test_refusals(kind: type[Exception], call: object) -> None:
    with pytest.raises((kind, RuntimeError)):
        call(torch.randn(1, 2, 3))  # type: ignore[operator]
