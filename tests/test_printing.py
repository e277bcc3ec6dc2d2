"""Printing: texts recorded from PyTorch 2.13, to be met character by character."""

from __future__ import annotations

import d2lcore as torch
import pytest

# An expression, and what PyTorch prints for it.
TEXTS = [
    (
        "torch.arange(6).reshape(3, 2)",
        ("tensor([[0, 1],\n        [2, 3],\n        [4, 5]])"),
    ),
    (
        "torch.arange(12, dtype=torch.float32)",
        "tensor([ 0.,  1.,  2.,  3.,  4.,  5.,  6.,  7.,  8.,  9., 10., 11.])",
    ),
    (
        "torch.zeros((2, 3, 4))",
        (
            "tensor([[[0., 0., 0., 0.],\n"
            "         [0., 0., 0., 0.],\n"
            "         [0., 0., 0., 0.]],\n"
            "\n"
            "        [[0., 0., 0., 0.],\n"
            "         [0., 0., 0., 0.],\n"
            "         [0., 0., 0., 0.]]])"
        ),
    ),
    (
        "torch.tensor([[2, 1, 4, 3], [1, 2, 3, 4], [4, 3, 2, 1]])",
        ("tensor([[2, 1, 4, 3],\n        [1, 2, 3, 4],\n        [4, 3, 2, 1]])"),
    ),
    (
        "torch.tensor([1.0, 2, 4, 8])",
        "tensor([1., 2., 4., 8.])",
    ),
    (
        "torch.tensor([1.0, 2, 4, 8]) / torch.tensor([2, 2, 2, 2])",
        "tensor([0.5000, 1.0000, 2.0000, 4.0000])",
    ),
    (
        "torch.tensor([1.0, 2, 4, 8]) ** torch.tensor([2, 2, 2, 2])",
        "tensor([ 1.,  4., 16., 64.])",
    ),
    (
        "torch.tensor(3.0)",
        "tensor(3.)",
    ),
    (
        "torch.tensor(3.14159)",
        "tensor(3.1416)",
    ),
    (
        "torch.tensor(7)",
        "tensor(7)",
    ),
    (
        "torch.tensor(-7)",
        "tensor(-7)",
    ),
    (
        "torch.tensor(True)",
        "tensor(True)",
    ),
    (
        "torch.tensor([True, False])",
        "tensor([ True, False])",
    ),
    (
        "torch.tensor([])",
        "tensor([])",
    ),
    (
        "torch.zeros(0, 3)",
        "tensor([], size=(0, 3))",
    ),
    (
        "torch.zeros(2, 0, 3, dtype=torch.int64)",
        "tensor([], size=(2, 0, 3), dtype=torch.int64)",
    ),
    (
        "torch.zeros(0, dtype=torch.int64)",
        "tensor([], dtype=torch.int64)",
    ),
    (
        "torch.zeros(0, dtype=torch.float64)",
        "tensor([], dtype=torch.float64)",
    ),
    (
        "torch.zeros(0, 2, dtype=torch.bool)",
        "tensor([], size=(0, 2), dtype=torch.bool)",
    ),
    (
        "torch.tensor([0.1, 0.25, -1.5])",
        "tensor([ 0.1000,  0.2500, -1.5000])",
    ),
    (
        "torch.tensor([1.0, -2.0, 3.0])",
        "tensor([ 1., -2.,  3.])",
    ),
    (
        "torch.tensor([1.0, 2.5])",
        "tensor([1.0000, 2.5000])",
    ),
    (
        "torch.tensor([1e-5, 1.0])",
        "tensor([1.0000e-05, 1.0000e+00])",
    ),
    (
        "torch.tensor([1e-5])",
        "tensor([1.0000e-05])",
    ),
    (
        "torch.tensor([1e-4])",
        "tensor([1.0000e-04])",
    ),
    (
        "torch.tensor([1e5, 1.5])",
        "tensor([1.0000e+05, 1.5000e+00])",
    ),
    (
        "torch.tensor([1e8, 1.0])",
        "tensor([1.0000e+08, 1.0000e+00])",
    ),
    (
        "torch.tensor([1000.0, 1.0])",
        "tensor([1000.,    1.])",
    ),
    (
        "torch.tensor([1001.0, 1.0])",
        "tensor([1.0010e+03, 1.0000e+00])",
    ),
    (
        "torch.tensor([100000.0])",
        "tensor([100000.])",
    ),
    (
        "torch.tensor([123456789.0])",
        "tensor([1.2346e+08])",
    ),
    (
        "torch.tensor([1e20, 3e19])",
        "tensor([1.0000e+20, 3.0000e+19])",
    ),
    (
        "torch.tensor([1234.5, 2.0])",
        "tensor([1234.5000,    2.0000])",
    ),
    (
        'torch.tensor([float("nan"), 1.0])',
        "tensor([nan, 1.])",
    ),
    (
        'torch.tensor([float("nan"), 1.5, float("inf")])',
        "tensor([   nan, 1.5000,    inf])",
    ),
    (
        'torch.tensor([float("inf"), -float("inf"), 1e-7])',
        "tensor([       inf,       -inf, 1.0000e-07])",
    ),
    (
        'torch.tensor([float("nan"), float("nan")])',
        "tensor([nan, nan])",
    ),
    (
        "torch.tensor([0.0, -0.0])",
        "tensor([0., -0.])",
    ),
    (
        "torch.tensor([0.0, 1e-6])",
        "tensor([0.0000e+00, 1.0000e-06])",
    ),
    (
        'torch.tensor(float("-inf"))',
        "tensor(-inf)",
    ),
    (
        "torch.tensor([[1.5, -2.25], [1000.0, 0.001]])",
        ("tensor([[ 1.5000e+00, -2.2500e+00],\n        [ 1.0000e+03,  1.0000e-03]])"),
    ),
    (
        "torch.tensor([1, -20, 300])",
        "tensor([  1, -20, 300])",
    ),
    (
        "torch.tensor([[1, -20], [300, 4]], dtype=torch.int32)",
        ("tensor([[  1, -20],\n        [300,   4]], dtype=torch.int32)"),
    ),
    (
        "torch.tensor([1, 2], dtype=torch.int16)",
        "tensor([1, 2], dtype=torch.int16)",
    ),
    (
        "torch.tensor([1, 2], dtype=torch.int8)",
        "tensor([1, 2], dtype=torch.int8)",
    ),
    (
        "torch.tensor([1, 255], dtype=torch.uint8)",
        "tensor([  1, 255], dtype=torch.uint8)",
    ),
    (
        "torch.tensor([1.5, 2.0], dtype=torch.float64)",
        "tensor([1.5000, 2.0000], dtype=torch.float64)",
    ),
    (
        "torch.tensor([1.5, 2.0], dtype=torch.float16)",
        "tensor([1.5000, 2.0000], dtype=torch.float16)",
    ),
    (
        "torch.tensor([1.5, 65504.0], dtype=torch.float16)",
        "tensor([1.5000e+00, 6.5504e+04], dtype=torch.float16)",
    ),
    (
        "torch.tensor([1.5, 2.0], dtype=torch.bfloat16)",
        "tensor([1.5000, 2.0000], dtype=torch.bfloat16)",
    ),
    (
        "torch.tensor(1e-7, dtype=torch.float64)",
        "tensor(1.0000e-07, dtype=torch.float64)",
    ),
    (
        "torch.tensor([1 + 2j, -1.5 - 0.25j])",
        "tensor([ 1.0000+2.0000j, -1.5000-0.2500j])",
    ),
    (
        "torch.tensor([1 + 2j, 3 - 4j], dtype=torch.complex128)",
        "tensor([1.+2.j, 3.-4.j], dtype=torch.complex128)",
    ),
    (
        "torch.tensor(1j)",
        "tensor(0.+1.j)",
    ),
    (
        'torch.tensor([complex(float("nan"), 1e-8), 2 + 0j])',
        "tensor([nan+1.0000e-08j, 2.+0.0000e+00j])",
    ),
    (
        "torch.arange(30)",
        (
            "tensor([ 0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14, 15, 16, 17,\n"
            "        18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29])"
        ),
    ),
    (
        "torch.arange(30) * 1000",
        (
            "tensor([    0,  1000,  2000,  3000,  4000,  5000,  6000,  7000,  8000,  9000,\n"
            "        10000, 11000, 12000, 13000, 14000, 15000, 16000, 17000, 18000, 19000,\n"
            "        20000, 21000, 22000, 23000, 24000, 25000, 26000, 27000, 28000, 29000])"
        ),
    ),
    (
        "torch.arange(1001)",
        "tensor([   0,    1,    2,  ...,  998,  999, 1000])",
    ),
    (
        "torch.arange(1000).reshape(10, 100)[:2, :25]",
        (
            "tensor([[  0,   1,   2,   3,   4,   5,   6,   7,   8,   9,  10,  11,  12,  13,\n"
            "          14,  15,  16,  17,  18,  19,  20,  21,  22,  23,  24],\n"
            "        [100, 101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111, 112, 113,\n"
            "         114, 115, 116, 117, 118, 119, 120, 121, 122, 123, 124]])"
        ),
    ),
    (
        "torch.arange(2000).reshape(2, 1000)",
        (
            "tensor([[   0,    1,    2,  ...,  997,  998,  999],\n"
            "        [1000, 1001, 1002,  ..., 1997, 1998, 1999]])"
        ),
    ),
    (
        "torch.arange(2000).reshape(40, 50)",
        (
            "tensor([[   0,    1,    2,  ...,   47,   48,   49],\n"
            "        [  50,   51,   52,  ...,   97,   98,   99],\n"
            "        [ 100,  101,  102,  ...,  147,  148,  149],\n"
            "        ...,\n"
            "        [1850, 1851, 1852,  ..., 1897, 1898, 1899],\n"
            "        [1900, 1901, 1902,  ..., 1947, 1948, 1949],\n"
            "        [1950, 1951, 1952,  ..., 1997, 1998, 1999]])"
        ),
    ),
    (
        "torch.arange(2000.0).reshape(10, 10, 20) / 7",
        (
            "tensor([[[0.0000e+00, 1.4286e-01, 2.8571e-01,  ..., 2.4286e+00,\n"
            "          2.5714e+00, 2.7143e+00],\n"
            "         [2.8571e+00, 3.0000e+00, 3.1429e+00,  ..., 5.2857e+00,\n"
            "          5.4286e+00, 5.5714e+00],\n"
            "         [5.7143e+00, 5.8571e+00, 6.0000e+00,  ..., 8.1429e+00,\n"
            "          8.2857e+00, 8.4286e+00],\n"
            "         ...,\n"
            "         [2.0000e+01, 2.0143e+01, 2.0286e+01,  ..., 2.2429e+01,\n"
            "          2.2571e+01, 2.2714e+01],\n"
            "         [2.2857e+01, 2.3000e+01, 2.3143e+01,  ..., 2.5286e+01,\n"
            "          2.5429e+01, 2.5571e+01],\n"
            "         [2.5714e+01, 2.5857e+01, 2.6000e+01,  ..., 2.8143e+01,\n"
            "          2.8286e+01, 2.8429e+01]],\n"
            "\n"
            "        [[2.8571e+01, 2.8714e+01, 2.8857e+01,  ..., 3.1000e+01,\n"
            "          3.1143e+01, 3.1286e+01],\n"
            "         [3.1429e+01, 3.1571e+01, 3.1714e+01,  ..., 3.3857e+01,\n"
            "          3.4000e+01, 3.4143e+01],\n"
            "         [3.4286e+01, 3.4429e+01, 3.4571e+01,  ..., 3.6714e+01,\n"
            "          3.6857e+01, 3.7000e+01],\n"
            "         ...,\n"
            "         [4.8571e+01, 4.8714e+01, 4.8857e+01,  ..., 5.1000e+01,\n"
            "          5.1143e+01, 5.1286e+01],\n"
            "         [5.1429e+01, 5.1571e+01, 5.1714e+01,  ..., 5.3857e+01,\n"
            "          5.4000e+01, 5.4143e+01],\n"
            "         [5.4286e+01, 5.4429e+01, 5.4571e+01,  ..., 5.6714e+01,\n"
            "          5.6857e+01, 5.7000e+01]],\n"
            "\n"
            "        [[5.7143e+01, 5.7286e+01, 5.7429e+01,  ..., 5.9571e+01,\n"
            "          5.9714e+01, 5.9857e+01],\n"
            "         [6.0000e+01, 6.0143e+01, 6.0286e+01,  ..., 6.2429e+01,\n"
            "          6.2571e+01, 6.2714e+01],\n"
            "         [6.2857e+01, 6.3000e+01, 6.3143e+01,  ..., 6.5286e+01,\n"
            "          6.5429e+01, 6.5571e+01],\n"
            "         ...,\n"
            "         [7.7143e+01, 7.7286e+01, 7.7429e+01,  ..., 7.9571e+01,\n"
            "          7.9714e+01, 7.9857e+01],\n"
            "         [8.0000e+01, 8.0143e+01, 8.0286e+01,  ..., 8.2429e+01,\n"
            "          8.2571e+01, 8.2714e+01],\n"
            "         [8.2857e+01, 8.3000e+01, 8.3143e+01,  ..., 8.5286e+01,\n"
            "          8.5429e+01, 8.5571e+01]],\n"
            "\n"
            "        ...,\n"
            "\n"
            "        [[2.0000e+02, 2.0014e+02, 2.0029e+02,  ..., 2.0243e+02,\n"
            "          2.0257e+02, 2.0271e+02],\n"
            "         [2.0286e+02, 2.0300e+02, 2.0314e+02,  ..., 2.0529e+02,\n"
            "          2.0543e+02, 2.0557e+02],\n"
            "         [2.0571e+02, 2.0586e+02, 2.0600e+02,  ..., 2.0814e+02,\n"
            "          2.0829e+02, 2.0843e+02],\n"
            "         ...,\n"
            "         [2.2000e+02, 2.2014e+02, 2.2029e+02,  ..., 2.2243e+02,\n"
            "          2.2257e+02, 2.2271e+02],\n"
            "         [2.2286e+02, 2.2300e+02, 2.2314e+02,  ..., 2.2529e+02,\n"
            "          2.2543e+02, 2.2557e+02],\n"
            "         [2.2571e+02, 2.2586e+02, 2.2600e+02,  ..., 2.2814e+02,\n"
            "          2.2829e+02, 2.2843e+02]],\n"
            "\n"
            "        [[2.2857e+02, 2.2871e+02, 2.2886e+02,  ..., 2.3100e+02,\n"
            "          2.3114e+02, 2.3129e+02],\n"
            "         [2.3143e+02, 2.3157e+02, 2.3171e+02,  ..., 2.3386e+02,\n"
            "          2.3400e+02, 2.3414e+02],\n"
            "         [2.3429e+02, 2.3443e+02, 2.3457e+02,  ..., 2.3671e+02,\n"
            "          2.3686e+02, 2.3700e+02],\n"
            "         ...,\n"
            "         [2.4857e+02, 2.4871e+02, 2.4886e+02,  ..., 2.5100e+02,\n"
            "          2.5114e+02, 2.5129e+02],\n"
            "         [2.5143e+02, 2.5157e+02, 2.5171e+02,  ..., 2.5386e+02,\n"
            "          2.5400e+02, 2.5414e+02],\n"
            "         [2.5429e+02, 2.5443e+02, 2.5457e+02,  ..., 2.5671e+02,\n"
            "          2.5686e+02, 2.5700e+02]],\n"
            "\n"
            "        [[2.5714e+02, 2.5729e+02, 2.5743e+02,  ..., 2.5957e+02,\n"
            "          2.5971e+02, 2.5986e+02],\n"
            "         [2.6000e+02, 2.6014e+02, 2.6029e+02,  ..., 2.6243e+02,\n"
            "          2.6257e+02, 2.6271e+02],\n"
            "         [2.6286e+02, 2.6300e+02, 2.6314e+02,  ..., 2.6529e+02,\n"
            "          2.6543e+02, 2.6557e+02],\n"
            "         ...,\n"
            "         [2.7714e+02, 2.7729e+02, 2.7743e+02,  ..., 2.7957e+02,\n"
            "          2.7971e+02, 2.7986e+02],\n"
            "         [2.8000e+02, 2.8014e+02, 2.8029e+02,  ..., 2.8243e+02,\n"
            "          2.8257e+02, 2.8271e+02],\n"
            "         [2.8286e+02, 2.8300e+02, 2.8314e+02,  ..., 2.8529e+02,\n"
            "          2.8543e+02, 2.8557e+02]]])"
        ),
    ),
    (
        "torch.arange(24).reshape(2, 3, 4)",
        (
            "tensor([[[ 0,  1,  2,  3],\n"
            "         [ 4,  5,  6,  7],\n"
            "         [ 8,  9, 10, 11]],\n"
            "\n"
            "        [[12, 13, 14, 15],\n"
            "         [16, 17, 18, 19],\n"
            "         [20, 21, 22, 23]]])"
        ),
    ),
    (
        "torch.arange(24.0).reshape(2, 2, 2, 3)",
        (
            "tensor([[[[ 0.,  1.,  2.],\n"
            "          [ 3.,  4.,  5.]],\n"
            "\n"
            "         [[ 6.,  7.,  8.],\n"
            "          [ 9., 10., 11.]]],\n"
            "\n"
            "\n"
            "        [[[12., 13., 14.],\n"
            "          [15., 16., 17.]],\n"
            "\n"
            "         [[18., 19., 20.],\n"
            "          [21., 22., 23.]]]])"
        ),
    ),
    (
        "torch.ones(1, 1, 1)",
        "tensor([[[1.]]])",
    ),
    (
        "torch.arange(20.0) / 3",
        (
            "tensor([0.0000, 0.3333, 0.6667, 1.0000, 1.3333, 1.6667, 2.0000, 2.3333, 2.6667,\n"
            "        3.0000, 3.3333, 3.6667, 4.0000, 4.3333, 4.6667, 5.0000, 5.3333, 5.6667,\n"
            "        6.0000, 6.3333])"
        ),
    ),
    (
        "torch.ones(3, requires_grad=True)",
        "tensor([1., 1., 1.], requires_grad=True)",
    ),
    (
        "torch.ones(3, requires_grad=True) + 1",
        "tensor([2., 2., 2.], grad_fn=<AddBackward0>)",
    ),
    (
        "(torch.ones(3, requires_grad=True) * 2).sum()",
        "tensor(6., grad_fn=<SumBackward0>)",
    ),
    (
        "torch.arange(10.0, requires_grad=True) * 1.5",
        (
            "tensor([ 0.0000,  1.5000,  3.0000,  4.5000,  6.0000,  7.5000,  9.0000, 10.5000,\n"
            "        12.0000, 13.5000], grad_fn=<MulBackward0>)"
        ),
    ),
    (
        "torch.ones(2, dtype=torch.float64, requires_grad=True)",
        "tensor([1., 1.], dtype=torch.float64, requires_grad=True)",
    ),
    (
        "(lambda x: x @ x)(torch.ones(2, 2, dtype=torch.float64, requires_grad=True))",
        ("tensor([[2., 2.],\n        [2., 2.]], dtype=torch.float64, grad_fn=<MmBackward0>)"),
    ),
    (
        "torch.arange(11.0, dtype=torch.float64, requires_grad=True) * 2",
        (
            "tensor([ 0.,  2.,  4.,  6.,  8., 10., 12., 14., 16., 18., 20.],\n"
            "       dtype=torch.float64, grad_fn=<MulBackward0>)"
        ),
    ),
    (
        "torch.zeros(0, requires_grad=True)",
        "tensor([], requires_grad=True)",
    ),
    (
        "torch.nn.Parameter(torch.tensor([1.0, 2.5]))",
        ("Parameter containing:\ntensor([1.0000, 2.5000], requires_grad=True)"),
    ),
    (
        "torch.nn.Parameter(torch.tensor([1, 2]), requires_grad=False)",
        ("Parameter containing:\ntensor([1, 2])"),
    ),
    (
        "torch.ones(2, requires_grad=True).detach()",
        "tensor([1., 1.])",
    ),
    (
        "torch.arange(6.0).reshape(2, 3).T",
        ("tensor([[0., 3.],\n        [1., 4.],\n        [2., 5.]])"),
    ),
    (
        "torch.arange(6)[::2]",
        "tensor([0, 2, 4])",
    ),
    (
        "torch.tensor([2]).expand(3)",
        "tensor([2, 2, 2])",
    ),
    (
        "[torch.tensor(1), torch.tensor([2.5])]",
        "[tensor(1), tensor([2.5000])]",
    ),
    (
        '{"a": torch.tensor([1.5])}',
        "{'a': tensor([1.5000])}",
    ),
    (
        "torch.ones(2).shape",
        "torch.Size([2])",
    ),
    (
        "torch.float32",
        "torch.float32",
    ),
]

