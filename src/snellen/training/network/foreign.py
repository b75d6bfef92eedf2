"""Networks from elsewhere: ``module:function``, ``timm:…``, ``torchvision:…``, ``keras:…``."""

from __future__ import annotations

import importlib
import inspect
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from torch import nn

from snellen.errors import InputError, MissingExtraError, SchemaError, did_you_mean
from snellen.training.choices import made
from snellen.training.keras.adapter import load_keras
from snellen.training.keras.backend import torch_unless_chosen
from snellen.training.keras.in_training import as_module

if TYPE_CHECKING:
    from collections.abc import Callable

    from snellen.training.choices import Choice

__all__ = ["foreign_network", "imported"]


def foreign_network(
    choice: Choice,
    input_shape: tuple[int, ...],
    n_outputs: int,
    task: str = "classification",
) -> nn.Module:
    """Return the network of a name with a colon.

    Parameters
    ----------
    choice : Choice
        ``timm:NAME`` and ``torchvision:NAME`` (option `pretrained`, and what the library's function
        takes), ``keras:FILE.keras`` (options `layout` and `logits` of `KerasModule`), or
        ``module:function``, whose function gets the options and, if it has parameters of these
        names, `input_shape` and `n_outputs`; it may return a Keras model.
    input_shape : tuple of int
        The shape of a sample.
    n_outputs : int
        How many numbers it must return.
    task : str
        What it is for: of a Keras model for classes what goes into a last softmax is taken.

    Raises
    ------
    InputError
        Where there is no such network, or what is returned is none.
    MissingExtraError
        Where the library is not installed.
    """
    source, _, name = choice.name.partition(":")
    if source == "timm":
        return _of_timm(choice, name, input_shape, n_outputs)
    if source == "torchvision":
        return _of_torchvision(choice, name, input_shape, n_outputs)
    if source == "keras":
        return made(choice, {choice.name: _of_keras}, "a file", name, task)
    with torch_unless_chosen():
        network = _called(imported(choice), choice, input_shape=input_shape, n_outputs=n_outputs)
        network = as_module(network, task)
    if not isinstance(network, nn.Module):
        raise InputError(
            f"expected a torch.nn.Module from {choice.name}, got {type(network).__name__}",
            choice.place,
        )
    return network


def imported(choice: Choice) -> Callable[..., Any]:
    """Return the function, or the class, that a ``module:function`` stands for.

    Modules are looked for in the working directory too.
    """
    source, _, name = choice.name.partition(":")
    here = str(Path.cwd())
    added = here not in sys.path
    if added:
        sys.path.insert(0, here)
    try:
        module = importlib.import_module(source)
    except ImportError as error:
        if error.name is None or not f"{source}.".startswith(f"{error.name}."):
            reason = str(error)  # of a module that the user's own needs
        else:
            reason = "is it in the working directory, or installed?"
        raise InputError(
            f'expected a module that can be imported, got "{source}": {reason}', choice.place
        ) from None
    finally:
        if added:
            sys.path.remove(here)
    found = getattr(module, name, None)
    if not callable(found):
        known = [each for each, value in vars(module).items() if callable(value)]
        raise InputError(
            f'expected a function of {source}, got "{name}".{did_you_mean(name, known)}',
            choice.place,
        )
    function: Callable[..., Any] = found
    return function


def _called(function: Callable[..., Any], choice: Choice, **offered: Any) -> Any:
    """Call a function with the options of a choice, and what it takes of what is offered."""
    parameters = inspect.signature(function).parameters
    takes_all = any(each.kind is each.VAR_KEYWORD for each in parameters.values())
    for name in choice.options:
        if name not in parameters and not takes_all:
            hint = did_you_mean(name, parameters) or f" There are {', '.join(parameters)}."
            raise SchemaError(
                f'expected an option of {choice.name}, got "{name}".{hint}', choice.place
            )
    given = {name: value for name, value in offered.items() if name in parameters}
    return function(**{**given, **choice.options})


def _of_keras(
    path: str,
    task: str,
    *,
    layout: Literal["auto", "channels_first", "channels_last"] = "auto",
    logits: bool | None = None,
) -> nn.Module:
    """Return the model of a file."""
    inside = task != "regression" if logits is None else logits
    return load_keras(path, layout=layout, logits=inside)


def _of_timm(choice: Choice, name: str, input_shape: tuple[int, ...], n_outputs: int) -> nn.Module:
    try:
        timm: Any = importlib.import_module("timm")
    except ImportError:
        raise MissingExtraError("timm", "train") from None
    if not timm.is_model(name):
        hint = did_you_mean(name, timm.list_models())
        raise InputError(f'expected a network of timm, got "{name}".{hint}', choice.place)
    settings = {"num_classes": n_outputs, "in_chans": input_shape[0], **choice.options}
    network: nn.Module = timm.create_model(name, **settings)
    return network


def _of_torchvision(
    choice: Choice, name: str, input_shape: tuple[int, ...], n_outputs: int
) -> nn.Module:
    try:
        models: Any = importlib.import_module("torchvision.models")
    except ImportError:
        raise MissingExtraError("torchvision", "train") from None
    if name not in models.list_models():
        hint = did_you_mean(name, models.list_models())
        raise InputError(f'expected a network of torchvision, got "{name}".{hint}', choice.place)
    if input_shape[0] != 3:
        raise InputError(
            f"expected images of 3 channels for {choice.name}, got {input_shape[0]}: read the data "
            'with mode = "RGB"',
            choice.place,
        )
    options = dict(choice.options)
    if not options.pop("pretrained", False):
        network: nn.Module = models.get_model(
            name, **{"weights": None, "num_classes": n_outputs, **options}
        )
        return network
    return _with_head(
        models.get_model(name, **{"weights": "DEFAULT", **options}), n_outputs, choice
    )


def _with_head(network: nn.Module, n_outputs: int, choice: Choice) -> nn.Module:
    """Return a pretrained network with a new last linear layer."""
    linear = [(path, each) for path, each in network.named_modules() if isinstance(each, nn.Linear)]
    if not linear:
        raise InputError(
            f"expected a network that ends in a linear layer, got {choice.name}: leave "
            "out pretrained",
            choice.place,
        )
    path, last = linear[-1]
    parent, _, name = path.rpartition(".")
    setattr(network.get_submodule(parent), name, nn.Linear(last.in_features, n_outputs))
    return network
