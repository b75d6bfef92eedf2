"""Numbers of data sets that are made of the same sequences, each so often."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from snellen.classes import Classes
from snellen.digests import unit_digests
from snellen.metric import Units
from snellen.tracking.count import COUNT
from snellen.tracking.sums import headline_values

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from snellen.tracking.tracking_result import TrackingResult

__all__ = ["sequence_units"]

# Of fewer, replicates are the same few data sets again and again.
_LEAST_SEQUENCES: Final = 5


def sequence_units(result: TrackingResult) -> Units:
    """Return the sequences of a result as units; see `Units`."""
    families = result.families
    summands = {f.name: dict(f.summands(result.columns(f))) for f in families}
    order = np.argsort(result.kept.classes.codes(list(result.classes)))
    place = np.zeros(len(order), np.int64)
    place[result.kept.classes.codes(list(result.classes))] = np.arange(len(order))
    n_truth = np.zeros((len(result.sequences), len(result.classes)), np.int64)
    rows = result.kept.rows
    n_truth[rows["sequence"], place[rows["label"]]] = rows["n_truth"]

    def sums(multiplicity: NDArray[Any]) -> tuple[dict[str, Any], NDArray[np.bool_]]:
        times = np.asarray(multiplicity, np.float64)
        columns = {
            family: {
                name: np.tensordot(times, column.astype(np.float64), (1, 0))
                for name, column in of_family.items()
            }
            for family, of_family in summands.items()
        }
        return columns, times @ n_truth.astype(np.float64) > 0

    def values(multiplicity: NDArray[Any], other: Any = None) -> Mapping[str, NDArray[Any]]:
        del other
        columns, has_truth = sums(multiplicity)
        return headline_values(families, columns, has_truth)

    def class_values(multiplicity: NDArray[Any]) -> NDArray[np.float64]:
        columns, _ = sums(multiplicity)
        family = families[0]
        name = family.fields[0]
        found = np.asarray(family.numbers(columns[family.name])[name], np.float64)
        return found.mean(axis=-1) if name in family.per_alpha else found

    too_few = {}
    if len(result.sequences) < _LEAST_SEQUENCES:
        reason = f"{len(result.sequences)} sequences do not tell how others vary"
        too_few = {name: reason for family in families for name in family.fields}
    ranges = {"": (0.0, 1.0)}
    for family in families:
        of_all = family.ranges[""]
        ranges |= {name: family.ranges.get(name, of_all) for name in family.fields}
    tracks = result.kept.tracks
    return Units(
        unit="sequence",
        counts=np.ones(len(result.sequences), np.int64),
        ids=result.kept.sequences,
        values=values,
        class_metric=families[0].fields[0],
        classes=Classes(range(len(result.classes)), list(result.classes)),
        class_values=class_values,
        headline=tuple(family.fields[0] for family in families if family is not COUNT),
        lower_is_better=frozenset().union(*(family.lower_is_better for family in families)),
        ranges=ranges,
        without_interval=too_few,
        truth=unit_digests(
            [rows["label"], rows["n_truth"], rows["n_frames"]],
            rows["sequence"],
            len(result.sequences),
        )
        if not len(tracks["sequence"])
        else unit_digests(
            [tracks[name] for name in ("label", "first", "last", "n_frames")],
            tracks["sequence"],
            len(result.sequences),
        ),
    )
