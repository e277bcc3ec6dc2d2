"""`Module`: the base of every layer.

The idea: parameters, buffers and submodules live in three dictionaries of the instance
(``_parameters``, ``_buffers``, ``_modules``); ``__setattr__`` sorts each assigned value into the
right one and ``__getattr__`` finds it there.  All the rest (``parameters()``, ``to()``, printing,
and ``state_dict()`` in ``_state.py``) is a walk over these dictionaries.  A module without hooks
is called straight through: ``__call__`` tests one flag and calls ``forward``.
"""

from __future__ import annotations

from collections import OrderedDict

import d2lcore
from d2lcore import Tensor
from d2lcore.nn.modules._state import (
    StateDict,
    _IncompatibleKeys,  # noqa: F401
)
from d2lcore.nn.parameter import Buffer, Parameter
from d2lcore.utils.hooks import RemovableHandle

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

    from typing_extensions import Self


_global_forward_pre_hooks: OrderedDict[int, Any] = OrderedDict()
_global_forward_hooks: OrderedDict[int, Any] = OrderedDict()
_global_always_called: OrderedDict[int, bool] = OrderedDict()


def register_module_forward_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Calls ``hook(module, args)`` before the forward of every module; see `Module`."""
    handle = RemovableHandle(_global_forward_pre_hooks)
    _global_forward_pre_hooks[handle.id] = hook
    return handle


def register_module_forward_hook(
    hook: Callable[..., Any], *, always_call: bool = False
) -> RemovableHandle:
    """Calls ``hook(module, args, output)`` after the forward of every module; see `Module`."""
    handle = RemovableHandle(_global_forward_hooks, extra_dict=_global_always_called)
    _global_forward_hooks[handle.id] = hook
    if always_call:
        _global_always_called[handle.id] = True
    return handle


def _typename(value: Any) -> str:
    if isinstance(value, Tensor):
        return str(value.type())
    cls = type(value)
    module = cls.__module__
    return cls.__qualname__ if module in ("builtins", None) else f"{module}.{cls.__qualname__}"


def _indent(text: str) -> str:
    """Indents all lines but the first by two spaces."""
    return text.replace("\n", "\n  ")


class Module(StateDict):
    """Base class of all neural network modules.

    A subclass calls ``super().__init__()``, assigns its layers and parameters as attributes,
    and defines ``forward``.  Calling the module runs ``forward`` between its hooks.

    Example::

        >>> class Scale(torch.nn.Module):
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.factor = torch.nn.Parameter(torch.tensor(2.0))
        ...     def forward(self, x):
        ...         return x * self.factor
        >>> Scale()(torch.ones(2))
        tensor([2., 2.], grad_fn=<MulBackward0>)
    """

    dump_patches: bool = False
    call_super_init: bool = False
    # Set on an instance by its first hook and never cleared: `False` promises no hooks.
    _hooked: bool = False

    training: bool
    _forward_hooks: OrderedDict[int, Any]
    _forward_hooks_with_kwargs: OrderedDict[int, Any]
    _forward_hooks_always_called: OrderedDict[int, Any]
    _forward_pre_hooks: OrderedDict[int, Any]
    _forward_pre_hooks_with_kwargs: OrderedDict[int, Any]
    forward: Callable[..., Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if not self.call_super_init:
            if kwargs:
                name = type(self).__name__
                key = next(iter(kwargs))
                raise TypeError(f"{name}.__init__() got an unexpected keyword argument '{key}'")
            if args:
                raise TypeError(
                    f"{type(self).__name__}.__init__() takes 1 positional argument but "
                    f"{len(args) + 1} were given"
                )
        self.__dict__.update(_empty_state())
        if self.call_super_init:
            super().__init__(*args, **kwargs)

    # ------------------------------------------------------------------ calling

    def forward(self, *input: Any) -> Any:  # type: ignore[no-redef]
        """Computes the output; every subclass defines its own."""
        raise NotImplementedError(
            f'Module [{type(self).__name__}] is missing the required "forward" function'
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._hooked or _global_forward_hooks or _global_forward_pre_hooks:
            return self._call_with_hooks(args, kwargs)
        return self.forward(*args, **kwargs)

    def _call_with_hooks(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        pre = (*_global_forward_pre_hooks.items(), *self._forward_pre_hooks.items())
        for key, hook in pre:
            if key in self._forward_pre_hooks_with_kwargs:
                changed = hook(self, args, kwargs)
                if changed is not None:
                    if not (isinstance(changed, tuple) and len(changed) == 2):
                        raise RuntimeError(
                            "forward pre-hook must return None or a tuple of (new_args, "
                            f"new_kwargs), but got {changed}."
                        )
                    args, kwargs = changed
            else:
                changed = hook(self, args)
                if changed is not None:
                    args = changed if isinstance(changed, tuple) else (changed,)
        done: set[int] = set()
        result: Any = None
        try:
            result = self.forward(*args, **kwargs)
            for key, hook in (*_global_forward_hooks.items(), *self._forward_hooks.items()):
                done.add(key)
                result = self._after(key, hook, args, kwargs, result)
        except Exception:
            # Hooks that asked for it run even so; what they raise is not to hide the error.
            for key, hook in (*_global_forward_hooks.items(), *self._forward_hooks.items()):
                wanted = key in _global_always_called or key in self._forward_hooks_always_called
                if wanted and key not in done:
                    try:
                        result = self._after(key, hook, args, kwargs, result)
                    except Exception as error:
                        import warnings

                        warnings.warn(
                            "module forward hook with ``always_call=True`` raised an exception "
                            f"that was silenced as another error was raised in forward: {error}",
                            stacklevel=2,
                        )
            raise
        return result

    def _after(self, key: int, hook: Any, args: Any, kwargs: Any, result: Any) -> Any:
        if key in self._forward_hooks_with_kwargs:
            changed = hook(self, args, kwargs, result)
        else:
            changed = hook(self, args, result)
        return result if changed is None else changed

    def register_forward_pre_hook(
        self,
        hook: Callable[..., Any],
        *,
        prepend: bool = False,
        with_kwargs: bool = False,
    ) -> RemovableHandle:
        """Calls ``hook(module, args)`` before each forward.

        What the hook returns, unless None, replaces the positional arguments.  With
        ``with_kwargs`` it is called as ``hook(module, args, kwargs)`` and may return a pair.
        ``prepend`` puts it before the hooks registered so far.
        """
        flags = self._forward_pre_hooks_with_kwargs
        handle = RemovableHandle(self._forward_pre_hooks, extra_dict=flags)
        return self._add_hook(self._forward_pre_hooks, handle, hook, prepend, with_kwargs, flags)

    def register_forward_hook(
        self,
        hook: Callable[..., Any],
        *,
        prepend: bool = False,
        with_kwargs: bool = False,
        always_call: bool = False,
    ) -> RemovableHandle:
        """Calls ``hook(module, args, output)`` after each forward.

        What the hook returns, unless None, replaces the output.  With ``with_kwargs`` it is
        called as ``hook(module, args, kwargs, output)``; with ``always_call`` also when forward
        raised.  ``prepend`` puts it before the hooks registered so far.
        """
        flags = self._forward_hooks_with_kwargs
        always = self._forward_hooks_always_called
        handle = RemovableHandle(self._forward_hooks, extra_dict=[flags, always])
        if always_call:
            always[handle.id] = True
        return self._add_hook(self._forward_hooks, handle, hook, prepend, with_kwargs, flags)

    def _add_hook(
        self, hooks: Any, handle: RemovableHandle, hook: Any, prepend: bool, kw: bool, flags: Any
    ) -> RemovableHandle:
        self.__dict__["_hooked"] = True
        hooks[handle.id] = hook
        if kw:
            flags[handle.id] = True
        if prepend:
            hooks.move_to_end(handle.id, last=False)
        return handle

    # ------------------------------------------------------------------ attributes

    def __getattr__(self, name: str) -> Any:
        # Called only for names that are not ordinary attributes.
        state = self.__dict__
        for kind in ("_parameters", "_modules", "_buffers"):
            members = state.get(kind)
            if members is not None and name in members:
                return members[name]
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    def __setattr__(self, name: str, value: Any) -> None:
        state = self.__dict__
        parameters = state.get("_parameters")
        if isinstance(value, Parameter):
            if parameters is None:
                raise AttributeError("cannot assign parameters before Module.__init__() call")
            self._forget(name, "__dict__", "_buffers", "_modules")
            self.register_parameter(name, value)
            return
        if isinstance(value, Module):
            if parameters is None:
                raise AttributeError("cannot assign module before Module.__init__() call")
            if name not in parameters:
                self._forget(name, "__dict__", "_buffers")
                state["_modules"][name] = value
                return
        if parameters is not None:
            if name in parameters:
                if value is not None:
                    raise TypeError(
                        f"cannot assign '{_typename(value)}' as parameter '{name}' "
                        "(torch.nn.Parameter or None expected)"
                    )
                parameters[name] = None
                return
            if name in state["_modules"]:
                if value is not None:
                    raise TypeError(
                        f"cannot assign '{_typename(value)}' as child module '{name}' "
                        "(torch.nn.Module or None expected)"
                    )
                state["_modules"][name] = None
                return
            if name in state["_buffers"]:
                if value is not None and not isinstance(value, Tensor):
                    raise TypeError(
                        f"cannot assign '{_typename(value)}' as buffer '{name}' "
                        "(torch.nn.Buffer, torch.Tensor or None expected)"
                    )
                state["_buffers"][name] = value
                if isinstance(value, Buffer):
                    self._set_persistent(name, value.persistent)
                return
        if isinstance(value, Buffer):
            if parameters is None:
                raise AttributeError("cannot assign buffer before Module.__init__() call")
            self._forget(name, "__dict__")
            self.register_buffer(name, value, value.persistent)
            return
        object.__setattr__(self, name, value)

    def _forget(self, name: str, *kinds: str) -> None:
        """Removes `name` from the places where its new value does not belong."""
        for kind in kinds:
            (self.__dict__ if kind == "__dict__" else self.__dict__[kind]).pop(name, None)
        self._non_persistent_buffers_set.discard(name)

    def _set_persistent(self, name: str, persistent: bool) -> None:
        if persistent:
            self._non_persistent_buffers_set.discard(name)
        else:
            self._non_persistent_buffers_set.add(name)

    def __delattr__(self, name: str) -> None:
        if name in self._parameters:
            del self._parameters[name]
        elif name in self._buffers:
            del self._buffers[name]
            self._non_persistent_buffers_set.discard(name)
        elif name in self._modules:
            del self._modules[name]
        else:
            object.__delattr__(self, name)

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(_empty_state())
        self.__dict__.update(state)

    def __dir__(self) -> list[str]:
        names = {*dir(type(self)), *self.__dict__}
        names.update(self._parameters, self._modules, self._buffers)
        return sorted(name for name in names if not name[0].isdigit())

    def _check_new_name(self, name: Any, kind: str, known: Mapping[str, Any]) -> None:
        if not isinstance(name, str):
            raise TypeError(f"{kind} name should be a string. Got {_typename(name)}")
        if hasattr(self, name) and name not in known:
            raise KeyError(f"attribute '{name}' already exists")
        if "." in name:
            raise KeyError(f'{kind} name can\'t contain "."' + _got(name, kind))
        if name == "":
            raise KeyError(f'{kind} name can\'t be empty string ""')

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Adds a parameter, or a place for one (None), under an attribute name.

        Raises:
            KeyError: the name is taken, empty or contains a dot.
            TypeError: ``param`` is neither a Parameter nor None.
            ValueError: ``param`` is the result of an operation.
        """
        if "_parameters" not in self.__dict__:
            raise AttributeError("cannot assign parameter before Module.__init__() call")
        self._check_new_name(name, "parameter", self._parameters)
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(
                f"cannot assign '{_typename(param)}' object to parameter '{name}' "
                "(torch.nn.Parameter or None required)"
            )
        if param is not None and param.grad_fn is not None:
            raise ValueError(
                f"Cannot assign non-leaf Tensor to parameter '{name}'. Model parameters must be "
                f"created explicitly. To express '{name}' as a function of another Tensor, "
                "compute the value in the forward() method."
            )
        self._parameters[name] = param

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Adds a tensor that is part of the module's state but is not trained.

        Args:
            name: the attribute's name.
            tensor: a tensor of any shape and dtype, or None for an empty place.
            persistent: whether ``state_dict()`` contains it.
        """
        if "_buffers" not in self.__dict__:
            raise AttributeError("cannot assign buffer before Module.__init__() call")
        self._check_new_name(name, "buffer", self._buffers)
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(
                f"cannot assign '{_typename(tensor)}' object to buffer '{name}' "
                "(torch Tensor or None required)"
            )
        self._buffers[name] = tensor
        self._set_persistent(name, persistent)

    def add_module(self, name: str, module: Module | None) -> None:
        """Adds a submodule under an attribute name; the name must be free and without dots."""
        if not isinstance(module, Module) and module is not None:
            raise TypeError(f"{_typename(module)} is not a Module subclass")
        self._check_new_name(name, "module", self._modules)
        self._modules[name] = module

    def register_module(self, name: str, module: Module | None) -> None:
        """The same as `add_module`."""
        self.add_module(name, module)

    # ------------------------------------------------------------------ look-up by path

    def get_submodule(self, target: str) -> Module:
        """Returns the submodule at a dotted path; ``""`` is the module itself.

        Raises:
            AttributeError: there is no such attribute, or it is not a module.
        """
        found: Any = self
        if target == "":
            return self
        for item in target.split("."):
            if not hasattr(found, item):
                raise AttributeError(f"{found._get_name()} has no attribute `{item}`")
            found = getattr(found, item)
            if not isinstance(found, Module):
                raise AttributeError(f"`{item}` is not an nn.Module")
        result: Module = found
        return result

    def _get_leaf(self, target: str) -> tuple[Module, str]:
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        if not hasattr(module, name):
            raise AttributeError(f"{module._get_name()} has no attribute `{name}`")
        return module, name

    def get_parameter(self, target: str) -> Parameter:
        """Returns the parameter at a dotted path; AttributeError when there is none."""
        module, name = self._get_leaf(target)
        value = getattr(module, name)
        if not isinstance(value, Parameter):
            raise AttributeError(f"`{name}` is not an nn.Parameter")
        return value

    def get_buffer(self, target: str) -> Tensor:
        """Returns the buffer at a dotted path; AttributeError when there is none."""
        module, name = self._get_leaf(target)
        if name not in module._buffers:
            raise AttributeError(f"`{name}` is not a buffer")
        value: Tensor = getattr(module, name)
        return value

    def set_submodule(self, target: str, module: Module, strict: bool = False) -> None:
        """Puts ``module`` at a dotted path; with ``strict`` the place must exist already."""
        if target == "":
            raise ValueError("Cannot set the submodule without a target name!")
        path, _, name = target.rpartition(".")
        parent = self.get_submodule(path)
        if strict and not hasattr(parent, name):
            raise AttributeError(f"{parent._get_name()} has no attribute `{name}`")
        if hasattr(parent, name) and not isinstance(getattr(parent, name), Module):
            raise AttributeError(f"`{name}` is not an nn.Module")
        if not isinstance(module, Module):
            raise ValueError(f"`module` is not an nn.Module, found {type(module)}")
        setattr(parent, name, module)

    # ------------------------------------------------------------------ walking

    def children(self) -> Iterator[Module]:
        """Yields the direct submodules, each once."""
        for _, module in self.named_children():
            yield module

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """Yields the direct submodules with their names, each once."""
        seen = set()
        for name, module in self._modules.items():
            if module is not None and module not in seen:
                seen.add(module)
                yield name, module

    def modules(self) -> Iterator[Module]:
        """Yields the module itself and all modules below it, each once."""
        for _, module in self.named_modules():
            yield module

    def named_modules(
        self, memo: set[Module] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """Yields the module itself and all modules below it with their dotted paths."""
        if memo is None:
            memo = set()
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, module in self._modules.items():
            if module is not None:
                path = f"{prefix}.{name}" if prefix else name
                yield from module.named_modules(memo, path, remove_duplicate)

    def _named_members(
        self,
        get_members_fn: Callable[[Module], Any],
        prefix: str = "",
        recurse: bool = True,
        remove_duplicate: bool = True,
    ) -> Iterator[tuple[str, Any]]:
        seen = set()
        modules: Any = [(prefix, self)]
        if recurse:
            modules = self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate)
        for path, module in modules:
            for name, member in get_members_fn(module):
                if member is None or id(member) in seen:
                    continue
                if remove_duplicate:
                    seen.add(id(member))
                yield (f"{path}.{name}" if path else name), member

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """Yields the parameters, those of submodules too unless ``recurse`` is False."""
        for _, param in self.named_parameters(recurse=recurse):
            yield param

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """Yields the parameters with their dotted paths.

        Example::

            >>> [name for name, _ in torch.nn.Linear(2, 1).named_parameters()]
            ['weight', 'bias']
        """
        return self._named_members(
            lambda module: module._parameters.items(), prefix, recurse, remove_duplicate
        )

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """Yields the buffers, those of submodules too unless ``recurse`` is False."""
        for _, buffer in self.named_buffers(recurse=recurse):
            yield buffer

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """Yields the buffers with their dotted paths."""
        return self._named_members(
            lambda module: module._buffers.items(), prefix, recurse, remove_duplicate
        )

    def apply(self, fn: Callable[[Module], Any]) -> Self:
        """Calls ``fn`` on every submodule, children first, then on the module; returns it."""
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    # ------------------------------------------------------------------ mode, gradients

    def train(self, mode: bool = True) -> Self:
        """Sets training mode (dropout and the like active) here and below; returns self."""
        if not isinstance(mode, bool):
            raise ValueError("training mode is expected to be boolean")
        self.training = mode
        for module in self.children():
            module.train(mode)
        return self

    def eval(self) -> Self:
        """Sets evaluation mode: the same as ``train(False)``."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Says whether the parameters get gradients; returns self."""
        for param in self.parameters():
            param.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Clears the gradients of all parameters: to None, or to zeros."""
        for param in self.parameters():
            if param.grad is not None:
                if set_to_none:
                    param.grad = None
                else:
                    param.grad = d2lcore.zeros_like(param.grad)

    # ------------------------------------------------------------------ conversion

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """Replaces the data of each parameter, gradient and buffer by ``fn`` of it."""
        if recurse:
            for module in self.children():
                module._apply(fn)
        with d2lcore.no_grad():
            for param in self._parameters.values():
                if param is None:
                    continue
                # Both are computed first: an error leaves this parameter as it was.
                data = fn(param.detach())
                grad = None if param.grad is None else fn(param.grad.detach())
                param.grad = None
                param.data = data
                param.grad = grad
        for name, buffer in self._buffers.items():
            if buffer is not None:
                self._buffers[name] = fn(buffer)
        return self

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """Converts parameters and buffers in place; returns self.

        Called as ``to(dtype)``, ``to(device)``, ``to(device, dtype)`` or ``to(tensor)``; only
        floating point and complex tensors change their dtype.

        Raises:
            TypeError: the dtype is neither floating point nor complex.
        """
        device, dtype = _parse_to(args, kwargs)
        if dtype is not None and not (dtype.is_floating_point or dtype.is_complex):
            raise TypeError(
                "nn.Module.to only accepts floating point or complex dtypes, but got desired "
                f"dtype={dtype}"
            )

        def convert(t: Tensor) -> Tensor:
            wanted = dtype if t.is_floating_point() or t.is_complex() else None
            if device is not None:
                t = t.to(device)
            return t if wanted is None else t.to(wanted)

        return self._apply(convert)

    def _to_dtype(self, dtype: Any) -> Self:
        return self._apply(lambda t: t.to(dtype) if t.is_floating_point() else t)

    def float(self) -> Self:
        """Converts all floating point parameters and buffers to float32; returns self."""
        return self._to_dtype(d2lcore.float32)

    def double(self) -> Self:
        """Converts all floating point parameters and buffers to float64; returns self."""
        return self._to_dtype(d2lcore.float64)

    def half(self) -> Self:
        """Converts all floating point parameters and buffers to float16; returns self."""
        return self._to_dtype(d2lcore.float16)

    def bfloat16(self) -> Self:
        """Converts all floating point parameters and buffers to bfloat16; returns self."""
        return self._to_dtype(d2lcore.bfloat16)

    def type(self, dst_type: Any) -> Self:
        """Converts all parameters and buffers to the dtype; returns self."""
        return self._apply(lambda t: t.type(dst_type))

    def cpu(self) -> Self:
        """Moves all parameters and buffers to the CPU; returns self."""
        return self._apply(lambda t: t.cpu())

    def cuda(self, device: Any = None) -> Self:
        """Moves all parameters and buffers to the GPU; returns self."""
        return self._apply(lambda t: t.to(device or "cuda"))

    # ------------------------------------------------------------------ printing

    def _get_name(self) -> str:
        return self.__class__.__name__

    def extra_repr(self) -> str:
        """Returns what stands between the parentheses of the printed module."""
        return ""

    def __repr__(self) -> str:
        extra = self.extra_repr()
        lines = extra.split("\n") if extra else []
        children = [f"({name}): {_indent(repr(m))}" for name, m in self._modules.items()]
        text = self._get_name() + "("
        if len(lines) == 1 and not children:
            text += lines[0]
        elif lines or children:
            text += "\n  " + "\n  ".join(lines + children) + "\n"
        return text + ")"


def _empty_state() -> dict[str, Any]:
    """The attributes of a module to which nothing has been assigned yet."""
    return {
        "training": True,
        "_parameters": {},
        "_buffers": {},
        "_non_persistent_buffers_set": set(),
        "_forward_hooks": OrderedDict(),
        "_forward_hooks_with_kwargs": OrderedDict(),
        "_forward_hooks_always_called": OrderedDict(),
        "_forward_pre_hooks": OrderedDict(),
        "_forward_pre_hooks_with_kwargs": OrderedDict(),
        "_state_dict_hooks": OrderedDict(),
        "_state_dict_pre_hooks": OrderedDict(),
        "_load_state_dict_pre_hooks": OrderedDict(),
        "_load_state_dict_post_hooks": OrderedDict(),
        "_modules": {},
    }


def _got(name: str, kind: str) -> str:
    return f", got: {name}" if kind == "module" else ""


def _parse_to(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Any]:
    """Reads the arguments of `Module.to` as a device and a dtype, each maybe None."""
    device, dtype = kwargs.pop("device", None), kwargs.pop("dtype", None)
    tensor = kwargs.pop("tensor", None)
    for name in ("non_blocking", "copy", "memory_format"):
        kwargs.pop(name, None)
    if kwargs:
        raise TypeError(f"to() got an unexpected keyword argument '{next(iter(kwargs))}'")
    for position, value in enumerate(args):
        if isinstance(value, d2lcore.dtype) and position < 2:
            dtype = value
        elif isinstance(value, Tensor) and position == 0:
            tensor = value
        elif isinstance(value, (str, int, d2lcore.device)) and position == 0:
            device = value
        elif (value is None and position < 2) or isinstance(value, bool):
            continue  # a device left out; non_blocking and copy mean nothing here
        else:
            raise TypeError(
                "to() received an invalid combination of arguments: expected a dtype, a device "
                f"or a tensor, got {type(value).__name__} at position {position}"
            )
    if tensor is not None:
        device, dtype = tensor.device, tensor.dtype
    return (None if device is None else d2lcore.device(device)), dtype
