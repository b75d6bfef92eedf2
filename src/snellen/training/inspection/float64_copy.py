"""A copy of a network and its loss in float64, for derivatives by differences."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from snellen.errors import InputError
from snellen.training.inspection.unchanged import refuse_unshaped

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["in_float64", "loss_in_float64", "network_in_float64"]


def in_float64(tensor: Tensor) -> Tensor:
    """Return a tensor in float64; one of whole numbers stays as it is."""
    return tensor.detach().double() if tensor.is_floating_point() else tensor.detach()


def network_in_float64(network: nn.Module) -> nn.Module:
    """Return a copy of a network in float64, in the same mode.

    Raises
    ------
    InputError
        Where it cannot be copied, or does not become float64.
    """
    refuse_unshaped(network)
    try:
        copied = copy.deepcopy(network).double()
    # What a module of one's own raises when it is copied is anything.
    except Exception as error:
        raise InputError(
            "expected a network that can be copied and made float64, got "
            f"{type(error).__name__}: {error}. Of Keras models the data type is set when they are "
            "built: keras.config.set_dtype_policy('float64')",
            type(network).__name__,
        ) from error
    for name, tensor in (*copied.named_parameters(), *copied.named_buffers()):
        odd = tensor.is_floating_point() and tensor.dtype != torch.float64
        if odd or tensor.is_complex():
            raise InputError(
                f"expected weights that become float64, got {str(tensor.dtype)[6:]}: derivatives "
                "by differences need its digits",
                name,
            )
    return copied


def loss_in_float64(loss: Callable[..., Any]) -> Callable[..., Any]:
    """Return a loss whose own tensors, such as class weights, are float64 copies."""
    if isinstance(loss, nn.Module):
        return copy.deepcopy(loss).double()
    own = getattr(loss, "__dict__", None)
    if not own or not any(isinstance(value, Tensor) for value in own.values()):
        return loss
    copied = copy.copy(loss)
    for name, value in own.items():
        if isinstance(value, Tensor):
            # A frozen dataclass takes no ordinary assignment.
            object.__setattr__(copied, name, in_float64(value))
    return copied
