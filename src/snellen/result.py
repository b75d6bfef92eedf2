"""What every result can do."""

from __future__ import annotations

import dataclasses
import math
from abc import abstractmethod
from typing import TYPE_CHECKING, Any, NamedTuple

from snellen.atomic_files import write_atomically
from snellen.errors import SchemaError, did_you_mean
from snellen.presented import Presented

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from typing_extensions import Self

    from snellen.displays import Display
    from snellen.displays.tables import TextTable
    from snellen.state import PackedState

__all__ = ["Interval", "Result", "Undefined"]

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
    def _of_packed(cls, packed: PackedState) -> Self:
        """Return the result that `_pack` wrote; what it raises of another becomes a SchemaError."""

    @classmethod
    def _unpack(cls, data: bytes, place: str) -> Self:
        """Return the result that `_pack` wrote, of a place for messages."""
        from snellen.state import unpack

        packed = unpack(data, place)
        if packed.name != cls.__name__:
            raise SchemaError(f"expected a {cls.__name__}, got a {packed.name}", place)
        try:
            return cls._of_packed(packed)
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            raise SchemaError(f"expected a whole {cls.__name__}: {error!r}", place) from error

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
        from snellen.arrays import data_frame

        return data_frame(self.per_class())

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

    @property
    def protocol_text(self) -> str:
        """The rules in one line, where `composition` does not have them; else empty."""
        return ""

    def unit_of(self, metric: str) -> str:
        """Return the unit of a number; empty where it has none, or none that is known."""
        del metric
        return ""

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
