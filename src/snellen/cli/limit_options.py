"""Options of several commands: how many threads work, how large an image may be."""

from __future__ import annotations

import click

__all__ = ["max_pixels_option", "threads_option"]

threads_option = click.option(
    "--threads",
    type=click.IntRange(min=1, max=4096),
    help="Number of threads; it never changes a number. [default: one a processor]",
)

max_pixels_option = click.option(
    "--max-pixels",
    type=click.IntRange(min=1),
    metavar="N",
    help="Read images of up to N pixels. [default: 178,956,970]",
)
