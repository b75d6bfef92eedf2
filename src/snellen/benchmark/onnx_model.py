"""Networks in ONNX files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from snellen.benchmark.exported_network import ExportedNetwork
from snellen.benchmark.fingerprints import digest_of_files
from snellen.benchmark.image_inputs import check_batch, image_shapes, notes_of_fixed, takes_of
from snellen.benchmark.model import Facts
from snellen.benchmark.onnx_graph import read_graph
from snellen.benchmark.onnx_session import BoundBatch, OnnxSession
from snellen.benchmark.operations import onnx_macs, onnx_parameters
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
    chosen_preprocessing,
    refuse_unknown_settings,
)
from snellen.errors import InputError
from snellen.training.export_facts import FACTS_PREFIX

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from snellen.benchmark.model import LoadOptions, Scores
    from snellen.benchmark.preprocessing import Preprocessing

__all__ = ["OnnxModel", "load"]

_SETTINGS: Final = (*PREPROCESSING_KEYS, "classes", "scores", "output")
# Where files say what their outputs are called: Snellen's, Ultralytics', other people's.
_CLASSES: Final = (f"{FACTS_PREFIX}classes", "names", "classes")


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
        takes = takes_of(session.input.shape, session.input.dtype, session.input.name, path)
        ours = ExportedNetwork.of(_facts(session.metadata), settings, path)
        self._yes_or_no = ours is not None and ours.is_yes_or_no
        own = None if ours is None else ours.preprocessing(takes, path)
        self.preprocessing = chosen_preprocessing(settings, own, path, takes)
        self._in_batch, self._in_input = image_shapes(self.preprocessing, len(session.input.shape))
        self._rounded = False
        rows = self.predict(probe_batch(self.preprocessing, 2))
        names, unread = _classes(settings, session.metadata, rows.shape[1], path)
        self.classes = names
        given = session.input.dtype
        dtype = graph.dtype or ("float32" if given == "uint8" else given)
        half = "16" in dtype
        found = chosen_scores(
            settings,
            rows,
            path,
            known=None if ours is None else ours.scores,
            softmax=session.output in graph.softmax,
            half=half,
        )
        self.scores = found.scores
        self._rounded = half and self.scores == "probabilities"
        if macs is None:  # of a file that leaves the size of images open
            macs = onnx_macs(path, (1, *self._in_input))
        notes = [*session.notes, *(ours.notes if ours else ()), *unread, *found.notes]
        notes += notes_of_fixed(session.input.shape[0])
        if not graph.is_known:
            notes.append("its graph was not looked at: the package onnx is not installed")
        files = [path, *graph.files]
        self.facts = Facts(
            device=session.device,
            dtype=dtype,
            threads=options.threads,
            versions={"onnxruntime": session.version},
            digest=digest_of_files(files, also=[session.output, settings.get("scores", "")]),
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
        if self._yes_or_no:
            return probabilities_of_yes_or_no(rows)
        return of_sum_one(rows) if self._rounded else rows

    def close(self) -> None:
        """Give back memory and threads."""
        self._session.close()


def _facts(metadata: Mapping[str, str]) -> dict[str, str]:
    """Return what `snellen export` wrote into the metadata of a file."""
    return {
        name.removeprefix(FACTS_PREFIX): value
        for name, value in metadata.items()
        if name.startswith(FACTS_PREFIX)
    }


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
