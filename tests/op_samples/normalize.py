"""Samples of layer, batch, instance, group and RMS normalisation."""

from __future__ import annotations

import numpy as np

from op_samples.base import FLOATS, E, Op, S, c, t


def _normalised(x, axes, eps, centred=True):
    mean = x.mean(axis=axes, keepdims=True) if centred else 0.0
    d = x - mean
    with np.errstate(all="ignore"):
        rstd = 1 / np.sqrt((d * d).mean(axis=axes, keepdims=True) + eps)
    return d * rstd, mean, rstd


def _last(x, shape):
    return tuple(range(x.ndim - len(shape), x.ndim))


def _affine(y, weight, bias):
    y = y if weight is None else y * weight
    return y if bias is None else y + bias


def _layer_norm(x, shape, weight=None, bias=None, eps=1e-5, *_):
    return _affine(_normalised(x, _last(x, shape), eps)[0], weight, bias)


def _native_layer_norm(x, shape, weight, bias, eps):
    y, mean, rstd = _normalised(x, _last(x, shape), eps)
    return _affine(y, weight, bias), mean, rstd


def _rms_norm(x, shape, weight=None, eps=None):
    return _affine(_normalised(x, _last(x, shape), eps or 1e-12, False)[0], weight, None)


def _channels(v, x):
    return None if v is None else v.reshape(1, -1, *[1] * (x.ndim - 2))


def _batch(x, weight, bias, mean, var, training, eps):
    axes = (0, *range(2, x.ndim))
    if training:
        y, mean, rstd = _normalised(x, axes, eps)
    else:
        rstd = 1 / np.sqrt(_channels(var, x) + eps)
        y = (x - _channels(mean, x)) * rstd
    y = _affine(y, _channels(weight, x), _channels(bias, x))
    return (y, mean.ravel(), rstd.ravel()) if training else (y, np.zeros(0), np.zeros(0))


def _nn_batch(x, mean, var, weight=None, bias=None, training=False, momentum=0.1, eps=1e-5):
    return _batch(x, weight, bias, mean, var, training, eps)[0]


def _instance(x, weight, bias, mean, var, stats, eps):
    if stats:
        y = _normalised(x, tuple(range(2, x.ndim)), eps)[0]
    else:
        y = (x - _channels(mean, x)) / np.sqrt(_channels(var, x) + eps)
    return _affine(y, _channels(weight, x), _channels(bias, x))


def _nn_instance(
    x, mean=None, var=None, weight=None, bias=None, use_input_stats=True, momentum=0.1, eps=1e-5
):
    return _instance(x, weight, bias, mean, var, use_input_stats, eps)


def _native_group(x, weight, bias, n, channels, hxw, group, eps):
    rows = x.reshape(n, group, -1)
    y, mean, rstd = _normalised(rows, (2,), eps)
    y = _affine(y.reshape(x.shape), _channels(weight, x), _channels(bias, x))
    return y, mean[..., 0], rstd[..., 0]


def _group(x, groups, weight=None, bias=None, eps=1e-5, *_):
    return _native_group(x, weight, bias, x.shape[0], x.shape[1], 0, groups, eps)[0]


LAYER = [
    S(t(3, 5), [5]), S(t(2, 3, 4), [3, 4], t(3, 4), t(3, 4), 1e-3), S(t(2, 40), [40], t(40)),
    S(t(2, 17), [17], None, t(17)), S(t(0, 3), [3], t(3), t(3)),
    S(t(300, 70), [70], t(70), t(70), _dtypes="fd", _grad=False),
]  # fmt: skip
LAYER_ERRORS = [
    E(RuntimeError, "Expected normalized_shape to be at least 1-dimensional", t(2, 3), []),
    E(RuntimeError, "Given normalized_shape=[4], expected input with shape [*", t(2, 3), [4]),
    E(RuntimeError, "Expected weight to be of same shape as normalized_shape, but got weight of "
      "shape [2] and normalized_shape = [3]", t(2, 3), [3], t(2)),
    E(NotImplementedError, "not implemented for 'Long'", c([[1, 2]], "int64"), [2]),
]  # fmt: skip
BATCH = [  # input, weight, bias, running mean, running variance, training
    (t(4, 3), None, None, None, None, True),
    (t(4, 3, 2), t(3), t(3), None, None, True),
    (t(2, 3, 4, 5), t(3), None, t(3, grad=False), t(3, lo=0.5, grad=False), False),
    (t(5, 3), None, t(3), t(3, grad=False), t(3, lo=0.5, grad=False), False),
    (t(2, 3, 70), t(3), t(3), None, None, True),
]
CHANNEL_ERROR = "should contain 3 elements not 2"
GROUP = [
    S(t(2, 6, 3), 3, t(6), t(6)), S(t(2, 4, 3, 2), 2), S(t(3, 4), 2, None, t(4)),
    S(t(2, 3, 40), 1, t(3), None, 1e-3),
]  # fmt: skip
GROUP_ERRORS = [
    E(RuntimeError, "Expected number of channels in input to be divisible by num_groups, but got "
      "input of shape [2, 6, 3] and num_groups=4", t(2, 6, 3), 4),
    E(RuntimeError, "Expected weight to be a vector of size equal to the number of channels",
      t(2, 6, 3), 2, t(4)),
]  # fmt: skip
PLAIN = {"dtypes": FLOATS, "tol": 10, "expand": False}

