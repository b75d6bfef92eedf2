"""From files to batches that a network takes: read, decoded and preprocessed ahead of it."""

from __future__ import annotations

import collections
import functools
import itertools
import math
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from snellen.benchmark.decoding import decoded
from snellen.benchmark.scaling import Scaling
from snellen.errors import InputError, SnellenError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable
    from concurrent.futures import Future

    from numpy.typing import NDArray

    from snellen.benchmark.labelled_images import LabelledImages
    from snellen.benchmark.preprocessing import Preprocessing

__all__ = ["LeftOut", "Phases", "Pipeline", "Prepared"]

_AHEAD = 2  # batches that wait for the network
_PARTS = 4  # of a batch for each thread: the last of them to end keeps the others waiting little


class LeftOut(NamedTuple):
    """An image that could not be read, and why."""

    row: int
    reason: str


class Phases(NamedTuple):
    """Seconds of all threads together.

    Attributes
    ----------
    read : float
        Wall time: disks and networks are waited for.
    decode, preprocess : float
        Of the processor: what other threads did meanwhile is not in it.
    """

    read: float = 0.0
    decode: float = 0.0
    preprocess: float = 0.0

    def plus(self, other: Phases) -> Phases:
        """Return the sums."""
        return Phases(*(a + b for a, b in zip(self, other, strict=True)))


class Prepared(NamedTuple):
    """Some images as a network takes them.

    Attributes
    ----------
    rows : ndarray of int64, shape (n,)
        Which images, in the order that was asked for, without those left out.
    inputs : ndarray, shape (n, …)
        What `Preprocessing.batch` gives of them. It lies in memory that the next but few batches
        get: it holds until the next one is asked for.
    left_out : tuple of LeftOut
        Those that could not be read.
    phases : Phases
        What it took.
    """

    rows: NDArray[np.int64]
    inputs: NDArray[Any]
    left_out: tuple[LeftOut, ...]
    phases: Phases


class Pipeline:
    """Images of a set, prepared for one network.

    Parameters
    ----------
    images : LabelledImages
        With a reader.
    preprocessing : Preprocessing
        Of the network.
    threads : int
        How many prepare images while the network works on others. With 1 nothing happens at the
        same time: all is done in the thread that asks.
    strict : bool
        Whether an image that cannot be read is an error.
    """

    def __init__(
        self,
        images: LabelledImages,
        preprocessing: Preprocessing,
        *,
        threads: int,
        strict: bool = False,
    ) -> None:
        if images.reader is None:
            raise InputError("expected images, got a table of labels without any")
        self._ids = images.ids
        self._reader = images.reader
        self._mode: Literal["RGB", "L"] = "L" if preprocessing.colours == "L" else "RGB"
        self._preprocessing = preprocessing
        self._scaling = Scaling(preprocessing)
        self._threads = threads
        self._strict = strict

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one image in a batch."""
        return self._scaling.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of a batch."""
        return self._scaling.dtype

    def batches(self, wanted: Iterable[NDArray[np.int64]]) -> Generator[Prepared, None, None]:
        """Yield a batch for each list of rows, in their order, whatever the number of threads.

        Raises
        ------
        SnellenError
            For the first image that cannot be read, where that is to stop.
        """
        spare: list[NDArray[Any]] = []
        if self._threads == 1:
            for rows in wanted:
                room = self._room(spare, len(rows))
                yield self._together(rows, room, [self._prepare(rows, room)])
                spare.append(room)
            return
        with ThreadPoolExecutor(self._threads) as pool:
            started = (self._started(pool, rows, spare) for rows in wanted)
            waiting = collections.deque(itertools.islice(started, _AHEAD))
            try:
                while waiting:
                    rows, room, parts = waiting.popleft()
                    waiting.extend(itertools.islice(started, 1))
                    yield self._together(rows, room, [part.result() for part in parts])
                    spare.append(room)
            finally:
                pool.shutdown(cancel_futures=True)

    def is_readable(self, row: int) -> bool:
        """Return whether an image can be read now."""
        place = np.empty(self.shape, self.dtype)
        return self._write(row, place, [0.0, 0.0, 0.0]) is None

    def _started(
        self, pool: ThreadPoolExecutor, rows: NDArray[np.int64], spare: list[NDArray[Any]]
    ) -> tuple[NDArray[np.int64], NDArray[Any], list[Future[_Part]]]:
        room = self._room(spare, len(rows))
        step = max(1, math.ceil(len(rows) / (_PARTS * self._threads)))
        return (
            rows,
            room,
            [
                pool.submit(self._prepare, rows[k : k + step], room[k : k + step])
                for k in range(0, len(rows), step)
            ],
        )

    def _room(self, spare: list[NDArray[Any]], n: int) -> NDArray[Any]:
        """Return memory for a batch: that of one that is done with, as new memory is slow."""
        if spare and len(spare[-1]) >= n:
            return spare.pop()
        return np.empty((n, *self.shape), self.dtype)

    def _prepare(self, rows: NDArray[np.int64], room: NDArray[Any]) -> _Part:
        """Write images where they belong; those that cannot be read leave their place."""
        errors: dict[int, SnellenError] = {}
        seconds = [0.0, 0.0, 0.0]
        for row, place in zip(rows.tolist(), room, strict=False):
            error = self._write(row, place, seconds)
            if error is not None:
                errors[row] = error
        return _Part(errors, Phases(*seconds))

    def _write(self, row: int, place: NDArray[Any], seconds: list[float]) -> SnellenError | None:
        """Write one image, and add the seconds of each phase."""
        cpu = time.thread_time
        before = time.perf_counter()
        try:
            data = self._reader.data(row)
            seconds[0] += time.perf_counter() - before
            start = cpu()
            image = decoded(data, self._mode, self._ids[row])
            middle = cpu()
            self._scaling.write(self._preprocessing.pixels(image), place)
        except SnellenError as error:
            return error
        seconds[1] += middle - start
        seconds[2] += cpu() - middle
        return None

    def _together(
        self, rows: NDArray[np.int64], room: NDArray[Any], parts: list[_Part]
    ) -> Prepared:
        inputs = room[: len(rows)]
        phases = functools.reduce(Phases.plus, [part.phases for part in parts])
        errors = [item for part in parts for item in part.errors.items()]
        if not errors:
            return Prepared(rows, inputs, (), phases)
        if self._strict:
            raise errors[0][1]
        there = ~np.isin(rows, [row for row, _ in errors])
        left_out = tuple(LeftOut(row, str(error)) for row, error in errors)
        return Prepared(rows[there], inputs[there], left_out, phases)


class _Part(NamedTuple):
    errors: dict[int, SnellenError]  # by row, in their order
    phases: Phases
