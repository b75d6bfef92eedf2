"""Tables of a page that can be sorted, searched and downloaded."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from snellen.report.figure_card import figure_card, identifier, words_below
from snellen.report.markup import element, text
from snellen.report.page_data import data_element
from snellen.report.parts import Table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from snellen.displays import Display
    from snellen.report.parts import Column

__all__ = ["cards", "table_card"]


def table_card(table: Table, place: str, *, wide: bool = True) -> str:
    """Return a table; the page's script fills it, all rows at once up to 2,000.

    Parameters
    ----------
    table : Table
        The table.
    place : str
        What sets its identifiers apart.
    wide : bool
        Whether it takes the width of the page, and not that of a figure.
    """
    words = table.words
    name = identifier(place, words.name)
    search = element(
        "label",
        element("span", "Search") + element("input", type="search", autocomplete="off"),
        class_="search",
    )
    buttons = "".join(
        element("button", kind, type="button", class_="download", data_kind=kind.lower())
        for kind in ("CSV", "JSON")
    )
    return element(
        "figure",
        element(
            "figcaption",
            element("h3", text(words.title), id=f"{name}-title")
            + element("p", text(words.about), class_="about"),
        )
        + words_below(words, name)
        + element(
            "div",
            search
            + element("span", class_="shown soft", role="status")
            + element("span", f"Get the data {buttons}", class_="downloads"),
            class_="tools",
        )
        + element(
            "div",
            element("table", aria_labelledby=f"{name}-title"),
            class_="scroll rows", tabindex=0, role="region", aria_labelledby=f"{name}-title",
        )
        + data_element(f"{name}-data", {"name": words.name, "table": _content(table)}),
        class_="card wide sortable" if wide else "card sortable",
        data_source=f"{name}-data",
    )  # fmt: skip


def cards(parts: Iterable[Display | Table], place: str) -> str:
    """Return figures and tables, in their order."""
    made = "".join(
        table_card(each, place) if isinstance(each, Table) else figure_card(each, place)
        for each in parts
    )
    return element("div", made, class_="cards") if made else ""


def _content(table: Table) -> dict[str, Any]:
    values = [[_value(record.get(each.key)) for record in table.records] for each in table.columns]
    return {
        "columns": [
            _column(each, column) for each, column in zip(table.columns, values, strict=True)
        ],
        "values": values,
    }


def _column(column: Column, values: list[Any]) -> dict[str, Any]:
    made = {
        "key": column.key,
        "title": column.title,
        "number": not any(isinstance(each, (str, bool)) for each in values)
        or (column.digits is not None),
    }
    if column.digits is not None:
        made["digits"] = column.digits
        if column.key not in _NO_BARS and all(map(_is_share, values)):
            made["share"] = True
    if column.about:
        made["about"] = column.about
    return made


# Bounds of something else, of which a bar would say nothing.
_NO_BARS = ("low", "high", "p")


def _is_share(value: Any) -> bool:
    return value is None or (isinstance(value, (int, float)) and not (value < 0 or value > 1))


def _value(value: Any) -> Any:
    if isinstance(value, bool):
        return "yes" if value else "no"
    # JSON has no infinities; as texts they are shown and sorted as what they are.
    if isinstance(value, float) and math.isinf(value):
        return "∞" if value > 0 else "−∞"
    return value
