"""The tables of a benchmark's page: how good networks are, and how fast."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from snellen.benchmark.result_text import magnitude, shortened, three_digits
from snellen.report.charts import range_bar
from snellen.report.markup import element, figure, text

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from snellen.benchmark.result import BenchmarkResult

__all__ = ["quality_table", "short", "speed_table"]

_NAME = 44
_IN_TABLE = 30
_BARS = 12  # networks: of more, intervals are not drawn


class _Column(NamedTuple):
    head: str
    key: str
    shown: Callable[[Any], str]
    best: Callable[..., float] | None  # max, min, or none of them is the best
    title: str = ""


def short(name: str, room: int = _NAME) -> str:
    """Return a name as text of a page, its middle cut out where it is long."""
    return text(shortened(name, room))


def quality_table(result: BenchmarkResult) -> str:
    """Return the table of quality; a click on a heading sorts."""
    rows = result.table()
    level = 100 * result.level
    columns = [
        _Column("top-1", "top1", figure, max, "share of images whose class is predicted"),
        _Column(f"{level:g} % from", "top1_low", figure, None, "interval of top-1"),
        _Column("to", "top1_high", figure, None, "interval of top-1"),
        _Column("top-5", "top5", figure, max, "share whose class is among the five best"),
        _Column("precision", "precision_macro", figure, max, "mean over classes"),
        _Column("recall", "recall_macro", figure, max, "mean over classes"),
        _Column("F1", "f1_macro", figure, max, "mean over classes"),
        _Column("F1 weighted", "f1_weighted", figure, max, "mean over images"),
        _Column("balanced", "balanced_accuracy", figure, max, "mean recall of present classes"),
        _Column("ReaL top-1", "real_top1", figure, max, "any of several right classes counts"),
        _Column("ReaL top-5", "real_top5", figure, max, "any of several right classes counts"),
        _Column("log loss", "log_loss", figure, min, "mean of −ln p of the true class"),
        _Column("ECE", "ece", figure, min, "how far confidence is from accuracy"),
    ]
    said = (
        "Click a heading to sort. The best of each column is green; a dot marks the front. "
        "Precision, recall and F1 are means over the classes."
    )
    return (
        element("h2", "How good")
        + element("p", said, class_="soft")
        + _sortable(rows, columns, drawn=("top1",) if len(rows) <= _BARS else ())
    )


def speed_table(result: BenchmarkResult) -> str:
    """Return the table of speeds and sizes; nothing where nothing is known of them."""
    rows = result.table()
    sizes = [key for key in rows[0] if key.startswith("fps_batch_")]
    columns = [
        _Column("images/s", "end_to_end_fps", three_digits, max, "from files to scores"),
        _Column("read", "read_ms", three_digits, None, "milliseconds of a thread for an image"),
        _Column("decode", "decode_ms", three_digits, None, "milliseconds of a thread for an image"),
        _Column("resize", "preprocess_ms", three_digits, None, "milliseconds of a thread, scaled"),
        _Column("infer", "inference_ms", three_digits, None, "milliseconds of the network"),
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
        _Column("p50 ms", "latency_p50_ms", three_digits, min, "one image: half are faster"),
        _Column("p90 ms", "latency_p90_ms", three_digits, min, "one image: nine of ten are faster"),
        _Column("p99 ms", "latency_p99_ms", three_digits, min, "one image: 99 of 100 are faster"),
        _Column("weights", "parameters", magnitude, min, "and biases"),
        _Column("MACs", "macs", magnitude, min, "multiplications with additions for an image"),
        _Column("file", "file_bytes", _bytes, min),
        _Column("memory", "memory_host_peak", _bytes, min, "the most that its process had"),
        _Column("of GPU", "memory_device_peak", _bytes, min, "the most that its process had"),
    ]
    known = [each for each in columns if any(_number(row[each.key]) is not None for row in rows)]
    if not known:
        return ""
    said = (
        "read to infer are milliseconds of an image, all at work at once; “at 32” is the network "
        "alone, on batches of 32 that lie ready; p50 to p99 is one image at a time."
    )
    return (
        element("h2", "How fast, how large")
        + element("p", said, class_="soft")
        + _sortable(rows, known)
        + _noise(result)
    )


def _sortable(
    rows: Sequence[Mapping[str, Any]],
    columns: Sequence[_Column],
    drawn: Collection[str] = (),
) -> str:
    known = [each for each in columns if any(_number(row[each.key]) is not None for row in rows)]
    best = {}
    for each in known:
        there = [value for row in rows if (value := _number(row[each.key])) is not None]
        if each.best is not None and len(rows) > 1:
            best[each.key] = each.best(there)
    head = [element("th", "network", data_first="ascending")]
    for each in known:
        first = "ascending" if each.best is min else "descending"
        head.append(
            element("th", text(each.head), class_="n", title=each.title or None, data_first=first)
        )
    body = []
    for row in rows:
        said = f"{row['name']}: {row['source']}"
        cells = [element("td", short(row["name"], _IN_TABLE), title=said)]
        for each in known:
            value = _number(row[each.key])
            mark = "n best" if value is not None and value == best.get(each.key) else "n"
            content = text(each.shown(row[each.key]))
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


def _bytes(value: Any) -> str:
    return magnitude(value, binary=True)


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
