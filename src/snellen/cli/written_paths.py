"""Paths that a command writes to: files of their own, which it does not read."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["WrittenPath", "named_paths", "refuse_same"]

# Names of something built in, or files.
_MAYBE_FILES: Final = frozenset(("classes", "protocol"))


class WrittenPath(click.Path):
    """The type of an option or argument that names what is written; all others name what is read.

    ``-`` is stdout where `allow_dash` says so, and refused elsewhere: nobody means a file of that
    name.
    """

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path; refuse none, and ``-`` where that is not stdout."""
        if value == "":
            self.fail("expected a path, got nothing", param, ctx)
        if value == "-" and not self.allow_dash:
            self.fail(
                'expected a path, stdout is none here (a file of that name is "./-")', param, ctx
            )
        return super().convert(value, param, ctx)


def refuse_same(
    *,
    files: Iterable[str | os.PathLike[str]] = (),
    read: Iterable[str | os.PathLike[str]] = (),
) -> None:
    """Refuse a command that would write over what it reads, or two things to one file.

    Paths are those of the running command's parameters: what is a `WrittenPath` is written, any
    other ``click.Path`` read. They are compared where links lead. Folders, devices and pipes may be
    named twice.

    Parameters
    ----------
    files : iterable of path
        What is written beside those, such as the files of a folder that was named.
    read : iterable of path
        What is read beside those.

    Raises
    ------
    click.UsageError
        With both names of the file.
    """
    is_read = {os.path.realpath(path): os.fspath(path) for path in read}
    written: list[tuple[str, str]] = []
    for parameter, path in named_paths(click.get_current_context()):
        if isinstance(parameter.type, WrittenPath):
            written.append((_called(parameter), path))
        else:
            is_read[os.path.realpath(path)] = _called(parameter)
    written += [(os.fspath(path), os.fspath(path)) for path in files]
    is_written: dict[str, str] = {}
    for name, path in written:
        place = os.path.realpath(path)
        if path == "-" or _is_no_file(place):
            continue
        if place in is_read:
            raise click.UsageError(
                f"expected another path for {name} than for {is_read[place]}, which it would "
                f"overwrite - at {path}"
            )
        if place in is_written:
            raise click.UsageError(
                f"expected {is_written[place]} and {name} in files of their own - at {path}"
            )
        is_written[place] = name


def _is_no_file(place: str) -> bool:
    """Return whether a folder, a device or a pipe is there."""
    return os.path.exists(place) and not os.path.isfile(place)  # noqa: PTH110, PTH113 - pathlib takes time


def named_paths(context: click.Context) -> Iterator[tuple[click.Parameter, str]]:
    """Give the parameters of the command that name paths, with each path."""
    for parameter in context.command.params:
        name, given = parameter.name or "", context.params.get(parameter.name or "")
        if given is None:
            continue
        if isinstance(parameter.type, click.Path):
            for path in (given,) if isinstance(given, str) else given:
                yield parameter, path
        elif name == "slice_by" or (name in _MAYBE_FILES and isinstance(given, str)):
            for text in (given,) if isinstance(given, str) else given:
                path = text.rpartition(":")[0] if name == "slice_by" else text
                if path and os.path.isfile(path):  # noqa: PTH113 - pathlib takes time
                    yield parameter, path


def _called(parameter: click.Parameter) -> str:
    """Return what a user calls it."""
    if isinstance(parameter, click.Option):
        return max(parameter.opts, key=len)
    return parameter.human_readable_name
