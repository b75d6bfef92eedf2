"""``snellen compare A B…``: whether one run is really better than another."""

from __future__ import annotations

from typing import Any

import click

from snellen.cli.number_types import RealRange
from snellen.cli.output import check_folder_of, json_option, quiet_option
from snellen.cli.written_paths import refuse_same

__all__ = ["compare"]


@click.command()
@click.argument("runs", nargs=-1, required=True, type=click.Path(), metavar="A B…")
@click.option("--names", metavar="NAME,…", help="What to call the runs. [default: their folders]")
@click.option(
    "--metric",
    "metrics",
    multiple=True,
    metavar="METRIC",
    help="Compare this number; may be repeated. [default: the main ones of the task]",
)
@click.option(
    "--level",
    type=RealRange(0, 1, min_open=True, max_open=True),
    default=0.95,
    show_default=True,
    help="The confidence of intervals; tests are of size one less it.",
)
@click.option(
    "--replicates",
    type=click.IntRange(10, 10_000_000),
    default=1000,
    show_default=True,
    help="Of the paired bootstrap and of the permutation test; many tests need many.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of both.")
@click.option("--per-class", is_flag=True, help="Compare the main number of each class, too.")
@click.option(
    "--fail-if-worse",
    multiple=True,
    metavar="METRIC",
    help="Exit with 3 where a later run is significantly worse than the first in this number.",
)
@json_option("the comparison")
@quiet_option
def compare(
    runs: tuple[str, ...],
    names: str | None,
    metrics: tuple[str, ...],
    level: float,
    replicates: int,
    seed: int,
    per_class: bool,
    fail_if_worse: tuple[str, ...],
    json_path: str | None,
    quiet: bool,
) -> None:
    """Say whether one run is really better than another.

    Each run is a state.bin that an evaluation wrote with --out, or the folder that holds it; all
    must be of the same data. Differences come with a confidence interval (paired bootstrap) and a
    p-value (permutation test; for accuracy McNemar's exact test), corrected for their number
    (Holm), and in words with what may be claimed.
    """
    from snellen.atomic_files import write_atomically
    from snellen.cli.states import files_of_runs, read_state
    from snellen.errors import InputError
    from snellen.run.run_names import names_of_paths
    from snellen.statistics import compare as compare_runs

    if len(runs) < 2:
        raise click.UsageError("expected at least two runs to compare, got one.")
    called = names_of_paths(runs) if names is None else names.split(",")
    if len(called) != len(runs) or len(set(called)) != len(called):
        raise click.UsageError(f"expected {len(runs)} different names, got {','.join(called)}.")
    check_folder_of(json_path)
    refuse_same(read=files_of_runs(runs))
    found: Any = [read_state(run) for run in runs]
    for run, metric in zip(runs, found, strict=True):
        if not hasattr(metric, "units"):
            raise InputError(
                f"expected runs that keep their units, a {type(metric).__name__} does not", run
            )
    wanted = list(metrics)
    if fail_if_worse and not wanted:
        wanted = list(found[0].units().headline)
    wanted += [name for name in fail_if_worse if name not in wanted]
    try:
        result = compare_runs(
            *found,
            names=called,
            metrics=wanted or None,
            per_class=per_class,
            level=level,
            replicates=replicates,
            seed=seed,
        )
    except InputError as error:
        if error.place == "metrics":
            raise click.UsageError(error.message) from error
        raise
    undirected = [name for name in fail_if_worse if name in result.neither_is_better]
    if undirected:
        raise click.UsageError(
            "expected a number of which more or less is better with --fail-if-worse, got "
            f"{undirected[0]}."
        )
    if json_path is not None:
        import msgspec

        text = msgspec.json.format(msgspec.json.encode(result.to_dict()), indent=2) + b"\n"
        if json_path == "-":
            click.echo(text, nl=False)
        else:
            write_atomically({json_path: text})
    if not quiet and json_path != "-":
        click.echo(str(result))
        if result.class_differences:
            click.echo(f"\n{result.class_table()}")
    worse = [
        each
        for each in result.differences
        if each.metric in fail_if_worse
        and each.first == called[0]
        and result.better(each) == called[0]
    ]
    for each in worse:
        click.echo(
            f"snellen: {each.second} is worse than {each.first} in {each.metric}: "
            f"{each.value_second:.6g} against {each.value_first:.6g}",
            err=True,
        )
    if worse:
        raise click.exceptions.Exit(3)
