"""What J and F come to: over all sequences, of each sequence, of each object."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

import numpy as np

from snellen.errors import InputError
from snellen.result import Result, Undefined
from snellen.segmentation.boundary_rules import BoundaryRules
from snellen.state import Keys, pack
from snellen.stored_results import plain_intervals, stored_intervals
from snellen.table_text import aligned_lines, number, printable, with_interval

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from snellen.state import PackedState

__all__ = ["MEASURES", "JAndFResult", "JAndFRules", "JAndFTables"]

MEASURES: Final = ("J_and_F", "J_mean", "J_recall", "J_decay", "F_mean", "F_recall", "F_decay")
"""The names of the numbers, of all sequences as of each sequence and object."""

# Beyond this J or F an object is found in a frame: TrackEval's 0.5 and its margin.
_FOUND: Final = 0.5 + np.finfo(np.float64).eps
_N_BINS: Final = 4
_SHOWN_SEQUENCES: Final = 60


@dataclasses.dataclass(frozen=True)
class JAndFRules:
    """The parameters of `JAndF`, which describes them.

    Raises
    ------
    InputError
        For values that cannot be.
    """

    match: Literal["J", "id"] = "J"
    tolerance: float = 0.008
    inner_frames: bool = False

    def __post_init__(self) -> None:
        if self.match not in ("J", "id"):
            raise InputError(f'expected "J" or "id", got {self.match!r}', "match")
        checked = BoundaryRules(ratio=0.5, tolerance=self.tolerance)
        object.__setattr__(self, "tolerance", checked.tolerance)
        object.__setattr__(self, "inner_frames", bool(self.inner_frames))

    def __str__(self) -> str:
        """Return the rules in one line."""
        tolerance = (
            f"{100 * self.tolerance:g} % of the diagonal"
            if 0 < self.tolerance < 1
            else f"{self.tolerance:g} px"
        )
        how = "by mean J" if self.match == "J" else "by their ids"
        ends = ", first and last frames left out" if self.inner_frames else ""
        return f"objects matched {how}, contours within {tolerance}{ends}"

    def to_dict(self) -> dict[str, Any]:
        """Return the rules as plain values."""
        return dataclasses.asdict(self)


class JAndFTables(NamedTuple):
    """All rows of a metric's state, in their order.

    Attributes
    ----------
    sequences, tracks, matches : Keys
        The ids of the S sequences, of truth objects, and of predicted tracks that were given to
        one.
    of_sequences : mapping of str to ndarray, each (S,)
        ``n_frames`` and ``n_pred``, the number of predicted tracks.
    of_objects : mapping of str to ndarray, each (G,)
        Positions ``sequence`` and ``track``; ``match``, -1 for none. By sequence, then in the order
        that means are taken in.
    of_frames : mapping of str to ndarray
        ``j`` and ``f``: all frames of the first object, then those of the second, ….
    """

    sequences: Keys
    tracks: Keys
    matches: Keys
    of_sequences: Mapping[str, NDArray[Any]]
    of_objects: Mapping[str, NDArray[Any]]
    of_frames: Mapping[str, NDArray[Any]]

    def begin(self) -> NDArray[np.int64]:
        """Return where the frames of each object begin, (G + 1,)."""
        lengths = self.of_sequences["n_frames"][self.of_objects["sequence"]]
        return np.append(0, np.cumsum(lengths)).astype(np.int64)

    def store(self, content: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> None:
        """Put the rows into bytes that are to be packed."""
        for name in ("sequences", "tracks", "matches"):
            getattr(self, name).store(name, content, arrays)
        for name in ("of_sequences", "of_objects", "of_frames"):
            arrays |= {f"{name}.{key}": column for key, column in getattr(self, name).items()}

    @classmethod
    def stored(cls, content: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> JAndFTables:
        """Return what `store` put there.

        Raises
        ------
        KeyError, IdError, ValueError
            Where it is not whole.
        """
        sequences = Keys.stored("sequences", "sequence id", content, arrays)
        tracks, matches = (
            Keys.stored(name, "track id", content, arrays) for name in ("tracks", "matches")
        )
        of_sequences = {name: arrays[f"of_sequences.{name}"] for name in ("n_frames", "n_pred")}
        of_objects = {name: arrays[f"of_objects.{name}"] for name in ("sequence", "track", "match")}
        of_frames = {name: arrays[f"of_frames.{name}"] for name in ("j", "f")}
        tables = cls(sequences, tracks, matches, of_sequences, of_objects, of_frames)
        for column in of_sequences.values():
            if len(column) != len(tables.sequences) or (column < 0).any():
                raise ValueError("sequences are missing")
        for (name, column), table, least in zip(
            of_objects.items(), (sequences, tracks, matches), (0, 0, -1), strict=True
        ):
            if len(column) != len(of_objects["sequence"]):
                raise ValueError("objects are missing")
            if ((column < least) | (column >= len(table))).any():
                raise ValueError(f"an object has no {name}")
        if (np.diff(of_objects["sequence"]) < 0).any():
            raise ValueError("objects are not in the order of sequences")
        if any(len(column) != tables.begin()[-1] for column in of_frames.values()):
            raise ValueError("frames are missing")
        return tables


def _statistics(values: NDArray[np.float64]) -> tuple[float, float, float]:
    """Return mean, recall and decay of an object's J or F over its frames."""
    edges = np.round(np.linspace(1, len(values), _N_BINS + 1) + 1e-10).astype(np.int64) - 1
    first, last = (values[edges[i] : edges[i + 1] + 1] for i in (0, _N_BINS - 1))
    return (
        float(np.mean(values)),
        float(np.mean(values > _FOUND)),
        float(np.mean(first) - np.mean(last)),
    )


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class JAndFResult(Result):
    """J and F of video objects.

    Attributes
    ----------
    rules : JAndFRules
        The rules; `protocol` has them as plain values.
    tables : JAndFTables
        J and F of each object in each frame.
    objects : ndarray, shape (G, 7), float64
        The numbers of each object, by `MEASURES`.
    of_sequences : ndarray, shape (S, 7), float64
        Those of each sequence: means over its objects; NaN where it has none.
    """

    rules: JAndFRules
    tables: JAndFTables
    objects: NDArray[np.float64]
    of_sequences: NDArray[np.float64]

    @property
    def task(self) -> str:
        """The task, as the command line calls it."""
        return "tracking"

    @classmethod
    def of_tables(cls, rules: JAndFRules, tables: JAndFTables) -> JAndFResult:
        """Return the result of a metric's rows."""
        begin = tables.begin().tolist()
        j, f = tables.of_frames["j"], tables.of_frames["f"]
        objects = np.empty((len(begin) - 1, len(MEASURES)))
        for k in range(len(objects)):
            frames = slice(begin[k], begin[k + 1])
            of_j, of_f = _statistics(j[frames]), _statistics(f[frames])
            objects[k] = ((of_j[0] + of_f[0]) / 2, *of_j, *of_f)
        bounds = np.searchsorted(
            tables.of_objects["sequence"], np.arange(len(tables.sequences) + 1)
        ).tolist()
        n_objects = np.diff(bounds)
        of_sequences = np.full((len(tables.sequences), len(MEASURES)), math.nan)
        for s in np.flatnonzero(n_objects).tolist():
            # Column by column: the order of a mean's sums depends on the layout.
            for m in range(1, len(MEASURES)):
                of_sequences[s, m] = np.mean(objects[bounds[s] : bounds[s + 1], m].copy())
            of_sequences[s, 0] = (
                of_sequences[s, MEASURES.index("J_mean")]
                + of_sequences[s, MEASURES.index("F_mean")]
            ) / 2
        metrics = dict.fromkeys(MEASURES, math.nan)
        if len(objects):
            for m, name in enumerate(MEASURES):
                # One after the other, as the reference does.
                total = 0.0
                for s in np.flatnonzero(n_objects).tolist():
                    total += float(of_sequences[s, m]) * int(n_objects[s])
                metrics[name] = total / len(objects)
        reason = "truth has no objects" if len(tables.sequences) else "there are no sequences"
        n_matched = int(np.count_nonzero(tables.of_objects["match"] >= 0))
        return cls(
            metrics=metrics,
            protocol={"name": "j-and-f", **rules.to_dict()},
            undefined=tuple(Undefined(name, reason) for name in MEASURES if not len(objects)),
            data={
                "n_sequences": len(tables.sequences),
                "n_frames": int(tables.of_sequences["n_frames"].sum()),
                "n_objects": len(objects),
                "n_tracks": int(tables.of_sequences["n_pred"].sum()),
                "n_matched": n_matched,
            },
            rules=rules,
            tables=tables,
            objects=objects,
            of_sequences=of_sequences,
        )

    def per_class(self) -> list[dict[str, Any]]:
        """Return one record: objects have no classes."""
        return [{"class": "object", **self.metrics, "n_objects": self.data["n_objects"]}]

    def per_sequence(self) -> list[dict[str, Any]]:
        """Return the numbers of each sequence, by id."""
        of_objects = self.tables.of_objects
        n_sequences = len(self.tables.sequences)
        n_objects = np.bincount(of_objects["sequence"], minlength=n_sequences)
        return [
            {
                "sequence": name,
                **dict(zip(MEASURES, self.of_sequences[s].tolist(), strict=True)),
                "n_objects": int(n_objects[s]),
                "n_tracks": int(self.tables.of_sequences["n_pred"][s]),
                "n_frames": int(self.tables.of_sequences["n_frames"][s]),
            }
            for s, name in enumerate(self.tables.sequences.ids.tolist())
        ]

    def per_object(self) -> list[dict[str, Any]]:
        """Return the numbers of each truth object: the worst first, by J and F.

        ``match`` is the predicted track that it was given; None for none.
        """
        tables = self.tables
        sequences, tracks = tables.sequences.ids.tolist(), tables.tracks.ids.tolist()
        matches = [*tables.matches.ids.tolist(), None]
        columns = [tables.of_objects[name].tolist() for name in ("sequence", "track", "match")]
        records = [
            {
                "sequence": sequences[sequence],
                "track": tracks[track],
                "match": matches[match],
                **dict(zip(MEASURES, values, strict=True)),
            }
            for sequence, track, match, values in zip(*columns, self.objects.tolist(), strict=True)
        ]
        return sorted(records, key=lambda record: float(record["J_and_F"]))

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers as plain values that JSON can hold; undefined ones are None."""
        records = [
            {
                key: None if isinstance(value, float) and math.isnan(value) else value
                for key, value in record.items()
            }
            for record in self.per_sequence()
        ]
        return {**super().to_dict(), "per_sequence": records}

    def __str__(self) -> str:
        """Return the table of sequences, and the numbers over all."""
        head = ["", "J&F", "J mean", "recall", "decay", "F mean", "recall", "decay", "objects"]
        rows = [head]
        records = self.per_sequence()
        if len(records) <= _SHOWN_SEQUENCES:
            rows += [
                [
                    printable(record["sequence"], 30),
                    *(number(record[name]) for name in MEASURES),
                    str(record["n_objects"]),
                ]
                for record in records
            ]
        overall = [number(self.metrics[name]) for name in MEASURES]
        rows.append(["all", *overall, str(self.data["n_objects"])])
        lines = aligned_lines(rows)
        lines.insert(len(lines) - 1, "")
        if self.intervals:
            shown = [
                [name, with_interval(value, self.intervals.get(name))]
                for name, value in self.metrics.items()
            ]
            lines += ["", *aligned_lines(shown, left=2)]
        return "\n".join(lines)

    def composition(self) -> str:
        """Return, in a few lines, what the result was made of."""
        data = self.data
        lines = [
            f"sequences    {data['n_sequences']:,}, {data['n_frames']:,} frames",
            f"objects      {data['n_objects']:,}, {data['n_matched']:,} of them given a track",
            f"tracks       {data['n_tracks']:,} predicted; those given to no object do not count",
            f"protocol     {self.rules}",
        ]
        empty = int(np.count_nonzero(np.isnan(self.of_sequences[:, 0])))
        if empty:
            lines.append(f"left out     {empty:,} sequences without truth objects")
        lines += [f"undefined    {entry.metric}: {entry.reason}" for entry in self.undefined]
        return "\n".join(lines)

    def _pack(self) -> bytes:
        content: dict[str, Any] = {
            "rules": self.rules.to_dict(),
            "intervals": plain_intervals(self.intervals),
        }
        arrays: dict[str, NDArray[Any]] = {}
        self.tables.store(content, arrays)
        return pack(type(self).__name__, content, arrays)

    @classmethod
    def _of_packed(cls, packed: PackedState) -> JAndFResult:
        content, arrays = packed.content, packed.arrays
        found = cls.of_tables(JAndFRules(**content["rules"]), JAndFTables.stored(content, arrays))
        return dataclasses.replace(found, intervals=stored_intervals(content["intervals"]))
