"""A figure of a page: what it shows in words, the place where it is drawn, and its numbers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from snellen.displays import SpansDisplay
from snellen.report.markup import element, text
from snellen.report.page_data import data_element

if TYPE_CHECKING:
    from collections.abc import Sequence

    from snellen.displays import Display, Words

__all__ = [
    "columns_of",
    "figure_card",
    "identifier",
    "plain",
    "tools",
    "words_above",
    "words_below",
]

_HEIGHT = 340


def figure_card(display: Display, place: str) -> str:
    """Return a display as a figure.

    Parameters
    ----------
    display : Display
        What is drawn, when the figure is scrolled to.
    place : str
        What sets its identifiers apart from those of other figures.
    """
    words = display.words
    name = identifier(place, words.name)
    specification = display.specification()
    height = specification.get("layout", {}).get("height", _HEIGHT)
    # The plot says what is found, not what it looks like; its numbers are in the table.
    plot = element(
        "div", class_="plot", role="group", aria_labelledby=f"{name}-title {name}-finding",
        tabindex=0, style=f"min-height: {height}px",
    )  # fmt: skip
    data = {
        "name": words.name,
        "figure": specification,
        "table": columns_of(display.records()),
    }
    wide = isinstance(display, SpansDisplay) or height > 480
    return element(
        "figure",
        words_above(words, name)
        + element("div", class_="legend")
        + plot
        + words_below(words, name)
        + tools()
        + data_element(f"{name}-data", data),
        class_="card drawn wide" if wide else "card drawn",
        data_source=f"{name}-data",
    )


def identifier(place: str, name: str) -> str:
    """Return what elements of a figure are called: without spaces, which would part it in two.

    Examples
    --------
    >>> identifier("run0", "by score")
    'run0-by-score'
    """
    return f"{place}-{plain(name)}"


def plain(name: str) -> str:
    """Return a name in letters, digits, dashes and underscores of ASCII."""
    return re.sub("[^0-9A-Za-z_-]+", "-", name)


def words_above(words: Words, name: str) -> str:
    """Return the caption of a figure: its title, and what such a figure is."""
    return element(
        "figcaption",
        element("h3", text(words.title), id=f"{name}-title")
        + element("p", text(words.about), class_="about"),
    )


def words_below(words: Words, name: str) -> str:
    """Return what a figure shows, by which rules, and what was left out."""
    rules = " · ".join(each for each in (words.protocol, words.note) if each)
    return element("p", text(words.finding), class_="finding", id=f"{name}-finding") + (
        element("p", text(rules), class_="rules") if rules else ""
    )


def tools() -> str:
    """Return the table behind a figure, which is made when it is opened, and its downloads."""
    buttons = "".join(
        element("button", kind, type="button", class_="download", data_kind=kind.lower())
        for kind in ("CSV", "JSON")
    )
    return element(
        "div",
        element("details", element("summary", "Data table"), class_="numbers-table")
        + element("span", f"Get the data {buttons}", class_="downloads"),
        class_="tools",
    )


def columns_of(records: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return records as columns, which are a fifth of their size in a page."""
    keys = list(dict.fromkeys(key for record in records for key in record))
    values = [[record.get(key) for record in records] for key in keys]
    return {
        "columns": [
            {"key": key, "title": key.replace("_", " "), "number": _are_numbers(column)}
            for key, column in zip(keys, values, strict=True)
        ],
        "values": values,
    }


def _are_numbers(column: Sequence[Any]) -> bool:
    return all(
        each is None or (isinstance(each, (int, float)) and not isinstance(each, bool))
        for each in column
    )
