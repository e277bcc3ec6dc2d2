"""Modules, containers, layers and initialisers; numbers recorded from PyTorch 2.13."""

from __future__ import annotations

import collections
import copy
import math
import pickle

import d2lcore as torch
import pytest
from d2lcore import nn


def close(tensor, values, tolerance=1e-6):
    want = torch.tensor(values, dtype=tensor.dtype)
    assert tensor.shape == want.shape
    assert bool(((tensor.detach() - want).abs() <= tolerance).all()), (tensor, values)


def small_net():
    torch.manual_seed(3)
    inner = nn.Sequential(nn.Linear(5, 2, bias=False), nn.Tanh())
    return nn.Sequential(nn.Linear(3, 5), nn.ReLU(), inner, nn.Dropout(0.3))


# ---------------------------------------------------------------- layers


def test_linear_draws_pytorchs_weights():
    torch.manual_seed(0)
    layer = nn.Linear(3, 2)
    close(
        layer.weight,
        [
            [-0.004322517663240433, 0.3097158372402191, -0.4751853346824646],
            [-0.4248946011066437, -0.2223689705133438, 0.15482072532176971],
        ],
        1e-7,
    )
    close(layer.bias, [-0.011439144611358643, 0.45777493715286255], 1e-7)


def test_linear_is_x_w_transposed_plus_b():
    layer = nn.Linear(3, 2)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[1.0, 2.0, 3.0], [0.0, -1.0, 1.0]]))
        layer.bias.copy_(torch.tensor([10.0, 20.0]))
    x = torch.tensor([[1.0, 1.0, 1.0], [0.0, 1.0, 2.0]])
    close(layer(x), [[16.0, 20.0], [18.0, 21.0]])
    close(layer(input=x[0]), [16.0, 20.0])
    layer(x).sum().backward()
    close(layer.weight.grad, [[1.0, 2.0, 3.0]] * 2)
    close(layer.bias.grad, [2.0, 2.0])


def test_linear_reads_a_weight_that_is_no_parameter_any_more():
    layer = nn.Linear(2, 1, bias=False)
    del layer.weight
    layer.weight = torch.tensor([[2.0, 3.0]])
    close(layer(torch.tensor([1.0, 1.0])), [5.0])


ACTIVATIONS = [
    (nn.ReLU, lambda v: max(v, 0.0)),
    (nn.Sigmoid, lambda v: 1 / (1 + math.exp(-v))),
    (nn.Tanh, math.tanh),
    (nn.GELU, lambda v: v * (1 + math.erf(v / math.sqrt(2))) / 2),
    (
        lambda: nn.GELU("tanh"),
        lambda v: v / 2 * (1 + math.tanh(math.sqrt(2 / math.pi) * (v + 0.044715 * v**3))),
    ),
]


@pytest.mark.parametrize(("make", "formula"), ACTIVATIONS)
def test_activation(make, formula):
    values = [-2.0, -0.5, 0.0, 0.5, 2.0]
    close(make()(torch.tensor(values)), [formula(v) for v in values])


def test_softmax_and_log_softmax():
    x = torch.tensor([[1.0, 2.0], [0.0, 0.0]])
    p = 1 / (1 + math.exp(1))
    close(nn.Softmax(dim=1)(x), [[p, 1 - p], [0.5, 0.5]])
    close(nn.LogSoftmax(dim=1)(x), [[math.log(p), math.log(1 - p)], [math.log(0.5)] * 2])


def test_losses():
    x = torch.tensor([[1.0, 2.0, 0.0], [0.0, 0.0, 0.0]])
    y = torch.tensor([1, 2])
    total = math.exp(1) + math.exp(2) + 1
    first, second = -math.log(math.exp(2) / total), math.log(3)
    close(nn.CrossEntropyLoss()(x, y), (first + second) / 2)
    close(nn.CrossEntropyLoss(reduction="sum")(x, y), first + second)
    close(nn.CrossEntropyLoss(reduction="none")(x, y), [first, second])
    close(nn.CrossEntropyLoss(ignore_index=2)(x, y), first)
    weighted = nn.CrossEntropyLoss(weight=torch.tensor([1.0, 3.0, 1.0]))
    close(weighted(x, y), (3 * first + second) / 4)
    close(nn.NLLLoss()(torch.log_softmax(x, 1), y), (first + second) / 2)
    close(nn.MSELoss()(x, torch.zeros(2, 3)), 5 / 6)
    assert list(weighted.state_dict()) == ["weight"]


