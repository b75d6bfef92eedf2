"""A benchmark as text: two tables, and in words what follows from them."""

from __future__ import annotations

import math
import textwrap
from typing import TYPE_CHECKING, Any

from snellen.benchmark.claims import claims, counted, listed
from snellen.benchmark.grouped_table import BEST, WIDE, Column, grouped_table
from snellen.benchmark.quantities import byte_size, magnitude, three_digits
from snellen.benchmark.result_rows import FPS_KINDS, time_units
from snellen.table_text import number, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from snellen.benchmark.result import BenchmarkResult

__all__ = ["benchmark_text"]

_SHOWN = 8  # lines of one kind
_PHASES = {"read": "read", "decode": "decode", "preprocess": "resize", "inference": "infer"}
_LATENCY = ("p50", "p90", "p99")
_SPEEDS = (
    "images/s from files to scores, all at work at once, and what an image takes there, of one "
    "thread; the network alone on batches that lie ready, at its best size of batches; latency: "
    "one image at a time"
)


def benchmark_text(result: BenchmarkResult) -> str:
    """Return the table of quality, that of speed, the front, the claims and the notes."""
    rows = result.table()
    n, n_classes = len(result.ids), len(result.classes)
    head = f"{n:,} images of {n_classes:,} classes, {counted(len(rows), 'network')}"
    lines = [f"{head}; the best top-1 accuracy first" if len(rows) > 1 else head]
    names = [_named(each, many=len(rows) > 1) for each in rows]
    lines += ["", *grouped_table(names, _quality(rows, result.level))]
    speeds = _speed(rows)
    if speeds:
        names = [_named(each, many=len(rows) > 1, noise=True) for each in rows]
        lines += ["", *grouped_table(names, speeds), *_wrapped(_SPEEDS)]
    lines += [""]
    if any(BEST in line for line in lines):
        lines.append(f"{BEST} the best of its column")
    for each in _conclusions(result):
        lines += _wrapped(printable(each))
    return "\n".join(lines)


def _named(row: Mapping[str, Any], *, many: bool, noise: bool = False) -> tuple[str, str]:
    signs = ("*" if row["on_front"] and many else "") + ("~" if row["noisy"] and noise else "")
    return printable(row["name"]), signs


def _column(
    head: str,
    rows: Sequence[Mapping[str, Any]],
    key: str,
    shown: Callable[[Any], str],
    best: Callable[..., float] | None = None,
    group: str = "",
    *,
    needed: bool = True,
) -> Column:
    """Return a column of the table; the best is marked where there is a worse one."""
    values = [math.nan if each[key] is None else float(each[key]) for each in rows]
    there = {value for value in values if not math.isnan(value)}
    top = best(there) if best is not None and len(there) > 1 else math.nan
    return Column(
        head,
        [shown(each[key]) for each in rows],
        group,
        needed,
        [value == top for value in values],
    )


def _quality(rows: Sequence[Mapping[str, Any]], level: float) -> list[Column]:
    between = [
        "-"
        if math.isnan(each["top1_low"])
        else f"{number(each['top1_low'])} to {number(each['top1_high'])}"
        for each in rows
    ]
    means = "means over classes"
    return [
        _column("top-1", rows, "top1", number, max),
        Column(f"{100 * level:g} % interval", between),
        _column("top-5", rows, "top5", number, max),
        _column("precision", rows, "precision_macro", number, max, means),
        _column("recall", rows, "recall_macro", number, max, means),
        _column("F1", rows, "f1_macro", number, max, means),
        _column("ReaL", rows, "real_top1", number, max),
        _column("log loss", rows, "log_loss", number, min, needed=False),
        _column("ECE", rows, "ece", number, min, needed=False),
    ]


def _speed(rows: Sequence[Mapping[str, Any]]) -> list[Column]:
    """Return the columns of speed; nothing where no network was timed."""
    of_image, of_one = time_units(rows)
    columns = [_column("images/s", rows, "end_to_end_fps", three_digits, max)]
    columns += [
        _column(
            name,
            rows,
            f"{phase}_ms",
            lambda ms: of_image.shown(ms / 1000),
            group=f"{of_image.name} of an image",
            needed=phase != "read",
        )
        for phase, name in _PHASES.items()
    ]
    alone = "network alone"
    columns += [
        _column("images/s", rows, "best_fps", three_digits, max, alone),
        _column("batch", rows, "best_batch", magnitude, None, alone),
    ]
    columns += [
        _column(
            name,
            rows,
            f"latency_{name}_ms",
            lambda ms: of_one.shown(ms / 1000),
            min,
            f"latency, {of_one.name}",
            needed=name != "p90",
        )
        for name in _LATENCY
    ]
    if all(cell == "-" for each in columns for cell in each.cells):
        return []
    return [
        *columns,
        _column("weights", rows, "parameters", magnitude, min),
        _column("MACs", rows, "macs", magnitude, min),
        _column("memory", rows, "memory_host_peak", byte_size, min, needed=False),
        _column("of GPU", rows, "memory_device_peak", byte_size, min, needed=False),
    ]


def _conclusions(result: BenchmarkResult) -> list[str]:
    lines = []
    if result.fps_kind and len(result.models) > 1:
        lines.append(
            "* on the front: no network is as accurate and faster, or as fast and more accurate "
            f"({FPS_KINDS[result.fps_kind]})"
        )
    lines += _noise(result)
    found = claims(result.comparison)
    if found is not None:
        lines += [found.rule, *(f"  {each}" for each in found.sentences)]
    notes = [f"note: {each}" for each in _notes(result)]
    if result.left_out:
        name, reason = result.left_out[0]
        more = " …" if len(result.left_out) > 1 else ""
        notes.append(
            f"note: {counted(len(result.left_out), 'image')} left out: {name}: {reason}{more}"
        )
    return [*lines, *_few(notes)]


def _noise(result: BenchmarkResult) -> list[str]:
    noisy = [(each.name, each.noise()) for each in result.ranked if each.noise()]
    if not noisy:
        return []
    said = [
        f"  {name}: {'; '.join(why[:2])}" + (f"; and {len(why) - 2} more" if why[2:] else "")
        for name, why in noisy
    ]
    head = f"~ noisy: the speed of {counted(len(noisy), 'network')} cannot be believed"
    return [head, *_few(said)]


def _notes(result: BenchmarkResult) -> list[str]:
    """Return what people should know; what is said of several networks is said once."""
    everyone = len(result.models)
    return [
        *result.notes,
        *(
            f"{'all networks' if 1 < len(names) == everyone else listed(names)}: {note}"
            for note, names in result.model_notes.items()
        ),
    ]


def _wrapped(line: str) -> list[str]:
    begin = line[: len(line) - len(line.lstrip())]
    return textwrap.wrap(line, WIDE, subsequent_indent=f"{begin}  ", break_long_words=False)


def _few(lines: Sequence[str]) -> list[str]:
    if len(lines) <= _SHOWN:
        return list(lines)
    return [*lines[: _SHOWN - 1], f"  … and {len(lines) - _SHOWN + 1} more in the page and JSON"]
