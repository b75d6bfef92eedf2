"""What is known of a module of torch without running it, and of what it gave."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from snellen.benchmark.fingerprints import tensors_of
from snellen.benchmark.operations import torch_parameters

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "bytes_of",
    "ends_in_softmax",
    "n_tensors",
    "parameters_of",
    "precision_of",
    "type_of_most",
]


def precision_of(module: nn.Module) -> torch.dtype:
    """Return the type of its numbers: that of the first weights."""
    kinds = (each.dtype for each in module.parameters() if each.is_floating_point())
    return next(kinds, torch.float32)


def type_of_most(module: nn.Module, otherwise: torch.dtype) -> str:
    """Return the type of most of its weights."""
    used = Counter[torch.dtype]()
    for _, tensor in tensors_of(module):
        if tensor.is_floating_point() or tensor.is_quantized:
            used[tensor.dtype] += tensor.numel()
    found = next((kind for kind, n in used.most_common(1) if n), otherwise)
    return str(found).removeprefix("torch.")


def parameters_of(module: nn.Module, files: Sequence[str]) -> int | None:
    """Return how many there are; None where they are no parameters: frozen, or quantised."""
    found = torch_parameters(module)
    return None if not found and (files or next(tensors_of(module), None)) else found


def bytes_of(module: nn.Module, files: Sequence[str]) -> int:
    """Return the size of the files, or of the weights."""
    if files:
        return sum(Path(file).stat().st_size for file in files)
    return sum(tensor.numel() * tensor.element_size() for _, tensor in tensors_of(module))


def ends_in_softmax(module: nn.Module) -> bool:
    """Return whether its last layer is a softmax."""
    leaves = [part for part in module.modules() if next(part.children(), None) is None]
    return bool(leaves) and isinstance(leaves[-1], nn.Softmax)


def n_tensors(output: Any) -> int:
    """Return how many tensors a module gave."""
    parts = output.values() if isinstance(output, dict) else output
    if isinstance(output, (dict, list, tuple)):
        return sum(map(n_tensors, parts))
    return int(isinstance(output, torch.Tensor))
