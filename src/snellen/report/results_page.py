"""The page of results: of one run, or of several side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from snellen.errors import InputError
from snellen.report.comparison import comparison, headline_comparison
from snellen.report.confusion import confusion_card
from snellen.report.data_table import cards, table_card
from snellen.report.gallery import PICTURE_BYTES, gallery, has_images_of_cells
from snellen.report.headline import facts, headline
from snellen.report.markup import element, text
from snellen.report.page_document import document
from snellen.report.provenance import provenance
from snellen.report.run_differences import run_differences
from snellen.report.run_view import RunView
from snellen.report.section import Section, of_runs, section_elements, table_of_contents

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from snellen.run.stored_run import StoredRun

__all__ = ["page_of_views", "results_page"]


def results_page(
    runs: Sequence[StoredRun],
    *,
    names: Sequence[str] | None = None,
    plotly: str = "inline",
    folders: Sequence[str] | None = None,
    slice_by: Sequence[str] = (),
) -> str:
    """Return the page of one run, or of several runs of one task side by side.

    It is one file that loads nothing: pictures and scripts are in it, and its policy lets no other
    script run, whatever the data hold. It is a pure function of the runs' folders.

    Parameters
    ----------
    runs : sequence of StoredRun
        What is shown. The others are compared with the first one.
    names : sequence of str, optional
        What they are called; without, the names of their folders.
    plotly : str
        ``"inline"``, or the address of Plotly's script as it is reached from the page.
    folders : sequence of str, optional
        How the runs' folders are reached from the page, for links to pictures that it does not
        hold; without, nothing is linked.
    slice_by : sequence of str
        Tables and their columns, ``scenes.csv:weather``, by which parts of the data are shown, too.

    Returns
    -------
    str
        HTML, to be written as UTF-8.

    Raises
    ------
    InputError
        Where there is no run, where two have one name, for what is no run of `StoredRun`, and for
        slices that cannot be made.
    MissingExtraError
        Where Plotly's package, whose script is put in, is not installed.
    """
    called = _distinct(runs) if names is None else list(names)
    if not called or len(called) != len(runs) or len(set(called)) != len(called):
        raise InputError(
            f"expected {max(len(runs), 1):,} different names, got {', '.join(called) or 'none'}",
            "names",
        )
    return page_of_views(
        [
            opened(run, name, None if folders is None else folders[place], slice_by)
            for place, (run, name) in enumerate(zip(runs, called, strict=True))
        ],
        plotly=plotly,
    )


def opened(
    run: StoredRun, name: str, folder: str | None = None, slice_by: Sequence[str] = ()
) -> RunView:
    """Return what a page shows of a stored run."""
    from snellen.report.run_parts import parts_of
    from snellen.report.run_slices import read_run_slices

    result = run.result()
    sliced = read_run_slices(run, result, slice_by)
    return RunView(
        name=name,
        record=run.record,
        result=result,
        parts=parts_of(run, result, sliced),
        metric=run.metric(),
        examples=run.examples(),
        picture=run.picture,
        sliced=sliced,
        folder=folder,
    )


def page_of_views(views: Sequence[RunView], *, plotly: str = "inline") -> str:
    """Return the page of opened runs, as `results_page` does."""
    sections = _sections(views)
    title = " and ".join(view.name for view in views) if len(views) < 3 else f"{len(views)} runs"
    task = views[0].result.task
    head = element(
        "header",
        element("p", text(f"Snellen · {task}"), class_="task") + element("h1", text(title)),
    )
    main = element(
        "main", head + _switch(views) + section_elements(sections), id="results", tabindex=-1
    )
    body = (
        element("a", "Skip to the results", href="#results", class_="skip")
        + element("div", table_of_contents(sections) + main, class_="page")
        + element("noscript", _WITHOUT_SCRIPT)
        + element("footer", _footer(views))
    )
    return document(f"{title}: {task}", body, plotly=plotly)


def _sections(views: Sequence[RunView]) -> list[Section]:
    def each(part: Callable[[RunView, str], str]) -> str:
        return of_runs([part(view, f"run{place}") for place, view in enumerate(views)])

    def numbers(view: RunView, _: str) -> str:
        return headline(view, compared=len(views) > 1)

    room = PICTURE_BYTES // len(views)
    found = [run_differences(views[0], view) for view in views[1:]]
    return [
        Section("numbers", "Headline numbers", headline_comparison(views, found) + each(numbers)),
        Section("look", _title_of_facts(views), each(lambda view, _: facts(view))),
        Section(
            "gallery",
            "Gallery of mistakes",
            each(lambda view, place: gallery(view, place, at_most=room)),
        ),
        Section("comparison", "Comparison", comparison(views, found)),
        Section(
            "confusion",
            "Confusion matrix",
            each(_confusion),
        ),
        Section("curves", "Curves", each(lambda v, place: cards(v.parts.curves, place))),
        Section("errors", "Error breakdown", each(lambda v, place: cards(v.parts.errors, place))),
        Section("slices", "Slices", each(lambda v, place: cards(v.parts.slices, place))),
        Section(
            "classes",
            "Classes",
            each(lambda v, p: table_card(v.parts.classes, p) if v.parts.classes else ""),
        ),
        Section(
            "more",
            f"More of {views[0].result.task}",
            each(lambda v, place: cards(v.parts.own, place)),
        ),
        Section("made", "How it was made", each(lambda view, _: provenance(view))),
    ]


def _confusion(view: RunView, place: str) -> str:
    display = view.parts.confusion
    if display is None:
        return ""
    return confusion_card(display, place, filters=has_images_of_cells(view.examples))


def _title_of_facts(views: Sequence[RunView]) -> str:
    titles = [view.parts.facts.title for view in views if view.parts.facts is not None]
    return titles[0] if titles else ""


def _switch(views: Sequence[RunView]) -> str:
    """Return what chooses the run that is shown, where there are several."""
    if len(views) == 1:
        return ""
    choices = "".join(
        element(
            "label",
            element(
                "input",
                type="radio",
                name="run",
                value=place,
                checked=None if place else "checked",
                # What a browser puts back after a reload would not be what is shown.
                autocomplete="off",
            )
            + element("span", text(view.name)),
        )
        for place, view in enumerate(views)
    )
    return element("fieldset", element("legend", "Run shown") + choices, class_="choice runs")


def _footer(views: Sequence[RunView]) -> str:
    made_by = sorted({str(view.record.versions.get("snellen", "")) for view in views} - {""})
    by = f"Evaluated with Snellen {', '.join(made_by)}." if made_by else "Made by Snellen."
    return text(f"{by} This page holds all it shows and loads nothing.")


def _distinct(runs: Sequence[StoredRun]) -> list[str]:
    """Return the names of folders; with their parents' where they would be equal."""
    names = [run.name for run in runs]
    if len(set(names)) == len(names):
        return names
    return ["/".join(run.path.resolve().parts[-2:]) for run in runs]


_WITHOUT_SCRIPT = element(
    "p",
    "Pictures, figures and tables need this page's script, which is switched off here. "
    "The numbers are in result.json beside it.",
)
