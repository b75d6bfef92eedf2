"""A source of networks for `snellen benchmark` that a package of one's own brings.

Linear networks, scores = pixels · weights + bias, in .npz files. The package names it in its
pyproject.toml:

    [project.entry-points."snellen.models"]
    linear = "model_source:Linear"

and where it is installed there is one prefix more:

    snellen benchmark --data fashion-mnist linear:weights.npz onnx:cnn.onnx
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from snellen.benchmark import Facts, Preprocessing
from snellen.benchmark.preprocessing_settings import refuse_unknown_settings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from snellen.benchmark import LoadOptions

    Batch = NDArray[np.float32]


class Linear:
    """A network of one layer."""

    scores = "logits"  # or "probabilities"
    classes = None  # or the name of each output; without, they have the order of the data's classes

    def __init__(self, path: str, options: LoadOptions) -> None:
        refuse_unknown_settings(options.settings, (), path)
        with np.load(path) as file:
            self.weights, self.bias = file["weights"], file["bias"]
        self.preprocessing = Preprocessing(28, 28, colours="L", scale=1 / 255)
        digest = hashlib.blake2b(Path(path).read_bytes()).hexdigest()
        versions = {"numpy": np.__version__}
        self.facts = Facts("cpu", "float32", options.threads, versions, digest, runtime="NumPy")

    def resident(self, batch: Batch) -> Batch:
        """Return a batch where the network wants it: here that is where it is."""
        return batch

    def run(self, resident: Batch) -> Batch:
        """Return the outputs; this is what is timed, so it waits until they are there."""
        return resident.reshape(len(resident), -1) @ self.weights + self.bias

    def predict(self, batch: Batch) -> Batch:
        """Return scores, a row an image."""
        return self.run(self.resident(batch))

    def close(self) -> None:
        """Give back memory; there is nothing to do."""
