"""A network of layers as a Keras model with the same weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch

from snellen.errors import InputError
from snellen.training.keras.backend import imported_keras
from snellen.training.keras.layers import KerasLayers
from snellen.training.randomness import generator

if TYPE_CHECKING:
    from torch import nn

__all__ = ["to_keras"]

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
