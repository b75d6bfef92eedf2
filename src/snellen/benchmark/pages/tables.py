"""The tables of a benchmark's page: how good networks are, and how fast."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from snellen.benchmark.grouped_table import shortened
from snellen.benchmark.quantities import byte_size, magnitude, three_digits
from snellen.benchmark.result_rows import time_units
from snellen.report.charts import range_bar
from snellen.report.markup import element, figure, text

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from snellen.benchmark.result import BenchmarkResult

__all__ = ["quality_table", "short", "speed_table"]

_NAME = 44
_IN_TABLE = 26
_BARS = 12  # networks: of more, intervals are not drawn


class _Column(NamedTuple):
    head: str
    key: str
    shown: Callable[[Any], str]
    best: Callable[..., float] | None  # max, min, or none of them is the best
    title: str = ""
    to: str = ""  # where a range ends


def short(name: str, room: int = _NAME) -> str:
    """Return a name as text of a page, its middle cut out where it is long."""
    return text(shortened(name, room))


def quality_table(result: BenchmarkResult) -> str:
    """Return the table of quality; a click on a heading sorts."""
    rows = result.table()
    level = 100 * result.level
    columns = [
        _Column("top-1", "top1", figure, max, "share of images whose class is predicted"),
        _Column(
            f"{level:g} % interval", "top1_low", figure, None, "of top-1 (Wilson)", "top1_high"
        ),
        _Column("top-5", "top5", figure, max, "share whose class is among the five best"),
        _Column("precision", "precision_macro", figure, max, "mean over classes"),
        _Column("recall", "recall_macro", figure, max, "mean over classes"),
        _Column("F1", "f1_macro", figure, max, "mean over classes"),
        _Column("ReaL top-1", "real_top1", figure, max, "any of several right classes counts"),
        _Column("ReaL top-5", "real_top5", figure, max, "any of several right classes counts"),
        _Column("log loss", "log_loss", figure, min, "mean of −ln p of the true class"),
        _Column("ECE", "ece", figure, min, "how far confidence is from accuracy"),
        _Column("balanced", "balanced_accuracy", figure, max, "mean recall of present classes"),
        _Column("weighted precision", "precision_weighted", figure, max, "classes by their images"),
        _Column("weighted recall", "recall_weighted", figure, max, "classes by their images"),
        _Column("weighted F1", "f1_weighted", figure, max, "classes by their images"),
    ]
    said = (
        "Click a heading to sort. The best of each column is green; a dot marks the front. "
        "Precision, recall and F1 are means over the classes; weighted, each class counts as often "
        "as it has images."
    )
    return (
        element("h2", "How good")
        + element("p", said, class_="soft")
        + _sortable(rows, columns, drawn=("top1",) if len(rows) <= _BARS else (), by="top1")
    )


def speed_table(result: BenchmarkResult) -> str:
    """Return the table of speeds and sizes; nothing where nothing is known of them."""
    rows = result.table()
    sizes = [key for key in rows[0] if key.startswith("fps_batch_")]
    split, one = time_units(rows)

    def in_split(ms: float) -> str:
        return split.shown(ms / 1000)

    def of_one(ms: float) -> str:
        return one.shown(ms / 1000)

    columns = [
        _Column("images/s", "end_to_end_fps", three_digits, max, "from files to scores"),
        _Column(f"read {split.name}", "read_ms", in_split, None, "of a thread, for an image"),
        _Column(f"decode {split.name}", "decode_ms", in_split, None, "of a thread, for an image"),
        _Column(f"resize {split.name}", "preprocess_ms", in_split, None, "and scale, of a thread"),
        _Column(f"infer {split.name}", "inference_ms", in_split, None, "of the network"),
        *(
            _Column(
                f"at {key.removeprefix('fps_batch_')}",
                key,
                three_digits,
                max,
                "images per second of the network alone, with batches of this size",
            )
            for key in sizes
        ),
        _Column(f"p50 {one.name}", "latency_p50_ms", of_one, min, "one image: half are faster"),
        _Column(f"p90 {one.name}", "latency_p90_ms", of_one, min, "one image: 9 of 10 are faster"),
        _Column(f"p99 {one.name}", "latency_p99_ms", of_one, min, "one image: 99 of 100 are"),
        _Column("weights", "parameters", magnitude, min, "and biases"),
        _Column("MACs", "macs", magnitude, min, "multiplications with additions for an image"),
        _Column("file", "file_bytes", byte_size, min),
        _Column("memory", "memory_host_peak", byte_size, min, "the most that its process had"),
        _Column("of GPU", "memory_device_peak", byte_size, min, "the most that its process had"),
    ]
    known = [each for each in columns if any(_number(row[each.key]) is not None for row in rows)]
    if not known:
        return ""
    said = (
        "images/s is from files to scores, all at work at once, and read to infer is what an image "
        "takes there; “at 32” is images/s of the network alone, on batches of 32 that lie ready; "
        "p50 to p99 is one image at a time. Speeds with a ~ are noisy."
    )
    return (
        element("h2", "How fast, how large")
        + element("p", said, class_="soft")
        + _sortable(rows, known, noise=True)
        + _noise(result)
    )


def _sortable(
    rows: Sequence[Mapping[str, Any]],
    columns: Sequence[_Column],
    drawn: Collection[str] = (),
    *,
    by: str = "",
    noise: bool = False,
) -> str:
    """Return a table that sorts, now by a column, with bars in some; with noise, ~ is said."""
    known = [each for each in columns if any(_number(row[each.key]) is not None for row in rows)]
    best = {}
    for each in known:
        there = [value for row in rows if (value := _number(row[each.key])) is not None]
        if each.best is not None and len(set(there)) > 1:
            best[each.key] = each.best(there)
    head = [element("th", "network", scope="col", data_first="ascending")]
    for each in known:
        first = "ascending" if each.best is min else "descending"
        head.append(
            element(
                "th",
                text(each.head),
                class_="n",
                scope="col",
                title=each.title or None,
                aria_sort="descending" if each.key == by else None,
                data_first=first,
            )
        )
    body = []
    for row in rows:
        said = f"{row['name']}: {row['source']}"
        sign = " ~" if noise and row["noisy"] else ""
        cells = [element("td", short(row["name"], _IN_TABLE) + sign, title=said)]
        for each in known:
            value = _number(row[each.key])
            mark = "n best" if value is not None and value == best.get(each.key) else "n"
            content = text(each.shown(row[each.key]))
            if each.to and value is not None:
                content += f" – {text(each.shown(row[each.to]))}"
            if each.key in drawn and value is not None and not math.isnan(row["top1_low"]):
                content += range_bar(value, row["top1_low"], row["top1_high"])
            cells.append(
                element("td", content, class_=mark, data_v="NaN" if value is None else repr(value))
            )
        body.append(element("tr", "".join(cells), class_="front" if row["on_front"] else None))
    table = element(
        "table",
        element("thead", element("tr", "".join(head))) + element("tbody", "".join(body)),
        class_="sortable",
    )
    return element("div", table, class_="scroll", tabindex="0")


def _number(value: Any) -> float | None:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    return float(value)


def _noise(result: BenchmarkResult) -> str:
    noisy = [(each.name, each.noise()) for each in result.ranked if each.noise()]
    if not noisy:
        return ""
    items = "".join(
        element("li", f"{element('b', short(name))}: {text('; '.join(said))}")
        for name, said in noisy
    )
    heading = element(
        "summary", f"Noisy: the speed of {len(noisy)} cannot be believed", class_="noisy"
    )
    return element("details", heading + element("ul", items), open="" if len(noisy) <= 6 else None)
