"""All that is measured of one network, in this process."""

from __future__ import annotations

import contextlib
import functools
import itertools
import math
import time
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from snellen.benchmark.memory import most_of_device, most_of_host, now_of_host
from snellen.benchmark.model_checks import checked_scores, refuse_unsteady
from snellen.benchmark.pipeline import Phases, Pipeline
from snellen.benchmark.speed import EndToEnd, Latency, Memory, Throughput
from snellen.benchmark.store import PredictionStore
from snellen.benchmark.timing import Timing, timed, warm_up
from snellen.errors import InputError

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from snellen.benchmark.labelled_images import LabelledImages
    from snellen.benchmark.model import Model
    from snellen.benchmark.pipeline import LeftOut, Prepared

__all__ = ["ModelBench", "PredictionSummary"]

_CHUNK: Final = 1024  # images, about
_SINGLE: Final = 8  # images that latency takes in turn
# Batches, or seconds, until the pipeline runs as it will.
_FILLING: Final = 4
_FILLING_SECONDS: Final = 1.0
_LEAST_BATCHES: Final = 2


class PredictionSummary(NamedTuple):
    """What became of predicting all images.

    Attributes
    ----------
    n_predicted, n_stored : int
        Images done now, and those whose scores were there.
    seconds : float
        For those done now.
    notes : list of str
        What people should know.
    """

    n_predicted: int
    n_stored: int
    seconds: float
    notes: list[str]


