"""``snellen train``: from a labelled set and a description to a trained, measured network."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import click

from snellen.cli.gates import Gate, gates
from snellen.cli.output import (
    check_folder_of,
    data_warnings_on_stderr,
    json_option,
    not_empty,
    quiet_option,
)
from snellen.cli.page import check_plotly, write_page
from snellen.cli.unused_options import refuse_unused
from snellen.cli.written_paths import WrittenPath, refuse_same

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["description_options", "train"]

# Options that are keys of a description, and what they are.
_KEYS: dict[str, tuple[str, Any, str]] = {
    "data": (
        "NAME|PATH",
        str,
        "fashion-mnist, digits, a folder, a manifest, an .npz, module:function.",
    ),
    "network": (
        "NAME|[LAYERS]",
        str,
        "fc, cnn, resnet_small, …, module:function, timm:NAME, keras:FILE; or layers as in TOML: "
        """'["flatten", {name="linear", out=9}, "relu", "linear"]'.""",
    ),
    "epochs": ("N", int, "How often all samples are gone through."),
    "batch_size": ("N", int, "The samples of one update."),
    "loss": ("NAME", str, "What is minimised."),
    "optimizer": ("NAME", str, "How weights are updated."),
    "learning_rate": ("RATE", float, "The highest one; the schedule takes parts of it."),
    "schedule": ("NAME", str, "constant, cosine, one_cycle, …"),
    "seed": ("N", int, "What all randomness is a function of."),
    "device": ("NAME", str, "auto, cpu, cuda, cuda:1."),
}


def description_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the keys of a description as options, and ``--set``."""
    command = click.option(
        "--set",
        "settings",
        metavar="KEY=VALUE",
        multiple=True,
        help="Any other key, or an option of one: optimizer.momentum=0.9; may be repeated.",
    )(command)
    for name, (metavar, kind, text) in reversed(_KEYS.items()):
        option = f"--{name.replace('_', '-')}"
        command = click.option(option, name, metavar=metavar, type=kind, help=text)(command)
    return command


@click.command()
@click.argument("description", required=False, type=click.Path(dir_okay=False))
@description_options
@click.option(
    "--folds",
    "n_folds",
    type=click.IntRange(min=2),
    metavar="N",
    help="Cross-validate: train N times, each with another fold as the validation part.",
)
@click.option(
    "--out",
    metavar="DIR",
    type=WrittenPath(file_okay=False),
    help="The folder of the run. [default: a new one in runs]",
)
@click.option(
    "--resume",
    metavar="DIR",
    type=click.Path(file_okay=False),
    callback=not_empty,
    help="Go on with the run in this folder, exactly where it stopped.",
)
@click.option(
    "--stop-after",
    metavar="N",
    help="End after so much, with the state saved: 2ep (epochs), 500ba (batches), 0.1dur.",
)
@click.option(
    "--replay",
    metavar="STEP",
    type=click.IntRange(min=1),
    help="Do one step of the run in --resume again, alone, and show it layer by layer.",
)
@click.option(
    "--prove-resume",
    is_flag=True,
    help="Kill this training at several steps, resume it, and compare all weights.",
)
@click.option("--table", "only_table", is_flag=True, help="Show the network, and train nothing.")
@click.option("--strict", is_flag=True, help="Stop at images that cannot be read.")
@click.option(
    "--report",
    is_flag=True,
    help="Write the page report.html of the test part to the folder, too; of --folds to final/.",
)
@json_option("the test part's result")
@click.option(
    "--fail-under",
    "least",
    metavar="METRIC=VALUE",
    callback=gates,
    multiple=True,
    help="Exit with 3 where the test part's metric is below the value; may be repeated.",
)
@quiet_option
def train(
    description: str | None,
    settings: tuple[str, ...],
    n_folds: int | None,
    out: str | None,
    resume: str | None,
    stop_after: str | None,
    replay: int | None,
    prove_resume: bool,
    only_table: bool,
    strict: bool,
    report: bool,
    json_path: str | None,
    least: tuple[Gate, ...],
    quiet: bool,
    **keys: Any,
) -> None:
    """Train a network on labelled data, and measure it.

    DESCRIPTION is a file (TOML, YAML, JSON) with data, network, loss, optimizer, learning rate and
    its schedule, batch size, epochs, …; options go before it. Whatever is not said has a default:

        snellen train --data fashion-mnist --network cnn
    """
    from snellen.training import command

    check_folder_of(json_path)
    refuse_same(read=[] if keys["data"] is None else [keys["data"]])
    if report:
        check_plotly()
    if replay is not None and resume is None:
        raise click.UsageError("expected the run whose step to replay: --resume DIR")
    described = ("description", *_KEYS, "settings", "n_folds", "strict", "resume")
    if only_table:
        refuse_unused("--table", (*described, "only_table", "quiet"))
    if prove_resume:
        refuse_unused("--prove-resume", (*described, "prove_resume", "quiet"))
    if replay is not None:
        refuse_unused("--replay", ("resume", "replay", "quiet"))
    given = {name: value for name, value in keys.items() if value is not None}
    asked = command.asked_description(description, given, settings, resume, n_folds, strict=strict)
    if only_table:
        click.echo(command.table(asked))
        return
    if prove_resume:
        click.echo(command.proof(asked, quiet=quiet))
        return
    if replay is not None and resume is not None:
        click.echo(command.replayed(resume, replay))
        return
    if least:
        command.refuse_unknown(asked, [gate.metric for gate in least])
    folder = command.run_folder(asked, out, resume)
    try:
        with data_warnings_on_stderr(quiet=quiet):
            run = command.trained(
                asked, folder, resume=resume is not None, stop_after=stop_after, quiet=quiet
            )
    except KeyboardInterrupt:
        if not quiet and (how := command.goes_on(folder)):
            click.echo(f"snellen: {how}", err=True)
        raise
    tested = command.tested_folder(run) if report else None
    if tested is not None:
        write_page(tested)
    command.write_json(run, json_path, click.echo)
    if not quiet and json_path != "-":
        click.echo(str(run))
    if not quiet:
        click.echo(command.written(folder), err=True)
    if report and not quiet:
        said = "no report.html: there is no test part"
        click.echo(said if tested is None else f"results: {tested}/report.html", err=True)
    failed = [gate for gate in least if not run.metrics.get(gate.metric, math.nan) >= gate.lowest]
    for gate in failed:
        click.echo(f"snellen: {command.shortfall(run, gate.metric, gate.lowest)}", err=True)
    if failed:
        raise click.exceptions.Exit(3)
