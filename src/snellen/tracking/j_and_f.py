"""J and F of video objects: how well their regions and contours fit, over the frames."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from snellen.errors import IdError, InputError, ShapeError, first_few
from snellen.parameters import refuse_other_parameters
from snellen.rle_masks import RleMasks
from snellen.state import Keys, Ledger, pack, restored
from snellen.tracking.j_and_f_result import JAndFResult, JAndFRules, JAndFTables
from snellen.tracking.j_and_f_sequence import VOID, MaskTracks, score_sequence
from snellen.tracking.tracks import Tracks

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray
    from typing_extensions import Self

    from snellen.state import PackedState
    from snellen.tracking.j_and_f_sequence import SequenceScores

__all__ = ["JAndF", "JAndFResult", "j_and_f"]

_SEQUENCE, _TRACK = "sequence id", "track id"


class JAndF:
    """Region similarity J and contour accuracy F, as DAVIS has them for videos.

    J is the IoU of an object's mask with that of its predicted track in a frame, F the F-measure
    of their contours, of which a pixel is matched where the other's contour is within the
    tolerance. Where neither side has a pixel of the object both are 1. Of each object: the mean
    over frames, the recall (the share of frames above 0.5) and the decay (the mean of the first
    quarter of frames less that of the last). Of a sequence: means over its objects; over all: means
    over the objects of all sequences.

    Parameters
    ----------
    match : {"J", "id"}
        Which predicted track an object is given. ``"J"``: those whose mean J add up to most, each
        to one object (unsupervised tasks; the ids of a prediction mean nothing). ``"id"``: the one
        with its id (semi-supervised tasks).
    tolerance : float or int
        Of contours: below 1, a share of the image's diagonal, rounded up to whole pixels; else
        whole pixels.
    inner_frames : bool
        Leave out the first and the last frame of each sequence, as DAVIS does for semi-supervised
        tasks, where the first is given.

    Notes
    -----
    State
        J and F of each object in each frame, the ids of sequences and objects; no masks.
    Merge
        Joins rows; exact. A sequence that both have absorbed is refused.
    Ties
        Of matches with the same sum the choice of SciPy's `linear_sum_assignment`.
    Undefined
        NaN where truth has no object. Sequences without objects do not count; neither do predicted
        tracks that no object is given.
    Agrees with
        TrackEval (12c8791) with ``match="J"``, every bit, in sequences of up to 255 frames
        (tests/oracle). In longer ones TrackEval, as DAVIS's own code, keeps the edges of the
        quarters in 8 bits: its decay is NaN or that of other frames. Here it is not. Sequences
        without truth objects make its numbers over all NaN; here they do not count.

    References
    ----------
    F. Perazzi et al., "A Benchmark Dataset and Evaluation Methodology for Video Object
    Segmentation", CVPR 2016. J. Pont-Tuset et al., "The 2017 DAVIS Challenge on Video Object
    Segmentation", 2017. S. Caelles et al., "The 2019 DAVIS Challenge on VOS: Unsupervised
    Multi-Object Segmentation", 2019.

    Examples
    --------
    >>> truth = [[[0, 1, 1, 0]] * 4, [[0, 1, 1, 0]] * 4]  # two frames of 4 × 4 pixels
    >>> pred = [[[0, 7, 7, 0]] * 4, [[0, 7, 0, 0]] * 4]
    >>> result = JAndF().update(truth, pred, sequence="car").compute()
    >>> result.J_mean, result.J_recall, result.J_decay
    (0.75, 0.5, 0.5)
    """

    __slots__ = ("_frames", "_known", "_matches", "_objects", "_sequences", "rules")

    def __init__(
        self,
        *,
        match: Literal["J", "id"] = "J",
        tolerance: float = 0.008,
        inner_frames: bool = False,
    ) -> None:
        self.rules = JAndFRules(match, tolerance, inner_frames)
        by_sequence = {"sequence": np.int32, "object": np.int32}
        self._sequences = Ledger(
            ("sequence",), sequence=np.int32, n_frames=np.int64, n_pred=np.int64
        )
        self._objects = Ledger(("sequence", "track"), **by_sequence, track=np.int32)
        self._matches = Ledger(("sequence", "track"), **by_sequence, track=np.int32)
        self._frames = Ledger(
            ("sequence",), **by_sequence, frame=np.int32, j=np.float64, f=np.float64
        )
        self._known: set[int | str] = set()

    def __repr__(self) -> str:
        return f"JAndF({len(self._known)} sequences, {self.rules})"

    def update(
        self,
        truth: Tracks | ArrayLike,
        pred: Tracks | ArrayLike,
        *,
        sequence: int | str | None = None,
    ) -> Self:
        """Absorb whole sequences.

        Parameters
        ----------
        truth, pred : Tracks
            Masks of one or several sequences, each given once. Frames are numbered from 0, or
            from 1 where no frame 0 was looked at; how many there are is said by ``n_frames``, else
            by the last that was looked at or has an object. Pixels of truth's regions to ignore
            are cut from predictions. Labels, scores and classes are not looked at.
        truth, pred : array-like of integers, shape (n_frames, H, W)
            Label maps of a sequence: the ids of objects, 0 for none, 255 in truth for what is not
            judged.
        sequence : int or str, optional
            The id of a sequence that has none; 0 where not given.

        Raises
        ------
        ShapeError
            For masks of different sizes, or what are no masks.
        IdError
            For a sequence that was absorbed before, that truth does not have, or ids of two kinds.
        InputError
            For frames that are not of the sequence. After an error the metric is as it was.
        """
        sides = _sides(truth, pred, sequence)
        truth_side, pred_side = sides
        self._check_new(truth_side.sequences)
        unknown = truth_side.sequences.codes(pred_side.sequences.ids) < 0
        if unknown.any():
            raise IdError(
                f"expected predictions of the sequences of truth, got {int(unknown.sum())} others: "
                f"{first_few(pred_side.sequences.ids[unknown].tolist())}",
                "pred",
            )
        pred_code = pred_side.sequences.codes(truth_side.sequences.ids).tolist()
        tables = _track_keys(truth_side, pred_side, self.rules.match)
        self._check_kinds(*tables)
        scored = [
            _scored(truth_side, pred_side, code, other, tables, self.rules)
            for code, other in enumerate(pred_code)
        ]
        for code, each in enumerate(scored):
            self._append(truth_side.sequences, code, each, tables)
        self._known.update(truth_side.sequences.ids.tolist())
        return self

    def _append(self, sequences: Keys, code: int, scored: _Scored, tables: _TrackKeys) -> None:
        scores, key = scored.scores, {"sequence": sequences}
        n_objects, n_frames = scores.j.shape
        rank = np.arange(n_objects, dtype=np.int32)
        given = scores.pred >= 0

        def of_sequence(n: int) -> NDArray[np.int32]:
            return np.full(n, code, np.int32)

        self._sequences.append(
            key,
            sequence=of_sequence(1),
            n_frames=np.array([n_frames], np.int64),
            n_pred=np.array([len(scored.pred_ids)], np.int64),
        )
        self._objects.append(
            {**key, "track": tables.truth},
            sequence=of_sequence(n_objects),
            object=rank,
            track=scored.truth_ids[scores.truth].astype(np.int32),
        )
        self._matches.append(
            {**key, "track": tables.pred},
            sequence=of_sequence(int(given.sum())),
            object=rank[given],
            track=scored.pred_ids[scores.pred[given]].astype(np.int32),
        )
        self._frames.append(
            key,
            sequence=of_sequence(n_objects * n_frames),
            object=np.repeat(rank, n_frames),
            frame=np.tile(np.arange(n_frames, dtype=np.int32), n_objects),
            j=scores.j.reshape(-1),
            f=scores.f.reshape(-1),
        )

    def _check_new(self, sequences: Keys) -> None:
        Keys.union([*self._sequences.tables()["sequence"][:1], sequences], _SEQUENCE)
        again = sorted(self._known.intersection(sequences.ids.tolist()))
        if again:
            raise IdError(
                f"expected each sequence once and whole, got {len(again):,} that were absorbed "
                f"before: {first_few(again)}",
                "sequence",
            )

    def _check_kinds(self, truth: Keys, pred: Keys) -> None:
        for ledger, keys in ((self._objects, truth), (self._matches, pred)):
            Keys.union([*ledger.tables()["track"], keys], _TRACK)

    def merge(self, other: JAndF, /) -> Self:
        """Absorb another metric of equal parameters; `other` stays as it was.

        Raises
        ------
        MergeError
            Where the parameters differ.
        IdError
            Where both have absorbed the same sequence, or ids are of two kinds.
        """
        refuse_other_parameters(self, self.rules.to_dict(), other.rules.to_dict())
        for sequences in other._sequences.tables()["sequence"]:
            self._check_new(sequences)
        self._check_kinds(
            *(
                Keys.union(ledger.tables()["track"], _TRACK)
                for ledger in (other._objects, other._matches)
            )
        )
        for name in ("_sequences", "_objects", "_matches", "_frames"):
            getattr(self, name).merge(getattr(other, name))
        self._known |= other._known
        return self

    def empty(self) -> JAndF:
        """Return a metric of the same parameters without data."""
        return type(self)(**self.rules.to_dict())

    def compute(self) -> JAndFResult:
        """Return the result of all that was absorbed."""
        return JAndFResult.of_tables(self.rules, self.tables())

    def tables(self) -> JAndFTables:
        """Return all rows, in an order that does not depend on how they came."""
        sequences = Keys.union(self._sequences.tables()["sequence"], _SEQUENCE)
        tracks, matches = (
            Keys.union(ledger.tables()["track"], _TRACK)
            for ledger in (self._objects, self._matches)
        )
        key = {"sequence": sequences}
        of_sequences = _ordered(self._sequences.columns(key), "sequence")
        of_objects = _ordered(self._objects.columns({**key, "track": tracks}), "sequence", "object")
        given = _ordered(self._matches.columns({**key, "track": matches}), "sequence", "object")
        of_frames = _ordered(self._frames.columns(key), "sequence", "object", "frame")
        match = np.full(len(of_objects["object"]), -1, np.int32)
        first = np.searchsorted(of_objects["sequence"], given["sequence"])
        match[first + given["object"]] = given["track"]
        return JAndFTables(
            sequences,
            tracks,
            matches,
            {name: of_sequences[name] for name in ("n_frames", "n_pred")},
            {"sequence": of_objects["sequence"], "track": of_objects["track"], "match": match},
            {name: of_frames[name] for name in ("j", "f")},
        )

    def to_bytes(self) -> bytes:
        """Return the state: the same bytes for any sharding and any order of batches."""
        content: dict[str, Any] = {"rules": self.rules.to_dict()}
        arrays: dict[str, NDArray[Any]] = {}
        self.tables().store(content, arrays)
        return pack(type(self).__name__, content, arrays)

    @classmethod
    def from_bytes(cls, data: bytes, /) -> JAndF:
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
    def _of_packed(cls, packed: PackedState) -> JAndF:
        metric = cls(**packed.content["rules"])
        tables = JAndFTables.stored(packed.content, packed.arrays)
        sequence, match = tables.of_objects["sequence"], tables.of_objects["match"]
        if not len(tables.sequences):
            return metric
        key = {"sequence": tables.sequences}
        codes = np.arange(len(tables.sequences), dtype=np.int32)
        first = np.searchsorted(sequence, codes)
        rank = (np.arange(len(sequence)) - first[sequence]).astype(np.int32)
        begin, given = tables.begin(), match >= 0
        owner = np.repeat(np.arange(len(sequence)), np.diff(begin))
        metric._sequences.append(key, sequence=codes, **tables.of_sequences)
        metric._objects.append(
            {**key, "track": tables.tracks},
            sequence=sequence,
            object=rank,
            track=tables.of_objects["track"],
        )
        metric._matches.append(
            {**key, "track": tables.matches},
            sequence=sequence[given],
            object=rank[given],
            track=match[given],
        )
        metric._frames.append(
            key,
            sequence=sequence[owner],
            object=rank[owner],
            frame=(np.arange(len(owner)) - begin[owner]).astype(np.int32),
            **tables.of_frames,
        )
        metric._known.update(tables.sequences.ids.tolist())
        return metric


class _TrackKeys(NamedTuple):
    """The ids of truth objects and of predicted tracks that rows refer to."""

    truth: Keys
    pred: Keys


class _Scored(NamedTuple):
    """A sequence's scores; the ids of its tracks on either side, as positions in `_TrackKeys`."""

    scores: SequenceScores
    truth_ids: NDArray[np.int64]
    pred_ids: NDArray[np.int64]


