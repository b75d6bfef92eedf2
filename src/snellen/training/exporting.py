"""A trained network for other programs, checked against the network itself before it is written."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import importlib
import io
import json
import logging
import math
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch

from snellen.atomic_files import write_atomically
from snellen.errors import InputError, MissingExtraError, did_you_mean
from snellen.training.export_facts import FACTS_FILE, FACTS_PREFIX, facts_as_json, facts_of
from snellen.training.keras.in_training import has_keras
from snellen.training.trained_network import FORMAT, TrainedNetwork
from snellen.training.weights import load_weights, tensors_of, weights_bytes

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator

    from numpy.typing import ArrayLike, NDArray
    from torch import Tensor

__all__ = [
    "FORMATS",
    "Export",
    "export",
    "input_name",
    "largest_difference",
    "output_name",
    "run_in_batches",
]

FORMATS: Final = {
    "onnx": ".onnx",
    "torch": ".pt2",
    "safetensors": ".safetensors",
    "keras": ".keras",
}
"""The formats, and how their files end."""

OPSET: Final = 18
"""The version of ONNX' operators: read by ONNX Runtime since 1.14."""

# So many samples go through an exported network at a time, to see that it takes any number.
_BATCHES = (1, 2, 7, 16, 64)


@dataclasses.dataclass(frozen=True)
class Export:
    """A network that was written, and how far it is from the one it was made of.

    Attributes
    ----------
    path : Path
        The file.
    format : str
        As in `FORMATS`.
    input : dict of str to object
        Name, type and shape of what it takes; the first size is any.
    opset : int or None
        The version of ONNX' operators.
    n_checked : int
        How many samples went through both.
    differences : dict of str to float
        Of each output the largest absolute difference of any number.
    n_changed : int
        How many labels, of samples or pixels, are others.
    tolerance : float
        What the largest difference may be, as a part of the largest output (of 1 at least).
    n_bytes : int
        The size of the file.
    """

    path: Path
    format: str
    input: dict[str, Any]
    opset: int | None
    n_checked: int
    differences: dict[str, float]
    n_changed: int
    tolerance: float
    n_bytes: int

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {**dataclasses.asdict(self), "path": str(self.path)}

    def __str__(self) -> str:
        largest = max(self.differences.values())
        opset = "" if self.opset is None else f", opset {self.opset}"
        return (
            f"{self.path} ({self.format}{opset}, {self.n_bytes:,} bytes): on {self.n_checked} "
            f"samples the largest difference from the network is {largest:.3g}, "
            f"{self.n_changed} labels are others"
        )


def export(
    trained: TrainedNetwork,
    path: str | os.PathLike[str],
    format: str | None = None,  # noqa: A002 - the word for it
    *,
    inputs: Tensor | ArrayLike,
    tolerance: float = 1e-4,
) -> Export:
    """Write a trained network for other programs.

    It takes raw inputs, of the type of those given and any number of them, and gives what the
    network gives: scores before the softmax, or numbers. What they mean stands in the file
    (`snellen.training.export_facts`). Before anything is written, the inputs go through the network
    and through what would be written, in batches of several sizes.

    Parameters
    ----------
    trained : TrainedNetwork
        The network.
    path : path
        Where to.
    format : {"onnx", "torch", "safetensors", "keras"}, optional
        ONNX; a program of ``torch.export``; weights, with a ``.json`` beside them that says all
        else; or a Keras model (`snellen.training.keras.export.save_keras`), which takes images as
        (N, H, W, C). By default as the path ends.
    inputs : array-like, shape (N, …)
        Real data to check it on.
    tolerance : float
        How large the largest difference may be, as a part of the largest output (of 1 at least).

    Returns
    -------
    Export
        What was written, and how exact it is.

    Raises
    ------
    InputError
        For an unknown format; where the difference is larger than `tolerance`, and where an
        operation cannot be exported. Then nothing is written.
    MissingExtraError
        Without what the format needs.
    """
    place = Path(path)
    kind = _format_of(place, format)
    if kind == "keras":
        from snellen.training.keras.export import save_keras

        return save_keras(trained, place, inputs=inputs, tolerance=tolerance)
    if not 0 <= tolerance < math.inf:
        raise InputError(f"expected a number from 0, got {tolerance}", "tolerance")
    given = inputs if isinstance(inputs, torch.Tensor) else torch.from_numpy(np.array(inputs))
    expected = trained.outputs(given, batch_size=64).numpy()
    with _to_export(trained) as exported:
        data, run = _MAKERS[kind](exported, given.cpu())
        found = run_in_batches(run, given.cpu())
    name = output_name(trained)
    difference = largest_difference(expected, found, place, tolerance)
    files: dict[str | os.PathLike[str], bytes] = {place: data}
    if kind == "safetensors":
        beside = place.with_suffix(".json")
        _refuse_to_replace(beside)
        files[beside] = trained.files()[1]
    write_atomically(files)
    labels = trained.task != "regression"
    return Export(
        path=place,
        format=kind,
        input={
            "name": input_name(trained),
            "type": str(given.dtype).removeprefix("torch."),
            "shape": ["batch", *trained.input_shape],
        },
        opset=OPSET if kind == "onnx" else None,
        n_checked=len(given),
        differences={name: difference},
        n_changed=int((expected.argmax(1) != found.argmax(1)).sum()) if labels else 0,
        tolerance=tolerance,
        n_bytes=len(data),
    )


