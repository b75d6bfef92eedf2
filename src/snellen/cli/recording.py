"""How a run of a command comes about, for ``run.json``."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click

from snellen.cli.written_paths import WrittenPath, named_paths

if TYPE_CHECKING:
    from collections.abc import Iterator

    from snellen.run.data_digests import DataSource
    from snellen.run.recording import Origin, Recording

__all__ = ["Invocation", "origin_of", "recording_of"]

# Options that say where something is written or shown, and nothing of the numbers.
_OF_OUTPUT: Final = frozenset(
    (
        "directory",
        "out",
        "json_path",
        "quiet",
        "report",
        "per_class",
        "gates",
        "least",
        "n_examples",
        "image_folder",
    )
)
# Where pictures for pages are: none of it is measured.
_SHOWN: Final = frozenset(("image_folder",))


class Invocation(NamedTuple):
    """What was typed, and when.

    Attributes
    ----------
    arguments : tuple of str
        What stood behind ``snellen``.
    began : float
        Seconds since the epoch.
    """

    arguments: tuple[str, ...]
    began: float


def origin_of(context: click.Context) -> Origin:
    """Return what was typed, when, and the options with it."""
    from snellen.run.recording import Origin

    typed = context.find_object(Invocation) or Invocation((), time.time())
    command = ["snellen", *map(_plain, typed.arguments)] if typed.arguments else []
    return Origin(command, typed.began, dict(_config(context)))


def recording_of(context: click.Context) -> Recording:
    """Return what is noted of the run of a command, whose options name what goes in."""
    from snellen.run.recording import Recording

    return Recording(origin_of(context), list(_sources(context)))


def _config(context: click.Context) -> Iterator[tuple[str, Any]]:
    """Give the options of a command by the names that are typed, as plain values."""
    for parameter in context.command.params:
        name = parameter.name or ""
        if isinstance(parameter, click.Option) and name not in _OF_OUTPUT:
            yield parameter.opts[0].lstrip("-"), _plain(context.params.get(name))


def _plain(value: Any) -> Any:
    """Return a value as JSON can hold it."""
    if isinstance(value, str):
        from snellen.run.run_record import plain_text

        return plain_text(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return value if value is None or isinstance(value, (bool, int)) else _plain(str(value))


def _sources(context: click.Context) -> Iterator[DataSource]:
    """Give the files and folders that the command reads, by what they are for."""
    from snellen.run.data_digests import DataSource

    for parameter, path in named_paths(context):
        name = parameter.name or ""
        role = name if isinstance(parameter, click.Argument) else parameter.opts[0].lstrip("-")
        if not isinstance(parameter.type, WrittenPath) and name not in _SHOWN:
            yield DataSource(role, path)