def _ordered(columns: dict[str, NDArray[Any]], *by: str) -> dict[str, NDArray[Any]]:
    order = np.lexsort([columns[name] for name in reversed(by)])
    return {name: column[order] for name, column in columns.items()}


def _sides(truth: Any, pred: Any, sequence: int | str | None) -> tuple[Tracks, Tracks]:
    if isinstance(truth, Tracks) != isinstance(pred, Tracks):
        raise InputError("expected Tracks on both sides or label maps on both, got one of each")
    if not isinstance(truth, Tracks):
        maps = [
            _of_labels(side, name, sequence) for name, side in (("truth", truth), ("pred", pred))
        ]
        if maps[0].n_frames[0] != maps[1].n_frames[0]:
            raise ShapeError(
                f"expected as many frames as truth has, {maps[0].n_frames[0]}, got "
                f"{maps[1].n_frames[0]}",
                "pred",
            )
        return maps[0], maps[1]
    found = []
    for name, side in (("truth", truth), ("pred", pred)):
        if not isinstance(side.shape, RleMasks):
            raise ShapeError(f"expected masks, got {side.shape.kind}", name)
        if not side.numbered and len(side):
            raise InputError("expected whole sequences, with the frame of each mask", name)
        if sequence is not None and side.named:
            raise InputError(
                f"expected sequences named once, {name} has ids of its own", "sequence"
            )
        if sequence is not None:
            side = dataclasses.replace(side, sequences=Keys([sequence], _SEQUENCE), named=True)
        found.append(side)
    return found[0], found[1]


