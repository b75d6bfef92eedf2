"""HTML from data: whatever comes from there is escaped here."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, Any

from snellen.table_text import printable, without_decimals

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "count",
    "element",
    "figure",
    "listed",
    "plain_value",
    "spoken",
    "table",
    "text",
    "words",
]


def text(value: object) -> str:
    """Return a value from data as text of a page.

    Examples
    --------
    >>> text("<b> & 'c'")
    '&lt;b&gt; &amp; &#x27;c&#x27;'
    """
    return escape(printable(value))


def element(tag: str, content: str = "", **attributes: object) -> str:
    """Return an element; the content is markup already, the attributes are escaped.

    An attribute that is a Python word ends with ``_``; other ``_`` stand for ``-``.

    Examples
    --------
    >>> element("td", text("a<b"), class_="name", data_x='"')
    '<td class="name" data-x="&quot;">a&lt;b</td>'
    """
    given = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{text(value)}"'
        for name, value in attributes.items()
        if value is not None
    )
    return f"<{tag}{given}>{content}</{tag}>"


def figure(value: Any, digits: int = 4) -> str:
    """Return a number as the page shows it; what is undefined is a dash.

    Examples
    --------
    >>> figure(0.85351), figure(None), figure(12345), figure(2.5e-7), figure(float("inf"))
    ('0.8535', '–', '12,345', '2.500e-07', '∞')
    """
    if (plain := without_decimals(value)) is not None:
        return escape(plain)
    if value and not 10.0**-digits <= abs(value) < 1e7:
        return f"{value:.3e}"
    return f"{value:,.{digits}f}"


def count(value: Any) -> str:
    """Return a large number in three or four places.

    Examples
    --------
    >>> count(950), count(421_642), count(5_300_000), count(None)
    ('950', '422 k', '5.30 M', '–')
    """
    if not isinstance(value, (int, float)) or not math.isfinite(value):
        return "–"
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if abs(value) >= size:
            return (
                f"{value / size:.3g} {unit}" if value / size >= 10 else f"{value / size:.2f} {unit}"
            )
    return f"{value:g}"


def words(name: object) -> str:
    """Return the name of a number as words, as text of a page.

    Examples
    --------
    >>> words("balanced_accuracy"), words("f1_macro"), words("a<b")
    ('balanced accuracy', 'F1 macro', 'a&lt;b')
    """
    return text(spoken(name))


def spoken(name: object) -> str:
    """Return the name of a number as words, not escaped.

    Examples
    --------
    >>> spoken("val_ece")
    'val ECE'
    """
    parts = str(name).split("_")
    return " ".join(
        "GiB" if part == "gib" else part.upper() if part in _IN_CAPITALS else part for part in parts
    )


_IN_CAPITALS = frozenset(
    (
        "ap",
        "auc",
        "cpu",
        "ece",
        "f1",
        "iou",
        "mae",
        "mape",
        "mcc",
        "mce",
        "mse",
        "msle",
        "npv",
        "r2",
        "rmse",
    )
)


def plain_value(value: Any) -> str:
    """Return a value of a description, as it is written there.

    Examples
    --------
    >>> plain_value({"name": "sgd", "momentum": 0.9}), plain_value([]), plain_value(None)
    ('sgd, momentum 0.9', '–', '–')
    """
    if value is None or value in ([], (), {}):
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        named = dict(value)
        first = [text(named.pop("name"))] if "name" in named else []
        return ", ".join([*first, *(f"{text(k)} {plain_value(v)}" for k, v in named.items())])
    if isinstance(value, (list, tuple)):
        if any(isinstance(each, (dict, list, tuple)) for each in value):
            return listed(plain_value(each) for each in value)
        return ", ".join(plain_value(each) for each in value)
    return text(f"{value:g}" if isinstance(value, float) else value)


def listed(items: Iterable[str]) -> str:
    """Return markup as a list."""
    return element("ul", "".join(element("li", item) for item in items))


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, left: int = 1) -> str:
    """Return a table that scrolls by itself where it is wider than the page.

    Parameters
    ----------
    head : sequence of str
        Markup of the heading's cells: what stands within ``<th>``, or a whole ``<th …>``.
    rows : iterable of sequence of str
        Markup of cells: what stands within ``<td>``, or a whole ``<td …>``.
    left : int
        How many columns are text, set to the left.
    """

    def cell(content: str, place: int, tag: str) -> str:
        if content.startswith(f"<{tag}"):
            return content
        return element(tag, content, class_=None if place < left else "n")

    heading = "".join(cell(content, place, "th") for place, content in enumerate(head))
    body = "".join(
        element("tr", "".join(cell(content, place, "td") for place, content in enumerate(row)))
        for row in rows
    )
    whole = element("table", element("thead", element("tr", heading)) + element("tbody", body))
    return element("div", whole, class_="scroll", tabindex="0")