# Arguments of set_printoptions, an expression, and the text.
OPTIONS = [
    (
        "precision=2",
        "torch.tensor([1.23456, 2.5])",
        "tensor([1.23, 2.50])",
    ),
    (
        "precision=8",
        "torch.tensor([1.23456, 2.5], dtype=torch.float64)",
        "tensor([1.23456000, 2.50000000], dtype=torch.float64)",
    ),
    (
        "threshold=4",
        "torch.arange(8.0)",
        "tensor([0., 1., 2.,  ..., 5., 6., 7.])",
    ),
    (
        "edgeitems=1",
        "torch.arange(2000).reshape(40, 50)",
        ("tensor([[   0,  ...,   49],\n        ...,\n        [1950,  ..., 1999]])"),
    ),
    (
        "linewidth=30",
        "torch.arange(12.0)",
        ("tensor([ 0.,  1.,  2.,  3.,\n         4.,  5.,  6.,  7.,\n         8.,  9., 10., 11.])"),
    ),
    (
        'profile="short"',
        "torch.arange(2000.0) / 3",
        "tensor([0.00e+00, 3.33e-01,  ..., 6.66e+02, 6.66e+02])",
    ),
    (
        'profile="full"',
        "torch.arange(1001)[:3] / 3",
        "tensor([0.0000, 0.3333, 0.6667])",
    ),
    (
        "sci_mode=True",
        "torch.tensor([1.5, 20.0])",
        "tensor([1.5000e+00, 2.0000e+01])",
    ),
    (
        "sci_mode=True",
        "torch.tensor([1.0, 20.0])",
        "tensor([1.0000e+00, 2.0000e+01])",
    ),
    (
        "sci_mode=False",
        "torch.tensor([1.5e-7, 1e9])",
        "tensor([         0.0000, 1000000000.0000])",
    ),
    (
        "edgeitems=0, threshold=2",
        "torch.arange(9).reshape(3, 3)",
        "tensor([...], size=(3, 3))",
    ),
]

