"""``snellen merge STATE…``: the number of the whole from the states of its parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from snellen.cli.output import output_options
from snellen.cli.written_paths import refuse_same

if TYPE_CHECKING:
    from collections.abc import Callable

    from snellen.cli.beside import Beside, Wanted
    from snellen.cli.output import Output
    from snellen.metric import StoredMetric
    from snellen.run.examples import Examples
    from snellen.run.stored_run import StoredRun

__all__ = ["merge"]


@click.command()
@click.argument("states", nargs=-1, required=True, type=click.Path(), metavar="STATE…")
@output_options
def merge(states: tuple[str, ...], output: Output) -> None:
    """Give the number of the whole from the states of its parts.

    STATE is the folder of a run, which an evaluation wrote with --out, or its state.bin. The parts
    must have been evaluated under the same rules and share no image. The result is that of one
    evaluation of all parts, to the last bit. With --out what folders have beside it is merged, too:
    further states, and the worst of the images that they kept.
    """
    from snellen.cli.states import files_of_runs
    from snellen.errors import first_few

    _refuse_own_part(output.directory, states)
    refuse_same(read=files_of_runs(states))
    whole, without_events = _merged(states)
    if 0 < len(without_events) < len(states) and not output.quiet:
        click.echo(
            f"snellen: events are left out, {first_few(without_events)} "
            f"{'was' if len(without_events) == 1 else 'were'} evaluated without --events and "
            "--report",
            err=True,
        )
    output.check(whole)
    if output.directory is None:
        output.deliver(whole)
        return
    from snellen.run.merged_run import merged_from

    runs = [_run_of(name) for name in states]
    whole_runs = [run for run in runs if run is not None]

    def beside(wanted: Wanted) -> Beside:
        del wanted  # what was kept is kept
        return _beside(whole_runs, whole, quiet=output.quiet)

    config: dict[str, Any] = {"merged_from": merged_from(runs, states)}
    output.deliver(
        whole,
        beside=beside if len(whole_runs) == len(runs) else None,
        config=config,
        always_beside=True,
    )


def _merged(states: tuple[str, ...]) -> tuple[StoredMetric[Any], list[str]]:
    """Return the metric of all states, and which of those of tracking keep no events."""
    from snellen.cli.states import read_state
    from snellen.errors import MergeError, SnellenError

    whole: Any = read_state(states[0])
    has_events = {states[0]: getattr(whole, "has_events", True)}
    for name in states[1:]:
        part: Any = read_state(name)
        if type(part) is not type(whole):
            raise MergeError(
                f"expected the state of {type(whole).__name__}, as {states[0]} is, got that of "
                f"{type(part).__name__}",
                name,
            )
        has_events[name] = getattr(part, "has_events", True)
        if len(set(has_events.values())) > 1:
            whole, part = whole.without_events(), part.without_events()
        try:
            whole.merge(part)
        except SnellenError as error:
            raise error.within(name) from error
    return whole, [name for name, has in has_events.items() if not has]


def _refuse_own_part(directory: str | None, states: tuple[str, ...]) -> None:
    """Refuse to write the whole over one of its parts: a second merge would count it twice."""
    from pathlib import Path

    from snellen.cli.states import state_file
    from snellen.errors import InputError

    if directory is None:
        return
    written = (Path(directory) / "state.bin").resolve()
    for name in states:
        if written == state_file(name).resolve():
            raise InputError("expected another folder than that of a part: name another", directory)


def _run_of(name: str) -> StoredRun | None:
    """Return the run that a state belongs to; None for a state alone."""
    from pathlib import Path

    from snellen.run.stored_run import StoredRun

    path = Path(name)
    if path.name == "state.bin":
        path = path.parent
    return StoredRun.open(path) if (path / "run.json").is_file() else None


def _beside(runs: list[StoredRun], whole: StoredMetric[Any], *, quiet: bool) -> Beside:
    from snellen.cli.beside import Beside
    from snellen.run.merged_run import merged_examples, merged_states

    found, notes = merged_states(runs)
    if not quiet:
        for note in notes:
            click.echo(f"snellen: {note}", err=True)
    kept = merged_examples(runs, lambda: _anew(whole))
    return Beside(found) if kept is None else Beside(found, kept.examples, kept.pictures)


def _anew(whole: Any) -> Callable[[Examples], Examples] | None:
    """Return what measures the examples of parts by the whole; None where that changes nothing."""
    name = type(whole).__name__
    if name == "AveragePrecision":
        from snellen.report.detection.examples import counted_anew

        return counted_anew(whole)
    if name == "Regression":
        from snellen.report.regression.examples import counted_anew as measured_anew

        return measured_anew(whole.compute())
    return None
