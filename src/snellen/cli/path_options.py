"""Paths that a command writes to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from snellen.cli.written_paths import WrittenPath
from snellen.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["check_folder_of", "json_option", "not_empty"]


def check_folder_of(path: str | None) -> None:
    """Refuse a path, if it is one and not ``-``, that no file can be written to."""
    if path is None or path == "-":
        return
    from pathlib import Path

    folder = Path(path).resolve().parent
    if not folder.is_dir():
        raise InputError("expected a folder to write into, there is none: make it", str(folder))


def not_empty(_: click.Context, __: click.Parameter, path: str | None) -> str | None:
    """Refuse an empty path, as an option's callback."""
    if path == "":
        raise click.BadParameter("expected a path, got nothing")
    return path


def json_option(what: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return the option that writes something as JSON, handed over as `json_path`."""
    return click.option(
        "--json",
        "json_path",
        metavar="PATH|-",
        type=WrittenPath(allow_dash=True, dir_okay=False),
        help=f"Write {what} as JSON; with - to stdout, and nothing else there.",
    )
