"""Networks that were trained with Snellen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from snellen.benchmark.exported_network import FITS
from snellen.benchmark.preprocessing import Preprocessing
from snellen.benchmark.preprocessing_settings import Takes, refuse_unknown_settings
from snellen.benchmark.torch_model import TORCH_SETTINGS, TorchModel
from snellen.errors import InputError, SchemaError
from snellen.training.trained_network import load_trained

if TYPE_CHECKING:
    from snellen.benchmark.model import LoadOptions
    from snellen.training.trained_network import TrainedNetwork

__all__ = ["load"]

# It normalises by itself, in float32, and what it gives is known.
_SETTINGS: Final = tuple(
    name
    for name in TORCH_SETTINGS
    if name not in ("scores", "precision", "preset", "scale", "mean", "std", "dtype", "layout")
)


def load(name: str, options: LoadOptions) -> TorchModel:
    """Return a network that was trained with Snellen; see `TorchModel`.

    Its images are made as `snellen predict` makes them, and go into it as bytes.

    Parameters
    ----------
    name : str
        The folder of a run, or of `TrainedNetwork.save`, or the weights in it; or weights
        (``.safetensors``) with their description beside them.
    options : LoadOptions
        Settings: those that decide which pixels it sees, ``classes`` and ``memory``.

    Raises
    ------
    InputError
        Where there is no network, and for one that does not classify images.
    SchemaError, StateVersionError
        For other files.
    """
    refuse_unknown_settings(options.settings, _SETTINGS, name)
    within = Path(name).parent
    if Path(name).name == "weights.safetensors" and (within / "network.json").is_file():
        name = str(within)
    trained = load_trained(name)
    if trained.task != "classification":
        raise InputError(f"expected a network for classification, got one for {trained.task}", name)
    if len(trained.input_shape) != 3 or trained.input_shape[0] not in (1, 3):
        raise InputError(
            "expected a network of grey images or of colours, got one that takes "
            f"{trained.input_shape}",
            name,
        )
    yes_or_no = trained.scores == "binary_logits"
    n_channels, height, width = trained.input_shape
    return TorchModel(
        trained,
        options,
        name,
        own=_preprocessing(trained, name),
        takes=Takes(height, width, n_channels, "channels_first", "uint8"),
        classes=None if trained.classes is None else trained.classes.display_names(),
        scores="logits" if trained.scores == "logits" else "probabilities",
        answers=trained.answers if yes_or_no else None,
        files=_files(name),
        kind="trained with Snellen",
    )


def _preprocessing(trained: TrainedNetwork, name: str) -> Preprocessing:
    """Return how `snellen predict` makes images for a network."""
    if trained.fit not in FITS:
        raise SchemaError(
            f'expected a fit of {", ".join(FITS)} in the description, got "{trained.fit}"', name
        )
    n_channels, height, width = trained.input_shape
    return Preprocessing(
        height,
        width,
        colours="L" if n_channels == 1 else "RGB",
        dtype="uint8",
        fit=FITS[trained.fit],
    )


def _files(name: str) -> list[str]:
    place = Path(name)
    if place.suffix == ".safetensors":
        return [name, str(place.with_suffix(".json"))]
    return [str(place / "weights.safetensors"), str(place / "network.json")]
