"""Networks of Keras, run on torch: those that come with it, and ``.keras`` and ``.h5`` files."""

from __future__ import annotations

import math
import zipfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from snellen.benchmark.exported_network import ExportedNetwork
from snellen.benchmark.image_inputs import takes_of
from snellen.benchmark.imagenet import IMAGENET_IDS
from snellen.benchmark.keras_applications import application
from snellen.benchmark.preprocessing_settings import (
    PREPROCESSING_KEYS,
    Takes,
    chosen_preprocessing,
    refuse_unknown_settings,
)
from snellen.benchmark.torch_model import RANDOM_WEIGHTS, TorchModel, known_of
from snellen.errors import InputError
from snellen.training.export_facts import FACTS_FILE
from snellen.training.keras.adapter import KerasModule, load_keras
from snellen.training.keras.backend import keras_on_torch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from snellen.benchmark.model import LoadOptions, Scores

__all__ = ["load"]

_SETTINGS: Final = (*PREPROCESSING_KEYS, "weights", "classes", "scores")
_FILES: Final = (".keras", ".h5", ".hdf5")


def load(name: str, options: LoadOptions) -> TorchModel:
    """Return a network of Keras.

    Parameters
    ----------
    name : str
        A constructor of ``keras.applications`` (``ResNet50``), or a file with a whole model, of
        which nobody knows how its images are made: settings must say it.
    options : LoadOptions
        Settings: those of preprocessing, ``classes`` and ``scores``, as of `TorchModel`; of a
        constructor also ``weights`` and ``layout``, as of `application`.

    Raises
    ------
    InputError
        Where there is no such network or file, its weights cannot be had, or Keras was imported
        with another backend than torch.
    SchemaError
        For a file that Keras cannot read.
    MissingExtraError
        Without Keras.
    """
    is_file = Path(name).suffix.lower() in _FILES
    known = [key for key in _SETTINGS if not is_file or key != "weights"]
    refuse_unknown_settings(options.settings, known, name)
    return _of_file(name, options) if is_file else _of_keras(name, options)


def _of_file(path: str, options: LoadOptions) -> TorchModel:
    # Batches come as the model takes them: not turned.
    module = load_keras(path, layout="channels_first", logits=False)
    shape, dtype = _input(module.model, path)
    takes = takes_of(shape, dtype, "its input", path)
    ours = ExportedNetwork.of_json(_facts(path), options.settings, path)
    known = known_of(ours, takes, path)
    if known.get("scores") is None:
        known["scores"] = _scores(module)
    return TorchModel(
        module,
        options,
        path,
        takes=takes,
        input_shape=shape,
        dtype=_computed_in(module.model),
        files=[path],
        kind=_kind(takes.layout),
        versions=_versions(),
        **known,
    )


def _of_keras(name: str, options: LoadOptions) -> TorchModel:
    keras = keras_on_torch()
    settings = options.settings
    weights = settings.get("weights", "imagenet")
    built = application(keras, name, weights=weights, layout=settings.get("layout"))
    own = built.preprocessing
    if built.is_random:
        chosen = chosen_preprocessing(settings, own, name)
        size = (chosen.height, chosen.width)
        if size != (own.height, own.width):
            built = application(
                keras, name, weights=weights, layout=settings.get("layout"), size=size
            )
            own = built.preprocessing
    module = KerasModule(built.model, layout="channels_first", logits=False)
    return TorchModel(
        module,
        options,
        name,
        own=own,
        takes=Takes(
            own.height if built.is_fixed else None,
            own.width if built.is_fixed else None,
            3,
            built.layout,
            "float32",
        ),
        classes=IMAGENET_IDS,
        scores=_scores(module),
        kind=_kind(built.layout),
        notes=(RANDOM_WEIGHTS,) if built.is_random else (),
        versions=_versions(),
        also=(name, built.layout),
    )


def _scores(module: KerasModule) -> Scores | None:
    return "probabilities" if module.returns_probabilities else None


def _input(model: Any, path: str) -> tuple[Sequence[int | None], str]:
    """Return the shape and the type of what a model takes."""
    shape = getattr(model, "input_shape", None)
    if shape is None:
        raise InputError("expected a Keras model that says what it takes: save one that is", path)
    return tuple(shape), str(model.inputs[0].dtype)


def _computed_in(model: Any) -> str | None:
    """Return the type in which most of the weights are used, which can be stored in another."""
    used = Counter[str]()
    for layer in model._flatten_layers(include_self=False):
        own = (*layer._trainable_variables, *layer._non_trainable_variables)
        used[layer.compute_dtype] += sum(math.prod(weight.shape) for weight in own)
    return next((name for name, n in used.most_common(1) if n), None)


def _facts(path: str) -> bytes:
    """Return what `snellen export` put into a file; nothing of another."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.read(FACTS_FILE)
    except (KeyError, zipfile.BadZipFile):  # HDF5 is none
        return b""


def _kind(layout: str | None) -> str:
    return f"Keras {_versions()['keras']}" + (f", {layout}" if layout else "")


def _versions() -> dict[str, str]:
    return {"keras": str(keras_on_torch().__version__)}
