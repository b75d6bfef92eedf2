"""A benchmark as text: two tables, and in words what follows from them."""

from __future__ import annotations

import math
import textwrap
from typing import TYPE_CHECKING, Any, NamedTuple

from snellen.benchmark.result_rows import FPS_KINDS
from snellen.table_text import aligned_lines, number, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from snellen.benchmark.result import BenchmarkResult
    from snellen.statistics.comparison_result import Comparison, Difference

__all__ = ["benchmark_text", "claimed", "magnitude", "probability", "shortened", "three_digits"]

_WIDE = 120
_NAME = 16  # what a name gets at least
_LONG = 40  # what it gets in a sentence
_SHOWN = 8  # lines of one kind
_NAMED = 4  # networks in a sentence
_ALL_CLAIMS = 10  # pairs: of more only what concerns the best is said


_SPEEDS = (
    "images/s: from files to scores, all at work at once; read to infer: milliseconds that an "
    "image takes; alone: images/s of the network itself at its best batch size; p50 to p99: "
    "milliseconds, one image at a time"
)


class _Column(NamedTuple):
    head: str
    cells: list[str]
    needed: bool = True  # or left out where a table is too wide


def benchmark_text(result: BenchmarkResult) -> str:
    """Return the table of quality, that of speed, the front, the claims and the notes."""
    rows = result.table()
    n, n_classes = len(result.ids), len(result.classes)
    lines = [
        f"{n:,} images of {n_classes:,} classes, {_counted(len(rows), 'network')}; the best top-1 "
        "accuracy first"
    ]
    names = [_marked(each, many=len(rows) > 1) for each in rows]
    lines += ["", *_table(names, _quality(rows, result.level))]
    lines += ["precision, recall and F1 are means over the classes"]
    speeds = _speed(rows)
    if speeds:
        lines += ["", *_table(names, speeds), *_wrapped(_SPEEDS)]
    lines += [""]
    for each in _conclusions(result):
        lines += _wrapped(printable(each))
    return "\n".join(lines)


def shortened(name: str, room: int) -> str:
    """Return a name in so many characters: what is cut is its middle, for names differ at the end.

    Examples
    --------
    >>> shortened("keras_applications_efficientnet_b0", 16)
    'keras_a…ntnet_b0'
    """
    if len(name) <= room:
        return name
    end = room // 2
    return f"{name[: room - end - 1]}…{name[len(name) - end :]}"


