"""Parts of the data of a stored run, by columns of tables: nothing but its state is read."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from snellen.displays import Bars, BarsDisplay, Words
from snellen.errors import InputError
from snellen.readers.slices import read_image_slices
from snellen.report.figure_card import plain
from snellen.report.headline import protocol_line
from snellen.report.parts import Column, Table
from snellen.run.data_digests import DataSource, data_digest
from snellen.statistics.unit_slices import UnitSlice, ids_of_units, unit_slices

if TYPE_CHECKING:
    from collections.abc import Sequence

    from snellen.metric import Units
    from snellen.result import Result
    from snellen.run.stored_run import StoredRun

__all__ = ["RunSlices", "read_run_slices", "slice_bars", "slice_table"]

_REPLICATES: Final = 200
_MOST_WITH_INTERVALS: Final = 50
_MOST_IN_ORDER_OF_NAMES: Final = 20
# Images of one run that are drawn again and again: more take longer than a page should.
_MOST_UNITS_WITH_INTERVALS: Final = 20_000


class RunSlices(NamedTuple):
    """The slices of a run.

    Attributes
    ----------
    source : str
        ``TABLE:COLUMN``.
    column : str
        What the slices are; with the table where others are of a column of this name, too.
    name : str
        What sets figures and tables apart from those of other slices, in pages and as files.
    rules : str
        The rules of the evaluation, in a line.
    unit : str
        What they are made of.
    n_units : int
        How many there are, in slices or not.
    names : tuple of str
        The numbers that are shown; the first is the main one.
    lower_is_better : bool
        Whether less of it is better.
    within : (float, float) or None
        What the main number can be, where both ends are known.
    whole : mapping of str to float
        The numbers of all.
    parts : tuple of UnitSlice
        The slices, by name; of many the worst first.
    level : float or None
        That of the intervals of the main number; None where there are none.
    """

    source: str
    column: str
    name: str
    rules: str
    unit: str
    n_units: int
    names: tuple[str, ...]
    lower_is_better: bool
    within: tuple[float, float] | None
    whole: dict[str, float]
    parts: tuple[UnitSlice, ...]
    level: float | None


def read_run_slices(
    run: StoredRun, result: Result, sources: Sequence[str]
) -> tuple[RunSlices, ...]:
    """Return the slices of a run by columns of tables, each once.

    Parameters
    ----------
    run : StoredRun
        The run. Its state is sliced, whatever its task; nothing is measured again.
    result : Result
        Its result. Where that has intervals, the slices have some of the same level.
    sources : sequence of str
        ``TABLE:COLUMN``. Its rows are about samples, images or sequences by their ids, or by what
        else they are called.

    Raises
    ------
    InputError
        For a run whose metric kept nothing that could be told apart, and what
        `read_image_slices` refuses.

    Notes
    -----
    COCO's truth is read again for the names of image files, where it still is where it was and has
    the bytes that it had; without it, images are found by their ids alone.
    """
    once = list(dict.fromkeys(sources))
    columns = _columns(once)
    return tuple(
        _read(run, result, source, column, name)
        for source, column, name in zip(once, columns, _names(columns), strict=True)
    )


def _columns(sources: Sequence[str]) -> list[str]:
    """Return what slices are by, in as few words as tell them apart."""
    parts = [source.rpartition(":") for source in sources]
    brief = [column for _, _, column in parts]
    with_file = [f"{column} of {Path(table).name}" for table, _, column in parts]
    whole = [f"{column} of {table}" for table, _, column in parts]
    return [
        next(
            words[k]
            for words in (brief, with_file, whole)
            if words is whole or words.count(words[k]) == 1
        )
        for k in range(len(sources))
    ]


def _names(columns: Sequence[str]) -> list[str]:
    """Return a name for each, also where only what no identifier and no file has differs."""
    found: dict[str, str] = {}
    for column in columns:
        name, place = column, 1
        while (key := plain(name).strip("-").casefold()) in found:
            place += 1
            name = f"{column}_{place}"
        found[key] = name
    return list(found.values())


def _read(run: StoredRun, result: Result, source: str, column: str, name: str) -> RunSlices:
    metric: Any = run.metric()
    if not hasattr(metric, "units"):
        raise InputError(
            f"expected a run whose state can be sliced, got one of {type(metric).__name__}",
            str(run.path),
        )
    try:
        units: Units = metric.units(each=True)
    except InputError as error:
        raise error.within(str(run.path)) from error
    ids = ids_of_units(metric)
    if units.counts.sum() and not ids:
        raise InputError(
            f"expected a run whose {units.unit}s have ids, which slices are made by: evaluate "
            "again, with ids",
            str(run.path),
        )
    slice_of = read_image_slices(source, ids, _truth_with_names(run), what=units.unit)
    names = units.headline or tuple(result.metrics)[:1]
    main = names[0]
    n_slices = len(set(slice_of.values()))
    level = next((each.level for each in result.intervals.values()), None)
    if (
        n_slices > _MOST_WITH_INTERVALS
        or len(ids) > _MOST_UNITS_WITH_INTERVALS
        or main in units.without_interval
    ):
        level = None
    low, high = units.ranges.get(main, units.ranges.get("", (-math.inf, math.inf)))
    parts = unit_slices(
        metric,
        slice_of,
        names=names,
        with_intervals=() if level is None else (main,),
        level=level or 0.95,
        replicates=_REPLICATES,
    )
    lower_is_better = main in units.lower_is_better
    if len(parts) > _MOST_IN_ORDER_OF_NAMES:
        sign = -1 if lower_is_better else 1
        values = [part.metrics[main] for part in parts]
        order = sorted(range(len(parts)), key=lambda k: (math.isnan(values[k]), sign * values[k]))
        parts = tuple(parts[k] for k in order)
    return RunSlices(
        source=source,
        column=column,
        name=name,
        rules=protocol_line(result),
        unit=units.unit,
        n_units=len(ids),
        names=names,
        lower_is_better=lower_is_better,
        within=(low, high) if math.isfinite(low) and math.isfinite(high) else None,
        whole={name: float(result.metrics.get(name, math.nan)) for name in names},
        parts=parts,
        level=level,
    )


def _truth_with_names(run: StoredRun) -> str | None:
    """Return COCO's truth, which knows what image files are called, if it still is what it was."""
    for given in run.record.data:
        path = given.name
        if given.role == "truth" and given.sha256 and path.lower().endswith(".json"):
            now = data_digest(DataSource("truth", path)) if Path(path).is_file() else None
            if now is not None and now.sha256 == given.sha256:
                return path
    return None


