"""Networks in ONNX files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from snellen.benchmark.fingerprints import digest_of_files
from snellen.benchmark.image_inputs import check_batch, image_shapes, takes_of
from snellen.benchmark.model import Facts
from snellen.benchmark.onnx_graph import read_graph
from snellen.benchmark.onnx_session import BoundBatch, OnnxSession
from snellen.benchmark.operations import onnx_macs, onnx_parameters
from snellen.benchmark.output_names import chosen_class_names, class_names_of
from snellen.benchmark.outputs import (
    chosen_scores,
    probabilities_of_yes_or_no,
    probe_batch,
    score_rows,
)
from snellen.benchmark.preprocessing import Fit, Preprocessing
from snellen.benchmark.preprocessing_settings import (
    PREPROCESSING_KEYS,
    Takes,
    chosen_preprocessing,
    refuse_unknown_settings,
)
from snellen.errors import InputError, SchemaError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from snellen.benchmark.model import LoadOptions, Scores

__all__ = ["OnnxModel", "load"]

_SETTINGS: Final = (*PREPROCESSING_KEYS, "classes", "scores", "output")
# Where files say what their outputs are called: Snellen's, Ultralytics', other people's.
_CLASSES: Final = ("snellen.classes", "names", "classes")
_FITS: Final[dict[str | None, Fit]] = {None: "fill", "crop": "fill", "stretch": "stretch"}


def load(name: str, options: LoadOptions) -> OnnxModel:
    """Return the network of an ONNX file; see `OnnxModel`."""
    return OnnxModel(name, options)


class OnnxModel:
    """A network of an ONNX file; see `snellen.benchmark.model.Model`.

    Parameters
    ----------
    path : str
        The file.
    options : LoadOptions
        Device, threads, settings: those of preprocessing; ``classes`` (a file of names), ``scores``
        (logits or probabilities), ``output`` (the name of one of several).

    Raises
    ------
    InputError
        Where ONNX Runtime cannot load or run it; for a device that is not there; for settings that
        there are not, and where nothing is known of its images.
    ShapeError
        Where it takes no images, or gives no score of each class.
    ClassError
        For names of classes that are not as many as scores.
    MissingExtraError
        Without ONNX Runtime.
    """

    preprocessing: Preprocessing
    classes: Sequence[str] | None
    scores: Scores
    facts: Facts

    def __init__(self, path: str, options: LoadOptions) -> None:
        settings = options.settings
        refuse_unknown_settings(settings, _SETTINGS, path)
        self._path = path
        # Before the session: its memory is measured, and what this needs is given back by then.
        parameters, macs, graph = onnx_parameters(path), onnx_macs(path), read_graph(path)
        session = OnnxSession(path, options.device, options.threads, settings.get("output"))
        self._session = session
        self._yes_or_no = session.metadata.get("snellen.scores") == "binary_logits"
        takes = takes_of(session.input.shape, session.input.dtype, session.input.name, path)
        own, said = _own_preprocessing(session.metadata, takes, path)
        self.preprocessing = chosen_preprocessing(settings, own, path, takes)
        self._in_batch, self._in_input = image_shapes(self.preprocessing, len(session.input.shape))
        rows = self.predict(probe_batch(self.preprocessing, 2))
        names, unread = _classes(settings, session.metadata, rows.shape[1], path)
        self.classes = names
        ends_in_softmax = self._yes_or_no or session.output in graph.softmax
        found = chosen_scores(settings, rows, path, softmax=ends_in_softmax)
        self.scores = found.scores
        if macs is None:  # of a file that leaves the size of images open
            macs = onnx_macs(path, (1, *self._in_input))
        fixed = session.input.shape[0]
        notes = [*session.notes, *said, *unread, *found.notes]
        if fixed is not None:
            many = "one image" if fixed == 1 else f"{fixed} images"
            notes.append(f"it takes {many} at a time, whatever the size of a batch")
        if not graph.is_known:
            notes.append("its graph was not looked at: the package onnx is not installed")
        files = [path, *graph.files]
        given = session.input.dtype
        self.facts = Facts(
            device=session.device,
            dtype=graph.dtype or ("float32" if given == "uint8" else given),
            threads=options.threads,
            versions={"onnxruntime": session.version},
            digest=digest_of_files(files, also=[session.output]),
            parameters=parameters,
            macs=macs,
            file_bytes=sum(Path(file).stat().st_size for file in files),
            runtime=f"ONNX Runtime {session.version}, {session.provider}",
            notes=tuple(notes),
        )

    def resident(self, batch: NDArray[Any]) -> BoundBatch:
        """Return a batch bound to the network; on a CPU it may be the same memory."""
        check_batch(batch, self._in_batch, self._path)
        return self._session.bound(batch.reshape(len(batch), *self._in_input))

    def run(self, resident: BoundBatch) -> BoundBatch:
        """Compute the outputs of a batch; they stay where the network is."""
        return self._session.run(resident)

    def predict(self, batch: NDArray[Any]) -> NDArray[Any]:
        """Return the scores of a batch, shape (n, K)."""
        ran = self.run(self.resident(batch))
        rows = score_rows(self._session.outputs(ran), len(batch), self._path)
        return probabilities_of_yes_or_no(rows) if self._yes_or_no else rows

    def close(self) -> None:
        """Give back memory and threads."""
        self._session.close()


def _own_preprocessing(
    metadata: Mapping[str, str], takes: Takes, path: str
) -> tuple[Preprocessing | None, list[str]]:
    """Return what a network that `snellen export` wrote was trained with."""
    task = metadata.get("snellen.task")
    if task is None:
        return None, []
    if task != "classification":
        raise InputError(f"expected a network for classification, got one for {task}", path)
    fit = metadata.get("snellen.fit")
    if takes.layout is None or not takes.height or not takes.width or fit not in _FITS:
        raise SchemaError("expected a network of images as snellen export writes them", path)
    # It takes bytes, or numbers from 0 to 255, and scales them itself.
    made = Preprocessing(
        takes.height,
        takes.width,
        colours="L" if takes.n_channels == 1 else "RGB",
        layout=takes.layout,
        dtype=takes.dtype or "float32",
        fit=_FITS[fit],
    )
    note = "the file does not say how images were fitted in training: cut, as is usual there"
    return made, [note] if fit is None else []


def _classes(
    settings: Mapping[str, str], metadata: Mapping[str, str], n: int, path: str
) -> tuple[tuple[str, ...] | None, list[str]]:
    """Return the names of n outputs, and what was wrong with those in the file."""
    if "classes" in settings:
        return chosen_class_names(settings, None, n, path), []
    for key in _CLASSES:
        if metadata.get(key, "null") == "null":
            continue
        try:
            names = class_names_of(metadata[key], f"{path} {key}")
        except InputError as error:
            return None, [f"names of classes in the file were not read: {error.message}"]
        if len(names) != n:
            return None, [f"the file names {len(names)} classes and gives {n} scores: not used"]
        return names, []
    return None, []