def three_digits(value: Any) -> str:
    """Return a number with three digits, or the whole number; what is undefined is a dash.

    Examples
    --------
    >>> [three_digits(each) for each in (0.01234, 1.5, 15.25, 1234.5, float("nan"), None)]
    ['0.0123', '1.50', '15.2', '1,234', '-', '-']
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "-"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    if abs(value) >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}" if abs(value) >= 1 or not value else f"{value:#.3g}"


def magnitude(value: Any, *, binary: bool = False) -> str:
    """Return a large count with a letter for its size; what is unknown is a dash.

    Examples
    --------
    >>> magnitude(950), magnitude(25_557_032), magnitude(3 * 2**30, binary=True), magnitude(None)
    ('950', '25.6 M', '3.00 GiB', '-')
    """
    if value is None:
        return "-"
    step, letters = (1024, ("B", "KiB", "MiB", "GiB", "TiB")) if binary else (1000, " kMGT")
    size = 0
    shown = float(value)
    while shown >= 999.5 and size < 4:
        shown, size = shown / step, size + 1
    digits = f"{value:,}" if not size else three_digits(shown)
    return f"{digits} {letters[size]}".rstrip()


def claimed(result: BenchmarkResult) -> list[str]:
    """Return in words what may be claimed of accuracies; of many networks, of the best."""
    comparison = result.comparison
    pairs = comparison.differences
    if len(pairs) <= _ALL_CLAIMS:
        return [_claim(comparison, each) for each in pairs]
    sure = sum(comparison.is_significant(each) for each in pairs)
    with_best = [each for each in pairs if each.first == comparison.names[0]]
    best = shortened(printable(comparison.names[0]), _LONG)
    alike = [
        shortened(printable(each.second), _LONG)
        for each in with_best
        if not comparison.is_significant(each)
    ]
    worse = len(with_best) - len(alike)
    level = f"{100 * (1 - comparison.level):g} %"
    said = [
        f"{sure:,} of {len(pairs):,} pairs differ in accuracy (McNemar's exact test, adjusted by "
        f"Holm over all pairs; {level})",
        f"{best} is better than {_counted(worse, 'other')}",
    ]
    if alike:
        said.append(f"no difference in accuracy can be claimed between {best} and {_listed(alike)}")
    return said


def _claim(comparison: Comparison, found: Difference) -> str:
    """Return what may be claimed of a pair; the first is as good as the second, or better."""
    sure = (
        f"{number(max(0.0, -found.difference))}; {100 * comparison.level:g} % interval "
        f"{number(-found.interval.high)} to {number(-found.interval.low)}; "
        f"adjusted p = {probability(found.adjusted_p)}"
    )
    first, second = (shortened(printable(name), _LONG) for name in (found.first, found.second))
    if comparison.is_significant(found):
        return f"{first} is better than {second} by {sure}"
    return f"no difference between {first} and {second} can be claimed ({sure})"


def probability(p: float) -> str:
    """Return a p-value as it is written.

    Examples
    --------
    >>> probability(0.03125), probability(3.2e-9), probability(1.0)
    ('0.0312', '3.2e-09', '1.0000')
    """
    if p < 1e-300:
        return "0"
    return f"{p:.1e}" if p < 0.0001 else f"{p:.4f}"


def _marked(row: Mapping[str, Any], *, many: bool) -> tuple[str, str]:
    marks = ("*" if row["on_front"] and many else "") + ("~" if row["noisy"] else "")
    return printable(row["name"]), marks


def _table(names: Sequence[tuple[str, str]], columns: Sequence[_Column]) -> list[str]:
    """Return aligned lines no wider than `_WIDE`: columns that are not needed go, names are cut."""
    marks = max(len(mark) for _, mark in names)
    beside = marks + 2 if marks else 0

    def left(chosen: Sequence[_Column]) -> int:
        widths = (2 + max(len(each.head), *map(len, each.cells)) for each in chosen)
        return _WIDE - beside - sum(widths)

    chosen = [each for each in columns if any(cell != "-" for cell in each.cells)]
    wanted = min(max(len(name) for name, _ in names), 2 * _NAME)
    while left(chosen) < wanted and not all(each.needed for each in chosen):
        last = max(k for k, each in enumerate(chosen) if not each.needed)
        chosen = chosen[:last] + chosen[last + 1 :]
    room = max(_NAME, left(chosen))
    head = ["", *([""] if marks else []), *(each.head for each in chosen)]
    body = [
        [shortened(name, room), *([mark] if marks else []), *cells]
        for (name, mark), *cells in zip(names, *(each.cells for each in chosen), strict=True)
    ]
    return aligned_lines([head, *body], left=2 if marks else 1)


def _quality(rows: Sequence[Mapping[str, Any]], level: float) -> list[_Column]:
    def shares(key: str) -> list[str]:
        return [number(float(each[key])) for each in rows]

    between = [
        "-"
        if math.isnan(each["top1_low"])
        else f"{number(each['top1_low'])} to {number(each['top1_high'])}"
        for each in rows
    ]
    return [
        _Column("top-1", shares("top1")),
        _Column(f"{100 * level:g} % interval", between),
        _Column("top-5", shares("top5")),
        _Column("precision", shares("precision_macro")),
        _Column("recall", shares("recall_macro")),
        _Column("F1", shares("f1_macro")),
        _Column("ReaL", shares("real_top1")),
        _Column("log loss", shares("log_loss"), needed=False),
        _Column("ECE", shares("ece"), needed=False),
    ]


def _speed(rows: Sequence[Mapping[str, Any]]) -> list[_Column]:
    """Return the columns of speed; nothing where no network was timed."""

    def of(key: str, shown: Callable[[Any], str] = three_digits) -> list[str]:
        return [shown(each[key]) for each in rows]

    best = [
        "-"
        if math.isnan(each["best_fps"])
        else f"{three_digits(each['best_fps'])} @{each['best_batch']}"
        for each in rows
    ]
    columns = [
        _Column("images/s", of("end_to_end_fps")),
        _Column("read", of("read_ms"), needed=False),
        _Column("decode", of("decode_ms")),
        _Column("resize", of("preprocess_ms")),
        _Column("infer", of("inference_ms")),
        _Column("alone, @batch", best),
        _Column("p50", of("latency_p50_ms")),
        _Column("p90", of("latency_p90_ms"), needed=False),
        _Column("p99", of("latency_p99_ms")),
    ]
    if all(cell == "-" for each in columns for cell in each.cells):
        return []
    return [
        *columns,
        _Column("weights", of("parameters", magnitude)),
        _Column("MACs", of("macs", magnitude)),
        _Column("memory", of("memory_host_peak", _bytes), needed=False),
        _Column("of GPU", of("memory_device_peak", _bytes), needed=False),
    ]


def _bytes(value: Any) -> str:
    return magnitude(value, binary=True)


def _conclusions(result: BenchmarkResult) -> list[str]:
    lines = []
    if result.fps_kind and len(result.models) > 1:
        lines += [
            "* on the front: no network is as accurate and faster, or as fast and more accurate "
            f"({FPS_KINDS[result.fps_kind]})"
        ]
    lines += claimed(result)
    noisy = [(each.name, each.noise()) for each in result.ranked if each.noise()]
    if noisy:
        lines += [f"~ noisy: the speed of {_counted(len(noisy), 'network')} cannot be believed"]
        lines += _few(
            [
                f"  {name}: {'; '.join(said[:2])}"
                + (f"; and {len(said) - 2} more" if len(said) > 2 else "")
                for name, said in noisy
            ]
        )
    notes = [*result.notes]
    notes += [f"{each.name}: {said}" for each in result.ranked for said in each.notes]
    if result.left_out:
        name, reason = result.left_out[0]
        notes.append(
            f"{_counted(len(result.left_out), 'image')} left out: {name}: {reason}"
            + (" …" if len(result.left_out) > 1 else "")
        )
    return [*lines, *_few([f"note: {each}" for each in notes])]


def _wrapped(line: str) -> list[str]:
    begin = line[: len(line) - len(line.lstrip())]
    return textwrap.wrap(
        line, _WIDE, initial_indent="", subsequent_indent=f"{begin}  ", break_long_words=False
    )


def _few(lines: Sequence[str]) -> list[str]:
    if len(lines) <= _SHOWN:
        return list(lines)
    return [*lines[: _SHOWN - 1], f"  … and {len(lines) - _SHOWN + 1} more in the page and JSON"]


def _counted(n: int, what: str) -> str:
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def _listed(names: Sequence[str]) -> str:
    if len(names) > _NAMED:
        return f"{', '.join(names[: _NAMED - 1])} and {len(names) - _NAMED + 1} others"
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
