"""The numbers of parts of the data, of any metric, from its state alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from snellen.errors import IdError, first_few
from snellen.name_order import reading_order
from snellen.state import id_array
from snellen.statistics.bootstrap import Resampled, intervals, refuse_unknown_numbers

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from snellen.metric import Units
    from snellen.result import Interval

__all__ = ["UnitSlice", "ids_of_units", "unit_slices"]


class UnitSlice(NamedTuple):
    """A part of the data.

    Attributes
    ----------
    name : str
        What it is called.
    n_units : int
        How many units it has: samples, images, sequences.
    metrics : mapping of str to float
        Its numbers; NaN where undefined.
    intervals : mapping of str to Interval
        How sure they are, where that was asked for.
    """

    name: str
    n_units: int
    metrics: Mapping[str, float]
    intervals: Mapping[str, Interval]


class _Part(NamedTuple):
    """A metric as if it had absorbed some of its units only."""

    shown: Units

    def units(self, *, each: bool = False) -> Units:
        del each
        return self.shown


def ids_of_units(metric: Resampled) -> list[Any]:
    """Return the ids of the units of a metric; none where it was not told any."""
    ids = metric.units(each=True).ids
    return [] if ids is None else ids.ids.tolist()


def unit_slices(
    metric: Resampled,
    slice_of: Mapping[Any, str],
    *,
    names: Iterable[str] | None = None,
    with_intervals: Iterable[str] = (),
    level: float = 0.95,
    replicates: int = 200,
) -> tuple[UnitSlice, ...]:
    """Return the numbers of parts of what a metric absorbed; nothing is measured again.

    Parameters
    ----------
    metric : metric with ``units``
        What absorbed the data, with ids.
    slice_of : mapping of id to str
        The slice of each unit; units that are not named belong to none.
    names : iterable of str, optional
        Which numbers; without, all.
    with_intervals : iterable of str
        Which of them get an interval, as `intervals` has it of the data of the slice alone.
    level, replicates
        As `intervals` takes them.

    Returns
    -------
    tuple of UnitSlice
        In the order in which people read their names.

    Raises
    ------
    IdError
        For ids that the metric has not absorbed.
    InputError
        For names that no number has, and what `intervals` refuses.

    Examples
    --------
    >>> from snellen import Classification
    >>> metric = Classification()
    >>> _ = metric.update([0, 1, 1, 0], [0, 1, 0, 1], sample_id=["a", "b", "c", "d"])
    >>> when = {"a": "day", "b": "day", "c": "night", "d": "night"}
    >>> for part in unit_slices(metric, when, names=["accuracy"]):
    ...     print(part.name, part.n_units, part.metrics)
    day 2 {'accuracy': 1.0}
    night 2 {'accuracy': 0.0}
    """
    units = metric.units(each=True)
    given = id_array(list(slice_of), units.unit) if slice_of else np.zeros(0, np.int64)
    codes = np.full(len(given), -1) if units.ids is None else units.ids.codes(given)
    if (codes < 0).any():
        unknown = [key for key, code in zip(slice_of, codes.tolist(), strict=True) if code < 0]
        raise IdError(
            f"expected {units.unit}s that were evaluated, got {len(unknown)} others: "
            f"{first_few(unknown)}",
            "slice_of",
        )
    members: dict[str, list[int]] = {}
    for code, name in zip(codes.tolist(), slice_of.values(), strict=True):
        members.setdefault(name, []).append(code)
    wanted, resampled = None if names is None else list(names), list(with_intervals)
    found = []
    for name in sorted(members, key=reading_order):
        counts = np.zeros_like(units.counts)
        counts[members[name]] = units.counts[members[name]]
        values = units.values(counts[None])
        shown = list(values) if wanted is None else wanted
        refuse_unknown_numbers(shown, values, "names")
        refuse_unknown_numbers(resampled, values, "with_intervals")
        part = _Part(units._replace(counts=counts))
        bounds = (
            intervals(part, level=level, replicates=replicates, names=resampled)
            if resampled
            else {}
        )
        numbers = {metric_name: float(values[metric_name][0]) for metric_name in shown}
        found.append(UnitSlice(name, int(counts.sum()), numbers, bounds))
    return tuple(found)
