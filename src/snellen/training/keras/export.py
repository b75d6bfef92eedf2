"""Networks as Keras models with the same weights, and whole trained networks as files of them."""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch

from snellen.atomic_files import write_atomically
from snellen.errors import InputError
from snellen.training.export_facts import FACTS_FILE, facts_as_json, facts_of
from snellen.training.exporting import (
    Export,
    input_name,
    largest_difference,
    output_name,
    run_in_batches,
)
from snellen.training.keras.adapter import KerasModule
from snellen.training.keras.backend import imported_keras
from snellen.training.keras.layers import KerasLayers
from snellen.training.randomness import generator

if TYPE_CHECKING:
    import os

    from numpy.typing import ArrayLike, NDArray
    from torch import Tensor, nn

    from snellen.training.data.normalisation import Normalisation
    from snellen.training.trained_network import TrainedNetwork

__all__ = ["save_keras", "to_keras"]

# By how much the two may differ, as a part of the largest output: roundings of float32 (6e-8) that
# add up over a network. A layer that is another function differs by far more.
_TOLERANCE = 1e-4


def to_keras(
    network: nn.Module,
    input_shape: tuple[int, ...] | None = None,
    *,
    layout: Literal["channels_last", "channels_first"] = "channels_last",
    name: str = "snellen",
) -> Any:
    """Return a Keras model that computes what a network computes.

    It is a functional model of Keras' own layers, of any backend, not compiled. Both are run on two
    random samples, and nothing is returned where they differ.

    Parameters
    ----------
    network : nn.Module
        What a description's layers were built to, or a `torch.nn.Sequential` of such layers. It
        stays as it is; the weights are copied.
    input_shape : tuple of int, optional
        The shape of a sample: (features,) or (channels, height, width). A network that was built
        from a description knows it.
    layout : {"channels_last", "channels_first"}
        How the model takes images: (N, H, W, C), as Keras does unless told otherwise, or
        (N, C, H, W), which TensorFlow cannot compute on the CPU.
    name : str
        The model's name.

    Returns
    -------
    keras.Model
        The model.

    Raises
    ------
    InputError
        Where a layer has no counterpart in Keras: with its place in the network.
    MissingExtraError
        If Keras is not installed.

    Notes
    -----
    The two are the same function. Trained further, they stay the same but for three things: Keras'
    batch normalisation keeps the variance that divides by n, torch that by n − 1, so outputs differ
    in evaluation, not in training; Keras' Adam, RMSprop and their kin have another epsilon; and
    masks of dropout are other draws.
    """
    keras = imported_keras()
    known = getattr(network, "input_shape", None)
    shape = known if input_shape is None else input_shape
    if shape is None:
        raise InputError(
            "expected input_shape, the shape of a sample, for a network that was not built from "
            "a description"
        )
    shape = tuple(shape)
    images = len(shape) == 3
    last = layout == "channels_last"
    inputs = keras.Input((*shape[1:], shape[0]) if images and last else shape, name="inputs")
    outputs = KerasLayers(keras, last).behind(network, inputs, "")
    model = keras.Model(inputs, outputs, name=name)
    _check_equal(network, model, shape, channels_last=last)
    return model


def save_keras(
    trained: TrainedNetwork,
    path: str | os.PathLike[str],
    *,
    inputs: Tensor | ArrayLike,
    tolerance: float = 1e-4,
) -> Export:
    """Write a trained network, with the normalisation of its inputs, as a ``.keras`` file.

    It takes raw inputs: images as (N, H, W, C), unless the network was a Keras model of channels
    first. It gives what the network gives: scores before the softmax, or numbers; what was a Keras
    model ends as that does. What they mean stands in the file (`snellen.training.export_facts`). It
    is read back and checked before it gets its name.

    Parameters
    ----------
    trained : TrainedNetwork
        Of layers that `to_keras` knows, or of a Keras model of Keras' own layers.
    path : path
        Where to; it must end in ``.keras``.
    inputs : array-like, shape (N, …)
        Real data to check it on, in the order of the network: (N, C, H, W).
    tolerance : float
        How large the largest difference may be, as a part of the largest output (of 1 at least).

    Returns
    -------
    Export
        What was written, and how exact it is.

    Raises
    ------
    InputError
        Where a layer has no counterpart in Keras, and where the difference is larger than
        `tolerance`. Then nothing is written.
    MissingExtraError
        If Keras is not installed.
    """
    keras = imported_keras()
    place = Path(path)
    if place.suffix != ".keras":
        raise InputError(f'expected a file that ends in .keras, got "{place.name}"')
    given = (
        inputs if isinstance(inputs, torch.Tensor) else torch.from_numpy(np.array(inputs))
    ).cpu()
    source, core, last = _core(trained, place)
    expected = source.outputs(given, batch_size=64).numpy()
    name = input_name(trained)
    turned = last and len(trained.input_shape) == 3
    channels, *pixels = trained.input_shape
    shape = (*pixels, channels) if turned else trained.input_shape
    raw = keras.Input(shape, name=name)
    scaled = _scaling(keras, trained.normalisation, channels_last=turned)(raw)
    model = keras.Model(raw, core(scaled), name="trained")
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder, "model.keras")
        model.save(written)
        with zipfile.ZipFile(written, "a") as archive:  # of which Keras reads its own parts
            archive.writestr(FACTS_FILE, facts_as_json(_facts(trained, source)))
        data = written.read_bytes()
        # What is checked is what was read back.
        read = keras.saving.load_model(written, compile=False)

    def run(batch: Tensor) -> NDArray[Any]:
        values = batch.numpy()
        found = read.predict_on_batch(
            values.transpose(0, 2, 3, 1) if _turned(values, last) else values
        )
        return np.asarray(found.transpose(0, 3, 1, 2) if _turned(found, last) else found)

    found = run_in_batches(run, given)
    difference = largest_difference(expected, found, place, tolerance)
    write_atomically({place: data})
    labels = trained.task != "regression"
    return Export(
        path=place,
        format="keras",
        input={
            "name": name,
            "type": str(given.dtype).removeprefix("torch."),
            "shape": ["batch", *shape],
        },
        opset=None,
        n_checked=len(given),
        differences={output_name(source): difference},
        n_changed=int((expected.argmax(1) != found.argmax(1)).sum()) if labels else 0,
        tolerance=tolerance,
        n_bytes=len(data),
    )


