"""Several runs side by side: their numbers, their classes, their curves, their confusions."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from snellen.displays import Bars, BarsDisplay, LinesDisplay, Words
from snellen.report.confusion import confusion_card, largest_count
from snellen.report.data_table import table_card
from snellen.report.figure_card import figure_card
from snellen.report.gallery import has_images_of_cells
from snellen.report.headline import folded, protocol_line, shown_number
from snellen.report.markup import element, figure, table, text
from snellen.report.parts import Column, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from snellen.displays import Display, Line
    from snellen.report.run_differences import RunDifference, RunDifferences
    from snellen.report.run_view import RunView
    from snellen.result import Interval

__all__ = ["comparison", "headline_comparison"]

_MOST_SEEN = 14
_MOST_LINES = 4  # of a run, where they are drawn over those of another


def headline_comparison(views: Sequence[RunView], found: Sequence[RunDifferences]) -> str:
    """Return the headline numbers of all runs, with what each differs by from the first one."""
    if not found:
        return ""
    head = ["number", text(views[0].name)]
    for view in views[1:]:
        head += [text(view.name), element("th", "difference", class_="n", colspan=2)]
    # Networks of a benchmark have not all the same: some have scores, some labels alone.
    names = list(dict.fromkeys(name for view in views for name in view.result.metrics))
    n = len(names) if len(names) <= _MOST_SEEN + 2 else _MOST_SEEN

    def rows(part: list[str]) -> list[list[str]]:
        made = []
        for name in part:
            cells = [text(name), _number(views[0], name)]
            for view, each in zip(views[1:], found, strict=True):
                cells.append(_number(view, name))
                cells += _cells(each.numbers.get(name), each, _reach(each, part))
            made.append(cells)
        return made

    seen, more = rows(names[:n]), rows(names[n:])
    about = dict.fromkeys(each.about for each in found)
    return (
        element("div", table(head, seen), class_="numbers-of-runs")
        + (
            folded(
                f"{len(more)} more numbers",
                element("div", table(head, more), class_="numbers-of-runs"),
            )
            if more
            else ""
        )
        + "".join(element("p", text(each), class_="rules") for each in about)
    )


def comparison(views: Sequence[RunView], found: Sequence[RunDifferences]) -> str:
    """Return what several runs show side by side; nothing of a single one."""
    if not found:
        return ""
    made = ""
    for k, (view, each) in enumerate(zip(views[1:], found, strict=True), 1):
        if each.classes:
            made += figure_card(_bars(views[0], view, each, k), "all")
            made += table_card(_table(views[0], view, each, k), "all", wide=False)
    made += "".join(figure_card(each, "all") for each in (*_overlaid(views), *_sliced(views)))
    return (element("div", made, class_="cards") if made else "") + _matrices(views)


def _number(view: RunView, name: str) -> str:
    """Return a number of a run; a dash where it has none of that name."""
    found = view.result.metrics.get(name)
    return "–" if found is None else shown_number(found)


def _cells(found: RunDifference | None, of_run: RunDifferences, reach: float) -> list[str]:
    """Return how a number of a run differs; a word beside the colour says which way."""
    if found is None or math.isnan(found.value):
        return ["–", "<td></td>"]
    better = (found.value > 0) != (found.name in of_run.lower_is_better)
    kind = ("better" if better else "worse") if _is_sure(found.interval) else "unsure"
    if found.name in of_run.neither_is_better:
        kind = "unsure"
    word = kind if kind != "unsure" else ""
    interval = found.interval
    between = (
        element("small", f"{_signed(interval.low)} to {_signed(interval.high)}")
        if interval is not None and not math.isnan(interval.low)
        else ""
    )
    drawing = _whisker(found, reach) if between else ""
    return [
        element("td", f"{_signed(found.value)} {between}", class_=f"n difference {kind}"),
        element("td", drawing + word, class_=f"difference {kind}"),
    ]


def _reach(found: RunDifferences, names: Sequence[str]) -> float:
    """Return how far differences of numbers and their intervals go to either side of 0."""
    ends = [
        abs(end)
        for each in (found.numbers[name] for name in names if name in found.numbers)
        for end in (each.value, *((each.interval.low, each.interval.high) if each.interval else ()))
        if math.isfinite(end)
    ]
    return max(ends, default=0.0) or 1.0


def _whisker(found: RunDifference, reach: float) -> str:
    """Return the interval of a difference as a line, beside the line of no difference."""
    assert found.interval is not None
    low, middle, high = (
        f"{60 + 56 * max(min(each / reach, 1), -1):.1f}"
        for each in (found.interval.low, found.value, found.interval.high)
    )
    shapes = (
        element("line", class_="mark", x1=60, x2=60, y1=0, y2=16)
        + element("line", class_="whisker", x1=low, x2=high, y1=8, y2=8)
        + element("circle", cx=middle, cy=8, r=3.5)
    )
    return element("svg", shapes, viewBox="0 0 120 16", width=120, height=16, aria_hidden="true")


def _is_sure(interval: Interval | None) -> bool:
    return interval is not None and (interval.low > 0 or interval.high < 0)


def _signed(value: float) -> str:
    size = abs(value)
    shown = figure(size) if size >= 1e5 else f"{size:,.{4 if size >= 5e-5 else 6}f}"
    return f"+{shown}" if value > 0 else f"−{shown}" if value < 0 else shown


def _words(first: RunView, second: RunView, found: RunDifferences) -> dict[str, str]:
    """Return what both the bars and the table say."""
    lower = found.class_metric in found.lower_is_better
    neither = found.class_metric in found.neither_is_better
    better, worse = ("higher", "lower") if neither else ("better", "worse")
    losses = sum((each.value < 0) != lower for each in found.classes if each.value)
    gains = sum((each.value > 0) != lower for each in found.classes if each.value)
    worst = found.classes[0]
    sure = sum(_is_sure(each.interval) for each in found.classes)
    with_interval = any(each.interval is not None for each in found.classes)
    return {
        "finding": (
            f"{second.name} is {better} than {first.name} in {gains:,} of {len(found.classes):,} "
            f"{'class' if len(found.classes) == 1 else 'classes'} and {worse} in {losses:,}"
            + (f"; the intervals of {sure:,} leave out 0" if with_interval else "")
            + f". First is {worst.name}: {_signed(worst.value)}."
        ),
        "protocol": protocol_line(first.result),
        "note": found.about,
    }


def _bars(first: RunView, second: RunView, found: RunDifferences, k: int) -> BarsDisplay:
    intervals = [each.interval for each in found.classes]
    known = any(each is not None for each in intervals)

    def bounds(name: str) -> np.ndarray[tuple[int], np.dtype[np.float64]] | None:
        if not known:
            return None
        return np.array([math.nan if each is None else getattr(each, name) for each in intervals])

    what = f"difference in {found.class_metric}"
    return BarsDisplay(
        words=Words(
            name=f"class_differences_{k}",
            title=f"{found.class_metric} of classes: {second.name} less {first.name}",
            about="Each bar is a class; to the left the second run is lower, to the right higher. "
            "The greatest loss comes first.",
            **_words(first, second, found),
        ),
        categories=tuple(each.name for each in found.classes),
        bars=(
            Bars(
                what,
                np.array([each.value for each in found.classes]),
                bounds("low"),
                bounds("high"),
            ),
        ),
        value_label=what,
    )


def _table(first: RunView, second: RunView, found: RunDifferences, k: int) -> Table:
    with_interval = any(each.interval is not None for each in found.classes)
    return Table(
        Words(
            name=f"classes_of_runs_{k}",
            title=f"Classes of {first.name} and {second.name}",
            about=f"{found.class_metric} of each class in both runs, the greatest loss first.",
            **_words(first, second, found),
        ),
        (
            Column("class", "class"),
            Column("first", first.name, 4),
            Column("second", second.name, 4),
            Column("difference", "difference", 4, "the second less the first"),
            *(
                (Column("low", "from", 4, "its interval"), Column("high", "to", 4))
                if with_interval
                else ()
            ),
        ),
        [
            {
                "class": each.name,
                "first": each.first,
                "second": each.second,
                "difference": each.value,
                "low": None if each.interval is None else each.interval.low,
                "high": None if each.interval is None else each.interval.high,
            }
            for each in found.classes
        ],
    )


def _overlaid(views: Sequence[RunView]) -> list[Display]:
    """Return the curves that all runs have, drawn over each other."""
    found: list[Display] = []
    for display in views[0].parts.curves:
        same = [
            each
            for view in views
            for each in view.parts.curves
            if isinstance(each, LinesDisplay) and each.words.name == display.words.name
        ]
        if len(same) == len(views):
            found.append(_together(views, same))
    return found


def _sliced(views: Sequence[RunView]) -> list[Display]:
    """Return the slices of all runs side by side."""
    if not views[0].sliced:
        return []
    from snellen.report.run_slices import slice_bars

    names = [view.name for view in views]
    by_source = zip(*(view.sliced for view in views), strict=True)
    return [slice_bars(found, names) for found in by_source]


def _together(views: Sequence[RunView], displays: Sequence[LinesDisplay]) -> LinesDisplay:
    first = displays[0]
    main = [[line for line in each.lines if not line.muted] for each in displays]
    labels = [[line.label for line in lines] for lines in main]
    alike = all(each == labels[0] for each in labels) and 1 < len(labels[0]) <= _MOST_LINES
    lines: list[Line] = []
    for view, own in zip(views, main, strict=True):
        lines += [
            replace(line, label=f"{view.name}: {line.label}" if alike else view.name)
            for line in (own if alike else own[:1])
        ]
    findings = " ".join(
        f"{view.name}: {each.words.finding.rstrip('.')}."
        for view, each in zip(views, displays, strict=True)
        if each.words.finding
    )
    drawn = (
        ""
        if alike or all(len(each) == 1 for each in main)
        else (f"Drawn is the first line of each run: {labels[0][0]}." if labels[0] else "")
    )
    return replace(
        first,
        words=replace(first.words, finding=findings, note=drawn),
        lines=tuple(lines),
        marks=(),
    )


def _matrices(views: Sequence[RunView]) -> str:
    """Return the confusion matrices of all runs in one scale of colours."""
    found = [view.parts.confusion for view in views]
    known = [each for each in found if each is not None]
    if len(known) < len(views):
        return ""
    largest = max(map(largest_count, known))
    made = "".join(
        confusion_card(
            replace(each, words=replace(each.words, title=f"{view.name}: {each.words.title}")),
            f"all{place}",
            largest=largest,
            beside=True,
            filters=has_images_of_cells(view.examples),
        )
        for place, (view, each) in enumerate(zip(views, known, strict=True))
    )
    about = f"The same colour is the same count in all of them: the darkest is {largest:,.0f}."
    return (
        element("h3", "Confusion matrices on one scale")
        + element("p", text(about), class_="about")
        + element("div", made, class_="beside-each-other")
    )
