"""The test of a run, on its page: confusions, numbers of each class, images that went wrong."""

from __future__ import annotations

import base64
import math
from typing import TYPE_CHECKING, Any

from snellen.report.charts import heat_map
from snellen.report.markup import element, figure, table, text, words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["all_metrics", "classes", "confusions", "images"]

_DRAWN = 60  # classes: of more the most confused pairs are listed, and nothing is drawn
_PAIRS = 12
_LISTED = 100  # classes in the table
_SHARES = ("precision", "recall", "f1", "iou", "IoU", "dice", "Dice", "jaccard", "auc", "ap")
_OPEN = 12  # headline numbers: more are folded


def confusions(run: Mapping[str, Any]) -> str:
    """Return the confusion matrix as a heat map, and the pairs that are confused most."""
    content = run.get("confusion") or {}
    names = [str(name) for name in content.get("classes", ())]
    counts = content.get("counts", ())
    if not names:
        return ""
    parts = []
    if len(names) <= _DRAWN:
        said = "Rows are true classes, columns predicted ones; strong is a large share of the row."
        parts.append(element("div", element("p", said, class_="soft") + heat_map(names, counts)))
    pairs = sorted(
        (
            (-value, row, column)
            for row, values in enumerate(counts)
            for column, value in enumerate(values)
            if value and row != column
        )
    )
    if pairs:
        rows = [
            [
                text(names[row]),
                text(names[column]),
                figure(-negative, 1) if isinstance(negative, float) else figure(-negative),
                f"{100 * -negative / sum(counts[row]):.1f} %",
            ]
            for negative, row, column in pairs[:_PAIRS]
        ]
        head = ["true", "predicted", "samples", "of the class"]
        parts.append(element("div", element("h3", "Most confused") + table(head, rows, left=2)))
    return element("h2", "What is taken for what") + element("div", "".join(parts), class_="beside")


def classes(run: Mapping[str, Any]) -> str:
    """Return the numbers of each class, the worst first where there is an F1 or IoU."""
    result = run.get("result") or {}
    records = result.get("per_class") or []
    if len(records) < 2:  # one says what the whole says
        return ""
    keys = list(records[0])
    shares = [key for key in _SHARES if key in keys][:3]
    others = [key for key in keys if key not in ("class", "id", *shares)]
    counted = next((key for key in ("n_truth", "n", "n_samples") if key in others), None)
    numbers = [] if shares else [key for key in others if _is_number(records[0][key])][:8]
    worst = next((key for key in ("f1", "iou", "IoU", "dice") if key in shares), None)
    if worst:
        records = sorted(records, key=lambda each: _value(each.get(worst)))
    columns = ([counted] if counted and shares else []) + numbers
    rows = [
        [
            text(record.get("class", record.get("id", ""))),
            *(figure(record.get(key)) for key in columns),
            *(_bar(record.get(key)) for key in shares),
        ]
        for record in records[:_LISTED]
    ]
    said = {"n_truth": "samples", "n": "samples", "n_samples": "samples"}
    head = [
        "class",
        *(said.get(key) or words(key) for key in columns),
        *(element("th", words(key)) for key in shares),
    ]
    parts = [element("h2", "Each class, the worst first" if worst else "Each class or output")]
    parts.append(table(head, rows))
    if len(records) > _LISTED:
        more = f"… and {len(records) - _LISTED} more: test/result.json has all"
        parts.append(element("p", more, class_="soft"))
    return "".join(parts)


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, (int, float)) and not isinstance(value, bool))


def _value(value: Any) -> float:
    """Return a number to sort by; what is undefined comes last."""
    return float(value) if isinstance(value, (int, float)) and math.isfinite(value) else math.inf


def _bar(value: Any) -> str:
    share = _value(value)
    bar = element("i", style=f"--v:{100 * share:.1f}%") if 0 <= share <= 1 else ""
    return element("td", figure(value) + bar, class_="bar")


def all_metrics(run: Mapping[str, Any]) -> str:
    """Return a table of all numbers of the test with their intervals."""
    result = run.get("result") or {}
    metrics = result.get("metrics") or {}
    if not metrics:
        return ""
    intervals = result.get("intervals") or {}
    reasons = {
        each.get("metric"): each.get("reason", "")
        for each in result.get("undefined") or ()
        if "class" not in each
    }
    rows = []
    for name, value in metrics.items():
        interval = intervals.get(name) or {}
        low, high = interval.get("low"), interval.get("high")
        between = f"{figure(low)} to {figure(high)}" if low is not None else ""
        how = interval.get("method", "") if between else reasons.get(name, "")
        rows.append([words(name), figure(value), between, element("small", text(how))])
    whole = table(["", "value", "interval", ""], rows)
    if len(rows) <= _OPEN:
        return element("h2", "All numbers of the test") + whole
    return element("details", element("summary", f"All {len(rows)} numbers of the test") + whole)


def images(run: Mapping[str, Any]) -> str:
    """Return the test images that went wrong most, with what they are and were taken for."""
    shown: Sequence[Mapping[str, Any]] = run.get("images") or ()
    if not shown:
        return ""
    figures = []
    for each in shown:
        data = base64.b64encode(each["png"]).decode()
        truth, pred = text(each.get("truth", "")), text(each.get("pred", ""))
        said = f"{each.get('truth')} {each.get('id')}"
        picture = element("img", src=f"data:image/png;base64,{data}", alt=said)
        score = each.get("score")
        of = f" {figure(float(score), 2)}" if score is not None else ""
        caption = (
            element("span", truth, class_="truth")
            + " → "
            + element("span", f"{pred}{of}", class_="pred")
            + element("small", text(each.get("id", "")))
        )
        picture = picture.removesuffix("</img>")  # it has no end
        figures.append(element("figure", picture + element("figcaption", caption)))
    said = "Test images that got the least of their true class: true → predicted, and its score."
    return (
        element("h2", "Furthest from the truth")
        + element("p", said, class_="soft")
        + element("div", "".join(figures), class_="images")
    )
