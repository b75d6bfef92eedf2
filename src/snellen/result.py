"""What every result can do."""

from __future__ import annotations

import dataclasses
import math
from abc import abstractmethod
from typing import TYPE_CHECKING, Any, NamedTuple

from snellen.errors import MissingExtraError, did_you_mean
from snellen.presented import Presented

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping
    from pathlib import Path

    from typing_extensions import Self

    from snellen.displays import Display
    from snellen.displays.tables import TextTable

__all__ = [
    "Interval",
    "Result",
    "Undefined",
    "plain_intervals",
    "stored_intervals",
    "write_atomically",
]

SCHEMA = "snellen.result/1"


class Undefined(NamedTuple):
    """A value that is NaN, and why.

    Attributes
    ----------
    metric : str
        The name of the value.
    reason : str
        Why it is not defined.
    class_name : str or None
        The class whose value it is; None for a value over all classes.
    """

    metric: str
    reason: str
    class_name: str | None = None


class Interval(NamedTuple):
    """Where a number lies with a stated confidence.

    Attributes
    ----------
    low, high : float
        The bounds; NaN where they are undefined.
    level : float
        The confidence, such as 0.95.
    method : str
        How it was found: ``"Wilson"``, ``"bootstrap"``, ….
    unit : str
        What was taken to be independent of each other: ``"sample"``, ``"image"``, ``"group"``.
    note : str
        Why the bounds are undefined, or what was left out to find them; empty as a rule.
    """

    low: float
    high: float
    level: float
    method: str
    unit: str
    note: str = ""


def plain_intervals(intervals: Mapping[str, Interval]) -> dict[str, list[Any]]:
    """Return intervals as values that JSON can hold, for a stored result."""
    return {name: [_plain(value) for value in interval] for name, interval in intervals.items()}


