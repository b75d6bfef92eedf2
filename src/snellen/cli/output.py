"""What every command that has a result does with it."""

from __future__ import annotations

import contextlib
import functools
import os
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from snellen.cli.beside import Beside, ExampleOptions, Wanted
from snellen.cli.gates import Gate, gates
from snellen.cli.number_types import RealRange
from snellen.cli.page import check_plotly, report_option
from snellen.cli.path_options import check_folder_of, json_option, not_empty
from snellen.cli.recording import recording_of
from snellen.cli.written_paths import WrittenPath, refuse_same
from snellen.errors import InputError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from snellen.cli.picture_folder import PictureFolder
    from snellen.metric import StoredMetric
    from snellen.result import Result
    from snellen.run.recording import Recording

__all__ = [
    "Output",
    "check_folder_of",
    "data_warnings_on_stderr",
    "json_option",
    "not_empty",
    "output_options",
    "quiet_option",
]


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
    report: bool
    examples: ExampleOptions | None
    recording: Recording | None

    @property
    def n_examples(self) -> int:
        """How many images are to be kept."""
        return 0 if self.directory is None else self._wanted().n_examples

    @property
    def wants_examples(self) -> bool:
        """Whether images are to be kept."""
        return self.n_examples > 0

    @property
    def image_folder(self) -> str | None:
        """The folder of image files that was named."""
        return None if self.examples is None else self.examples.images

    def with_images(self, place: str | None) -> Output:
        """Return the same with another folder of image files."""
        return self._replace(examples=(self.examples or ExampleOptions())._replace(images=place))

    def with_images_beside(self, truth: str, *, folder_is_images: bool = False) -> Output:
        """Return the same; where no folder of image files was named, with that beside truth.

        Where truth is a folder, it may be that itself.
        """
        if not self.wants_examples:
            return self
        from snellen.cli.picture_folder import folder_of_images

        return self.with_images(folder_of_images(self.image_folder, truth, itself=folder_is_images))

    def also_reads(
        self, role: str, files: Iterable[str | os.PathLike[str]], *, sizes_only: bool = False
    ) -> None:
        """Take down for ``run.json`` files that are read though nobody named them."""
        if self.recording is not None:
            places = [os.fspath(file) for file in files]
            self.recording.also_read(role, places, sizes_only=sizes_only)

    def _wanted(self) -> Wanted:
        return Wanted.of(self.examples or ExampleOptions(), report=self.report)

    def _files(self) -> tuple[str, ...]:
        """Return the names of the files of a run that lie in its folder itself."""
        return ("run.json", "result.json", "state.bin", *(["report.html"] if self.report else []))

    def check(self, metric: StoredMetric[Result]) -> None:
        """Refuse, before the work is done, what cannot be written or is no number of the metric."""
        check_folder_of(self.json_path)
        folder = self.directory
        refuse_same(files=[] if folder is None else [f"{folder}/{each}" for each in self._files()])
        if folder is not None:
            from pathlib import Path

            from snellen.run.written_run import refuse_other_folder

            refuse_other_folder(Path(folder))
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
        beside: Callable[[Wanted], Beside] | None = None,
        *,
        always_beside: bool = False,
        config: Mapping[str, Any] | None = None,
    ) -> None:
        """Write and print the metric's result; exit with 3 where a gate failed.

        Parameters
        ----------
        metric : StoredMetric
            What was measured with.
        complete : callable
            Adds to the result what was asked for beside it.
        beside : callable, optional
            Gives what a run folder gets beside state and result; called where a page or examples
            are wanted.
        always_beside : bool
            Whether it is called where none are, too.
        config : mapping, optional
            What ``run.json`` says beside the options.
        """
        result = complete(self._with_intervals(metric, metric.compute()))
        if self.directory is not None:
            wanted = self._wanted()
            found = Beside()
            if beside is not None and (always_beside or wanted.states or wanted.n_examples):
                found = beside(wanted)
            self._write_run(metric, result, found, dict(config or {}))
            self._say_what_is_written(found, wanted.images)
        if self.json_path is not None:
            self._write_json(result)
        if not self.quiet and self.json_path != "-":
            click.echo(str(result))
            click.echo()
            click.echo("\n".join([result.composition(), *result.interval_lines()]))
            if self.per_class:
                from snellen.cli.class_table import print_per_class

                print_per_class(result)
        failed = [gate for gate in self.gates if not result.metrics[gate.metric] >= gate.lowest]
        for gate in failed:
            click.echo(f"snellen: {gate.describe(result)}", err=True)
        if failed:
            raise click.exceptions.Exit(3)

    def _with_intervals(self, metric: StoredMetric[Result], result: Result) -> Result:
        """Return the result with confidence intervals, where they are wanted.

        Without a word for or against them: not of detection, where they take as long as
        fifteen evaluations.
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

    def _write_run(
        self,
        metric: StoredMetric[Result],
        result: Result,
        beside: Beside,
        config: dict[str, Any],
    ) -> None:
        from snellen.run.written_run import write_run

        assert self.directory is not None
        assert self.recording is not None
        write_run(
            self.directory,
            record=self.recording.record(metric, result, config),
            metric=metric,
            result=result,
            states=beside.states,
            examples=beside.examples,
            pictures=beside.pictures,
            files=beside.files,
        )
        if self.report:
            from snellen.cli.page import write_page

            write_page(self.directory)

    def _say_what_is_written(self, beside: Beside, images: PictureFolder) -> None:
        if self.quiet:
            return
        if n := len(images.missing):
            click.echo(
                f"snellen: a picture is missing, a grey tile stands for it: {images.missing[0]}"
                if n == 1
                else f"snellen: {n:,} pictures are missing, grey tiles stand for them: the first "
                f"is {images.missing[0]}",
                err=True,
            )
        if beside.files:
            from snellen.readers.message_text import few

            click.echo(f"wrote {few(beside.files, 20)} to {self.directory}", err=True)
        written = "run.json, result.json and state.bin"
        if beside.examples is not None:
            written += f", {len(beside.examples.images):,} examples"
        if self.report:
            written += ", report.html"
        click.echo(f"wrote {written} to {self.directory}", err=True)

    def _write_json(self, result: Result) -> None:
        import msgspec

        from snellen.atomic_files import write_atomically

        text = msgspec.json.format(msgspec.json.encode(result.to_dict()), indent=2) + b"\n"
        if self.json_path == "-":
            click.echo(text, nl=False)
        elif self.json_path is not None:
            write_atomically({self.json_path: text})


quiet_option = click.option("--quiet", is_flag=True, help="Print nothing but errors.")


def output_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of `Output`, and hand it one as `output`."""

    @json_option("the result")
    @click.option(
        "--out",
        "directory",
        metavar="DIR",
        type=WrittenPath(file_okay=False),
        help="Write the run to this folder: run.json, result.json, and state.bin, which snellen "
        "merge, compare and report take.",
    )
    @report_option
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
        "bootstrap. [default: yes, but of detection no: they take as long as fifteen evaluations]",
    )
    @click.option(
        "--level",
        type=RealRange(0, 1, min_open=True, max_open=True),
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
        report: bool,
        examples: ExampleOptions | None = None,
        **arguments: Any,
    ) -> None:
        if directory is None and report:
            raise click.UsageError("expected --out DIR with --report: the page is written there.")
        if examples is not None:
            examples.refuse_unused(directory, report=report)
        if report:
            check_plotly()
        output = Output(
            json_path,
            directory,
            per_class,
            gates,
            quiet,
            Sureness(intervals, level, replicates, seed),
            report,
            examples,
            None if directory is None else recording_of(click.get_current_context()),
        )
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