def test_flatten_and_dropout():
    assert nn.Flatten()(torch.zeros(2, 3, 4)).shape == (2, 12)
    assert nn.Flatten(0, 1)(torch.zeros(2, 3, 4)).shape == (6, 4)
    torch.manual_seed(0)
    ten = nn.Dropout(0.5)(torch.ones(10))
    assert ten.tolist() == [0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 2.0, 2.0, 0.0, 2.0]
    assert nn.Dropout(0.5).eval()(torch.ones(3)).tolist() == [1.0, 1.0, 1.0]
    with pytest.raises(ValueError, match=r"between 0 and 1, but got 1\.5"):
        nn.Dropout(1.5)


REPRS = [
    ("nn.ReLU()", "ReLU()"),
    ("nn.ReLU(inplace=True)", "ReLU(inplace=True)"),
    ("nn.GELU()", "GELU(approximate='none')"),
    ("nn.Softmax(dim=1)", "Softmax(dim=1)"),
    ("nn.LeakyReLU(0.2, True)", "LeakyReLU(negative_slope=0.2, inplace=True)"),
    ("nn.ELU()", "ELU(alpha=1.0)"),
    ("nn.Softplus()", "Softplus(beta=1.0, threshold=20.0)"),
    ("nn.Flatten()", "Flatten(start_dim=1, end_dim=-1)"),
    ("nn.Unflatten(1, (2, 3))", "Unflatten(dim=1, unflattened_size=(2, 3))"),
    ("nn.Dropout(0.2)", "Dropout(p=0.2, inplace=False)"),
    ("nn.Linear(3, 4)", "Linear(in_features=3, out_features=4, bias=True)"),
    ("nn.Identity(54)", "Identity()"),
    ("nn.CrossEntropyLoss()", "CrossEntropyLoss()"),
    ("nn.Module()", "Module()"),
    ("nn.ModuleList()", "ModuleList()"),
    ("nn.Parameter()", "Parameter containing:\ntensor([], requires_grad=True)"),
    (
        "nn.Sequential(nn.Linear(3, 4), nn.Sequential(nn.ReLU()))",
        "Sequential(\n  (0): Linear(in_features=3, out_features=4, bias=True)\n"
        "  (1): Sequential(\n    (0): ReLU()\n  )\n)",
    ),
    (
        "nn.ModuleList([nn.ReLU(), nn.ReLU(), nn.Tanh()])",
        "ModuleList(\n  (0-1): 2 x ReLU()\n  (2): Tanh()\n)",
    ),
    (
        "nn.ModuleDict({'a': nn.ReLU()})",
        "ModuleDict(\n  (a): ReLU()\n)",
    ),
    (
        "nn.ParameterList([torch.ones(2), torch.ones(2, 3)])",
        "ParameterList(\n    (0): Parameter containing: [torch.float32 of size 2]\n"
        "    (1): Parameter containing: [torch.float32 of size 2x3]\n)",
    ),
]


@pytest.mark.parametrize(("expression", "text"), REPRS)
def test_repr(expression, text):
    assert repr(eval(expression)) == text


# ---------------------------------------------------------------- Module