def _core(trained: TrainedNetwork, place: Path) -> tuple[TrainedNetwork, Any, bool]:
    """Return what the model must equal, the model behind the normalisation, and its layout."""
    network = trained.network
    if not isinstance(network, KerasModule):
        return trained, to_keras(network, trained.input_shape), True
    structure = network.structure()
    if structure is None:
        raise InputError(
            "expected a Keras model of layers that Keras knows, this one it cannot make again: "
            "save the model itself by its save()",
            str(place),
        )
    # Another one: a model that becomes a part of a second model is not quite as it was.
    again = KerasModule.of_structure({**structure, "logits": False})
    again.load_state_dict(network.state_dict())
    source = type(trained)(
        again.eval(),
        trained.normalisation,
        trained.classes,
        trained.task,
        trained.input_shape,
        trained.description,
    )
    return source, again.model, again.channels_last


def _facts(trained: TrainedNetwork, written: TrainedNetwork) -> dict[str, Any]:
    """Return what is said of a network in the file, which may end otherwise than in training."""
    facts = facts_of(written)
    if trained.network is not written.network and facts["scores"] == "binary_logits":
        # Whether a Keras model ends in sigmoids then, its outputs tell.
        del facts["scores"]
    return facts


def _scaling(keras: Any, normalisation: Normalisation, *, channels_last: bool) -> Any:
    """Return a normalisation as a layer of Keras, which also turns bytes into numbers."""
    unit = normalisation.unit
    mean, std = normalisation.mean * unit, normalisation.std * unit
    mean, std = mean + torch.zeros_like(std), std + torch.zeros_like(mean)
    if mean.numel() == 1:
        scale = 1 / float(std.reshape(()))
        return keras.layers.Rescaling(scale, -float(mean.reshape(())) * scale, name="normalise")
    if mean.ndim == 3 and channels_last:
        mean, std = mean.permute(1, 2, 0), std.permute(1, 2, 0)
    axes = [k + 1 for k, n in enumerate(mean.shape) if n > 1]
    return keras.layers.Normalization(
        axis=axes,
        mean=mean.squeeze().tolist(),
        variance=std.squeeze().square().tolist(),
        name="normalise",
    )


def _check_equal(
    network: nn.Module, model: Any, shape: tuple[int, ...], *, channels_last: bool
) -> None:
    parameter = next(network.parameters(), torch.zeros(()))
    samples = torch.randn(2, *shape, generator=generator(0, "export to Keras"))
    training = network.training
    network.eval()
    try:
        with torch.no_grad():
            wanted = network(samples.to(parameter)).float().cpu().numpy()
    finally:
        network.train(training)
    given = samples.numpy()
    got = model.predict_on_batch(
        given.transpose(0, 2, 3, 1) if _turned(given, channels_last) else given
    )
    if _turned(wanted, channels_last):
        wanted = wanted.transpose(0, 2, 3, 1)
    # Not `any(… > …)`: of what is not a number nothing is greater.
    difference = np.abs(got - wanted).max()
    if not difference <= _TOLERANCE * max(1.0, np.abs(wanted).max()):
        raise InputError(
            f"expected Keras to compute what the network does, its outputs differ by {difference:g}"
        )


def _turned(values: Any, channels_last: bool) -> bool:
    return channels_last and values.ndim == 4
