"""Which layers a batch runs through, what goes in and out, and the gradients that come back."""

from __future__ import annotations

import contextlib
import dataclasses
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = [
    "LayerCall",
    "called_layers",
    "draw_again",
    "drawn_from",
    "first_tensor",
    "layers",
]


def layers(network: nn.Module) -> dict[str, nn.Module]:
    """Return the layers of a network by name.

    A layer is a module without modules in it, or one of torch's own with weights of its own, such
    as multi-head attention. What only arranges others is none.
    """
    found: dict[str, nn.Module] = {}
    for name, module in network.named_modules():
        parts = name.split(".")
        if any(".".join(parts[:k]) in found for k in range(len(parts))):
            continue  # inside a layer
        whole = type(module).__module__.startswith("torch.nn") and bool(module._parameters)
        if whole or not any(True for _ in module.children()):
            found[name] = module
    # A network may be a single module; it needs a name then.
    return {name or type(module).__name__: module for name, module in found.items()}


def first_tensor(value: Any) -> Tensor | None:
    """Return the first tensor of what a module takes or gives."""
    if isinstance(value, Tensor):
        return value
    if isinstance(value, dict):
        value = tuple(value.values())
    if isinstance(value, (tuple, list)):
        for each in value:
            found = first_tensor(each)
            if found is not None:
                return found
    return None


def drawn_from(tensor: Tensor) -> list[Tensor]:
    """Return torch's random numbers as they stand: of the CPU, and of a tensor's device."""
    found = [torch.get_rng_state()]
    if tensor.is_cuda:
        found.append(torch.cuda.get_rng_state(tensor.device))
    return found


def draw_again(kept: list[Tensor], tensor: Tensor) -> None:
    """Set torch's random numbers to where they stood."""
    torch.set_rng_state(kept[0])
    if len(kept) > 1:
        torch.cuda.set_rng_state(kept[1], tensor.device)


def _copied(value: Any, copies: dict[int, Tensor]) -> Any:
    """Return copies of tensors; what was one tensor twice is so again, as in self-attention."""
    if isinstance(value, Tensor):
        if id(value) not in copies:
            copies[id(value)] = value.detach().clone()
        return copies[id(value)]
    if isinstance(value, dict):
        return {name: _copied(each, copies) for name, each in value.items()}
    if isinstance(value, (tuple, list)) and not hasattr(value, "_fields"):
        return type(value)(_copied(each, copies) for each in value)
    return value


@dataclasses.dataclass
class LayerCall:
    """One call of a layer.

    Attributes
    ----------
    name : str
        The layer's; with a number from its second call on.
    module : nn.Module
        The layer.
    arguments, options : tuple, dict
        What it was called with: copies.
    inputs, output : Tensor
        The first tensor that went in and that came out: copies.
    input_gradient, output_gradient : Tensor or None
        ∂L/∂input by this layer alone, and ∂L/∂output; None where none came back.
    randomness : list of Tensor
        Torch's random numbers before the call: of the CPU, and of the layer's device.
    source, made : Tensor
        The very tensors that went in and came out, to see what feeds what.
    """

    name: str
    module: nn.Module
    arguments: tuple[Any, ...]
    options: dict[str, Any]
    inputs: Tensor
    randomness: list[Tensor]
    source: Tensor
    output: Tensor = dataclasses.field(default_factory=lambda: torch.empty(0))
    made: Tensor = dataclasses.field(default_factory=lambda: torch.empty(0))
    input_gradient: Tensor | None = None
    output_gradient: Tensor | None = None

    def again(self, inputs: Tensor | None = None) -> Tensor:
        """Return the output of the same call: same arguments, same random numbers.

        Parameters
        ----------
        inputs : Tensor, optional
            In place of the first tensor.
        """
        put: dict[int, Tensor] = {} if inputs is None else {id(self.inputs): inputs}
        arguments = _replaced(self.arguments, put)
        options = _replaced(self.options, put)
        draw_again(self.randomness, self.inputs)
        output = first_tensor(self.module(*arguments, **options))
        assert output is not None  # the call that was seen had one
        return output


def _replaced(value: Any, put: Mapping[int, Any]) -> Any:
    if isinstance(value, Tensor):
        return put.get(id(value), value)
    if isinstance(value, dict):
        return {name: _replaced(each, put) for name, each in value.items()}
    if isinstance(value, (tuple, list)) and not hasattr(value, "_fields"):
        return type(value)(_replaced(each, put) for each in value)
    return value


@contextlib.contextmanager
def called_layers(network: nn.Module) -> Iterator[list[LayerCall]]:
    """See the calls of all layers in here; their gradients come with the backward pass."""
    calls: list[LayerCall] = []
    times: dict[str, int] = {}
    open_calls: dict[str, list[LayerCall]] = {}

    def before(name: str, module: nn.Module, arguments: Any, options: Any) -> Any:
        tensor = first_tensor((arguments, options))
        if tensor is None:
            return None
        times[name] = times.get(name, 0) + 1
        kept_arguments, kept_options = _copied((arguments, options), {})
        kept = first_tensor((kept_arguments, kept_options))
        assert kept is not None
        call = LayerCall(
            name if times[name] == 1 else f"{name} (call {times[name]})",
            module,
            kept_arguments,
            kept_options,
            kept,
            drawn_from(tensor),
            tensor,
        )
        calls.append(call)
        open_calls.setdefault(name, []).append(call)
        if not tensor.requires_grad:
            return None

        def came_back(gradient: Tensor) -> None:
            call.input_gradient = gradient.detach().clone()

        # A view, so that others that take the tensor have gradients of their own, and so that what
        # changes it in place changes it for them too.
        alias = tensor.view_as(tensor)
        alias.register_hook(came_back)  # type: ignore[no-untyped-call]
        return _replaced((arguments, options), {id(tensor): alias})

    def after(name: str, output: Any) -> None:
        made = first_tensor(output)
        waiting = open_calls.get(name)
        if not waiting:
            return
        call = waiting.pop()
        if made is None:
            calls.remove(call)
            return
        call.output = made.detach().clone()
        call.made = made
        if made.requires_grad:

            def came_back(gradient: Tensor) -> None:
                call.output_gradient = gradient.detach().clone()

            made.register_hook(came_back)  # type: ignore[no-untyped-call]

    handles: list[torch.utils.hooks.RemovableHandle] = []
    for name, module in layers(network).items():
        handles.append(
            module.register_forward_pre_hook(
                lambda module, arguments, options, name=name: before(
                    name, module, arguments, options
                ),
                with_kwargs=True,
            )
        )
        handles.append(
            module.register_forward_hook(
                lambda _module, _arguments, output, name=name: after(name, output)
            )
        )
    try:
        yield calls
    finally:
        for handle in handles:
            handle.remove()