class Registered(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("kept", torch.ones(2))
        self.register_buffer("passing", torch.ones(3), persistent=False)
        self.layer = nn.Linear(1, 1)
        self.w = nn.Parameter(torch.ones(2))
        self.register_parameter("empty", None)
        self.plain = 3


def test_attributes_are_registered():
    m = Registered()
    assert [name for name, _ in m.named_parameters()] == ["w", "layer.weight", "layer.bias"]
    assert [name for name, _ in m.named_buffers()] == ["kept", "passing"]
    assert [name for name, _ in m.named_children()] == ["layer"]
    assert [name for name, _ in m.named_modules()] == ["", "layer"]
    assert list(m.state_dict()) == ["w", "kept", "layer.weight", "layer.bias"]
    assert m.state_dict()._metadata == {"": {"version": 1}, "layer": {"version": 1}}
    assert m.empty is None
    assert {"w", "kept", "layer", "plain"} <= set(dir(m))
    m.kept = torch.zeros(1)
    assert m.state_dict()["kept"].tolist() == [0.0]
    m.w = None
    assert m.w is None
    assert [name for name, _ in m.named_parameters()] == ["layer.weight", "layer.bias"]
    del m.layer
    assert not hasattr(m, "layer")


def test_a_parameter_takes_the_place_of_a_plain_attribute():
    m = nn.Module()
    m.x = 1
    m.x = nn.Parameter(torch.ones(1))
    assert "x" not in m.__dict__
    assert list(m.state_dict()) == ["x"]


def test_a_buffer_object_is_registered():
    m = nn.Module()
    m.a = nn.Buffer(torch.ones(1))
    m.b = nn.Buffer(torch.ones(1), persistent=False)
    assert list(m.state_dict()) == ["a"]
    assert len(list(m.buffers())) == 2


ERRORS = [
    (lambda m: m.foo, AttributeError, "'Registered' object has no attribute 'foo'"),
    (
        lambda m: setattr(m, "w", torch.ones(2)),
        TypeError,
        "cannot assign 'torch.FloatTensor' as parameter 'w' (torch.nn.Parameter or None expected)",
    ),
    (
        lambda m: setattr(m, "layer", 3),
        TypeError,
        "cannot assign 'int' as child module 'layer' (torch.nn.Module or None expected)",
    ),
    (
        lambda m: setattr(m, "kept", 3),
        TypeError,
        "cannot assign 'int' as buffer 'kept' (torch.nn.Buffer, torch.Tensor or None expected)",
    ),
    (lambda m: m.register_parameter("a.b", None), KeyError, 'parameter name can\'t contain "."'),
    (lambda m: m.register_parameter("", None), KeyError, "parameter name can't be empty string"),
    (lambda m: m.register_parameter("plain", None), KeyError, "attribute 'plain' already exists"),
    (
        lambda m: m.register_parameter("n", torch.ones(1)),
        TypeError,
        "cannot assign 'torch.FloatTensor' object to parameter 'n' "
        "(torch.nn.Parameter or None required)",
    ),
    (lambda m: m.register_buffer(3, None), TypeError, "buffer name should be a string. Got int"),
    (lambda m: m.add_module("a", 3), TypeError, "int is not a Module subclass"),
    (
        lambda m: m.add_module("a.b", None),
        KeyError,
        'module name can\'t contain ".", got: a.b',
    ),
    (lambda m: m.get_submodule("layer.x"), AttributeError, "Linear has no attribute `x`"),
    (lambda m: m.get_parameter("kept"), AttributeError, "`kept` is not an nn.Parameter"),
    (lambda m: m.get_buffer("w"), AttributeError, "`w` is not a buffer"),
    (lambda m: m.train(3), ValueError, "training mode is expected to be boolean"),
    (lambda m: m.to(torch.int32), TypeError, "only accepts floating point or complex dtypes"),
    (
        lambda m: m(1),
        NotImplementedError,
        'Module [Registered] is missing the required "forward" function',
    ),
    (
        lambda m: nn.Module(a=1),
        TypeError,
        "Module.__init__() got an unexpected keyword argument 'a'",
    ),
    (
        lambda m: nn.Module(1),
        TypeError,
        "Module.__init__() takes 1 positional argument but 2 were given",
    ),
    (lambda m: nn.Sequential(3), TypeError, "int is not a Module subclass"),
    (lambda m: nn.Parameter(torch.tensor([1])), RuntimeError, "floating point and complex"),
    (lambda m: nn.Unflatten(1, (1.5,)), TypeError, "found element of type float at pos 0"),
]


@pytest.mark.parametrize(("act", "kind", "text"), ERRORS)
def test_errors(act, kind, text):
    with pytest.raises(kind) as caught:
        act(Registered())
    assert text in str(caught.value.args[0])


def test_assigning_before_init_is_refused():
    class Early(nn.Module):
        def __init__(self, value):
            self.x = value

    with pytest.raises(AttributeError, match="cannot assign parameters before"):
        Early(nn.Parameter(torch.ones(1)))
    with pytest.raises(AttributeError, match="cannot assign module before"):
        Early(nn.ReLU())


def test_shared_modules_and_parameters_count_once():
    layer = nn.Linear(2, 2)
    net = nn.Sequential(layer, layer)
    assert [name for name, _ in net.named_parameters()] == ["0.weight", "0.bias"]
    assert len(list(net.modules())) == 2
    assert len(list(net.named_parameters(remove_duplicate=False))) == 4
    assert list(net.state_dict()) == ["0.weight", "0.bias", "1.weight", "1.bias"]


def test_hooks():
    log = []
    layer = nn.Linear(2, 1)
    x = torch.ones(1, 2)
    zero = layer.register_forward_hook(lambda module, args, output: output * 0)
    layer.register_forward_pre_hook(lambda module, args: log.append("pre"))
    first = layer.register_forward_pre_hook(
        lambda module, args, kwargs: log.append(sorted(kwargs)), with_kwargs=True, prepend=True
    )
    assert layer(x).tolist() == [[0.0]]
    layer(input=x)
    assert log == [[], "pre", ["input"], "pre"]
    zero.remove()
    zero.remove()
    first.remove()
    assert layer(x).tolist() != [[0.0]]
    assert log[4:] == ["pre"]
    with layer.register_forward_pre_hook(lambda module, args: args[0] * 0):
        assert layer(x).tolist() == [layer.bias.tolist()]


def test_an_always_called_hook_sees_a_failed_forward():
    log = []
    layer = nn.Linear(2, 1)
    layer.register_forward_hook(lambda m, a, out: log.append(out), always_call=True)
    layer.register_forward_hook(lambda m, a, out: log.append("never"))
    with pytest.raises(RuntimeError):
        layer(torch.ones(1, 3))
    assert log == [None]


def test_global_hooks():
    log = []
    module = nn.modules.module
    with module.register_module_forward_hook(lambda m, a, out: log.append(type(m).__name__)):
        small_net()(torch.ones(1, 3))
    small_net()(torch.ones(1, 3))
    assert log == ["Linear", "ReLU", "Linear", "Tanh", "Sequential", "Dropout", "Sequential"]


def test_forward_may_be_replaced_on_an_instance():
    layer = nn.ReLU()
    layer.forward = lambda x: x + 1
    assert layer(torch.zeros(1)).tolist() == [1.0]


def test_apply_train_and_gradients():
    net, order = small_net(), []
    assert net.apply(lambda m: order.append(type(m).__name__)) is net
    assert order == ["Linear", "ReLU", "Linear", "Tanh", "Sequential", "Dropout", "Sequential"]
    assert not any(m.training for m in net.eval().modules())
    assert all(m.training for m in net.train().modules())
    net(torch.ones(1, 3)).sum().backward()
    assert all(p.grad is not None for p in net.parameters())
    net.zero_grad(set_to_none=False)
    assert float(net[0].weight.grad.abs().sum()) == 0.0
    net.zero_grad()
    assert all(p.grad is None for p in net.parameters())
    net.requires_grad_(False)
    assert not any(p.requires_grad for p in net.parameters())


def test_conversion_keeps_the_parameter_objects():
    m = Registered()
    m.register_buffer("count", torch.tensor(3))
    w = m.w
    m.double()
    assert m.w is w
    assert m.w.dtype == m.kept.dtype == torch.float64
    assert m.count.dtype == torch.int64
    m.to("cpu", torch.float16)
    assert m.w.dtype == torch.float16
    m.to(torch.zeros(1))
    assert m.w.dtype == torch.float32
    assert isinstance(m.w, nn.Parameter)
    assert m.w.is_leaf


def test_deepcopy_and_pickle():
    net = small_net().eval()
    x = torch.ones(2, 3)
    for twin in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert repr(twin) == repr(net)
        assert twin(x).tolist() == net(x).tolist()
        assert twin[0].weight is not net[0].weight
        assert isinstance(twin[0].weight, nn.Parameter)
        assert not twin.training
    shared = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    shared[1].weight = shared[0].weight
    twin = copy.deepcopy(shared)
    assert twin[1].weight is twin[0].weight


# ---------------------------------------------------------------- state dicts


def test_state_dict_round_trip():
    a, b = small_net(), small_net()
    with torch.no_grad():
        for p in a.parameters():
            p.add_(1)
    state = a.state_dict()
    assert type(state) is collections.OrderedDict
    assert not any(t.requires_grad for t in state.values())
    assert state["0.weight"].data_ptr() == a[0].weight.data_ptr()
    assert repr(b.load_state_dict(state)) == "<All keys matched successfully>"
    assert b[0].weight.tolist() == a[0].weight.tolist()
    assert b[0].weight.requires_grad


def test_state_dict_errors_are_all_listed():
    net = nn.Linear(3, 2)
    with pytest.raises(RuntimeError) as caught:
        net.load_state_dict({"weight": torch.ones(5), "q": torch.ones(2), "a.b": 1})
    assert str(caught.value) == (
        "Error(s) in loading state_dict for Linear:\n"
        '\tMissing key(s) in state_dict: "bias". \n'
        '\tUnexpected key(s) in state_dict: "q", "a.b". \n'
        "\tsize mismatch for weight: copying a param with shape torch.Size([5]) from checkpoint, "
        "the shape in current model is torch.Size([2, 3])."
    )
    keys = net.load_state_dict({"q": 1}, strict=False)
    assert keys.missing_keys == ["weight", "bias"]
    assert keys.unexpected_keys == ["q"]
    with pytest.raises(TypeError, match="Expected state_dict to be dict-like"):
        net.load_state_dict(3)
    with pytest.raises(RuntimeError, match=r"expected torch\.Tensor or Tensor-like object"):
        net.load_state_dict({"weight": 3, "bias": torch.ones(2)})


def test_load_with_assign_takes_the_tensors_themselves():
    net = nn.Linear(3, 2)
    state = nn.Linear(3, 2).double().state_dict()
    net.load_state_dict(state, assign=True)
    assert net.weight.dtype == torch.float64
    assert isinstance(net.weight, nn.Parameter)
    assert net.weight.data_ptr() == state["weight"].data_ptr()


def test_extra_state_and_state_dict_hooks():
    class Extra(nn.Module):
        def get_extra_state(self):
            return 5

        def set_extra_state(self, state):
            self.got = state

    module = Extra()
    module.register_state_dict_post_hook(lambda m, state, prefix, meta: state.update(more=1))
    state = module.state_dict()
    assert state == {"_extra_state": 5, "more": 1}
    module.register_load_state_dict_post_hook(lambda m, keys: keys.unexpected_keys.clear())
    module.load_state_dict(state)
    assert module.got == 5


# ---------------------------------------------------------------- containers


def names(modules):
    return [type(m).__name__ for m in modules]


def test_sequential():
    net = nn.Sequential(nn.ReLU(), nn.Tanh(), nn.Sigmoid())
    assert names(net) == ["ReLU", "Tanh", "Sigmoid"]
    assert names(net[1:]) == ["Tanh", "Sigmoid"]
    assert names([net[0], net[-1]]) == ["ReLU", "Sigmoid"]
    net[1] = nn.GELU()
    assert names(net.append(nn.Flatten())) == ["ReLU", "GELU", "Sigmoid", "Flatten"]
    assert names(net.insert(1, nn.Tanh())) == ["ReLU", "Tanh", "GELU", "Sigmoid", "Flatten"]
    del net[1:3]
    assert list(net._modules) == ["0", "1", "2"]
    assert names([net.pop(0), *net]) == ["ReLU", "Sigmoid", "Flatten"]
    assert names(net + nn.Sequential(nn.ReLU())) == ["Sigmoid", "Flatten", "ReLU"]
    assert len(net * 3) == 6
    named = nn.Sequential(collections.OrderedDict(a=nn.ReLU(), b=nn.Tanh()))
    assert list(named[1:]._modules) == ["b"]
    assert isinstance(named.b, nn.Tanh)
    for index in (7, -7):
        with pytest.raises(IndexError, match="is out of range"):
            net[index]


def test_module_list_and_dict():
    layers = nn.ModuleList([nn.ReLU(), nn.Tanh()])
    layers += [nn.Sigmoid()]
    layers.insert(1, nn.GELU())
    assert names(layers) == ["ReLU", "GELU", "Tanh", "Sigmoid"]
    assert names(layers[1:3]) == ["GELU", "Tanh"]
    assert names([layers.pop(0), *layers]) == ["ReLU", "GELU", "Tanh", "Sigmoid"]
    del layers[0]
    assert list(layers._modules) == ["0", "1"]
    choices = nn.ModuleDict({"a": nn.ReLU(), "b": nn.Linear(2, 1)})
    choices["c"] = nn.Tanh()
    assert list(choices) == ["a", "b", "c"]
    assert "b" in choices
    assert list(choices.state_dict()) == ["b.weight", "b.bias"]
    assert type(choices.pop("a")) is nn.ReLU
    assert list(choices.keys()) == ["b", "c"]
    with pytest.raises(TypeError, match="should be called with an iterable of key/value pairs"):
        choices.update(3)


def test_parameter_list_and_dict():
    some = nn.ParameterList([torch.ones(2), nn.Parameter(torch.ones(2, 3))])
    some.append(torch.zeros(1))
    assert len(some) == 3
    assert list(some.state_dict()) == ["0", "1", "2"]
    assert isinstance(some[-1], nn.Parameter)
    assert len(some[1:]) == 2
    table = nn.ParameterDict({"a": torch.ones(2)})
    table["b"] = torch.ones(1)
    assert list(table) == ["a", "b"]
    assert list(table.state_dict()) == ["a", "b"]
    assert table.get("z") is None
    assert table.pop("a").tolist() == [1.0, 1.0]
    assert len(table | nn.ParameterDict({"q": torch.ones(1)})) == 2


# ---------------------------------------------------------------- Parameter, init


def test_parameter():
    data = torch.ones(2)
    p = nn.Parameter(data)
    assert p.requires_grad
    assert p.is_leaf
    assert p.data_ptr() == data.data_ptr()
    assert type(p * 2) is torch.Tensor
    p.note = "kept"
    assert pickle.loads(pickle.dumps(p)).note == "kept"
    twin = copy.deepcopy(p)
    assert type(twin) is nn.Parameter
    assert twin.data_ptr() != p.data_ptr()


INIT = [
    (
        "uniform_",
        (4,),
        (-1, 2),
        {},
        [0.4887697696685791, 1.3046653270721436, -0.7345677018165588, -0.6039085388183594],
    ),
    (
        "normal_",
        (4,),
        (1, 2),
        {},
        [4.081992149353027, 0.4131421744823456, -3.357578754425049, 2.1368625164031982],
    ),
    (
        "xavier_uniform_",
        (2, 2),
        (),
        {},
        [[-0.009169445373117924, 0.657006561756134], [-1.0080204010009766, -0.9013375639915466]],
    ),
    (
        "xavier_normal_",
        (2, 2),
        (2.0,),
        {},
        [[2.179297685623169, -0.41497114300727844], [-3.0812735557556152, 0.8038831949234009]],
    ),
    (
        "kaiming_uniform_",
        (2, 2),
        (),
        {"nonlinearity": "relu"},
        [[-0.012967552989721298, 0.9291475415229797], [-1.425555944442749, -1.2746837139129639]],
    ),
    (
        "kaiming_normal_",
        (2, 2),
        (),
        {"mode": "fan_out"},
        [[1.5409960746765137, -0.293428897857666], [-2.1787893772125244, 0.5684312582015991]],
    ),
    (
        "trunc_normal_",
        (2, 3),
        (),
        {},
        [
            [1.5409960746765137, -0.293428897857666, -0.7192575931549072],
            [0.5684312582015991, -1.0845223665237427, -1.3985954523086548],
        ],
    ),
    (
        "trunc_normal_",
        (2, 3),
        (0.0, 1.0, 2.0, 3.0),
        {},
        [
            [2.0223257541656494, 2.1688590049743652, 2.088477373123169],
            [2.132030487060547, 2.3074228763580322, 2.373417377471924],
        ],
    ),
    ("constant_", (2,), (0.5,), {}, [0.5, 0.5]),
    ("ones_", (2,), (), {}, [1.0, 1.0]),
    ("zeros_", (2,), (), {}, [0.0, 0.0]),
    ("eye_", (2, 3), (), {}, [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]),
]


@pytest.mark.parametrize(("name", "shape", "args", "kwargs", "values"), INIT)
def test_init(name, shape, args, kwargs, values):
    torch.manual_seed(0)
    tensor = nn.Parameter(torch.empty(shape))
    assert getattr(nn.init, name)(tensor, *args, **kwargs) is tensor
    assert tensor.requires_grad
    assert tensor.grad_fn is None
    close(tensor, values, 1e-6)


def test_gain_and_fan():
    assert nn.init.calculate_gain("tanh") == 5 / 3
    assert nn.init.calculate_gain("leaky_relu", 0.2) == math.sqrt(2 / 1.04)
    with pytest.raises(ValueError, match="Unsupported nonlinearity odd"):
        nn.init.calculate_gain("odd")
    assert nn.init._calculate_fan_in_and_fan_out(torch.empty(4, 3, 5, 5)) == (75, 100)
    with pytest.raises(ValueError, match="fewer than 2 dimensions"):
        nn.init.xavier_uniform_(torch.empty(3))
    with pytest.raises(ValueError, match="Mode odd not supported"):
        nn.init.kaiming_normal_(torch.empty(3, 3), mode="odd")
