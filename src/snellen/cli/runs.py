"""``snellen runs DIR``: which runs there are, and their main numbers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import click

from snellen.cli.output import check_folder_of, json_option, quiet_option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from snellen.run.run_listing import ListedRun

__all__ = ["runs"]

_MAIN = 3  # numbers of a row


@click.command()
@click.argument("directory", type=click.Path(exists=True, file_okay=False), metavar="DIR")
@click.option(
    "--sort",
    default="name",
    show_default=True,
    metavar="METRIC|began|name",
    help="By a number, the best first (the least, where neither more nor less is better); by when "
    "they began, the newest first; or by name.",
)
@click.option("--task", metavar="TASK", help="Only runs of this task, such as detection.")
@json_option("the list")
@quiet_option
def runs(directory: str, sort: str, task: str | None, json_path: str | None, quiet: bool) -> None:
    """List the runs in DIR and below.

    A run is a folder that an evaluation wrote with --out, or that of a training or of a benchmark.
    What cannot be read is said on stderr, and the rest is listed.
    """
    from snellen.run.run_listing import BrokenRun, ListedRun, listed_runs

    check_folder_of(json_path)
    found: list[ListedRun] = []
    broken: list[BrokenRun] = []
    for each in listed_runs(directory):
        if isinstance(each, ListedRun):
            found.append(each)
        else:
            broken.append(each)
    tasks = sorted({run.task for run in found})
    if task is not None:
        found = [run for run in found if run.task == task]
        if not found and tasks:
            click.echo(f"snellen: no run of {task} among those of {', '.join(tasks)}", err=True)
    found = _sorted(found, sort)
    if json_path is not None:
        _write_json(found, broken, json_path)
    if not quiet:
        for each in broken:
            click.echo(f"snellen: {each.name}: {each.reason}", err=True)
    if not quiet and json_path != "-":
        click.echo("\n".join(_table(found, sort)) if found else f"no runs in {directory}")


def _sorted(found: list[ListedRun], sort: str) -> list[ListedRun]:
    if sort == "name":
        return sorted(found, key=lambda run: run.name)
    if sort == "began":
        return sorted(found, key=lambda run: run.began, reverse=True)
    known = dict.fromkeys(name for run in found for name in run.metrics)
    if sort not in known and found:
        from snellen.errors import did_you_mean, first_few

        names = [*known, "began", "name"]
        # Runs of several tasks have more numbers than anybody reads.
        main = dict.fromkeys(name for run in found for name in run.headline if name in known)
        raise click.UsageError(
            f"expected began, name or a number of the runs ({first_few(list(main or known))}) with "
            f'--sort, got "{sort}".{did_you_mean(sort, names)}'
        )

    # One way for all: runs of earlier releases do not say it of every number.
    upwards = any(sort in (*run.lower_is_better, *run.neither_is_better) for run in found)

    def key(run: ListedRun) -> tuple[bool, float]:
        value = run.metrics.get(sort)
        if value is None:
            return True, 0.0
        return False, value if upwards else -value

    return sorted(found, key=key)


def _table(found: Sequence[ListedRun], sort: str) -> list[str]:
    from snellen.table_text import aligned_lines, printable

    rows = [["run", "task", "began", "data", "protocol", "numbers"]]
    rows += [
        [
            printable(run.name, 60),
            f"{run.task} ({run.kind})" if run.kind == "training" else run.task,
            run.began.removesuffix("Z").replace("T", " ")[:16] or "-",
            printable(_data(run), 40) or "-",
            printable(run.protocol, 24) or "-",
            _numbers(run, sort) or "-",
        ]
        for run in found
    ]
    return aligned_lines(rows, left=6)


def _data(run: ListedRun) -> str:
    """Return the last two parts of the path of truth, which name it as a rule."""
    names = [each.name for each in run.data if each.role in ("truth", "data")]
    if names:
        return "/".join(names[0].replace("\\", "/").rstrip("/").split("/")[-2:])
    merged = sum(each.role == "states" for each in run.data)
    return f"{merged} merged states" if merged else ""


def _numbers(run: ListedRun, first: str) -> str:
    from snellen.table_text import printable

    shown = [name for name in run.headline if name in run.metrics] or list(run.metrics)
    if first in run.metrics:
        shown = [first, *(name for name in shown if name != first)]
    said = "  ".join(f"{name} {_number(run.metrics[name])}" for name in shown[:_MAIN])
    return f"{printable(run.metrics_of, 30)}: {said}" if said and run.metrics_of else said


def _number(value: float | None) -> str:
    if value is None or not math.isfinite(value):
        return "-"
    return f"{value:.4f}" if abs(value) < 1000 else f"{value:.6g}"


def _write_json(found: Sequence[ListedRun], broken: Sequence[Any], path: str) -> None:
    import msgspec

    from snellen.atomic_files import write_atomically

    content = {
        "schema": "snellen.runs/1",
        "runs": [msgspec.structs.asdict(run) for run in found],
        "broken": [msgspec.structs.asdict(run) for run in broken],
    }
    text = msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n"
    if path == "-":
        click.echo(text, nl=False)
    else:
        write_atomically({path: text})
