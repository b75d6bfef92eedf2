"""Options of several commands: what files of detection are written in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from snellen.readers.detection_formats import FORMATS

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["FORMATS_OR_AUTO", "format_option"]

FORMATS_OR_AUTO = click.Choice(["auto", *FORMATS])


def format_option(says: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return the option of the format of files, handed over as `written`; its help says whose."""
    return click.option(
        "--format",
        "written",
        type=FORMATS_OR_AUTO,
        default="auto",
        show_default=True,
        help=says,
    )
