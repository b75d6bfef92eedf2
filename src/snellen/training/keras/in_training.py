"""Keras models in a training: how they come in, and what of a description they cannot do."""

from __future__ import annotations

import copy
import dataclasses
import sys
from typing import TYPE_CHECKING, Any

import torch

from snellen.errors import InputError
from snellen.training.choices import Choice
from snellen.training.keras.adapter import KerasModule
from snellen.training.keras.backend import is_keras_model

if TYPE_CHECKING:
    from torch import nn

    from snellen.training.description import Description

__all__ = ["as_module", "copied", "fitting_keras", "has_keras", "refuse_processes"]


def as_module(network: Any, task: str) -> Any:
    """Return a Keras model as a torch module; anything else as it is.

    Parameters
    ----------
    network : object
        What a function returned, or what was handed over.
    task : str
        A model for classes is trained by what goes into its last softmax or sigmoid; for a
        regression the sigmoid is a part of it.
    """
    return KerasModule(network, logits=task != "regression") if is_keras_model(network) else network


def copied(network: Any, task: str) -> Any:
    """Return a copy of what was handed over as a network: of a Keras model another one alike.

    Parameters
    ----------
    network, task
        As of `as_module`; also None, of which None is returned.

    Raises
    ------
    InputError
        For a Keras model that cannot be made again.
    """
    module = as_module(network, task)
    structure = module.structure() if isinstance(module, KerasModule) else None
    if structure is None:
        return copy.deepcopy(module)
    made = KerasModule.of_structure(structure)
    made.load_state_dict(module.state_dict())
    return made


def has_keras(network: nn.Module) -> bool:
    """Return whether a network is a Keras model, or has one in it."""
    return "keras" in sys.modules and any(
        isinstance(each, KerasModule) for each in network.modules()
    )


def fitting_keras(description: Description, network: nn.Module) -> Description:
    """Return a description as a Keras model can be trained by it.

    What is chosen by measuring becomes what works, and images stay in Snellen's order: the adapter
    turns them itself.

    Raises
    ------
    InputError
        For what a Keras model cannot do: the message names the key.
    """
    bare = _bare_keras(network)
    if bare is not None:
        raise InputError(
            "expected a Keras model in a torch module to be wrapped by "
            "snellen.training.keras.load_keras, or it would never learn that it is trained",
            f"{description.place} network {bare}".strip(),
        )
    if not has_keras(network):
        return description
    place = description.place
    _refuse_processes(description)
    if description.compile is True:
        raise InputError(
            "expected a Keras model not to be compiled, which torch would do in pieces, again and "
            "again: leave compile off",
            f"{place} compile".strip(),
        )
    _check_precision(description, network)
    if description.optimizer.name == "muon":
        raise InputError(
            "expected another optimizer for a Keras model: muon finds matrices by torch's layers",
            description.optimizer.place or f"{place} optimizer".strip(),
        )
    return dataclasses.replace(description, compile=False, memory_format="contiguous")


def refuse_processes(description: Description, network: Any) -> None:
    """Refuse several processes for what is seen to be a Keras model before they are started.

    Raises
    ------
    InputError
        As `fitting_keras`, which sees the others.
    """
    named = description.network
    of_file = isinstance(named, Choice) and named.name.startswith("keras:")
    if of_file if network is None else is_keras_model(network) or has_keras(network):
        _refuse_processes(description)


def _refuse_processes(description: Description) -> None:
    if description.devices > 1:
        raise InputError(
            "expected one device for a Keras model, whose batch normalisation and dropout would "
            f"differ from process to process, got {description.devices}",
            f"{description.place} devices".strip(),
        )


def _check_precision(description: Description, network: nn.Module) -> None:
    own = _type_of(network)
    asked = description.precision
    mixed = asked in ("auto", "bfloat16", "float16") and own == "float32"
    if mixed or asked == own:
        return
    raise InputError(
        f"expected the precision of the Keras model, {own}, got {asked}: its weights get their "
        "type from keras.config.set_dtype_policy, before it is built",
        f"{description.place} precision".strip(),
    )


def _type_of(network: nn.Module) -> str:
    """Return the type of the weights; a model without any takes any."""
    kinds = {each.dtype for each in network.parameters() if each.is_floating_point()}
    return str(max(kinds, key=str, default=torch.float32)).removeprefix("torch.")


def _bare_keras(network: nn.Module) -> str | None:
    """Return the path of a Keras model that is a module of another one, without its adapter."""
    return next((path for path, each in network.named_modules() if is_keras_model(each)), None)
