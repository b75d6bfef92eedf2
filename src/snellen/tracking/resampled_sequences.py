"""Numbers of data sets that are made of the same sequences, each so often."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

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

    Real = NDArray[np.float64]

__all__ = ["sequence_units"]

# Of fewer, replicates are the same few data sets again and again.
_LEAST_SEQUENCES: Final = 5


class _Sums(NamedTuple):
    """Of R data sets: each family's columns, (R, K, …), and numbers of truth objects, (R, K)."""

    columns: dict[str, dict[str, Real]]
    n_truth: Real

    def __add__(self, other: _Sums) -> _Sums:  # type: ignore[override]  # sums, no tuples
        return _Sums(
            {
                family: {
                    name: column + other.columns[family][name] for name, column in mine.items()
                }
                for family, mine in self.columns.items()
            },
            self.n_truth + other.n_truth,
        )


class _Sequences(NamedTuple):
    """What U sequences add to each family's columns, (U, K, …), and their truth objects, (U, K)."""

    summands: dict[str, dict[str, NDArray[Any]]]
    n_truth: NDArray[np.int64]

    def sums(self, multiplicity: NDArray[Any]) -> _Sums:
        """Return the sums of data sets in which sequences occur so often, (R, U)."""
        times = np.ascontiguousarray(multiplicity, np.float64)
        columns = {
            family: {name: _times_added(times, column) for name, column in of_family.items()}
            for family, of_family in self.summands.items()
        }
        return _Sums(columns, _times_added(times, self.n_truth))


def _times_added(times: Real, column: NDArray[Any]) -> Real:
    """Return the sums of (U, …), each so often as (R, U) says: (R, …).

    One sequence after the other: a matrix product adds fractions in the order of the machine's
    threads.
    """
    total = np.zeros((len(times), *column.shape[1:]))
    for u, value in enumerate(column.astype(np.float64)):
        total += times[:, u].reshape(-1, *(1,) * value.ndim) * value
    return total


def sequence_units(result: TrackingResult, classes: Classes | None = None) -> Units:
    """Return the sequences of a result as units; see `Units`.

    Parameters
    ----------
    result : TrackingResult
    classes : Classes, optional
        Classes that hold all of the result's, by name; its own where not given.
    """
    families, n_sequences = result.families, len(result.sequences)
    if classes is None:
        classes = Classes(list(result.classes), list(result.classes))
    place = classes.keys.codes(list(result.classes))

    def among_all(column: NDArray[Any]) -> NDArray[Any]:
        whole = np.zeros((n_sequences, len(classes), *column.shape[2:]), column.dtype)
        whole[:, place] = column
        return whole

    rows = result.kept.rows
    n_truth = np.zeros((n_sequences, len(classes)), np.int64)
    n_truth[rows["sequence"], classes.keys.codes(result.kept.classes.ids)[rows["label"]]] = rows[
        "n_truth"
    ]
    units = _Sequences(
        {
            family.name: {
                name: among_all(column)
                for name, column in family.summands(result.columns(family)).items()
            }
            for family in families
        },
        n_truth,
    )

    def summed(multiplicity: NDArray[Any], other: Any) -> _Sums:
        sums = units.sums(multiplicity)
        return sums if other is None else sums + other[0].content.sums(other[1])

    def values(multiplicity: NDArray[Any], other: Any = None) -> Mapping[str, Real]:
        sums = summed(multiplicity, other)
        return headline_values(families, sums.columns, sums.n_truth > 0)

    main = families[0]

    def class_values(multiplicity: NDArray[Any], other: Any = None) -> Real:
        sums = summed(multiplicity, other)
        found = np.asarray(main.numbers(sums.columns[main.name])[main.fields[0]], np.float64)
        if main.fields[0] in main.per_alpha:
            found = found.mean(axis=-1)
        return np.where(sums.n_truth > 0, found, np.nan)

    too_few = {}
    if n_sequences < _LEAST_SEQUENCES:
        reason = f"{n_sequences} sequences do not tell how others vary"
        too_few = {name: reason for family in families for name in family.fields}
    ranges = {"": (0.0, 1.0)}
    for family in families:
        of_all = family.ranges[""]
        ranges |= {name: family.ranges.get(name, of_all) for name in family.fields}
    # What tells that truth is the same: the life of each object, else how many there are.
    kept, of_truth = result.kept.tracks, ["first", "last", "n_frames"]
    if not len(kept["sequence"]):
        # A class that only predictions have is none of truth.
        kept, of_truth = {name: rows[name][rows["n_truth"] > 0] for name in rows}, ["n_truth"]
    label = classes.keys.codes(result.kept.classes.ids)[kept["label"]]
    return Units(
        unit="sequence",
        counts=np.ones(n_sequences, np.int64),
        ids=result.kept.sequences,
        values=values,
        class_metric=main.fields[0],
        classes=classes,
        class_values=class_values,
        headline=tuple(family.fields[0] for family in families if family is not COUNT),
        lower_is_better=frozenset().union(*(family.lower_is_better for family in families)),
        neither_is_better=frozenset().union(*(family.neither_is_better for family in families)),
        ranges=ranges,
        without_interval=too_few,
        truth=unit_digests(
            [label, *(kept[name] for name in of_truth)], kept["sequence"], n_sequences
        ),
        among=lambda others: sequence_units(result, others),
        content=units,
    )
