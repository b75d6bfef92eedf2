"""``run.json``: how a run came about, in plain values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from snellen.errors import InputError, SchemaError, StateVersionError, did_you_mean

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "SCHEMA",
    "DataDigest",
    "RunRecord",
    "checked_schema",
    "kind_of_task",
    "plain_text",
    "read_struct",
    "schema_error",
]

SCHEMA: Final = "snellen.run/1"

S = TypeVar("S", bound=msgspec.Struct)


class DataDigest(msgspec.Struct, frozen=True, omit_defaults=True):
    """What went into a run, so that it can be told from other data.

    Attributes
    ----------
    role : str
        What it was for: ``"truth"``, ``"predictions"``, ``"classes"``.
    name : str
        The path, as it was typed.
    bytes : int
        The size of the file, of a folder that of all its files.
    sha256 : str
        The digest in hexadecimal; empty where there is none: what is no file (a pipe), or gone.
    files : int
        How many files a folder holds; 0 of a file.
    of : {"content", "names and sizes"}
        What the digest is of. That of a file is of its content, that of a folder of the lines
        ``path NUL size NUL digest of the content`` of its files in order; where it holds so much
        that reading it would take longer than the evaluation, of ``path NUL size``.
    """

    role: str
    name: str
    bytes: int = 0
    sha256: str = ""
    files: int = 0
    of: str = "content"


class RunRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What ``run.json`` holds.

    No name of a host or of a user is in it, unless it is part of a path that was typed.

    Attributes
    ----------
    schema : str
        ``"snellen.run/1"``.
    task : str
        The task, as the command line calls it; ``"benchmark"`` of a benchmark.
    command : list of str
        The command as it was typed; empty for a run that was made in Python.
    began : str
        When, in UTC: ``"2026-11-30T10:27:03Z"``; empty where unknown.
    seconds : float
        How long it took.
    config : dict
        The options by name, with those that were not given.
    versions : dict of str to str
        Of Snellen, its core's build, Python and NumPy; of a benchmark also of what ran networks.
    machine : dict
        What decides the speed of a machine.
    data : list of DataDigest
        What went in.
    protocol : dict
        The rules of the evaluation; of a benchmark how speed was measured.
    metrics : dict of str to (float or None)
        The headline numbers; None where undefined. Of a benchmark those of its best network.
    headline : list of str
        Those that runs are told apart by.
    lower_is_better : list of str
        Those of which less is better: losses and errors.
    neither_is_better : list of str
        Those of which neither more nor less is better: signed errors, sizes of data.
    """

    schema: str = SCHEMA
    task: str
    command: list[str] = []
    began: str = ""
    seconds: float = 0.0
    config: dict[str, Any] = {}
    versions: dict[str, str] = {}
    machine: dict[str, Any] = {}
    data: list[DataDigest] = []
    protocol: dict[str, Any] = {}
    metrics: dict[str, float | None] = {}
    headline: list[str] = []
    lower_is_better: list[str] = []
    neither_is_better: list[str] = []

    def to_bytes(self) -> bytes:
        """Return the content of the file."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n"


def kind_of_task(task: str) -> str:
    """Return what came about in a folder whose ``run.json`` is of a task."""
    return "benchmark" if task == "benchmark" else "evaluation"


def plain_text(text: str) -> str:
    r"""Return a text with the bytes of a path that are no text shown as their escapes.

    Examples
    --------
    >>> plain_text("p\udcffrt")
    'p\\udcffrt'
    """
    return text.encode("utf-8", "backslashreplace").decode()


class _Named(msgspec.Struct):
    schema: str


def checked_schema(found: str, known: str, place: str) -> None:
    """Refuse the content of a file that this release does not know.

    Parameters
    ----------
    found, known : str
        Its schema, such as ``"snellen.run/2"``, and the newest one that is known.
    place : str
        The file.

    Raises
    ------
    StateVersionError
        Where it is a later version of the known one.
    SchemaError
        Where it is something else.
    """
    if found == known:
        return
    name, _, newest = known.rpartition("/")
    of, _, version = found.rpartition("/")
    if of == name and version.isdecimal() and int(version) > int(newest):
        raise StateVersionError(
            f'expected schema "{known}", got "{found}", which a newer release of Snellen wrote: '
            "update Snellen, or evaluate again",
            place,
        )
    raise SchemaError(
        f'expected schema "{known}", got "{found[:80]}".{did_you_mean(found, [known])}', place
    )


def schema_error(error: msgspec.ValidationError, known: str, place: str) -> SchemaError:
    """Return what is wrong with the content of a file, and where in it."""
    message, _, within = str(error).partition(" - at ")
    message = message.replace("`", "")
    return SchemaError(
        f"expected {known}, got another content: {message[:1].lower()}{message[1:]}",
        f"{place} {within.strip('`')}".rstrip(),
    )


def read_struct(path: Path, kind: type[S], known: str, *, at_most: int) -> S:
    """Return what a JSON file of a run folder holds.

    Parameters
    ----------
    path : Path
        The file.
    kind : type
        What it is to be.
    known : str
        Its schema.
    at_most : int
        How many bytes it may have: what is larger is not ours.

    Raises
    ------
    InputError
        Where it cannot be read.
    SchemaError, StateVersionError
        Where it is something else, or of a newer release.
    """
    try:
        size = path.stat().st_size
        if size > at_most:
            raise SchemaError(
                f"expected at most {at_most >> 20} MiB, got {size / 2**20:.0f} MiB", str(path)
            )
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"expected a readable file, got: {error.strerror}", str(path)) from error
    try:
        # Of another version other fields are wrong as well: the version is what is to be said.
        checked_schema(msgspec.json.decode(data, type=_Named).schema, known, str(path))
        return msgspec.json.decode(data, type=kind)
    except msgspec.ValidationError as error:
        raise schema_error(error, known, str(path)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SchemaError(f"expected JSON, got: {error}", str(path)) from None