def _format_of(place: Path, named: str | None) -> str:
    if named is None:
        of_ending = {ending: name for name, ending in FORMATS.items()}
        if place.suffix not in of_ending:
            raise InputError(
                f'expected a file that ends in {", ".join(of_ending)}, got "{place.name}": name '
                "the format",
                str(place),
            )
        return of_ending[place.suffix]
    if named not in FORMATS:
        hint = did_you_mean(named, FORMATS)
        raise InputError(
            f'expected a format of {", ".join(FORMATS)}, got "{named}".{hint}', "format"
        )
    if place.suffix != FORMATS[named]:
        raise InputError(f'expected a file that ends in {FORMATS[named]}, got "{place.name}"')
    return named


def _refuse_to_replace(path: Path) -> None:
    """Refuse where a file has the name that nobody gave, and is no network's description."""
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        return
    except ValueError:
        content = None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise InputError(
            "expected to write what the weights are of beside them, there is another file of that "
            "name: move it, or export under another one",
            str(path),
        )


@contextlib.contextmanager
def _to_export(trained: TrainedNetwork) -> Iterator[TrainedNetwork]:
    """Give a network on the CPU, as it is measured: a copy, or itself where it cannot be copied."""
    if not has_keras(trained):
        yield copy.deepcopy(trained).to("cpu").eval()
        return
    device, training = trained.device, trained.training
    try:
        yield trained.to("cpu").eval()
    finally:
        trained.to(device).train(training)


def run_in_batches(run: Callable[[Tensor], NDArray[Any]], inputs: Tensor) -> NDArray[Any]:
    """Return the outputs of all inputs, which go through in batches of several sizes."""
    parts, start, turn = [], 0, 0
    while start < len(inputs):
        size = _BATCHES[min(turn, len(_BATCHES) - 1)]
        parts.append(run(inputs[start : start + size]))
        start, turn = start + size, turn + 1
    return np.concatenate(parts)


def largest_difference(
    expected: NDArray[Any], found: NDArray[Any], place: Path, tolerance: float
) -> float:
    """Return the largest difference of any number.

    Raises
    ------
    InputError
        Where it is more than the tolerance, as a part of the largest number expected.
    """
    if expected.shape != found.shape:
        raise InputError(
            f"expected outputs {expected.shape}, the exported network gives {found.shape}",
            str(place),
        )
    difference = float(np.abs(expected.astype(np.float64) - found).max())
    largest = max(1.0, float(np.abs(expected).max()))
    # Also where either is not a number.
    if not difference <= tolerance * largest:
        raise InputError(
            f"expected an exported network that differs by at most {tolerance * largest:.3g}, got "
            f"{difference:.3g}: nothing was written. A greater tolerance would allow it",
            str(place),
        )
    return difference


