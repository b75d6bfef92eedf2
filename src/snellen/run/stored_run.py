"""The folder of a run: the files that are the truth, from which pages are made.

::

    run.json            how it came about: command, options, versions, machine, data, rules
    state.bin           the state of the metric, which merges
    result.json         the numbers
    states/NAME.bin     states of further diagnoses
    examples/           examples.json and the thumbnails that it names
    report.html         the page

The folder of a training, whose ``test/`` holds the state and the result, and that of a benchmark,
with a folder for each of its models, are read as well.
"""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from snellen.errors import InputError, SchemaError
from snellen.mapped_file import file_content
from snellen.metric import metric_from_bytes
from snellen.result import Interval
from snellen.run.other_records import (
    record_of_benchmark,
    record_of_result,
    record_of_training,
)
from snellen.run.run_names import folder_names
from snellen.run.run_record import (
    SCHEMA,
    DataDigest,
    RunRecord,
    checked_schema,
    kind_of_task,
    read_struct,
    schema_error,
)
from snellen.run.written_run import write_run

if TYPE_CHECKING:
    import os

    from snellen.metric import StoredMetric
    from snellen.result import Result
    from snellen.run.examples import Examples

__all__ = ["DataDigest", "RunRecord", "StoredRun", "write_run"]

_FILES: Final = ("run.json", "state.bin", "result.json", "report.html")
_RECORD_BYTES: Final = 16 << 20
# Sums over the same state may differ in their last bits between releases.
_ROUNDING: Final = 1e-9


class _Bounds(msgspec.Struct):
    low: float | None
    high: float | None
    level: float
    method: str
    unit: str
    note: str = ""

    def interval(self) -> Interval:
        low, high = (math.nan if each is None else each for each in (self.low, self.high))
        return Interval(low, high, self.level, self.method, self.unit, self.note)


class _Numbers(msgspec.Struct):
    """What is put back of a stored result."""

    metrics: dict[str, float | None]
    intervals: dict[str, _Bounds] = {}


