"""How a run comes about, for ``run.json``: noted while it runs."""

from __future__ import annotations

import math
import os
import time
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from snellen.metric import StoredMetric
    from snellen.result import Result
    from snellen.run.data_digests import DataSource
    from snellen.run.run_record import RunRecord

__all__ = ["Origin", "Recording", "seconds_since", "utc_text"]

_MACHINE: Final = ("cpu", "processors", "memory_gib", "system")


class Origin(NamedTuple):
    """Where a run comes from.

    Attributes
    ----------
    command : sequence of str
        As it was typed; empty of a run that is made in Python.
    began : float
        Seconds since the epoch.
    config : mapping
        The options by name, plain values.
    """

    command: Sequence[str]
    began: float
    config: Mapping[str, Any]


class Recording:
    """What is known of a run before it is done; digests of what goes in are taken meanwhile.

    Parameters
    ----------
    origin : Origin
        Where it comes from.
    sources : sequence of DataSource
        What goes in.
    """

    def __init__(self, origin: Origin, sources: Sequence[DataSource]) -> None:
        from snellen.run.data_digests import DataDigests

        self.origin = origin
        self._typed = [source.name for source in sources]
        self._named = [os.path.abspath(name) for name in self._typed]  # noqa: PTH100 - links stay
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
        path = f"{os.path.abspath(file)}/"  # noqa: PTH100 - links stay
        return any(path.startswith(f"{named.rstrip('/')}/") for named in self._named)

    def settle(self) -> None:
        """Wait for the digests: what is timed next has the processor for itself."""
        self._digests.result()

    def record(
        self, metric: StoredMetric[Result], result: Result, config: Mapping[str, Any]
    ) -> RunRecord:
        """Return how the run of a metric came about, now that it has a result.

        Parameters
        ----------
        metric : StoredMetric
            What was measured with.
        result : Result
            What that gave.
        config : mapping
            What is to be said beside the options.
        """
        empty: Any = metric.empty()
        units = empty.units() if hasattr(empty, "units") else None
        return self.record_of(
            result.task,
            protocol=result.protocol,
            metrics=result.metrics,
            headline=[] if units is None else units.headline,
            lower_is_better=[] if units is None else units.lower_is_better,
            neither_is_better=[] if units is None else units.neither_is_better,
            config=config,
        )

    def record_of(
        self,
        task: str,
        *,
        protocol: Mapping[str, Any],
        metrics: Mapping[str, float],
        headline: Iterable[str],
        lower_is_better: Iterable[str],
        neither_is_better: Iterable[str] = (),
        config: Mapping[str, Any],
    ) -> RunRecord:
        """Return how the run came about; see `RunRecord`.

        Parameters
        ----------
        task, protocol, metrics, headline, lower_is_better, neither_is_better
            As in `RunRecord`; of the last three only what `metrics` has is kept.
        config : mapping
            What is to be said beside the options.
        """
        import platform

        import numpy as np

        from snellen import __version__, _core
        from snellen.run.machine import machine
        from snellen.run.run_record import RunRecord

        facts = machine()
        return RunRecord(
            task=task,
            command=list(self.origin.command),
            began=utc_text(self.origin.began),
            seconds=seconds_since(self.origin.began),
            config={**self.origin.config, **config},
            versions={
                "snellen": __version__,
                "core": _core.build_description,
                "python": platform.python_version(),
                "numpy": np.__version__,
            },
            machine={name: facts[name] for name in _MACHINE},
            data=self._digests.result(),
            protocol=dict(protocol),
            metrics={
                name: float(value) if math.isfinite(value) else None
                for name, value in metrics.items()
            },
            headline=[name for name in headline if name in metrics],
            lower_is_better=sorted(name for name in lower_is_better if name in metrics),
            neither_is_better=sorted(name for name in neither_is_better if name in metrics),
        )


def utc_text(moment: float) -> str:
    """Return a moment as ``run.json`` has it.

    Examples
    --------
    >>> utc_text(0.0)
    '1970-01-01T00:00:00Z'
    """
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))


def seconds_since(moment: float) -> float:
    """Return how long ago a moment is; 0 where the clock was put back."""
    return round(max(0.0, time.time() - moment), 3)
