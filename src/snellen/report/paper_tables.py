"""The tables of runs as text for papers and documents, with a list of their figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from snellen.displays.tables import TextTable, as_latex, as_markdown, shown, table_of
from snellen.report.class_table import by_class, name_key
from snellen.report.figure_card import plain
from snellen.report.run_pictures import figures_of
from snellen.report.run_slices import read_run_slices
from snellen.report.run_view import lines_of
from snellen.table_text import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from snellen.report.run_slices import RunSlices
    from snellen.result import Result
    from snellen.run.stored_run import StoredRun

__all__ = ["paper_tables"]


def paper_tables(
    runs: Sequence[StoredRun], names: Sequence[str], kind: str, *, slice_by: Sequence[str] = ()
) -> str:
    """Return tables of headline numbers and of classes, and what figures there are.

    Parameters
    ----------
    runs : sequence of StoredRun
        Of several, headline numbers and the main number of classes stand in one table, a column
        each.
    names : sequence of str
        What they are called.
    kind : {"md", "tex"}
        Markdown, or LaTeX for the package booktabs.
    slice_by : sequence of str
        As `results_page` takes it.
    """
    results = [run.result() for run in runs]
    if len(runs) == 1:
        numbers, classes = table_of(results[0], "metrics"), table_of(results[0], "classes")
    else:
        numbers, classes = _numbers(results, names), _classes(results, names)
    listed = [_figures(run, slice_by) for run in runs]
    task = results[0].task
    made_of = [
        (f"{printable(name)} is made of" if len(runs) > 1 else "made of", _made_of(result))
        for name, result in zip(names, results, strict=True)
    ]
    by_source = zip(
        *(read_run_slices(*each, slice_by) for each in zip(runs, results, strict=True)), strict=True
    )
    levels = {each.level for result in results for each in result.intervals.values()}
    with_intervals = f", with {100 * max(levels):g} % intervals" if levels else ""
    tables = [
        (f"{task}: headline numbers of {' and '.join(names)}{with_intervals}", "numbers", numbers),
        ("Classes", "classes", classes),
        *(_slices(found, names) for found in by_source),
        *_titled(listed, names),
    ]
    write = _latex if kind == "tex" else _markdown
    return write([each for each in tables if each[2].rows], made_of)


def _figures(run: StoredRun, slice_by: Sequence[str]) -> TextTable:
    """Return what figures a run has, and what they show."""
    rows = [
        [name, display.words.title, display.words.finding]
        for name, display in figures_of(run, slice_by).items()
    ]
    return TextTable(["figure", "what it shows", "finding"], rows, [False] * 3)


def _titled(figures: Sequence[TextTable], names: Sequence[str]) -> list[tuple[str, str, TextTable]]:
    """Return the figures of each run with a title and a label."""
    if len(figures) == 1:
        return [("Figures", "figures", figures[0])]
    return [
        (f"Figures of {name}", f"figures:{place}", table)
        for place, (name, table) in enumerate(zip(names, figures, strict=True), 1)
    ]


def _made_of(result: Result) -> list[str]:
    """Return what a result was made of, line by line, with its rules and units."""
    # In what unit a table in a terminal is says nothing of these, which are fractions.
    lines = [f"{name} {said}" for name, said in lines_of(result) if name != "numbers"]
    if result.protocol_text:
        lines.append(f"protocol {result.protocol_text}")
    units: dict[str, list[str]] = {}
    for metric in result.metrics:
        units.setdefault(result.unit_of(metric), []).append(metric)
    return lines + [f"unit {unit}: {', '.join(names)}" for unit, names in units.items() if unit]


def _markdown(
    tables: Sequence[tuple[str, str, TextTable]], made_of: Sequence[tuple[str, list[str]]]
) -> str:
    found: list[str] = []
    for place, (title, _, table) in enumerate(tables):
        # A title is a cell of text like others: what looks like Markdown in it is shown as it is.
        heading = as_markdown(TextTable([title], [], [False])).splitlines()[0].strip("| ")
        found += [f"{'##' if place else '#'} {heading}", "", as_markdown(table), ""]
        if not place:
            for head, lines in made_of:
                found += [as_markdown(TextTable([head], [[line] for line in lines], [False])), ""]
    return "\n".join(found)


def _latex(
    tables: Sequence[tuple[str, str, TextTable]], made_of: Sequence[tuple[str, list[str]]]
) -> str:
    found = ["% Made by Snellen; needs \\usepackage{booktabs}."]
    # A comment ends with its line.
    for head, lines in made_of:
        found += [
            *([f"% {head}:"] if len(made_of) > 1 else []),
            *(f"% {printable(line)}" for line in lines),
        ]
    for title, label, table in tables:
        found += ["", as_latex(table, title, f"tab:{label}")]
    return "\n".join(found) + "\n"


def _numbers(results: Sequence[Result], names: Sequence[str]) -> TextTable:
    """Return the headline numbers of several results, a column each."""
    metrics = dict.fromkeys(name for result in results for name in result.metrics)
    rows = [
        [
            metric,
            *(
                shown(result.metrics.get(metric), 3, result.intervals.get(metric))
                for result in results
            ),
        ]
        for metric in metrics
    ]
    return TextTable(["metric", *names], rows, [False, *(True for _ in names)])


def _classes(results: Sequence[Result], names: Sequence[str]) -> TextTable:
    """Return the main number of each class of several results, a column each."""
    tables = [result.per_class() for result in results]
    records = [record for table in tables for record in table]
    key = name_key(records) if records else "class"
    numbers = [
        name for name, value in (records[0] if records else {}).items() if isinstance(value, float)
    ]
    if not numbers:
        return TextTable([key], [], [False])
    main = next((name for name in results[0].metrics if name in numbers), numbers[0])
    of_runs = [by_class(table) for table in tables]
    rows = [
        [which[0], *(shown(each.get(which, {}).get(main)) for each in of_runs)]
        for which in dict.fromkeys(which for each in of_runs for which in each)
    ]
    head = [f"{key} ({main})", *names]
    return TextTable(head, rows, [False, *(True for _ in names)])


def _slices(found: Sequence[RunSlices], names: Sequence[str]) -> tuple[str, str, TextTable]:
    """Return the numbers of slices; of several runs the main one, a column each."""
    first = found[0]
    main = first.names[0]
    if len(found) == 1:
        head = [first.column, f"{first.unit}s", *first.names]
        rows = [
            [
                part.name,
                f"{part.n_units:,}",
                *(shown(part.metrics[name], 3, part.intervals.get(name)) for name in first.names),
            ]
            for part in first.parts
        ]
    else:
        head = [f"{first.column} ({main})", *names]
        of_runs = [{part.name: part for part in each.parts} for each in found]
        rows = [
            [
                name,
                *(
                    shown(each[name].metrics[main], 3, each[name].intervals.get(main))
                    if name in each
                    else ""
                    for each in of_runs
                ),
            ]
            for name in dict.fromkeys(name for each in of_runs for name in each)
        ]
    numbers = [False, *(True for _ in head[1:])]
    return (
        f"Slices by {first.column}",
        f"slices:{plain(first.name)}",
        TextTable(head, rows, numbers),
    )