class StoredRun:
    """A run that lies in a folder; nothing but ``run.json`` is read before it is asked for.

    Attributes
    ----------
    path : Path
        The folder.
    name : str
        Its last part.
    kind : {"evaluation", "training", "benchmark"}
        What came about in it. The state and the result of a training are those of its test part; a
        benchmark has none, but `models`.
    record : RunRecord
        How it came about. Of a folder without ``run.json``, as one model of a benchmark has, only
        what ``result.json`` says is known.
    parent : StoredRun or None
        The benchmark that it is a model of, where it was opened by that.
    """

    def __init__(
        self, path: Path, kind: str, record: RunRecord, parent: StoredRun | None = None
    ) -> None:
        self.path = path
        self.kind = kind
        self.record = record
        self.parent = parent
        last = path.name if path.name not in ("", "..") else path.resolve().name
        self.name = last or str(path)
        self._stored: dict[str, Any] | None = None
        self._metric: StoredMetric[Any] | None = None
        self._result: Result | None = None
        self._models: tuple[StoredRun, ...] | None = None

    def __repr__(self) -> str:
        return f"StoredRun({str(self.path)!r}: {self.kind}, {self.record.task})"

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> StoredRun:
        """Return the run in a folder, or of one of the files in it.

        Raises
        ------
        InputError
            Where there is none.
        SchemaError, StateVersionError
            Where ``run.json`` is something else, or of a newer release.
        """
        folder = Path(path)
        if folder.name in _FILES and not folder.is_dir():
            folder = folder.parent
        if not folder.is_dir():
            raise InputError("expected the folder of a run, there is none", str(path))
        if (folder / "description.json").is_file():
            return cls(folder, "training", record_of_training(folder))
        if (folder / "run.json").is_file():
            record = read_record(folder)
            return cls(folder, kind_of_task(record.task), record)
        if not (folder / "result.json").is_file():
            raise InputError(
                "expected the folder of a run, got one without run.json and result.json: "
                "snellen evaluate … --out DIR writes one",
                str(path),
            )
        path = folder / "result.json"
        stored = _read_result(path)
        if "benchmark" in stored["schema"]:
            return cls(folder, "benchmark", record_of_benchmark(stored, str(path)))
        return cls(folder, "evaluation", record_of_result(stored, str(path)))

    @property
    def models(self) -> tuple[StoredRun, ...]:
        """The models of a benchmark, in its order; empty for another run."""
        if self.kind != "benchmark":
            return ()
        if self._models is None:
            names = [str(model["name"]) for model in self.stored.get("models", [])]
            # Not all that lie there: an earlier benchmark may have been of other networks.
            folders = [self.path / "models" / name for name in folder_names(names)]
            found = [StoredRun.open(each) for each in folders if (each / "result.json").is_file()]
            for run in found:
                run.parent = self
            self._models = tuple(found)
        return self._models

    @property
    def stored(self) -> dict[str, Any]:
        """What ``result.json`` holds.

        Raises
        ------
        InputError, SchemaError, StateVersionError
            Where there is none, or something else.
        """
        if self._stored is None:
            path = self._home / "result.json"
            if self.kind == "training" and not path.is_file():
                raise InputError(
                    "expected a training that was tested, this one has no test part or is not over",
                    str(self.path),
                )
            self._stored = _read_result(path)
        return self._stored

    def metric(self) -> StoredMetric[Any]:
        """Return the metric of ``state.bin``, always the same object: it is read once.

        Raises
        ------
        InputError, SchemaError, StateVersionError
            Where there is none, or something else.
        """
        if self._metric is None:
            self._metric = _read_state(self._home / "state.bin")
        return self._metric

    def state(self, name: str) -> StoredMetric[Any] | None:
        """Return the metric of a further diagnosis, ``states/NAME.bin``; None where there is none.

        Raises
        ------
        SchemaError, StateVersionError
            Where it is something else.
        """
        path = self.path / "states" / f"{name}.bin"
        return _read_state(path) if path.is_file() else None

    def state_names(self) -> list[str]:
        """Return the names of the states of further diagnoses."""
        return sorted(path.stem for path in (self.path / "states").glob("*.bin"))

    def result(self) -> Result:
        """Return the result of the state, with the intervals that were computed at its evaluation.

        Raises
        ------
        InputError, StateVersionError
            As `metric` and `stored`.
        SchemaError
            Where ``state.bin`` and ``result.json`` are not of the same evaluation.
        """
        if self._result is None:
            self._result = self._computed()
        return self._result

    def _computed(self) -> Result:
        place = str(self._home / "result.json")
        try:
            stored = msgspec.convert(self.stored, _Numbers)
        except msgspec.ValidationError as error:
            raise schema_error(error, "a result", place) from None
        result: Result = self.metric().compute()
        for name, value in stored.metrics.items():
            now = result.metrics.get(name)
            if now is not None and not _equal(value, now):
                raise SchemaError(
                    f"expected result.json and state.bin of one evaluation, got {name} of "
                    f"{value} and {now}: evaluate again",
                    place,
                )
        intervals = {name: each.interval() for name, each in stored.intervals.items()}
        return dataclasses.replace(result, intervals=intervals)

    def examples(self) -> Examples | None:
        """Return the images that were kept at the evaluation; None where none were.

        Raises
        ------
        SchemaError, StateVersionError
            Where ``examples/examples.json`` is something else.
        """
        from snellen.run.examples import read_examples

        path = self.path / "examples" / "examples.json"
        if not path.is_file():
            return None
        found = read_examples(path)
        if found.task != self.record.task:
            raise SchemaError(
                f'expected examples of {self.record.task}, got "{found.task[:60]}"', str(path)
            )
        return found

    def picture(self, file: str) -> bytes | None:
        """Return a picture of ``examples/``; None where it is missing.

        Raises
        ------
        SchemaError
            For what is no name of a picture in that folder, and for what is no picture.
        """
        from snellen.run.examples import read_picture

        return read_picture(self.path / "examples", file)

    @property
    def protocol(self) -> dict[str, Any]:
        """The rules of the evaluation."""
        return self.record.protocol or dict(self.stored.get("protocol") or {})

    @property
    def _home(self) -> Path:
        """Where state and result lie."""
        if self.kind == "benchmark":
            return self.path
        return self.path / "test" if self.kind == "training" else self.path


def read_record(folder: Path) -> RunRecord:
    """Return what ``run.json`` of an evaluation's folder holds.

    Raises
    ------
    InputError, SchemaError, StateVersionError
        Where there is none, or something else.
    """
    return read_struct(folder / "run.json", RunRecord, SCHEMA, at_most=_RECORD_BYTES)


def _read_result(path: Path) -> dict[str, Any]:
    try:
        content = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    except FileNotFoundError:
        raise InputError("expected the result of a run, there is none", str(path)) from None
    except OSError as error:
        raise InputError(f"expected a readable file, got: {error.strerror}", str(path)) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SchemaError(f"expected JSON, got: {error}", str(path)) from None
    schema = str(content.get("schema", ""))
    known = "snellen.benchmark-result/1" if "benchmark" in schema else "snellen.result/1"
    checked_schema(schema, known, str(path))
    return content


def _read_state(path: Path) -> StoredMetric[Any]:
    try:
        data = file_content(path)
    except FileNotFoundError:
        raise InputError("expected the state of a run, there is none", str(path)) from None
    except OSError as error:
        raise InputError(f"expected a readable file, got: {error.strerror}", str(path)) from error
    return metric_from_bytes(data, str(path))


def _equal(stored: float | None, now: float) -> bool:
    if stored is None:
        return not math.isfinite(now)
    return math.isclose(stored, now, rel_tol=_ROUNDING, abs_tol=_ROUNDING)