def _of_labels(labels: Any, name: str, sequence: int | str | None) -> Tracks:
    """Return the tracks of label maps."""
    found = RleMasks.from_labels(labels, name)
    n_frames = len(labels)
    return Tracks.from_masks(
        found.masks,
        track_id=found.value,
        frame=found.image,
        sequence=0 if sequence is None else sequence,
        region=found.value == VOID if name == "truth" else None,
        n_frames=n_frames,
        frames=np.arange(n_frames),
    )


def _track_keys(truth: Tracks, pred: Tracks, match: str) -> _TrackKeys:
    """Return the ids of both sides; one table for both where they are compared."""
    keys = []
    for side, region in ((truth, truth.region), (pred, pred.region)):
        if side.track_names is not None:
            keys.append(Keys(list(side.track_names), _TRACK))
        else:
            # What stands for the id of a region means nothing.
            keys.append(Keys(side.track if region is None else side.track[region == 0], _TRACK))
    if match == "id":
        both = Keys.union(keys, _TRACK)
        return _TrackKeys(both, both)
    return _TrackKeys(*keys)


def _scored(
    truth: Tracks, pred: Tracks, code: int, pred_code: int, keys: _TrackKeys, rules: JAndFRules
) -> _Scored:
    place = f"sequence {truth.sequences.ids[code]}"
    begin, n_frames = _frame_range(truth, pred, code, pred_code, place)
    is_object = np.ones(len(truth), np.bool_)
    if truth.region is not None:
        is_object &= truth.region == 0
    if truth.counted is not None:
        is_object &= truth.counted != 0
    regions = np.zeros(len(truth), np.bool_) if truth.region is None else truth.region != 0
    is_pred = np.ones(len(pred), np.bool_) if pred.region is None else pred.region == 0
    sides = [
        _mask_tracks(truth, code, is_object, keys.truth, begin),
        _mask_tracks(pred, pred_code, is_pred, keys.pred, begin),
        _mask_tracks(truth, code, regions, None, begin),
    ]
    if rules.inner_frames:
        if n_frames < 3:
            raise InputError(
                f"expected at least 3 frames where the first and the last are left out, got "
                f"{n_frames}",
                place,
            )
        # Which objects there are is said by all frames.
        inner = [side.taken((side.frame > 0) & (side.frame < n_frames - 1)) for side in sides]
        sides = [side._replace(frame=side.frame - 1) for side in inner]
        n_frames -= 2
    scores = score_sequence(sides[0], sides[1], sides[2], n_frames, rules, place)
    return _Scored(scores, sides[0].ids, sides[1].ids)


