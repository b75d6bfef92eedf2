"""Weights as safetensors: bytes that hold tensors, and no code."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import torch

from snellen.errors import InputError, MissingExtraError, SchemaError

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from torch import Tensor, nn

__all__ = ["differing_tensors", "load_weights", "read_weights", "tensors_of", "weights_bytes"]

_SHOWN = 8
# How a pickle begins, and an archive with one in it, as torch.save makes.
_PICKLES: Final = (b"\x80", b"PK\x03\x04", b"PK\x05\x06")


def weights_bytes(network: nn.Module) -> bytes:
    """Return all tensors of a network: parameters and buffers, by name.

    Raises
    ------
    MissingExtraError
        Without safetensors.
    InputError
        Where a layer keeps what is no tensor.
    """
    save = _safetensors().torch.save
    tensors = {}
    for name, value in network.state_dict().items():
        if not isinstance(value, torch.Tensor):
            raise InputError(
                f"expected a network whose state is tensors, got {type(value).__name__}", name
            )
        # Tensors that are shared, or parts of others, each get memory of their own.
        tensors[name] = value.detach().cpu().clone(memory_format=torch.contiguous_format)
    data: bytes = save(tensors, metadata={"format": "pt"})
    return data


def read_weights(path: str | os.PathLike[str]) -> dict[str, Tensor]:
    """Return the tensors of a file by name.

    Raises
    ------
    InputError
        Where the file cannot be read.
    SchemaError
        For a file that is no safetensors; a pickle is not even looked into.
    MissingExtraError
        Without safetensors.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"expected a file of weights, got: {error.strerror}", str(path)) from error
    return tensors_of(data, str(path))


def tensors_of(data: bytes, place: str = "") -> dict[str, Tensor]:
    """Return the tensors that bytes hold; as `read_weights`."""
    # A header of 128 bytes begins like a pickle; then its first letter tells.
    if data.startswith(_PICKLES) and data[8:9] != b"{":
        raise SchemaError(
            "expected weights as safetensors, got a pickle, which could run any code: it is not "
            "loaded. Save the tensors with safetensors.torch.save_file",
            place,
        )
    package = _safetensors()
    try:
        tensors: dict[str, Tensor] = package.torch.load(data)
    except (package.SafetensorError, KeyError, ValueError) as error:
        raise SchemaError(f"expected weights as safetensors, got: {error}", place) from None
    return tensors


def differing_tensors(expected: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> list[str]:
    """Return how tensors differ in names and shapes, a line for each.

    Parameters
    ----------
    expected : mapping of str to Tensor
        Of the network.
    found : mapping of str to Tensor
        Of a file.

    Examples
    --------
    >>> import torch
    >>> differing_tensors({"a": torch.ones(2, 3)}, {"a": torch.ones(3, 3), "b": torch.ones(1)})
    ['a is (3, 3) for (2, 3)', 'b (1,) is not in the network']
    """
    lines = []
    for name, tensor in expected.items():
        if name not in found:
            lines.append(f"{name} {_shape(tensor)} is missing")
        elif found[name].shape != tensor.shape:
            lines.append(f"{name} is {_shape(found[name])} for {_shape(tensor)}")
    lines += [
        f"{name} {_shape(tensor)} is not in the network"
        for name, tensor in sorted(found.items())
        if name not in expected
    ]
    return lines


def load_weights(network: nn.Module, weights: Mapping[str, Tensor], place: str) -> None:
    """Put weights into a network, all of them or none.

    Raises
    ------
    SchemaError
        Where they are of another network: with the tensors that differ.
    """
    lines = differing_tensors(network.state_dict(), weights)
    if lines:
        more = f"; and {len(lines) - _SHOWN} more" if len(lines) > _SHOWN else ""
        s = "" if len(lines) == 1 else "s"
        raise SchemaError(
            f"expected the weights of this network, got those of another: {len(lines)} tensor{s} "
            f"differ{'s' if not s else ''}: {'; '.join(lines[:_SHOWN])}{more}",
            place,
        )
    network.load_state_dict(dict(weights))


def _shape(tensor: Tensor) -> str:
    return str(tuple(tensor.shape))


def _safetensors() -> Any:
    try:
        import safetensors.torch
    except ImportError:
        raise MissingExtraError("safetensors", "train") from None
    return safetensors
