"""What tracking comes to: over all sequences, of each, of each class, object and frame."""

from __future__ import annotations

import dataclasses
import functools
import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from snellen.errors import InputError
from snellen.result import Result, Undefined
from snellen.state import Keys, pack, prefixed, unprefixed
from snellen.stored_results import plain_intervals, stored_intervals
from snellen.table_text import aligned_lines, printable, with_interval
from snellen.tracking.families import families_named
from snellen.tracking.family import ALPHAS, Family, Settings
from snellen.tracking.protocols import TrackingProtocol
from snellen.tracking.sequence_rows import EVENT_KINDS
from snellen.tracking.sequence_state import Kept
from snellen.tracking.sums import added, averaged, columns_of, plain_value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from snellen.displays import Display
    from snellen.state import PackedState

__all__ = ["EVENT_COLUMNS", "TRACK_COLUMNS", "TrackingResult"]

_SHOWN_SEQUENCES: Final = 40
COMBINED: Final = "COMBINED"
EVENT_COLUMNS: Final = ("sequence", "class", "frame", "event", "truth", "pred", "similarity")
"""What an event is told by."""

TRACK_COLUMNS: Final = (
    *("sequence", "class", "track", "first_frame", "last_frame", "frames", "matched"),
    *("coverage", "switches", "fragments", "status"),
)
"""What an object of truth is told by."""

