"""What every command that has a result does with it."""

from __future__ import annotations

import contextlib
import functools
import math
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from snellen.errors import InputError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from snellen.metric import StoredMetric
    from snellen.result import Result

__all__ = [
    "Gate",
    "Output",
    "check_folder_of",
    "data_warnings_on_stderr",
    "gates",
    "json_option",
    "not_empty",
    "output_options",
    "print_per_class",
    "quiet_option",
]


class Gate(NamedTuple):
    """A lowest acceptable value of a headline number."""

    metric: str
    lowest: float

    def describe(self, result: Result) -> str:
        """Return what the number is, and what it was to be."""
        value = result.metrics[self.metric]
        if not math.isnan(value):
            return f"{self.metric} is {value:.6g}, below {self.lowest:g}"
        (reason,) = [entry.reason for entry in result.undefined if entry.metric == self.metric]
        return f"{self.metric} is undefined ({reason}), to be at least {self.lowest:g}"


def gates(_: click.Context, __: click.Parameter, texts: tuple[str, ...]) -> tuple[Gate, ...]:
    """Read lowest values of numbers, as an option's callback."""
    found = []
    for text in texts:
        name, _equals, number = text.partition("=")
        try:
            lowest = float(number)
        except ValueError:
            lowest = math.nan
        if not name or math.isnan(lowest):
            raise click.BadParameter(
                f'expected a metric and a number, such as AP=0.40; got "{text}"'
            )
        found.append(Gate(name, lowest))
    return tuple(found)


class Sureness(NamedTuple):
    """Whether and how confidence intervals are computed; None: as the task does."""

    wanted: bool | None
    level: float
    replicates: int | None
    seed: int


class Output(NamedTuple):
    """Where a result goes, what it must reach, and whether it says how sure it is."""

    json_path: str | None
    directory: str | None
    per_class: bool
    gates: tuple[Gate, ...]
    quiet: bool
    sureness: Sureness

    def check(self, metric: StoredMetric[Result]) -> None:
        """Refuse, before the work is done, what cannot be written or is no number of the metric."""
        check_folder_of(self.json_path)
        if not self.gates:
            return

        known = metric.empty().compute().metrics
        for gate in self.gates:
            if gate.metric not in known:
                raise click.UsageError(
                    f'expected a metric of {", ".join(known)}, got "{gate.metric}".'
                    f"{did_you_mean(gate.metric, known)}"
                )

    def deliver(
        self,
        metric: StoredMetric[Result],
        complete: Callable[[Result], Result] = lambda result: result,
    ) -> None:
        """Write and print the metric's result; exit with 3 where a gate failed.

        `complete` adds to the result what was asked for beside it.
        """
        result = complete(self._with_intervals(metric, metric.compute()))
        if self.directory is not None or self.json_path is not None:
            self._write(metric, result)
        if not self.quiet and self.json_path != "-":
            click.echo(str(result))
            click.echo()
            click.echo("\n".join([result.composition(), *result.interval_lines()]))
            if self.per_class:
                print_per_class(result)
        failed = [gate for gate in self.gates if not result.metrics[gate.metric] >= gate.lowest]
        for gate in failed:
            click.echo(f"snellen: {gate.describe(result)}", err=True)
        if failed:
            raise click.exceptions.Exit(3)

    def _with_intervals(self, metric: StoredMetric[Result], result: Result) -> Result:
        """Return the result with confidence intervals, where they are wanted.

        Without a word for or against them: not of detection, where they take as long as a
        thousand evaluations.
        """
        import dataclasses

        wanted, level, replicates, seed = self.sureness
        if wanted is None:
            wanted = result.task != "detection"
        if not wanted or not hasattr(metric, "units"):
            return result
        from snellen.statistics.bootstrap import intervals

        resampled: Any = metric
        try:
            found = intervals(resampled, level=level, replicates=replicates, seed=seed)
        except InputError as error:
            # A state whose units cannot be resampled (sets of labels with weights) has numbers
            # all the same; who asked for intervals is told that there are none.
            if self.sureness.wanted:
                raise
            if not self.quiet:
                click.echo(f"snellen: no intervals: {error}", err=True)
            return result
        return dataclasses.replace(result, intervals=found)

    def _write(self, metric: StoredMetric[Result], result: Result) -> None:
        from pathlib import Path

        import msgspec

        from snellen.result import write_atomically

        text = msgspec.json.format(msgspec.json.encode(result.to_dict()), indent=2) + b"\n"
        if self.directory is not None:
            folder = Path(self.directory)
            folder.mkdir(parents=True, exist_ok=True)
            write_atomically(
                {folder / "state.bin": metric.to_bytes(), folder / "result.json": text}
            )
            if not self.quiet:
                click.echo(f"wrote result.json and state.bin to {folder}", err=True)
        if self.json_path == "-":
            click.echo(text, nl=False)
        elif self.json_path is not None:
            write_atomically({self.json_path: text})