class ModelBench:
    """A network and the images that it is measured on.

    Parameters
    ----------
    model : Model
        Loaded; nothing else runs in this process.
    images : LabelledImages
        With a reader.
    name : str
        What messages call the model.
    threads : int
        As many as the model was loaded with: that prepare images while it works.
    batch_size : int
        Of predictions and of end-to-end speed.
    strict : bool
        Whether an image that cannot be read is an error.
    """

    def __init__(
        self,
        model: Model,
        images: LabelledImages,
        name: str = "the model",
        *,
        threads: int = 1,
        batch_size: int = 32,
        strict: bool = False,
    ) -> None:
        if batch_size < 1 or threads < 1:
            raise InputError(
                f"expected batch_size and threads from 1, got {batch_size} and {threads}"
            )
        self.model = model
        self.images = images
        self.name = name
        self._threads = threads
        self._batch_size = batch_size
        self._strict = strict
        self._pipeline = Pipeline(images, model.preprocessing, threads=threads, strict=strict)
        self._loaded = now_of_host()

    @functools.cached_property
    def n_outputs(self) -> int:
        """How many scores the network gives of an image: one of black is predicted."""
        black = np.zeros((1, *self._pipeline.shape), self._pipeline.dtype)
        scores = checked_scores(self.model.predict(black), None, ["(black)"], self.name)
        return int(scores.shape[1])

    def key(self) -> dict[str, Any]:
        """Return what scores depend on, in plain values.

        Threads are in it: sums of torch differ by them in the last bits, and those of all differ by
        the size of batches.
        """
        import PIL
        import PIL.features

        import snellen

        facts = self.model.facts
        return {
            "model": facts.digest,
            "preprocessing": dict(self.model.preprocessing.to_dict()),
            "images": self.images.digest,
            "runtime": [facts.runtime, facts.device, facts.dtype, facts.threads],
            "batch_size": self._batch_size,
            "versions": {
                **facts.versions,
                "snellen": snellen.__version__,
                "pillow": PIL.__version__,
                "libjpeg": PIL.features.version("jpg"),
                "numpy": np.__version__,
            },
        }

    def store(self, folder: str | os.PathLike[str]) -> PredictionStore:
        """Return where the scores of this model and these images are kept, below a folder."""
        chunk_rows = math.ceil(_CHUNK / self._batch_size) * self._batch_size
        return PredictionStore(folder, self.key(), len(self.images), chunk_rows=chunk_rows)

    def predict(
        self, store: PredictionStore, progress: Callable[[int, int], None] | None = None
    ) -> PredictionSummary:
        """Predict what is not in the store.

        Parameters
        ----------
        store : PredictionStore
            What `store` gave.
        progress : callable, optional
            Called with images done and images of all, after each batch.

        Raises
        ------
        ShapeError
            Where the network gives other than a score of each class.
        InputError
            Where it gives NaN, or changes between batches; where the disk is full.
        SnellenError
            For the first image that cannot be read, where that is to stop.
        """
        start = time.perf_counter()
        # What could not be read may be there again: a disk, a permission.
        missing = store.missing(lambda row: self._strict or self._pipeline.is_readable(row))
        n_missing = sum(len(store.rows_of(chunk)) for chunk in missing)
        n_stored = n_done = len(self.images) - n_missing
        notes = list(store.notes)
        checked = False
        wanted = (part for chunk in missing for part in self._parts(store.rows_of(chunk)))
        with contextlib.closing(self._pipeline.batches(wanted)) as batches:
            for chunk in missing:
                n_parts = math.ceil(len(store.rows_of(chunk)) / self._batch_size)
                done: list[tuple[NDArray[np.int64], NDArray[np.float32]]] = []
                left_out: list[LeftOut] = []
                for batch in itertools.islice(batches, n_parts):
                    left_out += batch.left_out
                    if len(batch.rows):
                        scores = self._scores(batch)
                        done.append((batch.rows, scores))
                        if not checked:
                            notes += refuse_unsteady(self.model, batch.inputs, scores, self.name)
                            checked = True
                    n_done += len(batch.rows) + len(batch.left_out)
                    if progress is not None:
                        progress(n_done, len(self.images))
                store.write(
                    chunk,
                    np.concatenate([np.empty(0, np.int64), *(rows for rows, _ in done)]),
                    np.concatenate(
                        [scores for _, scores in done] or [np.empty((0, 0), np.float32)]
                    ),
                    left_out,
                )
        return PredictionSummary(n_missing, n_stored, time.perf_counter() - start, notes)

    def _parts(self, rows: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
        return (rows[k : k + self._batch_size] for k in range(0, len(rows), self._batch_size))

    def _scores(self, batch: Prepared) -> NDArray[np.float32]:
        n_outputs = self.n_outputs
        ids = [self.images.ids[row] for row in batch.rows.tolist()]
        return checked_scores(self.model.predict(batch.inputs), n_outputs, ids, self.name)

    def latency(self, seconds: float = 2.0, least_calls: int = 100) -> Latency:
        """Time single images, one after the other, that lie where the network is.

        Parameters
        ----------
        seconds : float
            For so long at least.
        least_calls : int
            And so many images.
        """
        inputs = self._inputs(_SINGLE)
        turn = itertools.cycle([self.model.resident(one[None]) for one in inputs])
        timing = self._timed(lambda: next(turn), seconds, least_calls)
        return Latency(
            len(timing.seconds),
            timing.n_warm_up,
            timing.percentile(50),
            timing.percentile(90),
            timing.percentile(99),
            timing.spread,
            self._waited(sum(timing.seconds), timing.cpu),
            timing.queued_share,
        )

    def throughput(self, batch_size: int, seconds: float = 2.0, least_calls: int = 3) -> Throughput:
        """Time batches of a size that lie where the network is; see `latency`."""
        resident = self.model.resident(self._inputs(batch_size))
        timing = self._timed(lambda: resident, seconds, least_calls)
        return Throughput(
            batch_size,
            len(timing.seconds),
            timing.n_warm_up,
            batch_size / timing.median,
            timing.spread,
            self._waited(sum(timing.seconds), timing.cpu),
            timing.queued_share,
        )

    def _timed(self, resident: Callable[[], Any], seconds: float, least_calls: int) -> Timing:
        run = self.model.run

        def call() -> None:
            run(resident())

        return timed(call, least_calls=least_calls, least_seconds=seconds, n_warm_up=warm_up(call))

    def end_to_end(self, seconds: float = 3.0) -> EndToEnd:
        """Time everything, from files to scores, for so long at least.

        Whole batches are taken, from the first image on and round and round. The first of them, in
        which nothing waits for the network yet, do not count.
        """
        rows = (
            np.arange(start, start + self._batch_size) % len(self.images)
            for start in itertools.count(0, self._batch_size)
        )
        wall, cpu = time.perf_counter, time.process_time
        n, inference, phases = 0, 0.0, Phases()
        with contextlib.closing(self._pipeline.batches(rows)) as batches:
            start = wall()
            for k, batch in enumerate(batches, 1):
                self._outputs(batch)
                if k == _FILLING or wall() - start >= _FILLING_SECONDS:
                    break
            start, cpu_start = wall(), cpu()
            for k, batch in enumerate(batches, 1):
                before = wall()
                self._outputs(batch)
                now = wall()
                inference += now - before
                phases = phases.plus(batch.phases)
                n += len(batch.rows)
                if k >= _LEAST_BATCHES and now - start >= seconds:
                    break
            taken, used = now - start, cpu() - cpu_start
        if not n:
            raise InputError("expected images that can be read, got none", self.images.ids[0])
        return EndToEnd(
            n,
            self._batch_size,
            n / taken,
            phases.read / n,
            phases.decode / n,
            phases.preprocess / n,
            inference / n,
            self._waited(taken, used),
        )

    def _outputs(self, batch: Prepared) -> None:
        if len(batch.rows):
            self.model.predict(batch.inputs)

    def memory(self) -> Memory:
        """Return what this process has had of memory."""
        return Memory(most_of_host(), self._loaded, most_of_device())

    def _inputs(self, n: int) -> NDArray[Any]:
        """Return the first n images that can be read; they repeat where there are fewer."""
        found: list[NDArray[Any]] = []
        n_found = 0
        rows = np.arange(len(self.images))
        with contextlib.closing(self._pipeline.batches(self._parts(rows))) as batches:
            for batch in batches:
                found.append(batch.inputs[: n - n_found].copy())
                n_found += len(found[-1])
                if n_found == n:
                    break
        if not n_found:
            raise InputError("expected images that can be read, got none", self.images.ids[0])
        inputs = found[0] if len(found) == 1 else np.concatenate(found)
        return inputs if n_found == n else inputs[np.arange(n) % n_found]

    def _waited(self, wall: float, cpu: float) -> float:
        """Return by how much wall time exceeds that of the processor on all threads.

        Threads that wait for each other in a loop use the processor as if they worked: on several
        threads only what is far above 1 says something. While a GPU works, the processor's time
        says nothing: then it is 1.
        """
        if not self.model.facts.device.startswith("cpu"):
            return 1.0
        return Timing((wall,), cpu).waited(self._threads)