def _onnx(
    trained: TrainedNetwork, inputs: Tensor
) -> tuple[bytes, Callable[[Tensor], NDArray[Any]]]:
    for package in ("onnx", "onnxscript"):
        _needed(package)
    onnxruntime = _needed("onnxruntime")
    name, output = input_name(trained), output_name(trained)
    with _quiet("torch.onnx"):
        try:
            program = torch.onnx.export(
                trained,
                (_example(inputs),),
                dynamo=True,
                verbose=False,
                opset_version=OPSET,
                input_names=[name],
                output_names=[output],
                dynamic_shapes=({0: torch.export.Dim("batch")},),
            )
        except torch.onnx.OnnxExporterError as error:
            raise _refused("ONNX", error) from error
    assert program is not None
    model = program.model_proto
    # Readers of the file find out what outputs mean.
    for key, value in facts_of(trained).items():
        entry = model.metadata_props.add()
        entry.key = FACTS_PREFIX + key
        entry.value = value if isinstance(value, str) else json.dumps(value)
    data: bytes = model.SerializeToString()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])

    def run(batch: Tensor) -> NDArray[Any]:
        return np.asarray(session.run([output], {name: batch.contiguous().numpy()})[0])

    return data, run


def _torch(
    trained: TrainedNetwork, inputs: Tensor
) -> tuple[bytes, Callable[[Tensor], NDArray[Any]]]:
    file = io.BytesIO()
    with _quiet("torch.export"):
        try:
            program = torch.export.export(
                trained, (_example(inputs),), dynamic_shapes=({0: torch.export.Dim("batch")},)
            )
        except (torch._dynamo.exc.TorchDynamoException, RuntimeError, ValueError) as error:
            raise _refused("torch.export", error) from error
        about = {FACTS_FILE: facts_as_json(facts_of(trained))}
        torch.export.save(program, file, extra_files=about)
        data = file.getvalue()
        loaded = torch.export.load(io.BytesIO(data)).module()

    def run(batch: Tensor) -> NDArray[Any]:
        with torch.inference_mode():
            return np.asarray(loaded(batch).numpy())

    return data, run


def _weights(
    trained: TrainedNetwork, inputs: Tensor
) -> tuple[bytes, Callable[[Tensor], NDArray[Any]]]:
    del inputs
    data = weights_bytes(trained.network)
    for tensor in trained.network.state_dict().values():
        tensor.zero_()  # what is checked is what was read back
    load_weights(trained.network, tensors_of(data), "")

    def run(batch: Tensor) -> NDArray[Any]:
        return trained.outputs(batch).numpy()

    return data, run


_MAKERS: Final = {"onnx": _onnx, "torch": _torch, "safetensors": _weights}


def _example(inputs: Tensor) -> Tensor:
    """Return two samples of nothing: they end up in the file, and of one any number is not seen."""
    return torch.zeros((2, *inputs.shape[1:]), dtype=inputs.dtype)


def input_name(trained: TrainedNetwork) -> str:
    """Return what an exported network calls what it takes."""
    return "images" if len(trained.input_shape) == 3 else "inputs"


def output_name(trained: TrainedNetwork) -> str:
    """Return what an exported network calls what it gives."""
    return "values" if trained.task == "regression" else trained.scores


def _needed(package: str) -> Any:
    try:
        return importlib.import_module(package)
    except ImportError:
        raise MissingExtraError(package, "onnx") from None


def _refused(what: str, error: Exception) -> InputError:
    lines = [line.strip() for line in str(error.__cause__ or error).splitlines() if line.strip()]
    reason = lines[0] if lines else type(error).__name__
    return InputError(f"expected a network that {what} can take, got: {reason}")


@contextlib.contextmanager
def _quiet(name: str) -> Iterator[None]:
    """Keep what exporters say of themselves from the terminal: none of it is about the network."""
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