_AVERAGES: Final = {"classes": "mean of classes", "detections": "all objects"}


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class TrackingResult(Result):
    """Numbers of tracking of S sequences and K classes.

    Of several classes, headline numbers are means over the classes that truth has, and sums of
    counts.

    Attributes
    ----------
    kept : Kept
        What the metric keeps: rows of sequences and classes, of objects, of events.
    families : tuple of Family
        What was measured.
    classes : tuple of str
        The K classes, in the order of the protocol, else by name.
    rules : TrackingProtocol
        The rules; `protocol` has them as plain values.
    settings : Settings
        Threshold and order of sums.
    lists_sequences : bool or None
        Whether tables have a row for each sequence; None for up to 40 of them.
    """

    kept: Kept
    families: tuple[Family, ...]
    classes: tuple[str, ...]
    rules: TrackingProtocol
    settings: Settings
    lists_sequences: bool | None = None

    @property
    def task(self) -> str:
        """The task, as the command line calls it."""
        return "tracking"

    @property
    def sequences(self) -> list[int | str]:
        """The S sequences, ascending."""
        ids: list[int | str] = self.kept.sequences.ids.tolist()
        return ids

    @property
    def alphas(self) -> NDArray[np.float64]:
        """The localisation thresholds of HOTA, (19,)."""
        return np.array(ALPHAS)

    @classmethod
    def of_kept(
        cls,
        kept: Kept,
        families: tuple[Family, ...],
        protocol: TrackingProtocol,
        settings: Settings,
    ) -> TrackingResult:
        """Return the result of what a metric keeps."""
        names: list[str] = kept.classes.ids.tolist()
        if protocol.classes:
            names = [name for name in protocol.classes if name in names]
        rows = kept.rows
        result = cls(
            metrics={},
            protocol={
                **protocol.to_dict(),
                "threshold": settings.threshold,
                "blocked_sums": settings.blocked_sums,
                "metrics": [family.name for family in families],
            },
            undefined=(),
            data={
                "n_sequences": len(kept.sequences),
                "n_frames": int(kept.n_frames.sum()),
                "n_classes": len(names),
                "n_truth": int(rows["n_truth"].sum()),
                "n_pred": int(rows["n_pred"].sum()),
                "n_truth_left_out": int(rows["truth_left_out"].sum()),
                "n_pred_left_out": int(rows["pred_left_out"].sum()),
            },
            kept=kept,
            families=families,
            classes=tuple(names),
            rules=protocol,
            settings=settings,
        )
        metrics, undefined = result._headline()
        return dataclasses.replace(result, metrics=metrics, undefined=undefined)

    # ------------------------------------------------------------------------------------ numbers

    @functools.cached_property
    def class_sums(self) -> dict[str, dict[str, NDArray[Any]]]:
        """The sums over sequences of each family's columns, each (K, …)."""
        return {
            family.name: added(family.summands(self.columns(family))) for family in self.families
        }

    def columns(self, family: Family) -> dict[str, NDArray[Any]]:
        """Return what is kept of a family, each (S, K, …), classes in the order of `classes`."""
        grid = columns_of(family, self.kept.rows, self.kept.n_frames, len(self.kept.classes))
        order = self.kept.classes.codes(list(self.classes))
        return {name: column[:, order] for name, column in grid.items()}

    @functools.cached_property
    def _class_numbers(self) -> dict[str, dict[str, NDArray[Any]]]:
        sums = self.class_sums
        return {family.name: family.numbers(sums[family.name]) for family in self.families}

    def _has_truth(self) -> NDArray[np.bool_]:
        n_truth = np.zeros(len(self.kept.classes), np.int64)
        np.add.at(n_truth, self.kept.rows["label"], self.kept.rows["n_truth"])
        return n_truth[self.kept.classes.codes(list(self.classes))] > 0

    def class_average(self) -> dict[str, dict[str, NDArray[Any]]]:
        """Return the mean of each family's numbers over classes; counts are added.

        Over the classes that truth has, and of which the number is defined. Numbers of thresholds
        are (19,).
        """
        has_truth = self._has_truth()
        return {
            family.name: averaged(family, self.class_sums[family.name], has_truth)
            for family in self.families
        }

    def detection_average(
        self, classes: tuple[str, ...] | None = None
    ) -> dict[str, dict[str, NDArray[Any]]]:
        """Return each family's numbers over all objects of some classes, as if they were one class.

        Parameters
        ----------
        classes : tuple of str, optional
            All where not given.
        """
        sums = self.sums_of_classes(classes)
        return {family.name: family.numbers(sums[family.name]) for family in self.families}

    def averages(self) -> dict[str, dict[str, Any]]:
        """Return, of several classes, the numbers of all together.

        Returns
        -------
        dict
            ``"classes"``: means over classes; ``"detections"``: all objects as of one class; and
            so of the protocol's groups of classes. Each a record of numbers. Empty for a single
            class.
        """
        if len(self.classes) < 2:
            return {}
        found: dict[str, dict[str, Any]] = {"classes": {}}
        for family, numbers in zip(self.families, self.class_average().values(), strict=True):
            found["classes"] |= _record(family, numbers, {})
        together = {"detections": self.classes, **self.rules.groups}
        for title, names in together.items():
            if not set(names) & set(self.classes):
                continue
            sums = self.sums_of_classes(names)
            found[title] = {}
            for family in self.families:
                of_family = sums[family.name]
                found[title] |= _record(
                    family, family.numbers(of_family), family.reasons(of_family)
                )
        return found

    def sums_of_classes(
        self, classes: tuple[str, ...] | None = None
    ) -> dict[str, dict[str, NDArray[Any]]]:
        """Return the sums over sequences and some classes of each family's columns.

        A frame is one, of however many classes.
        """
        wanted = [k for k, name in enumerate(self.classes) if classes is None or name in classes]
        found = {}
        for family in self.families:
            summands = family.summands(self.class_sums[family.name])
            sums = added({name: column[wanted] for name, column in summands.items()})
            if "frames" in sums:
                sums["frames"] = self.kept.n_frames.sum()
            found[family.name] = sums
        return found

    def curve(self, name: str, class_name: str | None = None) -> NDArray[np.float64]:
        """Return a number of HOTA at each threshold (`alphas`), (19,).

        Parameters
        ----------
        name : str
            Such as ``"HOTA"`` or ``"AssA"``.
        class_name : str, optional
            A class; over all classes where not given.

        Raises
        ------
        InputError
            For what there is no curve of.
        """
        known = [f for f in self.families if name in f.per_alpha]
        if not known:
            curves = sorted(each for f in self.families for each in f.per_alpha)
            raise InputError(f'expected one of {", ".join(curves) or "no curves"}, got "{name}"')
        if class_name is not None:
            if class_name not in self.classes:
                raise InputError(f'expected one of {", ".join(self.classes)}, got "{class_name}"')
            numbers = self._class_numbers[known[0].name][name]
            values = numbers[self.classes.index(class_name)]
        elif len(self.classes) == 1:
            values = self._class_numbers[known[0].name][name][0]
        else:
            values = self.class_average()[known[0].name][name]
        return np.array(values, np.float64)

    def _headline(self) -> tuple[dict[str, float], tuple[Undefined, ...]]:
        metrics: dict[str, float] = {}
        undefined: list[Undefined] = []
        if len(self.classes) == 1:
            for family in self.families:
                reasons = family.reasons(_at(self.class_sums[family.name], 0))
                for name in family.fields:
                    value = self._class_numbers[family.name][name][0]
                    metrics[name] = (
                        math.nan if name in reasons else plain_value(family, name, value)
                    )
                undefined += [Undefined(name, reason) for name, reason in reasons.items()]
            return metrics, tuple(undefined)
        average = self.class_average()
        nothing = not self.classes
        reason = "it is defined of no class"
        if nothing:
            reason = "there are no objects"
        elif not self._has_truth().any():
            reason = "no class has a truth object"
        for family in self.families:
            for name in family.fields:
                value = plain_value(family, name, average[family.name][name])
                metrics[name] = math.nan if nothing else value
                if math.isnan(metrics[name]):
                    undefined.append(Undefined(name, reason))
        return metrics, tuple(undefined)

    def per_class(self) -> list[dict[str, Any]]:
        """Return, for each class, its numbers over all sequences."""
        records = []
        for k, class_name in enumerate(self.classes):
            record: dict[str, Any] = {"class": class_name}
            for family in self.families:
                record |= _record(
                    family,
                    _at(self._class_numbers[family.name], k),
                    family.reasons(_at(self.class_sums[family.name], k)),
                )
            records.append(record)
        return records

    def displays(self) -> tuple[Display, ...]:
        """Return HOTA over its threshold, sequences, switches, and the headline numbers."""
        from snellen.tracking.track_displays import hota_curve, sequence_numbers, switch_timeline

        found = (hota_curve(self), sequence_numbers(self), switch_timeline(self))
        return (*(each for each in found if each is not None), *super().displays())

    def undefined_of_classes(self) -> list[Undefined]:
        """Return which numbers of single classes are NaN, and why."""
        if len(self.classes) == 1:
            return []
        return [
            Undefined(name, reason, class_name)
            for k, class_name in enumerate(self.classes)
            for family in self.families
            for name, reason in family.reasons(_at(self.class_sums[family.name], k)).items()
        ]

    def per_sequence(self) -> list[dict[str, Any]]:
        """Return, for each class and sequence, its numbers; of each class ``COMBINED`` last."""
        numbers = {}
        columns = {}
        for family in self.families:
            columns[family.name] = self.columns(family)
            numbers[family.name] = family.numbers(columns[family.name])
        combined = self.per_class()
        records = []
        for k, class_name in enumerate(self.classes):
            for s, sequence in enumerate(self.sequences):
                record: dict[str, Any] = {"sequence": sequence, "class": class_name}
                for family in self.families:
                    at = (s, k)
                    record |= _record(
                        family,
                        _at(numbers[family.name], at),
                        family.reasons(_at(columns[family.name], at)),
                    )
                records.append(record)
            records.append({"sequence": COMBINED, **combined[k]})
        return records

    def per_track(self) -> list[dict[str, Any]]:
        """Return, for each object of truth, how it was followed; the least covered first.

        Records have `TRACK_COLUMNS`. ``coverage`` is the share of its frames in which it was
        matched; ``fragments`` how often it was lost and found again; ``status`` is mostly tracked
        (more than 0.8), partly, or mostly lost (less than 0.2). Empty where CLEAR was not measured.
        """
        columns = self.kept.tracks
        coverage = columns["n_matched"] / np.maximum(1, columns["n_frames"])
        return [
            {
                **life,
                "coverage": share,
                "switches": int(columns["n_switches"][i]),
                "fragments": max(0, int(columns["n_starts"][i]) - 1),
                "status": "mostly tracked"
                if share > 0.8
                else "partly tracked"
                if share >= 0.2
                else "mostly lost",
            }
            for i, share, life in self._lives(columns, self.kept.truth_tracks, coverage)
        ]

    def per_predicted_track(self) -> list[dict[str, Any]]:
        """Return, for each predicted track, how much of it is true; the least matched first.

        ``transfers`` is how often it went over to another object of truth. Empty where CLEAR was
        not measured.
        """
        columns = self.kept.preds
        precision = columns["n_matched"] / np.maximum(1, columns["n_frames"])
        return [
            {**life, "precision": share, "transfers": int(columns["n_transfers"][i])}
            for i, share, life in self._lives(columns, self.kept.pred_tracks, precision)
        ]

    def _lives(
        self, columns: Mapping[str, NDArray[Any]], tracks: Keys, share: NDArray[np.float64]
    ) -> Iterator[tuple[int, float, dict[str, Any]]]:
        """Yield row, share and life of each track, those of the least share first."""
        names = self._names(columns)
        ids = tracks.ids[columns["track"]].tolist()
        for i in np.argsort(share, kind="stable").tolist():
            life = {
                "sequence": names["sequence"][i],
                "class": names["class"][i],
                "track": ids[i],
                "first_frame": int(columns["first"][i]),
                "last_frame": int(columns["last"][i]),
                "frames": int(columns["n_frames"][i]),
                "matched": int(columns["n_matched"][i]),
            }
            yield i, float(share[i]), life

    def events(self) -> list[dict[str, Any]]:
        """Return what happened, by sequence, class and frame: `EVENT_KINDS`.

        Every truth object of a frame is matched, switched (matched to another track than last) or
        missed; every prediction that is not matched is a false positive. A transfer comes beside
        the match of a prediction whose track had another object last. Empty unless the metric was
        made with ``events=True``.
        """
        return [dict(zip(EVENT_COLUMNS, row, strict=True)) for row in self.event_rows()]

    def event_rows(self) -> Iterator[tuple[Any, ...]]:
        """Yield each event as `EVENT_COLUMNS`: what `events` returns, row by row."""
        columns = self.kept.events
        names = self._names(columns)
        without_pair = (EVENT_KINDS.index("miss"), EVENT_KINDS.index("false positive"))
        kinds = columns["kind"].tolist()
        yield from zip(
            names["sequence"],
            names["class"],
            columns["frame"].tolist(),
            [EVENT_KINDS[kind] for kind in kinds],
            _ids_or_none(self.kept.truth_tracks, columns["truth"]),
            _ids_or_none(self.kept.pred_tracks, columns["pred"]),
            [
                # The same NaN each time: so lists of the same events are equal.
                math.nan if kind in without_pair else similarity
                for kind, similarity in zip(kinds, columns["similarity"].tolist(), strict=True)
            ],
            strict=True,
        )

    def _names(self, columns: Mapping[str, NDArray[Any]]) -> dict[str, list[Any]]:
        """Return sequence and class of each row."""
        return {
            "sequence": self.kept.sequences.ids[columns["sequence"]].tolist(),
            "class": self.kept.classes.ids[columns["label"]].tolist(),
        }

    # --------------------------------------------------------------------------------------- text

    def __str__(self) -> str:
        """Return the tables that the field knows: one row a sequence, COMBINED last."""
        sequences = self.lists_sequences
        if sequences is None:
            sequences = len(self.kept.sequences) <= _SHOWN_SEQUENCES
        records = self.per_sequence()
        averages = self.averages()
        blocks = []
        for family in self.families:
            for class_name in self.classes:
                rows = [[f"{family.title}: {printable(class_name, 30)}", *family.fields]]
                rows += [
                    [
                        printable(record["sequence"], 40),
                        *(_cell(family, name, record[name]) for name in family.fields),
                    ]
                    for record in records
                    if record["class"] == class_name
                    and (sequences or record["sequence"] == COMBINED)
                ]
                blocks.append("\n".join(aligned_lines(rows)))
            if averages:
                rows = [[f"{family.title}: all classes", *family.fields]]
                rows += [
                    [
                        _AVERAGES.get(title, title),
                        *(_cell(family, name, record[name]) for name in family.fields),
                    ]
                    for title, record in averages.items()
                ]
                blocks.append("\n".join(aligned_lines(rows)))
        if self.intervals:
            headline = [
                [name, with_interval(self.metrics[name], self.intervals[name])]
                for family in self.families
                for name in family.fields[:1]
                if name in self.intervals and name not in family.counts
            ]
            blocks += ["\n".join(aligned_lines(headline, left=2))] if headline else []
        return "\n\n".join(blocks) if blocks else "no objects"

    def composition(self) -> str:
        """Return, in a few lines, what the result was made of."""
        data = self.data
        left = [
            f"{data[f'n_{side}_left_out']:,} {words}"
            for side, words in (("truth", "of truth"), ("pred", "of predictions"))
            if data[f"n_{side}_left_out"]
        ]
        lines = [
            f"sequences    {data['n_sequences']:,}, {data['n_frames']:,} frames",
            f"objects      {data['n_truth']:,} of truth, {data['n_pred']:,} of predictions",
            *([f"left out     {', '.join(left)}: the protocol's rules"] if left else []),
            f"protocol     {self.rules.name}, {self._similarity_words()}, "
            f"threshold {self.settings.threshold:g}"
            + (", sums as NumPy before 2.3" if self.settings.blocked_sums else ""),
        ]
        percent = "rates are in percent"
        if self.metrics.get("MOTA", 0.0) < 0:
            percent += "; MOTA is below 0 where there are more errors than truth objects"
        lines.append(f"numbers      {percent}")
        lines += [f"undefined    {entry.metric}: {entry.reason}" for entry in self.undefined]
        return "\n".join(lines)

    def _similarity_words(self) -> str:
        words = {
            "iou": "IoU of boxes",
            "ioa": "intersection over truth area of boxes",
            "giou": "GIoU of boxes, brought to 0 … 1",
            "mask_iou": "IoU of masks",
            "mask_ioa": "intersection over truth area of masks",
            "distance": f"distance of points, 0 at {self.rules.zero_distance:g}",
            "iou_3d": "IoU of boxes in space",
            "distance_3d": f"distance of centres in space, 0 at {self.rules.zero_distance:g}",
        }
        return words[self.rules.similarity]

    # -------------------------------------------------------------------------------------- bytes

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers as plain values that JSON can hold; undefined ones are None."""
        found = super().to_dict()
        found["per_sequence"] = [
            {
                key: None if isinstance(value, float) and math.isnan(value) else value
                for key, value in record.items()
            }
            for record in self.per_sequence()
        ]
        if len(self.classes) > 1:
            found["averages"] = {
                title: {
                    key: None if isinstance(value, float) and math.isnan(value) else value
                    for key, value in record.items()
                }
                for title, record in self.averages().items()
            }
        curves = {
            name: self.curve(name).tolist()
            for family in self.families
            for name in family.fields
            if name in family.per_alpha and self.classes
        }
        if curves:
            found["curves"] = {"alpha": ALPHAS.tolist(), **curves}
        return found

    def _pack(self) -> bytes:
        kept = self.kept
        content: dict[str, Any] = {
            "families": [family.name for family in self.families],
            "rules": self.rules.to_dict(),
            "threshold": self.settings.threshold,
            "blocked_sums": self.settings.blocked_sums,
            "intervals": plain_intervals(self.intervals),
        }
        arrays: dict[str, NDArray[Any]] = {}
        for name in ("sequences", "classes", "truth_tracks", "pred_tracks"):
            getattr(kept, name).store(name, content, arrays)
        for name in ("rows", "tracks", "preds", "events"):
            arrays |= prefixed(f"{name}.", getattr(kept, name))
        arrays["n_frames"] = kept.n_frames
        return pack(type(self).__name__, content, arrays)

    @classmethod
    def _of_packed(cls, packed: PackedState) -> TrackingResult:
        content, arrays = packed.content, packed.arrays
        whats = {
            "sequences": "sequence id",
            "classes": "class",
            "truth_tracks": "track id",
            "pred_tracks": "track id",
        }
        keys = {name: Keys.stored(name, what, content, arrays) for name, what in whats.items()}
        rows = {
            name: unprefixed(f"{name}.", arrays) for name in ("rows", "tracks", "preds", "events")
        }
        parts: dict[str, Any] = {**keys, **rows, "n_frames": arrays["n_frames"]}
        found = cls.of_kept(
            Kept(**parts),
            families_named(content["families"]),
            TrackingProtocol.from_dict(content["rules"]),
            Settings(content["threshold"], content["blocked_sums"]),
        )
        return dataclasses.replace(found, intervals=stored_intervals(content["intervals"]))


def _at(columns: Mapping[str, NDArray[Any]], place: Any) -> dict[str, NDArray[Any]]:
    return {name: np.asarray(column)[place] for name, column in columns.items()}


def _record(
    family: Family, numbers: Mapping[str, NDArray[Any]], reasons: Mapping[str, str]
) -> dict[str, Any]:
    """Return the numbers of one set, NaN where undefined; counts as whole numbers."""
    record: dict[str, Any] = {}
    for name in family.fields:
        value = math.nan if name in reasons else plain_value(family, name, numbers[name])
        whole = name in family.counts and not math.isnan(value)
        record[name] = int(value) if whole else value
    return record


def _cell(family: Family, name: str, value: float) -> str:
    """Return a number as the field prints it: rates in percent, five digits."""
    if isinstance(value, float) and math.isnan(value):
        return "-"
    if name in family.counts:
        return f"{int(value):d}"
    rate = family.ranges.get(name, family.ranges[""])[1] == 1.0
    return f"{100 * value if rate else value:1.5g}"


def _ids_or_none(keys: Keys, code: NDArray[np.int32]) -> list[Any]:
    ids: list[Any] = [*keys.ids.tolist(), None]  # -1 is the last
    return [ids[i] for i in code.tolist()]
