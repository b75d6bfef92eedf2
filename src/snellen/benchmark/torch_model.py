"""A module of torch as a model: on its device, in its precision, timed when all is done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypedDict

import torch
from torch import nn

from snellen.benchmark.fingerprints import digest_of_files, digest_of_module
from snellen.benchmark.image_inputs import check_batch, image_shapes, notes_of_fixed, parts_of
from snellen.benchmark.model import Facts
from snellen.benchmark.operations import torch_macs
from snellen.benchmark.output_names import chosen_class_names, class_names_of
from snellen.benchmark.outputs import (
    chosen_scores,
    of_sum_one,
    probabilities_of_yes_or_no,
    probe_batch,
    score_rows,
)
from snellen.benchmark.preprocessing_settings import (
    PREPROCESSING_KEYS,
    Takes,
    chosen_preprocessing,
)
from snellen.benchmark.torch_facts import (
    bytes_of,
    ends_in_softmax,
    n_tensors,
    parameters_of,
    precision_of,
    type_of_most,
)
from snellen.errors import InputError, did_you_mean
from snellen.training.network.probe import first_tensor

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from snellen.benchmark.exported_network import ExportedNetwork
    from snellen.benchmark.model import LoadOptions, Scores
    from snellen.benchmark.preprocessing import Preprocessing

__all__ = ["RANDOM_WEIGHTS", "TORCH_SETTINGS", "TorchModel", "device_of", "known_of"]

TORCH_SETTINGS: Final = (*PREPROCESSING_KEYS, "classes", "scores", "memory", "precision")
"""The settings that `TorchModel` understands."""

RANDOM_WEIGHTS: Final = "its weights are random: its scores mean nothing"
"""What people should know of a network that was not trained."""

_PRECISIONS: Final = {
    "own": torch.float32,  # or what the weights are
    "float32": torch.float32,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
}
_MEMORY: Final = {
    "contiguous": torch.contiguous_format,
    "channels_last": torch.channels_last,
}


class TorchModel:
    """A module of torch; see `snellen.benchmark.model.Model`.

    Parameters
    ----------
    module : nn.Module
        It is put into evaluation, moved, and converted.
    options : LoadOptions
        Device, threads, settings: those of preprocessing; ``classes`` (a file of names), ``scores``
        (logits or probabilities), ``precision`` (own, float32, bfloat16, float16), ``memory``
        (contiguous, channels_last).
    place : str
        What messages call it.
    own : Preprocessing, optional
        What it was trained with.
    takes : Takes
        What it says of its input.
    input_shape : sequence of int or None
        Of its input, where that is known; a first number is how many images it takes at a time.
    input_type : torch.dtype, optional
        Of numbers that it takes; by default that of its weights.
    dtype : str, optional
        What it computes in; by default the type of its weights.
    classes : sequence of str, optional
        Of its outputs.
    scores : {"logits", "probabilities"}, optional
        What it gives; by default that is found out.
    answers : callable, optional
        Makes the scores of what the module returns.
    files : sequence of str
        What it was read from; without, its check sum is that of its weights and its code.
    kind : str
        What it is, in words.
    notes : sequence of str
        What people should know.
    versions : mapping of str to str, optional
        Of libraries beside torch.
    also : sequence of str
        What of its structure neither its weights nor its code say, for the check sum.

    Raises
    ------
    InputError
        For a device that is not there, for settings that there are not, where nothing is known of
        its images, and where it fails on them.
    ShapeError
        Where it gives no score of each class.
    ClassError
        For names of classes that are not as many as scores.
    """

    preprocessing: Preprocessing
    classes: Sequence[str] | None
    scores: Scores
    facts: Facts

    def __init__(
        self,
        module: nn.Module,
        options: LoadOptions,
        place: str,
        *,
        own: Preprocessing | None = None,
        takes: Takes = Takes(),  # noqa: B008 - a tuple
        input_shape: Sequence[int | None] = (None, None, None, None),
        input_type: torch.dtype | None = None,
        dtype: str | None = None,
        classes: Sequence[str] | None = None,
        scores: Scores | None = None,
        answers: Callable[[Tensor], NDArray[Any]] | None = None,
        files: Sequence[str] = (),
        kind: str = "eager",
        notes: Sequence[str] = (),
        versions: Mapping[str, str] | None = None,
        also: Sequence[str] = (),
    ) -> None:
        settings = options.settings
        self._place = place
        self._answers = answers
        self.preprocessing = chosen_preprocessing(settings, own, place, takes)
        self._in_batch, self._in_input = image_shapes(self.preprocessing, len(input_shape))
        self._fixed = input_shape[0]
        precision = _one_of(settings, "precision", _PRECISIONS, place)
        memory = _one_of(settings, "memory", _MEMORY, place)
        kind_of_numbers = precision_of(module) if precision == "own" else _PRECISIONS[precision]
        self._device = device_of(options.device, place)
        self._dtype = (
            torch.uint8 if self.preprocessing.dtype == "uint8" else input_type or kind_of_numbers
        )
        self._memory = _MEMORY[memory]
        torch.set_num_threads(options.threads)
        variant = (str(kind_of_numbers), memory, settings.get("scores", ""), *also)
        digest = (
            digest_of_files(files, also=variant)
            if files
            else digest_of_module(module, also=variant)
        )
        module = module.eval().to(self._device)
        if precision != "own":
            module = module.to(kind_of_numbers)
        self._module: Any = module
        if memory != "contiguous":
            convert: Any = module.to  # its types know no memory_format
            convert(memory_format=self._memory)
        self._rounded = False
        probe = probe_batch(self.preprocessing, 2)
        rows = self.predict(probe)
        example = self.resident(probe)[1][0]
        self.classes = chosen_class_names(settings, classes, rows.shape[1], place)
        computed_in = dtype or type_of_most(module, kind_of_numbers)
        found = chosen_scores(
            settings,
            rows,
            place,
            known=scores,
            softmax=ends_in_softmax(module),
            half="16" in computed_in,
        )
        self.scores = found.scores
        self._rounded = "16" in computed_in and self.scores == "probabilities"
        self.facts = Facts(
            device=str(self._device),
            dtype=computed_in,
            threads=options.threads,
            versions={"torch": str(torch.__version__), **(versions or {})},
            digest=digest,
            parameters=parameters_of(module, files),
            macs=torch_macs(module, example),
            file_bytes=bytes_of(module, files),
            runtime=f"torch {torch.__version__}, {kind}",
            notes=(*notes, *found.notes, *self._more_notes(example, kind_of_numbers)),
        )

    def resident(self, batch: NDArray[Any]) -> tuple[int, list[Tensor]]:
        """Return how many images, and the tensors that the module takes one after the other.

        On a CPU they may be the memory of the batch.
        """
        check_batch(batch, self._in_batch, self._place)
        tensors = []
        for part in parts_of(batch, self._fixed):
            array = part if part.flags.writeable else part.copy()  # torch would warn
            tensor = torch.from_numpy(array).reshape(len(part), *self._in_input)
            tensor = tensor.to(self._device, self._dtype)
            if self._memory == torch.channels_last and tensor.ndim == 4:
                tensor = tensor.contiguous(memory_format=torch.channels_last)
            tensors.append(tensor)
        self._synchronise()
        return len(batch), tensors

    def run(self, resident: tuple[int, list[Tensor]]) -> Tensor:
        """Return the outputs; all have been computed."""
        n, tensors = resident
        outputs = [first_tensor(each) for each in self._outputs(tensors)]
        found = [each for each in outputs if each is not None]
        if not found:
            raise InputError("expected a tensor from the network, got none", self._place)
        return found[0] if self._fixed is None else torch.cat(found)[:n]

    def _outputs(self, tensors: list[Tensor]) -> list[Any]:
        """Return what the module gives for each tensor."""
        try:
            with torch.inference_mode():
                outputs = [self._module(tensor) for tensor in tensors]
                self._synchronise()
        # A module of the user's may raise anything.
        except Exception as error:
            raise InputError(
                f"expected a network for batches {tuple(tensors[0].shape)} of {tensors[0].dtype}, "
                f"it fails: {_reason(error)}",
                self._place,
            ) from error
        return outputs

    def predict(self, batch: NDArray[Any]) -> NDArray[Any]:
        """Return the scores of a batch, shape (n, K)."""
        outputs = self.run(self.resident(batch))
        if self._answers is not None:
            return score_rows(self._answers(outputs), len(batch), self._place)
        if outputs.dtype in (torch.bfloat16, torch.float16):
            outputs = outputs.float()  # NumPy has no bfloat16
        rows = score_rows(outputs.cpu().numpy(), len(batch), self._place)
        return of_sum_one(rows) if self._rounded else rows

    def close(self) -> None:
        """Give back memory."""
        self._module = None
        if self._device.type == "cuda":
            torch.cuda.empty_cache()

    def _synchronise(self) -> None:
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)

    def _more_notes(self, example: Tensor, dtype: torch.dtype) -> list[str]:
        notes = notes_of_fixed(self._fixed)
        n = n_tensors(self._outputs([example])[0])
        if n > 1:
            notes.append(f"it returns {n} tensors, of which the first was taken")
        if self._device.type == "cuda" and dtype == torch.float32:
            allowed = torch.backends.cudnn.allow_tf32
            notes.append(f"convolutions {'may round' if allowed else 'do not round'} to TF32")
        return notes


class _Known(TypedDict, total=False):
    own: Preprocessing
    classes: Sequence[str] | None
    scores: Scores | None
    answers: Callable[[Tensor], NDArray[Any]] | None
    notes: Sequence[str]


def known_of(exported: ExportedNetwork | None, takes: Takes, place: str) -> _Known:
    """Return what `TorchModel` is told of a network whose file `snellen export` wrote.

    Raises
    ------
    SchemaError, ClassError
        Where what the file says is no such thing.
    """
    if exported is None:
        return {}
    names = exported.classes
    return {
        "own": exported.preprocessing(takes, place),
        "classes": None if names is None else class_names_of(names, f"{place} classes"),
        "scores": exported.scores,
        "answers": _of_yes_or_no if exported.is_yes_or_no else None,
        "notes": exported.notes,
    }


def _of_yes_or_no(outputs: Tensor) -> NDArray[Any]:
    return probabilities_of_yes_or_no(outputs.cpu().numpy())


def device_of(device: str, place: str) -> torch.device:
    """Return where torch is to run.

    Raises
    ------
    InputError
        For a GPU that is not there, and for what is no device of torch.
    """
    n = torch.cuda.device_count() if torch.cuda.is_available() else 0
    kind, _, index = device.partition(":")
    if kind == "auto":
        return torch.device("cuda" if n else "cpu")
    if kind == "cpu":
        return torch.device("cpu")
    if kind != "cuda":
        raise InputError(f"expected a device of torch (cpu, cuda), got {device}", place)
    if int(index or 0) >= n:
        there = f"{n} of them" if n else "none"
        raise InputError(
            f"expected to run on {device}, torch {torch.__version__} sees {there}: install torch "
            "for CUDA, or take the device cpu",
            place,
        )
    return torch.device(device)


def _one_of(settings: Mapping[str, str], name: str, known: Mapping[str, object], place: str) -> str:
    value = settings.get(name, next(iter(known)))
    if value not in known:
        raise InputError(
            f'expected one of {", ".join(known)}, got "{value}".{did_you_mean(value, known)}',
            f"{place} {name}",
        )
    return value


def _reason(error: Exception) -> str:
    """Return what torch says, in a line; of TorchScript, without the trace through its code."""
    text = str(error).rpartition("RuntimeError: ")[2]
    return " ".join(text.split())[:300] or type(error).__name__
