"""Networks of Keras, run on torch: those that come with it, and ``.keras`` and ``.h5`` files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from snellen.benchmark.image_inputs import takes_of
from snellen.benchmark.imagenet import IMAGENET_IDS
from snellen.benchmark.keras_applications import application
from snellen.benchmark.preprocessing_settings import (
    PREPROCESSING_KEYS,
    Takes,
    chosen_preprocessing,
    refuse_unknown_settings,
)
from snellen.benchmark.torch_model import TorchModel
from snellen.errors import InputError
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
    module = load_keras(path, logits=False)
    shape = _input_shape(module.model, path)
    takes = takes_of(shape, "float32", "its input", path)
    module = _as_taken(module.model)
    return TorchModel(
        module,
        options,
        path,
        takes=takes,
        input_shape=shape,
        scores=_scores(module),
        files=[path],
        kind=_kind(takes.layout),
        versions=_versions(),
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
    module = _as_taken(built.model)
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
        notes=("its weights are random: its scores mean nothing",) if built.is_random else (),
        versions=_versions(),
        also=(name, built.layout),
    )


def _as_taken(model: Any) -> KerasModule:
    """Return a model as a module that takes batches as the model does, not turned."""
    return KerasModule(model, layout="channels_first", logits=False)


def _scores(module: KerasModule) -> Scores | None:
    return "probabilities" if module.returns_probabilities else None


def _input_shape(model: Any, path: str) -> Sequence[int | None]:
    shape = getattr(model, "input_shape", None)
    if shape is None:
        raise InputError("expected a Keras model that says what it takes: save one that is", path)
    return tuple(shape)


def _kind(layout: str | None) -> str:
    return f"Keras {_versions()['keras']}" + (f", {layout}" if layout else "")


def _versions() -> dict[str, str]:
    return {"keras": str(keras_on_torch().__version__)}
