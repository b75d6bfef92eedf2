"""What all metrics of tracking are: families of numbers over one state of sequences."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.errors import IdError, InputError, MergeError, first_few
from snellen.parameters import refuse_other_parameters
from snellen.state import pack, restored
from snellen.tracking.families import families_named
from snellen.tracking.family import Settings
from snellen.tracking.judged_classes import JudgedClasses
from snellen.tracking.preparation import (
    Judgement,
    check_labels,
    check_sides,
    classes_of,
    frame_numbers,
    prepared,
)
from snellen.tracking.protocols import LEAST_THRESHOLD, TrackingProtocol, protocol_of
from snellen.tracking.sequence_state import Batch, SequenceState
from snellen.tracking.tracking_result import TrackingResult
from snellen.tracking.tracks import Tracks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray
    from typing_extensions import Self

    from snellen.classes import Classes
    from snellen.metric import Units
    from snellen.state import PackedState
    from snellen.tracking.family import Family

__all__ = ["SequenceMetric"]


class SequenceMetric(ABC):
    """A metric of sequences, each of which is measured by itself; abstract.

    A final class says which families of numbers it measures.

    Parameters
    ----------
    protocol : str or TrackingProtocol
        The rules, by name (`snellen.tracking.protocols.PROTOCOLS`) or as they are. ``"plain"``
        leaves nothing out but what is marked as not to be counted.
    classes : sequence of str, optional
        The classes to be evaluated; those of the protocol, or all that there are, where not given.
    similarity : str, optional
        How alike two objects are, where it is not the protocol's way; see `TrackingProtocol`.
    zero_distance : float, optional
        The distance of similarity 0, for distances: twice that of a match at threshold 0.5.
    threshold : float, optional
        The least similarity of a match, of CLEAR, identity, VACE and py-motmetrics' list: 0.5.
    blocked_sums : bool, optional
        Of HOTA: add over pairs of tracks in the order of NumPy before 2.3, as numbers published
        with it have it; the last bits of AssA, AssRe, AssPr and HOTA differ.

    Raises
    ------
    InputError
        For rules that there are not, and for parameters that the metric has no use for.
    """

    __slots__ = ("_state", "protocol")

    def __init__(
        self,
        *,
        protocol: str | TrackingProtocol = "plain",
        classes: Sequence[str] | None = None,
        similarity: str | None = None,
        zero_distance: float | None = None,
        threshold: float | None = None,
        blocked_sums: bool | None = None,
    ) -> None:
        rules = protocol_of(
            protocol,
            classes=None if classes is None else _class_names(classes),
            similarity=similarity,
            zero_distance=zero_distance,
        )
        if zero_distance is not None and not rules.similarity.startswith("distance"):
            raise InputError(
                "expected no distance of similarity 0, of which the similarity "
                f"{rules.similarity} has no use",
                "zero_distance",
            )
        families = self._families()
        for name, value in (("threshold", threshold), ("blocked_sums", blocked_sums)):
            if value is not None and not any(name in family.settings for family in families):
                titles = ", ".join(family.title for family in families)
                raise InputError(f"expected no {name}, of which {titles} has no use", name)
        threshold = 0.5 if threshold is None else float(threshold)
        if not LEAST_THRESHOLD <= threshold <= 1:
            raise InputError(f"expected a threshold in (0, 1], got {threshold:g}", "threshold")
        self.protocol = rules
        self._state = SequenceState(
            families,
            Settings(threshold, bool(blocked_sums)),
            events=self._keeps_events(),
            listed=bool(rules.classes),
        )

    @abstractmethod
    def _families(self) -> tuple[Family, ...]:
        """Return what is measured."""

    def _keeps_events(self) -> bool:
        return False

    @property
    def settings(self) -> Settings:
        """Threshold and order of sums."""
        return self._state.settings

    @property
    def has_events(self) -> bool:
        """Whether what happens to each object in each frame is kept."""
        return self._state.keeps_events

    def without_events(self) -> Self:
        """Return the same metric as if events were never asked for: no number follows from them.

        So it merges and compares with one that has none.
        """
        twin = type(self).__new__(type(self))
        twin.protocol = self.protocol
        twin._state = self._state.without_events()
        return twin

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.protocol.name}, {len(self._state)} sequences)"

    def update(self, truth: Tracks, pred: Tracks, judged: JudgedClasses | None = None) -> Self:
        """Absorb frames of sequences: whole sequences, or some frames, or one.

        Parameters
        ----------
        truth, pred : Tracks
            Objects of the same sequences. Where one side says how many frames a sequence has
            (``n_frames``) it is whole, is measured at once, and takes little memory from then on.
            Else more frames of it may come, in any order, until `end_sequence`. Frames without
            numbers are single ones, and each is the next.
        judged : JudgedClasses, optional
            Which classes annotators looked for, under rules that look at it (``"tao"``); without,
            those that truth has in a frame.

        Raises
        ------
        IdError
            For a sequence or a frame that came before, and for sequences of predictions that truth
            does not have.
        ClassError, InputError
            For what cannot be evaluated. After an error the metric is as it was.
        """
        batches, named = self._batches(truth, pred, judged)
        self._state.absorb(batches, named=named)
        return self

    def end_sequence(self, sequence: int | str | None = None) -> Self:
        """Say that no more frames of a sequence come, or of all: they are measured, and let go.

        Raises
        ------
        IdError
            For a sequence of which no frames came.
        """
        self._state.end(sequence)
        return self

    def _batches(
        self, truth: Tracks, pred: Tracks, judged: JudgedClasses | None
    ) -> tuple[list[Batch], bool]:
        for name, side in (("truth", truth), ("pred", pred)):
            if not isinstance(side, Tracks):
                raise InputError(
                    f"expected Tracks (Tracks.from_xywh, …), got {type(side).__name__}", name
                )
        if judged is not None and not self.protocol.judged_classes:
            raise InputError(
                "expected judged classes under rules that look at them (tao), not under those of "
                f"{self.protocol.name}",
                "judged",
            )
        named = truth.named or pred.named
        truth, pred = _same_sequences(truth, pred)
        self._state.check_naming(named)
        check_sides(truth, pred, self.protocol)
        check_labels({**self._state.kinds, **_kinds_of(truth, pred)}, self.protocol)
        batches = list(self._each_sequence(truth, pred, judged, named=named))
        for batch in batches:
            self._state.check(batch)
        return batches, named

    def _each_sequence(
        self, truth: Tracks, pred: Tracks, judged: JudgedClasses | None, *, named: bool
    ) -> Iterator[Batch]:
        numbered = _numbered(truth, pred)
        kinds = _kinds_of(truth, pred)
        if judged is None and self.protocol.judged_classes:
            judged = JudgedClasses(frozenset(), frozenset())
        for code, sequence in enumerate(truth.sequences.ids.tolist()):
            of_truth, of_pred = truth.of_sequence(code), pred.of_sequence(code)
            n_frames = _length(truth, pred, code)
            name = sequence
            if not named:
                name = self._state.unnamed_sequence(whole=n_frames >= 0)
            if not numbered:
                one = np.zeros((1, 2), np.int64)
                of_truth = dataclasses.replace(of_truth, seen=one)
            number = frame_numbers(of_truth, of_pred)
            _check_frames(name, number, n_frames, of_truth, of_pred)
            classes = classes_of(of_truth, of_pred, self.protocol)
            known = (
                None
                if judged is None
                else _judgements(judged, sequence, classes, (truth.classes, pred.classes))
            )
            found = dict(prepared(of_truth, of_pred, number, self.protocol, classes, known))
            if not numbered:
                number = np.array([self._state.last_frame(name) + 1], np.int64)
                found = {
                    label: dataclasses.replace(frames, number=number)
                    for label, frames in found.items()
                }
            yield Batch(name, number, found, n_frames, kinds)

    def merge(self, other: Self, /) -> Self:
        """Absorb another metric of equal parameters; `other` stays as it was.

        Raises
        ------
        MergeError
            Where the parameters differ.
        IdError
            Where both have absorbed the same sequence or frame, or only one has sequence ids.
        """
        if type(self) is not type(other):
            raise MergeError(
                f"expected the state of a {type(self).__name__}, got a {type(other).__name__}"
            )
        refuse_other_parameters(self, self._parameters(), other._parameters())
        check_labels({**self._state.kinds, **other._state.kinds}, self.protocol)
        self._state.merge(other._state)
        return self

    def _parameters(self) -> dict[str, Any]:
        return {
            "protocol": self.protocol.to_dict(),
            "threshold": self.settings.threshold,
            "blocked_sums": self.settings.blocked_sums,
            "metrics": [family.name for family in self._state.families],
            "events": self._state.keeps_events,
        }

    def empty(self) -> Self:
        """Return a metric of the same parameters without data."""
        twin = type(self).__new__(type(self))
        twin.protocol = self.protocol
        twin._state = self._state.empty()
        return twin

    def compute(self) -> TrackingResult:
        """Return the result of all that was absorbed, open sequences as they are now."""
        closed = self._state.copy()
        closed.end()
        return TrackingResult.of_kept(closed.kept(), closed.families, self.protocol, self.settings)

    def units(self, *, each: bool = False) -> Units:
        """Return the sequences as units for resampling."""
        del each  # they always are
        from snellen.tracking.resampled_sequences import sequence_units

        return sequence_units(self.compute())

    def to_bytes(self) -> bytes:
        """Return the state: the same bytes for any sharding and any order of updates."""
        content: dict[str, Any] = {
            "protocol": self.protocol.to_dict(),
            "threshold": self.settings.threshold,
            "blocked_sums": self.settings.blocked_sums,
            "families": [family.name for family in self._state.families],
            "events": self._state.keeps_events,
        }
        arrays: dict[str, Any] = {}
        self._state.store(content, arrays)
        return pack(type(self).__name__, content, arrays)

    @classmethod
    def from_bytes(cls, data: bytes, /) -> Self:
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
    def _of_packed(cls, packed: PackedState) -> Self:
        content = packed.content
        metric = cls.__new__(cls)
        settings = Settings(content["threshold"], content["blocked_sums"])
        metric.protocol = TrackingProtocol.from_dict(content["protocol"])
        metric._state = SequenceState(
            families_named(content["families"]),
            settings,
            events=content["events"],
            listed=bool(metric.protocol.classes),
        )
        metric._state.take(content, packed.arrays)
        return metric


def _kinds_of(truth: Tracks, pred: Tracks) -> dict[tuple[str, str], int]:
    """Return what must be the same of all frames that come; see `Batch`."""
    kinds = {}
    for name, side in (("truth", truth), ("pred", pred)):
        # No objects are of no kind, unless they were said to have classes.
        if len(side) or side.labelled:
            kinds[name, "label"] = int(side.labelled)
        if len(side):
            kinds[name, "track_id"] = int(side.track_names is not None)
            centres = side.shape[:1].centres()
            if centres is not None:
                kinds[name, "point"] = centres.shape[1]
    return kinds


def _length(truth: Tracks, pred: Tracks, code: int) -> int:
    """Return how many frames a sequence has; -1 where neither side says."""
    lengths = {int(side.n_frames[code]) for side in (truth, pred)} - {-1}
    if len(lengths) > 1:
        raise InputError(
            f"expected as many frames on both sides of sequence {truth.sequences.ids[code]}, got "
            f"{truth.n_frames[code]} and {pred.n_frames[code]}",
            "n_frames",
        )
    return lengths.pop() if lengths else -1


def _check_frames(
    sequence: int | str, number: NDArray[np.int64], n_frames: int, *sides: Tracks
) -> None:
    """Refuse frames that a sequence of so many frames does not have.

    They are counted from 0 or from 1; other numbers are right where one side lists them all.
    """
    if n_frames < 0 or not len(number):
        return
    if len(number) == n_frames and any(len(side.seen) == n_frames for side in sides):
        return
    if int(number[-1]) - min(int(number[0]), 1) >= n_frames:
        raise InputError(
            f"expected the {n_frames} frames of sequence {sequence}, counted from 0 or from 1, got "
            f"frames {number[0]} to {number[-1]}",
            "n_frames",
        )


def _judgements(
    judged: JudgedClasses, sequence: int | str, names: tuple[str, ...], known: tuple[Classes, ...]
) -> dict[str, Judgement]:
    """Return how far annotators looked for each class in a sequence."""
    ids = {
        name: label
        for classes in reversed(known)
        for name, label in zip(classes.display_names(), classes.keys.ids.tolist(), strict=True)
    }
    cells = {name: (sequence, ids.get(name)) for name in names}
    return {
        name: Judgement(cell in judged.negative, cell not in judged.not_exhaustive)
        for name, cell in cells.items()
    }


def _class_names(classes: Sequence[str]) -> tuple[str, ...]:
    if isinstance(classes, str):
        raise InputError(
            f'expected a list of class names, got "{classes}": of a single class say ["{classes}"]',
            "classes",
        )
    names = tuple(classes)
    if not names or len(set(names)) != len(names) or not all(isinstance(n, str) for n in names):
        raise InputError(f"expected names of classes, each once, got {list(names)}", "classes")
    return names


def _same_sequences(truth: Tracks, pred: Tracks) -> tuple[Tracks, Tracks]:
    """Return both sides with the sequences of truth; a side without names has the other's one."""
    if truth.named != pred.named:
        named, other = (truth, pred) if truth.named else (pred, truth)
        if len(named.sequences) != 1:
            raise IdError(
                f"expected sequence ids on both sides or on none, got {len(named.sequences)} on "
                "one side only",
                "sequence",
            )
        filled = dataclasses.replace(other, sequences=named.sequences, named=True)
        return (truth, filled) if truth.named else (filled, pred)
    if truth.sequences.same_as(pred.sequences):
        return truth, pred
    place = truth.sequences.codes(pred.sequences.ids)
    if (place < 0).any():
        absent = pred.sequences.ids[place < 0].tolist()
        raise IdError(
            f"expected predictions of sequences that truth has, got {len(absent)} others: "
            f"{first_few(absent)}",
            "sequence",
        )
    n_frames = np.full(len(truth.sequences), -1, np.int64)
    n_frames[place] = pred.n_frames
    seen = pred.seen.copy()
    seen[:, 0] = place[seen[:, 0]]
    moved = dataclasses.replace(
        pred,
        sequence=place[pred.sequence],
        sequences=truth.sequences,
        n_frames=n_frames,
        seen=seen,
    )
    return truth, moved


def _numbered(truth: Tracks, pred: Tracks) -> bool:
    """Return whether frames have numbers."""
    if truth.numbered == pred.numbered:
        return truth.numbered
    numbered, other = (truth, pred) if truth.numbered else (pred, truth)
    if not len(other) and not len(other.seen):
        return True  # nothing that could be numbered
    side = "pred" if numbered is truth else "truth"
    raise InputError("expected numbers of frames on both sides or on none, got one side's", side)
