"""Where in a network numbers first stop being finite."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from snellen.training.randomness import unchanged_randomness

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import Tensor, nn

    from snellen.training.losses import Loss

__all__ = ["NotFinite", "find_not_finite", "not_finite_weights"]


class NotFinite(NamedTuple):
    """What is first not finite when a batch goes through a network.

    Attributes
    ----------
    what : str
        ``"inputs"``, ``"weights"``, ``"output"``, ``"loss"``, or ``"gradient"``.
    layer : str
        The layer, by its name in the network; empty for the inputs, the network as a whole and the
        loss. For a gradient the layer through which it was not finite any more, or whose weights'
        gradient is not.
    samples : tuple of int
        Which samples of the batch, where that can be said: by inputs, outputs and loss.
    weight : str
        The name of the weight or buffer, where it is one or its gradient.
    """

    what: str
    layer: str
    samples: tuple[int, ...] = ()
    weight: str = ""

    def __str__(self) -> str:
        """Return it in words."""
        of = f'layer "{self.layer}"' if self.layer else "the network"
        if self.what == "inputs":
            return "the inputs are not finite"
        if self.what == "loss":
            return "the loss is not finite, with finite outputs of the network"
        if self.what == "weights":
            return f"the weights {self.weight} of {of} are not finite"
        if self.what == "output":
            return f"the output of {of} is the first that is not finite"
        if self.weight:
            return f"the gradient of {self.weight} of {of} is the first that is not finite"
        if not self.layer:
            return "the gradient of the loss by the network's output is not finite"
        return f"the gradient through {of} is the first that is not finite"


def not_finite_weights(network: nn.Module) -> NotFinite | None:
    """Return the first weights or buffers that are not finite; this waits for the device once."""
    named = [
        (name, tensor)
        for name, tensor in (*network.named_parameters(), *network.named_buffers())
        if tensor.is_floating_point() and tensor.numel()
    ]
    if not named:
        return None
    with torch.no_grad():
        finite = torch.stack([torch.isfinite(tensor).all() for _, tensor in named]).tolist()
    for (name, _), good in zip(named, finite, strict=True):
        if not good:
            layer, _, weight = name.rpartition(".")
            return NotFinite("weights", layer, (), weight)
    return None


def find_not_finite(
    network: nn.Module, inputs: Tensor, targets: Tensor, loss: Loss
) -> NotFinite | None:
    """Return what is first not finite when a batch goes forward and back; None where all is.

    The network's weights, gradients, buffers and mode, and the caller's random numbers, are as
    before.

    Parameters
    ----------
    network : nn.Module
        In the mode in which it is looked at: as a rule that of training.
    inputs, targets : Tensor
        The batch, as the network and the loss take it.
    loss : Loss
        What is minimised.
    """
    bad = _bad_samples(inputs)
    if bad is not None:
        return NotFinite("inputs", "", bad)
    found = not_finite_weights(network)
    if found is not None:
        return found
    buffers = [(buffer, buffer.clone()) for buffer in network.buffers()]
    try:
        with unchanged_randomness(), torch.enable_grad():
            return _forward_and_back(network, inputs, targets, loss)
    finally:
        with torch.no_grad():
            for buffer, kept in buffers:
                buffer.copy_(kept)


def _forward_and_back(
    network: nn.Module, inputs: Tensor, targets: Tensor, loss: Loss
) -> NotFinite | None:
    found: list[NotFinite] = []  # in the order in which it happens
    handles: list[Any] = []
    watched: dict[tuple[int, int], tuple[Tensor, list[NotFinite]]] = {}

    def watch(tensor: Tensor, result: NotFinite) -> None:
        if not tensor.requires_grad:
            return
        # The same tensor changed in place is another one to the chain rule.
        key = (id(tensor), tensor._version)
        if key in watched:
            # What a block is given goes to its first layer: that one is named.
            names = watched[key][1]
            if result.layer.startswith(f"{names[0].layer}." if names[0].layer else ""):
                names[0] = result
            return
        names = [result]
        watched[key] = (tensor, names)

        # A hook of a tensor, not of a module: it bears layers that work in place.
        def look(gradient: Tensor) -> None:
            if not bool(torch.isfinite(gradient).all()):
                found.append(names[0])

        handles.append(tensor.register_hook(look))  # type: ignore[no-untyped-call]

    def hooks_of(name: str) -> tuple[Callable[..., None], Callable[..., None]]:
        def before(_: nn.Module, given: Any) -> None:
            for tensor in _tensors(given):
                watch(tensor, NotFinite("gradient", name))

        def after(_: nn.Module, given: Any, output: Any) -> None:
            del given
            for tensor in _tensors(output):
                samples = _bad_samples(tensor)
                if samples is not None:
                    # A sample is a row only where the layer keeps them apart.
                    rows = samples if len(tensor) == len(inputs) else ()
                    found.append(NotFinite("output", name, rows))

        return before, after

    try:
        for name, module in network.named_modules():
            before, after = hooks_of(name)
            handles += [
                module.register_forward_pre_hook(before),
                module.register_forward_hook(after),
            ]
        for name, parameter in network.named_parameters():
            layer, _, weight = name.rpartition(".")
            watch(parameter, NotFinite("gradient", layer, (), weight))
        output = network(inputs)
        if found:
            return found[0]
        watch(output, NotFinite("gradient", ""))
        value = loss(output, targets)
        if not bool(torch.isfinite(value)):
            with torch.no_grad():
                each = [
                    k
                    for k in range(len(output))
                    if not bool(torch.isfinite(loss(output[k : k + 1], targets[k : k + 1])))
                ]
            return NotFinite("loss", "", tuple(each))
        trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
        if trained:
            torch.autograd.grad(value, trained, allow_unused=True)
        return found[0] if found else None
    finally:
        for handle in handles:
            handle.remove()


def _bad_samples(tensor: Tensor) -> tuple[int, ...] | None:
    """Return along the first axis where it is not finite; None where it is everywhere."""
    if not tensor.is_floating_point() or not tensor.numel():
        return None
    finite = torch.isfinite(tensor.detach())
    if bool(finite.all()):
        return None
    if tensor.ndim == 0:
        return ()
    bad = ~finite.reshape(len(tensor), -1).all(1)
    return tuple(bad.nonzero().flatten().tolist())


def _tensors(value: Any) -> Iterator[Tensor]:
    """Yield the tensors of what a module takes or returns."""
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _tensors(each)
    elif isinstance(value, (tuple, list)):
        for each in value:
            yield from _tensors(each)
