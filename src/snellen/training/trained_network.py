"""A trained network with all that it needs to predict: from raw inputs to answers."""

from __future__ import annotations

import contextlib
import platform
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np
import torch
from torch import nn

from snellen.atomic_files import write_atomically
from snellen.classes import Classes
from snellen.errors import (
    InputError,
    MissingExtraError,
    SchemaError,
    ShapeError,
    StateVersionError,
)
from snellen.training.augmentation import averaged
from snellen.training.class_losses import BinaryCrossEntropy, SigmoidFocal
from snellen.training.data.normalisation import Normalisation
from snellen.training.description import Description
from snellen.training.keras.adapter import KerasModule
from snellen.training.network.build import build_network
from snellen.training.tasks import TASKS
from snellen.training.weights import load_weights, read_weights, weights_bytes

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray
    from torch import Tensor

    from snellen.readers.pictures import Fit

__all__ = ["FORMAT", "TrainedNetwork", "load_trained"]

_WEIGHTS: Final = "weights.safetensors"
_CONTENT: Final = "network.json"
FORMAT: Final = "snellen trained network"
_VERSION: Final = 1
_YES_OR_NO: Final = (BinaryCrossEntropy.name, SigmoidFocal.name)


class TrainedNetwork(nn.Module):
    """A network, the normalisation of its inputs, and what its outputs mean.

    As a module it takes raw inputs, as the data have them: images as bytes (N, C, H, W), or numbers
    (N, F); and gives what the network gives.

    Parameters
    ----------
    network : nn.Module
        What was trained; it takes normalised inputs.
    normalisation : Normalisation
        That of its training.
    classes : Classes or None
        Of each output, ids 0 … K - 1; None for regression.
    task : str
        ``"classification"``, ``"regression"`` or ``"segmentation"``.
    input_shape : tuple of int
        (C, H, W) or (F,).
    description : mapping of str to object
        How it was trained, in plain values (`Description.plain`): the network is built again from
        its ``network``.
    features : sequence of str or None
        What the F numbers of an input are called in a table; None where they have no names.

    Attributes
    ----------
    views : tuple of str
        What outputs are averaged over (`snellen.training.augmentation.test_views`).
    scores : str
        ``"logits"``; ``"binary_logits"`` where it was trained by a yes or no for each class (the
        losses ``bce`` and ``sigmoid_focal``); ``"probabilities"`` of a network whose last layer is
        a softmax.
    """

    def __init__(
        self,
        network: nn.Module,
        normalisation: Normalisation,
        classes: Classes | None,
        task: str,
        input_shape: Sequence[int],
        description: Mapping[str, Any],
        features: Sequence[str] | None = None,
    ) -> None:
        super().__init__()
        if task not in TASKS:
            raise InputError(f'expected a task of {", ".join(TASKS)}, got "{task}"', "task")
        self.network = network
        self.normalise = normalisation.module()
        self.normalisation = normalisation
        self.classes = classes
        self.task = task
        self.input_shape = tuple(input_shape)
        self.description = dict(description)
        self.features = None if features is None else tuple(features)
        self.views = tuple(self.description.get("test_views", ()))
        self.scores = _scores(network, self.description.get("loss"))
        first = next((p for p in network.parameters() if p.is_floating_point()), None)
        self._double = first is not None and first.dtype == torch.float64
        self.normalise.to(self.device, torch.float64 if self._double else torch.float32)

    def extra_repr(self) -> str:
        """Return what is more than its layers."""
        return f"task={self.task}, input_shape={self.input_shape}"

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the network's outputs for raw inputs."""
        # An exported network holds the normalisation as a layer; here it is that of training, whose
        # fused sum may round the last bit otherwise.
        if torch.compiler.is_compiling():
            normalised = self.normalise(inputs)
        else:
            taken = inputs.dtype in (torch.uint8, torch.float32) and not self._double
            kind = torch.float64 if self._double else torch.float32
            normalised = self.normalisation.apply(inputs if taken else inputs.to(kind))
        if self.views:
            return averaged(self.network, normalised, self.views)
        outputs: Tensor = self.network(normalised)
        return outputs

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        first = next(self.network.parameters(), None)
        return torch.device("cpu") if first is None else first.device

    @property
    def fit(self) -> Fit:
        """How files of images are made to its size, as in training: ``"crop"``, ``"stretch"``."""
        data = self.description.get("data")
        found: Fit = data.get("fit", "crop") if isinstance(data, dict) else "crop"
        return found

    @property
    def n_outputs(self) -> int:
        """How many classes, or numbers."""
        if self.classes is not None:
            return len(self.classes)
        return int(self.outputs(np.zeros((1, *self.input_shape), np.uint8)).shape[1])

    def outputs(self, inputs: Tensor | ArrayLike, batch_size: int = 256) -> Tensor:
        """Return what the network gives, without training anything.

        Parameters
        ----------
        inputs : array-like, shape (N, …)
            Raw inputs: bytes or numbers.
        batch_size : int
            How many go through the network at a time.

        Returns
        -------
        Tensor
            On the CPU: (N, K) scores, (N, D) numbers, or (N, K, H, W) scores of pixels.

        Raises
        ------
        ShapeError
            For inputs of another shape.
        InputError
            For NaN and infinity; for a batch size below 1.
        """
        raw = self._checked(inputs)
        with evaluating(self):
            parts = [self(batch).cpu() for batch in _batches(raw, batch_size, self.device)]
        return torch.cat(parts)

    def predict(self, inputs: Tensor | ArrayLike, batch_size: int = 256) -> NDArray[Any]:
        """Return the network's answers.

        Parameters
        ----------
        inputs, batch_size
            As in `outputs`.

        Returns
        -------
        ndarray
            Classification: (N, K) probabilities, float64; of a yes or no for each class their
            sigmoids, scaled to sum 1. Regression: (N, D) numbers.
            Segmentation: (N, H, W) classes of pixels, uint8 where they fit. Of equal scores the
            class of the lowest id is predicted.
        """
        raw = self._checked(inputs)
        with evaluating(self):
            parts = [self.answers(self(batch)) for batch in _batches(raw, batch_size, self.device)]
        return np.concatenate(parts)

    def answers(self, outputs: Tensor) -> NDArray[Any]:
        """Return the answers, as of `predict`, that outputs of the network stand for."""
        if self.task == "segmentation":
            kind = np.uint8 if outputs.shape[1] <= 256 else np.int32
            return outputs.max(1).indices.cpu().numpy().astype(kind)
        if self.task == "regression":
            return np.asarray(outputs.cpu().numpy())
        scores = outputs.cpu().double()
        if self.scores == "binary_logits":
            # The softmax of the logarithms is each sigmoid by their sum, also where all are tiny.
            scores = torch.nn.functional.logsigmoid(scores)
        if self.scores != "probabilities":
            scores = scores.softmax(1)
        return np.asarray((scores / scores.sum(1, keepdim=True)).numpy())

    def _checked(self, inputs: Tensor | ArrayLike) -> Tensor:
        raw = inputs if isinstance(inputs, torch.Tensor) else torch.from_numpy(np.array(inputs))
        if tuple(raw.shape[1:]) != self.input_shape or not len(raw):
            wanted = ", ".join(map(str, self.input_shape))
            raise ShapeError(f"expected inputs (N, {wanted}), got {tuple(raw.shape)}")
        if raw.is_floating_point() and not bool(torch.isfinite(raw).all()):
            row = int((~torch.isfinite(raw)).flatten(1).any(1).nonzero()[0])
            raise InputError("expected finite inputs, got NaN or infinity", f"row {row}")
        return raw

    def content(self) -> dict[str, Any]:
        """Return all but the weights, in plain values."""
        import snellen

        return {
            "format": FORMAT,
            "version": _VERSION,
            "task": self.task,
            "input_shape": list(self.input_shape),
            "features": None if self.features is None else list(self.features),
            "n_outputs": self.n_outputs,
            "scores": self.scores,
            "classes": None if self.classes is None else list(self.classes.names),
            "normalisation": self.normalisation.plain(),
            "description": self.description,
            "versions": {
                "snellen": snellen.__version__,
                "torch": str(torch.__version__),
                "python": platform.python_version(),
            },
            **self._structure(),
        }

    def _structure(self) -> dict[str, Any]:
        """Return a Keras model's own description: its file may be elsewhere tomorrow."""
        found = self.network.structure() if isinstance(self.network, KerasModule) else None
        return {} if found is None else {"keras": found}

    def files(self) -> tuple[bytes, bytes]:
        """Return the weights as safetensors, and all else as JSON.

        Raises
        ------
        MissingExtraError
            Without safetensors.
        """
        lines = [
            f" {msgspec.json.encode(name).decode()}: {msgspec.json.encode(value).decode()}"
            for name, value in self.content().items()
        ]
        content = "{\n" + ",\n".join(lines) + "\n}\n"
        return weights_bytes(self.network), content.encode()

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write ``weights.safetensors`` and ``network.json`` to a folder, which is made.

        Raises
        ------
        MissingExtraError
            Without safetensors.
        OSError
            Where they cannot be written; then neither is.
        """
        place = Path(folder)
        weights, content = self.files()
        place.mkdir(parents=True, exist_ok=True)
        write_atomically({place / _WEIGHTS: weights, place / _CONTENT: content})


def load_trained(path: str | os.PathLike[str], network: nn.Module | None = None) -> TrainedNetwork:
    """Load what `TrainedNetwork.save` wrote. Nothing of it is run as code.

    A network that the description names as ``module:function`` is made by that function, which
    must be importable. A Keras model of Keras' own layers needs neither function nor file.

    Parameters
    ----------
    path : path
        The folder; or a file of weights with its description beside it, as `export` writes them.
    network : nn.Module, optional
        One of the same structure, into which the weights go; by default it is built from the
        description.

    Raises
    ------
    InputError
        Where files are missing.
    SchemaError
        For other files; for weights of another network, with the tensors that differ.
    StateVersionError
        For files of a newer release.
    MissingExtraError
        Without safetensors.
    """
    place = Path(path)
    single = place.suffix == ".safetensors"
    weights_file = place if single else place / _WEIGHTS
    content_file = place.with_suffix(".json") if single else place / _CONTENT
    content = _read_content(content_file)
    weights = read_weights(weights_file)
    named = content.classes
    classes = None if named is None else Classes.of(named)
    if network is None:
        network = _built(content, str(content_file))
    load_weights(network, weights, str(weights_file))
    network.eval()
    return TrainedNetwork(
        network,
        Normalisation.from_plain(content.normalisation),
        classes,
        content.task,
        tuple(content.input_shape),
        content.description,
        content.features,
    )


class _Content(msgspec.Struct):
    """What network.json holds."""

    format: str
    version: int
    task: str
    input_shape: list[int]
    n_outputs: int
    scores: str
    classes: list[str] | None
    normalisation: dict[str, Any]
    description: dict[str, Any]
    versions: dict[str, str]
    features: list[str] | None = None
    keras: dict[str, Any] | None = None


def _read_content(path: Path) -> _Content:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(
            f"expected the description of a trained network, got: {error.strerror}", str(path)
        ) from error
    try:
        head = msgspec.json.decode(data, type=dict[str, Any])
        if head.get("format") == FORMAT and head.get("version", 0) > _VERSION:
            raise StateVersionError(
                f"expected a trained network of version {_VERSION}, got {head['version']}: "
                "install a newer Snellen",
                str(path),
            )
        content = msgspec.convert(head, _Content)
    except (msgspec.DecodeError, TypeError) as error:
        raise SchemaError(
            f"expected the description of a trained network, got other content: {error}", str(path)
        ) from None
    if content.format != FORMAT or content.task not in TASKS:
        raise SchemaError(
            f'expected the description of a trained network, got "{content.format}" for '
            f'"{content.task}"',
            str(path),
        )
    return content


def _built(content: _Content, place: str) -> nn.Module:
    """Return the network that the description names, with weights still to come."""
    if content.keras is not None:
        return _of_keras(content.keras, place)
    written: dict[str, Any] = {
        name: content.description[name]
        for name in ("network", "initialisation", "seed")
        if name in content.description
    }
    if "network" not in written:
        raise SchemaError("expected a description with a network: give the network itself", place)
    # As a description that is trained is read, but for the data, which are not needed.
    description = Description.of({"data": "none", **written}, place)
    return build_network(
        description.network,
        tuple(content.input_shape),
        content.n_outputs,
        initialisation=description.initialisation,
        seed=description.seed,
        task=content.task,
    )


def _of_keras(structure: dict[str, Any], place: str) -> nn.Module:
    try:
        return KerasModule.of_structure(structure)
    except (MissingExtraError, InputError):
        raise
    # What Keras raises for layers that it does not know is anything.
    except Exception as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise SchemaError(
            f"expected a Keras model, Keras cannot make it: {reason}", place
        ) from error


@contextlib.contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """Run a module as when it is measured, without gradients; each layer's mode is given back."""
    modes = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        with torch.inference_mode():
            yield
    finally:
        for part, training in modes:
            part.training = training


def _batches(raw: Tensor, batch_size: int, device: torch.device) -> Iterator[Tensor]:
    if batch_size < 1:
        raise InputError(f"expected a whole number from 1, got {batch_size}", "batch_size")
    for start in range(0, len(raw), batch_size):
        yield raw[start : start + batch_size].to(device)


def _scores(network: nn.Module, loss: Any) -> str:
    """Return what the scores of a network are, that was trained by a loss."""
    if _gives_probabilities(network):
        return "probabilities"
    name = loss.get("name") if isinstance(loss, dict) else loss
    return "binary_logits" if name in _YES_OR_NO else "logits"


def _gives_probabilities(network: nn.Module) -> bool:
    if isinstance(network, KerasModule):
        return network.returns_probabilities
    leaves = [part for part in network.modules() if next(part.children(), None) is None]
    return bool(leaves) and isinstance(leaves[-1], nn.Softmax)