# An expression, a format specification, and the text.
FORMATS = [
    ("torch.tensor(3.14159)", ".2f", "3.14"),
    ("torch.tensor(42)", "05d", "00042"),
    ("torch.tensor(2.0)", "", "2.0"),
    ("torch.tensor(True)", "", "True"),
    ("torch.tensor([1.5])", "", "tensor([1.5000])"),
    ("torch.tensor(1 + 2j)", ".1f", "1.0+2.0j"),
    ("torch.tensor(7)", ">4", "   7"),
]

# The same with float64 as the default dtype.
WIDE = [
    ("torch.ones(2)", "tensor([1., 1.])"),
    ("torch.ones(2, dtype=torch.float32)", "tensor([1., 1.], dtype=torch.float32)"),
    ("torch.zeros(0)", "tensor([])"),
    ("torch.tensor([1j])", "tensor([0.+1.j])"),
]


@pytest.fixture(autouse=True)
def _default_settings():
    yield
    torch.set_printoptions(profile="default")
    torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize(("expression", "text"), TEXTS)
def test_repr(expression, text):
    assert repr(eval(expression)) == text


@pytest.mark.parametrize("expression", ["torch.arange(3.0)", "torch.tensor(1.5)"])
def test_str_is_repr(expression):
    assert str(eval(expression)) == repr(eval(expression))