def check_folder_of(path: str | None) -> None:
    """Refuse a path, if it is one and not ``-``, that no file can be written to."""
    if path is None or path == "-":
        return
    from pathlib import Path

    folder = Path(path).resolve().parent
    if not folder.is_dir():
        raise InputError("expected a folder to write into, there is none: make it", str(folder))


def not_empty(_: click.Context, __: click.Parameter, path: str | None) -> str | None:
    """Refuse an empty path, as an option's callback."""
    if path == "":
        raise click.BadParameter("expected a path, got nothing")
    return path


quiet_option = click.option("--quiet", is_flag=True, help="Print nothing but errors.")


def json_option(what: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return the option that writes something as JSON, handed over as `json_path`."""
    return click.option(
        "--json",
        "json_path",
        metavar="PATH|-",
        type=click.Path(allow_dash=True, dir_okay=False),
        callback=not_empty,
        help=f"Write {what} as JSON; with - to stdout, and nothing else there.",
    )


def output_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of `Output`, and hand it one as `output`."""

    @json_option("the result")
    @click.option(
        "--out",
        "directory",
        metavar="DIR",
        type=click.Path(file_okay=False),
        callback=not_empty,
        help="Write result.json and state.bin (for snellen merge) to this folder.",
    )
    @click.option("--per-class", is_flag=True, help="Print the numbers of each class, too.")
    @click.option(
        "--fail-under",
        "gates",
        metavar="METRIC=VALUE",
        callback=gates,
        multiple=True,
        help="Exit with 3 where the metric is below the value or undefined; may be repeated.",
    )
    @click.option(
        "--intervals/--no-intervals",
        default=None,
        help="Confidence intervals of the headline numbers: Wilson's of proportions, else by "
        "bootstrap. [default: yes, but of detection no: they take a thousand evaluations]",
    )
    @click.option(
        "--level",
        type=click.FloatRange(0, 1, min_open=True, max_open=True),
        default=0.95,
        show_default=True,
        help="The confidence of intervals.",
    )
    @click.option(
        "--replicates",
        type=click.IntRange(10, 10_000_000),
        help="How many data sets the bootstrap draws. [default: 1000; 200 of more than 100,000 "
        "samples]",
    )
    @click.option(
        "--seed",
        type=click.IntRange(min=0),
        default=0,
        show_default=True,
        help="Of the bootstrap; the same seed gives the same intervals everywhere.",
    )
    @quiet_option
    @functools.wraps(command)
    def with_output(
        json_path: str | None,
        directory: str | None,
        per_class: bool,
        gates: tuple[Gate, ...],
        quiet: bool,
        intervals: bool | None,
        level: float,
        replicates: int | None,
        seed: int,
        **arguments: Any,
    ) -> None:
        sureness = Sureness(intervals, level, replicates, seed)
        output = Output(json_path, directory, per_class, gates, quiet, sureness)
        command(output=output, **arguments)

    return with_output


@contextlib.contextmanager
def data_warnings_on_stderr(*, quiet: bool) -> Iterator[None]:
    """Print warnings about data as one line each."""
    import warnings

    from snellen.errors import DataWarning

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", DataWarning)
        try:
            yield
        finally:
            for warning in caught:
                if not quiet:
                    click.echo(f"snellen: warning: {warning.message}", err=True)


def print_per_class(result: Result) -> None:
    """Print the numbers of each class as a table."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    records = result.per_class()
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in records[0] if records else ():
        table.add_column(column, justify="left" if column == "class" else "right", no_wrap=True)
    for record in records:
        table.add_row(*(_cell(value) for value in record.values()))
    console = Console(highlight=False, emoji=False)
    # Redirected output has no width to fit into: rows stay whole.
    if not console.is_terminal:
        console.width = 10_000
    console.print(table)


def _cell(value: object) -> str:
    from rich.markup import escape

    if isinstance(value, float):
        return "-" if math.isnan(value) else f"{value:.3f}"
    # Names come from data: what would move the cursor or break the row is shown as its escape.
    return escape("".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(value)))
