"""Networks of torchvision, with the weights and the preprocessing that it keeps for each."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from snellen.benchmark.imagenet import IMAGENET_IDS
from snellen.benchmark.preprocessing import CHOICES, Preprocessing
from snellen.benchmark.preprocessing_settings import refuse_unknown_settings
from snellen.benchmark.torch_model import RANDOM_WEIGHTS, TORCH_SETTINGS, TorchModel
from snellen.errors import InputError, MissingExtraError, did_you_mean, one_line
from snellen.training.randomness import seed_everything, unchanged_randomness

if TYPE_CHECKING:
    from collections.abc import Sequence

    from snellen.benchmark.model import LoadOptions

__all__ = ["load"]

_SETTINGS: Final = (*TORCH_SETTINGS, "weights")
_SEED: Final = 0


def load(name: str, options: LoadOptions) -> TorchModel:
    """Return a network of torchvision by its name: ``resnet50``.

    Parameters
    ----------
    name : str
        As of ``torchvision.models.get_model``.
    options : LoadOptions
        Settings: those of preprocessing; ``weights`` (``IMAGENET1K_V1``, …, by default those that
        torchvision calls so, or ``random``); ``classes`` and ``scores``, as of `TorchModel`.

    Raises
    ------
    InputError
        Where there is no such network or weights; where its weights cannot be had, with the file
        that is missing; where it does not classify images.
    MissingExtraError
        Without torchvision.
    """
    refuse_unknown_settings(options.settings, _SETTINGS, name)
    torchvision = _torchvision()
    known = torchvision.models.list_models()
    if name.lower() not in known:
        raise InputError(
            f'expected a network of torchvision, got "{name}".{did_you_mean(name, known)}'
        )
    chosen = options.settings.get("weights", "DEFAULT")
    available = torchvision.models.get_model_weights(name)
    if chosen != "random" and chosen not in available.__members__:
        raise InputError(
            f'expected weights of {", ".join((*available.__members__, "random"))}, got "{chosen}"',
            name,
        )
    # Random weights see images as the default ones do.
    weights = available["DEFAULT" if chosen == "random" else chosen]
    own = _own_preprocessing(weights, name)
    module = _built(torchvision, name, None if chosen == "random" else weights)
    return TorchModel(
        module,
        options,
        name,
        own=own,
        classes=_classes(weights),
        scores="logits",
        versions={"torchvision": str(torchvision.__version__)},
        notes=(RANDOM_WEIGHTS if chosen == "random" else f"its weights are {weights}",),
    )


def _torchvision() -> Any:
    try:
        torchvision = importlib.import_module("torchvision")
        importlib.import_module("torchvision.models")
    except ImportError as error:
        raise MissingExtraError(error.name or "torchvision", "torchvision") from None
    return torchvision


def _built(torchvision: Any, name: str, weights: Any | None) -> Any:
    # Without it these networks are those of floating point, for which their weights are none.
    options = {"quantize": True} if name.lower().startswith("quantized_") else {}
    try:
        with unchanged_randomness():
            seed_everything(_SEED)
            return torchvision.models.get_model(name, weights=weights, **options)
    # What torch raises where it cannot fetch or read weights is anything.
    except Exception as error:
        reason = one_line(error).rstrip(".")
        if weights is None:
            raise InputError(f"torchvision cannot build the network: {reason}", name) from error
        import torch.hub

        file = weights.url.rpartition("/")[2]
        raise InputError(
            f"torchvision cannot load the weights {weights}: {reason}. With no network, put "
            f"{file} of {weights.url} into {Path(torch.hub.get_dir(), 'checkpoints')}",
            name,
        ) from error


def _own_preprocessing(weights: Any, name: str) -> Preprocessing:
    """Return what torchvision does to images, in the terms of `Preprocessing`."""
    made = weights.transforms()
    # Those of videos have all of its attributes.
    if type(made).__name__ != "ImageClassification":
        raise InputError(
            "expected a network that classifies images, torchvision makes images for this one by "
            f"{type(made).__name__}",
            name,
        )
    crop, filter = made.crop_size, made.interpolation.value  # noqa: A001
    if filter not in CHOICES["filter"]:
        raise InputError(
            f"expected a filter of {', '.join(CHOICES['filter'])}, torchvision resizes for this "
            f'network by "{filter}"',
            name,
        )
    return Preprocessing(
        crop[0],
        crop[-1],
        shorter_side=made.resize_size[0],
        filter=filter,
        scale=1 / 255,
        mean=tuple(map(float, made.mean)),
        std=tuple(map(float, made.std)),
    )


def _classes(weights: Any) -> Sequence[str] | None:
    """Return the names of its outputs: of ImageNet the ids, since two of its names occur twice."""
    names = weights.meta.get("categories")
    if names is None:
        return None
    return IMAGENET_IDS if len(names) == len(IMAGENET_IDS) else tuple(names)