@pytest.mark.parametrize(("options", "expression", "text"), OPTIONS)
def test_options(options, expression, text):
    eval(f"torch.set_printoptions({options})")
    assert repr(eval(expression)) == text


@pytest.mark.parametrize(("expression", "spec", "text"), FORMATS)
def test_format(expression, spec, text):
    assert format(eval(expression), spec) == text


@pytest.mark.parametrize(("expression", "text"), WIDE)
def test_default_dtype(expression, text):
    torch.set_default_dtype(torch.float64)
    assert repr(eval(expression)) == text


def test_format_of_a_tensor_with_dimensions_refuses_a_specification():
    with pytest.raises(TypeError, match="unsupported format string"):
        format(torch.ones(2), ".2f")


def test_sci_mode_is_forgotten_by_the_next_call():
    torch.set_printoptions(sci_mode=True)
    torch.set_printoptions(precision=3)
    assert repr(torch.tensor([1.5])) == "tensor([1.500])"


def test_printing_leaves_no_trace_in_the_graph():
    x = torch.ones(3, requires_grad=True)
    y = x * 2
    repr(y)
    y.sum().backward()
    assert x.grad.tolist() == [2.0, 2.0, 2.0]


def test_a_huge_tensor_prints_only_its_ends():
    x = torch.zeros(1).expand(1 << 20, 1 << 10)
    text = repr(x)
    assert text.count("...") == 7
    assert text.count("0.") == 36