def _mask_tracks(
    tracks: Tracks, code: int, wanted: NDArray[np.bool_], keys: Keys | None, first_frame: int
) -> MaskTracks:
    """Return the masks of a sequence; `keys` None: those of regions, whose ids mean nothing."""
    rows = np.flatnonzero((tracks.sequence == code) & wanted)
    masks, frame = tracks.shape[rows], tracks.frame[rows] - first_frame
    if not isinstance(masks, RleMasks):
        raise TypeError("expected masks")
    if keys is None:
        return MaskTracks(masks, frame, np.zeros(len(rows), np.int64), np.zeros(0, np.int64))
    track = tracks.track[rows]
    codes = track
    if tracks.track_names is None:
        codes = keys.codes(track).astype(np.int64)
    elif len(rows):
        codes = keys.codes(list(tracks.track_names)).astype(np.int64)[track]
    there = np.zeros(len(keys), np.bool_)
    there[codes] = True
    ids = np.flatnonzero(there)
    return MaskTracks(masks, frame, np.searchsorted(ids, codes), ids)


def _frame_range(
    truth: Tracks, pred: Tracks, code: int, pred_code: int, place: str
) -> tuple[int, int]:
    """Return the number of the first frame and how many there are."""
    lengths: set[int] = set()
    low, high = [], []
    for side, at in ((truth, code), (pred, pred_code)):
        if at < 0:
            continue
        if side.n_frames[at] >= 0:
            lengths.add(int(side.n_frames[at]))
        for numbers in (side.frame[side.sequence == at], side.seen[side.seen[:, 0] == at, 1]):
            if len(numbers):
                low.append(int(numbers.min()))
                high.append(int(numbers.max()))
    if len(lengths) > 1:
        raise InputError(
            f"expected sequences of as many frames on both sides, got {first_few(sorted(lengths))}",
            place,
        )
    length = lengths.pop() if lengths else None
    if not low:
        return 0, length or 0
    first = 0 if min(low) == 0 else 1
    n_frames = max(high) + 1 - first
    if length is not None and n_frames > length:
        raise InputError(f"expected frames {first} to {first + length - 1}, got {max(high)}", place)
    return first, n_frames if length is None else length


def j_and_f(
    truth: Tracks | ArrayLike,
    pred: Tracks | ArrayLike,
    *,
    sequence: int | str | None = None,
    **parameters: Any,
) -> JAndFResult:
    """Return J and F of video objects; see `JAndF`.

    Examples
    --------
    >>> truth = [[[0, 1, 1, 0]] * 4] * 3
    >>> result = j_and_f(truth, truth)
    >>> result.J_mean, result.F_mean
    (1.0, 1.0)
    """
    return JAndF(**parameters).update(truth, pred, sequence=sequence).compute()
