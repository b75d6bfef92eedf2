"""Mean average precision of whole tracks."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen import _core
from snellen.classes import Classes
from snellen.errors import ClassError, IdError, InputError, first_few
from snellen.parameters import refuse_other_parameters
from snellen.result import Result, Undefined
from snellen.state import Counts, Keys, Ledger, pack, prefixed, restored, unprefixed
from snellen.stored_results import plain_intervals, stored_intervals
from snellen.tracking.track_map_protocols import TrackMapProtocol, track_map_protocol_named
from snellen.tracking.whole_tracks import groups_of, overlaps_of, whole_tracks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from typing_extensions import Self

    from snellen.state import PackedState
    from snellen.tracking.judged_classes import JudgedClasses
    from snellen.tracking.tracks import Tracks
    from snellen.tracking.whole_tracks import WholeTracks

__all__ = ["TrackMap", "TrackMapResult", "track_map"]

_COUNTS = ("n_truth_tracks", "n_pred_tracks", "n_dropped_by_cap", "n_not_judged")
_SEQUENCE = "sequence id"
_EPSILON = float(np.finfo(np.float64).eps)
# More tracks than any sequence has.
_NO_CAP = 2**31 - 1


class TrackMap:
    """Average precision (AP) and recall (AR) of tracks: each found or not as a whole.

    A predicted track is right where its IoU with a truth track, over all frames of both, reaches a
    threshold. Tracks are taken by their scores, and what becomes of them makes a curve, as in
    detection.

    Parameters
    ----------
    protocol : {"tao", "youtube-vis", "tao-strict", "youtube-vis-strict"} or TrackMapProtocol
        The rules. The strict ones are TrackEval's to the last bit; the others differ from them
        where a track of id 0 or less would let others match what it has taken.

    Notes
    -----
    State
        Two ledgers: what became of each predicted track at each threshold and range, and which
        truth tracks count; keyed by sequence and class. No boxes.
    Merge
        Joins the ledgers; exact. A sequence that both have absorbed is refused.
    Ties
        Of equal scores the smaller sequence id comes first, then the track that appears first
        (tao) or has the smaller id (youtube-vis). Of equal IoUs the later truth track is taken.
    Undefined
        NaN where no truth track counts (strict: −1 in the arrays).
    Agrees with
        TrackEval 1.3.0 (12c8791), every cell of precision, recall, AP and AR (tests/oracle). It
        refuses boxes whose left + width − left is more than their width by rounding; here areas
        come from corners, and nothing is refused.

    References
    ----------
    A. Dave et al., "TAO: A Large-Scale Benchmark for Tracking Any Object", ECCV 2020.
    L. Yang et al., "Video Instance Segmentation", ICCV 2019.

    Examples
    --------
    >>> from snellen.tracking.track_map import TrackMap
    >>> from snellen.tracking.tracks import Tracks
    >>> boxes = [[0, 0, 10, 10], [1, 0, 11, 10]]
    >>> truth = Tracks.from_xyxy(boxes, frame=[1, 2], track_id=[7, 7], sequence="street")
    >>> pred = Tracks.from_xyxy(
    ...     boxes[:1], frame=[1], track_id=[3], score=[0.9], sequence="street"
    ... )
    >>> result = TrackMap().update(truth, pred).compute()
    >>> round(result.AP50, 4), round(result.AP, 4)  # of 200 square pixels 100: IoU 0.5
    (1.0, 0.1)
    """

    __slots__ = ("_classes", "_counts", "_pred", "_sequences", "_truth", "protocol")

    def __init__(self, *, protocol: str | TrackMapProtocol = "tao") -> None:
        self.protocol = track_map_protocol_named(protocol)
        keys = {"sequence": np.int32, "label": np.int32}
        self._truth = Ledger(tuple(keys), **keys, ignored=np.uint32)
        self._pred = Ledger(
            tuple(keys),
            **keys,
            score=np.float64,
            outcome=(np.uint32, self.protocol.outcome_shape),
        )
        self._counts = Counts(**dict.fromkeys(_COUNTS, ()))
        self._classes = Classes([])
        self._sequences = Keys([], _SEQUENCE)

    def __repr__(self) -> str:
        return f"TrackMap({self.protocol.name}, {len(self._sequences)} sequences)"

    def update(self, truth: Tracks, pred: Tracks, judged: JudgedClasses | None = None) -> Self:
        """Absorb a batch of whole sequences.

        Parameters
        ----------
        truth, pred : Tracks
            Boxes or masks of all frames of the batch's sequences; pred with scores. Areas to be
            ignored are left out. A truth track is ignored where the extra column ``crowd`` says
            so, or where none of its rows counts. The extra column ``area``, where there is one, is
            what decides the size bucket.
        judged : JudgedClasses, optional
            Which classes annotators looked for. Without, all in all sequences.

        Raises
        ------
        IdError
            For a sequence that was absorbed before, or that truth does not list.
        InputError
            For tracks that cannot be evaluated. After an error the metric is as it was.
        """
        if pred.score is None and len(pred):
            raise InputError("expected predicted tracks with scores, got none", "pred.score")
        if len(truth) and len(pred) and truth.labelled != pred.labelled:
            raise ClassError("expected classes on both sides or on none, got one side's", "label")
        sequences, classes = truth.sequences, Classes.union([truth.classes, pred.classes])
        self._check_new(sequences)
        whole_truth = whole_tracks(
            truth,
            truth.sequence,
            _labels_in(classes, truth),
            self.protocol,
            side="truth",
        )
        pred_sequence = _sequences_in(sequences, pred)
        pred_label = _labels_in(classes, pred)
        whole_pred = whole_tracks(pred, pred_sequence, pred_label, self.protocol, side="pred")
        n_all = len(whole_pred)
        exhaustive = np.ones((len(sequences), len(classes)), np.bool_)
        if judged is not None:
            cells = judged.cells(judged.negative, sequences, classes)
            cells[truth.sequence, _labels_in(classes, truth)] = True
            rows = cells[pred_sequence, pred_label]
            pred, pred_sequence, pred_label = pred[rows], pred_sequence[rows], pred_label[rows]
            whole_pred = whole_tracks(pred, pred_sequence, pred_label, self.protocol, side="pred")
            exhaustive = ~judged.cells(judged.not_exhaustive, sequences, classes)
        groups = groups_of(whole_truth, whole_pred, len(sequences))
        overlaps = overlaps_of(truth, pred, whole_truth, whole_pred, groups)
        ignored = self._outside(whole_truth)
        ignored[_left_out(truth, whole_truth)] = 2 ** len(self.protocol.range_labels) - 1
        outside = self._outside(whole_pred)
        unsure = ~exhaustive[whole_pred.sequence, whole_pred.label]
        outside[unsure] = 2 ** len(self.protocol.range_labels) - 1
        blocks = np.ones(len(whole_pred), np.uint8)
        if not self.protocol.all_ids_block and pred.track_names is None:
            blocks[whole_pred.track <= 0] = 0
        outcome = _core.match_tracks(
            groups.truth,
            groups.pred,
            ignored,
            outside,
            blocks,
            overlaps.begin,
            overlaps.truth,
            overlaps.iou,
            iou_thresholds=list(self.protocol.iou_thresholds),
            n_ranges=len(self.protocol.range_labels),
        )
        kept = np.ones(len(whole_pred), np.bool_)
        if self.protocol.max_tracks is not None:
            size = np.diff(groups.pred)
            rank = np.arange(len(whole_pred)) - np.repeat(groups.pred[:-1], size)
            kept = rank < self.protocol.max_tracks
        score = np.zeros(0) if whole_pred.score is None else whole_pred.score
        joined = Classes.union([self._classes, classes])
        every = Keys.union([self._sequences, sequences], _SEQUENCE)
        keys = {"sequence": sequences, "label": classes.keys}
        self._truth.append(
            keys, sequence=whole_truth.sequence, label=whole_truth.label, ignored=ignored
        )
        self._pred.append(
            keys,
            sequence=whole_pred.sequence[kept],
            label=whole_pred.label[kept],
            score=score[kept],
            outcome=outcome[kept],
        )
        self._counts.add(
            n_truth_tracks=len(whole_truth),
            n_pred_tracks=n_all,
            n_dropped_by_cap=len(whole_pred) - len(score[kept]),
            n_not_judged=n_all - len(whole_pred),
        )
        self._classes, self._sequences = joined, every
        return self

    def merge(self, other: TrackMap, /) -> Self:
        """Absorb another metric of equal protocol; `other` stays as it was.

        Raises
        ------
        MergeError
            Where the protocols differ.
        IdError
            Where both have absorbed the same sequence.
        """
        refuse_other_parameters(self, self.protocol.to_dict(), other.protocol.to_dict())
        self._check_new(other._sequences)
        classes = Classes.union([self._classes, other._classes])
        self._sequences = Keys.union([self._sequences, other._sequences], _SEQUENCE)
        self._classes = classes
        self._truth.merge(other._truth)
        self._pred.merge(other._pred)
        self._counts.merge(other._counts)
        return self

    def empty(self) -> TrackMap:
        """Return a metric of the same protocol without data."""
        return TrackMap(protocol=self.protocol)

    def compute(self) -> TrackMapResult:
        """Return the result of all that was absorbed."""
        truth, pred = self._settled()
        cap = self.protocol.max_tracks
        precision, _, recall, n_counted = _core.precision_recall_curves(
            pred["sequence"],
            pred["label"],
            pred["score"],
            pred["outcome"],
            truth["label"],
            truth["ignored"],
            n_labels=len(self._classes),
            n_thresholds=len(self.protocol.iou_thresholds),
            recall_thresholds=list(self.protocol.recall_thresholds),
            max_detections=[_NO_CAP if cap is None else cap],
            undefined=-1.0 if self.protocol.minus_one else math.nan,
        )
        return TrackMapResult.of_curves(
            self.protocol,
            self._classes,
            # The kernel writes classes, ranges, caps, thresholds, recall points.
            precision=np.ascontiguousarray(precision[:, :, 0].transpose(2, 3, 0, 1)),
            recall=np.ascontiguousarray(recall[:, :, 0].transpose(2, 0, 1)),
            n_counted=n_counted,
            data={
                "n_sequences": len(self._sequences),
                "n_classes": len(self._classes),
                **{name: int(self._counts[name]) for name in _COUNTS},
            },
        )

    def to_bytes(self) -> bytes:
        """Return the state: the same bytes for any sharding and any order of batches."""
        truth, pred = self._settled()
        arrays = {**prefixed("truth.", truth), **prefixed("pred.", pred)}
        content: dict[str, Any] = {
            "protocol": self.protocol.to_dict(),
            "counts": {name: int(self._counts[name]) for name in _COUNTS},
        }
        self._sequences.store("sequence_ids", content, arrays)
        self._classes.store(content, arrays)
        return pack(type(self).__name__, content, arrays)

    @classmethod
    def from_bytes(cls, data: bytes, /) -> TrackMap:
        """Return the metric whose state `to_bytes` wrote.

        Raises
        ------
        SchemaError
            Where the bytes are not such a state.
        """
        return restored(data, cls.__name__, cls._of_packed)

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self).from_bytes, (self.to_bytes(),))

    @classmethod
    def _of_packed(cls, packed: PackedState) -> TrackMap:
        metric = cls(protocol=TrackMapProtocol.from_dict(packed.content["protocol"]))
        metric._sequences = Keys.stored("sequence_ids", _SEQUENCE, packed.content, packed.arrays)
        metric._classes = Classes.stored(packed.content, packed.arrays)
        keys = {"sequence": metric._sequences, "label": metric._classes.keys}
        truth, pred = unprefixed("truth.", packed.arrays), unprefixed("pred.", packed.arrays)
        if len(truth["label"]) or len(pred["label"]) or len(metric._sequences):
            metric._truth.append(keys, **truth)
            metric._pred.append(keys, **pred)
        metric._counts.add(**packed.content["counts"])
        metric.compute()  # says where rows do not fit each other
        return metric

    def _outside(self, tracks: WholeTracks) -> NDArray[np.uint32]:
        """Return of each track the ranges that it is outside of, a bit for each."""
        bits = np.zeros(len(tracks), np.uint32)
        rules = self.protocol
        for first, ranges, value in (
            (1, rules.area_ranges, tracks.area),
            (1 + len(rules.area_ranges), rules.length_ranges, tracks.length),
        ):
            for k, (_, low, high) in enumerate(ranges, first):
                inside = (low - _EPSILON <= value) & (value <= high + _EPSILON)
                bits |= (~inside).astype(np.uint32) << np.uint32(k)
        return bits

    def _settled(self) -> tuple[dict[str, NDArray[Any]], dict[str, NDArray[Any]]]:
        """Return the rows of truth and predictions by class, sequence and rank."""
        keys = {"sequence": self._sequences, "label": self._classes.keys}
        found = []
        for ledger in (self._truth, self._pred):
            columns = ledger.columns(keys)
            order = np.lexsort((columns["sequence"], columns["label"]))
            found.append(
                {name: np.ascontiguousarray(column[order]) for name, column in columns.items()}
            )
        truth, pred = found
        return truth, pred

    def _check_new(self, sequences: Keys) -> None:
        Keys.union([self._sequences, sequences], _SEQUENCE)  # says where they are of two kinds
        again = sequences.ids[self._sequences.codes(sequences.ids) >= 0].tolist()
        if again:
            raise IdError(
                f"expected each sequence once and whole, got {len(again):,} that were absorbed "
                f"before: {first_few(again)}"
            )


def _labels_in(classes: Classes, tracks: Tracks) -> NDArray[np.int32]:
    if tracks.classes.keys.same_as(classes.keys):
        return tracks.label
    return classes.keys.codes(tracks.classes.keys.ids)[tracks.label]


def _sequences_in(sequences: Keys, pred: Tracks) -> NDArray[np.int32]:
    if pred.sequences.same_as(sequences):
        return pred.sequence
    code = sequences.codes(pred.sequences.ids)
    if (code < 0).any():
        unknown = pred.sequences.ids[code < 0].tolist()
        raise IdError(
            f"expected predictions on sequences of the truth, got {len(unknown)} unknown: "
            f"{first_few(unknown)}; give both sides the same names, or leave these out",
            "pred.sequence",
        )
    return code[pred.sequence] if len(pred) else pred.sequence


def _left_out(truth: Tracks, whole: WholeTracks) -> NDArray[np.bool_]:
    """Return which truth tracks count in no range."""
    left_out = np.zeros(len(whole), np.bool_)
    if "crowd" in truth.extra:
        left_out |= whole.any_of(truth.extra["crowd"])
    if truth.counted is not None:
        left_out |= ~whole.any_of(truth.counted)
    return left_out


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class TrackMapResult(Result):
    """Average precision and recall of tracks.

    T IoU thresholds, R recall thresholds, K classes, A ranges: all tracks, then those of areas and
    of lengths. Undefined cells are NaN (strict: −1).

    Attributes
    ----------
    rules : TrackMapProtocol
        The rules; `protocol` has them as plain values.
    classes : Classes
        The K classes.
    precision : ndarray, shape (T, R, K, A)
        Interpolated precision at each recall threshold.
    recall : ndarray, shape (T, K, A)
        The highest recall reached.
    n_counted : ndarray, shape (K, A), int64
        Truth tracks that count.
    """

    rules: TrackMapProtocol
    classes: Classes
    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    n_counted: NDArray[np.int64]

    @property
    def task(self) -> str:
        """The task, as the command line calls it."""
        return "tracking"

    @classmethod
    def of_curves(
        cls,
        protocol: TrackMapProtocol,
        classes: Classes,
        *,
        precision: NDArray[np.float64],
        recall: NDArray[np.float64],
        n_counted: NDArray[np.int64],
        data: Mapping[str, int],
    ) -> TrackMapResult:
        """Return the result whose headline numbers are the means over the curves."""
        average = _mean_precision(precision)
        metrics: dict[str, float] = {}
        undefined = []
        for name, is_recall, thresholds, a in _headlines(protocol):
            values = recall if is_recall else average
            counted = n_counted[:, a] > 0
            if counted.any():
                # First over classes, then over thresholds, as the reference averages.
                means = [np.mean(values[t, counted, a]) for t in thresholds]
                metrics[name] = float(np.mean(means))
            else:
                metrics[name] = math.nan
                undefined.append(Undefined(name, _reason(protocol, a)))
        return cls(
            metrics=metrics,
            protocol=protocol.to_dict(),
            undefined=tuple(undefined),
            data=dict(data),
            rules=protocol,
            classes=classes,
            precision=precision,
            recall=recall,
            n_counted=n_counted,
        )

    @property
    def average_precision(self) -> NDArray[np.float64]:
        """The mean of precision over the recall thresholds, shape (T, K, A)."""
        return _mean_precision(self.precision)

    def __str__(self) -> str:
        """Return a line for each range: AP over all thresholds, at 0.5 and 0.75, and AR."""
        ious = self.rules.iou_thresholds
        lines = [f"{'track mAP':<10} {'AP':>7} {'AP50':>7} {'AP75':>7} {'AR':>7}"]
        for a, label in enumerate(self.rules.range_labels):
            suffix = "" if a == 0 else f"_{label}"
            shown = [
                "-" if math.isnan(value) else f"{100 * value:.2f}"
                for name in ("AP", "AP50", "AP75", "AR")
                for value in (self.metrics.get(f"{name}{suffix}", math.nan),)
            ]
            lines.append(f"{label:<10} " + " ".join(f"{value:>7}" for value in shown))
        lines.append(f"in percent; IoU {ious[0]:.2f}:{ious[-1]:.2f}")
        return "\n".join(lines)

    def composition(self) -> str:
        """Return, in a few lines, what the result was made of."""
        data = self.data
        with_truth = int(np.count_nonzero(self.n_counted[:, 0]))
        left_out = [
            f"{data[name]:,} {why}"
            for name, why in (
                ("n_not_judged", "of classes that truth says nothing about"),
                ("n_dropped_by_cap", "beyond the cap"),
            )
            if data[name]
        ]
        lines = [
            f"sequences    {data['n_sequences']:,}",
            f"truth        {data['n_truth_tracks']:,} tracks",
            f"predictions  {data['n_pred_tracks']:,} tracks"
            + (f", left out {' and '.join(left_out)}" if left_out else ""),
            f"classes      {data['n_classes']:,}, {with_truth:,} with truth",
            f"protocol     {self.rules}",
        ]
        lines += [f"undefined    {entry.metric}: {entry.reason}" for entry in self.undefined]
        return "\n".join(lines)

    def undefined_of_classes(self) -> list[Undefined]:
        """Return which numbers of single classes are NaN, and why."""
        names = self.classes.display_names()
        return [
            Undefined(name, _reason(self.rules, a), names[k])
            for name, _, _, a in _headlines(self.rules)
            for k in np.flatnonzero(self.n_counted[:, a] == 0).tolist()
        ]

    def per_class(self) -> list[dict[str, Any]]:
        """Return, for each class, its id, name, number of truth tracks and headline numbers."""
        ids = self.classes.keys.ids.tolist()
        records: list[dict[str, Any]] = [
            {"class": name, "id": class_id, "n_truth": int(n)}
            for name, class_id, n in zip(
                self.classes.display_names(), ids, self.n_counted[:, 0], strict=True
            )
        ]
        average = self.average_precision
        for name, is_recall, thresholds, a in _headlines(self.rules):
            values = (self.recall if is_recall else average)[thresholds, :, a]
            for k, record in enumerate(records):
                defined = self.n_counted[k, a] > 0
                record[name] = float(np.mean(values[:, k])) if defined else math.nan
        return records

    def _pack(self) -> bytes:
        arrays = {name: getattr(self, name) for name in ("precision", "recall", "n_counted")}
        content = {
            "protocol": self.protocol,
            "class_ids": self.classes.keys.ids.tolist(),
            "class_names": list(self.classes.names),
            "data": dict(self.data),
            "intervals": plain_intervals(self.intervals),
        }
        return pack(type(self).__name__, content, arrays)

    @classmethod
    def _of_packed(cls, packed: PackedState) -> TrackMapResult:
        found = cls.of_curves(
            TrackMapProtocol.from_dict(packed.content["protocol"]),
            Classes(packed.content["class_ids"], packed.content["class_names"]),
            data=packed.content["data"],
            **packed.arrays,
        )
        intervals = stored_intervals(packed.content["intervals"])
        return dataclasses.replace(found, intervals=intervals)


def _mean_precision(precision: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean over recall thresholds, (T, K, A), every bit as np.mean of one curve."""
    by_curve = np.ascontiguousarray(precision.transpose(0, 2, 3, 1))
    mean: NDArray[np.float64] = by_curve.mean(axis=-1)
    return mean


def _headlines(rules: TrackMapProtocol) -> list[tuple[str, bool, list[int], int]]:
    """Return name, whether it is of recall, thresholds (positions) and range of each number."""
    every = list(range(len(rules.iou_thresholds)))
    lines = []
    for a, label in enumerate(rules.range_labels):
        suffix = "" if a == 0 else f"_{label}"
        lines.append((f"AP{suffix}", False, every, a))
        for name, wanted in (("AP50", 0.5), ("AP75", 0.75)):
            at = [t for t in every if abs(rules.iou_thresholds[t] - wanted) < 1e-9]
            if at:
                lines.append((f"{name}{suffix}", False, at, a))
        lines.append((f"AR{suffix}", True, every, a))
    return lines


def _reason(rules: TrackMapProtocol, a: int) -> str:
    of_range = "" if a == 0 else f" in range {rules.range_labels[a]}"
    return f"no truth track counts{of_range}"


def track_map(
    truth: Tracks,
    pred: Tracks,
    *,
    judged: JudgedClasses | None = None,
    protocol: str | TrackMapProtocol = "tao",
) -> TrackMapResult:
    """Return average precision and recall of predicted tracks; see `TrackMap`."""
    return TrackMap(protocol=protocol).update(truth, pred, judged).compute()
