"""How a run of a command comes about, for ``run.json``."""

from __future__ import annotations

import math
import os
import time
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from snellen.metric import StoredMetric
    from snellen.result import Result
    from snellen.run.data_digests import DataSource
    from snellen.run.run_record import RunRecord

__all__ = ["Invocation", "Recording"]

# Options that say where something is written or shown, and nothing of the numbers.
_OF_OUTPUT: Final = frozenset(
    (
        "directory",
        "json_path",
        "quiet",
        "report",
        "per_class",
        "gates",
        "n_examples",
        "image_folder",
    )
)
_WRITTEN: Final = frozenset(("directory", "json_path", "events_path", "tracks_path"))
# Where pictures for pages are: none of it is measured.
_SHOWN: Final = frozenset(("image_folder",))
# Names of something built in, or files.
_MAYBE_FILES: Final = frozenset(("classes", "protocol", "slice_by"))
_MACHINE: Final = ("cpu", "processors", "memory_gib", "system")


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


class Recording:
    """What is known of a run before it is done; digests of what goes in are taken meanwhile.

    Parameters
    ----------
    context : click.Context
        That of the command.
    """

    def __init__(self, context: click.Context) -> None:
        from snellen.run.data_digests import DataDigests

        invocation = context.find_object(Invocation) or Invocation((), time.time())
        self._arguments = invocation.arguments
        self._began = invocation.began
        self._config = dict(_config(context))
        sources = list(_sources(context))
        self._typed = [source.name for source in sources]
        self._named = [os.path.abspath(name) for name in self._typed]  # noqa: PTH100
        self._digests = DataDigests(sources)

    def also_read(self, role: str, files: Iterable[str], *, sizes_only: bool = False) -> None:
        """Take down files that nobody named; of what was named there is a digest already.

        Parameters
        ----------
        role : str
            What they are for.
        files : iterable of str
            The files; some, all or none may lie in what was named.
        sizes_only : bool
            Whether nothing but the sizes of pictures counts, so that they are not read whole.
        """
        from snellen.run.data_digests import DataSource

        others = [file for file in files if not self._is_named(file)]
        if not any(map(os.path.isabs, self._typed)):
            # As what was typed: a folder of a user's has the user's name.
            others = [os.path.relpath(file) for file in others]
        if others:
            self._digests.add(DataSource.of_files(role, others, sizes_only=sizes_only))

    def _is_named(self, file: str) -> bool:
        path = f"{os.path.abspath(file)}/"  # noqa: PTH100
        return any(path.startswith(f"{named.rstrip('/')}/") for named in self._named)

    def record(
        self, metric: StoredMetric[Result], result: Result, config: dict[str, Any]
    ) -> RunRecord:
        """Return how the run came about, now that it has a result.

        Parameters
        ----------
        metric : StoredMetric
            What was measured with.
        result : Result
            What that gave.
        config : dict
            What is to be said beside the options.
        """
        import platform

        import numpy as np

        from snellen import __version__, _core
        from snellen.run.machine import machine
        from snellen.run.run_record import RunRecord

        facts = machine()
        empty: Any = metric.empty()
        units = empty.units() if hasattr(empty, "units") else None
        return RunRecord(
            task=result.task,
            command=["snellen", *map(_plain, self._arguments)] if self._arguments else [],
            began=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self._began)),
            seconds=round(max(0.0, time.time() - self._began), 3),
            config={**self._config, **config},
            versions={
                "snellen": __version__,
                "core": _core.build_description,
                "python": platform.python_version(),
                "numpy": np.__version__,
            },
            machine={name: facts[name] for name in _MACHINE},
            data=self._digests.result(),
            protocol=dict(result.protocol),
            metrics={
                name: float(value) if math.isfinite(value) else None
                for name, value in result.metrics.items()
            },
            headline=[] if units is None else [n for n in units.headline if n in result.metrics],
            lower_is_better=[] if units is None else sorted(units.lower_is_better),
        )


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
    from pathlib import Path

    from snellen.run.data_digests import DataSource

    for parameter in context.command.params:
        name, given = parameter.name or "", context.params.get(parameter.name or "")
        role = name if isinstance(parameter, click.Argument) else parameter.opts[0].lstrip("-")
        if given is None or name in _WRITTEN or name in _SHOWN:
            continue
        if isinstance(parameter.type, click.Path):
            for path in (given,) if isinstance(given, str) else given:
                yield DataSource(role, path)
        elif name in _MAYBE_FILES and isinstance(given, str):
            path = given.rpartition(":")[0] if name == "slice_by" else given
            if path and Path(path).is_file():
                yield DataSource(role, path)
