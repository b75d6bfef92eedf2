"""Running a network to look at it, and leaving it as it was."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import torch
from torch.nn.parameter import is_lazy

from snellen.training.randomness import unchanged_randomness

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor, nn

__all__ = ["first_tensor", "probe_input", "untouched"]


@contextlib.contextmanager
def untouched(network: nn.Module) -> Iterator[None]:
    """Evaluate a network without gradients; give back its modes, buffers and random numbers."""
    modes = {module: module.training for module in network.modules()}
    # Evaluation moves no statistics of torch's layers; a module of the user may do as it likes.
    buffers = [(each, each.clone()) for each in network.buffers() if not is_lazy(each)]
    network.eval()
    try:
        with unchanged_randomness(), torch.no_grad():
            yield
    finally:
        for module, training in modes.items():
            module.training = training
        with torch.no_grad():
            for buffer, before in buffers:
                buffer.copy_(before)


def probe_input(network: nn.Module, input_shape: tuple[int, ...], n: int = 1) -> Tensor:
    """Return zeros in the shape, type and place that a network takes."""
    tensors = [p for p in network.parameters() if p.is_floating_point() and not is_lazy(p)]
    like = tensors[0] if tensors else torch.empty(0)
    return torch.zeros((n, *input_shape), dtype=like.dtype, device=like.device)


def first_tensor(output: Any) -> Tensor | None:
    """Return the tensor that a module gives, or the first of several."""
    if isinstance(output, torch.Tensor):
        return output
    if isinstance(output, dict):
        output = list(output.values())
    if isinstance(output, (list, tuple)):
        for each in output:
            found = first_tensor(each)
            if found is not None:
                return found
    return None
