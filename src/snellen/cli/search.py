"""``snellen search``: the best values of a description's keys."""

from __future__ import annotations

from typing import Any

import click

from snellen.cli.output import check_folder_of, json_option, not_empty, quiet_option
from snellen.cli.train import description_options
from snellen.cli.written_paths import WrittenPath, refuse_same

__all__ = ["search"]


@click.command()
@click.argument("description", required=False, type=click.Path(dir_okay=False))
@description_options
@click.option(
    "--over",
    metavar="KEY=LOW..HIGH[:log]|VALUE,VALUE…",
    multiple=True,
    help="A key, or an option of one, and what it may be: learning_rate=1e-4..1e-1:log, "
    "batch_size=64,128, network.hidden.0=32..512; may be repeated.",
)
@click.option(
    "--trials",
    "n_trials",
    type=int,
    metavar="N",
    help="How many trainings there are in all. [default: 20]",
)
@click.option(
    "--prune/--no-prune",
    default=None,
    help="Stop trials that are worse than half of the others were by then. [default: yes]",
)
@click.option(
    "--out",
    metavar="DIR",
    type=WrittenPath(file_okay=False),
    help="The folder of the search. [default: search]",
)
@click.option(
    "--resume",
    metavar="DIR",
    type=click.Path(file_okay=False),
    callback=not_empty,
    help="Go on with the search in this folder; with more --trials, beyond its end.",
)
@json_option("the trials")
@quiet_option
def search(
    description: str | None,
    settings: tuple[str, ...],
    over: tuple[str, ...],
    n_trials: int | None,
    prune: bool | None,
    out: str | None,
    resume: str | None,
    json_path: str | None,
    quiet: bool,
    **keys: Any,
) -> None:
    """Find the best learning rate, batch size, width, … by the validation part.

    DESCRIPTION and its options are those of `snellen train`; each trial trains it with other values
    of the keys in --over. The best one is written to best.toml, which `snellen train` reads. The
    test part is not touched.

        snellen search --data digits --network fc --over learning_rate=1e-4..1e-1:log
    """
    from snellen.training import search_command

    check_folder_of(json_path)
    folder = resume or out or search_command.FOLDER
    refuse_same(files=[f"{folder}/best.toml"])
    try:
        found = search_command.searched(
            description,
            {name: value for name, value in keys.items() if value is not None},
            settings,
            over,
            n_trials=n_trials,
            out=out,
            resume=resume,
            prune=prune,
            echo=None if quiet else lambda line: click.echo(line, err=True),
        )
    except KeyboardInterrupt:
        if not quiet:
            click.echo(f"snellen: snellen search --resume {folder} goes on", err=True)
        raise
    search_command.write_search(found, json_path, click.echo)
    if not quiet and json_path != "-":
        click.echo(f"{found}\n\n{found.toml()}", nl=False)
        click.echo(f"wrote {folder}/best.toml", err=True)