def stored_intervals(content: Mapping[str, list[Any]]) -> dict[str, Interval]:
    """Return the intervals that `plain_intervals` made.

    Raises
    ------
    TypeError, ValueError
        For other values.
    """
    found = {}
    for name, (*numbers, method, unit, note) in content.items():
        low, high, level = (math.nan if each is None else float(each) for each in numbers)
        found[name] = Interval(low, high, level, method, unit, note)
    return found


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Result(Presented):
    """Numbers, what they were made of, and under which rules; abstract.

    Headline numbers are attributes too: ``result.AP`` is ``result.metrics["AP"]``.

    Attributes
    ----------
    metrics : mapping of str to float
        The headline numbers by name; NaN where undefined.
    protocol : mapping
        The rules, as plain values.
    undefined : tuple of Undefined
        Which headline numbers are NaN, and why.
    data : mapping of str to int
        What went in: counts of images, objects, predictions.
    intervals : mapping of str to Interval
        Confidence intervals of headline numbers, where they were asked for
        (`snellen.statistics.intervals`).
    """

    metrics: Mapping[str, float]
    protocol: Mapping[str, Any]
    undefined: tuple[Undefined, ...]
    data: Mapping[str, int]
    intervals: Mapping[str, Interval] = dataclasses.field(default_factory=dict, kw_only=True)

    @property
    @abstractmethod
    def task(self) -> str:
        """The task, as the command line calls it."""

    @abstractmethod
    def __str__(self) -> str:
        """Return the table that the field prints."""

    @abstractmethod
    def composition(self) -> str:
        """Return, in a few lines, what the result was made of."""

    def interval_lines(self) -> list[str]:
        """Return what the intervals are, and what must be said of single ones, in a few lines."""
        if not self.intervals:
            return []
        one = next(iter(self.intervals.values()))
        methods = sorted({interval.method for interval in self.intervals.values()})
        lines = [f"intervals    {100 * one.level:g} %, over {one.unit}s: {'; '.join(methods)}"]
        notes: dict[str, list[str]] = {}
        for name, interval in self.intervals.items():
            if interval.note:
                notes.setdefault(interval.note, []).append(name)
        for note, names in notes.items():
            shown = "all" if len(names) == len(self.intervals) > 1 else ", ".join(names)
            lines.append(f"             {shown}: {note}")
        return lines

    @abstractmethod
    def per_class(self) -> list[dict[str, Any]]:
        """Return one record for each class."""

    def undefined_of_classes(self) -> list[Undefined]:
        """Return which numbers of single classes are NaN, and why."""
        return []

    @abstractmethod
    def _pack(self) -> bytes:
        """Return everything as bytes."""

    @classmethod
    @abstractmethod
    def _unpack(cls, data: bytes, place: str) -> Self:
        """Return the result that `_pack` wrote."""

    def __getattr__(self, name: str) -> float:
        # Reached only for names that are no attribute. While a copy is being made there are no
        # metrics yet.
        metrics = self.__dict__.get("metrics", {})
        if name in metrics:
            value: float = metrics[name]
            return value
        raise AttributeError(f'{type(self).__name__} has no "{name}".{did_you_mean(name, metrics)}')

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self.metrics]

    def __repr__(self) -> str:
        numbers = ", ".join(f"{name}={value:.4f}" for name, value in self.metrics.items())
        return f"{type(self).__name__}({numbers})"

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers as plain values that JSON can hold; undefined ones are None."""
        from snellen import __version__

        return {
            "schema": SCHEMA,
            "library": __version__,
            "task": self.task,
            "protocol": dict(self.protocol),
            "metrics": {name: _plain(value) for name, value in self.metrics.items()},
            **(
                {
                    "intervals": {
                        name: {key: _plain(value) for key, value in interval._asdict().items()}
                        for name, interval in self.intervals.items()
                    }
                }
                if self.intervals
                else {}
            ),
            "per_class": [
                {key: _plain(value) for key, value in record.items()} for record in self.per_class()
            ],
            "undefined": [
                {
                    "metric": entry.metric,
                    **({} if entry.class_name is None else {"class": entry.class_name}),
                    "reason": entry.reason,
                }
                for entry in (*self.undefined, *self.undefined_of_classes())
            ],
            "data": dict(self.data),
        }

    def to_frame(self) -> Any:
        """Return the per-class table as a pandas data frame, one row a class.

        Raises
        ------
        MissingExtraError
            Where pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError:
            raise MissingExtraError("pandas", "frame") from None
        return pd.DataFrame.from_records(self.per_class())

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write everything, arrays too, to a file that `load` reads."""
        write_atomically({path: self._pack()})

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read what `save` wrote.

        Raises
        ------
        SchemaError
            Where the file is not such a result.
        """
        from pathlib import Path

        return cls._unpack(Path(path).read_bytes(), str(path))

    def displays(self) -> tuple[Display, ...]:
        """Return the pictures of the result, the main one first: numbers that can be drawn."""
        from snellen.displays.headline import headline_bars

        return (headline_bars(self),)

    def _table(self, what: str, digits: int) -> TextTable:
        from snellen.displays.tables import table_of

        return table_of(self, what, digits)

    def _repr_html_(self) -> str:
        from snellen.displays.notebook_html import notebook_html

        return notebook_html(self)


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def write_atomically(files: Mapping[str | os.PathLike[str], bytes]) -> None:
    """Write files whole or not at all, and all or none of them.

    Each is written under a temporary name beside its place; then all are renamed. A link is
    followed; what is no file (a device, a pipe) is written to as it is.

    Raises
    ------
    OSError
        With the name of the file that could not be written.
    """
    import os
    from pathlib import Path

    staged: list[tuple[Path, Path]] = []
    target = Path()
    try:
        for name, data in files.items():
            target = Path(os.path.realpath(name))
            if target.exists() and not target.is_file():
                target.write_bytes(data)
            else:
                staged.append((_temporary_beside(target, data), target))
        for temporary, target in staged:
            temporary.replace(target)
    except OSError as error:
        if error.errno is None:
            raise
        raise OSError(error.errno, error.strerror, str(target)) from error
    finally:
        for temporary, _ in staged:
            temporary.unlink(missing_ok=True)


def _temporary_beside(target: Path, data: bytes) -> Path:
    """Return a new file in the target's folder that holds the data."""
    import os
    import tempfile
    from pathlib import Path

    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        # mkstemp makes private files; a result is as readable as the umask allows.
        umask = os.umask(0)
        os.umask(umask)
        Path(name).chmod(0o666 & ~umask)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return Path(name)
