"""TrackEval over a folder, and our own evaluation of it: every number, every file."""

from __future__ import annotations

import contextlib
import csv
import io
import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from snellen import Tracking
from snellen.readers.tracking_files import read_tracking
from snellen.tracking.trackeval_files import trackeval_files, trackeval_numbers

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from snellen import TrackingResult

FAMILIES = {
    "HOTA": "hota",
    "CLEAR": "clear",
    "Identity": "identity",
    "VACE": "vace",
    "Count": "count",
    "IDEucl": "ideucl",
}
TRACKER = "x"


class Reference(NamedTuple):
    """What TrackEval gave: numbers by sequence, class, family and name, and files by name."""

    numbers: dict[str, Any]
    files: dict[str, bytes]


def run_trackeval(
    dataset: str,
    home: Path,
    *,
    metrics: tuple[str, ...] = ("HOTA", "CLEAR", "Identity", "VACE"),
    combine_classes: bool = False,
    **options: Any,
) -> Reference:
    """Run the package over a folder of truth and one of trackers.

    With `combine_classes` its metrics' averages over classes are taken, too, of a data set of which
    the package takes none by itself.
    """
    import trackeval

    output = home / "output"
    with (
        warnings.catch_warnings(),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        warnings.simplefilter("ignore")
        data = getattr(trackeval.datasets, dataset)(
            {
                "OUTPUT_FOLDER": str(output),
                "TRACKERS_TO_EVAL": [TRACKER],
                "PRINT_CONFIG": False,
                **options,
            }
        )
        data.should_classes_combine |= combine_classes
        evaluator = trackeval.Evaluator(
            {
                "BREAK_ON_ERROR": True,
                "LOG_ON_ERROR": None,
                "PRINT_RESULTS": False,
                "PRINT_CONFIG": False,
                "TIME_PROGRESS": False,
                "PLOT_CURVES": False,
            }
        )
        chosen = [
            getattr(trackeval.metrics, name)({"PRINT_CONFIG": False})
            for name in metrics
            if name in ("CLEAR", "Identity", "VACE", "IDEucl")
        ]
        if "HOTA" in metrics:
            chosen.insert(0, trackeval.metrics.HOTA())
        results, _ = evaluator.evaluate([data], chosen)
    (of_trackers,) = results.values()
    files = {path.name: path.read_bytes() for path in (output / TRACKER).iterdir()}
    return Reference(of_trackers[TRACKER], files)


def evaluated(
    truth: Path,
    pred: Path,
    protocol: str,
    *,
    metrics: tuple[str, ...] = ("hota", "clear", "identity", "vace", "count"),
    tracker: str | None = TRACKER,
) -> TrackingResult:
    files = read_tracking(truth, pred, protocol=protocol, tracker=tracker)
    metric = Tracking(metrics=metrics, protocol=files.protocol)
    for i in range(len(files)):
        metric.update(*files.read(i), files.judged(i))
    files.finish()
    return metric.compute()


def expect_equal(
    result: TrackingResult, reference: Reference, *, without: Collection[str] = ()
) -> None:
    """Compare every number, and the bytes of every file.

    Parameters
    ----------
    without : collection of str
        Classes, or averages over them, of which there are no files in the reference.
    """
    numbers = trackeval_numbers(result)
    n_compared = 0
    for sequence, of_classes in reference.numbers.items():
        place = "COMBINED" if sequence == "COMBINED_SEQ" else sequence
        for class_name, of_families in of_classes.items():
            for family, fields in of_families.items():
                got = numbers[class_name][place][FAMILIES[family]]
                for field, wanted in fields.items():
                    if field == "Frames" and place == "COMBINED":
                        continue  # of a sequence only
                    where = (place, class_name, family, field)
                    values = np.asarray(wanted, np.float64)
                    assert np.array_equal(np.asarray(got[field], np.float64), values), where
                    n_compared += 1
    assert n_compared > 8 * len(reference.numbers)
    written = {
        name: content
        for name, content in trackeval_files(result).items()
        if name.rsplit("_", 1)[0] not in without
    }
    assert sorted(written) == sorted(reference.files)
    for name, content in reference.files.items():
        if name.endswith("_summary.txt"):
            assert written[name] == content, name
            continue
        got_rows, rows = (
            list(csv.DictReader(io.StringIO(text.decode()))) for text in (written[name], content)
        )
        assert [list(row) for row in got_rows] == [list(row) for row in rows], name
        for got_row, row in zip(got_rows, rows, strict=True):
            for column, text in row.items():
                # A sum of nothing is an integer there.
                got = got_row[column]
                assert got == text or (got, text) == ("0.0", "0"), (name, row["seq"], column)


def total(result: TrackingResult, family: str, name: str) -> int:
    """Return a count of all sequences, and of all classes."""
    return int(result.class_average()[family][name])
