"""Modules as functions of their parameters."""

from __future__ import annotations

from d2lcore import _C
from d2lcore._C import Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any


def _owner(module: Any, path: str) -> tuple[dict[str, Any], str]:
    """The dict of parameters or buffers that a dotted name leads to, and the last name."""
    *parents, last = path.split(".")
    for name in parents:
        if name not in module._modules:
            raise AttributeError(f"{type(module).__name__} has no attribute `{name}`")
        module = module._modules[name]
    for table in (module._parameters, module._buffers):
        if last in table:
            found: dict[str, Any] = table
            return found, last
    raise AttributeError(f"{type(module).__name__} has no attribute `{last}`")


def _named(module: Any) -> dict[str, Tensor]:
    named = dict(module.named_parameters(remove_duplicate=False))
    named.update(module.named_buffers(remove_duplicate=False))
    return named


def functional_call(
    module: Any,
    parameter_and_buffer_dicts: Mapping[str, Tensor] | Sequence[Mapping[str, Tensor]],
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """Calls a module with other tensors in place of its parameters and buffers.

    Args:
        module: left as it was.
        parameter_and_buffer_dicts: new tensors by name, in one dict or several; names that are
            missing keep their tensors, and names that the module does not have are ignored.
        args: the argument of the module, or a tuple of them.
        kwargs: its keyword arguments.
        tie_weights: a tensor given for one of several names of the same parameter is used for all.
        strict: names must be all that the module has.

    Raises:
        RuntimeError: with ``strict``, names that are missing or too many.
        ValueError: a name in two dicts.

    >>> import d2lcore as torch
    >>> net = torch.nn.Linear(2, 1, bias=False)
    >>> torch.func.functional_call(net, {"weight": torch.ones(1, 2)}, torch.ones(3, 2))
    tensor([[2.],
            [2.],
            [2.]])
    """
    dicts: list[Any] = (
        [parameter_and_buffer_dicts]
        if isinstance(parameter_and_buffer_dicts, dict)
        else list(parameter_and_buffer_dicts)
    )
    given: dict[str, Tensor] = {}
    for some in dicts:
        for name, tensor in some.items():
            if name in given:
                raise ValueError(f"{name} appears in multiple dictionaries; behavior is ambiguous")
            given[name] = tensor
    own = _named(module)
    if tie_weights:
        names_of: dict[int, list[str]] = {}
        for name, tensor in own.items():
            names_of.setdefault(id(tensor), []).append(name)
        for names in names_of.values():
            chosen = {id(given[n]): given[n] for n in names if n in given}
            if len(chosen) > 1:
                raise ValueError(
                    f"functional_call got multiple values for keys {sorted(names)}, which are "
                    "tied. Consider using tie_weights=False"
                )
            for tensor in chosen.values():
                given.update(dict.fromkeys(names, tensor))
    if strict:
        missing, unexpected = sorted(own.keys() - given), sorted(given.keys() - own)
        if missing or unexpected:
            words = []
            if unexpected:
                words.append("Unexpected key(s): " + ", ".join(map(repr, unexpected)) + ".")
            if missing:
                words.append("Missing key(s): " + ", ".join(map(repr, missing)) + ".")
            raise RuntimeError(
                "Error(s) in reparametrizing for {}:\n\t{}".format(
                    type(module).__name__, "\n\t".join(words)
                )
            )
    places = [(*_owner(module, name), t) for name, t in given.items() if name in own]
    before = [(table, name, table[name]) for table, name, _ in places]
    positional = () if args is None else args if isinstance(args, tuple) else (args,)
    try:
        for table, name, tensor in places:
            table[name] = tensor
        return module(*positional, **(kwargs or {}))
    finally:
        for table, name, tensor in before:
            table[name] = tensor


def stack_module_state(models: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Returns the parameters and the buffers of modules of one class, stacked, by name: for an
    ensemble that ``vmap`` runs at once through :func:`functional_call`.

    >>> import d2lcore as torch
    >>> models = [torch.nn.Linear(2, 3) for _ in range(4)]
    >>> params, buffers = torch.func.stack_module_state(models)
    >>> params["weight"].shape
    torch.Size([4, 3, 2])
    """
    models = list(models)
    if not models:
        raise RuntimeError("stack_module_state: Expected at least one model, got 0.")
    if not (all(m.training for m in models) or not any(m.training for m in models)):
        raise RuntimeError(
            "stack_module_state: Expected all models to have the same training/eval mode."
        )
    if any(type(m) is not type(models[0]) for m in models):
        raise RuntimeError("stack_module_state: Expected all models to be of the same class.")

    def stacked(tables: list[dict[str, Tensor]], parameters: bool) -> dict[str, Any]:
        out = {}
        for name in tables[0]:
            column = [table[name] for table in tables]
            flags = {t.requires_grad for t in column}
            if len(flags) > 1:
                raise RuntimeError(
                    f"Expected {name} from each model to have the same .requires_grad"
                )
            value = _C.stack([t.detach() for t in column])
            out[name] = value.requires_grad_(flags.pop()) if parameters else value
        return out

    return (
        stacked([dict(m.named_parameters()) for m in models], True),
        stacked([dict(m.named_buffers()) for m in models], False),
    )
