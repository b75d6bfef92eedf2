"""From a choice to a network with its first weights."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import torch
from torch.nn.parameter import is_lazy

from snellen.errors import ClassError, InputError, ShapeError
from snellen.training.choices import Choice, made
from snellen.training.keras.in_training import has_keras
from snellen.training.network.foreign import foreign_network
from snellen.training.network.initialisation import initialise
from snellen.training.network.layer_kinds import Layers, stacked
from snellen.training.network.named import NETWORKS
from snellen.training.network.probe import first_tensor, probe_input, untouched
from snellen.training.randomness import derived_seed, unchanged_randomness

if TYPE_CHECKING:
    from torch import nn

__all__ = ["build_network", "check_outputs"]

_AUTO = Choice("auto")


def build_network(
    choice: Choice | tuple[Choice, ...],
    input_shape: tuple[int, ...],
    n_outputs: int,
    *,
    initialisation: Choice = _AUTO,
    seed: int = 0,
    task: str = "classification",
) -> nn.Module:
    """Return the network that a description chose, with its first weights.

    Parameters
    ----------
    choice : Choice or tuple of Choice
        A name of `NETWORKS`, ``"module:function"``, ``"timm:…"``, ``"torchvision:…"``,
        ``"keras:…"``; or the layers, of which the last that has a size may leave it out.
    input_shape : tuple of int
        The shape of a sample: (features,) or (channels, height, width).
    n_outputs : int
        The classes, or the columns of regression targets.
    initialisation : Choice
        Of `INITIALISATIONS`. ``"auto"`` leaves a network from elsewhere as it came.
    seed : int
        What the first weights are a function of.
    task : {"classification", "regression", "segmentation"}
        What shape the network must return.

    Returns
    -------
    nn.Module
        A network of layers is a `Layers`, whose `description` builds it again.

    Raises
    ------
    ShapeError
        Where layers do not fit each other, or the result the task; the message names the layer.
    ClassError
        Where the network returns another number of classes.
    InputError
        For a name or an option that there is not.
    """
    place = (choice.place if isinstance(choice, Choice) else "") or "network"
    foreign = isinstance(choice, Choice) and ":" in choice.name
    with unchanged_randomness():
        # A network from elsewhere draws from torch's own generator.
        torch.manual_seed(derived_seed(seed, "initialisation"))
        if isinstance(choice, Choice) and foreign:
            # Keras' initialisers draw their seeds from Python's.
            random.seed(derived_seed(seed, "initialisation"))
            network = foreign_network(choice, input_shape, n_outputs, task)
            _complete(network, input_shape)
        else:
            network = stacked(
                _layers(choice, input_shape, place), input_shape, place=place, n_outputs=n_outputs
            )
        _first_weights(network, choice, initialisation, seed, foreign=foreign, place=place)
    if foreign:
        check_outputs(network, input_shape, n_outputs, task, place)
    else:
        assert isinstance(network, Layers)
        last = list(dict(network.named_children()))[-1]
        if not isinstance(choice, Choice):
            place = choice[-1].place or f"{place}[{len(choice) - 1}]"
        _check_shape(network.shapes[-1], last, input_shape, n_outputs, task, place)
    return network


def check_outputs(
    network: nn.Module, input_shape: tuple[int, ...], n_outputs: int, task: str, place: str = ""
) -> None:
    """Run a network on one sample of zeros, and check the shape of what it returns.

    Raises
    ------
    ShapeError, ClassError
        As `build_network`.
    InputError
        Where the network fails: with its own message.
    """
    with untouched(network):
        try:
            output = network(probe_input(network, input_shape))
        except (RuntimeError, ValueError, TypeError, IndexError) as error:
            reason = " ".join(str(error).split())
            raise InputError(
                f"expected a network for samples of shape {input_shape}, it fails: {reason}", place
            ) from error
    found = first_tensor(output)
    if found is None:
        raise InputError(f"expected a tensor from the network, got {type(output).__name__}", place)
    _check_shape(tuple(found.shape[1:]), "the network", input_shape, n_outputs, task, place)


def _layers(
    choice: Choice | tuple[Choice, ...], input_shape: tuple[int, ...], place: str
) -> tuple[Choice, ...]:
    if not isinstance(choice, Choice):
        return choice
    plain = made(choice, NETWORKS, "a network or module:function", input_shape=tuple(input_shape))
    return tuple(Choice.of(layer, place) for layer in plain)


def _complete(network: nn.Module, input_shape: tuple[int, ...]) -> None:
    """Let layers that infer their shape (`nn.LazyLinear`) do so."""
    if any(is_lazy(each) for each in (*network.parameters(), *network.buffers())):
        with untouched(network):
            network(probe_input(network, input_shape))


def _first_weights(
    network: nn.Module,
    choice: Choice | tuple[Choice, ...],
    initialisation: Choice,
    seed: int,
    *,
    foreign: bool,
    place: str,
) -> None:
    if foreign and initialisation.name in ("auto", "torch") and not initialisation.options:
        return
    if has_keras(network):
        raise InputError(
            f"expected the initialisation auto for a Keras model, got {initialisation.name}: its "
            "layers say how they are initialised",
            initialisation.place or place,
        )
    if isinstance(choice, Choice) and choice.options.get("pretrained"):
        raise InputError(
            f"expected the initialisation auto for a pretrained network, got {initialisation.name}",
            initialisation.place or choice.place,
        )
    initialise(network, initialisation, seed=seed)


def _check_shape(
    shape: tuple[int, ...],
    source: str,
    input_shape: tuple[int, ...],
    n_outputs: int,
    task: str,
    place: str,
) -> None:
    """Refuse a result that the task cannot be learnt from."""
    wanted = (n_outputs, *input_shape[1:]) if task == "segmentation" else (n_outputs,)
    if shape == wanted:
        return
    if len(shape) == len(wanted) and shape[1:] == wanted[1:]:
        each = "column of the targets" if task == "regression" else "class"
        raise ClassError(
            f"expected {n_outputs} outputs, one for each {each}, got {shape[0]} from {source}",
            place,
        )
    hint = ": end with flatten or global_avg_pool, and linear" if len(shape) > len(wanted) else ""
    raise ShapeError(
        f"expected the shape {wanted} for {task}, got {shape} from {source}{hint}", place
    )
