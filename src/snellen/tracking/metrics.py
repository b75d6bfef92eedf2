"""The metrics of tracking: one for each family of numbers, and one for several."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from snellen.errors import InputError
from snellen.tracking.clear import CLEAR
from snellen.tracking.families import families_named
from snellen.tracking.hota import HOTA
from snellen.tracking.identity import IDENTITY
from snellen.tracking.sequence_metric import SequenceMetric
from snellen.tracking.tracking_result import TrackingResult
from snellen.tracking.vace import VACE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from snellen.tracking.family import Family
    from snellen.tracking.tracks import Tracks

__all__ = [
    "Clear",
    "Hota",
    "Identity",
    "Tracking",
    "TrackingResult",
    "Vace",
    "tracking_scores",
]


class Hota(SequenceMetric):
    """HOTA and what it is made of: detection, association and localisation accuracy.

    In each frame predictions are assigned to truth so that the tracks that are alike over the whole
    sequence stay together; pairs whose similarity reaches a threshold match. HOTA at a threshold is
    the geometric mean of DetA (how many objects match) and AssA (for how long the tracks of a match
    are the same); the number is its mean over 0.05, 0.10, … 0.95. The parameters are those of
    `SequenceMetric`; `TrackingResult.curve` has the numbers at each threshold.

    Notes
    -----
    State
        Of each sequence and class: matches, and sums of association and of similarity, at 19
        thresholds. Frames, while a sequence is open.
    Merge
        Joins sequences; exact. A sequence that both have absorbed is refused.
    Ties
        Of assignments with equal sums that which SciPy's solver takes, as the reference.
    Undefined
        NaN without objects; AssA and LocA also where nothing matches at 0.05.
    Agrees with
        TrackEval (12c8791) in every bit, over published files too (tests/conformance). One
        assignment a frame, not one a threshold as in the paper.

    References
    ----------
    J. Luiten et al., "HOTA: A Higher Order Metric for Evaluating Multi-Object Tracking", IJCV 2021.

    Examples
    --------
    >>> from snellen import Hota, Tracks
    >>> box = [[0, 0, 10, 10]] * 4
    >>> truth = Tracks.from_xywh(box, track_id=[1] * 4, frame=[1, 2, 3, 4])
    >>> pred = Tracks.from_xywh(box, track_id=[7, 7, 8, 8], frame=[1, 2, 3, 4])
    >>> result = Hota().update(truth, pred).compute()
    >>> result.DetA, result.AssA, round(result.HOTA, 4)  # each track has half of the object
    (1.0, 0.5, 0.7071)
    """

    __slots__ = ()

    def _families(self) -> tuple[Family, ...]:
        return (HOTA,)


class Clear(SequenceMetric):
    """MOTA, MOTP and the counts behind them: misses, false positives, id switches, fragments.

    In each frame a match of the frame before goes on while its similarity reaches the threshold;
    the others are assigned so that the sum of similarities is greatest. The parameters are those
    of `SequenceMetric`.

    Notes
    -----
    State
        Counts of each sequence and class, and a row for each object. Frames, while a sequence is
        open.
    Merge
        Joins sequences; exact.
    Ties
        Of assignments with equal sums that which SciPy's solver takes, as the reference.
    Undefined
        NaN for shares of nothing: MOTA without truth objects, MOTP without matches.
    Agrees with
        TrackEval (12c8791) in every bit. ``MOTP`` is the mean similarity of matches, as there;
        ``MOTP_distance`` their mean distance between centres, in pixels or in the unit of points,
        as in the papers of 2006 and 2008.

    References
    ----------
    K. Bernardin, A. Elbs, R. Stiefelhagen, "Multiple Object Tracking Performance Metrics and
    Evaluation in a Smart Room Environment", 2006. K. Bernardin, R. Stiefelhagen, "Evaluating
    Multiple Object Tracking Performance: The CLEAR MOT Metrics", 2008.

    Examples
    --------
    >>> from snellen import Clear, Tracks
    >>> box = [[0, 0, 10, 10]] * 4
    >>> truth = Tracks.from_xywh(box, track_id=[1] * 4, frame=[1, 2, 3, 4])
    >>> pred = Tracks.from_xywh(box[:3], track_id=[7, 7, 8], frame=[1, 2, 4])
    >>> result = Clear().update(truth, pred).compute()
    >>> result.CLR_FN, result.IDSW, result.MOTA  # (3 - 0 - 1) / 4
    (1.0, 1.0, 0.5)
    """

    __slots__ = ()

    def _families(self) -> tuple[Family, ...]:
        return (CLEAR,)


class Identity(SequenceMetric):
    """IDF1, its precision and recall: for how long each object has the one track that fits best.

    Each truth object gets at most one predicted track, and each track one object, for the whole
    sequence, so that the frames in which they match are most. The parameters are those of
    `SequenceMetric`.

    Notes
    -----
    State
        Three counts of each sequence and class. Frames, while a sequence is open.
    Merge
        Joins sequences; exact.
    Ties
        Don't matter: the most frames are the same number, whoever gets them.
    Undefined
        NaN without objects; IDP without predictions, IDR without truth objects.
    Agrees with
        TrackEval (12c8791) in every bit. py-motmetrics compares distances, 1 - similarity, with
        the threshold, whose rounding may let a pair in that falls short of it by 2^-54.

    References
    ----------
    E. Ristani et al., "Performance Measures and a Data Set for Multi-Target, Multi-Camera
    Tracking", ECCV workshops 2016.

    Examples
    --------
    >>> from snellen import Identity, Tracks
    >>> box = [[0, 0, 10, 10]] * 4
    >>> truth = Tracks.from_xywh(box, track_id=[1] * 4, frame=[1, 2, 3, 4])
    >>> pred = Tracks.from_xywh(box, track_id=[7, 8, 8, 8], frame=[1, 2, 3, 4])
    >>> result = Identity().update(truth, pred).compute()
    >>> result.IDTP, result.IDF1
    (3.0, 0.75)
    """

    __slots__ = ()

    def _families(self) -> tuple[Family, ...]:
        return (IDENTITY,)


class Vace(SequenceMetric):
    """SFDA and ATA: how much of the area is found, and how much of the time.

    The parameters are those of `SequenceMetric`.

    Notes
    -----
    State
        Two sums and three counts of each sequence and class. Frames, while a sequence is open.
    Merge
        Joins sequences; exact.
    Ties
        As SciPy's solver; where they don't change a pair, they change the order of a sum.
    Undefined
        NaN without objects, where the reference divides by zero.
    Agrees with
        TrackEval (12c8791) in every bit.

    References
    ----------
    V. Manohar et al., "Performance Evaluation of Object Detection and Tracking in Video", ACCV
    2006; the relaxed form, with a threshold in each frame.

    Examples
    --------
    >>> from snellen import Tracks, Vace
    >>> truth = Tracks.from_xywh([[0, 0, 10, 10]] * 2, track_id=[1, 1], frame=[1, 2])
    >>> pred = Tracks.from_xywh([[0, 0, 10, 5]], track_id=[7], frame=[1])
    >>> result = Vace().update(truth, pred).compute()
    >>> result.SFDA, result.ATA  # half of the area in one of two frames; one of two frames
    (0.25, 0.5)
    """

    __slots__ = ()

    def _families(self) -> tuple[Family, ...]:
        return (VACE,)


class Tracking(SequenceMetric):
    """Several families of tracking numbers at once, over one preparation of the data.

    Parameters
    ----------
    metrics : sequence of str
        Of ``"hota"``, ``"clear"``, ``"identity"``, ``"vace"``, ``"count"``, ``"ideucl"``,
        ``"motmetrics"`` (py-motmetrics' list, by its own rule of matching).
    events : bool
        Keep what happens to each object in each frame (`TrackingResult.events`); needs ``"clear"``.
    **parameters
        Those of `SequenceMetric`.

    Notes
    -----
    State
        That of the families, and a row for each object; with events a row for each object in each
        frame. Frames, while a sequence is open.
    Merge
        Joins sequences; exact. A sequence that both have absorbed is refused.
    Ties
        As each family: `Hota`, `Clear`, `Identity`, `Vace`.
    Undefined
        As each family.
    Agrees with
        TrackEval (12c8791) in every bit, over published files too (tests/conformance).

    Examples
    --------
    >>> from snellen import Tracking, Tracks
    >>> metric = Tracking(metrics=["hota", "clear"], events=True)
    >>> for frame in (1, 2, 3):
    ...     truth = Tracks.from_xywh([[0, 0, 10, 10]], track_id=[1], frame=frame)
    ...     pred = Tracks.from_xywh([[0, 0, 10, 10]], track_id=[6 + frame // 2], frame=frame)
    ...     metric = metric.update(truth, pred)
    >>> result = metric.end_sequence().compute()
    >>> [event["event"] for event in result.events()]
    ['match', 'switch', 'match']
    """

    __slots__ = ("_chosen", "_events")

    def __init__(
        self,
        *,
        metrics: Sequence[str] = ("hota", "clear", "identity", "count"),
        events: bool = False,
        **parameters: Any,
    ) -> None:
        self._chosen = families_named([metrics] if isinstance(metrics, str) else metrics)
        self._events = bool(events)
        if self._events and CLEAR not in self._chosen:
            raise InputError("expected clear among metrics, of which events are", "metrics")
        super().__init__(**parameters)

    def _families(self) -> tuple[Family, ...]:
        return self._chosen

    def _keeps_events(self) -> bool:
        return self._events


def tracking_scores(truth: Tracks, pred: Tracks, **parameters: Any) -> TrackingResult:
    """Return numbers of tracking; see `Tracking`.

    Examples
    --------
    >>> from snellen import Tracks, tracking_scores
    >>> truth = Tracks.from_xywh([[0, 0, 10, 10]] * 2, track_id=[1, 1], frame=[1, 2])
    >>> result = tracking_scores(truth, truth)
    >>> result.HOTA, result.MOTA, result.IDF1
    (1.0, 1.0, 1.0)
    """
    return Tracking(**parameters).update(truth, pred).compute()
