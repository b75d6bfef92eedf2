"""Tables of a result for papers and documents: Markdown and LaTeX."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from snellen.errors import InputError, did_you_mean
from snellen.table_text import printable, without_decimals

if TYPE_CHECKING:
    from collections.abc import Sequence

    from snellen.result import Interval, Result

__all__ = [
    "TABLES",
    "TextTable",
    "as_latex",
    "as_markdown",
    "cell",
    "latex_text",
    "no_table",
    "shown",
    "table_of",
]

TABLES = ("metrics", "classes")


class TextTable(NamedTuple):
    """A table of texts.

    Attributes
    ----------
    head : sequence of str
        Above the columns.
    rows : sequence of sequences of str
        Their cells.
    numbers : sequence of bool
        Which columns are numbers, and stand at the right.
    """

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    numbers: Sequence[bool]


def no_table(what: str) -> InputError:
    """Return the error of a table that no result has."""
    return InputError(
        f'expected a table {" or ".join(TABLES)}, got "{what}".{did_you_mean(what, TABLES)}', "what"
    )


def table_of(result: Result, what: str, digits: int = 3) -> TextTable:
    """Return the headline numbers of a result with intervals, or its classes, as texts.

    Raises
    ------
    InputError
        For another table.
    """
    if what == "metrics":
        level = next((100 * each.level for each in result.intervals.values()), None)
        head = ["metric", "value" if level is None else f"value [{level:g} % interval]"]
        rows = [
            [name, shown(value, digits, result.intervals.get(name))]
            for name, value in result.metrics.items()
        ]
        return TextTable(head, rows, [False, True])
    if what == "classes":
        records = result.per_class()
        keys = list(records[0]) if records else ["class"]
        numbers = [any(isinstance(record[key], (int, float)) for record in records) for key in keys]
        rows = [[cell(key, record[key], digits) for key in keys] for record in records]
        return TextTable(keys, rows, numbers)
    raise no_table(what)


def cell(key: str, value: Any, digits: int) -> str:
    """Return a value of a record: an id, also a number, is a name."""
    return printable(value) if key == "id" else shown(value, digits)


def shown(value: Any, digits: int = 3, interval: Interval | None = None) -> str:
    """Return a value as tables show it, with its interval; what is undefined is a dash.

    Examples
    --------
    >>> shown(0.41249), shown(1234), shown(float("nan")), shown(None), shown(3e-9)
    ('0.412', '1,234', '–', '–', '3.000e-09')
    >>> from snellen.result import Interval
    >>> shown(0.412, 3, Interval(0.398, 0.427, 0.95, "bootstrap", "image"))
    '0.412 [0.398, 0.427]'
    """
    if (plain := without_decimals(value)) is not None:
        return plain
    small = 0 < abs(value) < 0.5 * 10.0**-digits
    text = f"{value:.{digits}e}" if small or abs(value) >= 1e9 else f"{value:,.{digits}f}"
    if interval is None or math.isnan(interval.low):
        return text
    return f"{text} [{shown(interval.low, digits)}, {shown(interval.high, digits)}]"


def as_markdown(table: TextTable) -> str:
    r"""Return a table in Markdown; names that look like Markdown or HTML are shown as they are.

    Examples
    --------
    >>> print(as_markdown(TextTable(["class", "AP"], [["a|b <i>", "0.5"]], [False, True])))
    | class | AP |
    | --- | ---: |
    | a\|b &lt;i&gt; | 0.5 |
    """
    lines = [
        [_markdown(cell) for cell in table.head],
        ["---:" if number else "---" for number in table.numbers],
        *([_markdown(cell) for cell in row] for row in table.rows),
    ]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _markdown(text: str) -> str:
    text = printable(text)
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(character, entity)
    # A bracket alone is one; before another it would end the text of a link.
    return re.sub(r"([\\`*_|~$]|\](?=[(\[:]))", r"\\\1", text) or " "


_LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    # pdfTeX knows no other way to write these two, which stand for what has no end.
    "∞": r"$\infty$",
    "−": "$-$",
    # Behind the end of a line these two would be read with it.
    "[": "{[}",
    "*": "{*}",
    **{each: f"\\{each}" for each in "%&_#${}"},
}


def as_latex(table: TextTable, caption: str | None = None, label: str | None = None) -> str:
    r"""Return a table in LaTeX, for the package booktabs; texts are escaped, the caption too.

    Raises
    ------
    InputError
        For a label of other characters than LaTeX's labels are made of.

    Examples
    --------
    >>> print(as_latex(TextTable(["class", "AP"], [["a_b", "0.5"]], [False, True])))
    \begin{tabular}{lr}
    \toprule
    class & AP \\
    \midrule
    a\_b & 0.5 \\
    \bottomrule
    \end{tabular}
    """
    lines = [
        f"\\begin{{tabular}}{{{''.join('r' if number else 'l' for number in table.numbers)}}}",
        r"\toprule",
        _latex_row(table.head),
        r"\midrule",
        *(_latex_row(row) for row in table.rows),
        r"\bottomrule",
        r"\end{tabular}",
    ]
    if caption is None and label is None:
        return "\n".join(lines)
    above = [r"\begin{table}", r"\centering"]
    if caption is not None:
        above.append(f"\\caption{{{latex_text(printable(caption))}}}")
    if label is not None:
        if not re.fullmatch(r"[A-Za-z0-9:._/-]+", label):
            raise InputError(
                f'expected letters, digits and : . _ / - in a label, got "{label}"', "label"
            )
        above.append(f"\\label{{{label}}}")
    return "\n".join([*above, *lines, r"\end{table}"])


def _latex_row(cells: Sequence[str]) -> str:
    return f"{' & '.join(latex_text(printable(cell)) for cell in cells)} \\\\"


def latex_text(text: str) -> str:
    r"""Return a text so that LaTeX shows it as it is.

    Examples
    --------
    >>> print(latex_text("a_b 50% ∞"))
    a\_b 50\% $\infty$
    """
    return "".join(_LATEX.get(character, character) for character in text)