def slice_bars(found: Sequence[RunSlices], labels: Sequence[str]) -> BarsDisplay:
    """Return the main number of each slice, beside that of all.

    Parameters
    ----------
    found : sequence of RunSlices
        Of one run or of several, by one column.
    labels : sequence of str
        What each run is called.
    """
    first = found[0]
    main = first.names[0]
    # In the first run's order, which of many has the worst first; so are its sizes.
    sizes: dict[str, int] = {}
    for each in found:
        for part in each.parts:
            sizes.setdefault(part.name, part.n_units)
    of_runs = [{part.name: part for part in each.parts} for each in found]
    bars = []
    for each, parts, label in zip(found, of_runs, labels, strict=True):
        numbers = [parts[name].metrics[main] if name in parts else math.nan for name in sizes]
        values = np.array([each.whole[main], *numbers])
        if each.level is None:
            bars.append(Bars(label, values))
            continue
        bounds = [parts[name].intervals[main] if name in parts else None for name in sizes]
        low = np.array([math.nan, *(math.nan if b is None else b.low for b in bounds)])
        high = np.array([math.nan, *(math.nan if b is None else b.high for b in bounds)])
        bars.append(Bars(label, values, low, high))
    return BarsDisplay(
        words=_words(
            found,
            labels,
            name=f"slices_by_{first.name}",
            title=f"{main} by {first.column}",
            about="The same number over parts of the data: a part that is much "
            f"{'higher' if first.lower_is_better else 'lower'} than the whole is where to look.",
        ),
        categories=("all", *(f"{name} ({n:,})" for name, n in sizes.items())),
        bars=tuple(bars),
        value_label=main,
        value_range=first.within,
    )


def slice_table(found: RunSlices, label: str) -> Table:
    """Return the headline numbers of each slice of a run, one row each."""
    main = found.names[0]
    records = []
    for part in found.parts:
        record = {"slice": part.name, "n": part.n_units, **part.metrics}
        if found.level is not None:
            record["low"], record["high"] = part.intervals[main].low, part.intervals[main].high
        records.append(record)
    return Table(
        _words(
            [found],
            [label],
            name=f"slice_table_by_{found.name}",
            title=f"Slices by {found.column}",
            about="The headline numbers of each part of the data.",
        ),
        [
            Column("slice", found.column),
            Column("n", f"{found.unit}s"),
            Column(main, main, 4),
            *(
                (Column("low", "from", 4, f"its interval, of {main}"), Column("high", "to", 4))
                if found.level is not None
                else ()
            ),
            *(Column(name, name, 4) for name in found.names[1:]),
        ],
        records,
    )


def _words(
    found: Sequence[RunSlices], labels: Sequence[str], *, name: str, title: str, about: str
) -> Words:
    return Words(
        name=name,
        title=title,
        about=about,
        finding=" ".join(
            _finding(each, label if len(found) > 1 else "")
            for each, label in zip(found, labels, strict=True)
        ),
        protocol=_of_runs([_protocol(each) for each in found], labels),
        note=_of_runs([_note(each) for each in found], labels),
    )


def _of_runs(said: Sequence[str], labels: Sequence[str]) -> str:
    """Return what is said of runs: once where it is the same, else of each."""
    if len(set(said)) == 1:
        return said[0]
    return " · ".join(f"{label}: {each}" for label, each in zip(labels, said, strict=True) if each)


def _protocol(found: RunSlices) -> str:
    protocol = f"{found.rules}; by {found.source}"
    if found.level is None:
        return protocol
    return (
        f"{protocol}; {100 * found.level:g} % intervals, over the {found.unit}s of a slice: "
        f"bootstrap, basic, {_REPLICATES} replicates"
    )


def _note(found: RunSlices) -> str:
    n_out = found.n_units - sum(part.n_units for part in found.parts)
    if not n_out:
        return ""
    return (
        f"{n_out:,} of {found.n_units:,} {found.unit}s are in no slice: the table has no row, or "
        "no text, for them."
    )


def _finding(found: RunSlices, label: str) -> str:
    main = found.names[0]
    known = [part for part in found.parts if math.isfinite(part.metrics[main])]
    of_run = f"{label}: " if label else ""
    if not known:
        return f"{of_run}{main} is undefined in every slice."
    choose = max if found.lower_is_better else min
    worst = choose(known, key=lambda part: part.metrics[main])
    way = "highest" if found.lower_is_better else "lowest"
    return (
        f"{of_run}{main} is {way} in {worst.name}: {worst.metrics[main]:.4g}, beside "
        f"{found.whole[main]:.4g} of all."
    )
