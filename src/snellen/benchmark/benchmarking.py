"""Networks side by side: predictions of each, speeds in turn, and what may be said of them."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from snellen.benchmark.class_places import placed
from snellen.benchmark.inputs import input_files, weights_beside
from snellen.benchmark.kept_rounds import KeptRounds
from snellen.benchmark.open_images import open_images
from snellen.benchmark.predicted import Predicted, in_all
from snellen.benchmark.predictions_file import read_predictions
from snellen.benchmark.progress import no_progress
from snellen.benchmark.record import Session, benchmark_record
from snellen.benchmark.result import BenchmarkResult
from snellen.benchmark.sources import display_names, is_predictions, parsed
from snellen.benchmark.speed import Round, Speed
from snellen.benchmark.worker import Worker
from snellen.benchmark.written import refuse_other_folder, write_benchmark
from snellen.errors import InputError, did_you_mean
from snellen.run.machine import machine
from snellen.run.recording import Origin, Recording
from snellen.threads import usable_threads
from snellen.training.data.written_split import part_name

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping, Sequence

    from snellen.benchmark.class_places import ClassPlaces
    from snellen.benchmark.labelled_images import LabelledImages
    from snellen.benchmark.progress import Told
    from snellen.benchmark.store import PredictionStore
    from snellen.benchmark.worker import LoadedModel

__all__ = ["Settings", "benchmark", "default_folder", "refuse_unknown_metrics"]


@dataclasses.dataclass(frozen=True)
class Settings:
    """How networks are measured.

    Attributes
    ----------
    device : str
        As in `LoadOptions`.
    threads : int or None
        Of the processor, for one network and its images; None: all that the process may use.
    batch_size : int
        Of predictions, throughput and end-to-end speed.
    batch_sizes : sequence of int
        Throughput is measured at these, too.
    rounds : int
        How often each speed is measured; the networks take turns.
    seconds : float
        How long each speed is measured at least, in a round.
    speed : bool
        Whether speed is measured.
    together : int
        Up to so many networks stay in memory; of more each is loaded anew for its turn.
    """

    device: str = "auto"
    threads: int | None = None
    batch_size: int = 32
    batch_sizes: Sequence[int] = ()
    rounds: int = 3
    seconds: float = 1.0
    speed: bool = True
    together: int = 8

    def __post_init__(self) -> None:
        for name in ("batch_size", "rounds", "together"):
            if getattr(self, name) < 1:
                raise InputError(f"expected a whole number from 1, got {getattr(self, name)}", name)
        if self.threads is not None and self.threads < 1:
            raise InputError(f"expected a whole number from 1, got {self.threads}", "threads")
        if not 0 < self.seconds < math.inf:
            raise InputError(f"expected seconds above 0, got {self.seconds}", "seconds")
        if any(size < 1 for size in self.batch_sizes):
            raise InputError("expected whole numbers from 1", "batch_sizes")

    @property
    def sizes(self) -> list[int]:
        """All sizes of batches at which throughput is measured."""
        return sorted({self.batch_size, *self.batch_sizes})


def default_folder(data: str) -> str:
    """Return the folder of a benchmark on some data, where none is named."""
    path = Path(data)
    if path.name in ("", ".."):
        path = path.resolve()
    stem = path.name.split(".")[0] or path.name
    if part_name(stem) is not None:  # every data set has a folder "val"
        stem = f"{path.parent.name}-{stem}"
    name = "".join(c if c.isalnum() else "-" for c in stem).strip("-") or "data"
    return str(Path("runs", f"benchmark-{name}"))


def benchmark(
    models: Sequence[str],
    data: str,
    *,
    out: str | os.PathLike[str],
    labels: str | None = None,
    synsets: str | None = None,
    real: str | None = None,
    classes: str | None = None,
    part: str | None = None,
    root: str | None = None,
    limit: int | None = None,
    seed: int = 0,
    strict: bool = False,
    settings: Settings | None = None,
    progress: Told | None = None,
    origin: Origin | None = None,
) -> BenchmarkResult:
    """Measure networks on the same labelled images.

    Each network runs in a process of its own. All images are predicted once by each; then speeds
    are measured in rounds, the networks in turn, so that a machine that becomes slower does so to
    all.

    Parameters
    ----------
    models : sequence of str
        ``"onnx:FILE"``, ``"keras:NAME"``, …: see `snellen.benchmark.sources.load_model`.
    data : str
        The images, or a table of labels alone; see `snellen.benchmark.open_images.open_images`,
        also for the options `labels` to `limit` and `seed`.
    out : path
        The folder of results. Predictions are stored in it as they come, and read where the model,
        the data, and all versions are the same; rounds of an interrupted benchmark, too.
    strict : bool
        Whether an image that cannot be read is an error; else it is left out of all models.
    settings : Settings, optional
        How they are measured.
    progress : Told, optional
        Who is told how far it is.
    origin : Origin, optional
        What ``run.json`` says of where it comes from; by default that it was called in Python.

    Returns
    -------
    BenchmarkResult
        What is also written to the folder: ``index.html``, ``table.csv``, ``result.json``,
        ``run.json``, and for each model a folder with ``state.bin`` and ``result.json``, which
        ``snellen compare`` reads.

    Raises
    ------
    InputError
        For data or models that cannot be measured, and where `out` is the folder of something else.
    MissingExtraError
        For libraries that are not installed.
    OSError
        Where results cannot be written.
    """
    began = time.time()
    settings = settings or Settings()
    progress = progress or no_progress()
    texts = list(models)
    names = display_names(texts)
    request = {
        "data": data,
        "labels": labels,
        "synsets": synsets,
        "real": real,
        "classes": classes,
        "part": part,
        "root": root,
        "limit": limit,
        "seed": seed,
        "strict": strict,
    }
    folder = Path(out)
    refuse_other_folder(folder)
    images = open_images(**request)  # type: ignore[arg-type]  # as they were given
    if origin is None:
        config = {"models": texts, **request, **dataclasses.asdict(settings)}
        origin = Origin((), began, config)
    recording = Recording(origin, input_files(texts, images, request))
    folder.mkdir(parents=True, exist_ok=True)
    progress.line(f"{data}: {len(images):,} images, {len(images.classes):,} classes")
    run = _Benchmark(images, request, settings, folder, progress, recording)
    with contextlib.closing(progress):
        result = run.measured(dict(zip(names, texts, strict=True)))
        record = benchmark_record(result, recording, run.earlier)
        write_benchmark(result, folder, images, record)
    run.forget_rounds()
    return result


def refuse_unknown_metrics(names: Sequence[str]) -> None:
    """Refuse numbers that no model will have, before anything runs.

    Raises
    ------
    InputError
        With the nearest one that there is.
    """
    from snellen.classification.classification import Classification

    known = Classification(["a", "b", "c", "d", "e", "f"], scores="probabilities").compute().metrics
    for name in names:
        if name not in known:
            hint = did_you_mean(name, known) or f" There are {', '.join(known)}."
            raise InputError(f'expected a number of a classification, got "{name}".{hint}')


@dataclasses.dataclass
class _Side:
    """One network of a benchmark that runs here."""

    name: str
    text: str
    loaded: LoadedModel
    places: ClassPlaces
    store: PredictionStore | None = None
    notes: list[str] = dataclasses.field(default_factory=list)


class _Benchmark:
    """A benchmark while it runs."""

    def __init__(
        self,
        images: LabelledImages,
        request: dict[str, Any],
        settings: Settings,
        folder: Path,
        progress: Told,
        recording: Recording,
    ) -> None:
        self.images = images
        self.request = request
        self.settings = settings
        self.folder = folder
        self.progress = progress
        self.recording = recording
        self.threads = settings.threads or usable_threads()
        self._alive = contextlib.ExitStack()
        self._workers: dict[str, Worker] = {}
        self._kept: KeptRounds | None = None  # without speeds those of another run stay
        self._n_networks = 0

    def measured(self, texts: Mapping[str, str]) -> BenchmarkResult:
        """Return the result of all models."""
        machine_before = machine()
        networks = {name: text for name, text in texts.items() if not is_predictions(text)}
        self._n_networks = len(networks)
        if networks and self.images.reader is None:
            raise InputError(
                f"expected images for {next(iter(networks.values()))}, got labels alone: only "
                "predictions:FILE can be measured by these",
                self.request["data"],
            )
        stored = {
            name: read_predictions(parsed(text).name, self.images, parsed(text).settings)
            for name, text in texts.items()
            if name not in networks
        }
        with self._alive:
            sides = {name: self._loaded(name, text) for name, text in networks.items()}
            for side in sides.values():
                self._predict(side)
            if self.settings.speed and sides:
                self._time(list(sides.values()))
        predicted = [
            Predicted.of_file(name, text, stored[name], self.images)
            if name in stored
            else self._predicted(sides[name])
            for name, text in texts.items()
        ]
        rows, left_out = in_all(predicted, self.images)
        models = [each.measured(self.images, rows, self._speed(each.name)) for each in predicted]
        return BenchmarkResult(
            models=models,
            ids=[self.images.ids[row] for row in rows],
            truth=self.images.labels[rows],
            classes=self.images.classes,
            data=self.images.source,
            settings={**dataclasses.asdict(self.settings), "threads": self.threads},
            machine=machine_before,
            left_out=left_out,
            notes=self.images.notes,
        )

    def _predicted(self, side: _Side) -> Predicted:
        """Return what a network that ran here predicted."""
        assert side.store is not None, "it has predicted"
        found = side.store.read()
        loaded = side.loaded
        return Predicted(
            name=side.name,
            source=side.text,
            rows=found.rows,
            kind=loaded.scores,
            scores=found.scores,
            labels=None,
            places=side.places,
            left_out=[(each.row, each.reason) for each in found.left_out],
            facts=loaded.facts,
            preprocessing=loaded.preprocessing,
            notes=(*loaded.facts.notes, *side.notes),
        )

    @property
    def earlier(self) -> Sequence[Session]:
        """The commands before this one whose rounds are taken."""
        return () if self._kept is None else self._kept.earlier

    def forget_rounds(self) -> None:
        """Measure speeds anew the next time."""
        if self._kept is not None:
            self._kept.forget()

    @contextlib.contextmanager
    def _worker(self, name: str, text: str) -> Iterator[tuple[Worker, LoadedModel | None]]:
        """Give the process of a network: one that stays where all have room, else a new one.

        With it what was loaded, where it is new.
        """
        if name in self._workers:
            yield self._workers[name], None
            return
        worker = Worker(
            text,
            self.request,
            name=name,
            device=self.settings.device,
            threads=self.threads,
            batch_size=self.settings.batch_size,
            strict=bool(self.request["strict"]),
        )
        stays = self._n_networks <= self.settings.together
        with contextlib.ExitStack() as own:
            (self._alive if stays else own).enter_context(worker)
            loaded = worker.load()
            if stays:
                self._workers[name] = worker
            yield worker, loaded

    def _loaded(self, name: str, text: str) -> _Side:
        """Load a network, and see that its outputs are the images' classes."""
        with self._worker(name, text) as (_, loaded):
            assert loaded is not None, "its process is new"
        if loaded.images_digest != self.images.digest:
            raise InputError(
                "expected the images to stay as they are, they changed while networks were loaded",
                self.request["data"],
            )
        self.recording.also_read("model", weights_beside(text, loaded.facts))
        places = placed(self.images.classes, loaded.classes, loaded.n_outputs, name)
        self.progress.line(f"{name}: {loaded.facts.runtime}; {loaded.preprocessing}")
        return _Side(name, text, loaded, places)

    def _predict(self, side: _Side) -> None:
        with self._worker(side.name, side.text) as (worker, _):
            summary, side.store = worker.predict(
                self.folder / "predictions",
                lambda done, total: self.progress.images(side.name, done, total),
            )
        self.progress.close()
        side.notes += summary.notes
        if not summary.n_predicted:
            text = f"{summary.n_stored:,} images had been predicted"
        else:
            rate = summary.n_predicted / summary.seconds
            text = f"{summary.n_predicted:,} images predicted, {rate:,.0f} a second"
            if summary.n_stored:
                text += f"; {summary.n_stored:,} had been"
        self.progress.line(f"{side.name}: {text}")

    def _time(self, sides: list[_Side]) -> None:
        """Measure speeds, in rounds; each round begins with another network."""
        rounds = self.settings.rounds
        self._kept = kept = KeptRounds(
            self.folder / "rounds.json", self._key(sides), self.recording.origin.began
        )
        self.recording.settle()
        if kept.n_taken:
            self.progress.line(
                f"speed: {kept.n_taken} of {rounds * len(sides)} measurements had been made"
            )
        for k in range(rounds):
            if all(len(kept.rounds(side.name)) > k for side in sides):
                continue
            self.progress.line(f"speed: round {k + 1} of {rounds}")
            first = k % len(sides)
            for side in sides[first:] + sides[:first]:
                if len(kept.rounds(side.name)) > k:
                    continue
                with self._worker(side.name, side.text) as (worker, _):
                    kept.add(side.name, self._round(worker), worker.memory())

    def _round(self, worker: Worker) -> Round:
        seconds = self.settings.seconds
        return Round(
            worker.latency(seconds),
            tuple(worker.throughput(size, seconds) for size in self.settings.sizes),
            worker.end_to_end(seconds),
        )

    def _key(self, sides: list[_Side]) -> dict[str, Any]:
        """Return what speeds depend on."""
        now = machine()
        now.pop("load_before")
        return {
            "machine": now,
            "settings": {**dataclasses.asdict(self.settings), "threads": self.threads},
            "images": self.images.digest,
            "models": {
                side.name: [side.loaded.facts.to_dict(), dict(side.loaded.preprocessing.to_dict())]
                for side in sides
            },
        }

    def _speed(self, name: str) -> Speed | None:
        if self._kept is None:
            return None
        rounds, memory = self._kept.rounds(name), self._kept.memory(name)
        return Speed(rounds, memory, self.threads) if rounds and memory is not None else None
