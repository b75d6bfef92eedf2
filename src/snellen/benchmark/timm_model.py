"""Networks of timm, with the weights and the preprocessing that it keeps for each."""

from __future__ import annotations

import importlib
import math
import re
from pathlib import Path
from pickle import UnpicklingError
from typing import TYPE_CHECKING, Any, Final

from snellen.benchmark.preprocessing import CHOICES, Preprocessing
from snellen.benchmark.preprocessing_settings import refuse_unknown_settings
from snellen.benchmark.torch_model import RANDOM_WEIGHTS, TORCH_SETTINGS, TorchModel
from snellen.errors import InputError, MissingExtraError, SchemaError, did_you_mean, one_line
from snellen.training.randomness import seed_everything, unchanged_randomness

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from snellen.benchmark.model import LoadOptions

__all__ = ["load"]

_SETTINGS: Final = (*TORCH_SETTINGS, "weights")
_SEED: Final = 0


def load(name: str, options: LoadOptions) -> TorchModel:
    """Return a network of timm by its name: ``resnet50.a1_in1k``, ``hf-hub:timm/…``.

    Images are made as timm's own validation makes them: of the size that it tests at, which can be
    larger than that of the training.

    Parameters
    ----------
    name : str
        As of ``timm.create_model``.
    options : LoadOptions
        Settings: those of preprocessing; ``weights`` (``random``, or a file of weights, instead of
        timm's own); ``classes`` and ``scores``, as of `TorchModel`.

    Raises
    ------
    InputError
        Where there is no such network; where its weights cannot be had, with the file that is
        missing; where its images are made in a way that cannot be done here.
    SchemaError
        For a file of weights that holds more than these.
    MissingExtraError
        Without timm.
    """
    refuse_unknown_settings(options.settings, _SETTINGS, name)
    timm = _timm()
    weights = options.settings.get("weights", "pretrained")
    module = _built(timm, name, weights)
    own = _own_preprocessing(timm, module, options.settings, name)
    return TorchModel(
        module,
        options,
        name,
        own=own,
        classes=_classes(timm, module, name),
        scores="logits",
        versions={"timm": str(timm.__version__)},
        notes=(RANDOM_WEIGHTS,) if weights == "random" else (),
    )


def _timm() -> Any:
    try:
        timm = importlib.import_module("timm")
        importlib.import_module("timm.data")
    except ImportError as error:
        # It needs torchvision itself.
        raise MissingExtraError(error.name or "timm", "timm") from None
    return timm


def _built(timm: Any, name: str, weights: str) -> Any:
    of_file = weights not in ("pretrained", "random")
    if of_file and not Path(weights).is_file():
        raise InputError("expected weights=random or a file of weights, there is none", weights)
    if ":" not in name and not timm.is_model(name.partition(".")[0]):
        raise InputError(
            f'expected a network of timm, got "{name}".{did_you_mean(name, timm.list_models())}'
        )
    try:
        with unchanged_randomness():
            seed_everything(_SEED)
            module = timm.create_model(name, pretrained=weights == "pretrained")
        if of_file:
            # Told by its argument as well, older releases would run what a pickle says.
            timm.models.load_checkpoint(module, weights, weights_only=True)
        return module
    # What timm, and what fetches for it, raise is anything.
    except Exception as error:
        reason = one_line(error).rstrip(".")
        if of_file and (isinstance(error, UnpicklingError) or "weights_only" in reason):
            raise SchemaError(
                "expected a file of weights alone, got pickled objects, which could run any code",
                weights,
            ) from error
        if weights != "pretrained":
            at = name if weights == "random" else weights
            raise InputError(f"timm cannot build {name}: {reason}", at) from error
        raise InputError(
            f"timm cannot load {name} with its weights: {reason}.{_remedy(timm, name)}", name
        ) from error


def _remedy(timm: Any, name: str) -> str:
    """Return which file is wanted, and where."""
    instead = "or give a file of its weights by weights=FILE"
    prefix, _, hub = name.partition(":")
    file = None
    if prefix not in ("hf-hub", "hf_hub"):
        try:
            config = timm.get_pretrained_cfg(name)
        except RuntimeError:  # of weights that there are not, which the reason says
            return ""
        hub = getattr(config, "hf_hub_id", None) or ""
        file = getattr(config, "hf_hub_filename", None)
        address = getattr(config, "url", None)
        if not hub and address:
            import torch.hub

            last = str(address).rpartition("/")[2]
            return (
                f" With no network, put {last} of {address} into "
                f"{Path(torch.hub.get_dir(), 'checkpoints')}, {instead}"
            )
    if not hub:
        return ""
    return (
        f' With no network, fetch {file or "model.safetensors"} where there is one ("hf download '
        f'{hub}") and bring the folder models--{hub.replace("/", "--")} into the cache of Hugging '
        f"Face (~/.cache/huggingface/hub, or where HF_HOME says), {instead}"
    )


def _own_preprocessing(
    timm: Any, module: Any, settings: Mapping[str, str], name: str
) -> Preprocessing:
    """Return what timm does to images in its validation, in the terms of `Preprocessing`."""
    config = timm.data.resolve_model_data_config(module, use_test_size=True)
    channels, height, width = config["input_size"]
    chosen = settings.keys()
    filter = config["interpolation"]  # noqa: A001 - what everybody calls it
    if filter not in CHOICES["filter"] and not chosen & {"filter", "interpolation"}:
        raise InputError(
            f"expected a filter of {', '.join(CHOICES['filter'])}, timm resizes for this network "
            f'by "{filter}": choose one, as in ",filter=bilinear"',
            name,
        )
    # As timm rounds it.
    shorter = math.floor(min(height, width) / config["crop_pct"])
    mode = config.get("crop_mode", "center")
    stretched = mode == "squash" and shorter == height == width
    if (mode != "center" or height != width) and not stretched and not chosen & {"fit", "resize"}:
        raise InputError(
            f"expected images whose middle is cut out in a square, or that are stretched, timm "
            f'makes those of this network by "{mode}" to {height} × {width} of '
            f'{config["crop_pct"]:g}: choose a way, as in ",fit=stretch" or ",resize={shorter}"',
            name,
        )
    return Preprocessing(
        height,
        width,
        shorter_side=None if mode == "squash" else shorter,
        filter=filter if filter in CHOICES["filter"] else "bilinear",
        colours="L" if channels == 1 else "RGB",
        scale=1 / 255,
        mean=tuple(map(float, config["mean"])),
        std=tuple(map(float, config["std"])),
    )


def _classes(timm: Any, module: Any, name: str) -> Sequence[str] | None:
    """Return the names of its outputs: those of its weights, or WordNet's ids of an ImageNet."""
    config = getattr(module, "pretrained_cfg", None) or {}
    if getattr(module, "num_classes", None) == 0:
        raise InputError("expected a network that gives classes, this one gives features", name)
    names = config.get("label_names")
    if names:
        return tuple(names)
    subset = timm.data.infer_imagenet_subset(module)
    if subset is None:
        return None
    found = tuple(timm.data.ImageNetInfo(subset).label_names())
    return found if all(re.fullmatch("n[0-9]{8}", each) for each in found) else None
