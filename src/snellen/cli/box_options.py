"""Options of several commands: what the numbers of boxes are, where files do not say it."""

from __future__ import annotations

import click

__all__ = ["box_option", "relative_option"]

box_option = click.option(
    "--box",
    # The names are repeated here because importing them would import NumPy; a test compares.
    type=click.Choice(["xyxy", "xywh", "cxcywh"]),
    help="What the four numbers of boxes in texts and tables are, where it does not show.",
)

relative_option = click.option(
    "--relative/--absolute",
    default=None,
    help="Boxes in texts and tables are parts of the images' sizes, or pixels. [default: parts, "
    "where all are from 0 to 1]",
)