OPS = [
    Op("nn.layer_norm", _layer_norm, LAYER, LAYER_ERRORS, **PLAIN),
    Op("layer_norm", _layer_norm, [*LAYER, S(t(3, 5), [5], None, None, 1e-5, False)],
       LAYER_ERRORS, **PLAIN),
    Op("native_layer_norm", _native_layer_norm,
       [S(t(3, 5), [5], None, None, 1e-5), S(t(2, 3, 4), [4], t(4), t(4), 1e-3)],
       LAYER_ERRORS[:0], **{**PLAIN, "grad": False}),
    *[Op(name, _rms_norm,
         [S(t(3, 5), [5]), S(t(2, 3, 4), [3, 4], t(3, 4), 1e-3), S(t(2, 40), [40], t(40))],
         LAYER_ERRORS[:1], **PLAIN) for name in ("rms_norm", "nn.rms_norm")],
    Op("nn.batch_norm", _nn_batch, [S(x, m, v, w, b, training=on) for x, w, b, m, v, on in BATCH],
       [E(RuntimeError, "running_mean " + CHANNEL_ERROR, t(2, 3), t(2), t(3)),
        E(RuntimeError, "running_mean must be defined in evaluation mode", t(2, 3), None, None),
        E(ValueError, "Expected more than 1 value per channel when training, got input size "
          "torch.Size([1, 3])", t(1, 3), None, None, training=True)], **PLAIN),
    Op("batch_norm", lambda x, w, b, m, v, on, _, eps, __: _batch(x, w, b, m, v, on, eps)[0],
       [S(*s, 0.1, 1e-5, False) for s in BATCH], **PLAIN),
    Op("native_batch_norm", lambda x, w, b, m, v, on, _, eps: _batch(x, w, b, m, v, on, eps),
       [S(*s, 0.1, 1e-5) for s in BATCH], **{**PLAIN, "grad": False}),
    Op("nn.instance_norm", _nn_instance,
       [S(t(2, 3, 5)), S(t(2, 3, 2, 4), weight=t(3), bias=t(3)),
        S(t(2, 3, 4), t(3, grad=False), t(3, lo=0.5, grad=False), use_input_stats=False)],
       [E(RuntimeError, "Expected running_mean and running_var to be defined when use_input_stats",
          t(2, 3, 4), use_input_stats=False),
        E(ValueError, "Expected more than 1 spatial element when training", t(2, 3, 1))], **PLAIN),
    Op("instance_norm", lambda x, w, b, m, v, on, _, eps, __: _instance(x, w, b, m, v, on, eps),
       [S(t(2, 3, 5), t(3), t(3), None, None, True, 0.1, 1e-5, False)], **PLAIN),
    Op("nn.group_norm", _group, GROUP, GROUP_ERRORS, **PLAIN),
    Op("group_norm", _group, [*GROUP, S(t(2, 4, 3), 2, None, None, 1e-5, False)], GROUP_ERRORS,
       **PLAIN),
    Op("native_group_norm", _native_group,
       [S(t(2, 6, 3), t(6), t(6), 2, 6, 3, 3, 1e-5), S(t(2, 4), None, None, 2, 4, 1, 2, 1e-3)],
       [E(RuntimeError, "Expected number of channels in input to be divisible by num_groups",
          t(2, 4), None, None, 2, 4, 1, 3, 1e-5)], **PLAIN),
]  # fmt: skip
