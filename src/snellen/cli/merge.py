"""``snellen merge STATE…``: the number of the whole from the states of its parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from snellen.cli.output import output_options

if TYPE_CHECKING:
    from snellen.cli.output import Output

__all__ = ["merge"]


@click.command()
@click.argument("states", nargs=-1, required=True, type=click.Path(), metavar="STATE…")
@output_options
def merge(states: tuple[str, ...], output: Output) -> None:
    """Give the number of the whole from the states of its parts.

    STATE is a state.bin that an evaluation wrote with --out, or the folder that holds it. The
    parts must have been evaluated under the same rules and share no image. The result is that of
    one evaluation of all parts, to the last bit.
    """
    from snellen.cli.states import read_state
    from snellen.errors import MergeError, SnellenError

    whole = None
    for name in states:
        part = read_state(name)
        if whole is not None and type(part) is not type(whole):
            raise MergeError(
                f"expected the state of a {type(whole).__name__}, as {states[0]} is, got that of a "
                f"{type(part).__name__}",
                name,
            )
        try:
            whole = part if whole is None else whole.merge(part)
        except SnellenError as error:
            raise error.within(name) from error
    if whole is not None:
        output.check(whole)
        output.deliver(whole)
