"""``snellen inspect``: what happens inside a network while it learns."""

from __future__ import annotations

from typing import Any

import click

from snellen.cli.output import check_folder_of, json_option, not_empty, quiet_option
from snellen.cli.train import description_options
from snellen.cli.unused_options import refuse_unused
from snellen.cli.written_paths import WrittenPath, refuse_same

__all__ = ["inspect"]

_LOOKS = ("follow", "gradients", "first-loss", "overfit", "rates", "layers")


def _looks(_: click.Context, __: click.Parameter, text: str | None) -> tuple[str, ...]:
    """Read names with commas."""
    if text is None:
        return _LOOKS
    names = tuple(part.strip() for part in text.split(","))
    unknown = [name for name in names if name not in _LOOKS]
    if unknown:
        raise click.BadParameter(f'expected {", ".join(_LOOKS)}, got "{unknown[0]}"')
    return names


@click.command()
@click.argument("description", required=False, type=click.Path(dir_okay=False))
@description_options
@click.option(
    "--run",
    "folder",
    metavar="DIR",
    type=click.Path(file_okay=False),
    callback=not_empty,
    help="The trained network of this run, in place of fresh weights.",
)
@click.option(
    "--look",
    "looks",
    metavar="NAME[,NAME…]",
    callback=_looks,
    help="follow (one batch, layer by layer), gradients (against finite differences), first-loss, "
    "overfit (one batch), rates (learning-rate range), layers (dead units, vanishing and exploding "
    "gradients). [default: all]",
)
@click.option(
    "--steps",
    type=click.IntRange(min=1),
    default=60,
    show_default=True,
    help="The updates over which layers are watched.",
)
@click.option(
    "--descent",
    "problems",
    metavar="NAME",
    multiple=True,
    help="Draw gradient descent on a problem of two parameters instead (all: every problem); may "
    "be repeated.",
)
@click.option(
    "--out",
    metavar="PATH",
    type=WrittenPath(dir_okay=False),
    help="Write everything as one HTML page.",
)
@json_option("the numbers")
@quiet_option
def inspect(
    description: str | None,
    settings: tuple[str, ...],
    folder: str | None,
    looks: tuple[str, ...],
    steps: int,
    problems: tuple[str, ...],
    out: str | None,
    json_path: str | None,
    quiet: bool,
    **keys: Any,
) -> None:
    """Look inside a network: one batch layer by layer, gradients, rates, units.

    DESCRIPTION and its options are those of `snellen train`. Nothing is trained to stay.

        snellen inspect --data fashion-mnist --network cnn --out inside.html
    """
    from snellen.training import command, inspect_command

    if problems:
        refuse_unused("--descent", ("problems", "out", "json_path", "quiet"))
    elif "layers" not in looks:
        every = (str(each.name) for each in click.get_current_context().command.params)
        refuse_unused(f"--look {','.join(looks)}", frozenset(every) - {"steps"})
    check_folder_of(json_path)
    check_folder_of(out)
    refuse_same()
    if problems:
        looked = inspect_command.descents(problems)
    else:
        given = {name: value for name, value in keys.items() if value is not None}
        asked = command.asked_description(description, given, settings, folder, None, strict=False)
        looked = inspect_command.looked_inside(asked, looks, steps=steps, folder=folder)
    looked.write(out, json_path, click.echo)
    if not quiet and json_path != "-":
        click.echo(looked.text)
        if out is not None:
            click.echo(f"wrote {out}", err=True)
